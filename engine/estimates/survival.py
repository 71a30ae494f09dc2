"""Kaplan-Meier curves: how long customers stay, seen only until something else ends their waiting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.typing import BoolArray, FloatArray

# A draw of 0 would mean patience without end; half the smallest step of a draw stands in for it.
_LEAST_DRAW = 2.0**-54


@dataclass(frozen=True)
class KaplanMeier:
    """Share of customers who have not given up, by time waited; exponential beyond the last abandonment.

    Parameters
    ----------
    at_s : (n_steps,) array of float
        Distinct waits of abandonments, rising. [s]
    survival : (n_steps,) array of float
        Share still waiting just after each.
    tail_per_s : float
        Hazard beyond the last step; 0: nobody gives up any more. [1/s]
    n_left : (n_steps,) array of float
        Abandonments at each step.

    References
    ----------
    .. [1] E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of the
       American Statistical Association 53, 1958. doi:10.1080/01621459.1958.10501452

    Examples
    --------
    >>> curve = KaplanMeier.fit([1.0, 2.0, 2.0, 5.0], [True, True, False, False])
    >>> curve.survival.tolist()
    [0.75, 0.5]
    >>> curve.draw([float("nan"), 1.0], [0.8, 0.1 / 0.75]).round(3).tolist()
    [1.0, 11.657]
    """

    at_s: FloatArray
    survival: FloatArray
    tail_per_s: float
    n_left: FloatArray

    @classmethod
    def fit(
        cls, wait_s: object, left: object, tail_per_s: float | None = None, weight: FloatArray | None = None
    ) -> KaplanMeier:
        """Estimate from waits that ended by giving up or otherwise.

        Parameters
        ----------
        wait_s : (n,) array of float, >= 0
            Waits, infinite for an end that came later than every other. [s]
        left : (n,) array of bool
            Whether the customer gave up; of equal waits those come first.
        tail_per_s : float, optional
            Hazard of the tail; by default `late_hazard` of the same waits. [1/s]
        weight : (n,) array of float, optional
            How many customers each stands for; None: one. [count]

        Returns
        -------
        KaplanMeier
            Without steps where nobody gave up.
        """
        waits, events = np.asarray(wait_s, float), np.asarray(left, bool)
        many = np.ones(waits.size) if weight is None else weight
        at_s, step = np.unique(waits[events], return_inverse=True)
        n_left = np.bincount(step, many[events], at_s.size).astype(np.float64)
        # Whoever stopped waiting at the very instant of an abandonment was still at risk of it.
        waiting = _still_waiting(waits, weight, at_s)
        # Sums of weights round, so of the last ones slightly more than all may seem to leave.
        survival = np.cumprod(np.maximum(1.0 - n_left / waiting, 0.0))
        tail = late_hazard(waits, events, weight) if tail_per_s is None else tail_per_s
        return cls(at_s, np.asarray(survival, np.float64), tail, n_left)

    @property
    def last_s(self) -> float:
        """Where the tail begins: the last abandonment. [s]"""
        return float(self.at_s[-1]) if self.at_s.size else 0.0

    @property
    def restricted_mean_s(self) -> float:
        """Mean of the patience up to `last_s`: the area under the steps. [s]"""
        held = np.concatenate([[1.0], self.survival[:-1]])[: self.at_s.size]
        return float(held @ np.diff(self.at_s, prepend=0.0))

    @property
    def median_s(self) -> float:
        """Wait after which half have given up, in the tail if need be; infinite for never. [s]"""
        return float(self.draw(np.array([np.nan]), np.array([0.5]))[0])

    def draw(self, after_s: object, u: object) -> FloatArray:
        """Patience given that it is longer than a wait: the first time at which S falls to u * S(wait).

        Parameters
        ----------
        after_s : (n,) array of float
            Waits survived; NaN for none, so that even giving up at once is possible. [s]
        u : (n,) array of float
            Draws in [0, 1).

        Returns
        -------
        (n,) array of float
            Longer than `after_s`, infinite for never. [s]
        """
        known = np.asarray(after_s, float)
        # Before 0, so that steps at 0 s, customers who leave at once, still lie ahead.
        waited = np.where(np.isnan(known), -1.0, known)
        share = np.maximum(np.asarray(u, float), _LEAST_DRAW)
        behind = np.searchsorted(self.at_s, waited, "right")
        target = share * np.concatenate([[1.0], self.survival])[behind]
        # Rounding may leave a draw next to 1 where it was; it moves on by one step at least.
        step = np.maximum(np.searchsorted(-self.survival, -target), behind)
        found = np.append(self.at_s, np.inf)[step]
        tail = np.flatnonzero(step == self.at_s.size)
        if self.tail_per_s > 0 and tail.size:
            # Those who are not beyond the steps yet must first outlive what is left of them.
            rest = max(float(self.survival[-1]), _LEAST_DRAW) if self.at_s.size else 1.0
            ratio = np.where(behind[tail] < self.at_s.size, target[tail] / rest, share[tail])
            found[tail] = np.maximum(waited[tail], self.last_s) - np.log(ratio) / self.tail_per_s
        return found

    def draw_left(self, u: object) -> FloatArray:
        """Patience of customers who are known to have given up before anybody answered them.

        Such a patience is seen as often as the curve falls there times the chance that nobody had answered by then;
        the shares of the abandonments at each step are just that.

        Parameters
        ----------
        u : (n,) array of float
            Draws in [0, 1).

        Returns
        -------
        (n,) array of float
            One of the steps. [s]

        Raises
        ------
        IndexError
            Without steps.
        """
        reached = np.cumsum(self.n_left)
        step = np.searchsorted(reached, np.asarray(u, float) * reached[-1], "right")
        # Just below 1, a draw times the sum may round up to the sum.
        return self.at_s[np.minimum(step, self.at_s.size - 1)]


def _still_waiting(wait_s: FloatArray, weight: FloatArray | None, at_s: FloatArray) -> FloatArray:
    """How many waited at least so long."""
    if weight is None:
        return wait_s.size - np.searchsorted(np.sort(wait_s), at_s).astype(np.float64)
    order = np.argsort(wait_s)
    later = np.concatenate([np.cumsum(weight[order][::-1])[::-1], [0.0]])
    return later[np.searchsorted(wait_s[order], at_s)]


def late_hazard(wait_s: FloatArray, left: BoolArray, weight: FloatArray | None = None) -> float:
    """Rate of giving up late: abandonments over time waited, both after the first three quarters of abandonments.

    Examples
    --------
    >>> late_hazard(np.array([1.0, 2.0, 3.0, 4.0, 8.0]), np.array([True, True, True, True, False]))
    0.16666666666666666
    """
    # The hazard changes with waiting, so only late abandonments say how those go on who are still there.
    events = np.sort(wait_s[left])
    if not events.size:
        return 0.0
    # Equal waits belong together: the last quarter starts with the first abandonment that is as late as its first.
    earlier = np.searchsorted(events, events[3 * events.size // 4])
    from_s = events[earlier - 1] if earlier else 0.0
    beyond_s = np.maximum(wait_s - from_s, 0.0)
    waited_s = float((beyond_s if weight is None else weight * beyond_s).sum())
    is_late = left & (wait_s > from_s)
    n_late = float(is_late.sum() if weight is None else weight[is_late].sum())
    return n_late / waited_s if n_late else 0.0
