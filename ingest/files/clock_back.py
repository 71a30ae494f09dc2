"""Local times that a clock shows twice when it goes back, told apart by what the rows of a table say of each other.

Each such time is one of two instants. Rows in order of time, the start and end of a row, and spells of one agent
that cannot overlap are chains of instants that never fall: along a chain the earliest that each may be is carried
forward and the latest backward, and an instant that leaves only one of the two is known. Calls of one agent that
would overlap tell too, in whatever order they stand. What nothing decides is read as the earlier, counted and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from engine.data.wall_time import read_as_earlier
from engine.typing import BoolArray, IntArray
from ingest.files.problems import Findings

TOLD_APART = "local times that occur twice (end of summer time), told apart by the order of rows and spells"
AMBIGUOUS = "local times that occur twice (end of summer time), read as the earlier"
# Rows so close to a change of the clock show whether the file is in order there.
NEAR_US = 12 * 3_600_000_000
# By which column rows follow each other, where the table has one; the second ends what the first begins.
ORDERED = {"interactions": "arrived_at", "surveys": "completed_at", "staffing": "start_at", "busy": "start_at"}
# Files are often in order of time within these only.
GROUPS = ("queue_id", "agent_id")
MOST_CHANGES = 400
MOST_BY_CHANCE = 8
ROUNDING_US = 1_000_000
_NEVER_US = np.int64(2**62)


@dataclass
class Bounds:
    """Earliest and latest instant that each cell may be; equal where it is known. [us]"""

    low: IntArray
    high: IntArray

    @property
    def is_open(self) -> BoolArray:
        """Cells of which both instants are possible."""
        return self.low < self.high


@dataclass(frozen=True, eq=False)
class Chain:
    """Cells whose instants never fall from one to the next by more than `slack_us`."""

    cell: IntArray
    gap_us: IntArray  # Least time from each to the next
    slack_us: int = 0

    def tighten(self, bounds: Bounds) -> bool:
        """Narrow the bounds of its cells; False, and nothing changed, where no choice of instants fits."""
        before = bounds.low[self.cell], bounds.high[self.cell]
        fits = self._forward(bounds) and self._backward(bounds)
        if not fits:
            bounds.low[self.cell], bounds.high[self.cell] = before
        return fits

    def _forward(self, bounds: Bounds) -> bool:
        least = -_NEVER_US
        for cell, gap in zip(self.cell.tolist(), self.gap_us.tolist(), strict=True):
            if bounds.low[cell] < least - self.slack_us:
                if bounds.high[cell] < least - self.slack_us:
                    return False
                bounds.low[cell] = bounds.high[cell]
            least = max(least, bounds.low[cell] + gap)
        return True

    def _backward(self, bounds: Bounds) -> bool:
        most = _NEVER_US
        for cell, gap in zip(self.cell[::-1].tolist(), self.gap_us[::-1].tolist(), strict=True):
            if bounds.high[cell] + gap > most + self.slack_us:
                if bounds.low[cell] + gap > most + self.slack_us:
                    return False
                bounds.high[cell] = bounds.low[cell]
            most = min(most, bounds.high[cell])
        return True


def settled(
    table: str, rows: pl.DataFrame, twice: Mapping[str, IntArray], zone: str, findings: Findings
) -> tuple[pl.DataFrame, list[str]]:
    """Rows with each time that occurs twice at the instant that the rows tell, and what was not told, in words.

    `twice` has the places of such times by column; in the rows they are the earlier of the two.
    """
    names = [name for name, places in twice.items() if places.size]
    if not names:
        return rows, []
    both = _Both(table, rows, {name: twice[name] for name in names}, zone)
    disorder = [change for change in both.changes() if not both.tell_apart(change)]
    findings.repaired(TOLD_APART, both.n_twice - both.n_open)
    findings.repaired(AMBIGUOUS, both.n_open)
    return rows.with_columns(both.settled()), both.sentences(disorder)


class _Both:
    """Cells of all columns of times, one after another, with both instants of those that occur twice."""

    def __init__(self, table: str, rows: pl.DataFrame, twice: Mapping[str, IntArray], zone: str) -> None:
        self.table, self.rows, self.zone, self.twice = table, rows, zone, twice
        main = ORDERED.get(table)
        times = [main, "end_at"] if main in rows.columns else []
        self.names = list(dict.fromkeys([*(name for name in times if name in rows.columns), *twice]))
        self.main = main if main in rows.columns else None
        self.n = rows.height
        low = np.concatenate([_instants(rows[name]) for name in self.names])
        self.bounds = Bounds(low, low.copy())
        for name, places in twice.items():
            late = rows[name].gather(places).dt.convert_time_zone(zone).dt.replace_time_zone(None)
            late = late.dt.replace_time_zone(zone, ambiguous="latest").dt.convert_time_zone("UTC")
            self.bounds.high[self.names.index(name) * self.n + places] = _instants(late)
        self.cells = np.flatnonzero(self.bounds.is_open)
        self.early_us, self.late_us = self.bounds.low[self.cells], self.bounds.high[self.cells]

    @property
    def n_twice(self) -> int:
        """Times that occur twice."""
        return int(self.cells.size)

    @property
    def n_open(self) -> int:
        """Those of which nothing tells which."""
        return int(np.count_nonzero(self.bounds.is_open))

    def changes(self) -> Iterator[tuple[int, int]]:
        """First and last instant of the times around each change of the clock. [us]"""
        order = np.sort(self.early_us)
        starts = order[np.concatenate([[True], np.diff(order) > NEAR_US])]
        for start in starts[:MOST_CHANGES].tolist():
            near = (self.early_us >= start) & (self.early_us <= start + NEAR_US)
            yield start, int(self.late_us[near].max())

    def tell_apart(self, change: tuple[int, int]) -> bool:
        """Let all chains around a change speak; False where the rows are in no order of time."""
        start, end = change
        near = np.flatnonzero((self.bounds.low >= start - NEAR_US) & (self.bounds.low <= end + NEAR_US))
        rows = near[near < self.n]
        order = self._order(rows)
        for _ in range(2):
            for chain in [*order, *self._spells(rows)]:
                chain.tighten(self.bounds)
            self._by_services(rows)
        return bool(order) or self.main not in self.twice

    def _order(self, rows: IntArray) -> list[Chain]:
        """Rows in the order of the file, as a whole or within groups, whichever way they run."""
        for group in (None, *GROUPS) if self.main else ():
            if group is not None and group not in self.rows.columns:
                continue
            parts = [rows] if group is None else self._parts(rows, group)
            slack = [self._slack([part[::way] for part in parts]) for way in (1, -1)]
            way = 1 if slack[0] <= slack[1] else -1
            # Twice what is seen, since times that occur twice may fall a little more than those around them.
            slack_us = 2 * min(slack)
            found = [_chain(part[::way], slack_us=slack_us) for part in parts]
            if 2 * slack_us < self._step_us and self._is_shown(found, group) and self._fit(found):
                return found
        return []

    def _fit(self, chains: Sequence[Chain]) -> bool:
        """Whether some choice of instants fits all of them; none is made."""
        before = self.bounds.low.copy(), self.bounds.high.copy()
        fits = all(chain.tighten(self.bounds) for chain in chains)
        self.bounds.low, self.bounds.high = before
        return fits

    @property
    def _step_us(self) -> int:
        """By how much the clock goes back, at least."""
        return int((self.late_us - self.early_us).min())

    def _parts(self, rows: IntArray, group: str) -> list[IntArray]:
        names = self.rows[group].gather(rows).fill_null("")
        order = np.argsort(names.rank("dense").to_numpy(), kind="stable")
        sizes = np.flatnonzero(np.diff(names.rank("dense").to_numpy()[order])) + 1
        return list(np.split(rows[order], sizes))

    def _slack(self, parts: Sequence[IntArray]) -> int:
        """By how much known times fall at most below one before them. [us]"""
        falls = [0]
        for part in parts:
            at_us = self.bounds.low[part][~self.bounds.is_open[part]]
            if at_us.size:
                falls.append(int((np.maximum.accumulate(at_us) - at_us).max()))
        return max(falls)

    def _is_shown(self, chains: Sequence[Chain], group: str | None) -> bool:
        """Whether rows show their order: known ones that rise, or one fall by about what the clock goes back."""
        n_rises = n_falls = 0
        for chain in chains:
            at_us, is_open = self.bounds.low[chain.cell], self.bounds.is_open[chain.cell]
            n_rises += int((np.diff(at_us[~is_open]) > 0).sum())
            n_falls += int((np.diff(at_us[is_open]) < -self._step_us // 2).sum())
        # Few rows of a group, or spells that stand agent by agent, may be in order by chance.
        if group or "end_at" in self.names:
            return n_rises >= MOST_BY_CHANCE
        return n_rises > 0 or n_falls == 1

    def _spells(self, starts: IntArray) -> list[Chain]:
        """Start before end in each row; where no known spells of an agent overlap, one spell after another."""
        if "end_at" not in self.names or self.main != "start_at":
            return []
        rows = [_chain(np.array([row, row + self.n]), gap_us=1) for row in starts.tolist()]
        if "agent_id" not in self.rows.columns:
            return rows
        parts = [np.stack([part, part + self.n], axis=1).ravel() for part in self._parts(starts, "agent_id")]
        return rows + ([_chain(part) for part in parts] if self._slack(parts) == 0 else [])

    def _by_services(self, rows: IntArray) -> None:
        """Where known calls of one agent never overlap, a time is not one at which the agent had another call."""
        if self.table != "interactions" or not {"agent_id", "handle_s"} <= set(self.rows.columns):
            return
        wait_us, handle_us = (_seconds(self.rows, name, rows) for name in ("wait_s", "handle_s"))
        served = self.rows["agent_id"].gather(rows).is_not_null().to_numpy() & (handle_us > 0)
        ends_us = dict(
            zip(rows.tolist(), zip(wait_us.tolist(), (wait_us + handle_us).tolist(), strict=True), strict=True)
        )
        calls = [[(row, *ends_us[row]) for row in part.tolist()] for part in self._parts(rows[served], "agent_id")]
        # As several chats do; then an overlap tells nothing.
        if any(self._overlap(of_agent) for of_agent in calls):
            return
        for of_agent in calls:
            for row, *_ in of_agent:
                if self.bounds.low[row] < self.bounds.high[row]:
                    self._place(row, of_agent)

    def _place(self, row: int, calls: Sequence[tuple[int, int, int]]) -> None:
        """Take the one instant of an open call at which it overlaps no other of its agent, if there is just one."""
        either = self.bounds.low[row], self.bounds.high[row]
        fits = []
        for at_us in either:
            self.bounds.low[row] = self.bounds.high[row] = at_us
            fits.append(not self._overlap(calls))
        self.bounds.low[row], self.bounds.high[row] = either
        if fits == [True, False]:
            self.bounds.high[row] = either[0]
        elif fits == [False, True]:
            self.bounds.low[row] = either[1]

    def _overlap(self, calls: Sequence[tuple[int, int, int]]) -> bool:
        """Whether known calls overlap by more than rounding."""
        low, high = self.bounds.low, self.bounds.high
        known = sorted((low[row] + start, low[row] + end) for row, start, end in calls if low[row] == high[row])
        return any(later[0] < before[1] - ROUNDING_US for before, later in pairwise(known))

    def settled(self) -> list[pl.Series]:
        """The columns, open cells at the earlier instant."""
        at_us = self.bounds.low.reshape(len(self.names), self.n)
        return [
            self.rows[name].to_frame().select(
                pl.when(pl.col(name).is_null()).then(None).otherwise(pl.lit(pl.Series(column)))
                .cast(self.rows[name].dtype).alias(name)
            ).to_series()
            for name, column in zip(self.names, at_us, strict=True) if name in self.twice
        ]  # fmt: skip

    def sentences(self, disorder: Sequence[tuple[int, int]]) -> list[str]:
        """What is not told, by day."""
        is_open = self.bounds.is_open[self.cells]
        if not is_open.any():
            return []
        early_us = self.early_us[is_open]
        local = pl.Series(early_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(self.zone)
        days = local.dt.date().unique().sort().to_list()
        shown = ", ".join(map(str, days[:3])) + (f" and {len(days) - 3} more days" if len(days) > 3 else "")
        unordered = any(start <= at <= end for start, end in disorder for at in early_us.tolist())
        why = "the rows are in no order of time" if unordered else "nothing in the rows tells which is meant"
        minutes = self._step_us // 60_000_000
        said = read_as_earlier(self.table, early_us.size, f"{shown}, {self.zone}", why, minutes)
        return [f"{said}; write times with their offset, as in 2024-10-27T02:30:00+01:00"]


def _chain(cells: IntArray, slack_us: int = 0, gap_us: int = 0) -> Chain:
    return Chain(cells, np.full(cells.size, gap_us, np.int64), slack_us)


def _instants(times: pl.Series) -> IntArray:
    """Microseconds since 1970; empty cells as an instant that is near no change of a clock."""
    return times.cast(pl.Int64).fill_null(-_NEVER_US).to_numpy().copy()


def _seconds(rows: pl.DataFrame, name: str, places: IntArray) -> IntArray:
    if name not in rows.columns:
        return np.zeros(places.size, np.int64)
    seconds = rows[name].gather(places).fill_null(0.0).fill_nan(0.0).clip(0.0, 1e7)
    return np.rint(1e6 * seconds.to_numpy()).astype(np.int64)
