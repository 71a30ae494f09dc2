"""Which path answers what, under which permission."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ingest.double.answering.answers import Answer, Question, not_found
from ingest.double.answering.details import ODD, Details
from ingest.double.answering.listing import Pages
from ingest.double.answering.measures import Measures
from ingest.double.centre.facts import platform_id
from ingest.double.centre.organisation import Organisation
from ingest.double.payloads.people import People, definitions, dictionary

Json = dict[str, Any]

CONVERSATIONS = "/api/v2/analytics/conversations/details"
ROUTING = "/api/v2/routing"
# Namespaces that have limits to read, with what stands in them.
LIMITS = {
    "platform.api": {"client.credentials.token.rate.per.minute": 300, "org.app.user.rate.per.minute": 300},
    "analytics": {"job.concurrent": 10},
    "analytics.data.extraction": {"details.job.result.max": 1_000_000},
    "analytics.realtime": {"observation.rate.per.minute": 300},
    "routing": {"queue.members.max": 5000},
    "users": {"user.max": 100_000},
    "quality": {"survey.max": 100_000},
}


@dataclass(frozen=True)
class Route:
    """One path."""

    method: str  # HTTP method
    template: str  # Path with names in braces
    kind: str  # Of request; one of `faults.KINDS`
    permission: str | None  # Needed to ask
    answer: Callable[[Question], Answer]  # Makes an answer of a question

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Names in a path, None where it is another."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template.replace(".", r"\."))
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else found.groupdict()


class Routes:
    """Everything that can be asked."""

    def __init__(self, organisation: Organisation, available_ms: int, polls: int) -> None:
        self._organisation = organisation
        self._people = People(organisation)
        self._pages = Pages()
        self.details = Details(organisation, available_ms, polls)
        measures = Measures(organisation, self._people)
        details, analytics = self.details, "/api/v2/analytics"
        history, queues, use = "analytics:conversationDetail:view", "routing:queue:view", "routing:utilization:view"
        self.table = (
            Route("GET", f"{ROUTING}/queues", "queues", queues, self._queues),
            Route("GET", f"{ROUTING}/queues/{{queueId}}", "queue", queues, self._queue),
            Route("GET", f"{ROUTING}/queues/{{queueId}}/members", "members", queues, self._members),
            Route("GET", f"{ROUTING}/skills", "skills", "routing:skill:view", self._skills),
            Route("GET", f"{ROUTING}/languages", "languages", None, self._languages),
            Route("GET", f"{ROUTING}/utilization", "utilization", use, self._usual),
            Route("GET", f"{ROUTING}/users/{{userId}}/utilization", "user_utilization", use, self._utilization),
            Route("GET", f"{ROUTING}/settings", "settings", None, _settings),
            Route("GET", "/api/v2/users", "users", "directory:user:view", self._users),
            Route("GET", "/api/v2/users/{userId}", "user", "directory:user:view", self._user),
            Route("GET", "/api/v2/presence/definitions", "presences", "presence:presenceDefinition:view", _presences),
            Route("GET", "/api/v2/organizations/me", "organization", None, self._me),
            Route("GET", "/api/v2/organizations/limits/namespaces/{name}", "limits", None, _limits),
            Route("POST", f"{CONVERSATIONS}/jobs", "job_submit", history, details.submit),
            Route("GET", f"{CONVERSATIONS}/jobs/availability", "availability", history, details.availability),
            Route("GET", f"{CONVERSATIONS}/jobs/{{jobId}}", "job_poll", history, details.poll),
            Route("GET", f"{CONVERSATIONS}/jobs/{{jobId}}/results", "job_results", history, details.results),
            Route("DELETE", f"{CONVERSATIONS}/jobs/{{jobId}}", "job_delete", history, details.delete),
            Route("POST", f"{CONVERSATIONS}/query", "details", history, details.query),
            Route("POST", f"{analytics}/users/details/query", "user_details", "analytics:userDetail:view",
                  details.users),
            Route("POST", f"{analytics}/conversations/aggregates/query", "aggregates",
                  "analytics:conversationAggregate:view", measures.conversations),
            Route("POST", f"{analytics}/surveys/aggregates/query", "surveys", "analytics:surveyAggregate:view",
                  measures.surveys),
            Route("POST", f"{analytics}/queues/observations/query", "observations", "analytics:queueObservation:view",
                  measures.observations),
        )  # fmt: skip

    def _me(self, question: Question) -> Answer:
        known = self._organisation
        which = f"{known.seed} {known.start_ms} {known.tables.interactions.height} {known.tables.agents.height}"
        return Answer({"id": platform_id("organization", which), "name": "Double", "state": "active"})

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a path, and the names in it."""
        for route in self.table:
            names = route.match(method, path)
            if names is not None:
                return route, names
        raise not_found(f"{method} {path}")

    def subject(self, kind: str, names: dict[str, str], body: object) -> str:
        """What a request is about: an interval, or a name in the path."""
        if kind in {"job_poll", "job_results", "job_delete"}:
            return self.details.jobs.subject(names["jobId"])
        if isinstance(body, dict):
            return str(body.get("interval", ""))
        return "/".join(names.values())

    def _queues(self, question: Question) -> Answer:
        ids = _chosen(question, list(self._people.queue_rows))
        name = question.query.get("name")
        if name:
            ids = [queue for queue in ids if self._people.queue_rows[queue]["queue_name"] == name[0]]
        return self._pages.answer(question, ids, self._people.queue, has_total=True, key=str(_narrowed(question)))

    def _queue(self, question: Question) -> Answer:
        if question.names["queueId"] not in self._people.queue_rows:
            raise not_found(f"queue {question.names['queueId']}")
        return Answer(self._people.queue(question.names["queueId"]))

    def _members(self, question: Question) -> Answer:
        members = self._people.members.get(question.names["queueId"])
        if members is None:
            raise not_found(f"queue {question.names['queueId']}")
        if "joined" in question.query:
            is_joined = question.query["joined"] == ["true"]
            members = [entry for entry in members if entry[2] == is_joined]
        if "routingStatus" in question.query:
            wanted = question.query["routingStatus"]
            members = [entry for entry in members if self._people.now[entry[0]].status in wanted]
        expand, key = question.expand(), str(_narrowed(question))
        answer = self._pages.answer(
            question, members, lambda entry: self._people.member(entry, expand), has_total=False, key=key
        )
        if question.fault in ODD:
            for entity in answer.body["entities"]:
                entity["memberBy"] = ODD[question.fault]
        return answer

    def _users(self, question: Question) -> Answer:
        state = question.query.get("state", ["active"])[0]
        ids = _chosen(question, self._people.user_ids if state in {"active", "any"} else [])
        expand = question.expand()
        answer = self._pages.answer(
            question, ids, lambda agent: self._people.user(agent, expand), has_total=True, key=str(_narrowed(question))
        )
        if question.fault in ODD:
            for entity in answer.body["entities"]:
                entity.get("presence", {})["source"] = ODD[question.fault]
        return answer

    def _user(self, question: Question) -> Answer:
        if question.names["userId"] not in self._people.user_ids:
            raise not_found(f"user {question.names['userId']}")
        return Answer(self._people.user(question.names["userId"], question.expand()))

    def _usual(self, question: Question) -> Answer:
        return Answer(self._people.utilization(None))

    def _utilization(self, question: Question) -> Answer:
        if question.names["userId"] not in self._people.user_ids:
            raise not_found(f"user {question.names['userId']}")
        return Answer(self._people.utilization(question.names["userId"]))

    def _skills(self, question: Question) -> Answer:
        return self._names(question, self._organisation.skills)

    def _languages(self, question: Question) -> Answer:
        return self._names(question, self._organisation.languages)

    def _names(self, question: Question, names: dict[str, str]) -> Answer:
        kept = {key: names[key] for key in _chosen(question, list(names))}
        key = str(_narrowed(question))
        return self._pages.answer(question, dictionary(kept), lambda entity: entity, has_total=True, key=key)


def parsed_query(text: str) -> dict[str, list[str]]:
    """Lists of values by name; commas divide values as repetition does.

    Examples
    --------
    >>> parsed_query("expand=skills%2Clanguages&pageSize=100")
    {'expand': ['skills', 'languages'], 'pageSize': ['100']}
    """
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).extend([value] if name in {"cursor", "name"} else value.split(","))
    return found


def _chosen(question: Question, ids: list[str]) -> list[str]:
    wanted = question.query.get("id")
    return ids if wanted is None else [one for one in ids if one in set(wanted)]


def _narrowed(question: Question) -> list[tuple[str, list[str]]]:
    """What makes a list of the same path another one."""
    return sorted(
        (name, values) for name, values in question.query.items() if name not in {"pageNumber", "pageSize", "expand"}
    )


def _settings(question: Question) -> Answer:
    return Answer({"resetAgentScoreOnPresenceChange": False})


def _presences(question: Question) -> Answer:
    found = definitions()
    return Answer({"total": len(found), "entities": found, "selfUri": question.path})


def _limits(question: Question) -> Answer:
    name = question.names["name"]
    if name not in LIMITS:
        raise not_found(f"namespace {name}")
    return Answer(
        {"entities": [{"key": key, "namespace": name, "value": value} for key, value in LIMITS[name].items()]}
    )
