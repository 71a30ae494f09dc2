"""Whether the rows of a day say what an import lets in, and belong to their call types, found by a quick look.

Types, numbers, codes and order were examined before (`validation`). What is left is true of nearly every batch, so it
is only decided here; whoever needs to know which row is wrong looks slowly, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa

from engine.data.checks import CONTROLS_IN
from engine.typing import FloatArray, Int32Array, IntArray
from ingest.snapshot.arrow_files import numbers

NO_CODE = -1
SCORES = ("csat", "csat_min", "csat_max")


class CallTypes:
    """What the rows of each call type say, to compare many rows with it.

    `frame` is the table `call_types`; `texts` are the dictionaries of the manifest.
    """

    def __init__(self, frame: pl.DataFrame, texts: Mapping[str, pa.Array]) -> None:
        self._frame, self._texts = frame, texts

    @cached_property
    def _codes(self) -> dict[str, Int32Array]:
        return {name: _codes(self._frame[name], self._texts.get(name)) for name in ("queue_id", "language")}

    @cached_property
    def _skills(self) -> tuple[IntArray, IntArray, pl.Series]:
        lengths = self._frame["skills"].list.len().to_numpy().astype(np.int64)
        return np.cumsum(lengths) - lengths, lengths, self._frame["skills"].explode().drop_nulls()

    @cached_property
    def _names_are_sound(self) -> bool:
        queues = pl.Series(self._texts.get("queue_id", pa.array([], pa.string())))
        _, _, skills = self._skills
        return not (queues == "").any() and not ((skills == "") | skills.str.contains(CONTROLS_IN)).any()

    def are_of(self, batch: pa.RecordBatch) -> bool:
        """Whether each row has the call type of its queue, skills, language and priority."""
        call_type = batch.column("call_type").to_numpy()
        names = batch.schema.names
        return (
            self._names_are_sound
            and all(np.array_equal(_given(batch, name), codes[call_type]) for name, codes in self._codes.items())
            and np.array_equal(_priorities(batch), self._frame["priority"].to_numpy()[call_type])
            and self._same_skills(batch.column("skills") if "skills" in names else None, call_type)
        )

    def _same_skills(self, column: pa.Array | None, call_type: Int32Array) -> bool:
        """Skills are a set, and kept in order of name."""
        starts, lengths, names = self._skills
        wanted = lengths[call_type]
        if column is None:
            return not wanted.any()
        if column.null_count:
            # What lies under a null is arbitrary.
            column = pl.Series(column).fill_null([]).to_arrow()
        if not np.array_equal(np.diff(_offsets(column)), wanted):
            return False
        before = np.cumsum(wanted) - wanted
        places = np.arange(wanted.sum()) + np.repeat(starts[call_type] - before, wanted)
        return bool((pl.Series(column.flatten()) == names.gather(places)).all())


def are_as_imported(batch: pa.RecordBatch, *, with_scores: bool) -> bool:
    """Whether an import would let all rows in, but for ids that repeat; the first version kept scores without scale."""
    if (np.diff(_offsets(batch.column("interaction_id"))) == 0).any():
        return False
    names = batch.schema.names
    preferred = pl.Series(batch.column("preferred").flatten()) if "preferred" in names else None
    if preferred is not None and preferred.len() and (preferred.struct.field("agent_id") == "").any():
        return False
    return not (with_scores and _has_odd_scores(batch.select([name for name in SCORES if name in names])))


def _has_odd_scores(batch: pa.RecordBatch) -> bool:
    if not batch.num_columns:
        return False
    missing = [pl.lit(None, pl.Float64).alias(name) for name in SCORES if name not in batch.schema.names]
    frame = pl.DataFrame(batch).with_columns(missing)
    score, low, high = map(pl.col, SCORES)
    unscaled = score.is_not_null() & (low.is_null() | high.is_null())
    return any(
        frame.select(bad.fill_null(False).any()).item() for bad in (unscaled, score < low, score > high, high <= low)
    )


def _codes(texts: pl.Series, known: pa.Array | None) -> Int32Array:
    """Code of each text; one that no row can have where the snapshot knows no such text."""
    codes = {text: code for code, text in enumerate([] if known is None else known.to_pylist())}
    return np.array([NO_CODE if text is None else codes.get(text, NO_CODE - 1) for text in texts], np.int32)


def _given(batch: pa.RecordBatch, name: str) -> Int32Array:
    if name not in batch.schema.names:
        return np.full(batch.num_rows, NO_CODE, np.int32)
    found, known = numbers(batch.column(name).indices, np.int32)
    return found if known is None else np.where(known, found, np.int32(NO_CODE))


def _priorities(batch: pa.RecordBatch) -> FloatArray:
    if "priority" not in batch.schema.names:
        return np.zeros(batch.num_rows)
    found, known = numbers(batch.column("priority"), np.float64)
    return found if known is None else np.where(known, found, 0.0)


def _offsets(column: pa.Array) -> IntArray:
    is_long = pa.types.is_large_string(column.type) or pa.types.is_large_list(column.type)
    kind = np.dtype(np.int64 if is_long else np.int32)
    return np.frombuffer(column.buffers()[1], kind, len(column) + 1, column.offset * kind.itemsize)
