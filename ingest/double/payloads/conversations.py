"""Conversations as the platform writes them, made from tables only when somebody asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.typing import BoolArray, IntArray
from ingest.double.centre.facts import (
    ANI,
    ATTRIBUTE,
    CONTACT,
    DELETED_SKILL,
    DNIS,
    MAIL,
    PERSON,
    Missed,
    Unscored,
    platform_id,
)
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.stamps import text
from ingest.double.payloads.calls import call_payload
from ingest.double.payloads.people import HOME
from ingest.double.payloads.sessions import agent_sessions, metric, missed_session, queue_session, segment

Json = dict[str, Any]

NEVER = np.iinfo(np.int64).max
FORM = platform_id("survey form", "after every call")
# How the customer is reached, by media.
ADDRESSES: dict[str, Json] = {
    "voice": {"ani": ANI, "dnis": DNIS},
    "callback": {"callbackNumbers": [ANI], "callbackUserName": PERSON},
    "email": {"addressFrom": MAIL, "addressTo": "service@example.com"},
    "chat": {"addressFrom": MAIL},
    "message": {"addressFrom": ANI, "messageType": "sms"},
}


class Conversations:
    """All conversations of an organisation, in order of their start.

    `start_ms` and `end_ms` are the life of each, `NEVER` where it is not over [ms since 1970].
    """

    def __init__(self, organisation: Organisation) -> None:
        facts = organisation.facts
        self._visits = organisation.visits
        self._calls = facts.calls
        lives = _lives(organisation)
        self.ids = lives["conversation_id"]
        self.start_ms: IntArray = lives["start_ms"].to_numpy()
        self.end_ms: IntArray = lives["end_ms"].to_numpy()
        self._first: IntArray = lives["first"].to_numpy()
        self._number: IntArray = lives["number"].to_numpy()
        self.has_visits: BoolArray = self._number > 0
        self._facts = facts
        self._missed: dict[str, list[Missed]] = {}
        for missed in facts.missed:
            self._missed.setdefault(missed.conversation_id, []).append(missed)
        self._unscored: dict[str, list[Unscored]] = {}
        for unscored in facts.unscored:
            self._unscored.setdefault(unscored.conversation_id, []).append(unscored)
        self._surveys, self._survey_place = self._place_surveys(organisation)
        queues = organisation.tables.queues.select(
            "queue_id", (pl.col("service_level_s") * 1000).round().cast(pl.Int64)
        )
        self._over_sla_ms = dict(queues.iter_rows())
        self._skill_id = {name: key for key, name in organisation.skills.items()} | {DELETED_SKILL: DELETED_SKILL}
        self._language_id = {name: key for key, name in organisation.languages.items()}

    def __len__(self) -> int:
        return self.ids.len()

    def payloads(self, places: IntArray, with_attributes: bool) -> list[Json]:
        """Some conversations as the platform writes them."""
        number = self._number[places]
        upto = np.cumsum(number)
        rows = np.repeat(self._first[places] - (upto - number), number) + np.arange(number.sum())
        visits = self._visits[rows].to_dicts()
        surveys = self._surveys_of(places)
        found = []
        for place, end, n in zip(places.tolist(), upto.tolist(), number.tolist(), strict=True):
            if n == 0:
                payload = call_payload(self._calls[int(self._first[place])])
            else:
                payload = self._inbound(place, visits[end - n : end])
                written = [*surveys.get(place, []), *self._asked_in_vain(payload["conversationId"])]
                if written:
                    payload["surveys"] = written
            if with_attributes:
                payload["participants"][0]["attributes"] = {"accountNumber": ATTRIBUTE}
            found.append(payload)
        return found

    def overlapping(self, start_ms: int, end_ms: int) -> BoolArray:
        """Which conversations live at some time of an interval."""
        # One that ended at once lives nevertheless.
        return (self.start_ms < end_ms) & ((self.end_ms > start_ms) | (self.start_ms == start_ms))

    def started(self, start_ms: int, end_ms: int) -> slice:
        """Places of those that start in an interval."""
        return slice(*np.searchsorted(self.start_ms, [start_ms, end_ms]).tolist())

    def _inbound(self, place: int, visits: list[Json]) -> Json:
        conversation = visits[0]["conversation_id"]
        start_ms, end_ms = int(self.start_ms[place]), int(self.end_ms[place])
        selected = [visit["agent_id"] for visit in visits if visit["agent_id"] is not None][-1:]
        common: Json = {"mediaType": visits[0]["media"], "provider": "Edge", "peerId": f"{conversation}:customer"}
        if selected:
            common["selectedAgentId"] = selected[0]
        participants = [self._customer(visits, start_ms, None if end_ms == NEVER else end_ms, selected)]
        if visits[0]["menu_ms"]:
            participants.append(_menu(visits[0], start_ms))
        for visit in visits:
            participants += self._visit(visit, common | {"mediaType": visit["media"]})
        payload = {
            "conversationId": conversation, "conversationStart": text(start_ms), "originatingDirection": "inbound",
            "divisionIds": [HOME["id"]], "conversationInitiator": "customer", "participants": participants,
        }  # fmt: skip
        if end_ms != NEVER:
            payload["conversationEnd"] = text(end_ms)
        return payload

    def _customer(self, visits: list[Json], start_ms: int, end_ms: int | None, selected: list[str]) -> Json:
        last = visits[-1]
        # The customer hangs up before after-call work.
        gone_ms = None if end_ms is None else end_ms - (last["acw_ms"] or 0)
        spoken = segment("interact", start_ms, gone_ms, last["queue_id"], disconnectType="peer")
        media, conversation = last["media"], last["conversation_id"]
        session = {
            "sessionId": f"{conversation}:customer", "mediaType": media, "direction": "inbound", "provider": "Edge",
            "remote": PERSON, "segments": [spoken], "metrics": [metric("nConnected", 1, start_ms)],
            **ADDRESSES[media],
        }  # fmt: skip
        if selected:
            session["selectedAgentId"] = selected[0]
        if last["used_routing"] is not None:
            session["usedRouting"] = last["used_routing"]
        return {
            "participantId": f"{conversation}:p0", "purpose": "customer", "participantName": PERSON,
            "externalContactId": CONTACT, "sessions": [session],
        }  # fmt: skip

    def _visit(self, visit: Json, common: Json) -> list[Json]:
        """Participants of one visit: the queue, who let it ring, who answered."""
        conversation, number = visit["conversation_id"], visit["visit"]
        waiting = queue_session(visit, common, self._over_sla_ms[visit["queue_id"]], self._asked(visit))
        found: list[Json] = [
            {
                "participantId": f"{conversation}:q{number}",
                "purpose": "acd",
                "participantName": PERSON,
                "sessions": [waiting],
            }
        ]
        for missed in self._missed.get(conversation, ()):
            if missed.visit == number:
                rang = missed_session(missed, visit, common)
                found.append(_agent(f"{conversation}:m{number}", missed.agent_id, [rang]))
        if visit["outcome"] == "answered":
            is_timed_out = conversation in self._facts.timed_out
            sessions = agent_sessions(visit, common, is_timed_out, conversation in self._facts.shared_screens)
            found.append(_agent(f"{conversation}:a{number}", visit["agent_id"], list(sessions)))
        return found

    def _asked(self, visit: Json) -> Json:
        """What the segment in the queue says about who is wanted."""
        found: Json = {}
        if visit["skills"]:
            found["requestedRoutingSkillIds"] = [self._skill_id[name] for name in visit["skills"]]
        if visit["language"] is not None:
            found["requestedLanguageId"] = self._language_id[visit["language"]]
        if visit["preferred"]:
            found["scoredAgents"] = [
                {"scoredAgentId": one["agent_id"], "agentScore": one["score"]} for one in visit["preferred"]
            ]
        return found

    def _asked_in_vain(self, conversation: str) -> list[Json]:
        return [
            _survey(one.survey_id, one.agent_id, one.queue_id, one.status)
            for one in self._unscored.get(conversation, ())
        ]

    def _place_surveys(self, organisation: Organisation) -> tuple[pl.DataFrame, IntArray]:
        """Surveys in order of the places of their conversations, and those places."""
        place = pl.DataFrame({"conversation_id": self.ids}).with_row_index("place")
        named = organisation.tables.interactions.select("interaction_id", "conversation_id")
        surveys = organisation.tables.surveys.join(named, on="interaction_id").join(place, on="conversation_id")
        surveys = surveys.sort("place", "completed_at", "survey_id").with_columns(pl.col("completed_at").dt.epoch("ms"))
        columns = surveys.select("place", "survey_id", "agent_id", "queue_id", "completed_at", "score")
        return columns, columns["place"].to_numpy()

    def _surveys_of(self, places: IntArray) -> dict[int, list[Json]]:
        if places.size == 0:
            return {}
        first = int(np.searchsorted(self._survey_place, places.min(), "left"))
        last = int(np.searchsorted(self._survey_place, places.max(), "right"))
        found: dict[int, list[Json]] = {}
        for place, survey, agent, queue, completed, score in self._surveys[first:last].iter_rows():
            done = {"oSurveyTotalScore": score, "surveyCompletedDate": text(completed), "eventTime": text(completed)}
            found.setdefault(place, []).append(_survey(survey, agent, queue, "Finished", **done))
        return found


def _survey(survey: str, agent: str, queue: str | None, status: str, **more: object) -> Json:
    found: Json = {
        "surveyId": survey, "surveyStatus": status, "surveyType": "Web", "userId": agent, "surveyFormId": FORM,
        "surveyFormContextId": FORM, "surveyFormName": "After every call",
    }  # fmt: skip
    if queue is not None:
        found["queueId"] = queue
    return found | more


def _agent(participant: str, agent: str | None, sessions: list[Json]) -> Json:
    found = {"participantId": participant, "purpose": "agent", "sessions": sessions}
    return found if agent is None else found | {"userId": agent}


def _menu(visit: Json, start_ms: int) -> Json:
    """The voice menu before the queue."""
    conversation, end_ms = visit["conversation_id"], visit["arrived_ms"]
    session = {
        "sessionId": f"{conversation}:menu", "peerId": f"{conversation}:customer", "mediaType": visit["media"],
        "direction": "inbound", "remote": PERSON, "ani": ANI, "dnis": DNIS,
        "flow": {"flowName": "Welcome", "exitReason": "TRANSFER"},
        "segments": [segment("ivr", start_ms, end_ms, None, disconnectType="transfer")],
        "metrics": [metric("nFlow", 1, start_ms), metric("tIvr", end_ms - start_ms, end_ms)],
    }  # fmt: skip
    return {"participantId": f"{conversation}:menu", "purpose": "ivr", "participantName": PERSON, "sessions": [session]}


def _lives(organisation: Organisation) -> pl.DataFrame:
    """Id, start, end, first row and number of visits of every conversation; a call has none and its own number."""
    end = pl.sum_horizontal("arrived_ms", pl.col("wait_ms").fill_null(0), pl.col("handle_ms").fill_null(0))
    through_queues = (
        organisation.visits.with_row_index("first")
        .group_by("conversation_id", maintain_order=True)
        .agg(
            pl.col("start_ms").first(),
            end_ms=pl.when(pl.col("over").all()).then(end.max()).otherwise(NEVER),
            first=pl.col("first").first().cast(pl.Int64),
            number=pl.len().cast(pl.Int64),
        )
    )
    calls = [
        (call.conversation_id, call.start_ms, call.end_ms, number, 0)
        for number, call in enumerate(organisation.facts.calls)
    ]
    both = pl.concat([through_queues, pl.DataFrame(calls, schema=through_queues.schema, orient="row")])
    return both.sort("start_ms", "conversation_id")
