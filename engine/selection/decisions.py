"""Who is chosen when nobody is busy: the best agent for each interaction, ties included.

Choices depend only on what an interaction requires and on the satisfaction known that day. So each
distinct (requirement, satisfaction row) that occurs is decided once, and interactions look it up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.arrays import Arrays, Batch
from engine.errors import InvalidScenario
from engine.methods import METHODS
from engine.methods.plan import Plan
from engine.scoring.csat import CsatTable
from engine.scoring.scores import SCALE, Terms
from engine.stopping import checked
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

KERNEL = "engine.kernels.selection"
# Pairs of requirement and agent that take as long in the plain way as loading the kernel.
LOAD_PAIRS = 500_000_000
# Below this the plain way is as fast.
SMALL_PAIRS = 100_000
# Pairs between two questions whether to stop, some 0.05 s of them.
SLICE_PAIRS = 50_000_000


def best(plan: Plan, *, compiled: bool = False) -> tuple[Int32Array, FloatArray]:
    """Best agent of each row of a plan; compiled or plain, the result is the same to the last bit.

    Parameters
    ----------
    plan : Plan
        Of n requirements under a stack of scenarios.
    compiled : bool
        Whether the kernel decides.

    Returns
    -------
    agent : (n_scenarios, n) array of int32
        -1 where nobody can be chosen.
    key : (n_scenarios, n) array of float
        The winner's, 0 for nobody.
    """
    shape = (len(plan.weights), plan.requirement.size)
    column, key = np.empty(shape, np.int64), np.empty(shape)
    (_best_compiled if compiled else _best_plain)(plan, column, key)
    # The best of a row decides for all of it: where it stays below the least key, everybody does.
    nobody = key < plan.least[:, None]
    key[nobody] = 0.0
    return np.where(nobody, np.int32(-1), plan.agent[column]), key


def _best_plain(plan: Plan, column: IntArray, key: FloatArray) -> None:
    for scenario, rows, block in checked(plan.blocks()):
        here = block.argmax(axis=1)
        column[scenario, rows] = here
        key[scenario, rows] = block[np.arange(here.size), here]


def _best_compiled(plan: Plan, column: IntArray, key: FloatArray) -> None:
    from engine.kernels.selection import best_columns

    # Copies, since the kernel is compiled for arrays that can be written to.
    starts, skills, languages, queues = (
        np.array(rows, np.int32) for rows in (plan.skill_start, plan.skill_row, plan.language_row, plan.queue_row)
    )
    n_rows = max(1, SLICE_PAIRS // max(1, plan.agent.size))
    for scenario, given in enumerate(plan.weights):
        # A term without weight adds nothing, but its -inf still means never.
        weighs = given > 0
        skill, language, csat = (
            np.array(table if w else np.minimum(table, 0.0))
            for w, table in zip(weighs, (plan.skill, plan.language, plan.csat), strict=True)
        )
        none, weights = float(weighs[0]), np.where(weighs, given, 1.0)
        for start in checked(range(0, plan.requirement.size, n_rows)):
            some = slice(start, start + n_rows)
            best_columns(
                plan.requirement[some], none, skill, language, csat, starts, skills, languages, queues,
                weights, SCALE, column[scenario, some], key[scenario, some],
            )  # fmt: skip


class Selector:
    """Chooses between the plain way and the kernel, which takes about a second to load.

    Where another run of this process has loaded the kernel, or enough is expected to pay for it, it is used
    at once; else when the plain way has taken about as long as loading would have.

    Parameters
    ----------
    n_expected : float
        Pairs that will probably be decided.
    """

    def __init__(self, n_expected: float = 0.0) -> None:
        self._n_expected = n_expected
        self._n_pairs = 0

    def best(self, plan: Plan) -> tuple[Int32Array, FloatArray]:
        """Best agent and key of each row of a plan, as `best` gives them."""
        self._n_pairs += plan.n_pairs
        # Asked of the interpreter, since another run of this process may have loaded it.
        pays = KERNEL in sys.modules or max(self._n_pairs, self._n_expected) > LOAD_PAIRS
        return best(plan, compiled=pays and plan.n_pairs > SMALL_PAIRS)


def ranking(key: FloatArray, queue_time_s: FloatArray, idle_since_us: IntArray, agent_ids: list[str]) -> IntArray:
    """Agents from best to worst: key descending, queue time ascending, longest idle, agent id by code point.

    Examples
    --------
    >>> ranking(np.array([5.0, 9.0, 9.0]), np.zeros(3), np.array([0, 7, 3]), ["a", "b", "c"]).tolist()
    [2, 1, 0]
    """
    by_id = np.empty(len(agent_ids), np.int64)
    # Sorted as Python sorts texts, by code point; orders of a language would differ between machines.
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
    requirement : (n_call_types,) array of int32
        Of each call type.
    agent, key : (n_scenarios, n_requirements) arrays
        Decisions by requirement, valid where `known`; filled up within a segment, new for the next.
    known : (n_requirements,) array of bool
        Requirements decided in this segment so far; those that occurred are among them.
    """

    batch: Batch
    segment: int
    requirement: Int32Array
    agent: Int32Array
    key: FloatArray
    known: BoolArray

    @cached_property
    def count(self) -> IntArray:
        """Interactions of the batch by requirement, (n_requirements,)."""
        return self.sums()

    @cached_property
    def places(self) -> Int32Array:
        """Where each interaction looks its decision up, (n,).

        Its call type; or its requirement at once, where going through all call types costs more than the batch.
        """
        return self.requirement[self.batch.call_type] if self._by_row else self.batch.call_type

    def spread(self, by_requirement: Any) -> Any:
        """What holds for each requirement, as `places` look it up."""
        same = self.requirement.size == self.known.size
        return by_requirement if same or self._by_row else by_requirement[self.requirement]

    def sums(self, weights: FloatArray | None = None, rows: BoolArray | None = None) -> Any:
        """By requirement, the batch's weights or the number of its interactions; of all rows or of some."""
        by = self.places if rows is None else self.places[rows]
        size = self.known.size if self._by_row else self.requirement.size
        sums = np.bincount(by, weights, size)
        if size == self.known.size:
            return sums
        return np.bincount(self.requirement, sums, self.known.size).astype(sums.dtype)

    @property
    def _by_row(self) -> bool:
        return self.known.size < self.requirement.size > self.batch.call_type.size


def _planner(method: str) -> Callable[..., Any]:
    planner = METHODS[method].planner
    if planner is None:
        raise InvalidScenario(
            f"method {method!r} asks who is idle, and in score mode nobody is ever busy; use --mode replay, or weighted"
        )
    return planner


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
        The arrays `agent`, `key` and `known` are shared by the batches of a segment.
    """
    centre, planner = arrays.centre, _planner(method)(terms, weights, threshold)
    shape = (len(weights), centre.n_requirements)
    row, segment, n_rows, missing = 0, -1, 0, 0
    # Where satisfaction weighs nothing, its changes change no choice, and one decision holds for all days.
    n_days = len(csat.mean) if planner.reads_csat else 1
    n_interactions = arrays.snapshot.n_interactions
    selector = Selector(min(n_interactions, n_days * shape[1]) * float(centre.n_agents * shape[0]))
    for batch in checked(arrays.batches()):
        now = csat.row_of(batch.day) if planner.reads_csat else 0
        if segment < 0 or now != row:
            # New arrays for a new segment: batches handed out before still point to the old ones.
            row, segment, n_rows, missing = now, segment + 1, 0, shape[1]
            agent, key, known = np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape[1], bool)
        decided = Decided(batch, segment, centre.requirement, agent, key, known)
        n_rows += batch.call_type.size
        if missing:
            # Looking for what occurs costs about as much per interaction as deciding costs per pair; once
            # it would have been cheaper to decide everything, that is done.
            fresh = ~known if missing * centre.n_agents * shape[0] <= n_rows else (decided.count > 0) & ~known
            plan = planner.plan(np.flatnonzero(fresh), row)
            agent[:, plan.requirement], key[:, plan.requirement] = selector.best(plan)
            known[plan.requirement] = True
            missing -= plan.requirement.size
        yield decided
