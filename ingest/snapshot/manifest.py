"""The manifest of a snapshot: what is in it, where it came from, and every assumption made."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.data.provenance import Extent, Provenance
from engine.errors import CorruptSnapshot

SCHEMA_VERSION = 2
# Version 1 kept csat of interactions without its scale, so it could not be read, and knows no agents.interrupted_by and
# no busy.media; what is not there is filled in as it is read.
READABLE = (1, 2)
FILE_NAME = "manifest.json"


@dataclass(frozen=True)
class FileEntry:
    """One file of a snapshot."""

    path: str  # Relative to the snapshot's folder, with forward slashes
    table: str  # The table whose rows it holds
    rows: int  # Number of rows
    bytes: int  # Size. [byte]
    sha256: str  # Hash of the content


@dataclass(frozen=True)
class Manifest:
    """Everything known about a snapshot without opening its tables.

    Parameters
    ----------
    name : str
        Name in the store.
    id : str
        SHA-256 over the hashes of all files: equal content has equal id.
    source : dict
        Kind of source and how to read it again.
    time_zone : str
        IANA zone of the centre.
    created : str
        UTC time of writing.
    interval : dict
        `start` and `end` of the arrivals; null where there are none.
    rows : dict
        Row count by table.
    files : tuple of FileEntry
        All files.
    dictionaries : dict
        Texts behind the codes of dictionary columns, the same in all files of the snapshot.
    assumptions : tuple of str
        Every assumption made, in words.
    repairs : dict
        How many rows were repaired or left out, by what was done.
    made_up : tuple of str
        Tables drawn from a seed rather than recorded.
    schema_version : int
        Version of this layout.
    """

    name: str
    id: str
    source: dict[str, Any]
    time_zone: str
    created: str
    interval: dict[str, str | None]
    rows: dict[str, int]
    files: tuple[FileEntry, ...]
    dictionaries: dict[str, list[str]]
    assumptions: tuple[str, ...] = ()
    repairs: dict[str, int] = field(default_factory=dict)
    made_up: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The manifest as it is written to disk."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def summary(self) -> Provenance:
        """What a report says about its snapshot."""
        return Provenance(
            id=self.name,
            sha256=self.id,
            created=self.created,
            source=self.source,
            time_zone=self.time_zone,
            interval=Extent(**self.interval),
            counts=self.rows,
            repairs=self.repairs,
            made_up=list(self.made_up),
            assumptions=list(self.assumptions),
        )


def content_id(files: Sequence[FileEntry], rows: Mapping[str, int], dictionaries: Mapping[str, Sequence[str]]) -> str:
    """One hash over the files' hashes and what else decides how they are read: equal content has equal id."""
    listed = sorted(list(asdict(entry).values()) for entry in files)
    said = {"files": listed, "rows": rows, "dictionaries": dictionaries}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path, handle: int | None = None) -> Manifest:
    """Read the manifest of a snapshot's folder.

    Parameters
    ----------
    folder : Path
        The snapshot.
    handle : int, optional
        Descriptor of the opened folder, to read from it whatever its name is by now.

    Returns
    -------
    Manifest
        Checked for its version and fields.

    Raises
    ------
    CorruptSnapshot
        If it is not there, not readable, or of another version.
    """
    path = folder / FILE_NAME
    try:
        raw = json.loads(_read(path, handle))
        version = raw["schema_version"]
        if version not in READABLE:
            raise CorruptSnapshot(
                f"{path}: schema version {version}, this program reads {' and '.join(map(str, READABLE))}; "
                "import the data again"
            )
        files = tuple(FileEntry(**entry) for entry in raw.pop("files"))
        sentences, made_up = tuple(raw.pop("assumptions")), tuple(raw.pop("made_up"))
        manifest = Manifest(files=files, assumptions=sentences, made_up=made_up, **raw)
    except FileNotFoundError as error:
        raise CorruptSnapshot(f"{path}: there is no manifest, so this folder is not a snapshot") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # Of names that are missing or unknown Python speaks in its own words.
        is_form = isinstance(error, KeyError | TypeError | AttributeError)
        why = "a field is missing, unknown or of another form" if is_form else error
        raise CorruptSnapshot(f"{path}: not a readable manifest ({why}); import the data again") from error
    for wrong in _wrong(manifest):
        raise CorruptSnapshot(f"{path}: {wrong}; import the data again")
    return manifest


def _wrong(manifest: Manifest) -> Iterator[str]:
    """What a manifest says that cannot be; a file outside the folder is never opened."""
    for name in ("name", "id", "time_zone", "created"):
        if not isinstance(getattr(manifest, name), str):
            yield f"{name} is not a text"
    if not _is_map(manifest.interval, str | None) or set(manifest.interval) != {"start", "end"}:
        yield "interval needs start and end"
    if not (_is_map(manifest.rows, int) and _is_map(manifest.repairs, int) and isinstance(manifest.source, dict)):
        yield "rows, repairs or source have another form"
    texts = manifest.dictionaries
    if not _is_map(texts, list) or any(not isinstance(text, str) for names in texts.values() for text in names):
        yield "dictionaries are not lists of texts"
    for entry in manifest.files:
        if not _is_file(entry):
            yield f"file {entry.path!r} is not one of this folder, or its size, rows or hash have another form"
    if content_id(manifest.files, manifest.rows, texts) != manifest.id:
        yield "its files, rows or dictionaries do not match its id"
    try:
        ZoneInfo(manifest.time_zone)
        [datetime.fromisoformat(at) for at in (manifest.created, *manifest.interval.values()) if at is not None]
    except (ValueError, OSError, TypeError, ZoneInfoNotFoundError) as error:
        yield f"time zone, creation or interval cannot be read ({error})"


def _is_map(value: object, kind: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(key, str) and isinstance(v, kind) and not isinstance(v, bool) for key, v in value.items()
    )


def _is_file(entry: FileEntry) -> bool:
    texts = all(isinstance(text, str) for text in (entry.path, entry.table, entry.sha256))
    counts = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in (entry.rows, entry.bytes))
    return texts and counts and re.fullmatch(r"(interactions/)?[A-Za-z0-9_-]+\.arrow", entry.path) is not None


def _read(path: Path, handle: int | None) -> str:
    if handle is None:
        return path.read_text(encoding="utf-8")
    with open(os.open(path.name, os.O_RDONLY, dir_fd=handle), encoding="utf-8") as file:  # noqa: PTH123
        return file.read()
