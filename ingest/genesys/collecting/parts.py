"""What has been read so far: one folder per part, complete or not there, beside the snapshot it is for.

A part is one kind of answer for one UTC day and some queues or agents. It holds parsed tables only, never
payloads. Nothing of it is lost when a run is cut off, and nothing of it is visible to readers of snapshots.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import CorruptSnapshot, NotWritable
from ingest.genesys.collecting.wanted import DAY, midnight
from ingest.snapshot import private
from ingest.snapshot.arrow_files import finish, write_frame

QUEUES, USERS, STATUS, AGGREGATES = "queues", "users", "status", "aggregates"
_ABOUT, _UNFINISHED = "part.json", ".unfinished"


@dataclass(frozen=True)
class Part:
    """One finished part."""

    day: date  # UTC day
    kind: str  # `QUEUES` or `USERS` (conversations of queues, of agents), `STATUS` or `AGGREGATES`
    ids: frozenset[str]  # Queues or agents that were asked for
    is_provisional: bool  # Whether conversations came from the synchronous query, since jobs did not cover the day yet
    read_at: datetime  # When reading began
    folder: Path  # Where it lies
    sha256: dict[str, str] = field(default_factory=dict, compare=False)  # Hash of each table's file

    def covers(self, other: Part) -> bool:
        """Whether this one says all that an earlier one says."""
        same = self.day == other.day and self.kind == other.kind and self.folder != other.folder
        return same and other.read_at <= self.read_at and other.ids <= self.ids

    def frame(self, name: str) -> pl.DataFrame:
        """One of its tables."""
        path = self.folder / f"{name}.arrow"
        remedy = f"remove {self.folder}, and the same command reads it again"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CorruptSnapshot(f"{path}: cannot be read ({error}); {remedy}") from error
        if hashlib.sha256(content).hexdigest() != self.sha256.get(name):
            raise CorruptSnapshot(f"{path}: is not what was written; {remedy}")
        return pl.read_ipc(io.BytesIO(content))


class PartStore:
    """The parts of one snapshot, and what must be remembered between runs.

    Only its owner may look inside, since agents' ids lie there as the platform has them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        private.make_folder(folder)
        # Made by an earlier version it may be open to others.
        folder.chmod(private.FOLDER)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out meanwhile; the lock goes with the process, however it ends."""
        handle = private.lock_file(self.folder / "lock")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise NotWritable(
                f"another run is reading into {self.folder}; wait for it, or choose another --name"
            ) from error
        try:
            self._tidy()
            yield
        finally:
            os.close(handle)

    def parts(self) -> list[Part]:
        """All finished parts, the one read first first."""
        return sorted(self._found("*"), key=lambda part: (part.read_at, part.day, part.kind, part.folder.name))

    def write(
        self, day: date, kind: str, ids: Iterable[str], read_at: datetime, frames: Mapping[str, pl.DataFrame],
        *, is_provisional: bool = False,
    ) -> Part:  # fmt: skip
        """Store a part, whole or not at all; parts of the same kind that it covers are removed."""
        name = f"{day}.{kind}.{read_at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        unfinished = self.folder / f"{name}{_UNFINISHED}"
        about = {
            "day": day.isoformat(), "kind": kind, "ids": sorted(ids), "is_provisional": is_provisional,
            "read_at": read_at.isoformat(),
        }  # fmt: skip
        try:
            with private.told_of(self.folder):
                private.new_folder(unfinished)
                self._fill(unfinished, frames, about)
                unfinished.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        private.sync(self.folder)
        written = _part(self.folder / name / _ABOUT)
        self._forget_covered(written)
        return written

    def _fill(self, folder: Path, frames: Mapping[str, pl.DataFrame], about: dict[str, Any]) -> None:
        for table, frame in frames.items():
            write_frame(folder / f"{table}.arrow", frame)
        entries = [finish(folder / f"{table}.arrow", folder, table, frame.height) for table, frame in frames.items()]
        hashes = {entry.table: entry.sha256 for entry in entries}
        private.write(folder / _ABOUT, json.dumps(about | {"sha256": hashes}).encode())
        private.sync(folder)

    def state(self) -> dict[str, Any]:
        """What was remembered by the last run; empty at first."""
        try:
            return dict(json.loads((self.folder / "job.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            raise CorruptSnapshot(
                f"{self.folder / 'job.json'}: cannot be read ({error}); remove {self.folder} to read everything again"
            ) from error

    def remember(self, **values: Any) -> None:
        """Store values for the next run beside those that are there."""
        private.replace(self.folder / "job.json", (json.dumps(self.state() | values, indent=1) + "\n").encode())

    def _found(self, pattern: str) -> list[Part]:
        abouts = self.folder.glob(f"{pattern}/{_ABOUT}")
        return [_part(about) for about in abouts if about.parent.suffix != _UNFINISHED]

    def _tidy(self) -> None:
        for path in self.folder.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(path)
        for path in self.folder.glob(".job.json.*.partial"):
            path.unlink()

    def _forget_covered(self, newer: Part) -> None:
        for part in self._found(f"{newer.day}.{newer.kind}.*"):
            if newer.covers(part):
                # Under a name that no reader takes for a part, in case removing is cut off.
                gone = part.folder.with_name(part.folder.name + _UNFINISHED)
                part.folder.rename(gone)
                shutil.rmtree(gone)


def _part(about: Path) -> Part:
    try:
        raw = json.loads(about.read_text(encoding="utf-8"))
        return Part(
            date.fromisoformat(raw["day"]), raw["kind"], frozenset(raw["ids"]), raw["is_provisional"],
            datetime.fromisoformat(raw["read_at"]).astimezone(UTC), about.parent, dict(raw["sha256"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptSnapshot(
            f"{about}: cannot be read ({error}); remove the folder {about.parent}, and the same command reads it again"
        ) from error


Frames = dict[str, pl.DataFrame]
_ID = "conversation_id"


def winners(lives: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The conversations of each reading that no later one holds.

    Examples
    --------
    >>> first, second = pl.DataFrame({"conversation_id": ["a", "b"]}), pl.DataFrame({"conversation_id": ["b"]})
    >>> [frame["conversation_id"].to_list() for frame in winners([first, second])]
    [['a'], ['b']]
    """
    none = pl.DataFrame(schema={_ID: pl.String, "reading": pl.UInt32})
    numbered = [frame.select(_ID, reading=pl.lit(number, pl.UInt32)) for number, frame in enumerate(lives)]
    last = pl.concat([none, *numbered]).group_by(_ID).agg(pl.col("reading").max())
    by_reading = last.partition_by("reading", as_dict=True, include_key=False)
    return [by_reading.get((number,), none.select(_ID)) for number in range(len(lives))]


def own(frame: pl.DataFrame, won: pl.DataFrame) -> pl.DataFrame:
    """Rows of a reading whose conversations count; rows of no conversation stay."""
    return frame.join(won, on=_ID, how="semi", maintain_order="left", nulls_equal=False).vstack(
        frame.filter(pl.col(_ID).is_null())
    )


def merged(readings: Sequence[Frames]) -> Frames:
    """Several readings, the oldest first, as one: every conversation as it was read last."""
    won = winners([frames["lives"] for frames in readings])
    return {
        name: pl.concat([own(frames[name], kept) for frames, kept in zip(readings, won, strict=True)])
        for name in readings[0]
    }


@dataclass(frozen=True)
class Freshness:
    """When a part may be kept as it is.

    Late surveys and after-call work change conversations that are over, so the last days are read again by
    every run, but only once by a run that was cut off and goes on.
    """

    now: datetime  # What was read later was read by a clock that went wrong, and does not count
    run_started: datetime  # Start of the run that goes on
    refresh_days: int  # Days after a day's end in which its conversations may still change
    available: datetime  # Up to when jobs cover conversations

    def keeps(self, part: Part) -> bool:
        """Whether a part need not be read again."""
        if part.read_at > self.now:
            return False
        if part.read_at >= self.run_started:
            return True
        day_end = midnight(part.day) + DAY
        if part.is_provisional and day_end <= self.available:
            return False
        return part.read_at >= day_end + timedelta(days=self.refresh_days)


def missing(parts: Iterable[Part], fresh: Freshness, day: date, kind: str, wanted: Iterable[str]) -> list[str]:
    """Ids that no finished part answers for."""
    of_kind = (part for part in parts if part.day == day and part.kind == kind)
    answered = [part.ids for part in of_kind if fresh.keeps(part)]
    return sorted(set(wanted).difference(*answered))
