"""The priority in force: which head start in waiting explains whom freed agents took from the queue.

A centre may credit customers of a higher priority with seconds of waiting. Its log shows what was in force: among the
exits from a queue to an agent while customers of several priorities were waiting, each candidate is scored by the
share in which the chosen customer had the largest wait plus credit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from engine.calibration.evidence import Credit, CreditShares
from engine.data.centre import Centre
from engine.data.history import History
from engine.data.tables import MEDIA
from engine.errors import InvalidScenario
from engine.measures.spread import FEWEST_DAYS
from engine.typing import BoolArray, FloatArray, IntArray

CANDIDATES_S = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}
# Days are what the interval draws again, so it needs a few of them, and of exits enough for a share.
FEWEST_EXITS = 100
RESAMPLES = 2000
MOST_NAMED = 5
# Both ends of a wait may be recorded in whole seconds, so steps of one rule may seem to differ by so much.
ROUNDED_S = 2.0
# 31 years: longer head starts order no differently, and microseconds still fit.
_LONGEST_S = 1e9
_FLOATS = ("credit_s", "point_s", "agreement", "lead", "lead_low", "lead_high")


@dataclass(frozen=True)
class Agreement:
    """How often each candidate agrees with the exits of a stretch of time."""

    since: date | None  # First day, local; None where nothing was compared
    n_exits: int
    n_days: int
    agreed: IntArray  # By candidate: exits in which nobody waiting had a larger wait plus credit than the chosen one
    # By candidate: 95 % interval of the best share less its own, from days drawn again; all 0 below two days
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
        return _step(np.array(self.priorities))

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
    history: History, centre: Centre, candidates_s: Sequence[float] = CANDIDATES_S, *, by: str = "month", seed: int = 0
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
    seed : int
        Of the days drawn for the intervals.

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
    waits, counts = _waits(history, centre)
    priority = centre.call_types["priority"].to_numpy()[waits.call_type]
    found, level = np.unique(priority, return_inverse=True)
    whole = _fit(waits, centre, grid_s, found, (by, seed), counts)
    if found.size < 3:
        return whole
    steps = []
    for low in range(found.size - 1):
        pair = waits.rows((level == low) | (level == low + 1))
        # Of two priorities alone, as rules need not be proportional; what others did to them is left out.
        exits = {"answered after waiting": int((pair.agent >= 0).sum())}
        steps.append(_fit(pair, centre, grid_s, found[low : low + 2], (by, seed), exits))
    return replace(whole, steps=tuple(steps))


def _checked(candidates_s: Sequence[float], by: str) -> FloatArray:
    grid_s = np.unique(np.asarray(candidates_s, float))
    if grid_s.size < 2 or not np.isfinite(grid_s).all() or grid_s[0] < 0:
        raise InvalidScenario(
            f"candidates: {list(candidates_s)!r} must be two or more different numbers of seconds, 0 or more, "
            "like 0, 30, 60, 90"
        )
    if by not in PERIODS:
        raise InvalidScenario(f"by: {by!r} is no period; give one of {', '.join(PERIODS)}")
    return grid_s


@dataclass(frozen=True)
class _Waits:
    """Calls that waited, in order of arrival; agent -1 where the call left otherwise; local day of leaving."""

    arrived_us: IntArray
    left_us: IntArray
    call_type: IntArray
    media: IntArray
    agent: IntArray
    day: IntArray

    def rows(self, chosen: BoolArray) -> _Waits:
        return _Waits(*(getattr(self, f.name)[chosen] for f in fields(self)))


def _waits(history: History, centre: Centre) -> tuple[_Waits, dict[str, int]]:
    """Everybody whose wait is known and above 0, and the outcomes of the answered."""
    answered = history.outcome_is("answered")
    alert_s = np.where(answered, np.nan_to_num(history.alert_s), 0.0)
    # Alerting follows the choice, so it is no part of the wait that was compared.
    wait_us = np.rint(1e6 * np.maximum(np.nan_to_num(history.wait_s) - alert_s, 0.0)).astype(np.int64)
    waited, unknown = wait_us > 0, np.isnan(history.wait_s)
    left_us = history.arrived_us + wait_us
    day = pl.Series(left_us).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(centre.time_zone).dt.date()
    agent = np.where(answered, history.agent, -1)
    whole = _Waits(history.arrived_us, left_us, history.call_type, history.media, agent, day.to_physical().to_numpy())
    counts = {
        "answered": int(answered.sum()),
        "wait not recorded": int((answered & unknown).sum()),
        "answered without waiting": int((answered & ~waited & ~unknown).sum()),
        "by nobody who is in agents": int((answered & waited & (agent < 0)).sum()),
    }
    if lost := int((~answered & unknown).sum()):
        counts["not answered, wait not recorded; not seen waiting"] = lost
    return whole.rows(waited), counts


def _fit(
    waits: _Waits,
    centre: Centre,
    grid_s: FloatArray,
    priorities: FloatArray,
    drawn: tuple[str, int],
    counts: dict[str, int],
) -> CreditFit:
    """The fit of calls whose priorities are all among those given."""
    by, seed = drawn
    day, agreed = _compared(waits, centre, grid_s, priorities)
    alone = int((waits.agent >= 0).sum()) - day.size
    counts = counts | {"nobody of another priority was waiting": alone, "compared": day.size}
    days, first, n = np.unique(day, return_index=True, return_counts=True)
    # Exits come in order of time, so those of a day lie end to end.
    by_day = np.add.reduceat(agreed, first, axis=0, dtype=np.int64) if day.size else np.zeros((0, grid_s.size), int)
    dates = pl.Series(days, dtype=pl.Int32).cast(pl.Date)
    start = dates.dt.truncate(PERIODS[by])
    periods = []
    for begin in start.unique().sort():
        inside = (start == begin).to_numpy()
        periods.append(_agreement(begin, n[inside], by_day[inside], seed))
    whole = _agreement(dates[0] if day.size else None, n, by_day, seed)
    return CreditFit(grid_s, tuple(priorities.tolist()), whole, tuple(periods), counts, by)


def _compared(waits: _Waits, centre: Centre, grid_s: FloatArray, priorities: FloatArray) -> tuple[IntArray, BoolArray]:
    """Days of the exits that can be compared, in order of time, and which candidates each agrees with."""
    from engine.kernels import credit as kernel

    n, n_media = waits.arrived_us.size, len(MEDIA)
    place, kind = np.unique(waits.call_type.astype(np.int64) * n_media + waits.media, return_inverse=True)
    call_type, media = place // n_media, place % n_media
    requirement = centre.requirement[call_type]
    line = centre.queue[requirement].astype(np.int64) * n_media + media
    # Kinds that wait in the same line come one after another.
    order = np.argsort(line, kind="stable")
    kind, line = np.argsort(order)[kind], line[order]
    # Levels, not points, so that the sweep indexes small arrays.
    level = np.searchsorted(priorities, centre.call_types["priority"].to_numpy()[call_type[order]])
    by_left = np.argsort(waits.left_us, kind="stable")
    calls = kernel.Calls(waits.arrived_us, waits.left_us, kind, waits.agent.astype(np.int64), by_left)
    kinds = kernel.Kinds(
        np.searchsorted(line, line), np.searchsorted(line, line, "right"), level, _able(centre)[requirement[order]]
    )
    lists = kernel.Lists(*(np.full(size, -1, np.int64) for size in (line.size, line.size, n, n)))
    compared, agreed = np.zeros(n, bool), np.zeros((n, grid_s.size), bool)
    lead_s = np.outer(grid_s, (priorities - priorities.min(initial=np.inf)) / _step(priorities))
    lead_us = np.rint(1e6 * np.minimum(lead_s, _LONGEST_S)).astype(np.int64)
    kernel.sweep(calls, kinds, lists, lead_us, np.zeros(priorities.size, np.int64), compared, agreed)
    chosen = by_left[compared[by_left]]
    return waits.day[chosen], agreed[chosen]


def _able(centre: Centre) -> BoolArray:
    """Who can take what: members with all required skills and the language, (n_requirements, n_agents)."""
    can: BoolArray = centre.member[centre.queue]
    for r in range(centre.n_requirements):
        needed = centre.skill[centre.skill_start[r] : centre.skill_start[r + 1]]
        can[r] &= ~np.isnan(centre.proficiency[:, needed]).any(axis=1)
        if centre.language[r] >= 0:
            can[r] &= ~np.isnan(centre.language_level[:, centre.language[r]])
    return can


def _step(priorities: FloatArray) -> float:
    return float(np.diff(priorities).min(initial=np.inf)) if priorities.size > 1 else 1.0


def _agreement(since: date | None, n: IntArray, agreed: IntArray, seed: int) -> Agreement:
    """Shares and their distances, from the exits of each day and how many agreed."""
    total, n_candidates = agreed.sum(axis=0), agreed.shape[1]
    if n.size < 2:
        return Agreement(since, int(n.sum()), n.size, total, np.zeros(n_candidates), np.zeros(n_candidates))
    rng = np.random.default_rng(seed)
    # Days weigh as often as they are drawn; floats, since only those multiply fast.
    drawn = rng.multinomial(n.size, np.full(n.size, 1 / n.size), size=RESAMPLES).astype(float)
    share = (drawn @ agreed) / (drawn @ n)[:, None]
    best = int(np.argmax(total))
    # Of the lead, not of each share: days on which all candidates agree well move them together.
    low, high = np.quantile(share[:, [best]] - share, [0.025, 0.975], axis=0)
    return Agreement(since, int(n.sum()), n.size, total, low, high, _peaks(share, best))


def _peaks(share: FloatArray, best: int) -> tuple[int, ...]:
    """Candidates clearly above their neighbours, the best left out; (n_resamples, n_candidates) shares."""
    rises = np.quantile(np.diff(share, axis=1), 0.025, axis=0) > 0
    falls = np.quantile(np.diff(share, axis=1), 0.975, axis=0) < 0
    # The ends of the grid count as peaks where the shares fall away from them.
    tops = np.concatenate([[True], rises]) & np.concatenate([falls, [True]])
    tops[best] = False
    return tuple(np.flatnonzero(tops).tolist())


def _shares(fit: CreditFit, found: Agreement) -> CreditShares:
    share, drawn = found.share, found.n_days > 1
    return CreditShares(
        since=None if found.since is None else found.since.isoformat(),
        n_exits=found.n_exits,
        n_days=found.n_days,
        agreement=None if share is None else share.tolist(),
        best_s=None if share is None else float(fit.candidates_s[found.best]),
        stands_out=found.stands_out,
        lead_low=found.low.tolist() if drawn else None,
        lead_high=found.high.tolist() if drawn else None,
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
