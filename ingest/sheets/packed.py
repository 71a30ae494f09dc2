"""Compressed files and archives, unpacked within a bound."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any

from engine.memory import Need
from engine.stopping import check
from ingest.sheets import kinds
from ingest.sheets.content import DAMAGED, Content
from ingest.sheets.names import may_hold
from ingest.workers import MEMORY

# Exports of years are some gigabytes; what unpacks to more is told to be unpacked first. [byte]
MOST_UNPACKED = 4 << 30
_PIECE = 4 << 20
MOST_MEMBERS = 1_000
# Tables shrink to a tenth or a hundredth of their size; what unpacks to so many times its size is made to do harm.
MOST_TIMES, WORTH_COMPARING = 500, 64 << 20
# So often is asked whether there is room for as much again. [byte]
_STEP = 256 << 20


def unpacked(content: Content, kind: str) -> Iterator[Content]:
    """What a compressed file holds, or each table of an archive."""
    if kind == kinds.ZIP:
        yield from _members(content)
        return
    name = content.name
    for ending in (".gz", ".zst", ".bz2", ".xz"):
        name = name.removesuffix(ending)
    data = _read(content, partial(_stream, content, kind), kind)
    yield Content(content.path, content.name, data, kind, name)


def _members(content: Content) -> Iterator[Content]:
    """Files of an archive that may hold tables."""
    with kinds.archive(content) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and _may_hold(info.filename)]
        if not infos:
            raise content.refused("the archive holds no tables; put the files that do into it")
        if len(infos) > MOST_MEMBERS:
            raise content.refused(f"the archive holds {len(infos):,} files; name those that hold the tables")
        for info in infos:
            if info.flag_bits & 1:
                raise content.refused(f"{info.filename} in it is protected by a password; save it without one")
            _check_size(content, info.file_size)
            data = _read(content, partial(archive.open, info), f"{kinds.ZIP} ({info.filename})")
            if data:
                name = f"{content.name}/{PurePosixPath(info.filename).name}"
                yield Content(content.path, name if len(infos) > 1 else content.name, data, kinds.ZIP, info.filename)


def _may_hold(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.name.startswith((".", "~$")) and "__MACOSX" not in path.parts and may_hold(path.suffix.lower())


def _stream(content: Content, kind: str) -> Any:
    raw = content.raw()
    if kind == kinds.GZIP:
        import gzip

        return gzip.GzipFile(fileobj=raw)
    if kind == kinds.BZIP2:
        import bz2

        return bz2.BZ2File(raw)
    if kind == kinds.XZ:
        import lzma

        return lzma.LZMAFile(raw)
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")


def _read(content: Content, opened: Callable[[], IO[bytes]], kind: str) -> bytes:
    """All of it, piece by piece, while there is room for it."""
    parts = io.BytesIO()
    n_bytes, asked = 0, WORTH_COMPARING
    try:
        with opened() as stream:
            while piece := stream.read(_PIECE):
                check()
                n_bytes += parts.write(piece)
                if n_bytes > asked:
                    asked += WORTH_COMPARING
                    _check_size(content, n_bytes)
    except DAMAGED as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise content.refused(
            f"cannot be unpacked as {kind} ({lines[0][:200]}); it is damaged or cut short: copy or save it again"
        ) from error
    return parts.getvalue()


def _check_size(content: Content, n_bytes: int) -> None:
    if n_bytes > MOST_UNPACKED:
        raise content.refused(f"unpacks to over {MOST_UNPACKED >> 30} GiB; unpack it first, or take fewer days")
    if n_bytes > max(WORTH_COMPARING, MOST_TIMES * len(content.data)):
        raise content.refused(f"unpacks to over {MOST_TIMES} times its size, and no table does; check what it holds")
    # What is unpacked, as text and as cells.
    if n_bytes > _STEP:
        MEMORY.check(Need(3 * n_bytes, f"{content.name}: unpacking {n_bytes >> 20:,} MiB", "take fewer days at a time"))
