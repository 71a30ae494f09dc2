"""Worked examples for the documentation, in the names of the snapshot that is served, so that they run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.open_snapshots import OpenSnapshot
from engine.errors import InvalidScenario
from engine.request import narrowed, rank_request, request_terms
from engine.scenario import Scenario

ROUTING, BATCH = "/simulate/routing", "/simulate/batch"
SHOWN_DAYS = 7
TRIED = 200


@dataclass(frozen=True)
class Names:
    """What examples speak of.

    Parameters
    ----------
    queue_id, skill, language : str
        A request that somebody can take; skill and language may be None.
    start_date, end_date : datetime.date
        Days that have interactions.
    """

    queue_id: str
    skill: str | None
    language: str | None
    start_date: date
    end_date: date


# The small made-up centre that comes with the program as files.
SAMPLE = Names("care", "billing", "en", date(2024, 3, 4), date(2024, 3, 8))


@dataclass(frozen=True)
class Example:
    """One worked example.

    Parameters
    ----------
    name, summary : str
        Short name, and what it shows.
    path : str
        Where it is posted.
    body : dict
        What is posted.
    status : int
        What comes back.
    """

    name: str
    summary: str
    path: str
    body: dict[str, Any]
    status: int = 200


def names_of(data: OpenSnapshot) -> Names:
    """Names of a snapshot that examples can use.

    Parameters
    ----------
    data : OpenSnapshot
        Any snapshot.

    Returns
    -------
    Names
        Of a kind of interaction that occurs and that somebody can take.
    """
    first, last = _days(data)
    kinds = data.arrays.centre.call_types.head(TRIED).to_dicts()
    kinds.sort(key=lambda kind: not (kind["skills"] and kind["language"]))
    for kind in kinds:
        skill = kind["skills"][0] if kind["skills"] else None
        if _can_be_taken(data, kind["queue_id"], skill, kind["language"]):
            return Names(kind["queue_id"], skill, kind["language"], first, last)
    served = data.arrays.centre.member.sum(axis=1).tolist()
    queue = next((queue for queue, place in data.queues.items() if served[place]), SAMPLE.queue_id)
    return Names(queue, None, None, first, last)


def _can_be_taken(data: OpenSnapshot, queue_id: str, skill: str | None, language: str | None) -> bool:
    """Whether somebody reaches the threshold who has the skill and the language."""
    queue = data.queues[queue_id]
    scenario = Scenario(required=("skills", "language"), csat="all")
    try:
        centre = narrowed(data.arrays.centre, queue, [] if skill is None else [skill], language)
    except InvalidScenario:
        return False
    csat = data.csat(data.window_us(*_days(data))[1])
    return bool(rank_request(scenario, request_terms(scenario, centre, csat, queue)).agent.size)


def _days(data: OpenSnapshot) -> tuple[date, date]:
    interval = data.manifest.interval
    start, end = interval["start"] or data.manifest.created, interval["end"] or data.manifest.created
    first, last = (datetime.fromisoformat(text).astimezone(data.zone).date() for text in (start, end))
    return first, min(last, first + timedelta(days=SHOWN_DAYS - 1))


def examples(names: Names) -> list[Example]:
    """All worked examples, those that fail on purpose last.

    Parameters
    ----------
    names : Names
        What they speak of.

    Returns
    -------
    list of Example
        In the order of the page.
    """
    return [*_routing(names), *_batch(names), *_refused(names)]


def _routing(names: Names) -> Iterator[Example]:
    window = {"start_date": str(names.start_date), "end_date": str(names.end_date)}
    request = {"queue_id": names.queue_id, "required_skill": names.skill, "required_language": names.language}
    usual = {**request, "sla_target": "80/20", "current_performance": 0.80, **window}
    yield Example("routing", "Who would get this request, and who comes next", ROUTING, usual)
    yield Example("routing-smallest", "Nothing required but the queue", ROUTING, {"queue_id": names.queue_id, **window})
    missed = {**usual, "current_performance": 0.70}
    yield Example("routing-goal", "Below its goal: the weights move toward language", ROUTING, missed)
    weights = {"proficiency": 0.6, "language_match": 0.2, "historical_csat": 0.2, "min_score_threshold": 0.3}
    yield Example(
        "routing-explain",
        "Own weights, hard filters, three best, and why every other agent lost",
        ROUTING,
        {**request, **window, "weights": weights, "required": ["skills", "language"], "top": 3, "explain": True},
    )


def _batch(names: Names) -> Iterator[Example]:
    window = {"start_date": str(names.start_date), "end_date": str(names.end_date)}
    yield Example("batch-snapshot", "All interactions of some days of the snapshot", BATCH, window)
    rows = [
        {"id": f"call-{n}", "required_skill": skill, "required_language": language}
        for n, (skill, language) in enumerate(
            ((names.skill, names.language), (names.skill, None), (None, names.language)), start=1
        )
    ]
    yield Example(
        "batch-inline",
        "Interactions of your own, and the choice for each",
        BATCH,
        {"interactions": rows, "outcomes": True},
    )
    at = datetime(names.start_date.year, names.start_date.month, names.start_date.day, 9, tzinfo=UTC)
    timed = [
        {
            "interaction_id": f"call-{n}",
            "queue_id": names.queue_id,
            "arrived_at": (at + timedelta(minutes=5 * n)).isoformat().replace("+00:00", "Z"),
            "skills": [] if names.skill is None else [names.skill],
            "language": names.language,
            "handle_s": 240,
        }
        for n in (1, 2)
    ]
    body = {"interactions": timed, "weights": {"historical_csat": 0.6}, "csat": "asof", "expected": "uniform"}
    yield Example("batch-inline-timed", "With queue and time: only earlier surveys count", BATCH, body)


def _refused(names: Names) -> Iterator[Example]:
    window = {"start_date": str(names.start_date), "end_date": str(names.end_date)}
    request = {"queue_id": names.queue_id, **window}
    unknown = {**request, "queue_id": f"{names.queue_id}-x"}
    yield Example("unknown-queue", "Refused: no such queue, the nearest is named", ROUTING, unknown, 404)
    skill = f"{names.skill or 'skill'}-x"
    yield Example("unknown-skill", "Refused: nobody has the skill", ROUTING, {**request, "required_skill": skill}, 422)
    far = {**request, "weights": {"min_score_threshold": 9}}
    yield Example("too-high", "Refused: nobody reaches the threshold", ROUTING, far, 422)
    yield Example("live", "Refused: no platform is connected", ROUTING, {**request, "live": True}, 422)
    wrong = {"interactions": [{"id": "1", "csat": False, "handle_s": "long"}]}
    yield Example("wrong-types", "Refused: every odd value is named", BATCH, wrong, 422)
