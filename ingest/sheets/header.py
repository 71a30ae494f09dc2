"""Which row of a table names its columns, what stands above it, and which rows below are totals."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

# Rows at the top among which the header is looked for, and rows below it that it is compared with.
MOST_TITLES, COMPARED = 60, 50
# A row with so large a share of the cells that the fullest row has is a row of the table, and no title.
FULL = 0.6
MOST_COLUMNS = 1_000
# Rows at the end among which totals are looked for.
MOST_TOTALS = 3

Cell = object | None
NUMBER, MOMENT, WORD = "number", "moment", "word"

_NUMBER = re.compile(r"[+-]?\d[\d.,'’\u00a0\u202f ]*(?:[eE][+-]?\d+)?\s?%?")
_MOMENT = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[T ,].*)?|\d{1,3}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
)
_TOTAL = re.compile(
    r"(?:grand total|sub ?total|totals?|overall|sum(?:me)?|zwischensumme|gesamt(?:summe|ergebnis)?|insgesamt|"
    r"total g[eé]n[eé]ral|totale|totaal|totalt|suma|razem|somme|celkem|итого|合計|total general)\s*(?:\(.*\)|:)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """The row that names the columns."""

    place: int  # Among the rows given
    names: tuple[str, ...]  # One for each column, each different


def kind_of_cell(cell: Cell) -> str | None:
    """What a cell looks like; None for an empty one."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return WORD
    if isinstance(cell, int | float):
        return NUMBER
    if isinstance(cell, dt.date | dt.time | dt.timedelta):
        return MOMENT
    text = str(cell)
    if _MOMENT.fullmatch(text):
        return MOMENT
    return NUMBER if _NUMBER.fullmatch(text) else WORD


def find_header(rows: Sequence[Sequence[Cell]]) -> Header | str:
    """The first row that is as full as those below it and does not look like them; or why there is none."""
    filled = [sum(cell is not None for cell in row) for row in rows]
    for place in range(min(len(rows), MOST_TITLES)):
        fullest = max(filled[place : place + COMPARED])
        if not filled[place] or filled[place] < FULL * fullest:
            continue
        below = [row for row, n in zip(rows[place + 1 :], filled[place + 1 :], strict=True) if n][:COMPARED]
        if _looks_like(rows[place], below):
            return (
                f"values ({_sample(rows[place])}) where the names of the columns should be; write a row with a name "
                "for each column above them"
            )
        return Header(place, names_of(rows[place]))
    return "no row names the columns; it needs a header and at least one row"


def _looks_like(row: Sequence[Cell], below: Sequence[Sequence[Cell]]) -> bool:
    """Whether most cells of a row are numbers and times under which more of the same stand."""
    n_same = n_told = 0
    for place, cell in enumerate(row):
        kind = kind_of_cell(cell)
        kinds = [kind_of_cell(other[place]) for other in below if place < len(other) and other[place] is not None]
        if kind is None or not kinds:
            continue
        if kind in {NUMBER, MOMENT}:
            n_same += kinds.count(kind) > len(kinds) / 2
        n_told += kinds.count(WORD) <= len(kinds) / 2
    return n_same > 0 and n_same > n_told / 2


def _sample(row: Sequence[Cell]) -> str:
    return ", ".join(repr(shown(cell)) for cell in row if cell is not None)[:80]


def names_of(row: Sequence[Cell], width: int = 0) -> tuple[str, ...]:
    """Names of columns, each different: a blank one `column 3`, one that is there before `Skill (2)`."""
    cells = [*row, *[None] * (width - len(row))][: width or None]
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(cells):
        plain = " ".join(shown(cell).replace("\ufeff", "").split()) or f"column {place + 1}"
        name, n = plain, 1
        while name in taken:
            n += 1
            name = f"{plain} ({n})"
        taken.add(name)
        names.append(name)
    return tuple(names)


def shown(cell: Cell) -> str:
    """A cell as people see it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(cell, dt.time):
        return cell.isoformat("seconds")
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ", "seconds")
    return str(cell)


def n_totals(frame: pl.DataFrame) -> int:
    """Rows at the end that are totals of those above."""
    found = 0
    for row in frame.tail(MOST_TOTALS + 1).rows()[::-1]:
        first = next((cell for cell in row if cell is not None), None)
        if not isinstance(first, str) or not _TOTAL.fullmatch(first.strip()):
            break
        found += 1
    return found if found <= MOST_TOTALS and found < frame.height else 0


def above_note(n_above: int) -> list[str]:
    """What is said of rows above the header."""
    return [f"{n_above} {'row' if n_above == 1 else 'rows'} above the header"] if n_above else []


def totals_note(n: int) -> str:
    """What is said of totals."""
    return f"{n} {'row' if n == 1 else 'rows'} of totals at the end left out"


def again_note(n_again: int) -> list[str]:
    """What is said of rows that repeat the header, where files were put one behind another."""
    return [f"{n_again} {'row' if n_again == 1 else 'rows'} repeating the header left out"] if n_again else []


def remarks_note(n: int) -> list[str]:
    """What is said of remarks below a table."""
    return [f"{n} {'row' if n == 1 else 'rows'} of remarks at the end left out"] if n else []
