"""Run workloads through phases, and compare the ratios with their stated floors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import floors
from benchmarks.floors import check
from benchmarks.importing import PHASE as IMPORT
from benchmarks.importing import WORKLOADS as IMPORTED
from benchmarks.importing import files
from benchmarks.inputs import Inputs, Simulate
from benchmarks.measure import NotMeasured, Row, Spread, alternate
from benchmarks.parsing import PHASE as PARSE
from benchmarks.parsing import WORKLOADS as PARSED
from benchmarks.parsing import parse
from benchmarks.phases import PHASES, Job
from benchmarks.replay.growth import Growth, growths, svg
from benchmarks.replay.phases import PHASES as REPLAY_PHASES
from benchmarks.replay.phases import phases_of, start
from benchmarks.replay.workloads import REPLAYS
from benchmarks.serving import PHASE as SERVE
from benchmarks.serving import WORKLOADS as SERVED
from benchmarks.serving import serve
from benchmarks.workloads import SIZES, WORKLOADS
from engine.errors import InvalidScenario
from engine.typing import Record
from ingest.snapshot import private

__all__ = ["check", "everything", "judged", "remarks", "run"]

USUAL_SIZES = ("10k", "1M")
# Ends within a minute on two cores; the floors are stated for these.
SHORT = (
    ("team", "10k", ("choose",)),
    ("site", "100k", ("load", "encode", "write", "end-to-end")),
    ("enterprise", "10M", ("score", "choose", "fairness")),
    ("enterprise-asof", "10M", ("score", "choose")),
    ("simple-msk", "1M", ("replay",)),
    ("ranked-1000", "1M", ("replay",)),
    ("pool", "10k", ("simpy", "ciw")),
    ("conversations", "10k", ("parse",)),
    ("files", "1M", ("import",)),
    ("exports", "1M", ("import",)),
    ("requests", "1k", ("serve",)),
)
Say = Callable[[str], object]


@dataclass(frozen=True)
class Results:
    """What a run measured, and what it could not."""

    rows: list[Row]  # One per workload, size and phase
    missing: list[str]  # One sentence per phase that needs something that is not there

    @property
    def growths(self) -> list[Growth]:
        """How costs grow with the number of agents, where enough centres of a family were measured."""
        return growths(self.rows)


def run(
    workloads: Sequence[str] = (),
    sizes: Sequence[str] = (),
    phases: Sequence[str] = (),
    *,
    simulate: Simulate,
    short: bool = False,
    say: Say = str,
) -> Results:
    """Measure."""
    results = Results([], [])
    for workload, size, some in _wanted(workloads, sizes, phases, short):
        for measured in _case(workload, size, some, say, simulate):
            if isinstance(measured, Row):
                results.rows.append(measured)
            else:
                results.missing.append(measured)
    return results


def _wanted(
    workloads: Sequence[str], sizes: Sequence[str], phases: Sequence[str], short: bool
) -> list[tuple[str, str, list[str]]]:
    every, phased = [*WORKLOADS, *REPLAYS, *PARSED, *IMPORTED, *SERVED], [*PHASES, *REPLAY_PHASES, PARSE, IMPORT, SERVE]
    chosen = [_known("workload", name, every) for name in workloads] or every
    at = [_known("size", name, SIZES) for name in sizes]
    do = [_known("phase", name, phased) for name in phases] or phased
    everything = SHORT if short else tuple((w, s, _phases_of(w)) for w in chosen for s in at or _usual_sizes(w))
    cases = [(w, s, [p for p in some if p in do]) for w, s, some in everything if w in chosen and s in (at or SIZES)]
    return [case for case in cases if case[2]]


def _phases_of(workload: str) -> tuple[str, ...]:
    if workload in PARSED:
        return (PARSE,)
    if workload in IMPORTED:
        return (IMPORT,)
    if workload in SERVED:
        return (SERVE,)
    return phases_of(workload) if workload in REPLAYS else tuple(PHASES)


def _usual_sizes(workload: str) -> tuple[str, ...]:
    if workload in PARSED:
        return USUAL_SIZES[:1]
    if workload in IMPORTED:
        return USUAL_SIZES[1:]
    if workload in SERVED:
        return ("1k",)
    return (REPLAYS[workload].usual,) if workload in REPLAYS else USUAL_SIZES


def _known(kind: str, name: str, names: Collection[str]) -> str:
    found = next((known for known in names if known.lower() == name.lower()), None)
    if found is None:
        raise InvalidScenario(f"{kind} {name!r} is not one of the benchmarks'; use one of {', '.join(names)}")
    return found


def _case(workload: str, size: str, phases: Sequence[str], say: Say, simulate: Simulate) -> Iterator[Row | str]:
    with tempfile.TemporaryDirectory(prefix="routelab-bench-") as folder, ExitStack() as open_:
        say(f"{workload} {size}: making the data")
        job_of, n_interactions = _jobs(workload, SIZES[size], Path(folder), simulate, open_)
        for phase in phases:
            say(f"{workload} {size}: {phase}")
            try:
                yield measure(job_of(phase), workload, size, phase, n_interactions)
            except NotMeasured as reason:
                yield f"{workload} {size} {phase}: {reason}"


def _jobs(
    workload: str, n_interactions: int, folder: Path, simulate: Simulate, open_: ExitStack
) -> tuple[Callable[[str], Job], int]:
    """Data of a case: what makes a phase of it ready, and how many interactions there are."""
    if workload in SERVED:
        return lambda phase: serve(n_interactions, SERVED[workload], folder, open_), n_interactions
    if workload in PARSED:
        return lambda phase: parse(n_interactions, PARSED[workload]), n_interactions
    if workload in IMPORTED:
        return lambda phase: files(n_interactions, IMPORTED[workload], folder), n_interactions
    if workload in REPLAYS:
        case = REPLAYS[workload].build(n_interactions)
        start()
        return lambda phase: REPLAY_PHASES[phase](case), case.n_interactions
    inputs = Inputs(WORKLOADS[workload].build(n_interactions), folder, simulate)
    return lambda phase: _beside_rows(PHASES[phase](inputs), inputs), n_interactions


def _beside_rows(job: Job, inputs: Inputs) -> Job:
    """Compare a phase that decides about pairs with the row-by-row baseline, too."""
    return replace(job, baseline_s=lambda: inputs.baseline_pair_s * job.n_pairs) if job.n_pairs else job


def measure(job: Job, workload: str, size: str, phase: str, n_interactions: int) -> Row:
    """Run one phase a few times, in turn with what it is compared with: median, smallest and largest."""
    took_s, plain_s = alternate(job.run, job.plain)
    ratio = Spread.of([took / plain for took, plain in zip(took_s, plain_s, strict=True)])
    took = Spread.of(took_s)
    return Row(
        workload, size, phase, n_interactions, job.n_pairs, took, Spread.of(plain_s), job.compared_with, ratio,
        job.baseline_s() / took.median if job.baseline_s else None,
        job.peak_mib() if job.peak_mib else None,
        job.baseline,
        n_interactions / took.median if job.is_replay else None,
        job.p99_s() if job.p99_s else None,
        job.cold_s,
    )  # fmt: skip


def judged(results: Results, check: bool, plot: Path | None) -> list[str]:
    """What is worse than its floor allows, if that is asked; costs against agents are drawn where a path is given."""
    if plot and results.growths:
        private.replace(plot, svg(results.growths).encode())
    return floors.check(results.rows, floors.stated()) if check else []


def everything(results: Results, failures: list[str]) -> Record:
    """All that was measured, as plain values."""
    first = asdict(start()) if any(row.workload in REPLAYS for row in results.rows) else None
    return {
        "rows": [row.to_dict() for row in results.rows], "failures": failures, "not_measured": results.missing,
        "growth": [growth.to_dict() for growth in results.growths], "first_replay": first,
    }  # fmt: skip


def remarks(results: Results) -> Iterator[str]:
    """Sentences that belong under the table."""
    yield from map(str, results.growths)
    for row in results.rows:
        if row.p99_s is not None and row.per_s is not None:
            yield (
                f"{row.workload}: {row.per_s:,.0f} requests a second, 99 of 100 within {1e3 * row.p99_s:.1f} ms, "
                f"the first in {row.cold_s:.2g} s."
            )
    if any(row.workload in REPLAYS for row in results.rows):
        first = start()
        what = "compiling" if first.compiled else "loading the compiled loop"
        yield f"The first replay of the process took {first.took_s:.2g} s, for {what}; that is in no row."
