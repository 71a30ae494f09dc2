"""A block of rows of an input file: what every format is turned into before its cells are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.errors import InvalidTable

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Some rows of a file."""

    frame: pl.DataFrame  # The cells as they stand in the file, columns named as in the table
    # The number of each row as the user counts: lines of a CSV file from 1, header included; rows of other files from 0
    lines: Lines
    share: float  # How much of the file has been read, 0 to 1
    is_plain: bool = False  # Texts have no blanks around, lists are split already


class Stop(Protocol):
    """Gives the error that ends the reading of a file."""

    def __call__(self, sentence: str, row: int | None = None) -> InvalidTable:
        """With what was found and the way out, and the row it is about."""
        ...
