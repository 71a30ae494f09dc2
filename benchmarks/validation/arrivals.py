"""Calls at random: Poisson processes over many separate days at once."""

from __future__ import annotations

import numpy as np

from engine.typing import FloatArray, IntArray


def at_random(n_expected: FloatArray, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """Span of each point (never falling), and where in its span it lies (0-1), of independent Poisson processes.

    Examples
    --------
    >>> span, place = at_random(np.array([3.0, 0.0, 4.0]), np.random.default_rng(1))
    >>> bool((np.diff(span + place) > 0).all()), 1 in span
    (True, False)
    """
    ends = np.cumsum(n_expected)
    # Spaces between points, stretched to their sum: so many uniform points, sorted without sorting.
    spaces = np.cumsum(rng.standard_exponential(rng.poisson(ends[-1]) + 1))
    at = spaces[:-1] * (ends[-1] / spaces[-1])
    span = np.searchsorted(ends, at, side="right").astype(np.int64)
    start = ends - n_expected
    return span, (at - start[span]) / n_expected[span]
