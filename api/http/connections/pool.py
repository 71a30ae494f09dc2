"""All connections of a service: deadlines, limits for all of them together, and who makes room for whom."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import Busy, TooSlow, status_of
from api.http.connections import health
from api.http.connections.connection import Connection, Phase
from api.http.connections.exchange import Exchange
from api.http.connections.head import Head
from api.http.connections.hosts import Hosts
from api.http.connections.limits import Limits
from api.http.serving.metrics import NOWHERE
from api.http.serving.turns import Turns
from engine.errors import RoutingError

# Large enough for a large body to come in few reads, small enough that what many send at once holds up nobody.
READ_BYTES = 64 * 1024
QUICK = {"GET", "HEAD", "OPTIONS"}
# Takes path, status and seconds of an answer.
Counted = Callable[[str, str, float], None]


class Pool:
    """The connections of one service, in the order in which they may be asked to make room."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Hosts,
        limits: Limits,
        fields: Callable[[], list[tuple[bytes, bytes]]],
        counted: Counted | None = None,
    ) -> None:
        self.limits = limits
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.coming: set[Connection] = set()  # Accepted, and not connected yet
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._app, self._hosts, self._fields, self._counted = app, hosts, fields, counted
        # Those that wait for their client, the longest first.
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._exchanges: set[Exchange] = set()
        self.turns = Turns()  # Of requests
        self.reading = Turns()  # Of pieces of large bodies
        self._n_bodies_bytes = 0  # Of all bodies, beyond what is free
        # When a client was first seen to take an answer slowly, and how much it had taken until then.
        self._slow: dict[Connection, tuple[float, int]] = {}

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Fields of every answer."""
        return self._fields()

    def now_s(self) -> float:
        """The time, on a clock that only goes forward."""
        return time.monotonic()

    def add(self, connection: Connection) -> None:
        """Watch a connection."""
        self.coming.discard(connection)
        self.connections.add(connection)
        self._waiting[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        self._waiting.pop(connection, None)
        self._slow.pop(connection, None)

    def entered(self, connection: Connection) -> None:
        """Take note of a new phase."""
        if connection.phase is Phase.ANSWER:
            self._waiting.pop(connection, None)
        elif connection in self.connections:
            self._waiting[connection] = None
            self._waiting.move_to_end(connection)

    def check(self, head: Head, local: str) -> None:
        """Refuse a request by its head: a strange host, or more work than leaves room for others."""
        self._hosts.check(head.host, local)
        n = len(self._exchanges)
        # What is quick to answer is answered even then, so that a service can be watched when it is busiest.
        if n >= self.limits.connections * 3 // 4 and head.method not in QUICK:
            raise Busy(f"{n} requests are under way or waiting; try again in a moment")

    def health(self, head: Head, *, last: bool) -> bytes | None:
        """The answer to who asks for health, where it is told without the application."""
        if self._counted is None or not health.is_asked(head):
            return None
        self._counted(health.PATH, "200", 0.0)
        return health.answer(head, self.fields, last=last)

    def refused(self, error: RoutingError) -> None:
        """Count an answer that the application knows nothing of."""
        if self._counted is not None:
            self._counted(NOWHERE, str(status_of(error)[0]), 0.0)

    def start(self, exchange: Exchange, scope: dict[str, Any]) -> None:
        """Let the application answer."""
        task = asyncio.get_running_loop().create_task(exchange.run(self._in_turn, scope))
        self.tasks.add(task)
        self._exchanges.add(exchange)
        task.add_done_callback(self.tasks.discard)
        task.add_done_callback(lambda _: self._ended(exchange))

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.turns.take()
        await self._app(scope, receive, send)

    def _ended(self, exchange: Exchange) -> None:
        self._exchanges.discard(exchange)
        self._count(exchange, 0)

    @property
    def full(self) -> bool:
        """Whether somebody must go when one more comes."""
        return self._n_over >= 0

    @property
    def _n_over(self) -> int:
        return len(self.connections) + len(self.coming) - self.limits.connections

    def make_room(self) -> bool:
        """Part with those who have kept us waiting longest, while there are too many; whether that was enough."""
        while self._n_over > 0 and self._waiting:
            self.evict()
        return self._n_over <= 0

    def evict(self) -> None:
        """Let the connection go that has kept us waiting longest, if there is one."""
        if self._waiting:
            oldest, _ = self._waiting.popitem(last=False)
            oldest.evict(Busy("others need the connection; send whole requests, and ask again in a moment"))
            self.remove(oldest)

    def came(self, connection: Connection) -> None:
        """Take note of a part of a body; too much of them in all, and the largest unfinished one is given up."""
        if connection.phase is not Phase.BODY:
            return
        self._waiting.move_to_end(connection)
        exchange = connection.exchange
        if exchange is None or exchange.n_bytes <= self.limits.free_bytes:
            return
        self._count(exchange, exchange.n_bytes - self.limits.free_bytes)
        while self._n_bodies_bytes > self.limits.bodies_bytes and (largest := self._largest_unfinished()) is not None:
            self._count(largest.exchange, 0)
            largest.give_up(Busy("the bodies of all requests together are too large just now; try again in a moment"))

    def _largest_unfinished(self) -> Connection | None:
        unfinished = (one for one in self._waiting if one.phase is Phase.BODY)
        return max(unfinished, key=lambda one: one.exchange.n_counted_bytes if one.exchange else 0, default=None)

    def _count(self, exchange: Exchange | None, n_bytes: int) -> None:
        if exchange is not None:
            self._n_bodies_bytes += n_bytes - exchange.n_counted_bytes
            exchange.n_counted_bytes = n_bytes

    async def watch(self) -> None:
        """Look at all deadlines, again and again."""
        while True:
            await asyncio.sleep(self.limits.sweep_s)
            self.sweep()

    def sweep(self) -> None:
        """Look at all deadlines once."""
        now_s = self.now_s()
        for connection in list(self.connections):
            if connection.n_unsent_bytes:
                self._watch_answer(connection, now_s)
                continue
            self._slow.pop(connection, None)
            late = self._late(connection, now_s - connection.since_s)
            if late is not None:
                connection.give_up(late)
        self._bound_answers()

    def _late(self, connection: Connection, waited_s: float) -> RoutingError | None:
        limits, phase = self.limits, connection.phase
        if phase is Phase.HEAD and waited_s > limits.head_s:
            return TooSlow(f"the head of the request did not arrive within {limits.head_s:g} s; send it at once")
        if phase is Phase.BODY and connection.exchange is not None:
            if limits.too_slow(connection.exchange.n_bytes, waited_s):
                return TooSlow(
                    f"of the body {connection.exchange.n_bytes:,} bytes arrived in {waited_s:.1f} s; send it faster, "
                    "or fewer interactions at a time"
                )
        elif (phase is Phase.IDLE and waited_s > limits.idle_s) or (
            phase is Phase.LINGER and waited_s > limits.linger_s
        ):
            return TooSlow("nothing came")
        return None

    def _watch_answer(self, connection: Connection, now_s: float) -> None:
        """Part with a client that does not take its answer."""
        taken = connection.n_sent_bytes - connection.n_unsent_bytes
        since_s, before = self._slow.setdefault(connection, (now_s, taken))
        if self.limits.too_slow(taken - before, now_s - since_s):
            connection.abort()

    def _bound_answers(self) -> None:
        """Part with those who have kept most of their answers waiting, where all together are too large."""
        unsent = {one: one.n_unsent_bytes for one in self._slow}
        while sum(unsent.values()) > self.limits.answers_bytes:
            largest = max(unsent, key=unsent.__getitem__)
            del unsent[largest]
            largest.abort()
