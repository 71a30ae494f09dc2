"""How days spread around a measure, and where its 95 % interval ends.

An interval is Student's, corrected for the skewness of days, on a scale that keeps it where the measure can be.

References: W. G. Cochran, Sampling Techniques, 3rd ed. 1977, chapter 6 (error of a ratio of sums); P. Hall, "On the
removal of skewness by transformation", J. R. Statist. Soc. B 54, 1992; E. B. Wilson and M. M. Hilferty, "The
distribution of chi-square", PNAS 17, 1931 (cube roots); C. F. J. Wu, "Jackknife, bootstrap and other resampling methods
in regression analysis", Ann. Statist. 14, 1986, doi:10.1214/aos/1176350142 (signs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.stopping import check
from engine.typing import BoolArray, FloatArray

# Fewer days than this say too little about how days differ.
FEWEST_DAYS = 7
# Chance beyond each end of an interval.
BEYOND = 0.025
# Ways of giving signs to days, each with its opposite; what is odd in the signs drops out, so few are enough.
SIGNINGS = 256
# The transformation that takes skewness off is believed until it stretches its tail so many times; beyond, a single odd
# day would carry the end of an interval as far as one likes, so days count as no more skewed than that.
STEEPEST = 30.0
Ends = tuple[float, float]


@dataclass(frozen=True)
class Spread:
    """How far each day moves a measure from its value, in the unit of the measure; the mean over days is 0.

    Parameters
    ----------
    by_day : (n_days,) array of float
        What they are.
    some : (n_days,) array of bool
        Days on which there was anything to measure; nothing is learnt of others.
    n : float
        Interactions of all days, where the measure is a share of them.
    extra : float
        Error of what was taken off for chance.
    apart : (SIGNINGS,) array of float, optional
        The measure with signs given to days, where that scatters more than days tell.
    """

    by_day: FloatArray
    some: BoolArray
    n: float = math.inf
    extra: float = 0.0
    apart: FloatArray | None = None

    @classmethod
    def of_ratio(cls, above: FloatArray, below: FloatArray) -> Spread:
        """Of one sum over another."""
        by_day = (above - above.sum() / below.sum() * below) / below.mean()
        return cls(by_day, below > 0, float(below.sum()))

    def less(self, other: Spread) -> Spread:
        """Of the difference, day by day: what both rules share drops out."""
        apart = self.apart - other.apart if self.apart is not None and other.apart is not None else None
        return Spread(
            self.by_day - other.by_day, self.some | other.some, min(self.n, other.n), self.extra - other.extra, apart
        )

    @property
    def is_enough(self) -> bool:
        """Whether there are days enough for an interval."""
        return is_enough(self.some)

    @property
    def unseen(self) -> float:
        """Largest share of which none among n is no surprise yet (Clopper and Pearson 1934)."""
        return 1 - BEYOND ** (1 / self.n)

    @property
    def error(self) -> float:
        """Standard error of the value."""
        n = int(self.some.sum())
        by_day = math.sqrt(float(np.square(self.by_day).sum()) * n / (n - 1)) / self.by_day.size
        apart = 0.0 if self.apart is None else float(self.apart.std())
        return math.hypot(max(by_day, apart), self.extra)

    @property
    def student(self) -> float:
        """Student's upper end, in standard errors."""
        from scipy.special import stdtrit

        return float(stdtrit(int(self.some.sum()) - 1, 1 - BEYOND))

    @property
    def skewed(self) -> Ends:
        """Student's ends corrected for the skewness of days (Hall's cubic transformation), in standard errors."""
        moves = self.by_day[self.some]
        n, variance = moves.size, float(np.square(moves).mean())
        if variance == 0:
            return -self.student, self.student
        # Of few days the third moment over the second is too small; so corrected it is without bias where days are
        # normal, and nearer elsewhere.
        skew = float((moves**3).mean()) / variance**1.5 * math.sqrt(n * (n - 1)) / (n - 2)
        bend = skew / math.sqrt(n)
        return -_straight(bend, self.student), -_straight(bend, -self.student)


def is_enough(some: BoolArray) -> bool:
    """Whether so many days carry an interval."""
    return int(some.sum()) >= FEWEST_DAYS


def _straight(bend: float, at: float) -> float:
    """Where a studentised mean of skewed days lies when its transform lies at `at`."""
    if abs(bend) < 1e-6:
        return at
    inside = 1 + bend * (at - bend / 6)
    if inside < STEEPEST**-1.5:
        inside = STEEPEST**-1.5
        bend = math.copysign(3 * (math.sqrt(at * at + (1 - inside) / 1.5) - abs(at)), bend)
    return 3 / bend * (float(np.cbrt(inside)) - 1)


def difference(value: float, spread: Spread) -> Ends:
    """Ends of a paired difference."""
    low, high = spread.skewed
    # Few days tell little of their skewness, so a correction may lengthen a side and never shortens one.
    return value + min(low, -spread.student) * spread.error, value + max(high, spread.student) * spread.error


def counted_difference(value: float, spread: Spread) -> Ends:
    """Ends of a paired difference of shares of so many interactions."""
    if value == 0 and not spread.by_day.any():
        # Not one interaction too many on any day, under rules that are not the same.
        return -spread.unseen, spread.unseen
    return difference(value, spread)


def wait(value: float, spread: Spread) -> Ends:
    """Ends of a mean wait."""
    return _stretched(value, spread.error, spread.student, spread.skewed) if value > 0 else (0.0, 0.0)


def share(value: float, spread: Spread) -> Ends:
    """Ends of a share of something that is not counted, as of time."""
    if not 0 < value < 1:
        return value, value
    return _share(value, spread.error, spread.student, spread.skewed)


def counted_share(value: float, spread: Spread) -> Ends:
    """Ends of a share of so many interactions."""
    if 0 < value < 1:
        return share(value, spread)
    # None or all of n on every day: days do not differ, and chance is there all the same.
    return (0.0, spread.unseen) if value <= 0 else (1 - spread.unseen, 1.0)


def evenness(value: float, spread: Spread) -> Ends:
    """Ends of a Gini."""
    # Part of the skewness comes from chance that is in the error already, so half of the correction is believed.
    low, high = ((end + plain) / 2 for end, plain in zip(spread.skewed, (-spread.student, spread.student), strict=True))
    return max(0.0, value + low * spread.error), min(1.0, value + high * spread.error)


def _stretched(value: float, error: float, student: float, skewed: Ends) -> Ends:
    """Ends of what is above 0 and grows in proportion, as waits and odds do.

    The further of two: Student's on the scale of logarithms, and that corrected for skewness on the scale of cube
    roots, which leaves some skewness to correct.
    """
    part = error / value
    low, high = (max(0.0, 1 + end * part / 3) ** 3 for end in skewed)
    return value * min(low, math.exp(-student * part)), value * max(high, math.exp(student * part))


def _share(value: float, error: float, student: float, skewed: Ends) -> Ends:
    """On the scale of odds, of the rarer of what happens and what does not."""
    if value > 0.5:
        low, high = _share(1 - value, error, student, (-skewed[1], -skewed[0]))
        return 1 - high, 1 - low
    low, high = _stretched(value / (1 - value), error / (1 - value) ** 2, student, skewed)
    return low / (1 + low), high / (1 + high)


def long_run_gini(counts: FloatArray, seed: int = 0) -> tuple[float, Spread]:
    """The Gini of what agents get in the long run of such days, and how days spread around it.

    Parameters
    ----------
    counts : (n_days, n_agents) array of float, >= 0
        Interactions of each agent on each day.
    seed : int
        Of the signs.

    Returns
    -------
    value : float
        The Gini of all days without what chance adds, not below 0.
    spread : Spread
        Around it.

    Notes
    -----
    Chance adds to the Gini, and the more, the closer agents are. How much is seen by adding it once more: to the shares
    of all days what each day leaves of them, with signs. Between agents who are alike in the long run the mean distance
    grows as the root of the variance, so a second time adds 0.41 of what the first one did; between agents far apart
    neither adds anything. Twice what the second adds is taken off, and a quarter of that counts as error.

    Examples
    --------
    >>> round(long_run_gini(np.tile([1.0, 2.0, 3.0, 4.0], (7, 1)))[0], 3)
    0.25
    """
    check()
    n, total = len(counts), counts.sum()
    shares = counts.sum(axis=0) / total
    # What a day leaves of the shares adds up to 0 over agents and over days.
    left = (counts - counts.sum(axis=1)[:, None] * shares) / total
    again = _gini(shares + _signs(n, seed) @ left * math.sqrt(n / (n - 1)))
    raw, without = float(_gini(shares)), _gini(counts.sum(axis=0) - counts)
    off = 2 * max(0.0, float(again.mean()) - raw)
    spread = Spread((n - 1) * (without.mean() - without), np.ones(n, bool), extra=off / 4, apart=again)
    return max(0.0, raw - off), spread


def _gini(counts: FloatArray) -> FloatArray:
    """As of any counts, also of those that signs have brought below 0."""
    n = counts.shape[-1]
    return np.asarray(np.sort(counts, axis=-1) @ (2.0 * np.arange(1, n + 1) - n - 1) / (n * counts.sum(axis=-1)))


@lru_cache(maxsize=64)
def _signs(n_days: int, seed: int) -> FloatArray:
    """Signs of days, every row with its opposite, alike for all accounts so that differences are paired."""
    # A stream of its own: it must not touch the draws of patience, handling or choice.
    half = np.random.default_rng([seed, 0x5EED]).choice([-1.0, 1.0], (SIGNINGS // 2, n_days))
    return np.concatenate([half, -half])
