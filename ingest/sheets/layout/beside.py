"""What stands in a table besides its rows: titles, totals, remarks, headers again; and how that is said."""

from __future__ import annotations

import re

import polars as pl

# Rows at either end among which totals are looked for.
MOST_TOTALS = 3

_TOTAL = re.compile(
    r"(?:grand total|sub ?total|totals?|overall|sum(?:me|ma)?|zwischensumme|gesamt(?:summe|ergebnis)?|insgesamt|"
    r"total g[eé]n[eé]ral|total general|totale|totaal|totalt|suma|razem|somme|celkem|итого|合計|average|avg\.?|mean|ø|"
    r"durchschnitt|mittelwert|moyenne)\s*(?:\(.*\)|:)?",
    re.IGNORECASE,
)


def totals(frame: pl.DataFrame) -> tuple[int, int]:
    """How many rows at the beginning and at the end are totals of the others."""
    at_start = _n_totals(frame.head(MOST_TOTALS + 1))
    at_end = _n_totals(frame.tail(MOST_TOTALS + 1).reverse())
    return (at_start, at_end) if at_start + at_end < frame.height else (0, 0)


def _n_totals(rows: pl.DataFrame) -> int:
    found = 0
    for row in rows.rows():
        first = next((cell for cell in row if cell is not None), None)
        if not isinstance(first, str) or not _TOTAL.fullmatch(first.strip()):
            break
        found += 1
    return found if found <= MOST_TOTALS else 0


def notes(above: int = 0, again: int = 0, remarks: int = 0, totals: int = 0) -> list[str]:
    """What is said of rows that are none of the table."""
    said = {
        "above the header": above,
        "repeating the header left out": again,
        "of remarks at the end left out": remarks,
        "of totals left out": totals,
    }
    return [f"{n} {'row' if n == 1 else 'rows'} {words}" for words, n in said.items() if n]
