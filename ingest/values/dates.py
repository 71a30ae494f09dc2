"""Dates in any usual spelling: each distinct text once, every reading that it has."""

from __future__ import annotations

import polars as pl

from ingest.values.texts import folded
from ingest.values.vocabulary import MONTHS, WEEKDAYS

ORDERS = ("dmy", "mdy", "ymd")
_DAY = r"^(?:([a-z][a-z-]+)\.?,?\s+)?"
_NUMERIC = _DAY + r"(\d{1,4})\s*[./\- ]\s*(\d{1,2})\s*[./\- ]\s*(\d{4}|\d{1,2})\.?,?$"
_COMPACT = r"^(\d{4})(\d{2})(\d{2})$"
_MONTH = r"([a-z]{3,})"
_BETWEEN = r"\.?,?\s*[-./ ]?\s*(?:de |of |del |d')?\s*"
_DAY_FIRST = _DAY + rf"(\d{{1,2}})(?:st|nd|rd|th|er|o|a|e)?{_BETWEEN}{_MONTH}{_BETWEEN}'?(\d{{4}}|\d{{2}})\.?,?$"
_MONTH_FIRST = _DAY + rf"{_MONTH}\.?\s*[-./ ]?\s*(\d{{1,2}})(?:st|nd|rd|th|er)?,?\s*[-./ ]?\s*(\d{{4}})\.?,?$"
_YEAR_FIRST = _DAY + rf"(\d{{4}})\s*[-./ ]?\s*{_MONTH}\s*[-./ ]?\s*(\d{{1,2}})\.?,?$"
# Two digits: from here on the last century (POSIX, strptime).
_PIVOT = 69


def date_texts(texts: pl.Series) -> pl.DataFrame:
    """A column for each order with the date that a text is in it, null where it is none; and `written`.

    `written` is the order where the text itself tells: `ymd` with the year in front, `dmy` or `mdy` around the name
    of a month; null where only the column can tell.
    """
    plain = folded(texts)
    frames = [
        _numeric(plain), _compact(plain),
        _named(plain, _DAY_FIRST, ("day", "month", "year"), "dmy"),
        _named(plain, _MONTH_FIRST, ("month", "day", "year"), "mdy"),
        _named(plain, _YEAR_FIRST, ("year", "month", "day"), "ymd"),
    ]  # fmt: skip
    found = frames[0]
    for other in frames[1:]:
        found = found.select(pl.coalesce(name, other[name]).alias(name) for name in (*ORDERS, "written"))
    return found


def _numeric(texts: pl.Series) -> pl.DataFrame:
    frame = _groups(texts, _NUMERIC, ("weekday", "first", "second", "third"))
    is_year_first = pl.col("first").str.len_bytes() == 4
    is_long = pl.col("third").str.len_bytes() == 4
    is_short = (
        ~is_year_first & ~is_long & (pl.col("first").str.len_bytes() <= 2) & (pl.col("third").str.len_bytes() == 2)
    )
    day_or_month = ~is_year_first & (pl.col("first").str.len_bytes() <= 2) & (is_long | is_short)
    year_first = _date("first", "second", "third", is_year_first & (pl.col("third").str.len_bytes() <= 2))
    short_year_first = _date("first", "second", "third", is_short & (pl.col("first").str.len_bytes() == 2))
    return frame.select(
        dmy=pl.coalesce(year_first, _date("third", "second", "first", day_or_month)),
        mdy=pl.coalesce(year_first, _date("third", "first", "second", day_or_month)),
        ymd=pl.coalesce(year_first, short_year_first),
        written=pl.when(year_first.is_not_null()).then(pl.lit("ymd")),
    )


def _compact(texts: pl.Series) -> pl.DataFrame:
    frame = _groups(texts, _COMPACT, ("first", "second", "third"), weekday=False)
    value = _date("first", "second", "third", pl.col("first").is_not_null())
    written = pl.when(value.is_not_null()).then(pl.lit("ymd"))
    return frame.select(*(value.alias(order) for order in ORDERS), written=written)


def _named(texts: pl.Series, pattern: str, names: tuple[str, ...], order: str) -> pl.DataFrame:
    frame = _groups(texts, pattern, ("weekday", *names))
    month = pl.col("month").replace_strict(MONTHS, default=None, return_dtype=pl.Int64)
    frame = frame.with_columns(month=month.cast(pl.String))
    value = _date("year", "month", "day", pl.col("day").is_not_null() & pl.col("month").is_not_null())
    written = pl.when(value.is_not_null()).then(pl.lit(order))
    return frame.select(*(value.alias(each) for each in ORDERS), written=written)


def _groups(texts: pl.Series, pattern: str, names: tuple[str, ...], weekday: bool = True) -> pl.DataFrame:
    """Parts of the texts that fit; a word in front has to be a weekday."""
    frame = texts.str.extract_groups(pattern).struct.rename_fields(list(names)).struct.unnest()
    if not weekday:
        return frame
    is_sound = pl.col("weekday").is_null() | pl.col("weekday").is_in(list(WEEKDAYS))
    return frame.with_columns(pl.when(is_sound).then(pl.col(name)).alias(name) for name in names)


def _date(year: str, month: str, day: str, where: pl.Expr) -> pl.Expr:
    y, m, d = (pl.col(name).cast(pl.Int32, strict=False) for name in (year, month, day))
    is_short = pl.col(year).str.len_bytes() <= 2
    y = pl.when(is_short).then(pl.when(y >= _PIVOT).then(y + 1900).otherwise(y + 2000)).otherwise(y)
    written = pl.format("{}-{}-{}", y, m, d)
    return pl.when(where).then(written).str.to_date("%Y-%m-%d", strict=False)
