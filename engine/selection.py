"""Who is chosen when nobody is busy: the best agent for each interaction, ties included.

Choices depend only on what an interaction requires and on the satisfaction known that day. So each
distinct (requirement, satisfaction row) that occurs is decided once, and interactions look it up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.arrays import Arrays, Batch
from engine.csat import CsatTable
from engine.methods import METHODS
from engine.methods.plan import Plan
from engine.scores import Terms
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray


def best(plan: Plan) -> tuple[Int32Array, FloatArray]:
    """Best agent of each row of a plan.

    Parameters
    ----------
    plan : Plan
        With columns in the order in which ties are won.

    Returns
    -------
    agent : (n_scenarios, n) array of int32
        -1 where nobody can be chosen.
    key : (n_scenarios, n) array of float
        The winner's key, 0 for nobody.
    """
    column = plan.key.argmax(axis=-1)
    key = np.take_along_axis(plan.key, column[..., None], axis=-1)[..., 0]
    return np.where(key > 0, plan.agent[column], np.int32(-1)), key


def ranking(key: FloatArray, queue_time_s: FloatArray, idle_since_us: IntArray, agent_ids: list[str]) -> IntArray:
    """Agents from best to worst, by the one total order.

    Parameters
    ----------
    key : (n_agents,) array of float
        Score keys.
    queue_time_s, idle_since_us : (n_agents,) arrays
        Of the agents; unknown = 9999 s and the largest int64.
    agent_ids : list of str
        Last resort, by code point.

    Returns
    -------
    (n_agents,) array of int
        Key descending, queue time ascending, longest idle, agent id ascending.

    Examples
    --------
    >>> ranking(np.array([5.0, 9.0, 9.0]), np.zeros(3), np.array([0, 7, 3]), ["a", "b", "c"]).tolist()
    [2, 1, 0]
    """
    by_id = np.empty(len(agent_ids), np.int64)
    by_id[sorted(range(len(agent_ids)), key=agent_ids.__getitem__)] = np.arange(len(agent_ids))
    return np.lexsort((by_id, idle_since_us, queue_time_s, -key))


@dataclass(frozen=True)
class Decided:
    """One batch with its decisions under a stack of scenarios.

    Parameters
    ----------
    batch : Batch
        The interactions.
    segment : int
        Counts up whenever the satisfaction row changes; decisions of a requirement are the same within.
    requirement : (n,) array of int32
        Of each interaction.
    agent, key : (n_scenarios, n_requirements) arrays
        Decisions by requirement, valid where `known`; replaced when the segment changes.
    known : (n_requirements,) array of bool
        Requirements that occurred in this segment so far.
    """

    batch: Batch
    segment: int
    requirement: Int32Array
    agent: Int32Array
    key: FloatArray
    known: BoolArray


def decide(
    arrays: Arrays, terms: Terms, csat: CsatTable, method: str, weights: FloatArray, threshold: FloatArray
) -> Iterator[Decided]:
    """Decide every batch in time order.

    Parameters
    ----------
    arrays : Arrays
        The data set.
    terms : Terms
        Its terms, columns in tie order.
    csat : CsatTable
        Satisfaction by day.
    method : str
        Key of `engine.methods.METHODS`.
    weights : (n_scenarios, 3) array of float
        One row per scenario.
    threshold : (n_scenarios,) array of float
        Least score per scenario.

    Yields
    ------
    Decided
        The arrays `agent`, `key` and `known` are reused from batch to batch within a segment.
    """
    centre = arrays.centre
    shape = (len(weights), centre.n_requirements)
    agent, key, known = np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape[1], bool)
    # Where satisfaction weighs nothing, its changes decide nothing.
    matters = bool(weights[:, 2].any())
    row, segment = 0, -1
    same = centre.requirement.size == centre.n_requirements
    for batch in arrays.batches():
        now = csat.row_of(batch.day) if matters else 0
        if segment < 0 or now != row:
            row, segment = now, segment + 1
            agent, key, known = np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape[1], bool)
        requirement = batch.call_type if same else centre.requirement[batch.call_type]
        occurs = np.zeros(shape[1], bool)
        occurs[requirement] = True
        fresh = np.flatnonzero(occurs & ~known)
        for rows, plan in METHODS[method](terms, fresh, row, weights, threshold):
            agent[:, fresh[rows]], key[:, fresh[rows]] = best(plan)
        known[fresh] = True
        yield Decided(batch, segment, requirement, agent, key, known)
