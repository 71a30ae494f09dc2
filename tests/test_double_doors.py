"""Who gets into the double, what it refuses, and the server itself."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from urllib.parse import urlsplit

import pytest

from engine.errors import InvalidScenario
from ingest.double import Double, Faults, serve_forever
from tests.double_reader import API, CONVERSATIONS, USERS, Reader, known, whole


def test_only_the_right_pair_and_a_good_token_get_in(double):
    assert Reader(double, secret="wrong").log_in()[0] == 401
    reader = Reader(double)
    status, body = reader.once("GET", f"{API}/users", token="stolen")
    assert (status, body["code"], body["status"]) == (401, "bad.credentials", 401)
    assert set(body) == {"message", "code", "status", "contextId", "details", "errors"}
    assert reader.log_in()[0] == 200
    assert reader.once("GET", f"{API}/users")[0] == 200
    assert reader.headers["inin-ratelimit-allowed"] == "100000"
    assert reader.headers["ININ-Correlation-Id"]
    assert double.requests == [("POST", "/oauth/token"), ("GET", f"{API}/users"), ("POST", "/oauth/token"),
                               ("GET", f"{API}/users")]  # fmt: skip


def test_a_permission_that_is_missing_is_named(org):
    with Double(org, missing_permissions=("analytics:userDetail:view",)) as running:
        reader = Reader(running)
        reader.log_in()
        status, body = reader.once("POST", USERS, {"interval": whole(org)})
        assert (status, body["code"]) == (403, "missing.permissions")
        assert "[analytics:userDetail:view]" in body["message"]
        assert reader.once("GET", f"{API}/users")[0] == 200
    with pytest.raises(InvalidScenario, match="no:such:thing"):
        Double(org, missing_permissions=("no:such:thing",))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{API}/routing/users", None, 404),
        ("GET", f"{API}/routing/queues/none", None, 404),
        ("GET", f"{API}/routing/queues/none/members", None, 404),
        ("GET", f"{API}/users?pageSize=x", None, 400),
        ("GET", f"{CONVERSATIONS}/jobs/none", None, 404),
        ("POST", f"{CONVERSATIONS}/query", {}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"interval": "2026-01-06T00:00:00Z/2026-01-05T00:00:00Z"}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"interval": "2026-01-05/2026-01-06"}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"interval": "2026-01-05T00:00:00Z/2026-03-06T00:00:00Z"}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"date_filter": 1}, 400),
        ("POST", f"{CONVERSATIONS}/jobs", [], 400),
    ],
)
def test_nonsense_is_refused_in_the_platforms_shape(double, method, path, body, status):
    reader = Reader(double)
    reader.log_in()
    got, answer = reader.once(method, path, body)
    assert (got, answer["status"]) == (status, status)
    assert {"message", "code", "contextId", "details", "errors"} <= set(answer)


def test_unknown_words_are_refused_by_name(double, org):
    reader = Reader(double)
    reader.log_in()
    wrong = [{"type": "and", "predicates": [{"dimension": "shoeSize", "operator": "matches", "value": "9"}]}]
    for path, body, word in (
        (f"{CONVERSATIONS}/query", {"segmentFilters": wrong}, "shoeSize"),
        (f"{CONVERSATIONS}/jobs", {"conversationFilters": wrong}, "shoeSize"),
        (USERS, {"userFilters": wrong}, "shoeSize"),
        (f"{API}/analytics/conversations/aggregates/query", {"metrics": ["tWish"]}, "tWish"),
        (f"{API}/analytics/conversations/aggregates/query", {"granularity": "weekly"}, "weekly"),
        (f"{API}/analytics/surveys/aggregates/query", {"groupBy": ["teamId"]}, "teamId"),
    ):
        status, answer = reader.once("POST", path, {"interval": whole(org)} | body)
        assert status == 400 and word in answer["message"]


def test_more_requests_than_allowed_wait_for_the_next_minute(org):
    now = [0.0]
    with Double(org, requests_per_minute=3, clock=lambda: now[0]) as running:
        reader = Reader(running)
        reader.log_in()
        assert [reader.once("GET", f"{API}/routing/settings")[0] for _ in range(4)] == [200, 200, 200, 429]
        assert int(reader.headers["Retry-After"]) == 60
        assert reader.headers["inin-ratelimit-count"] == reader.headers["inin-ratelimit-allowed"] == "3"
        now[0] = 59.9
        assert reader.once("GET", f"{API}/routing/settings")[0] == 429
        now[0] = 60.0
        assert reader.once("GET", f"{API}/routing/settings")[0] == 200
        assert reader.headers["inin-ratelimit-count"] == "1"


# The server itself.


def test_many_readers_at_once_get_the_same(tiny, truth):
    with Double(tiny) as running:
        found: list[object] = []
        threads = [threading.Thread(target=lambda: found.append(known(Reader(running), tiny))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [truth] * 4


def test_it_listens_on_this_machine_only_and_leaves_nothing_behind(tiny):
    before = set(threading.enumerate())
    running = Double(tiny, faults=Faults([("queues", 1, "silence")]))
    assert running.url.startswith("http://127.0.0.1:")
    idle, reader = Reader(running), Reader(running)
    idle.log_in()
    reader.log_in()

    def wait() -> None:
        with pytest.raises((OSError, http.client.HTTPException)):
            reader.once("GET", f"{API}/routing/queues")

    silent = threading.Thread(target=wait)
    silent.start()
    while len(running.requests) < 3:
        pass
    running.stop()
    running.stop()
    assert idle.connection.sock.recv(1) == b"", "a connection that waits is closed too"
    silent.join(5)
    assert not silent.is_alive()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", urlsplit(running.url).port), 1):
        pass
    left = set(threading.enumerate()) - before
    for thread in left:
        # Whoever answers a reader ends by itself once the connection is closed.
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_the_process_is_asked_to_end(tiny, number):
    running, handler = Double(tiny), signal.getsignal(number)

    def ask() -> None:
        Reader(running).log_in()
        os.kill(os.getpid(), number)

    asking = threading.Thread(target=ask)
    # Before anybody waits the signal would end this very process.
    waiting = threading.Timer(0.05, asking.start)
    waiting.start()
    serve_forever(running)
    assert running.stopping.is_set()
    assert running.requests == [("POST", "/oauth/token")]
    assert signal.getsignal(number) == handler
