"""How much one batch may hold, and what of it is refused before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from api.errors import InvalidBody, Problem
from engine.memory import Need
from ingest.workers import MEMORY, Memory

# Rows of one answer: a hundred thousand are 18 MB, which are written in one go while everybody else waits.
MOST_INTERVALS = 100_000
# A change of the weights reads the window before it anew, so a short step over many days is years of work.
MOST_PLANS = 100_000


@dataclass(frozen=True)
class Limits:
    """How much one batch may hold.

    Parameters
    ----------
    interactions, outcomes : int
        Most inline interactions, and most outcomes in the answer. [count]
    memory : Memory
        What all batches of the service share.
    """

    interactions: int
    outcomes: int
    memory: Memory = field(default=MEMORY)

    @contextmanager
    def held(self, need: Need, *, replan_s: str = "/replan_s") -> Iterator[None]:
        """Hold what a batch needs while it goes on.

        Parameters
        ----------
        need : Need
            Of a run or a comparison.
        replan_s : str
            Where the body says how often weights are moved, as a JSON pointer.

        Raises
        ------
        InvalidBody
            If its answer would have too many rows, or weights would be moved too often.
        NotEnoughMemory
            If it would not fit into memory.
        """
        if need.intervals > MOST_INTERVALS:
            what = f"{need.intervals:,} intervals from the first day to the last"
            remedy = f"use longer intervals or fewer days, at most {MOST_INTERVALS:,} intervals"
            raise InvalidBody(Problem("/interval_min", what, remedy))
        if need.plans > MOST_PLANS:
            what = f"weights would be moved {need.plans:,} times"
            remedy = f"use a longer time, fewer days or fewer replications, at most {MOST_PLANS:,} times"
            raise InvalidBody(Problem(replan_s, what, remedy))
        with self.memory.held(need):
            yield
