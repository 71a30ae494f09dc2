"""Whatever fails while something is replaced or deleted, what is said afterwards holds."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from api.output.result_files import ResultFiles
from api.output.result_folder import ResultFolder
from engine.errors import NotWritable
from ingest.snapshot import private
from ingest.snapshot.store import delete, tidy
from tests.small_snapshot import interactions, write
from tests.test_results_whole import PAIR, contents, fill, names


class Faults:
    """Ways to change names and to sync that fail with a full disk: the n-th of them, or all from it on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: int, *, forever: bool) -> None:
        self.first, self.forever, self.seen = first, forever, 0
        for name in ("unlink", "rename", "replace", "rmdir", "fsync"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, change: Callable[..., object]) -> Callable[..., object]:
        def changed(*given: object, **how: object) -> object:
            self.seen += 1
            if self.seen == self.first or (self.forever and self.seen > self.first):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return change(*given, **how)

        return changed


@pytest.mark.parametrize("forever", [False, True], ids=["once", "from_then_on"])
def test_whatever_fails_when_results_are_replaced_what_is_said_holds(tmp_path, monkeypatch, forever):
    """At every change of names: as before, or the new ones, or a sentence that tells where the new ones are whole."""
    ends = set()
    for first in range(1, 100):
        out = tmp_path / str(first)
        fill(out, b"1")
        said = None
        with monkeypatch.context() as patch:
            faults = Faults(patch, first, forever=forever)
            try:
                fill(out, b"2")
            except (OSError, NotWritable) as error:
                said = error
        files = {name: (out / name).read_bytes() for name in PAIR if (out / name).exists()}
        if said is None:
            assert files == dict.fromkeys(PAIR, b"2")
        elif isinstance(said, NotWritable):
            side = next(path.name for path in out.glob(".results.*.pair"))
            assert f"{out}: the new results are whole in {side}, but could not be put into their places" in str(said)
        else:
            assert files == dict.fromkeys(PAIR, b"1")
        with ResultFolder(out, replace=True):
            pass
        assert contents(out) == dict.fromkeys(PAIR, b"1" if isinstance(said, OSError) else b"2")
        ends.add(type(said))
        if faults.seen < first:
            break
    assert ends == ({OSError, NotWritable, type(None)} if forever else {OSError, type(None)})


@pytest.mark.parametrize("forever", [False, True], ids=["once", "from_then_on"])
@pytest.mark.parametrize("work", ["replace", "delete"])
def test_whatever_fails_when_a_snapshot_leaves_an_error_means_that_it_is_still_there(
    tmp_path, monkeypatch, forever, work
):
    """And no error that it is gone; what could not be removed then is gone with the next command of another process."""
    for first in range(1, 100):
        store = tmp_path / str(first)
        before = write(store)
        (store / ".s.parts").mkdir()
        (store / ".s.parts" / "job.json").touch()
        failed = False
        with monkeypatch.context() as patch:
            faults = Faults(patch, first, forever=forever)
            try:
                write(store, frames=[interactions(90)], replace=True) if work == "replace" else delete(store, "s")
            except OSError:
                failed = True
        monkeypatch.setattr(private, "_OWN", set())
        tidy(store)
        stands = (store / "s" / "manifest.json").read_bytes() if (store / "s").exists() else b""
        assert (before.encode() in stands) == failed
        # Parts can be read again; they are gone only where not even putting them back works.
        kept = {".s.parts", "s"} if failed or work == "replace" else set()
        assert set(names(store)) in ([kept, {"s"}] if failed and forever else [kept])
        if faults.seen < first:
            return
    raise AssertionError


@pytest.mark.parametrize("forever", [False, True], ids=["once", "from_then_on"])
def test_whatever_fails_when_a_calibration_is_replaced_what_is_said_holds(tmp_path, monkeypatch, forever):
    for first in range(1, 100):
        folder = tmp_path / str(first)
        with ResultFiles(folder / "c.json", folder / "c.svg") as files:
            files.write(b"1", b"1")
        said = None
        with monkeypatch.context() as patch:
            faults = Faults(patch, first, forever=forever)
            try:
                with ResultFiles(folder / "c.json", folder / "c.svg", replace=True) as files:
                    files.write(b"2", b"2")
            except (OSError, NotWritable) as error:
                said = error
        left = {name: (folder / name).read_bytes() for name in ("c.json", "c.svg") if (folder / name).exists()}
        if said is None:
            assert left == {"c.json": b"2", "c.svg": b"2"}
        elif isinstance(said, NotWritable):
            assert "what was there may be missing in part; run it again with --replace" in str(said)
            assert left.get("c.svg") in (left["c.json"], None)
        else:
            assert left == {"c.json": b"1", "c.svg": b"1"}
        if faults.seen < first:
            return
    raise AssertionError


def test_a_replaced_snapshot_that_could_not_be_removed_does_not_come_back_when_its_successor_is_deleted(
    tmp_path, monkeypatch
):
    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.snapshot.store.remove", full)
        write(tmp_path, frames=[interactions(90)], replace=True)
    delete(tmp_path, "s")
    monkeypatch.setattr(private, "_OWN", set())
    tidy(tmp_path)
    assert names(tmp_path) == []
