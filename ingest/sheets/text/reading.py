"""A text of rows and values as a sheet: polars reads it, and what it cannot read is told by its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
import polars as pl

from engine.memory import Need
from engine.texts import short
from engine.typing import IntArray
from ingest.sheets import header as headers
from ingest.sheets.content import Content
from ingest.sheets.header import MOST_COLUMNS, find_header
from ingest.sheets.sheet import Sheet
from ingest.sheets.text.dialect import SAMPLE_BYTES, Line, csv_reader, dialect_of, lines_of
from ingest.sheets.text.encoding import Utf8, as_utf8
from ingest.workers import MEMORY

# A text, its cells, and one column of them being cleaned; what is less needs no room to be asked for. [byte]
COPIES, WORTH_ASKING = 3, 256 << 20


def read_text(content: Content) -> Sheet:
    """The table that a text holds."""
    if len(content.data) * COPIES > WORTH_ASKING:
        need = Need(len(content.data) * COPIES, f"{content.name}: reading it", "read fewer days at a time")
        MEMORY.check(need)
    return _Text(content).sheet()


class _Text:
    """One text on its way to a sheet."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.text = _with_line_feeds(as_utf8(content))
        whole = len(self.text.data) <= SAMPLE_BYTES
        sample = bytes(self.text.data[self.text.start : SAMPLE_BYTES]).decode("utf-8", "ignore")
        if not sample.strip():
            raise content.refused("the file has no lines; it needs a header and at least one row")
        if not whole and "\n" not in sample:
            raise content.refused(f"the first row is over {SAMPLE_BYTES:,} bytes long; is this a table?", 1)
        self.dialect = dialect_of(content, sample)
        lines = list(lines_of(content, sample, self.dialect, whole))
        self.n_above = 0
        self.header = self._header(lines)
        self.n_named = max(place for place, cell in enumerate(self.header.cells) if cell) + 1
        self.names = headers.names_of([cell or None for cell in self.header.cells])
        self.width = max(len(line.cells) for line in lines if line.first >= self.header.first)

    def sheet(self) -> Sheet:
        frame = self._read()
        rows = self._numbers(frame)
        self._check_short(frame, rows)
        frame = self._tidy(frame)
        keep = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        if not keep.all():
            frame, rows = frame.filter(keep), rows[keep.to_numpy()]
        notes = headers.above_note(self.n_above)
        if n := headers.n_totals(frame):
            frame, rows = frame.head(-n), rows[:-n]
            notes.append(headers.totals_note(n))
        if not frame.height:
            raise self.content.refused("there is a header but no row; add rows, or leave the file out")
        return Sheet(self.content.name, (self.content.path,), frame, rows, self._words(), tuple(notes))

    def _header(self, lines: list[Line]) -> Line:
        found = find_header([[cell or None for cell in line.cells] for line in lines])
        if isinstance(found, str):
            first = next((line for line in lines if any(line.cells)), None)
            row = None if first is None else first.first + 1
            raise self.content.refused(found.replace("row {row} holds", "holds") if row else found, row)
        line = lines[found.place]
        if len(line.cells) > MOST_COLUMNS:
            n_columns = len(line.cells)
            raise self.content.refused(f"{n_columns:,} columns in the header; is this the right file?", line.first + 1)
        self.n_above = sum(any(each.cells) for each in lines[: found.place])
        return line

    def _words(self) -> str:
        return f"{self.dialect.words}, {self.text.encoding}"

    def _read(self) -> pl.DataFrame:
        n_lines = self.header.last + 1
        schema = {str(place): pl.String() for place in range(max(self.width, len(self.names)))}
        source = self.content.path if self.text.is_file else bytes(self.text.data)
        try:
            return pl.read_csv(
                source, has_header=False, skip_lines=n_lines, schema=schema, infer_schema=False,
                separator=self.dialect.delimiter, quote_char=self.dialect.quote, glob=False,
            )  # fmt: skip
        except pl.exceptions.NoDataError:
            return pl.DataFrame(schema=schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            self._explain()
            reason = (str(error).splitlines() or [""])[0][:200]
            raise self.content.refused(f"cannot be read as a table ({reason}); export it again") from error

    def _numbers(self, frame: pl.DataFrame) -> IntArray:
        """The line on which each row begins."""
        first, n_rows = self.header.last + 2, frame.height
        lines = np.arange(first, first + n_rows)
        quote = self.dialect.quote
        if quote is None or self.text.data.find(quote.encode()) < 0:
            return lines
        code = np.frombuffer(self.text.data, np.uint8)
        ends = np.flatnonzero(code == 10)
        n_ends = len(ends) + (code[-1] != 10)
        if n_ends == first - 1 + n_rows:
            return lines
        quotes = np.flatnonzero(code == ord(quote))
        outside = np.searchsorted(quotes, ends) % 2 == 0
        starts = np.append(0, np.flatnonzero(outside) + 1) + 1
        starts = starts[starts >= first]
        if len(starts) < n_rows:
            self._explain()
            raise self.content.refused(f"{n_rows:,} rows where {len(starts):,} lines stand; check its quotes")
        return starts[:n_rows]

    def _check_short(self, frame: pl.DataFrame, rows: IntArray) -> None:
        """Refuse rows that lack values; polars takes them for empty."""
        if not frame.height or not frame.to_series(self.n_named - 1).null_count():
            return
        quote, delimiter = self.dialect.quote, self.dialect.delimiter.encode()
        if quote is None or self.text.data.find(quote.encode()) < 0:
            blank = int(frame.select(pl.all_horizontal(pl.all().is_null()).sum()).item())
            code = np.frombuffer(self.text.data, np.uint8)[self._offset() :]
            n_found = int(np.count_nonzero(code == delimiter[0]))
            if n_found >= (frame.height - blank) * (self.n_named - 1) and self.width == self.n_named:
                return
        self._explain()

    def _offset(self) -> int:
        at = 0
        for _ in range(self.header.last + 1):
            at = self.text.data.find(b"\n", at) + 1
        return at

    def _explain(self) -> None:
        """Refuse the first row that has more or fewer values than the header names."""
        for line, row in self._rows():
            n = len(row)
            if (n < self.n_named and any(row)) or any(row[len(self.names) :]):
                raise self.content.refused(
                    f"{n} values where the header names {self.n_named} columns "
                    f"({short(self.dialect.delimiter.join(row))}); give every row all its values, and put values that "
                    "hold the delimiter into double quotes",
                    line,
                )

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        stream = io.TextIOWrapper(io.BytesIO(bytes(self.text.data[self.text.start :])), "utf-8", newline="")
        for _ in range(self.header.last + 1):
            stream.readline()
        before = self.header.last + 1
        reader = csv_reader(stream, self.dialect, strict=True)
        line = before + 1
        try:
            for row in reader:
                yield line, row
                line = before + 1 + reader.line_num
        except csv.Error as error:
            raise self.content.refused(
                f"cannot be read as a table ({error}); is a quote left open or inside a value?", line
            ) from error

    def _tidy(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Cells without surrounding blanks, empty ones as null, columns by their names."""
        frame = frame.select(_plain(frame))
        names = list(self.names)
        names += [f"column {place + 1}" for place in range(len(names), frame.width)]
        frame.columns = names
        empty = [name for place, name in enumerate(names) if self._is_unnamed(place) and not frame[name].count()]
        return frame.drop(empty)

    def _is_unnamed(self, place: int) -> bool:
        return place >= len(self.header.cells) or not self.header.cells[place]


def _plain(frame: pl.DataFrame) -> list[pl.Expr]:
    if not frame.height:
        return [pl.all()]
    checks = frame.select(pl.all().str.contains(r"^\s|\s$|^$").any()).row(0)
    return [
        pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars()).alias(name)
        if is_padded
        else pl.col(name)
        for name, is_padded in zip(frame.columns, checks, strict=True)
    ]


def _with_line_feeds(text: Utf8) -> Utf8:
    """The same text; where lines end in carriage returns alone, with line feeds."""
    if text.data.find(b"\n") >= 0 or text.data.find(b"\r") < 0:
        return text
    return Utf8(bytes(text.data).replace(b"\r", b"\n"), text.encoding, text.start)
