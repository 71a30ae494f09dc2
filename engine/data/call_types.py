"""Call types: the distinct (queue, set of skills, language, priority) of interactions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.results import about
from engine.stopping import check
from engine.typing import Int32Array

KEY = ("queue_id", "skills", "language", "priority")
# Joins the skills of one set into one text; cannot stand in a name that people type.
SEPARATOR = "\x1f"


def _keys(interactions: pl.DataFrame) -> pl.DataFrame:
    """The four key columns, the skills as one text in the order given."""
    columns = interactions.columns
    skills = pl.col("skills").list.join(SEPARATOR).fill_null("") if "skills" in columns else pl.lit("")
    language = pl.col("language") if "language" in columns else pl.lit(None, dtype=pl.String)
    priority = pl.col("priority").fill_null(0.0) if "priority" in columns else pl.lit(0.0)
    return interactions.select(
        pl.col("queue_id"), skills.alias("skills"), language.alias("language"), priority.alias("priority")
    )


def _as_sets(keys: pl.DataFrame) -> pl.DataFrame:
    """Keys with their skills sorted and without repeats."""
    sets = [SEPARATOR.join(sorted(set(text.split(SEPARATOR)))) for text in keys["skills"]]
    return keys.with_columns(pl.Series("skills", sets, dtype=pl.String))


@dataclass(frozen=True)
class AskedFor:
    """An interaction and what it requires."""

    interaction_id: str = about("Id of the interaction.")
    arrived_us: int = about("When it arrived. [us since 1970, UTC]")
    queue_id: str = about("Queue that it waits in.")
    skills: list[str] = about("Required skills, in order of name.")
    language: str | None = about("Required language; null where any will do.")
    priority: float = about("Priority. [points]")


class CallTypeIndex:
    """Numbers call types in the order in which they first appear.

    The numbers stay the same however the interactions are split into batches, as long as the batches
    come in the same order.

    Examples
    --------
    >>> index = CallTypeIndex()
    >>> index.codes(pl.DataFrame({"queue_id": ["q", "q"], "skills": [["b", "a"], ["a", "b"]]})).tolist()
    [0, 0]
    """

    def __init__(self) -> None:
        key = {"queue_id": pl.String, "skills": pl.String, "language": pl.String, "priority": pl.Float64}
        # Sorting skills row by row is slow, so every way of writing a call type is remembered as it came.
        self._written = pl.DataFrame(schema={**key, "call_type": pl.Int32})
        self._types = pl.DataFrame(schema={**key, "call_type": pl.Int32})

    def __len__(self) -> int:
        return self._types.height

    def codes(self, interactions: pl.DataFrame) -> Int32Array:
        """Call type of every row; new ones are added.

        Parameters
        ----------
        interactions : polars.DataFrame
            Rows of the interactions table; `skills`, `language` and `priority` may be missing.

        Returns
        -------
        (n_interactions,) array of int32
            Number of the call type, a row of `frame`.
        """
        check()
        keys = _keys(interactions)
        fresh = _without(keys.unique(maintain_order=True), self._written)
        if fresh.height:
            sets = _as_sets(fresh)
            self._types = _numbered(self._types, _without(sets.unique(maintain_order=True), self._types))
            codes = _look_up(sets, self._types)
            self._written = pl.concat([self._written, fresh.with_columns(codes)])
        return _look_up(keys, self._written).to_numpy()

    def frame(self) -> pl.DataFrame:
        """Call types in order: queue_id, skills (list, sorted), language, priority."""
        return self._types.select(
            "queue_id",
            pl.when(pl.col("skills") == "")
            .then(pl.lit([], dtype=pl.List(pl.String)))
            .otherwise(pl.col("skills").str.split(SEPARATOR))
            .alias("skills"),
            "language",
            "priority",
        )


def _without(keys: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    return keys.join(known, on=list(KEY), how="anti", nulls_equal=True, maintain_order="left")


def _numbered(types: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    numbers = pl.int_range(types.height, types.height + new.height, dtype=pl.Int32, eager=True)
    return pl.concat([types, new.with_columns(numbers.alias("call_type"))])


def _look_up(keys: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    return keys.join(known, on=list(KEY), how="left", nulls_equal=True, maintain_order="left")["call_type"]


def requirements(call_types: pl.DataFrame) -> tuple[pl.DataFrame, Int32Array]:
    """Distinct (queue_id, skills, language) in order of first appearance, and the one of each call type."""
    index = CallTypeIndex()
    requirement = index.codes(call_types.drop("priority"))
    return index.frame().drop("priority"), np.asarray(requirement, np.int32)
