"""Variance components of survey scores: what lasts of an agent, what a day brings, and the rest.

Model: a score is the mean of what the interaction required, plus an effect of its agent that may drift from day to
day, plus something that an agent's surveys of one day share, plus noise. The covariance of an agent's effect on two
days is a sum, with weights >= 0, of decays of several half-lives, of one that never decays, and of a random walk. The
weights come from products of pairs of scores by how far apart their days are, corrected for the means taken out.

References: C. R. Henderson, "Estimation of variance and covariance components", Biometrics 9(2), 1953,
doi:10.2307/3001853; C. R. Rao, "Estimation of variance and covariance components: MINQUE theory", J. Multivariate
Analysis 1(3), 1971, doi:10.1016/0047-259X(71)90001-7; C. L. Lawson and R. J. Hanson, "Solving least squares problems",
1974.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.typing import BoolArray, FloatArray, IntArray

HALF_LIVES_D = np.array([np.inf, 256.0, 128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0])
# Longer spans are cut into at most so many cells of several days each, which stand for days then.
MOST_CELLS = 128
# Last days of the bins of distance between two days.
_BIN_ENDS = 2 ** np.arange(10)
# A random walk is believed only if it explains this much more, in units of chi-square: it looks far ahead.
_WALK_EVIDENCE = 5.0


@dataclass(frozen=True)
class Scores:
    """Survey scores with what they hang on.

    Parameters
    ----------
    value : (n,) array of float
        Score, 0-1.
    agent, kind, day : (n,) array of int
        Agent, what the interaction required, and day; kind -1 where not known.
    """

    value: FloatArray
    agent: IntArray
    kind: IntArray
    day: IntArray

    def rows(self, chosen: BoolArray) -> Scores:
        """Only the chosen ones."""
        return Scores(self.value[chosen], self.agent[chosen], self.kind[chosen], self.day[chosen])


@dataclass(frozen=True)
class Components:
    """Variances of scores.

    Parameters
    ----------
    lasting : (n_shapes,) array of float
        Weights of the decays of `HALF_LIVES_D`, and of the random walk over the span.
    day, noise : float
        Variance shared by an agent's surveys of one day, and of one survey.
    first, n_days : int
        Span of days on which they were estimated.
    """

    lasting: FloatArray
    day: float
    noise: float
    first: int
    n_days: int

    def covariance(self, days: IntArray, others: IntArray) -> FloatArray:
        """(n, m): of the effect of an agent on some days and on others."""
        found: FloatArray = np.tensordot(self.lasting, _shapes(days - self.first, others - self.first, self.n_days), 1)
        return found

    @property
    def span(self) -> IntArray:
        """All days on which they were estimated."""
        return self.first + np.arange(self.n_days)

    @property
    def agent_sd(self) -> float:
        """Standard deviation of true effects over agents, on a day of the span."""
        return float(np.sqrt(self.covariance(self.span, self.span).diagonal().mean()))


def _shapes(days: IntArray, others: IntArray, n_days: int) -> FloatArray:
    apart = np.abs(days[:, None] - others)
    decays = 2.0 ** (-apart / HALF_LIVES_D[:, None, None])
    walk = np.maximum(np.minimum(days[:, None], others) + 1, 0) / n_days
    return np.concatenate([decays, walk[None]])


def components_of(scores: Scores) -> Components:
    """Variance components, estimated from the scores themselves.

    Parameters
    ----------
    scores : Scores
        At least one.

    Returns
    -------
    Components
        All >= 0.
    """
    cells = _Cells.of(scores)
    days = np.arange(cells.n_days)
    shapes = np.concatenate([np.eye(days.size)[None], _shapes(days, days, cells.n_days)])
    design, found, n_pairs = (np.array(column) for column in zip(*cells.moments(shapes), strict=True))
    # A sum over pairs varies with their number, so every moment counts by what is known of it.
    scale = 1 / np.sqrt(n_pairs)
    weight = _weights(design * scale[:, None], found * scale, cells.unit)
    return Components(weight[1:-1], float(weight[0]), float(weight[-1]), int(scores.day.min()), cells.n_days)


def _weights(design: FloatArray, found: FloatArray, unit: float) -> FloatArray:
    """Weights >= 0 of the same day, the shapes and the noise; that of the random walk only on evidence."""
    calm = np.arange(design.shape[1]) != design.shape[1] - 2
    walking, without = nonnegative(design, found), np.zeros(calm.size)
    without[calm] = nonnegative(design[:, calm], found)
    misfit = [float(((found - design @ one) ** 2).sum()) for one in (without, walking)]
    return walking if misfit[0] - misfit[1] > _WALK_EVIDENCE * unit else without


@dataclass(frozen=True)
class _Cells:
    """Scores summed by agent and day, less the means of what was required.

    `count` and `total` are (n_agents, n_days); `square` holds the sums of squares by day, `alike[a, b]` the mean over
    pairs of scores of two agents of 1 / (scores of that kind) where both are of one kind: what taking out the means
    does to them.
    """

    count: FloatArray
    total: FloatArray
    square: FloatArray
    alike: FloatArray
    n_kinds: int

    @classmethod
    def of(cls, scores: Scores) -> Self:
        _, agent = np.unique(scores.agent, return_inverse=True)
        _, kind = np.unique(scores.kind, return_inverse=True)
        day = scores.day - scores.day.min()
        of_kind, n_agents, n_days = np.bincount(kind), int(agent.max()) + 1, int(day.max()) + 1
        apart = scores.value - (np.bincount(kind, scores.value) / of_kind)[kind]
        cell, size = agent * n_days + day, n_agents * n_days
        count = np.bincount(cell, minlength=size).reshape(n_agents, n_days).astype(float)
        mix = np.bincount(agent * of_kind.size + kind, minlength=n_agents * of_kind.size).reshape(n_agents, -1)
        mix = mix / count.sum(axis=1, keepdims=True) / np.sqrt(of_kind)
        total, square = np.bincount(cell, apart, size).reshape(n_agents, n_days), np.bincount(day, apart**2, n_days)
        return cls(count, total.astype(float), square.astype(float), mix @ mix.T, of_kind.size)

    @property
    def n_days(self) -> int:
        return int(self.count.shape[1])

    @property
    def unit(self) -> float:
        """Variance of a product of two scores of different days, twice; of what a moment varies by."""
        squares = self.total**2
        far = ~np.eye(self.n_days, dtype=bool)
        pairs = float((self.count.T @ self.count)[far].sum())
        return 2 * float((squares.T @ squares)[far].sum()) / pairs if pairs else np.inf

    def moments(self, shapes: FloatArray) -> Iterator[tuple[FloatArray, float, float]]:
        """Sums of products of scores by distance of their days: what each component adds, what is found, and pairs.

        Means taken out make products smaller: to first order in how alike the calls of agents are, that is allowed for.
        """
        n, own = float(self.count.sum()), [self.count @ shape for shape in shapes]
        whole = np.array([(self.count * side).sum(axis=1) for side in own])
        itself = np.diag(self.alike)
        added = np.einsum("kdd,d->k", shapes, self.count.sum(axis=0)) - whole @ itself
        yield np.append(added, n - self.n_kinds), float(self.square.sum()), n
        pairs, products = self.count.T @ self.count, self.total.T @ self.total
        np.fill_diagonal(pairs, pairs.diagonal() - self.count.sum(axis=0))
        np.fill_diagonal(products, products.diagonal() - self.square)
        for chosen, is_day in _bins(self.n_days):
            if not (n_pairs := float(pairs[chosen].sum())):
                continue
            beside = self.count @ chosen.astype(float) - is_day
            inside = (self.count * beside).sum(axis=1)
            cross = np.array([itself @ (self.count * beside * side).sum(axis=1) for side in own])
            added = shapes[:, chosen] @ pairs[chosen] - 2 * cross + whole @ (self.alike**2 @ inside)
            yield np.append(added, -float(itself @ inside)), float(products[chosen].sum()), n_pairs


def _bins(n_days: int) -> Iterator[tuple[BoolArray, bool]]:
    """Pairs of days by distance, and by early, middle and late in the span; those of one day first."""
    day = np.arange(n_days)
    apart = np.abs(day[:, None] - day)
    yield apart == 0, True
    distance = np.searchsorted(_BIN_ENDS, apart)
    third = np.minimum((day[:, None] + day) * 3 // max(2 * n_days - 1, 1), 2)
    for far in range(int(distance.max(initial=0)) + 1):
        for part in range(3):
            chosen = (distance == far) & (third == part) & (apart > 0)
            if chosen.any():
                yield chosen, False


def nonnegative(design: FloatArray, found: FloatArray) -> FloatArray:
    """Least squares with no coefficient below 0, by Lawson and Hanson.

    Examples
    --------
    >>> nonnegative(np.eye(2), np.array([2.0, -1.0])).tolist()
    [2.0, 0.0]
    """
    size = np.linalg.norm(design, axis=0)
    a = design / np.where(size > 0, size, 1.0)
    x, free = np.zeros(size.size), np.zeros(size.size, bool)
    pull = a.T @ found
    least = 1e-10 * float(np.abs(pull).max(initial=0.0))
    for _ in range(10 * size.size):
        if free.all() or not np.where(free, -np.inf, pull).max() > least:
            break
        free[np.where(free, -np.inf, pull).argmax()] = True
        x = _inside(a, found, x, free)
        free = x > 0
        pull = a.T @ (found - a @ x)
    return x / np.where(size > 0, size, 1.0)


def _inside(a: FloatArray, found: FloatArray, x: FloatArray, free: BoolArray) -> FloatArray:
    """The best free coefficients, reached without leaving the allowed side; those at the edge are held there."""
    free = free.copy()
    while free.any():
        best = np.zeros(x.size)
        best[free] = np.linalg.lstsq(a[:, free], found, rcond=None)[0]
        below = free & (best <= 0)
        if not below.any():
            return best
        step = (x[below] / np.maximum(x[below] - best[below], 1e-300)).min()
        x = np.where(free, x + step * (best - x), 0.0)
        free &= ~(below & (x <= 1e-15 * max(1.0, float(x.max(initial=0.0)))))
    return np.zeros(x.size)
