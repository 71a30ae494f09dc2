"""Single files of results: refused before the run where they cannot be written, then whole or not at all as a set."""

from __future__ import annotations

import re
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import NotWritable
from ingest.snapshot import private

_SIDE = re.compile(r"\.(?P<name>.+)\.(?P<mark>\d+-[0-9a-f]{8})\.partial")


class ResultFiles:
    """Files that one run writes, the first of them what the others belong to.

    Parameters
    ----------
    *paths : Path
        The files; folders above them are made when missing.
    replace : bool
        Whether files that are there already may be replaced.

    Raises
    ------
    NotWritable
        On entering: if one is no plain file, cannot be written, or is there and may not be replaced.
    """

    def __init__(self, *paths: Path, replace: bool = False) -> None:
        self.paths = paths
        self._may_replace = replace
        self._sides = [path.parent / f".{path.name}.{private.own_mark()}.partial" for path in paths]
        self._leaving = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            if len({path.absolute() for path in self.paths}) < len(self.paths):
                raise NotWritable(f"{self.paths[0]}: is named for two files; choose another name for one of them")
            for path, side in zip(self.paths, self._sides, strict=True):
                with private.refused(path):
                    undo.callback(private.remove_empty, private.make_folder(path.parent))
                    self._refuse(path)
                    _tidy(path)
                undo.callback(_drop, side)
            self._leaving = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.close()

    def write(self, *contents: bytes) -> None:
        """Put contents into all files, in their order."""
        for path, side, content in zip(self.paths, self._sides, contents, strict=True):
            self._refuse(path)
            with private.told_of(path):
                private.write(side, content)
        try:
            self._place()
        except OSError:
            # What was there is gone in part, so it is worth a second try.
            try:
                self._place()
            except OSError as error:
                named = ", ".join(map(str, self.paths))
                raise NotWritable(
                    f"{named}: could not be put into place ({error.strerror or error}), and what was there may be "
                    "missing in part; run it again with --replace, or choose another folder"
                ) from error

    def _place(self) -> None:
        """Move files into their places; right also where a part of it was done before."""
        # What is there of the others always belongs to the first.
        if self._sides[0].exists():
            for path in self.paths[1:]:
                path.unlink(missing_ok=True)
        for path, side in zip(self.paths, self._sides, strict=True):
            if side.exists():
                side.replace(path)
            private.sync_names(path.parent)

    def _refuse(self, path: Path) -> None:
        if path.is_symlink():
            raise NotWritable(f"{path}: is a link; name the file that it points to, or another")
        if path.is_dir():
            raise NotWritable(f"{path}: is a folder; name a file")
        if path.exists() and not path.is_file():
            raise NotWritable(f"{path}: is no plain file; name another")
        if path.exists() and not self._may_replace:
            raise NotWritable(f"{path}: is there already; name another file, or add --replace")


def _drop(side: Path) -> None:
    """Remove what is left of a run; what cannot be removed now, the next run removes."""
    with suppress(OSError):
        side.unlink(missing_ok=True)


def _tidy(path: Path) -> None:
    """Remove what runs for this file left behind that were killed."""
    for side in path.parent.glob(".*.partial"):
        match = _SIDE.fullmatch(side.name)
        if match and match["name"] == path.name and not private.is_in_use(match["mark"]):
            with suppress(IsADirectoryError):
                side.unlink(missing_ok=True)
