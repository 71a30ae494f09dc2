"""Times and numbers as spreadsheets of any country write them, where the whole column says what they are."""

from __future__ import annotations

import polars as pl

from engine.data.tables import TIME
from ingest.values.durations import read_durations
from ingest.values.numbers import read_numbers
from ingest.values.times import read_times


def settled(cells: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Cells as values of a column of this type; what they do not settle stays, for the checks of the table to name."""
    if dtype == TIME and cells.dtype in (pl.String, pl.Date):
        times = read_times(cells, "dmy" if cells.dtype == pl.String and _has_dots(cells) else None)
        is_day = cells.dtype == pl.String and times.without_clock is not None and times.without_clock.any()
        return cells if is_day or times.is_open or times.refused.any() else times.values.alias(cells.name)
    if not dtype.is_numeric():
        return _as_text(cells)
    if cells.dtype == pl.String:
        numbers = read_numbers(cells)
        if not (numbers.is_open or numbers.is_percent or numbers.refused.any()):
            return numbers.values.alias(cells.name)
    if cells.dtype in (pl.Duration, pl.Time) or (cells.dtype == pl.String and cells.name.endswith("_s")):
        durations = read_durations(cells)
        if not (durations.is_open or durations.refused.any()):
            return durations.values.alias(cells.name)
    return cells


def _has_dots(cells: pl.Series) -> bool:
    """Whether all dates have dots: no country writes the month first then."""
    return bool(cells.str.contains(r"^\d{1,2}\.\d{1,2}\.\d{2}").all())


def _as_text(cells: pl.Series) -> pl.Series:
    """Days and clock times that stand where names are wanted."""
    return cells.cast(pl.String) if cells.dtype in (pl.Date, pl.Time) else cells
