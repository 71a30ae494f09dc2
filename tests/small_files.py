"""The smallest good files of every table, those of the sample, and how a bad one must be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidTable, MissingInput
from ingest.files import import_files

AGENTS = "agent_id,skills,languages\na1,billing:5;tech:3.5,en\na2,tech,en;fr\n"
INTERACTIONS = (
    "interaction_id,queue_id,arrived_at,skills,language,wait_s,handle_s\n"
    "i1,q1,2024-03-04T09:00:00Z,billing,en,3,200\n"
    "i2,q1,2024-03-04T09:00:05Z,tech,fr,0,150\n"
)
SURVEYS = "survey_id,agent_id,completed_at,score,scale_min,scale_max\ns1,a1,2024-03-04T10:00:00Z,4,1,5\n"
STAFFING = "agent_id,start_at,end_at\na1,2024-03-04T08:00:00Z,2024-03-04T16:00:00Z\n"
BUSY = "agent_id,start_at,end_at,why\na1,2024-03-04T10:00:00Z,2024-03-04T10:30:00Z,training\n"
MEMBERS = "queue_id,agent_id,ring,joined\nq1,a1,1,true\n"
QUEUES = "queue_id,evaluation_method,service_level_share\nq1,ALL,0.8\n"
FACTORS = "agent_id,skill,factor\na1,tech,1.2\n"
GOOD = {
    "agents": AGENTS, "interactions": INTERACTIONS, "surveys": SURVEYS, "staffing": STAFFING, "busy": BUSY,
    "members": MEMBERS, "queues": QUEUES, "handle_factors": FACTORS,
}  # fmt: skip

FOLDER = Path(__file__).parents[1] / "data" / "sample"
SAMPLE: dict[str, Any] = {
    table: FOLDER / f"{table}.csv" for table in ("agents", "members", "queues", "interactions", "surveys", "staffing")
}


def write(folder: Path, **contents: str | bytes) -> dict[str, Any]:
    """CSV files of the given tables, as arguments of `import_files`."""
    paths = {}
    for table, content in contents.items():
        paths[table] = folder / f"{table}.csv"
        paths[table].write_bytes(content if isinstance(content, bytes) else content.encode())
    return paths


def refused(store: Path, paths: dict[str, Any], **options: Any) -> list[str]:
    """The lines of the refusal; the store stays empty."""
    with pytest.raises((InvalidTable, MissingInput)) as caught:
        import_files(store, "bad", **paths, **options)
    assert not store.exists() or not list(store.iterdir())
    return str(caught.value).splitlines()


def says(line: str, wanted: str) -> bool:
    """Whether a line holds the parts of `wanted` in order; ` ... ` stands for anything."""
    at = 0
    for part in wanted.split(" ... "):
        at = line.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
