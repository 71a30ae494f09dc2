"""Replays beside the record: as a whole, by month, weekday, time of day and call type, with the noise of draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from engine.calibration.closeness import GRAINS, SHOWN, Parts, by_group, errors, measure
from engine.calibration.evidence import (
    Band,
    BandWhole,
    Beside,
    Closeness,
    DayBeside,
    Limits,
    Measured,
    MeasuredWhole,
    MonthBeside,
    Recorded,
    RecordedWhole,
    SpanAgreement,
    TimeBeside,
    TypeBeside,
    WeekdayBeside,
)
from engine.calibration.span import SLOTS, Replays, Span
from engine.estimates.assumptions import Assumptions
from engine.measures.light import light
from engine.measures.record import Record
from engine.results import or_null
from engine.typing import FloatArray, IntArray

LOW, HIGH = 2.5, 97.5
# Half hours without an answer after which a centre has been closed, and of the hours beside that.
CLOSED_SLOTS, HOUR_SLOTS = 8, 2


def agreement(span: Span, defaults: Replays, replays: Replays, chosen: Assumptions) -> SpanAgreement:
    """Recorded, replayed with the defaults and replayed calibrated."""
    one = np.zeros(span.slot_of_cell.size, np.int64)
    row, before = banded(span.past, replays.cells, one, 1)[0], banded(span.past, defaults.cells, one, 1)[0]
    occupied, record = replays.occupancy, replace(span.study(chosen).record, is_calibrated=True)
    low, high = np.percentile(occupied, (LOW, HIGH)).tolist()
    return SpanAgreement(
        recorded=RecordedWhole(**vars(row.recorded), occupancy=span.recorded_occupancy(chosen)),
        defaults=MeasuredWhole(**vars(before.calibrated), occupancy=or_null(defaults.occupancy.mean())),
        calibrated=MeasuredWhole(**vars(row.calibrated), occupancy=or_null(occupied.mean())),
        band=BandWhole(**vars(row.band), occupancy=Limits(or_null(low), or_null(high))),
        light_defaults=light(row.recorded, before.calibrated, record),
        light=light(row.recorded, row.calibrated, record),
        closeness={grain: _closeness(span, defaults, replays, grain) for grain in GRAINS[1:]},
        outside_blocks=replays.outside,
        weekdays=_weekdays(span, replays), times=_times(span, replays), types=_types(span, replays),
        hours=_hours(span, replays), days=_days(span, replays),
    )  # fmt: skip


def months(name: str, span: Span, replays: Replays) -> list[MonthBeside]:
    """Calendar months of a span, with the colour of each."""
    whole = span.study(span.scenario.assumptions).record
    numbers = np.array([12 * day.year + day.month - 1 for day in span.dates])
    found, group = np.unique(numbers[span.day_of_cell], return_inverse=True)
    rows = banded(span.past, replays.cells, group, found.size)
    parts = [
        Record.of(span.history.rows(group[span.cell] == n), is_inferred=whole.is_inferred) for n in range(len(rows))
    ]
    # Patience is that of the whole span, so a month without a known wait is replayed all the same.
    known = [replace(p, is_calibrated=True, replays_abandonment=whole.replays_abandonment) for p in parts]
    return [
        MonthBeside(**vars(row), span=name, month=f"{month // 12}-{month % 12 + 1:02d}",
                    light=light(row.recorded, row.calibrated, record))
        for month, row, record in zip(found.tolist(), rows, known, strict=True)
    ]  # fmt: skip


def banded(past: Parts, draws: Sequence[Parts], group: IntArray, n_groups: int) -> list[Beside]:
    """Recorded measures by group, those of replays as means over draws, and the band of the draws."""
    before, after = by_group(past, group, n_groups), [by_group(one, group, n_groups) for one in draws]
    recorded = {name: measure(before, name) for name in SHOWN}
    # Measured draw by draw and then averaged, so that value and band belong to the same thing.
    draws_of = {name: np.stack([measure(one, name) for one in after]) for name in SHOWN}
    found = []
    for place, offered in enumerate(before["offered"]):
        known = {name: each[~np.isnan(each[:, place]), place] for name, each in draws_of.items()}
        found.append(
            Beside(
                recorded=Recorded(offered=float(offered), **{n: or_null(each[place]) for n, each in recorded.items()}),
                calibrated=Measured(**{n: float(each.mean()) if each.size else None for n, each in known.items()}),
                band=Band(**{name: _limits(each) for name, each in known.items()}),
            )
        )
    return found


def _limits(known: FloatArray) -> Limits:
    return Limits(*np.percentile(known, (LOW, HIGH)).tolist()) if known.size else Limits(None, None)


def _closeness(span: Span, defaults: Replays, replays: Replays, grain: str) -> dict[str, Closeness]:
    """Errors of single draws under the defaults and calibrated, and how far draws are from each other."""
    n, group = span.slot_of_cell.size, np.arange(span.slot_of_cell.size)
    if grain == "day":
        n, group = span.day_numbers.size, span.day_of_cell
    # One draw of the defaults was played, so its errors stand beside means of single draws.
    past, plainly = by_group(span.past, group, n), by_group(defaults.cells[0], group, n)
    draws = [by_group(one, group, n) for one in replays.cells]
    found = {}
    for name in SHOWN:
        each, before = [errors(one, past, name) for one in draws], errors(plainly, past, name)
        found[name] = Closeness(
            spread=each[0].spread, rmse_defaults=before.rmse, correlation_defaults=before.correlation,
            # Errors of single draws, not of their mean: averaging would hide the noise that a single replay has.
            rmse=_mean([one.rmse for one in each]), correlation=_mean([one.correlation for one in each]),
            rmse_between_draws=_mean([errors(a, b, name).rmse for a, b in pairwise(draws)]),
        )  # fmt: skip
    return found


def _weekdays(span: Span, replays: Replays) -> list[WeekdayBeside]:
    group = np.array([day.weekday() for day in span.dates])[span.day_of_cell]
    rows = banded(span.past, replays.cells, group, 7)
    days = np.bincount([day.weekday() for day in span.dates], minlength=7).tolist()
    return [
        WeekdayBeside(**vars(row), weekday=place, days=days[place]) for place, row in enumerate(rows) if days[place]
    ]


def _times(span: Span, replays: Replays) -> list[TimeBeside]:
    rows = banded(span.past, replays.cells, span.slot_of_cell, SLOTS)
    return [
        TimeBeside(**vars(row), start=f"{slot // 2:02d}:{30 * (slot % 2):02d}")
        for slot, row in enumerate(rows)
        if row.recorded.offered
    ]


def _types(span: Span, replays: Replays) -> list[TypeBeside]:
    types = span.call_types
    rows = banded(span.past_types, replays.types, np.arange(types.height), types.height)
    some = [pair for pair in zip(types.to_dicts(), rows, strict=True) if pair[1].recorded.offered]
    return [TypeBeside(**need, **vars(row)) for need, row in some]


def _days(span: Span, replays: Replays) -> list[DayBeside]:
    rows = banded(span.past, replays.cells, span.day_of_cell, span.day_numbers.size)
    staffed = replays.staffed.tolist()
    each = zip(span.dates, staffed, rows, strict=True)
    return [DayBeside(**vars(row), day=str(day), agents=n) for day, n, row in each]


def _hours(span: Span, replays: Replays) -> dict[str, Beside]:
    """The first hour after opening, the last before closing, and all between."""
    names = ("first", "between", "last")
    rows = banded(span.past, replays.cells, part_of_day(span), 3)
    return {name: row for name, row in zip(names, rows, strict=True) if row.recorded.offered}


def part_of_day(span: Span) -> IntArray:
    """Of each half hour: 0 in the first hour after opening (or before it), 2 in the last, 1 between.

    A centre has been closed where nothing was answered for four hours; one that rarely closes has neither hour.
    """
    code = span.day_numbers[span.day_of_cell] * SLOTS + span.slot_of_cell
    served = code[span.past["answered"] > 0]
    apart = np.diff(served) > CLOSED_SLOTS
    # Both ends of a span count, so that a centre of one shift a day opens as often as it has days.
    opens, closes = served[np.append(served.size > 0, apart)], served[np.append(apart, served.size > 0)]
    if opens.size < span.day_numbers.size / 2:
        return np.ones(code.size, np.int64)
    # Who came before anybody answered waited for the opening; after the last closing there is none to wait for.
    shift = np.minimum(np.searchsorted(closes, code), closes.size - 1)
    return np.where(code - opens[shift] < HOUR_SLOTS, 0, np.where(closes[shift] - code < HOUR_SLOTS, 2, 1))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
