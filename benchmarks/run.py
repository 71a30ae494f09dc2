"""Run workloads through phases, show the ratios, and compare them with their stated floors."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import floors
from benchmarks.floors import check
from benchmarks.inputs import Disagreement, Inputs
from benchmarks.measure import Row, Spread, alternate
from benchmarks.phases import PHASES, Job
from benchmarks.workloads import SIZES, WORKLOADS
from engine.errors import InvalidScenario

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["check", "main", "run", "table"]

DONE, FAILED = 0, 1
USUAL_SIZES = ("10k", "1M")
# Ends within a minute on two cores; the floors are stated for these.
SHORT = (
    ("team", "10k", ("choose",)),
    ("site", "100k", ("load", "encode", "write", "end-to-end")),
    ("enterprise", "10M", ("score", "choose", "fairness")),
    ("enterprise-asof", "10M", ("score", "choose")),
)
Say = Callable[[str], object]


def run(
    workloads: Sequence[str] = (),
    sizes: Sequence[str] = (),
    phases: Sequence[str] = (),
    *,
    short: bool = False,
    say: Say = str,
) -> list[Row]:
    """Measure.

    Parameters
    ----------
    workloads, sizes, phases : sequence of str
        Names of `WORKLOADS`, `SIZES` and `PHASES`; none for all, and for the sizes 10k and 1M.
    short : bool
        Only what belongs to the short set.
    say : callable
        Told what is being done.

    Returns
    -------
    list of Row
        One per workload, size and phase.

    Raises
    ------
    InvalidScenario
        If a name is unknown.
    Disagreement
        If the engine's winners differ from the row-by-row baseline's.
    """
    return [
        row
        for workload, size, some in _wanted(workloads, sizes, phases, short)
        for row in _case(workload, size, some, say)
    ]


def _wanted(
    workloads: Sequence[str], sizes: Sequence[str], phases: Sequence[str], short: bool
) -> list[tuple[str, str, list[str]]]:
    chosen = [_known("workload", name, WORKLOADS) for name in workloads] or list(WORKLOADS)
    at = [_known("size", name, SIZES) for name in sizes] or list(SIZES if short else USUAL_SIZES)
    do = [_known("phase", name, PHASES) for name in phases] or list(PHASES)
    everything = SHORT if short else tuple((w, s, tuple(PHASES)) for w in chosen for s in at)
    cases = [(w, s, [p for p in some if p in do]) for w, s, some in everything if w in chosen and s in at]
    return [case for case in cases if case[2]]


def _known(kind: str, name: str, names: Collection[str]) -> str:
    found = next((known for known in names if known.lower() == name.lower()), None)
    if found is None:
        raise InvalidScenario(f"{kind} {name!r} is not one of the benchmarks'; use one of {', '.join(names)}")
    return found


def _case(workload: str, size: str, phases: Sequence[str], say: Say) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="routelab-bench-") as folder:
        say(f"{workload} {size}: making the data")
        inputs = Inputs(WORKLOADS[workload].build(SIZES[size]), Path(folder))
        for phase in phases:
            say(f"{workload} {size}: {phase}")
            yield measure(inputs, workload, size, phase)


def measure(inputs: Inputs, workload: str, size: str, phase: str) -> Row:
    """Run one phase a few times, in turn with what it is compared with.

    Parameters
    ----------
    inputs : Inputs
        The data.
    workload, size, phase : str
        What the row is called.

    Returns
    -------
    Row
        Median, smallest and largest of the repetitions.
    """
    job: Job = PHASES[phase](inputs)
    took_s, plain_s = alternate(job.run, job.plain)
    ratio = Spread.of([took / plain for took, plain in zip(took_s, plain_s, strict=True)])
    took = Spread.of(took_s)
    return Row(
        workload, size, phase, inputs.case.n_interactions, job.n_pairs, took, Spread.of(plain_s),
        job.compared_with, ratio,
        inputs.baseline_pair_s * job.n_pairs / took.median if job.n_pairs else None,
        job.peak_mib() if job.peak_mib else None,
    )  # fmt: skip


def table(rows: Sequence[Row]) -> Table:
    """Show the ratios.

    Parameters
    ----------
    rows : sequence of Row
        What was measured.

    Returns
    -------
    rich.table.Table
        One line per row.
    """
    from rich.table import Table

    shown = Table(title="Ratios within this run: median (smallest to largest)", title_justify="left")
    for name in ("workload", "size", "phase"):
        shown.add_column(name, no_wrap=True)
    for name in ("time", "times as long as plain", "plain", "times the baseline's speed", "ns a pair", "peak MiB"):
        shown.add_column(name, justify="left" if name == "plain" else "right")
    for row in rows:
        ratio = row.plain_ratio
        shown.add_row(
            row.workload, row.size, row.phase, _time(row.took_s.median),
            f"{ratio.median:.3g} ({ratio.low:.3g} to {ratio.high:.3g})", row.plain,
            "" if row.baseline_ratio is None else f"{row.baseline_ratio:,.0f}",
            "" if row.pair_ns is None else f"{row.pair_ns:.3g}",
            "" if row.peak_mib is None else f"{row.peak_mib:,.0f}",
        )  # fmt: skip
    return shown


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def main(
    workload: list[str],
    size: list[str],
    phase: list[str],
    short: bool = False,
    check: bool = False,
    as_json: bool = False,
) -> int:
    """Measure, print, and compare with the floors if asked to.

    Parameters
    ----------
    workload, size, phase : list of str
        As in `run`.
    short : bool
        Only the short set.
    check : bool
        Fail when a ratio is worse than its floor allows.
    as_json : bool
        Print JSON instead of a table.

    Returns
    -------
    int
        0, or 1 where winners differ or a ratio is too bad.
    """
    from rich.console import Console

    try:
        with Console(stderr=True).status("benchmarks") as status:
            rows = run(workload, size, phase, short=short, say=status.update)
    except Disagreement as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    failures = floors.check(rows, floors.stated()) if check else []
    if as_json:
        print(json.dumps({"rows": [row.to_dict() for row in rows], "failures": failures}, indent=1))
    else:
        console = Console(width=None if sys.stdout.isatty() else 140)
        console.print(table(rows))
        for failure in failures:
            console.print(f"[red]too slow:[/red] {failure}", highlight=False)
    return FAILED if failures else DONE
