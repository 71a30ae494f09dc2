"""A platform that fails again and again is left alone for a while, then asked once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.errors import InvalidScenario
from ingest.platform.errors import PlatformError, PlatformUnavailable

T = TypeVar("T")

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


@dataclass(frozen=True)
class Turn:
    """Leave to ask once; counts only while the state it was given in lasts."""

    era: int  # Number of changes of state before it was given. [count]


class Breaker:
    """Closed: all may ask. Open: nobody. Half-open: exactly one asks for all, the others are refused at once.

    The lock is held for a few assignments and never during a request, so requests run side by side. A request begun
    before a change of state says nothing about the new one, and its outcome is ignored.

    Parameters
    ----------
    failures : int
        Failures in a row that open it. [count]
    open_s : float
        How long nobody asks. [s]
    is_final : bool
        Whether those who are refused had better not wait for it to close.
    clock : callable
        Seconds that only grow. [s]

    Examples
    --------
    >>> breaker = Breaker(failures=2)
    >>> breaker.call(lambda: "answer"), breaker.state
    ('answer', 'closed')
    """

    def __init__(
        self,
        failures: int = 5,
        open_s: float = 30.0,
        *,
        is_final: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if failures < 1 or not open_s >= 0:
            raise InvalidScenario(f"breaker: want failures >= 1 and open_s >= 0, got {failures} and {open_s}")
        self._most = failures
        self._open_s = open_s
        self._is_final = is_final
        self._clock = clock
        self._lock = threading.Lock()
        self._state = CLOSED
        self._era = 0
        self._in_a_row = 0
        self._opened_at = 0.0
        self._last = ""

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``; an open one turns half-open when somebody asks after its time."""
        return self._state

    def call(self, work: Callable[[], T], first: Callable[[], object] = lambda: None) -> T:
        """Do some work if that is allowed, and remember how it went.

        Parameters
        ----------
        work : callable
            One request.
        first : callable, optional
            Done before it, once it is allowed.

        Returns
        -------
        object
            What the work returned.

        Raises
        ------
        PlatformUnavailable
            If nothing was asked; ``retry_after_s`` tells when it may be. Else whatever was raised on the way.
        """
        turn = self.admit()
        # Interruptions, mistakes on this side and what comes first say nothing about the platform.
        alive, why = None, ""
        try:
            first()
            try:
                result = work()
            except PlatformError as error:
                alive, why = not is_failure(error), str(error)
                raise
            alive = True
            return result
        finally:
            self.settle(turn, alive=alive, why=why)

    def admit(self) -> Turn:
        """Ask for leave; every turn must be settled.

        Returns
        -------
        Turn
            To be given back with the outcome.

        Raises
        ------
        PlatformUnavailable
            If it is not given.
        """
        with self._lock:
            # Whoever comes first after the time is up asks for all the others.
            if self._state == OPEN and self._clock() - self._opened_at >= self._open_s:
                self._change(HALF_OPEN)
                return Turn(self._era)
            if self._state != CLOSED:
                raise self._refusal()
            return Turn(self._era)

    def settle(self, turn: Turn, *, alive: bool | None, why: str = "") -> None:
        """Say how a turn went.

        Parameters
        ----------
        turn : Turn
            As given by ``admit``.
        alive : bool or None
            Whether the platform did its part; None if that was not learnt.
        why : str
            What failed, for the message of later refusals.
        """
        with self._lock:
            if turn.era != self._era:
                return
            if alive is None and self._state == HALF_OPEN:
                # The next to come is the probe; the time has passed already.
                self._change(OPEN)
            elif alive:
                self._in_a_row = 0
                if self._state == HALF_OPEN:
                    self._change(CLOSED)
            elif alive is not None:
                self._failed(why)

    def _failed(self, why: str) -> None:
        self._in_a_row += 1
        self._last = why
        # A failed probe is one more in the row that opened it.
        if self._in_a_row >= self._most:
            self._opened_at = self._clock()
            self._change(OPEN)

    def _change(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._era += 1

    def _refusal(self) -> PlatformUnavailable:
        left_s = max(0.0, self._opened_at + self._open_s - self._clock())
        when = f"not before {left_s:.0f} s from now" if self._state == OPEN else "one request is trying whether it is"
        text = f"not asked, as Genesys Cloud failed {self._in_a_row} times in a row ({when}); the last: {self._last}"
        # While somebody tries there is no time to name: the answer may come at any moment.
        return PlatformUnavailable(text, sent=False, retry_after_s=left_s or None, hopeless=self._is_final)


def is_failure(error: PlatformError) -> bool:
    """Whether an error speaks against the platform's health; a refusal or a rate limit is a sign of life.

    Examples
    --------
    >>> is_failure(PlatformUnavailable("no answer")), is_failure(PlatformUnavailable("too many", status=429))
    (True, False)
    """
    return isinstance(error, PlatformUnavailable) and error.status != 429
