"""The data set of one replication with everything drawn that is not recorded: what a replay plays, and levers change.

A change gives another data set that could have been recorded; nothing is estimated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from engine.data.centre import Blocks, Centre
from engine.errors import InvalidTable
from engine.estimates.demand import leaving
from engine.estimates.patience import Waits
from engine.estimates.staffing import Roster, on_queue, roster
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray


@dataclass(frozen=True)
class Interactions:
    """Interactions in order of arrival, then id, in which nothing is missing.

    Parameters
    ----------
    interaction_id : polars.Series of str
        Each once.
    call_type : (n,) array of int32
        Row of the centre's call types.
    media : (n,) array of int8
        Place in `engine.data.tables.MEDIA`.
    arrived_us : (n,) array of int64
        Arrival. [us since 1970, UTC]
    handle_us : (n,) array of int64
        Talk, hold and after-call work with the recorded agent. [us]
    base_us : (n,) array of float
        The same with an agent of factor 1; read where there are factors. [us]
    handling : (n,) array of int32
        Row of `factor`.
    factor : (n_handlings, n_agents) array of float or None
        Handling time of each agent relative to the base; None: `handle_us` holds for everybody.
    patience_s, flow_out_s : (n,) array of float
        When the customer gives up and when the flow takes the interaction away, infinite for never. [s]
    alert_us : (n,) array of int64
        Alerting of an agent before the answer. [us]
    misses : (n,) array of int32
        How many agents do not answer before one does.
    pick : (n,) array of float
        Draw in [0, 1) for methods that draw.
    preferred : polars.Series, optional
        Lists of agent_id and score that the flow attached.

    Raises
    ------
    InvalidTable
        If columns differ in length, are out of order, or a time is negative.
    """

    interaction_id: pl.Series
    call_type: Int32Array
    media: Int8Array
    arrived_us: IntArray
    handle_us: IntArray
    base_us: FloatArray
    handling: Int32Array
    factor: FloatArray | None
    patience_s: FloatArray
    flow_out_s: FloatArray
    alert_us: IntArray
    misses: Int32Array
    pick: FloatArray
    preferred: pl.Series | None

    def __post_init__(self) -> None:
        if any(len(column) != self.n for column in self._columns().values() if column is not None):
            raise InvalidTable(f"interactions: every column needs {self.n} values, as many as arrivals")
        if (np.diff(self.arrived_us) < 0).any():
            raise InvalidTable("interactions: they must come in order of arrival")
        if self.n and min(self.handle_us.min(), self.patience_s.min(), self.flow_out_s.min(), self.alert_us.min()) < 0:
            raise InvalidTable("interactions: handling, patience and alerting times must not be negative")

    @property
    def n(self) -> int:
        """Number of interactions."""
        return int(self.arrived_us.size)

    @property
    def leave_us(self) -> IntArray:
        """When each leaves if nobody has answered; the largest int64 for never. [us]"""
        return leaving(self.arrived_us, Waits(self.patience_s, self.flow_out_s).leave_s)

    @property
    def flows_out(self) -> BoolArray:
        """Whether leaving then is an exit of the flow, not the customer's choice."""
        return Waits(self.patience_s, self.flow_out_s).flows_out

    def rows(self, chosen: Any) -> Interactions:
        """Some of them, by mask or by places in rising order."""
        places = np.flatnonzero(chosen) if np.asarray(chosen).dtype == bool else np.asarray(chosen, np.int64)
        return replace(self, **{name: c[places] for name, c in self._columns().items() if c is not None})

    def scaled(self, share: FloatArray) -> Interactions:
        """Handling times of each times a factor > 0."""
        # Both times: which of them is read depends on whether handling changes with the agent.
        handle_us = np.rint(self.handle_us * share).astype(np.int64)
        return replace(self, handle_us=handle_us, base_us=self.base_us * share)

    def scaled_by_agent(self, share: FloatArray, row: IntArray) -> Interactions:
        """Handling times by whoever handles them: each interaction names a row of `share`, (n_rows, n_agents)."""
        before = np.ones((1, share.shape[1])) if self.factor is None else self.factor
        base_us = self.handle_us.astype(float) if self.factor is None else self.base_us
        of = np.zeros(self.n, np.int64) if self.factor is None else self.handling.astype(np.int64)
        # Factors multiply row by row, so a second lever works on top of the first; only pairs that occur get a row.
        pairs, handling = np.unique(of * len(share) + row, return_inverse=True)
        factor = before[pairs // len(share)] * share[pairs % len(share)]
        return replace(self, base_us=base_us, factor=factor, handling=handling.astype(np.int32))

    def _columns(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "factor"}


def merged(parts: Sequence[Interactions]) -> Interactions:
    """Interactions of several parts in order of arrival, then id; factors must be the same, ids new."""
    ids = pl.concat([part.interaction_id for part in parts])
    if ids.n_unique() < ids.len():
        twice = ids.filter(ids.is_duplicated())[0]
        raise InvalidTable(f"interactions: {twice!r} would be there twice; ids of those added must be new")
    arrived_us = np.concatenate([part.arrived_us for part in parts])
    # Ids as ranks: numbers sort many times faster than texts.
    place = ids.rank("ordinal").to_numpy()
    order = np.lexsort((place, arrived_us))
    columns: dict[str, Any] = {}
    for name in parts[0]._columns():
        several = [getattr(part, name) for part in parts]
        # Columns that nobody needed are None; beside a part that has one they are written out.
        if name == "preferred" and any(each is not None for each in several):
            kind = next(each.dtype for each in several if each is not None)
            several = [
                pl.Series(name, [None] * part.n, dtype=kind) if each is None else each
                for part, each in zip(parts, several, strict=True)
            ]
        if several[0] is None:
            columns[name] = None
        elif isinstance(several[0], pl.Series):
            columns[name] = pl.concat(several)[order]
        else:
            columns[name] = np.concatenate(several)[order]
    return Interactions(**columns, factor=parts[0].factor)


@dataclass(frozen=True)
class Completed:
    """A data set as a replay plays it: interactions, agents, queues, and when agents are staffed.

    Parameters
    ----------
    interactions : Interactions
        With everything drawn.
    centre : Centre
        Agents, members, skills, settings of queues, work elsewhere.
    staffed : Blocks
        When agents are staffed.
    start_us : int
        Where the replay begins: the first arrival of the record, whatever is left out later. [us]
    worked_us : (n_agents,) array of int64
        End of each agent's last service before, the smallest int64 for none. [us]

    Raises
    ------
    InvalidTable
        If parts do not fit together.
    """

    interactions: Interactions
    centre: Centre
    staffed: Blocks
    start_us: int
    worked_us: IntArray

    def __post_init__(self) -> None:
        n, given = self.centre.n_agents, self.interactions
        # Checked at every change: outside its arrays the compiled loop would read whatever lies there.
        if given.call_type.size and given.call_type.max() >= self.centre.requirement.size:
            raise InvalidTable(f"interactions: the centre has only {self.centre.requirement.size} call types")
        if self.worked_us.shape != (n,) or (given.factor is not None and given.factor.shape[1] != n):
            raise InvalidTable(f"agents: the centre has {n}; give times and factors of all of them")
        for side in (self.staffed, self.centre.busy, self.centre.held):
            if side.agent.size and not 0 <= side.agent.min() <= side.agent.max() < n:
                raise InvalidTable(f"blocks: agents must be places from 0 to {n - 1}; encode both from one snapshot")

    @cached_property
    def spells(self) -> Blocks:
        """When agents can be asked: staffed, and not at work elsewhere that leaves room for nothing."""
        return on_queue(self.staffed, self.centre.busy, self.centre.n_agents)

    @property
    def queue(self) -> Int32Array:
        """(n,): place of the queue of each interaction."""
        return self.centre.queue[self.centre.requirement][self.interactions.call_type]

    def roster(self, *, new_agents_last: bool) -> Roster:
        """When agents can be asked in a replay, and how much at once."""
        return roster(self.centre, self.staffed, self.worked_us, self.start_us, new_agents_last=new_agents_last)

    def with_interactions(self, given: Interactions) -> Completed:
        """Other interactions: fewer, more, or with other times."""
        # Idle clocks start where the record does, also if its first arrivals are left out: scenarios stay paired.
        first_us = int(given.arrived_us[0]) if given.n else self.start_us
        return replace(self, interactions=given, start_us=min(self.start_us, first_us))

    def with_staffed(self, staffed: Blocks, busy: Blocks | None = None) -> Completed:
        """Other blocks, and perhaps other work elsewhere."""
        centre = self.centre if busy is None else replace(self.centre, busy=busy)
        return replace(self, staffed=staffed, centre=centre)

    def with_skills(self, proficiency: FloatArray, language_level: FloatArray) -> Completed:
        """Other levels of the skills and languages that the centre names, NaN for not held."""
        centre = self.centre
        for name, given, before in (
            ("proficiency", proficiency, centre.proficiency), ("language_level", language_level, centre.language_level)
        ):  # fmt: skip
            if given.shape != before.shape or not ((given >= 0) & (given <= 5) | np.isnan(given)).all():
                raise InvalidTable(f"{name}: want {before.shape} levels from 0 to 5, NaN where not held")
        return replace(self, centre=replace(centre, proficiency=proficiency, language_level=language_level))

    def with_members(self, ring: Int8Array) -> Completed:
        """Other memberships: the ring of each member, 0 for who is none."""
        if ring.shape != self.centre.ring.shape or ring.min(initial=0) < 0 or ring.max(initial=0) > 6:
            raise InvalidTable(f"ring: want {self.centre.ring.shape} rings from 1 to 6, 0 for no member")
        return replace(self, centre=replace(self.centre, ring=ring, member=ring > 0))

    def with_queues(self, queues: pl.DataFrame) -> Completed:
        """Other settings of the same queues."""
        if queues["queue_id"].to_list() != self.centre.queue_ids or queues.schema != self.centre.queues.schema:
            raise InvalidTable("queues: want the same queues in the same order, with all columns")
        return replace(self, centre=replace(self.centre, queues=queues))
