"""Wall time: local days and intervals of instants that are counted in microseconds since 1970, UTC."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl

from engine.data.day_texts import way_out
from engine.errors import InvalidScenario
from engine.setting import plain, shown
from engine.typing import IntArray

DAY_US = 86_400_000_000
# Part of a sentence of an import that reports repeat.
NOT_TOLD_APART = "that the clock showed twice"
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2199, 12, 30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = date(1970, 1, 1)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(name: str, value: object) -> date | None:
    """A day from a date or a text, None from None.

    Parameters
    ----------
    name : str
        What is to be a day, for a refusal.
    value : object
        A date, or YYYY-MM-DD.

    Returns
    -------
    date or None

    Raises
    ------
    InvalidScenario
        If it is no day, or one outside 1970 to 2199.

    Examples
    --------
    >>> day_of("from", "2026-01-05")
    datetime.date(2026, 1, 5)
    """
    value = plain(value)
    if value is None:
        return None
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidScenario(f"{name} is {shown(value)}; {way_out(value)}")
    if not FIRST_DAY <= value <= LAST_DAY:
        raise InvalidScenario(f"{name} is {value}; use a day from {FIRST_DAY} to {LAST_DAY}")
    return value


def read_as_earlier(table: str, n: int, where: str, why: str, minutes: int) -> str:
    """The sentence of an import about times when the clock went back, which reports find by `NOT_TOLD_APART`.

    Parameters
    ----------
    table : str
        Whose times.
    n : int
        How many of them nothing tells apart.
    where : str
        Days and zone.
    why : str
        Why not.
    minutes : int
        How far apart the two instants are.

    Returns
    -------
    str
        For the assumptions of the data set.

    Examples
    --------
    >>> read_as_earlier("busy", 1, "2025-10-26, Europe/Berlin", "nothing tells which is meant", 60)
    'busy: 1 local time that the clock showed twice (2025-10-26, Europe/Berlin) is read as the earlier, since nothing \
tells which is meant: it may lie 60 minutes too early'
    """
    what, verb, they = ("local time", "is", "it") if n == 1 else ("local times", "are", "they")
    return (
        f"{table}: {n:,} {what} {NOT_TOLD_APART} ({where}) {verb} read as the earlier, since {why}: {they} may lie "
        f"{minutes} minutes too early"
    )


def span_of_days(first: date, last: date, time_zone: str) -> tuple[int, int]:
    """Start and end of some whole days of the local calendar.

    Parameters
    ----------
    first, last : date
        Both included.
    time_zone : str
        IANA zone.

    Returns
    -------
    start_us, end_us : int
        The end is excluded. [us since 1970, UTC]

    Raises
    ------
    InvalidScenario
        If the last day lies before the first, or one outside 1970 to 2199.

    Examples
    --------
    >>> span_of_days(date(1970, 1, 2), date(1970, 1, 2), "UTC") == (DAY_US, 2 * DAY_US)
    True
    """
    if not first >= FIRST_DAY or not last <= LAST_DAY:
        raise InvalidScenario(f"days {first} to {last}: use days from {FIRST_DAY} to {LAST_DAY}")
    if last < first:
        raise InvalidScenario(f"the last day {last} lies before the first day {first}; swap them")
    edges = np.array([(first - _FIRST).days, (last - _FIRST).days + 1])
    start_us, end_us = midnights(edges, time_zone).tolist()
    return start_us, end_us


def midnights(days: IntArray, time_zone: str) -> IntArray:
    """Where days of the local calendar begin.

    Parameters
    ----------
    days : (n,) array of int
        Days since 1970.
    time_zone : str
        IANA zone.

    Returns
    -------
    (n,) array of int64
        The first instant of each. [us since 1970, UTC]

    Examples
    --------
    >>> midnights(np.array([1]), "Asia/Jerusalem").tolist()
    [79200000000]
    """
    zone = ZoneInfo(time_zone)
    # One by one: days of the local calendar have 23 or 25 hours twice a year. A midnight that the clock skips is the
    # instant at which it does, one that comes twice is the first.
    dates = [_FIRST + timedelta(days=day) for day in days.tolist()]
    starts = [datetime(day.year, day.month, day.day, tzinfo=zone) for day in dates]
    return np.array([(start - _EPOCH) // timedelta(microseconds=1) for start in starts], np.int64)


def _local(at_us: IntArray, time_zone: str) -> pl.Series:
    """Instants by the clock of a time zone."""
    return pl.Series(at_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(time_zone)


def local_days(at_us: IntArray, time_zone: str) -> IntArray:
    """Days since 1970 in a time zone.

    Parameters
    ----------
    at_us : (n,) array of int64
        Instants. [us since 1970, UTC]
    time_zone : str
        IANA zone.

    Returns
    -------
    (n,) array of int64
        Of the local calendar.

    Examples
    --------
    >>> local_days(np.array([79_200_000_000]), "Asia/Jerusalem").tolist()
    [1]
    """
    return _local(at_us, time_zone).dt.date().cast(pl.Int32).cast(pl.Int64).to_numpy()


def local_minutes(at_us: IntArray, time_zone: str) -> IntArray:
    """Minutes since the last midnight that the clock of a time zone shows.

    Parameters
    ----------
    at_us : (n,) array of int64
        Instants. [us since 1970, UTC]
    time_zone : str
        IANA zone.

    Returns
    -------
    (n,) array of int64
        0 to 1439. [min]

    Examples
    --------
    >>> local_minutes(np.array([0, 90_000_000]), "Asia/Kolkata").tolist()
    [330, 331]
    """
    local = _local(at_us, time_zone)
    return (60 * local.dt.hour().cast(pl.Int64) + local.dt.minute().cast(pl.Int64)).to_numpy()


def edges(arrived_us: IntArray, step_us: int, zone: ZoneInfo) -> IntArray:
    """Starts of all intervals from that of the first arrival to that of the last, and the end of the last.

    Parameters
    ----------
    arrived_us : (n,) array of int64
        Arrivals, at least one. [us since 1970, UTC]
    step_us : int
        Length of an interval, a part of an hour. [us]
    zone : ZoneInfo
        In whose wall time intervals start; a change of its offset starts a new one.

    Returns
    -------
    (n_intervals + 1,) array of int64
        In order. [us since 1970, UTC]
    """
    first_us, last_us = int(arrived_us.min()), int(arrived_us.max())
    since_us, offset_us = _offsets(zone, first_us - DAY_US, last_us + DAY_US)
    pieces: list[IntArray] = []
    for low, high, offset in zip(since_us, [*since_us[1:], last_us + DAY_US], offset_us, strict=True):
        # The first full step of local time after a change of offset; the piece before it is an interval of its own.
        next_us = low + -(low + offset) % step_us
        pieces += [np.array([low], np.int64), np.arange(next_us, high, step_us)]
    edges_us = np.unique(np.concatenate(pieces))
    return edges_us[np.searchsorted(edges_us, first_us, "right") - 1 : np.searchsorted(edges_us, last_us, "right") + 1]


def _offsets(zone: ZoneInfo, from_us: int, to_us: int) -> tuple[list[int], list[int]]:
    """Spells of one offset from UTC: their starts, the first being `from_us`, and the offsets. [us]

    Looks once a day: since 1970 no zone changed its offset twice within 165 hours (tz database of 2025).
    """
    since_us, offset_us = [from_us], [_offset_us(from_us, zone)]
    for day_us in range(from_us, to_us + DAY_US, DAY_US):
        if _offset_us(day_us, zone) != offset_us[-1]:
            low, high = day_us - DAY_US, day_us
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset_us(middle, zone) == offset_us[-1] else (low, middle)
            since_us.append(high)
            offset_us.append(_offset_us(high, zone))
    return since_us, offset_us


def _offset_us(at_us: int, zone: ZoneInfo) -> int:
    offset = moment(at_us, zone).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def moment(at_us: int, zone: ZoneInfo) -> datetime:
    """An instant with the offset that a zone has then."""
    at = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
    # Of one zone, Python compares wall clocks; with offsets the two hours of autumn are two.
    return at.replace(tzinfo=timezone(at.utcoffset() or timedelta(0)), fold=0)


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name.

    Parameters
    ----------
    name : str
        IANA name.

    Returns
    -------
    ZoneInfo
        The zone.

    Raises
    ------
    InvalidScenario
        If there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidScenario(f"time zone {name!r} is unknown; use an IANA name such as Europe/Berlin") from error
