"""One reading of every conversation: where several were read, the last one counts, wholly."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

Frames = dict[str, pl.DataFrame]
_ID = "conversation_id"


def winners(lives: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The conversations of each reading that no later one holds.

    Parameters
    ----------
    lives : sequence of polars.DataFrame
        Column conversation_id of each reading, the oldest first.

    Returns
    -------
    list of polars.DataFrame
        Column conversation_id, one frame for each reading.

    Examples
    --------
    >>> first, second = pl.DataFrame({"conversation_id": ["a", "b"]}), pl.DataFrame({"conversation_id": ["b"]})
    >>> [frame["conversation_id"].to_list() for frame in winners([first, second])]
    [['a'], ['b']]
    """
    none = pl.DataFrame(schema={_ID: pl.String, "reading": pl.UInt32})
    numbered = [frame.select(_ID, reading=pl.lit(number, pl.UInt32)) for number, frame in enumerate(lives)]
    last = pl.concat([none, *numbered]).group_by(_ID).agg(pl.col("reading").max())
    by_reading = last.partition_by("reading", as_dict=True, include_key=False)
    return [by_reading.get((number,), none.select(_ID)) for number in range(len(lives))]


def own(frame: pl.DataFrame, won: pl.DataFrame) -> pl.DataFrame:
    """Rows of a reading whose conversations count; rows of no conversation stay.

    Parameters
    ----------
    frame : polars.DataFrame
        With column conversation_id.
    won : polars.DataFrame
        From `winners`, of the same reading.

    Returns
    -------
    polars.DataFrame
        In the same order.
    """
    return frame.join(won, on=_ID, how="semi", maintain_order="left", nulls_equal=False).vstack(
        frame.filter(pl.col(_ID).is_null())
    )


def merged(readings: Sequence[Frames]) -> Frames:
    """Several readings as one.

    Parameters
    ----------
    readings : sequence of dict of str to polars.DataFrame
        Frames by name, `lives` among them, each with conversation_id; the oldest reading first; at least one.

    Returns
    -------
    dict of str to polars.DataFrame
        Every conversation as it was read last.
    """
    won = winners([frames["lives"] for frames in readings])
    return {
        name: pl.concat([own(frames[name], kept) for frames, kept in zip(readings, won, strict=True)])
        for name in readings[0]
    }
