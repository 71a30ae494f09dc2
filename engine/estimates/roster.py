"""The roster of a replay: when each agent can be asked, and how much at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.tables import CAPACITY, MEDIA
from engine.errors import InvalidTable
from engine.typing import BoolArray, Int8Array, Int32Array, IntArray


def default_interrupts() -> BoolArray:
    """Whose work may be interrupted by what: an email by anything else, all other media by nothing.

    Returns
    -------
    (n_media, n_media) array of bool
        Work in progress by row, what comes by column.
    """
    interrupts = np.zeros((len(MEDIA), len(MEDIA)), bool)
    interrupts[MEDIA.index("email")] = True
    return interrupts


@dataclass(frozen=True)
class Roster:
    """Spells in which agents can be asked, [start, end), and what they hold at once.

    Parameters
    ----------
    agent : (n_spells,) array of int32
        Whose spell.
    start_us, end_us : (n_spells,) array of int64
        Spells of one agent neither overlap nor touch. [us]
    idle_us : (n_agents,) array of int64
        Idle clock of each agent who has handled nothing yet; the largest int64 comes last. [us]
    capacity : (n_agents, n_media) array of int8
        Interactions at once, by place in `engine.data.tables.MEDIA`.
    interrupts : (n_media, n_media) array of bool
        Whether work of the first media may be interrupted by the second.
    """

    agent: Int32Array
    start_us: IntArray
    end_us: IntArray
    idle_us: IntArray
    capacity: Int8Array
    interrupts: BoolArray

    def __post_init__(self) -> None:
        n = self.n_agents
        if self.capacity.shape != (n, len(MEDIA)) or (
            self.agent.size and not 0 <= self.agent.min() <= self.agent.max() < n
        ):
            raise InvalidTable(f"roster: spells and capacities must be of its {n} agents")
        order = np.lexsort((self.start_us, self.agent))
        agent, start, end = self.agent[order], self.start_us[order], self.end_us[order]
        same = agent[1:] == agent[:-1]
        if (start >= end).any() or (same & (start[1:] <= end[:-1])).any():
            raise InvalidTable("roster: spells must have a length, and those of one agent neither overlap nor touch")

    @property
    def n_agents(self) -> int:
        """Number of agents, on queue or not."""
        return int(self.idle_us.size)

    @classmethod
    def of(cls, n_agents: int, agent: Any, start_s: Any, end_s: Any) -> Roster:
        """A roster of voice agents from plain arrays of seconds.

        Parameters
        ----------
        n_agents : int
            How many there are.
        agent : (n_spells,) array of int
            Whose spell.
        start_s, end_s : (n_spells,) array of float
            Spells. [s]

        Returns
        -------
        Roster
            Everybody idle since the own first spell, capacities of Genesys' defaults.
        """
        start_us, end_us = (np.rint(1e6 * np.asarray(side, float)).astype(np.int64) for side in (start_s, end_s))
        places = np.asarray(agent, np.int32)
        idle_us = np.full(n_agents, np.iinfo(np.int64).max)
        np.minimum.at(idle_us, places, start_us)
        return cls(
            places, start_us, end_us, idle_us, np.tile(np.array(CAPACITY, np.int8), (n_agents, 1)), default_interrupts()
        )
