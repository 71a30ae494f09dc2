"""Outcomes: what happened to each interaction, as arrays and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.arrays import Centre
from engine.scores import SCALE
from engine.typing import FloatArray, Int32Array

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


class Texts:
    """The texts that outcomes of one centre point to, as Arrow arrays made once.

    Parameters
    ----------
    centre : Centre
        Of the data set.
    """

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    @cached_property
    def agent_id(self) -> Any:
        """By agent."""
        import pyarrow as pa

        return pa.array(self._centre.agent_ids, pa.string())

    @cached_property
    def agent_name(self) -> Any:
        """By agent, null where unknown."""
        import pyarrow as pa

        return pa.array(self._centre.agent_names, pa.string())

    @cached_property
    def skill(self) -> Any:
        """By call type: required skills joined by a semicolon, null for none."""
        import pyarrow as pa

        joined = self._centre.call_types["skills"].list.join(";")
        return pa.array([text or None for text in joined], pa.string())

    @cached_property
    def language(self) -> Any:
        """By call type, null for none."""
        import pyarrow as pa

        return pa.array(self._centre.call_types["language"].to_list(), pa.string())

    @cached_property
    def status(self) -> Any:
        """0 unrouted, 1 routed."""
        import pyarrow as pa

        return pa.array(["unrouted", "routed"], pa.string())


@dataclass(frozen=True)
class Outcomes:
    """Decisions of some interactions, in order of arrival.

    Parameters
    ----------
    interaction_id : sequence of str
        One per interaction.
    call_type : (n,) array of int32
        Rows of the centre's call types.
    agent : (n,) array of int32
        The chosen agent, -1 for nobody.
    key : (n,) array of float
        The winner's score key, 0 for nobody.
    texts : Texts
        What the numbers stand for.
    """

    interaction_id: Any
    call_type: Int32Array
    agent: Int32Array
    key: FloatArray
    texts: Texts

    @property
    def score(self) -> FloatArray:
        """Score of the winner, 0 for nobody."""
        return self.key / SCALE

    def to_arrow(self) -> pa.RecordBatch:
        """Rows of `outcomes.arrow`.

        Returns
        -------
        pyarrow.RecordBatch
            interaction_id, required_skill, required_language, selected_agent_id, selected_agent_name,
            composite_score, status; nulls where nobody was chosen.
        """
        import pyarrow as pa

        chosen = self.agent >= 0
        everyone = bool(chosen.all())
        nobody = None if everyone else ~chosen
        # Places to look up; null where nobody was chosen or nothing is required.
        agent = pa.array(self.agent, mask=nobody)
        type_code = pa.array(self.call_type)
        columns = {
            "interaction_id": pa.array(self.interaction_id),
            "required_skill": _coded(type_code, self.texts.skill),
            "required_language": _coded(type_code, self.texts.language),
            "selected_agent_id": _coded(agent, self.texts.agent_id),
            "selected_agent_name": _coded(agent, self.texts.agent_name),
            "composite_score": pa.array(self.score, mask=nobody),
            "status": _coded(pa.array(chosen.view(np.int8)), self.texts.status),
        }
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def to_frame(self) -> pl.DataFrame:
        """The same rows with plain texts, as a polars frame."""
        import polars as pl
        import pyarrow as pa

        table = pa.Table.from_batches([self.to_arrow()])
        plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
        frame = pl.from_arrow(pa.table(plain, names=table.column_names))
        assert isinstance(frame, pl.DataFrame)
        return frame


def _coded(code: Any, texts: Any) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(code, texts, safe=False)


def join(parts: list[Outcomes]) -> Outcomes:
    """Outcomes of several batches, end to end.

    Parameters
    ----------
    parts : list of Outcomes
        At least one, of the same data set.

    Returns
    -------
    Outcomes
        All rows.
    """
    import pyarrow as pa

    ids = [pa.array(part.interaction_id).cast(pa.large_string()) for part in parts]
    return Outcomes(
        pa.concat_arrays(ids),
        np.concatenate([part.call_type for part in parts]),
        np.concatenate([part.agent for part in parts]),
        np.concatenate([part.key for part in parts]),
        parts[0].texts,
    )
