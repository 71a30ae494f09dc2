"""Rows of a text with another number of values than most: delimiters at their end too many or too few, or wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest.sheets.blocks import Block
from ingest.sheets.text.dialect import Dialect, csv_reader
from ingest.sheets.text.rows import Crooked


class Uneven(NamedTuple):
    """A row as it stands there."""

    n_values: int
    line: int
    text: str


def uneven(crooked: Sequence[Crooked], dialect: Dialect) -> list[Uneven]:
    """Rows with anything in them; spreadsheets write delimiters alone where rows were deleted."""
    between = dialect.delimiter + '" \t'
    return [
        Uneven(int(n), int(line), text)
        for piece in crooked
        for place, (n, line) in enumerate(zip(piece.n_values, piece.lines, strict=True))
        if (text := piece.texts(place)).strip(between)
    ]


def evened(rows: Sequence[Uneven], dialect: Dialect, n_named: int, width: int) -> tuple[list[Block], list[Uneven]]:
    """Rows that only lack or add blanks behind the last column with a name, put right; and all others."""
    cells, lines, others = [], [], []
    for row in rows:
        found = _cells(row.text, dialect) if row.n_values >= n_named else []
        if not found or any(cell.strip() for cell in found[width:]):
            others.append(row)
            continue
        cells.append([cell or None for cell in [*found, *[""] * width][:width]])
        lines.append(row.line)
    if not cells:
        return [], others
    schema = {str(place): pl.String for place in range(width)}
    return [Block(pl.DataFrame(cells, schema, orient="row"), np.array(lines), 1.0)], others


def _cells(text: str, dialect: Dialect) -> list[str]:
    try:
        found: list[str] = next(csv_reader(io.StringIO(text, newline=""), dialect), [])
    except csv.Error:
        return []
    return found
