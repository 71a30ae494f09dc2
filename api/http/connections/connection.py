"""One connection: what comes in as requests, one after the other, and their answers out."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any, Protocol

from api.http.connections.body import Chunked, Sized
from api.http.connections.exchange import CONTINUE, Exchange
from api.http.connections.head import END, Head, check_unfinished, read_head
from api.http.connections.refusal import refusal
from api.http.serving.turns import Turns
from engine.errors import RoutingError

# What may wait here behind the request that is being answered; the rest waits in the network. [byte]
MOST_UNREAD_BYTES = 64 * 1024
# A client that stopped sending is asked so often whether it still reads; the second time tells that it does not. [s]
PROBE_S = 0.3


class Pool(Protocol):
    """What a connection asks of the pool it belongs to."""

    buffer: memoryview
    turns: Turns
    reading: Turns

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Fields of every answer."""

    def now_s(self) -> float:
        """The time, on a clock that only goes forward."""

    def add(self, connection: Connection) -> None:
        """Watch a connection."""

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""

    def entered(self, connection: Connection) -> None:
        """Take note of a new phase."""

    def check(self, head: Head, local: str) -> None:
        """Refuse a request by its head."""

    def start(self, exchange: Exchange, scope: dict[str, Any]) -> None:
        """Let the application answer."""

    def health(self, head: Head, *, last: bool) -> bytes | None:
        """The answer to who asks for health, where it is told without the application."""

    def refused(self, error: RoutingError) -> None:
        """Take note of an answer that the application knows nothing of."""

    def came(self, connection: Connection) -> None:
        """Take note of a part of a body."""


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()  # For the first byte of a request
    HEAD = auto()  # For the rest of a head
    BODY = auto()  # For the rest of a body
    ANSWER = auto()  # For the application, and then for the client to take the answer
    LINGER = auto()  # For the client to close, so that it reads the last answer first


class Connection(asyncio.BufferedProtocol):
    """A client's connection; the pool that it belongs to watches its deadlines."""

    def __init__(self, pool: Pool) -> None:
        self.phase, self.since_s = Phase.IDLE, pool.now_s()
        self.closing = False
        self.exchange: Exchange | None = None
        self.n_sent_bytes = 0  # Of all answers so far, whether taken or not
        self._pool = pool
        self._transport: asyncio.Transport
        self._unread = bytearray()
        self._n_checked = 0  # Bytes of an unfinished head that were looked at
        self._body: Sized | Chunked = Sized(0)
        self._drained: asyncio.Future[None] | None = None
        self._paused = False
        self._ended = False  # Whether the client has stopped sending
        self._waiting: dict[str, Any] | None = None  # A request that begins with the first bytes of its body

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Neither is known of a client that has left already.
        self._local, self._client = (transport.get_extra_info(name) or ("", 0) for name in ("sockname", "peername"))
        self._pool.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go: one place for all connections, as they are taken from it at once."""
        return self._pool.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take up what has come."""
        if self.phase is Phase.LINGER:
            return
        self._unread += self._pool.buffer[:nbytes]
        self._advance()

    def eof_received(self) -> bool:
        """Whoever stops sending may still read the answer to what is whole; else the transport closes itself."""
        if self.phase is not Phase.ANSWER and not (self.phase is Phase.IDLE and self._unread):
            return False
        if not self._ended:
            self._ended = True
            self._probe_later()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._pool.remove(self)
        if self.exchange is not None:
            self.exchange.leave()
        self.resume_writing()

    def pause_writing(self) -> None:
        """The client is slower than the answer."""
        self._drained = self._drained or asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The client has taken most of the answer."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
        if self.exchange is None and not self._transport.is_closing():
            self._advance()

    # What an exchange asks for

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Fields of every answer."""
        return self._pool.fields

    def write(self, content: bytes) -> None:
        """Send."""
        self.n_sent_bytes += len(content)
        self._transport.write(content)

    async def drained(self) -> None:
        """Wait until the client has taken most of what was sent."""
        if self._drained is not None:
            await asyncio.shield(self._drained)

    async def turn(self) -> None:
        """Wait until it is our turn to read a piece of a large body."""
        await self._pool.reading.take()

    def read_on(self) -> None:
        """Read again, where reading was paused."""
        if self._paused and not self._ended and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def answered(self, *, reuse: bool) -> None:
        """Take the next request, or close."""
        whole = self.exchange is None or self.exchange.whole
        self.exchange = None
        if not reuse or (self._ended and not self._unread):
            self._close(linger=bool(self._unread) or not whole)
            return
        self._enter(Phase.IDLE)
        self.read_on()
        # Pipelined requests; not at once, so that others have their turn.
        if self._unread and self._drained is None:
            self._pool.turns.then(self._advance)

    def refuse(self, error: RoutingError) -> None:
        """Answer with an error, and close."""
        head = None if self.exchange is None else self.exchange.head
        bare = self._unread.startswith(b"HEAD ") if head is None else head.method == "HEAD"
        if head is None or self._waiting is not None:
            self._pool.refused(error)
        self.write(refusal(error, head.path if head else "", fields=self.fields, bare=bare))
        self._close(linger=True)

    def abort(self) -> None:
        """Close at once."""
        self.closing = True
        self._transport.abort()

    # What the pool asks for

    @property
    def n_unsent_bytes(self) -> int:
        """Bytes of answers that the client has not taken."""
        return self._transport.get_write_buffer_size()

    def give_up(self, error: RoutingError) -> None:
        """End what the client keeps waiting for; `error` says why, where somebody may be there to read it."""
        if self.phase is Phase.BODY and self.exchange is not None and self._waiting is None:
            self.closing = True
            self.exchange.fail(error)
            self._enter(Phase.ANSWER)
        elif self.phase in {Phase.HEAD, Phase.BODY}:
            self.refuse(error)
        else:
            self.abort() if self.phase is Phase.LINGER else self._close(linger=False)

    def evict(self, error: RoutingError) -> None:
        """Make room for somebody else, at once."""
        if self.phase in {Phase.HEAD, Phase.BODY} and not self.n_unsent_bytes:
            head = None if self.exchange is None else self.exchange.head
            if head is None or self._waiting is not None:
                self._pool.refused(error)
            self.write(refusal(error, head.path if head else "", fields=self.fields))
        self.abort()

    def stop(self) -> None:
        """Take no further request; what is being answered may go on."""
        self.closing = True
        if self.phase is not Phase.ANSWER:
            self.abort()

    # Requests, one after the other

    def _advance(self) -> None:
        if self._transport.is_closing() or self.phase is Phase.LINGER:
            return
        try:
            if self.exchange is None and self._drained is None:
                self._take_head()
            if self.phase is Phase.BODY:
                self._take_body()
        except RoutingError as error:
            self._unreadable(error)
        if len(self._unread) > MOST_UNREAD_BYTES or (self.exchange is not None and self.exchange.full):
            self._pause()
        elif self.exchange is None:
            self.read_on()
        if self._ended and self.phase is not Phase.ANSWER and self._drained is None:
            # The rest of this request will not come.
            self._close(linger=False)

    def _probe_later(self) -> None:
        asyncio.get_running_loop().call_later(PROBE_S, self._probe)

    def _probe(self) -> None:
        """Find out whether a client that stopped sending has left: then its system refuses what it is sent.

        Clients pass over this answer, asked for or not (RFC 9110, section 15.2). Where a part of the answer was sent
        already, the rest of it will tell.
        """
        if self._transport.is_closing():
            return
        exchange = self.exchange
        if exchange is not None and not exchange.begun:
            if exchange.head.version == "1.0":
                # Nobody there to understand it.
                self.abort()
                return
            self.write(CONTINUE)
        self._probe_later()

    def _take_head(self) -> None:
        unread = self._unread
        # An empty line before a request is left over from the last one (RFC 9112, section 2.2).
        while unread.startswith(b"\r\n"):
            del unread[:2]
        if not unread or unread == b"\r":
            return
        end = unread.find(END, max(0, self._n_checked - len(END)))
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEAD)
        if end < 0:
            check_unfinished(unread, self._n_checked)
            self._n_checked = len(unread)
            return
        check_unfinished(unread[:end], self._n_checked)
        head = read_head(bytes(unread[:end]))
        self._pool.check(head, self._local[0])
        del unread[: end + len(END)]
        self._n_checked = 0
        self._begin(head)

    def _begin(self, head: Head) -> None:
        last = not head.keep_alive or self.closing or (self._ended and not self._unread)
        if (answer := self._pool.health(head, last=last)) is not None:
            self._answer_at_once(answer, last=last)
            return
        self.exchange = Exchange(self, head)
        self._body = Chunked() if head.n_body_bytes is None else Sized(head.n_body_bytes)
        self._enter(Phase.BODY)
        self._waiting = self._scope(head)
        if head.expects_continue:
            self._start()

    def _answer_at_once(self, answer: bytes, *, last: bool) -> None:
        self.write(answer)
        self._enter(Phase.IDLE)
        if last:
            self._close(linger=bool(self._unread))
        elif self._unread and self._drained is None:
            self._pool.turns.then(self._advance)

    def _start(self) -> None:
        """Let the application answer; it begins with the next round of the loop."""
        assert self.exchange is not None
        assert self._waiting is not None
        scope, self._waiting = self._waiting, None
        self._pool.start(self.exchange, scope)

    def _take_body(self) -> None:
        assert self.exchange is not None
        found = self._body.take(self._unread)
        self.exchange.add(found, whole=self._body.done)
        # A body of which nothing has come costs no more than its head.
        if self._waiting is not None and (found or self._body.done):
            self._start()
        if self._body.done:
            self._enter(Phase.ANSWER)
        self._pool.came(self)

    def _unreadable(self, error: RoutingError) -> None:
        """Nothing that follows can be understood."""
        if self.exchange is None:
            self.refuse(error)
        else:
            self.give_up(error)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since_s = phase, self._pool.now_s()
        self._pool.entered(self)

    def _close(self, *, linger: bool) -> None:
        """Close once everything was sent; a client that still sends would lose the answer unless it is read on."""
        self.closing = True
        if not linger or self._transport.is_closing():
            self._transport.close()
            return
        self._unread.clear()
        self._enter(Phase.LINGER)
        self.read_on()
        # Whoever has left already cannot be told, and who is slow to read learns it from the field Connection.
        if not self.n_unsent_bytes:
            try:
                self._transport.write_eof()
            except OSError:
                self.abort()

    def _scope(self, head: Head) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": head.version,
            "method": head.method,
            "scheme": "http",
            "path": head.path,
            "raw_path": head.raw_path,
            "query_string": head.query,
            "root_path": "",
            "headers": head.headers,
            "client": self._client[:2],
            "server": self._local[:2],
            "state": {},
        }
