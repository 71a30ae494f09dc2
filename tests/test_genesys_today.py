"""What the platform says today, from a reader that says just what a test wants."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.genesys.collecting.today import NO_UTILIZATION, RESETS_ON_QUEUE, choose_queues, read_today, with_agents
from ingest.platform.errors import AccessRefused, RequestRefused

SKILL = {"id": "s1", "name": "Billing", "state": "active"}


class Said:
    """Answers by path; an error is raised."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[str] = []
        self.answers = {
            "/api/v2/routing/queues": {"entities": [{"id": "q1", "name": "First"}, {"id": "q2", "name": "Second"}]},
            "/api/v2/routing/queues/{queueId}/members": {"entities": [{"id": "a1"}, {"id": "a2"}]},
            "/api/v2/routing/skills": {"entities": [SKILL]},
            "/api/v2/routing/languages": {},
            "/api/v2/routing/settings": {},
            "/api/v2/routing/utilization": {"utilization": {"call": {"maximumCapacity": 1}}},
            "/api/v2/routing/users/{userId}/utilization": {"utilization": {"call": {"maximumCapacity": 2}}},
            "/api/v2/organizations/me": {"id": "org"},
            "/api/v2/users": {"entities": [{"id": "a1", "name": "Ann", "skills": [SKILL | {"proficiency": 4.0}]}]},
            **{"/api/v2/" + path: answer for path, answer in answers.items()},
        }

    def get(self, path: str, query: dict[str, Any] | None = None, **path_params: str) -> Any:
        self.asked.append(path)
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def query(self, path: str, body: dict[str, Any]) -> Any:
        raise AssertionError(path)

    submit = query

    def delete(self, path: str, **path_params: str) -> None:
        raise AssertionError(path)


def today(said: Said, *queues: str):
    return read_today(said, choose_queues(said, queues or ("First",)), lambda step, done, total: None)


def test_members_become_agents_and_those_nobody_knows_have_an_id_only():
    found = today(Said())
    assert found.organisation == "org"
    assert found.queue_ids == ["q1"]
    assert found.agent_ids == ["a1", "a2"]
    assert found.agents["agent_name"].to_list() == ["Ann", None]
    assert found.agents["skills"].to_list()[0] == [{"name": "Billing", "proficiency": 4.0}]
    assert found.counts["kept: agents whom the platform does not know any more; they have no skills"] == 1


def test_an_agent_of_two_queues_is_one_agent():
    found = today(Said(), "First", "q2")
    assert found.members.height == 4
    assert found.agent_ids == ["a1", "a2"]


def test_more_agents_join_those_that_are_known():
    said = Said()
    found = today(said)
    asked = len(said.asked)
    assert with_agents(said, found, ["a1", "a2"], lambda *told: None) is found
    assert len(said.asked) == asked
    more = with_agents(said, found, ["a0"], lambda *told: None)
    assert more.agent_ids == ["a0", "a1", "a2"]


def test_capacity_is_read_for_each_agent():
    own = {"call": {"maximumCapacity": 2, "interruptableMediaTypes": ["email"], "includeNonAcd": True}}
    found = today(Said(**{"routing/users/{userId}/utilization": {"utilization": own}}))
    assert found.agents["capacity"].to_list()[0] == [{"media": "voice", "count": 2}]
    assert found.agents["interrupted_by"].to_list()[0] == [{"media": "voice", "by": ["email"]}]
    assert found.non_acd == {("a1", "voice"), ("a2", "voice")}


def test_what_an_agent_s_settings_do_not_say_is_as_in_the_organisation():
    usual = {"chat": {"maximumCapacity": 3, "interruptableMediaTypes": ["call"], "includeNonAcd": True}}
    found = today(Said(**{"routing/utilization": {"utilization": usual}}))
    assert {each["media"]: each["count"] for each in found.agents["capacity"][0]} == {"voice": 2, "chat": 3}
    assert found.agents["interrupted_by"].to_list()[0] == [{"media": "chat", "by": ["voice"]}]
    assert found.non_acd == {("a1", "chat"), ("a2", "chat")}


def test_capacity_without_permission_is_the_default_and_said():
    refused = AccessRefused("no", status=403, permission="routing:utilization:view")
    found = today(Said(**{"routing/users/{userId}/utilization": refused}))
    assert found.agents["capacity"].null_count() == found.agents["interrupted_by"].null_count() == 2
    assert found.non_acd == frozenset()
    assert NO_UTILIZATION in found.notes


def test_what_is_said_of_agents_is_said_once_however_often_they_are_read():
    refused = AccessRefused("no", status=403, permission="routing:utilization:view")
    said = Said(**{"routing/users/{userId}/utilization": refused})
    assert with_agents(said, today(said), ["a0"], lambda *told: None).notes == (NO_UTILIZATION,)


def test_what_is_counted_of_queues_and_agents_adds_up():
    twice = {"entities": [{"id": "a1"}, {"id": "a2"}, {"id": "a1"}]}
    said = Said(**{"routing/queues/{queueId}/members": twice})
    found = today(said, "First", "Second")
    assert found.counts["merged: members listed twice in a queue"] == 2
    more = with_agents(said, found, ["a0"], lambda *told: None)
    assert more.counts["kept: agents whom the platform does not know any more; they have no skills"] == 2


def test_capacity_that_the_platform_will_not_tell_for_another_reason_is_a_failure():
    with pytest.raises(RequestRefused):
        today(Said(**{"routing/users/{userId}/utilization": RequestRefused("no", status=400)}))


def test_an_agent_who_left_has_the_capacity_of_the_organisation():
    gone = RequestRefused("gone", status=404)
    found = today(Said(**{"routing/users/{userId}/utilization": gone}))
    assert found.agents["capacity"].to_list()[0] == [{"media": "voice", "count": 1}]


def test_clocks_that_restart_on_coming_on_queue_are_said():
    assert RESETS_ON_QUEUE in today(Said(**{"routing/settings": {"resetAgentScoreOnPresenceChange": True}})).notes
    assert RESETS_ON_QUEUE not in today(Said()).notes


@pytest.mark.parametrize("answer", [{}, {"id": 7}, AccessRefused("no", status=403), RequestRefused("no", status=404)])
def test_an_organisation_that_is_not_told_is_unknown(answer):
    assert today(Said(**{"organizations/me": answer})).organisation is None


@pytest.mark.parametrize("path", ["organizations/me", "routing/users/{userId}/utilization"])
def test_refused_credentials_are_no_missing_permission(path):
    with pytest.raises(AccessRefused):
        today(Said(**{path: AccessRefused("no", status=401)}))


def test_a_queue_without_members_is_read_all_the_same():
    found = today(Said(**{"routing/queues/{queueId}/members": {}}))
    assert (found.agent_ids, found.members.height) == ([], 0)
    assert with_agents(Said(), found, ["a1"], lambda *told: None).agent_ids == ["a1"]
