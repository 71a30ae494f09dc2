"""Parquet and Arrow files as sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from engine.memory import Need
from ingest.sheets.columnar.arrow_blocks import ArrowFile
from ingest.sheets.content import Content
from ingest.sheets.kinds import check_end
from ingest.sheets.layout.header import MOST_COLUMNS, names_of
from ingest.sheets.sheet import Sheet
from ingest.workers import MEMORY

# The rows of all blocks and all of them in one piece; what is less needs no room to be asked for. [byte]
COPIES, WORTH_ASKING = 2, 256 << 20
_KEPT = (pl.String, pl.Boolean, pl.Date, pl.Time, pl.Duration, pl.Datetime)


def read_columnar(content: Content, kind: str) -> Sheet:
    """The table of a Parquet or Arrow file, rows counted from 0."""
    check_end(content, kind)
    if content.packed:
        raise content.refused(f"is {kind} inside {content.packed}; unpack it first, it is compressed already")
    file = ArrowFile(content.path, kind, content.refused, keeps_times=True)
    if len(file.names) > MOST_COLUMNS:
        raise content.refused(f"{len(file.names):,} columns; is this the right file?")
    names = names_of([name.strip() or None for name in file.names])
    frames = []
    n_bytes = 0.0
    for block in file.blocks(dict(enumerate(names))):
        frames.append(_plain(content, block.frame))
        n_bytes += frames[-1].estimated_size()
        if (needed := round(COPIES * n_bytes / max(block.share, 1e-6))) > WORTH_ASKING:
            MEMORY.check(Need(needed, f"{content.name}: reading it", "read fewer days at a time"))
    if not frames:
        raise content.refused("there are columns but no row; add rows, or leave the file out")
    frame = pl.concat(frames, how="vertical")
    return Sheet(content.name, (Path(content.path),), frame, np.arange(frame.height), kind)


def _plain(content: Content, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(_column(content, frame[name]) for name in frame.columns)


def _column(content: Content, column: pl.Series) -> pl.Series:
    """A column in one of the types that a sheet has."""
    dtype = column.dtype
    if dtype == pl.String:
        return column.str.strip_chars().replace("", None)
    if isinstance(dtype, pl.Datetime | pl.Duration):
        zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        return column.cast(pl.Datetime("us", "UTC") if zoned else type(dtype)("us"))
    if dtype.is_integer():
        return column.cast(pl.Int64) if dtype != pl.UInt64 else column.cast(pl.Float64)
    if dtype.is_numeric():
        return column.cast(pl.Float64)
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        return column.cast(pl.String)
    if isinstance(dtype, pl.List) and dtype.inner == pl.String:
        return column
    if dtype in (pl.Boolean, pl.Date, pl.Time):
        return column
    raise content.refused(
        f"column {column.name} holds {dtype}, values within values; write it as text or as numbers, or leave it out"
    )
