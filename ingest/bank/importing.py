"""Import the published call log of a bank ("Anonymous Bank", Technion): its calls become our tables.

Every row of the log is either an interaction or counted as dropped, and every oddity of a kept row is
counted with what was done about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from engine.data.wall_time import read_as_earlier
from engine.errors import InvalidTable
from engine.typing import Progress
from ingest.bank.agents import ENGLISH_SKILL, ENGLISH_TYPE, FEWEST_CALLS, add_agents, queue_of
from ingest.bank.log import read_log
from ingest.snapshot import made_up
from ingest.snapshot.manifest import Manifest
from ingest.snapshot.writing import SnapshotWriter

ZONE = "Asia/Jerusalem"
TYPES = ("PS", "PE", "NW", "NE", "IN", "TT")
# The centre's documentation credits customers of class 2 with 1.5 minutes of waiting (one point is 60 s). Its log shows
# three classes, each of which is served as if that much ahead of the one below; 1 are regular customers.
CREDIT_POINTS, REGULAR = 1.5, 1
CODE = r"^A\d+I?$"
BATCH_ROWS = 200_000

_TYPE, _OUTCOME = pl.col("type"), pl.col("outcome")
_QUEUED, _SERVED = pl.col("queue_at").is_not_null(), pl.col("service_at").is_not_null()
_NAMED, _SERVICE_S = pl.col("server").is_not_null(), pl.col("service_s")
_ANSWERED, _GAVE_UP = _OUTCOME == "AGENT", _OUTCOME == "HANG"

# A row is dropped for the first reason that holds; the order makes the counts add up.
DROPPED = {
    "dropped: the same row stands in the log already": ~pl.struct(pl.exclude("rolled")).is_first_distinct(),
    "dropped: PHANTOM, no real call": _OUTCOME == "PHANTOM",
    "dropped: junk type, none of the six call types": ~_TYPE.is_in(TYPES),
    "dropped: gave up in the voice menu, before any queue or agent": _GAVE_UP & ~(_QUEUED | _SERVED | _NAMED),
}
# Oddities of the rows that stay.
ODD = {
    "repaired: negative time in the voice menu; entry to the queue as recorded, else the call's start": (
        pl.col("vru_s") < 0
    ),
    "repaired: a time past midnight moved to the next day": pl.col("rolled"),
    "repaired: gave up although a service is recorded; abandoned stands, the service is left out": (
        _GAVE_UP & (_SERVED | _NAMED)
    ),
    "kept: answered without a named agent; agent_id is null": _ANSWERED & ~_NAMED,
    "kept: answered without a recorded service; handle_s is null": _ANSWERED & ~_SERVED,
    "kept: answered with 0 s of service": _ANSWERED & (_SERVICE_S == 0),
    "kept: answered with 1 to 9 s of service, agents hanging up": _ANSWERED & _SERVICE_S.is_between(1, 9),
    "kept: service longer than an hour": _ANSWERED & (_SERVICE_S > 3600),
    "kept: service starts over 2 s off queue entry plus wait; wait_s as recorded": (
        _ANSWERED & ((pl.col("service_at") - pl.col("queue_at")).dt.total_seconds() - pl.col("wait_s")).abs().gt(2)
    ),
    "kept: answered without a queue; wait_s is 0": _ANSWERED & ~_QUEUED,
}
ASSUMPTIONS = (
    'The log is the "Anonymous Bank" data of the Technion (I. Guedj and A. Mandelbaum, 2000); customer numbers are '
    "not read, agents are known by codes only.",
    "Rows of the log become interactions when the call reached the queue or an agent; a call that ended in the voice "
    "menu is no queue visit.",
    "arrived_at is the entry to the queue, or for a call that did not queue the end of its voice menu; local times of "
    "Asia/Jerusalem are stored as UTC.",
    "Skills are call types; PE is regular activity (PS) in English, every other call is taken as Hebrew.",
    "Priority is 1.5 points (90 s of waiting) for customers of class 2, as documented, 0 for class 1, and -1.5 for "
    "callers not identified, class 0, whom the log serves as far behind.",
    "The log records the class of queued calls only; of a call that did not queue it is drawn from the queued calls of "
    "its type, as it would matter had the call to wait.",
    f"An agent has the skills of the types answered at least {FEWEST_CALLS} times in the given log; proficiency 1 to "
    "5 is inferred: the fifth of its agents, by number of such calls, into which the agent falls.",
    f"Everybody speaks Hebrew; English is inferred from at least {FEWEST_CALLS} calls of type PE.",
    "handle_s is the recorded service; after-call work is not recorded. When agents were on duty is not recorded "
    "either, so staffing must be inferred.",
    "Calls of type TT are customers being called back who waited in the same queue; they are kept as voice.",
)


def import_bank(
    log: Sequence[Path], store: Path, name: str, *, seed: int = 0, replace: bool = False,
    progress: Progress | None = None,
) -> Manifest:  # fmt: skip
    """Import the bank's call log as a snapshot.

    Parameters
    ----------
    log : sequence of Path
        The monthly text files as published, or a Parquet or CSV extract of them.
    store : Path
        Folder of snapshots.
    name : str
        Name of the new snapshot.
    seed : int
        From which the surveys are made up; the log has no satisfaction scores.
    replace : bool
        Whether an existing snapshot of this name may be replaced.
    progress : callable, optional
        Called with (phase, done, total); phases are "read" and "write".

    Returns
    -------
    Manifest
        Of the snapshot; `repairs` holds every count, and "rows in the log" equals "interactions" plus all
        that begin with "dropped".

    Raises
    ------
    InvalidScenario
        If the seed is not a whole number of 0 or more.
    InvalidTable
        If a file is no bank log or holds a value that cannot be read.
    MissingInput
        If a file is not there.
    SnapshotExists
        If the name is taken and `replace` is false.
    """
    made_up.check_seed(seed)
    log = [Path(path) for path in log]
    source = {"kind": "bank", "files": [path.name for path in log], "seed": seed}
    with SnapshotWriter(store, name, source=source, time_zone=ZONE, replace=replace) as writer:
        calls = _sorted(_kept(read_log(log, progress), writer), writer)
        calls = _coded(calls, writer)
        calls = _classed(calls.with_columns(queue_id=queue_of(calls)), writer, seed)
        add_agents(writer, calls)
        interactions = _interactions(calls)
        _add_surveys(writer, interactions, seed)
        for sentence in ASSUMPTIONS:
            writer.assume(sentence)
        for start in range(0, interactions.height, BATCH_ROWS):
            writer.add_interactions(interactions[start : start + BATCH_ROWS])
            if progress is not None:
                progress("write", min(start + BATCH_ROWS, interactions.height), interactions.height)
        return writer.commit()


def _kept(rows: pl.DataFrame, writer: SnapshotWriter) -> pl.DataFrame:
    """Drop rows that are no queue visits, counting every row once."""
    writer.count("rows in the log", rows.height)
    for label, reason in DROPPED.items():
        left = rows.filter(~reason)
        writer.count(label, rows.height - left.height)
        rows = left
    if rows.is_empty():
        raise InvalidTable("bank log: no row reached the queue or an agent; give a month of the log or more")
    writer.count("interactions", rows.height)
    for label, count in rows.select(odd.sum().alias(label) for label, odd in ODD.items()).row(0, named=True).items():
        writer.count(label, count or 0)
    return rows


def _sorted(rows: pl.DataFrame, writer: SnapshotWriter) -> pl.DataFrame:
    """Give every row its arrival in UTC and an id of its own, in the order of arrival."""
    menu_end = pl.col("menu_at") + pl.duration(seconds=pl.col("vru_s").clip(lower_bound=0))
    local = rows.select(pl.coalesce("queue_at", menu_end)).to_series()
    first, last = (
        local.dt.replace_time_zone(ZONE, ambiguous=side, non_existent="null") for side in ("earliest", "latest")
    )
    # A clock that was not put forward yet shows an hour that does not exist.
    forward = (local + pl.duration(hours=1)).dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    writer.count("repaired: an hour that summer time skips; read as an hour later", first.null_count())
    n_twice = int((first != last).sum() or 0)
    writer.count("repaired: an hour that summer time repeats; read as its first pass", n_twice)
    if n_twice:
        why = "the log does not tell which is meant"
        writer.assume(read_as_earlier("interactions", n_twice, f"end of summer time, {ZONE}", why, 60))
    again = pl.int_range(pl.len()).over("call")
    named = rows.with_columns(arrived_at=first.fill_null(forward).dt.convert_time_zone("UTC")).with_columns(
        interaction_id=pl.when(again > 0).then(pl.format("{}#{}", "call", again + 1)).otherwise("call")
    )
    writer.count("repaired: a call number used again; the later rows got #2, #3 ...", named.filter(again > 0).height)
    return named.sort("arrived_at", "interaction_id")


def _coded(calls: pl.DataFrame, writer: SnapshotWriter) -> pl.DataFrame:
    """Replace names by codes; the service of a caller who gave up counts for nobody."""
    calls = calls.with_columns(agent_id=pl.when(_ANSWERED).then("server"))
    ends = pl.col("service_at") + pl.duration(seconds="service_s")
    own = calls.filter(_ANSWERED & _NAMED & _SERVED).sort("server", "service_at", "interaction_id")
    overlaps = own.select((pl.col("service_at") < ends.shift(1).over("server")).sum()).item()
    writer.count("kept: service starts before the agent's previous one ends", overlaps or 0)
    agents = (
        calls.filter(pl.col("agent_id").is_not_null())
        .group_by("agent_id")
        .agg(pl.len(), internet=(_TYPE == "IN").mean())
        .sort("len", "agent_id", descending=[True, False])
    )
    if agents.is_empty():
        raise InvalidTable("bank log: no row names an agent; column server (or agent) holds nobody to route to")
    if agents["agent_id"].str.contains(CODE).all():
        return calls
    digits = max(2, len(str(agents.height)))
    rank = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(digits)
    # The suffix marks the internet desk, as in the extract.
    desk = pl.when((pl.col("internet") > 0.5) & (pl.col("len") >= FEWEST_CALLS)).then(pl.lit("I")).otherwise(pl.lit(""))
    codes = agents.select(pl.col("agent_id").alias("server"), code=pl.lit("A") + rank + desk)
    writer.count("agents' names replaced by codes A01 ... in order of answered calls", codes.height)
    named = calls.join(codes, left_on="agent_id", right_on="server", how="left", maintain_order="left")
    return named.drop("agent_id").rename({"code": "agent_id"})


def _classed(calls: pl.DataFrame, writer: SnapshotWriter, seed: int) -> pl.DataFrame:
    """Draw the class of calls that did not queue from the queued calls of their type; 0 stands there for unknown."""
    unknown = calls.select(~_QUEUED & (pl.col("priority") == 0)).to_series().to_numpy()
    kind, known = calls["type"].to_numpy(), calls["priority"].to_numpy().copy()
    rng = np.random.default_rng([seed, 2])
    drawn = 0
    for name in TYPES:
        mine, pool = unknown & (kind == name), known[(kind == name) & ~unknown]
        if mine.any() and pool.size:
            known[mine] = rng.choice(pool, int(mine.sum()))
            drawn += int(mine.sum())
    writer.count("drawn: class of a call that did not queue, from the queued calls of its type", drawn)
    return calls.with_columns(priority=pl.Series(known))


def _interactions(calls: pl.DataFrame) -> pl.DataFrame:
    skill = _TYPE.replace(ENGLISH_TYPE, ENGLISH_SKILL)
    return calls.select(
        "interaction_id",
        "arrived_at",
        "agent_id",
        "queue_id",
        skills=pl.concat_list(skill),
        language=pl.when(_TYPE == ENGLISH_TYPE).then(pl.lit("English")).otherwise(pl.lit("Hebrew")),
        priority=CREDIT_POINTS * (pl.col("priority").cast(pl.Float64) - REGULAR),
        outcome=pl.when(_ANSWERED).then(pl.lit("answered")).otherwise(pl.lit("abandoned")),
        wait_s=pl.col("wait_s").fill_null(0).cast(pl.Float64),
        handle_s=pl.when(_ANSWERED).then("service_s").cast(pl.Float64),
    )


def _add_surveys(writer: SnapshotWriter, interactions: pl.DataFrame, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = interactions["agent_id"].drop_nulls().unique().sort()
    spent_s = pl.col("wait_s") + pl.col("handle_s").fill_null(0)
    place = pl.DataFrame({"agent_id": codes, "agent": np.arange(codes.len())})
    answered = interactions.filter(pl.col("agent_id").is_not_null()).join(place, on="agent_id", maintain_order="left")
    answered = answered.with_columns(ended_at=pl.col("arrived_at") + pl.duration(seconds=spent_s))
    quality = made_up.agent_quality(codes.len(), rng)
    writer.add("surveys", made_up.draw_surveys(answered, quality, made_up.SHARE, rng))
    writer.made_up("surveys")
    writer.assume(made_up.assumption(seed, made_up.SHARE))
