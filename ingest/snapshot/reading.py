"""Snapshots as they are read: one folder of Arrow files and a manifest, pinned when opened.

A reader maps every file when it opens the snapshot, so it keeps what it opened even when the name is
replaced or deleted meanwhile.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import ipc

from engine.data.arrays import Arrays, Batch, Counted
from engine.data.carried import Carried
from engine.data.encode import encode_centre
from engine.data.history import History, history_of
from engine.data.provenance import Provenance
from engine.data.tables import MEDIA, OUTCOMES, TABLES, Tables
from engine.data.wall_time import DAY_US
from engine.errors import CorruptSnapshot
from engine.memory import of_opening
from engine.stopping import stoppable
from engine.typing import Int32Array
from ingest.snapshot import store as stores
from ingest.snapshot.arrow_files import numbers, read_plain, restore
from ingest.snapshot.examination.validation import Day, examine_day, examine_table
from ingest.snapshot.manifest import CODED, FileEntry
from ingest.snapshot.manifest_reading import day_of, read_manifest
from ingest.snapshot.pinned import RESTORE, Pinned, out_of
from ingest.workers import MEMORY, Memory


class Snapshot:
    """An opened snapshot: its manifest and all its files, mapped.

    Parameters
    ----------
    folder : Path
        The snapshot's folder.
    name : str, optional
        What it is called; by default as its folder is.
    shown : str, optional
        How errors call its folder; by default by its path.

    Raises
    ------
    CorruptSnapshot
        If a file is missing or does not belong to the manifest.
    LimitReached
        If the operating system opens or maps no more files.
    """

    def __init__(self, folder: Path, *, name: str | None = None, shown: str | None = None) -> None:
        self.folder, self._shown = folder, str(folder) if shown is None else shown
        try:
            # Everything is opened through the folder itself, so a rename in between cannot mix two writings.
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            raise
        except OSError as error:
            problem = CorruptSnapshot(f"{self._shown}: cannot be opened ({error.strerror})")
            raise out_of(error, self._shown) or problem from error
        try:
            self.manifest = read_manifest(folder, handle, name=name, shown=self._shown)
            self.texts = {column: pa.array(said, pa.string()) for column, said in self.manifest.dictionaries.items()}
            self._pinned = {entry.path: pinned for entry, pinned in self._opened(handle)}
        finally:
            os.close(handle)

    def table(self, name: str) -> pl.DataFrame:
        """A table with all its columns, texts decoded; empty where the snapshot has none.

        Parameters
        ----------
        name : str
            Key of `engine.data.tables.TABLES`.

        Returns
        -------
        polars.DataFrame
            Its rows; interactions in order of arrival.
        """
        frames = [read_plain(reader.read_all()) for _, reader in in_order(self.files_of(name))]
        return restore(name, pl.concat(frames)) if frames else TABLES[name].empty()

    def tables(self) -> Tables:
        """All tables in memory."""
        return Tables.of({name: self.table(name) for name in TABLES}, self.manifest.time_zone)

    def arrays(self, memory: Memory = MEMORY) -> Arrays:
        """Dense arrays for the engine; interactions are read from the mapped files as they are asked for.

        Parameters
        ----------
        memory : Memory
            Has to have room for them.

        Returns
        -------
        Arrays
            Of a whole snapshot.

        Raises
        ------
        NotEnoughMemory
            If a few rows name so many agents, queues and skills that their relations do not fit.
        """
        call_types = self.raw("call_types")
        surveys = self.raw("surveys")
        # What the platform counted is compared with, and calculated from by nobody.
        frames = {name: self.table(name) for name in TABLES if name not in {"interactions", "surveys", "aggregates"}}
        tables = Tables.of(frames | {"surveys": surveys}, self.manifest.time_zone)
        memory.check(of_opening(tables, call_types))
        centre = encode_centre(tables, call_types)
        if (centre.queue < 0).any():
            raise CorruptSnapshot(f"{self._shown}: call_types names a queue that queues has not; import the data again")
        agent = {name: i for i, name in enumerate(centre.agent_ids)}
        recorded = np.array([agent.get(text, -1) for text in self.manifest.dictionaries.get("agent_id", ())], np.int32)
        texts = self.manifest.dictionaries.get("media", [])
        media = None if set(texts) <= {"voice"} else np.array([MEDIA.index(text) for text in texts], np.int8)
        files = self.files_of("interactions")

        def batches() -> Iterator[Batch]:
            for pinned, reader in in_order(files):
                for number in range(reader.num_record_batches):
                    yield _batch(reader.get_batch(number), recorded, media)
                # A year of days passes by in the memory of one.
                pinned.let_go()

        def history(first_day: float = -math.inf, last_day: float = math.inf) -> History:
            entries = [entry for entry in self.manifest.files if entry.table == "interactions"]
            some = [self._pinned[entry.path] for entry in entries if first_day <= _utc_day(entry) <= last_day]
            read = [_codes(reader.read_all()) for _, reader in in_order(some)]
            nothing = TABLES["interactions"].empty().drop(CODED).with_columns(call_type=pl.lit(0, pl.Int32))
            rows = pl.from_arrow(pa.concat_tables(read)) if read else nothing
            assert isinstance(rows, pl.DataFrame)
            texts = self.manifest.dictionaries
            media, outcome = (
                _looked_up(rows, name, [names.index(text) for text in texts.get(name, ())], names.index(default))
                for name, names, default in (("media", MEDIA, "voice"), ("outcome", OUTCOMES, "unknown"))
            )
            agent = _looked_up(rows, "agent_id", recorded, -1)
            plain = restore("interactions", rows.drop(CODED, strict=False))
            if "used_routing" in rows.columns:
                names = texts["used_routing"]
                routing = pl.Series(names, dtype=pl.Enum(names)).gather(rows["used_routing"])
                plain = plain.with_columns(used_routing=routing)
            named = _looked_up(rows, "agent_id", np.ones_like(recorded), 0).astype(bool)
            return history_of(plain, rows["call_type"], media.astype(np.int8), outcome.astype(np.int8), agent, named)

        return Arrays(centre, batches, self._summary(files), history, self._counted(), history)

    def _counted(self) -> Counted:
        """Rows by day, as the manifest has them."""
        days = sorted((_utc_day(entry), entry.rows) for entry in self.manifest.files if entry.table == "interactions")
        n_media = max(1, len(self.manifest.dictionaries.get("media", [])))
        day, rows = np.array(days, np.int64).reshape(-1, 2).T
        return Counted(day, rows, n_media)

    def _summary(self, interactions: list[Pinned]) -> Provenance:
        """What a report says about the snapshot; scores that an earlier version stored without a scale are told."""
        summary = self.manifest.summary()
        # All files have the same columns, so the first tells whether the others need to be opened now.
        if self.manifest.schema_version > 1 or not any(
            "csat" in file.reader().schema.names for file in interactions[:1]
        ):
            return summary
        unscaled = Carried(TABLES["surveys"].empty(), n_without_scale=sum(map(_n_scores, interactions)))
        return replace(summary, assumptions=[*summary.assumptions, *unscaled.said()])

    def raw(self, name: str) -> pl.DataFrame:
        """A table of one file as it is stored."""
        files = self.files_of(name)
        return read_plain(files[0].reader().read_all()) if files else TABLES[name].empty()

    def files_of(self, name: str) -> list[Pinned]:
        """Files of a table, in order."""
        return [self._pinned[entry.path] for entry in self.manifest.files if entry.table == name]

    def _opened(self, handle: int) -> Iterator[tuple[FileEntry, Pinned]]:
        """All files, each in the folder that is open or in its folder of days; no descriptor is kept."""
        with ExitStack() as stack:
            folders = {"": handle}
            for entry in self.manifest.files:
                place, _, _ = entry.path.rpartition("/")
                shown = f"{self._shown}/{entry.path}"
                try:
                    if place not in folders:
                        folders[place] = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
                        stack.callback(os.close, folders[place])
                    yield entry, self._pin(entry, folders[place], shown)
                except (OSError, ValueError) as error:
                    limit = out_of(error, shown) if isinstance(error, OSError) else None
                    why = error.strerror if isinstance(error, OSError) else error
                    raise limit or CorruptSnapshot(f"{shown}: cannot be read ({why}); {RESTORE}") from error

    def _pin(self, entry: FileEntry, folder: int, shown: str) -> Pinned:
        n_call_types = sum(one.rows for one in self.manifest.files if one.table == "call_types")
        if entry.table == "interactions":
            examine = partial(examine_day, said=self._day(entry, n_call_types))
        else:
            examine = partial(examine_table, name=entry.table, rows=entry.rows, n_call_types=n_call_types)
        is_copied = entry.table != "interactions"
        return Pinned(entry, folder, self.folder / entry.path, shown, examine, is_copied=is_copied)

    def _day(self, entry: FileEntry, n_call_types: int) -> Day:
        """What the manifest says of a day; the first and the last hold the ends of its interval."""
        days = [one.path for one in self.manifest.files if one.table == "interactions"]
        ends = {days[0]: "start"}, {days[-1]: "end"}
        first_us, last_us = (_epoch_us(self.manifest.interval.get(end.get(entry.path, ""))) for end in ends)
        return Day(entry.rows, _utc_day(entry), n_call_types, self.texts, first_us, last_us)


def _epoch_us(at: str | None) -> int | None:
    since = None if at is None else datetime.fromisoformat(at) - datetime(1970, 1, 1, tzinfo=UTC)
    return None if since is None else since // timedelta(microseconds=1)


def _utc_day(entry: FileEntry) -> int:
    """UTC day whose interactions a file holds, since 1970-01-01."""
    return (day_of(entry) - date(1970, 1, 1)).days


def _n_scores(file: Pinned) -> int:
    reader = file.reader()
    batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
    return sum(batch.num_rows - batch.column("csat").null_count for batch in batches)


@contextmanager
def _ended() -> Iterator[Event]:
    """An event that is set when the block ends, however it does."""
    event = Event()
    try:
        yield event
    finally:
        event.set()


def _check(pinned: Pinned, over: Event) -> None:
    with stoppable(over.is_set):
        pinned.check()


def in_order(files: list[Pinned]) -> Iterator[tuple[Pinned, ipc.RecordBatchFileReader]]:
    """Files in order, each compared with its hash before it is read, by another thread one file ahead."""
    schema = None
    # Whoever reads no further, because of an error or an interrupt, does not wait for the file ahead.
    with ThreadPoolExecutor(1) as thread, _ended() as over:

        def begun(some: list[Pinned]) -> list[Future[None]]:
            return [thread.submit(copy_context().run, _check, pinned, over) for pinned in some]

        ahead = begun(files[:1])
        for place, pinned in enumerate(files):
            ahead.pop().result()
            ahead += begun(files[place + 1 : place + 2])
            # Readers are not made to be shared, so everybody who reads has one of their own.
            reader = pinned.reader()
            schema = schema or reader.schema
            if reader.schema != schema:
                raise CorruptSnapshot(f"{pinned.shown}: has other columns than the files before it; {RESTORE}")
            yield pinned, reader


def _codes(rows: pa.Table) -> pa.Table:
    """A table with the codes of its texts; dictionaries only grow, so they mean the same in every file."""
    for place, name in enumerate(rows.column_names):
        if name in CODED:
            codes = [chunk.indices for chunk in rows[name].chunks]
            rows = rows.set_column(place, name, pa.chunked_array(codes, pa.int32()))
    return rows


def _looked_up(rows: pl.DataFrame, name: str, places: Sequence[int] | Int32Array, default: int) -> Int32Array:
    """The place that each code stands for, the default where there is no text."""
    if name not in rows.columns:
        return np.full(rows.height, default, np.int32)
    codes = rows[name].fill_null(len(places)).to_numpy()
    return np.append(places, default).astype(np.int32)[codes]


def _batch(rows: pa.RecordBatch, recorded: np.ndarray, media: np.ndarray | None) -> Batch:
    """One record batch as the arrays the engine reads; codes of agents and media become their places."""
    names = rows.schema.names
    # Only views and buffers: pyarrow's compute functions would take longer to import than a month to read.
    arrived_us = rows.column("arrived_at").view(pa.int64()).to_numpy()
    agent = handle_s = None
    if "agent_id" in names:
        codes, known = numbers(rows.column("agent_id").indices, np.int32)
        # What lies under a null is arbitrary, so it is brought within bounds before it is looked up.
        agent = recorded.take(codes, mode="clip") if recorded.size else np.full(codes.size, -1, np.int32)
        if known is not None:
            agent[~known] = -1
    if "handle_s" in names:
        handle_s, known = numbers(rows.column("handle_s"), np.float64)
        if known is not None:
            handle_s = np.where(known, handle_s, np.nan)
    return Batch(
        day=int(arrived_us[0] // DAY_US),
        interaction_id=rows.column("interaction_id"),
        call_type=rows.column("call_type").to_numpy(),
        arrived_us=arrived_us,
        agent=agent,
        handle_s=handle_s,
        media=None if media is None or "media" not in names else _media(rows.column("media"), media),
    )


def _media(column: pa.DictionaryArray, place: np.ndarray) -> np.ndarray:
    """Places of media; what is null is voice, as everywhere."""
    codes, known = numbers(column.indices, np.int32)
    found: np.ndarray = place.take(codes, mode="clip")
    return found if known is None else np.where(known, found, np.int8(0))


def open_snapshot(store: Path, name: str) -> Snapshot:
    """Open a snapshot and pin what it holds now.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name in the store or path to a snapshot's folder.

    Returns
    -------
    Snapshot
        With every file mapped.

    Raises
    ------
    UnknownName
        If there is none of this name.
    CorruptSnapshot
        If files are missing or do not belong together.
    """
    store = Path(store)
    try:
        return _opened_by(store, name)
    except (CorruptSnapshot, FileNotFoundError):
        # The name may have been replaced, and the old files removed, while they were being opened.
        with stores.settled(store):
            return _opened_by(store, name)


def _opened_by(store: Path, name: str) -> Snapshot:
    return Snapshot(stores.folder_of(store, name), name=None if os.sep in name else name)


def open_named(store: Path, name: str) -> Snapshot:
    """Open a snapshot of the store by its name alone, which is also what errors call it by.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name in the store.

    Returns
    -------
    Snapshot
        With every file mapped.

    Raises
    ------
    UnknownName
        If there is none of this name.
    CorruptSnapshot
        If files are missing or do not belong together.
    """
    return stores.read_through(store, name, lambda folder: Snapshot(folder, name=name, shown=name))
