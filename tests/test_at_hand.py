"""What is at hand is answered on the event loop, a few in each round; all else takes a thread."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from starlette.testclient import TestClient

from api.http.answering import routing
from api.http.serving.at_hand import AtHand, NotAtHand, may_wait
from api.http.serving.once import Once
from api.http.serving.turns import Turns
from tests.small_service import AGENTS, BODY, app_of, write_centre


def test_so_many_go_on_in_each_round_in_the_order_in_which_they_came():
    rounds: list[list[int]] = [[]]

    async def one(turns: Turns, name: int) -> None:
        await turns.take()
        rounds[-1].append(name)

    async def run() -> None:
        turns = Turns(3)
        tasks = [asyncio.create_task(one(turns, name)) for name in range(8)]
        # The sixth gives up while it waits.
        asyncio.get_running_loop().call_soon(tasks[5].cancel)
        while not all(task.done() for task in tasks):
            rounds.append([])
            await asyncio.sleep(0)

    asyncio.run(run())
    assert [each for each in rounds if each] == [[0, 1, 2], [3, 4, 6], [7]]


def test_nobody_overtakes_those_who_wait():
    order: list[str] = []

    async def one(turns: Turns, name: str) -> None:
        await turns.take()
        order.append(name)

    async def run() -> None:
        turns = Turns(1)
        first = [asyncio.create_task(one(turns, name)) for name in "abc"]
        await asyncio.sleep(0)
        await asyncio.gather(*first, one(turns, "d"))

    asyncio.run(run())
    assert order == ["a", "b", "c", "d"]


def test_callbacks_take_turns_with_those_who_wait_and_never_come_at_once():
    order: list[str] = []

    async def run() -> None:
        turns = Turns(1)
        turns.then(lambda: order.append("a"))
        assert not order
        turns.then(lambda: order.append("b"))
        await turns.take()
        order.append("c")

    asyncio.run(run())
    assert order == ["a", "b", "c"]


def test_another_loop_begins_anew():
    turns = Turns(2)

    async def run() -> None:
        await asyncio.wait_for(asyncio.gather(*(turns.take() for _ in range(3))), 20)

    for _ in range(3):
        asyncio.run(run())


def test_what_may_wait_is_left_to_a_thread_and_only_there():
    may_wait()

    async def run() -> None:
        at_hand = AtHand()
        assert await at_hand.answer(lambda: 3) == 3
        with pytest.raises(NotAtHand):
            await at_hand.answer(may_wait)
        # What a thread does meanwhile may wait.
        await asyncio.to_thread(may_wait)
        may_wait()

    asyncio.run(run())


def test_a_result_is_at_hand_once_it_is_known():
    squares: Once[int] = Once(10)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert go_on.wait(20)
        return 9

    async def run() -> None:
        at_hand = AtHand()
        with pytest.raises(NotAtHand):
            await at_hand.answer(squares.get, 3, slow)
        made = asyncio.create_task(asyncio.to_thread(squares.get, 3, slow))
        await asyncio.to_thread(begun.wait, 20)
        # Another makes it, and the loop does not wait for that either.
        with pytest.raises(NotAtHand):
            await at_hand.answer(squares.get, 3, slow)
        go_on.set()
        assert await made == 9
        assert await at_hand.answer(squares.get, 3, slow) == 9

    asyncio.run(run())


@pytest.fixture
def threads(tmp_path, monkeypatch):
    """A client of the small centre, and how many routing requests have gone to a thread so far."""
    write_centre(tmp_path)
    app = app_of(tmp_path)
    quick, gone = app.state.service.quick, []
    run = quick.run

    async def counted(receive, work, *args):
        gone.append(work)
        return await run(receive, work, *args)

    monkeypatch.setattr(quick, "run", counted)
    with TestClient(app) as client:
        yield client, gone


def ask(client, **changed):
    answer = client.post("/simulate/routing", json=BODY | changed)
    assert answer.status_code == 200
    found = answer.json()
    del found["snapshot"]["age_s"]
    return found


def test_the_first_request_takes_a_thread_and_the_same_again_none(threads):
    client, gone = threads
    first = ask(client)
    assert len(gone) == 1
    # By its name as well as by being the newest.
    assert ask(client) == ask(client, snapshot="centre") == first
    assert len(gone) == 1


def test_errors_are_told_the_same_way(threads):
    client, gone = threads
    ask(client)
    before = len(gone)
    assert client.post("/simulate/routing", json=BODY | {"queue_id": "sail"}).status_code == 404
    assert (
        client.post("/simulate/routing", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    )
    assert len(gone) == before


def test_another_window_a_replaced_snapshot_and_a_large_body_take_a_thread(threads, tmp_path):
    client, gone = threads
    for changed in ({}, {"end_date": "2024-03-04"}, {"explain": True}):
        ask(client, **changed)
    large = json.dumps(BODY).encode() + b" " * 9000
    assert (
        client.post("/simulate/routing", content=large, headers={"content-type": "application/json"}).status_code == 200
    )
    assert len(gone) == 4
    write_centre(tmp_path, replace=True, agents=[("ada", "Ada M", *AGENTS[0][2:]), *AGENTS[1:]])
    assert ask(client)["top_agent"]["name"] == "Ada M"
    assert len(gone) == 5


def test_a_large_centre_takes_a_thread(threads, monkeypatch):
    client, gone = threads
    monkeypatch.setattr(routing, "FEW_AGENTS", 3)
    ask(client)
    ask(client)
    assert len(gone) == 2
