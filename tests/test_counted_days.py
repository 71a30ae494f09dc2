"""Occupancy and staffed time are over the local days on which anything arrived, the same days for every rule."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.calendar import Calendar, days_of_sorted
from engine.data.centre import Blocks
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.data.wall_time import local_days, midnights
from engine.reports.columns import Study
from engine.reports.compare import compare
from engine.run import run
from engine.spec import Scenario
from tests.made_up import GENESYS, WEIGHTED, made_tables
from tests.small_centres import DAY, call, tables_of
from tests.strategies import EPOCH, MIDNIGHT

HOUR = timedelta(hours=1)
MINUTE_US = 60_000_000
# Half hours, a clock that changes at midnight itself, a day that never was.
ZONES = (
    "UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia",
    "America/Havana",
)  # fmt: skip
CHANGES = (datetime(2011, 12, 30), datetime(2018, 11, 4), datetime(2023, 3, 26), datetime(2024, 11, 3))


def blocks(rows: list[tuple[int, int, int]]) -> Blocks:
    agent, start, end = (np.array([row[side] for row in rows], np.int64) for side in range(3))
    return Blocks(agent.astype(np.int32), start, end)


def block(agent: str, start: datetime, hours: float) -> dict[str, Any]:
    return {"agent_id": agent, "start_at": start, "end_at": start + hours * HOUR}


# --- the calendar --------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32))
def test_what_lies_on_the_days_is_counted_minute_by_minute(seed):
    """Spells over several midnights, days in between that do not count, clocks that change."""
    rng = random.Random(seed)
    zone, around = rng.choice(ZONES), rng.choice(CHANGES)
    base = int((around.replace(tzinfo=UTC) - EPOCH).total_seconds()) // 60 - 2 * 1440
    minutes = np.arange(base, base + 6 * 1440)
    day_of = local_days(minutes * MINUTE_US, zone)
    days = np.array(sorted(rng.sample(sorted(set(day_of.tolist())), rng.randint(0, 4))), np.int64)
    spells = []
    for agent in range(rng.randint(1, 3)):
        edges = sorted(rng.sample(range(base, base + 6 * 1440), 4))
        spells += [(agent, low * MINUTE_US, high * MINUTE_US) for low, high in (edges[:2], edges[2:])]
    pieces = Calendar(days, zone).within(blocks(spells))
    found = np.bincount(pieces.agent, pieces.end_us - pieces.start_us, 3) // MINUTE_US
    inside = np.isin(day_of, days)
    slow = [sum(inside[lo // MINUTE_US - base : hi // MINUTE_US - base].sum() for a, lo, hi in spells if a == agent)
            for agent in range(3)]  # fmt: skip
    assert found.tolist() == slow
    # A piece lies on one day, so that sums by day know where it belongs.
    assert local_days(pieces.start_us, zone).tolist() == local_days(pieces.end_us - 1, zone).tolist()


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_begins_where_the_local_calendar_turns(zone):
    days = np.arange(15_000, 16_000)
    starts = midnights(days, zone)
    there = np.diff(starts, append=starts[-1] + 1) > 0  # Samoa skipped a day
    assert local_days(starts[there], zone).tolist() == days[there].tolist()
    assert (local_days(starts[there] - 1, zone) < days[there]).all()


@given(st.integers(0, 2**32))
def test_days_of_arrivals_in_order_are_those_of_each_arrival(seed):
    rng = random.Random(seed)
    zone, around = rng.choice(ZONES), rng.choice(CHANGES)
    base = int((around.replace(tzinfo=UTC) - EPOCH) / timedelta(microseconds=1))
    some = sorted(base + rng.randrange(4 * 1440) * MINUTE_US for _ in range(rng.randint(0, 9)))
    arrived_us = np.array(some, np.int64)
    assert days_of_sorted(arrived_us, zone) == np.unique(local_days(arrived_us, zone)).tolist()


# --- with a pencil ---------------------------------------------------------------------------------------------------


def one_hour_a_day(staffing: list[dict[str, Any]], *, days: tuple[int, ...] = (0,), zone: str = "UTC") -> Tables:
    """At nine a call of an hour on each of some days, answered at once by ann, the only one on queue."""
    rows = [
        call(n, arrived_at=MIDNIGHT + day * DAY + 9 * HOUR, handle_s=3600.0, outcome="answered", agent_id="ann",
             wait_s=0.0) for n, day in enumerate(days)
    ]  # fmt: skip
    return replace(tables_of(interactions=rows, staffing=staffing), time_zone=zone)


def occupancies(tables: Tables, chosen: Scenario = GENESYS) -> set[float | None]:
    """Wherever a report says it: of the record, of every rule, of the whole, of the only agent."""
    report = run(chosen, tables)
    assert report.replay is not None and report.service_level is not None
    ann = next(agent for agent in report.agents if agent.agent_id == "ann")
    return {*(column.occupancy for column in report.replay.columns), report.service_level.occupancy, ann.occupancy}


def test_staffing_on_days_without_arrivals_is_left_out_and_said():
    """One hour of eight, though a table goes on for two days, and began one before: not 1 of 32."""
    tables = one_hour_a_day([block("ann", MIDNIGHT + day * DAY + 8 * HOUR, 8) for day in (-1, 0, 1, 2)])
    assert occupancies(tables) == {1 / 8}
    report = run(GENESYS, tables)
    said = [warning for warning in report.warnings if "hours of staffing" in warning]
    assert len(said) == 1 and "24.0 of 32.0 hours of staffing lie on days on which nothing arrived" in said[0]
    staffed = report.replay.estimates.staffing
    assert (staffed.hours, staffed.hours_not_counted) == (32.0, 24.0)


def test_a_closed_day_in_the_middle_is_left_out():
    """Two hours of sixteen; the third block, between them, has no call."""
    tables = one_hour_a_day([block("ann", MIDNIGHT + day * DAY + 8 * HOUR, 8) for day in (0, 1, 2)], days=(0, 2))
    assert occupancies(tables) == {2 / 16}


def test_staffing_of_days_with_arrivals_only_needs_no_word():
    tables = one_hour_a_day([block("ann", MIDNIGHT + 8 * HOUR, 8)])
    assert occupancies(tables) == {1 / 8}
    assert not any("hours of staffing" in warning for warning in run(GENESYS, tables).warnings)


@pytest.mark.parametrize(("days", "hours"), [((0,), 15.0), ((0, 1), 39.0)])
def test_a_shift_over_midnight_counts_on_the_days_that_count(days: tuple[int, ...], hours: float):
    """From nine to six on the day after next: 15 hours of the first day, 24 of the second where a call came, never the
    6 of the third."""
    tables = one_hour_a_day([block("ann", MIDNIGHT + 9 * HOUR, 45)], days=days)
    assert occupancies(tables) == {len(days) / hours}


def test_days_are_those_of_the_centre_s_zone():
    """09:00 UTC is 14:30 in Kolkata, whose day is from 18:30 UTC to 18:30 UTC: of the 24 hours 18.5 count."""
    tables = one_hour_a_day([block("ann", MIDNIGHT, 24)], zone="Asia/Kolkata")
    assert occupancies(tables) == {1 / 18.5}


def test_a_call_into_a_day_that_does_not_count_is_no_overrun():
    """From half past eleven at night for an hour, on queue all the while: half an hour busy of two, none off queue."""
    rows = [call(0, arrived_at=MIDNIGHT + 23.5 * HOUR, handle_s=3600.0, outcome="answered", agent_id="ann", wait_s=0.0)]
    tables = tables_of(interactions=rows, staffing=[block("ann", MIDNIGHT + 22 * HOUR, 4)])
    report = run(GENESYS, tables)
    assert (report.service_level.occupancy, report.service_level.overrun_s) == (0.25, 0.0)
    assert report.agents[0].handled_s == 3600.0


def test_sums_by_day_hold_what_happened_on_the_day():
    """A block of two days is two days of time on queue, not both on the first."""
    tables = one_hour_a_day([block("ann", MIDNIGHT, 48)], days=(0, 1))
    parts = Study(encode(tables), GENESYS).past.days.parts
    assert parts["staffed_s"].tolist() == [[86_400.0, 86_400.0]]
    assert parts["busy_s"].tolist() == [[3600.0, 3600.0]]


@pytest.mark.parametrize("mode", ["score", "replay"])
def test_an_expectation_by_time_on_queue_counts_the_same_days(mode: str):
    """bob stands in for as long as ann on the day of the calls, whatever his table says of the day after."""
    rows = [call(n, handle_s=1.0, outcome="answered", agent_id="ann", wait_s=0.0) for n in range(4)]
    there = [block("ann", MIDNIGHT + 8 * HOUR, 4), block("bob", MIDNIGHT + 8 * HOUR, 4)]
    more = [block("bob", MIDNIGHT + DAY + 8 * HOUR, 12)]
    chosen = Scenario(mode=mode, expected="staffed")
    few, many = (run(chosen, tables_of(interactions=rows, staffing=side)).fairness for side in (there, there + more))
    assert few == many
    assert few.degrees_of_freedom == 1


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [-3, 8, 400])
def test_staffing_added_on_days_without_arrivals_changes_no_number(shift: int):
    """Of nobody: not of the record, of today's rule, of the scenario, nor of how work is shared.

    The made-up centre has eight days; everybody goes home with nobody waiting.
    """
    tables = made_tables()
    days = pl.duration(days=shift)
    first = tables.staffing.filter(pl.col("start_at").dt.date() == pl.col("start_at").dt.date().min())
    more = first.with_columns(pl.col("start_at", "end_at") + days)
    there, wide = (run(WEIGHTED, replace(tables, staffing=side)).to_dict()
                   for side in (tables.staffing, pl.concat([tables.staffing, more])))  # fmt: skip
    beyond = wide["replay"]["estimates"]["staffing"]
    assert beyond["hours_not_counted"] > there["replay"]["estimates"]["staffing"]["hours_not_counted"] == 0.0
    for side in (there, wide):
        del side["replay"]["estimates"]["staffing"], side["warnings"], side["snapshot"]
    assert wide == there


def test_every_column_of_a_comparison_counts_the_same_days():
    """The same seconds staffed under every rule and both ways of handling."""
    tables = one_hour_a_day([block("ann", MIDNIGHT + day * DAY, 24) for day in range(9)], days=(0, 2, 5))
    found = compare([GENESYS, WEIGHTED, replace(WEIGHTED, method="longest_idle")], encode(tables))
    assert {column.occupancy for side in found.sides for column in side.columns} == {3 / 72}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata"])
def test_days_chosen_count_the_days_chosen(zone: str):
    """Of two days with calls one is chosen: a block over the midnight between them is cut there."""
    midnight = datetime(2024, 3, 4, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    rows = [call(n, arrived_at=midnight + n * DAY + 20 * HOUR, handle_s=3600.0, outcome="answered", agent_id="ann",
                 wait_s=0.0) for n in range(2)]  # fmt: skip
    tables = replace(tables_of(interactions=rows, staffing=[block("ann", midnight + 18 * HOUR, 24)]), time_zone=zone)
    first = datetime(2024, 3, 4).date()
    study = Study(encode(tables).days(first, first), GENESYS)
    assert study.summary(study.past).occupancy == 1 / 6
