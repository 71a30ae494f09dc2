"""The folder that holds snapshots: names, listing, swapping in and deleting, whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from engine.errors import CorruptSnapshot, InvalidScenario, MissingInput, SnapshotExists, UnknownName
from engine.setting import shown
from ingest.snapshot.manifest import FILE_NAME, Manifest, read_manifest
from ingest.snapshot.private import locked, own_mark, runs, sync

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LEFTOVER = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-[0-9a-f]{8}\.(?P<kind>partial|old)")


def check_name(name: str) -> str:
    """Refuse names that are not plain folder names.

    Parameters
    ----------
    name : str
        What the user wants to call it.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    InvalidScenario
        If the name is empty, too long, or could leave the store.
    """
    if not _NAME.fullmatch(name):
        raise InvalidScenario(
            f"snapshot name {name!r}: use 1 to 100 letters, digits, dots, dashes or underscores, "
            "starting with a letter or digit"
        )
    return name


def side_folder(store: Path, name: str, kind: str) -> Path:
    """A hidden folder beside the snapshot that names the process that owns it."""
    return store / f".{name}.{own_mark()}.{kind}"


def refuse_existing(store: Path, name: str, replace: bool) -> None:
    """Say that the name is taken, unless it may be replaced.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the snapshot.
    replace : bool
        Whether it may be replaced.

    Raises
    ------
    SnapshotExists
        If it is there and `replace` is false.
    CorruptSnapshot
        If a folder of this name is no snapshot; it is never replaced.
    """
    if (store / name).exists() and not (store / name / FILE_NAME).is_file():
        raise CorruptSnapshot(
            f"{store / name}: there is no {FILE_NAME}, so it is no snapshot; choose another --name or remove the folder"
        )
    if (store / name).exists() and not replace:
        raise SnapshotExists(f"snapshot {name!r} exists already in {store}; choose another --name or add --replace")


def swap_in(store: Path, name: str, finished: Path, replace: bool) -> None:
    """Give a finished folder its name; an old one of that name leaves only when the new one stands.

    Readers that have the old one open keep their files.
    """
    target = store / name
    with locked(store):
        refuse_existing(store, name, replace)
        old = side_folder(store, name, "old") if target.exists() else None
        if old:
            target.rename(old)
        try:
            finished.rename(target)
        except OSError:
            # A full disk may have no room for the name.
            if old:
                old.rename(target)
            raise
        sync(store)
        if old:
            remove(old)


def remove(folder: Path) -> None:
    """Remove a folder, or the link that stands for one; what a link points to is left alone."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def tidy(store: Path) -> None:
    """Remove what writers left behind that no longer run, and put back a snapshot they had set aside."""
    if not store.is_dir():
        return
    for path in sorted(store.iterdir()):
        match = _LEFTOVER.fullmatch(path.name)
        if not match or runs(int(match["pid"])):
            continue
        # A store that may only be read is left as it is.
        with suppress(OSError):
            if match["kind"] == "old" and not (store / match["name"]).exists():
                path.rename(store / match["name"])
            else:
                remove(path)


def check_there(store: Path) -> None:
    """Refuse a store that is not there: that nothing is in it would be said of the wrong folder.

    Parameters
    ----------
    store : Path
        Folder of snapshots; an empty one is there.

    Raises
    ------
    MissingInput
        If there is no such folder.
    """
    if not store.is_dir():
        what = "is no folder" if store.exists() else "there is no such folder"
        raise MissingInput(f"{store}: {what}; name the folder of snapshots with --store, or make a first snapshot")


def names(store: Path) -> list[str]:
    """Names of all snapshots in a store, in order."""
    if not store.is_dir():
        return []
    return sorted(p.name for p in store.iterdir() if not p.name.startswith(".") and (p / FILE_NAME).is_file())


def open_to_others(store: Path) -> list[str]:
    """Names of snapshots that other users of this machine may read, as earlier versions wrote them.

    Parameters
    ----------
    store : Path
        Folder of snapshots.

    Returns
    -------
    list of str
        In order; none where a folder on the way keeps others out.
    """
    # Whoever may not pass a folder reaches nothing in it.
    if not all(path.stat().st_mode & 0o011 for path in (store.resolve(), *store.resolve().parents)):
        return []
    return [name for name in names(store) if (store / name).stat().st_mode & 0o077]


def manifests(store: Path) -> tuple[list[Manifest], list[CorruptSnapshot]]:
    """Manifests of all snapshots of a store, newest first, and what is wrong with those that cannot be read."""
    tidy(store)
    found: list[Manifest] = []
    unreadable: list[CorruptSnapshot] = []
    for name in names(store):
        try:
            found.append(read_manifest(store / name))
        except CorruptSnapshot as error:
            unreadable.append(error)
    return sorted(found, key=lambda manifest: (manifest.created, manifest.name), reverse=True), unreadable


def folder_of(store: Path, name: str) -> Path:
    """Folder of a snapshot given by name or by path.

    Parameters
    ----------
    store : Path
        Where named snapshots lie.
    name : str
        A name in the store, or a path to a snapshot's folder.

    Returns
    -------
    Path
        An existing folder with a manifest.

    Raises
    ------
    UnknownName
        If there is none, naming the nearest.
    CorruptSnapshot
        If the folder is there without a manifest.
    MissingInput
        If there is no such store.
    """
    tidy(store)
    candidates = [Path(name)] if os.sep in name else [store / name, Path(name)]
    # While a snapshot is replaced its name is gone for a moment; the old one stands aside, still whole.
    aside = [path for path in store.glob(".*.old") if (m := _LEFTOVER.fullmatch(path.name)) and m["name"] == name]
    # os.path knows that what is too long for a name is no file.
    for folder in [*candidates, *aside, *candidates]:
        if os.path.isfile(folder / FILE_NAME):  # noqa: PTH113
            return folder
    for folder in candidates:
        if os.path.isdir(folder) and name not in {"", ".", ".."}:  # noqa: PTH112
            raise CorruptSnapshot(f"{folder}: there is no {FILE_NAME}, so this folder is not a snapshot")
    if os.sep not in name:
        check_there(store)
    known = names(store)
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    raise UnknownName(f"snapshot {shown(name)} is not in {store}; {hint}")


def companion(store: Path, name: str) -> Path:
    """Where a source keeps what it read for a snapshot that is brought up to date: hidden beside it."""
    return store / f".{name}.parts"


def delete(store: Path, name: str) -> None:
    """Remove a snapshot of the store and what was read for it; readers that have it open keep their files.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the snapshot.

    Raises
    ------
    UnknownName
        If there is none of this name.
    CorruptSnapshot
        If the folder is no snapshot.
    MissingInput
        If there is no such store.
    """
    parts = companion(store, check_name(name))
    if name not in names(store):
        if parts.is_dir():
            # A run that was cut off before its first snapshot.
            remove(parts)
            return
        if (store / name).exists():
            raise CorruptSnapshot(f"{store / name}: there is no {FILE_NAME}; if it is of no use, remove the folder")
        check_there(store)
        raise UnknownName(f"snapshot {name!r} is not in {store}; known: {', '.join(names(store)) or 'none'}")
    away = side_folder(store, name, "partial")
    with locked(store):
        (store / name).rename(away)
        sync(store)
    remove(away)
    if parts.is_dir():
        remove(parts)
