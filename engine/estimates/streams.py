"""Draws that depend on a seed, a purpose and an interaction's id only: the same in any batch, order or worker."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.stopping import check, checked
from engine.typing import FloatArray

# Purposes; each has a stream of its own.
PATIENCE, HANDLING, NO_ANSWER, PICK = range(4)


def uniform(ids: pl.Series, seed: int, purpose: int, replication: int = 0) -> FloatArray:
    """One draw per interaction.

    Parameters
    ----------
    ids : polars.Series of str
        Interaction ids.
    seed : int
        Of the scenario.
    purpose : int
        Which stream.
    replication : int
        Which replication.

    Returns
    -------
    (n,) array of float
        In [0, 1), multiples of 2**-53.

    Examples
    --------
    >>> ids = pl.Series(["a", "b"])
    >>> bool((uniform(ids, 0, PICK) == uniform(ids.reverse(), 0, PICK)[::-1]).all())
    True
    """
    check()
    # A hash of the id rather than a generator: what else is in the data set, and in which order, cannot matter.
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, (purpose << 32) + replication], np.uint64)
    mixed = _mix(_text_numbers(ids) ^ _mix(key[:1] + np.uint64(0x9E3779B97F4A7C15)))
    check()
    mixed = _mix(mixed + _mix(key[1:] + np.uint64(0xD1B54A32D192ED03)))
    check()
    # The 53 upper bits fill a float exactly, so no draw rounds up to 1.
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(x: Any) -> Any:
    """Finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _text_numbers(ids: pl.Series) -> Any:
    """A 64-bit number for each text, FNV-1a over its bytes, many texts at a time."""
    arrow = ids.cast(pl.String).to_arrow()
    import pyarrow as pa

    text = arrow.cast(pa.large_string())
    if text.null_count:
        raise ValueError("ids must not be null")
    n, (_, bounds, data) = len(text), text.buffers()
    starts = np.frombuffer(bounds, np.int64)[text.offset : text.offset + n + 1]
    raw = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    check()
    length = np.diff(starts)
    number = np.full(n, 0xCBF29CE484222325, np.uint64)
    # Byte by byte over all ids at once, since Python would go through them one text at a time.
    for place in checked(range(int(length.max(initial=0)))):
        rows = np.flatnonzero(length > place)
        number[rows] = (number[rows] ^ raw[starts[rows] + place]) * np.uint64(0x100000001B3)
    return number
