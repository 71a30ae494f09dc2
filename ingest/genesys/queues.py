"""Queues of the platform, their settings, and the names of skills and languages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import polars as pl

from engine.data.tables import EVALUATION_METHODS, SCORING_METHODS, TABLES
from engine.errors import InvalidScenario, UnknownName
from engine.typing import Record
from ingest.genesys.queue_settings import NotReadable, conditional_groups, rings, routing_rules
from ingest.genesys.values import number, record, records, text
from ingest.platform.pages import Reader, pages

PATH = "/api/v2/routing/queues"
# Service level and alerting time of calls stand for a queue; of the others the first that has them.
MEDIA_SETTINGS = ("call", "callback", "chat", "email", "message")
LONGEST_S = 1e9
ID_SHOWN = 8


def fetch_queues(reader: Reader) -> list[Record]:
    """All queues that the client may see.

    Parameters
    ----------
    reader : Reader
        The platform.

    Returns
    -------
    list of dict
        As the platform gives them.
    """
    return [entity for page in pages(reader, PATH) for entity in page]


def fetch_names(reader: Reader, what: str) -> list[Record]:
    """All skills or languages.

    Parameters
    ----------
    reader : Reader
        The platform.
    what : {"skills", "languages"}
        Which.

    Returns
    -------
    list of dict
        With id, name and state.
    """
    return [entity for page in pages(reader, f"/api/v2/routing/{what}") for entity in page]


def names_of(entities: Iterable[Any]) -> dict[str, str]:
    """One name for each id, no name twice.

    A deleted skill's name can be made again: the active one keeps it (of two active ones the smaller id), others get
    the start of their id behind it. What has no name is called by its id.

    Parameters
    ----------
    entities : iterable of dict
        With id, name and state; deleted ones belong here too.

    Returns
    -------
    dict of str to str
        Name by id, in order of ids.

    Examples
    --------
    >>> old = {"id": "0123456789", "name": "Billing", "state": "deleted"}
    >>> names_of([old, {"id": "abcdefghij", "name": "Billing", "state": "active"}])
    {'0123456789': 'Billing (01234567)', 'abcdefghij': 'Billing'}
    """
    known = {name: entity for entity in records(list(entities)) if (name := text(entity.get("id")))}
    taken: set[str] = set()
    names: dict[str, str] = {}
    for entity_id in sorted(known, key=lambda each: (known[each].get("state") not in (None, "active"), each)):
        plain = text(known[entity_id].get("name")) or entity_id
        name = plain if plain not in taken else f"{plain} ({entity_id[:ID_SHOWN]})"
        while name in taken:
            name += f" ({entity_id})"
        names[entity_id] = name
        taken.add(name)
    return {entity_id: names[entity_id] for entity_id in sorted(names)}


def choose_queues(entities: Sequence[Any], wanted: Sequence[str]) -> list[Record]:
    """The queues that somebody means.

    Parameters
    ----------
    entities : sequence of dict
        All queues.
    wanted : sequence of str
        Names or ids, ids first where one is both; none for all.

    Returns
    -------
    list of dict
        Each once, in the order they are named.

    Raises
    ------
    UnknownName
        If one is not there, with the nearest names.
    InvalidScenario
        If a name belongs to several queues.

    Examples
    --------
    >>> choose_queues([{"id": "q1", "name": "Billing"}, {"id": "q2", "name": "Tech"}], ["Tech"])
    [{'id': 'q2', 'name': 'Tech'}]
    """
    by_id = {queue_id: entity for entity in records(list(entities)) if (queue_id := text(entity.get("id")))}
    if not wanted:
        return list(by_id.values())
    chosen: dict[str, Record] = {}
    for name in wanted:
        queue_id = name if name in by_id else _id_of(name, by_id)
        chosen[queue_id] = by_id[queue_id]
    return list(chosen.values())


def _id_of(wanted: str, by_id: Mapping[str, Record]) -> str:
    names: dict[str, list[str]] = {}
    for queue_id, entity in by_id.items():
        names.setdefault(str(entity.get("name")), []).append(queue_id)
    found = names.get(wanted, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidScenario(f"queue {wanted!r}: {len(found)} queues have this name; use an id: {', '.join(found)}")
    near = get_close_matches(wanted, names, n=3, cutoff=0.4)
    hint = f"the nearest of {len(names)} names: {', '.join(map(repr, near))}" if near else f"{len(names)} others are"
    raise UnknownName(f"queue {wanted!r} is not there, or its division is not visible to this client; {hint}")


def parse_queues(entities: Iterable[Any], skills: Mapping[str, str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Table queues of the platform's queues.

    Parameters
    ----------
    entities : iterable of dict
        Queues; of one id the last counts.
    skills : dict of str to str
        Name of each skill by id, from `names_of`.

    Returns
    -------
    frame : polars.DataFrame
        Columns of table queues; null where the platform says nothing. Rings, rules and groups are compact JSON of
        allowed fields.
    counts : dict of str to int
        What was left to defaults, by reason.
    """
    counts: Counter[str] = Counter()
    rows: dict[str, Record] = {}
    for entity in entities:
        queue_id = text(record(entity).get("id"))
        if queue_id is None:
            counts["left out: queues without id"] += 1
        else:
            rows[queue_id] = {"queue_id": queue_id, **_row(entity, skills, counts)}
    return pl.DataFrame(list(rows.values()), TABLES["queues"].schema()), dict(counts)


def _row(entity: Record, skills: Mapping[str, str], counts: Counter[str]) -> Record:
    settings = _media_settings(entity)
    level: Record = next(filter(None, (record(each.get("serviceLevel")) for each in settings)), {})
    alerting = next((each for each in settings if each.get("alertingTimeoutSeconds") is not None), {})
    duration_ms = _bounded(level, "durationMs", LONGEST_S * 1000, counts)
    return {
        "queue_name": text(entity.get("name")),
        "evaluation_method": _one_of(entity, "skillEvaluationMethod", EVALUATION_METHODS, counts),
        "scoring_method": _one_of(entity, "scoringMethod", SCORING_METHODS, counts),
        "service_level_share": _bounded(level, "percentage", 1.0, counts),
        "service_level_s": None if duration_ms is None else duration_ms / 1000,
        "alerting_timeout_s": _bounded(alerting, "alertingTimeoutSeconds", LONGEST_S, counts),
        "rings": _json("rings", lambda: rings(entity, skills), counts),
        "routing_rules": _json("routing rules", lambda: routing_rules(entity), counts),
        "conditional_groups": _json("conditional groups", lambda: conditional_groups(entity), counts),
    }


def _media_settings(entity: Record) -> list[Record]:
    """Settings by media, calls first, media that nobody has heard of last."""
    given = record(entity.get("mediaSettings"))
    order = [*MEDIA_SETTINGS, *sorted(set(given) - set(MEDIA_SETTINGS))]
    return [record(given.get(media)) for media in order]


def _one_of(entity: Record, name: str, allowed: tuple[str, ...], counts: Counter[str]) -> str | None:
    value = entity.get(name)
    if value in allowed:
        return str(value)
    if value is not None:
        counts[f"left to default: {name} of a queue is not one of {', '.join(allowed)}"] += 1
    return None


def _bounded(given: Record, name: str, high: float, counts: Counter[str]) -> float | None:
    value = number(given.get(name), 0, high)
    if value is None and given.get(name) is not None:
        counts[f"left to default: {name} of a queue is not a number from 0 to {high:g}"] += 1
    return value


def _json(what: str, read: Callable[[], Any], counts: Counter[str]) -> str | None:
    try:
        value = read()
    except NotReadable as why:
        counts[f"left to default: {what} of a queue: {why}"] += 1
        return None
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if value else None
