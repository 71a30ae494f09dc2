"""Comparisons of rules as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from api.terminal.shown.page import Grid, Page, grid, note, styled
from api.terminal.shown.pieces import satisfaction_text
from api.terminal.shown.replay import HEADINGS, ROWS, WITHHELD, cell, difference_text, lit_text, shown_rows
from engine.reports.compare import Comparison, RuleDifferences, Side, Verdict
from engine.reports.replay import MEASURES, ReplayColumn

SIDES = {
    "recorded": "Recorded handling times hold for every agent",
    "agent": "Handling times change with the agent (estimated factors)",
}
# Names that stand side by side.
MOST_BESIDE = 6


def show_comparison(comparison: Comparison) -> None:
    """What a planner reads after a comparison of two rules or more."""
    out = Page()
    out.print()
    out.print(lit_text(comparison.light))
    for side in comparison.sides:
        out.print()
        out.print(SIDES[side.handling], style="bold")
        out.print(_columns(side))
        # Where nothing differs at all the verdict says so in a sentence.
        if some := [rule for rule in side.differences if not rule.is_nothing]:
            out.print(_differences(some))
        for rule, csat in zip(side.differences, side.satisfaction, strict=True):
            said = satisfaction_text(csat, "expected")
            out.print(f"satisfaction of {rule.rule} against {rule.against}: {said}")
    out.print()
    out.print(styled("bold", "Verdict", " (what holds under both)"))
    for verdict in comparison.verdicts:
        out.print(f"  {verdict.rule} against {verdict.against}: {verdict_text(verdict)}")
    for warning in comparison.warnings:
        out.print(note(warning))


def verdict_text(verdict: Verdict) -> str:
    """One line: a word for every measure, or why there is none.

    Examples
    --------
    >>> verdict_text(Verdict(rule="weighted", against="genesys", asa_s="better", gini="not determined", about=""))
    'ASA, s better; Gini of interactions not determined'
    """
    if verdict.nothing is not None:
        return verdict.nothing
    why = verdict.withheld
    if why is not None:
        return why if why.startswith("not determined") else WITHHELD
    said = [(heading, getattr(verdict, name)) for name, heading, _ in ROWS if name in MEASURES]
    return "; ".join(f"{heading} {word}" for heading, word in said if word)


def _columns(side: Side) -> Grid:
    columns = side.columns
    rows = []
    for name, heading, kind in shown_rows(columns):
        rows.append([heading, *(_with_interval(column, name, kind) for column in columns)])
    some = any(spread for column in columns for spread in vars(column.intervals).values())
    title = "The same customers" + (", with 95 % intervals" if some else "")
    return _beside(title, [_heading(column.name, side.today) for column in columns], rows)


def _beside(title: str, names: list[str], rows: list[list[str]]) -> Grid:
    """A column for each name; of many names a row for each, since a page is longer than wide."""
    if len(names) > MOST_BESIDE:
        turned = zip(names, *(cells for _, *cells in rows), strict=True)
        names, rows = [heading for heading, *_ in rows], [list(row) for row in turned]
    return grid(title, [("", "left"), *((name, "right") for name in names)], rows)


def _heading(name: str, today: str | None) -> str:
    return f"{name} (today's rule)" if name == today != "today" else HEADINGS.get(name, name)


def _with_interval(column: ReplayColumn, name: str, kind: str) -> str:
    spread = getattr(column.intervals, name, None)
    text = cell(getattr(column, name), kind)
    if not spread:
        return text
    low, high = (cell(end, kind).removesuffix(" %") for end in (spread.low, spread.high))
    return f"{text} ({low} to {high})"


def _differences(rules: Sequence[RuleDifferences]) -> Grid:
    title = f"Less {rules[0].against}, paired"
    if len(rules) > MOST_BESIDE:
        measured = [row for row in ROWS if row[0] in MEASURES]
        cells = [[heading, *(difference_text(getattr(rule, name), kind) for rule in rules)]
                 for name, heading, kind in measured]  # fmt: skip
        return _beside(f"{title}, 95 %", [rule.rule for rule in rules], cells)
    rows = [
        [rule.rule, heading, difference_text(getattr(rule, name), kind)]
        for rule in rules
        for name, heading, kind in ROWS
        if name in MEASURES
    ]
    return grid(title, [("rule", "left"), ("", "left"), ("difference (95 %)", "left")], rows)
