"""Snapshots opened once and kept; one that was replaced on disk is noticed and opened again."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.errors import NotReady
from api.http.serving.at_hand import may_wait
from api.http.serving.once import Once
from engine.data.arrays import Arrays
from engine.data.tables import TABLES, Tables
from engine.data.wall_time import span_of_days
from engine.errors import CorruptSnapshot, InvalidScenario, RoutingError, UnknownName
from engine.near import nearest
from engine.scoring.csat import CsatTable, csat_table
from ingest.snapshot import store as stores
from ingest.snapshot.manifest import FILE_NAME, Manifest
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.reading import Snapshot, open_named
from ingest.workers.memory import check_room_to_open

# A writing of a snapshot: device, inode, time and size of its manifest.
Mark = tuple[int, int, int, int]
KEPT_CSAT = 64
# Looked through in some tenths of a millisecond. [count]
FEW_SNAPSHOTS = 32


@dataclass(frozen=True)
class OpenSnapshot:
    """A snapshot with everything requests read from it."""

    snapshot: Snapshot  # Its files, mapped
    arrays: Arrays  # As the engine reads them
    _csat: Once[CsatTable] = field(default_factory=lambda: Once(KEPT_CSAT))

    @property
    def manifest(self) -> Manifest:
        """What the snapshot says of itself."""
        return self.snapshot.manifest

    @cached_property
    def zone(self) -> ZoneInfo:
        """Time zone of the centre."""
        try:
            return ZoneInfo(self.manifest.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CorruptSnapshot(
                f"snapshot {self.manifest.name}: time zone {self.manifest.time_zone!r} is not known; "
                "import the data again"
            ) from error

    @cached_property
    def queues(self) -> dict[str, int]:
        """Place of each queue."""
        return {name: place for place, name in enumerate(self.arrays.centre.queue_ids)}

    @cached_property
    def static(self) -> Tables:
        """All tables but interactions and what only replay reads."""
        names = ("agents", "members", "queues", "surveys", "staffing")
        return Tables(
            interactions=TABLES["interactions"].empty(),
            time_zone=self.manifest.time_zone,
            **{name: self.snapshot.table(name) for name in names},
        )

    def queue(self, queue_id: str) -> int:
        """Place of a queue; `UnknownName` tells the nearest ids, or that the queue has no agents."""
        place = self.queues.get(queue_id)
        if place is None:
            near = nearest(queue_id, self.queues)
            known = ", ".join(map(repr, list(self.queues)[:10])) or "none"
            hint = f"did you mean {near!r}?" if near else f"known: {known}"
            raise UnknownName(f"queue {queue_id!r} is not in snapshot {self.manifest.name!r}; {hint}")
        if not self.arrays.centre.member[place].any():
            raise UnknownName(
                f"queue {queue_id!r} of snapshot {self.manifest.name!r} has no agents; add members, or ask for another"
            )
        return place

    def window_us(self, first: date, last: date) -> tuple[int, int]:
        """Start and end, excluded, of some whole days in the time zone of the snapshot. [us since 1970, UTC]"""
        check_window(first, last)
        return span_of_days(first, last, self.zone.key)

    def csat(self, end_us: int) -> CsatTable:
        """Agent means over all surveys completed before an instant; the same table for the same instant."""
        centre = self.arrays.centre
        return self._csat.get(
            end_us,
            lambda: csat_table(centre.surveys.before(end_us), centre.n_agents, len(centre.queue_ids), as_of=False),
        )

    def age_s(self) -> float:
        """Seconds since the snapshot was written."""
        return age_s(self.manifest)


def check_window(first: date, last: date) -> None:
    """Refuse days that are the wrong way round."""
    if last < first:
        raise InvalidScenario(f"end_date {last} lies before start_date {first}; swap them")


def age_s(manifest: Manifest) -> float:
    """Seconds since a snapshot was written."""
    return (datetime.now(UTC) - datetime.fromisoformat(manifest.created)).total_seconds()


class OpenSnapshots:
    """The snapshots of a store, those last asked for kept open."""

    def __init__(self, store: Path, most: int) -> None:
        self.store = store.absolute()
        self._open: Once[OpenSnapshot] = Once(most)
        # Replaced as a whole, so that threads need not wait for one another.
        self._manifests: dict[str, tuple[Mark, Manifest | RoutingError]] = {}

    def get(self, name: str | None = None) -> OpenSnapshot:
        """A snapshot as it is on disk now (by default the newest), the same object until it is replaced."""
        if name is None:
            name = self.newest().name
        mark = self._mark(stores.check_name(name))
        if mark is None:
            near = nearest(name, stores.names(self.store))
            hint = f"did you mean {near!r}?" if near else "GET /snapshots lists them"
            raise UnknownName(f"snapshot {name!r} is not here; {hint}")
        return self._open.get((name, mark), lambda: self._opened(name))

    def newest(self) -> Manifest:
        """Manifest of the readable snapshot written last; `NotReady` if there is none."""
        known = self.known()
        readable = [manifest for _, manifest in known if isinstance(manifest, Manifest)]
        if not readable:
            unreadable = f"; {len(known)} cannot be read, GET /snapshots says why" if known else ""
            raise NotReady(
                f"there is no snapshot to read{unreadable}; make one with 'routelab snapshot synthetic --name demo' "
                "or import files with 'routelab snapshot files'"
            )
        return max(readable, key=lambda manifest: (manifest.created, manifest.name))

    def known(self) -> list[tuple[str, Manifest | RoutingError]]:
        """Name and manifest of every snapshot in the store, or why it cannot be read."""
        before, now = self._manifests, {}
        for name in self._names(before):
            mark = self._mark(name)
            kept = before.get(name)
            found = kept[1] if kept is not None and kept[0] == mark else self._read(name)
            if mark is not None and not isinstance(found, UnknownName):
                now[name] = (mark, found)
        self._manifests = now
        return [(name, found) for name, (_, found) in now.items()]

    def _names(self, before: Collection[str]) -> list[str]:
        names = stores.names(self.store)
        if len(names) > FEW_SNAPSHOTS:
            may_wait()
        if not names or not set(before) <= set(names):
            may_wait()
            # One may be on its way between two renames.
            with stores.settled(self.store):
                names = stores.names(self.store)
        return names

    def _read(self, name: str) -> Manifest | RoutingError:
        may_wait()
        try:
            stores.check_name(name)
            return stores.read_through(self.store, name, lambda folder: read_manifest(folder, name=name, shown=name))
        except (CorruptSnapshot, InvalidScenario, UnknownName) as error:
            return error

    def _opened(self, name: str) -> OpenSnapshot:
        check_room_to_open(f"opening snapshot {name!r}")
        snapshot = open_named(self.store, name)
        return OpenSnapshot(snapshot, snapshot.arrays())

    def _mark(self, name: str) -> Mark | None:
        # Most stand where their name says, and every request asks.
        with suppress(OSError, ValueError):
            return _mark_of(os.stat(f"{self.store}/{name}/{FILE_NAME}"))  # noqa: PTH116
        may_wait()
        try:
            return stores.read_through(self.store, name, _marked)
        except UnknownName:
            return None


def _marked(folder: Path) -> Mark:
    try:
        found = os.stat(folder / FILE_NAME)  # noqa: PTH116
    except FileNotFoundError:
        raise
    except OSError:
        # It may not be looked at, which reading it will tell.
        return (0, 0, 0, 0)
    return _mark_of(found)


def _mark_of(found: os.stat_result) -> Mark:
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
