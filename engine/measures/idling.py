"""What agents do with their time on queue: busy, free, and free while customers wait whom they may serve.

Without thresholds, rings or rules nobody waits for a free agent; what is counted here, a policy has chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidTable
from engine.measures.eligibility import Eligibility
from engine.measures.timeline import Edges, Timeline
from engine.typing import FloatArray, IntArray


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
    def outside(self) -> float | None:
        """Share of the work that was done off queue, None where nobody worked on the days that count."""
        busy_s, overrun_s = float(self.busy_s.sum()), float(self.overrun_s.sum())
        return overrun_s / (busy_s + overrun_s) if busy_s + overrun_s > 0 else None

    @property
    def whole(self) -> float | None:
        """Busy over staffed seconds of all agents together, None where nobody was staffed."""
        staffed_s = float(self.staffed_s.sum())
        return float(self.busy_s.sum()) / staffed_s if staffed_s > 0 else None


def occupancy(time: Timeline, alert_us: IntArray | None = None) -> Occupancy:
    """Busy seconds inside blocks, seconds staffed, and what else agents did.

    Parameters
    ----------
    time : Timeline
        What agents did, and when they were on queue.
    alert_us : (n_services,) array of int64, optional
        Which part of each service was alerting; busy, but not handling. [us]

    Returns
    -------
    Occupancy
        By agent. Alerts that nobody answered are not known and count as free time.

    Examples
    --------
    >>> from engine.data.centre import Blocks
    >>> def blocks(*rows):
    ...     agent, start_s, end_s = np.array(rows).T
    ...     return Blocks(agent, start_s * 1_000_000, end_s * 1_000_000)
    >>> time = Timeline(blocks((0, 10, 40), (0, 30, 50), (0, 90, 120)), blocks((0, 0, 100)), 1)
    >>> found = occupancy(time)
    >>> found.whole, found.overrun_s.tolist(), found.handled_s.tolist()
    (0.5, [20.0], [80.0])
    """
    work, n = time.services, time.n_agents
    # Alerting is busy time but no handling: it is part of the wait.
    handle_us = work.end_us - work.start_us - (0 if alert_us is None else alert_us)
    return Occupancy(
        time.staffed_s, time.busy_s, time.overrun_s,
        handled=np.bincount(work.agent, minlength=n), handled_s=np.bincount(work.agent, handle_us, n) / 1e6,
    )  # fmt: skip


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


def idle_while_waiting(arrived_us: IntArray, until_us: IntArray, may: Eligibility, time: Timeline) -> Idle:
    """Seconds that customers waited while an agent who may serve them was on queue with nothing in hand.

    Parameters
    ----------
    arrived_us, until_us : (n,) array of int64
        Waiting for an agent, [arrived, until): until the agent who answered was alerted, or the customer left.
        Alerting itself is no part of it: nobody else could be asked meanwhile. [us]
    may : Eligibility
        Who may take each interaction.
    time : Timeline
        What agents did. An agent who holds anything is not free, even where more is allowed.

    Returns
    -------
    Idle
        Over all interactions and by group. A second in which two customers wait counts twice, one in which two
        agents are free once.

    Raises
    ------
    InvalidTable
        If `may` and `time` have not the same agents.

    Notes
    -----
    Alerts that nobody answered are not known: for their time and the pause after them the agent counts as
    free and the customer as waiting. With such alerts the seconds are an upper bound.

    Examples
    --------
    >>> from engine.data.centre import Blocks
    >>> us = 1_000_000
    >>> work = Blocks(np.array([0]), np.array([2 * us]), np.array([6 * us]))
    >>> on_queue = Blocks(np.array([0]), np.array([0]), np.array([8 * us]))
    >>> arrived, until = np.array([1 * us, 5 * us]), np.array([9 * us, 9 * us])
    >>> everybody = Eligibility(np.ones((1, 1), bool), np.array([0, 0]))
    >>> found = idle_while_waiting(arrived, until, everybody, Timeline(work, on_queue, 1))
    >>> found.idle_while_waiting_s, found.waiting_s
    (5.0, 12.0)
    """
    if may.n_agents != time.n_agents:
        raise InvalidTable(f"{time.n_agents} agents, eligible are {may.n_agents}; encode all from one snapshot")
    waits = np.flatnonzero(until_us > arrived_us)
    # In whole microseconds until the end, so sums do not depend on the order in which groups are looked at.
    idle_us = _covered(arrived_us[waits], until_us[waits], may, waits, Edges(time.free))
    n_groups, group, waited_us = len(may.able), may.group[waits], (until_us - arrived_us)[waits]
    idle_s, waiting_s = (np.bincount(group, side, n_groups) / 1e6 for side in (idle_us, waited_us))
    return Idle(float(idle_s.sum()), float(waiting_s.sum()), idle_s, waiting_s)


def _covered(arrived_us: IntArray, until_us: IntArray, may: Eligibility, waits: IntArray, free: Edges) -> IntArray:
    """How much of each wait is covered by free time of agents eligible for it. [us]"""
    covered_us = np.zeros(waits.size, np.int64)
    # Groups in which nobody waited are passed over; most call types of a day are such.
    for able, rows in may.each(np.argsort(may.group[waits], kind="stable"), waits):
        union = _Union(free.starts(able), free.ends(able))
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
        # All runs begun before an instant, less what the last of them still has ahead.
        n = np.searchsorted(self.start_us, at_us, "right")
        to_come_us = np.maximum(self.end_us[n - 1] - at_us, 0)
        return self.sum_us[n] - np.where(n > 0, to_come_us, 0)
