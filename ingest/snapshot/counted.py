"""What the platform itself counted, beside what a snapshot holds of the same half hours and queues."""

from __future__ import annotations

import polars as pl


def beside_platform(aggregates: pl.DataFrame, interactions: pl.DataFrame, queues: pl.DataFrame) -> pl.DataFrame:
    """The platform's own figures beside those of the interactions, by media.

    Parameters
    ----------
    aggregates, interactions, queues : polars.DataFrame
        Tables of a snapshot. Interactions of queues and half hours that the platform counted nothing of take part where
        they lie between its first and last half hour.

    Returns
    -------
    polars.DataFrame
        media, figure, platform, snapshot; counts and seconds. Seconds on talk and hold are what is left of the handling
        without after-call work.

    Examples
    --------
    >>> from engine.data.tables import TABLES
    >>> beside_platform(*(TABLES[name].empty() for name in ("aggregates", "interactions", "queues"))).height
    0
    """
    half_hour, place = pl.col("arrived_at").dt.truncate("30m"), aggregates.select(pl.col("queue_id").unique())
    span = aggregates.select(first=pl.col("start_at").min(), last=pl.col("start_at").max())
    goals = queues.select("queue_id", "service_level_s")
    theirs = aggregates.with_columns(pl.col("media").str.to_lowercase()).group_by("media").agg(_platform())
    ours = (
        interactions.join(place, on="queue_id", how="semi")
        .join(span, how="cross")
        .filter(half_hour >= pl.col("first"), half_hour <= pl.col("last"))
        .join(goals, on="queue_id", how="left")
        .group_by("media")
        .agg(_snapshot())
    )
    sides = [
        side.unpivot(index="media", variable_name="figure", value_name=name)
        for side, name in ((theirs, "platform"), (ours, "snapshot"))
    ]
    found = sides[0].join(sides[1], on=["media", "figure"], how="left", maintain_order="left")
    return found.with_columns(pl.col("snapshot").fill_null(0.0)).sort("media", maintain_order=True)


def _platform() -> list[pl.Expr]:
    counts = [pl.col(name).sum() for name in ("offered", "answered", "abandoned", "flowed_out", "over_sla")]
    seconds = [pl.col(name).sum() for name in ("answered_wait_s", "handle_s", "acw_s")]
    talk_and_hold_s = (pl.col("talk_s").fill_null(0.0) + pl.col("held_s").fill_null(0.0)).sum()
    return [one.cast(pl.Float64) for one in (*counts, *seconds, talk_and_hold_s.alias("talk_and_hold_s"))]


def _snapshot() -> list[pl.Expr]:
    answered = pl.col("outcome") == "answered"
    outcomes = [(pl.col("outcome") == name).sum().alias(name) for name in ("answered", "abandoned", "flowed_out")]
    late = (answered & (pl.col("wait_s") > pl.col("service_level_s").fill_null(20.0))).sum()
    spoken_s = (pl.col("handle_s") - pl.col("acw_s").fill_null(0.0)).sum()
    found = [
        pl.len().alias("offered"), *outcomes, late.alias("over_sla"),
        pl.col("wait_s").filter(answered).sum().alias("answered_wait_s"), pl.col("handle_s").sum(),
        pl.col("acw_s").sum(), spoken_s.alias("talk_and_hold_s"),
    ]  # fmt: skip
    return [one.cast(pl.Float64) for one in found]
