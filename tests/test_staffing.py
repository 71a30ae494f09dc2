"""Staffing: recorded or inferred blocks, work elsewhere, and idle clocks, against plain loops."""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.data.centre import Blocks
from engine.data.encode import encode
from engine.data.tables import OUTCOMES, Tables
from engine.errors import InvalidTable, MissingInput
from engine.estimates.assumptions import Assumptions
from engine.estimates.staffing import last_work, on_queue, roster, staffing
from engine.results import plain as plainly
from ingest.bank import import_bank
from ingest.snapshot.reading import open_snapshot
from tests.strategies import HARDER, strangers_allowed, table

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
NOON_US = round(NOON.timestamp()) * 10**6
NEVER_US = np.iinfo(np.int64).max
AGENTS = ("a", "b", "c")


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def arrays_of(rows, staffed=(), busy=(), **agents):
    """A centre of three agents; `agents` gives their idle_since in seconds after noon."""
    people = [{"agent_id": name, "idle_since": at(agents[name]) if name in agents else None} for name in AGENTS]
    rows = [{"interaction_id": f"i{n:04}", "queue_id": "q"} | row for n, row in enumerate(rows)]
    spells = [[{"agent_id": who, "start_at": at(start), "end_at": at(end)} for who, start, end in some]
              for some in (staffed, busy)]  # fmt: skip
    tables = Tables(
        agents=table("agents", people), interactions=table("interactions", rows),
        staffing=table("staffing", spells[0]), busy=table("busy", spells[1]),
    )  # fmt: skip
    with strangers_allowed():
        return encode(tables)


def inferred(rows, **assumed):
    """Blocks as (agent, start, end), seconds after noon, and what the report says."""
    arrays = arrays_of(rows)
    blocks, estimate = staffing(arrays.history(), arrays.centre, Assumptions(**assumed))
    json.dumps(plainly(estimate), allow_nan=False)
    return plain(blocks), estimate


def plain(blocks):
    start_s, end_s = ((side - NOON_US) / 1e6 for side in (blocks.start_us, blocks.end_us))
    return list(zip((AGENTS[a] for a in blocks.agent), start_s.tolist(), end_s.tolist(), strict=True))


def service(agent, arrived, wait, handle, **more):
    return {
        "agent_id": agent,
        "arrived_at": at(arrived),
        "wait_s": wait,
        "handle_s": handle,
        "outcome": "answered",
    } | more


def test_services_are_joined_across_short_gaps():
    rows = [service("a", 0, 10.0, 50.0), service("a", 900, 60.0, 40.0), service("a", 1900.5, None, 9.5)]
    blocks, estimate = inferred(rows)
    assert blocks == [("a", 10, 1000), ("a", 1900.5, 1910)]
    assert (estimate.blocks, estimate.agents, estimate.hours) == (2, 1, (990 + 9.5) / 3600)
    assert inferred(rows, join_gap_s=899.0)[0] == [("a", 10, 60), ("a", 960, 1000), ("a", 1900.5, 1910)]
    assert inferred(rows, join_gap_s=900.5)[0] == [("a", 10, 1910)]
    # Blocks that meet when extended are one.
    assert inferred(rows, join_gap_s=0.0, lead_s=400.0, tail_s=500.0)[0] == [("a", -390, 1500), ("a", 1500.5, 2410)]


def test_after_call_work_is_added_where_none_is_recorded():
    rows = [service("a", 0, 0.0, 50.0), service("b", 0, 0.0, 50.0, acw_s=5.0), service("c", 0, 0.0, None)]
    blocks, estimate = inferred(rows, acw_s=20.0)
    assert blocks == [("a", 0, 70), ("b", 0, 50), ("c", 0, 20)]
    assert estimate.services_without_handle_s == 1


def test_services_without_length_need_a_lead_or_tail():
    rows = [service("a", 0, 0.0, 0.0), service("b", 0, 5.0, 5.0)]
    assert inferred(rows)[0] == [("b", 5, 10)]
    assert inferred(rows, tail_s=2.0)[0] == [("a", 0, 2), ("b", 5, 12)]


def test_a_long_service_covers_later_short_ones():
    rows = [service("a", 0, 0.0, 500.0), service("a", 100, 0.0, 10.0), service("a", 480, 0.0, 30.0)]
    blocks, estimate = inferred(rows, join_gap_s=0.0)
    assert blocks == [("a", 0, 510)]
    # Of each service only the next is compared: the second starts in the first, the third after the second.
    assert estimate.overlapping_services == 1


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [service(None, 0, 1.0, 9.0)],
        [service("gone", 0, 1.0, 9.0)],
        [service("a", 0, 1.0, None, outcome="abandoned")],
        [service("a", 0, 1.0, 0.0)],
    ],
)
def test_staffing_from_nothing_is_refused(rows):
    with pytest.raises(MissingInput, match="give a staffing table"):
        inferred(rows)


def test_a_staffing_table_beats_the_log():
    arrays = arrays_of([service("a", 0, 0.0, 9.0)], staffed=[("b", 0, 3600), ("b", 1800, 5400), ("gone", 0, 9)])
    blocks, estimate = staffing(arrays.history(), arrays.centre, Assumptions())
    assert plain(on_queue(blocks, arrays.centre.busy, 3)) == [("b", 0, 5400)]
    assert (estimate.source, estimate.hours) == ("recorded", 1.5)


def test_the_report_warns_of_inferred_staffing():
    _, estimate = inferred([service("a", 0, 0.0, 9.0)])
    assert "reflects the routing of its day" in estimate.how
    assert estimate.source == "inferred"


def slow_blocks(rows, gap, lead, tail, acw):
    """Services of one agent after the other, joined by hand; whole seconds."""
    blocks, overlaps, bare = [], 0, 0
    for agent in AGENTS:
        services = []
        for row in rows:
            if row["agent_id"] == agent and (row["handle_s"] is not None or row["outcome"] == "answered"):
                start = (row["arrived_at"] - NOON).total_seconds() + (row["wait_s"] or 0)
                services.append((start, start + (row["handle_s"] or 0) + (acw if row["acw_s"] is None else 0)))
                bare += row["handle_s"] is None
        services.sort()
        overlaps += sum(1 for one, two in pairwise(services) if two[0] < one[1])
        joined = []
        for start, end in services:
            if joined and start - joined[-1][1] <= gap:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        extended = []
        for start, end in ([s - lead, e + tail] for s, e in joined):
            if extended and start <= extended[-1][1]:
                extended[-1][1] = max(extended[-1][1], end)
            else:
                extended.append([start, end])
        blocks += [(agent, start, end) for start, end in extended if start < end]
    return blocks, overlaps, bare


@given(
    st.integers(1, 30), st.integers(0, 2**32), st.sampled_from([0, 3, 20]), st.sampled_from([0, 2]),
    st.sampled_from([0, 5]), st.sampled_from([0, 4]),
)  # fmt: skip
def test_inferred_blocks_equal_the_slow_twin(n, seed, gap, lead, tail, acw):
    dice = random.Random(seed)
    rows = [
        service(
            dice.choice([*AGENTS, None, "gone"]), dice.randint(0, 150), dice.choice([None, 0.0, 5.0]),
            dice.choice([None, 0.0, 3.0, 10.0, 60.0]), outcome=dice.choice(OUTCOMES), acw_s=dice.choice([None, 1.0]),
        )
        for _ in range(n)
    ]  # fmt: skip
    expected, overlaps, bare = slow_blocks(rows, gap, lead, tail, acw)
    assumed = {"join_gap_s": gap, "lead_s": lead, "tail_s": tail, "acw_s": acw}
    if not expected:
        with pytest.raises(MissingInput):
            inferred(rows, **assumed)
        return
    blocks, estimate = inferred(rows, **assumed)
    assert blocks == expected
    assert (estimate.overlapping_services, estimate.services_without_handle_s) == (overlaps, bare)


SPELLS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 8)), max_size=12)


def blocks_of(spells):
    agent, start, end = np.array([(a, s, s + long) for a, s, long in spells], np.int64).reshape(-1, 3).T
    return Blocks(agent.astype(np.int32), start, end)


@HARDER
@given(SPELLS, SPELLS)
@example([(0, 1, 4), (1, 5, 4)], [])
def test_time_on_queue_is_staffed_and_not_busy(staffed, busy):
    """Instant by instant; the roster would refuse spells that overlap or touch."""
    found = on_queue(blocks_of(staffed), blocks_of(busy), 3)
    for agent in range(3):
        for instant in range(30):
            inside = [any(a == agent and s <= instant < s + long for a, s, long in some) for some in (staffed, busy)]
            times = ((found.agent == agent) & (found.start_us <= instant) & (found.end_us > instant)).sum()
            assert times == (inside[0] and not inside[1])
    same = found.agent[1:] == found.agent[:-1]
    assert (found.start_us < found.end_us).all()
    assert (np.diff(found.agent) >= 0).all()
    assert (~same | (found.start_us[1:] > found.end_us[:-1])).all()


def test_places_that_are_not_there_are_refused():
    with pytest.raises(InvalidTable, match="from 0 to 1"):
        on_queue(blocks_of([(2, 0, 5)]), blocks_of([]), 2)


def roster_of(rows=(), staffed=(), busy=(), first=0, last=False, **idle):
    arrays = arrays_of(list(rows) or [service("a", first, 0.0, 1.0)], staffed, busy, **idle)
    history, assumed = arrays.history(), Assumptions(acw_s=10.0)
    blocks, _ = staffing(history, arrays.centre, assumed)
    first_us = NOON_US + first * 10**6
    worked_us = last_work(history, first_us, arrays.centre.n_agents, assumed)
    made = roster(arrays.centre, blocks, worked_us, first_us, new_agents_last=last)
    idle_s = [None if us == NEVER_US else (us - NOON_US) / 1e6 for us in made.idle_us.tolist()]
    return made, idle_s


def test_idle_since_the_first_block_or_the_snapshot():
    """Work elsewhere at its start does not move the start of a block; an agent without one never matters."""
    staffed, busy = [("a", 50, 90), ("a", 10, 50), ("b", 20, 90)], [("a", 0, 30)]
    assert roster_of(staffed=staffed, busy=busy)[1] == [10, 20, None]
    # Before the agent can first be asked the snapshot knows; later it tells of work that is still to come.
    assert roster_of(staffed=staffed, busy=busy, a=30, b=21)[1] == [30, 20, None]
    assert roster_of(staffed=staffed, busy=busy, a=-7)[1] == [-7, 20, None]


def test_new_agents_come_last_where_the_platform_says_so():
    staffed = [("a", 10, 50), ("b", 20, 90)]
    assert roster_of(staffed=staffed, last=True)[1] == [None, None, None]
    assert roster_of(staffed=staffed, last=True, a=5)[1] == [5, None, None]


def test_a_replay_that_starts_later_knows_earlier_work():
    """Spells that are over are left out; a service under way at the start counts until then."""
    rows = [service("a", 0, 10.0, 30.0), service("b", 0, 0.0, 500.0), service("a", 250, 0.0, 5.0)]
    staffed = [("a", 0, 60), ("a", 150, 400), ("b", 0, 600), ("c", 0, 60), ("c", 180, 600)]
    made, idle_s = roster_of(rows, staffed, first=200)
    assert plain(Blocks(made.agent, made.start_us, made.end_us)) == [("a", 150, 400), ("b", 0, 600), ("c", 180, 600)]
    assert idle_s == [50, 200, 180]
    assert roster_of(rows, staffed, first=200, a=170, b=100)[1] == [170, 200, 180]
    assert roster_of(rows, staffed, first=200, last=True)[1] == [50, 200, None]


def test_capacities_come_from_the_snapshot():
    made, _ = roster_of(staffed=[("a", 0, 60)])
    assert made.capacity.tolist() == [[1, 4, 1, 1, 1]] * 3
    assert made.interrupts.sum(axis=(1, 2)).tolist() == [5] * 3


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    place = os.environ.get("ROUTELAB_BANK_LOG")
    if not place:
        pytest.skip("ROUTELAB_BANK_LOG is not set: the published log of the bank is not here")
    log = sorted(Path(place).glob("*.parquet"))[0] if Path(place).is_dir() else Path(place)
    store = tmp_path_factory.mktemp("store")
    import_bank([log], store, "bank")
    return open_snapshot(store, "bank").arrays()


def test_the_bank_was_staffed_while_it_served(bank):
    """Every service lies in a block of its agent, and longer gaps only add time."""
    history = bank.history()
    found = [staffing(history, bank.centre, Assumptions(join_gap_s=gap)) for gap in (0.0, 900.0, 3600.0)]
    hours = [estimate.hours for _, estimate in found]
    served = (history.agent >= 0) & (history.handle_s > 0)
    assert hours == sorted(hours)
    assert hours[0] <= history.handle_s[served].sum() / 3600
    blocks, estimate = found[1]
    assert 0 < estimate.overlapping_services < 0.01 * estimate.services
    for agent in range(bank.centre.n_agents):
        mine = blocks.agent == agent
        start_us = (history.arrived_us + np.rint(1e6 * history.wait_s).astype(np.int64))[
            served & (history.agent == agent)
        ]
        block = np.searchsorted(blocks.start_us[mine], start_us, "right") - 1
        assert (block >= 0).all()
        assert (start_us < blocks.end_us[mine][block]).all()
