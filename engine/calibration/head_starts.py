"""Head start by class: how many seconds of waiting each priority is credited over the one below it.

Classes need not be apart in proportion to their points. Steps between neighbours are searched one after another, the
others held at their best, until none gets better; each step is then looked at by itself, with all that tie with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.calibration.credit import Agreement, CreditFit, agreements
from engine.calibration.evidence import ClassPeriod, HeadStart, HeadStarts, HeadStartTest
from engine.calibration.exits import Waits, compared, waits_of
from engine.calibration.in_force import ClassPoints
from engine.data.centre import Centre
from engine.data.history import History
from engine.typing import BoolArray, FloatArray, IntArray

ROUNDS = 5
# Priorities that are set call by call are no classes, and a log has not exits enough to tell so many apart.
MOST_CLASSES = 8
# Both ends of a wait may be recorded in whole seconds.
ROUNDED_S = 2.0


@dataclass(frozen=True)
class ClassFit:
    """Head starts by class that a log speaks for.

    Parameters
    ----------
    candidates_s : (n_candidates,) array of float
        Steps that were tried. [s]
    priorities : (n_classes,) array of float
        Rising. [points]
    steps_s : (n_classes - 1,) array of float
        Best head start of each class over the one below. [s]
    steps : tuple of Agreement
        By class but the lowest: all candidates, other classes at their best.
    periods : tuple of tuple of Agreement
        The same by month.
    """

    candidates_s: FloatArray
    priorities: FloatArray
    steps_s: FloatArray
    steps: tuple[Agreement, ...]
    periods: tuple[tuple[Agreement, ...], ...]

    @property
    def lead_s(self) -> FloatArray:
        """Head start of each class over the lowest. [s]"""
        return np.concatenate([[0.0], np.cumsum(self.steps_s)])

    @property
    def stands_out(self) -> bool:
        """Whether every step is clearly ahead of all that were tried."""
        return bool(self.steps) and all(step.stands_out for step in self.steps)

    @property
    def point_s(self) -> float | None:
        """Head start of a point where classes are apart in proportion to their points, else None. [s]"""
        points = self.priorities - self.priorities[:1]
        if points.size < 2:
            return None
        point_s = float(self.lead_s[-1] / points[-1])
        return point_s if (np.abs(point_s * points - self.lead_s) <= ROUNDED_S).all() else None

    def lead_of(self, priorities: FloatArray, point_s: float) -> FloatArray:
        """Head starts over the lowest class of any priorities: those between are in proportion, others by the point."""
        low, high = self.priorities[0], self.priorities[-1]
        inside = np.interp(priorities, self.priorities, self.lead_s)
        return inside + point_s * (np.minimum(priorities - low, 0.0) + np.maximum(priorities - high, 0.0))

    def points(self, point_s: float) -> list[ClassPoints]:
        """What each class counts where a point is worth so much; the lowest keeps its points."""
        counted = self.priorities[0] + self.lead_s / point_s
        return [ClassPoints(*pair) for pair in zip(self.priorities.tolist(), counted.tolist(), strict=True)]

    def shown(self, test: HeadStartTest | None) -> HeadStarts:
        """As a calibration shows it."""
        classes = [
            self._shown(place, step, periods)
            for place, (step, periods) in enumerate(zip(self.steps, self.periods, strict=True), 1)
        ]
        last = self.steps[-1] if self.steps else None
        share = None if last is None or last.share is None else float(last.share[last.best])
        n_exits = 0 if last is None else last.n_exits
        return HeadStarts(
            verdict=". ".join(_words(self, classes, share, test)), candidates_s=self.candidates_s.tolist(),
            n_exits=n_exits, agreement=share, classes=classes, test=test,
        )  # fmt: skip

    def _shown(self, place: int, step: Agreement, periods: Sequence[Agreement]) -> HeadStart:
        return HeadStart(
            priority=float(self.priorities[place]), over=float(self.priorities[place - 1]),
            step_s=float(self.steps_s[place - 1]), head_start_s=float(self.lead_s[place]), stands_out=step.stands_out,
            agreement=[] if step.share is None else step.share.tolist(), ties_s=self._at(step.rivals),
            periods=[
                ClassPeriod(str(one.since), one.n_exits, float(self.candidates_s[one.best]), self._at(one.rivals))
                for one in periods
            ],
        )  # fmt: skip

    def _at(self, places: IntArray) -> list[float]:
        return [float(self.candidates_s[place]) for place in places]


def head_starts(history: History, centre: Centre, start: CreditFit) -> ClassFit | None:
    """Search the head start of each class over the one below; None with one class or too many.

    `start` is the fit of one credit for all steps, from which the search begins.
    """
    priorities, grid_s = np.array(start.priorities), start.candidates_s
    if not 2 <= priorities.size <= MOST_CLASSES:
        return None
    waits, _ = waits_of(history, centre)
    even_s = grid_s[start.whole.best] * np.diff(priorities) / start.step_points
    places = np.abs(even_s[:, None] - grid_s).argmin(axis=1)
    for _ in range(ROUNDS):
        before = places.copy()
        for step in range(places.size):
            agreed = _slice(waits, centre, priorities, grid_s, places, step)[1].sum(axis=0)
            # The one in place stays where another is no better.
            if agreed.max(initial=0) > agreed[places[step]]:
                places[step] = int(agreed.argmax())
        if np.array_equal(before, places):
            break
    found = [agreements(*_slice(waits, centre, priorities, grid_s, places, step)) for step in range(places.size)]
    return ClassFit(
        grid_s, priorities, grid_s[places], tuple(whole for whole, _ in found), tuple(months for _, months in found)
    )


def held_out(fit: ClassFit, history: History, centre: Centre, point_s: float) -> HeadStartTest:
    """How the fitted head starts agree with the exits of other days, beside a point that is worth `point_s`."""
    waits, _ = waits_of(history, centre)
    priorities = np.unique(centre.call_types["priority"].to_numpy()[waits.call_type])
    if priorities.size < 2:
        return HeadStartTest(0, None, None)
    even_s = point_s * (priorities - priorities[0])
    _, agreed = compared(waits, centre, np.stack([even_s, fit.lead_of(priorities, point_s)]), priorities)
    if not len(agreed):
        return HeadStartTest(0, None, None)
    before, after = agreed.mean(axis=0).tolist()
    return HeadStartTest(len(agreed), before, after)


def _slice(
    waits: Waits, centre: Centre, priorities: FloatArray, grid_s: FloatArray, places: IntArray, step: int
) -> tuple[IntArray, BoolArray]:  # fmt: skip
    """Exits by candidate of one step, the others at their places."""
    steps_s = np.tile(grid_s[places], (grid_s.size, 1))
    steps_s[:, step] = grid_s
    lead_s = np.concatenate([np.zeros((grid_s.size, 1)), np.cumsum(steps_s, axis=1)], axis=1)
    return compared(waits, centre, lead_s, priorities)


def _words(
    fit: ClassFit, classes: Sequence[HeadStart], share: float | None, test: HeadStartTest | None
) -> Iterator[str]:  # fmt: skip
    if share is None:
        yield "head start by class: not determined, no exit could be compared"
        return
    steps = ", ".join(f"{one.priority:g} is {one.step_s:g} s ahead of {one.over:g}" for one in classes)
    yield f"head start by class of priority: {steps}; {100 * share:.1f} % of {fit.steps[-1].n_exits:,} exits agree"
    for one, step in zip(classes, fit.steps, strict=True):
        if one.ties_s:
            also = ", ".join(f"{tie:g}" for tie in one.ties_s)
            yield f"between {one.over:g} and {one.priority:g}, {one.step_s:g} s ties with {also} s"
        elif not step.stands_out:
            yield f"between {one.over:g} and {one.priority:g} it is not determined"
        tied = [
            f"{period.since[:7]} ({', '.join(f'{each:g}' for each in sorted([period.best_s, *period.ties_s]))} s)"
            for period in one.periods
            if period.ties_s and not one.ties_s
        ]
        if tied:
            yield f"by month, between {one.over:g} and {one.priority:g} these tie: " + ", ".join(tied)
    if test is not None and test.fitted is not None and test.before is not None:
        yield (
            f"on the days held out {100 * test.fitted:.1f} % of {test.n_exits:,} exits agree, "
            f"{100 * test.before:.1f} % with what was assumed before"
        )
