"""Several rows of one conversation become one row for each visit to a queue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from ingest.exports.profile.profile import Between, Copied, Filled, From, Part, Profile
from ingest.exports.shaping import shape
from ingest.files.gathering import gather
from ingest.files.reading import Reading
from ingest.sheets.sheet import Sheet

COLUMNS: dict[str, From] = {
    "conversation_id": Copied("id"), "arrived_at": Copied("start"), "queue_id": Copied("queue"),
    "agent_id": Copied("who"), "wait_s": Copied("wait"), "handle_s": Copied("handle"), "outcome": Copied("end"),
}  # fmt: skip
HEADER = ("id", "start", "queue", "who", "wait", "handle", "end")
ROWS = [
    # Sales, rung 20 s at a01 without an answer, answered by a02 after 10 s more, then a consultation of a03.
    ("c1", "2026-03-02 09:00:00", "sales", "a01", 20, 0, "not answered"),
    ("c1", "2026-03-02 09:00:20", "sales", "a02", 10, 100, "answered"),
    ("c1", "2026-03-02 09:02:00", None, "a03", 0, 40, "answered"),
    # Then transferred to billing, where a04 answered after 15 s.
    ("c1", "2026-03-02 09:03:00", "billing", "a04", 15, 60, "answered"),
    # Billing for 30 s without an agent, then on to sales, where the caller hung up after 45 s.
    ("c2", "2026-03-02 10:00:00", "billing", None, 30, 0, "abandoned"),
    ("c2", "2026-03-02 10:00:30", "sales", None, 45, 0, "abandoned"),
]


def test_rows_of_a_conversation_are_joined_by_queue() -> None:
    # The file is in no order of time.
    frame = pl.DataFrame(ROWS[::-1], schema=list(HEADER), orient="row", infer_schema_length=None)
    given = Sheet("segments.csv", (Path("segments.csv"),), frame, np.arange(2, 8), "made")
    values = {"outcome": {"not answered": "unknown"}}
    profile = Profile("UTC", (Part("interactions", ("segments.csv",), COLUMNS, values=values, rows="segment"),))
    shaped = shape(profile, [given])
    rows = gather(shaped.tables, Reading.of("UTC"), lambda *_: None)[0]["interactions"]
    found = rows.select("interaction_id", "queue_id", "agent_id", "wait_s", "handle_s", "outcome").rows()
    assert found == [
        ("c1#1", "sales", "a02", 30.0, 140.0, "answered"),
        ("c1#2", "billing", "a04", 15.0, 60.0, "answered"),
        ("c2#1", "billing", None, 30.0, None, "flowed_out"),
        ("c2#2", "sales", None, 45.0, None, "abandoned"),
    ]
    assert rows["arrived_at"].to_list()[1] == datetime(2026, 3, 2, 9, 3, tzinfo=UTC)
    assert "rows of one conversation and queue joined into one visit: 6 rows became 4 visits" in shaped.assumptions


def test_rows_with_start_and_end_only_are_waiting_without_an_agent_and_handling_with_one() -> None:
    rows = [
        ("c1", "2026-03-02 09:00:00", "2026-03-02 09:00:25", "sales", None),
        ("c1", "2026-03-02 09:00:25", "2026-03-02 09:03:25", "sales", "a01"),
        ("c2", "2026-03-02 09:10:00", "2026-03-02 09:10:40", "sales", None),
    ]
    frame = pl.DataFrame(rows, schema=["id", "start", "end", "queue", "who"], orient="row")
    columns: dict[str, From] = {
        "conversation_id": Copied("id"), "arrived_at": Copied("start"), "queue_id": Copied("queue"),
        "agent_id": Copied("who"), "handle_s": Between("start", "end"),
        "outcome": Filled("who", "answered", "abandoned"),
    }  # fmt: skip
    given = Sheet("segments.csv", (Path("segments.csv"),), frame, np.arange(2, 5), "made")
    shaped = shape(Profile("UTC", (Part("interactions", ("segments.csv",), columns, rows="segment"),)), [given])
    found = gather(shaped.tables, Reading.of("UTC"), lambda *_: None)[0]["interactions"]
    assert found.select("interaction_id", "agent_id", "wait_s", "handle_s", "outcome").rows() == [
        ("c1#1", "a01", 25.0, 180.0, "answered"), ("c2#1", None, 40.0, None, "abandoned"),
    ]  # fmt: skip
