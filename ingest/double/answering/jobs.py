"""Asynchronous jobs: begun, polled, read page by page, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from engine.typing import IntArray
from ingest.double.answering.answers import not_found
from ingest.double.centre.facts import platform_id

ENDS = {"job_failed": "FAILED", "job_expired": "EXPIRED", "job_never_done": "PENDING"}


@dataclass
class Job:
    """One job."""

    places: IntArray  # Conversations that it found
    subject: str  # Its interval
    end: str  # State that it comes to
    polls: int = 0  # How often it was asked for


class Jobs:
    """All jobs of the platform: each is QUEUED once, then PENDING, until it has been asked for often enough."""

    def __init__(self, polls: int) -> None:
        self._polls = polls
        self._jobs: dict[str, Job] = {}
        self._begun = 0
        self._lock = Lock()

    def begin(self, places: IntArray, subject: str, fault: str | None) -> str:
        """Begin a job that will find these conversations, unless a fault becomes of it."""
        with self._lock:
            self._begun += 1
            job_id = platform_id("job", str(self._begun))
            self._jobs[job_id] = Job(places, subject, ENDS.get(fault or "", "FULFILLED"))
            return job_id

    def poll(self, job_id: str) -> str:
        """State of a job; time passes only by asking."""
        with self._lock:
            job = self._job(job_id)
            job.polls += 1
            if job.polls <= self._polls:
                return "QUEUED" if job.polls == 1 else "PENDING"
            return job.end

    def read(self, job_id: str) -> Job | None:
        """A job whose results can be read, None while it has none."""
        with self._lock:
            job = self._job(job_id)
            return job if job.polls > self._polls and job.end == "FULFILLED" else None

    def delete(self, job_id: str) -> None:
        """Forget a job and its results."""
        with self._lock:
            self._job(job_id)
            del self._jobs[job_id]

    def subject(self, job_id: str) -> str:
        """Interval of a job, empty where there is none."""
        with self._lock:
            job = self._jobs.get(job_id)
            return "" if job is None else job.subject

    def left(self) -> int:
        """How many jobs nobody deleted."""
        return len(self._jobs)

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise not_found(f"job {job_id}")
        return self._jobs[job_id]
