"""The manifest of a snapshot: what is in it, where it came from, and every assumption made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.data.provenance import Extent, Provenance

SCHEMA_VERSION = 2
# Version 1 kept csat of interactions without its scale, so it could not be read, and knows no agents.interrupted_by and
# no busy.media; what is not there is filled in as it is read.
READABLE = (1, 2)
FILE_NAME = "manifest.json"
# Columns stored as codes into a dictionary that is the same in all files of a snapshot.
CODED = ("queue_id", "media", "language", "outcome", "agent_id", "used_routing")
# Ids of half a million agents and queues and a century of days; a larger one would hold up every list. [byte]
MOST_BYTES = 1 << 25


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
