"""How near a replay comes to the record: distances, the search for the nearest, and pauses between calls."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration.closeness import SHOWN, Errors, distances, errors, loss
from engine.calibration.pauses import pauses
from engine.calibration.search import Search, between
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.estimates.assumptions import Assumptions
from engine.measures.light import ASA_OFF, SERVICE_LEVEL_OFF
from tests.strategies import table

MIDNIGHT = datetime(2024, 3, 3, tzinfo=UTC)
DAY_S, N_DAYS, N_AGENTS = 86_400, 15, 8
TALK_S, ACW_S, PATIENCE_S, BREAK_S = 150.0, 25.0, 240.0, 420.0
FIT, TEST = (date(2024, 3, 3), date(2024, 3, 11)), (date(2024, 3, 12), date(2024, 3, 17))

# --- distances ---------------------------------------------------------------------------------------------------

PARTS = sorted({name for pair in SHOWN.values() for name in pair})


def random_parts(dice: random.Random, n: int) -> dict[str, np.ndarray]:
    return {name: np.array([float(dice.choice((0, 1, 2, 5, 9))) for _ in range(n)]) for name in PARTS}


@given(st.integers(0, 2**32), st.integers(1, 7))
def test_errors_are_what_loops_say(seed, n):
    dice = random.Random(seed)
    mine, theirs = random_parts(dice, n), random_parts(dice, n)
    for name, (above, below) in SHOWN.items():
        rows = [
            (mine[above][k] / mine[below][k], theirs[above][k] / theirs[below][k], theirs[below][k])
            for k in range(n)
            if mine[below][k] and theirs[below][k]
        ]
        got = errors(mine, theirs, name)
        if not rows:
            assert got == Errors(None, None, None)
            continue
        weight = sum(w for *_, w in rows)
        mean = [sum(row[k] * row[2] for row in rows) / weight for k in (0, 1)]
        spread = [(sum((row[k] - mean[k]) ** 2 * row[2] for row in rows) / weight) ** 0.5 for k in (0, 1)]
        assert got.rmse == pytest.approx((sum((a - b) ** 2 * w for a, b, w in rows) / weight) ** 0.5)
        assert (got.spread or 0.0) == pytest.approx(spread[1], abs=1e-8)
        if min(spread) > 1e-6:
            shared = sum((a - mean[0]) * (b - mean[1]) * w for a, b, w in rows) / weight
            assert got.correlation == pytest.approx(shared / spread[0] / spread[1])


def test_the_record_itself_has_no_loss_and_more_error_more_loss():
    dice = random.Random(3)
    past, day = random_parts(dice, 12), np.repeat([0, 1, 2], 4)
    assert loss(distances(past, past, day)) == 0
    losses = [loss(distances(past | {"within": past["within"] + off}, past, day)) for off in (0.5, 1.0, 2.0)]
    assert 0 < losses[0] < losses[1] < losses[2]


def test_a_replay_at_the_limits_of_the_light_is_one_off_as_a_whole():
    past = {name: np.array([100.0]) for name in PARTS} | {"answered_wait_s": np.array([3000.0])}
    off = {"answered_wait_s": 1 + ASA_OFF, "abandoned": 1 + SERVICE_LEVEL_OFF, "within": 1 - SERVICE_LEVEL_OFF}
    found = distances(past | {name: past[name] * by for name, by in off.items()}, past, np.array([0]))
    assert found["whole"] == pytest.approx({"asa_s": 1.0, "abandonment": 1.0, "service_level": -1.0})
    assert set(found["day"].values()) == {None}
    assert loss(found) == pytest.approx(1.0)


# --- the search --------------------------------------------------------------------------------------------------


class Bowl:
    """Stands in for a span whose losses are known."""

    def __init__(self, gap_s: float, acw_s: float) -> None:
        self.best = (gap_s, acw_s)
        self.asked: list[tuple[float, float, int]] = []

    def losses(self, assumed, draws):
        self.asked += [(assumed.join_gap_s, assumed.acw_s, k) for k in draws]
        far = np.log(assumed.join_gap_s / self.best[0]) ** 2 + ((assumed.acw_s - self.best[1]) / 50) ** 2
        return [float(far) + 1e-6 * k for k in draws], {}


@given(st.floats(60, 1200), st.floats(0, 120))
def test_the_search_ends_near_the_lowest_point(gap_s, acw_s):
    bowl, steps = Bowl(gap_s, acw_s), []
    search = Search(bowl, Assumptions(), ("join_gap_s", "acw_s"), lambda *one: steps.append(one))
    best = search.run()
    assert abs(np.log(best.join_gap_s / gap_s)) < 0.3
    assert abs(best.acw_s - acw_s) <= 8
    assert len(set(bowl.asked)) == len(bowl.asked), "no replay is made twice"
    assert best in search.as_good(best)
    assert max(len(one.losses) for one in search.tried.values()) == 3
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    assert all(done <= total for _, done, total in steps)


def test_what_is_not_searched_stays_as_it_is():
    bowl = Bowl(500.0, 40.0)
    best = Search(bowl, Assumptions(join_gap_s=777.0), ("acw_s",), None).run()
    assert {gap for gap, _, _ in bowl.asked} == {777.0}
    assert abs(best.acw_s - 40) <= 4
    best = Search(Bowl(500.0, 40.0), Assumptions(acw_s=7.0), ("join_gap_s",), None).run()
    assert best.acw_s == 7.0
    assert 390 <= best.join_gap_s <= 630


@given(st.lists(st.integers(0, 200), min_size=1, max_size=6, unique=True).map(sorted), st.data(), st.booleans())
def test_new_candidates_lie_between_neighbours_on_whole_steps(tried, data, ratios):
    values = [float(value) for value in tried]
    best = data.draw(st.sampled_from(values))
    got = between(values, best, 10.0, ratios=ratios)
    assert best in got
    assert got == sorted(got)
    place = values.index(best)
    low, high = values[max(place - 1, 0)], values[min(place + 1, len(values) - 1)]
    for value in got:
        assert value == best or (low < value < high and value % 10 == 0)


# --- pauses ------------------------------------------------------------------------------------------------------


def slow_pauses(rows: list[dict[str, object]]) -> list[tuple[float, bool]]:
    """Second by second: from the end of a service until the agent's next, or until nobody waits."""
    done = [row for row in rows if row["agent_id"] and row["outcome"] == "answered"]
    seen = []
    for agent in {row["agent_id"] for row in done}:
        mine = sorted((row for row in done if row["agent_id"] == agent), key=lambda row: (row["left"], row["n"]))
        for one, other in itertools.pairwise(mine):
            waiting = {
                second for row in rows if row["queue_id"] == one["queue_id"] for second in range(row["at"], row["left"])
            }
            free = one["left"] + one["handle_s"]
            if free not in waiting or other["left"] < free:
                continue
            end = free
            while end in waiting and end < other["left"]:
                end += 1
            seen.append((float(end - free), end == other["left"]))
    return seen


@given(st.integers(0, 2**32))
def test_pauses_are_what_a_clock_says(seed):
    dice = random.Random(seed)
    rows = []
    for n in range(dice.randint(1, 25)):
        at, wait, answered = dice.randint(0, 40), dice.choice((0, 0, 3, 9, 20)), dice.random() < 0.7
        rows.append({
            "n": n, "interaction_id": f"i{n:02d}", "queue_id": dice.choice("pq"), "at": at, "left": at + wait,
            "arrived_at": MIDNIGHT + timedelta(seconds=at), "wait_s": float(wait),
            "outcome": "answered" if answered else "abandoned",
            "agent_id": dice.choice(("a0", "a1")) if answered else None,
            "handle_s": dice.randint(0, 8) if answered else None,
        })  # fmt: skip
    rows.sort(key=lambda row: (row["at"], row["n"]))
    for n, row in enumerate(rows):
        row["n"] = n
        row["interaction_id"] = f"i{n:02d}"
    plain = [{k: v for k, v in row.items() if k not in {"n", "at", "left"}} for row in rows]
    arrays = encode(Tables(table("agents", [{"agent_id": "a0"}, {"agent_id": "a1"}]), table("interactions", plain)))
    history = arrays.history()
    queue = arrays.centre.queue[arrays.centre.requirement][history.call_type]
    seen, got = slow_pauses(rows), pauses(history, queue, 15.0)
    assert got.n == len(seen)
    if not any(ended for _, ended in seen):
        assert got.mean_s is None
        return
    survival, area = 1.0, 0.0
    for second in range(15):
        at_risk = sum(length >= second for length, _ in seen)
        survival *= 1 - sum(length == second and ended for length, ended in seen) / at_risk if at_risk else 1
        area += survival
    last = sum(length >= 15 for length, _ in seen)
    beyond = survival * (1 - sum(length == 15 and ended for length, ended in seen) / last if last else 1)
    if beyond < 1:
        assert got.mean_s == pytest.approx((area - 15 * beyond) / (1 - beyond), abs=1e-9)
