"""What the platform itself counted, beside what the conversations give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from ingest.genesys.collecting.wanted import Span

HALF_HOUR = timedelta(minutes=30)
NO_COUNTS = (
    "The platform's own counts per half hour could not be read (permission analytics:conversationAggregate:view), so "
    "the interactions were not compared with them."
)


def half_hours(visits: pl.DataFrame) -> pl.DataFrame:
    """Visits by queue and half hour of arrival."""
    return visits.group_by("queue_id", start_at=pl.col("arrived_at").dt.truncate("30m")).agg(visits=pl.len())


def compare_offered(aggregates: pl.DataFrame, offered: Sequence[pl.DataFrame], span: Span) -> str:
    """One sentence: offered as the platform counts, beside the visits of this snapshot.

    Only half hours that lie in the span wholly are compared; in some time zones days begin within one.

    Examples
    --------
    >>> from datetime import date, datetime, UTC
    >>> at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    >>> counted = pl.DataFrame({"queue_id": ["q"], "start_at": [at], "offered": [3]})
    >>> own = pl.DataFrame({"queue_id": ["q"], "start_at": [at], "visits": [3]})
    >>> compare_offered(counted, [own], Span(date(2026, 1, 5), date(2026, 1, 5)))
    'The platform itself counts 3 offered in these days and queues, this snapshot 3; all half hours agree.'
    """
    theirs = aggregates.group_by("queue_id", "start_at").agg(pl.col("offered").sum())
    schema = {"queue_id": pl.String, "start_at": theirs.schema["start_at"], "visits": pl.Int64}
    ours = pl.concat([frame.cast(dict(schema)) for frame in offered] or [pl.DataFrame(schema=schema)])  # type: ignore[arg-type]
    ours = ours.group_by("queue_id", "start_at").agg(pl.col("visits").sum())
    both = theirs.join(ours, on=["queue_id", "start_at"], how="full", coalesce=True).fill_null(0)
    start = pl.col("start_at")
    both = both.filter((start >= span.start) & (start + HALF_HOUR <= span.end))
    off = both.select((pl.col("offered") - pl.col("visits")).abs().alias("off"))["off"]
    n_off = int((off > 0).sum())
    how = "all half hours agree" if not n_off else f"{n_off} half hours differ, by {int(off.sort()[-1])} at most"
    return (
        f"The platform itself counts {both['offered'].sum()} offered in these days and queues, this snapshot "
        f"{both['visits'].sum()}; {how}."
    )


def compare_surveys(counted: pl.DataFrame, n_surveys: int) -> str:
    """One sentence: survey responses as the platform counts, beside the surveys of this snapshot."""
    return (
        f"The platform itself counts {int(counted['responses'].sum() or 0)} survey responses, by the UTC "
        f"day of the survey; this snapshot holds {n_surveys} surveys of the interactions of these days."
    )
