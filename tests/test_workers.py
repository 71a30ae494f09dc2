"""Many runs give the same results in the same order wherever they are done."""

from __future__ import annotations

import os

import pytest

from engine.errors import InvalidScenario
from ingest.workers import ENGINES, LOCAL, runs_in


@pytest.mark.parametrize("url", ENGINES)
class TestEveryEngine:
    def test_gives_results_in_the_order_of_the_items(self, url):
        assert list(runs_in(url)(abs, [-3, 1, -2])) == [3, 1, 2]

    def test_does_each_item_once(self, url):
        done: list[int] = []
        list(runs_in(url)(done.append, range(20)))
        assert done == list(range(20))

    def test_has_no_result_of_no_items(self, url):
        assert list(runs_in(url)(abs, [])) == []

    def test_passes_an_error_on_as_it_was(self, url):
        with pytest.raises(InvalidScenario, match="the third"):
            list(runs_in(url)(_fails_at_three, range(1, 6)))


def _fails_at_three(item: int) -> int:
    if item == 3:
        raise InvalidScenario("the third")
    return item


def test_local_is_this_process_and_the_default():
    assert list(runs_in()(lambda _: os.getpid(), [0, 0])) == [os.getpid()] * 2
    assert runs_in() is runs_in(LOCAL)


def test_local_begins_nothing_after_a_failure():
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return _fails_at_three(item)

    with pytest.raises(InvalidScenario):
        list(runs_in(LOCAL)(work, range(1, 6)))
    assert begun == [1, 2, 3]


@pytest.mark.parametrize("url", ["", "LOCAL", "local:4", "ray://head:10001"])
def test_another_engine_is_refused_with_the_ones_there_are(url):
    with pytest.raises(InvalidScenario, match=r"this process only; give local$"):
        runs_in(url)
