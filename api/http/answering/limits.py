"""How much one batch may hold, and what of it is refused before it starts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from api.errors import InvalidBody, Problem
from engine.data.arrays import Arrays
from engine.data.wall_time import local_days
from engine.spec import Scenario

# What a replay holds at once: some hundred bytes for each interaction and draw, some ten thousand for each day and
# draw, a row of the report for each interval, and a note of each change of the weights.
MOST_DRAWN, MOST_DAYS, MOST_INTERVALS, MOST_PLANS = 5_000_000, 20_000, 100_000, 500_000
FEWER = "use fewer replications, or fewer days (start_date, end_date)"


@dataclass(frozen=True)
class Limits:
    """How much one batch may hold.

    Parameters
    ----------
    interactions, outcomes : int
        Most inline interactions, and most outcomes in the answer. [count]
    """

    interactions: int
    outcomes: int


def recorded(arrays: Arrays, *scenarios: Scenario) -> Arrays:
    """The arrays with all that is recorded in memory, once; refused where a replay of it would not fit there."""
    history = arrays.history()
    if history.n:
        span_s = float(history.arrived_us[-1] - history.arrived_us[0]) / 1e6
        days = np.unique(local_days(history.arrived_us, arrays.centre.time_zone)).size
        for scenario in scenarios:
            _check_length(scenario, span_s)
            _check_draws(scenario, history.n, days)
    return replace(arrays, history=lambda: history)


def _check_length(scenario: Scenario, span_s: float) -> None:
    n_intervals = span_s / 60 / scenario.interval_min
    n_plans = span_s / scenario.replan_s * scenario.replications
    if n_intervals > MOST_INTERVALS:
        what = f"{n_intervals:,.0f} intervals of {scenario.interval_min} minutes from the first to the last arrival"
        remedy = f"use longer intervals or fewer days, at most {MOST_INTERVALS:,} intervals"
        raise InvalidBody(Problem("/interval_min", what, remedy))
    if scenario.is_rolling and n_plans > MOST_PLANS:
        what = f"weights would be moved {n_plans:,.0f} times"
        raise InvalidBody(Problem("/replan_s", what, f"use a longer time or fewer days, at most {MOST_PLANS:,} times"))


def _check_draws(scenario: Scenario, n: int, days: int) -> None:
    for count, most, what in ((n, MOST_DRAWN, "interactions"), (days, MOST_DAYS, "days")):
        # One draw is never too many: there the memory of the data decides.
        if scenario.replications > 1 and count * scenario.replications > most:
            found = f"{scenario.replications} replications of {count:,} {what}"
            raise InvalidBody(Problem("/replications", found, f"{FEWER}: at most {most:,} in all"))
