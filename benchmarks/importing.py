"""How fast files become checked tables, from their text on, beside polars reading the same text as texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measure import clock_s
from benchmarks.phases import Job
from ingest.exports.inspection import inspect
from ingest.exports.shaping import shape
from ingest.files.gathering import gather
from ingest.files.reading import Reading
from ingest.sheets import read_sheets

PHASE = "import"
# By our own names of columns, or by a profile.
WORKLOADS = {"files": False, "exports": True}
SEED, N_DAYS, N_AGENTS, N_QUEUES, ABANDONED_SHARE, MEAN_HANDLE_S = 7, 90, 300, 20, 0.1, 240.0
ZONE = "UTC"
# A dozen columns as another system calls and writes them; one of them is never stored.
THEIRS = {
    "Conversation ID": "interaction_id", "Queue": "queue_id", "Date": "arrived_at", "Media Type": "media",
    "Skills": "skills", "Language": "language", "Priority": "priority", "Disposition": "outcome", "Users": "agent_id",
    "Total Queue": "wait_s", "Total Handle": "handle_s", "ANI": "phone",
}  # fmt: skip


def files(n: int, is_export: bool, folder: Path) -> Job:
    """Files to the tables that an import would write."""
    interactions, agents = folder / "interactions.csv", folder / "agents.csv"
    _written(n, is_export).write_csv(interactions)
    held = {"skills": "billing:5;tech:3;sales:4;retention:2", "languages": "en:5;de:3;fr:4"}
    pl.DataFrame({"agent_id": _agents()}).with_columns(**{name: pl.lit(cell) for name, cell in held.items()}).write_csv(
        agents
    )
    read = _by_profile(interactions, agents) if is_export else _by_name(interactions, agents)
    return Job(
        lambda: clock_s(read),
        lambda: clock_s(lambda: pl.read_csv(interactions, infer_schema=False)),
        "polars reading texts",
        is_replay=True,
    )


def _by_name(interactions: Path, agents: Path) -> Callable[[], object]:
    given = {"agents": agents, "interactions": interactions}
    return lambda: gather(given, Reading.of(ZONE), lambda step, done, total: None)


def _by_profile(interactions: Path, agents: Path) -> Callable[[], object]:
    """With the profile at hand, as in every month but the first."""
    names = [str(interactions), str(agents)]
    profile = inspect(read_sheets(names), time_zone=ZONE).profile

    def read() -> object:
        shaped = shape(profile, read_sheets(names), time_zone=ZONE)
        return gather(shaped.tables, Reading.of(ZONE), lambda step, done, total: None)

    return read


def _agents() -> list[str]:
    return [f"a{number:04}" for number in range(N_AGENTS)]


def _written(n: int, is_export: bool) -> pl.DataFrame:
    """Interactions in order, a dozen columns of texts."""
    rng = np.random.default_rng([SEED, n])
    us = pl.Series(np.sort(rng.integers(0, N_DAYS * 86_400, n))) * 1_000_000
    arrived = us.cast(pl.Duration("us")) + datetime(2026, 1, 1)
    left = rng.random(n) < ABANDONED_SHARE
    handle_s, acw_s, wait_s = (rng.exponential(mean, n).astype(int) for mean in (MEAN_HANDLE_S, 30.0, 30.0))
    frame = pl.DataFrame(
        {
            "interaction_id": pl.Series(np.arange(n)).cast(pl.String).str.zfill(10),
            "queue_id": _drawn([f"queue-{number:02}" for number in range(N_QUEUES)], n, rng),
            "arrived_at": arrived,
            "media": _drawn(["voice"] * 9 + ["chat"], n, rng),
            "skills": _drawn(["billing", "tech", "sales;tech", "billing;retention"], n, rng),
            "language": _drawn(["en", "de", "fr"], n, rng),
            "priority": _drawn(["0", "1", "5"], n, rng),
            "outcome": np.where(left, "abandoned", "answered"),
            "agent_id": _drawn(_agents(), n, rng).set(pl.Series(left), None),
            "wait_s": wait_s,
            "handle_s": pl.Series(handle_s).set(pl.Series(left), None),
            "acw_s": pl.Series(acw_s).set(pl.Series(left), None),
        }
    )
    if not is_export:
        return frame.with_columns(pl.col("arrived_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    lengths = [pl.from_epoch(name, "s").dt.strftime("%H:%M:%S").alias(name) for name in ("wait_s", "handle_s")]
    phone = (pl.int_range(pl.len()) + 49_711_000_000).cast(pl.String)
    frame = frame.with_columns(pl.col("arrived_at").dt.strftime("%d.%m.%Y %H:%M:%S"), *lengths, phone="+" + phone)
    return frame.select(pl.col(ours).alias(theirs) for theirs, ours in THEIRS.items())


def _drawn(texts: list[str], n: int, rng: np.random.Generator) -> pl.Series:
    return pl.Series(texts).gather(rng.integers(0, len(texts), n))
