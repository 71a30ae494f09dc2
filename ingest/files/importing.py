"""Files from any platform to a snapshot, refused whole or stored whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.tables import TABLES
from engine.errors import UnknownName
from engine.typing import Progress
from ingest.files.gathering import gather
from ingest.files.reading import Reading
from ingest.files.storing import hashed, store_tables
from ingest.files.table import read_file_table
from ingest.sheets.names import file_and_sheet
from ingest.snapshot import store as stores
from ingest.snapshot.manifest import Manifest


def read_table(name: str, path: Path, time_zone: str | None = None) -> pl.DataFrame:
    """Read one file into a checked table.

    Parameters
    ----------
    name : str
        Key of `engine.data.tables.TABLES`.
    path : Path
        CSV (.csv), Parquet (.parquet, .pq) or Arrow (.arrow, .arrows, .ipc, .feather).
    time_zone : str, optional
        IANA zone of times that name none; without it such times are refused.

    Returns
    -------
    polars.DataFrame
        All columns of the table in the order of the file's rows; unknown columns are left out.

    Raises
    ------
    InvalidTable
        With all problems, each naming file, row, column, value and remedy. Rows of CSV files are lines, the
        header being line 1; rows of other files count from 0.
    MissingInput
        If there is no such file.
    UnknownName
        If the table or the time zone does not exist.

    Examples
    --------
    >>> read_table("agents", Path("data/sample/agents.csv")).row(0)[:2]
    ('a01', 'Ada Moreno')
    """
    if name not in TABLES:
        raise UnknownName(f"table {name!r} is not known; there are {', '.join(TABLES)}")
    return read_file_table(name, Path(path), Reading.of(time_zone), lambda share: None).frame


def import_files(
    store: Path, name: str, *, agents: Path, interactions: Path, members: Path | None = None,
    queues: Path | None = None, surveys: Path | None = None, staffing: Path | None = None,
    busy: Path | None = None, handle_factors: Path | None = None, time_zone: str | None = None,
    csat_scale: object = None, skills_separator: str | None = None, same_names: bool = False,
    keep_names: bool = False, pseudonymise: bool = False, made_up: Sequence[str] = (), replace: bool = False,
    progress: Progress | None = None,
) -> Manifest:  # fmt: skip
    """Import files as a snapshot; a bad file stops all, and nothing is kept.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the new snapshot.
    agents, interactions, members, queues, surveys, staffing, busy, handle_factors : Path
        One file per table, of any kind that `ingest.sheets` reads; `book.xlsx#Agents` names a sheet. Without
        `members`, a column `queues` of agents says who serves what; without either, everybody is a member of
        every queue.
    time_zone : str, optional
        IANA zone of times that name none, and of the snapshot; UTC by default.
    csat_scale : str or pair of float, optional
        Lowest and highest possible score of csat of interactions, `1-5`, where no columns tell it.
    skills_separator : str, optional
        Characters between the skills, languages or queues of one cell, by default a semicolon; where it is given, a
        number in brackets after a skill of an agent is its level.
    same_names : bool
        Whether names that differ in case or spaces only are one.
    keep_names : bool
        Whether names stay as they are, however they look; without either such names are asked about.
    pseudonymise : bool
        Replace agent ids and names by codes.
    made_up : sequence of str
        Tables that nobody recorded; no satisfaction is reported from made-up surveys.
    replace : bool
        Whether an existing snapshot of this name may be replaced.
    progress : callable, optional
        Told the step (`read interactions, %`, `write interactions`), how much is done, and of how much.

    Returns
    -------
    Manifest
        What was written, with every assumption and repair.

    Raises
    ------
    InvalidScenario
        If the scale is not two numbers, or the separator cannot be one.
    InvalidTable
        With the problems of all files, each naming file, row, column, value and remedy.
    MissingInput
        If a file is not there.
    SnapshotExists
        If the name is taken.
    UnknownName
        If the time zone does not exist.
    """
    tell: Progress = progress or (lambda step, done, total: None)
    given = {
        "agents": agents, "members": members, "queues": queues, "surveys": surveys, "staffing": staffing,
        "busy": busy, "handle_factors": handle_factors, "interactions": interactions,
    }  # fmt: skip
    paths = {table: Path(path) for table, path in given.items() if path is not None}
    stores.refuse_existing(Path(store), stores.check_name(name), replace)
    reading = Reading.of(time_zone, csat_scale, skills_separator, same_names, keep_names)
    tables, notes = gather(paths, reading, tell)
    said = {"csat_scale": csat_scale, "skills_separator": skills_separator}
    said |= {name: "yes" for name, is_said in (("same_names", same_names), ("keep_names", keep_names)) if is_said}
    source = _source(paths) | {name: str(value) for name, value in said.items() if value is not None}
    return store_tables(
        Path(store), name, tables, notes, source, time_zone=time_zone or "UTC", pseudonymise=pseudonymise,
        made_up=made_up, replace=replace, tell=tell,
    )  # fmt: skip


def _source(paths: dict[str, Path]) -> dict[str, Any]:
    return {"kind": "files", "files": {table: hashed(file_and_sheet(path)[0]) for table, path in paths.items()}}
