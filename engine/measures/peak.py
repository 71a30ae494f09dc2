"""How many interactions one agent would hold at once if nobody were ever busy."""

from __future__ import annotations

import numpy as np

from engine.typing import BoolArray, FloatArray, IntArray


class Peak:
    """Largest number of simultaneous interactions, fed in order of arrival.

    Each is busy from arrival for its handling time, the end excluded. Rows without a handling time are
    left out and counted.

    Examples
    --------
    >>> peak = Peak()
    >>> peak.add(np.array([0, 1_000_000, 5_000_000]), np.array([3.0, 4.0, 1.0]))
    >>> peak.value
    2
    """

    def __init__(self) -> None:
        self.value = 0
        self.n_timed = 0
        self.n_untimed = 0
        self._open: IntArray = np.empty(0, np.int64)

    def add(self, arrived_us: IntArray, handle_s: FloatArray) -> None:
        """Take more interactions.

        Parameters
        ----------
        arrived_us : (n,) array of int64
            In order, not before any earlier call's. [us]
        handle_s : (n,) array of float
            NaN where not recorded. [s]
        """
        timed: BoolArray = ~np.isnan(handle_s)
        self.n_untimed += int((~timed).sum())
        self.n_timed += int(timed.sum())
        busy = timed & (handle_s > 0)
        if not busy.any():
            return
        start = arrived_us[busy]
        end = start + np.rint(handle_s[busy] * 1e6).astype(np.int64)
        ends = np.sort(np.concatenate([self._open, end]))
        held = self._open.size + np.arange(1, start.size + 1) - np.searchsorted(ends, start, side="right")
        self.value = max(self.value, int(held.max()))
        self._open = ends[ends > start[-1]]
