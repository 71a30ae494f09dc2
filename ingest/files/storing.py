"""Checked tables to a snapshot, whatever files they came from: stored whole, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from engine.typing import Progress
from ingest.files import pseudonyms
from ingest.files.gathering import Notes
from ingest.snapshot.manifest import Manifest
from ingest.snapshot.writing import SnapshotWriter

BATCH_ROWS = 1_000_000


def store_tables(
    store: Path, name: str, tables: dict[str, pl.DataFrame], notes: Notes, source: Mapping[str, Any], *,
    time_zone: str, pseudonymise: bool, made_up: Sequence[str], replace: bool, tell: Progress,
) -> Manifest:  # fmt: skip
    """Write tables as a snapshot.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the snapshot.
    tables : dict
        Checked frames by table, interactions in order of time.
    notes : Notes
        Assumptions and repairs, which the manifest keeps.
    source : mapping
        Where they come from, for the manifest.
    time_zone : str
        IANA zone of the snapshot.
    pseudonymise : bool
        Whether codes stand in for ids and names of agents.
    made_up : sequence of str
        Tables that nobody recorded.
    replace : bool
        Whether an existing snapshot of this name may be replaced.
    tell : callable
        Told the step, how much is done, and of how much.

    Returns
    -------
    Manifest
        What was written.
    """
    if pseudonymise:
        tables = pseudonyms.pseudonymise(tables)
        notes.assumptions.append(pseudonyms.ASSUMPTION)
    source = {**source, "pseudonymised": pseudonymise}
    with SnapshotWriter(store, name, source=source, time_zone=time_zone, replace=replace) as writer:
        for sentence in notes.assumptions:
            writer.assume(sentence)
        for label, count in notes.repairs.items():
            writer.count(label, count)
        for table in made_up:
            writer.made_up(table)
        _write(writer, tables, tell)
        return writer.commit()


def hashed(path: Path) -> dict[str, str]:
    """Name and hash of a file, as a manifest names its sources.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    dict of str
        `file` without its folder, and `sha256`.
    """
    with path.open("rb") as file:
        return {"file": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _write(writer: SnapshotWriter, tables: dict[str, pl.DataFrame], tell: Progress) -> None:
    interactions = tables["interactions"]
    for table, frame in tables.items():
        if table != "interactions":
            writer.add(table, frame)
    for first in range(0, interactions.height, BATCH_ROWS):
        writer.add_interactions(interactions[first : first + BATCH_ROWS])
        tell("write interactions", min(first + BATCH_ROWS, interactions.height), interactions.height)
