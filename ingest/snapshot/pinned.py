"""A file of a snapshot, mapped: it stays readable when its folder is renamed or deleted, and holds no descriptor."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import mmap
import os
import stat
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow as pa
from polars.exceptions import PanicException, PolarsError
from pyarrow import ArrowException, ipc

from engine.errors import CorruptSnapshot, LimitReached
from engine.stopping import checked
from ingest.snapshot.examination.structure import check_structure
from ingest.snapshot.manifest import FileEntry

RESTORE = "restore the file or import the data again"
# Only plain files of the folder itself: no link to elsewhere is followed, and no pipe is waited for.
PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
# Hashed at a time, so that who has left is noticed in between. [byte]
PIECE = 1 << 24
_UNREADABLE = (ValueError, OSError, NotImplementedError, LookupError, TypeError, ArrowException, PolarsError)
_FAILED = ctypes.c_void_p(-1).value


class Mapping:
    """Bytes of an open file in memory, read-only, until nobody reads them any more.

    Python's own `mmap` keeps a descriptor for as long as it maps, one for each day of each open snapshot.
    """

    def __init__(self, handle: int, size: int) -> None:
        address = _libc().mmap(None, size, mmap.PROT_READ, mmap.MAP_PRIVATE, handle, 0)
        if address == _FAILED:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._address, self._size = address, size

    def __del__(self) -> None:
        if hasattr(self, "_address"):
            _libc().munmap(self._address, self._size)

    def buffer(self) -> pa.Buffer:
        """The bytes, nothing copied; whoever holds a part of them keeps the mapping."""
        return pa.foreign_buffer(self._address, self._size, self)

    def let_go(self) -> None:
        """Give the memory of pages read so far back; whoever looks at them again gets them from the file."""
        if hasattr(mmap, "MADV_DONTNEED"):
            _libc().madvise(self._address, self._size, mmap.MADV_DONTNEED)


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    place, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    libc.mmap.argtypes, libc.mmap.restype = (place, size, number, number, number, ctypes.c_long), place
    libc.munmap.argtypes = place, size
    libc.madvise.argtypes = place, size, number
    return libc


class Pinned:
    """A mapped file of a folder; `examine` refuses content that does not fit its table.

    What is copied is small and read into memory, so that nothing that was read depends on the file any more.
    """

    def __init__(
        self, entry: FileEntry, folder: int, path: Path, shown: str,
        examine: Callable[[ipc.RecordBatchFileReader], None], *, is_copied: bool,
    ) -> None:  # fmt: skip
        self._entry, self._path, self.shown, self._examine, self._is_copied = entry, path, shown, examine, is_copied
        self._lock = threading.Lock()
        self._is_sound = False
        handle = os.open(path.name, PLAIN, dir_fd=folder)
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("not a plain file")
            if found.st_size != entry.bytes:
                raise CorruptSnapshot(f"{shown}: {found.st_size} bytes, the manifest says {entry.bytes}; {RESTORE}")
            self._mapping = Mapping(handle, found.st_size)
            self._as_mapped = self._as_read = found
        finally:
            os.close(handle)

    def reader(self) -> ipc.RecordBatchFileReader:
        """Reads the bytes that were once written and refuses any others; for one thread, as readers are not shared."""
        return ipc.open_file(self._copied() if self._is_copied else self._mapped())

    def check(self) -> None:
        """Compare with the manifest and examine the content, once; lets other threads run meanwhile."""
        self.reader()

    def let_go(self) -> None:
        """Give the memory of pages read so far back."""
        self._mapping.let_go()

    def _mapped(self) -> pa.Buffer:
        content = self._mapping.buffer()
        with self._lock:
            self._notice_changes()
            if not self._is_sound:
                self._prove(content)
        return content

    def _copied(self) -> pa.Buffer:
        with self._lock:
            self._notice_changes()
            content = pa.py_buffer(self._mapping.buffer().to_pybytes())
            self._prove(content)
        return content

    def _notice_changes(self) -> None:
        """A file that is cut off under a mapping ends the process that looks at what is gone, so we look first."""
        try:
            now = os.stat(self._path, follow_symlinks=False)  # noqa: PTH116
        except OSError:
            # Replaced or deleted: nobody can reach ours by this name any more.
            return
        if (now.st_dev, now.st_ino) != (self._as_mapped.st_dev, self._as_mapped.st_ino):
            return
        if now.st_size != self._as_mapped.st_size:
            raise CorruptSnapshot(f"{self.shown}: was changed while it was open; {RESTORE}")
        if now.st_mtime_ns != self._as_read.st_mtime_ns:
            self._as_read, self._is_sound = now, False

    def _prove(self, content: pa.Buffer) -> None:
        entry, found = self._entry, hashlib.sha256()
        view = memoryview(content)
        for start in checked(range(0, len(view), PIECE)):
            found.update(view[start : start + PIECE])
        if found.hexdigest() != entry.sha256:
            raise CorruptSnapshot(
                f"{self.shown}: content differs from the manifest (sha256 {found.hexdigest()[:12]}..., "
                f"expected {entry.sha256[:12]}...); {RESTORE}"
            )
        if self._is_sound:
            return
        try:
            check_structure(view)
            self._examine(ipc.open_file(content))
        except (*_UNREADABLE, PanicException) as error:
            why = str(error).partition("\n")[0]
            raise CorruptSnapshot(f"{self.shown}: cannot be read as a table ({why}); {RESTORE}") from error
        self._is_sound = True


def out_of(error: OSError, shown: str) -> LimitReached | None:
    """What the operating system has no more of, and the way out; None for any other error."""
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return LimitReached(
            f"{shown}: cannot be opened, because this process has as many open files as it may; raise the limit "
            "(ulimit -n), or let fewer connections and snapshots be open"
        )
    if error.errno in {errno.ENOMEM, errno.EAGAIN}:
        return LimitReached(
            f"{shown}: cannot be mapped, because this process has as much memory or as many mappings as it may; raise "
            "the limit (vm.max_map_count, ulimit -v), or let fewer snapshots be open"
        )
    return None
