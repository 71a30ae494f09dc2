"""Interactions given in a request, served by the agents of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from api.errors import BodyTooLarge, InvalidBody
from api.http.inline.rows import InlineRows, Pointers, missing_somewhere
from api.http.serving.open_snapshots import OpenSnapshot
from engine.data.arrays import Arrays
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.provenance import ODD, Extent
from engine.data.tables import Tables
from engine.errors import InvalidTable
from engine.memory import of_opening
from ingest.workers import MEMORY

# Requirements x agents held at once; a few hundred MB.
GIVEN_HERE = "the interactions were given in the request, the rest is the snapshot's"
MOST_CELLS = 40_000_000
NO_TIMES = "no arrival times were given: every survey counts, and nothing is said about simultaneous interactions"
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Inline:
    """Interactions of a request with the agents of a snapshot, ready for the engine.

    `absent` names columns that the request left out and a stand-in fills, `ids` keeps the order of the request,
    `warnings` is what a reader of the report must know.
    """

    arrays: Arrays
    absent: set[str]
    ids: pl.Series
    warnings: list[str]

    @property
    def timed(self) -> bool:
        """Whether they have times of arrival."""
        return "arrived_at" not in self.absent


def inline(data: OpenSnapshot, rows: InlineRows, *, replayed: bool = False) -> Inline:
    """Arrays of the interactions of a request; the snapshot's staffing matters where `replayed`."""
    given, place = rows.frame()
    absent = missing_somewhere(given, ("arrived_at", "queue_id"), place)
    frame = _checked(given, absent, data, place)
    warnings = _warnings(frame, absent, data)
    everybody = frame["queue_id"][0] if "queue_id" in absent else None
    tables = _tables(data, frame, everybody)
    if replayed:
        more = data.snapshot.table("busy"), data.snapshot.table("handle_factors")
        tables = replace(tables, busy=more[0], handle_factors=more[1])
        warnings += _about_staffing(tables)
    MEMORY.check(of_opening(tables, frame))
    arrays = encode(tables)
    _check_size(arrays)
    said = [text for text in arrays.snapshot.assumptions if text not in data.manifest.assumptions]
    return Inline(_with_origin(arrays, data, frame, said), absent, frame["interaction_id"], warnings)


def _checked(given: pl.DataFrame, absent: set[str], data: OpenSnapshot, place: Pointers) -> pl.DataFrame:
    stand_in = {"arrived_at": pl.lit(_NO_TIME), "queue_id": pl.lit(_everybody(data))}
    frame = given.with_columns(stand_in[name].alias(name) for name in sorted(absent))
    try:
        return check("interactions", frame, place)
    except InvalidTable as error:
        if place.found:
            raise InvalidBody(*place.found) from error
        raise


def _everybody(data: OpenSnapshot) -> str:
    """A name for the queue of all agents that no queue has."""
    name = "every agent"
    while name in data.queues:
        name += "*"
    return name


def _tables(data: OpenSnapshot, interactions: pl.DataFrame, everybody: str | None) -> Tables:
    static = data.static
    members = static.members
    # Without members everybody is one of every queue, and stays so.
    if everybody is not None and members.height:
        agents = static.agents.select("agent_id").with_columns(queue_id=pl.lit(everybody))
        members = pl.concat([members, check("members", agents)])
    return replace(static, interactions=interactions, members=members)


def _check_size(arrays: Arrays) -> None:
    centre = arrays.centre
    cells = centre.n_requirements * centre.n_agents
    if cells > MOST_CELLS:
        raise BodyTooLarge(
            f"{centre.n_requirements:,} different combinations of queue, skills and language are too many at a time "
            f"for {centre.n_agents:,} agents; send at most {MOST_CELLS // centre.n_agents:,}, or import them as files"
        )


def _with_origin(arrays: Arrays, data: OpenSnapshot, frame: pl.DataFrame, said: list[str]) -> Arrays:
    """Say that the agents are the snapshot's, and the interactions the request's."""
    origin = data.manifest.summary()
    bounds = frame.select(start=pl.min("arrived_at"), end=pl.max("arrived_at")).row(0, named=True)
    timed = bounds["start"] != _NO_TIME
    given = replace(
        origin,
        interval=Extent(*(at.isoformat() if timed else None for at in (bounds["start"], bounds["end"]))),
        counts=origin.counts | {"interactions": frame.height},
        # What is odd about the snapshot's interactions is no business of these, and a stand-in for a time is not odd.
        assumptions=[
            *(text for text in origin.assumptions if text not in origin.oddities),
            *(text for text in said if timed or not text.startswith(ODD)),
            GIVEN_HERE,
        ],
    )
    return replace(arrays, snapshot=given)


def _warnings(frame: pl.DataFrame, absent: set[str], data: OpenSnapshot) -> list[str]:
    said = []
    if "arrived_at" in absent:
        said.append(NO_TIMES)
    if "queue_id" in absent:
        said.append("no queue was given: every agent of the snapshot is a candidate")
        return said
    strange = frame.filter(~pl.col("queue_id").is_in(list(data.queues)))["queue_id"]
    if strange.len():
        names = ", ".join(map(repr, strange.unique(maintain_order=True)[:5]))
        said.append(
            f"{strange.len()} interactions name a queue that the snapshot does not have ({names}): nobody serves it"
        )
    return said


def _about_staffing(tables: Tables) -> list[str]:
    """Interactions of a replay that arrive when the snapshot knows nothing of its agents."""
    staffing, arrived_at = tables.staffing, tables.interactions["arrived_at"]
    if not staffing.height:
        return []
    start, end = staffing.select(pl.min("start_at"), pl.max("end_at")).row(0)
    n_outside = int(((arrived_at < start) | (arrived_at >= end)).sum())
    if not n_outside:
        return []
    return [
        f"{n_outside:,} of {arrived_at.len():,} interactions arrive outside the time that the snapshot's staffing "
        f"covers ({start:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}): nobody is on queue then"
    ]
