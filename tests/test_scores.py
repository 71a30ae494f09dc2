"""The score matrix: goldens, the slow twin, and laws."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.tables import Tables
from engine.errors import InvalidTable
from engine.scoring.scores import score_matrix
from engine.scoring.weights import RoutingWeights
from tests import oracle, strategies

DAY = datetime(2024, 3, 1, 10, tzinfo=UTC)


def one_agent(level: float = 5.0) -> pl.DataFrame:
    skills = [{"name": "tech", "proficiency": level}]
    languages = [{"name": "en", "proficiency": 3.0}]
    return strategies.table("agents", [{"agent_id": "ada", "skills": skills, "languages": languages}])


def one_call(**other: object) -> pl.DataFrame:
    row = {"interaction_id": "1", "queue_id": "q", "arrived_at": DAY, "skills": ["tech"], "language": "en"}
    return strategies.table("interactions", [row | other])


def own_matrix(scenario, centre: Tables, csat: object, weights: RoutingWeights | None = None) -> np.ndarray:
    """The engine's matrix of a scenario without a goal and shrinkage, which are not the matrix's concern."""
    return score_matrix(
        centre.interactions,
        centre.agents,
        csat,
        weights or scenario.weights,
        members=None if centre.members.is_empty() else centre.members,
        required=scenario.required,
        language=scenario.language,
        csat_missing=scenario.csat_missing,
    )


def test_golden_level_5_language_met_csat_08_is_094():
    assert score_matrix(one_call(), one_agent(), {"ada": 0.8}, RoutingWeights()).tolist() == [[0.94]]


@pytest.mark.parametrize(("threshold", "score"), [(0.94, 0.94), (0.9400000004, 0.94), (0.940000001, 0.0)])
def test_the_threshold_is_inclusive_to_a_billionth(threshold, score):
    weights = RoutingWeights(min_score_threshold=threshold)
    assert score_matrix(one_call(), one_agent(), {"ada": 0.8}, weights)[0, 0] == score


def test_a_score_of_zero_is_ineligible_even_without_a_threshold():
    weights = RoutingWeights(1.0, 0.0, 0.0, min_score_threshold=0.0)
    assert score_matrix(one_call(), one_agent(level=0.0), None, weights)[0, 0] == 0


def test_a_skill_listed_at_0_counts_as_held():
    weights = RoutingWeights(min_score_threshold=0.4)
    score = score_matrix(one_call(), one_agent(level=0.0), None, weights, required=("skills",))
    assert score[0, 0] == 0.45


@strategies.HARDER
@given(strategies.problems(goal=None, csat_shrinkage=0.0, csat="asof"))
def test_the_matrix_equals_the_slow_twin_element_for_element(problem):
    scenario, centre = problem
    np.testing.assert_array_equal(
        own_matrix(scenario, centre, centre.surveys), np.array(oracle.matrix(scenario, centre))
    )


@given(strategies.problems(goal=None, csat_shrinkage=0.0, csat="all", csat_missing=0.5))
def test_means_by_agent_count_as_every_survey(problem):
    scenario, centre = problem
    rows = oracle.as_rows(centre)
    answers = oracle.known_surveys(rows, DAY, "all")
    named = {survey["agent_id"] for survey in answers}
    means = {name: oracle.csat_term(name, "", answers, 0.5, 0.0) for name in named}
    np.testing.assert_array_equal(own_matrix(scenario, centre, means), np.array(oracle.matrix(scenario, centre)))


@given(strategies.problems(goal=None, csat="asof"), st.randoms(use_true_random=False))
def test_the_order_of_rows_is_the_order_of_the_matrix_and_nothing_else(problem, random):
    scenario, centre = problem
    rows = random.sample(range(centre.interactions.height), centre.interactions.height)
    columns = random.sample(range(centre.agents.height), centre.agents.height)
    plain = own_matrix(scenario, centre, centre.surveys)
    shuffled = Tables(centre.agents[columns], centre.interactions[rows], members=centre.members, surveys=centre.surveys)
    np.testing.assert_array_equal(own_matrix(scenario, shuffled, centre.surveys), plain[np.ix_(rows, columns)])


@given(strategies.problems(goal=None, csat="asof"))
def test_hard_filters_only_remove_candidates(problem):
    scenario, centre = problem
    filtered = own_matrix(scenario, centre, centre.surveys)
    soft = score_matrix(
        centre.interactions, centre.agents, centre.surveys, scenario.weights,
        members=None if centre.members.is_empty() else centre.members,
        language=scenario.language, csat_missing=scenario.csat_missing,
    )  # fmt: skip
    assert ((filtered == soft) | (filtered == 0)).all()


@given(strategies.problems(goal=None, csat="asof"))
def test_scores_are_finite_whole_billionths_at_or_above_the_threshold(problem):
    scenario, centre = problem
    score = own_matrix(scenario, centre, centre.surveys)
    positive = score[score > 0]
    assert np.isfinite(score).all()
    np.testing.assert_array_equal(positive, np.rint(positive * 1e9) / 1e9)
    assert (positive >= np.rint(1e9 * scenario.weights.min_score_threshold) / 1e9).all()


def test_more_cells_than_fit_one_block_are_scored_alike():
    """300 agents times 400 distinct requirements: the matrix is made of several blocks."""
    rng = np.random.default_rng(5)
    levels = rng.integers(0, 6, (300, 20)).astype(float)
    agents = strategies.table(
        "agents",
        [
            {"agent_id": f"a{a}", "skills": [{"name": f"s{s}", "proficiency": levels[a, s]} for s in range(20)]}
            for a in range(300)
        ],
    )
    pairs = [(i, j) for i in range(20) for j in range(20)]
    calls = strategies.table(
        "interactions",
        [
            {"interaction_id": f"{i},{j}", "queue_id": "q", "arrived_at": DAY, "skills": [f"s{i}", f"s{j}"]}
            for i, j in pairs
        ],
    )
    score = score_matrix(calls, agents, None, RoutingWeights(1.0, 0.0, 0.0, 0.0))
    wanted = np.array([(levels[:, i] / 5 + levels[:, j] / 5) / 2 for i, j in pairs])
    np.testing.assert_array_equal(score, np.rint(1e9 * wanted) / 1e9)


def test_a_frame_that_does_not_fit_is_refused_with_its_column():
    with pytest.raises(InvalidTable, match="arrived_at"):
        score_matrix(one_call().drop("arrived_at"), one_agent(), None, RoutingWeights())
