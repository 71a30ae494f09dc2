"""The cells of one column on their way to the type of the table, with what is wrong in them."""

from __future__ import annotations

import polars as pl

from engine.data.checks import type_words
from engine.data.tables import Column
from ingest.files.problems import Findings
from ingest.sheets.blocks import Lines

TRIMMED = "cells trimmed of blanks around their value"


class Cells:
    """One column of one block, on its way to the type of the table.

    Parameters
    ----------
    column : Column
        What it becomes.
    raw : polars.Series
        As the file has it.
    lines : (n_rows,) array of int
        Rows as the user counts them.
    findings : Findings
        Takes problems and repairs.
    time_zone : str, optional
        IANA zone of times that name none.
    separators : str
        Each character of it stands between names of one cell; none for a semicolon.
    is_plain : bool
        Whether texts have no blanks around, and lists are split already.
    """

    def __init__(
        self, column: Column, raw: pl.Series, lines: Lines, findings: Findings, time_zone: str | None = None,
        separators: str = "", is_plain: bool = False,
    ) -> None:  # fmt: skip
        self.column, self.raw, self.lines = column, raw, lines
        self.findings, self.time_zone, self.separators = findings, time_zone, separators
        self.is_plain = is_plain
        self.refused = pl.repeat(False, raw.len(), dtype=pl.Boolean, eager=True)
        # Which local times a clock shows twice, once a reader of times has looked.
        self.twice: pl.Series | None = None

    def refuse(self, bad: pl.Series, remedy: str) -> None:
        """Note bad cells; a cell is refused for one reason, the first.

        Parameters
        ----------
        bad : polars.Series of bool
            Which ones; null is not bad.
        remedy : str
            What should be there.
        """
        bad = bad.fill_null(False) & ~self.refused
        if bad.any():
            rows = bad.arg_true().to_numpy()
            self.findings.cells(self.column.name, remedy, self.lines[rows], self.raw.gather(rows[:1]))
            self.refused |= bad

    def refuse_type(self, wanted: str) -> pl.Series:
        """Refuse a whole column of the wrong type.

        Parameters
        ----------
        wanted : str
            The type it should have, in words.

        Returns
        -------
        polars.Series
            All null, in the type of the table.
        """
        self.refuse(self.raw.is_not_null(), f"must be {wanted}, but the column holds {type_words(self.raw.dtype)}")
        return self.nothing(self.column.dtype)

    def nothing(self, dtype: pl.DataType) -> pl.Series:
        """As many nulls as there are cells.

        Parameters
        ----------
        dtype : polars data type
            Their type.

        Returns
        -------
        polars.Series
            All null.
        """
        return pl.repeat(None, self.raw.len(), dtype=dtype, eager=True).alias(self.column.name)

    def sound(self, values: pl.Series) -> pl.Series:
        """The values, with null in place of every refused cell.

        Parameters
        ----------
        values : polars.Series
            One per cell.

        Returns
        -------
        polars.Series
            The same where nothing was refused.
        """
        return values.set(self.refused, None) if self.refused.any() else values


def is_text(dtype: pl.DataType) -> bool:
    """Whether cells of this type are texts, or can be written as such without a choice."""
    return dtype in {pl.String, pl.Binary} or isinstance(dtype, pl.Categorical | pl.Enum)
