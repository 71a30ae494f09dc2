"""The double of the platform says what its tables say, in the platform's contract, whatever goes wrong."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import signal
import socket
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from engine.data.tables import MEDIA, TABLES, Tables
from engine.errors import InvalidScenario, InvalidTable
from ingest.double import FAULTS, PLANTED, Double, Faults, Organisation, organisation, script, serve_forever
from ingest.double.centre.stamps import moment, text
from ingest.double.faults import KINDS, POSSIBLE, SLOW, faults_of
from ingest.double.payloads.live import states_now
from tests.double_expected import expected_of

API = "/api/v2"
CONVERSATIONS = f"{API}/analytics/conversations/details"
USERS = f"{API}/analytics/users/details/query"
DAY = timedelta(days=1)
TRIES = 12
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


@pytest.fixture(scope="module")
def org() -> Organisation:
    return organisation(agents=14, days=3, seed=1, interactions=900, queues=2)


@pytest.fixture
def double(org):
    with Double(org) as running:
        yield running


@pytest.fixture(scope="module")
def told(org) -> dict[str, dict]:
    with Double(org) as running:
        return everything(Reader(running), org)


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


def test_payloads_say_every_visit(told, org):
    assert_visits(told, org)


def test_expected_visits_are_the_tables_but_for_what_cannot_be_said(org):
    """Each interaction is a visit with the same values; ids are conversation#visit."""
    own = org.tables.interactions.sort("conversation_id", "arrived_at").drop("interaction_id", *UNTOLD)
    got = expected_of(org).visits.select(own.columns)
    assert_frame_equal(got.with_columns(pl.col("skills").list.sort()), own.with_columns(pl.col("skills").list.sort()))


def test_payloads_say_work_besides_queues(told, org):
    rows = [
        {"agent_id": who, "start_at": s["segments"][0]["segmentStart"], "end_at": s["segments"][-1]["segmentEnd"],
         "conversation_id": name, "why": "internal" if len(sessions(told[name], "user")) == 2 else "outbound"}
        for name in told
        for who, s in sessions(told[name], "agent", "user")
        if not sessions(told[name], "acd")
    ]  # fmt: skip
    want = expected_of(org).busy
    assert want.height > 4
    assert_frame_equal(framed(rows, want).sort("agent_id", "start_at"), want)


def test_payloads_say_who_let_it_ring(told, org):
    rows = [
        {"conversation_id": name, "visit": 1, "agent_id": who, "start_at": s["segments"][0]["segmentStart"],
         "end_at": s["segments"][0]["segmentEnd"], "done_at": s["segments"][-1]["segmentEnd"]}
        for name in sorted(told)
        for who, s in sessions(told[name], "agent")
        if "tNotResponding" in metrics(s)
    ]  # fmt: skip
    want = expected_of(org).missed
    assert {row["end_at"] < row["done_at"] for row in want.to_dicts()} == {True, False}
    assert_frame_equal(framed(rows, want), want)


def test_payloads_say_surveys_with_scores_from_0_to_100(told, org):
    finished = [
        (one["surveyId"], name, one["userId"], one["queueId"], one["oSurveyTotalScore"], one["surveyCompletedDate"])
        for name in told
        for one in told[name].get("surveys", [])
        if one["surveyStatus"] == "Finished" and "oSurveyTotalScore" in one
    ]
    want = expected_of(org).surveys.select(
        "survey_id", "conversation_id", "agent_id", "queue_id", "score", "completed_at"
    )
    assert sorted(row[:-1] for row in finished) == sorted(row[:-1] for row in want.rows())
    assert {row[0]: datetime.fromisoformat(row[-1]) for row in finished} == {row[0]: row[-1] for row in want.rows()}
    unscored = [one for name in told for one in told[name].get("surveys", []) if "oSurveyTotalScore" not in one]
    assert Counter(one["surveyStatus"] for one in unscored) == Counter(one.status for one in org.facts.unscored)


def test_every_oddity_is_there(told, org):
    """A made-up organisation has each oddity at least once, and they show."""
    assert all(expected_of(org).counts.values()), expected_of(org).counts
    open_ones = {name for name in told if "conversationEnd" not in told[name]}
    assert open_ones == set(expected_of(org).open_conversations)
    assert {name for name in told if len(sessions(told[name], "acd")) == 2} == set(org.facts.transferred)
    codes = {name for name in told if "ININ-WRAP-UP-TIMEOUT" in json.dumps(told[name])}
    assert codes >= org.facts.timed_out
    assert {name for name in told if "cobrowse" in json.dumps(told[name])} == org.facts.shared_screens
    for name in org.facts.over_midnight:
        assert told[name]["conversationStart"][:10] < told[name]["conversationEnd"][:10]


def test_personal_data_is_in_the_payloads(told, org, double):
    """What must never be stored is there to be found."""
    reader = Reader(double)
    said = json.dumps([*told.values(), reader.listing(f"{API}/users", expand="presence")])
    assert [mark for mark in PLANTED if mark not in said] in ([], ["planted.person@example.com"])
    chat = Organisation.of_tables(small(media="chat"))
    with Double(chat) as other:
        assert "planted.person@example.com" in json.dumps(everything(Reader(other), chat))


def small(n: int = 1, **values: object) -> Tables:
    row = {"queue_id": "q1", "arrived_at": datetime(2026, 1, 5, 12, tzinfo=UTC), "outcome": "abandoned", "wait_s": 3.0}
    rows = [{"interaction_id": f"i{k}"} | row | values for k in range(n)]
    interactions = pl.DataFrame(rows, schema={name: TABLES["interactions"][name].dtype for name in rows[0]})
    return Tables(pl.DataFrame({"agent_id": ["a1"]}), interactions)


outcomes = st.sampled_from(["answered", "abandoned", "flowed_out", "unknown"])
times_s = st.integers(0, 5_000_000).map(lambda ms: ms / 1000)


@st.composite
def rows_of_interactions(draw):
    outcome = draw(outcomes)
    row = {
        "queue_id": draw(st.sampled_from(["q1", "q 2"])), "media": draw(st.sampled_from(MEDIA)), "outcome": outcome,
        "arrived_at": datetime(2026, 1, 5, tzinfo=UTC) + timedelta(milliseconds=draw(st.integers(0, 3 * 86_400_000))),
        "skills": draw(st.sampled_from([None, ["x"], ["y", "x"]])), "language": draw(st.sampled_from([None, "en"])),
        "used_routing": draw(st.sampled_from([None, "Standard", "Bullseye"])),
        "eligible_count": draw(st.none() | st.integers(0, 9)),
        "preferred": draw(st.sampled_from([None, [{"agent_id": "a1", "score": 87.5}]])),
        "wait_s": None if outcome == "unknown" else draw(times_s),
    }  # fmt: skip
    if outcome == "answered":
        row |= {"agent_id": draw(st.sampled_from(["a1", "gone"])), "handle_s": draw(times_s)}
        row["acw_s"] = draw(st.none() | st.integers(0, round(row["handle_s"] * 1000)).map(lambda ms: ms / 1000))
        row["alert_s"] = draw(st.none() | st.integers(0, round(row["wait_s"] * 1000)).map(lambda ms: ms / 1000))
    return row


@settings(max_examples=15)
@given(st.lists(rows_of_interactions(), min_size=1, max_size=12))
def test_any_tables_come_back_whole(rows):
    """Whatever a platform can know about interactions, the double says exactly."""
    rows = [{"interaction_id": f"i{number}"} | row for number, row in enumerate(rows)]
    schema = {column.name: column.dtype for column in TABLES["interactions"].columns}
    interactions = pl.DataFrame(rows, schema=schema)
    org = Organisation.of_tables(Tables(pl.DataFrame({"agent_id": ["a1"]}), interactions))
    with Double(org) as running:
        assert_visits(everything(Reader(running), org), org)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"outcome": "answered"}, "agent_id"),
        ({"wait_s": None}, "wait_s"),
        ({"agent_id": "a1"}, "not answered"),
        ({"outcome": "answered", "agent_id": "a1", "handle_s": 1.0, "acw_s": 2.0}, "After-call"),
        ({"outcome": "answered", "agent_id": "a1", "handle_s": 1.0, "alert_s": 4.0}, "ringing"),
    ],
)
def test_what_a_platform_cannot_have_recorded_is_refused(values, word):
    with pytest.raises(InvalidTable, match=f"(?i)first 'i0'.*{word}"):
        Organisation.of_tables(small(**values))


def test_surveys_are_rescaled_and_need_their_conversation():
    survey = {"survey_id": ["s"], "interaction_id": ["i0"], "agent_id": ["a1"], "score": [4.5], "scale_min": [1.0],
              "scale_max": [5.0], "completed_at": [datetime(2026, 1, 6, tzinfo=UTC)]}  # fmt: skip
    tables = small()
    known = Tables.of(dict(tables) | {"surveys": pl.DataFrame(survey)})
    assert Organisation.of_tables(known).tables.surveys["score"].to_list() == [87.5]
    stray = Tables.of(dict(tables) | {"surveys": pl.DataFrame(survey | {"interaction_id": ["other"]})})
    with pytest.raises(InvalidTable, match="without an interaction"):
        Organisation.of_tables(stray)


# People, queues, dictionaries.


def test_lists_lose_nobody_however_short_their_pages(double, org):
    reader = Reader(double)
    for queue in org.tables.queues["queue_id"]:
        for size in (1, 2, 3, 100, 5000):
            entities = reader.listing(f"{API}/routing/queues/{queue}/members", pageSize=size)
            found = pl.DataFrame(
                sorted({(queue, one["id"], one["ringNumber"], one["joined"]) for one in entities}),
                schema=expected_of(org).members.schema, orient="row",
            )  # fmt: skip
            assert_frame_equal(found, expected_of(org).members.filter(queue_id=queue))
            twice = {(queue, name) for name, n in Counter(one["id"] for one in entities).items() if n == 2}
            assert twice == {pair for pair in org.facts.twice if pair[0] == queue}
    page = reader.get(f"{API}/routing/queues/q1/members", pageSize=500)
    assert page["pageSize"] == 100 and not {"total", "pageCount"} & set(page)
    assert reader.get(f"{API}/users", pageSize=2)["total"] == 14


def test_users_say_their_active_skills_and_what_is_switched_off(double, org):
    reader = Reader(double)
    plain = reader.listing(f"{API}/users")
    assert not any({"skills", "presence", "routingStatus"} & set(user) for user in plain)
    ids = ",".join(org.tables.agents["agent_id"][:3])
    assert len(reader.listing(f"{API}/users", id=ids)) == 3
    users = reader.listing(f"{API}/users", expand="skills,languages", pageSize=4, state="any")
    held = {user["id"]: user["skills"] for user in users}
    names = {one["id"]: one["name"] for one in reader.listing(f"{API}/routing/skills")}
    assert all(names[skill["id"]] == skill["name"] for own in held.values() for skill in own)
    for agent, skills in org.tables.agents.select("agent_id", "skills").iter_rows():
        active = [one for one in held[agent] if one["state"] == "active"]
        assert [{"name": one["name"], "proficiency": one["proficiency"]} for one in active] == skills
    off = {(agent, one["name"]) for agent, own in held.items() for one in own if one["state"] != "active"}
    assert off == set(org.facts.inactive_skills)
    asked = {
        skill for _, skills in expected_of(org).visits.select("visit", "skill_ids").iter_rows() for skill in skills
    }
    assert len(asked - set(names)) == 1, "the deleted skill is in no dictionary"


def test_queues_and_capacity_say_their_columns():
    tables = small()
    queues = pl.DataFrame({"queue_id": ["q1"], "evaluation_method": ["BEST"], "service_level_share": [0.9],
                           "service_level_s": [30.0], "alerting_timeout_s": [12.0],
                           "routing_rules": ['[{"operator": "ANY"}]'],
                           "rings": ['{"rings": [{"expansionCriteria": []}]}']})  # fmt: skip
    agents = pl.DataFrame({"agent_id": ["a1"], "capacity": [[{"media": "voice", "count": 2}]]})
    with Double(Organisation.of_tables(Tables.of(dict(tables) | {"queues": queues, "agents": agents}))) as running:
        reader = Reader(running)
        [queue] = reader.listing(f"{API}/routing/queues")
        assert queue == reader.get(f"{API}/routing/queues/q1")
        assert (queue["skillEvaluationMethod"], queue["routingRules"]) == ("BEST", [{"operator": "ANY"}])
        assert queue["mediaSettings"]["call"] == {
            "serviceLevel": {"percentage": 0.9, "durationMs": 30000}, "alertingTimeoutSeconds": 12.0,
        }  # fmt: skip
        assert queue["bullseye"] == {"rings": [{"expansionCriteria": []}]}
        own = reader.get(f"{API}/routing/users/a1/utilization")
        assert own["level"] == "Agent" and own["utilization"]["call"]["maximumCapacity"] == 2
        assert reader.get(f"{API}/routing/utilization")["utilization"]["chat"]["maximumCapacity"] == 4


def test_just_now_somebody_is_idle_in_every_queue(double, org):
    reader = Reader(double)
    for queue in org.tables.queues["queue_id"]:
        members = reader.listing(f"{API}/routing/queues/{queue}/members", expand="routingStatus,presence")
        idle = [one for one in members if one["joined"] and one["routingStatus"]["status"] == "IDLE"]
        assert idle
        assert all(moment(one["routingStatus"]["startTime"]) > org.end_ms for one in members)
        assert all(one["user"]["presence"]["presenceDefinition"]["systemPresence"] == "On Queue" for one in idle)
    again = organisation(agents=14, days=3, seed=1, interactions=900, queues=2)
    with Double(again) as other:
        path = f"{API}/routing/queues/q1/members"
        assert Reader(other).listing(path, expand="routingStatus") == reader.listing(path, expand="routingStatus")


@pytest.mark.parametrize("seed", range(6))
def test_a_single_member_is_idle(seed):
    found = states_now(Organisation.of_tables(small(), seed=seed))
    assert [now.status for now in found.values()] == ["IDLE"]


# Statuses.


def test_statuses_give_back_the_shifts_whole_on_every_day(double, org):
    """On queue and not silent is what the table staffing says; a spell over midnight comes twice, unclipped."""
    reader, spells, presences = Reader(double), {}, {}
    for day in days(org):
        details = reader.query(USERS, {"interval": interval(day, day + DAY)}, "userDetails", 5)
        assert [one["userId"] for one in details] == sorted(org.tables.agents["agent_id"])
        for one in details:
            own = spells.setdefault(one["userId"], {})
            for spell in one["routingStatus"]:
                assert own.setdefault(spell["startTime"], spell) == spell
            for spell in one["primaryPresence"]:
                presences.setdefault(one["userId"], set()).add(tuple(sorted(spell.items())))
    rows = []
    for agent, own in sorted(spells.items()):
        chain = [own[start] for start in sorted(own)]
        assert all(a["endTime"] == b["startTime"] for a, b in itertools.pairwise(chain)), "no gap, no overlap"
        rows += joined(agent, [s for s in chain if s["routingStatus"] in {"IDLE", "INTERACTING", "COMMUNICATING"}])
    assert_frame_equal(framed(rows, expected_of(org).staffing), expected_of(org).staffing)
    on = [dict(spell) for own in presences.values() for spell in own if dict(spell)["systemPresence"] == "ON_QUEUE"]
    assert sum("endTime" not in spell for spell in on) == len(org.facts.still_on)
    assert len(on) == org.tables.staffing.height


def joined(agent: str, spells: list[dict]) -> list[dict]:
    rows: list[dict] = []
    for spell in spells:
        if rows and rows[-1]["end_at"] == spell["startTime"]:
            rows[-1]["end_at"] = spell.get("endTime")
        else:
            rows.append({"agent_id": agent, "start_at": spell["startTime"], "end_at": spell.get("endTime")})
    return rows


def test_statuses_of_chosen_users_and_of_too_many_days(double, org):
    reader = Reader(double)
    chosen = {"type": "or", "predicates": [{"dimension": "userId", "value": name} for name in ("a01", "a03")]}
    start = days(org)[0]
    found = reader.query(USERS, {"interval": interval(start, start + 30 * DAY), "userFilters": [chosen]}, "userDetails")
    assert [one["userId"] for one in found] == ["a01", "a03"]
    assert reader.once("POST", USERS, {"interval": interval(start, start + 30 * DAY)})[0] == 400


# Jobs and queries.


def test_a_job_is_queued_then_pending_then_done_and_can_be_deleted(double, org):
    reader = Reader(double)
    reader.log_in()
    status, begun = reader.once("POST", f"{CONVERSATIONS}/jobs", {"interval": whole(org)})
    path = f"{CONVERSATIONS}/jobs/{begun['jobId']}"
    assert status == 202
    assert reader.once("GET", f"{path}/results")[0] == 400
    assert [reader.once("GET", path)[1]["state"] for _ in range(3)] == ["QUEUED", "PENDING", "FULFILLED"]
    assert double.jobs_left == 1
    assert reader.once("DELETE", path) == (204, None)
    assert reader.once("GET", path)[0] == 404
    assert double.jobs_left == 0


def test_jobs_overlap_and_queries_take_days_of_start(double, org, told):
    """A conversation over midnight is in the jobs of both days, and in the query of the first only."""
    reader = Reader(double)
    [name] = org.facts.over_midnight
    first = datetime.fromisoformat(told[name]["conversationStart"][:10] + "T00:00:00Z")
    for day, asked in ((first, True), (first + DAY, False)):
        span = interval(day, day + DAY)
        by_query = reader.query(f"{CONVERSATIONS}/query", {"interval": span}, "conversations")
        assert (name in {one["conversationId"] for one in by_query}) == asked
        assert {one["conversationStart"][:10] for one in by_query} == {day.date().isoformat()}
        lives = {key: (told[key]["conversationStart"], told[key].get("conversationEnd", "~")) for key in told}
        start, end = span.split("/")
        overlapping = {key for key, (begun, over) in lives.items() if begun < end and over > start}
        assert {one["conversationId"] for one in reader.job({"interval": span})} == overlapping
        assert name in overlapping
        matching = reader.job({"interval": span, "startOfDayIntervalMatching": True})
        assert (name in {one["conversationId"] for one in matching}) == asked
    noon = first + DAY / 2
    by_query = reader.query(f"{CONVERSATIONS}/query", {"interval": interval(noon, noon + DAY / 24)}, "conversations")
    assert {one["conversationId"] for one in by_query} == {
        key for key in told if told[key]["conversationStart"][:10] == first.date().isoformat()
    }


def test_a_conversation_that_ended_at_once_is_in_the_job_of_its_instant():
    midnight = datetime(2026, 1, 5, tzinfo=UTC)
    with Double(Organisation.of_tables(small(arrived_at=midnight, wait_s=0.0)), availability=midnight + DAY) as running:
        reader = Reader(running)
        assert len(reader.job({"interval": interval(midnight, midnight + DAY)})) == 1
        assert reader.job({"interval": interval(midnight - DAY, midnight)}) == []


def test_jobs_know_nothing_after_the_date_of_availability(double, org, told):
    reader = Reader(double)
    until = reader.get(f"{CONVERSATIONS}/jobs/availability")["dataAvailabilityDate"]
    assert until == text(org.end_ms - 43_200_000)
    found = {one["conversationId"] for one in reader.job({"interval": whole(org)}, 1000)}
    assert found == {name for name in told if told[name]["conversationStart"] < until}
    assert len(found) < len(told)


def test_over_the_service_level_is_said_of_who_waited_longer(told, org):
    marked = {
        (name, number)
        for name, conversation in told.items()
        for number, (_, session) in enumerate(sessions(conversation, "acd"), 1)
        if "nOverSla" in metrics(session)
    }
    late = expected_of(org).visits.filter(pl.col("wait_s") > 20, pl.col("outcome") != "flowed_out")
    assert marked == set(late.select("conversation_id", "visit").rows())


def test_only_jobs_show_attributes(double, org):
    reader, day = Reader(double), days(org)[0]
    span = {"interval": interval(day, day + DAY)}
    jobs = {one["conversationId"]: one for one in reader.job(span)}
    query = {one["conversationId"]: one for one in reader.query(f"{CONVERSATIONS}/query", span, "conversations")}
    for name, conversation in query.items():
        assert jobs[name]["participants"][0].pop("attributes")
        assert jobs[name] == conversation
    assert reader.once("POST", f"{CONVERSATIONS}/query", span)[1]["totalHits"] == len(query)
    late = {"interval": interval(day + 100 * DAY, day + 101 * DAY)}
    assert reader.once("POST", f"{CONVERSATIONS}/query", late) == (200, {})


@pytest.mark.parametrize("dimension", ["queueId", "userId", "mediaType", "purpose"])
def test_filters_of_segments_choose_conversations(double, org, told, dimension):
    value = {"queueId": "q1", "userId": "a03", "mediaType": "voice", "purpose": "user"}[dimension]

    def says(conversation: dict) -> bool:
        return any(
            value in (who, session["mediaType"], purpose) or session["segments"][0].get("queueId") == value
            for purpose in ("acd", "agent", "user")
            for who, session in sessions(conversation, purpose)
        )

    chosen = [{"type": "or", "predicates": [{"dimension": dimension, "operator": "matches", "value": value}]}]
    found = Reader(double).query(
        f"{CONVERSATIONS}/query", {"interval": whole(org), "segmentFilters": chosen}, "conversations"
    )
    assert {one["conversationId"] for one in found} == {name for name in told if says(told[name])}
    assert found


def test_two_filters_hold_both_and_finished_can_be_asked_for(double, org, told):
    reader = Reader(double)
    queue, agent = ({"dimension": name, "value": value} for name, value in (("queueId", "q1"), ("userId", "a03")))
    both = {"interval": whole(org), "segmentFilters": [{"type": "and", "predicates": [queue, agent]}]}
    found = reader.query(f"{CONVERSATIONS}/query", both, "conversations")
    assert found
    for one in found:
        assert any(who == "a03" and s["segments"][0].get("queueId") == "q1" for who, s in sessions(one, "agent"))
    over = [{"type": "and", "predicates": [{"dimension": "conversationEnd", "operator": "exists"}]}]
    ended = reader.query(
        f"{CONVERSATIONS}/query", {"interval": whole(org), "conversationFilters": over}, "conversations"
    )
    assert {one["conversationId"] for one in ended} == set(told) - set(expected_of(org).open_conversations)


# Aggregates.


@pytest.mark.parametrize("granularity", ["PT30M", "P1D"])
def test_aggregates_add_up_to_the_visits(double, org, granularity):
    body = {"interval": whole(org), "granularity": granularity, "groupBy": ["queueId", "mediaType"],
            "metrics": ["nOffered", "tAnswered", "tAbandon", "tFlowOut", "tHandle", "tTalkComplete", "tHeldComplete",
                        "tAcw", "nOverSla", "tShortAbandon"]}  # fmt: skip
    answer = Reader(double).post(f"{API}/analytics/conversations/aggregates/query", body)
    counts, sums, intervals = Counter(), Counter(), set()
    for result in answer["results"]:
        for data in result["data"]:
            intervals.add(data["interval"])
            for one in data["metrics"]:
                key = result["group"]["queueId"], one["metric"]
                counts[key] += one["stats"]["count"]
                sums[key] += one["stats"].get("sum", 0)
    lengths = {moment(end) - moment(start) for start, end in (span.split("/") for span in intervals)}
    assert lengths == {1_800_000 if granularity == "PT30M" else 86_400_000}
    for (queue,), rows in expected_of(org).visits.group_by("queue_id"):
        answered = rows.filter(outcome="answered")
        assert counts[queue, "nOffered"] == rows.height
        assert counts[queue, "tAnswered"] == answered.height
        assert counts[queue, "tAbandon"] == rows.filter(outcome="abandoned").height
        assert counts[queue, "tFlowOut"] == rows.filter(outcome="flowed_out").height
        assert counts[queue, "nOverSla"] == rows.filter(pl.col("wait_s") > 20, pl.col("outcome") != "flowed_out").height
        assert sums[queue, "tAnswered"] == round(1000 * answered["wait_s"].sum())
        assert sums[queue, "tHandle"] == round(1000 * answered["handle_s"].sum())
        assert sums[queue, "tAcw"] == round(1000 * answered["acw_s"].sum())
        assert sums[queue, "tHandle"] == sum(sums[queue, f"t{one}"] for one in ("TalkComplete", "HeldComplete", "Acw"))


def test_aggregates_lie_where_they_are_emitted_and_can_be_filtered(double, org):
    reader, span = Reader(double), whole(org)
    chosen = {"type": "or", "predicates": [{"dimension": "queueId", "value": "q2"}]}
    body = {
        "interval": span,
        "granularity": "PT30M",
        "groupBy": ["queueId"],
        "filter": chosen,
        "metrics": ["tAnswered"],
    }
    [result] = reader.post(f"{API}/analytics/conversations/aggregates/query", body)["results"]
    assert result["group"] == {"queueId": "q2"}
    got = {data["interval"][:24]: data["metrics"][0]["stats"]["count"] for data in result["data"]}
    answered = expected_of(org).visits.filter(outcome="answered", queue_id="q2")
    at = answered.select(pl.col("arrived_at").dt.epoch("ms") + (pl.col("wait_s") * 1000).round().cast(pl.Int64))
    starts = [moment_ms // 1_800_000 * 1_800_000 for moment_ms in at.to_series()]
    assert got == {text(start): n for start, n in Counter(starts).items()}


def test_surveys_and_queues_just_now_are_counted(double, org):
    reader = Reader(double)
    span = f"{text(org.start_ms)}/{text(org.end_ms + 7 * 86_400_000)}"
    body = {"interval": span, "groupBy": ["userId"], "metrics": ["oSurveyTotalScore", "nSurveyResponses"]}
    results = reader.post(f"{API}/analytics/surveys/aggregates/query", body)["results"]
    got = {r["group"]["userId"]: r["data"][0]["metrics"][-1]["stats"] for r in results}
    for (agent,), rows in org.tables.surveys.group_by("agent_id"):
        assert got[agent] == {"count": rows.height, "sum": rows["score"].sum(), "min": rows["score"].min(),
                              "max": rows["score"].max()}  # fmt: skip
    chosen = {"type": "or", "predicates": [{"dimension": "queueId", "value": name} for name in ("q1", "q2")]}
    path = f"{API}/analytics/queues/observations/query"
    answer = reader.post(path, {"filter": chosen, "metrics": ["oWaiting", "oMemberUsers"]})
    values = [(r["group"]["queueId"], d["metric"], d["stats"]["count"]) for r in answer["results"] for d in r["data"]]
    for queue, rows in org.tables.members.group_by("queue_id"):
        assert (queue[0], "oMemberUsers", rows.height) in values
    waiting = expected_of(org).visits.filter(~pl.col("over"), pl.col("outcome") == "unknown").height
    assert sum(n for _, metric, n in values if metric == "oWaiting") == waiting == 1


# Doors.


def test_only_the_right_pair_and_a_good_token_get_in(double):
    assert Reader(double, secret="wrong").log_in()[0] == 401
    reader = Reader(double)
    status, body = reader.once("GET", f"{API}/users", token="stolen")
    assert (status, body["code"], body["status"]) == (401, "bad.credentials", 401)
    assert set(body) == {"message", "code", "status", "contextId", "details", "errors"}
    assert reader.log_in()[0] == 200
    assert reader.once("GET", f"{API}/users")[0] == 200
    assert reader.headers["inin-ratelimit-allowed"] == "100000"
    assert reader.headers["ININ-Correlation-Id"]
    assert double.requests == [("POST", "/oauth/token"), ("GET", f"{API}/users"), ("POST", "/oauth/token"),
                               ("GET", f"{API}/users")]  # fmt: skip


def test_a_permission_that_is_missing_is_named(org):
    with Double(org, missing_permissions=("analytics:userDetail:view",)) as running:
        reader = Reader(running)
        reader.log_in()
        status, body = reader.once("POST", USERS, {"interval": whole(org)})
        assert (status, body["code"]) == (403, "missing.permissions")
        assert "[analytics:userDetail:view]" in body["message"]
        assert reader.once("GET", f"{API}/users")[0] == 200
    with pytest.raises(InvalidScenario, match="no:such:thing"):
        Double(org, missing_permissions=("no:such:thing",))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{API}/routing/users", None, 404),
        ("GET", f"{API}/routing/queues/none", None, 404),
        ("GET", f"{API}/routing/queues/none/members", None, 404),
        ("GET", f"{API}/users?pageSize=x", None, 400),
        ("GET", f"{CONVERSATIONS}/jobs/none", None, 404),
        ("POST", f"{CONVERSATIONS}/query", {}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"interval": "2026-01-06T00:00:00Z/2026-01-05T00:00:00Z"}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"interval": "2026-01-05/2026-01-06"}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"interval": "2026-01-05T00:00:00Z/2026-03-06T00:00:00Z"}, 400),
        ("POST", f"{CONVERSATIONS}/query", {"date_filter": 1}, 400),
        ("POST", f"{CONVERSATIONS}/jobs", [], 400),
    ],
)
def test_nonsense_is_refused_in_the_platforms_shape(double, method, path, body, status):
    reader = Reader(double)
    reader.log_in()
    got, answer = reader.once(method, path, body)
    assert (got, answer["status"]) == (status, status)
    assert {"message", "code", "contextId", "details", "errors"} <= set(answer)


def test_unknown_words_are_refused_by_name(double, org):
    reader = Reader(double)
    reader.log_in()
    wrong = [{"type": "and", "predicates": [{"dimension": "shoeSize", "operator": "matches", "value": "9"}]}]
    for path, body, word in (
        (f"{CONVERSATIONS}/query", {"segmentFilters": wrong}, "shoeSize"),
        (f"{CONVERSATIONS}/jobs", {"conversationFilters": wrong}, "shoeSize"),
        (USERS, {"userFilters": wrong}, "shoeSize"),
        (f"{API}/analytics/conversations/aggregates/query", {"metrics": ["tWish"]}, "tWish"),
        (f"{API}/analytics/conversations/aggregates/query", {"granularity": "weekly"}, "weekly"),
        (f"{API}/analytics/surveys/aggregates/query", {"groupBy": ["teamId"]}, "teamId"),
    ):
        status, answer = reader.once("POST", path, {"interval": whole(org)} | body)
        assert status == 400 and word in answer["message"]


def test_more_requests_than_allowed_wait_for_the_next_minute(org):
    now = [0.0]
    with Double(org, requests_per_minute=3, clock=lambda: now[0]) as running:
        reader = Reader(running)
        reader.log_in()
        assert [reader.once("GET", f"{API}/routing/settings")[0] for _ in range(4)] == [200, 200, 200, 429]
        assert int(reader.headers["Retry-After"]) == 60
        assert reader.headers["inin-ratelimit-count"] == reader.headers["inin-ratelimit-allowed"] == "3"
        now[0] = 59.9
        assert reader.once("GET", f"{API}/routing/settings")[0] == 429
        now[0] = 60.0
        assert reader.once("GET", f"{API}/routing/settings")[0] == 200
        assert reader.headers["inin-ratelimit-count"] == "1"


# Faults.


@pytest.fixture(scope="module")
def tiny() -> Organisation:
    return organisation(agents=5, days=2, seed=3, interactions=90, queues=1)


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


@pytest.fixture(scope="module")
def truth(tiny) -> dict[str, object]:
    with Double(tiny) as running:
        return known(Reader(running), tiny)


MET = [(kind, name) for kind, name in POSSIBLE if kind in {
    "token", "members", "users", "skills", "job_submit", "job_poll", "job_results", "details", "user_details",
}]  # fmt: skip


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from([one for one in MET if one[1] not in SLOW]), st.integers(1, 5)), max_size=6))
def test_faults_change_nothing_that_a_patient_reader_knows(tiny, truth, chosen):
    faults = Faults([(kind, number, name) for (kind, name), number in chosen])
    with Double(tiny, faults=faults) as running:
        assert known(Reader(running), tiny) == truth


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in SLOW])
def test_each_fault_happens_once_and_is_survived(tiny, truth, name):
    kinds = [kind for kind, fault in MET if fault == name]
    faults = Faults([(kind, 1 + (kind == "details"), name) for kind in kinds])
    with Double(tiny, faults=faults) as running:
        assert known(Reader(running), tiny) == truth
    assert sorted(faults.fired) == sorted((kind, 1 + (kind == "details"), name) for kind in kinds) != []


@pytest.mark.parametrize("seed", range(4))
def test_a_script_lets_a_patient_reader_through(tiny, truth, seed):
    faults = script(seed, 0.3)
    with Double(tiny, faults=faults) as running:
        assert known(Reader(running), tiny) == truth
    assert len(faults.fired) > 3
    assert not {name for _, _, name in faults.fired} & set(SLOW)


def test_faults_look_as_they_are_called(tiny):
    """What each fault of transport is, on the wire."""
    listed = [("settings", n, name) for n, name in enumerate(
        ("too_many_with_retry_after", "too_many", "error_500", "error_502", "error_503", "error_503_with_retry_after",
         "token_invalid"), 1)]  # fmt: skip
    with Double(tiny, faults=Faults(listed, retry_after_s=7)) as running:
        reader = Reader(running)
        reader.log_in()
        seen = []
        for _ in listed:
            status, body = reader.once("GET", f"{API}/routing/settings")
            seen.append((status, reader.headers["Retry-After"]))
            assert body["status"] == status
        assert seen == [(429, "7"), (429, None), (500, None), (502, None), (503, None), (503, "7"), (401, None)]
        assert reader.once("GET", f"{API}/routing/settings")[0] == 401, "the token stays bad"


@pytest.mark.parametrize("name", ["dropped", "dropped_in_body", "half_json", "html", "silence"])
def test_broken_answers_break(tiny, name):
    with Double(tiny, faults=Faults([("queues", 1, name)])) as running:
        reader = Reader(running, timeout_s=0.2)
        reader.log_in()
        expected = ValueError if name in {"half_json", "html"} else (OSError, http.client.HTTPException)
        with pytest.raises(expected):
            reader.once("GET", f"{API}/routing/queues")
        assert reader.once("GET", f"{API}/routing/queues")[0] == 200


def test_faults_of_content_look_as_they_are_called(tiny):
    day = days(tiny)[0]
    body = {"interval": interval(day, day + DAY)}
    names = ("empty_page", "on_two_pages", "on_two_days", "null_enum", "unknown_enum", "results_gone")
    listed = [("job_results", number, name) for number, name in enumerate(names, 2)]
    members = [("members", number, name) for number, name in enumerate(("short_page", "null_enum", "unknown_enum"), 2)]
    with Double(tiny, faults=Faults([*listed, *members])) as running:
        reader = Reader(running)
        path = f"{CONVERSATIONS}/jobs/{reader.post(f'{CONVERSATIONS}/jobs', body)['jobId']}"
        assert [reader.get(path)["state"] for _ in range(3)][-1] == "FULFILLED"
        right, empty, two_pages, two_days, null, unknown = (
            reader.get(f"{path}/results", pageSize=5)["conversations"] for _ in range(6)
        )
        assert reader.once("GET", f"{path}/results?pageSize=5")[0] == 404
        assert (len(right), empty, two_pages[:5], len(two_pages)) == (5, [], right, 6)
        assert two_days[:5] == right and two_days[5]["conversationStart"][:10] != right[0]["conversationStart"][:10]
        assert null[0]["conversationInitiator"] is None is not right[0]["conversationInitiator"]
        assert unknown[0]["conversationInitiator"] != right[0]["conversationInitiator"]
        path = f"{API}/routing/queues/q1/members?pageSize=4"
        first, short, null, unknown = (reader.get(path) for _ in range(4))
        assert 0 < len(short["entities"]) < len(first["entities"]) and "nextUri" in short
        assert (null["entities"][0]["memberBy"], unknown["entities"][0]["memberBy"] in {"user", "group"}) == (
            None,
            False,
        )


def test_a_lost_submit_leaves_a_job(tiny):
    with Double(tiny, faults=Faults([("job_submit", 1, "lost_submit")])) as running:
        reader = Reader(running)
        reader.log_in()
        with pytest.raises((OSError, http.client.HTTPException)):
            reader.once("POST", f"{CONVERSATIONS}/jobs", {"interval": whole(tiny)})
        assert running.jobs_left == 1


@pytest.mark.parametrize(
    ("name", "end"), [("job_failed", "FAILED"), ("job_expired", "EXPIRED"), ("job_never_done", "PENDING")]
)
def test_a_job_may_come_to_another_end(tiny, name, end):
    with Double(tiny, faults=Faults([("job_submit", 1, name)])) as running:
        reader = Reader(running)
        job = reader.post(f"{CONVERSATIONS}/jobs", {"interval": whole(tiny)})["jobId"]
        assert [reader.get(f"{CONVERSATIONS}/jobs/{job}")["state"] for _ in range(5)][2:] == [end] * 3


@given(st.integers(0, 99), st.sampled_from(KINDS), st.floats(0, 1))
def test_scripts_repeat_and_never_fail_more_than_three_times_in_a_row(seed, kind, share):
    def drawn(order: list[str]) -> dict[str, list[str | None]]:
        faults, found = script(seed, share, slow=True), {}
        for subject in order:
            found.setdefault(subject, []).append(faults.next(kind, subject))
        return found

    found = drawn(["a", "b"] * 40)
    assert drawn(["a"] * 40 + ["b"] * 40) == found, "the order of subjects changes nothing"
    for fates in found.values():
        runs = [len(list(run)) for is_bad, run in itertools.groupby(fates, key=lambda one: one is not None) if is_bad]
        assert max(runs, default=0) <= 3
        assert {name for name in fates if name} <= set(faults_of(kind))
        if kind == "job_submit":
            assert (
                sum(name not in {None, "too_many", "too_many_with_retry_after", "token_invalid"} for name in fates) <= 2
            )


def test_impossible_faults_are_refused():
    for listed in [("token", 1, "short_page")], [("users", 0, "dropped")], [("nothing", 1, "dropped")]:
        with pytest.raises(InvalidScenario, match="POSSIBLE"):
            Faults(listed)
    with pytest.raises(InvalidScenario, match="share"):
        script(0, 2)


def test_every_fault_can_happen_somewhere():
    assert {name for _, name in POSSIBLE} == set(FAULTS)
    assert {kind for kind, _ in POSSIBLE} == set(KINDS)


# The server itself.


def test_many_readers_at_once_get_the_same(tiny, truth):
    with Double(tiny) as running:
        found: list[object] = []
        threads = [threading.Thread(target=lambda: found.append(known(Reader(running), tiny))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [truth] * 4


def test_it_listens_on_this_machine_only_and_leaves_nothing_behind(tiny):
    before = threading.active_count()
    running = Double(tiny, faults=Faults([("queues", 1, "silence")]))
    assert running.url.startswith("http://127.0.0.1:")
    idle, reader = Reader(running), Reader(running)
    idle.log_in()
    reader.log_in()

    def wait() -> None:
        with pytest.raises((OSError, http.client.HTTPException)):
            reader.once("GET", f"{API}/routing/queues")

    silent = threading.Thread(target=wait)
    silent.start()
    while len(running.requests) < 3:
        pass
    running.stop()
    running.stop()
    assert idle.connection.sock.recv(1) == b"", "a connection that waits is closed too"
    silent.join(5)
    assert not silent.is_alive()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", urlsplit(running.url).port), 1):
        pass
    left = [thread for thread in threading.enumerate() if "double" in thread.name]
    assert not left and threading.active_count() <= before + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_the_process_is_asked_to_end(tiny, number):
    running, handler = Double(tiny), signal.getsignal(number)

    def ask() -> None:
        Reader(running).log_in()
        os.kill(os.getpid(), number)

    asking = threading.Thread(target=ask)
    # Before anybody waits the signal would end this very process.
    waiting = threading.Timer(0.05, asking.start)
    waiting.start()
    serve_forever(running)
    assert running.stopping.is_set()
    assert running.requests == [("POST", "/oauth/token")]
    assert signal.getsignal(number) == handler


def test_equal_seeds_make_equal_organisations(org):
    again = organisation(agents=14, days=3, seed=1, interactions=900, queues=2)
    for name, frame in again.tables:
        assert_frame_equal(frame, getattr(org.tables, name))
    assert again.facts == org.facts
    other = organisation(agents=14, days=3, seed=2, interactions=900, queues=2)
    assert other.facts != org.facts
