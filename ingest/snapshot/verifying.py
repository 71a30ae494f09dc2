"""Verifying a snapshot: every file as the manifest says, and every row as an import lets it in."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import ipc

from engine.data.checks import Place, check
from engine.errors import CorruptSnapshot, InvalidTable
from engine.stopping import checked
from engine.typing import Progress
from ingest.snapshot.arrow_files import read_plain, restore
from ingest.snapshot.examination.values import SCORES, CallTypes, are_as_imported
from ingest.snapshot.manifest import FILE_NAME, Manifest
from ingest.snapshot.manifest_reading import DAYS
from ingest.snapshot.pinned import RESTORE
from ingest.snapshot.reading import Snapshot, in_order


def verify(folder: Path, progress: Progress | None = None) -> Manifest:
    """Hash every file of a snapshot, compare with its manifest, and check the values as an import does.

    Parameters
    ----------
    folder : Path
        The snapshot's folder.
    progress : callable, optional
        Told how many files of days are done, of how many.

    Returns
    -------
    Manifest
        Of the verified snapshot.

    Raises
    ------
    CorruptSnapshot
        Naming the first file that differs, is missing or is not listed.
    """
    snapshot = Snapshot(folder)
    manifest = snapshot.manifest
    check_all(snapshot, progress)
    listed = {entry.path for entry in manifest.files} | {FILE_NAME, DAYS}
    strays = sorted(p for p in folder.rglob("*") if p.relative_to(folder).as_posix() not in listed)
    if strays:
        raise CorruptSnapshot(f"{strays[0]}: not listed in the manifest; remove it or import the data again")
    return manifest


def check_all(snapshot: Snapshot, progress: Progress | None = None) -> None:
    """Compare every file of an open snapshot with its hash and examine what it holds.

    Parameters
    ----------
    snapshot : Snapshot
        Open.
    progress : callable, optional
        Told how many files of days are done, of how many.

    Raises
    ------
    CorruptSnapshot
        Naming the first that differs.
    """
    snapshot.arrays()
    for entry in snapshot.manifest.files:
        if entry.table == "aggregates":
            snapshot.table(entry.table)
    call_types, days = snapshot.raw("call_types"), snapshot.files_of(DAYS)
    quickly = CallTypes(call_types, snapshot.texts)
    # The first version kept scores without their scale.
    with_scores = snapshot.manifest.schema_version > 1
    for done, (pinned, reader) in enumerate(in_order(days)):
        if progress is not None:
            progress("verify", done, len(days))
        if not _are_sound(reader, quickly, with_scores=with_scores):
            _check_values(read_plain(reader.read_all()), call_types, pinned.shown, with_scores=with_scores)
        pinned.let_go()


def _check_values(frame: pl.DataFrame, call_types: pl.DataFrame, shown: str, *, with_scores: bool) -> None:
    """All that an import checks, which takes far longer than reading."""
    rows = restore(DAYS, frame.drop("call_type"))
    if not _is_of(call_types[frame["call_type"].to_numpy()], rows):
        raise CorruptSnapshot(f"{shown}: call_type: of another queue or requirement than its row; {RESTORE}")
    try:
        check(DAYS, rows if with_scores else rows.drop(SCORES), Place(shown))
    except InvalidTable as error:
        raise CorruptSnapshot(f"{error.problems[0]}; {RESTORE}") from error


def _is_of(call_types: pl.DataFrame, rows: pl.DataFrame) -> bool:
    """Whether the call type of each row is what the row says; skills are a set, and mostly kept as one."""
    keys = ["queue_id", "skills", "language", "priority"]
    rows = rows.select(pl.col(keys)).with_columns(pl.col("skills").fill_null([]), pl.col("priority").fill_null(0.0))
    sets = pl.col("skills").list.unique().list.sort()
    return call_types.select(keys).equals(rows) or call_types.select(keys).with_columns(sets).equals(
        rows.with_columns(sets)
    )


def _are_sound(reader: ipc.RecordBatchFileReader, call_types: CallTypes, *, with_scores: bool) -> bool:
    """Whether a quick look finds nothing that an import would refuse; if not, a slow one tells."""
    ids = []
    for number in checked(range(reader.num_record_batches)):
        batch = reader.get_batch(number)
        if not (are_as_imported(batch, with_scores=with_scores) and call_types.are_of(batch)):
            return False
        ids.append(batch.column("interaction_id"))
    names = pl.Series(pa.chunked_array(ids))
    return names.n_unique() == names.len()
