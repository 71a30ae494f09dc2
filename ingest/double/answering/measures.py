"""Aggregates as the platform counts them: every figure lies in the interval in which it was emitted."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from ingest.double.answering.answers import Answer, Question, bad_request
from ingest.double.answering.details import checked, span
from ingest.double.answering.filters import compare, evaluate, unknown
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.stamps import DAY_MS, MINUTE_MS, text
from ingest.double.centre.statuses import OFF_QUEUE
from ingest.double.payloads.people import People, waiting_now
from ingest.double.payloads.sessions import SHORT_ABANDON_MS

Json = dict[str, Any]

GROUPS = {"queueId": "queue_id", "mediaType": "media"}
SURVEY_GROUPS = {"userId": "agent_id", "queueId": "queue_id"}
SURVEY_METRICS = ("oSurveyTotalScore", "nSurveyResponses", "nSurveysSent")
OBSERVED = ("oWaiting", "oInteracting", "oMemberUsers", "oOnQueueUsers", "oOffQueueUsers", "oUserRoutingStatuses")
AGGREGATE = {"interval", "granularity", "timeZone", "groupBy", "filter", "metrics"}
_GRANULARITY = re.compile(r"PT(\d+)M|PT(\d+)H|P(\d+)D")


def _emitted() -> dict[str, tuple[pl.Expr, pl.Expr, pl.Expr]]:
    """When each figure of a visit is emitted, its value, and of which visits."""
    left = pl.col("arrived_ms") + pl.col("wait_ms")
    spoken, done = left + pl.col("talk_ms") + pl.col("hold_ms"), left + pl.col("handle_ms")
    wait, one = pl.col("wait_ms"), pl.lit(1, pl.Int64)
    answered, abandoned = pl.col("outcome") == "answered", pl.col("outcome") == "abandoned"
    over = answered & pl.col("over")
    return {
        "nOffered": (pl.col("arrived_ms"), one, pl.lit(True)),
        "tAnswered": (left, wait, answered),
        "tAbandon": (left, wait, abandoned),
        "tShortAbandon": (left, wait, abandoned & (wait < SHORT_ABANDON_MS)),
        "tFlowOut": (left, wait, pl.col("outcome") == "flowed_out"),
        "tAcd": (left, wait, wait.is_not_null()),
        "tHandle": (done, pl.col("handle_ms"), over),
        "tTalkComplete": (spoken, pl.col("talk_ms"), over),
        "tHeldComplete": (spoken, pl.col("hold_ms"), over & (pl.col("hold_ms") > 0)),
        "tAcw": (done, pl.col("acw_ms"), over & pl.col("acw_ms").is_not_null()),
        "nOverSla": (left, one, (answered | abandoned) & (wait > pl.col("over_sla_ms"))),
    }


class Measures:
    """Answers questions about many conversations at once."""

    def __init__(self, organisation: Organisation, people: People) -> None:
        self._organisation, self._people = organisation, people
        over = organisation.tables.queues.select("queue_id", over_sla_ms=(1000 * pl.col("service_level_s")).round())
        self._visits = organisation.visits.join(over, on="queue_id", maintain_order="left").drop("skills", "preferred")

    def conversations(self, question: Question) -> Answer:
        """Aggregates of what came through queues."""
        body = checked(question.body, AGGREGATE)
        start_ms, end_ms = span(body)
        step_ms = _step(body, end_ms - start_ms)
        keys = _keys(body, GROUPS)
        visits = self._visits.filter(pl.col("arrived_ms") < end_ms)
        if body.get("filter"):
            visits = visits.filter(evaluate(body["filter"], lambda one: _column(visits, one, GROUPS)))
        emitted, rows = _emitted(), []
        for name in _metrics(body, tuple(emitted)):
            at, value, which = emitted[name]
            kept = visits.filter(which).select(*keys, at=at, value=value)
            rows.append(kept.with_columns(metric=pl.lit(name)))
        return _answer(pl.concat(rows), keys, GROUPS, (start_ms, end_ms, step_ms))

    def surveys(self, question: Question) -> Answer:
        """Aggregates of surveys, at the time of their completion."""
        body = checked(question.body, AGGREGATE | {"alternateTimeDimension"})
        start_ms, end_ms = span(body)
        keys = _keys(body, SURVEY_GROUPS)
        surveys = self._organisation.tables.surveys.with_columns(at=pl.col("completed_at").dt.epoch("ms"))
        if body.get("filter"):
            surveys = surveys.filter(evaluate(body["filter"], lambda one: _column(surveys, one, SURVEY_GROUPS)))
        rows = []
        for name in _metrics(body, SURVEY_METRICS):
            value = pl.col("score") if name == "oSurveyTotalScore" else pl.lit(1.0)
            rows.append(surveys.select(*keys, "at", value=value, metric=pl.lit(name)))
        return _answer(pl.concat(rows), keys, SURVEY_GROUPS, (start_ms, end_ms, _step(body, end_ms - start_ms)))

    def observations(self, question: Question) -> Answer:
        """Queues just now."""
        body = checked(question.body, {"filter", "metrics", "detailMetrics"})
        metrics = _metrics(body, OBSERVED)
        ids = pl.Series("queue_id", list(self._people.queue_rows), dtype=pl.String)
        frame = ids.to_frame().with_columns(media=pl.lit("voice"))
        if not body.get("filter"):
            raise bad_request("filter: required")
        wanted = frame.filter(evaluate(body["filter"], lambda one: _column(frame, one, GROUPS)))["queue_id"]
        waiting = waiting_now(self._organisation)
        found = []
        for queue in wanted:
            data = [entry for name in metrics for entry in self._observed(queue, name)]
            if data:
                found.append({"group": {"queueId": queue}, "data": data})
            if "oWaiting" in metrics:
                n = waiting.filter(queue_id=queue, media="voice").height
                counted = {"metric": "oWaiting", "stats": {"count": n}}
                found.append({"group": {"queueId": queue, "mediaType": "voice"}, "data": [counted]})
        return Answer({"results": found} if found else {})

    def _observed(self, queue: str, name: str) -> list[Json]:
        agents = {entry[0] for entry in self._people.members[queue]}
        statuses = [self._people.now[agent].status for agent in sorted(agents)]
        on = sum(status != OFF_QUEUE for status in statuses)
        if name == "oUserRoutingStatuses":
            return [
                {"metric": name, "qualifier": status, "stats": {"count": statuses.count(status)}}
                for status in sorted(set(statuses))
            ]
        counts = {"oMemberUsers": len(agents), "oOnQueueUsers": on, "oOffQueueUsers": len(agents) - on,
                  "oInteracting": statuses.count("INTERACTING")}  # fmt: skip
        return [{"metric": name, "stats": {"count": counts[name]}}] if name in counts else []


def _step(body: Json, whole_ms: int) -> int:
    given = body.get("granularity")
    if given is None:
        return whole_ms
    found = _GRANULARITY.fullmatch(str(given))
    if found is None:
        raise unknown("granularity", given)
    minutes, hours, days = (int(part or 0) for part in found.groups())
    return max(MINUTE_MS, minutes * MINUTE_MS + 60 * hours * MINUTE_MS + days * DAY_MS)


def _keys(body: Json, known: dict[str, str]) -> list[str]:
    for name in body.get("groupBy") or []:
        if name not in known:
            raise unknown("groupBy", name)
    return [known[name] for name in body.get("groupBy") or []]


def _metrics(body: Json, known: tuple[str, ...]) -> list[str]:
    for name in body.get("metrics") or []:
        if name not in known:
            raise unknown("metric", name)
    return list(body.get("metrics") or known)


def _column(frame: pl.DataFrame, predicate: Json, known: dict[str, str]) -> pl.Series:
    if predicate.get("dimension") not in known:
        raise unknown("dimension", predicate.get("dimension"))
    return compare(frame[known[predicate["dimension"]]], predicate)


def _answer(rows: pl.DataFrame, keys: list[str], names: dict[str, str], when: tuple[int, int, int]) -> Answer:
    """Groups, intervals and statistics of single figures."""
    start_ms, end_ms, step_ms = when
    first_ms = start_ms if step_ms == end_ms - start_ms else 0
    inside = rows.filter(pl.col("at") >= start_ms, pl.col("at") < end_ms)
    bins = inside.with_columns(bin=(pl.col("at") - first_ms) // step_ms * step_ms + first_ms)
    stats = bins.group_by(*keys, "bin", "metric").agg(
        count=pl.len(), total=pl.col("value").sum(), low=pl.col("value").min(), high=pl.col("value").max()
    )
    found: dict[tuple[str, ...], dict[int, list[Json]]] = {}
    for *group, begun, metric, count, total, low, high in stats.sort(*keys, "bin", "metric").iter_rows():
        written: Json = {"count": count}
        if not metric.startswith("n"):
            written |= {"sum": total, "min": low, "max": high}
        found.setdefault(tuple(group), {}).setdefault(begun, []).append({"metric": metric, "stats": written})
    asked = {column: name for name, column in names.items()}
    results = [
        {
            "group": {asked[key]: value for key, value in zip(keys, group, strict=True) if value is not None},
            "data": [
                {"interval": f"{text(max(begun, start_ms))}/{text(min(begun + step_ms, end_ms))}", "metrics": metrics}
                for begun, metrics in by_bin.items()
            ],
        }
        for group, by_bin in found.items()
    ]
    return Answer({"results": results} if results else {})
