"""Performance of queues over a trailing window, as goals in motion read it."""

from __future__ import annotations

import numpy as np

from engine.replay.loop import STATUS
from engine.typing import FloatArray, Int8Array, IntArray

ANSWERED, ABANDONED = STATUS.index("answered"), STATUS.index("abandoned")


def achieved(
    arrived_us: IntArray,
    left_us: IntArray,
    status: Int8Array,
    queue: IntArray,
    n_queues: int,
    from_us: int,
    to_us: int,
    goal_s: FloatArray | float,
) -> FloatArray:
    """Performance of queues over a trailing window, as rolling goals read it.

    Parameters
    ----------
    arrived_us, left_us : (n,) array of int64
        Arrivals and ends of waiting. [us]
    status : (n,) array of int8
        Place in `engine.replay.loop.STATUS`; those still waiting read as unserved.
    queue : (n,) array of int
        Place of the queue.
    n_queues : int
        How many there are.
    from_us, to_us : int
        Waiting that ended later than the one and not later than the other counts. [us]
    goal_s : float or (n_queues,) array of float
        Longest wait within the goal. [s]

    Returns
    -------
    (n_queues,) array of float
        Answered within the goal over answered and abandoned, 0-1; NaN where there were neither.

    Examples
    --------
    >>> arrived, left, status = np.array([0, 0, 0]), np.array([5, 30, 40]) * 1_000_000, np.array([0, 0, 1])
    >>> achieved(arrived, left, status, np.array([0, 0, 0]), 2, 0, 30_000_000, 20.0).tolist()
    [0.5, nan]
    """
    counts = (left_us > from_us) & (left_us <= to_us) & ((status == ANSWERED) | (status == ABANDONED))
    rows = np.flatnonzero(counts)
    where = queue[rows]
    short_enough = (left_us[rows] - arrived_us[rows]) / 1e6 <= np.broadcast_to(goal_s, n_queues)[where]
    within = where[(status[rows] == ANSWERED) & short_enough]
    met, n = np.bincount(within, minlength=n_queues), np.bincount(where, minlength=n_queues)
    return np.divide(met, n, out=np.full(n_queues, np.nan), where=n > 0)
