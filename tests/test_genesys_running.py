"""Days read at once: begun in order, told where the caller waits, and all over as soon as one fails."""

from __future__ import annotations

import threading
import time
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.genesys.collecting import running
from ingest.genesys.collecting.running import Stopped, Workers

# Far longer than any test takes: whoever really waits for it is seen.
FOR_EVER_S = 600.0
# A thread that hands in its last item needs a moment to end.
SOON_S = 5.0


@pytest.fixture(autouse=True)
def nobody_stays():
    """No thread of a test outlives it."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(SOON_S)
    assert not [thread for thread in left if thread.is_alive()]


@settings(max_examples=15)
@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 6))
def test_every_item_is_worked_on_once_and_told_once(items, threads):
    worked, told = [], []
    Workers(threads).run(worked.append, items, told.append)
    assert sorted(worked) == sorted(told) == sorted(items)


def test_items_are_begun_in_their_order():
    begun: list[int] = []
    Workers(1).run(begun.append, range(50), lambda item: None)
    assert begun == list(range(50))


def test_several_are_begun_in_order_too_and_told_as_they_finish():
    first_may_end, told = Event(), []

    def work(item: int) -> None:
        if item == 0:
            assert first_may_end.wait(SOON_S)

    def done(item: int) -> None:
        told.append(item)
        if len(told) == 3:
            first_may_end.set()

    Workers(2).run(work, range(4), done)
    assert told == [1, 2, 3, 0]


def test_so_many_threads_work_at_once_and_no_more():
    at_once, most, guard, all_here = 0, 0, threading.Lock(), threading.Barrier(3)

    def work(item: int) -> None:
        nonlocal at_once, most
        with guard:
            at_once += 1
            most = max(most, at_once)
        all_here.wait(SOON_S)
        with guard:
            at_once -= 1

    Workers(3).run(work, range(9), lambda item: None)
    assert most == 3


def test_work_is_done_beside_the_caller_who_alone_is_told():
    worked, told = set(), set()
    Workers(3).run(
        lambda item: worked.add(threading.current_thread()),
        range(12),
        lambda item: told.add(threading.current_thread()),
    )
    assert told == {threading.current_thread()}
    assert threading.current_thread() not in worked
    assert all(thread.daemon for thread in worked)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_failure_ends_all_and_is_the_one_that_is_told(threads):
    workers, begun, told = Workers(threads), [], []

    def work(item: int) -> None:
        begun.append(item)
        if item == 4:
            raise LookupError("the fifth")
        if item > 4:
            workers.sleep(FOR_EVER_S)

    start = time.monotonic()
    with pytest.raises(LookupError, match="the fifth"):
        workers.run(work, range(100), told.append)
    assert time.monotonic() - start < SOON_S
    assert len(begun) < 10
    assert 4 not in told


def test_whoever_waits_is_woken_when_another_fails():
    workers, waits, woken = Workers(2), Event(), []

    def work(item: int) -> None:
        if item == 1:
            assert waits.wait(SOON_S)
            raise LookupError
        waits.set()
        try:
            workers.sleep(FOR_EVER_S)
        except Stopped as error:
            woken.append(error)
            raise

    with pytest.raises(LookupError):
        workers.run(work, range(2), lambda item: None)
    assert len(woken) == 1
    with pytest.raises(Stopped):
        workers.sleep(FOR_EVER_S)


def test_nothing_new_is_begun_after_a_failure():
    workers, begun = Workers(2), []

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise LookupError
        # Ends well after all, when the others are already told to stop.
        assert workers._stop.wait(SOON_S)

    with pytest.raises(LookupError):
        workers.run(work, range(50), lambda item: None)
    # The thread that failed may have begun one more before the failure was heard.
    assert len(begun) <= 3


def test_a_failure_to_take_note_ends_all_too():
    workers = Workers(2)

    def refuse(item: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        workers.run(lambda item: workers.sleep(FOR_EVER_S) if item else None, range(5), refuse)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, Stopped])
def test_any_way_to_end_a_thread_is_told(error):
    def work(item: int) -> None:
        raise error

    with pytest.raises(error):
        Workers(2).run(work, range(3), lambda item: None)


def test_a_thread_that_hangs_is_left_behind_after_a_failure(monkeypatch):
    monkeypatch.setattr(running, "LONGEST_GOODBYE_S", 0.05)
    hangs, goes_on = Event(), Event()

    def work(item: int) -> None:
        if item == 1:
            assert hangs.wait(SOON_S)
            raise LookupError
        hangs.set()
        goes_on.wait(FOR_EVER_S)

    try:
        with pytest.raises(LookupError):
            Workers(2).run(work, range(2), lambda item: None)
        assert not goes_on.is_set()
    finally:
        goes_on.set()


def test_a_thread_that_is_still_writing_may_finish_before_the_failure_is_told():
    writes, is_written = Event(), Event()
    workers = Workers(2)

    def work(item: int) -> None:
        if item == 1:
            assert writes.wait(SOON_S)
            raise LookupError
        writes.set()
        assert workers._stop.wait(SOON_S)
        is_written.set()

    with pytest.raises(LookupError):
        workers.run(work, range(2), lambda item: None)
    assert is_written.is_set()


def test_a_program_that_the_user_stops_waits_for_nobody():
    goes_on = Event()

    def stop(item: int) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            Workers(2).run(lambda item: goes_on.wait(FOR_EVER_S) if item else None, range(2), stop)
        assert time.monotonic() - start < running.LONGEST_GOODBYE_S / 2
    finally:
        goes_on.set()


def test_a_given_sleep_waits_instead_of_the_clock_until_it_is_over():
    slept: list[float] = []
    workers = Workers(1, slept.append)
    workers.run(lambda item: workers.sleep(FOR_EVER_S), range(2), lambda item: None)
    assert slept == [FOR_EVER_S] * 2
    with pytest.raises(ZeroDivisionError):
        workers.run(lambda item: 1 / 0, range(1), lambda item: None)
    with pytest.raises(Stopped):
        workers.sleep(1.0)
    assert len(slept) == 2


def test_a_wait_that_nobody_ends_takes_its_time():
    start = time.monotonic()
    Workers(1).sleep(0.05)
    assert time.monotonic() - start >= 0.05


def test_nothing_to_do_is_done_at_once():
    Workers(4).run(lambda item: 1 / 0, [], lambda item: 1 / 0)


def test_a_thread_that_failed_begins_nothing_more():
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        raise LookupError("the first")

    with pytest.raises(LookupError):
        Workers(1).run(work, range(50), lambda item: None)
    assert begun == [0]
