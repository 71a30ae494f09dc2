"""How far a sheet of an Excel workbook reaches, and what of it is hidden or an error; told before it is read.

Whoever reads a sheet keeps a place for every cell from the first to the last: two cells far apart would take gigabytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.etree import ElementTree

import numpy as np

from engine.memory import Need
from engine.stopping import check
from engine.typing import IntArray
from ingest.sheets.content import DAMAGED, Content
from ingest.sheets.kinds import archive
from ingest.workers import MEMORY

# What a place takes for a cell that is not there. [byte]
PLACE = 40
WORTH_ASKING = 256 << 20
# The description of a sheet takes so many times its size as cells.
TIMES = 6
# A sheet of so many places of which so small a share is filled is refused.
MANY_PLACES, LEAST_FILLED = 10_000_000, 0.02
# What describes a workbook. [byte]
MOST_DESCRIBED = 16 << 20
_PIECE = 4 << 20
_SHOWN_ERRORS = 3

_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,3}\d{1,7})[\"'][^>/]*>")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br\s*=\s*[\"'](\d{1,7})[\"']")
# Most tables have at most 26 columns and 999,999 rows, and no cell is looked at then.
_FAR = re.compile(rb"\sr\s*=\s*[\"'](?:[A-Za-z]{2,}\d|[A-Za-z]?\d{7})")
# Beyond the last column, XFD, and the last row, 1048576.
_BEYOND = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{4,}\d*|[A-Za-z]*\d{8,})")
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
            _scan(content, opened, member, sheet, found)
        except DAMAGED as error:
            raise content.refused(
                f"sheet {sheet} is damaged or cut short ({str(error)[:100]}); save or copy the workbook again"
            ) from error
        check_room(content, sheet, found, opened.getinfo(member).file_size)
    return found


def _scan(content: Content, opened: zipfile.ZipFile, member: str, sheet: str, found: Extent) -> None:
    is_far = False
    with opened.open(member) as stream:
        for part in _parts(stream):
            if beyond := _BEYOND.search(part):
                raise content.refused(
                    f"sheet {sheet} has a cell {beyond[1][:20].decode()}, beyond the last of any workbook; it is "
                    "damaged: save or copy it again"
                )
            is_far = is_far or _FAR.search(part) is not None
            _look(part, found)
    if is_far:
        with opened.open(member) as stream:
            for part in _parts(stream):
                _measure(part, found)


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
    except (ElementTree.ParseError, *DAMAGED) as error:
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
    found.n_rows = max([found.n_rows, *map(int, _ROW_NUMBER.findall(part))])
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
        columns = np.where(is_letter, columns * 26 + (letter & 31), columns)
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


def check_room(content: Content, sheet: str, found: Extent, n_bytes: int) -> None:
    """Refuse a sheet of few cells far apart, or one that does not fit into memory."""
    n_places = found.n_rows * found.n_columns
    if n_places > MANY_PLACES and found.n_cells < LEAST_FILLED * n_places:
        raise content.refused(
            f"sheet {sheet} reaches to row {found.n_rows:,} and column {found.n_columns:,} with {found.n_cells:,} "
            "cells; delete what stands far from the table, and save it again"
        )
    if (needed := max(PLACE * n_places, TIMES * n_bytes)) > WORTH_ASKING:
        MEMORY.check(Need(needed, f"{content.name}: reading sheet {sheet}", "save it as CSV, or fewer days of it"))
