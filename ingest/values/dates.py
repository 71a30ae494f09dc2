"""Dates in any usual spelling: each distinct text once, every reading that it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from ingest.values.texts import folded
from ingest.values.vocabulary import MONTHS, WEEKDAYS

ORDERS = ("dmy", "mdy", "ymd")
_DAY = r"^(?:([a-z][a-z-]+)\.?,?\s+)?"
_NUMERIC = _DAY + r"(\d{1,4})\s*[./\- ]\s*(\d{1,2})\s*[./\- ]\s*(\d{4}|\d{1,2})\.?,?$"
_COMPACT = _DAY + r"(\d{4})(\d{2})(\d{2})$"
_LETTERS = r"[a-z]{3}"
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
    has_words = bool(plain.str.contains(_LETTERS).any())
    forms = [form for form in _FORMS if has_words or not form.is_named]
    groups = plain.to_frame("text").select(form.groups() for form in forms)
    read = groups.select(expression for form in forms for expression in form.dates())
    return read.select(
        pl.coalesce(f"{form.name} {name}" for form in forms).alias(name) for name in (*ORDERS, "written")
    )


@dataclass(frozen=True)
class _Form:
    """One way of writing a date."""

    name: str
    pattern: str
    parts: tuple[str, ...]  # What the groups of the pattern are, a weekday before them

    @property
    def is_named(self) -> bool:
        """Whether the month is a word."""
        return self.name in ("dmy", "mdy", "ymd")

    def groups(self) -> pl.Expr:
        """A struct of the parts."""
        return (
            pl.col("text")
            .str.extract_groups(self.pattern)
            .struct.rename_fields(["weekday", *self.parts])
            .alias(self.name)
        )

    def part(self, name: str) -> pl.Expr:
        """One of the parts, null where a word in front is no weekday."""
        fields = pl.col(self.name).struct
        weekday = fields.field("weekday")
        return pl.when(weekday.is_null() | weekday.is_in(list(WEEKDAYS))).then(fields.field(name))

    def dates(self) -> Iterator[pl.Expr]:
        """The date in each order, and the order that the text itself tells."""
        for name, value in zip(ORDERS, self._in_orders(), strict=True):
            yield value.alias(f"{self.name} {name}")
        first = self._in_orders()[0 if self.is_named else 2]
        told = first.is_not_null() if self.name != "figures" else self._year_first().is_not_null()
        order = self.name if self.is_named else "ymd"
        yield pl.when(told).then(pl.lit(order)).alias(f"{self.name} written")

    def _in_orders(self) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        if self.name == "figures":
            return self._figures()
        month = self.part("month")
        if self.is_named:
            month = month.replace_strict(MONTHS, default=None, return_dtype=pl.Int64).cast(pl.String)
        value = _date(self.part("year"), month, self.part("day"), pl.lit(True))
        return value, value, value

    def _year_first(self) -> pl.Expr:
        first, second, third = (self.part(name) for name in self.parts)
        return _date(first, second, third, (first.str.len_bytes() == 4) & (third.str.len_bytes() <= 2))

    def _figures(self) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        first, second, third = (self.part(name) for name in self.parts)
        is_long, is_short = third.str.len_bytes() == 4, third.str.len_bytes() == 2
        day_or_month = (first.str.len_bytes() <= 2) & (is_long | is_short)
        short_year_first = _date(first, second, third, is_short & (first.str.len_bytes() == 2))
        found = self._year_first()
        dmy, mdy = _date(third, second, first, day_or_month), _date(third, first, second, day_or_month)
        return pl.coalesce(found, dmy), pl.coalesce(found, mdy), pl.coalesce(found, short_year_first)


_FORMS = (
    _Form("figures", _NUMERIC, ("first", "second", "third")),
    _Form("digits", _COMPACT, ("year", "month", "day")),
    _Form("dmy", _DAY_FIRST, ("day", "month", "year")),
    _Form("mdy", _MONTH_FIRST, ("month", "day", "year")),
    _Form("ymd", _YEAR_FIRST, ("year", "month", "day")),
)


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr, where: pl.Expr) -> pl.Expr:
    y, m, d = (part.cast(pl.Int32, strict=False) for part in (year, month, day))
    century = pl.when(year.str.len_bytes() > 2).then(0).when(y >= _PIVOT).then(1900).otherwise(2000)
    return pl.when(where).then(pl.format("{}-{}-{}", y + century, m, d)).str.to_date("%Y-%m-%d", strict=False)
