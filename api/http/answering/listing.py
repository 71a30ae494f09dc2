"""What the service says about its snapshots and about itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from api.http.messages.answers import QueueInfo, SnapshotAnswer, SnapshotList, SnapshotSummary, SnapshotUsed, Unreadable
from api.http.serving.open_snapshots import OpenSnapshot, OpenSnapshots, age_s
from engine.data.provenance import Extent
from engine.typing import FloatArray
from ingest.snapshot.manifest import Manifest


def summary(manifest: Manifest) -> SnapshotSummary:
    """A snapshot as the list shows it."""
    return SnapshotSummary(**_summed_up(manifest))


def _summed_up(manifest: Manifest) -> dict[str, Any]:
    return {
        "id": manifest.name, "sha256": manifest.id, "created": manifest.created, "age_s": age_s(manifest),
        "source": manifest.source, "time_zone": manifest.time_zone, "interval": Extent(**manifest.interval),
        "counts": manifest.rows, "made_up": list(manifest.made_up),
    }  # fmt: skip


def listing(snapshots: OpenSnapshots) -> SnapshotList:
    """All snapshots of the store, newest first."""
    known = snapshots.known()
    readable = [found for _, found in known if isinstance(found, Manifest)]
    readable.sort(key=lambda manifest: (manifest.created, manifest.name), reverse=True)
    broken = [Unreadable(_text(name), str(found)) for name, found in known if not isinstance(found, Manifest)]
    return SnapshotList([summary(manifest) for manifest in readable], broken)


def _text(name: str) -> str:
    """The name of a folder as JSON can hold it; on disk it may be any bytes."""
    return name.encode("utf-8", "backslashreplace").decode()


def about(data: OpenSnapshot) -> SnapshotAnswer:
    """One snapshot and the names that requests may use."""
    centre, manifest = data.arrays.centre, data.manifest
    names = dict(data.static.queues.select("queue_id", "queue_name").iter_rows())
    n_agents = centre.member.sum(axis=1).tolist()
    return SnapshotAnswer(
        **_summed_up(manifest),
        repairs=manifest.repairs,
        assumptions=list(manifest.assumptions),
        queues=[QueueInfo(queue, names.get(queue), n) for queue, n in zip(centre.queue_ids, n_agents, strict=True)],
        skills=_held(centre.skills, centre.proficiency),
        languages=_held(centre.languages, centre.language_level),
    )


def used(data: OpenSnapshot) -> SnapshotUsed:
    """A snapshot as answers name it."""
    return SnapshotUsed(data.manifest.name, data.manifest.id, data.age_s())


def _held(names: list[str], level: FloatArray) -> list[str]:
    n_agents = (~np.isnan(level)).sum(axis=0).tolist()
    return [name for name, n in zip(names, n_agents, strict=True) if n]
