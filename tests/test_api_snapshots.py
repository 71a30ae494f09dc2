"""Which snapshot serves a request, and what the service says about them."""

from __future__ import annotations

from ingest.snapshot.reading import open_named
from tests.small_service import (
    AGENTS,
    ARRIVALS,
    answered,
    app_of,
    client_of,
    post,
    refusal,
    write_centre,
)


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
    monkeypatch.setattr(
        "api.http.serving.open_snapshots.open_named", lambda *args: opened.append(args) or open_named(*args)
    )
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
