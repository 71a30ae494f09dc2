"""Faults of the double: as they are called on the wire, and nothing that a patient reader does not survive."""

from __future__ import annotations

import http.client
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from ingest.double import FAULTS, Double, Faults, script
from ingest.double.faults import KINDS, POSSIBLE, SLOW, faults_of
from tests.double_reader import API, CONVERSATIONS, DAY, Reader, days, interval, known, whole

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
