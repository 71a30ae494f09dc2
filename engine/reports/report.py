"""Report: everything a run says, with what went into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.data.arrays import Centre
from engine.errors import MissingInput
from engine.measures.fairness import Shares, expectation, fairness
from engine.measures.satisfaction import coverage, satisfaction
from engine.measures.tally import Tally
from engine.reports.notes import notes
from engine.typing import FloatArray, Record

PREFERENCE = (
    "preference, not workload: nobody is ever busy here, so this shows who the score prefers, "
    "not who would have had the time"
)
NO_TIMING = {"load_s": None, "simulate_s": None, "write_s": None, "interactions_per_s": None}


@dataclass(frozen=True)
class Report:
    """What a run says, in the shape of `report.json`.

    Parameters
    ----------
    scenario : dict
        All that is needed to run it again.
    snapshot : dict
        Id, SHA-256, counts and assumptions of the data.
    weights_used : dict
        After the goal moved them.
    routed : int
        Interactions with a chosen agent.
    unrouted : dict
        total, and by reason.
    preference : dict, optional
        What score mode says first: the headline, the busiest agent and the implied peak. None in a replay.
    fairness, csat : dict
        As the modules of those names give them.
    agents : list of dict
        agent_id, agent_name, handled, handled_s, eligible, occupancy.
    warnings : list of str
        What a reader must know before trusting a number.
    service_level : dict, optional
        Waits, abandonment and occupancy of a replay; None in score mode.
    replay : dict, optional
        What a replay says besides: columns beside each other, light, verdict, goal, estimates.
    timing : dict
        Filled by the door that ran it. [s]
    """

    scenario: Record
    snapshot: Record
    weights_used: Record
    routed: int
    unrouted: Record
    preference: Record | None
    fairness: Record
    csat: Record
    agents: list[Record]
    warnings: list[str]
    service_level: Record | None = None
    replay: Record | None = None
    timing: Record = field(default_factory=lambda: dict(NO_TIMING))

    def to_dict(self) -> dict[str, Any]:
        """The content of `report.json`."""
        return {
            "mode": self.scenario["mode"],
            "headline": (self.preference or self.replay or {}).get("headline"),
            "scenario": self.scenario,
            "weights_used": self.weights_used,
            "snapshot": self.snapshot,
            "routed": self.routed,
            "unrouted": self.unrouted,
            "preference": self.preference,
            "fairness": self.fairness,
            "agents": self.agents,
            "csat": self.csat,
            "service_level": self.service_level,
            "replay": self.replay,
            "warnings": self.warnings,
            "timing": self.timing,
        }


def build(tally: Tally, place: int, scenario: Record, weights_used: Record, filled: tuple[int, int]) -> Report:
    """Report of one scenario of a finished tally.

    Parameters
    ----------
    tally : Tally
        All batches counted and closed.
    place : int
        Which scenario of the stack.
    scenario, weights_used : dict
        What was asked for, and the weights after the goal.
    filled : tuple of int
        Agents without any survey by the first and by the last day.

    Returns
    -------
    Report
        Without timing.
    """
    arrays = tally.arrays
    centre, counts = arrays.centre, tally.counts[place]
    eligible = tally.eligible
    expected = _expected(tally, place, scenario["expected"], eligible)
    handled_s = tally.handled_s[place] if tally.timed else None
    shares = Shares(counts, handled_s, eligible, expected, scenario["expected"], centre.agent_ids, centre.groups)
    covered = coverage(centre.surveys, tally.days, tally.n_answered)
    unrouted = tally.unrouted(place)
    return Report(
        scenario=scenario,
        snapshot=arrays.snapshot,
        weights_used=weights_used,
        routed=int(counts.sum()),
        unrouted={"total": sum(unrouted.values()), "reasons": unrouted},
        preference=_preference(tally, place),
        fairness=fairness(shares),
        csat=satisfaction(tally.effects, tally.mixes(place), covered, arrays.has_made_up_surveys),
        agents=_agents(centre, counts, handled_s, eligible),
        warnings=notes(tally, scenario, weights_used, filled),
    )


def _expected(tally: Tally, place: int, name: str, eligible: FloatArray) -> FloatArray:
    centre = tally.arrays.centre
    staffing = centre.staffing
    if name == "staffed" and staffing.agent.size == 0:
        raise MissingInput(
            "--expected staffed needs a staffing table, and this snapshot has none; "
            "import one with --staffing, or use --expected eligible"
        )
    on_queue = np.bincount(staffing.agent, staffing.end_us - staffing.start_us, centre.n_agents)
    return expectation(name, tally.counts[place], eligible, lambda: tally.even_split[place], on_queue)


def _preference(tally: Tally, place: int) -> Record:
    centre, counts = tally.arrays.centre, tally.counts[place]
    if not counts.any():
        return {
            "headline": PREFERENCE, "busiest_agent_id": None, "busiest_agent_name": None,
            "busiest_handled": 0, "implied_peak": None,
        }  # fmt: skip
    # Equal counts go to the smaller id, as everywhere.
    busiest = int(counts.argmax())
    peak = tally.peak(place, busiest)
    return {
        "headline": PREFERENCE,
        "busiest_agent_id": centre.agent_ids[busiest],
        "busiest_agent_name": centre.agent_names[busiest],
        "busiest_handled": int(counts[busiest]),
        "implied_peak": peak.value if peak.n_timed else None,
        "busiest_without_handling_time": peak.n_untimed,
    }


def _agents(centre: Centre, counts: FloatArray, handled_s: FloatArray | None, eligible: FloatArray) -> list[Record]:
    seconds = [None] * centre.n_agents if handled_s is None else handled_s.tolist()
    rows = zip(centre.agent_ids, centre.agent_names, counts.tolist(), seconds, eligible.tolist(), strict=True)
    return [
        {
            "agent_id": agent, "agent_name": name, "handled": int(n), "handled_s": s,
            "eligible": int(e), "occupancy": None,
        }
        for agent, name, n, s, e in rows
    ]  # fmt: skip
