"""Staffing: when agents could be asked, from the table or, where there is none, from what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.calendar import Calendar
from engine.data.centre import Blocks, Centre, Holds
from engine.data.history import History
from engine.data.tables import CAPACITY, MEDIA
from engine.data.utilization import default_interrupts
from engine.errors import InvalidTable, MissingInput
from engine.estimates.assumptions import Assumptions
from engine.estimates.estimated import StaffingEstimate
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

RECORDED = "the table staffing says when agents were on queue"
INFERRED = (
    "no table says when agents were on queue, so it is inferred: an agent's services, joined across short gaps. "
    "Inferred staffing reflects the routing of its day: an agent who was not chosen seems absent, and breaks "
    "between services seem like waiting"
)
_NEVER_US, _UNKNOWN_US = np.iinfo(np.int64).max, np.iinfo(np.int64).min
_HOUR_US = 3_600_000_000
_NONE = Blocks(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))
NO_HOLDS = Holds(_NONE.agent, _NONE.start_us, _NONE.end_us, np.empty(0, np.int8))


def staffing(
    history: History, centre: Centre, assumptions: Assumptions, *, is_recorded: bool = False
) -> tuple[Blocks, StaffingEstimate]:
    """When each agent was on queue.

    Parameters
    ----------
    history : History
        Read where the centre has no staffing: a service lasts from arrival plus wait for handle_s, with
        `acw_s` of the assumptions where the interaction records none.
    centre : Centre
        With or without recorded staffing.
    assumptions : Assumptions
        `join_gap_s`, `lead_s`, `tail_s` and `acw_s` are read.

    is_recorded : bool
        Whether there is a staffing table, though it may have no block of these days and agents.

    Returns
    -------
    blocks : Blocks
        By agent, then start; those inferred neither overlap nor touch.
    estimate : StaffingEstimate
        Where they come from.

    Raises
    ------
    MissingInput
        If nothing is recorded and no service of a known agent has a length.
    """
    check()
    calendar = Calendar.of(history.arrived_us, centre.time_zone)
    # A table without a block of these days says that nobody was there, and is not overruled by inference.
    if is_recorded or centre.staffing.agent.size:
        return centre.staffing, _estimate(history, centre.staffing, calendar, source="recorded", how=RECORDED)
    agent, start_us, end_us, bare = _services(history, assumptions.acw_s)
    blocks = _joined(agent, start_us, end_us, assumptions)
    if not blocks.agent.size:
        raise MissingInput(
            "interactions: no row names an agent of the agents table together with a handling time, so staffing cannot "
            "be inferred; give a staffing table (agent_id, start_at, end_at), or agent_id and handle_s of interactions"
        )
    following = agent[1:] == agent[:-1]
    return blocks, _estimate(
        history,
        blocks,
        calendar,
        source="inferred",
        how=INFERRED,
        join_gap_s=assumptions.join_gap_s,
        lead_s=assumptions.lead_s,
        tail_s=assumptions.tail_s,
        acw_s=assumptions.acw_s,
        services=agent.size,
        services_without_handle_s=bare,
        overlapping_services=int((following & (start_us[1:] < end_us[:-1])).sum()),
    )


def on_queue(blocks: Blocks, busy: Blocks, n_agents: int) -> Blocks:
    """Blocks without the time spent at work elsewhere that leaves no room for anything.

    Parameters
    ----------
    blocks, busy : Blocks
        In any order; they may overlap, and those without length count for nothing.
    n_agents : int
        How many agents there are.

    Returns
    -------
    Blocks
        By agent, then start; spells of one agent neither overlap nor touch.

    Examples
    --------
    >>> def spells(*rows): return Blocks(*np.array(rows).T)
    >>> day = on_queue(spells((0, 9, 12), (0, 12, 17)), spells((0, 10, 11), (1, 8, 9)), 2)
    >>> day.start_us.tolist(), day.end_us.tolist()
    ([9, 11], [10, 17])
    """
    check()
    for spells in (blocks, busy):
        if spells.agent.size and not 0 <= spells.agent.min() <= spells.agent.max() < n_agents:
            raise InvalidTable(f"blocks: agents must be places from 0 to {n_agents - 1}; encode both from one snapshot")
    # Starts and ends as steps up and down: one sort serves agents and overlaps of any number, where going through pairs
    # of spells would take the square of them.
    agent = np.concatenate([blocks.agent, blocks.agent, busy.agent, busy.agent])
    at_us = np.concatenate([blocks.start_us, blocks.end_us, busy.start_us, busy.end_us])
    n, m = blocks.agent.size, busy.agent.size
    order = np.lexsort((at_us, agent))
    check()
    agent, at_us = agent[order], at_us[order]
    check()
    on = np.cumsum(np.repeat([1, -1, 0, 0], [n, n, m, m])[order]) > 0
    check()
    off = np.cumsum(np.repeat([0, 0, 1, -1], [n, n, m, m])[order]) > 0
    # What holds after the last change at an instant; everything that starts ends, so agents do not meet.
    check()
    last = np.ones(agent.size, bool)
    last[:-1] = (np.diff(agent) != 0) | (np.diff(at_us) != 0)
    check()
    agent, at_us, free = agent[last], at_us[last], (on & ~off)[last]
    before = np.append(False, free)[:-1]
    starts, ends = free & ~before, before & ~free
    return Blocks(agent[starts].astype(np.int32), at_us[starts], at_us[ends])


@dataclass(frozen=True)
class Roster:
    """Spells in which agents can be asked, [start, end), and what they hold at once.

    Parameters
    ----------
    agent : (n_spells,) array of int32
        Whose spell.
    start_us, end_us : (n_spells,) array of int64
        Spells; those of one agent that overlap or touch are one. [us]
    idle_us : (n_agents,) array of int64
        Idle clock of each agent who has handled nothing yet; the largest int64 comes last. [us]
    capacity : (n_agents, n_media) array of int8
        Interactions at once, by place in `engine.data.tables.MEDIA`.
    interrupts : (n_agents, n_media, n_media) array of bool
        Whether an agent's work of the first media may be interrupted by the second; (n_media, n_media) for everybody.
    held : Holds
        Work elsewhere, each of which takes one place of its media.
    """

    agent: Int32Array
    start_us: IntArray
    end_us: IntArray
    idle_us: IntArray
    capacity: Int8Array
    interrupts: BoolArray
    held: Holds = NO_HOLDS

    def __post_init__(self) -> None:
        n = self.n_agents
        object.__setattr__(self, "interrupts", np.broadcast_to(self.interrupts, (n, len(MEDIA), len(MEDIA))))
        held = self.held.agent
        if held.size and not 0 <= held.min() <= held.max() < n:
            raise InvalidTable(f"roster: work elsewhere must be of its {n} agents")
        if self.capacity.shape != (n, len(MEDIA)) or (
            self.agent.size and not 0 <= self.agent.min() <= self.agent.max() < n
        ):
            raise InvalidTable(f"roster: spells and capacities must be of its {n} agents")
        if (self.start_us >= self.end_us).any():
            raise InvalidTable("roster: spells must have a length")
        order = np.lexsort((self.start_us, self.agent))
        agent, start_us, end_us = self.agent[order], self.start_us[order], self.end_us[order]
        # A spell that touches the next would take the agent off queue for no time, and idle clocks would see it.
        if ((agent[1:] == agent[:-1]) & (start_us[1:] <= end_us[:-1])).any():
            merged = on_queue(Blocks(agent, start_us, end_us), _NONE, n)
            for name in ("agent", "start_us", "end_us"):
                object.__setattr__(self, name, getattr(merged, name))

    @property
    def n_agents(self) -> int:
        """Number of agents, on queue or not."""
        return int(self.idle_us.size)

    def of_agents(self, n_agents: int) -> Roster:
        """The first so many agents; those who are not in this roster are never on queue.

        Parameters
        ----------
        n_agents : int
            How many there shall be.

        Returns
        -------
        Roster
            Itself where it has as many.
        """
        if n_agents == self.n_agents:
            return self
        kept, more = self.agent < n_agents, max(0, n_agents - self.n_agents)
        held = self.held.of(self.held.agent < n_agents)
        interrupts = np.concatenate([self.interrupts[:n_agents], np.tile(default_interrupts(), (more, 1, 1))])
        capacity = np.concatenate([self.capacity[:n_agents], np.tile(np.array(CAPACITY, np.int8), (more, 1))])
        idle_us = np.concatenate([self.idle_us[:n_agents], np.full(more, _NEVER_US)])
        spells = self.agent[kept], self.start_us[kept], self.end_us[kept]
        return Roster(*spells, idle_us, capacity, interrupts, held)

    @classmethod
    def of(cls, n_agents: int, agent: Any, start_s: Any, end_s: Any) -> Roster:
        """A roster of voice agents from plain arrays of seconds.

        Parameters
        ----------
        n_agents : int
            How many there are.
        agent : (n_spells,) array of int
            Whose spell.
        start_s, end_s : (n_spells,) array of float
            Spells. [s]

        Returns
        -------
        Roster
            Everybody idle since the own first spell, capacities of Genesys' defaults.
        """
        start_us, end_us = (np.rint(1e6 * np.asarray(side, float)).astype(np.int64) for side in (start_s, end_s))
        places = np.asarray(agent, np.int32)
        idle_us = np.full(n_agents, np.iinfo(np.int64).max)
        np.minimum.at(idle_us, places, start_us)
        return cls(
            places, start_us, end_us, idle_us, np.tile(np.array(CAPACITY, np.int8), (n_agents, 1)), default_interrupts()
        )


def roster(centre: Centre, blocks: Blocks, worked_us: IntArray, first_us: int, *, new_agents_last: bool) -> Roster:
    """When agents can be asked in a replay, how much at once, and since when each is idle.

    An agent's idle clock starts at the snapshot's idle_since, where that is not after the instant at which the agent
    can first be asked, or at the end of the last earlier service (`worked_us`, from `last_work`), whichever is later;
    else at the start of the agent's block, or last of all with `new_agents_last`. Spells that end by `first_us` are
    left out.
    """
    n = centre.n_agents
    spells = _after(on_queue(blocks, centre.busy, n), first_us)
    # A snapshot taken after the days replayed knows idle times that come too late for them.
    asked_us = np.maximum(_first(spells, n), first_us)
    # The largest int64 stands for unknown, and is later than anything.
    known = centre.idle_since_us <= asked_us
    worked_us = np.maximum(np.where(known, centre.idle_since_us, _UNKNOWN_US), worked_us)
    # From the block, not from the first spell: work elsewhere at its start is work, not a later arrival.
    new_us = _first(_after(on_queue(blocks, _NONE, n), first_us), n)
    if new_agents_last:
        new_us = np.full(n, _NEVER_US)
    return Roster(
        spells.agent, spells.start_us, spells.end_us, np.where(worked_us > _UNKNOWN_US, worked_us, new_us),
        centre.capacity, centre.interrupts, centre.held.of(centre.held.end_us > first_us),
    )  # fmt: skip


def _after(spells: Blocks, first_us: int) -> Blocks:
    """Those that end after an instant."""
    return spells.of(spells.end_us > first_us)


def _first(spells: Blocks, n_agents: int) -> IntArray:
    """Start of each agent's first, the largest int64 for none. [us]"""
    first_us = np.full(n_agents, _NEVER_US)
    np.minimum.at(first_us, spells.agent, spells.start_us)
    return first_us


def last_work(history: History, first_us: int, n_agents: int, assumptions: Assumptions) -> IntArray:
    """End of each agent's last service that began before an instant, the smallest int64 for none.

    Parameters
    ----------
    history : History
        Services.
    first_us : int
        The instant; no end lies after it. [us]
    n_agents : int
        How many there are.
    assumptions : Assumptions
        `acw_s` is read.

    Returns
    -------
    (n_agents,) array of int64
        [us]
    """
    check()
    agent, start_us, end_us, _ = _services(history, assumptions.acw_s)
    check()
    earlier = start_us < first_us
    last_us = np.full(n_agents, _UNKNOWN_US)
    np.maximum.at(last_us, agent[earlier], np.minimum(end_us[earlier], first_us))
    return last_us


def _services(history: History, acw_s: float) -> tuple[Int32Array, IntArray, IntArray, int]:
    """Agent, start and end of each recorded service by agent and time, and how many have no handling time."""
    check()
    bare = np.isnan(history.handle_s)
    # Answered without a handling time still shows that the agent was there, at that instant at least.
    rows = np.flatnonzero((history.agent >= 0) & (~bare | history.outcome_is("answered")))
    start_us = history.arrived_us[rows] + _us(np.nan_to_num(history.wait_s[rows]))
    check()
    added_s = history.assumed_acw_s(acw_s)[rows]
    end_us = start_us + _us(np.nan_to_num(history.handle_s[rows]) + added_s)
    agent = history.agent[rows]
    check()
    order = np.lexsort((end_us, start_us, agent))
    check()
    return agent[order], start_us[order], end_us[order], int(bare[rows].sum())


def _joined(agent: Int32Array, start_us: IntArray, end_us: IntArray, assumptions: Assumptions) -> Blocks:
    """Services joined across gaps, then extended on both sides, what overlaps counted once."""
    lead_us, tail_us, gap_us = (int(_us(s)) for s in (assumptions.lead_s, assumptions.tail_s, assumptions.join_gap_s))
    # Extended blocks meet where the gap between them is not longer than both extensions, so one pass does both:
    # services as long as they may be followed, merged, and shortened again.
    reach_us = max(gap_us, lead_us + tail_us)
    merged = on_queue(Blocks(agent, start_us, end_us + reach_us), _NONE, int(agent.max(initial=-1)) + 1)
    start_us, end_us = merged.start_us - lead_us, merged.end_us - reach_us + tail_us
    # A service without length and without lead or tail leaves a block of no time.
    kept = start_us < end_us
    return Blocks(merged.agent[kept], start_us[kept], end_us[kept])


def _us(seconds: FloatArray | float) -> IntArray:
    return np.rint(1e6 * np.asarray(seconds)).astype(np.int64)


def _estimate(history: History, blocks: Blocks, calendar: Calendar, **said: Any) -> StaffingEstimate:
    check()
    all_us, counted_us = (int((side.end_us - side.start_us).sum()) for side in (blocks, calendar.within(blocks)))
    unknown = history.answered & (history.agent < 0)
    return StaffingEstimate(
        **said, blocks=blocks.agent.size, agents=np.unique(blocks.agent).size, hours=all_us / _HOUR_US,
        hours_not_counted=(all_us - counted_us) / _HOUR_US,
        answered_by_nobody_named=int((unknown & ~history.named).sum()),
        answered_by_unknown_agents=int((unknown & history.named).sum()),
    )  # fmt: skip
