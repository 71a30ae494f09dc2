"""Rings, preferred-agent rules and conditional groups of a queue: what is allowed of them, as plain JSON.

Whatever comes out can be read by `engine.methods.settings`, so a setting that it would refuse is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.methods.settings import ANY, BEST_SCORE, LONGEST_S, MEETS, MOST_REMOVED, MOST_RINGS, MOST_RULES, TIMEOUT
from engine.typing import Record
from ingest.genesys.values import number, record, records, text

_LOW, _HIGH = -1e12, 1e12


class NotReadable(ValueError):
    """Why a setting cannot be used, in words that name no queue."""


def rings(queue: Record, skills: Mapping[str, str]) -> list[Record]:
    """Rings of a bullseye.

    Parameters
    ----------
    queue : dict
        As the platform gives it.
    skills : dict of str to str
        Name of each skill by id.

    Returns
    -------
    list of dict
        expansionCriteria, actions.skillsToRemove and memberGroups; empty where there are none.

    Raises
    ------
    NotReadable
        If one cannot be replayed.
    """
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
    """Rules of preferred-agent routing.

    Parameters
    ----------
    queue : dict
        As the platform gives it.

    Returns
    -------
    list of dict
        operator, threshold and waitSeconds; empty where there are none.

    Raises
    ------
    NotReadable
        If one cannot be replayed.
    """
    return [_rule(rule) for rule in _entries(queue.get("routingRules"), "rule", MOST_RULES)]


def _rule(rule: Record) -> Record:
    operator = rule.get("operator")
    if operator not in (MEETS, ANY):
        raise NotReadable(f"a rule's operator is neither {MEETS} nor {ANY}")
    kept: Record = {"operator": operator, "waitSeconds": _number(rule, "waitSeconds", LONGEST_S)}
    return kept | ({"threshold": _number(rule, "threshold", BEST_SCORE)} if operator == MEETS else {})


def conditional_groups(queue: Record) -> Record:
    """Conditional group routing and activation; replays only say that they are there.

    Parameters
    ----------
    queue : dict
        As the platform gives it.

    Returns
    -------
    dict
        conditionalGroupRouting and conditionalGroupActivation, those that have rules.
    """
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
