"""Rare things that happen in every organisation, put into tables from a seed where there is room for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl

from engine.data.tables import Tables
from ingest.double.centre import odd_people, odd_surveys
from ingest.double.centre.facts import DELETED_SKILL, Call, Facts, Missed
from ingest.double.centre.stamps import DAY_MS
from ingest.double.centre.workshop import Workshop

TRIES = 60
RING_MS, AFTER_MS, NOT_RESPONDING_MS = (6_000, 14_000), 3_000, 30_000
WITHIN_MS = 3_600_000


def with_oddities(tables: Tables, seed: int) -> tuple[Tables, Facts]:
    """Put oddities into tables: those that tables can show, and the rest as facts."""
    shop = Workshop(tables, seed)
    for put in (
        _going_on, _over_midnight, _transferred, _missed, _flowed_out, _timed_out, _shared_screens, _deleted_skill,
        _calls,
    ):  # fmt: skip
        put(shop)
    odd_surveys.add(shop)
    odd_people.add(shop)
    return replace(shop.tables, interactions=shop.tables.interactions.sort("arrived_at", "interaction_id")), shop.facts


def _going_on(shop: Workshop) -> None:
    """The last conversations of all: some agent still talks, somebody still waits."""
    last = pl.col("arrived_ms") >= shop.end_ms - DAY_MS
    talking = [
        row
        for row in shop.pool("answered").filter(last).reverse().head(20).iter_rows(named=True)
        if shop.diary.is_last(row["agent_id"], row["answered_ms"])
    ]
    for row in talking[:2]:
        shop.change(row["conversation_id"], handle_s=None, acw_s=None)
        _still_on_queue(shop, row["agent_id"])
        shop.diary.add(row["agent_id"], row["answered_ms"], shop.end_ms)
    waiting = shop.pool("abandoned").filter(last).reverse().head(1).to_dicts()
    for row in waiting:
        shop.change(row["conversation_id"], outcome="unknown", wait_s=None)
    for row in [*talking[:2], *waiting]:
        shop.facts.going_on.add(row["conversation_id"])
        shop.touch(row["conversation_id"])


def _still_on_queue(shop: Workshop, agent: str) -> None:
    """Whoever still talks has not left: the last shift goes on."""
    shifts = shop.tables.staffing.with_row_index("row")
    own = shifts.filter(agent_id=agent).sort("start_at")
    if own.height == 0:
        return
    end = pl.lit(shop.end_ms).cast(pl.Datetime("ms", "UTC")).cast(shifts.schema["end_at"])
    end_at = pl.when(pl.col("row") == own["row"][-1]).then(end).otherwise("end_at")
    shop.tables = replace(shop.tables, staffing=shifts.with_columns(end_at=end_at).drop("row"))
    shop.facts.still_on.add(agent)


def _over_midnight(shop: Workshop) -> None:
    """A conversation of a late evening that ends on the next day; its agent may be off duty."""
    whole = pl.col("handle_s") >= 240, pl.col("wait_s") <= 60, pl.col("arrived_ms") < shop.end_ms - DAY_MS
    for row in shop.some(shop.pool("answered").filter(*whole), TRIES):
        arrived_ms = row["arrived_ms"] // DAY_MS * DAY_MS + DAY_MS - 90_000
        moved_ms = arrived_ms - row["arrived_ms"]
        spell = row["answered_ms"] + moved_ms - 60_000, row["end_ms"] + moved_ms
        if shop.diary.is_free(str(row["agent_id"]), *spell):
            shop.diary.add(str(row["agent_id"]), *spell)
            conversation = str(row["conversation_id"])
            shop.change(conversation, arrived_at=row["arrived_at"] + timedelta(milliseconds=moved_ms))
            shop.facts.over_midnight.append(conversation)
            shop.touch(conversation)
            return


def _transferred(shop: Workshop) -> None:
    """Two answered interactions become one conversation: the second arrives after the first ended."""
    pool = shop.pool("answered")
    for _ in range(shop.number):
        free = pool.filter(~pl.col("conversation_id").is_in(list(shop.touched)))
        for first in shop.some(free, TRIES):
            later = free.filter(
                pl.col("arrived_ms") > first["end_ms"],
                pl.col("arrived_ms") < first["end_ms"] + WITHIN_MS,
                pl.col("agent_id") != first["agent_id"],
                pl.col("media") == first["media"],
                pl.col("used_routing").eq_missing(first["used_routing"]),
            )
            if later.height:
                conversation, second = str(first["conversation_id"]), later.row(0, named=True)["conversation_id"]
                shop.change(second, conversation_id=conversation)
                shop.facts.transferred.append(conversation)
                shop.touch(conversation)
                shop.touch(second)
                break


def _missed(shop: Workshop) -> None:
    """Before the one who answered, somebody else let it ring."""
    long = shop.pool("answered").filter(pl.col("wait_s") - pl.col("alert_s").fill_null(0) >= 16)
    for row in shop.some(long, TRIES):
        if len(shop.facts.missed) == shop.number:
            return
        missed = _who_missed(shop, row)
        if missed is not None:
            shop.diary.add(missed.agent_id, missed.start_ms, missed.end_ms + NOT_RESPONDING_MS)
            shop.facts.missed.append(missed)
            shop.touch(missed.conversation_id)


def _who_missed(shop: Workshop, row: dict[str, Any]) -> Missed | None:
    alert_ms = round(1000 * float(row["alert_s"] or 0))
    end_ms = row["answered_ms"] - alert_ms - 500
    start_ms = end_ms - shop.random.randint(*RING_MS)
    acw_ms = AFTER_MS if len(shop.facts.missed) % 2 == 0 else 0
    until_ms = end_ms + NOT_RESPONDING_MS
    for agent in shop.random.sample(others := shop.members.get(str(row["queue_id"]), []), len(others)):
        is_there = shop.diary.is_on_queue(agent, start_ms, until_ms) and shop.diary.is_free(agent, start_ms, until_ms)
        if agent != row["agent_id"] and is_there:
            conversation, visit = str(row["conversation_id"]), 1
            return Missed(conversation, visit, agent, start_ms, end_ms, acw_ms)
    return None


def _flowed_out(shop: Workshop) -> None:
    for row in shop.some(shop.pool("abandoned"), shop.number):
        shop.change(str(row["conversation_id"]), outcome="flowed_out")
        shop.facts.flowed_out.append(str(row["conversation_id"]))
        shop.touch(str(row["conversation_id"]))


def _timed_out(shop: Workshop) -> None:
    for row in shop.some(shop.pool("answered").filter(pl.col("acw_s") > 0), shop.number):
        shop.facts.timed_out.add(str(row["conversation_id"]))


def _shared_screens(shop: Workshop) -> None:
    for row in shop.some(shop.pool("answered"), shop.number):
        shop.facts.shared_screens.add(str(row["conversation_id"]))


def _deleted_skill(shop: Workshop) -> None:
    for row in shop.some(shop.pool("answered"), 1):
        conversation = str(row["conversation_id"])
        shop.change(conversation, skills=[*(row["skills"] or []), DELETED_SKILL])
        shop.facts.deleted_skill.append(conversation)
        shop.touch(conversation)


def _calls(shop: Workshop) -> None:
    """Outbound and internal calls while the agents would be idle."""
    for number in range(2 * shop.number):
        call = _call(shop, number, is_internal=number % 2 == 1)
        if call is not None:
            for agent in filter(None, (call.agent_id, call.other_agent_id)):
                shop.diary.add(agent, call.start_ms, call.end_ms)
            shop.facts.calls.append(call)


def _call(shop: Workshop, number: int, is_internal: bool) -> Call | None:
    agents = sorted(shop.diary.on_queue)
    for _ in range(TRIES if agents else 0):
        agent = shop.random.choice(agents)
        start_ms, end_ms = shop.random.choice(shop.diary.on_queue[agent])
        length_ms = shop.random.randint(30_000, 240_000)
        at_ms = shop.random.randint(start_ms, max(start_ms, end_ms - length_ms))
        spell = at_ms, at_ms + length_ms
        if not (at_ms >= shop.start_ms and shop.diary.is_free(agent, *spell)):
            continue
        other = _colleague(shop, agent, spell) if is_internal else None
        if is_internal and other is None:
            continue
        queue = None
        if not is_internal and number % 4 == 0:
            queue = next((name for name, members in sorted(shop.members.items()) if agent in members), None)
        acw_ms = 0 if is_internal else 5_000
        return Call(f"call-{number:04d}", agent, other, queue, *spell, 4_000 + 10 * number, acw_ms)
    return None


def _colleague(shop: Workshop, agent: str, spell: tuple[int, int]) -> str | None:
    free = [
        other
        for other in sorted(shop.diary.on_queue)
        if other != agent and shop.diary.is_on_queue(other, *spell) and shop.diary.is_free(other, *spell)
    ]
    return shop.random.choice(free) if free else None
