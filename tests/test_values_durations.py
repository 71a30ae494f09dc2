"""Durations and numbers as people write them, decided by the whole column."""

from datetime import datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.values.durations import DAY_S, read_durations
from ingest.values.numbers import read_numbers


def hms(seconds):
    """A slow way of writing h:mm:ss."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


WRITTEN = {
    "seconds": str,
    "h:mm:ss": hms,
    "hh:mm:ss.f": lambda s: f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}.0",
    "d.hh:mm:ss": lambda s: f"{s // 86400}.{s // 3600 % 24:02}:{s // 60 % 60:02}:{s % 60:02}",
    "ISO 8601": lambda s: f"PT{s // 3600}H{s // 60 % 60}M{s % 60}S",
    "in words": lambda s: f"{s // 3600} h {s // 60 % 60} min {s % 60} s",
    "in German": lambda s: f"{s // 3600} Std. {s // 60 % 60} Min. {s % 60} Sek.",
    "short": lambda s: f"{s // 60}m {s % 60}s",
    "timedelta": lambda s: timedelta(seconds=s),
    "mm:ss with tenths": lambda s: f"{s // 60}:{s % 60:02}.0",
}


@given(st.sampled_from(sorted(WRITTEN)), st.lists(st.integers(0, 400_000), min_size=1, max_size=20))
def test_a_duration_is_read_as_it_was_written(style, seconds):
    found = read_durations(pl.Series([WRITTEN[style](each) for each in seconds]))
    assert found.values.to_list() == seconds
    assert not found.refused.any() and not found.is_open


@given(st.lists(st.integers(0, 86_399), min_size=2, max_size=20, unique=True))
def test_fractions_of_a_day_are_told_from_seconds(seconds):
    """5 min 10 s is 0.003587962962962963 of a day; as a time of day it is 00:05:10."""
    fractions = pl.Series([each / DAY_S for each in [*seconds, 310, 311, 47, 3_723]] * 3)
    found = read_durations(fractions)
    if not found.is_open:
        assert found.values.to_list() == pytest.approx([*seconds, 310, 311, 47, 3_723] * 3)
    assert read_durations(fractions, "days").values.to_list() == pytest.approx([*seconds, 310, 311, 47, 3_723] * 3)
    clock = [(datetime(2026, 1, 1) + timedelta(seconds=each)).time() for each in seconds]
    assert read_durations(pl.Series(clock)).values.to_list() == seconds


@given(st.lists(st.floats(1, 7_200), min_size=20, max_size=50))
def test_fractions_of_a_day_need_not_be_whole_seconds(seconds):
    """As a workbook keeps 207.88 s: 0.00240602139879227; one cell of three days among many changes nothing."""
    found = read_durations(pl.Series([*(each / DAY_S for each in seconds), 0.0] * 6 + [3.0]))
    assert not found.is_open
    assert found.values.to_list() == pytest.approx([*seconds, 0.0] * 6 + [3 * DAY_S], abs=1e-3)


def test_what_is_open_between_units():
    """`00:05` is five minutes or five seconds; a half is half a second or half a day."""
    two = read_durations(pl.Series(["00:05", "00:12"]))
    assert (two.is_open, two.choices, two.values.to_list()) == (True, ("min", "h"), [5, 12])
    assert read_durations(pl.Series(["00:05", "00:12"]), "h").values.to_list() == [300, 720]
    assert not read_durations(pl.Series(["00:05", "1:00:12"])).is_open
    assert not read_durations(pl.Series(["00:05", "75:12"])).is_open
    half = read_durations(pl.Series([0.5, 0.25]))
    assert (half.is_open, half.choices, half.values.to_list()) == (True, ("s", "days"), [0.5, 0.25])
    assert not read_durations(pl.Series([0.5, 12.25])).is_open
    rounded = read_durations(pl.Series([0.0024, 0.0031, 0.0]))
    assert (rounded.is_open, rounded.likely) == (True, "days")
    assert rounded.values.to_list() == pytest.approx([207.36, 267.84, 0])


@pytest.mark.parametrize(
    ("cell", "unit", "seconds"),
    [
        ("12,5", None, 12.5), ("330", "ms", 0.33), ("1.5", "min", 90), ("1,5", "h", 5400), ("5m 10s", None, 310),
        ("5 min", None, 300), ("PT5M10S", None, 310), ("P1DT1H", None, 90_000), ("PT0.5S", None, 0.5),
        ("1 day, 02:03:04", None, 93_784),
        ("1d 2h", None, 93_600), ("350 ms", None, 0.35), ("1 Stunde 2 Minuten", None, 3_720), ("5'10\"", None, 310),
        (datetime(1899, 12, 31, 2), None, 93_600), (time(0, 5, 10), None, 310), ("26:00:00", None, 93_600),
        ("-", None, None), ("n/a", None, None),
    ],
)  # fmt: skip
def test_a_duration_by_hand(cell, unit, seconds):
    found = read_durations(pl.Series([cell]), unit)
    assert found.values.to_list() == [pytest.approx(seconds) if seconds is not None else None]
    assert not found.refused.any()


@pytest.mark.parametrize("cell", ["-5", "-0:00:05", "5:75", "soon", "0:60:00", "1:2:3:4", "5 EUR", "PT", "80 %"])
def test_what_is_no_duration_is_refused(cell):
    assert read_durations(pl.Series([cell, "0:00:01"])).refused.to_list() == [True, False]


@given(
    st.lists(st.integers(-(10**9), 10**9).map(lambda n: n / 100), min_size=1, max_size=20),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (",", "\u202f"), (".", "'"), (".", ""), (",", "")]),
)
def test_a_number_is_read_as_it_was_written(numbers, marks):
    """Two decimals settle what the mark is."""
    decimal, thousands = marks
    texts = [f"{each:,.2f}".replace(",", "t").replace(".", decimal).replace("t", thousands) for each in numbers]
    found = read_numbers(pl.Series(texts))
    assert found.values.to_list() == numbers
    assert (found.decimal, found.is_open) == (decimal, False)


@pytest.mark.parametrize(
    ("texts", "values", "decimal", "is_open"),
    [
        (["1.234", "5.678"], [1.234, 5.678], ".", True),
        (["1.234", "0.5"], [1.234, 0.5], ".", False),
        (["1.234", "5,5"], [1234, 5.5], ",", False),
        (["1.234.567"], [1_234_567], ",", False),
        (["1,234,567.5"], [1_234_567.5], ".", False),
        (["80 %", "7,5%"], [0.8, 0.075], ",", False),
        (["1'234.50", "−5"], [1234.5, -5], ".", False),
        (["5 €", "$5", "1.2.3", "5-", "inf", "3"], [None] * 5 + [3], ".", False),
        (["-", "", "n/a", "3"], [None, None, None, 3], ".", False),
    ],
)
def test_marks_of_numbers_are_decided_by_the_column(texts, values, decimal, is_open):
    found = read_numbers(pl.Series(texts))
    assert (found.values.to_list(), found.decimal, found.is_open) == (values, decimal, is_open)


@given(st.lists(st.text(max_size=10) | st.from_regex(r"[0-9.,:' %-]{0,12}", fullmatch=True), max_size=12))
def test_no_cell_raises_anything(cells):
    for read in (read_numbers, read_durations):
        found = read(pl.Series(cells, dtype=pl.String))
        assert found.values.len() == found.refused.len() == len(cells)
        assert not (found.refused & found.values.is_not_null()).any()
        assert (found.values.drop_nulls().is_finite()).all()


def test_a_long_column_of_one_form_is_read_as_cell_by_cell():
    """From its bytes; one odd cell among them, a null, minutes of 60, and the column goes the other way."""
    seconds = [97 * i % 400_000 for i in range(1_500)]
    texts = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" if s < 360_000 else None for s in seconds]
    meant = [s if s < 360_000 else None for s in seconds]
    assert read_durations(pl.Series(texts)).values.to_list() == meant
    assert read_durations(pl.Series([*texts, "0:00:07"])).values.to_list() == [*meant, 7]
    for odd in ("00:60:00", "00:00:6x", "00:00:0:", "0a:00:00", "00:00/06", "\u00e40:00:0"):
        found = read_durations(pl.Series([*texts, odd]))
        assert found.refused.to_list() == [False] * len(texts) + [True]
        assert found.values[:-1].to_list() == meant
