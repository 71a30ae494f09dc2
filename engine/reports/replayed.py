"""What a replay says: recorded, today's rule and the scenario side by side, on the same customers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.data.served import STATUS, Status
from engine.measures.eligibility import Eligibility
from engine.measures.fairness import Fairness, Shares, expectation, fairness, gini
from engine.measures.idling import Occupancy, idle_while_waiting, occupancy
from engine.measures.light import light
from engine.measures.service_level import by_interval, by_queue, choice_share, measure
from engine.measures.sharing import sharing
from engine.methods import METHODS
from engine.replay.playing import Played
from engine.reports.columns import Column, Study
from engine.reports.replay_notes import notes
from engine.reports.report import AgentShare, Report, Unrouted
from engine.spec import Scenario
from engine.typing import Record

HEADLINE = "a replay: the same customers at their recorded times; agents are busy, queues form, the impatient leave"
WORDS = {
    "service_level": "service level", "asa_s": "ASA", "mean_wait_s": "mean wait", "abandonment": "abandonment",
    "occupancy": "occupancy", "gini": "Gini of interactions",
}  # fmt: skip
MOST_MOVES = 2000
TOO_FEW_DAYS = "not determined: fewer than five days, so nothing says how days differ"


def report_of(study: Study, scenario: Scenario, *, force: bool = False) -> tuple[Report, Played]:
    """Replay a scenario and say what came of it.

    Parameters
    ----------
    study : Study
        The data set.
    scenario : Scenario
        With the study's assumptions.
    force : bool
        Give a verdict even where the replay does not reproduce the record.

    Returns
    -------
    report : Report
        Without timing.
    played : Played
        The first draw.
    """
    column = study.column("scenario", scenario)
    played = column.played
    assert played is not None
    past, today = study.past, study.today
    summaries = [study.summary(one) for one in (past, today, column)]
    lit = light(summaries[0], summaries[1])
    differences = study.difference(column, today)
    satisfied = study.recorded_satisfaction(column)
    told = lit["color"] != "red" or force
    busy = occupancy(column.time, played.demand.alert_us[column.served.answered])
    may = Eligibility.of(played.demand.kinds.eligible, played.demand.kind)
    waits = _waits(study, scenario, column, played, may, busy)
    shares = _shares(scenario, column, played, may, busy)
    goal = _goal(study, scenario, column, played)
    content = {
        "headline": HEADLINE, "columns": summaries, "light": lit | {"forced": force and lit["color"] == "red"},
        "differences": differences if told else None,
        "verdict": _verdict(differences, study.resampling.is_possible) if told else _withheld(lit),
        "satisfaction_against_today": study.satisfaction(column, today) if told else None,
        "goal": goal, "estimates": study.recorded.estimates, "replications": scenario.replications,
        "intervals": "95 %, by resampling days and redrawing what is not recorded; for these days, no forecast",
    }  # fmt: skip
    counts = column.counts[0]
    return (
        Report(
            mode=scenario.mode, headline=HEADLINE, scenario=scenario, snapshot=study.arrays.snapshot,
            weights_used=scenario.weights_used(), routed=int(counts[Status.ANSWERED]),
            unrouted=Unrouted(int(counts[1:].sum()),
                              {name: int(n) for name, n in zip(STATUS[1:], counts[1:], strict=True) if n}),
            preference=None, fairness=shares[0], csat=satisfied, agents=shares[1],
            warnings=notes(study.recorded, scenario, played, waits, lit), service_level=waits, replay=content,
        ),
        played,
    )  # fmt: skip


def _verdict(differences: dict[str, Record], is_possible: bool) -> str:
    if not is_possible:
        return TOO_FEW_DAYS
    said = [f"{WORDS[name]} {difference['says']}" for name, difference in differences.items()]
    return "against today's rule on the same customers: " + ", ".join(said)


def _withheld(lit: Record) -> str:
    return f"withheld: {lit['why']}; calibrate, give staffing, or force a verdict all the same (--force)"


def _waits(
    study: Study, scenario: Scenario, column: Column, played: Played, may: Eligibility, busy: Occupancy
) -> Record:
    centre, served = played.completed.centre, column.served
    goal, idle = study.goal(centre), idle_while_waiting(served.arrived_us, served.until_us, may, column.time)
    assert served.found is not None
    return measure(served, goal, _span_us(column)) | {
        "goal": scenario.goal or "each queue's own",
        "occupancy": busy.whole,
        "overrun_s": float(busy.overrun_s.sum()),
        "choice_share": choice_share(served.found),
        "idle_while_waiting_s": idle["idle_while_waiting_s"],
        "idle_while_waiting_share": idle["share"],
        "by_queue": by_queue(served, goal, centre.queue_ids, centre.queues["queue_name"].to_list()),
        "by_interval": by_interval(served, goal, scenario.interval_min, centre.time_zone),
    }


def _span_us(column: Column) -> tuple[int, int] | None:
    """From the first arrival to the end of the last spell or arrival. [us]"""
    arrived_us = column.served.arrived_us
    if not arrived_us.size:
        return None
    return int(arrived_us[0]), max(int(arrived_us[-1]) + 1, int(column.time.spells.end_us.max(initial=0)))


def _shares(
    scenario: Scenario, column: Column, played: Played, may: Eligibility, busy: Occupancy
) -> tuple[Fairness, list[AgentShare]]:
    centre, served = played.completed.centre, column.served
    shared = sharing(served.arrived_us, served.left_us, served.answered, may, column.time.spells)
    counts = busy.handled.astype(float)
    # Who only ever took interactions that had come before the own shift could still have got those.
    shared = replace(
        shared, eligible_count=np.maximum(shared.eligible_count, np.where(shared.eligible_count, 0, counts))
    )
    expected = expectation(scenario.expected, counts, shared.eligible_count, lambda: shared.expected, shared.staffed_s)
    found = fairness(
        Shares(
            counts, busy.handled_s, shared.eligible_count, expected, scenario.expected, centre.agent_ids, centre.groups
        )
    )
    occupied = busy.by_agent
    some = (shared.eligible_count > 0) & (busy.staffed_s > 0)
    if busy.busy_s[some].sum() > 0:
        found = replace(found, gini_occupancy=gini(occupied[some]))
    each = zip(
        centre.agent_ids, centre.agent_names, busy.handled.tolist(), busy.handled_s.tolist(),
        shared.eligible_count.tolist(), occupied.tolist(), strict=True,
    )  # fmt: skip
    agents = [AgentShare(agent, name, n, s, int(e), None if np.isnan(o) else o) for agent, name, n, s, e, o in each]
    return found, agents


def _goal(study: Study, scenario: Scenario, column: Column, played: Played) -> Record | None:
    """When and how the goal moved the weights, and what it changed."""
    moves = scenario.is_rolling or scenario.weights_used() != scenario.weights
    if scenario.goal is None or not moves or METHODS[scenario.method].planner is None:
        return None
    without = replace(study.column("without", scenario, still=True), rule="weights as given")
    return {
        "goal": scenario.goal, "performance": scenario.performance, "without": study.summary(without),
        "difference": study.difference(column, without),
        "n_moves": len(played.moves), "moves": played.moves[:MOST_MOVES],
        "note": "the rules reorder free agents; they add no capacity",
    }  # fmt: skip
