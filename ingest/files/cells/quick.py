"""The quick way for columns of text that nothing is wrong with; of all others the exact way says what it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from engine.data.tables import TEXTS, TIME
from ingest.files.cells.cells import Cells
from ingest.files.cells.plain_cells import longest_bytes
from ingest.files.cells.time_cells import END, FIRST
from ingest.files.problems import Findings

# Fewer rows are read as fast either way.
_LEAST_ROWS = 50_000
# Where a sample holds few distinct cells, each is read once for all rows that have it.
_SAMPLE, _FEW, _MOST = 2_000, 500, 50_000
# Lengths of `2024-03-01T09:30:00Z`, and with an offset.
_MOMENTS = (20, 25)

Reader = Callable[[Cells], pl.Series]


def quick(cells: Cells, read: Reader) -> pl.Series | None:
    """What `read` would give, or None where it would find or repair anything, or may be as quick itself."""
    raw, dtype = cells.raw, cells.column.dtype
    if cells.is_plain and raw.dtype == TEXTS == dtype:
        return _apart(cells, raw, read)
    if raw.dtype != pl.String or raw.len() < _LEAST_ROWS:
        return None
    if dtype == pl.Float64():
        return _numbers(raw)
    if dtype == TIME:
        return _moments(raw)
    if cells.is_plain and dtype == pl.String():
        return _plain(cells)
    sample = raw.gather_every(max(1, raw.len() // _SAMPLE))
    if sample.n_unique() <= _FEW:
        return _by_distinct(cells, read)
    return _texts(cells) if dtype == pl.String() and not cells.column.one_of else None


def _plain(cells: Cells) -> pl.Series | None:
    """Texts that were trimmed already, where they are none that the table does not allow."""
    longest = cells.raw.str.len_bytes().max()
    if isinstance(longest, int) and longest > longest_bytes(cells.column):
        return None
    if cells.column.one_of and not cells.raw.is_in(list(cells.column.one_of)).all():
        return None
    # A language is one only, and texts of frames from elsewhere may hold anything.
    if cells.column.name == "language" and cells.raw.str.contains_any([";", *cells.separators]).any():
        return None
    return None if cells.raw.str.contains("\0", literal=True).any() else cells.raw


def _numbers(raw: pl.Series) -> pl.Series | None:
    value = raw.cast(pl.Float64, strict=False)
    return value if value.null_count() == raw.null_count() else None


def _moments(raw: pl.Series) -> pl.Series | None:
    n_bytes = raw.str.len_bytes()
    if n_bytes.min() not in _MOMENTS or n_bytes.max() != n_bytes.min():
        return None
    try:
        # Stricter than polars: no blank, no missing zero.
        found = pc.cast(raw.to_arrow(compat_level=pl.CompatLevel.oldest()), pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return None
    value = pl.Series(raw.name, found)
    low, high = value.min(), value.max()
    return value if isinstance(low, datetime) and isinstance(high, datetime) and low >= FIRST and high < END else None


def _apart(cells: Cells, raw: pl.Series, read: Reader) -> pl.Series | None:
    """Values of some cells, None where any is refused or repaired."""
    findings, lines = Findings(cells.findings.source), np.arange(raw.len())
    apart = Cells(cells.column, raw, lines, findings, cells.time_zone, cells.separators, cells.is_plain)
    values = read(apart)
    return None if findings or findings.repairs or apart.refused.any() else values


def _by_distinct(cells: Cells, read: Reader) -> pl.Series | None:
    raw = cells.raw
    distinct = raw.unique()
    values = None if distinct.len() > _MOST else _apart(cells, distinct, read)
    if values is None:
        return None
    if values.dtype == pl.String and values.eq_missing(distinct).all():
        return raw
    number = pl.int_range(distinct.len(), dtype=pl.UInt32, eager=True)
    return values.gather(raw.replace_strict(distinct, number, return_dtype=pl.UInt32))


def _texts(cells: Cells) -> pl.Series | None:
    """Texts that are as they should be."""
    n_bytes = cells.raw.str.len_bytes()
    longest = n_bytes.max()
    if not isinstance(longest, int) or longest > longest_bytes(cells.column) or n_bytes.min() == 0:
        return None
    if not cells.is_plain and n_bytes.sum() != cells.raw.str.strip_chars().str.len_bytes().sum():
        return None
    return None if cells.raw.str.contains("\0", literal=True).any() else cells.raw
