"""Closed, open, half-open: against a model, and with real threads."""

import threading
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.errors import InvalidScenario
from ingest.platform.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, is_failure
from ingest.platform.errors import AccessRefused, JobFailed, PlatformUnavailable, RequestRefused

FAILURES, OPEN_S = 3, 10.0


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def fail(error=None):
    raise error or PlatformUnavailable("answered 503", status=503)


class AgainstModel(RuleBasedStateMachine):
    """Calls begin and end in any order; the model is told in words of the rules, not of the code."""

    def __init__(self):
        super().__init__()
        self.time = Time()
        self.breaker = Breaker(FAILURES, OPEN_S, clock=self.time)
        self.running = []  # (turn, model's era)
        self.state, self.row, self.since, self.era = CLOSED, 0, 0.0, 0

    def go(self, state):
        self.state, self.era = state, self.era + 1
        self.since = self.time.now

    @rule(seconds=st.sampled_from([0.0, 1.0, 9.5, 10.0, 25.0]))
    def time_passes(self, seconds):
        self.time.now += seconds

    @rule()
    def begin(self):
        if self.state == OPEN and self.time.now >= self.opened + OPEN_S:
            self.go(HALF_OPEN)
            allowed = True
        else:
            allowed = self.state == CLOSED
        if allowed:
            self.running.append((self.breaker.admit(), self.era))
            return
        with pytest.raises(PlatformUnavailable, match="not asked") as caught:
            self.breaker.admit()
        left_s = self.opened + OPEN_S - self.time.now
        assert not caught.value.sent and not caught.value.hopeless
        assert caught.value.retry_after_s == (pytest.approx(left_s) if left_s > 0 else None)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), alive=st.sampled_from([True, False, False, None]))
    def end(self, data, alive):
        which = data.draw(st.integers(0, len(self.running) - 1))
        turn, era = self.running.pop(which)
        self.breaker.settle(turn, alive=alive, why="down")
        if era != self.era:
            return  # begun in other times
        if self.state == HALF_OPEN:
            if alive:
                self.row = 0
                self.go(CLOSED)
            else:
                self.go(OPEN)
                if alive is False:
                    self.row += 1
                    self.opened = self.time.now
        elif alive is not None:
            self.row = 0 if alive else self.row + 1
            if self.row >= FAILURES:
                self.go(OPEN)
                self.opened = self.time.now

    opened = 0.0

    @invariant()
    def states_agree(self):
        assert self.breaker.state == self.state

    @invariant()
    def one_probe_at_most(self):
        probes = sum(era == self.era for _, era in self.running)
        assert probes == 1 if self.state == HALF_OPEN else self.state == CLOSED or probes == 0


TestAgainstModel = AgainstModel.TestCase
TestAgainstModel.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def opened(time=None, **about):
    breaker = Breaker(FAILURES, OPEN_S, clock=time or Time(), **about)
    for _ in range(FAILURES):
        with pytest.raises(PlatformUnavailable):
            breaker.call(fail)
    return breaker


def test_an_open_one_asks_nobody_and_says_what_failed_last():
    breaker = opened()
    with pytest.raises(PlatformUnavailable, match=r"3 times in a row .* 10 s from now.* answered 503"):
        breaker.call(lambda: pytest.fail("asked"))


@pytest.mark.parametrize(
    "error",
    [RequestRefused("no", status=404), AccessRefused("no", status=403), PlatformUnavailable("slow down", status=429)],
)
def test_refusals_are_signs_of_life(error):
    time = Time()
    breaker = opened(time)
    time.now = OPEN_S
    with pytest.raises(type(error)):
        breaker.call(lambda: fail(error))
    assert breaker.state == CLOSED
    for _ in range(FAILURES - 1):
        with pytest.raises(PlatformUnavailable):
            breaker.call(fail)
    with pytest.raises(type(error)):
        breaker.call(lambda: fail(error))
    with pytest.raises(PlatformUnavailable):
        breaker.call(fail)
    assert breaker.state == CLOSED  # they were not in a row


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_an_interrupted_probe_leaves_the_place_to_the_next(error):
    time = Time()
    breaker = opened(time)
    time.now = OPEN_S
    with pytest.raises(type(error)):
        breaker.call(lambda: fail(error))
    assert breaker.state == OPEN
    assert breaker.call(lambda: 7) == 7 and breaker.state == CLOSED


@pytest.mark.parametrize("error", [PlatformUnavailable("no place"), RequestRefused("no"), KeyboardInterrupt()])
def test_what_comes_first_is_done_only_where_allowed_and_says_nothing_about_the_platform(error):
    time, done = Time(), []
    breaker = opened(time)
    with pytest.raises(PlatformUnavailable, match="not asked"):
        breaker.call(lambda: 7, first=lambda: pytest.fail("not even this"))
    time.now = OPEN_S
    with pytest.raises(type(error)):
        breaker.call(lambda: pytest.fail("asked"), first=lambda: fail(error))
    assert breaker.state == OPEN  # neither closed by it nor open for another while
    assert breaker.call(lambda: [*done, "work"], first=lambda: done.append("first")) == ["first", "work"]
    for _ in range(FAILURES):
        with pytest.raises(type(error)):
            breaker.call(lambda: 7, first=lambda: fail(error))
    assert breaker.state == CLOSED


def test_refusals_are_hopeless_where_that_is_wanted():
    for is_final in (False, True):
        with pytest.raises(PlatformUnavailable) as caught:
            opened(is_final=is_final).admit()
        assert caught.value.hopeless is is_final


def test_what_counts_as_a_failure():
    assert is_failure(PlatformUnavailable("x")) and is_failure(PlatformUnavailable("x", status=500))
    assert not is_failure(JobFailed("x"))


def test_of_twenty_threads_exactly_one_probes():
    clock = Time()
    breaker = opened(clock)
    clock.now = OPEN_S
    together, refused_all, asked, refused = threading.Barrier(20), threading.Event(), [], []

    def probe():
        asked.append(1)
        assert refused_all.wait(5)  # the other 19 are refused while this one runs

    def work():
        together.wait(5)
        try:
            breaker.call(probe)
        except PlatformUnavailable:
            refused.append(1)
            if len(refused) == 19:
                refused_all.set()

    crew = [threading.Thread(target=work) for _ in range(20)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(5)
    assert (len(asked), len(refused), breaker.state) == (1, 19, CLOSED)


def test_calls_run_side_by_side():
    """Ten calls of a tenth of a second take about that long, not a second."""
    breaker, together = Breaker(), threading.Barrier(10)

    def call():
        together.wait(5)  # passes only if all ten are inside at once
        time.sleep(0.1)

    crew = [threading.Thread(target=breaker.call, args=(call,)) for _ in range(10)]
    begun = time.perf_counter()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(5)
    assert 0.1 <= time.perf_counter() - begun < 0.5
    assert breaker.state == CLOSED


def test_a_breaker_that_never_closes_is_refused():
    for wrong in ((0, 1.0), (1, float("nan")), (1, -1.0)):
        with pytest.raises(InvalidScenario):
            Breaker(*wrong)
