"""Intervals by resampling days, and paired differences on the same days and draws.

A day and one draw of what is not recorded are taken together, with replacement. What comes out holds for
days like these; it forecasts nothing.

Reference: B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.measures.fairness import gini
from engine.results import about, or_null
from engine.typing import BoolArray, FloatArray

# Fewer days than this say nothing about how days differ.
FEWEST_DAYS = 5
DRAWS = 2000
LOW, HIGH = 2.5, 97.5
# Measures that are one sum over another.
RATIOS: Mapping[str, tuple[str, str]] = {
    "service_level": ("within", "counted"),
    "asa_s": ("answered_wait_s", "answered"),
    "mean_wait_s": ("wait_s", "waits"),
    "abandonment": ("abandoned", "offered"),
    "occupancy": ("busy_s", "staffed_s"),
}


@dataclass(frozen=True)
class Days:
    """Sums by draw and day.

    Parameters
    ----------
    parts : dict of (n_draws, n_days) arrays of float
        What the measures are made of.
    counts : (n_draws, n_days, n_agents) array of float
        Interactions answered by each agent.
    ever : (n_agents,) array of bool, optional
        Who was ever on queue; None where the counts are of those only.
    """

    parts: dict[str, FloatArray]
    counts: FloatArray
    ever: BoolArray | None = None


def stacked(days: Sequence[Days]) -> Days:
    """Sums of several draws, end to end.

    Parameters
    ----------
    days : sequence of Days
        At least one, of the same days and agents.

    Returns
    -------
    Days
        All draws, by agents who were ever on queue in any.
    """
    parts = {name: np.concatenate([each.parts[name] for each in days]) for name in days[0].parts}
    counts = np.concatenate([each.counts for each in days])
    ever = [each.ever for each in days if each.ever is not None]
    return Days(parts, counts[..., np.logical_or.reduce(ever)] if ever else counts)


def measures(sums: Mapping[str, FloatArray], counts: FloatArray) -> dict[str, FloatArray]:
    """Measures of sums of any shape (those of `RATIOS`, and gini of the counts), NaN where undefined."""
    found = {}
    for name, (above, below) in RATIOS.items():
        if above in sums:
            below_sum = np.asarray(sums[below], float)
            some = below_sum > 0
            found[name] = np.divide(sums[above], below_sum, out=np.full(below_sum.shape, np.nan), where=some)
    total = counts.sum(axis=-1)
    found["gini"] = np.full(total.shape, np.nan)
    if (total > 0).any():
        found["gini"][total > 0] = gini(counts[total > 0])
    return found


def point(days: Days) -> dict[str, float | None]:
    """Each measure over all days, the mean over draws.

    Parameters
    ----------
    days : Days
        Of one account.

    Returns
    -------
    dict
        None where undefined.
    """
    found = measures({name: part.sum(axis=1) for name, part in days.parts.items()}, days.counts.sum(axis=1))
    # A mean over draws of a ratio over all days, not of daily ratios: busy days count for what they are.
    return {name: or_null(value.mean()) for name, value in found.items()}


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float = about("Lower end.")
    high: float = about("Upper end.")


@dataclass(frozen=True)
class Paired:
    """A paired difference with its 95 % interval; null where undefined."""

    value: float | None = about("The one less the other.")
    low: float | None = about("Lower end of its 95 % interval.")
    high: float | None = about("Upper end of its 95 % interval.")


class Resampling:
    """Days and draws taken with replacement, the same for every account.

    Parameters
    ----------
    n_draws, n_days : int
        Of the accounts.
    seed : int
        Of the resampling.
    """

    def __init__(self, n_draws: int, n_days: int, seed: int = 0) -> None:
        self.is_possible = n_days >= FEWEST_DAYS
        self._shape = (n_draws, n_days)
        # A stream of its own: drawing days must not touch the draws of patience, handling or choice.
        rng = np.random.default_rng([seed, 0x5EED])
        taken = rng.integers(0, n_days, (DRAWS, n_days)) if self.is_possible else np.empty((0, 0), np.int64)
        # Each day comes with one draw of what is not recorded, so the interval covers both kinds of chance.
        taken = taken + n_days * rng.integers(0, n_draws, taken.shape)
        # How often each day was taken, as one matrix: sums of 2,000 resamples are then one product. Small whole numbers
        # are exact in 32 bits, and half the memory.
        self._weight = np.zeros((len(taken), n_draws * n_days), np.float32)
        np.add.at(self._weight, (np.arange(len(taken))[:, None], taken), 1)

    def interval(self, days: Days) -> dict[str, Interval | None]:
        """95 % interval of every measure.

        Parameters
        ----------
        days : Days
            Of one account.

        Returns
        -------
        dict
            By measure; None where there are too few days or it is undefined.
        """
        return self._spread(self._resampled(days))

    def difference(self, days: Days, other: Days) -> dict[str, Paired]:
        """Paired difference of every measure, the first account less the other.

        Parameters
        ----------
        days, other : Days
            Of the same customers.

        Returns
        -------
        dict
            By measure.
        """
        first, second = point(days), point(other)
        mine, theirs = self._resampled(days), self._resampled(other)
        # Resample by resample on the same days and draws: what both rules share drops out of the difference.
        spread = self._spread({name: mine[name] - theirs[name] for name in mine if name in theirs})
        found = {}
        for name in first:
            a, b = first[name], second.get(name)
            value = None if a is None or b is None else a - b
            both = spread.get(name)
            found[name] = Paired(value, both.low, both.high) if both else Paired(value, None, None)
        return found

    def _resampled(self, days: Days) -> dict[str, FloatArray]:
        if not self.is_possible:
            return {}
        # The record is one draw, whatever the number of replications; it stands beside each of them.
        flat: Callable[[FloatArray], FloatArray] = lambda part: np.broadcast_to(part, self._shape).reshape(-1)  # noqa: E731
        n_agents = days.counts.shape[-1]
        counts = np.broadcast_to(days.counts, (*self._shape, n_agents)).reshape(-1, n_agents)
        return measures({name: self._weight @ flat(part) for name, part in days.parts.items()}, self._weight @ counts)

    @staticmethod
    def _spread(resampled: Mapping[str, FloatArray]) -> dict[str, Interval | None]:
        found: dict[str, Interval | None] = {}
        for name, values in resampled.items():
            known = values[~np.isnan(values)]
            # Where most resamples leave a measure undefined, the rest are no picture of the days.
            some = known.size >= values.size / 2 and known.size > 0
            low, high = np.percentile(known, (LOW, HIGH)) if some else (0.0, 0.0)
            found[name] = Interval(float(low), float(high)) if some else None
        return found
