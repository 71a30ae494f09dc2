"""Time of agents: on queue, at work, free; from it come occupancy, overrun, presence by day and idling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.centre import Blocks, Holds
from engine.errors import InvalidTable
from engine.estimates.staffing import NO_HOLDS, Roster, on_queue
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray


@dataclass(frozen=True)
class Timeline:
    """What agents did, and when they were on queue.

    Parameters
    ----------
    services : Blocks
        From the offer of each answered interaction, alerting included, until its agent was free of it; those of
        one agent may overlap.
    spells : Blocks or Roster
        When agents were on queue; those of one agent do not overlap.
    n_agents : int
        How many there are, staffed or not.
    pieces : Blocks, optional
        The part of the spells over which time is counted, as `Calendar.within` cuts it; by default all of it.
    held : Holds, optional
        Work elsewhere that left its agent on queue. Who has it in hand is neither busy nor free.

    Raises
    ------
    InvalidTable
        If a service or a spell belongs to none of them.

    Examples
    --------
    >>> def blocks(*rows): return Blocks(*(10**6 * side if n else side for n, side in enumerate(np.array(rows).T)))
    >>> time = Timeline(blocks((0, 10, 40), (0, 30, 50), (0, 90, 120)), blocks((0, 0, 100)), 1)
    >>> time.busy_s.tolist(), time.staffed_s.tolist(), time.overrun_s.tolist(), (time.free.end_us / 1e6).tolist()
    ([50.0], [100.0], [20.0], [10.0, 90.0])
    """

    services: Blocks
    spells: Blocks | Roster
    n_agents: int
    pieces: Blocks | None = None
    held: Holds = NO_HOLDS

    def __post_init__(self) -> None:
        most = max(self.services.agent.max(initial=-1), self.spells.agent.max(initial=-1))
        if most >= self.n_agents:
            raise InvalidTable(
                f"agent {most} is at work or on queue, and there are only {self.n_agents}; encode all from one snapshot"
            )

    @property
    def counted(self) -> Blocks | Roster:
        """What occupancy and staffed time are over: days on which anything arrived, or all there is."""
        return self.spells if self.pieces is None else self.pieces

    @cached_property
    def busy_of_piece_s(self) -> FloatArray:
        """(n_pieces,): time at work within each that is counted; several things in hand at once count once. [s]"""
        return self._worked.within_us(self.counted) / 1e6

    @property
    def busy_s(self) -> FloatArray:
        """(n_agents,): time on queue with anything in hand. [s]"""
        return self._by_agent_s(self.counted, self._worked.within_us(self.counted))

    @property
    def staffed_s(self) -> FloatArray:
        """(n_agents,): time on queue. [s]"""
        return self._by_agent_s(self.counted, self.counted.end_us - self.counted.start_us)

    @property
    def overrun_s(self) -> FloatArray:
        """(n_agents,): time off queue with anything in hand, as when a block ends during a call. [s]"""
        # On queue is on queue, also on a day that is not counted: what was done there is no overrun.
        inside_s = self._by_agent_s(self.spells, self._worked.within_us(self.spells))
        return self._worked.by_agent_us(self.n_agents) / 1e6 - inside_s

    @cached_property
    def free(self) -> Blocks:
        """On queue with nothing in hand, here or elsewhere."""
        check()
        in_hand = (self.services, self.held)
        return on_queue(
            Blocks(self.spells.agent, self.spells.start_us, self.spells.end_us),
            Blocks(*(np.concatenate([getattr(b, name) for b in in_hand]) for name in ("agent", "start_us", "end_us"))),
            self.n_agents,
        )

    @cached_property
    def _worked(self) -> _Worked:
        check()
        return _Worked(self.services)

    def _by_agent_s(self, blocks: Blocks | Roster, spent_us: IntArray) -> FloatArray:
        return np.bincount(blocks.agent, spent_us, self.n_agents) / 1e6


def staffed_between_s(spells: Blocks | Roster, edges_us: IntArray) -> FloatArray:
    """Time on queue of all agents together, by interval.

    Parameters
    ----------
    spells : Blocks or Roster
        When agents were on queue; those of one agent do not overlap.
    edges_us : (n + 1,) array of int64
        Bounds of the intervals, in order. [us since 1970, UTC]

    Returns
    -------
    (n,) array of float
        Over the length of an interval it is how many were on queue, on average. [s]

    Examples
    --------
    >>> two = Blocks(np.array([0, 1]), np.array([0, 5_000_000]), np.array([10_000_000, 20_000_000]))
    >>> staffed_between_s(two, np.array([0, 10_000_000, 30_000_000])).tolist()
    [15.0, 10.0]
    """
    spent_us = np.zeros(edges_us.size)
    for side_us, sign in ((spells.start_us, 1.0), (spells.end_us, -1.0)):
        check()
        # From the first edge on, so that sums of instants stay exact.
        at_us = np.sort(side_us) - edges_us[0]
        n_before = np.searchsorted(at_us, edges_us - edges_us[0], "right")
        sums_us = np.concatenate([[0], np.cumsum(at_us)])
        spent_us += sign * (n_before * (edges_us - edges_us[0]) - sums_us[n_before])
    return np.diff(spent_us) / 1e6


class _Worked:
    """All work of agents, what overlaps counted once, on one axis: agents one behind the other.

    So one running maximum merges what overlaps, and one sum tells the work before any instant.
    """

    def __init__(self, work: Blocks) -> None:
        check()
        some = bool(work.agent.size)
        self._first_us, self._last_us = (int(work.start_us.min()), int(work.end_us.max())) if some else (0, 0)
        start_us, end_us = (self._at(work.agent, side) for side in (work.start_us, work.end_us))
        check()
        order = np.argsort(start_us)
        check()
        self._agent, end_us = work.agent[order], end_us[order]
        reached = np.maximum.accumulate(end_us)
        check()
        self._begin = np.maximum(start_us[order], np.concatenate([[-1], reached[:-1]]))
        # A service that lies wholly within earlier ones adds nothing.
        self._finish = np.maximum(end_us, self._begin)
        check()
        self._total = np.concatenate([[0], np.cumsum(self._finish - self._begin)])

    def within_us(self, blocks: Blocks | Roster) -> IntArray:
        """(n_blocks,): work inside each block of its agent. [us]"""
        end, start = (self._before(self._at(blocks.agent, side)) for side in (blocks.end_us, blocks.start_us))
        return end - start

    def by_agent_us(self, n_agents: int) -> IntArray:
        """(n_agents,): all work, on queue or not. [us]"""
        return np.bincount(self._agent, self._finish - self._begin, n_agents).astype(np.int64)

    def _at(self, agent: IntArray | Int32Array, at_us: IntArray) -> IntArray:
        # Before the first work and after the last nothing changes, so blocks may reach as far as they like.
        inside_us = np.clip(at_us, self._first_us, self._last_us) - self._first_us
        return agent.astype(np.int64) * (self._last_us - self._first_us + 1) + inside_us

    def _before(self, at: IntArray) -> IntArray:
        if not self._agent.size:
            return np.zeros(at.size, np.int64)
        place = np.searchsorted(self._begin, at, side="right")
        last = np.maximum(place - 1, 0)
        return np.where(place > 0, self._total[last] + np.minimum(self._finish[last], at) - self._begin[last], 0)


class Edges:
    """Starts and ends of stretches, each in order, as they are read for one set of agents after another."""

    def __init__(self, blocks: Blocks | Roster) -> None:
        check()
        by_start = np.argsort(blocks.start_us)
        check()
        by_end = np.argsort(blocks.end_us)
        check()
        # Places as the machine indexes by, take and compress are the fastest.
        self._starter: Any = blocks.agent[by_start].astype(np.intp)
        self._start_us = blocks.start_us[by_start]
        self._ender: Any = blocks.agent[by_end].astype(np.intp)
        self._end_us = blocks.end_us[by_end]
        self._until_us = blocks.end_us[by_start]

    def starts(self, able: BoolArray) -> IntArray:
        """Those of some agents. [us]"""
        check()
        return np.compress(able.take(self._starter), self._start_us)

    def ends(self, able: BoolArray) -> IntArray:
        """Those of some agents. [us]"""
        return np.compress(able.take(self._ender), self._end_us)

    def stretches(self, able: BoolArray) -> Blocks:
        """Those of some agents in order of their starts."""
        theirs = np.flatnonzero(able.take(self._starter))
        return Blocks(self._starter.take(theirs), self._start_us.take(theirs), self._until_us.take(theirs))
