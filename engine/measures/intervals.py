"""Measures of days with intervals, and paired differences on the same days and draws.

What comes out holds for days like these; it forecasts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidTable
from engine.measures import spread
from engine.measures.fairness import gini
from engine.measures.spread import FEWEST_DAYS, Spread, is_enough, long_run_gini
from engine.results import about, or_null
from engine.stopping import check
from engine.typing import BoolArray, FloatArray

# Measures that are one sum over another.
RATIOS: Mapping[str, tuple[str, str]] = {
    "service_level": ("within", "counted"),
    "asa_s": ("answered_wait_s", "answered"),
    "mean_wait_s": ("wait_s", "waits"),
    "abandonment": ("abandoned", "offered"),
    "occupancy": ("busy_s", "staffed_s"),
}
# Where the interval of each ends.
ENDS: Mapping[str, Callable[[float, Spread], spread.Ends]] = {
    "service_level": spread.counted_share,
    "asa_s": spread.wait,
    "mean_wait_s": spread.wait,
    "abandonment": spread.counted_share,
    "occupancy": spread.share,
    "gini": spread.evenness,
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
        None where undefined. From seven days on gini is that of what agents get in the long run of such days: chance
        makes counts of few days uneven, and that part is taken off.
    """
    check()
    found = measures({name: part.sum(axis=1) for name, part in days.parts.items()}, days.counts.sum(axis=1))
    # A mean over draws of a ratio over all days, not of daily ratios: busy days count for what they are.
    values = {name: or_null(value.mean()) for name, value in found.items()}
    if values["gini"] is not None and is_enough(days.counts.sum(axis=(0, 2)) > 0):
        values["gini"] = long_run_gini(days.counts.mean(axis=0))[0]
    return values


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
    """Days of all accounts, and what they leave open.

    Parameters
    ----------
    n_draws, n_days : int
        Of the accounts; the record is one draw and stands beside each of several.
    seed : int
        Of the signs given to days, which only the Gini needs.
    """

    def __init__(self, n_draws: int, n_days: int, seed: int = 0) -> None:
        self.is_possible = n_days >= FEWEST_DAYS
        self._n_draws, self._n_days, self._seed = n_draws, n_days, seed

    def interval(self, days: Days) -> dict[str, Interval | None]:
        """95 % interval of every measure.

        Parameters
        ----------
        days : Days
            Of one account.

        Returns
        -------
        dict
            By measure; None where it is undefined, or fewer than seven days say anything of it. The value of `point`
            lies in it.

        Raises
        ------
        InvalidTable
            If there are other days or draws.
        """
        check()
        if not self.is_possible:
            return {}
        found: dict[str, Interval | None] = dict.fromkeys(values := point(days))
        for name, one in self._spreads(days).items():
            value = values[name]
            if value is not None and one.is_enough:
                low, high = ENDS[name](value, one)
                # Rounding of its scale may put an end a last bit beside the value.
                found[name] = Interval(min(low, value), max(high, value))
        return found

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

        Raises
        ------
        InvalidTable
            If there are other days or draws.
        """
        check()
        first, second, is_same = point(days), point(other), _is_same(days, other)
        mine, theirs = (self._spreads(each) if self.is_possible else {} for each in (days, other))
        found = {}
        for name in first:
            a, b = first[name], second.get(name)
            value = None if a is None or b is None else a - b
            both = mine[name].less(theirs[name]) if name in mine and name in theirs else None
            if value is None or both is None or not both.is_enough:
                found[name] = Paired(value, None, None)
            elif ENDS[name] is spread.counted_share and not is_same:
                found[name] = Paired(value, *spread.counted_difference(value, both))
            else:
                found[name] = Paired(value, *spread.difference(value, both))
        return found

    def _spreads(self, days: Days) -> dict[str, Spread]:
        n_draws, n_days, _ = days.counts.shape
        if n_draws not in (1, self._n_draws) or n_days != self._n_days:
            raise InvalidTable(
                f"days: {n_draws} draws of {n_days} days, want {self._n_draws} of {self._n_days}; "
                "sum all columns by one calendar"
            )
        # However often what is not recorded was redrawn, a day is one: the mean over its draws. Such means differ from
        # day to day by both kinds of chance.
        sums = {name: part.mean(axis=0) for name, part in days.parts.items()}
        found = {
            name: Spread.of_ratio(sums[above], sums[below])
            for name, (above, below) in RATIOS.items()
            if above in sums and sums[below].sum() > 0
        }
        counts = days.counts.mean(axis=0)
        if is_enough(counts.sum(axis=1) > 0):
            found["gini"] = long_run_gini(counts, self._seed)[1]
        return found


def _is_same(days: Days, other: Days) -> bool:
    """Whether two accounts are of one rule, as far as sums tell."""
    if days is other:
        return True
    sides = [(days.counts, other.counts), *((days.parts[name], other.parts.get(name)) for name in days.parts)]
    return all(theirs is not None and np.array_equal(mine, theirs) for mine, theirs in sides)
