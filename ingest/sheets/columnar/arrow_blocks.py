"""Parquet and Arrow files as blocks of rows, only the wanted columns, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ingest.sheets.blocks import Block, Stop
from ingest.sheets.kinds import ARROW, PARQUET
from ingest.workers.memory import bounded

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
# Years 2 to 9998: wide enough to be refused by its year, narrow enough for any zone to be applied.
_FIRST_S, _LAST_S = -62_104_060_800, 253_339_228_800


def plain(column: pa.Array, keeps_times: bool = False) -> pa.Array:
    """A column in a type that polars takes over as it is.

    Maps become lists of entries, timestamps microseconds (UTC where they name a zone), durations and decimals
    floats, dates and clock times texts, unless they are to be kept.

    Examples
    --------
    >>> plain(pa.array([1, 2], pa.duration("ms"))).to_pylist()
    [0.001, 0.002]
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray) and pa.types.is_string(column.type.value_type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_map(kind):
        return column.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
    if pa.types.is_timestamp(kind):
        return _timestamp(column)
    if keeps_times and (pa.types.is_duration(kind) or pa.types.is_date(kind) or pa.types.is_time(kind)):
        return column
    if pa.types.is_duration(kind):
        return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), float(_PER_SECOND[kind.unit]))
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return column.cast(pa.string())
    return column


def _lengths(column: pa.Array) -> pa.Array | None:
    """Bytes of each text, None where there are no texts."""
    if isinstance(column, pa.DictionaryArray):
        lengths = _lengths(column.dictionary)
        return None if lengths is None else lengths.take(column.indices)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return pc.binary_length(column) if any(is_kind(column.type) for is_kind in kinds) else None


def _listed(column: pa.Array) -> int:
    """Values in the lists of a column, however deep; 0 where there are none."""
    if isinstance(column, pa.ListArray | pa.LargeListArray | pa.MapArray):
        values = column.flatten() if not isinstance(column, pa.MapArray) else column.items
        return max(len(values), _listed(values))
    if isinstance(column, pa.StructArray):
        return max((_listed(each) for each in column.flatten()), default=0)
    return 0


def _crowded(name: str, n_listed: int, n_rows: int) -> str:
    return (
        f"column {name} holds {n_listed:,} values in lists of {n_rows:,} rows, and no table has so many; check what "
        "stands there, or leave the column out"
    )


def _timestamp(column: pa.Array) -> pa.Array:
    """Microseconds; a moment too far away for the unit stops at the end of the calendar, not at a wrapped one."""
    kind, unit = column.type, _PER_SECOND[column.type.unit]
    ticks = column.cast(pa.int64())
    if kind.unit != "ns":
        ticks = pc.max_element_wise(ticks, _FIRST_S * unit, skip_nulls=False)
        ticks = pc.min_element_wise(ticks, _LAST_S * unit, skip_nulls=False)
    clipped = ticks.cast(pa.timestamp(kind.unit, None if kind.tz is None else "UTC"))
    return clipped.cast(pa.timestamp("us", clipped.type.tz), safe=False)


BATCH_ROWS = 1 << 18
# What is packed may be a thousand times as large unpacked: a part of a file takes at most so much then, a text of it so
# much, and all texts of one column of a block, which are 500 bytes in each row. [byte]
MOST_UNPACKED, LONGEST_CELL, MOST_TEXT = 2 << 30, 1 << 20, 128 << 20
# Values that lists of one column hold, on average of a part of a file and in a block.
LONGEST_LIST, MOST_LISTED = 1_000, 8_000_000


class ArrowFile:
    """A Parquet file, an Arrow file or an Arrow stream: its column names, then its rows in blocks."""

    remedy = "write it again"

    def __init__(self, path: Path, kind: str, stop: Stop, keeps_times: bool = False) -> None:
        self._path, self._kind, self._stop = path, kind, stop
        self._keeps_times = keeps_times  # Whether dates, clock times and durations stay what they are
        self.n_rows: int | None = None  # As the file says, where it does
        with self._readable():
            self.names = [str(name) for name in self._schema().names]

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Rows in order, a block at a time, numbered from 0."""
        first = 0
        with self._readable():
            for batch in self._sliced(wanted):
                self._check_texts(batch, first)
                batch.validate(full=True)
                arrays = [plain(batch.column(i), self._keeps_times) for i in range(batch.num_columns)]
                frame = pl.from_arrow(pa.table(arrays, names=batch.schema.names))
                assert isinstance(frame, pl.DataFrame)
                if frame.height:
                    done = first + frame.height
                    yield Block(frame, np.arange(first, done), min(1.0, done / max(self.n_rows or done, 1)))
                first += frame.height

    def _sliced(self, wanted: dict[int, str]) -> Iterator[pa.RecordBatch]:
        """Batches of a bounded size, each in parts of at most `BATCH_ROWS`."""
        for batch in self._batches(wanted):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)

    def _check_texts(self, batch: pa.RecordBatch, first: int) -> None:
        """Refuse texts that no table has, before anything takes them apart."""
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if (n_listed := _listed(column)) > MOST_LISTED:
                raise self._stop(_crowded(name, n_listed, len(batch)), first)
            lengths = _lengths(column)
            if lengths is None or not len(lengths):
                continue
            longest, total = pc.max(lengths).as_py() or 0, pc.sum(lengths.cast(pa.int64())).as_py() or 0
            if longest > LONGEST_CELL:
                raise self._stop(
                    f"column {name} holds a text of {longest:,} bytes, and no value is longer than {LONGEST_CELL:,}; "
                    "check what stands there, or leave the column out",
                    first + pc.index(lengths, longest).as_py(),
                )
            if total > MOST_TEXT:
                raise self._stop(
                    f"column {name} unpacks to {total:,} bytes of text in {len(batch):,} rows; check what "
                    "stands there, or leave the column out",
                    first,
                )

    @contextmanager
    def _readable(self) -> Iterator[None]:
        damaged = (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, TypeError)
        try:
            yield
        except MemoryError as error:
            raise self._stop(
                f"a part of it takes over {MOST_UNPACKED >> 30} GiB unpacked, or more than there is; write it again in "
                "smaller parts (row groups, record batches), or for fewer days"
            ) from error
        except damaged as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise self._stop(f"cannot be read as {self._kind} ({reason}); {self.remedy}") from error

    def _schema(self) -> pa.Schema:
        if self._kind == PARQUET:
            import pyarrow.parquet as pq

            return pq.read_schema(self._path)
        with pa.memory_map(str(self._path)) as file:
            return (pa.ipc.open_file(file) if self._kind == ARROW else pa.ipc.open_stream(file)).schema

    def _batches(self, wanted: dict[int, str]) -> Iterator[pa.RecordBatch]:
        places = sorted(wanted)
        names = [wanted[place] for place in places]
        if self._kind == PARQUET:
            import pyarrow.parquet as pq

            columns = [self.names[place] for place in places]
            # A text that stands in many rows stays one until it is known how long they all are.
            schema = pq.read_schema(self._path)
            texts = [name for name in columns if pa.types.is_string(schema.field(name).type)]
            file = pq.ParquetFile(self._path, read_dictionary=texts)
            self.n_rows = file.metadata.num_rows
            self._check_groups(file.metadata, set(columns))
            for batch in bounded(file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False), MOST_UNPACKED):
                yield batch.select(columns).rename_columns(names)
            return
        # Mapped before the bound is set: a large file takes addresses, and no memory.
        with pa.memory_map(str(self._path)) as file:
            for batch in bounded(self._arrow_batches(file), MOST_UNPACKED):
                yield batch.select(places).rename_columns(names)

    def _check_groups(self, metadata: Any, wanted: set[str]) -> None:
        """Refuse parts of a Parquet file that no table has, by what it says of them, before any of it is unpacked."""
        first = 0
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                name = chunk.path_in_schema.partition(".")[0]
                if name not in wanted:
                    continue
                if chunk.num_values > LONGEST_LIST * max(group.num_rows, 1):
                    raise self._stop(_crowded(name, chunk.num_values, group.num_rows), first)
                if chunk.total_uncompressed_size > LONGEST_CELL * (chunk.num_values + 1):
                    raise self._stop(
                        f"column {name} unpacks to {chunk.total_uncompressed_size:,} bytes in {chunk.num_values:,} "
                        f"values, and no value is longer than {LONGEST_CELL:,}; check what stands there, or leave the "
                        "column out",
                        first,
                    )
            first += group.num_rows

    def _arrow_batches(self, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        if self._kind == ARROW:
            reader = pa.ipc.open_file(file)
            yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            yield from pa.ipc.open_stream(file)
