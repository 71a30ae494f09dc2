"""What can go wrong on the way, given as a list or drawn from a seed; nothing of it changes what is true."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from threading import Lock

from engine.errors import InvalidScenario

ANYWHERE = (
    "too_many_with_retry_after", "too_many", "error_500", "error_502", "error_503", "error_503_with_retry_after",
    "dropped", "silence",
)  # fmt: skip
IN_BODY = ("dropped_in_body", "half_json", "html")
IN_JOB = ("lost_submit", "job_failed", "job_expired", "job_never_done")
IN_CONTENT = ("results_gone", "short_page", "empty_page", "on_two_pages", "on_two_days", "null_enum", "unknown_enum")
FAULTS = (*ANYWHERE, *IN_BODY, "token_invalid", *IN_JOB, *IN_CONTENT)
# These end only when the other side loses patience, or a clock that the other side reads runs out.
SLOW = ("silence", "job_never_done")

KINDS = (
    "token", "queues", "queue", "members", "skills", "languages", "users", "user", "presences", "utilization",
    "user_utilization", "settings", "organization", "limits", "job_submit", "job_poll", "job_results", "job_delete",
    "availability",    "details", "user_details", "aggregates", "surveys", "observations",
)  # fmt: skip
CONTENT_OF = {
    "queues": ("short_page",),
    "members": ("short_page", "null_enum", "unknown_enum"),
    "skills": ("short_page",),
    "languages": ("short_page",),
    "users": ("short_page", "null_enum", "unknown_enum"),
    "job_submit": IN_JOB,
    "job_results": ("results_gone", "empty_page", "on_two_pages", "on_two_days", "null_enum", "unknown_enum"),
    "details": ("on_two_pages", "on_two_days", "null_enum", "unknown_enum"),
}
# After these a job must be begun again. A submit cannot be told from a lost one unless its answer is whole.
MOST_IN_A_ROW, MOST_RESTARTS = 3, 2
HARMLESS_SUBMIT = ("too_many_with_retry_after", "too_many", "token_invalid")


def faults_of(kind: str) -> tuple[str, ...]:
    """Faults that can befall a kind of request.

    Examples
    --------
    >>> "short_page" in faults_of("members"), "short_page" in faults_of("token")
    (True, False)
    """
    body = () if kind == "job_delete" else IN_BODY
    token = () if kind == "token" else ("token_invalid",)
    return (*ANYWHERE, *body, *token, *CONTENT_OF.get(kind, ()))


POSSIBLE = tuple((kind, name) for kind in KINDS for name in faults_of(kind))


class Faults:
    """Faults at the nth request of a kind.

    Parameters
    ----------
    listed : iterable of (str, int, str)
        Kind, number of the request from 1, fault; each happens once.
    retry_after_s : int
        What Retry-After says where a fault names it.

    Raises
    ------
    InvalidScenario
        If a fault cannot befall that kind of request.

    Examples
    --------
    >>> faults = Faults([("users", 2, "error_503")])
    >>> [faults.next("users", "") for _ in range(3)]
    [None, 'error_503', None]
    """

    def __init__(self, listed: Iterable[tuple[str, int, str]] = (), *, retry_after_s: int = 0) -> None:
        self._listed = {}
        for kind, number, name in listed:
            if (kind, name) not in POSSIBLE or number < 1:
                raise InvalidScenario(
                    f"fault {(kind, number, name)}: want a kind with a fault as in POSSIBLE, and a number from 1"
                )
            self._listed[kind, number] = name
        self.retry_after_s = retry_after_s
        self.fired: list[tuple[str, int, str]] = []
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def next(self, kind: str, subject: str) -> str | None:
        """The fault of the next request of a kind, None for none."""
        with self._lock:
            self._counts[kind] += 1
            name = self._choose(kind, self._counts[kind], subject)
            if name is not None:
                self.fired.append((kind, self._counts[kind], name))
            return name

    def _choose(self, kind: str, number: int, subject: str) -> str | None:
        return self._listed.get((kind, number))


class _Script(Faults):
    """Every kind and subject has a stream of draws of its own, so that threads change nothing."""

    def __init__(self, seed: int, share: float, names: frozenset[str], retry_after_s: int) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self._seed, self._share, self._names = seed, share, names
        self._streams: dict[tuple[str, str], random.Random] = {}
        self._in_a_row: Counter[tuple[str, str]] = Counter()
        self._restarts: Counter[str] = Counter()

    def _choose(self, kind: str, number: int, subject: str) -> str | None:
        stream = self._streams.setdefault((kind, subject), random.Random(f"{self._seed} {kind} {subject}"))
        possible = [name for name in faults_of(kind) if name in self._names]
        is_due, name = stream.random() < self._share, stream.choice(possible) if possible else None
        if not is_due or name is None or self._in_a_row[kind, subject] >= MOST_IN_A_ROW:
            self._in_a_row[kind, subject] = 0
            return None
        if _restarts(kind, name):
            if self._restarts[subject] >= MOST_RESTARTS:
                return None
            self._restarts[subject] += 1
        self._in_a_row[kind, subject] += 1
        return name


def _restarts(kind: str, name: str) -> bool:
    return name == "results_gone" or (kind == "job_submit" and name not in HARMLESS_SUBMIT)


def script(seed: int, share: float = 0.1, *, slow: bool = False, retry_after_s: int = 0) -> Faults:
    """Draw faults for as long as anybody asks.

    Parameters
    ----------
    seed : int
        Equal seeds give equal faults to equal requests, in whatever order kinds and subjects are mixed.
    share : float
        Share of requests with a fault; at most 3 in a row, and no job is begun more than 3 times for it.
    slow : bool
        Whether silence and jobs that are never done are among them.
    retry_after_s : int
        What Retry-After says.

    Returns
    -------
    Faults
        That a patient reader gets through.

    Raises
    ------
    InvalidScenario
        If the share is not from 0 to 1.

    Examples
    --------
    >>> def drawn():
    ...     faults = script(7, 0.5)
    ...     return [faults.next("users", "") for _ in range(20)]
    >>> drawn() == drawn()
    True
    """
    if not 0 <= share <= 1:
        raise InvalidScenario(f"share {share!r}: want a share of requests from 0 to 1")
    names = frozenset(FAULTS) - (frozenset() if slow else frozenset(SLOW))
    return _Script(seed, share, names, retry_after_s)
