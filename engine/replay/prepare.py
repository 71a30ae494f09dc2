"""From what is recorded to what is replayed: kinds, demand and roster, with every estimate named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from engine.data.arrays import Arrays
from engine.data.calendar import Calendar
from engine.data.centre import Blocks, Centre
from engine.data.history import History
from engine.errors import InvalidTable
from engine.estimates.completed import Completed, Interactions
from engine.estimates.demand import Demand, Kinds
from engine.estimates.estimated import Estimates, HandlingEstimate, PatienceEstimate, StaffingEstimate
from engine.estimates.handle_factors import Factors, fit_factors
from engine.estimates.handling import handling
from engine.estimates.patience import Curve, curves, patience
from engine.estimates.staffing import last_work, on_queue, staffing
from engine.estimates.streams import NO_ANSWER, PICK, uniform
from engine.scoring.csat import CsatTable
from engine.scoring.scores import Terms
from engine.spec import Scenario, terms_of
from engine.stopping import check
from engine.typing import BoolArray, Int32Array, IntArray

# Rows of a ladder times agents held at once; 8 bytes each.
MOST_CELLS = 200_000_000
# Alerts without an answer in a row; with the largest share allowed, one interaction in 10^11 would have more.
MOST_MISSES = 500


@dataclass(frozen=True)
class ByKind:
    """Interactions by kind.

    Parameters
    ----------
    kind : (n,) array of int32
        Kind of each.
    call_type, media : (n_kinds,) arrays of int
        What a kind is.
    preferred : list, optional
        Agents and scores attached to each kind; None where they are not looked at.
    """

    kind: Int32Array
    call_type: Int32Array
    media: Int32Array
    preferred: list[tuple[tuple[int, float], ...] | None] | None


class Recorded:
    """A data set as replays read it; what all scenarios share is estimated once.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    scenario : Scenario
        Whose assumptions and seed hold.
    """

    def __init__(self, arrays: Arrays, scenario: Scenario) -> None:
        self.arrays, self.assumptions, self.seed = arrays, scenario.assumptions, scenario.seed
        self.history: History = arrays.history()
        self._filled_in: tuple[HandlingEstimate, PatienceEstimate] | None = None
        self._completed: tuple[int, Completed] | None = None

    @property
    def centre(self) -> Centre:
        """Agents, queues and call types."""
        return self.arrays.centre

    @property
    def first_us(self) -> int:
        """Arrival of the first interaction, 0 where there is none. [us]"""
        return int(self.history.arrived_us[0]) if self.history.n else 0

    @cached_property
    def calendar(self) -> Calendar:
        """Days on which anything arrived."""
        return Calendar.of(self.history.arrived_us, self.centre.time_zone)

    @property
    def estimates(self) -> Estimates:
        """How what is not recorded was filled in, in the replication completed last."""
        assert self._filled_in is not None
        return Estimates(self._staffing[1], *self._filled_in)

    @cached_property
    def _staffing(self) -> tuple[Blocks, StaffingEstimate]:
        # Of the whole snapshot: in a window without blocks the table is there all the same.
        is_recorded = bool(self.arrays.snapshot.counts.get("staffing"))
        return staffing(self.history, self.centre, self.assumptions, is_recorded=is_recorded)

    @property
    def is_inferred(self) -> bool:
        """Whether staffing is inferred from who answered."""
        return self._staffing[1].source == "inferred"

    @property
    def blocks(self) -> Blocks:
        """When agents were staffed."""
        return self._staffing[0]

    @cached_property
    def spells(self) -> Blocks:
        """When agents could be asked: staffed, and not at work elsewhere that leaves room for nothing."""
        return on_queue(self.blocks, self.centre.busy, self.centre.n_agents)

    @cached_property
    def queue_of_type(self) -> Int32Array:
        """Queue of each call type."""
        return self.centre.queue[self.centre.requirement]

    @cached_property
    def factors(self) -> Factors:
        """Handling time of each agent relative to others, by what is required."""
        return fit_factors(self.history, self.centre, self.assumptions)

    @cached_property
    def curves(self) -> list[Curve]:
        """Patience as it was seen; draws differ, the curves are fitted once."""
        return curves(self.history, self.queue_of_type)

    def interactions(self, replication: int) -> Interactions:
        """The interactions of one replication, with everything drawn that is not recorded."""
        check()
        history, assumed, seed = self.history, self.assumptions, self.seed
        known = self.factors if assumed.handling == "agent" else None
        handled, of_handling = handling(history, self.centre, assumed, seed, replication, known)
        waits, of_patience = patience(history, self.queue_of_type, assumed, seed, replication, self.curves)
        check()
        self._filled_in = of_handling, of_patience
        return Interactions(
            interaction_id=history.interaction_id, call_type=history.call_type, media=history.media,
            arrived_us=history.arrived_us, handle_us=handled.handle_us, base_us=handled.base_us,
            handling=handled.handling_of_call_type[history.call_type], factor=handled.factor,
            patience_s=waits.patience_s, flow_out_s=waits.flow_out_s,
            alert_us=np.rint(1e6 * np.nan_to_num(history.alert_s)).astype(np.int64),
            misses=_misses(history.interaction_id, assumed.no_answer, seed, replication),
            pick=uniform(history.interaction_id, seed, PICK, replication), preferred=history.preferred,
        )  # fmt: skip

    def completed(self, replication: int) -> Completed:
        """The data set of one replication; scenarios of a single one share it."""
        check()
        # Only the last one is kept: a completed month is large, and replications come one after another.
        if self._completed is None or self._completed[0] != replication:
            given, n = self.interactions(replication), self.centre.n_agents
            worked_us = last_work(self.history, self.first_us, n, self.assumptions)
            self._completed = replication, Completed(given, self.centre, self.blocks, self.first_us, worked_us)
        return self._completed[1]

    def by_kind(self, given: Interactions, centre: Centre, *, with_preferred: bool) -> ByKind:
        """Interactions by kind; of those recorded they are told apart once."""
        check()
        # Replications and most levers leave these columns as they are, so every scenario shares one pass over them.
        if all(getattr(given, name) is getattr(self.history, name) for name in ("call_type", "media", "preferred")):
            return self.by_preference if with_preferred else self.by_type
        return tell_apart(given, centre, with_preferred=with_preferred)

    @cached_property
    def by_type(self) -> ByKind:
        """Interactions by call type and media."""
        return tell_apart(self.history, self.centre, with_preferred=False)

    @cached_property
    def by_preference(self) -> ByKind:
        """Interactions by call type, media and preferred agents."""
        return tell_apart(self.history, self.centre, with_preferred=True)


def tell_apart(given: History | Interactions, centre: Centre, *, with_preferred: bool) -> ByKind:
    """Distinct call type and media, and perhaps preferred agents, of interactions."""
    lists, attached = _preferred(given, centre) if with_preferred else ([None], np.zeros(given.n, np.int64))
    # One number per kind, since distinct numbers are found many times faster than distinct rows; 8 is above the media.
    code = (given.call_type.astype(np.int64) * 8 + given.media) * len(lists) + attached
    check()
    kinds, kind = np.unique(code, return_inverse=True)
    check()
    both = kinds // len(lists)
    preferred = [lists[place] for place in kinds % len(lists)] if with_preferred else None
    return ByKind(kind.astype(np.int32), (both // 8).astype(np.int32), (both % 8).astype(np.int32), preferred)


def _preferred(
    given: History | Interactions, centre: Centre
) -> tuple[list[tuple[tuple[int, float], ...] | None], IntArray]:
    """Distinct lists of preferred agents, None first, and the place of each interaction's list."""
    if given.preferred is None:
        return [None], np.zeros(given.n, np.int64)
    place = {agent: number for number, agent in enumerate(centre.agent_ids)}
    texts: dict[tuple[tuple[int, float], ...] | None, int] = {None: 0}
    codes = np.zeros(given.n, np.int64)
    for row, entries in enumerate(given.preferred.to_list()):
        known = tuple((place[e["agent_id"]], float(e["score"])) for e in entries or () if e["agent_id"] in place)
        codes[row] = texts.setdefault(known or None, len(texts))
    return list(texts), codes


def kinds_of(found: ByKind, centre: Centre, terms: Terms, point_s: float, timeout_s: float = 15.0) -> Kinds:
    """What interactions of a kind have in common."""
    requirement = centre.requirement[found.call_type].astype(np.int64)
    points = centre.call_types["priority"].to_numpy()[found.call_type]
    only = (centre.queues["scoring_method"] == "PriorityOnly").to_numpy()[centre.queue[requirement]]
    # A queue that scores by priority only orders by points, so there a point needs no length in seconds.
    lead_s = np.where(only, 1.0, point_s) * points
    alerts_s = centre.queues["alerting_timeout_s"].fill_null(timeout_s).to_numpy()[centre.queue[requirement]]
    if requirement.size * centre.n_agents > MOST_CELLS:
        raise InvalidTable(
            f"{requirement.size:,} different kinds of interaction (queue, skills, language, priority, media) and "
            f"{centre.n_agents:,} agents are more than a replay holds at once; replay fewer days, or merge skills"
        )
    return Kinds(
        media=found.media.astype(np.int8), tier=np.where(only, 0, 1).astype(np.int8),
        lead_us=np.rint(1e6 * lead_s).astype(np.int64), eligible=_eligible(terms, requirement),
        call_type=found.call_type, preferred=found.preferred,
        timeout_us=np.rint(1e6 * alerts_s).astype(np.int64), queue=centre.queue[requirement],
    )  # fmt: skip


def _eligible(terms: Terms, requirement: IntArray) -> BoolArray:
    return terms.eligible(requirement) if requirement.size else np.zeros((0, terms.order.size), bool)


def demand_of(given: Interactions, kinds: Kinds, kind: Int32Array) -> Demand:
    """Interactions as the loop takes them."""
    check()
    return Demand(
        arrived_us=given.arrived_us, kind=kind, handle_us=given.handle_us, leave_us=given.leave_us, kinds=kinds,
        flows_out=given.flows_out, alert_us=given.alert_us, misses=given.misses, pick=given.pick,
        base_us=given.base_us, factor=given.factor, handling=given.handling,
    )  # fmt: skip


def _misses(ids: pl.Series, share: float, seed: int, replication: int) -> Int32Array:
    """How many alerts in a row are not answered: geometric."""
    if share == 0:
        return np.zeros(ids.len(), np.int32)
    draw = uniform(ids, seed, NO_ANSWER, replication)
    # By the inverse of its distribution: one draw for each interaction, whatever the scenario does with it.
    misses = np.floor(np.log1p(-draw) / np.log(share))
    return np.minimum(misses, MOST_MISSES).astype(np.int32)


def terms_for(scenario: Scenario, arrays: Arrays, csat: CsatTable) -> Terms:
    """Terms of a scenario's scores with agents in the order of the centre."""
    return terms_of(scenario, arrays, csat, np.arange(arrays.centre.n_agents, dtype=np.int32))
