"""Switches that were set and change nothing under a rule or in these data, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.methods import METHODS
from engine.replay.prepare import Recorded
from engine.spec import Scenario

OF_BEST = ("language_in_mean", "longest_idle")


def about_switches(recorded: Recorded, scenario: Scenario) -> Iterator[str]:
    """Each switch that is not at its default and is read by nothing, and why."""
    for name in scenario.switches.moved:
        if why := _idle_reason(name, recorded, scenario):
            yield f"{scenario.method}: switch {name} changes nothing here; {why}"


def _idle_reason(name: str, recorded: Recorded, scenario: Scenario) -> str:
    """Why a switch is read by nothing; empty where it is read."""
    method, centre = METHODS[scenario.method], recorded.centre
    if name in OF_BEST:
        if not method.is_platform:
            return "only Genesys' own methods read it"
        best = (centre.queues["evaluation_method"] == "BEST").to_numpy()
        if not best.any():
            return "no queue has evaluation_method BEST"
        if name == "language_in_mean" and not (best[centre.queue] & (centre.language >= 0)).any():
            return "no interaction of a queue with evaluation_method BEST requires a language"
        return ""
    if not method.asks_idle:
        return "the method never asks who is idle for longest"
    if name == "lookback_days" and not scenario.switches.new_agents_last:
        return "it needs new_agents_last=true beside it"
    alerts = scenario.assumptions.no_answer or np.nan_to_num(recorded.history.alert_s).any()
    if name == "alert_resets_idle" and not alerts:
        return "no alert comes to nothing, since none is recorded and no_answer is 0"
    return ""
