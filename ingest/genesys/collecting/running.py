"""Do several days at once with threads that stop together: the first failure ends all, and is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

# A thread may be in the middle of writing a part; one that waits for an answer is left behind.
LONGEST_GOODBYE_S = 2.0

# How often a thread that waits for the others looks up.
LOOK_S = 0.2

Item = TypeVar("Item")
Told = tuple[Item, BaseException | None]


class Stopped(Exception):
    """Waiting was given up because another thread failed or the user stopped the program."""


def _patiently(told: SimpleQueue[Told[Item]]) -> Told[Item]:
    # A wait without end is deaf to Ctrl-C where a library has changed how signals interrupt system calls.
    while True:
        with suppress(Empty):
            return told.get(timeout=LOOK_S)


class Workers:
    """Threads over a list of items."""

    def __init__(self, threads: int, sleep: Callable[[float], None] | None = None) -> None:
        self._threads = threads
        self._sleep = sleep
        self._stop = Event()

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than the others go on."""
        if self._sleep is not None and not self._stop.is_set():
            self._sleep(seconds)
        elif self._stop.wait(seconds):
            raise Stopped

    def run(self, work: Callable[[Item], object], items: Iterable[Item], done: Callable[[Item], object]) -> None:
        """Work on all items.

        `done` is called in this thread; the first error of `work` is raised once the others have stopped or are
        past caring.
        """
        waiting: SimpleQueue[Item] = SimpleQueue()
        told: SimpleQueue[Told[Item]] = SimpleQueue()
        n_items = 0
        for item in items:
            waiting.put(item)
            n_items += 1

        def loop() -> None:
            while not self._stop.is_set():
                try:
                    item = waiting.get_nowait()
                except Empty:
                    return
                try:
                    work(item)
                except BaseException as error:  # noqa: BLE001  told to the thread that waits
                    told.put((item, error))
                    # After it is told, so that the others' stopping is not taken for the reason.
                    self._stop.set()
                else:
                    told.put((item, None))

        # Daemons: a request that hangs in one of them must not keep a stopped program alive.
        threads = [Thread(target=loop, daemon=True) for _ in range(min(self._threads, n_items))]
        for thread in threads:
            thread.start()
        try:
            for _ in range(n_items):
                item, error = _patiently(told)
                if error is not None:
                    raise error
                done(item)
        except BaseException as error:
            self._stop.set()
            if isinstance(error, Exception):
                for thread in threads:
                    thread.join(LONGEST_GOODBYE_S)
            raise
