"""Surveys that interactions carry: `csat` counts for the agent where no survey names the interaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from engine.data.tables import TABLES, TIME, Tables


@dataclass(frozen=True)
class Carried:
    """Scores in `csat` of interactions, and what keeps others from being one.

    Parameters
    ----------
    surveys : polars.DataFrame
        Rows of the surveys table, with call_type and day where the interactions have these columns.
    n_without_agent, n_without_scale : int
        Scores that count for nobody, and scores that cannot be read.
    """

    surveys: pl.DataFrame
    n_without_agent: int = 0
    n_without_scale: int = 0

    @classmethod
    def of(cls, interactions: pl.DataFrame) -> Self:
        """Surveys of rows of the interactions table, completed when the recorded handling ends.

        Parameters
        ----------
        interactions : polars.DataFrame
            Checked rows; columns call_type and day are handed on.

        Returns
        -------
        Carried
            Without a row where no interaction has a score.

        Examples
        --------
        >>> from engine.data.checks import check
        >>> call = {"interaction_id": ["i"], "queue_id": ["q"], "arrived_at": ["2026-03-02T09:00:00Z"],
        ...         "agent_id": ["a"], "wait_s": [5.0], "handle_s": [300.0], "csat": [4.0], "csat_min": [1.0],
        ...         "csat_max": [5.0]}
        >>> at = pl.col("arrived_at").str.to_datetime(time_unit="us", time_zone="UTC")
        >>> frame = pl.DataFrame(call).with_columns(at)
        >>> str(Carried.of(check("interactions", frame)).surveys["completed_at"][0])
        '2026-03-02 09:05:05+00:00'
        """
        extra = [name for name in ("call_type", "day") if name in interactions.columns]
        # Most logs have no scores at all, and millions of rows.
        if "csat" not in interactions.columns or interactions["csat"].null_count() == interactions.height:
            return cls(pl.DataFrame(schema=TABLES["surveys"].schema() | dict.fromkeys(extra, pl.Int32())))
        scored = interactions.filter(pl.col("csat").is_not_null())
        known = pl.col("csat_min").is_not_null() & pl.col("csat_max").is_not_null()
        sound = scored.filter(known, pl.col("agent_id").is_not_null())
        rows = sound.select(
            survey_id=pl.col("interaction_id") + "#csat", interaction_id="interaction_id", agent_id="agent_id",
            queue_id="queue_id", completed_at=_ended(sound), score="csat", scale_min="csat_min", scale_max="csat_max",
            **{name: name for name in extra},
        )  # fmt: skip
        n_known = scored.filter(known).height
        return cls(rows, n_known - rows.height, scored.height - n_known)

    def beside(self, surveys: pl.DataFrame) -> Carried:
        """Without those whose interaction a row of the surveys table names: that one counts."""
        return replace(self, surveys=self.surveys.join(surveys, on="interaction_id", how="anti", maintain_order="left"))

    def said(self) -> Iterator[str]:
        """What was done with the scores, in words."""
        if self.surveys.height:
            yield (
                f"{self.surveys.height:,} scores in csat of interactions count as surveys of their agents, known from "
                "the end of the handling"
            )
        if self.n_without_agent:
            yield f"{self.n_without_agent:,} scores in csat are of interactions without an agent and count for nobody"
        if self.n_without_scale:
            yield (
                f"{self.n_without_scale:,} scores in csat have no scale and are not read: give csat_min and csat_max, "
                "or import the files again with --csat-scale"
            )


def merged(parts: Sequence[Carried]) -> Carried:
    """Those of several batches as one."""
    if not parts:
        return Carried(TABLES["surveys"].empty())
    surveys = pl.concat([part.surveys for part in parts])
    return Carried(surveys, sum(p.n_without_agent for p in parts), sum(p.n_without_scale for p in parts))


def _ended(interactions: pl.DataFrame) -> pl.Series:
    """When the recorded handling ended; a wait or time that is not recorded adds nothing."""
    seconds = interactions.select(pl.sum_horizontal(pl.col("wait_s", "handle_s").fill_null(0.0))).to_series()
    lasted_us = np.rint(1e6 * seconds.to_numpy()).astype(np.int64)
    arrived_us = interactions["arrived_at"].dt.epoch("us").to_numpy()
    return (
        pl.Series(arrived_us + lasted_us, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME)
    )


def with_carried(tables: Tables) -> tuple[Tables, list[str]]:
    """Tables whose surveys include those that interactions carry, and what was done in words."""
    carried = Carried.of(tables.interactions).beside(tables.surveys)
    if not carried.surveys.height:
        return tables, [*carried.said()]
    return replace(tables, surveys=pl.concat([tables.surveys, carried.surveys])), [*carried.said()]
