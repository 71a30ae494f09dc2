"""Time of agents: on queue, at work, free; from it come occupancy, overrun, presence by day and idling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.centre import Blocks, Holds
from engine.errors import InvalidTable
from engine.estimates.staffing import NO_HOLDS, Roster, on_queue
from engine.typing import BoolArray, FloatArray, IntArray


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
    held: Holds = NO_HOLDS

    def __post_init__(self) -> None:
        most = max(self.services.agent.max(initial=-1), self.spells.agent.max(initial=-1))
        if most >= self.n_agents:
            raise InvalidTable(
                f"agent {most} is at work or on queue, and there are only {self.n_agents}; encode all from one snapshot"
            )

    @cached_property
    def busy_of_spell_s(self) -> FloatArray:
        """(n_spells,): time at work within each; several things in hand at once count once. [s]"""
        return self._spent_us[0] / 1e6

    @cached_property
    def staffed_of_spell_s(self) -> FloatArray:
        """(n_spells,): length of each. [s]"""
        return (self.spells.end_us - self.spells.start_us) / 1e6

    @property
    def busy_s(self) -> FloatArray:
        """(n_agents,): time on queue with anything in hand. [s]"""
        return np.bincount(self.spells.agent, self._spent_us[0], self.n_agents) / 1e6

    @property
    def staffed_s(self) -> FloatArray:
        """(n_agents,): time on queue. [s]"""
        return np.bincount(self.spells.agent, self.spells.end_us - self.spells.start_us, self.n_agents) / 1e6

    @property
    def overrun_s(self) -> FloatArray:
        """(n_agents,): time off queue with anything in hand, as when a block ends during a call. [s]"""
        inside_us = np.bincount(self.spells.agent, self._spent_us[0], self.n_agents)
        return (self._spent_us[1] - inside_us) / 1e6

    @cached_property
    def free(self) -> Blocks:
        """On queue with nothing in hand, here or elsewhere."""
        in_hand = (self.services, self.held)
        return on_queue(
            Blocks(self.spells.agent, self.spells.start_us, self.spells.end_us),
            Blocks(*(np.concatenate([getattr(b, name) for b in in_hand]) for name in ("agent", "start_us", "end_us"))),
            self.n_agents,
        )

    @cached_property
    def _spent_us(self) -> tuple[IntArray, IntArray]:
        """Work by spell, and all work by agent."""
        work, spells = self.services, self.spells
        if not work.agent.size:
            return np.zeros(spells.agent.size, np.int64), np.zeros(self.n_agents, np.int64)
        # Agents one behind the other on one axis, so that one running maximum merges what overlaps.
        base = min(int(work.start_us.min()), int(spells.start_us.min(initial=work.start_us[0])))
        span = max(int(work.end_us.max()), int(spells.end_us.max(initial=0))) - base + 1
        shift = work.agent.astype(np.int64) * span - base
        order = np.argsort(shift + work.start_us)
        agent, start, end = work.agent[order], (shift + work.start_us)[order], (shift + work.end_us)[order]
        reached = np.maximum.accumulate(end)
        begin = np.maximum(start, np.concatenate([[-1], reached[:-1]]))
        # A service that lies wholly within earlier ones adds nothing.
        finish = np.maximum(end, begin)
        total = np.concatenate([[0], np.cumsum(finish - begin)])

        def before(at: IntArray) -> IntArray:
            place = np.searchsorted(begin, at, side="right")
            last = np.maximum(place - 1, 0)
            return np.where(place > 0, total[last] + np.minimum(finish[last], at) - begin[last], 0)

        edge = spells.agent.astype(np.int64) * span - base
        # All work, on queue or not; what lies outside spells is overrun.
        by_agent = np.bincount(agent, finish - begin, self.n_agents)
        return before(edge + spells.end_us) - before(edge + spells.start_us), by_agent.astype(np.int64)


class Edges:
    """Starts and ends of stretches, each in order, as they are read for one set of agents after another."""

    def __init__(self, blocks: Blocks | Roster) -> None:
        by_start, by_end = np.argsort(blocks.start_us), np.argsort(blocks.end_us)
        # Places as the machine indexes by, take and compress are the fastest.
        self._starter: Any = blocks.agent[by_start].astype(np.intp)
        self._start_us = blocks.start_us[by_start]
        self._ender: Any = blocks.agent[by_end].astype(np.intp)
        self._end_us = blocks.end_us[by_end]
        self._until_us = blocks.end_us[by_start]

    def starts(self, able: BoolArray) -> IntArray:
        """Those of some agents. [us]"""
        return np.compress(able.take(self._starter), self._start_us)

    def ends(self, able: BoolArray) -> IntArray:
        """Those of some agents. [us]"""
        return np.compress(able.take(self._ender), self._end_us)

    def stretches(self, able: BoolArray) -> Blocks:
        """Those of some agents in order of their starts."""
        theirs = np.flatnonzero(able.take(self._starter))
        return Blocks(self._starter.take(theirs), self._start_us.take(theirs), self._until_us.take(theirs))
