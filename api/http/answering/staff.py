"""A queue as it was read from the platform, in the form that the engine ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from api.http.serving.open_snapshots import OpenSnapshot
from engine.data.call_types import CallTypeIndex
from engine.data.centre import Centre
from engine.data.checks import check
from engine.data.encode import encode_centre, places
from engine.data.tables import TABLES, Tables
from engine.scoring.csat import NEUTRAL, CsatTable
from engine.typing import BoolArray
from ingest.genesys.live import LiveQueue

ON_QUEUE, OFF_QUEUE, UNKNOWN = "onqueue", "off_queue", "unknown"


@dataclass(frozen=True)
class Staff:
    """Who is joined to a queue, and who of them can take something."""

    read: LiveQueue  # As the platform told
    centre: Centre  # These agents and this queue, number 0, with everybody a member
    status: list[str]  # Routing status by agent; off_queue for any presence but On Queue, unknown where it is not told
    available: BoolArray  # By agent

    @property
    def n_members(self) -> int:
        """Joined members. [count]"""
        return len(self.status)

    @cached_property
    def by_status(self) -> dict[str, int]:
        """Members by status; the counts add up to all of them."""
        return dict(sorted(Counter(self.status).items()))

    @cached_property
    def place(self) -> dict[str, int]:
        """Place of each agent."""
        return {agent_id: place for place, agent_id in enumerate(self.centre.agent_ids)}

    def counted(self) -> str:
        """Members by status in words.

        Examples
        --------
        >>> Staff(None, None, ["idle", "off_queue", "idle"], None).counted()
        'of 3 members 2 idle, 1 off_queue'
        """
        if not self.n_members:
            return "nobody is joined to it"
        return f"of {self.n_members} members " + ", ".join(f"{n} {status}" for status, n in self.by_status.items())


def staff_of(read: LiveQueue, statuses: Set[str]) -> Staff:
    """A queue that was read, encoded."""
    tables = Tables(
        agents=read.agents,
        interactions=TABLES["interactions"].empty(),
        members=read.members,
        queues=check("queues", pl.DataFrame({"queue_id": [read.queue_id]})),
    )
    centre = encode_centre(tables, CallTypeIndex().frame())
    agents = read.agents.sort("agent_id")
    status = [_status(*row) for row in agents.select("presence", "routing_status").iter_rows()]
    available = np.array([one in statuses for one in status], bool)
    return Staff(read, centre, status, available)


def csat_of_staff(agent_ids: list[str], data: OpenSnapshot | None, end_us: int) -> CsatTable:
    """Mean satisfaction of agents by the surveys of a snapshot, for one queue.

    Agents whom the snapshot does not know have no surveys.
    """
    mean, count = np.full((1, len(agent_ids)), np.nan), np.zeros((1, len(agent_ids)), np.int64)
    if data is not None:
        table = data.csat(end_us)
        place = places(pl.Series(agent_ids, dtype=pl.String), data.arrays.centre.agent_ids)
        known = place >= 0
        mean[0, known], count[0, known] = table.mean[-1, place[known]], table.n_surveys[-1, place[known]]
    return CsatTable(mean, np.full((1, 1), NEUTRAL), np.empty(0, np.int64), count)


def _status(presence: str | None, routing_status: str | None) -> str:
    """The status that counts; the platform spells presences in three ways."""
    if presence is None or routing_status is None:
        return UNKNOWN
    if presence.replace(" ", "").replace("_", "").lower() != ON_QUEUE:
        return OFF_QUEUE
    return routing_status.strip().replace(" ", "_").lower()
