"""Run a scenario and write its files, outcomes.arrow and report.json, whole or not at all as a pair."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import orjson

from api.output.result_folder import COMPARISON, OUTCOMES, REPORT, ResultFolder
from engine.data.arrays import Arrays
from engine.memory import of_run
from engine.reports.compare import Comparison
from engine.reports.outcomes import Outcomes, Texts, nothing
from engine.reports.report import Report, Timing
from engine.run import run
from engine.spec import Scenario
from engine.typing import Progress
from ingest.snapshot import private
from ingest.workers import MEMORY


def simulate_to(scenario: Scenario, arrays: Arrays, out: Path) -> Report:
    """Run a scenario and write its files into a folder, in place of what an earlier run left there."""
    with ResultFolder(out, replace=True) as folder:
        return simulate_into(folder, scenario, arrays)


def simulate_into(
    folder: ResultFolder,
    scenario: Scenario,
    arrays: Arrays,
    *,
    load_s: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run a scenario and publish its outcomes and report.

    Parameters
    ----------
    folder : ResultFolder
        Entered; where the files go.
    scenario : Scenario
        What to simulate.
    arrays : Arrays
        The data set.
    load_s : float, optional
        What loading took, for the report. [s]
    force : bool
        A replay gives its verdict even where it does not reproduce the record.
    progress : callable, optional
        Called with label, rows done and rows in all.

    Returns
    -------
    Report
        As written to report.json.

    Raises
    ------
    NotEnoughMemory
        If it needs more memory than there is.
    OSError
        If the disk is full; the folder is then as it was.
    """
    started = time.perf_counter()
    total = arrays.snapshot.n_interactions
    # A file needs its columns before the first batch, and a run without interactions has none.
    empty = nothing(Texts(arrays.centre), timed=scenario.mode == "replay")
    with MEMORY.held(of_run(scenario, arrays)), _Writer(folder, empty, progress, total) as writer:
        report = run(scenario, arrays, writer.add, force=force, progress=progress)
    # Outcomes are written while batches are decided, so writing is taken off the time of the rest.
    busy_s = time.perf_counter() - started
    report = replace(report, timing=_timing(load_s, busy_s - writer.write_s, writer))
    with private.told_of(folder.path):
        private.write(folder.side / REPORT, to_json(report) + b"\n")
        folder.publish()
    return report


def write_comparison(comparison: Comparison, folder: ResultFolder) -> bytes:
    """Publish study.json.

    Parameters
    ----------
    comparison : Comparison
        Of several rules.
    folder : ResultFolder
        Entered; where the file goes.

    Returns
    -------
    bytes
        What was written.

    Raises
    ------
    OSError
        If the disk is full; the folder is then as it was.
    """
    content = orjson.dumps(comparison.to_dict(), option=orjson.OPT_INDENT_2)
    with private.told_of(folder.path):
        private.write(folder.side / COMPARISON, content + b"\n")
        folder.publish()
    return content


def to_json(report: Report) -> bytes:
    """The content of report.json, in UTF-8."""
    return orjson.dumps(report.to_dict(), option=orjson.OPT_INDENT_2)


def _timing(load_s: float | None, simulate_s: float, writer: _Writer) -> Timing:
    per_s = writer.rows / simulate_s if writer.rows and simulate_s > 0 else None
    return Timing(load_s, simulate_s, writer.write_s, per_s)


class _Writer:
    """Appends outcomes to an Arrow IPC file and keeps the time."""

    def __init__(self, folder: ResultFolder, empty: Outcomes, progress: Progress | None, total: int) -> None:
        from pyarrow import ipc

        self._progress, self._total = progress, total
        self.rows = 0
        self.write_s = 0.0
        self._folder, self._path = folder, folder.side / OUTCOMES
        with private.told_of(folder.path):
            self._file = ipc.new_file(private.reserve(self._path), empty.to_arrow().schema)

    def __enter__(self) -> _Writer:
        return self

    def add(self, outcomes: Outcomes) -> None:
        """Append one batch."""
        started = time.perf_counter()
        with private.told_of(self._folder.path):
            self._file.write_batch(outcomes.to_arrow())
        self.rows += outcomes.agent.size
        self.write_s += time.perf_counter() - started
        if self._progress:
            self._progress("routing", self.rows, self._total)

    def __exit__(self, *error: object) -> None:
        started = time.perf_counter()
        with private.told_of(self._folder.path):
            self._file.close()
            private.sync(self._path)
        self.write_s += time.perf_counter() - started
