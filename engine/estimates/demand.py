"""Demand: the interactions of a replay, as arrays in which nothing is missing any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.tables import MEDIA
from engine.errors import InvalidTable
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array, IntArray

NEVER_US = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Kinds:
    """What interactions of one kind have in common: call type, media, and who is preferred.

    Parameters
    ----------
    media : (n_kinds,) array of int8
        Place in `engine.data.tables.MEDIA`.
    tier : (n_kinds,) array of int8
        Those of tier 0 go before all of tier 1.
    lead_us : (n_kinds,) array of int64
        Tier 1: head start in waiting. Tier 0: order among them, larger first.
    eligible : (n_kinds, n_agents) array of bool
        Members who meet what the run requires, whatever the method makes of them.
    call_type : (n_kinds,) array of int32
        Row of the centre's call types.
    preferred : (n_kinds,) list, optional
        Agents and scores 0-100 that the flow attached, by kind; None for none.
    timeout_us : (n_kinds,) array of int64, optional
        How long an alert that nobody answers lasts; None: as the clock of the replay says. [us]
    queue : (n_kinds,) array of int32, optional
        Place of the queue; None: all are of one.
    able : (n_kinds, n_agents) array of bool, optional
        Those whom the rule would ask at its last stage of waiting, were there no threshold; None: the eligible.
    """

    media: Int8Array
    tier: Int8Array
    lead_us: IntArray
    eligible: BoolArray
    call_type: Int32Array
    preferred: list[tuple[tuple[int, float], ...] | None] | None = None
    timeout_us: IntArray | None = None
    queue: Int32Array | None = None
    able: BoolArray | None = None

    def __post_init__(self) -> None:
        n, given = self.media.size, [name for name in ("timeout_us", "queue") if getattr(self, name) is not None]
        names = ("tier", "lead_us", "call_type", *given)
        if len(self.eligible) != n or any(getattr(self, name).shape != (n,) for name in names):
            raise InvalidTable(f"kinds: every column needs {n} values, one per kind")

    @classmethod
    def plain(cls, eligible: BoolArray, lead_s: Any = 0.0) -> Kinds:
        """Voice calls that differ only in who may take them.

        Parameters
        ----------
        eligible : (n_kinds, n_agents) array of bool
            Who may.
        lead_s : float or (n_kinds,) array
            Head start in waiting. [s]

        Returns
        -------
        Kinds
            Without settings of queues.
        """
        n = len(eligible)
        every = np.arange(n, dtype=np.int32)
        lead_us = np.rint(1e6 * np.broadcast_to(np.asarray(lead_s, float), n)).astype(np.int64)
        return cls(np.full(n, MEDIA.index("voice"), np.int8), np.ones(n, np.int8), lead_us, eligible, every)


@dataclass(frozen=True)
class Demand:
    """Interactions in order of arrival, then id.

    Parameters
    ----------
    arrived_us : (n,) array of int64
        Arrival, never falling. [us]
    kind : (n,) array of int32
        Row of `kinds`.
    handle_us : (n,) array of int64
        Talk, hold and after-call work with the recorded agent. [us]
    leave_us : (n,) array of int64
        When the customer gives up if nobody has answered; the largest int64 for never. [us]
    kinds : Kinds
        What they have in common.
    flows_out : (n,) array of bool
        Whether leaving is an exit of the flow, not the customer's choice.
    alert_us : (n,) array of int64
        Alerting of an agent before the answer; part of wait and busy time. [us]
    misses : (n,) array of int32
        How many agents do not answer before one does.
    pick : (n,) array of float
        Draw in [0, 1) for methods that draw.
    base_us : (n,) array of float
        Handling time of an agent of factor 1; read where `factor` is given. [us]
    factor : (n_handlings, n_agents) array of float, optional
        Handling time of each agent relative to the base; None: recorded times hold for everybody.
    handling : (n,) array of int32, optional
        Row of `factor` of each; None: the first.
    """

    arrived_us: IntArray
    kind: Int32Array
    handle_us: IntArray
    leave_us: IntArray
    kinds: Kinds
    flows_out: BoolArray
    alert_us: IntArray
    misses: Int32Array
    pick: FloatArray
    base_us: FloatArray
    factor: FloatArray | None = None
    handling: Int32Array | None = None

    def __post_init__(self) -> None:
        n = self.arrived_us.size
        names = ["kind", "handle_us", "leave_us", "flows_out", "alert_us", "misses", "pick", "base_us"]
        if any(
            getattr(self, name).shape != (n,) for name in [*names, *(["handling"] if self.handling is not None else [])]
        ):
            raise InvalidTable(f"demand: every column needs {n} values, as many as arrivals")
        if n and not (self.kind.min() >= 0 and self.kind.max() < self.kinds.media.size):
            raise InvalidTable(f"demand: kind must be a row of the {self.kinds.media.size} kinds")
        if (np.diff(self.arrived_us) < 0).any():
            raise InvalidTable("demand: interactions must come in order of arrival")
        if n and (self.handle_us.min() < 0 or (self.leave_us < self.arrived_us).any() or self.alert_us.min() < 0):
            raise InvalidTable("demand: handling, patience and alerting times must not be negative")

    @classmethod
    def of(cls, arrived_s: Any, handle_s: Any, kinds: Kinds, kind: Any = 0, patience_s: Any = np.inf) -> Demand:
        """Demand from plain arrays of seconds.

        Parameters
        ----------
        arrived_s : (n,) array of float
            Arrivals in order. [s]
        handle_s : (n,) array of float
            Handling times. [s]
        kinds : Kinds
            Of the interactions.
        kind : int or (n,) array of int
            Which kind each is.
        patience_s : float or (n,) array of float
            Longest wait, infinite for never giving up. [s]

        Returns
        -------
        Demand
            Without alerting, flow-outs or draws.
        """
        arrived_us = np.rint(1e6 * np.asarray(arrived_s, float)).astype(np.int64)
        n = arrived_us.size
        handle_us = np.rint(1e6 * np.broadcast_to(np.asarray(handle_s, float), n)).astype(np.int64)
        waits = np.broadcast_to(np.asarray(patience_s, float), n)
        leave_us = leaving(arrived_us, waits)
        return cls(
            arrived_us, np.array(np.broadcast_to(kind, n), np.int32), handle_us, leave_us, kinds,
            flows_out=np.zeros(n, bool), alert_us=np.zeros(n, np.int64), misses=np.zeros(n, np.int32),
            pick=np.zeros(n), base_us=handle_us.astype(float),
        )  # fmt: skip


def leaving(arrived_us: IntArray, patience_s: FloatArray) -> IntArray:
    """When customers give up."""
    # Rounded to whole microseconds once, here, so that every comparison of instants after it is exact.
    ever = np.isfinite(patience_s)
    waits = np.rint(1e6 * np.where(ever, patience_s, 0.0)).astype(np.int64)
    return np.where(ever, arrived_us + waits, NEVER_US)
