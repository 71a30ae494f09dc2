"""Accounts: what became of the same customers, as recorded or under one rule, in one shape that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.arrays import Blocks
from engine.data.history import History
from engine.measures.intervals import Days
from engine.measures.service_level import Visits, level_terms
from engine.replay.loop import STATUS
from engine.replay.playing import Played
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

ANSWERED, ABANDONED, FLOWED_OUT, UNSERVED = range(len(STATUS))


@dataclass(frozen=True)
class Account:
    """Interactions in order of arrival, and what became of each.

    Parameters
    ----------
    name : str
        Recorded, or the rule.
    arrived_us : (n,) array of int64
        Arrival. [us]
    queue : (n,) array of int
        Place of the queue.
    status : (n,) array of int8
        Place in `engine.replay.loop.STATUS`.
    wait_s : (n,) array of float
        NaN where not recorded. [s]
    agent : (n,) array of int32
        Who answered, -1 for nobody.
    offered_us, free_us : (n,) array of int64
        When the agent was first alerted and was free again; 0 where nobody answered. [us]
    """

    name: str
    arrived_us: IntArray
    queue: IntArray
    status: Int8Array
    wait_s: FloatArray
    agent: Int32Array
    offered_us: IntArray
    free_us: IntArray

    @property
    def answered(self) -> BoolArray:
        """Where a known agent answered."""
        return (self.status == ANSWERED) & (self.agent >= 0)


def of_played(name: str, played: Played, queue: IntArray) -> Account:
    """Account of a replay.

    Parameters
    ----------
    name : str
        Of the column.
    played : Played
        The replay.
    queue : (n,) array of int
        Queue of each interaction.

    Returns
    -------
    Account
        With waits for all.
    """
    served = played.served
    offered_us = np.where(served.agent >= 0, served.start_us - played.demand.alert_us, 0)
    return Account(
        name, played.demand.arrived_us, queue, served.status, played.wait_s, served.agent, offered_us, served.end_us
    )


def of_history(history: History, queue: IntArray, acw_s: float) -> Account:
    """Account of what was recorded.

    Parameters
    ----------
    history : History
        The interactions.
    queue : (n,) array of int
        Queue of each.
    acw_s : float
        After-call work assumed where none is recorded. [s]

    Returns
    -------
    Account
        Unknown outcomes with an agent read as answered, others as unserved.
    """
    status = np.full(history.n, UNSERVED, np.int8)
    for name, place in (("answered", ANSWERED), ("abandoned", ABANDONED), ("flowed_out", FLOWED_OUT)):
        status[history.outcome_is(name)] = place
    status[history.outcome_is("unknown") & (history.agent >= 0)] = ANSWERED
    agent = np.where(status == ANSWERED, history.agent, np.int32(-1))
    alert_s = np.nan_to_num(history.alert_s)
    offered_s = np.maximum(np.nan_to_num(history.wait_s) - alert_s, 0.0)
    handle_s = np.nan_to_num(history.handle_s) + history.assumed_acw_s(acw_s)
    offered_us = history.arrived_us + np.rint(1e6 * offered_s).astype(np.int64)
    free_us = history.arrived_us + np.rint(1e6 * (np.nan_to_num(history.wait_s) + handle_s)).astype(np.int64)
    some = agent >= 0
    return Account(
        "recorded", history.arrived_us, queue, status, history.wait_s, agent,
        np.where(some, offered_us, 0), np.where(some, free_us, 0),
    )  # fmt: skip


def visits(account: Account) -> Visits:
    """The account as measures of service read it."""
    return Visits(account.arrived_us, account.queue, account.status, account.wait_s)


def services(account: Account) -> Blocks:
    """Stretches of time that agents spent on interactions, alerting included.

    Parameters
    ----------
    account : Account
        What became of the customers.

    Returns
    -------
    Blocks
        One per interaction that a known agent answered.
    """
    rows = account.answered
    return Blocks(account.agent[rows], account.offered_us[rows], account.free_us[rows])


@dataclass(frozen=True)
class Ground:
    """What the accounts of one data set are measured on.

    Parameters
    ----------
    day : (n,) array of int
        Place of each interaction's local day of arrival.
    n_days, n_agents : int
        Sizes.
    goal_s : (n,) array of float
        Longest wait within the goal. [s]
    definition : {"genesys", "offered", "answered"}
        Of the service level.
    short_s : float
        Abandonments up to this wait do not count against it; 0 for none. [s]
    spells : Blocks
        When agents could be asked.
    spell_day : (n_spells,) array of int
        Place of the local day on which each starts, the nearest where nothing arrived.
    """

    day: IntArray
    n_days: int
    n_agents: int
    goal_s: FloatArray
    definition: str
    short_s: float
    spells: Blocks
    spell_day: IntArray


def days_of(account: Account, ground: Ground) -> Days:
    """Sums by day.

    Parameters
    ----------
    account : Account
        Of one draw of what is not recorded.
    ground : Ground
        What they are measured on.

    Returns
    -------
    Days
        Of one draw.
    """
    parts = _parts(account, ground)
    return Days({name: part[None] for name, part in parts.items()}, _counts(account, ground)[None])


def _parts(account: Account, ground: Ground) -> dict[str, FloatArray]:
    known = ~np.isnan(account.wait_s)
    timed = known & (account.status == ANSWERED)
    wait_s = np.where(known, account.wait_s, 0.0)
    within, counted = level_terms(visits(account), ground.goal_s, ground.definition, ground.short_s)
    values = {
        "within": within, "counted": counted, "answered": timed, "abandoned": account.status == ABANDONED,
        "offered": np.ones(known.size, bool), "waits": known, "answered_wait_s": wait_s * timed, "wait_s": wait_s,
    }  # fmt: skip
    sums = {name: _summed(ground.day, value, ground.n_days) for name, value in values.items()}
    return sums | _presence(account, ground)


def _summed(place: IntArray, value: FloatArray | BoolArray, n: int) -> FloatArray:
    return np.asarray(np.bincount(place, value.astype(float), n), float)


def _presence(account: Account, ground: Ground) -> dict[str, FloatArray]:
    """Staffed and busy seconds by day of the spell's start; work outside spells is overrun and not counted."""
    spells = ground.spells
    busy_s = busy_within(services(account), spells)
    staffed_s = (spells.end_us - spells.start_us) / 1e6
    return {
        "busy_s": _summed(ground.spell_day, busy_s, ground.n_days),
        "staffed_s": _summed(ground.spell_day, staffed_s, ground.n_days),
    }


def busy_within(work: Blocks, spells: Blocks) -> FloatArray:
    """Seconds of each spell in which its agent was at work; what overlaps counts once.

    Parameters
    ----------
    work : Blocks
        Stretches of work, in any order, which may overlap.
    spells : Blocks
        Disjoint within an agent.

    Returns
    -------
    (n_spells,) array of float
        [s]
    """
    order = np.lexsort((work.start_us, work.agent))
    agent, start, end = work.agent[order], work.start_us[order], work.end_us[order]
    if not agent.size or not spells.agent.size:
        return np.zeros(spells.agent.size)
    # Agents one behind the other on one axis, so that one running maximum merges what overlaps.
    base = min(int(start.min()), int(spells.start_us.min()))
    span = max(int(end.max()), int(spells.end_us.max())) - base + 1
    shift = agent.astype(np.int64) * span - base
    reached = np.maximum.accumulate(shift + end)
    begin = np.maximum(shift + start, np.concatenate([[-1], reached[:-1]]))
    finish = np.maximum(shift + end, begin)
    total = np.concatenate([[0], np.cumsum(finish - begin)])

    def upto(at: IntArray) -> IntArray:
        """Work done before an instant."""
        place = np.searchsorted(begin, at, side="right")
        last = np.maximum(place - 1, 0)
        return np.where(place > 0, total[last] + np.minimum(finish[last], at) - begin[last], 0)

    edge = spells.agent.astype(np.int64) * span - base
    return (upto(edge + spells.end_us) - upto(edge + spells.start_us)) / 1e6


def _counts(account: Account, ground: Ground) -> FloatArray:
    """Answered by day and agent, of agents who were ever on queue."""
    rows = account.answered
    cell = ground.day[rows] * ground.n_agents + account.agent[rows]
    counts = np.bincount(cell, minlength=ground.n_days * ground.n_agents).reshape(ground.n_days, ground.n_agents)
    return counts[:, np.unique(ground.spells.agent)].astype(float)
