"""Reports count everything, say what went in, and never print a number without its meaning."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given

from engine.arrays import DAY_US, encode
from engine.checks import check
from engine.errors import MissingInput
from engine.scenario import Scenario, choose, run, run_all
from engine.tables import Tables
from engine.weights import RoutingWeights
from tests.strategies import problems
from tests.test_explain import centre, level

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
    assert report.routed + report.unrouted["total"] == n
    assert sum(report.unrouted["reasons"].values()) == report.unrouted["total"]
    assert sum(agent["handled"] for agent in report.agents) == report.routed
    assert report.fairness["total_interactions"] == report.routed
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
    assert report.unrouted["reasons"] == {"queue has no member": 1, "no member meets what is required": 2}
    report = run(Scenario(weights=RoutingWeights(1, 0, 0, 1.1)), replace(tables, interactions=rows))
    assert report.unrouted["reasons"] == {"queue has no member": 1, "nobody reached the threshold": 4}


def test_the_implied_peak_is_counted_from_handling_times():
    """Four calls a minute apart, ten minutes each, all for the best agent: four at once."""
    report = run(Scenario(), replace(centre(), interactions=calls()))
    assert report.preference["busiest_agent_id"] == "cal"
    assert report.preference["implied_peak"] == 4
    assert run(Scenario(), replace(centre(), interactions=calls(handle_s=50.0))).preference["implied_peak"] == 1


def test_without_handling_times_the_peak_is_null_not_zero():
    report = run(Scenario(), replace(centre(), interactions=calls(handle_s=None)))
    assert report.preference["implied_peak"] is None
    assert report.fairness["gini_seconds"] is None
    assert report.agents[0]["handled_s"] is None


def test_a_peak_may_reach_over_midnight():
    late = NOON.replace(hour=23, minute=58)
    rows = calls(arrived_at=[late + timedelta(minutes=k) for k in range(4)])
    assert run(Scenario(), replace(centre(), interactions=rows)).preference["implied_peak"] == 4


def test_an_empty_history_gives_nulls_and_a_warning():
    report = run(Scenario(), replace(centre(), interactions=calls(0)))
    assert report.fairness["gini_coefficient"] is None
    assert report.fairness["is_fair"] is None
    assert report.preference["busiest_agent_id"] is None
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
    assert report.fairness["groups"] == {"rates": {"north": 1.0, "south": 0.0}, "lowest_over_highest": 0.0}


def test_made_up_surveys_report_no_satisfaction():
    arrays = encode(replace(centre(), interactions=calls()))
    made_up = replace(arrays, snapshot=arrays.snapshot | {"made_up": ["surveys"]})
    report = run(Scenario(), made_up)
    assert report.csat["simulated_mean"] is None
    assert "made up" in report.csat["how"]
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
