"""Who could have got the work: every interaction looked at one by one, and laws of the sums."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.centre import Blocks
from engine.data.encode import encode
from engine.data.served import Status
from engine.errors import InvalidTable
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.measures.eligibility import Eligibility
from engine.measures.sharing import Sharing, lacks, sharing
from engine.methods.ladder import one_row_each
from engine.replay.loop import replay
from tests.small_centres import centre as centre_of

LAST = 30


@st.composite
def rosters(draw, n_agents):
    """Disjoint spells of each agent, which may touch, in mixed order."""
    spells = []
    for agent in range(n_agents):
        edges = draw(st.lists(st.integers(0, LAST), unique=True, max_size=6).map(sorted))
        spells += [(agent, start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]
        if len(edges) > 3 and draw(st.booleans()):
            spells.append((agent, edges[1], edges[2]))
    return draw(st.permutations(spells))


@st.composite
def problems(draw):
    """Interactions (arrived, left, group, routed), who may take them, spells."""
    n_agents, n_groups = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    row = st.lists(st.booleans(), min_size=n_agents, max_size=n_agents)
    eligible = draw(st.lists(row, min_size=n_groups, max_size=n_groups))
    visit = st.tuples(
        st.integers(0, LAST + 2), st.integers(0, 12), st.integers(0, n_groups - 1), st.booleans()
    ).map(lambda v: (v[0], v[0] + v[1], v[2], v[3]))  # fmt: skip
    return draw(st.lists(visit, max_size=25)), np.array(eligible), draw(rosters(n_agents))


def blocks(spells) -> Blocks:
    agent, start, end = (
        (np.array(side, np.int64) for side in zip(*spells, strict=True)) if spells else [np.empty(0, int)] * 3
    )
    return Blocks(agent.astype(np.int32), start, end)


def shared(visits, eligible, spells) -> Sharing:
    arrived, left, group, routed = (
        (np.array(side, np.int64) for side in zip(*visits, strict=True)) if visits else [np.empty(0, int)] * 4
    )
    return sharing(arrived, left, routed.astype(bool), Eligibility(eligible, group), blocks(spells))


def slow(visits, eligible, spells):
    """Instant by instant from the arrival on, until anybody who may is on queue."""
    n_agents = eligible.shape[1]
    count, expected = [0] * n_agents, [Fraction(0)] * n_agents
    deferred = unplaced = 0
    for arrived, left, group, routed in visits:
        able: set[int] = set()
        at = arrived
        while not able and at <= LAST:
            able = {a for a, start, end in spells if start <= at < end and eligible[group, a]}
            at += not able
        if not able:
            unplaced += routed
        elif routed or left >= at:
            deferred += at > arrived
            for agent in able:
                count[agent] += 1
                expected[agent] += Fraction(routed, len(able))
    return count, [float(e) for e in expected], deferred, unplaced


@given(problems())
def test_sharing_is_that_of_the_slow_twin(problem):
    found, (count, expected, deferred, unplaced) = shared(*problem), slow(*problem)
    assert found.eligible_count.tolist() == count
    assert found.expected == pytest.approx(expected, abs=1e-12)
    # Nothing rounded stands where nothing was expected: such agents are left out of chi-square.
    assert ((found.expected > 0) == (np.array(expected) > 0)).all()
    assert (found.deferred, found.unplaced) == (deferred, unplaced)


@given(problems())
def test_all_that_was_routed_is_expected_of_somebody(problem):
    found = shared(*problem)
    assert found.expected.sum() == pytest.approx(sum(v[3] for v in problem[0]) - found.unplaced)
    assert (found.expected <= found.eligible_count + 1e-9).all()


@given(problems(), st.randoms())
def test_neither_order_nor_the_cut_into_groups_matters(problem, random):
    """Groups that the same agents may serve can be one or many."""
    visits, eligible, spells = problem
    doubled = [(a, left, g + len(eligible) * random.randint(0, 1), r) for a, left, g, r in visits]
    random.shuffle(doubled)
    found, plain = shared(doubled, np.concatenate([eligible, eligible]), spells), shared(*problem)
    assert found.eligible_count.tolist() == plain.eligible_count.tolist()
    assert found.expected == pytest.approx(plain.expected, abs=1e-12)


def test_on_queue_means_from_the_start_to_before_the_end():
    """Of arrivals at 0, 10, 20: the agent from 0 to 10 gets the first, the one from 10 to 20 the second."""
    found = shared([(t, t, 0, True) for t in (0, 10)], np.ones((1, 2), bool), [(0, 0, 10), (1, 10, 20)])
    assert found.expected.tolist() == [1.0, 1.0]


def test_who_comes_at_night_counts_in_the_morning_if_still_there():
    """Nobody is there from 10 to 20: who left at 19 is nobody's, the others are of the two who start at 20."""
    spells = [(0, 0, 10), (1, 20, 30), (2, 20, 25), (0, 21, 30)]
    found = shared([(12, 19, 0, False), (12, 20, 0, False), (15, 22, 0, True)], np.ones((1, 3), bool), spells)
    assert found.eligible_count.tolist() == [0, 2, 2]
    assert found.expected.tolist() == [0, 0.5, 0.5]
    assert (found.deferred, found.unplaced) == (2, 0)


@pytest.mark.parametrize("seed", range(5))
def test_every_answer_of_a_replay_has_its_place(seed):
    """Whoever answers is eligible and on queue then, so somebody was at the arrival or came later."""
    rng = np.random.default_rng(seed)
    kinds = Kinds.plain(rng.random((6, 8)) < 0.4)
    arrived_s = np.sort(rng.integers(0, 4000, 300))
    demand = Demand.of(
        arrived_s, rng.integers(1, 60, 300), kinds, rng.integers(0, 6, 300), rng.choice([30, 300, np.inf], 300)
    )
    start_s = np.concatenate([rng.integers(0, 1000, 8), rng.integers(2500, 3500, 8)])
    roster = Roster.of(8, np.tile(np.arange(8), 2), start_s, start_s + 700)
    served = replay(demand, roster, one_row_each(np.where(kinds.eligible, 0.0, -np.inf)))
    routed = served.status == Status.ANSWERED
    found = sharing(demand.arrived_us, served.left_us, routed, Eligibility.of(kinds.eligible, demand.kind), roster)
    assert found.unplaced == 0
    assert found.deferred > 0
    assert found.expected.sum() == pytest.approx(routed.sum())


def test_spells_of_unknown_agents_are_refused():
    with pytest.raises(InvalidTable, match="agent 2"):
        shared([(0, 0, 0, True)], np.ones((1, 2), bool), [(2, 0, 10)])


def test_who_lacks_a_skill_or_the_language_is_told_as_by_hand():
    rng = np.random.default_rng(4)
    centre = encode(centre_of(7)).centre
    requirement = rng.integers(0, centre.queue.size, 200)
    agent = rng.integers(0, centre.n_agents, 200)
    expected = []
    for r, a in zip(requirement.tolist(), agent.tolist(), strict=True):
        skills = centre.skill[centre.skill_start[r] : centre.skill_start[r + 1]]
        language = int(centre.language[r])
        held = all(not np.isnan(centre.proficiency[a, s]) for s in skills)
        expected.append(not held or (language >= 0 and bool(np.isnan(centre.language_level[a, language]))))
    assert any(expected)
    assert not all(expected)
    assert lacks(centre, requirement, agent).tolist() == expected
