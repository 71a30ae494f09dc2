"""One request is ranked as the slow twin ranks it, also for requirements that never occur."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.data.encode import encode
from engine.errors import InvalidScenario, UnknownSkill
from engine.selection.explain import rank
from engine.selection.request import narrowed, rank_request, request_terms
from engine.spec import csat_of
from tests import oracle, strategies


def ranked_by_engine(scenario, tables, queue_id, skills, language):
    arrays = encode(tables)
    queue = arrays.centre.queue_ids.index(queue_id)
    centre = narrowed(arrays.centre, queue, skills, language)
    terms = request_terms(scenario, centre, csat_of(scenario, arrays), queue)
    return centre, terms, rank_request(scenario, terms)


@given(
    strategies.problems(csat="all"),
    st.sampled_from(strategies.QUEUE_IDS),
    st.lists(st.sampled_from(strategies.SKILLS), max_size=3),
    st.sampled_from((None, *strategies.LANGUAGES)),
)
def test_any_request_is_ranked_as_the_slow_twin_ranks_it(problem, queue_id, skills, language):
    scenario, tables = problem
    known = [queue_id in tables.members["queue_id"] or queue_id in tables.interactions["queue_id"]]
    held = {entry["name"] for row in tables.agents["skills"].drop_nulls() for entry in row}
    spoken = {entry["name"] for row in tables.agents["languages"].drop_nulls() for entry in row}
    assume(all(known) and set(skills) <= held and (language is None or language in spoken))
    centre, _, found = ranked_by_engine(scenario, tables, queue_id, skills, language)
    asked = {
        "queue_id": queue_id,
        "skills": skills,
        "language": language,
        "arrived_at": datetime(2024, 3, 1, tzinfo=UTC),
    }
    wanted = oracle.ranking(scenario, oracle.as_rows(tables), asked)
    assert [(centre.agent_ids[a], s) for a, s in zip(found.agent, found.score.tolist(), strict=True)] == wanted


@given(strategies.problems(csat="all"))
def test_the_explanation_puts_the_same_agents_in_the_same_order(problem):
    scenario, tables = problem
    arrays = encode(tables)
    queue_id = arrays.centre.queue_ids[0]
    centre, terms, found = ranked_by_engine(scenario, tables, queue_id, [], None)
    rows = rank(scenario, replace(arrays, centre=centre), terms, np.zeros(1, np.int64), -1)
    placed = [row.agent_id for row in rows if row.place is not None]
    assert placed == [centre.agent_ids[a] for a in found.agent]
    assert len(rows) == tables.agents.height


def one_queue():
    skills = [{"name": "billing", "proficiency": 2.0}, {"name": "tech", "proficiency": 0.0}]
    agents = strategies.table("agents", [{"agent_id": "ada", "skills": skills, "languages": None}])
    calls = [
        {"interaction_id": "1", "queue_id": "q", "arrived_at": datetime(2024, 3, 1, tzinfo=UTC), "skills": ["law"]}
    ]
    return strategies.Tables(agents, strategies.table("interactions", calls))


def test_a_skill_that_only_interactions_name_is_unknown_and_the_nearest_is_named():
    centre = encode(one_queue()).centre
    with pytest.raises(UnknownSkill, match=r"skill 'biling'; did you mean 'billing'\?"):
        narrowed(centre, 0, ["biling"])
    with pytest.raises(UnknownSkill, match=r"skill 'law'; known: 'billing', 'tech'"):
        narrowed(centre, 0, ["law"])
    with pytest.raises(InvalidScenario, match=r"language 'en'; known: none"):
        narrowed(centre, 0, [], "en")
    with pytest.raises(UnknownSkill, match=r"no agent of queue 'q' has the skill 'law'"):
        narrowed(centre, 0, ["law"], where="queue 'q'")


def test_the_best_score_below_the_threshold_is_told_and_none_where_nobody_passes_the_filter():
    scenario = strategies.Scenario(csat="all", weights=strategies.RoutingWeights(1, 0, 0, 0.5))
    _, _, found = ranked_by_engine(scenario, one_queue(), "q", ["billing"], None)
    assert found.agent.size == 0
    assert found.best_below == 0.4
    tables = replace(one_queue(), agents=strategies.table("agents", [
        {"agent_id": "ada", "skills": [{"name": "billing", "proficiency": 2.0}]},
        {"agent_id": "bob", "skills": [{"name": "tech", "proficiency": 2.0}]},
    ]))  # fmt: skip
    filtered = replace(scenario, required=("skills",))
    _, _, found = ranked_by_engine(filtered, tables, "q", ["billing", "tech"], None)
    assert found.best_below is None
    assert not found.eligible.any()


def test_who_has_no_survey_gets_the_mean_of_the_queue_asked_for():
    agents = strategies.table("agents", [{"agent_id": "ada"}, {"agent_id": "bob"}])
    at = datetime(2024, 3, 1, tzinfo=UTC)
    calls = [{"interaction_id": q, "queue_id": q, "arrived_at": at} for q in ("first", "second")]
    scale = {"completed_at": at, "scale_min": 0.0, "scale_max": 1.0}
    surveys = [
        {"survey_id": "1", "agent_id": "ada", "queue_id": "first", "score": 0.75, **scale},
        {"survey_id": "2", "agent_id": "ada", "queue_id": "second", "score": 0.25, **scale},
    ]
    tables = strategies.Tables(
        agents, strategies.table("interactions", calls), surveys=strategies.table("surveys", surveys)
    )
    scenario = strategies.Scenario(
        csat="all", csat_missing="queue-mean", weights=strategies.RoutingWeights(0, 0, 1, 0.0)
    )
    for queue, score in (("first", 0.75), ("second", 0.25)):
        _, _, found = ranked_by_engine(scenario, tables, queue, [], None)
        assert dict(zip(found.agent.tolist(), found.score.tolist(), strict=True)) == {0: 0.5, 1: score}
