"""Rings: who is asked first and who only when none of those is free, by the likelihood of choices among the free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.calibration.choices import NEVER_US, AtOnce
from engine.typing import BoolArray, FloatArray, IntArray

# Fewer turns, or choices, of a kind or an agent say nothing.
FEWEST_OF_KIND, FEWEST_OF_AGENT = 50, 10
# Gain in log likelihood that a second ring must bring, and for each agent in it: odds of 150, and of 3, to one.
LEAST_GAIN, GAIN_OF_AGENT = 5.0, 1.0
# Who is free is inferred, so a choice may seem to go against the rings; shares of such that are tried.
LAPSES = (0.01, 0.03, 0.1, 0.2, 0.35, 0.6)
# Shares of choices that go to the longest idle; the others go to anybody free, as idle times are inferred too.
LONGEST = (0.0, 0.3, 0.6, 0.8, 0.9, 0.97)
ROUNDS = 5


@dataclass(frozen=True)
class Choices:
    """Calls of a kind answered at once while two or more who serve it were free.

    Parameters
    ----------
    agent : (n,) array of int
        Who took each.
    free : (n, n_agents) array of bool
        Who was free and serves the kind.
    idle_us : (n, n_agents) array of int64
        Since when. [us]
    """

    agent: IntArray
    free: BoolArray
    idle_us: IntArray

    @classmethod
    def of(cls, seen: AtOnce, kind: int, can: BoolArray) -> Choices:
        """Of one requirement."""
        free = seen.free & can
        rows = (seen.requirement == kind) & (free.sum(axis=1) >= 2) & can[seen.agent]
        return cls(seen.agent[rows], free[rows], seen.idle_us[rows])

    @cached_property
    def ahead(self) -> BoolArray:
        """Who of the free is idle for longer than the agent who took it."""
        rows = np.arange(self.agent.size)
        mine_us = self.idle_us[rows, self.agent][:, None]
        smaller = np.arange(self.free.shape[1]) < self.agent[:, None]
        found: BoolArray = self.free & ((self.idle_us < mine_us) | ((self.idle_us == mine_us) & smaller))
        return found

    def expected(self, longest: float) -> FloatArray:
        """Chance of each of the free, (n, n_agents), were all of them equals."""
        share = self.free * ((1 - longest) / self.free.sum(axis=1, keepdims=True))
        first = np.where(self.free, self.idle_us, NEVER_US).argmin(axis=1)
        share[np.arange(first.size), first] += longest
        return np.asarray(share)

    def fit(self, ring: IntArray) -> tuple[float, float]:
        """Largest log likelihood under rings, and the share that goes to the longest idle there.

        In ring 1, or in ring 2 where nobody of it is free, a share goes to the longest idle and the rest to anybody;
        a share of lapses goes to anybody free in either.
        """
        inner, either = (self.free & (ring == 1)).sum(axis=1), self.free.sum(axis=1)
        alike = np.where(inner > 0, inner, either)
        is_first = np.where(inner > 0, (self.ahead & (ring == 1)).sum(axis=1), self.ahead.sum(axis=1)) == 0
        fits = (inner == 0) | (ring[self.agent] == 1)
        # Choices that look alike are counted, not repeated: there are few sizes of rings.
        code = np.stack([alike, either, is_first, fits], axis=1)
        kinds, n = np.unique(code, axis=0, return_counts=True)
        alike, either, is_first, fits = kinds.T
        found = []
        for longest in LONGEST:
            by_rule = fits * (longest * is_first + (1 - longest) / alike)
            found += [(float(n @ np.log((1 - lapse) * by_rule + lapse / either)), longest) for lapse in LAPSES]
        return max(found)


def rings(choices: Choices) -> IntArray:
    """Ring 1 or 2 of each agent, by the likelihood of who took what while others were free."""
    n, n_agents = choices.free.shape
    alike = np.ones(n_agents, np.int64)
    if n < FEWEST_OF_KIND:
        return alike
    plain, longest = choices.fit(alike)
    took = np.bincount(choices.agent, minlength=n_agents)
    ratio = took / np.maximum(choices.expected(longest).sum(axis=0), 1e-9)
    enough = choices.free.sum(axis=0) >= FEWEST_OF_AGENT
    order = [a for a in np.argsort(-ratio, kind="stable").tolist() if enough[a]]
    # Split down the order of who takes it more often than an equal would, then one by one around the best split.
    splits = [(plain, alike)]
    for k in range(1, len(order)):
        tried = alike.copy()
        tried[order[k:]] = 2
        splits.append((choices.fit(tried)[0], tried))
    best, ring = _one_by_one(choices, order, *max(splits, key=lambda one: one[0]))
    least = LEAST_GAIN + GAIN_OF_AGENT * int((ring == 2).sum())
    return ring if best - plain >= least else alike


def _one_by_one(choices: Choices, order: Sequence[int], best: float, ring: IntArray) -> tuple[float, IntArray]:
    """Move agents between the rings as long as that is worth it."""
    for _ in range(ROUNDS):
        before = ring
        for agent in order:
            tried = ring.copy()
            tried[agent] = 3 - ring[agent]
            gain = choices.fit(tried)[0] - best if (tried == 1).any() else -np.inf
            # One more in ring 2 must be worth the odds, one fewer is worth them.
            if gain > (GAIN_OF_AGENT if tried[agent] == 2 else -GAIN_OF_AGENT):
                best, ring = best + gain, tried
        if ring is before:
            break
    return best, ring
