"""Goals of a service level: `80/20`, `80 % in 20 s`, `0,8/20`."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ingest.values.texts import folded, over_distinct, plain, with_plain_blanks

_GOAL = (
    r"^(\d+(?:[.,]\d+)?)\s*(%)?\s*(?:/|\\|in|innerhalb|within|dans|en|entro|binnen|em|≤|<=?|@)\s*(?:von |de |of )?"
    r"(\d+(?:[.,]\d+)?)\s*"
    r"(s|secs?|seconds?|sek|sekunden?|secondes?|segundos?|second[oi]|seconden|m|mins?|minutes?|minuten?|minutos?|minut[oi]|h|hours?|stunden?)?\.?$"
)
# Nobody aims at less, and dates look like it.
_LEAST_SHARE = 0.1
_LONGEST_S = 7 * 86_400.0


@dataclass(frozen=True, eq=False)
class Goals:
    """Goals of a column."""

    # To be answered in time, 0 to 1; null where empty or refused
    share: pl.Series
    # What in time is. [s]
    seconds: pl.Series
    # Cells that are no goal
    refused: pl.Series


def read_goals(cells: pl.Series) -> Goals:
    """Goals, in whatever way they are written.

    Parameters
    ----------
    cells : polars.Series
        Texts.

    Returns
    -------
    Goals
        Nothing is raised; what is no goal is refused.

    Examples
    --------
    >>> goals = read_goals(pl.Series(["80/20", "90 % in 1 min", "0,8/20", "soon"]))
    >>> goals.share.to_list(), goals.seconds.to_list()
    ([0.8, 0.9, 0.8, None], [20.0, 60.0, 20.0, None])
    """
    texts = with_plain_blanks(plain(cells))
    found = over_distinct(texts, _parts)
    return Goals(found["share"], found["seconds"], texts.is_not_null() & found["share"].is_null())


def _parts(texts: pl.Series) -> pl.DataFrame:
    groups = folded(texts).str.extract_groups(_GOAL).struct.rename_fields(["share", "percent", "time", "unit"])
    share, time = (pl.col(name).str.replace(",", ".", literal=True).cast(pl.Float64) for name in ("share", "time"))
    # Polars divides by multiplying: 70 / 100 would not be 0.7.
    # One is all of them only with a percent sign beyond doubt; nobody aims at one per cent.
    share = pl.when(pl.col("percent").is_null() & (share <= 1)).then(share).otherwise((share / 100).round(12))
    unit = pl.col("unit").str.head(1).replace_strict({"m": 60.0, "h": 3600.0}, default=1.0, return_dtype=pl.Float64)
    seconds = time * unit.fill_null(1.0)
    is_sound = share.is_between(_LEAST_SHARE, 1) & seconds.is_between(0, _LONGEST_S)
    return groups.struct.unnest().select(share=pl.when(is_sound).then(share), seconds=pl.when(is_sound).then(seconds))
