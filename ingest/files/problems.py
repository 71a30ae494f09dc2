"""What is wrong with one input file, gathered by column and kind, with the rows as its reader counts them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from engine.data.checks import Place, shorten
from engine.errors import InvalidTable
from engine.setting import shown
from ingest.sheets.blocks import Lines

SHOWN_ROWS = 4


@dataclass(frozen=True)
class LinePlace(Place):
    """A place whose rows are numbered by a list, because blank or quoted lines shift them."""

    lines: Lines = field(default_factory=lambda: np.empty(0, np.int64))  # Number that the user sees for each row

    def problem(self, row: int, column: str, value: object, remedy: str) -> str:
        """One line: file, row, column, value and what to do."""
        return Place(self.source).problem(int(self.lines[row]), column, value, remedy)


@dataclass
class _Kind:
    """One sort of mistake in one column: its first rows and how often it was seen."""

    column: str
    remedy: str
    value: object
    rows: list[int]
    n_rows: int = 0

    def text(self, place: Place) -> str:
        remedy = self.remedy
        if self.n_rows > 1:
            more = self.n_rows - len(self.rows)
            also = ", ".join(map(str, self.rows[1:])) + (f" and {more} more" if more else "")
            remedy += f" ({self.n_rows} rows have this, also {also})"
        if not self.column:
            return f"{place.source}, row {self.rows[0]}: {shown(self.value)}: {remedy}"
        return place.problem(self.rows[0], self.column, self.value, remedy)


class Findings:
    """Problems and repairs of one file, collected while it is read.

    Parameters
    ----------
    source : str
        Name of the file.

    Examples
    --------
    >>> findings = Findings("agents.csv")
    >>> findings.cells("wait_s", "must be a number", np.array([7]), pl.Series(["soon"]))
    >>> findings.problems()
    ["agents.csv, row 7, column wait_s: 'soon': must be a number"]
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.repairs: dict[str, int] = {}
        self._about_file: list[str] = []
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def __bool__(self) -> bool:
        return bool(self._about_file or self._kinds)

    def file(self, sentence: str, row: int | None = None) -> None:
        """Note what is wrong with the file, or with one whole row of it.

        Parameters
        ----------
        sentence : str
            Finding and remedy.
        row : int, optional
            The row as the user counts.
        """
        place = self.source if row is None else f"{self.source}, row {row}"
        self._about_file.append(f"{place}: {sentence}")

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
        return [*self._about_file, *(kind.text(Place(self.source)) for kind in kinds)]

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
