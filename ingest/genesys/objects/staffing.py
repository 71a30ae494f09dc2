"""Who was on queue when: presence and routing status of users, as blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from engine.data.tables import TABLES
from engine.typing import Record
from ingest.genesys.objects.people import spelling
from ingest.genesys.objects.query_bodies import any_of, batches, interval
from ingest.genesys.objects.values import instant, record, text
from ingest.platform.pages import Reader, paged_query

PATH = "/api/v2/analytics/users/details/query"
MOST_USERS = 100
ON_QUEUE = frozenset(("ON_QUEUE",))
# An agent who lets an alert ring (NOT_RESPONDING) gets nothing until back on queue.
WORKING = frozenset(("IDLE", "INTERACTING", "COMMUNICATING"))

Block = tuple[datetime, datetime]


def fetch_status(reader: Reader, user_ids: Sequence[str], start: datetime, end: datetime) -> list[Record]:
    """Presence and routing status of users in an interval of up to 31 days; a user may come several times."""
    found = []
    for some in batches(user_ids, MOST_USERS):
        body = {"interval": interval(start, end), "order": "asc", "userFilters": [any_of("userId", some)]}
        for page in paged_query(reader, PATH, body, "userDetails"):
            found += page
    return found


def parse_status(details: Iterable[Any], start: datetime, end: datetime) -> tuple[pl.DataFrame, dict[str, int]]:
    """When agents were on queue: presence On Queue, and routing status idle, interacting or communicating.

    Where a user has only one of the two lists, that one decides. Blocks are cut to [start, end) and neither touch
    nor overlap; what has no end lasts until the end.
    """
    counts: Counter[str] = Counter()
    given: dict[str, tuple[list[Any], list[Any]]] = {}
    for detail in map(record, details):
        agent = text(detail.get("userId"))
        if agent is None:
            counts["left out: statuses of users without id"] += 1
            continue
        presence, routing = given.setdefault(agent, ([], []))
        presence += _entries(detail, "primaryPresence", counts)
        routing += _entries(detail, "routingStatus", counts)
    rows = []
    for agent in sorted(given):
        presence, routing = given[agent]
        on_queue = _blocks(presence, "systemPresence", ON_QUEUE, (start, end), counts)
        working = _blocks(routing, "routingStatus", WORKING, (start, end), counts)
        both = _common(on_queue, working) if presence and routing else on_queue if presence else working
        rows += [(agent, *block) for block in both]
    return pl.DataFrame(rows, TABLES["staffing"].schema(), orient="row"), dict(counts)


def _entries(detail: Record, name: str, counts: Counter[str]) -> list[Any]:
    value = detail.get(name)
    if value is not None and not isinstance(value, list):
        counts[f"left out: {name} of users that is no list"] += 1
    return value if isinstance(value, list) else []


def _blocks(entries: list[Any], name: str, wanted: frozenset[str], span: Block, counts: Counter[str]) -> list[Block]:
    """Merged blocks of the wanted statuses within the span."""
    found = []
    for entry in map(record, entries):
        status = spelling(entry.get(name))
        first, last = instant(entry.get("startTime")), _end(entry, span)
        if status is None or first is None or last is None:
            counts[f"left out: entries of {name} without a status or a readable time"] += 1
        elif status in wanted and max(first, span[0]) < min(last, span[1]):
            found.append((max(first, span[0]), min(last, span[1])))
    return _merged(found)


def _end(entry: Record, span: Block) -> datetime | None:
    given = entry.get("endTime")
    return span[1] if given is None else instant(given)


def _merged(blocks: list[Block]) -> list[Block]:
    merged: list[Block] = []
    for first, last in sorted(blocks):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def _common(ours: list[Block], theirs: list[Block]) -> list[Block]:
    """Where both hold; both are in order and merged."""
    found = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        first, last = max(ours[i][0], theirs[j][0]), min(ours[i][1], theirs[j][1])
        if first < last:
            found.append((first, last))
        if ours[i][1] <= theirs[j][1]:
            i += 1
        else:
            j += 1
    return found


def merge_blocks(frame: pl.DataFrame) -> pl.DataFrame:
    """Join blocks of an agent that touch or overlap, such as those of two days.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon, one, two = (datetime(2025, 3, 1, hour, tzinfo=UTC) for hour in (12, 13, 14))
    >>> halves = pl.DataFrame({"agent_id": ["a", "a"], "start_at": [one, noon], "end_at": [two, one]})
    >>> merge_blocks(halves).select(pl.col("start_at", "end_at").dt.hour()).rows()
    [(12, 14)]
    """
    latest_before = pl.col("end_at").cum_max().shift(1).over("agent_id")
    begins = (pl.col("start_at") > latest_before).fill_null(True)
    ordered = frame.select("agent_id", "start_at", "end_at").sort("agent_id", "start_at", "end_at")
    return (
        ordered.with_columns(begins.cum_sum().alias("block"))
        .group_by("agent_id", "block", maintain_order=True)
        .agg(pl.col("start_at").min(), pl.col("end_at").max())
        .drop("block")
    )
