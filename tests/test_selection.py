"""Who is chosen: the slow twin agrees on every choice, score, place and reason."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.tables import Tables
from engine.errors import InvalidScenario, UnknownName
from engine.run import choose, run, run_all
from engine.scoring.scores import score_matrix
from engine.scoring.weights import RoutingWeights
from engine.selection import decisions as selection
from engine.selection.explain import explain
from engine.spec import Scenario
from tests import oracle, strategies


def choices(scenario: Scenario, centre: Tables) -> dict[str, oracle.Choice]:
    """The engine's choices by interaction, in the order in which it gives them."""
    frame = choose(scenario, centre).to_frame()
    columns = ("interaction_id", "selected_agent_id", "composite_score", "status")
    return {row[0]: oracle.Choice(*row[1:]) for row in frame.select(columns).iter_rows()}


@strategies.HARDER
@given(strategies.problems())
def test_every_choice_and_score_equals_the_slow_twin(problem):
    """Also with the compiled loop, which small runs never load by themselves."""
    scenario, centre = problem
    fast, slow = choices(scenario, centre), oracle.choices(scenario, centre)
    assert fast == slow
    assert list(fast) == list(slow)  # in order of arrival, then id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "LOAD_PAIRS", 0)
        assert choices(scenario, centre) == slow


@given(strategies.problems())
def test_outcomes_carry_what_was_required_and_who_was_chosen(problem):
    scenario, centre = problem
    outcomes = choose(scenario, centre)
    names = dict(centre.agents.select("agent_id", "agent_name").iter_rows())
    wanted = {row["interaction_id"]: row for row in centre.interactions.iter_rows(named=True)}
    rows = outcomes.to_frame().iter_rows(named=True)
    for row, agent, score in zip(rows, outcomes.agent, outcomes.score, strict=True):
        asked = wanted[row["interaction_id"]]
        assert row["required_skill"] == (";".join(oracle.required_skills(asked)) or None)
        assert row["required_language"] == asked["language"]
        assert row["selected_agent_name"] == names.get(row["selected_agent_id"])
        assert (agent < 0) == (row["selected_agent_id"] is None)
        assert score == (row["composite_score"] or 0.0)


@given(strategies.tables(), st.lists(strategies.scenarios(), min_size=1, max_size=4))
def test_a_stack_of_scenarios_equals_its_runs_one_by_one(centre, scenarios):
    """Some differ in weights only and share a pass, some in everything."""
    alike = [replace(scenarios[0], weights=scenario.weights) for scenario in scenarios]
    stack = [*scenarios, *alike]
    for report, scenario in zip(run_all(stack, centre), stack, strict=True):
        assert_alike(report.to_dict(), run(scenario, centre).to_dict())


def assert_alike(one: Any, other: Any) -> None:
    """Equal, but sums of real numbers may be added up in another order."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_alike(one[name], other[name])
    elif isinstance(one, list):
        for left, right in zip(one, other, strict=True):
            assert_alike(left, right)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-12, nan_ok=False)
    else:
        assert one == other


@given(strategies.problems(), st.data())
def test_an_explanation_gives_every_agent_its_terms_and_place(problem, data):
    scenario, centre = problem
    rows = oracle.as_rows(centre)
    interaction = data.draw(st.sampled_from(rows["interactions"]))
    told = explain(scenario, centre, interaction["interaction_id"])
    placed = [(row.agent_id, row.score) for row in told.agents if row.place is not None]
    assert placed == oracle.ranking(scenario, rows, interaction)
    assert [row.place for row in told.agents[: len(placed)]] == list(range(1, len(placed) + 1))
    assert (told.chosen and told.chosen.agent_id) == (placed[0][0] if placed else None)
    by_name = {row.agent_id: row for row in told.agents}
    assert len(by_name) == len(told.agents) == centre.agents.height
    for term in oracle.terms(scenario, rows, interaction):
        row = by_name[term.agent_id]
        assert row.proficiency == pytest.approx(term.skill, rel=1e-12)
        assert row.language == term.language
        assert row.csat == pytest.approx(term.csat, rel=1e-12)
        assert row.raw_score == term.key / 1e9
        assert reason_kind(row.reason) == expected_kind(scenario, rows, interaction, term)


def reason_kind(reason: str) -> str:
    """The part of a reason that tells one kind from another."""
    kinds = (
        "chosen", "not a member", "fails the filter", "score is 0", "below the threshold", "lower score",
        "lost the tie on queue time", "lost the tie on idle time", "lost the tie on agent id",
    )  # fmt: skip
    return next(kind for kind in kinds if kind in reason)


def expected_kind(scenario: Scenario, rows: oracle.Rows, interaction: oracle.Row, term: oracle.Terms) -> str:
    """Why an agent lost, told by the slow twin."""
    if not term.member:
        return "not a member"
    if not term.passes_filter:
        return "fails the filter"
    if term.key == 0:
        return "score is 0"
    if not oracle.is_eligible_by_key(term, scenario.weights.min_score_threshold):
        return "below the threshold"
    best, score = oracle.ranking(scenario, rows, interaction)[0]
    if term.agent_id == best:
        return "chosen"
    if term.key / 1e9 < score:
        return "lower score"
    agents = {agent["agent_id"]: agent for agent in rows["agents"]}
    mine, theirs = (oracle.order(agents[name], 0) for name in (term.agent_id, best))
    if mine[1] != theirs[1]:
        return "lost the tie on queue time"
    return "lost the tie on idle time" if mine[2:4] != theirs[2:4] else "lost the tie on agent id"


def test_a_billionth_of_a_score_decides_and_is_explained():
    """Half of one would be a tie, which the queue time decides the other way round."""
    surveys = [
        {"survey_id": name, "agent_id": name, "completed_at": strategies.MIDNIGHT, "score": score}
        | {"scale_min": 0.0, "scale_max": 1.0}
        for name, score in (("late", 0.5 + 1e-9), ("soon", 0.5), ("nearly", 0.5 + 0.4e-9))
    ]
    agents = [
        {"agent_id": "late", "queue_time_s": 60.0},
        {"agent_id": "soon", "queue_time_s": 30.0},
        {"agent_id": "nearly", "queue_time_s": 40.0},
    ]
    call = {"interaction_id": "1", "queue_id": "q", "arrived_at": strategies.MIDNIGHT + timedelta(days=1)}
    centre = Tables(
        agents=strategies.table("agents", agents),
        interactions=strategies.table("interactions", [call]),
        surveys=strategies.table("surveys", surveys),
    )
    scenario = Scenario(weights=RoutingWeights(0.0, 0.0, 1.0, 0.0))
    assert choices(scenario, centre) == oracle.choices(scenario, centre)
    told = explain(scenario, centre, "1").agents
    assert [row.agent_id for row in told] == ["late", "soon", "nearly"]
    assert told[2].reason.startswith("lower score, by 1e-09")
    others = replace(centre, agents=centre.agents.filter(centre.agents["agent_id"] != "late"))
    assert "queue time (40 s against 30 s)" in explain(scenario, others, "1").agents[1].reason


def site(n_agents: int = 400, n_calls: int = 1_500) -> Tables:
    """More agents and call types than fit into one block of the calculation, over three days."""
    rng = np.random.default_rng(11)
    names = [f"a{n}" for n in range(n_agents)]
    skills = [f"s{n}" for n in range(12)]
    low = {"scale_min": 0.0, "scale_max": 4.0}

    def some(k: int) -> list[str]:
        return rng.choice(skills, k, replace=False).tolist()

    def rated() -> list[dict[str, Any]]:
        return [{"name": name, "proficiency": float(rng.integers(0, 6))} for name in some(6)]

    def moment(first: int, last: int) -> Any:
        return strategies.MIDNIGHT + timedelta(hours=int(rng.integers(24 * first, 24 * last)))

    agents = [{"agent_id": name, "skills": rated(), "queue_time_s": float(rng.integers(0, 3))} for name in names]
    calls = [
        {"interaction_id": str(n), "queue_id": f"q{n % 5}", "arrived_at": moment(0, 3), "skills": some(n % 4)}
        for n in range(n_calls)
    ]
    members = [{"queue_id": f"q{q}", "agent_id": name} for q in range(5) for name in names if rng.random() < 0.7]
    surveys = [
        {"survey_id": str(n), "agent_id": names[n % 300], "completed_at": moment(-1, 3), "score": float(n % 5)} | low
        for n in range(900)
    ]
    rows = {"agents": agents, "interactions": calls, "members": members, "surveys": surveys}
    return Tables(**{name: strategies.table(name, table) for name, table in rows.items()})


@pytest.mark.parametrize("from_pairs", [0, 10**18], ids=["compiled", "plain"])
def test_scoring_call_types_equals_scoring_every_interaction(from_pairs, monkeypatch):
    """A run scores distinct requirements once a day; the matrix scores each row by itself."""
    monkeypatch.setattr(selection, "LOAD_PAIRS", from_pairs)
    monkeypatch.setattr(selection, "SMALL_PAIRS", from_pairs)
    centre, scenario = site(), Scenario(weights=RoutingWeights(0.6, 0.1, 0.3, 0.8))
    score = score_matrix(centre.interactions, centre.agents, centre.surveys, scenario.weights, members=centre.members)
    queue_time_s, names = centre.agents["queue_time_s"].to_numpy(), centre.agents["agent_id"].to_numpy()
    found = choices(scenario, centre)
    unrouted = 0
    for interaction_id, row in zip(centre.interactions["interaction_id"], score, strict=True):
        best = np.lexsort((names.astype(str), queue_time_s, -row))[0]
        wanted = oracle.Choice(names[best], row[best], "routed") if row[best] else oracle.Choice(None, None, "unrouted")
        assert found[interaction_id] == wanted
        unrouted += not row[best]
    assert 0 < unrouted < len(score) / 2
    few = replace(centre, interactions=centre.interactions[:40])
    slow = oracle.choices(scenario, few)
    assert {key: found[key] for key in slow} == slow


@pytest.mark.parametrize("from_pairs", [0, 10**18], ids=["compiled", "plain"])
@pytest.mark.parametrize(
    ("terms", "level", "csat", "key"),
    [
        ((0.42, 0.85, 0.81), 4.0, 0.67578125, 1_733_382_812),
        ((0.73, 0.11, 0.35), 3.0, 0.55078125, 740_773_438),
        ((0.86, 0.32, 0.33), 1.0, 0.71484375, 727_898_437),
    ],
)
def test_the_three_terms_are_added_in_the_one_order(terms, level, csat, key, from_pairs, monkeypatch):
    """These sums end in half a billionth; added up in another order they round the other way."""
    monkeypatch.setattr(selection, "LOAD_PAIRS", from_pairs)
    skills = [{"name": "tech", "proficiency": level}]
    call = {"interaction_id": "1", "queue_id": "q", "arrived_at": strategies.MIDNIGHT, "skills": ["tech"]}
    answer = {"survey_id": "1", "agent_id": "a", "completed_at": strategies.MIDNIGHT, "score": csat}
    centre = Tables(
        agents=strategies.table("agents", [{"agent_id": "a", "skills": skills}]),
        interactions=strategies.table("interactions", [call]),
        surveys=strategies.table("surveys", [answer | {"scale_min": 0.0, "scale_max": 1.0}]),
    )
    weights = RoutingWeights(*terms, 0.0)
    assert oracle.key(terms, level / 5, 1.0, csat) == key
    assert choose(Scenario(weights=weights, csat="all"), centre).score.tolist() == [key / 1e9]
    assert score_matrix(centre.interactions, centre.agents, {"a": csat}, weights).tolist() == [[key / 1e9]]


def test_explaining_an_unknown_interaction_names_it():
    centre = Tables(
        agents=strategies.table("agents", [{"agent_id": "a"}]),
        interactions=strategies.table("interactions", []),
    )
    with pytest.raises(UnknownName, match="'gone'"):
        explain(Scenario(), centre, "gone")


@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_the_best_of_k_agents_with_uniform_csat_scores_k_over_k_plus_1(k):
    n_queues = 4_000 // k
    names = [f"{queue}:{agent}" for queue in range(n_queues) for agent in range(k)]
    score = np.random.default_rng(k).random(len(names))
    moment = strategies.MIDNIGHT
    centre = Tables(
        agents=strategies.table("agents", [{"agent_id": name} for name in names]),
        interactions=strategies.table(
            "interactions",
            [
                {"interaction_id": str(q), "queue_id": str(q), "arrived_at": moment + timedelta(days=1)}
                for q in range(n_queues)
            ],
        ),
        members=strategies.table("members", [{"queue_id": name.split(":")[0], "agent_id": name} for name in names]),
        surveys=strategies.table(
            "surveys",
            [
                {"survey_id": name, "agent_id": name, "completed_at": moment, "score": value}
                | {"scale_min": 0.0, "scale_max": 1.0}
                for name, value in zip(names, score, strict=True)
            ],
        ),
    )
    best = choose(Scenario(weights=RoutingWeights(0.0, 0.0, 1.0, 0.0)), centre).score
    error = best.std(ddof=1) / np.sqrt(n_queues)
    assert best.mean() == pytest.approx(k / (k + 1), abs=4 * error)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("mode", "guess"), ("method", "magic"), ("goal", "80-20"), ("performance", 80), ("required", ("skill",)),
        ("required", ("skills", "tongue")), ("expected", "even"), ("csat", "now"), ("csat_missing", 1.5),
        ("csat_missing", "median"), ("csat_missing", float("nan")), ("csat_shrinkage", -1.0), ("language", "yes"),
    ],
)  # fmt: skip
def test_a_scenario_that_makes_no_sense_is_refused(field, bad):
    with pytest.raises(InvalidScenario):
        Scenario(**{field: bad})


@given(strategies.problems())
def test_priorities_of_their_own_change_neither_choice_nor_report(problem):
    """Every interaction a call type of its own, as when priorities are fractions of a second."""
    scenario, centre = problem
    n = centre.interactions.height
    own = centre.interactions.with_columns(priority=pl.int_range(n, eager=True) / 7)
    single = replace(centre, interactions=own)
    equal = replace(centre, interactions=own.with_columns(priority=pl.lit(0.0)))
    assert choices(scenario, single) == choices(scenario, equal)
    one, other = (run(scenario, tables).to_dict() for tables in (single, equal))
    assert one["agents"] == other["agents"]
    assert one["unrouted"] == other["unrouted"]
    assert one["csat"] == other["csat"]
