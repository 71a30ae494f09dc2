"""One request: the agents of a queue ranked for one requirement, whether or not it ever occurred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.data.centre import Centre, Surveys
from engine.errors import InvalidScenario, UnknownSkill
from engine.near import nearest
from engine.scoring.csat import CsatTable
from engine.scoring.scores import SCALE, Block, Terms, score_keys
from engine.spec import Scenario
from engine.typing import BoolArray, FloatArray, Int32Array

_NO_NUMBERS = np.empty(0, np.int32)
_NO_SURVEYS = Surveys(*(np.empty(0, kind) for kind in ("i4", "i4", "i8", "f8", "i4", "i4", "?")))


@dataclass(frozen=True)
class Ranked:
    """Who could take one request.

    Parameters
    ----------
    agent : (n,) array of int32
        Those who reach the threshold, best first, by the one total order.
    score : (n,) array of float
        Their scores.
    best_below : float or None
        Best score among those who stay below the threshold; None where there is none.
    eligible : (n_agents,) array of bool
        By agent: member of the queue, passing the hard filters.
    """

    agent: Int32Array
    score: FloatArray
    best_below: float | None
    eligible: BoolArray


def narrowed(
    centre: Centre,
    queue: int,
    skills: Sequence[str] = (),
    language: str | None = None,
    *,
    where: str = "this snapshot",
) -> Centre:
    """The centre with one queue and one requirement, number 0; the agents keep their numbers.

    The requirement need not occur in any interaction. Surveys stay behind: satisfaction is given as a
    table when the request is ranked.

    Parameters
    ----------
    centre : Centre
        The whole centre.
    queue : int
        Place of the queue.
    skills : sequence of str
        Required skills, in any order.
    language : str, optional
        Required language.
    where : str
        What an error says the agents belong to.

    Returns
    -------
    Centre
        Small: only the columns that the requirement reads.

    Raises
    ------
    UnknownSkill
        If no agent has a skill, naming the nearest.
    InvalidScenario
        If no agent has the language, naming the nearest.
    """
    wanted = sorted(set(skills))
    columns = _places(where, "skill", wanted, centre.skills, centre.proficiency)
    asked = [] if language is None else [language]
    spoken = _places(where, "language", asked, centre.languages, centre.language_level)
    return replace(
        centre,
        queue_ids=[centre.queue_ids[queue]],
        skills=wanted,
        languages=[centre.languages[place] for place in spoken],
        proficiency=centre.proficiency[:, columns],
        language_level=centre.language_level[:, spoken],
        member=centre.member[queue : queue + 1],
        call_types=centre.call_types.clear(),
        requirement=_NO_NUMBERS,
        queue=np.zeros(1, np.int32),
        language=np.array([0 if spoken else -1], np.int32),
        skill_start=np.array([0, len(wanted)], np.int32),
        skill=np.arange(len(wanted), dtype=np.int32),
        surveys=_NO_SURVEYS,
    )


def request_terms(scenario: Scenario, centre: Centre, csat: CsatTable, queue: int) -> Terms:
    """Terms of a narrowed centre.

    Parameters
    ----------
    scenario : Scenario
        Says what is a hard filter and how language counts.
    centre : Centre
        From `narrowed`.
    csat : CsatTable
        Of the whole centre.
    queue : int
        Place of the queue in the whole centre.

    Returns
    -------
    Terms
        With columns in the order in which ties are won.
    """
    # Means are by agent and hold as they are; what stands in for missing ones is by queue.
    own = replace(csat, fill=csat.fill[:, queue : queue + 1])
    return Terms(centre, own, required=scenario.required, graded_language=scenario.language == "proficiency")


def rank_request(scenario: Scenario, terms: Terms) -> Ranked:
    """All agents who could take the request, best first.

    Parameters
    ----------
    scenario : Scenario
        Its weights, moved by its goal, and its threshold count.
    terms : Terms
        From `request_terms`; the last row of their satisfaction holds.

    Returns
    -------
    Ranked
        Possibly nobody.
    """
    used = scenario.weights_used()
    weights = np.array([used.terms])
    _, block = next(terms.blocks(np.zeros(1, np.int64), -1))
    key = score_keys(block, weights, np.array([used.threshold]))[0, 0]
    # The columns stand in the order in which ties are won, so a stable sort gives the total order.
    best = np.argsort(-key, kind="stable")[: np.count_nonzero(key)]
    eligible = np.zeros(terms.order.size, bool)
    eligible[terms.order] = block.eligible[0]
    # Looked for only where nobody was found, when it is what the refusal tells.
    below = None if best.size else _best_without_threshold(block, weights)
    return Ranked(terms.order[best], key[best] / SCALE, below, eligible)


def _best_without_threshold(block: Block, weights: FloatArray) -> float | None:
    if not block.eligible.any():
        return None
    return float(score_keys(block, weights, np.array([0.0]))[0, 0].max() / SCALE)


def _places(where: str, what: str, wanted: Sequence[str], names: list[str], level: FloatArray) -> list[int]:
    """Columns of names that at least one agent has."""
    place = {name: i for i, name in enumerate(names)} if wanted else {}
    found = []
    for name in wanted:
        column = place.get(name)
        if column is None or np.isnan(level[:, column]).all():
            raise _unknown(where, what, name, [n for i, n in enumerate(names) if not np.isnan(level[:, i]).all()])
        found.append(column)
    return found


def _unknown(where: str, what: str, name: str, held: list[str]) -> InvalidScenario:
    near = nearest(name, held, cutoff=0.5)
    hint = f"did you mean {near!r}?" if near else f"known: {', '.join(map(repr, held[:10])) or 'none'}"
    text = f"no agent of {where} has the {what} {name!r}; {hint}"
    return UnknownSkill(text) if what == "skill" else InvalidScenario(text)
