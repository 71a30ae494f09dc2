"""Columns of a replay: the record, today's rule and scenarios over the same customers, summed by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.arrays import Arrays
from engine.data.served import STATUS, Served, recorded
from engine.data.wall_time import DAY_US
from engine.estimates.estimated import Estimates
from engine.measures.days import Calendar, days_of
from engine.measures.intervals import Days, Resampling, point, stacked
from engine.measures.satisfaction import (
    Effects,
    Mix,
    Satisfaction,
    SatisfactionAgainst,
    coverage,
    fold_of,
    satisfaction,
)
from engine.measures.service_level import Goal
from engine.measures.timeline import Timeline
from engine.methods import METHODS
from engine.replay.playing import Played, goal_s, play
from engine.replay.prepare import Recorded
from engine.reports.replay import MEASURES, Difference, Differences, Intervals, ReplayColumn
from engine.spec import Scenario
from engine.typing import FloatArray, IntArray

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
    served : Served
        What became of the customers in the first draw of what is not recorded.
    time : Timeline
        What agents did in it.
    days : Days
        Sums of all draws.
    counts : (n_draws, n_status) array of int
        Interactions by status.
    """

    name: str
    rule: str
    served: Served
    time: Timeline
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
        self._effects = Effects(arrays.centre)

    @cached_property
    def goal(self) -> Goal:
        """What the service level is."""
        within_s = goal_s(self.scenario, self.arrays.centre)
        return Goal(within_s, self.scenario.service_level, self.scenario.short_abandon_s)

    @cached_property
    def calendar(self) -> Calendar:
        """Days by which every column is summed."""
        return Calendar.of(self.recorded.history.arrived_us, self.arrays.centre.time_zone)

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
        return Resampling(self.scenario.replications, self.calendar.n, self.scenario.seed)

    @cached_property
    def past(self) -> Column:
        """What was recorded."""
        history = self.recorded.history
        queue = self.recorded.queue_of_type[history.call_type]
        served = recorded(history, queue, self.scenario.assumptions.acw_s)
        return self._column("recorded", "as recorded", [(served, self.time(served))])

    @cached_property
    def today(self) -> Column:
        """The rule in force, replayed."""
        return self.column("today", today_of(self.scenario, self.arrays))[0]

    def time(self, served: Served) -> Timeline:
        """What agents did."""
        return Timeline(served.services, self.recorded.spells, self.arrays.centre.n_agents)

    def column(self, name: str, scenario: Scenario, *, still: bool = False) -> tuple[Column, Played]:
        """Replay a rule, once per draw of what is not recorded; of all but the first only sums are kept."""
        first: list[Played] = []

        def draws() -> Iterator[tuple[Served, Timeline]]:
            for number in range(self.scenario.replications):
                if self._progress is not None:
                    self._progress(f"replaying {scenario.method}", number, self.scenario.replications)
                played = play(scenario, self.recorded, number, still=still)
                first.extend([played] if not first else [])
                yield played.served, self.time(played.served)

        return self._column(name, f"{scenario.method}: {METHODS[scenario.method].about}", draws()), first[0]

    def _column(self, name: str, rule: str, draws: Iterable[tuple[Served, Timeline]]) -> Column:
        kept: list[tuple[Served, Timeline]] = []
        days, counts = [], []
        for served, time in draws:
            kept.extend([(served, time)] if not kept else [])
            days.append(days_of(served, time, self.calendar, self.goal))
            counts.append(served.counts)
        return Column(name, rule, *kept[0], stacked(days), np.stack(counts))

    @property
    def estimates(self) -> Estimates:
        """How what is not recorded was filled in; known once something was replayed."""
        return Estimates(**self.recorded.estimates)

    def summary(self, column: Column) -> ReplayColumn:
        """Measures of a column with their intervals."""
        values, intervals = point(column.days), self.resampling.interval(column.days)
        mean = column.counts.mean(axis=0)
        measured: dict[str, Any] = dict(zip(STATUS, mean.tolist(), strict=True))
        measured |= {name: values.get(name) for name in MEASURES}
        return ReplayColumn(
            name=column.name, rule=column.rule, offered=float(mean.sum()), **measured,
            intervals=Intervals(**{name: intervals.get(name) for name in MEASURES}),
        )  # fmt: skip

    def difference(self, column: Column, other: Column) -> Differences:
        """Paired difference of every measure, column less other."""
        found = self.resampling.difference(column.days, other.days)
        return Differences(**{name: Difference.of(name, found[name]) for name in MEASURES})

    def satisfaction(self, column: Column, other: Column) -> SatisfactionAgainst:
        """What satisfaction would be expected under a column, against another."""
        return self.recorded_satisfaction(column, other).against()

    def recorded_satisfaction(self, column: Column, other: Column | None = None) -> Satisfaction:
        """What satisfaction would be expected under a column, against the record."""
        other = other or self.past
        mine, theirs = column.served, other.served
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
