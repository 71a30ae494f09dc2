"""Which format an input file has: told by its content; where its ending says Parquet or Arrow, by both."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InvalidTable, MissingInput
from ingest.sheets import kinds
from ingest.sheets.content import opened
from ingest.sheets.kinds import ARROW, PARQUET
from ingest.sheets.names import file_and_sheet
from ingest.sheets.text.dialect import is_plain

CSV, ARROW_STREAM = "CSV", kinds.STREAM
# Whatever else holds a table of cells.
SHEET = "sheet"

EXTENSIONS = {
    ".csv": (CSV,),
    ".parquet": (PARQUET,),
    ".pq": (PARQUET,),
    ".arrow": (ARROW, ARROW_STREAM),
    ".arrows": (ARROW, ARROW_STREAM),
    ".ipc": (ARROW, ARROW_STREAM),
    ".feather": (ARROW, ARROW_STREAM),
}


def missing(path: Path) -> str | None:
    """Why a path cannot be read as a file, with the remedy in one line, or None when it can."""
    path, _ = file_and_sheet(path)
    if path.is_dir():
        return f"{path}: is a directory; name the file in it"
    if not path.exists():
        return f"{path}: there is no such file; check the path"
    if not path.is_file():
        return f"{path}: is not a regular file; write the data to a file first"
    try:
        path.open("rb").close()
    except OSError as error:
        return f"{path}: cannot be opened ({error.strerror}); allow reading it"
    return None


def kind_of(path: Path) -> str:
    """Format of a file, by content and, for the formats of tables, by its ending too."""
    if reason := missing(path):
        raise MissingInput(reason)
    if file_and_sheet(path)[1] is not None:
        return SHEET
    content = opened(path)
    kind = kinds.kind_of(content)
    expected = EXTENSIONS.get(path.suffix.lower())
    if expected is None:
        return SHEET
    if kind in {PARQUET, ARROW, ARROW_STREAM, kinds.TEXT}:
        found = CSV if kind == kinds.TEXT else kind
        if found not in expected:
            raise InvalidTable(
                f"{path.name}: the ending {path.suffix} says {expected[0]}, the content does not; "
                + (f"it is {found}, rename the file" if found != CSV else "the file is damaged, write it again")
            )
        if found != CSV:
            kinds.check_end(content, found)
            return found
        if is_plain(content):
            return CSV
    return SHEET
