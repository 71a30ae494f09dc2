"""What a column of numbers means: decimal comma or point and thousands marks, decided by the whole column."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingest.values.texts import distinct_of, is_nothing, plain, with_plain_blanks

# One mark with three digits behind it: a decimal mark or one between thousands.
_EITHER = {".": r"^[+-]?[1-9]\d{0,2}\.\d{3}$", ",": r"^[+-]?[1-9]\d{0,2},\d{3}$"}
_OTHER = {".": ",", ",": "."}
_BLANKS = r"(\d)[ '’](\d{3})"


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers of a column."""

    # Null where empty or refused; a percentage is its hundredth
    values: pl.Series
    # Cells that are no number
    refused: pl.Series
    # `.` or `,`; `.` where no cell has decimals
    decimal: str
    # Whether `1.234` (or `1,234`) may be a thousand or one and a bit, and nothing settles it; a point is then read
    # as the decimal mark, and so is a comma
    is_open: bool = False
    # Whether any cell has a percent sign
    is_percent: bool = False
    # How they are written
    words: str = "numbers"


def read_numbers(cells: pl.Series, decimal: str | None = None) -> Numbers:
    """Numbers of a column, in whatever way they are written.

    Parameters
    ----------
    cells : polars.Series
        Numbers or texts.
    decimal : str, optional
        `.` or `,` where it is known.

    Returns
    -------
    Numbers
        Nothing is raised; what is no number (an amount of money, a word) is refused.

    Examples
    --------
    >>> numbers = read_numbers(pl.Series(["1.234,5", "12", "80 %", "3 EUR"]))
    >>> numbers.values.to_list(), numbers.refused.to_list(), numbers.decimal
    ([1234.5, 12.0, 0.8, None], [False, False, False, True], ',')
    >>> read_numbers(pl.Series(["1,234"])).is_open
    True
    """
    if cells.dtype.is_numeric():
        return _finite(cells, cells.cast(pl.Float64))
    if decimal != "," and (found := _plainly(cells)) is not None:
        return found
    texts = with_plain_blanks(plain(cells))
    distinct, place = distinct_of(texts)
    mark, is_open = _marks(distinct) if decimal is None else (decimal, False)
    found_in = _read(distinct, mark)
    values = found_in["value"].gather(place).rename(cells.name)
    refused = texts.is_not_null() & values.is_null() & ~found_in["is_nothing"].gather(place).fill_null(False)
    is_percent = bool(found_in["is_percent"].any())
    words = "numbers" + (" with decimal comma" if mark == "," else "") + (" in percent" if is_percent else "")
    return Numbers(values, refused, mark, is_open, is_percent, words)


def _plainly(cells: pl.Series) -> Numbers | None:
    """Numbers as programs write them, where no other reading is possible."""
    if cells.dtype != pl.String:
        return None
    values = cells.cast(pl.Float64, strict=False)
    if values.null_count() > cells.null_count() or _maybe_thousands(cells):
        return None
    return _finite(cells, values)


def _finite(cells: pl.Series, values: pl.Series) -> Numbers:
    odd = (~values.is_finite()).fill_null(False)
    return Numbers(values.set(odd, None) if odd.any() else values, odd, ".")


def _maybe_thousands(texts: pl.Series) -> bool:
    """Whether all cells with a point have three digits behind it."""
    point = texts.str.contains(".", literal=True)
    if not point.any():
        return False
    with_point = texts.filter(point)
    if not with_point.head(100).str.contains(_EITHER["."]).all():
        return False
    return bool(with_point.str.contains(_EITHER["."]).all())


def _marks(distinct: pl.Series) -> tuple[str, bool]:
    """Decimal mark, and whether another reading is as good."""
    bare = distinct.drop_nulls().str.replace_all(r"[ '’%+-]", "")
    votes = {mark: int(bare.str.contains(_settles(mark)).sum()) for mark in (".", ",")}
    if votes["."] != votes[","]:
        return max(votes, key=lambda mark: votes[mark]), False
    either = {mark: bool(bare.str.contains(_EITHER[mark]).any()) for mark in (".", ",")}
    if either["."] == either[","]:
        return ".", bool(either["."])
    return ("." if either["."] else ","), True


def _settles(mark: str) -> str:
    """What only a column with this decimal mark can hold."""
    dot, other = (f"\\{each}" for each in (mark, _OTHER[mark]))
    alone = rf"^\d*{dot}(?:\d{{1,2}}|\d{{4,}})(?:[eE][+-]?\d+)?$"
    small = rf"^(?:0+|\d{{4,}}|){dot}\d+$"
    grouped = rf"^\d{{1,3}}(?:{other}\d{{3}})+{dot}\d+$"
    many = rf"^\d{{1,3}}(?:{other}\d{{3}}){{2,}}$"
    return "|".join((alone, small, grouped, many))


def _read(texts: pl.Series, decimal: str) -> pl.DataFrame:
    text = pl.col("text")
    other = _OTHER[decimal]
    bare = (
        text.str.replace(r"\s*%$", "")
        .str.replace(r"^[−–]", "-")
        .str.replace_all(_BLANKS, "${1}${2}")
        .str.replace_all(_BLANKS, "${1}${2}")
    )
    grouped = rf"^([+-]?\d{{1,3}}(?:\{other}\d{{3}})+)(\{decimal}\d*)?$"
    bare = pl.when(bare.str.contains(grouped)).then(bare.str.replace_all(other, "", literal=True)).otherwise(bare)
    bare = pl.when(~bare.str.contains(other, literal=True)).then(bare.str.replace(decimal, ".", literal=True))
    is_percent = text.str.ends_with("%")
    value = bare.str.strip_chars().cast(pl.Float64, strict=False)
    # Polars divides by multiplying with a hundredth: 70 % would not be 0.7.
    value = pl.when(value.is_finite()).then(pl.when(is_percent).then((value / 100).round(12)).otherwise(value))
    return pl.DataFrame({"text": texts}).select(value=value, is_percent=is_percent, is_nothing=is_nothing(texts))
