"""Threads for what takes time, so that the event loop never waits for the engine, and nothing works for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from api.errors import Busy, Stopping
from engine.stopping import Stopped, check, stoppable
from ingest.workers.memory import said_plainly

Given = ParamSpec("Given")
Result = TypeVar("Result")
# Most answers are there before it would pay to look whether the client still is. [s]
LOOK_AFTER_S = 0.05


class Job(Generic[Result]):
    """A piece of work for a thread, which ends when nobody wants its result."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.future: Future[Result] = Future()
        self._work: Callable[[], Result] | None = work
        self._is_stopped = threading.Event()

    def stop(self) -> None:
        """End the work at its next check; what has not begun never does, and what it would have read is let go."""
        self._is_stopped.set()
        if self.future.cancel():
            self._work = None

    def do(self) -> None:
        """Work, on a thread."""
        work, self._work = self._work, None
        if work is None or not self.future.set_running_or_notify_cancel():
            return
        try:
            with stoppable(self._is_stopped.is_set), said_plainly():
                check()
                result = work()
        # Whatever it was, the thread goes on to the next.
        except BaseException as error:  # noqa: BLE001
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Threads:
    """A fixed number of threads with a bounded queue before them; `Busy` refuses whoever finds it full."""

    def __init__(self, name: str, n_threads: int, most_waiting: int) -> None:
        self._name, self._n_threads, self._most = name, n_threads, n_threads + most_waiting
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._jobs: set[Job[Any]] = set()

    async def run(
        self, receive: Receive | None, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Do something on a thread while the event loop goes on, as long as the client waits for it.

        Parameters
        ----------
        receive : callable or None
            What comes from the client who asked, whose body is read; None where no client did.
        work : callable
            The work; it is stopped at its next check when the client leaves, the request is cancelled or the threads
            are closed.
        *args, **kwargs
            What it is given.

        Raises
        ------
        Busy
            If too many are waiting.
        Stopping
            If the threads were closed meanwhile.
        ClientDisconnect
            If the client left.
        """
        job = Job(partial(work, *args, **kwargs))
        self._submit(job)
        answer = asyncio.wrap_future(job.future)
        try:
            await asyncio.wait([answer], timeout=LOOK_AFTER_S)
            if not answer.done():
                await _answered_or_left(answer, receive)
            # Dropped before it began, or stopped in the middle.
            if answer.cancelled() or isinstance(answer.exception(), Stopped):
                raise Stopping("the service is being stopped; ask again when it is back")
            return answer.result()
        finally:
            job.stop()
            # Whatever comes of it now, nobody asks.
            answer.cancel()

    def close(self) -> None:
        """Drop what waits and stop what runs; an application that is started again gets new threads."""
        with self._lock:
            pool, self._pool = self._pool, None
            jobs = list(self._jobs)
        for job in jobs:
            job.stop()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, job: Job[Result]) -> None:
        with self._lock:
            if len(self._jobs) >= self._most:
                raise Busy(f"{len(self._jobs)} requests are under way or waiting; try again in a moment")
            self._jobs.add(job)
            try:
                self._started().submit(job.do)
            except RuntimeError as error:
                # The pool has it all the same, and may come to it once there is room for a thread.
                self._jobs.discard(job)
                job.stop()
                raise Busy(f"no thread can be started now ({error}); try again in a moment") from error
        job.future.add_done_callback(lambda _: self._done(job))

    def _started(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix=f"routelab-{self._name}")
        return self._pool

    def _done(self, job: Job[Result]) -> None:
        with self._lock:
            self._jobs.discard(job)


async def _answered_or_left(answer: asyncio.Future[Result], receive: Receive | None) -> None:
    """Wait for an answer; `ClientDisconnect` if the client leaves before."""
    if receive is None:
        await asyncio.wait([answer])
        return
    leaving = asyncio.create_task(_left(receive))
    either: list[asyncio.Future[Any]] = [answer, leaving]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
    if not answer.done():
        # What the client sends besides may be refused.
        leaving.result()
        raise ClientDisconnect


async def _left(receive: Receive) -> None:
    """Until the client has left; bodies that nobody asked for are passed over."""
    while (await receive())["type"] != "http.disconnect":
        pass
