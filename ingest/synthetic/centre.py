"""What a made-up centre is: who works there, who calls, when, and for how long, ready to be drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from statistics import NormalDist

import numpy as np
import polars as pl

from engine.typing import FloatArray, Int32Array, IntArray

SLOTS = 48
SLOT_S = 1800
# A law of seconds or of kinds is a table of this many equally likely values: one draw is one look-up.
ENTRIES = 4096


@dataclass(frozen=True)
class Size:
    """How large a made-up centre is."""

    # Numbers, each at least 1
    interactions: int
    agents: int
    queues: int
    skills: int
    languages: int
    days: int
    start: date  # First day


@dataclass(frozen=True)
class Callers:
    """Kinds of calls: where they go, what they need, and the laws of their times."""

    pick: IntArray  # Kinds as often as they call; a row is a queue in one part of the day
    skills: pl.Series  # Skills that each kind needs
    language: pl.Series  # Language of each kind
    priority: FloatArray  # Priority of each kind. [points]
    work: IntArray  # Row of `Centre.able` for each kind
    law: IntArray  # Row of the three laws for each kind
    # Equally likely values. [s]
    handle_s: FloatArray
    patience_s: FloatArray
    offered_wait_s: FloatArray
    queued: FloatArray  # Share that has to wait, by half hour


@dataclass(frozen=True)
class Centre:
    """A made-up centre from which interactions are drawn."""

    time_zone: str  # IANA zone of its days
    # Its tables
    agents: pl.DataFrame
    queues: pl.DataFrame
    members: pl.DataFrame
    arrivals: FloatArray  # Relative number of arrivals by queue, weekday (Monday first) and half hour
    callers: Callers  # Kinds of calls
    # How readily each agent takes each work, 0 for never; the later ones are for half hours in which nobody of the
    # earlier ones is on duty
    able: tuple[IntArray, ...]
    # Half hours in which the agent's duty starts and ends, both 0 on a day off
    start_slot: IntArray
    end_slot: IntArray
    notes: tuple[str, ...]  # Assumptions, in words


def quantile_law(probability: Sequence[float], value_s: Sequence[float]) -> FloatArray:
    """Equally likely values of a law given by some of its quantiles, in whole seconds.

    Examples
    --------
    >>> quantile_law([0, 1], [0, 60])[[0, -1]]
    array([ 0., 60.])
    """
    middle = (np.arange(ENTRIES) + 0.5) / ENTRIES
    return np.rint(np.interp(middle, probability, value_s))


@cache
def _standard_normal() -> FloatArray:
    law = NormalDist()
    return np.array([law.inv_cdf((number + 0.5) / ENTRIES) for number in range(ENTRIES)])


def lognormal_law(mean_s: float, sigma: float) -> FloatArray:
    """Equally likely values of a lognormal law, in whole seconds.

    Examples
    --------
    >>> round(float(lognormal_law(300, 0.5).mean()))
    300
    """
    return np.rint(mean_s * np.exp(sigma * _standard_normal() - sigma**2 / 2))


def exponential_law(mean_s: float) -> FloatArray:
    """Equally likely values of an exponential law, in whole seconds.

    Examples
    --------
    >>> round(float(exponential_law(60).mean()))
    60
    """
    return np.rint(-mean_s * np.log1p(-(np.arange(ENTRIES) + 0.5) / ENTRIES))


def pick_table(share: FloatArray) -> Int32Array:
    """For each row of shares, the columns as often as their share.

    Examples
    --------
    >>> np.bincount(pick_table(np.array([[3.0, 1.0]]))[0]).tolist()
    [3072, 1024]
    """
    edges = np.rint(np.cumsum(share, axis=1) / share.sum(axis=1, keepdims=True) * ENTRIES).astype(np.int64)
    times = np.diff(edges, axis=1, prepend=0)
    columns = np.broadcast_to(np.arange(share.shape[1], dtype=np.int32), times.shape)
    return np.repeat(columns.ravel(), times.ravel()).reshape(share.shape[0], ENTRIES)


def rated(names: Sequence[str], level: FloatArray) -> list[dict[str, object]]:
    """Skills or languages of one agent: those with a level above 0."""
    return [{"name": name, "proficiency": float(x)} for name, x in zip(names, level, strict=True) if x > 0]
