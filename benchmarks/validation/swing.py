"""Exact means of one pool whose calls swing as a sine, where customers give up as fast as they are served.

Each call then leaves at the same rate whether it waits or is in hand, so calls do not depend on one another: their
number is Poisson, whatever the number of agents.

Reference: S. G. Eick, W. A. Massey and W. Whitt, "Mt/G/infinity queues with sinusoidal arrival rates", Management
Science 39(2), 1993, doi:10.1287/mnsc.39.2.241.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.typing import FloatArray

# Instants of a cycle at which the law is taken; sums over a whole cycle of something this smooth are exact.
INSTANTS = 256


@dataclass(frozen=True)
class Swing:
    """A pool over one cycle in the long run.

    Examples
    --------
    >>> round(Swing(100 / 60, 60.0, 110, 0.2, 120 * np.pi).mean_queue, 5)
    2.11199
    """

    rate_per_s: float  # Calls in the mean. [1/s]
    leave_s: float  # Mean handling time and mean patience, both exponential. [s]
    n_agents: int  # Agents
    swing: float  # Share by which the rate swings
    cycle_s: float  # Length of a swing. [s]

    @property
    def waiting(self) -> float:
        """Share of calls that find all agents busy."""
        return float(self._rate @ self._found_busy / self._rate.sum())

    @property
    def mean_queue(self) -> float:
        """Mean number of calls waiting."""
        return float(self._law @ np.maximum(self._n - self.n_agents, 0) @ np.full(INSTANTS, 1 / INSTANTS))

    @property
    def abandoned(self) -> float:
        """Share of calls given up: those waiting, at the rate of giving up."""
        return self.mean_queue / (self.rate_per_s * self.leave_s)

    @property
    def _phase(self) -> FloatArray:
        return 2 * np.pi * np.arange(INSTANTS) / INSTANTS

    @property
    def _rate(self) -> FloatArray:
        """Calls by instant, of their mean."""
        return np.asarray(1 + self.swing * np.sin(self._phase))

    @property
    def _n(self) -> FloatArray:
        """Numbers in the centre that are looked at; beyond, nothing is left."""
        most = self.rate_per_s * self.leave_s * (1 + self.swing)
        return np.arange(int(most + 12 * np.sqrt(most) + 30), dtype=float)

    @cached_property
    def _law(self) -> FloatArray:
        """Chance of each number in the centre, by instant."""
        from scipy.stats import poisson

        # The rate, remembered by an exponential time: it lags and is damped.
        pace = 2 * np.pi * self.leave_s / self.cycle_s
        damped = self.swing / (1 + pace**2)
        mean = self.rate_per_s * self.leave_s * (1 + damped * (np.sin(self._phase) - pace * np.cos(self._phase)))
        return np.asarray(poisson.pmf(self._n, mean[:, None]))

    @property
    def _found_busy(self) -> FloatArray:
        return np.asarray(self._law[:, self._n >= self.n_agents].sum(axis=1))
