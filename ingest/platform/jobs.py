"""Asynchronous jobs of the platform: submitted, waited for, read to the end, cleaned up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.errors import InvalidScenario
from ingest.platform.errors import JobFailed, PlatformError, PlatformUnavailable, RequestRefused, one_line
from ingest.platform.pages import Reader

# Rows of one page of results. [count]
PAGE_ROWS = 1000
_LOST_STATES = ("FAILED", "EXPIRED", "CANCELLED")
_FIRST_POLL_S = 0.3
_GONE = (404, 410)


@dataclass
class JobCounts:
    """What the jobs of one caller came to."""

    submitted: int = 0  # Jobs asked for. [count]
    lost: int = 0  # Attempts that did not come to an end. [count]
    undeleted: int = 0  # Jobs that could not be cleaned up; the platform forgets them by itself. [count]


def run_job(
    reader: Reader,
    path: str,
    body: dict[str, Any],
    *,
    deadline_s: float = 1800.0,
    poll_s: float = 3.0,
    attempts: int = 3,
    page_size: int = PAGE_ROWS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    on_lost: Callable[[str], None] | None = None,
    counts: JobCounts | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Have conversations collected over there, and read them page by page.

    Pages are passed on as they come. If an attempt is lost in the middle, the next one begins anew: **the same
    conversation may then come twice**, and callers keep one per ``conversationId``. Once the iterator has ended
    without an error, everything has come at least once.

    Parameters
    ----------
    reader : Reader
        Where to ask.
    path : str
        Path of the jobs, such as ``/api/v2/analytics/conversations/details/jobs``.
    body : dict
        What to collect.
    deadline_s : float
        From submitting a job to its end, per attempt. [s]
    poll_s : float
        Between two looks at a job's state; the first ones follow faster, so that a small job is quick. [s]
    attempts : int
        Jobs submitted at most. [count]
    page_size : int
        Conversations to a page. [count]
    clock : callable
        Seconds that only grow. [s]
    sleep : callable
        Waits so many seconds.
    on_lost : callable, optional
        Told why, for each attempt that was lost.
    counts : JobCounts, optional
        Counted up as things happen.

    Yields
    ------
    list of dict
        The conversations of a page, at least one.

    Raises
    ------
    JobFailed
        If no attempt came to its end.
    PlatformUnavailable, AccessRefused, RequestRefused
        If the platform cannot be asked at all.
    """
    if attempts < 1 or not deadline_s > 0 or not poll_s >= 0 or page_size < 1:
        raise InvalidScenario("job: want attempts, deadline_s and page_size above 0, poll_s of 0 or more")
    run = _Run(reader, path, body, deadline_s, poll_s, page_size, clock, sleep, counts or JobCounts())
    why = ""
    for _ in range(attempts):
        try:
            yield from run.attempt()
            return
        except _LostError as lost:
            why = str(lost)
        run.counts.lost += 1
        if on_lost:
            on_lost(why)
    raise JobFailed(
        f"{path}: {attempts} job{'s' * (attempts > 1)} submitted, none came to its end; the last: {why}; run again "
        "later, or ask for a shorter interval"
    )


def availability(reader: Reader, path: str) -> datetime:
    """Ask up to when jobs can see.

    Parameters
    ----------
    reader : Reader
        Where to ask.
    path : str
        Path of the jobs, as for ``run_job``.

    Returns
    -------
    datetime
        What happened before this time is there. [UTC]

    Raises
    ------
    PlatformUnavailable
        If the answer holds no such time.
    """
    answer = reader.get(f"{path}/availability")
    said = answer.get("dataAvailabilityDate")
    try:
        at = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise PlatformUnavailable(
            f"{path}/availability: dataAvailabilityDate is {one_line(said, 40)!r}, not a time with its zone; run "
            "again, and report it to the platform if it lasts"
        )
    return at.astimezone(UTC)


class _LostError(Exception):
    """This attempt is over; another one may do."""


@dataclass(frozen=True)
class _Run:
    reader: Reader
    path: str
    body: dict[str, Any]
    deadline_s: float
    poll_s: float
    page_size: int
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    counts: JobCounts

    def attempt(self) -> Iterator[list[dict[str, Any]]]:
        """One job from submit to clean-up."""
        job_id = self._submitted()
        try:
            self._wait(job_id, self.clock() + self.deadline_s)
            yield from self._results(job_id)
        except PlatformUnavailable:
            # Whoever does not answer will not clean up either; do not wait for it.
            self.counts.undeleted += 1
            raise
        except BaseException:
            # A lost attempt, or a caller who has seen enough.
            self._delete(job_id)
            raise
        self._delete(job_id)

    def _submitted(self) -> str:
        self.counts.submitted += 1
        try:
            job_id = self.reader.submit(self.path, self.body).get("jobId")
        except PlatformUnavailable as error:
            if not error.lost_submit:
                raise
            raise _LostError(str(error)) from None
        if not isinstance(job_id, str) or not job_id:
            raise _LostError("the answer to the submit names no job")
        return job_id

    def _wait(self, job_id: str, ends: float) -> None:
        """Until the job is fulfilled; a state that is not known counts as not yet."""
        pause_s = min(_FIRST_POLL_S, self.poll_s)
        while True:
            said = self._look(f"{self.path}/{{jobId}}", None, job_id)
            state = said.get("state")
            if state == "FULFILLED":
                return
            if state in _LOST_STATES:
                raise _LostError(f"the job ended as {state} {one_line(said.get('errorMessage'))}".rstrip())
            left_s = ends - self.clock()
            if left_s <= 0:
                raise _LostError(f"the job was {one_line(state, 40) or 'without a state'} after {self.deadline_s:g} s")
            self.sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, self.poll_s)

    def _results(self, job_id: str) -> Iterator[list[dict[str, Any]]]:
        """All pages: an empty one is not the last, only one without a cursor is."""
        seen: set[str] = set()
        cursor: str | None = None
        while True:
            page = self._look(f"{self.path}/{{jobId}}/results", {"pageSize": self.page_size, "cursor": cursor}, job_id)
            conversations = page.get("conversations") or []
            if not isinstance(conversations, list):
                raise _LostError(f"conversations of the results are {type(conversations).__name__}, not a list")
            if conversations:
                yield conversations
            cursor = page.get("cursor")
            if not cursor:
                return
            if not isinstance(cursor, str) or cursor in seen:
                raise _LostError("the results' cursor leads in a circle")
            seen.add(cursor)

    def _look(self, path: str, query: dict[str, Any] | None, job_id: str) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self.reader.get(path, query, jobId=job_id)
        except RequestRefused as error:
            if error.status not in _GONE:
                raise
            raise _LostError(f"the job or its results are gone ({error.status})") from None
        return answer

    def _delete(self, job_id: str) -> None:
        try:
            self.reader.delete(f"{self.path}/{{jobId}}", jobId=job_id)
        except PlatformError:
            self.counts.undeleted += 1
