"""Arrow's many types brought to the few that cells are read from, without wrapping or losing a value."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
# Years 2 to 9998: wide enough to be refused by its year, narrow enough for any zone to be applied.
_FIRST_S, _LAST_S = -62_104_060_800, 253_339_228_800


def plain(column: pa.Array) -> pa.Array:
    """A column in a type that polars takes over as it is.

    Parameters
    ----------
    column : pyarrow.Array
        Any type.

    Returns
    -------
    pyarrow.Array
        Maps as lists of entries, timestamps in microseconds (UTC where they name a zone), durations and
        decimals as floats, dates and clock times as texts; anything else as it is.

    Examples
    --------
    >>> plain(pa.array([1, 2], pa.duration("ms"))).to_pylist()
    [0.001, 0.002]
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pa.types.is_map(kind):
        return column.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
    if pa.types.is_timestamp(kind):
        return _timestamp(column)
    if pa.types.is_duration(kind):
        return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), float(_PER_SECOND[kind.unit]))
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return column.cast(pa.string())
    return column


def _timestamp(column: pa.Array) -> pa.Array:
    """Microseconds; a moment too far away for the unit stops at the end of the calendar, not at a wrapped one."""
    kind, unit = column.type, _PER_SECOND[column.type.unit]
    ticks = column.cast(pa.int64())
    if kind.unit != "ns":
        ticks = pc.max_element_wise(ticks, _FIRST_S * unit, skip_nulls=False)
        ticks = pc.min_element_wise(ticks, _LAST_S * unit, skip_nulls=False)
    clipped = ticks.cast(pa.timestamp(kind.unit, None if kind.tz is None else "UTC"))
    return clipped.cast(pa.timestamp("us", clipped.type.tz), safe=False)
