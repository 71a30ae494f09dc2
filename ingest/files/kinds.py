"""Which format an input file has: told by its extension, verified by its first and last bytes."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InvalidTable, MissingInput

CSV, PARQUET, ARROW, ARROW_STREAM = "CSV", "Parquet", "Arrow", "Arrow stream"

EXTENSIONS = {
    ".csv": (CSV,),
    ".parquet": (PARQUET,),
    ".pq": (PARQUET,),
    ".arrow": (ARROW, ARROW_STREAM),
    ".arrows": (ARROW, ARROW_STREAM),
    ".ipc": (ARROW, ARROW_STREAM),
    ".feather": (ARROW, ARROW_STREAM),
}

_MAGIC = {b"PAR1": PARQUET, b"ARROW1": ARROW, b"\xff\xff\xff\xff": ARROW_STREAM}
# Formats that people hand in by mistake, with what to do about each.
_FOREIGN = {
    b"PK\x03\x04": "is an Excel workbook or a zip archive; save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save the sheet as CSV UTF-8",
    b"\x1f\x8b": "is compressed with gzip; unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; unpack it first",
    b"FEA1": "is an old Feather file (version 1); write it again as Feather version 2 or Parquet",
    b"PARE": "is an encrypted Parquet file; write it again without encryption",
    b"\xff\xfe": "is written in UTF-16; save it as CSV UTF-8",
    b"\xfe\xff": "is written in UTF-16; save it as CSV UTF-8",
    b"%PDF": "is a PDF document; export the table as CSV",
}


def missing(path: Path) -> str | None:
    """Why a path cannot be read as a file, with the remedy in one line, or None when it can."""
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
    """Format of a file, by extension and content together."""
    if reason := missing(path):
        raise MissingInput(reason)
    if path.suffix.lower() in {".xlsx", ".xlsm", ".xls", ".ods"}:
        raise InvalidTable(f"{path.name}: is a workbook; save the sheet as CSV UTF-8 and import that")
    expected = EXTENSIONS.get(path.suffix.lower())
    if expected is None:
        raise InvalidTable(
            f"{path.name}: the ending {path.suffix or '(none)'} says no format; "
            f"rename the file to one of {', '.join(EXTENSIONS)}"
        )
    head, tail = _ends(path)
    if not head:
        raise InvalidTable(f"{path.name}: the file is empty; it needs at least a header and one row")
    for magic, sentence in _FOREIGN.items():
        if head.startswith(magic):
            raise InvalidTable(f"{path.name}: the file {sentence}")
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), CSV)
    if found not in expected:
        raise InvalidTable(
            f"{path.name}: the ending {path.suffix} says {expected[0]}, the content does not; "
            + (f"it is {found}, rename the file" if found != CSV else "the file is damaged, write it again")
        )
    if found in {PARQUET, ARROW} and not tail.endswith(b"PAR1" if found == PARQUET else b"ARROW1"):
        raise InvalidTable(f"{path.name}: the {found} file is cut short; copy or write it again")
    return found


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(path.stat().st_size - 8, 0))
        return head, file.read(8)
