"""Stated floors: how bad a ratio may get before a change is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Row
from benchmarks.replay.growth import growths
from engine.typing import Record

FILE = Path(__file__).with_name("floor.json")


def stated() -> Record:
    """The floors that belong to this version of the program."""
    floor: Record = json.loads(FILE.read_text(encoding="utf-8"))
    return floor


def check(rows: Sequence[Row], floor: Record) -> list[str]:
    """Compare measured ratios with floors.

    Rows without a floor are passed over, floors without a row too. `factor` says how many times worse a ratio may
    be, since machines differ and are shared; `growth_at_most` bounds the exponents of the cost per interaction
    against agents, by family. One sentence per ratio that is too bad.
    """
    measured = {(row.workload, row.size, row.phase): row for row in rows}
    said = []
    compared = 0
    for one in floor["floors"]:
        row = measured.get((one["workload"], one["size"], one["phase"]))
        if row is not None:
            compared += 1
            said += _worse(row, one, floor["factor"])
    for growth in growths(rows):
        compared += 1
        most = floor["growth_at_most"][growth.family]
        if growth.exponent > most:
            said.append(f"{growth}; the floor is an exponent of at most {most:g}")
    return said if compared else ["nothing was compared: none of the phases that were run has a floor; try --short"]


def _worse(row: Row, one: Record, factor: float) -> list[str]:
    name = f"{row.workload} {row.size} {row.phase}"
    said = []
    most = one.get("plain_at_most")
    if most is not None and row.plain_ratio.median > most * factor:
        said.append(
            f"{name}: takes {row.plain_ratio.median:.3g} times as long as {row.plain} the same; "
            f"the floor is {most:g}, with the factor {factor:g} at most {most * factor:g}"
        )
    least = one.get("baseline_at_least")
    if least is not None and (row.baseline_ratio is None or row.baseline_ratio < least / factor):
        said.append(
            f"{name}: {row.baseline_ratio or 0:.4g} times as fast as {row.baseline}; "
            f"the floor is {least:g}, with the factor {factor:g} at least {least / factor:.4g}"
        )
    peak = one.get("peak_mib_at_most")
    if peak is not None and row.peak_mib is not None and row.peak_mib > peak:
        said.append(f"{name}: needs {row.peak_mib:.0f} MiB of memory, at most {peak:g} MiB are allowed")
    return said
