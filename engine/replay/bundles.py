"""Bundles of arrays as the event loop takes them: typed, masks as words of 64 bits; and the clock of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.centre import Holds
from engine.data.tables import MEDIA
from engine.estimates.assumptions import Assumptions, Switches
from engine.estimates.demand import Demand
from engine.estimates.staffing import Roster
from engine.methods.ladder import Ladder
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

WORD = 64
DAY_S = 86_400.0
# From so many agents on their order by rank is kept.
MANY_AGENTS = 512


@dataclass(frozen=True)
class Clock:
    """What agents' idle time and missed alerts mean; switches where sources conflict.

    Parameters
    ----------
    lookback_s : float
        Agents coming on queue after a longer time without work count as never having worked; 0: no limit. [s]
    resets_on_queue : bool
        Whether coming on queue puts an agent at the back.
    alert_resets : bool
        Whether an alert that came to nothing puts an agent at the back.
    timeout_s : float
        How long an agent who does not answer is alerted, where a kind says nothing of its own. [s]
    away_s : float
        How long such an agent gets nothing more. [s]
    """

    lookback_s: float = 0.0
    resets_on_queue: bool = False
    alert_resets: bool = False
    timeout_s: float = 15.0
    away_s: float = 60.0

    @classmethod
    def of(cls, assumed: Assumptions, switches: Switches) -> Clock:
        """The clock of a replay, the same for every method.

        Examples
        --------
        >>> Clock.of(Assumptions(), Switches(new_agents_last=True)).lookback_s
        604800.0
        """
        # The look-back says who counts as new, so without a place for new agents it does nothing.
        lookback_s = DAY_S * switches.lookback_days if switches.new_agents_last else 0.0
        return cls(lookback_s, switches.resets_on_queue, switches.alert_resets_idle, assumed.timeout_s, assumed.away_s)


def calls(kernel: Any, demand: Demand) -> Any:
    """Interactions."""
    return kernel.Calls(
        arrived_us=_column(demand.arrived_us, np.int64), leave_us=_column(demand.leave_us, np.int64),
        alert_us=_column(demand.alert_us, np.int64), handle_us=_column(demand.handle_us, np.int64),
        base_us=_column(demand.base_us, np.float64), kind=_column(demand.kind, np.int32),
        misses=_column(demand.misses, np.int32), pick=_column(demand.pick, np.float64),
        flows_out=_column(demand.flows_out, np.bool_), handling=_handling(demand),
    )  # fmt: skip


def _handling(demand: Demand) -> Any:
    if demand.factor is None:
        return np.empty(0, np.int32)
    n = demand.arrived_us.size
    return np.zeros(n, np.int32) if demand.handling is None else _column(demand.handling, np.int32)


def _column(values: Any, kind: Any) -> Any:
    """Values side by side and writable, which the loop is compiled for; copied only where they are not."""
    column = np.ascontiguousarray(values, kind)
    return column if column.flags.writeable else column.copy()


def _copy(values: Any, kind: Any) -> Any:
    """A copy row by row: for another layout the loop would be compiled anew, which takes far longer than it runs."""
    return np.array(values, kind, order="C")


def kinds(kernel: Any, demand: Demand, clock: Clock) -> Any:
    """What interactions of a kind have in common."""
    given = demand.kinds
    timeout_us = np.full(given.media.size, _us(clock.timeout_s)) if given.timeout_us is None else given.timeout_us
    return kernel.Kinds(
        _copy(given.media, np.int8), _copy(given.tier, np.int8), _copy(given.lead_us, np.int64),
        _copy(timeout_us, np.int64), _words(given.eligible if given.able is None else given.able),
    )  # fmt: skip


def plan(kernel: Any, ladder: Ladder) -> Any:
    """Who may be asked, in which order."""
    check()
    # Masks in words let the loop skip 64 agents at a time; ranks are read only where a bit is set.
    able = ladder.rank > -np.inf
    n_rows = len(ladder.rank)
    limit = np.zeros(n_rows, np.int32) if ladder.limit is None else _copy(ladder.limit, np.int32)
    highest = np.max(ladder.rank, axis=1, initial=-np.inf)
    lowest = np.min(np.where(able, ladder.rank, np.inf), axis=1, initial=np.inf)
    # Rows of a kind only grow, so whoever may ever be asked for it is ranked in its last one.
    last = ladder.first_row[1:] - 1
    order, ordered = _ranked(ladder.rank, able, highest > lowest)
    return kernel.Plan(
        first_row=_copy(ladder.first_row, np.int32), after_us=_copy(ladder.after_us, np.int64), limit=limit,
        flat=highest <= lowest, rank=_copy(ladder.rank, np.float64), able=_words(able),
        pool=_words(able if ladder.pool is None else ladder.pool), can=_words(able[last].T),
        by_draw=bool(ladder.by_draw), order=order, ordered=ordered,
    )  # fmt: skip


def _ranked(rank: FloatArray, able: BoolArray, differs: BoolArray) -> tuple[Int32Array, IntArray]:
    """Agents of each row by rank, then place; rows of equal ranks need none, and few agents are faster gone through."""
    n_rows, n_agents = rank.shape
    if n_agents < MANY_AGENTS:
        return np.empty(0, np.int32), np.zeros(n_rows + 1, np.int64)
    size = np.where(differs, able.sum(axis=1), 0)
    # Stable, so equal ranks keep the order of places and the loop looks at idle times only among them.
    order = [np.argsort(-rank[row], kind="stable")[:n] for row, n in enumerate(size.tolist())]
    return np.concatenate(order).astype(np.int32), np.concatenate([[0], np.cumsum(size)])


def agents(kernel: Any, demand: Demand, roster: Roster, clock: Clock) -> Any:
    """What agents can hold, and when they are on queue."""
    # Most centres take calls only; one flag then spares the loop all questions of capacity. It holds beside work
    # elsewhere too, as none is left that a call may interrupt.
    single = bool((demand.kinds.media == MEDIA.index("voice")).all() and (roster.capacity[:, 0] == 1).all())
    factor = np.empty((0, roster.n_agents)) if demand.factor is None else _copy(demand.factor, np.float64)
    return kernel.Agents(
        capacity=_copy(roster.capacity, np.int8), interrupts=_copy(roster.interrupts, np.bool_), single=single,
        factor=factor, **_events(kernel, roster, _felt(demand, roster)), lookback_us=_us(clock.lookback_s),
        resets_on_queue=bool(clock.resets_on_queue), alert_resets=bool(clock.alert_resets), away_us=_us(clock.away_s),
    )  # fmt: skip


def _felt(demand: Demand, roster: Roster) -> Holds:
    """Work elsewhere that bars its agent from something that comes at all."""
    media, held = np.unique(demand.kinds.media), roster.held
    # Nearly everybody has the same rules, so agents and media are looked at, not each piece of work.
    felt = np.logical_not(np.all(roster.interrupts[:, :, media], axis=2))
    # Of the same media it takes a place, whatever may interrupt it.
    felt[:, media] = True
    return held.of(felt[held.agent, held.media])


def _events(kernel: Any, roster: Roster, held: Holds) -> dict[str, Any]:
    """When agents come on queue and go, and when work elsewhere takes a place and gives it back, in order."""
    n, n_held = roster.agent.size, held.agent.size
    kind = np.repeat(
        np.array([kernel.ON, kernel.OFF, kernel.TAKEN, kernel.GIVEN_BACK], np.int8), [n, n, n_held, n_held]
    )
    at_us = np.concatenate([roster.start_us, roster.end_us, held.start_us, held.end_us])
    agent = np.concatenate([roster.agent, roster.agent, held.agent, held.agent])
    until_us = np.concatenate([roster.end_us, np.zeros(n + 2 * n_held, np.int64)])
    media = np.concatenate([np.zeros(2 * n, np.int8), held.media, held.media])
    order = np.lexsort((media, agent, kind, at_us))
    return {
        "event_us": at_us[order].astype(np.int64), "event_agent": agent[order].astype(np.int32),
        "event_kind": kind[order], "event_until_us": until_us[order].astype(np.int64), "event_media": media[order],
    }  # fmt: skip


def state(kernel: Any, demand: Demand, roster: Roster, ladder: Ladder) -> Any:
    """Everything that changes, before the first event."""
    n, n_agents, n_kinds = demand.arrived_us.size, roster.n_agents, demand.kinds.media.size
    # Every agent may hold all media to the brim; who is on the way back after not answering holds less.
    n_ends = int(roster.capacity.sum(dtype=np.int64)) + n_agents + 1
    # Each interaction waits for one stage at a time; ladders of one row have none to wait for.
    n_stages = n + 1 if len(ladder.rank) > ladder.n_kinds else 1
    # Alerts that nobody answers, and the last of an interaction, during which its customer may leave.
    n_vain = int(demand.misses.sum()) + int(np.count_nonzero((demand.alert_us > 0) | (demand.misses > 0))) + 1
    none, words = np.full(n_kinds, -1, np.int32), np.zeros
    return kernel.State(
        at=np.zeros(7, np.int64), until_us=np.full(n_agents, np.iinfo(np.int64).min),
        held=np.zeros((n_agents, len(MEDIA)), np.int16),
        n_held=np.zeros(n_agents, np.int32), idle_us=_copy(roster.idle_us, np.int64),
        away=np.zeros(n_agents, np.int16), listed=np.zeros(n_agents, bool),
        earlier=np.full(n_agents + 1, n_agents, np.int32), later=np.full(n_agents + 1, n_agents, np.int32),
        free=words(_n_words(n_agents), np.uint64), head=none, tail=none.copy(),
        waits=words(_n_words(n_kinds), np.uint64), before=np.full(n, -1, np.int32),
        after=np.full(n, -1, np.int32), staged=np.zeros(n, bool),
        missed=np.zeros(n, np.int32), end_us=np.zeros(n_ends, np.int64), end_call=np.zeros(n_ends, np.int32),
        end_agent=np.zeros(n_ends, np.int32), stage_us=np.zeros(n_stages, np.int64),
        stage_call=np.zeros(n_stages, np.int32), vain_call=np.zeros(n_vain, np.int32),
        vain_agent=np.zeros(n_vain, np.int32), vain_us=np.zeros(n_vain, np.int64),
        vain_end_us=np.zeros(n_vain, np.int64), vain_until_us=np.zeros(n_vain, np.int64),
    )  # fmt: skip


def served(kernel: Any, n: int) -> Any:
    """Outcomes before the first event."""
    return kernel.Served(
        np.zeros(n, np.int8), np.full(n, -1, np.int32), np.zeros(n, np.int64), np.zeros(n, np.int64),
        np.zeros(n, np.int64), np.zeros(n, np.int8),
    )  # fmt: skip


def _words(mask: BoolArray) -> Any:
    """Rows of a mask as words of 64 bits, the first column in the lowest bit."""
    n_rows, n = mask.shape
    padded = np.zeros((n_rows, _n_words(n) * WORD), bool)
    padded[:, :n] = mask
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def _n_words(n: int) -> int:
    return max(1, -(-n // WORD))


def _us(seconds: float) -> Any:
    return np.int64(round(1e6 * seconds))
