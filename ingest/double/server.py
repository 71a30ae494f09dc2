"""The loopback server: HTTP in front of the answers, with permissions, limits and whatever goes wrong on the way."""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Lock, Thread
from types import FrameType, TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from engine.errors import InvalidScenario
from ingest.double.answering.answers import Answer, Question, Refused, bad_request
from ingest.double.answering.routes import Route, Routes, parsed_query
from ingest.double.centre.facts import platform_id
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.stamps import DAY_MS
from ingest.double.faults import Faults
from ingest.double.limits import Doorkeeper, too_many

TOKEN = "/oauth/token"
HTML = b"<html><body><h1>Something between us broke</h1></body></html>"
STATUS = {"error_500": 500, "error_502": 502, "error_503": 503, "error_503_with_retry_after": 503}
# How long a silent answer waits before it looks whether the server stops.
LOOK_S = 0.05


@dataclass(frozen=True)
class Reply:
    """Bytes on the wire."""

    status: int  # HTTP status
    body: bytes  # Whole body
    headers: dict[str, str]  # Headers but for the length
    how: str = "whole"  # "whole", or a fault of transport: "dropped", "dropped_in_body", "silence"


class Double:
    """Genesys Cloud on a loopback address, as far as an import reads it.

    Parameters
    ----------
    organisation : Organisation
        What it knows.
    port : int
        Port on 127.0.0.1, 0 for any.
    faults : Faults, optional
        What goes wrong.
    requests_per_minute : int, optional
        Enforced with 429; without it plenty is announced and nothing enforced.
    client_id, client_secret : str
        The only pair that is let in.
    availability : datetime, optional
        Until when jobs know everything; noon of the last day.
    missing_permissions : tuple of str
        Permissions that the client's roles lack.
    polls : int
        How often a job must be asked for before it is done.
    clock : callable
        Seconds that only grow, for the limit.

    Raises
    ------
    InvalidScenario
        If nothing asks for a permission that is said to be missing.

    Examples
    --------
    >>> from ingest.double.centre.organisation import organisation
    >>> with Double(organisation(agents=5, days=1, queues=1, interactions=40)) as double:
    ...     double.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self, organisation: Organisation, *, port: int = 0, faults: Faults | None = None,
        requests_per_minute: int | None = None, client_id: str = "demo", client_secret: str = "demo",
        availability: datetime | None = None, missing_permissions: tuple[str, ...] = (), polls: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.organisation = organisation
        self.faults = faults or Faults()
        self.requests: list[tuple[str, str]] = []
        available_ms = organisation.end_ms - DAY_MS // 2
        if availability is not None:
            available_ms = round(availability.astimezone(UTC).timestamp() * 1000)
        self._routes = Routes(organisation, available_ms, polls)
        _check_permissions(missing_permissions, self._routes)
        self._missing = frozenset(missing_permissions)
        self._door = Doorkeeper(client_id, client_secret, requests_per_minute, clock)
        self._numbers, self._lock = count(1), Lock()
        self.stopping = Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(LOOK_S,), name="double", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def jobs_left(self) -> int:
        """How many jobs nobody deleted."""
        return self._routes.details.jobs.left()

    def stop(self) -> None:
        """Close every connection and the port; once is enough."""
        if not self.stopping.is_set():
            self.stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._server.drop_all()
            self._thread.join()

    def __enter__(self) -> Double:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reply(self, method: str, target: str, authorization: str, body: bytes) -> Reply:
        """Answer one request.

        Parameters
        ----------
        method, target : str
            As in the request line.
        authorization : str
            The request's header.
        body : bytes
            The request's body.

        Returns
        -------
        Reply
            What goes over the wire.
        """
        parts = urlsplit(target)
        with self._lock:
            number = next(self._numbers)
            self.requests.append((method, parts.path))
        correlation_id = platform_id("request", str(number))
        headers = {"ININ-Correlation-Id": correlation_id}
        fault = None
        try:
            if (method, parts.path) == ("POST", TOKEN):
                fault = self.faults.next("token", "")
                self._break_before(fault)
                answer = self._door.issue(authorization, parse_qs(body.decode("utf-8", "replace")))
            else:
                headers |= self._door.admit(authorization)
                question, route = self._question(method, parts.path, parts.query, body)
                fault = self.faults.next(route.kind, self._routes.subject(route.kind, question.names, question.body))
                self._break_before(fault)
                self._permit(route)
                answer = route.answer(replace(question, fault=fault))
        except Refused as refusal:
            answer = refusal.answer(correlation_id)
        return _wired(answer, headers | {"Content-Type": "application/json"}, fault)

    def _question(self, method: str, path: str, query: str, body: bytes) -> tuple[Question, Route]:
        route, names = self._routes.find(method, path)
        parsed: Any = None
        if method == "POST":
            try:
                parsed = orjson.loads(body)
            except orjson.JSONDecodeError as error:
                raise bad_request(f"body: not JSON ({error})") from error
        return Question(path, parsed_query(query), parsed, names), route

    def _permit(self, route: Route) -> None:
        if route.permission in self._missing:
            raise Refused(403, "missing.permissions", f"Missing the following permission(s): [{route.permission}]")

    def _break_before(self, fault: str | None) -> None:
        """Refuse in place of an answer where that is the fault."""
        match fault:
            case "too_many_with_retry_after":
                raise too_many(self.faults.retry_after_s)
            case "too_many":
                raise too_many(None)
            case "error_503_with_retry_after":
                raise Refused(503, "service.unavailable", "Busy.", Retry_After=str(self.faults.retry_after_s))
            case "error_500" | "error_502" | "error_503":
                raise Refused(STATUS[fault], "internal.server.error", "An unexpected error occurred.")
            case "token_invalid":
                self._door.forget()
                raise Refused(401, "bad.credentials", "Invalid login credentials.")
            case "dropped" | "silence":
                raise Refused(500, "internal.server.error", "Nobody reads this.")


def serve_forever(double: Double) -> None:
    """Wait until the process is asked to end (SIGTERM or Ctrl-C), then stop the double.

    Parameters
    ----------
    double : Double
        Already answering.
    """
    # A byte in a pipe cannot be missed, however early the signal comes, and a wait for it needs no lock.
    told, tell = socket.socketpair()
    tell.setblocking(False)
    bell = signal.set_wakeup_fd(tell.fileno())
    before = {number: signal.signal(number, _heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        select.select([told], [], [])
    finally:
        signal.set_wakeup_fd(bell)
        for number, handler in before.items():
            signal.signal(number, handler)
        double.stop()
        told.close()
        tell.close()


def _heard(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the bell has rung."""


def _check_permissions(missing: tuple[str, ...], routes: Routes) -> None:
    known = {route.permission for route in routes.table if route.permission is not None}
    for permission in missing:
        if permission not in known:
            raise InvalidScenario(
                f"permission {permission!r}: nothing asks for it; use one of {', '.join(sorted(known))}"
            )


def _wired(answer: Answer, headers: dict[str, str], fault: str | None) -> Reply:
    """An answer as bytes, with a fault of transport."""
    body = b"" if answer.body is None else orjson.dumps(answer.body)
    reply = Reply(answer.status, body, headers | answer.headers)
    match fault:
        case "dropped" | "lost_submit":
            return replace(reply, how="dropped")
        case "silence" | "dropped_in_body":
            return replace(reply, how=fault)
        case "half_json":
            return replace(reply, status=200, body=body[: len(body) // 2])
        case "html":
            return replace(reply, status=200, body=HTML, headers=headers | {"Content-Type": "text/html"})
    return reply


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that none outlives it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._guard = Lock()
        super().__init__(address, handler)

    def keep(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

    def let_go(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.discard(connection)

    def drop_all(self) -> None:
        with self._guard:
            for connection in self._open:
                _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side was faster.
        return


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        server: _Server

        def setup(self) -> None:
            super().setup()
            self.server.keep(self.connection)

        def finish(self) -> None:
            self.server.let_go(self.connection)
            super().finish()

        def log_message(self, *arguments: object) -> None:
            """Nothing: `Double.requests` is the log."""

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, TimeoutError):
                # The other side has left; there is nobody to tell.
                self.close_connection = True

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = double.reply(self.command, self.path, self.headers.get("Authorization", ""), body)
            if reply.how == "silence":
                self._say_nothing()
            elif reply.how == "whole":
                self._send(reply, reply.body)
                return
            elif reply.how == "dropped_in_body":
                self._send(reply, reply.body[: len(reply.body) // 2])
            self.close_connection = True
            _hang_up(self.connection)

        def _send(self, reply: Reply, body: bytes) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(body)

        def _say_nothing(self) -> None:
            """Until the other side leaves or the server stops."""
            while not double.stopping.is_set():
                readable, _, _ = select.select([self.connection], [], [], LOOK_S)
                if readable:
                    return

    return Handler
