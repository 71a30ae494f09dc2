"""No more requests a minute than the platform allows, so that it need not refuse any."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping

from engine.errors import InvalidScenario
from ingest.platform.errors import PlatformUnavailable

#: Requests a minute and token, unless the platform says otherwise. [count]
PER_MINUTE = 300

_WINDOW_S = 60.0
_BURST = 5
# Requests sent evenly arrive unevenly; this share of the allowance absorbs it.
_RESERVE = 0.01
# A reset further away than this is not the end of a minute.
_LONGEST_PAUSE_S = 2 * _WINDOW_S


class Limiter:
    """A token bucket that learns its rate from the answers.

    Any minute holds at most what is allowed, wherever the platform lets its minutes begin: the bucket's content is
    taken off the rate. One limiter serves all threads of a token.

    Parameters
    ----------
    per_minute : int
        Requests a minute until the platform names its own number. [count]
    longest_s : float
        Whoever would have to wait longer is refused at once, and takes no place. [s]
    clock : callable
        Seconds that only grow. [s]
    sleep : callable
        Waits so many seconds.

    Examples
    --------
    >>> limiter = Limiter(per_minute=60, clock=lambda: 0.0, sleep=lambda s: None)
    >>> limiter.allowed
    60
    """

    def __init__(
        self,
        per_minute: int = PER_MINUTE,
        *,
        longest_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if per_minute < 1:
            raise InvalidScenario(f"requests a minute: want 1 or more, got {per_minute}")
        self._longest_s = longest_s
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._full_at = clock()  # when the bucket would be full if nothing more were taken
        self._closed_until = clock()
        self._allow(per_minute)

    @property
    def allowed(self) -> int:
        """Requests a minute at present. [count]"""
        return self._allowed

    def take(self) -> float:
        """Wait until a request may be sent.

        Returns
        -------
        float
            Seconds waited. [s]

        Raises
        ------
        PlatformUnavailable
            If that would take too long.
        """
        with self._lock:
            came_at = self._clock()
            turn_at = self._reserve(came_at)
        waited_s = 0.0
        # Looked at again after each wait: an answer may have closed the door meanwhile.
        while (wait_s := max(turn_at, self._closed_until) - max(self._clock(), came_at + waited_s)) > 0:
            self._check(waited_s + wait_s)
            self._sleep(wait_s)
            waited_s += wait_s
        return waited_s

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer says about the allowance.

        Parameters
        ----------
        headers : Mapping[str, str]
            Headers of the answer, in a mapping that ignores case; unreadable or missing ones change nothing.
        """
        count, allowed, reset_s = (_count(headers.get(f"inin-ratelimit-{name}")) for name in _NAMES)
        if allowed:
            with self._lock:
                self._allow(allowed)
        if count is not None and allowed and reset_s is not None and count >= allowed:
            # The second that is named may have been rounded down.
            self.pause(reset_s + 1.0)

    def pause(self, seconds: float) -> None:
        """Let nobody through for a while.

        Parameters
        ----------
        seconds : float
            How long from now on. [s]
        """
        with self._lock:
            until = self._clock() + min(seconds, _LONGEST_PAUSE_S)
            self._closed_until = max(self._closed_until, until)

    def _allow(self, per_minute: int) -> None:
        self._allowed = per_minute
        self._burst = max(1, min(_BURST, per_minute // 20))
        steady = max(per_minute * (1 - _RESERVE) - self._burst, per_minute / 2)
        self._each_s = _WINDOW_S / steady

    def _reserve(self, now: float) -> float:
        """Take the next free place, perhaps a future one; the order of asking is the order of going."""
        turn_at = max(now, self._full_at - (self._burst - 1) * self._each_s)
        self._check(max(turn_at, self._closed_until) - now)
        self._full_at = max(turn_at, self._full_at) + self._each_s
        return turn_at

    def _check(self, wait_s: float) -> None:
        if wait_s > self._longest_s:
            raise PlatformUnavailable(
                f"not asked, as the limit on requests a minute is used up (not before {wait_s:.0f} s from now); if it "
                "lasts, see what else uses this OAuth client",
                sent=False,
                retry_after_s=wait_s,
            )


_NAMES = ("count", "allowed", "reset")


def _count(text: str | None) -> int | None:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None
