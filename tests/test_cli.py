"""The command line as its users meet it: files, exit codes, one clear line for what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import PanicException

from api.terminal.cli import run
from api.terminal.commands import demo
from ingest.snapshot.reading import open_snapshot
from ingest.synthetic import making
from tests.small_snapshot import interactions, write


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write(tmp_path / "store")
    return tmp_path / "store"


def simulate(store: Path, out: Path, *more: str) -> int:
    named = [] if "--snapshot" in more else ["--snapshot", "s"]
    mode = [] if "--mode" in more else ["--mode", "score"]
    return run(["simulate", *named, *mode, "--store", str(store), "--out", str(out), *more])


def test_simulate_writes_one_row_per_interaction_and_a_report(store, tmp_path, capsys):
    assert simulate(store, tmp_path / "out") == 0
    outcomes = pl.read_ipc(tmp_path / "out" / "outcomes.arrow")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert outcomes.height == open_snapshot(store, "s").manifest.rows["interactions"] == 50
    assert outcomes.columns == [
        "interaction_id", "queue_id", "media", "arrived_at", "required_skill", "required_language",
        "selected_agent_id", "selected_agent_name", "composite_score", "status",
    ]  # fmt: skip
    assert report["routed"] + report["unrouted"]["total"] == 50
    assert report["routed"] == outcomes.filter(pl.col("status").cast(pl.String) == "routed").height
    assert outcomes["selected_agent_id"].is_null().sum() == report["unrouted"]["total"]
    said = capsys.readouterr().out
    assert said.lstrip().startswith("preference, not workload")
    assert "at the same time" in said


def test_report_json_has_the_agreed_keys(store, tmp_path):
    simulate(store, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {
        "scenario",
        "snapshot",
        "routed",
        "unrouted",
        "timing",
        "fairness",
        "agents",
        "csat",
        "service_level",
    } <= set(report)
    assert {
        "total_interactions", "agent_distribution", "gini_coefficient", "gini_seconds", "gini_occupancy",
        "chi2_statistic", "p_value", "effect_size", "expected", "groups", "is_fair", "verdict", "warnings",
    } <= set(report["fairness"])  # fmt: skip
    assert set(report["effect_size"] if "effect_size" in report else report["fairness"]["effect_size"]) == {
        "name", "value", "low", "high", "raw",
    }  # fmt: skip
    assert {"load_s", "simulate_s", "write_s", "interactions_per_s"} == set(report["timing"])
    assert {"simulated_mean", "recorded_mean", "coverage", "how"} <= set(report["csat"])
    assert {"agent_id", "handled", "handled_s", "eligible", "occupancy"} <= set(report["agents"][0])
    assert {"id", "sha256", "counts", "assumptions"} <= set(report["snapshot"])


def test_the_scenario_of_a_report_runs_again_with_the_same_outcome(store, tmp_path):
    from engine.estimates.assumptions import Switches
    from engine.run import choose
    from engine.scoring.weights import RoutingWeights
    from engine.spec import Scenario

    simulate(store, tmp_path / "out", "--weights", "0.2,0.3,0.5", "--sla", "80/20", "--performance", "0.7")
    kept = json.loads((tmp_path / "out" / "report.json").read_text())["scenario"]
    plain = {name: kind(**kept[name]) for name, kind in (("weights", RoutingWeights), ("switches", Switches))}
    again = Scenario(**kept | plain | {"required": tuple(kept["required"])})
    frame = choose(again, open_snapshot(store, "s").arrays()).to_frame()
    written = pl.read_ipc(tmp_path / "out" / "outcomes.arrow")
    assert frame["composite_score"].to_list() == written["composite_score"].to_list()


def test_json_is_the_report(store, tmp_path, capsys):
    assert simulate(store, tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "out" / "report.json").read_text())


def test_a_failed_run_keeps_the_results_of_the_last(store, tmp_path):
    simulate(store, tmp_path / "out")
    before = (tmp_path / "out" / "report.json").read_bytes()
    assert simulate(store, tmp_path / "out", "--replace", "--expected", "staffed") == 2
    assert (tmp_path / "out" / "report.json").read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["outcomes.arrow", "report.json"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--weights", "1,2"], "three numbers"),
        (["--weights", "a,b,c"], "three numbers"),
        (["--weights", "0,0,0"], "all three are 0"),
        (["--weights=-1,1,1"], "proficiency is -1.0"),
        (["--weights", "nan,1,1"], "proficiency is nan"),
        (["--weights", "inf,1,1"], "proficiency is inf"),
        (["--threshold", "nan"], "weights: threshold is nan"),
        (["--threshold", "x"], "weights: threshold is 'x'; use a number from 0 to 1,000,000"),
        (["--sla", "80"], "SHARE/SECONDS"),
        (["--sla", "120/20"], "SHARE/SECONDS"),
        (["--sla", "80/20", "--performance", "80"], "0 to 1"),
        (["--required", "skill"], "use skills, language, or today or none"),
        (["--expected", "even"], "eligible, uniform, staffed"),
        (["--expected", "staffed"], "needs a staffing table"),
        (["--csat", "today"], "asof or all"),
        (["--csat-missing", "2"], "0 to 1"),
        (["--csat-missing", "mean"], "queue-mean"),
        (["--csat-shrinkage=-1"], "csat_shrinkage"),
        (["--language-term", "x"], "binary or proficiency"),
        (["--method", "random"], "weighted"),
        (["--mode", "live"], "mode is 'live'; use score or replay"),
        (["--method", "genesys"], "method 'genesys' asks who is idle, and in score mode nobody is ever busy"),
        (["--sla", "80/20", "--performance", "rolling"], "performance 'rolling' is measured while a replay goes on"),
        (["--mode", "replay", "--flow-out", "soon"], "flow_out is 'soon'; use recorded, never or seconds"),
        (["--mode", "replay", "--switch", "x=1"], "names: language_in_mean"),
        (["--mode", "replay", "--calibration", "nope.json"], "nope.json: there is no such file"),
        (["--mode", "replay", "--interval", "7"], "interval_min is '7'; use one of 15, 30, 60"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "lies before"),
        (["--performance", "0.7"], "--performance needs --sla"),
        (["--sla", "0.8/20"], "SHARE/SECONDS"),
        (["--snapshot", "nope"], "snapshot 'nope'"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_usage_is_one_clear_line_and_exit_code_2(store, tmp_path, capsys, options, says):
    assert simulate(store, tmp_path / "out", *options) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.parametrize("mode", [[], ["--mode", "replay"]])
def test_simulate_replays_unless_asked_to_score_and_says_so_where_it_cannot(store, tmp_path, capsys, mode):
    """Without handling times nothing tells how long anybody was busy."""
    write(store, "untimed", [interactions().with_columns(handle_s=pl.lit(None, pl.Float64))])
    named, out = ["--snapshot", "untimed"], tmp_path / "out"
    assert run(["simulate", *named, *mode, "--store", str(store), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "50 have no handle_s" in said
    assert "or --mode score: whom the weighted score prefers, without a replay" in said
    assert simulate(store, out, *named) == 0


def test_a_corrupt_snapshot_is_exit_code_2(store, tmp_path, capsys):
    (store / "s" / "agents.arrow").write_bytes(b"x")
    assert simulate(store, tmp_path / "out") == 2
    assert "the manifest says" in capsys.readouterr().err


def test_an_unwritable_folder_is_exit_code_2_and_named(store, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert simulate(store, tmp_path / "file" / "out") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert run(["snapshot", "synthetic", "--name", "x", "--store", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_wrong_options_are_one_line_with_the_way_to_help(capsys):
    assert run(["explain", "--top", "0"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert run(["nonsense"]) == 2
    assert "routelab --help" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--log", "somewhere.txt"]])
def test_demo_never_replaces_a_snapshot_that_is_not_its_own(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "demo-log"):
        write(tmp_path / "data" / "snapshots", name)
    assert run(arguments) == 2
    assert "not the demo's own" in capsys.readouterr().err
    assert open_snapshot(tmp_path / "data" / "snapshots", arguments[0]).manifest.rows["interactions"] == 50


def test_explain_names_every_agent_and_a_reason(store, capsys):
    assert (
        run(
            [
                "explain",
                "--snapshot",
                "s",
                "--store",
                str(store),
                "--interaction",
                "i0001",
                "--threshold",
                "0",
                "--json",
            ]
        )
        == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert said["chosen"]["agent_id"] == said["agents"][0]["agent_id"]
    assert len(said["agents"]) == 3
    assert all(agent["reason"] for agent in said["agents"])
    assert run(["explain", "--snapshot", "s", "--store", str(store), "--interaction", "i0001"]) == 0
    assert "chosen" in capsys.readouterr().out
    assert run(["explain", "--snapshot", "s", "--store", str(store), "--interaction", "nope"]) == 2


def test_snapshot_commands(store, capsys):
    at = ["--store", str(store)]
    assert run(["snapshot", "list", *at]) == 0
    assert "s " in capsys.readouterr().out
    assert run(["snapshot", "list", "--json", *at]) == 0
    assert [m["id"] for m in json.loads(capsys.readouterr().out)] == ["s"]
    assert run(["snapshot", "show", "s", *at]) == 0
    assert "no members were given" in capsys.readouterr().out
    assert run(["snapshot", "verify", "s", *at]) == 0
    assert run(["snapshot", "delete", "s", *at]) == 0
    assert run(["snapshot", "verify", "s", *at]) == 2
    assert "snapshot 's' is not in" in capsys.readouterr().err


def test_the_store_comes_from_the_environment_unless_said(store, monkeypatch, capsys):
    monkeypatch.setenv("ROUTELAB_STORE", str(store))
    assert run(["snapshot", "show", "s"]) == 0
    assert run(["snapshot", "show", "s", "--store", "elsewhere"]) == 2


def test_demo_ends_with_a_table_and_files(tmp_path, monkeypatch, capsys):
    """The first command of the README, with fewer days than its 212; a second run finds the snapshot again."""
    assert (making.BANK.interactions, demo.MAKING["interactions"]) == (252_290, 252_290)
    monkeypatch.setattr(making, "BANK", replace(making.BANK, interactions=25_000, days=21))
    monkeypatch.setitem(demo.MAKING, "interactions", 25_000)
    monkeypatch.chdir(tmp_path)
    assert run(["demo"]) == 0
    first = capsys.readouterr().out
    assert "preference, not workload" in first
    assert "made up" in first
    assert "no satisfaction is reported" in first
    csat = json.loads((tmp_path / "out" / "report.json").read_text())["csat"]
    assert (csat["gain"], csat["simulated_mean"], csat["recorded_mean"]) == (None, None, None)
    assert pl.read_ipc(tmp_path / "out" / "outcomes.arrow").height == 25_000
    assert run(["demo"]) == 0
    assert "found from an earlier run" in capsys.readouterr().out
    agents = tmp_path / "data" / "snapshots" / "demo" / "agents.arrow"
    agents.write_bytes(agents.read_bytes()[::-1])
    assert run(["demo"]) == 0
    said = capsys.readouterr()
    assert "made from a seed" in said.out
    assert "making it again" in said.err


@pytest.mark.parametrize("command", [
    "snapshot list", "snapshot list --json", "snapshot show s", "snapshot verify s", "snapshot delete s",
    "simulate --snapshot s --out {out}", "explain --snapshot s --interaction i1", "calibrate --snapshot s --out {out}",
    "compare --snapshot s --methods genesys,weighted --out {out}",
])  # fmt: skip
def test_a_store_that_is_not_there_is_said_to_be_so(command: str, tmp_path: Path, capsys) -> None:
    nowhere = tmp_path / "nowhere"
    words = command.format(out=tmp_path / "out").split()
    assert run([*words, "--store", str(nowhere)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {nowhere}: there is no such folder; name the folder of snapshots with --store")
    assert not nowhere.exists()


def test_an_empty_store_is_there_and_a_file_is_none(tmp_path: Path, capsys) -> None:
    assert run(["snapshot", "list", "--store", str(tmp_path)]) == 0
    assert "no snapshots" in capsys.readouterr().out
    (tmp_path / "file").touch()
    assert run(["snapshot", "list", "--store", str(tmp_path / "file")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_a_library_that_gives_up_is_told_in_one_line(capsys, monkeypatch):
    """Rust's panics are no errors to Python; without this they end in its words and lines."""

    def panic(*_, **__):
        raise PanicException("assertion failed:\n  n_threads > 0")

    monkeypatch.setattr("api.terminal.cli.cli.main", panic)
    assert run(["snapshot", "list"]) == 1
    assert capsys.readouterr().err == "failed: polars gave up: assertion failed: n_threads > 0\n"
