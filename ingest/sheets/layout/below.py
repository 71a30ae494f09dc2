"""A second, narrow table below the first of a sheet: the legend of a shift plan's codes, or remarks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.sheets.layout.header import WORD, Cell, Header, kind_of_cell

# A table of fewer columns has none: its own rows may be as narrow.
LEAST_COLUMNS, MOST_COLUMNS, MOST_ROWS = 4, 4, 60
# A code and what it means in one cell: `F = 06:00-14:00`, `S: Spätdienst 14-22 Uhr`.
_PAIR = re.compile(r"(\S{1,8})\s*(?:=|:(?=\s)|\s[–-]\s)\s*(.*\S)")
_NAMES: tuple[Cell, ...] = ("code", "span", "remark", "column 4")


def first_below(rows: Sequence[Sequence[Cell]], n_named: int) -> int | None:
    """Where it begins: behind a blank row, and few cells of each row from there on are filled."""
    filled = [sum(cell is not None for cell in row) for row in rows]
    if n_named < LEAST_COLUMNS:
        return None
    most = min(MOST_COLUMNS, n_named // 2)
    first = len(rows)
    while first and filled[first - 1] <= most:
        first -= 1
    # Nothing of the table itself: what is narrow above the blank row belongs to it.
    gap = next((at for at in range(first, len(rows)) if not filled[at]), len(rows))
    below = next((at for at in range(gap, len(rows)) if filled[at]), None)
    if below is None or not any(filled[:gap]) or len(rows) - below > MOST_ROWS:
        return None
    return below


def legend(rows: Sequence[Sequence[Cell]]) -> tuple[Header, int, list[list[Cell]]] | None:
    """Its header, the place of the row behind that, and all its rows; None where these are remarks."""
    filled = [[cell for cell in row if cell is not None] for row in rows]
    widths = [len(cells) for cells in filled if cells]
    if max(widths) == 1:
        pairs = [_PAIR.fullmatch(str(cells[0])) if cells else None for cells in filled]
        # A line above them says that it is a legend.
        start = 1 if filled and pairs[0] is None else 0
        if not any(pairs) or not all(
            pair or not cells for pair, cells in zip(pairs[start:], filled[start:], strict=True)
        ):
            return None
        return Header(0, _NAMES[:2]), start, [list(pair.groups()) if pair else [None] * 2 for pair in pairs[start:]]
    start = 1 if len(filled[0]) == 1 and len(filled) > 1 else 0
    places = [at for at in range(len(rows[0])) if any(row[at] is not None for row in rows[start:])]
    if len(places) > MOST_COLUMNS:
        return None
    cut = [[row[at] for at in places] for row in rows[start:]]
    if _names_columns(cut):
        return Header(0, tuple(cut[0])), start + 1, cut[1:]
    return Header(0, _NAMES[: len(places)]), start, cut


def _names_columns(rows: list[list[Cell]]) -> bool:
    """Whether the first row names the others: words without figures over cells with figures."""
    figures = [[any(letter.isdigit() for letter in str(cell or "")) for cell in row] for row in rows]
    is_words = all(cell is None or kind_of_cell(cell) == WORD for cell in rows[0]) and not any(figures[0])
    return is_words and len(rows) > 1 and any(any(row) for row in figures[1:]) and len(str(rows[0][0] or "")) > 2
