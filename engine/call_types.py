"""Call types: the distinct (queue, set of skills, language, priority) of interactions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.typing import Int32Array

KEY = ("queue_id", "skills", "language", "priority")
# Joins the skills of one set into one text; cannot stand in a name that people type.
SEPARATOR = "\x1f"


def _plain(interactions: pl.DataFrame) -> pl.DataFrame:
    """The four key columns with the set of skills as one text, sorted and without repeats."""
    columns = interactions.columns
    if "skills" in columns:
        skills = pl.col("skills").list.unique().list.eval(pl.element().sort()).list.join(SEPARATOR).fill_null("")
    else:
        skills = pl.lit("")
    language = pl.col("language") if "language" in columns else pl.lit(None, dtype=pl.String)
    priority = pl.col("priority").fill_null(0.0) if "priority" in columns else pl.lit(0.0)
    return interactions.select(
        pl.col("queue_id"), skills.alias("skills"), language.alias("language"), priority.alias("priority")
    )


@dataclass
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
        schema = {"queue_id": pl.String, "skills": pl.String, "language": pl.String, "priority": pl.Float64}
        self._known = pl.DataFrame(schema={**schema, "call_type": pl.Int32})

    def __len__(self) -> int:
        return self._known.height

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
        plain = _plain(interactions)
        new = plain.unique(maintain_order=True).join(
            self._known, on=list(KEY), how="anti", nulls_equal=True, maintain_order="left"
        )
        if new.height:
            numbers = pl.int_range(len(self), len(self) + new.height, dtype=pl.Int32, eager=True)
            self._known = pl.concat([self._known, new.with_columns(numbers.alias("call_type"))])
        joined = plain.join(self._known, on=list(KEY), how="left", nulls_equal=True, maintain_order="left")
        return joined["call_type"].to_numpy()

    def frame(self) -> pl.DataFrame:
        """Call types in order: queue_id, skills (list, sorted), language, priority."""
        return self._known.select(
            "queue_id",
            pl.when(pl.col("skills") == "")
            .then(pl.lit([], dtype=pl.List(pl.String)))
            .otherwise(pl.col("skills").str.split(SEPARATOR))
            .alias("skills"),
            "language",
            "priority",
        )


def requirements(call_types: pl.DataFrame) -> tuple[pl.DataFrame, Int32Array]:
    """Call types without their priority, which scores do not look at.

    Parameters
    ----------
    call_types : polars.DataFrame
        As `CallTypeIndex.frame` gives them.

    Returns
    -------
    frame : polars.DataFrame
        The distinct (queue_id, skills, language), in order of first appearance.
    requirement : (n_call_types,) array of int32
        Row of `frame` for each call type.
    """
    index = CallTypeIndex()
    requirement = index.codes(call_types.drop("priority"))
    return index.frame().drop("priority"), np.asarray(requirement, np.int32)
