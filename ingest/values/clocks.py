"""Clock times: `8:00`, `08:00:26,5`, `8:00 a.m.`, `14.30 Uhr`, `8h30`, `24:00`, with or without an offset."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingest.values import vocabulary
from ingest.values.texts import folded, is_nothing, over_distinct, plain

DAY_US = 86_400_000_000
_SECOND_US = 1_000_000
_HOUR_US = 3600 * _SECOND_US
_FARTHEST_H = 14
# Below this the many forms are told as quickly.
_MANY = 500
_SIMPLE = r"^ *(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)? *(?:[AaPp][Mm])? *$"
_CLOCK = (
    r"^[t, ]*(\d{1,2})(?:[:.h](\d{2}))?(?:[:m](\d{2})s?(?:[.,](\d{1,9}))?)?"
    r"\s*([a-z][a-z. ]*?)?\.?\s*(?:(?:gmt|utc)?\s*([+-])(\d{2}):?(\d{2})?)?\s*(?:\([a-z ]*\))?$"
)
# Without a colon, `8` alone is no clock time; `8 am` and `8h` are.
_LEAST = r"[:.h]|am|pm|a\. ?m|p\. ?m|uhr|vorm|nachm"
_COMPACT = r"^t?(\d{2})(\d{2})(\d{2})?(z?)$"


@dataclass(frozen=True, eq=False)
class Clocks:
    """Clock times of a column."""

    # Microseconds since midnight, 24:00 included; null where empty or refused
    values: pl.Series
    # Cells that are no clock time
    refused: pl.Series
    # What they look like
    words: str


def read_clocks(cells: pl.Series) -> Clocks:
    """Clock times of a column of their own.

    Parameters
    ----------
    cells : polars.Series
        Texts, times, or numbers as Excel keeps times of day (fractions of a day).

    Returns
    -------
    Clocks
        Nothing is raised; what is no clock time is refused.

    Examples
    --------
    >>> read_clocks(pl.Series(["8:00 a.m.", "14.30 Uhr", "soon"])).values.to_list()
    [28800000000, 52200000000, None]
    """
    if cells.dtype == pl.Time:
        values = cells.cast(pl.Int64) // 1000
    elif isinstance(cells.dtype, pl.Datetime):
        values = cells.dt.time().cast(pl.Int64) // 1000
    elif cells.dtype.is_float():
        values = (cells.cast(pl.Float64) * 86_400_000).round().cast(pl.Int64, strict=False) * 1000
        values = values.set(((values < 0) | (values > DAY_US)).fill_null(False), None)
    else:
        texts = plain(cells)
        texts = texts.set(is_nothing(texts), None)
        found = over_distinct(texts, clock_texts)
        values = found["us"].set(found["offset_min"].is_not_null(), None)
        return Clocks(values, texts.is_not_null() & values.is_null(), _like(texts))
    return Clocks(values, cells.is_not_null() & values.is_null(), "clock times")


def clock_texts(texts: pl.Series) -> pl.DataFrame:
    """Columns `us` since midnight (null where a text is no clock time) and `offset_min` east of UTC, null for none."""
    if (found := _simple(texts)) is not None:
        return found
    plain_texts = folded(texts).to_frame("text")
    return plain_texts.select(*_parts()).select(_of_either()).unnest("parts").select(us=_us(), offset_min=_offset_min())


def _simple(texts: pl.Series) -> pl.DataFrame | None:
    """The same of texts that are all like `08:00:26`, or with AM and PM, of which there may be many thousands."""
    if texts.len() < _MANY or not texts.str.contains(_SIMPLE).all():
        return None
    bare = texts.str.strip_chars().str.to_uppercase()
    half = bare.str.slice(-2)
    is_pm, is_am = half == "PM", half == "AM"
    clock = bare.str.strip_chars_end(" APM")
    time = (clock if clock.str.count_matches(":").min() == 2 else clock + ":00").str.to_time("%H:%M:%S", strict=False)
    us = time.cast(pl.Int64) // 1000
    hour = us // _HOUR_US
    # 12:30 AM is half past midnight; neither 0 nor 13 goes with one of both but as it stands.
    shift = pl.select(
        pl.when(is_pm & (hour < 12)).then(12).when(is_am & (hour == 12)).then(-12).otherwise(0) * pl.lit(_HOUR_US)
    ).to_series()
    us = us.set((is_am & (hour > 12)).fill_null(False), None) + shift
    return pl.DataFrame({"us": us, "offset_min": pl.repeat(None, us.len(), dtype=pl.Int64, eager=True)})


_NAMES = ("hour", "minute", "second", "fraction", "word", "sign", "off_h", "off_min")


def _parts() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Parts of clock times with marks between, and of those in digits alone."""
    bare = pl.col("text").str.replace(r"^(?:um|at|kl\.?|a las?|alle|as)\s+", "")
    spelled = bare.str.replace(r"(\d)z$", "${1} z").str.replace_all(r"\b([ap])\. ?m\b", "${1}m")
    marked = spelled.str.extract_groups(_CLOCK).struct.rename_fields(list(_NAMES)).alias("marked")
    compact = bare.str.extract_groups(_COMPACT).struct.rename_fields([*_NAMES[:3], "word"]).alias("compact")
    return marked, compact, bare.str.contains(_LEAST).alias("is_marked")


def _of_either() -> pl.Expr:
    marked, compact = pl.col("marked").struct, pl.col("compact").struct
    is_compact = compact.field("hour").is_not_null()
    both: dict[str, pl.Expr] = {
        name: pl.when(is_compact).then(compact.field(name)).when("is_marked").then(marked.field(name))
        for name in (*_NAMES[:3], "word")
    }
    both["word"] = both["word"].str.replace_all(r"[. ]", "").replace("", None)
    rest = {name: marked.field(name) for name in _NAMES if name not in both}
    return pl.struct((part.alias(name) for name, part in (both | rest).items()), eager=False).alias("parts")


def _us() -> pl.Expr:
    hour, minute, second = (pl.col(name).cast(pl.Int64).fill_null(0) for name in ("hour", "minute", "second"))
    fraction = pl.col("fraction").str.pad_end(6, "0").str.head(6).cast(pl.Int64).fill_null(0)
    word = pl.col("word")
    is_morning, is_afternoon = (word.is_in(list(each)).fill_null(False) for each in _HALVES)
    # Samoa and Kiribati are 14 hours ahead of Greenwich, nobody is farther from it.
    off_h, off_min = (pl.col(name).cast(pl.Int64).fill_null(0) for name in ("off_h", "off_min"))
    is_known = (
        (off_h <= _FARTHEST_H)
        & (off_min < 60)
        & (word.is_null() | word.is_in(list(_KNOWN)) | is_morning | is_afternoon)
    )
    hour24 = pl.when(is_afternoon).then(hour % 12 + 12).when(is_morning).then(hour % 12).otherwise(hour)
    us = ((hour24 * 60 + minute) * 60 + second) * _SECOND_US + fraction
    halved = is_morning | is_afternoon
    is_sound = (
        (minute < 60)
        & (second < 60)
        & (us <= DAY_US)
        & is_known
        & (~halved | hour.is_between(1, 12) | (hour24 == hour))
    )
    return pl.when(pl.col("hour").is_not_null() & is_sound).then(us)


_HALVES = (vocabulary.MORNING, vocabulary.AFTERNOON)
_ZONES = frozenset({"z", "gmt", "utc"})
_KNOWN = vocabulary.O_CLOCK | _ZONES


def _offset_min() -> pl.Expr:
    sign = pl.when(pl.col("sign") == "-").then(-1).otherwise(1)
    minutes = pl.col("off_h").cast(pl.Int64) * 60 + pl.col("off_min").cast(pl.Int64).fill_null(0)
    return pl.when(pl.col("off_h").is_not_null()).then(sign * minutes).when(pl.col("word").is_in(list(_ZONES))).then(0)


def _like(texts: pl.Series) -> str:
    first = texts.drop_nulls().head(1)
    return f"clock times like {first[0]}" if first.len() else "no clock times"
