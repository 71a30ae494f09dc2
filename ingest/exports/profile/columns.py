"""Columns of ours that a profile may fill, and what each of them holds."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from engine.data.tables import TABLES, Column
from ingest.exports.profile.profile import (
    Between,
    Copied,
    Filled,
    From,
    Joined,
    Named,
    Same,
    Shifted,
    Spread,
    Summed,
)

TIME, SECONDS, NUMBER, NAMES, TEXT, BREAKS = "time", "seconds", "number", "names", "text", "breaks"
# As the start of a span: the arrival, however it comes about.
ARRIVAL = "arrived_at"

# Beyond the columns of the tables: what files also have, and how it is used.
_MORE: Mapping[str, Mapping[str, str]] = {
    "agents": {"queues": NAMES, "email": TEXT},
    "queues": {"service_level": TEXT, "media": TEXT, "opening_hours": TEXT},
    "staffing": {"date": TIME, "span": TEXT, "breaks": BREAKS, "activity": TEXT},
    "shifts": {"agent_id": TEXT, "date": TIME},
    # Known, and not read.
    "none": {},
    "volumes": {
        "start_at": TIME, "queue_id": TEXT, "media": TEXT, "offered": NUMBER, "answered": NUMBER, "abandoned": NUMBER,
        "handle_s": SECONDS, "wait_s": SECONDS,
    },
}  # fmt: skip
# How a column that holds this may come about.
FORMS: Mapping[str, tuple[type, ...]] = {
    TIME: (Copied, Joined, Shifted, Same),
    SECONDS: (Copied, Summed, Between, Same),
    NUMBER: (Copied, Summed, Same),
    NAMES: (Copied, Spread, Same),
    TEXT: (Copied, Named, Filled, Same),
    BREAKS: (Copied, Between, Same),
}


def kinds_of(table: str) -> dict[str, str]:
    """What each column of ours in a table of a profile holds.

    Examples
    --------
    >>> kinds_of("staffing")["start_at"], kinds_of("interactions")["handle_s"], kinds_of("agents")["skills"]
    ('time', 'seconds', 'names')
    """
    known = TABLES[table].columns if table in TABLES else ()
    return {column.name: _kind(column) for column in known} | dict(_MORE.get(table, {}))


def tables() -> tuple[str, ...]:
    """What a part of a profile can become."""
    return tuple(dict.fromkeys((*TABLES, *_MORE)))


def columns_of(source: From) -> tuple[str, ...]:
    """Columns of the file that a column of ours comes from; the arrival as a start is one of ours.

    Examples
    --------
    >>> columns_of(Shifted("Answered", less=("Wait",))), columns_of(Same("voice"))
    (('Answered', 'Wait'), ())
    """
    match source:
        case Copied(column) | Filled(column):
            return (column,)
        case Summed(columns, less):
            return (*columns, *less)
        case Named(columns) | Spread(columns):
            return columns
        case Between(start, end, otherwise, plus):
            return (*(() if start == ARRIVAL else (start,)), end, *(() if otherwise is None else (otherwise,)), *plus)
        case Shifted(time, less, plus):
            return (time, *less, *plus)
        case Joined(date, clock):
            return (date, clock)
        case Same():
            return ()


def _kind(column: Column) -> str:
    if isinstance(column.dtype, pl.Datetime):
        return TIME
    if isinstance(column.dtype, pl.List):
        return NAMES
    if column.dtype == pl.Float64() and column.name.endswith("_s"):
        return SECONDS
    return NUMBER if column.dtype.is_numeric() else TEXT
