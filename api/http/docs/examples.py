"""Worked examples for the documentation, in the names of the snapshot that is served, so that they run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from api.http.serving.open_snapshots import OpenSnapshot
from engine.data.centre import Blocks
from engine.errors import InvalidScenario
from engine.selection.request import narrowed, rank_request, request_terms
from engine.spec import Scenario

ROUTING, BATCH = "/simulate/routing", "/simulate/batch"
SHOWN_DAYS = 7
TRIED = 200
ABOUT_REPLAY = (
    "Every customer arrives when recorded; agents are busy while they work, queues form, the impatient leave. Read "
    "light first: whether today's rule, replayed, gives the waits that were recorded. Then columns: the record, "
    "today's rule and this scenario on the same customers; differences and verdict compare the last two. Where the "
    "scenario is today's rule itself there are two columns and no differences. "
    "service_level has the scenario whole, by queue and by interval; goal says what moving the weights changed; "
    "warnings, what to know before trusting a number."
)
ABOUT_STUDY = (
    "Every scenario meets the same customers, once with recorded handling times and once with times that change with "
    "the agent. Read light first, one for all. Each of sides has columns (the record, the baseline, the scenarios) "
    "and differences to the baseline with their intervals; verdicts say what holds on both."
)
ABOUT_LIVE = (
    "With source live, the agents of the queue who are available now are ranked, and live says when they were read and "
    "how many there are by status. If the platform cannot be asked, degraded says why and since when, and source what "
    "stands in: snapshot, the newest snapshot or the one named (snapshot.age_s tells its age); or fallback, where that "
    "has no such queue: members last read take turns, without scores. If there is neither, the answer is 503."
)
ABOUT_INLINE_REPLAY = (
    "The agents of the snapshot serve them while its staffing says that they were on queue; where the snapshot has no "
    "staffing, while the interactions given here say that they were at work. Each outcome has wait_s, start_at, end_at."
)


@dataclass(frozen=True)
class Names:
    """What examples speak of.

    Parameters
    ----------
    queue_id, skill, language : str
        A request that somebody can take; skill and language may be None.
    start_date, end_date : datetime.date
        Days that have interactions.
    agent_id : str
        An agent of the queue.
    on_queue_at : datetime.datetime
        When the agent is on queue, if that is known. [UTC]
    can_replay : bool
        Whether these days hold what a replay needs: handling times, and staffing or who answered.
    """

    queue_id: str
    skill: str | None
    language: str | None
    start_date: date
    end_date: date
    agent_id: str
    on_queue_at: datetime
    can_replay: bool = True


# The small made-up centre that comes with the program as files.
SAMPLE = Names(
    "care", "billing", "en", date(2024, 3, 4), date(2024, 3, 8), "a01", datetime(2024, 3, 4, 9, tzinfo=UTC)
)  # fmt: skip


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
    about : str
        How to read the answer, where that is not plain.
    """

    name: str
    summary: str
    path: str
    body: dict[str, Any]
    status: int = 200
    about: str = ""


def names_of(data: OpenSnapshot) -> Names:
    """Names of a snapshot that examples can use."""
    kinds = data.arrays.centre.call_types.head(TRIED).to_dicts()
    kinds.sort(key=lambda kind: not (kind["skills"] and kind["language"]))
    for kind in kinds:
        skill = kind["skills"][0] if kind["skills"] else None
        if _can_be_taken(data, kind["queue_id"], skill, kind["language"]):
            return _named(data, kind["queue_id"], skill, kind["language"])
    served = data.arrays.centre.member.sum(axis=1).tolist()
    queue = next((queue for queue, place in data.queues.items() if served[place]), SAMPLE.queue_id)
    return _named(data, queue, None, None)


def _named(data: OpenSnapshot, queue_id: str, skill: str | None, language: str | None) -> Names:
    first, last = _days(data)
    centre = data.arrays.centre
    members = np.flatnonzero(centre.member[data.queues[queue_id]]) if queue_id in data.queues else np.arange(1)
    agent = int(members[0]) if members.size else 0
    start_us, _ = data.window_us(first, last)
    at = _on_queue_at(centre.staffing, agent, start_us) or _morning(first)
    return Names(queue_id, skill, language, first, last, centre.agent_ids[agent], at, _can_replay(data))


def _morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def _on_queue_at(staffing: Blocks, agent: int, start_us: int) -> datetime | None:
    """Start of the agent's first block from an instant on."""
    starts_us = staffing.start_us[(staffing.agent == agent) & (staffing.start_us >= start_us)]
    return datetime.fromtimestamp(int(starts_us.min()) // 1_000_000 + 1, UTC) if starts_us.size else None


def _can_replay(data: OpenSnapshot) -> bool:
    """Looks at the shown days only, and no further than to the first interaction that says enough."""
    arrays = data.arrays.window(*data.window_us(*_days(data)))
    is_staffed = bool(data.manifest.rows.get("staffing"))
    batch = None
    for batch in arrays.batches():
        timed = batch.handle_s is not None and (batch.handle_s > 0)
        named = is_staffed or (batch.agent is not None and (batch.agent >= 0))
        if np.any(timed & named):
            return True
    # Where nothing arrived there is nothing to miss but staffing.
    return is_staffed and batch is None


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


def examples(names: Names, *, asks_platform: bool = False) -> list[Example]:
    """All worked examples, those that fail on purpose last."""
    live = _live(names, asks_platform)
    shown = [*_routing(names), *_batch(names), *_refused(names), live]
    return sorted(shown, key=lambda example: example.status != 200)


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


def _live(names: Names, asks_platform: bool) -> Example:
    body = {"queue_id": names.queue_id, "start_date": str(names.start_date), "end_date": str(names.end_date)}
    if asks_platform:
        summary, status = "Live: who is available on the platform now", 200
    else:
        summary, status = "Refused: live, but no platform is connected", 422
    return Example("live", summary, ROUTING, {**body, "live": True}, status, about=ABOUT_LIVE)


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
    timed = _calls(names, 2, _morning(names.start_date))
    body = {"interactions": timed, "weights": {"historical_csat": 0.6}, "csat": "asof", "expected": "uniform"}
    yield Example("batch-inline-timed", "With queue and time: only earlier surveys count", BATCH, body)
    yield from _replay(names)


def _replay(names: Names) -> Iterator[Example]:
    body = {
        "mode": "replay", "sla_target": "80/20", "current_performance": "rolling",
        "start_date": str(names.start_date), "end_date": str(names.end_date),
    }  # fmt: skip
    if names.can_replay:
        summary = (
            "Replay some days of the snapshot: how long customers wait, and whether these weights beat today's rule"
        )
        yield Example("batch-replay", summary, BATCH, body, about=ABOUT_REPLAY)
    if names.can_replay:
        scenarios = [
            {"name": "more language", "method": "weighted", "weights": [0.2, 0.6, 0.2], "threshold": 0},
            {"name": "calls a tenth shorter", "handle": 0.9},
        ]
        study = {"scenario": scenarios, "from": str(names.start_date), "to": str(names.end_date)}
        yield Example("study", "A study: two scenarios beside today's rule", BATCH, study, about=ABOUT_STUDY)
    # Where only these calls say who was on queue, one agent was: the second waits, the third leaves.
    answered = {"agent_id": names.agent_id, "outcome": "answered", "wait_s": 0}
    came = (answered, {**answered, "wait_s": 180}, {"outcome": "abandoned", "wait_s": 30})
    calls = [{**call, **what} for call, what in zip(_calls(names, 3, names.on_queue_at, 1), came, strict=True)]
    own = {"mode": "replay", "method": "longest_idle", "interactions": calls, "outcomes": True}
    summary = "Replay interactions of your own: who answers when, and who leaves"
    yield Example("batch-replay-inline", summary, BATCH, own, about=ABOUT_INLINE_REPLAY)


def _calls(names: Names, n: int, at: datetime, minutes: int = 5) -> list[dict[str, Any]]:
    """Inline interactions some minutes apart."""
    return [
        {
            "interaction_id": f"call-{number}",
            "queue_id": names.queue_id,
            "arrived_at": (at + timedelta(minutes=minutes * number)).isoformat().replace("+00:00", "Z"),
            "skills": [] if names.skill is None else [names.skill],
            "language": names.language,
            "handle_s": 240,
        }
        for number in range(1, n + 1)
    ]


def _refused(names: Names) -> Iterator[Example]:
    window = {"start_date": str(names.start_date), "end_date": str(names.end_date)}
    request = {"queue_id": names.queue_id, **window}
    unknown = {**request, "queue_id": f"{names.queue_id}-x"}
    yield Example("unknown-queue", "Refused: no such queue, the nearest is named", ROUTING, unknown, 404)
    skill = f"{names.skill or 'skill'}-x"
    yield Example("unknown-skill", "Refused: nobody has the skill", ROUTING, {**request, "required_skill": skill}, 422)
    far = {**request, "weights": {"min_score_threshold": 9}}
    yield Example("too-high", "Refused: nobody reaches the threshold", ROUTING, far, 422)
    idle = {**window, "method": "longest_idle"}
    yield Example("replay-only", "Refused: in score mode nobody is ever busy or idle", BATCH, idle, 422)
    if not names.can_replay:
        unstaffed = {"mode": "replay", **window}
        yield Example("unstaffed", "Refused: nothing says who was on queue, so nothing replays", BATCH, unstaffed, 422)
    wrong = {"interactions": [{"id": "1", "csat": False, "handle_s": "long"}]}
    yield Example("wrong-types", "Refused: every odd value is named", BATCH, wrong, 422)
