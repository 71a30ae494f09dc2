"""A text of rows and values as a sheet."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import polars as pl

from engine.memory import Need
from engine.texts import short
from engine.typing import IntArray
from ingest.sheets import header as headers
from ingest.sheets.content import Content
from ingest.sheets.header import MOST_COLUMNS, find_header
from ingest.sheets.sheet import Sheet
from ingest.sheets.text.dialect import DELIMITERS, Dialect, Line, dialect_of, lines_of
from ingest.sheets.text.encoding import SAMPLE_BYTES, Utf8, as_utf8
from ingest.sheets.text.rows import Crooked, Rows
from ingest.workers import MEMORY

# A text and its cells; what is less needs no room to be asked for. [byte]
COPIES, WORTH_ASKING = 3, 256 << 20
# Rows at the end that may be remarks.
MOST_REMARKS = 5


def read_text(content: Content) -> Sheet:
    """The table that a text holds."""
    if len(content.data) * COPIES > WORTH_ASKING:
        need = Need(len(content.data) * COPIES, f"{content.name}: reading it", "read fewer days at a time")
        MEMORY.check(need)
    text = _with_line_feeds(as_utf8(content))
    sample = text.sample()
    is_whole = len(text.data) <= text.start + SAMPLE_BYTES
    if not sample.strip():
        raise content.refused("the file has no lines; it needs a header and at least one row")
    if not is_whole and "\n" not in sample:
        raise content.refused(f"the first row is over {SAMPLE_BYTES:,} bytes long; is this a table?", 1)
    dialect = dialect_of(content, sample)
    if dialect.quote is not None and not _has_quoted(text, dialect):
        dialect = replace(dialect, quote=None)
    return _Table(content, text, dialect, list(lines_of(content, sample, dialect, is_whole))).sheet()


class _Table:
    """The table of one text on its way to a sheet."""

    def __init__(self, content: Content, text: Utf8, dialect: Dialect, lines: list[Line]) -> None:
        self.content, self.text, self.dialect = content, text, dialect
        if wide := [line for line in lines if len(line.cells) > MOST_COLUMNS]:
            sentence = f"{len(wide[0].cells):,} columns; is this the right file?"
            raise content.refused(sentence, wide[0].first + 1)
        found = find_header([[cell or None for cell in line.cells] for line in lines])
        if isinstance(found, str):
            first = next((line.first + 1 for line in lines if any(line.cells)), None)
            raise content.refused(found, first)
        self.header = lines[found.place]
        self.n_above = sum(any(line.cells) for line in lines[: found.place])
        self.n_named = 1 + max(place for place, cell in enumerate(self.header.cells) if cell)
        self.width = self._width([len(line.cells) for line in lines[found.place + 1 :] if any(line.cells)])
        self.names = headers.names_of([cell or None for cell in self.header.cells], self.width)
        self.crooked: list[Crooked] = []

    def _width(self, widths: list[int]) -> int:
        """Values in most rows, which may have a delimiter at their end that the header lacks, or lack one it has."""
        usual = max(set(widths), key=widths.count) if widths else self.n_named
        return usual if self.n_named <= usual else len(self.header.cells)

    def sheet(self) -> Sheet:
        """All rows as texts, blanks as null."""
        with self._file() as file:
            size = len(self.text.data) - file.tell()
            first = self.header.last + 2
            rows = Rows(file, size, self.dialect.delimiter, self.dialect.quote, self.content.refused, first, True)
            wanted = {place: str(place) for place in range(self.width)}
            blocks = list(rows.blocks(self.width, wanted, self.crooked.append))
        notes = headers.above_note(self.n_above)
        lines = np.concatenate([block.lines for block in blocks]) if blocks else np.empty(0, np.int64)
        notes += self._check_crooked(lines)
        if not blocks:
            raise self.content.refused("there is a header but no row; add rows, or leave the file out")
        frame = pl.concat([block.frame for block in blocks], rechunk=False)
        frame = _tidy(frame, _has_odd_blanks(self.text, self.dialect, lines))
        is_again = self._repeats_header(frame)
        if n_again := int(is_again.sum()):
            frame, lines = frame.filter(~is_again), lines[~is_again.to_numpy()]
            notes += headers.again_note(n_again)
        frame, lines = _without_blank(self._named(frame, lines), lines)
        if n := headers.n_totals(frame):
            frame, lines = frame.head(-n), lines[:-n]
            notes.append(headers.totals_note(n))
        if not frame.height:
            raise self.content.refused("there is a header but no row; add rows, or leave the file out")
        words = f"{self.dialect.words}, {self.text.encoding}"
        return Sheet(self.content.name, (self.content.path,), frame, lines, words, tuple(notes))

    def _file(self) -> BinaryIO:
        """The text behind its header."""
        file = self.content.raw() if self.text.is_file else io.BytesIO(self.text.data)
        file.seek(self.text.start)
        for _ in range(self.header.last + 1):
            file.readline()
        return file

    def _repeats_header(self, frame: pl.DataFrame) -> pl.Series:
        """Where files were put one behind another, the header stands among the rows."""
        last = frame[str(self.n_named - 1)] == self.header.cells[self.n_named - 1]
        if not last.any():
            return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
        cells = enumerate(self.header.cells[: self.width])
        # A mark of UTF-8 may lead the second file.
        same = [pl.col(str(place)).str.strip_prefix("\ufeff") == cell for place, cell in cells if cell]
        return frame.select(pl.all_horizontal(same).fill_null(False)).to_series()

    def _named(self, frame: pl.DataFrame, lines: IntArray) -> pl.DataFrame:
        """Columns by their names; one without a name is left out where nothing stands in it."""
        frame.columns = list(self.names)
        empty = [name for place, name in enumerate(self.names) if place >= self.n_named and not frame[name].count()]
        frame = frame.drop(empty)
        beyond = [
            name for place, name in enumerate(self.names) if place >= len(self.header.cells) and name not in empty
        ]
        if beyond:
            row = int(frame[beyond[0]].is_not_null().arg_max() or 0)
            raise self._refuse(self.width, int(lines[row]), ", ".join(map(str, frame.row(row))))
        return frame

    def _check_crooked(self, lines: IntArray) -> list[str]:
        """Refuse rows with too few or too many values; a few short ones behind all others are remarks."""
        between = self.dialect.delimiter + '" \t'
        crooked = [
            (int(n), int(line), text)
            for piece in self.crooked
            for place, (n, line) in enumerate(zip(piece.n_values, piece.lines, strict=True))
            # Spreadsheets write delimiters alone where rows were deleted.
            if (text := piece.texts(place)).strip(between)
        ]
        last = int(lines[-1]) if lines.size else 0
        are_remarks = all(n <= max(1, self.n_named // 2) and line > last for n, line, _ in crooked)
        if len(crooked) <= MOST_REMARKS and are_remarks and last:
            return headers.remarks_note(len(crooked))
        if crooked:
            raise self._refuse(*crooked[0], len(crooked))
        return []

    def _refuse(self, n: int, line: int, text: str, n_rows: int = 1) -> Exception:
        more = f" ({n_rows} rows have the wrong number)" if n_rows > 1 else ""
        between = DELIMITERS.get(self.dialect.delimiter, "the delimiter")
        return self.content.refused(
            f"'{short(text)}': {n} values where the header names {self.n_named} columns{more}; give every row all its "
            f"values, and put values that hold {between} into double quotes",
            line,
        )


def _has_quoted(text: Utf8, dialect: Dialect) -> bool:
    """Whether any value begins with a quote; where none does, quotes are characters like others."""
    quote = (dialect.quote or "").encode()
    if text.data.find(quote) < 0:
        return False
    starts = (dialect.delimiter.encode() + quote, b"\n" + quote)
    return text.data[text.start : text.start + 1] == quote or any(text.data.find(each) >= 0 for each in starts)


def _tidy(frame: pl.DataFrame, has_odd_blanks: bool) -> pl.DataFrame:
    """Texts without surrounding blanks, empty ones as null."""
    if not frame.height:
        return frame
    cells = pl.all()
    # Empty, or beginning with a blank or a control character: told by comparing, which is much quicker than searching.
    is_odd = cells.str.contains(r"^\s|\s$|^$") if has_odd_blanks else (cells < "!") | cells.str.ends_with(" ")
    odd = [name for name, found in zip(frame.columns, frame.select(is_odd.any()).row(0), strict=True) if found]
    stripped = [pl.col(name).str.strip_chars() for name in odd]
    return frame.with_columns(pl.when(cell != "").then(cell).name.keep() for cell in stripped)


# Bytes of blanks other than the usual one, in UTF-8: tabs, spaces that do not break or are narrow.
_ODD_BLANKS = (b"\t", b"\x0b", b"\x0c", b"\xa0", b"\xe2", b"\xe3", b"\x85")


def _has_odd_blanks(text: Utf8, dialect: Dialect, lines: IntArray) -> bool:
    """Whether values may begin or end with blanks other than the usual one, line ends among them."""
    is_even = not lines.size or lines[-1] - lines[0] == lines.size - 1
    return not is_even or any(text.data.find(each) >= 0 for each in _ODD_BLANKS if each != dialect.delimiter.encode())


def _without_blank(frame: pl.DataFrame, lines: IntArray) -> tuple[pl.DataFrame, IntArray]:
    """Rows with a cell in them."""
    if any(not frame[name].null_count() for name in frame.columns):
        return frame, lines
    keep = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    return frame.filter(keep), lines[keep.to_numpy()]


def _with_line_feeds(text: Utf8) -> Utf8:
    """The same text; where lines end in carriage returns alone, with line feeds."""
    if text.data.find(b"\n") >= 0 or text.data.find(b"\r") < 0:
        return text
    return Utf8(bytes(text.data).replace(b"\r", b"\n"), text.encoding, text.start)
