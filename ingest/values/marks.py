"""Yes and no in several languages, as marks or words."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingest.values.texts import folded, over_distinct, plain
from ingest.values.vocabulary import words

YES = words("x yes y ja j oui o si s sim true wahr vrai verdadero vero waar verdadeiro 1 tak da on ok ✓ ✔ ✅ ☑ √ + •")
NO = words("no n nein nee non nao não false falsch faux falso onwaar 0 nie nej off - – — ✗ ✘ ❌ ☐ .")


@dataclass(frozen=True, eq=False)
class Marks:
    """Yes or no for each cell."""

    # Null where empty or refused
    values: pl.Series
    # Cells that say neither
    refused: pl.Series


def read_marks(cells: pl.Series) -> Marks:
    """Yes or no, as people mark it.

    Parameters
    ----------
    cells : polars.Series
        Texts, numbers 0 and 1, or truth values.

    Returns
    -------
    Marks
        Nothing is raised; other cells are refused.

    Examples
    --------
    >>> read_marks(pl.Series(["x", None, "Nein", "Sí", "5"])).values.to_list()
    [True, None, False, True, None]
    """
    if cells.dtype == pl.Boolean:
        return Marks(cells, pl.repeat(False, cells.len(), dtype=pl.Boolean, eager=True))
    texts = plain(cells.cast(pl.Int64, strict=False) if cells.dtype.is_float() else cells)
    found = over_distinct(texts, _meant)["value"].rename(cells.name)
    return Marks(found, cells.is_not_null() & (texts.is_not_null() | cells.dtype.is_numeric()) & found.is_null())


def _meant(texts: pl.Series) -> pl.DataFrame:
    plain_texts = folded(texts)
    meaning = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)
    return pl.DataFrame({"value": plain_texts.replace_strict(meaning, default=None, return_dtype=pl.Boolean)})
