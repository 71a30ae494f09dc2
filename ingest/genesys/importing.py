"""Genesys Cloud to a snapshot: read what is missing, then put it together; cut off at any moment, it goes on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path

from engine.errors import CorruptSnapshot, InvalidScenario, MissingInput, SnapshotExists
from engine.typing import Progress
from ingest.files.cells.time_cells import check_time_zone
from ingest.genesys.collecting.assembling import Assembly, Collected
from ingest.genesys.collecting.parts import Freshness, Part, PartStore
from ingest.genesys.collecting.reading import JOBS, DayReader, Refused, answered
from ingest.genesys.collecting.running import Workers
from ingest.genesys.collecting.today import Today, choose_queues, read_today, with_agents
from ingest.genesys.collecting.wanted import Wanted, check_span, less_than
from ingest.genesys.collecting.writing import source_of, write
from ingest.platform.errors import PlatformError
from ingest.platform.jobs import availability
from ingest.platform.pages import Reader
from ingest.snapshot import private
from ingest.snapshot import store as stores
from ingest.snapshot.manifest import Manifest
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.writing import SnapshotWriter

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
class Done:
    """What a run came to."""

    manifest: Manifest  # Of the snapshot as it stands now
    changed: bool  # False where the snapshot was the same already and was left alone
    parts_read: int  # Parts that this run read. [count]


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
    MissingInput
        If there is no interaction in these days.
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
    check_time_zone(wanted.span.time_zone)
    check_span(wanted.span, means.now())
    if not wanted.queues:
        raise InvalidScenario(
            "no queue is named; give --queue NAME, once for each ('routelab genesys check' lists them)"
        )
    _refuse_other(store, name, wanted, replace)
    private.make_folder(store)
    parts = PartStore(stores.companion(store, name))
    with parts.locked():
        try:
            return _Run(store, name, wanted, means, replace, tell, parts).go()
        except PlatformError as error:
            error.add_note(
                f"what was read, if anything, is kept in {parts.folder}; the same command goes on from there"
            )
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
        state, host = self.parts.state(), self.means.host
        known, found = state.get("organisation"), today.organisation
        # Where the platform does not name the organisation its address must do.
        is_other = known != found if known and found else state.get("host", host) != host
        if is_other:
            raise SnapshotExists(
                f"snapshot {self.name!r} is being read from another organisation; choose another --name, or remove "
                f"{self.parts.folder}"
            )
        self.parts.remember(organisation=found or known, host=host)

    def _read_days(self, today: Today) -> int:
        """Read the queues of all days first: whoever answered on any of them is an agent on all of them."""
        now, started = self.means.now(), self._started()
        fresh = Freshness(now, started, self.wanted.refresh_days, availability(self.reader, JOBS))
        days = DayReader(
            self.reader, self.parts, fresh, today.queue_ids, self.refused, self.means.now, self.workers.sleep,
            self.means.clock, self.means.job_deadline_s,
        )  # fmt: skip
        have = self._parts_by_day()
        n_read = self._each_day("read queues, days", lambda day: days.read_queues(day, have[day]))
        known = self._parts_by_day()
        agent_ids = sorted({*today.agent_ids, *answered(chain.from_iterable(known.values()), today.queue_ids)})
        return n_read + self._each_day("read agents, days", lambda day: days.read_agents(day, known[day], agent_ids))

    def _parts_by_day(self) -> dict[date, list[Part]]:
        have: dict[date, list[Part]] = {day: [] for day in self.wanted.span.utc_days()}
        for part in self.parts.parts():
            if part.day in have:
                have[part.day].append(part)
        return have

    def _each_day(self, step: str, read: Callable[[date], int]) -> int:
        days = self.wanted.span.utc_days()
        counts: dict[date, int] = {}

        def read_one(day: date) -> None:
            counts[day] = read(day)

        self.tell(step, 0, len(days))
        self.workers.run(read_one, days, lambda day: self.tell(step, len(counts), len(days)))
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
        if not found.arrivals:
            raise MissingInput(
                "the chosen queues have no interaction in these days, so no snapshot is written; 'routelab genesys "
                "check' shows the days that hold any"
            )
        source = source_of(self.wanted, today, self.means.host)
        zone = self.wanted.span.time_zone
        with SnapshotWriter(self.store, self.name, source=source, time_zone=zone, replace=True) as writer:
            write(writer, assembly, found, today, self.wanted, self._key())
            _refuse_other(self.store, self.name, self.wanted, self.replace)
            return writer.commit_if_changed()

    def _key(self) -> bytes | None:
        """What codes of agents are made with, the same in every run; None where none are wanted."""
        if not self.wanted.pseudonymise:
            return None
        key = self.parts.state().get("key") or secrets.token_hex(32)
        self.parts.remember(key=key)
        return bytes.fromhex(key)


def _refuse_other(store: Path, name: str, wanted: Wanted, replace: bool) -> None:
    """What came from elsewhere, or holds more than is wanted now, is not replaced unless the user says so."""
    try:
        stores.refuse_existing(store, name, replace)
    except SnapshotExists:
        with suppress(CorruptSnapshot):
            before = read_manifest(store / name)
            if before.source.get("kind") == "genesys":
                if lost := less_than(before, wanted):
                    raise SnapshotExists(
                        f"snapshot {name!r} holds more than this: {lost}; ask for all of it again, choose another "
                        "--name, or add --replace"
                    ) from None
                return
        raise
