"""Compiled loops equal their plain versions to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.encode import encode
from engine.methods.plan import Plan
from engine.methods.weighted import Weighted
from engine.run import choose
from engine.selection import decisions as selection
from engine.selection.decisions import Selector, best
from engine.spec import csat_of, terms_of
from engine.stopping import Stopped, stoppable
from tests import strategies

ROOT = Path(__file__).parents[1]
# Weights of zero of either sign, and thresholds that some keys reach exactly.
WEIGHTS = st.sampled_from([0.0, -0.0, 0.1, 0.3, 1.0])
TERMS = st.tuples(WEIGHTS, WEIGHTS, WEIGHTS).filter(any)
THRESHOLDS = st.sampled_from([0.0, -0.0, 0.3, 0.5, 0.7, 1.0])


def assert_both_ways_agree(plan: Plan) -> None:
    for fast, plain in zip(best(plan, compiled=True), best(plan), strict=True):
        assert fast.dtype == plain.dtype
        assert fast.tobytes() == plain.tobytes()


@strategies.HARDER
@given(strategies.problems(), st.lists(st.tuples(TERMS, THRESHOLDS), min_size=1, max_size=3))
def test_the_kernel_equals_the_plain_version_on_random_centres(problem, stack):
    """Coarse levels make ties, hard filters and queues without members make rows that nobody can have."""
    scenario, centre = problem
    arrays = encode(centre)
    csat = csat_of(scenario, arrays)
    terms = terms_of(scenario, arrays, csat)
    weights, threshold = np.array([w for w, _ in stack], float), np.array([t for _, t in stack], float)
    method = Weighted(terms, weights, threshold)
    for row in range(len(csat.mean)):
        assert_both_ways_agree(method.plan(np.arange(arrays.centre.n_requirements), row))


@pytest.mark.parametrize("n_agents", [1, 7, 8, 9, 1000])
def test_the_first_of_equal_keys_wins_wherever_it_stands(n_agents):
    """Sums that differ by less than half a billionth are equal, whichever of them is the larger number."""
    rng = np.random.default_rng(n_agents)
    # Steps of a tenth of a billionth around keys that end in a half.
    csat = 0.5 + 5e-10 + 1e-10 * rng.integers(-6, 7, (50, n_agents))
    csat[rng.random(csat.shape) < 0.3] = -np.inf
    csat[0] = -np.inf
    every = np.arange(50, dtype=np.int32)
    none = np.zeros(51, np.int32)
    plan = Plan(
        requirement=np.arange(50), skill=np.zeros((0, n_agents)), language=np.ones((1, n_agents)), csat=csat,
        skill_start=none, skill_row=none[:0], language_row=np.full(50, -1, np.int32), queue_row=every,
        weights=np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1e6]]), least=np.array([5e8, 1.0]),
        agent=rng.permutation(n_agents).astype(np.int32),
    )  # fmt: skip
    assert_both_ways_agree(plan)
    agent, key = best(plan, compiled=True)
    exact = np.rint(1e9 * csat)
    assert np.array_equal(key[0], np.where(exact.max(axis=1) < 5e8, 0, exact.max(axis=1)))
    assert np.array_equal(agent[0] >= 0, key[0] > 0)
    assert agent[0, 0] == -1


@pytest.mark.parametrize("slice_pairs", [1, 50, 127])
def test_choices_made_in_slices_are_the_same_and_stop_between_them(slice_pairs, monkeypatch):
    """9 rows of 7 agents: a row at a time, 7 at a time, and all at once."""
    rng = np.random.default_rng(5)
    every, none = np.arange(9, dtype=np.int32), np.zeros(10, np.int32)
    plan = Plan(
        requirement=np.arange(9), skill=np.zeros((0, 7)), language=np.ones((1, 7)), csat=rng.random((9, 7)),
        skill_start=none, skill_row=none[:0], language_row=np.full(9, -1, np.int32), queue_row=every,
        weights=np.array([[0.0, 0.0, 1.0]]), least=np.zeros(1), agent=np.arange(7, dtype=np.int32),
    )  # fmt: skip
    monkeypatch.setattr(selection, "SLICE_PAIRS", slice_pairs)
    assert_both_ways_agree(plan)
    asked = []
    with stoppable(lambda: bool(asked.append(1))):
        best(plan, compiled=True)
    assert len(asked) == {1: 9, 50: 2, 127: 1}[slice_pairs]
    with pytest.raises(Stopped), stoppable(lambda: True):
        best(plan, compiled=True)


def test_enough_pairs_or_the_expectation_of_them_load_the_kernel(monkeypatch):
    """Below that a run starts sooner without."""
    asked = []
    monkeypatch.setattr(selection, "best", lambda plan, *, compiled: asked.append(compiled))
    monkeypatch.delitem(sys.modules, selection.KERNEL, raising=False)
    plan = type("Pairs", (), {"n_pairs": selection.LOAD_PAIRS // 3})()
    few, many = Selector(), Selector(selection.LOAD_PAIRS + 1)
    for selector in (few, few, few, few, many):
        selector.best(plan)
    assert asked == [False, False, False, True, True]
    many.best(type("Pairs", (), {"n_pairs": 1})())
    assert asked[-1] is False


@given(strategies.problems())
def test_the_kernel_changes_no_outcome(problem):
    scenario, centre = problem
    plain = choose(scenario, centre).to_frame()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "LOAD_PAIRS", 0)
        patch.setattr(selection, "SMALL_PAIRS", 0)
        assert choose(scenario, centre).to_frame().equals(plain)


@pytest.mark.parametrize("writable", [True, False])
def test_compiled_code_is_kept_in_the_users_state_where_that_can_be_written(tmp_path, writable):
    state = tmp_path / "state"
    if not writable:
        state.write_text("a file where a folder should be")
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    code = (
        "import engine.kernels, numba, os; from engine.kernels.selection import best_columns; "
        "print(engine.kernels.cache_folder(), os.environ.get('NUMBA_CACHE_DIR'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment | {"XDG_STATE_HOME": str(state)}, cwd=ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    folder = str(state / "routelab" / "kernels") if writable else "None"
    assert ran.stdout.split() == [folder, folder]
