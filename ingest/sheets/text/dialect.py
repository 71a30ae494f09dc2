"""Which character stands between the values of a text, and which around them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ingest.sheets.content import Content

# In words, most telling first: where two fit alike, the first is meant.
DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
SAMPLE_BYTES = 1 << 18
MOST_LINES = 1_000
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
    return Dialect(best if found and found[best] > (0.0, 0) else ",", quote)


def _quote(sample: str) -> str | None:
    """Single quotes where values stand in them and none in double ones."""
    n_single = sum(sample.count(each + "'") + sample.count("'" + each) for each in (*DELIMITERS, "\n"))
    n_double = sum(sample.count(each + '"') + sample.count('"' + each) for each in (*DELIMITERS, "\n"))
    return "'" if n_single > 2 and not n_double else '"'


def _fit(content: Content, sample: str, dialect: Dialect) -> tuple[float, int]:
    """Share of the rows that are as wide as most, and how wide; the first such row counts for many."""
    counts = [len(line.cells) for line in lines_of(content, sample, dialect) if any(line.cells)]
    widths = Counter(count for count in counts if count > 1)
    if not widths:
        return 0.0, 0
    width = max(widths, key=lambda each: (widths[each], each))
    from_header = counts[counts.index(width) :]
    share = from_header.count(width) / len(from_header)
    # What stands above the header is a few titles; a delimiter that the header lacks is one inside values.
    titles = counts.index(width)
    return share * (0.5 if titles and max(counts[:titles]) == 1 and titles > len(counts) / 2 else 1.0), width


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
