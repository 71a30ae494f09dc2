"""Snapshots as they are read: one folder of Arrow files and a manifest, pinned when opened.

A reader maps every file when it opens the snapshot, so it keeps what it opened even when the name is
replaced or deleted meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import ipc

from engine.arrays import DAY_US, Arrays, Batch, encode_centre
from engine.errors import CorruptSnapshot
from engine.tables import TABLES, Tables
from ingest import store as stores
from ingest.arrow_files import finish, open_pinned, read_plain, restore
from ingest.manifest import FILE_NAME, FileEntry, Manifest, content_id, read_manifest


class Snapshot:
    """An opened snapshot: its manifest and all its files, mapped.

    Parameters
    ----------
    folder : Path
        The snapshot's folder.

    Raises
    ------
    CorruptSnapshot
        If a file is missing or does not belong to the manifest.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Everything is opened through the folder itself, so a rename in between cannot mix two writings.
        handle = os.open(folder, os.O_RDONLY)
        try:
            self.manifest = read_manifest(folder, handle)
            self._readers = {entry.path: self._open(entry, handle) for entry in self.manifest.files}
        finally:
            os.close(handle)

    def table(self, name: str) -> pl.DataFrame:
        """A table with all its columns, texts decoded; empty where the snapshot has none.

        Parameters
        ----------
        name : str
            Key of `engine.tables.TABLES`.

        Returns
        -------
        polars.DataFrame
            Its rows; interactions in order of arrival.
        """
        frames = [read_plain(reader.read_all()) for reader in self._readers_of(name)]
        return restore(name, pl.concat(frames)) if frames else TABLES[name].empty()

    def tables(self) -> Tables:
        """All tables in memory."""
        return Tables.of({name: self.table(name) for name in TABLES}, self.manifest.time_zone)

    def arrays(self) -> Arrays:
        """Dense arrays for the engine; interactions are read from the mapped files as they are asked for."""
        call_types = self._raw("call_types")
        surveys = self._raw("surveys")
        frames = {name: self.table(name) for name in TABLES if name not in {"interactions", "surveys"}}
        tables = Tables.of(frames | {"surveys": surveys}, self.manifest.time_zone)
        centre = encode_centre(tables, call_types)
        agent = {name: i for i, name in enumerate(centre.agent_ids)}
        recorded = np.array([agent.get(text, -1) for text in self.manifest.dictionaries["agent_id"]], np.int32)
        readers = self._readers_of("interactions")

        def batches() -> Iterator[Batch]:
            for reader in readers:
                for number in range(reader.num_record_batches):
                    yield _batch(reader.get_batch(number), recorded)

        return Arrays(centre, batches, self.manifest.summary())

    def _raw(self, name: str) -> pl.DataFrame:
        readers = self._readers_of(name)
        if not readers:
            return TABLES[name].empty()
        return read_plain(readers[0].read_all())

    def _readers_of(self, name: str) -> list[ipc.RecordBatchFileReader]:
        return [self._readers[entry.path] for entry in self.manifest.files if entry.table == name]

    def _open(self, entry: FileEntry, folder: int) -> ipc.RecordBatchFileReader:
        path = self.folder / entry.path
        remedy = "restore the file or import the data again"
        try:
            size = os.stat(entry.path, dir_fd=folder).st_size
            if size != entry.bytes:
                raise CorruptSnapshot(f"{path}: {size} bytes, the manifest says {entry.bytes}; {remedy}")
            return open_pinned(entry.path, folder)
        except (OSError, ValueError, pa.ArrowInvalid) as error:
            raise CorruptSnapshot(f"{path}: cannot be read ({error}); {remedy}") from error


def _batch(rows: pa.RecordBatch, recorded: np.ndarray) -> Batch:
    """One record batch as the arrays the engine reads; codes of agents become their places."""
    names = rows.schema.names
    arrived_us = rows.column("arrived_at").cast(pa.int64()).to_numpy()
    agent = None
    if "agent_id" in names:
        column = rows.column("agent_id").indices
        codes = column.to_numpy(zero_copy_only=False) if not column.null_count else column.fill_null(-1).to_numpy()
        agent = np.append(recorded, np.int32(-1))[codes]
    return Batch(
        day=int(arrived_us[0] // DAY_US),
        interaction_id=rows.column("interaction_id"),
        call_type=rows.column("call_type").to_numpy(),
        arrived_us=arrived_us,
        agent=agent,
        handle_s=rows.column("handle_s").to_numpy(zero_copy_only=False) if "handle_s" in names else None,
    )


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
    folder = stores.folder_of(Path(store), name)
    try:
        return Snapshot(folder)
    except CorruptSnapshot:
        # The name may have been replaced, and the old files removed, while they were being opened.
        return Snapshot(stores.folder_of(Path(store), name))


def verify(folder: Path) -> Manifest:
    """Hash every file of a snapshot and compare with its manifest.

    Parameters
    ----------
    folder : Path
        The snapshot's folder.

    Returns
    -------
    Manifest
        Of the verified snapshot.

    Raises
    ------
    CorruptSnapshot
        Naming the first file that differs, is missing or is not listed.
    """
    manifest = Snapshot(folder).manifest
    for entry in manifest.files:
        found = finish(folder / entry.path, folder, entry.table, entry.rows)
        if found.sha256 != entry.sha256:
            raise CorruptSnapshot(
                f"{folder / entry.path}: content differs from the manifest (sha256 {found.sha256[:12]}..., "
                f"expected {entry.sha256[:12]}...); restore the file or import the data again"
            )
    if content_id(manifest.files) != manifest.id:
        raise CorruptSnapshot(f"{folder / FILE_NAME}: the list of files does not match the snapshot's id")
    listed = {entry.path for entry in manifest.files} | {FILE_NAME}
    strays = [p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).as_posix() not in listed]
    if strays:
        raise CorruptSnapshot(f"{strays[0]}: not listed in the manifest; remove it or import the data again")
    return manifest
