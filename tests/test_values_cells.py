"""Goals, spans of a shift, opening hours, names with levels, marks; and what a column looks like."""

from datetime import date, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.values.goals import read_goals
from ingest.values.kinds import kind_of
from ingest.values.marks import read_marks
from ingest.values.rated import read_names
from ingest.values.shifts import read_spans

OFF = [
    "frei",
    "Krank",
    "Urlaub",
    "off",
    "sick",
    "vacation",
    "libre",
    "congé",
    "vrij",
    "ziek",
    "X",
    "-",
    "0",
    "arrêt maladie",
]


def spans_of(text):
    cell = read_spans(pl.Series([text], dtype=pl.String)).values.to_list()[0]
    return None if cell is None else [tuple(span.values()) for span in cell]


@pytest.mark.parametrize(
    ("text", "share", "seconds"),
    [
        ("80/20", 0.8, 20), ("80 % in 20 s", 0.8, 20), ("80%/20s", 0.8, 20), ("0,8/20", 0.8, 20), ("0.9 / 30", 0.9, 30),
        ("90 % innerhalb 1 Min.", 0.9, 60), ("100/10", 1, 10), ("95% within 2 hours", 0.95, 7200),
    ],
)  # fmt: skip
def test_a_goal_is_a_share_and_a_time(text, share, seconds):
    found = read_goals(pl.Series([text]))
    assert (found.share[0], found.seconds[0]) == (pytest.approx(share), seconds)


@pytest.mark.parametrize("text", ["8-16", "02/03", "soon", "120/20", "80", "80/20/5", "02/03/2026"])
def test_what_is_no_goal_is_refused(text):
    assert read_goals(pl.Series([text])).refused.to_list() == [True]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("08:00-16:30", [(480, 990)]), ("8-16:30", [(480, 990)]), ("8.30–17", [(510, 1020)]),
        ("0800-1630", [(480, 990)]),
        ("8am-4:30pm", [(480, 990)]), ("9:00 AM - 5:30 PM", [(540, 1050)]), ("1-5pm", [(780, 1020)]),
        ("9-5", [(540, 1020)]),
        ("22:00-06:00", [(1320, 1800)]), ("8h30-17h", [(510, 1020)]), ("8 bis 16 Uhr", [(480, 960)]),
        ("00:00-24:00", [(0, 1440)]),
        ("08:00-12:00 13:00-17:00", [(480, 720), (780, 1020)]), ("8-12 / 13-17", [(480, 720), (780, 1020)]),
        ("8-12+13-17", [(480, 720), (780, 1020)]), ("8-12;13-17", [(480, 720), (780, 1020)]),
        ("8-12\n13-17", [(480, 720), (780, 1020)]),
        ("22:00-02:00, 03:00-06:00", [(1320, 1560), (1620, 1800)]), ("12:00 PM-8:00 PM", [(720, 1200)]),
    ],
)  # fmt: skip
def test_spans_of_a_shift_by_hand(text, spans):
    """Minutes from midnight; what goes over midnight ends above 1,440."""
    assert spans_of(text) == spans
    assert not read_spans(pl.Series([text])).refused.any()


@given(
    st.integers(0, 95),
    st.integers(1, 64),
    st.sampled_from(
        [
            "{:02}:{:02}-{:02}:{:02}",
            "{}:{:02} – {}:{:02}",
            "{:02}{:02}-{:02}{:02}",
            "{}.{:02} bis {}.{:02} Uhr",
            "{}h{:02}-{}h{:02}",
        ]
    ),
)
def test_a_span_is_read_as_it_was_written(start, length, form):
    """In quarters of an hour, up to 16 hours."""
    low, high = start * 15, start * 15 + length * 15
    text = form.format(low // 60, low % 60, high % 1440 // 60, high % 60)
    assert spans_of(text) == [(low, high)] or high % 1440 == 0


def test_codes_and_words_for_nothing():
    found = read_spans(pl.Series(["F", "F 06:00-14:00", "06:00-14:00 (HO)", "Früh 6-14", None, "25:00-26:00", "8:00"]))
    assert found.codes.to_list() == ["F", "F", "HO", "Früh", None, None, "8:00"]
    assert found.refused.to_list() == [False, False, False, False, False, True, True]
    assert found.has_span.to_list() == [False, True, True, True, False, False, False]
    assert read_spans(pl.Series(OFF)).is_off.all()


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["Rechnung (3), Technik (2)", "Technik"], [[("Rechnung", 3), ("Technik", 2)], [("Technik", None)]]),
        (["a (3,5), b [2]"], [[("a", 3.5), ("b", 2)]]),
        (["a;b", None], [[("a", None), ("b", None)], None]),
        (["a:3|b:2"], [[("a", 3), ("b", 2)]]),
        (["a=3", "b=2\na"], [[("a", 3)], [("b", 2), ("a", None)]]),
        (["Lang, Peter; Yilmaz, Katrin"], [[("Lang, Peter", None), ("Yilmaz, Katrin", None)]]),
        (["a/b", "a", "b"], [[("a", None), ("b", None)], [("a", None)], [("b", None)]]),
        (["T/S", "a"], [[("T/S", None)], [("a", None)]]),
        (["DE EN", "FR DE"], [[("DE", None), ("EN", None)], [("FR", None), ("DE", None)]]),
        ([["a", "b"], None], [[("a", None), ("b", None)], None]),
    ],
)
def test_names_are_split_as_the_column_says(cells, names):
    found = read_names(pl.Series(cells))
    assert [None if c is None else [tuple(e.values()) for e in c] for c in found.values.to_list()] == names
    assert not found.is_open


def test_a_slash_or_an_and_separates_what_stands_alone_elsewhere():
    """In the column or in other files; otherwise it belongs to the name."""
    cells = pl.Series(["Deutsch / Englisch", "Deutsch"])
    names = [[each["name"] for each in cell] for cell in read_names(cells, known=("ENGLISCH",)).values.to_list()]
    assert names == [["Deutsch", "Englisch"], ["Deutsch"]]
    assert read_names(cells).separator is None
    assert read_names(pl.Series(["Sales und Service (3)", "Sales", "Service"])).separator == " und "


def test_levels_of_other_scales_are_told():
    assert read_names(pl.Series(["voice (80), chat (20)"])).scale == "0-100"
    assert read_names(pl.Series(["voice: 8"])).scale == "0-10"
    assert read_names(pl.Series(["voice (A), chat (C)"])).scale == "A-E"
    assert read_names(pl.Series(["a:3, a:4", "b"])).refused.to_list() == [True, False]


def test_marks_say_yes_or_no():
    yes, no = ["x", "Ja", "yes", "oui", "Sí", "✓", "1", "TRUE"], ["nein", "no", "non", "0", "false", "-"]
    assert read_marks(pl.Series(yes)).values.all()
    assert not read_marks(pl.Series(no)).values.any()
    assert read_marks(pl.Series(["maybe", None])).refused.to_list() == [True, False]


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (["02.03.2026 08:00:26", "02.03.2026 08:04:16"], "time"), (["2026-03-02", "2026-03-03"], "date"),
        (["17.03.2026", "18.03.2026"], "date"), (["17.03.26"], "date"), (["03/17/2026"], "date"),
        (["0711/123456"], "phone"),
        (["3175550142"], "whole number"), (["0301234567", "0409876543"], "phone"),
        (["2026-03-17 08:00"], "time"),
        (["Mar 17, 2026", "Apr 1, 2026"], "date"),
        (["Kunde A", "Kunde B"], "words"), (["8.30 Uhr", "17.15 Uhr"], "clock"),
        (["08:00", "16:30"], "clock"), (["00:03:28", "00:00:12"], "duration"), (["PT5M", "PT3S"], "duration"),
        (["12,5", "8"], "number"), (["12", "8", "12"], "whole number"), (["c0000303", "c0000506"], "code"),
        (["7b3c2f10-1111-4222-8333-abcdefabcdef"], "code"), (["a@b.de"], "email"),
        (["+4933991955", "+49 813/239957"], "phone"),
        (["Lang, Peter", "Groß, Greta"], "person"), (["Sprachanruf", "Chat", "Sprachanruf"], "words"),
        (["Deutsch, Englisch", "Deutsch"], "names"),
        (["Rechnung (3), Technik (2)", "Technik (2)", "Rechnung (1)"], "names"),
        (["x", None], "yes or no"), (["08:00-16:30", "F", "frei"], "span"), (["80/20"], "goal"), ([None], "blank"),
        (["1772438426", "1772438427"], "time"), ([46083.333, 46084.5], "time"), ([20260302, 20260303], "date"),
        ([datetime(2026, 3, 2, 8)], "time"), ([date(2026, 3, 2)], "date"), ([time(0, 3)], "duration"),
        ([time(8)], "clock"),
        ([timedelta(1)], "duration"), ([0.0035879629629, 0.0], "duration"), ([1, 2], "whole number"), ([1.5], "number"),
        ([True], "yes or no"), ([["a"]], "names"), (["The customer called about a bill", "It rained"], "text"),
    ],
)  # fmt: skip
def test_what_a_column_looks_like(cells, name):
    series = pl.Series(cells, dtype=pl.String) if cells == [None] else pl.Series(cells)
    assert kind_of(series).name == name or (name == "text" and kind_of(series).name in ("text", "words"))


def test_a_kind_stands_a_few_cells_that_do_not_fit():
    found = kind_of(pl.Series(["00:03:28"] * 3 + [f"00:03:{i}" for i in range(10, 19)] + ["total"]))
    assert found.name == "duration"
    assert found.share == pytest.approx(10 / 11)
    assert (found.n_filled, found.n_distinct, found.is_unique) == (13, 11, False)


@given(
    st.lists(
        st.none() | st.text(max_size=12) | st.from_regex(r"[0-9a-z./:,;()|% -]{0,16}", fullmatch=True), max_size=12
    )
)
def test_no_cell_raises_anything(cells):
    series = pl.Series(cells, dtype=pl.String)
    for read in (read_goals, read_spans, read_names, read_marks):
        assert read(series).refused.len() == len(cells)
        assert not read(series).refused.has_nulls()
    assert kind_of(series).n_filled <= sum(cell is not None for cell in cells)
