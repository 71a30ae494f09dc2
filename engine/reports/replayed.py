"""What a replay says: recorded, today's rule and the scenario side by side, on the same customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.data.served import STATUS, Status
from engine.measures.eligibility import Eligibility
from engine.measures.fairness import Fairness, Shares, expectation, fairness, gini
from engine.measures.idling import Occupancy, occupancy
from engine.measures.light import Light
from engine.measures.service_level import by_interval, by_queue, measure
from engine.measures.sharing import Sharing, sharing
from engine.measures.waits import ServiceLevel
from engine.methods import METHODS
from engine.replay.playing import Played
from engine.reports.columns import Column, Study, is_one_rule, today_of
from engine.reports.factors import about_factors
from engine.reports.notes import about_idle, replay_notes
from engine.reports.replay import MEASURES, WORDS, Differences, GoalEffect, Replay, VerdictLight
from engine.reports.report import AgentShare, Report, Unrouted
from engine.results import or_null
from engine.spec import Scenario

HEADLINE = "a replay: the same customers at their recorded times; agents are busy, queues form, the impatient leave"
INTERVALS = "95 %, from how days differ, with what is not recorded redrawn; for days like these, no forecast"
ADD_NO_CAPACITY = "the rules reorder free agents; they add no capacity"
MOST_MOVES = 2000
BASELINE = "this is today's rule itself, the baseline: there is no other rule to compare it with"
NOTHING_DIFFERS = "no measure differs at all from today's rule on the same customers"
TOO_FEW_DAYS = "not determined: fewer than seven days, too few to tell how days differ"


def report_of(study: Study, scenario: Scenario, *, force: bool = False) -> tuple[Report, Played]:
    """Replay a scenario and report its outcomes.

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
    is_baseline = is_one_rule(scenario, today_of(scenario, study.arrays))
    column = study.column("today" if is_baseline else "scenario", scenario, keep=True)
    played = column.played
    assert played is not None
    first = _FirstDraw(study, scenario, column, played)
    replay = _baseline(study, scenario, column) if is_baseline else _judged(study, scenario, column, force)
    replay = replace(replay, goal=_goal(study, scenario, column, played))
    counts = column.counts[0]
    ends = {name: int(n) for name, n in zip(STATUS[1:], counts[1:], strict=True) if n}
    report = Report(
        mode=scenario.mode, headline=HEADLINE, scenario=scenario, weights_used=scenario.weights_used(),
        snapshot=study.arrays.snapshot, routed=int(counts[Status.ANSWERED]),
        unrouted=Unrouted(int(counts[1:].sum()), ends), preference=None, fairness=first.fairness,
        agents=first.agents(), csat=study.recorded_satisfaction(column), service_level=first.waits, replay=replay,
        warnings=[
            *replay_notes(study.recorded, scenario, played, first.waits, replay.light),
            *(said for one in replay.columns[1:-1] for said in about_idle(one, "today's rule: ")),
            *about_factors(study.recorded, column.factors),
        ],
    )  # fmt: skip
    return report, played


def _baseline(study: Study, scenario: Scenario, column: Column) -> Replay:
    """Today's rule alone: there is nothing to compare it with but the record."""
    return _replay(study, scenario, [column], study.light(column), None, verdict=BASELINE)


def _judged(study: Study, scenario: Scenario, column: Column, force: bool) -> Replay:
    """Today's rule and the scenario side by side, and what may be said of their differences."""
    lit = study.light()
    # A replay that misses the record cannot carry a difference: both rules would rest on the same error.
    is_withheld = lit.color == "red" and not force
    differences = None if is_withheld else study.difference(column, study.today)
    said = f"withheld: {withheld(lit)}" if differences is None else _verdict(differences, study.resampling.is_possible)
    return _replay(study, scenario, [study.today, column], lit, differences, verdict=said, forced=force)


def _replay(
    study: Study, scenario: Scenario, columns: Sequence[Column], lit: Light, differences: Differences | None, *,
    verdict: str, forced: bool = False,
) -> Replay:  # fmt: skip
    # The last is the scenario, the one before it today's rule.
    against = None if differences is None else study.satisfaction(columns[-1], columns[0])
    return Replay(
        headline=HEADLINE, columns=[study.summary(one) for one in (study.past, *columns)],
        light=VerdictLight(**vars(lit), forced=forced and lit.color == "red"), differences=differences, verdict=verdict,
        satisfaction_against_today=against, goal=None, estimates=study.recorded.estimates,
        replications=scenario.replications, intervals=INTERVALS,
    )  # fmt: skip


def _verdict(differences: Differences, is_possible: bool) -> str:
    if differences.is_nothing:
        return NOTHING_DIFFERS
    if not is_possible:
        return TOO_FEW_DAYS
    said = [f"{WORDS[name]} {getattr(differences, name).says}" for name in MEASURES]
    return "against today's rule on the same customers: " + ", ".join(said)


def withheld(lit: Light) -> str:
    """Why there is no verdict under a red light, and the way out."""
    remedy = "" if lit.remedy is None else f"{lit.remedy}, or "
    return f"{lit.why}; {remedy}force a verdict all the same (--force)"


@dataclass(frozen=True)
class _FirstDraw:
    """The first draw of a scenario, measured."""

    study: Study
    scenario: Scenario
    column: Column
    played: Played

    @cached_property
    def _busy(self) -> Occupancy:
        return occupancy(self.column.time, self.played.demand.alert_us[self.column.served.answered])

    @cached_property
    def _could(self) -> Eligibility:
        """Who could have got what, by the baseline: the yardstick of sharing must not move with the policy."""
        return Eligibility.of(self.played.baseline, self.played.demand.kind)

    @cached_property
    def waits(self) -> ServiceLevel:
        """Waits, abandonment and occupancy."""
        centre, served = self.played.completed.centre, self.column.served
        goal = self.study.goal(centre)
        idle = self.column.idle[0]
        whole = measure(served, goal, _span_us(self.column))
        queues = by_queue(served, goal, centre.queue_ids, centre.queues["queue_name"].to_list())
        if not self.study.record.replays_abandonment:
            whole, queues = (
                replace(whole, abandonment_share=None),
                [replace(q, abandonment_share=None) for q in queues],
            )
        return ServiceLevel(
            **vars(whole),
            definition=goal.definition,
            short_abandon_s=goal.short_abandon_s,
            goal=self.scenario.goal or "each queue's own",
            occupancy=self._busy.whole,
            overrun_s=float(self._busy.overrun_s.sum()),
            choice_share=self.column.choice_share[0],
            idle_while_waiting_s=idle.idle_while_waiting_s,
            idle_while_waiting_share=idle.share,
            idle_causes=idle.causes,
            by_queue=queues,
            by_interval=by_interval(served, goal, self.scenario.interval_min, centre.time_zone),
        )

    @cached_property
    def _shared(self) -> Sharing:
        served, handled = self.column.served, self._busy.handled.astype(float)
        shared = sharing(served.arrived_us, served.left_us, served.answered, self._could, self.column.time.spells)
        # Who only ever took interactions that had come before the own shift could still have got those.
        count = np.maximum(shared.eligible_count, np.where(shared.eligible_count, 0, handled))
        return replace(shared, eligible_count=count)

    @property
    def fairness(self) -> Fairness:
        """How evenly the answers are shared."""
        centre, busy, shared = self.played.completed.centre, self._busy, self._shared
        name, counts = self.scenario.expected, busy.handled.astype(float)
        expected = expectation(name, counts, shared.eligible_count, lambda: shared.expected, busy.staffed_s)
        found = fairness(
            Shares(counts, busy.handled_s, shared.eligible_count, expected, name, centre.agent_ids, centre.groups)
        )
        # Occupancy needs time on queue; of who had none it is undefined, not 0.
        some = (shared.eligible_count > 0) & (busy.staffed_s > 0)
        is_busy = busy.busy_s[some].sum() > 0
        return replace(found, gini_occupancy=gini(busy.by_agent[some])) if is_busy else found

    def agents(self) -> list[AgentShare]:
        """What each agent got."""
        centre, busy = self.played.completed.centre, self._busy
        each = zip(
            centre.agent_ids, centre.agent_names, busy.handled.tolist(), busy.handled_s.tolist(),
            self._shared.eligible_count.tolist(), busy.by_agent.tolist(), strict=True,
        )  # fmt: skip
        return [AgentShare(agent, name, n, s, int(e), or_null(o)) for agent, name, n, s, e, o in each]


def _span_us(column: Column) -> tuple[int, int] | None:
    """From the first arrival to the end of the last time on queue that counts, or the last arrival. [us]"""
    arrived_us = column.served.arrived_us
    if not arrived_us.size:
        return None
    # Until the last agent goes: whoever still waits is part of the queue until then.
    return int(arrived_us[0]), max(int(arrived_us[-1]) + 1, int(column.time.counted.end_us.max(initial=0)))


def _goal(study: Study, scenario: Scenario, column: Column, played: Played) -> GoalEffect | None:
    """When and how the goal moved the weights, and what it changed."""
    # A goal that moved nothing has no effect to report, and the replay without it would be the same again.
    moves = scenario.is_rolling or scenario.weights_used() != scenario.weights
    if scenario.goal is None or not moves or METHODS[scenario.method].planner is None:
        return None
    without = replace(study.column("without", scenario, still=True), rule="weights as given")
    return GoalEffect(
        goal=scenario.goal, performance=scenario.performance, without=study.summary(without),
        difference=study.difference(column, without), n_moves=len(played.moves), moves=played.moves[:MOST_MOVES],
        note=ADD_NO_CAPACITY,
    )  # fmt: skip
