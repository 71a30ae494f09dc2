"""Performance of queues over a trailing window, as goals in motion read it."""

from __future__ import annotations

import numpy as np

from engine.data.served import Served, Status
from engine.typing import FloatArray


def achieved(served: Served, n_queues: int, from_us: int, to_us: int, goal_s: FloatArray | float) -> FloatArray:
    """Performance of queues over a trailing window, as rolling goals read it.

    Examples
    --------
    >>> none, status = np.array([0, 0, 0]), np.array([0, 0, 1])
    >>> achieved(Served.seen(none, none, status, np.array([5.0, 30.0, 40.0])), 2, 0, 30_000_000, 20.0).tolist()
    [0.5, nan]
    """
    left_us, status = served.left_us, served.status
    ended = (status == Status.ANSWERED) | (status == Status.ABANDONED)
    rows = np.flatnonzero((left_us > from_us) & (left_us <= to_us) & ended)
    where = served.queue[rows]
    short_enough = served.wait_s[rows] <= np.broadcast_to(goal_s, n_queues)[where]
    within = where[(status[rows] == Status.ANSWERED) & short_enough]
    met, n = np.bincount(within, minlength=n_queues), np.bincount(where, minlength=n_queues)
    return np.divide(met, n, out=np.full(n_queues, np.nan), where=n > 0)
