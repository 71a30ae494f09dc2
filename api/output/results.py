"""Run a scenario and write its files: outcomes.arrow, then report.json, each whole or not at all."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from pathlib import Path

import orjson

from engine.data.arrays import Arrays
from engine.errors import NotWritable
from engine.reports.compare import Comparison
from engine.reports.outcomes import Outcomes, Texts, nothing
from engine.reports.report import Report, Timing
from engine.run import run
from engine.spec import Scenario
from engine.typing import Progress
from ingest.snapshot.store import make_folder

OUTCOMES, REPORT, COMPARISON = "outcomes.arrow", "report.json", "study.json"


def simulate_to(
    scenario: Scenario,
    arrays: Arrays,
    out: Path,
    *,
    load_s: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run a scenario and write its outcomes and report.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    arrays : Arrays
        The data set.
    out : Path
        Folder for the files; made when missing, files of an earlier run are replaced.
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
    NotWritable
        If the folder cannot be made or written.
    """
    make_folder(out)
    for name in (OUTCOMES, REPORT):
        if (out / name).is_dir():
            raise NotWritable(f"{out / name}: is a folder; choose another --out or move it away")
    started = time.perf_counter()
    total = arrays.snapshot.n_interactions
    # Beside their place and renamed at the end: an interrupted run leaves the files of the run before.
    mark = uuid.uuid4().hex[:8]
    files = {name: out / f".{name}.{mark}" for name in (OUTCOMES, REPORT)}
    try:
        empty = nothing(Texts(arrays.centre), timed=scenario.mode == "replay")
        with _Writer(files[OUTCOMES], empty, progress, total) as writer:
            report = run(scenario, arrays, writer.add, force=force, progress=progress)
        # Outcomes are written while batches are decided, so writing is taken off the time of the rest.
        busy_s = time.perf_counter() - started
        report = replace(report, timing=_timing(load_s, busy_s - writer.write_s, writer))
        files[REPORT].write_bytes(to_json(report) + b"\n")
        for name, path in files.items():
            path.replace(out / name)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    return report


def write_comparison(comparison: Comparison, out: Path) -> bytes:
    """Write study.json, whole or not at all.

    Parameters
    ----------
    comparison : Comparison
        Of several rules.
    out : Path
        Folder; made when missing.

    Returns
    -------
    bytes
        What was written.

    Raises
    ------
    NotWritable
        If the folder cannot be made.
    """
    make_folder(out)
    content = orjson.dumps(comparison.to_dict(), option=orjson.OPT_INDENT_2)
    side = out / f".{COMPARISON}.{uuid.uuid4().hex[:8]}"
    try:
        side.write_bytes(content + b"\n")
        side.replace(out / COMPARISON)
    finally:
        side.unlink(missing_ok=True)
    return content


def to_json(report: Report) -> bytes:
    """The content of report.json, in UTF-8."""
    return orjson.dumps(report.to_dict(), option=orjson.OPT_INDENT_2)


def _timing(load_s: float | None, simulate_s: float, writer: _Writer) -> Timing:
    per_s = writer.rows / simulate_s if writer.rows and simulate_s > 0 else None
    return Timing(load_s, simulate_s, writer.write_s, per_s)


class _Writer:
    """Appends outcomes to an Arrow IPC file and keeps the time."""

    def __init__(self, path: Path, empty: Outcomes, progress: Progress | None, total: int) -> None:
        from pyarrow import ipc

        self._progress, self._total = progress, total
        self.rows = 0
        self.write_s = 0.0
        # A file needs its columns before the first batch, and a run without interactions has none.
        self._file = ipc.new_file(str(path), empty.to_arrow().schema)

    def __enter__(self) -> _Writer:
        return self

    def add(self, outcomes: Outcomes) -> None:
        """Append one batch."""
        started = time.perf_counter()
        self._file.write_batch(outcomes.to_arrow())
        self.rows += outcomes.agent.size
        self.write_s += time.perf_counter() - started
        if self._progress:
            self._progress("routing", self.rows, self._total)

    def __exit__(self, *error: object) -> None:
        started = time.perf_counter()
        self._file.close()
        self.write_s += time.perf_counter() - started
