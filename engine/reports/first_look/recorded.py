"""What is recorded, by queue, by day and by half hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.calendar import Calendar
from engine.data.centre import Blocks, Centre
from engine.data.history import History
from engine.data.served import STATUS, Served, recorded
from engine.data.wall_time import edges, local_minutes, midnights, zone_of
from engine.errors import MissingInput
from engine.measures.service_level import Goal, by_group
from engine.measures.timeline import staffed_between_s
from engine.reports.columns import Study
from engine.reports.first_look.result import DaysFigures, Figures, HalfHourFigures, QueueFigures
from engine.results import or_null
from engine.stopping import check
from engine.typing import FloatArray, IntArray

HALF_HOUR_MIN, A_DAY = 30, 48
HALF_HOUR_S, HALF_HOUR_US = 1800.0, 1_800_000_000
_FIRST = date(1970, 1, 1)


@dataclass(frozen=True)
class Seen:
    """A data set as a first look reads it.

    Parameters
    ----------
    study : Study
        The data set, with all its settings as they are by default.
    """

    study: Study

    @property
    def history(self) -> History:
        """Everything recorded."""
        return self.study.recorded.history

    @property
    def centre(self) -> Centre:
        """Agents and queues."""
        return self.study.arrays.centre

    @property
    def calendar(self) -> Calendar:
        """Days on which anything arrived."""
        return self.study.calendar

    @cached_property
    def served(self) -> Served:
        """What was recorded; unlike a replay it needs no staffing."""
        queue = self.study.recorded.queue_of_type[self.history.call_type]
        return recorded(self.history, queue, self.study.scenario.assumptions.acw_s)

    @cached_property
    def goal(self) -> Goal:
        """What the service level is."""
        return self.study.goal(self.centre)

    @cached_property
    def day(self) -> IntArray:
        """(n,): place of the day of each interaction."""
        return self.calendar.place(self.history.arrived_us)

    @cached_property
    def half_hour(self) -> IntArray:
        """(n,): half hour of the local day in which each arrived."""
        return half_hour_of(self.history.arrived_us, self.centre.time_zone)

    @cached_property
    def spells(self) -> Blocks | None:
        """When agents were on queue; None where nothing says so."""
        try:
            return self.study.recorded.spells
        except MissingInput:
            return None

    def figures(self, group: IntArray, n_groups: int) -> list[dict[str, Any]]:
        """Fields of `Figures` by group of interactions."""
        check()
        served, found = self.served, by_group(self.served, self.goal, group, n_groups)
        handled = self.history.is_handled()
        sums = np.bincount(group[handled], self.history.handle_s[handled], n_groups)
        n_handled = np.bincount(group[handled], minlength=n_groups)
        mean_s = np.divide(sums, n_handled, out=np.full(n_groups, np.nan), where=n_handled > 0)
        assert served.n == group.size
        columns = {"abandonment": found["abandonment_share"], "handle_s": mean_s}
        columns |= {name: found[name] for name in ("service_level", "asa_s")}
        counts = {name: found[name] for name in ("offered", *STATUS)}
        return [
            {name: int(column[place]) for name, column in counts.items()}
            | {name: or_null(float(column[place])) for name, column in columns.items()}
            for place in range(n_groups)
        ]

    @cached_property
    def whole(self) -> Figures:
        """All interactions."""
        return Figures(**self.figures(np.zeros(self.history.n, np.int64), 1)[0])

    @cached_property
    def by_queue(self) -> list[QueueFigures]:
        """Every queue, the busiest first."""
        centre, served, n = self.centre, self.served, len(self.centre.queue_ids)
        answered = served.answered
        pairs = np.unique(served.queue[answered].astype(np.int64) * centre.n_agents + served.agent[answered])
        answering = np.bincount(pairs // max(centre.n_agents, 1), minlength=n)
        shares = [None] * n if self.goal.share is None else [or_null(share) for share in self.goal.share]
        names = centre.queues["queue_name"].to_list()
        found = [
            QueueFigures(
                **row, queue_id=centre.queue_ids[place], queue_name=names[place],
                goal_s=float(self.goal.within_s[place]), goal_share=shares[place],
                members=int(centre.member[place].sum()), answering=int(answering[place]),
            )
            for place, row in enumerate(self.figures(served.queue, n))
        ]  # fmt: skip
        return sorted(found, key=lambda queue: (-queue.offered, queue.queue_id))

    @cached_property
    def by_day(self) -> list[DaysFigures]:
        """Every day on which anything arrived."""
        return self._by_days(np.arange(self.calendar.n))

    @cached_property
    def by_week(self) -> list[DaysFigures]:
        """The same by week, from Monday."""
        # The first day of 1970 was a Thursday.
        weeks = (self.calendar.days + 3) // 7
        return self._by_days(np.unique(weeks, return_inverse=True)[1])

    def _by_days(self, of_day: IntArray) -> list[DaysFigures]:
        """By group of days, which lie in the order of the calendar."""
        days, n = self.calendar.days, int(of_day.max(initial=-1)) + 1
        rows = self.figures(of_day[self.day], n) if n else []
        agents, staffed_s = self._staffed(of_day, n)
        found = []
        for place, row in enumerate(rows):
            some = days[of_day == place]
            first, last = (str(_FIRST + timedelta(days=int(day))) for day in some[[0, -1]])
            found.append(
                DaysFigures(
                    **row, first=first, last=last, days=some.size,
                    agents=None if agents is None else int(agents[place]),
                    staffed_h=None if staffed_s is None else float(staffed_s[place]) / 3600,
                )
            )  # fmt: skip
        return found

    def _staffed(self, of_day: IntArray, n: int) -> tuple[IntArray, FloatArray] | tuple[None, None]:
        """Agents with time on queue, and that time, by group of days."""
        if self.spells is None:
            return None, None
        pieces = self.calendar.within(self.spells)
        group = of_day[self.calendar.place(pieces.start_us)] if n else np.empty(0, np.int64)
        pairs = np.unique(group.astype(np.int64) * self.centre.n_agents + pieces.agent)
        agents = np.bincount(pairs // max(self.centre.n_agents, 1), minlength=n)
        return agents, np.bincount(group, (pieces.end_us - pieces.start_us) / 1e6, n).astype(float)

    @cached_property
    def by_half_hour(self) -> list[HalfHourFigures]:
        """From the first half hour of the day in which anything arrived or anybody was on queue to the last."""
        n_days = self.calendar.n
        on_queue = self._on_queue()
        rows = self.figures(self.half_hour, A_DAY)
        some = np.array([row["offered"] for row in rows]) > 0
        if on_queue is not None:
            # Overrun of a minute after closing time is no half hour of its own.
            some |= on_queue >= 0.05
        if not some.any():
            return []
        first, last = np.flatnonzero(some)[[0, -1]].tolist()
        return [
            HalfHourFigures(
                **rows[place], start=clock(place), offered_a_day=rows[place]["offered"] / n_days,
                on_queue=None if on_queue is None else float(on_queue[place]),
            )
            for place in range(first, last + 1)
        ]  # fmt: skip

    def _on_queue(self) -> FloatArray | None:
        """Agents on queue by half hour of the day, on average over days on which anything arrived."""
        calendar, zone = self.calendar, self.centre.time_zone
        if self.spells is None or not calendar.n:
            return None
        ends = midnights(np.array([calendar.days[0], calendar.days[-1] + 1]), zone)
        edges_us = edges(ends - np.array([0, 1]), HALF_HOUR_US, zone_of(zone))
        staffed_s = staffed_between_s(calendar.within(self.spells), edges_us)
        half_hour = half_hour_of(edges_us[:-1], zone)
        return np.bincount(half_hour, staffed_s, A_DAY) / (calendar.n * HALF_HOUR_S)


def half_hour_of(at_us: IntArray, time_zone: str) -> IntArray:
    """Half hour of the local day of each instant."""
    return local_minutes(at_us, time_zone) // HALF_HOUR_MIN


def clock(half_hour: int) -> str:
    """When a half hour of the day begins.

    Examples
    --------
    >>> clock(17)
    '08:30'
    """
    return f"{half_hour // 2:02}:{half_hour % 2 * HALF_HOUR_MIN:02}"
