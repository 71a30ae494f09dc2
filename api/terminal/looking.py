"""The first look at a snapshot, after an import and whenever it is shown; whatever fails in it fails nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.printing import tell

if TYPE_CHECKING:
    from engine.data.arrays import Arrays
    from engine.reports.first_look import FirstLook
    from engine.typing import Progress
    from ingest.snapshot.manifest import Manifest


def looked(store: Path, manifest: Manifest, *, with_light: bool, quietly: bool = False) -> FirstLook | None:
    """The first look at a snapshot; None, and why in a line, where there can be none.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    manifest : Manifest
        Of the snapshot.
    with_light : bool
        Whether today's rule is replayed.
    quietly : bool
        Whether no progress is shown, as where a machine reads.

    Returns
    -------
    FirstLook or None
        Of all the snapshot, or of its last days where it is large.
    """
    from api.terminal.shown.page import progress
    from engine.errors import RoutingError
    from ingest.snapshot.reading import open_snapshot

    try:
        arrays = open_snapshot(store, manifest.name).arrays()
        with progress(not quietly) as watch:
            return _in_memory(arrays, with_light, watch)
    except RoutingError as error:
        tell(f"note: no first look at {manifest.name}: {error}")
        return None


def _in_memory(arrays: Arrays, with_light: bool, watch: Progress | None) -> FirstLook:
    """With the memory that it takes, or without the light where that needs more than there is."""
    from engine.errors import NotEnoughMemory
    from engine.memory import of_run
    from engine.reports.first_look import MOST_REPLAYED, first_look, last_days
    from engine.spec import Scenario
    from ingest.workers import MEMORY

    need = of_run(Scenario(mode="replay"), last_days(arrays, MOST_REPLAYED))
    try:
        with MEMORY.held(need):
            return first_look(arrays, with_light=with_light, progress=watch)
    except NotEnoughMemory as error:
        if not with_light:
            raise
        tell(f"note: no light: {error}")
        return first_look(arrays, with_light=False, progress=watch)
