"""A small centre as a snapshot, and a client of a service over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.http.app import create_app
from api.http.messages.answers import BatchAnswer, RoutingAnswer
from api.http.messages.shapes import model_of
from api.settings import Settings
from ingest.snapshot.manifest import Manifest
from ingest.snapshot.writing import SnapshotWriter

# Berlin is an hour ahead of UTC on these days.
ZONE = "Europe/Berlin"
FIRST = datetime(2024, 3, 4, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def rated(**levels: float) -> list[dict[str, Any]]:
    return [{"name": name, "proficiency": float(level)} for name, level in levels.items()]


AGENTS = [
    # (id, name, skills, languages, queue_time_s): cid and bob tie but for their queue time.
    ("ada", "Ada Moreno", rated(billing=5, tech=3), rated(en=5, fr=3), 10.0),
    ("bob", "Bob Okafor", rated(billing=4), rated(en=5), 30.0),
    ("cid", "Cid Lund", rated(billing=4), rated(en=2), 20.0),
    ("dan", None, rated(tech=2), rated(fr=4), None),
]
MEMBERS = [("sales", name) for name in ("ada", "bob", "cid", "dan")] + [("help", "ada"), ("help", "dan")]
QUEUES = ("sales", "help", "deserted")
ARRIVALS = [
    # Just before and at midnight in Berlin of 4 March, then two days of calls.
    ("i00", "sales", datetime(2024, 3, 3, 23, tzinfo=UTC) - TICK, ["billing"], "en"),
    ("i01", "sales", datetime(2024, 3, 3, 23, tzinfo=UTC), ["billing"], "en"),
    *(
        (f"i{n:02}", ("sales", "help")[n % 2], FIRST + timedelta(hours=2 * n), (["tech"], ["billing"])[n % 2], "en")
        for n in range(2, 20)
    ),
    ("i20", "help", datetime(2024, 3, 5, 23, tzinfo=UTC) - TICK, ["tech"], "fr"),
    ("i21", "help", datetime(2024, 3, 5, 23, tzinfo=UTC), [], None),
]
SURVEYS = [
    ("s1", "ada", FIRST + timedelta(hours=3), 3.0),
    ("s2", "ada", FIRST + timedelta(days=1, hours=3), 5.0),
    ("s3", "dan", FIRST + timedelta(days=1, hours=4), 4.0),
]
# Everybody, from before the first interaction until after the last.
STAFFING = [(agent[0], FIRST - timedelta(hours=2), FIRST + timedelta(days=3)) for agent in AGENTS]
# What a tester posts: every field by its plain name.
BODY: dict[str, Any] = {
    "queue_id": "sales",
    "required_skill": "billing",
    "required_language": "en",
    "sla_target": "80/20",
    "current_performance": 0.80,
    "start_date": "2024-03-04",
    "end_date": "2024-03-05",
}


def write_centre(store: Path, name: str = "centre", *, made_up: bool = False, **changed: Any) -> Manifest:
    """Write the centre; `changed` replaces lists of rows, adds staffing, or asks for `replace`."""
    agents = changed.get("agents", AGENTS)
    surveys = changed.get("surveys", SURVEYS)
    source, replace = {"kind": "test"}, changed.get("replace", False)
    with SnapshotWriter(store, name, source=source, time_zone=ZONE, replace=replace) as writer:
        columns = ["agent_id", "agent_name", "skills", "languages", "queue_time_s"]
        writer.add("agents", pl.DataFrame(agents, schema=columns, orient="row"))
        writer.add("members", pl.DataFrame(MEMBERS, schema=["queue_id", "agent_id"], orient="row"))
        writer.add("queues", pl.DataFrame({"queue_id": QUEUES, "queue_name": [q.title() for q in QUEUES]}))
        if surveys:
            frame = pl.DataFrame(surveys, schema=["survey_id", "agent_id", "completed_at", "score"], orient="row")
            writer.add("surveys", frame.with_columns(scale_min=1.0, scale_max=5.0))
        if "staffing" in changed:
            blocks = pl.DataFrame(changed["staffing"], schema=["agent_id", "start_at", "end_at"], orient="row")
            writer.add("staffing", blocks)
        if made_up:
            writer.made_up("surveys")
        arrivals = changed.get("arrivals", ARRIVALS)
        if arrivals:
            names = ["interaction_id", "queue_id", "arrived_at", "skills", "language"]
            frame = pl.DataFrame(arrivals, schema=names, orient="row").with_columns(
                handle_s=pl.lit(changed.get("handle_s", 180.0), pl.Float64)
            )
            writer.add_interactions(frame.sort("arrived_at", "interaction_id"))
        return writer.commit()


def client_of(store: Path, **settings: Any) -> TestClient:
    """A client that shows what a caller sees, faults of the service included."""
    return TestClient(app_of(store, **settings), raise_server_exceptions=False)


def app_of(store: Path, **settings: Any) -> FastAPI:
    return create_app(Settings(store=store, **settings))


def worked_of(service):
    """The worked examples of the documentation, as the service shows them now."""
    return service._examples(service._names_shown())


def post(client, path="/simulate/routing", **changed):
    body = {name: value for name, value in (BODY | changed).items() if value != "left out"}
    return client.post(path, json=body)


def answered(client, **changed):
    found = post(client, **changed)
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "application/json"
    model_of(RoutingAnswer).model_validate_json(found.content)
    return found.json()


def refusal(found, status):
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/problem+json"
    content = found.json()
    assert content["status"] == status
    assert {"type", "title", "status", "detail", "instance"} <= content.keys()
    return content["detail"]


def batch(client, **body):
    found = client.post("/simulate/batch", json=body)
    assert found.status_code == 200, found.text
    model_of(BatchAnswer).model_validate_json(found.content)
    return found.json()


def without_timing(report):
    return {name: value for name, value in report.items() if name != "timing"}
