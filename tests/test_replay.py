"""The compiled event loop equals its slow twin to the last number, however it is cut and whoever stands where."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from engine.data.served import STATUS, Served
from engine.data.tables import MEDIA
from engine.errors import InvalidScenario, InvalidTable
from engine.estimates.demand import NEVER_US, Demand, Kinds
from engine.estimates.staffing import Roster, default_interrupts
from engine.methods.ladder import NEVER, Ladder, one_row_each, stacked
from engine.replay.bundles import Clock
from engine.replay.loop import Replay, bundles, replay
from engine.stopping import Stopped, stoppable
from tests.oracle_replay import Outcome, played
from tests.replay_problems import (
    MILLION,
    problem,
    random_ladder,
    reseated,
    untied,
)

# 2,400 by default, fifty times as many at night.
N_PROBLEMS = 120 * settings.default.max_examples
VOICE, CHAT, EMAIL = (MEDIA.index(name) for name in ("voice", "chat", "email"))


def table(served: Served) -> list[Outcome]:
    """What the engine found, as the twin writes it."""
    columns = {name: getattr(served, name).tolist() for name in Outcome.__annotations__}
    columns["status"] = [STATUS[place] for place in columns["status"]]
    return [Outcome(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


# --- the twin, and laws that need none ---------------------------------------------------------------------------


def test_random_problems_come_out_as_by_hand():
    """With all sorts of outcomes, or the comparison would say little."""
    statuses, found = Counter(), Counter()
    for seed in range(N_PROBLEMS):
        given = problem(seed)
        outcomes = given.by_hand()
        assert table(given.play()) == outcomes, f"problem({seed})"
        statuses.update(outcome.status for outcome in outcomes)
        found.update(outcome.found for outcome in outcomes)
    assert min(statuses[status] for status in STATUS) > 0.05 * statuses.total()
    assert min(found[n] for n in range(3)) > 0.05 * found.total()


def test_a_replay_cut_anywhere_ends_the_same_and_never_takes_back_what_it_said():
    """Each piece gets an equal ladder of its own."""
    for seed in range(N_PROBLEMS // 3):
        given, rng = problem(seed), np.random.default_rng(seed)
        whole, pieces = table(given.play()), Replay(given.demand, given.roster, given.clock)
        for cut_us in np.sort(rng.integers(-3, 70, rng.integers(1, 6))).tolist():
            pieces.run_until(replace(given.ladder), cut_us)
            for known, final in zip(table(pieces.so_far()), whole, strict=True):
                assert known.status == "unserved" or known == final, f"problem({seed}) at {cut_us}"
                assert known == final or final.status == "unserved" or final.left_us >= cut_us, f"problem({seed})"
        assert table(pieces.finish(replace(given.ladder))) == whole, f"problem({seed})"


def test_a_replay_in_slices_that_is_stopped_and_goes_on_ends_the_same():
    """Slices of a step or a few, so that they end between events of one instant too; stopped after one of them."""
    n_stopped = 0
    for seed in range(N_PROBLEMS // 3):
        given, rng = problem(seed), np.random.default_rng([seed, 3])
        sliced = Replay(given.demand, given.roster, given.clock, n_steps=int(rng.integers(1, 9)))
        asked = iter([False] * int(rng.integers(0, 12)) + [True])
        try:
            with stoppable(lambda: next(asked)):  # noqa: B023
                sliced.run_until(given.ladder)
        except Stopped:
            n_stopped += 1
        assert table(sliced.finish(given.ladder)) == table(given.play()), f"problem({seed})"
    assert n_stopped > N_PROBLEMS // 6


@pytest.mark.parametrize("n_kinds", [1, 40])
def test_a_slice_ends_after_so_many_events_and_looks_at_kinds(n_kinds):
    """A choice among many kinds takes long, so it counts as many steps; an event is never cut.

    100 calls at once for one agent: the spell and 100 arrivals, of which the first is taken. Each of the first 99 ends
    looks at the kinds that still wait, then come the last end, the spell's, and the look that finds nothing more.
    """
    n, most, asked = 100, 10, []
    kinds = Kinds.plain(np.ones((n_kinds, 1), bool))
    run = Replay(
        Demand.of(np.zeros(n), np.ones(n), kinds, np.arange(n) % n_kinds), on_queue((0.0, 1000.0)), n_steps=most
    )
    ladder = one_row_each(np.zeros((n_kinds, 1)))
    # Bundled before, which asks as well.
    run.run_until(ladder, -1)
    with stoppable(lambda: bool(asked.append(1))):
        run.finish(ladder)
    n_slices, n_steps = 1, 0
    for steps in [1] * 101 + [1 + min(n_kinds, waiting) for waiting in range(99, 0, -1)] + [1, 1, 1]:
        if n_steps >= most:
            n_slices, n_steps = n_slices + 1, 0
        n_steps += steps
    # Asked before the first slice and after each that did not end it.
    assert len(asked) == n_slices


def test_another_ladder_holds_from_its_instant_on():
    for seed in range(N_PROBLEMS // 6):
        given, rng = problem(seed), np.random.default_rng(seed)
        first_row, after_us, n_agents = given.ladder.first_row, given.ladder.after_us, given.roster.n_agents
        cuts_us = [*np.sort(rng.integers(0, 40, 2)).tolist(), NEVER_US]
        ladders = [(random_ladder(rng, first_row, after_us, n_agents), cut_us) for cut_us in cuts_us]
        run = Replay(given.demand, given.roster, given.clock)
        for ladder, cut_us in ladders[:-1]:
            run.run_until(ladder, cut_us)
        outcomes = played(given.demand, given.roster, ladders, given.clock)
        assert table(run.finish(ladders[-1][0])) == outcomes, f"problem({seed})"


def test_renaming_agents_renames_the_choice():
    """Where no two are idle for the same time, nobody gains by the place in the list."""
    n_answered = 0
    for seed in range(N_PROBLEMS // 6):
        rng = np.random.default_rng(seed)
        given = untied(problem(seed), rng)
        at = rng.permutation(given.roster.n_agents)
        plain, moved = table(given.play()), table(reseated(given, at).play())
        back = [replace(outcome, agent=-1 if outcome.agent < 0 else at[outcome.agent]) for outcome in moved]
        assert back == plain, f"problem({seed})"
        n_answered += sum(outcome.agent >= 0 for outcome in plain)
    assert n_answered > N_PROBLEMS // 6


# --- cases for the pencil, in seconds ----------------------------------------------------------------------------


def calls(arrived_s: Any, handle_s: Any, n_agents: int = 1, patience_s: Any = np.inf, **more: Any) -> Demand:
    """Calls of one kind that everybody may take."""
    kinds = Kinds.plain(np.ones((1, n_agents), bool))
    return replace(Demand.of(arrived_s, handle_s, kinds, patience_s=patience_s), **more)


def on_queue(*spells: tuple[float, float]) -> Roster:
    """One agent for each spell."""
    start_s, end_s = np.array(spells, float).T
    return Roster.of(len(spells), np.arange(len(spells)), start_s, end_s)


def flat(n_agents: int = 1, n_kinds: int = 1) -> Ladder:
    return one_row_each(np.zeros((n_kinds, n_agents)))


def outcome_s(demand: Demand, roster: Roster, ladder: Ladder, **clock: Any) -> list[tuple[Any, ...]]:
    """Status, agent, and end of waiting of each. [s]"""
    served = replay(demand, roster, ladder, Clock(**clock))
    return [(outcome.status, outcome.agent, outcome.left_us / 1e6) for outcome in table(served)]


@pytest.mark.parametrize(("patience_s", "outcome"), [(10, ("answered", 0, 10)), (9.5, ("abandoned", -1, 9.5))])
def test_a_wait_equal_to_the_patience_is_served(patience_s, outcome):
    demand = calls([0, 0], 10, patience_s=[np.inf, patience_s])
    assert outcome_s(demand, on_queue((0, 60)), flat())[1] == outcome


def test_a_spell_is_open_at_its_start_and_closed_at_its_end():
    """Work in hand at the end is finished; an agent freed at the very end gets nothing more."""
    demand = calls([5, 9, 20, 21, 30], [4, 11.5, 0.5, 9, 5])
    roster = Roster.of(1, [0, 0], [5, 21], [20, 30])
    statuses = [("answered", 0, 5.0), ("answered", 0, 9.0), ("answered", 0, 21.0), ("answered", 0, 21.5)]
    assert outcome_s(demand, roster, flat()) == [*statuses, ("unserved", -1, 30.5)]


def test_rank_goes_before_idle_time_and_idle_time_before_the_place():
    roster = on_queue((0, 60), (-1, 60), (0, 60), (0, 60))
    ladder = one_row_each(np.array([[0.0, 0.0, 0.0, 1.0]]))
    assert [row[1] for row in outcome_s(calls([1, 1, 1, 1], 9, 4), roster, ladder)] == [3, 1, 0, 2]


def test_a_stage_opens_after_its_wait():
    """The better agent is asked first as long as both could be."""
    ladder = stacked([[(0.0, np.array([1.0, NEVER])), (30.0, np.array([1.0, 0.0]))]])
    demand = calls([0, 1, 95], [90, 5, 5], 2)
    assert [row[1:] for row in outcome_s(demand, on_queue((0, 99), (0, 99)), ladder)] == [(0, 0), (1, 31), (0, 95)]


@pytest.mark.parametrize(("ahead_s", "first"), [(59.0, 2), (60.0, 1), (61.0, 1)])
def test_a_point_of_priority_is_worth_a_minute(ahead_s, first):
    """Equal scores go to the earlier arrival."""
    kinds = Kinds.plain(np.ones((2, 1), bool), lead_s=[0.0, 60.0])
    demand = Demand.of([0, 1, 1 + ahead_s], [100, 5, 5], kinds, kind=[0, 0, 1])
    left_s = [row[2] for row in outcome_s(demand, on_queue((0, 200)), flat(1, 2))]
    assert left_s[first] == 100.0
    assert left_s[3 - first] == 105.0


def test_tier_0_goes_before_all_of_tier_1_and_by_its_own_order():
    kinds = replace(Kinds.plain(np.ones((3, 1), bool), lead_s=[1e6, 0, 5]), tier=np.array([1, 0, 0], np.int8))
    demand = Demand.of([0, 1, 2, 3], 10, kinds, kind=[0, 0, 1, 2])
    assert [row[2] for row in outcome_s(demand, on_queue((0, 99)), flat(1, 3))] == [0.0, 30.0, 20.0, 10.0]


def test_a_limit_counts_the_longest_idle_of_the_pool_whether_they_are_ranked_or_not():
    roster = on_queue((-3, 60), (-2, 60), (-1, 60))
    rank = np.array([[NEVER, 1.0, 2.0]])
    everybody = np.ones((1, 3), bool)

    def first_choice(limit: int, **more: Any) -> int:
        return outcome_s(calls([0], 9, 3), roster, one_row_each(rank, limit=np.array([limit]), **more))[0][1]

    assert [first_choice(limit, pool=everybody) for limit in (0, 1, 2, 3)] == [2, -1, 1, 2]
    assert [first_choice(limit) for limit in (1, 2)] == [1, 2]


@pytest.mark.parametrize(("pick", "drawn"), [(0.0, 0), (0.33, 0), (0.34, 2), (0.67, 3), (1 - 2**-53, 3)])
def test_a_draw_takes_each_free_agent_with_the_same_chance(pick, drawn):
    ladder = one_row_each(np.array([[5.0, NEVER, 0.0, 0.0]]), by_draw=True)
    demand = calls([0], 9, 4, pick=np.array([pick]))
    assert outcome_s(demand, on_queue(*[(0, 60)] * 4), ladder)[0][1] == drawn


def test_an_alert_that_nobody_answers_goes_to_the_next_and_its_agent_is_away():
    """15 s of alert, then the other agent; the first is back after 60 s."""
    demand = calls([0, 20], [100, 5], 2, misses=np.array([1, 0]), alert_us=np.array([2_000_000, 0]))
    assert outcome_s(demand, on_queue((0, 200), (0, 200)), flat(2)) == [("answered", 1, 17.0), ("answered", 0, 75.0)]


def test_a_customer_may_leave_while_an_agent_is_alerted():
    """The agent is free again at that instant, and as long idle as before."""
    demand = calls(
        [0, 0], 5, patience_s=[3.0, np.inf], alert_us=np.full(2, 4_000_000), flows_out=np.array([True, False])
    )
    assert outcome_s(demand, on_queue((0, 60)), flat()) == [("flowed_out", -1, 3.0), ("answered", 0, 7.0)]


def test_capacity_and_interruptions_say_what_an_agent_holds_at_once():
    """Four chats, nothing else beside them; an email may be interrupted by anything."""
    kinds = replace(Kinds.plain(np.ones((3, 1), bool)), media=np.array([CHAT, EMAIL, VOICE], np.int8))
    chats = Demand.of([0, 0, 0, 0, 0, 1], [9, 20, 20, 20, 5, 5], kinds, kind=[0, 0, 0, 0, 0, 2])
    assert [row[2] for row in outcome_s(chats, on_queue((0, 99)), flat(1, 3))] == [0.0, 0.0, 0.0, 0.0, 9.0, 20.0]
    mixed = Demand.of([0, 1, 2, 3], [20, 5, 5, 1], kinds, kind=[1, 2, 1, 2])
    assert [row[2] for row in outcome_s(mixed, on_queue((0, 99)), flat(1, 3))] == [0.0, 1.0, 20.0, 6.0]


def test_factors_stretch_the_base_and_halves_go_to_even():
    demand = calls([0, 1], 99, base_us=np.array([5.0, 7.0]), factor=np.array([[0.5]]))
    assert (replay(demand, on_queue((0, 9)), flat()).end_us - [0, MILLION]).tolist() == [2, 4]


def test_interactions_of_no_length_are_all_answered_at_once():
    assert outcome_s(calls([7] * 3, 0), on_queue((0, 9)), flat()) == [("answered", 0, 7.0)] * 3


def test_idle_time_runs_from_the_end_of_the_last_work():
    demand = calls([2, 3, 20], [9, 2, 5], 2)
    assert [row[1] for row in outcome_s(demand, on_queue((0, 60), (1, 60)), flat(2))] == [0, 1, 1]


def test_coming_on_queue_touches_the_idle_clock_only_where_a_switch_says_so():
    """Idle since 8, 9 and 7 s, on queue from 10, 10 and 40 s."""
    roster = replace(on_queue((10, 99), (10, 99), (40, 99)), idle_us=MILLION * np.array([8, 9, 7]))

    def asked(**clock: Any) -> int:
        return outcome_s(calls([50], 9, 3), roster, flat(3), **clock)[0][1]

    assert (asked(), asked(resets_on_queue=True), asked(lookback_s=32.9), asked(lookback_s=33.0)) == (2, 0, 0, 2)


@pytest.mark.parametrize(("patience_s", "asked"), [(np.inf, [0, 2]), (3.0, [0, 1])])
def test_an_alert_that_comes_to_nothing_puts_an_agent_at_the_back_only_where_a_switch_says_so(patience_s, asked):
    """The second call asks agent 0, who missed or lost the first, or those longer idle since then."""
    demand = calls([0, 90], [5, 5], 3, patience_s=[patience_s, np.inf], misses=np.array([1, 0]))
    roster = replace(on_queue(*[(0, 99)] * 3), idle_us=np.array([-3, -2, -1]))
    assert [outcome_s(demand, roster, flat(3), alert_resets=flag)[1][1] for flag in (False, True)] == asked


def test_two_missed_alerts_keep_an_agent_away_until_the_later_is_over():
    """The first return would be at 75, the second is at 85."""
    kinds = replace(Kinds.plain(np.ones((1, 1), bool)), media=np.array([CHAT], np.int8))
    demand = replace(Demand.of([0, 10], 5, kinds), misses=np.array([1, 1]))
    assert [row[2] for row in outcome_s(demand, on_queue((0, 200)), flat())] == [85.0, 85.0]


def test_an_agent_whose_spell_ends_now_is_not_asked_after_a_missed_alert():
    demand = calls([0], 5, 2, misses=np.array([1]))
    roster = replace(on_queue((0, 200), (0, 15)), idle_us=np.array([-1, 0]))
    assert outcome_s(demand, roster, flat(2)) == [("answered", 0, 75.0)]


def test_a_stage_has_its_turn_even_where_an_alert_was_missed_at_its_instant():
    """An agent who came in between, not ranked but eligible, counts as found."""
    ladder = stacked([[(0.0, np.array([0.0, NEVER])), (15.0, np.array([1.0, NEVER]))]])
    demand = replace(calls([0], 5, 2, misses=np.array([1])), kinds=Kinds.plain(np.array([[False, True]])))
    assert replay(demand, on_queue((0, 99), (15, 99)), ladder).found.tolist() == [1]


def test_whoever_is_never_served_waits_until_the_last_event():
    """Here the agent's return from a missed alert."""
    assert outcome_s(calls([5], 5, misses=np.array([1])), on_queue((0, 10)), flat()) == [("unserved", -1, 80.0)]


@pytest.mark.parametrize("seed", range(settings.default.max_examples))
def test_a_roster_may_have_other_agents_than_the_kinds(seed):
    """More agents than anybody may ask change nothing; agents missing from it are as if never on queue."""
    given = problem(seed)
    demand, roster, n = given.demand, given.roster, given.roster.n_agents
    more = Roster(
        np.append(roster.agent, np.array([n, n + 1], np.int32)), np.append(roster.start_us, [-1, 0]),
        np.append(roster.end_us, [99, 99]), np.append(roster.idle_us, [-9, -9]),
        np.concatenate([roster.capacity, np.ones((2, len(MEDIA)), np.int8)]),
        np.concatenate([roster.interrupts, roster.interrupts[[0, 0]]]), roster.held,
    )  # fmt: skip
    assert table(replay(demand, more, given.ladder, given.clock)) == table(given.play())
    kept = roster.agent < n - 1
    spells = (side[kept] for side in (roster.agent, roster.start_us, roster.end_us))
    held = roster.held.of(roster.held.agent < n - 1)
    away = Roster(*spells, roster.idle_us, roster.capacity, roster.interrupts, held)
    assert away.of_agents(n - 1).n_agents == n - 1
    found = replay(demand, away.of_agents(n - 1), given.ladder, given.clock)
    assert table(found) == played(demand, away, [(given.ladder, NEVER_US)], given.clock)


@pytest.mark.parametrize("seed", range(2 * settings.default.max_examples))
def test_spells_that_touch_or_overlap_are_one(seed):
    """Cut into pieces that touch or overlap, in any order: the twin, who is given whole spells, finds the same."""
    rng, given = np.random.default_rng([seed, 1]), problem(seed)
    rows = []
    for agent, start, end in zip(given.roster.agent, given.roster.start_us, given.roster.end_us, strict=True):
        cuts = np.sort(rng.integers(start, end + 1, int(rng.integers(0, 3))))
        edges = np.unique([start, *cuts, end])
        rows += [(agent, low, min(high + int(rng.integers(0, 2)), end)) for low, high in pairwise(edges)]
    agent, start_us, end_us = np.array(rows, np.int64).reshape(-1, 3)[rng.permutation(len(rows))].T
    pieces = replace(given.roster, agent=agent.astype(np.int32), start_us=start_us, end_us=end_us)
    assert table(replay(given.demand, pieces, given.ladder, given.clock)) == given.by_hand()


@pytest.mark.parametrize("seed", range(2 * settings.default.max_examples))
def test_a_copy_goes_on_as_if_it_had_never_been_cut(seed):
    """Cut anywhere, also before the first event and after the last; the copy first, then the one copied."""
    given = problem(seed)
    wanted, rng = table(given.play()), np.random.default_rng([seed, 2])
    running = Replay(given.demand, given.roster, given.clock)
    for until_us in np.sort(rng.integers(-5, 80, 3)).tolist():
        running.run_until(given.ladder, until_us)
        before = table(running.so_far())
        assert table(running.copy().finish(given.ladder)) == wanted
        assert table(running.so_far()) == before
    twin = running.copy()
    assert table(running.finish(given.ladder)) == table(twin.finish(given.ladder)) == wanted
    untouched = Replay(given.demand, given.roster, given.clock)
    assert table(untouched.copy().finish(given.ladder)) == table(untouched.finish(given.ladder)) == wanted


def test_however_arrays_lie_in_memory_the_loop_is_compiled_once():
    """For another layout the compiler would take longer than a year of calls does."""
    from engine.kernels.replay import replay_until

    n_stretched = 0
    for seed in range(20):
        given = problem(seed)
        wanted, n_compiled = table(given.play()), len(replay_until.signatures)
        demand, roster, ladder = given.demand, given.roster, given.ladder
        if demand.factor is not None:
            demand, n_stretched = replace(demand, factor=np.asfortranarray(demand.factor)), n_stretched + 1
        sides = {name: np.asfortranarray(getattr(roster, name)) for name in ("capacity", "interrupts")}
        down = replace(ladder, rank=np.asfortranarray(ladder.rank))
        assert table(replay(demand, replace(roster, **sides), down, given.clock)) == wanted
        assert len(replay_until.signatures) == n_compiled
    assert n_stretched > 0


@pytest.mark.parametrize("n_agents", [1, 3])
def test_ladders_of_other_agents_are_refused(n_agents):
    with pytest.raises(InvalidScenario, match=f"ranks {n_agents} agents for 1 kinds of interaction, the replay has 2"):
        replay(calls([0], 5, 2), on_queue((0, 9), (0, 9)), flat(n_agents))


def test_what_does_not_fit_together_is_refused_before_the_loop_sees_it():
    """Outside its arrays the loop would read whatever lies there."""
    three = Kinds.plain(np.ones((3, 1), bool))
    with pytest.raises(InvalidScenario, match="for 1 kinds of interaction, the replay has 1 and 3"):
        replay(Demand.of([0, 1], [1, 1], three, [0, 2]), on_queue((0, 9)), flat())
    with pytest.raises(InvalidTable, match="kind must be a row of the 3 kinds"):
        Demand.of([0], [1], three, [3])
    with pytest.raises(InvalidTable, match="every column needs 1 values"):
        replace(calls([0], 5), misses=np.zeros(2, np.int32))
    with pytest.raises(InvalidTable, match="every column needs 3 values"):
        replace(three, tier=np.ones(2, np.int8))
    with pytest.raises(InvalidTable, match="must be of its 1 agents"):
        Roster(
            np.array([1]), np.array([0]), np.array([9]), np.zeros(1, np.int64), np.ones((1, len(MEDIA)), np.int8),
            default_interrupts(),
        )  # fmt: skip
    running = Replay(calls([0], 5), on_queue((0, 9)))
    running.run_until(flat(), 1)
    with pytest.raises(InvalidScenario, match="other stages of waiting"):
        running.run_until(stacked([[(0.0, np.zeros(1)), (5.0, np.ones(1))]]))


def test_reading_down_the_ranks_finds_whom_going_through_the_free_finds(monkeypatch):
    """Where there are many agents the shorter of two ways is taken; here both are, on the same problems."""
    for seed in range(500):
        wanted = table(problem(seed).play())
        with monkeypatch.context() as patched:
            patched.setattr(bundles, "MANY_AGENTS", 1)
            assert table(problem(seed).play()) == wanted


def test_nothing_at_all_is_a_replay_too():
    nobody = Roster.of(0, *np.empty((3, 0), int))
    demand = Demand.of([], [], Kinds.plain(np.ones((1, 0), bool)))
    assert table(replay(demand, nobody, flat(0))) == []
    assert outcome_s(calls([3], 5, 0), nobody, flat(0)) == [("unserved", -1, 3.0)]
