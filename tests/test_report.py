"""Reports count everything, say what went in, and never print a number without its meaning."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given

from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.data.wall_time import DAY_US
from engine.errors import MissingInput
from engine.measures.fairness import GroupRates
from engine.measures.tally import Tally
from engine.run import _Stack, choose, run, run_all
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests.one_call import centre, level
from tests.strategies import problems

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def calls(n: int = 4, handle_s: float | None = 600.0, **columns: object) -> pl.DataFrame:
    rows = {
        "interaction_id": [f"i{k}" for k in range(n)],
        "queue_id": ["q"] * n,
        "arrived_at": [NOON + timedelta(minutes=k) for k in range(n)],
        "skills": [["tech"]] * n,
        "language": ["en"] * n,
        "handle_s": pl.Series([handle_s] * n, dtype=pl.Float64),
    }
    return check("interactions", pl.DataFrame(rows | columns))


@given(problems())
def test_nothing_is_lost(problem):
    """Routed and unrouted, by agent and by reason, add up to the interactions; so do the outcomes."""
    scenario, tables = problem
    report = run(scenario, tables)
    n = tables.interactions.height
    assert report.routed + report.unrouted.total == n
    assert sum(report.unrouted.reasons.values()) == report.unrouted.total
    assert sum(agent.handled for agent in report.agents) == report.routed
    assert report.fairness.total_interactions == report.routed
    outcomes = choose(scenario, tables).to_frame()
    assert outcomes.height == n
    assert outcomes["selected_agent_id"].drop_nulls().len() == report.routed
    assert outcomes["status"].to_list() == [
        "unrouted" if a is None else "routed" for a in outcomes["selected_agent_id"]
    ]


@given(problems())
def test_a_report_is_json_without_nan(problem):
    scenario, tables = problem
    json.dumps(run(scenario, tables).to_dict(), allow_nan=False)


def test_reasons_for_unrouted_interactions():
    """No member, nobody who matches, nobody good enough: each has a count of its own."""
    tables = centre()
    rows = calls(5, queue_id=["empty", "q", "q", "q", "q"], language=["en", "xx", "xx", "en", "en"])
    report = run(
        Scenario(required=("language",), weights=RoutingWeights(1, 0, 0, 0.9)), replace(tables, interactions=rows)
    )
    assert report.unrouted.reasons == {"queue has no member": 1, "no member meets what is required": 2}
    report = run(Scenario(weights=RoutingWeights(1, 0, 0, 1.1)), replace(tables, interactions=rows))
    assert report.unrouted.reasons == {"queue has no member": 1, "nobody reached the threshold": 4}


def test_the_implied_peak_is_counted_from_handling_times():
    """Four calls a minute apart, ten minutes each, all for the best agent: four at once."""
    report = run(Scenario(), replace(centre(), interactions=calls()))
    assert report.preference.busiest_agent_id == "cal"
    assert report.preference.implied_peak == 4
    assert run(Scenario(), replace(centre(), interactions=calls(handle_s=50.0))).preference.implied_peak == 1


def test_without_handling_times_the_peak_is_null_not_zero():
    report = run(Scenario(), replace(centre(), interactions=calls(handle_s=None)))
    assert report.preference.implied_peak is None
    assert report.fairness.gini_seconds is None
    assert report.agents[0].handled_s is None


def test_a_peak_may_reach_over_midnight():
    late = NOON.replace(hour=23, minute=58)
    rows = calls(arrived_at=[late + timedelta(minutes=k) for k in range(4)])
    assert run(Scenario(), replace(centre(), interactions=rows)).preference.implied_peak == 4


def test_an_empty_history_gives_nulls_and_a_warning():
    report = run(Scenario(), replace(centre(), interactions=calls(0)))
    assert report.fairness.gini_coefficient is None
    assert report.fairness.is_fair is None
    assert report.preference.busiest_agent_id is None
    assert any("no interactions" in warning for warning in report.warnings)


def test_skills_that_nobody_has_are_named():
    rows = calls(skills=[["tech", "cobol"]] * 4)
    assert any("cobol" in warning for warning in run(Scenario(), replace(centre(), interactions=rows)).warnings)


def test_staffed_expectation_needs_a_staffing_table():
    with pytest.raises(MissingInput, match="--staffing"):
        run(Scenario(expected="staffed"), centre())


def test_rates_by_group_divide_chosen_by_eligible():
    agents = check("agents", pl.DataFrame({
        "agent_id": ["a", "b"], "group": ["north", "south"], "skills": [level("tech", 5.0), level("tech", 4.0)],
        "languages": [level("en", 5.0)] * 2,
    }))  # fmt: skip
    report = run(Scenario(), Tables(agents, calls()))
    assert report.fairness.groups == GroupRates({"north": 1.0, "south": 0.0}, 0.0)


def test_made_up_surveys_report_no_satisfaction():
    arrays = encode(replace(centre(), interactions=calls()))
    made_up = replace(arrays, snapshot=replace(arrays.snapshot, made_up=["surveys"]))
    report = run(Scenario(), made_up)
    assert report.csat.simulated_mean is None
    assert "made up" in report.csat.how
    assert any("made up" in warning for warning in report.warnings)


def test_a_stack_reports_what_single_runs_report():
    tables = replace(centre(), interactions=calls())
    stack = [
        Scenario(), Scenario(weights=RoutingWeights(0, 1, 0)), Scenario(csat="all"),
        Scenario(goal="80/20", performance=0.5), Scenario(required=("skills",), expected="uniform"),
    ]  # fmt: skip
    for scenario, report in zip(stack, run_all(stack, tables), strict=True):
        assert report.to_dict() == run(scenario, tables).to_dict()


def test_a_window_holds_its_start_and_not_its_end():
    arrays = encode(replace(centre(), interactions=calls(4)))
    start = int(NOON.timestamp()) * 1_000_000
    minute = 60_000_000
    assert run(Scenario(), arrays.window(start, start + 3 * minute)).routed == 3
    assert run(Scenario(), arrays.window(start + 1, start + 3 * minute)).routed == 2
    assert run(Scenario(), arrays.window(start, start + DAY_US, queue=0)).routed == 4
    assert run(Scenario(), arrays.window(0, start)).routed == 0


def surveys(**columns: object) -> pl.DataFrame:
    rows = {
        "survey_id": ["s0", "s1", "s2"],
        "interaction_id": ["i0", "i0", None],
        "agent_id": ["ann", "ann", "bea"],
        "completed_at": [NOON] * 3,
        "score": [5.0, 1.0, 3.0],
        "scale_min": [1.0] * 3,
        "scale_max": [5.0] * 3,
    }
    return check("surveys", pl.DataFrame(rows | columns))


def test_coverage_counts_interactions_not_surveys():
    """Two surveys of one interaction, and one that names none: one of four answered interactions is covered."""
    tables = replace(centre(), interactions=calls(4, agent_id=["ann"] * 4), surveys=surveys())
    assert run(Scenario(), tables).csat.coverage == 0.25
    assert run(Scenario(), replace(tables, surveys=surveys(interaction_id=[None] * 3))).csat.coverage is None


def test_a_window_sees_surveys_before_its_end_only():
    arrays = encode(replace(centre(), interactions=calls(4), surveys=surveys()))
    noon_us = int(NOON.timestamp()) * 1_000_000
    assert arrays.window(0, noon_us).centre.surveys.agent.size == 0
    assert arrays.window(0, noon_us + 1).centre.surveys.agent.size == 3


def test_agents_without_surveys_on_the_first_day_are_counted():
    """As-of satisfaction of the first day is filled in for everybody; the note says for how many."""
    later = [NOON, NOON, NOON + timedelta(days=1)]
    two_days = calls(4, arrived_at=[NOON, NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)])
    tables = replace(centre(), interactions=two_days, surveys=surveys(completed_at=later))
    assert any(
        "7 of 7 agents have no survey on the first day, 5 on the last" in w for w in run(Scenario(), tables).warnings
    )
    assert any("5 of 7 agents have no survey; " in w for w in run(Scenario(csat="all"), tables).warnings)


def test_unrouted_interactions_take_no_part_in_satisfaction():
    """Whom the run cannot place is left out on both sides, recorded and simulated."""
    rows = calls(4, queue_id=["q", "q", "empty", "empty"], agent_id=["ann", "bea", "ann", "ann"])
    arrays = encode(replace(centre(), interactions=rows, surveys=surveys()))
    scenario = Scenario()
    stack = _Stack([scenario], arrays)
    tally = Tally(arrays, stack.terms, 1)
    for decided in stack.decide():
        tally.add(decided)
    tally.close()
    mix = tally.mixes(0)
    assert mix.requirement.sum() == mix.recorded.sum() == mix.simulated.sum() == 2


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (RoutingWeights(1, 0, 0, 1.5), "above the largest possible score 1"),
        (RoutingWeights(40, 30, 30), "scores run from 0 to 100"),
    ],
)
def test_senseless_weights_are_remarked_on(weights, says):
    assert any(says in warning for warning in run(Scenario(weights=weights), centre()).warnings)


def test_a_goal_on_large_weights_is_remarked_on():
    scenario = Scenario(weights=RoutingWeights(40, 30, 30), goal="80/20", performance=0.5)
    assert any("yours add up to 100" in warning for warning in run(scenario, centre()).warnings)


def test_names_that_nobody_has_come_with_the_nearest():
    rows = calls(skills=[["tehc"]] * 4)
    warnings = run(Scenario(), replace(centre(), interactions=rows)).warnings
    assert any("skill 'tehc' (did you mean 'tech'?)" in warning for warning in warnings)
