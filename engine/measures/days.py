"""Sums of outcomes by local day, so that rules can be compared day by day."""

from __future__ import annotations

import numpy as np

from engine.data.calendar import Calendar
from engine.data.served import Served, Status
from engine.measures.intervals import Days
from engine.measures.service_level import Goal, level_terms
from engine.measures.timeline import Timeline
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, IntArray


def days_of(served: Served, time: Timeline, calendar: Calendar, goal: Goal) -> Days:
    """Sums by day.

    Parameters
    ----------
    served : Served
        Of one draw of what is not recorded.
    time : Timeline
        What its agents did; its pieces are those of the same calendar.
    calendar : Calendar
        The days.
    goal : Goal
        What the service level is.

    Returns
    -------
    Days
        Of one draw, by all agents.
    """
    check()
    day, n = calendar.place(served.arrived_us), calendar.n
    check()
    pieces = time.counted
    of_piece = calendar.place(pieces.start_us)
    # Work outside spells is overrun and not counted.
    presence = {
        "busy_s": _summed(of_piece, time.busy_of_piece_s, n),
        "staffed_s": _summed(of_piece, (pieces.end_us - pieces.start_us) / 1e6, n),
    }
    check()
    rows = served.answered
    cell = day[rows] * time.n_agents + served.agent[rows]
    counts = np.bincount(cell, minlength=n * time.n_agents).reshape(1, n, time.n_agents).astype(float)
    # Agents never on queue would stand as zeros in the Gini of every rule; they had no part in any. On a day that does
    # not count only an answer to somebody who had waited since is a part.
    there, any_day = (np.bincount(side.agent, minlength=time.n_agents) > 0 for side in (pieces, time.spells))
    ever = there | (any_day & counts.any(axis=(0, 1)))
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
    check()
    return np.asarray(np.bincount(place, value.astype(float), n), float)
