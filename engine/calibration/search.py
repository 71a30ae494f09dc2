"""The search for join gap and after-call work: a coarse grid, then ever finer ones around the best.

All candidates replay the same draws of what is not recorded, so they differ by what is tried and little else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine.calibration.closeness import Distances
from engine.calibration.evidence import Tried
from engine.calibration.span import Span
from engine.estimates.assumptions import Assumptions
from engine.typing import Progress

# Under a minute agents would be on queue only while they served, and no rule could choose between them.
GAPS_S = (60.0, 150.0, 300.0, 600.0, 1200.0)
ACWS_S = (0.0, 15.0, 30.0, 60.0, 120.0)
GAP_STEP_S, ACW_STEP_S = 30.0, 1.0
ROUNDS, DRAWS = 3, 3


@dataclass(frozen=True)
class Candidate:
    """A pair of assumptions and how far its replays are from the record."""

    join_gap_s: float
    acw_s: float
    losses: tuple[float, ...]  # One per draw of what is not recorded
    distances: Distances  # Of the first draw

    @property
    def loss(self) -> float:
        """Mean over draws; 0 would be the record itself."""
        return float(np.mean(self.losses))

    def tried(self) -> Tried:
        """As a calibration shows it."""
        return Tried(self.join_gap_s, self.acw_s, self.loss, len(self.losses), self.distances)


class Search:
    """Tries those of join gap and after-call work that are to be fitted; all else stays as it is given."""

    def __init__(self, span: Span, given: Assumptions, fitted: Sequence[str], progress: Progress | None) -> None:
        self.span, self.given, self._progress = span, given, progress
        self.gaps_s = GAPS_S if "join_gap_s" in fitted else (given.join_gap_s,)
        self.acws_s = ACWS_S if "acw_s" in fitted else (given.acw_s,)
        self.tried: dict[tuple[float, float], Candidate] = {}
        sides = [3 if len(side) > 1 else 1 for side in (self.gaps_s, self.acws_s)]
        self._done, self._total = 0, len(self.gaps_s) * len(self.acws_s) + ROUNDS * sides[0] * sides[1]

    def run(self) -> Candidate:
        """The best of all that were tried with as many draws as the finer grids."""
        # One draw tells where the valley lies; only near its floor are differences as small as chance.
        self._try(self.gaps_s, self.acws_s, 1)
        for number in range(ROUNDS):
            best = self._best(1 if number == 0 else DRAWS)
            gaps, acws = (sorted(set(side)) for side in zip(*self.tried, strict=True))
            self._try(
                between(gaps, best.join_gap_s, GAP_STEP_S, ratios=True), between(acws, best.acw_s, ACW_STEP_S), DRAWS
            )  # fmt: skip
        return self._best(DRAWS)

    @property
    def noise(self) -> float:
        """Standard deviation of the loss between draws of the same candidate."""
        # Pooled over candidates: three draws of one would say little about chance.
        each = [np.var(one.losses, ddof=1) for one in self.tried.values() if len(one.losses) > 1]
        return float(np.sqrt(np.mean(each))) if each else 0.0

    def as_good(self, best: Candidate) -> list[Candidate]:
        """Candidates that one draw does not tell from the best: within two standard deviations of it."""
        return [one for one in self.tried.values() if one.loss <= best.loss + 2 * self.noise]

    def _best(self, draws: int) -> Candidate:
        some = [one for one in self.tried.values() if len(one.losses) >= draws]
        # Of equal losses the shorter gap: it invents less time on queue.
        return min(some, key=lambda one: (one.loss, one.join_gap_s, one.acw_s))

    def _try(self, gaps_s: Sequence[float], acws_s: Sequence[float], draws: int) -> None:
        for gap_s in gaps_s:
            for acw_s in acws_s:
                self._done += 1
                if self._progress is not None:
                    self._progress("fitting", min(self._done, self._total), self._total)
                self._add(gap_s, acw_s, draws)

    def _add(self, gap_s: float, acw_s: float, draws: int) -> None:
        before = self.tried.get((gap_s, acw_s))
        known = before.losses if before else ()
        if len(known) >= draws:
            return
        assumed = replace(self.given, join_gap_s=gap_s, acw_s=acw_s)
        more, found = self.span.losses(assumed, range(len(known), draws))
        self.tried[gap_s, acw_s] = Candidate(gap_s, acw_s, (*known, *more), before.distances if before else found)


def between(tried: Sequence[float], best: float, step: float, *, ratios: bool = False) -> list[float]:
    """The best value and those half way to its neighbours.

    Examples
    --------
    >>> between([0.0, 15.0, 30.0], 15.0, 1.0), between([60.0, 150.0, 300.0], 300.0, 30.0, ratios=True)
    ([8.0, 15.0, 22.0], [210.0, 300.0])
    """
    place = tried.index(best)
    found = {best}
    for low, high in pairwise(tried[max(place - 1, 0) : place + 2]):
        # Gaps matter by ratio, from a minute to twenty; after-call work by seconds.
        middle = step * round((np.sqrt(low * high) if ratios else (low + high) / 2) / step)
        found |= {float(middle)} if low < middle < high else set()
    return sorted(found)
