"""Routing settings of queues, read from the JSON in which the platform gives them; rings also from seconds, `0/30/60`.

Names may be written as the API does (`waitSeconds`) or as its SDK for Python does (`wait_seconds`); a list may
stand alone or inside the object that holds it. What is not named here is left unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import polars as pl

from engine.data.centre import Centre
from engine.data.checks import Place, shorten
from engine.errors import InvalidTable
from engine.setting import shown

TIMEOUT = "TIMEOUT_SECONDS"
MEETS, ANY = "MEETS_THRESHOLD", "ANY"
# Genesys help centre, "Create and configure queues": six rings, six rules, 50 skills removed by a ring. The API
# shows one more ring than the help centre counts.
MOST_RINGS = 7
MOST_RULES = 6
MOST_REMOVED = 50
LONGEST_S = 1e9
BEST_SCORE = 100.0
# Queues named in one sentence.
MOST_NAMED = 5

Read = TypeVar("Read")
_OPENINGS = re.compile(r"\s*[0-9.]+(\s*/\s*[0-9.]+)*\s*", re.ASCII)


@dataclass(frozen=True)
class Ring:
    """One ring of a bullseye.

    Parameters
    ----------
    timeout_s : float or None
        Time spent in it before the next one opens; None for ever. [s]
    removed : tuple of str
        Names and ids of the skills that are not asked for any more afterwards.
    """

    timeout_s: float | None
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule of preferred-agent routing.

    Parameters
    ----------
    wait_s : float
        Time before the next rule. [s]
    least : float or None
        Smallest score that it admits, 0-100; None for any.
    """

    wait_s: float
    least: float | None = None


def rings_of(centre: Centre) -> list[tuple[Ring, ...]]:
    """Rings of each queue."""
    return _column(centre, "rings", _rings_in)


def rules_of(centre: Centre) -> list[tuple[Rule, ...]]:
    """Rules of preferred-agent routing of each queue."""
    return _column(centre, "routing_rules", _rules_in)


def problems_of(queues: pl.DataFrame, place: Place) -> Iterator[str]:
    """What no replay could read in the settings of queues, for an import to refuse.

    Parameters
    ----------
    queues : polars.DataFrame
        Columns of the table.
    place : Place
        How to name its rows.

    Yields
    ------
    str
        Row, column, value and the way out.

    Examples
    --------
    >>> queues = pl.DataFrame({"rings": ["0/30", "30/60"], "routing_rules": [None, None]})
    >>> list(problems_of(queues, Place("queues")))
    ["queues, row 1, column rings: '30/60': the first ring opens at once; begin with 0, as in 0/30/60"]
    """
    for column, read in (("rings", _rings_in), ("routing_rules", _rules_in)):
        for row, text in enumerate(queues[column].to_list()):
            try:
                read(text)
            except _Unusable as why:
                yield place.problem(row, column, text, str(why))


def unsupported(centre: Centre) -> list[str]:
    """Settings of queues that replays leave out, in words.

    Conditional groups depend on live figures of the queues. Predictive routing is not among the settings of a
    queue and cannot be named.

    Parameters
    ----------
    centre : Centre
        Column `conditional_groups` of its queues is read.

    Returns
    -------
    list of str
        Empty where nothing is left out.
    """
    given = zip(centre.queue_ids, centre.queues["conditional_groups"].to_list(), strict=True)
    queues = [queue for queue, text in given if _is_set(text)]
    if not queues:
        return []
    more = f" and {len(queues) - MOST_NAMED} more" if len(queues) > MOST_NAMED else ""
    return [
        "replays leave conditional groups out, which need live figures; queues that have them: "
        + ", ".join(map(repr, queues[:MOST_NAMED]))
        + more
    ]


class _Unusable(Exception):
    """What is wrong with a setting, and the way out."""


def _column(centre: Centre, column: str, read: Callable[[str | None], tuple[Read, ...]]) -> list[tuple[Read, ...]]:
    found: list[tuple[Read, ...]] = []
    problems: list[str] = []
    for queue, text in zip(centre.queue_ids, centre.queues[column].to_list(), strict=True):
        try:
            found.append(read(text))
        except _Unusable as why:
            problems.append(f"queues, queue {queue!r}, column {column}: {shown(text)}: {why}")
    if problems:
        raise InvalidTable(*shorten(problems))
    return found


def _parsed(text: str | None) -> Any:
    if text is None or not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at character {error.pos}"
    except (ValueError, RecursionError):
        reason = "a number is too long, or it nests too deep"
    raise _Unusable(
        f"is not JSON ({reason}); give what the platform's API gives, or leave it empty (rings may be seconds: 0/30/60)"
    )


def _is_set(text: str | None) -> bool:
    try:
        value = _parsed(text)
    except _Unusable:
        return True
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _rings_in(text: str | None) -> tuple[Ring, ...]:
    return _opening(text) if text and _OPENINGS.fullmatch(text) else _rings(_parsed(text))


def _opening(text: str) -> tuple[Ring, ...]:
    """Rings from the waits at which they open, of which none removes a skill."""
    try:
        opens_s = [float(part) for part in text.split("/")]
    except ValueError as error:
        raise _Unusable("write the seconds after which each ring opens, as in 0/30/60") from error
    if opens_s[0] != 0:
        raise _Unusable("the first ring opens at once; begin with 0, as in 0/30/60")
    lasts_s = [later - before for before, later in pairwise(opens_s)]
    if not all(seconds > 0 for seconds in lasts_s) or opens_s[-1] > LONGEST_S:
        raise _Unusable("each ring opens later than the one before; write rising seconds, as in 0/30/60")
    if len(opens_s) > MOST_RINGS:
        raise _Unusable(f"has {len(opens_s)} rings; give at most {MOST_RINGS}")
    return tuple(Ring(seconds) for seconds in [*lasts_s, None])


def _rings(value: Any) -> tuple[Ring, ...]:
    entries = _entries(value, ("bullseye", "rings"), "ring", MOST_RINGS)
    return tuple(_ring(entry, place, place == len(entries)) for place, entry in enumerate(entries, 1))


def _ring(entry: Any, place: int, is_last: bool) -> Ring:
    criteria = _get(entry, "expansion_criteria") or []
    if not isinstance(criteria, list) or len(criteria) > 1 or not (criteria or is_last):
        raise _Unusable(f"ring {place} needs one expansion criterion, a list that holds its time-out")
    timeout_s = None
    if criteria:
        if _get(criteria[0], "type") != TIMEOUT:
            raise _Unusable(f"ring {place} expands by {shown(_get(criteria[0], 'type'))}; only {TIMEOUT} is known")
        timeout_s = _number(criteria[0], "threshold", f"ring {place}", LONGEST_S)
    return Ring(timeout_s, _removed(_get(entry, "actions"), place))


def _removed(actions: Any, place: int) -> tuple[str, ...]:
    skills = _get(actions, "skills_to_remove") or []
    named = [[skill] if isinstance(skill, str) else [_get(skill, "name"), _get(skill, "id")] for skill in _list(skills)]
    texts = [[text for text in both if isinstance(text, str) and text] for both in named]
    if len(texts) > MOST_REMOVED or not all(texts):
        raise _Unusable(f"ring {place} removes skills; name each by name or id, {MOST_REMOVED} at most")
    return tuple(text for both in texts for text in both)


def _rules_in(text: str | None) -> tuple[Rule, ...]:
    entries = _entries(_parsed(text), ("routing_rules", "rules"), "rule", MOST_RULES)
    return tuple(_rule(entry, f"rule {place}") for place, entry in enumerate(entries, 1))


def _rule(entry: Any, place: str) -> Rule:
    operator = _get(entry, "operator")
    if operator not in (MEETS, ANY):
        raise _Unusable(f"{place} has operator {shown(operator)}; use {MEETS} or {ANY}")
    least = _number(entry, "threshold", place, BEST_SCORE) if operator == MEETS else None
    return Rule(_number(entry, "wait_seconds", place, LONGEST_S), least)


def _entries(value: Any, holders: Sequence[str], what: str, most: int) -> list[Any]:
    """The list of rings or rules, out of the objects that may hold it; nothing and {} stand for none."""
    for holder in holders:
        if isinstance(value, dict) and value:
            value = _get(value, holder, value)
    entries = _list([] if value is None or value == {} else value)
    if len(entries) > most or not all(isinstance(entry, dict) for entry in entries):
        seconds = ", or the seconds after which each opens, as in 0/30/60" if what == "ring" else ""
        raise _Unusable(f"has {len(entries)} entries; give at most {most} {what}s, each an object{seconds}")
    return entries


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Unusable(f"holds {shown(value)} where a list is wanted; give one")
    return value


def _get(record: Any, name: str, default: Any = None) -> Any:
    """A value under its name in either spelling."""
    if record is None:
        return default
    if not isinstance(record, dict):
        raise _Unusable(f"holds {shown(record)} where an object with {name} is wanted; give one")
    first, *rest = name.split("_")
    return record.get(name, record.get(first + "".join(word.title() for word in rest), default))


def _number(record: Any, name: str, place: str, high: float) -> float:
    value = _get(record, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise _Unusable(f"{place} has {name} {shown(value)}; use a number from 0 to {high:g}")
    return float(value)
