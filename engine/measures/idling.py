"""What agents do with their time on queue: busy, free, and free while customers wait whom they are able to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from engine.data.centre import Blocks
from engine.estimates.demand import NEVER_US
from engine.estimates.staffing import on_queue
from engine.measures.eligibility import Eligibility
from engine.measures.timeline import Edges, Timeline
from engine.measures.waits import IdleCauses
from engine.methods.ladder import NEVER, Ladder
from engine.replay.playing import Played
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Occupancy:
    """What agents did with their time.

    Parameters
    ----------
    staffed_s : (n_agents,) array of float
        Time on queue. [s]
    busy_s : (n_agents,) array of float
        Time on queue with anything in hand; several at once count once. [s]
    overrun_s : (n_agents,) array of float
        Time off queue with anything in hand, as when a block ends during a call. [s]
    handled : (n_agents,) array of int
        Interactions.
    handled_s : (n_agents,) array of float
        Their handling times, each in full, alerting not included. [s]
    """

    staffed_s: FloatArray
    busy_s: FloatArray
    overrun_s: FloatArray
    handled: IntArray
    handled_s: FloatArray

    @property
    def by_agent(self) -> FloatArray:
        """Busy over staffed seconds of each agent, NaN for those never staffed."""
        return np.divide(self.busy_s, self.staffed_s, out=np.full(self.busy_s.shape, np.nan), where=self.staffed_s > 0)

    @property
    def outside(self) -> float | None:
        """Share of the work that was done off queue, None where nobody worked on the days that count."""
        busy_s, overrun_s = float(self.busy_s.sum()), float(self.overrun_s.sum())
        return overrun_s / (busy_s + overrun_s) if busy_s + overrun_s > 0 else None

    @property
    def whole(self) -> float | None:
        """Busy over staffed seconds of all agents together, None where nobody was staffed."""
        staffed_s = float(self.staffed_s.sum())
        return float(self.busy_s.sum()) / staffed_s if staffed_s > 0 else None


def occupancy(time: Timeline, alert_us: IntArray | None = None) -> Occupancy:
    """Busy seconds inside blocks, seconds staffed, and what else agents did.

    Parameters
    ----------
    time : Timeline
        What agents did, and when they were on queue.
    alert_us : (n_services,) array of int64, optional
        Which part of each service was alerting; busy, but not handling. [us]

    Returns
    -------
    Occupancy
        By agent. Alerts that nobody answered are not known and count as free time.

    Examples
    --------
    >>> from engine.data.centre import Blocks
    >>> def blocks(*rows):
    ...     agent, start_s, end_s = np.array(rows).T
    ...     return Blocks(agent, start_s * 1_000_000, end_s * 1_000_000)
    >>> time = Timeline(blocks((0, 10, 40), (0, 30, 50), (0, 90, 120)), blocks((0, 0, 100)), 1)
    >>> found = occupancy(time)
    >>> found.whole, found.overrun_s.tolist(), found.handled_s.tolist()
    (0.5, [20.0], [80.0])
    """
    work, n = time.services, time.n_agents
    # Alerting is busy time but no handling: it is part of the wait.
    handle_us = work.end_us - work.start_us - (0 if alert_us is None else alert_us)
    return Occupancy(
        time.staffed_s, time.busy_s, time.overrun_s,
        handled=np.bincount(work.agent, minlength=n), handled_s=np.bincount(work.agent, handle_us, n) / 1e6,
    )  # fmt: skip


@dataclass(frozen=True)
class Idle:
    """Waiting, how much of it was beside a free agent who is able, and what that comes from.

    Parameters
    ----------
    waiting_us : int
        All waiting. [us]
    causes_us : dict of int
        That beside a free able agent, by field of `IdleCauses`. [us]
    """

    waiting_us: int
    causes_us: dict[str, int]

    @classmethod
    def mean(cls, some: Sequence[Idle]) -> Idle:
        """Of several draws, in whole microseconds."""
        n = len(some)
        causes_us = {name: round(sum(one.causes_us[name] for one in some) / n) for name in some[0].causes_us}
        return cls(round(sum(one.waiting_us for one in some) / n), causes_us)

    @property
    def idle_us(self) -> int:
        """Waiting beside a free able agent. [us]"""
        return sum(self.causes_us.values())

    @property
    def waiting_s(self) -> float:
        """All waiting. [s]"""
        return self.waiting_us / 1e6

    @property
    def idle_while_waiting_s(self) -> float:
        """Waiting beside a free able agent. [s]"""
        return self.idle_us / 1e6

    @property
    def causes(self) -> IdleCauses:
        """What it comes from. [s]"""
        return IdleCauses(**{name: us / 1e6 for name, us in self.causes_us.items()})

    @property
    def share(self) -> float | None:
        """The one over the other, None where nobody waited."""
        return self.idle_us / self.waiting_us if self.waiting_us > 0 else None


def idle_while_waiting(played: Played, time: Timeline) -> Idle:
    """Customers' waiting while an able agent was on queue with nothing in hand, by what it comes from.

    Able are those whom the rule would ask at its last stage of waiting, were there no threshold. Without thresholds,
    rings, rules for preferred agents, limits, capacities of 0 and alerts in vain nobody waits for one who is free.

    Parameters
    ----------
    played : Played
        A replay.
    time : Timeline
        What its agents did. An agent who holds anything is not free, even where more is allowed.

    Returns
    -------
    Idle
        Over all interactions. A second in which two customers wait counts twice, one in which two agents are free
        once. Waiting is until the agent who answered was alerted, or the customer left.

    Notes
    -----
    Each second goes to the cause that takes the last of the free able agents, in the order of the fields of
    `IdleCauses`: the own alert in vain first, then capacity, alerts of others, threshold, and the stage of waiting (a
    ring that is shut, or a rule that prefers others). Who is left was free and ranked, so what is left is the limit of
    BEST to the longest idle; or, where there is none, a threshold that was reached while the customer waited already.
    """
    check()
    served = played.served
    rows = np.flatnonzero(served.until_us > served.arrived_us)
    waits = _Pieces(rows, served.arrived_us[rows], served.until_us[rows], np.ones(rows.size, np.int64))
    waiting_us = int((waits.end_us - waits.start_us).sum())
    return Idle(waiting_us, _Beside(played, time).told(waits))


class _Pieces(NamedTuple):
    """Pieces of waiting: interaction, bounds [us], and 1 or -1 for what counts or is taken off again."""

    row: IntArray
    start_us: IntArray
    end_us: IntArray
    sign: IntArray

    def of(self, some: BoolArray | IntArray) -> _Pieces:
        return _Pieces(*(side[some] for side in self))

    def within(self, start_us: IntArray | int, end_us: IntArray | int) -> _Pieces:
        """What lies in a window of each, or in one of all."""
        cut = self._replace(start_us=np.maximum(self.start_us, start_us), end_us=np.minimum(self.end_us, end_us))
        return cut.of(cut.end_us > cut.start_us)


class _Beside:
    """Waiting beside free agents of fewer and fewer who might have been asked, and what it comes from."""

    def __init__(self, played: Played, time: Timeline) -> None:
        self.played, self.kinds, self.kind = played, played.demand.kinds, played.demand.kind
        self.free, self.n_agents = time.free, time.n_agents
        self.able = self.kinds.eligible if self.kinds.able is None else self.kinds.able
        self.causes_us = dict.fromkeys((field.name.removesuffix("_s") for field in fields(IdleCauses)), 0)

    def told(self, waits: _Pieces) -> dict[str, int]:
        """How much of it comes from what. [us]"""
        check()
        edges = Edges(self.free)
        # Nearly nobody waits beside a free agent; only of those who do is asked why.
        waits = waits.of(self._covered(waits, self.able, edges) > 0)
        own = self._own_alerts(waits)
        self._take("alert", int(self._covered(own, self.able, edges).sum()))
        pieces = _Pieces(*(np.concatenate(sides) for sides in zip(waits, own._replace(sign=-own.sign), strict=True)))
        if pieces.row.size:
            self._by_agents(pieces, edges)
        return {f"{name}_s": us for name, us in self.causes_us.items()}

    def _own_alerts(self, waits: _Pieces) -> _Pieces:
        """Pieces of the waits in which the interaction alerted somebody in vain: nobody else could be asked."""
        vain = self.played.vain
        waited = np.zeros(self.kind.size, bool)
        waited[waits.row] = True
        mine = vain.of(waited[vain.interaction])
        return _Pieces(
            mine.interaction.astype(np.int64), mine.start_us, mine.end_us, np.ones(mine.agent.size, np.int64)
        ).within(0, self.played.served.until_us[mine.interaction])

    def _by_agents(self, pieces: _Pieces, edges: Edges) -> None:
        """Agents who had no room for it at all, or were alerted by others or away; then what the rule did."""
        roomy = self.able & (self.played.roster.capacity.T[self.kinds.media] > 0)[:, : self.n_agents]
        left_us = before_us = self._covered(pieces, self.able, edges)
        if (roomy != self.able).any():
            left_us = self._covered(pieces, roomy, edges)
            self._take("capacity", _sum(pieces, before_us - left_us))
        vain = self.played.vain
        if vain.agent.size:
            edges = Edges(on_queue(self.free, Blocks(vain.agent, vain.start_us, vain.until_us), self.n_agents))
            before_us, left_us = left_us, self._covered(pieces, roomy, edges)
            self._take("alert", _sum(pieces, before_us - left_us))
        still_us = np.zeros(self.kind.size, np.int64)
        np.add.at(still_us, pieces.row, pieces.sign * left_us)
        pieces = pieces.of(still_us[pieces.row] > 0)
        if pieces.row.size:
            ladders = list(self.played.ladders())
            ends_us = [*(start_us for start_us, _ in ladders[1:]), NEVER_US]
            start_us = 0
            for (_, ladder), end_us in zip(ladders, ends_us, strict=True):
                self._by_rule(ladder, pieces.within(start_us, end_us), roomy, edges)
                start_us = end_us

    def _by_rule(self, ladder: Ladder, pieces: _Pieces, roomy: BoolArray, edges: Edges) -> None:
        """Who was free and had room, but not at the stage that held, or below the threshold."""
        pieces, row = self._stages(ladder, pieces)
        before_us = self._covered(pieces, roomy, edges)
        reach_us = self._covered(pieces, roomy & ladder.able, edges)
        self._take("threshold", _sum(pieces, before_us - reach_us))
        of_row = np.repeat(np.arange(ladder.n_kinds), np.diff(ladder.first_row))
        asked_us = _union_us(pieces, Eligibility.of((ladder.rank > NEVER) & roomy[of_row], row), edges)
        prefers = np.zeros(row.size, bool) if ladder.prefers is None else ladder.prefers[row]
        limited = np.zeros(row.size, bool) if ladder.limit is None else ladder.limit[row] > 0
        shut_us = reach_us - asked_us
        for name, us, some in (
            ("preference", shut_us, prefers), ("ring", shut_us, ~prefers), ("limit", asked_us, limited),
            # A score that comes to reach the threshold meets nobody until the agent is freed anew.
            ("threshold", asked_us, ~limited),
        ):  # fmt: skip
            self._take(name, _sum(pieces, us * some))

    def _stages(self, ladder: Ladder, pieces: _Pieces) -> tuple[_Pieces, IntArray]:
        """Pieces cut where the next stage of waiting opens, and the row of each."""
        kind = self.kind[pieces.row]
        first, n_rows = ladder.first_row[kind].astype(np.int64), np.diff(ladder.first_row)[kind]
        place = np.repeat(np.arange(kind.size), n_rows)
        row = np.arange(place.size) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows) + np.repeat(first, n_rows)
        many, arrived_us = pieces.of(place), self.played.served.arrived_us[pieces.row][place]
        start_us = np.maximum(many.start_us, arrived_us + ladder.after_us[row])
        is_last = row == ladder.first_row[kind + 1][place] - 1
        # The last stage never ends; what stands behind it belongs to another kind.
        shuts_us = np.where(is_last, many.end_us, arrived_us + np.append(ladder.after_us, 0)[row + 1])
        cut = many._replace(start_us=start_us, end_us=np.minimum(many.end_us, shuts_us))
        some = cut.end_us > cut.start_us
        return cut.of(some), row[some]

    def _covered(self, pieces: _Pieces, asked: BoolArray, edges: Edges) -> IntArray:
        """How much of each piece is beside a free agent of those who are asked, by kind. [us]"""
        check()
        return _union_us(pieces, Eligibility.of(asked, self.kind[pieces.row]), edges)

    def _take(self, name: str, us: int) -> None:
        self.causes_us[name] += us


def _sum(pieces: _Pieces, us: IntArray) -> int:
    return int((pieces.sign * us).sum())


def _union_us(pieces: _Pieces, may: Eligibility, free: Edges) -> IntArray:
    """How much of each piece is covered by free time of agents of its group. [us]"""
    check()
    covered_us = np.zeros(pieces.row.size, np.int64)
    every = np.arange(pieces.row.size)
    # In whole microseconds, so sums do not depend on the order in which groups are looked at; groups in which nobody
    # waited are passed over: most call types of a day are such.
    for able, rows in may.each(np.argsort(may.group, kind="stable"), every):
        union = _Union(free.starts(able), free.ends(able))
        covered_us[rows] = union.before(pieces.end_us[rows]) - union.before(pieces.start_us[rows])
    return covered_us


class _Union:
    """Time covered by at least one of several stretches, given by all their starts and all their ends in order."""

    def __init__(self, start_us: IntArray, end_us: IntArray) -> None:
        # A stretch opens a gapless run if as many have ended before it as have started before it.
        opens = np.flatnonzero(end_us[:-1] <= start_us[1:]) + 1
        some = min(start_us.size, 1)
        self.start_us = np.append(start_us[:some], start_us.take(opens))
        self.end_us = np.append(end_us.take(opens - 1), end_us[end_us.size - some :])
        self.sum_us = np.append(0, np.cumsum(self.end_us - self.start_us))

    def before(self, at_us: IntArray) -> IntArray:
        """Time covered before some instants. [us]"""
        if not self.start_us.size:
            return np.zeros(at_us.shape, np.int64)
        # All runs begun before an instant, less what the last of them still has ahead.
        n = np.searchsorted(self.start_us, at_us, "right")
        to_come_us = np.maximum(self.end_us[n - 1] - at_us, 0)
        return self.sum_us[n] - np.where(n > 0, to_come_us, 0)
