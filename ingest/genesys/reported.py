"""What one part says about the chosen queues and days: interactions, work elsewhere, surveys, and what was left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from ingest.genesys.latest import Frames
from ingest.genesys.span import Span

_VISIT = ["conversation_id", "visit"]
# A call may interrupt an email by default (Genesys help centre, "Utilization"), so emails elsewhere block nobody.
INTERRUPTIBLE = ("email",)

OTHER_QUEUES = "left out: visits to queues that were not chosen; their agents' work is in busy"
OUTSIDE = "left out: visits that arrived outside the chosen days"
LET_RING = "left out: alerts that an agent did not answer"
OWN_CALL = "left out: other sessions of the answering agent during the interaction itself, such as a consultation"
EMAILS = "left out: emails elsewhere, which a call may interrupt"
NO_AGENT = "left out: surveys that name no agent"
FOREIGN = "left out: surveys of other queues or other days"


@dataclass(frozen=True)
class Reported:
    """One part, seen from the chosen queues and days.

    Parameters
    ----------
    visits : polars.DataFrame
        Queue visits to report, as parsed.
    busy : polars.DataFrame
        Table busy, of all agents.
    surveys : polars.DataFrame
        survey_id, interaction_id, agent_id, queue_id, completed_at, score.
    counts : dict of str to int
        What was left out, by reason.
    """

    visits: pl.DataFrame
    busy: pl.DataFrame
    surveys: pl.DataFrame
    counts: dict[str, int]


def interaction_id() -> pl.Expr:
    """Name of a queue visit: conversation and number of the visit in it."""
    return pl.format("{}#{}", "conversation_id", "visit").alias("interaction_id")


def reported(frames: Frames, queue_ids: Collection[str], span: Span) -> Reported:
    """Tell apart what belongs to the chosen queues and days and what is work elsewhere.

    Parameters
    ----------
    frames : dict of str to polars.DataFrame
        visits, work, surveys and left_out of conversations that are each complete.
    queue_ids : collection of str
        Chosen queues.
    span : Span
        Chosen days.

    Returns
    -------
    Reported
        All rows of the frames are in it or counted.
    """
    visits = frames["visits"]
    chosen = visits.filter(pl.col("queue_id").is_in(list(queue_ids)))
    kept = chosen.filter(_within(span, "arrived_at"))
    busy, work_counts = _busy(frames["work"], kept, span)
    surveys, survey_counts = _surveys(frames["surveys"], kept, queue_ids)
    counts = {OTHER_QUEUES: visits.height - chosen.height, OUTSIDE: chosen.height - kept.height}
    reasons = frames["left_out"].group_by("reason").len().sort("reason").rows()
    return Reported(
        kept, busy, surveys, counts | work_counts | survey_counts | {f"left out: {why}": n for why, n in reasons}
    )


def _within(span: Span, column: str) -> pl.Expr:
    return (pl.col(column) >= span.start) & (pl.col(column) < span.end)


def _busy(work: pl.DataFrame, kept: pl.DataFrame, span: Span) -> tuple[pl.DataFrame, dict[str, int]]:
    """Sessions that keep agents from the chosen queues, clipped to the chosen days."""
    own = work.filter(pl.col("kind") == "answered").join(kept.select(_VISIT), on=_VISIT, how="semi")
    elsewhere = work.filter(pl.col("kind") != "unanswered").join(
        own.select(*_VISIT, "agent_id"), on=[*_VISIT, "agent_id"], how="anti", maintain_order="left"
    )
    n_alerts = work.filter(pl.col("kind") == "unanswered").height
    blocking = elsewhere.filter(~pl.col("media").is_in(INTERRUPTIBLE))
    apart = _apart(blocking, own, span)
    clipped = apart.with_columns(
        pl.col("start_at").clip(span.start, span.end), pl.col("end_at").fill_null(span.end).clip(span.start, span.end)
    ).filter(pl.col("start_at") < pl.col("end_at"))
    elsewhere_why = (
        pl.when(pl.col("queue_id").is_not_null())
        .then(pl.format("{}, another visit to a queue", "media"))
        .otherwise(pl.format("{} {}, no queue", "direction", "media"))
    )
    busy = clipped.with_columns(pl.col("direction").fill_null("other"), pl.col("media").fill_null("other")).select(
        "agent_id", "start_at", "end_at", why=elsewhere_why
    )
    return busy, {
        LET_RING: n_alerts,
        EMAILS: elsewhere.height - blocking.height,
        OWN_CALL: blocking.height - apart.height,
    }


def _apart(work: pl.DataFrame, own: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Work that does not overlap an interaction that the same agent answered in the same conversation."""
    row = work.with_row_index("row")
    answered = own.select(
        "conversation_id", "agent_id", own_start="start_at", own_end=pl.col("end_at").fill_null(span.end)
    )
    overlaps = (
        row.join(answered, on=["conversation_id", "agent_id"])
        .filter((pl.col("start_at") < pl.col("own_end")) & (pl.col("end_at").fill_null(span.end) > pl.col("own_start")))
        .select("row")
    )
    return row.join(overlaps, on="row", how="anti", maintain_order="left").drop("row")


def _surveys(
    surveys: pl.DataFrame, kept: pl.DataFrame, queue_ids: Collection[str]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Surveys of reported visits; those that name a chosen queue and no visit count by agent."""
    visited = kept.select(_VISIT).with_columns(known=True)
    joined = surveys.join(visited, on=_VISIT, how="left", maintain_order="left")
    own = joined.filter(
        pl.col("known").is_not_null() | (pl.col("visit").is_null() & pl.col("queue_id").is_in(list(queue_ids)))
    )
    named = own.filter(pl.col("agent_id").is_not_null())
    wanted = named.select(
        "survey_id", pl.when("known").then(interaction_id()), "agent_id", "queue_id", "completed_at", "score"
    )
    return wanted, {FOREIGN: surveys.height - own.height, NO_AGENT: own.height - named.height}
