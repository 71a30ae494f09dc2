"""What a replay says: three columns on the same customers, when it keeps its verdict to itself, and every warning."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from api.output.results import to_json
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.estimates.assumptions import Assumptions
from engine.measures.intervals import Paired
from engine.methods import METHODS
from engine.replay.playing import play
from engine.reports.columns import Study, today_of
from engine.reports.replay import BETTER, MEASURES, Difference
from engine.reports.replayed import report_of
from engine.reports.report import Report, Unrouted
from engine.run import choose, run, run_all
from engine.scoring.csat import MADE_UP
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests.made_up import ENDS, GENESYS, WEIGHTED, made, made_tables, with_waits
from tests.small_centres import DAY, call, centre, last_first, rated, scenario, tables_of
from tests.strategies import MIDNIGHT

NINE = MIDNIGHT + timedelta(hours=9)
FOUR = ("ann", "bob", "cid", "dot")


@cache
def reported(chosen: Scenario = WEIGHTED) -> Report:
    return run(chosen, made())


# --- the light, and what it keeps back ------------------------------------------------------------------------------


def test_the_made_up_record_is_what_a_replay_of_its_own_rule_gives():
    """Who answered and after how long, to the microsecond; so the light is green."""
    found = choose(GENESYS, made_tables()).to_frame()
    rows = made_tables().interactions.sort("arrived_at", "interaction_id")
    assert found["selected_agent_id"].to_list() == rows["agent_id"].to_list()
    assert found["status"].to_list() == rows["outcome"].to_list()
    np.testing.assert_allclose(found["wait_s"], rows["wait_s"], atol=1e-6)
    lit = reported().to_dict()["replay"]["light"]
    assert lit["color"] == "green"
    assert [lit[name] for name in ("asa_off_s", "asa_off", "service_level_off", "abandonment_off")] == [0.0] * 4
    past, today, _ = reported().to_dict()["replay"]["columns"]
    assert [past[name] for name in (*ENDS, *MEASURES)] == [today[name] for name in (*ENDS, *MEASURES)]


@pytest.mark.parametrize("force", [False, True])
def test_a_replay_that_misses_the_record_keeps_its_verdict_unless_forced(force: bool) -> None:
    """The record says that everybody waited three times as long as they did."""
    report = run(WEIGHTED, with_waits(3 * pl.col("wait_s")), force=force)
    said = report.to_dict()["replay"]
    assert (said["light"]["color"], said["light"]["forced"]) == ("red", force)
    assert [column["name"] for column in said["columns"]] == ["recorded", "today", "scenario"]
    if force:
        assert said["verdict"].startswith("against today's rule on the same customers: service level ")
        assert set(said["differences"]) == set(MEASURES)
        assert said["satisfaction_against_today"] is not None
    else:
        light = said["light"]
        assert said["verdict"] == (
            f"withheld: {light['why']}; {light['remedy']}, or force a verdict all the same (--force)"
        )
        assert said["differences"] is said["satisfaction_against_today"] is None


def test_forcing_what_needs_no_force_changes_nothing():
    assert run(WEIGHTED, made(), force=True).to_dict() == reported().to_dict()


def test_where_no_waits_are_recorded_the_verdict_stands_with_a_warning():
    report = run(WEIGHTED, with_waits(pl.lit(None, pl.Float64)))
    assert report.to_dict()["replay"]["light"]["color"] == "unknown"
    assert report.to_dict()["replay"]["verdict"].startswith("against today's rule")
    assert "no waits are recorded" in report.warnings
    assert report.to_dict()["replay"]["light"]["why"] in report.warnings
    assert report.to_dict()["replay"]["columns"][0]["asa_s"] is None


# --- columns and differences ----------------------------------------------------------------------------------------


def test_the_scenario_s_column_says_what_its_service_level_says():
    column, waits = reported().to_dict()["replay"]["columns"][2], reported().to_dict()["service_level"]
    assert [column[name] for name in ("offered", *ENDS)] == [waits[name] for name in ("offered", *ENDS)]
    for name in ("service_level", "asa_s", "mean_wait_s", "occupancy"):
        assert column[name] == pytest.approx(waits[name], rel=1e-12)
    assert column["abandonment"] == waits["abandonment_share"]
    assert waits["definition"] == "genesys"
    assert waits["goal"] == "each queue's own"
    assert reported().routed == waits["answered"]
    assert reported().unrouted == Unrouted(waits["abandoned"], {"abandoned": waits["abandoned"]})


def test_the_rule_in_force_is_compared_with_nothing():
    """One table of the record and the baseline, no differences, one sentence; whatever its method does not read."""
    plain = run(GENESYS, made()).to_dict()
    said = plain["replay"]
    assert [column["name"] for column in said["columns"]] == ["recorded", "today"]
    assert said["differences"] is said["satisfaction_against_today"] is None
    assert said["verdict"].startswith("this is today's rule itself, the baseline")
    assert "no clear difference" not in json.dumps(said)
    unread = replace(GENESYS, weights=RoutingWeights(0.9, 0.1, 0.0, 0.3), csat="all")
    assert run(unread, made()).to_dict()["replay"] == said
    # The same numbers as beside a scenario.
    assert said["columns"] == reported().to_dict()["replay"]["columns"][:2]
    assert said["light"] == reported().to_dict()["replay"]["light"]


def test_a_scenario_under_which_nothing_differs_says_so_once():
    """One agent for whom everybody waits: no rule can matter, on any day."""
    rows = [
        call(n, n % 9 * 86_400.0 + n // 9 * 5.0, patience_s=900.0, wait_s=1.0, outcome="answered", agent_id="ann")
        for n in range(45)
    ]
    there = [{"agent_id": "ann", "start_at": MIDNIGHT, "end_at": MIDNIGHT + 9 * DAY}]
    said = run(replace(WEIGHTED, required=("language",)), tables_of(interactions=rows, staffing=there), force=True)
    assert said.replay.verdict == "no measure differs at all from today's rule on the same customers"
    assert said.replay.differences.is_nothing


def test_differences_are_scenario_less_today_inside_their_intervals():
    _, today, mine = reported().to_dict()["replay"]["columns"]
    for name in MEASURES:
        difference = reported().to_dict()["replay"]["differences"][name]
        assert difference["value"] == pytest.approx(mine[name] - today[name], rel=1e-9)
        assert difference["low"] < difference["value"] < difference["high"]
        spread = mine["intervals"][name]
        assert spread["low"] < mine[name] < spread["high"]


@pytest.mark.parametrize("name", MEASURES)
def test_words_follow_from_the_interval_and_from_what_is_better(name: str) -> None:
    """More service level is better, more waiting, abandonment or inequality is worse, more occupancy is more."""
    up, down = {1: ("better", "worse"), -1: ("worse", "better"), None: ("more", "less")}[BETTER[name]]
    assert Difference.of(name, Paired(2.0, 1.0, 3.0)).says == up
    assert Difference.of(name, Paired(-2.0, -3.0, -1.0)).says == down
    for low, high in ((-1.0, 3.0), (0.0, 3.0), (-3.0, 0.0), (0.0, 0.0)):
        assert Difference.of(name, Paired(1.0, low, high)).says == "no clear difference"
    assert Difference.of(name, Paired(None, None, None)).says == "undefined"
    assert Difference.of(name, Paired(1.0, None, None)).says == "undefined"
    assert BETTER == {
        "service_level": 1, "asa_s": -1, "mean_wait_s": -1, "abandonment": -1, "occupancy": None, "gini": -1,
    }  # fmt: skip


def test_the_verdict_says_every_measure_in_words_people_use():
    verdict = reported().to_dict()["replay"]["verdict"]
    said = {name: difference["says"] for name, difference in reported().to_dict()["replay"]["differences"].items()}
    words = ("service level", "ASA", "mean wait", "abandonment", "occupancy", "Gini of interactions")
    told = ", ".join(f"{word} {said[name]}" for word, name in zip(words, MEASURES, strict=True))
    assert verdict == f"against today's rule on the same customers: {told}"


def test_fewer_than_seven_days_determine_nothing():
    rows = [
        call(n, n * 86_400.0 / 10, patience_s=9.0, wait_s=1.0, outcome="answered", agent_id="ann") for n in range(30)
    ]
    for days, told in ((6, "not determined: fewer than seven days"), (7, "no measure differs at all")):
        some = [row | {"arrived_at": row["arrived_at"] + (n % days) * DAY} for n, row in enumerate(rows)]
        start = [{"agent_id": "ann", "start_at": MIDNIGHT, "end_at": MIDNIGHT + 9 * DAY}]
        said = run(WEIGHTED, tables_of(interactions=some[:10], staffing=start), force=True).to_dict()["replay"]
        assert said["verdict"].startswith(told)
        spreads = [spread for column in said["columns"] for spread in column["intervals"].values()]
        assert any(spreads) == (days == 7)


def test_several_draws_are_averaged_and_each_is_a_replay_of_its_own():
    rows = [call(n, n * 3.0, outcome="abandoned", wait_s=5.0 + n % 50) if n % 3 == 0 else
            call(n, n * 3.0, outcome="answered", agent_id="ann", wait_s=1.0) for n in range(400)]  # fmt: skip
    study = Study(encode(tables_of(interactions=rows)), replace(WEIGHTED, replications=4))
    report, first = report_of(study, study.scenario)
    column = report.to_dict()["replay"]["columns"][2]
    counts = []
    for number in range(4):
        served = play(study.scenario, study.recorded, number).served
        counts.append(np.bincount(served.status, minlength=4))
    assert len({count.tobytes() for count in counts}) > 1
    assert [column[end] for end in ENDS] == np.mean(counts, axis=0).tolist()
    # Who answered what, and the outcomes file, are those of the first draw.
    assert report.routed == counts[0][0] == (first.served.agent >= 0).sum()
    assert report.to_dict()["replay"]["replications"] == 4


# --- today's rule -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("settings", "method"), [
    ({}, "genesys"),
    ({"rings": '{"rings": []}'}, "bullseye"),
    ({"routing_rules": "[]"}, "preferred_agent"),
    ({"rings": '{"rings": []}', "routing_rules": "[]"}, "preferred_agent"),
])  # fmt: skip
def test_today_s_rule_is_what_the_queues_settings_record(settings: dict[str, str], method: str) -> None:
    """One queue with a setting is enough; weights, requirements and goals of the scenario are not today's."""
    queues = [{"queue_id": "q"}, {"queue_id": "z", **settings}]
    arrays = encode(tables_of(interactions=[call(0)], queues=queues))
    chosen = Scenario(
        mode="replay", goal="80/20", performance="rolling", required=("skills",), seed=7, replications=2,
        assumptions=Assumptions(point_s=3.0), service_level="offered",
    )  # fmt: skip
    today = today_of(chosen, arrays)
    assert (today.method, today.required, today.is_rolling) == (method, ("today",), False)
    kept = ("goal", "seed", "replications", "assumptions", "service_level", "switches")
    assert [getattr(today, name) for name in kept] == [getattr(chosen, name) for name in kept]
    assert run(chosen, arrays).to_dict()["replay"]["columns"][1]["rule"].startswith(f"{method}: ")


# --- shape ----------------------------------------------------------------------------------------------------------


def test_reports_of_both_modes_have_one_shape():
    scored, played = run(Scenario(), made()).to_dict(), reported().to_dict()
    assert list(scored) == list(played)
    assert scored["service_level"] is scored["replay"] is None
    assert played["preference"] is None
    assert played["headline"] == played["replay"]["headline"] != scored["headline"]
    assert (scored["mode"], played["mode"]) == ("score", "replay")
    for part in ("fairness", "csat", "timing"):
        assert set(scored[part]) == set(played[part])
    assert set(scored["agents"][0]) == set(played["agents"][0])
    assert {
        "definition", "goal", "offered", "answered", "abandoned", "flowed_out", "unserved", "service_level", "asa_s",
        "mean_wait_s", "occupancy", "choice_share", "idle_while_waiting_s", "by_queue", "by_interval",
    } <= set(played["service_level"])  # fmt: skip
    assert all(0 <= agent["occupancy"] <= 1 for agent in played["agents"])
    assert set(played["replay"]["estimates"]) == {"staffing", "handling", "patience"}


@pytest.mark.parametrize("method", METHODS)
def test_reports_are_json_without_nan(method: str) -> None:
    """Of any rule, on tables full of odd rows; and what is written can be read back."""
    for seed in range(4):
        tables, chosen = centre(seed), replace(scenario(seed, method), expected=("eligible", "uniform")[seed % 2])
        if tables.staffing.height:
            report = run(chosen, tables)
            json.dumps(report.to_dict(), allow_nan=False)
            assert json.loads(to_json(report))["service_level"]["offered"] == tables.interactions.height


@pytest.mark.parametrize("tables", [
    tables_of(interactions=[]),
    tables_of(interactions=[call(0, patience_s=5.0)], staffing=[
        {"agent_id": "ann", "start_at": MIDNIGHT - DAY, "end_at": MIDNIGHT - DAY / 2}]),
    tables_of(interactions=[call(0, patience_s=5.0)], busy=[
        {"agent_id": name, "start_at": MIDNIGHT - DAY, "end_at": MIDNIGHT + DAY} for name in FOUR]),
    tables_of(interactions=[call(0, patience_s=5.0)], members=[{"queue_id": "z", "agent_id": "ann"}]),
], ids=["no interaction", "nobody there any more", "everybody at work elsewhere", "no member"])  # fmt: skip
@pytest.mark.parametrize("expected", ["eligible", "uniform"])
def test_where_nothing_can_be_answered_there_is_a_report_all_the_same(tables: Tables, expected: str) -> None:
    for chosen in (WEIGHTED, GENESYS, replace(WEIGHTED, goal="80/20", performance="rolling")):
        report = run(replace(chosen, expected=expected), tables)
        json.dumps(report.to_dict(), allow_nan=False)
        assert report.routed == 0
        assert report.fairness.gini_coefficient is None
        assert report.to_dict()["replay"]["light"]["color"] == "unknown"


def test_the_outcomes_file_has_its_columns_and_nulls_where_nobody_was_chosen():
    tables = centre(3)
    for method in METHODS:
        frame = choose(scenario(3, method), tables).to_frame()
        assert frame.schema == {
            "interaction_id": pl.String, "queue_id": pl.String, "media": pl.String,
            "arrived_at": pl.Datetime("us", "UTC"), "required_skill": pl.String, "required_language": pl.String,
            "selected_agent_id": pl.String, "selected_agent_name": pl.String, "composite_score": pl.Float64,
            "status": pl.String, "wait_s": pl.Float64, "start_at": pl.Datetime("us", "UTC"),
            "end_at": pl.Datetime("us", "UTC"),
        }  # fmt: skip
        rows = tables.interactions.sort("arrived_at", "interaction_id")
        names = dict(zip(tables.agents["agent_id"], tables.agents["agent_name"], strict=True))
        assert frame["interaction_id"].to_list() == rows["interaction_id"].to_list()
        assert set(frame["status"]) <= set(ENDS)
        for given, found in zip(rows.to_dicts(), frame.to_dicts(), strict=True):
            skills = ";".join(sorted(set(given["skills"] or [])))
            assert [found[name] for name in ("queue_id", "media", "arrived_at")] == [
                given["queue_id"], given["media"], given["arrived_at"]
            ]  # fmt: skip
            assert (found["required_skill"], found["required_language"]) == (skills or None, given["language"])
            chosen, answered = found["selected_agent_id"], found["status"] == "answered"
            assert (chosen is not None) == answered
            assert found["selected_agent_name"] == names.get(chosen)
            assert (found["composite_score"] is not None) == (answered and method == "weighted")
            assert (found["start_at"] is None) == (found["end_at"] is None) == (not answered)
            if answered:
                assert found["start_at"] == given["arrived_at"] + timedelta(seconds=found["wait_s"])
                assert found["end_at"] >= found["start_at"]
        assert frame["wait_s"].null_count() == 0
        assert frame["wait_s"].min() >= 0


def test_many_scenarios_of_either_mode_come_back_in_their_order():
    chosen = [WEIGHTED, Scenario(weights=RoutingWeights(1, 0, 0, 0.2)), GENESYS, Scenario()]
    alone = [run(one, made()).to_dict() for one in chosen]
    assert [report.to_dict() for report in run_all(chosen, made())] == alone
    assert [report.to_dict() for report in run_all(chosen, made(), last_first)] == alone


# --- what is shared ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", ["eligible", "uniform", "staffed"])
def test_fairness_counts_everybody_eligible_and_compares_with_what_is_asked_for(expected: str) -> None:
    """ann and bob take turns while bob is there, a third of the time; cid lacks the skill, dot is in no queue."""
    rows = [call(n, n * 60.0, skills=["tech"], handle_s=40.0) for n in range(60)]
    hours = {"ann": (9, 10), "bob": (9, 9 + 1 / 3), "cid": (9, 10), "dot": (9, 10)}
    staffing = [
        {"agent_id": name, "start_at": MIDNIGHT + timedelta(hours=low), "end_at": MIDNIGHT + timedelta(hours=high)}
        for name, (low, high) in hours.items()
    ]
    chosen = replace(GENESYS, method="longest_idle", required=("skills",), expected=expected)
    report = run(chosen, tables_of(interactions=rows, staffing=staffing))
    agents = {agent.agent_id: agent for agent in report.agents}
    assert {name: agent.eligible for name, agent in agents.items()} == {"ann": 60, "bob": 20, "cid": 0, "dot": 0}
    assert {name: agent.handled for name, agent in agents.items()} == {"ann": 50, "bob": 10, "cid": 0, "dot": 0}
    assert agents["ann"].handled_s == 2000.0
    assert [agents[name].occupancy for name in ("ann", "bob", "dot")] == pytest.approx([2000 / 3600, 400 / 1200, 0])
    fair = report.fairness
    assert (fair.total_interactions, fair.expected) == (60, expected)
    assert fair.gini_coefficient == pytest.approx(40 / (2 * 60))
    assert fair.gini_occupancy == pytest.approx((5 / 9 - 1 / 3) / (2 * (5 / 9 + 1 / 3)))
    shares = {"eligible": (50, 10), "uniform": (30, 30), "staffed": (45, 15)}[expected]
    chi2 = sum((seen - share) ** 2 / share for seen, share in zip((50, 10), shares, strict=True))
    assert fair.chi2_statistic == pytest.approx(chi2)


def test_staffed_shares_are_undefined_where_nobody_eligible_was_on_queue():
    nobody = tables_of(interactions=[call(0, patience_s=1.0)], members=[{"queue_id": "z", "agent_id": "ann"}])
    assert run(replace(WEIGHTED, expected="staffed"), nobody).fairness.p_value is None


def test_waiting_beside_idle_agents_is_counted_and_pointed_out():
    """ann is below the threshold for a minute and a half of waiting; alerting is no part of it."""
    rows = [call(0, 0.0, language="fr", patience_s=90.0), call(1, 1.0, language="en", alert_s=20.0, patience_s=90.0)]
    agents = [{"agent_id": "ann", "languages": rated(["en"])}, {"agent_id": "ben"}]
    there = [{"agent_id": "ann", "start_at": NINE, "end_at": NINE + timedelta(hours=1)}]
    chosen = replace(WEIGHTED, weights=RoutingWeights(0, 1, 0, 0.5), required=())
    report = run(chosen, tables_of(agents=agents, members=[], interactions=rows, staffing=there))
    waits = report.to_dict()["service_level"]
    # From 1 s to 31 s ann is alerted and busy; before and after she is free while the French caller waits.
    assert waits["idle_while_waiting_s"] == pytest.approx(90.0 - 30.0)
    assert waits["idle_while_waiting_share"] == pytest.approx(60.0 / 90.0)
    assert {name: seconds for name, seconds in waits["idle_causes"].items() if seconds} == {"threshold_s": 60.0}
    said = "customers waited 60 s (66.7 % of all waiting) beside a free agent whom the rule would ask in the end"
    assert sum(said in warning for warning in report.warnings) == 1
    column = report.to_dict()["replay"]["columns"][-1]
    for name in ("idle_while_waiting_s", "idle_while_waiting_share", "idle_causes", "choice_share"):
        assert column[name] == waits[name]
        assert report.to_dict()["replay"]["columns"][0][name] is None
    assert waits["mean_wait_s"] == pytest.approx((90 + 20) / 2)
    assert waits["choice_share"] == 0.0
    assert waits["mean_queue_length"] == pytest.approx(110 / 3600)


def test_calls_finished_after_the_block_are_overrun_not_occupancy():
    there = [{"agent_id": "ann", "start_at": NINE, "end_at": NINE + timedelta(seconds=100)}]
    report = run(GENESYS, tables_of(interactions=[call(0, 60.0, handle_s=70.0, patience_s=1.0)], staffing=there))
    assert (report.to_dict()["service_level"]["occupancy"], report.to_dict()["service_level"]["overrun_s"]) == (
        0.4,
        30.0,
    )


def test_intervals_are_those_of_the_centre_s_clock_and_of_the_length_asked_for():
    tables = replace(tables_of(interactions=[call(0, 20 * 60.0, patience_s=1.0)]), time_zone="Asia/Kolkata")
    for minutes, start in ((15, "14:45"), (30, "14:30"), (60, "14:00")):
        report = run(replace(GENESYS, interval_min=minutes), tables)
        assert [row.start.isoformat() for row in report.service_level.by_interval] == [f"2024-02-28T{start}:00+05:30"]


# --- goals ----------------------------------------------------------------------------------------------------------


def test_a_goal_that_moves_weights_is_compared_with_weights_as_given():
    # Without filters and with a threshold, so that weights decide who is asked at all.
    free = replace(WEIGHTED, required=(), weights=RoutingWeights(min_score_threshold=0.5))
    said = run(replace(free, goal="80/20", performance="rolling"), made()).to_dict()["replay"]
    goal, still = (
        said["goal"],
        run(replace(free, goal="80/20", performance=0.8), made()).to_dict()["replay"]["columns"][2],
    )
    assert goal["n_moves"] == len(goal["moves"]) > 0
    assert {move["queue_id"] for move in goal["moves"]} <= {
        row["queue_id"] for row in reported().to_dict()["service_level"]["by_queue"]
    }
    for name in (*ENDS, *MEASURES):
        assert goal["without"][name] == still[name]
    for name in MEASURES:
        moved = said["columns"][2][name] - still[name]
        assert goal["difference"][name]["value"] == pytest.approx(moved, abs=1e-12)
    assert any(said["columns"][2][name] != still[name] for name in MEASURES)
    assert "add no capacity" in goal["note"]


@pytest.mark.parametrize("changes", [
    {}, {"goal": "80/20", "performance": 0.8}, {"goal": "80/20", "performance": 0.5, "method": "genesys"},
])  # fmt: skip
def test_a_goal_that_moves_nothing_has_nothing_to_say(changes: dict[str, Any]) -> None:
    assert run(replace(WEIGHTED, **changes), made()).to_dict()["replay"]["goal"] is None


def test_a_given_performance_is_told_without_moves():
    goal = run(replace(WEIGHTED, goal="80/20", performance=0.5), made()).to_dict()["replay"]["goal"]
    assert (goal["n_moves"], goal["moves"], goal["performance"]) == (0, [], 0.5)


# --- warnings ---------------------------------------------------------------------------------------------------


def warnings(chosen: Scenario = GENESYS, **rows: list[dict[str, Any]]) -> list[str]:
    arrays = encode(tables_of(**rows))
    return run(chosen, replace(arrays, snapshot=replace(arrays.snapshot, made_up=["surveys"]))).warnings


def test_every_replay_says_what_it_does_not_simulate():
    assert sum("transfers, redials and repeat contacts" in one for one in warnings(interactions=[call(0)])) == 1


@pytest.mark.parametrize(("says", "there", "rows"), [
    ("staffing is inferred from who answered what", True, {"staffing": []}),
    ("staffing is inferred", False, {}),
    ("no table says when agents were at work elsewhere", True, {}),
    ("no table says when agents were at work elsewhere", False, {"busy": [
        {"agent_id": "bob", "start_at": NINE, "end_at": NINE + DAY}]}),
    ("beside a free agent", False, {}),
    ("3 of 4 interactions have no recorded outcome", True, {}),
    ("1 answered interactions name no known agent", False, {}),
    ("1 answered interactions name no known agent", True, {"interactions": [
        call(0, outcome="answered", wait_s=1.0)]}),
    ("no waits are recorded", False, {}),
    ("no waits are recorded", True, {"interactions": [call(0)]}),
    ("nothing is recorded as answered", True, {"interactions": [call(0, outcome="abandoned", wait_s=1.0)]}),
    ("there are no interactions in this data set or window", True, {"interactions": []}),
    ("interactions require what no agent has: skill 'techs' (did you mean 'tech'?)", True, {"interactions": [
        call(0, skills=["techs"], patience_s=1.0)]}),
    ("1 interactions were neither answered nor given up", True, {
        "interactions": [call(0, queue_id="z")], "members": [{"queue_id": "q", "agent_id": "ann"}]}),
    ("were never answered", False, {}),
    ("leave conditional groups out", True, {"queues": [{"queue_id": "q", "conditional_groups": "[1]"}]}),
    ("leave conditional groups out", False, {}),
    ("the surveys are made up", False, {}),
])  # fmt: skip
def test_warnings_appear_where_they_should_and_only_there(says: str, there: bool, rows: dict[str, Any]) -> None:
    defaults = {"interactions": [
        call(0, outcome="answered", agent_id="ann", wait_s=2.0), *(call(n, 50.0 * n, wait_s=2.0) for n in (1, 2, 3))
    ]}  # fmt: skip
    found = warnings(**defaults | rows)
    assert sum(says in one for one in found) == there


def test_made_up_surveys_are_called_so_where_they_move_choices():
    """And no satisfaction is reported from them whatever the rule."""
    assert MADE_UP in reported().warnings
    assert MADE_UP not in reported(GENESYS).warnings
    assert MADE_UP not in reported(replace(WEIGHTED, weights=RoutingWeights(0.5, 0.5, 0.0))).warnings
    for report in (reported(), reported(GENESYS)):
        assert report.csat.simulated_mean is report.csat.gain is None
        assert "made up" in report.csat.how


@pytest.mark.parametrize(("waited_s", "told"), [(0.9, False), (1.1, True)])
def test_waiting_beside_idle_agents_is_pointed_out_above_one_per_cent(waited_s: float, told: bool) -> None:
    """One waits 100 s for the only agent of its queue; another a second or so beside agents who are not good enough."""
    agents = [{"agent_id": "ann", "skills": rated(["tech"])}, {"agent_id": "ben"}]
    rows = [
        call(0, 0.0, skills=["tech"], handle_s=100.0), call(1, 0.0, skills=["tech"], patience_s=1e6, queue_id="own"),
        call(2, 200.0, skills=["fax"], patience_s=waited_s),
    ]  # fmt: skip
    members = [{"queue_id": queue, "agent_id": name} for queue, name in (("q", "ann"), ("q", "ben"), ("own", "ann"))]
    there = [{"agent_id": name, "start_at": NINE, "end_at": NINE + timedelta(hours=1)} for name in ("ann", "ben")]
    chosen = replace(WEIGHTED, weights=RoutingWeights(1, 0, 0, 0.5), required=())
    report = run(chosen, tables_of(agents=agents, members=members, interactions=rows, staffing=there))
    assert report.to_dict()["service_level"]["idle_while_waiting_share"] == pytest.approx(waited_s / (100 + waited_s))
    said = "s (1.1 % of all waiting) beside a free agent whom the rule would ask in the end"
    assert any(said in one and "the threshold (100 %)" in one for one in report.warnings) == told


# --- satisfaction ---------------------------------------------------------------------------------------------------


def test_satisfaction_of_the_recorded_agents_is_the_recorded_one():
    """Real surveys: the rule that played the record changes nothing; another may."""
    arrays = encode(made_tables())
    same, other = run(GENESYS, arrays).csat, run(WEIGHTED, arrays).csat
    assert same.recorded_mean is not None
    assert same.simulated_mean == pytest.approx(same.recorded_mean, abs=1e-12)
    assert other.simulated_mean != pytest.approx(same.recorded_mean, abs=1e-6)
    answered = made_tables().interactions["agent_id"].count()
    assert same.coverage == pytest.approx(made_tables().surveys.height / answered)


def test_satisfaction_falls_where_those_are_chosen_whom_customers_like_less():
    """bob answered everything and is liked, ann is not and comes first in a fixed order; the gain is what is lost."""
    rows = [call(n, n % 10 * 86_400.0 + n * 20.0, outcome="answered", agent_id="bob", wait_s=0.0) for n in range(60)]
    surveys = [
        {"survey_id": f"{name}{n}", "agent_id": name, "score": score + n % 3 / 10, "scale_min": 0.0, "scale_max": 1.0,
         "completed_at": NINE + n * DAY / 2}
        for name, score in (("ann", 0.1), ("bob", 0.7)) for n in range(20)
    ]  # fmt: skip
    staffing = [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + 11 * DAY} for name in ("ann", "bob")]
    tables = tables_of(interactions=rows, surveys=surveys, staffing=staffing)
    said = run(replace(WEIGHTED, method="fixed_order"), tables).csat
    assert said.recorded_mean == pytest.approx(0.8, abs=0.02)
    assert said.simulated_mean == pytest.approx(0.2, abs=0.02)
    assert said.gain.value == pytest.approx(said.simulated_mean - said.recorded_mean)
    assert said.gain.high < 0


def test_the_scenario_s_seed_chooses_the_days_taken():
    days = Study(made(), WEIGHTED).today.days
    one, same, other = (Study(made(), replace(WEIGHTED, seed=seed)).resampling.interval(days) for seed in (0, 0, 1))
    assert one == same != other


def test_progress_tells_every_replay_and_no_interaction_is_lost_on_the_way():
    told: list[tuple[str, int, int]] = []
    run(replace(WEIGHTED, replications=2), made(), progress=lambda *step: told.append(step))
    assert sorted(set(told)) == [
        ("replaying genesys", 0, 2), ("replaying genesys", 1, 2), ("replaying weighted", 0, 2),
        ("replaying weighted", 1, 2),
    ]  # fmt: skip


def test_a_window_counts_the_blocks_inside_it_only():
    """Two equal days: either alone is as busy as both."""
    rows = [call(n, n * 86_400.0, handle_s=1800.0, patience_s=10.0) for n in (0, 1)]
    there = [
        {"agent_id": "ann", "start_at": NINE + n * DAY, "end_at": NINE + n * DAY + timedelta(hours=1)} for n in (0, 1)
    ]
    tables = tables_of(interactions=rows, staffing=there)
    arrays = encode(tables)
    days = [row["arrived_at"].date() for row in tables.interactions.sort("arrived_at").to_dicts()]
    for data in (arrays, arrays.days(days[0], days[0]), arrays.days(days[1], days[1])):
        report = run(replace(GENESYS), data)
        assert report.to_dict()["service_level"]["answered"] == len(data.history().arrived_us)
        assert report.to_dict()["service_level"]["occupancy"] == pytest.approx(0.5)
        assert {row.occupancy for row in report.agents} >= {0.5}


def test_a_rule_that_does_not_filter_is_not_compared_in_silence():
    """Better waits may come from agents who lack what is required; who reads the report must know."""
    strict = replace(WEIGHTED, required=("skills", "language"))
    soft = " ".join(reported(replace(WEIGHTED, required=())).warnings)
    assert "skills and language are no filter here" in soft
    assert "answers (" in soft
    # By default like is compared with like.
    for chosen in (strict, GENESYS, WEIGHTED):
        said = " ".join(reported(chosen).warnings)
        assert "no filter here" not in said
        assert "lack a required skill" not in said
    half = " ".join(reported(replace(WEIGHTED, required=("language",))).warnings)
    assert "weighted: skills are no filter here" in half
