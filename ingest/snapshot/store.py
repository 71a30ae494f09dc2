"""The folder that holds snapshots: names, listing, swapping in and deleting, whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine import stopping
from engine.errors import CorruptSnapshot, InvalidScenario, MissingInput, SnapshotExists, UnknownName
from engine.near import nearest
from engine.setting import shown
from ingest.snapshot.manifest import FILE_NAME, Manifest
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.private import is_in_use, locked, own_mark, sync_names

Read = TypeVar("Read")
# Names change in a moment; whoever holds the lock longer is not waited for. [s]
PATIENCE_S = 2.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LEFTOVER = re.compile(r"\.(?P<name>.+)\.(?P<mark>\d+-[0-9a-f]{8})\.(?P<kind>partial|old)")


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
        sync_names(store)
    if old:
        with suppress(OSError):
            # Under this name nobody puts it back, also where it cannot be removed and its successor is deleted.
            old = old.rename(old.with_suffix(".partial"))
        _leave_to_tidying(old)


@contextmanager
def settled(store: Path) -> Iterator[None]:
    """Let no writer change names in the store meanwhile; where one takes too long, or nothing locks, go on."""
    with ExitStack() as stack:
        with suppress(OSError):
            handle = os.open(store, os.O_RDONLY)
            stack.callback(os.close, handle)
            _wait_for(handle)
        yield


def _wait_for(handle: int) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until_s:
                return None
            stopping.check()
            time.sleep(0.002)


def read_through(store: Path, name: str, read: Callable[[Path], Read]) -> Read:
    """Read something of a named snapshot, which may be replaced at this very instant.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the snapshot.
    read : callable
        Reads from the folder that it is given.

    Returns
    -------
    object
        What was read.

    Raises
    ------
    UnknownName
        If there is none of this name.
    CorruptSnapshot
        If it cannot be read, and is not being replaced either.
    """

    def now() -> Read:
        if (folder := find(store, name)) is None:
            raise UnknownName(f"snapshot {shown(name)} is not here")
        return read(folder)

    try:
        return now()
    except (CorruptSnapshot, FileNotFoundError):
        # Its files may have been removed while they were being opened; nobody replaces it now.
        with settled(store):
            try:
                return now()
            except FileNotFoundError as error:
                raise UnknownName(f"snapshot {shown(name)} is not here any more") from error


def find(store: Path, name: str) -> Path | None:
    """Folder of a snapshot of the store, also while it is being replaced; None where there is none."""
    found = _standing(store, name)
    if found is None:
        # A replacement takes two renames, and another may begin between two looks.
        with settled(store):
            found = _standing(store, name)
    return found


def _standing(store: Path, name: str) -> Path | None:
    # Where a replacement was cut off between its renames, the old one stands aside, still whole.
    aside = (path for path in store.glob(".*.old") if (m := _LEFTOVER.fullmatch(path.name)) and m["name"] == name)
    looks = ([store / name], aside, [store / name])
    return next((folder for some in looks for folder in some if _may_be_one(folder)), None)


def remove(folder: Path) -> None:
    """Remove a folder, or the link that stands for one; what a link points to is left alone."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _leave_to_tidying(folder: Path) -> None:
    """Remove what has no name any more; what cannot be removed now, the next command removes."""
    with suppress(OSError):
        remove(folder)


def tidy(store: Path) -> None:
    """Remove what writers left behind that no longer run, and put back a snapshot they had set aside."""
    if not store.is_dir():
        return
    for path in sorted(store.iterdir()):
        match = _LEFTOVER.fullmatch(path.name)
        if not match or is_in_use(match["mark"]):
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
    """Names of all snapshots in a store, in order; also of those that may not be looked into, or stand aside."""
    found = set()
    try:
        with os.scandir(store) as entries:
            for entry in entries:
                aside = _LEFTOVER.fullmatch(entry.name)
                is_aside = aside is not None and aside["kind"] == "old"
                if (is_aside or not entry.name.startswith(".")) and _may_be_one(entry.path):
                    found.add(aside["name"] if aside else entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found)


def _may_be_one(folder: Path | str) -> bool:
    """Whether there is a manifest, or what reading will tell of: a folder or link that may not be followed."""
    try:
        os.lstat(f"{folder}/{FILE_NAME}")
    except OSError as error:
        return error.errno in {errno.EACCES, errno.EPERM, errno.ELOOP}
    except ValueError:
        return False
    return True


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
    return [name for name in names(store) if _may_be_entered(store / name)]


def _may_be_entered(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & 0o077)
    except OSError:
        # A link that leads nowhere.
        return False


def manifests(store: Path) -> tuple[list[Manifest], list[CorruptSnapshot]]:
    """Manifests of all snapshots of a store, newest first, and what is wrong with those that cannot be read."""
    tidy(store)
    found: list[Manifest] = []
    unreadable: list[CorruptSnapshot] = []
    for name in names(store):
        try:
            found.append(read_through(store, name, partial(read_manifest, name=name)))
        except CorruptSnapshot as error:
            unreadable.append(error)
        except UnknownName:
            # Deleted meanwhile.
            continue
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
    if os.sep not in name and (found := find(store, name)) is not None:
        return found
    if _may_be_one(Path(name)):
        return Path(name)
    for folder in candidates:
        if os.path.isdir(folder) and name not in {"", ".", ".."}:  # noqa: PTH112
            raise CorruptSnapshot(f"{folder}: there is no {FILE_NAME}, so this folder is not a snapshot")
    if os.sep not in name:
        check_there(store)
    known = names(store)
    near = nearest(name, known)
    hint = f"did you mean {near!r}?" if near else f"known: {', '.join(known[:10]) or 'none'}"
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
    # What stands aside gets its name back, or would come back after its successor was deleted.
    tidy(store)
    if name not in names(store):
        if parts.is_dir():
            # A run that was cut off before its first snapshot.
            remove(parts)
            return
        if (store / name).exists():
            raise CorruptSnapshot(f"{store / name}: there is no {FILE_NAME}; if it is of no use, remove the folder")
        check_there(store)
        raise UnknownName(f"snapshot {name!r} is not in {store}; known: {', '.join(names(store)) or 'none'}")
    away, parts_away = side_folder(store, name, "partial"), side_folder(store, name, "partial")
    with locked(store):
        if parts.is_dir():
            parts.rename(parts_away)
        try:
            (store / name).rename(away)
        except OSError:
            if parts_away.exists():
                parts_away.rename(parts)
            raise
        sync_names(store)
    _leave_to_tidying(away)
    _leave_to_tidying(parts_away)
