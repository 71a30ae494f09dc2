"""Files as people have them: what they are taken for, and the centre that they make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InvalidTable, MissingInput
from engine.setting import shown
from routelab.centre import Centre, centre_of
from routelab.showing import html_table

if TYPE_CHECKING:
    import polars as pl

    from ingest.exports.inspection.found import Found, Question
    from ingest.sheets import Sheet


@dataclass(frozen=True, repr=False)
class Inspection:
    """What files are taken for.

    Parameters
    ----------
    sheets : list of Sheet
        All tables of cells of the files.
    found : Found
        What each is, with the profile that says so.
    """

    sheets: list[Sheet]
    found: Found

    @property
    def questions(self) -> tuple[Question, ...]:
        """What only a person can settle; answer by `answers={question.key: ...}`."""
        return self.found.questions

    @property
    def profile(self) -> str:
        """How the files become tables, as TOML to keep."""
        from ingest.exports.profile.writing import profile_text

        return profile_text(self.found.profile)

    def to_frame(self) -> pl.DataFrame:
        """A row for each column of each file.

        Returns
        -------
        polars.DataFrame
            file, table, column, ours (null where it is not used), why.
        """
        import polars as pl

        names = ("file", "table", "column", "ours", "why")
        return pl.DataFrame(self._rows(), dict.fromkeys(names, pl.String), orient="row")

    def read(self) -> Centre:
        """The centre that the files make.

        Returns
        -------
        Centre
            Checked.

        Raises
        ------
        InvalidTable
            If a question is open, or with all problems, each naming file, row, column, value and remedy.
        """
        from ingest.exports.shaping import shape

        if self.questions:
            raise InvalidTable(*(f"{each.text} (answers={{{each.key!r}: ...}})" for each in self.questions))
        zone = self.found.profile.time_zone
        shaped = shape(self.found.profile, self.sheets, time_zone=zone)
        return centre_of(shaped.tables, {"time_zone": zone}, shaped.assumptions, shaped.repairs)

    def _rows(self) -> list[tuple[str | None, ...]]:
        return [
            (sheet.sheet.name, sheet.table, column.name, column.ours, column.why)
            for sheet in self.found.sheets
            for column in sheet.columns
        ]

    def __repr__(self) -> str:
        taken = ", ".join(f"{sheet.sheet.name}: {sheet.table or 'not used'}" for sheet in self.found.sheets)
        n = len(self.questions)
        return f"Inspection of {taken}; {n} question{'' if n == 1 else 's'} open"

    def _repr_html_(self) -> str:
        rows = [[cell or "" for cell in row] for row in self._rows()]
        return html_table(["file", "table", "column", "ours", "why"], rows, repr(self))


def inspect(
    *files: str | os.PathLike[str], time_zone: str | None = None, dates: str | None = None,
    profile: str | os.PathLike[str] | None = None, answers: Mapping[str, str] | None = None,
) -> Inspection:  # fmt: skip
    """What files hold as we understand it: workbooks, text of any kind, Parquet, folders and patterns, in any order.

    Parameters
    ----------
    *files : path
        At least one; `FILE#SHEET` for one sheet of a workbook.
    time_zone : str, optional
        IANA zone of times that name none.
    dates : {None, "dmy", "mdy", "ymd"}
        Order of day, month and year where nothing in the files settles it.
    profile : path, optional
        How such files were understood before.
    answers : mapping, optional
        Answers to the questions of an earlier inspection, by their keys.

    Returns
    -------
    Inspection
        Columns with reasons, questions, the profile; `read()` makes a centre of it.

    Raises
    ------
    InvalidTable
        If a file holds no table.
    MissingInput
        If a file is not there.
    """
    from ingest.exports.inspection import inspect as found_in
    from ingest.exports.profile.reading import read_profile
    from ingest.sheets import read_sheets

    wrong = [each for each in files if not isinstance(each, str | os.PathLike)]
    if wrong or not files:
        raise MissingInput(f"{shown(wrong[0]) if wrong else 'nothing'} is no file to inspect; give paths as texts")
    sheets = read_sheets([os.fspath(each) for each in files])
    known = None if profile is None else read_profile(Path(profile))
    return Inspection(
        sheets, found_in(sheets, time_zone=time_zone, dates=dates, profile=known, answers=dict(answers or {}))
    )
