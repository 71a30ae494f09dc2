"""Agent effects on satisfaction: calibrated on days held out, tested at their level, with intervals that hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.validation import satisfaction as worlds
from engine.measures.agent_effects import chance_of, fit
from engine.measures.components import Components, Scores, _Cells, _shapes, components_of, nonnegative
from engine.measures.satisfaction import EVIDENCE_P, Z95

DIFFER = [world for world in worlds.WORLDS if world.agent_sd]
ALIKE = [world for world in worlds.WORLDS if not world.agent_sd]


@pytest.mark.parametrize("world", DIFFER, ids=lambda world: world.name)
def test_scores_of_days_held_out_have_slope_1_on_the_fitted_effects(world):
    """Effects of constant agents, of such whose surveys of one day are alike, and of such who drift."""
    found = np.array([worlds.slope_beside(worlds.draw(world, seed)) for seed in range(16)])
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - 1) <= 3 * error
    assert abs(found.mean() - 1) <= 0.1


@pytest.mark.parametrize("world", DIFFER, ids=lambda world: world.name)
def test_scores_of_later_days_have_slope_1_on_effects_of_the_days_before(world):
    """Effects that drift are worth less the further ahead they are used, which is learned from the days before too."""
    large = replace(world, n_agents=120)
    found = np.array([worlds.slope_ahead(worlds.draw(large, seed)) for seed in range(40)])
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - 1) <= 3 * error
    assert abs(found.mean() - 1) <= 0.1


@pytest.mark.parametrize("world", ALIKE, ids=lambda world: world.name)
@pytest.mark.parametrize("n_agents", [6, 40])
def test_agents_who_do_not_differ_are_said_to_in_one_log_of_twenty(world, n_agents):
    """Also where an agent's surveys of one day are alike. 200 logs: at most 19 at the 0.1 % point of the binomial."""
    world = replace(world, n_agents=n_agents, n_days=20)
    logs = (worlds.draw(world, seed) for seed in range(200))
    chances = np.array([chance_of(log.scores, log.stretches()) for log in logs])
    assert (chances <= EVIDENCE_P).sum() <= 21
    assert 0.4 < chances.mean() < 0.6


@pytest.mark.parametrize("world", [DIFFER[1], DIFFER[3]], ids=lambda world: world.name)
def test_intervals_of_gains_cover_the_truth(world):
    """At least 9 in 10 of 30, which chance allows of 95 %; and they say something."""
    gains = [worlds.gain_of(worlds.draw(world, seed), seed) for seed in range(30)]
    assert sum(abs(gain.value - gain.truth) <= Z95 * gain.error for gain in gains) >= 27
    assert np.mean([gain.value for gain in gains]) == pytest.approx(np.mean([gain.truth for gain in gains]), rel=0.2)
    assert np.median([Z95 * gain.error / gain.value for gain in gains]) < 1


def small_log(seed: int, n_kinds: int = 3) -> Scores:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 40))
    return Scores(rng.random(n), rng.integers(0, 4, n), rng.integers(-1, n_kinds - 1, n), 100 + rng.integers(0, 7, n))


@given(st.integers(0, 10**6))
def test_effects_equal_the_slow_twin(seed):
    """All surveys in one matrix: generalised least squares of the means, then the conditional mean of the effects."""
    scores, days, n_agents, n_kinds = small_log(seed), np.array([99, 104, 109]), 5, 4
    found, parts = fit(scores, days, n_agents, n_kinds), components_of(scores)
    same = scores.agent[:, None] == scores.agent
    lasting, noise = (
        parts.covariance(scores.day, scores.day),
        max(parts.noise, 1e-6 * (parts.lasting.sum() + parts.day)),
    )
    noise = max(noise, np.finfo(float).tiny)
    whole = same * (lasting + parts.day * (scores.day[:, None] == scores.day)) + noise * np.eye(scores.value.size)
    seen = np.unique(scores.kind)
    means = (scores.kind[:, None] == seen).astype(float)
    inverse = np.linalg.inv(whole)
    covariance = np.linalg.inv(means.T @ inverse @ means)
    level = covariance @ means.T @ inverse @ scores.value
    ahead = parts.covariance(days, scores.day).mean(axis=0)
    for agent in range(n_agents):
        tied = ahead * (scores.agent == agent) @ inverse
        assert found.effect[agent] == pytest.approx(tied @ (scores.value - means @ level), abs=1e-9)
        left = parts.covariance(days, days).mean() - tied @ (ahead * (scores.agent == agent))
        moves = np.eye(n_agents)[agent]
        shared = tied @ means
        assert found.error(moves) ** 2 == pytest.approx(left + shared @ covariance @ shared, abs=1e-9)
    known = seen >= 0
    np.testing.assert_allclose(found.level[seen[known]], level[known], atol=1e-9)


@given(st.integers(0, 10**6))
def test_moments_are_what_the_components_add_to_products_of_pairs(seed):
    """Exactly where all interactions are of one kind: traces of matrices of surveys x surveys."""
    scores = small_log(seed, n_kinds=1)
    cells, n = _Cells.of(scores), scores.value.size
    span = np.arange(cells.n_days)
    shapes = np.concatenate([np.eye(span.size)[None], _shapes(span, span, span.size)])
    day = scores.day - scores.day.min()
    same = scores.agent[:, None] == scores.agent
    adds = [*(same * shape[np.ix_(day, day)] for shape in shapes), np.eye(n)]
    apart = np.eye(n) - 1 / n
    value = apart @ scores.value
    covered = np.zeros((n, n))
    for number, (added, product, n_pairs) in enumerate(cells.moments(shapes)):
        chosen = np.eye(n) if number == 0 else _pairs_of(number, cells.n_days, day, same)
        assert n_pairs == chosen.sum()
        assert product == pytest.approx(value @ chosen @ value, abs=1e-9)
        expected = [np.trace(chosen @ apart @ one @ apart) for one in adds]
        np.testing.assert_allclose(added, expected, atol=1e-9)
        covered += chosen
    np.testing.assert_array_equal(covered, same)


def _pairs_of(number: int, n_days: int, day: np.ndarray, same: np.ndarray) -> np.ndarray:
    """The pairs of different surveys of one agent that belong to a moment, the empty ones not counted."""
    from engine.measures.components import _bins

    kept = []
    for chosen, _ in _bins(n_days):
        pairs = same & chosen[np.ix_(day, day)] & ~np.eye(day.size, dtype=bool)
        kept += [pairs] if pairs.any() else []
    return kept[number - 1].astype(float)


@given(st.integers(0, 10**6))
def test_least_squares_without_negative_coefficients_equals_scipy(seed):
    from scipy.optimize import nnls

    rng = np.random.default_rng(seed)
    design = rng.normal(size=(int(rng.integers(3, 12)), int(rng.integers(1, 8))))
    found = design @ rng.normal(size=design.shape[1]) + rng.normal(size=design.shape[0])
    mine, theirs = nonnegative(design, found), nnls(design, found)[0]
    assert (mine >= 0).all()
    misfit = [((design @ one - found) ** 2).sum() for one in (mine, theirs)]
    assert misfit[0] == pytest.approx(misfit[1], rel=1e-8, abs=1e-10)


def test_components_are_those_of_the_world():
    """Means over draws: 0.15 of the agents that lasts, 0.2 of the day, 0.4 of the survey, as variances."""
    world = worlds.World("known", agent_sd=0.15, day_sd=0.2, n_agents=80)
    found = [components_of(worlds.draw(world, seed).scores) for seed in range(8)]
    assert np.mean([one.agent_sd**2 for one in found]) == pytest.approx(0.15**2, rel=0.15)
    assert np.mean([one.day for one in found]) == pytest.approx(0.2**2, rel=0.15)
    assert np.mean([one.noise for one in found]) == pytest.approx(0.4**2, rel=0.05)


def test_an_effect_that_decays_is_worth_less_ahead():
    """Half of it is left after one half-life: by hand, one agent with one survey without noise."""
    parts = Components(np.array([0, 0, 0, 0, 0, 0, 0, 1.0, 0, 0]), 0.0, 0.0, 10, 9)
    days = np.array([10, 14, 18])
    np.testing.assert_allclose(parts.covariance(days[:1], days), [[1.0, 0.5, 0.25]])


def test_scores_that_are_all_the_same_tell_nothing():
    log = worlds.draw(worlds.WORLDS[0], 0).scores
    same = Scores(np.full(log.value.size, 0.7), log.agent, log.kind, log.day)
    assert chance_of(same, log.day * 10 // 40) == 1.0
    found = fit(same, np.array([3]), 60, 3)
    np.testing.assert_allclose(found.effect, 0, atol=1e-6)
    np.testing.assert_allclose(found.level, 0.7)
