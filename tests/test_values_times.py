"""Times as people write them: read back what was written, in any order, and asked where nothing settles it."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.values.clocks import read_clocks
from ingest.values.times import join, read_times

# A style of writing, the order its dates are in, and how exactly it tells the time.
STYLES = {
    "%d.%m.%Y %H:%M:%S": ("dmy", "s"), "%d.%m.%Y %H:%M": ("dmy", "min"), "%d/%m/%y %H:%M": ("dmy", "min"),
    "%m/%d/%Y %I:%M:%S %p": ("mdy", "s"), "%-m/%-d/%Y %-I:%M %p": ("mdy", "min"), "%-d-%-m-%Y %-H:%M:%S": ("dmy", "s"),
    "%Y-%m-%dT%H:%M:%S": ("ymd", "s"), "%Y/%m/%d %H:%M:%S": ("ymd", "s"), "%d-%b-%y %H:%M:%S": ("dmy", "s"),
    "%B %-d, %Y %-I:%M %p": ("mdy", "min"), "%Y-%m-%d %H:%M:%S.%f": ("ymd", "us"), "%d.%m.%Y %H:%M:%S,%f": ("dmy",
    "us"),
    "%a %d.%m.%Y %H:%M Uhr": ("dmy", "min"), "%H:%M:%S %d.%m.%Y": ("dmy", "s"), "%Y%m%dT%H%M%S": ("ymd", "s"),
    "%d.%m.%Y %H.%M": ("dmy", "min"), "%d/%m/%Y %Hh%M": ("dmy", "min"), "%a, %d %b %Y %H:%M:%S": ("dmy", "s"),
    "%d %m %Y %H:%M:%S": ("dmy", "s"), "%a %b %d %H:%M:%S %Y": ("mdy", "s"), "%d.%m.%Y": ("dmy", "d"),
}  # fmt: skip
UNITS = {
    "d": timedelta(days=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "us": timedelta(microseconds=1),
}
moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1))


def cut(moment, unit):
    """A time without what a style does not tell."""
    start = datetime(1990, 1, 1)
    return start + (moment - start) // UNITS[unit] * UNITS[unit]


@given(st.sampled_from(sorted(STYLES)), st.lists(moments, min_size=1, max_size=20))
def test_a_time_is_read_as_it_was_written(style, times):
    """With the order said; `strptime` is the slow twin."""
    order, unit = STYLES[style]
    texts = [moment.strftime(style) for moment in times]
    found = read_times(pl.Series(texts), order)
    assert not found.refused.any(), found.words
    assert found.values.to_list() == [cut(moment, unit) for moment in times]
    assert found.values.to_list() == [datetime.strptime(text, style.replace("%-", "%")) for text in texts]


@given(st.sampled_from(sorted(STYLES)), st.lists(moments, min_size=1, max_size=20))
def test_a_day_above_twelve_settles_the_order(style, times):
    """One such day is enough for the whole column, wherever it stands."""
    order, unit = STYLES[style]
    times = [*times, datetime(2026, 3, 13, 9, 30)]
    found = read_times(pl.Series([moment.strftime(style) for moment in times]))
    years = "%y" in style
    if not (found.is_open and years):
        assert (found.order, found.is_open) == (order, False)
        assert found.values.to_list() == [cut(moment, unit) for moment in times]


def test_what_nothing_settles_stays_open_with_what_the_data_speak_for():
    """2 to 11 March: months apart as month first, ten days as day first."""
    found = read_times(pl.Series(["02/03/2026 08:00", "07/03/2026 09:00", "11/03/2026 10:00"]))
    assert (found.is_open, found.order, found.likely) == (True, None, "dmy")
    assert not found.refused.any()
    alone = read_times(pl.Series(["02/03/2026"]))
    assert (alone.is_open, alone.likely) == (True, None)
    assert not read_times(pl.Series(["02/02/2026"])).is_open


def test_of_rows_that_contradict_each_other_the_fewer_are_refused():
    found = read_times(pl.Series(["13/02/2026", "02/13/2026", "01/02/2026", "14/02/2026"]))
    assert found.order == "dmy"
    assert found.refused.to_list() == [False, True, False, False]
    assert found.values.to_list() == [datetime(2026, 2, 13), None, datetime(2026, 2, 1), datetime(2026, 2, 14)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2. März 2026", datetime(2026, 3, 2)),
        ("Mar 2, 2026 8:00 AM", datetime(2026, 3, 2, 8)),
        ("02-Mar-26 20:00:30", datetime(2026, 3, 2, 20, 0, 30)),
        ("1er mars 2026 8h30", datetime(2026, 3, 1, 8, 30)),
        ("2 de marzo de 2026 8:00 p. m.", datetime(2026, 3, 2, 20)),
        ("2 mrt 2026 08:00", datetime(2026, 3, 2, 8)),
        ("lun. 2 mars 2026 08:00", datetime(2026, 3, 2, 8)),
        ("2 março 2026", datetime(2026, 3, 2)),
        ("2 maggio 2026", datetime(2026, 5, 2)),
        ("13.03.2026 24:00", datetime(2026, 3, 14)),
        ("13.03.2026 8:00 vorm.", datetime(2026, 3, 13, 8)),
        ("13.03.2026\u202f12:00 a.m.", datetime(2026, 3, 13)),
        ("Mo., 30.03.2026 14.30 Uhr", datetime(2026, 3, 30, 14, 30)),
        ("20260313", datetime(2026, 3, 13)),
        ("202603130830", datetime(2026, 3, 13, 8, 30)),
        ("46083,333333333336", datetime(2026, 3, 2, 8)),
        ("Mon Mar 02 08:00:26 CET 2026", datetime(2026, 3, 2, 8, 0, 26)),
        ("5/13/2026, 8:00:00 PM", datetime(2026, 5, 13, 20)),
    ],
)
def test_a_time_in_words_and_signs(text, meant):
    """The values are what stands there, read by hand."""
    found = read_times(pl.Series([text]))
    assert found.values.to_list() == [meant], found


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "31/02/2026",
        "13.13.2026",
        "02.03.2026 25:00",
        "02.03.2026 8:61",
        "Foo 02.03.2026",
        "13:00 AM",
        "0",
        "02.03.",
    ],
)
def test_what_is_no_time_is_refused_and_raises_nothing(text):
    found = read_times(pl.Series([text, "13.03.2026 09:00"]))
    assert found.refused.to_list() == [True, False]


def test_offsets_are_brought_to_utc():
    """08:00 an hour east of Greenwich is 07:00 there; `Z` and `GMT` are Greenwich itself."""
    found = read_times(
        pl.Series(["2026-03-02T08:00:00+01:00", "2026-03-02 08:00:00.5Z", "Mon, 02 Mar 2026 08:00:00 GMT", None])
    )
    half = datetime(2026, 3, 2, 8, 0, 0, 500_000, UTC)
    assert found.values.to_list() == [
        datetime(2026, 3, 2, 7, tzinfo=UTC),
        half,
        datetime(2026, 3, 2, 8, tzinfo=UTC),
        None,
    ]
    assert not found.refused.any()
    mixed = read_times(pl.Series(["2026-03-02T08:00:00Z", "2026-03-02T08:00:00", "2026-03-02T09:00:00"]))
    assert mixed.refused.to_list() == [True, False, False]


@given(
    st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=9),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_seconds_since_1970_and_parts_of_them(times, unit):
    """Told by their size, as numbers or as texts."""
    seconds = [round((cut(each, "s") - datetime(1970, 1, 1)).total_seconds()) for each in times]
    numbers = pl.Series([each * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit] for each in seconds])
    meant = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=each) for each in seconds]
    assert read_times(numbers).values.to_list() == meant
    assert read_times(numbers.cast(pl.String)).values.to_list() == meant


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)))
def test_serial_numbers_of_spreadsheets(moment):
    """Days since 30 December 1899; 1,462 fewer where counting began in 1904."""
    moment = cut(moment, "s")
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    assert read_times(pl.Series([serial])).values.to_list() == [moment]
    assert read_times(pl.Series([serial - 1462]), from_1904=True).values.to_list() == [moment]


def test_typed_cells_pass():
    days = read_times(pl.Series([date(2026, 3, 2), None]))
    assert days.values.to_list() == [datetime(2026, 3, 2), None]
    assert days.without_clock.to_list() == [True, False]
    zoned = pl.Series([datetime(2026, 7, 1, 8)]).dt.replace_time_zone("Europe/Berlin")
    assert read_times(zoned).values.to_list() == [datetime(2026, 7, 1, 6, tzinfo=UTC)]
    assert read_times(pl.Series([None, None])).values.to_list() == [None, None]


def test_a_date_and_a_clock_time_of_two_columns():
    found = join(
        pl.Series(["13.03.2026", "14.03.2026", "15.03.2026", None]), pl.Series(["8:00 PM", None, "late", None])
    )
    assert found.values.to_list() == [datetime(2026, 3, 13, 20), None, None, None]
    assert found.refused.to_list() == [False, True, True, False]


def test_clock_times_of_their_own():
    """8:00 is 480 minutes, half past two 870, midnight at the end of the day 1,440."""
    found = read_clocks(pl.Series(["8:00", "2.30 pm", "24:00", "24:01", "12:00 AM", "8"]))
    assert [us and us // 60_000_000 for us in found.values.to_list()] == [480, 870, 1440, None, 0, None]
    assert found.refused.to_list() == [False, False, False, True, False, True]


@given(st.lists(st.text(max_size=12) | st.from_regex(r"[0-9./: -]{0,20}", fullmatch=True), max_size=12))
def test_no_cell_raises_anything(cells):
    found = read_times(pl.Series(cells, dtype=pl.String))
    assert found.values.len() == found.refused.len() == len(cells)
    assert not (found.refused & found.values.is_not_null()).any()


@pytest.mark.parametrize(
    "form",
    [
        "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p",
        "%-m/%-d/%Y %-I:%M %p", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%3f+00:00", "%d.%m.%Y %H:%M:%S,%3f",
        "%d-%b-%y %H:%M:%S",
    ],
)  # fmt: skip
def test_a_long_column_at_one_go_is_read_as_cell_by_cell(form):
    """The way for whole columns of one form against that for distinct dates and clock times."""
    minutes = pl.Series([datetime(2026, 1, 1) + timedelta(minutes=431 * i) for i in range(2_000)])
    texts = minutes.dt.strftime(form)
    long, odd = read_times(texts), read_times(pl.concat([pl.Series(["13 Mar 2026"]), texts]))
    assert long.values.dt.replace_time_zone(None).to_list() == minutes.to_list()
    if not form.endswith(("Z", "+00:00")):
        assert odd.values[1:].to_list() == minutes.to_list()


def test_a_long_column_with_one_odd_cell_is_read_all_the_same():
    """A day without a clock time, another form, an hour 13 with AM, a word: each told, the others read."""
    good = [f"{day:02}.03.2026 08:00:26" for day in range(1, 32)] * 40
    found = read_times(pl.Series([*good, "14 Mar 2026 9:00", "soon", "30.02.2026 08:00:00", "14.03.2026"]))
    assert found.refused.sum() == 2
    assert found.values[-4:].to_list() == [datetime(2026, 3, 14, 9), None, None, datetime(2026, 3, 14)]
    halves = read_times(
        pl.Series([*(f"03/{day:02}/2026 08:00 PM" for day in range(1, 32)), "03/01/2026 13:00 AM"] * 40)
    )
    assert halves.refused.to_list() == [*[False] * 31, True] * 40
    noon = ["03/13/2026 12:30 AM", "03/13/2026 12:30 PM"] * 600
    assert read_times(pl.Series(noon)).values[:2].to_list() == [
        datetime(2026, 3, 13, 0, 30),
        datetime(2026, 3, 13, 12, 30),
    ]
    days = read_times(pl.Series(["2026-03-13"] * 1_200 + ["2026-03-13T08:00:00"]))
    assert days.without_clock.to_list() == [True] * 1_200 + [False]
