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
    """

    name: str
    paths: tuple[Path, ...]
    frame: pl.DataFrame
    rows: IntArray
    format: str
