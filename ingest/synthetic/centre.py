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
    """How large a made-up centre is.

    Parameters
    ----------
    interactions, agents, queues, skills, languages, days : int
        Numbers, each at least 1.
    start : date
        First day.
    """

    interactions: int
    agents: int
    queues: int
    skills: int
    languages: int
    days: int
    start: date


@dataclass(frozen=True)
class Callers:
    """Kinds of calls: where they go, what they need, and the laws of their times.

    Parameters
    ----------
    pick : (n_queues * n_parts, ENTRIES) array of int
        Kinds as often as they call; a row is a queue in one part of the day.
    skills : polars.Series of list of str
        Skills that each kind needs.
    language : polars.Series of str
        Language of each kind.
    priority : (n_kinds,) array of float
        Priority of each kind. [points]
    work : (n_kinds,) array of int
        Row of `Centre.able` for each kind.
    law : (n_kinds,) array of int
        Row of the three laws for each kind.
    handle_s, patience_s, offered_wait_s : (n_laws, ENTRIES) array of float
        Equally likely values. [s]
    queued : (SLOTS, n_kinds) array of float
        Share that has to wait, by half hour.
    """

    pick: IntArray
    skills: pl.Series
    language: pl.Series
    priority: FloatArray
    work: IntArray
    law: IntArray
    handle_s: FloatArray
    patience_s: FloatArray
    offered_wait_s: FloatArray
    queued: FloatArray


@dataclass(frozen=True)
class Centre:
    """A made-up centre from which interactions are drawn.

    Parameters
    ----------
    time_zone : str
        IANA zone of its days.
    agents, queues, members : polars.DataFrame
        Its tables.
    arrivals : (n_queues, 7, SLOTS) array of float
        Relative number of arrivals by queue, weekday (Monday first) and half hour.
    callers : Callers
        Kinds of calls.
    able : tuple of (n_works, n_agents) array of int
        How readily each agent takes each work, 0 for never; the later ones are for half hours in which
        nobody of the earlier ones is on duty.
    start_slot, end_slot : (n_days, n_agents) array of int
        Half hours in which the agent's duty starts and ends, both 0 on a day off.
    notes : tuple of str
        Assumptions, in words.
    """

    time_zone: str
    agents: pl.DataFrame
    queues: pl.DataFrame
    members: pl.DataFrame
    arrivals: FloatArray
    callers: Callers
    able: tuple[IntArray, ...]
    start_slot: IntArray
    end_slot: IntArray
    notes: tuple[str, ...]


def quantile_law(probability: Sequence[float], value_s: Sequence[float]) -> FloatArray:
    """Equally likely values of a law given by some of its quantiles, in whole seconds.

    Parameters
    ----------
    probability : sequence of float
        Rising from 0 to 1.
    value_s : sequence of float
        Quantile at each probability. [s]

    Returns
    -------
    (ENTRIES,) array of float
        Rising values. [s]

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

    Parameters
    ----------
    mean_s : float
        Mean. [s]
    sigma : float
        Standard deviation of the logarithm.

    Returns
    -------
    (ENTRIES,) array of float
        Rising values. [s]

    Examples
    --------
    >>> round(float(lognormal_law(300, 0.5).mean()))
    300
    """
    return np.rint(mean_s * np.exp(sigma * _standard_normal() - sigma**2 / 2))


def exponential_law(mean_s: float) -> FloatArray:
    """Equally likely values of an exponential law, in whole seconds.

    Parameters
    ----------
    mean_s : float
        Mean. [s]

    Returns
    -------
    (ENTRIES,) array of float
        Rising values. [s]

    Examples
    --------
    >>> round(float(exponential_law(60).mean()))
    60
    """
    return np.rint(-mean_s * np.log1p(-(np.arange(ENTRIES) + 0.5) / ENTRIES))


def pick_table(share: FloatArray) -> Int32Array:
    """For each row of shares, the columns as often as their share.

    Parameters
    ----------
    share : (n_rows, n_columns) array of float
        Not negative, with a positive sum in each row.

    Returns
    -------
    (n_rows, ENTRIES) array of int32
        Numbers of columns.

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
