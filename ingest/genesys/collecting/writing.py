"""Everything that was read and sorted out, given to the writer of a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from engine.data.tables import TABLES
from ingest.files import pseudonyms
from ingest.genesys.collecting import crosscheck
from ingest.genesys.collecting.assembling import Assembly, Collected
from ingest.genesys.collecting.notes import (
    ASSUMPTIONS,
    DEPARTED,
    NO_PRESENCE,
    NOT_ACD,
    PROVISIONAL,
    SOME_PRESENCE,
    UNKNOWN_SKILLS,
)
from ingest.genesys.collecting.parts import AGGREGATES, STATUS
from ingest.genesys.collecting.today import Today
from ingest.genesys.collecting.wanted import Span, Wanted
from ingest.snapshot.writing import SnapshotWriter

Coded = Callable[[str, pl.DataFrame], pl.DataFrame]


def source_of(wanted: Wanted, today: Today, host: str) -> dict[str, Any]:
    """What a manifest says about where a snapshot came from."""
    return {
        "kind": "genesys", "host": host, "organisation": today.organisation,
        "queues": [{"id": row[0], "name": row[1]} for row in today.queues.select("queue_id", "queue_name").rows()],
        "from": wanted.span.first.isoformat(), "to": wanted.span.last.isoformat(),
        "survey_scale": [wanted.scale.low, wanted.scale.high], "pseudonymised": wanted.pseudonymise,
    }  # fmt: skip


def write(
    writer: SnapshotWriter, assembly: Assembly, found: Collected, today: Today, wanted: Wanted, key: bytes | None
) -> None:
    """Give all tables and all that must be known about them."""
    busy, n_uncounted = _busy(found, today)
    tables = _tables(assembly, found, today, wanted) | {"busy": busy}
    coded = _coding(tables, found, key)
    for name, frame in tables.items():
        writer.add(name, coded(name, frame))
    for frame in assembly.interactions(found, today):
        writer.add_interactions(coded("interactions", frame))
    for sentence in _sentences(assembly, found, today, wanted.span, tables):
        writer.assume(sentence)
    if key is not None:
        writer.assume(pseudonyms.ASSUMPTION_KEPT)
    if unknown := found.skill_ids - today.skills.keys():
        writer.count(UNKNOWN_SKILLS, len(unknown))
    counted = (today.counts, found.counts, assembly.status_counts(), {NOT_ACD: n_uncounted})
    for label in sorted({label for counts in counted for label in counts}):
        if n := sum(counts.get(label, 0) for counts in counted):
            writer.count(label, n)


def _coding(tables: dict[str, pl.DataFrame], found: Collected, key: bytes | None) -> Coded:
    if key is None:
        return lambda name, frame: frame
    named = {*pseudonyms.named(tables), *found.preferred}
    codes = pseudonyms.codes_of(named, key)
    return lambda name, frame: pseudonyms.coded(name, frame, codes)


def _sentences(
    assembly: Assembly, found: Collected, today: Today, span: Span, tables: dict[str, pl.DataFrame]
) -> list[str]:
    said = [*ASSUMPTIONS, *today.notes]
    unstaffed = assembly.days_without(STATUS)
    if "staffing" not in tables:
        said.append(NO_PRESENCE)
    elif unstaffed:
        said.append(SOME_PRESENCE.format(days=", ".join(map(str, unstaffed))))
    if days := assembly.provisional_days():
        said.append(PROVISIONAL.format(days=", ".join(map(str, days))))
    counted = tables.get("aggregates")
    said.append(crosscheck.NO_COUNTS if counted is None else _compared(assembly, counted, found, span))
    surveys = assembly.counted_by_platform("surveys")
    if surveys is not None:
        said.append(crosscheck.compare_surveys(surveys, tables["surveys"].height))
    if n_left := _departed(found, today).height:
        said.append(DEPARTED.format(n=n_left))
    return said


def _compared(assembly: Assembly, counted: pl.DataFrame, found: Collected, span: Span) -> str:
    """The platform's counts beside ours, of the days that it counted for us."""
    uncounted = assembly.days_without(AGGREGATES)
    ours = [frame.filter(~pl.col("start_at").dt.date().is_in(uncounted)) for frame in found.offered]
    return crosscheck.compare_offered(counted, ours, span)


def _tables(assembly: Assembly, found: Collected, today: Today, wanted: Wanted) -> dict[str, pl.DataFrame]:
    """All tables but interactions."""
    agents, span = pl.col("agent_id").is_in(today.agent_ids), wanted.span
    surveys = pl.concat(found.surveys).unique("survey_id", keep="last", maintain_order=True).sort("survey_id")
    tables = {
        "agents": today.agents,
        "queues": today.queues,
        "members": pl.concat([today.members, _departed(found, today)], how="diagonal").sort("queue_id", "agent_id"),
        "surveys": wanted.scale.applied(surveys),
    }
    staffing = assembly.staffing().filter(agents)
    if staffing.height:
        tables["staffing"] = staffing
    counted = assembly.counted_by_platform("aggregates")
    if counted is not None:
        within = (pl.col("start_at") >= span.start) & (pl.col("start_at") < span.end)
        tables["aggregates"] = counted.filter(within).sort("queue_id", "media", "start_at")
    return tables


def _busy(found: Collected, today: Today) -> tuple[pl.DataFrame, int]:
    """Table busy, and how much of what came through no queue the utilisation settings do not count."""
    rows = pl.concat(found.busy).filter(pl.col("agent_id").is_in(today.agent_ids))
    counts = pl.DataFrame(sorted(today.non_acd), {"agent_id": pl.String, "media": pl.String}, orient="row")
    marked = rows.join(counts.with_columns(counts=pl.lit(value=True)), on=["agent_id", "media"], how="left")
    felt = marked.filter(pl.col("is_acd") | pl.col("counts").fill_null(value=False))
    return felt.select(TABLES["busy"].names).sort("agent_id", "start_at", "end_at", "why"), rows.height - felt.height


def _departed(found: Collected, today: Today) -> pl.DataFrame:
    """Agents who answered a queue and are not its members any more."""
    return found.answered.join(today.members, on=["queue_id", "agent_id"], how="anti")
