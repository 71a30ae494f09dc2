"""How often intervals cover the truth: a made-up centre of which days are drawn as often as one likes.

Days are played by the public replay, summed and measured as every report does; the truth is what all days together say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.validation.arrivals import at_random
from engine.data.calendar import Calendar
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.measures.days import days_of
from engine.measures.intervals import Days, Interval, Paired, Resampling, measures
from engine.measures.service_level import Goal
from engine.measures.timeline import Timeline
from engine.methods.ladder import one_row_each
from engine.replay.bundles import Clock
from engine.replay.loop import replay
from engine.typing import FloatArray

DAY_S = 86_400.0
# Days in one replay.
AT_ONCE = 1_000
# Days of a run.
LENGTHS = (7, 14, 28)
WITHIN_S = 20.0
# The first is what the second is compared with.
IDLE, FAST = RULES = ("longest idle", "fast first")


@dataclass(frozen=True)
class World:
    """A centre that makes days at random, busy ones and quiet ones, each from empty."""

    n_agents: int = 8
    speeds: tuple[float, ...] = (0.8, 1.2)  # Handling time relative to the mean, of equal parts of the agents
    handle_s: float = 180.0  # Mean, exponential. [s]
    length_s: float = 4 * 3600.0  # From the first call to the last, and of the agents' shift. [s]
    load: float = 0.75  # Of what the agents can do, on a day of mean busyness
    patience_s: float = 180.0  # Mean, exponential. [s]
    busyness: float = 12.0  # Shape of its gamma law, of mean 1

    @property
    def factor(self) -> FloatArray:
        """Handling time of each agent relative to the mean."""
        return np.repeat(self.speeds, -(-self.n_agents // len(self.speeds)))[: self.n_agents]

    @property
    def n_calls(self) -> float:
        """Calls on a day of mean busyness."""
        return self.load * float((1 / self.factor).sum()) * self.length_s / self.handle_s

    def days(self, n_days: int, rng: np.random.Generator) -> dict[str, Days]:
        """The same days under each rule."""
        some = [self._played(min(AT_ONCE, n_days - first), rng) for first in range(0, n_days, AT_ONCE)]
        return {rule: joined([each[rule] for each in some]) for rule in RULES}

    def _played(self, n_days: int, rng: np.random.Generator) -> dict[str, Days]:
        busyness = rng.gamma(self.busyness, 1 / self.busyness, n_days)
        day, place = at_random(self.n_calls * busyness, rng)
        handle_s, patience_s = (
            mean_s * rng.standard_exponential(day.size) for mean_s in (self.handle_s, self.patience_s)
        )
        kinds = Kinds.plain(np.ones((1, self.n_agents), bool))
        demand = Demand.of(day * DAY_S + place * self.length_s, handle_s, kinds, patience_s=patience_s)
        demand = replace(demand, factor=self.factor[None])
        start_s = np.repeat(np.arange(n_days) * DAY_S, self.n_agents)
        roster = Roster.of(
            self.n_agents, np.tile(np.arange(self.n_agents), n_days), start_s, start_s + self.length_s
        )  # fmt: skip
        calendar, goal = Calendar(np.arange(n_days), "UTC"), Goal(np.array([WITHIN_S]))
        found = {}
        for rule, rank in zip(RULES, (np.zeros(self.n_agents), -self.factor), strict=True):
            # Agents begin every day alike, so that days do not depend on one another.
            served = replay(demand, roster, one_row_each(rank[None]), Clock(resets_on_queue=True))
            found[rule] = days_of(served, Timeline(served.services, roster, self.n_agents), calendar, goal)
        return found


def joined(some: list[Days]) -> Days:
    """Days one after another."""
    parts = {name: np.concatenate([days.parts[name] for days in some], axis=1) for name in some[0].parts}
    return Days(parts, np.concatenate([days.counts for days in some], axis=1))


def taken(days: Days, places: slice) -> Days:
    """Some of the days."""
    return Days({name: part[:, places] for name, part in days.parts.items()}, days.counts[:, places])


def truth(days: Days) -> dict[str, float]:
    """Each measure over all days of all draws; of the Gini, what agents get of all of them."""
    sums = {name: part.sum()[None] for name, part in days.parts.items()}
    return {name: float(value[0]) for name, value in measures(sums, days.counts.sum(axis=(0, 1))[None]).items()}


def covered(
    world: World, n_runs: int, rng: np.random.Generator, lengths: Sequence[int] = LENGTHS
) -> dict[str, FloatArray]:
    """1 where an interval of a run covers the truth, by name of `cell`; runs share no day, short ones begin longer."""
    most = max(lengths)
    days = world.days(n_runs * most, rng)
    true = {rule: truth(days[rule]) for rule in RULES}
    found: dict[str, FloatArray] = {"runs": np.ones(n_runs)}
    for length in lengths:
        resampling = Resampling(1, length)
        for run in range(n_runs):
            some = slice(run * most, run * most + length)
            idle, fast = (taken(days[rule], some) for rule in RULES)
            for rule, seen in ((IDLE, idle), (FAST, fast)):
                for name, level in resampling.interval(seen).items():
                    _note(found, cell(rule, name, length), run, level, true[rule][name])
            for name, difference in resampling.difference(fast, idle).items():
                _note(found, cell(None, name, length), run, difference, true[FAST][name] - true[IDLE][name])
    return found


def cell(rule: str | None, measure: str, length: int) -> str:
    """Name of what is counted; without a rule it is the difference of the two."""
    return f"{measure}, {rule or 'difference'}, {length} days"


def _note(found: dict[str, FloatArray], name: str, run: int, both: Interval | Paired | None, true: float) -> None:
    inside = both is not None and both.low is not None and both.high is not None and both.low <= true <= both.high
    found.setdefault(name, np.zeros(found["runs"].size))[run] = inside
