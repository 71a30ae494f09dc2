"""How close a replay is to the record: measures of sums by group, their errors, and one loss for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.measures.light import ASA_OFF, SERVICE_LEVEL_OFF
from engine.results import or_null
from engine.typing import FloatArray, IntArray

# What a calibration says of its loss.
LOSS = (
    "The loss of a replay is the root mean square of nine distances: ASA, abandonment and service level, each "
    "as a whole (off, in units of the limits of the light: 20 % of the ASA, 5 points), by day and by half hour "
    "of arrival (root mean square error over the recorded spread, weighted by interactions). At 1 a replay is "
    "as far off as the light allows, and by day and half hour no better than one number for all."
)
# Measures of which the loss is made: what is summed, and over what.
MEASURES = {
    "asa_s": ("answered_wait_s", "answered"),
    "abandonment": ("abandoned", "offered"),
    "service_level": ("within", "counted"),
}
SHOWN = MEASURES | {"mean_wait_s": ("wait_s", "waits")}
GRAINS = ("whole", "day", "half_hour")
# Abandonment takes the limit of the service level, not its narrower own: a loss weighs shares alike.
LIMITS = {"asa_s": ASA_OFF, "abandonment": SERVICE_LEVEL_OFF, "service_level": SERVICE_LEVEL_OFF}
_LEAST_SPREAD = 1e-9
Parts = dict[str, FloatArray]
# By grain, then measure; None where undefined.
Distances = dict[str, dict[str, float | None]]


def by_group(parts: Parts, group: IntArray, n_groups: int) -> Parts:
    """Sums by group of sums by row."""
    return {name: np.bincount(group, part, n_groups).astype(float) for name, part in parts.items()}


def measure(parts: Parts, name: str) -> FloatArray:
    """A measure (of `SHOWN`) of sums, NaN where there is nothing to divide by."""
    above, below = (parts[part] for part in SHOWN[name])
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)


@dataclass(frozen=True)
class Errors:
    """How a measure differs over groups: root mean square error, recorded spread, correlation; None where undefined."""

    rmse: float | None
    spread: float | None
    correlation: float | None


def errors(simulated: Parts, recorded: Parts, name: str) -> Errors:
    """Root mean square error of a measure over groups, weighted by what was recorded."""
    mine, theirs = measure(simulated, name), measure(recorded, name)
    known = ~np.isnan(mine) & ~np.isnan(theirs)
    if not known.any():
        return Errors(None, None, None)
    # By what was recorded: a half hour of three calls must not weigh as much as one of three hundred.
    weight = recorded[SHOWN[name][1]][known]
    weight = weight / weight.sum()
    mine, theirs = mine[known], theirs[known]
    a, b = mine - weight @ mine, theirs - weight @ theirs
    spread, own_spread = (float(np.sqrt(weight @ side**2)) for side in (b, a))
    varies = min(spread, own_spread) > _LEAST_SPREAD
    return Errors(
        rmse=float(np.sqrt(weight @ (mine - theirs) ** 2)),
        spread=spread if spread > _LEAST_SPREAD else None,
        correlation=float(weight @ (a * b)) / (spread * own_spread) if varies else None,
    )


def distances(simulated: Parts, recorded: Parts, day_of_cell: IntArray) -> Distances:
    """How far a replay is from the record, in units that can be added.

    As a whole in units of the limit (the ASA's is a share of the recorded one, of at least 1 s); by day and half hour
    the root mean square error over the recorded spread.

    Examples
    --------
    >>> names = {name for pair in SHOWN.values() for name in pair}
    >>> recorded = {name: np.array([10.0, 10.0]) for name in names} | {"within": np.array([4.0, 8.0])}
    >>> found = distances(recorded | {"within": np.array([5.0, 8.0])}, recorded, np.array([0, 1]))
    >>> round(found["whole"]["service_level"], 6), round(found["day"]["service_level"], 3)
    (1.0, 0.354)
    """
    n_days = int(day_of_cell.max(initial=-1)) + 1
    whole = np.zeros(day_of_cell.size, np.int64)
    sides = {
        "whole": [by_group(side, whole, 1) for side in (simulated, recorded)],
        "day": [by_group(side, day_of_cell, n_days) for side in (simulated, recorded)],
        "half_hour": [simulated, recorded],
    }
    found: Distances = {grain: {} for grain in GRAINS}
    for name in MEASURES:
        mine, theirs = (float(measure(side, name)[0]) for side in sides["whole"])
        # Where hardly anybody waits 20 % of the ASA would be less than a replay can be right by.
        limit = LIMITS[name] * (max(theirs, 1.0) if name == "asa_s" else 1.0)
        found["whole"][name] = or_null((mine - theirs) / limit)
        for grain in GRAINS[1:]:
            error = errors(sides[grain][0], sides[grain][1], name)
            found[grain][name] = error.rmse / error.spread if error.rmse is not None and error.spread else None
    return found


def loss(found: Distances) -> float:
    """One number for all distances.

    Examples
    --------
    >>> loss({"whole": {"asa_s": 4.0}, "day": {"asa_s": None}, "half_hour": {"asa_s": 2.0}}) ** 2
    10.000000000000002
    """
    means = []
    for grain in GRAINS:
        # Squares, so that one large miss counts more than several small ones; grains first, as each has an equal say.
        squares = [value**2 for value in found[grain].values() if value is not None]
        means += [np.mean(squares)] if squares else []
    return float(np.sqrt(np.mean(means))) if means else 0.0
