"""Benchmarks: every one runs, the baseline chooses what the engine chooses, and worse ratios are refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.output.results import simulate_to
from api.terminal.cli import run as routelab
from benchmarks import baseline, floors, phases, run, serving
from benchmarks.inputs import Disagreement, Inputs
from benchmarks.measure import NotMeasured, Row, Spread, peak_mib
from benchmarks.workloads import SIZES, WORKLOADS
from engine.data.encode import encode
from engine.errors import InvalidScenario
from engine.run import choose
from engine.spec import Scenario
from tests import strategies
from tests.running_service import hello, running

FEW = 300


@pytest.fixture(scope="module", params=WORKLOADS)
def inputs(request, tmp_path_factory):
    return Inputs(WORKLOADS[request.param].build(FEW), tmp_path_factory.mktemp(request.param), simulate_to)


@pytest.mark.parametrize("phase", phases.PHASES)
def test_every_workload_runs_through_every_phase(inputs, phase):
    job = phases.PHASES[phase](inputs)
    assert job.run() >= 0
    assert job.plain() >= 0


def test_the_snapshot_of_a_case_holds_what_the_case_holds_in_memory(inputs):
    from ingest.snapshot.reading import open_snapshot

    stored = open_snapshot(inputs.snapshot.parent, inputs.snapshot.name).arrays()
    found, made = choose(inputs.scenario, stored), choose(inputs.scenario, inputs.arrays)
    assert found.to_frame().equals(made.to_frame())


def test_the_baseline_agrees_on_every_row_of_a_workload(inputs):
    sample = baseline.sample(inputs.arrays, inputs.scenario, FEW)
    assert len(sample.rows) == FEW
    chosen = baseline.choose(sample, inputs.scenario)
    assert baseline.differences(sample, chosen, inputs.outcomes, inputs.arrays.centre.agent_ids) == []
    assert len({agent for agent, _ in chosen}) > 5


@given(strategies.tables(), strategies.weights(), st.sampled_from(["all", "asof"]))
def test_the_baseline_agrees_with_the_engine_on_random_centres(centre, weights, csat):
    scenario, arrays = Scenario(weights=weights, csat=csat), encode(centre)
    sample = baseline.sample(arrays, scenario, centre.interactions.height)
    chosen = baseline.choose(sample, scenario)
    assert baseline.differences(sample, chosen, choose(scenario, arrays), arrays.centre.agent_ids) == []


def test_a_winner_that_differs_stops_the_benchmark(tmp_path):
    inputs = Inputs(WORKLOADS["team"].build(FEW), tmp_path, simulate_to)
    inputs.outcomes.agent[:] = (inputs.outcomes.agent + 1) % 50
    with pytest.raises(Disagreement, match="rows differ from the row-by-row baseline"):
        _ = inputs.baseline_pair_s


def test_a_workload_is_the_same_every_time():
    first, second = (WORKLOADS["site"].build(FEW).columns() for _ in range(2))
    assert first.interaction_id.equals(second.interaction_id)
    assert np.array_equal(first.call_type, second.call_type)
    assert np.array_equal(first.handle_s, second.handle_s, equal_nan=True)


# --- floors -------------------------------------------------------------------------------------------------


def row_at(floor, factor=1.0):
    """A row that is `factor` times worse than a floor."""
    some = Spread(1.0, 1.0, 1.0)
    plain = one_of(floor, "plain_at_most", 1.0) * factor
    return Row(
        floor["workload"], floor["size"], floor["phase"], 1, 1, some, some, "copying", Spread(plain, plain, plain),
        baseline_ratio=one_of(floor, "baseline_at_least", 1.0) / factor,
        peak_mib=one_of(floor, "peak_mib_at_most", 1.0) * factor,
    )  # fmt: skip


def one_of(floor, name, default):
    return floor.get(name, default)


def test_ratios_at_their_floors_pass_and_worse_ones_are_named():
    stated = floors.stated()
    rows = [row_at(one) for one in stated["floors"]]
    assert run.check(rows, stated) == []
    for place, one in enumerate(stated["floors"]):
        worse = [*rows[:place], row_at(one, stated["factor"] * 1.01), *rows[place + 1 :]]
        said = run.check(worse, stated)
        assert len(said) == len({"plain_at_most", "baseline_at_least", "peak_mib_at_most"} & set(one))
        assert all(f"{one['workload']} {one['size']} {one['phase']}: " in sentence for sentence in said)


def test_a_little_worse_than_the_floor_is_put_down_to_the_machine():
    stated = floors.stated()
    rows = [replace(row_at(one, stated["factor"] * 0.99), peak_mib=None) for one in stated["floors"]]
    assert run.check(rows, stated) == []


def test_every_floor_belongs_to_the_short_set_and_comparing_nothing_fails():
    short = {(workload, size, phase) for workload, size, some in run.SHORT for phase in some}
    stated = {(one["workload"], one["size"], one["phase"]) for one in floors.stated()["floors"]}
    assert stated
    assert stated <= short
    assert "nothing was compared" in run.check([], floors.stated())[0]


# --- the door -----------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_or_json_and_fails_below_a_floor(monkeypatch, capsys):
    monkeypatch.setitem(SIZES, "10k", FEW)
    monkeypatch.setattr(run, "SHORT", (("team", "10k", ("choose",)),))
    assert routelab(["bench", "--short"]) == 0
    assert "team" in capsys.readouterr().out
    floor = {"workload": "team", "size": "10k", "phase": "choose", "plain_at_most": 0.0}
    monkeypatch.setattr(floors, "stated", lambda: {"factor": 1.5, "floors": [floor]})
    assert routelab(["bench", "--workload", "TEAM", "--size", "10K", "--short", "--check", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["rows"][0]["phase"] == "choose"
    assert "the floor is 0" in printed["failures"][0]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InvalidScenario, match=r"workload 'tean' .* use one of team"):
        run.run(["tean"], simulate=simulate_to)


def test_memory_is_that_of_the_other_process_alone():
    """A child starts with the peak of the process it came from, which must not be counted."""
    held = np.ones(40_000_000)
    assert peak_mib(["-c", "pass"]) < held.nbytes / (1 << 20)
    with pytest.raises(RuntimeError, match="exit code 3"):
        peak_mib(["-c", "raise SystemExit(3)"])


def test_a_load_of_requests_counts_every_answer_and_stops_at_a_refusal():
    """Seven requests over four connections are seven times; what is no answer is not timed."""
    sent = serving._request("POST", "/", b"{}")
    with running(hello) as service:
        assert len(serving.ask(service.port, sent, 7)) == 7
        assert len(serving.ask(service.port, sent, 1)) == 1
        with pytest.raises(NotMeasured, match=r"HTTP/1\.1 421"):
            serving.ask(service.port, sent.replace(b"127.0.0.1", b"elsewhere"), 1)
