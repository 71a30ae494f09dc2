"""Members of queues, and who they are: skills, languages, presence and capacity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from engine.data.tables import TABLES
from engine.typing import Record
from ingest.genesys.objects.query_bodies import batches
from ingest.genesys.objects.utilization import Utilization
from ingest.genesys.objects.values import instant, number, record, text
from ingest.platform.pages import Reader, pages

USERS = "/api/v2/users"
# An address holds about this many ids (36 characters each) without trouble anywhere on the way.
MOST_IDS = 50
EXPAND = ["skills", "languages", "routingStatus", "presence"]
BEST = 5.0
INNERMOST, OUTERMOST = 1, 6
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s_-]+")


def fetch_members(reader: Reader, queue_id: str) -> list[Record]:
    """All members of a queue, joined or not; who belongs by user and by group may come twice."""
    found = pages(reader, "/api/v2/routing/queues/{queueId}/members", None, queueId=queue_id)
    return [entity for page in found for entity in page]


def parse_members(queue_id: str, entities: Iterable[Any]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Table members of one queue.

    Who is listed twice is in the innermost of the rings, and joined if one entry says so. Counts say what was left
    out or repaired, and why.
    """
    counts: Counter[str] = Counter()
    rows: dict[str, tuple[int, bool]] = {}
    for entity in map(record, entities):
        agent = text(entity.get("id")) or text(record(entity.get("user")).get("id"))
        if agent is None:
            counts["left out: members of a queue without id"] += 1
            continue
        ring, joined = _ring(entity, counts), _joined(entity, counts)
        if agent in rows:
            counts["merged: members listed twice in a queue"] += 1
            ring, joined = min(ring, rows[agent][0]), joined or rows[agent][1]
        rows[agent] = ring, joined
    found = [(queue_id, agent, *rows[agent]) for agent in sorted(rows)]
    return pl.DataFrame(found, TABLES["members"].schema(), orient="row"), dict(counts)


def _ring(entity: Record, counts: Counter[str]) -> int:
    given = entity.get("ringNumber")
    ring = number(given, INNERMOST, OUTERMOST)
    if ring is not None and ring.is_integer():
        return int(ring)
    if given is not None:
        counts[f"left to default: ring of a member is not one of {INNERMOST} to {OUTERMOST}"] += 1
    return INNERMOST


def _joined(entity: Record, counts: Counter[str]) -> bool:
    given = entity.get("joined")
    if given is not None and not isinstance(given, bool):
        counts["left to default: joined of a member is neither true nor false"] += 1
    return given if isinstance(given, bool) else True


def fetch_users(reader: Reader, user_ids: Sequence[str]) -> list[Record]:
    """Users by id, those who left included; who is unknown or hidden does not come."""
    found = []
    for some in batches(user_ids, MOST_IDS):
        for page in pages(reader, USERS, {"id": some, "state": "any", "expand": EXPAND}):
            found += page
    return found


def parse_agents(
    users: Iterable[Any],
    skills: Mapping[str, str],
    languages: Mapping[str, str],
    utilization: Mapping[str, Utilization],
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Table agents of the platform's users.

    Null where the platform says nothing; never an address or a title. Counts say what was left out or repaired, and
    why.
    """
    counts: Counter[str] = Counter()
    rows: dict[str, Record] = {}
    for user in map(record, users):
        agent = text(user.get("id"))
        if agent is None:
            counts["left out: users without id"] += 1
            continue
        if agent in rows:
            counts["merged: users given twice"] += 1
        rows[agent] = {
            "agent_id": agent,
            "agent_name": text(user.get("name")),
            "skills": _rated(user.get("skills"), skills, "skills", counts),
            "languages": _rated(user.get("languages"), languages, "languages", counts),
            "group": text(record(user.get("division")).get("name")),
            "presence": _presence(user),
            **_routing_status(user, counts),
            **_holds(utilization.get(agent)),
        }
    return pl.DataFrame(list(rows.values()), TABLES["agents"].schema()), dict(counts)


def _rated(given: Any, names: Mapping[str, str], what: str, counts: Counter[str]) -> list[Record] | None:
    """Active ones with their level; None where the platform gives no list."""
    if not isinstance(given, list):
        return None
    held: dict[str, float] = {}
    for entry in map(record, given):
        name = names.get(text(entry.get("id")) or "") or text(entry.get("name"))
        level = number(entry.get("proficiency"), -1e9, 1e9)
        if entry.get("state") not in (None, "active"):
            counts[f"left out: {what} of agents that are not active"] += 1
        elif name is None or level is None:
            counts[f"left out: {what} of agents without a name or a proficiency"] += 1
        else:
            if not 0 <= level <= BEST:
                counts[f"moved into 0 to {BEST:g}: proficiencies in {what} of agents"] += 1
            held[name] = max(held.get(name, 0.0), min(max(level, 0.0), BEST))
    return [{"name": name, "proficiency": held[name]} for name in sorted(held)]


def _presence(user: Record) -> str | None:
    return spelling(record(record(user.get("presence")).get("presenceDefinition")).get("systemPresence"))


def spelling(given: Any) -> str | None:
    """One spelling of a presence or a routing status: capitals with underscores; None where it is no text.

    Examples
    --------
    >>> spelling("On Queue"), spelling("OnQueue"), spelling("ON_QUEUE"), spelling(None)
    ('ON_QUEUE', 'ON_QUEUE', 'ON_QUEUE', None)
    """
    known = text(given)
    return _WORD_START.sub("_", known.strip()).upper() if known and known.strip() else None


def _routing_status(user: Record, counts: Counter[str]) -> Record:
    status = record(user.get("routingStatus"))
    name = spelling(status.get("status"))
    since = instant(status.get("startTime")) if name == "IDLE" else None
    if name == "IDLE" and since is None and status.get("startTime") is not None:
        counts["left out: unreadable times since when agents are idle"] += 1
    return {"routing_status": name, "idle_since": since}


def _holds(known: Utilization | None) -> Record:
    """What an agent can have in hand at once; null where the platform says nothing."""
    if known is None:
        return {"capacity": None, "interrupted_by": None}
    capacity = [{"media": media, "count": count} for media, count in known.capacity.items()]
    rules = [{"media": media, "by": list(by)} for media, by in known.interrupted_by.items()]
    return {"capacity": capacity or None, "interrupted_by": rules or None}
