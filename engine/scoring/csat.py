"""Mean survey score of each agent, as it was known on each day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.centre import Surveys
from engine.data.wall_time import DAY_US
from engine.typing import FloatArray, IntArray

MADE_UP = "the surveys are made up: they move choices here but say nothing about customers"
QUEUE_MEAN = "queue-mean"
NEUTRAL = 0.5


@dataclass(frozen=True)
class CsatTable:
    """Agent means by day, only for days on which something changed.

    Parameters
    ----------
    mean : (n_rows, n_agents) array of float
        0-1; NaN where no survey is known yet.
    fill : (n_rows, n_queues) array of float
        What stands in for an agent without surveys.
    days : (n_rows - 1,) array of int64
        Row r holds from the day after days[r - 1]; empty where one row serves all days.
    n_surveys : (n_rows, n_agents) array of int64
        Surveys behind each mean.
    """

    mean: FloatArray
    fill: FloatArray
    days: IntArray
    n_surveys: IntArray

    def row_of(self, day: int) -> int:
        """Row that holds on a UTC day."""
        return int(np.searchsorted(self.days, day, side="left"))


def csat_table(
    surveys: Surveys,
    n_agents: int,
    n_queues: int,
    *,
    as_of: bool = True,
    missing: float | str = NEUTRAL,
    shrinkage: float = 0.0,
) -> CsatTable:
    """Mean rescaled survey score by agent, as of the start of each UTC day or over all surveys.

    Parameters
    ----------
    surveys : Surveys
        Answers, each rescaled by its own scale.
    n_agents, n_queues : int
        Sizes of the axes.
    as_of : bool
        True: only surveys completed before the day began. False: every survey, one row.
    missing : float or "queue-mean"
        Stands in for an agent without surveys: a number 0-1, or the mean of the queue's surveys known by
        then (0.5 where it has none).
    shrinkage : float
        Surveys' worth of pull toward the mean of all surveys; 0 for raw means. [count]

    Returns
    -------
    CsatTable
        Rows in time order.

    Examples
    --------
    >>> one = Surveys(*(np.array([v]) for v in (0, 0, 5, 0.75, -1, -1, False)))
    >>> csat_table(one, n_agents=2, n_queues=1).mean
    array([[ nan,  nan],
           [0.75,  nan]])
    """
    if as_of:
        days, row = np.unique(surveys.completed_us // DAY_US, return_inverse=True)
        # Surveys of a day count from the next one on, so row 0 is the time before any.
        row = row + 1
    else:
        days, row = np.empty(0, np.int64), np.zeros(surveys.agent.size, np.intp)
    n_rows = days.size + 1
    total, count = _running(row, surveys.agent, surveys.value, n_rows, n_agents)
    if shrinkage > 0:
        # Toward the mean known by then, never a later one: a score of Monday must not know of Tuesday.
        everyone = _divide(*_running(row, np.zeros_like(row), surveys.value, n_rows, 1))
        mean = (total + shrinkage * everyone) / (count + shrinkage)
    else:
        mean = _divide(total, count)
    if missing == QUEUE_MEAN:
        known = surveys.queue >= 0
        by_queue = _running(row[known], surveys.queue[known], surveys.value[known], n_rows, n_queues)
        fill = np.nan_to_num(_divide(*by_queue), nan=NEUTRAL)
    else:
        fill = np.full((n_rows, n_queues), float(missing))
    return CsatTable(mean, fill, days, count)


def _running(
    row: IntArray, place: IntArray, value: FloatArray, n_rows: int, n_places: int
) -> tuple[FloatArray, IntArray]:
    """Sums and counts up to and including each row.

    Sums of whole numbers are exact, so a mean does not depend on the order of surveys: values are split
    into multiples of 2^-30 and 2^-60, which float64 adds without rounding up to eight million surveys.
    """
    cell = row * n_places + place
    size = n_rows * n_places
    coarse = np.floor(value * 2.0**30)
    fine = np.rint((value * 2.0**30 - coarse) * 2.0**30)
    sums = [np.bincount(cell, part, size).reshape(n_rows, n_places).cumsum(axis=0) for part in (coarse, fine)]
    count = np.bincount(cell, minlength=size).reshape(n_rows, n_places)
    return sums[0] * 2.0**-30 + sums[1] * 2.0**-60, count.cumsum(axis=0)


def _divide(total: FloatArray, count: IntArray) -> FloatArray:
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
