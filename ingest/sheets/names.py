"""Which files are meant: paths, folders, patterns, and sheets of workbooks."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import MissingInput
from engine.texts import short

ENDINGS = frozenset(
    {".csv", ".tsv", ".tab", ".psv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".pq", ".arrow", ".arrows"}
    | {".ipc", ".feather", ".jsonl", ".ndjson", ".gz", ".zst", ".bz2", ".xz", ".zip"}
)
# In folders these are read where they hold a table, and passed over where they do not.
DOUBTFUL = frozenset({".txt", ".json", ".dat"})


@dataclass(frozen=True)
class Named:
    """A file that somebody named, or that lies in a folder they named."""

    path: Path
    sheet: str | None = None  # Of a workbook
    is_doubtful: bool = False  # Whether it is passed over where it holds no table


def files_of(names: Sequence[str]) -> list[Named]:
    """All files, in the order of the names; those of folders and patterns by name."""
    if not names:
        raise MissingInput("no file is named; give the files that hold the tables")
    found: list[Named] = []
    problems: list[str] = []
    for name in names:
        try:
            found += _meant(name)
        except MissingInput as error:
            problems += error.problems
    problems += _twice(found)
    if problems:
        raise MissingInput(*dict.fromkeys(problems))
    return found


def _twice(found: Sequence[Named]) -> Iterator[str]:
    seen: set[tuple[Path, str | None]] = set()
    for named in found:
        key = (named.path.resolve(), None if named.sheet is None else named.sheet.strip().casefold())
        if key in seen or (key[0], None) in seen:
            sheet = "" if named.sheet is None else f"#{named.sheet}"
            yield f"{named.path}{sheet}: is named twice; name it once, or its rows would count twice"
        seen.add(key)


def _meant(name: str) -> list[Named]:
    path = Path(name)
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        return [_readable(Named(path))]
    file, sheet = file_and_sheet(path)
    if sheet is not None:
        return [_readable(Named(file, sheet or None))]
    # Not by pathlib: patterns may be absolute, and stand in any part.
    if glob.has_magic(name) and (paths := sorted(map(Path, glob.glob(name, recursive=True)))):  # noqa: PTH207
        return [_readable(Named(path)) for path in paths if path.is_file() and not _is_lock(path)]
    raise MissingInput(f"{name}: {_absent(path)}")


def file_and_sheet(path: Path) -> tuple[Path, str | None]:
    """A path taken apart where it is a file and the name of a sheet in it.

    Parameters
    ----------
    path : Path
        Such as `book.xlsx#Agents`; names of files and sheets may have `#` in them too.

    Returns
    -------
    tuple of Path and str or None
        The file, and the sheet where one is named.
    """
    text, places = str(path), [at for at, letter in enumerate(str(path)) if letter == "#"]
    if not path.exists():
        for at in places:
            if Path(text[:at]).is_file():
                return Path(text[:at]), text[at + 1 :]
    return path, None


def _absent(path: Path) -> str:
    if glob.has_magic(path.name):
        return "no file fits this pattern; check the path"
    if path.parent.is_dir():
        from difflib import get_close_matches

        near = get_close_matches(path.name, [each.name for each in path.parent.iterdir()], n=1)
        if near:
            return f"there is no such file; did you mean {short(near[0])}?"
    return "there is no such file; check the path"


def _in_folder(folder: Path) -> list[Named]:
    try:
        there = sorted(path for path in folder.iterdir() if path.is_file() and not _is_lock(path))
    except OSError as error:
        raise MissingInput(f"{folder}: cannot be opened ({error.strerror}); allow reading it") from error
    found = [Named(path, None, path.suffix.lower() in DOUBTFUL) for path in there if may_hold(path.suffix.lower())]
    if not found:
        raise MissingInput(f"{folder}: the folder holds no tables; name the folder or the files that do")
    return [_readable(named) for named in found]


def may_hold(ending: str) -> bool:
    """Whether files of this ending may hold a table."""
    return ending in ENDINGS | DOUBTFUL


def _is_lock(path: Path) -> bool:
    """What Excel and LibreOffice leave beside a workbook while it is open, and hidden files."""
    return path.name.startswith(("~$", "."))


def _readable(named: Named) -> Named:
    path = named.path
    if path.name.startswith("~$"):
        raise MissingInput(
            f"{path}: is what Excel keeps beside a workbook while it is open; name the workbook itself, "
            f"{path.name.removeprefix('~$')}"
        )
    if not path.is_file():
        raise MissingInput(f"{path}: is not a regular file; write the data to a file first")
    try:
        path.open("rb").close()
    except OSError as error:
        raise MissingInput(f"{path}: cannot be opened ({error.strerror}); allow reading it") from error
    return named
