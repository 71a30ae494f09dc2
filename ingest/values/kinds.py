"""What a column looks like, by a sample of its distinct cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from ingest.values.clocks import read_clocks
from ingest.values.durations import read_durations
from ingest.values.goals import read_goals
from ingest.values.marks import read_marks
from ingest.values.numbers import read_numbers
from ingest.values.shifts import read_spans
from ingest.values.texts import folded, plain
from ingest.values.times import read_times

_ROWS, _MOST = 20_000, 1_000
# Less of the sample than this, and the column is something else.
_LEAST = 0.8
_EMAIL = r"^[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}$"
_PHONE = r"^(?:tel:|sip:)?(?:\+|00)\s?\d[\d ()/.-]{5,18}\d$|^0\d[\d ()/-]{6,16}\d$"
_CODE = r"^(?:[A-Za-z]{1,6}[-_]?\d{2,}[-_A-Za-z0-9]*|[0-9a-fA-F]{8}-[0-9a-fA-F-]{13,27}|[0-9a-fA-F]{16,})$"
_WORD = r"\p{Lu}[\p{L}'’.-]*"
_PERSON = (
    rf"^(?:(?:{_WORD} ?){{1,3}}, ?(?:{_WORD} ?){{1,3}}|{_WORD}(?: (?:von|van|de|der|den|di|da|del|{_WORD})){{1,4}})$"
)
_BETWEEN = r"\s*[;|\n]\s*|,\s+|\s*,"
_OUR_DAYS = (datetime(2000, 1, 1), datetime(2040, 1, 1))
# A year beside something else, three figures, or a word of a month among figures.
_DATED = r"\d{4}[^\d:].*\d|\d\D+\d{4}(?:\D|$)|\d[./ -]+\d{1,2}[./ -]+\d|\d\D*\p{L}{3}.*\d|\p{L}{3}.*\d.*\d"
_FEW = 60
_LONGEST_CODE = 4


@dataclass(frozen=True)
class Kind:
    """What a column looks like.

    Parameters
    ----------
    name : str
        `blank`, `time`, `date`, `clock`, `duration`, `number`, `whole number`, `code`, `email`, `phone`, `person`,
        `words` (few distinct ones), `names` (lists of such), `yes or no`, `span` (of a shift), `goal` or `text`.
    share : float
        Of the filled cells looked at, those that fit.
    n_filled, n_distinct : int
        Filled cells of the column, and distinct ones among those looked at.
    n_seen : int
        Filled cells looked at.
    samples : tuple of str
        Some cells.
    """

    name: str
    share: float
    n_filled: int
    n_distinct: int
    n_seen: int
    samples: tuple[str, ...] = ()

    @property
    def is_unique(self) -> bool:
        """Whether no cell looked at stands there twice, and there are some."""
        return self.n_seen > 1 and self.n_distinct == self.n_seen


def kind_of(cells: pl.Series) -> Kind:
    """What a column looks like.

    Parameters
    ----------
    cells : polars.Series
        As a file has them.

    Returns
    -------
    Kind
        The most particular kind that four in five of the cells fit.

    Examples
    --------
    >>> kind_of(pl.Series(["00:03:28", "00:00:12", None])).name
    'duration'
    >>> kind_of(pl.Series(["Lang, Peter", "Yilmaz, Katrin"])).name
    'person'
    """
    filled = cells.drop_nulls()
    seen = filled.gather_every(max(1, filled.len() // _ROWS))
    if cells.dtype == pl.String:
        seen = plain(seen).drop_nulls()
    if not seen.len():
        return Kind("blank", 1.0, 0, 0, 0)
    distinct = seen.unique(maintain_order=True)
    sample = distinct.gather_every(max(1, distinct.len() // _MOST))
    name, share = _typed(sample) if cells.dtype != pl.String else _of_texts(sample, seen.len(), distinct.len())
    samples = tuple(map(str, sample.head(3).to_list()))
    return Kind(name, share, filled.len(), distinct.len(), seen.len(), samples)


def _typed(cells: pl.Series) -> tuple[str, float]:
    dtype = cells.dtype
    if isinstance(dtype, pl.Datetime):
        wall = cells.dt.replace_time_zone(None)
        if (wall < datetime(1910, 1, 1)).all():
            return "duration", 1.0
        return ("date" if (wall.dt.truncate("1d") == wall).all() else "time"), 1.0
    if dtype.is_numeric():
        return _of_numbers(cells.cast(pl.Float64))
    if dtype == pl.Time:
        return _clock_or_duration(cells), 1.0
    names: dict[object, str] = {pl.Date: "date", pl.Duration: "duration", pl.Boolean: "yes or no"}
    return next(
        (name for known, name in names.items() if dtype == known), "names" if dtype.is_nested() else "text"
    ), 1.0


def _of_numbers(numbers: pl.Series) -> tuple[str, float]:
    if numbers.is_between(19_700_101, 22_000_101).all() and not read_times(numbers).refused.any():
        return "date", 1.0
    if (numbers >= 1e8).all() and _are_recent(numbers):
        return "time", 1.0
    if (numbers != numbers.round()).any() and numbers.is_between(36_526, 54_789).all():
        return "time", 1.0
    if read_durations(numbers).words.startswith("fractions of a day"):
        return "duration", 1.0
    return ("whole number" if (numbers == numbers.round()).all() else "number"), 1.0


def _are_recent(numbers: pl.Series) -> bool:
    """Whether all are times of our days: other long numbers are those of telephones and contacts."""
    found = read_times(numbers)
    naive = found.values.dt.replace_time_zone(None)
    return not found.refused.any() and bool(naive.is_between(*_OUR_DAYS).all())


def _clock_or_duration(cells: pl.Series) -> str:
    """Times of day lie between morning and evening; durations are short."""
    hours = read_clocks(cells).values / 3.6e9
    return "clock" if float(hours.median() or 0.0) >= 4 else "duration"  # type: ignore[arg-type]


def _of_texts(texts: pl.Series, n_seen: int, n_distinct: int) -> tuple[str, float]:
    has_digits = texts.str.contains(r"\d")
    tests = _FIGURES if _share(has_digits) >= _LEAST else _WORDS if has_digits.any() else _WORDS[:2]
    if tests is _FIGURES and _share(texts.str.contains(_DATED)) >= _LEAST:
        found = read_times(texts)
        if (share := _share(~found.refused)) >= _LEAST:
            without = found.without_clock
            return "date" if without is not None and (without | found.refused).all() else "time", share
    for name, fits in tests:
        if (share := _share(fits(texts))) >= _LEAST:
            return _refined(name, texts), share
    return _of_words(texts, n_seen, n_distinct)


def _refined(name: str, texts: pl.Series) -> str:
    if name == "duration" and texts.str.contains(r"^\d{1,2}:\d{2}(?::\d{2})?$").all():
        return _clock_or_duration(texts)
    if name == "number":
        return _of_numbers(read_numbers(texts).values.drop_nulls())[0]
    return name


def _of_words(texts: pl.Series, n_seen: int, n_distinct: int) -> tuple[str, float]:
    person = _share(texts.str.contains(_PERSON))
    if person >= _LEAST:
        comma = _share(texts.str.contains(", ?"))
        if comma >= _LEAST or (n_distinct > 5 and texts.str.contains(r"^\S+(?: \S+)+$").all()):
            return "person", person
    listed = texts.str.contains(_BETWEEN)
    if listed.any():
        parts = folded(texts.str.replace_all(_BETWEEN, "\x1f").str.split("\x1f").explode())
        if parts.n_unique() <= max(_FEW, n_distinct // 2) and parts.n_unique() < parts.len():
            return "names", 1.0
    if n_distinct <= _FEW and (n_distinct * 2 <= n_seen or n_seen <= 2 * _FEW):
        return "words", 1.0
    return "text", 1.0


def _share(which: pl.Series) -> float:
    return float(which.mean() or 0.0)  # type: ignore[arg-type]


def _matches(pattern: str) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: texts.str.contains(pattern)


def _of_a_plan(texts: pl.Series) -> pl.Series:
    """Spans, words for nothing, and short codes; nothing fits where no cell has a span."""
    found = read_spans(texts)
    return found.has_span.any() & (found.has_span | found.is_off | (texts.str.len_chars() <= _LONGEST_CODE))


Test = tuple[str, Callable[[pl.Series], pl.Series]]
_MARKS: Test = ("yes or no", lambda texts: ~read_marks(texts).refused)
# The most particular first; where most cells have no digit, what needs one is not asked.
_WORDS: tuple[Test, ...] = (("email", _matches(_EMAIL)), _MARKS, ("span", _of_a_plan))
_FIGURES: tuple[Test, ...] = (
    ("email", _matches(_EMAIL)),
    ("phone", _matches(_PHONE)),
    _MARKS,
    ("goal", lambda texts: ~read_goals(texts).refused),
    ("number", lambda texts: ~read_numbers(texts).refused),
    ("code", _matches(_CODE)),
    ("duration", lambda texts: ~read_durations(texts).refused),
    ("clock", lambda texts: ~read_clocks(texts).refused),
    ("span", _of_a_plan),
)
