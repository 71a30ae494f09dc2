"""The tables everything else reads: columns, types, defaults and limits, declared as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

TIME = pl.Datetime("us", "UTC")
RATED = pl.List(pl.Struct({"name": pl.String, "proficiency": pl.Float64}))
TEXTS = pl.List(pl.String)
CAPACITIES = pl.List(pl.Struct({"media": pl.String, "count": pl.Int32}))
INTERRUPTIONS = pl.List(pl.Struct({"media": pl.String, "by": TEXTS}))
PREFERRED = pl.List(pl.Struct({"agent_id": pl.String, "score": pl.Float64}))

OUTCOMES = ("answered", "abandoned", "flowed_out", "unknown")
MEDIA = ("voice", "chat", "email", "message", "callback")
# Interactions at once by media, where an agent says nothing (Genesys help centre, "Utilization").
CAPACITY = (1, 4, 1, 1, 1)
# Of handling times, given, estimated or asked for.
LEAST_FACTOR, MOST_FACTOR = 0.01, 100.0
EVALUATION_METHODS = ("ALL", "BEST", "NONE")
SCORING_METHODS = ("TimestampAndPriority", "PriorityOnly")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Name of the column, with its unit.
    dtype : polars data type
        Type in memory and on disk.
    required : bool
        Must be there and never null.
    default : object, optional
        Stands in for null; only for columns that are not required.
    low, high : float, optional
        Smallest and largest allowed value.
    one_of : tuple of str
        The allowed texts; empty for any.
    """

    name: str
    dtype: pl.DataType
    required: bool = False
    default: object = None
    low: float | None = None
    high: float | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A named list of columns and the key that must be unique.

    Parameters
    ----------
    name : str
        Name of the table.
    columns : tuple of Column
        Columns in their fixed order.
    key : tuple of str
        Columns that together name a row once; empty for none.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns in order."""
        return tuple(column.name for column in self.columns)

    def schema(self) -> dict[str, pl.DataType]:
        """Types by column name."""
        return {column.name: column.dtype for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=self.schema())


def _texts(name: str, required: bool = False) -> Column:
    return Column(name, pl.String(), required)


def _seconds(name: str) -> Column:
    return Column(name, pl.Float64(), low=0.0, high=1e9)


def _count(name: str) -> Column:
    return Column(name, pl.Int64(), default=0, low=0)


def _time(name: str, required: bool = False) -> Column:
    return Column(name, TIME, required)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "agents",
            (
                _texts("agent_id", True),
                _texts("agent_name"),
                Column("skills", RATED),
                Column("languages", RATED),
                _texts("group"),
                _texts("presence"),
                _texts("routing_status"),
                _time("idle_since"),
                _seconds("queue_time_s"),
                Column("capacity", CAPACITIES),
                Column("interrupted_by", INTERRUPTIONS),
            ),
            key=("agent_id",),
        ),
        Table(
            "members",
            (
                _texts("queue_id", True),
                _texts("agent_id", True),
                Column("ring", pl.Int32(), default=1, low=1, high=6),
                Column("joined", pl.Boolean(), default=True),
            ),
            key=("queue_id", "agent_id"),
        ),
        Table(
            "queues",
            (
                _texts("queue_id", True),
                _texts("queue_name"),
                Column("evaluation_method", pl.String(), default="ALL", one_of=EVALUATION_METHODS),
                Column("scoring_method", pl.String(), default="TimestampAndPriority", one_of=SCORING_METHODS),
                Column("service_level_share", pl.Float64(), default=0.8, low=0.0, high=1.0),
                Column("service_level_s", pl.Float64(), default=20.0, low=0.0, high=1e9),
                _seconds("alerting_timeout_s"),
                _texts("rings"),
                _texts("routing_rules"),
                _texts("conditional_groups"),
            ),
            key=("queue_id",),
        ),
        Table(
            "interactions",
            (
                _texts("interaction_id", True),
                _texts("queue_id", True),
                _time("arrived_at", True),
                _texts("conversation_id"),
                Column("media", pl.String(), default="voice", one_of=MEDIA),
                Column("skills", TEXTS),
                _texts("language"),
                # The range of the platform; larger head starts would not fit into microseconds either.
                Column("priority", pl.Float64(), default=0.0, low=-25_000_000.0, high=25_000_000.0),
                Column("outcome", pl.String(), default="unknown", one_of=OUTCOMES),
                _texts("agent_id"),
                _seconds("wait_s"),
                _seconds("alert_s"),
                _seconds("handle_s"),
                _seconds("acw_s"),
                _seconds("patience_s"),
                *(Column(name, pl.Float64(), low=-1e9, high=1e9) for name in ("csat", "csat_min", "csat_max")),
                _texts("used_routing"),
                Column("eligible_count", pl.Int32(), low=0.0),
                Column("preferred", PREFERRED),
            ),
            key=("interaction_id",),
        ),
        Table(
            "surveys",
            (
                _texts("survey_id", True),
                _texts("interaction_id"),
                _texts("agent_id", True),
                _texts("queue_id"),
                _time("completed_at", True),
                Column("score", pl.Float64(), True, low=-1e9, high=1e9),
                Column("scale_min", pl.Float64(), True, low=-1e9, high=1e9),
                Column("scale_max", pl.Float64(), True, low=-1e9, high=1e9),
            ),
            key=("survey_id",),
        ),
        Table("staffing", (_texts("agent_id", True), _time("start_at", True), _time("end_at", True))),
        Table(
            "busy",
            (
                _texts("agent_id", True),
                _time("start_at", True),
                _time("end_at", True),
                _texts("why"),
                # Without one it blocks the agent wholly.
                Column("media", pl.String(), one_of=MEDIA),
            ),
        ),
        Table(
            "handle_factors",
            (
                _texts("agent_id", True),
                _texts("skill"),
                Column("factor", pl.Float64(), True, low=LEAST_FACTOR, high=MOST_FACTOR),
            ),
            key=("agent_id", "skill"),
        ),
        Table(
            "aggregates",
            (
                _texts("queue_id", True),
                _texts("media", True),
                _time("start_at", True),
                _count("offered"),
                _count("answered"),
                _count("abandoned"),
                _count("flowed_out"),
                _count("over_sla"),
                _seconds("answered_wait_s"),
                _seconds("handle_s"),
                _seconds("talk_s"),
                _seconds("held_s"),
                _seconds("acw_s"),
            ),
            key=("queue_id", "media", "start_at"),
        ),
    )
}


@dataclass(frozen=True)
class Tables:
    """All tables of one data set, as polars frames in the columns of `TABLES`.

    Parameters
    ----------
    agents, interactions, members, queues, surveys, staffing, busy, handle_factors : polars.DataFrame
        The tables; every one but `agents` and `interactions` may be empty.
    aggregates : polars.DataFrame
        What the platform itself counted per half hour, to compare with; no calculation reads it.
    time_zone : str
        IANA zone in which days and intervals are shown to people.
    """

    agents: pl.DataFrame
    interactions: pl.DataFrame
    members: pl.DataFrame = field(default_factory=TABLES["members"].empty)
    queues: pl.DataFrame = field(default_factory=TABLES["queues"].empty)
    surveys: pl.DataFrame = field(default_factory=TABLES["surveys"].empty)
    staffing: pl.DataFrame = field(default_factory=TABLES["staffing"].empty)
    busy: pl.DataFrame = field(default_factory=TABLES["busy"].empty)
    handle_factors: pl.DataFrame = field(default_factory=TABLES["handle_factors"].empty)
    aggregates: pl.DataFrame = field(default_factory=TABLES["aggregates"].empty)
    time_zone: str = "UTC"

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame], time_zone: str = "UTC") -> Tables:
        """Tables from frames by name; those not given are empty."""
        complete_frames: dict[str, Any] = {name: table.empty() for name, table in TABLES.items()} | dict(frames)
        return cls(**complete_frames, time_zone=time_zone)

    def __iter__(self) -> Iterator[tuple[str, pl.DataFrame]]:
        return ((name, getattr(self, name)) for name in TABLES)
