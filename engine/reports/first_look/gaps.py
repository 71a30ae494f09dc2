"""Days and hours in which hardly anything is recorded although such days and hours are busy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from engine.reports.first_look.recorded import A_DAY, Seen, clock
from engine.reports.first_look.result import Finding
from engine.stopping import check
from engine.typing import FloatArray, IntArray

# A day with less than this share of what such weekdays have is as good as missing, where they have so many at all.
HARDLY, ENOUGH_A_DAY = 0.1, 30
# So many expected in a row of empty half hours, and none came: by chance once in three million.
ENOUGH_IN_A_GAP = 15.0
MOST_SHOWN = 3
_FIRST = date(1970, 1, 1)


def gaps(seen: Seen) -> Iterator[Finding]:
    """Days without, then hours without, by what the same weekday has otherwise."""
    days = seen.calendar.days
    first, last = int(days[0]), int(days[-1])
    counts = np.zeros((last - first + 1, A_DAY))
    np.add.at(counts, (days[seen.day] - first, seen.half_hour), 1.0)
    check()
    hollow, found = set(), []
    for place in range(counts.shape[0]):
        usual = _usual(counts.sum(axis=1), place)
        offered = int(counts[place].sum())
        if usual is not None and usual >= ENOUGH_A_DAY and offered < HARDLY * usual:
            hollow.add(place)
            found.append(f"{_day(first + place)} ({offered or 'none'}, usually about {usual:.0f})")
    if found:
        yield Finding(
            "days", len(found),
            f"hardly any interactions on {_listed(found)}; a holiday, or missing from the files?",
        )  # fmt: skip
    yield from _hours(counts, first, hollow)


def _usual(offered: FloatArray, place: int) -> float | None:
    """What the other days of the same weekday have, the middle of them; None where there is none."""
    others = np.delete(offered[place % 7 :: 7], place // 7)
    return float(np.median(others)) if others.size else None


def _hours(counts: FloatArray, first: int, hollow: set[int]) -> Iterator[Finding]:
    """Empty half hours within a day that the same weekday fills."""
    kept = np.array([place not in hollow for place in range(counts.shape[0])])
    found = []
    for place in np.flatnonzero(kept & (counts.sum(axis=1) > 0)).tolist():
        others = kept & (np.arange(counts.shape[0]) % 7 == place % 7)
        others[place] = False
        usual = counts[others].sum(axis=0)
        if not usual.sum():
            continue
        # In the measure of the day itself, so that a quiet day is no gap.
        expected = usual * counts[place].sum() / usual.sum()
        for start, end in _empty(counts[place]):
            n = float(expected[start:end].sum())
            if n >= ENOUGH_IN_A_GAP:
                found.append(f"{_day(first + place)} {clock(start)} to {clock(end)} (about {n:.0f} expected)")
    if found:
        yield Finding("hours", len(found), f"nothing arrived on {_listed(found)}; missing from the files, or closed?")


def _empty(row: FloatArray) -> Iterator[tuple[int, int]]:
    """Runs of half hours without anything, from start to end."""
    edges: IntArray = np.flatnonzero(np.diff(np.r_[False, row == 0, False].astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _day(day: int) -> str:
    return f"{_FIRST + timedelta(days=day):%a %Y-%m-%d}"


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - MOST_SHOWN:,} more" if len(found) > MOST_SHOWN else ""
    return ", ".join(found[:MOST_SHOWN]) + more
