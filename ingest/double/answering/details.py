"""Conversations in detail: by jobs and by query; and what users were through time."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.errors import InvalidScenario
from engine.typing import IntArray
from ingest.double.answering.answers import Answer, Question, bad_request
from ingest.double.answering.filters import BODY, Filters, compare, evaluate, unknown
from ingest.double.answering.jobs import Jobs
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.stamps import DAY_MS, interval, text
from ingest.double.centre.statuses import Spell, Statuses
from ingest.double.payloads.conversations import Conversations
from ingest.double.payloads.people import presence_id

Json = dict[str, Any]

MOST_A_PAGE, MOST_RESULTS, MOST_HITS = 100, 1_000, 100_000
MOST_DAYS, MOST_DAYS_UNFILTERED = 31, 7
ODD = {"null_enum": None, "unknown_enum": "not-yet-known-to-you"}


class Details:
    """Answers questions about single conversations and users."""

    def __init__(self, organisation: Organisation, available_ms: int, polls: int) -> None:
        self._organisation = organisation
        self._conversations = Conversations(organisation)
        self._filters = Filters(organisation, self._conversations)
        self._statuses = Statuses(organisation)
        self._users = sorted(organisation.tables.agents["agent_id"].to_list())
        self._available_ms = available_ms
        self.jobs = Jobs(polls)

    def availability(self, question: Question) -> Answer:
        """Until when jobs know everything."""
        return Answer({"dataAvailabilityDate": text(self._available_ms)})

    def submit(self, question: Question) -> Answer:
        """Begin a job."""
        body = checked(question.body, BODY - {"paging"} | {"limit", "startOfDayIntervalMatching"})
        start_ms, end_ms = span(body)
        found = self._conversations.overlapping(start_ms, end_ms)
        if body.get("startOfDayIntervalMatching"):
            found = np.zeros(len(self._conversations), bool)
            found[self._started(start_ms, end_ms)] = True
        found &= self._conversations.start_ms < self._available_ms
        mask = self._filters.mask(body)
        places = np.flatnonzero(found if mask is None else found & mask)
        return Answer({"jobId": self.jobs.begin(_ordered(body, places), str(body["interval"]), question.fault)}, 202)

    def poll(self, question: Question) -> Answer:
        """State of a job."""
        state = self.jobs.poll(question.names["jobId"])
        body = {"state": state, "submissionDate": text(self._organisation.now_ms)}
        if state == "FAILED":
            body["errorMessage"] = "The job failed."
        if state == "FULFILLED":
            body |= {
                "expirationDate": text(self._organisation.now_ms + DAY_MS),
                "completionDate": body["submissionDate"],
            }
        return Answer(body)

    def results(self, question: Question) -> Answer:
        """A page of what a job found; without a cursor it was the last."""
        job_id = question.names["jobId"]
        if question.fault == "results_gone":
            self.jobs.delete(job_id)
        job = self.jobs.read(job_id)
        if job is None:
            raise bad_request(f"job {job_id} has no results; wait until its state is FULFILLED")
        size, cursor = question.number("pageSize", MOST_RESULTS, MOST_RESULTS), question.query.get("cursor", ["c0"])[0]
        if not (cursor.startswith("c") and cursor[1:].rstrip("e").isdecimal()):
            raise bad_request(f"cursor {cursor!r}: not one of this job")
        start = int(cursor[1:].rstrip("e"))
        places = job.places[start : start + size]
        body: Json = {"dataAvailabilityDate": text(self._available_ms)}
        if question.fault == "empty_page":
            return Answer(body | {"conversations": [], "cursor": f"c{start}e"})
        body["conversations"] = self._written(question, job.places, start, size, with_attributes=True)
        if start + places.size < job.places.size:
            body["cursor"] = f"c{start + size}"
        return Answer(body)

    def delete(self, question: Question) -> Answer:
        """Forget a job."""
        self.jobs.delete(question.names["jobId"])
        return Answer(None, 204)

    def query(self, question: Question) -> Answer:
        """A page of the conversations that started on the days that an interval touches."""
        body = checked(question.body, BODY)
        start_ms, end_ms = span(body)
        if end_ms - start_ms > MOST_DAYS * DAY_MS:
            raise bad_request(f"interval: at most {MOST_DAYS} days")
        number, size = paging(body)
        places: IntArray = np.arange(len(self._conversations))[self._started(start_ms, end_ms)]
        mask = self._filters.mask(body)
        places = _ordered(body, places if mask is None else places[mask[places]])
        start = (number - 1) * size
        found = self._written(question, places, start, size, with_attributes=False)
        return Answer({"conversations": found, "totalHits": int(places.size)} if found else {})

    def users(self, question: Question) -> Answer:
        """Presence and routing status of users: spells that touch an interval, whole."""
        body = checked(
            question.body, {"interval", "userFilters", "presenceFilters", "routingStatusFilters", "order", "paging"}
        )
        start_ms, end_ms = span(body)
        for name in ("presenceFilters", "routingStatusFilters"):
            if body.get(name):
                raise bad_request(f"{name}: not offered here")
        most_days = MOST_DAYS if body.get("userFilters") else MOST_DAYS_UNFILTERED
        if end_ms - start_ms > most_days * DAY_MS:
            raise bad_request(f"interval: at most {most_days} days")
        number, size = paging(body)
        users = self._filtered_users(body)
        if body.get("order") == "desc":
            users = users[::-1]
        page = users[(number - 1) * size : number * size]
        routing = self._statuses.routing(page, start_ms, end_ms)
        found = [
            {
                "userId": user,
                "primaryPresence": [_presence(one) for one in self._statuses.presences(user, start_ms, end_ms)],
                "routingStatus": [_spell(one, "routingStatus") for one in routing[user]],
            }
            for user in page
        ]
        return Answer({"userDetails": found, "totalHits": len(users)} if found else {})

    def _started(self, start_ms: int, end_ms: int) -> slice:
        first = start_ms - start_ms % DAY_MS
        return self._conversations.started(first, end_ms + -end_ms % DAY_MS)

    def _written(
        self, question: Question, places: IntArray, start: int, size: int, *, with_attributes: bool
    ) -> list[Json]:
        """Conversations of a page, with what is wrong about it."""
        page = places[start : start + size]
        if question.fault == "on_two_pages" and page.size:
            page = places[start : start + size + 1]
        if question.fault == "on_two_days" and page.size:
            page = np.append(page, self._neighbour(places, question))
        found = self._conversations.payloads(page, with_attributes)
        if question.fault in ODD:
            for payload in found[:1]:
                payload["conversationInitiator"] = ODD[question.fault]
                for participant in payload["participants"]:
                    for session in participant["sessions"]:
                        for segment in session["segments"]:
                            segment["disconnectType"] = ODD[question.fault]
        return found

    def _neighbour(self, places: IntArray, question: Question) -> IntArray:
        """A conversation of the day before or else after, which that day's answer holds as well."""
        around = np.array([places.min() - 1, places.max() + 1])
        mask = self._filters.mask(question.body) if isinstance(question.body, dict) else None
        around = around[(around >= 0) & (around < len(self._conversations))]
        return around[:1] if mask is None else around[mask[around]][:1]

    def _filtered_users(self, body: Json) -> list[str]:
        users = pl.Series(self._users, dtype=pl.String)

        def matching(predicate: Json) -> pl.Series:
            if predicate.get("dimension") != "userId":
                raise unknown("dimension", predicate.get("dimension"))
            return compare(users, predicate)

        for one in body.get("userFilters") or []:
            users = users.filter(evaluate(one, matching))
        return users.to_list()


def checked(body: object, known: set[str]) -> Json:
    """A body that holds nothing but what is known."""
    if not isinstance(body, dict):
        raise bad_request("body: want a JSON object")
    for name in body:
        if name not in known:
            raise unknown("field", name)
    return body


def span(body: Json) -> tuple[int, int]:
    """The interval of a body."""
    try:
        return interval(body.get("interval"))
    except InvalidScenario as error:
        raise bad_request(str(error)) from error


def paging(body: Json) -> tuple[int, int]:
    """Number (from 1) and size (25) of the page that a body asks for."""
    given = body.get("paging") or {}
    number, size = given.get("pageNumber", 1), given.get("pageSize", 25)
    if not (isinstance(number, int) and isinstance(size, int) and number >= 1 and 1 <= size <= MOST_A_PAGE):
        raise bad_request(f"paging: want pageNumber from 1 and pageSize from 1 to {MOST_A_PAGE}")
    if number * size > MOST_HITS + MOST_A_PAGE:
        raise bad_request(f"paging: at most {MOST_HITS} results of a query can be read; shorten the interval")
    return number, size


def _ordered(body: Json, places: IntArray) -> IntArray:
    if body.get("order", "asc") not in {"asc", "desc", "unordered"}:
        raise unknown("order", body["order"])
    if body.get("orderBy", "conversationStart") != "conversationStart":
        raise unknown("orderBy", body["orderBy"])
    return places[::-1] if body.get("order") == "desc" else places


def _spell(spell: Spell, name: str) -> Json:
    what, start_ms, end_ms = spell
    found = {"startTime": text(start_ms), name: what}
    return found if end_ms is None else found | {"endTime": text(end_ms)}


def _presence(spell: Spell) -> Json:
    return _spell(spell, "systemPresence") | {"organizationPresenceId": presence_id(spell[0])}
