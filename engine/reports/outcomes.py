"""Outcomes: what happened to each interaction, as arrays and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data.arrays import Batch
from engine.data.centre import Centre
from engine.data.encode import distinct, places
from engine.data.served import STATUS, Served, joined, none
from engine.data.tables import MEDIA
from engine.scoring.scores import SCALE
from engine.selection.decisions import Decided
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

# Interactions looked up at once: their places stay in a core's cache.
CHUNK = 1 << 16


class Coded:
    """Texts by place, kept once each: a dictionary and the code of every place.

    Parameters
    ----------
    texts : sequence of str or None, or polars.Series
        By place; None has no code.
    """

    def __init__(self, texts: Sequence[str | None] | pl.Series) -> None:
        import polars as pl
        import pyarrow as pa

        series = pl.Series(texts, dtype=pl.String)
        # Sorted, so that equal data sets give equal files.
        once = distinct(series)
        self.dictionary = pa.array(once, pa.string())
        # One more code behind the last stands for place -1, nobody.
        self.code = np.append(places(series, once), np.int32(-1))

    def column(self, place: Any) -> Any:
        """Arrow dictionary column of the texts at some places."""
        import pyarrow as pa

        code = self.code.take(place, mode="wrap")
        missing = code < 0 if code.min(initial=0) < 0 else None
        # Some readers look at the codes behind nulls too, so those point to a text that exists.
        codes = pa.array(code if missing is None else np.maximum(code, 0), mask=missing)
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
    def queue(self) -> Coded:
        """By call type."""
        return Coded(self._centre.call_types["queue_id"])

    @cached_property
    def media(self) -> Coded:
        """By place in `MEDIA`."""
        return Coded(MEDIA)

    @cached_property
    def skill(self) -> Coded:
        """By call type: required skills joined by a semicolon."""
        return Coded(self._centre.call_types["skills"].list.join(";").replace("", None))

    @cached_property
    def language(self) -> Coded:
        """By call type."""
        return Coded(self._centre.call_types["language"])

    @cached_property
    def status(self) -> Coded:
        """0 unrouted, 1 routed."""
        return Coded(["unrouted", "routed"])

    @cached_property
    def replay_status(self) -> Coded:
        """As `Status` counts."""
        return Coded(STATUS)


@dataclass(frozen=True)
class Outcomes:
    """Decisions of some interactions, in order of arrival.

    Parameters
    ----------
    interaction_id : sequence of str
        One per interaction; an Arrow column where it came so.
    call_type : (n,) array or Arrow column of int32
        Rows of the centre's call types.
    arrived_us : (n,) array or Arrow column of int64
        Arrival. [us since 1970, UTC]
    media : (n,) array of int8, optional
        Place in `engine.data.tables.MEDIA`; None where all is voice.
    agent : (n,) array of int32
        The chosen agent, -1 for nobody.
    score : (n,) array of float
        The winner's score, 0 for nobody.
    texts : Texts
        What the numbers stand for.
    served : Served, optional
        Of a replay.
    """

    interaction_id: Any
    call_type: Any
    arrived_us: Any
    media: Int8Array | None
    agent: Int32Array
    score: FloatArray
    texts: Texts
    served: Served | None = None

    def to_arrow(self) -> pa.RecordBatch:
        """Rows of `outcomes.arrow`.

        Returns
        -------
        pyarrow.RecordBatch
            interaction_id, queue_id, media, arrived_at, required_skill, required_language, selected_agent_id,
            selected_agent_name, composite_score, status, and in a replay wait_s, start_at, end_at; nulls where
            nobody was chosen, and no score where a method has none.
        """
        import pyarrow as pa

        chosen = self.agent >= 0
        # Places of the width that looking up needs, made once for two columns each.
        agent, call_type = self.agent.astype(np.intp), np.asarray(self.call_type).astype(np.intp)
        nobody = None if chosen.all() else ~chosen
        columns = {
            "interaction_id": _texts(self.interaction_id),
            "queue_id": self.texts.queue.column(call_type),
            "media": self.texts.media.column(np.zeros(agent.size, np.int8) if self.media is None else self.media),
            "arrived_at": pa.array(np.asarray(self.arrived_us)).view(pa.timestamp("us", "UTC")),
            "required_skill": self.texts.skill.column(call_type),
            "required_language": self.texts.language.column(call_type),
            "selected_agent_id": self.texts.agent_id.column(agent),
            "selected_agent_name": self.texts.agent_name.column(agent),
            "composite_score": pa.array(self.score, mask=nobody if self.served is None else np.isnan(self.score)),
            "status": self.texts.status.column(chosen.view(np.int8)),
        }
        if self.served is not None:
            columns |= self._timed(self.served, nobody)
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _timed(self, served: Served, nobody: BoolArray | None) -> dict[str, Any]:
        import pyarrow as pa

        kind = pa.timestamp("us", "UTC")
        return {
            "status": self.texts.replay_status.column(served.status),
            "wait_s": pa.array(served.wait_s),
            "start_at": pa.array(served.start_us, mask=nobody).cast(kind),
            "end_at": pa.array(served.end_us, mask=nobody).cast(kind),
        }

    def to_frame(self) -> pl.DataFrame:
        """The same rows with plain texts, as a polars frame."""
        check()
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
    several = [part.served for part in parts if part.served is not None]
    return Outcomes(
        interaction_id=_chunks(part.interaction_id for part in parts),
        call_type=np.concatenate([np.asarray(part.call_type) for part in parts]),
        arrived_us=np.concatenate([np.asarray(part.arrived_us) for part in parts]),
        media=_media((part.agent.size, part.media) for part in parts),
        agent=np.concatenate([part.agent for part in parts]),
        score=np.concatenate([part.score for part in parts]),
        texts=parts[0].texts,
        served=joined(several) if several else None,
    )


class Collector:
    """Outcomes under the first scenario of decided batches, end to end, each number written once.

    Parameters
    ----------
    texts : Texts
        What the numbers stand for.
    n_expected : int
        How many interactions will come; more or fewer may.
    """

    def __init__(self, texts: Texts, n_expected: int = 0) -> None:
        self._texts = texts
        self._batches: list[Batch] = []
        self._n = 0
        self._agent, self._score = np.empty(n_expected, np.int32), np.empty(n_expected)

    def add(self, decided: Decided) -> None:
        """Take one decided batch."""
        start, self._n = self._n, self._n + decided.batch.call_type.size
        if self._n > self._agent.size:
            # Doubled, so that a data set of unknown size is copied a few times, not once per batch.
            longer = max(self._n, 2 * self._agent.size)
            self._agent, self._score = np.resize(self._agent, longer), np.resize(self._score, longer)
        _look_up(decided, self._agent[start : self._n], self._score[start : self._n])
        self._batches.append(decided.batch)

    def outcomes(self) -> Outcomes:
        """Everything taken so far."""
        import pyarrow as pa

        # Columns of the batches stay where they are, as chunks: copying a hundred million ids would double the memory.
        ids = (batch.interaction_id for batch in self._batches)
        call_type = pa.chunked_array([pa.array(batch.call_type) for batch in self._batches], pa.int32())
        arrived_us = pa.chunked_array([pa.array(batch.arrived_us) for batch in self._batches], pa.int64())
        media = _media((batch.call_type.size, batch.media) for batch in self._batches)
        agent, score = self._agent[: self._n], self._score[: self._n]
        return Outcomes(_chunks(ids), call_type, arrived_us, media, agent, score, self._texts)


def _look_up(decided: Decided, agent: Int32Array, score: FloatArray) -> None:
    """Fill columns of a batch from the decisions of the first scenario."""
    by_place = decided.spread(decided.agent[0]), decided.spread(decided.key[0]) / SCALE
    source = decided.places
    for start in range(0, source.size, CHUNK):
        rows = slice(start, start + CHUNK)
        # Converted once and used while it is in cache. Places are valid, so "wrap" only skips a check.
        place = source[rows].astype(np.intp)
        by_place[0].take(place, out=agent[rows], mode="wrap")
        by_place[1].take(place, out=score[rows], mode="wrap")


def outcomes_of(decided: Decided, texts: Texts) -> Outcomes:
    """Outcomes of one decided batch under its first scenario.

    Parameters
    ----------
    decided : Decided
        The batch and its decisions.
    texts : Texts
        What the numbers stand for.

    Returns
    -------
    Outcomes
        One row per interaction of the batch.
    """
    check()
    batch = decided.batch
    agent, score = np.empty(batch.call_type.size, np.int32), np.empty(batch.call_type.size)
    _look_up(decided, agent, score)
    return Outcomes(batch.interaction_id, batch.call_type, batch.arrived_us, batch.media, agent, score, texts)


def _media(parts: Iterable[tuple[int, Int8Array | None]]) -> Int8Array | None:
    """Media of several batches of so many rows as one column, None where all is voice."""
    each = list(parts)
    if all(media is None for _, media in each):
        return None
    return np.concatenate([np.zeros(n, np.int8) if media is None else media for n, media in each])


def _texts(ids: Any) -> Any:
    """Ids as one Arrow array."""
    import pyarrow as pa

    return ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else pa.array(ids, pa.large_string())


def _chunks(parts: Iterable[Any]) -> Any:
    """Ids of several batches as one column, nothing copied."""
    import pyarrow as pa

    return pa.chunked_array([_texts(part) for part in parts], pa.large_string())


def nothing(texts: Texts, *, timed: bool = False) -> Outcomes:
    """Outcomes of no interaction, as score mode or a replay writes them."""
    nobody = np.empty(0, np.int32)
    return Outcomes(
        interaction_id=[], call_type=nobody, arrived_us=np.empty(0, np.int64), media=None, agent=nobody,
        score=np.empty(0), texts=texts, served=none() if timed else None,
    )  # fmt: skip
