"""Draw the picture of the README from real runs: `python docs/picture.py`, after the demo.

Service level by half hour of the day: as recorded, today's rule replayed, and a scenario.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import routelab  # noqa: E402

ZONE = "Asia/Jerusalem"
SCENARIO = "calls a tenth shorter"
WITHIN_S, FEWEST = 20.0, 2000
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 360, 60, 20, 92, 44
INK, QUIET, RULE = "#1f2328", "#57606a", "#d8dee4"
COLORS = {"recorded": INK, "today": "#0969da", "scenario": "#bc4c00"}


def level(rows: pl.DataFrame) -> pl.DataFrame:
    """Share answered in time of those answered or abandoned, by half hour of the local day."""
    in_time = (pl.col("status") == "answered") & (pl.col("wait_s") <= WITHIN_S)
    counted = rows.filter(pl.col("status").is_in(["answered", "abandoned"])).with_columns(
        local=pl.col("arrived_at").dt.convert_time_zone(ZONE)
    )
    hour = pl.col("local").dt.hour().cast(pl.Float64) + (pl.col("local").dt.minute() // 30) / 2
    found = counted.group_by(hour=hour).agg(share=in_time.mean(), n=pl.len()).sort("hour")
    return found.filter(pl.col("n") >= FEWEST)


def replayed(centre: routelab.Centre, **settings: Any) -> pl.DataFrame:
    """Outcomes of a replay."""
    rows = routelab.replay(centre, method="genesys", **settings).to_frame()
    return rows.with_columns(pl.col("status").cast(pl.String))


def text(x: float, y: float, said: str, *, anchor: str = "start", size: int = 13, color: str = QUIET) -> str:
    """A line of text."""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{color}" font-size="{size}" text-anchor="{anchor}">{said}</text>'


def drawn(lines: dict[str, pl.DataFrame], labels: dict[str, str]) -> str:
    """The picture as SVG."""
    known = lines["recorded"]["hour"]
    first, last = float(known.min()), float(known.max())  # type: ignore[arg-type]
    top = -(-max(float(line["share"].max()) for line in lines.values()) * 10 // 1) / 10  # type: ignore[arg-type]

    def x(hour: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (hour - first) / (last - first)

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share / top

    parts = [text(LEFT, 26, "Service level by half hour of the day", size=18, color=INK)]
    parts.append(
        text(LEFT, 46, "share answered within 20 s; seven made-up months of 252,290 calls, shaped like a bank's")
    )
    for step in range(round(10 * top) + 1):
        parts.append(f'<path d="M{LEFT} {y(step / 10):.1f}H{WIDTH - RIGHT}" stroke="{RULE}"/>')
        parts.append(text(LEFT - 8, y(step / 10) + 4, f"{10 * step} %", anchor="end"))
    hours = range(int(first), int(last) + 1, 2)
    parts += [text(x(hour), HEIGHT - BOTTOM + 22, f"{hour:02}:00", anchor="middle") for hour in hours]
    place = float(LEFT)
    for name, line in lines.items():
        points = [(x(hour), y(share)) for hour, share in line.select("hour", "share").iter_rows()]
        mark = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{COLORS[name]}"/>' for a, b in points)
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        stroke = f'<polyline points="{path}" fill="none" stroke="{COLORS[name]}" stroke-width="2.5"/>'
        parts.append(mark if name == "recorded" else stroke)
        key = f'<rect x="{place:.0f}" y="61" width="22" height="4" fill="{COLORS[name]}"/>'
        dot = f'<circle cx="{place + 14:.0f}" cy="63" r="4" fill="{COLORS[name]}"/>'
        parts.append(dot if name == "recorded" else key)
        parts.append(text(place + 29, 68, labels[name], color=INK))
        place += 52 + 7 * len(labels[name])
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, Helvetica, Arial, sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', *parts, "</svg>\n",
    ])  # fmt: skip


def main(to: Path) -> None:
    """Run both replays and write the picture."""
    centre = routelab.read("demo", store="data/snapshots")
    recorded = centre.table("interactions").select("arrived_at", "wait_s", status=pl.col("outcome").cast(pl.String))
    lines = {
        "recorded": level(recorded),
        "today": level(replayed(centre)),
        "scenario": level(replayed(centre, handle=0.9)),
    }
    labels = {"recorded": "recorded", "today": "today's rule, replayed", "scenario": f"scenario: {SCENARIO}"}
    to.write_text(drawn(lines, labels), encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).parent / "service-level.svg")
