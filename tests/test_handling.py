"""Handling times: recorded, drawn, given and estimated factors, against plain loops and theory."""

import json
import math
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.estimates.handling as drawing
from engine.data.encode import encode
from engine.data.tables import OUTCOMES, Tables
from engine.errors import MissingInput
from engine.estimates.assumptions import Assumptions
from engine.estimates.handle_factors import fit_factors, skill_sets
from engine.estimates.handling import handling
from engine.estimates.streams import HANDLING, uniform
from engine.results import plain
from ingest.bank import import_bank
from ingest.snapshot.reading import open_snapshot
from tests.strategies import HARDER, table

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
AGENTS = ("a", "b", "c", "d", "e")
AGENT = Assumptions(handling="agent")


def factors(history, centre, assumptions):
    found = fit_factors(history, centre, assumptions)
    return found.factor, found.handling_of_call_type


def arrays_of(rows, given_factors=(), agents=AGENTS):
    rows = [{"interaction_id": f"i{n:04}", "queue_id": "q", "arrived_at": NOON + timedelta(seconds=n)} | row
            for n, row in enumerate(rows)]  # fmt: skip
    names = ("agent_id", "skill", "factor")
    tables = Tables(
        agents=table("agents", [{"agent_id": name} for name in agents]),
        interactions=table("interactions", rows),
        handle_factors=table("handle_factors", [dict(zip(names, row, strict=True)) for row in given_factors]),
    )
    return encode(tables)


def handled(rows, assumed=Assumptions(), given_factors=(), seed=0):  # noqa: B008
    arrays = arrays_of(rows, given_factors)
    result, estimate = handling(arrays.history(), arrays.centre, assumed, seed)
    json.dumps(plain(estimate), allow_nan=False)
    return result, estimate


def answer(handle_s, agent="a", **more):
    return {"outcome": "answered", "agent_id": agent, "handle_s": handle_s} | more


def test_recorded_times_hold_and_after_call_work_is_added_where_none_is_recorded():
    rows = [answer(50.0), answer(50.0, acw_s=7.0), answer(0.0)]
    result, estimate = handled(rows, Assumptions(acw_s=20.0))
    assert (result.handle_us / 1e6).tolist() == [70, 50, 20]
    assert result.base_us.tolist() == result.handle_us.tolist()
    assert result.factor is None
    assert not result.drawn.any()
    assert (estimate.acw_added, estimate.recorded, estimate.drawn) == (2, 3, 0)


def test_nothing_to_draw_from_is_refused():
    rows = [answer(None), {"outcome": "abandoned"}, answer(9.0, outcome="abandoned")]
    with pytest.raises(MissingInput, match="2 have no handle_s and no answered"):
        handled(rows)


def test_an_empty_history_needs_nothing():
    for assumed in (Assumptions(), AGENT):
        result, estimate = handled([], assumed)
        assert result.handle_us.size == 0
        assert estimate.share_drawn is None


def random_rows(n, dice):
    return [
        {
            "queue_id": dice.choice(["q", "r"]),
            "skills": dice.choice([[], ["x"], ["y", "x"], ["x", "y"], ["z"]]),
            "priority": dice.choice([0.0, 1.0]),
            "media": dice.choice(["voice", "voice", "voice", "chat", "email"]),
            "outcome": dice.choice([*OUTCOMES, "answered", "answered"]),
            "agent_id": dice.choice([*AGENTS, None]),
            "handle_s": dice.choice([None, 0.0, *(float(dice.randint(1, 90)) for _ in range(6))]),
            "acw_s": dice.choice([None, 1.0]),
        }
        for _ in range(n)
    ]


def time_of(row, acw_s=0.0):
    return None if row["handle_s"] is None else row["handle_s"] + (acw_s if row["acw_s"] is None else 0)


def was_handled(row):
    """Answered with a time; where no outcome is recorded, somebody named or some time says so."""
    if row["handle_s"] is None or row["outcome"] not in ("answered", "unknown"):
        return False
    return row["outcome"] == "answered" or bool(row["agent_id"]) or row["handle_s"] > 0


def slow_draw(rows, row, u, least, acw_s, factor_of):
    """Time and base of the donor of a row, from the first group that is large enough."""
    pool = [r for r in rows if was_handled(r)]
    keys = [
        (lambda r: (r["queue_id"], frozenset(r["skills"]), r["priority"], r["media"]), least),
        (lambda r: (r["queue_id"], r["media"]), least),
        (lambda r: r["media"], 1),
        (lambda r: None, 1),
    ]
    for key, enough in keys:
        donors = sorted((time_of(r, acw_s), time_of(r, acw_s) / factor_of(r)) for r in pool if key(r) == key(row))
        if len(donors) >= enough:
            return donors[math.floor(u * len(donors))]
    raise MissingInput


def slow_factor(table_rows, skills, agent):
    """Agent + skill beats agent with null skill, else 1; geometric mean over the skills."""
    general = next((f for a, s, f in table_rows if a == agent and s is None), 1.0)
    each = [next((f for a, s, f in table_rows if a == agent and s == skill), general) for skill in set(skills)]
    return math.prod(each) ** (1 / len(each)) if each else general


GIVEN = st.dictionaries(
    st.tuples(st.sampled_from([*AGENTS, "gone"]), st.sampled_from([None, "x", "y", "nobody's"])),
    st.sampled_from([0.5, 0.8, 1.0, 1.7, 3.0]),
    max_size=12,
).map(lambda entries: [(agent, skill, factor) for (agent, skill), factor in entries.items()] or [("a", None, 1.0)])


@HARDER
@given(
    st.integers(1, 60),
    st.integers(0, 2**32),
    GIVEN,
    st.sampled_from([0.0, 3.0]),
    st.sampled_from(["recorded", "agent"]),
)
def test_given_factors_and_draws_equal_the_slow_twin(n, seed, given_factors, acw_s, how):
    rows = random_rows(n, random.Random(seed))
    if not any(agent in AGENTS for agent, _, _ in given_factors):
        given_factors = [*given_factors, ("a", None, 1.3)]
    arrays = arrays_of(rows, given_factors)
    history = arrays.history()
    u = uniform(history.interaction_id, 3, HANDLING, 1)

    def factor_of(row):
        known = how == "agent" and row["agent_id"] is not None
        return slow_factor(given_factors, row["skills"], row["agent_id"]) if known else 1.0

    def twin():
        for row, draw in zip(rows, u, strict=True):
            if row["handle_s"] is not None:
                yield time_of(row, acw_s), time_of(row, acw_s) / factor_of(row)
            else:
                yield slow_draw(rows, row, draw, 4, acw_s, factor_of)

    assumed = Assumptions(handling=how, acw_s=acw_s)
    try:
        expected = np.array(list(twin()))
    except MissingInput:
        with pytest.raises(MissingInput):
            handling(history, arrays.centre, assumed, 3, 1)
        return
    with mock.patch.object(drawing, "LEAST_ANSWERED", 4):
        result, estimate = handling(history, arrays.centre, assumed, 3, 1)
    np.testing.assert_allclose(result.handle_us / 1e6, expected[:, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(result.base_us / 1e6, expected[:, 1], rtol=1e-12)
    assert sum(estimate.drawn_from.values()) == result.drawn.sum() == estimate.drawn
    if how == "agent":
        for call_type, skills in enumerate(arrays.centre.call_types["skills"].to_list()):
            mine = [slow_factor(given_factors, skills, agent) for agent in AGENTS]
            np.testing.assert_allclose(result.factor[result.handling_of_call_type[call_type]], mine, rtol=1e-12)


def test_thirty_answers_are_enough_to_draw_from():
    def drawn_from(n):
        calls = [answer(1.0, skills=["x"])] * n + [answer(2.0)] * 30 + [answer(None, skills=["x"])]
        return handled(calls)[1].drawn_from

    assert drawn_from(30) == {"call_type": 1, "queue": 0, "media": 0, "all": 0}
    assert drawn_from(29) == {"call_type": 0, "queue": 1, "media": 0, "all": 0}
    assert handled([answer(1.0), answer(None)])[1].drawn_from["media"] == 1
    assert handled([answer(1.0, media="chat"), answer(None)])[1].drawn_from["all"] == 1


def test_a_given_factor_is_used_to_the_last_bit():
    rows = [answer(9.0, skills=["x"]), answer(9.0)]
    arrays = arrays_of(rows, [("a", "x", 0.35), ("a", None, 0.1), ("b", None, 3.0)])
    factor, row = factors(arrays.history(), arrays.centre, Assumptions())
    assert factor[row[0]].tolist() == [0.35, 3.0, 1.0, 1.0, 1.0]
    assert factor[row[1]].tolist() == [0.1, 3.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("assumed", [Assumptions(), AGENT])
def test_draws_belong_to_interactions_not_to_their_place(assumed):
    """Other arrivals of the same interactions draw the same times; equal times differ in their agents' factors."""
    rows = [row | {"interaction_id": f"n{k}"} for k, row in enumerate(random_rows(300, random.Random(1)))]
    for row in rows:
        row["handle_s"] = row["handle_s"] and row["handle_s"] // 30
    times = []
    for order in (rows, rows[::-1]):
        arrays = arrays_of(order, [("a", None, 0.5), ("b", None, 1.5)])
        history = arrays.history()
        result, _ = handling(history, arrays.centre, assumed, 1)
        both = zip(result.handle_us.tolist(), result.base_us.tolist(), strict=True)
        times.append(dict(zip(history.interaction_id.to_list(), both, strict=True)))
    assert times[0] == times[1]


def test_replications_draw_anew():
    rows = [row | {"interaction_id": f"n{k}"} for k, row in enumerate(random_rows(300, random.Random(1)))]
    arrays = arrays_of(rows)
    history = arrays.history()
    first, again = (handling(history, arrays.centre, Assumptions(), 1, replication)[0] for replication in (0, 1))
    assert (first.handle_us != again.handle_us)[first.drawn].mean() > 0.8
    np.testing.assert_array_equal(first.handle_us[~first.drawn], again.handle_us[~first.drawn])


def slow_between(spots):
    """Variance between the values of groups [(value, variance)], by moments (DerSimonian and Laird)."""
    excess = scale = 0.0
    for group in (group for group in spots if group):
        weights = [1 / variance for _, variance in group]
        mean = sum(w * value for w, (value, _) in zip(weights, group, strict=True)) / sum(weights)
        excess += sum(w * (value - mean) ** 2 for w, (value, _) in zip(weights, group, strict=True)) - len(group) + 1
        scale += sum(weights) - sum(w * w for w in weights) / sum(weights)
    return max(0.0, excess / scale) if any(len(group) > 1 for group in spots) else 0.0


def slow_factors(rows, sets):
    """Estimated factors by set of skills and agent, from dictionaries."""
    cells = {}
    for row in rows:
        if was_handled(row) and row["agent_id"]:
            cell = row["queue_id"], frozenset(row["skills"]), row["media"]
            cells.setdefault(cell, {}).setdefault(row["agent_id"], []).append(row["handle_s"])
    agents = sorted({agent for cell in cells.values() for agent in cell})
    total = {c: sum(map(sum, cell.values())) for c, cell in cells.items()}
    own = {a: sum(sum(cell.get(a, [])) for cell in cells.values()) for a in agents}
    factor = dict.fromkeys(agents, 1.0)
    for _ in range(200):
        mean = {}
        for c, cell in cells.items():
            share = sum(len(times) * factor[a] for a, times in cell.items())
            mean[c] = total[c] / share if share else 0.0
        for a in agents:
            expected = sum(len(cell.get(a, [])) * mean[c] for c, cell in cells.items())
            factor[a] = own[a] / expected if expected else 1.0
    part = {a: {a} for a in agents}
    for _ in agents:
        for cell in cells.values():
            joined = set().union(*(part[a] for a in cell))
            part.update(dict.fromkeys(joined, joined))
    for members in {id(group): group for group in part.values()}.values():
        mine = [(c, cell) for c, cell in cells.items() if members & set(cell)]
        expected = sum(len(times) * mean[c] for c, cell in mine for times in cell.values())
        scale = sum(total[c] for c, _ in mine) / expected if expected else 1.0
        mean.update({c: mean[c] * (scale or 1.0) for c, _ in mine})
        factor.update({a: factor[a] / (scale or 1.0) for a in members})
    squares = freedom = 0.0
    for c, cell in cells.items():
        for a, times in cell.items():
            squares += sum((t - sum(times) / len(times)) ** 2 for t in times)
            freedom += (len(times) - 1) * (mean[c] * factor[a]) ** 2
    ones = {skills: dict.fromkeys(AGENTS, 1.0) for skills in sets}
    if freedom == 0:
        return ones
    noise = max(squares / freedom, 1e-12)
    spots = {}
    for skills in sets:
        for a in agents:
            mine = [(c, cell, cell[a]) for c, cell in cells.items() if c[1] == skills and a in cell]
            share = [(len(t) * (1 - len(t) / sum(map(len, cell.values()))), mean[c]) for c, cell, t in mine]
            over = sum(k * m * m for k, m in share)
            if over > 0:
                size = sum(k * m for k, m in share) ** 2 / over
                ratio = sum(map(sum, (t for _, _, t in mine))) / sum(len(t) * mean[c] for c, _, t in mine)
                spots[a, skills] = ratio, noise / size
    if not spots:
        return ones
    within = slow_between([[spot for (who, _), spot in spots.items() if who == a] for a in agents])
    overall = {}
    for a in agents:
        mine = [spot for (who, _), spot in spots.items() if who == a]
        if mine:
            weights = [1 / (within + variance) for _, variance in mine]
            value = sum(w * ratio for w, (ratio, _) in zip(weights, mine, strict=True)) / sum(weights)
            overall[a] = value, 1 / sum(weights)
    parts = {id(part[a]) for a in overall}
    between = slow_between([[overall[a] for a in overall if id(part[a]) == one] for one in parts])
    shrunk = {a: 1 + between / (between + variance) * (value - 1) for a, (value, variance) in overall.items()}
    result = {}
    for skills in sets:
        row = {a: shrunk.get(a, 1.0) for a in AGENTS}
        for a in agents:
            if (a, skills) in spots:
                ratio, variance = spots[a, skills]
                row[a] += within / (within + variance) * (ratio - row[a])
        row = {a: min(max(value, 0.01), 100.0) for a, value in row.items()}
        times = [(a, sum(times)) for c, cell in cells.items() if c[1] == skills for a, times in cell.items()]
        whole = sum(time for _, time in times)
        scale = sum(time / row[a] for a, time in times) / whole if whole else 1.0
        result[skills] = {a: value * scale for a, value in row.items()}
    return result


@HARDER
@given(st.integers(1, 80), st.integers(0, 2**32), st.sampled_from([(AGENTS, AGENTS), (AGENTS[:2], AGENTS[2:])]))
def test_estimated_factors_equal_the_slow_twin(n, seed, working):
    """Agents of both queues, or two teams that share no calls."""
    rows = random_rows(n, random.Random(seed))
    for row in rows:
        row["agent_id"] = row["agent_id"] if row["agent_id"] in working[row["queue_id"] == "r"] else None
    arrays = arrays_of(rows)
    found = fit_factors(arrays.history(), arrays.centre, Assumptions())
    sets, row_of = skill_sets(arrays.centre)
    names = [frozenset(arrays.centre.skills[place] for place in skills) for skills in sets]
    expected = slow_factors(rows, names)
    mine = np.array([[expected[skills][agent] for agent in AGENTS] for skills in names])
    # Agents whom few calls link settle slowly; the twin goes on a little longer.
    np.testing.assert_allclose(found.factor, mine, rtol=1e-4)
    json.dumps(plain(found.estimate), allow_nan=False)
    skills_of_type = arrays.centre.call_types["skills"].to_list()
    assert [names[row] for row in row_of] == [frozenset(skills) for skills in skills_of_type]


@given(st.integers(1, 80), st.integers(0, 2**32))
def test_base_times_keep_the_mean_and_the_recorded_agent_the_recorded_time(n, seed):
    rows = [*random_rows(n, random.Random(seed)), answer(5.0)]
    arrays = arrays_of(rows)
    history = arrays.history()
    result, _ = handling(history, arrays.centre, AGENT, 0)
    row = result.handling_of_call_type[history.call_type]
    named = history.agent >= 0
    same = np.where(named, result.base_us * result.factor[row, history.agent], result.base_us)
    np.testing.assert_allclose(same[~result.drawn], result.handle_us[~result.drawn], rtol=1e-12)
    counted = named & history.outcome_is("answered", "unknown") & ~result.drawn
    for one in np.unique(row[counted]):
        mine = counted & (row == one)
        assert result.base_us[mine].mean() == pytest.approx(result.handle_us[mine].mean(), rel=1e-9)


def test_an_agent_with_few_calls_stays_near_one():
    """Ten times the usual time in two calls says less than twice the usual time in a thousand."""
    dice = np.random.default_rng(0)
    calls = [
        answer(float(dice.exponential(100) * scale), agent)
        for agent, scale, n in (("a", 1, 1000), ("b", 0.7, 1000), ("c", 2, 1000), ("d", 1, 1000))
        for _ in range(n)
    ]
    calls += [answer(1000.0, "e")] * 2
    factor, row = factors(arrays_of(calls).history(), arrays_of(calls).centre, Assumptions())
    a, b, c, d, e = factor[row[0]]
    assert b < 0.8 * a < 0.8 * c
    assert c == pytest.approx(2 * d, rel=0.15)
    assert e < 0.5 * 10 * a


def test_the_long_calls_do_not_make_a_slow_agent():
    """Both are equally fast; one gets nearly only the long kind."""
    dice = np.random.default_rng(1)
    mix = (("a", "x", 60, 400), ("a", "y", 600, 20), ("b", "x", 60, 20), ("b", "y", 600, 400))
    calls = [
        answer(float(dice.gamma(20, mean / 20)), who, skills=[skill]) for who, skill, mean, n in mix for _ in range(n)
    ]
    arrays = arrays_of(calls)
    factor, _ = factors(arrays.history(), arrays.centre, Assumptions())
    assert np.abs(factor[:, :2] - 1).max() < 0.06


def test_who_shares_no_calls_cannot_be_compared():
    """Two agents alone in their queues: all that differs may be the calls."""
    calls = [answer(50.0 + k % 9, "a", queue_id="q") for k in range(50)]
    calls += [answer(500.0 + k % 90, "b", queue_id="r") for k in range(50)]
    arrays = arrays_of(calls)
    found = fit_factors(arrays.history(), arrays.centre, Assumptions())
    np.testing.assert_allclose(found.factor, 1.0)
    assert found.estimate is None


def test_handling_times_of_zero_are_no_fault():
    calls = [answer(0.0, "a")] * 40 + [answer(10.0 + k % 5, "b") for k in range(40)]
    arrays = arrays_of(calls)
    result, _ = handling(arrays.history(), arrays.centre, AGENT, 0)
    assert (result.factor > 0).all()
    assert np.isfinite(result.base_us).all()
    nothing = arrays_of([answer(0.0, agent) for agent in AGENTS for _ in range(9)])
    assert (fit_factors(nothing.history(), nothing.centre, Assumptions()).factor == 1).all()


def month(dice, agent_sd, skill_sd, n=6000, n_agents=30):
    """True factors, and calls given out unevenly: agents late in the list get few, and other kinds."""
    true = 1 + agent_sd * dice.standard_normal(n_agents) + skill_sd * dice.standard_normal((4, n_agents))
    agent = (n_agents * dice.random(n) ** 1.5).astype(int)
    kind = ((8 * agent / n_agents + dice.normal(0, 2, n)).astype(int)) % 8
    mean_s = np.array([60, 90, 150, 200, 260, 300, 400, 600])[kind]
    time_s = mean_s * np.maximum(true, 0.1)[kind % 4, agent] * dice.gamma(2, 0.5, n)
    rows = pl.DataFrame(
        {
            "interaction_id": [f"i{k}" for k in range(n)],
            "queue_id": [f"q{k // 4}" for k in kind],
            "arrived_at": [NOON] * n,
            "skills": [[f"s{k % 4}"] for k in kind],
            "outcome": ["answered"] * n,
            "agent_id": [f"a{k:02}" for k in agent],
            "handle_s": time_s,
        }
    )
    agents = table("agents", [{"agent_id": f"a{k:02}"} for k in range(n_agents)])
    columns = table("interactions", []).join(rows, on=rows.columns, how="full", coalesce=True).with_columns(
        media=pl.lit("voice"), priority=pl.lit(0.0)
    )  # fmt: skip
    arrays = encode(Tables(agents=agents, interactions=columns))
    found = fit_factors(arrays.history(), arrays.centre, Assumptions())
    sets, _ = skill_sets(arrays.centre)
    order = [int(arrays.centre.skills[skills[0]][1:]) for skills in sets]
    times = np.zeros((4, n_agents))
    np.add.at(times, (kind % 4, agent), 1)
    return np.maximum(true, 0.1), found.factor[np.argsort(order)], times, found.estimate


def apart(factor, true, times):
    """Mean squared difference over calls, levels of each set of skills made equal."""
    level = [(times * f).sum(axis=1, keepdims=True) / times.sum(axis=1, keepdims=True) for f in (factor, true)]
    return float((times * (factor / level[0] - true / level[1]) ** 2).sum() / times.sum())


def test_the_spread_of_agents_is_recovered():
    """Variances within four standard errors over made-up months, and closer to the truth than no factors."""
    months = [month(np.random.default_rng(seed), 0.25, 0.15) for seed in range(25)]
    for name, expected in (("agent_sd", 0.25), ("skill_sd", 0.15), ("noise_cv", math.sqrt(0.5))):
        variances = np.array([getattr(said, name) ** 2 for _, _, _, said in months])
        error = variances.std(ddof=1) / math.sqrt(len(months))
        assert variances.mean() == pytest.approx(expected**2, abs=4 * error)
        assert error < 0.1 * expected**2
    ours = [apart(factor, true, times) for true, factor, times, _ in months]
    none = [apart(np.ones_like(true), true, times) for true, _, times, _ in months]
    assert max(o / n for o, n in zip(ours, none, strict=True)) < 0.5


def test_agents_who_do_not_differ_get_nearly_no_factors():
    months = [month(np.random.default_rng(seed), 0.0, 0.0) for seed in range(10)]
    assert np.mean([np.abs(factor - 1).max() for _, factor, _, _ in months]) < 0.03


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    place = os.environ.get("ROUTELAB_BANK_LOG")
    if not place:
        pytest.skip("ROUTELAB_BANK_LOG is not set: the published log of the bank is not here")
    log = sorted(Path(place).glob("*.parquet"))[0] if Path(place).is_dir() else Path(place)
    store = tmp_path_factory.mktemp("store")
    import_bank([log], store, "bank")
    return open_snapshot(store, "bank").arrays()


def test_agents_of_the_bank_differ_but_not_wildly(bank):
    history = bank.history()
    result, estimate = handling(history, bank.centre, AGENT, 0)
    said = estimate.factors
    assert said.interactions > 100_000
    assert 0.3 < said.factor.low < 1 < said.factor.high < 3
    answered = (history.agent >= 0) & ~result.drawn
    assert result.base_us[answered].mean() == pytest.approx(result.handle_us[answered].mean(), rel=1e-9)
    assert estimate.drawn == result.drawn.sum() == np.isnan(history.handle_s).sum()
