"""Whether a workbook may be opened at all: what it unpacks to, and how far the sheets of a binary one reach."""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath

from engine.memory import Need
from ingest.sheets.content import DAMAGED, Content
from ingest.sheets.kinds import archive
from ingest.sheets.workbooks.extent import WORTH_ASKING, Extent, check_room
from ingest.workers import MEMORY

# All texts of a workbook. [byte]
MOST_TEXTS = 2 << 30

# Records of a binary sheet: a row, and the first and last kind of a cell.
_ROW, _FIRST_CELL, _LAST_CELL = 0, 1, 11


def is_excel(content: Content) -> bool:
    """Whether a workbook is one of Excel 2007 or later: `.xlsx`, `.xlsm` or `.xlsb`."""
    if content.data[:2] != b"PK":
        return False
    with archive(content) as opened:
        return any(name.startswith("xl/") for name in opened.namelist())


def check_workbook(content: Content) -> None:
    """Refuse a workbook whose texts alone unpack to more than any has."""
    if content.data[:2] != b"PK":
        return
    with archive(content) as opened:
        for name in opened.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".bin"):
                _check_binary(content, opened, name)
        for info in opened.infolist():
            if info.flag_bits & 1:
                raise content.refused("the workbook is protected by a password; save it without one")
            is_texts = info.filename.rpartition("/")[2] in {"sharedStrings.xml", "sharedStrings.bin", "styles.xml"}
            if is_texts and info.file_size > MOST_TEXTS:
                raise content.refused(f"its texts unpack to {info.file_size:,} bytes, and no workbook has so many")
            if is_texts and info.file_size > WORTH_ASKING:
                MEMORY.check(Need(3 * info.file_size, f"{content.name}: reading it", "save fewer days of it"))


def _check_binary(content: Content, opened: zipfile.ZipFile, name: str) -> None:
    """The same for a sheet of an .xlsb workbook: records, each with its kind and length in front."""
    try:
        data = opened.read(name) if opened.getinfo(name).file_size < MOST_TEXTS else b""
    except DAMAGED as error:
        raise content.refused(f"{name} in it is damaged ({str(error)[:100]}); save the workbook again") from error
    found, at = Extent(), 0
    while at < len(data):
        kind, at = _varint(data, at, 2)
        size, at = _varint(data, at, 4)
        number = int.from_bytes(data[at : at + 4], "little") + 1
        if kind == _ROW:
            found.n_rows = max(found.n_rows, number)
        elif _FIRST_CELL <= kind <= _LAST_CELL:
            found.n_cells += 1
            found.n_columns = max(found.n_columns, number)
        at += size
    check_room(content, PurePosixPath(name).stem, found, len(data))


def _varint(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of seven bits in each byte, the lowest first, and where it ends."""
    number = 0
    for place, byte in enumerate(data[at : at + most]):
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number, at + place + 1
    return number, at + most
