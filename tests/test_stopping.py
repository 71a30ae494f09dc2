"""Work that can be stopped, from the question in between to the doors that ask for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from engine.stopping import Stopped, check, checked, stoppable


def test_work_stops_at_the_next_check_once_it_is_asked_to():
    asked, done = Event(), []
    with pytest.raises(Stopped), stoppable(asked.is_set):
        for number in range(5):
            check()
            done.append(number)
            if number == 2:
                asked.set()
    assert done == [0, 1, 2]
    check()


def test_blocks_within_one_another_stop_for_either_reason():
    with pytest.raises(Stopped), stoppable(lambda: True), stoppable(lambda: False):
        check()
    with stoppable(lambda: False):
        with pytest.raises(Stopped), stoppable(lambda: True):
            check()
        check()


def test_what_stops_one_thread_stops_no_other():
    with ThreadPoolExecutor(1) as other, stoppable(lambda: True):
        other.submit(check).result()
        with pytest.raises(Stopped):
            check()


def test_no_handler_of_errors_takes_being_stopped_for_an_error():
    assert not issubclass(Stopped, Exception)


def test_items_are_given_until_stopped():
    asked = iter([False, False, True])
    seen = []
    with pytest.raises(Stopped), stoppable(lambda: next(asked)):
        seen.extend(checked("abc"))
    # Extended item by item, so those before the stop have arrived.
    assert seen == ["a", "b"]
