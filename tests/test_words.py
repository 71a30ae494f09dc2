"""Days as people write them, and messages free of Python's own way of writing values."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.terminal.cli import run
from engine.data.checks import Place, cell, check, type_words
from engine.data.wall_time import day_of
from engine.errors import InvalidScenario, InvalidTable, RoutingError
from engine.methods import MISTAKEN
from engine.setting import shown
from engine.spec import scenario_of, settings
from engine.study import comparing
from tests.small_service import client_of
from tests.small_snapshot import write

# What Python writes and people do not.
REPR = re.compile(
    r"datetime\.|PosixPath|<class|\bNone\b|\bnp\.|array\(|dtype=|Datetime\(|Decimal\("
    # Headings of study files and the example of a lever's entries are no values.
    r"|\[(?!\[?(?:scenario|baseline)\]).*\]|\{(?!['\"]factor).*\}"
)


@pytest.mark.parametrize(("text", "meant"), [
    ("01.05.2026", "2026-05-01"), ("1.5.2026", "2026-05-01"), ("1. 5. 2026", "2026-05-01"), ("1.5.26", "2026-05-01"),
    ("2026/05/01", "2026-05-01"), ("2026.05.01", "2026-05-01"), ("20260501", "2026-05-01"),
    ("2026-5-1", "2026-05-01"), ("2026-05-01 09:30", "2026-05-01"), ("2026-05-01T09:30:00Z", "2026-05-01"),
    ("31/05/2026", "2026-05-31"), ("05/31/2026", "2026-05-31"), ("01.05.2026 09:30", "2026-05-01"),
    ("01/05/2026", "2026-05-01 (01 May) or 2026-01-05 (05 January)"),
])  # fmt: skip
def test_a_day_in_another_form_is_refused_with_the_day_it_means(text: str, meant: str) -> None:
    with pytest.raises(InvalidScenario, match=re.escape(f"--from is '{text}'; write {meant}") + "$"):
        day_of("--from", text)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-30", "31.02.2026", "13/13/2026", "1.5", "٠١.٠٥.٢٠٢٦", "1.5.126"]
)
def test_what_means_no_day_is_asked_for_as_one(text: str) -> None:
    with pytest.raises(InvalidScenario, match="write an existing day as YYYY-MM-DD"):
        day_of("--from", text)


@given(st.dates(date(1971, 1, 1), date(2190, 1, 1)))
def test_the_day_meant_is_the_day_written(day: date) -> None:
    for text in (f"{day:%d.%m.}{day.year}", f"{day.year}/{day:%m/%d}", f"{day.year}{day:%m%d}", f"{day}T10:00"):
        with pytest.raises(InvalidScenario, match=f"; write {day}$"):
            day_of("from", text)


@pytest.mark.parametrize("command", [
    "simulate --snapshot s --from {day}", "simulate --snapshot s --to {day}",
    "explain --snapshot s --interaction i --from {day}",
    "compare --snapshot s --methods genesys,weighted --to {day}", "snapshot synthetic --name x --start {day}",
    *(f"calibrate --snapshot s --{side} {{day}}" for side in ("fit-from", "fit-to", "test-from", "test-to")),
    "snapshot genesys --name x --queue q --from {day} --to 2026-05-02",
])  # fmt: skip
def test_every_option_for_a_day_says_how_it_is_written(command: str, tmp_path: Path, capsys) -> None:
    write(tmp_path)
    assert run([*command.format(day="01.05.2026").split(), "--store", str(tmp_path)]) == 2
    assert "is '01.05.2026'; write 2026-05-01" in capsys.readouterr().err


def test_the_other_doors_say_so_too() -> None:
    with pytest.raises(InvalidScenario, match=r"from is '01\.05\.2026'; write 2026-05-01"):
        comparing({"from": "01.05.2026", "scenario": [{"name": "a"}]})


# --- words that are no methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["best", "BEST", "Best ", "all", "none"])
def test_an_evaluation_method_is_sent_to_the_queue_s_setting(word: str) -> None:
    with pytest.raises(InvalidScenario) as caught:
        scenario_of({"mode": "replay", "method": word})
    told = str(caught.value)
    assert f"{word.strip().upper()} is an evaluation method, a setting of each queue" in told
    assert "queues.evaluation_method" in told
    assert "genesys" in told


def test_the_service_says_so_too(tmp_path: Path) -> None:
    write(tmp_path)
    days = {"start_date": "2024-03-04", "end_date": "2024-03-04"}
    found = client_of(tmp_path).post("/simulate/batch", json=days | {"method": "best"})
    assert found.status_code == 422
    assert "queues.evaluation_method" in found.text


def test_every_word_that_means_something_else_is_no_method() -> None:
    method = next(each for each in settings() if each.name == "method")
    assert not set(MISTAKEN) & set(method.words)
    assert all(word == word.lower() for word in MISTAKEN)


def test_a_slip_of_the_pen_gets_the_nearest_method() -> None:
    with pytest.raises(InvalidScenario, match=r"did you mean longest_idle\?"):
        scenario_of({"mode": "replay", "method": "longest-idle"})


# --- values as people write them -----------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes() | st.times()
    | st.text("abc", max_size=5) | st.binary(max_size=3) | st.builds(PurePosixPath, st.text("ab", min_size=1))
    | st.just(object) | st.just(np.float64(1.5)) | st.just(np.arange(3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


@given(VALUES)
def test_no_value_is_shown_as_python_writes_it(value: object) -> None:
    said = shown(value)
    assert not REPR.search(said), said
    assert said.isprintable()
    assert len(said) <= 60


@given(st.sampled_from([each.name for each in settings()]), VALUES)
def test_no_setting_is_refused_in_python_s_words(name: str, value: object) -> None:
    try:
        scenario_of({"mode": "replay", name: value} if name != "mode" else {name: value})
    except RoutingError as error:
        assert not REPR.search(str(error)), error


@given(VALUES)
def test_no_study_is_refused_in_python_s_words(value: object) -> None:
    for content in (value, {"from": value}, {"scenario": value}, {"snapshot": value}, {"scenario": [{"name": value}]}):
        try:
            comparing(content)  # type: ignore[arg-type]
        except RoutingError as error:
            assert not REPR.search(str(error)), error


def test_a_cell_is_shown_as_a_file_writes_it() -> None:
    place = Place("staffing.csv", 2)
    assert place.problem(0, "end_at", datetime(2026, 3, 1, 9), "must be later") == (
        "staffing.csv, row 2, column end_at: 2026-03-01 09:00:00: must be later"
    )
    assert cell([{"media": "voice", "count": 1}]) == "'voice:1'"
    assert (cell(None), cell([]), cell(time(9))) == ("nothing", "an empty list", "09:00:00")


@pytest.mark.parametrize(("table", "columns"), [
    ("staffing", {"agent_id": ["a"], "start_at": [datetime(2026, 3, 1, 9)], "end_at": [datetime(2026, 3, 1, 8)]}),
    ("agents", {"agent_id": ["a"], "skills": [[{"name": "x", "proficiency": 9.0}]]}),
    ("agents", {"agent_id": ["a"], "idle_since": ["soon"]}), ("agents", {"agent_id": [None]}),
    ("members", {"queue_id": ["q", "q"], "agent_id": ["a", "a"]}),
    ("agents", {"agent_id": ["a"], "capacity": [[{"media": "fax", "count": 1}]]}),
    ("interactions", {"interaction_id": ["i"], "queue_id": ["q"], "arrived_at": [datetime(2026, 3, 1)],
                      "skills": [["a", ""]]}),
])  # fmt: skip
def test_no_table_is_refused_in_python_s_words(table: str, columns: dict[str, list[object]]) -> None:
    frame = pl.DataFrame(columns, strict=False)
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    frame = frame.with_columns(pl.col(times).dt.cast_time_unit("us").dt.replace_time_zone("UTC"))
    with pytest.raises(InvalidTable) as caught:
        check(table, frame)
    assert not REPR.search(str(caught.value)), caught.value


@pytest.mark.parametrize(("dtype", "words"), [
    (pl.Datetime("us", "UTC"), "times"), (pl.List(pl.Int64), "lists of numbers"), (pl.Boolean, "true or false"),
    (pl.Struct({"a": pl.Int8}), "tables"), (pl.Float32, "numbers"), (pl.Time, "values of type time"),
])  # fmt: skip
def test_types_of_columns_have_words(dtype: object, words: str) -> None:
    assert type_words(dtype) == words
