"""Filters of queries: which conversations match, and a refusal of what the platform would not know."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from engine.typing import BoolArray
from ingest.double.answering.answers import Refused, bad_request
from ingest.double.centre.organisation import Organisation
from ingest.double.payloads.conversations import NEVER, Conversations

Json = dict[str, Any]

SEGMENT = {
    "queueId": "queue_id",
    "userId": "agent_id",
    "mediaType": "media",
    "direction": "direction",
    "purpose": "purpose",
}
OPERATORS = ("matches", "exists", "notExists")
BODY = {
    "interval", "order", "orderBy", "paging", "conversationFilters", "segmentFilters", "surveyFilters",
    "evaluationFilters", "resolutionFilters",
}  # fmt: skip


class Filters:
    """Answers which conversations match a query's filters."""

    def __init__(self, organisation: Organisation, conversations: Conversations) -> None:
        self._organisation = organisation
        self._conversations = conversations

    def mask(self, body: Json) -> BoolArray | None:
        """Which conversations match all filters of a body."""
        for name in ("surveyFilters", "evaluationFilters", "resolutionFilters"):
            if body.get(name):
                raise bad_request(f"{name}: not offered here")
        found: BoolArray | None = None
        for one in body.get("segmentFilters") or []:
            matching = self._sessions["place"].filter(evaluate(one, self._segment))
            mask = np.zeros(len(self._conversations), bool)
            mask[matching.to_numpy()] = True
            found = mask if found is None else found & mask
        for one in body.get("conversationFilters") or []:
            mask = evaluate(one, self._conversation).to_numpy()
            found = mask if found is None else found & mask
        return found

    def _segment(self, predicate: Json) -> pl.Series:
        column = SEGMENT.get(str(predicate.get("dimension")))
        if column is None:
            raise unknown("dimension", predicate.get("dimension"))
        return compare(self._sessions[column], predicate)

    def _conversation(self, predicate: Json) -> pl.Series:
        conversations = self._conversations
        match predicate.get("dimension"):
            case "conversationId":
                return compare(conversations.ids, predicate)
            case "conversationEnd" if predicate.get("operator") != "matches":
                ends = pl.Series(conversations.end_ms)
                return compare(ends.set(ends == NEVER, None), predicate)
            case "originatingDirection":
                return compare(pl.Series(np.where(conversations.has_visits, "inbound", "outbound")), predicate)
        raise unknown("dimension", predicate.get("dimension"))

    @cached_property
    def _sessions(self) -> pl.DataFrame:
        """Place of the conversation, and queue, agent, media, direction and purpose of every session."""
        visits, facts = self._organisation.visits, self._organisation.facts
        shared = ("conversation_id", "queue_id", "media")
        inbound = pl.lit("inbound").alias("direction")
        none = pl.lit(None, pl.String).alias("agent_id")
        waited = visits.select(*shared, none, inbound, purpose=pl.lit("acd"))
        served = visits.filter(outcome="answered").select(*shared, "agent_id", inbound, purpose=pl.lit("agent"))
        queue_of = (
            dict(visits.filter(visit=1).select("conversation_id", "queue_id").iter_rows()) if facts.missed else {}
        )
        odd = [
            (m.conversation_id, queue_of[m.conversation_id], "voice", m.agent_id, "inbound", "agent")
            for m in facts.missed
        ]
        for call in facts.calls:
            who = "user" if call.queue_id is None else "agent"
            odd.append((call.conversation_id, call.queue_id, "voice", call.agent_id, "outbound", who))
            if call.other_agent_id is not None:
                odd.append((call.conversation_id, None, "voice", call.other_agent_id, "inbound", "user"))
        frames = [waited, served, pl.DataFrame(odd, schema=waited.schema, orient="row")]
        place = pl.DataFrame({"conversation_id": self._conversations.ids}).with_row_index("place")
        return pl.concat(frames).join(place, on="conversation_id").drop("conversation_id")


def evaluate(given: object, test: Callable[[Json], pl.Series]) -> pl.Series:
    """Rows that match a filter."""
    if not isinstance(given, dict) or given.get("type") not in {"and", "or"}:
        raise bad_request("filter: want type 'and' or 'or', and predicates or clauses")
    parts = [test(one) for one in _predicates(given)] + [evaluate(one, test) for one in given.get("clauses") or []]
    if not parts:
        raise bad_request("filter: without predicates and clauses")
    found = parts[0]
    for part in parts[1:]:
        found = found & part if given["type"] == "and" else found | part
    return found


def _predicates(given: Json) -> list[Json]:
    predicates = given.get("predicates") or []
    for one in predicates:
        if not isinstance(one, dict) or one.get("type", "dimension") != "dimension":
            raise bad_request("predicate: want type 'dimension'")
    return list(predicates)


def compare(values: pl.Series, predicate: Json) -> pl.Series:
    """Rows that match a predicate."""
    operator = predicate.get("operator", "matches")
    if operator not in OPERATORS:
        raise unknown("operator", operator)
    if operator == "exists":
        return values.is_not_null()
    if operator == "notExists":
        return values.is_null()
    if not isinstance(predicate.get("value"), str):
        raise bad_request(f"predicate on {predicate.get('dimension')}: want a value")
    return (values == predicate["value"]).fill_null(False)


def unknown(what: str, given: object) -> Refused:
    """The refusal of a word that the platform does not know."""
    return bad_request(f"Unknown {what} [{given}]")
