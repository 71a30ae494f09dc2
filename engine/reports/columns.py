"""Columns of a replay: the record, today's rule and scenarios over the same customers, summed by day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from engine.data.arrays import Arrays
from engine.data.calendar import Calendar
from engine.data.centre import Centre
from engine.data.served import STATUS, Served, recorded
from engine.data.wall_time import DAY_US
from engine.measures.days import days_of
from engine.measures.idling import Idle, idle_while_waiting, occupancy
from engine.measures.intervals import Days, Resampling, point, stacked
from engine.measures.light import Light, light
from engine.measures.record import Record
from engine.measures.satisfaction import (
    Effects,
    Mix,
    Satisfaction,
    SatisfactionAgainst,
    coverage,
    satisfaction,
)
from engine.measures.service_level import Goal, choice_share
from engine.measures.sharing import other_yardstick
from engine.measures.timeline import Timeline
from engine.methods import METHODS
from engine.methods.today import in_force
from engine.replay.playing import Played, goal_s, goal_share, play
from engine.replay.prepare import Recorded
from engine.reports.factors import FactorsUsed
from engine.reports.replay import MEASURES, NOT_RECORDED, Difference, Differences, Intervals, ReplayColumn
from engine.spec import TODAY, Scenario
from engine.stopping import check
from engine.typing import FloatArray, IntArray, Progress


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
    method = in_force(arrays.centre.queues)
    # As recorded: whatever a scenario changes, the rule in force has no levers, filters or goals in motion.
    return replace(scenario, method=method, performance=0.80, required=(TODAY,), levers=())


def is_one_rule(scenario: Scenario, other: Scenario) -> bool:
    """Whether two scenarios of the same assumptions are one and the same rule.

    Parameters
    ----------
    scenario, other : Scenario
        In mode replay.

    Returns
    -------
    bool
        Weights, filters and goals in motion do not count where a method of the platform reads none of them.
    """
    is_platform = METHODS[scenario.method].is_platform
    read = ("method", "switches", "levers")
    return scenario == other or (is_platform and all(getattr(scenario, n) == getattr(other, n) for n in read))


@dataclass(frozen=True)
class Column:
    """One rule over the same customers, with all its draws.

    Parameters
    ----------
    name : str
        Of the column.
    rule : str
        In words.
    played : Played or None
        The first draw of what is not recorded, where it was asked for.
    interaction_id : polars.Series of str
        Of its interactions.
    requirement : (n,) array of int
        What each required.
    served : Served
        Outcomes of the interactions.
    time : Timeline
        What agents did.
    days : Days
        Sums of all draws.
    counts : (n_draws, n_status) array of int
        Interactions by status.
    choice_share : list of float or None
        By draw, of the interactions that found two or more able agents free; empty of the record.
    idle : list of Idle
        By draw, waiting beside free able agents; empty of the record.
    changes : list of str
        What levers changed of that by which sharing is judged.
    factors : FactorsUsed, optional
        What factors of agents did in the first draw; None where recorded times hold.
    """

    name: str
    rule: str
    played: Played | None
    interaction_id: pl.Series
    requirement: IntArray
    served: Served
    time: Timeline
    days: Days
    counts: IntArray
    choice_share: list[float | None] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    factors: FactorsUsed | None = None


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
        self._effects = Effects(arrays.centre, arrays.has_made_up_surveys)

    def goal(self, centre: Centre) -> Goal:
        """What the service level is, with the goals of a centre's queues."""
        return Goal(
            goal_s(self.scenario, centre), self.scenario.service_level, self.scenario.short_abandon_s,
            goal_share(self.scenario, centre),
        )  # fmt: skip

    @property
    def calendar(self) -> Calendar:
        """Days by which every column is summed, and on which time on queue counts."""
        return self.recorded.calendar

    @cached_property
    def resampling(self) -> Resampling:
        """The same days and draws for every comparison."""
        return Resampling(self.scenario.replications, self.calendar.n, self.scenario.seed)

    @cached_property
    def past(self) -> Column:
        """What was recorded."""
        check()
        history, centre = self.recorded.history, self.arrays.centre
        served = recorded(history, self.recorded.queue_of_type[history.call_type], self.scenario.assumptions.acw_s)
        spells = self.recorded.spells
        time = Timeline(served.services, spells, centre.n_agents, self.calendar.within(spells), centre.held)
        days = stacked([days_of(served, time, self.calendar, self.goal(centre))])
        ids, requirement = history.interaction_id, centre.requirement[history.call_type]
        return Column(
            "recorded", "as recorded", played=None, interaction_id=ids, requirement=requirement, served=served,
            time=time, days=days, counts=served.counts[None],
        )  # fmt: skip

    @cached_property
    def today(self) -> Column:
        """The rule in force, replayed."""
        return self.column("today", today_of(self.scenario, self.arrays))

    def light(self, today: Column | None = None) -> Light:
        """Whether the rule in force, replayed with recorded handling times, reproduces the record.

        Parameters
        ----------
        today : Column, optional
            The rule in force where it was played under this study's assumptions already.

        Returns
        -------
        Light
            The same whatever is compared, and however handling changes with the agent.
        """
        if self.scenario.assumptions.handling != "recorded":
            assumed = replace(self.scenario.assumptions, handling="recorded")
            held = self.arrays.holding(self.recorded.history)
            return Study(held, replace(self.scenario, assumptions=assumed), self._progress).light()
        return light(self.summary(self.past), self.summary(today or self.today), self.record)

    @cached_property
    def record(self) -> Record:
        """What the record tells of itself."""
        centre = self.arrays.centre
        has_busy = bool(centre.busy.agent.size or centre.held.agent.size)
        return Record.of(
            self.recorded.history, is_inferred=self.recorded.is_inferred, has_busy=has_busy,
            off_queue=occupancy(self.past.time).outside,
        )  # fmt: skip

    def column(self, name: str, scenario: Scenario, *, still: bool = False, keep: bool = False) -> Column:
        """Replay a rule, once per draw of what is not recorded; of all but the first only sums are kept.

        Demand and roster of the first are large, so they are kept on demand only.
        """
        check()
        first: tuple[Played, Timeline] | None = None
        days, counts = [], []
        choices: list[float | None] = []
        idle: list[Idle] = []
        # Replications by number: every rule meets the same draws, so differences are paired.
        for number in range(self.scenario.replications):
            if self._progress is not None:
                self._progress(f"replaying {scenario.method}", number, self.scenario.replications)
            played = play(scenario, self.recorded, number, still=still)
            time = time_of(played, self.calendar)
            # All further draws are summed up and let go: a month of them would not fit into memory.
            first = first or (played, time)
            days.append(days_of(played.served, time, self.calendar, self.goal(played.completed.centre)))
            counts.append(played.served.counts)
            assert played.served.found is not None
            choices.append(choice_share(played.served.found))
            idle.append(idle_while_waiting(played, time))
        assert first is not None
        played, time = first
        given, centre = played.completed.interactions, played.completed.centre
        return Column(
            name, f"{scenario.method}: {METHODS[scenario.method].about}", played=played if keep else None,
            interaction_id=given.interaction_id, requirement=centre.requirement[given.call_type],
            served=played.served, time=time, days=stacked(days), counts=np.stack(counts), choice_share=choices,
            idle=idle, changes=other_yardstick(played.completed, self.recorded),
            factors=FactorsUsed.of(given, played.served),
        )  # fmt: skip

    def summary(self, column: Column) -> ReplayColumn:
        """Measures of a column with their intervals."""
        values, intervals = point(column.days), self.resampling.interval(column.days)
        # Counts are means over draws, so they need not be whole.
        mean = column.counts.mean(axis=0)
        measured: dict[str, Any] = dict(zip(STATUS, mean.tolist(), strict=True))
        if column is not self.past and not self.record.replays_abandonment:
            # Nobody gives up in such a replay, which says nothing about abandonment.
            values, intervals = values | {"abandonment": None}, {**intervals, "abandonment": None}
        measured |= {name: values.get(name) for name in MEASURES}
        return ReplayColumn(
            name=column.name, rule=column.rule, offered=float(mean.sum()), **measured, **_beside(column),
            intervals=Intervals(**{name: intervals.get(name) for name in MEASURES}), factors=column.factors,
        )  # fmt: skip

    def difference(self, column: Column, other: Column) -> Differences:
        """Paired difference of every measure, column less other."""
        found = self.resampling.difference(column.days, other.days)
        each = {name: Difference.of(name, found[name]) for name in MEASURES}
        if not self.record.replays_abandonment:
            each["abandonment"] = Difference(None, None, None, NOT_RECORDED)
        return Differences(**each)

    def satisfaction(self, column: Column, other: Column) -> SatisfactionAgainst:
        """What satisfaction would be expected under a column, against another."""
        return self.recorded_satisfaction(column, other).against()

    def recorded_satisfaction(self, column: Column, other: Column | None = None) -> Satisfaction:
        """What satisfaction would be expected under a column, against the record."""
        other = other or self.past
        # Those whom both have, and a known agent answered in both.
        rows, others = _shared(column.interaction_id, other.interaction_id)
        mine, theirs = column.served.agent[rows], other.served.agent[others]
        # Where one of the two answered nobody there is no difference between agents to tell.
        both = (mine >= 0) & (theirs >= 0)
        n_stretches, effects = self._effects.n_stretches, self._effects
        stretch = effects.stretch_of(column.served.arrived_us[rows][both] // DAY_US)
        history, centre = self.recorded.history, self.arrays.centre

        def split(places: IntArray, size: int) -> FloatArray:
            check()
            cells = np.bincount(stretch * size + places[both], minlength=n_stretches * size)
            return cells.reshape(n_stretches, size).astype(float)

        n = centre.n_agents
        mix = Mix(split(column.requirement[rows], centre.n_requirements), split(mine, n), split(theirs, n))
        days = (history.arrived_us[[0, -1]] // DAY_US).tolist() if history.n else []
        covered = coverage(centre.surveys, days, int((history.agent >= 0).sum()))
        return satisfaction(effects, mix, covered)


def _beside(column: Column) -> dict[str, Any]:
    """Choice, and waiting beside free able agents, in means over draws; of the record nothing is known."""
    names = ("choice_share", "idle_while_waiting_s", "idle_while_waiting_share", "idle_causes")
    if not column.idle:
        return dict.fromkeys(names)
    shares, idle = [share for share in column.choice_share if share is not None], Idle.mean(column.idle)
    found = sum(shares) / len(shares) if shares else None
    return dict(zip(names, (found, idle.idle_while_waiting_s, idle.share, idle.causes), strict=True))


def time_of(played: Played, calendar: Calendar) -> Timeline:
    """What agents did in a replay; time on queue counts on days of the record, whatever levers changed."""
    completed = played.completed
    spells, centre = completed.spells, completed.centre
    return Timeline(played.served.services, spells, centre.n_agents, calendar.within(spells), centre.held)


def _shared(ids: pl.Series, others: pl.Series) -> tuple[IntArray, IntArray]:
    """Places in both of the interactions that both have."""
    # Without levers columns share one series of ids, and a join of millions is spared.
    if ids is others:
        every = np.arange(ids.len())
        return every, every
    sides = (side.alias("id").to_frame().with_row_index(name) for side, name in ((ids, "mine"), (others, "theirs")))
    pairs = next(sides).join(next(sides), on="id", how="inner", maintain_order="left")
    return pairs["mine"].to_numpy().astype(np.int64), pairs["theirs"].to_numpy().astype(np.int64)
