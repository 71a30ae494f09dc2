"""What the platform counts is added up by place and time; bodies of queries fit their limits."""

import json
import os
import random
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from ingest.genesys.objects.aggregates import (
    SCHEMA,
    SURVEY_SCHEMA,
    daily_offered,
    fetch_aggregates,
    fetch_survey_aggregates,
    parse_aggregates,
    parse_survey_aggregates,
)
from ingest.genesys.objects.query_bodies import batches, interval, job_body, query_body, queue_filter, user_filter
from tests.payloads import START, Answers, at, damaged, when

ANSWERED = {"nOffered": (10, None), "tAnswered": (7, 140_000), "tAbandon": (2, 60_000), "tFlowOut": (1, 5000),
            "nOverSla": (3, None), "tHandle": (7, 1_400_500), "tTalkComplete": (7, 1_000_000),
            "tHeldComplete": (2, 300_000), "tAcw": (6, 100_500)}  # fmt: skip


def metric(name, count, total=None):
    return {"metric": name, "stats": {"count": count} | ({} if total is None else {"sum": total, "max": total})}


def data(start_s, figures):
    return {
        "interval": f"{at(start_s)}/{at(start_s + 1800)}",
        "metrics": [metric(name, *each) for name, each in figures.items()],
    }


def result(*data_, **group):
    return {"group": {"queueId": "q1", "mediaType": "voice", **group}, "data": list(data_)}


def test_the_documented_answer():
    frame = parse_aggregates({"results": [result(data(0, ANSWERED))]})
    assert frame.rows() == [("q1", "voice", START, 10, 7, 2, 1, 3, 140.0, 1400.5, 1000.0, 300.0, 100.5)]
    assert dict(frame.schema) == SCHEMA
    row = frame.row(0, named=True)
    assert row["offered"] == row["answered"] + row["abandoned"] + row["flowed_out"]
    assert row["handle_s"] == row["talk_s"] + row["held_s"] + row["acw_s"]


@pytest.mark.parametrize("answer", [{}, None, {"results": None}, {"results": []}, {"results": [{"group": {}}]}])
def test_nothing_counted_is_an_empty_frame(answer):
    assert parse_aggregates(answer).is_empty() and dict(parse_aggregates(answer).schema) == SCHEMA
    surveys = parse_survey_aggregates(answer)
    assert surveys.is_empty() and dict(surveys.schema) == SURVEY_SCHEMA


def test_a_missing_metric_is_nought_one_that_cannot_be_read_is_null():
    row = parse_aggregates({"results": [result(data(0, {"nOffered": ("4",), "tAcw": (1, -5)}))]}).row(0, named=True)
    assert (row["offered"], row["acw_s"], row["answered"], row["handle_s"]) == (None, None, 0, 0.0)


@given(st.integers(0, 2**32))
def test_sums_do_not_depend_on_how_answers_are_cut(seed):
    draw = random.Random(seed)
    parts = [
        result(data(1800 * draw.randrange(2), {"nOffered": (draw.randrange(9),), "tAnswered": (1, 1000)}),
               queueId=draw.choice(["q1", "q2"]))
        for _ in range(9)
    ]  # fmt: skip
    frame = parse_aggregates({"results": parts})
    draw.shuffle(parts)
    assert parse_aggregates({"results": parts}).equals(frame)
    assert frame.select("queue_id", "media", "start_at").is_duplicated().sum() == 0
    assert frame["offered"].sum() == sum(p["data"][0]["metrics"][0]["stats"]["count"] for p in parts)
    assert frame["answered_wait_s"].sum() == 9.0


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_damage_never_stops(seed, times):
    answer = {"results": [result(data(0, ANSWERED)), result(data(1800, ANSWERED), userId="u1")]}
    hurt = damaged(answer, seed, times)
    assert dict(parse_aggregates(hurt).schema) == SCHEMA
    assert dict(parse_survey_aggregates(hurt).schema) == SURVEY_SCHEMA
    daily_offered(Answers(query=lambda _path, _body: hurt), ["q1"], START, when(60))


def test_surveys_by_queue_and_agent():
    group = {"queueId": "q1", "userId": "u1"}
    answer = {"results": [{"group": group, "data": [{"metrics": [metric("oSurveyTotalScore", 4, 350.5)]}]}] * 2}
    assert parse_survey_aggregates(answer).rows() == [("q1", "u1", 8, 701.0)]


def test_questions_name_what_is_counted():
    reader = Answers(query=lambda _path, _body: {})
    assert fetch_aggregates(reader, ["q1", "q2"], START, START + timedelta(days=8)) == {"results": []}
    fetch_survey_aggregates(reader, [f"q{n}" for n in range(150)], START, START + timedelta(days=1))
    first, _, *surveys = [body for _, body in reader.asked]
    assert (first["granularity"], first["groupBy"]) == ("PT30M", ["queueId", "mediaType"])
    assert set(first["metrics"]) == set(ANSWERED)
    assert first["filter"]["type"] == "or" and len(first["filter"]["predicates"]) == 2
    assert [len(body["filter"]["predicates"]) for body in surveys] == [100, 50]
    assert surveys[0]["groupBy"] == ["userId", "queueId"]
    assert [path.split("/")[4] for path, _ in reader.asked] == ["conversations"] * 2 + ["surveys"] * 2


def test_days_with_data():
    def query(_path, body):
        start = datetime.fromisoformat(body["interval"].split("/")[0])
        if start > START:
            return {}
        days = [{"interval": f"2025-03-{day:02}T00:00:00.000Z/x", "metrics": [metric("nOffered", n)]}
                for day, n in ((3, 5), (1, 2), (2, 0))]  # fmt: skip
        return {"results": [{"group": {}, "data": days}, {"data": days[:1]}]}

    reader = Answers(query=query)
    found = daily_offered(reader, ["q1"], START, START + timedelta(days=60))
    assert found.rows() == [(date(2025, 3, 1), 2), (date(2025, 3, 3), 10)]
    assert dict(found.schema) == {"day": pl.Date(), "offered": pl.Int64()}
    assert len(reader.asked) == 2 and reader.asked[0][1]["granularity"] == "P1D"


@given(st.integers(1, 2000), st.integers(0, 2**32))
def test_bodies_fit_and_name_every_id_once(n, seed):
    ids = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(n)]
    mixed = ids + random.Random(seed).choices(ids, k=3)
    random.Random(seed).shuffle(mixed)
    found = []
    for some in batches(mixed):
        for make in (job_body, query_body):
            for only in (queue_filter, user_filter):
                assert len(json.dumps(make(START, when(60), [only(some)]))) < 512_000
        found += [each["value"] for each in queue_filter(some)["predicates"]]
    assert found == ids


def test_a_body_in_full():
    assert job_body(START, when(86_400), [queue_filter(["q1"])]) == {
        "interval": "2025-03-01T10:00:00.000Z/2025-03-02T10:00:00.000Z", "order": "asc", "orderBy": "conversationStart",
        "segmentFilters": [{"type": "or", "predicates": [
            {"type": "dimension", "dimension": "queueId", "operator": "matches", "value": "q1"}]}],
    }  # fmt: skip
    assert "segmentFilters" not in query_body(START, when(60))


def test_bodies_that_cannot_be_are_refused():
    with pytest.raises(InvalidScenario, match="no time zone"):
        interval(datetime(2025, 3, 1), when(60))
    for ids in ([], [str(n) for n in range(501)]):
        with pytest.raises(InvalidScenario, match="1 to 500"):
            user_filter(ids)


def test_published_aggregate():
    folder = os.environ.get("ROUTELAB_PAYLOADS")
    if not folder:
        pytest.skip("ROUTELAB_PAYLOADS is not set; it names the folder of published payloads")
    answer = json.loads(Path(folder, "conversation_aggregate_mit.json").read_text())
    row = parse_aggregates(answer).row(0, named=True)
    assert (row["media"], row["offered"], row["answered"], row["answered_wait_s"]) == ("chat", 5, 5, 32.296)
