"""Outcomes, recorded or replayed, in one shape: days add up to the whole, work counts once."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.calendar import Calendar
from engine.data.centre import Blocks
from engine.data.encode import encode
from engine.data.served import Served, Status, joined, recorded
from engine.data.wall_time import local_days
from engine.measures.days import days_of
from engine.measures.fairness import gini
from engine.measures.idling import occupancy
from engine.measures.intervals import Days, measures, point, stacked
from engine.measures.service_level import Goal, measure
from engine.measures.timeline import Timeline
from engine.reports.columns import Study, today_of
from engine.spec import Scenario
from tests.small_centres import call, centre, scenario, tables_of
from tests.strategies import EPOCH, MIDNIGHT, strangers_allowed

MILLION = 1_000_000
IN_2023_US = 1_700_000_000 * MILLION
DEFINITIONS = ("genesys", "offered", "answered")
ANSWERED, ABANDONED, FLOWED_OUT, UNSERVED = Status


# --- busy seconds ------------------------------------------------------------------------------------------------


def blocks(rows: list[tuple[int, int, int]]) -> Blocks:
    agent, start, end = (np.array([row[side] for row in rows], np.int64) for side in range(3))
    return Blocks(agent.astype(np.int32), start, end)


def spans(rng: random.Random, agents: int, most: int, length: int) -> list[tuple[int, int, int]]:
    starts = [(rng.randrange(agents), rng.randrange(-5, 25)) for _ in range(rng.randrange(most))]
    return [(agent, start, start + rng.randrange(length)) for agent, start in starts]


def apart(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Those that do not overlap an earlier one of the same agent."""
    kept: list[tuple[int, int, int]] = []
    for agent, start, end in rows:
        if start < end and all(agent != a or end <= low or high <= start for a, low, high in kept):
            kept.append((agent, start, end))
    return kept


@given(st.integers(0, 2**32))
def test_busy_seconds_are_those_counted_one_by_one(seed):
    """Work of several agents that overlaps, starts before, ends after, has no length; spells of agents without work."""
    rng = random.Random(seed)
    work, spells = spans(rng, 4, 12, 9), apart(spans(rng, 5, 9, 14))
    found = Timeline(blocks(work), blocks(spells), 5).busy_of_piece_s
    expected = [
        sum(any(a == agent and low <= second < high for a, low, high in work) for second in range(start, end)) / 1e6
        for agent, start, end in spells
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@given(st.integers(0, 2**32))
def test_busy_seconds_are_those_of_occupancy(seed):
    """Two ways to the same number: by spell, and by agent."""
    rng = random.Random(seed)
    work, spells = (
        blocks([(a, IN_2023_US + low * MILLION, IN_2023_US + high * MILLION) for a, low, high in rows])
        for rows in (spans(rng, 4, 12, 9), apart(spans(rng, 4, 9, 14)))
    )
    time = Timeline(work, spells, 4)
    by_agent = np.bincount(spells.agent, time.busy_of_piece_s, 4)
    np.testing.assert_allclose(by_agent, occupancy(time).busy_s, atol=1e-9)
    # A third way: what is left of the spells when all that is free is taken off.
    free_s = np.bincount(time.free.agent, time.free.end_us - time.free.start_us, 4) / 1e6
    np.testing.assert_allclose(by_agent, time.staffed_s - free_s, atol=1e-9)


# --- local days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]
)
def test_days_are_those_of_the_local_calendar(zone):
    """Every quarter of an hour of a year with both changes of the clock."""
    start = datetime(2011, 12, 1, tzinfo=UTC)  # Samoa skipped the 30th
    moments = [start + n * timedelta(minutes=15) for n in range(4 * 24 * 366)]
    found = local_days(np.array([(moment - EPOCH) // timedelta(microseconds=1) for moment in moments]), zone)
    local = [moment.astimezone(ZoneInfo(zone)).date() for moment in moments]
    assert found.tolist() == [(day - EPOCH.date()).days for day in local]
    assert len(set(found.tolist())) == len(set(local)) in {365, 366, 367}


def test_no_instants_have_no_days():
    assert local_days(np.empty(0, np.int64), "Europe/Berlin").tolist() == []


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 10, 23), (11, 3, 25)])
def test_a_day_on_which_the_clock_changes_is_one_day(month, day, hours):
    """A call every hour: the day has as many as it has hours, and sums of its length."""
    start = datetime(2024, month, day, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    rows = [
        call(n, arrived_at=start + timedelta(hours=n - 2), patience_s=9.0) for n in range(hours + 4)
    ]  # fmt: skip
    staffing = [
        {"agent_id": "ann", "start_at": start + timedelta(hours=1), "end_at": start + timedelta(hours=hours - 1)}
    ]
    tables = replace(tables_of(interactions=rows, staffing=staffing), time_zone="America/New_York")
    study = Study(encode(tables), Scenario(mode="replay"))
    assert np.bincount(study.calendar.place(study.recorded.history.arrived_us)).tolist() == [2, hours, 2]
    assert study.calendar.place(study.recorded.spells.start_us).tolist() == [1]
    assert study.past.days.parts["staffed_s"].tolist() == [[0, 3600 * (hours - 2), 0]]


# --- sums by day -------------------------------------------------------------------------------------------------


@dataclass
class Made:
    """Outcomes of made-up interactions."""

    served: Served
    time: Timeline
    calendar: Calendar
    goal: Goal

    def days(self) -> Days:
        return stacked([days_of(self.served, self.time, self.calendar, self.goal)])


def made(rng: np.random.Generator, n: int = 60) -> Made:
    """Answers with and without an agent, waits known or not, on few seconds, so that goals are met exactly."""
    status = rng.choice([ANSWERED, ANSWERED, ABANDONED, FLOWED_OUT, UNSERVED], n).astype(np.int8)
    agent = np.where((status == ANSWERED) & (rng.random(n) < 0.9), rng.integers(0, 4, n), -1).astype(np.int32)
    arrived_us = np.sort(rng.integers(0, 5 * 86_400, n)) * MILLION
    wait_s = np.where(rng.random(n) < 0.2, np.nan, rng.choice([0.0, 5.0, 20.0, 20.5, 60.0], n))
    offered_us = np.where(agent >= 0, arrived_us + rng.integers(0, 50, n) * MILLION, 0)
    end_us = np.where(agent >= 0, offered_us + rng.integers(0, 3000, n) * MILLION, 0)
    served = Served(arrived_us, rng.integers(0, 2, n), status, wait_s, agent, offered_us, offered_us, end_us)
    spells = blocks([(a, d * 86_400 * MILLION, (d * 86_400 + 40_000) * MILLION) for a in range(3) for d in range(5)])
    goal = Goal(np.array([20.0, 5.0]), rng.choice(DEFINITIONS), float(rng.choice([0.0, 5.0, 20.25])))
    return Made(served, Timeline(served.services, spells, 5), Calendar.of(arrived_us, "UTC"), goal)


@pytest.mark.parametrize("seed", range(settings.default.max_examples))
def test_sums_by_day_make_the_measures_of_the_whole(seed):
    one = made(np.random.default_rng(seed))
    found, whole = point(one.days()), measure(one.served, one.goal)
    for name, other in (("service_level", "service_level"), ("asa_s", "asa_s"), ("mean_wait_s", "mean_wait_s"),
                        ("abandonment", "abandonment_share")):  # fmt: skip
        value = getattr(whole, other)
        assert found[name] == (None if value is None else pytest.approx(value, rel=1e-12)), name
    busy = occupancy(one.time)
    assert found["occupancy"] == pytest.approx(busy.whole, rel=1e-12)
    # Agents who were ever on queue, those who answered nothing among them.
    assert found["gini"] == pytest.approx(gini(busy.handled[:3]), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_sums_of_a_day_are_those_of_the_day_alone(seed):
    one = made(np.random.default_rng(seed))
    # With all waits known: where some are not, the whole of a queue tells how many.
    one = replace(one, served=replace(one.served, wait_s=np.nan_to_num(one.served.wait_s, nan=5.0)))
    days, day_of = one.days(), one.served.arrived_us // (86_400 * MILLION)
    names = np.unique(day_of)
    assert days.counts.shape[:2] == (1, names.size)
    for day, number in enumerate(names):
        rows = day_of == number
        whole = measure(one.served.rows(rows), one.goal)
        found = measures({name: side[0, day] for name, side in days.parts.items()}, days.counts[0, day])
        for name, other in (("service_level", "service_level"), ("asa_s", "asa_s"), ("mean_wait_s", "mean_wait_s")):
            value = getattr(whole, other)
            assert value is None if np.isnan(found[name]) else found[name] == pytest.approx(value)
        answered = one.served.answered & rows
        assert days.counts[0, day].tolist() == np.bincount(one.served.agent[answered], minlength=3)[:3].tolist()


def test_several_draws_stand_one_above_the_other():
    several = [made(np.random.default_rng(seed)) for seed in range(3)]
    one_day = Calendar(np.array([0]), "UTC")
    days = stacked([days_of(one.served, one.time, one_day, several[0].goal) for one in several])
    assert days.counts.shape[:2] == (3, 1)
    each = [float((one.served.status == ABANDONED).sum()) for one in several]
    assert days.parts["abandoned"][:, 0].tolist() == each


def test_agents_on_queue_in_any_draw_count_in_all():
    """One is on queue in the first draw, another in the second, the third never: two agents, and Gini over both."""
    one = made(np.random.default_rng(0))
    draws = [
        days_of(one.served, Timeline(blocks([]), blocks([(agent, 0, MILLION)]), 5), one.calendar, one.goal)
        for agent in (0, 2)
    ]
    counts = stacked(draws).counts
    answered = np.bincount(one.served.agent[one.served.answered], minlength=5)
    assert counts.sum(axis=1).tolist() == [answered[[0, 2]].tolist()] * 2


# --- the record and a replay, in one shape -------------------------------------------------------------------------


def test_the_record_has_the_shape_of_a_replay():
    """Unknown outcomes with an agent or a handling time were answered, with an end alone they left like a flow-out,
    with nothing at all nothing is known; strangers' answers count."""
    rows = [
        call(0, agent_id="bob", wait_s=30.0, alert_s=4.0, handle_s=100.0),  # outcome unknown
        call(1, wait_s=9.0, handle_s=None),  # unknown, nobody, but an end
        call(2, outcome="answered", agent_id="stranger", wait_s=7.0),
        call(3, outcome="answered", agent_id="cid", handle_s=50.0, acw_s=5.0),  # no wait
        call(4, outcome="abandoned", agent_id="ann", wait_s=3.0),  # alerted, but not answered
        call(5, outcome="flowed_out", wait_s=11.0),
        call(6, outcome="answered", agent_id="ann", wait_s=2.0, alert_s=5.0, handle_s=None),
        call(7, handle_s=None),  # unknown, nobody, no end
        call(8, wait_s=1.0, handle_s=20.0),  # unknown, nobody named, but handled
    ]
    with strangers_allowed():
        arrays = encode(tables_of(interactions=rows))
    served = recorded(arrays.history(), np.zeros(9, np.int64), acw_s=6.0)
    ends = [ANSWERED, FLOWED_OUT, ANSWERED, ANSWERED, ABANDONED, FLOWED_OUT, ANSWERED, UNSERVED, ANSWERED]
    assert served.status.tolist() == ends
    assert served.agent.tolist() == [1, -1, -1, 2, -1, -1, 0, -1, -1]
    assert served.answered.tolist() == [True, False, False, True, False, False, True, False, False]
    np.testing.assert_array_equal(served.wait_s, [30.0, 9.0, 7.0, np.nan, 3.0, 11.0, 2.0, np.nan, 1.0])
    after_s = lambda at_us: ((at_us - served.arrived_us)[served.answered] / 1e6).tolist()  # noqa: E731
    # Alerted before the answer, never before the arrival; after-call work is added where none is recorded.
    assert after_s(served.offered_us) == [26.0, 0.0, 0.0]
    assert after_s(served.start_us) == [30.0, 0.0, 2.0]
    assert after_s(served.end_us) == [136.0, 50.0, 8.0]
    assert not served.offered_us[~served.answered].any()
    assert not served.end_us[~served.answered].any()
    work = served.services
    assert (work.agent.tolist(), work.end_us.tolist()) == ([1, 2, 0], served.end_us[served.answered].tolist())


def end_of(row):
    """What an outcome that is not recorded must have been."""
    if row["outcome"] == "unknown":
        took = row["agent_id"] is not None or (row["handle_s"] or 0) > 0
        return "answered" if took else "unknown" if row["wait_s"] is None else "flowed_out"
    return row["outcome"]


def test_the_measures_of_the_record_are_those_of_its_log():
    """As counted from the rows: what is not recorded takes no part."""
    for seed in range(settings.default.max_examples):
        tables, chosen = centre(seed), scenario(seed, "genesys")
        if tables.staffing.is_empty():
            continue
        study = Study(encode(tables), chosen)
        found = study.summary(study.past)
        ends = [end_of(row) for row in tables.interactions.to_dicts()]
        waits = tables.interactions["wait_s"].to_list()
        timed = [wait for end, wait in zip(ends, waits, strict=True) if end == "answered" and wait is not None]
        assert found.offered == len(ends)
        assert found.unserved == ends.count("unknown")
        assert [getattr(found, end) for end in ("answered", "abandoned", "flowed_out")] == [
            ends.count(end) for end in ("answered", "abandoned", "flowed_out")
        ]
        assert found.asa_s == (pytest.approx(sum(timed) / len(timed)) if timed else None)
        assert found.abandonment == ends.count("abandoned") / len(ends)


def test_a_replay_has_the_shape_of_the_record():
    """Waits for all; the agent's time begins with the alert."""
    n_alerted = 0
    for seed in range(settings.default.max_examples):
        tables = centre(seed)
        if tables.staffing.is_empty():
            continue
        study = Study(encode(tables), scenario(seed, "genesys"))
        played: Any = study.column("today", today_of(study.scenario, study.arrays), keep=True).played
        served = played.served
        some = served.agent >= 0
        assert (served.answered == some).all()
        queue = [study.arrays.centre.queue_ids[place] for place in served.queue]
        assert queue == tables.interactions.sort("arrived_at", "interaction_id")["queue_id"].to_list()
        alert_us = np.array(
            [round(1e6 * (a or 0)) for a in tables.interactions.sort("arrived_at", "interaction_id")["alert_s"]]
        )
        assert (served.offered_us[some] == (served.start_us - alert_us)[some]).all()
        assert not served.offered_us[~some].any()
        assert (served.arrived_us == played.demand.arrived_us).all()
        n_alerted += int((alert_us[some] > 0).sum())
    assert n_alerted > settings.default.max_examples


@pytest.mark.parametrize("seed", range(settings.default.max_examples))
def test_counts_by_queue_and_interval_are_those_counted_one_by_one(seed):
    """What arrived before the first edge or from the last on counts nowhere; parts add up to the whole."""
    rng = np.random.default_rng(seed)
    served = made(rng).served
    edges_us = np.unique(rng.integers(0, 5 * 86_400, int(rng.integers(2, 9)))) * MILLION
    found = served.counts_by(edges_us, 3)
    assert found.shape == (3, edges_us.size - 1, 4)
    rows = list(zip(served.queue.tolist(), served.arrived_us.tolist(), served.status.tolist(), strict=True))
    for queue in range(3):
        for place, (low, high) in enumerate(pairwise(edges_us.tolist())):
            inside = [status for q, at, status in rows if q == queue and low <= at < high]
            assert found[queue, place].tolist() == [inside.count(status) for status in Status]
    halves = [served.rows(slice(0, 30)), served.rows(np.arange(60) >= 30)]
    assert (sum(half.counts_by(edges_us, 3) for half in halves) == found).all()
    assert (joined(halves).counts == served.counts).all()


def test_every_interaction_is_measured_against_its_own_queue_s_goal():
    """Both wait 10 s: in time for one queue, late for the other; a goal of the scenario is everybody's."""
    rows = [call(0, patience_s=99.0), call(1, 0.0, queue_id="slow", patience_s=99.0)]
    queues = [{"queue_id": "q", "service_level_s": 9.0}, {"queue_id": "slow", "service_level_s": 11.0}]
    staffing = [
        {
            "agent_id": name,
            "start_at": MIDNIGHT + timedelta(hours=9, seconds=10),
            "end_at": MIDNIGHT + timedelta(hours=10),
        }
        for name in ("ann", "bob")
    ]
    arrays = encode(tables_of(interactions=rows, queues=queues, staffing=staffing))
    found = {goal: Study(arrays, Scenario(mode="replay", goal=goal)) for goal in (None, "80/10", "80/9")}
    level = {goal: study.summary(study.today).service_level for goal, study in found.items()}
    assert level == {None: 0.5, "80/10": 1.0, "80/9": 0.0}
