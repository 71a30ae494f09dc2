"""Interactions given in the body of a request: a list of objects to columns, every odd value named by its place."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import polars as pl

from api.checks import pointer, shown
from api.errors import BodyTooLarge, InvalidBody, Problem
from api.http.inline.values import LONGEST_CHARS, LONGEST_LIST, READ, Pointers
from engine.data.tables import PREFERRED, TABLES, TEXTS, TIME, Column
from ingest.files.columns import ALIASES

TABLE = TABLES["interactions"]
# Of skills and of languages: every one is a column of numbers for all agents.
MOST_NAMES = 2_000
_ONE_SKILL = "required_skill"


def row_schema() -> dict[str, Any]:
    """JSON schema of one inline interaction, from the columns of the table."""
    fields = {column.name: _schema(column) for column in TABLE.columns}
    for alias, name in ALIASES["interactions"].items():
        fields[alias] = {"type": ["string", "null"]} if alias == _ONE_SKILL else fields[name]
        fields[alias] = fields[alias] | {"description": f"Another name of {name}; give one of them."}
    named = [{"required": ["interaction_id"]}, {"required": ["id"]}]
    return {"type": "object", "properties": fields, "anyOf": named, "additionalProperties": False}


def _schema(column: Column) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": LONGEST_CHARS}
    if column.one_of:
        return {"enum": [*column.one_of, None]}
    if column.dtype == TEXTS:
        return {"type": ["array", "null"], "items": text, "maxItems": LONGEST_LIST}
    if column.dtype == PREFERRED:
        entry = {"agent_id": text, "score": {"type": "number", "minimum": 0, "maximum": 100}}
        one = {"type": "object", "properties": entry, "required": [*entry], "additionalProperties": False}
        return {"type": ["array", "null"], "items": one, "maxItems": LONGEST_LIST}
    if column.dtype == TIME:
        return {"type": ["string", "null"], "format": "date-time"}
    if column.dtype.is_numeric():
        kind = "integer" if column.dtype.is_integer() else "number"
        bounds = {"minimum": column.low, "maximum": column.high}
        return {"type": [kind, "null"], **{name: value for name, value in bounds.items() if value is not None}}
    return text if column.name in TABLE.key else text | {"type": ["string", "null"]}


def read_rows(rows: list[Any], most: int) -> tuple[pl.DataFrame, Pointers]:
    """Columns of inline interactions, those that were given.

    Parameters
    ----------
    rows : list
        Parsed JSON, hopefully objects.
    most : int
        Most interactions taken. [count]

    Returns
    -------
    frame : polars.DataFrame
        Columns of the interactions table, in the order of the rows; values are left for the check of the table.
    place : Pointers
        How to name their cells.

    Raises
    ------
    BodyTooLarge
        If there are more than `most`.
    InvalidBody
        With every problem of names and types.
    """
    if len(rows) > most:
        raise BodyTooLarge(
            f"{len(rows):,} inline interactions, this service takes {most:,} at a time; send fewer, or import them "
            "as a snapshot with 'routelab snapshot files' and name it (setting max_interactions)"
        )
    place = Pointers()
    columns = _columns(rows, place)
    series = [READ[kind](column, _values(rows, name), place) for name, column, kind in columns]
    if place.found:
        raise InvalidBody(*place.found)
    frame = pl.DataFrame([s for s in series if s is not None])
    _check_names(frame)
    return frame, place


def _columns(rows: list[Any], place: Pointers) -> list[tuple[str, Column, str]]:
    """Given name, column and kind of value of everything the rows name."""
    if not rows:
        remedy = "give at least one interaction, or leave the field out for those of the snapshot"
        raise InvalidBody(Problem("/interactions", "found an empty list", remedy))
    if any(type(row) is not dict for row in rows):
        bad = next(i for i, row in enumerate(rows) if type(row) is not dict)
        remedy = "write an object in braces for each interaction"
        raise InvalidBody(Problem(pointer("interactions", bad), f"found {shown(rows[bad])}", remedy))
    found = []
    for name in _in_order(set().union(*rows)):
        target = ALIASES["interactions"].get(name, name)
        if target not in TABLE.names:
            place.found.append(_unknown(rows, name))
        elif target in place.given:
            what = f"{place.given[target]} and {name} both mean {target}"
            place.found.append(Problem(pointer("interactions", _first(rows, name), name), what, "keep one"))
        else:
            place.given[target] = name
            column = TABLE[target]
            found.append((name, column, "one skill" if name == _ONE_SKILL else _kind(column)))
    if "interaction_id" not in place.given:
        place.found.append(Problem("/interactions/0", "interaction_id is missing", "give each interaction a unique id"))
    return found


def _in_order(names: set[str]) -> list[str]:
    order = {name: i for i, name in enumerate((*TABLE.names, *ALIASES["interactions"]))}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))[:200]


def _first(rows: list[dict[str, Any]], name: str) -> int:
    return next(i for i, row in enumerate(rows) if name in row)


def _unknown(rows: list[dict[str, Any]], name: str) -> Problem:
    near = get_close_matches(name[:80], [*TABLE.names, *ALIASES["interactions"]], n=1)
    remedy = f"did you mean {near[0]}?" if near else f"remove it; known are {', '.join(TABLE.names)}"
    return Problem(pointer("interactions", _first(rows, name), name), "is not a field of an interaction", remedy)


def _kind(column: Column) -> str:
    special = {TEXTS: "texts", PREFERRED: "preferred", TIME: "time", pl.Float64(): "number", pl.Int32(): "whole"}
    return special.get(column.dtype, "text")


def _values(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row.get(name) for row in rows]


def _check_names(frame: pl.DataFrame) -> None:
    for name, texts in (("skills", _exploded(frame)), ("language", frame.get_column("language", default=None))):
        n_names = 0 if texts is None else texts.n_unique()
        if n_names > MOST_NAMES:
            what = f"{n_names:,} different {name}"
            raise InvalidBody(Problem("/interactions", what, f"use at most {MOST_NAMES:,}; import files for more"))


def _exploded(frame: pl.DataFrame) -> pl.Series | None:
    skills: pl.Series | None = frame.get_column("skills", default=None)
    return None if skills is None else skills.explode()


def missing_somewhere(frame: pl.DataFrame, columns: Sequence[str], place: Pointers) -> set[str]:
    """Which columns are in no row; one that is only in some is refused.

    Parameters
    ----------
    frame : polars.DataFrame
        From `read_rows`.
    columns : sequence of str
        Columns that must be in all rows or in none.
    place : Pointers
        How to name cells.

    Returns
    -------
    set of str
        Columns that are in none.

    Raises
    ------
    InvalidBody
        If a column is in some rows only.
    """
    absent = set()
    for name in columns:
        n_null = frame[name].null_count() if name in frame.columns else frame.height
        if n_null == frame.height:
            absent.add(name)
        elif n_null:
            row = int(frame[name].is_null().arg_max() or 0)
            remedy = f"give it in all {frame.height:,} interactions or in none"
            raise InvalidBody(
                Problem(pointer("interactions", row, place.given.get(name, name)), "is missing here", remedy)
            )
    return absent
