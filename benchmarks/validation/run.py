"""Simulate the cases, and compare simulated with exact and published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.validation.cases import CASES, Cell, Part, Sums
from engine.errors import InvalidScenario
from engine.typing import FloatArray, Record

# Against exact values so many standard errors; to a published 95 % interval, or bounds, our own one is added.
MOST_ERRORS, INTERVAL = 4.0, 1.96
# A tenth of the days, but so many that the error itself is known.
QUICK, FEWEST = 10, 30
Say = Callable[[str], object]


@dataclass(frozen=True)
class Compared:
    """One number, simulated, beside what it should be."""

    # As in `cases.Part`
    case: str
    model: str
    source: str
    cell: Cell  # What was compared with what
    n_days: int  # Independent days
    # Estimate and its standard error
    simulated: float
    error: float

    @property
    def off(self) -> float | None:
        """How many standard errors above the exact value; None where none is known."""
        return None if self.cell.exact is None else (self.simulated - self.cell.exact) / self.error

    @property
    def agrees(self) -> bool:
        """Whether it lies where it should."""
        near = self.off is None or abs(self.off) <= MOST_ERRORS
        own = INTERVAL * self.error
        published = self.cell.published
        near &= published is None or published.low - own <= self.simulated <= published.high + own
        return near and (self.cell.bounds is None or self._is_between(*self.cell.bounds))

    def _is_between(self, low: float, high: float) -> bool:
        # A share near 1 of few runs hides its own error, so that of a share on the bound counts.
        own_low, own_high = (INTERVAL * (bound * (1 - bound) / self.n_days) ** 0.5 for bound in (low, high))
        return low - own_low <= self.simulated <= high + own_high

    def to_dict(self) -> Record:
        """All numbers as plain values."""
        return asdict(self) | {"off": self.off, "agrees": self.agrees}


def run(cases: Sequence[str] = (), *, quick: bool = False, seed: int = 0, say: Say = str) -> list[Compared]:
    """Simulate and compare."""
    compared = []
    for name in [_known(case) for case in cases] or list(CASES):
        for place, part in enumerate(CASES[name]()):
            say(f"{part.case}: {part.model}")
            n_days = max(FEWEST, part.n_days // QUICK) if quick else part.n_days
            sums = simulate(part, n_days, [seed, list(CASES).index(name), place])
            compared += [_compare(part, cell, sums) for cell in part.cells]
    return compared


def _known(name: str) -> str:
    if name.upper() not in CASES:
        raise InvalidScenario(f"case {name!r} is not one of the validation's; use one of {', '.join(CASES)}")
    return name.upper()


def simulate(part: Part, n_days: int, seed: Sequence[int]) -> Sums:
    """Play days of a part, some at once."""
    sums = [
        part.simulate(min(part.at_once, n_days - first), np.random.default_rng([*seed, first]))
        for first in range(0, n_days, part.at_once)
    ]
    return {name: np.concatenate([some[name] for some in sums]) for name in sums[0]}


def estimate(over: FloatArray, under: FloatArray) -> tuple[float, float]:
    """Ratio of two means over independent days, and its standard error (delta method).

    Examples
    --------
    >>> estimate(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    (2.0, 1.0)
    """
    n_days = over.size
    ratio = over.sum() / under.sum()
    spread = np.sum((over - ratio * under) ** 2) * n_days / (n_days - 1)
    return float(ratio), float(np.sqrt(spread) / under.sum())


def _compare(part: Part, cell: Cell, sums: Sums) -> Compared:
    ratio, error = estimate(sums[cell.over], sums[cell.under])
    return Compared(
        part.case, part.model, part.source, cell, sums[cell.over].size, ratio / cell.unit, error / cell.unit
    )
