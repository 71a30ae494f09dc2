"""Values of one column of inline interactions, from JSON to the type of the table; odd ones are named by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from api.checks import pointer, shown
from api.errors import Problem
from engine.data.checks import Place
from engine.data.tables import PREFERRED, TEXTS, Column
from ingest.files.cells.cells import Cells
from ingest.files.cells.time_cells import moment
from ingest.files.problems import Findings

LONGEST_CHARS, LONGEST_LIST = 300, 50
_CONTROL = r"[\x00-\x1f\x7f]"
_TEXT_REMEDY = f"write 1 to {LONGEST_CHARS} characters without control characters, or null"
_NONE = type(None)


@dataclass(frozen=True)
class Pointers(Place):
    """Names cells of the table by their place in the body, and keeps what was found.

    Parameters
    ----------
    given : dict
        The name a column has in the body, where it differs.
    found : list of Problem
        Filled.
    """

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


def _odd(values: list[Any], allowed: Iterable[type]) -> int | None:
    """First value of another type; true is no number here."""
    kinds = {*allowed, _NONE}
    if set(map(type, values)) <= kinds:
        return None
    return next(i for i, value in enumerate(values) if type(value) not in kinds)


def _text(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    odd = _odd(values, (str,))
    if odd is not None:
        place.problem(odd, column.name, values[odd], "write a text in quotes")
        return None
    series = pl.Series(column.name, values, pl.String)
    row = _bad_text(series)
    if row is not None:
        place.problem(row, column.name, series[row], _TEXT_REMEDY)
    return series


def _bad_text(series: pl.Series) -> int | None:
    n_chars = series.str.len_chars()
    bad = (n_chars == 0) | (n_chars > LONGEST_CHARS) | series.str.contains(_CONTROL)
    return bad.arg_max() if bad.any() else None


def _one_skill(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    series = _text(column, values, place)
    if series is None:
        return None
    one = pl.when(pl.col(column.name).is_not_null()).then(pl.concat_list(column.name))
    return series.to_frame().select(one.alias(column.name)).to_series()


def _texts(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    odd = _odd(values, (list,))
    if odd is None and any(value is not None and len(value) > LONGEST_LIST for value in values):
        odd = next(i for i, value in enumerate(values) if value is not None and len(value) > LONGEST_LIST)
    if odd is None and not set(map(type, chain.from_iterable(v for v in values if v))) <= {str}:
        odd = next(i for i, v in enumerate(values) if v and any(type(text) is not str for text in v))
    if odd is not None:
        place.problem(odd, column.name, values[odd], f"write a list of at most {LONGEST_LIST} texts")
        return None
    series = pl.Series(column.name, values, TEXTS)
    texts = series.explode()
    if _bad_text(texts) is not None:
        bad = next(i for i, v in enumerate(values) if v and _bad_text(pl.Series(v, dtype=pl.String)) is not None)
        place.problem(bad, column.name, values[bad], _TEXT_REMEDY)
    return series


def _number(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    odd = _odd(values, (int, float))
    if odd is None:
        try:
            return pl.Series(column.name, [None if v is None else float(v) for v in values], pl.Float64)
        except OverflowError:
            odd = next(i for i, v in enumerate(values) if type(v) is int and abs(v) > 10**300)
    place.problem(odd, column.name, values[odd], "write a finite number")
    return None


def _whole(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    odd = _odd(values, (int,))
    if odd is None:
        odd = next((i for i, v in enumerate(values) if v is not None and abs(v) >= 2**31), None)
    if odd is not None:
        place.problem(odd, column.name, values[odd], "write a whole number")
        return None
    return pl.Series(column.name, values, pl.Int32)


def _time(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    odd = _odd(values, (str,))
    if odd is not None:
        place.problem(odd, column.name, values[odd], "write a time as text, for example 2024-03-01T09:30:00Z")
        return None
    raw = pl.Series(column.name, values, pl.String)
    return moment(Cells(column, raw, np.arange(raw.len()), _Times(place))).alias(column.name)


def _preferred(column: Column, values: list[Any], place: Pointers) -> pl.Series | None:
    odd = next((i for i, v in enumerate(values) if v is not None and not _preferences(v)), None)
    if odd is not None:
        place.problem(odd, column.name, values[odd], 'write a list of {"agent_id": "...", "score": 1.0}')
        return None
    return pl.Series(column.name, values, PREFERRED)


def _preferences(value: object) -> bool:
    return isinstance(value, list) and len(value) <= LONGEST_LIST and all(map(_preference, value))


def _preference(entry: object) -> bool:
    if not isinstance(entry, dict) or not entry.keys() <= {"agent_id", "score"}:
        return False
    score, agent = entry.get("score"), entry.get("agent_id")
    return type(agent) is str and type(score) in {int, float, _NONE} and abs(score or 0) < 1e300


READ: dict[str, Callable[[Column, list[Any], Pointers], pl.Series | None]] = {
    "text": _text,
    "one skill": _one_skill,
    "texts": _texts,
    "number": _number,
    "whole": _whole,
    "time": _time,
    "preferred": _preferred,
}
