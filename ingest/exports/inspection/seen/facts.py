"""What is seen of a column before anything is made of it: its words, its cells, how often each is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ingest.exports.inspection.known.vocabulary import Guess, header_of, meanings_of, meant
from ingest.sheets.sheet import Sheet
from ingest.values.kinds import Kind, kind_of
from ingest.values.texts import is_nothing

# Cells of more distinct texts than this are no list of values.
MOST_VALUES = 200
# Of longer columns, evenly spread rows tell what they look like.
_ROWS = 20_000
# One odd word among the values is no reason to doubt them.
MOSTLY = 0.8


@dataclass(frozen=True, eq=False)
class Facts:
    """One column of a sheet."""

    name: str
    cells: pl.Series
    kind: Kind
    meanings: Mapping[str, Guess]  # By its name
    unit: str | None  # That its name says
    has_others_names: frozenset[str] = frozenset()  # `agents`, `queues`: its cells are names of another sheet

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Rows with each text, where there are few texts; the most frequent first."""
        if self.kind.n_distinct > MOST_VALUES or self.cells.dtype.is_nested():
            return {}
        texts = as_text(self.cells).drop_nulls().alias("text")
        found = texts.value_counts(sort=True)
        return (
            dict(zip(found["text"].to_list(), found["count"].to_list(), strict=True))
            if len(found) <= MOST_VALUES
            else {}
        )

    @cached_property
    def distinct(self) -> frozenset[str]:
        """Texts of a sample of the rows."""
        return frozenset(as_text(spread(self.cells)).drop_nulls().unique().to_list())

    def share_meant(self, kind: str) -> float:
        """Share of the rows whose cells are known values of a kind: media, outcome..."""
        total = sum(self.counts.values())
        return sum(n for cell, n in self.counts.items() if meant(kind, cell)) / total if total else 0.0

    @property
    def is_filled(self) -> bool:
        """Whether any cell says something."""
        return self.kind.n_filled > 0

    @cached_property
    def is_unique(self) -> bool:
        """Whether every row has a cell, each another."""
        cells = self.cells
        if self.kind.n_distinct < self.kind.n_seen:
            # A sample tells it for most.
            return False
        return (
            cells.len() > 0
            and cells.null_count() == 0
            and not cells.dtype.is_nested()
            and cells.n_unique() == cells.len()
        )


@dataclass(frozen=True, eq=False)
class Seen:
    """One sheet with what is seen of its columns."""

    sheet: Sheet
    columns: tuple[Facts, ...]
    days: tuple[str, ...] = ()  # Columns that are days of a plan, or its agents where days run down
    is_down: bool = False

    def __getitem__(self, name: str) -> Facts:
        return next(column for column in self.columns if column.name == name)

    @property
    def n_rows(self) -> int:
        """Rows of the sheet."""
        return self.sheet.frame.height


def as_text(cells: pl.Series) -> pl.Series:
    """Cells of any type as people read them."""
    if isinstance(cells.dtype, pl.Duration):
        midnights = cells.cast(pl.Int64).cast(pl.Datetime("us"))
        return midnights.dt.to_string("%H:%M:%S")
    if isinstance(cells.dtype, pl.List):
        return cells.cast(pl.List(pl.String), strict=False).list.join("; ", ignore_nulls=True)
    return cells.cast(pl.String, strict=False)


def spread(cells: pl.Series) -> pl.Series:
    """Evenly spread cells of a long column."""
    return cells.gather_every(max(1, cells.len() // _ROWS)) if cells.len() > _ROWS else cells


def look(sheet: Sheet, days: Sequence[str] = ()) -> Seen:
    """See what the columns of a sheet are like, the days of a plan aside."""
    known = frozenset(days)
    columns = tuple(facts_of(sheet.frame[name]) for name in sheet.frame.columns if name not in known)
    return Seen(sheet, columns, tuple(days))


def facts_of(cells: pl.Series) -> Facts:
    """See what one column is like; `-` and `n/a` are empty cells."""
    if cells.dtype == pl.String and (nothing := is_nothing(cells)).any():
        cells = cells.set(nothing, None)
    return Facts(cells.name, cells, kind_of(cells), meanings_of(cells.name), header_of(cells.name).unit)
