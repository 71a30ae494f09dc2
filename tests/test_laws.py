"""Laws of score mode that need no answer to compare with."""

import math
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.data.checks import complete
from engine.data.tables import Tables
from engine.run import choose, run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests import oracle, strategies


def decided(scenario: Scenario, centre: Tables) -> dict[str, tuple[str | None, float | None]]:
    """Chosen agent and score by interaction."""
    columns = ("interaction_id", "selected_agent_id", "composite_score")
    rows = choose(scenario, centre).to_frame().select(columns).iter_rows()
    return {interaction: (agent, score) for interaction, agent, score in rows}


def renamed(centre: Tables, names: dict[str, str]) -> Tables:
    """The same centre under other agent ids, in all tables."""
    tables = {
        name: frame.with_columns(pl.col("agent_id").replace(names)) if "agent_id" in frame.columns else frame
        for name, frame in centre
    }
    return Tables(**tables)


def with_members(centre: Tables) -> Tables:
    """The same centre with the members it implies written down."""
    return complete(centre)[0]


@given(strategies.problems(), st.sampled_from(("r", "Ω", "😀")))
def test_renaming_agents_renames_the_choice(problem, first_letter):
    """New ids in the same order; a tie decided by id goes to the same agent."""
    scenario, centre = problem
    names = {name: f"{first_letter}{n:02}" for n, name in enumerate(sorted(centre.agents["agent_id"]))}
    back = {new: old for old, new in names.items()} | {None: None}
    plain, other = decided(scenario, centre), decided(scenario, renamed(centre, names))
    assert {key: (back[agent], score) for key, (agent, score) in other.items()} == plain


@given(strategies.problems())
def test_reversing_the_order_of_ids_changes_only_ties(problem):
    scenario, centre = problem
    names = {name: f"r{99 - n}" for n, name in enumerate(sorted(centre.agents["agent_id"]))}
    plain, other = decided(scenario, centre), decided(scenario, renamed(centre, names))
    assert {key: score for key, (_, score) in plain.items()} == {key: score for key, (_, score) in other.items()}
    rows = oracle.as_rows(centre)
    for interaction in rows["interactions"]:
        agent, score = plain[interaction["interaction_id"]]
        best = [name for name, reached in oracle.ranking(scenario, rows, interaction) if reached == score]
        if len(best) == 1:
            assert other[interaction["interaction_id"]][0] == names[agent]


@given(strategies.problems(), st.integers(0, 2**32))
def test_the_order_of_rows_decides_nothing(problem, seed):
    scenario, centre = problem
    shuffle = random.Random(seed)
    shuffled = Tables(**{name: frame[shuffle.sample(range(frame.height), frame.height)] for name, frame in centre})
    assert decided(scenario, shuffled) == decided(scenario, centre)
    one, other = run(scenario, centre).to_dict(), run(scenario, shuffled).to_dict()
    assert one["fairness"]["agent_distribution"] == other["fairness"]["agent_distribution"]
    assert one["preference"] == other["preference"]


@given(strategies.problems())
def test_an_agent_who_is_no_member_changes_nothing(problem):
    scenario, centre = problem
    centre = with_members(centre)
    everything = [{"name": name, "proficiency": 5.0} for name in strategies.SKILLS]
    star = strategies.table("agents", [{"agent_id": "!", "skills": everything, "queue_time_s": 0.0}])
    larger = replace(centre, agents=pl.concat([centre.agents, star]))
    assert decided(scenario, larger) == decided(scenario, centre)
    one, other = run(scenario, centre).to_dict()["fairness"], run(scenario, larger).to_dict()["fairness"]
    assert one["agent_distribution"] == other["agent_distribution"]
    assert one["gini_coefficient"] == other["gini_coefficient"]


@given(strategies.problems())
def test_raising_the_chosen_agents_proficiency_keeps_them_chosen(problem):
    scenario, centre = problem
    for interaction, (agent, _) in list(decided(scenario, centre).items())[:3]:
        if agent is not None:
            assert decided(scenario, raised(centre, agent))[interaction][0] == agent


def raised(centre: Tables, agent_id: str) -> Tables:
    """One agent perfect in everything held."""
    rows = centre.agents.to_dicts()
    for row in rows:
        if row["agent_id"] == agent_id:
            row["skills"] = [skill | {"proficiency": 5.0} for skill in row["skills"] or []]
    return replace(centre, agents=strategies.table("agents", rows))


@given(strategies.problems())
def test_days_one_by_one_equal_the_whole(problem):
    """With surveys that name their queue themselves; one may belong to an interaction of another day."""
    scenario, centre = problem
    queues = centre.interactions.select("interaction_id", found="queue_id")
    named = centre.surveys.join(queues, on="interaction_id", how="left", maintain_order="left")
    named = named.with_columns(queue_id=pl.coalesce("queue_id", "found")).drop("found")
    centre = replace(centre, surveys=named)
    parts: dict[str, Any] = {}
    day = centre.interactions["arrived_at"].dt.date()
    for one in day.unique():
        parts |= decided(scenario, replace(centre, interactions=centre.interactions.filter(day == one)))
    assert parts == decided(scenario, centre)


@given(strategies.problems())
def test_all_surveys_equal_those_known_when_all_came_before_the_first_day(problem):
    scenario, centre = problem
    earlier = centre.surveys.with_columns(pl.col("completed_at") - timedelta(days=3))
    before = replace(centre, surveys=earlier)
    assert decided(replace(scenario, csat="all"), before) == decided(replace(scenario, csat="asof"), before)


@given(strategies.problems(required=("skills", "language")))
def test_hard_filters_only_remove_candidates(problem):
    """Whoever wins without the filters and passes them wins with them, at the same score."""
    scenario, centre = problem
    strict, soft = decided(scenario, centre), decided(replace(scenario, required=()), centre)
    agents = {row["agent_id"]: row for row in centre.agents.to_dicts()}
    for row in centre.interactions.to_dicts():
        winner, score = soft[row["interaction_id"]]
        if winner is None:
            assert strict[row["interaction_id"]] == (None, None)
        elif oracle.passes_filter(agents[winner], row, scenario.required):
            assert strict[row["interaction_id"]] == (winner, score)
        else:
            assert (strict[row["interaction_id"]][1] or 0.0) <= score


@given(strategies.problems())
def test_priority_rings_and_recorded_agents_play_no_part_in_a_choice(problem):
    scenario, centre = problem
    plain = replace(
        centre,
        interactions=centre.interactions.with_columns(
            priority=pl.lit(0.0), agent_id=pl.lit(None, pl.String), handle_s=pl.lit(None, pl.Float64)
        ),
        members=centre.members.with_columns(ring=pl.lit(6, pl.Int32)),
    )
    assert decided(scenario, plain) == decided(scenario, centre)


@given(strategies.problems())
def test_a_higher_threshold_only_removes_choices(problem):
    scenario, centre = problem
    higher = replace(scenario.weights, min_score_threshold=scenario.weights.min_score_threshold + 0.1)
    low, high = decided(scenario, centre), decided(replace(scenario, weights=higher), centre)
    assert all(high[key] in (low[key], (None, None)) for key in low)


def test_weights_are_used_as_given_and_not_divided_by_their_sum():
    centre = Tables(
        agents=strategies.table("agents", [{"agent_id": "a"}]),
        interactions=strategies.table(
            "interactions", [{"interaction_id": "1", "queue_id": "q", "arrived_at": strategies.MIDNIGHT}]
        ),
    )
    assert decided(Scenario(weights=RoutingWeights(2.0, 1.0, 1.0, 0.0)), centre) == {"1": ("a", 3.5)}


@given(strategies.problems())
def test_a_report_holds_no_number_that_is_none(problem):
    """No NaN and no infinity anywhere: null says that something is undefined."""
    scenario, centre = problem
    assert all(math.isfinite(number) for number in numbers(run(scenario, centre).to_dict()))


def numbers(value: Any) -> list[float]:
    """All real numbers within nested plain values."""
    if isinstance(value, dict):
        return numbers(list(value.values()))
    if isinstance(value, list | tuple):
        return [number for inner in value for number in numbers(inner)]
    return [value] if isinstance(value, float) else []
