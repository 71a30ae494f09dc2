"""Presence and routing status of agents through time, made from shifts and from what each agent did."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import polars as pl

from engine.data.tables import TIME
from ingest.double.centre.oddities import NOT_RESPONDING_MS
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.records import ms
from ingest.double.centre.stamps import DAY_MS

OFF_QUEUE, IDLE, INTERACTING = "OFF_QUEUE", "IDLE", "INTERACTING"
NOT_RESPONDING, COMMUNICATING = "NOT_RESPONDING", "COMMUNICATING"
ON_QUEUE, OFFLINE, BREAK = "ON_QUEUE", "OFFLINE", "BREAK"
# Whoever is gone for less was on a break.
BREAK_MS = 2 * 3_600_000

# What is so from when until when; None means it still is.
Spell = tuple[str, int, int | None]


def shifts_of(organisation: Organisation) -> pl.DataFrame:
    """Spells on queue, those that touch joined into one; end_at is null where the agent is still on queue."""
    last = pl.lit(organisation.end_ms).cast(pl.Datetime("ms", "UTC")).cast(TIME)
    rows = organisation.tables.staffing.unique().sort("agent_id", "start_at", "end_at")
    reached = pl.col("end_at").cum_max().shift().over("agent_id")
    spell = (reached.is_null() | (pl.col("start_at") > reached)).cum_sum().over("agent_id")
    joined = rows.with_columns(spell=spell).group_by("agent_id", "spell", maintain_order=True)
    merged = joined.agg(pl.col("start_at").min(), pl.col("end_at").max()).drop("spell")
    is_still = pl.col("agent_id").is_in(list(organisation.facts.still_on)) & (pl.col("end_at") == last)
    return merged.with_columns(end_at=pl.when(~is_still).then("end_at")).sort("agent_id", "start_at")


class Statuses:
    """Who was on queue, and busy or not, at any time."""

    def __init__(self, organisation: Organisation) -> None:
        self._begin_ms = organisation.start_ms - DAY_MS // 2
        self._shifts: dict[str, list[tuple[int, int | None]]] = {}
        rows = shifts_of(organisation).select("agent_id", start=ms("start_at"), end=ms("end_at"))
        for agent, start, end in rows.iter_rows():
            self._shifts.setdefault(agent, []).append((start, end))
        self._work = _work(organisation)

    def presences(self, agent: str, start_ms: int, end_ms: int) -> list[Spell]:
        """Presence of an agent: spells that touch an interval, whole."""
        return [spell for spell in self._presences(agent, start_ms, end_ms) if _touches(spell, start_ms, end_ms)]

    def routing(self, agents: Iterable[str], start_ms: int, end_ms: int) -> dict[str, list[Spell]]:
        """Routing status of agents: spells that touch an interval, whole."""
        around = {agent: list(self._presences(agent, start_ms, end_ms)) for agent in agents}
        shifts = [spell for spells in around.values() for spell in spells if spell[0] == ON_QUEUE]
        first = min((start for _, start, _ in shifts), default=start_ms)
        last = max((end_ms if end is None else end for _, _, end in shifts), default=end_ms)
        work: dict[str, list[tuple[str, int, int | None]]] = {}
        still_so = pl.col("end").is_null() | (pl.col("end") > first)
        for agent, *spell in self._work.filter(pl.col("start") < last, still_so).iter_rows():
            work.setdefault(agent, []).append((spell[0], spell[1], spell[2]))
        return {
            agent: [
                spell
                for outer in spells
                for spell in _inside(outer, work.get(agent, []))
                if _touches(spell, start_ms, end_ms)
            ]
            for agent, spells in around.items()
        }

    def _presences(self, agent: str, start_ms: int, end_ms: int) -> Iterator[Spell]:
        """Shifts around an interval, and what lies between them."""
        shifts = self._shifts.get(agent, [])
        place = max(0, bisect_right(shifts, start_ms, key=lambda shift: shift[0]) - 1)
        gone = shifts[place - 1][1] if place else self._begin_ms
        for start, end in shifts[place:]:
            if gone is not None and gone < start:
                was_short = place > 0 and start - gone < BREAK_MS
                yield (BREAK if was_short else OFFLINE), gone, start
            yield ON_QUEUE, start, end
            gone = end
            place += 1
            if start >= end_ms:
                return
        if gone is not None:
            yield OFFLINE, gone, None


def _touches(spell: Spell, start_ms: int, end_ms: int) -> bool:
    return spell[1] < end_ms and (spell[2] is None or spell[2] > start_ms)


def _inside(outer: Spell, work: list[Spell]) -> Iterator[Spell]:
    """Routing statuses within one presence."""
    presence, start, end = outer
    if presence != ON_QUEUE:
        yield OFF_QUEUE, start, end
        return
    at = start
    for status, begun, done in work:
        until = done if end is None or (done is not None and done < end) else end
        if begun < at or (end is not None and begun >= end) or until == begun:
            continue
        if begun > at:
            yield IDLE, at, begun
        yield status, begun, until
        if until is None:
            return
        at = until
    if end is None or at < end:
        yield IDLE, at, end


def _work(organisation: Organisation) -> pl.DataFrame:
    """agent_id, status, start, end (null for not over) of all work, in order of time."""
    answered_ms = pl.col("arrived_ms") + pl.col("wait_ms")
    answered = organisation.visits.filter(pl.col("outcome") == "answered", pl.col("agent_id").is_not_null()).select(
        "agent_id", status=pl.lit(INTERACTING), start=answered_ms, end=answered_ms + pl.col("handle_ms")
    )
    facts = organisation.facts
    odd = [
        (agent, COMMUNICATING, call.start_ms, call.end_ms)
        for call in facts.calls
        for agent in (call.agent_id, call.other_agent_id)
        if agent is not None
    ] + [(missed.agent_id, NOT_RESPONDING, missed.end_ms, missed.end_ms + NOT_RESPONDING_MS) for missed in facts.missed]
    return pl.concat([answered, pl.DataFrame(odd, schema=answered.schema, orient="row")]).sort("start", "agent_id")
