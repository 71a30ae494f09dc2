"""Laws of patience: how many still wait after a time, and draws of the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.typing import FloatArray


@dataclass(frozen=True)
class Patience:
    """How long customers are ready to wait."""

    left: Callable[[float], float]  # Share who are ready to wait longer than a time. [s to 0-1]
    # Mean of the smaller of patience and a time, which is the integral of `left`. [s to s]
    mean_within_s: Callable[[float], float]
    draw: Callable[[np.random.Generator, int], FloatArray]  # So many draws from a generator. [s]
    kinks_s: tuple[float, ...] = ()  # Where `left` is not smooth. [s]


# Nobody gives up.
ENDLESS = Patience(lambda _: 1.0, lambda wait_s: wait_s, lambda _, n: np.full(n, np.inf))


def exponential(mean_s: float) -> Patience:
    """Those who wait give up at the same rate, however long they have waited."""
    return Patience(
        lambda wait_s: float(np.exp(-wait_s / mean_s)),
        lambda wait_s: float(-mean_s * np.expm1(-wait_s / mean_s)),
        lambda rng, n: mean_s * rng.standard_exponential(n),
    )


def constant(patience_s: float) -> Patience:
    """Everybody gives up after the same time."""
    return Patience(
        lambda wait_s: float(wait_s < patience_s),
        lambda wait_s: min(wait_s, patience_s),
        lambda _, n: np.full(n, patience_s),
        (patience_s,),
    )


def uniform(longest_s: float) -> Patience:
    """Every time up to the longest is as likely."""

    def mean_within_s(wait_s: float) -> float:
        within = min(wait_s, longest_s)
        return within - within * within / (2 * longest_s)

    return Patience(
        lambda wait_s: max(0.0, 1 - wait_s / longest_s), mean_within_s, lambda rng, n: longest_s * rng.random(n),
        (longest_s,),
    )  # fmt: skip
