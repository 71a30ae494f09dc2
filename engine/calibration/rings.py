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
MOST_CHOICES = 20_000


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
        """Of one requirement, the latest where there are very many."""
        rows = np.flatnonzero((seen.requirement == kind) & can[seen.agent])
        rows = rows[(seen.free[rows] & can).sum(axis=1) >= 2][-MOST_CHOICES:]
        return cls(seen.agent[rows], seen.free[rows] & can, seen.idle_us[rows])

    @cached_property
    def ahead(self) -> BoolArray:
        """Who of the free is idle for longer than the agent who took it."""
        rows = np.arange(self.agent.size)
        mine_us = self.idle_us[rows, self.agent][:, None]
        smaller = np.arange(self.free.shape[1]) < self.agent[:, None]
        found: BoolArray = self.free & ((self.idle_us < mine_us) | ((self.idle_us == mine_us) & smaller))
        return found

    @cached_property
    def n_free(self) -> IntArray:
        """How many were free."""
        return np.asarray(self.free.sum(axis=1))

    @cached_property
    def n_ahead(self) -> IntArray:
        """How many of them were idle for longer than the agent who took it."""
        return np.asarray(self.ahead.sum(axis=1))

    def expected(self, longest: float) -> FloatArray:
        """Chance of each of the free, (n, n_agents), were all of them equals."""
        share = self.free * ((1 - longest) / self.free.sum(axis=1, keepdims=True))
        first = np.where(self.free, self.idle_us, NEVER_US).argmin(axis=1)
        share[np.arange(first.size), first] += longest
        return np.asarray(share)

    def fit(self, ring: IntArray) -> tuple[float, float]:
        """Largest log likelihood under rings, and the share that goes to the longest idle there."""
        own = ring == 1
        return Split(self, ring, (self.free & own).sum(axis=1), (self.ahead & own).sum(axis=1)).fitted


@dataclass(frozen=True)
class Split:
    """Agents in two rings, with what the likelihood reads of it.

    Parameters
    ----------
    choices : Choices
        Of a kind.
    ring : (n_agents,) array of int
        1 or 2.
    inner, ahead : (n,) array of int
        How many of ring 1 were free, and of them idle for longer than the agent who took the call.
    """

    choices: Choices
    ring: IntArray
    inner: IntArray
    ahead: IntArray

    @classmethod
    def alike(cls, choices: Choices) -> Split:
        """Everybody in ring 1."""
        ring = np.ones(choices.free.shape[1], np.int64)
        return cls(choices, ring, choices.free.sum(axis=1), choices.ahead.sum(axis=1))

    def moved(self, agent: int) -> Split:
        """The same with an agent in the other ring; counted on, as there may be many agents and choices."""
        ring, sign = self.ring.copy(), 1 if self.ring[agent] == 2 else -1
        ring[agent] = 3 - ring[agent]
        free, ahead = self.choices.free[:, agent], self.choices.ahead[:, agent]
        return Split(self.choices, ring, self.inner + sign * free, self.ahead + sign * ahead)

    @cached_property
    def fitted(self) -> tuple[float, float]:
        """Largest log likelihood, and the share that goes to the longest idle.

        In ring 1, or in ring 2 where nobody of it is free, a share goes to the longest idle and the rest to anybody;
        a share of lapses goes to anybody free in either.
        """
        inner, either = self.inner, self.choices.n_free
        is_own = inner > 0
        is_first = np.where(is_own, self.ahead, self.choices.n_ahead) == 0
        fits = ~is_own | (self.ring[self.choices.agent] == 1)
        # Choices that look alike are counted, not repeated: there are few sizes of rings.
        most = int(either.max(initial=0)) + 1
        code = ((np.where(is_own, inner, either) * most + either) * 2 + is_first) * 2 + fits
        kinds, n = np.unique(code, return_counts=True)
        size, is_first, fits = kinds // 4, kinds // 2 % 2, kinds % 2
        inner, either = size // most, size % most
        found = []
        for longest in LONGEST:
            by_rule = fits * (longest * is_first + (1 - longest) / inner)
            found += [(float(n @ np.log((1 - lapse) * by_rule + lapse / either)), longest) for lapse in LAPSES]
        return max(found)

    @property
    def value(self) -> float:
        """Largest log likelihood."""
        return self.fitted[0]


def rings(choices: Choices) -> IntArray:
    """Ring 1 or 2 of each agent, by the likelihood of who took what while others were free."""
    plain = Split.alike(choices)
    if choices.agent.size < FEWEST_OF_KIND:
        return plain.ring
    took = np.bincount(choices.agent, minlength=plain.ring.size)
    ratio = took / np.maximum(choices.expected(plain.fitted[1]).sum(axis=0), 1e-9)
    enough = choices.free.sum(axis=0) >= FEWEST_OF_AGENT
    order = [agent for agent in np.argsort(-ratio, kind="stable").tolist() if enough[agent]]
    # Split down the order of who takes it more often than an equal would, then one by one around the best split.
    best = split = plain
    for agent in reversed(order[1:]):
        split = split.moved(agent)
        best = max(best, split, key=lambda one: one.value)
    best = _one_by_one(best, order)
    least = LEAST_GAIN + GAIN_OF_AGENT * int((best.ring == 2).sum())
    return best.ring if best.value - plain.value >= least else plain.ring


def _one_by_one(best: Split, order: Sequence[int]) -> Split:
    """Move agents between the rings as long as that is worth it."""
    for _ in range(ROUNDS):
        before = best
        for agent in order:
            tried = best.moved(agent)
            # One more in ring 2 must be worth the odds, one fewer is worth them.
            gain = tried.value - best.value + (GAIN_OF_AGENT if tried.ring[agent] == 1 else -GAIN_OF_AGENT)
            if gain > 0 and (tried.ring == 1).any():
                best = tried
        if best is before:
            break
    return best
