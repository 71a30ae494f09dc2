"""Interactions: one row for each visit to a queue, under an id of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import polars as pl

from ingest.exports.shaping.clock import lengths
from ingest.exports.shaping.naming import Notes
from ingest.exports.shaping.rows import ROW, Rows

ZEROS = "interactions: handling times of 0 s of contacts that nobody answered, which are none"
REPEATED = "interactions: rows wholly equal to one before, left out"
NUMBERED = (
    "interaction_id is made: the conversation and the number of its visit"
    " (no column of the files names single visits to a queue)"
)
COUNTED = "interaction_id is made: the number of the row, as no column of the files names contacts"
JOINED = "rows of one conversation and queue joined into one visit: {n} rows became {visits} visits"
# What all rows of a visit add up to; everything else is that of the first row that has it.
SUMMED = ("handle_s", "acw_s")
_SECOND_US = 1_000_000


def as_visits(rows: Rows, is_segmented: bool, notes: Notes) -> None:
    """Bring rows of interactions to one for each visit to a queue, with an id."""
    _drop_repeated(rows, notes)
    if is_segmented:
        _join_segments(rows, notes)
    _drop_zeros(rows, notes)
    _number(rows, notes)


def _drop_repeated(rows: Rows, notes: Notes) -> None:
    """Leave out rows that stand twice, where something names them; others may be alike by chance."""
    key = next((name for name in ("interaction_id", "conversation_id") if name in rows), None)
    # Hashes are many times quicker to tell apart, and two of them alike say only that it is worth to look.
    if key is None or rows.frame[key].hash().n_unique() == rows.frame.height:
        return
    columns = [name for name in rows.frame.columns if name != ROW]
    again = rows.frame.filter(pl.col(key).is_duplicated())
    kept = again.unique(columns, keep="first", maintain_order=True)
    if n := again.height - kept.height:
        left_out = again[ROW].filter(~again[ROW].is_in(kept[ROW].implode()))
        rows.frame = rows.frame.filter(~pl.col(ROW).is_in(left_out.implode()))
        notes.count(REPEATED, n)


def _join_segments(rows: Rows, notes: Notes) -> None:
    """One row for each stay of a conversation in a queue.

    Rows of a conversation follow each other by time; one of another queue begins the next visit, and rows without a
    queue belong to the visit before them. The agent is the first who answered, the wait lasts until then, handling adds
    up over the rows of agents. A visit that nobody answered and that another one follows has flowed out.
    """
    key = "conversation_id"
    if key not in rows and "interaction_id" in rows:
        rows.frame = rows.frame.rename({"interaction_id": key})
    if any(name not in rows for name in (key, "arrived_at", "queue_id")):
        return
    n = rows.frame.height
    frame = rows.frame.drop("interaction_id", strict=False).sort(key, "arrived_at", ROW, nulls_last=True)
    # Before the first queue there is a menu; what follows a queue without naming one is a consultation or hold.
    frame = frame.with_columns(queue_id=pl.col("queue_id").forward_fill().over(key))
    frame = frame.with_columns(queue_id=pl.col("queue_id").backward_fill().over(key))
    is_next = (pl.col("queue_id") != pl.col("queue_id").shift(1).over(key)).fill_null(True)
    frame = frame.with_columns(_answered(frame).alias("_answered"), _visit=is_next.cum_sum().over(key))
    inner = ("_answered", "_visit", key)
    grouped = frame.group_by(key, "_visit", maintain_order=True)
    joined = grouped.agg(*_of_visit(frame, [name for name in frame.columns if name not in inner]))
    rows.frame = _flowed_out(joined, key).sort(ROW).drop("_visit", "_answered")
    if joined.height < n:
        notes.assumptions.append(JOINED.format(n=f"{n:,}", visits=f"{joined.height:,}"))


def _answered(frame: pl.DataFrame) -> pl.Expr:
    """Rows in which an agent had the contact."""
    if "agent_id" not in frame.columns:
        return (pl.col("outcome") == "answered").fill_null(False) if "outcome" in frame.columns else pl.lit(False)
    is_handled = (pl.col("handle_s") > 0).fill_null(False) if "handle_s" in frame.columns else pl.lit(True)
    return pl.col("agent_id").is_not_null() & is_handled


def _of_visit(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[pl.Expr]:
    answered = pl.col("_answered")
    yield answered.any()
    for name in names:
        column = pl.col(name)
        if name in SUMMED:
            mine = column.filter(answered)
            yield pl.when(mine.is_not_null().any()).then(mine.sum()).alias(name)
        elif name == "agent_id":
            yield column.filter(answered).first()
        elif name in ("arrived_at", ROW):
            yield column.min()
        elif name not in ("wait_s", "outcome"):
            yield column.drop_nulls().first()
    # Without a wait of its own, a row without an agent is one of waiting, as long as it lasts.
    lasting = pl.when(~answered).then("handle_s") if "handle_s" in frame.columns else pl.lit(None, pl.Float64)
    own_s = pl.coalesce(*(["wait_s"] if "wait_s" in frame.columns else []), lasting, pl.lit(0.0))
    reached = pl.col("arrived_at") + lengths(own_s).fill_null(timedelta(0))
    until = pl.when(answered.any()).then(reached.filter(answered).first()).otherwise(reached.max())
    yield ((until - pl.col("arrived_at").min()).dt.total_microseconds() / _SECOND_US).alias("wait_s")
    said = pl.col("outcome").drop_nulls().last() if "outcome" in frame.columns else pl.lit(None, pl.String)
    yield pl.when(answered.any()).then(pl.lit("answered")).otherwise(said).alias("outcome")


def _flowed_out(joined: pl.DataFrame, key: str) -> pl.DataFrame:
    """Visits that nobody answered, before another one of their conversation."""
    goes_on = pl.col("_visit") < pl.col("_visit").max().over(key)
    outcome = pl.when(~pl.col("_answered") & goes_on).then(pl.lit("flowed_out"))
    # What is said of the conversation is not true of a visit without an agent.
    said = pl.when(pl.col("_answered") | (pl.col("outcome") != "answered")).then("outcome").otherwise(pl.lit("unknown"))
    return joined.with_columns(outcome=outcome.otherwise(said))


def _drop_zeros(rows: Rows, notes: Notes) -> None:
    if "handle_s" not in rows or "outcome" not in rows:
        return
    is_zero = ((rows.frame["handle_s"] == 0) & (rows.frame["outcome"] != "answered")).fill_null(False)
    if n := int(is_zero.sum()):
        notes.count(ZEROS, n)
        rows.frame = rows.frame.with_columns(rows.frame["handle_s"].set(is_zero, None))


def _number(rows: Rows, notes: Notes) -> None:
    """Give visits an id, where the files name conversations only, or nothing."""
    if "interaction_id" in rows:
        return
    if "conversation_id" not in rows:
        number = (pl.col(ROW) + 1).cast(pl.String).str.zfill(len(str(rows.origin.line.size)))
        rows.frame = rows.frame.with_columns(interaction_id=number)
        notes.assumptions.append(COUNTED)
        return
    order = pl.col("arrived_at").rank("ordinal").over("conversation_id").cast(pl.String)
    rows.frame = rows.frame.with_columns(interaction_id=pl.col("conversation_id") + "#" + order)
    notes.assumptions.append(NUMBERED)
