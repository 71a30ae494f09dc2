"""What every agent does just now, the morning after the data: drawn, so that a live ranking has something to rank."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ingest.double.centre.organisation import Organisation
from ingest.double.centre.statuses import COMMUNICATING, IDLE, INTERACTING, NOT_RESPONDING, OFF_QUEUE

# How often each status is met on a working morning.
SHARES = {IDLE: 45, INTERACTING: 30, OFF_QUEUE: 15, NOT_RESPONDING: 5, COMMUNICATING: 5}
AWAY = ("Available", "Break", "Meal", "Meeting", "Offline")
ON_QUEUE = "On Queue"
LONGEST_MS = 3_600_000


@dataclass(frozen=True)
class Now:
    """What one agent does."""

    status: str  # Routing status
    presence: str  # As the platform's users spell it
    since_ms: int  # Since when. [ms since 1970]


def states_now(organisation: Organisation) -> dict[str, Now]:
    """Draw what every agent does; in every queue somebody who joined it is idle."""
    dice = random.Random(f"now {organisation.seed}")
    rows = organisation.tables.agents.sort("agent_id").select("agent_id", "routing_status", "presence").rows()
    found: dict[str, Now] = {}
    given: set[str] = set()
    for agent, status, presence in rows:
        drawn = dice.choices(list(SHARES), list(SHARES.values()))[0]
        away, since_ms = dice.choice(AWAY), organisation.now_ms - dice.randint(1_000, LONGEST_MS)
        drawn = drawn if status is None else status
        found[agent] = Now(drawn, presence or (away if drawn == OFF_QUEUE else ON_QUEUE), since_ms)
        if status is not None or presence is not None:
            given.add(agent)
    members = organisation.tables.members.filter("joined").sort("queue_id", "agent_id")
    for _, queue in members.group_by("queue_id", maintain_order=True):
        agents = queue["agent_id"].to_list()
        free = [agent for agent in agents if agent not in given]
        if free and not any(found[agent].status == IDLE for agent in agents):
            chosen = dice.choice(free)
            found[chosen] = Now(IDLE, ON_QUEUE, found[chosen].since_ms)
    return found
