"""Exports as people have them to a snapshot, by a profile: refused whole or stored whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from engine.typing import Progress
from ingest.exports.profile.profile import Profile
from ingest.exports.profile.writing import profile_text
from ingest.exports.shaping import shape
from ingest.files.gathering import gather
from ingest.files.reading import Reading
from ingest.files.storing import hashed, store_tables
from ingest.sheets.sheet import Sheet
from ingest.snapshot import store as stores
from ingest.snapshot.manifest import Manifest


def import_exports(
    store: Path, name: str, profile: Profile, sheets: Sequence[Sheet], *, time_zone: str | None = None,
    csat_scale: object = None, same_names: bool = False, keep_names: bool = False, pseudonymise: bool = False,
    replace: bool = False, progress: Progress | None = None,
) -> Manifest:  # fmt: skip
    """Import exports as a snapshot; what is wrong in them stops all, and nothing is kept.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the new snapshot.
    profile : Profile
        Which file holds what, as an inspection finds it.
    sheets : sequence of Sheet
        All files.
    time_zone : str, optional
        IANA zone of times that name none, and of the snapshot; by default that of the profile, else UTC.
    csat_scale : str or pair of float, optional
        Lowest and highest possible score of csat of interactions, `1-5`, where no columns tell it.
    same_names : bool
        Whether names of queues, skills and languages that differ in case or spaces only are one.
    keep_names : bool
        Whether such names stay as they are; without either they are asked about.
    pseudonymise : bool
        Replace agent ids and names by codes.
    replace : bool
        Whether an existing snapshot of this name may be replaced.
    progress : callable, optional
        Told the step, how much is done, and of how much.

    Returns
    -------
    Manifest
        What was written, with every assumption and repair, the hashes of the files and the profile.

    Raises
    ------
    InvalidScenario
        If the scale is not two numbers.
    InvalidTable
        With all problems, each naming file, row, column as the file calls it, value and remedy.
    MissingInput
        If a part of the profile matches no file.
    SnapshotExists
        If the name is taken.
    UnknownName
        If the time zone does not exist.
    """
    tell: Progress = progress or (lambda step, done, total: None)
    stores.refuse_existing(Path(store), stores.check_name(name), replace)
    zone = time_zone or profile.time_zone
    reading = Reading.of(zone, csat_scale, None, same_names, keep_names)
    shaped = shape(profile, sheets, time_zone=zone)
    tables, notes = gather(shaped.tables, reading, tell)
    notes.assumptions[:0] = shaped.assumptions
    notes.repairs = dict(shaped.repairs) | notes.repairs
    source = _source(profile, sheets)
    return store_tables(
        Path(store), name, tables, notes, source, time_zone=zone or "UTC", pseudonymise=pseudonymise,
        made_up=shaped.made_up, replace=replace, tell=tell,
    )  # fmt: skip


def _source(profile: Profile, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """What the manifest says of the files; names of people who were asked about are not for it."""
    paths = dict.fromkeys(path for sheet in sheets for path in sheet.paths)
    text = profile_text(changed(profile, people={}))
    return {"kind": "exports", "files": {path.name: hashed(path) for path in paths}, "profile": text}
