"""Batches: the report of a run over a snapshot, or over interactions of the request."""

from __future__ import annotations

from engine.run import run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from ingest.snapshot.reading import open_snapshot
from tests import oracle
from tests.small_service import (
    ARRIVALS,
    answered,
    batch,
    client_of,
    refusal,
    without_timing,
    write_centre,
)


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
    where = {"queue_id": None, "media": "voice", "arrived_at": None}
    assert report["outcomes"] == [
        {"id": "x", **where, "required_skill": "billing", "required_language": "en", "selected_agent_id": "ada",
         "selected_agent_name": "Ada Moreno", "composite_score": 0.925, "status": "routed"},
        {"id": "a", **where, "required_skill": "tech", "required_language": None, "selected_agent_id": "ada",
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
        "csat_min": 1, "csat_max": 5, "used_routing": "standard", "eligible_count": 3,
        "preferred": [{"agent_id": "ada", "score": 1}],
    }  # fmt: skip
    report = batch(client, interactions=[row], outcomes=True)
    assert report["outcomes"][0]["required_skill"] == "billing;tech"
    assert report["agents"][0]["handled_s"] == 200.5
    assert report["snapshot"]["interval"]["start"] == "2024-03-04T08:00:00.250000+00:00"


def test_scores_of_inline_interactions_count_as_surveys_of_their_agents(client):
    """Cid gets the best, and known from the end of his handling: they count on the next day."""
    call = {"queue_id": "sales", "agent_id": "cid", "csat": 5, "csat_min": 1, "csat_max": 5, "handle_s": 60}
    first = [call | {"id": str(n), "arrived_at": "2024-03-04T09:00:00Z"} for n in range(60)]
    later = {"id": "later", "queue_id": "sales", "arrived_at": "2024-03-05T09:00:00Z"}
    weights = {"proficiency": 0, "language_match": 0, "historical_csat": 1, "min_score_threshold": 0}
    report = batch(client, interactions=[*first, later], outcomes=True, weights=weights)
    assert report["outcomes"][-1]["selected_agent_id"] == "cid"
    assert any("60 scores in csat of interactions count" in text for text in report["snapshot"]["assumptions"])
    bare = {name: value for name, value in call.items() if name not in {"csat_min", "csat_max"}}
    found = refusal(client.post("/simulate/batch", json={"interactions": [bare | {"id": "1"}]}), 422)
    assert "/interactions/0/csat: found 5.0; needs csat_min and csat_max" in str(found)


def test_outcomes_outside_the_window_are_not_there(client):
    rows = [{"id": str(day), "arrived_at": f"2024-03-0{day}T12:00:00Z", "queue_id": "sales"} for day in (4, 5, 6)]
    report = batch(client, interactions=rows, outcomes=True, start_date="2024-03-05", end_date="2024-03-05")
    assert [row["id"] for row in report["outcomes"]] == ["5"]
    gap = batch(client, interactions=[rows[0], rows[2]], outcomes=True, start_date="2024-03-05", end_date="2024-03-05")
    assert gap["outcomes"] == []
    outside = {"interactions": rows, "start_date": "2020-03-05", "end_date": "2020-03-05"}
    said = refusal(client.post("/simulate/batch", json=outside), 422)
    assert "there are no interactions in these days; the data hold 2024-03-04 to 2024-03-06" in said


def test_a_snapshot_without_surveys_or_interactions_still_serves(tmp_path):
    write_centre(tmp_path, surveys=[], arrivals=[])
    client = client_of(tmp_path)
    assert answered(client)["fairness_metrics"]["total_interactions"] == 0
    assert batch(client)["routed"] == 0
    assert batch(client, interactions=[{"id": "1", "queue_id": "sales"}])["routed"] == 1
    assert client.get("/docs").status_code == 200


def test_rows_without_times_are_not_called_odd(client):
    """The stand-in for a time is 1970, years before every survey and block of the snapshot."""
    report = client.post("/simulate/batch", json={"interactions": [{"id": "1", "handle_s": 100.0}]}).json()
    assert not [said for said in report["warnings"] if said.startswith("odd: ")]


def test_rows_read_and_outcomes_written_one_at_a_time_are_the_same(client, monkeypatch):
    """Slices of a body and of an answer are a matter of time and memory only; rows of one slice may lack a column."""
    rows = [
        {"id": f"{n}", "queue_id": "sales", "arrived_at": "2024-03-04T09:00:00Z"}
        | ({"required_skill": "billing"} if n % 3 else {"language": "en", "csat": 4, "csat_min": 1, "csat_max": 5})
        for n in range(9)
    ]
    whole = batch(client, interactions=rows, outcomes=True)
    monkeypatch.setattr("api.http.messages.parsing.SLICE_BYTES", 40)
    monkeypatch.setattr("api.http.answering.batch.ROWS_AT_ONCE", 2)
    assert without_timing(batch(client, interactions=rows, outcomes=True)) == without_timing(whole)
    assert [row["id"] for row in whole["outcomes"]] == [row["id"] for row in rows]
