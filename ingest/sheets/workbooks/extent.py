"""How far a sheet of an Excel workbook reaches, and what of it is hidden or an error; told before it is read.

Whoever reads a sheet keeps a place for every cell from the first to the last: two cells far apart would take gigabytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO
from xml.etree import ElementTree

import numpy as np

from engine.memory import Need
from engine.stopping import check
from engine.typing import IntArray
from ingest.sheets.content import Content
from ingest.sheets.kinds import archive
from ingest.workers import MEMORY

# What a place takes for a cell that is not there. [byte]
PLACE = 40
WORTH_ASKING = 256 << 20
# The description of a sheet takes so many times its size as cells.
TIMES = 6
# A sheet of so many places of which so small a share is filled is refused.
MANY_PLACES, LEAST_FILLED = 10_000_000, 0.02
# What describes a workbook, and all its texts. [byte]
MOST_DESCRIBED, MOST_TEXTS = 16 << 20, 2 << 30
_PIECE = 4 << 20
_SHOWN_ERRORS = 3

_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3}\d{1,7})[\"'][^>/]*>")
# Most tables have at most 26 columns and 999,999 rows, and no cell is looked at then.
_FAR = re.compile(rb"\sr=[\"'](?:[A-Z]{2,3}\d{1,7}|[A-Z]\d{7})[\"']")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\s(?=[^>]*\bhidden=[\"'](?:1|true)[\"'])[^>]*?\br=[\"'](\d{1,7})[\"']")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s[^>]*>")
_NEVER_CALCULATED = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\bt=[\"']e[\"'])[^>]*?\br=[\"']([A-Z]{1,3}\d{1,7})[\"'][^>]*>.{0,4000}?<(?:\w+:)?v>([^<]{1,20})<",
    re.DOTALL,
)


@dataclass
class Extent:
    """What is known of a sheet before it is read."""

    n_cells: int = 0  # Only of large sheets
    n_rows: int = 0
    n_columns: int = 0
    hidden_rows: set[int] = field(default_factory=set)  # From 1
    hidden_columns: set[int] = field(default_factory=set)
    n_formulas: int = 0  # Without a value
    n_errors: int = 0
    errors: list[str] = field(default_factory=list)  # The first: `E5 #N/A`


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


def extent_of(content: Content, sheet: str) -> Extent:
    """How far a sheet reaches; nothing is known of workbooks other than those of Excel 2007 and later."""
    found = Extent()
    if content.data[:2] != b"PK":
        return found
    with archive(content) as opened:
        member = _member(content, opened, sheet)
        if member is None:
            return found
        try:
            is_far = False
            with opened.open(member) as stream:
                for part in _parts(stream):
                    is_far = is_far or _FAR.search(part) is not None
                    _look(part, found)
            if is_far:
                with opened.open(member) as stream:
                    for part in _parts(stream):
                        _measure(part, found)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
            raise content.refused(
                f"sheet {sheet} is damaged or cut short ({str(error)[:100]}); save or copy the workbook again"
            ) from error
        _check_room(content, sheet, found, TIMES * opened.getinfo(member).file_size)
    return found


# Records of a binary sheet: a row, and the first and last kind of a cell.
_ROW, _FIRST_CELL, _LAST_CELL = 0, 1, 11


def _check_binary(content: Content, opened: zipfile.ZipFile, name: str) -> None:
    """The same for a sheet of an .xlsb workbook: records, each with its kind and length in front."""
    try:
        data = opened.read(name) if opened.getinfo(name).file_size < MOST_TEXTS else b""
    except (zipfile.BadZipFile, OSError, EOFError) as error:
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
    _check_room(content, PurePosixPath(name).stem, found, TIMES * len(data))


def _varint(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of seven bits in each byte, the lowest first, and where it ends."""
    number = 0
    for place, byte in enumerate(data[at : at + most]):
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number, at + place + 1
    return number, at + most


def _member(content: Content, opened: zipfile.ZipFile, sheet: str) -> str | None:
    """Where in the archive a sheet is kept."""
    names = set(opened.namelist())
    if "xl/workbook.xml" not in names:
        return None
    ids = {each.get("name"): _any(each.attrib, "id") for each in _tags(content, opened, "xl/workbook.xml", "sheet")}
    rels = {
        each.get("Id"): each.get("Target", "")
        for each in _tags(content, opened, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    target = rels.get(ids.get(sheet), "")
    place = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return place if place in names else None


def _any(attributes: dict[str, str], name: str) -> str | None:
    """An attribute whatever its namespace; `r:id` has one, `sheetId` is another."""
    return next((value for key, value in attributes.items() if key.rpartition("}")[2] == name and "}" in key), None)


def _tags(content: Content, opened: zipfile.ZipFile, member: str, tag: str) -> list[ElementTree.Element]:
    try:
        if opened.getinfo(member).file_size > MOST_DESCRIBED:
            raise content.refused(f"{member} in it unpacks to more than any workbook has")
        root = ElementTree.fromstring(opened.read(member))
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise content.refused(f"the workbook is damaged ({member}: {str(error)[:100]}); save it again") from error
    return [each for each in root.iter() if each.tag.rpartition("}")[2] == tag]


def _parts(stream: IO[bytes]) -> Iterator[bytes]:
    """Pieces of a sheet that end with a whole cell."""
    rest = b""
    while piece := stream.read(_PIECE):
        check()
        rest += piece
        end = rest.rfind(b"<")
        end = max(rest.rfind(b"</", 0, end), rest.rfind(b"<row", 0, end), rest.rfind(b"<c ", 0, end))
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
    yield rest


def _measure(part: bytes, found: Extent) -> None:
    cells = _CELL.findall(part)
    if cells:
        rows, columns = _places(cells)
        found.n_cells += len(cells)
        found.n_rows = max(found.n_rows, int(rows.max()))
        found.n_columns = max(found.n_columns, int(columns.max()))


def _look(part: bytes, found: Extent) -> None:
    if b"hidden=" in part:
        found.hidden_rows.update(map(int, _HIDDEN_ROW.findall(part)))
        for column in _COLUMN.findall(part):
            found.hidden_columns.update(_hidden(column))
    if b"</f>" in part:
        found.n_formulas += len(_NEVER_CALCULATED.findall(part))
    if b't="e"' in part or b"t='e'" in part:
        errors = _ERROR.findall(part)
        found.n_errors += len(errors)
        for cell, text in errors[: _SHOWN_ERRORS - len(found.errors)]:
            found.errors.append(f"{cell.decode()} {text.decode('utf-8', 'replace')}")


def _places(cells: list[bytes]) -> tuple[IntArray, IntArray]:
    """Rows and columns of cells such as `AB12`, from 1."""
    code = np.array(cells, "S10").view(np.uint8).reshape(len(cells), 10).astype(np.int64)
    rows, columns = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.int64)
    for letter in code.T:
        is_digit, is_letter = (letter >= 48) & (letter <= 57), letter >= 65
        rows = np.where(is_digit, rows * 10 + letter - 48, rows)
        columns = np.where(is_letter, columns * 26 + letter - 64, columns)
    return rows, columns


def _hidden(column: bytes) -> range:
    """Which columns one description hides."""
    values = dict(re.findall(rb"\b(\w+)=[\"']([^\"']*)[\"']", column))
    if values.get(b"hidden") not in {b"1", b"true"}:
        return range(0)
    try:
        return range(int(values[b"min"]), min(int(values[b"max"]), 20_000) + 1)
    except (KeyError, ValueError):
        return range(0)


def _check_room(content: Content, sheet: str, found: Extent, described: int) -> None:
    n_places = found.n_rows * found.n_columns
    if n_places > MANY_PLACES and found.n_cells < LEAST_FILLED * n_places:
        raise content.refused(
            f"sheet {sheet} reaches to row {found.n_rows:,} and column {found.n_columns:,} with {found.n_cells:,} "
            "cells; delete what stands far from the table, and save it again"
        )
    if (needed := max(PLACE * n_places, described)) > WORTH_ASKING:
        MEMORY.check(Need(needed, f"{content.name}: reading sheet {sheet}", "save it as CSV, or fewer days of it"))
