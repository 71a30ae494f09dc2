"""Random problems for the event loop: whole microseconds out of a short span, so that almost everything coincides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.data.centre import Holds
from engine.data.served import Served
from engine.data.tables import MEDIA
from engine.estimates.demand import NEVER_US, Demand, Kinds
from engine.estimates.staffing import NO_HOLDS, Roster
from engine.methods.ladder import NEVER, Ladder
from engine.replay.bundles import Clock
from engine.replay.loop import replay
from tests.oracle_replay import Outcome, played

MILLION = 1_000_000


@dataclass(frozen=True)
class Problem:
    """All that a replay is given."""

    demand: Demand
    roster: Roster
    ladder: Ladder
    clock: Clock

    def play(self) -> Served:
        return replay(self.demand, self.roster, self.ladder, self.clock)

    def by_hand(self) -> list[Outcome]:
        return played(self.demand, self.roster, [(self.ladder, NEVER_US)], self.clock)


def problem(seed: int) -> Problem:
    """Few agents and interactions of any sort; one in thirty has more than fit into a word of 64 bits."""
    rng = np.random.default_rng(seed)
    wide, single, span_us = seed % 30 == 0, rng.random() < 0.35, int(rng.choice([8, 20, 60]))
    n_agents = int(rng.choice([63, 64, 65, 130]) if wide else rng.integers(1, 7))
    n_kinds = int(rng.choice([2, 64, 70]) if wide else rng.integers(1, 5))
    kinds = random_kinds(rng, n_kinds, n_agents, single)
    n_rows = rng.integers(1, int(rng.choice([2, 4])), n_kinds)
    return Problem(
        random_demand(rng, kinds, int(rng.integers(1, 150 if wide else 25)), span_us),
        random_roster(rng, n_agents, span_us, single),
        random_ladder(rng, *random_rows(rng, n_rows), n_agents),
        random_clock(rng),
    )


def random_kinds(rng: Any, n_kinds: int, n_agents: int, single: bool) -> Kinds:
    """Voice only or any media; two tiers, head starts of either sign."""
    return Kinds(
        media=rng.integers(0, 1 if single else len(MEDIA), n_kinds).astype(np.int8),
        tier=rng.choice([0, 1, 1], n_kinds).astype(np.int8),
        lead_us=rng.integers(-3, 4, n_kinds) * rng.integers(0, 2),
        eligible=rng.random((n_kinds, n_agents)) < rng.choice([0.3, 0.8]),
        call_type=np.arange(n_kinds, dtype=np.int32),
        timeout_us=rng.integers(0, 5, n_kinds) if rng.random() < 0.3 else None,
    )


def random_demand(rng: Any, kinds: Kinds, n: int, span_us: int) -> Demand:
    """Handling, patience and alerts of 0 among others; some never leave, some alerts go unanswered."""
    arrived_us, longest_us = np.sort(rng.integers(0, span_us, n)), int(rng.choice([1, 4, 12]))
    leaves = rng.random(n) < rng.choice([0.2, 0.7])
    return Demand(
        arrived_us=arrived_us,
        kind=rng.integers(0, len(kinds.media), n).astype(np.int32),
        handle_us=rng.integers(0, longest_us + 1, n),
        leave_us=np.where(leaves, arrived_us + rng.choice([0, 1, 2, 5, 10], n), NEVER_US),
        kinds=kinds,
        flows_out=rng.random(n) < 0.3,
        alert_us=rng.integers(0, 4, n) * rng.integers(0, 2),
        misses=(rng.integers(0, 4, n) * (rng.random(n) < rng.choice([0.0, 0.4]))).astype(np.int32),
        pick=rng.choice([0.0, 0.3, 0.5, 1 - 2**-53], n),
        base_us=rng.integers(0, 2 * longest_us + 1, n) / 2,
        factor=rng.choice([0.0, 0.5, 1.0, 1.7], (2, kinds.eligible.shape[1])) if rng.random() < 0.3 else None,
        handling=rng.integers(0, 2, n).astype(np.int32),
    )


def random_roster(rng: Any, n_agents: int, span_us: int, single: bool) -> Roster:
    """Up to three spells each, in no order; some agents never come."""
    rows = []
    for a in range(n_agents):
        edges = np.sort(rng.choice(np.arange(-2, span_us + 5), 2 * int(rng.choice([0, 1, 1, 1, 2, 3])), replace=False))
        rows += [(a, *spell) for spell in edges.reshape(-1, 2).tolist()]
    agent, start_us, end_us = np.array(rows, np.int64).reshape(-1, 3)[rng.permutation(len(rows))].T
    n_each = (n_agents, len(MEDIA))
    capacity = np.ones(n_each) if single else rng.integers(0, 4, n_each)
    idle_us = np.where(rng.random(n_agents) < 0.2, NEVER_US, rng.integers(-3, 1, n_agents))
    # One rule for everybody, or one for each.
    of = (n_agents, len(MEDIA), len(MEDIA))[int(rng.integers(0, 2)) :]
    interrupts = rng.random(of) < rng.choice([0.0, 0.3, 1.0])
    held = random_holds(rng, n_agents, span_us) if rng.random() < 0.5 else NO_HOLDS
    return Roster(agent.astype(np.int32), start_us, end_us, idle_us, capacity.astype(np.int8), interrupts, held)


def random_holds(rng: Any, n_agents: int, span_us: int) -> Holds:
    """Work elsewhere of any media, on queue or not, several at once among them."""
    n = int(rng.integers(0, 3 * n_agents + 1))
    start_us = rng.integers(-2, span_us + 3, n)
    media = rng.integers(0, len(MEDIA), n).astype(np.int8)
    return Holds(
        rng.integers(0, n_agents, n).astype(np.int32), start_us, start_us + rng.integers(1, span_us // 2 + 2, n), media
    )


def random_rows(rng: Any, n_rows: Any) -> tuple[Any, Any]:
    """First row of each kind, and the waits from which rows hold."""
    first_row = np.concatenate([[0], np.cumsum(n_rows)]).astype(np.int32)
    after_us = np.concatenate([np.sort(rng.choice(np.arange(1, 8), n, replace=False)) for n in n_rows])
    after_us[first_row[:-1]] = 0
    return first_row, after_us


def random_ladder(rng: Any, first_row: Any, after_us: Any, n_agents: int) -> Ladder:
    """Rows of few ranks or one, each of a kind with the agents of the row before and more."""
    rank = rng.choice([0.0] if rng.random() < 0.4 else [-1.5, 0.0, 0.0, 2.0], (len(after_us), n_agents))
    able = rng.random(rank.shape) < rng.choice([0.2, 0.6, 1.0])
    for row in np.flatnonzero(after_us):
        able[row] |= able[row - 1]
    return Ladder(
        np.where(able, rank, NEVER), first_row, after_us,
        pool=rng.random(rank.shape) < 0.7 if rng.random() < 0.5 else None,
        limit=rng.integers(0, 4, len(rank)).astype(np.int32) if rng.random() < 0.4 else None,
        by_draw=bool(rng.random() < 0.2),
    )  # fmt: skip


def random_clock(rng: Any) -> Clock:
    """Look-back, time-out and time away of a few microseconds, 0 included."""
    lookback_s, timeout_s, away_s = (rng.integers(0, 6, 3) / MILLION).tolist()
    return Clock(lookback_s, *(rng.random(2) < 0.3).tolist(), timeout_s, away_s)


def untied(given: Problem, rng: Any) -> Problem:
    """The problem stretched so far that nothing coincides, and no choice left to the place in the list."""

    def apart(times_us: Any) -> Any:
        return np.where(
            times_us == NEVER_US, NEVER_US, times_us * 1000 * MILLION + rng.integers(0, MILLION, times_us.size)
        )

    demand, roster = given.demand, given.roster
    arrived_us = np.sort(apart(demand.arrived_us))
    patience_us = apart(np.where(demand.leave_us == NEVER_US, NEVER_US, demand.leave_us - demand.arrived_us))
    single = (roster.capacity == 1).all()
    demand = replace(
        demand, arrived_us=arrived_us,
        leave_us=np.where(patience_us == NEVER_US, NEVER_US, arrived_us + patience_us),
        handle_us=apart(demand.handle_us), alert_us=apart(demand.alert_us), base_us=1e9 * demand.base_us,
        # Who holds several and misses two at once hands both on at one instant.
        misses=demand.misses if single else np.zeros_like(demand.misses),
    )  # fmt: skip
    held = replace(roster.held, start_us=apart(roster.held.start_us), end_us=apart(roster.held.end_us))
    roster = replace(
        roster, start_us=apart(roster.start_us), end_us=apart(roster.end_us), held=held,
        idle_us=-rng.permutation(roster.n_agents),
    )  # fmt: skip
    ladder = replace(given.ladder, by_draw=False, after_us=1000 * MILLION * given.ladder.after_us)
    return Problem(
        demand, roster, ladder, Clock(resets_on_queue=given.clock.resets_on_queue, timeout_s=2500, away_s=1500)
    )


def reseated(given: Problem, at: Any) -> Problem:
    """The same problem with the agent of place at[k] in place k."""
    demand, roster, ladder = given.demand, given.roster, given.ladder
    kinds = replace(demand.kinds, eligible=demand.kinds.eligible[:, at])
    factor = None if demand.factor is None else demand.factor[:, at]
    pool = None if ladder.pool is None else ladder.pool[:, at]
    place = np.argsort(at).astype(np.int32)
    held = replace(roster.held, agent=place[roster.held.agent])
    roster = replace(
        roster, agent=place[roster.agent], idle_us=roster.idle_us[at], capacity=roster.capacity[at],
        interrupts=roster.interrupts[at], held=held,
    )  # fmt: skip
    ladder = replace(ladder, rank=ladder.rank[:, at], pool=pool)
    return Problem(replace(demand, kinds=kinds, factor=factor), roster, ladder, given.clock)
