"""Small sheets in memory, as their readers give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ingest.exports.inspection.found import ColumnFound, Found, SheetFound
from ingest.exports.profile.profile import Part
from ingest.sheets.sheet import Sheet


def sheet(name: str, columns: dict[str, Sequence[Any]]) -> Sheet:
    """A sheet of these columns; its rows count from 2, as under a header."""
    frame = pl.DataFrame(columns, strict=False)
    return Sheet(name, (Path(name.partition("#")[0]),), frame, np.arange(2, frame.height + 2), "CSV with commas")


def rows(name: str, header: str, *lines: str) -> Sheet:
    """A sheet of texts, columns divided by bars; nothing between two bars is an empty cell."""
    names = header.split("|")
    cells = [[cell or None for cell in line.split("|")] for line in lines]
    return sheet(name, {column: [line[n] for line in cells] for n, column in enumerate(names)})


def part(found: Found, table: str) -> Part:
    """The one part of a table."""
    (only,) = [each for each in found.profile.parts if each.table == table]
    return only


def column(found: Found, sheet_name: str, name: str) -> ColumnFound:
    """What a column was taken for."""
    (of_sheet,) = [each for each in found.sheets if each.sheet.name == sheet_name]
    (only,) = [each for each in of_sheet.columns if each.name == name]
    return only


def taken_for(found: Found, name: str) -> SheetFound:
    """What a sheet was taken for."""
    (only,) = [each for each in found.sheets if each.sheet.name == name]
    return only


def keys(found: Found) -> list[str]:
    """What is asked."""
    return [question.key for question in found.questions]
