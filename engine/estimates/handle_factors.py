"""How much faster or slower each agent is: given, or estimated from handling times.

Model of the factors, where no table gives them: a handling time is the mean of its cell (queue, skills,
language, media) times a factor of its agent for these skills, times noise. Means are compared, never
logarithms, because time on the phone adds up. Cell means and agents are fitted together (multiplicative, by
Poisson pseudo-likelihood), so an agent who gets the long calls is not taken for a slow one. An agent's
factors for sets of skills scatter around the own overall factor, those around 1; both variances are estimated
by moments, and each factor is shrunk by what its own data leave uncertain.

References: J. M. C. Santos Silva and S. Tenreyro, "The log of gravity", Review of Economics and Statistics
88(4), 2006, doi:10.1162/rest.88.4.641; R. DerSimonian and N. Laird, "Meta-analysis in clinical trials",
Controlled Clinical Trials 7(3), 1986, doi:10.1016/0197-2456(86)90046-2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.data.centre import Centre
from engine.data.encode import places
from engine.data.history import History
from engine.data.tables import LEAST_FACTOR, MEDIA, MOST_FACTOR
from engine.estimates.assumptions import Assumptions
from engine.estimates.estimated import FactorsEstimate, Range
from engine.typing import FloatArray, Int32Array, IntArray

GIVEN = "recorded time x simulated agent's factor / recorded agent's; factors from the table handle_factors, as given"
ESTIMATED = (
    "recorded time x simulated agent's factor / recorded agent's; factors estimated: an agent's handling time for a "
    "set of skills relative to what others need for the same queue, skills, language and media, shrunk toward the "
    "agent's overall factor and that toward 1; association, not effect: nobody assigned calls at random"
)
NO_FACTORS = "too few handling times to tell agents apart, so all factors are 1"
# Equal times leave no noise at all; a little keeps weights finite.
_ROUNDS, _SETTLED, _LEAST_NOISE = 200, 1e-9, 1e-12


@dataclass(frozen=True)
class Factors:
    """Handling time of each agent relative to others.

    Parameters
    ----------
    factor : (n_handlings, n_agents) array of float
        By set of skills; all 1 where nothing is known.
    handling_of_call_type : (n_call_types,) array of int32
        Row of each call type.
    estimate : FactorsEstimate or None
        Where they come from; None where nothing is known.
    how : str
        The same in words.
    """

    factor: FloatArray
    handling_of_call_type: Int32Array
    estimate: FactorsEstimate | None
    how: str


def fit_factors(history: History, centre: Centre, assumptions: Assumptions) -> Factors:
    """Given factors as they are; where there are none, estimates.

    Parameters
    ----------
    history : History
        Read where the centre has no factors.
    centre : Centre
        Perhaps with given factors: agent + skill beats agent without skill, else 1; of several required
        skills the geometric mean.
    assumptions : Assumptions
        `acw_s` is read.

    Returns
    -------
    Factors
        Estimates keep the mean: an agent of factor 1 needs for the recorded interactions of a set of skills
        as long as they took.
    """
    sets, row = skill_sets(centre)
    if centre.handle_factors.height:
        values = centre.handle_factors["factor"].to_numpy()
        said = FactorsEstimate(source="given", rows=values.size, factor=_range(values))
        return Factors(_given(centre, sets), row, said, GIVEN)
    factor, found = _estimated(_pairs(history, centre, history.handled_s(assumptions.acw_s), row), len(sets))
    return Factors(factor, row, found, ESTIMATED if found else NO_FACTORS)


def skill_sets(centre: Centre) -> tuple[list[tuple[int, ...]], Int32Array]:
    """Distinct sets of required skills."""
    rows: dict[tuple[int, ...], int] = {}
    needed = np.split(centre.skill, centre.skill_start[1:-1]) if centre.n_requirements else []
    row = [rows.setdefault(tuple(skills.tolist()), len(rows)) for skills in needed]
    return list(rows), np.array(row, np.int32)[centre.requirement]


def _given(centre: Centre, sets: list[tuple[int, ...]]) -> FloatArray:
    """Factors of the table by set of skills and agent."""
    frame = centre.handle_factors
    agent, value = places(frame["agent_id"], centre.agent_ids), frame["factor"].to_numpy()
    plain, skill = frame["skill"].is_null().to_numpy(), places(frame["skill"], centre.skills)
    overall = np.ones(centre.n_agents)
    overall[agent[plain]] = value[plain]
    # One column more for interactions that require no skill.
    by_skill = np.tile(overall[:, None], len(centre.skills) + 1)
    by_skill[agent[skill >= 0], skill[skill >= 0]] = value[skill >= 0]
    factor = np.empty((len(sets), centre.n_agents))
    for row, skills in enumerate(sets):
        several = by_skill[:, list(skills) or [-1]]
        factor[row] = several[:, 0] if several.shape[1] == 1 else np.exp(np.log(several).mean(axis=1))
    return factor


@dataclass(frozen=True)
class _Pairs:
    """Handled interactions by cell (queue, skills, language, media) and agent.

    cell, agent, row (set of skills), n (interactions), total (seconds), square (squared seconds around the
    mean of the pair) by pair; n_cells, n_agents.
    """

    cell: IntArray
    agent: IntArray
    row: IntArray
    n: FloatArray
    total: FloatArray
    square: FloatArray
    n_cells: int
    n_agents: int


class _Spots(NamedTuple):
    """Sets of skills and agents with data: place of both, ratio to the expected time, its sampling variance."""

    agent: IntArray
    row: IntArray
    ratio: FloatArray
    variance: FloatArray


def _pairs(history: History, centre: Centre, handled_s: FloatArray, row: Int32Array) -> _Pairs:
    # All that is fitted are sums by pair, so a year of calls is gone through once.
    rows = np.flatnonzero(history.is_handled() & (history.agent >= 0))
    time_s, n_agents = handled_s[rows], max(1, centre.n_agents)
    requirement = centre.requirement.astype(np.int64)[history.call_type[rows]]
    names, place = np.unique(
        (requirement * len(MEDIA) + history.media[rows]) * n_agents + history.agent[rows], return_inverse=True
    )
    n = np.bincount(place).astype(float)
    total = _sums(place, time_s)
    square = _sums(place, (time_s - (total / n)[place]) ** 2)
    cells, cell = np.unique(names // n_agents, return_inverse=True)
    row_of = np.zeros(centre.n_requirements, np.int64)
    row_of[centre.requirement] = row
    return _Pairs(
        cell=cell, agent=names % n_agents, row=row_of[names // n_agents // len(MEDIA)], n=n, total=total,
        square=square, n_cells=cells.size, n_agents=n_agents,
    )  # fmt: skip


def _estimated(pairs: _Pairs, n_rows: int) -> tuple[FloatArray, FactorsEstimate | None]:
    """Shrunk factors by set of skills and agent."""
    mean, noise = _fitted(pairs)
    spots = _spots(pairs, mean, noise)
    # No two agents ever handled the same kind of work, or too little of it: nothing can be compared.
    if not spots.agent.size:
        return np.ones((n_rows, pairs.n_agents)), None
    skill_var = _between(spots.ratio, spots.variance, spots.agent)
    # An average by what each value is worth: the noise of few calls, plus how much skills truly differ.
    weight = 1.0 / (skill_var + spots.variance)
    known = np.unique(spots.agent)
    sure = _sums(spots.agent, weight, pairs.n_agents)[known]
    overall = _sums(spots.agent, weight * spots.ratio, pairs.n_agents)[known] / sure
    agent_var = _between(overall, 1.0 / sure, _parts(pairs)[known])
    kept = agent_var / (agent_var + 1.0 / sure)
    shrunk = np.ones(pairs.n_agents)
    shrunk[known] = 1.0 + kept * (overall - 1.0)
    factor = np.tile(shrunk, (n_rows, 1))
    factor[spots.row, spots.agent] += skill_var * weight * (spots.ratio - shrunk[spots.agent])
    # Shrinking moves the mean; without this the centre as a whole would get faster or slower.
    factor = _with_mean(np.clip(factor, LEAST_FACTOR, MOST_FACTOR), pairs)
    return factor, FactorsEstimate(
        source="estimated", agents=known.size, interactions=int(pairs.n.sum()),
        factor=_range(shrunk[known]), factor_by_skills=_range(factor[spots.row, spots.agent]),
        interactions_by_agent=_range(_sums(pairs.agent, pairs.n, pairs.n_agents)[known]),
        weight_of_own_data=_range(kept),
        agent_sd=math.sqrt(agent_var), skill_sd=math.sqrt(skill_var), noise_cv=math.sqrt(noise),
    )  # fmt: skip


def _fitted(pairs: _Pairs) -> tuple[FloatArray, float]:
    """Mean of each cell for an agent of factor 1, and the variance of times relative to what is expected.

    Cell means and agents' factors are such that both meet their totals. Agents without a common cell, even over
    others, cannot be compared: the factors of each such part average 1.
    """
    by_cell, by_agent = _sums(pairs.cell, pairs.total), _sums(pairs.agent, pairs.total, pairs.n_agents)
    factor, mean = np.ones(pairs.n_agents), np.zeros(pairs.n_cells)
    # Cells and agents in turn, each solved exactly given the other: the likelihood never falls, and no matrix of
    # cells by agents is needed.
    for _ in range(_ROUNDS):
        before = factor
        mean = _ratio(by_cell, _sums(pairs.cell, pairs.n * factor[pairs.agent]), 0.0)
        factor = _ratio(by_agent, _sums(pairs.agent, pairs.n * mean[pairs.cell], pairs.n_agents), 1.0)
        if np.abs(factor - before).max(initial=0.0) <= _SETTLED:
            break
    expected = pairs.n * mean[pairs.cell]
    part = _parts(pairs)
    # Parts that share no cell have no common scale; each is measured by its own mean.
    scale = _ratio(_sums(part[pairs.agent], expected * factor[pairs.agent]), _sums(part[pairs.agent], expected), 1.0)
    freedom = float(((pairs.n - 1) * (mean[pairs.cell] * factor[pairs.agent]) ** 2).sum())
    noise = float(pairs.square.sum()) / freedom if freedom else math.inf
    of_cell = np.zeros(pairs.n_cells, np.int64)
    of_cell[pairs.cell] = part[pairs.agent]
    return mean * scale[of_cell], max(noise, _LEAST_NOISE)


def _parts(pairs: _Pairs) -> IntArray:
    """Part of each agent: the smallest agent reached over common cells."""
    part = np.arange(pairs.n_agents)
    while True:
        of_cell = np.full(pairs.n_cells, pairs.n_agents)
        np.minimum.at(of_cell, pairs.cell, part[pairs.agent])
        fresh = part.copy()
        np.minimum.at(fresh, pairs.agent, of_cell[pairs.cell])
        if (fresh == part).all():
            return part
        part = fresh


def _spots(pairs: _Pairs, mean: FloatArray, noise: float) -> _Spots:
    """Handled over expected time by set of skills and agent, where there is anything to compare with.

    What an agent handles alone in a cell says nothing: that cell's mean is the agent's own.
    """
    names, spot = np.unique(pairs.row * pairs.n_agents + pairs.agent, return_inverse=True)
    expected = mean[pairs.cell]
    ratio = _ratio(_sums(spot, pairs.total), _sums(spot, pairs.n * expected), 1.0)
    # An agent is compared with the rest of the cell, so the larger the own share of it, the less is learnt.
    shared = pairs.n * (1.0 - pairs.n / _sums(pairs.cell, pairs.n)[pairs.cell]) * expected
    size = _ratio(_sums(spot, shared) ** 2, _sums(spot, shared * expected), 0.0)
    seen = np.flatnonzero((size > 0) & math.isfinite(noise))
    return _Spots(names[seen] % pairs.n_agents, names[seen] // pairs.n_agents, ratio[seen], noise / size[seen])


def _between(value: FloatArray, variance: FloatArray, group: IntArray) -> float:
    """Variance of true values around the mean of their group, of values with known variances; 0 where none is seen.

    By moments, weighted by what is known of each value, so that few and odd calls of one agent cannot make all
    agents seem to differ.
    """
    groups, place = np.unique(group, return_inverse=True)
    weight = 1.0 / variance
    whole = _sums(place, weight)
    apart = value - (_sums(place, weight * value) / whole)[place]
    excess = float((weight * apart**2).sum()) - (value.size - groups.size)
    scale = float((whole - _sums(place, weight**2) / whole).sum())
    # Below 0 means that chance alone explains more than what is seen.
    return max(0.0, excess / scale) if value.size > groups.size else 0.0


def _with_mean(factor: FloatArray, pairs: _Pairs) -> FloatArray:
    """Scale each row so that the recorded interactions would take an agent of factor 1 as long as they took."""
    n_rows = len(factor)
    base = _sums(pairs.row, pairs.total / factor[pairs.row, pairs.agent], n_rows)
    scale = _ratio(base, _sums(pairs.row, pairs.total, n_rows), 1.0)
    return np.asarray(factor * scale[:, None], np.float64)


def _sums(place: IntArray, value: FloatArray, n: int = 0) -> FloatArray:
    """Sum of the values at each place."""
    return np.bincount(place, value, n).astype(np.float64)


def _ratio(over: FloatArray, under: FloatArray, otherwise: float) -> FloatArray:
    return np.divide(over, under, out=np.full(over.shape, otherwise), where=under > 0)


def _range(values: FloatArray) -> Range:
    return Range(*(float(v) for v in np.quantile(values, (0, 0.5, 1), method="lower")))
