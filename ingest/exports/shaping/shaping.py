"""A profile and sheets to the tables of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from engine.data.checks import shorten
from engine.data.tables import CAPACITIES, TABLES, TIME
from engine.errors import InvalidTable
from engine.texts import short
from ingest.exports.profile.profile import Profile
from ingest.exports.shaping import centre, clock, days, naming, plan, presence, visits
from ingest.exports.shaping.cells import as_text, fold
from ingest.exports.shaping.naming import Notes
from ingest.exports.shaping.rows import ROW, UNUSED, Rows, joined, read_rows, sources
from ingest.files.columns import columns_of
from ingest.files.frames import Framed
from ingest.files.problems import Origin
from ingest.sheets.sheet import Sheet

NO_AGENTS = "no list of agents was given, so they are made from the names in the other files: {n} agents"
NOT_READ = "{name}: nothing of it was read, as the profile names it nowhere"
NOT_USED = "{name}: {column} is not used: {why}"
OPENING_HOURS = "opening hours follow from when contacts arrived and agents were there"
COUNTS = "{names}: counts by interval are not used, as the contacts themselves are there"
# One of each group must be there; what else a table needs is made, or asked for by its own check.
REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "interactions": (("arrived_at",), ("queue_id",)),
    "agents": (("agent_id", "agent_name", "email"),),
    "queues": (("queue_id", "queue_name"),),
    "members": (("queue_id",), ("agent_id",)),
    "staffing": (("agent_id",),),
}
OF_LOG = "contacts outside of the plan"
NO_SHIFT = (
    "{names}: no shift was read in it; days stand in its header or first column, and shifts such as 08:00-16:30, or "
    "codes that the profile explains, in its cells"
)
LEFT_OUT = "{table}: rows of another kind, left out as the profile says"


@dataclass(frozen=True)
class Shaped:
    """Tables made from files by a profile.

    Parameters
    ----------
    tables : mapping
        By name: a frame with the columns that the files bring and where its rows come from, or one that was made.
    assumptions : tuple of str
        In sentences.
    repairs : mapping
        What was put right, and how often.
    made_up : tuple of str
        Tables that nobody recorded.
    """

    tables: Mapping[str, Framed | pl.DataFrame]
    assumptions: tuple[str, ...] = ()
    repairs: Mapping[str, int] = field(default_factory=dict)
    made_up: tuple[str, ...] = ()


def shape(profile: Profile, sheets: Sequence[Sheet], *, time_zone: str | None = None) -> Shaped:
    """Make the tables of a snapshot.

    Parameters
    ----------
    profile : Profile
        Which file holds what.
    sheets : sequence of Sheet
        All files.
    time_zone : str, optional
        IANA zone of times that name none, in place of that of the profile.

    Returns
    -------
    Shaped
        With what is wrong in cells, which `ingest.files.gathering.gather` refuses in the words of the files.

    Raises
    ------
    InvalidTable
        If a column that the profile reads is not there, or no part gives interactions.
    MissingInput
        If a part of the profile matches no file.
    """
    return _Shaping(replace(profile, time_zone=time_zone or profile.time_zone), sheets).shaped()


class _Shaping:
    """The tables on their way: agents and queues first, then all that names them."""

    def __init__(self, profile: Profile, sheets: Sequence[Sheet]) -> None:
        self.profile, self.notes = profile, Notes()
        self.sources = sources(profile, sheets)
        self._say_unused(sheets)
        names = ("agents", "queues", "interactions", "members", "surveys", "staffing", "busy", "handle_factors")
        read = {name: read_rows(name, self.sources, profile.time_zone) for name in names}
        self.rows: dict[str, Rows] = {name: rows for name, rows in read.items() if rows is not None}
        self.volumes = read_rows("volumes", self.sources, profile.time_zone)
        if "interactions" not in self.rows and self.volumes is None:
            raise InvalidTable(
                "no file of interactions: the profile reads "
                + (", ".join(sorted({part.table for part, _ in self.sources})) or "nothing")
                + "; give the export that has a row for each contact, or one of volumes, and a [[file]] of that table"
            )
        for rows in filter(None, (self.volumes, *self.rows.values())):
            _require(rows)
        for name, rows in self.rows.items():
            self.notes.count(LEFT_OUT.format(table=name), rows.n_left_out)
            self.notes.assumptions += rows.said
        self.grid = plan.read_grid(self.sources, self._days())
        self.notes.assumptions += self.grid.said if self.grid else ()
        self.made: dict[str, pl.DataFrame] = {}

    @property
    def interactions(self) -> Rows:
        """Rows of interactions."""
        return self.rows["interactions"]

    def shaped(self) -> Shaped:
        """All tables; what cannot be read in cells is told before what follows from it."""
        try:
            return self._shaped()
        except InvalidTable as error:
            problems = [
                problem
                for rows in filter(None, (self.volumes, self.grid, *self.rows.values()))
                for problem in rows.problems
            ]
            if not problems:
                raise
            raise InvalidTable(
                *shorten([*problems, *(text for text in error.problems if text not in problems)])
            ) from error

    def _shaped(self) -> Shaped:
        if "interactions" not in self.rows:
            return self._from_volumes()
        if self.volumes is not None:
            self.notes.assumptions.append(COUNTS.format(names=", ".join(self.volumes.origin.sources)))
        self._queues()
        self._agents()
        is_segmented = any(part.rows == "segment" for part, _ in self.sources if part.table == "interactions")
        visits.as_visits(self.interactions, is_segmented, self.notes)
        self._skills()
        self._members()
        self._staffing()
        self._capacity()
        tables: dict[str, Any] = {
            name: rows.framed(tuple(columns_of(name))) for name, rows in self.rows.items() if name not in self.made
        }
        tables = {name: table for name, table in (tables | self.made).items() if name in TABLES}
        return Shaped(tables, tuple(self.notes.assumptions), self.notes.repairs)

    def _from_volumes(self) -> Shaped:
        """Days with the load of the volumes; agents and plan of the files where both are there."""
        assert self.volumes is not None
        self._queues()
        if self.grid is not None or len(self.rows) > ("queues" in self.rows):
            self._agents()
        self._staffing()
        zone = self.profile.time_zone or "UTC"
        given = {name: days.plain(rows, zone) for name, rows in self.rows.items() if name in TABLES}
        given |= {
            name: frame.with_columns(
                clock.in_utc(frame[side], zone).alias(side) for side in ("start_at", "end_at") if side in frame.columns
            )
            for name, frame in self.made.items()
        }
        agents = self.rows.get("agents")
        if "members" not in given and "agents" in given:
            if agents is not None and "queues" in agents:
                listed = agents.frame.select(queue_id="queues", agent_id="agent_id").explode("queue_id")
                given["members"] = listed.drop_nulls("queue_id")
            else:
                empty = pl.DataFrame(schema={"queue_id": pl.String})
                found = centre.members(given["agents"], empty, self.volumes.texts("queue_id"), self.notes)
                given |= {} if found is None else {"members": found}
        tables, made_up = days.made_days(self.volumes, given, zone, self.notes)
        return Shaped(tables, tuple(self.notes.assumptions), self.notes.repairs, made_up)

    def _say_unused(self, sheets: Sequence[Sheet]) -> None:
        read = {id(sheet) for _, sheet in self.sources}
        self.notes.assumptions += [f"{short(sheet.name)}: {note}" for sheet in sheets for note in sheet.notes]
        self.notes.assumptions += [
            NOT_READ.format(name=short(sheet.name))
            for sheet in sheets if id(sheet) not in read and not self._is_legend(sheet)
        ] + [
            NOT_USED.format(name=short(sheet.name), column=name, why=OPENING_HOURS)
            for part, sheet in self.sources for name in UNUSED if name in part.columns
        ]  # fmt: skip

    def _is_legend(self, sheet: Sheet) -> bool:
        """Whether a column of a sheet has nothing but codes of plans that the profile explains."""
        codes = {fold(code) for part, _ in self.sources for code in part.values.get("cells", {})}
        columns = (as_text(sheet.frame[name]).drop_nulls().unique().to_list() for name in sheet.frame.columns)
        return any(texts and all(fold(text) in codes for text in texts) for texts in columns)

    def _days(self) -> list[date]:
        """Days of the contacts, in order."""
        rows, column = (self.interactions, "arrived_at") if "interactions" in self.rows else (self.volumes, "start_at")
        if rows is None or column not in rows:
            return []
        days = self._wall(rows.frame, column).dt.date()
        return list(days.drop_nulls().unique().sort().to_list())

    def _wall(self, frame: pl.DataFrame, column: str) -> pl.Series:
        """Times by the clock on the wall."""
        times = frame[column]
        if times.dtype == pl.Datetime("us"):
            return times
        return times.dt.convert_time_zone(self.profile.time_zone or "UTC").dt.replace_time_zone(None)

    def _queues(self) -> None:
        queues = self.rows.get("queues")
        if queues is None:
            return
        centre.with_goals(queues)
        for rows in (self.volumes, *self.rows.values()):
            if rows is not None and rows.table != "queues" and "queue_id" in rows:
                naming.name_queues(rows, "queue_id", queues.frame)
        if "agents" in self.rows and "queues" in self.rows["agents"]:
            naming.name_queues(self.rows["agents"], "queues", queues.frame)
        if "interactions" in self.rows:
            centre.fill_media(self.interactions, queues.frame)

    def _agents(self) -> None:
        """Agents under one id in all tables."""
        named = [
            rows for rows in (*self.rows.values(), self.grid) if rows and rows.table != "agents" and "agent_id" in rows
        ]
        if "agents" not in self.rows:
            names = [name for rows in named for name in rows.texts("agent_id")]
            self.made["agents"] = naming.made_agents(names)
            self.notes.assumptions.append(NO_AGENTS.format(n=f"{self.made['agents'].height:,}"))
        else:
            naming.with_ids(self.rows["agents"])
        agents = self.made["agents"] if "agents" in self.made else self.rows["agents"].frame
        for rows in named:
            naming.name_agents(rows, "agent_id", agents, self.profile.people, self.notes)
        if "agents" in self.rows and "interactions" in self.rows and not self.interactions.refused:
            naming.refuse_strangers(self.interactions, self.rows["agents"])

    def _skills(self) -> None:
        """Skills and languages that contacts need and no list of agents knows, for those who answered such contacts."""
        rows = self.rows.get("agents")
        agents = centre.with_answered(
            self.made["agents"] if rows is None else rows.frame, self.interactions.frame, self.notes
        )
        if rows is None:
            self.made["agents"] = agents
        else:
            rows.frame = agents

    def _members(self) -> None:
        agents = self.rows.get("agents")
        if "members" in self.rows or (agents is not None and "queues" in agents):
            return
        if "queue_id" not in self.interactions:
            return
        queues = list(dict.fromkeys([*self._texts("queues", "queue_id"), *self.interactions.texts("queue_id")]))
        frame = self.made["agents"] if agents is None else agents.frame
        found = centre.members(frame, self.interactions.frame, queues, self.notes)
        if found is not None:
            known = frame["agent_id"].drop_nulls().implode()
            self.made["members"] = found.filter(pl.col("agent_id").is_in(known))

    def _texts(self, table: str, column: str) -> list[str]:
        return self.rows[table].texts(column) if table in self.rows else []

    def _staffing(self) -> None:
        """Spells on queue by plans, as they were worked."""
        pieces = [] if self.grid is None else [(self.grid, self.grid.frame)]
        if (rows := self.rows.pop("staffing", None)) is not None:
            pieces.append((rows, plan.spells_of(rows, self._meanings("staffing", "span"), self.profile.time_zone)))
        if not pieces:
            return
        if len(pieces) > 1:
            raise InvalidTable(
                "a plan as a grid and a plan as rows are both given; keep one: "
                + " and ".join(", ".join(rows.origin.sources) for rows, _ in pieces)
            )
        rows, spells = pieces[0]
        if not spells.height and not rows.refused:
            raise InvalidTable(NO_SHIFT.format(names=", ".join(map(short, rows.origin.sources))))
        rows.frame = spells
        if "interactions" in self.rows:
            self._refuse_other_days(rows, spells)
            is_utc = spells["start_at"].dtype == TIME
            services = self.services if is_utc == (self.services["start_at"].dtype == TIME) else self._moved(is_utc)
            rows.frame = presence.fit_to_log(spells, services, self.notes)
        # What only the log tells has no row in a file.
        rows.origin = joined([rows.origin, Origin((OF_LOG,), np.zeros(1, np.int64), np.zeros(1, np.int64), ({},))])
        rows.frame = rows.frame.with_columns(pl.col(ROW).fill_null(rows.origin.line.size - 1))
        self.rows["staffing"] = rows

    def _refuse_other_days(self, rows: Rows, spells: pl.DataFrame) -> None:
        """Refuse a plan of days of which there is no contact at all."""
        planned = self._wall(spells, "start_at").dt.date().drop_nulls().unique().sort()
        # Days that could not be read may be those of the plan.
        known = [] if self.interactions.refused else self._days()
        if planned.len() and known and not planned.is_in(known).any():
            told = [
                f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
                for first, last in ((planned[0], planned[-1]), (known[0], known[-1]))
            ]
            raise InvalidTable(
                f"{', '.join(map(short, rows.origin.sources))}: its days, {told[0]}, are none of those with contacts, "
                f"{told[1]}; give the plan of those days, or leave it out"
            )

    def _moved(self, is_utc: bool) -> pl.DataFrame:
        """Services by the clock of a plan that goes by another than they."""
        zone = self.profile.time_zone or "UTC"
        sides = [self.services[side] for side in ("start_at", "end_at")]
        return self.services.with_columns(
            clock.in_utc(side, zone) if is_utc else self._wall(self.services, side.name) for side in sides
        )

    def _meanings(self, table: str, column: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for part, _ in self.sources:
            if part.table == table:
                found |= dict(part.values.get("cells", {})) | dict(part.values.get(column, {}))
        return found

    @cached_property
    def services(self) -> pl.DataFrame:
        """When agents handled contacts, by the clock of the log."""
        return self._services(self.interactions.frame.lazy())

    def _services(self, interactions: pl.LazyFrame) -> pl.DataFrame:
        names = [
            name for name in ("agent_id", "arrived_at", "handle_s", "wait_s", "media") if name in self.interactions
        ]
        if not {"agent_id", "arrived_at", "handle_s"} <= set(names):
            return pl.DataFrame(
                schema={"agent_id": pl.String, "start_at": pl.Datetime("us"), "end_at": pl.Datetime("us")}
            )
        frame = interactions.select(names).filter(pl.col("agent_id").is_not_null() & (pl.col("handle_s") > 0))
        wait_s = pl.col("wait_s").fill_null(0.0) if "wait_s" in names else pl.lit(0.0)
        wait, handle = (clock.lengths(each) for each in (wait_s, pl.col("handle_s")))
        start = pl.col("arrived_at") + wait
        kept = [name for name in ("agent_id", "media") if name in names]
        return frame.select(*kept, start_at=start, end_at=start + handle).drop_nulls("start_at").collect()

    def _capacity(self) -> None:
        agents = self.rows.get("agents")
        if agents is not None and "capacity" in agents:
            return
        if not centre.several_at_once(self.interactions.frame):
            return
        several = self.interactions.frame.lazy().filter(~pl.col("media").is_in(centre.ONE_AT_A_TIME))
        found = centre.capacity(self._services(several), self.notes)
        if found is None:
            return
        column = pl.lit(pl.Series([found], dtype=CAPACITIES)).first().alias("capacity")
        if agents is None:
            self.made["agents"] = self.made["agents"].with_columns(column)
        else:
            agents.frame = agents.frame.with_columns(column)


def _require(rows: Rows) -> None:
    """Refuse a table that lacks a column without which nothing of it can be told."""
    for columns in REQUIRED.get(rows.table, ()):
        if not any(column in rows for column in columns):
            raise InvalidTable(
                f"{', '.join(map(short, rows.origin.sources))}: the profile names no column for "
                f"{' or '.join(columns)} of {rows.table}; name the one that holds it under "
                "[file.columns], or leave the file out"
            )
