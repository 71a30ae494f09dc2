"""Cells as plain texts, and reading of each distinct one once."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

# What people and programs write where there is nothing, folded.
NOTHING = (
    "-", "--", "---", "–", "—", "n/a", "na", "#n/a", "#n/v", "nan", "null", "(null)", "<null>", "none", "nil", "k.a.",
    "n.a.", "n.v.", "nicht verfugbar", "not available", "(blank)", "(leer)", "leer", "[none]", "nat",
)  # fmt: skip
_MAYBE = r"^[-–—#(<\[nNkKlL]"
_SAMPLE = 20_000
# Above this share of a sample, reading every cell takes less than finding the distinct ones.
_MOSTLY_DISTINCT = 0.97


def plain(cells: pl.Series) -> pl.Series:
    """Texts without blanks around them, null where there is nothing."""
    if isinstance(cells.dtype, pl.List):
        cells = cells.cast(pl.List(pl.String), strict=False).list.join("; ", ignore_nulls=True)
    found = _clocks(cells) if cells.dtype == pl.Duration else cells.cast(pl.String, strict=False).str.strip_chars()
    empty = found.str.len_bytes() == 0
    return found.set(empty.fill_null(False), None) if empty.any() else found


def _clocks(lengths: pl.Series) -> pl.Series:
    """Durations as a workbook shows them: 0:05:10."""
    seconds = lengths.dt.total_seconds()
    parts = {"h": seconds // 3600, "m": seconds // 60 % 60, "s": seconds % 60}
    padded = [pl.col(name).cast(pl.String).str.zfill(2) for name in ("m", "s")]
    text = pl.concat_str([pl.col("h").cast(pl.String), *padded], separator=":")
    return pl.DataFrame(parts).select(text.alias(lengths.name)).to_series()


def with_plain_blanks(texts: pl.Series) -> pl.Series:
    """Texts whose blanks are those that anybody types."""
    if (texts.str.len_bytes() == texts.str.len_chars()).all():
        return texts
    return texts.str.replace_all(r"[\x{a0}\x{2007}\x{2009}\x{202f}]", " ")


def folded(texts: pl.Series) -> pl.Series:
    """Texts in lower case, without accents, each run of blanks one blank."""
    bare = pl.col("text").str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.replace("ß", "ss", literal=True)
    plain = bare.str.to_lowercase().str.replace_all(r"[\s\x{a0}\x{202f}]+", " ").str.strip_chars()
    return texts.to_frame("text").select(plain).to_series()


def is_nothing(texts: pl.Series) -> pl.Series:
    """Which texts stand for an empty cell."""
    # Nearly all of them begin otherwise; to look closer takes longer.
    maybe = texts.str.contains(_MAYBE).fill_null(False)
    if not maybe.any():
        return maybe
    few = texts.filter(maybe).str.to_lowercase().is_in(NOTHING)
    return maybe.clone().scatter(maybe.arg_true(), few)


def over_distinct(texts: pl.Series, read: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """What `read` makes of each cell, asked once for each distinct text; null cells give rows of null."""
    distinct, place = distinct_of(texts)
    return read(distinct)[place]


def distinct_of(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Distinct texts, and the place of each cell among them; null for null."""
    sample = texts.gather_every(max(1, texts.len() // _SAMPLE)).drop_nulls()
    if sample.n_unique() > _MOSTLY_DISTINCT * sample.len() and texts.len() > _SAMPLE:
        every = pl.int_range(texts.len(), dtype=pl.UInt32, eager=True)
        return texts, every if not texts.null_count() else every.set(texts.is_null(), None)
    distinct = texts.drop_nulls().unique()
    if not distinct.len():
        return distinct, pl.repeat(None, texts.len(), dtype=pl.UInt32, eager=True)
    number = pl.int_range(distinct.len(), dtype=pl.UInt32, eager=True)
    return distinct, texts.replace_strict(distinct, number, default=None, return_dtype=pl.UInt32)
