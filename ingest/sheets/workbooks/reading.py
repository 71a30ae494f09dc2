"""The sheets of a workbook that hold a table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import polars as pl

from engine.errors import InvalidTable
from engine.stopping import checked
from engine.texts import short
from ingest.sheets import header as headers
from ingest.sheets.content import Content
from ingest.sheets.header import MOST_COLUMNS, MOST_TITLES, Cell, find_header
from ingest.sheets.sheet import Sheet
from ingest.sheets.workbooks.typing import typed

_HEAD = MOST_TITLES + headers.COMPARED


def read_workbook(content: Content, wanted: str | None, words: str) -> list[Sheet]:
    """The sheets that hold a table, or the one that is wanted, whatever the case of its name."""
    from python_calamine import SheetVisibleEnum

    with _book(content) as book:
        metadata = {each.name: each for each in book.sheets_metadata}
        if wanted is not None:
            return [_only(content, book, _named(content, wanted, list(metadata)), words)]
        shown = [name for name, each in metadata.items() if each.visible == SheetVisibleEnum.Visible]
        return _all(content, book, shown, words)


def _book(content: Content) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        if content.packed:
            return CalamineWorkbook.from_filelike(io.BytesIO(content.data))
        return CalamineWorkbook.from_path(content.path)
    except PasswordError as error:
        raise content.refused("the workbook is protected by a password; save it without one") from error
    except (CalamineError, OSError) as error:
        raise content.refused(
            f"cannot be read as a workbook ({short(str(error))}); it is damaged or cut short: save or copy it again"
        ) from error


def _named(content: Content, wanted: str, there: list[str]) -> str:
    for name in there:
        if name.strip().casefold() == wanted.strip().casefold():
            return name
    near = get_close_matches(wanted, there, n=1)
    meant = f"did you mean {content.name}#{near[0]}? " if near else ""
    raise content.refused(f"no sheet is called {wanted!r}; {meant}There are {', '.join(map(short, there))}")


def _only(content: Content, book: Any, name: str, words: str) -> Sheet:
    grid = _grid(content, book, name)
    if not grid:
        raise InvalidTable(f"{content.name}#{name}: the sheet is empty; it needs a header and at least one row")
    return _sheet(content, name, grid, f"{words}, sheet {name}")


def _all(content: Content, book: Any, names: Sequence[str], words: str) -> list[Sheet]:
    """Every sheet that holds a table; where none does, why."""
    grids = {name: grid for name in checked(names) if (grid := _grid(content, book, name))}
    if not grids:
        raise content.refused("all its sheets are empty; it needs a header and at least one row")
    sheets: list[Sheet] = []
    problems: list[str] = []
    for name, grid in grids.items():
        try:
            sheets.append(_sheet(content, name, grid, words, is_alone=len(grids) == 1))
        except InvalidTable as error:
            problems += error.problems
    if not sheets:
        raise InvalidTable(*problems)
    return sheets


def _grid(content: Content, book: Any, name: str) -> list[list[Cell]]:
    """All cells from the first row and column on, empty ones as None; nothing where there are none."""
    from python_calamine import CalamineError

    try:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise content.refused(f"sheet {name} cannot be read ({short(str(error))}); save the workbook again") from error
    plain = [[_plain(cell) for cell in row] for row in checked(rows)]
    return plain if any(cell is not None for row in plain for cell in row) else []


def _plain(cell: Any) -> Cell:
    return (cell.strip() or None) if isinstance(cell, str) else cell


def _sheet(content: Content, name: str, grid: list[list[Cell]], words: str, is_alone: bool = False) -> Sheet:
    place = content.name if is_alone else f"{content.name}#{name}"
    found = find_header(grid[:_HEAD])
    if isinstance(found, str):
        row = next(i for i, cells in enumerate(grid) if any(cell is not None for cell in cells)) + 1
        raise InvalidTable(f"{place}, row {row}: {found.replace('row {row} holds', 'holds')}")
    body = grid[found.place + 1 :]
    kept = np.flatnonzero([any(cell is not None for cell in row) for row in body])
    notes = headers.above_note(sum(any(cell is not None for cell in row) for row in grid[: found.place]))
    frame = _frame(place, grid[found.place], found.names, [body[row] for row in kept])
    rows = kept + found.place + 2
    if n := headers.n_totals(frame):
        frame, rows = _frame(place, grid[found.place], found.names, [body[row] for row in kept[:-n]]), rows[:-n]
        notes.append(headers.totals_note(n))
    if not frame.height:
        raise InvalidTable(f"{place}: there is a header but no row; add rows, or leave the sheet out")
    return Sheet(place, (content.path,), frame, rows, words, tuple(notes))


def _frame(place: str, header: list[Cell], names: tuple[str, ...], rows: list[list[Cell]]) -> pl.DataFrame:
    columns = []
    for at, name in enumerate(names):
        cells = [row[at] for row in rows]
        # What has neither a name nor a cell is where somebody formatted the sheet further than it goes.
        if header[at] is not None or any(cell is not None for cell in cells):
            columns.append(typed(name, cells))
    if len(columns) > MOST_COLUMNS:
        raise InvalidTable(f"{place}: {len(columns):,} columns; is this the right sheet?")
    return pl.DataFrame(columns)
