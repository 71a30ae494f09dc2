"""Cost per interaction against the number of agents: fitted exponents, and a plot of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from benchmarks.measure import Row
from benchmarks.replay.workloads import REPLAYS
from engine.typing import Record

FEWEST_POINTS = 3
WIDTH, HEIGHT, MARGIN = 640, 400, 64
COLOURS = ("#0b62a4", "#b3420a", "#3d7a35", "#6b4c9a")


@dataclass(frozen=True)
class Growth:
    """How the cost of a family of centres grows.

    Parameters
    ----------
    family, size : str
        Which centres, and how many interactions.
    n_agents : tuple of int
        Of each centre, rising.
    cost_ns : tuple of float
        Time per interaction of each. [ns]
    """

    family: str
    size: str
    n_agents: tuple[int, ...]
    cost_ns: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Slope of a straight line through the logarithms: 1 is growth like the number of agents, 0 none."""
        slope, _ = np.polyfit(np.log(self.n_agents), np.log(self.cost_ns), 1)
        return float(slope)

    def __str__(self) -> str:
        points = ", ".join(f"{ns:.0f} ns at {n:,}" for n, ns in zip(self.n_agents, self.cost_ns, strict=True))
        return f"{self.family} {self.size}: cost per interaction grows like agents^{self.exponent:.2f} ({points})"

    def to_dict(self) -> Record:
        """All numbers as plain values."""
        return {
            "family": self.family, "size": self.size, "n_agents": list(self.n_agents), "cost_ns": list(self.cost_ns),
            "exponent": self.exponent,
        }  # fmt: skip


def growths(rows: Sequence[Row]) -> list[Growth]:
    """Families of which at least three centres were measured.

    Parameters
    ----------
    rows : sequence of Row
        What was measured.

    Returns
    -------
    list of Growth
        One per family and size.

    Examples
    --------
    >>> growths([])
    []
    """
    points: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        played = REPLAYS.get(row.workload)
        if played is not None and played.family and row.phase == "replay":
            cost_ns = 1e9 * row.took_s.median / row.n_interactions
            points.setdefault((played.family, row.size), {})[played.n_agents] = cost_ns
    return [
        Growth(family, size, tuple(sorted(costs)), tuple(costs[n_agents] for n_agents in sorted(costs)))
        for (family, size), costs in points.items()
        if len(costs) >= FEWEST_POINTS
    ]


def svg(found: Sequence[Growth]) -> str:
    """Plot costs against agents, both on logarithmic axes.

    Parameters
    ----------
    found : sequence of Growth
        At least one.

    Returns
    -------
    str
        An SVG document.
    """
    agents = [n for growth in found for n in growth.n_agents]
    costs = [ns for growth in found for ns in growth.cost_ns]
    x, y = _axis(agents, MARGIN, WIDTH - MARGIN), _axis(costs, HEIGHT - MARGIN, MARGIN)
    parts = [_text(WIDTH / 2, HEIGHT - 14, "agents", "middle"), _text(10, MARGIN - 24, "ns per interaction")]
    for n in _ticks(agents):
        parts += [
            _line([(x(n), y(min(costs))), (x(n), y(max(costs)))], "#ddd"),
            _text(x(n), HEIGHT - 36, f"{n:,}", "middle"),
        ]
    for ns in _ticks(costs):
        parts += [_line([(x(min(agents)), y(ns)), (x(max(agents)), y(ns))], "#ddd"), _text(10, y(ns) + 4, f"{ns:,}")]
    for place, growth in enumerate(found):
        colour = COLOURS[place % len(COLOURS)]
        spots = [(x(n), y(ns)) for n, ns in zip(growth.n_agents, growth.cost_ns, strict=True)]
        parts += [
            _line(spots, colour),
            *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in spots),
        ]
        label = f"{growth.family} {growth.size}: agents^{growth.exponent:.2f}"
        parts.append(_text(MARGIN + 10, MARGIN + 18 * (place + 1), label, colour=colour))
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>\n"])


def _axis(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = np.log(min(values)), np.log(max(values))
    return lambda value: float(start + (end - start) * (np.log(value) - low) / max(high - low, 1e-9))


def _ticks(values: Sequence[float]) -> list[int]:
    """1, 2, 5, 10, ... within the values."""
    steps = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    return [tick for tick in steps if min(values) <= tick <= max(values)]


def _line(spots: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _text(x: float, y: float, said: str, anchor: str = "start", colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(said)}</text>'
