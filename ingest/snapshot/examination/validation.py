"""What a file of a snapshot holds, examined before anything is calculated from it.

A hash says that a file is as it was written, not that it was written by us. Whoever makes up a file and hashes that
fit could otherwise send compiled code anywhere. What is looked at here, and what relies on it:

- offsets of texts and lists, nulls, UTF-8, codes within their dictionary: pyarrow and polars;
- dictionaries as the manifest has them, so that a code means the same text in every file: `reading`;
- call types within their table: `centre.requirement[call_type]`, and through it every index that the kernels of
  `engine.kernels` take from a queue, a skill, a language or a kind;
- arrivals in order and within their day, and seconds within their limits: windows, events and heaps of a replay.

Places of agents, queues, skills and media are looked up from texts by us, so no file can give a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import ipc

from engine.data.call_types import SEPARATOR
from engine.data.checks import check
from engine.data.tables import TABLES, TEXTS, TIME, Column
from engine.data.wall_time import DAY_US
from engine.errors import InvalidTable
from ingest.snapshot.arrow_files import read_plain, restore
from ingest.snapshot.manifest import CODED

CALL_TYPE = Column("call_type", pl.Int32(), required=True, low=0)
_PLACES = (Column("call_type", pl.Int32()), Column("day", pl.Int32()))
# Columns of every file in order; those of interactions are checked by hand, as a table is too slow for millions.
COLUMNS: dict[str, tuple[Column, ...]] = {
    **{name: table.columns for name, table in TABLES.items()},
    "interactions": (*TABLES["interactions"].columns, CALL_TYPE),
    "surveys": (*TABLES["surveys"].columns, *_PLACES),
    "call_types": (
        Column("queue_id", pl.String(), required=True),
        Column("skills", TEXTS, required=True),
        Column("language", pl.String()),
        TABLES["interactions"]["priority"],
    ),
}
# Beyond these no time can be shown in any zone.
TIMES = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_ASCII = np.uint64(0x8080808080808080)


@dataclass(frozen=True)
class Day:
    """What the manifest says of one day of interactions."""

    rows: int  # Number of rows
    day: int  # Days since 1970-01-01 UTC
    n_call_types: int  # Rows of table call_types
    texts: Mapping[str, pa.Array]  # Dictionaries by column
    first_us: int | None = None  # The first arrival of all, on the first day. [us since 1970, UTC]
    last_us: int | None = None  # The last arrival of all, on the last day. [us since 1970, UTC]


def examine_day(reader: ipc.RecordBatchFileReader, said: Day) -> None:
    """Refuse interactions that their table or the manifest does not allow; `ValueError` says why."""
    _check_columns(reader.schema, "interactions")
    if reader.num_record_batches == 0:
        raise ValueError("there are no rows")
    rows, reached_us = 0, said.day * DAY_US if said.first_us is None else said.first_us
    end_us = (said.day + 1) * DAY_US
    first_us = None
    for number in range(reader.num_record_batches):
        batch = reader.get_batch(number)
        for column in COLUMNS["interactions"]:
            if column.name in batch.schema.names:
                _check_column(batch.column(column.name), column, said)
        arrived_us = batch.column("arrived_at").view(pa.int64()).to_numpy()
        if not arrived_us.size or arrived_us[0] < reached_us or not (arrived_us[1:] >= arrived_us[:-1]).all():
            raise ValueError("arrived_at: rows are out of order or of another day")
        first_us, reached_us = arrived_us[0] if first_us is None else first_us, int(arrived_us[-1])
        rows += arrived_us.size
    if reached_us >= end_us or said.last_us not in {None, reached_us} or said.first_us not in {None, first_us}:
        raise ValueError("arrived_at: rows are of another day or interval than the manifest says")
    _check_rows(rows, said.rows)


def examine_table(reader: ipc.RecordBatchFileReader, name: str, rows: int, n_call_types: int) -> None:
    """Refuse rows that their table does not allow; `ValueError` says why."""
    _check_columns(reader.schema, name)
    table = reader.read_all()
    _check_rows(table.num_rows, rows)
    for column in table.columns:
        for chunk in column.chunks:
            chunk.validate()
            _check_layout(chunk)
    frame = read_plain(table)
    for column, dtype in frame.schema.items():
        if dtype == TIME and not frame[column].drop_nulls().is_between(*TIMES).all():
            raise ValueError(f"{column}: a time that no clock of a centre has shown")
    if name == "call_types":
        _check_call_types(frame)
        return
    try:
        check(name, restore(name, frame))
    except InvalidTable as error:
        raise ValueError(error.problems[0]) from error
    if name == "surveys" and "call_type" in frame.columns:
        known = frame["call_type"].drop_nulls()
        if known.len() and not known.is_between(0, n_call_types - 1).all():
            raise ValueError("call_type: there is no such row in call_types")


def _check_rows(found: int, said: int) -> None:
    if found != said:
        raise ValueError(f"{found} rows, the manifest says {said}")


def _check_columns(schema: pa.Schema, name: str) -> None:
    columns = {column.name: column for column in COLUMNS[name]}
    wanted = [column for column in columns if column in schema.names]
    missing = [column.name for column in COLUMNS[name] if column.required and column.name not in wanted]
    if schema.names != wanted or missing:
        raise ValueError(f"its columns are not those of {name}")
    for field in schema:
        coded = name == "interactions" and field.name in CODED
        kind = field.type.value_type if coded and pa.types.is_dictionary(field.type) else field.type
        if coded and not (pa.types.is_dictionary(field.type) and pa.types.is_int32(field.type.index_type)):
            raise ValueError(f"{field.name}: not codes of texts")
        if not _fits(kind, columns[field.name].dtype):
            raise ValueError(f"{field.name}: values of another type")


def _fits(found: pa.DataType, wanted: Any) -> bool:
    """Whether a type of a file is a column's type; a program may have used long offsets or short ones."""
    kinds = pa.types
    if isinstance(wanted, pl.List):
        is_list = kinds.is_list(found) or kinds.is_large_list(found)
        return is_list and found.value_field.name in {"item", "element"} and _fits(found.value_type, wanted.inner)
    if isinstance(wanted, pl.Struct):
        names = [found.field(place).name for place in range(found.num_fields)] if kinds.is_struct(found) else []
        return names == [field.name for field in wanted.fields] and all(
            _fits(found.field(place).type, field.dtype) for place, field in enumerate(wanted.fields)
        )
    if wanted == pl.String():
        return bool(kinds.is_string(found) or kinds.is_large_string(found))
    plain = {pl.Float64(): pa.float64(), pl.Int32(): pa.int32(), pl.Int64(): pa.int64(), pl.Boolean(): pa.bool_()}
    return bool(found == plain.get(wanted, pa.timestamp("us", "UTC")))


def _check_column(array: pa.Array, column: Column, said: Day) -> None:
    array.validate()
    if column.required and array.null_count:
        raise ValueError(f"{column.name}: must not be empty")
    if column.name in CODED:
        _check_codes(array, said.texts[column.name], column.name)
        return
    _check_layout(array)
    if column.dtype == pl.Float64():
        _check_range(array, column)
    elif column.dtype == pl.Int32():
        most = said.n_call_types - 1 if column.name == "call_type" else np.iinfo(np.int32).max
        if len(array) and _most(array, np.uint32) > most:
            _check_range(array, Column(column.name, column.dtype, low=0, high=most))
    elif column.name == "preferred":
        _check_preferred(array)
    elif column.dtype == TEXTS and array.values.null_count:
        raise ValueError(f"{column.name}: an entry is empty")


def _check_codes(array: pa.DictionaryArray, texts: pa.Array, name: str) -> None:
    found = array.dictionary
    found.validate(full=True)
    if len(found) > len(texts) or not found.cast(texts.type).equals(texts[: len(found)]):
        raise ValueError(f"{name}: texts differ from those of the manifest")
    _check_nulls(array)
    if len(array) and _most(array.indices, np.uint32) >= len(found):
        # What lies under a null is arbitrary.
        array.validate(full=True)


def _check_layout(array: pa.Array) -> None:
    """What pyarrow's full validation looks at, by a quicker way where the values are plain."""
    kinds = pa.types
    if kinds.is_struct(array.type):
        _check_nulls(array)
        for place in range(array.type.num_fields):
            _check_layout(array.field(place))
    elif kinds.is_list(array.type) or kinds.is_large_list(array.type):
        _check_nulls(array)
        _check_offsets(array)
        _check_layout(array.values)
    elif kinds.is_string(array.type) or kinds.is_large_string(array.type):
        _check_nulls(array)
        _check_offsets(array)
        if not _is_ascii(array.buffers()[2]):
            _check_texts(array)
    else:
        array.validate(full=True)


def _check_nulls(array: pa.Array) -> None:
    """The number of nulls is as said, which is taken on trust by whatever reads on."""
    if array.null_count:
        validity = array.buffers()[0]
        bits = pa.Array.from_buffers(pa.bool_(), len(array), [validity, validity], array.null_count, array.offset)
        bits.validate(full=True)


def _check_offsets(array: pa.Array) -> None:
    # Their ends are known to lie within the values.
    is_long = pa.types.is_large_string(array.type) or pa.types.is_large_list(array.type)
    kind = np.dtype(np.int64 if is_long else np.int32)
    if not len(array):
        return
    offsets = np.frombuffer(array.buffers()[1], kind, len(array) + 1, array.offset * kind.itemsize)
    if not (offsets[1:] >= offsets[:-1]).all():
        raise ValueError("its texts or lists overlap")


def _check_texts(array: pa.Array) -> None:
    """Texts of characters, also under nulls and before the first: polars looks at all bytes, whoever they belong to."""
    _, offsets, data = array.buffers()
    pa.Array.from_buffers(array.type, len(array), [None, offsets, data], 0, array.offset).validate(full=True)
    str(memoryview(data), "utf-8")


def _is_ascii(data: pa.Buffer | None) -> bool:
    if data is None:
        return True
    whole = data.size // 8
    words = np.frombuffer(data, np.uint64, whole)
    rest = np.frombuffer(data, np.uint8, data.size - 8 * whole, 8 * whole)
    return not (np.bitwise_or.reduce(words) & _ASCII) and not (rest >= 0x80).any()


def _most(array: pa.Array, kind: type) -> Any:
    """The largest number as it lies there, nulls included; what is negative is larger than all others."""
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)].max()


def _check_range(array: pa.Array, column: Column) -> None:
    low, high = column.low, column.high
    if not len(array):
        return
    # Numbers of 0 or more are in the order of their bits; NaN, infinity and what is negative come after.
    is_plain = low == 0 and high is not None and array.type == pa.float64()
    if is_plain and _most(array, np.uint64) <= np.float64(high).view(np.uint64):
        return
    values = pl.Series(array).drop_nulls()
    is_bad = ~values.is_between(-np.inf if low is None else low, np.inf if high is None else high)
    if is_bad.any() or (values.dtype == pl.Float64 and not values.is_finite().all()):
        raise ValueError(f"{column.name}: a number outside of what the table allows")


def _check_preferred(array: pa.Array) -> None:
    entries = array.values
    agent, score = entries.field(0), entries.field(1)
    if entries.null_count or agent.null_count or score.null_count:
        raise ValueError("preferred: each entry needs an agent and a score")
    _check_range(score, Column("preferred", pl.Float64(), low=0.0, high=100.0))


def _check_call_types(frame: pl.DataFrame) -> None:
    skills, priority, column = frame["skills"], frame["priority"], TABLES["interactions"]["priority"]
    if (
        frame["queue_id"].null_count()
        or skills.null_count()
        or skills.list.eval(pl.element().is_null()).list.any().any()
    ):
        raise ValueError("queue_id or skills: must not be empty")
    if priority.null_count() or not priority.is_between(column.low, column.high).all():
        raise ValueError("priority: a number outside of what the table allows")
    if frame.with_columns(skills.list.join(SEPARATOR)).n_unique() < frame.height:
        raise ValueError("a call type stands there twice")
