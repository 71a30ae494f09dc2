"""Checks of tables: every finding names its place, its value and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import polars as pl

from engine import stopping
from engine.data.tables import (
    CAPACITIES,
    INTERRUPTIONS,
    MEDIA,
    PREFERRED,
    RATED,
    TABLES,
    TEXTS,
    Column,
    Table,
    Tables,
)
from engine.errors import InvalidTable
from engine.near import nearest
from engine.setting import shown

MOST_PROBLEMS = 20
CONTROLS = "names must not hold control characters"
CONTROLS_IN = r"[\x00-\x1f]"
# Largest capacity per media that Genesys allows (help centre, "Utilization").
MOST_AT_ONCE = 25


@dataclass(frozen=True)
class Place:
    """Where rows come from, so that a problem can name its line.

    Parameters
    ----------
    source : str
        File or table name.
    first_row : int
        Number that the user sees for row 0 (2 for a CSV file with a header).
    """

    source: str
    first_row: int = 0

    def problem(self, row: int, column: str, value: object, remedy: str) -> str:
        """One line: file, row, column, value and what to do."""
        return f"{self.source}, row {row + self.first_row}, column {column}: {cell(value)}: {remedy}"


def cell(value: object) -> str:
    """A value of a table in a few characters, lists as a file writes them.

    Parameters
    ----------
    value : object
        One of its cells.

    Returns
    -------
    str
        For a refusal.

    Examples
    --------
    >>> cell([{"name": "tech", "proficiency": 7.0}]), cell(["en", None])
    ("'tech:7.0'", "'en;'")
    """
    value = value.to_list() if isinstance(value, pl.Series) else value
    if not isinstance(value, list) or not value:
        return shown(value)
    entries = [list(entry.values()) if isinstance(entry, dict) else [entry] for entry in value]
    return shown(";".join(":".join("" if part is None else str(part) for part in entry) for entry in entries))


def type_words(dtype: object) -> str:
    """A type of a column in words.

    Parameters
    ----------
    dtype : polars data type
        As a frame has it.

    Returns
    -------
    str
        In the plural.

    Examples
    --------
    >>> type_words(pl.Float64()), type_words(pl.List(pl.String)), type_words(pl.Datetime("ms"))
    ('numbers', 'lists of texts', 'times')
    """
    kind: Any = dtype
    if isinstance(kind, pl.Datetime):
        return "times"
    if kind.is_nested():
        inner = getattr(kind, "inner", None)
        return "tables" if inner is None else f"lists of {type_words(inner() if isinstance(inner, type) else inner)}"
    words = {pl.String: "texts", pl.Boolean: "true or false", pl.Date: "days", pl.Duration: "durations"}
    found = next((said for known, said in words.items() if kind == known), None)
    return found or ("numbers" if kind.is_numeric() else f"values of type {str(kind).lower()}")


def check(name: str, frame: pl.DataFrame, place: Place | None = None) -> pl.DataFrame:
    """Bring a frame to the exact columns of its table, or say everything that is wrong with it.

    Parameters
    ----------
    name : str
        Key of `TABLES`.
    frame : polars.DataFrame
        Rows; unknown columns are refused, missing optional ones are filled with their default.
    place : Place, optional
        How to name rows in problems; by default the table's name and row numbers from 0.

    Returns
    -------
    polars.DataFrame
        All columns of the table in order, defaults in place of nulls.

    Raises
    ------
    InvalidTable
        With up to 20 problems, each naming place, column, value and remedy.

    Examples
    --------
    >>> check("members", pl.DataFrame({"queue_id": ["q1"], "agent_id": ["a1"]})).row(0)
    ('q1', 'a1', 1, True)
    """
    stopping.check()
    table = TABLES[name]
    place = place or Place(name)
    problems = _column_problems(table, frame, place)
    if problems:
        raise InvalidTable(*problems)
    try:
        typed = frame.select(_typed(column, frame) for column in table.columns)
    except pl.exceptions.PolarsError as error:
        wanted = ", ".join(f"{column.name} ({type_words(column.dtype)})" for column in table.columns)
        raise InvalidTable(f"{place.source}: {str(error).splitlines()[0]}; the table has {wanted}") from error
    problems = [*_value_problems(table, typed, place), *_key_problems(table, typed, place)]
    if problems:
        raise InvalidTable(*shorten(problems))
    return typed


def shorten(problems: list[str]) -> list[str]:
    """The first problems, with a count of the rest."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    return [*problems[:MOST_PROBLEMS], f"and {len(problems) - MOST_PROBLEMS} more problems like these"]


def _typed(column: Column, frame: pl.DataFrame) -> pl.Expr:
    if column.name not in frame.columns:
        return pl.lit(column.default, dtype=column.dtype).alias(column.name)
    value = pl.col(column.name).cast(column.dtype)
    return value if column.default is None else value.fill_null(pl.lit(column.default, dtype=column.dtype))


def _column_problems(table: Table, frame: pl.DataFrame, place: Place) -> list[str]:
    missing = [c.name for c in table.columns if c.required and c.name not in frame.columns]
    unknown = [name for name in frame.columns if name not in table.names]
    return [f"{place.source}: column {name} is missing; found {', '.join(frame.columns)}" for name in missing] + [
        f"{place.source}: column {name} is not one of table {table.name}; remove it or rename it to one of "
        f"{', '.join(table.names)}"
        for name in unknown
    ]


def _value_problems(table: Table, frame: pl.DataFrame, place: Place) -> Iterator[str]:
    stopping.check()
    columns = [column for column in table.columns if not _is_sound_list(column, frame)]
    rules = [(column.name, *rule) for column in columns for rule in _rules(table, column)]
    # Asked all at once, as nearly always none is broken.
    broken = frame.select(bad.any().alias(str(n)) for n, (_, bad, _) in enumerate(rules)).row(0)
    for name, bad, remedy in compress(rules, broken):
        rows = frame.select(pl.arg_where(bad.fill_null(False))).to_series()
        more = f" ({rows.len()} rows have this)" if rows.len() > 1 else ""
        yield place.problem(int(rows[0]), name, frame[name][int(rows[0])], remedy + more)


def _is_sound_list(column: Column, frame: pl.DataFrame) -> bool:
    """Whether all the names in lists of names, of which few are distinct, are as they should be."""
    if column.dtype != TEXTS or column.required:
        return False
    names = frame[column.name].list.explode(empty_as_null=False, keep_nulls=False).unique()
    return not names.to_frame("name").select((_is_empty(pl.col("name")) | _has_controls(pl.col("name"))).any()).item()


def _rules(table: Table, column: Column) -> Iterator[tuple[pl.Expr, str]]:
    value = pl.col(column.name)
    if column.required:
        yield value.is_null(), "must not be empty"
    if column.dtype == pl.String() and (column.required or column.name in table.key):
        yield value.str.len_bytes() == 0, "must not be empty"
    # What is not finite is told once, not as too large besides.
    finite = value.is_finite() if column.dtype == pl.Float64() else pl.lit(True)
    yield ~finite, "must be a finite number"
    if column.low is not None:
        yield finite & (value < column.low), f"must be at least {column.low:g}"
    if column.high is not None:
        yield finite & (value > column.high), f"must be at most {column.high:g}"
    if column.one_of:
        yield ~value.is_in(list(column.one_of)), f"must be one of {', '.join(column.one_of)}"
    yield from _list_rules(column, value)
    if column.name == "end_at":
        yield value <= pl.col("start_at"), "must be later than start_at"
    if column.name == "scale_max":
        yield value <= pl.col("scale_min"), "must be greater than scale_min"
    if column.name == "csat_max":
        yield value <= pl.col("csat_min"), "must be greater than csat_min"
    if column.name == "score":
        yield _outside(value, "scale_min", "scale_max"), "must lie within scale_min and scale_max"
    if column.name == "csat":
        unscaled = pl.col("csat_min").is_null() | pl.col("csat_max").is_null()
        # Guessed from the scores a scale would be wrong where nobody used its ends.
        yield value.is_not_null() & unscaled, "needs csat_min and csat_max, the lowest and the highest possible score"
        yield _outside(value, "csat_min", "csat_max"), "must lie within csat_min and csat_max"


def _outside(value: pl.Expr, low: str, high: str) -> pl.Expr:
    return (value < pl.col(low)) | (value > pl.col(high))


def _list_rules(column: Column, value: pl.Expr) -> Iterator[tuple[pl.Expr, str]]:
    if column.dtype == RATED:
        level = pl.element().struct.field("proficiency")
        bad = (level.is_null() | ~level.is_between(0, 5)).fill_null(True)
        yield value.list.eval(bad).list.any(), "each entry needs a proficiency from 0 to 5"
        names = value.list.eval(pl.element().struct.field("name"))
        yield names.list.n_unique() < names.list.len(), "names each skill or language once"
        yield names.list.eval(pl.element().is_null() | (pl.element() == "")).list.any(), "an entry has no name"
        yield names.list.eval(_has_controls(pl.element())).list.any(), CONTROLS
    if column.dtype == CAPACITIES:
        media, count = (pl.element().struct.field(name) for name in ("media", "count"))
        bad = (~media.is_in(list(MEDIA)) | ~count.is_between(0, MOST_AT_ONCE)).fill_null(True)
        yield value.list.eval(bad).list.any(), f"each entry needs one of {', '.join(MEDIA)} and 0 to {MOST_AT_ONCE}"
    if column.dtype == INTERRUPTIONS:
        yield from _interruption_rules(value)
    if column.dtype == PREFERRED:
        agent, score = (pl.element().struct.field(name) for name in ("agent_id", "score"))
        bad = (agent.is_null() | (agent == "") | ~score.is_between(0, 100)).fill_null(True)
        yield value.list.eval(bad).list.any(), "each entry needs an agent and a score from 0 to 100"
    if column.dtype == TEXTS:
        yield value.list.eval(_is_empty(pl.element())).list.any(), "an entry is empty"
        yield value.list.eval(_has_controls(pl.element())).list.any(), CONTROLS


def _interruption_rules(value: pl.Expr) -> Iterator[tuple[pl.Expr, str]]:
    media, by = (pl.element().struct.field(name) for name in ("media", "by"))
    known = by.list.eval(pl.element().is_in(list(MEDIA)).fill_null(False)).list.all()
    bad = ~(media.is_in(list(MEDIA)) & known).fill_null(False)
    yield value.list.eval(bad).list.any(), f"each entry needs one of {', '.join(MEDIA)}, and a list of them"
    named = value.list.eval(media)
    yield named.list.n_unique() < named.list.len(), "names each media once"


def _is_empty(name: pl.Expr) -> pl.Expr:
    return name.is_null() | (name == "")


def _has_controls(name: pl.Expr) -> pl.Expr:
    """Sets of skills are kept as one text with a control character between the names."""
    return name.str.contains(CONTROLS_IN)


def _key_problems(table: Table, frame: pl.DataFrame, place: Place) -> Iterator[str]:
    stopping.check()
    if not table.key or frame.is_empty():
        return
    keys = frame.select(table.key)
    # Nearly always so, and quickly known; looking for the row that repeats takes longer.
    if _are_unique(keys):
        return
    again = keys.select(~pl.struct(table.key).is_first_distinct()).to_series().arg_true()
    row = int(again[0])
    value = ", ".join("nothing" if part is None else str(part) for part in keys.row(row))
    n = again.len()
    repeating = "1 row repeats" if n == 1 else f"{n} rows repeat"
    yield place.problem(row, "+".join(table.key), value, f"stands there already; {repeating} an earlier one")


def _are_unique(keys: pl.DataFrame) -> bool:
    if keys.width == 1:
        key = keys.to_series()
        if key.null_count() == 0 and (key > key.shift()).all(ignore_nulls=False) is not False:
            return True
        # Texts of which no two have one hash are all different.
        if key.hash().n_unique() == key.len():
            return True
    return keys.n_unique() == keys.height


def complete(tables: Tables) -> tuple[Tables, list[str]]:
    """Add the queues and members that other tables imply, and say what was added.

    Parameters
    ----------
    tables : Tables
        Checked tables.

    Returns
    -------
    tables : Tables
        The same with every named queue present; without a members table everybody is a member of every queue.
    assumptions : list of str
        What was added or could not be matched, in words.

    Raises
    ------
    InvalidTable
        If there are no agents.
    """
    stopping.check()
    if tables.agents.is_empty():
        raise InvalidTable("agents: the table has no rows; a run needs at least one agent")
    said: list[str] = []
    named = pl.concat([tables.interactions["queue_id"], tables.members["queue_id"]]).unique().sort()
    extra = named.filter(~named.is_in(tables.queues["queue_id"].implode()))
    queues = tables.queues
    if extra.len():
        queues = pl.concat([queues, check("queues", extra.to_frame())])
        said.append(_added(extra.to_list(), tables.queues["queue_id"].to_list()))
    members = tables.members
    if members.is_empty():
        members = check("members", queues.select("queue_id").join(tables.agents.select("agent_id"), how="cross"))
        said.append("no members were given: every agent is a member of every queue")
    said += _unmatched(tables, members)
    strange = tables.surveys["queue_id"].drop_nulls()
    strange = strange.filter(~strange.is_in(queues["queue_id"].implode()))
    if strange.len():
        said.append(
            f"{strange.len()} surveys name queues that are not known, first {strange[0]}; they count by agent only"
        )
    return replace(tables, queues=queues, members=members), said


def _added(queues: list[str], known: list[str]) -> str:
    shown = []
    for queue in queues[:5]:
        near = nearest(queue, known)
        shown.append(f"{queue!r}" + (f" (did you mean {near!r}?)" if near else ""))
    more = f" and {len(queues) - 5} more" if len(queues) > 5 else ""
    return f"queues named only by interactions or members were added with default settings: {', '.join(shown)}{more}"


def _unmatched(tables: Tables, members: pl.DataFrame) -> Iterator[str]:
    known = tables.agents["agent_id"].implode()
    for name, column in (
        ("members", members["agent_id"]),
        ("surveys", tables.surveys["agent_id"]),
        ("staffing", tables.staffing["agent_id"]),
        ("busy", tables.busy["agent_id"]),
        ("handle_factors", tables.handle_factors["agent_id"]),
    ):
        named = column.drop_nulls()
        if named.is_empty():
            continue
        unknown = named.filter(~named.is_in(known))
        if unknown.len():
            yield (
                f"{name} name agents who are not in agents and take no part in choices: "
                f"{unknown.n_unique()}, first {unknown[0]}"
            )
