"""Cells that name several things, perhaps with a level each: `Rechnung (3), Technik (2)`, `a;b`, `a:3|b:2`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from ingest.values.texts import distinct_of, plain, with_plain_blanks
from ingest.values.vocabulary import fold

NAMED = pl.List(pl.Struct({"name": pl.String, "level": pl.Float64}))
HIGHEST = 5.0
_US = "\x1f"
# Often part of a name; the words have blanks around.
_PERHAPS = ("/", "+", "&", " und ", " and ", " et ", " y ", " e ", " en ")
_COMMA = r"([(\[=:]\s*\d+),(\d+\s*(?:[)\]%;|\n]|$))"
_GRADE = r"([\d.]+|[A-Ea-e])\s*(%)?"
_LEVEL = rf"^(.*?\S)\s*(?:[(\[]\s*(?i:level|stufe|niveau|lvl|l)?\s*{_GRADE}\s*[)\]]|[:=]\s*{_GRADE})$"
_SHORT = r"^[A-Z]{2,3}(?: [A-Z]{2,3})+$"
_WORDS = {
    "\n": "line breaks",
    ";": "semicolons",
    "|": "bars",
    ",": "commas",
    "/": "slashes",
    "+": "plus signs",
    "&": "and signs",
    "\t": "tabs",
    " ": "blanks",
}


@dataclass(frozen=True, eq=False)
class Names:
    """Names of each cell."""

    # In their order; the level is null where none is written, and as written where it is. Null where empty
    values: pl.Series
    # Cells with an entry that has no name, or twice one name with different levels
    refused: pl.Series
    # What stands between names; None where every cell has one
    separator: str | None
    # Levels other than 0 to 5: `0-10`, `0-100`, `A-E`; they are for the caller to ask about
    scale: str | None
    # How they are written
    words: str

    @property
    def is_open(self) -> bool:
        """Whether levels are of another scale than 0 to 5."""
        return self.scale is not None


def read_names(cells: pl.Series, separator: str | None = None, known: Collection[str] = ()) -> Names:
    """Names of each cell, split as the whole column says.

    Parameters
    ----------
    cells : polars.Series
        Texts, or lists of texts.
    separator : str, optional
        What stands between names, where it is known.
    known : collection of str
        Names that stand alone in other files; a slash, a plus or an `and` separates where all its parts are such, or
        stand alone in the column.

    Returns
    -------
    Names
        Nothing is raised.

    Examples
    --------
    >>> names = read_names(pl.Series(["Rechnung (3), Technik (2)", "Technik"]))
    >>> [[tuple(each.values()) for each in cell] for cell in names.values.to_list()]
    [[('Rechnung', 3.0), ('Technik', 2.0)], [('Technik', None)]]
    >>> read_names(pl.Series(["voice (80)"])).scale
    '0-100'
    """
    if isinstance(cells.dtype, pl.List):
        cells = cells.cast(pl.List(pl.String), strict=False).list.join("\n", ignore_nulls=True)
    distinct, place = distinct_of(cells.cast(pl.String, strict=False))
    distinct = with_plain_blanks(plain(distinct)).str.replace_all(_COMMA, "${1}.${2}")
    between = _separators(distinct, known) if separator is None else (separator,)
    entries = _entries(distinct, between)
    scale = _scale(entries)
    lists = entries.group_by("row", maintain_order=True).agg(
        pl.struct("name", "level").alias("values"), (pl.col("name").is_null() | pl.col("again")).any().alias("bad")
    )
    rows = pl.DataFrame({"row": pl.int_range(distinct.len(), dtype=pl.UInt32, eager=True)})
    found = rows.join(lists, on="row", how="left", maintain_order="left")
    bad = found["bad"].fill_null(False)
    values = found["values"].cast(NAMED).set(bad, None)[place].rename(cells.name)
    said = ", ".join(_WORDS.get(each, each) for each in between)
    words = f"names with {said} between" if between else "names"
    return Names(values, bad[place].fill_null(False), between[0] if between else None, scale, words)


def _separators(texts: pl.Series, known: Collection[str]) -> tuple[str, ...]:
    """What stands between names: what hardly belongs to one, else what parts names that stand alone elsewhere."""
    outside = texts.str.replace_all(r"\([^()]*\)|\[[^\[\]]*\]", "")
    strong = tuple(each for each in ("\n", ";", "|", "\t") if outside.str.contains(each, literal=True).any())
    if strong:
        return strong
    if outside.str.contains(",", literal=True).any():
        return (",",)
    alone = {fold(name) for name in (*_stem(texts).drop_nulls().to_list(), *known)}
    for each in _PERHAPS:
        with_it = outside.filter(outside.str.contains(each, literal=True).fill_null(False))
        parts = _stem(with_it.str.split(each).explode().str.strip_chars()).drop_nulls().unique().to_list()
        if parts and alone.issuperset(map(fold, parts)):
            return (each,)
    several = outside.filter(outside.str.contains(" ", literal=True).fill_null(False))
    return (" ",) if several.len() and several.str.contains(_SHORT).all() else ()


def _stem(names: pl.Series) -> pl.Series:
    return names.str.replace(_LEVEL, "${1}")


def _entries(texts: pl.Series, between: tuple[str, ...]) -> pl.DataFrame:
    """One line for each name: row, name, level, letter, percent, and whether the row has it already."""
    joined = texts
    for each in between:
        joined = joined.str.replace_all(each, _US, literal=True)
    frame = pl.DataFrame({"part": joined.str.split(_US)}).with_row_index("row").explode("part")
    part = pl.col("part").str.strip_chars()
    frame = frame.with_columns(part=part).filter(pl.col("part").is_not_null() & (pl.col("part") != ""))
    groups = pl.col("part").str.extract_groups(_LEVEL).struct
    level = pl.coalesce(groups.field("2"), groups.field("4"))
    name = pl.coalesce(groups.field("1"), "part").str.strip_chars()
    frame = frame.select(
        "row",
        name=pl.when(name.str.contains(r"[\p{L}\p{N}]")).then(name),
        level=level.cast(pl.Float64, strict=False),
        letter=pl.when(level.str.contains(r"^[A-Ea-e]$")).then(level.str.to_uppercase()),
        is_percent=pl.coalesce(groups.field("3"), groups.field("5")).is_not_null(),
    )
    frame = frame.unique(["row", "name", "level", "letter"], keep="first", maintain_order=True)
    return frame.with_columns(again=pl.struct("row", "name").is_duplicated())


def _scale(entries: pl.DataFrame) -> str | None:
    if entries["letter"].is_not_null().any():
        return "A-E"
    highest = entries["level"].max()
    if entries["is_percent"].any():
        return "0-100"
    if not isinstance(highest, float) or highest <= HIGHEST:
        return None
    return "0-10" if highest <= 10 else "0-100" if highest <= 100 else f"0-{highest:g}"
