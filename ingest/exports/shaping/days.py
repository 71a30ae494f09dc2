"""Counts of contacts alone, by interval and queue, as days that somebody could have had: everything else is made up."""

from __future__ import annotations

import polars as pl

from engine.data.tables import TABLES
from engine.errors import InvalidTable
from ingest.exports.shaping.clock import in_utc
from ingest.exports.shaping.naming import Notes
from ingest.exports.shaping.rows import ROW, Rows
from ingest.synthetic import volumes
from ingest.synthetic.typical import PATIENCE_S

QUEUE = "all contacts"
NO_QUEUE = f"the volumes name no queue; all contacts are of one, {QUEUE!r}"
GIVEN = "agents and their time are those of the files"
NOBODY = "nobody of the plan is there in the days of the volumes; give the plan of those days, or leave the plan out"


def made_days(
    rows: Rows, given: dict[str, pl.DataFrame], time_zone: str, notes: Notes
) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Interactions with the load of `rows`, agents and staffing besides where none are `given`; which are made up."""
    frame = _counted(rows, given.get("queues"), time_zone, notes)
    load = volumes.Load.of(frame)
    has_staff = "staffing" in given and "agents" in given
    if has_staff and not _overlap(given["staffing"], load.frame):
        raise InvalidTable(NOBODY)
    staff = (
        {name: given[name] for name in ("agents", "members", "staffing") if name in given}
        if has_staff
        else volumes.enough(load)
    )
    notes.assumptions.append(volumes.MADE.format(n=f"{load.frame.height:,}", patience=PATIENCE_S))
    notes.assumptions.append(GIVEN if has_staff else volumes.AGENTS)
    tables = given | staff | {"interactions": volumes.contacts(load)}
    tables["interactions"] = volumes.played(tables, time_zone)
    return tables, ("interactions",) if has_staff else ("interactions", *staff)


def _counted(rows: Rows, queues: pl.DataFrame | None, time_zone: str, notes: Notes) -> pl.DataFrame:
    if problems := rows.problems:
        raise InvalidTable(*problems)
    missing = [name for name in ("start_at", "offered", "handle_s") if name not in rows]
    if missing:
        raise InvalidTable(
            f"{', '.join(rows.origin.sources)}: volumes need the start of each interval, the contacts offered and "
            f"their average handling time; the profile names no column for {' and '.join(missing)}"
        )
    frame = rows.frame.filter(pl.col("start_at").is_not_null() & pl.col("offered").is_not_null())
    if "queue_id" not in rows:
        frame = frame.with_columns(queue_id=pl.lit(QUEUE))
        notes.assumptions.append(NO_QUEUE)
    frame = frame.filter(pl.col("queue_id").is_not_null())
    if "media" not in rows and queues is not None and "media" in queues.columns:
        frame = frame.join(
            queues.select("queue_id", "media").drop_nulls(), on="queue_id", how="left", maintain_order="left"
        )
    frame = frame.with_columns(start_at=in_utc(frame["start_at"], time_zone))
    named = [name for name in ("queue_id", "start_at", "offered", "handle_s", "media") if name in frame.columns]
    return frame.select(named)


def _overlap(staffing: pl.DataFrame, load: pl.DataFrame) -> bool:
    first, last = load["start_at"].min(), load["start_at"].max()
    return bool(staffing.filter((pl.col("start_at") <= last) & (pl.col("end_at") > first)).height)


def plain(rows: Rows, time_zone: str) -> pl.DataFrame:
    """Rows of a table as it is stored, in UTC; what is wrong in its cells is refused."""
    if problems := rows.problems:
        raise InvalidTable(*problems)
    names = [name for name in TABLES[rows.table].names if name in rows.frame.columns]
    frame = rows.frame.drop(ROW).select(names)
    times = [name for name in names if frame[name].dtype == pl.Datetime("us")]
    return frame.with_columns(in_utc(frame[name], time_zone).alias(name) for name in times)
