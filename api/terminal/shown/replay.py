"""Replays as tables for people: what was, what today's rule gives, what the scenario gives."""

from __future__ import annotations

from collections.abc import Sequence

from api.terminal.shown.page import Grid, Line, Page, facts, grid, note, styled
from api.terminal.shown.pieces import (
    interval_text,
    most_handled,
    named,
    number,
    percent,
    satisfaction_text,
    show_report,
    three,
)
from engine.estimates.estimated import Estimates, PatienceEstimate, StaffingEstimate
from engine.measures.fairness import Fairness
from engine.measures.light import Light
from engine.measures.waits import IntervalWaits, QueueWaits, ServiceLevel
from engine.reports.notes import causes_text
from engine.reports.replay import Difference, GoalEffect, Replay, ReplayColumn
from engine.reports.report import Report
from engine.texts import short

COLORS = {"green": "green", "red": "red", "unknown": "yellow"}
WITHHELD = "withheld: the light is red; --force gives a verdict all the same"
MOST_ROWS = 5
# Measure, heading, kind of number.
ROWS = (
    ("offered", "offered", "count"), ("answered", "answered", "count"), ("abandoned", "abandoned", "count"),
    ("flowed_out", "flowed out", "count"), ("unserved", "unserved", "count"),
    ("service_level", "service level", "share"), ("asa_s", "ASA, s", "seconds"),
    ("mean_wait_s", "mean wait, s", "seconds"), ("abandonment", "abandonment", "share"),
    ("occupancy", "occupancy", "share"), ("gini", "Gini of interactions", "plain"),
    ("choice_share", "choice of able agents", "share"),
    ("idle_while_waiting_share", "idle while waiting", "share"),
)  # fmt: skip
HEADINGS = {"recorded": "recorded", "today": "today's rule, replayed", "scenario": "scenario"}


def show(report: Report) -> None:
    """What a planner reads after a run, whatever its mode."""
    if report.replay is None or report.service_level is None:
        show_report(report)
    else:
        show_replay(report, report.replay, report.service_level)


def show_replay(report: Report, content: Replay, waits: ServiceLevel) -> None:
    """What a planner reads after a replay."""
    out = Page()
    out.print()
    out.print(content.headline, style="bold")
    out.print()
    out.print(lit_text(content.light))
    out.print()
    out.print(columns_table(content))
    is_withheld = content.light.color == "red" and content.differences is None and len(content.columns) > 2
    # What is off stands in the light above.
    out.print(WITHHELD if is_withheld else content.verdict, style="bold")
    if content.replications > 1:
        out.print("What follows is the first of the draws, as in outcomes.arrow.", style="dim")
    out.print()
    out.print(facts("", _summary(report, content, waits)))
    out.print()
    for table in _details(report, waits):
        out.print(table)
    for warning in [*report.warnings, *report.fairness.warnings]:
        out.print(note(warning))


def lit_text(light: Light, more: str = "") -> Line:
    """The light in its colour, why, and what may help."""
    remedy = "" if light.remedy is None else f"; {light.remedy}"
    return styled(f"bold {COLORS[light.color]}", light.color.upper(), f"{more} {light.why}{remedy}")


def cell(value: float | None, kind: str) -> str:
    """One number as people read it.

    Examples
    --------
    >>> cell(0.8014, "share"), cell(20.84, "seconds"), cell(None, "plain")
    ('80.1 %', '20.8', '-')
    """
    if value is None:
        return "-"
    return {"count": number(value), "share": percent(value), "seconds": number(value, 1)}.get(kind, f"{value:.3f}")


def shown_rows(columns: Sequence[ReplayColumn]) -> list[tuple[str, str, str]]:
    """Those of `ROWS` that are not 0 in all columns anyway."""
    rare = {"flowed_out", "unserved"}
    return [row for row in ROWS if row[0] not in rare or any(getattr(column, row[0]) for column in columns)]


def columns_table(content: Replay) -> Grid:
    """Columns side by side, with the paired difference of the last against the one before it where there is any."""
    columns, rows, differences = content.columns, [], content.differences
    if differences is not None and differences.is_nothing:
        # One sentence says it, not a column of zeros.
        differences = None
    for name, heading, kind in shown_rows(columns):
        label = heading
        if name == "occupancy" and content.estimates.staffing.source == "inferred":
            label = "occupancy, inferred"
        cells = [label, *(cell(getattr(column, name), kind) for column in columns)]
        less = [] if differences is None else [difference_text(getattr(differences, name, None), kind)]
        rows.append([*cells, *less])
    headings = [("", "left"), *((HEADINGS.get(c.name, c.name), "right") for c in columns)]
    draws = content.replications
    title = "The same customers" + (f", mean of {draws} draws of what is not recorded" if draws > 1 else "")
    if differences is not None:
        headings.append(("scenario less today's rule, 95 %", "left"))
    return grid(title, headings, rows)


def difference_text(difference: Difference | None, kind: str) -> str:
    """A paired difference with its interval, as people read it."""
    if difference is None or difference.value is None:
        return "-"
    scale, unit, digits = {"share": (100, " points", 1), "seconds": (1, " s", 1)}.get(kind, (1, "", 3))
    text = f"{scale * difference.value:+.{digits}f}{unit}"
    if difference.low is None or difference.high is None:
        return text
    low, high = (f"{scale * end:+.{digits}f}" for end in (difference.low, difference.high))
    return f"{text} ({low} to {high}): {difference.says}"


def _summary(report: Report, content: Replay, waits: ServiceLevel) -> list[tuple[str, str]]:
    snapshot, columns, answered = report.snapshot, content.columns, waits.answered_wait_s
    shares = ((50, answered.p50), (90, answered.p90), (95, answered.p95), (99, answered.p99))
    rows = [
        ("snapshot", f"{snapshot.id}  {interval_text(snapshot)}"),
        ("today's rule", columns[1].rule), *([("scenario", columns[-1].rule)] if len(columns) > 2 else []),
        ("service level", f"{waits.definition}, goal {_goal_text(waits)}"),
        ("waits of answered", ", ".join(f"{share} % within {cell(wait_s, 'seconds')} s" for share, wait_s in shares)),
        ("choice", f"{percent(waits.choice_share)} of the interactions found two or more able agents free; "
         "for the rest the rule decides nothing about who answers"),
        ("idle while waiting", _idle_text(waits)),
        ("sharing", report.fairness.verdict),
        ("", "Gini " + ", ".join(f"{three(value)} of {what}" for value, what in _ginis(report.fairness))),
        ("satisfaction", satisfaction_text(report.csat, "expected")),
    ]  # fmt: skip
    return [*rows, *_goal(content.goal), *_estimates(content.estimates)]


def _idle_text(waits: ServiceLevel) -> str:
    if waits.idle_while_waiting_share is None:
        return "nobody waited"
    why = f": {causes_text(waits.idle_causes)}" if waits.idle_while_waiting_s else ""
    return f"{percent(waits.idle_while_waiting_share)} of all waiting was beside a free able agent{why}"


def _ginis(fair: Fairness) -> list[tuple[float | None, str]]:
    return [(fair.gini_coefficient, "interactions"), (fair.gini_seconds, "seconds"), (fair.gini_occupancy, "occupancy")]


def _goal(goal: GoalEffect | None) -> list[tuple[str, str]]:
    if goal is None:
        return []
    level = difference_text(goal.difference.service_level, "share")
    moves = f"weights changed {goal.n_moves:,} times; " if goal.performance == "rolling" else ""
    return [("goal", f"{goal.goal}, performance {goal.performance}: {moves}service level with less without the "
             f"rules {level}; {goal.note}")]  # fmt: skip


def _goal_text(waits: ServiceLevel) -> str:
    seconds = sorted({queue.goal_s for queue in waits.by_queue})
    return f"{waits.goal} (within {', '.join(f'{s:g}' for s in seconds[:MOST_ROWS])} s)"


def _estimates(estimates: Estimates) -> list[tuple[str, str]]:
    """What was assumed, a line each."""
    staffed, handled, patient = estimates.staffing, estimates.handling, estimates.patience
    return [
        ("staffing", f"{staffed.source}: {number(staffed.agents)} agents, {number(staffed.blocks)} blocks, "
         f"{number(staffed.hours)} hours" + _inferring(staffed)),
        ("handling times", f"{handled.how}; {percent(handled.share_drawn)} drawn, as they are not recorded"
         + (f"; {handled.acw_s:g} s of after-call work added where none is recorded" if handled.acw_s else "")),
        ("patience", _patience(patient)),
    ]  # fmt: skip


def _patience(patient: PatienceEstimate) -> str:
    if not patient.replays_abandonment:
        return patient.how
    lost = patient.counts.abandoned_without_wait
    return (
        f"{percent(patient.share_drawn)} drawn beyond the recorded wait, "
        f"{percent(patient.share_from_tail)} of all from the tail of a curve"
        + (f"; {number(lost)} abandoned without a recorded wait" if lost else "")
    )


def _inferring(staffed: StaffingEstimate) -> str:
    if staffed.source != "inferred":
        return ""
    return f"; join gap {staffed.join_gap_s:g} s, lead {staffed.lead_s:g} s, tail {staffed.tail_s:g} s"


def _details(report: Report, waits: ServiceLevel) -> list[Grid]:
    tables = []
    if len(waits.by_queue) > 1:
        tables.append(_grid_of("By queue", [(_with_goal(row), row) for row in waits.by_queue]))
    busiest = sorted(waits.by_interval, key=lambda row: -(row.mean_wait_s or 0) * row.offered)[:MOST_ROWS]
    if busiest:
        title = f"Where most was waited ({report.scenario.interval_min} minutes)"
        tables.append(_grid_of(title, [(f"{row.start:%a %Y-%m-%d %H:%M}", row) for row in busiest]))
    tables.append(_agents(report))
    return tables


def _with_goal(row: QueueWaits) -> str:
    """A queue and its goal, as planners write it."""
    name = short(row.queue_name or row.queue_id)
    return name if row.goal_share is None else f"{name} ({100 * row.goal_share:g}/{row.goal_s:g})"


def _grid_of(title: str, records: Sequence[tuple[str, QueueWaits | IntervalWaits]]) -> Grid:
    columns = [
        ("", "left"),
        *((name, "right") for name in ("offered", "answered", "abandoned", "service level", "ASA, s")),
    ]
    rows = [
        [label, *(number(n) for n in (row.offered, row.answered, row.abandoned)),
         cell(row.service_level, "share"), cell(row.asa_s, "seconds")]
        for label, row in records
    ]  # fmt: skip
    return grid(title, columns, rows)


def _agents(report: Report) -> Grid:
    chosen = most_handled(report.agents)
    rows = [
        [named(agent.agent_id, agent.agent_name), number(agent.handled), number(agent.eligible),
         cell(agent.occupancy, "share"), number((agent.handled_s or 0.0) / 3600, 1)]
        for agent in chosen
    ]  # fmt: skip
    columns = [
        ("agent", "left"),
        *((name, "right") for name in ("answered", "eligible for", "occupancy", "handled hours")),
    ]
    first = f", the {len(chosen)} with most" if len(chosen) < len(report.agents) else ""
    return grid(f"Agents{first}", columns, rows)
