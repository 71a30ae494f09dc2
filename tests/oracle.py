"""The slow twin of score mode: plain loops over rows, written from the page of meanings alone.

Nothing here is shared with the engine. A scenario is read by its attribute names only, and rows are dicts,
so that whoever doubts a number can follow it with a pencil. Everything is recomputed for every interaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import Any

Row = dict[str, Any]
Rows = dict[str, list[Row]]

NULL_QUEUE_TIME_S = 9999.0
LATEST = datetime.max.replace(tzinfo=UTC)
GOAL_RULES = {
    # (goal, condition on performance) -> what is added to proficiency, language and satisfaction
    ("80/20", "below 0.75"): (-0.075, 0.15, -0.075),
    ("95/30", "at least 0.90"): (-0.05, -0.05, 0.10),
}


@dataclass(frozen=True)
class Choice:
    """What happened to one interaction."""

    agent_id: str | None
    score: float | None
    status: str


@dataclass(frozen=True)
class Terms:
    """One agent before one interaction."""

    agent_id: str
    member: bool
    passes_filter: bool
    skill: float
    language: float
    csat: float
    key: int


def as_rows(tables: Any) -> Rows:
    """All tables as lists of dicts, by name."""
    return {name: frame.to_dicts() for name, frame in tables}


# --- section 1: the score -----------------------------------------------------------------------------


def key(weights: tuple[float, float, float], p: float, lang: float, c: float) -> int:
    """A billionth of a score is one; Python's `round` takes halves to even, as rint does."""
    return round(1e9 * ((weights[0] * p + weights[1] * lang) + weights[2] * c))


def levels(rated: list[Row] | None) -> dict[str, float]:
    return {entry["name"]: entry["proficiency"] for entry in rated or []}


def required_skills(interaction: Row) -> list[str]:
    """The set of required skills; naming one twice asks for nothing more."""
    return sorted(set(interaction["skills"] or []))


def skill_term(agent: Row, interaction: Row) -> float:
    wanted = required_skills(interaction)
    if not wanted:
        return 1.0
    held = levels(agent["skills"])
    total = 0.0
    for name in wanted:
        total += min(held.get(name, 0.0) / 5, 1.0)
    return total / len(wanted)


def language_term(agent: Row, interaction: Row, how: str) -> float:
    wanted = interaction["language"]
    if wanted is None:
        return 1.0
    spoken = levels(agent["languages"])
    if how == "proficiency":
        return spoken.get(wanted, 0.0) / 5
    return 1.0 if wanted in spoken else 0.0


def passes_filter(agent: Row, interaction: Row, required: Iterable[str]) -> bool:
    """A skill or language listed at 0 counts as held."""
    if "skills" in required:
        held = levels(agent["skills"])
        if any(name not in held for name in required_skills(interaction)):
            return False
    if "language" in required and interaction["language"] is not None:
        return interaction["language"] in levels(agent["languages"])
    return True


def known_surveys(rows: Rows, arrived_at: datetime, csat: str) -> list[Row]:
    """Surveys that may count for an interaction: all, or those completed before its UTC day began.

    Rows that name an agent who is not in the agents table take no part in choices.
    """
    agents = {agent["agent_id"] for agent in rows["agents"]}
    queues = {row["interaction_id"]: row["queue_id"] for row in rows["interactions"]}
    surveys = [
        # Where a survey names no queue, its interaction does.
        survey if survey["queue_id"] is not None else {**survey, "queue_id": queues.get(survey["interaction_id"])}
        for survey in rows["surveys"]
        if survey["agent_id"] in agents
    ]
    if csat == "all":
        return surveys
    midnight = arrived_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return [survey for survey in surveys if survey["completed_at"] < midnight]


def rescaled(survey: Row) -> float:
    return (survey["score"] - survey["scale_min"]) / (survey["scale_max"] - survey["scale_min"])


def mean(values: list[float]) -> float | None:
    return fsum(values) / len(values) if values else None


def csat_term(agent_id: str, queue_id: str, surveys: list[Row], missing: Any, shrinkage: float) -> float:
    """Mean of an agent's surveys out of those that may count, or what stands in for it."""
    own = [rescaled(survey) for survey in surveys if survey["agent_id"] == agent_id]
    everybody = mean([rescaled(survey) for survey in surveys])
    if shrinkage > 0 and everybody is not None:
        return (fsum(own) + shrinkage * everybody) / (len(own) + shrinkage)
    if own:
        return fsum(own) / len(own)
    if missing == "queue-mean":
        queue = mean([rescaled(survey) for survey in surveys if survey["queue_id"] == queue_id])
        return 0.5 if queue is None else queue
    return missing


def members_of(queue_id: str, agents: list[Row], members: list[Row]) -> set[str]:
    """Agents joined to a queue; without any members table everybody is."""
    if not members:
        return {agent["agent_id"] for agent in agents}
    return {m["agent_id"] for m in members if m["queue_id"] == queue_id and m["joined"]}


def weights_of(scenario: Any) -> tuple[float, float, float]:
    """The three weights of a scenario after its goal has moved them."""
    given = scenario.weights
    plain = (given.proficiency, given.language_match, given.historical_csat)
    return moved(plain, None if scenario.goal is None else str(scenario.goal), scenario.performance)


def terms(scenario: Any, rows: Rows, interaction: Row) -> list[Terms]:
    """Every agent, in the order of the agents table."""
    surveys = known_surveys(rows, interaction["arrived_at"], scenario.csat)
    inside = members_of(interaction["queue_id"], rows["agents"], rows["members"])
    weights = weights_of(scenario)
    found = []
    for agent in rows["agents"]:
        name = agent["agent_id"]
        p = skill_term(agent, interaction)
        lang = language_term(agent, interaction, scenario.language)
        c = csat_term(name, interaction["queue_id"], surveys, scenario.csat_missing, scenario.csat_shrinkage)
        found.append(
            Terms(
                agent_id=name,
                member=name in inside,
                passes_filter=passes_filter(agent, interaction, scenario.required),
                skill=p,
                language=lang,
                csat=c,
                key=key(weights, p, lang, c),
            )
        )
    return found


def is_eligible_by_key(term: Terms, threshold: float) -> bool:
    return term.member and term.passes_filter and term.key > 0 and term.key >= round(1e9 * threshold)


# --- section 2: the order -----------------------------------------------------------------------------


def order(agent: Row, its_key: int) -> tuple[Any, ...]:
    """Smaller is better; Python compares texts by code point."""
    queue_time_s = NULL_QUEUE_TIME_S if agent["queue_time_s"] is None else agent["queue_time_s"]
    idle = agent["idle_since"]
    return (-its_key, queue_time_s, idle is None, LATEST if idle is None else idle, agent["agent_id"])


def ranking(scenario: Any, rows: Rows, interaction: Row) -> list[tuple[str, float]]:
    """All who may take the interaction, best first, with their scores."""
    row = {agent["agent_id"]: agent for agent in rows["agents"]}
    able = [
        t for t in terms(scenario, rows, interaction) if is_eligible_by_key(t, scenario.weights.min_score_threshold)
    ]
    able.sort(key=lambda t: order(row[t.agent_id], t.key))
    return [(t.agent_id, t.key / 1e9) for t in able]


def choices(scenario: Any, tables: Any) -> dict[str, Choice]:
    """The best agent for every interaction, in order of arrival and then id."""
    found = {}
    rows = as_rows(tables)
    for interaction in in_time_order(rows["interactions"]):
        ranked = ranking(scenario, rows, interaction)
        best = Choice(*ranked[0], status="routed") if ranked else Choice(None, None, "unrouted")
        found[interaction["interaction_id"]] = best
    return found


def in_time_order(interactions: list[Row]) -> list[Row]:
    return sorted(interactions, key=lambda row: (row["arrived_at"], row["interaction_id"]))


def matrix(scenario: Any, tables: Any) -> list[list[float]]:
    """Score of every interaction (rows as given) with every agent; 0 where not possible."""
    rows = as_rows(tables)
    return [
        [
            t.key / 1e9 if is_eligible_by_key(t, scenario.weights.min_score_threshold) else 0.0
            for t in terms(scenario, rows, interaction)
        ]
        for interaction in rows["interactions"]
    ]


# --- section 3: goals ---------------------------------------------------------------------------------


def moved(weights: tuple[float, float, float], goal: str | None, performance: float) -> tuple[float, float, float]:
    """Weights after the rule of a goal, if one applies."""
    shift = None
    if goal == "80/20" and performance < 0.75:
        shift = GOAL_RULES["80/20", "below 0.75"]
    if goal == "95/30" and performance >= 0.90:
        shift = GOAL_RULES["95/30", "at least 0.90"]
    if shift is None:
        return weights
    clipped = [max(0.0, weight + add) for weight, add in zip(weights, shift, strict=True)]
    total = clipped[0] + clipped[1] + clipped[2]
    return clipped[0] / total, clipped[1] / total, clipped[2] / total


# --- what a score run implies about simultaneous work ----------------------------------------------------


def implied_peak(rows: list[tuple[datetime, float | None]]) -> int:
    """Most interactions at once, each busy from arrival for its handling time, the end not included."""
    spells = [(start, start + timedelta(seconds=handle_s)) for start, handle_s in rows if handle_s is not None]
    peak = 0
    for moment, _ in spells:
        peak = max(peak, sum(start <= moment < end for start, end in spells))
    return peak


def peaks(tables: Any, chosen: dict[str, Choice]) -> dict[str, int]:
    """Implied peak of every agent who was chosen at all."""
    work: dict[str, list[tuple[datetime, float | None]]] = {}
    for row in tables.interactions.to_dicts():
        name = chosen[row["interaction_id"]].agent_id
        if name is not None:
            work.setdefault(name, []).append((row["arrived_at"], row["handle_s"]))
    return {name: implied_peak(rows) for name, rows in work.items()}
