"""A file or frame that was refused cell by cell, read again with times and numbers as their whole columns say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

import polars as pl

from ingest.files.cells.whole_columns import settled
from ingest.files.columns import columns_of
from ingest.sheets.blocks import Block


class Source(Protocol):
    """What gives rows."""

    names: list[str]

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Its rows in order, with the columns that are wanted, by place."""


class WholeFile:
    """The rows of a source, with columns typed that were refused: a day above 12 anywhere says what all dates are.

    It is read once for these columns alone, so that no more of it is in memory, and then as ever.
    """

    def __init__(self, table: str, first: Source, source: Source, refused: Collection[str]) -> None:
        self._first, self._source, self._table, self._refused = first, source, table, refused
        self.names = source.names

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Rows in order, a block at a time."""
        typed = self._typed({place: name for place, name in wanted.items() if name in self._refused})
        row = 0
        for block in self._source.blocks(wanted):
            height = block.frame.height
            frame = block.frame.with_columns(cells.slice(row, height) for cells in typed)
            yield Block(frame, block.lines, block.share, block.is_plain)
            row += height

    def _typed(self, wanted: dict[int, str]) -> list[pl.Series]:
        """Those of some columns that the whole column settles."""
        columns, blocks = columns_of(self._table), [block.frame for block in self._first.blocks(wanted)]
        texts = [cells for cells in pl.concat(blocks) if cells.dtype == pl.String] if blocks else []
        return [settled(cells, columns[cells.name].dtype) for cells in texts]
