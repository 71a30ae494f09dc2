"""Tables as a platform would keep them: whole milliseconds, every id known, scores from 0 to 100."""

from __future__ import annotations

import numpy as np
import polars as pl

from engine.data.checks import check
from engine.data.tables import TABLES, TIME, Tables
from engine.errors import InvalidTable
from ingest.double.centre.stamps import DAY_MS

SECONDS = ("wait_s", "alert_s", "handle_s", "acw_s")
# A caller waits in a menu before the queue; the phone is on hold now and then.
MENU_SHARE, LEAST_MENU_MS, MOST_MENU_MS = 0.4, 3_000, 45_000
HOLD_SHARE = 0.25


def completed(tables: Tables) -> Tables:
    """What the platform knows when it is given these tables.

    Times are cut to whole milliseconds, conversations named, surveys rescaled to 0-100, and queues, agents and
    members that are only named elsewhere are added.
    """
    given = Tables.of({name: check(name, frame) for name, frame in tables}, tables.time_zone)
    interactions = given.interactions.with_columns(
        _cut("arrived_at"),
        *(_whole_ms(given.interactions[name]) for name in SECONDS),
        conversation_id=pl.col("conversation_id").fill_null(pl.col("interaction_id")),
    )
    _refuse(interactions)
    agents = _with_missing("agents", given.agents, interactions["agent_id"], given.members["agent_id"])
    queues = _with_missing("queues", given.queues, interactions["queue_id"], given.members["queue_id"])
    members = given.members
    if members.is_empty():
        everybody = queues.select("queue_id").join(agents.select("agent_id"), how="cross")
        members = check("members", everybody)
    frames = dict(given) | {
        "interactions": interactions.sort("arrived_at", "interaction_id"),
        "agents": agents.with_columns(pl.col("agent_name").fill_null(pl.col("agent_id"))),
        "queues": queues.with_columns(pl.col("queue_name").fill_null(pl.col("queue_id"))),
        "members": members,
        "surveys": _rescaled(given.surveys, interactions),
        "staffing": given.staffing.with_columns(_cut("start_at"), _cut("end_at")),
    }
    return Tables.of(frames, given.time_zone)


def _cut(name: str) -> pl.Expr:
    return pl.col(name).dt.truncate("1ms").cast(TIME)


def _whole_ms(seconds: pl.Series) -> pl.Series:
    # Numpy divides; polars multiplies by the reciprocal, which is not the nearest number to so many milliseconds.
    found = pl.Series(seconds.name, np.rint(seconds.cast(pl.Float64).to_numpy() * 1000) / 1000)
    return found.set(seconds.is_null(), None)


def _refuse(interactions: pl.DataFrame) -> None:
    """Say which rows a platform could not have recorded."""
    outcome, agent = pl.col("outcome"), pl.col("agent_id")
    rules = {
        "answered without agent_id, wait_s or handle_s; the platform always knows them":
            (outcome == "answered") & pl.any_horizontal(pl.col("agent_id", "wait_s", "handle_s").is_null()),
        "left the queue without wait_s; the platform always knows it":
            outcome.is_in(["abandoned", "flowed_out"]) & pl.col("wait_s").is_null(),
        "not answered, yet with agent_id, handle_s, acw_s or alert_s; leave them empty":
            (outcome != "answered") & (agent.is_not_null() | pl.any_horizontal(
                pl.col("handle_s", "acw_s", "alert_s").is_not_null())),
        "after-call work longer than handle_s, which contains it": pl.col("acw_s") > pl.col("handle_s"),
        "ringing longer than wait_s, which contains it": pl.col("alert_s") > pl.col("wait_s"),
    }  # fmt: skip
    found = []
    for finding, rule in rules.items():
        rows = interactions.filter(rule.fill_null(False))
        if rows.height:
            found.append(f"interactions: {rows.height} rows, first {rows['interaction_id'][0]!r}: {finding}")
    if found:
        raise InvalidTable(*found)


def _with_missing(name: str, frame: pl.DataFrame, *named: pl.Series) -> pl.DataFrame:
    key = TABLES[name].key[0]
    everybody = pl.concat([series.rename(key) for series in named]).drop_nulls().unique().sort()
    missing = everybody.filter(~everybody.is_in(frame[key].to_list()))
    return check(name, pl.concat([frame, check(name, missing.to_frame())]))


def _rescaled(surveys: pl.DataFrame, interactions: pl.DataFrame) -> pl.DataFrame:
    stray = surveys.join(interactions, on="interaction_id", how="anti")
    if stray.height:
        raise InvalidTable(
            f"surveys: {stray.height} rows, first {stray['survey_id'][0]!r}: without an interaction of this data; "
            "the platform keeps surveys with conversations, so leave them out"
        )
    width = pl.col("scale_max") - pl.col("scale_min")
    return surveys.with_columns(
        _cut("completed_at"),
        score=100 * (pl.col("score") - pl.col("scale_min")) / width,
        scale_min=pl.lit(0.0),
        scale_max=pl.lit(100.0),
    )


def ms(name: str) -> pl.Expr:
    """A column of moments, or of seconds where its name ends in ``_s``, as whole milliseconds."""
    if name.endswith("_s"):
        return (pl.col(name) * 1000).round().cast(pl.Int64)
    return pl.col(name).dt.epoch("ms")


def days_of(tables: Tables) -> tuple[int, int]:
    """First midnight before and last midnight after all interactions and shifts."""
    spent = pl.sum_horizontal(ms("arrived_at"), ms("wait_s").fill_null(0), ms("handle_s").fill_null(0))
    moments = [
        # What begins at the last midnight of all is not before it.
        tables.interactions.select((ms("arrived_at") + 1).alias("at"), spent.alias("end")).unpivot()["value"],
        tables.staffing.select(ms("start_at").alias("at"), ms("end_at").alias("end")).unpivot()["value"],
    ]
    known = pl.concat(moments)
    if known.is_empty():
        return 0, DAY_MS
    first, last = int(known.min()), int(known.max())  # type: ignore[arg-type]
    return first - first % DAY_MS, last + -last % DAY_MS if last % DAY_MS else max(last, first + DAY_MS)


def visits_of(tables: Tables, going_on: set[str], seed: int) -> pl.DataFrame:
    """Visits to queues in order of their conversations, with what happened inside each in milliseconds.

    Seconds become ``_ms``; start_ms is that of the conversation.
    """
    begin_ms, _ = days_of(tables)
    rows = tables.interactions.sort("arrived_at", "interaction_id").with_columns(
        visit=pl.int_range(1, pl.len() + 1).over("conversation_id").cast(pl.Int32),
        arrived_ms=ms("arrived_at"),
        **{name[:-2] + "_ms": ms(name) for name in SECONDS},
        over=~pl.col("conversation_id").is_in(list(going_on)),
    )
    rng = np.random.default_rng([seed, 17])
    menu_ms = rng.integers(LEAST_MENU_MS, MOST_MENU_MS, rows.height) * (rng.random(rows.height) < MENU_SHARE)
    hold_part = rng.uniform(0.1, 0.4, rows.height) * (rng.random(rows.height) < HOLD_SHARE)
    spoken_ms = pl.col("handle_ms") - pl.col("acw_ms").fill_null(0)
    rows = rows.with_columns(
        menu_ms=pl.min_horizontal(
            pl.Series(menu_ms) * (pl.col("visit") == 1) * (pl.col("media") == "voice"), pl.col("arrived_ms") - begin_ms
        ).cast(pl.Int64),
        hold_ms=(spoken_ms * pl.Series(hold_part)).cast(pl.Int64),
    ).with_columns(talk_ms=spoken_ms - pl.col("hold_ms"))
    first_ms = (pl.col("arrived_ms") - pl.col("menu_ms")).first().over("conversation_id")
    return rows.with_columns(start_ms=first_ms).sort("start_ms", "conversation_id", "visit")
