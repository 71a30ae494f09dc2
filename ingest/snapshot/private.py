"""Files and folders that hold names of agents: their owner's alone from the first byte, whatever the umask.

Whatever writes snapshots, results or calibrations makes its files and folders here. A new file never stands where
something is already, so a link that somebody planted is not followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from engine.errors import NotWritable

FOLDER, FILE = 0o700, 0o600
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OWN: set[str] = set()
# What file systems answer that cannot lock a folder, as NFS; names of their own still keep writers apart there.
_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS})


def make_folder(folder: Path) -> list[Path]:
    """Make a folder that results go to, or say why it cannot be written.

    Parameters
    ----------
    folder : Path
        The folder; those above it are made too.

    Returns
    -------
    list of Path
        Those that were made now, the outermost first; what was there keeps its mode.

    Raises
    ------
    NotWritable
        If it cannot be made or written.
    OSError
        If the disk is full.
    """
    made: list[Path] = []
    try:
        with refused(folder):
            missing = list(takewhile(lambda path: not path.exists(), (folder, *folder.parents)))
            for path in reversed(missing):
                # Another run may make it at the same moment.
                with suppress(FileExistsError):
                    new_folder(path)
                    made.append(path)
            if not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except BaseException:
        remove_empty(made)
        raise
    return made


@contextmanager
def refused(place: Path) -> Iterator[None]:
    """Say of a place that cannot be written that another may; a full disk is no fault of the place."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise
        why = error.strerror or str(error)
        raise NotWritable(f"{place}: cannot be written ({why}); choose another folder") from error


def new_folder(path: Path) -> None:
    """Make a folder that was not there."""
    path.mkdir(FOLDER)
    # A umask may take rights from the owner too.
    if path.stat().st_mode & FOLDER != FOLDER:
        path.chmod(FOLDER)


def remove_empty(made: list[Path]) -> None:
    """Take back folders that were made for nothing."""
    for path in reversed(made):
        # Somebody may have put something into it meanwhile.
        with suppress(OSError):
            path.rmdir()


def create(path: Path) -> BinaryIO:
    """Open a new file for writing; what is there already, a link too, is an error."""
    return os.fdopen(_opened(path, os.O_WRONLY | os.O_EXCL), "wb")


def lock_file(path: Path) -> int:
    """Open a file that is only there to be locked, made when missing."""
    return _opened(path, os.O_RDWR)


def _opened(path: Path, how: int) -> int:
    handle = os.open(path, how | os.O_CREAT | os.O_NOFOLLOW, FILE)
    if os.fstat(handle).st_mode & FILE != FILE:
        os.fchmod(handle, FILE)
    return handle


def reserve(path: Path) -> str:
    """A new empty file for a library that opens files by name; the name is given back."""
    create(path).close()
    return str(path)


def write(path: Path, content: bytes) -> None:
    """Write a new file, durably."""
    with create(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, whole or not at all; a link there is replaced, not followed."""
    side = path.with_name(f".{path.name}.{own_mark()}.partial")
    try:
        with told_of(path):
            write(side, content)
            side.replace(path)
    finally:
        # What cannot be removed must not hide why it is still there.
        with suppress(OSError):
            side.unlink(missing_ok=True)
    sync_names(path.parent)


def own_mark() -> str:
    """What names of side files and folders hold of the process that made them."""
    mark = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    _OWN.add(mark)
    return mark


def is_in_use(mark: str) -> bool:
    """Whether the process of a mark may still be at work."""
    pid = int(mark.partition("-")[0])
    if pid == os.getpid():
        # In a container every run may have the same number; what it did not make, an earlier one left.
        return mark in _OWN
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_names(folder: Path) -> None:
    """Make names in a folder durable, which hold already: a full disk takes none of them back."""
    try:
        sync(folder)
    except OSError as error:
        if error.errno not in FULL:
            raise


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Keep other writers from changing names in a folder; the lock goes with the process, however it ends.

    Parameters
    ----------
    folder : Path
        The folder.
    wait : bool
        Whether to wait for others, or to refuse.

    Yields
    ------
    bool
        Whether it is held; not so where the file system knows no locks.

    Raises
    ------
    NotWritable
        If another holds it and `wait` is false.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield _lock(handle, folder, wait)
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NotWritable(f"{folder}: another run is writing here; wait for it, or choose another folder") from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


@contextmanager
def told_of(place: Path) -> Iterator[None]:
    """Name the place where a library does not say what it could not write, or names a file that nobody knows."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and error.errno not in FULL):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(place)) from error
