"""Rows of a text as blocks of cells, each with its line number, at the speed of compiled loops.

Polars cuts a piece of the text into cells. What shows that it may have seen other rows than stand there (blank lines,
quoted line ends, empty last cells, its own errors) is looked at exactly, with numpy: where rows end and how many values
each has, so that a crooked row is known by its line. A piece always begins at a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.stopping import check
from ingest.sheets.blocks import Block, Lines, Stop
from ingest.sheets.text.encoding import first_wrong_byte

# A piece and the positions of its delimiters may be in memory together, eight bytes for each.
PIECE_BYTES = 64 << 20
# A quote left open would otherwise pull the rest of the file into one row.
LONGEST_ROW_BYTES = 64 << 20

_AT_HAND = 1 << 18
_NEWLINE, _RETURN = 10, 13

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Crooked:
    """Rows of one piece with another number of values than there are columns."""

    n_values: Positions
    lines: Lines
    texts: Callable[[int], str]  # What stands in one of them


@dataclass(frozen=True)
class Piece:
    """Complete rows of a text."""

    data: bytes
    first_line: int
    delimiter: int
    quotes: Positions

    @cached_property
    def code(self) -> npt.NDArray[np.uint8]:
        """The bytes as numbers."""
        return np.frombuffer(self.data, np.uint8)

    @cached_property
    def ends(self) -> Positions:
        """Places of the line feeds that end rows."""
        return _outside(np.flatnonzero(self.code == _NEWLINE), self.quotes)

    @cached_property
    def starts(self) -> Positions:
        """Places where rows begin."""
        return np.append(0, self.ends[:-1] + 1)

    @cached_property
    def lines(self) -> Lines:
        """The line on which each row begins."""
        if self.n_lines == self.ends.size:
            return np.arange(self.first_line, self.first_line + self.n_lines)
        newline = np.flatnonzero(self.code == _NEWLINE)
        return self.first_line + np.searchsorted(newline, self.starts)

    def lines_of(self, n_rows: int) -> Lines:
        """The same, where it is known how many rows there are."""
        return self.first_line + np.arange(n_rows) if n_rows == self.n_lines else self.lines

    def behind(self, line: int) -> Piece | None:
        """The rows that begin behind a line."""
        if self.first_line > line:
            return self
        first = int(np.searchsorted(self.lines, line, "right"))
        if first == self.starts.size:
            return None
        at = int(self.starts[first])
        quotes = self.quotes[np.searchsorted(self.quotes, at) :] - at
        return Piece(self.data[at:], int(self.lines[first]), self.delimiter, quotes)

    @cached_property
    def n_lines(self) -> int:
        """Line feeds, quoted ones too."""
        return _count(self.code, _NEWLINE)

    @cached_property
    def n_values(self) -> Positions:
        """How many values each row has."""
        delimiters = _outside(np.flatnonzero(self.code == self.delimiter), self.quotes)
        return np.diff(np.searchsorted(delimiters, self.ends), prepend=0) + 1

    @cached_property
    def n_delimiters(self) -> int:
        """Delimiters outside quotes in all rows together."""
        if self.quotes.size:
            return int(self.n_values.sum() - self.n_values.size)
        return _count(self.code, self.delimiter)

    @cached_property
    def blank(self) -> npt.NDArray[np.bool_]:
        """Rows with nothing in them."""
        # With Windows line ends a blank line holds a carriage return.
        length = self.ends - self.starts
        empty: npt.NDArray[np.bool_] = (length == 0) | ((length == 1) & (self.code[self.starts] == _RETURN))
        return empty

    def text(self, row: int) -> str:
        """A row as it stands there."""
        return self.data[self.starts[row] : self.ends[row]].decode("utf-8", "replace").rstrip("\r")

    def only(self, keep: npt.NDArray[np.bool_]) -> bytes:
        """The bytes of some rows; most pieces are sound throughout and passed on without a copy."""
        if keep.all():
            return self.data
        return self.code[np.repeat(keep, self.ends + 1 - self.starts)].tobytes()


class Rows:
    """The rows of a text.

    Parameters
    ----------
    file : BinaryIO
        UTF-8, at the beginning of a row.
    size : int
        Bytes in it.
    delimiter, quote : str, str or None
        One character each.
    stop : callable
        Gives the error that ends the reading.
    first_line : int
        Number of the first line.
    is_utf8 : bool
        Whether that is known of all of it.
    piece_bytes : int
        How much is read at one go.
    """

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        delimiter: str,
        quote: str | None,
        stop: Stop,
        first_line: int = 1,
        is_utf8: bool = False,
        piece_bytes: int | None = None,
    ) -> None:
        self._file, self._size, self._stop, self._first_line = file, max(size, 1), stop, first_line
        self._delimiter, self._quote = delimiter, quote
        self._is_utf8, self._piece_bytes = is_utf8, piece_bytes or PIECE_BYTES

    def blocks(
        self, n_columns: int, wanted: dict[int, str], crooked: Callable[[Crooked], None], after_line: int = 0
    ) -> Iterator[Block]:
        """Sound rows in order behind a line, a block at a time; crooked ones are told and left out."""
        for piece, share in self.pieces():
            check()
            rows = piece.behind(after_line)
            if rows is None:
                continue
            if (frame := self._quick(rows, n_columns, wanted)) is not None:
                yield Block(frame, rows.lines_of(frame.height), share)
                continue
            wrong = ~rows.blank & (rows.n_values != n_columns)
            if wrong.any():
                crooked(Crooked(rows.n_values[wrong], rows.lines[wrong], _texts(rows, np.flatnonzero(wrong))))
            keep = ~rows.blank & ~wrong
            if keep.any():
                frame = self._exact(rows.only(keep), int(keep.sum()), n_columns, wanted)
                yield Block(frame, rows.lines[keep], share)

    def pieces(self) -> Iterator[tuple[Piece, float]]:
        """Complete rows, piece by piece, and how much of the text has been read with each."""
        n_read, line, rest = 0, self._first_line, b""
        while data := self._whole_lines():
            # What follows the last complete row waits for the next piece.
            rest += data
            n_read += len(data)
            piece = self._piece(rest, line)
            if piece is None:
                if len(rest) > LONGEST_ROW_BYTES:
                    self._never_ends(rest, line, "the row does not end; is a double quote left open?")
                continue
            yield piece, min(n_read / self._size, 1.0)
            line += piece.n_lines
            rest = rest[len(piece.data) :]
        # The last row may lack its line feed; if adding one does not end it, a quote is open.
        if rest:
            piece = self._piece(rest + b"\n", line)
            if piece is None or len(piece.data) <= len(rest):
                sound = b"" if piece is None else piece.data
                line += sound.count(b"\n")
                self._never_ends(rest[len(sound) :], line, "a double quote is opened and never closed; close it")
            else:
                yield piece, 1.0

    def _whole_lines(self) -> bytes:
        """The next bytes, up to the end of a line, so that none have to be copied to a later piece."""
        at = self._file.tell()
        self._file.seek(at + self._piece_bytes)
        n_behind = len(self._file.readline(self._piece_bytes))
        self._file.seek(at)
        return self._file.read(self._piece_bytes + n_behind)

    def _quick(self, piece: Piece, n_columns: int, wanted: dict[int, str]) -> pl.DataFrame | None:
        """All rows of a piece as polars sees them, where nothing says that it sees others than stand there."""
        last = n_columns - 1
        try:
            frame = self._polars(piece.data, n_columns, sorted({*wanted, last}))
        except pl.exceptions.PolarsError:
            return None
        n_rows = frame.height
        # Where there are as many as lines, no quoted line end is looked for.
        if n_rows != piece.n_lines and n_rows != piece.ends.size:  # noqa: PLR1714
            return None
        # A blank row, or one that lacks values, is taken for one whose last are empty.
        if frame[str(last)].null_count() and (not last or piece.n_delimiters != n_rows * last):
            return None
        return frame.select(pl.col(str(place)).alias(name) for place, name in wanted.items())

    def _exact(self, data: bytes, n_rows: int, n_columns: int, wanted: dict[int, str]) -> pl.DataFrame:
        try:
            frame = self._polars(data, n_columns, sorted(wanted))
        except pl.exceptions.PolarsError as error:
            raise self._stop(f"cannot be read as CSV ({str(error).splitlines()[0]})") from error
        # Where polars sees other rows than we did, cells would be named by the wrong line.
        if frame.height != n_rows:
            raise self._stop(f"{frame.height} rows where {n_rows} lines stand; check its quotes")
        return frame.rename({str(place): name for place, name in wanted.items()})

    def _polars(self, data: bytes, n_columns: int, places: list[int]) -> pl.DataFrame:
        # All as text: the table decides on types, nothing is guessed from the first rows.
        schema = {str(place): pl.String for place in range(n_columns)}
        options: dict[str, Any] = {"has_header": False, "infer_schema": False, "schema": schema}
        return pl.read_csv(data, columns=places, separator=self._delimiter, quote_char=self._quote, **options)

    def _never_ends(self, data: bytes, line: int, sentence: str) -> NoReturn:
        code = np.frombuffer(data + b"\n\n", np.uint8)
        self._check_quotes(code, self._quotes(data), lambda at: line)
        raise self._stop(sentence, line)

    def _quotes(self, data: bytes) -> Positions:
        if self._quote is None or self._quote.encode() not in data:
            return np.empty(0, np.int64)
        return np.flatnonzero(np.frombuffer(data, np.uint8) == ord(self._quote))

    def _piece(self, data: bytes, first_line: int) -> Piece | None:
        """Complete rows at the start of `data`; None when there is none."""
        quotes = self._quotes(data)
        if (end := _last_end(data, quotes)) is None:
            self._check_nul(data, first_line)
            return None
        # Looking behind a quote that ends a row needs what follows it.
        code = np.frombuffer(data, np.uint8)
        quotes = quotes[quotes < end]
        piece = Piece(data[: end + 1], first_line, ord(self._delimiter), quotes)
        self._check_text(piece.data, first_line)
        self._check_quotes(code, quotes, lambda at: int(piece.lines[np.searchsorted(piece.ends, at)]))
        return piece

    def _check_nul(self, data: bytes, first_line: int) -> None:
        if (at := data.find(b"\0")) >= 0:
            raise self._stop(
                "a NUL byte; this is not text, or it is UTF-16: save the file as CSV UTF-8",
                first_line + data.count(b"\n", 0, at),
            )

    def _check_text(self, data: bytes, first_line: int) -> None:
        self._check_nul(data, first_line)
        if not self._is_utf8 and (at := first_wrong_byte(data)) is not None:
            shown = data[max(at - 20, 0) : at + 10].decode("latin-1")
            raise self._stop(
                f"byte 0x{data[at]:02x} near {shown!r} is not UTF-8 (perhaps Latin-1 or "
                "Windows-1252); save the file as CSV UTF-8",
                first_line + data.count(b"\n", 0, at),
            )

    def _check_quotes(self, code: npt.NDArray[np.uint8], quote: Positions, line: Callable[[int], int]) -> None:
        """A quote opens a value or closes it; anywhere else the reader could only guess."""
        if not quote.size:
            return
        sides = [ord(self._delimiter), _NEWLINE, int(code[quote[0]])]
        opens, closes = quote[0::2], quote[1::2]
        # Quotes come in pairs once the row is complete; a doubled one inside a value closes and opens at once.
        before = np.where(opens == 0, _NEWLINE, code[opens - 1])
        stray = opens[~np.isin(before, sides)]
        after = code[closes + 1]
        # The carriage return of a Windows line end belongs to the line feed behind it.
        after = np.where(after == _RETURN, code[np.minimum(closes + 2, code.size - 1)], after)
        stray = np.append(stray, closes[~np.isin(after, sides)])
        if stray.size:
            raise self._stop(
                'a double quote stands inside a value; put the whole value into double quotes and write "" '
                "for a quote in it",
                line(int(stray.min())),
            )


def _count(code: npt.NDArray[np.uint8], sign: int) -> int:
    """How often a byte stands in a text, of which parts stay where a processor has them at hand."""
    return sum(int(np.count_nonzero(code[at : at + _AT_HAND] == sign)) for at in range(0, code.size, _AT_HAND))


def _texts(piece: Piece, rows: Positions) -> Callable[[int], str]:
    return lambda place: piece.text(int(rows[place]))


def _last_end(data: bytes, quotes: Positions) -> int | None:
    """Place of the last line feed that no quote holds."""
    end = data.rfind(b"\n")
    # An even number of quotes before a place means that none is open there.
    while end >= 0 and quotes.size and np.searchsorted(quotes, end) % 2:
        end = data.rfind(b"\n", 0, int(quotes[np.searchsorted(quotes, end) - 1]))
    return end if end >= 0 else None


def _outside(positions: Positions, quotes: Positions) -> Positions:
    """Those positions that do not lie between quotes."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if quotes.size else positions
