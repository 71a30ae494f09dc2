"""A contact centre as dense arrays with integer ids: agents, queues, call types, surveys, and when agents were there.

Agents are numbered in the order of their ids, so a smaller number is the smaller id.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import polars as pl

from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray


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

    def within(self, start_us: int, end_us: int) -> Self:
        """What lies in a window, cut at its edges. [us since 1970, UTC]"""
        some = self.of((self.start_us < end_us) & (self.end_us > start_us))
        return replace(some, start_us=np.maximum(some.start_us, start_us), end_us=np.minimum(some.end_us, end_us))

    def of(self, some: BoolArray) -> Self:
        """Those of a mask."""
        return replace(self, **{f.name: getattr(self, f.name)[some] for f in fields(self)})


@dataclass(frozen=True)
class Holds(Blocks):
    """Spells in which agents have something of a media in hand, [start, end); those of one agent may overlap.

    Parameters
    ----------
    agent : (n_blocks,) array of int32
        Place of the agent.
    start_us, end_us : (n_blocks,) array of int64
        Bounds. [us since 1970, UTC]
    media : (n_blocks,) array of int8
        Place in `engine.data.tables.MEDIA`.
    """

    media: Int8Array


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
        When agents were on queue, and at work elsewhere with room for nothing; empty where not recorded.
    held : Holds
        Work elsewhere that leaves its agent room for something.
    handle_factors : polars.DataFrame
        The table of that name, for known agents.
    queues : polars.DataFrame
        Settings of the queues, in the order of `queue_ids`.
    ring : (n_queues, n_agents) array of int8
        Ring of each joined member, 0 for everybody else.
    capacity : (n_agents, n_media) array of int8
        Interactions at once, by place in `engine.data.tables.MEDIA`.
    interrupts : (n_agents, n_media, n_media) array of bool
        Whether an agent's work of the first media may be interrupted by the second.
    time_zone : str
        IANA zone of the centre.
    elsewhere : polars.DataFrame
        Why agents were at work elsewhere where that is recorded: agent, start_us, end_us, why.
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
    held: Holds
    handle_factors: pl.DataFrame
    queues: pl.DataFrame
    ring: Int8Array
    capacity: Int8Array
    interrupts: BoolArray
    time_zone: str
    elsewhere: pl.DataFrame

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return len(self.agent_ids)

    @property
    def n_requirements(self) -> int:
        """Number of distinct (queue, skills, language)."""
        return int(self.queue.size)
