"""An explanation names the real reason of every agent and agrees with the run."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given

from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import UnknownName
from engine.run import choose
from engine.scoring.weights import RoutingWeights
from engine.selection.explain import explain
from engine.spec import Scenario
from tests.one_call import centre
from tests.strategies import problems


@pytest.mark.parametrize(
    ("agent", "place", "reason"),
    [
        ("cal", 1, "chosen"),
        ("ann", 2, "lost the tie on idle time"),
        ("gus", 3, "lost the tie on idle time"),
        ("bea", 4, "lost the tie on queue time (20 s against 10 s)"),
        ("dan", 5, "lower score, by 0.08"),
        ("eve", None, "below the threshold 0.5 by 0.27"),
        ("fay", None, "not a member of queue q"),
    ],
)
def test_every_way_to_lose_has_its_own_words(agent, place, reason):
    rows = {row.agent_id: row for row in explain(Scenario(), centre(), "i").agents}
    assert rows[agent].place == place
    assert reason in rows[agent].reason


def test_a_tie_can_come_down_to_the_id():
    tables = centre()
    kept = tables.agents.filter(pl.col("agent_id").is_in(["ann", "gus"]))
    rows = explain(Scenario(), Tables(kept, tables.interactions), "i").agents
    assert [r.agent_id for r in rows] == ["ann", "gus"]
    assert rows[1].reason.endswith("lost the tie on agent id")


def test_a_hard_filter_is_named():
    rows = {r.agent_id: r for r in explain(Scenario(required=("language",)), centre(), "i").agents}
    assert rows["eve"].reason == "fails the filter: lacks language en"
    assert rows["eve"].raw_score == pytest.approx(0.23)


def test_the_three_terms_stand_beside_the_score():
    best = explain(Scenario(), centre(), "i").chosen
    assert best is not None
    assert (best.proficiency, best.language, best.csat, best.score) == (1.0, 1.0, 0.5, 0.85)
    assert best.n_surveys == 0


def test_nobody_chosen_says_so():
    said = explain(Scenario(weights=RoutingWeights(min_score_threshold=0.99)), centre(), "i")
    assert said.chosen is None
    assert {row.place for row in said.agents} == {None}


def test_an_unknown_interaction_is_an_error():
    with pytest.raises(UnknownName, match="'nope'"):
        explain(Scenario(), centre(), "nope")


@given(problems())
def test_the_first_place_is_the_choice_of_the_run(problem):
    """Whatever the centre, an explanation's winner and score are those of the run."""
    scenario, tables = problem
    arrays = encode(tables)
    for row in choose(scenario, arrays).to_frame().head(3).iter_rows(named=True):
        chosen = explain(scenario, arrays, row["interaction_id"]).chosen
        assert (chosen and chosen.agent_id) == row["selected_agent_id"]
        assert (chosen and chosen.score) == row["composite_score"]


def test_made_up_surveys_are_called_so_here_too():
    arrays = encode(centre())
    made_up = replace(arrays, snapshot=replace(arrays.snapshot, made_up=["surveys"]))
    assert "made up" in explain(Scenario(), made_up, "i").warnings[0]
    assert explain(Scenario(), arrays, "i").warnings == []
