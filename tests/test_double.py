"""The double of the platform says what its tables say, in the platform's contract."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from engine.data.tables import MEDIA, TABLES, Tables
from engine.errors import InvalidTable
from ingest.double import PLANTED, Double, Organisation, organisation
from ingest.double.centre.stamps import moment
from ingest.double.payloads.live import states_now
from tests.double_expected import expected_of
from tests.double_reader import (
    API,
    DAY,
    UNTOLD,
    USERS,
    Reader,
    assert_visits,
    days,
    everything,
    framed,
    interval,
    metrics,
    sessions,
    small,
)


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


def test_over_the_service_level_is_said_of_who_waited_longer(told, org):
    marked = {
        (name, number)
        for name, conversation in told.items()
        for number, (_, session) in enumerate(sessions(conversation, "acd"), 1)
        if "nOverSla" in metrics(session)
    }
    late = expected_of(org).visits.filter(pl.col("wait_s") > 20, pl.col("outcome") != "flowed_out")
    assert marked == set(late.select("conversation_id", "visit").rows())


def test_equal_seeds_make_equal_organisations(org):
    again = organisation(agents=14, days=3, seed=1, interactions=900, queues=2)
    for name, frame in again.tables:
        assert_frame_equal(frame, getattr(org.tables, name))
    assert again.facts == org.facts
    other = organisation(agents=14, days=3, seed=2, interactions=900, queues=2)
    assert other.facts != org.facts
