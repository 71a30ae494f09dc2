"""Who answers and how long customers wait in a made-up centre: played by Genesys standard routing.

So the made-up record is what a replay of its own rule gives, waits follow from who is on duty, and other
rules can be compared with it. A centre too large to be held in memory has drawn waits instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from engine.data.checks import check
from engine.data.tables import Tables
from engine.run import choose
from engine.spec import Scenario
from engine.typing import IntArray
from ingest.synthetic import draws
from ingest.synthetic.centre import Centre

# Interactions held at once; about half a gigabyte.
MOST_PLAYED = 2_000_000
PLAYED = (
    "Who answered and how long customers waited comes from playing the made-up customers by Genesys standard routing "
    "on the made-up shifts; patience_s is known for every caller."
)
DRAWN = (
    f"Waits and agents are drawn, not the result of a queue, as there are over {MOST_PLAYED:,} interactions: services "
    "of one agent may overlap. patience_s is known for every caller; who finds nobody on duty gives up after it."
)


def played(centre: Centre, staffing: pl.DataFrame, batches: Iterable[draws.Batch], seed: int) -> Iterator[draws.Batch]:
    """Let the drawn customers be served by the agents on duty.

    Who answered the drawn customers and when is not looked at.
    """
    frame = pl.concat([rows for rows, _ in batches])
    calls = frame.select(
        "interaction_id", "queue_id", "arrived_at", "skills", "language", "priority", "handle_s", "patience_s"
    )
    named = {"agents": centre.agents, "queues": centre.queues, "members": centre.members, "staffing": staffing}
    tables = {name: check(name, rows) for name, rows in (named | {"interactions": calls}).items()}
    outcomes = choose(Scenario(mode="replay", method="genesys", seed=seed), Tables.of(tables, centre.time_zone))
    assert outcomes.served is not None
    # The centre numbers agents as it lists them, the engine by id.
    ids = centre.agents["agent_id"].to_list()
    own = np.array([ids.index(agent) for agent in sorted(ids)])
    agent = np.where(outcomes.agent >= 0, own[outcomes.agent], -1)
    frame = frame.with_columns(wait_s=pl.Series(outcomes.served.wait_s))
    for start in range(0, frame.height, draws.BATCH_ROWS):
        yield frame[start : start + draws.BATCH_ROWS], agent[start : start + draws.BATCH_ROWS]


def settled(centre: Centre, frame: pl.DataFrame, agent: IntArray) -> pl.DataFrame:
    """Rows of the interactions table: handling times of those who were answered only."""
    names = centre.agents["agent_id"].extend_constant(None, 1)
    answered = pl.Series(agent >= 0)
    return frame.with_columns(
        outcome=pl.Series(["abandoned", "answered"]).gather(answered.cast(pl.UInt32)),
        agent_id=names.gather(np.where(agent < 0, names.len() - 1, agent)),
        handle_s=pl.when(answered).then("handle_s"),
    )
