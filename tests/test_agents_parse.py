"""Members are listed once, agents keep what is active and readable, and nothing about their person but a name."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine.data.checks import check
from engine.data.tables import TABLES
from ingest.genesys.objects.people import (
    fetch_members,
    fetch_users,
    parse_agents,
    parse_members,
)
from ingest.genesys.objects.utilization import Utilization, fetch_utilization, parse_utilization
from tests.payloads import PERSONAL, Answers, at, damaged, paged, when

USER = {
    "id": "u1",
    "name": "Agent One",
    "email": PERSONAL,
    "title": PERSONAL,
    "department": PERSONAL,
    "state": "active",
    "division": {"id": "d1", "name": "Home"},
    "presence": {"presenceDefinition": {"id": "p1", "systemPresence": "On Queue"}, "message": PERSONAL},
    "routingStatus": {"userId": "u1", "status": "IDLE", "startTime": at(5)},
    "skills": [
        {"id": "s2", "name": "Tech", "proficiency": 3.5, "state": "active"},
        {"id": "s1", "name": "Billing as users have it", "proficiency": 4, "state": "active"},
        {"id": "s3", "name": "Gone", "proficiency": 5.0, "state": "deleted"},
    ],
    "languages": [{"id": "l1", "name": "English", "proficiency": 5.0}],
}
MEMBER = {"id": "u1", "name": "Agent One", "joined": False, "ringNumber": 2, "memberBy": "user", "user": USER}
SKILLS = {"s1": "Billing", "s2": "Tech"}


def agents(*users, utilization=None):
    frame, counts = parse_agents(list(users), SKILLS, {}, utilization or {})
    assert dict(frame.schema) == TABLES["agents"].schema()
    check("agents", frame)
    return frame.to_dicts(), counts


def members(*entities):
    frame, counts = parse_members("q1", list(entities))
    check("members", frame)
    return frame.rows(), counts


def test_an_agent_in_full():
    own = Utilization({"voice": 1, "chat": 3}, {"email": ("voice",), "chat": ()}, {"voice": True})
    (row,), counts = agents(USER, utilization={"u1": own})
    assert row == {
        "agent_id": "u1", "agent_name": "Agent One",
        "skills": [{"name": "Billing", "proficiency": 4.0}, {"name": "Tech", "proficiency": 3.5}],
        "languages": [{"name": "English", "proficiency": 5.0}], "group": "Home", "presence": "ON_QUEUE",
        "routing_status": "IDLE", "idle_since": when(5), "queue_time_s": None,
        "capacity": [{"media": "voice", "count": 1}, {"media": "chat", "count": 3}],
        "interrupted_by": [{"media": "email", "by": ["voice"]}, {"media": "chat", "by": []}],
    }  # fmt: skip
    assert counts == {"left out: skills of agents that are not active": 1}
    assert PERSONAL not in str(row)


def test_idle_since_is_known_of_idle_agents_only():
    (row,), _ = agents({**USER, "routingStatus": {"status": "INTERACTING", "startTime": at(5)}})
    assert (row["routing_status"], row["idle_since"]) == ("INTERACTING", None)


def test_proficiencies_outside_are_moved_in_and_counted():
    skills = [{"id": "s1", "proficiency": 7}, {"id": "s2", "proficiency": -1}, {"id": "s9", "proficiency": 2},
              {"id": "s4", "name": "No level"}]  # fmt: skip
    (row,), counts = agents({"id": "u1", "skills": skills})
    assert row["skills"] == [{"name": "Billing", "proficiency": 5.0}, {"name": "Tech", "proficiency": 0.0}]
    assert counts == {
        "moved into 0 to 5: proficiencies in skills of agents": 2,
        "left out: skills of agents without a name or a proficiency": 2,
    }


def test_what_the_platform_does_not_say_is_null():
    (row,), counts = agents({"id": "u1"})
    assert {name for name, value in row.items() if value is not None} == {"agent_id"}
    assert counts == {}


def test_members_listed_twice_are_one():
    again = {**MEMBER, "memberBy": "group", "ringNumber": 1, "joined": True}
    rows, counts = members(MEMBER, {"user": {"id": "u0"}}, again)
    assert rows == [("q1", "u0", 1, True), ("q1", "u1", 1, True)]
    assert counts == {"merged: members listed twice in a queue": 1}
    assert members(again, MEMBER)[0] == [("q1", "u1", 1, True)]
    assert members(MEMBER)[0] == [("q1", "u1", 2, False)]


def test_rings_that_do_not_exist_are_left_to_the_default():
    rows, counts = members(
        {"id": "u1", "ringNumber": 9}, {"id": "u2", "ringNumber": "2"}, {"id": "u3", "joined": "yes"}
    )
    assert [row[2:] for row in rows] == [(1, True)] * 3
    assert sum(counts.values()) == 3


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_damage_costs_only_what_is_damaged(seed, times):
    rows, _ = agents(
        {**USER, "id": "good"}, damaged(USER, seed, times), None, "text", utilization={"u1": Utilization()}
    )
    assert rows[0] == agents({**USER, "id": "good"})[0][0]
    found, _ = members({**MEMBER, "id": "good"}, damaged(MEMBER, seed, times), None, 4)
    assert ("q1", "good", 2, False) in found
    parse_utilization(damaged({"utilization": {"call": {"maximumCapacity": 1}}}, seed, times))


def test_what_is_out_of_range_is_left_to_the_default():
    odd = {
        "call": {"maximumCapacity": 99}, "chat": {"maximumCapacity": 2, "interruptableMediaTypes": "call"},
        "workitem": {"maximumCapacity": 1}, "email": {"interruptableMediaTypes": ["call", "fax", None, "chat", "call"]},
        "message": None, "callback": {"maximumCapacity": 1.5, "includeNonAcd": "yes"},
    }  # fmt: skip
    counts = Counter()
    found = parse_utilization({"utilization": odd}, counts)
    assert (found.capacity, found.interrupted_by, found.non_acd) == ({"chat": 2}, {"email": ("voice", "chat")}, {})
    assert dict(counts) == {
        "left to default: capacity of an agent that is no whole number up to 25": 2,
        "left to default: media that may interrupt another, given as no list": 1,
        "left out: utilisation of media that no table knows": 1,
    }
    (row,), _ = agents(USER, utilization={"u1": found})
    assert row["capacity"] == [{"media": "chat", "count": 2}]
    (row,), _ = agents(USER, utilization={"u1": Utilization()})
    assert (row["capacity"], row["interrupted_by"]) == (None, None)


def test_an_agent_s_own_settings_go_before_those_of_the_organisation():
    usual = Utilization({"voice": 1, "chat": 4}, {"email": ("voice",)}, {"voice": False, "chat": True})
    own = Utilization({"chat": 2}, {"email": ()}, {"voice": True})
    both = Utilization({"voice": 1, "chat": 2}, {"email": ()}, {"voice": True, "chat": True})
    assert own.over(usual) == both


def test_members_and_users_are_read_to_the_end():
    entities = [{"id": f"u{number}"} for number in range(5)]
    reader = Answers(get=paged(entities))
    assert fetch_members(reader, "q1") == entities
    assert reader.asked[0][0::2] == ("/api/v2/routing/queues/{queueId}/members", {"queueId": "q1"})


def test_users_are_asked_for_in_batches_those_who_left_included():
    reader = Answers(get=lambda _path, query: {"entities": [{"id": name} for name in query["id"][:40]]})
    found = fetch_users(reader, [f"u{number:03}" for number in range(120)])
    assert [len(query["id"]) for _, query, _ in reader.asked] == [50, 50, 20]
    assert all(query["state"] == "any" and "skills" in query["expand"] for _, query, _ in reader.asked)
    assert len(found) == 100


def test_capacity_of_an_agent_or_of_everybody():
    answer = {"utilization": {"call": {"maximumCapacity": 1, "includeNonAcd": False}, "email": {"maximumCapacity": 4},
                              "chat": {"maximumCapacity": "2"}, "workitem": None}}  # fmt: skip
    expected = Utilization({"voice": 1, "email": 4}, {}, {"voice": False})
    reader = Answers(get=lambda _path, _query, **_params: answer)
    assert parse_utilization(fetch_utilization(reader)) == expected
    assert parse_utilization(fetch_utilization(reader, "u1")) == expected
    assert [path for path, *_ in reader.asked] == [
        "/api/v2/routing/utilization", "/api/v2/routing/users/{userId}/utilization"
    ]  # fmt: skip
    assert parse_utilization({}) == parse_utilization(None) == Utilization()
