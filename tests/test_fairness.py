"""Fairness: goldens, the slow twin, and what no measure may do."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.tables import Tables
from engine.errors import InvalidTable, MissingInput
from engine.measures.fairness import ChiSquare, chi_square, effect_size, gini, verdict
from engine.run import run
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests import oracle, oracle_fairness, strategies

DAY = datetime(2024, 3, 1, tzinfo=UTC)
COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=30)


def same(value, expected, rel=1e-12):
    """Equal but for the last digits; null only where the other is null."""
    if expected is None:
        return value is None
    return value is not None and math.isclose(value, expected, rel_tol=rel, abs_tol=rel)


def same_effect(value, slow):
    """Squared it is a difference, (chi-square - df) / N, whose last digits are those of the larger number."""
    return math.isclose(value**2, slow.w**2, rel_tol=1e-12, abs_tol=1e-12 * (1 + slow.statistic))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([1, 2, 3, 4], 0.25), ([7, 7, 7], 0.0), ([0, 0, 0, 9], 0.75), ([5], 0.0), ([0, 1], 0.5)],
)
def test_goldens_of_gini(counts, expected):
    assert gini(counts) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("n", "published"), [(5_000, 0.0559), (50_000, 0.0177), (500_000, 0.0056)])
def test_a_fair_lottery_has_the_gini_that_theory_says(n, published):
    rng = np.random.default_rng(1)
    drawn = gini(rng.multinomial(n, np.full(50, 1 / 50), size=400))
    error = drawn.std(ddof=1) / math.sqrt(drawn.size)
    assert drawn.mean() == pytest.approx(math.sqrt((1 - 1 / 50) * 50 / (math.pi * n)), abs=4 * error)
    assert drawn.mean() == pytest.approx(published, abs=4 * error + 5e-5)


@given(COUNTS.filter(any), st.integers(1, 1000))
def test_gini_equals_the_slow_twin_and_knows_no_unit(counts, factor):
    assert same(gini(counts), oracle_fairness.gini(counts))
    assert same(gini(np.array(counts) * factor), oracle_fairness.gini(counts))


@given(st.lists(st.lists(st.integers(1, 99), min_size=4, max_size=4), min_size=1, max_size=5))
def test_a_stack_of_counts_is_measured_row_by_row(stack):
    assert gini(stack).tolist() == [gini(row) for row in stack]


@pytest.mark.parametrize("bad", [[], [0, 0], [-1, 2], [math.nan, 1], [math.inf, 1]])
def test_gini_of_what_cannot_be_shared_is_refused(bad):
    with pytest.raises(InvalidTable):
        gini(bad)


@given(COUNTS.filter(any), st.data())
def test_chi_square_and_cohens_w_equal_the_slow_twin(counts, data):
    parts = data.draw(st.lists(st.integers(1, 5), min_size=len(counts), max_size=len(counts)))
    wanted = [sum(counts) * part / sum(parts) for part in parts]
    fast, slow = chi_square(counts, wanted), oracle_fairness.chi_square(counts, wanted)
    assert same(fast.statistic, slow.statistic)
    assert same(fast.p_value, slow.p_value, 1e-10)
    assert fast.degrees == slow.dof
    size = effect_size(fast)
    assert same_effect(size.value, slow)
    assert same(size.raw, slow.raw)
    assert size.low <= size.value <= size.high
    assert same(size.low, slow.low, 1e-6)
    assert same(size.high, slow.high, 1e-6)


@pytest.mark.parametrize("n", [10**4, 10**6, 10**8])
def test_the_interval_of_w_holds_at_month_scale(n):
    counts = [n // 2, n // 4, n // 4]
    slow = oracle_fairness.chi_square(counts, [n / 3] * 3)
    size = effect_size(chi_square(counts, [n / 3] * 3))
    assert same(size.low, slow.low, 1e-6)
    assert same(size.high, slow.high, 1e-6)


def test_the_interval_of_w_covers_the_true_effect_as_often_as_it_says():
    share = np.array([0.3, 0.25, 0.25, 0.2])
    truth = math.sqrt(float(((share - 0.25) ** 2 / 0.25).sum()))
    draws = np.random.default_rng(2).multinomial(2_000, share, size=1_000)
    sizes = [effect_size(chi_square(counts, [500.0] * 4)) for counts in draws]
    covered = np.mean([size.low <= truth <= size.high for size in sizes])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 1_000))


def test_fewer_chances_than_chance_itself_make_is_no_effect():
    """15 tasks in which 4, 6, 2, 1 and 2 fell to five people who expect 5.1, 5.1, 1.6, 1.6 and 1.6.

    chi2 = 1.1^2 / 5.1 + 0.9^2 / 5.1 + 0.4^2 / 1.6 + 0.6^2 / 1.6 + 0.4^2 / 1.6 = 0.8211, less than its four degrees of
    freedom: the counts' own w is sqrt(0.8211 / 15) = 0.2340, that behind them 0.
    """
    size = effect_size(chi_square([4, 6, 2, 1, 2], [5.1, 5.1, 1.6, 1.6, 1.6]))
    assert size.raw == pytest.approx(0.2340, abs=1e-4)
    assert size.value == size.low == 0.0 < size.high
    # 0.5392 as of five even shares: 97.5 % of lotteries are less even for no effect above 0.169.
    size = effect_size(ChiSquare(0.5392, 4, 0.97, 15, 0))
    assert (size.value, size.raw) == (0.0, pytest.approx(0.1896, abs=1e-4))
    assert size.high == pytest.approx(0.169, abs=1e-3)


@given(st.floats(1e-6, 1e12), st.integers(1, 5_000), st.floats(1.0, 1e9))
def test_w_lies_in_its_interval_and_the_verdict_agrees(statistic, degrees, n):
    size = effect_size(ChiSquare(statistic, degrees, 0.5, n, 0))
    assert 0 <= size.low <= size.value <= size.high
    assert size.value <= size.raw
    assert ("no evidence" in verdict(size)) == (size.low == 0)


def test_p_is_uniform_when_work_is_drawn_by_the_expectation():
    draws = np.random.default_rng(3).multinomial(3_000, [0.1, 0.2, 0.3, 0.4], size=2_000)
    p = np.array([chi_square(counts, [300.0, 600.0, 900.0, 1200.0]).p_value for counts in draws])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 2_000))


def test_nothing_routed_or_one_agent_alone_has_no_chi_square():
    assert chi_square([0, 0], [0.0, 0.0]) is None
    assert chi_square([5], [5.0]) is None
    assert chi_square([5, 0], [5.0, 0.0]) is None


@strategies.HARDER
@given(strategies.problems())
def test_a_report_measures_fairness_as_the_slow_twin_does(problem):
    scenario, centre = problem
    chosen, able = oracle.choices(scenario, centre), oracle_fairness.eligible(scenario, centre)
    ever = sorted(name for name, times in able.times.items() if times)
    counts, seconds = oracle_fairness.handled(centre, chosen, list(able.times))
    wanted = oracle_fairness.expected(scenario, centre, chosen, able)
    slow = oracle_fairness.chi_square([counts[name] for name in ever], [wanted[name] for name in ever])
    report = run(scenario, centre).to_dict()
    fair = report["fairness"]
    assert fair["total_interactions"] == report["routed"] == sum(counts.values())
    assert report["unrouted"]["total"] == len(chosen) - report["routed"]
    assert sum(report["unrouted"]["reasons"].values()) == report["unrouted"]["total"]
    assert fair["agent_distribution"] == {name: counts[name] for name in ever}
    assert same(fair["gini_coefficient"], oracle_fairness.gini([counts[name] for name in ever]))
    assert same(fair["gini_seconds"], oracle_fairness.gini([seconds[name] for name in ever]))
    assert {row["agent_id"]: (row["handled"], row["eligible"]) for row in report["agents"]} == {
        name: (counts[name], able.times[name]) for name in able.times
    }
    if slow is None:
        assert fair["chi2_statistic"] is fair["p_value"] is fair["effect_size"] is fair["is_fair"] is None
        return
    assert same(fair["chi2_statistic"], slow.statistic)
    assert same(fair["p_value"], slow.p_value, 1e-10)
    size = fair["effect_size"]
    assert all(same(size[end], getattr(slow, end), 1e-6) for end in ("low", "high"))
    assert same_effect(size["value"], slow)
    assert same(size["raw"], slow.raw)
    assert fair["is_fair"] == (slow.p_value > 0.05 and fair["gini_coefficient"] < 0.3)


@given(strategies.problems())
def test_group_rates_and_the_implied_peak_equal_the_slow_twin(problem):
    scenario, centre = problem
    chosen, able = oracle.choices(scenario, centre), oracle_fairness.eligible(scenario, centre)
    counts, _ = oracle_fairness.handled(centre, chosen, list(able.times))
    report = run(scenario, centre).to_dict()
    groups = report["fairness"]["groups"] or {"lowest_over_highest": None}
    assert same(groups["lowest_over_highest"], oracle_fairness.group_ratio(centre, counts, able))
    said = report["preference"]
    busiest = min(counts, key=lambda name: (-counts[name], name))
    if counts[busiest] == 0:
        assert said["busiest_agent_id"] is said["implied_peak"] is None
        return
    assert (said["busiest_agent_id"], said["busiest_handled"]) == (busiest, counts[busiest])
    assert (said["implied_peak"] or 0) == oracle.peaks(centre, chosen)[busiest]


def test_the_yardstick_does_not_move_with_weights_threshold_or_ring():
    """Only who could have been asked counts, never whom the policy likes."""
    rng = random.Random(6)
    dice = strategies.Dice(rng)
    staff = dice.agents(8)
    names = [agent["agent_id"] for agent in staff]
    inside = [{"queue_id": q, "agent_id": name} for q in strategies.QUEUE_IDS for name in names]
    centre = Tables(
        agents=strategies.table("agents", staff),
        interactions=strategies.table("interactions", dice.interactions(25, names)),
        members=strategies.table("members", inside),
    )
    ringed = replace(centre, members=strategies.table("members", [m | {"ring": 3} for m in inside]))
    scenario = Scenario(required=("language",), weights=RoutingWeights(min_score_threshold=0.1))
    others = (RoutingWeights(0.0, 1.0, 0.0, 0.1), RoutingWeights(min_score_threshold=0.9))
    eligible = [
        [row["eligible"] for row in run(s, c).to_dict()["agents"]]
        for s, c in [(scenario, ringed), *[(replace(scenario, weights=w), centre) for w in others]]
    ]
    assert eligible == [[row["eligible"] for row in run(scenario, centre).to_dict()["agents"]]] * 3


def test_staffed_expects_by_time_on_queue_with_overlaps_counted_once():
    hour = timedelta(hours=1)
    blocks = [("a", 0, 2), ("a", 1, 3), ("b", 0, 1), ("absent", 0, 5)]
    staffing = [
        {"agent_id": name, "start_at": DAY + start * hour, "end_at": DAY + end * hour} for name, start, end in blocks
    ]
    # Each queue has one member; c works without ever being on queue.
    calls = [{"interaction_id": str(n), "queue_id": queue, "arrived_at": DAY} for n, queue in enumerate("aaaaaabbccc")]
    centre = Tables(
        agents=strategies.table("agents", [{"agent_id": name} for name in "abc"]),
        interactions=strategies.table("interactions", calls),
        members=strategies.table("members", [{"queue_id": name, "agent_id": name} for name in "abc"]),
        staffing=strategies.table("staffing", staffing),
    )
    fair = run(Scenario(expected="staffed"), centre).to_dict()["fairness"]
    assert fair["chi2_statistic"] == pytest.approx(0.0, abs=1e-12)  # 6 and 2, as 3 hours and 1
    assert any("1 agents expect no interaction" in said for said in fair["warnings"])


def test_staffed_without_a_staffing_table_says_what_to_do():
    centre = Tables(
        agents=strategies.table("agents", [{"agent_id": "a"}]),
        interactions=strategies.table("interactions", []),
    )
    with pytest.raises(MissingInput, match="staffing"):
        run(Scenario(expected="staffed"), centre)


@pytest.mark.parametrize("scale", [1e3, 1e9, 1e11])
def test_the_interval_of_w_brackets_w_at_any_size(scale):
    """Also where the noncentral chi-square is taken as normal."""
    test = chi_square(np.array([1.0, 2.0, 3.0]) * scale, np.array([2.0, 2.0, 2.0]) * scale)
    size = effect_size(test)
    assert size.low < size.value < size.high
    assert size.high - size.low < 4 / np.sqrt(6 * scale) + 1e-9
