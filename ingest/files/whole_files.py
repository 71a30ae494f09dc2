"""A CSV file that was refused cell by cell, read again with times and numbers as their whole columns say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from ingest.files.cells.whole_columns import settled
from ingest.files.columns import columns_of
from ingest.files.csv_blocks import CsvFile
from ingest.files.problems import Findings
from ingest.sheets.blocks import Block


class WholeFile:
    """The rows of a CSV file in one block, so that a day above 12 anywhere in it says what all its dates are."""

    def __init__(self, table: str, path: Path, refused: Collection[str], findings: Findings) -> None:
        self._file, self._table, self._refused = CsvFile(path, findings), table, refused
        self.names = self._file.names

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """All rows."""
        columns, blocks = columns_of(self._table), list(self._file.blocks(wanted))
        if not blocks:
            return
        frame = pl.concat([block.frame for block in blocks])
        found = [settled(cells, columns[cells.name].dtype) if cells.name in self._refused else cells for cells in frame]
        yield Block(pl.DataFrame(found), np.concatenate([block.lines for block in blocks]), 1.0)
