"""Simulated beside exact and published, for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from api.terminal.shown.page import Grid, Line, Page, grid, styled
from benchmarks.validation.run import Compared

PIPED_COLUMNS = 140
NUMBERS = ("simulated", "standard error", "exact", "off by", "published, or between", "verdict")


def show_compared(compared: Sequence[Compared], took_s: float) -> None:
    """All numbers by model, and how many agree."""
    out = Page(PIPED_COLUMNS)
    out.print(_table(compared))
    out.print(f"{sum(one.agrees for one in compared)} of {len(compared)} agree; {took_s:.0f} s")


def _table(compared: Sequence[Compared]) -> Grid:
    rows: list[list[str | Line]] = []
    for model, of in groupby(compared, key=lambda one: one.model):
        some = list(of)
        rows += [[], [styled("bold", f"{some[0].case} {model}", f" ({some[0].n_days:,} independent runs)")]]
        rows += [[f"  {one.cell.name}", *_line(one)] for one in some]
    columns = [("case", "left"), *((name, "right") for name in NUMBERS)]
    return grid("Simulated beside exact and published", columns, rows)


def _line(one: Compared) -> list[str | Line]:
    published, bounds = one.cell.published, one.cell.bounds
    other = "" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g}"
    return [
        f"{one.simulated:.6g}", f"{one.error:.2g} ({one.error / abs(one.simulated or 1):.1%})",
        "" if one.cell.exact is None else f"{one.cell.exact:.6g}",
        "" if one.off is None else f"{one.off:+.1f} errors",
        other if published is None else f"{published.mean:g} ({published.low:g}, {published.high:g})",
        "agrees" if one.agrees else styled("red", "DIFFERS"),
    ]  # fmt: skip
