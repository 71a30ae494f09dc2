"""The sheets of a workbook that hold a table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import polars as pl

from engine.errors import InvalidTable
from engine.stopping import checked
from engine.texts import short
from engine.typing import IntArray
from ingest.sheets.content import Content
from ingest.sheets.layout import beside
from ingest.sheets.layout.below import first_below, legend
from ingest.sheets.layout.header import COMPARED, MOST_COLUMNS, MOST_TITLES, Cell, Header, find_header, names_of
from ingest.sheets.sheet import Sheet
from ingest.sheets.workbooks.extent import Extent, extent_of
from ingest.sheets.workbooks.opening import Book, opened_book
from ingest.sheets.workbooks.typing import typed

_NEVER_CALCULATED = "its cells are formulas that were never calculated; open the workbook in Excel and save it"
_EMPTY = "all its sheets are empty; it needs a header and at least one row"
_HEAD = MOST_TITLES + COMPARED


@dataclass(frozen=True)
class _Grid:
    """Cells of a sheet that are shown."""

    cells: list[list[Cell]]
    numbers: IntArray  # Of the rows, from 1
    left_out: list[str]
    n_formulas: int  # Without a value

    @property
    def why_empty(self) -> str:
        """Why there is no row."""
        if self.n_formulas:
            return _NEVER_CALCULATED
        return "there is a header but no row; add rows, or leave the sheet out"


def read_workbook(content: Content, wanted: str | None) -> list[Sheet]:
    """The sheets that hold a table, or the one that is wanted, whatever the case of its name."""
    with opened_book(content) as book:
        if wanted is not None:
            return _only(content, book, _named(content, wanted, [tab.name for tab in book.tabs if tab.is_table]))
        shown = [tab.name for tab in book.tabs if tab.is_table and tab.is_shown]
        return _all(content, book, shown, [tab.name for tab in book.tabs if tab.is_table and not tab.is_shown])


def _named(content: Content, wanted: str, there: list[str]) -> str:
    for name in there:
        if name.strip().casefold() == wanted.strip().casefold():
            return name
    near = get_close_matches(wanted, there, n=1)
    meant = f"did you mean {content.name}#{near[0]}? " if near else ""
    raise content.refused(f"no sheet is called {wanted!r}; {meant}There are {', '.join(map(short, there))}")


def _only(content: Content, book: Book, name: str) -> list[Sheet]:
    grid = _grid(content, book, name)
    if grid is None:
        raise InvalidTable(f"{content.name}#{name}: the sheet is empty; it needs a header and at least one row")
    return _sheets(content, name, grid)


def _all(content: Content, book: Book, names: Sequence[str], hidden: Sequence[str]) -> list[Sheet]:
    """Every sheet that holds a table; where none does, why."""
    grids = {name: grid for name in checked(names) if (grid := _grid(content, book, name)) is not None}
    sheets: list[Sheet] = []
    problems: list[str] = []
    for name, grid in grids.items():
        try:
            sheets += _sheets(content, name, grid, is_alone=len(grids) == 1)
        except InvalidTable as error:
            problems += error.problems
    if sheets:
        return [replace(sheet, notes=(*sheet.notes, *_passed_over(problems, hidden))) for sheet in sheets]
    if there := [name for name in hidden if _grid(content, book, name) is not None]:
        raise content.refused(
            f"the sheets that are shown hold no table; {', '.join(map(short, there))} is hidden: name it, as in "
            f"{content.name}#{there[0]}"
        )
    raise InvalidTable(*problems or content.refused(_EMPTY).problems)


def _passed_over(problems: Sequence[str], hidden: Sequence[str]) -> list[str]:
    """What a workbook holds besides its tables."""
    names = f"hidden, not read: {', '.join(map(short, hidden))}"
    return [*(f"not read: {problem}" for problem in problems), *([names] if hidden else [])]


def _grid(content: Content, book: Book, name: str) -> _Grid | None:
    """All cells that are shown, empty ones as None; nothing where there are none."""
    extent = extent_of(content, name)
    rows = book.rows(name)
    numbers = [number for number in range(1, len(rows) + 1) if number not in extent.hidden_rows]
    shown = [at for at in range(len(rows[0]) if rows else 0) if at + 1 not in extent.hidden_columns]
    cells = [[_plain(rows[number - 1][at]) for at in shown] for number in checked(numbers)]
    if not any(cell is not None for row in cells for cell in row):
        if extent.n_formulas:
            raise content.refused(f"sheet {name}: {_NEVER_CALCULATED}")
        return None
    return _Grid(cells, np.array(numbers), _left_out(extent, rows), extent.n_formulas)


def _left_out(extent: Extent, rows: list[list[Any]]) -> list[str]:
    """What is said of cells that are not taken as they are."""
    hidden_rows = sum(any(cell != "" for cell in rows[n - 1]) for n in extent.hidden_rows if n <= len(rows))
    width = len(rows[0]) if rows else 0
    hidden = sum(any(row[n - 1] != "" for row in rows) for n in extent.hidden_columns if n <= width)
    notes = []
    if hidden_rows:
        notes.append(f"{_count(hidden_rows, 'hidden row')} left out")
    if hidden:
        notes.append(f"{_count(hidden, 'hidden column')} left out")
    if extent.n_formulas:
        notes.append(
            f"{extent.n_formulas} formulas were never calculated and are read as empty; open the workbook in Excel and "
            "save it"
        )
    if extent.n_errors:
        more = ", ..." if extent.n_errors > len(extent.errors) else ""
        cells = ", ".join(extent.errors) + more
        notes.append(f"{_count(extent.n_errors, 'error')} in cells, read as empty: {cells}")
    return notes


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


# How LibreOffice keeps a duration of a day or more.
_ISO_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,](\d+))?S")


def _plain(cell: Any) -> Cell:
    if not isinstance(cell, str):
        return cell
    if cell.startswith("PT") and (found := _ISO_DURATION.fullmatch(cell)):
        hours, minutes, seconds, rest = found.groups()
        return dt.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(f"{seconds}.{rest or 0}"))
    return cell.strip() or None


def _sheets(content: Content, name: str, grid: _Grid, is_alone: bool = False) -> list[Sheet]:
    """The table of a sheet, and what stands below it as a table of its own."""
    place = content.name if is_alone else f"{content.name}#{name}"
    found = find_header(grid.cells[:_HEAD])
    if isinstance(found, str):
        row = next(i for i, cells in enumerate(grid.cells) if any(cell is not None for cell in cells))
        raise InvalidTable(f"{place}, row {grid.numbers[row]}: {found}")
    n_above = sum(any(cell is not None for cell in row) for row in grid.cells[: found.place])
    body, numbers = grid.cells[found.place + 1 :], grid.numbers[found.place + 1 :]
    first = first_below(body, found.n_named)
    below = None if first is None else legend(body[first:])
    words = place if is_alone and below is None else f"{content.name}#{name}"
    if not any(cell is not None for row in body[:first] for cell in row):
        raise InvalidTable(f"{place}: {grid.why_empty}")
    n_remarks = 0 if first is None or below is not None else sum(any(row) for row in body[first:])
    notes = [*beside.notes(n_above, remarks=n_remarks), *grid.left_out]
    sheets = [_table(content, words, found, body[:first], numbers[:first], notes)]
    if first is not None and below is not None:
        header, start, rows = below
        sheets.append(_table(content, f"{words}, below", header, rows, numbers[first + start :], []))
    return sheets


def _table(
    content: Content, place: str, header: Header, body: list[list[Cell]], numbers: IntArray, notes: list[str]
) -> Sheet:
    """Rows under a header that are rows of its table."""
    is_again = np.array([header.is_like(row) for row in body], bool)
    is_filled = np.array([any(cell is not None for cell in row) for row in body], bool)
    kept = np.flatnonzero(is_filled & ~is_again)
    frame = _frame(place, header, [body[row] for row in kept])
    at_start, at_end = beside.totals(frame)
    if at_start or at_end:
        # Types may be other ones without them.
        kept = kept[at_start : len(kept) - at_end]
        frame = _frame(place, header, [body[row] for row in kept])
    said = beside.notes(again=int(is_again.sum()), totals=at_start + at_end)
    return Sheet(place, (content.path,), frame, numbers[kept], "workbook", (*notes, *said))


def _frame(place: str, header: Header, rows: list[list[Cell]]) -> pl.DataFrame:
    columns = []
    for at, name in enumerate(names_of(header.cells)):
        cells = [row[at] for row in rows]
        # What has neither a name nor a cell is where somebody formatted the sheet further than it goes.
        if header.cells[at] is not None or any(cell is not None for cell in cells):
            columns.append(typed(name, cells))
    if len(columns) > MOST_COLUMNS:
        raise InvalidTable(f"{place}: {len(columns):,} columns; is this the right sheet?")
    return pl.DataFrame(columns)
