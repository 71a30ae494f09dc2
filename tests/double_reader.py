"""A patient reader of the double, and a naive reading of what it answers."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import polars as pl
from polars.testing import assert_frame_equal

from engine.data.tables import MEDIA, TABLES, Tables
from ingest.double import Double, Organisation
from ingest.double.centre.stamps import text
from tests.double_expected import expected_of

API = "/api/v2"
CONVERSATIONS = f"{API}/analytics/conversations/details"
USERS = f"{API}/analytics/users/details/query"
DAY = timedelta(days=1)
TRIES = 12
# What no platform tells of an interaction.
UNTOLD = ["patience_s", "csat", "priority"]


class Reader:
    """A patient reader: asks again until an answer is whole."""

    def __init__(self, double: Double, secret: str = "demo", timeout_s: float = 5.0) -> None:
        self.where, self.secret, self.timeout_s = urlsplit(double.url).netloc, secret, timeout_s
        self.token: str | None = None
        self.connection = http.client.HTTPConnection(self.where, timeout=timeout_s)
        self.headers: http.client.HTTPMessage | None = None

    def once(self, method: str, path: str, body: object = None, token: str | None = None) -> tuple[int, object]:
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        return self._send(method, path, None if body is None else json.dumps(body), headers)

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, object]:
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        self.headers = answer.headers
        if answer.will_close:
            self.connection.close()
        return answer.status, json.loads(content) if content else None

    def log_in(self) -> tuple[int, object]:
        pair = base64.b64encode(f"demo:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        status, body = self._send("POST", "/oauth/token", "grant_type=client_credentials", headers)
        if status == 200:
            self.token = body["access_token"]
        return status, body

    def ask(self, method: str, path: str, body: object = None, **query: object) -> object:
        """Patiently; None where a job is gone."""
        target = f"{path}?{urlencode(query)}" if query else path
        for _ in range(TRIES):
            try:
                if self.token is None and self.log_in()[0] != 200:
                    continue
                status, answer = self.once(method, target, body)
            except (OSError, http.client.HTTPException, ValueError):
                continue
            if status == 401:
                self.token = None
            elif status == 404:
                return None
            elif status < 300:
                return answer
        raise AssertionError(f"{method} {target}: no answer in {TRIES} tries")

    def get(self, path: str, **query: object) -> object:
        return self.ask("GET", path, None, **query)

    def post(self, path: str, body: object) -> object:
        return self.ask("POST", path, body)

    def listing(self, path: str, **query: object) -> list:
        found, number = [], 1
        while True:
            page = self.get(path, pageNumber=number, **query)
            found += page["entities"]
            if "nextUri" not in page or not page["entities"]:
                return found
            number += 1

    def job(self, body: object, size: int = 100) -> list:
        """Conversations of a job, begun again as long as it comes to nothing."""
        for _ in range(TRIES):
            job = self.post(f"{CONVERSATIONS}/jobs", body)["jobId"]
            found = self._results(f"{CONVERSATIONS}/jobs/{job}", size)
            if found is not None:
                self.ask("DELETE", f"{CONVERSATIONS}/jobs/{job}")
                return found
        raise AssertionError("no job came to an end")

    def _results(self, path: str, size: int) -> list | None:
        states = (self.get(path)["state"] for _ in range(TRIES))
        if next((state for state in states if state not in {"QUEUED", "PENDING"}), None) != "FULFILLED":
            return None
        found, query = [], {"pageSize": size}
        while True:
            page = self.get(f"{path}/results", **query)
            if page is None:
                return None
            found += page["conversations"]
            if "cursor" not in page:
                return found
            query["cursor"] = page["cursor"]

    def query(self, path: str, body: dict, key: str, size: int = 50) -> list:
        pages = (
            self.post(path, body | {"paging": {"pageSize": size, "pageNumber": number}}).get(key)
            for number in itertools.count(1)
        )
        return list(itertools.chain.from_iterable(itertools.takewhile(bool, pages)))


def days(org: Organisation) -> list[datetime]:
    first = datetime.fromtimestamp(org.start_ms / 1000, UTC)
    return [first + n * DAY for n in range((org.end_ms - org.start_ms) // 86_400_000)]


def interval(start: datetime, end: datetime) -> str:
    return f"{text(int(start.timestamp() * 1000))}/{text(int(end.timestamp() * 1000))}"


def whole(org: Organisation) -> str:
    return f"{text(org.start_ms)}/{text(org.end_ms)}"


def everything(reader: Reader, org: Organisation) -> dict[str, dict]:
    """All conversations by id, as a right reader gets them: jobs by day, the last day by query."""
    *early, last = days(org)
    found = []
    for day in early:
        found += reader.job({"interval": interval(day, day + DAY)})
    found += reader.query(f"{CONVERSATIONS}/query", {"interval": interval(last, last + DAY)}, "conversations")
    return {conversation["conversationId"]: conversation for conversation in found}


# A naive reading of payloads, as one would do it by hand.


def metrics(session: dict) -> dict[str, int]:
    found: Counter[str] = Counter()
    for metric in session["metrics"]:
        found[metric["name"]] += metric["value"]
    return found


def sessions(conversation: dict, *purposes: str) -> list[tuple[str | None, dict]]:
    return [
        (participant.get("userId"), session)
        for participant in conversation["participants"]
        if participant["purpose"] in purposes
        for session in participant["sessions"]
        if session["mediaType"] in MEDIA
    ]


def seconds(found: dict[str, int], name: str) -> float | None:
    return found[name] / 1000 if name in found else None


def visits_by_hand(conversation: dict) -> list[dict]:
    queues = sorted(
        (session for _, session in sessions(conversation, "acd")), key=lambda s: s["segments"][0]["segmentStart"]
    )
    answers = [(who, s) for who, s in sessions(conversation, "agent") if "tAnswered" in metrics(s)]
    rows = []
    for number, queue in enumerate(queues, 1):
        first, own = queue["segments"][0], metrics(queue)
        row = {
            "conversation_id": conversation["conversationId"], "visit": number, "queue_id": first["queueId"],
            "arrived_at": queue["metrics"][0]["emitDate"], "media": queue["mediaType"],
            "skill_ids": first.get("requestedRoutingSkillIds"), "language_id": first.get("requestedLanguageId"),
            "eligible_count": queue.get("eligibleAgentCounts", [None])[0], "used_routing": queue.get("usedRouting"),
            "wait_s": seconds(own, "tAcd"), "over": "conversationEnd" in conversation,
            "preferred": [
                {"agent_id": one["scoredAgentId"], "score": one["agentScore"]} for one in first.get("scoredAgents", [])
            ] or None,
        }  # fmt: skip
        answered_at = first.get("segmentEnd")
        who = [(agent, metrics(s)) for agent, s in answers if s["metrics"][0]["emitDate"] == answered_at]
        if "tAbandon" in own:
            row["outcome"] = "abandoned"
        elif "tFlowOut" in own:
            row["outcome"] = "flowed_out"
        elif who:
            agent, theirs = who[0]
            row |= {
                "outcome": "answered", "agent_id": agent, "alert_s": seconds(theirs, "tAlert"),
                "handle_s": seconds(theirs, "tHandle"), "acw_s": seconds(theirs, "tAcw"),
            }  # fmt: skip
            assert theirs["tTalk"] == theirs["tTalkComplete"]
            assert theirs["tHeld"] == theirs["tHeldComplete"]
            assert theirs["tTalk"] + theirs["tHeld"] + theirs["tAcw"] == theirs["tHandle"]
        else:
            row["outcome"] = "unknown"
        rows.append(row)
    return rows


def framed(rows: list[dict], like: pl.DataFrame) -> pl.DataFrame:
    times = [name for name, dtype in like.schema.items() if dtype == TABLES["interactions"]["arrived_at"].dtype]
    for row in rows:
        row |= {name: row[name] and datetime.fromisoformat(row[name]) for name in times}
        if row.get("skill_ids"):
            row["skill_ids"] = sorted(row["skill_ids"])
    return pl.DataFrame(rows, schema=like.schema)


def assert_visits(told: dict[str, dict], org: Organisation) -> None:
    want = expected_of(org).visits.drop("interaction_id", "skills", "language", *UNTOLD)
    rows = [row for _, conversation in sorted(told.items()) for row in visits_by_hand(conversation)]
    assert_frame_equal(framed(rows, want), want, check_exact=True)


def small(n: int = 1, **values: object) -> Tables:
    row = {"queue_id": "q1", "arrived_at": datetime(2026, 1, 5, 12, tzinfo=UTC), "outcome": "abandoned", "wait_s": 3.0}
    rows = [{"interaction_id": f"i{k}"} | row | values for k in range(n)]
    interactions = pl.DataFrame(rows, schema={name: TABLES["interactions"][name].dtype for name in rows[0]})
    return Tables(pl.DataFrame({"agent_id": ["a1"]}), interactions)


def known(reader: Reader, org: Organisation) -> dict[str, object]:
    """All that one can finally know, in any order and however often it was said."""
    members = reader.listing(f"{API}/routing/queues/q1/members", pageSize=2)
    users = reader.listing(f"{API}/users", pageSize=2)
    for one in (*members, *users):
        one.pop("memberBy", None)
    conversations = everything(reader, org)
    for one in conversations.values():
        one.pop("conversationInitiator")
        one["participants"][0].pop("attributes", None)
        for _, session in sessions(one, "customer", "acd", "agent", "user", "ivr"):
            for segment in session["segments"]:
                segment.pop("disconnectType", None)
        for participant in one["participants"]:
            participant["sessions"] = [s for s in participant["sessions"] if s["mediaType"] in MEDIA]
    return {
        "members": {one["id"]: one for one in members}, "users": {one["id"]: one for one in users},
        "queues": reader.listing(f"{API}/routing/queues"),
        "skills": {one["id"]: one for one in reader.listing(f"{API}/routing/skills", pageSize=2)},
        "until": reader.get(f"{CONVERSATIONS}/jobs/availability"), "conversations": conversations,
        "statuses": reader.query(USERS, {"interval": whole(org)}, "userDetails", 2),
    }  # fmt: skip
