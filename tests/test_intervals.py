"""Intervals by resampling days: they cover as often as they say, and what is paired is compared pair by pair."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from engine.measures.fairness import gini
from engine.measures.intervals import DRAWS, FEWEST_DAYS, RATIOS, Days, Paired, Resampling, measures, point

PARTS = sorted({name for both in RATIOS.values() for name in both})
MEASURES = {*RATIOS, "gini"}


def random_days(rng: np.random.Generator, n_draws: int = 1, n_days: int = 12, n_agents: int = 3) -> Days:
    """Sums of days of very different size."""
    parts = {name: rng.gamma(2.0, 50.0, (n_draws, n_days)) for name in PARTS}
    return Days(parts, rng.poisson(rng.gamma(2.0, 10.0, (1, n_days, 1)), (n_draws, n_days, n_agents)).astype(float))


# --- the slow twin: days put together one by one --------------------------------------------------------------------


def by_hand(days: Days, taken: list[tuple[int, int]]) -> dict[str, float]:
    """Measures of some draws of days, counted as often as they were taken."""
    sums = {name: sum(part[draw, day] for draw, day in taken) for name, part in days.parts.items()}
    counts = np.sum([days.counts[draw, day] for draw, day in taken], axis=0)
    return {name: sums[up] / sums[down] for name, (up, down) in RATIOS.items()} | {"gini": gini(counts)}


def test_measures_are_sums_over_sums():
    """Over all days, and the mean over draws."""
    days = random_days(np.random.default_rng(1), n_draws=3)
    each = [by_hand(days, [(draw, day) for day in range(12)]) for draw in range(3)]
    found = point(days)
    assert set(found) == MEASURES
    for name, value in found.items():
        assert value == pytest.approx(np.mean([one[name] for one in each]), rel=1e-12)


def test_every_resample_takes_as_many_days_as_there_are_with_replacement_of_any_draw():
    """And an interval is cut off where 2.5 % of the resamples lie beyond."""
    days, resampling = random_days(np.random.default_rng(2), n_draws=4, n_days=7), Resampling(4, 7, seed=3)
    weight = resampling._weight
    assert weight.shape == (DRAWS, 4 * 7)
    assert (weight.sum(axis=1) == 7).all()
    assert (weight == weight.astype(int)).all()
    assert weight.max() > 1
    # Each day of each draw as often as any other, within five standard errors.
    assert np.abs(weight.sum(axis=0) - DRAWS / 4).max() < 5 * np.sqrt(DRAWS / 4)
    taken = [[(k // 7, k % 7) for k in range(28) for _ in range(int(row[k]))] for row in weight]
    resampled = [by_hand(days, some) for some in taken]
    for name, both in resampling.interval(days).items():
        low, high = np.percentile([one[name] for one in resampled], [2.5, 97.5])
        assert (both.low, both.high) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


def test_a_day_keeps_its_own_agents_and_sums_together():
    """Two kinds of days whose sums go together: the ratio is the same in every resample."""
    counts = np.tile([[[3.0, 1.0]], [[30.0, 10.0]]], (1, 6, 1)).reshape(1, 12, 2)
    size = np.tile([1.0, 10.0], (1, 6))
    days = Days({"within": 8 * size, "counted": 10 * size}, counts)
    found = Resampling(1, 12).interval(days)
    assert astuple(found["service_level"]) == pytest.approx((0.8, 0.8), rel=1e-6)
    assert astuple(found["gini"]) == pytest.approx((0.25, 0.25), rel=1e-6)


# --- coverage ------------------------------------------------------------------------------------------------------


def made_days(rng: np.random.Generator, n_days: int, ratio: float) -> Days:
    """Days of random size whose own ratios scatter around the true one."""
    counted = rng.gamma(4.0, 50.0, n_days)
    within = counted * np.clip(ratio + rng.normal(0.0, 0.1, n_days), 0.0, 1.0)
    return Days({"within": within[None], "counted": counted[None]}, np.ones((1, n_days, 2)))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """Three hundred logs of thirty days: 95 %, less the little that resampling so few days is known to fall short."""
    rng, resampling = np.random.default_rng(0), Resampling(1, 30)
    covered = widths = 0.0
    for _ in range(300):
        both = resampling.interval(made_days(rng, 30, 0.7))["service_level"]
        covered += both.low <= 0.7 <= both.high
        widths += both.high - both.low
    assert 0.90 <= covered / 300 <= 0.98
    # 2 x 1.96 x 0.1 / sqrt(30), more for days of unequal size (a quarter of their variance).
    assert widths / 300 == pytest.approx(2 * 1.96 * 0.1 * np.sqrt(1.25 / 30), rel=0.1)


def test_paired_differences_cover_the_truth_and_are_narrower_than_unpaired_ones():
    """Days differ much, the two rules little: what they share drops out."""
    rng, resampling = np.random.default_rng(1), Resampling(1, 30)
    covered, paired, single = 0, 0.0, 0.0
    for _ in range(300):
        one = made_days(rng, 30, 0.6)
        more = one.parts["within"] + one.parts["counted"] * rng.normal(0.02, 0.02, 30)
        other = Days(one.parts | {"within": more}, one.counts)
        both = resampling.difference(other, one)["service_level"]
        covered += both.low <= 0.02 <= both.high
        paired += both.high - both.low
        single += np.subtract(*reversed(astuple(resampling.interval(one)["service_level"])))
        assert both.low < both.value < both.high
    assert 0.90 <= covered / 300 <= 0.98
    assert paired < single / 3


# --- edges ----------------------------------------------------------------------------------------------------------


def test_what_is_the_same_differs_by_nothing():
    """Exactly: no rounding turns it into a difference, whatever the draws."""
    for seed in range(5):
        days = random_days(np.random.default_rng(seed), n_draws=1 + seed)
        found = Resampling(1 + seed, 12, seed).difference(days, days)
        assert set(found) == MEASURES
        assert all(difference == Paired(0.0, 0.0, 0.0) for difference in found.values())


def test_differences_turn_their_sign_with_the_order():
    one, other = (random_days(np.random.default_rng(seed)) for seed in (1, 2))
    resampling = Resampling(1, 12)
    there, back = resampling.difference(one, other), resampling.difference(other, one)
    for name in MEASURES:
        assert there[name].value == -back[name].value == point(one)[name] - point(other)[name]
        assert there[name].low == pytest.approx(-back[name].high)


@pytest.mark.parametrize("n_days", range(FEWEST_DAYS + 2))
def test_few_days_have_no_interval(n_days):
    """Under five days nothing says how days differ; the values are there all the same."""
    days, resampling = random_days(np.random.default_rng(0), n_days=n_days), Resampling(1, n_days)
    difference = resampling.difference(days, days)
    assert resampling.is_possible == (n_days >= FEWEST_DAYS == 5)
    if n_days < FEWEST_DAYS:
        assert resampling.interval(days) == {}
        assert all((both.low, both.high) == (None, None) for both in difference.values())
    else:
        assert all(both.low <= both.high for both in resampling.interval(days).values())
    assert {both.value for both in difference.values()} == {0.0 if n_days else None}


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    days = random_days(np.random.default_rng(0))
    first, again, other = (Resampling(1, 12, seed).interval(days) for seed in (0, 0, 1))
    assert first == again
    assert all(first[name] != other[name] for name in MEASURES)


def test_a_measure_without_anything_below_the_line_is_undefined():
    """On all days: null. On most days: no interval. On some days: the others decide."""
    days = random_days(np.random.default_rng(0))
    parts = {name: part.copy() for name, part in days.parts.items()}
    for name in ("counted", "within"):
        parts[name][:] = 0.0
    for name in ("answered", "answered_wait_s"):
        parts[name][0, 1:] = 0.0  # a resample of twelve days misses the first with a chance of (11/12) ** 12 = 0.35
    found = Days(parts, days.counts)
    resampling = Resampling(1, 12)
    spread = resampling.interval(found)
    assert point(found)["service_level"] is None
    assert spread["service_level"] is None
    assert resampling.difference(found, days)["service_level"] == Paired(None, None, None)
    assert spread["asa_s"].low == pytest.approx(point(found)["asa_s"], rel=1e-6)
    idle = Days(parts, 0 * days.counts)
    assert point(idle)["gini"] is None
    assert resampling.interval(idle)["gini"] is None


def test_what_most_resamples_do_not_know_has_no_interval():
    """Of ten draws one has anything: six days miss it with a chance of 0.9 ** 6 = 0.53."""
    days = random_days(np.random.default_rng(0), n_draws=10, n_days=6)
    days.parts["counted"][1:] = 0.0
    found = Resampling(10, 6)
    assert found.interval(days)["service_level"] is None
    assert found.difference(days, days)["service_level"] == Paired(None, None, None)
    assert found.interval(days)["asa_s"] is not None


def test_what_one_side_does_not_know_has_no_difference():
    """A measure whose sums one account does not have."""
    days = random_days(np.random.default_rng(0))
    bare = Days({name: part for name, part in days.parts.items() if name != "within"}, days.counts)
    found = Resampling(1, 12).difference(days, bare)["service_level"]
    assert found == Paired(None, None, None)
    assert "service_level" not in point(bare)


def test_an_account_of_one_draw_stands_beside_accounts_of_several():
    """The record is the same in every draw."""
    rng = np.random.default_rng(0)
    once, often = random_days(rng), random_days(rng, n_draws=5)
    stacked = Days(
        {name: np.repeat(part, 5, axis=0) for name, part in once.parts.items()}, np.repeat(once.counts, 5, axis=0)
    )
    resampling = Resampling(5, 12)
    assert resampling.interval(once) == resampling.interval(stacked)
    one, several = (resampling.difference(often, other) for other in (once, stacked))
    assert all(astuple(one[name]) == pytest.approx(astuple(several[name]), rel=1e-12) for name in MEASURES)


def test_undefined_measures_are_nan_in_arrays_and_never_warn(recwarn: Any):
    found = measures({"within": np.zeros(2), "counted": np.array([0.0, 1.0])}, np.zeros((2, 3)))
    np.testing.assert_array_equal(found["service_level"], [np.nan, 0.0])
    assert np.isnan(found["gini"]).all()
    assert not recwarn.list
