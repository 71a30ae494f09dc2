"""A small organisation behind the double, and a client that waits in a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from threading import Lock

import polars as pl

from ingest.double import Double, Organisation, organisation
from ingest.genesys import Means, Scale, Span, Wanted
from ingest.platform.client import Client
from ingest.platform.credentials import Credentials
from ingest.platform.limiter import Limiter
from ingest.platform.network import Timeouts
from ingest.platform.retry import Patience

NOW = datetime(2026, 2, 1, tzinfo=UTC)


@cache
def small() -> Organisation:
    """Two days, a dozen agents, two queues and all oddities."""
    return organisation(agents=12, days=2, seed=3, interactions=240, queues=2)


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now_s: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def time(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now_s += seconds


def client_for(double: Double, clock: Clock, sleep: Callable[[float], None] | None = None) -> Client:
    """A client with short time-outs and much patience."""
    return Client(
        Credentials.of("demo", "demo", double.url), timeouts=Timeouts(connect_s=1.0, read_s=0.25),
        patience=Patience(attempts=12, total_s=3600), limiter=Limiter(clock=clock.time, sleep=clock.sleep),
        clock=clock.time, sleep=sleep or clock.sleep,
    )  # fmt: skip


def means_for(double: Double, *, threads: int = 2, now: datetime = NOW) -> Means:
    """Means of reading a double."""
    clock = Clock()
    return Means(
        lambda sleep: client_for(double, clock, sleep), "double", now=lambda: now, threads=threads,
        clock=clock.time, sleep=clock.sleep,
    )  # fmt: skip


def wanted_for(made: Organisation, *queues: str, scale: Scale | None = None, **more: object) -> Wanted:
    """All days of an organisation and all its queues, or some."""
    day_ms = 86_400_000
    span = Span(day_of(made.start_ms // day_ms), day_of(made.end_ms // day_ms - 1))
    names = queues or tuple(made.tables.queues["queue_name"])
    return Wanted(names, span, scale=scale or Scale(), **more)  # type: ignore[arg-type]


def day_of(number: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + number)


def content(folder) -> dict[str, bytes]:
    """All files of a snapshot but the time of its making."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = [line for line in found.pop("manifest.json").decode().splitlines() if '"created"' not in line]
    return found | {"manifest.json": "\n".join(manifest).encode()}


def same(left: pl.DataFrame, right: pl.DataFrame, *columns: str) -> None:
    """Both frames hold the same rows in these columns."""
    rows = [sorted(str(tuple(map(_ordered, row))) for row in frame.select(columns).rows()) for frame in (left, right)]
    assert rows[0] == rows[1]


def _ordered(value: object) -> object:
    """Lists of skills and languages stand in no order."""
    return sorted(value, key=str) if isinstance(value, list) else value
