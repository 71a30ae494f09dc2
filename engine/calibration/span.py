"""Spans: days on which replays under some assumptions are held against the record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from engine.calibration.closeness import Distances, Parts, distances, loss
from engine.calibration.in_force import InForce
from engine.data.arrays import Arrays
from engine.data.history import History
from engine.data.served import Served
from engine.data.wall_time import local_days
from engine.errors import MissingInput
from engine.estimates.assumptions import Assumptions
from engine.measures.days import sums_by
from engine.measures.idling import occupancy
from engine.replay.playing import play
from engine.reports.columns import Study, time_of, today_of
from engine.spec import Scenario
from engine.typing import FloatArray, IntArray, Progress

SLOTS = 48
EPOCH = date(1970, 1, 1)
Days = tuple[date, date]


@dataclass(frozen=True)
class Replays:
    """Draws of today's rule over a span, as sums."""

    # Sums by half hour and by call type, one per draw
    cells: list[Parts]
    types: list[Parts]
    occupancy: FloatArray  # Busy over staffed seconds by draw, NaN where nobody was staffed
    outside: float | None  # Share of the first draw's work that lies outside its blocks
    staffed: IntArray  # Agents on queue, by day of the span


class Span:
    """Days on which replays are held against the record."""

    def __init__(self, arrays: Arrays, scenario: Scenario, days: Days) -> None:
        part = arrays.days(*days)
        self.history: History = part.history()
        # History is read and cut once; every candidate of the search replays the same.
        self.arrays = part.holding(self.history)
        self.scenario, self.days = scenario, days
        # As recorded, to be called by: a rule may count priorities otherwise and give kinds queues of their own.
        self.call_types = arrays.centre.call_types
        if np.isnan(self.history.wait_s).all():
            raise MissingInput(
                f"interactions: {self.history.n:,} arrived from {days[0]} to {days[1]} and no wait_s of them is "
                "recorded, so there is nothing to hold a replay against; give wait_s and outcome, or choose other days"
            )
        zone = arrays.centre.time_zone
        local = pl.Series(self.history.arrived_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone).dt
        slot = (2 * local.hour().cast(pl.Int64) + local.minute().cast(pl.Int64) // 30).to_numpy()
        # Half hours of the local day with any arrival: empty ones have nothing to be compared.
        code, self.cell = np.unique(local_days(self.history.arrived_us, zone) * SLOTS + slot, return_inverse=True)
        self.slot_of_cell: IntArray = code % SLOTS
        self.day_numbers, self.day_of_cell = np.unique(code // SLOTS, return_inverse=True)

    def under(self, rule: InForce) -> Span:
        """The same days under a rule; what was recorded stays."""
        arrays = rule.applied(self.arrays)
        # Desks are rings, which standard routing does not read.
        method = today_of(self.scenario, arrays).method if rule.desks else self.scenario.method
        span = Span(arrays, replace(self.scenario, method=method), self.days)
        span.call_types = self.call_types
        return span

    @property
    def dates(self) -> list[date]:
        """Local days on which something arrived."""
        return [EPOCH + timedelta(days=day) for day in self.day_numbers.tolist()]

    @property
    def n_types(self) -> int:
        """Call types of the centre."""
        return int(self.arrays.centre.call_types.height)

    @property
    def queue(self) -> IntArray:
        """Queue of each interaction."""
        return self.arrays.centre.queue[self.arrays.centre.requirement][self.history.call_type]

    @cached_property
    def past(self) -> Parts:
        """What was recorded, by half hour."""
        study = self.study(self.scenario.assumptions)
        return self._cells(study, study.past.served)

    @cached_property
    def past_types(self) -> Parts:
        """What was recorded, by call type."""
        study = self.study(self.scenario.assumptions)
        return sums_by(study.past.served, study.goal(self.arrays.centre), self.history.call_type, self.n_types)

    def study(self, assumptions: Assumptions) -> Study:
        """The same days under other assumptions."""
        return Study(self.arrays, replace(self.scenario, assumptions=assumptions))

    def losses(self, assumptions: Assumptions, draws: range) -> tuple[list[float], Distances]:
        """Loss of each draw, and the distances of the first."""
        study = self.study(assumptions)
        served = (play(study.scenario, study.recorded, number).served for number in draws)
        each = [distances(self._cells(study, one), self.past, self.day_of_cell) for one in served]
        return [loss(one) for one in each], each[0]

    def replays(self, assumptions: Assumptions, draws: int, progress: Progress | None, label: str) -> Replays:
        """All that is shown of one set of assumptions."""
        study = self.study(assumptions)
        cells, types, occupied, outside = [], [], [], None
        for number in range(draws):
            if progress is not None:
                progress(label, number, draws)
            played = play(study.scenario, study.recorded, number)
            served = played.served
            cells.append(self._cells(study, served))
            types.append(sums_by(served, study.goal(self.arrays.centre), self.history.call_type, self.n_types))
            time = occupancy(time_of(played, study.calendar))
            occupied.append(np.nan if time.whole is None else time.whole)
            # Of one draw, as it shows what inferred blocks are like, and that hardly changes from draw to draw.
            outside = time.outside if number == 0 else outside
        return Replays(cells, types, np.array(occupied), outside, self._staffed(study))

    def recorded_occupancy(self, assumptions: Assumptions) -> float | None:
        """Busy over staffed seconds of the record, under assumptions on what it does not say."""
        study = self.study(assumptions)
        return occupancy(study.past.time).whole

    def _cells(self, study: Study, served: Served) -> Parts:
        return sums_by(served, study.goal(self.arrays.centre), self.cell, self.slot_of_cell.size)

    def _staffed(self, study: Study) -> IntArray:
        n, pieces = self.arrays.centre.n_agents, study.past.time.counted
        pairs = np.unique(study.calendar.place(pieces.start_us) * n + pieces.agent)
        return np.bincount(pairs // n, minlength=self.day_numbers.size)
