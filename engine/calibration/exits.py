"""Exits from the queue to an agent: who else was waiting, and which head starts agree with whom the agent took."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from engine.data.centre import Centre
from engine.data.history import History
from engine.data.tables import MEDIA
from engine.stopping import in_slices
from engine.typing import BoolArray, FloatArray, IntArray

# 31 years: longer head starts order no differently, and microseconds still fit.
_LONGEST_S = 1e9
# Looks at kinds and calls between two questions whether to stop, some 0.05 s of them.
N_STEPS = 1_000_000


@dataclass(frozen=True)
class Waits:
    """Calls that waited, in order of arrival; agent -1 where the call left otherwise; local day of leaving."""

    arrived_us: IntArray
    left_us: IntArray
    call_type: IntArray
    media: IntArray
    agent: IntArray
    day: IntArray

    def rows(self, chosen: BoolArray) -> Waits:
        """Only the chosen."""
        return Waits(*(getattr(self, f.name)[chosen] for f in fields(self)))


def waits_of(history: History, centre: Centre) -> tuple[Waits, dict[str, int]]:
    """Everybody whose wait is known and above 0, and the outcomes of the answered."""
    answered = history.outcome_is("answered")
    alert_s = np.where(answered, np.nan_to_num(history.alert_s), 0.0)
    # Alerting follows the choice, so it is no part of the wait that was compared.
    wait_us = np.rint(1e6 * np.maximum(np.nan_to_num(history.wait_s) - alert_s, 0.0)).astype(np.int64)
    waited, unknown = wait_us > 0, np.isnan(history.wait_s)
    left_us = history.arrived_us + wait_us
    day = pl.Series(left_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(centre.time_zone).dt.date()
    agent = np.where(answered, history.agent, -1)
    whole = Waits(history.arrived_us, left_us, history.call_type, history.media, agent, day.to_physical().to_numpy())
    counts = {
        "answered": int(answered.sum()),
        "wait not recorded": int((answered & unknown).sum()),
        "answered without waiting": int((answered & ~waited & ~unknown).sum()),
        "by nobody who is in agents": int((answered & waited & (agent < 0)).sum()),
    }
    if lost := int((~answered & unknown).sum()):
        counts["not answered, wait not recorded; not seen waiting"] = lost
    return whole.rows(waited), counts


def compared(waits: Waits, centre: Centre, lead_s: FloatArray, priorities: FloatArray) -> tuple[IntArray, BoolArray]:
    """Days of the exits that can be compared, in order of time, and which candidates each agrees with.

    Candidates are rows of head starts by priority, (n_candidates, n_priorities); all calls have one of the priorities.
    """
    from engine.kernels import credit as kernel

    n, n_media = waits.arrived_us.size, len(MEDIA)
    place, kind = np.unique(waits.call_type.astype(np.int64) * n_media + waits.media, return_inverse=True)
    call_type, media = place // n_media, place % n_media
    requirement = centre.requirement[call_type]
    line = centre.queue[requirement].astype(np.int64) * n_media + media
    # Kinds that wait in the same line come one after another.
    order = np.argsort(line, kind="stable")
    kind, line = np.argsort(order)[kind], line[order]
    # Levels, not points, so that the sweep indexes small arrays.
    level = np.searchsorted(priorities, centre.call_types["priority"].to_numpy()[call_type[order]])
    by_left = np.argsort(waits.left_us, kind="stable")
    calls = kernel.Calls(waits.arrived_us, waits.left_us, kind, waits.agent.astype(np.int64), by_left)
    kinds = kernel.Kinds(
        np.searchsorted(line, line), np.searchsorted(line, line, "right"), level, able(centre)[requirement[order]]
    )
    lists = kernel.Lists(*(np.full(size, -1, np.int64) for size in (line.size, line.size, n, n)))
    compared, agreed = np.zeros(n, bool), np.zeros((n, len(lead_s)), bool)
    lead_us = np.rint(1e6 * np.minimum(lead_s, _LONGEST_S)).astype(np.int64)
    at, oldest_us = np.zeros(2, np.int64), np.zeros(priorities.size, np.int64)
    in_slices(kernel.sweep, N_STEPS, at, calls, kinds, lists, lead_us, oldest_us, compared, agreed)
    chosen = by_left[compared[by_left]]
    return waits.day[chosen], agreed[chosen]


def proportional(grid_s: FloatArray, priorities: FloatArray) -> FloatArray:
    """Head starts by priority that are in proportion to the points; candidates are of one step. [s]"""
    return np.outer(grid_s, (priorities - priorities.min(initial=np.inf)) / step_of(priorities))


def able(centre: Centre) -> BoolArray:
    """Who can take what: members with all required skills and the language, (n_requirements, n_agents)."""
    can: BoolArray = centre.member[centre.queue]
    for r in range(centre.n_requirements):
        needed = centre.skill[centre.skill_start[r] : centre.skill_start[r + 1]]
        can[r] &= ~np.isnan(centre.proficiency[:, needed]).any(axis=1)
        if centre.language[r] >= 0:
            can[r] &= ~np.isnan(centre.language_level[:, centre.language[r]])
    return can


def step_of(priorities: FloatArray) -> float:
    """Smallest difference between two priorities, 1 where there is only one. [points]"""
    return float(np.diff(priorities).min(initial=np.inf)) if priorities.size > 1 else 1.0
