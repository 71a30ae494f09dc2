"""Comparisons of rules: paired, twice, and silent where the two ways of handling disagree."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.data.encode import encode
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions
from engine.levers import levers_of
from engine.reports.columns import Study
from engine.reports.compare import Comparison, RuleDifferences, _both, compare
from engine.reports.replay import MEASURES, Difference
from engine.results import plain
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests.made_up import ENDS, GENESYS, WEIGHTED, made, made_tables, with_waits
from tests.small_centres import DAY, call, last_first, tables_of
from tests.strategies import MIDNIGHT

# Of the columns; a rule that comes again is numbered.
NAMES = ["genesys", "weighted", "weighted (2)"]
SKILLED = replace(WEIGHTED, weights=RoutingWeights(1, 0, 0, 0))


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Today's rule, another, and the other under other weights."""
    return compare([GENESYS, WEIGHTED, SKILLED], made())


# --- what is compared -----------------------------------------------------------------------------------------------


def test_rules_are_replayed_under_both_ways_of_handling(found: Comparison) -> None:
    """Each side is what a study of its own says, on the same draws."""
    assert [side.handling for side in found.sides] == ["recorded", "agent"]
    for side in found.sides:
        assumed = Assumptions(handling=side.handling)
        study = Study(made(), replace(GENESYS, assumptions=assumed))
        rules = [replace(one, assumptions=assumed) for one in (GENESYS, WEIGHTED, SKILLED)]
        columns = [study.column(one.method, one) for one in rules]
        assert [column.name for column in side.columns] == ["recorded", *NAMES]
        for name, mine, shown in zip(NAMES, columns, side.columns[1:], strict=True):
            assert shown == replace(study.summary(mine), name=name)
        for name, mine, difference in zip(NAMES[1:], columns[1:], side.differences, strict=True):
            alone = study.difference(mine, columns[0])
            assert difference == RuleDifferences(**vars(alone), rule=name, against="genesys")
    recorded, by_agent = (side.columns[2] for side in found.sides)
    assert [getattr(recorded, name) for name in MEASURES] != [getattr(by_agent, name) for name in MEASURES]
    # What was recorded does not depend on what is assumed of other agents.
    assert found.sides[0].columns[0] == found.sides[1].columns[0]


def test_a_rule_compared_with_itself_is_said_once():
    """It is not played again, and has no row of differences."""
    told: list[str] = []
    same = compare([WEIGHTED, WEIGHTED, SKILLED], made(), progress=lambda label, *_: told.append(label))
    for side in same.sides:
        *_, one, other, _ = side.columns
        assert (one.name, other.name) == ("weighted", "weighted (2)")
        assert one == replace(other, name="weighted")
        assert [row.rule for row in side.differences] == ["weighted (3)"]
        assert len(side.satisfaction) == 1
    first, second = same.verdicts
    assert plain(first) == {
        "rule": "weighted (2)", "against": "weighted", "about": first.about,
        "nothing": "the same rule, so there is nothing to compare",
    }  # fmt: skip
    assert second.nothing is None and second.service_level is not None
    assert told.count("replaying weighted") == 4


def test_what_a_method_of_the_platform_does_not_read_makes_no_other_rule():
    same = compare([GENESYS, replace(GENESYS, weights=RoutingWeights(0.1, 0.9, 0.0)), WEIGHTED], made())
    assert [verdict.nothing is None for verdict in same.verdicts] == [False, True]
    assert [row.rule for row in same.sides[0].differences] == ["weighted"]


def test_a_scenario_that_changes_nothing_is_said_to():
    """A queue without calls gets longer calls."""
    tables = made_tables()
    queues = pl.concat([tables.queues, tables.queues.head(1).with_columns(queue_id=pl.lit("empty"))])
    longer = replace(GENESYS, levers=levers_of({"handle": [{"factor": 2.0, "queue": "empty"}]}))
    found = compare([GENESYS, longer], encode(replace(tables, queues=queues)))
    assert found.verdicts[0].nothing == "no measure differs at all"


def test_every_column_says_who_had_a_choice_and_who_waited_beside_a_free_agent(found: Comparison) -> None:
    """Each under its own rule, in the table and in the file; of the record nobody knows."""
    below = replace(WEIGHTED, required=(), weights=RoutingWeights(min_score_threshold=0.5))
    told = compare([GENESYS, below], made())
    for comparison in (found, told):
        for side in comparison.sides:
            past, *rules = side.columns
            assert past.choice_share is past.idle_while_waiting_s is past.idle_causes is None
            assert all(0 < rule.choice_share < 1 for rule in rules)
            for rule in rules:
                assert rule.idle_while_waiting_s == pytest.approx(sum(vars(rule.idle_causes).values()))
    assert all(rule.idle_while_waiting_s == 0 for side in found.sides for rule in side.columns[1:])
    today, scenario = told.sides[0].columns[1:]
    assert today.idle_while_waiting_s == 0 < scenario.idle_while_waiting_s == scenario.idle_causes.threshold_s
    assert sum(said.startswith("weighted: customers waited ") for said in told.warnings) == 1
    assert not any("genesys: customers waited" in said for said in told.warnings)


# --- the light -------------------------------------------------------------------------------------------------------


def test_today_s_rule_is_played_once_whether_it_is_compared_or_not(found: Comparison) -> None:
    """It is what the light looks at, and has a column where times are those recorded."""
    other = compare([WEIGHTED, SKILLED], made())
    assert [side.today for side in found.sides] == ["genesys", "genesys"]
    assert [side.today for side in other.sides] == ["today", None]
    assert [column.name for column in other.sides[0].columns] == ["recorded", "today", *NAMES[1:]]
    assert [column.name for column in other.sides[1].columns] == ["recorded", *NAMES[1:]]
    assert other.sides[0].columns[1] == replace(found.sides[0].columns[1], name="today")
    assert other.light == found.light
    assert other.light.color == "green"


def test_differences_turn_their_sign_with_the_order(found: Comparison) -> None:
    turned = compare([WEIGHTED, GENESYS], made())
    for there, back in zip(found.sides, turned.sides, strict=True):
        for name in MEASURES:
            one, other = (getattr(side.differences[0], name) for side in (there, back))
            assert one.value == -other.value
            assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))
    opposite = {"better": "worse", "worse": "better", "more": "less", "less": "more"}
    for name in MEASURES:
        said = getattr(found.verdicts[0], name)
        assert getattr(turned.verdicts[0], name) == opposite.get(said, said)


def test_the_same_comparison_gives_the_same_numbers(found: Comparison) -> None:
    assert compare([GENESYS, WEIGHTED, SKILLED], made()).to_dict() == found.to_dict()


def test_where_runs_are_done_does_not_show(found: Comparison) -> None:
    """The last run first: none may need another."""
    again = compare([GENESYS, WEIGHTED, SKILLED], made(), map_runs=last_first)
    assert again.to_dict() == found.to_dict()


# --- verdicts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sides", "says"), [
    (((1.0, "better"), (2.0, "better")), "better"),
    (((-1.0, "worse"), (-0.1, "worse")), "worse"),
    (((1.0, "better"), (-1.0, "worse")), "not determined"),
    (((1.0, "better"), (-0.1, "no clear difference")), "not determined"),
    (((0.1, "no clear difference"), (-0.1, "no clear difference")), "not determined"),
    (((1.0, "better"), (0.1, "no clear difference")), "no clear difference"),
    (((0.2, "no clear difference"), (0.1, "no clear difference")), "no clear difference"),
    (((0.0, "no clear difference"), (0.0, "no clear difference")), "no clear difference"),
    (((None, "undefined"), (1.0, "better")), "undefined"),
    (((1.0, "undefined"), (2.0, "undefined")), "undefined"),
])  # fmt: skip
def test_only_what_holds_under_both_ways_is_said(sides: Any, says: str) -> None:
    assert _both([Difference(value, None, None, word) for value, word in sides]) == says


def test_verdicts_follow_from_both_sides(found: Comparison) -> None:
    for place, verdict in enumerate(found.verdicts):
        assert verdict.rule == NAMES[place + 1]
        assert {name: getattr(verdict, name) for name in MEASURES} == {
            name: _both([getattr(side.differences[place], name) for side in found.sides]) for name in MEASURES
        }
    assert {"better", "worse"} & {getattr(found.verdicts[0], name) for name in MEASURES}


def test_agents_own_times_are_played_on_the_second_side():
    """A rule that prefers ann changes no occupancy with recorded times; with her own it does, by how fast she is."""
    rng = np.random.default_rng(0)
    rows = [
        call(n, float(n % 10 * 86_400 + rng.integers(0, 3600)), handle_s=float(rng.integers(30, 90)), patience_s=1e6,
             skills=["tech"], outcome="answered", agent_id=("ann", "bob")[n % 2], wait_s=1.0)
        for n in range(600)
    ]  # fmt: skip
    rated = lambda level: [{"name": "tech", "proficiency": level}]  # noqa: E731
    agents = [{"agent_id": "ann", "skills": rated(5.0)}, {"agent_id": "bob", "skills": rated(1.0)}]
    there = [
        {"agent_id": name, "start_at": MIDNIGHT + day * DAY, "end_at": MIDNIGHT + (day + 1) * DAY}
        for name in ("ann", "bob") for day in range(10)
    ]  # fmt: skip
    results = {}
    for slow in ("ann", "bob"):
        factors = [{"agent_id": name, "factor": 3.0 if name == slow else 1.0} for name in ("ann", "bob")]
        tables = tables_of(agents=agents, members=[], interactions=rows, staffing=there, handle_factors=factors)
        said = compare([GENESYS, SKILLED], encode(tables), force=True)
        results[slow] = [side.differences[0].occupancy.value for side in said.sides]
        assert said.verdicts[0].occupancy == _both([side.differences[0].occupancy for side in said.sides])
    # ann, who is preferred, is slow or fast: work takes longer under the rule, or less.
    assert results["ann"][1] > 0 > results["bob"][1]
    assert results["ann"][0] == results["bob"][0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("force", [False, True])
def test_a_comparison_that_misses_the_record_keeps_its_verdicts_unless_forced(force: bool) -> None:
    said = compare([GENESYS, WEIGHTED], encode(with_waits(3 * pl.col("wait_s"))), force=force)
    assert said.light.color == "red"
    verdict = said.to_dict()["verdicts"][0]
    assert ("withheld" in verdict) == (not force)
    assert (verdict.keys() >= set(MEASURES)) == force
    if not force:
        assert said.verdicts[0].withheld.startswith(said.light.why)
        assert "--force" in said.verdicts[0].withheld
    # The sides are there to be read all the same.
    assert all(set(MEASURES) <= set(vars(side.differences[0])) for side in said.sides)


def test_fewer_than_seven_days_determine_nothing():
    day = made_tables().interactions["arrived_at"].dt.date().min()
    said = compare([GENESYS, WEIGHTED], encode(made_tables()).days(day, day))
    assert said.verdicts[0].withheld.startswith("not determined: fewer than seven days")
    assert all(side.differences[0].asa_s.value is not None for side in said.sides)


# --- what is refused, and the shape ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scenarios", [[], [GENESYS]])
def test_one_rule_is_no_comparison(scenarios: list[Scenario]) -> None:
    with pytest.raises(InvalidScenario, match="compare: give two rules or more, for example genesys,weighted"):
        compare(scenarios, made())


@pytest.mark.parametrize("changes", [
    {"assumptions": Assumptions(point_s=30.0)}, {"seed": 1}, {"service_level": "offered"}, {"short_abandon_s": 5.0},
    {"replications": 2}, {"goal": "90/10"}, {"interval_min": 60},
], ids=lambda changes: next(iter(changes)))  # fmt: skip
def test_what_must_be_shared_is_named_where_it_differs(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidScenario, match=f"compare: {next(iter(changes))} must be the same for all rules"):
        compare([GENESYS, replace(WEIGHTED, **changes)], made())


def test_score_mode_has_no_comparison():
    with pytest.raises(InvalidScenario, match="compared in mode replay"):
        compare([GENESYS, Scenario()], made())


def test_rules_may_differ_in_weights_requirements_and_whether_a_goal_moves_them():
    chosen = replace(WEIGHTED, goal="80/20", performance="rolling", required=("language",))
    assert len(compare([replace(GENESYS, goal="80/20"), chosen], made()).verdicts) == 1


def test_a_comparison_is_json_without_nan(found: Comparison) -> None:
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert set(content) == {"snapshot", "scenarios", "light", "sides", "verdicts", "warnings"}
    assert [one["method"] for one in content["scenarios"]] == ["genesys", "weighted", "weighted"]
    for side in content["sides"]:
        assert set(side) == {"handling", "today", "columns", "differences", "satisfaction", "estimates"}
        assert all(sum(column[end] for end in ENDS) == 3000 for column in side["columns"])
        assert len(side["satisfaction"]) == len(side["differences"]) == 2
        # The other mean is that of the first rule, so it is not called recorded.
        assert all("against_mean" in said and "recorded_mean" not in said for said in side["satisfaction"])
        assert side["estimates"]["handling"]["handling"] == side["handling"]
    assert any("transfers, redials" in warning for warning in content["warnings"])


def test_progress_tells_every_replay_of_both_sides():
    told: list[str] = []
    compare([WEIGHTED, SKILLED], made(), progress=lambda label, *_: told.append(label))
    # Today's rule is not among them: once, for the light.
    assert told == 2 * ["replaying weighted"] + ["replaying genesys"] + 2 * ["replaying weighted"]
