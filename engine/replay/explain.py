"""Why an agent answered in a replay: who was free, who was busy until when, who could not be asked, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from engine.data.arrays import Arrays
from engine.data.call_types import AskedFor
from engine.data.centre import Blocks, Holds
from engine.data.served import STATUS, Status
from engine.data.tables import MEDIA
from engine.errors import UnknownName
from engine.estimates.demand import NEVER_US
from engine.estimates.staffing import Roster
from engine.methods import METHODS
from engine.methods.ladder import NEVER
from engine.replay.bundles import DAY_S
from engine.replay.playing import Played, play
from engine.replay.prepare import Recorded
from engine.results import Result, about, or_null
from engine.scoring.scores import SCALE
from engine.spec import Scenario
from engine.typing import BoolArray, FloatArray, IntArray

MOST_WAITING = 20


@dataclass(frozen=True)
class Replayed(AskedFor):
    """An interaction, and how it ended in the replay and in the record."""

    status: str = about("answered, abandoned, flowed_out or unserved.")
    wait_s: float = about("Waiting. [s]")
    agent_id: str | None = about("Who answered; null for nobody.")
    agent_name: str | None = about("Null where none is known.")
    recorded_agent_id: str | None = about("Who answered in the record.")
    recorded_wait_s: float | None = about("Waiting in the record; null where not recorded. [s]")
    conversation_id: str | None = about("Conversation that it belongs to; null where not recorded.")
    visits: int | None = about("Visits to queues of this conversation in the record; null where it is not recorded.")
    used_routing: str | None = about("How the platform routed it; null where not recorded.")
    eligible_count: int | None = about("How many agents the platform found for it; null where not recorded.")


@dataclass(frozen=True)
class Decision:
    """When and how it was decided who takes an interaction."""

    at_us: int = about("When. [us since 1970, UTC]")
    waited_s: float = about("How long it had waited. [s]")
    how: str = about("Whether an agent was free, or one became free.")
    stage: int = about("Which stage of waiting, from 1.")
    stages: int = about("How many there are.")


@dataclass(frozen=True)
class Asked:
    """One agent at that instant."""

    place: int | None = about("In the order in which agents would be asked; null for whoever could not be.")
    agent_id: str = about("Id of the agent.")
    agent_name: str | None = about("Null where none is known.")
    score: float | None = about("Null where the method has none.")
    idle_s: float | None = about("How long idle. [s]")
    busy_until_us: int | None = about("Null for whoever has room for it. [us since 1970, UTC]")
    reason: str = about("Chosen, or why not.")


@dataclass(frozen=True)
class Waiter:
    """An interaction that waited for the same agent."""

    interaction_id: str = about("Id of the interaction.")
    waited_s: float = about("How long it had waited. [s]")
    credit_s: float = about("Head start of its priority. [s]")
    priority_only: bool = about("Whether it goes by priority alone.")
    leaves_in_s: float | None = about("When it would leave; null for never. [s]")
    is_this: bool = about("Whether it is the one explained.")


@dataclass(frozen=True)
class ReplayExplanation(Result):
    """One interaction of a replay."""

    interaction: Replayed = about("What it required, when it came, and how it ended.")
    rule: str = about("The rule in words.")
    decision: Decision = about("When and how it was decided.")
    agents: list[Asked] = about("Everybody, in the order in which they would be asked.")
    waiting: list[Waiter] = about("Where an agent became free: what it could have taken, first in order first.")


def explain_replay(scenario: Scenario, arrays: Arrays, interaction_id: str) -> ReplayExplanation:
    """Explain what a replay decided about one interaction.

    Parameters
    ----------
    scenario : Scenario
        In mode replay; it is played as a run plays it, first draw.
    arrays : Arrays
        The data set.
    interaction_id : str
        Which one.

    Returns
    -------
    ReplayExplanation
        At the instant it was given to an agent; of one that nobody answered, at its arrival.

    Raises
    ------
    UnknownName
        If no interaction has this id.
    """
    recorded = Recorded(arrays, scenario)
    if not scenario.levers:
        # Known to be unknown before anything is played.
        _row(recorded.history.interaction_id, interaction_id)
    played = play(scenario, recorded)
    row = _row(played.completed.interactions.interaction_id, interaction_id)
    moment = _Moment(played, recorded, row)
    return ReplayExplanation(
        interaction=_about(played, recorded, row),
        rule=f"{scenario.method}: {METHODS[scenario.method].about}",
        decision=moment.decision(),
        agents=moment.agents(),
        waiting=moment.waiting(),
    )


def _row(ids: pl.Series, interaction_id: str) -> int:
    row = ids.index_of(interaction_id)
    if row is None:
        raise UnknownName(f"interaction {interaction_id!r} is not in this data; ids look like {ids[0]!r}" if ids.len()
                          else "there are no interactions in this data")  # fmt: skip
    return row


def _about(played: Played, recorded: Recorded, row: int) -> Replayed:
    served, given = played.served, played.completed.interactions
    centre, history = played.completed.centre, recorded.history
    kind = centre.call_types.row(int(given.call_type[row]), named=True)
    # An interaction that a lever has added is not in the record; where none did, places are the same.
    same = given.interaction_id is history.interaction_id
    past = row if same else history.interaction_id.index_of(given.interaction_id[row])
    recorded_agent = -1 if past is None else int(history.agent[past])
    recorded_wait_s = np.nan if past is None else float(history.wait_s[past])
    agent = int(served.agent[row])
    return Replayed(
        interaction_id=given.interaction_id[row], **kind,
        arrived_us=int(given.arrived_us[row]), status=STATUS[served.status[row]],
        wait_s=float(served.wait_s[row]), agent_id=centre.agent_ids[agent] if agent >= 0 else None,
        agent_name=centre.agent_names[agent] if agent >= 0 else None,
        recorded_agent_id=recorded.centre.agent_ids[recorded_agent] if recorded_agent >= 0 else None,
        recorded_wait_s=or_null(recorded_wait_s), **_told(history.told, past),
    )  # fmt: skip


def _told(told: pl.DataFrame | None, row: int | None) -> dict[str, Any]:
    """What the platform says of an interaction beside its outcome."""
    known: dict[str, Any] = dict.fromkeys(("conversation_id", "visits", "used_routing", "eligible_count"))
    if told is None or row is None:
        return known
    known |= told.row(row, named=True)
    if known["conversation_id"] is not None:
        known["visits"] = int((told["conversation_id"] == known["conversation_id"]).sum())
    return known


class _Moment:
    """What was known when an interaction was given to an agent, or came in vain."""

    def __init__(self, played: Played, recorded: Recorded, row: int) -> None:
        self.played, self.recorded, self.row = played, recorded, row
        served, demand = played.served, played.demand
        self.arrived_us = int(demand.arrived_us[row])
        self.chosen = int(served.agent[row])
        self.at_us = int(served.offered_us[row]) if self.chosen >= 0 else self.arrived_us
        self.ladder = played.ladder_at(self.at_us)
        kind = int(demand.kind[row])
        first, last = int(self.ladder.first_row[kind]), int(self.ladder.first_row[kind + 1])
        waited_us = self.at_us - self.arrived_us
        self.stage = int((self.ladder.after_us[first:last] <= waited_us).sum()) - 1
        self.n_stages, self.rows = last - first, slice(first, last)
        self.rank: FloatArray = self.ladder.rank[first + self.stage]
        self.media = int(demand.kinds.media[kind])
        self.busy_until_us, self.idle_us = self._states()
        self.on_queue = _covered(played.roster, self.at_us, played.roster.n_agents)

    def decision(self) -> Decision:
        """When and how it was decided."""
        waited_s = (self.at_us - self.arrived_us) / 1e6
        if self.chosen < 0:
            how = "nobody answered; this is who there was when it arrived"
        elif waited_s == 0:
            how = "an agent was free when it arrived"
        else:
            how = "an agent became free, or might be asked from now on, and it was first in order"
        return Decision(self.at_us, waited_s, how, self.stage + 1, self.n_stages)

    def _states(self) -> tuple[IntArray, IntArray]:
        """Until when each agent has something in hand that leaves no room (0: has room), and since when idle."""
        served, roster = self.played.served, self.played.roster
        n, held = roster.n_agents, self._held
        # The interaction explained is left out: at that instant its agent was still free of it.
        others = (served.agent >= 0) & (np.arange(served.agent.size) != self.row)
        busy = others & (served.offered_us <= self.at_us) & (served.end_us > self.at_us)
        until_us, idle_us = np.zeros(n, np.int64), self.played.roster.idle_us.copy()
        np.maximum.at(until_us, served.agent[busy], served.end_us[busy])
        np.maximum.at(until_us, held.agent, held.end_us)
        media = self.played.demand.kinds.media[self.played.demand.kind[busy]]
        in_hand = np.zeros((n, len(MEDIA)), np.int64)
        np.add.at(in_hand, (np.append(served.agent[busy], held.agent), np.append(media, held.media)), 1)
        # Idle since the last work ended, or since it began where it left room for more.
        last_us = np.full(n, -1, np.int64)
        done = others & (served.end_us <= self.at_us)
        np.maximum.at(last_us, served.agent[done], served.end_us[done])
        np.maximum.at(last_us, served.agent[busy], served.offered_us[busy])
        idle_us = self._by_clock(np.where(last_us >= 0, last_us, idle_us))
        return np.where(self._has_room(in_hand), 0, until_us), idle_us

    def _by_clock(self, idle_us: IntArray) -> IntArray:
        """Idle times as the switches have them at the last coming on queue; missed alerts leave no trace to read."""
        roster, switches = self.played.roster, self.played.scenario.switches
        here, came_us = roster.start_us <= self.at_us, np.full(roster.n_agents, -1, np.int64)
        np.maximum.at(came_us, roster.agent[here], roster.start_us[here])
        if switches.resets_on_queue:
            return np.where(came_us >= 0, np.maximum(np.where(idle_us < NEVER_US, idle_us, -1), came_us), idle_us)
        lookback_us = round(1e6 * DAY_S * switches.lookback_days) if switches.new_agents_last else 0
        return np.where((lookback_us > 0) & (came_us - idle_us > lookback_us), NEVER_US, idle_us)

    def _has_room(self, in_hand: IntArray) -> BoolArray:
        """Who may take this media beside what they have in hand."""
        roster, new = self.played.roster, self.media
        barred = (in_hand > 0) & ~roster.interrupts[:, :, new]
        barred[:, new] = in_hand[:, new] >= roster.capacity[:, new]
        return np.logical_not(np.any(barred, axis=1))

    @cached_property
    def _held(self) -> Holds:
        """Work elsewhere that agents had in hand on queue."""
        held = self.played.roster.held
        return held.of((held.start_us <= self.at_us) & (self.at_us < held.end_us))

    @cached_property
    def _away(self) -> tuple[BoolArray, IntArray]:
        """Who was staffed and wholly at work elsewhere, and until when. [us]"""
        completed = self.played.completed
        busy, until_us = completed.centre.busy, np.zeros(completed.centre.n_agents, np.int64)
        now = (busy.start_us <= self.at_us) & (self.at_us < busy.end_us)
        np.maximum.at(until_us, busy.agent[now], busy.end_us[now])
        return _covered(completed.staffed, self.at_us, until_us.size) & (until_us > 0), until_us

    def agents(self) -> list[Asked]:
        """Everybody, those who could be asked first, in order."""
        n = self.rank.size
        free = self.on_queue & (self.busy_until_us == 0) & (self.rank > NEVER)
        if self.chosen >= 0:
            free[self.chosen] = True
        # Who could be asked, then who was busy, who could not be asked, and who was not there.
        state = np.select([free, ~self.on_queue, self.rank > NEVER], [0, 3, 1], 2)
        order = np.lexsort((np.arange(n), self.idle_us, -np.where(self.rank > NEVER, self.rank, 0.0), state))
        # A drawn agent, or one found among the longest idle only, need not be the best ranked, but stands first.
        order = np.concatenate([order[order == self.chosen], order[order != self.chosen]])
        has_score = METHODS[self.played.scenario.method].planner is not None
        centre, rows = self.played.completed.centre, []
        for place, agent in enumerate(order.tolist(), start=1):
            idle = self.idle_us[agent]
            rows.append(Asked(
                place=place if free[agent] else None,
                agent_id=centre.agent_ids[agent], agent_name=centre.agent_names[agent],
                score=float(self.rank[agent] / SCALE) if has_score and self.rank[agent] > NEVER else None,
                idle_s=(self.at_us - int(idle)) / 1e6 if free[agent] and idle <= self.at_us else None,
                busy_until_us=int(self.busy_until_us[agent]) or None,
                reason=self._reason(agent, free),
            ))  # fmt: skip
        return rows

    def _reason(self, agent: int, free: BoolArray) -> str:
        if agent == self.chosen:
            return "chosen"
        if not self.on_queue[agent]:
            away, until_us = self._away
            more = f" ({', '.join(why)})" if (why := self._why(agent)) else ""
            return (
                f"at work elsewhere{more} for another {self._in_s(until_us[agent])}" if away[agent] else "not on queue"
            )
        if self.rank[agent] == NEVER:
            return self._barred(agent)
        if self.busy_until_us[agent]:
            elsewhere = sorted({MEDIA[media] for media in self._held.media[self._held.agent == agent]})
            more = f"; has work elsewhere in hand: {', '.join(elsewhere)}" if elsewhere else ""
            return f"busy for another {self._in_s(self.busy_until_us[agent])}{more}"
        if self.chosen < 0:
            return "free and able, but not asked: only the longest idle are looked at"
        if self.ladder.by_draw:
            return "free; another was drawn"
        if self.rank[agent] < self.rank[self.chosen]:
            return "free, but ranked lower"
        # Of those freed at one instant the replay settles one after another; here all of them are free already.
        if self.rank[agent] > self.rank[self.chosen]:
            return "free and ranked higher, but not among the longest idle, or became free at this very instant"
        return self._tie(agent) if free[agent] else "free"

    def _why(self, agent: int) -> list[str]:
        """What an agent does elsewhere at that instant, as the record calls it."""
        at, work = self.at_us, self.played.completed.centre.elsewhere
        now = work.filter(pl.col("agent") == agent, pl.col("start_us") <= at, pl.col("end_us") > at)
        return sorted(set(now["why"].to_list()))

    def _tie(self, agent: int) -> str:
        """Why an agent of the same rank was not asked first."""
        mine_us, chosen_us = self.idle_us[agent], self.idle_us[self.chosen]
        if mine_us > chosen_us:
            return "free, but idle for less long"
        if mine_us == chosen_us and agent > self.chosen:
            return "free and idle for just as long; the smaller agent id goes first"
        # Of those freed at one instant the replay settles one after another; alerts in vain are not kept.
        return "free and ranked the same, but became free at this very instant, or an alert in vain put it back"

    def _in_s(self, until_us: int) -> str:
        return f"{(until_us - self.at_us) / 1e6:,.0f} s"

    def _barred(self, agent: int) -> str:
        kind = int(self.played.demand.kind[self.row])
        later = np.flatnonzero(self.ladder.rank[self.rows, agent] > NEVER)
        if later.size:
            opens_s = self.ladder.after_us[self.rows][later[0]] / 1e6
            prefers = self.ladder.prefers is not None and self.ladder.prefers[self.rows][self.stage]
            why = "held back for preferred agents" if prefers else "outside the ring"
            return f"{why}: asked only after {opens_s:,.0f} s of waiting"
        able = self.played.demand.kinds.able
        if able is not None and able[kind, agent]:
            return "no candidate: below the threshold"
        return "not eligible: no member of the queue, or lacks what is required"

    def waiting(self) -> list[Waiter]:
        """Interactions that the agent could have taken instead, first in order first."""
        served, demand = self.played.served, self.played.demand
        if self.chosen < 0 or self.at_us == self.arrived_us:
            return []
        # A customer whose patience ends at this instant could still have been served.
        here = (demand.arrived_us <= self.at_us) & (served.until_us >= self.at_us) & (demand.leave_us >= self.at_us)
        # Rows of a kind only grow: who is ranked in one is in all later ones.
        able, first = self.ladder.rank[:, self.chosen] > NEVER, self.ladder.first_row
        opens_us = np.full(first.size - 1, NEVER_US)
        np.minimum.at(opens_us, np.repeat(np.arange(first.size - 1), np.diff(first))[able], self.ladder.after_us[able])
        here &= opens_us[demand.kind] <= self.at_us - demand.arrived_us
        here &= (served.status != Status.UNSERVED) | (served.left_us >= self.at_us)
        rows = np.flatnonzero(here)
        tier, lead_us = demand.kinds.tier[demand.kind[rows]], demand.kinds.lead_us[demand.kind[rows]]
        # As the loop compares them: least arrival less head start; by points alone where a queue scores by priority.
        key = np.where(tier > 0, demand.arrived_us[rows], 0) - lead_us
        order = np.lexsort((rows, key, tier))[:MOST_WAITING]
        return [self._waiter(int(rows[place]), int(lead_us[place]), int(tier[place])) for place in order]

    def _waiter(self, row: int, lead_us: int, tier: int) -> Waiter:
        demand = self.played.demand
        leave_us = int(demand.leave_us[row])
        return Waiter(
            interaction_id=self.played.completed.interactions.interaction_id[row],
            waited_s=(self.at_us - int(demand.arrived_us[row])) / 1e6,
            credit_s=lead_us / 1e6, priority_only=tier == 0,
            leaves_in_s=None if leave_us == NEVER_US else (leave_us - self.at_us) / 1e6,
            is_this=row == self.row,
        )  # fmt: skip


def _covered(spells: Blocks | Roster, at_us: int, n_agents: int) -> BoolArray:
    """Which agents have a spell at an instant."""
    found = np.zeros(n_agents, bool)
    found[spells.agent[(spells.start_us <= at_us) & (at_us < spells.end_us)]] = True
    return found
