"""CSV files as blocks of text cells, each row with its line number.

Polars splits large pieces as they are, and counts tell whether it saw what stands there. Where anything is in
doubt, and from there on, the structure (quotes, rows, number of values) is found with numpy over smaller pieces, so
that a crooked row is known by its line; polars then splits only what is sound. A piece always begins at a row.
"""

from __future__ import annotations

import csv
import io
import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from ingest.files.blocks import Block, Lines
from ingest.files.problems import Findings

# What polars splits at one go.
LARGE_BYTES = 128 << 20
# A piece and the positions of its commas are in memory together, eight bytes for each.
PIECE_BYTES = 16 << 20
_AT_HAND = 1 << 18
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
        self._n_bytes = path.stat().st_size
        # Where the row behind the header begins; 0 where that is not known.
        self._first_row = 0
        self.names = self._read_header()

    def blocks(self, wanted: dict[int, str]) -> Iterator[Block]:
        """Sound rows in order, a block at a time; crooked ones are noted as findings and left out."""
        at, line = self._first_row, self._header_line + 1 if self._first_row else 1
        for frame, n_bytes in self._plain_pieces(wanted):
            at += n_bytes
            yield Block(frame, np.arange(line, line + frame.height), min(at / self._n_bytes, 1.0))
            line += frame.height
        if at < self._n_bytes:
            yield from self._exact_blocks(wanted, at, line)

    def _plain_pieces(self, wanted: dict[int, str]) -> Iterator[tuple[pl.DataFrame, int]]:
        """Rows from the first one on as polars splits them, with their bytes, until anything is in doubt."""
        at = self._first_row
        if not 0 < at < self._n_bytes:
            return
        with self._path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            while at < self._n_bytes:
                # Polars reads a file faster than bytes; more than fits into a piece goes through memory bit by bit.
                is_rest = self._n_bytes - at <= LARGE_BYTES
                end = self._n_bytes if is_rest else data.rfind(b"\n", at, at + LARGE_BYTES) + 1
                is_file = is_rest and at == self._first_row
                frame = self._plainly(data, at, end, wanted, self._path if is_file else data[at:end])
                if frame is None:
                    return
                yield frame, end - at
                at = end

    def _plainly(
        self, data: mmap.mmap, at: int, end: int, wanted: dict[int, str], source: Path | bytes
    ) -> pl.DataFrame | None:
        """Lines as polars splits them; None where it may have seen other rows or values than stand there."""
        n_columns, is_quoted = len(self.names), data.find(b'"', at, end) >= 0
        if end <= at or data.find(b"\0", at, end) >= 0 or (n_columns == 1 and data.find(b"\n\n", at - 1, end) >= 0):
            return None
        code = np.frombuffer(data, np.uint8, end - at, at)
        if data.find(b"\r", at, end) >= 0 and (n_columns == 1 or _lone_returns(code)):
            return None
        n_skipped = self._header_line if isinstance(source, Path) else 0
        every = range(n_columns) if is_quoted else sorted(wanted)
        try:
            frame = pl.read_csv(source, columns=list(every), glob=False, skip_lines=n_skipped, **self._options)
        except pl.exceptions.PolarsError:
            return None
        n_inside = 0
        if is_quoted:
            if any(column.str.contains('"', literal=True).any() for column in frame):
                return None
            n_inside = sum(int(column.str.count_matches(",", literal=True).sum()) for column in frame)
        n_rows = _count(code, _NEWLINE) + int(code[-1] != _NEWLINE)
        # A row with too many values is an error; so none has too few, nor is any blank.
        if (frame.height, n_rows * (n_columns - 1)) != (n_rows, _count(code, _COMMA) - n_inside):
            return None
        return frame.select(pl.col(str(place)).alias(name) for place, name in wanted.items())

    @property
    def _options(self) -> dict[str, Any]:
        # All as text: the table decides on types, nothing is guessed from the first rows.
        schema = {str(place): pl.String for place in range(len(self.names))}
        return {"has_header": False, "infer_schema": False, "schema": schema}

    def _exact_blocks(self, wanted: dict[int, str], at: int, first_line: int) -> Iterator[Block]:
        for rows, share in self._pieces(at, first_line):
            data_rows = ~rows.blank & (rows.lines > self._header_line)
            crooked = data_rows & (rows.n_values != len(self.names))
            self._note_crooked(rows, np.flatnonzero(crooked))
            keep = data_rows & ~crooked
            if keep.any():
                yield Block(self._split(rows.only(keep), int(keep.sum()), wanted), rows.lines[keep], share)

    def _read_header(self) -> list[str]:
        if (header := self._first_line()) is not None:
            return self._names(header)
        for rows, _ in self._pieces():
            for row in np.flatnonzero(~rows.blank)[:1]:
                self._header_line = int(rows.lines[row])
                if rows.lines[0] == 1 and b"\n" not in rows.data[rows.starts[row] : rows.ends[row]]:
                    self._first_row = self._n_mark() + int(rows.ends[row]) + 1
                return self._names(rows.text(row))
        raise self._findings.stop("the file has no lines; it needs a header and at least one row")

    def _first_line(self) -> str | None:
        """The header where it is the first line of a text without quotes, and nothing is odd about what follows."""
        with self._path.open("rb") as file:
            data = file.read(PIECE_BYTES)
        data = data[: data.rfind(b"\n") + 1]
        text = data.removeprefix(_BOM)
        if not text or text[:1] in b"\r\n" or b'"' in data or b"\0" in data:
            return None
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            return None
        self._first_row = data.index(b"\n") + 1
        return text[: text.index(b"\n")].decode("utf-8").rstrip("\r")

    def _n_mark(self) -> int:
        with self._path.open("rb") as file:
            return len(_BOM) if file.read(len(_BOM)) == _BOM else 0

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
        try:
            frame = pl.read_csv(data, columns=sorted(wanted), **self._options)
        except pl.exceptions.PolarsError as error:
            raise self._findings.stop(f"cannot be read as CSV ({str(error).splitlines()[0]})") from error
        # Where polars sees other rows than we did, cells would be named by the wrong line.
        if frame.height != n_rows:
            raise self._findings.stop(f"{frame.height} rows where {n_rows} lines stand; check its quotes")
        return frame.rename({str(place): name for place, name in wanted.items()})

    def _pieces(self, at: int = 0, line: int = 1) -> Iterator[tuple[_Rows, float]]:
        """Complete rows from a place on, which begins a line."""
        size = max(self._n_bytes, 1)
        n_read, rest = at, b""
        with self._path.open("rb") as file:
            file.seek(at)
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


def _count(code: npt.NDArray[np.uint8], sign: int) -> int:
    """How often a byte stands in a piece; parts of it stay where a processor has them at hand."""
    return sum(int(np.count_nonzero(code[at : at + _AT_HAND] == sign)) for at in range(0, code.size, _AT_HAND))


def _lone_returns(code: npt.NDArray[np.uint8]) -> bool:
    """Whether a carriage return stands anywhere but before a line feed."""
    after = np.append(code[1:], _NEWLINE)
    return bool((after[code == _RETURN] != _NEWLINE).any())
