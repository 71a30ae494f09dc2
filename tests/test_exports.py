"""Exports of made-up centres, in many styles, come in as what happened; what cannot come in gets one clear answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.terminal.cli import run
from ingest.sheets import read_sheets
from ingest.snapshot.reading import Snapshot, open_snapshot
from tests.exported_bad import BAD, BOOKS, OPEN, STYLE, TEXTS, ZONE, book, centre, good, respelt
from tests.exported_files import Style, centre_of, random_style, write
from tests.exported_truth import differences

Captured = pytest.CaptureFixture[str]

# Each of another language or maker; together every way of writing times, durations, people, skills and plans.
STYLES = {
    "de, grid in a workbook": Style("de", 1, form="book", dates="dmy.", log_agent="last", plan="grid"),
    "en-US, AM and PM": Style(
        "en-US", 2, delimiter=",", comma=False, dates="mdy/ am", durations="m:ss", skills=":n", log_agent="email",
        plan="rows", plan_agent="last", title=True,
    ),
    "en-GB, minutes": Style(
        "en-GB", 3, delimiter=",", comma=False, dates="dmy/ minutes", durations="s", handle="parts", plan="activities",
        plan_agent="id",
    ),
    "fr, codes with a legend": Style("fr", 4, encoding="cp1252", dates="dmy/", cell="code"),
    "es, days down": Style("es", 5, form="xlsx", dates="dmy-", plan="days down", skills="columns", total=True),
    "it, months in a folder": Style("it", 6, form="months", dates="dmy/", split_dates=True, outcome="flags"),
    "nl, compressed": Style("nl", 7, form="gz", dates="ymd", durations="min", log_agent="id", days="weekday"),
    "pl, UTF-16": Style(
        "pl", 8, encoding="utf-16", delimiter="\t", dates="iso offset", durations="iso", skills="plain", plan="rows"
    ),
    "Avaya, stamps": Style(
        "avaya", 9, delimiter=",", comma=False, dates="iso z", wait="stamps", handle="end", outcome="presence",
        skills="queues", plan="none",
    ),
    "Cisco, answer less wait": Style(
        "cisco", 10, delimiter=",", comma=False, dates="mdy/", durations="h:mm:ss", wait="backwards", handle="parts",
        plan_agent="email", cell="%h-%h",
    ),
    "Amazon Connect, milliseconds": Style(
        "connect", 11, delimiter=",", comma=False, dates="iso ms z", durations="ms", skills="marks", ids=False,
    ),
    "serial numbers": Style("de", 12, dates="serial", durations="fraction", extra=False, plan_agent="last"),
}  # fmt: skip


def imported(folder: Path, files: list[Path], *options: str, name: str = "x") -> int:
    """The exit code of an import by content, without a replay after it."""
    store = ["--store", str(folder / "store"), "--no-light", "--json"]
    return run(["snapshot", "files", "--name", name, *map(str, files), *options, *store])


def options_of(style: Style) -> list[str]:
    """What a planner says of files in this style: the zone, and the order of dates where they leave it open."""
    return ["--time-zone", style.zone, *(["--dates", style.order] if style.order else [])]


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_exports_come_in_as_what_happened(tmp_path: Path, capsys: Captured, style: Style) -> None:
    made = centre_of(style, style.seed, days=2, n_agents=6, n_queues=2)
    files = write(made, style, tmp_path / "in").files
    assert imported(tmp_path, files, *options_of(style)) == 0, capsys.readouterr().err
    assert differences(open_snapshot(tmp_path / "store", "x"), made, style) == []


@pytest.mark.parametrize("plan", ["grid", "days down"])
def test_a_plan_of_one_day_is_a_plan(tmp_path: Path, plan: str) -> None:
    """Neither a list of agents or queues with a column more nor a row of anything."""
    style = Style("pl", 9, plan=plan, plan_agent="name", days="weekday" if plan == "grid" else "whole")
    made = centre_of(style, 9, days=1, n_agents=5, n_queues=1)
    assert imported(tmp_path, write(made, style, tmp_path / "in").files, *options_of(style)) == 0
    assert differences(open_snapshot(tmp_path / "store", "x"), made, style) == []


def test_the_replay_of_an_export_reproduces_the_record(tmp_path: Path, capsys: Captured) -> None:
    style = STYLES["de, grid in a workbook"]
    made = centre_of(style, 3, days=6, n_agents=10, n_queues=3)
    assert imported(tmp_path, write(made, style, tmp_path / "in").files, *options_of(style)) == 0
    where = ["--snapshot", "x", "--store", str(tmp_path / "store"), "--out", str(tmp_path / "out")]
    capsys.readouterr()
    assert run(["simulate", *where, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["replay"]["light"]["color"] == "green"


def test_a_log_in_files_of_any_names_and_the_next_month_by_its_profile(tmp_path: Path, capsys: Captured) -> None:
    """`april.csv` and `mai.csv` are one log, which no pattern names; the profile that was kept knows next month's."""
    style = STYLES["it, months in a folder"]
    made, later = (
        centre_of(style, 4, days=2, n_agents=5, n_queues=1, first_day=day)
        for day in (date(2026, 5, 4), date(2026, 6, 1))
    )
    log, *others = write(made, style, tmp_path / "in").files
    logs = [path.rename(tmp_path / f"{name}.csv") for path, name in zip(sorted(log.iterdir()), "abc", strict=True)]
    kept = tmp_path / "centre.toml"
    assert imported(tmp_path, [*logs, *others], *options_of(style), "--keep-profile", str(kept)) == 0
    assert differences(open_snapshot(tmp_path / "store", "x"), made, style) == []
    assert not any(agent.last in kept.read_text("utf-8") for agent in made.agents)
    log, *others = write(later, style, tmp_path / "later").files
    logs = [path.rename(tmp_path / f"{name}.csv") for path, name in zip(sorted(log.iterdir()), "abc", strict=True)]
    assert imported(tmp_path, [*logs, *others], "--profile", str(kept), name="y") == 0, capsys.readouterr().err
    assert differences(open_snapshot(tmp_path / "store", "y"), later, style) == []


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.sampled_from(range(40)))
def test_two_styles_of_a_centre_give_the_same_tables(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """However it is written, a centre is the same centre; ids of interactions and rounding aside."""
    folder = tmp_path_factory.mktemp("styles")
    plain = Style("de", seed, log_agent="id", plan_agent="id", skills="(n)")
    other = replace(random_style(seed), vocabulary="de", skills=":n", queues=True, dates="dmy.", split_dates=False,
                    durations="h:mm:ss", wait="given", outcome="words", plan="grid", cell=plain.cell)  # fmt: skip
    made = centre_of(plain, seed, days=2, n_agents=5, n_queues=2)
    tables = []
    for name, style in (("plain", plain), ("other", other)):
        files = write(made, style, folder / name).files
        assert imported(folder, files, *options_of(style), name=name) == 0
        tables.append(whole(open_snapshot(folder / "store", name)))
    for one, another in zip(*tables, strict=True):
        assert one.equals(another)


def whole(snapshot: Snapshot) -> list[pl.DataFrame]:
    """All tables, with what styles have no word for left out."""
    wanted = {
        "agents": ["agent_id", "skills", "languages"],
        "members": ["queue_id", "agent_id"],
        "queues": ["queue_id", "service_level_share", "service_level_s"],
        "interactions": [
            "arrived_at", "queue_id", "agent_id", "outcome", "wait_s", "handle_s", "language",
            "skills", "media",
        ],
        "staffing": ["agent_id", "start_at", "end_at"],
    }  # fmt: skip
    texts = pl.col(pl.Categorical, pl.Enum).cast(pl.String)
    return [
        snapshot.table(table).select(columns).with_columns(texts).sort(columns[:3]) for table, columns in wanted.items()
    ]


@pytest.mark.parametrize("case", [*TEXTS, *BOOKS])
def test_odd_files_hold_the_same_cells(tmp_path: Path, case: str) -> None:
    """As those of files that nobody touched."""
    odd, plain = tmp_path / "odd", tmp_path / "plain"
    odd.mkdir()
    plain.mkdir()
    found = read_sheets([str(path) for path in (TEXTS | BOOKS)[case](odd)])
    meant = read_sheets([str(path) for path in (book(plain) if case in BOOKS else good(plain).values())])
    for one, other in zip(found, meant, strict=True):
        assert one.frame.equals(other.frame)


def test_names_are_matched_however_their_letters_are_kept(tmp_path: Path, capsys: Captured) -> None:
    assert imported(tmp_path, respelt(tmp_path), *ZONE, "--dates", "dmy") == 0, capsys.readouterr().err
    assert differences(open_snapshot(tmp_path / "store", "x"), centre(), STYLE) == []


@pytest.mark.parametrize("share", ["90", "0,9", "90 %"])
def test_goals_may_be_percentages_and_levels_be_called_so(tmp_path: Path, capsys: Captured, share: str) -> None:
    """90 means 90 %, as nothing is above all of them."""
    files = good(tmp_path)
    files["queues"].write_text(f"Warteschlange;SL %;SL Sek\nRechnung;{share};60\n", "utf-8")
    agents = files["agents"].read_text("utf-8")
    files["agents"].write_text(agents.replace("Rechnung (", "Rechnung (Level "), "utf-8")
    assert imported(tmp_path, list(files.values()), *ZONE, "--dates", "dmy") == 0, capsys.readouterr().err
    assert differences(open_snapshot(tmp_path / "store", "x"), centre(), STYLE) == []


@pytest.mark.parametrize("case", BAD)
def test_bad_files_get_one_clear_answer(tmp_path: Path, capsys: Captured, case: str) -> None:
    make, words = BAD[case]
    options = [*ZONE, *([] if case in OPEN else ["--dates", "dmy"])]
    assert imported(tmp_path, make(tmp_path), *options) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split())
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 12
    assert not (tmp_path / "store" / "x").exists()
