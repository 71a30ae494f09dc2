"""Excel workbooks of any cells, written without a package that readers might share their faults with."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Styles by place: general, date and time, date, time, duration, percent.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="[h]:mm:ss"/></numFmts><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="6">'
    + "".join(f'<xf numFmtId="{n}" applyNumberFormat="1"/>' for n in (0, 164, 14, 21, 165, 9))
    + "</cellXfs></styleSheet>"
)


@dataclass(frozen=True)
class Formula:
    """A cell that is calculated; `value` is what Excel kept of its last calculation."""

    text: str
    value: Any = None


@dataclass(frozen=True)
class Percent:
    """A number shown as a percentage."""

    value: float


@dataclass(frozen=True)
class Grid:
    """One sheet: rows of cells, and what Excel knows besides."""

    rows: Sequence[Sequence[Any]]
    merged: Sequence[str] = ()  # `A1:F1`
    state: str = "visible"  # `hidden`, `veryHidden`
    extra: str = field(default="", repr=False)


def write_workbook(path: Path, sheets: Mapping[str, Grid | Sequence[Sequence[Any]]], *, is_1904: bool = False) -> Path:
    """Write a workbook; None is an empty cell, times are typed cells."""
    grids = {name: sheet if isinstance(sheet, Grid) else Grid(sheet) for name, sheet in sheets.items()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in _around(grids, is_1904).items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text)
        for i, grid in enumerate(grids.values(), 1):
            book.writestr(f"xl/worksheets/sheet{i}.xml", _sheet(grid, 24107 if is_1904 else 25569))
    path.write_bytes(packed.getvalue())
    return path


def _around(grids: Mapping[str, Grid], is_1904: bool) -> dict[str, str]:
    """The parts of the package beside its sheets."""
    n = range(1, len(grids) + 1)
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    kinds = _kind("xl/workbook.xml", "sheet.main") + _kind("xl/styles.xml", "styles")
    kinds += "".join(_kind(f"xl/worksheets/sheet{i}.xml", "worksheet") for i in n)
    tabs = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i}" state="{grid.state}" r:id="rId{i}"/>'
        for i, (name, grid) in enumerate(grids.items(), 1)
    )
    links = "".join(_link(i, "worksheet", f"worksheets/sheet{i}.xml") for i in n)
    return {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="{rels}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{kinds}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}">'
        f"{_link(1, 'officeDocument', 'xl/workbook.xml')}</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
        f'<workbookPr date1904="{int(is_1904)}"/><sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{links}'
        f"{_link(len(grids) + 1, 'styles', 'styles.xml')}</Relationships>",
        "xl/styles.xml": _STYLES,
    }


def _kind(part: str, kind: str) -> str:
    return f'<Override PartName="/{part}" ContentType="{_SHEET_TYPE}.{kind}+xml"/>'


def _link(i: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{i}" Type="{_LINKS}/{kind}" Target="{target}"/>'


def _sheet(grid: Grid, epoch: int) -> str:
    rows = "".join(f'<row r="{i}">{_row(i, row, epoch)}</row>' for i, row in enumerate(grid.rows, 1))
    merged = "".join(f'<mergeCell ref="{place}"/>' for place in grid.merged)
    merged = f'<mergeCells count="{len(grid.merged)}">{merged}</mergeCells>' if merged else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{merged}{grid.extra}</worksheet>'


def _row(i: int, row: Sequence[Any], epoch: int) -> str:
    return "".join(_cell(f"{_letters(j)}{i}", value, epoch) for j, value in enumerate(row) if value is not None)


def _letters(j: int) -> str:
    return (_letters(j // 26 - 1) if j >= 26 else "") + chr(65 + j % 26)


def _cell(place: str, value: Any, epoch: int, formula: str = "") -> str:
    """A cell, with what it is calculated by."""
    if value is None:
        return f'<c r="{place}">{formula}</c>'
    if isinstance(value, Formula):
        return _cell(place, value.value, epoch, f"<f>{escape(value.text)}</f>")
    if isinstance(value, str):
        if formula:
            return f'<c r="{place}" t="str">{formula}<v>{escape(value)}</v></c>'
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    number, style = _number(value, epoch)
    return f'<c r="{place}" s="{style}">{formula}<v>{number!r}</v></c>'


def _number(value: Any, epoch: int) -> tuple[float, int]:
    """What Excel stores of a typed value, and the style that shows it."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1)) / timedelta(days=1) + epoch, 1
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days + epoch, 2
    if isinstance(value, time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86400, 3
    if isinstance(value, timedelta):
        return value / timedelta(days=1), 4
    return (value.value, 5) if isinstance(value, Percent) else (value, 0)
