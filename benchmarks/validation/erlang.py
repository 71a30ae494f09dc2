"""Exact waits of one pool in the long run: Erlang C, Erlang A (Palm) and any other law of patience.

Calls come at random at a constant rate, handling times are exponential, calls are taken in order of arrival.
All measures follow from the density of the wait of a customer who would never give up, which is known for
every law of patience; Erlang C is its case without giving up, Erlang A its case of exponential patience.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from benchmarks.validation.patience import ENDLESS, Patience

# Beyond the wait whose density is exp(-FAR) of the highest there is nothing to add.
FAR = 60.0


def erlang_b(n_agents: int, load: float) -> float:
    """Erlang's first formula: share of calls that find all agents busy where nobody waits, by recursion over agents.

    Examples
    --------
    >>> erlang_b(1, 1.0)
    0.5
    """
    inverse = 1.0
    for agents in range(1, n_agents + 1):
        inverse = 1.0 + inverse * agents / load
    return 1.0 / inverse


def erlang_c(n_agents: int, load: float) -> float:
    """Erlang's second formula: share of calls that wait where nobody gives up; load is the mean number in hand.

    Examples
    --------
    >>> round(erlang_c(50, 48.0), 6)
    0.694456
    """
    blocked = erlang_b(n_agents, load)
    return n_agents * blocked / (n_agents - load * (1 - blocked))


@dataclass(frozen=True)
class Steady:
    """One pool in the long run.

    References
    ----------
    .. [1] S. Zeltyn and A. Mandelbaum, "Call centers with impatient customers: many-server asymptotics of
       the M/M/n+G queue", Queueing Systems 51, 2005, section 2. doi:10.1007/s11134-005-3699-8
    .. [2] C. Palm, "Research on telephone traffic carried by full availability groups", Tele 1, 1957.

    Examples
    --------
    >>> round(Steady(0.8, 60.0, 50).mean_wait_s, 2)
    20.83
    """

    rate_per_s: float  # Calls. [1/s]
    handle_s: float  # Mean handling time, exponential. [s]
    n_agents: int  # Agents; more than the load where nobody gives up
    patience: Patience = ENDLESS  # Its law

    @cached_property
    def waiting(self) -> float:
        """Share of calls that wait."""
        return self._integral(lambda _: 1.0) / self._whole

    @cached_property
    def abandoned(self) -> float:
        """Share of calls whose customers give up."""
        return self._integral(lambda wait_s: 1 - self.patience.left(wait_s)) / self._whole

    @cached_property
    def mean_wait_s(self) -> float:
        """Mean wait of all calls, answered or not. [s]"""
        return self._integral(self.patience.mean_within_s) / self._whole

    @property
    def occupancy(self) -> float:
        """Share of their time that agents are busy."""
        return self.rate_per_s * (1 - self.abandoned) * self.handle_s / self.n_agents

    @property
    def mean_queue(self) -> float:
        """Mean number of calls waiting."""
        return self.rate_per_s * self.mean_wait_s

    def longer(self, wait_s: float) -> float:
        """Share of all calls that wait longer than a time, answered or not."""
        return self.patience.left(wait_s) * self._integral(lambda _: 1.0, wait_s) / self._whole

    def service_level(self, within_s: float) -> float:
        """Share of all calls that are answered within a time."""
        late = self._integral(self.patience.left, within_s) / self._whole
        return 1 - self.abandoned - late

    @cached_property
    def _whole(self) -> float:
        """What the weight of the waits has to be divided by: that of not waiting, and all of theirs."""
        load = self.rate_per_s * self.handle_s
        return 1 / erlang_b(self.n_agents - 1, load) + self._integral(lambda _: 1.0)

    def _integral(self, of: Callable[[float], float], from_s: float = 0.0) -> float:
        """Integral of something over the waits, weighted by how likely they are. [unit of `of`]"""
        from scipy.integrate import quad

        served_per_s = self.n_agents / self.handle_s

        def weighted(wait_s: float) -> float:
            weight = math.exp(self.rate_per_s * self.patience.mean_within_s(wait_s) - served_per_s * wait_s)
            return self.rate_per_s * of(wait_s) * weight

        end_s = max(self._end_s(served_per_s), from_s + self.handle_s)
        edges = [from_s, *(kink_s for kink_s in self.patience.kinks_s if from_s < kink_s < end_s), end_s]
        return sum(float(quad(weighted, *piece, epsabs=0.0, epsrel=1e-12, limit=200)[0]) for piece in pairwise(edges))

    def _end_s(self, served_per_s: float) -> float:
        end_s = self.handle_s
        while self.rate_per_s * self.patience.mean_within_s(end_s) - served_per_s * end_s > -FAR:
            end_s *= 1.5
        return end_s
