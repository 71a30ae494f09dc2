"""How much one batch may hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.workers import MEMORY, Memory


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
