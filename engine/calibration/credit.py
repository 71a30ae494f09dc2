"""The priority in force: which head start in waiting explains whom freed agents took from the queue.

A centre may credit customers of a higher priority with seconds of waiting. Its log shows what was in force: among the
exits from a queue to an agent while customers of several priorities were waiting, each candidate is scored by the
share in which the chosen customer had the largest wait plus credit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from engine.calibration.evidence import Credit, CreditShares
from engine.calibration.exits import Waits, compared, proportional, step_of, waits_of
from engine.data.centre import Centre
from engine.data.history import History
from engine.errors import InvalidScenario
from engine.measures.spread import FEWEST_DAYS, Ends, Spread, difference
from engine.setting import shown
from engine.typing import BoolArray, FloatArray, IntArray

CANDIDATES_S = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}
# Days are what the interval learns from, so it needs a few of them, and of exits enough for a share.
FEWEST_EXITS = 100
MOST_NAMED = 5
# Both ends of a wait may be recorded in whole seconds, so steps of one rule may seem to differ by so much.
ROUNDED_S = 2.0
_FLOATS = ("credit_s", "point_s", "agreement", "lead", "lead_low", "lead_high")


@dataclass(frozen=True)
class Agreement:
    """How often each candidate agrees with the exits of a stretch of time."""

    since: date | None  # First day, local; None where nothing was compared
    n_exits: int
    n_days: int
    agreed: IntArray  # By candidate: exits in which nobody waiting had a larger wait plus credit than the chosen one
    # By candidate: 95 % interval of the best share less its own, from how days differ; all 0 on fewer than seven days
    low: FloatArray
    high: FloatArray
    peaks: tuple[int, ...] = ()  # Other candidates whose share is clearly above those of their neighbours

    @property
    def share(self) -> FloatArray | None:
        """Share of the exits, None where nothing could be compared."""
        return self.agreed / self.n_exits if self.n_exits else None

    @property
    def best(self) -> int:
        """Place of the candidate with the largest share."""
        return int(np.argmax(self.agreed))

    @property
    def runner_up(self) -> int:
        """Place of the candidate that comes next."""
        # Stable, so of equal shares the shorter head start comes first.
        order = np.argsort(-self.agreed, kind="stable")
        return int(order[1])

    @property
    def rivals(self) -> IntArray:
        """Places of the candidates that are not clearly behind the best."""
        level: BoolArray = self.low <= 0
        level[self.best] = False
        return np.flatnonzero(level)

    @property
    def is_enough(self) -> bool:
        """Whether enough was compared to judge."""
        return self.n_exits >= FEWEST_EXITS and self.n_days >= FEWEST_DAYS

    @property
    def stands_out(self) -> bool:
        """Whether one candidate is clearly ahead of all, and is not the largest: beyond it nothing was tried."""
        return self.is_enough and self.rivals.size == 0 and self.best < self.agreed.size - 1


@dataclass(frozen=True)
class CreditFit:
    """Which credit a log speaks for.

    Parameters
    ----------
    candidates_s : (n_candidates,) array of float
        Head starts of one step of priority, rising. [s]
    priorities : tuple of float
        Priorities that occur, rising; a step is the smallest difference between two. [points]
    whole : Agreement
        Over all exits.
    periods : tuple of Agreement
        By day, week or month.
    counts : dict
        Outcomes of the answered interactions; the parts add up to `answered`. Interactions that were not answered
        and whose wait is not recorded are nobody's competitors, and counted where there are any.
    by : {"day", "week", "month"}
        What a period is.
    steps : tuple of CreditFit
        With three priorities or more: the same for each two neighbours, as if there were no others.
    """

    candidates_s: FloatArray
    priorities: tuple[float, ...]
    whole: Agreement
    periods: tuple[Agreement, ...]
    counts: dict[str, int]
    by: str = "month"
    steps: tuple[CreditFit, ...] = ()

    @property
    def step_points(self) -> float:
        """Smallest difference between two priorities, 1 where there is only one. [points]"""
        return step_of(np.array(self.priorities))

    @property
    def best_s(self) -> float | None:
        """Head start of one step that stands out, None where none does. [s]"""
        return float(self.candidates_s[self.whole.best]) if self.whole.stands_out else None

    @property
    def point_s(self) -> float | None:
        """Head start of one point of priority that stands out, None where none does. [s]"""
        return None if self.best_s is None else self.best_s / self.step_points

    @property
    def verdict(self) -> str:
        """What a planner should take from it, in words."""
        return ". ".join([_judged(self), *_reservations(self)])

    def to_frame(self) -> pl.DataFrame:
        """Shares by candidate, over all (since is null) and by period in which anything could be compared.

        Columns since, exits, days, credit_s (of a step), point_s, agreement (share), and the lead of the best share
        with its interval.
        """
        schema = {"since": pl.Date, "exits": pl.Int64, "days": pl.Int64} | dict.fromkeys(_FLOATS, pl.Float64)
        rows: list[Any] = []
        for since, found in [(None, self.whole), *((period.since, period) for period in self.periods)]:
            if found.share is not None:
                lead = found.share.max() - found.share
                columns = (self.candidates_s, self.candidates_s / self.step_points, found.share, lead)
                rows += [
                    (since, found.n_exits, found.n_days, *map(float, row))
                    for row in zip(*columns, found.low, found.high, strict=True)
                ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def shown(self) -> Credit:
        """As a calibration shows it: null where nothing is known."""
        return Credit(
            verdict=self.verdict,
            best_s=self.best_s,
            point_s=self.point_s,
            priorities=list(self.priorities),
            candidates_s=self.candidates_s.tolist(),
            by=self.by,
            counts=self.counts,
            whole=_shares(self, self.whole),
            periods=[_shares(self, period) for period in self.periods],
            steps=[step.shown() for step in self.steps],
        )


def credit(
    history: History, centre: Centre, candidates_s: Sequence[float] = CANDIDATES_S, *, by: str = "month"
) -> CreditFit:
    """Score possible credits of priority by whom freed agents took.

    Parameters
    ----------
    history : History
        What is recorded.
    centre : Centre
        Tells whom of those waiting an agent could have taken.
    candidates_s : sequence of float
        Head starts of one step of priority, at least two of them. With two priorities a step is what lies between
        them, with more it is the smallest difference, and larger ones count in proportion. [s]
    by : {"day", "week", "month"}
        Periods that are also looked at one by one, as a rule may change.

    Returns
    -------
    CreditFit
        Shares, intervals and a verdict.

    Raises
    ------
    InvalidScenario
        If the candidates or the period cannot be used.

    Notes
    -----
    An exit is compared if customers of two priorities or more were waiting in its queue, in its media, whom the agent
    could take: a member with all required skills and the language. Waiting is who came before the instant of the exit
    and left after it. Those who left at the same instant are not compared with each other, since which choice came
    first is not known; alerting follows the choice and is taken off the wait.
    """
    grid_s = _checked(candidates_s, by)
    waits, counts = waits_of(history, centre)
    priority = centre.call_types["priority"].to_numpy()[waits.call_type]
    found, level = np.unique(priority, return_inverse=True)
    whole = _fit(waits, centre, grid_s, found, by, counts)
    if found.size < 3:
        return whole
    steps = []
    for low in range(found.size - 1):
        pair = waits.rows((level == low) | (level == low + 1))
        # Of two priorities alone, as rules need not be proportional; what others did to them is left out.
        exits = {"answered after waiting": int((pair.agent >= 0).sum())}
        steps.append(_fit(pair, centre, grid_s, found[low : low + 2], by, exits))
    return replace(whole, steps=tuple(steps))


def _checked(candidates_s: Sequence[float], by: str) -> FloatArray:
    grid_s = np.unique(np.asarray(candidates_s, float))
    if grid_s.size < 2 or not np.isfinite(grid_s).all() or grid_s[0] < 0:
        raise InvalidScenario(
            f"candidates: {shown(list(candidates_s))} must be two or more different numbers of seconds, 0 or more, "
            "like 0, 30, 60, 90"
        )
    if by not in PERIODS:
        raise InvalidScenario(f"by: {shown(by)} is no period; give one of {', '.join(PERIODS)}")
    return grid_s


def _fit(
    waits: Waits,
    centre: Centre,
    grid_s: FloatArray,
    priorities: FloatArray,
    by: str,
    counts: dict[str, int],
) -> CreditFit:
    """The fit of calls whose priorities are all among those given."""
    day, agreed = compared(waits, centre, proportional(grid_s, priorities), priorities)
    alone = int((waits.agent >= 0).sum()) - day.size
    counts = counts | {"nobody of another priority was waiting": alone, "compared": day.size}
    return CreditFit(grid_s, tuple(priorities.tolist()), *agreements(day, agreed, by), counts, by)


def agreements(day: IntArray, agreed: BoolArray, by: str = "month") -> tuple[Agreement, tuple[Agreement, ...]]:
    """Over all exits, and by period, from the day of each exit and which candidates agree with it."""
    days, first, n = np.unique(day, return_index=True, return_counts=True)
    # Exits come in order of time, so those of a day lie end to end.
    by_day = np.add.reduceat(agreed, first, axis=0, dtype=np.int64) if day.size else np.zeros((0, agreed.shape[1]), int)
    dates = pl.Series(days, dtype=pl.Int32).cast(pl.Date)
    start = dates.dt.truncate(PERIODS[by])
    inside = [(begin, (start == begin).to_numpy()) for begin in start.unique().sort()]
    whole = _agreement(dates[0] if day.size else None, n, by_day)
    return whole, tuple(_agreement(begin, n[rows], by_day[rows]) for begin, rows in inside)


def _agreement(since: date | None, n: IntArray, agreed: IntArray) -> Agreement:
    """Shares and their distances, from the exits of each day and how many agreed."""
    total, n_candidates = agreed.sum(axis=0), agreed.shape[1]
    found = Agreement(since, int(n.sum()), n.size, total, np.zeros(n_candidates), np.zeros(n_candidates))
    if n.size < FEWEST_DAYS:
        return found
    # Of the lead, not of each share: days on which all candidates agree well move them together.
    ends = np.array([_ahead(n, agreed, found.best, candidate) for candidate in range(n_candidates)])
    return replace(found, low=ends[:, 0], high=ends[:, 1], peaks=_peaks(n, agreed, found.best))


def _ahead(n: IntArray, agreed: IntArray, one: int, other: int) -> Ends:
    """95 % interval of how far the share of one candidate is ahead of another's."""
    lead = float((agreed[:, one] - agreed[:, other]).sum() / n.sum())
    ours, theirs = (Spread.of_ratio(agreed[:, place].astype(float), n.astype(float)) for place in (one, other))
    return difference(lead, ours.less(theirs))


def _peaks(n: IntArray, agreed: IntArray, best: int) -> tuple[int, ...]:
    """Candidates clearly above their neighbours, the best left out."""
    steps = [_ahead(n, agreed, place + 1, place) for place in range(agreed.shape[1] - 1)]
    # The ends of the grid count as peaks where the shares fall away from them.
    tops = np.array([True, *(low > 0 for low, _ in steps)]) & np.array([*(high < 0 for _, high in steps), True])
    tops[best] = False
    return tuple(np.flatnonzero(tops).tolist())


def _shares(fit: CreditFit, found: Agreement) -> CreditShares:
    share, is_told = found.share, found.n_days >= FEWEST_DAYS
    return CreditShares(
        since=None if found.since is None else found.since.isoformat(),
        n_exits=found.n_exits,
        n_days=found.n_days,
        agreement=None if share is None else share.tolist(),
        best_s=None if share is None else float(fit.candidates_s[found.best]),
        stands_out=found.stands_out,
        lead_low=found.low.tolist() if is_told else None,
        lead_high=found.high.tolist() if is_told else None,
        other_peaks_s=fit.candidates_s[list(found.peaks)].tolist(),
    )


def _judged(fit: CreditFit) -> str:
    """Whether one candidate stands out, and why not."""
    found, grid_s = fit.whole, fit.candidates_s
    if len(fit.priorities) < 2:
        return "not determined: all who waited have the same priority"
    if not found.is_enough:
        return (
            f"not determined: {found.n_exits:,} exits on {found.n_days} days could be compared; "
            f"it takes {FEWEST_EXITS} on {FEWEST_DAYS} days"
        )
    share, best, second = found.agreed / found.n_exits, found.best, found.runner_up
    agrees = f"{100 * share[best]:.1f} % of {found.n_exits:,} exits agree"
    if found.rivals.size:
        others = _listed(grid_s, found.rivals)
        return f"not determined: {agrees} with {grid_s[best]:g} s, not clearly more than with {others}"
    if not found.stands_out:
        return f"not determined: {agrees} with {grid_s[best]:g} s, the largest candidate; try larger ones"
    each = "" if len(fit.priorities) == 2 else f" for every {fit.step_points:g} points of priority"
    lead, low, high = (100 * x for x in (share[best] - share[second], found.low[second], found.high[second]))
    return (
        f"{grid_s[best]:g} s{each} stands out: {agrees}, {lead:.1f} percentage points more than with "
        f"{grid_s[second]:g} s (95 % interval {low:.1f} to {high:.1f})"
    )


def _reservations(fit: CreditFit) -> Iterator[str]:
    """What speaks against one credit for everybody at all times."""
    found, grid_s = fit.whole, fit.candidates_s
    if len(fit.priorities) < 2 or not found.is_enough:
        return
    if found.peaks:
        yield (
            f"A second peak at {_listed(grid_s, found.peaks)}: some customers have another credit than their priority "
            "says, or the rule has changed"
        )
    for period in fit.periods:
        if period.is_enough and period.rivals.size == 0 and period.best != found.best:
            yield f"In the {fit.by} from {period.since}, {grid_s[period.best]:g} s is clearly ahead of all others"
    for step in fit.steps:
        low, high = step.priorities
        expected_s = grid_s[found.best] * (high - low) / fit.step_points
        if step.best_s is not None and abs(step.best_s - expected_s) > ROUNDED_S:
            yield f"Between priorities {low:g} and {high:g} alone, {step.best_s:g} s stands out, not {expected_s:g} s"


def _listed(grid_s: FloatArray, places: Sequence[int] | IntArray) -> str:
    named = [f"{grid_s[place]:g} s" for place in places[:MOST_NAMED]]
    more = len(places) - len(named)
    return ", ".join(named) + (f" and {more} others" if more else "")
