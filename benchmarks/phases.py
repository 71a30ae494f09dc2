"""The phases of a run, each beside the plain thing it is compared with.

In memory that is copying the same input and output arrays; with files, reading or writing the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from pyarrow import ipc

from benchmarks import files
from benchmarks.inputs import Inputs
from benchmarks.measure import ROW_BY_ROW, clock_s, peak_mib, processor_s
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.measures.tally import Tally
from engine.methods.weighted import Weighted
from engine.reports import report
from engine.reports.outcomes import Texts, outcomes_of
from engine.run import choose
from engine.selection.decisions import Decided, Selector, decide
from engine.spec import csat_of, terms_of
from engine.typing import FloatArray
from ingest.snapshot.reading import open_snapshot


@dataclass(frozen=True)
class Job:
    """One phase, ready to be run again and again.

    Parameters
    ----------
    run, plain : callable
        Do the phase, or what it is compared with, once, and say how long it took. [s]
    compared_with : str
        What `plain` does.
    n_pairs : int
        Pairs of interaction and agent that the phase decides about.
    peak_mib : callable, optional
        Largest memory of one more run, in a process of its own. [MiB]
    baseline : str
        What else the phase is compared with.
    baseline_s : callable, optional
        Do the same by the baseline, once, and say how long it took. [s]
    is_replay : bool
        Whether interactions follow each other in time, so that their number per second is worth stating.
    p99_s : callable, optional
        After the runs: how long 99 of 100 answers took at most. [s]
    cold_s : float, optional
        How long the first answer took, before all runs. [s]
    """

    run: Callable[[], float]
    plain: Callable[[], float]
    compared_with: str
    n_pairs: int = 0
    peak_mib: Callable[[], float] | None = None
    baseline: str = ROW_BY_ROW
    baseline_s: Callable[[], float] | None = None
    is_replay: bool = False
    p99_s: Callable[[], float] | None = None
    cold_s: float | None = None


def load(inputs: Inputs) -> Job:
    """Open a snapshot and take up all its batches."""
    paths = files.files_in(inputs.snapshot)

    def run() -> None:
        arrays = open_snapshot(inputs.snapshot.parent, inputs.snapshot.name).arrays()
        for _ in arrays.batches():
            pass

    return Job(lambda: clock_s(run), lambda: clock_s(lambda: files.read_plainly(paths)), "reading")


def encode_tables(inputs: Inputs) -> Job:
    """Tables as dense arrays."""
    case = inputs.case
    interactions = pl.concat([files.frame_of(case, block) for block in case.blocks()], how="vertical")
    tables = Tables.of({**dict(case.tables), "interactions": check("interactions", interactions)})
    columns = inputs.columns
    copied = [np.zeros(int(tables.interactions.estimated_size()), np.uint8), columns.call_type, columns.arrived_us]
    return _in_memory(lambda: encode(tables), [*copied, columns.agent, columns.handle_s])


def score(inputs: Inputs) -> Job:
    """Keys and the best agent of every requirement, on every day on which satisfaction changed."""
    arrays, scenario = inputs.arrays, inputs.scenario
    csat = csat_of(scenario, arrays)
    method = Weighted(terms_of(scenario, arrays, csat), *_weights(inputs))
    every = np.arange(arrays.centre.n_requirements)
    n_rows = len(csat.mean)

    def run() -> None:
        selector = Selector()
        for row in range(n_rows):
            selector.best(method.plan(every, row))

    run()  # The kernel, where it is worth using, is loaded outside the clock.
    keys = np.zeros((every.size, arrays.centre.n_agents))
    plain = _copy([keys])
    return Job(
        lambda: processor_s(run), lambda: n_rows * plain(), "copying", n_rows * every.size * arrays.centre.n_agents
    )


def choose_agents(inputs: Inputs) -> Job:
    """Agent and score of every interaction."""
    outcomes = inputs.outcomes
    copied = [inputs.columns.call_type, outcomes.agent, outcomes.score]
    return _in_memory(lambda: choose(inputs.scenario, inputs.arrays), copied, inputs.n_pairs)


def fairness(inputs: Inputs) -> Job:
    """Counts, fairness and the rest of the report, from decisions."""
    arrays, scenario, columns = inputs.arrays, inputs.scenario, inputs.columns
    terms = terms_of(scenario, arrays, csat_of(scenario, arrays))
    decided = list(_decided(inputs))

    def run() -> None:
        tally = Tally(arrays, terms, 1)
        for one in decided:
            # A fresh one each time, as it keeps what it has counted.
            tally.add(replace(one))
        tally.close()
        report.build(tally, 0, scenario, scenario.weights_used(), (0, 0))

    return _in_memory(run, [columns.call_type, columns.agent, columns.arrived_us, columns.handle_s])


def write(inputs: Inputs) -> Job:
    """Outcomes to a file."""
    texts = Texts(inputs.arrays.centre)
    parts = [outcomes_of(decided, texts) for decided in _decided(inputs)]
    path = inputs.folder / "written.arrow"

    def run() -> None:
        with ipc.new_file(str(path), parts[0].to_arrow().schema) as file:
            for part in parts:
                file.write_batch(part.to_arrow())

    run()
    n_bytes = path.stat().st_size
    path.unlink()

    def timed() -> float:
        took_s = clock_s(run)
        path.unlink()
        return took_s

    return Job(timed, lambda: files.write_plainly_s(path, n_bytes), "writing")


def end_to_end(inputs: Inputs) -> Job:
    """From a snapshot's files to the files of outcomes and report."""
    out = inputs.folder / "out"
    scenario, snapshot = inputs.scenario, inputs.snapshot
    paths = files.files_in(snapshot)

    def run() -> None:
        inputs.simulate(scenario, open_snapshot(snapshot.parent, snapshot.name).arrays(), out)

    run()
    n_bytes = sum(path.stat().st_size for path in files.files_in(out))

    def timed() -> float:
        # Both sides write into memory that was just given back.
        shutil.rmtree(out)
        return clock_s(run)

    def plain() -> float:
        return clock_s(lambda: files.read_plainly(paths)) + files.write_plainly_s(inputs.folder / "plain", n_bytes)

    command = ["simulate", "--mode", "score", "--snapshot", str(snapshot), "--csat", scenario.csat]
    command += ["--out", str(inputs.folder / "apart"), "--replace"]
    return Job(timed, plain, "reading and writing", inputs.n_pairs, lambda: peak_mib(["-m", "api", *command, "--json"]))


def _weights(inputs: Inputs) -> tuple[FloatArray, FloatArray]:
    used = inputs.scenario.weights_used()
    return np.array([used.terms]), np.array([used.threshold])


def _decided(inputs: Inputs) -> Iterator[Decided]:
    arrays, scenario = inputs.arrays, inputs.scenario
    csat = csat_of(scenario, arrays)
    terms = terms_of(scenario, arrays, csat)
    return decide(arrays, terms, csat, scenario.method, *_weights(inputs))


def _in_memory(run: Callable[[], object], arrays: Sequence[Any], n_pairs: int = 0) -> Job:
    return Job(lambda: processor_s(run), _copy(arrays), "copying", n_pairs)


def _copy(arrays: Sequence[Any]) -> Callable[[], float]:
    return lambda: processor_s(lambda: [array.copy() for array in arrays])


PHASES: dict[str, Callable[[Inputs], Job]] = {
    "load": load,
    "encode": encode_tables,
    "score": score,
    "choose": choose_agents,
    "fairness": fairness,
    "write": write,
    "end-to-end": end_to_end,
}
