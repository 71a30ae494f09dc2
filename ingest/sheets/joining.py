"""Sheets with the same columns as one: the files of several months, or the sheets of several teams."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.errors import InvalidTable
from ingest.sheets.sheet import Sheet


def joined(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Each kind of table once, in the order in which they were found; the order of columns does not count."""
    groups: dict[tuple[str, ...], list[Sheet]] = {}
    for sheet in sheets:
        groups.setdefault((_family(sheet), *sorted(sheet.frame.columns)), []).append(sheet)
    return [_one(group) for group in groups.values()]


def _family(sheet: Sheet) -> str:
    """Texts are not joined with workbooks, nor with texts of another delimiter: they write times differently."""
    return sheet.format.partition(",")[0]


def _one(group: Sequence[Sheet]) -> Sheet:
    if len(group) == 1:
        return group[0]
    _check_copies(group)
    names = group[0].frame.columns
    types = {name: _common([sheet.frame.schema[name] for sheet in group]) for name in names}
    frame = pl.concat([_as_types(sheet.frame.select(names), types) for sheet in group], rechunk=True)
    paths = tuple(dict.fromkeys(path for sheet in group for path in sheet.paths))
    formats = "; ".join(dict.fromkeys(sheet.format for sheet in group))
    notes = tuple(f"{sheet.name}: {note}" for sheet in group for note in sheet.notes)
    rows = np.concatenate([sheet.rows for sheet in group])
    parts = tuple((sheet.name, sheet.frame.height) for sheet in group)
    return Sheet(_name([sheet.name for sheet in group]), paths, frame, rows, formats, notes, parts)


def _check_copies(group: Sequence[Sheet]) -> None:
    """Refuse two files that hold the same rows: each would count twice."""
    for place, sheet in enumerate(group):
        for other in group[:place]:
            same = sheet.frame.height == other.frame.height and set(sheet.frame.columns) == set(other.frame.columns)
            if same and sheet.frame.select(other.frame.columns).equals(other.frame):
                raise InvalidTable(f"{sheet.name}: holds the same rows as {other.name}; name one of them")


def _common(types: Sequence[pl.DataType]) -> pl.DataType:
    """The type that all files keep a column in, or text."""
    found = set(types)
    if len(found) == 1:
        return types[0]
    if found <= {pl.Int64(), pl.Float64()}:
        return pl.Float64()
    if found <= {pl.Date(), pl.Datetime("us")}:
        return pl.Datetime("us")
    return pl.String()


def _as_types(frame: pl.DataFrame, types: dict[str, pl.DataType]) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).cast(dtype) for name, dtype in types.items() if frame.schema[name] != dtype)


def _name(names: Sequence[str]) -> str:
    """`2026-*.csv`, where that is what the names share; else the first and how many more."""
    start = _shared(names)
    end = _shared([name[len(start) :][::-1] for name in names])[::-1]
    if len(start) + len(end) > len("x.csv"):
        return f"{start}*{end}"
    return f"{names[0]} and {len(names) - 1} more"


def _shared(names: Sequence[str]) -> str:
    """The beginning that all names have."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)
