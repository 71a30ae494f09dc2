"""Reported satisfaction: shrunk agent effects, adjusted for call mix, applied to other days.

Model: a survey's score (0-1) is the mean of what the interaction required plus an effect of its agent
plus noise. Agent effects are random and shrunk (best linear unbiased prediction); the two variances come
from the fitting-constants method (Henderson's method III). Days are split in two halves, and what is
fitted on one half is applied to the interactions of the other. An association, not an effect: nobody
assigned customers to agents at random.

References: C. R. Henderson, "Estimation of variance and covariance components", Biometrics 9(2), 1953,
doi:10.2307/3001853; G. K. Robinson, "That BLUP is a good thing", Statistical Science 6(1), 1991,
doi:10.1214/ss/1177011926.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.centre import Centre, Surveys
from engine.data.wall_time import DAY_US
from engine.results import about
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

EVIDENCE_P = 0.05
Z95 = 1.959963984540054
ASSOCIATION = (
    "association, not effect: agent effects adjusted for call mix, shrunk, fitted on one half of the days "
    "and applied to the other; scores rescaled to 0-1"
)
NO_EVIDENCE = "no evidence that the choice of agent matters: agents do not differ more than chance"


@dataclass(frozen=True)
class Fit:
    """Agent effects from one half of the days, or from all.

    Parameters
    ----------
    effect : (n_agents,) array of float
        Shrunk effects; 0 for agents without surveys.
    covariance : (n_agents, n_agents) array of float
        Of the effects given the surveys.
    level : (n_requirements,) array of float
        Mean of each requirement at agent effect 0.
    p_value : float
        Of the hypothesis that agents do not differ.
    agent_sd : float
        Standard deviation of true agent effects.
    """

    effect: FloatArray
    covariance: FloatArray
    level: FloatArray
    p_value: float
    agent_sd: float


@dataclass(frozen=True)
class Mix:
    """Interactions that count for satisfaction: chosen by the run and answered by a known agent.

    Parameters
    ----------
    requirement : (2, n_requirements) array of float
        Interactions by half of the days.
    simulated, recorded : (2, n_agents) array of float
        The same interactions by the run's and by the recorded agent.
    """

    requirement: FloatArray
    simulated: FloatArray
    recorded: FloatArray


@dataclass(frozen=True)
class Gain:
    """A difference of means with its 95 % interval."""

    value: float = about("Expected mean less the other. [0-1]")
    low: float = about("Lower end of its 95 % interval.")
    high: float = about("Upper end of its 95 % interval.")


@dataclass(frozen=True, kw_only=True)
class _Expected:
    """What is expected of satisfaction under a rule, whatever it is compared with."""

    simulated_mean: float | None = about("Mean expected under the rule. [0-1]", default=None)
    gain: Gain | None = about("The same less the other mean; null where agents do not differ.", default=None)
    coverage: float | None = about("Share of the answered interactions that have a survey.")
    n_surveys: int = about("Surveys of the data set. [count]")
    p_value: float | None = about("Of the hypothesis that agents do not differ.", default=None)
    agent_sd: float | None = about("Standard deviation of true agent effects. [0-1]", default=None)
    how: str = about("What the means rest on, or why there are none.")


@dataclass(frozen=True, kw_only=True)
class Satisfaction(_Expected):
    """What satisfaction is expected under a rule, beside the recorded one; null where undefined."""

    recorded_mean: float | None = about("Mean of the recorded agents. [0-1]", default=None)

    def against(self) -> SatisfactionAgainst:
        """The same where what it is compared with is another rule, so that its mean is no recorded one."""
        return SatisfactionAgainst(
            simulated_mean=self.simulated_mean, gain=self.gain, coverage=self.coverage, n_surveys=self.n_surveys,
            p_value=self.p_value, agent_sd=self.agent_sd, how=self.how, against_mean=self.recorded_mean,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SatisfactionAgainst(_Expected):
    """What satisfaction is expected under a rule, beside that under another; null where undefined."""

    against_mean: float | None = about("Mean expected under the other rule. [0-1]", default=None)


def fold_of(day: Any) -> Any:
    """Half to which a UTC day belongs, or each of an array of days: even or odd."""
    # Alternate days rather than two stretches: both halves then see the same weeks, seasons and staffing.
    return day % 2


def fit(value: FloatArray, agent: Int32Array, kind: IntArray, n_agents: int, n_kinds: int) -> Fit | None:
    """Shrunk agent effects of scores 0-1, adjusted for what the interactions required.

    Kind -1, a requirement not known, is one kind of its own. None where the surveys leave no freedom to tell agents
    apart.
    """
    # Only kinds that occur take part: call types may be many, those with surveys are few.
    kinds, at = np.unique(kind, return_inverse=True)
    by_kind = np.bincount(at).astype(float)
    cell = (
        np.bincount(at * n_agents + agent, minlength=kinds.size * n_agents).reshape(kinds.size, n_agents).astype(float)
    )
    # Means by requirement taken out exactly (fitting constants), so that who gets the hard calls is not taken for bad.
    gram = np.diag(cell.sum(axis=0)) - cell.T @ (cell / by_kind[:, None])
    apart = value - (np.bincount(at, value) / by_kind)[at]
    moment = np.bincount(agent, apart, n_agents)
    # Agents who share no requirement with others leave directions in which nothing is seen; axes tell those apart.
    size, axes = np.linalg.eigh(gram)
    kept = size > 1e-9 * max(1.0, float(size[-1]))
    rank, free = int(kept.sum()), value.size - kinds.size - int(kept.sum())
    if rank == 0 or free < 1:
        return None
    along = axes.T @ moment
    between = float((along[kept] ** 2 / size[kept]).sum())
    noise = max(0.0, float(apart @ apart) - between) / free
    # Below 0 means that agents differ less than chance would make them.
    spread = max(0.0, (between - rank * noise) / float(np.trace(gram)))
    # Along the other axes the surveys say nothing: no effect is seen, and all of the spread stays unknown.
    shrunk = np.divide(spread, spread * size + noise, out=np.zeros(n_agents), where=kept & (spread > 0))
    unknown = np.where(kept, shrunk * noise, spread)
    effect: FloatArray = axes @ (shrunk * along)
    left = value - effect[agent]
    level = np.full(n_kinds, left.mean())
    level[kinds[kinds >= 0]] = (np.bincount(at, left) / by_kind)[kinds >= 0]
    return Fit(effect, (axes * unknown) @ axes.T, level, _p_value(between, rank, noise, free), math.sqrt(spread))


def _p_value(between: float, rank: int, noise: float, free: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(rank, free, between / rank / noise)) if noise > 0 else float(between == 0)


def coverage(surveys: Surveys, days: Sequence[int], n_answered: int) -> float | None:
    """Share of the answered interactions of some days that have a survey.

    Parameters
    ----------
    surveys : Surveys
        All of the data set.
    days : sequence of int
        First and last UTC day; empty for none.
    n_answered : int
        Interactions of these days with a recorded agent.

    Returns
    -------
    float or None
        None where nothing was answered, or no survey names its interaction.
    """
    if not n_answered or (surveys.agent.size and not surveys.first.any()):
        return None
    # Surveys that come twice count once: coverage is a share of interactions.
    return float((surveys.first & (surveys.day >= days[0]) & (surveys.day <= days[-1])).sum() / n_answered)


class Effects:
    """Agent effects of a data set, fitted when first asked for and shared by all scenarios.

    Parameters
    ----------
    centre : Centre
        With its surveys.
    """

    def __init__(self, centre: Centre) -> None:
        self.surveys = centre.surveys
        self._centre = centre

    @cached_property
    def whole(self) -> Fit | None:
        """From all days."""
        return self._fit(np.ones(self.surveys.agent.size, bool))

    @cached_property
    def halves(self) -> tuple[Fit | None, Fit | None]:
        """For even and for odd days, each from the surveys of the other half."""
        # By the day of the call where it is known: a survey completed after midnight belongs to the half of its call.
        day = np.where(self.surveys.day >= 0, self.surveys.day, self.surveys.completed_us // DAY_US)
        return self._fit(day % 2 != 0), self._fit(day % 2 != 1)

    def _fit(self, rows: BoolArray) -> Fit | None:
        if not rows.any():
            return None
        surveys, centre = self.surveys, self._centre
        kind = np.append(centre.requirement, -1)[surveys.call_type[rows]]
        return fit(surveys.value[rows], surveys.agent[rows], kind, centre.n_agents, centre.n_requirements)


def satisfaction(effects: Effects, mix: Mix, covered: float | None, made_up: bool) -> Satisfaction:
    """What a report says about satisfaction.

    Parameters
    ----------
    effects : Effects
        Of the data set.
    mix : Mix
        The interactions compared.
    covered : float, optional
        As `coverage` gives it.
    made_up : bool
        Whether the surveys were drawn from a seed.

    Returns
    -------
    Satisfaction
        With how, and what supports it.
    """
    nothing = Satisfaction(coverage=covered, n_surveys=effects.surveys.agent.size, how="no surveys")
    if made_up:
        return replace(nothing, how="the surveys are made up, so no satisfaction is reported from them")
    if nothing.n_surveys == 0:
        return nothing
    if mix.requirement.sum() == 0:
        return replace(nothing, how="no interaction has both a recorded agent and a chosen one")
    whole, (even, odd) = effects.whole, effects.halves
    if whole is None or even is None or odd is None:
        return replace(nothing, how="too few surveys to tell agents apart")
    recorded_mean, gain = _means(mix, [even, odd])
    found = replace(
        nothing, recorded_mean=recorded_mean, simulated_mean=recorded_mean + gain.value, gain=gain,
        p_value=whole.p_value, agent_sd=whole.agent_sd, how=ASSOCIATION,
    )  # fmt: skip
    return replace(found, gain=None, how=f"{NO_EVIDENCE} ({ASSOCIATION})") if whole.p_value > EVIDENCE_P else found


def _means(mix: Mix, fits: list[Fit]) -> tuple[float, Gain]:
    """Mean of the recorded agents, and what the run's agents are expected to add."""
    n = mix.requirement.sum()
    base = sum(float(mix.requirement[k] @ fits[k].level) for k in (0, 1))
    recorded = sum(float(mix.recorded[k] @ fits[k].effect) for k in (0, 1))
    # Only interactions that change hands move the mean, and only their agents add to its error.
    moves = [(mix.simulated[k] - mix.recorded[k]) / n for k in (0, 1)]
    gain = sum(float(moves[k] @ fits[k].effect) for k in (0, 1))
    # The halves share the same true effects, so their errors are added, not squared first: on the safe side.
    error = sum(math.sqrt(max(0.0, float(moves[k] @ fits[k].covariance @ moves[k]))) for k in (0, 1))
    return (base + recorded) / n, Gain(gain, gain - Z95 * error, gain + Z95 * error)
