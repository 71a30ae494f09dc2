"""Read one UTC day of the platform into parts: what is missing, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from ingest.genesys.collecting.parts import (
    AGGREGATES,
    QUEUES,
    STATUS,
    USERS,
    Frames,
    Freshness,
    Part,
    PartStore,
    merged,
    missing,
)
from ingest.genesys.collecting.wanted import DAY, midnight
from ingest.genesys.conversations import parse_conversations
from ingest.genesys.objects import aggregates, query_bodies, staffing
from ingest.platform.errors import AccessRefused, RequestRefused
from ingest.platform.jobs import run_job
from ingest.platform.pages import Reader, paged_query

JOBS = "/api/v2/analytics/conversations/details/jobs"
QUERY = "/api/v2/analytics/conversations/details/query"
# The synchronous query gives no more than this many conversations (two other connectors report it).
MOST_QUERIED = 100_000


class Refused:
    """What the platform does not let this client read; each is asked for once and then left out."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()

    def note(self, kind: str, error: AccessRefused) -> None:
        """Remember a refusal, or raise it where it is no matter of permissions."""
        if error.status != 403:
            raise error
        self.kinds.add(kind)


@dataclass(frozen=True)
class DayReader:
    """Reads days."""

    reader: Reader  # The platform
    store: PartStore  # Where parts go
    fresh: Freshness  # Which parts count
    queue_ids: Sequence[str]  # Chosen queues
    refused: Refused  # What may not be read
    now: Callable[[], datetime]  # The time, with a zone
    # For waits between looks at a job
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    job_deadline_s: float  # Longest wait for one job. [s]

    def read_queues(self, day: date, parts: Sequence[Part]) -> int:
        """Read what is missing of the chosen queues on a day."""
        read = self._conversations(day, QUEUES, missing(parts, self.fresh, day, QUEUES, self.queue_ids))
        # Counts are of all chosen queues together, so one that is missing has all read.
        if missing(parts, self.fresh, day, AGGREGATES, self.queue_ids):
            read += self._aggregates(day)
        return read

    def read_agents(self, day: date, parts: Sequence[Part], agent_ids: Sequence[str]) -> int:
        """Read what is missing of agents on a day: all their work, and when they were on queue.

        Agents are the members of the chosen queues, and whoever answered them on any day: they may have left
        since.
        """
        read = self._conversations(day, USERS, missing(parts, self.fresh, day, USERS, agent_ids))
        return read + self._status(day, missing(parts, self.fresh, day, STATUS, agent_ids))

    def _conversations(self, day: date, kind: str, ids: Sequence[str]) -> int:
        if not ids:
            return 0
        read_at, start = self.now(), midnight(day)
        is_provisional = start + DAY > self.fresh.available
        of = query_bodies.queue_filter if kind == QUEUES else query_bodies.user_filter
        pages = [page for some in query_bodies.batches(ids) for page in self._pages(is_provisional, start, of(some))]
        frames = merged([_frames([]), *pages])
        self.store.write(day, kind, ids, read_at, frames, is_provisional=is_provisional)
        return 1

    def _pages(self, by_query: bool, start: datetime, segment_filter: dict[str, object]) -> Iterator[Frames]:
        end = start + DAY
        if by_query:
            # The query gives conversations that began on a day; one that began the evening before may go on here.
            body = query_bodies.query_body(start - DAY, end, [segment_filter])
            pages = _bounded(paged_query(self.reader, QUERY, body, "conversations"), start.date())
        else:
            body = query_bodies.job_body(start, end, [segment_filter])
            pages = run_job(self.reader, JOBS, body, deadline_s=self.job_deadline_s, clock=self.clock, sleep=self.sleep)
        for page in pages:
            yield _frames(page)

    def _status(self, day: date, ids: Sequence[str]) -> int:
        if not ids or STATUS in self.refused.kinds:
            return 0
        read_at, start = self.now(), midnight(day)
        try:
            details = staffing.fetch_status(self.reader, ids, start, start + DAY)
        except AccessRefused as error:
            self.refused.note(STATUS, error)
            return 0
        frame, counts = staffing.parse_status(details, start, start + DAY)
        frames = {"staffing": frame, "counts": _counted(counts)}
        self.store.write(day, STATUS, ids, read_at, frames)
        return 1

    def _aggregates(self, day: date) -> int:
        if AGGREGATES in self.refused.kinds:
            return 0
        read_at, start = self.now(), midnight(day)
        span = (start, start + DAY)
        try:
            counted = aggregates.parse_aggregates(aggregates.fetch_aggregates(self.reader, self.queue_ids, *span))
        except AccessRefused as error:
            self.refused.note(AGGREGATES, error)
            return 0
        frames = {"aggregates": counted}
        try:
            answer = aggregates.fetch_survey_aggregates(self.reader, self.queue_ids, *span)
            frames["surveys"] = aggregates.parse_survey_aggregates(answer)
        except AccessRefused as error:
            self.refused.note("surveys", error)
        self.store.write(day, AGGREGATES, self.queue_ids, read_at, frames)
        return 1


def answered(parts: Iterable[Part], queue_ids: Sequence[str]) -> set[str]:
    """Agents who answered the chosen queues."""
    chosen = pl.col("queue_id").is_in(list(queue_ids)) & pl.col("agent_id").is_not_null()
    found = [part.frame("visits").filter(chosen)["agent_id"].unique() for part in parts if part.kind == QUEUES]
    return {agent for agents in found for agent in agents}


def _frames(page: list[dict[str, object]]) -> Frames:
    parsed = parse_conversations(page)
    return {name: getattr(parsed, name) for name in ("lives", "visits", "work", "surveys", "left_out")}


def _counted(counts: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame({"reason": list(counts), "n": list(counts.values())}, {"reason": pl.String, "n": pl.Int64})


def _bounded(pages: Iterator[list[dict[str, object]]], day: date) -> Iterator[list[dict[str, object]]]:
    n_read = 0
    for page in pages:
        n_read += len(page)
        if n_read >= MOST_QUERIED:
            raise RequestRefused(
                f"{day}: {MOST_QUERIED} conversations or more, which is all that a query gives, and jobs do not cover "
                "this day yet; end with an earlier day, or run again tomorrow"
            )
        yield page
