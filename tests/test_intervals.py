"""Intervals from how days differ: they hold their value and stay where it can be; pairs are compared pair by pair."""

from __future__ import annotations

import itertools
import math
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import brentq
from scipy.stats import t as student

from engine.errors import InvalidTable
from engine.measures.fairness import gini
from engine.measures.intervals import RATIOS, Days, Paired, Resampling, measures, point
from engine.measures.spread import FEWEST_DAYS, _signs

PARTS = sorted({name for both in RATIOS.values() for name in both})
MEASURES = {*RATIOS, "gini"}
SHARES = ("service_level", "abandonment", "occupancy")


def random_days(rng: np.random.Generator, n_draws: int = 1, n_days: int = 12, n_agents: int = 3) -> Days:
    """Sums of days of very different size; shares are shares."""
    parts = {name: rng.gamma(2.0, 50.0, (n_draws, n_days)) for name in PARTS}
    for above, below in (RATIOS[name] for name in SHARES):
        parts[above] = parts[below] * rng.uniform(0.2, 0.9, (n_draws, n_days))
    return Days(parts, rng.poisson(rng.gamma(2.0, 10.0, (1, n_days, 1)), (n_draws, n_days, n_agents)).astype(float))


# --- the slow twin: formulas as they are printed ---------------------------------------------------------------------


def moves_by_hand(above: list[float], below: list[float]) -> tuple[float, list[float], float]:
    """A ratio of sums, how far each day moves it, and its standard error (Cochran 1977, 6.4)."""
    n, ratio = len(above), sum(above) / sum(below)
    moves = [(a - ratio * b) / (sum(below) / n) for a, b in zip(above, below, strict=True)]
    return ratio, moves, math.sqrt(sum(move**2 for move in moves) / (n * (n - 1)))


def quantile_by_hand(moves: list[float], share: float) -> float:
    """Where Hall's transformation of the studentised mean, g(t), reaches the quantile of Student (1992, section 3).

    Where g is flatter there than a thirtieth, the largest skewness is taken under which it is not.
    """
    n = len(moves)
    second, third = (sum(move**power for move in moves) / n for power in (2, 3))
    skew = third / second**1.5 * math.sqrt(n * (n - 1)) / (n - 2)

    def reached(skew: float) -> float:
        def g(t: float) -> float:
            return t + skew * t**2 / (3 * n**0.5) + skew**2 * t**3 / (27 * n) + skew / (6 * n**0.5)

        return float(brentq(lambda t: g(t) - student.ppf(share, n - 1), -1e3, 1e3, xtol=1e-13))

    def steepness(skew: float) -> float:
        """The root of g'(t), 1 + skew t / (3 sqrt(n)), above that of a thirtieth."""
        return 1 + skew * reached(skew) / (3 * n**0.5) - 30**-0.5

    return reached(skew if steepness(skew) >= 0 else float(brentq(steepness, 0.0, skew, xtol=1e-13)))


def test_one_odd_day_does_not_carry_an_interval_as_far_as_one_likes():
    """Thirty days at 15 to 20 % and one at 45 %: studentised resampling of them says 17.1 to 23.0 %."""
    offered = np.full((1, 31), 1000.0)
    abandoned = np.append(np.linspace(150, 200, 30), 450.0)[None]
    days = Days({"abandoned": abandoned, "offered": offered}, np.ones((1, 31, 2)))
    found = Resampling(1, 31).interval(days)["abandonment"]
    assert (found.low, found.high) == pytest.approx((0.171, 0.230), abs=0.01)


def ends_by_hand(moves: list[float]) -> tuple[float, float]:
    return -quantile_by_hand(moves, 0.975), -quantile_by_hand(moves, 0.025)


def test_differences_end_at_the_further_of_student_and_of_what_is_corrected_for_skewness():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        one, other = random_days(rng, n_days=9), random_days(rng, n_days=9)
        found = Resampling(1, 9).difference(one, other)
        plain = student.ppf(0.975, 8)
        for name, (above, below) in RATIOS.items():
            a, mine, _ = moves_by_hand(*(one.parts[part][0].tolist() for part in (above, below)))
            b, theirs, _ = moves_by_hand(*(other.parts[part][0].tolist() for part in (above, below)))
            moves = [x - y for x, y in zip(mine, theirs, strict=True)]
            error = math.sqrt(sum(move**2 for move in moves) / (9 * 8))
            low, high = ends_by_hand(moves)
            assert found[name].value == pytest.approx(a - b)
            assert found[name].low == pytest.approx(a - b + min(low, -plain) * error)
            assert found[name].high == pytest.approx(a - b + max(high, plain) * error)


def test_waits_end_on_scales_of_logarithms_and_cube_roots():
    """The further of Student's on the one and of what is corrected for skewness on the other."""
    for seed in range(20):
        days = random_days(np.random.default_rng(seed), n_days=11)
        found = Resampling(1, 11).interval(days)["asa_s"]
        value, moves, error = moves_by_hand(*(days.parts[part][0].tolist() for part in RATIOS["asa_s"]))
        low, high = (max(0.0, 1 + end * error / value / 3) ** 3 for end in ends_by_hand(moves))
        plain = math.exp(student.ppf(0.975, 10) * error / value)
        assert astuple(found) == pytest.approx((value * min(low, 1 / plain), value * max(high, plain)))


def test_what_happens_and_what_does_not_have_intervals_that_are_mirrored():
    for seed in range(20):
        days = random_days(np.random.default_rng(seed), n_days=8)
        turned = days.parts | {"within": days.parts["counted"] - days.parts["within"]}
        one, other = (
            Resampling(1, 8).interval(each)["service_level"] for each in (days, Days(turned, days.counts))
        )  # fmt: skip
        assert astuple(one) == pytest.approx((1 - other.high, 1 - other.low), rel=1e-9)


def gini_by_hand(work: list[float]) -> float:
    n = len(work)
    return sum(abs(a - b) for a, b in itertools.product(work, work)) / (2 * n * sum(work))


def test_gini_is_without_what_chance_adds_to_few_days():
    """What a day leaves of the shares is added once more with signs: twice what that adds is taken off."""
    counts = np.random.default_rng(4).poisson(20.0, (9, 4)).astype(float)
    total = counts.sum(axis=0)
    shares, whole = total / total.sum(), total.sum()
    again = []
    for signs in _signs(9, 0):
        moved = [
            shares[a] + math.sqrt(9 / 8) * sum(
                sign * (day[a] - day.sum() * shares[a]) / whole for sign, day in zip(signs, counts, strict=True)
            )
            for a in range(4)
        ]  # fmt: skip
        again.append(gini_by_hand(moved))
    raw = gini_by_hand(total.tolist())
    found = point(Days({}, counts[None]))["gini"]
    assert found == pytest.approx(max(0.0, raw - 2 * (np.mean(again) - raw)))
    assert found < raw == pytest.approx(gini(total))


def test_under_seven_days_gini_is_that_of_the_counts():
    days = random_days(np.random.default_rng(4), n_draws=3, n_days=6)
    assert point(days)["gini"] == pytest.approx(np.mean([gini(counts.sum(axis=0)) for counts in days.counts]))


@pytest.mark.parametrize(("n_agents", "left"), [(2, 0.7), (8, 0.35), (40, 0.25)])
def test_agents_who_get_the_same_in_the_long_run_are_even_in_few_days(n_agents, left):
    """Fourteen days of 50 calls per agent: drawn evenly, Gini is about 0.02 by chance alone; the interval reaches 0."""
    rng = np.random.default_rng(n_agents)
    raw, values, reached = [], [], 0
    for _ in range(200):
        counts = rng.multinomial(50 * n_agents, [1 / n_agents] * n_agents, 14).astype(float)
        days = Days({}, counts[None])
        raw.append(gini(counts.sum(axis=0)))
        values.append(point(days)["gini"])
        reached += Resampling(1, 14).interval(days)["gini"].low == 0
    assert np.mean(values) < left * np.mean(raw)
    assert reached >= 180


def test_agents_far_apart_keep_their_gini():
    rng = np.random.default_rng(3)
    counts = rng.multinomial(1_000, [0.1, 0.2, 0.3, 0.4], 14).astype(float)
    found = point(Days({}, counts[None]))["gini"]
    assert found == pytest.approx(gini(counts.sum(axis=0)), rel=1e-3)
    assert found == pytest.approx(0.25, abs=0.01)


def test_a_day_that_holds_nearly_everything_leaves_gini_finite():
    counts = np.ones((9, 3))
    counts[4] = (5_000.0, 4_000.0, 6_000.0)
    both = Resampling(1, 9).interval(Days({}, counts[None]))["gini"]
    assert 0 <= both.low <= both.high < 1


# --- laws -----------------------------------------------------------------------------------------------------------


def test_measures_are_sums_over_sums():
    """Over all days, and the mean over draws."""
    days = random_days(np.random.default_rng(1), n_draws=3)
    found = point(days)
    assert set(found) == MEASURES
    for name, (above, below) in RATIOS.items():
        each = [days.parts[above][draw].sum() / days.parts[below][draw].sum() for draw in range(3)]
        assert found[name] == pytest.approx(np.mean(each), rel=1e-12)


def test_draws_of_one_day_are_one_day():
    """Twice the draws of what hardly moves are no more days: intervals stay as wide."""
    days = random_days(np.random.default_rng(2))
    twice = Days({name: np.repeat(part, 2, axis=0) for name, part in days.parts.items()}, np.repeat(days.counts, 2, 0))
    assert Resampling(2, 12).interval(twice) == Resampling(1, 12).interval(days)


def test_redraws_that_scatter_widen_and_their_mean_narrows():
    """Days alike in the record, whose draws differ: four draws leave half the error of one."""
    rng = np.random.default_rng(3)
    counted = np.full((400, 20), 100.0)
    within = 70.0 + 5.0 * rng.standard_normal((400, 20))
    width = {}
    for n_draws in (1, 4):
        found = [
            Resampling(n_draws, 20).interval(
                Days({"within": within[some], "counted": counted[some]}, np.ones((n_draws, 20, 1)))
            )["service_level"]
            for some in np.arange(400).reshape(-1, n_draws)
        ]
        width[n_draws] = np.mean([both.high - both.low for both in found])
    assert width[1] == pytest.approx(2 * width[4], rel=0.03)
    assert width[1] == pytest.approx(2 * student.ppf(0.975, 19) * 0.05 / math.sqrt(20), rel=0.1)


def test_a_day_keeps_its_own_agents_and_sums_together():
    """Two kinds of days whose sums go together: the ratio is the same on every day, and nothing is left open."""
    counts = np.tile([[[3.0, 1.0]], [[30.0, 10.0]]], (1, 6, 1)).reshape(1, 12, 2)
    size = np.tile([1.0, 10.0], (1, 6))
    days = Days({"within": 8 * size, "counted": 10 * size}, counts)
    found = Resampling(1, 12).interval(days)
    assert astuple(found["service_level"]) == pytest.approx((0.8, 0.8), rel=1e-6)
    assert astuple(found["gini"]) == pytest.approx((0.25, 0.25), rel=1e-6)


sums = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 7.0, 40.0, 1e4])


@st.composite
def accounts(draw: st.DrawFn) -> Days:
    """Days with nothing, all alike, one that holds everything; one agent or none busy."""
    n_draws, n_days, n_agents = draw(st.integers(1, 3)), draw(st.integers(7, 12)), draw(st.integers(1, 4))
    shape = (n_draws, n_days)
    alike = draw(st.booleans())

    def some(fill: st.SearchStrategy[float] = sums) -> np.ndarray:
        if alike:
            return np.full(shape, draw(fill))
        return draw(hnp.arrays(float, shape, elements=fill))

    parts = {name: some() for name in PARTS}
    for name in SHARES:
        above, below = RATIOS[name]
        parts[above] = parts[below] * some(st.sampled_from([0.0, 0.0, 0.5, 1.0, 1.0, 0.999]))
    counts = draw(hnp.arrays(float, (*shape, n_agents), elements=st.sampled_from([0.0, 0.0, 1.0, 1.0, 3.0, 500.0])))
    return Days(parts, counts)


@given(accounts(), st.integers(0, 3))
def test_a_value_lies_in_its_own_interval_and_the_interval_where_it_can_be(days, seed):
    values, found = point(days), Resampling(len(days.counts), days.counts.shape[1], seed).interval(days)
    for name, both in found.items():
        if both is not None:
            assert both.low <= values[name] <= both.high, name
            assert both.low >= 0
            assert both.high <= 1 or name in ("asa_s", "mean_wait_s")
            assert math.isfinite(both.high)


@given(accounts(), st.randoms(use_true_random=False))
def test_a_difference_lies_in_its_own_interval(days, random):
    order = random.sample(range(days.counts.shape[1]), days.counts.shape[1])
    other = Days({name: part[:, order] / 2 for name, part in days.parts.items()}, days.counts[:, order])
    for both in Resampling(len(days.counts), days.counts.shape[1]).difference(days, other).values():
        if both.low is not None:
            assert both.low <= both.value <= both.high
            assert math.isfinite(both.low) and math.isfinite(both.high)


# --- edges ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.0081), (1.0, 0.9919, 1.0)])
def test_what_never_happened_in_few_days_may_happen_yet(share, low, high):
    """None of 450 abandoned: up to 1 - 0.025 ** (1 / 450) = 0.81 % would still give none with a chance of 2.5 %."""
    days = Days({"abandoned": np.full((1, 9), 50.0 * share), "offered": np.full((1, 9), 50.0)}, np.ones((1, 9, 2)))
    assert astuple(Resampling(1, 9).interval(days)["abandonment"]) == pytest.approx((low, high), abs=1e-4)


def test_a_share_that_differed_on_no_day_may_differ_yet_under_another_rule():
    """The same 2 of 450 abandoned under two rules whose agents differ: 0.81 % of customers may fare otherwise."""
    parts = {"abandoned": np.eye(1, 9) * 2.0, "offered": np.full((1, 9), 50.0)}
    one, other = (Days(parts, np.full((1, 9, 2), both)) for both in ((20.0, 28.0), (28.0, 20.0)))
    found = Resampling(1, 9).difference(one, other)["abandonment"]
    assert (found.value, found.low, found.high) == pytest.approx((0.0, -0.0081, 0.0081), abs=1e-4)
    assert Resampling(1, 9).difference(one, Days(dict(parts), one.counts))["abandonment"] == Paired(0.0, 0.0, 0.0)


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
    """Under seven days too little says how days differ; the values are there all the same."""
    days, resampling = random_days(np.random.default_rng(0), n_days=n_days), Resampling(1, n_days)
    difference = resampling.difference(days, days)
    assert resampling.is_possible == (n_days >= FEWEST_DAYS == 7)
    if n_days < FEWEST_DAYS:
        assert resampling.interval(days) == {}
        assert all((both.low, both.high) == (None, None) for both in difference.values())
    else:
        assert all(both.low <= both.high for both in resampling.interval(days).values())
    assert {both.value for both in difference.values()} == {0.0 if n_days else None}


def test_a_measure_needs_seven_days_of_its_own():
    """Days without anybody answered say nothing of the mean wait of those answered."""
    days = random_days(np.random.default_rng(0))
    for n_days, is_known in ((6, False), (7, True)):
        parts = {name: part.copy() for name, part in days.parts.items()}
        for name in ("answered", "answered_wait_s"):
            parts[name][0, n_days:] = 0.0
        some = Days(parts, days.counts)
        found = Resampling(1, 12).interval(some)
        assert (found["asa_s"] is not None) == is_known
        assert found["mean_wait_s"] is not None
        # They count as little as days that are not there.
        alone = Days({name: part[:, :n_days] for name, part in parts.items()}, days.counts[:, :n_days])
        assert point(some)["asa_s"] == pytest.approx(point(alone)["asa_s"])
        if is_known:
            assert astuple(found["asa_s"]) == pytest.approx(astuple(Resampling(1, 7).interval(alone)["asa_s"]))


def test_the_seed_moves_nothing_but_the_gini():
    days = random_days(np.random.default_rng(0))
    first, again, other = (Resampling(1, 12, seed).interval(days) for seed in (0, 0, 1))
    assert first == again
    assert {name for name in MEASURES if first[name] != other[name]} == {"gini"}


def test_a_measure_without_anything_below_the_line_is_undefined():
    days = random_days(np.random.default_rng(0))
    days.parts["counted"][:] = days.parts["within"][:] = 0.0
    found = Resampling(1, 12)
    assert point(days)["service_level"] is found.interval(days)["service_level"] is None
    assert found.difference(days, days)["service_level"] == Paired(None, None, None)
    idle = Days(days.parts, 0 * days.counts)
    assert point(idle)["gini"] is found.interval(idle)["gini"] is None


def test_what_a_draw_does_not_know_has_no_interval():
    days = random_days(np.random.default_rng(0), n_draws=10)
    days.parts["counted"][1:] = 0.0
    found = Resampling(10, 12)
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
    for one, other in zip(resampling.interval(once).values(), resampling.interval(stacked).values(), strict=True):
        assert astuple(one) == pytest.approx(astuple(other), rel=1e-12)
    one, several = (resampling.difference(often, other) for other in (once, stacked))
    assert all(astuple(one[name]) == pytest.approx(astuple(several[name]), rel=1e-12) for name in MEASURES)


@pytest.mark.parametrize(("n_draws", "n_days"), [(3, 12), (1, 11)])
def test_accounts_of_other_days_are_refused(n_draws, n_days):
    with pytest.raises(InvalidTable, match=f"{n_draws} draws of {n_days} days, want 5 of 12"):
        Resampling(5, 12).interval(random_days(np.random.default_rng(0), n_draws, n_days))


def test_undefined_measures_are_nan_in_arrays_and_never_warn(recwarn: Any):
    found = measures({"within": np.zeros(2), "counted": np.array([0.0, 1.0])}, np.zeros((2, 3)))
    np.testing.assert_array_equal(found["service_level"], [np.nan, 0.0])
    assert np.isnan(found["gini"]).all()
    assert not recwarn.list
