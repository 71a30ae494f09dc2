"""When to ask again and how long to wait before: one policy for everything that is read from the platform."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InvalidScenario
from engine.stopping import check
from ingest.platform.errors import PlatformUnavailable

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

_RESET = "inin-ratelimit-reset"


@dataclass(frozen=True)
class Patience:
    """How long to go on asking.

    Parameters
    ----------
    attempts : int
        Requests at most, the first included. [count]
    total_s : float
        From the first setback to the last request begun; a slow first answer costs nothing of it. [s]
    cap_s : float
        The longest single wait, whatever the platform asks for. [s]
    base_s : float
        The first wait is up to this long, each further one up to twice the one before. [s]
    """

    attempts: int = 8
    total_s: float = 120.0
    cap_s: float = 60.0
    base_s: float = 1.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or not all(s >= 0 for s in (self.total_s, self.cap_s, self.base_s)):
            raise InvalidScenario(f"{self}: want at least one attempt, and seconds of 0 or more")


def patiently(
    work: Callable[[], T],
    *,
    repeatable: bool,
    patience: Patience,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    rng: random.Random,
    on_wait: Callable[[float, PlatformUnavailable], None] = lambda _s, _why: None,
) -> T:
    """Do some work, and do it again while that is safe and promising.

    After 429 the platform has done nothing, so anything may be repeated, as may what never left this machine.
    Everything else is repeated only if repeating is safe. Waits are drawn, so that many clients do not come back at
    the same moment; the last setback is raised with its story.

    Examples
    --------
    >>> patiently(lambda: 7, repeatable=True, patience=Patience(), clock=lambda: 0.0, sleep=print, rng=random.Random(0))
    7
    """
    import tenacity

    course = _Course(patience, repeatable, clock, rng)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(course.may_repeat),
        wait=course.wait_s,
        stop=course.is_over,
        sleep=sleep,
        before_sleep=lambda state: on_wait(state.upcoming_sleep, _setback(state)),
        reraise=True,
    )

    def attempt() -> T:
        check()
        return work()

    return retrying(attempt)


class _Course:
    """One call's way through its setbacks."""

    def __init__(self, patience: Patience, repeatable: bool, clock: Callable[[], float], rng: random.Random) -> None:
        self._patience = patience
        self._repeatable = repeatable
        self._clock = clock
        self._rng = rng
        self._ends: float | None = None

    def may_repeat(self, error: BaseException) -> bool:
        if not isinstance(error, PlatformUnavailable) or error.hopeless:
            return False
        return self._repeatable or error.status == 429 or not error.sent

    def wait_s(self, state: RetryCallState) -> float:
        """What the platform asks for; else anything up to a bound that doubles (full jitter [1]).

        .. [1] M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015
        """
        # Patience is counted from here: a slow first answer costs nothing of it.
        if self._ends is None:
            self._ends = self._clock() + self._patience.total_s
        told_s = _setback(state).retry_after_s
        if told_s:
            return min(told_s, self._patience.cap_s)
        # Long past the cap; more would overflow.
        doublings = min(state.attempt_number - 1, 60)
        return self._rng.uniform(0.0, min(self._patience.cap_s, self._patience.base_s * 2.0**doublings))

    def is_over(self, state: RetryCallState) -> bool:
        """Whether to give up; the setback is then told what was tried, as it goes to the caller."""
        error = _setback(state)
        left_s = (self._ends or 0.0) - self._clock()
        if state.attempt_number >= self._patience.attempts:
            why = "the patience is used up"
        elif error.retry_after_s and error.retry_after_s > left_s:
            why = f"it wants {error.retry_after_s:.0f} s of waiting, and {max(left_s, 0):.0f} s of patience are left"
        elif state.upcoming_sleep > left_s:
            why = f"{self._patience.total_s:.0f} s of patience are used up"
        else:
            return False
        n = state.attempt_number
        error.args = (f"{error}; given up after {n} attempt{'s' * (n > 1)}, as {why}",)
        return True


def _setback(state: RetryCallState) -> PlatformUnavailable:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, PlatformUnavailable)  # may_repeat let nothing else pass
    return error


def asked_wait_s(status: int, headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """How long the platform asks us to stay away.

    ``Retry-After`` as seconds or as a date (compared with the answer's own clock); after 429 else the end of the
    minute that is counted. None if it does not say. [s]

    Examples
    --------
    >>> asked_wait_s(503, {"Retry-After": "7"})
    7.0
    """
    told_s = _seconds(headers.get("Retry-After"))
    if told_s is None:
        told_s = _until(headers.get("Retry-After"), _date(headers.get("Date")) or now or datetime.now(UTC))
    if told_s is None and status == 429:
        told_s = _seconds(headers.get(_RESET))
    return told_s


def _seconds(text: str | None) -> float | None:
    digits = (text or "").strip()
    # isdecimal alone takes digits of all scripts; a number of a hundred digits is no time either.
    return float(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else None


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _until(text: str | None, now: datetime) -> float | None:
    date = _date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())
