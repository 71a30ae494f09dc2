"""What one part says about the chosen queues and days: interactions, work elsewhere, surveys, and what was left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl

from ingest.genesys.collecting.parts import Frames
from ingest.genesys.collecting.wanted import Span

_VISIT = ["conversation_id", "visit"]

OTHER_QUEUES = "left out: visits to queues that were not chosen; their agents' work is in busy"
OUTSIDE = "left out: visits that arrived outside the chosen days"
LET_RING = "left out: alerts that an agent did not answer"
OWN_CALL = "left out: other sessions of the answering agent during the interaction itself, such as a consultation"
NO_END = "repaired: work without a recorded end; taken to last to the end of its UTC day"
NO_AGENT = "left out: surveys that name no agent"
FOREIGN = "left out: surveys of other queues or other days"


@dataclass(frozen=True)
class Reported:
    """One part, seen from the chosen queues and days."""

    visits: pl.DataFrame  # Queue visits to report, as parsed
    # Table busy, of all agents, and whether the platform routed it (is_acd)
    busy: pl.DataFrame
    surveys: pl.DataFrame  # survey_id, interaction_id, agent_id, queue_id, completed_at, score
    counts: dict[str, int]  # What was left out, by reason


def interaction_id() -> pl.Expr:
    """Name of a queue visit: conversation and number of the visit in it."""
    return pl.format("{}#{}", "conversation_id", "visit").alias("interaction_id")


def reported(frames: Frames, queue_ids: Collection[str], span: Span) -> Reported:
    """Tell apart what belongs to the chosen queues and days and what is work elsewhere."""
    visits = frames["visits"]
    chosen = visits.filter(pl.col("queue_id").is_in(list(queue_ids)))
    kept = chosen.filter(_within(span, "arrived_at"))
    busy, work_counts = _busy(frames["work"], kept, span)
    surveys, survey_counts = _surveys(_begun_within(frames, span), kept, queue_ids)
    counts = {OTHER_QUEUES: visits.height - chosen.height, OUTSIDE: chosen.height - kept.height}
    reasons = frames["left_out"].group_by("reason").len().sort("reason").rows()
    return Reported(
        kept, busy, surveys, counts | work_counts | survey_counts | {f"left out: {why}": n for why, n in reasons}
    )


def _begun_within(frames: Frames, span: Span) -> pl.DataFrame:
    """Surveys, told whether their conversation began in the chosen days."""
    begun = frames["lives"].select("conversation_id", begun=_within(span, "started_at"))
    return frames["surveys"].join(begun, on="conversation_id", how="left", maintain_order="left")


def _within(span: Span, column: str) -> pl.Expr:
    return (pl.col(column) >= span.start) & (pl.col(column) < span.end)


def _busy(work: pl.DataFrame, kept: pl.DataFrame, span: Span) -> tuple[pl.DataFrame, dict[str, int]]:
    """Sessions that keep agents from the chosen queues, clipped to the chosen days; no second of one counts twice."""
    answered = pl.col("kind") == "answered"
    own = work.filter(answered).join(kept.select(_VISIT), on=_VISIT, how="semi")
    # With the session that answered a visit go calls that are part of it.
    elsewhere = work.filter(pl.col("kind") != "unanswered").join(
        own.select(*_VISIT, "agent_id"), on=[*_VISIT, "agent_id"], how="anti", maintain_order="left"
    )
    apart, n_inside = _apart(_ended(elsewhere.filter(~answered)), _ended(work.filter(answered)))
    both = pl.concat([_ended(elsewhere.filter(answered)), apart])
    clipped = _once(both.with_columns(pl.col("start_at", "end_at").clip(span.start, span.end)))
    why = (
        pl.when(pl.col("queue_id").is_not_null())
        .then(pl.format("{}, another session of a queue", "media"))
        .otherwise(pl.format("{} {}, no queue", "direction", "media"))
    )
    busy = clipped.with_columns(pl.col("direction").fill_null("other")).select(
        "agent_id", "start_at", "end_at", why.alias("why"), "media",
        is_acd=pl.col("queue_id").is_not_null() | pl.col("visit").is_not_null(),
    )  # fmt: skip
    return busy, {
        LET_RING: work.filter(pl.col("kind") == "unanswered").height,
        NO_END: elsewhere["end_at"].null_count(),
        OWN_CALL: n_inside,
    }


def _once(work: pl.DataFrame) -> pl.DataFrame:
    """Work of which no second is told twice: sessions of one agent and media in one conversation may overlap."""
    line = ["conversation_id", "agent_id", "media"]
    # Nearly all conversations have one session of an agent; only the others are put in order.
    several = work.select(pl.struct(line).is_duplicated()).to_series()
    ordered = work.filter(several).sort(*line, "start_at", "end_at", "queue_id", nulls_last=True)
    reached = pl.col("end_at").cum_max().shift().over(line)
    apart = ordered.with_columns(start_at=pl.max_horizontal("start_at", reached))
    return pl.concat([work.filter(~several), apart]).filter(pl.col("start_at") < pl.col("end_at"))


def _ended(work: pl.DataFrame) -> pl.DataFrame:
    """Sessions with an end; one that never ended must not keep its agent from everything that came after."""
    end_of_day = pl.col("start_at").dt.truncate("1d").dt.offset_by("1d")
    return work.with_columns(pl.col("end_at").fill_null(end_of_day))


def _apart(work: pl.DataFrame, own: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Work less the time in which its agent answered in the same conversation, and how many sessions that takes up.

    A consultation lies inside the call and is part of it; what begins before or goes on after it is work of its own.
    """
    keys = ["conversation_id", "agent_id"]
    row = work.with_row_index("row")
    answered = own.select(*keys, own_start="start_at", own_end="end_at")
    overlapping = (
        row.join(answered, on=keys)
        .filter((pl.col("start_at") < pl.col("own_end")) & (pl.col("end_at") > pl.col("own_start")))
        .sort("row", "own_start")
    )
    touched = overlapping["row"].unique()
    pieces = [piece for _, group in overlapping.group_by("row", maintain_order=True) for piece in _pieces(group)]
    whole = row.filter(~pl.col("row").is_in(touched.implode()))
    left = pl.concat([whole, *pieces]).sort("row", "start_at")
    n_inside = touched.len() - left.filter(pl.col("row").is_in(touched.implode()))["row"].n_unique()
    return left.drop("row"), n_inside


def _pieces(group: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """What is left of one session, given beside every interaction of its agent that it overlaps."""
    session = group[:1].drop("own_start", "own_end")
    start, end = session["start_at"][0], session["end_at"][0]
    for own_start, own_end in group.select("own_start", "own_end").rows():
        if start < own_start:
            yield session.with_columns(start_at=pl.lit(start), end_at=pl.lit(own_start)).cast(dict(session.schema))  # type: ignore[arg-type]
        start = max(start, own_end)
    if start < end:
        yield session.with_columns(start_at=pl.lit(start)).cast(dict(session.schema))  # type: ignore[arg-type]


def _surveys(
    surveys: pl.DataFrame, kept: pl.DataFrame, queue_ids: Collection[str]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Surveys of reported visits; those that name a chosen queue and no visit count by agent."""
    visited = kept.select(_VISIT).with_columns(known=True)
    joined = surveys.join(visited, on=_VISIT, how="left", maintain_order="left")
    by_agent = pl.col("visit").is_null() & pl.col("queue_id").is_in(list(queue_ids)) & pl.col("begun")
    own = joined.filter(pl.col("known").is_not_null() | by_agent.fill_null(False))
    named = own.filter(pl.col("agent_id").is_not_null())
    wanted = named.select(
        "survey_id", pl.when("known").then(interaction_id()), "agent_id", "queue_id", "completed_at", "score"
    )
    return wanted, {FOREIGN: surveys.height - own.height, NO_AGENT: own.height - named.height}
