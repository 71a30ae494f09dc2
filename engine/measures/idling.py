"""What agents do with their time on queue: busy, free, and free while customers wait whom they may serve.

Without thresholds, rings or rules nobody waits for a free agent; what is counted here, a policy has chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.data.arrays import Blocks
from engine.errors import InvalidTable
from engine.estimates.roster import Roster
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray


@dataclass(frozen=True)
class Occupancy:
    """What agents did with their time.

    Parameters
    ----------
    staffed_s : (n_agents,) array of float
        Time on queue. [s]
    busy_s : (n_agents,) array of float
        Time on queue with anything in hand; several at once count once. [s]
    overrun_s : (n_agents,) array of float
        Time off queue with anything in hand, as when a block ends during a call. [s]
    handled : (n_agents,) array of int
        Interactions.
    handled_s : (n_agents,) array of float
        Their handling times, each in full, alerting not included. [s]
    """

    staffed_s: FloatArray
    busy_s: FloatArray
    overrun_s: FloatArray
    handled: IntArray
    handled_s: FloatArray

    @property
    def by_agent(self) -> FloatArray:
        """Busy over staffed seconds of each agent, NaN for those never staffed."""
        return np.divide(self.busy_s, self.staffed_s, out=np.full(self.busy_s.shape, np.nan), where=self.staffed_s > 0)

    @property
    def whole(self) -> float | None:
        """Busy over staffed seconds of all agents together, None where nobody was staffed."""
        staffed_s = float(self.staffed_s.sum())
        return float(self.busy_s.sum()) / staffed_s if staffed_s > 0 else None


def occupancy(services: Blocks, spells: Blocks | Roster, n_agents: int, alert_us: IntArray | None = None) -> Occupancy:
    """Busy seconds inside blocks, seconds staffed, and what else agents did.

    Parameters
    ----------
    services : Blocks
        From the offer of each answered interaction, alerting included, until its agent was free of it; those of
        one agent may overlap.
    spells : Blocks or Roster
        When agents were on queue; those of one agent do not overlap.
    n_agents : int
        How many there are, staffed or not.
    alert_us : (n_services,) array of int64, optional
        Which part of each service was alerting; busy, but not handling. [us]

    Returns
    -------
    Occupancy
        By agent. Alerts that nobody answered are not known and count as free time.

    Examples
    --------
    >>> def blocks(*rows):
    ...     agent, start_s, end_s = np.array(rows).T
    ...     return Blocks(agent, start_s * 1_000_000, end_s * 1_000_000)
    >>> found = occupancy(blocks((0, 10, 40), (0, 30, 50), (0, 90, 120)), blocks((0, 0, 100)), 1)
    >>> found.whole, found.overrun_s.tolist(), found.handled_s.tolist()
    (0.5, [20.0], [80.0])
    """
    time = _Time(services, spells)
    handle_us = services.end_us - services.start_us - (0 if alert_us is None else alert_us)
    return Occupancy(
        staffed_s=time.seconds(time.on_queue, n_agents),
        busy_s=time.seconds(time.on_queue & time.in_hand, n_agents),
        overrun_s=time.seconds(time.in_hand & ~time.on_queue, n_agents),
        handled=np.bincount(services.agent, minlength=n_agents),
        handled_s=np.bincount(services.agent, handle_us, n_agents) / 1e6,
    )


@dataclass(frozen=True)
class Idle:
    """Waiting, and how much of it was beside a free agent who may serve.

    Parameters
    ----------
    idle_while_waiting_s, waiting_s : float
        Over all interactions. [s]
    by_group_idle_s, by_group_waiting_s : (n_groups,) array of float
        The same by group of eligible agents. [s]
    """

    idle_while_waiting_s: float
    waiting_s: float
    by_group_idle_s: FloatArray
    by_group_waiting_s: FloatArray

    @property
    def share(self) -> float | None:
        """The one over the other, None where nobody waited."""
        return self.idle_while_waiting_s / self.waiting_s if self.waiting_s > 0 else None


def idle_while_waiting(
    arrived_us: IntArray,
    until_us: IntArray,
    group: IntArray,
    eligible: BoolArray,
    services: Blocks,
    spells: Blocks | Roster,
) -> Idle:
    """Seconds that customers waited while an agent who may serve them was on queue with nothing in hand.

    Parameters
    ----------
    arrived_us, until_us : (n,) array of int64
        Waiting for an agent, [arrived, until): until the agent who answered was alerted, or the customer left.
        Alerting itself is no part of it: nobody else could be asked meanwhile. [us]
    group : (n,) array of int
        Row of `eligible`.
    eligible : (n_groups, n_agents) array of bool
        Who may take interactions of a group, whatever the method makes of them.
    services : Blocks
        As in `occupancy`. An agent who holds anything is not free, even where more is allowed.
    spells : Blocks or Roster
        When agents were on queue; those of one agent do not overlap.

    Returns
    -------
    Idle
        Over all interactions and by group. A second in which two customers wait counts twice, one in which two
        agents are free once.

    Raises
    ------
    InvalidTable
        If services or spells name an agent whom `eligible` does not have.

    Notes
    -----
    Alerts that nobody answered are not known: for their time and the pause after them the agent counts as
    free and the customer as waiting. With such alerts the seconds are an upper bound.

    Examples
    --------
    >>> us = 1_000_000
    >>> work = Blocks(np.array([0]), np.array([2 * us]), np.array([6 * us]))
    >>> on_queue = Blocks(np.array([0]), np.array([0]), np.array([8 * us]))
    >>> arrived, until = np.array([1 * us, 5 * us]), np.array([9 * us, 9 * us])
    >>> found = idle_while_waiting(arrived, until, np.array([0, 0]), np.ones((1, 1), bool), work, on_queue)
    >>> found.idle_while_waiting_s, found.waiting_s
    (5.0, 12.0)
    """
    n_groups, n_agents = eligible.shape
    if max(services.agent.max(initial=-1), spells.agent.max(initial=-1)) >= n_agents:
        raise InvalidTable(f"agents at work or on queue: eligible has only {n_agents}; encode all from one snapshot")
    waits = np.flatnonzero(until_us > arrived_us)
    arrived_us, until_us, group = arrived_us[waits], until_us[waits], group[waits]
    idle_us = _covered(arrived_us, until_us, group, eligible, _Time(services, spells).free)
    idle_s, waiting_s = (np.bincount(group, us, n_groups) / 1e6 for us in (idle_us, until_us - arrived_us))
    return Idle(float(idle_s.sum()), float(waiting_s.sum()), idle_s, waiting_s)


class _Time:
    """The time of agents cut into pieces in which nothing changes, by agent, then time."""

    def __init__(self, services: Blocks, spells: Blocks | Roster) -> None:
        n, m = services.agent.size, spells.agent.size
        agent = np.concatenate([services.agent, services.agent, spells.agent, spells.agent]).astype(np.int32)
        at_us = np.concatenate([services.start_us, services.end_us, spells.start_us, spells.end_us])
        order = np.lexsort((at_us, agent))
        self.agent: Int32Array = agent[order]
        self.start_us = at_us[order]
        self.end_us = np.append(self.start_us[1:], self.start_us[-1:])
        # Behind the last change of an agent nothing is left of either, so one running sum does for all.
        self.in_hand = np.repeat(np.array([1, -1, 0], np.int32), [n, n, 2 * m])[order].cumsum() > 0
        self.on_queue = np.repeat(np.array([0, 1, -1], np.int32), [2 * n, m, m])[order].cumsum() > 0

    @property
    def free(self) -> Blocks:
        """On queue with nothing in hand."""
        free = self.on_queue & ~self.in_hand & (self.end_us > self.start_us)
        return Blocks(self.agent[free], self.start_us[free], self.end_us[free])

    def seconds(self, pieces: BoolArray, n_agents: int) -> FloatArray:
        """Length of some pieces by agent."""
        return np.bincount(self.agent[pieces], (self.end_us - self.start_us)[pieces], n_agents) / 1e6


def _covered(arrived_us: IntArray, until_us: IntArray, group: IntArray, eligible: BoolArray, free: Blocks) -> IntArray:
    """How much of each wait is covered by free time of agents eligible for it. [us]"""
    covered_us = np.zeros(group.size, np.int64)
    # Groups that the same agents may serve are one; those in which nobody waited are not looked at.
    _, first, alike = np.unique(np.packbits(eligible, axis=1), axis=0, return_index=True, return_inverse=True)
    same = alike.reshape(-1)[group]
    order = np.argsort(same, kind="stable")
    bounds = np.searchsorted(same[order], np.arange(first.size + 1))
    by_start, by_end = np.argsort(free.start_us), np.argsort(free.end_us)
    # The loop below reads these once per group: places as the machine indexes by, and compress, are the fastest.
    starter, start_us = free.agent[by_start].astype(np.intp), free.start_us[by_start]
    ender, end_us = free.agent[by_end].astype(np.intp), free.end_us[by_end]
    for row, (low, high) in zip(first, pairwise(bounds), strict=True):
        if low < high:
            rows, able = order[low:high], eligible[row]
            union = _Union(np.compress(able.take(starter), start_us), np.compress(able.take(ender), end_us))
            covered_us[rows] = union.before(until_us[rows]) - union.before(arrived_us[rows])
    return covered_us


class _Union:
    """Time covered by at least one of several stretches, given by all their starts and all their ends in order."""

    def __init__(self, start_us: IntArray, end_us: IntArray) -> None:
        # A stretch opens a gapless run if as many have ended before it as have started before it.
        opens = np.flatnonzero(end_us[:-1] <= start_us[1:]) + 1
        some = min(start_us.size, 1)
        self.start_us = np.append(start_us[:some], start_us.take(opens))
        self.end_us = np.append(end_us.take(opens - 1), end_us[end_us.size - some :])
        self.sum_us = np.append(0, np.cumsum(self.end_us - self.start_us))

    def before(self, at_us: IntArray) -> IntArray:
        """Time covered before some instants. [us]"""
        if not self.start_us.size:
            return np.zeros(at_us.shape, np.int64)
        n = np.searchsorted(self.start_us, at_us, "right")
        to_come_us = np.maximum(self.end_us[n - 1] - at_us, 0)
        return self.sum_us[n] - np.where(n > 0, to_come_us, 0)
