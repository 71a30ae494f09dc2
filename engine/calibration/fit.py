"""Fits what history does not say on some days and holds it against others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from engine.calibration import closeness
from engine.calibration.agreement import agreement, months
from engine.calibration.credit import CreditFit, credit
from engine.calibration.desks import desks
from engine.calibration.drift import drift
from engine.calibration.evidence import Changeable, Desks, Evidence, HeadStartTest, Origin, SearchSaid, SpanDays
from engine.calibration.findings import findings
from engine.calibration.head_starts import ClassFit, head_starts, held_out
from engine.calibration.in_force import ClassPoints, Desk, InForce
from engine.calibration.judging import judged
from engine.calibration.pauses import pauses
from engine.calibration.search import Search
from engine.calibration.span import EPOCH, Days, Span
from engine.data.arrays import Arrays
from engine.data.centre import Centre
from engine.data.history import History
from engine.data.wall_time import local_days
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions
from engine.methods import METHODS
from engine.reports.columns import today_of
from engine.results import about
from engine.spec import Scenario
from engine.typing import Progress

DRAWS_SHOWN = 20
FIT_SHARE = 0.6
# After-call work is not fitted where so many interactions record it.
KNOWN_SHARE = 0.95
NO_DESKS = Desks(verdict="desks are not looked for, since the rule was given", desks=[], tests=[])


@dataclass(frozen=True)
class Calibration:
    """Fitted assumptions, and the evidence for and against them."""

    assumptions: dict[str, float] = about("Fields of the assumptions that were fitted.")
    in_force: InForce = about("What else was found of the rule in force.")
    evidence: Evidence = about("Spans, candidates, agreement on both spans, and where it fails.")


def calibrate(
    arrays: Arrays,
    scenario: Scenario,
    fit: Days,
    test: Days,
    *,
    method: str | None = None,
    draws: int = DRAWS_SHOWN,
    progress: Progress | None = None,
) -> Calibration:
    """Fit join gap, after-call work and the head start of priority on some days, and try them on others.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    scenario : Scenario
        Goal, definitions, seed, and the assumptions that are not fitted.
    fit, test : tuple of date
        First and last day of each, as `default_days` gives them.
    method : str, optional
        The rule in force; by default what the queues' settings record.
    draws : int
        Replays of each span, which make the noise band.
    progress : callable, optional
        Called with label, replays done and replays in all.

    Returns
    -------
    Calibration
        What is recorded is not fitted, and a head start only where the log determines it.

    Raises
    ------
    MissingInput
        If a span has no interactions with waits, or its staffing cannot be inferred.
    """
    arrays = _held(arrays)
    today = today_of(replace(scenario, mode="replay", replications=1), arrays)
    today = today if method is None else replace(today, method=method)
    recorded = {"fit": Span(arrays, today, fit), "test": Span(arrays, today, test)}
    # Read off the log without a replay, and first, since it decides who of those waiting is served.
    found = _Priority.of(recorded, arrays.centre, today.assumptions)
    head_start, in_force = found.head_start, InForce(found.points, [])
    spans = {name: span.under(in_force) for name, span in recorded.items()}
    assumed: dict[str, Any] = {**head_start}
    fitted, searched = _searched(spans["fit"], replace(today.assumptions, **assumed), progress)
    chosen = replace(today.assumptions, **(assumed | fitted))
    # A rule that was given is not looked for.
    rules, of_desks = ([], NO_DESKS) if method else _desks(spans, chosen, searched.noise, progress)
    if rules:
        in_force = replace(in_force, desks=rules)
        spans = {name: span.under(in_force) for name, span in recorded.items()}
    replays = {name: span.replays(chosen, draws, progress, f"replaying {name}") for name, span in spans.items()}
    # One draw of the defaults is enough to show where the fit began.
    plain = {name: span.replays(today.assumptions, 1, None, "") for name, span in recorded.items()}
    in_use = spans["fit"].scenario
    evidence = Evidence(
        **vars(searched), snapshot=Origin(arrays.snapshot.id, arrays.snapshot.sha256),
        rule=f"{in_use.method}: {METHODS[in_use.method].about}", goal=today.goal or "each queue's own",
        seed=today.seed, draws=draws, loss=closeness.LOSS, credit=found.credit.shown(),
        head_starts=None if found.classes is None else found.classes.shown(found.test),
        desks=of_desks, spans={name: _span_days(span) for name, span in spans.items()},
        staffing="recorded" if arrays.centre.staffing.agent.size else "inferred",
        assumptions=_changeable(chosen), defaults=_changeable(today.assumptions),
        agreement={name: agreement(span, plain[name], replays[name], chosen) for name, span in spans.items()},
        months=[row for name, span in spans.items() for row in months(name, span, replays[name])],
        drift=drift(spans, replays),
        pauses=pauses(spans["fit"].history, spans["fit"].queue, chosen.join_gap_s), findings=[],
    )  # fmt: skip
    return Calibration(head_start | fitted, in_force, replace(evidence, findings=findings(evidence)))


@dataclass(frozen=True)
class _Priority:
    """What the log says of priority: one credit for all steps, head starts by class, and what is taken from them."""

    credit: CreditFit
    classes: ClassFit | None
    test: HeadStartTest | None
    head_start: dict[str, float]
    points: list[ClassPoints]

    @classmethod
    def of(cls, spans: Mapping[str, Span], centre: Centre, given: Assumptions) -> _Priority:
        """Fitted on the days to fit, and held against the days to test."""
        history = spans["fit"].history
        whole = credit(history, centre)
        classes = head_starts(history, centre, whole)
        test = None if classes is None else held_out(classes, spans["test"].history, centre, given.point_s)
        # Where no candidate stands out the default stays: a head start fitted to noise would move every wait.
        head_start = {} if whole.point_s is None else {"point_s": whole.point_s}
        points: list[ClassPoints] = []
        if classes is not None and classes.stands_out and test is not None and not test.is_worse:
            if classes.point_s is not None:
                head_start = {"point_s": classes.point_s}
            else:
                # Points need a length to be seconds, so the one they are counted by goes with them.
                head_start = {"point_s": head_start.get("point_s", given.point_s) or Assumptions().point_s}
                points = classes.points(head_start["point_s"])
        return cls(whole, classes, test, head_start, points)


def default_days(arrays: Arrays, fit: Sequence[date | None], test: Sequence[date | None]) -> tuple[Days, Days]:
    """Days to fit and days to test, where not all are given.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    fit, test : pair of date or None
        First and last of each, both included.

    Returns
    -------
    fit, test : tuple of date
        With none given, the first 60 % of the days with interactions, and the others.

    Raises
    ------
    InvalidScenario
        If the two overlap, an end lies before its start, or there are not two days.
    """
    numbers = np.unique(local_days(arrays.history().arrived_us, arrays.centre.time_zone)).tolist()
    if len(numbers) < 2:
        raise InvalidScenario(
            f"a calibration fits on some days and tries on others, and interactions arrived on {len(numbers)}; give "
            "at least two days"
        )
    days = [EPOCH + timedelta(days=day) for day in numbers]
    # In order of time, as a calibration is used: fitted on the past, applied to what follows.
    n_fit = sum(day < test[0] for day in days) if test[0] else round(FIT_SHARE * len(days))
    fit_days = (fit[0] or days[0], fit[1] or days[min(max(n_fit, 1), len(days) - 1) - 1])
    later = next((day for day in days if day > fit_days[1]), days[-1])
    test_days = (test[0] or later, test[1] or days[-1])
    for name, (first, last) in (("fit", fit_days), ("test", test_days)):
        if last < first:
            raise InvalidScenario(f"days to {name}: the last, {last}, lies before the first, {first}; swap them")
    if fit_days[0] <= test_days[1] and test_days[0] <= fit_days[1]:
        raise InvalidScenario(
            f"days to fit ({fit_days[0]} to {fit_days[1]}) and to test ({test_days[0]} to {test_days[1]}) overlap; "
            "a test on days that were fitted proves nothing, so choose others"
        )
    return fit_days, test_days


def not_fitted(arrays: Arrays, history: History) -> dict[str, str]:
    """Why assumptions need not be fitted, by their names: the data say them already."""
    said = {}
    if arrays.centre.staffing.agent.size:
        said["join_gap_s"] = "the table staffing says when agents were on queue, so nothing is inferred"
    handled = history.is_handled()
    known, n = int((handled & ~np.isnan(history.acw_s)).sum()), int(handled.sum())
    if n and known >= KNOWN_SHARE * n:
        said["acw_s"] = f"after-call work is recorded of {known:,} of {n:,} interactions with a handling time"
    return said


def _held(arrays: Arrays) -> Arrays:
    """The same, with its history read once."""
    history = arrays.history()
    return arrays.holding(history)


def _searched(span: Span, given: Assumptions, progress: Progress | None) -> tuple[dict[str, float], SearchSaid]:
    """What was fitted, and what was tried."""
    kept = not_fitted(span.arrays, span.history)
    names = [name for name in ("join_gap_s", "acw_s") if name not in kept]
    if not names:
        return {}, SearchSaid(fitted=[], not_fitted=kept, candidates=[], noise=None, as_good={}, at_edge=[])
    search = Search(span, given, names, progress)
    best = search.run()
    good, most = search.as_good(best), {"join_gap_s": search.gaps_s[-1], "acw_s": search.acws_s[-1]}
    ranges = {name: sorted(getattr(one, name) for one in good) for name in names}
    return {name: getattr(best, name) for name in names}, SearchSaid(
        fitted=names, not_fitted=kept, candidates=[one.tried() for _, one in sorted(search.tried.items())],
        best_loss=best.loss, noise=search.noise,
        as_good={name: [values[0], values[-1]] for name, values in ranges.items()},
        at_edge=[name for name in names if getattr(best, name) >= most[name]],
    )  # fmt: skip


def _desks(
    spans: Mapping[str, Span], chosen: Assumptions, noise: float | None, progress: Progress | None
) -> tuple[list[Desk], Desks]:
    """Desks fitted on the days to fit, and those of them that are used."""
    span = spans["fit"]
    centre, spells = span.arrays.centre, span.study(chosen).recorded.spells
    lead_s = chosen.point_s * centre.call_types["priority"].to_numpy()
    fits, rules = desks(span.history, centre, spells, chosen.acw_s, lead_s)
    return judged(spans["test"], fits, rules, chosen, noise, progress)


def _changeable(assumptions: Assumptions) -> Changeable:
    return Changeable(**{field.name: getattr(assumptions, field.name) for field in fields(Changeable)})


def _span_days(span: Span) -> SpanDays:
    answered = span.history.outcome_is("answered")
    return SpanDays(
        first=str(span.days[0]), last=str(span.days[1]), days=len(span.dates),
        interactions=span.history.n, answered=int(answered.sum()),
        answered_by_nobody_named=int((answered & (span.history.agent < 0)).sum()),
    )  # fmt: skip
