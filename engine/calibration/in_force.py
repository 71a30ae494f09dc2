"""The rule in force as a log shows it, read into a data set before it is replayed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from engine.data.arrays import Arrays
from engine.data.centre import Centre
from engine.errors import InvalidScenario
from engine.methods.settings import TIMEOUT
from engine.results import about
from engine.setting import shown

# Two rings of which the second opens at once: inner members are asked first, and the others when none of them is free.
AT_ONCE = json.dumps({"rings": [{"expansion_criteria": [{"type": TIMEOUT, "threshold": 0}]}, {}]})


@dataclass(frozen=True)
class ClassPoints:
    """What a recorded priority is worth."""

    priority: float = about("As recorded. [points]")
    points: float = about("As it counts in a replay. [points]")


@dataclass(frozen=True)
class Desk:
    """Who serves a kind of call, where that is not everybody who ever did; agents not named serve it as recorded."""

    queue_id: str = about("Queue of the calls.")
    skills: list[str] = about("Their required skills.")
    language: str | None = about("Their required language; null where any will do.")
    desk_id: str = about("Queue in which a replay has them: their own, where the queue holds other kinds too.")
    overflow: list[str] = about("Agents who take them only when no member of the desk is free.")
    incidental: list[str] = about("Agents who do not take them.")


TEXTS, MAYBE = "texts", "text or null"
DESK = {"queue_id": str, "skills": TEXTS, "language": MAYBE, "desk_id": str, "overflow": TEXTS, "incidental": TEXTS}
# What a field of a calibration file may hold, and how that is called.
KINDS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    float: (lambda value: type(value) in {int, float} and math.isfinite(value), "a number"),
    str: (lambda value: isinstance(value, str), "a text"),
    list: (lambda value: isinstance(value, list), "a list"),
    TEXTS: (lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value), "a list of texts"),
    MAYBE: (lambda value: value is None or isinstance(value, str), "a text, or null"),
}


@dataclass(frozen=True)
class InForce:
    """What a calibration found of the rule in force, beside the assumptions."""

    priorities: list[ClassPoints] = about("Recorded priorities that count otherwise; empty: all count as recorded.")
    desks: list[Desk] = about("Kinds of call that not everybody serves alike who ever answered one.")

    @classmethod
    def of(cls, said: Any) -> InForce:
        """As a calibration file holds it; nothing where it holds none.

        Raises
        ------
        InvalidScenario
            If it is none, naming the field and what it must be.
        """
        if said is None:
            return cls([], [])
        held = _read("in_force", said, {"priorities": list, "desks": list})
        points = [
            _read(f"in_force.priorities[{place}]", row, dict.fromkeys(("priority", "points"), float))
            for place, row in enumerate(held["priorities"])
        ]
        desks = [_read(f"in_force.desks[{place}]", row, DESK) for place, row in enumerate(held["desks"])]
        known = [ClassPoints(float(row["priority"]), float(row["points"])) for row in points]
        if any(later.priority <= one.priority for one, later in pairwise(known)):
            raise InvalidScenario("in_force.priorities does not rise from one to the next")
        return cls(known, [Desk(**row) for row in desks])

    def applied(self, arrays: Arrays) -> Arrays:
        """A data set as this rule reads it; the record stays as it is.

        Parameters
        ----------
        arrays : Arrays
            Of the centre whose rule it is; classes, kinds and agents it does not know stay as recorded.

        Returns
        -------
        Arrays
            With what was changed among the assumptions of its summary.
        """
        said = list(self._said())
        if not said:
            return arrays
        centre, snapshot = arrays.centre, arrays.snapshot
        if self.priorities:
            centre = _with_priorities(centre, self.priorities)
        for desk in self.desks:
            centre = _with_desk(centre, desk)
        return replace(
            arrays, centre=centre, snapshot=replace(snapshot, assumptions=[*snapshot.assumptions, *said])
        )  # fmt: skip

    def _said(self) -> Iterator[str]:
        if self.priorities:
            yield "Priorities count as calibrated: " + ", ".join(
                f"{one.priority:g} as {one.points:g} points" for one in self.priorities
            )
        for desk in self.desks:
            sides = {"do not take them": desk.incidental, "take them when no member is free": desk.overflow}
            told = "; ".join(f"{', '.join(agents)} {words}" for words, agents in sides.items() if agents)
            yield f"Desk as calibrated, {desk_text(desk.queue_id, desk.skills, desk.language)}: {told}"


def _read(where: str, said: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one object, each of its kind."""
    if not isinstance(said, dict):
        raise InvalidScenario(f"{where} is {shown(said)}, not an object")
    if missing := [name for name in fields if name not in said]:
        raise InvalidScenario(f"{where} has no {missing[0]}")
    for name, kind in fields.items():
        fits, words = KINDS[kind]
        if not fits(said[name]):
            raise InvalidScenario(f"{where}.{name} is {shown(said[name])}, not {words}")
    return {name: said[name] for name in fields}


def desk_text(queue_id: str, skills: Sequence[str], language: str | None) -> str:
    """A kind of call as people read it.

    Examples
    --------
    >>> desk_text("sales", ["PS"], None)
    'sales, PS'
    """
    return ", ".join(filter(None, [queue_id, ";".join(skills), language]))


def _with_priorities(centre: Centre, known: Sequence[ClassPoints]) -> Centre:
    recorded, points = (np.array([getattr(one, name) for one in known]) for name in ("priority", "points"))
    given = centre.call_types["priority"].to_numpy()
    # Beyond the classes that were seen a point is a point, so that order and distances stay as recorded.
    beyond = np.minimum(given - recorded[0], 0.0) + np.maximum(given - recorded[-1], 0.0)
    counted = np.interp(given, recorded, points) + beyond
    return replace(centre, call_types=centre.call_types.with_columns(priority=pl.Series(counted)))


def _with_desk(centre: Centre, desk: Desk) -> Centre:
    """A centre in which a kind has its desk: rings of its queue, or a queue of its own."""
    kind = kind_of(centre, desk)
    if kind < 0:
        return centre
    place = int(centre.queue[kind])
    if desk.desk_id != desk.queue_id:
        centre = _with_queue(centre, kind, desk.desk_id)
        place = len(centre.queue_ids) - 1
    ring, agent = centre.ring.copy(), {name: number for number, name in enumerate(centre.agent_ids)}
    for number, names in ((0, desk.incidental), (2, desk.overflow)):
        known = [agent[name] for name in names if name in agent]
        ring[place, known] = np.where(ring[place, known] > 0, number, 0)
    rings = centre.queues["rings"].to_list()
    rings[place] = AT_ONCE if (ring[place] > 1).any() else rings[place]
    queues = centre.queues.with_columns(rings=pl.Series(rings, dtype=pl.String))
    return replace(centre, ring=ring, member=ring > 0, queues=queues)


def kind_of(centre: Centre, desk: Desk) -> int:
    """Requirement of a desk's calls, -1 where the data set has none."""
    for kind in range(centre.n_requirements):
        needed = centre.skill[centre.skill_start[kind] : centre.skill_start[kind + 1]]
        skills = [centre.skills[place] for place in needed]
        language = None if centre.language[kind] < 0 else centre.languages[centre.language[kind]]
        if (centre.queue_ids[centre.queue[kind]], skills, language) == (desk.queue_id, desk.skills, desk.language):
            return kind
    return -1


def _with_queue(centre: Centre, kind: int, queue_id: str) -> Centre:
    """A centre in which a requirement has a queue of its own, with the settings and members of the one it was in."""
    place, new = int(centre.queue[kind]), len(centre.queue_ids)
    row = centre.queues[place].with_columns(queue_id=pl.lit(queue_id), queue_name=pl.lit(queue_id))
    queue = centre.queue.copy()
    queue[kind] = new
    of_type = centre.requirement == kind
    names = pl.Series(np.where(of_type, queue_id, centre.call_types["queue_id"].to_numpy()), dtype=pl.String)
    surveys = centre.surveys
    asked = (surveys.call_type >= 0) & np.append(of_type, False)[surveys.call_type]
    return replace(
        centre, queue=queue, queue_ids=[*centre.queue_ids, queue_id], queues=pl.concat([centre.queues, row]),
        call_types=centre.call_types.with_columns(queue_id=names),
        ring=np.vstack([centre.ring, centre.ring[place]]), member=np.vstack([centre.member, centre.member[place]]),
        surveys=replace(surveys, queue=np.where(asked, new, surveys.queue).astype(surveys.queue.dtype)),
    )  # fmt: skip
