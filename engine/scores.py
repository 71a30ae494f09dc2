"""Scores: proficiency, language and satisfaction of agents for what interactions require.

``key = rint(1e9 * ((w_p * p + w_l * l) + w_c * c))`` in float64 and ``score = key / 1e9``. Order, ties
and threshold compare keys, so that two ways of adding the same numbers cannot choose differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.arrays import Centre, encode
from engine.csat import CsatTable, csat_table
from engine.tables import TABLES, Tables, check
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray
from engine.weights import RoutingWeights

SCALE = 1e9
TOP_PROFICIENCY = 5.0
# Cells of one block of keys: small enough to stay in a core's cache between the passes over it.
BLOCK_CELLS = 1 << 16


@dataclass(frozen=True)
class Block:
    """The terms of some requirements for all agents.

    Parameters
    ----------
    proficiency, language, csat : (n, n_agents) array of float
        The three terms, 0-1.
    eligible : (n, n_agents) array of bool
        Members of the queue who pass the hard filters.
    """

    proficiency: FloatArray
    language: FloatArray
    csat: FloatArray
    eligible: BoolArray


class Terms:
    """The terms of scores, laid out so that a block of requirements is a few gathers.

    Parameters
    ----------
    centre : Centre
        Who can do what.
    csat : CsatTable
        Agent means by day.
    required : sequence of {"skills", "language"}
        Which of the two are hard filters.
    graded_language : bool
        True: language term is level / 5; False: 1 for having it.
    order : (n_agents,) array of int32, optional
        Agents by column; by default the order in which they win ties.
    """

    def __init__(
        self,
        centre: Centre,
        csat: CsatTable,
        *,
        required: Sequence[str] = (),
        graded_language: bool = False,
        order: Int32Array | None = None,
    ) -> None:
        self.centre = centre
        self.order = centre.tie_order if order is None else order
        level = centre.proficiency[self.order].T
        spoken = centre.language_level[self.order].T
        graded = np.minimum(np.nan_to_num(spoken) / TOP_PROFICIENCY, 1.0)
        # The row behind the last language serves interactions that require none (language -1).
        everyone = np.ones((1, self.order.size))
        self._skill = np.minimum(np.nan_to_num(level) / TOP_PROFICIENCY, 1.0)
        self._language = np.vstack([graded if graded_language else ~np.isnan(spoken), everyone])
        self._holds = ~np.isnan(level) if "skills" in required else None
        self._speaks = np.vstack([~np.isnan(spoken), everyone > 0]) if "language" in required else None
        self._member = centre.member[:, self.order]
        self._mean = csat.mean[:, self.order]
        self._fill = csat.fill

    def block_cells(self, n_scenarios: int) -> int:
        """Cells of a block for a stack of scenarios, so that all its keys stay in cache."""
        return max(1, BLOCK_CELLS // n_scenarios)

    def blocks(self, requirement: IntArray, csat_row: int, cells: int = BLOCK_CELLS) -> Iterator[tuple[slice, Block]]:
        """Terms of some requirements, a block at a time.

        Parameters
        ----------
        requirement : (n,) array of int
            Rows of the centre's requirements.
        csat_row : int
            Row of the satisfaction table that holds.
        cells : int
            About how many requirement x agent cells a block has.

        Yields
        ------
        rows : slice
            Which of the n the block covers.
        block : Block
            Their terms.
        """
        step = max(1, cells // max(1, self.order.size))
        for start in range(0, requirement.size, step):
            rows = slice(start, min(start + step, requirement.size))
            some = requirement[rows]
            yield (
                rows,
                Block(
                    self._proficiency(some),
                    self._language[self.centre.language[some]],
                    self._csat(some, csat_row),
                    self.eligible(some),
                ),
            )

    def eligible(self, requirement: IntArray) -> BoolArray:
        """Members of the queue who pass the hard filters, (n, n_agents)."""
        eligible = self._member[self.centre.queue[requirement]]
        if self._speaks is not None:
            eligible &= self._speaks[self.centre.language[requirement]]
        if self._holds is not None:
            rows, skills, starts = self._required(requirement)
            eligible[rows] &= np.logical_and.reduceat(self._holds[skills], starts, axis=0)
        return eligible

    def _proficiency(self, requirement: IntArray) -> FloatArray:
        rows, skills, starts = self._required(requirement)
        if rows.size == requirement.size == skills.size:
            return self._skill[skills]
        term = np.ones((requirement.size, self.order.size))
        if rows.size:
            count = np.diff(starts, append=skills.size)
            term[rows] = np.add.reduceat(self._skill[skills], starts, axis=0) / count[:, None]
        return term

    def _required(self, requirement: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Rows that require skills, those skills end to end, and where each row's skills start."""
        first = self.centre.skill_start[requirement].astype(np.int64)
        count = self.centre.skill_start[requirement + 1] - first
        rows = np.flatnonzero(count)
        first, count = first[rows], count[rows]
        starts = np.cumsum(count) - count
        place = np.repeat(first - starts, count) + np.arange(count.sum())
        return rows, self.centre.skill[place].astype(np.int64), starts

    def _csat(self, requirement: IntArray, row: int) -> FloatArray:
        mean = self._mean[row]
        fill = self._fill[row][self.centre.queue[requirement]]
        unknown = np.isnan(mean)
        if not unknown.any():
            return mean[None, :]
        if (fill == fill[0]).all():
            return np.where(unknown, fill[0], mean)[None, :]
        return np.where(unknown, fill[:, None], mean)


def score_keys(block: Block, weights: FloatArray, threshold: FloatArray) -> FloatArray:
    """Keys of a block under a stack of weights; 0 for whoever cannot be chosen.

    Parameters
    ----------
    block : Block
        Terms of n requirements.
    weights : (n_scenarios, 3) array of float
        Proficiency, language, satisfaction.
    threshold : (n_scenarios,) array of float
        Least score that counts.

    Returns
    -------
    (n_scenarios, n, n_agents) array of float
        Whole numbers of 1e-9.
    """
    w = weights[:, :, None, None]
    key = w[:, 0] * block.proficiency
    key += w[:, 1] * block.language
    key += w[:, 2] * block.csat
    key *= SCALE
    np.rint(key, out=key)
    low = np.maximum(np.rint(SCALE * threshold), 1.0)[:, None, None]
    key *= (key >= low) & block.eligible
    return key


def score_matrix(
    interactions: pl.DataFrame,
    agents: pl.DataFrame,
    csat: pl.DataFrame | Mapping[str, float] | None,
    weights: RoutingWeights,
    *,
    members: pl.DataFrame | None = None,
    required: Sequence[str] = (),
    language: str = "binary",
    csat_missing: float | str = 0.5,
) -> FloatArray:
    """Score of every interaction with every agent, as one matrix.

    This is the plain definition; runs score distinct requirements instead and gather, with equal results.

    Parameters
    ----------
    interactions : polars.DataFrame
        Rows of the interactions table, in any order.
    agents : polars.DataFrame
        Rows of the agents table; they name the columns of the result.
    csat : polars.DataFrame, mapping or None
        Surveys table (each interaction sees those completed before its UTC day), or one mean 0-1 by
        agent_id, or nothing.
    weights : RoutingWeights
        Used as given.
    members : polars.DataFrame, optional
        Members table; without it everybody is a member of every queue.
    required : sequence of {"skills", "language"}
        Hard filters.
    language : {"binary", "proficiency"}
        Whether the language term is 0 or 1, or level / 5.
    csat_missing : float or "queue-mean"
        Satisfaction term of an agent without surveys.

    Returns
    -------
    (n_interactions, n_agents) array of float
        Score; 0 where the agent is no member, fails a filter, or is below the threshold.

    Raises
    ------
    InvalidTable
        If a frame does not fit its table.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> agents = pl.DataFrame({"agent_id": ["ada"], "skills": [[{"name": "tech", "proficiency": 5.0}]],
    ...                        "languages": [[{"name": "en", "proficiency": 5.0}]]})
    >>> calls = pl.DataFrame({"interaction_id": ["1"], "queue_id": ["q"], "skills": [["tech"]],
    ...                       "language": ["en"], "arrived_at": [datetime(2026, 1, 5, tzinfo=timezone.utc)]})
    >>> float(score_matrix(calls, agents, {"ada": 0.8}, RoutingWeights())[0, 0])
    0.94
    """
    checked = check("interactions", interactions).with_row_index("row")
    surveys = check("surveys", csat) if isinstance(csat, pl.DataFrame) else TABLES["surveys"].empty()
    tables = Tables(
        check("agents", agents), checked.drop("row"),
        members=TABLES["members"].empty() if members is None else check("members", members), surveys=surveys,
    )  # fmt: skip
    arrays = encode(tables)
    centre = arrays.centre
    table = csat_table(centre.surveys, centre.n_agents, len(centre.queue_ids), missing=csat_missing)
    if isinstance(csat, Mapping):
        known = np.array([[csat.get(agent, np.nan) for agent in centre.agent_ids]], float)
        table = CsatTable(known, table.fill[:1], table.days[:0], table.n_surveys[:1])
    column = {agent: i for i, agent in enumerate(centre.agent_ids)}
    order = np.array([column[agent] for agent in tables.agents["agent_id"]], np.int32)
    terms = Terms(centre, table, required=required, graded_language=language == "proficiency", order=order)
    place = checked.sort("arrived_at", "interaction_id")["row"].to_numpy()
    score = np.empty((checked.height, order.size))
    done = 0
    for batch in arrays.batches():
        rows = place[done : done + batch.call_type.size]
        done += rows.size
        for part, block in terms.blocks(centre.requirement[batch.call_type], table.row_of(batch.day)):
            score[rows[part]] = _scores(block, weights)
    return score


def _scores(block: Block, weights: RoutingWeights) -> FloatArray:
    keys = score_keys(block, np.array([weights.terms]), np.array([weights.min_score_threshold]))
    return np.asarray(keys[0] / SCALE)
