"""Weights are used as given; only the rules of a goal move them."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from engine.scoring.weights import RULES, RoutingWeights, Rule, ServiceLevelGoal, moved
from tests import oracle

SHARES = st.floats(0, 1)
TERMS = st.tuples(*[st.floats(0, 2)] * 3).filter(lambda terms: sum(terms) > 1e-6)
GOALS = st.sampled_from(("80/20", "95/30", "90/10"))


@pytest.mark.parametrize(
    ("goal", "performance", "expected"),
    [
        ("80/20", 0.7499, (0.325, 0.45, 0.225)),
        ("80/20", 0.75, (0.4, 0.3, 0.3)),
        ("95/30", 0.90, (0.35, 0.25, 0.40)),
        ("95/30", 0.8999, (0.4, 0.3, 0.3)),
        ("90/20", 0.1, (0.4, 0.3, 0.3)),
    ],
)
def test_goldens_of_the_two_rules_and_their_edges(goal, performance, expected):
    terms = moved(RoutingWeights(), ServiceLevelGoal.parse(goal), performance).terms
    assert terms == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("goal", "performance"), [("80/20", 0.5), ("95/30", 0.95)])
def test_moved_tenths_equal_the_slow_twin_to_the_last_bit(goal, performance):
    """One bit more or less can tip a score key that ends in a half."""
    tenths = [n / 10 for n in range(11)]
    for terms in itertools.product(tenths, repeat=3):
        if any(terms):
            fast = moved(RoutingWeights(*terms), ServiceLevelGoal.parse(goal), performance).terms
            assert fast == oracle.moved(terms, goal, performance)


@given(TERMS, GOALS, SHARES)
def test_moved_weights_equal_the_slow_twin(terms, goal, performance):
    fast = moved(RoutingWeights(*terms), ServiceLevelGoal.parse(goal), performance).terms
    assert fast == oracle.moved(terms, goal, performance)


@given(TERMS, SHARES, SHARES)
def test_the_threshold_stays_the_callers_and_moved_weights_share_one(terms, threshold, performance):
    given_weights = RoutingWeights(*terms, threshold)
    after = moved(given_weights, ServiceLevelGoal.parse("80/20"), performance)
    assert after.min_score_threshold == threshold
    assert after == given_weights if performance >= 0.75 else math.isclose(sum(after.terms), 1.0)


def test_a_weight_that_would_become_negative_becomes_zero_before_the_division():
    assert moved(RoutingWeights(0.05, 0.0, 0.05), ServiceLevelGoal.parse("80/20"), 0.5).terms == (0.0, 1.0, 0.0)


def test_users_extend_the_rules():
    rule = Rule(ServiceLevelGoal.parse("90/10"), "at_least", 0.5, (0.0, 0.0, 0.4))
    more = moved(RoutingWeights(0.3, 0.3, 0.0), ServiceLevelGoal.parse("90/10"), 0.5, (*RULES, rule))
    assert more.terms == pytest.approx((0.3, 0.3, 0.4))


def test_without_a_goal_nothing_moves():
    weights = RoutingWeights(2.0, 0.0, 0.0)
    assert moved(weights, None, 0.1) is weights


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf, 1e300])
@pytest.mark.parametrize("name", ["proficiency", "language_match", "historical_csat", "min_score_threshold"])
def test_a_weight_that_is_no_sensible_number_is_refused_by_name(name, bad):
    said = {"min_score_threshold": "threshold"}.get(name, name)
    with pytest.raises(InvalidScenario, match=f"weights: {said} is "):
        RoutingWeights(**{name: bad})


def test_three_zeros_are_no_weights():
    with pytest.raises(InvalidScenario, match="all three are 0"):
        RoutingWeights(0.0, 0.0, 0.0)


@pytest.mark.parametrize("performance", [-0.01, 1.01, math.nan, 80.0])
def test_a_performance_outside_0_to_1_is_refused(performance):
    with pytest.raises(InvalidScenario, match="performance"):
        moved(RoutingWeights(), ServiceLevelGoal.parse("80/20"), performance)
