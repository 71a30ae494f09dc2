"""Benchmarks of the replay: every one runs, other simulators count the same, and growth is fitted rightly."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from api.terminal.cli import run as routelab
from benchmarks import floors, run
from benchmarks.inputs import Disagreement
from benchmarks.measure import NotMeasured, Row, Spread
from benchmarks.replay import growth, others, phases
from benchmarks.replay.workloads import LOAD, POOL_AGENTS, REPLAYS, Case
from benchmarks.workloads import SIZES
from engine.methods.ladder import NEVER

FEW = 400


@pytest.mark.parametrize("workload", REPLAYS)
def test_every_centre_is_played_and_the_same_every_time(workload):
    first, second = (REPLAYS[workload].build(FEW) for _ in range(2))
    job = phases.play(first)
    assert job.run() >= 0
    assert job.plain() >= 0
    np.testing.assert_array_equal(first.play().left_us, second.play().left_us)


@pytest.mark.parametrize("phase", phases.PHASES)
def test_the_pool_runs_through_every_phase(phase):
    job = phases.PHASES[phase](REPLAYS["pool"].build(FEW))
    assert job.run() >= 0
    assert job.baseline_s is None or job.baseline_s() >= 0


# --- what is played -----------------------------------------------------------------------------------------


def busy(case: Case) -> float:
    """Share of their time that agents are busy, from a third to the last arrival."""
    served, last_us = case.play(), case.demand.arrived_us[-1]
    spent_us = np.minimum(served.end_us, last_us) - np.maximum(served.start_us, last_us // 3)
    return float(np.maximum(spent_us, 0).sum() / (last_us - last_us // 3) / case.roster.n_agents)


@pytest.mark.parametrize("workload", ["idle-100", "ranked-100", "ranked-300", "ranked-1000"])
def test_agents_are_busy_for_about_95_percent_of_their_time(workload):
    assert busy(REPLAYS[workload].build(400_000)) == pytest.approx(0.95, abs=0.01)


def test_agents_take_10_to_30_of_200_call_types_and_ranks_are_their_own():
    for n_agents in LOAD:
        case = REPLAYS[f"ranked-{n_agents}"].build(FEW)
        able = case.ladder.rank > NEVER
        assert able.shape == (200, n_agents)
        assert able.sum(axis=0).min() >= 10
        assert able.sum(axis=0).max() <= 30
        assert np.unique(case.ladder.rank[able]).size == able.sum()
        np.testing.assert_array_equal(able, case.demand.kinds.eligible)
        longest_idle = REPLAYS[f"idle-{n_agents}"].build(FEW)
        np.testing.assert_array_equal(longest_idle.ladder.rank, np.where(able, 0, NEVER))


# --- other simulators ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("patience", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("play_so", [others.with_simpy, others.with_ciw])
def test_other_simulators_answer_and_lose_the_same_calls(play_so, patience):
    """With shorter patience more give up; the number of agents is fixed."""
    case = REPLAYS["pool"].build(1_500)
    demand = case.demand
    waits_us = np.rint(patience * (demand.leave_us - demand.arrived_us)).astype(np.int64)
    hasty = replace(case, demand=replace(demand, leave_us=demand.arrived_us + waits_us, handle_us=2 * demand.handle_us))
    counts = others.counts(hasty.play())
    assert play_so(hasty) == counts
    assert counts[1] > 300
    assert sum(counts) == 1_500
    assert hasty.roster.n_agents == POOL_AGENTS


def test_counts_that_differ_stop_the_benchmark(monkeypatch):
    monkeypatch.setattr(others, "with_simpy", lambda _: (1, 2))
    job = phases.against_simpy(REPLAYS["pool"].build(FEW))
    with pytest.raises(Disagreement, match=r"SimPy answers and loses \(1, 2\) calls"):
        job.baseline_s()


@pytest.fixture
def nothing_installed(monkeypatch):
    """A machine without the other simulators."""
    imported = importlib.import_module

    def missing(name, *more):
        if name in ("simpy", "ciw"):
            raise ImportError(name)
        return imported(name, *more)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.setitem(SIZES, "10k", FEW)


@pytest.mark.usefixtures("nothing_installed")
def test_what_is_not_installed_is_said_and_the_rest_is_measured(capsys):
    with pytest.raises(NotMeasured, match="simpy is not installed"):
        others.package("simpy")
    assert routelab(["bench", "--workload", "pool", "--size", "10k"]) == 0
    printed = capsys.readouterr().out
    assert "not measured: pool 10k simpy: simpy is not installed" in printed
    assert "not measured: pool 10k ciw: ciw is not installed" in printed
    assert routelab(["bench", "--workload", "pool", "--size", "10k", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["phase"] for row in said["rows"]] == ["replay"]
    assert len(said["not_measured"]) == 2
    assert said["first_replay"]["took_s"] >= 0


# --- cost against agents ------------------------------------------------------------------------------------


def rows(family, exponent, places=(100, 1_000, 10_000)):
    """What a run would have measured if costs grew like a power of the number of agents."""
    some = Spread(1.0, 1.0, 1.0)
    for n_agents in places:
        took = Spread(0.1 * n_agents**exponent, 0.0, 0.0)
        yield Row(f"{family}-{n_agents}", "1M", "replay", 1_000_000, 0, took, some, "copying", some)


@pytest.mark.parametrize("exponent", [0.0, 0.4, 1.0])
def test_the_exponent_of_a_power_is_found(exponent):
    (found,) = growth.growths([*rows("ranked", exponent), *rows("idle", 0.1, (100, 300))])
    assert found.family == "ranked"
    assert found.exponent == pytest.approx(exponent, abs=1e-9)
    assert found.cost_ns[0] == pytest.approx(100 * 100**exponent)
    assert f"agents^{exponent:.2f}" in str(found)


def test_the_plot_is_a_drawing_with_a_line_for_each_family(tmp_path, monkeypatch, capsys):
    found = growth.growths([*rows("ranked", 0.4), *rows("idle", 0.0)])
    drawing = ElementTree.fromstring(growth.svg(found))
    circles = [element for element in drawing if element.tag.endswith("circle")]
    assert len(circles) == 6
    monkeypatch.setattr(run, "run", lambda *_, **__: run.Results(list(rows("ranked", 0.4)), []))
    assert routelab(["bench", "--plot", str(tmp_path / "growth.svg")]) == 0
    assert "agents^0.40" in capsys.readouterr().out
    assert "agents^0.40" in (tmp_path / "growth.svg").read_text(encoding="utf-8")


def test_growth_beyond_its_floor_is_named():
    stated = floors.stated()
    most = stated["growth_at_most"]
    assert set(most) == {played.family for played in REPLAYS.values() if played.family}
    assert max(most.values()) < 1
    for family in most:
        assert floors.check(list(rows(family, most[family] - 0.01)), stated) == []
        (said,) = floors.check(list(rows(family, most[family] + 0.01)), stated)
        assert family in said


# --- the door -----------------------------------------------------------------------------------------------


def test_replays_run_at_their_own_size_unless_another_is_asked_for():
    wanted = run._wanted([], [], ["replay", "simpy"], False)
    assert ("pool", "100k", ["replay", "simpy"]) in wanted
    assert ("ranked-10000", "1M", ["replay"]) in wanted
    assert len(wanted) == len(REPLAYS)
    assert run._wanted(["POOL"], ["10K"], [], False) == [("pool", "10k", ["replay", "simpy", "ciw"])]
    assert ("pool", "10k", ["simpy", "ciw"]) in run._wanted([], [], [], True)


def test_a_replay_is_shown_with_its_speed_and_the_first_one_apart(monkeypatch, capsys):
    monkeypatch.setitem(SIZES, "10k", FEW)
    assert routelab(["bench", "--workload", "pool", "--size", "10k", "--phase", "replay", "--phase", "simpy"]) == 0
    printed = capsys.readouterr().out
    assert "(SimPy)" in printed
    assert "The first replay of the process took" in printed
