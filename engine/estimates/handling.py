"""Handling times: recorded, or drawn where they are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.centre import Centre
from engine.data.history import History
from engine.data.tables import MEDIA
from engine.errors import MissingInput
from engine.estimates.assumptions import Assumptions
from engine.estimates.estimated import HandlingEstimate
from engine.estimates.handle_factors import Factors, fit_factors, skill_sets
from engine.estimates.streams import HANDLING, uniform
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

# From fewer times the draws would repeat a handful of calls.
LEAST_ANSWERED = 30
LEVELS = ("call_type", "queue", "media", "all")
RECORDED = "recorded handling times hold for every agent"


@dataclass(frozen=True)
class Handling:
    """Handling time of each interaction.

    Parameters
    ----------
    handle_us : (n,) array of int64
        Recorded or drawn, after-call work included. [us]
    base_us : (n,) array of float
        The same for an agent of factor 1. [us]
    factor : (n_handlings, n_agents) array of float or None
        Handling time of each agent relative to the base; None: recorded times hold for everybody.
    handling_of_call_type : (n_call_types,) array of int32
        Row of `factor`: the distinct sets of skills.
    drawn : (n,) array of bool
        Where nothing was recorded.
    """

    handle_us: IntArray
    base_us: FloatArray
    factor: FloatArray | None
    handling_of_call_type: Int32Array
    drawn: BoolArray


def handling(
    history: History,
    centre: Centre,
    assumptions: Assumptions,
    seed: int,
    replication: int = 0,
    known: Factors | None = None,
) -> tuple[Handling, HandlingEstimate]:
    """Handling time of each interaction, and how it changes with the agent.

    Parameters
    ----------
    history : History
        What is recorded.
    centre : Centre
        Call types, and perhaps given factors.
    assumptions : Assumptions
        `handling` and `acw_s` are read.
    seed, replication : int
        Choose the draws, with the interaction's id.
    known : Factors, optional
        As `fit_factors` gives them for the same history, to save estimating them again.

    Returns
    -------
    handling : Handling
        Where nothing is recorded, drawn from answered interactions of the same call type (fewer than 30: of its queue,
        then of all) and media; only where a media has none at all from other media too.
    estimate : HandlingEstimate
        What was recorded, drawn and estimated.

    Raises
    ------
    MissingInput
        If an interaction has no handling time and there is none to draw from.
    """
    check()
    handle_us = np.rint(1e6 * history.handled_s(assumptions.acw_s))
    by_agent = assumptions.handling == "agent"
    found = (known or fit_factors(history, centre, assumptions)) if by_agent else None
    row = skill_sets(centre)[1]
    base_us = handle_us
    if found is not None:
        named = history.agent >= 0
        # Without a recorded agent the time is taken for that of an agent of factor 1.
        base_us = handle_us / np.where(named, found.factor[row[history.call_type], history.agent], 1.0)
    drawn = np.isnan(handle_us)
    levels: dict[str, int] = {}
    if drawn.any():
        # Equal times may come from agents of different factors, so donors are told apart by both of their times.
        keys = (handle_us,) if found is None else (base_us, handle_us)
        donor, levels = _donors(history, centre, drawn, keys, seed, replication)
        handle_us, base_us = (np.where(drawn, side[donor], side) for side in (handle_us, base_us))
    estimate = _estimate(history, assumptions, drawn, levels, found)
    factor = None if found is None else found.factor
    return Handling(handle_us.astype(np.int64), base_us, factor, row, drawn), estimate


def _donors(
    history: History,
    centre: Centre,
    drawn: BoolArray,
    times: tuple[FloatArray, ...],
    seed: int,
    replication: int,
) -> tuple[IntArray, dict[str, int]]:
    """Another interaction for each without a handling time, and from where how many are drawn."""
    check()
    pool = np.flatnonzero(history.is_handled())
    if not pool.size:
        raise MissingInput(
            f"interactions: {int(drawn.sum())} have no handle_s and no answered one has any to draw from; give "
            "handle_s: talk, hold and after-call work in seconds"
        )
    # In order of their times, so that a draw means the same quantile whatever order they were read in.
    # Interactions alike in all of them are one as good as the other.
    check()
    keys = [side[pool] for side in times]
    check()
    pool = pool[np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys)]
    check()
    u = uniform(history.interaction_id, seed, HANDLING, replication)
    donor, left, levels = np.arange(history.n), np.flatnonzero(drawn), dict.fromkeys(LEVELS, 0)
    # Media stay apart as long as there is anything: an email of an hour tells nothing about a call.
    for level, group, least in zip(
        LEVELS, _groups(history, centre), (LEAST_ANSWERED, LEAST_ANSWERED, 1, 1), strict=True
    ):
        check()
        counts = np.bincount(group[pool], minlength=int(group.max()) + 1)
        enough = counts[group[left]] >= least
        rows, left = left[enough], left[~enough]
        if not rows.size:
            continue
        # Short integers are sorted by counting.
        check()
        ordered = pool[np.argsort(group[pool].astype(np.min_scalar_type(counts.size)), kind="stable")]
        n = counts[group[rows]]
        # Just below 1, draw times count may round up to count.
        place = np.minimum((u[rows] * n).astype(np.int64), n - 1)
        check()
        donor[rows] = ordered[(np.cumsum(counts) - counts)[group[rows]] + place]
        levels[level] = rows.size
    return donor, levels


def _groups(history: History, centre: Centre) -> list[IntArray]:
    """Number of each interaction's group at each level; media are apart but at the last."""
    check()
    call_type, media = history.call_type.astype(np.int64), history.media.astype(np.int64)
    queue = centre.queue.astype(np.int64)[centre.requirement[call_type]]
    check()
    return [call_type * len(MEDIA) + media, queue * len(MEDIA) + media, media, np.zeros_like(media)]


def _estimate(
    history: History, assumptions: Assumptions, drawn: BoolArray, levels: dict[str, int], found: Factors | None
) -> HandlingEstimate:
    n, n_drawn = history.n, int(drawn.sum())
    return HandlingEstimate(
        handling=assumptions.handling,
        interactions=n,
        recorded=n - n_drawn,
        drawn=n_drawn,
        share_drawn=n_drawn / n if n else None,
        acw_s=assumptions.acw_s,
        acw_added=int((np.isnan(history.acw_s) & ~drawn).sum()) if assumptions.acw_s else 0,
        drawn_from=levels,
        how=RECORDED if found is None else found.how,
        factors=None if found is None else found.estimate,
    )
