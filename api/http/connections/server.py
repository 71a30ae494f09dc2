"""The server: takes connections up to a limit, and ends in bounded time, whatever is connected or running."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from api.http.connections.connection import Connection
from api.http.connections.hosts import Hosts
from api.http.connections.limits import Limits
from api.http.connections.pool import Counted, Pool
from api.printing import LOGGING, announce

log = logging.getLogger("routelab.api")
# Taken in one round of the loop while it is short, so that those who are connected have their turn; fewer in place of
# others. [count]
MOST_AT_ONCE, MOST_IN_PLACE, ROUND_S = 256, 8, 0.005
NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# How long nobody is taken when there are no descriptors, and how often that is told. [s]
PAUSE_S, TELL_S = 0.2, 60.0
# What may be left of the five seconds when even the interpreter no longer answers. [s]
LAST_S = 0.5
# A client waits longer for a thread than the interpreter's usual 5 ms, each time it hands over. [s]
SWITCH_S = 0.001


class Acceptor:
    """Takes connections from one listening socket, while there is room."""

    def __init__(self, listening: socket.socket, pool: Pool) -> None:
        self._listening, self._pool = listening, pool
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[object]] = set()
        self._told_s = -TELL_S
        listening.setblocking(False)
        self._loop.add_reader(listening, self._take)

    def close(self) -> None:
        """Take nobody any more."""
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _take(self) -> None:
        # The descriptor of whoever makes room is free only in the next round.
        end_s = time.monotonic() + ROUND_S
        for _ in range(MOST_IN_PLACE if self._pool.full else MOST_AT_ONCE):
            if time.monotonic() > end_s:
                return
            try:
                accepted, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._without_descriptors(error)
                return
            accepted.setblocking(False)
            self._connect(accepted)
            if not self._pool.make_room():
                self._pause()
                return

    def _connect(self, accepted: socket.socket) -> None:
        connection = Connection(self._pool)
        self._pool.coming.add(connection)
        connecting = self._loop.create_task(self._loop.connect_accepted_socket(lambda: connection, accepted))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)
        connecting.add_done_callback(lambda _: self._pool.coming.discard(connection))

    def _without_descriptors(self, error: OSError) -> None:
        if error.errno not in NO_DESCRIPTORS:
            raise error
        if time.monotonic() - self._told_s > TELL_S:
            self._told_s = time.monotonic()
            log.warning("a connection waits: %s; allow the service more descriptors (ulimit -n)", error.strerror)
        self._pool.evict()
        self._pause()

    def _pause(self) -> None:
        self._loop.remove_reader(self._listening)
        self._loop.call_later(PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        if self._listening.fileno() >= 0:
            self._loop.add_reader(self._listening, self._take)


class Server(uvicorn.Server):
    """Uvicorn's server with connections of our own."""

    def __init__(self, app: ASGIApp, hosts: Hosts, limits: Limits, counted: Counted | None = None) -> None:
        super().__init__(uvicorn.Config(app, log_config=LOGGING, access_log=False, server_header=False, ws="none"))
        self.config.load()
        self._limits = limits
        fields = partial(getattr, self.server_state, "default_headers")
        self.pool = Pool(self.config.loaded_app, hosts, limits, fields, counted)
        self._acceptors: list[Acceptor] = []
        self._watch: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections."""
        await self.lifespan.startup()
        await self.on_tick(0)
        self._watch = asyncio.get_running_loop().create_task(self.pool.watch())
        self._acceptors = [Acceptor(one, self.pool) for one in sockets or []]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let answers under way finish for a moment, then end them too."""
        announce("routelab stops")
        for acceptor in self._acceptors:
            acceptor.close()
        for connection in list(self.pool.connections):
            connection.stop()
        await self._until_done(self._limits.grace_s)
        for task in self.pool.tasks:
            task.cancel()
        await self._until_done(self._limits.end_s / 2)
        for connection in list(self.pool.connections):
            connection.abort()
        if self._watch is not None:
            self._watch.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.end_s / 2):
                await self.lifespan.shutdown()

    async def _until_done(self, longest_s: float) -> None:
        end_s = time.monotonic() + longest_s
        while (self.pool.tasks or self.pool.connections) and time.monotonic() < end_s:
            await asyncio.sleep(0.02)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals end the service in order; being asked to end is no failure, so they are not raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # A terminal that closes ends what runs in it, unless that was told not to care, as by nohup.
        heard = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            heard.append(signal.SIGHUP)
        before = {one: signal.signal(one, self.handle_exit) for one in heard}
        try:
            yield
        finally:
            # A second signal may still come while the process takes its leave.
            for one, handler in () if self.should_exit else before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends in order, the second at once."""
        if self.should_exit:
            os._exit(0)
        self.should_exit = True
        # If nothing else ends this process in time, the system does: it needs no turn of the interpreter.
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self._limits.grace_s + self._limits.end_s + LAST_S)


def serve_until_stopped(server: Server, listening: socket.socket) -> None:
    """Answer until a signal comes; then end the process where threads would keep it."""
    sys.setswitchinterval(SWITCH_S)
    server.run(sockets=[listening])
    _part_with_threads()
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _part_with_threads() -> None:
    """Work that cannot be told to stop, such as waiting for a platform that hangs, does not keep the process."""
    others = [one for one in threading.enumerate() if one is not threading.current_thread() and not one.daemon]
    end_s = time.monotonic() + LAST_S / 2
    for thread in others:
        thread.join(max(0.0, end_s - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(0)
