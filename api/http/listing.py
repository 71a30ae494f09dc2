"""What the service says about its snapshots and about itself."""

from __future__ import annotations

import numpy as np

from api.http.open_snapshots import OpenSnapshot, OpenSnapshots, age_s
from engine.typing import FloatArray, Record
from ingest.snapshot.manifest import Manifest


def summary(manifest: Manifest) -> Record:
    """A snapshot as the list shows it; see `api.http.answers.SnapshotSummary`."""
    about = manifest.summary()
    left_out = ("repairs", "assumptions")
    return {**{name: value for name, value in about.items() if name not in left_out}, "age_s": age_s(manifest)}


def listing(snapshots: OpenSnapshots) -> Record:
    """All snapshots of the store, newest first; see `api.http.answers.SnapshotList`."""
    known = list(snapshots.known())
    readable = [found for _, found in known if isinstance(found, Manifest)]
    readable.sort(key=lambda manifest: (manifest.created, manifest.name), reverse=True)
    broken = [{"id": name, "problem": str(found)} for name, found in known if not isinstance(found, Manifest)]
    return {"snapshots": [summary(manifest) for manifest in readable], "unreadable": broken}


def about(data: OpenSnapshot) -> Record:
    """One snapshot and the names that requests may use; see `api.http.answers.SnapshotAnswer`."""
    centre, manifest = data.arrays.centre, data.manifest
    names = dict(data.static.queues.select("queue_id", "queue_name").iter_rows())
    n_agents = centre.member.sum(axis=1).tolist()
    return {
        **summary(manifest),
        "repairs": manifest.repairs,
        "assumptions": list(manifest.assumptions),
        "queues": [
            {"queue_id": queue, "queue_name": names.get(queue), "agents": n}
            for queue, n in zip(centre.queue_ids, n_agents, strict=True)
        ],
        "skills": _held(centre.skills, centre.proficiency),
        "languages": _held(centre.languages, centre.language_level),
    }


def used(data: OpenSnapshot) -> Record:
    """A snapshot as answers name it; see `api.http.answers.SnapshotUsed`."""
    return {"id": data.manifest.name, "sha256": data.manifest.id, "age_s": data.age_s()}


def _held(names: list[str], level: FloatArray) -> list[str]:
    n_agents = (~np.isnan(level)).sum(axis=0).tolist()
    return [name for name, n in zip(names, n_agents, strict=True) if n]
