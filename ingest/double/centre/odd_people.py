"""Agents whose skills and memberships are not as plain as a table: switched off, listed twice, gone."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from engine.data.tables import INTERRUPTIONS
from ingest.double.centre.workshop import Workshop


def add(shop: Workshop) -> None:
    """Switch off a skill, list members twice, and let one leave a queue in which they answered."""
    _inactive_skills(shop)
    _left(shop)
    members = shop.tables.members.select("queue_id", "agent_id").sort("queue_id", "agent_id")
    shop.facts.twice.update((str(row["queue_id"]), str(row["agent_id"])) for row in shop.some(members, shop.number))
    _own_utilization(shop)


def _own_utilization(shop: Workshop) -> None:
    """Some have settings of their own: calls may interrupt messages, and what came through no queue does not count."""
    names = shop.tables.agents["agent_id"].sort().to_list()
    ruled = shop.random.sample(names, min(shop.number, len(names)))
    rule = [{"media": "message", "by": ["voice", "chat"]}, {"media": "email", "by": ["voice"]}]
    own = pl.when(pl.col("agent_id").is_in(ruled)).then(pl.lit(pl.Series([rule], dtype=INTERRUPTIONS)).first())
    agents = shop.tables.agents.with_columns(interrupted_by=own.otherwise("interrupted_by"))
    shop.tables = replace(shop.tables, agents=agents)
    called = sorted({call.agent_id for call in shop.facts.calls if call.queue_id is None})
    shop.facts.non_acd_ignored.update(called[:1])


def _inactive_skills(shop: Workshop) -> None:
    held = shop.tables.agents.select("agent_id", names=pl.col("skills").list.eval(pl.element().struct["name"]))
    names = sorted({name for own in held["names"].drop_nulls() for name in own})
    lacking = [(agent, name) for agent, own in held.iter_rows() for name in names if name not in (own or [])]
    shop.facts.inactive_skills.extend(shop.random.sample(lacking, min(shop.number, len(lacking))))


def _left(shop: Workshop) -> None:
    """Somebody is no longer a member; the queue keeps at least two."""
    worked = shop.tables.interactions.filter(outcome="answered").select("queue_id", "agent_id").unique()
    sizes = shop.tables.members.group_by("queue_id").len()
    could = (
        shop.tables.members.join(worked, on=["queue_id", "agent_id"])
        .join(sizes.filter(pl.col("len") >= 3), on="queue_id")
        .sort("queue_id", "agent_id")
    )
    for row in shop.some(could, 1):
        gone = (pl.col("queue_id") == row["queue_id"]) & (pl.col("agent_id") == row["agent_id"])
        shop.tables = replace(shop.tables, members=shop.tables.members.filter(~gone))
        shop.facts.left_queue.append((str(row["queue_id"]), str(row["agent_id"])))
