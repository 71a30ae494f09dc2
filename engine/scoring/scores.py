"""Scores: proficiency, language and satisfaction of agents for what interactions require.

``key = rint(1e9 * ((w_p * p + w_l * l) + w_c * c))`` in float64 and ``score = key / 1e9``. Order, ties
and threshold compare keys, so that two ways of adding the same numbers cannot choose differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.data.centre import Centre
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import TABLES, Tables
from engine.errors import InvalidScenario
from engine.scoring.csat import NEUTRAL, QUEUE_MEAN, CsatTable, csat_table
from engine.scoring.weights import RoutingWeights
from engine.setting import shown
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

SCALE = 1e9
# What can be a hard filter, and how the language term reads levels.
REQUIRED = ("skills", "language")
LANGUAGE = ("binary", "proficiency")
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
        Agents, queues and what interactions require.
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
        # Agents lie side by side: a block of requirements is then copied row by row.
        level = np.ascontiguousarray(centre.proficiency[self.order].T)
        spoken = np.ascontiguousarray(centre.language_level[self.order].T)
        graded = np.minimum(np.nan_to_num(spoken) / TOP_PROFICIENCY, 1.0)
        # The row behind the last language serves interactions that require none (language -1).
        everyone = np.ones((1, self.order.size))
        # Not held counts as 0 in the mean; only a hard filter tells it from held at level 0.
        self._skill = np.minimum(np.nan_to_num(level) / TOP_PROFICIENCY, 1.0)
        self._language = np.vstack([graded if graded_language else ~np.isnan(spoken), everyone])
        self._member = centre.member[:, self.order]
        self._mean = csat.mean[:, self.order]
        self._fill = csat.fill
        # Surveys behind each mean, for explanations.
        self.n_surveys = csat.n_surveys[:, self.order]
        holds = ~np.isnan(level) if "skills" in required else True
        speaks = np.vstack([~np.isnan(spoken), everyone > 0]) if "language" in required else True
        # -inf survives every sum with finite terms, so a filter needs no mask beside the scores.
        self.barred_skill: FloatArray = np.where(holds, self._skill, -np.inf)
        self.barred_language: FloatArray = np.where(speaks, self._language, -np.inf)
        self._filters = tuple(name for name in ("skills", "language") if name in required)

    def barred_csat(self, row: int) -> FloatArray:
        """Satisfaction term by queue and agent on the days of a row; -inf for who is no member."""
        mean = self._mean[row]
        return np.where(self._member, np.where(np.isnan(mean), self._fill[row][:, None], mean), -np.inf)

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
                    self._level(self._skill, some),
                    self._language[self.centre.language[some]],
                    self._csat(some, csat_row),
                    self.eligible(some),
                ),
            )

    def eligible(self, requirement: IntArray) -> BoolArray:
        """Members of the queue who pass the hard filters, (n, n_agents)."""
        eligible = self._member[self.centre.queue[requirement]]
        if "language" in self._filters:
            eligible &= self.barred_language[self.centre.language[requirement]] >= 0
        if "skills" in self._filters:
            eligible &= self._level(self.barred_skill, requirement) >= 0
        return eligible

    def alike(self) -> tuple[IntArray, IntArray]:
        """Requirements for which the same agents are eligible.

        Returns
        -------
        first : (n_groups,) array of int
            One requirement of each group.
        group : (n_requirements,) array of int
            Group of each requirement.
        """
        centre = self.centre
        if "skills" in self._filters:
            every = np.arange(centre.n_requirements)
            return every, every
        # Without a filter on skills queue and language decide, and thousands of requirements are a few groups.
        code = centre.queue.astype(np.int64)
        if "language" in self._filters:
            code = code * (len(centre.languages) + 1) + centre.language
        _, first, group = np.unique(code, return_index=True, return_inverse=True)
        return first, group

    def _level(self, skill: FloatArray, requirement: IntArray) -> FloatArray:
        return mean_level(skill, self.centre.skill_start, self.centre.skill, requirement)

    def _csat(self, requirement: IntArray, row: int) -> FloatArray:
        mean = self._mean[row]
        fill = self._fill[row][self.centre.queue[requirement]]
        unknown = np.isnan(mean)
        if not unknown.any():
            return mean[None, :]
        # One row for all requirements, spread by the arithmetic; queue means differ and need a row each.
        if (fill == fill[0]).all():
            return np.where(unknown, fill[0], mean)[None, :]
        return np.where(unknown, fill[:, None], mean)


def mean_level(level: FloatArray, start: Int32Array, skill: Int32Array, requirement: IntArray) -> FloatArray:
    """Mean level of what each requirement asks for, added up in the order of its skills.

    Parameters
    ----------
    level : (n_skills, n_agents) array of float
        Level of each skill and agent.
    start, skill : arrays of int
        Requirement r asks for skill[start[r]:start[r + 1]].
    requirement : (n,) array of int
        Fastest where those with more skills come first.

    Returns
    -------
    (n, n_agents) array of float
        1 where nothing is asked for.
    """
    first = start[requirement]
    count = start[requirement + 1] - first
    most = int(count.max(initial=0))
    if most == 0:
        return np.ones((requirement.size, level.shape[1]))
    mean = level.take(skill.take(first, mode="clip"), axis=0)
    for place in range(1, most):
        more = _true(count > place)
        mean[more] += level.take(skill[first[more] + place], axis=0)
    several = _true(count > 1)
    mean[several] /= count[several, None].astype(float)
    mean[count == 0] = 1.0
    return mean


def _true(mask: BoolArray) -> slice | IntArray:
    """Places where a mask is true; a slice, which needs no copy, where they all come first."""
    n = int(np.count_nonzero(mask))
    return slice(n) if mask[:n].all() else np.flatnonzero(mask)


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
    key = raw_keys(block, weights)
    # A key of 0 is nobody, also at threshold 0.
    low = np.maximum(np.rint(SCALE * threshold), 1.0)[:, None, None]
    key *= (key >= low) & block.eligible
    return key


def raw_keys(block: Block, weights: FloatArray) -> FloatArray:
    """Keys of a block before filters and threshold, (n_scenarios, n, n_agents)."""
    w = weights[:, :, None, None]
    # In the order of the formula: added up in another, a last digit could move and a tie with it.
    key = w[:, 0] * block.proficiency
    key += w[:, 1] * block.language
    key += w[:, 2] * block.csat
    key *= SCALE
    return np.rint(key, out=key)


def score_matrix(
    interactions: pl.DataFrame,
    agents: pl.DataFrame,
    csat: pl.DataFrame | Mapping[str, float] | None,
    weights: RoutingWeights,
    *,
    members: pl.DataFrame | None = None,
    required: Sequence[str] = (),
    language: str = "binary",
    csat_missing: float | str = NEUTRAL,
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
    InvalidScenario
        If an option is not one of these, or a mean is not within 0-1.

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
    _check_options(csat, required, language, csat_missing)
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
        # Means given by agent hold on every day.
        table = CsatTable(known, table.fill[:1], table.days[:0], table.n_surveys[:1])
    column = {agent: i for i, agent in enumerate(centre.agent_ids)}
    order = np.array([column[agent] for agent in tables.agents["agent_id"]], np.int32)
    terms = Terms(centre, table, required=required, graded_language=language == "proficiency", order=order)
    # The engine sorts by arrival; scores go back to the rows as they were given.
    place = checked.sort("arrived_at", "interaction_id")["row"].to_numpy()
    score = np.empty((checked.height, order.size))
    done = 0
    for batch in arrays.batches():
        rows = place[done : done + batch.call_type.size]
        done += rows.size
        for part, block in terms.blocks(centre.requirement[batch.call_type], table.row_of(batch.day)):
            score[rows[part]] = _scores(block, weights)
    return score


def _check_options(csat: object, required: Sequence[str], language: str, csat_missing: float | str) -> None:
    means = dict(csat) if isinstance(csat, Mapping) else {}
    if csat_missing != QUEUE_MEAN:
        means["csat_missing"] = csat_missing
    for name, mean in means.items():
        if not (isinstance(mean, int | float) and 0 <= mean <= 1):
            raise InvalidScenario(f"{name}: mean satisfaction is {shown(mean)}; use a number from 0 to 1")
    if not set(required) <= set(REQUIRED) or language not in LANGUAGE:
        raise InvalidScenario(
            f"required is {shown(list(required))} and language {shown(language)}; use skills or language, "
            "binary or proficiency"
        )


def _scores(block: Block, weights: RoutingWeights) -> FloatArray:
    keys = score_keys(block, np.array([weights.terms]), np.array([weights.threshold]))
    return np.asarray(keys[0] / SCALE)
