"""The service: what it answers, what it keeps, and that the engine never stops it from answering others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest

import api.http.answering.routing
from engine.data.wall_time import DAY_US
from engine.results import plain
from engine.run import run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from ingest.snapshot.reading import open_snapshot
from tests import oracle
from tests.small_service import (
    ARRIVALS,
    answered,
    client_of,
    write_centre,
)

FIELDS_OF_A_TESTER = {"top_agent", "ranked_agents", "weights_used", "fairness_metrics"}
WEIGHTS = {"proficiency", "language_match", "historical_csat", "min_score_threshold"}


# --- routing ------------------------------------------------------------------------------------------


def test_a_testers_body_gets_a_testers_answer(client):
    content = answered(client)
    assert content.keys() >= FIELDS_OF_A_TESTER
    assert content["top_agent"] == {"id": "ada", "name": "Ada Moreno", "score": 0.925}
    assert content["ranked_agents"][0] == content["top_agent"]
    assert all(set(agent) == {"id", "name", "score"} for agent in content["ranked_agents"])
    assert content["weights_used"] == {
        "proficiency": 0.4, "language_match": 0.3, "historical_csat": 0.3, "min_score_threshold": 0.5
    }  # fmt: skip
    assert {"total_interactions", "agent_distribution", "chi2_statistic", "p_value", "gini_coefficient", "is_fair"} <= (
        content["fairness_metrics"].keys()
    )
    assert content["source"] == "snapshot"
    assert content["snapshot"]["id"] == "centre"
    assert 0 <= content["snapshot"]["age_s"] < 3600


def test_ties_go_to_the_shorter_queue_time_and_agents_below_the_threshold_are_not_ranked(client):
    assert [a["id"] for a in answered(client)["ranked_agents"]] == ["ada", "cid", "bob"]


def test_the_ranking_is_that_of_the_slow_twin(client, tmp_path):
    tables = open_snapshot(tmp_path, "centre").tables()
    before = tables.surveys["completed_at"] < datetime(2024, 3, 4, 23, tzinfo=UTC)
    rows = oracle.as_rows(tables) | {"surveys": tables.surveys.filter(before).to_dicts()}
    scenario = Scenario(csat="all", goal="80/20", performance=0.7, weights=RoutingWeights(0.2, 0.2, 0.6, 0.3))
    asked = {"queue_id": "sales", "skills": ["billing", "tech"], "language": "fr", "arrived_at": datetime.now(UTC)}
    wanted = oracle.ranking(scenario, rows, asked)
    weights = {"proficiency": 0.2, "language_match": 0.2, "historical_csat": 0.6, "min_score_threshold": 0.3}
    content = answered(
        client, weights=weights, required_skills=["tech"], required_language="fr",
        current_performance=0.7, end_date="2024-03-04",
    )  # fmt: skip
    assert [(a["id"], a["score"]) for a in content["ranked_agents"]] == wanted
    assert len(wanted) > 1


def test_queue_and_dates_are_enough_and_then_everybody_has_what_is_required(client):
    window = {"start_date": "2024-03-04", "end_date": "2024-03-05"}
    found = client.post("/simulate/routing", json={"queue_id": "sales", **window})
    assert found.status_code == 200
    assert len(found.json()["ranked_agents"]) == 4
    assert found.json()["ranked_agents"][-1]["score"] == 0.85  # (0.4 + 0.3) + 0.3 * 0.5 without surveys
    nothing = answered(client, required_skill=None, required_language=None)
    assert nothing["ranked_agents"] == found.json()["ranked_agents"]
    assert nothing["ranked_agents"][2]["name"] == "Cid Lund"


def test_a_name_that_the_snapshot_does_not_have_is_null(client):
    assert answered(client, queue_id="help", required_skill="tech", required_language="fr")["ranked_agents"] == [
        {"id": "ada", "name": "Ada Moreno", "score": 0.765}, {"id": "dan", "name": None, "score": 0.685}
    ]  # fmt: skip


def test_surveys_up_to_the_end_of_the_last_day_count(client):
    first = answered(client, end_date="2024-03-04")["top_agent"]["score"]
    assert first == pytest.approx(0.7 + 0.3 * 0.5)
    assert answered(client)["top_agent"]["score"] == pytest.approx(0.7 + 0.3 * 0.75)


def test_a_missed_goal_moves_the_weights(client):
    used = answered(client, current_performance=0.70)["weights_used"]
    assert used.keys() == WEIGHTS
    np.testing.assert_allclose([*used.values()], [0.325, 0.45, 0.225, 0.5])
    assert answered(client, sla_target=None, current_performance=0.70)["weights_used"]["proficiency"] == 0.4


def test_top_bounds_the_list_and_explain_tells_of_everybody(client):
    content = answered(client, top=1, explain=True)
    assert len(content["ranked_agents"]) == 1
    rows = content["explanation"]
    assert {row["agent_id"] for row in rows} == {"ada", "bob", "cid", "dan"}
    assert rows[0]["reason"] == "chosen"
    assert rows[0]["score"] == content["top_agent"]["score"]
    assert rows[1]["reason"] == rows[2]["reason"] == "lower score, by 0.155"
    assert rows[3]["reason"].startswith("below the threshold 0.5 by ")
    assert "explanation" not in answered(client)


def test_a_hard_filter_leaves_out_who_lacks_the_language(client):
    plain = answered(client, required_language="fr", weights={"min_score_threshold": 0.0})
    hard = answered(client, required_language="fr", weights={"min_score_threshold": 0.0}, required=["language"])
    assert len(plain["ranked_agents"]) == 4
    assert [a["id"] for a in hard["ranked_agents"]] == ["ada", "dan"]


def test_a_combination_that_never_occurred_is_ranked_all_the_same(client):
    content = answered(client, required_skill="tech", required_skills=["billing"], required_language="fr")
    assert content["top_agent"]["id"] == "ada"


# --- fairness -----------------------------------------------------------------------------------------


def midnight_us(day: int) -> int:
    """Midnight in Berlin of a day in March 2024, an hour before that of UTC."""
    return int(datetime(2024, 3, day, tzinfo=UTC).timestamp()) * 1_000_000 - DAY_US // 24


def test_fairness_covers_the_queue_in_whole_local_days_under_these_weights(client, tmp_path):
    arrays = open_snapshot(tmp_path, "centre").arrays()
    queue = arrays.centre.queue_ids.index("sales")
    scenario = Scenario(csat="all", weights=RoutingWeights(0.4, 0.3, 0.3, 0.5))
    wanted = run(scenario, arrays.window(midnight_us(4), midnight_us(6), queue)).fairness
    assert answered(client)["fairness_metrics"] == plain(wanted)
    # i01 at midnight is in, i00 a microsecond before is not.
    of_queue = [a for a in ARRIVALS if a[1] == "sales"]
    assert wanted.total_interactions == len(of_queue) - 1
    # The last day ends before i21, which comes at midnight.
    help_desk = answered(client, queue_id="help", weights={"min_score_threshold": 0.0})["fairness_metrics"]
    assert help_desk["total_interactions"] == len([a for a in ARRIVALS if a[1] == "help"]) - 1


def test_a_window_without_interactions_says_so_and_still_ranks(client):
    content = answered(client, start_date="2023-01-01", end_date="2023-01-01")
    assert content["fairness_metrics"]["total_interactions"] == 0
    assert content["fairness_metrics"]["gini_coefficient"] is None
    assert any("no interaction from 2023-01-01 to 2023-01-01" in text for text in content["warnings"])


def test_made_up_surveys_are_called_so(tmp_path):
    write_centre(tmp_path, made_up=True)
    client = client_of(tmp_path)
    assert any("surveys are made up" in text for text in answered(client)["warnings"])
    without = {"proficiency": 1, "language_match": 1, "historical_csat": 0}
    assert answered(client, weights=without)["warnings"] == []


def test_candidates_without_surveys_are_counted(client):
    assert answered(client)["warnings"] == [
        "2 of 4 candidates have no survey up to the end of the window; their satisfaction term is 0.5"
    ]


@pytest.fixture
def runs(monkeypatch):
    """Counts how often fairness is computed."""
    made = []

    def counted(*args):
        made.append(args)
        return run(*args)

    monkeypatch.setattr(api.http.answering.routing, "run", counted)
    return made


def test_fairness_is_computed_once_for_equal_questions_asked_at_once(client, runs):
    start = threading.Barrier(8)

    def ask():
        start.wait()
        return answered(client)["fairness_metrics"]

    with ThreadPoolExecutor(8) as pool:
        found = [future.result() for future in [pool.submit(ask) for _ in range(8)]]
    assert len(runs) == 1
    assert all(fairness == found[0] for fairness in found)


def test_fairness_is_computed_again_for_what_it_depends_on_only(client, runs):
    answered(client)
    answered(client, required_skill="tech", top=1, explain=True, sla_target="90/10", current_performance=0.5)
    assert len(runs) == 1
    changes = (
        {"queue_id": "help"}, {"end_date": "2024-03-04"}, {"start_date": "2024-03-05"}, {"required": ["skills"]},
        {"current_performance": 0.7}, {"weights": {"min_score_threshold": 0.4}},
    )  # fmt: skip
    for n, change in enumerate(changes, start=2):
        answered(client, **change)
        answered(client, **change)
        assert len(runs) == n
