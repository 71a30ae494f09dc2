"""What is wrong with one input file, gathered by column and kind, with the rows as its reader counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from engine.data.checks import Place, cell, shorten
from engine.errors import InvalidTable
from engine.setting import shown
from engine.texts import short
from engine.typing import IntArray
from ingest.sheets.blocks import Lines

SHOWN_ROWS = 4
# Of the name of a column, in a problem.
MOST_CHARS = 60


@dataclass(frozen=True)
class LinePlace(Place):
    """A place whose rows are numbered by a list, because blank or quoted lines shift them."""

    lines: Lines = field(default_factory=lambda: np.empty(0, np.int64))  # Number that the user sees for each row

    def problem(self, row: int, column: str, value: object, remedy: str) -> str:
        """One line: file, row, column, value and what to do."""
        return Place(self.source).problem(int(self.lines[row]), column, value, remedy)


@dataclass(frozen=True, eq=False)
class Origin:
    """Where the rows of a frame come from, so that what is wrong is said in the words of the files.

    Parameters
    ----------
    sources : tuple of str
        Names of the files.
    source : (n_rows,) array of int
        Place in `sources`.
    line : (n_rows,) array of int
        Row of the file as its reader counts.
    columns : tuple of mapping
        By source: how the file calls a column of the table.

    Examples
    --------
    >>> origin = Origin(("calls.csv",), np.array([0]), np.array([17]), ({"wait_s": "Wartezeit"},))
    >>> print(OriginPlace("interactions", origin=origin).problem(0, "wait_s", "abc", "must be a duration"))
    calls.csv, row 17, column "Wartezeit": 'abc': must be a duration
    """

    sources: tuple[str, ...]
    source: IntArray
    line: IntArray
    columns: tuple[Mapping[str, str], ...]

    def where(self, row: int, column: str = "") -> str:
        """File, row and column in the words of the file.

        Parameters
        ----------
        row : int
            Of the frame.
        column : str
            Of the table; none where the whole row is meant.

        Returns
        -------
        str
            As a problem begins.
        """
        source = int(self.source[row])
        said = f"{self.sources[source]}, row {self.line[row]}"
        theirs = self.columns[source].get(column)
        if theirs is None:
            return f"{said}, column {column}" if column else said
        return f'{said}, column "{short(theirs, MOST_CHARS)}"'

    def gather(self, rows: IntArray) -> Origin:
        """Of some rows, or of the same ones in another order.

        Parameters
        ----------
        rows : (n,) array of int
            Their places.

        Returns
        -------
        Origin
            In their order.
        """
        return Origin(self.sources, self.source[rows], self.line[rows], self.columns)


@dataclass(frozen=True)
class OriginPlace(Place):
    """A place whose rows come from files that have names of their own for them."""

    origin: Origin | None = None
    lines: Lines | None = None  # Row of the origin for each row; None for the same

    def problem(self, row: int, column: str, value: object, remedy: str) -> str:
        """One line: file, row, column, value and what to do."""
        assert self.origin is not None
        place = row if self.lines is None else int(self.lines[row])
        return f"{self.origin.where(place, column)}: {cell(value)}: {remedy}"


@dataclass
class _Kind:
    """One sort of mistake in one column: its first rows and how often it was seen."""

    column: str
    remedy: str
    value: object
    rows: list[int]
    n_rows: int = 0

    def text(self, source: str, origin: Origin | None) -> str:
        remedy = self.remedy
        if self.n_rows > 1:
            more = self.n_rows - len(self.rows)
            also = ", ".join(self._others(origin)) + (f" and {more} more" if more else "")
            remedy += f" ({self.n_rows} rows have this, also {also})"
        if origin is not None:
            return f"{origin.where(self.rows[0], self.column)}: {cell(self.value)}: {remedy}"
        if not self.column:
            return f"{source}, row {self.rows[0]}: {shown(self.value)}: {remedy}"
        return Place(source).problem(self.rows[0], self.column, self.value, remedy)

    def _others(self, origin: Origin | None) -> Sequence[str]:
        if origin is None:
            return [str(row) for row in self.rows[1:]]
        first = origin.source[self.rows[0]]
        return [
            str(origin.line[row]) if origin.source[row] == first else origin.where(row) for row in self.rows[1:]
        ]  # fmt: skip


class Findings:
    """Problems and repairs of one file, collected while it is read.

    Parameters
    ----------
    source : str
        Name of the file.
    origin : Origin, optional
        Where the rows come from that are numbered from 0 here.

    Examples
    --------
    >>> findings = Findings("agents.csv")
    >>> findings.cells("wait_s", "must be a number", np.array([7]), pl.Series(["soon"]))
    >>> findings.problems()
    ["agents.csv, row 7, column wait_s: 'soon': must be a number"]
    """

    def __init__(self, source: str, origin: Origin | None = None) -> None:
        self.source, self.origin = source, origin
        self.repairs: dict[str, int] = {}
        self._about_file: list[str] = []
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def __bool__(self) -> bool:
        return bool(self._about_file or self._kinds)

    @property
    def columns(self) -> set[str]:
        """Columns with a refused cell."""
        return {column for column, _ in self._kinds if column}

    def file(self, sentence: str, row: int | None = None) -> None:
        """Note what is wrong with the file, or with one whole row of it.

        Parameters
        ----------
        sentence : str
            Finding and remedy.
        row : int, optional
            The row as the user counts.
        """
        place = self.source if row is None else self._where(row)
        self._about_file.append(f"{place}: {sentence}")

    def _where(self, row: int) -> str:
        return f"{self.source}, row {row}" if self.origin is None else self.origin.where(row)

    def place(self, lines: Lines) -> Place:
        """How rows are named in the problems of a check.

        Parameters
        ----------
        lines : (n_rows,) array of int
            Number of each row that is checked.

        Returns
        -------
        Place
            To be handed to the check.
        """
        if self.origin is None:
            return LinePlace(self.source, 0, lines)
        return OriginPlace(self.source, 0, self.origin, lines)

    def cells(self, column: str, remedy: str, lines: Lines, values: pl.Series) -> None:
        """Note cells of one column that share a mistake.

        Parameters
        ----------
        column : str
            Name as it stands in the file; empty when the whole row is meant.
        remedy : str
            What should be there.
        lines : (n_rows,) array of int
            Rows of the cells, at least one.
        values : polars.Series
            What was found in them, the first at least.
        """
        kind = self._kinds.get((column, remedy))
        if kind is None:
            kind = self._kinds[column, remedy] = _Kind(column, remedy, values[0], [])
        kind.rows += lines[: SHOWN_ROWS - len(kind.rows)].tolist()
        kind.n_rows += lines.size

    def repaired(self, label: str, n_cells: int) -> None:
        """Count cells that were put right without asking.

        Parameters
        ----------
        label : str
            What was done; equal labels add up.
        n_cells : int
            To how many.
        """
        if n_cells:
            self.repairs[label] = self.repairs.get(label, 0) + n_cells

    def problems(self) -> list[str]:
        """All findings, those about the whole file first, then by row.

        Returns
        -------
        list of str
            One sentence each.
        """
        kinds = sorted(self._kinds.values(), key=lambda kind: kind.rows[0])
        return [*self._about_file, *(kind.text(self.source, self.origin) for kind in kinds)]

    def stop(self, sentence: str, row: int | None = None) -> InvalidTable:
        """The error that ends the reading of this file, with everything found before it.

        Parameters
        ----------
        sentence : str
            Finding and remedy.
        row : int, optional
            The row it is about.

        Returns
        -------
        InvalidTable
            To be raised.
        """
        self.file(sentence, row)
        return InvalidTable(*shorten(self.problems()))
