"""Cells of a workbook's column as one type: as the workbook keeps them, or as people see them where they are mixed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

from ingest.sheets.layout.header import Cell, shown

# Excel counts days from here; a duration of over a day looks like a date of that year to whoever reads its format.
_DAY_0, _DAY_60, _LAST = dt.datetime(1899, 12, 31), dt.datetime(1900, 3, 1), dt.datetime(1904, 1, 1)
_EXACT = 1 << 53


def typed(name: str, cells: Sequence[Cell]) -> pl.Series:
    """One column, empty cells as null.

    Examples
    --------
    >>> typed("id", [1001.0, None]).to_list(), typed("id", [1001.0, "x7"]).to_list()
    ([1001, None], ['1001', 'x7'])
    """
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {str}:
        return pl.Series(name, cells, pl.String)
    if kinds == {bool}:
        return pl.Series(name, cells, pl.Boolean)
    if kinds <= {int, float}:
        return _numbers(name, cells)
    if kinds == {dt.date}:
        return pl.Series(name, cells, pl.Date)
    if kinds == {dt.time}:
        return pl.Series(name, cells, pl.Time)
    if _are_durations(kinds, cells):
        return pl.Series(name, [None if cell is None else _duration(cell) for cell in cells], pl.Duration("us"))
    if kinds <= {dt.date, dt.datetime}:
        return pl.Series(name, [_moment(cell) for cell in cells], pl.Datetime("us"))
    return pl.Series(name, [None if cell is None else shown(cell) for cell in cells], pl.String)


def _numbers(name: str, cells: Sequence[Any]) -> pl.Series:
    numbers = pl.Series(name, cells, pl.Float64, strict=False)
    whole = numbers.drop_nulls()
    if ((whole == whole.round()) & (whole.abs() < _EXACT)).all():
        return numbers.cast(pl.Int64)
    return numbers


def _are_durations(kinds: set[type], cells: Sequence[Cell]) -> bool:
    if not kinds <= {dt.time, dt.timedelta, dt.datetime} or kinds == {dt.datetime}:
        return False
    return all(cell < _LAST for cell in cells if isinstance(cell, dt.datetime))


def _duration(cell: Cell) -> dt.timedelta:
    if isinstance(cell, dt.datetime):
        return cell - _DAY_0 + dt.timedelta(days=cell >= _DAY_60)
    if isinstance(cell, dt.time):
        return dt.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    assert isinstance(cell, dt.timedelta)
    return cell


def _moment(cell: Cell) -> dt.datetime | None:
    if isinstance(cell, dt.date) and not isinstance(cell, dt.datetime):
        return dt.datetime.combine(cell, dt.time())
    assert cell is None or isinstance(cell, dt.datetime)
    return cell
