"""Sums of outcomes by local day, so that rules can be compared day by day."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.data.served import Served, Status
from engine.data.wall_time import local_days
from engine.measures.intervals import Days
from engine.measures.service_level import Goal, level_terms
from engine.measures.timeline import Timeline
from engine.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Calendar:
    """Local days on which something was recorded; every column of a comparison is summed by them.

    Parameters
    ----------
    days : (n_days,) array of int64
        Days since 1970 in the order of the calendar.
    time_zone : str
        IANA zone.
    _known : list
        Places looked up last.
    """

    days: IntArray
    time_zone: str
    _known: list[tuple[IntArray, IntArray]] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, arrived_us: IntArray, time_zone: str) -> Calendar:
        """Days on which something arrived."""
        return cls(np.unique(local_days(arrived_us, time_zone)), time_zone)

    @property
    def n(self) -> int:
        """Number of days."""
        return int(self.days.size)

    def place(self, at_us: IntArray) -> IntArray:
        """Place of the day of each instant; where nothing was recorded, of the day before, else of the first."""
        # Replays share their arrivals: looked up once for all of them.
        for seen, place in self._known:
            if seen is at_us:
                return place
        # Levers may bring arrivals outside the recorded days; paired columns need the same days, so those count next
        # door.
        place = np.maximum(np.searchsorted(self.days, local_days(at_us, self.time_zone), side="right") - 1, 0)
        self._known[:] = [(at_us, place), *self._known[:3]]
        return place


def days_of(served: Served, time: Timeline, calendar: Calendar, goal: Goal) -> Days:
    """Sums by day.

    Parameters
    ----------
    served : Served
        Of one draw of what is not recorded.
    time : Timeline
        What its agents did.
    calendar : Calendar
        The days.
    goal : Goal
        What the service level is.

    Returns
    -------
    Days
        Of one draw, by all agents.
    """
    day, n = calendar.place(served.arrived_us), calendar.n
    of_spell = calendar.place(time.spells.start_us)
    # Counted on the day on which a spell starts; work outside spells is overrun and not counted.
    presence = {
        "busy_s": _summed(of_spell, time.busy_of_spell_s, n), "staffed_s": _summed(of_spell, time.staffed_of_spell_s, n)
    }  # fmt: skip
    rows = served.answered
    cell = day[rows] * time.n_agents + served.agent[rows]
    counts = np.bincount(cell, minlength=n * time.n_agents).reshape(1, n, time.n_agents).astype(float)
    # Agents never on queue would stand as zeros in the Gini of every rule; they had no part in any.
    ever = np.bincount(time.spells.agent, minlength=time.n_agents) > 0
    parts = sums_by(served, goal, day, n) | presence
    return Days({name: part[None] for name, part in parts.items()}, counts, ever)


def sums_by(served: Served, goal: Goal, group: IntArray, n_groups: int) -> dict[str, FloatArray]:
    """What measures of service are made of, by group of interactions.

    Parameters
    ----------
    served : Served
        Outcomes of the interactions.
    goal : Goal
        What the service level is.
    group : (n,) array of int
        Of each interaction.
    n_groups : int
        How many there are.

    Returns
    -------
    dict of (n_groups,) arrays of float
        within, counted, answered, abandoned, offered, waits [count], answered_wait_s, wait_s [s].
    """
    known = ~np.isnan(served.wait_s)
    # Without a wait an answer can be neither early nor late, so means leave it out on both sides.
    timed = known & (served.status == Status.ANSWERED)
    wait_s = np.where(known, served.wait_s, 0.0)
    within, counted = level_terms(served, goal)
    values = {
        "within": within, "counted": counted, "answered": timed, "abandoned": served.status == Status.ABANDONED,
        "offered": np.ones(known.size, bool), "waits": known, "answered_wait_s": wait_s * timed, "wait_s": wait_s,
    }  # fmt: skip
    return {name: _summed(group, value, n_groups) for name, value in values.items()}


def _summed(place: IntArray, value: FloatArray | BoolArray, n: int) -> FloatArray:
    return np.asarray(np.bincount(place, value.astype(float), n), float)
