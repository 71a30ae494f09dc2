"""Cells of a text without what only its file needs: blanks around them, blank rows, headers again."""

from __future__ import annotations

import polars as pl

from engine.typing import IntArray
from ingest.sheets.content import Buffer
from ingest.sheets.layout.header import Header

# Bytes of blanks other than the usual one, in UTF-8: tabs, spaces that do not break or are narrow.
_ODD_BLANKS = (b"\t", b"\xa0", b"\xe2", b"\xe3")


def may_have_odd_blanks(data: Buffer, delimiter: str, lines: IntArray) -> bool:
    """Whether values may begin or end with blanks other than the usual one, line ends among them."""
    is_even = not lines.size or lines[-1] - lines[0] == lines.size - 1
    return not is_even or any(data.find(each) >= 0 for each in _ODD_BLANKS if each != delimiter.encode())


def tidy(frame: pl.DataFrame, has_odd_blanks: bool) -> pl.DataFrame:
    """Texts without surrounding blanks, empty ones as null."""
    if not frame.height:
        return frame
    cells = pl.all()
    # Empty, or beginning with a blank or a control character: told by comparing, which is much quicker than searching.
    is_odd = cells.str.contains(r"^\s|\s$|^$") if has_odd_blanks else (cells < "!") | cells.str.ends_with(" ")
    odd = [name for name, found in zip(frame.columns, frame.select(is_odd.any()).row(0), strict=True) if found]
    stripped = [pl.col(name).str.strip_chars() for name in odd]
    return frame.with_columns(pl.when(cell != "").then(cell).name.keep() for cell in stripped)


def repeats(frame: pl.DataFrame, header: Header) -> pl.Series:
    """Where files were put one behind another, the header stands among the rows."""
    last = header.n_named - 1
    if not (frame.to_series(last) == header.cells[last]).any():
        return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    named = [(name, cell) for name, cell in zip(frame.columns, header.cells, strict=False) if cell is not None]
    # A mark of UTF-8 may lead the second file.
    same = [pl.col(name).str.strip_prefix("\ufeff") == cell for name, cell in named]
    return frame.select(pl.all_horizontal(same).fill_null(False)).to_series()


def without_blank(frame: pl.DataFrame, lines: IntArray) -> tuple[pl.DataFrame, IntArray]:
    """Rows with a cell in them."""
    if any(not frame[name].null_count() for name in frame.columns):
        return frame, lines
    return kept(frame, lines, frame.select(~pl.all_horizontal(pl.all().is_null())).to_series())


def kept(frame: pl.DataFrame, lines: IntArray, keep: pl.Series) -> tuple[pl.DataFrame, IntArray]:
    """Some rows, with their lines."""
    return (frame, lines) if keep.all() else (frame.filter(keep), lines[keep.to_numpy()])
