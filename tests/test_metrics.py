"""Metrics: what is asked is counted once, by the route it took, in a form that Prometheus reads."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.http.serving.metrics import BUCKETS, Meter, Metrics
from tests.small_service import BODY, answered, batch, client_of, post


def samples(client):
    """Values by name and labels."""
    found = client.get("/metrics")
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (one.name, *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(found.text)
        for one in family.samples
    }


def requests(client):
    found = {}
    for (name, *labels), value in samples(client).items():
        if name == "routelab_requests_total":
            found[dict(labels)["path"], dict(labels)["status"]] = value
    return found


def test_every_request_is_counted_by_the_template_of_its_route_and_its_status(client):
    for path in ("/snapshots/centre", "/snapshots/center", "/snapshots/centre", "/healthz", "/static/docs.css", "/"):
        client.get(path, follow_redirects=False)
    post(client)
    post(client, queue_id="nowhere")
    post(client, top=0)
    client.get("/simulate/routing")
    for made_up in range(50):
        client.get(f"/made/up/{made_up}")
        client.get(f"/static/{made_up}")
    assert requests(client) == {
        ("/snapshots/{name}", "200"): 2, ("/snapshots/{name}", "404"): 1, ("/healthz", "200"): 1,
        ("/static", "200"): 1, ("/static", "404"): 50, ("/", "307"): 1, ("/simulate/routing", "200"): 1,
        ("/simulate/routing", "404"): 1, ("/simulate/routing", "422"): 1, ("/simulate/routing", "405"): 1,
        ("unknown", "404"): 50,
    }  # fmt: skip
    # Being asked for metrics counts too, once it is over.
    assert requests(client)["/metrics", "200"] == 1


def test_a_fault_is_counted_as_what_was_answered(client, monkeypatch):
    monkeypatch.setattr("api.http.service.check_body", lambda *args: 1 // 0)
    post(client)
    assert requests(client)["/simulate/routing", "500"] == 1


def test_times_are_counted_in_buckets(client):
    for _ in range(3):
        post(client)
    found = samples(client)
    path = ("path", "/simulate/routing")
    counts = [found["routelab_request_seconds_bucket", ("le", str(float(le))), path] for le in BUCKETS]
    assert counts == sorted(counts)
    assert found["routelab_request_seconds_bucket", ("le", "+Inf"), path] == 3
    assert found["routelab_request_seconds_count", path] == 3
    assert 0 < found["routelab_request_seconds_sum", path] < 60


def test_answers_are_counted_by_their_source_and_refused_ones_are_not(client):
    answered(client)
    answered(client)
    post(client, queue_id="nowhere")
    post(client, live=True)
    found = {key: value for key, value in samples(client).items() if key[0] == "routelab_routing_answers_total"}
    assert found == {("routelab_routing_answers_total", ("asked", "snapshot"), ("source", "snapshot")): 2}


def test_interactions_of_batches_are_counted_routed_or_not(client):
    assert samples(client)["routelab_batch_interactions_total",] == 0
    report = batch(client, weights={"min_score_threshold": 0.8})
    assert report["unrouted"]["total"] > 0
    n = report["routed"] + report["unrouted"]["total"]
    batch(client, interactions=[{"id": "a", "required_skill": "billing"}, {"id": "b", "required_skill": "tech"}])
    assert samples(client)["routelab_batch_interactions_total",] == n + 2


def test_the_age_of_the_newest_snapshot_is_told_where_there_is_one(client, tmp_path):
    age_s = answered(client)["snapshot"]["age_s"]
    assert age_s <= samples(client)["routelab_snapshot_age_seconds",] < age_s + 60
    empty = tmp_path / "empty"
    empty.mkdir()
    assert ("routelab_snapshot_age_seconds",) not in samples(client_of(empty))


def test_without_a_platform_nothing_was_asked_of_it(client):
    found = samples(client)
    assert found["routelab_platform_requests_total",] == found["routelab_platform_retries_total",] == 0
    states = {key[1][1]: value for key, value in found.items() if key[0] == "routelab_platform_breaker"}
    assert states == {"closed": 1, "half-open": 0, "open": 0}


def test_services_count_for_themselves(client, tmp_path):
    other = client_of(tmp_path)
    post(client)
    assert ("/simulate/routing", "200") not in requests(other)


def test_a_client_that_leaves_is_counted_as_not_answered():
    metrics = Metrics(lambda: None, lambda: None)

    async def silent(scope, receive, send):
        raise ConnectionResetError

    meter = Meter(silent, metrics)
    with pytest.raises(ConnectionResetError):
        asyncio.run(meter({"type": "http", "path": "/secret"}, None, None))
    assert metrics._requests.labels("unknown", "499")._value.get() == 1


def test_counting_costs_little(client):
    """Far less than a thousandth of what a request may take."""
    import timeit

    metrics = client.app.state.service.metrics
    n = 10_000
    spent_s = min(timeit.repeat(lambda: metrics.requested("/simulate/routing", "200", 0.003), number=n, repeat=3))
    assert spent_s / n < 50e-6


def test_reading_settings_and_help_does_not_wait_for_the_metrics_package():
    doors = "api.terminal.cli, api.settings, api.http.serving.metrics"
    code = f"import sys, {doors}; print('prometheus_client' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_metrics_stand_in_the_description(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert list(paths["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
    assert "/metrics" in client.get("/docs").text
    assert BODY["queue_id"] not in client.get("/metrics").text
