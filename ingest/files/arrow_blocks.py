"""Parquet and Arrow files as blocks of rows, only the wanted columns, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from ingest.files.arrow_types import plain
from ingest.files.blocks import Block
from ingest.files.kinds import ARROW, PARQUET
from ingest.files.problems import Findings

BATCH_ROWS = 1 << 18


class ArrowFile:
    """A Parquet file, an Arrow file or an Arrow stream: its column names, then its rows in blocks.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        One of the formats of `ingest.files.kinds` but CSV.
    findings : Findings
        Takes what is wrong.

    Raises
    ------
    InvalidTable
        If it cannot be read.
    """

    def __init__(self, path: Path, kind: str, findings: Findings) -> None:
        self._path, self._kind, self._findings = path, kind, findings
        with self._readable():
            self.names = [str(name) for name in self._schema().names]

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Rows in order, a block at a time, numbered from 0.

        Parameters
        ----------
        wanted : dict of int to str
            Place of a column in the file, and what to call it; others are not read.

        Yields
        ------
        Block
            Rows in the types of the file.

        Raises
        ------
        InvalidTable
            If the file is damaged.
        """
        first = 0
        with self._readable():
            for batch in self._batches(wanted):
                batch.validate(full=True)
                arrays = [plain(batch.column(i)) for i in range(batch.num_columns)]
                frame = pl.from_arrow(pa.table(arrays, names=batch.schema.names))
                assert isinstance(frame, pl.DataFrame)
                if frame.height:
                    yield Block(frame, np.arange(first, first + frame.height), 1.0)
                first += frame.height

    @contextmanager
    def _readable(self) -> Iterator[None]:
        damaged = (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, TypeError, MemoryError)
        try:
            yield
        except damaged as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise self._findings.stop(f"cannot be read as {self._kind} ({reason}); write it again") from error

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
            for batch in pq.ParquetFile(self._path).iter_batches(BATCH_ROWS, columns=columns):
                yield batch.select(columns).rename_columns(names)
            return
        with pa.memory_map(str(self._path)) as file:
            for batch in self._arrow_batches(file):
                yield batch.select(places).rename_columns(names)

    def _arrow_batches(self, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        if self._kind == ARROW:
            reader = pa.ipc.open_file(file)
            yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            yield from pa.ipc.open_stream(file)
