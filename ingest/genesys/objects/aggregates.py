"""What the platform itself counts: per half hour, per day, and satisfaction per agent.

It is there to compare with; nothing is calculated from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from engine.data.tables import TIME
from engine.typing import Record
from ingest.genesys.objects.query_bodies import any_of, batches, interval, pieces
from ingest.genesys.objects.values import instant, number, record, records, text
from ingest.platform.pages import Reader

CONVERSATIONS = "/api/v2/analytics/conversations/aggregates/query"
SURVEYS = "/api/v2/analytics/surveys/aggregates/query"
MOST_QUEUES = 100
# Longest span of one request; the platform's own limit is not documented for each granularity.
HALF_HOURS_DAYS, DAYS_DAYS = 7, 31
# Column, metric, and what its statistics give.
FIGURES = (
    ("offered", "nOffered", "count"),
    ("answered", "tAnswered", "count"),
    ("abandoned", "tAbandon", "count"),
    ("flowed_out", "tFlowOut", "count"),
    ("over_sla", "nOverSla", "count"),
    ("answered_wait_s", "tAnswered", "sum"),
    ("handle_s", "tHandle", "sum"),
    ("talk_s", "tTalkComplete", "sum"),
    ("held_s", "tHeldComplete", "sum"),
    ("acw_s", "tAcw", "sum"),
)
METRICS = list(dict.fromkeys(metric for _, metric, _ in FIGURES))
SCORE = "oSurveyTotalScore"
_COUNTS = {name: pl.Int64() if statistic == "count" else pl.Float64() for name, _, statistic in FIGURES}
SCHEMA = {"queue_id": pl.String(), "media": pl.String(), "start_at": TIME, **_COUNTS}
SURVEY_SCHEMA = {
    "queue_id": pl.String(),
    "agent_id": pl.String(),
    "responses": pl.Int64(),
    "score_sum": pl.Float64(),
}
_LOW, _HIGH = -1e15, 1e15


def fetch_aggregates(reader: Reader, queue_ids: Sequence[str], start: datetime, end: datetime) -> Record:
    """Counts and times by queue, media and half hour."""
    question = {"granularity": "PT30M", "groupBy": ["queueId", "mediaType"], "metrics": METRICS}
    return _ask(reader, CONVERSATIONS, question, queue_ids, pieces(start, end, HALF_HOURS_DAYS))


def fetch_survey_aggregates(reader: Reader, queue_ids: Sequence[str], start: datetime, end: datetime) -> Record:
    """Survey scores by queue and agent, of all survey forms together."""
    question = {"groupBy": ["userId", "queueId"], "metrics": [SCORE, "nSurveyResponses"]}
    return _ask(reader, SURVEYS, question, queue_ids, pieces(start, end, DAYS_DAYS))


def daily_offered(reader: Reader, queue_ids: Sequence[str], start: datetime, end: datetime) -> pl.DataFrame:
    """Interactions offered to some queues by UTC day, to see from when to when there is data; empty days left out."""
    question = {"granularity": "P1D", "metrics": ["nOffered"]}
    answer = _ask(reader, CONVERSATIONS, question, queue_ids, pieces(start, end, DAYS_DAYS))
    found = pl.DataFrame(list(_rows(answer, FIGURES[:1])), {"start_at": TIME, "offered": pl.Int64}, strict=False)
    by_day = found.group_by(day=pl.col("start_at").dt.date()).agg(pl.col("offered").sum())
    return by_day.filter(pl.col("day").is_not_null(), pl.col("offered") > 0).sort("day")


def _ask(
    reader: Reader, path: str, question: Record, queue_ids: Sequence[str], spans: Iterator[tuple[datetime, datetime]]
) -> Record:
    results: list[Record] = []
    for start, end in spans:
        for some in batches(queue_ids, MOST_QUEUES):
            body = {"interval": interval(start, end), **question, "filter": any_of("queueId", some)}
            results += records(record(reader.query(path, body)).get("results"))
    return {"results": results}


def parse_aggregates(answer: Any) -> pl.DataFrame:
    """Frame of the platform's counts.

    Metrics lie in the half hour in which they were emitted, so within one offered need not be answered plus
    abandoned plus flowed out. A metric that is missing is 0, one that cannot be read is null, and so is a place in
    time. One row for each queue, media and half hour.
    """
    rows = [_placed(row, {"queue_id": "queueId", "media": "mediaType"}) for row in _rows(answer, FIGURES)]
    frame = pl.DataFrame(rows, SCHEMA, strict=False)
    return _summed(frame, ["queue_id", "media", "start_at"], list(_COUNTS))


def parse_survey_aggregates(answer: Any) -> pl.DataFrame:
    """Surveys with a score and the sum of scores by queue and agent, in the organisation's own scale."""
    figures = (("responses", SCORE, "count"), ("score_sum", SCORE, "total"))
    rows = [_placed(row, {"queue_id": "queueId", "agent_id": "userId"}) for row in _rows(answer, figures)]
    frame = pl.DataFrame([{name: row[name] for name in SURVEY_SCHEMA} for row in rows], SURVEY_SCHEMA, strict=False)
    return _summed(frame, ["queue_id", "agent_id"], ["responses", "score_sum"])


def _rows(answer: Any, figures: Sequence[tuple[str, str, str]]) -> Iterator[Record]:
    """One for each group and interval: start_at, the group itself, and the figures."""
    for result in records(record(answer).get("results")):
        for data in records(result.get("data")):
            start = instant((text(data.get("interval")) or "").split("/")[0])
            statistics = {text(each.get("metric")): record(each.get("stats")) for each in records(data.get("metrics"))}
            values = {name: _figure(statistics.get(metric, {}), kind) for name, metric, kind in figures}
            yield {"start_at": start, "group": record(result.get("group")), **values}


def _figure(statistics: Record, kind: str) -> float | None:
    """A count, a sum of milliseconds as seconds, or a plain total."""
    value = statistics.get("count" if kind == "count" else "sum", 0)
    known = number(value, _LOW, _HIGH)
    if known is None or kind == "total":
        return known
    if kind == "count":
        return int(known) if known >= 0 else None
    return known / 1000 if known >= 0 else None


def _placed(row: Record, places: dict[str, str]) -> Record:
    group = row["group"]
    named = {column: text(group.get(name)) for column, name in places.items()}
    return named | {name: value for name, value in row.items() if name != "group"}


def _summed(frame: pl.DataFrame, keys: list[str], values: list[str]) -> pl.DataFrame:
    """One row for each place; what cannot be read in one part is not known in the whole."""
    known = [pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name) for name in values]
    return frame.group_by(keys).agg(known).sort(keys)
