"""JSON as a sheet: one object a line, or a list of objects, without objects inside them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl

from engine.memory import Need
from engine.stopping import check, checked
from engine.texts import short
from ingest.sheets.content import Content
from ingest.sheets.layout.header import MOST_COLUMNS
from ingest.sheets.sheet import Sheet
from ingest.sheets.text.encoding import as_utf8
from ingest.workers import MEMORY

# Objects of Python take so many times the text that they are read from; what is less needs no room to be asked for.
COPIES, WORTH_ASKING = 12, 256 << 20
_SHOWN = 60
_LARGEST = 1 << 63


def read_json(content: Content) -> Sheet:
    """The table of a list of objects (rows counted from 0) or of one object a line (from 1)."""
    if len(content.data) * COPIES > WORTH_ASKING:
        need = Need(len(content.data) * COPIES, f"{content.name}: reading it", "save it as CSV, or fewer days of it")
        MEMORY.check(need)
    text = as_utf8(content)
    data = bytes(text.data)[text.start :]
    lines = data.lstrip()[:1] != b"["
    rows, numbers = _of_lines(content, data) if lines else _of_list(content, data)
    if not rows:
        raise content.refused("there is no row in it; add rows, or leave the file out")
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) > MOST_COLUMNS:
        raise content.refused(f"{len(names):,} names of columns; is this the right file?")
    frame = pl.DataFrame([_column(content, name, [row.get(name) for row in rows], numbers) for name in names])
    return Sheet(content.name, (content.path,), frame, np.array(numbers), "JSON lines" if lines else "JSON")


def _of_lines(content: Content, data: bytes) -> tuple[list[dict[str, Any]], list[int]]:
    rows, numbers = [], []
    for number, line in enumerate(io.BytesIO(data), 1):
        if number % 10_000 == 0:
            check()
        if line.strip():
            rows.append(_row(content, _parsed(content, line, number), number))
            numbers.append(number)
    return rows, numbers


def _of_list(content: Content, data: bytes) -> tuple[list[dict[str, Any]], list[int]]:
    found = _parsed(content, data, None)
    return [_row(content, each, number) for number, each in enumerate(checked(found))], list(range(len(found)))


def _parsed(content: Content, text: bytes, number: int | None) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f" at line {error.lineno}" if number is None else ""
        raise content.refused(
            f"cannot be read as JSON{where} ({error.msg}); export it again, or as CSV", number
        ) from error


def _row(content: Content, row: Any, number: int) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    raise content.refused(
        f"{short(repr(row), _SHOWN)} where a row should be; a table is one object a line, or a list of objects", number
    )


def _column(content: Content, name: str, cells: list[Any], numbers: list[int]) -> pl.Series:
    """Texts, numbers, truths or lists of texts; what is mixed as text."""
    for cell, number in zip(cells, numbers, strict=True):
        if isinstance(cell, dict) or (isinstance(cell, list) and not all(isinstance(each, str) for each in cell)):
            raise content.refused(
                f"column {name} holds {short(repr(cell), _SHOWN)}, values within values; export a table without them, "
                "or leave the column out",
                number,
            )
    plain = [(cell.strip() or None) if isinstance(cell, str) else cell for cell in cells]
    kinds = {type(cell) for cell in plain if cell is not None}
    if kinds == {list}:
        return pl.Series(name, plain, pl.List(pl.String))
    if kinds == {bool}:
        return pl.Series(name, plain, pl.Boolean)
    if kinds == {int} and all(-_LARGEST <= cell < _LARGEST for cell in plain if isinstance(cell, int)):
        return pl.Series(name, plain, pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series(name, [None if cell is None else float(cell) for cell in plain], pl.Float64)
    return pl.Series(name, [None if cell is None else _shown(cell) for cell in plain], pl.String)


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return "; ".join(cell) if isinstance(cell, list) else str(cell)
