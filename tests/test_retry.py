"""How often and how long to ask again."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from ingest.platform.errors import (
    LOGIN,
    TRANSIENT,
    AccessRefused,
    PlatformUnavailable,
    RequestRefused,
    one_line,
    refusal,
)
from ingest.platform.retry import Patience, asked_wait_s, patiently


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Work:
    """Fails as told, then gives 7; counts how often it was asked."""

    def __init__(self, *failures, takes_s=0.0, time=None):
        self.failures = list(failures)
        self.asked = 0
        self.takes_s = takes_s
        self.time = time

    def __call__(self):
        self.asked += 1
        if self.time:
            self.time.now += self.takes_s
        if self.failures:
            raise self.failures.pop(0)
        return 7


def run(work, time=None, *, repeatable=True, seed=0, on_wait=lambda s, why: None, **patience):
    time = time or Time()
    return patiently(
        work, repeatable=repeatable, patience=Patience(**patience), clock=time, sleep=time.sleep,
        rng=random.Random(seed), on_wait=on_wait,
    )  # fmt: skip


def down(status=503, **about):
    return PlatformUnavailable(f"answered {status}", status=status, **about)


def test_success_is_not_repeated():
    work, time = Work(), Time()
    assert run(work, time) == 7
    assert (work.asked, time.slept) == (1, [])


@given(st.lists(st.sampled_from([None, *sorted(TRANSIENT)]), max_size=7), st.integers(0, 99))
def test_what_passes_is_waited_out(statuses, seed):
    work, time = Work(*(down(s) for s in statuses)), Time()
    assert run(work, time, seed=seed, total_s=1e9) == 7
    assert work.asked == len(statuses) + 1
    assert all(0 <= s <= min(60, 2**n) for n, s in enumerate(time.slept))


@given(st.integers(1, 12))
def test_attempts_are_the_requests_made(attempts):
    work = Work(*(down() for _ in range(20)))
    with pytest.raises(PlatformUnavailable, match=f"given up after {attempts} attempt"):
        run(work, attempts=attempts, total_s=1e9)
    assert work.asked == attempts


def test_full_jitter_spreads_over_the_whole_range():
    """Uniform from nothing to the bound: mean half of it, within four standard errors."""
    waits = []
    for seed in range(400):
        time = Time()
        run(Work(down(), down(), down()), time, seed=seed)
        waits.append(time.slept[2])
    assert min(waits) < 0.2 and max(waits) > 3.8
    assert abs(sum(waits) / 400 - 2) < 4 * (4 / 12**0.5) / 20


def test_equal_seeds_wait_equally():
    first, second = Time(), Time()
    for time in (first, second):
        run(Work(*(down() for _ in range(5))), time, seed=3)
    assert first.slept == second.slept


@pytest.mark.parametrize("status", [429, 503, None])
def test_what_the_platform_asks_for_is_waited(status):
    time = Time()
    run(Work(down(status, retry_after_s=42.0), down(status, retry_after_s=3.0)), time)
    assert time.slept == [42.0, 3.0]


def test_a_single_wait_is_capped():
    time = Time()
    run(Work(down(429, retry_after_s=100.0)), time)
    assert time.slept == [60.0]


def test_more_than_is_left_is_not_waited_for():
    work, time = Work(down(429, retry_after_s=3600.0)), Time()
    with pytest.raises(PlatformUnavailable, match=r"it wants 3600 s of waiting, and 120 s of patience are left"):
        run(work, time)
    assert (work.asked, time.slept) == (1, [])


def test_time_is_bounded_from_the_first_setback():
    """A first answer slower than the whole patience still gets a second try; then time is up."""
    time = Time()
    work = Work(*(down() for _ in range(9)), takes_s=500.0, time=time)
    with pytest.raises(PlatformUnavailable, match="120 s of patience are used up"):
        run(work, time)
    assert work.asked == 2


@given(st.integers(0, 999), st.floats(0, 300), st.floats(0, 30), st.floats(0, 100))
def test_waits_never_sum_up_to_more_than_the_patience(seed, total_s, base_s, told_s):
    time = Time()
    work = Work(*(down(retry_after_s=told_s if n % 2 else None) for n in range(30)))
    with pytest.raises(PlatformUnavailable):
        run(work, time, seed=seed, attempts=20, total_s=total_s, base_s=base_s)
    assert sum(time.slept) <= total_s + 1e-6


@pytest.mark.parametrize("status", [None, 408, 500, 502, 503, 504])
def test_what_may_have_been_done_is_not_repeated_unless_that_is_safe(status):
    work = Work(down(status))
    with pytest.raises(PlatformUnavailable) as caught:
        run(work, repeatable=False)
    assert work.asked == 1 and "given up" not in str(caught.value)


@pytest.mark.parametrize("setback", [down(429), down(None, sent=False)])
def test_what_was_not_done_for_certain_is_repeated(setback):
    work = Work(setback)
    assert run(work, repeatable=False) == 7
    assert work.asked == 2


@pytest.mark.parametrize(
    "error", [AccessRefused("no", status=403), RequestRefused("no", status=404), down(hopeless=True), KeyError("x")]
)
def test_what_will_not_change_is_not_repeated(error):
    work, time = Work(error), Time()
    with pytest.raises(type(error)) as caught:
        run(work, time)
    assert caught.value is error and (work.asked, time.slept) == (1, [])


def test_each_wait_is_announced_with_its_reason():
    told = []
    time = Time()
    run(Work(down(500), down(429, retry_after_s=9.0)), time, on_wait=lambda s, why: told.append((s, why.status)))
    assert told == list(zip(time.slept, [500, 429], strict=True))


def test_an_impossible_patience_is_refused():
    for wrong in ({"attempts": 0}, {"total_s": -1.0}, {"cap_s": float("nan")}):
        with pytest.raises(InvalidScenario):
            Patience(**wrong)


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None), ({"Retry-After": "42"}, 42.0), ({"Retry-After": " 0 "}, 0.0), ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None), ({"Retry-After": "\u0664"}, None), ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "1.5"}, None), ({"Retry-After": ""}, None),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT", "Date": "Sun, 01 Mar 2026 12:00:20 GMT"}, 10.0),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT", "Date": "yesterday"}, 30.0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(headers, seconds):
    assert asked_wait_s(503, headers, NOW) == seconds


def test_after_429_the_end_of_the_minute_will_do():
    assert asked_wait_s(429, {"inin-ratelimit-reset": "17"}) == 17.0
    assert asked_wait_s(429, {"inin-ratelimit-reset": "17", "Retry-After": "4"}) == 4.0
    assert asked_wait_s(503, {"inin-ratelimit-reset": "17"}) is None


@given(st.integers(0, 10**6))
def test_a_date_is_as_far_away_as_it_says(seconds):
    assert asked_wait_s(503, {"Retry-After": format_datetime(NOW + timedelta(seconds=seconds))}, NOW) == seconds


@given(st.text())
def test_no_header_breaks_the_reading(text):
    told = asked_wait_s(429, {"Retry-After": text, "Date": text, "inin-ratelimit-reset": text})
    assert told is None or told >= 0


# What an answer means


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, RequestRefused), (400, RequestRefused), (401, AccessRefused), (403, AccessRefused), (404, RequestRefused),
     (410, RequestRefused), (413, RequestRefused), (418, RequestRefused), (408, PlatformUnavailable),
     (429, PlatformUnavailable), (500, PlatformUnavailable), (501, PlatformUnavailable), (503, PlatformUnavailable)],
)  # fmt: skip
def test_each_status_has_its_class_and_its_way_out(status, kind):
    body = '{"code": "some.code", "message": "Some words.", "status": 0}'
    error = refusal(status, "GET /api/v2/x/{id}", {"ININ-Correlation-Id": "abc-1"}, body)
    assert type(error) is kind
    assert (error.status, error.correlation_id) == (status, "abc-1")
    for part in (f"{status}", "GET /api/v2/x/{id}", "abc-1", "some.code", "Some words."):
        assert part in str(error)


def test_whether_another_try_may_help_follows_the_status():
    hopeless = {s for s in range(500, 600) if refusal(s, "GET /x", {}, "").hopeless}
    assert hopeless == set(range(500, 600)) - TRANSIENT


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_login_points_at_credentials_and_region(status):
    error = refusal(status, LOGIN, {}, '{"error": "invalid_client", "description": "authentication failed"}')
    assert isinstance(error, AccessRefused)
    for part in ("GENESYS_CLIENT_SECRET", "GENESYS_REGION", "invalid_client", "authentication failed"):
        assert part in str(error)


@pytest.mark.parametrize(
    ("body", "permission"),
    [
        ('{"code":"missing.permissions","message":"You are missing: [routing:queue:view]"}', "routing:queue:view"),
        ('{"code":"missing.permissions","messageParams":{"permissions":"[a:b:view, c:d:*]"}}', "a:b:view and c:d:*"),
        (
            '{"code":"missing.any.permissions","message":"one of [routing:queue:view, routing:queueMember:manage]"}',
            "routing:queue:view or routing:queueMember:manage",
        ),
        ('{"code":"missing.permissions","message":"at 10:00:00 see https://x.y:443/z"}', None),
        ("<html>Forbidden</html>", None),
        ("[" * 100_000, None),
        (b"\xff\xfe", None),
    ],
)
def test_a_missing_permission_is_named(body, permission):
    error = refusal(403, "GET /api/v2/routing/queues", {}, body)
    assert isinstance(error, AccessRefused) and error.permission == permission
    assert (permission or "a permission is missing") in str(error)


@given(st.text(), st.text(), st.text())
def test_a_message_is_one_short_printable_line(code, message, correlation):
    import json

    assume(correlation.isascii())
    body = json.dumps({"code": code * 20, "message": message * 50})
    text = str(refusal(400, "GET /x", {"ININ-Correlation-Id": correlation * 9}, body))
    assert text.isprintable() and len(text) < 600


def test_foreign_text_that_is_no_text_is_nothing():
    assert one_line({"a": 1}) == one_line(None) == "" and one_line(7) == "7"
