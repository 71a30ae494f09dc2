"""The weighted score: proficiency, language and satisfaction, ties by queue time, idle time and id."""

from __future__ import annotations

from collections.abc import Iterator

from engine.methods.plan import Plan
from engine.scores import Terms, score_keys
from engine.typing import FloatArray, IntArray


def plans(
    terms: Terms, requirement: IntArray, csat_row: int, weights: FloatArray, threshold: FloatArray
) -> Iterator[tuple[slice, Plan]]:
    """Fill plans for some requirements, a block at a time.

    Parameters
    ----------
    terms : Terms
        Of the data set, columns in tie order.
    requirement : (n,) array of int
        Rows of the centre's requirements.
    csat_row : int
        Row of the satisfaction table that holds.
    weights : (n_scenarios, 3) array of float
        One row per scenario.
    threshold : (n_scenarios,) array of float
        Least score per scenario.

    Yields
    ------
    rows : slice
        Which of the n the plan covers.
    plan : Plan
        Their keys.
    """
    cells = terms.block_cells(len(weights))
    for rows, block in terms.blocks(requirement, csat_row, cells):
        yield rows, Plan(score_keys(block, weights, threshold), terms.order)
