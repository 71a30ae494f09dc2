"""What a replay says: recorded, today's rule and the scenario side by side, on the same customers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.data.arrays import Arrays
from engine.data.wall_time import DAY_US, local_days
from engine.measures.account import ANSWERED, Account, Ground, days_of, of_history, of_played, services, visits
from engine.measures.fairness import Fairness, Shares, fairness, gini
from engine.measures.idling import Occupancy, idle_while_waiting, occupancy
from engine.measures.intervals import Days, Resampling, point, stacked
from engine.measures.light import light
from engine.measures.satisfaction import (
    Effects,
    Mix,
    Satisfaction,
    SatisfactionAgainst,
    coverage,
    fold_of,
    satisfaction,
)
from engine.measures.service_level import by_interval, by_queue, choice_share, measure
from engine.measures.sharing import Sharing, sharing
from engine.methods import METHODS
from engine.replay.loop import STATUS
from engine.replay.playing import Played, goal_s, play
from engine.replay.prepare import Recorded
from engine.reports.replay_notes import notes
from engine.reports.report import AgentShare, Report, Unrouted
from engine.spec import Scenario
from engine.typing import BoolArray, FloatArray, IntArray, Record

HEADLINE = "a replay: the same customers at their recorded times; agents are busy, queues form, the impatient leave"
MEASURES = ("service_level", "asa_s", "mean_wait_s", "abandonment", "occupancy", "gini")
# Whether more is better; None where it depends.
BETTER = {"service_level": 1, "asa_s": -1, "mean_wait_s": -1, "abandonment": -1, "occupancy": None, "gini": -1}
WORDS = {
    "service_level": "service level", "asa_s": "ASA", "mean_wait_s": "mean wait", "abandonment": "abandonment",
    "occupancy": "occupancy", "gini": "Gini of interactions",
}  # fmt: skip
MOST_MOVES = 2000
TOO_FEW_DAYS = "not determined: fewer than five days, so nothing says how days differ"
Progress = Callable[[str, int, int], None]


def today_of(scenario: Scenario, arrays: Arrays) -> Scenario:
    """The rule in force, as the queues' settings record it.

    Parameters
    ----------
    scenario : Scenario
        Whose assumptions, goal and seed hold.
    arrays : Arrays
        Queues with their settings.

    Returns
    -------
    Scenario
        Preferred agents where a queue has rules for them, bullseye where one has rings, else standard routing.
    """
    queues = arrays.centre.queues
    method = "genesys"
    if queues["rings"].drop_nulls().len():
        method = "bullseye"
    if queues["routing_rules"].drop_nulls().len():
        method = "preferred_agent"
    return replace(scenario, method=method, performance=0.80, required=())


@dataclass(frozen=True)
class Column:
    """One rule over the same customers, with all its draws.

    Parameters
    ----------
    name : str
        Of the column.
    rule : str
        In words.
    account : Account
        Of the first draw of what is not recorded.
    days : Days
        Sums of all draws.
    counts : (n_draws, n_status) array of int
        Interactions by what became of them.
    """

    name: str
    rule: str
    account: Account
    days: Days
    counts: IntArray


class Study:
    """A data set on which rules are compared, under one set of assumptions.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    scenario : Scenario
        Whose assumptions, seed, definitions and replications hold for all.
    progress : callable, optional
        Called with label, replays done and replays in all.
    """

    def __init__(self, arrays: Arrays, scenario: Scenario, progress: Progress | None = None) -> None:
        self.arrays, self.scenario, self._progress = arrays, scenario, progress
        self.recorded = Recorded(arrays, scenario)
        self.queue: IntArray = self.recorded.queue_of_type[self.recorded.history.call_type]
        self._effects = Effects(arrays.centre)

    @cached_property
    def ground(self) -> Ground:
        """What all accounts are measured on."""
        history, spells, zone = self.recorded.history, self.recorded.spells, self.arrays.centre.time_zone
        days, day = np.unique(local_days(history.arrived_us, zone), return_inverse=True)
        of_spell = np.searchsorted(days, local_days(spells.start_us, zone), side="right") - 1
        return Ground(
            day, days.size, self.arrays.centre.n_agents, goal_s(self.scenario, self.arrays.centre)[self.queue],
            self.scenario.service_level, self.scenario.short_abandon_s, spells, np.maximum(of_spell, 0),
        )  # fmt: skip

    @property
    def span_us(self) -> tuple[int, int] | None:
        """From the first arrival to the end of the last spell or arrival. [us]"""
        arrived_us, spells = self.recorded.history.arrived_us, self.recorded.spells
        if not arrived_us.size:
            return None
        return int(arrived_us[0]), max(int(arrived_us[-1]) + 1, int(spells.end_us.max(initial=0)))

    @cached_property
    def resampling(self) -> Resampling:
        """The same days and draws for every comparison."""
        return Resampling(self.scenario.replications, self.ground.n_days, self.scenario.seed)

    @cached_property
    def past(self) -> Column:
        """What was recorded."""
        account = of_history(self.recorded.history, self.queue, self.scenario.assumptions.acw_s)
        return self._column("recorded", "as recorded", [account])

    @cached_property
    def today(self) -> Column:
        """The rule in force, replayed."""
        return self.column("today", today_of(self.scenario, self.arrays))[0]

    def column(self, name: str, scenario: Scenario, *, still: bool = False) -> tuple[Column, Played]:
        """Replay a rule, once per draw of what is not recorded; of all but the first only sums are kept."""
        first: list[Played] = []

        def accounts() -> Iterator[Account]:
            for number in range(self.scenario.replications):
                if self._progress is not None:
                    self._progress(f"replaying {scenario.method}", number, self.scenario.replications)
                played = play(scenario, self.recorded, number, still=still)
                first.extend([played] if not first else [])
                yield of_played(name, played, self.queue)

        return self._column(name, f"{scenario.method}: {METHODS[scenario.method].about}", accounts()), first[0]

    def _column(self, name: str, rule: str, accounts: Iterable[Account]) -> Column:
        kept: list[Account] = []
        days, counts = [], []
        for account in accounts:
            kept.extend([account] if not kept else [])
            days.append(days_of(account, self.ground))
            counts.append(np.bincount(account.status, minlength=len(STATUS)))
        return Column(name, rule, kept[0], stacked(days), np.stack(counts))

    def summary(self, column: Column) -> Record:
        """Measures of a column with their intervals."""
        values, intervals = point(column.days), self.resampling.interval(column.days)
        mean = column.counts.mean(axis=0)
        found: Record = {"name": column.name, "rule": column.rule, "offered": float(mean.sum())}
        found |= {status: float(n) for status, n in zip(STATUS, mean, strict=True)}
        found |= {name: values.get(name) for name in MEASURES}
        return found | {"intervals": {name: intervals.get(name) for name in MEASURES}}

    def difference(self, column: Column, other: Column) -> dict[str, Record]:
        """Paired difference of every measure, column less other."""
        found = self.resampling.difference(column.days, other.days)
        return {name: found[name] | {"says": _says(name, found[name])} for name in MEASURES if name in found}

    def satisfaction(self, column: Column, other: Column) -> SatisfactionAgainst:
        """What satisfaction would be expected under a column, against another."""
        return self.recorded_satisfaction(column, other).against()

    def recorded_satisfaction(self, column: Column, other: Column | None = None) -> Satisfaction:
        """What satisfaction would be expected under a column, against the record."""
        other = other or self.past
        mine, theirs = column.account, other.account
        history, centre = self.recorded.history, self.arrays.centre
        both = (mine.agent >= 0) & (theirs.agent >= 0)
        fold = fold_of(history.arrived_us // DAY_US)
        n, kinds = centre.n_agents, centre.requirement[history.call_type]

        def split(places: IntArray, size: int) -> FloatArray:
            return np.stack([np.bincount(places[both & (fold == half)], minlength=size) for half in (0, 1)]).astype(
                float
            )

        mix = Mix(split(kinds, centre.n_requirements), split(mine.agent, n), split(theirs.agent, n))
        known = history.agent >= 0
        days = (history.arrived_us[[0, -1]] // DAY_US).tolist() if history.n else []
        covered = coverage(centre.surveys, days, int(known.sum()))
        return satisfaction(self._effects, mix, covered, self.arrays.has_made_up_surveys)


def _says(name: str, difference: Record) -> str:
    low, high, better = difference["low"], difference["high"], BETTER[name]
    if difference["value"] is None or low is None:
        return "undefined"
    if low <= 0 <= high:
        return "no clear difference"
    if better is None:
        return "more" if low > 0 else "less"
    return "better" if (low > 0) == (better > 0) else "worse"


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
    column, played = study.column("scenario", scenario)
    past, today = study.past, study.today
    summaries = [study.summary(one) for one in (past, today, column)]
    lit = light(summaries[0], summaries[1])
    differences = study.difference(column, today)
    satisfied = study.recorded_satisfaction(column)
    told = lit["color"] != "red" or force
    account = column.account
    alert_us = played.demand.alert_us[account.answered]
    busy = occupancy(services(account), study.recorded.spells, study.ground.n_agents, alert_us)
    waits = _waits(study, scenario, account, played, busy)
    shares = _shares(study, scenario, account, played, busy)
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
            weights_used=scenario.weights_used(), routed=int(counts[ANSWERED]),
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


def _waits(study: Study, scenario: Scenario, account: Account, played: Played, busy: Occupancy) -> Record:
    centre = study.arrays.centre
    seen, within_s = visits(account), goal_s(scenario, centre)
    how = (scenario.service_level, scenario.short_abandon_s)
    idle = _idling(study, account, played)
    return measure(seen, within_s, *how, study.span_us) | {
        "goal": scenario.goal or "each queue's own",
        "occupancy": busy.whole,
        "overrun_s": float(busy.overrun_s.sum()),
        "choice_share": choice_share(played.served.found),
        "idle_while_waiting_s": idle["idle_while_waiting_s"],
        "idle_while_waiting_share": idle["share"],
        "by_queue": by_queue(seen, within_s, centre.queue_ids, centre.queues["queue_name"].to_list(), *how),
        "by_interval": by_interval(seen, within_s, scenario.interval_min, centre.time_zone, *how),
    }


def _groups(played: Played) -> tuple[BoolArray, IntArray]:
    """Distinct sets of eligible agents, and the one of each interaction."""
    rows, group = np.unique(played.demand.kinds.eligible, axis=0, return_inverse=True)
    return rows, group[played.demand.kind]


def _idling(study: Study, account: Account, played: Played) -> Record:
    rows, group = _groups(played)
    until_us = np.where(account.agent >= 0, account.offered_us, played.served.left_us)
    return idle_while_waiting(account.arrived_us, until_us, group, rows, services(account), study.recorded.spells)


def _shares(
    study: Study, scenario: Scenario, account: Account, played: Played, busy: Occupancy
) -> tuple[Fairness, list[AgentShare]]:
    centre, spells = study.arrays.centre, study.recorded.spells
    rows, group = _groups(played)
    shared = sharing(account.arrived_us, played.served.left_us, group, account.answered, rows, spells)
    counts = busy.handled.astype(float)
    # Who only ever took interactions that had come before the own shift could still have got those.
    shared = replace(
        shared, eligible_count=np.maximum(shared.eligible_count, np.where(shared.eligible_count, 0, counts))
    )
    expected = _expected(scenario.expected, counts, shared)
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


def _expected(name: str, counts: FloatArray, shared: Sharing) -> FloatArray:
    if name == "eligible":
        return shared.expected
    weight = np.where(shared.eligible_count > 0, 1.0 if name == "uniform" else shared.staffed_s, 0.0)
    if not weight.sum():
        return weight
    return np.asarray(weight * counts[weight > 0].sum() / weight.sum())


def _goal(study: Study, scenario: Scenario, column: Column, played: Played) -> Record | None:
    """When and how the goal moved the weights, and what it changed."""
    moves = scenario.is_rolling or scenario.weights_used() != scenario.weights
    if scenario.goal is None or not moves or METHODS[scenario.method].planner is None:
        return None
    without = replace(study.column("without", scenario, still=True)[0], rule="weights as given")
    return {
        "goal": scenario.goal, "performance": scenario.performance, "without": study.summary(without),
        "difference": study.difference(column, without),
        "n_moves": len(played.moves), "moves": played.moves[:MOST_MOVES],
        "note": "the rules reorder free agents; they add no capacity",
    }  # fmt: skip
