"""Odd values are told once, with how many, the first of them and the way out; ordinary ones are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine.data.encode import encode
from engine.data.oddities import Oddities
from engine.data.provenance import Extent
from engine.errors import InvalidScenario, InvalidTable
from engine.run import run
from engine.spec import Scenario
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.writing import SnapshotWriter
from tests.small_centres import DAY, call, tables_of
from tests.strategies import MIDNIGHT

HOUR_S, DAY_S = 3600.0, 86_400.0
SPELL = {"agent_id": "ann", "start_at": MIDNIGHT, "end_at": MIDNIGHT + DAY}
SURVEY = {"survey_id": "s", "agent_id": "ann", "score": 4.0, "scale_min": 1.0, "scale_max": 5.0}


def answered(n: int, **more: Any) -> list[dict[str, Any]]:
    """Answered calls of 240 s, one a minute."""
    common = {"outcome": "answered", "agent_id": "ann", "wait_s": 12.0, "handle_s": 240.0, "acw_s": 30.0}
    return [call(k, 60.0 * k, **(common | more)) for k in range(n)]


def odd(**tables: Any) -> list[str]:
    return encode(tables_of(**tables)).snapshot.oddities


def one(row: int, **more: Any) -> list[dict[str, Any]]:
    rows = answered(60)
    rows[row] |= more
    return rows


LATE = MIDNIGHT + 800 * DAY
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "milliseconds": (
        {"interactions": answered(60, handle_s=240_000.0)},
        "more than half of the 60 handling times (handle_s) are longer than 2.0 hours; columns in _s are seconds: if "
        "these are milliseconds divide them by 1,000",
    ),
    "two hours, mostly": (
        {
            "interactions": [
                *answered(29),
                *[row | {"interaction_id": f"j{n}"} for n, row in enumerate(answered(31, handle_s=2 * HOUR_S + 1))],
            ]
        },
        "more than half of the 60 handling times (handle_s) are longer than 2.0 hours; columns in _s are seconds",
    ),
    "one of days": (
        {"interactions": one(7, handle_s=3 * DAY_S)},
        "handling times (handle_s) longer than 8 hours: 1 of 60, first 'i007' with 3.0 days",
    ),
    "minutes": ({"interactions": answered(60, handle_s=4.0, acw_s=0.5)}, "if these are minutes multiply them by 60"),
    "zero": ({"interactions": answered(3, handle_s=0.0, acw_s=None)}, "all 3 handling times (handle_s) are 0"),
    "waits of a day": (
        {"interactions": one(9, wait_s=2 * DAY_S, outcome="abandoned", agent_id=None)},
        "waits of calls and chats (wait_s) longer than a day: 1 of 60, first 'i009' with 2.0 days",
    ),
    "alert": ({"interactions": one(2, alert_s=7000.0)}, "longer than an hour: 1 of 1, first 'i002' with 7,000 s"),
    "work after the call": (
        {"interactions": one(5, acw_s=300.0)},
        "after-call work (acw_s) longer than handling as a whole (handle_s): 1, first 'i005'",
    ),
    "years away": (
        {"interactions": one(59, arrived_at=LATE)},
        f"interactions after a gap of 800 days without any arrival: 1 of 60, first 'i059' on {LATE:%Y-%m-%d}",
    ),
    "years before": (
        {"interactions": one(0, arrived_at=MIDNIGHT - 1000 * DAY)},
        "interactions before a gap of 1,000 days without any arrival: 1 of 60",
    ),
    "staffing of another month": (
        {"interactions": answered(3), "staffing": [SPELL | {"start_at": LATE, "end_at": LATE + DAY}]},
        "lies outside the days of the interactions (2024-02-28 to 2024-02-28): nobody is on queue then",
    ),
    "work elsewhere of another month": (
        {"interactions": answered(3), "busy": [SPELL | {"start_at": LATE, "end_at": LATE + DAY}]},
        "none of it counts",
    ),
    "later surveys": (
        {"interactions": answered(3), "surveys": [SURVEY | {"completed_at": LATE}]},
        "as of their days no agent has one",
    ),
    "old surveys": (
        {"interactions": answered(3), "surveys": [SURVEY | {"completed_at": MIDNIGHT - 800 * DAY}]},
        "were completed more than a year before the interactions",
    ),
    "blocks of days": (
        {"interactions": answered(3), "staffing": [SPELL | {"end_at": MIDNIGHT + timedelta(days=31)}]},
        "blocks of staffing longer than a day: 1 of 1, first of 'ann': 2024-02-28 00:00 to 2024-03-30 00:00 UTC",
    ),
}


@pytest.mark.parametrize(("tables", "says"), CASES.values(), ids=CASES)
def test_odd_values_are_told_once(tables: dict[str, Any], says: str) -> None:
    (said,) = odd(**tables)
    assert says in said


ORDINARY: dict[str, dict[str, Any]] = {
    "plain": {"interactions": answered(60)},
    "messages wait for days": {"interactions": one(3, media="message", wait_s=3 * DAY_S)},
    "eight hours are possible": {"interactions": one(3, handle_s=8 * HOUR_S)},
    "short calls of few": {"interactions": answered(20, handle_s=4.0, acw_s=0.0)},
    "nobody is busy with those who left": {
        "interactions": one(3, outcome="abandoned", agent_id=None, handle_s=0.0, acw_s=None)
    },
    "a season": {"interactions": one(59, arrived_at=MIDNIGHT + 80 * DAY)},
    "surveys of last year": {
        "interactions": answered(3), "surveys": [SURVEY | {"completed_at": MIDNIGHT - 100 * DAY}]
    },
    "nothing": {"interactions": []},
}  # fmt: skip


@pytest.mark.parametrize("tables", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_values_are_not(tables: dict[str, Any]) -> None:
    assert odd(**tables) == []


def test_rows_that_come_in_parts_are_counted_together_and_the_first_of_all_is_told() -> None:
    """Two of days and two with more work after the call than in all, each in another part."""
    rows = answered(60)
    for place, handle_s in ((7, 3 * DAY_S), (40, 5 * DAY_S)):
        rows[place] |= {"handle_s": handle_s}
    for place in (9, 50):
        rows[place] |= {"acw_s": 241.0}
    tables = tables_of(interactions=rows)
    found = Oddities()
    for first in (0, 20, 40):
        found.add(tables.interactions[first : first + 20])
    said = " ".join(found.said(tables))
    assert "longer than 8 hours: 2 of 60, first 'i007' with 3.0 days" in said
    assert "(handle_s): 2, first 'i009'" in said


def test_a_snapshot_says_the_same_however_it_came_in_and_reports_repeat_it(tmp_path: Any) -> None:
    tables = tables_of(interactions=one(31, handle_s=3 * DAY_S))
    rows = tables.interactions.sort("arrived_at", "interaction_id")
    with SnapshotWriter(tmp_path, "s", source={"kind": "test"}, time_zone="UTC") as writer:
        for name in ("agents", "members", "staffing"):
            writer.add(name, getattr(tables, name))
        for start in (0, 20, 40):
            writer.add_interactions(rows[start : start + 20])
        writer.commit()
    arrays = open_snapshot(tmp_path, "s").arrays()
    assert arrays.snapshot.oddities == encode(tables).snapshot.oddities != []
    for mode in ("score", "replay"):
        assert set(arrays.snapshot.oddities) <= set(run(Scenario(mode=mode), arrays).warnings)


@pytest.mark.parametrize(("agent", "hint"), [
    ("A1", "'A1' (capital letters differ: 'a1')"), ("a 1", "'a 1' (spaces differ: 'a1')"),
    ("Ann", "'Ann' (the agent_name of 'a1')"), ("7", "'7' (leading zeros differ: '007')"),
    ("7.0", "'7.0' (a number with decimals: '007')"), ("a11", "'a11' (did you mean 'a1'?)"),
    ("somebody", "'somebody'; write"),
])  # fmt: skip
def test_answers_of_strangers_are_refused_with_whom_they_may_be(agent: str, hint: str) -> None:
    agents = [{"agent_id": "a1", "agent_name": "Ann"}, {"agent_id": "007", "agent_name": "James"}]
    rows = [*answered(97, agent_id="a1"), *answered(99, agent_id=agent)[97:]]
    with pytest.raises(InvalidTable) as caught:
        encode(tables_of(agents=agents, members=[], staffing=[], interactions=rows))
    assert "2 of 99 answered interactions (2.0 %) name agents who are not in the table agents: " in str(caught.value)
    assert hint in str(caught.value)


def test_up_to_one_per_cent_of_strangers_are_counted() -> None:
    """1 of 100; whoever only let it ring, or whom nobody answered, may be anybody."""
    rows = [*answered(99), *answered(102, agent_id="gone")[99:]]
    rows[100] |= {"outcome": "abandoned", "handle_s": None}
    rows[101] |= {"outcome": "flowed_out", "handle_s": None}
    tables = tables_of(interactions=rows)
    (said,) = (text for text in encode(tables).snapshot.assumptions if "not in agents" in text)
    assert "1, first gone; 1 of 100 answered interactions are theirs" in said
    estimate = run(Scenario(mode="replay"), tables).replay.estimates.staffing
    assert (estimate.answered_by_unknown_agents, estimate.answered_by_nobody_named) == (1, 0)


def test_days_outside_the_data_are_told_from_local_ones() -> None:
    """23:30 UTC on 28 February is the 29th in Auckland, the only day there is."""
    arrays = encode(replace(tables_of(interactions=[call(0, 14.5 * HOUR_S)]), time_zone="Pacific/Auckland"))
    at = arrays.history().arrived_us[0] / 1e6
    start = datetime.fromtimestamp(at, UTC).isoformat()
    arrays = replace(arrays, snapshot=replace(arrays.snapshot, interval=Extent(start, start)))
    day = date(2024, 2, 29)
    assert arrays.days(day, day).history().n == 1
    for first, last in ((None, day - DAY), (day + DAY, None)):
        with pytest.raises(InvalidScenario, match="the data hold 2024-02-29 to 2024-02-29"):
            arrays.days(first, last)
