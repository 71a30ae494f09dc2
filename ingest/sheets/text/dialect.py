"""Which character stands between the values of a text, and which around them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidTable
from ingest.sheets.content import Content
from ingest.sheets.text.encoding import as_utf8

# In words, most telling first: where two fit alike, the first is meant.
DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
MOST_LINES = 400
LONGEST_CELL = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How a text is cut into values."""

    delimiter: str
    quote: str | None
    lines_above: int = 0  # Lines that say the delimiter, `sep=;`

    @property
    def words(self) -> str:
        """Such as `CSV with semicolons`."""
        if self.delimiter == "\t":
            return "text with tabs"
        return f"CSV with {DELIMITERS.get(self.delimiter, repr(self.delimiter))}"


@dataclass(frozen=True)
class Line:
    """One row of a sample."""

    first: int  # Physical lines, counted from 0
    last: int
    cells: tuple[str, ...]


def dialect_of(content: Content, sample: str) -> Dialect:
    """The delimiter that cuts most rows into as many values as the header has."""
    quote = _quote(sample)
    first = sample.partition("\n")[0].strip().strip('"')
    if first[:4].lower() == "sep=" and len(first) == 5:
        return Dialect(first[4], quote, 1)
    if first.lower() == "sep=" and sample.startswith("sep=\t"):
        return Dialect("\t", quote, 1)
    found = {each: _fit(content, sample, Dialect(each, quote)) for each in DELIMITERS if each in sample}
    best = max(found, key=lambda each: found[each], default=",")
    return Dialect(best if found and found[best][3] > 1 else ",", quote)


def is_plain(content: Content) -> bool:
    """Whether a text is UTF-8, with commas between values and double quotes around them, its lines ending as usual."""
    text = as_utf8(content)
    if not text.is_file or (text.data.find(b"\n") < 0 and text.data.find(b"\r") >= 0):
        return False
    dialect = dialect_of(content, text.sample())
    return dialect.delimiter == "," and dialect.quote == '"' and not dialect.lines_above


def _quote(sample: str) -> str | None:
    """Single quotes where values stand in them and none in double ones; names such as 't Hart only begin with one."""
    ends = (*DELIMITERS, "\n")
    n_opened, n_closed = (
        sum(sample.count(each) for each in pairs) for pairs in ([e + "'" for e in ends], ["'" + e for e in ends])
    )
    n_double = sum(sample.count(each + '"') + sample.count('"' + each) for each in ends)
    # The sample may end within a value, and begin with one.
    is_paired = min(n_opened, n_closed) > 1 and abs(n_opened - n_closed) < 3
    return "'" if is_paired and not n_double else '"'


def _fit(content: Content, sample: str, dialect: Dialect) -> tuple[bool, int, float, int]:
    """Whether it cuts most rows into as many values, how far up it does so first, in what share of rows, into how many.

    A delimiter that stands in the cells of another is not in the header, so it begins to fit further down.
    """
    try:
        counts = [len(line.cells) for line in lines_of(content, sample, dialect) if any(line.cells)]
    except InvalidTable:
        return False, 0, 0.0, 0
    widths = Counter(count for count in counts if count > 1)
    if not widths:
        return False, 0, 0.0, 0
    width = max(widths, key=lambda each: (widths[each], each))
    share = widths[width] / len(counts)
    return share >= 0.5, -counts.index(width), share, width


def lines_of(content: Content, sample: str, dialect: Dialect, is_whole: bool = False) -> Iterator[Line]:
    """Rows of a sample, without the last where it may be cut."""
    physical = sample.splitlines(keepends=True) if "\n" not in sample else sample.split("\n")
    if physical and not is_whole:
        physical.pop()
    texts = (line.rstrip("\r") + "\n" for line in physical[dialect.lines_above : MOST_LINES])
    reader = csv_reader(texts, dialect)
    first = dialect.lines_above
    try:
        for row in reader:
            last = dialect.lines_above + reader.line_num - 1
            yield Line(first, last, tuple(cell.strip() for cell in row))
            first = last + 1
    except csv.Error as error:
        raise content.refused(f"cannot be read as a table ({error}); is a quote left open?", first + 1) from error


def csv_reader(lines: Iterable[str], dialect: Dialect, strict: bool = False) -> Any:
    """The standard library's reader; its `line_num` counts lines."""
    if dialect.quote is None:
        return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE, strict=strict)
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=strict)
