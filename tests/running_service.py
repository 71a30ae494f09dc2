"""A service on a socket of its own, in a thread, and clients that send what no library would."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.http.app import server_of
from api.http.connections.hosts import Hosts
from api.http.connections.limits import Limits
from api.http.connections.pool import Counted
from api.http.connections.server import Server

# Far more than a quiet machine takes, so that a busy one passes. [s]
PATIENCE_S = 60.0


@dataclass
class Running:
    """A service that answers."""

    server: Server
    port: int

    def connect(self, sent: bytes = b"") -> Client:
        client = Client(self.port)
        client.send(sent)
        return client

    def ask(self, sent: bytes) -> Answer:
        """The one answer to some bytes, after which the connection must be closed or usable."""
        with self.connect(sent) as client:
            return client.answer()

    def get(self, path: str = "/healthz", **fields: str) -> Answer:
        return self.ask(request("GET", path, **fields))

    @property
    def n_connections(self) -> int:
        return len(self.server.pool.connections)


class Client:
    """One connection, byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.unread = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, sent: bytes) -> None:
        self.socket.sendall(sent)

    def more(self) -> bytes:
        """What comes next, nothing where the other side has closed."""
        try:
            return self.socket.recv(1 << 16)
        except ConnectionError:
            return b""

    def answer(self, method: str = "GET") -> Answer:
        while b"\r\n\r\n" not in self.unread:
            self._more_wanted()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        n_bytes = 0 if method == "HEAD" else int(headers.get("content-length", 0))
        while len(self.unread) < n_bytes:
            self._more_wanted()
        body, self.unread = self.unread[:n_bytes], self.unread[n_bytes:]
        return Answer(int(first.split()[1]), headers, body)

    def closed(self) -> bool:
        """Whether nothing more comes, once the other side has closed; waits for that."""
        while found := self.more():
            self.unread += found
        return not self.unread

    def _more_wanted(self) -> None:
        found = self.more()
        assert found, f"closed after {self.unread!r}"
        self.unread += found


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def detail(self) -> str:
        return str(json.loads(self.body)["detail"])


def request(method: str, path: str, body: bytes | None = None, **fields: str) -> bytes:
    """A request as it should be, with fields changed."""
    given: dict[str, str] = {"Host": "localhost"}
    if body is not None:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + (body or b"")


@contextmanager
def running(
    app: ASGIApp, hosts: Hosts | None = None, counted: Counted | None = None, **limits: Any
) -> Iterator[Running]:
    """Answer with an application until left."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port = listening.getsockname()[1]
        given = hosts or Hosts([]), Limits(**{"grace_s": 0.2, "end_s": 0.4} | limits)
        server = server_of(app, *given) if isinstance(app, FastAPI) else Server(app, *given, counted)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started)
            yield Running(server, port)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert not thread.is_alive()


def until(is_true: Callable[[], bool]) -> None:
    """Wait for a condition, and fail where it does not come."""
    end_s = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.005)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads what comes and tells how much that was."""
    if scope["type"] != "http":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    n_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        n_bytes, more = n_bytes + len(message["body"]), message["more_body"]
    content = f"{scope['method']} {scope['path']} {n_bytes}".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
