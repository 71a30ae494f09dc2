"""Headers that are days: what makes a sheet a shift plan."""

from __future__ import annotations

import re
from itertools import pairwise

import polars as pl

from ingest.exports.inspection.seen.facts import Seen
from ingest.exports.inspection.seen.others import Others, key_of
from ingest.sheets.sheet import Sheet
from ingest.values.shifts import read_spans
from ingest.values.times import read_times
from ingest.values.vocabulary import MONTHS, WEEKDAYS, fold

_DAY = re.compile(
    r"\D{0,12}\d{1,4}[./-]\d{1,2}(?:[./-]\d{0,4})?\D{0,12}|\d{4}-\d{2}-\d{2}.*"
    r"|\D{0,12}\d{1,2}\.?[ -][^\W\d]{3,9}\.?(?:[ -]\d{2,4})?"
)
_NUMBER = re.compile(r"\D{0,12}?([1-9]|[12]\d|3[01])\.?(?:\s\D{0,12})?")
_SHORT = re.compile(r"(?:[^\W\d]+\.?,?\s+)?(\d{1,2})[./-](\d{1,2})[./-]?\D*")
# So few columns with days in their names are a coincidence.
_LEAST = 2
_LEAST_NUMBERS = 5
_MOST_OTHERS = 3
# Two years of a plan.
_MOST_DAYS = 800
_MOST_WORDS = 4
_LAST = 31
_MOSTLY = 0.6


def days_of(sheet: Sheet) -> tuple[str, ...]:
    """Columns whose names are days, in their order; none where that is a coincidence."""
    names = sheet.frame.columns
    dated = _dated([name for name in names if _DAY.fullmatch(name.strip()) or _has_month(name)])
    if len(dated) >= _LEAST and len(dated) * 2 >= len(names) - 4:
        return dated
    if len(dated) == 1 and _is_planned(sheet.frame[dated[0]]):
        return dated
    if len(dated) == 1 and len(names) - 1 <= _MOST_OTHERS and _is_worked(sheet.frame[dated[0]]):
        return dated
    numbered = [(name, int(found.group(1))) for name in names if (found := _NUMBER.fullmatch(name.strip()))]
    weekdays = tuple(name for name in names if fold(name) in WEEKDAYS)
    if len({fold(name) for name in weekdays}) >= _LEAST_NUMBERS:
        # Which week is meant is for the reader of the plan to say.
        return weekdays
    # The first to the last of a month, each once.
    if len(numbered) >= _LEAST_NUMBERS and all(b == a + 1 or b == 1 for (_, a), (_, b) in pairwise(numbered)):
        return tuple(name for name, _ in numbered)
    return ()


def _is_planned(cells: pl.Series) -> bool:
    """Whether the cells under one day are those of a plan."""
    if cells.dtype != pl.String:
        return False
    found = read_spans(cells.drop_nulls())
    told = found.has_span | found.is_off.fill_null(False)
    return told.len() > 0 and float(told.sum()) >= _MOSTLY * told.len()


def _is_worked(cells: pl.Series) -> bool:
    """Whether the cells of the only day of a plan are spans, words for days off or short codes."""
    texts = cells.cast(pl.String, strict=False).drop_nulls()
    found = read_spans(texts)
    is_code = texts.str.contains(r"^[^\W\d]{1,3}\d?$")
    is_said = pl.Series(found.has_span) | pl.Series(found.is_off) | is_code
    return bool(texts.len() and is_said.all() and (pl.Series(found.has_span).any() or is_code.any()))


def _dated(names: list[str]) -> tuple[str, ...]:
    """Names that are a day; one without a year may be of any."""
    short = {name for name in names if _has_month(name) or _is_short(name)}
    others = pl.Series([name for name in names if name not in short], dtype=pl.String)
    read = set(others.filter(~read_times(others).refused).to_list()) if others.len() else set()
    return tuple(name for name in names if name in short or name in read)


def _has_month(name: str) -> bool:
    """Whether a name is a day and a month in words, perhaps with a weekday and a year: `13-Apr`, `Mon, April 13`."""
    words = fold(re.sub(r"[^\w]+", " ", name)).split()
    figures = [word for word in words if word.isdecimal()]
    return (
        len(words) <= _MOST_WORDS
        and bool(figures)
        and int(figures[0]) <= _LAST
        and any(word in MONTHS for word in words)
    )


def _is_short(name: str) -> bool:
    """Whether a name is a day and a month in figures: `Mo 13.04.`"""
    found = _SHORT.fullmatch(name.strip())
    first, second = map(int, found.groups()) if found else (0, 0)
    return 1 <= first <= _LAST and 1 <= second <= _LAST and min(first, second) <= 12


def turned(seen: Seen, others: Others) -> Seen:
    """A sheet whose days run down and whose agents stand across, seen as a plan; any other as it is."""
    if seen.days or not 1 <= seen.n_rows <= _MOST_DAYS:
        return seen
    dated = [
        facts
        for facts in seen.columns
        if facts.is_unique and (facts.kind.name in {"date", "time"} or _is_dated(facts.cells))
    ]
    if len(dated) != 1 or len(seen.columns) < _LEAST + 1:
        return seen
    rest = [facts for facts in seen.columns if facts is not dated[0]]
    people = tuple(facts.name for facts in rest if facts.kind.name == "span" or key_of(facts.name) in others.agents)
    if len(people) < _LEAST or len(rest) - len(people) > max(_MOST_OTHERS, len(people)):
        return seen
    if seen.n_rows == 1 and not all(key_of(name) in others.agents for name in people):
        # One row of anything may hold a day.
        return seen
    named = [facts for facts in rest if key_of(facts.name) in others.agents]
    # An agent who is off on all days has no span.
    across = tuple(facts.name for facts in rest if facts.name in people or facts in named or not facts.meanings)
    return Seen(seen.sheet, tuple(facts for facts in seen.columns if facts.name not in across), across, True)


def _is_dated(cells: pl.Series) -> bool:
    """Whether cells are days without a year: `Mo 02.03.`"""
    if cells.dtype != pl.String:
        return False
    given = cells.drop_nulls().to_list()
    return len(_dated([each for each in given if _DAY.fullmatch(each.strip())])) == len(given) > 0
