"""Work of the service ends with the client, the request or the service that wanted it, and threads come back."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
import pytest
from starlette.requests import ClientDisconnect

from api.errors import Busy, Stopping
from api.http.serving.once import Once
from api.http.serving.threads import Threads
from engine.errors import NotEnoughMemory
from engine.stopping import Stopped, awaited, check, stoppable
from tests.small_service import app_of, write_centre

LONGEST_S = 20.0
LEFT = {"type": "http.disconnect"}


class Loop:
    """Work that ends only when it is stopped, and tells where it is."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        pause = threading.Event()
        try:
            while True:
                check()
                pause.wait(0.001)
        finally:
            self.ended.set()


class Client:
    """One who sends nothing more, and leaves when told to."""

    def __init__(self) -> None:
        self._left = asyncio.Event()

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> dict[str, str]:
        await self._left.wait()
        return LEFT


async def until(event: threading.Event) -> None:
    """Wait for what a thread does, while the loop goes on."""
    assert await asyncio.to_thread(event.wait, LONGEST_S)


def played(scenario: Callable[[Threads], Awaitable[None]], n_threads: int = 1, most_waiting: int = 2) -> None:
    async def whole() -> None:
        threads = Threads("test", n_threads, most_waiting)
        try:
            async with asyncio.timeout(2 * LONGEST_S):
                await scenario(threads)
        finally:
            threads.close()

    asyncio.run(whole())


def test_work_ends_when_its_client_leaves_and_what_waits_for_another_never_begins():
    async def scenario(threads: Threads) -> None:
        first, second, third = Client(), Client(), Client()
        running, never, later = Loop(), Loop(), Loop()
        one = asyncio.create_task(threads.run(first.receive, running))
        await until(running.begun)
        two = asyncio.create_task(threads.run(second.receive, never))
        await asyncio.sleep(0)
        second.leave()
        with pytest.raises(ClientDisconnect):
            await two
        first.leave()
        with pytest.raises(ClientDisconnect):
            await one
        await until(running.ended)
        # The only thread is free again, and has passed over who had left.
        assert await threads.run(third.receive, lambda: 7) == 7
        assert not never.begun.is_set() and not later.begun.is_set()

    played(scenario)


def test_work_ends_when_its_request_is_cancelled():
    async def scenario(threads: Threads) -> None:
        running = Loop()
        one = asyncio.create_task(threads.run(Client().receive, running))
        await until(running.begun)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        await until(running.ended)

    played(scenario)


def test_places_of_those_who_left_are_free_at_once_and_what_they_sent_is_let_go():
    """One runs and two wait, so the next is refused; when those two have left, two others may wait."""

    class Body(bytearray):
        pass

    async def scenario(threads: Threads) -> None:
        running, bodies = Loop(), []
        one = asyncio.create_task(threads.run(None, running))
        await until(running.begun)
        for _ in range(50):
            clients, waiting = [Client(), Client()], []
            for client in clients:
                body = Body(b"0" * 1000)
                bodies.append(weakref.ref(body))
                waiting.append(asyncio.create_task(threads.run(client.receive, len, body)))
                del body
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await threads.run(None, len, b"")
            for client in clients:
                client.leave()
            assert [type(e) for e in await asyncio.gather(*waiting, return_exceptions=True)] == [ClientDisconnect] * 2
            del waiting
        gc.collect()
        # Those of the last round are still in the loop's hands.
        assert sum(body() is not None for body in bodies) <= 2
        one.cancel()

    played(scenario)


def test_closing_stops_what_runs_and_drops_what_waits_and_both_are_told():
    async def scenario(threads: Threads) -> None:
        running, never = Loop(), Loop()
        asked = [asyncio.create_task(threads.run(Client().receive, work)) for work in (running, never)]
        await until(running.begun)
        threads.close()
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(error) for error in told] == [Stopping, Stopping]
        assert running.ended.is_set() and not never.begun.is_set()
        # An application that is started again gets new threads.
        assert await threads.run(None, lambda: 7) == 7

    played(scenario)


def test_nothing_is_logged_of_work_whose_request_is_gone(caplog):
    """An error that nobody asks for any more would else be told with a traceback when it is collected."""

    async def scenario(threads: Threads) -> None:
        running, client = Loop(), Client()
        one = asyncio.create_task(threads.run(client.receive, running))
        await until(running.begun)
        client.leave()
        with pytest.raises(ClientDisconnect):
            await one
        await until(running.ended)
        await threads.run(None, int)

    played(scenario)
    gc.collect()
    assert not caplog.records


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, SystemExit, RecursionError])
def test_whatever_work_raises_its_thread_goes_on(error):
    def fails() -> None:
        raise error

    async def scenario(threads: Threads) -> None:
        for _ in range(5):
            waiting = threads.run(None, fails)
            # Raised on the loop it would end the loop itself, so only its kind is looked at.
            found = await asyncio.gather(_kind(waiting))
            assert found == [NotEnoughMemory if error is MemoryError else error]
        assert await threads.run(None, lambda: 7) == 7

    async def _kind(waiting: Awaitable[None]) -> type[BaseException]:
        try:
            await waiting
        except BaseException as caught:  # noqa: BLE001
            return type(caught)
        raise AssertionError

    played(scenario)


def test_a_thread_that_cannot_be_started_refuses_and_leaves_its_place(monkeypatch):
    done = []

    async def scenario(threads: Threads) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", _no_thread)
            for _ in range(10):
                with pytest.raises(Busy, match="no thread can be started"):
                    await threads.run(None, done.append, "refused")
        assert await threads.run(None, lambda: 7) == 7
        assert done == []

    played(scenario)


def _no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


# --- results shared by several -----------------------------------------------------------------------------------


def test_who_waits_for_a_result_makes_it_when_the_first_is_stopped():
    once, running, is_first = Once(2), Loop(), threading.Event()
    wanted, unwanted = threading.Event(), threading.Event()

    def first() -> object:
        with stoppable(unwanted.is_set):
            return once.get("key", running)

    def second() -> object:
        is_first.set()
        with stoppable(wanted.is_set):
            return once.get("key", lambda: 7)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert running.begun.wait(LONGEST_S)
        two = pool.submit(second)
        assert is_first.wait(LONGEST_S)
        unwanted.set()
        assert two.result(LONGEST_S) == 7
        assert isinstance(one.exception(LONGEST_S), Stopped)
    assert once.get("key", lambda: 8) == 7


def test_who_waits_for_a_result_can_be_stopped_and_the_first_goes_on():
    asked = iter([False, True])
    under_way: Future[int] = Future()
    with pytest.raises(Stopped), stoppable(lambda: next(asked)):
        awaited(under_way)
    under_way.set_result(7)
    assert awaited(under_way).result() == 7


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_a_result_that_failed_is_made_anew(error):
    once: Once[int] = Once(2)

    def fails() -> int:
        raise error

    with pytest.raises(error):
        once.get("key", fails)
    assert once.get("key", lambda: 7) == 7


# --- requests ----------------------------------------------------------------------------------------------------


def test_a_client_who_leaves_stops_its_batch_and_is_logged_in_one_line_and_counted(tmp_path, monkeypatch, caplog):
    write_centre(tmp_path)
    running = Loop()
    monkeypatch.setattr("api.http.service.answer_batch", lambda *_: running())
    app, sent = app_of(tmp_path, batch_threads=1), []

    async def scenario() -> None:
        client, asked = Client(), [{"type": "http.request", "body": b"{}", "more_body": False}]

        async def receive() -> dict[str, object]:
            return asked.pop() if asked else await client.receive()

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/simulate/batch", "raw_path": b"/simulate/batch", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/json"), (b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }  # fmt: skip
        request = asyncio.create_task(app(scope, receive, send))
        await until(running.begun)
        client.leave()
        await request
        await until(running.ended)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert sent == []
    assert [record.getMessage() for record in caplog.records] == [
        "/simulate/batch: the client left before it was answered"
    ]
    metrics = app.state.service.metrics
    assert metrics._requests.labels("/simulate/batch", "499")._value.get() == 1


def test_a_service_that_is_closed_tells_those_who_wait(tmp_path, monkeypatch):
    write_centre(tmp_path)
    running = Loop()
    monkeypatch.setattr("api.http.service.answer_batch", lambda *_: running())
    app = app_of(tmp_path)

    async def scenario() -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            asked = asyncio.create_task(client.post("/simulate/batch", json={}))
            await until(running.begun)
            app.state.service.close()
            found = await asked
        assert found.status_code == 503
        assert found.json()["title"] == "Stopping"
        assert found.headers["retry-after"] == "1"

    asyncio.run(scenario())
