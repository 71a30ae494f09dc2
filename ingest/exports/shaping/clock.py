"""Times by the clock on the wall, and times in UTC, brought to one of both where they meet."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.data.tables import TIME
from ingest.files.cells.time_cells import LONG_BEFORE

WALL = pl.Datetime("us")
# Longer ones are refused by their column, and would not fit into a time. [s]
LONGEST_S = 1e9


def in_utc(times: pl.Series, time_zone: str) -> pl.Series:
    """Times of a plan in UTC; what a clock shows twice is the earlier, what it leaves out goes on from before."""
    if times.dtype == TIME:
        return times
    times = times.cast(WALL)
    local = times.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    before = (times - LONG_BEFORE).dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    shifted = before.dt.convert_time_zone("UTC") + LONG_BEFORE
    utc = local.dt.convert_time_zone("UTC")
    return utc.zip_with(utc.is_not_null(), shifted)


def aligned(times: Sequence[pl.Series], time_zone: str | None) -> list[pl.Series]:
    """Times as they are where all go by one clock, else in UTC."""
    if len({str(each.dtype) for each in times}) < 2:
        return list(times)
    return [in_utc(each, time_zone or "UTC") for each in times]


def lengths(seconds: pl.Expr) -> pl.Expr:
    """Seconds as durations, those that cannot be as none."""
    sound = seconds.is_finite() & (seconds.abs() <= LONGEST_S)
    return pl.when(sound).then((seconds * 1e6).round()).cast(pl.Duration("us"))
