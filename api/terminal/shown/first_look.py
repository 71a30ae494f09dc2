"""The first look on one screen: figures by queue, day and half hour, what looks wrong, and the light."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from api.terminal.shown.page import Grid, Line, Page, blocks, facts, grid, note, styled
from api.terminal.shown.pieces import number, percent
from api.terminal.shown.replay import COLORS, cell, lit_text
from engine.reports.first_look.result import (
    Beside,
    DaysFigures,
    Figures,
    FirstLook,
    HalfHourFigures,
    Lit,
    QueueFigures,
)
from engine.texts import short

# Of more queues the busiest; of more days weeks; of more weeks the last.
MOST_QUEUES, MOST_DAYS, MOST_WEEKS = 8, 42, 53
MOST_FINDINGS = 8
QUEUE_CHARS = 26
# What stands before a chart.
LABEL_CHARS = 14
LIGHTS = {"green": "met", "red": "off", "unknown": "cannot tell"}
MEASURES = (("service_level", "share"), ("asa_s", "seconds"), ("abandonment", "share"))
HEADS = {"service_level": "service level", "asa_s": "ASA, s", "abandonment": "abandoned"}
# Columns of a terminal from which on all figures stand, and under which the fewest.
WIDE, NARROW = 100, 72


@dataclass(frozen=True)
class _Chart:
    """One line of a chart: what, its values, how high the highest block is, and how a number is written."""

    label: str
    values: Sequence[float | None]
    most: float
    text: Callable[[float], str]


# Lines of marks under charts, with what stands before them.
_Below = Sequence[tuple[str, str]]


def show_first_look(look: FirstLook, name: str, *, everything: bool = False) -> None:
    """What a planner checks first; with everything each queue, day and half hour in numbers."""
    out = Page()
    out.print()
    out.print(styled("bold", name, _extent(look)))
    out.print()
    out.print(_queues(look, everything, out.columns))
    for title, charts, labels, below in (_by_days(look), _by_half_hour(look)):
        if labels:
            out.print()
            out.print(title, style="bold")
            for part in _charted(charts, labels, below, out.columns):
                out.print(part)
    for table in _in_numbers(look, out.columns) if everything else ():
        out.print()
        out.print(table)
    out.print()
    _findings(out, look, everything)
    out.print()
    _light(out, look, everything)
    if not everything and (len(look.by_queue) > MOST_QUEUES or len(look.findings) > MOST_FINDINGS):
        out.print()
        out.print(f"routelab snapshot show {name} --all shows every queue, day and half hour", style="dim")


def _extent(look: FirstLook) -> str:
    if not look.by_day:
        return ": no interactions"
    some = f", of it the days from {look.window.start}" if look.window else ""
    days = f"{number(len(look.by_day))} day{'' if len(look.by_day) == 1 else 's'}"
    return f": {look.by_day[0].first} to {look.by_day[-1].last}{some}, {days} with arrivals ({look.time_zone})"


def _queues(look: FirstLook, everything: bool, columns: int) -> Grid:
    shown = look.by_queue if everything else look.by_queue[:MOST_QUEUES]
    named = [(_queue(queue), queue, number(queue.members)) for queue in shown]
    table = _Table(columns, "agents", is_named=True)
    rows = [table.row(*each) for each in (("all queues", look.whole, number(look.agents)), *named)]
    if more := len(look.by_queue) - len(shown):
        rows.append([f"{number(more)} more"])
    return table.grid("", "queue", rows)


class _Table:
    """Figures as rows: as many columns as a line has room for."""

    def __init__(self, columns: int, last: str, *, is_named: bool = False) -> None:
        heads = ["offered", "answered", "abandoned", "of offered", "service level", "ASA, s", "handling, s", last]
        # Names need room; days and half hours leave some.
        medium = [3, 7] if is_named else [3]
        dropped = [] if columns >= WIDE else medium if columns >= NARROW else [1, 3, 6, 7]
        self._kept = [place for place in range(len(heads)) if place not in dropped]
        self._is_whole = columns >= WIDE
        self._heads = [heads[place] for place in self._kept]

    def row(self, label: str, figures: Figures, last: str) -> list[str | Line]:
        """Label and cells."""
        abandoned, share = number(figures.abandoned), percent(figures.abandonment)
        cells = [
            number(figures.offered), number(figures.answered), abandoned if self._is_whole else share, share,
            cell(figures.service_level, "share"), cell(figures.asa_s, "seconds"), number(figures.handle_s), last,
        ]  # fmt: skip
        return [label, *(cells[place] for place in self._kept)]

    def grid(self, title: str, first: str, rows: Sequence[Sequence[str | Line]]) -> Grid:
        """The table."""
        heads = [(first, "left"), *((head, "right") for head in self._heads)]
        return grid(title, heads, rows, framed=False, rigid=True)


def _queue(queue: QueueFigures) -> str:
    goal = "" if queue.goal_share is None else f" {100 * queue.goal_share:g}/{queue.goal_s:g}"
    return short(queue.queue_name or queue.queue_id, QUEUE_CHARS) + goal


def _by_days(look: FirstLook) -> tuple[str, list[_Chart], list[str], _Below]:
    is_weekly = len(look.by_day) > MOST_DAYS
    rows = look.by_week[-MOST_WEEKS:] if is_weekly else look.by_day
    last = f", the last {MOST_WEEKS}" if is_weekly and len(look.by_week) > MOST_WEEKS else ""
    title = ("By week" + last if is_weekly else "By day") + (f" ({rows[0].first} to {rows[-1].last})" if rows else "")
    agents = [None if row.agents is None else float(row.agents) for row in rows]
    charts = [*_levels(rows, [float(row.offered) for row in rows], "offered")]
    if look.staffing:
        charts.append(_Chart(_present("agents", look), agents, _most(agents), number))
    initials = "" if is_weekly else "".join(f"{date.fromisoformat(row.first):%a}"[0] for row in rows)
    return title, charts, [_day(row, is_weekly) for row in rows], [("", initials)]


def _by_half_hour(look: FirstLook) -> tuple[str, list[_Chart], list[str], _Below]:
    rows = look.by_half_hour
    charts = _levels(rows, [row.offered_a_day for row in rows], "offered a day")
    if look.staffing:
        on_queue = [row.on_queue for row in rows]
        charts.append(_Chart(_present("on queue", look), on_queue, _most(on_queue), lambda n: number(n, 1)))
    title = "By half hour of the day" + (f" ({rows[0].start} to {_end(rows)})" if rows else "")
    starts = [row.start for row in rows]
    return title, charts, starts, [("", _axis(starts))]


def _levels(rows: Sequence[Figures], offered: Sequence[float], label: str) -> list[_Chart]:
    digits = 0 if label == "offered" else 1
    return [
        _Chart(label, offered, _most(offered), lambda n: number(n, digits)),
        _Chart("service level", [row.service_level for row in rows], 1.0, percent),
    ]  # fmt: skip


def _present(what: str, look: FirstLook) -> str:
    return what if look.staffing == "recorded" else f"{what}*"


def _most(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None), default=0.0)


def _day(row: DaysFigures, is_weekly: bool) -> str:
    return f"week of {row.first}" if is_weekly else f"{date.fromisoformat(row.first):%a} {row.first}"


def _end(rows: Sequence[HalfHourFigures]) -> str:
    hour, minute = map(int, rows[-1].start.split(":"))
    return f"{hour + minute // 30:02}:{(minute + 30) % 60:02}"


def _axis(starts: Sequence[str]) -> str:
    """Every second full hour under its half hour."""
    line = ""
    for place, start in enumerate(starts):
        if start.endswith(":00") and int(start[:2]) % 2 == 0 and len(line) <= place:
            line += " " * (place - len(line)) + start[:2]
    return line


def _charted(charts: Sequence[_Chart], labels: Sequence[str], below: _Below, columns: int) -> Iterator[Grid]:
    """Charts over one another, in pieces that fit, with the lowest and the highest number of each."""
    room = max(columns - LABEL_CHARS - 1, 10)
    n = len(labels)
    for first in range(0, n, room):
        part = slice(first, first + room)
        last = first + room >= n
        rows = [
            (chart.label, blocks(chart.values[part], chart.most) + (f"  {_range(chart, labels)}" if last else ""))
            for chart in charts
        ]
        yield facts("", [*rows, *((label, line[part]) for label, line in below if line[part].strip())])


def _range(chart: _Chart, labels: Sequence[str]) -> str:
    known = [(value, label) for value, label in zip(chart.values, labels, strict=True) if value is not None]
    if not known:
        return "not known"
    (low, low_at), (high, high_at) = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    if low == high:
        return chart.text(low)
    return f"{chart.text(low)} ({low_at}) to {chart.text(high)} ({high_at})"


def _in_numbers(look: FirstLook, columns: int) -> Iterator[Grid]:
    """Each day and half hour as a row."""
    table = _Table(columns, "on queue" if look.staffing != "inferred" else "on queue, inferred")
    days = [table.row(_day(row, is_weekly=False), row, number(row.agents)) for row in look.by_day]
    yield table.grid("By day", "", days)
    half_hours = [table.row(row.start, row, number(row.on_queue, 1)) for row in look.by_half_hour]
    yield table.grid("By half hour of the day", "", half_hours)


def _findings(out: Page, look: FirstLook, everything: bool) -> None:
    if look.staffing == "inferred":
        out.print("* inferred from who answered what: no table says when agents were on queue", style="dim")
    if not look.findings:
        out.print("Nothing looks wrong.")
        return
    out.print("What looks wrong", style="bold")
    shown = look.findings if everything else look.findings[:MOST_FINDINGS]
    out.print(facts("", [("-", finding.says) for finding in shown]))
    if more := len(look.findings) - len(shown):
        out.print(f"{number(more)} more", style="dim")


def _light(out: Page, look: FirstLook, everything: bool) -> None:
    found = look.lit
    if found is None:
        out.print(styled("bold", "No light:", f" {look.why_not_lit}"))
        return
    # What would help stands below, in a line each.
    out.print(lit_text(replace(found.light, remedy=None)))
    out.print(_replayed(found), style="dim")
    for said in found.notes:
        out.print(note(said))
    out.print()
    out.print(_beside(found, everything, out.columns))
    rows = found.by_half_hour
    starts = [row.start for row in rows]
    missed = "".join("x" if row.color == "red" else " " for row in rows)
    out.print()
    for part in _charted(_beside_charts(found), starts, [("off", missed), ("", _axis(starts))], out.columns):
        out.print(part)
    if found.advice:
        out.print()
        out.print("What would improve the replay", style="bold")
        out.print(facts("", [("-", said) for said in found.advice]))


def _replayed(found: Lit) -> str:
    some = f" from {found.window.start} on" if found.window else ""
    return f"replayed: {number(found.n)} interactions of {number(found.days)} days{some}, staffing {found.staffing}"


def _beside(found: Lit, everything: bool, columns: int) -> Grid:
    measures = MEASURES if columns >= NARROW else MEASURES[:2]
    shown = found.by_queue if everything else found.by_queue[:MOST_QUEUES]
    named: list[tuple[str, Beside]] = [("all queues", found.whole)] if len(found.by_queue) != 1 else []
    named += [(short(row.queue_name or row.queue_id, QUEUE_CHARS), row) for row in shown]
    rows = [[label, *_both(row, measures)] for label, row in named]
    if more := len(found.by_queue) - len(shown):
        rows.append([f"{number(more)} more"])
    heads = [(head, "right") for name, _ in measures for head in (HEADS[name], "replayed")]
    return grid("", [("", "left"), *heads, ("", "right")], rows, framed=False, rigid=True)


def _both(row: Beside, measures: Sequence[tuple[str, str]]) -> list[str | Line]:
    cells: list[str | Line] = []
    for name, kind in measures:
        cells += [cell(getattr(side, name), kind) for side in (row.recorded, row.replayed)]
    return [*cells, styled(COLORS[row.color], LIGHTS[row.color])]


def _beside_charts(found: Lit) -> list[_Chart]:
    rows = found.by_half_hour
    return [
        _Chart("service level", [row.recorded.service_level for row in rows], 1.0, percent),
        _Chart("replayed", [row.replayed.service_level for row in rows], 1.0, percent),
    ]  # fmt: skip
