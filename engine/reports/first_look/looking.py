"""Looking at a data set before anything is asked of it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from engine.data.arrays import Arrays
from engine.errors import MissingInput
from engine.reports.columns import Study
from engine.reports.first_look.beside import lit
from engine.reports.first_look.recorded import Seen
from engine.reports.first_look.result import Finding, FirstLook, Lit
from engine.reports.first_look.wrong import findings
from engine.spec import Scenario
from engine.typing import Progress

# Most interactions of the figures, and of the replay, so that a look takes seconds whatever is looked at. [count]
MOST_SEEN, MOST_REPLAYED = 4_000_000, 500_000
NOT_ASKED = "not asked for"
_FIRST = date(1970, 1, 1)


def first_look(
    arrays: Arrays, *, with_light: bool = True, most_seen: int = MOST_SEEN, most_replayed: int = MOST_REPLAYED,
    progress: Progress | None = None,
) -> FirstLook:  # fmt: skip
    """What a planner checks first: the figures, what looks wrong, and whether a replay of today's rule meets them.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    with_light : bool
        Whether today's rule is replayed.
    most_seen, most_replayed : int
        Interactions that are looked at and replayed at most; of more, the last whole days. [count]
    progress : callable, optional
        Called with label, replays done and replays in all.

    Returns
    -------
    FirstLook
        All of it by the queues' own goals and the defaults of every setting.
    """
    seen = Seen(Study(last_days(arrays, most_seen), Scenario(mode="replay"), progress))
    snapshot, odd = seen.study.arrays.snapshot, findings(seen)
    found, why_not = _lit(seen, odd, most_replayed, progress) if with_light else (None, NOT_ASKED)
    staffing = None if seen.spells is None else "inferred" if seen.study.recorded.is_inferred else "recorded"
    return FirstLook(
        interval=snapshot.interval, window=snapshot.window, time_zone=seen.centre.time_zone,
        service_level=seen.study.scenario.service_level, agents=seen.centre.n_agents, staffing=staffing,
        whole=seen.whole, by_queue=seen.by_queue, by_day=seen.by_day, by_week=seen.by_week,
        by_half_hour=seen.by_half_hour, findings=odd, lit=found, why_not_lit=why_not,
    )  # fmt: skip


def _lit(seen: Seen, odd: list[Finding], most: int, progress: Progress | None) -> tuple[Lit | None, str | None]:
    """The light, or why there is none."""
    arrays = seen.study.arrays
    if not seen.history.n:
        return None, "there is nothing to replay"
    some = last_days(arrays, most)
    study = seen.study if some is arrays else Study(some, seen.study.scenario, progress)
    try:
        return lit(study, odd), None
    except MissingInput as error:
        # A look never refuses what an import took; it says what is missing.
        return None, str(error)


def last_days(arrays: Arrays, most: int) -> Arrays:
    """The last whole days with so many interactions at most, at least one day; all where there are no more.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    most : int
        Interactions. [count]

    Returns
    -------
    Arrays
        Itself where it is no larger.
    """
    counted = arrays.counted
    if counted.n <= most:
        return arrays
    # Days are counted by UTC, so a local day may bring some hours more.
    n_kept = int(np.searchsorted(np.cumsum(counted.rows[::-1]), most, "right"))
    first = counted.day[max(counted.day.size - n_kept, 0)] if n_kept else counted.day[-1]
    return arrays.days(_FIRST + timedelta(days=int(first)), None)
