"""Clients that keep the service waiting: deadlines, limits for all together, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from api.http.connections.connection import PROBE_S
from tests.running_service import PATIENCE_S, Client, hello, request, running, until
from tests.small_service import write_centre

HALF = b"GET /healthz HTTP/1.1\r\nHost: loc"
HALF_BODY = request("POST", "/", b"", Content_Length="1000000")
QUICK = {"head_s": 0.2, "idle_s": 0.2, "slow_s": 0.2, "linger_s": 0.2}


@pytest.mark.parametrize("sent", [b"", b"\r\n", request("GET", "/a")])
def test_a_connection_on_which_nothing_comes_is_closed(sent):
    with running(hello, **QUICK) as service, service.connect(sent) as client:
        if b"GET" in sent:
            assert client.answer().status == 200
        assert client.closed()


@pytest.mark.parametrize("sent", [HALF, b"G", HALF_BODY, HALF_BODY + b"x" * 1000])
def test_half_a_request_is_given_up_and_its_sender_told(sent):
    with running(hello, **QUICK) as service, service.connect(sent) as client:
        found = client.answer()
        assert found.status == 408
        assert "did not arrive" in found.detail or "bytes arrived" in found.detail
        assert client.closed()


def test_a_head_byte_by_byte_has_no_more_time_than_one_that_stops():
    with running(hello, **QUICK | {"idle_s": 60.0}) as service, service.connect() as client:
        started_s = time.monotonic()
        client.socket.settimeout(0.02)
        while not client.unread and time.monotonic() - started_s < PATIENCE_S:
            client.send(b"a") if client.unread else client.send(b"G")
            try:
                client.unread += client.socket.recv(1000)
            except TimeoutError:
                continue
        assert client.unread.startswith(b"HTTP/1.1 4")  # a method of too many letters, or 408
        assert time.monotonic() - started_s < PATIENCE_S / 2


def test_a_body_that_keeps_the_pace_may_take_longer():
    """A grace of 0.2 s, and then a byte a second: six that come within 0.6 s are in time."""
    sent = request("POST", "/", b"", Content_Length="6")
    with running(hello, **QUICK, least_bytes_s=1) as service, service.connect(sent) as client:
        for _ in range(6):
            client.send(b"x")
            time.sleep(0.1)
        assert client.answer().body == b"POST / 6"


@pytest.mark.parametrize("sent", [b"", HALF, HALF_BODY, request("GET", "/")])
def test_others_are_served_however_many_wait(sent):
    """Room for 20, and 60 that send nothing, half a head, half a body, or keep their connection."""
    with running(hello, connections=20) as service, ExitStack() as open_:
        for _ in range(60):
            open_.enter_context(service.connect(sent))
            assert service.get().status == 200
        assert service.n_connections <= 20


def test_whoever_has_waited_longest_makes_room():
    """Of five, the first and the second go for the sixth and the seventh; the third sent something and stays."""
    with running(hello, connections=5) as service, ExitStack() as open_:
        clients = []
        for _ in range(5):
            clients.append(open_.enter_context(service.connect()))
            until(lambda: service.n_connections == len(clients))
        clients[2].send(request("GET", "/"))
        assert clients[2].answer().status == 200
        clients += [open_.enter_context(service.connect()) for _ in range(2)]
        assert clients[0].closed()
        assert clients[1].closed()
        for client in clients[2:]:
            client.send(request("GET", "/"))
            assert client.answer().status == 200


def test_whoever_is_being_answered_is_not_put_out():
    go = asyncio.Event()

    async def slow(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/slow":
            await go.wait()
        await hello(scope, receive, send)

    with (
        running(slow, connections=8) as service,
        ExitStack() as open_,
        service.connect(request("GET", "/slow")) as first,
    ):
        until(lambda: service.server.pool.tasks)
        for _ in range(30):
            open_.enter_context(service.connect(HALF))
            assert service.get().status == 200
        go._loop.call_soon_threadsafe(go.set)
        assert first.answer().status == 200


def test_more_work_than_leaves_room_for_others_is_refused_and_looking_is_not():
    """Of 8 connections 6 may be waiting for work; the seventh is told to come again, and health is still told."""
    go = asyncio.Event()

    async def slow(scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "POST":
            await go.wait()
        await hello(scope, receive, send)

    with running(slow, connections=8) as service, ExitStack() as open_:
        clients = [open_.enter_context(service.connect(request("POST", "/", b"{}"))) for _ in range(6)]
        until(lambda: len(service.server.pool.tasks) == 6)
        found = service.ask(request("POST", "/", b"{}"))
        assert (found.status, found.headers["retry-after"]) == (503, "1")
        assert "6 requests are under way" in found.detail
        assert service.get().status == 200
        go._loop.call_soon_threadsafe(go.set)
        assert [client.answer().status for client in clients] == [200] * 6


def test_half_sent_bodies_are_bounded_together_and_small_ones_pass():
    """5 of 300 kB against a limit of 1 MB for what goes beyond the first 64 KiB of each: the largest leave."""
    half = request("POST", "/", b"", Content_Length="1000000") + b"x" * 300_000
    with running(hello, bodies_bytes=1_000_000) as service, ExitStack() as open_:
        clients = [open_.enter_context(service.connect(half)) for _ in range(5)]
        # 5 x (300,000 - 65,536) = 1,172,320 bytes.
        found = [client for client in clients if has_answer(client, 0.3)]
        assert len(found) == 1
        assert found[0].answer().status == 503
        assert service.ask(request("POST", "/", b"x" * 60_000)).body == b"POST / 60000"


def has_answer(client, longest_s):
    client.socket.settimeout(longest_s)
    try:
        client.unread += client.more()
    except TimeoutError:
        return False
    return True


def test_a_client_that_does_not_read_is_parted_with():
    content = b"x" * 20_000_000

    async def large(scope, receive, send):
        if scope["type"] != "http":
            return await hello(scope, receive, send)
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        return await send({"type": "http.response.body", "body": content})

    with running(large, slow_s=0.2) as service, service.connect(10 * request("GET", "/")) as idle:
        # It has begun to answer, and then gives up.
        idle.unread += idle.socket.recv(1)
        until(lambda: service.n_connections == 0)
        # Of ten requests one was answered, as nobody took that answer.
        assert not idle.closed()
        assert len(idle.unread) < len(content)
    with running(large) as service, service.connect(request("GET", "/")) as reader:
        assert len(reader.answer().body) == len(content)


def test_answers_that_nobody_takes_are_bounded_together():
    content = b"x" * 10_000_000

    async def large(scope, receive, send):
        if scope["type"] != "http":
            return await hello(scope, receive, send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        return await send({"type": "http.response.body", "body": content})

    with running(large, answers_bytes=15_000_000, linger_s=0.1) as service, ExitStack() as open_:
        for _ in range(4):
            open_.enter_context(service.connect(request("GET", "/")))
        until(lambda: service.n_connections == 4)
        until(lambda: service.n_connections < 3)


def test_a_flood_of_pipelined_requests_waits_in_the_network():
    """Ten thousand requests in one go, whose answers nobody reads until the end: all come, in order."""
    n = 10_000
    with running(hello) as service, service.connect() as client:
        client.socket.settimeout(0.5)
        sent = memoryview(b"".join(request("GET", f"/{i}") for i in range(n)))
        at, answered = 0, 0
        while answered < n:
            if at < len(sent):
                with suppress(TimeoutError):
                    at += client.socket.send(sent[at : at + 100_000])
            client.socket.settimeout(PATIENCE_S if at == len(sent) else 0.5)
            if at == len(sent) or answered < n // 2:
                assert client.answer().body == f"GET /{answered} 0".encode()
                answered += 1
        assert all(len(one._unread) < 200_000 for one in service.server.pool.connections)


def send_all_but(client, sent, longest_s=0.3):
    """Send until nobody takes any more; what is left."""
    client.socket.settimeout(longest_s)
    left = memoryview(sent)
    with suppress(TimeoutError):
        while left:
            left = left[client.socket.send(left[:100_000]) :]
    client.socket.settimeout(PATIENCE_S)
    return left


def test_pipelined_questions_for_health_wait_in_the_network_too():
    """300,000 of them, 16 MB, unread answers: what the service holds is bounded, others are served and so are these."""
    with running(hello, counted=lambda *_: None) as service, service.connect() as client:
        assert send_all_but(client, request("GET", "/healthz") * 300_000)
        assert all(len(one._unread) < 200_000 for one in service.server.pool.connections)
        assert service.get().status == 200
        assert all(client.answer().status == 200 for _ in range(2_000))


def test_a_large_body_is_read_in_pieces_as_the_application_takes_them():
    """Of 4 MB only some pieces of 64 KiB have come while nobody takes them; then all of it."""
    whole = b"0123456789" * 400_000
    go, began = threading.Event(), threading.Event()

    async def slow(scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "POST":
            return await hello(scope, receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
            began.set()
            if not go.is_set():
                await asyncio.to_thread(go.wait, PATIENCE_S)
        answer = body[-20:] + b" %d" % len(body)
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        return await send({"type": "http.response.body", "body": answer})

    with running(slow) as service, service.connect(request("POST", "/", b"", Content_Length=str(len(whole)))) as client:
        left = send_all_but(client, whole)
        assert left and began.is_set()
        [exchange] = [one.exchange for one in service.server.pool.connections if one.exchange]
        assert exchange.n_bytes < 300_000
        go.set()
        client.socket.sendall(left)
        assert client.answer().body == whole[-20:] + b" 4000000"


def test_few_descriptors_are_no_end_and_fill_no_log(tmp_path):
    """40 descriptors and 300 connections that send nothing: a new client is served, and the log has a line or none."""
    write_centre(tmp_path)
    with serving(tmp_path, before="import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); ") as process:
        with ExitStack() as open_:
            for _ in range(300):
                open_.enter_context(Client(process.port))
            for _ in range(5):
                with Client(process.port) as client:
                    client.send(request("GET", "/readyz"))
                    assert client.answer().status == 200
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        assert process.wait(PATIENCE_S) == 0
        assert len(said.splitlines()) <= 1


class serving:  # noqa: N801
    """`routelab serve` in a process of its own."""

    def __init__(self, store, before=""):
        self.store, self.before = store, before

    def __enter__(self):
        code = (
            f"{self.before}from api.http.app import serve; from api.settings import load_settings; "
            f"serve(load_settings(None, {{'port': 0, 'store': {str(self.store)!r}}}, {{}}))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        self.process.port = int(line.split("127.0.0.1:")[1].split()[0])
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def test_a_signal_ends_the_service_whatever_is_connected_or_running(tmp_path):
    """Nobody, half a head, half a body, an idle connection, an answer that is not read, and work that never ends."""
    write_centre(tmp_path)
    # Work of a thread that cannot be told to stop, as in a platform call that hangs.
    hang = "import time; from api.http.service import Service; Service.batch = lambda self, body: time.sleep(1000); "
    with serving(tmp_path, before=hang) as process, ExitStack() as open_:
        for sent in (b"", HALF, HALF_BODY, request("GET", "/healthz"), 50 * request("GET", "/openapi.json"),
                     request("POST", "/simulate/batch", b"{}")):  # fmt: skip
            open_.enter_context(Client(process.port)).send(sent)
        with Client(process.port) as client:
            client.send(request("GET", "/readyz"))
            assert client.answer().status == 200
        process.send_signal(signal.SIGTERM)
        started_s = time.monotonic()
        assert process.wait(PATIENCE_S) == 0
        assert time.monotonic() - started_s < 6
        assert process.stdout.read() == "routelab stops\n"
        assert process.stderr.read() == ""


def test_a_second_signal_ends_it_at_once(tmp_path):
    write_centre(tmp_path)
    hang = "import time; from api.http.service import Service; Service.batch = lambda self, body: time.sleep(1000); "
    with serving(tmp_path, before=hang) as process, Client(process.port) as client:
        client.send(request("POST", "/simulate/batch", b"{}") + request("GET", "/healthz"))
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "routelab stops\n"
        started_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert time.monotonic() - started_s < 2


def test_a_client_that_stops_sending_gets_the_answer_to_what_is_whole():
    """Also where it takes longer than it takes to find out that the client is there; 100 stands before it then."""

    async def slow(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/slow":
            await asyncio.sleep(3 * PROBE_S)
        await hello(scope, receive, send)

    with running(slow) as service:
        for sent, n, waited in ((request("POST", "/", b"{}"), 1, False), (request("POST", "/slow", b"{}"), 1, True),
                                (3 * request("GET", "/"), 3, False)):  # fmt: skip
            with service.connect(sent) as client:
                client.socket.shutdown(socket.SHUT_WR)
                found = []
                while [one.status for one in found].count(200) < n:
                    found.append(client.answer())
                assert (found[0].status == 100) == waited
                assert client.closed()
        for sent in (HALF, HALF_BODY):
            with service.connect(sent) as client:
                client.socket.shutdown(socket.SHUT_WR)
                assert client.closed()


@pytest.mark.parametrize("sent", [request("POST", "/", b"{}"), request("POST", "/", b"{}").replace(b"1.1", b"1.0")])
def test_a_client_that_closes_has_left_soon(sent):
    gone_s = []

    async def waits(scope, receive, send):
        if scope["type"] != "http":
            await hello(scope, receive, send)
            return
        await receive()
        begun.append(True)
        assert (await receive())["type"] == "http.disconnect"
        gone_s.append(time.monotonic())

    begun = []
    with running(waits) as service:
        with service.connect(sent):
            until(lambda: begun)
        started_s = time.monotonic()
        until(lambda: gone_s)
        # Two questions on a quiet machine.
        assert gone_s[0] - started_s < 10 * PROBE_S


def test_health_is_told_while_nothing_else_is_and_counted():
    """The connection tells it: the application need not even begin."""
    counted = []
    with running(hello, counted=lambda path, status, _: counted.append((path, status))) as service:
        with service.connect(request("HEAD", "/healthz") + request("GET", "/healthz", Connection="close")) as client:
            bare, whole = client.answer("HEAD"), client.answer()
            assert (whole.status, whole.body, whole.headers["connection"]) == (200, b'{"status":"up"}', "close")
            assert bare.headers == {name: text for name, text in whole.headers.items() if name != "connection"}
            assert client.closed()
        assert counted == 2 * [("/healthz", "200")]
        # What the connection refuses is counted as well, and what the application answers it counts itself.
        assert service.ask(b"nonsense\r\n\r\n").status == 400
        assert service.get("/", Host="evil.example").status == 421
        assert service.get("/").status == 200
        assert counted[2:] == [("unknown", "400"), ("unknown", "421")]


def test_an_answer_under_way_is_finished_before_the_end():
    async def slow(scope, receive, send):
        if scope["type"] == "http":
            begun.append(True)
            await asyncio.sleep(0.3)
        await hello(scope, receive, send)

    begun = []
    with running(slow, grace_s=PATIENCE_S) as service, service.connect(request("GET", "/")) as client:
        until(lambda: begun)
        service.server.should_exit = True
        found = client.answer()
        assert (found.status, found.headers["connection"]) == (200, "close")
        with pytest.raises(ConnectionError):
            service.connect()


def test_what_is_not_finished_at_the_end_is_told_so():
    async def never(scope, receive, send):
        if scope["type"] == "http":
            begun.append(True)
            await asyncio.sleep(1000)
        await hello(scope, receive, send)

    begun = []
    with running(never) as service, service.connect(request("GET", "/")) as client:
        until(lambda: begun)
        service.server.should_exit = True
        found = client.answer()
        assert (found.status, found.headers["retry-after"]) == (503, "1")
        assert "the service stops" in found.detail
