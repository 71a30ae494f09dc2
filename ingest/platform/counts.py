"""What reading the platform has cost, counted by all threads together."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """What reading has cost so far.

    Parameters
    ----------
    requests : int
        Requests sent, those for tokens and repeated ones included. [count]
    retries : int
        Waits after a setback. [count]
    limited_s : float
        Waited for the allowance of requests a minute, summed over threads. [s]
    token_renewals : int
        Tokens fetched after one was refused. [count]
    lost_submits : int
        Submits that may have made a job whose id was never learnt. [count]
    """

    requests: int = 0
    retries: int = 0
    limited_s: float = 0.0
    token_renewals: int = 0
    lost_submits: int = 0


class Counters:
    """The counts of a client, kept by all its threads.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.add(requests=2)
    >>> counters.counted().requests
    2
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()

    def add(self, **by: float) -> None:
        """Count something.

        Parameters
        ----------
        **by : int or float
            How much to add, by name.
        """
        with self._lock:
            before = vars(self._counts)
            self._counts = Counts(**{**before, **{name: before[name] + more for name, more in by.items()}})

    def counted(self) -> Counts:
        """Give the counts of this moment.

        Returns
        -------
        Counts
            A copy that does not change any more.
        """
        return self._counts
