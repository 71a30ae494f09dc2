"""Whatever the description allows or forbids, the service answers as described and never with a fault."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from tests.small_service import BODY, STAFFING, app_of, write_centre

OPERATIONS = [
    ("/simulate/routing", "POST"), ("/simulate/batch", "POST"), ("/snapshots", "GET"), ("/snapshots/{name}", "GET"),
    ("/healthz", "GET"), ("/readyz", "GET"), ("/metrics", "GET"),
]  # fmt: skip
BUSY = {"/simulate/routing": 60, "/simulate/batch": 60}

load_all_checks()
# A body that the description allows may still name a queue or a day that is not there.
NOT_ASKED = ["positive_data_acceptance"]


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    write_centre(store, staffing=STAFFING)
    return schemathesis.openapi.from_asgi("/openapi.json", app_of(store))


def bounded(n_examples: int) -> settings:
    return settings(
        max_examples=n_examples, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def validate(case: Case) -> int:
    """Status, headers, type and content of the answer are as the description says."""
    excluded = CHECKS.get_by_names(NOT_ASKED)
    return case.call_and_validate(excluded_checks=excluded).status_code


def test_the_description_names_every_path(schema):
    found = {(o.ok().path, o.ok().method.upper()) for o in schema.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_brings_a_fault(schema, path, method, mode):
    operation = schema[path][method]
    if mode is GenerationMode.NEGATIVE and method == "GET" and "{" not in path:
        return  # nothing in it could be wrong

    @bounded(BUSY.get(path, 8))
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Case) -> None:
        validate(case)

    run()


def known(body: Any) -> Any:
    """The body with names and days that exist, so that it gets past the first look."""
    if not isinstance(body, dict):
        return body
    kept = {"queue_id": "sales", "start_date": BODY["start_date"], "end_date": BODY["end_date"], "snapshot": None}
    skills = {"required_skill": "billing", "required_language": "en", "required_skills": ["tech"]}
    body = {**body, **{name: value for name, value in (kept | skills).items() if name in body}}
    if body.get("mode") == "replay":
        # Everything else of a replay is as drawn; what it needs of interactions is there.
        times = {"arrived_at": "2024-03-04T09:00:00Z", "handle_s": 200, "agent_id": "ada"}
        body["interactions"] = [{**row, **times} for row in body.get("interactions") or [{"id": "row"}]]
    if body.get("interactions"):
        rows = [{**row, **({"id": f"row {n}"} if "id" in row else {})} for n, row in enumerate(body["interactions"])]
        rows = [{**row, "interaction_id": f"row {n}"} if "id" not in row else row for n, row in enumerate(rows)]
        body = {**body, "interactions": rows}
    return body


def replayed(body: Any) -> Any:
    """The same as a replay."""
    return known({**body, "mode": "replay"} if isinstance(body, dict) else body)


@pytest.mark.parametrize(
    ("path", "fit", "n"),
    [("/simulate/routing", known, 80), ("/simulate/batch", known, 80), ("/simulate/batch", replayed, 40)],
)
def test_requests_about_what_exists_are_answered_as_described(schema, path, fit, n):
    statuses = []

    def fitting(case: Case) -> Case:
        case.body = fit(case.body)
        return case

    @bounded(n)
    @given(case=schema[path]["POST"].as_strategy().map(fitting))
    def run(case: Case) -> None:
        statuses.append(validate(case))

    run()
    assert statuses.count(200) > 10


@pytest.mark.parametrize("path", ["/simulate/routing", "/simulate/batch"])
def test_bytes_that_nobody_meant_bring_no_fault(schema, path):
    from starlette.testclient import TestClient

    client = TestClient(schema.app, raise_server_exceptions=False)
    pieces = st.sampled_from(
        [b"{", b"}", b"[", b"]", b":", b",", b'"queue_id"', b'"interactions"', b'"id"', b"1e999", b"NaN", b'"\\ud800"',
         b"\xff", b"\x00", b"null", b'"2024-03-04"', b"-0", b'"\\u0000"', b"\xed\xa0\x80", b"1" * 5000]
    )  # fmt: skip
    texts = st.one_of(st.lists(pieces, max_size=12).map(b"".join), st.binary(max_size=40))

    @bounded(150)
    @given(content=texts)
    def run(content: bytes) -> None:
        found = client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert 400 <= found.status_code < 500 or found.status_code == 200, found.text
        if found.status_code != 200:
            assert found.headers["content-type"] == "application/problem+json"

    run()
