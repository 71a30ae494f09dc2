"""Made-up survey logs with known agent effects: is the uplift reported of them calibrated, and does its interval hold?

`python -m benchmarks.validation.satisfaction --runs 200` prints, for each world, the slope of held-out scores on fitted
effects (all other stretches known; only earlier days known), how often agents are said to differ, and how often the
95 % interval of a gain covers the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.measures.agent_effects import Fit, chance_of, fit
from engine.measures.components import Scores
from engine.measures.satisfaction import EVIDENCE_P, STRETCHES, Z95
from engine.typing import BoolArray, FloatArray, IntArray

LEVELS = np.array([0.35, 0.45, 0.6])
# Each interaction goes to the best known of so many agents.
CANDIDATES = 3
KNOWN_SHARE = 0.8


@dataclass(frozen=True)
class World:
    """A centre whose agents differ as said; standard deviations on a scale of 0-1."""

    name: str
    agent_sd: float = 0.1
    day_sd: float = 0.0  # Shared by the surveys of an agent on one day
    half_life_d: float = np.inf  # Of an agent's effect; infinite where it is constant
    step_sd: float = 0.0  # Daily step of a random walk
    noise_sd: float = 0.4
    n_agents: int = 60
    n_days: int = 40
    a_day: float = 2.0  # Surveys of an agent on a day


WORLDS = (
    World("constant"),
    World("clustered by day", day_sd=0.15),
    World("drifting, half-life 16 days", half_life_d=16.0),
    World("drifting and clustered", half_life_d=16.0, day_sd=0.15),
    World("random walk", agent_sd=0.05, step_sd=0.025),
    World("no differences", agent_sd=0.0),
    World("no differences, clustered", agent_sd=0.0, day_sd=0.2),
)


@dataclass(frozen=True)
class Log:
    """Scores of one draw, and the effect of every agent on every day."""

    scores: Scores
    effect: FloatArray  # (n_agents, n_days)

    @property
    def adjusted(self) -> FloatArray:
        """Scores less the true level of their kind."""
        return self.scores.value - LEVELS[self.scores.kind]

    def stretches(self, n: int = STRETCHES) -> IntArray:
        """Stretch of days of each score."""
        return self.scores.day * n // self.effect.shape[1]


def draw(world: World, seed: int) -> Log:
    """Agents work mostly on a kind of their own, and kinds differ: a trap for plain means."""
    rng = np.random.default_rng(seed)
    shape = (world.n_agents, world.n_days)
    kept = 2.0 ** (-1 / world.half_life_d)
    effect = np.empty(shape)
    effect[:, 0] = rng.normal(0, world.agent_sd, world.n_agents)
    fresh = rng.normal(0, 1, shape) * (world.step_sd or world.agent_sd * np.sqrt(1 - kept**2))
    for later in range(1, world.n_days):
        effect[:, later] = kept * effect[:, later - 1] + fresh[:, later]
    busy = world.a_day * rng.gamma(4, 1 / 4, (world.n_agents, 1)) * (rng.random(shape) < 5 / 7)
    n = rng.poisson(busy).ravel()
    agent, day = (np.repeat(place.ravel(), n) for place in np.indices(shape))
    home = rng.random(agent.size) < 0.8
    kind = np.where(home, agent % LEVELS.size, rng.integers(0, LEVELS.size, agent.size))
    luck = rng.normal(0, world.day_sd, shape)
    value = (LEVELS[kind] + (effect + luck)[agent, day]) + rng.normal(0, world.noise_sd, agent.size)
    return Log(Scores(value, agent, kind, day), effect)


def fitted(log: Log, known: BoolArray, days: IntArray) -> Fit:
    """Effects on some days from the scores known."""
    return fit(log.scores.rows(known), days, log.effect.shape[0], LEVELS.size)


def slope_beside(log: Log) -> float:
    """Slope of the scores of each stretch on effects fitted on all others."""
    stretch, known = log.stretches(), np.zeros(log.scores.value.size)
    for one in np.unique(stretch):
        held = stretch == one
        known[held] = fitted(log, ~held, np.unique(log.scores.day[held])).effect[log.scores.agent[held]]
    return _slope(known, log.adjusted)


def slope_ahead(log: Log) -> float:
    """Slope of the last fifth of the days on effects fitted on the days before."""
    first = int(KNOWN_SHARE * log.effect.shape[1])
    held = log.scores.day >= first
    effect = fitted(log, ~held, np.arange(first, log.effect.shape[1])).effect
    return _slope(effect[log.scores.agent[held]], log.adjusted[held])


def _slope(effect: FloatArray, score: FloatArray) -> float:
    apart = effect - effect.mean()
    spread = float(apart @ apart)
    return float(apart @ score) / spread if spread > 0 else np.nan


@dataclass(frozen=True)
class Gain:
    """What a rule adds that gives each interaction to the best known of a few agents."""

    truth: float
    value: float
    error: float
    chance: float  # How likely agents differ so much by chance


def gain_of(log: Log, seed: int) -> Gain:
    """The gain as it is and as a report says it."""
    scores, stretch = log.scores, log.stretches()
    n_agents, n = log.effect.shape[0], scores.value.size
    chosen = _best_known(log, np.random.default_rng([seed, 1]))
    truth = float((log.effect[chosen, scores.day] - log.effect[scores.agent, scores.day]).mean())
    value = error = 0.0
    for one in np.unique(stretch):
        held = stretch == one
        found = fitted(log, ~held, np.unique(scores.day[held]))
        to, away = (np.bincount(agent[held], minlength=n_agents) for agent in (chosen, scores.agent))
        value += float((to - away) @ found.effect) / n
        error += found.error((to - away) / n)
    return Gain(truth, value, error, chance_of(scores, stretch))


def _best_known(log: Log, rng: np.random.Generator) -> IntArray:
    """Of a few agents at random the one with the best mean of the days before."""
    scores, shape = log.scores, log.effect.shape
    cell = scores.agent * shape[1] + scores.day
    sums, n = (np.bincount(cell, w, shape[0] * shape[1]).reshape(shape) for w in (log.adjusted, None))
    before = [np.cumsum(side, axis=1) - side for side in (sums, n)]
    mean = np.divide(before[0], before[1], out=np.zeros(shape), where=before[1] > 0)
    some = rng.integers(0, shape[0], (scores.value.size, CANDIDATES))
    best: IntArray = some[np.arange(some.shape[0]), mean[some, scores.day[:, None]].argmax(axis=1)]
    return best


def _lines(runs: int) -> Iterator[str]:
    yield "world                         slope beside     slope ahead      said to differ  gain/truth  covered"
    for world in WORLDS:
        logs = [draw(world, seed) for seed in range(runs)]
        gains = [gain_of(log, seed) for seed, log in enumerate(logs)]
        said = [gain for gain in gains if gain.chance <= EVIDENCE_P]
        covered = [abs(gain.value - gain.truth) <= Z95 * gain.error for gain in said]
        slopes = ["-".ljust(15)] * 2
        share = cover = "-"
        if world.agent_sd:
            slopes = [_mean(np.array([of(log) for log in logs])) for of in (slope_beside, slope_ahead)]
            share = f"{sum(gain.value for gain in said) / sum(gain.truth for gain in said):.2f}"
            cover = f"{100 * np.mean(covered):.0f} %"
        differ = f"{100 * len(said) / runs:.1f} %"
        yield f"{world.name:<29} {slopes[0]}  {slopes[1]}  {differ:>14}  {share:>10}  {cover:>7}"


def _mean(slopes: FloatArray) -> str:
    some = slopes[np.isfinite(slopes)]
    return f"{some.mean():.3f} +- {some.std(ddof=1) / np.sqrt(some.size):.3f}".ljust(15)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    for line in _lines(parser.parse_args().runs):
        print(line, flush=True)  # noqa: T201
