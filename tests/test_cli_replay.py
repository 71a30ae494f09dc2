"""Replays from the command line: whole files, JSON for machines, words for people, one clear line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from api.terminal.cli import run
from engine.data.tables import TABLES, Tables
from engine.reports.replay import MEASURES
from engine.reports.replayed import HEADLINE
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.writing import SnapshotWriter
from ingest.synthetic import make

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight made-up days; the same with waits recorded three times as long; and one with rings that cannot be read."""
    folder = tmp_path_factory.mktemp("store")
    make(folder, "made", interactions=940, agents=5, days=8, queues=2, skills=2, languages=2)
    snapshot = open_snapshot(folder, "made")
    tables = Tables.of({name: snapshot.table(name) for name in TABLES})
    longer = tables.interactions.with_columns(wait_s=3 * pl.col("wait_s"))
    write(folder, "off", tables, interactions=longer)
    write(folder, "odd", tables, queues=tables.queues.with_columns(rings=pl.lit("three")))
    return folder


def write(folder: Path, name: str, tables: Tables, **changed: pl.DataFrame) -> None:
    with SnapshotWriter(folder, name, source={"kind": "test"}, time_zone="UTC") as writer:
        for table, frame in tables:
            if table == "interactions":
                writer.add_interactions(changed.get(table, frame))
            elif frame.height:
                writer.add(table, changed.get(table, frame))
        writer.commit()


def routelab(store: Path, command: str, *options: str, snapshot: str = "made") -> int:
    return run([command, "--snapshot", snapshot, "--store", str(store), *options])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- simulate ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["weighted", "genesys", "random"])
def test_simulate_writes_two_whole_files_and_says_what_they_hold(
    store: Path, tmp_path: Path, capsys: Captured, method: str
) -> None:
    out = tmp_path / "out"
    assert routelab(store, "simulate", "--mode", "replay", "--method", method, "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert names(out) == ["outcomes.arrow", "report.json"]
    outcomes, report = pl.read_ipc(out / "outcomes.arrow"), json.loads((out / "report.json").read_text())
    assert outcomes.height == report["service_level"]["offered"] == 940
    status = outcomes["status"].cast(pl.String)
    for end in ("answered", "abandoned", "flowed_out", "unserved"):
        assert report["service_level"][end] == (status == end).sum()
    assert outcomes["composite_score"].null_count() == 940 - (report["routed"] if method == "weighted" else 0)
    assert outcomes["wait_s"].null_count() == 0
    assert outcomes.schema["end_at"] == pl.Datetime("us", "UTC")
    rows = open_snapshot(store, "made").table("interactions").sort("arrived_at", "interaction_id")
    assert outcomes["interaction_id"].cast(pl.String).to_list() == rows["interaction_id"].to_list()
    words = " ".join(said.split())
    assert words.startswith(HEADLINE)
    assert "GREEN today's rule replayed has an ASA equal to the recorded one" in words
    assert report["replay"]["verdict"] in words
    assert "recorded" in said
    assert "today's rule, replayed" in said
    assert f"written: {out / 'outcomes.arrow'}" in said
    assert "nan" not in words.lower()
    assert report["timing"]["interactions_per_s"] > 0


def test_json_is_the_report_and_nothing_else(store: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "out"
    options = ["--sla", "80/20", "--performance", "rolling", "--replications", "2", "--interval", "15"]
    assert routelab(store, "simulate", "--mode", "replay", *options, "--out", str(out), "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == json.loads((out / "report.json").read_text())
    assert said.err == ""
    report = json.loads(said.out)
    assert report["scenario"]["performance"] == "rolling"
    assert report["replay"]["replications"] == 2
    assert report["replay"]["goal"]["n_moves"] > 0
    assert {row["start"][14:16] for row in report["service_level"]["by_interval"]} > {"15"}


@pytest.mark.parametrize(("options", "field", "value"), [
    (["--service-level", "offered"], "service_level", "offered"),
    (["--short-abandon", "5"], "short_abandon_s", 5.0),
    (["--seed", "9"], "seed", 9),
    (["--required", "skills,language"], "required", ["skills", "language"]),
    (["--point", "30"], "point_s", 30.0),
    (["--acw", "2.5"], "acw_s", 2.5),
    (["--handling", "agent"], "handling", "agent"),
    (["--patience", "never"], "patience", "never"),
    (["--flow-out", "12"], "flow_out", 12.0),
    (["--flow-out", "never"], "flow_out", "never"),
    (["--no-answer", "0.1", "--alert-timeout", "8", "--away", "9"], "away_s", 9.0),
    (["--join-gap", "60", "--lead", "1", "--tail", "2"], "tail_s", 2.0),
    (["--switch", "lookback_days=3", "--switch", "resets_on_queue=true"], "resets_on_queue", True),
    (["--switch", "longest_idle=7"], "longest_idle", 7),
])  # fmt: skip
def test_options_reach_the_scenario_of_the_report(
    store: Path, tmp_path: Path, capsys: Captured, options: list[str], field: str, value: Any
) -> None:
    assert routelab(store, "simulate", "--mode", "replay", *options, "--out", str(tmp_path / "out"), "--json") == 0
    said = json.loads(capsys.readouterr().out)["scenario"]
    found = {**said["assumptions"], **said["switches"], **said}
    assert found[field] == value


def test_simulate_replays_where_no_mode_is_asked_for(store: Path, tmp_path: Path, capsys: Captured) -> None:
    """With what holds in a replay, and shown in the report: no threshold, filters as today's rule has them."""
    found = []
    for mode in ([], ["--mode", "replay"]):
        assert routelab(store, "simulate", *mode, "--out", str(tmp_path / "out"), "--json", "--replace") == 0
        found.append(json.loads(capsys.readouterr().out) | {"timing": None})
    assert found[0] == found[1]
    held = found[0]["scenario"]
    assert (held["mode"], held["required"], held["weights"]["min_score_threshold"]) == ("replay", ["today"], 0.0)


def test_only_the_days_asked_for_are_replayed(store: Path, tmp_path: Path, capsys: Captured) -> None:
    days = open_snapshot(store, "made").table("interactions")["arrived_at"].dt.date().unique().sort()
    options = ["--mode", "replay", "--from", str(days[1]), "--to", str(days[2]), "--out", str(tmp_path / "out")]
    assert routelab(store, "simulate", *options, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    arrived = open_snapshot(store, "made").table("interactions")["arrived_at"].dt.date()
    assert report["service_level"]["offered"] == arrived.is_in(days[1:3].implode()).sum() > 0
    assert report["replay"]["verdict"].startswith("not determined: fewer than seven days")


def test_days_without_interactions_are_refused_with_those_there_are(
    store: Path, tmp_path: Path, capsys: Captured
) -> None:
    options = ["--mode", "replay", "--from", "1999-01-01", "--to", "1999-01-02", "--out", str(tmp_path / "out")]
    assert routelab(store, "simulate", *options) == 2
    assert "there are no interactions in these days; the data hold 2026-01-05 to" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- what misses the record -----------------------------------------------------------------------------------------


def test_simulate_keeps_a_verdict_it_cannot_stand_for_unless_forced(
    store: Path, tmp_path: Path, capsys: Captured
) -> None:
    options = ["--mode", "replay", "--out", str(tmp_path / "out"), "--replace"]
    assert routelab(store, "simulate", *options, snapshot="off") == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "RED today's rule replayed has an ASA " in words and " (67 %) below the recorded one" in words
    assert "withheld: " in words
    assert "against today's rule on the same customers" not in words
    assert json.loads((tmp_path / "out" / "report.json").read_text())["replay"]["differences"] is None
    assert routelab(store, "simulate", *options, "--force", snapshot="off") == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "RED" in words
    assert "against today's rule on the same customers: service level " in words
    assert json.loads((tmp_path / "out" / "report.json").read_text())["replay"]["light"]["forced"] is True


def test_compare_keeps_verdicts_it_cannot_stand_for_unless_forced(
    store: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = ["--out", str(tmp_path / "out"), "--replace"]
    assert routelab(store, "compare", *out, snapshot="off") == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "weighted against genesys: withheld: " in words
    assert routelab(store, "compare", *out, "--force", "--json", snapshot="off") == 0
    assert set(MEASURES) <= set(json.loads(capsys.readouterr().out)["verdicts"][0])


# --- compare ---------------------------------------------------------------------------------------------------------


def test_compare_writes_one_whole_file_and_shows_both_ways_of_handling(
    store: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    assert routelab(store, "compare", "--methods", "genesys, weighted,longest_idle", "--out", str(out)) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert names(out) == ["study.json"]
    content = json.loads((out / "study.json").read_text())
    assert [scenario["method"] for scenario in content["scenarios"]] == ["genesys", "weighted", "longest_idle"]
    assert [verdict["rule"] for verdict in content["verdicts"]] == ["weighted", "longest_idle"]
    assert "Recorded handling times hold for every agent" in words
    assert "Handling times change with the agent" in words
    shares = content["sides"][0]["columns"][1]
    tight = words.replace(" ", "")
    assert f"│choiceofableagents│-│{100 * shares['choice_share']:.1f}%│" in tight
    assert "│idlewhilewaiting│-│0.0%│0.0%│0.0%│" in tight
    assert shares["idle_causes"] == dict.fromkeys(shares["idle_causes"], 0.0)
    score, idle = content["verdicts"]
    assert f"weighted against genesys: service level {score['service_level']}; ASA, s " in words
    # The queues evaluate all, so under the same filters that is the longest idle.
    assert f"longest_idle against genesys: {idle['nothing']}" in words
    assert "│longest_idle" not in words.replace(" ", "") and "│weighted│servicelevel" in words.replace(" ", "")
    assert "nan" not in words.lower().split()


def test_compare_json_is_the_file(store: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "out"
    assert routelab(store, "compare", "--methods", "weighted,weighted", "--out", str(out), "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == json.loads((out / "study.json").read_text())
    assert said.err == ""
    assert json.loads(said.out)["verdicts"][0]["nothing"] == "the same rule, so there is nothing to compare"
    assert routelab(store, "compare", "--methods", "weighted,weighted", "--out", str(out), "--replace") == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "weighted (2) against weighted: the same rule, so there is nothing to compare" in words
    assert "no clear difference" not in words and words.count("today's rule replayed has") == 1


def test_simulating_the_rule_in_force_prints_one_table(store: Path, tmp_path: Path, capsys: Captured) -> None:
    """The record beside the baseline; nothing of differences, and no scenario."""
    assert routelab(store, "simulate", "--mode", "replay", "--method", "genesys", "--out", str(tmp_path)) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "this is today's rule itself, the baseline: there is no other rule to compare it with" in words
    assert "no clear difference" not in words and "scenario" not in words and "less today" not in words
    said = json.loads((tmp_path / "report.json").read_text())["replay"]
    assert said["differences"] is None and said["verdict"].startswith("this is today's rule itself")


# --- explain --------------------------------------------------------------------------------------------------------


def test_explain_agrees_with_what_simulate_wrote(store: Path, tmp_path: Path, capsys: Captured) -> None:
    """Of the first, of one that waited, of one that gave up."""
    rule = ["--mode", "replay", "--method", "genesys"]
    assert routelab(store, "simulate", *rule, "--out", str(tmp_path / "out"), "--json") == 0
    outcomes = pl.read_ipc(tmp_path / "out" / "outcomes.arrow").with_columns(pl.col("status").cast(pl.String))
    waited = outcomes.filter((pl.col("wait_s") > 1) & (pl.col("status") == "answered"))
    left = outcomes.filter(pl.col("status") == "abandoned")
    capsys.readouterr()
    for row in (outcomes.row(0, named=True), waited.row(0, named=True), left.row(0, named=True)):
        one = [*rule, "--interaction", row["interaction_id"]]
        assert routelab(store, "explain", *one, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert said["interaction"]["agent_id"] == row["selected_agent_id"]
        assert said["interaction"]["status"] == row["status"]
        assert said["interaction"]["wait_s"] == row["wait_s"]
        assert len(said["agents"]) == 5
        assert routelab(store, "explain", *one, "--top", "2") == 0
        words = " ".join(capsys.readouterr().out.split())
        assert "3 more agents; --top 5 shows all" in words
        assert ("chosen" in words) == (row["status"] == "answered")
        assert ("Interactions that the agent could have taken" in words) == bool(said["waiting"])
    assert said["decision"]["how"].startswith("nobody answered")


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "options", "says"), [
    ("simulate", ["--method", "fastest"], "method is 'fastest'; use one of weighted, genesys"),
    ("simulate", ["--replications", "0"], "replications is 0; use a whole number from 1 to 1,000"),
    ("simulate", ["--replications", "x"], "replications is 'x'; use a whole number from 1 to 1,000"),
    ("simulate", ["--window", "0"], "window_s is 0.0; use seconds from 1"),
    ("simulate", ["--replan", "0.5"], "replan_s is 0.5; use seconds from 1"),
    ("simulate", ["--replan", "nan"], "replan_s is nan"),
    ("simulate", ["--service-level", "all"], "service_level is 'all'; use one of genesys, offered, answered"),
    ("simulate", ["--short-abandon=-1"], "short_abandon_s is -1.0"),
    ("simulate", ["--interval", "20"], "interval_min is '20'; use one of 15, 30, 60"),
    ("simulate", ["--no-answer", "1"], "no_answer is 1.0; use a number from 0 to 0.95"),
    ("simulate", ["--join-gap=-5"], "join_gap_s is -5.0"),
    ("simulate", ["--acw", "inf"], "acw_s is inf"),
    ("simulate", ["--handling", "mine"], "handling is 'mine'; use recorded or agent"),
    ("simulate", ["--patience", "none"], "patience is 'none'; use estimated or never"),
    ("simulate", ["--switch", "longest_idle"], "--switch 'longest_idle': write NAME=true"),
    ("simulate", ["--switch", "resets_on_queue=1"], "--switch 'resets_on_queue=1'"),
    ("simulate", ["--switch", "lookback_days=-1"], "lookback_days is -1.0"),
    ("simulate", ["--performance", "rolling"], "--performance needs --sla"),
    ("simulate", ["--sla", "80/20", "--performance", "often"], "performance is 'often'; use rolling or a number"),
    ("simulate", ["--seed=-1"], "seed is -1"),
    ("simulate", ["--from", "2026-13-01"], "--from is '2026-13-01'; write an existing day as YYYY-MM-DD"),
    ("explain", ["--interaction", "i9999"], "interaction 'i9999' is not in this data; ids look like 'i001'"),
    ("explain", [], "Missing option '--interaction'"),
    ("compare", ["--methods", "genesys"], "compare: give two rules or more, for example genesys,weighted"),
    ("compare", ["--methods", ""], "compare: give two rules or more"),
    ("compare", ["--methods", "genesys,best"], "method genesys plays it; use one of weighted, genesys"),
])  # fmt: skip
def test_bad_usage_is_one_clear_line_and_exit_code_2(
    store: Path, tmp_path: Path, capsys: Captured, command: str, options: list[str], says: str
) -> None:
    mode = [] if command == "compare" else ["--mode", "replay"]
    out = [] if command == "explain" else ["--out", str(tmp_path / "out")]
    assert routelab(store, command, *mode, *options, *out) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["simulate", "compare"])
def test_a_run_that_fails_leaves_the_files_of_the_last(
    store: Path, tmp_path: Path, capsys: Captured, command: str
) -> None:
    """Rings of a queue cannot be read: told with place and remedy, before anything is replaced."""
    options = ["--mode", "replay"] if command == "simulate" else []
    out = tmp_path / "out"
    assert routelab(store, command, *options, "--out", str(out)) == 0
    before = {name: (out / name).read_bytes() for name in names(out)}
    capsys.readouterr()
    assert routelab(store, command, *options, "--out", str(out), "--replace", snapshot="odd") == 2
    said = capsys.readouterr()
    assert "column rings: 'three': is not JSON" in said.err
    assert "Traceback" not in said.err
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_outcomes_need_a_folder(store: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    for out, says in (("file", "file"), ("out", "is a folder; choose another --out")):
        assert routelab(store, "simulate", "--mode", "replay", "--out", str(tmp_path / out)) == 2
        assert says in capsys.readouterr().err
    assert names(tmp_path / "out") == ["report.json"]


# --- calibrations ---------------------------------------------------------------------------------------------------


def test_a_calibration_gives_assumptions_and_options_win(store: Path, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "fitted" / "bank.json"
    path.parent.mkdir()
    fitted = {"kind": "routelab calibration", "assumptions": {"acw_s": 4.0, "point_s": 70.0}, "evidence": {"days": 3}}
    path.write_text(json.dumps(fitted))
    options = ["--mode", "replay", "--calibration", str(path), "--point", "80", "--out", str(tmp_path / "out")]
    assert routelab(store, "simulate", *options, "--json") == 0
    said = json.loads(capsys.readouterr().out)["scenario"]["assumptions"]
    assert (said["acw_s"], said["point_s"], said["lead_s"]) == (4.0, 80.0, 0.0)


@pytest.mark.parametrize(("content", "says"), [
    (b"{", "cannot be read as a calibration"),
    (b"[]", "is no calibration file; make one with 'routelab calibrate'"),
    (b'{"assumptions": {}}', "is no calibration file"),
    (b'{"kind": "routelab calibration", "assumptions": []}', "is no calibration file"),
    (orjson.dumps({"kind": "routelab calibration", "assumptions": {"gap": 1}}), "assumptions: 'gap' is not one of"),
    (orjson.dumps({"kind": "routelab calibration", "assumptions": {"acw_s": "long"}}), "acw_s is 'long'"),
    (None, "there is no such file; make one with 'routelab calibrate"),
])  # fmt: skip
def test_a_file_that_is_no_calibration_is_refused(
    store: Path, tmp_path: Path, capsys: Captured, content: bytes | None, says: str
) -> None:
    path = tmp_path / "fitted.json"
    if content is not None:
        path.write_bytes(content)
    assert routelab(store, "simulate", "--mode", "replay", "--calibration", str(path)) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
