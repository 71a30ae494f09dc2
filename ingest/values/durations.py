"""What a column of durations means: seconds, `h:mm:ss`, fractions of a day, ISO 8601; decided by the whole column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from ingest.values.numbers import read_numbers
from ingest.values.texts import folded, is_nothing, over_distinct, plain, with_plain_blanks

DAY_S = 86_400.0
_LOOKED_AT = 1_000
_HMS_BYTES = 8
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "days": DAY_S}
# Few durations last days; a few odd cells do not make a column another.
_MANY, _ODD, _TINY = 2.0, 0.01, 0.02
_SERIAL_0, _SERIAL_END = datetime(1899, 12, 30), datetime(1910, 1, 1)
_CLOCK = (
    r"^(?:(\d+)(?:[. ]|\s*(?:d|t|j|days?|tage?|jours?|dias?),?\s*))?(\d+):(\d{1,2})(?::(\d{1,2}))?(?:[.,](\d{1,9}))?$"
)
_N = r"(\d+(?:[.,]\d+)?)"
_ISO = rf"^p(?:{_N}w)?(?:{_N}d)?(?:t(?:{_N}h)?(?:{_N}m)?(?:{_N}s)?)?$"
_WORDS = (
    rf"^(?:{_N}\s*(?:d|t|j|days?|tage?n?|jours?|dias?|giorn[oi]|dag(?:en)?)\.?,?\s*)?"
    rf"(?:{_N}\s*(?:h|hrs?|hours?|std|stunden?|heures?|horas?|or[ae]|uur|uren|u)\.?,?\s*)?"
    rf"(?:{_N}\s*(?:m|mins?|minutes?|minuten?|minutos?|minut[oi]|')\.?,?\s*)?"
    rf"(?:{_N}\s*(?:s|secs?|seconds?|sek|sekunden?|secondes?|segundos?|second[oi]|seconden|seg|sec|\"|'')\.?\s*)?"
    rf"(?:{_N}\s*(?:ms|msecs?|milliseconds?|millisekunden?)\.?)?$"
)
_PARTS_S = (DAY_S, 3600.0, 60.0, 1.0, 1e-3)


@dataclass(frozen=True, eq=False)
class Durations:
    """Durations of a column."""

    # Null where empty or refused. [s]
    values: pl.Series
    # Cells that are no duration, or negative
    refused: pl.Series
    # How they are written
    words: str
    # Whether another unit is as possible; `values` are read in `likely`
    is_open: bool = False
    # Units that are possible where it is open, to be given as `unit`
    choices: tuple[str, ...] = ()
    # The unit that was taken where it is open
    likely: str | None = None


def read_durations(cells: pl.Series, unit: str | None = None) -> Durations:
    """Durations of a column in seconds, in whatever way they are written.

    Parameters
    ----------
    cells : polars.Series
        Texts, numbers, times or durations.
    unit : str, optional
        What plain numbers count (`us`, `ms`, `s`, `min`, `h`, `days`), and the first part of `00:05` (`min` or `h`);
        otherwise the column decides.

    Returns
    -------
    Durations
        Nothing is raised; what is no duration is refused.

    Examples
    --------
    >>> read_durations(pl.Series(["0:05:10", "1:00:00", "soon"])).values.to_list()
    [310.0, 3600.0, None]
    >>> read_durations(pl.Series(["5:10"])).choices
    ('min', 'h')
    """
    if isinstance(cells.dtype, pl.Duration):
        return _of(cells, _seconds(cells.dt.total_microseconds()), "durations")
    if cells.dtype == pl.Time:
        return _of(cells, _seconds(cells.cast(pl.Int64) // 1000), "durations kept as times of day")
    if isinstance(cells.dtype, pl.Datetime):
        wall = cells.dt.replace_time_zone(None)
        value = _seconds((wall - _SERIAL_0).dt.total_microseconds())
        return _of(cells, value.set((wall >= _SERIAL_END).fill_null(False), None), "durations kept as times")
    if cells.dtype.is_numeric():
        return _from_numbers(cells, cells.cast(pl.Float64), unit, "")
    if (seconds := _hms(cells)) is not None:
        return Durations(seconds, pl.repeat(False, cells.len(), dtype=pl.Boolean, eager=True), _like(cells))
    if _mostly(cells, r"\d:\d"):
        return _from_texts(plain(cells), unit)
    numbers = read_numbers(cells)
    if not numbers.refused.any() and not numbers.is_percent:
        return _from_numbers(cells, numbers.values, unit, numbers.words)
    texts = plain(cells)
    n_read = texts.len() - numbers.values.null_count()
    if n_read > int(numbers.refused.sum()) and not numbers.is_percent:
        return _from_numbers(texts, numbers.values, unit, numbers.words)
    return _from_texts(texts, unit)


def _hms(cells: pl.Series) -> pl.Series | None:
    """Seconds of a long column of `00:05:10`, from its bytes at one go; None where any cell is another."""
    n_bytes = cells.str.len_bytes() if cells.dtype == pl.String and cells.len() > _LOOKED_AT else None
    if n_bytes is None or n_bytes.min() != _HMS_BYTES or n_bytes.max() != _HMS_BYTES:
        return None
    data = cells.drop_nulls().to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
    code = np.frombuffer(data, np.uint8)
    if code.size != _HMS_BYTES * (cells.len() - cells.null_count()):
        return None
    code = code.reshape(-1, _HMS_BYTES)
    # Below the code of 0 it wraps, and is no digit either.
    digits = code - np.uint8(ord("0"))
    marks, places = (2, 5), (0, 1, 3, 4, 6, 7)
    if any((code[:, at] != ord(":")).any() for at in marks) or any((digits[:, at] > 9).any() for at in places):
        return None
    hours, minutes, seconds = (10 * digits[:, at].astype(np.int32) + digits[:, at + 1] for at in (0, 3, 6))
    if (minutes >= 60).any() or (seconds >= 60).any():
        return None
    found = pl.Series(cells.name, ((hours * 60 + minutes) * 60 + seconds).astype(np.float64))
    if not cells.null_count():
        return found
    every = pl.repeat(None, cells.len(), dtype=pl.Float64, eager=True).alias(cells.name)
    return every.scatter(cells.is_not_null().arg_true(), found)


def _mostly(cells: pl.Series, pattern: str) -> bool:
    """Whether most of the first cells look like this."""
    sample = cells.head(_LOOKED_AT).drop_nulls()
    return sample.dtype == pl.String and _share(sample.str.contains(pattern)) > 0.5


def _seconds(us: pl.Series) -> pl.Series:
    """Seconds of microseconds; whole ones exactly, as division by a number is multiplication by its inverse."""
    return (us // 1_000_000).cast(pl.Float64) + (us % 1_000_000) / 1e6


def _of(cells: pl.Series, values: pl.Series, words: str) -> Durations:
    values = values.set(((values < 0) | ~values.is_finite()).fill_null(False), None)
    return Durations(values.rename(cells.name), cells.is_not_null() & values.is_null(), words)


def _from_numbers(cells: pl.Series, numbers: pl.Series, unit: str | None, words: str) -> Durations:
    found, is_open = (unit, False) if unit is not None else _unit(numbers)
    scale = UNITS[found]
    values = (numbers * DAY_S * 1e3).round() / 1e3 if found == "days" else numbers * scale
    text = cells if cells.dtype == pl.String else None
    if text is not None and numbers.null_count() > text.null_count():
        written = _from_texts(text.set(numbers.is_not_null(), None), unit)
        values = values.fill_null(written.values)
        if written.is_open:
            return replace(written, values=values, refused=written.refused, words=f"seconds, and {written.words}")
    said = {"days": "fractions of a day", "s": "seconds"}.get(found, found)
    done = _of(cells, values, said + (" with decimal comma" if "comma" in words else ""))
    refused = done.refused if text is None else done.refused & ~is_nothing(text)
    return Durations(
        done.values, refused, done.words, is_open, ("s", "days") if is_open else (), found if is_open else None
    )


def _unit(numbers: pl.Series) -> tuple[str, bool]:
    """Seconds or fractions of a day, and whether that is open; no clock tells seconds finer than microseconds."""
    some = numbers.filter((numbers > 0).fill_null(False))
    if not some.len() or _share(some >= _MANY) > _ODD or _share(some == some.round()) > 1 - _ODD:
        return "s", False
    micros, seconds = some * 1e6, some * DAY_S
    if _share((micros - micros.round()).abs() > 1e-3) > 0.5:
        return "days", False
    is_tiny = float(some.median() or 0.0) < _TINY  # type: ignore[arg-type]
    # Tenths are whole seconds of a day as well; thousandths of a second are no waiting, but 1:26 rounded.
    return ("days" if is_tiny else "s"), is_tiny or bool(((seconds - seconds.round()).abs() < 1e-3).all())


def _share(which: pl.Series) -> float:
    return float(which.mean() or 0.0)  # type: ignore[arg-type]


def _from_texts(texts: pl.Series, unit: str | None) -> Durations:
    texts = with_plain_blanks(texts)
    found = over_distinct(texts, _parts)
    two = found["two_s"].is_not_null()
    first_s, is_open = _first(found, two, unit)
    values = found["value"].fill_null(found["two_s"] * (60.0 if first_s == "h" else 1.0))
    if found["three"].any() and values.null_count() > texts.null_count():
        # Where `0:03:20` says how durations are counted, a plain number beside it is of seconds.
        rest = read_numbers(texts.set(values.is_not_null(), None))
        values = values if rest.is_percent else values.fill_null(rest.values * UNITS[unit or "s"])
    done = _of(texts, values, _like(texts))
    refused = done.refused & ~found["is_nothing"].fill_null(False)
    return Durations(
        done.values, refused, done.words, is_open, ("min", "h") if is_open else (), first_s if is_open else None
    )


def _first(found: pl.DataFrame, two: pl.Series, unit: str | None) -> tuple[str, bool]:
    """What the first part of `5:10` counts, and whether that is open."""
    if unit in ("h", "min"):
        return unit, False
    if not two.any() or unit is not None:
        return "min", False
    two_s = found.filter(two)
    # Parts of a second, cells with three parts, and more than a day of hours.
    is_minutes = two_s["has_fraction"].any() or found["three"].any() or (two_s["two_s"] >= 24 * 60).any()
    return "min", not is_minutes and bool((two_s["two_s"] > 0).any())


def _parts(texts: pl.Series) -> pl.DataFrame:
    plain_texts = folded(texts).str.replace_all(r"[′’]", "'").str.replace_all(r"[″”]", '"')
    clock = plain_texts.str.extract_groups(_CLOCK).struct.rename_fields(["d", "a", "b", "c", "f"]).struct.unnest()
    day, first, second, third = (pl.col(each).cast(pl.Float64) for each in ("d", "a", "b", "c"))
    fraction = ("0." + pl.col("f")).cast(pl.Float64).fill_null(0.0)
    is_long = third.is_not_null() | day.is_not_null()
    sound = (second < 60) & (third.fill_null(0) < 60) & (day.is_null() | (first < 24))
    whole = day.fill_null(0) * DAY_S + first * 3600 + second * 60 + third.fill_null(0) + fraction
    zero = plain_texts.str.contains(r"^0+(?:[.,]0+)?$")
    clock = clock.select(
        value=pl.when(is_long & sound).then(whole).when(zero).then(0.0),
        two_s=pl.when(~is_long & sound).then(first * 60 + second + fraction),
        has_fraction=pl.col("f").is_not_null(),
        three=third.is_not_null(),
    )
    said = _summed(plain_texts, _WORDS, _PARTS_S)
    iso = _summed(plain_texts, _ISO, (7 * DAY_S, *_PARTS_S[:4]))
    return clock.with_columns(value=pl.coalesce("value", said, iso), is_nothing=is_nothing(texts))


def _summed(texts: pl.Series, pattern: str, parts_s: tuple[float, ...]) -> pl.Series:
    groups = texts.str.extract_groups(pattern).struct.unnest()
    parts = [
        pl.col(name).str.replace(",", ".", literal=True).cast(pl.Float64) * scale
        for name, scale in zip(groups.columns, parts_s, strict=True)
    ]
    some = pl.any_horizontal(part.is_not_null() for part in parts)
    return groups.select(pl.when(some).then(pl.sum_horizontal(parts))).to_series()


def _like(texts: pl.Series) -> str:
    first = texts.drop_nulls().head(1)
    return f"durations like {first[0]}" if first.len() else "no durations"
