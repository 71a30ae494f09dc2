"""Ladders that change while a replay goes on: satisfaction from day to day, goals from quarter to quarter."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

from engine.data.arrays import Arrays
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions
from engine.replay.playing import Played, goal_s, goal_share, play
from engine.replay.prepare import Recorded
from engine.results import plain as plainly
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests import oracle
from tests.oracle_centre import DAY_US, NEVER_US, Plain, plain, us
from tests.small_centres import (
    COLUMNS,
    DAY,
    GIVEN,
    busy_centre,
    call,
    centre,
    engine_outcomes,
    rolling,
    scenario,
    tables_of,
    untied,
)
from tests.strategies import MIDNIGHT, TICK, Dice, table

# 20 by default, fifty times as many at night.
N_CENTRES = settings.default.max_examples
N_BUSY = N_CENTRES // 2
BITS = ("status", "agent", "start_us", "end_us", "left_us", "found")


def played(chosen: Scenario, arrays: Arrays, **how: Any) -> Played:
    return play(chosen, Recorded(arrays, chosen), **how)


def same(one: Played, other: Played) -> bool:
    """To the last bit."""
    sides = [[getattr(side.served, name).tobytes() for name in BITS] + [side.score.tobytes()] for side in (one, other)]
    return sides[0] == sides[1]


# --- rolling goals -----------------------------------------------------------------------------------------------


def by_hand(chosen: Scenario, tables: Tables) -> tuple[list[tuple[Any, ...]], list[dict[str, Any]]]:
    """Outcomes and moves: stop at every quarter after midnight, count, move the weights as given, go on."""
    read = plain(chosen, tables)
    twin = read.loop()
    first_us, last_us = read.demand.arrived_us[0], read.demand.arrived_us[-1]
    step_us, queues = round(1e6 * chosen.replan_s), [queue["queue_id"] for queue in read.rows["queues"]]
    grid = range(first_us // DAY_US * DAY_US, last_us + 1, step_us)
    weights, moves, ladders, at_us = dict.fromkeys(queues, chosen.weights), [], [], first_us
    known: dict[Any, Any] = {}
    for until_us in [*(stop for stop in grid if stop > first_us), NEVER_US]:
        state = (at_us // DAY_US, *weights.values())
        ladder = known[state] = known.get(state) or read.ladder(at_us // DAY_US, weights)
        ladders.append((ladder, until_us))
        twin.play(ladder, until_us)
        if until_us < NEVER_US:
            for queue in queues:
                share = achieved(read, twin, queue, until_us)
                used = goal_moved(chosen, share)
                if used != weights[queue]:
                    moves.append({"at_us": until_us, "queue_id": queue, "performance": share,
                                  "moved": used != chosen.weights, "weights": list(used.terms)})  # fmt: skip
                weights[queue] = used
        at_us = until_us
    return [read.row(i, outcome, ladders)[:-1] for i, outcome in enumerate(twin.through([]))], moves


def achieved(read: Plain, twin: Any, queue: str, now_us: int) -> float | None:
    """Share answered within the goal's seconds of those answered or abandoned in the window that ends now."""
    goal_us = int(read.scenario.goal.split("/")[1]) * 1_000_000
    ended = [
        (outcome.status, outcome.left_us - us(each["arrived_at"]))
        for each, outcome in zip(read.calls, twin.outcomes, strict=True)
        if each["queue_id"] == queue
        and outcome.status in {"answered", "abandoned"}
        and now_us - 1e6 * read.scenario.window_s < outcome.left_us <= now_us
    ]
    within = sum(status == "answered" and wait_us <= goal_us for status, wait_us in ended)
    return within / len(ended) if ended else None


def goal_moved(chosen: Scenario, share: float | None) -> RoutingWeights:
    """Where nothing ended there is no performance, and the weights are those given."""
    if share is None:
        return chosen.weights
    return replace(chosen.weights, **dict(zip(
        ("proficiency", "language_match", "historical_csat"),
        oracle.moved(chosen.weights.terms, chosen.goal, share), strict=True,
    )))  # fmt: skip


def test_rolling_goals_move_the_weights_as_by_hand():
    """At every re-planning, by queue, from what the replay itself achieved; satisfaction changes at midnight."""
    n_moves = n_matter = 0
    for seed in range(N_BUSY):
        tables, chosen = busy_centre(seed), rolling(seed)
        arrays, (rows, moves) = encode(tables), by_hand(chosen, tables)
        assert engine_outcomes(chosen, arrays)[0] == rows, f"busy_centre({seed})"
        found = played(chosen, arrays)
        assert [plainly(move) for move in found.moves] == moves, f"busy_centre({seed})"
        n_moves += len(moves)
        n_matter += not same(found, played(chosen, arrays, still=True))
    assert n_moves > 5 * N_BUSY
    assert n_matter > N_BUSY / 2


@pytest.mark.parametrize(("later_us", "moved_at", "back_at"), [(-1, 15, 45), (0, 30, 45), (1, 30, 60)])
def test_the_window_is_open_at_its_start_and_what_happens_now_comes_after_the_look_back(
    later_us: int, moved_at: int, back_at: int
) -> None:
    """The only call leaves at 9:15 or a microsecond off: no performance before, 0 while it counts, none afterwards."""
    rows = [call(0, 600.0, patience_s=300 + later_us / 1e6, skills=["fax"]), call(1, 7200.0)]
    chosen = Scenario(mode="replay", goal="80/20", performance="rolling", required=("skills",))
    moves = played(chosen, encode(tables_of(interactions=rows))).moves
    nine_us = us(MIDNIGHT + timedelta(hours=9))
    assert [(move.at_us - nine_us, move.performance, move.moved) for move in moves] == [
        (moved_at * 60_000_000, 0.0, True), (back_at * 60_000_000, None, False),
    ]  # fmt: skip


def test_rolling_performance_needs_a_goal_and_a_replay():
    for changes in ({"mode": "replay"}, {"mode": "score", "goal": "80/20"}):
        with pytest.raises(InvalidScenario, match="performance 'rolling' is measured while a replay goes on"):
            Scenario(performance="rolling", **changes)


def test_a_goal_may_bring_satisfaction_in_that_had_no_weight():
    """95/30 reached: satisfaction weighs 0.1 before the sum is made 1, as known on the day."""
    rows = [call(n, 86_400.0 * (n // 100) + 60.0 * n, skills=["tech"], language="en") for n in range(200)]
    known = {"scale_min": 0.0, "scale_max": 1.0}
    surveys = [
        known | {"survey_id": "a", "agent_id": "ann", "score": 0.5, "completed_at": MIDNIGHT - DAY},
        known | {"survey_id": "b", "agent_id": "bob", "score": 1.0, "completed_at": MIDNIGHT + DAY - TICK},
    ]
    staffing = [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + 3 * DAY} for name in ("ann", "bob")]
    chosen = Scenario(
        mode="replay", goal="95/30", performance="rolling", weights=RoutingWeights(0.95, 0.05, 0.0, 0.0),
        csat_missing=0.0, required=(),
    )  # fmt: skip
    found = choose(chosen, tables_of(interactions=rows, surveys=surveys, staffing=staffing)).to_frame()
    # Language falls to 0: bob, who was not asked before, is the better one from the second day on.
    assert set(found["selected_agent_id"][:100]) == {"ann"}
    assert set(found["selected_agent_id"][-50:]) == {"bob"}
    assert found["composite_score"][-1] == pytest.approx(1.0)


def test_weights_kept_still_are_weights_without_a_goal():
    """Whether performance is rolling, or given and bad enough for the rule to move them."""
    n_moved = 0
    for seed in range(N_BUSY):
        arrays, chosen = encode(busy_centre(seed)), rolling(seed)
        without = played(replace(chosen, goal=None, performance=0.8), arrays)
        for performance in ("rolling", 0.5, 0.95):
            goal = replace(chosen, performance=performance)
            still = played(goal, arrays, still=True)
            assert same(still, without)
            assert still.moves == []
            n_moved += not same(played(goal, arrays), without)
    assert n_moved > N_BUSY


def test_a_given_performance_moves_the_weights_once_and_for_all():
    for seed in range(N_BUSY // 2):
        arrays = encode(busy_centre(seed))
        goal = Scenario(mode="replay", goal="80/20", performance=0.7, weights=GIVEN)
        moved = RoutingWeights(*oracle.moved(GIVEN.terms, "80/20", 0.7), 0.0)
        assert same(played(goal, arrays), played(Scenario(mode="replay", weights=moved), arrays))


def test_a_replay_that_stops_to_look_and_changes_nothing_ends_as_if_it_had_not_stopped():
    """No rule speaks about 90/10: every quarter is looked at, nothing moves."""
    for seed in range(N_BUSY):
        arrays, chosen = encode(busy_centre(seed)), replace(rolling(seed), goal="90/10")
        found = played(chosen, arrays)
        assert found.moves == []
        assert same(found, played(replace(chosen, goal=None, performance=0.8), arrays))


# --- satisfaction from day to day ----------------------------------------------------------------------------------


def test_days_on_which_means_stay_as_they_were_change_nothing():
    """The same score again and again, around each midnight: as known on the day, or all at once."""
    for seed in range(N_CENTRES):
        tables, dice = centre(seed), Dice(random.Random(seed))
        names = tables.agents["agent_id"].to_list()
        score = {name: dice.one(0.25, 0.5, 1.0) for name in names}
        surveys = [
            {
                "survey_id": f"{name}{n}", "agent_id": name, "score": score[name], "scale_min": 0.0, "scale_max": 1.0,
                "completed_at": MIDNIGHT + (n - 1) * DAY / 2,
            }
            for name in names for n in range(6)
        ]  # fmt: skip
        tables = replace(tables, surveys=table("surveys", surveys))
        chosen = replace(scenario(seed, "weighted"), assumptions=Assumptions(), weights=GIVEN)
        if tables.staffing.is_empty():
            continue
        arrays = encode(tables)
        assert same(*(played(replace(chosen, csat=csat), arrays) for csat in ("asof", "all")))


def test_satisfaction_as_known_on_the_day_matters_to_choices():
    """Otherwise the comparison with the plain way would not notice a ladder that never changes."""
    n_matter = 0
    for seed in range(4 * N_CENTRES):
        # Without filters and with satisfaction above all, so that there is something to choose.
        free = {"csat": "asof", "required": (), "weights": RoutingWeights(0.0, 0.2, 1.0, 0.4)}
        tables, chosen = centre(seed), replace(scenario(seed, "weighted"), **free)
        if tables.staffing.height and tables.surveys.height:
            read = plain(chosen, tables)
            ladders = read.ladders()
            n_matter += read.loop().through([(ladders[0][0], NEVER_US)]) != read.loop().through(ladders)
    assert n_matter > N_CENTRES / 3


@pytest.mark.parametrize(("before_midnight", "agent"), [(TICK, "ann"), (timedelta(0), "bob"), (-TICK, "bob")])
def test_a_survey_counts_from_the_next_midnight_on(before_midnight: timedelta, agent: str) -> None:
    """bob has the better mean until ann's answer, a microsecond before midnight or not, makes hers the best."""
    rows = [{"agent_id": "bob", "score": 0.75, "completed_at": MIDNIGHT - DAY}]
    rows += [{"agent_id": "ann", "score": 1.0, "completed_at": MIDNIGHT + DAY - before_midnight}]
    surveys = [row | {"survey_id": f"s{n}", "scale_min": 0.0, "scale_max": 1.0} for n, row in enumerate(rows)]
    staffing = [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + 3 * DAY} for name in ("ann", "bob")]
    calls = [call(n, n * 86_400.0, patience_s=9.0) for n in range(3)]
    tables = tables_of(interactions=calls, surveys=surveys, staffing=staffing)
    found = choose(Scenario(mode="replay", weights=RoutingWeights(0, 0, 1, 0)), tables).to_frame()
    assert found["selected_agent_id"].to_list() == ["bob", agent, "ann"]
    assert found["composite_score"].to_list() == [0.75, 1.0 if agent == "ann" else 0.75, 1.0]


def test_the_ladder_of_an_instant_is_made_again_as_it_was():
    """Days of satisfaction and quarters of a rolling goal, both against the plain ladder of that instant."""
    tables, chosen = busy_centre(3), replace(rolling(3), csat="asof", goal="80/20", replan_s=900.0)
    read, found = plain(chosen, tables), played(chosen, encode(tables))
    assert found.moves
    weights = dict.fromkeys(("p", "q"), chosen.weights)
    stops = [(found.moves[0].at_us - 1, dict(weights))]
    for move in found.moves:
        weights[move.queue_id] = replace(chosen.weights, **dict(zip(
            ("proficiency", "language_match", "historical_csat"), move.weights, strict=True)))  # fmt: skip
        if stops[-1][0] == move.at_us:
            stops.pop()
        stops.append((move.at_us, dict(weights)))
    for at_us, used in stops:
        by_hand_ = read.ladder(at_us // DAY_US, used)
        ladder = found.ladder_at(at_us)
        np.testing.assert_array_equal(ladder.rank[found.demand.kind], np.array(by_hand_.rank, float))


# --- goals, and laws of whole runs --------------------------------------------------------------------------------


def test_the_goal_in_seconds_is_the_scenario_s_or_each_queue_s_own():
    found = encode(busy_centre(0)).centre
    assert goal_s(Scenario(mode="replay"), found).tolist() == [30.0, 20.0]
    assert goal_s(Scenario(mode="replay", goal="90/7.5"), found).tolist() == [7.5, 7.5]
    assert goal_share(Scenario(mode="replay"), found).tolist() == [0.8, 0.8]
    assert goal_share(Scenario(mode="replay", goal="90/7.5"), found).tolist() == [0.9, 0.9]


@pytest.mark.parametrize("method", ["weighted", "genesys", "random"])
def test_every_interaction_is_offered_and_ends_one_way(method: str) -> None:
    """Offered = answered + abandoned + flowed out + unserved: in all, by queue, by interval and in every column."""
    for seed in range(N_CENTRES // 2):
        tables = centre(seed)
        if tables.staffing.is_empty():
            continue
        rows, report = engine_outcomes(scenario(seed, method), tables)
        waits, n = report.to_dict()["service_level"], tables.interactions.height
        for part in (
            [waits],
            waits["by_queue"],
            waits["by_interval"],
            *[[c] for c in report.to_dict()["replay"]["columns"]],
        ):
            ends = [[row[name] for name in ("answered", "abandoned", "flowed_out", "unserved")] for row in part]
            assert [row["offered"] for row in part] == [sum(each) for each in ends]
            assert sum(row["offered"] for row in part) == n
        assert len(rows) == n
        assert report.routed == waits["answered"] == sum(agent.handled for agent in report.agents)
        assert report.unrouted.total == n - report.routed == sum(report.unrouted.reasons.values())


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_draws():
    n_other = 0
    for seed in range(N_BUSY // 2):
        tables, chosen = busy_centre(seed), replace(rolling(seed), assumptions=Assumptions(no_answer=0.4))
        arrays = encode(tables)
        first = played(chosen, arrays)
        assert same(first, played(chosen, arrays))
        assert run(chosen, tables).to_dict() == run(chosen, arrays).to_dict()
        n_other += not same(first, played(replace(chosen, seed=1), arrays))
        n_other += not same(first, played(chosen, arrays, replication=1))
    assert n_other > N_BUSY // 2


@pytest.mark.parametrize("method", ["weighted", "genesys"])
def test_the_order_of_rows_in_the_tables_means_nothing(method: str) -> None:
    for seed in range(N_CENTRES // 2):
        tables, chosen = centre(seed), scenario(seed, method)
        if tables.staffing.is_empty():
            continue
        shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in tables}
        # Queues are numbered as their table lists them.
        shuffled["queues"] = tables.queues
        assert engine_outcomes(chosen, Tables.of(shuffled))[0] == engine_outcomes(chosen, tables)[0]


def renamed(tables: Tables, name: dict[str, str]) -> Tables:
    """Agents under other names, wherever they stand."""
    frames = {
        key: frame.with_columns(pl.col("agent_id").replace(name)) if "agent_id" in frame.columns else frame
        for key, frame in tables
    }
    return Tables.of(frames)


def outcomes(chosen: Scenario, tables: Tables) -> list[tuple[Any, ...]]:
    return list(choose(chosen, tables).to_frame().select(COLUMNS).iter_rows())


@pytest.mark.parametrize("method", ["weighted", "genesys"])
def test_renaming_agents_renames_the_choice(method: str) -> None:
    """Names in the same order always; in any order where no two agents ever tie."""
    for seed in range(N_BUSY // 2):
        dice, tables = random.Random(seed), untied(busy_centre(seed), seed)
        chosen = replace(rolling(seed), method=method)
        plain_, names = outcomes(chosen, tables), tables.agents["agent_id"].to_list()
        for new in ([f"x{name}" for name in names], dice.sample(names, len(names))):
            name = dict(zip(names, new, strict=True))
            told = [(*row[:2], name.get(row[2]), *row[3:]) for row in plain_]
            assert outcomes(chosen, renamed(tables, name)) == told


def test_days_replayed_one_by_one_are_the_days_of_the_whole():
    """Where nothing is carried over the night: a fixed order of agents, everything recorded, nobody waits at night."""
    rng = np.random.default_rng(0)
    rows = [
        call(n, float(rng.integers(0, 4) * 86_400 + rng.integers(0, 1800)), handle_s=float(rng.integers(1, 200)),
             patience_s=float(rng.integers(0, 300)), skills=[["tech"], None][rng.integers(0, 2)])
        for n in range(200)
    ]  # fmt: skip
    days = [MIDNIGHT + n * DAY for n in range(4)]
    staffing = [
        {"agent_id": name, "start_at": day + DAY / 3, "end_at": day + DAY / 2}
        for name in ("ann", "bob", "cid") for day in days
    ]  # fmt: skip
    arrays = encode(tables_of(interactions=rows, staffing=staffing))
    chosen = Scenario(mode="replay", method="fixed_order", required=("skills",))
    whole = choose(chosen, arrays).to_frame()
    parts = [choose(chosen, arrays.days(day.date(), day.date())).to_frame() for day in days]
    assert min(part.height for part in parts) > 20
    assert set(whole["status"]) == {"answered", "abandoned"}
    assert pl.concat(parts).equals(whole)
