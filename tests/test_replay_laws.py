"""Laws of replays: queueing theory, and what must hold for everybody's calls and everybody's day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from engine.data.served import Served, Status
from engine.estimates.demand import NEVER_US, Demand, Kinds, leaving
from engine.estimates.staffing import NO_HOLDS, Roster
from engine.methods.ladder import NEVER, Ladder, one_row_each, stacked
from engine.replay.loop import replay
from tests.replay_problems import MILLION, Problem, problem

ANSWERED, ABANDONED, FLOWED_OUT, UNSERVED = Status
N_PROBLEMS = 40 * settings.default.max_examples
# Replications of a steady state; their scatter gives the error.
N_REPLICATIONS, N_CALLS, N_WARM = 20, 150_000, 3_000
N_KINDS = 3


def waits_us(demand: Demand, served: Served) -> Any:
    return served.left_us - demand.arrived_us


# --- rules that never leave an able agent idle while somebody waits ----------------------------------------------


def rules(n_agents: int) -> dict[str, Ladder]:
    """Who is asked first among agents who can all take everything."""
    rng = np.random.default_rng(7)
    rank = rng.random((N_KINDS, n_agents))
    return {
        "longest idle": one_row_each(np.zeros_like(rank)),
        "by rank": one_row_each(rank),
        "the best of the 3 longest idle": one_row_each(rank, limit=np.full(N_KINDS, 3)),
        "by draw": one_row_each(rank, by_draw=True),
        "by rank, later others": stacked([[(0.0, row), (20.0, -row), (60.0, 0 * row)] for row in rank]),
    }


RULES = tuple(rules(1))


def steady(seed: int, per_min: float, mean_min: float, n_agents: int) -> Demand:
    """Poisson arrivals of kinds with tiers and head starts of their own, exponential handling, endless patience."""
    rng = np.random.default_rng(seed)
    kinds = Kinds.plain(np.ones((N_KINDS, n_agents), bool), lead_s=[0, 90, -30])
    kinds = replace(kinds, tier=np.array([1, 1, 0], np.int8))
    arrived_s = np.cumsum(rng.exponential(60 / per_min, N_CALLS))
    kind = rng.integers(0, N_KINDS, N_CALLS)
    demand = Demand.of(arrived_s, rng.exponential(60 * mean_min, N_CALLS), kinds, kind)
    return replace(demand, pick=rng.random(N_CALLS))


def always(n_agents: int, demand: Demand) -> Roster:
    """Everybody on queue until long after the last arrival."""
    until_s = demand.arrived_us[-1] / MILLION + 1e6
    return Roster.of(n_agents, np.arange(n_agents), np.zeros(n_agents), np.full(n_agents, until_s))


def within_four_errors(samples: list[float], exact: float, most: float = 0.02) -> None:
    """The mean of replications is as near as chance allows, and chance is small."""
    error = np.std(samples, ddof=1) / np.sqrt(len(samples))
    assert error < most * exact, f"{error:.2g} is much beside {exact:.6g}"
    assert abs(np.mean(samples) - exact) < 4 * error, f"{np.mean(samples):.6g} +- {error:.2g}, exact {exact:.6g}"


def exponential(share: Any) -> Any:
    """Draws of mean 1 from draws in [0, 1)."""
    return -np.log1p(-share)


def erlang_c(load: float, n_agents: int) -> float:
    """Chance of waiting, by the recursion of Erlang's B formula."""
    lost = 1.0
    for n in range(1, n_agents + 1):
        lost = load * lost / (n + load * lost)
    return lost / (1 - load / n_agents * (1 - lost))


def test_erlangs_formula_gives_the_published_figures():
    assert erlang_c(48, 50) == pytest.approx(0.694456, abs=1e-6)
    assert 60 * erlang_c(48, 50) / (50 - 48) == pytest.approx(20.83, abs=0.005)
    levels = [1 - erlang_c(10, n) * np.exp(-(n - 10) * 20 / 180) for n in range(11, 16)]
    assert levels == pytest.approx([0.389614, 0.640158, 0.795595, 0.888350, 0.941453], abs=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_with_one_law_of_handling_any_rule_has_erlang_cs_mean_wait(rule):
    """100 calls in 30 minutes of 3 minutes each; by Little's law the mean queue follows."""
    n_agents, per_min, mean_min = 12, 100 / 30, 3.0
    waited, mean_min_wait, queued = [], [], []
    for seed in range(N_REPLICATIONS):
        demand = steady(seed, per_min, mean_min, n_agents)
        served = replay(demand, always(n_agents, demand), rules(n_agents)[rule])
        wait_us = waits_us(demand, served)[N_WARM:]
        waited.append(np.mean(wait_us > 0))
        mean_min_wait.append(wait_us.mean() / 60e6)
        queued.append(mean_queue(demand, served, demand.arrived_us[N_WARM], demand.arrived_us[-1]))
    chance = erlang_c(per_min * mean_min, n_agents)
    wait_min = chance * mean_min / (n_agents - per_min * mean_min)
    within_four_errors(waited, chance)
    within_four_errors(mean_min_wait, wait_min, most=0.03)
    within_four_errors(queued, per_min * wait_min, most=0.03)


def mean_queue(demand: Demand, served: Served, start_us: int, end_us: int) -> float:
    """Interactions waiting at a moment, counted at 50,000 moments."""
    moments = np.linspace(start_us, end_us, 50_000)
    arrived = np.searchsorted(demand.arrived_us, moments, side="right")
    return float(np.mean(arrived - np.searchsorted(np.sort(served.left_us), moments, side="right")))


@pytest.mark.parametrize(("n_agents", "level"), [(11, 0.389614), (13, 0.795595), (15, 0.941453)])
def test_the_share_answered_within_20_s_is_erlang_cs_where_the_first_come_is_served_first(n_agents, level):
    shares = []
    for seed in range(N_REPLICATIONS):
        demand = steady(100 + seed, 100 / 30, 3.0, n_agents)
        demand = replace(demand, kind=0 * demand.kind)
        served = replay(demand, always(n_agents, demand), rules(n_agents)["longest idle"])
        shares.append(np.mean(waits_us(demand, served)[N_WARM:] <= 20 * MILLION))
    within_four_errors(shares, level)


@dataclass(frozen=True)
class Impatient:
    """Calls per minute of so many minutes each, agents, patience of mean 1 and its mean [min]; what theory gives."""

    per_min: float
    mean_min: float
    n_agents: int
    patience: Callable[[Any], Any]
    patience_min: float
    waits: float
    leaves: float
    wait_min: float | None = None


IMPATIENT = {
    "small, exponential": Impatient(100 / 30, 3, 14, exponential, 5, 0.145260, 0.0139837, 0.0699187),
    "exponential": Impatient(48, 1, 50, exponential, 2, 0.467774, 0.030912, 3.709 / 60),
    "constant": Impatient(48, 1, 50, np.ones_like, 2, 0.690679, 0.000515065),
    "uniform": Impatient(48, 1, 50, lambda share: 2 * share, 2, 0.522724, 0.0234189),
}


@pytest.mark.parametrize("name", IMPATIENT)
def test_customers_who_leave_do_so_as_often_as_published(name):
    case = IMPATIENT[name]
    waited, left, wait_min = [], [], []
    for seed in range(N_REPLICATIONS):
        demand = steady(200 + seed, case.per_min, case.mean_min, case.n_agents)
        patience_s = 60 * case.patience_min * case.patience(np.random.default_rng(300 + seed).random(N_CALLS))
        demand = replace(demand, kind=0 * demand.kind, leave_us=leaving(demand.arrived_us, patience_s))
        served = replay(demand, always(case.n_agents, demand), rules(case.n_agents)["by rank"])
        wait_us = waits_us(demand, served)[N_WARM:]
        waited.append(np.mean(wait_us > 0))
        left.append(np.mean(served.status[N_WARM:] == ABANDONED))
        wait_min.append(wait_us.mean() / 60e6)
    within_four_errors(waited, case.waits)
    within_four_errors(left, case.leaves, most=0.2)  # one in two thousand leaves where patience is constant
    if case.wait_min is not None:
        within_four_errors(wait_min, case.wait_min)


def test_with_handling_of_one_length_every_rule_answers_at_the_same_instants():
    """Who is answered when changes, how many are answered by when does not: a law without chance."""
    demand = steady(1, 100 / 30, 3.0, 12)
    demand = replace(demand, handle_us=np.full(N_CALLS, 180 * MILLION))
    played = [replay(demand, always(12, demand), ladder) for ladder in rules(12).values()]
    for served in played[1:]:
        np.testing.assert_array_equal(np.sort(served.start_us), np.sort(played[0].start_us))
        assert (served.agent != played[0].agent).mean() > 0.5


# --- laws of each interaction and each agent, on problems of any sort --------------------------------------------


def in_hand(given: Problem, served: Served, a: int) -> list[tuple[int, int, int]]:
    """From when to when an agent is busy with what was answered, alerts included, and the media; in order."""
    mine = np.flatnonzero(served.agent == a)
    media = given.demand.kinds.media[given.demand.kind[mine]]
    since_us = served.start_us - given.demand.alert_us
    return sorted(zip(since_us[mine].tolist(), served.end_us[mine].tolist(), media.tolist(), strict=True))


def spells(roster: Roster, a: int) -> list[tuple[int, int]]:
    mine = roster.agent == a
    return sorted(zip(roster.start_us[mine].tolist(), roster.end_us[mine].tolist(), strict=True))


def test_every_interaction_is_answered_leaves_or_is_never_served():
    """Offered = answered + abandoned + flowed out + unserved, each with the instants that go with it."""
    for seed in range(N_PROBLEMS):
        given = problem(seed)
        demand, served = given.demand, given.play()
        answered, unserved = served.status == ANSWERED, served.status == UNSERVED
        left = (served.status == ABANDONED) | (served.status == FLOWED_OUT)
        assert (answered.astype(int) + left + unserved == 1).all()
        assert ((served.agent >= 0) == answered).all()
        assert (served.start_us[~answered] == 0).all()
        assert (served.end_us[~answered] == 0).all()
        assert (served.left_us >= demand.arrived_us).all()
        assert (served.left_us <= demand.leave_us).all()
        assert (served.left_us == served.start_us)[answered].all()
        assert (served.left_us == demand.leave_us)[left].all()
        assert ((served.status == FLOWED_OUT) == demand.flows_out)[left].all()
        assert (demand.leave_us[unserved] == NEVER_US).all()
        if demand.factor is None:
            assert (served.end_us - served.start_us == demand.handle_us)[answered].all()


def test_nobody_holds_more_than_allowed_or_is_asked_outside_a_spell():
    """One voice call at once where the capacity is one; work in hand may outlast the spell."""
    n_held = 0
    for seed in range(N_PROBLEMS):
        given = problem(seed)
        served = given.play()
        for a in np.unique(served.agent[served.agent >= 0]).tolist():
            work, mine = in_hand(given, served, a), spells(given.roster, a)
            assert all(any(start <= asked < end for start, end in mine) for asked, _, _ in work), f"problem({seed})"
            for place, (asked, _, new) in enumerate(work):
                held = [media for _, end, media in work[:place] if end > asked]
                held += elsewhere(given.roster, a, asked)
                assert held.count(new) < given.roster.capacity[a, new], f"problem({seed})"
                n_held += len(held)
                # Of two that were assigned at one instant the order is not known.
                others = {media for since, end, media in work[:place] if since < asked < end}
                others |= {*elsewhere(given.roster, a, asked)}
                assert given.roster.interrupts[a, list(others - {new}), new].all(), f"problem({seed})"
    assert n_held > N_PROBLEMS / 10


def elsewhere(roster: Any, a: int, at_us: int) -> list[int]:
    """Media of the work elsewhere that an agent has in hand."""
    held = roster.held
    now = (held.agent == a) & (held.start_us <= at_us) & (at_us < held.end_us)
    return held.media[now].tolist()


def test_nobody_waits_while_an_agent_who_may_take_the_call_sits_free():
    """Where no rule forbids it: calls only, one row each, no limit, every alert of no length answered."""
    n_waits = 0
    for seed in range(N_PROBLEMS):
        given = unhindered(problem(seed))
        demand, served = given.demand, given.play()
        free = {a: free_time(given, served, a) for a in range(given.roster.n_agents)}
        for i in np.flatnonzero(waits_us(demand, served)):
            n_waits += 1
            since, until = demand.arrived_us[i], served.left_us[i]
            for a in np.flatnonzero(given.ladder.rank[demand.kind[i]] > NEVER).tolist():
                assert not any(start < until and end > since for start, end in free[a]), f"problem({seed})"
    assert n_waits > N_PROBLEMS


def unhindered(given: Problem) -> Problem:
    demand, ladder = given.demand, given.ladder
    kinds = replace(demand.kinds, media=np.zeros_like(demand.kinds.media))
    demand = replace(demand, kinds=kinds, alert_us=0 * demand.alert_us, misses=0 * demand.misses)
    roster = replace(given.roster, capacity=np.ones_like(given.roster.capacity), held=NO_HOLDS)
    return Problem(
        demand, roster, one_row_each(ladder.rank[ladder.first_row[:-1]], by_draw=ladder.by_draw), given.clock
    )


def free_time(given: Problem, served: Served, a: int) -> list[tuple[int, int]]:
    """On queue with nothing in hand."""
    free = []
    for start, end in spells(given.roster, a):
        since = start
        for busy_from, busy_until, _ in in_hand(given, served, a):
            if busy_from < end and busy_until > since:
                free.append((since, busy_from))
                since = busy_until
        free.append((since, end))
    return [(start, end) for start, end in free if start < end]


def test_the_same_problem_gives_the_same_bits_and_is_left_as_it_was():
    for seed in range(N_PROBLEMS // 4):
        given = problem(seed)
        first, second = given.play(), given.play()
        for field in ("status", "agent", "start_us", "end_us", "left_us", "found"):
            assert getattr(first, field).tobytes() == getattr(second, field).tobytes(), f"problem({seed})"
        for part, fresh in ((given.demand, problem(seed).demand), (given.roster, problem(seed).roster)):
            for name, value in vars(fresh).items():
                if isinstance(value, np.ndarray):
                    assert value.tobytes() == getattr(part, name).tobytes(), name


def test_the_clock_on_the_wall_does_not_matter():
    """All of it fifty years later gives the same, fifty years later."""
    later_us = 50 * 365 * 86_400 * MILLION

    def later(times_us: Any) -> Any:
        return np.where(times_us == NEVER_US, NEVER_US, np.minimum(times_us, NEVER_US - later_us) + later_us)

    for seed in range(N_PROBLEMS // 4):
        given = problem(seed)
        demand = replace(given.demand, arrived_us=later(given.demand.arrived_us), leave_us=later(given.demand.leave_us))
        times_us = {name: later(getattr(given.roster, name)) for name in ("start_us", "end_us", "idle_us")}
        held = given.roster.held
        held = replace(held, start_us=later(held.start_us), end_us=later(held.end_us))
        moved = replay(demand, replace(given.roster, held=held, **times_us), given.ladder, given.clock)
        plain = given.play()
        assert (moved.status == plain.status).all()
        assert (moved.agent == plain.agent).all()
        assert (moved.left_us == later(plain.left_us)).all(), f"problem({seed})"
        assert (moved.found == plain.found).all()
