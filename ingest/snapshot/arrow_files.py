"""Arrow IPC files of a snapshot: written once, synced, hashed; and their rows as frames."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import ipc

from engine.data.tables import TABLES
from ingest.snapshot import private
from ingest.snapshot.manifest import CODED, FileEntry

CODE = pa.dictionary(pa.int32(), pa.string())


def finish(path: Path, folder: Path, table: str, rows: int) -> FileEntry:
    """Sync a closed file and take its size and hash."""
    private.sync(path)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return FileEntry(path.relative_to(folder).as_posix(), table, rows, path.stat().st_size, digest)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a small table as one file of plain types."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    with ipc.new_file(private.reserve(path), table.schema) as writer:
        writer.write_table(table)


class Dictionaries:
    """Texts by column, numbered in order of first appearance over all files of a snapshot."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {name: [] for name in CODED}
        self._known: dict[str, pl.DataFrame] = {
            name: pl.DataFrame(schema={"text": pl.String, "code": pl.Int32}) for name in CODED
        }

    def add(self, column: str, texts: pl.Series) -> None:
        """Number texts that are not known yet."""
        known = self._known[column]
        fresh = texts.drop_nulls().unique(maintain_order=True)
        fresh = fresh.filter(~fresh.is_in(known["text"].implode()))
        if fresh.len():
            start = known.height
            codes = pl.int_range(start, start + fresh.len(), dtype=pl.Int32, eager=True)
            added = pl.DataFrame({"text": fresh.cast(pl.String), "code": codes})
            self._known[column] = pl.concat([known, added])
            self.texts[column].extend(fresh.to_list())

    def encode(self, column: str, texts: pl.Series) -> pa.Array:
        """Codes of texts, null where the text is null."""
        self.add(column, texts)
        known = self._known[column]
        codes = texts.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left")
        return codes["code"].to_arrow()


class DayFile:
    """One UTC day of interactions, appended batch by batch in time order.

    The IPC format fixes a file's dictionaries with its first batch. Where a later batch of the same day
    brings a new text, the day's batches so far are written again with the longer dictionary.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], dictionaries: Dictionaries) -> None:
        self.path = path
        self.rows = 0
        self._columns = columns
        self._dictionaries = dictionaries
        self._writer: ipc.RecordBatchFileWriter | None = None
        self._sizes: list[int] = []

    def append(self, plain: pl.DataFrame, codes: dict[str, pa.Array], call_type: np.ndarray) -> None:
        """Add rows: columns as they are, columns as codes of the dictionaries, and their call types."""
        table = plain.to_arrow(compat_level=pl.CompatLevel.oldest())
        columns = [codes[n] if n in codes else table[n].combine_chunks() for n in self._columns]
        self._write(self._with_dictionaries([*columns, pa.array(call_type, pa.int32())]))
        self.rows += plain.height

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _with_dictionaries(self, columns: list[pa.Array]) -> pa.RecordBatch:
        names = [*self._columns, "call_type"]
        texts = self._dictionaries.texts
        arrays = [
            pa.DictionaryArray.from_arrays(column, pa.array(texts[name], pa.string())) if name in CODED else column
            for name, column in zip(names, columns, strict=True)
        ]
        fields = [pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

    def _write(self, batch: pa.RecordBatch) -> None:
        sizes = [len(self._dictionaries.texts[name]) for name in self._columns if name in CODED]
        if self._writer is not None and sizes != self._sizes:
            self._write_again()
        if self._writer is None:
            self._writer = ipc.new_file(private.reserve(self.path), batch.schema)
        self._sizes = sizes
        self._writer.write_batch(batch)

    def _write_again(self) -> None:
        self.close()
        shorter = self.path.with_suffix(".shorter")
        self.path.rename(shorter)
        with pa.memory_map(str(shorter)) as source:
            reader = ipc.open_file(source)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                plain = [c.indices if isinstance(c, pa.DictionaryArray) else c for c in batch.columns]
                again = self._with_dictionaries(plain)
                self._writer = self._writer or ipc.new_file(private.reserve(self.path), again.schema)
                self._writer.write_batch(again)
        shorter.unlink()


def read_plain(source: pa.Table) -> pl.DataFrame:
    """An Arrow table as a polars frame with texts in place of codes."""
    coded = {field.name for field in source.schema if pa.types.is_dictionary(field.type)}
    frame = pl.from_arrow(source.drop_columns([*coded]))
    assert isinstance(frame, pl.DataFrame)
    texts = [_decoded(name, source[name]) for name in coded]
    return frame.with_columns(texts).select(source.column_names)


def _decoded(name: str, column: pa.ChunkedArray) -> pl.Series:
    # Looked up, a text stands in memory once, however often its code comes and however long it is.
    parts = [pl.Series(chunk.dictionary).gather(pl.Series(chunk.indices)) for chunk in column.chunks]
    return pl.concat(parts).alias(name) if parts else pl.Series(name, [], pl.String)


def restore(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """All columns of a table in order, with defaults for those that were not stored."""
    table = TABLES[name]
    present = set(frame.columns)
    return frame.select(
        pl.col(c.name).cast(c.dtype) if c.name in present else pl.lit(c.default, dtype=c.dtype).alias(c.name)
        for c in table.columns
    )


def numbers(column: pa.Array, kind: type) -> tuple[np.ndarray, np.ndarray | None]:
    """Numbers of an Arrow column, whatever lies under nulls included, and where there is no null (None: everywhere)."""
    validity, data = column.buffers()
    values: np.ndarray = np.frombuffer(data, kind)[column.offset : column.offset + len(column)]
    if not column.null_count:
        return values, None
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return values, bits[column.offset : column.offset + len(column)].view(bool)
