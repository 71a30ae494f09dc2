"""The first look at a snapshot, after an import and whenever it is shown; whatever fails in it fails nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.printing import say, say_json, tell

if TYPE_CHECKING:
    from engine.data.arrays import Arrays
    from engine.reports.first_look import FirstLook
    from engine.typing import Progress
    from ingest.snapshot.manifest import Manifest


def show_made(manifest: Manifest, store: Path, as_json: bool, no_light: bool = False) -> None:
    """What an import made, the first look at it, and what to do next."""
    if as_json:
        say_json(manifest.summary().to_dict())
    else:
        from api.terminal.shown.pieces import show_manifest

        show_manifest(manifest)
        show_look(manifest, store, with_light=not no_light)
        say()
        words = ["--snapshot", manifest.name, "--store", str(store), "--out", f"out/{manifest.name}"]
        say(f"next: routelab simulate {shlex.join(words)}")
    tell_of_others(store)


def tell_of_others(store: Path) -> None:
    """Snapshots of earlier versions were open to all users; that is said and left to their owner to change."""
    from ingest.snapshot.store import open_to_others

    if found := open_to_others(store):
        tell(
            f"note: other users of this machine can read {', '.join(found)} in {store}, with names of agents; "
            f"'{shlex.join(['chmod', '-R', 'go=', str(store)])}' keeps them to you"
        )


def show_look(manifest: Manifest, store: Path, *, with_light: bool, everything: bool = False) -> None:
    """The first look on the screen."""
    from api.terminal.shown.first_look import show_first_look

    if (found := looked(store, manifest, with_light=with_light)) is not None:
        show_first_look(found, manifest.name, everything=everything)


def looked_plainly(manifest: Manifest, store: Path, *, with_light: bool) -> dict[str, Any] | None:
    """The first look for machines."""
    found = looked(store, manifest, with_light=with_light, quietly=True)
    return None if found is None else found.to_dict()


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
