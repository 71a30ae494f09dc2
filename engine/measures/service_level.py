"""Service level, waits and queue lengths, whole, by queue and by interval: measures of outcomes.

They read plain arrays, so replayed and recorded outcomes are measured alike. Definitions of the service
level, with T the queue's goal in seconds, "within" meaning waited <= T and "over" meaning waited > T:

- ``genesys``: (answered - over) / (answered + abandoned - short), the platform's own;
- ``answered``: answered within / answered;
- ``offered``: answered within / offered, where offered = answered + abandoned + flowed_out + unserved.

Short are interactions abandoned within `short_abandon_s` seconds; 0 leaves none out, not even those that left
at once. An answered interaction whose wait was not recorded is neither within nor over; those of its queue with one
stand for it, so whatever else stands below the line counts by the share of the queue's answers that have one. Where
none has, the queue has no service level. `unknown_wait` says how many interactions have none. What is undefined
(nothing to divide by) is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from engine.data.served import STATUS, Served, Status
from engine.data.wall_time import edges, moment, zone_of
from engine.errors import InvalidScenario, InvalidTable
from engine.measures.waits import IntervalWaits, Percentiles, QueueWaits, Waits
from engine.setting import shown
from engine.spec import DEFINITIONS, INTERVALS_MIN
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int8Array, IntArray

PERCENTILES = (50, 90, 95, 99)
_INTERVAL_COLUMNS = (*STATUS, "service_level", "asa_s", "mean_wait_s")


@dataclass(frozen=True)
class Goal:
    """What a service level is a share of.

    Parameters
    ----------
    within_s : (n_queues,) array of float
        Longest wait within the goal, by queue. [s]
    definition : {"genesys", "offered", "answered"}
        Of the service level.
    short_abandon_s : float
        Interactions abandoned within so many seconds are short; 0 for none. [s]
    share : (n_queues,) array of float, optional
        Share of the interactions that is to be within it; it is shown, nothing is measured by it.

    Raises
    ------
    InvalidScenario
        If the definition is none of these or `short_abandon_s` is no number from 0 on.
    """

    within_s: FloatArray
    definition: str = "genesys"
    short_abandon_s: float = 0.0
    share: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.definition not in DEFINITIONS:
            raise InvalidScenario(f"service level {shown(self.definition)}: use one of {', '.join(DEFINITIONS)}")
        if not 0 <= self.short_abandon_s < np.inf:
            raise InvalidScenario(f"short abandons within {shown(self.short_abandon_s)} s: use a number from 0 on")


def measure(served: Served, goal: Goal, span_us: tuple[int, int] | None = None) -> Waits:
    """Measures of all interactions together.

    Parameters
    ----------
    served : Served
        Outcomes of the interactions.
    goal : Goal
        What the service level is.
    span_us : tuple of int, optional
        From when to when the mean queue length is taken; without it there is none. [us]

    Returns
    -------
    Waits
        Means over known waits only; the mean queue length is the waiting inside the span over its length. None
        where undefined.

    Notes
    -----
    Percentiles are nearest ranks: the smallest wait that at least p % do not exceed, so always one that occurred
    (method 1 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician
    50(4), 1996, doi:10.2307/2684934).

    Examples
    --------
    >>> none, status = np.zeros(4, np.int64), np.array([0, 0, 1, 2], np.int8)
    >>> seen = Served.seen(none, none, status, np.array([5.0, 30.0, 8.0, 60.0]))
    >>> found = measure(seen, Goal(np.array([20.0])))
    >>> found.answered, found.abandoned, round(found.service_level, 3), found.asa_s
    (2, 1, 0.333, 17.5)
    """
    return _measures(served, goal, span_us, np.zeros(served.n, np.int64), 1)[0]


def by_queue(
    served: Served,
    goal: Goal,
    queue_ids: Sequence[str],
    queue_names: Sequence[str | None],
    span_us: tuple[int, int] | None = None,
) -> list[QueueWaits]:
    """Measures of each queue.

    Parameters
    ----------
    served : Served
        Outcomes of the interactions.
    goal : Goal
        What the service level is.
    queue_ids, queue_names : sequence of str
        By place of the queue; a name may be None.
    span_us : tuple of int, optional
        As in `measure`. [us]

    Returns
    -------
    list of QueueWaits
        Of every queue, those without interactions too.
    """
    rows = _measures(served, goal, span_us, served.queue, len(queue_ids))
    shares = [None] * len(queue_ids) if goal.share is None else goal.share.tolist()
    goals = zip(goal.within_s.tolist(), shares, strict=True)
    return [
        QueueWaits(queue_id=queue, queue_name=name, goal_s=within_s, goal_share=share, **vars(row))
        for queue, name, (within_s, share), row in zip(queue_ids, queue_names, goals, rows, strict=True)
    ]


def by_interval(served: Served, goal: Goal, minutes: int, time_zone: str) -> list[IntervalWaits]:
    """Measures of intervals of the day, interactions counted where they arrived.

    Parameters
    ----------
    served : Served
        Outcomes of the interactions.
    goal : Goal
        What the service level is.
    minutes : {15, 30, 60}
        Length of an interval.
    time_zone : str
        IANA zone in whose wall time intervals start on the quarter, half or full hour.

    Returns
    -------
    list of IntervalWaits
        Their queue length is the waiting inside the interval, also of those who arrived before it, over its length.
        In order, from the interval of the first arrival to that of the last; those in between in which nobody
        arrived or waited are left out.

    Raises
    ------
    InvalidScenario
        If minutes or zone cannot be used.

    Notes
    -----
    A change of the zone's offset starts a new interval. So the repeated hour in autumn is two sets of intervals
    whose starts differ in their offset, and where an offset moves by less than an interval the interval cut by it
    is shorter.

    Examples
    --------
    >>> one = np.array([0]), np.array([0]), np.array([0], np.int8), np.array([90.0])
    >>> found = by_interval(Served.seen(*one), Goal(np.array([20.0])), 30, "Asia/Kolkata")
    >>> found[0].start.isoformat(), found[0].asa_s, found[0].queue_length
    ('1970-01-01T05:30:00+05:30', 90.0, 0.05)
    """
    zone = zone_of(time_zone)
    if minutes not in INTERVALS_MIN:
        raise InvalidScenario(f"intervals of {shown(minutes)} minutes: use one of {', '.join(map(str, INTERVALS_MIN))}")
    if not served.n:
        return []
    edges_us = edges(served.arrived_us, minutes * 60_000_000, zone)
    interval = np.searchsorted(edges_us, served.arrived_us, "right") - 1
    columns = by_group(served, goal, interval, edges_us.size - 1)
    waited_us = _waiting_between(served, edges_us)
    # Nights would fill a report with empty rows; who still waits through one is shown.
    kept = np.flatnonzero((columns["offered"] > 0) | (waited_us > 0))
    reported = {"offered": columns["offered"], **{name: columns[name] for name in _INTERVAL_COLUMNS}}
    reported["queue_length"] = waited_us / np.diff(edges_us)
    rows = _records({name: column[kept] for name, column in reported.items()})
    return [IntervalWaits(start=moment(at, zone), **row) for at, row in zip(edges_us[kept].tolist(), rows, strict=True)]


def by_group(served: Served, goal: Goal, group: IntArray, n_groups: int) -> dict[str, FloatArray | IntArray]:
    """Counts and means by group of interactions.

    Parameters
    ----------
    served : Served
        Outcomes of the interactions.
    goal : Goal
        What the service level is.
    group : (n,) array of int
        Group of each interaction.
    n_groups : int
        How many there are.

    Returns
    -------
    dict of str to (n_groups,) array
        offered, each status, short_abandoned and unknown_wait as counts; service_level, abandonment_share, asa_s and
        mean_wait_s, NaN where undefined.

    Raises
    ------
    InvalidTable
        If a queue has no goal.

    Examples
    --------
    >>> none, seen = np.zeros(2, np.int64), np.zeros(2, np.int8)
    >>> served = Served.seen(none, none, seen, np.array([5.0, 35.0]))
    >>> found = by_group(served, Goal(np.array([20.0])), np.array([0, 1]), 2)
    >>> found["service_level"].tolist(), found["asa_s"].tolist()
    ([1.0, 0.0], [5.0, 35.0])
    """
    if served.queue.max(initial=-1) >= goal.within_s.size:
        raise InvalidTable(f"queue {served.queue.max()} has no goal, there are {goal.within_s.size}; give one by queue")
    # Group and status as one number: one count gives all columns.
    places = group.astype(np.int64) * len(STATUS) + served.status
    by_status = np.bincount(places, minlength=n_groups * len(STATUS)).reshape(n_groups, len(STATUS))
    known = ~np.isnan(served.wait_s)
    timed = known & (served.status == Status.ANSWERED)
    short = is_short(served, goal.short_abandon_s)
    within, below = (np.bincount(group, each, n_groups) for each in level_terms(served, goal))
    offered, abandoned = by_status.sum(axis=1), by_status[:, Status.ABANDONED]
    return {
        "offered": offered,
        **dict(zip(STATUS, by_status.T, strict=True)),
        "short_abandoned": np.bincount(group[short], minlength=n_groups),
        "unknown_wait": np.bincount(group[~known], minlength=n_groups),
        "service_level": _ratio(within, below),
        "abandonment_share": _ratio(abandoned, offered),
        "asa_s": _mean(served.wait_s, group, timed, n_groups),
        "mean_wait_s": _mean(served.wait_s, group, known, n_groups),
    }


def choice_share(found: Int8Array) -> float | None:
    """Share of the offered interactions that had a choice.

    Parameters
    ----------
    found : (n,) array of int
        Eligible agents who were free when each looked for one, as a replay's `Served` has them.

    Returns
    -------
    float or None
        Those that found two or more, over all; weights decide nothing for the rest.

    Examples
    --------
    >>> choice_share(np.array([0, 1, 2, 2]))
    0.5
    """
    return float(np.count_nonzero(found >= 2)) / found.size if found.size else None


def is_short(served: Served, short_abandon_s: float) -> BoolArray:
    """Where somebody abandoned within so many seconds; 0 for nobody."""
    # At 0 nothing is short, not even those that left at once: the setting is then off.
    return (served.status == Status.ABANDONED) & (served.wait_s <= short_abandon_s) & (short_abandon_s > 0)


def level_terms(served: Served, goal: Goal) -> tuple[BoolArray, FloatArray]:
    """What stands above and below the line: answered within the goal, and for how much each counts below."""
    answered = served.status == Status.ANSWERED
    timed = answered & ~np.isnan(served.wait_s)
    if goal.definition == "answered":
        others = np.zeros(answered.size, bool)
    elif goal.definition == "offered":
        others = ~answered
    else:
        others = (served.status == Status.ABANDONED) & ~is_short(served, goal.short_abandon_s)
    check()
    n_answered, n_timed = (np.bincount(served.queue[rows], minlength=goal.within_s.size) for rows in (answered, timed))
    # Half of the answers beside all of those who gave up would look like twice as many who did.
    share = np.divide(n_timed, n_answered, out=np.ones(n_answered.size), where=n_answered > 0)
    check()
    counted = np.where(others, share[served.queue], timed)
    return timed & (served.wait_s <= goal.within_s[served.queue]), counted


def _measures(
    served: Served, goal: Goal, span_us: tuple[int, int] | None, group: IntArray, n_groups: int
) -> list[Waits]:
    """All measures by group of interactions."""
    rows = zip(_records(by_group(served, goal, group, n_groups)), _parts(served, group, n_groups), strict=True)
    return [Waits(**row, **_details(part, span_us)) for row, part in rows]


def _parts(served: Served, group: IntArray, n_groups: int) -> Iterator[Served]:
    check()
    if n_groups == 1:
        yield served
        return
    # Percentiles cannot be added up, so each group is cut out once.
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(n_groups + 1))
    for low, high in pairwise(bounds):
        yield served.rows(order[low:high])


def _details(served: Served, span_us: tuple[int, int] | None) -> dict[str, Any]:
    """What cannot be added up."""
    check()
    known = ~np.isnan(served.wait_s)
    waits = np.sort(served.wait_s[known])
    start_us, end_us = _waiting(served)
    return {
        "wait_s": _percentiles(waits),
        "answered_wait_s": _percentiles(np.sort(served.wait_s[known & (served.status == Status.ANSWERED)])),
        "max_wait_s": float(waits[-1]) if waits.size else None,
        "mean_queue_length": _mean_queue(start_us, end_us, span_us),
        "longest_queue": _longest_queue(start_us, end_us),
    }


def _waiting(served: Served) -> tuple[IntArray, IntArray]:
    """Start and end of all known waiting of more than no time. [us]"""
    some = served.wait_s > 0
    return served.arrived_us[some], served.left_us[some]


def _percentiles(waits: FloatArray) -> Percentiles:
    """Nearest ranks of sorted waits."""
    n = waits.size
    # Ceiling in whole numbers: in floats 0.95 times n may land a hair above a rank and take the next.
    return Percentiles(*(float(waits[-(-p * n // 100) - 1]) if n else None for p in PERCENTILES))


def _mean_queue(start_us: IntArray, end_us: IntArray, span_us: tuple[int, int] | None) -> float | None:
    if span_us is None or span_us[1] <= span_us[0]:
        return None
    inside_us = np.clip(end_us, *span_us) - np.clip(start_us, *span_us)
    return float(inside_us.sum(dtype=float)) / (span_us[1] - span_us[0])


def _longest_queue(start_us: IntArray, end_us: IntArray) -> int:
    """Most who waited at once; one who is served as another arrives makes room first."""
    check()
    starts = np.sort(start_us)
    # Ends at the instant of a start count as over, as in the replay itself.
    waiting = np.arange(1, starts.size + 1) - np.searchsorted(np.sort(end_us), starts, "right")
    return int(waiting.max(initial=0))


def _waiting_between(served: Served, edges_us: IntArray) -> FloatArray:
    """Waiting of all between neighbouring edges. [us]"""
    n = edges_us.size
    start_us, end_us = _waiting(served)
    first, last = (np.searchsorted(edges_us, side, "right") - 1 for side in (start_us, end_us))
    # Every interval from that of the start up to that of the end counts whole; then less the part before
    # the start, and more the part before the end. What comes behind the last edge falls to no interval.
    whole: FloatArray = (
        1.0 * (np.bincount(first, minlength=n) - np.bincount(last, minlength=n)).cumsum()[:-1] * np.diff(edges_us)
    )
    before_start, before_end = (
        np.bincount(place, side - edges_us[place], n)[:-1] for place, side in ((first, start_us), (last, end_us))
    )
    return whole - before_start + before_end


def _mean(value: FloatArray, group: IntArray, rows: BoolArray, n_groups: int) -> FloatArray:
    where = group[rows]
    return _ratio(np.bincount(where, value[rows], n_groups), np.bincount(where, minlength=n_groups))


def _ratio(part: FloatArray | IntArray, of: FloatArray | IntArray) -> FloatArray:
    """Quotients, NaN where there is nothing to divide by."""
    return np.divide(part, of, out=np.full(of.shape, np.nan), where=of > 0)


def _records(columns: dict[str, FloatArray | IntArray]) -> list[dict[str, Any]]:
    """Rows with None where a column is NaN."""
    # A number that differs from itself is NaN.
    lists = [[None if value != value else value for value in column.tolist()] for column in columns.values()]  # noqa: PLR0124
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]
