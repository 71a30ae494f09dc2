"""One table of cells as it stands in a file, nothing read into it yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.typing import IntArray


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table of cells of a file, or of several files with the same columns.

    Parameters
    ----------
    name : str
        As its reader calls it: `export.csv`, `march.xlsx#Calls`, `2026-*.csv`.
    paths : tuple of Path
        The files it came from.
    frame : polars.DataFrame
        One row for each row under the header. Columns are named as the header names them (a blank one `column 3`, one
        that is there before `Skill (2)`); they hold texts, without surrounding blanks, or numbers, times, durations and
        lists where the file keeps them so. Empty cells are null.
    rows : (n,) array of int
        Number of each row as the reader of its file counts: lines of text files and rows of workbooks from 1, the
        header included, rows of other files from 0.
    format : str
        How it was read, in words: `CSV with semicolons, Windows-1252`.
    notes : tuple of str
        What was left out, and what else the file holds, in sentences: `1 row of totals at the end is left out`.
    parts : tuple of (str, int)
        Where rows come from several files: name of each and its number of rows, in order.
    """

    name: str
    paths: tuple[Path, ...]
    frame: pl.DataFrame
    rows: IntArray
    format: str
    notes: tuple[str, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()

    def place(self, row: int) -> str:
        """Where a row stands, in words.

        Parameters
        ----------
        row : int
            Among the rows of the frame, from 0.

        Returns
        -------
        str
            Such as `2026-03.csv, row 17`.
        """
        first = 0
        for name, n_rows in self.parts:
            if row < first + n_rows:
                return f"{name}, row {self.rows[row]}"
            first += n_rows
        return f"{self.name}, row {self.rows[row]}"
