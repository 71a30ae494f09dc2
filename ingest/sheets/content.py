"""What a file holds, before anything of it is understood."""

from __future__ import annotations

import io
import lzma
import mmap
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.errors import InvalidTable

Buffer = bytes | mmap.mmap
# What the standard library raises for bytes that are not what they say they are.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
    LookupError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Content:
    """Bytes of one file, or of one member of an archive."""

    path: Path  # The file on disk
    name: str  # As its reader calls it: `export.csv`, `march.zip/calls.csv`
    data: Buffer  # Never empty
    packed: str = ""  # How it was packed: `gzip`; empty where `data` is the file as it lies on disk
    inside: str = ""  # Its name once unpacked

    @property
    def suffix(self) -> str:
        """Ending of the name, in small letters."""
        return Path(self.inside or self.name).suffix.lower()

    def raw(self) -> BinaryIO:
        """A stream of it."""
        return io.BytesIO(self.data) if self.packed else self.path.open("rb")

    def refused(self, sentence: str, row: int | None = None) -> InvalidTable:
        """The error that says what is wrong with it, and the way out."""
        return InvalidTable(f"{self.name}{'' if row is None else f', row {row}'}: {sentence}")


def opened(path: Path, name: str = "") -> Content:
    """A file, mapped and not read; called by its own name, or by another where several files have it."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise InvalidTable(f"{name or path.name}: the file is empty; it needs at least a header and one row")
        return Content(path, name or path.name, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
