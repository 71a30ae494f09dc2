"""Workbooks, and texts other than UTF-8 with commas, as blocks of cells in the forms that our own columns have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from engine.stopping import checked
from ingest.files.cells.whole_columns import settled
from ingest.files.columns import columns_of
from ingest.files.problems import Findings
from ingest.sheets import read_sheets
from ingest.sheets.blocks import Block
from ingest.sheets.columnar.arrow_blocks import BATCH_ROWS


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
            [settled(self._frame.to_series(at).alias(name), columns[name].dtype) for at, name in wanted.items()]
        )
        for first in checked(range(0, frame.height, BATCH_ROWS)):
            done = min(first + BATCH_ROWS, frame.height)
            yield Block(frame[first:done], self._rows[first:done], done / frame.height)
