"""Tables as dense arrays with integer ids; what every calculation reads.

Agents are numbered in the order of their ids, so a smaller number is the smaller id. Interactions come
in batches, each within one UTC day, so that a month never has to be in memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from engine.data.call_types import CallTypeIndex, requirements
from engine.data.checks import complete
from engine.data.history import History, history_of
from engine.data.provenance import Provenance, Window
from engine.data.tables import CAPACITY, MEDIA, Tables
from engine.data.wall_time import DAY_US, FIRST_DAY, LAST_DAY, span_of_days
from engine.errors import InvalidTable, MissingInput
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

NO_QUEUE_TIME_S = 9999.0
_NEVER_US = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Surveys:
    """Survey answers of known agents.

    Parameters
    ----------
    agent, queue : (n_surveys,) array of int32
        Places in the centre; queue -1 where unknown.
    completed_us : (n_surveys,) array of int64
        Completion. [us since 1970, UTC]
    value : (n_surveys,) array of float
        Score rescaled by its own scale to 0-1.
    call_type, day : (n_surveys,) array of int32
        Call type and UTC day of the interaction; -1 where unknown.
    first : (n_surveys,) array of bool
        Whether it is the first of its interaction in this data set.
    """

    agent: Int32Array
    queue: Int32Array
    completed_us: IntArray
    value: FloatArray
    call_type: Int32Array
    day: Int32Array
    first: BoolArray

    def before(self, end_us: int) -> Surveys:
        """Those completed before an instant. [us since 1970, UTC]"""
        kept = self.completed_us < end_us
        return Surveys(*(getattr(self, f.name)[kept] for f in fields(self)))


@dataclass(frozen=True)
class Blocks:
    """Spells of agents, [start, end).

    Parameters
    ----------
    agent : (n_blocks,) array of int32
        Place of the agent.
    start_us, end_us : (n_blocks,) array of int64
        Bounds. [us since 1970, UTC]
    """

    agent: Int32Array
    start_us: IntArray
    end_us: IntArray

    def within(self, start_us: int, end_us: int) -> Blocks:
        """What lies in a window, cut at its edges. [us since 1970, UTC]"""
        some = (self.start_us < end_us) & (self.end_us > start_us)
        return Blocks(
            self.agent[some], np.maximum(self.start_us[some], start_us), np.minimum(self.end_us[some], end_us)
        )


@dataclass(frozen=True)
class Centre:
    """Agents, queues and call types of a data set.

    Parameters
    ----------
    agent_ids, agent_names, groups : list
        By agent; names and groups may hold None.
    queue_ids, skills, languages : list of str
        Names by place.
    proficiency : (n_agents, n_skills) array of float
        0-5, NaN where the agent does not have the skill.
    language_level : (n_agents, n_languages) array of float
        0-5, NaN where the agent does not have the language.
    member : (n_queues, n_agents) array of bool
        Who is joined to which queue.
    tie_order : (n_agents,) array of int32
        Agents in the order in which they win ties.
    queue_time_s, idle_since_us : (n_agents,) array
        What the tie order is made of; 9999 s and the largest int64 where unknown.
    call_types : polars.DataFrame
        queue_id, skills, language, priority by call type.
    requirement : (n_call_types,) array of int32
        Distinct (queue, skills, language) of each call type; priority does not enter a score.
    queue, language : (n_requirements,) array of int32
        Place of the queue and of the language (-1 = none required).
    skill_start, skill : arrays of int32
        Required skills of requirement r are skill[skill_start[r]:skill_start[r + 1]].
    surveys : Surveys
        Answers with a known agent.
    staffing, busy : Blocks
        When agents were on queue, and at work elsewhere; empty where not recorded.
    handle_factors : polars.DataFrame
        The table of that name, for known agents.
    queues : polars.DataFrame
        Settings of the queues, in the order of `queue_ids`.
    ring : (n_queues, n_agents) array of int8
        Ring of each joined member, 0 for everybody else.
    capacity : (n_agents, n_media) array of int8
        Interactions at once, by place in `engine.data.tables.MEDIA`.
    time_zone : str
        IANA zone of the centre.
    """

    agent_ids: list[str]
    agent_names: list[str | None]
    groups: list[str | None]
    queue_ids: list[str]
    skills: list[str]
    languages: list[str]
    proficiency: FloatArray
    language_level: FloatArray
    member: BoolArray
    tie_order: Int32Array
    queue_time_s: FloatArray
    idle_since_us: IntArray
    call_types: pl.DataFrame
    requirement: Int32Array
    queue: Int32Array
    language: Int32Array
    skill_start: Int32Array
    skill: Int32Array
    surveys: Surveys
    staffing: Blocks
    busy: Blocks
    handle_factors: pl.DataFrame
    queues: pl.DataFrame
    ring: Int8Array
    capacity: Int8Array
    time_zone: str

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return len(self.agent_ids)

    @property
    def n_requirements(self) -> int:
        """Number of distinct (queue, skills, language)."""
        return int(self.queue.size)


@dataclass(frozen=True)
class Batch:
    """Interactions of one UTC day, or a part of it, in order of arrival.

    Parameters
    ----------
    day : int
        Days since 1970-01-01 UTC.
    interaction_id : sequence of str
        Anything pyarrow can take as a column of text.
    call_type : (n,) array of int32
        Row of the centre's call types.
    arrived_us : (n,) array of int64
        Arrival. [us since 1970, UTC]
    agent : (n,) array of int32, optional
        The agent who was recorded, -1 for none.
    handle_s : (n,) array of float, optional
        Recorded handling time, NaN where none. [s]
    """

    day: int
    interaction_id: Any
    call_type: Int32Array
    arrived_us: IntArray
    agent: Int32Array | None = None
    handle_s: FloatArray | None = None

    def rows(self, chosen: BoolArray) -> Batch:
        """The batch with only the chosen rows."""
        if chosen.all():
            return self
        import pyarrow as pa

        return Batch(
            self.day,
            pa.array(self.interaction_id).filter(pa.array(chosen)),
            self.call_type[chosen],
            self.arrived_us[chosen],
            None if self.agent is None else self.agent[chosen],
            None if self.handle_s is None else self.handle_s[chosen],
        )


def _no_history() -> History:
    """Refuses: arrays made for scores only know no history."""
    raise MissingInput("these arrays hold what scores need only; a replay needs a snapshot or tables")


@dataclass(frozen=True)
class Arrays:
    """A data set as the engine reads it.

    Parameters
    ----------
    centre : Centre
        Who could do what.
    batches : callable
        Gives an iterator over `Batch` in time order, afresh at every call.
    snapshot : Provenance
        What a report says about the origin.
    history : callable
        Gives all that is recorded about the same interactions, in memory.
    """

    centre: Centre
    batches: Callable[[], Iterator[Batch]]
    snapshot: Provenance
    history: Callable[[], History] = _no_history

    @property
    def has_made_up_surveys(self) -> bool:
        """Whether the surveys were drawn from a seed; then nothing is claimed from them."""
        return self.snapshot.is_made_up("surveys")

    def window(self, start_us: int, end_us: int, queue: int | None = None) -> Arrays:
        """A time window, perhaps of one queue: its interactions and blocks, and surveys up to the end of it.

        Parameters
        ----------
        start_us, end_us : int
            Arrivals from start, before end. [us since 1970, UTC]
        queue : int, optional
            Place of the queue.

        Returns
        -------
        Arrays
            The same centre; batches without a row are left out.
        """
        centre = replace(
            self.centre,
            surveys=self.centre.surveys.before(end_us),
            staffing=self.centre.staffing.within(start_us, end_us),
            busy=self.centre.busy.within(start_us, end_us),
        )

        def batches() -> Iterator[Batch]:
            for batch in self.batches():
                if (batch.day + 1) * DAY_US <= start_us or batch.day * DAY_US >= end_us:
                    continue
                inside = (batch.arrived_us >= start_us) & (batch.arrived_us < end_us)
                if queue is not None:
                    inside &= centre.queue[centre.requirement[batch.call_type]] == queue
                if inside.any():
                    yield batch.rows(inside)

        def history() -> History:
            whole = self.history()
            inside = (whole.arrived_us >= start_us) & (whole.arrived_us < end_us)
            if queue is not None:
                inside &= centre.queue[centre.requirement[whole.call_type]] == queue
            return whole.rows(inside)

        return Arrays(centre, batches, self.snapshot, history)

    def days(self, first: date | None, last: date | None) -> Arrays:
        """Whole local days of the data set.

        Parameters
        ----------
        first, last : date, optional
            Both included; None for the first and the last there are.

        Returns
        -------
        Arrays
            Itself where both are None; else the window, named in the snapshot's summary.
        """
        if first is None and last is None:
            return self
        some = self.window(*span_of_days(first or FIRST_DAY, last or LAST_DAY, self.centre.time_zone))
        return replace(some, snapshot=replace(some.snapshot, window=Window(str(first or "first"), str(last or "last"))))


def encode(tables: Tables) -> Arrays:
    """Dense arrays of tables in memory.

    Parameters
    ----------
    tables : Tables
        Checked tables; implied queues and members are added.

    Returns
    -------
    Arrays
        With interactions in order of arrival, then id.

    Raises
    ------
    InvalidTable
        If there are no agents.
    """
    tables, said = complete(tables)
    interactions = tables.interactions.sort("arrived_at", "interaction_id")
    index = CallTypeIndex()
    call_type = index.codes(interactions)
    day = (interactions["arrived_at"].dt.epoch("us") // DAY_US).cast(pl.Int32).alias("day")
    known = interactions.select("interaction_id", day, call_type=pl.Series(call_type, dtype=pl.Int32))
    surveys = tables.surveys.join(known, on="interaction_id", how="left", maintain_order="left")
    centre = encode_centre(replace(tables, surveys=surveys), index.frame())
    agent = places(interactions["agent_id"], centre.agent_ids)
    ids = interactions["interaction_id"].to_arrow()
    arrived_us = interactions["arrived_at"].dt.epoch("us").to_numpy()
    handle_s = interactions["handle_s"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    days = day.to_numpy()
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1)) if days.size else np.empty(0, np.int64)
    ends = [*starts[1:], days.size]

    def batches() -> Iterator[Batch]:
        for start, end in zip(starts, ends, strict=bool(starts.size)):
            part = slice(start, end)
            yield Batch(int(days[start]), ids[part], call_type[part], arrived_us[part], agent[part], handle_s[part])

    counts = {name: frame.height for name, frame in tables}
    recorded = partial(history_of, interactions, call_type, lambda texts: places(texts, centre.agent_ids))
    return Arrays(centre, batches, Provenance(counts=counts, assumptions=said), recorded)


def encode_centre(tables: Tables, call_types: pl.DataFrame) -> Centre:
    """Number agents, queues, skills and languages, and lay their relations out as matrices.

    Parameters
    ----------
    tables : Tables
        With every queue and member present; surveys may carry the columns call_type and day.
    call_types : polars.DataFrame
        As `CallTypeIndex.frame` gives them.

    Returns
    -------
    Centre
        Dense and read-only by convention.
    """
    agents = tables.agents.sort("agent_id")
    agent_ids = agents["agent_id"].to_list()
    queue_ids = tables.queues["queue_id"].to_list()
    needed, requirement = requirements(call_types)
    skills = _names(agents["skills"], needed["skills"].explode())
    languages = _names(agents["languages"], needed["language"])
    queue_time_s = agents["queue_time_s"].fill_null(NO_QUEUE_TIME_S).to_numpy()
    idle_since_us = agents["idle_since"].dt.epoch("us").fill_null(_NEVER_US).to_numpy()
    lengths = needed["skills"].list.len().to_numpy()
    ring = _rings(tables.members, queue_ids, agent_ids)
    return Centre(
        agent_ids=agent_ids,
        agent_names=agents["agent_name"].to_list(),
        groups=agents["group"].to_list(),
        queue_ids=queue_ids,
        skills=skills,
        languages=languages,
        proficiency=_levels(agents["skills"], skills),
        language_level=_levels(agents["languages"], languages),
        member=ring > 0,
        tie_order=np.lexsort((np.arange(agents.height), idle_since_us, queue_time_s)).astype(np.int32),
        queue_time_s=queue_time_s,
        idle_since_us=idle_since_us,
        call_types=call_types,
        requirement=requirement,
        queue=places(needed["queue_id"], queue_ids),
        language=places(needed["language"], languages),
        skill_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        skill=places(needed["skills"].explode().drop_nulls(), skills),
        surveys=_surveys(tables.surveys, agent_ids, queue_ids, call_types),
        staffing=_blocks(tables.staffing, agent_ids),
        busy=_blocks(tables.busy, agent_ids),
        handle_factors=tables.handle_factors.filter(pl.col("agent_id").is_in(agent_ids)),
        queues=tables.queues,
        ring=ring,
        capacity=_capacity(agents["capacity"]),
        time_zone=tables.time_zone,
    )


def places(texts: pl.Series, names: list[str]) -> Int32Array:
    """Place of each text in a list of names, -1 where it is null or not there."""
    numbers = np.arange(len(names), dtype=np.int32)
    known = pl.DataFrame({"text": names, "place": numbers}, {"text": pl.String, "place": pl.Int32})
    joined = texts.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left")
    return joined["place"].fill_null(-1).to_numpy()


def _names(rated: pl.Series, named: pl.Series) -> list[str]:
    held = rated.drop_nulls().explode().drop_nulls().struct.field("name")
    both = pl.concat([held.alias("name"), named.drop_nulls().alias("name")])
    return [str(name) for name in both.unique().sort()]


def _levels(rated: pl.Series, names: list[str]) -> FloatArray:
    """Level of each agent in each name, NaN where not held."""
    level = np.full((rated.len(), len(names)), np.nan)
    rows = rated.alias("rated").to_frame().with_row_index("agent").explode("rated").drop_nulls("rated")
    if rows.height:
        entry = rows["rated"].struct
        level[rows["agent"].to_numpy(), places(entry.field("name"), names)] = entry.field("proficiency").to_numpy()
    return level


def _rings(members: pl.DataFrame, queue_ids: list[str], agent_ids: list[str]) -> Int8Array:
    ring = np.zeros((len(queue_ids), len(agent_ids)), np.int8)
    joined = members.filter("joined")
    queue, agent = places(joined["queue_id"], queue_ids), places(joined["agent_id"], agent_ids)
    known = (queue >= 0) & (agent >= 0)
    ring[queue[known], agent[known]] = joined["ring"].to_numpy()[known]
    return ring


def _capacity(given: pl.Series) -> Int8Array:
    """Interactions at once by agent and media; what an agent does not say is Genesys' default."""
    capacity = np.tile(np.array(CAPACITY, np.int8), (given.len(), 1))
    rows = given.alias("given").to_frame().with_row_index("agent").explode("given").drop_nulls("given")
    if rows.height:
        entry = rows["given"].struct
        media = entry.field("media").replace_strict(list(MEDIA), list(range(len(MEDIA))), return_dtype=pl.Int64)
        capacity[rows["agent"].to_numpy(), media.to_numpy()] = entry.field("count").to_numpy()
    return capacity


def _surveys(frame: pl.DataFrame, agent_ids: list[str], queue_ids: list[str], call_types: pl.DataFrame) -> Surveys:
    frame = frame.sort("completed_at", "survey_id")
    agent = places(frame["agent_id"], agent_ids)
    known = agent >= 0
    low, high = frame["scale_min"].to_numpy(), frame["scale_max"].to_numpy()
    if not (high > low).all():
        raise InvalidTable("surveys: scale_max must be greater than scale_min in every row")
    extra = {n: frame[n] if n in frame.columns else pl.Series(n, [None] * frame.height) for n in ("call_type", "day")}
    call_type = extra["call_type"].cast(pl.Int32).fill_null(-1).to_numpy()
    # Where a survey names no queue, its interaction does.
    of_type = np.append(places(call_types["queue_id"], queue_ids), np.int32(-1))[call_type]
    queue = np.where(frame["queue_id"].is_null().to_numpy(), of_type, places(frame["queue_id"], queue_ids))
    return Surveys(
        agent=agent[known],
        queue=queue[known],
        completed_us=frame["completed_at"].dt.epoch("us").to_numpy()[known],
        value=((frame["score"].to_numpy() - low) / (high - low))[known],
        call_type=call_type[known],
        day=extra["day"].cast(pl.Int32).fill_null(-1).to_numpy()[known],
        first=(frame["interaction_id"].is_first_distinct().to_numpy() & (call_type >= 0))[known],
    )


def _blocks(frame: pl.DataFrame, agent_ids: list[str]) -> Blocks:
    """Blocks of known agents, what overlaps counted once."""
    rows = frame.select(
        agent=pl.Series(places(frame["agent_id"], agent_ids), dtype=pl.Int32),
        start_us=pl.col("start_at").dt.epoch("us"),
        end_us=pl.col("end_at").dt.epoch("us"),
    )
    rows = rows.filter(pl.col("agent") >= 0).sort("agent", "start_us")
    reached_us = pl.col("end_us").cum_max().shift().over("agent")
    rows = rows.with_columns(start_us=pl.max_horizontal("start_us", reached_us))
    return Blocks(*(column.to_numpy() for column in rows.filter(pl.col("start_us") < pl.col("end_us"))))
