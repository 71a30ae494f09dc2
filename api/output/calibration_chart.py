"""A calibration as a picture: each measure by day and by half hour of the day, replayed beside recorded, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from engine.calibration.evidence import Beside, DayBeside, Evidence, SpanAgreement, TimeBeside
from engine.texts import visible

# Measure, title, and what a value is multiplied by.
PANELS = (
    ("asa_s", "ASA, s", 1.0),
    ("abandonment", "abandoned, %", 100.0),
    ("service_level", "service level, %", 100.0),
)
WIDTH, TOP, ROW, GAP = 1200, 116, 250, 42
LEFT, WIDE, RIGHT, NARROW = 62, 680, 812, 356
RECORDED, REPLAYED, RULE, TEXT, TESTED, DRIFTED = "#1f2328", "#0969da", "#d0d7de", "#57606a", "#fff4d6", "#ffcfc4"
TICKS = 4
# Half hours of the day with a smaller share of the interactions are left out: a handful of calls makes no profile.
LEAST_SHARE = 0.002
Place = Callable[[float], float]


@dataclass(frozen=True)
class Frame:
    """Where a panel lies and what its axes span.

    Parameters
    ----------
    left, top, width : float
        Of the panel. [px]
    n : int
        Places along the horizontal axis.
    top_value : float
        Of the vertical axis, which starts at 0.
    """

    left: float
    top: float
    width: float
    n: int
    top_value: float

    @property
    def bottom(self) -> float:
        """Where 0 lies. [px]"""
        return self.top + ROW - GAP

    def x(self, place: float) -> float:
        """Middle of a place along the axis. [px]"""
        return self.left + self.width * (place + 0.5) / self.n

    def y(self, value: float) -> float:
        """Height of a value. [px]"""
        return self.bottom - (ROW - GAP) * value / self.top_value


def chart(evidence: Evidence) -> str:
    """The picture of a calibration.

    Parameters
    ----------
    evidence : Evidence
        Of a calibration: agreement on the days fitted and tested.

    Returns
    -------
    str
        An SVG document.
    """
    # In order of time: a test may lie before the days fitted.
    spans = sorted(("fit", "test"), key=lambda name: evidence.spans[name].first)
    days = [row for name in spans for row in evidence.agreement[name].days]
    tested = [name == "test" for name in spans for _ in evidence.agreement[name].days]
    times = _usual(evidence.agreement["test"])
    parts = _head(evidence)
    for place, (name, title, scale) in enumerate(PANELS):
        top = TOP + place * (ROW + 20)
        by_day = Frame(LEFT, top, WIDE, len(days), _most(days, name, scale))
        by_time = Frame(RIGHT, top, NARROW, len(times), _most(times, name, scale))
        parts += _shaded(tested, by_day, TESTED) + _shaded(_drifted(evidence, spans, name), by_day, DRIFTED)
        parts += _axes(by_day, f"{title}, by day") + _axes(by_time, f"{title}, by half hour of the day, test")
        parts += _series(days, name, scale, by_day) + _series(times, name, scale, by_time)
        parts += _ticks(by_day, _months(days)) + _ticks(by_time, _hours(times))
    height = TOP + len(PANELS) * (ROW + 20)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', *parts, "</svg>\n",
    ])  # fmt: skip


def _head(evidence: Evidence) -> list[str]:
    fit, test, draws = evidence.spans["fit"], evidence.spans["test"], evidence.draws
    found = [
        _text(LEFT, 28, "Replay of today's rule beside the record", size=19, color=RECORDED),
        _text(LEFT, 50, f"fitted on {fit.first} to {fit.last}, tested on {test.first} to {test.last} "
              f"(shaded); {_used(evidence)}"),
        _text(LEFT, 94, f"{evidence.drift.short} (months that drifted: red)"),
    ]  # fmt: skip
    keys = (("recorded", RECORDED), (f"replayed, mean of {draws} draws; band: 95 % of the draws", REPLAYED))
    left = LEFT
    for label, color in keys:
        found += [f'<line x1="{left}" y1="70" x2="{left + 26}" y2="70" stroke="{color}" stroke-width="3"/>',
                  _text(left + 33, 74, label)]  # fmt: skip
        left += 130
    return found


def _usual(tested: SpanAgreement) -> list[TimeBeside]:
    least = LEAST_SHARE * tested.recorded.offered
    return [row for row in tested.times if row.recorded.offered >= least]


def _used(evidence: Evidence) -> str:
    used = evidence.assumptions
    return f"join gap {used.join_gap_s:g} s, after-call work {used.acw_s:g} s, point {used.point_s:g} s"


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, color: str = TEXT) -> str:
    # XML has no place for most control characters, escaped or not.
    said = escape(visible(text))
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}">{said}</text>'


def _most(rows: Sequence[Beside], name: str, scale: float) -> float:
    """Top of an axis: a round number not under any value."""
    values = [getattr(side, name) for row in rows for side in (row.recorded, row.calibrated)]
    values += [getattr(row.band, name).high for row in rows]
    most = scale * max((value for value in values if value is not None), default=1.0)
    return _step(most) * math.ceil(most / _step(most)) if most > 0 else 1.0


def _step(most: float) -> float:
    """Distance of about four ticks: 1, 2 or 5 times a power of ten."""
    rough = most / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)


def _axes(frame: Frame, title: str) -> list[str]:
    step = _step(frame.top_value)
    found = [_text(frame.left, frame.top - 8, title, size=14, color=RECORDED)]
    for number in range(math.floor(frame.top_value / step + 1e-9) + 1):
        y = frame.y(number * step)
        found.append(f'<path d="M{frame.left} {y:.1f} h{frame.width}" stroke="{RULE}"/>')
        found.append(_text(frame.left - 8, y + 4, f"{number * step:g}", anchor="end"))
    return found


def _ticks(frame: Frame, labels: Sequence[tuple[int, str]]) -> list[str]:
    found = []
    for place, label in labels:
        x = frame.x(place - 0.5)
        found += [f'<line x1="{x:.1f}" y1="{frame.bottom}" x2="{x:.1f}" y2="{frame.bottom + 5}" stroke="{TEXT}"/>',
                  _text(x + 2, frame.bottom + 18, label)]  # fmt: skip
    return found


def _drifted(evidence: Evidence, spans: Sequence[str], measure: str) -> list[bool]:
    """Days of months in which a measure is not replayed as on the days fitted."""
    off = {(row.span, row.month) for row in evidence.drift.months if measure in row.alarms}
    return [(name, row.day[:7]) in off for name in spans for row in evidence.agreement[name].days]


def _shaded(chosen: Sequence[bool], frame: Frame, color: str) -> list[str]:
    """Shade behind some days, stretch by stretch."""
    found = []
    for is_chosen, places in groupby(range(len(chosen)), key=lambda place: chosen[place]):
        stretch = list(places)
        if is_chosen:
            left, right = frame.x(stretch[0] - 0.5), frame.x(stretch[-1] + 0.5)
            found.append(
                f'<rect x="{left:.1f}" y="{frame.top}" width="{right - left:.1f}" height="{ROW - GAP}" fill="{color}"/>'
            )
    return found


def _series(rows: Sequence[Beside], name: str, scale: float, frame: Frame) -> list[str]:
    """The band of the draws, then replayed, then recorded on top."""
    found = []
    limits = [getattr(row.band, name) for row in rows]
    band = [(place, each.low, each.high) for place, each in enumerate(limits)]
    for run in _runs(band):
        upper = [f"{frame.x(place):.1f},{frame.y(scale * high):.1f}" for place, _, high in run]
        lower = [f"{frame.x(place):.1f},{frame.y(scale * low):.1f}" for place, low, _ in reversed(run)]
        found.append(f'<polygon points="{" ".join(upper + lower)}" fill="{REPLAYED}" fill-opacity="0.22"/>')
    sides = (([row.calibrated for row in rows], REPLAYED), ([row.recorded for row in rows], RECORDED))
    for side, color in sides:
        for run in _runs([(place, getattr(each, name)) for place, each in enumerate(side)]):
            points = " ".join(f"{frame.x(place):.1f},{frame.y(scale * value):.1f}" for place, value in run)
            found.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.4"/>')
    return found


def _runs(points: Sequence[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    """Stretches without a missing value."""
    found: list[list[tuple[Any, ...]]] = [[]]
    for point in points:
        if None in point:
            found.append([])
        else:
            found[-1].append(point)
    return [run for run in found if run]


def _months(days: Sequence[DayBeside]) -> list[tuple[int, str]]:
    """Where months begin; days where there are few."""
    if len(days) <= 14:
        return [(place, row.day[5:]) for place, row in enumerate(days)]
    names = [row.day[:7] for row in days]
    return [(place, name) for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


def _hours(times: Sequence[TimeBeside]) -> list[tuple[int, str]]:
    """Every third full hour."""
    starts = [row.start for row in times]
    return [(place, start) for place, start in enumerate(starts) if start.endswith(":00") and int(start[:2]) % 3 == 0]
