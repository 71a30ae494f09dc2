"""What the phases of one case share, made when first asked for and kept within a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks import baseline
from benchmarks.files import write_snapshot
from benchmarks.measure import Spread, processor_s
from benchmarks.workloads import Case, Columns
from engine.data.arrays import Arrays
from engine.errors import RoutingError
from engine.reports.outcomes import Outcomes
from engine.run import choose
from engine.spec import Scenario

SAMPLE_PAIRS, MOST_SAMPLE_ROWS, BASELINE_REPEATS = 200_000, 2_000, 3


class Disagreement(RoutingError):
    """The engine chose otherwise than the row-by-row baseline."""


# Runs a scenario and writes its files into a folder; whoever measures hands it in.
Simulate = Callable[[Scenario, Arrays, Path], object]


class Inputs:
    """Data of one case."""

    def __init__(self, case: Case, folder: Path, simulate: Simulate) -> None:
        self.case, self.folder, self.simulate = case, folder, simulate

    @property
    def scenario(self) -> Scenario:
        """What is simulated."""
        return self.case.workload.scenario

    @cached_property
    def columns(self) -> Columns:
        """All interactions in memory."""
        return self.case.columns()

    @cached_property
    def arrays(self) -> Arrays:
        """The same as the engine reads them."""
        return self.case.arrays(self.columns)

    @cached_property
    def snapshot(self) -> Path:
        """Folder of a snapshot of them."""
        return write_snapshot(
            self.case, self.folder / "snapshots", f"{self.case.workload.name}-{self.case.n_interactions}"
        )

    @cached_property
    def outcomes(self) -> Outcomes:
        """What the engine chooses."""
        return choose(self.scenario, self.arrays)

    @cached_property
    def n_pairs(self) -> int:
        """Pairs of interaction and member of its queue."""
        centre = self.arrays.centre
        members = centre.member.sum(axis=1)[centre.queue][centre.requirement]
        return int(np.bincount(self.columns.call_type, minlength=members.size) @ members)

    @cached_property
    def baseline_pair_s(self) -> float:
        """Processor time of the row-by-row baseline per pair, on a sample of the same rows.

        [s] `Disagreement` if the engine's winners differ from the baseline's.
        """
        n_rows = max(1, SAMPLE_PAIRS * self.case.n_interactions // max(1, self.n_pairs))
        sample = baseline.sample(self.arrays, self.scenario, min(n_rows, MOST_SAMPLE_ROWS))
        chosen = baseline.choose(sample, self.scenario)
        differ = baseline.differences(sample, chosen, self.outcomes, self.arrays.centre.agent_ids)
        if differ:
            raise Disagreement(
                f"workload {self.case.workload.name}: {len(differ)} of {len(chosen)} rows differ from the row-by-row "
                f"baseline, so its times mean nothing; {differ[0]}"
            )
        times = [processor_s(lambda: baseline.choose(sample, self.scenario)) for _ in range(BASELINE_REPEATS)]
        return Spread.of(times).median / sample.n_pairs
