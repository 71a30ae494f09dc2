"""Outcomes of interactions: one shape for the record and for every replay."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np

from engine.data.centre import Blocks
from engine.data.history import History
from engine.errors import InvalidTable
from engine.stopping import check, checked
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray


class Status(IntEnum):
    """How an interaction ended."""

    ANSWERED = 0
    ABANDONED = 1
    FLOWED_OUT = 2
    UNSERVED = 3


# The same in words, by place.
STATUS = tuple(status.name.lower() for status in Status)


@dataclass(frozen=True)
class Served:
    """Interactions and their outcomes.

    Parameters
    ----------
    arrived_us : (n,) array of int64
        Arrival. [us since 1970, UTC]
    queue : (n,) array of int
        Place of the queue.
    status : (n,) array of int8
        One of `Status`.
    wait_s : (n,) array of float
        Waiting, NaN where not recorded; of those unserved as long as they were seen to wait. [s]
    agent : (n,) array of int32
        Who answered, -1 for nobody and for somebody unknown.
    offered_us, start_us, end_us : (n,) array of int64
        First alert of the agent, answer, and when the agent was free again; 0 where no known agent answered. [us]
    found : (n,) array of int8, optional
        Able agents who were free when it looked for one: 0, 1, or 2 for more; a record does not know.
    kind : (n,) array of int32, optional
        Row of the kinds of a replay.

    Raises
    ------
    InvalidTable
        If lengths differ, or a queue, status or wait cannot be.
    """

    arrived_us: IntArray
    queue: IntArray
    status: Int8Array
    wait_s: FloatArray
    agent: Int32Array
    offered_us: IntArray
    start_us: IntArray
    end_us: IntArray
    found: Int8Array | None = None
    kind: Int32Array | None = None

    def __post_init__(self) -> None:
        columns = [getattr(self, field.name) for field in fields(self)]
        if len({column.shape for column in columns if column is not None}) > 1:
            raise InvalidTable("served: arrivals, queues, statuses and waits must be as many; take them from one run")
        if not self.arrived_us.size:
            return
        # Counts by place would silently count these elsewhere.
        if self.queue.min() < 0 or self.status.min() < 0 or self.status.max() >= len(STATUS):
            raise InvalidTable(f"served: queues are places from 0 on, statuses places in {', '.join(STATUS)}")
        # Both pass over NaN.
        if np.fmin.reduce(self.wait_s) < 0 or np.fmax.reduce(self.wait_s) == np.inf:
            raise InvalidTable("served: waits are finite seconds from 0 on, NaN where not recorded")

    @classmethod
    def seen(cls, arrived_us: IntArray, queue: IntArray, status: Int8Array, wait_s: FloatArray) -> Served:
        """Interactions of which nobody knows who answered.

        Parameters
        ----------
        arrived_us, queue, status, wait_s : (n,) arrays
            As above.

        Returns
        -------
        Served
            Without agents.
        """
        nobody, never = np.full(arrived_us.shape, -1, np.int32), np.zeros(arrived_us.shape, np.int64)
        return cls(arrived_us, queue, status, wait_s, nobody, offered_us=never, start_us=never, end_us=never)

    @property
    def n(self) -> int:
        """Number of interactions."""
        return int(self.arrived_us.size)

    @property
    def answered(self) -> BoolArray:
        """Where a known agent answered."""
        return (self.status == Status.ANSWERED) & (self.agent >= 0)

    @property
    def left_us(self) -> IntArray:
        """End of waiting, whatever the reason; the arrival where no wait is recorded. [us]"""
        return self.arrived_us + np.rint(1e6 * np.nan_to_num(self.wait_s)).astype(np.int64)

    @property
    def until_us(self) -> IntArray:
        """Until when each waited for somebody to be alerted, or left. [us]"""
        return np.where(self.agent >= 0, self.offered_us, self.left_us)

    @property
    def services(self) -> Blocks:
        """Stretches of time that known agents spent on interactions, alerting included."""
        rows = self.answered
        return Blocks(self.agent[rows], self.offered_us[rows], self.end_us[rows])

    @property
    def counts(self) -> IntArray:
        """(n_status,): interactions by status."""
        return np.bincount(self.status, minlength=len(STATUS))

    def counts_by(self, edges_us: IntArray, n_queues: int) -> IntArray:
        """Interactions by queue, interval of arrival and status.

        Parameters
        ----------
        edges_us : (n_intervals + 1,) array of int64
            Bounds of the intervals in order; what arrived outside counts nowhere. [us]
        n_queues : int
            How many there are.

        Returns
        -------
        (n_queues, n_intervals, n_status) array of int

        Examples
        --------
        >>> served = Served.seen(np.array([0, 9, 10]), np.array([0, 1, 0]), np.array([0, 1, 0]), np.zeros(3))
        >>> served.counts_by(np.array([0, 10, 20]), 2)[:, :, Status.ANSWERED].tolist()
        [[1, 1], [0, 0]]
        """
        n = edges_us.size - 1
        place = np.searchsorted(edges_us, self.arrived_us, "right") - 1
        rows = np.flatnonzero((place >= 0) & (place < n))
        cell = (self.queue[rows].astype(np.int64) * n + place[rows]) * len(STATUS) + self.status[rows]
        return np.bincount(cell, minlength=n_queues * n * len(STATUS)).reshape(n_queues, n, len(STATUS))

    def rows(self, chosen: Any) -> Served:
        """Some of the interactions, by mask, slice or places."""
        check()
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: column[chosen] for name, column in columns.items() if column is not None})


@dataclass(frozen=True)
class Vain(Blocks):
    """Alerts that came to nothing, [start, end): the agent did not answer, or the customer left meanwhile.

    Parameters
    ----------
    agent : (n_alerts,) array of int32
        Who was alerted.
    start_us, end_us : (n_alerts,) array of int64
        Bounds. [us since 1970, UTC]
    interaction : (n_alerts,) array of int32
        Place of the interaction.
    until_us : (n_alerts,) array of int64
        When the agent could be asked again. [us since 1970, UTC]
    """

    interaction: Int32Array
    until_us: IntArray


def none() -> Served:
    """No interactions."""
    return Served.seen(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0))


def joined(parts: list[Served]) -> Served:
    """Interactions of several parts, at least one, end to end.

    Parameters
    ----------
    parts : list of Served
        Which all know the same.

    Returns
    -------
    Served
        All of them.
    """
    columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Served)}
    return replace(parts[0], **{name: np.concatenate(c) for name, c in columns.items() if c[0] is not None})


def recorded(history: History, queue: IntArray, acw_s: float) -> Served:
    """What was recorded.

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
    Served
        Unknown outcomes with an agent or a handling time read as answered, those that ended without either as
        flowed out, others as unserved.
    """
    check()
    status = np.full(history.n, Status.UNSERVED, np.int8)
    status[history.answered] = Status.ANSWERED
    status[history.outcome_is("abandoned")] = Status.ABANDONED
    status[history.flowed_out] = Status.FLOWED_OUT
    check()
    # A row may name an agent though nobody answered, for instance one who was only alerted.
    agent = np.where(status == Status.ANSWERED, history.agent, np.int32(-1))
    wait_s = np.nan_to_num(history.wait_s)
    offered_s = np.maximum(wait_s - np.nan_to_num(history.alert_s), 0.0)
    check()
    free_s = wait_s + (np.nan_to_num(history.handle_s) + history.assumed_acw_s(acw_s))
    offered_us, start_us, end_us = (
        np.where(agent >= 0, history.arrived_us + np.rint(1e6 * side).astype(np.int64), 0)
        for side in checked((offered_s, wait_s, free_s))
    )
    return Served(
        history.arrived_us, queue, status, history.wait_s, agent,
        offered_us=offered_us, start_us=start_us, end_us=end_us,
    )  # fmt: skip
