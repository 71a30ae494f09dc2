"""Cells that hold one text, number or truth value, whatever type the file gave them."""

from __future__ import annotations

import polars as pl

from engine.data.tables import Column
from ingest.files.cells.cells import TRIMMED, Cells, is_text

LONGEST_TEXT_BYTES = 1_000
LONGEST_LIST_BYTES = 100_000
# Columns that hold JSON as the platform gives it.
DOCUMENTS = ("rings", "routing_rules", "conditional_groups")
LONGEST_DOCUMENT_BYTES = 1_000_000

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def text(cells: Cells) -> pl.Series:
    """Texts (of categories and whole numbers too) without blanks around, null where empty; trimming is a repair."""
    raw = cells.raw
    if raw.dtype == pl.Null:
        return cells.nothing(pl.String())
    if not (is_text(raw.dtype) or raw.dtype.is_integer()):
        cells.refuse_type("text")
        return cells.nothing(pl.String())
    try:
        found = raw.cast(pl.String)
    except pl.exceptions.PolarsError:
        cells.refuse_type("UTF-8 text")
        return cells.nothing(pl.String())
    plain = found if cells.is_plain else found.str.strip_chars()
    n_bytes = plain.str.len_bytes()
    if not cells.is_plain:
        cells.findings.repaired(TRIMMED, int((n_bytes != found.str.len_bytes()).sum()))
    longest = longest_bytes(cells.column)
    cells.refuse(n_bytes > longest, f"must not be longer than {longest} bytes")
    cells.refuse(plain.str.contains("\0", literal=True), "must not hold a NUL character")
    if (n_bytes == 0).any():
        plain = plain.set((n_bytes == 0).fill_null(False), None)
    return cells.sound(plain)


def word(cells: Cells) -> pl.Series:
    """Texts in the spelling of the table where it allows a few only; case does not count.

    Other words stay as they are, for the check of the table to name.
    """
    found = text(cells)
    if cells.column.name == "language":
        for separator in ";" + cells.separators:
            cells.refuse(found.str.contains(separator, literal=True), "must name one language only")
    if not cells.column.one_of:
        return cells.sound(found)
    spelling = {name.lower(): name for name in cells.column.one_of}
    distinct = found.drop_nulls().unique()
    if distinct.is_in(list(cells.column.one_of)).all():
        return found
    known = distinct.str.to_lowercase().replace_strict(spelling, default=None, return_dtype=pl.String)
    return found.replace(distinct, known.fill_null(distinct))


def number(cells: Cells) -> pl.Series:
    """Numbers; durations become seconds, NaN and infinity are left for the check of the table."""
    raw = cells.raw
    if raw.dtype.is_numeric():
        return raw.cast(pl.Float64)
    if raw.dtype == pl.Duration:
        return raw.dt.total_microseconds() / 1e6
    if not (is_text(raw.dtype) or raw.dtype == pl.Null):
        cells.refuse_type("a number")
        return cells.nothing(pl.Float64())
    found = text(cells)
    value = found.cast(pl.Float64, strict=False)
    if value.null_count() > found.null_count():
        cells.refuse(found.str.contains(r"^[+-]?\d+,\d+$"), "write decimals with a point, as in 12.5")
        if cells.column.name.endswith("_s"):
            cells.refuse(found.str.contains(r"^\d+:\d{2}(:\d{2})?$"), "must be in seconds: 0:03:20 is 200, 5:00 is 300")
        cells.refuse(value.is_null() & found.is_not_null(), "must be a number, as in 12.5")
    return cells.sound(value)


def whole_number(cells: Cells) -> pl.Series:
    """Whole numbers as wide as their column, also where they are written as 3.0."""
    value, kind = number(cells), cells.column.dtype
    # Read as floats, which keep whole numbers exactly up to 2**53.
    odd = ~value.is_finite() | (value != value.round()) | (value.abs() >= (2**31 if kind == pl.Int32 else 2**53))
    cells.refuse(odd, "must be a whole number, as in 3")
    return cells.sound(value).cast(kind, strict=False)


def truth(cells: Cells) -> pl.Series:
    """Truth values: true, yes, 1, false, no, 0."""
    if cells.raw.dtype == pl.Boolean:
        return cells.raw
    found = text(cells)
    value = found.str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Boolean)
    cells.refuse(value.is_null() & found.is_not_null(), "must be true or false")
    return value


def longest_bytes(column: Column) -> int:
    """How long a text of this column may be."""
    if column.name in DOCUMENTS:
        return LONGEST_DOCUMENT_BYTES
    return LONGEST_LIST_BYTES if column.dtype.is_nested() else LONGEST_TEXT_BYTES
