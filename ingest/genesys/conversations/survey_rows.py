"""Surveys inside one conversation, and the visit each is about."""

from __future__ import annotations

from typing import Any

from engine.typing import Record
from ingest.genesys.conversations.answers import Visit
from ingest.genesys.conversations.sessions import OddShape, check_time
from ingest.genesys.conversations.tidy import MOST_SCORE
from ingest.genesys.objects.values import number

FINISHED = frozenset(("finished", "completed"))


def survey_rows(conversation: Record, visits: list[Visit], width: int) -> tuple[list[tuple[Any, ...]], list[str]]:
    """Rows of frame surveys: those that were finished and have a score."""
    rows: dict[str, tuple[Any, ...]] = {}
    reasons = []
    for survey in conversation.get("surveys") or ():
        survey_id, status = survey.get("surveyId") or "", survey.get("surveyStatus") or ""
        agent, queue = survey.get("userId") or "", survey.get("queueId") or ""
        at = survey.get("surveyCompletedDate") or survey.get("eventTime")
        "".join((survey_id, status, agent, queue))
        score = survey.get("oSurveyTotalScore")
        if score is not None and number(score, -MOST_SCORE, MOST_SCORE) is None:
            raise OddShape("oSurveyTotalScore")
        if at is not None:
            check_time(at, width)
        why = _unusable(survey_id, status, score, at)
        if why:
            reasons.append(why)
            continue
        if survey_id in rows:
            reasons.append("survey given twice")
        rows[survey_id] = (
            conversation["conversationId"], _visit(visits, agent, queue), survey_id, agent or None, queue or None, at,
            float(score), status,
        )  # fmt: skip
    return list(rows.values()), reasons


def _unusable(survey_id: str, status: str, score: object, at: str | None) -> str | None:
    if not survey_id:
        return "survey without id"
    if status.casefold() not in FINISHED:
        return "survey not finished"
    if score is None:
        return "survey without score"
    return None if at else "survey without a time of completion"


def _visit(visits: list[Visit], agent: str, queue: str) -> int | None:
    """The last visit of this queue and agent, else of the agent, else of the queue."""
    of_agent = [visit for visit in visits if agent and visit.answer is not None and visit.answer.user_id == agent]
    of_queue = [visit for visit in visits if queue and visit.session.queue == queue]
    both = [visit for visit in of_agent if visit in of_queue]
    for found in (both, of_agent, of_queue):
        if found:
            return found[-1].number
    return None
