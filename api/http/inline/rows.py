"""Interactions given in the body of a request: rows checked by a model made from the table, then columns of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, WithJsonSchema
from typing_extensions import TypedDict

from api.checks import pointer, shown
from api.errors import MOST_PROBLEMS, BodyTooLarge, InvalidBody, Problem
from engine.data.checks import Place
from engine.data.tables import PREFERRED, TABLES, TEXTS, TIME, Column
from engine.study import MOST_NAME_CHARS
from ingest.files.cells.cells import Cells
from ingest.files.cells.time_cells import moment
from ingest.files.columns import ALIASES
from ingest.files.problems import Findings

TABLE, OTHER_NAMES = TABLES["interactions"], ALIASES["interactions"]
# Of skills and of languages: every one is a column of numbers for all agents.
MOST_NAMES = 2_000
LONGEST_LIST = 50
_ONE_SKILL = "required_skill"
# Rows looked at before the problems so far are told: a body that is wrong throughout is not told throughout.
_ROWS_AT_ONCE = 250

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MOST_NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$", strict=True)
]
_TEXT_REMEDY = f"write 1 to {MOST_NAME_CHARS} characters without control characters, or null"
_TEXT_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MOST_NAME_CHARS}
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Preference(TypedDict):
    """One agent that a caller prefers."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    agent_id: Text
    score: float


@dataclass(frozen=True)
class _Kind:
    """Values of one type of column in a body: as pydantic and as JSON schema has them, and what to write instead."""

    python: Any
    remedy: str
    type: str
    more: Mapping[str, Any] = field(default_factory=dict)


_SHARE = {"agent_id": _TEXT_SCHEMA, "score": {"type": "number", "minimum": 0, "maximum": 100}}
_ENTRY = {"type": "object", "properties": _SHARE, "required": [*_SHARE], "additionalProperties": False}
_LIST = Field(max_length=LONGEST_LIST)
# Ranges and allowed words are left to the check of the table, which every source meets.
_KINDS: dict[pl.DataType, _Kind] = {
    pl.String(): _Kind(Text, "write a text in quotes", "string", _TEXT_SCHEMA),
    TIME: _Kind(str, "write a time as text, for example 2024-03-01T09:30:00Z", "string", {"format": "date-time"}),
    pl.Float64(): _Kind(float, "write a finite number", "number"),
    pl.Int32(): _Kind(Annotated[int, Field(ge=-(2**31), lt=2**31)], "write a whole number", "integer"),
    TEXTS: _Kind(
        Annotated[list[Text], _LIST],
        f"write a list of at most {LONGEST_LIST} texts",
        "array",
        {"items": _TEXT_SCHEMA, "maxItems": LONGEST_LIST},
    ),
    PREFERRED: _Kind(
        Annotated[list[Preference], _LIST],
        'write a list of {"agent_id": "...", "score": 1.0}',
        "array",
        {"items": _ENTRY, "maxItems": LONGEST_LIST},
    ),
}


def _columns() -> dict[str, Column]:
    """Every name that a row may hold, and the column it fills."""
    others = {name: replace(TABLE[target], name=name) for name, target in OTHER_NAMES.items()}
    others[_ONE_SKILL] = Column(_ONE_SKILL, pl.String())
    return {column.name: column for column in TABLE.columns} | others


COLUMNS = _columns()


def _field(column: Column) -> Any:
    """Type of one field; its JSON schema has the ranges and words of the table too."""
    kind = _KINDS[column.dtype]
    bounds = {"minimum": column.low, "maximum": column.high}
    schema = {**kind.more, **{side: value for side, value in bounds.items() if value is not None}}
    schema["type"] = kind.type if OTHER_NAMES.get(column.name, column.name) in TABLE.key else [kind.type, "null"]
    if column.one_of:
        schema = {"enum": [*column.one_of, None]}
    if column.name in OTHER_NAMES:
        schema["description"] = f"Another name of {OTHER_NAMES[column.name]}; give one of them."
    return Annotated[kind.python | None, WithJsonSchema(schema)]


_NAMED: Any = {"anyOf": [{"required": ["interaction_id"]}, {"required": ["id"]}]}
_Row = TypedDict("_Row", {name: _field(column) for name, column in COLUMNS.items()}, total=False)  # type: ignore[misc]
_Row.__pydantic_config__ = ConfigDict(**_STRICT, title="Interaction", json_schema_extra=_NAMED)  # type: ignore[attr-defined]
ROW = TypeAdapter(_Row)
_ROWS = TypeAdapter(list[_Row])


@dataclass(frozen=True)
class Pointers(Place):
    """Names cells of the table by their place in the body (`given`: the name of each column there); keeps problems."""

    source: str = "interactions"
    given: dict[str, str] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)

    def problem(self, row: int, column: str, value: object, remedy: str) -> str:
        """Note a bad cell."""
        where = pointer("interactions", row, self.given.get(column, column))
        plain = value.to_list() if isinstance(value, pl.Series) else value
        self.found.append(Problem(where, f"found {shown(plain)}", remedy))
        return str(self.found[-1])


class _Times(Findings):
    """Findings about times, noted by their place in the body."""

    def __init__(self, place: Pointers) -> None:
        super().__init__(place.source)
        self._place = place

    def cells(self, column: str, remedy: str, lines: Any, values: pl.Series) -> None:
        """Note cells that share a mistake; the remedy of a missing zone names an option only files have."""
        self._place.problem(int(lines[0]), column, values[0], remedy.removesuffix(", or give --time-zone"))


class InlineRows:
    """Interactions of a request, checked as they are read and kept as columns; ranges are left to the table's check."""

    def __init__(self, most: int) -> None:
        self._most, self.n = most, 0
        self._parts: list[pl.DataFrame] = []
        self._place = Pointers()

    def take(self, rows: list[Any]) -> None:
        """Some more rows, as JSON has them; a `BodyTooLarge` where they are too many."""
        if self.n + len(rows) > self._most:
            raise BodyTooLarge(
                f"more than {self._most:,} inline interactions, and this service takes no more at a time; send fewer, "
                "or import them as a snapshot with 'routelab snapshot files' and name it (setting max_interactions)"
            )
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            self._check(rows[first : first + _ROWS_AT_ONCE])

    def frame(self) -> tuple[pl.DataFrame, Pointers]:
        """Columns that were given, and how to name their cells."""
        if not self.n:
            remedy = "give at least one interaction, or leave the field out for those of the snapshot"
            raise InvalidBody(Problem("/interactions", "found an empty list", remedy))
        if "interaction_id" not in self._place.given:
            remedy = "give each interaction a unique id"
            raise InvalidBody(Problem("/interactions/0", "interaction_id is missing", remedy))
        frame = pl.concat(self._parts, how="diagonal")
        frame = frame.with_columns(
            _moments(frame[name], self._place) for name in frame.columns if TABLE[name].dtype == TIME
        )
        if self._place.found:
            raise InvalidBody(*self._place.found)
        _check_names(frame)
        return frame, self._place

    def _check(self, rows: list[Any]) -> None:
        try:
            checked = _ROWS.validate_python(rows)
        except ValidationError as error:
            raise _refusal(error, rows, self.n) from error
        given = set().union(*checked)
        names = [name for name in COLUMNS if name in given]
        self._name_columns(checked, names)
        # Rows that say nothing are rows all the same.
        columns = [_series(name, [row.get(name) for row in checked]) for name in names or ["interaction_id"]]
        self._parts.append(pl.DataFrame(columns))
        self.n += len(rows)

    def _name_columns(self, rows: list[Any], names: list[str]) -> None:
        """Keep the name that the body has for each column; two names for one are a problem."""
        given, problems = self._place.given, []
        for name in names:
            target = OTHER_NAMES.get(name, name)
            other = given.setdefault(target, name)
            if other != name:
                row = self.n + next(i for i, row in enumerate(rows) if name in row)
                what = f"{other} and {name} both mean {target}"
                problems.append(Problem(pointer("interactions", row, name), what, "keep one"))
        if problems:
            raise InvalidBody(*problems)


def _refusal(error: ValidationError, rows: list[Any], first: int) -> InvalidBody:
    """The first problem of each field; a problem inside a list is told of the list."""
    found: dict[str | None, Any] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        found.setdefault(next(map(str, one["loc"][1:2]), None), one)
    told = [_problem(name, one, rows, first) for name, one in islice(found.items(), MOST_PROBLEMS)]
    return InvalidBody(*told, n=len(found))


def _problem(name: str | None, error: Any, rows: list[Any], first: int) -> Problem:
    row = int(error["loc"][0])
    where = pointer("interactions", first + row, *([] if name is None else [name]))
    if name is None:
        return Problem(where, f"found {shown(rows[row])}", "write an object in braces for each interaction")
    if error["type"] == "extra_forbidden":
        return Problem(where, "is not a field of an interaction", _near(name))
    return Problem(where, f"found {shown(rows[row][name])}", _remedy(COLUMNS[name], error["type"]))


def _remedy(column: Column, kind: str) -> str:
    about_text = kind.startswith("string_") and kind != "string_type" and column.dtype != PREFERRED
    return _TEXT_REMEDY if about_text else _KINDS[column.dtype].remedy


def _near(name: str) -> str:
    near = get_close_matches(name[:80], COLUMNS, n=1)
    return f"did you mean {near[0]}?" if near else f"remove it; known are {_known()}"


def _known() -> str:
    return ", ".join(TABLE.names)


def _series(name: str, values: list[Any]) -> pl.Series:
    """A column of some rows; times stay texts until all are there, since findings about them are told together."""
    column = TABLE[OTHER_NAMES.get(name, name)]
    if name == _ONE_SKILL:
        values = [None if value is None else [value] for value in values]
    return pl.Series(column.name, values, pl.String if column.dtype == TIME else column.dtype)


def _moments(raw: pl.Series, place: Pointers) -> pl.Series:
    column = TABLE[raw.name]
    return moment(Cells(column, raw, np.arange(raw.len()), _Times(place))).alias(column.name)


def _check_names(frame: pl.DataFrame) -> None:
    for name in ("skills", "language"):
        if name not in frame.columns:
            continue
        n_names = frame[name].explode().n_unique() if name == "skills" else frame[name].n_unique()
        if n_names > MOST_NAMES:
            what = f"{n_names:,} different {name}"
            raise InvalidBody(Problem("/interactions", what, f"use at most {MOST_NAMES:,}; import files for more"))


def missing_somewhere(frame: pl.DataFrame, columns: Iterable[str], place: Pointers) -> set[str]:
    """Which columns are in no row; one that is only in some is refused."""
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
