"""Replays as tables for people: what was, what today's rule gives, what the scenario gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.terminal.show import (
    console,
    facts,
    grid,
    interval_text,
    most_handled,
    named,
    number,
    percent,
    satisfaction_text,
    show_report,
    three,
)
from engine.measures.fairness import Fairness
from engine.reports.report import Report

COLORS = {"green": "green", "red": "red", "unknown": "yellow"}
MOST_ROWS = 5
# Measure, heading, kind of number.
ROWS = (
    ("offered", "offered", "count"), ("answered", "answered", "count"), ("abandoned", "abandoned", "count"),
    ("flowed_out", "flowed out", "count"), ("unserved", "unserved", "count"),
    ("service_level", "service level", "share"), ("asa_s", "ASA, s", "seconds"),
    ("mean_wait_s", "mean wait, s", "seconds"), ("abandonment", "abandonment", "share"),
    ("occupancy", "occupancy", "share"), ("gini", "Gini of interactions", "plain"),
)  # fmt: skip
HEADINGS = {"recorded": "recorded", "today": "today's rule, replayed", "scenario": "scenario"}


def show(report: Report) -> None:
    """What a planner reads after a run, whatever its mode.

    Parameters
    ----------
    report : Report
        Of any scenario.
    """
    (show_report if report.replay is None else show_replay)(report)


def show_replay(report: Report) -> None:
    """What a planner reads after a replay.

    Parameters
    ----------
    report : Report
        Of a scenario in mode replay.
    """
    out, content = console(), report.replay or {}
    out.print(f"\n[bold]{content['headline']}[/bold]\n")
    lit = content["light"]
    out.print(f"[bold {COLORS[lit['color']]}]{lit['color'].upper()}[/] {lit['why']}")
    out.print()
    out.print(columns_table(content))
    out.print(f"[bold]{content['verdict']}[/bold]")
    if content["replications"] > 1:
        out.print("What follows is the first of the draws, as in outcomes.arrow.", style="dim")
    out.print()
    out.print(facts("", _summary(report)))
    out.print()
    for table in _details(report):
        out.print(table)
    for warning in [*report.warnings, *report.fairness.warnings]:
        out.print(f"[yellow]note[/yellow] {warning}")


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


def columns_table(content: dict[str, Any]) -> Any:
    """Columns side by side, with the paired difference of the last against the one before it."""
    columns, differences = content["columns"], content.get("differences") or {}
    rows = []
    for name, heading, kind in ROWS:
        if name in {"flowed_out", "unserved"} and not any(column[name] for column in columns):
            continue
        label = heading
        if name == "occupancy" and content["estimates"]["staffing"]["source"] == "inferred":
            label = "occupancy, inferred"
        cells = [label, *(cell(column[name], kind) for column in columns)]
        rows.append([*cells, difference_text(differences.get(name), kind)])
    headings = [("", "left"), *((HEADINGS.get(c["name"], c["name"]), "right") for c in columns)]
    draws = content["replications"]
    title = "The same customers" + (f", mean of {draws} draws of what is not recorded" if draws > 1 else "")
    return grid(title, [*headings, ("scenario less today's rule, 95 %", "left")], rows)


def difference_text(difference: dict[str, Any] | None, kind: str) -> str:
    """A paired difference with its interval, as people read it."""
    if not difference or difference["value"] is None:
        return "-"
    scale, unit, digits = {"share": (100, " points", 1), "seconds": (1, " s", 1)}.get(kind, (1, "", 3))
    text = f"{scale * difference['value']:+.{digits}f}{unit}"
    if difference["low"] is None:
        return text
    low, high = (f"{scale * difference[side]:+.{digits}f}" for side in ("low", "high"))
    return f"{text} ({low} to {high}): {difference['says']}"


def _summary(report: Report) -> list[tuple[str, str]]:
    waits, snapshot, content = report.service_level or {}, report.snapshot, report.replay or {}
    columns = content["columns"]
    rows = [
        ("snapshot", f"{snapshot['id']}  {interval_text(snapshot)}"),
        ("today's rule", columns[1]["rule"]), ("scenario", columns[-1]["rule"]),
        ("service level", f"{waits['definition']}, goal {_goal_text(waits)}"),
        ("waits of answered", ", ".join(f"{share} % within {cell(waits['answered_wait_s'][f'p{share}'], 'seconds')} s"
                                        for share in (50, 90, 95, 99))),
        ("choice", f"{percent(waits['choice_share'])} of the interactions found two or more eligible agents free; "
         "for the rest the rule decides nothing about who answers"),
        ("idle while waiting",
         f"{percent(waits['idle_while_waiting_share'])} of all waiting was beside a qualified idle agent"),
        ("sharing", report.fairness.verdict),
        ("", "Gini " + ", ".join(f"{three(value)} of {what}" for value, what in _ginis(report.fairness))),
        ("satisfaction", satisfaction_text(report.csat, "expected")),
    ]  # fmt: skip
    return [*rows, *_goal(content), *_estimates(content["estimates"])]


def _ginis(fair: Fairness) -> list[tuple[float | None, str]]:
    return [(fair.gini_coefficient, "interactions"), (fair.gini_seconds, "seconds"), (fair.gini_occupancy, "occupancy")]


def _goal(content: dict[str, Any]) -> list[tuple[str, str]]:
    goal = content["goal"]
    if not goal:
        return []
    level = difference_text(goal["difference"].get("service_level"), "share")
    moves = f"weights changed {goal['n_moves']:,} times; " if goal["performance"] == "rolling" else ""
    return [("goal", f"{goal['goal']}, performance {goal['performance']}: {moves}service level with less without the "
             f"rules {level}; {goal['note']}")]  # fmt: skip


def _goal_text(waits: dict[str, Any]) -> str:
    seconds = sorted({queue["goal_s"] for queue in waits["by_queue"]})
    return f"{waits['goal']} (within {', '.join(f'{s:g}' for s in seconds[:MOST_ROWS])} s)"


def _estimates(estimates: dict[str, Any]) -> list[tuple[str, str]]:
    """What was assumed, a line each."""
    staffed, handled, patient = (estimates[name] for name in ("staffing", "handling", "patience"))
    return [
        ("staffing", f"{staffed['source']}: {number(staffed['agents'])} agents, {number(staffed['blocks'])} blocks, "
         f"{number(staffed['hours'])} hours" + _inferring(staffed)),
        ("handling times", f"{handled['how']}; {percent(handled['share_drawn'])} drawn, as they are not recorded"
         + (f"; {handled['acw_s']:g} s of after-call work added where none is recorded" if handled["acw_s"] else "")),
        ("patience", f"{percent(patient['share_drawn'])} drawn beyond the recorded wait, "
         f"{percent(patient['share_from_tail'])} of all from the tail of a curve"),
    ]  # fmt: skip


def _inferring(staffed: dict[str, Any]) -> str:
    if staffed["source"] != "inferred":
        return ""
    return f"; join gap {staffed['join_gap_s']:g} s, lead {staffed['lead_s']:g} s, tail {staffed['tail_s']:g} s"


def _details(report: Report) -> list[Any]:
    waits = report.service_level or {}
    tables = []
    if len(waits["by_queue"]) > 1:
        tables.append(_grid_of("By queue", waits["by_queue"], lambda row: row["queue_name"] or row["queue_id"]))
    busiest = sorted(waits["by_interval"], key=lambda row: -(row["mean_wait_s"] or 0) * row["offered"])[:MOST_ROWS]
    if busiest:
        minutes = report.scenario.interval_min
        tables.append(_grid_of(f"Where most was waited ({minutes} minutes)", busiest, lambda row: _clock(row["start"])))
    tables.append(_agents(report))
    return tables


def _clock(start: str) -> str:
    return datetime.fromisoformat(start).strftime("%a %Y-%m-%d %H:%M")


def _grid_of(title: str, records: list[dict[str, Any]], label: Any) -> Any:
    columns = [
        ("", "left"),
        *((name, "right") for name in ("offered", "answered", "abandoned", "service level", "ASA, s")),
    ]
    rows = [
        [label(row), *(number(row[name]) for name in ("offered", "answered", "abandoned")),
         cell(row["service_level"], "share"), cell(row["asa_s"], "seconds")]
        for row in records
    ]  # fmt: skip
    return grid(title, columns, rows)


def _agents(report: Report) -> Any:
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
