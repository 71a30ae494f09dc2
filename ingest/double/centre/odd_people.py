"""Agents whose skills and memberships are not as plain as a table: switched off, listed twice, gone."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ingest.double.centre.workshop import Workshop


def add(shop: Workshop) -> None:
    """Switch off a skill, list members twice, and let one leave a queue in which they answered."""
    _inactive_skills(shop)
    _left(shop)
    members = shop.tables.members.select("queue_id", "agent_id").sort("queue_id", "agent_id")
    shop.facts.twice.update((str(row["queue_id"]), str(row["agent_id"])) for row in shop.some(members, shop.number))


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
