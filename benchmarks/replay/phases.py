"""Phases of the replay: playing a case, also against other simulators on the same draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache

import numpy as np

from benchmarks.inputs import Disagreement
from benchmarks.measure import clock_s, processor_s
from benchmarks.phases import Job
from benchmarks.replay import others
from benchmarks.replay.workloads import Case
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import one_row_each
from engine.replay.loop import replay


@dataclass(frozen=True)
class Start:
    """What the first replay of a process takes before it plays."""

    took_s: float  # On the clock. [s]
    compiled: bool  # Whether its loop was compiled; else it was found compiled and only loaded


@cache
def start() -> Start:
    """Replay one call, so that the loop is ready; later calls do nothing.

    Returns
    -------
    Start
        How long it took, which belongs to no phase.
    """
    from engine.kernels import replay as kernel

    able = np.ones((1, 1), bool)
    demand = Demand.of([0.0], [1.0], Kinds.plain(able))
    roster = Roster.of(1, np.array([0]), np.array([0]), np.array([1]))
    took_s = clock_s(lambda: replay(demand, roster, one_row_each(np.zeros((1, 1)))))
    return Start(took_s, not kernel.replay_until.stats.cache_hits)  # type: ignore[attr-defined]


def play(case: Case) -> Job:
    """Play all calls of a case, from its arrays to what came of each call."""
    return Job(lambda: processor_s(case.play), lambda: processor_s(lambda: _copy(case)), "copying", is_replay=True)


def against_simpy(case: Case) -> Job:
    """Play a pool and count; SimPy does the same."""
    return _against("SimPy", others.with_simpy, case)


def against_ciw(case: Case) -> Job:
    """Play a pool and count; Ciw does the same."""
    return _against("Ciw", others.with_ciw, case)


def _against(name: str, play_so: Callable[[Case], others.Counts], case: Case) -> Job:
    others.package(name.lower())
    ours = others.counts(case.play())

    def baseline() -> float:
        theirs: list[others.Counts] = []
        took_s = processor_s(lambda: theirs.append(play_so(case)))
        if theirs != [ours]:
            raise Disagreement(f"{name} answers and loses {theirs[0]} calls, the replay {ours}, on the same draws")
        return took_s

    return Job(
        lambda: processor_s(lambda: others.counts(case.play())), lambda: processor_s(lambda: _copy(case)), "copying",
        baseline=name, baseline_s=baseline, is_replay=True,
    )  # fmt: skip


def _copy(case: Case) -> None:
    """Copy what goes in and as much as comes out."""
    columns = (getattr(case.demand, field.name) for field in fields(case.demand))
    for column in [*columns, case.demand.arrived_us, case.demand.arrived_us, case.demand.leave_us, case.demand.kind]:
        if isinstance(column, np.ndarray):
            column.copy()


PHASES: dict[str, Callable[[Case], Job]] = {"replay": play, "simpy": against_simpy, "ciw": against_ciw}


def phases_of(workload: str) -> tuple[str, ...]:
    """Phases that a workload of `REPLAYS` goes through.

    Parameters
    ----------
    workload : str
        Its name.

    Returns
    -------
    tuple of str
        Other simulators play the pool only.
    """
    return tuple(PHASES) if workload == "pool" else ("replay",)
