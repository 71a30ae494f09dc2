"""Who serves which queue and how much at once, where no file says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from ingest.exports.shaping.centre import capacity, members
from ingest.exports.shaping.naming import Notes
from ingest.files.gathering import in_order

AGENTS = pl.DataFrame(
    {
        "agent_id": ["a", "b", "c"],
        "skills": [[{"name": "billing", "proficiency": 3.0}], [{"name": "Billing", "proficiency": 5.0}], []],
    }
)


def answered(*counts: tuple[str, str | None, int]) -> pl.DataFrame:
    rows = [(queue, agent) for queue, agent, n in counts for _ in range(n)]
    return pl.DataFrame(rows, schema=["queue_id", "agent_id"], orient="row")


def test_skills_named_like_queues_come_first_and_answers_tell_the_rest() -> None:
    notes = Notes()
    calls = answered(
        ("billing", "a", 90), ("billing", "b", 4), ("billing", "c", 6), ("sales", "c", 2), ("sales", None, 9)
    )
    found = members(AGENTS, calls, ["billing", "sales"], notes)
    assert found is not None
    # c answered 6 of 100 in billing without the skill, and alone in sales.
    assert found.sort("queue_id", "agent_id").rows() == [
        ("billing", "a"), ("billing", "b"), ("billing", "c"), ("sales", "c"),
    ]  # fmt: skip
    assert notes.assumptions == [
        "who serves which queue: agents with the skill of the same name, as no file says it; in queues without such a "
        "skill, agents who answered there; 1 agents besides who answered a twentieth or more of the contacts of a queue"
    ]
    few = answered(("billing", "a", 96), ("billing", "c", 4))
    found = members(AGENTS, few, ["billing"], Notes())
    assert found is not None
    assert found["agent_id"].to_list() == ["a", "b"]


def test_nothing_tells_nothing() -> None:
    assert members(AGENTS.drop("skills"), answered(("billing", None, 3)), ["billing"], Notes()) is None


def spell(agent: str, media: str, start_s: float, end_s: float) -> tuple[str, str, datetime, datetime]:
    day = datetime(2026, 3, 2)
    return agent, media, day + timedelta(seconds=start_s), day + timedelta(seconds=end_s)


def services(*rows: tuple[str, str, datetime, datetime]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["agent_id", "media", "start_at", "end_at"], orient="row")


def test_as_many_chats_at_once_as_the_log_shows() -> None:
    # Two at once for 100 of 600 s; three for 1 s, which is under a hundredth of the time; calls overlap by mistake.
    found = capacity(
        services(
            spell("a", "chat", 0, 300), spell("a", "chat", 200, 500), spell("a", "chat", 299, 300),
            spell("b", "chat", 500, 700), spell("a", "voice", 0, 100), spell("a", "voice", 50, 150),
        ),
        Notes(),
    )  # fmt: skip
    assert found is not None
    assert {entry["media"]: entry["count"] for entry in found} == {
        "voice": 1, "chat": 2, "email": 1, "message": 1, "callback": 1
    }  # fmt: skip


def test_what_is_usual_is_left_to_the_default() -> None:
    four = [spell("a", "chat", n, 100 + n) for n in range(4)]
    assert capacity(services(*four), Notes()) is None


def test_rows_in_order_stay_and_others_are_sorted_by_arrival_and_id() -> None:
    early, late = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    rows = pl.DataFrame({"arrived_at": [early, late, late], "interaction_id": ["z", "b", "a"]})
    assert in_order(rows)["interaction_id"].to_list() == ["z", "a", "b"]
    assert in_order(rows[::-1])["interaction_id"].to_list() == ["z", "a", "b"]
    assert in_order(rows[[0, 2, 1]])["interaction_id"].to_list() == ["z", "a", "b"]
