"""CSV files as blocks of text cells, each row with its line number; crooked rows are findings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from ingest.files.problems import Findings
from ingest.sheets.blocks import Block
from ingest.sheets.text.rows import Crooked, Rows

MOST_COLUMNS = 1_000
# Enough for a header.
FIRST_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


class CsvFile:
    """A CSV file: its column names, then its rows in blocks.

    UTF-8 text, values separated by commas, quoted as RFC 4180 says; a byte order mark may lead.
    """

    def __init__(self, path: Path, findings: Findings) -> None:
        self._path, self._findings = path, findings
        self._header_line = 1
        # Where the line behind the header begins, where that is known.
        self._behind = 0
        self.names = self._read_header()

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Sound rows in order, a block at a time; crooked ones are noted as findings and left out."""
        with self._path.open("rb") as file:
            if self._behind:
                file.seek(self._behind)
                rows = self._rows(file, self._header_line + 1)
            else:
                rows = self._from_start(file)
            yield from rows.blocks(len(self.names), wanted, self._note_crooked, self._header_line)

    def _from_start(self, file: io.BufferedReader, piece_bytes: int | None = None) -> Rows:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        return self._rows(file, 1, piece_bytes)

    def _rows(self, file: io.BufferedReader, first_line: int, piece_bytes: int | None = None) -> Rows:
        size = self._path.stat().st_size - file.tell()
        return Rows(file, size, ",", '"', self._findings.stop, first_line, piece_bytes=piece_bytes)

    def _read_header(self) -> list[str]:
        with self._path.open("rb") as file:
            for piece, _ in self._from_start(file, FIRST_BYTES).pieces():
                for row in np.flatnonzero(~piece.blank)[:1]:
                    self._header_line = int(piece.lines[row])
                    end = int(piece.ends[row]) + 1
                    if piece.first_line == 1 and piece.data.count(b"\n", 0, end) == self._header_line:
                        self._behind = end + self._n_mark()
                    return self._names(piece.text(row))
        raise self._findings.stop("the file has no lines; it needs a header and at least one row")

    def _n_mark(self) -> int:
        with self._path.open("rb") as file:
            return len(_BOM) if file.read(len(_BOM)) == _BOM else 0

    def _names(self, header: str) -> list[str]:
        try:
            names = next(csv.reader(io.StringIO(header, newline="")))
        except csv.Error as error:
            raise self._findings.stop(f"the header cannot be read ({error})", self._header_line) from error
        if len(names) > MOST_COLUMNS:
            raise self._findings.stop(f"{len(names)} columns in the header; is this the right file?")
        return names

    def _note_crooked(self, crooked: Crooked) -> None:
        # One problem for each wrong number of values: a whole file may be off by one.
        for n_values in np.unique(crooked.n_values):
            these = np.flatnonzero(crooked.n_values == n_values)
            shown = pl.Series([crooked.texts(int(row)) for row in these[:1]])
            remedy = (
                f"{n_values} values where the header names {len(self.names)} columns; put values that hold "
                "a comma into double quotes, write decimals with a point"
            )
            self._findings.cells("", remedy, crooked.lines[these], shown)
