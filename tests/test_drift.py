"""Drift is told from the month on in which it begins, by how much, and not of a centre that stays as it is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from engine.calibration.drift import FAMILY, Drift, _Days, _off, drift, month_text
from engine.calibration.span import Replays, Span
from engine.data.arrays import Arrays
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.served import STATUS
from engine.data.tables import Tables
from engine.estimates.assumptions import Assumptions
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import one_row_each
from engine.replay.loop import replay
from engine.reports.columns import today_of
from engine.results import plain
from engine.spec import Scenario

DAY_S, N_AGENTS = 86_400, 3
MIDNIGHT = datetime(2024, 1, 1, tzinfo=UTC)
FIRST, LAST, APRIL = date(2024, 1, 1), date(2024, 4, 30), 91  # day 91 is 1 April
ACW_S = 25.0
SHIFTS = [(day, agent) for day in range(121) for agent in range(N_AGENTS)]
TRUE = Assumptions(join_gap_s=600.0, acw_s=ACW_S)


def world(
    seed: int, *, talk: float = 1.0, acw: float = 1.0, away: bool = False, planned: bool = False, since: int = APRIL
) -> Arrays:
    """Four months of a centre; from a day on handling or after-call work is longer, or an agent leaves at noon.

    After-call work is drawn, so that no assumption reproduces a day exactly. `planned`: the log has a table of
    staffing, in which nobody leaves.
    """
    rng = np.random.default_rng(seed)
    counts = rng.poisson(230 * rng.gamma(60.0, 1 / 60, 121))
    arrived_s = np.sort(np.repeat(DAY_S * np.arange(121), counts) + rng.uniform(8 * 3600, 15.5 * 3600, counts.sum()))
    is_changed = arrived_s >= DAY_S * since
    talk_s = np.round(rng.gamma(2.0, 120.0, arrived_s.size) * np.where(is_changed, talk, 1.0), 3)
    acw_s = rng.gamma(0.5, 2 * ACW_S, arrived_s.size) * np.where(is_changed, acw, 1.0)
    patience_s = rng.exponential(240.0, arrived_s.size)
    demand = Demand.of(arrived_s, talk_s + acw_s, Kinds.plain(np.ones((1, N_AGENTS), bool)), patience_s=patience_s)
    on, off = 8 * 3600.0, 16 * 3600.0
    roster = [
        (agent, day * DAY_S + on, day * DAY_S + (12 * 3600.0 if away and day >= since and agent == 0 else off))
        for day, agent in SHIFTS
    ]
    blocks = tuple(np.array(side) for side in zip(*roster, strict=True))
    served = replay(demand, Roster.of(N_AGENTS, *blocks), one_row_each(np.zeros((1, N_AGENTS))))
    rows = pl.DataFrame({
        "interaction_id": [f"i{number:06d}" for number in range(arrived_s.size)], "queue_id": "q",
        "arrived_at": pl.Series(demand.arrived_us + int(1e6 * MIDNIGHT.timestamp())).cast(pl.Datetime("us", "UTC")),
        "outcome": [STATUS[place] for place in served.status], "wait_s": (served.left_us - demand.arrived_us) / 1e6,
        "agent_id": [f"a{agent}" if agent >= 0 else None for agent in served.agent],
        "handle_s": pl.Series(np.where(served.agent >= 0, talk_s, np.nan)).fill_nan(None),
    }).filter(pl.col("outcome") != "unserved")  # fmt: skip
    frames = {
        "agents": check("agents", pl.DataFrame({"agent_id": [f"a{agent}" for agent in range(N_AGENTS)]})),
        "interactions": check("interactions", rows),
    }
    if planned:
        base_us = int(1e6 * MIDNIGHT.timestamp())
        us = {
            name: pl.Series([base_us + int(1e6 * (day * DAY_S + at)) for day, _ in SHIFTS])
            for name, at in (("start_at", on), ("end_at", off))
        }
        table = {"agent_id": [f"a{agent}" for _, agent in SHIFTS]}
        table |= {name: side.cast(pl.Datetime("us", "UTC")) for name, side in us.items()}
        frames["staffing"] = check("staffing", pl.DataFrame(table))
    return encode(Tables.of(frames))


def drifted(arrays: Arrays, fit: tuple[date, date] = (FIRST, date(2024, 2, 29)), draws: int = 4) -> Drift:
    today = today_of(Scenario(mode="replay", replications=1), arrays)
    test = (date(2024, 3, 1), LAST) if fit[0] == FIRST else (FIRST, date(2024, 2, 29))
    spans = {"fit": Span(arrays, today, fit), "test": Span(arrays, today, test)}
    return drift(spans, {name: span.replays(TRUE, draws, None, "") for name, span in spans.items()})


def test_longer_after_call_work_is_told_from_its_month_on():
    """The log does not record it, so replays with what was fitted answer sooner than the record."""
    found = drifted(world(1, acw=2.0))
    assert (found.holds_to, found.since) == ("2024-03", "2024-04")
    assert found.short == "holds to March 2024; from April 2024 on it no longer holds"
    asa = found.months[-1].measures["asa_s"]
    assert asa.is_drift
    assert asa.low < asa.change < asa.high < 0
    assert f"replayed ASA {-100 * asa.off:.0f} % below the recorded one" in found.verdict
    assert [row.alarms for row in found.months[:3]] == [[], [], []]
    json.dumps(plain(found), allow_nan=False)


def test_a_gap_in_staffing_is_told_from_its_month_on():
    """The table of staffing does not know that one of three leaves at noon, so replays have too many agents."""
    found = drifted(world(2, away=True, planned=True))
    assert found.since == "2024-04"
    assert found.months[-1].measures["service_level"].off > 0.05
    assert not any(row.alarms for row in found.months[:-1])


def test_longer_recorded_handling_is_told_though_replays_hold():
    """Handling times are replayed as recorded, so waits come out; the month is told all the same, by 10 %."""
    found = drifted(world(3, talk=1.1))
    assert found.since is None
    assert found.handling_since == "2024-04"
    assert found.short.endswith("; recorded handling times changed in April 2024")
    april = found.months[-1].measures["handle_s"]
    assert april.is_drift
    assert april.change == pytest.approx(0.1, abs=0.03)
    assert f"April 2024 {100 * april.change:+.0f} %" in found.verdict
    assert not any(row.measures["handle_s"].is_drift for row in found.months[:-1])


def test_a_change_within_the_days_fitted_is_told_of_them():
    """February is held against January and the other way round; what is held out is not called into question alone."""
    found = drifted(world(4, acw=2.0, since=31), fit=(FIRST, date(2024, 2, 29)))
    assert [row.span for row in found.months] == ["fit", "fit", "test", "test"]
    assert [bool(row.alarms) for row in found.months[:2]] == [True, True]
    assert "months fitted that are unlike the other months fitted: January 2024" in found.verdict


def test_days_before_those_fitted_are_tested_as_well():
    found = drifted(world(1, acw=2.0, since=60), fit=(date(2024, 3, 1), LAST))
    assert [row.span for row in found.months] == ["test", "test", "fit", "fit"]
    assert found.since is None
    assert found.short == "does not hold before the days fitted"
    assert found.months[0].measures["asa_s"].change > 0


def test_a_centre_that_stays_as_it_is_is_rarely_told():
    """Over seeds: of 30 worlds 1.5 are expected to be told at most, and more than 4 in 2 % of such tests."""
    n, told, beyond = 30, 0, 0
    for seed in range(n):
        found = drifted(world(100 + seed), draws=3)
        held_out = [*(row for row in found.months if row.span == "test"), found.whole]
        told += bool(found.since or found.whole.alarms)
        # Bounds alone, without what nobody minds, must hold together as often.
        beyond += any(one.low > 0 or one.high < 0 for row in held_out for one in row.measures.values())
    assert told <= 4
    assert beyond <= 4
    assert FAMILY == 0.05


def test_months_of_few_days_are_not_tested():
    arrays = world(5).days(FIRST, date(2024, 3, 3))
    today = today_of(Scenario(mode="replay", replications=1), arrays)
    spans = {
        "fit": Span(arrays, today, (FIRST, date(2024, 2, 29))),
        "test": Span(arrays, today, (date(2024, 3, 1), date(2024, 3, 3))),
    }
    found = drift(spans, {name: span.replays(TRUE, 2, None, "") for name, span in spans.items()})
    assert found.months[-1].why_not == f"3 days of this month; it takes {found.fewest_days}"
    assert found.months[-1].measures == {}
    assert found.short.startswith("not tested whether it holds: 3 days held out")


def test_the_error_of_a_month_is_counted_by_hand():
    """Recorded ASA 10 s over two days of 1 and 3 answers, replayed 15 s and 17 s: 60 % above."""
    recorded = {"answered_wait_s": np.array([4.0, 36.0]), "answered": np.array([1.0, 3.0])}
    replayed = {
        "answered_wait_s": np.array([[6.0, 54.0], [8.0, 60.0]]), "answered": np.array([[1.0, 3.0], [1.0, 3.0]])
    }  # fmt: skip
    days = _Days(recorded, replayed, np.zeros(2, int), np.ones(2, bool))
    found = _off(days, np.ones(2, bool), "asa_s")
    assert (found.recorded, found.off, found.n_days) == (10.0, pytest.approx(0.6), 2)
    # By day: recorded adds -6/4 and +6/4 to 10, replayed -9/4 and +9/4 to 16; of the share (9/4 - 1.6 x 6/4) / 10.
    of_days = 2 * 2 * ((9 / 4 - 1.6 * 6 / 4) / 10) ** 2
    assert found.variance == pytest.approx(max(of_days, np.var([1.5, 1.7], ddof=1)))


def test_nobody_waited_and_now_somebody_does():
    """A recorded ASA of 0 has no share; it counts as a second."""
    recorded = {"answered_wait_s": np.zeros(2), "answered": np.ones(2)}
    replayed = {"answered_wait_s": np.full((2, 2), 5.0), "answered": np.ones((2, 2))}
    found = _off(_Days(recorded, replayed, np.zeros(2, int), np.ones(2, bool)), np.ones(2, bool), "asa_s")
    assert (found.recorded, found.off) == (0.0, 5.0)


def test_draws_of_one_replay_say_nothing_about_noise():
    arrays = world(6)
    today = today_of(Scenario(mode="replay", replications=1), arrays)
    span = Span(arrays, today, (FIRST, LAST))
    one = span.replays(TRUE, 1, None, "")
    assert isinstance(one, Replays)
    assert drift({"fit": span, "test": span}, {"fit": one, "test": one}).months[0].measures["asa_s"].high > 0


def test_months_are_named():
    assert [month_text(month) for month in ("1999-01", "1999-12", None)] == [
        "January 1999", "December 1999", "all days held out"
    ]  # fmt: skip
