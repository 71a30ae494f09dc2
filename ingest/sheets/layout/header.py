"""Which row of a table names its columns."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Rows at the top among which the header is looked for, and rows below it that it is compared with.
MOST_TITLES, COMPARED = 60, 50
# A row with so large a share of the cells that the fullest row has is a row of the table, and no title.
FULL = 0.6
MOST_COLUMNS = 1_000

Cell = object | None
NUMBER, MOMENT, WORD = "number", "moment", "word"

_NUMBER = re.compile(r"[+-]?\d[\d.,'’\u00a0\u202f ]*(?:[eE][+-]?\d+)?\s?%?")
_MOMENT = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[T ,].*)?|\d{1,3}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
)
# Days of the week as plans write them over or under their dates, in the languages of Europe.
_WEEKDAY = re.compile(
    r"(?:mo|di|mi|do|fr|sa|so|mon|tue|wed|thu|fri|sat|sun|lu|ma|me|je|ve|di|lun|mar|mer|jeu|ven|sam|dim|mié|mie|jue|vie|sáb|"
    r"sab|dom|gio|sáb|wo|vr|za|zo|pn|wt|śr|sr|cz|pt|so|nd|po|út|st|čt|pá|ne|ti|on|to|lö|sö|"
    r"(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|(?:mon|tues|wednes|thurs|fri|satur|sun)day|lundi|mardi|mercredi|"
    r"jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo)\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """The row that names the columns."""

    place: int  # Among the rows given; the last where two rows name the columns
    cells: tuple[Cell, ...]  # What they are called, None for those without a name

    @property
    def n_named(self) -> int:
        """Columns up to the last that has a name."""
        return 1 + max(place for place, cell in enumerate(self.cells) if cell is not None)

    def is_like(self, row: Sequence[Cell]) -> bool:
        """Whether a row says the same again."""
        return list(row[: self.n_named]) == list(self.cells[: self.n_named])


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
        if not filled[place] or filled[place] < FULL * fullest or _is_title(rows, filled, place):
            continue
        below = [row for row, n in zip(rows[place + 1 :], filled[place + 1 :], strict=True) if n][:COMPARED]
        if _looks_like(rows[place], below):
            return (
                f"values ({_sample(rows[place])}) where the names of the columns should be; write a row with a name "
                "for each column above them"
            )
        return _with_neighbours(rows, place)
    return "no row names the columns; it needs a header and at least one row"


def _is_title(rows: Sequence[Sequence[Cell]], filled: Sequence[int], place: int) -> bool:
    """Whether a row that is full enough stands in a block of titles: `From:` and a day, or a name and a value.

    A blank row ends such a block, and the row behind it is as full and names columns of numbers or times.
    """
    end = next((i for i in range(place, len(rows)) if not filled[i]), None)
    behind = None if end is None else next((i for i in range(end, min(len(rows), MOST_TITLES)) if filled[i]), None)
    if behind is None or filled[behind] < filled[place]:
        return False
    below = [row for row, n in zip(rows[behind + 1 :], filled[behind + 1 :], strict=True) if n][:COMPARED]
    if not below or _looks_like(rows[behind], below) or any(kind_of_cell(cell) == NUMBER for cell in rows[behind]):
        return False
    # What stands behind the blank row is no more of the same table.
    block = [row for row, n in zip(rows[place:end], filled[place:end], strict=True) if n]
    return len(block) == 1 or not any(_is_like(rows[behind], row) for row in block[1:]) or _are_pairs(block)


def _are_pairs(block: Sequence[Sequence[Cell]]) -> bool:
    """Whether each row is what is told and its value: `Queue:`, `Service`."""
    return all(str(next(cell for cell in row if cell is not None)).rstrip().endswith(":") for row in block)


def _is_like(row: Sequence[Cell], other: Sequence[Cell]) -> bool:
    """Whether two rows have the same kinds of cells."""
    return [kind_of_cell(cell) for cell in row] == [kind_of_cell(cell) for cell in other]


def _with_neighbours(rows: Sequence[Sequence[Cell]], place: int) -> Header:
    """Names of columns from two rows, where a header has two: days over weekdays, groups over names."""
    row, below = rows[place], rows[place + 1] if place + 1 < len(rows) else ()
    above = rows[place - 1] if place else ()
    if _are_weekdays(row) and _are_days(below):
        return Header(place + 1, tuple(_filled(below, row)))
    if _are_weekdays(below) and not _are_weekdays(row):
        return Header(place + 1, tuple(row))
    if _is_second_row(row, below):
        return Header(place + 1, tuple(_filled(below, row)))
    names = _filled(row, above)
    # The same names under several groups, which stand over the first of each.
    if len(set(names)) < len(names) and sum(cell is not None for cell in above) > 1:
        groups = _spread(above, len(row))
        names = [
            f"{shown(group)} {shown(cell)}" if group is not None and row.count(cell) > 1 else cell
            for group, cell in zip(groups, names, strict=True)
        ]
    return Header(place, tuple(names))


def _filled(row: Sequence[Cell], other: Sequence[Cell]) -> list[Cell]:
    """A row, with cells of another where it has none."""
    cells = [*row, *[None] * (len(other) - len(row))]
    return [other[at] if cell is None and at < len(other) else cell for at, cell in enumerate(cells)]


def _spread(groups: Sequence[Cell], width: int) -> list[Cell]:
    """Each group over all its columns."""
    found: list[Cell] = []
    for at in range(width):
        cell = groups[at] if at < len(groups) else None
        found.append(cell if cell is not None or not found else found[-1])
    return found


def _are_weekdays(row: Sequence[Cell]) -> bool:
    cells = [cell for cell in row if cell is not None]
    n_days = sum(isinstance(cell, str) and _WEEKDAY.fullmatch(cell) is not None for cell in cells)
    return n_days >= 2 and n_days >= FULL * len(cells)


def _are_days(row: Sequence[Cell]) -> bool:
    kinds = [kind_of_cell(cell) for cell in row if cell is not None]
    return len(kinds) >= 2 and sum(kind in {NUMBER, MOMENT} for kind in kinds) >= FULL * len(kinds)


def _is_second_row(row: Sequence[Cell], below: Sequence[Cell]) -> bool:
    """Whether a row names what the header above it names in groups only: `Skills` over `Service`, `Technik`."""
    cells = [(at, cell) for at, cell in enumerate(below) if cell is not None]
    blank = {at for at in range(len(below)) if at >= len(row) or row[at] is None}
    # Blanks at the end belong to no group.
    if not cells or not blank or any(kind_of_cell(cell) != WORD for _, cell in cells):
        return False
    places = {at for at, _ in cells}
    return places & blank == blank and all(at in blank or at + 1 in blank for at in places)


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


def names_of(row: Sequence[Cell]) -> tuple[str, ...]:
    """Names of columns, each different: a blank one `column 3`, one that is there before `Skill (2)`."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(row):
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
