"""Comparisons of rules as tables for people."""

from __future__ import annotations

from typing import Any

from api.terminal.show import console, grid, satisfaction_text
from api.terminal.show_replay import COLORS, HEADINGS, ROWS, cell, difference_text
from engine.reports.compare import Comparison

SIDES = {
    "recorded": "Recorded handling times hold for every agent",
    "agent": "Handling times change with the agent (estimated factors)",
}


def show_comparison(comparison: Comparison) -> None:
    """What a planner reads after a comparison.

    Parameters
    ----------
    comparison : Comparison
        Of two rules or more.
    """
    out = console()
    for side in comparison.sides:
        lit = side["light"]
        out.print(f"\n[bold]{SIDES[side['handling']]}[/bold]")
        out.print(f"[bold {COLORS[lit['color']]}]{lit['color'].upper()}[/] {lit['why']}")
        out.print(_columns(side))
        out.print(_differences(side))
        for rule, csat in zip(side["differences"], side["satisfaction"], strict=True):
            said = satisfaction_text(csat, "expected")
            out.print(f"satisfaction of {rule['rule']} against {rule['against']}: {said}")
    out.print("\n[bold]Verdict[/bold] (what holds under both)")
    for verdict in comparison.verdicts:
        out.print(f"  {verdict['rule']} against {comparison.scenarios[0]['method']}: {verdict_text(verdict)}")
    for warning in comparison.warnings:
        out.print(f"[yellow]note[/yellow] {warning}")


def verdict_text(verdict: dict[str, Any]) -> str:
    """One line: a word for every measure, or why there is none.

    Examples
    --------
    >>> verdict_text({"rule": "weighted", "asa_s": "better", "gini": "not determined"})
    'ASA, s better; Gini of interactions not determined'
    """
    if "withheld" in verdict:
        why = str(verdict["withheld"])
        return why if why.startswith("not determined") else f"withheld: {why}"
    return "; ".join(f"{heading} {verdict[name]}" for name, heading, _ in ROWS if name in verdict)


def _columns(side: dict[str, Any]) -> Any:
    columns = side["columns"]
    rows = []
    for name, heading, kind in ROWS:
        if name in {"flowed_out", "unserved"} and not any(column[name] for column in columns):
            continue
        rows.append([heading, *(_with_interval(column, name, kind) for column in columns)])
    headings = [("", "left"), *((_heading(column["name"], side["today"]), "right") for column in columns)]
    some = any(spread for column in columns for spread in column["intervals"].values())
    return grid("The same customers" + (", with 95 % intervals" if some else ""), headings, rows)


def _heading(name: str, today: str) -> str:
    return f"{name} (today's rule)" if name == today != "today" else HEADINGS.get(name, name)


def _with_interval(column: dict[str, Any], name: str, kind: str) -> str:
    spread = column["intervals"].get(name)
    text = cell(column[name], kind)
    if not spread:
        return text
    low, high = (cell(spread[side], kind).removesuffix(" %") for side in ("low", "high"))
    return f"{text} ({low} to {high})"


def _differences(side: dict[str, Any]) -> Any:
    rows = [
        [rule["rule"], heading, difference_text(rule.get(name), kind)]
        for rule in side["differences"]
        for name, heading, kind in ROWS
        if name in rule
    ]
    against = side["differences"][0]["against"]
    return grid(f"Less {against}, paired", [("rule", "left"), ("", "left"), ("difference (95 %)", "left")], rows)
