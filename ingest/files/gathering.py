"""The tables of a data set from one file or frame each, or the problems of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.checks import check
from engine.data.strangers import Strangers
from engine.data.tables import Tables
from engine.errors import InvalidTable, MissingInput
from engine.typing import Progress
from ingest.files.kinds import missing
from ingest.files.names import settle
from ingest.files.reading import Reading
from ingest.files.table import FileTable, read_file_table


@dataclass
class Notes:
    """What a reader of the data must know about its making."""

    assumptions: list[str]  # In sentences
    repairs: dict[str, int]  # What was put right, and how often


def read_tables(given: Mapping[str, Path | Any], reading: Reading) -> tuple[Tables, Notes]:
    """A data set in memory, with the checks and words of an import.

    Parameters
    ----------
    given : mapping
        A file or a frame by table, agents and interactions among them.
    reading : Reading
        What the tables leave open; its time zone is that of the data set, without one UTC.

    Returns
    -------
    tuple of Tables and Notes
        All tables, checked, and what a reader must know of their making.

    Raises
    ------
    InvalidTable
        With the problems of all tables.
    MissingInput
        If a file is not there.
    """
    found, notes = gather(given, reading, lambda step, done, total: None)
    # Columns that nobody gave are filled in, those of implied members too.
    whole = {name: check(name, frame) for name, frame in found.items()}
    return Tables.of(whole, reading.time_zone or "UTC"), notes


def gather(given: Mapping[str, Path | Any], reading: Reading, tell: Progress) -> tuple[dict[str, pl.DataFrame], Notes]:
    """All tables, interactions in order with the columns that were given, and what was done to them."""
    read = _read_all(given, reading, tell)
    notes = Notes(
        [sentence for file in read.values() for sentence in file.assumptions],
        {f"{file.name}: {label}": n for file in read.values() for label, n in file.repairs.items()},
    )
    named = settle(_with_members(read), read["agents"].queues_of_agent is not None, reading)
    tables = named.tables
    notes.assumptions += named.assumptions
    notes.repairs |= named.repairs
    strangers = Strangers()
    # Here already, with the names as they were given: what comes after may write codes for them.
    strangers.add(tables["interactions"])
    list(strangers.said(tables["agents"]))
    if n_strangers := _strangers(tables):
        notes.repairs["interactions: rows naming an agent who is not in agents"] = n_strangers
    # Millions of rows in the order of the file would otherwise stay in memory beside the sorted ones.
    read.clear()
    tables["interactions"] = in_order(tables["interactions"])
    return tables, notes


def _read_all(given: Mapping[str, Path | Any], reading: Reading, tell: Progress) -> dict[str, FileTable]:
    """All tables, or the problems of all tables."""
    if absent := [reason for path in given.values() if isinstance(path, Path) and (reason := missing(path))]:
        raise MissingInput(*absent)
    read: dict[str, FileTable] = {}
    problems: list[str] = []
    for table, source in given.items():
        try:
            read[table] = read_file_table(table, source, reading, partial(_tell_share, tell, f"read {table}, %"))
        except InvalidTable as error:
            problems += error.problems
    if problems:
        raise InvalidTable(*problems)
    return read


def _tell_share(tell: Progress, step: str, share: float) -> None:
    tell(step, round(100 * share), 100)


def _with_members(read: dict[str, FileTable]) -> dict[str, pl.DataFrame]:
    """Tables by name, interactions with the columns that were given; members also from agents."""
    tables = {name: file.frame for name, file in read.items()}
    tables["interactions"] = tables["interactions"].select(read["interactions"].given)
    implied = read["agents"].queues_of_agent
    if implied is not None:
        if "members" in tables:
            raise InvalidTable("agents: a column queues and a file of members are both given; keep one")
        tables["members"] = implied
    return tables


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Interactions by arrival, then id; nothing is moved where they are so already, as exports mostly are."""
    if rows["arrived_at"].is_sorted():
        same, falls = pl.col("arrived_at").diff() == pl.duration(seconds=0), pl.col("interaction_id").shift(1)
        if not rows.select((same & (falls > pl.col("interaction_id"))).any()).item():
            # Lists are put together anew as by sorting, since under a null there may be entries still.
            nested = [name for name, dtype in rows.schema.items() if dtype.is_nested()]
            return rows.with_columns(pl.col(name).gather(pl.int_range(pl.len())) for name in nested)
    return rows.sort("arrived_at", "interaction_id")


def _strangers(tables: dict[str, pl.DataFrame]) -> int:
    """Interactions whose recorded agent is nobody of the agents table."""
    if "agent_id" not in tables["interactions"].columns:
        return 0
    named = tables["interactions"]["agent_id"].drop_nulls()
    return int((~named.is_in(tables["agents"]["agent_id"].implode())).sum())
