"""Reported satisfaction: shrunk agent effects, adjusted for call mix, applied to other days.

The days with surveys are cut into stretches; what is applied to the interactions of one is fitted on the surveys of all
others, by how far they lie apart in time. An association, not an effect: nobody assigned customers to agents at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.centre import Centre, Surveys
from engine.data.wall_time import DAY_US
from engine.measures.agent_effects import Fit, chance_of, fit
from engine.measures.components import MOST_CELLS, Scores, components_of
from engine.results import about
from engine.typing import FloatArray, IntArray

EVIDENCE_P = 0.05
# More would be fitted longer for little; fewer would leave more days unused for each.
STRETCHES = 10
Z95 = 1.959963984540054
ASSOCIATION = (
    "association, not effect: agent effects adjusted for call mix, shrunk, fitted on other days than those they are "
    "applied to; scores rescaled to 0-1"
)
NO_EVIDENCE = "no evidence that the choice of agent matters: agents do not differ more than chance"


@dataclass(frozen=True)
class Mix:
    """Interactions that count for satisfaction: chosen by the run and answered by a known agent.

    Parameters
    ----------
    requirement : (n_stretches, n_requirements) array of float
        Interactions by stretch of days.
    simulated, recorded : (n_stretches, n_agents) array of float
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
    made_up : bool
        Whether the surveys were drawn from a seed; then nothing is fitted.
    """

    def __init__(self, centre: Centre, made_up: bool) -> None:
        self.surveys, self.made_up, self._centre = centre.surveys, made_up, centre
        # By the day of the call where it is known: a survey completed after midnight belongs to the day of its call.
        day = np.where(self.surveys.day >= 0, self.surveys.day, self.surveys.completed_us // DAY_US)
        self._days = np.unique(day) if not made_up else day[:0]
        kind = np.append(centre.requirement, -1)[self.surveys.call_type]
        self._scores = Scores(self.surveys.value, self.surveys.agent.astype(np.int64), kind, day.astype(np.int64))
        self.n_stretches = max(1, min(STRETCHES, max(self._days.size // 2, min(self._days.size, 2))))
        # Stretches of as many days with surveys each, in the order of time: days next to each other are alike.
        firsts = np.arange(1, self.n_stretches) * self._days.size // self.n_stretches
        self._starts = self._days[firsts]

    def stretch_of(self, day: Any) -> Any:
        """Stretch of days to which a UTC day belongs, or each of an array of days."""
        return np.searchsorted(self._starts, day, side="right")

    @cached_property
    def chance(self) -> float | None:
        """How likely agents differ so much by chance; None where too little is known to tell."""
        if self.n_stretches < 2 or np.unique(self._scores.agent).size < 2:
            return None
        return chance_of(self._scores, self.stretch_of(self._scores.day))

    @cached_property
    def agent_sd(self) -> float:
        """Standard deviation of true agent effects, from all days."""
        return components_of(_in_cells(self._scores, self._days)[0]).agent_sd

    @cached_property
    def fits(self) -> list[Fit]:
        """For each stretch of days, from the surveys of all others."""
        return [self._fit(stretch) for stretch in range(self.n_stretches)]

    def _fit(self, stretch: int) -> Fit:
        own, known = self.stretch_of(self._days) == stretch, self.stretch_of(self._scores.day) != stretch
        scores, days = _in_cells(self._scores.rows(known), self._days[own])
        return fit(scores, days, self._centre.n_agents, self._centre.n_requirements)


def satisfaction(effects: Effects, mix: Mix, covered: float | None) -> Satisfaction:
    """What a report says about satisfaction.

    Parameters
    ----------
    effects : Effects
        Of the data set.
    mix : Mix
        The interactions compared.
    covered : float, optional
        As `coverage` gives it.

    Returns
    -------
    Satisfaction
        With how, and what supports it.
    """
    nothing = Satisfaction(coverage=covered, n_surveys=effects.surveys.agent.size, how="no surveys")
    if effects.made_up:
        return replace(nothing, how="the surveys are made up, so no satisfaction is reported from them")
    if nothing.n_surveys == 0:
        return nothing
    if mix.requirement.sum() == 0:
        return replace(nothing, how="no interaction has both a recorded agent and a chosen one")
    if effects.chance is None:
        return replace(nothing, how="too few surveys to tell agents apart")
    recorded_mean, gain = _means(mix, effects.fits)
    found = replace(
        nothing, recorded_mean=recorded_mean, simulated_mean=recorded_mean + gain.value, gain=gain,
        p_value=effects.chance, agent_sd=effects.agent_sd, how=ASSOCIATION,
    )  # fmt: skip
    return replace(found, gain=None, how=f"{NO_EVIDENCE} ({ASSOCIATION})") if effects.chance > EVIDENCE_P else found


def _means(mix: Mix, fits: list[Fit]) -> tuple[float, Gain]:
    """Mean of the recorded agents, and what the run's agents are expected to add."""
    n = mix.requirement.sum()
    base = sum(float(counts @ one.level) for counts, one in zip(mix.requirement, fits, strict=True))
    recorded = sum(float(counts @ one.effect) for counts, one in zip(mix.recorded, fits, strict=True))
    # Only interactions that change hands move the mean, and only their agents add to its error.
    moves = (mix.simulated - mix.recorded) / n
    gain = sum(float(moved @ one.effect) for moved, one in zip(moves, fits, strict=True))
    # The stretches share the same true effects, so their errors are added, not squared first: on the safe side.
    error = sum(one.error(moved) for moved, one in zip(moves, fits, strict=True))
    return (base + recorded) / n, Gain(gain, gain - Z95 * error, gain + Z95 * error)


def _in_cells(scores: Scores, days: IntArray) -> tuple[Scores, IntArray]:
    """Scores and days in cells of one day each, or of several where the span is long."""
    first, last = int(scores.day.min()), int(scores.day.max())
    width = 1 + (last - first) // MOST_CELLS
    return replace(scores, day=scores.day // width), np.unique(days // width)
