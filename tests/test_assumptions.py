"""Assumptions are named, within bounds, and each does what its name says when a replay reads it."""

from __future__ import annotations

import re
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from engine.data.checks import check
from engine.data.tables import Tables
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions, Switches
from engine.run import choose
from engine.setting import shown
from engine.spec import Scenario

NINE = datetime(2024, 3, 4, 9, tzinfo=UTC)
# A point of priority is bounded so that the largest priority times it is still a time.
LARGEST_POINT_S = 1e5
SECONDS = ("join_gap_s", "lead_s", "tail_s", "acw_s", "point_s", "timeout_s", "away_s")


def largest(name: str) -> float:
    return LARGEST_POINT_S if name == "point_s" else 1e9


def test_the_defaults_are_those_of_the_page_of_meanings():
    """900 s join inferred blocks, nothing is added to them, a point of priority is a minute, everybody answers."""
    assert asdict(Assumptions()) == {
        "join_gap_s": 900.0, "lead_s": 0.0, "tail_s": 0.0, "acw_s": 0.0, "handling": "recorded",
        "patience": "estimated", "flow_out": "recorded", "point_s": 60.0, "no_answer": 0.0, "timeout_s": 15.0,
        "away_s": 60.0,
    }  # fmt: skip
    assert asdict(Switches()) == {
        "language_in_mean": False, "alert_resets_idle": False, "resets_on_queue": False, "new_agents_last": False,
        "lookback_days": 7.0, "longest_idle": 100,
    }  # fmt: skip


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [-0.001, float("nan"), float("inf"), 1.1e9, "10", None, True])
def test_seconds_out_of_bounds_are_refused_by_name(name: str, value: Any) -> None:
    high = re.escape(f"{largest(name):,.12g}")
    with pytest.raises(InvalidScenario, match=rf"^{name} is {shown(value)}; use seconds from 0 to {high}$"):
        Assumptions(**{name: value})


@pytest.mark.parametrize(("given", "says"), [
    ({"no_answer": 0.951}, "no_answer is 0.951; use a number from 0 to 0.95"),
    ({"no_answer": -1}, "no_answer is -1"),
    ({"flow_out": "soon"}, "flow_out is 'soon'; use recorded, never or seconds from 0 to 1,000,000,000"),
    ({"flow_out": -1.0}, "flow_out is -1.0; use recorded, never or seconds"),
    ({"flow_out": None}, "flow_out is nothing"),
    ({"handling": "agents"}, "handling is 'agents'; use recorded or agent"),
    ({"patience": "recorded"}, "patience is 'recorded'; use estimated or never"),
])  # fmt: skip
def test_what_else_is_out_of_bounds_is_refused_with_what_may_be(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidScenario) as caught:
        Assumptions(**given)
    assert says in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [
    ("lookback_days", -1), ("lookback_days", 36_501), ("longest_idle", -1), ("longest_idle", 1e7),
])  # fmt: skip
def test_switches_have_bounds_too(name: str, value: float) -> None:
    with pytest.raises(InvalidScenario, match=f"^{name} is "):
        Switches(**{name: value})


def test_the_bounds_themselves_are_allowed():
    for name in SECONDS:
        assert getattr(Assumptions(**{name: 0}), name) == 0
        assert getattr(Assumptions(**{name: largest(name)}), name) == largest(name)
    assert Assumptions(no_answer=0.95, flow_out=0.0).flow_out == 0.0
    assert Switches(lookback_days=0, longest_idle=0).longest_idle == 0


def test_plain_values_make_assumptions_and_an_unknown_name_is_refused():
    given = Assumptions(join_gap_s=60.0, flow_out=30.0, handling="agent", no_answer=0.1)
    assert Assumptions.of(asdict(given)) == given
    assert Assumptions.of({}) == Assumptions()
    with pytest.raises(InvalidScenario, match="'patience_s' is not one of join_gap_s, lead_s"):
        Assumptions.of({"lead_s": 1.0, "patience_s": 3.0})


# --- what each does, on a handful of calls ---------------------------------------------------------------------


def call(number: int, at_s: float, handle_s: float | None = 10.0, **more: Any) -> dict[str, Any]:
    """One answered call of ann's, unless said otherwise."""
    recorded = {"outcome": "answered", "agent_id": "ann", "wait_s": 0.0, "patience_s": 1e6}
    row = {"interaction_id": f"i{number}", "queue_id": "q", "arrived_at": at(at_s), "handle_s": handle_s}
    return row | recorded | more


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def centre(rows: list[dict[str, Any]], staffed_s: tuple[float, float] | None = (0.0, 3600.0)) -> Tables:
    """One agent, on queue between two instants, or as the log lets one guess."""
    tables = {"agents": [{"agent_id": "ann"}], "interactions": rows}
    if staffed_s is not None:
        tables["staffing"] = [{"agent_id": "ann", "start_at": at(staffed_s[0]), "end_at": at(staffed_s[1])}]
    return Tables.of({name: check(name, pl.DataFrame(each)) for name, each in tables.items()})


def played(rows: list[dict[str, Any]], staffed_s: tuple[float, float] | None = (0.0, 3600.0), **assumed: Any) -> Any:
    """Status and wait of each call under an assumption."""
    scenario = Scenario(mode="replay", method="genesys", assumptions=Assumptions(**assumed))
    frame = choose(scenario, centre(rows, staffed_s)).to_frame()
    return list(zip(frame["status"].to_list(), frame["wait_s"].to_list(), strict=True))


def test_gaps_leads_and_tails_say_when_ann_was_there():
    """Two calls, 110 s apart: between them, before and after, somebody calls whom only inferred time can serve."""
    extra = {"outcome": "abandoned", "agent_id": None, "patience_s": 5.0}
    rows = [call(0, 50), call(1, 100, **extra), call(2, 170), call(3, 44, **extra), call(4, 184, **extra)]

    def answered(**assumed: Any) -> list[bool]:
        found = dict(zip((3, 0, 1, 2, 4), played(rows, None, **assumed), strict=True))
        return [found[number][0] == "answered" for number in (1, 3, 4)]

    assert answered() == [True, False, False]
    assert answered(join_gap_s=110.0) == [True, False, False]
    assert answered(join_gap_s=109.0) == [False, False, False]
    assert answered(lead_s=2.0) == [True, True, False]
    assert answered(tail_s=4.5) == [True, False, True]


def test_after_call_work_is_added_only_where_none_is_recorded():
    """The second call waits for the first, whose work records 3 s of its own or none."""
    for acw_s, wait_s in ((None, 14.0), (3.0, 9.0)):
        rows = [call(0, 0, acw_s=acw_s), call(1, 1)]
        assert played(rows, acw_s=5.0)[1] == ("answered", wait_s)


def test_agents_take_the_times_of_their_own_only_where_that_is_assumed():
    """Given factors: ann takes twice as long as bob, who was recorded."""
    rows = [call(0, 0, agent_id="bob"), call(1, 1)]
    tables = centre(rows)
    factors = pl.DataFrame({"agent_id": ["ann", "bob"], "factor": [2.0, 1.0]})
    tables = replace(tables, handle_factors=check("handle_factors", factors), agents=two_agents())
    for handling, wait_s in (("recorded", 9.0), ("agent", 19.0)):
        scenario = Scenario(mode="replay", method="genesys", assumptions=Assumptions(handling=handling))
        assert choose(scenario, tables).to_frame()["wait_s"][1] == wait_s


def two_agents() -> pl.DataFrame:
    return check("agents", pl.DataFrame({"agent_id": ["ann", "bob"]}))


def test_nobody_gives_up_where_that_is_assumed():
    rows = [call(0, 0, 100), call(1, 1, outcome="abandoned", wait_s=5.0, patience_s=None)]
    assert played(rows)[1] == ("abandoned", 5.0)
    assert played(rows, patience="never")[1] == ("answered", 99.0)


def test_flow_outs_leave_when_they_are_said_to():
    rows = [call(0, 0, 100), call(1, 1, outcome="flowed_out", wait_s=20.0)]
    assert played(rows)[1] == ("flowed_out", 20.0)
    assert played(rows, flow_out=7.5)[1] == ("flowed_out", 7.5)
    assert played(rows, flow_out="never")[1] == ("answered", 99.0)
    early = [call(0, 0, 100), call(1, 1, outcome="flowed_out", wait_s=20.0, patience_s=19.0)]
    assert played(early)[1] == ("abandoned", 19.0)


@pytest.mark.parametrize(("point_s", "waits_s"), [(60.0, [99, 49]), (24.0, [99, 49]), (12.0, [89, 59])])
def test_a_point_of_priority_is_worth_so_many_seconds(point_s: float, waits_s: list[float]) -> None:
    """Two points against 40 s of waiting."""
    rows = [call(0, 0, 90), call(1, 1), call(2, 41, priority=2.0)]
    assert [wait_s for _, wait_s in played(rows, point_s=point_s)[1:]] == waits_s


def test_unanswered_alerts_last_and_keep_agents_away_as_long_as_is_said():
    """Each miss costs the time-out and the time away; how many there are follows from the id, whatever they cost."""
    rows = [call(number, 1000 * number) for number in range(30)]
    waits = {}
    for costs in ((15.0, 60.0), (4.0, 1.0)):
        found = played(rows, (0.0, 1e6), no_answer=0.6, timeout_s=costs[0], away_s=costs[1])
        waits[costs] = [wait_s / sum(costs) for _, wait_s in found]
    assert waits[15.0, 60.0] == waits[4.0, 1.0]
    misses = waits[4.0, 1.0]
    assert all(n == int(n) for n in misses)
    # Geometric with mean 0.6 / 0.4 and standard deviation sqrt(0.6) / 0.4: four standard errors.
    assert sum(misses) / 30 == pytest.approx(1.5, abs=4 * 0.6**0.5 / 0.4 / 30**0.5)
    assert max(misses) > 2
    assert played(rows, (0.0, 1e6)) == [("answered", 0.0)] * 30


def test_every_assumption_is_in_the_scenario_of_a_report():
    said = Scenario(mode="replay").to_dict()
    assert set(said["assumptions"]) == {field.name for field in fields(Assumptions)}
    assert set(said["switches"]) == {field.name for field in fields(Switches)}
