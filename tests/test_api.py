"""The service: what it answers, what it keeps, and that the engine never stops it from answering others."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import api.routing
from api.answers import BatchAnswer, RoutingAnswer
from api.batch import answer_batch
from api.once import Once
from api.problems import install
from api.settings import Settings
from engine.arrays import DAY_US
from engine.scenario import Scenario, run
from engine.weights import RoutingWeights
from ingest.snapshot import open_snapshot
from tests import oracle
from tests.small_service import AGENTS, ARRIVALS, BODY, SURVEYS, app_of, client_of, write_centre

FIELDS_OF_A_TESTER = {"top_agent", "ranked_agents", "weights_used", "fairness_metrics"}
WEIGHTS = {"proficiency", "language_match", "historical_csat", "min_score_threshold"}


@pytest.fixture
def client(tmp_path):
    write_centre(tmp_path)
    return client_of(tmp_path)


def post(client, path="/simulate/routing", **changed):
    body = {name: value for name, value in (BODY | changed).items() if value != "left out"}
    return client.post(path, json=body)


def answered(client, **changed):
    found = post(client, **changed)
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "application/json"
    RoutingAnswer.model_validate_json(found.content)
    return found.json()


def refusal(found, status):
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/problem+json"
    content = found.json()
    assert content["status"] == status
    assert {"type", "title", "status", "detail", "instance"} <= content.keys()
    return content["detail"]


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
    assert answered(client)["fairness_metrics"] == wanted
    # i01 at midnight is in, i00 a microsecond before is not.
    of_queue = [a for a in ARRIVALS if a[1] == "sales"]
    assert wanted["total_interactions"] == len(of_queue) - 1
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

    monkeypatch.setattr(api.routing, "run", counted)
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


def test_results_are_shared_by_those_who_wait_and_the_oldest_leaves_first():
    once, made, go = Once(2), [], threading.Event()

    def slow():
        go.wait(10)
        made.append("slow")
        return len(made)

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(once.get, "a", slow) for _ in range(4)]
        go.set()
        assert [future.result() for future in waiting] == [1] * 4
    assert once.get("b", lambda: 2) == 2
    assert once.get("a", lambda: 9) == 1  # asked for again, so b is the oldest now
    assert once.get("c", lambda: 3) == 3
    assert (len(once), once.get("a", lambda: 9), once.get("b", lambda: 9)) == (2, 1, 9)


def test_a_failure_is_passed_on_and_forgotten():
    once = Once(2)
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert once.get("a", lambda: 7) == 7


# --- snapshots ----------------------------------------------------------------------------------------


def test_the_newest_snapshot_serves_unless_one_is_named(tmp_path):
    write_centre(tmp_path, "old")
    client = client_of(tmp_path)
    assert answered(client)["snapshot"]["id"] == "old"
    write_centre(tmp_path, "new")
    assert answered(client)["snapshot"]["id"] == "new"
    assert answered(client, snapshot="old")["snapshot"]["id"] == "old"


def test_a_snapshot_is_opened_once_and_a_replaced_one_is_noticed(tmp_path, monkeypatch):
    write_centre(tmp_path)
    opened = []
    monkeypatch.setattr("api.open_snapshots.open_snapshot", lambda *args: opened.append(args) or open_snapshot(*args))
    client = client_of(tmp_path)
    before = [answered(client), answered(client, top=1)][0]
    assert len(opened) == 1
    renamed = [("ada", "Ada the Second", *AGENTS[0][2:]), *AGENTS[1:]]
    write_centre(tmp_path, agents=renamed, replace=True)
    after = answered(client)
    assert after["top_agent"]["name"] == "Ada the Second"
    assert after["snapshot"]["sha256"] != before["snapshot"]["sha256"]
    assert len(opened) == 2


def test_only_so_many_snapshots_stay_open(tmp_path):
    for name in ("a", "b", "c"):
        write_centre(tmp_path, name)
    app = app_of(tmp_path, open_snapshots=2)
    snapshots = app.state.service.snapshots
    first = snapshots.get("a")
    assert snapshots.get("a") is first
    snapshots.get("b")
    snapshots.get("c")
    assert snapshots.get("a") is not first


def test_the_list_and_one_of_it(client):
    found = client.get("/snapshots").json()
    assert [s["id"] for s in found["snapshots"]] == ["centre"]
    assert found["snapshots"][0]["counts"]["interactions"] == len(ARRIVALS)
    one = client.get("/snapshots/centre").json()
    assert {q["queue_id"]: q["agents"] for q in one["queues"]} == {"sales": 4, "help": 2, "deserted": 0}
    assert (one["skills"], one["languages"]) == (["billing", "tech"], ["en", "fr"])
    assert refusal(client.get("/snapshots/center"), 404) == "snapshot 'center' is not here; did you mean 'centre'?"
    assert "use 1 to 100 letters" in refusal(client.get("/snapshots/.hidden"), 422)


def test_no_snapshot_outside_the_store_can_be_named(tmp_path, monkeypatch):
    write_centre(tmp_path / "outside", "secret")
    write_centre(tmp_path / "store")
    monkeypatch.chdir(tmp_path / "outside")
    client = client_of(tmp_path / "store")
    for name in ("../outside/secret", str(tmp_path / "outside" / "secret"), ".", ".."):
        assert "use 1 to 100 letters" in refusal(post(client, snapshot=name), 422)
    assert "is not here" in refusal(post(client, snapshot="secret"), 404)


def test_a_service_without_snapshots_is_up_but_not_ready(tmp_path):
    client = client_of(tmp_path / "none")
    assert client.get("/healthz").json() == {"status": "up"}
    found = client.get("/readyz")
    assert "there is no snapshot to read; make one with 'routelab snapshot synthetic" in refusal(found, 503)
    assert found.headers["retry-after"] == "1"
    assert "there is no snapshot to read" in refusal(post(client), 503)
    assert client.get("/snapshots").json() == {"snapshots": [], "unreadable": []}
    assert client.get("/docs").status_code == 200
    write_centre(tmp_path / "none")
    assert client.get("/readyz").json()["snapshot"]["id"] == "centre"


def test_an_unreadable_snapshot_is_told_of_and_the_readable_one_serves(tmp_path):
    write_centre(tmp_path, "good")
    write_centre(tmp_path, "bad")
    (tmp_path / "bad" / "manifest.json").write_text("{")
    client = client_of(tmp_path)
    assert answered(client)["snapshot"]["id"] == "good"
    (broken,) = client.get("/snapshots").json()["unreadable"]
    assert broken["id"] == "bad"
    assert "not a readable manifest" in broken["problem"]
    assert "not a readable manifest" in refusal(client.get("/snapshots/bad"), 500)
    (tmp_path / "good" / "agents.arrow").write_bytes(b"short")
    assert "agents.arrow: 5 bytes" in refusal(client_of(tmp_path).get("/snapshots/good"), 500)


def test_two_services_live_side_by_side(tmp_path):
    write_centre(tmp_path / "one", "one")
    write_centre(tmp_path / "two", "two")
    clients = [client_of(tmp_path / name) for name in ("one", "two")]
    assert [answered(client)["snapshot"]["id"] for client in clients] == ["one", "two"]


# --- batch --------------------------------------------------------------------------------------------


def batch(client, **body):
    found = client.post("/simulate/batch", json=body)
    assert found.status_code == 200, found.text
    BatchAnswer.model_validate_json(found.content)
    return found.json()


def without_timing(report):
    return {name: value for name, value in report.items() if name != "timing"}


def test_a_batch_over_a_snapshot_is_the_report_of_the_run(client, tmp_path):
    arrays = open_snapshot(tmp_path, "centre").arrays()
    body = {"weights": {"historical_csat": 0.9}, "required": ["language"], "expected": "uniform", "seed": 3,
            "sla_target": "80/20", "current_performance": 0.5, "csat_missing": "queue-mean", "csat_shrinkage": 2,
            "language_term": "proficiency"}  # fmt: skip
    scenario = Scenario(
        weights=RoutingWeights(historical_csat=0.9), required=("language",), expected="uniform", seed=3, goal="80/20",
        performance=0.5, csat_missing="queue-mean", csat_shrinkage=2.0, language="proficiency",
    )  # fmt: skip
    report = batch(client, **body)
    assert without_timing(report) == without_timing(run(scenario, arrays).to_dict())
    assert report["timing"]["simulate_s"] > 0
    assert report["timing"]["interactions_per_s"] > 0


def test_a_window_of_a_batch_is_whole_local_days_and_is_told(client):
    report = batch(client, start_date="2024-03-04", end_date="2024-03-05")
    assert report["routed"] + report["unrouted"]["total"] == len(ARRIVALS) - 2
    assert report["snapshot"]["window"] == {"start": "2024-03-04", "end": "2024-03-05"}
    until = batch(client, end_date="2024-03-03")
    assert until["routed"] + until["unrouted"]["total"] == 1


def test_inline_interactions_get_the_choices_of_the_slow_twin_in_the_order_given(client, tmp_path):
    tables = open_snapshot(tmp_path, "centre").tables()
    given = [
        {"interaction_id": row[0], "queue_id": row[1], "arrived_at": row[2].isoformat(), "skills": row[3],
         "language": row[4]}
        for row in reversed(ARRIVALS)
    ]  # fmt: skip
    report = batch(client, interactions=given, outcomes=True)
    wanted = oracle.choices(Scenario(), tables)
    found = {row["id"]: (row["selected_agent_id"], row["composite_score"]) for row in report["outcomes"]}
    assert found == {name: (choice.agent_id, choice.score) for name, choice in wanted.items()}
    assert [row["id"] for row in report["outcomes"]] == [row["interaction_id"] for row in given]
    assert report["snapshot"]["counts"]["interactions"] == len(given)
    assert report["snapshot"]["id"] == "centre"
    assert report["scenario"]["csat"] == "asof"


def test_rows_with_id_skill_and_language_alone_meet_every_agent_and_every_survey(client):
    rows = [{"id": "x", "required_skill": "billing", "required_language": "en"}, {"id": "a", "required_skill": "tech"}]
    report = batch(client, interactions=rows, outcomes=True)
    assert report["outcomes"] == [
        {"id": "x", "required_skill": "billing", "required_language": "en", "selected_agent_id": "ada",
         "selected_agent_name": "Ada Moreno", "composite_score": 0.925, "status": "routed"},
        {"id": "a", "required_skill": "tech", "required_language": None, "selected_agent_id": "ada",
         "selected_agent_name": "Ada Moreno", "composite_score": 0.765, "status": "routed"},
    ]  # fmt: skip
    assert report["scenario"]["csat"] == "all"
    assert report["warnings"][:2] == [
        "no arrival times were given: every survey counts, and nothing is said about simultaneous interactions",
        "no queue was given: every agent of the snapshot is a candidate",
    ]
    assert report["preference"]["implied_peak"] is None
    assert report["snapshot"]["interval"] == {"start": None, "end": None}


def test_an_unroutable_interaction_has_an_outcome_without_an_agent(client):
    rows = [{"id": "1", "queue_id": "deserted"}, {"id": "2", "queue_id": "unheard of"}]
    report = batch(client, interactions=rows, outcomes=True)
    assert [row["status"] for row in report["outcomes"]] == ["unrouted", "unrouted"]
    assert report["outcomes"][0]["composite_score"] is None
    assert report["unrouted"] == {"total": 2, "reasons": {"queue has no member": 2}}
    assert any("name a queue that the snapshot does not have ('unheard of')" in text for text in report["warnings"])


def test_every_column_of_the_table_may_be_given_inline(client):
    row = {
        "interaction_id": "1", "queue_id": "sales", "arrived_at": "2024-03-04T09:00:00.25+01:00", "media": "voice",
        "conversation_id": "c", "skills": ["billing", "tech"], "language": "en", "priority": 1.5, "outcome": "answered",
        "agent_id": "ada", "wait_s": 3, "alert_s": 1, "handle_s": 200.5, "acw_s": 20, "patience_s": None, "csat": 4,
        "used_routing": "standard", "eligible_count": 3, "preferred": [{"agent_id": "ada", "score": 1}],
    }  # fmt: skip
    report = batch(client, interactions=[row], outcomes=True)
    assert report["outcomes"][0]["required_skill"] == "billing;tech"
    assert report["agents"][0]["handled_s"] == 200.5
    assert report["snapshot"]["interval"]["start"] == "2024-03-04T08:00:00.250000+00:00"


def test_outcomes_outside_the_window_are_not_there(client):
    rows = [{"id": str(day), "arrived_at": f"2024-03-0{day}T12:00:00Z", "queue_id": "sales"} for day in (4, 5, 6)]
    report = batch(client, interactions=rows, outcomes=True, start_date="2024-03-05", end_date="2024-03-05")
    assert [row["id"] for row in report["outcomes"]] == ["5"]
    nothing = batch(client, interactions=rows, outcomes=True, start_date="2020-03-05", end_date="2020-03-05")
    assert nothing["outcomes"] == []


def test_a_snapshot_without_surveys_or_interactions_still_serves(tmp_path):
    write_centre(tmp_path, surveys=[], arrivals=[])
    client = client_of(tmp_path)
    assert answered(client)["fairness_metrics"]["total_interactions"] == 0
    assert batch(client)["routed"] == 0
    assert batch(client, interactions=[{"id": "1", "queue_id": "sales"}])["routed"] == 1
    assert client.get("/docs").status_code == 200
    assert SURVEYS


# --- the event loop, errors, doors ------------------------------------------------------------------------


def test_a_slow_simulation_keeps_nobody_else_waiting(tmp_path, monkeypatch):
    write_centre(tmp_path)
    begun, go = threading.Event(), threading.Event()

    def slow(*args):
        begun.set()
        assert go.wait(30)
        return answer_batch(*args)

    monkeypatch.setattr("api.service.answer_batch", slow)
    transport = httpx2.ASGITransport(app=app_of(tmp_path, batch_threads=1))

    async def scenario():
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            running = asyncio.create_task(client.post("/simulate/batch", json={}))
            await asyncio.to_thread(begun.wait, 30)
            for path in ("/healthz", "/snapshots", "/readyz"):
                assert (await client.get(path)).status_code == 200
            assert (await client.post("/simulate/routing", json=BODY)).status_code == 200
            assert not running.done()
            go.set()
            return (await running).status_code

    assert asyncio.run(scenario()) == 200


def test_more_requests_than_may_wait_are_turned_away(tmp_path, monkeypatch):
    write_centre(tmp_path)
    go, n_asked = threading.Event(), 4
    monkeypatch.setattr("api.service.answer_batch", lambda *args: go.wait(30) and b"{}")
    transport = httpx2.ASGITransport(app=app_of(tmp_path, batch_threads=1, max_waiting=1))

    async def scenario():
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            asked = [asyncio.create_task(client.post("/simulate/batch", json={})) for _ in range(n_asked)]
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            go.set()
            assert "2 requests are under way or waiting" in refusal(done.pop().result(), 503)
            return sorted([(await one).status_code for one in asked])

    assert asyncio.run(scenario()) == [200, 200, 503, 503]


def test_what_nobody_foresaw_leaves_as_a_number_and_no_traceback(client, monkeypatch, caplog):
    monkeypatch.setattr("api.service.check_body", lambda *args: 1 // 0)
    with caplog.at_level(logging.ERROR):
        found = post(client)
    detail = refusal(found, 500)
    number = found.json()["id"]
    assert number in detail
    assert number in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in found.text
    assert "Traceback" not in found.text


def test_unknown_paths_and_methods_are_problems_too(client):
    assert refusal(client.get("/nowhere"), 404) == "there is nothing at this path; /docs lists what there is"
    assert refusal(client.get("/snapshots/"), 404)
    found = client.get("/simulate/routing")
    assert refusal(found, 405) == "GET is not offered here; use POST"
    assert found.headers["allow"] == "POST"
    assert refusal(client.delete("/snapshots/centre"), 405)
    assert refusal(client.get("/static/nothing.js"), 404)
    assert refusal(client.get("/static/..%2Fapp.py"), 404)
    assert refusal(client.get("/static/%00"), 404)


def test_parameters_that_the_framework_checks_are_problems_too():
    app = FastAPI()
    install(app)
    app.get("/count")(lambda n: n)
    detail = refusal(TestClient(app).get("/count"), 422)
    assert detail == "/query/n: found null; Field required"


def test_the_web_framework_is_not_imported_when_the_command_line_starts():
    heavy = "{'fastapi', 'uvicorn', 'pydantic', 'starlette'}"
    code = f"import sys, api.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_service_says_where_it_listens_and_answers_there(tmp_path):
    write_centre(tmp_path)
    code = (
        "from api.app import serve; from api.settings import load_settings; "
        f"serve(load_settings(None, {{'port': 0, 'store': {str(tmp_path)!r}}}, {{}}))"
    )
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            line = running.stdout.readline()
            address = re.search(r"at (http://127\.0\.0\.1:\d+) ", line)[1]
            found = httpx2.post(f"{address}/simulate/routing", json=BODY, timeout=30)
            assert found.status_code == 200
            assert "server" not in found.headers
        finally:
            running.terminate()
        assert running.stderr.read() == ""


def test_an_address_that_is_taken_is_refused_with_the_way_out():
    from api.app import _listen, serve
    from api.errors import InvalidSettings

    with _listen(Settings(port=0)) as taken:
        assert taken.proto  # else small answers would wait for the network's timers
        with pytest.raises(
            InvalidSettings, match=r"cannot listen on 127.0.0.1, port \d+ .* choose another --host or --port"
        ):
            serve(Settings(port=taken.getsockname()[1]))
    with pytest.raises(InvalidSettings, match="choose another --host"):
        serve(Settings(host="no.such.host.invalid", port=0))
