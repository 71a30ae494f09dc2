"""Live requests through a real connection: a platform that fails, comes back, is gone, or is the double."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.genesys.live import LiveQueues, live_client
from ingest.platform.credentials import Credentials
from ingest.platform.errors import PlatformUnavailable
from tests.live_platform import PLATFORM, QUEUES, SALES, SECRET, Clock, ids, live
from tests.small_service import client_of, write_centre


class Server(ThreadingHTTPServer):
    """Gives tokens and members, or 500 for everything; counts requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.is_down, self.asked = False, []


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "t1", "token_type": "bearer", "expires_in": 86399})

    def do_GET(self):
        self._answer({"entities": SALES, "pageSize": 100, "pageNumber": 1})

    def _answer(self, content):
        self.server.asked.append(self.path)
        body = json.dumps({"code": "internal"} if self.server.is_down else content).encode()
        self.send_response(500 if self.server.is_down else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given):
        pass


@contextmanager
def serving():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def fastest(client):
    """Answer and time of the fastest of some requests; others use this machine too. [s]"""
    found = []
    for _ in range(5):
        started = time.perf_counter()
        content = live(client)
        found.append((time.perf_counter() - started, content))
    spent_s, content = min(found, key=lambda one: one[0])
    return content, spent_s


def test_a_platform_that_is_down_is_left_alone_and_found_again(tmp_path):
    """Live; then degraded after some failures; then at once and unasked; then one probe; then live again."""
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    write_centre(tmp_path)
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        client = client_of(tmp_path, live_cache_s=0.0, live_open_s=30.0, **PLATFORM | {"genesys_base_url": url})
        content = live(client)
        assert (content["source"], ids(content)) == ("live", ["ada", "cid"])
        assert "/oauth/token" in server.asked
        assert any(path.startswith("/api/v2/routing/queues/sales/members?") for path in server.asked)
        clock, breaker = Clock(), client.app.state.service.connection._client.breaker
        breaker._clock = clock

        server.is_down = True
        while breaker.state == "closed":
            content = live(client)
            assert content["source"] == "snapshot"
            assert "500" in content["degraded"]["reason"]
        n_asked = len(server.asked)
        # Until the very end of its time nobody waits for it, and nobody asks.
        for clock.s in (0.0, 29.9):
            content, spent_s = fastest(client)
            assert (content["source"], len(server.asked)) == ("snapshot", n_asked)
            assert "not asked" in content["degraded"]["reason"]
            assert spent_s < 0.05
        text = client.get("/metrics").text
        assert 'routelab_platform_breaker{state="open"} 1.0' in text
        assert 'routelab_routing_answers_total{asked="live",source="live"} 1.0' in text
        assert f"routelab_platform_requests_total {float(n_asked)}" in text

        # After its time one request tries, and its failure closes the door for the others again.
        clock.s = 30.0
        fastest(client)
        assert len(server.asked) == n_asked + 1
        server.is_down, clock.s = False, 60.0
        assert live(client)["source"] == "live"
        assert SECRET not in text


def test_an_allowance_that_is_used_up_is_not_waited_for():
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        client = live_client(Credentials.of("an-id", SECRET, url), 30.0)
        client.limiter.pause(3.0)
        with pytest.raises(PlatformUnavailable, match="limit on requests a minute is used up"):
            LiveQueues(client).members("sales")
        assert (server.asked, client.breaker.state) == ([], "closed")


def test_a_platform_that_is_gone_is_named_in_words(tmp_path):
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    write_centre(tmp_path)
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
    content = live(client_of(tmp_path, **PLATFORM | {"genesys_base_url": url}))
    assert content["source"] == "snapshot"
    assert "127.0.0.1" in content["degraded"]["reason"]
    assert SECRET not in json.dumps(content)


def test_the_double_of_the_platform_is_ranked_live_and_its_members_take_turns_when_it_stops(tmp_path):
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    from ingest.double import Double, Faults, organisation

    # Short pages, a status of null and one that nobody knows: the listing is read to its end all the same.
    odd = [("members", number, fault) for number, fault in enumerate(("short_page", "null_enum", "unknown_enum"), 1)]
    with Double(organisation(agents=30, days=1, queues=2, interactions=100), faults=Faults(odd)) as double:
        settings = {"genesys_client_id": "demo", "genesys_client_secret": "demo", "genesys_base_url": double.url}
        client = client_of(tmp_path, live_cache_s=0.0, **settings)
        queue_id = next(iter(client.app.state.service.connection.queues()._reader.get(QUEUES)["entities"]))["id"]
        asked = {"queue_id": queue_id, "required_skill": None, "required_language": None, "top": 100}
        read = [live(client, **asked) for _ in range(4)]
        assert {content["source"] for content in read} == {"live"}
        assert len({content["live"]["members"] for content in read}) == 1
        whole = read[-1]
        assert whole["live"]["available"] == len(whole["ranked_agents"]) == whole["live"]["by_status"]["idle"]
        assert sum(whole["live"]["by_status"].values()) == whole["live"]["members"]
    firsts = [live(client, **asked) for _ in range(whole["live"]["members"])]
    assert {content["source"] for content in firsts} == {"fallback"}
    assert len({content["top_agent"]["id"] for content in firsts}) == whole["live"]["members"]
    assert {agent["id"] for agent in whole["ranked_agents"]} <= {content["top_agent"]["id"] for content in firsts}
