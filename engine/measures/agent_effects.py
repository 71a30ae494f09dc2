"""Effects of agents on survey scores on some days, predicted from other days.

Best linear unbiased prediction, the means of what interactions required taken as fixed: shrunk for how much a survey
varies, for what surveys of one day share, and for how far an effect has drifted until the days asked for. Where agents
do not differ for longer than a stretch of days, a test by changed signs says so.

References: G. K. Robinson, "That BLUP is a good thing", Statistical Science 6(1), 1991, doi:10.1214/ss/1177011926;
N. Cressie, "The origins of kriging", Mathematical Geology 22(3), 1990, doi:10.1007/BF00889887.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.measures.components import Components, Scores, components_of
from engine.typing import FloatArray, IntArray

# A prediction needs some noise to weigh surveys against each other.
_LEAST_NOISE = 1e-6
_SIGN_CHANGES, _AT_ONCE = 999, 100


@dataclass(frozen=True)
class Fit:
    """Effects of agents on some days.

    Parameters
    ----------
    effect, variance : (n_agents,) array of float
        Predicted, 0 for agents without surveys; and how far the truth varies around it.
    level : (n_kinds,) array of float
        Mean of each kind at agent effect 0.
    loading : (n_agents, n_seen) array of float
        How much each effect moves with the mean of each kind seen.
    level_covariance : (n_seen, n_seen) array of float
        Of these means.
    """

    effect: FloatArray
    variance: FloatArray
    level: FloatArray
    loading: FloatArray
    level_covariance: FloatArray

    def error(self, moves: FloatArray) -> float:
        """Standard error of a sum of effects with these weights by agent."""
        shared = moves @ self.loading
        return math.sqrt(max(0.0, float(moves**2 @ self.variance + shared @ self.level_covariance @ shared)))


@dataclass(frozen=True)
class _Agent:
    """Surveys of one agent: `count` (n_days, n_kinds) and `total` (n_days,) by day, `by_kind` (n_kinds,) summed scores.

    `days` count from the first of the span, `kinds` are places among those seen.
    With N surveys by day, K the covariance between the days and s the noise, `shrink` is (s + K N)^-1 K.
    """

    agent: int
    days: IntArray
    kinds: IntArray
    count: FloatArray
    total: FloatArray
    by_kind: FloatArray
    shrink: FloatArray


def fit(scores: Scores, days: IntArray, n_agents: int, n_kinds: int) -> Fit:
    """Effects of agents on some days, from surveys of others.

    Parameters
    ----------
    scores : Scores
        What is known; at least one.
    days : (n_days,) array of int
        Days whose mean effect is predicted.
    n_agents, n_kinds : int
        Sizes of the axes.

    Returns
    -------
    Fit
        Shrunk so that on the days asked for the slope of scores on effects is 1.
    """
    parts, seen = components_of(scores), np.unique(scores.kind)
    noise = max(parts.noise, _LEAST_NOISE * (float(parts.lasting.sum()) + parts.day), float(np.finfo(float).tiny))
    agents = [*_agents(scores, seen, parts, noise)]
    inverse, mean = _means(agents, seen.size)
    effect, loading = np.zeros(n_agents), np.zeros((n_agents, seen.size))
    variance = np.full(n_agents, float(parts.covariance(days, days).mean()))
    tied_by_day = parts.covariance(days, parts.span).mean(axis=0)
    for one in agents:
        tied, n = tied_by_day[one.days], one.count.sum(axis=1)
        weight = (tied - one.shrink @ (n * tied)) / noise
        effect[one.agent] = weight @ (one.total - one.count @ mean[one.kinds])
        variance[one.agent] -= weight @ (n * tied)
        loading[one.agent, one.kinds] = weight @ one.count
    level = np.full(n_kinds, float(np.bincount(np.searchsorted(seen, scores.kind)) @ mean) / scores.value.size)
    level[seen[seen >= 0]] = mean[seen >= 0]
    return Fit(effect, variance, level, loading, noise * inverse)


def _means(agents: list[_Agent], n_kinds: int) -> tuple[FloatArray, FloatArray]:
    """Covariance of the means by kind in units of the noise, and the means; surveys of one agent weigh less each."""
    precision, pull = np.zeros((n_kinds, n_kinds)), np.zeros(n_kinds)
    for one in agents:
        precision[np.ix_(one.kinds, one.kinds)] += np.diag(one.count.sum(axis=0)) - one.count.T @ one.shrink @ one.count
        pull[one.kinds] += one.by_kind - one.count.T @ (one.shrink @ one.total)
    inverse: FloatArray = np.linalg.inv(precision).astype(float)
    return inverse, inverse @ pull


def _agents(scores: Scores, seen: IntArray, parts: Components, noise: float) -> Iterator[_Agent]:
    order = np.lexsort((scores.day, scores.agent))
    value, agent = scores.value[order], scores.agent[order]
    day_of, kind_of = scores.day[order] - parts.first, np.searchsorted(seen, scores.kind[order])
    starts = np.flatnonzero(np.diff(agent, prepend=-1))
    covariance = parts.covariance(parts.span, parts.span) + parts.day * np.eye(parts.n_days)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), agent.size], strict=True):
        days, day = np.unique(day_of[start:end], return_inverse=True)
        kinds, kind = np.unique(kind_of[start:end], return_inverse=True)
        cells = np.bincount(day * kinds.size + kind, minlength=days.size * kinds.size)
        count = cells.reshape(days.size, kinds.size).astype(float)
        tied = covariance[np.ix_(days, days)]
        shrink = np.linalg.solve(noise * np.eye(days.size) + tied * count.sum(axis=1), tied)
        total, by_kind = (np.bincount(place, value[start:end]).astype(float) for place in (day, kind))
        yield _Agent(int(agent[start]), days, kinds, count, total, by_kind, shrink)


def chance_of(scores: Scores, stretch: IntArray) -> float:
    """How likely agents differ so much by chance: whether one stretch of days tells of the others.

    Sums of scores of one agent in two stretches have nothing in common where agents do not differ, whatever surveys of
    one day share; changing their signs at random shows how far their products then lie from 0.

    Parameters
    ----------
    scores : Scores
        All of them.
    stretch : (n,) array of int
        Stretch of days of each.

    Returns
    -------
    float
        A p-value; 1 where all scores are the same.
    """
    _, agent = np.unique(scores.agent, return_inverse=True)
    _, kind = np.unique(scores.kind, return_inverse=True)
    of_kind, n_agents, n = np.bincount(kind), int(agent.max()) + 1, int(stretch.max()) + 1
    apart = scores.value - (np.bincount(kind, scores.value) / of_kind)[kind]
    left, free = float(apart @ apart), scores.value.size - of_kind.size
    if free < 1 or left <= np.finfo(float).eps * scores.value.size:
        return 1.0
    total = np.bincount(agent * n + stretch, apart, n_agents * n).reshape(n_agents, n).astype(float)
    # Means taken out tie the stretches of an agent together a little, which is given back.
    found = _products(total) + left / free * _tied(agent, kind, stretch, of_kind)
    rng, n_above = np.random.default_rng(0), 0
    for first in range(0, _SIGN_CHANGES, _AT_ONCE):
        signs = rng.integers(0, 2, (min(_AT_ONCE, _SIGN_CHANGES - first), *total.shape), np.int8) * 2 - 1
        n_above += int(np.count_nonzero(_products(signs * total) >= found))
    return (1 + n_above) / (1 + _SIGN_CHANGES)


def _products(total: FloatArray) -> FloatArray:
    """Products of the sums of different stretches, over all agents."""
    found: FloatArray = (total.sum(axis=-1) ** 2).sum(axis=-1) - (total**2).sum(axis=(-2, -1))
    return found


def _tied(agent: IntArray, kind: IntArray, stretch: IntArray, of_kind: IntArray) -> float:
    """Pairs of scores of one agent and kind in different stretches, each over the number of that kind."""
    pair, size = agent.astype(np.int64) * of_kind.size + kind, int(stretch.max()) + 1
    cells, n = np.unique(pair * size + stretch, return_counts=True)
    inside = np.bincount((cells // size) % of_kind.size, n**2, of_kind.size)
    pairs, n = np.unique(pair, return_counts=True)
    across = np.bincount(pairs % of_kind.size, n**2, of_kind.size)
    return float(((across - inside) / of_kind).sum())
