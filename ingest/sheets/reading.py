"""Files by their names, whatever they are, as sheets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.errors import InvalidTable, MissingInput
from engine.stopping import checked
from engine.typing import Progress
from ingest.sheets import kinds
from ingest.sheets.columnar.reading import read_columnar
from ingest.sheets.content import Content, opened
from ingest.sheets.joining import joined
from ingest.sheets.json_rows import read_json
from ingest.sheets.kinds import kind_of
from ingest.sheets.names import Named, files_of
from ingest.sheets.packed import unpacked
from ingest.sheets.sheet import Sheet
from ingest.sheets.text.reading import read_text
from ingest.sheets.workbooks.reading import read_workbook


def read_sheets(names: Sequence[str], tell: Progress | None = None) -> list[Sheet]:
    """All tables of cells in files, nothing read into them yet.

    Parameters
    ----------
    names : sequence of str
        Paths, folders, patterns such as `2026-*.csv`, and `FILE#Sheet` for one sheet of a workbook.
    tell : Progress, optional
        Told after every file.

    Returns
    -------
    list of Sheet
        One for each table; files of one folder or pattern with the same columns are one.

    Raises
    ------
    InvalidTable
        If a file holds no table: which, where, and the way out; the problems of all files together.
    MissingInput
        If a file is not there or cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "agents.csv"
    >>> _ = path.write_text("Personalnr;Name\\n1001;Lang, Peter\\n")
    >>> [sheet] = read_sheets([str(path)])
    >>> sheet.frame.rows(), sheet.rows.tolist(), sheet.format
    ([('1001', 'Lang, Peter')], [2], 'CSV with semicolons, UTF-8')
    """
    named = files_of(names)
    paths = Counter(path.name for path in {each.path for each in named})
    sheets: list[Sheet] = []
    problems: list[str] = []
    for done, each in enumerate(checked(named)):
        if tell is not None:
            tell("read files", done, len(named))
        try:
            # Files of one name in several folders are told apart by these.
            name = each.path.name
            sheets += _of_file(each, f"{each.path.absolute().parent.name}/{name}" if paths[name] > 1 else name)
        except InvalidTable as error:
            if not each.is_doubtful:
                problems += error.problems
    if problems:
        raise InvalidTable(*problems)
    if not sheets:
        raise MissingInput(f"{', '.join(names)}: no file there holds a table; name the files that do")
    if tell is not None:
        tell("read files", len(named), len(named))
    return joined(sheets)


def _of_file(named: Named, name: str) -> list[Sheet]:
    content = opened(named.path, name)
    kind = kind_of(content)
    if kind not in kinds.PACKED:
        return _of_content(content, kind, named.sheet)
    if kind == kinds.ZIP and content.suffix in kinds.WORKBOOK_ENDINGS:
        raise content.refused("is a zip archive and no workbook; export the workbook again, or unpack the archive")
    found: list[Sheet] = []
    for inner in unpacked(content, kind):
        inner_kind = kind_of(inner)
        if inner_kind in kinds.PACKED:
            raise inner.refused(f"holds {inner.inside}, which is packed again; unpack it first")
        found += _of_content(inner, inner_kind, named.sheet)
    return found


def _of_content(content: Content, kind: str, sheet: str | None) -> list[Sheet]:
    if kind == kinds.WORKBOOK:
        return read_workbook(content, sheet)
    if sheet is not None:
        raise content.refused(f"is no workbook and has no sheet {sheet!r}; name the file alone")
    if kind == kinds.TEXT:
        return [read_json(content) if _is_json(content) else read_text(content)]
    return [read_columnar(content, kind)]


def _is_json(content: Content) -> bool:
    """Whether a text begins like a list of objects, or like objects."""
    head = bytes(content.data[:4096]).decode("utf-8-sig", "ignore").replace("\0", "").split(maxsplit=1)
    start = "".join(head)[:20].replace(" ", "")
    return start.startswith(('{"', "{}", "[{", "[]")) or content.suffix in {".json", ".jsonl", ".ndjson"}
