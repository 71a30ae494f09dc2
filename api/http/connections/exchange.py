"""One request and its answer, as the application sees them (ASGI)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from starlette.types import ASGIApp, Message

from api.errors import Busy
from api.http.connections.head import Head
from api.http.connections.refusal import STATUS_LINES
from engine.errors import RoutingError

log = logging.getLogger("routelab.api")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Beyond that a body is read one piece at a time, in turn with other large ones.
HIGH_WATER_BYTES = 64 * 1024


class Wire(Protocol):
    """What an exchange asks of its connection."""

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Fields of every answer."""

    @property
    def closing(self) -> bool:
        """Whether this is the last answer."""

    def write(self, content: bytes) -> None:
        """Send."""

    async def drained(self) -> None:
        """Wait until the client has taken most of what was sent."""

    async def turn(self) -> None:
        """Wait until it is our turn to read a piece of a large body."""

    def read_on(self) -> None:
        """Read again, where reading was paused."""

    def answered(self, *, reuse: bool) -> None:
        """Take the next request, or close."""

    def refuse(self, error: RoutingError) -> None:
        """Answer with an error, and close."""

    def abort(self) -> None:
        """Close at once, so that the client sees that something is missing."""


class Exchange:
    """A request with what has come of its body, and how far its answer is."""

    def __init__(self, wire: Wire, head: Head) -> None:
        self.head = head
        self.whole = False  # Whether all of the body is here
        self.gone = False  # Whether the client has left
        self.over = False  # Whether the answer is complete
        self.n_bytes = 0  # Of the body, as far as it has come
        self.n_counted_bytes = 0  # Of those, in the budget of all bodies
        self.failed: RoutingError | None = None
        self._wire = wire
        self._body = bytearray()
        self._news = asyncio.Event()
        self._continue = head.expects_continue
        self._start: Message | None = None
        self.begun = False  # Whether anything of the answer was sent
        self._reuse = False
        self._chunked = False
        self._left: int | None = None  # Bytes of the answer that were announced and not sent yet

    @property
    def full(self) -> bool:
        """Whether reading should wait for the application."""
        return self.n_bytes > HIGH_WATER_BYTES and not (self.whole or self.over)

    def add(self, body: bytes, *, whole: bool) -> None:
        """Take up a part of the body."""
        self.whole = whole
        self.n_bytes += len(body)
        if not (self.over or self.failed):
            self._body += body
            self._news.set()

    def fail(self, error: RoutingError) -> None:
        """The rest of the body will not come."""
        self.failed, self._body = error, bytearray()
        self._news.set()

    def leave(self) -> None:
        """The client has left."""
        self.gone = True
        self._news.set()

    async def run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        """Let the application answer."""
        try:
            await app(scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._break_off(Busy("the service stops before this was answered; ask again when it is back"))
            raise
        except RoutingError as error:
            self._break_off(error)
        except Exception:
            log.exception("%s: an answer broke off", ascii(self.head.path[:200]))
        # The application answers its own errors; this is for answers that end half-way.
        self._break_off(Busy("there is no answer; ask again, and look into the log of the service"))

    async def receive(self) -> Message:
        """Part of the body, or that the client left."""
        if self._continue and not (self.gone or self.whole):
            self._wire.write(CONTINUE)
        self._continue = False
        if not (self.gone or self.over or self.failed or self._body):
            if self.full:
                await self._wire.turn()
            self._wire.read_on()
            await self._news.wait()
        self._news.clear()
        if self.gone or self.over:
            return {"type": "http.disconnect"}
        if self.failed:
            raise self.failed
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    async def send(self, message: Message) -> None:
        """Send a part of the answer; its head goes out with the first of its body."""
        if self.gone or self.over:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        head, more = self._head(), message.get("more_body", False)
        self._wire.write(head + self._framed(message.get("body", b""), more))
        self.begun = True
        if more:
            await self._wire.drained()
            return
        if self._left:
            raise RuntimeError(f"the answer ended {self._left} bytes early")
        self.over = True
        self._news.set()
        self._wire.answered(reuse=self._reuse)

    def _head(self) -> bytes:
        """The head of the answer, unless it was sent."""
        start, self._start = self._start, None
        if start is None:
            return b""
        lines, length = [STATUS_LINES[start["status"]]], None
        for name, value in (*self._wire.fields, *start["headers"]):
            if b"\r" in value or b"\n" in value:
                raise RuntimeError(f"the field {name!r} of an answer has more than one line")
            if name == b"content-length":
                length = int(value)
            lines.append(b"%b: %b\r\n" % (name, value))
        bodiless = self.head.method == "HEAD" or start["status"] in {204, 304}
        self._left = None if bodiless else length
        # HTTP/1.0 knows no chunks: what has no length ends with the connection.
        self._chunked = length is None and not bodiless and self.head.version == "1.1"
        ends = self._chunked or bodiless or length is not None
        self._reuse = ends and self.head.keep_alive and self.whole and not self._wire.closing
        if self._chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        if not self._reuse:
            lines.append(b"connection: close\r\n")
        return b"".join((*lines, b"\r\n"))

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self.head.method == "HEAD":
            return b""
        if self._chunked:
            return (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0:
                raise RuntimeError("the answer is longer than its head says")
        return body

    def _break_off(self, error: RoutingError) -> None:
        if self.over or self.gone:
            return
        self.over = True
        if self.begun:
            self._wire.abort()
        else:
            self._wire.refuse(error)
