"""A contact centre in memory or in the store: what runs are made on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.data.arrays import Arrays
from engine.data.carried import with_carried
from engine.data.encode import encode
from engine.data.provenance import Extent
from engine.data.tables import TABLES
from engine.errors import InvalidScenario, InvalidTable, MissingInput, UnknownName
from engine.setting import shown
from routelab.showing import html_table

if TYPE_CHECKING:
    import polars as pl

STORE = "data/snapshots"
# What the import of files says to somebody at a command line, and what it is called here.
_SAID_HERE = {
    "or give --time-zone": 'or give time_zone="Europe/Berlin", say',
    "or give --csat-scale 1-5": "or give csat_scale=(1, 5), say",
    "--csat-scale": "csat_scale",
    "--skills-separator ": "skills_separator=",
    "--same-names": "same_names=True",
    "--keep-names": "keep_names=True",
}


@dataclass(frozen=True, repr=False)
class Centre:
    """A contact centre: its tables, checked, ready to be scored and replayed.

    Parameters
    ----------
    name : str
        Of the snapshot, or what it was read from.
    arrays : Arrays
        As the engine reads it.
    read_table : callable
        Gives a table by name.
    """

    name: str
    arrays: Arrays
    read_table: Callable[[str], pl.DataFrame]

    def table(self, name: str) -> pl.DataFrame:
        """One table as a polars frame.

        Parameters
        ----------
        name : str
            agents, members, queues, interactions, surveys, staffing, busy, handle_factors or aggregates.

        Returns
        -------
        polars.DataFrame
            All columns of the table; no row where nothing was given.

        Raises
        ------
        UnknownName
            If there is no such table.
        """
        if not (isinstance(name, str) and name in TABLES):
            raise UnknownName(f"table {shown(name)} is not known; there are {', '.join(TABLES)}")
        return self.read_table(name)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return dict(self.arrays.snapshot.counts)

    @property
    def assumptions(self) -> list[str]:
        """What was added, left out or taken for granted when it was read."""
        return list(self.arrays.snapshot.assumptions)

    def __repr__(self) -> str:
        said = ", ".join(f"{n:,} {name}" for name, n in self.counts.items() if n)
        return f"Centre {self.name!r}: {said}\n  {self._span()}"

    def _repr_html_(self) -> str:
        rows = [[name, f"{n:,}"] for name, n in self.counts.items() if n]
        return html_table(["table", "rows"], rows, f"Centre {self.name}: {self._span()}")

    def _span(self) -> str:
        extent, zone = self.arrays.snapshot.interval or Extent(None, None), self.arrays.centre.time_zone
        start, end = extent.start, extent.end
        return f"interactions from {start:.10} to {end:.10}, {zone}" if start and end else f"no interactions, {zone}"


def read(
    snapshot: str | os.PathLike[str] | None = None, *, store: str | os.PathLike[str] | None = None,
    agents: Any = None, interactions: Any = None, members: Any = None, queues: Any = None, surveys: Any = None,
    staffing: Any = None, busy: Any = None, handle_factors: Any = None, time_zone: str | None = None,
    csat_scale: Any = None, skills_separator: str | None = None, same_names: bool = False, keep_names: bool = False,
) -> Centre:  # fmt: skip
    """A contact centre from a snapshot, from files or from frames.

    Parameters
    ----------
    snapshot : str or path, optional
        Name in the store or folder of a snapshot; then no table is given.
    store : path, optional
        Folder of snapshots; by default the environment's `ROUTELAB_STORE`, else data/snapshots.
    agents, interactions, members, queues, surveys, staffing, busy, handle_factors : frame or path, optional
        One each: a polars, pandas or Arrow frame, a list of dictionaries, a dictionary of columns, or the path of a
        file. Agents and interactions are needed; without staffing it is inferred from who
        answered what. Nothing that is given is changed.
    time_zone : str, optional
        IANA zone of times that name none, and of days and intervals shown; without it such times are refused and
        days are those of UTC.
    csat_scale : str or pair of float, optional
        Lowest and highest possible score of csat of interactions, (1, 5), where no columns tell it.
    skills_separator : str, optional
        Characters between the skills, languages or queues of one text, by default a semicolon; where it is given, a
        number in brackets after a skill of an agent is its level.
    same_names : bool
        Whether names that differ in case or spaces only are one.
    keep_names : bool
        Whether names stay as they are, however they look; without either such names are asked about.

    Returns
    -------
    Centre
        Checked.

    Raises
    ------
    InvalidTable
        With all problems, each naming table, row, column, value and remedy. Rows of frames count from 0.
    MissingInput
        If a table or file is not there.
    UnknownName
        If there is no such snapshot or time zone.
    """
    given = {
        "agents": agents, "members": members, "queues": queues, "surveys": surveys, "staffing": staffing,
        "busy": busy, "handle_factors": handle_factors, "interactions": interactions,
    }  # fmt: skip
    tables = {name: table for name, table in given.items() if table is not None}
    options = {
        "time_zone": time_zone, "csat_scale": csat_scale, "skills_separator": skills_separator,
        "same_names": same_names or None, "keep_names": keep_names or None,
    }  # fmt: skip
    if snapshot is not None:
        more = [*tables, *(name for name, value in options.items() if value is not None)]
        if more:
            raise MissingInput(f"a snapshot has its own tables, time zone, scales and names; leave out {more[0]}")
        return _of_snapshot(_path(_default_store() if store is None else store), str(_path(snapshot)))
    missing = [name for name in ("agents", "interactions") if name not in tables]
    if missing:
        raise MissingInput(f"{missing[0]} are missing; give agents= and interactions=, or the name of a snapshot")
    if not (time_zone is None or isinstance(time_zone, str)):
        raise UnknownName(f"time zone {shown(time_zone)} is no text; give an IANA name such as Europe/Berlin")
    return _of_tables(tables, options)


def _default_store() -> str:
    return os.environ.get("ROUTELAB_STORE") or STORE


def _path(given: Any) -> Path:
    if not isinstance(given, str | os.PathLike):
        raise MissingInput(
            f"{shown(given)} is no snapshot or folder of snapshots; give a name or path as text, and tables by their "
            "names: agents=, interactions="
        )
    return Path(given)


def _of_snapshot(store: Path, name: str) -> Centre:
    from ingest.snapshot.reading import open_snapshot

    found = open_snapshot(store, name)
    return Centre(found.manifest.name, found.arrays(), found.table)


def _of_tables(given: Mapping[str, Any], options: Mapping[str, Any]) -> Centre:
    sources = {name: Path(table) if isinstance(table, str | os.PathLike) else table for name, table in given.items()}
    return centre_of(sources, options)


def centre_of(
    sources: Mapping[str, Any], options: Mapping[str, Any], assumptions: Sequence[str] = (),
    repairs: Mapping[str, int] | None = None,
) -> Centre:  # fmt: skip
    """A centre from tables as an import reads them, with what was assumed and put right on the way to them."""
    from ingest.files.gathering import read_tables
    from ingest.files.reading import Reading

    try:
        tables, notes = read_tables(sources, Reading.of(**options))
    except InvalidTable as error:
        raise InvalidTable(*map(_said_here, error.problems)) from None
    except InvalidScenario as error:
        raise InvalidScenario(_said_here(str(error))) from None
    arrays = encode(tables)
    start, end = tables.interactions["arrived_at"].min(), tables.interactions["arrived_at"].max()
    # A report of frames says where they come from as one of a snapshot does.
    origin = replace(
        arrays.snapshot,
        time_zone=tables.time_zone,
        interval=Extent(_iso(start), _iso(end)),
        repairs=dict(repairs or {}) | notes.repairs,
        assumptions=[*assumptions, *notes.assumptions, *arrays.snapshot.assumptions],
    )
    return Centre("tables", replace(arrays, snapshot=origin), dict(with_carried(tables)[0]).__getitem__)


def _iso(at: object) -> str | None:
    return at.isoformat() if isinstance(at, datetime) else None


def _said_here(problem: str) -> str:
    for there, here in _SAID_HERE.items():
        problem = problem.replace(there, here)
    return problem
