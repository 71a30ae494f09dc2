"""Drift: whether replays of each month are as close to the record as on the days fitted, and from when not.

The error of a month is what its replays are off by, less what those of the days fitted are off by: a miss that is there
from the start is for the light, one that comes later means that what was fitted no longer holds. How far errors move
by chance is seen from day to day, and is never less than what one draw moves. Bounds hold together, for all months and
measures tested: a centre that stays as it was is told to have drifted in 5 % of the cases or fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.calibration.closeness import MEASURES, Parts, by_group
from engine.calibration.span import Replays, Span
from engine.measures.spread import FEWEST_DAYS
from engine.results import about
from engine.typing import BoolArray, FloatArray, IntArray

# Chance that anything is told of days held out of a centre that does not change; likewise of the days fitted.
FAMILY = 0.05
# Handling times are read as recorded, so they are compared with those of the days fitted and not with a replay.
RECORDED = {"handle_s": ("handled_s", "handled")}
TESTED = MEASURES | RECORDED
# Nobody plans by less: a share of times (and a second of the ASA), points of shares.
LEAST_SHARE, LEAST_POINTS, LEAST_S = 0.03, 0.005, 1.0
WORDS = {"asa_s": "ASA", "abandonment": "abandonment", "service_level": "service level"}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Change:
    """A measure of some days, held against the days fitted; times as shares, shares in points of 0 to 1."""

    recorded: float = about("As recorded. [s or 0-1]")
    off: float = about(
        "Replayed less recorded; of the ASA over the recorded one (of at least 1 s). Of handling times, which are "
        "replayed as recorded: recorded over that of the days fitted, less 1."
    )
    usual: float = about("The same of the days fitted; of handling times 0.")
    change: float = about("off less usual.")
    low: float = about("Lower bound of the change; the bounds of all months and measures hold together.")
    high: float = about("Upper bound of the change.")
    is_drift: bool = about("Whether the change is beyond chance, and larger than anybody minds.")


@dataclass(frozen=True, kw_only=True)
class MonthDrift:
    """A month, or all days held out together, beside the days fitted."""

    span: str = about("fit or test. A month that was fitted is held against the other days fitted.")
    month: str | None = about("YYYY-MM; null for all days held out together.")
    days: int = about("Days on which something arrived. [count]")
    why_not: str | None = about("Why it was not tested; null where it was.")
    measures: dict[str, Change] = about("By measure: asa_s, abandonment, service_level, handle_s.")

    @property
    def alarms(self) -> list[str]:
        """Measures whose replays no longer meet the record as they did."""
        return [name for name, found in self.measures.items() if found.is_drift and name in MEASURES]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Whether what was fitted holds in every month, and from when not."""

    short: str = about("In a few words.")
    verdict: str = about("In words, with what changed and by how much.")
    holds_to: str | None = about("Last month before the first that drifted, YYYY-MM; null where none did.")
    since: str | None = about("First month after the days fitted from which it no longer holds; null where it does.")
    handling_since: str | None = about(
        "First month after the days fitted from which recorded handling times are others, YYYY-MM; null where they are "
        "not. Replays take them as recorded."
    )
    fewest_days: int = about("A month of fewer days is not tested. [count]")
    months: list[MonthDrift] = about("By month, in order of time.")
    whole: MonthDrift = about("All days held out.")


@dataclass(frozen=True)
class _Days:
    """Sums by day over both spans, in order of time: recorded (n_days,), replayed (n_draws, n_days)."""

    recorded: Parts
    replayed: dict[str, FloatArray]
    month: IntArray  # 12 x year + month - 1
    is_fit: BoolArray


@dataclass(frozen=True)
class _Off:
    """A measure of some days: recorded, what replays are off by, and how far chance moves that."""

    recorded: float
    off: float
    variance: float
    n_days: int


def drift(spans: Mapping[str, Span], replays: Mapping[str, Replays]) -> Drift:
    """Test every month of the spans fit and test."""
    days = _days_of(spans, replays)
    tested = ~days.is_fit
    # In order of time, and a month that is partly fitted twice.
    months = list(dict.fromkeys(zip(days.is_fit.tolist(), days.month.tolist(), strict=True)))
    n_tests = {is_fit: sum(fit == is_fit for fit, _ in months) for is_fit in (True, False)}
    found = []
    for is_fit, month in months:
        inside = (days.month == month) & (days.is_fit == is_fit)
        # A month that was fitted has itself moved what the days fitted are off by, so the others must judge it.
        others = days.is_fit & ~inside if is_fit else days.is_fit
        # Days held out are also tested all together, which is one test more.
        level = FAMILY / (len(TESTED) * (n_tests[is_fit] + (not is_fit)))
        found.append(_tested(days, inside, others, "fit" if is_fit else "test", _month(month), level))
    whole = _tested(days, tested, days.is_fit, "test", None, FAMILY / (len(TESTED) * (n_tests[False] + 1)))
    holds_to, since = _since(found)
    handling_since = _first(found, _is_other)
    short = _short(found, whole, holds_to, since)
    also = f"; recorded handling times changed in {month_text(handling_since)}" if handling_since else ""
    return Drift(
        short=short + also, verdict=". ".join(_words(short, found, whole, since)), holds_to=holds_to, since=since,
        handling_since=handling_since, fewest_days=FEWEST_DAYS, months=found, whole=whole,
    )  # fmt: skip


def _days_of(spans: Mapping[str, Span], replays: Mapping[str, Replays]) -> _Days:
    order = sorted(spans, key=lambda name: spans[name].dates[0])
    sizes = [spans[name].day_numbers.size for name in order]
    names = {part for pair in MEASURES.values() for part in pair}
    recorded = [_by_day(spans[name], spans[name].past) | _handled(spans[name]) for name in order]
    draws = [[_by_day(spans[name], one) for one in replays[name].cells] for name in order]
    return _Days(
        recorded={part: np.concatenate([side[part] for side in recorded]) for part in recorded[0]},
        replayed={
            part: np.concatenate([np.stack([one[part] for one in side]) for side in draws], axis=1) for part in names
        },
        month=np.concatenate([[_number(day) for day in spans[name].dates] for name in order]),
        is_fit=np.repeat([name == "fit" for name in order], sizes),
    )  # fmt: skip


def _by_day(span: Span, cells: Parts) -> Parts:
    return by_group(cells, span.day_of_cell, span.day_numbers.size)


def _handled(span: Span) -> Parts:
    """Recorded handling times by day of arrival."""
    history, n = span.history, span.day_numbers.size
    rows, day = history.is_handled(), span.day_of_cell[span.cell]
    return {
        "handled_s": np.bincount(day[rows], history.handle_s[rows], n),
        "handled": np.bincount(day[rows], minlength=n).astype(float),
    }


def _tested(
    days: _Days, inside: BoolArray, others: BoolArray, span: str, month: str | None, level: float
) -> MonthDrift:
    sides = {"of this month" if month else "held out": inside, "fitted beside them": others}
    short = [f"{n} days {label}" for label, side in sides.items() if (n := int(side.sum())) < FEWEST_DAYS]
    changes = {}
    if not short:
        for name in TESTED:
            pair = [_off(days, side, name) for side in (inside, others)]
            if pair[0] is not None and pair[1] is not None:
                changes[name] = _change(name, pair[0], pair[1], level)
    why_not = f"{' and '.join(short)}; it takes {FEWEST_DAYS}" if short else None
    return MonthDrift(span=span, month=month, days=int(inside.sum()), why_not=why_not, measures=changes)


def _off(days: _Days, chosen: BoolArray, name: str) -> _Off | None:
    """What replays of some days are off by; None where a side has nothing to divide by."""
    above, below = (days.recorded[part][chosen] for part in TESTED[name])
    if not below.sum() > 0:
        return None
    recorded = float(above.sum() / below.sum())
    # What each day adds to a ratio, which is nearly linear in the sums of a day.
    spread = (above - recorded * below) / below.sum()
    if name in RECORDED:
        return _Off(recorded, recorded, _variance(spread), spread.size)
    above, below = (days.replayed[part][:, chosen] for part in TESTED[name])
    if not (below.sum(axis=1) > 0).all():
        return None
    each = above.sum(axis=1) / below.sum(axis=1)
    replayed = float(each.mean())
    off_each = (above - replayed * below).mean(axis=0) / below.mean(axis=0).sum()
    unit = max(recorded, LEAST_S) if name == "asa_s" else 1.0
    off = (replayed - recorded) / unit
    # A share moves with what it is a share of.
    moved = 1.0 + off if unit == recorded else 1.0
    # The record is one draw itself, so no error is more certain than a draw.
    of_draws = float(each.var(ddof=1)) / unit**2 if each.size > 1 else 0.0
    return _Off(recorded, off, max(_variance((off_each - moved * spread) / unit), of_draws), spread.size)


def _variance(spread: FloatArray) -> float:
    """Of a sum, from what each day adds to it."""
    return float(spread @ spread) * spread.size / (spread.size - 1)


def _change(name: str, mine: _Off, usual: _Off, level: float) -> Change:
    """The change of a measure with its bounds, by Welch's t over days."""
    from scipy.special import stdtrit

    variance, reach = mine.variance + usual.variance, 0.0
    if variance > 0:
        parts = ((side.variance, side.n_days - 1) for side in (mine, usual))
        freedom = variance**2 / sum(part**2 / n for part, n in parts)
        reach = float(stdtrit(freedom, 1 - level / 2)) * float(np.sqrt(variance))
    unit = max(usual.recorded, LEAST_S) if name in RECORDED else 1.0
    change, reach = (mine.off - usual.off) / unit, reach / unit
    least = LEAST_POINTS
    if name == "asa_s":
        least = max(LEAST_SHARE, LEAST_S / max(mine.recorded, LEAST_S))
    elif name in RECORDED:
        least = LEAST_SHARE
    off, usual_off = (change, 0.0) if name in RECORDED else (mine.off, usual.off)
    return Change(
        recorded=mine.recorded, off=off, usual=usual_off, change=change, low=change - reach, high=change + reach,
        is_drift=abs(change) > max(reach, least),
    )  # fmt: skip


def _since(months: Sequence[MonthDrift]) -> tuple[str | None, str | None]:
    """The last month that held, and the first from the days fitted on that does not."""
    since = _first(months, lambda row: bool(row.alarms))
    if since is None:
        return None, None
    place = next(place for place, row in enumerate(months) if (row.span, row.month) == ("test", since))
    return months[place - 1].month, since


def _first(months: Sequence[MonthDrift], wanted: Callable[[MonthDrift], bool]) -> str | None:
    """The first month held out after the first fitted of which something is true."""
    begin = next(place for place, row in enumerate(months) if row.span == "fit")
    return next((row.month for row in months[begin:] if row.span == "test" and wanted(row)), None)


def _is_other(row: MonthDrift) -> bool:
    """Whether recorded handling times are not those of the days fitted."""
    return "handle_s" in row.measures and row.measures["handle_s"].is_drift


def _short(months: Sequence[MonthDrift], whole: MonthDrift, holds_to: str | None, since: str | None) -> str:
    """Whether it holds, and from when not."""
    tested = [row for row in months if row.span == "test" and row.why_not is None]
    if whole.why_not is not None:
        return f"not tested whether it holds: {whole.why_not}"
    if since is not None:
        return f"holds to {month_text(holds_to)}; from {month_text(since)} on it no longer holds"
    if whole.alarms and not any(row.alarms for row in tested):
        return "no month held out has drifted by itself, but all together have"
    if any(row.alarms for row in tested):
        return "does not hold before the days fitted"
    return "holds on the days held out" + (f", to {month_text(tested[-1].month)}" if tested else "")


def _words(short: str, months: Sequence[MonthDrift], whole: MonthDrift, since: str | None) -> Iterator[str]:
    """The same with what changed, by how much, and what has nothing to do with the fit."""
    tested = [row for row in months if row.span == "test" and row.why_not is None]
    drifted = [row for row in tested if row.alarms]
    told = list(map(_told, drifted or ([whole] if whole.alarms else [])))
    yield short + (f": {'; '.join(told)}" if told else "")
    well = [row for row in tested if not row.alarms and since is not None and str(row.month) > since]
    if well:
        yield "within chance again: " + ", ".join(month_text(row.month) for row in well)
    odd = [row for row in months if row.span == "fit" and row.alarms]
    if odd:
        yield "months fitted that are unlike the other months fitted: " + "; ".join(map(_told, odd))
    longer = [row for row in months if _is_other(row)]
    if longer:
        yield "recorded handling times (replayed as recorded) against the days fitted: " + "; ".join(
            f"{month_text(row.month)} {100 * row.measures['handle_s'].change:+.0f} %" for row in longer
        )


def _told(row: MonthDrift) -> str:
    """What of a month has drifted, the ASA first."""
    found = [(name, row.measures[name]) for name in row.alarms]
    said = [
        f"{WORDS[name]} {_size(name, one.off)} ({_size(name, one.usual)} on the days fitted)" for name, one in found
    ]
    return f"{month_text(row.month)} replayed {', '.join(said)}"


def _size(name: str, off: float) -> str:
    """An error as a planner says it."""
    if name == "asa_s":
        return f"{100 * abs(off):.0f} % {'above' if off > 0 else 'below'} the recorded one"
    return f"{100 * off:+.1f} points"


def month_text(month: str | None) -> str:
    """A month as people say it.

    Examples
    --------
    >>> month_text("1999-05"), month_text(None)
    ('May 1999', 'all days held out')
    """
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}" if month else "all days held out"


def _number(day: date) -> int:
    return 12 * day.year + day.month - 1


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02d}"
