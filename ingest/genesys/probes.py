"""What a client may read: one small call for each permission, before anything is read in earnest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.genesys.collecting.reading import QUERY
from ingest.genesys.objects import aggregates, query_bodies, staffing
from ingest.platform.errors import AccessRefused, RequestRefused
from ingest.platform.pages import Reader

GRANTED, MISSING, UNCLEAR = "granted", "missing", "unclear"
LIMITS = ("platform.api", "analytics", "analytics.data.extraction", "routing", "users")


@dataclass(frozen=True)
class Permission:
    """One permission and whether this client has it."""

    name: str  # As the platform names it
    needed_for: str  # In words
    is_needed: bool  # Whether nothing can be read without it
    state: str  # `granted`, `missing` or `unclear`
    remark: str = ""  # What the platform said, where it is not granted


def permissions(reader: Reader, queue_id: str, available: datetime) -> list[Permission]:
    """Try every permission once, with tiny questions about one queue on the last day that jobs cover."""
    return [
        _tried(name, needed_for, is_needed, ask)
        for name, needed_for, is_needed, ask in _probes(reader, queue_id, available)
    ]


def _probes(reader: Reader, queue_id: str, available: datetime) -> list[tuple[str, str, bool, Callable[[], object]]]:
    one = {"pageSize": 1, "pageNumber": 1}
    start, end = available - timedelta(days=1), available
    question = query_bodies.query_body(start, end, [query_bodies.queue_filter([queue_id])]) | {"paging": one}
    return [
        ("routing:queue:view", "queues and their members", True,
         lambda: reader.get("/api/v2/routing/queues/{queueId}/members", one, queueId=queue_id)),
        ("routing:skill:view", "names of skills", True, lambda: reader.get("/api/v2/routing/skills", one)),
        ("directory:user:view", "agents, their skills and languages", True, lambda: reader.get("/api/v2/users", one)),
        ("analytics:conversationDetail:view", "interactions, surveys and work elsewhere", True,
         lambda: reader.query(QUERY, question)),
        ("analytics:userDetail:view", "when agents were on queue; inferred without it", False,
         lambda: staffing.fetch_status(reader, ["00000000-0000-0000-0000-000000000000"], start, end)),
        ("analytics:conversationAggregate:view", "the platform's own counts, to compare with", False,
         lambda: aggregates.fetch_aggregates(reader, [queue_id], start, end)),
        ("analytics:surveyAggregate:view", "the platform's own count of surveys, to compare with", False,
         lambda: aggregates.fetch_survey_aggregates(reader, [queue_id], start, end)),
        ("routing:utilization:view", "what agents hold at once, what may interrupt it; else the platform's defaults",
         False, lambda: reader.get("/api/v2/routing/utilization")),
    ]  # fmt: skip


def _tried(name: str, needed_for: str, is_needed: bool, ask: Callable[[], object]) -> Permission:
    try:
        ask()
    except AccessRefused as error:
        if error.status == 401:
            raise
        return Permission(name, needed_for, is_needed, MISSING, f"the platform names {error.permission or name}")
    except RequestRefused as error:
        return Permission(name, needed_for, is_needed, UNCLEAR, str(error))
    return Permission(name, needed_for, is_needed, GRANTED)


def limits(reader: Reader) -> dict[str, dict[str, float]]:
    """The organisation's own limits by namespace and key; a namespace that cannot be read is empty."""
    return {namespace: _limits_of(reader, namespace) for namespace in LIMITS}


def _limits_of(reader: Reader, namespace: str) -> dict[str, float]:
    try:
        answer = reader.get("/api/v2/organizations/limits/namespaces/{namespaceName}", namespaceName=namespace)
    except (AccessRefused, RequestRefused) as error:
        if error.status == 401:
            raise
        return {}
    entities = answer.get("entities") if isinstance(answer, dict) else None
    entries = [entry for entry in entities if isinstance(entry, dict)] if isinstance(entities, list) else []
    return {
        str(entry["key"]): entry["value"]
        for entry in entries
        if "key" in entry and isinstance(entry.get("value"), int | float)
    }
