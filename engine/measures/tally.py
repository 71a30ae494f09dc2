"""Adds decisions up: who got how much, who could have, what stayed unrouted and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from engine.data.arrays import Arrays
from engine.data.calendar import days_of_sorted
from engine.measures.satisfaction import Effects, Mix
from engine.scoring.scores import Terms
from engine.selection.decisions import Decided
from engine.stopping import checked
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

NO_MEMBER, NO_MATCH, TOO_LOW = (
    "queue has no member", "no member meets what is required", "nobody reached the threshold",
)  # fmt: skip


class Peak:
    """Largest number of simultaneous interactions, fed in order of arrival.

    Each is busy from arrival for its handling time, the end excluded. Rows without a handling time are
    left out and counted.

    Examples
    --------
    >>> peak = Peak()
    >>> peak.add(np.array([0, 1_000_000, 5_000_000]), np.array([3.0, 4.0, 1.0]))
    >>> peak.value
    2
    """

    def __init__(self) -> None:
        self.value = 0
        self.n_timed = 0
        self.n_untimed = 0
        self._open: IntArray = np.empty(0, np.int64)

    def add(self, arrived_us: IntArray, handle_s: FloatArray) -> None:
        """Take more interactions, none before any of an earlier call; a handling time not recorded is NaN."""
        timed: BoolArray = ~np.isnan(handle_s)
        self.n_untimed += int((~timed).sum())
        self.n_timed += int(timed.sum())
        busy = timed & (handle_s > 0)
        if not busy.any():
            return
        start = arrived_us[busy]
        end = start + np.rint(handle_s[busy] * 1e6).astype(np.int64)
        ends = np.sort(np.concatenate([self._open, end]))
        # Started less ended, at every start at once; those open from earlier batches count as started.
        held = self._open.size + np.arange(1, start.size + 1) - np.searchsorted(ends, start, side="right")
        self.value = max(self.value, int(held.max()))
        self._open = ends[ends > start[-1]]


@dataclass
class Segment:
    """Interactions by requirement while decisions stay the same.

    Parameters
    ----------
    decided : Decided
        Its last batch; holds the decisions of the whole segment.
    n : (n_requirements,) array of float
        Interactions.
    known : (n_stretches, n_requirements) array of float
        Those with a recorded agent, by stretch of days.
    handle_s : (n_requirements,) array of float
        Recorded seconds.
    """

    decided: Decided
    n: FloatArray
    known: FloatArray
    handle_s: FloatArray


@dataclass
class Tally:
    """Sums over a data set, for a stack of scenarios.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    terms : Terms
        Columns in tie order; tells who is eligible.
    n_scenarios : int
        Size of the stack.
    n_interactions, n_answered, n_untimed : int
        Interactions seen, those with a recorded agent, and those without a handling time.
    timed : bool
        Whether any handling time was seen.
    days : list of int
        First and last UTC day seen; empty before any.
    local_days : set of int
        Days of the centre's own calendar on which anything arrived, since 1970.
    decisions : list
        Per segment: requirements that occurred, and who was chosen for them by scenario.
    """

    arrays: Arrays
    terms: Terms
    n_scenarios: int
    n_interactions: int = 0
    n_answered: int = 0
    n_untimed: int = 0
    timed: bool = False
    days: list[int] = field(default_factory=list)
    local_days: set[int] = field(default_factory=set)
    decisions: list[tuple[IntArray, Int32Array]] = field(default_factory=list)

    def __post_init__(self) -> None:
        centre = self.arrays.centre
        shape = (self.n_scenarios, centre.n_agents)
        self.counts, self.handled_s = np.zeros(shape), np.zeros(shape)
        self.by_requirement = np.zeros(centre.n_requirements)
        self.routed = np.zeros((self.n_scenarios, centre.n_requirements))
        n = self.effects.n_stretches
        self.mix = np.zeros((self.n_scenarios, n, centre.n_requirements))
        self.simulated = np.zeros((self.n_scenarios, n, centre.n_agents))
        self.recorded = np.zeros((self.n_scenarios, n, centre.n_agents))
        self._segment: Segment | None = None
        self._segments: list[int] = []

    def add(self, decided: Decided) -> None:
        """Take one decided batch."""
        n = self.arrays.centre.n_requirements
        if self._segment is None or self._segment.decided.segment != decided.segment:
            self.close()
            known = np.zeros((self.effects.n_stretches, n))
            self._segment = Segment(decided, np.zeros(n), known, np.zeros(n))
        self._segments.append(len(self.decisions))
        segment, batch = self._segment, decided.batch
        segment.decided = decided
        self.n_interactions += batch.call_type.size
        self.days = [*self.days[:1], batch.day]
        self.local_days.update(days_of_sorted(batch.arrived_us, self.arrays.centre.time_zone))
        segment.n += decided.count
        if batch.handle_s is None:
            self.n_untimed += batch.call_type.size
        else:
            self.n_untimed += int(np.count_nonzero(np.isnan(batch.handle_s)))
            # fmax passes over NaN, so interactions without a time add nothing.
            seconds = decided.sums(np.fmax(batch.handle_s, 0.0))
            segment.handle_s += seconds
            self.timed = self.timed or bool(seconds.any())
        if batch.agent is not None:
            self._add_recorded(decided, batch.agent, segment, int(self.effects.stretch_of(batch.day)))

    def close(self) -> None:
        """Count the open segment; call once after the last batch."""
        if self._segment is None:
            return
        segment, self._segment = self._segment, None
        # Decisions hold for a whole segment, so agents are counted once per requirement, not once per call.
        total = segment.n
        occurs = np.flatnonzero(total)
        chosen = segment.decided.agent[:, occurs]
        self.decisions.append((occurs, chosen))
        self.by_requirement[occurs] += total[occurs]
        n_agents = self.arrays.centre.n_agents
        for s, agent in enumerate(chosen):
            some = agent >= 0
            place, who = occurs[some], agent[some]
            self.routed[s, place] += total[place]
            self.counts[s] += np.bincount(who, total[place], n_agents)
            self.handled_s[s] += np.bincount(who, segment.handle_s[place], n_agents)
            # A segment is often one day, and so of one stretch.
            for stretch in np.flatnonzero(segment.known.any(axis=1)):
                self.mix[s, stretch, place] += segment.known[stretch, place]
                self.simulated[s, stretch] += np.bincount(who, segment.known[stretch, place], n_agents)

    def _add_recorded(self, decided: Decided, agent: Int32Array, segment: Segment, stretch: int) -> None:
        # Place 0 counts those without a recorded agent.
        count = np.bincount(agent + 1, minlength=self.arrays.centre.n_agents + 1)
        self.n_answered += agent.size - int(count[0])
        segment.known[stretch] += decided.count
        if count[0]:
            segment.known[stretch] -= decided.sums(rows=agent < 0)
        for s in range(self.n_scenarios):
            self.recorded[s, stretch] += count[1:]
            unrouted = (decided.agent[s] < 0) & (decided.count > 0)
            # Nearly always everything is routed; then the recorded agents need no second look.
            if unrouted.any():
                rows = decided.spread(unrouted)[decided.places]
                self.recorded[s, stretch] -= np.bincount(agent[rows] + 1, minlength=count.size)[1:]

    @cached_property
    def effects(self) -> Effects:
        """Agent effects on satisfaction."""
        return Effects(self.arrays.centre, self.arrays.has_made_up_surveys)

    def mixes(self, scenario: int) -> Mix:
        """Interactions that count for satisfaction under one scenario."""
        return Mix(self.mix[scenario], self.simulated[scenario], self.recorded[scenario])

    @cached_property
    def eligible(self) -> FloatArray:
        """(n_agents,): how many interactions each agent could have got, routed or not."""
        total = np.zeros(self.arrays.centre.n_agents)
        for group, able in self._able():
            total[self.terms.order] += np.bincount(group, self.by_requirement, able.shape[0] + 1)[:-1] @ able
        return total

    @cached_property
    def even_split(self) -> FloatArray:
        """(n_scenarios, n_agents): every routed interaction split evenly over those eligible for it."""
        expected = np.zeros(self.counts.shape)
        for group, able in self._able():
            share = able / np.maximum(able.sum(axis=1, keepdims=True), 1)
            for s, routed in enumerate(self.routed):
                expected[s, self.terms.order] += np.bincount(group, routed, able.shape[0] + 1)[:-1] @ share
        return expected

    def unrouted(self, scenario: int) -> dict[str, int]:
        """Interactions without a choice, by reason."""
        left = self.by_requirement - self.routed[scenario]
        rows = np.flatnonzero(left)
        centre = self.arrays.centre
        # From the plainest reason to the least: nobody there, nobody suitable, nobody good enough.
        empty = ~centre.member[centre.queue[rows]].any(axis=1)
        unmatched = ~empty & ~self.terms.eligible(rows).any(axis=1)
        reason = np.where(empty, 0, np.where(unmatched, 1, 2))
        sums = np.bincount(reason, left[rows], 3)
        return {name: int(n) for name, n in zip((NO_MEMBER, NO_MATCH, TOO_LOW), sums, strict=True) if n}

    def peak(self, scenario: int, agent: int) -> Peak:
        """Simultaneous interactions of one agent, read from the data set once more."""
        peak, centre = Peak(), self.arrays.centre
        # Only the busiest agent is asked for, so reading once more is cheaper than keeping times of all agents.
        for segment, batch in zip(self._segments, checked(self.arrays.batches()), strict=True):
            rows, chosen = self.decisions[segment]
            theirs = np.zeros(centre.n_requirements, bool)
            theirs[rows] = chosen[scenario] == agent
            mine = np.flatnonzero(theirs[centre.requirement][batch.call_type])
            if mine.size:
                handle_s = np.full(mine.size, np.nan) if batch.handle_s is None else batch.handle_s[mine]
                peak.add(batch.arrived_us[mine], handle_s)
        return peak

    def _able(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """Who is eligible for groups of requirements, a block of groups at a time.

        Yields the place of each requirement's group within the block (those of other blocks stand behind the
        last) and a matrix of groups and agents, columns in the order of the terms.
        """
        first, group = self.terms.alike()
        # In blocks of about a million cells: all groups by all agents may not fit into memory.
        step = max(1, (1 << 20) // max(1, self.arrays.centre.n_agents))
        for start in range(0, first.size, step):
            rows = first[start : start + step]
            place = np.where((group >= start) & (group < start + rows.size), group - start, rows.size)
            yield place, self.terms.eligible(rows).astype(float)
