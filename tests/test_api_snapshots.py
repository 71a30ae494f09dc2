"""Which snapshot serves a request, and what the service says about them."""

from __future__ import annotations

import os
import shutil
import threading

from starlette.testclient import TestClient

from api.errors import InvalidBody
from ingest.snapshot import store as stores
from ingest.snapshot.manifest import Manifest
from ingest.snapshot.reading import open_named, open_snapshot
from tests.small_service import (
    AGENTS,
    ARRIVALS,
    answered,
    app_of,
    batch,
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


def test_a_snapshot_is_called_as_its_folder_is(tmp_path):
    """Renamed and copied folders keep a manifest that calls them otherwise."""
    write_centre(tmp_path, "march")
    shutil.copytree(tmp_path / "march", tmp_path / "copy")
    (tmp_path / "march").rename(tmp_path / "spring")
    client = client_of(tmp_path)
    assert {one["id"] for one in client.get("/snapshots").json()["snapshots"]} == {"copy", "spring"}
    for name in ("copy", "spring"):
        assert client.get(f"/snapshots/{name}").json()["id"] == name
        assert answered(client, snapshot=name)["snapshot"]["id"] == name
        assert batch(client, snapshot=name)["snapshot"]["id"] == name
        assert open_snapshot(tmp_path, name).manifest.name == name
    assert answered(client)["snapshot"]["id"] in {"copy", "spring"}
    assert refusal(client.get("/snapshots/march"), 404)


def test_a_snapshot_is_there_at_every_instant_while_it_is_replaced(tmp_path):
    """200 replacements, each of two renames and the removal of the old files, beneath four threads that read."""
    write_centre(tmp_path)
    for name in ("one", "two"):
        shutil.copytree(tmp_path / "centre", tmp_path / f".{name}")
    snapshots, done, problems = app_of(tmp_path).state.service.snapshots, threading.Event(), []

    def ask():
        while not done.is_set():
            try:
                assert snapshots.newest().name == "centre"
                assert [name for name, found in snapshots.known() if isinstance(found, Manifest)] == ["centre"]
                assert snapshots.get("centre").arrays.centre.n_agents == 4
            except Exception as error:  # noqa: BLE001
                problems.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(200):
        side = stores.side_folder(tmp_path, "centre", "partial")
        shutil.copytree(tmp_path / (".one", ".two")[number % 2], side)
        stores.swap_in(tmp_path, "centre", side, replace=True)
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_replacement_cut_off_between_its_renames_hides_nothing(tmp_path):
    """The old snapshot then stands aside under the mark of a process that is gone; a service alone tidies nothing."""
    write_centre(tmp_path)
    (tmp_path / "centre").rename(tmp_path / ".centre.4194305-0123abcd.old")
    client = client_of(tmp_path)
    assert [one["id"] for one in client.get("/snapshots").json()["snapshots"]] == ["centre"]
    assert client.get("/readyz").status_code == 200
    assert answered(client)["snapshot"]["id"] == "centre"
    stores.delete(tmp_path, "centre")
    assert list(tmp_path.iterdir()) == []


def test_what_is_deleted_does_not_come_back_as_it_was_before(tmp_path):
    """The removal of an old writing was cut off: it goes with its successor."""
    write_centre(tmp_path)
    shutil.copytree(tmp_path / "centre", tmp_path / ".centre.4194305-0123abcd.old")
    stores.delete(tmp_path, "centre")
    assert stores.names(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_odd_folders_are_listed_with_a_reason_and_keep_nobody_from_the_others(tmp_path):
    write_centre(tmp_path, "good")
    odd = os.fsdecode(b"bytes\xff")
    for name in ("two words", odd, "nested"):
        shutil.copytree(tmp_path / "good", tmp_path / name)
    (tmp_path / "nested" / "manifest.json").unlink()
    (tmp_path / "nested" / "manifest.json").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "manifest.json").symlink_to(tmp_path / "good" / "manifest.json")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "piped").mkdir()
    os.mkfifo(tmp_path / "piped" / "manifest.json")
    (tmp_path / "notes.txt").write_text("not a snapshot")
    client = client_of(tmp_path)
    found = client.get("/snapshots").json()
    assert [one["id"] for one in found["snapshots"]] == ["good"]
    reasons = {one["id"]: one["problem"] for one in found["unreadable"]}
    assert set(reasons) == {"two words", "bytes\\udcff", "nested", "linked", "loop", "piped"}
    assert "use 1 to 100 letters" in reasons["two words"]
    assert "not a plain file" in reasons["piped"]
    assert answered(client)["snapshot"]["id"] == "good"


def test_no_answer_tells_where_the_store_lies(tmp_path):
    """Whatever goes wrong, and whoever words it."""
    from api.errors import STATUS

    write_centre(tmp_path)
    app = app_of(tmp_path)
    client, kinds = TestClient(app, raise_server_exceptions=False), [one for one in STATUS if one is not InvalidBody]
    for kind in kinds:
        app.state.service.show_snapshot = _raising(kind(f"{tmp_path}/centre/agents.arrow: gone; look into {tmp_path}"))
        found = client.get("/snapshots/centre")
        assert found.status_code == STATUS[kind][0]
        assert str(tmp_path) not in found.text
        assert "centre/agents.arrow: gone; look into the store" in found.text


def _raising(error):
    def ask(*args):
        raise error

    return ask
