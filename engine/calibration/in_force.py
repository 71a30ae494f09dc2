"""The rule in force as a log shows it, read into a data set before it is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from engine.data.arrays import Arrays
from engine.data.centre import Centre
from engine.results import about


@dataclass(frozen=True)
class ClassPoints:
    """What a recorded priority is worth."""

    priority: float = about("As recorded. [points]")
    points: float = about("As it counts in a replay. [points]")


@dataclass(frozen=True)
class InForce:
    """What a calibration found of the rule in force, beside the assumptions."""

    priorities: list[ClassPoints] = about("Recorded priorities that count otherwise; empty: all count as recorded.")

    @classmethod
    def of(cls, said: Any) -> InForce:
        """As a calibration file holds it; nothing where it holds none.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        rows = (said or {"priorities": []})["priorities"]
        return cls([ClassPoints(float(row["priority"]), float(row["points"])) for row in rows])

    def applied(self, arrays: Arrays) -> Arrays:
        """A data set as this rule reads it; the record stays as it is.

        Parameters
        ----------
        arrays : Arrays
            Of the centre whose rule it is; classes it does not know are left in proportion.

        Returns
        -------
        Arrays
            With what was changed among the assumptions of its summary.
        """
        if not self.priorities:
            return arrays
        said = "Priorities count as calibrated: " + ", ".join(
            f"{one.priority:g} as {one.points:g} points" for one in self.priorities
        )
        centre, snapshot = _with_priorities(arrays.centre, self.priorities), arrays.snapshot
        return replace(
            arrays, centre=centre, snapshot=replace(snapshot, assumptions=[*snapshot.assumptions, said])
        )  # fmt: skip


def _with_priorities(centre: Centre, known: Sequence[ClassPoints]) -> Centre:
    recorded, points = (np.array([getattr(one, name) for one in known]) for name in ("priority", "points"))
    given = centre.call_types["priority"].to_numpy()
    # Beyond the classes that were seen a point is a point, so that order and distances stay as recorded.
    beyond = np.minimum(given - recorded[0], 0.0) + np.maximum(given - recorded[-1], 0.0)
    counted = np.interp(given, recorded, points) + beyond
    return replace(centre, call_types=centre.call_types.with_columns(priority=pl.Series(counted)))
