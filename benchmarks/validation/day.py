"""Exact means of one pool over a day that starts empty.

The number of calls in the centre is a Markov chain; its law over the day gives the busy time and what each
arriving call meets. A call that meets others waiting moves up as those in front are served or give up, which
is a chain again, and short.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.typing import FloatArray

# Calls in the centre beyond so many never happen, to all digits given, in the cases that are solved here.
MOST_IN_CENTRE = 120
STEPS = 1_000


@dataclass(frozen=True)
class Day:
    """A day: calls come at a constant rate until it ends, then the queue is served.

    Examples
    --------
    >>> round(Day(4.2 / 60, 120.0, 12, 480 * 60.0).within(20.0), 3)
    1815.272
    """

    rate_per_s: float  # Calls while the day lasts. [1/s]
    handle_s: float  # Mean handling time, exponential. [s]
    n_agents: int  # Agents, from the start to the last call
    length_s: float  # Length of the day. [s]
    patience_s: float = np.inf  # Mean patience, exponential; infinite for never giving up. [s]

    @property
    def offered(self) -> float:
        """Calls expected."""
        return self.rate_per_s * self.length_s

    @property
    def answered(self) -> float:
        """Calls expected to be answered."""
        return float(self._met @ self._served)

    @property
    def occupancy(self) -> float:
        """Share of the day that agents are busy."""
        busy = np.minimum(np.arange(self._met.size), self.n_agents)
        return float(self._met @ busy / self.offered / self.n_agents)

    @property
    def mean_wait_s(self) -> float:
        """Mean wait of the answered. [s]"""
        # The time of each place in front, given that the customer stays, does not depend on how it ends.
        moves = 1 / (self._leave_front_per_s + 1 / self.patience_s)
        wait_s = np.concatenate([np.zeros(self.n_agents), np.cumsum(moves)])
        return float(self._met @ (self._served * wait_s) / self.answered)

    def within(self, within_s: float) -> float:
        """Calls expected to be answered within a time, those answered at once included."""
        return float(self._met @ self._fates(within_s)[0])

    def abandoned_after(self, wait_s: float) -> float:
        """Calls expected to be given up after waiting longer than a time; a part of all given up."""
        answered_by_then, waits = self._fates(wait_s)
        return float(self._met @ (waits - (self._served - answered_by_then)))

    @cached_property
    def _met(self) -> FloatArray:
        """Calls expected to find so many in the centre, by number."""
        from scipy.linalg import expm

        step = expm(self._changes_per_s() * self.length_s / STEPS)
        law = np.zeros(MOST_IN_CENTRE)
        law[0] = 1.0
        laws = [law]
        for _ in range(STEPS):
            laws.append(laws[-1] @ step)
        # Simpson's rule.
        weight = np.full(STEPS + 1, 2.0)
        weight[1::2], weight[[0, -1]] = 4.0, 1.0
        return np.asarray(self.offered / (3 * STEPS) * (weight @ np.array(laws)))

    def _changes_per_s(self) -> FloatArray:
        """Rates of the number in the centre, from row to column. [1/s]"""
        n = np.arange(MOST_IN_CENTRE)
        waiting = np.maximum(n - self.n_agents, 0)
        leave = np.minimum(n, self.n_agents) / self.handle_s + waiting / self.patience_s
        come = np.where(n < MOST_IN_CENTRE - 1, self.rate_per_s, 0.0)
        return np.diag(come[:-1], 1) + np.diag(leave[1:], -1) - np.diag(come + leave)

    @property
    def _leave_front_per_s(self) -> FloatArray:
        """How fast the next one in front goes, by the number waiting in front. [1/s]"""
        return self.n_agents / self.handle_s + np.arange(MOST_IN_CENTRE - self.n_agents) / self.patience_s

    @property
    def _served(self) -> FloatArray:
        """Chance of being answered, by the number met."""
        moves = self._leave_front_per_s / (self._leave_front_per_s + 1 / self.patience_s)
        return np.concatenate([np.ones(self.n_agents), np.cumprod(moves)])

    def _fates(self, wait_s: float) -> tuple[FloatArray, FloatArray]:
        """Chances of being answered within a time, and of waiting still, by the number met."""
        from scipy.linalg import expm

        moves = self._leave_front_per_s
        stay = np.diag(moves[1:], -1) - np.diag(moves + 1 / self.patience_s)
        law = expm(stay * wait_s)
        waits = np.concatenate([np.zeros(self.n_agents), law.sum(axis=1)])
        # Whoever moves up from the front is answered: the rate there, over all instants up to the time.
        answered = moves[0] * np.linalg.solve(stay, (law - np.eye(moves.size))[:, 0])
        return np.concatenate([np.ones(self.n_agents), answered]), waits
