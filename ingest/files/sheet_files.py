"""Workbooks, and texts other than UTF-8 with commas, as blocks of cells in the forms that our own columns have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from engine.data.tables import TIME
from engine.stopping import checked
from ingest.files.columns import columns_of
from ingest.files.problems import Findings
from ingest.sheets import read_sheets
from ingest.sheets.blocks import Block
from ingest.sheets.columnar.arrow_blocks import BATCH_ROWS
from ingest.values.durations import read_durations
from ingest.values.numbers import read_numbers
from ingest.values.times import read_times


class SheetFile:
    """The one table of a file that `ingest.sheets` reads: its column names, then its rows in blocks."""

    def __init__(self, table: str, path: Path, findings: Findings) -> None:
        sheets = read_sheets([str(path)])
        if len(sheets) > 1:
            names = ", ".join(sheet.name for sheet in sheets)
            raise findings.stop(f"holds several tables ({names}); name one of them, as in {sheets[0].name}")
        [sheet] = sheets
        self._frame, self._rows, self._table = sheet.frame, sheet.rows.astype(np.int64), table
        self.names = list(sheet.frame.columns)
        self.notes = [f"{sheet.name}: {note}" for note in sheet.notes]  # What is none of its rows

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Rows in order, a block at a time."""
        columns = columns_of(self._table)
        frame = pl.DataFrame(
            [_plain(self._frame.to_series(at).alias(name), columns[name].dtype) for at, name in wanted.items()]
        )
        for first in checked(range(0, frame.height, BATCH_ROWS)):
            done = min(first + BATCH_ROWS, frame.height)
            yield Block(frame[first:done], self._rows[first:done], done / frame.height)


def _plain(cells: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Times and numbers as spreadsheets of any country write them, where the whole column says what they are.

    What it does not say stays as it stands there, for the checks of the table to name.
    """
    if dtype == TIME and cells.dtype in (pl.String, pl.Date):
        times = read_times(cells, "dmy" if cells.dtype == pl.String and _has_dots(cells) else None)
        return cells if times.is_open or times.refused.any() else times.values.alias(cells.name)
    if not dtype.is_numeric():
        return _as_text(cells)
    if cells.dtype == pl.String:
        numbers = read_numbers(cells)
        if not (numbers.is_open or numbers.refused.any()):
            return numbers.values.alias(cells.name)
    if cells.dtype in (pl.Duration, pl.Time) or (cells.dtype == pl.String and cells.name.endswith("_s")):
        durations = read_durations(cells)
        if not (durations.is_open or durations.refused.any()):
            return durations.values.alias(cells.name)
    return cells


def _has_dots(cells: pl.Series) -> bool:
    """Whether all dates have dots: no country writes the month first then."""
    return bool(cells.str.contains(r"^\d{1,2}\.\d{1,2}\.\d{2}").all())


def _as_text(cells: pl.Series) -> pl.Series:
    """Days and clock times that stand where names are wanted."""
    return cells.cast(pl.String) if cells.dtype in (pl.Date, pl.Time) else cells
