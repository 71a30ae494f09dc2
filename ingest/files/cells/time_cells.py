"""Cells that are moments: RFC 3339 texts and timestamps, brought to UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from engine.data.tables import TIME
from engine.errors import UnknownName
from ingest.files.cells.cells import Cells, is_text
from ingest.files.cells.plain_cells import text

# Outside these years a time is a slip: seconds read as microseconds, a mistyped digit.
FIRST, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
SKIPPED = "local times that do not exist (start of summer time), read as if the clock had not gone forward"
# Times as spreadsheets write them, and what they lack.
_WANTED = "must be a time such as 2024-03-01T09:30:00Z"
_FORMAT = "in a spreadsheet: format yyyy-mm-dd hh:mm:ss before saving"
REMEDIES = {
    r"^\d{4}-\d{2}-\d{2}[Tt ]\d{1,2}:\d{2}([Zz]|[+-]\d{2}:\d{2})?$": f"{_WANTED}; the seconds are missing ({_FORMAT})",
    r"^\d{1,2}[./]\d{1,2}[./]\d{2,4}\b": f"{_WANTED}; begin with the year ({_FORMAT})",
    r"^\d{4}-\d{2}-\d{2}$": f"{_WANTED}; this is a day without a time",
}
# Planned times may name an hour that is left out; recorded ones cannot.
PLANNED = ("start_at", "end_at")

_CLOCK = "%Y-%m-%dT%H:%M:%S"
_CLOCK_CHARS = 19
_SHAPE = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"
_REST = r"^(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$"
_NAIVE = pl.Datetime("us")
_BOTH: tuple[Literal["earliest", "latest"], ...] = ("earliest", "latest")
# More than a clock goes forward by, less than from one change to the next.
LONG_BEFORE = timedelta(hours=4)


def check_time_zone(name: str) -> str:
    """Refuse what is not the name of an IANA time zone.

    Parameters
    ----------
    name : str
        For example `Europe/Berlin`.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    UnknownName
        If there is no such zone.
    """
    try:
        ZoneInfo(name)
        pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise UnknownName(f"time zone {name!r} is not known; use an IANA name such as Europe/Berlin") from error
    return name


def moment(cells: Cells) -> pl.Series:
    """Moments in UTC with microseconds; digits beyond those are cut off.

    Parameters
    ----------
    cells : Cells
        RFC 3339 texts, or timestamps; those without a zone need `cells.time_zone`.

    Returns
    -------
    polars.Series of datetime
        Null where refused.
    """
    raw = cells.raw
    if isinstance(raw.dtype, pl.Datetime):
        if raw.dtype.time_zone is None:
            value = _local(cells, raw.cast(_NAIVE))
        else:
            value = raw.dt.convert_time_zone("UTC").cast(TIME)
    elif is_text(raw.dtype) or raw.dtype == pl.Null:
        value = _from_text(cells, text(cells))
    else:
        return cells.refuse_type("a timestamp with time zone or a text such as 2024-03-01T09:30:00Z")
    cells.refuse((value < FIRST) | (value >= END), "must lie in the years 1970 to 2199")
    return cells.sound(value)


def _from_text(cells: Cells, found: pl.Series) -> pl.Series:
    clock = found.str.head(_CLOCK_CHARS).str.replace("[t ]", "T")
    rest = found.str.slice(_CLOCK_CHARS)
    naive = clock.str.to_datetime(_CLOCK, time_unit="us", strict=False)
    shaped = clock.str.contains(_SHAPE) & rest.str.contains(_REST)
    odd = found.is_not_null() & (naive.is_null() | ~shaped)
    for shape, remedy in REMEDIES.items():
        cells.refuse(odd & found.str.contains(shape), remedy)
    cells.refuse(odd, _WANTED)
    naive = cells.sound(naive)
    if (rest == "Z").all():
        return naive.dt.replace_time_zone("UTC")
    naive += _fraction(rest)
    offset_min = _offset_min(rest)
    local = _local(cells, naive.set(offset_min.is_not_null(), None))
    given = (naive - (offset_min * 60_000_000).cast(pl.Duration("us"))).dt.replace_time_zone("UTC")
    return given.zip_with(offset_min.is_not_null(), local)


def _fraction(rest: pl.Series) -> pl.Series:
    digits = rest.str.extract(r"^\.(\d{1,6})").str.pad_end(6, "0")
    return digits.cast(pl.Int64).fill_null(0).cast(pl.Duration("us"))


def _offset_min(rest: pl.Series) -> pl.Series:
    """Minutes east of UTC, null where the time names no zone."""
    hours = rest.str.extract(r"([+-]\d{2}):\d{2}$").cast(pl.Int64)
    minutes = rest.str.extract(r"[+-]\d{2}:(\d{2})$").cast(pl.Int64)
    sign = rest.str.contains("-", literal=True).replace_strict({True: -1, False: 1}, return_dtype=pl.Int64)
    utc = pl.select(pl.when(rest.str.contains("[Zz]$")).then(0)).to_series().cast(pl.Int64)
    return (hours * 60 + sign * minutes).zip_with(hours.is_not_null(), utc)


def _is_plain(naive: pl.Series, zone: str) -> bool:
    """Whether no clock is put forward or back near any of the times, told by their quarters of an hour."""
    quarters = naive.dt.truncate("15m").unique().drop_nulls()
    both = [quarters.dt.replace_time_zone(zone, ambiguous=which, non_existent="null") for which in _BOTH]
    return not both[0].null_count() and bool((both[0] == both[1]).all())


def _local(cells: Cells, naive: pl.Series) -> pl.Series:
    zone = cells.time_zone
    if zone is None:
        cells.refuse(naive.is_not_null(), "has no time zone; write it as in 2024-03-01T09:30:00Z, or give --time-zone")
        return cells.nothing(TIME)
    early = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if _is_plain(naive, zone):
        cells.twice = pl.repeat(False, naive.len(), dtype=pl.Boolean, eager=True)
        return early.dt.convert_time_zone("UTC")
    late = naive.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    cells.twice = (early != late).fill_null(False)
    utc, skipped = early.dt.convert_time_zone("UTC"), naive.is_not_null() & early.is_null()
    if cells.column.name in PLANNED and skipped.any():
        # With the offset of some hours before, which is that before the clock went forward.
        before = (naive - LONG_BEFORE).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        utc = utc.zip_with(~skipped, before.dt.convert_time_zone("UTC") + LONG_BEFORE)
        skipped &= utc.is_null()
        cells.findings.repaired(SKIPPED, int((naive.is_not_null() & early.is_null() & ~skipped).sum()))
    cells.refuse(
        skipped,
        f"does not exist in {zone}, where the clock goes forward then; give --time-zone as the zone of the clock that "
        "wrote it, or write the offset, as in 2024-03-31T02:30:00+01:00",
    )
    return utc
