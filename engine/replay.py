"""Replays: interactions, agents on queue and a ladder of ranks, played in order of time.

The loop itself is compiled (`engine.kernels.replay`). A replay can be stopped at any instant, be given
another ladder, and go on; without another ladder the result is the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.demand import NEVER_US, Demand
from engine.errors import InvalidScenario
from engine.methods.ladder import Ladder
from engine.roster import Roster
from engine.tables import MEDIA
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

STATUS = ("answered", "abandoned", "flowed_out", "unserved")
WORD = 64
ALL = slice(None)
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


@dataclass(frozen=True)
class Served:
    """What came of each interaction.

    Parameters
    ----------
    status : (n,) array of int8
        Place in `STATUS`.
    agent : (n,) array of int32
        Who answered, -1 for nobody.
    start_us, end_us : (n,) array of int64
        Answer, and when the agent is free again; 0 where nobody answered. [us]
    left_us : (n,) array of int64
        End of waiting, whatever the reason; for those unserved the last event of the replay. [us]
    found : (n,) array of int8
        Eligible agents free when it looked for one: 0, 1, or 2 for more.
    """

    status: Int8Array
    agent: Int32Array
    start_us: IntArray
    end_us: IntArray
    left_us: IntArray
    found: Int8Array


class Replay:
    """A replay that can be stopped and go on.

    Parameters
    ----------
    demand : Demand
        The interactions.
    roster : Roster
        When agents are on queue.
    clock : Clock
        Idle time and missed alerts.

    Examples
    --------
    >>> from engine.demand import Kinds
    >>> from engine.methods.ladder import one_row_each
    >>> demand = Demand.of([0.0, 1.0], [10.0, 10.0], Kinds.plain(np.ones((1, 1), bool)))
    >>> served = replay(demand, Roster.of(1, [0], [0], [60]), one_row_each(np.zeros((1, 1))))
    >>> (served.start_us / 1e6).tolist()
    [0.0, 10.0]
    """

    def __init__(self, demand: Demand, roster: Roster, clock: Clock | None = None) -> None:
        from engine.kernels import replay as kernel

        if demand.kinds.eligible.shape[1] != roster.n_agents:
            raise InvalidScenario(
                f"kinds rank {demand.kinds.eligible.shape[1]} agents, the roster has {roster.n_agents}; "
                "encode both from the same snapshot"
            )
        self._kernel, self._demand, self._n_agents = kernel, demand, roster.n_agents
        self._calls = _calls(kernel, demand)
        self._kinds = _kinds(kernel, demand, clock or Clock())
        self._agents = _agents(kernel, demand, roster, clock or Clock())
        self._state = _state(kernel, demand, roster)
        self._served = _served(kernel, demand.arrived_us.size)
        self._ladder: Ladder | None = None
        self._plan: Any = None

    def run_until(self, ladder: Ladder, until_us: int = NEVER_US) -> None:
        """Play all events before an instant under a ladder.

        Parameters
        ----------
        ladder : Ladder
            Ranks from now on; kinds and their rows' waits stay those of the first call.
        until_us : int
            Where to stop. [us]
        """
        if ladder is not self._ladder:
            if ladder.n_agents != self._n_agents:
                raise InvalidScenario(f"the ladder ranks {ladder.n_agents} agents, the roster has {self._n_agents}")
            self._plan, self._ladder = _plan(self._kernel, ladder), ladder
        self._kernel.replay_until(
            np.int64(until_us), self._calls, self._kinds, self._plan, self._agents, self._state, self._served
        )

    def so_far(self, rows: slice = ALL) -> Served:
        """What is known now.

        Parameters
        ----------
        rows : slice
            Of which interactions; by default of all.

        Returns
        -------
        Served
            Those waiting, alerting or still to come read as unserved.
        """
        kernel, served = self._kernel, self._kernel.Served(*(column[rows] for column in self._served))
        status = np.maximum(served.status, kernel.ANSWERED) - kernel.ANSWERED
        status[served.status < kernel.ANSWERED] = STATUS.index("unserved")
        return Served(
            status.astype(np.int8), served.agent, served.start_us, served.end_us, served.left_us, served.found
        )

    def finish(self, ladder: Ladder) -> Served:
        """Play to the end.

        Parameters
        ----------
        ladder : Ladder
            Ranks from now on.

        Returns
        -------
        Served
            Those whom nobody ever answered are unserved.
        """
        self.run_until(ladder)
        served = self.so_far()
        unserved = served.status == STATUS.index("unserved")
        if unserved.any():
            last_us = self._state.at[self._kernel.LAST_US]
            served.left_us[unserved] = max(last_us, served.left_us.max())
        return served


def replay(demand: Demand, roster: Roster, ladder: Ladder, clock: Clock | None = None) -> Served:
    """Play interactions from the first to the last under one ladder.

    Parameters
    ----------
    demand : Demand
        The interactions.
    roster : Roster
        When agents are on queue.
    ladder : Ladder
        Who is asked first.
    clock : Clock, optional
        Idle time and missed alerts.

    Returns
    -------
    Served
        What came of each interaction.
    """
    return Replay(demand, roster, clock).finish(ladder)


def _calls(kernel: Any, demand: Demand) -> Any:
    return kernel.Calls(
        *(np.array(getattr(demand, f"{name}_us"), np.int64) for name in ("arrived", "leave", "alert", "handle")),
        np.array(demand.base_us, np.float64), np.array(demand.kind, np.int32), np.array(demand.misses, np.int32),
        np.array(demand.pick, np.float64), np.array(demand.flows_out, np.bool_),
    )  # fmt: skip


def _kinds(kernel: Any, demand: Demand, clock: Clock) -> Any:
    kinds = demand.kinds
    timeout_us = np.full(kinds.media.size, _us(clock.timeout_s)) if kinds.timeout_us is None else kinds.timeout_us
    return kernel.Kinds(
        np.array(kinds.media, np.int8), np.array(kinds.tier, np.int8), np.array(kinds.lead_us, np.int64),
        np.array(kinds.handling, np.int32), np.array(timeout_us, np.int64), _words(kinds.eligible),
    )  # fmt: skip


def _plan(kernel: Any, ladder: Ladder) -> Any:
    able = ladder.rank > -np.inf
    n_rows = len(ladder.rank)
    limit = np.zeros(n_rows, np.int32) if ladder.limit is None else np.array(ladder.limit, np.int32)
    highest = np.max(ladder.rank, axis=1, initial=-np.inf)
    lowest = np.min(np.where(able, ladder.rank, np.inf), axis=1, initial=np.inf)
    last = ladder.first_row[1:] - 1
    order, ordered = _ranked(ladder.rank, able, highest > lowest)
    return kernel.Plan(
        np.array(ladder.first_row, np.int32), np.array(ladder.after_us, np.int64), limit, highest <= lowest,
        np.array(ladder.rank, np.float64), _words(able), _words(able if ladder.pool is None else ladder.pool),
        _words(able[last].T), bool(ladder.by_draw), order, ordered,
    )  # fmt: skip


def _ranked(rank: FloatArray, able: BoolArray, differs: BoolArray) -> tuple[Int32Array, IntArray]:
    """Agents of each row by rank, then place; rows of equal ranks need none, and few agents are faster gone through."""
    n_rows, n_agents = rank.shape
    if n_agents < MANY_AGENTS:
        return np.empty(0, np.int32), np.zeros(n_rows + 1, np.int64)
    size = np.where(differs, able.sum(axis=1), 0)
    order = [np.argsort(-rank[row], kind="stable")[:n] for row, n in enumerate(size.tolist())]
    return np.concatenate(order).astype(np.int32), np.concatenate([[0], np.cumsum(size)])


def _agents(kernel: Any, demand: Demand, roster: Roster, clock: Clock) -> Any:
    n = roster.agent.size
    at_us = np.concatenate([roster.start_us, roster.end_us])
    agent = np.concatenate([roster.agent, roster.agent]).astype(np.int32)
    until_us = np.concatenate([roster.end_us, np.zeros(n, np.int64)])
    # At one instant spells end before others start; within that by agent.
    order = np.lexsort((agent, until_us > 0, at_us))
    single = bool((demand.kinds.media == MEDIA.index("voice")).all() and (roster.capacity[:, 0] == 1).all())
    factor = np.empty((0, roster.n_agents)) if demand.factor is None else np.array(demand.factor, np.float64)
    return kernel.Agents(
        np.array(roster.capacity, np.int8), np.array(roster.interrupts, np.bool_), single, factor,
        at_us[order].astype(np.int64), agent[order], until_us[order].astype(np.int64), _us(clock.lookback_s),
        bool(clock.resets_on_queue), bool(clock.alert_resets), _us(clock.away_s),
    )  # fmt: skip


def _state(kernel: Any, demand: Demand, roster: Roster) -> Any:
    n, n_agents, n_kinds = demand.arrived_us.size, roster.n_agents, demand.kinds.media.size
    # Every agent may hold all media to the brim, and one more who did not answer is on the way back.
    n_ends = int(roster.capacity.sum()) + n_agents + 1
    none, words = np.full(n_kinds, -1, np.int32), np.zeros
    return kernel.State(
        at=np.zeros(6, np.int64), until_us=np.zeros(n_agents, np.int64),
        held=np.zeros((n_agents, len(MEDIA)), np.int16),
        n_held=np.zeros(n_agents, np.int32), idle_us=np.array(roster.idle_us, np.int64),
        away=np.zeros(n_agents, np.int16), listed=np.zeros(n_agents, bool),
        earlier=np.full(n_agents + 1, n_agents, np.int32), later=np.full(n_agents + 1, n_agents, np.int32),
        free=words(_n_words(n_agents), np.uint64), head=none, tail=none.copy(),
        waits=words(_n_words(n_kinds), np.uint64), before=np.full(n, -1, np.int32),
        after=np.full(n, -1, np.int32), staged=np.zeros(n, bool),
        missed=np.zeros(n, np.int32), end_us=np.zeros(n_ends, np.int64), end_call=np.zeros(n_ends, np.int32),
        end_agent=np.zeros(n_ends, np.int32), stage_us=np.zeros(n + 1, np.int64), stage_call=np.zeros(n + 1, np.int32),
    )  # fmt: skip


def _served(kernel: Any, n: int) -> Any:
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
