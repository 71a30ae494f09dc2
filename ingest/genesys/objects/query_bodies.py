"""Bodies of analytics queries: intervals, filters, and what asks for conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from engine.errors import InvalidScenario
from engine.typing import Record

# A body may have 512,000 bytes; a predicate takes about 120.
MOST_PREDICATES = 500


def interval(start: datetime, end: datetime) -> str:
    """An interval as the platform writes it: two times in UTC with milliseconds, the end not part of it.

    Examples
    --------
    >>> day = datetime(2025, 3, 1, tzinfo=UTC)
    >>> interval(day, day + timedelta(days=1))
    '2025-03-01T00:00:00.000Z/2025-03-02T00:00:00.000Z'
    """
    for name, at in (("start", start), ("end", end)):
        if at.tzinfo is None:
            raise InvalidScenario(f"interval: {name} {at.isoformat()} has no time zone; give one, such as UTC")
    if start >= end:
        raise InvalidScenario(f"interval: {start.isoformat()} is not before {end.isoformat()}; give the earlier first")
    return f"{_stamp(start)}/{_stamp(end)}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pieces(start: datetime, end: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Cut an interval into pieces of at most some days.

    Examples
    --------
    >>> first = datetime(2025, 3, 1, tzinfo=UTC)
    >>> [(a.day, b.day) for a, b in pieces(first, first + timedelta(days=5), 2)]
    [(1, 3), (3, 5), (5, 6)]
    """
    while start < end:
        yield start, min(end, start + timedelta(days=days))
        start += timedelta(days=days)


def batches(ids: Sequence[str], size: int = MOST_PREDICATES) -> list[list[str]]:
    """Ids in groups that fit one request, the same whatever their order was.

    Examples
    --------
    >>> batches(["q3", "q1", "q2", "q1"], 2)
    [['q1', 'q2'], ['q3']]
    """
    known = sorted(set(ids))
    return [known[first : first + size] for first in range(0, len(known), size)]


def any_of(dimension: str, ids: Sequence[str]) -> Record:
    """A filter that lets pass what has one of some values.

    Examples
    --------
    >>> any_of("queueId", ["q1"])["predicates"]
    [{'type': 'dimension', 'dimension': 'queueId', 'operator': 'matches', 'value': 'q1'}]
    """
    groups = batches(ids)
    if len(groups) != 1:
        raise InvalidScenario(f"{dimension}: {len(set(ids))} values; one request takes 1 to {MOST_PREDICATES}")
    shape = {"type": "dimension", "dimension": dimension, "operator": "matches"}
    return {"type": "or", "predicates": [{**shape, "value": value} for value in groups[0]]}


def queue_filter(queue_ids: Sequence[str]) -> Record:
    """A segment filter for conversations that touched one of some queues."""
    return any_of("queueId", queue_ids)


def user_filter(user_ids: Sequence[str]) -> Record:
    """A segment filter for conversations in which one of some users took part."""
    return any_of("userId", user_ids)


def job_body(start: datetime, end: datetime, filters: Sequence[Record] = ()) -> Record:
    """What an asynchronous job is asked for: conversations whose life overlaps an interval.

    Those that began earlier come too, so neighbouring intervals give some conversations twice. A conversation must
    pass all filters, so batches of ids belong into jobs of their own.
    """
    body: Record = {"interval": interval(start, end), "order": "asc", "orderBy": "conversationStart"}
    return body | ({"segmentFilters": list(filters)} if filters else {})


def query_body(start: datetime, end: datetime, filters: Sequence[Record] = ()) -> Record:
    """What a synchronous query is asked for: conversations that started on a UTC day the interval touches."""
    return job_body(start, end, filters)
