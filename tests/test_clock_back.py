"""Local times that a clock shows twice: what the rows tell is read, what they do not is counted and said everywhere."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import routelab
from api.terminal.cli import run
from engine.data.wall_time import DAY_US, NOT_TOLD_APART, local_days, span_of_days
from ingest.files import import_files, read_table
from ingest.files.cells.time_cells import SKIPPED
from ingest.files.clock_back import AMBIGUOUS, TOLD_APART
from ingest.snapshot.reading import open_snapshot
from tests.small_files import AGENTS, refused, write

MINUTE_US = 60_000_000
# Whole hours and half ones, north and south, at two, at midnight, before midnight; Troll goes back by two hours.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Australia/Sydney",
    "America/Havana", "Atlantic/Azores", "Africa/Cairo", "Asia/Beirut", "Antarctica/Troll", "Pacific/Auckland",
)  # fmt: skip


def changes_back(zone: str, year: int) -> list[tuple[int, int]]:
    """When the clock of a zone goes back in a year, by half hours of UTC, and by how much. [us]"""
    start = datetime(year, 1, 1)
    utc = pl.datetime_range(start, start + timedelta(days=366), "30m", time_unit="us", time_zone="UTC", eager=True)
    local = utc.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    back = local.diff().dt.total_microseconds().to_numpy() - 30 * MINUTE_US
    found = np.flatnonzero(np.nan_to_num(back) < 0)
    return [(int(utc.dt.epoch("us")[int(i)]), -int(back[i])) for i in found]


def local_texts(utc_us: Sequence[int], zone: str) -> list[str]:
    times = pl.Series(utc_us, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    return times.dt.replace_time_zone(None).dt.strftime("%Y-%m-%d %H:%M:%S").to_list()


def read_back(texts: Sequence[str], zone: str, **more: Sequence[object]) -> pl.DataFrame:
    """The interactions of a file with such arrivals, in the order of the file."""
    frame = pl.DataFrame({
        "interaction_id": [f"i{n:04}" for n in range(len(texts))], "queue_id": "q", "arrived_at": texts, **more,
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        frame.write_csv(Path(folder) / "interactions.csv")
        return read_table("interactions", Path(folder) / "interactions.csv", zone)


def instants(frame: pl.DataFrame) -> list[int]:
    return frame["arrived_at"].dt.epoch("us").to_list()


def possible(text: str, zone: str) -> list[int]:
    """Instants at which a clock shows a text."""
    naive = pl.Series([text]).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
    both = [naive.dt.replace_time_zone(zone, ambiguous=which).dt.epoch("us")[0] for which in ("earliest", "latest")]  # type: ignore[arg-type]
    return sorted(set(both))


def by_brute_force(texts: Sequence[str], zone: str) -> list[set[int]]:
    """Every instant that a text has in some choice in which rows are in order of time."""
    choices = [
        chosen for chosen in itertools.product(*(possible(t, zone) for t in texts)) if list(chosen) == sorted(chosen)
    ]
    return [set(of_row) for of_row in zip(*choices, strict=True)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.integers(2012, 2035), st.integers(0, 10**6), st.booleans())
def test_a_dense_file_in_order_is_read_back_to_the_last_second(zone, year, seed, newest_first):
    """Calls every few minutes around the change, in order: the clock is seen to go back, and every time is known."""
    for at_us, back_us in changes_back(zone, year):
        rng = np.random.default_rng(seed)
        utc = np.cumsum(rng.integers(1, 300, 150)) * 1_000_000
        utc = utc - utc[75] + at_us
        # One call in the last and one in the first minutes of the two passes, so that the clock is seen to go back.
        utc = np.sort(np.concatenate([utc, [at_us - 1_000_000, at_us + 1_000_000, at_us - 2 * back_us]]))
        given_us = utc[::-1] if newest_first else utc
        assert instants(read_back(local_texts(given_us.tolist(), zone), zone)) == given_us.tolist()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.integers(2012, 2035), st.lists(st.integers(-200, 200), min_size=1, max_size=6))
def test_of_few_rows_exactly_what_any_order_leaves_open_is_read_as_the_earlier(zone, year, minutes):
    """Against every choice of instants that is in order: where all agree the time is known, else it is the earlier."""
    for at_us, _ in changes_back(zone, year):
        utc = sorted({at_us + minute * MINUTE_US for minute in minutes})
        # Known calls around them show that the file is in order.
        utc = [at_us - 9 * 60 * MINUTE_US, at_us - 8 * 60 * MINUTE_US, *utc, at_us + 8 * 60 * MINUTE_US]
        texts = local_texts(utc, zone)
        wanted = [min(either) for either in by_brute_force(texts, zone)]
        found = instants(read_back(texts, zone))
        assert found == wanted
        assert all(read == true for read, true, either in zip(found, utc, by_brute_force(texts, zone), strict=True)
                   if len(either) == 1)  # fmt: skip


NIGHT = ["01:30", "02:10", "02:55", "02:05", "02:40", "03:10"]
UTC_TIMES = ["23:30", "00:10", "00:55", "01:05", "01:40", "02:10"]


def berlin(clocks: Sequence[str]) -> list[str]:
    return [f"2025-10-26 {clock}:00" for clock in clocks]


def utc_clocks(frame: pl.DataFrame) -> list[str]:
    return frame["arrived_at"].dt.strftime("%H:%M").to_list()


def test_the_clock_is_seen_to_go_back() -> None:
    """By hand: after 02:55 comes 02:05, so those before are summer time (UTC + 2) and those after are not (UTC + 1)."""
    assert utc_clocks(read_back(berlin(NIGHT), "Europe/Berlin")) == UTC_TIMES
    assert utc_clocks(read_back(berlin(NIGHT[::-1]), "Europe/Berlin")) == UTC_TIMES[::-1]


def test_a_file_in_order_within_queues_or_agents_is_in_order() -> None:
    """Two queues one after another, each in order; and a little disorder, as where calls are written at their end."""
    queues = ["a"] * 12 + ["b"] * 12
    # Each queue needs more known rows than may stand in order by chance.
    more = [f"{hour:02}:00" for hour in range(4, 10)]
    frame = pl.DataFrame({"t": berlin([*NIGHT, *more]) * 2})
    rows = read_back(frame["t"].to_list(), "Europe/Berlin").with_columns(queue_id=pl.Series(queues))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.csv"
        rows.select("interaction_id", "queue_id", arrived_at=frame["t"]).write_csv(path)
        found = utc_clocks(read_table("interactions", path, "Europe/Berlin"))
    assert found[:6] == found[12:18] == UTC_TIMES
    jitter = ["01:00", "01:35", "01:30", "02:10", "02:55", "02:52", "02:05", "02:03", "02:40", "03:10"]
    assert utc_clocks(read_back(berlin(jitter), "Europe/Berlin")) == [
        "23:00", "23:35", "23:30", "00:10", "00:55", "00:52", "01:05", "01:03", "01:40", "02:10",
    ]  # fmt: skip


def test_rows_in_no_order_tell_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    clocks = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (7, 29, 48)]
    mixed = [clocks[i] for i in rng.permutation(len(clocks))]
    found = read_back(berlin(mixed), "Europe/Berlin")
    early = [found["arrived_at"].dt.strftime("%H:%M").to_list()[mixed.index(clock)] for clock in ("02:07", "02:48")]
    assert early == ["00:07", "00:48"]
    rows = "".join(f"i{n},q,{text}\n" for n, text in enumerate(berlin(mixed)))
    paths = write(tmp_path, agents=AGENTS, interactions="interaction_id,queue_id,arrived_at\n" + rows)
    manifest = import_files(tmp_path / "s", "x", **paths, time_zone="Europe/Berlin")
    assert [said for said in manifest.assumptions if NOT_TOLD_APART in said] == [
        "interactions: 3 local times that the clock showed twice (2025-10-26, Europe/Berlin) are read as the earlier, "
        "since the rows are in no order of time: they may lie 60 minutes too early; write times with their offset, as "
        "in 2024-10-27T02:30:00+01:00"
    ]  # fmt: skip


def test_what_stays_open_is_said_at_import_and_by_every_report(tmp_path: Path, capsys) -> None:
    """02:10 and 02:40 with nothing between: no fall is seen, both may be either."""
    rows = "".join(
        f"i{n},q,{text},answered,a1,0,60\n" for n, text in enumerate(berlin(["01:30", "02:10", "02:40", "03:10"]))
    )
    header = "interaction_id,queue_id,arrived_at,outcome,agent_id,wait_s,handle_s\n"
    paths = write(tmp_path, agents="agent_id\na1\n", interactions=header + rows)
    store = str(tmp_path / "s")
    named = [part for table, path in paths.items() for part in (f"--{table}", str(path))]
    assert run(["snapshot", "files", "--name", "x", "--store", store, *named, "--time-zone", "Europe/Berlin"]) == 0
    assert "2 local times that the clock showed twice" in " ".join(capsys.readouterr().out.split())
    assert open_snapshot(tmp_path / "s", "x").manifest.repairs == {f"interactions: {AMBIGUOUS}": 2}
    for mode in ("replay", "score"):
        out = tmp_path / mode
        assert run(["simulate", "--snapshot", "x", "--store", store, "--mode", mode, "--out", str(out)]) == 0
        assert "2 local times that the clock showed twice" in " ".join(capsys.readouterr().out.split())
        assert any(NOT_TOLD_APART in said for said in json.loads((out / "report.json").read_text())["warnings"])
    out = tmp_path / "compared"
    assert run(["compare", "--snapshot", "x", "--store", store, "--methods", "genesys,random", "--out", str(out)]) == 0
    assert "2 local times that the clock showed twice" in " ".join(capsys.readouterr().out.split())


def test_frames_are_read_alike() -> None:
    times = pl.Series(berlin(NIGHT)).str.to_datetime("%Y-%m-%d %H:%M:%S")
    rows = pl.DataFrame({"interaction_id": [f"i{n}" for n in range(6)], "queue_id": "q", "arrived_at": times})
    found = routelab.read(agents=[{"agent_id": "a"}], interactions=rows, time_zone="Europe/Berlin")
    assert utc_clocks(found.table("interactions")) == UTC_TIMES
    assert f"interactions: {TOLD_APART}" in found.arrays.snapshot.repairs


def spells(rows: Sequence[tuple[str, str, str]], folder: Path, table: str = "staffing") -> list[tuple[str, str]]:
    """Starts and ends in UTC of spells on the clock of Berlin."""
    text = "".join(f"{agent},2025-10-{start},2025-10-{end}\n" for agent, start, end in rows)
    path = write(folder, **{table: "agent_id,start_at,end_at\n" + text})[table]
    found = read_table(table, path, "Europe/Berlin")
    return [(f"{start:%H:%M}", f"{end:%H:%M}") for start, end in found.select("start_at", "end_at").iter_rows()]


@pytest.mark.parametrize("table", ["staffing", "busy"])
def test_a_spell_ends_after_it_starts(table: str, tmp_path: Path) -> None:
    """02:50 to 02:10 is 20 minutes over the change; 02:10 to 02:50 may be either, and is the earlier."""
    rows = [
        ("a", "25 20:00:00", "26 01:00:00"), ("b", "26 02:50:00", "26 02:10:00"), ("c", "26 02:10:00", "26 02:50:00"),
    ]  # fmt: skip
    assert spells(rows, tmp_path, table) == [("18:00", "23:00"), ("00:50", "01:10"), ("00:10", "00:50")]


def test_spells_of_one_agent_do_not_overlap_where_none_does(tmp_path: Path) -> None:
    """The first ends at 02:30 and the next starts at 02:10: it can only be the second 02:10, and the first 02:30."""
    rows = [
        ("a", "25 20:00:00", "26 02:30:00"),
        ("a", "26 02:10:00", "26 06:00:00"),
        ("b", "25 20:00:00", "25 23:00:00"),
    ]
    assert spells(rows, tmp_path) == [("18:00", "00:30"), ("01:10", "05:00"), ("18:00", "21:00")]
    # Blocks of an agent may overlap; where some do, one after another is no rule.
    rows += [("c", "25 20:00:00", "25 23:00:00"), ("c", "25 22:00:00", "25 23:30:00")]
    assert spells(rows, tmp_path)[:2] == [("18:00", "00:30"), ("00:10", "05:00")]


def test_an_agent_has_one_call_at_a_time() -> None:
    """A call at 01:50 of 30 minutes lasts to the first 02:20, so the call at 02:10 is of the second pass."""
    clocks = ["01:00", "01:50", "02:10", "03:30"]
    more = {"agent_id": ["a"] * 4, "wait_s": [0.0] * 4, "handle_s": [60.0, 1800.0, 60.0, 60.0]}
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        mixed = {name: [column[i] for i in order] for name, column in more.items()}
        found = utc_clocks(read_back(berlin([clocks[i] for i in order]), "Europe/Berlin", **mixed))
        assert sorted(found) == ["01:10", "02:30", "23:00", "23:50"]
    # A call at 02:50 of the second pass would last to 03:50, over the known one at 03:30: it is of the first.
    late = {"agent_id": ["a"] * 3, "wait_s": [0.0] * 3, "handle_s": [60.0, 3600.0, 60.0]}
    assert utc_clocks(read_back(berlin(["01:00", "02:50", "03:30"]), "Europe/Berlin", **late))[1] == "00:50"
    other = more | {"agent_id": ["a", "a", "b", "a"]}
    assert utc_clocks(read_back(berlin(clocks), "Europe/Berlin", **other))[2] == "00:10"
    # Where calls of an agent overlap elsewhere, as chats do, an overlap tells nothing.
    chats = more | {"handle_s": [3600.0, 1800.0, 60.0, 60.0]}
    assert utc_clocks(read_back(berlin(clocks), "Europe/Berlin", **chats))[2] == "00:10"


def test_a_file_in_order_of_the_clock_tells_nothing() -> None:
    """As a spreadsheet sorts it: both passes lie between each other, no fall is seen, and every time stays open."""
    clocks = ["01:30", "02:05", "02:10", "02:40", "02:41", "03:10"]
    more = {"agent_id": ["a"] * 6, "wait_s": [0.0] * 6, "handle_s": [60.0, 60.0, 1800.0, 600.0, 60.0, 60.0]}
    assert utc_clocks(read_back(berlin(clocks), "Europe/Berlin", **more))[1:5] == ["00:05", "00:10", "00:40", "00:41"]


def test_times_with_an_offset_are_never_in_doubt() -> None:
    texts = ["2025-10-26T02:10:00+01:00", "2025-10-26T02:40:00+02:00", "2025-10-26T02:20:00"]
    assert utc_clocks(read_back(texts, "Europe/Berlin")) == ["01:10", "00:40", "00:20"]


@pytest.mark.parametrize(("zone", "text", "utc"), [
    ("Europe/Berlin", "2025-03-30 02:30:00", "01:30"), ("Australia/Lord_Howe", "2025-10-05 02:15:00", "15:45"),
    ("America/Santiago", "2025-09-07 00:30:00", "04:30"),
])  # fmt: skip
def test_an_hour_that_is_left_out_is_refused_as_recorded_and_taken_as_planned(zone, text, utc, tmp_path: Path) -> None:
    """With the offset before the change: a shift planned to half past two ends half an hour after two."""
    rows = f"interaction_id,queue_id,arrived_at\ni1,q,{text}\ni2,q,{text}\n"
    (line,) = refused(tmp_path / "s", write(tmp_path, agents=AGENTS, interactions=rows), time_zone=zone)
    assert f"row 2, column arrived_at: '{text}': does not exist in {zone}" in line
    assert "2 rows have this" in line
    day = text[:10]
    paths = write(
        tmp_path, agents=AGENTS, interactions=rows.replace(text, f"{day} 12:00:00"),
        staffing=f"agent_id,start_at,end_at\na1,{text},{day} 20:00:00\n",
    )  # fmt: skip
    manifest = import_files(tmp_path / "s", "x", **paths, time_zone=zone)
    assert manifest.repairs == {f"staffing: {SKIPPED}": 1}
    assert open_snapshot(tmp_path / "s", "x").table("staffing")["start_at"].dt.strftime("%H:%M").to_list() == [utc]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(2012, 1, 1), date(2036, 1, 1)), st.integers(0, 2**32))
def test_whole_days_are_those_of_the_local_calendar(zone: str, day: date, seed: int) -> None:
    """`--from` and `--to` hold exactly the instants whose local date lies between, whenever the clock changes."""
    start_us, end_us = span_of_days(day, day + timedelta(days=1), zone)
    at_us = np.random.default_rng(seed).integers(start_us - DAY_US, end_us + DAY_US, 200)
    at_us = np.concatenate([at_us, [start_us - 1, start_us, end_us - 1, end_us]])
    for change_us, _ in changes_back(zone, day.year):
        near = np.arange(change_us - 3 * 60 * MINUTE_US, change_us + 3 * 60 * MINUTE_US, 7 * MINUTE_US)
        at_us = np.concatenate([at_us, near])
    inside = (at_us >= start_us) & (at_us < end_us)
    first = (day - date(1970, 1, 1)).days
    assert (np.isin(local_days(at_us, zone), [first, first + 1]) == inside).all()
