"""What the double answers to jobs, queries and aggregates."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest

from ingest.double import Double, Organisation
from ingest.double.centre.stamps import moment, text
from tests.double_expected import expected_of
from tests.double_reader import API, CONVERSATIONS, DAY, Reader, days, interval, sessions, small, whole


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
