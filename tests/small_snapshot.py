"""The smallest snapshot of two days: agents and interactions, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from ingest.snapshot.writing import SnapshotWriter

START = datetime(2026, 3, 1, 22, tzinfo=UTC)


def agents(n: int = 3) -> pl.DataFrame:
    skills = [[{"name": "tech", "proficiency": float(i % 6)}] for i in range(n)]
    return pl.DataFrame({"agent_id": [f"a{i}" for i in range(n)], "skills": skills})


def interactions(n: int = 50, start: datetime = START) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "interaction_id": [f"i{i:04}" for i in range(n)],
            "queue_id": [f"q{i % 3}" for i in range(n)],
            "arrived_at": [start + timedelta(minutes=7 * i) for i in range(n)],
            "skills": [["tech", "billing"] if i % 4 else None for i in range(n)],
            "language": ["en" if i % 2 else None for i in range(n)],
            "priority": [float(i % 2) for i in range(n)],
            "agent_id": [f"a{i // 2 % 3}" if i % 3 else None for i in range(n)],
            "handle_s": [float(i) if i % 7 else None for i in range(n)],
        }
    )


def write(store: Path, name: str = "s", frames: list[pl.DataFrame] | None = None, **options: bool) -> str:
    with SnapshotWriter(store, name, source={"kind": "test"}, time_zone="UTC", **options) as writer:
        writer.add("agents", agents())
        for frame in [interactions()] if frames is None else frames:
            writer.add_interactions(frame)
        return writer.commit().id
