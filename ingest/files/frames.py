"""Frames in memory as a source: polars, pandas, Arrow, or rows as dictionaries, read like an Arrow file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ingest.files.problems import Findings
from ingest.sheets.blocks import Block, Lines
from ingest.sheets.columnar.arrow_blocks import BATCH_ROWS, ArrowFile

FRAME = "a frame"
# Rows of a frame of ours that are looked at together.
_MOST_ROWS = 4 * BATCH_ROWS
# Columns in which pandas hands over row labels that have no name.
_UNNAMED_INDEX = "__index_level_"


@dataclass(frozen=True, eq=False)
class Framed:
    """A frame made from files, to be checked in their words.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows, columns named as in the table.
    findings : Findings
        With where the rows come from, and what is known to be wrong with them already.
    places : (n_rows,) array of int
        Place of each row in the origin of the findings.
    """

    frame: pl.DataFrame
    findings: Findings
    places: Lines


class FramedFile:
    """A frame made from files, a block at a time; what it holds was read and trimmed here already."""

    def __init__(self, framed: Framed) -> None:
        self._framed = framed
        self.names = framed.frame.columns

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Rows in order, numbered as their origin numbers them."""
        frame = self._framed.frame
        kept = frame.select(pl.col(self.names[place]).alias(name) for place, name in sorted(wanted.items()))
        for first in range(0, frame.height, _MOST_ROWS):
            end = min(first + _MOST_ROWS, frame.height)
            yield Block(kept[first:end], self._framed.places[first:end], end / frame.height, is_plain=True)


class FrameFile(ArrowFile):
    """A frame that is read like an Arrow file: rows counted from 0, nothing of it changed.

    It is a polars or pandas frame, an Arrow table, anything else that offers `__arrow_c_stream__` or
    `__dataframe__`, a list of dictionaries, or a dictionary of columns.
    """

    remedy = "give a frame whose columns have names of their own and one type each, or values as text"

    def __init__(self, frame: Any, findings: Findings) -> None:
        self._frame = frame
        super().__init__(Path(), FRAME, findings.stop)

    def _schema(self) -> pa.Schema:
        table = _table(self._frame)
        if table is None:
            raise self._stop(
                f"{type(self._frame).__name__} is no table; give a polars, pandas or Arrow frame, a list of "
                "dictionaries, or the path of a file"
            )
        self._table = table.select([i for i, name in enumerate(table.column_names) if _UNNAMED_INDEX not in str(name)])
        return self._table.schema

    def _batches(self, wanted: dict[int, str]) -> Iterator[pa.RecordBatch]:
        places = sorted(wanted)
        kept = self._table.select(places).rename_columns([wanted[place] for place in places])
        # Memory that other libraries hand over may be shared with them, so it is never written to.
        yield from kept.to_batches(max_chunksize=BATCH_ROWS)


def _table(frame: Any) -> pa.Table | None:
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, list | tuple) and all(isinstance(row, Mapping) for row in frame):
        frame = pl.from_dicts([dict(row) for row in frame], infer_schema_length=None) if frame else pl.DataFrame()
    if isinstance(frame, Mapping):
        frame = pl.DataFrame(dict(frame))
    if isinstance(frame, pl.DataFrame) and pl.Object in frame.dtypes:
        # Arrow would take the addresses of the objects for values.
        raise TypeError(f"column {frame.columns[frame.dtypes.index(pl.Object())]} holds Python objects")
    if hasattr(frame, "__arrow_c_stream__"):
        return pa.table(frame)
    if hasattr(frame, "__dataframe__"):
        from pyarrow.interchange import from_dataframe

        return from_dataframe(frame)
    return None
