"""Threads for what takes time, so that the event loop never waits for the engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from api.errors import Busy
from ingest.workers.memory import said_plainly

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Threads:
    """A fixed number of threads with a bounded queue before them; `Busy` refuses whoever finds it full."""

    def __init__(self, name: str, n_threads: int, most_waiting: int) -> None:
        self._name, self._n_threads, self._most = name, n_threads, n_threads + most_waiting
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._n = 0

    async def run(self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Do something on a thread while the event loop goes on."""
        with self._lock:
            if self._n >= self._most:
                raise Busy(f"{self._n} requests are under way or waiting; try again in a moment")
            future = self._started().submit(_plainly, partial(work, *args, **kwargs))
            self._n += 1
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drop what waits and let what runs finish; an application that is started again gets new threads."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _started(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix=f"routelab-{self._name}")
        return self._pool

    def _done(self, future: Future[Result]) -> None:
        with self._lock:
            self._n -= 1


def _plainly(work: Callable[[], Result]) -> Result:
    with said_plainly():
        return work()
