"""The platform is never asked more often than it allows, and hardly less often."""

import heapq
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from ingest.platform.errors import PlatformUnavailable
from ingest.platform.limiter import Limiter


class SharedTime:
    """One clock for real threads: one runs at a time, and when all sleep it jumps to the first to wake."""

    def __init__(self, threads):
        self.now = 0.0
        self._awake = threads
        self._sleepers = []
        self._order = 0
        self._turn = threading.Condition()

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        with self._turn:
            self._order += 1
            me = (self.now + seconds, self._order)
            heapq.heappush(self._sleepers, me)
            self._pass_on()
            while me in self._sleepers:
                self._turn.wait()

    def leave(self):
        with self._turn:
            self._pass_on()

    def _pass_on(self):
        self._awake -= 1
        if not self._awake and self._sleepers:
            self.now, _ = heapq.heappop(self._sleepers)
            self._awake = 1
            self._turn.notify_all()


class Platform:
    """Counts requests in minutes of its own, and refuses those beyond what it allows."""

    def __init__(self, allowed, time, offset=0.0, used=0):
        self.allowed, self.time, self.offset = allowed, time, offset
        self.minute, self.count = self._minute(), used
        self.arrivals, self.refused = [], []
        self.lock = threading.Lock()

    def _minute(self):
        return int((self.time() + self.offset) // 60)

    def ask(self, *, ours=True):
        with self.lock:
            if self._minute() != self.minute:
                self.minute, self.count = self._minute(), 0
            self.count += 1
            if ours:
                (self.arrivals if self.count <= self.allowed else self.refused).append(self.time())
            # Rounded down, as whole seconds are.
            reset = int(60 - (self.time() + self.offset) % 60)
            return {
                "inin-ratelimit-count": f"{self.count}",
                "inin-ratelimit-allowed": f"{self.allowed}",
                "inin-ratelimit-reset": f"{reset}",
            }


def drive(threads, seconds, *, allowed=300, offset=0.0, used=0, latency_s=0.2, feed=True, others=0):
    """Threads that ask as fast as they may for some seconds; returns the platform."""
    time = SharedTime(threads + bool(others))
    limiter = Limiter(clock=time, sleep=time.sleep)
    platform = Platform(allowed, time, offset, used)

    def work(n):
        time.sleep(n * 1e-3)
        while time() < seconds:
            limiter.take()
            time.sleep(latency_s / 2 * (1 + (n + len(platform.arrivals)) % 3))
            headers = platform.ask()
            time.sleep(latency_s / 2)
            if feed:
                limiter.learn(headers)
        time.leave()

    def other():
        while time() < seconds:
            platform.ask(ours=False)
            time.sleep(60 / others)
        time.leave()

    crew = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    crew += [threading.Thread(target=other)] if others else []
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(20)
    assert not any(thread.is_alive() for thread in crew)
    return platform


@pytest.mark.parametrize("offset", [0.0, 23.4, 59.9])
@pytest.mark.parametrize("allowed", [300, 120, 900])
def test_four_threads_are_never_refused_and_use_what_is_allowed(allowed, offset):
    platform = drive(4, 300, allowed=allowed, offset=offset, latency_s=0.1)
    assert not platform.refused
    steady = [at for at in platform.arrivals if at >= 60]
    assert len(steady) > 0.93 * allowed * 4


@pytest.mark.parametrize("threads", [1, 8])
def test_no_minute_holds_more_than_is_allowed_wherever_it_begins(threads):
    arrivals = drive(threads, 240, feed=False, latency_s=0.05).arrivals
    most = max(sum(start <= at < start + 60 for at in arrivals) for start in arrivals)
    assert 280 <= most <= 300


def test_a_minute_used_up_by_others_is_waited_for():
    """Whoever else asks with the same token is counted too; the answers tell, and the rest of the minute is left."""
    platform = drive(4, 180, used=280)
    early = [at for at in platform.arrivals + platform.refused if at < 60]
    assert 20 <= len(early) <= 20 + 4  # those under way when the door closed
    assert max(early) < 10
    assert len([at for at in platform.arrivals if at >= 60]) > 0.9 * 600


def test_others_on_the_same_token_leave_few_refusals():
    platform = drive(4, 300, others=60)
    assert len(platform.refused) <= 4 * 5  # at most one per thread and minute
    assert len(platform.arrivals) > 0.93 * 240 * 5


def limiter(per_minute=300, **more):
    slept = []
    return Limiter(per_minute, clock=lambda: sum(slept), sleep=slept.append, **more), slept


def test_the_first_few_go_at_once_and_the_rest_evenly():
    bucket, slept = limiter()
    waits = [bucket.take() for _ in range(50)]
    assert waits[:5] == [0.0] * 5
    assert all(0.2 < w < 0.22 for w in waits[5:])
    assert sum(slept) == pytest.approx(sum(waits))


@pytest.mark.parametrize(("used", "waits"), [("299", False), ("300", True), ("301", True)])
def test_a_full_minute_closes_the_door_until_it_ends(used, waits):
    bucket, _ = limiter()
    bucket.learn({"inin-ratelimit-count": used, "inin-ratelimit-allowed": "300", "inin-ratelimit-reset": "40"})
    assert (40 <= bucket.take() <= 42) is waits


def test_the_allowance_replaces_the_default():
    bucket, slept = limiter()
    bucket.learn({"inin-ratelimit-allowed": "60"})
    assert bucket.allowed == 60
    for _ in range(60):
        bucket.take()
    assert 55 <= sum(slept) <= 65


@given(st.dictionaries(st.sampled_from([f"inin-ratelimit-{n}" for n in ("count", "allowed", "reset")]), st.text()))
def test_unreadable_headers_change_nothing(headers):
    bucket, slept = limiter()
    bucket.learn({name: f"{text}x" for name, text in headers.items()})
    assert bucket.allowed == 300 and bucket.take() == 0.0 and not slept


def test_a_reset_beyond_any_minute_is_not_believed():
    bucket, _ = limiter()
    bucket.learn({"inin-ratelimit-count": "300", "inin-ratelimit-allowed": "300", "inin-ratelimit-reset": "999999"})
    assert bucket.take() <= 120


def test_a_pause_holds_for_all_and_is_never_shortened():
    bucket, _ = limiter()
    bucket.pause(50.0)
    bucket.pause(10.0)
    assert bucket.take() == pytest.approx(50.0)


def refused(bucket):
    with pytest.raises(PlatformUnavailable, match="limit on requests a minute is used up") as caught:
        bucket.take()
    # Nobody over there was asked: no status, and nothing that could have been done twice.
    assert (caught.value.status, caught.value.sent, caught.value.hopeless) == (None, False, False)
    return caught.value.retry_after_s


def test_whoever_would_wait_too_long_is_refused_at_once_and_takes_no_place():
    bucket, slept = limiter(longest_s=2.0)
    bucket.pause(40.0)
    assert {refused(bucket) for _ in range(1000)} == {40.0}
    assert not slept
    slept.append(38.0)
    assert bucket.take() == 2.0 and bucket.take() == 0.0


def test_places_further_away_than_the_longest_wait_are_not_given():
    now = 0.0
    bucket = Limiter(longest_s=2.0, clock=lambda: now, sleep=lambda _s: None)
    waits = [bucket.take() for _ in range(5 + 9)]  # all at the same moment; a place each 0.205 s
    assert max(waits) <= 2.0 < refused(bucket)
    assert refused(bucket) == refused(bucket)
    now = 0.3
    assert 1.7 < bucket.take() <= 2.0


def test_a_door_that_closes_on_somebody_who_waits_sends_them_away():
    slept, closing = [], [40.0]

    def sleep(seconds):
        slept.append(seconds)
        if closing:
            bucket.pause(closing.pop())

    bucket = Limiter(longest_s=2.0, clock=lambda: sum(slept), sleep=sleep)
    bucket.pause(1.0)
    assert refused(bucket) == 41.0
    assert slept == [1.0]


def test_sleeping_does_not_stop_others_from_learning():
    """The lock is not held while somebody waits."""
    inside, go_on = threading.Event(), threading.Event()
    bucket = Limiter(clock=lambda: 0.0, sleep=lambda _s: (inside.set(), go_on.wait(5)))
    bucket.pause(1.0)
    sleeper = threading.Thread(target=bucket.take)
    sleeper.start()
    assert inside.wait(5)
    bucket.learn({"inin-ratelimit-allowed": "100"})
    go_on.set()
    sleeper.join(5)
    assert bucket.allowed == 100


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(InvalidScenario):
        Limiter(0)
