"""Choices that a log shows: who was free when a call was answered at once, and what came first for a freed agent.

Both tell who belongs to a desk. A member who is free takes its calls as often as the others who are free; who helps out
takes them only when no member is. And a freed agent takes the call that comes first of those it serves, so that calls
it passes over again and again are not its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.calibration.exits import N_STEPS, waits_of
from engine.data.centre import Blocks, Centre
from engine.data.history import History
from engine.data.tables import MEDIA
from engine.estimates.staffing import on_queue
from engine.stopping import checked, in_slices
from engine.typing import BoolArray, FloatArray, IntArray

# An answer within this wait found an agent free; ends of a wait may be recorded in whole seconds.
AT_ONCE_S = 2.0
NEVER_US = np.iinfo(np.int64).max
# Calls answered at once times agents, looked at in one go; the latest count where there are more.
MOST_CELLS = 20_000_000


@dataclass(frozen=True)
class AtOnce:
    """Calls answered at once, and who else was free.

    Parameters
    ----------
    requirement, agent : (n,) array of int
        What they required, and who took them.
    free : (n, n_agents) array of bool
        Who was on queue and not at work.
    idle_us : (n, n_agents) array of int64
        End of the last work before, or start of the first spell. [us]
    """

    requirement: IntArray
    agent: IntArray
    free: BoolArray
    idle_us: IntArray


@dataclass(frozen=True)
class Turns:
    """Calls taken from the queue: what came first of those the agent serves, what was taken, and the agent."""

    first: IntArray
    taken: IntArray
    agent: IntArray


def answered_at_once(history: History, centre: Centre, spells: Blocks, acw_s: float) -> AtOnce:
    """Who was on queue and not at work when calls were answered at once."""
    held, voice = centre.held, MEDIA.index("voice")
    # Work elsewhere that a call may not interrupt keeps its agent from calls, though not from everything.
    barred = held.of((held.media != voice) & ~centre.interrupts[held.agent, held.media, voice])
    spells = on_queue(spells, barred, centre.n_agents) if barred.agent.size else spells
    alert_s, wait_s = np.nan_to_num(history.alert_s), np.nan_to_num(history.wait_s, nan=np.inf)
    answered = history.outcome_is("answered") & (history.agent >= 0) & np.isfinite(wait_s)
    rows = answered & (history.media == MEDIA.index("voice")) & (wait_s - alert_s <= AT_ONCE_S)
    places = np.flatnonzero(rows)[-(MOST_CELLS // max(centre.n_agents, 1)) :]
    taken_us = _us(history.arrived_us, np.where(answered, np.maximum(wait_s - alert_s, 0.0), 0.0))
    done_us = _us(history.arrived_us, np.where(answered, wait_s, 0.0) + np.nan_to_num(history.handled_s(acw_s)))
    free = np.zeros((places.size, centre.n_agents), bool)
    idle_us = np.full((places.size, centre.n_agents), NEVER_US)
    for agent in checked(range(centre.n_agents)):
        mine, spell = np.flatnonzero(answered & (history.agent == agent)), spells.agent == agent
        mine = mine[np.argsort(taken_us[mine], kind="stable")]
        at_us = taken_us[places]
        is_there = _within(at_us, spells.start_us[spell], spells.end_us[spell])
        # Work that begins at this instant is the choice itself, not what keeps the agent from it.
        reached_us = np.maximum.accumulate(done_us[mine])
        at_work = _within(at_us - 1, taken_us[mine], reached_us - 1)
        free[:, agent] = is_there & ~at_work
        before = np.searchsorted(taken_us[mine], at_us, "left")
        start_us = spells.start_us[spell]
        idle_us[:, agent] = np.append(start_us[0] if start_us.size else NEVER_US, reached_us)[before]
    free[np.arange(places.size), history.agent[places]] = True
    requirement = centre.requirement[history.call_type[places]]
    return AtOnce(requirement.astype(np.int64), history.agent[places].astype(np.int64), free, idle_us)


def turns(history: History, centre: Centre, can: BoolArray, lead_s: FloatArray) -> Turns:
    """Whose turn it was, by arrival less head start of each call type, when an agent took a call from the queue.

    `can` says who serves what, (n_requirements, n_agents).
    """
    from engine.kernels import credit as kernel

    waits, _ = waits_of(history, centre)
    waits = waits.rows(waits.media == MEDIA.index("voice"))
    n, n_kinds = waits.agent.size, centre.call_types.height
    by_left = np.argsort(waits.left_us, kind="stable")
    waited_s = (waits.left_us - waits.arrived_us) / 1e6
    agent = np.where(waited_s > AT_ONCE_S, waits.agent, -1).astype(np.int64)
    calls = kernel.Calls(waits.arrived_us, waits.left_us, waits.call_type.astype(np.int64), agent, by_left)
    every = np.zeros(n_kinds, np.int64)
    kinds = kernel.Kinds(every, every + n_kinds, every, can[centre.requirement])
    lists = kernel.Lists(*(np.full(size, -1, np.int64) for size in (n_kinds, n_kinds, n, n)))
    first = np.full(n, -1, np.int64)
    at, lead_us = np.zeros(2, np.int64), np.rint(1e6 * lead_s).astype(np.int64)
    in_slices(kernel.first_in_line, N_STEPS, at, calls, kinds, lists, lead_us, first)
    seen = np.flatnonzero(first >= 0)
    required = centre.requirement.astype(np.int64)
    return Turns(required[first[seen]], required[waits.call_type[seen]], agent[seen])


def _within(at_us: IntArray, start_us: IntArray, end_us: IntArray) -> BoolArray:
    """Whether instants lie in one of the stretches [start, end), given in order of their starts."""
    if not start_us.size:
        return np.zeros(at_us.size, bool)
    place = np.searchsorted(start_us, at_us, "right") - 1
    inside: BoolArray = (place >= 0) & (at_us < end_us[np.maximum(place, 0)])
    return inside


def _us(arrived_us: IntArray, seconds: FloatArray) -> IntArray:
    return arrived_us + np.rint(1e6 * seconds).astype(np.int64)
