"""Spans of a shift plan's cell: `8-16:30`, `F 06:00-14:00`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from ingest.values.texts import distinct_of, plain
from ingest.values.vocabulary import OFF, fold

SPANS = pl.List(pl.Struct({"start_min": pl.Int32, "end_min": pl.Int32}))
DAY_MIN = 1440
# Nobody works longer in one go: `9-5` ends in the afternoon.
_LONGEST_MIN = 16 * 60

_HOUR = r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?\s*(?:uhr|h\b|u\b|uur)?\s*(am?|pm?|a\.m\.|p\.m\.)?(?![\d:a-z])"
_DIGITS = r"(\d{1,2})(\d{2})\s*(?:uhr|h\b)?()(?![\d:a-z])"
_TIME = f"{_HOUR}|{_DIGITS}"
_TO = r"\s*(?:-|bis|to|till?|until|tot|a|al|ate|->|>|~)\s*"
_SPAN = re.compile(rf"(?<![\d:.a-z])(?:{_TIME}){_TO}(?:{_TIME})")
_DASHES = re.compile(r"[–—−‐‑→]")
# Between the spans of one cell; what else is left is a code or a remark.
_BETWEEN = re.compile(r"[\s/,;+&|()\[\]]+|\b(?:und|and|et|y|e|en|u)\b")


@dataclass(frozen=True, eq=False)
class Spans:
    """What the cells of a plan say.

    Parameters
    ----------
    values : polars.Series of list of (start_min, end_min)
        Minutes from the midnight that begins the day; over midnight `end_min` is above 1,440. Null without spans.
    codes : polars.Series of str
        What else stands there: `F`, or `F` of `F 06:00-14:00`; null for nothing.
    is_off : polars.Series of bool
        Cells that say that nobody works: `frei`, `krank`, `-`; empty cells are null.
    refused : polars.Series of bool
        Cells with figures that are no span.
    """

    values: pl.Series
    codes: pl.Series
    is_off: pl.Series
    refused: pl.Series

    @property
    def has_span(self) -> pl.Series:
        """Cells with a span."""
        return self.values.is_not_null()


def read_spans(cells: pl.Series) -> Spans:
    """Spans of the cells of a shift plan.

    Parameters
    ----------
    cells : polars.Series
        Texts.

    Returns
    -------
    Spans
        Nothing is raised. A word that is neither a span nor known to mean nothing is a code, for the caller to ask.

    Examples
    --------
    >>> spans = read_spans(pl.Series(["8-16:30", "F 22:00-06:00", "frei", "S"]))
    >>> [[tuple(span.values()) for span in cell] if cell else None for cell in spans.values.to_list()]
    [[(480, 990)], [(1320, 1800)], None, None]
    >>> spans.codes.to_list(), spans.is_off.to_list()
    ([None, 'F', None, 'S'], [False, False, True, False])
    """
    texts = plain(cells)
    distinct, place = distinct_of(texts)
    found = [_cell(text) for text in distinct.to_list()]
    values = pl.Series(cells.name, [each.spans for each in found], dtype=SPANS)
    codes = pl.Series([each.code for each in found], dtype=pl.String)
    is_off = pl.Series([each.is_off for each in found], dtype=pl.Boolean)
    refused = pl.Series([each.is_refused for each in found], dtype=pl.Boolean)
    return Spans(values[place], codes[place], is_off[place], refused[place].fill_null(False))


@dataclass(frozen=True)
class _Cell:
    spans: list[dict[str, int]] | None = None
    code: str | None = None
    is_off: bool = False
    is_refused: bool = False


def _cell(text: str | None) -> _Cell:
    if text is None:
        return _Cell()
    lowered = _lowered(text)
    if fold(text).strip(". ") in OFF or lowered in OFF:
        return _Cell(is_off=True)
    spans = list(_spans(lowered))
    rest = " ".join(part for part in _BETWEEN.split(_SPAN.sub(" ", lowered)) if part)
    if None in spans or (spans and re.search(r"\d[:.h]\d", rest)):
        return _Cell(is_refused=True)
    if not spans:
        return _Cell(code=text, is_refused=bool(re.search(r"\d[:.]\d\d", lowered)))
    return _Cell(_in_order([span for span in spans if span]), _as_written(rest, text))


def _lowered(text: str) -> str:
    return _DASHES.sub("-", fold(text))


def _as_written(rest: str, text: str) -> str | None:
    """What is left of a cell, in the letters that stand there."""
    left = rest.split()
    own = [word for word in re.split(r"[\s/,;+&|()\[\]]+", text) if _lowered(word) in left]
    return (" ".join(own) or rest) if left else None


def _spans(lowered: str) -> Iterator[tuple[int, int] | None]:
    for match in _SPAN.finditer(lowered):
        parts = match.groups()
        yield _span(_Clock.of(parts[:6]), _Clock.of(parts[6:]))


@dataclass(frozen=True)
class _Clock:
    hour: int
    minute: int
    half: str  # `a`, `p`, or nothing
    is_whole: bool  # Without minutes

    @classmethod
    def of(cls, parts: tuple[str | None, ...]) -> _Clock:
        hour, minute, half = parts[:3] if parts[0] is not None else parts[3:]
        return cls(int(hour or 0), int(minute or 0), (half or "")[:1], minute is None)

    def min(self, half: str) -> int | None:
        """Minutes since midnight; None for no time of day."""
        hour = self.hour
        if half:
            if not 0 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half == "p" else 0)
        found = hour * 60 + self.minute
        return found if self.minute < 60 and found <= DAY_MIN else None


def _span(start: _Clock, end: _Clock) -> tuple[int, int] | None:
    low, high = start.min(start.half), end.min(end.half)
    if end.half and not start.half and start.hour <= 12:
        same = start.min(end.half)
        low = same if same is not None and high is not None and same < high else start.min("a")
    if low is None or high is None or low in (high, DAY_MIN):
        return None
    if high < low:
        in_afternoon = high + 720
        is_plain = not (start.half or end.half) and end.hour <= 12
        if is_plain and high + DAY_MIN - low > _LONGEST_MIN and in_afternoon > low:
            return low, in_afternoon
        high += DAY_MIN
    return low, high


def _in_order(spans: list[tuple[int, int]]) -> list[dict[str, int]]:
    """What follows a span over midnight is of the next day too."""
    found: list[dict[str, int]] = []
    end_before = 0
    for start, end in spans:
        later = DAY_MIN if end_before > DAY_MIN and start + DAY_MIN >= end_before else 0
        found.append({"start_min": start + later, "end_min": end + later})
        end_before = end + later
    return sorted(found, key=lambda span: span["start_min"])
