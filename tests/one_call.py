"""One call, and an agent for every way to be chosen or to lose."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from engine.data.checks import check
from engine.data.tables import Tables

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def level(name: str, proficiency: float) -> list[dict[str, object]]:
    return [{"name": name, "proficiency": proficiency}]


def centre() -> Tables:
    """One interaction that needs tech in English, and an agent for every way to lose."""
    rows = [
        ("ann", level("tech", 5.0), level("en", 5.0), 10.0, None),
        ("bea", level("tech", 5.0), level("en", 5.0), 20.0, None),
        ("cal", level("tech", 5.0), level("en", 5.0), 10.0, NOON),
        ("dan", level("tech", 4.0), level("en", 5.0), 0.0, None),
        ("eve", level("tech", 1.0), level("fr", 5.0), 0.0, None),
        ("fay", level("tech", 5.0), level("en", 5.0), 0.0, None),
        ("gus", level("tech", 5.0), level("en", 5.0), 10.0, None),
    ]
    columns = ["agent_id", "skills", "languages", "queue_time_s", "idle_since"]
    agents = check("agents", pl.DataFrame(rows, columns, orient="row"))
    members = pl.DataFrame({"queue_id": ["q"] * 6, "agent_id": ["ann", "bea", "cal", "dan", "eve", "gus"]})
    call = {"interaction_id": ["i"], "queue_id": ["q"], "arrived_at": [NOON], "skills": [["tech"]], "language": ["en"]}
    return Tables(agents, check("interactions", pl.DataFrame(call)), members=check("members", members))
