"""History: everything recorded about the interactions of a data set, in memory, as a replay reads it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl

from engine.data.tables import OUTCOMES
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

# What a platform tells of an interaction beside; no choice rests on it.
TOLD = ("conversation_id", "used_routing", "eligible_count")
SECONDS = ("wait_s", "alert_s", "handle_s", "acw_s", "patience_s")


@dataclass(frozen=True)
class History:
    """Recorded interactions in order of arrival, then id.

    Parameters
    ----------
    interaction_id : polars.Series of str
        Ids.
    call_type : (n,) array of int32
        Row of the centre's call types.
    media, outcome : (n,) array of int8
        Places in `engine.data.tables.MEDIA` and `OUTCOMES`.
    arrived_us : (n,) array of int64
        Arrival. [us since 1970, UTC]
    agent : (n,) array of int32
        Recorded agent, -1 for none or one who is not in agents.
    named : (n,) array of bool
        Whether an agent is recorded, known or not.
    wait_s, alert_s, handle_s, acw_s, patience_s : (n,) array of float
        As recorded, NaN where not. [s]
    preferred : polars.Series, optional
        Lists of agent_id and score that the flow attached; None where no interaction has one.
    told : polars.DataFrame, optional
        Those columns of `TOLD` that say anything; None where none does.
    """

    interaction_id: pl.Series
    call_type: Int32Array
    media: Int8Array
    outcome: Int8Array
    arrived_us: IntArray
    agent: Int32Array
    named: BoolArray
    wait_s: FloatArray
    alert_s: FloatArray
    handle_s: FloatArray
    acw_s: FloatArray
    patience_s: FloatArray
    preferred: pl.Series | None
    told: pl.DataFrame | None = None

    @property
    def n(self) -> int:
        """Number of interactions."""
        return int(self.arrived_us.size)

    def outcome_is(self, *names: str) -> BoolArray:
        """Where the recorded outcome is one of these."""
        return np.isin(self.outcome, [OUTCOMES.index(name) for name in names])

    @property
    def unanswered(self) -> BoolArray:
        """Ended with neither an agent nor a mark of abandonment: no outcome, nobody named, no handling, but a wait."""
        # Some logs write 0 s where nothing was handled; an open interaction has no wait yet.
        is_handled = self.named | (self.handle_s > 0)
        return self.outcome_is("unknown") & ~is_handled & ~np.isnan(self.wait_s)

    @property
    def flowed_out(self) -> BoolArray:
        """Left without an answer and without giving up: recorded as an exit of the flow, or simply unanswered."""
        return self.outcome_is("flowed_out") | self.unanswered

    @property
    def answered(self) -> BoolArray:
        """Answered; where no outcome is recorded, an agent or a handling time says so."""
        return self.outcome_is("answered") | (self.outcome_is("unknown") & (self.named | (self.handle_s > 0)))

    def is_handled(self) -> BoolArray:
        """Answered with a handling time."""
        return self.answered & ~np.isnan(self.handle_s)

    def handled_s(self, acw_s: float) -> FloatArray:
        """Talk, hold and after-call work, with some assumed where none is recorded; NaN without a time. [s]"""
        return self.handle_s + self.assumed_acw_s(acw_s)

    def assumed_acw_s(self, acw_s: float) -> FloatArray:
        """After-call work to be added: some where none is recorded. [s]"""
        return np.where(np.isnan(self.acw_s), acw_s, 0.0)

    def rows(self, chosen: BoolArray) -> History:
        """Only the chosen rows."""
        check()
        mask = pl.Series(chosen)
        columns = {f.name: column for f in fields(self) if (column := getattr(self, f.name)) is not None}
        frames = (pl.Series, pl.DataFrame)
        some: Any = {n: c.filter(mask) if isinstance(c, frames) else c[chosen] for n, c in columns.items()}
        return replace(self, **some)


def history_of(
    frame: pl.DataFrame, call_type: Any, media: Int8Array, outcome: Int8Array, agent: Int32Array, named: BoolArray
) -> History:
    """Everything recorded, from rows of the interactions table in order.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns interaction_id, arrived_at, preferred, those in seconds and those that are `TOLD` are read.
    call_type : (n,) array of int32
        Call type of each row.
    media, outcome : (n,) array of int8
        Places in `engine.data.tables.MEDIA` and `OUTCOMES`.
    agent : (n,) array of int32
        Place of each recorded agent, -1 where none or not known.
    named : (n,) array of bool
        Whether an agent is recorded, known or not.

    Returns
    -------
    History
        In the order of the rows.
    """
    check()
    preferred = frame["preferred"]
    told = [name for name in TOLD if frame[name].null_count() < frame.height]
    return History(
        interaction_id=frame["interaction_id"],
        call_type=np.asarray(call_type, np.int32),
        media=media,
        outcome=outcome,
        arrived_us=frame["arrived_at"].dt.epoch("us").to_numpy(),
        agent=agent,
        named=named,
        **{name: frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in SECONDS},
        preferred=None if preferred.null_count() == preferred.len() else preferred,
        told=frame.select(told) if told else None,
    )
