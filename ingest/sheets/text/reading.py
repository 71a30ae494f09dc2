"""A text of rows and values as a sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from engine.errors import InvalidTable
from engine.memory import Need
from engine.texts import short
from engine.typing import IntArray
from ingest.sheets.blocks import Block
from ingest.sheets.content import Content
from ingest.sheets.layout import beside
from ingest.sheets.layout.below import first_below
from ingest.sheets.layout.header import MOST_COLUMNS, Cell, find_header, names_of
from ingest.sheets.sheet import Sheet
from ingest.sheets.text.cleaning import kept, may_have_odd_blanks, repeats, tidy, without_blank
from ingest.sheets.text.dialect import DELIMITERS, Dialect, Line, dialect_of, lines_of
from ingest.sheets.text.encoding import SAMPLE_BYTES, Utf8, as_utf8
from ingest.sheets.text.rows import Crooked, Rows
from ingest.sheets.text.uneven import Uneven, evened, uneven
from ingest.workers import MEMORY

# A text and its cells; what is less needs no room to be asked for. [byte]
COPIES, WORTH_ASKING = 3, 256 << 20
# Rows at the end that may be remarks.
MOST_REMARKS = 60
# Only in short files a legend is looked for below the rows; logs have none.
MOST_WITH_LEGEND = 5_000
_NO_ROW = "there is a header but no row; add rows, or leave the file out"


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
            raise content.refused(found, next((line.first + 1 for line in lines if any(line.cells)), None))
        self.header, self.header_line = found, lines[found.place]
        self.n_above = sum(any(line.cells) for line in lines[: found.place])
        widths = [len(line.cells) for line in lines[found.place + 1 :] if any(line.cells)]
        # Most rows may have a delimiter at their end that the header lacks, or lack one that it has.
        usual = max(set(widths), key=widths.count, default=0)
        self.width = usual if usual >= found.n_named else len(found.cells)
        self.crooked: list[Crooked] = []

    def sheet(self) -> Sheet:
        """All rows as texts, blanks as null."""
        blocks = self._blocks()
        mended, others = evened(uneven(self.crooked, self.dialect), self.dialect, self.header.n_named, self.width)
        blocks += mended
        self._check_others(others, max((int(block.lines[-1]) for block in blocks), default=0))
        if not blocks:
            raise self.content.refused(_NO_ROW)
        n_remarks = len(others)
        lines = np.concatenate([block.lines for block in blocks])
        frame = pl.concat([block.frame for block in blocks], rechunk=False)
        if mended:
            order = np.argsort(lines, kind="stable")
            frame, lines = frame[order], lines[order]
        frame = tidy(frame, may_have_odd_blanks(self.text.data, self.dialect.delimiter, lines))
        is_again = repeats(frame, self.header)
        frame, lines = kept(frame, lines, ~is_again)
        frame, lines = without_blank(self._named(frame, lines), lines)
        if n_below := self._n_below(frame, lines):
            n_remarks += n_below
            frame, lines = frame[: frame.height - n_below], lines[: len(lines) - n_below]
        at_start, at_end = beside.totals(frame)
        frame, lines = frame[at_start : frame.height - at_end], lines[at_start : len(lines) - at_end]
        if not frame.height:
            raise self.content.refused(_NO_ROW)
        words = f"{self.dialect.words}, {self.text.encoding}"
        notes = beside.notes(self.n_above, int(is_again.sum()), n_remarks, at_start + at_end)
        return Sheet(self.content.name, (self.content.path,), frame, lines, words, tuple(notes))

    def _blocks(self) -> list[Block]:
        """All rows behind the header that have as many values as it should."""
        with self.content.raw() if self.text.is_file else io.BytesIO(self.text.data) as file:
            file.seek(self.text.start)
            for _ in range(self.header_line.last + 1):
                file.readline()
            size, first = len(self.text.data) - file.tell(), self.header_line.last + 2
            rows = Rows(file, size, self.dialect.delimiter, self.dialect.quote, self.content.refused, first, True)
            wanted = {place: str(place) for place in range(self.width)}
            return list(rows.blocks(self.width, wanted, self.crooked.append))

    def _named(self, frame: pl.DataFrame, lines: IntArray) -> pl.DataFrame:
        """Columns by their names; one without a name is left out where nothing stands in it."""
        cells = [*self.header.cells, *[None] * self.width][: self.width]
        frame.columns = list(names_of(cells))
        empty = [
            name for name, cell in zip(frame.columns, cells, strict=True) if cell is None and not frame[name].count()
        ]
        if beyond := [name for name in frame.columns[len(self.header.cells) :] if name not in empty]:
            row = int(frame[beyond[0]].is_not_null().arg_max() or 0)
            text = self.dialect.delimiter.join(cell or "" for cell in frame.row(row))
            raise self._refused(self.width, int(lines[row]), text)
        return frame.drop(empty)

    def _n_below(self, frame: pl.DataFrame, lines: IntArray) -> int:
        """Rows of a legend below the table, behind a blank line."""
        if not 1 < frame.height <= MOST_WITH_LEGEND:
            return 0
        gaps = np.flatnonzero(np.diff(lines) > 1) + 1
        rows: list[Sequence[Cell]] = list(frame.rows())
        for gap in gaps[::-1]:
            rows.insert(int(gap), [None] * frame.width)
        first = first_below(rows, frame.width)
        return 0 if first is None else sum(any(row) for row in rows[first:])

    def _check_others(self, others: Sequence[Uneven], last: int) -> None:
        """Refuse rows with too few or too many values; a few short ones behind all others are remarks."""
        most = max(1, self.header.n_named // 2)
        are_remarks = last > 0 and all(row.n_values <= most and row.line > last for row in others)
        if others and not (are_remarks and len(others) <= MOST_REMARKS):
            raise self._refused(*others[0], len(others))

    def _refused(self, n: int, line: int, text: str, n_rows: int = 1) -> InvalidTable:
        more = f" ({n_rows} rows have the wrong number)" if n_rows > 1 else ""
        between = DELIMITERS.get(self.dialect.delimiter, "the delimiter")
        return self.content.refused(
            f"'{short(text)}': {n} values where the header names {self.header.n_named} columns{more}; give every row "
            f"all its values, and put values that hold {between} into double quotes",
            line,
        )


def _has_quoted(text: Utf8, dialect: Dialect) -> bool:
    """Whether any value begins with a quote; where none does, quotes are characters like others."""
    quote = (dialect.quote or "").encode()
    if text.data.find(quote) < 0:
        return False
    starts = (dialect.delimiter.encode() + quote, b"\n" + quote)
    return text.data[text.start : text.start + 1] == quote or any(text.data.find(each) >= 0 for each in starts)


def _with_line_feeds(text: Utf8) -> Utf8:
    """The same text; where lines end in carriage returns alone, with line feeds."""
    if text.data.find(b"\n") >= 0 or text.data.find(b"\r") < 0:
        return text
    return Utf8(bytes(text.data).replace(b"\r", b"\n"), text.encoding, text.start)
