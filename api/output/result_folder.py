"""The folder of a run's results: refused before the run where it cannot be used, then filled whole or not at all.

Files are written into a hidden folder inside it. Renaming that folder decides: a run that is killed before leaves the
earlier results, one that is killed after is finished by the next run into the folder. A report leaves first and comes
last, so one that is there always belongs to the outcomes beside it; a study takes the place of the old one at once.
"""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import NotWritable
from ingest.snapshot import private

OUTCOMES, REPORT, COMPARISON = "outcomes.arrow", "report.json", "study.json"
# What one run writes, by how its folder is called once it is decided; the last file says that all of it is there.
_SETS = {"pair": (OUTCOMES, REPORT), "study": (COMPARISON,)}
RESULTS = (OUTCOMES, REPORT, COMPARISON)
_SIDE = re.compile(r"\.results\.(?P<mark>\d+-[0-9a-f]{8})\.(?P<state>partial|pair|study)")


class ResultFolder:
    """A folder that one run writes results into, alone.

    Parameters
    ----------
    path : Path
        The folder; made when missing, and taken back when nothing comes into it.
    replace : bool
        Whether results in it may be replaced; whatever else is there stays.

    Raises
    ------
    NotWritable
        On entering: if it is no folder, a link, not writable, written into by another run, or holds results that
        may not be replaced.
    """

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self.path = path
        self.side = path / f".results.{private.own_mark()}.partial"
        self._may_replace = replace
        self._leaving = ExitStack()

    def __enter__(self) -> Self:
        with private.refused(self.path), ExitStack() as undo:
            if self.path.is_symlink():
                raise NotWritable(f"{self.path}: is a link; name the folder that it points to, or choose another --out")
            undo.callback(private.remove_empty, private.make_folder(self.path))
            self._tidy(alone=undo.enter_context(private.locked(self.path, wait=False)))
            self._refuse()
            undo.callback(shutil.rmtree, self.side, ignore_errors=True)
            with private.told_of(self.path):
                private.new_folder(self.side)
            self._leaving = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.close()

    def publish(self) -> None:
        """Put the files of the side folder into their places."""
        self._refuse()
        private.sync(self.side)
        state = "study" if (self.side / COMPARISON).exists() else "pair"
        ready = self.side.with_suffix(f".{state}")
        self.side.rename(ready)
        private.sync_names(self.path)
        self._finish(ready)

    def _refuse(self) -> None:
        for name in RESULTS:
            if (self.path / name).is_dir():
                raise NotWritable(f"{self.path / name}: is a folder; choose another --out or move it away")
        # os.path.lexists: a link is something too, whatever it points to.
        found = [name for name in RESULTS if (self.path / name).exists() or (self.path / name).is_symlink()]
        if found and not self._may_replace:
            raise NotWritable(
                f"{self.path}: holds results already ({', '.join(found)}); choose another --out, or add --replace"
            )

    def _tidy(self, *, alone: bool) -> None:
        """Finish or remove what runs left here that were killed."""
        for path in sorted(self.path.glob(".results.*")):
            match = _SIDE.fullmatch(path.name)
            if not match or path.is_symlink() or (private.is_in_use(match["mark"]) and not alone):
                continue
            if match["state"] in _SETS:
                self._finish(path)
            else:
                shutil.rmtree(path)

    def _finish(self, ready: Path) -> None:
        """Publish what is decided, and what a run before did not come to; nothing of the old is promised any more."""
        names = _SETS[ready.suffix[1:]]
        try:
            self._place(ready, names)
        except OSError:
            # What was there is gone in part, so it is worth a second try.
            try:
                self._place(ready, names)
            except OSError as error:
                raise NotWritable(
                    f"{self.path}: the new results are whole in {ready.name}, but could not be put into their places "
                    f"({error.strerror or error}); the next run into this folder puts them there"
                ) from error
        # The new ones stand; what cannot be removed now, the next run removes.
        with suppress(OSError):
            for name in (COMPARISON, REPORT, OUTCOMES):
                if name not in names:
                    (self.path / name).unlink(missing_ok=True)
            done = ready.rename(ready.with_suffix(".partial"))
            shutil.rmtree(done)

    def _place(self, ready: Path, names: tuple[str, ...]) -> None:
        """Move results into their places; right also where a part of it was done before."""
        if len(names) > 1 and (ready / names[-1]).exists():
            (self.path / names[-1]).unlink(missing_ok=True)
        for name in names:
            if (ready / name).exists():
                (ready / name).replace(self.path / name)
        private.sync_names(self.path)
