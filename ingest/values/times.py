"""What a column of times means: dates of any usual order with clock times, decided by the whole column."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from engine.typing import BoolArray, IntArray
from ingest.values.clocks import clock_texts, read_clocks
from ingest.values.dates import ORDERS, date_texts
from ingest.values.texts import distinct_of, is_nothing, plain, with_plain_blanks

WALL, UTC = pl.Datetime("us"), pl.Datetime("us", "UTC")
# Outside these years a time is a slip: seconds read as microseconds, a mistyped digit.
FIRST, END = datetime(1970, 1, 1), datetime(2200, 1, 1)
# Day 0 of a spreadsheet: 30 December 1899, as Excel counts a 29 February 1900; old Macintosh files start in 1904.
_SERIAL_0, _SERIAL_0_1904 = date(1899, 12, 30), date(1904, 1, 1)
_SERIALS = (25_569.0, 109_575.0)  # 1970 to 2200
_EPOCHS = ((1e8, 7.26e9, 1_000_000.0), (1e11, 7.26e12, 1_000.0), (1e14, 7.26e15, 1.0), (1e17, 7.26e18, 1e-3))
_DIGITS = (8, 12, 14)
_NUMERAL = r"^\d{5,}(?:[.,]\d+)?$"
_FRACTION = r"(:\d{2})[.,](\d{1,9})"
# Other spellings, brought to a date with a clock time behind it.
_REWRITTEN = (
    (r"^(\d{8})[T ]?(\d{2})(\d{2})(\d{2})?([.,]\d+)?(Z?)$", "${1} ${2}:${3}:${4}${5}${6}"),
    (r"^(\d{8} \d{2}:\d{2}):(Z?)$", "${1}${2}"),
    (r"(?i)^(.*\d{2}\.?,?[T ])\s*(\d{1,2})[.h](\d{2})(?:[.m](\d{2})s?)?(\s*[a-z. ]*)$", "${1}${2}:${3}:${4} ${5}"),
    (r"(?i)^(.*\d{2}\.?,?[T ])\s*(\d{1,2}:\d{2}):( .*)$", "${1}${2}${3}"),
    (r"(?i)^(.*\d{2,4},? )(\d{1,2}) ?([ap])\.? ?m\.?$", "${1}${2}:00 ${3}m"),
    (r"(?i)^(.*\d{2,4},? )(\d{1,2}) ?(?:h|uhr)$", "${1}${2}:00"),
    (r"(?i)^\s*(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[ap]\.?\s?m\.?)?(?:\s*uhr)?)[\s,]+(.*\d{2}.*)$", "${2} ${1}"),
    (r"^([A-Za-z]{3},? [A-Za-z]{3} +\d{1,2}) (\d{1,2}:\d{2}(?::\d{2})?)(?: [A-Z]{3,4})? (\d{4})$", "${1}, ${3} ${2}"),
)


@dataclass(frozen=True, eq=False)
class Times:
    """Times of a column."""

    # Wall times, or UTC where the cells name an offset; null where empty or refused
    values: pl.Series
    # `dmy`, `mdy` or `ymd`, as found or given; None where no cell has a date in figures
    order: str | None
    # Whether two orders are possible for all cells; `values` are then those of `likely`, else of `dmy`
    is_open: bool
    # Cells that are no time
    refused: pl.Series
    # What they look like and what settled it
    words: str
    # The order that the data speak for where it is open
    likely: str | None = None
    # Cells that are a date without a time of day; they are read as midnight
    without_clock: pl.Series | None = None


def read_times(cells: pl.Series, order: str | None = None, *, from_1904: bool = False) -> Times:
    """Times of a column, in whatever way they are written.

    Parameters
    ----------
    cells : polars.Series
        Texts, dates, times with or without zone, serials of a spreadsheet, seconds or parts of seconds since 1970.
    order : str, optional
        `dmy`, `mdy` or `ymd` where it is known; otherwise a day above 12 settles it.
    from_1904 : bool
        Whether serials count from 1904.

    Returns
    -------
    Times
        Nothing is raised; what is no time is refused.

    Examples
    --------
    >>> times = read_times(pl.Series(["02.03.2026 8:00", "13.03.2026 9:30"]))
    >>> times.order, times.values.to_list()[0]
    ('dmy', datetime.datetime(2026, 3, 2, 8, 0))
    >>> read_times(pl.Series(["02/03/2026"])).is_open
    True
    """
    if isinstance(cells.dtype, pl.Datetime):
        zoned = cells.dtype.time_zone is not None
        values = cells.dt.convert_time_zone("UTC").cast(UTC) if zoned else cells.cast(WALL)
        return _typed(cells, values, "times")
    if cells.dtype == pl.Date:
        return _typed(cells, cells.cast(WALL), "dates", cells.is_not_null())
    if cells.dtype.is_numeric():
        return _from_numbers(cells, cells.cast(pl.Float64), from_1904)
    if cells.dtype == pl.String and (found := _at_one_go(cells, order)) is not None:
        return found
    texts = with_plain_blanks(plain(cells))
    if (nothing := is_nothing(texts)).any():
        texts = texts.set(nothing, None)
    numerals = texts.drop_nulls().gather_every(max(1, texts.len() // _FEW)).str.contains(_NUMERAL)
    if int(numerals.sum()) * 2 > numerals.len():
        return _from_numbers(texts, _as_numbers(texts), from_1904)
    return _from_texts(texts, order)


def join(dates: pl.Series, clocks: pl.Series, order: str | None = None) -> Times:
    """Times whose date stands in one column and whose clock time in another.

    Parameters
    ----------
    dates, clocks : polars.Series
        Cells of the two columns.
    order : str, optional
        As of `read_times`.

    Returns
    -------
    Times
        A row is refused where one of both is refused or empty and the other is not.

    Examples
    --------
    >>> join(pl.Series(["13.03.2026"]), pl.Series(["9:30"])).values.to_list()
    [datetime.datetime(2026, 3, 13, 9, 30)]
    """
    days, clock = read_times(dates, order), read_clocks(clocks)
    midnight = days.values.dt.replace_time_zone(None).dt.truncate("1d")
    values = (midnight + clock.values.cast(pl.Duration("us"))).rename(dates.name)
    half = (days.values.is_null() != clock.values.is_null()) | days.refused | clock.refused
    found = Times(values, days.order, days.is_open, half, f"{days.words}, with {clock.words}", days.likely)
    return Times(**{**found.__dict__, "without_clock": pl.repeat(False, values.len(), dtype=pl.Boolean, eager=True)})


def _typed(cells: pl.Series, values: pl.Series, words: str, without_clock: pl.Series | None = None) -> Times:
    none = pl.repeat(False, cells.len(), dtype=pl.Boolean, eager=True)
    return Times(values, None, False, none, words, None, none if without_clock is None else without_clock)


def _as_numbers(texts: pl.Series) -> pl.Series:
    return texts.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)


def _from_numbers(cells: pl.Series, numbers: pl.Series, from_1904: bool) -> Times:
    """The size of most numbers says what they count."""
    typical = float(numbers.abs().median() or 0.0)  # type: ignore[arg-type]
    zero = _SERIAL_0_1904 if from_1904 else _SERIAL_0
    shift = (date(1970, 1, 1) - zero).days
    digits = _digits(numbers, typical)
    words = "serial numbers of a spreadsheet"
    if digits is not None:
        values, words = digits, "dates in digits"
    elif _SERIALS[0] - shift + 25_569 <= typical < _SERIALS[1]:
        # Spreadsheets keep a time of day to about a microsecond; what they mean are milliseconds.
        values = ((numbers - shift) * 86_400_000).round().cast(pl.Int64, strict=False) * 1000
    else:
        scale = next((unit for low, high, unit in _EPOCHS if low <= typical < high), None)
        words = "seconds since 1970"
        us = numbers * scale if scale else numbers.set(numbers.is_not_null(), None)
        values = us.round().cast(pl.Int64, strict=False)
    sound = ((values >= 0) & (values < int((END - FIRST).total_seconds()) * 1_000_000)).fill_null(False)
    values = values.set(~sound, None).cast(UTC if words == "seconds since 1970" else WALL)
    whole = (values.dt.replace_time_zone(None).dt.truncate("1d") == values.dt.replace_time_zone(None)).fill_null(False)
    return Times(values, None, False, cells.is_not_null() & values.is_null(), words, None, whole & whole.all())


def _digits(numbers: pl.Series, typical: float) -> pl.Series | None:
    """Microseconds since 1970 of numbers such as 20260302 or 202603020800."""
    for n_digits in _DIGITS:
        if 1.9 * 10 ** (n_digits - 1) <= typical < 2.2 * 10 ** (n_digits - 1):
            texts = numbers.cast(pl.Int64, strict=False).cast(pl.String)
            complete = texts.set(texts.str.len_bytes() != n_digits, None).str.pad_end(14, "0")
            return complete.str.to_datetime("%Y%m%d%H%M%S", time_unit="us", strict=False).cast(pl.Int64)
    return None


@dataclass(frozen=True)
class _Parts:
    """What the cells of a column are, for each order; dates and clock times each by their distinct texts."""

    days: pl.DataFrame  # Of each distinct date
    day: pl.Series  # Place of each cell among them
    clocks: pl.DataFrame  # Of each distinct clock time
    clock: pl.Series  # Place of each cell among them; null where a cell names none
    fraction_us: pl.Series | None = None  # What was cut off the clock times of the cells

    def valid(self, order: str) -> BoolArray:
        """Which of the distinct dates are one in this order."""
        return self.days[order].is_not_null().to_numpy()

    def odd(self) -> pl.Series:
        """Cells without a date, or with a clock time that is none."""
        no_day = pl.Series(~(self.valid("dmy") | self.valid("mdy") | self.valid("ymd")))
        no_clock = self.clocks["us"].is_null()
        odd = (
            no_day.gather(self.day) if no_day.any() else pl.repeat(False, self.day.len(), dtype=pl.Boolean, eager=True)
        )
        return (odd | no_clock.gather(self.clock).fill_null(False) if no_clock.any() else odd).fill_null(False)


def _split(texts: pl.Series) -> _Parts:
    """Cells in front of and behind the hour; distinct dates and clock times are few."""
    ascii_text = pl.col("text")
    if not (texts.str.len_bytes() == texts.str.len_chars()).all():
        # Places are found in bytes and cut in characters.
        ascii_text = ascii_text.str.replace_all(r"[^\x00-\x7f]", "?")
    colon = ascii_text.str.find(":", literal=True)
    hour = (colon.cast(pl.Int64) - 2).clip(0)
    date_part, clock_part = pl.col("text").str.head(hour), pl.col("text").str.slice(hour)
    halves = pl.DataFrame({"text": texts}).select(
        date=pl.when(colon.is_null()).then("text").otherwise(date_part),
        clock=pl.when(colon.is_not_null()).then(clock_part),
    )
    dates, day = distinct_of(halves["date"])
    without_fraction, fraction_us = _without_fractions(halves["clock"])
    clocks, clock = distinct_of(without_fraction)
    return _Parts(date_texts(dates.str.strip_chars_end("Tt ,")), day, clock_texts(clocks), clock, fraction_us)


def _without_fractions(clocks: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Clock times to the second, of which few are distinct, and the microseconds behind."""
    sample = clocks.head(_FEW).drop_nulls()
    if clocks.len() <= _FEW or not sample.str.contains(_FRACTION).any():
        return clocks, None
    digits = clocks.str.extract(_FRACTION, 2).str.pad_end(6, "0").str.head(6)
    return clocks.str.replace(_FRACTION, "${1}"), digits.cast(pl.Int64).fill_null(0)


def _from_texts(texts: pl.Series, order: str | None) -> Times:
    parts = _split(texts)
    if (odd := parts.odd()).any():
        texts_read = texts.clone().scatter(odd.arg_true(), _rewritten(texts.filter(odd)))
        parts = _split(texts_read)
    counts = np.bincount(parts.day.drop_nulls().to_numpy(), minlength=parts.days.height)
    settled = _settle(parts, counts, order)
    values, is_utc = _joined(parts, settled.order or settled.likely or "dmy")
    without = parts.clock.is_null() & values.is_not_null()
    words, refused = _words(texts, settled, is_utc), _refused(texts, values)
    return Times(values.rename(texts.name), settled.order, settled.is_open, refused, words, settled.likely, without)


def _refused(texts: pl.Series, values: pl.Series) -> pl.Series:
    if texts.null_count() == values.null_count():
        return pl.repeat(False, texts.len(), dtype=pl.Boolean, eager=True)
    return texts.is_not_null() & values.is_null()


def _joined(parts: _Parts, order: str) -> tuple[pl.Series, bool]:
    """Values of the cells in one order, and whether they are UTC."""
    chosen = pl.coalesce(pl.when(pl.col("written").is_not_null()).then("dmy"), order)
    day = parts.days.select(
        pl.when(chosen.is_between(FIRST.date(), END.date(), closed="left")).then(chosen)
    ).to_series()
    us = parts.clocks["us"].gather(parts.clock)
    if parts.clock.null_count():
        us = us.set(parts.clock.is_null(), 0)
    us = us if parts.fraction_us is None else us + parts.fraction_us
    values = (day.cast(WALL).cast(pl.Int64).gather(parts.day) + us).cast(WALL)
    offsets_min = parts.clocks["offset_min"]
    if offsets_min.null_count() == offsets_min.len():
        return values, False
    return _to_utc(values, offsets_min.gather(parts.clock))


# As programs write times; many of them in one form are read at one go.
_ISO = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?$"
_USUAL = r"^\d{1,2}([./-])\d{1,2}[./-]\d{4} \d{1,2}:\d{2}(:\d{2})?( [AaPp][Mm])?$"
_FORMS = {"dmy": "%d{0}%m{0}%Y %H:%M{1}", "mdy": "%m{0}%d{0}%Y %H:%M{1}"}
_FEW = 1_000


def _at_one_go(cells: pl.Series, order: str | None) -> Times | None:
    """Times of a long column in one form; None where that does not settle all of it."""
    sample = cells.head(_FEW).drop_nulls()
    if cells.len() <= _FEW or not sample.len():
        return None
    if sample.str.contains(_ISO).all():
        return _iso(cells)
    marks = sample.str.extract_groups(_USUAL).struct.unnest().unique()
    if (
        marks.select(pl.col("1").n_unique() == 1, pl.col("2", "3").null_count().is_in([0, marks.height])).row(0)
        != (True,) * 3
    ):
        return None
    mark, seconds, half = marks.row(0)
    return _usual(cells, order, mark, ":%S" if seconds else "", half is not None) if mark else None


def _iso(cells: pl.Series) -> Times | None:
    texts = cells.to_arrow(compat_level=pl.CompatLevel.oldest())
    for zone in ("UTC", None):
        try:
            values = pl.Series(cells.name, pc.cast(texts, pa.timestamp("us", zone)))
        except pa.ArrowInvalid:
            continue
        # Arrow takes days without a clock time too.
        if not _within(values) or int(cells.str.len_bytes().min() or 0) <= len("2026-03-02"):  # type: ignore[arg-type]
            return None
        return _all_of(cells, values, "ymd", "as written")
    return None


def _usual(cells: pl.Series, order: str | None, mark: str, seconds: str, is_halved: bool) -> Times | None:
    clock = cells.str.head(-3) if is_halved else cells
    n_empty = cells.head(_FEW).null_count()
    for name, pattern in _FORMS.items():
        form = pattern.format(mark, seconds)
        if order not in (None, name) or clock.head(_FEW).str.to_datetime(form, strict=False).null_count() > n_empty:
            continue
        values = clock.str.to_datetime(form, time_unit="us", strict=False)
        if is_halved:
            values = _halved(values, cells.str.tail(3).str.to_uppercase())
        if values.null_count() > cells.null_count() or not _within(values):
            continue
        if order is None and not (values.dt.day() > 12).any():
            return None
        return _all_of(cells, values, name, "as given" if order else "a day above 12 settles it")
    return None


def _halved(values: pl.Series, half: pl.Series) -> pl.Series:
    """Times of a clock of twelve hours; null for another hour, and where neither half is named."""
    hour, is_pm, is_am = values.dt.hour(), half == " PM", half == " AM"
    sound = (is_pm | is_am) & hour.is_between(1, 12)
    shift_h = is_pm.cast(pl.Int64) * 12 - (hour == 12).cast(pl.Int64) * 12
    return (values + (shift_h * 3_600_000_000).cast(pl.Duration("us"))).set(~sound.fill_null(True), None)


def _all_of(cells: pl.Series, values: pl.Series, order: str, why: str) -> Times:
    none = pl.repeat(False, cells.len(), dtype=pl.Boolean, eager=True)
    is_utc = values.dtype == UTC
    return Times(values, order, False, none, _words(cells, _Settled(order, False, None, why), is_utc), None, none)


def _within(values: pl.Series) -> bool:
    low, high = values.dt.replace_time_zone(None).min(), values.dt.replace_time_zone(None).max()
    return isinstance(low, datetime) and isinstance(high, datetime) and low >= FIRST and high < END


def _rewritten(texts: pl.Series) -> pl.Series:
    distinct, place = distinct_of(texts)
    for pattern, replacement in _REWRITTEN:
        distinct = distinct.str.replace(pattern, replacement)
    return distinct[place]


def _to_utc(values: pl.Series, offset_min: pl.Series) -> tuple[pl.Series, bool]:
    """UTC where most cells name an offset; the others are then refused, and the other way round."""
    given = values.is_not_null()
    zoned = given & offset_min.is_not_null()
    n_zoned = int(zoned.sum())
    if not n_zoned:
        return values, False
    if n_zoned * 2 <= int(given.sum()):
        return values.set(zoned, None), False
    shifted = values - (offset_min * 60_000_000).cast(pl.Duration("us"))
    return shifted.set(~zoned, None).dt.replace_time_zone("UTC"), True


@dataclass(frozen=True)
class _Settled:
    order: str | None
    is_open: bool
    likely: str | None
    why: str


def _settle(parts: _Parts, counts: IntArray, order: str | None) -> _Settled:
    """The order that the dates in figures are in."""
    written = parts.days["written"].drop_nulls()
    if order is not None:
        return _Settled(order, False, None, "as given")
    in_figures = parts.days["written"].is_null().to_numpy()
    dmy, mdy, ymd = (parts.valid(each) & in_figures for each in ORDERS)
    if not (dmy | mdy | ymd).any():
        return _Settled(written[0] if written.len() else None, False, None, "as written")
    n_dmy, n_mdy = int(counts[dmy & ~mdy].sum()), int(counts[mdy & ~dmy].sum())
    if _is_year_first(parts, dmy, mdy, ymd):
        certain = not (dmy | mdy)[ymd].all()
        return _Settled(
            "ymd" if certain else None, not certain, None if certain else "ymd", "two digits of a year in front"
        )
    if n_dmy != n_mdy:
        found = "dmy" if n_dmy > n_mdy else "mdy"
        return _Settled(found, False, None, "a day above 12 settles it")
    same = (parts.days["dmy"] == parts.days["mdy"]).fill_null(False).to_numpy()
    if not n_dmy and (same | ~(dmy | mdy)).all():
        return _Settled(None, False, None, "the same in either order")
    return _Settled(None, True, _likely(parts, dmy & mdy), "no day above 12 settles it")


def _is_year_first(parts: _Parts, dmy: BoolArray, mdy: BoolArray, ymd: BoolArray) -> bool:
    """Two digits each: the year in front where all dates are sound so and lie closer together than otherwise."""
    if not ymd.any() or not ymd[dmy | mdy].all():
        return False
    if not (dmy | mdy).any():
        return True
    return _span_days(parts.days["ymd"].filter(pl.Series(ymd))) < min(
        _span_days(parts.days[each].filter(pl.Series(mask)))
        for each, mask in (("dmy", dmy), ("mdy", mdy))
        if mask.any()
    )


def _likely(parts: _Parts, both: BoolArray) -> str | None:
    """The order in which dates lie closer together: exports are of some days or weeks."""
    days = parts.days.filter(pl.Series(both))
    spans = {each: _span_days(days[each]) for each in ("dmy", "mdy")}
    if spans["dmy"] == spans["mdy"]:
        return None
    return min(spans, key=lambda each: spans[each])


def _span_days(days: pl.Series) -> int:
    low, high = days.min(), days.max()
    return (high - low) // timedelta(days=1) if isinstance(low, date) and isinstance(high, date) else 0


def _words(texts: pl.Series, settled: _Settled, is_utc: bool) -> str:
    first = texts.drop_nulls().head(1)
    if not first.len():
        return "no times"
    order = f", {settled.order}" if settled.order else ""
    return f"times like {first[0]}{order} ({settled.why}){', with their offset' if is_utc else ''}"
