"""CSV files as blocks of text cells, each row with its line number, at the speed of compiled loops.

The structure (quotes, rows, number of values) is found with numpy over pieces of the file, so that a
crooked row is known by its line; polars then splits only what is sound. A piece always begins at a row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from ingest.files.blocks import Block, Lines
from ingest.files.problems import Findings

# A piece and the positions of its commas are in memory together, eight bytes for each.
PIECE_BYTES = 16 << 20
# A quote left open would otherwise pull the rest of the file into one row.
LONGEST_ROW_BYTES = 64 << 20
MOST_COLUMNS = 1_000

_BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN, _COMMA, _QUOTE = 10, 13, 44, 34

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Rows:
    """Where the complete rows of a piece lie."""

    data: bytes
    starts: Positions
    ends: Positions
    lines: Lines
    n_values: Positions

    @property
    def blank(self) -> npt.NDArray[np.bool_]:
        code = np.frombuffer(self.data, np.uint8)
        # With Windows line ends a blank line holds a carriage return.
        length = self.ends - self.starts
        empty: npt.NDArray[np.bool_] = (length == 0) | ((length == 1) & (code[self.starts] == _RETURN))
        return empty

    def text(self, row: int) -> str:
        return self.data[self.starts[row] : self.ends[row]].decode("utf-8", "replace").rstrip("\r")

    def only(self, keep: npt.NDArray[np.bool_]) -> bytes:
        # Most pieces are sound throughout; they are passed on without a copy.
        if keep.all():
            return self.data
        code = np.frombuffer(self.data, np.uint8)
        return code[np.repeat(keep, self.ends + 1 - self.starts)].tobytes()


class CsvFile:
    """A CSV file: its column names, then its rows in blocks.

    UTF-8 text, values separated by commas, quoted as RFC 4180 says; a byte order mark may lead.
    """

    def __init__(self, path: Path, findings: Findings) -> None:
        self._path, self._findings = path, findings
        self._header_line = 1
        self.names = self._read_header()

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Sound rows in order, a block at a time; crooked ones are noted as findings and left out."""
        for rows, share in self._pieces():
            data_rows = ~rows.blank & (rows.lines > self._header_line)
            crooked = data_rows & (rows.n_values != len(self.names))
            self._note_crooked(rows, np.flatnonzero(crooked))
            keep = data_rows & ~crooked
            if keep.any():
                yield Block(self._split(rows.only(keep), int(keep.sum()), wanted), rows.lines[keep], share)

    def _read_header(self) -> list[str]:
        for rows, _ in self._pieces():
            for row in np.flatnonzero(~rows.blank)[:1]:
                self._header_line = int(rows.lines[row])
                return self._names(rows.text(row))
        raise self._findings.stop("the file has no lines; it needs a header and at least one row")

    def _names(self, header: str) -> list[str]:
        if "\r" in header:
            raise self._findings.stop("lines end in a carriage return alone; save with line feeds", 1)
        try:
            names = next(csv.reader(io.StringIO(header, newline="")))
        except csv.Error as error:
            raise self._findings.stop(f"the header cannot be read ({error})", self._header_line) from error
        if len(names) > MOST_COLUMNS:
            raise self._findings.stop(f"{len(names)} columns in the header; is this the right file?")
        if len(names) == 1 and (found := [n for c, n in _SEPARATORS.items() if c in header]):
            raise self._findings.stop(
                f"values are separated by {found[0]}: {header[:60]!r}; save the file with commas and decimals with a "
                "point (LibreOffice: Save As, Edit filter settings; Excel takes both from the region of the system)",
                self._header_line,
            )
        return names

    def _note_crooked(self, rows: _Rows, crooked: Positions) -> None:
        # One problem for each wrong number of values: a whole file may be off by one.
        for n_values in np.unique(rows.n_values[crooked]):
            these = crooked[rows.n_values[crooked] == n_values]
            shown = pl.Series([rows.text(int(row)) for row in these[:1]])
            remedy = (
                f"{n_values} values where the header names {len(self.names)} columns; put values that hold "
                "a comma into double quotes, write decimals with a point"
            )
            self._findings.cells("", remedy, rows.lines[these], shown)

    def _split(self, data: bytes, n_rows: int, wanted: dict[int, str]) -> pl.DataFrame:
        # All as text: the table decides on types, nothing is guessed from the first rows.
        schema = {str(place): pl.String for place in range(len(self.names))}
        options: dict[str, Any] = {"has_header": False, "infer_schema": False, "schema": schema}
        try:
            frame = pl.read_csv(data, columns=sorted(wanted), **options)
        except pl.exceptions.PolarsError as error:
            raise self._findings.stop(f"cannot be read as CSV ({str(error).splitlines()[0]})") from error
        # Where polars sees other rows than we did, cells would be named by the wrong line.
        if frame.height != n_rows:
            raise self._findings.stop(f"{frame.height} rows where {n_rows} lines stand; check its quotes")
        return frame.rename({str(place): name for place, name in wanted.items()})

    def _pieces(self) -> Iterator[tuple[_Rows, float]]:
        size = max(self._path.stat().st_size, 1)
        n_read, line, rest = 0, 1, b""
        with self._path.open("rb") as file:
            while data := file.read(PIECE_BYTES):
                # What follows the last complete row waits for the next piece.
                rest += data if n_read else data.removeprefix(_BOM)
                n_read += len(data)
                rows = self._scan(rest, line)
                if rows is None:
                    if len(rest) > LONGEST_ROW_BYTES:
                        self._never_ends(rest, line, "the row does not end; is a double quote left open?")
                    continue
                yield rows, min(n_read / size, 1.0)
                line += rows.data.count(b"\n")
                rest = rest[len(rows.data) :]
        # The last row may lack its line feed; if adding one does not end it, a quote is open.
        if rest:
            rows = self._scan(rest + b"\n", line)
            if rows is None or len(rows.data) <= len(rest):
                sound = b"" if rows is None else rows.data
                line += sound.count(b"\n")
                self._never_ends(rest[len(sound) :], line, "a double quote is opened and never closed; close it")
            else:
                yield rows, 1.0

    def _never_ends(self, data: bytes, line: int, sentence: str) -> NoReturn:
        code = np.frombuffer(data + b"\n\n", np.uint8)
        self._check_quotes(code, np.flatnonzero(code == _QUOTE), lambda at: line)
        raise self._findings.stop(sentence, line)

    def _scan(self, data: bytes, first_line: int) -> _Rows | None:
        """Complete rows at the start of `data`; None when there is none."""
        code = np.frombuffer(data, np.uint8)
        newline, comma = np.flatnonzero(code == _NEWLINE), np.flatnonzero(code == _COMMA)
        quote = np.flatnonzero(code == _QUOTE) if b'"' in data else np.empty(0, np.int64)
        ends = _outside(newline, quote)
        if not ends.size:
            self._check_nul(data, first_line)
            return None
        data = data[: ends[-1] + 1]
        self._check_text(data, first_line)
        starts = np.append(0, ends[:-1] + 1)
        lines = first_line + np.searchsorted(newline, starts)
        self._check_quotes(code, quote[quote < ends[-1]], lambda at: int(lines[np.searchsorted(ends, at)]))
        n_values = np.diff(np.searchsorted(_outside(comma, quote), ends), prepend=0) + 1
        return _Rows(data, starts, ends, lines, n_values)

    def _check_nul(self, data: bytes, first_line: int) -> None:
        if (at := data.find(b"\0")) >= 0:
            raise self._findings.stop(
                "a NUL byte; this is not text, or it is UTF-16: save the file as CSV UTF-8",
                first_line + data.count(b"\n", 0, at),
            )

    def _check_text(self, data: bytes, first_line: int) -> None:
        self._check_nul(data, first_line)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            row = first_line + data.count(b"\n", 0, error.start)
            shown = data[max(error.start - 20, 0) : error.start + 10].decode("latin-1")
            raise self._findings.stop(
                f"byte 0x{data[error.start]:02x} near {shown!r} is not UTF-8 (perhaps Latin-1 or "
                "Windows-1252); save the file as CSV UTF-8",
                row,
            ) from error

    def _check_quotes(self, code: npt.NDArray[np.uint8], quote: Positions, line: Callable[[int], int]) -> None:
        """A quote opens a value or closes it; anywhere else the reader could only guess."""
        opens, closes = quote[0::2], quote[1::2]
        # Quotes come in pairs once the row is complete; a doubled one inside a value closes and opens at once.
        before = np.where(opens == 0, _COMMA, code[opens - 1])
        stray = opens[~np.isin(before, [_COMMA, _NEWLINE, _QUOTE])]
        after = code[closes + 1]
        # The carriage return of a Windows line end belongs to the line feed behind it.
        after = np.where(after == _RETURN, code[np.minimum(closes + 2, code.size - 1)], after)
        stray = np.append(stray, closes[~np.isin(after, [_COMMA, _NEWLINE, _QUOTE])])
        if stray.size:
            at = int(stray.min())
            raise self._findings.stop(
                'a double quote stands inside a value; put the whole value into double quotes and write "" '
                "for a quote in it",
                line(at),
            )


_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def _outside(positions: Positions, quote: Positions) -> Positions:
    """Those positions that do not lie between quotes."""
    # An even number of quotes before a place means that none is open there.
    return positions[np.searchsorted(quote, positions) % 2 == 0] if quote.size else positions
