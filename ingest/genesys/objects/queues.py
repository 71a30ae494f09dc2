"""Queues of the platform, their settings, and the names of skills and languages.

Whatever comes out can be read by `engine.methods.settings`, so a setting that it would refuse is refused here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import polars as pl

from engine.data.tables import EVALUATION_METHODS, SCORING_METHODS, TABLES
from engine.errors import InvalidScenario, UnknownName
from engine.methods.settings import ANY, BEST_SCORE, LONGEST_S, MEETS, MOST_REMOVED, MOST_RINGS, MOST_RULES, TIMEOUT
from engine.typing import Record
from ingest.genesys.objects.values import number, record, records, text
from ingest.platform.pages import Reader, pages

PATH = "/api/v2/routing/queues"
# Service level and alerting time of calls stand for a queue; of the others the first that has them.
MEDIA_SETTINGS = ("call", "callback", "chat", "email", "message")
ID_SHOWN = 8


def fetch_queues(reader: Reader) -> list[Record]:
    """All queues that the client may see."""
    return [entity for page in pages(reader, PATH) for entity in page]


def fetch_names(reader: Reader, what: str) -> list[Record]:
    """All skills or languages."""
    return [entity for page in pages(reader, f"/api/v2/routing/{what}") for entity in page]


def names_of(entities: Iterable[Any]) -> dict[str, str]:
    """One name for each id, no name twice.

    A deleted skill's name can be made again: the active one keeps it (of two active ones the smaller id), others
    get the start of their id behind it. What has no name is called by its id. Deleted entities belong here too.

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
    """The queues that somebody means by names or ids (ids first where one is both), each once, in the order named.

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

    Null where the platform says nothing; rings, rules and groups are compact JSON of allowed fields. Counts say
    what was left to defaults, and why.
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


_LOW, _HIGH = -1e12, 1e12


class NotReadable(ValueError):
    """Why a setting cannot be used, in words that name no queue."""


def rings(queue: Record, skills: Mapping[str, str]) -> list[Record]:
    """Rings of a bullseye."""
    given = _entries(record(queue.get("bullseye")).get("rings"), "ring", MOST_RINGS)
    return [_ring(ring, skills, is_last=place == len(given)) for place, ring in enumerate(given, 1)]


def _ring(ring: Record, skills: Mapping[str, str], is_last: bool) -> Record:
    criteria = _entries(ring.get("expansionCriteria"), "expansion criterion", 1)
    if not (criteria or is_last):
        raise NotReadable("a ring has no time-out")
    removed = _entries(record(ring.get("actions")).get("skillsToRemove"), "skill to remove", MOST_REMOVED)
    kept: Record = {}
    if criteria:
        if criteria[0].get("type") != TIMEOUT:
            raise NotReadable(f"a ring expands by something other than {TIMEOUT}")
        kept["expansionCriteria"] = [{"type": TIMEOUT, "threshold": _number(criteria[0], "threshold", LONGEST_S)}]
    if removed:
        kept["actions"] = {"skillsToRemove": [_skill(skill, skills) for skill in removed]}
    groups = _groups(ring.get("memberGroups"))
    return kept | ({"memberGroups": groups} if groups else {})


def _skill(skill: Record, skills: Mapping[str, str]) -> Record:
    skill_id = text(skill.get("id"))
    name = skills.get(skill_id or "") or text(skill.get("name"))
    found = {key: value for key, value in (("id", skill_id), ("name", name)) if value}
    if not found:
        raise NotReadable("a ring removes a skill that has neither id nor name")
    return found


def routing_rules(queue: Record) -> list[Record]:
    """Rules of preferred-agent routing."""
    return [_rule(rule) for rule in _entries(queue.get("routingRules"), "rule", MOST_RULES)]


def _rule(rule: Record) -> Record:
    operator = rule.get("operator")
    if operator not in (MEETS, ANY):
        raise NotReadable(f"a rule's operator is neither {MEETS} nor {ANY}")
    kept: Record = {"operator": operator, "waitSeconds": _number(rule, "waitSeconds", LONGEST_S)}
    return kept | ({"threshold": _number(rule, "threshold", BEST_SCORE)} if operator == MEETS else {})


def conditional_groups(queue: Record) -> Record:
    """Conditional group routing and activation; replays only say that they are there."""
    routing = [_routing_rule(rule) for rule in records(record(queue.get("conditionalGroupRouting")).get("rules"))]
    activation = record(queue.get("conditionalGroupActivation"))
    activated = [_activation_rule(rule) for rule in records(activation.get("rules"))]
    pilot = _activation_rule(record(activation.get("pilotRule")))
    found: Record = {"conditionalGroupRouting": {"rules": routing}} if routing else {}
    if pilot or activated:
        kept = {"pilotRule": pilot, "rules": activated}
        found["conditionalGroupActivation"] = {name: value for name, value in kept.items() if value}
    return found


def _routing_rule(rule: Record) -> Record:
    queue = text(record(rule.get("queue")).get("id"))
    return _filled(
        {
            **_comparison(rule, "conditionValue"),
            "metric": text(rule.get("metric")),
            "queue": {"id": queue} if queue else None,
            "waitSeconds": number(rule.get("waitSeconds"), 0, LONGEST_S),
            "groups": _groups(rule.get("groups")),
        }
    )


def _activation_rule(rule: Record) -> Record:
    return _filled(
        {
            "conditions": [_condition(condition) for condition in records(rule.get("conditions"))],
            "conditionExpression": text(rule.get("conditionExpression")),
            "groups": _groups(rule.get("groups")),
        }
    )


def _condition(condition: Record) -> Record:
    simple = record(condition.get("simpleMetric"))
    queue = text(record(simple.get("queue")).get("id"))
    metric = _filled({"metric": text(simple.get("metric")), "queue": {"id": queue} if queue else None})
    return _filled({**_comparison(condition, "value"), "simpleMetric": metric})


def _comparison(rule: Record, value: str) -> Record:
    return {"operator": text(rule.get("operator")), value: number(rule.get(value), _LOW, _HIGH)}


def _groups(value: Any) -> list[Record]:
    """Ids and types of groups, without their names."""
    return [_filled({"id": text(group.get("id")), "type": text(group.get("type"))}) for group in records(value)]


def _filled(fields: Record) -> Record:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _entries(value: Any, what: str, most: int) -> list[Record]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most or not all(isinstance(entry, dict) for entry in value):
        raise NotReadable(f"has more than {most} of, or something that is no {what}")
    return value


def _number(given: Record, name: str, high: float) -> float:
    value = number(given.get(name), 0, high)
    if value is None:
        raise NotReadable(f"{name} is not a number from 0 to {high:g}")
    return value
