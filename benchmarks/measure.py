"""Timing two things against each other, and what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from engine.errors import RoutingError
from engine.typing import Record

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
ROW_BY_ROW = "the row-by-row baseline"
# Repeated at least and at most so often, and no longer than this. [s]
FEWEST, MOST, ENOUGH_S = 3, 9, 10.0


class NotMeasured(RoutingError):
    """A phase needs something that is not there."""


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of several measurements."""

    # In the unit of what was measured
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up measurements."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Row:
    """What a phase of a workload took, as ratios within one run.

    Parameters
    ----------
    workload, size, phase : str
        What was measured.
    n_interactions, n_pairs : int
        Interactions; pairs of interaction and agent that the phase decides about, 0 where it decides nothing.
    took_s, plain_s : Spread
        Time of the phase, and of what it is compared with. [s]
    plain : str
        What that is: copying the same arrays, or reading and writing the same bytes.
    plain_ratio : Spread
        How many times longer than plain; lower is better.
    baseline_ratio : float or None
        How many times faster than the baseline; higher is better.
    peak_mib : float or None
        Largest memory of the process, where it had one of its own. [MiB]
    baseline : str
        What the baseline is.
    per_s : float or None
        Interactions played or requests answered, where they follow each other in time. [1/s]
    p99_s, cold_s : float or None
        How long 99 of 100 answers took at most, and the first before all others, where requests are answered. [s]
    """

    workload: str
    size: str
    phase: str
    n_interactions: int
    n_pairs: int
    took_s: Spread
    plain_s: Spread
    plain: str
    plain_ratio: Spread
    baseline_ratio: float | None = None
    peak_mib: float | None = None
    baseline: str = ROW_BY_ROW
    per_s: float | None = None
    p99_s: float | None = None
    cold_s: float | None = None

    @property
    def pair_ns(self) -> float | None:
        """Time per pair. [ns]"""
        return 1e9 * self.took_s.median / self.n_pairs if self.n_pairs else None

    def to_dict(self) -> Record:
        """All numbers as plain values."""
        return asdict(self) | {"pair_ns": self.pair_ns}


def processor_s(work: Callable[[], object]) -> float:
    """Processor time of some work in this process; other people's programs hardly disturb it. [s]"""
    start = time.process_time()
    work()
    return time.process_time() - start


def clock_s(work: Callable[[], object]) -> float:
    """Time on the clock, for work that waits for the disk. [s]"""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(first: Callable[[], float], second: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Measure two things in turn, so that what disturbs one disturbs the other; each once before, uncounted. [s]

    Examples
    --------
    >>> alternate(lambda: 2.0, lambda: 1.0)[0][:3]
    [2.0, 2.0, 2.0]
    """
    first(), second()
    times: tuple[list[float], list[float]] = ([], [])
    start = time.perf_counter()
    while len(times[0]) < FEWEST or (len(times[0]) < MOST and time.perf_counter() - start < ENOUGH_S):
        times[0].append(first())
        times[1].append(second())
    return times


# The kernel hands a child the peak of the process it came from, so a small one stands in between.
BETWEEN = (
    "import os, sys; child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]); _, status, used = os.wait4(child, 0); "
    "print(os.waitstatus_to_exitcode(status), used.ru_maxrss)"
)


def peak_mib(arguments: Sequence[str]) -> float:
    """Largest memory of a Python process that does something once, pages of mapped files included. [MiB]"""
    command = [sys.executable, "-S", "-c", BETWEEN, sys.executable, *arguments]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    exit_code, peak = (int(text) for text in said.stdout.split()[-2:])
    if exit_code:
        raise RuntimeError(f"python {' '.join(arguments)}: left with exit code {exit_code}: {said.stderr.strip()}")
    # Kibibytes on Linux, bytes on macOS.
    return peak / (MIB if sys.platform == "darwin" else MIB >> 10)
