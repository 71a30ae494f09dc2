"""What a benchmark measured, for people."""

from __future__ import annotations

from collections.abc import Sequence

from api.terminal.shown.page import Grid, Page, grid, styled
from benchmarks.measure import ROW_BY_ROW, Row
from benchmarks.run import Results, remarks

# The table has many columns.
PIPED_COLUMNS = 160
COLUMNS = (
    ("workload", "left"), ("size", "left"), ("phase", "left"), ("time", "right"), ("times as long as plain", "right"),
    ("plain", "left"), ("times the baseline's speed", "right"), ("ns a pair", "right"), ("M/s", "right"),
    ("peak MiB", "right"),
)  # fmt: skip


def show_results(results: Results, failures: Sequence[str]) -> None:
    """The ratios, what was not measured, and what is worse than its floor allows."""
    out = Page(PIPED_COLUMNS)
    out.print(_table(results.rows))
    for remark in remarks(results):
        out.print(remark)
    for missing in results.missing:
        out.print(styled("yellow", "not measured:", f" {missing}"))
    for failure in failures:
        out.print(styled("red", "too slow:", f" {failure}"))


def _table(rows: Sequence[Row]) -> Grid:
    cells = [
        [
            row.workload, row.size, row.phase, _time(row.took_s.median),
            f"{row.plain_ratio.median:.3g} ({row.plain_ratio.low:.3g} to {row.plain_ratio.high:.3g})", row.plain,
            _baseline(row), "" if row.pair_ns is None else f"{row.pair_ns:.3g}",
            "" if row.per_s is None or row.p99_s is not None else f"{row.per_s / 1e6:.2f}",
            "" if row.peak_mib is None else f"{row.peak_mib:,.0f}",
        ]
        for row in rows
    ]  # fmt: skip
    return grid("Ratios within this run: median (smallest to largest)", COLUMNS, cells)


def _baseline(row: Row) -> str:
    if row.baseline_ratio is None:
        return ""
    return f"{row.baseline_ratio:,.0f}" + ("" if row.baseline == ROW_BY_ROW else f" ({row.baseline})")


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
