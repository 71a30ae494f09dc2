"""Service level, waits and queue lengths, whole, by queue and by interval: measures of what came of interactions.

They read plain arrays, so replayed and recorded outcomes are measured alike. Definitions of the service
level, with T the queue's goal in seconds, "within" meaning waited <= T and "over" meaning waited > T:

- ``genesys``: (answered - over) / (answered + abandoned - short), the platform's own;
- ``answered``: answered within / answered;
- ``offered``: answered within / offered, where offered = answered + abandoned + flowed_out + unserved.

Short are interactions abandoned within `short_abandon_s` seconds; 0 leaves none out, not even those that left
at once. An answered interaction whose wait was not recorded is neither within nor over: only ``offered`` counts it,
below the line, and `unknown_wait` says how many interactions have none. What is undefined (nothing to divide by)
is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.data.wall_time import edges, moment, zone_of
from engine.errors import InvalidScenario, InvalidTable
from engine.measures.waits import IntervalWaits, Percentiles, QueueWaits, Waits
from engine.replay.loop import STATUS, Served
from engine.spec import DEFINITIONS, INTERVALS_MIN
from engine.typing import BoolArray, FloatArray, Int8Array, IntArray, Record

PERCENTILES = (50, 90, 95, 99)
ANSWERED, ABANDONED = STATUS.index("answered"), STATUS.index("abandoned")
_INTERVAL_COLUMNS = (*STATUS, "service_level", "asa_s", "mean_wait_s")


@dataclass(frozen=True)
class Visits:
    """What came of interactions, replayed or recorded, in any order.

    Parameters
    ----------
    arrived_us : (n,) array of int64
        Arrival. [us since 1970, UTC]
    queue : (n,) array of int
        Place of the queue.
    status : (n,) array of int8
        Place in `engine.replay.loop.STATUS`.
    wait_s : (n,) array of float
        Waiting, NaN where not recorded; for those unserved as long as they were seen to wait. [s]

    Raises
    ------
    InvalidTable
        If lengths differ, or a queue, status or wait cannot be.
    """

    arrived_us: IntArray
    queue: IntArray
    status: Int8Array
    wait_s: FloatArray

    def __post_init__(self) -> None:
        if len({side.shape for side in (self.arrived_us, self.queue, self.status, self.wait_s)}) > 1:
            raise InvalidTable("visits: arrivals, queues, statuses and waits must be as many; take them from one run")
        if not self.arrived_us.size:
            return
        if self.queue.min() < 0 or self.status.min() < 0 or self.status.max() >= len(STATUS):
            raise InvalidTable(f"visits: queues are places from 0 on, statuses places in {', '.join(STATUS)}")
        if (self.wait_s < 0).any() or np.isinf(self.wait_s).any():
            raise InvalidTable("visits: waits are finite seconds from 0 on, NaN where not recorded")

    @classmethod
    def of(cls, arrived_us: IntArray, queue: IntArray, served: Served) -> Visits:
        """Visits of a replay.

        Parameters
        ----------
        arrived_us : (n,) array of int64
            Arrivals. [us]
        queue : (n,) array of int
            Places of queues.
        served : Served
            What came of them.
        """
        return cls(arrived_us, queue, served.status, (served.left_us - arrived_us) / 1e6)

    def waiting(self) -> tuple[IntArray, IntArray]:
        """Start and end of all known waiting of more than no time. [us]"""
        some = self.wait_s > 0
        start_us = self.arrived_us[some]
        return start_us, start_us + np.rint(1e6 * self.wait_s[some]).astype(np.int64)


def measure(
    visits: Visits,
    goal_s: FloatArray,
    definition: str = "genesys",
    short_abandon_s: float = 0.0,
    span_us: tuple[int, int] | None = None,
) -> Waits:
    """Measures of all visits together.

    Parameters
    ----------
    visits : Visits
        What came of the interactions.
    goal_s : (n_queues,) array of float
        Longest wait within the goal, by queue. [s]
    definition : {"genesys", "offered", "answered"}
        Of the service level.
    short_abandon_s : float
        Interactions abandoned within so many seconds are short; 0 for none. [s]
    span_us : tuple of int, optional
        From when to when the mean queue length is taken; without it there is none. [us]

    Returns
    -------
    Waits
        Means over known waits only; the mean queue length is the waiting inside the span over its length. None
        where undefined.

    Raises
    ------
    InvalidScenario
        If the definition is none of these or `short_abandon_s` is no number from 0 on.

    Notes
    -----
    Percentiles are nearest ranks: the smallest wait that at least p % do not exceed, so always one that occurred
    (method 1 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician
    50(4), 1996, doi:10.2307/2684934).

    Examples
    --------
    >>> none, status = np.zeros(4, np.int64), np.array([0, 0, 1, 2], np.int8)
    >>> found = measure(Visits(none, none, status, np.array([5.0, 30.0, 8.0, 60.0])), np.array([20.0]))
    >>> found.answered, found.abandoned, round(found.service_level, 3), found.asa_s
    (2, 1, 0.333, 17.5)
    """
    group = np.zeros(visits.arrived_us.size, np.int64)
    return Waits(**_measures(visits, goal_s, definition, short_abandon_s, span_us, group, 1)[0])


def by_queue(
    visits: Visits,
    goal_s: FloatArray,
    queue_ids: Sequence[str],
    queue_names: Sequence[str | None],
    definition: str = "genesys",
    short_abandon_s: float = 0.0,
    span_us: tuple[int, int] | None = None,
) -> list[QueueWaits]:
    """Measures of each queue.

    Parameters
    ----------
    visits : Visits
        What came of the interactions.
    goal_s : (n_queues,) array of float
        Longest wait within the goal, by queue. [s]
    queue_ids, queue_names : sequence of str
        By place of the queue; a name may be None.
    definition : {"genesys", "offered", "answered"}
        Of the service level.
    short_abandon_s : float
        As in `measure`. [s]
    span_us : tuple of int, optional
        As in `measure`. [us]

    Returns
    -------
    list of QueueWaits
        Of every queue, those without interactions too.
    """
    rows = _measures(visits, goal_s, definition, short_abandon_s, span_us, visits.queue, len(queue_ids))
    return [
        QueueWaits(queue_id=queue, queue_name=name, goal_s=float(goal), **row)
        for queue, name, goal, row in zip(queue_ids, queue_names, goal_s, rows, strict=True)
    ]


def by_interval(
    visits: Visits,
    goal_s: FloatArray,
    minutes: int,
    time_zone: str,
    definition: str = "genesys",
    short_abandon_s: float = 0.0,
) -> list[IntervalWaits]:
    """Measures of intervals of the day, interactions counted where they arrived.

    Parameters
    ----------
    visits : Visits
        What came of the interactions.
    goal_s : (n_queues,) array of float
        Longest wait within the goal, by queue. [s]
    minutes : {15, 30, 60}
        Length of an interval.
    time_zone : str
        IANA zone in whose wall time intervals start on the quarter, half or full hour.
    definition : {"genesys", "offered", "answered"}
        Of the service level.
    short_abandon_s : float
        As in `measure`. [s]

    Returns
    -------
    list of IntervalWaits
        Their queue length is the waiting inside the interval, also of those who arrived before it, over its length.
        In order, from the interval of the first arrival to that of the last; those in between in which nobody
        arrived or waited are left out.

    Raises
    ------
    InvalidScenario
        If minutes, zone, definition or `short_abandon_s` cannot be used.

    Notes
    -----
    A change of the zone's offset starts a new interval. So the repeated hour in autumn is two sets of intervals
    whose starts differ in their offset, and where an offset moves by less than an interval the interval cut by it
    is shorter.

    Examples
    --------
    >>> one = np.array([0]), np.array([0]), np.array([0], np.int8), np.array([90.0])
    >>> found = by_interval(Visits(*one), np.array([20.0]), 30, "Asia/Kolkata")
    >>> found[0].start.isoformat(), found[0].asa_s, found[0].queue_length
    ('1970-01-01T05:30:00+05:30', 90.0, 0.05)
    """
    zone = zone_of(time_zone)
    _check(definition, short_abandon_s, minutes)
    if not visits.arrived_us.size:
        return []
    edges_us = edges(visits.arrived_us, minutes * 60_000_000, zone)
    interval = np.searchsorted(edges_us, visits.arrived_us, "right") - 1
    columns = _columns(visits, goal_s, definition, short_abandon_s, interval, edges_us.size - 1)
    waited_us = _waiting_between(visits, edges_us)
    kept = np.flatnonzero((columns["offered"] > 0) | (waited_us > 0))
    shown = {"offered": columns["offered"], **{name: columns[name] for name in _INTERVAL_COLUMNS}}
    shown["queue_length"] = waited_us / np.diff(edges_us)
    rows = _records({name: column[kept] for name, column in shown.items()})
    return [IntervalWaits(start=moment(at, zone), **row) for at, row in zip(edges_us[kept].tolist(), rows, strict=True)]


def choice_share(found: IntArray) -> float | None:
    """Share of the offered interactions that had a choice.

    Parameters
    ----------
    found : (n,) array of int
        Eligible agents who were free when each looked for one, as `engine.replay.loop.Served` has them.

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


def _check(definition: str, short_abandon_s: float, minutes: int = INTERVALS_MIN[0]) -> None:
    if definition not in DEFINITIONS:
        raise InvalidScenario(f"service level {definition!r}: use one of {', '.join(DEFINITIONS)}")
    if not 0 <= short_abandon_s < np.inf:
        raise InvalidScenario(f"short abandons within {short_abandon_s!r} s: use a number from 0 on")
    if minutes not in INTERVALS_MIN:
        raise InvalidScenario(f"intervals of {minutes!r} minutes: use one of {', '.join(map(str, INTERVALS_MIN))}")


def is_short(visits: Visits, short_abandon_s: float) -> BoolArray:
    """Where somebody abandoned within so many seconds; 0 for nobody."""
    return (visits.status == ABANDONED) & (visits.wait_s <= short_abandon_s) & (short_abandon_s > 0)


def level_terms(
    visits: Visits, goal_s: FloatArray, definition: str, short_abandon_s: float
) -> tuple[BoolArray, BoolArray]:
    """Which interactions stand above and below the line of the service level.

    Parameters
    ----------
    visits : Visits
        What came of the interactions.
    goal_s : (n,) array of float
        Longest wait within the goal, by interaction. [s]
    definition : {"genesys", "offered", "answered"}
        Of the service level.
    short_abandon_s : float
        As in `measure`. [s]

    Returns
    -------
    within, counted : (n,) array of bool
        Answered within the goal, always of those answered with a known wait; and what they are a share of.
    """
    answered = (visits.status == ANSWERED) & ~np.isnan(visits.wait_s)
    if definition == "answered":
        counted = answered
    elif definition == "offered":
        counted = np.ones(answered.size, bool)
    else:
        counted = answered | ((visits.status == ABANDONED) & ~is_short(visits, short_abandon_s))
    return answered & (visits.wait_s <= goal_s), counted


def _columns(
    visits: Visits, goal_s: FloatArray, definition: str, short_abandon_s: float, group: IntArray, n_groups: int
) -> dict[str, FloatArray | IntArray]:
    """Counts and means by group of visits, NaN where undefined."""
    _check(definition, short_abandon_s)
    if visits.queue.max(initial=-1) >= goal_s.size:
        raise InvalidTable(
            f"visits: queue {visits.queue.max()} has no goal, there are {goal_s.size}; give one by queue"
        )
    places = group.astype(np.int64) * len(STATUS) + visits.status
    by_status = np.bincount(places, minlength=n_groups * len(STATUS)).reshape(n_groups, len(STATUS))
    known = ~np.isnan(visits.wait_s)
    timed = known & (visits.status == ANSWERED)
    short = is_short(visits, short_abandon_s)
    within, below = (
        np.bincount(group[rows], minlength=n_groups)
        for rows in level_terms(visits, goal_s[visits.queue], definition, short_abandon_s)
    )
    offered, abandoned = by_status.sum(axis=1), by_status[:, ABANDONED]
    return {
        "offered": offered,
        **dict(zip(STATUS, by_status.T, strict=True)),
        "short_abandoned": np.bincount(group[short], minlength=n_groups),
        "unknown_wait": np.bincount(group[~known], minlength=n_groups),
        "service_level": _ratio(within, below),
        "abandonment_share": _ratio(abandoned, offered),
        "asa_s": _mean(visits.wait_s, group, timed, n_groups),
        "mean_wait_s": _mean(visits.wait_s, group, known, n_groups),
    }


def _measures(
    visits: Visits,
    goal_s: FloatArray,
    definition: str,
    short_abandon_s: float,
    span_us: tuple[int, int] | None,
    group: IntArray,
    n_groups: int,
) -> list[Record]:
    """All measures by group of visits."""
    rows = _records(_columns(visits, goal_s, definition, short_abandon_s, group, n_groups))
    return [row | _details(part, span_us) for row, part in zip(rows, _parts(visits, group, n_groups), strict=True)]


def _parts(visits: Visits, group: IntArray, n_groups: int) -> Iterator[Visits]:
    if n_groups == 1:
        yield visits
        return
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(n_groups + 1))
    for low, high in pairwise(bounds):
        rows = order[low:high]
        yield Visits(visits.arrived_us[rows], visits.queue[rows], visits.status[rows], visits.wait_s[rows])


def _details(visits: Visits, span_us: tuple[int, int] | None) -> Record:
    """What cannot be added up."""
    known = ~np.isnan(visits.wait_s)
    waits = np.sort(visits.wait_s[known])
    start_us, end_us = visits.waiting()
    return {
        "wait_s": _percentiles(waits),
        "answered_wait_s": _percentiles(np.sort(visits.wait_s[known & (visits.status == ANSWERED)])),
        "max_wait_s": float(waits[-1]) if waits.size else None,
        "mean_queue_length": _mean_queue(start_us, end_us, span_us),
        "longest_queue": _longest_queue(start_us, end_us),
    }


def _percentiles(waits: FloatArray) -> Percentiles:
    """Nearest ranks of sorted waits."""
    n = waits.size
    return Percentiles(*(float(waits[-(-p * n // 100) - 1]) if n else None for p in PERCENTILES))


def _mean_queue(start_us: IntArray, end_us: IntArray, span_us: tuple[int, int] | None) -> float | None:
    if span_us is None or span_us[1] <= span_us[0]:
        return None
    inside_us = np.clip(end_us, *span_us) - np.clip(start_us, *span_us)
    return float(inside_us.sum(dtype=float)) / (span_us[1] - span_us[0])


def _longest_queue(start_us: IntArray, end_us: IntArray) -> int:
    """Most who waited at once; one who is served as another arrives makes room first."""
    starts = np.sort(start_us)
    waiting = np.arange(1, starts.size + 1) - np.searchsorted(np.sort(end_us), starts, "right")
    return int(waiting.max(initial=0))


def _waiting_between(visits: Visits, edges_us: IntArray) -> FloatArray:
    """Waiting of all visits between neighbouring edges. [us]"""
    n = edges_us.size
    start_us, end_us = visits.waiting()
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


def _records(columns: dict[str, FloatArray | IntArray]) -> list[Record]:
    """Rows with None where a column is NaN."""
    lists = [[None if value != value else value for value in column.tolist()] for column in columns.values()]  # noqa: PLR0124
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]
