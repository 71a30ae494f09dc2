"""Time of agents: second by second, and nobody waits for a free agent unless a rule wants it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.centre import Blocks
from engine.data.served import Status
from engine.errors import InvalidTable
from engine.estimates.demand import NEVER_US, Demand, Kinds
from engine.estimates.staffing import Roster
from engine.measures.idling import idle_while_waiting, occupancy
from engine.measures.timeline import Timeline
from engine.methods.ladder import Ladder, one_row_each
from engine.replay.loop import NO_VAIN, Replay, replay
from tests.oracle_idling import CAUSES, causes
from tests.oracle_replay import Twin
from tests.replay_problems import problem

LAST, SECOND = 30, 1_000_000
N_PROBLEMS = 12 * settings.default.max_examples
NOTHING = (np.empty(0, np.int64),) * 3


@st.composite
def days(draw):
    """Services and spells (agent, start, end) of a few agents; services overlap, run over and begin too early."""
    n_agents = draw(st.integers(1, 4))
    spells = []
    for agent in range(n_agents):
        edges = draw(st.lists(st.integers(0, LAST), unique=True, max_size=6).map(sorted))
        spells += [(agent, start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    service = st.tuples(st.integers(0, n_agents - 1), st.integers(0, LAST), st.integers(0, 8))
    services = draw(st.lists(service.map(lambda s: (s[0], s[1], s[1] + s[2])), max_size=12))
    return n_agents, services, draw(st.permutations(spells))


@st.composite
def waits(draw, n_agents):
    """Waiting (arrived, until, group) and who may serve each group."""
    row = st.lists(st.booleans(), min_size=n_agents, max_size=n_agents)
    eligible = draw(st.lists(row, min_size=1, max_size=3))
    wait = st.tuples(st.integers(0, LAST), st.integers(0, 15), st.integers(0, len(eligible) - 1))
    return draw(st.lists(wait.map(lambda w: (w[0], w[0] + w[1], w[2])), max_size=10)), np.array(eligible)


def blocks(rows) -> Blocks:
    agent, start, end = zip(*rows, strict=True) if rows else ((), (), ())
    return Blocks(np.array(agent, np.int32), np.array(start, np.int64) * SECOND, np.array(end, np.int64) * SECOND)


def idle(waiting, eligible, services, spells):
    """Of customers who would take whom is eligible, so no rule says why they wait."""
    arrived, until, group = (np.array(side, np.int64) for side in zip(*waiting, strict=True)) if waiting else NOTHING
    served = SimpleNamespace(arrived_us=arrived * SECOND, until_us=until * SECOND)
    demand, n_agents = SimpleNamespace(kinds=Kinds.plain(eligible), kind=group), eligible.shape[1]
    ladder = one_row_each(np.where(eligible, 0.0, -np.inf))
    roster = Roster.of(n_agents, [], [], [])
    played = SimpleNamespace(served=served, demand=demand, roster=roster, ladders=lambda: [(0, ladder)], vain=NO_VAIN)
    return idle_while_waiting(played, Timeline(blocks(services), blocks(spells), n_agents))


def seconds(rows, agent) -> set[int]:
    """Seconds that belong to any of an agent's stretches."""
    return {t for a, start, end in rows if a == agent for t in range(start, end)}


@given(days(), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_occupancy_is_that_of_the_slow_twin(day, alerts):
    n_agents, services, spells = day
    alert_s = [min(alert, end - start) for alert, (_, start, end) in zip(alerts, services, strict=False)]
    time = Timeline(blocks(services), blocks(spells), n_agents)
    found = occupancy(time, np.array(alert_s, np.int64) * SECOND)
    for agent in range(n_agents):
        busy, staffed = seconds(services, agent), seconds(spells, agent)
        mine = [(end - start, alert) for (a, start, end), alert in zip(services, alert_s, strict=True) if a == agent]
        assert found.staffed_s[agent] == len(staffed)
        assert found.busy_s[agent] == len(busy & staffed)
        assert found.overrun_s[agent] == len(busy - staffed)
        assert found.handled[agent] == len(mine)
        assert found.handled_s[agent] == sum(length - alert for length, alert in mine)
        assert found.by_agent[agent] == pytest.approx(
            len(busy & staffed) / len(staffed) if staffed else np.nan, nan_ok=True
        )
    total = found.staffed_s.sum()
    assert found.whole == (found.busy_s.sum() / total if total else None)


@given(st.data())
def test_idling_is_that_of_the_slow_twin(data):
    """Second by second: who waits while anybody who may serve them is on queue with nothing in hand."""
    n_agents, services, spells = data.draw(days())
    waiting, eligible = data.draw(waits(n_agents))
    free = [seconds(spells, agent) - seconds(services, agent) for agent in range(n_agents)]
    wanted, waited = 0, sum(until - arrived for arrived, until, _ in waiting)
    for arrived, until, group in waiting:
        wanted += sum(any(eligible[group, a] and t in free[a] for a in range(n_agents)) for t in range(arrived, until))
    found = idle(waiting, eligible, services, spells)
    assert (found.idle_while_waiting_s, found.waiting_s) == (wanted, waited)
    assert found.share == (wanted / waited if waited else None)


def test_what_waiting_beside_free_agents_comes_from_is_that_of_the_slow_twin():
    """Of random problems: rings, limits, capacities of 0, work elsewhere, alerts that nobody answers, preferences."""
    seen = Counter()
    for seed in range(N_PROBLEMS):
        given = problem(seed)
        rng = np.random.default_rng(seed)
        ladder = replace(given.ladder, prefers=rng.random(len(given.ladder.rank)) < 0.5)
        of_rule = rng.random() < 0.8
        if of_rule:
            kinds = replace(given.demand.kinds, able=ladder.able)
            given = replace(given, demand=replace(given.demand, kinds=kinds), ladder=ladder)
        run, twin = Replay(given.demand, given.roster, given.clock), Twin(given.demand, given.roster, given.clock)
        served = run.finish(ladder)
        twin.play(ladder, NEVER_US)
        vain = run.vain()
        alerts = zip(vain.agent, vain.start_us, vain.end_us, vain.interaction, vain.until_us, strict=True)
        assert sorted(alerts) == sorted(twin.in_vain), f"problem({seed})"
        found = found_in(given, served, ladder, vain)
        wanted = causes(given.demand, given.roster, ladder, given.by_hand(), twin.in_vain)
        assert found.causes_us == wanted, f"problem({seed})"
        assert found.idle_us == sum(wanted.values())
        # Without a threshold, whoever is free, able and asked has taken the customer.
        assert not (of_rule and wanted["threshold_s"]), f"problem({seed})"
        seen.update(name for name, us in wanted.items() if us)
    assert min(seen[name] for name in CAUSES) > 5, seen


def found_in(given, served, ladder, vain):
    """As a report calls it."""
    roster = given.roster.of_agents(given.demand.kinds.eligible.shape[1])
    played = SimpleNamespace(
        served=served, demand=given.demand, roster=roster, ladders=lambda: [(0, ladder)], vain=vain
    )
    return idle_while_waiting(played, Timeline(served.services, roster, roster.n_agents, held=roster.held))


@st.composite
def centres(draw):
    """Demand with alerting, and a roster with agents who come and go."""
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    n, n_agents, n_kinds = 120, int(rng.integers(1, 7)), int(rng.integers(1, 5))
    kinds = Kinds.plain(rng.random((n_kinds, n_agents)) < 0.6)
    arrived_s = np.sort(rng.integers(0, 1500, n))
    plain = Demand.of(
        arrived_s, rng.integers(1, 60, n), kinds, rng.integers(0, n_kinds, n), rng.choice([20, 200, np.inf], n)
    )
    alert_us = rng.integers(0, 2, n) * 3 * SECOND
    demand = replace(plain, alert_us=alert_us)
    start_s = np.concatenate([rng.integers(0, 400, n_agents), rng.integers(900, 1200, n_agents)])
    return demand, Roster.of(
        n_agents, np.tile(np.arange(n_agents), 2), start_s, start_s + rng.integers(1, 500, 2 * n_agents)
    )


@given(centres())
def test_nobody_waits_for_a_free_agent_without_a_rule(centre):
    """Whatever the ranks, as long as all able agents are ranked from the first second on: but for alerts in vain."""
    demand, roster = centre
    rank = np.where(demand.kinds.eligible, np.arange(roster.n_agents) + 0.0, -np.inf)
    ladder, run = one_row_each(rank), Replay(demand, roster)
    served = run.finish(ladder)
    found = found_in(SimpleNamespace(demand=demand, roster=roster), served, ladder, run.vain())
    assert found.idle_us == found.causes_us["alert_s"]
    assert run.vain().agent.size or not found.idle_us
    # A voice agent has one thing in hand at a time: all of it is busy time or overrun.
    time = Timeline(served.services, roster, roster.n_agents)
    spent = occupancy(time, demand.alert_us[served.status == Status.ANSWERED])
    in_hand_s = (time.services.end_us - time.services.start_us).sum() / 1e6
    assert spent.busy_s.sum() + spent.overrun_s.sum() == pytest.approx(in_hand_s)
    assert spent.handled_s.sum() == pytest.approx(demand.handle_us[served.status == Status.ANSWERED].sum() / 1e6)


def test_what_a_ring_costs():
    """Two agents are free for a call that may ask the second only: after 30 s it does, and 30 s were idle."""
    demand = Demand.of([0], [10], Kinds.plain(np.ones((1, 2), bool)))
    roster = Roster.of(2, [0], [5], [100])
    ladder = Ladder(np.array([[-np.inf, 0.0], [0.0, 0.0]]), np.array([0, 2], np.int32), np.array([0, 30 * SECOND]))
    served = replay(demand, roster, ladder)
    assert served.start_us[0] == 30 * SECOND
    # On queue only from 5 s on.
    for prefers, cause in ((None, "ring_s"), (np.array([True, False]), "preference_s")):
        given = SimpleNamespace(demand=demand, roster=roster)
        found = found_in(given, served, replace(ladder, prefers=prefers), NO_VAIN)
        assert (found.idle_while_waiting_s, found.waiting_s) == (25.0, 30.0)
        assert getattr(found.causes, cause) == 25.0


def test_two_free_agents_count_once_and_two_customers_twice():
    spells = [(0, 0, 10), (1, 5, 20)]
    assert idle([(0, 30, 0)], np.ones((1, 2), bool), [], spells).idle_while_waiting_s == 20
    assert idle([(0, 30, 0), (8, 12, 0)], np.ones((1, 2), bool), [], spells).idle_while_waiting_s == 24
    assert idle([(0, 30, 0)], np.array([[False, True]]), [(1, 6, 9)], spells).idle_while_waiting_s == 12


def test_nothing_at_all():
    none = np.ones((1, 1), bool)
    found = idle([], none, [], [])
    assert (found.idle_while_waiting_s, found.waiting_s, found.share) == (0, 0, None)
    assert set(found.causes_us.values()) == {0}
    assert occupancy(Timeline(blocks([]), blocks([]), 2)).whole is None


@pytest.mark.parametrize(("services", "spells"), [([(1, 0, 5)], []), ([], [(1, 0, 5)])])
def test_unknown_agents_are_refused(services, spells):
    with pytest.raises(InvalidTable, match="only 1"):
        idle([(0, 1, 0)], np.ones((1, 1), bool), services, spells)
