"""Pauses of agents while customers wait, read off the log alone: what after-call work looks like from outside."""

from __future__ import annotations

import numpy as np

from engine.calibration.evidence import Pauses
from engine.data.history import History
from engine.data.tables import MEDIA
from engine.estimates.survival import KaplanMeier
from engine.typing import BoolArray, FloatArray, IntArray


def pauses(history: History, queue: IntArray, gap_s: float) -> Pauses:
    """Time from a voice service to its agent's next, as long as somebody was waiting in the queue just served.

    By the Kaplan-Meier estimate, since a queue that runs empty hides how long a pause would have been; pauses longer
    than `gap_s` are taken for time off queue.
    """
    waits = np.nan_to_num(history.wait_s)
    # Calls only: who holds several chats has no pause to be seen between them.
    voice = history.media == MEDIA.index("voice")
    left_us = history.arrived_us + np.rint(1e6 * waits).astype(np.int64)
    handled = voice & (history.agent >= 0) & history.outcome_is("answered") & ~np.isnan(history.handle_s)
    rows = np.flatnonzero(handled)
    rows = rows[np.lexsort((left_us[rows], history.agent[rows]))]
    done, following = rows[:-1], rows[1:]
    same = history.agent[done] == history.agent[following]
    done, following = done[same], following[same]
    free_us = left_us[done] + np.rint(1e6 * history.handle_s[done]).astype(np.int64)
    found = [(np.empty(0), np.empty(0, bool))]
    # By the queue just served: an agent of several may take the next call elsewhere, but was needed here.
    for place in np.unique(queue[done]):
        here, waited = queue[done] == place, voice & (queue == place) & (waits > 0)
        lines = _waiting(history.arrived_us[waited], left_us[waited])
        found.append(_seen(free_us[here], left_us[following][here], *lines))
    pause_s, ended = (np.concatenate(side) for side in zip(*found, strict=True))
    return _summary(pause_s, ended, gap_s)


def _waiting(arrived_us: IntArray, left_us: IntArray) -> tuple[IntArray, IntArray]:
    """Stretches in which at least one waited: starts and ends, in order."""
    if not arrived_us.size:
        return arrived_us, left_us
    order = np.argsort(arrived_us, kind="stable")
    arrived_us, reached_us = arrived_us[order], np.maximum.accumulate(left_us[order])
    starts = np.append(True, arrived_us[1:] > reached_us[:-1])
    return arrived_us[starts], reached_us[np.append(starts[1:], True)]


def _seen(
    free_us: IntArray, next_us: IntArray, start_us: IntArray, end_us: IntArray
) -> tuple[FloatArray, BoolArray]:  # fmt: skip
    """Length of pauses that began while somebody waited, and whether they ended before the queue was empty. [s]"""
    if not start_us.size:
        return np.empty(0), np.empty(0, bool)
    place = np.searchsorted(start_us, free_us, "right") - 1
    inside = (place >= 0) & (free_us < end_us[place]) & (next_us >= free_us)
    empty_us, free_us, next_us = end_us[place][inside], free_us[inside], next_us[inside]
    # A queue that runs empty censors the pause: nobody knows when the agent would have been ready.
    return (np.minimum(next_us, empty_us) - free_us) / 1e6, next_us <= empty_us


def _summary(pause_s: FloatArray, ended: BoolArray, gap_s: float) -> Pauses:
    n = int(pause_s.size)
    if not ended.any():
        return Pauses(n, gap_s, None, None)
    curve = KaplanMeier.fit(pause_s, ended)
    held = np.concatenate([[1.0], curve.survival])
    edges = np.concatenate([[0.0], np.minimum(curve.at_s, gap_s), [max(gap_s, 0.0)]])
    area = float(held @ np.maximum(np.diff(edges), 0.0))
    beyond = float(held[np.searchsorted(curve.at_s, gap_s, "right")])
    median_s = curve.median_s
    # Mean of those up to the gap: the area under the curve, less what longer ones contribute to it.
    mean_s = (area - gap_s * beyond) / (1.0 - beyond) if beyond < 1 else None
    return Pauses(n, gap_s, median_s if np.isfinite(median_s) else None, mean_s)
