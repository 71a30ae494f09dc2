"""The scale of scores that a log keeps in `csat`: given in columns, or said at import; never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from engine.errors import InvalidScenario
from ingest.files.problems import Findings

_NUMBER = r"-?\d+(?:\.\d+)?"
_SCALE = re.compile(rf"\s*({_NUMBER})\s*(?:-|,|\.\.|:|to)\s*({_NUMBER})\s*")
_LARGEST = 1e9


@dataclass(frozen=True)
class Scale:
    """Lowest and highest possible score."""

    low: float
    high: float

    @classmethod
    def of(cls, given: object) -> Scale:
        """A scale as people write it: `1-5`, `0,100`, or (1, 5).

        Examples
        --------
        >>> Scale.of("1-5"), Scale.of((-2, 2))
        (Scale(low=1.0, high=5.0), Scale(low=-2.0, high=2.0))
        """
        found = _SCALE.fullmatch(given) if isinstance(given, str) else None
        pair = found.groups() if found else given
        try:
            low, high = (float(end) for end in pair)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            low = high = 0.0
        if isinstance(pair, str) or not -_LARGEST <= low < high <= _LARGEST:
            raise InvalidScenario(
                f"--csat-scale {given!r}: give the lowest and the highest possible score, for example 1-5"
            )
        return cls(low, high)


def with_scale(rows: pl.DataFrame, scale: Scale | None, findings: Findings) -> pl.DataFrame:
    """Interactions with a scale beside their scores, or a problem that names the option."""
    has_scores = "csat" in rows.columns
    own = [name for name in ("csat_min", "csat_max") if name in rows.columns]
    # A template's columns that nobody filled tell nothing.
    if empty := [name for name in own if rows[name].null_count() == rows.height]:
        rows = rows.drop(empty)
    own = [name for name in own if name not in empty]
    if scale is None:
        if has_scores and len(own) < 2 and rows["csat"].null_count() < rows.height:
            findings.file(
                "column csat has scores without a scale; add columns csat_min and csat_max, the lowest and the highest "
                "possible score, or give --csat-scale 1-5"
            )
            return rows.drop("csat", *own)
        return rows
    if own:
        findings.file(f"column {own[0]} and --csat-scale both tell the scale of csat; keep one")
    if not has_scores:
        findings.file("--csat-scale is given, but there is no column csat; leave the option out, or add the column")
    return rows if own or not has_scores else rows.with_columns(csat_min=pl.lit(scale.low), csat_max=pl.lit(scale.high))
