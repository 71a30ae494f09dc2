"""Outcomes: what happened to each interaction, as arrays and as a table."""

from __future__ import annotations

from collections.abc import Sequence
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


class Coded:
    """Texts by place, kept once each: a dictionary and the code of every place.

    Parameters
    ----------
    texts : sequence of str or None
        By place; None has no code.
    """

    def __init__(self, texts: Sequence[str | None]) -> None:
        import pyarrow as pa

        distinct = sorted({text for text in texts if text is not None})
        number = {text: code for code, text in enumerate(distinct)}
        self.dictionary = pa.array(distinct, pa.string())
        # One more code behind the last stands for place -1, nobody.
        self.code = np.array([*(-1 if t is None else number[t] for t in texts), -1], np.int32)

    def column(self, place: Int32Array) -> Any:
        """Arrow dictionary column of the texts at some places."""
        import pyarrow as pa

        code = self.code[place]
        missing = code < 0
        # Some readers look at the codes behind nulls too, so those point to a text that exists.
        codes = pa.array(np.maximum(code, 0), mask=missing) if missing.any() else pa.array(code)
        return pa.DictionaryArray.from_arrays(codes, self.dictionary, safe=False)


class Texts:
    """The texts that outcomes of one data set point to, made once.

    Parameters
    ----------
    centre : Centre
        Of the data set.
    """

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    @cached_property
    def agent_id(self) -> Coded:
        """By agent."""
        return Coded(self._centre.agent_ids)

    @cached_property
    def agent_name(self) -> Coded:
        """By agent."""
        return Coded(self._centre.agent_names)

    @cached_property
    def skill(self) -> Coded:
        """By call type: required skills joined by a semicolon."""
        return Coded([text or None for text in self._centre.call_types["skills"].list.join(";")])

    @cached_property
    def language(self) -> Coded:
        """By call type."""
        return Coded(self._centre.call_types["language"].to_list())

    @cached_property
    def status(self) -> Coded:
        """0 unrouted, 1 routed."""
        return Coded(["unrouted", "routed"])


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
        nobody = None if chosen.all() else ~chosen
        columns = {
            "interaction_id": pa.array(self.interaction_id, pa.large_string()),
            "required_skill": self.texts.skill.column(self.call_type),
            "required_language": self.texts.language.column(self.call_type),
            "selected_agent_id": self.texts.agent_id.column(self.agent),
            "selected_agent_name": self.texts.agent_name.column(self.agent),
            "composite_score": pa.array(self.score, mask=nobody),
            "status": self.texts.status.column(chosen.view(np.int8)),
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

    ids = [pa.array(part.interaction_id, pa.large_string()) for part in parts]
    return Outcomes(
        pa.concat_arrays(ids),
        np.concatenate([part.call_type for part in parts]),
        np.concatenate([part.agent for part in parts]),
        np.concatenate([part.key for part in parts]),
        parts[0].texts,
    )


def nothing(texts: Texts) -> Outcomes:
    """Outcomes of no interaction."""
    none = np.empty(0, np.int32)
    return Outcomes([], none, none, np.empty(0), texts)
