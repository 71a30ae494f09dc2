"""The service as a whole: the event loop is never stopped, errors keep their shape, results are shared."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from api.errors import TooSlow
from api.http.answering.batch import answer_batch
from api.http.messages.body import read_body
from api.http.messages.problems import install
from api.http.serving.once import Once
from api.http.serving.threads import Threads
from api.settings import Settings
from tests.small_service import (
    BODY,
    app_of,
    post,
    refusal,
    write_centre,
)


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


def test_a_slow_simulation_keeps_nobody_else_waiting(tmp_path, monkeypatch):
    write_centre(tmp_path)
    begun, go = threading.Event(), threading.Event()

    def slow(*args):
        begun.set()
        assert go.wait(30)
        return answer_batch(*args)

    monkeypatch.setattr("api.http.service.answer_batch", slow)
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
    monkeypatch.setattr("api.http.service.answer_batch", lambda *args: go.wait(30) and b"{}")
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
    monkeypatch.setattr("api.http.service.check_body", lambda *args: 1 // 0)
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
    code = f"import sys, api.terminal.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_service_says_where_it_listens_and_answers_there(tmp_path):
    write_centre(tmp_path)
    code = (
        "from api.http.app import serve; from api.settings import load_settings; "
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


def test_a_store_that_is_not_there_is_warned_of(tmp_path, monkeypatch, capsys):
    from api.http import app

    monkeypatch.setattr(app, "serve_until_stopped", lambda server, listening: None)
    app.serve(Settings(port=0, store=tmp_path / "nowhere"))
    assert f"warning: {tmp_path / 'nowhere'} is not there yet" in capsys.readouterr().err
    app.serve(Settings(port=0, store=tmp_path))
    assert capsys.readouterr().err == ""


def test_an_address_that_is_taken_is_refused_with_the_way_out():
    from api.errors import InvalidSettings
    from api.http.app import _listen, serve

    with _listen(Settings(port=0)) as taken:
        assert taken.proto  # else small answers would wait for the network's timers
        with pytest.raises(
            InvalidSettings, match=r"cannot listen on 127.0.0.1, port \d+ .* choose another --host or --port"
        ):
            serve(Settings(port=taken.getsockname()[1]))
    with pytest.raises(InvalidSettings, match="choose another --host"):
        serve(Settings(host="no.such.host.invalid", port=0))


def test_places_of_finished_requests_are_free_again():
    """More requests one after another than may wait at once; none is turned away."""

    async def many() -> list[int]:
        threads = Threads("test", n_threads=1, most_waiting=1)
        try:
            return [await threads.run(None, lambda n=n: n) for n in range(10)]
        finally:
            threads.close()

    assert asyncio.run(many()) == list(range(10))


def test_a_body_that_never_ends_is_given_up():
    """Half a body and then silence: refused after the time, with what to do."""

    async def receive() -> dict[str, object]:
        if not sent:
            sent.append(True)
            return {"type": "http.request", "body": b"{", "more_body": True}
        return await asyncio.get_running_loop().create_future()

    sent: list[bool] = []
    request = Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, receive)
    with pytest.raises(TooSlow, match=r"did not arrive within 0\.05 s"):
        asyncio.run(read_body(request, 1000, longest_s=0.05))
