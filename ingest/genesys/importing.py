"""Genesys Cloud to a snapshot: read what is missing, then put it together; cut off at any moment, it goes on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import CorruptSnapshot, InvalidScenario, SnapshotExists
from ingest import store as stores
from ingest.files import pseudonyms
from ingest.files.time_cells import check_time_zone
from ingest.genesys import crosscheck
from ingest.genesys.assembling import Assembly, Collected
from ingest.genesys.notes import ASSUMPTIONS, DEPARTED, NO_PRESENCE
from ingest.genesys.parts import STATUS, PartStore
from ingest.genesys.plan import Freshness
from ingest.genesys.reading import JOBS, DayReader, Refused
from ingest.genesys.running import Workers
from ingest.genesys.scale import Scale
from ingest.genesys.span import Span, check_span
from ingest.genesys.today import Today, choose_queues, read_today, with_agents
from ingest.jobs import availability
from ingest.manifest import Manifest, read_manifest
from ingest.pages import Reader
from ingest.platform_errors import PlatformError
from ingest.snapshot_writer import SnapshotWriter

Progress = Callable[[str, int, int], None]
# A run that was cut off goes on for so long before its last days are read once more.
GOES_ON = timedelta(hours=12)
THREADS = 4
# Months of conversations are millions of small objects that live for a moment. Looking through all of them for cycles
# as often as usual takes a third of the time of parsing; commands that read set the collector to these thresholds.
RARELY = (100_000, 50, 50)
JOB_DEADLINE_S = 1800.0


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Wanted:
    """What a snapshot should hold.

    Parameters
    ----------
    queues : tuple of str
        Names or ids of queues.
    span : Span
        Days.
    refresh_days : int
        Days that every run reads again after they end, for late surveys.
    scale : Scale
        Of survey scores.
    pseudonymise : bool
        Replace agent ids and names by codes.
    """

    queues: tuple[str, ...]
    span: Span
    refresh_days: int = 3
    scale: Scale = field(default_factory=Scale)
    pseudonymise: bool = False


@dataclass(frozen=True)
class Done:
    """What a run came to.

    Parameters
    ----------
    manifest : Manifest
        Of the snapshot as it stands now.
    changed : bool
        False where the snapshot was the same already and was left alone.
    parts_read : int
        Parts that this run read. [count]
    """

    manifest: Manifest
    changed: bool
    parts_read: int


@dataclass(frozen=True)
class Means:
    """How a run reads; tests put other clocks and fewer threads here.

    Parameters
    ----------
    reader : callable
        Makes the reader of the platform from a function that waits.
    host : str
        Of the platform, for the manifest.
    now : callable
        The time, with a zone.
    threads : int
        Days read at once.
    job_deadline_s : float
        Longest wait for one job. [s]
    clock : callable
        Seconds, for that wait.
    sleep : callable, optional
        Waits instead of the clock, in tests.
    """

    reader: Callable[[Callable[[float], None]], Reader]
    host: str
    now: Callable[[], datetime] = utc_now
    threads: int = THREADS
    job_deadline_s: float = JOB_DEADLINE_S
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] | None = None


def import_genesys(
    store: Path, name: str, wanted: Wanted, means: Means, *, replace: bool = False, progress: Progress | None = None
) -> Done:
    """Read chosen queues and days into a snapshot, or bring it up to date.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the snapshot; one that was read from the same organisation is brought up to date.
    wanted : Wanted
        Queues and days.
    means : Means
        How to read.
    replace : bool
        Whether another snapshot of this name may be replaced.
    progress : callable, optional
        Told the step, how much is done, and of how much.

    Returns
    -------
    Done
        With the manifest.

    Raises
    ------
    InvalidScenario
        If the days or the time zone cannot be used.
    InvalidTable
        If the scale of survey scores cannot be told.
    NotWritable
        If another run is reading into this snapshot.
    PlatformError
        If the platform cannot be read; what was read is kept.
    SnapshotExists
        If the name is taken by something else.
    UnknownName
        If there is no such queue.
    """
    tell: Progress = progress or (lambda step, done, total: None)
    store = Path(store)
    stores.check_name(name)
    check_span(wanted.span, means.now())
    check_time_zone(wanted.span.time_zone)
    if not wanted.queues:
        raise InvalidScenario(
            "no queue is named; give --queue NAME, once for each ('routelab genesys check' lists them)"
        )
    _refuse_other(store, name, replace)
    stores.make_folder(store)
    parts = PartStore(stores.companion(store, name))
    with parts.locked():
        try:
            return _Run(store, name, wanted, means, replace, tell, parts).go()
        except PlatformError as error:
            error.add_note(f"what was read so far is kept in {parts.folder}; the same command goes on from there")
            raise


class _Run:
    """One run: settings, days, snapshot."""

    def __init__(
        self, store: Path, name: str, wanted: Wanted, means: Means, replace: bool, tell: Progress, parts: PartStore
    ) -> None:
        self.store, self.name, self.wanted, self.means, self.replace = store, name, wanted, means, replace
        self.tell, self.parts = tell, parts
        self.workers = Workers(means.threads, means.sleep)
        self.reader = means.reader(self.workers.sleep)
        self.refused = Refused()

    def go(self) -> Done:
        today = read_today(self.reader, choose_queues(self.reader, self.wanted.queues), self.tell)
        self._check_organisation(today)
        n_read = self._read_days(today)
        assembly = Assembly(self.parts.parts(), today.queue_ids, self.wanted.span)
        found = assembly.collect(self.tell)
        today = with_agents(self.reader, today, found.answered["agent_id"].to_list(), self.tell)
        manifest, changed = self._write(assembly, found, today)
        self.parts.remember(run_started=None)
        return Done(manifest, changed, n_read)

    def _check_organisation(self, today: Today) -> None:
        known = self.parts.state().get("organisation")
        found = today.organisation or self.means.host
        if known not in {None, found}:
            raise SnapshotExists(
                f"snapshot {self.name!r} is being read from another organisation; choose another --name, or remove "
                f"{self.parts.folder}"
            )
        self.parts.remember(organisation=found)

    def _read_days(self, today: Today) -> int:
        fresh = Freshness(self._started(), self.wanted.refresh_days, availability(self.reader, JOBS))
        days = self.wanted.span.utc_days()
        have = self.parts.parts()
        day_reader = DayReader(
            self.reader, self.parts, fresh, today.queue_ids, today.agent_ids, self.refused, self.means.now,
            self.workers.sleep, self.means.clock, self.means.job_deadline_s,
        )  # fmt: skip
        by_day = {day: [part for part in have if part.day == day] for day in days}
        counts: dict[date, int] = {}

        def read(day: date) -> None:
            counts[day] = day_reader.read(day, by_day[day])

        self.tell("read days", 0, len(days))
        self.workers.run(read, days, lambda day: self.tell("read days", len(counts), len(days)))
        return sum(counts.values())

    def _started(self) -> datetime:
        """Start of this run, or of the one that was cut off and goes on."""
        now = self.means.now()
        with suppress(TypeError, ValueError):
            started = datetime.fromisoformat(self.parts.state().get("run_started"))  # type: ignore[arg-type]
            if now - GOES_ON < started <= now:
                return started
        self.parts.remember(run_started=now.isoformat())
        return now

    def _write(self, assembly: Assembly, found: Collected, today: Today) -> tuple[Manifest, bool]:
        source = self._source(today)
        zone = self.wanted.span.time_zone
        with SnapshotWriter(self.store, self.name, source=source, time_zone=zone, replace=True) as writer:
            tables = _tables(assembly, found, today, self.wanted.scale)
            coded = self._codes(tables)
            for name, frame in tables.items():
                writer.add(name, coded(name, frame))
            for frame in assembly.interactions(found, today):
                writer.add_interactions(coded("interactions", frame))
            self._note(writer, assembly, found, today, tables)
            _refuse_other(self.store, self.name, self.replace)
            return writer.commit_if_changed()

    def _codes(self, tables: dict[str, pl.DataFrame]) -> Callable[[str, pl.DataFrame], pl.DataFrame]:
        if not self.wanted.pseudonymise:
            return lambda name, frame: frame
        key = self.parts.state().get("key") or secrets.token_hex(32)
        self.parts.remember(key=key)
        codes = pseudonyms.codes_of(pseudonyms.named(tables), bytes.fromhex(key))
        return lambda name, frame: pseudonyms.coded(name, frame, codes)

    def _source(self, today: Today) -> dict[str, Any]:
        span = self.wanted.span
        return {
            "kind": "genesys", "host": self.means.host, "organisation": today.organisation,
            "queues": [{"id": row[0], "name": row[1]} for row in today.queues.select("queue_id", "queue_name").rows()],
            "from": span.first.isoformat(), "to": span.last.isoformat(),
            "survey_scale": [self.wanted.scale.low, self.wanted.scale.high],
            "pseudonymised": self.wanted.pseudonymise,
        }  # fmt: skip

    def _note(
        self, writer: SnapshotWriter, assembly: Assembly, found: Collected, today: Today,
        tables: dict[str, pl.DataFrame],
    ) -> None:  # fmt: skip
        for sentence in (*ASSUMPTIONS, *today.notes):
            writer.assume(sentence)
        if STATUS in self.refused.kinds or "staffing" not in tables:
            writer.assume(NO_PRESENCE)
        counted = assembly.counted_by_platform("aggregates")
        if counted is None:
            writer.assume(crosscheck.NO_COUNTS)
        else:
            writer.assume(crosscheck.compare_offered(_within(counted, self.wanted.span), found.offered))
        surveys = assembly.counted_by_platform("surveys")
        if surveys is not None:
            writer.assume(crosscheck.compare_surveys(surveys, tables["surveys"].height))
        if n_left := _departed(found, today).height:
            writer.assume(DEPARTED.format(n=n_left))
        for label, n in sorted((today.counts | found.counts).items()):
            if n:
                writer.count(label, n)
        if self.wanted.pseudonymise:
            writer.assume(pseudonyms.ASSUMPTION_KEPT)


def _refuse_other(store: Path, name: str, replace: bool) -> None:
    """A snapshot that did not come from the platform is not replaced unless the user says so."""
    try:
        stores.refuse_existing(store, name, replace)
    except SnapshotExists:
        with suppress(CorruptSnapshot):
            if read_manifest(store / name).source.get("kind") == "genesys":
                return
        raise


def _tables(assembly: Assembly, found: Collected, today: Today, scale: Scale) -> dict[str, pl.DataFrame]:
    """All tables but interactions."""
    agents = pl.col("agent_id").is_in(today.agent_ids)
    surveys = pl.concat(found.surveys).unique("survey_id", keep="last", maintain_order=True).sort("survey_id")
    busy = pl.concat(found.busy).filter(agents).sort("agent_id", "start_at", "end_at", "why")
    tables = {
        "agents": today.agents,
        "queues": today.queues,
        "members": pl.concat([today.members, _departed(found, today)], how="diagonal").sort("queue_id", "agent_id"),
        "surveys": scale.applied(surveys),
        "busy": busy,
    }
    staffing = assembly.staffing().filter(agents)
    if staffing.height:
        tables["staffing"] = staffing
    counted = assembly.counted_by_platform("aggregates")
    if counted is not None:
        tables["aggregates"] = counted.sort("queue_id", "media", "start_at")
    return tables


def _departed(found: Collected, today: Today) -> pl.DataFrame:
    """Agents who answered a queue and are not its members any more."""
    return found.answered.join(today.members, on=["queue_id", "agent_id"], how="anti")


def _within(counted: pl.DataFrame, span: Span) -> pl.DataFrame:
    return counted.filter((pl.col("start_at") >= span.start) & (pl.col("start_at") < span.end))
