"""A case of a workload as a snapshot, and its bytes read and written plainly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from benchmarks.centres import names
from benchmarks.measure import clock_s
from benchmarks.workloads import Block, Case
from ingest.snapshot.writing import SnapshotWriter

PIECE = 1 << 22


def write_snapshot(case: Case, store: Path, name: str) -> Path:
    """Write a case as a snapshot, a block at a time."""
    source = {"kind": "benchmark", "workload": case.workload.name}
    with SnapshotWriter(store, name, source=source, time_zone="UTC") as writer:
        for table, frame in case.tables:
            if table != "interactions" and frame.height:
                writer.add(table, frame)
        writer.made_up("surveys")
        for block in case.blocks():
            writer.add_interactions(frame_of(case, block))
        writer.commit()
    return store / name


def frame_of(case: Case, block: Block) -> pl.DataFrame:
    """A block as columns of the interactions table."""
    answered = pl.Series(block.agent >= 0)
    agent_id = pl.Series(names("agent", case.workload.size.n_agents))
    return pl.DataFrame(
        {
            "interaction_id": pl.Series(block.ids()),
            "queue_id": case.call_types["queue_id"].gather(block.call_type),
            "arrived_at": pl.Series(block.arrived_us).cast(pl.Datetime("us", "UTC")),
            "skills": case.call_types["skills"].gather(block.call_type),
            "language": case.call_types["language"].gather(block.call_type),
            "outcome": pl.Series(["abandoned", "answered"]).gather(answered.cast(pl.UInt32)),
            "agent_id": pl.Series([*agent_id, None]).gather(pl.Series(block.agent).replace(-1, len(agent_id))),
            "handle_s": pl.Series(block.handle_s, nan_to_null=True),
        }
    )


def read_plainly(paths: Iterable[Path]) -> None:
    """Read every byte of some files and keep none."""
    room = bytearray(PIECE)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while file.readinto(room):
                pass


def write_plainly_s(path: Path, n_bytes: int) -> float:
    """Write so many bytes to a file, say how long that took, and remove it. [s]"""

    def work() -> None:
        piece = memoryview(bytes(PIECE))
        with path.open("wb", buffering=0) as file:
            for start in range(0, n_bytes, PIECE):
                file.write(piece[: n_bytes - start])

    took_s = clock_s(work)
    path.unlink()
    return took_s


def files_in(folder: Path) -> list[Path]:
    """All files of a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
