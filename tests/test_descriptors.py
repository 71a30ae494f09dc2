"""How many files are open has nothing to do with how many days a snapshot has, and running out of them is told once."""

from __future__ import annotations

import errno
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.errors import LimitReached
from ingest.snapshot import pinned
from ingest.snapshot.manifest import FILE_NAME
from ingest.snapshot.reading import open_snapshot
from tests import crafted
from tests.small_service import client_of, refusal, write_centre
from tests.small_snapshot import START, interactions, write

# Of each of four; far more than the 64 files that the process may have.
N_DAYS = 150


def many_days(store: Path) -> None:
    """A snapshot of many days of one call each: one file, with its day moved on."""
    from pyarrow import ipc

    write(store, frames=[interactions(1)])
    folder = store / "s"
    path = next((folder / "interactions").iterdir())
    with ipc.open_file(str(path)) as reader:
        one = reader.read_all()
    place, said = one.column_names.index("arrived_at"), json.loads((folder / FILE_NAME).read_text())
    others = [entry for entry in said["files"] if entry["table"] != "interactions"]
    days = []
    for day in range(N_DAYS):
        at = START + timedelta(days=day)
        name = f"interactions/{at.date()}.arrow"
        table = one.set_column(place, "arrived_at", pl.Series([at]).dt.cast_time_unit("us").to_arrow())
        with ipc.new_file(str(folder / name), table.schema) as writer:
            writer.write_table(table)
        days.append({"path": name, "table": "interactions", "rows": 1})
    said |= {"files": sorted([*others, *days], key=lambda entry: entry["path"])}
    said["rows"]["interactions"] = N_DAYS
    said["interval"] = {"start": START.isoformat(), "end": (START + timedelta(days=N_DAYS - 1)).isoformat()}
    (folder / FILE_NAME).write_text(json.dumps(said))
    crafted.fit(folder)


def n_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def read_four(store: str) -> None:
    """Run in a child with 64 files at most: four snapshots open at once, the first one deleted, all read whole."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    before = n_open()
    opened = [open_snapshot(Path(store), name) for name in "abcd"]
    assert n_open() <= before + 4
    shutil.rmtree(Path(store) / "a")
    for snapshot in opened:
        arrays = snapshot.arrays()
        assert sum(batch.call_type.size for batch in arrays.batches()) == N_DAYS
        assert arrays.history().arrived_us.size == N_DAYS
    assert n_open() <= before + 4
    del opened, snapshot, arrays
    import gc

    gc.collect()
    maps = Path("/proc/self/maps").read_text()
    assert "/b/interactions/" not in maps


def test_four_snapshots_of_many_days_are_open_in_a_process_of_64_files(tmp_path):
    many_days(tmp_path)
    (tmp_path / "s").rename(tmp_path / "a")
    for name in "bcd":
        shutil.copytree(tmp_path / "a", tmp_path / name)
    ran = crafted.in_a_child("run_in('tests.test_descriptors', 'read_four', sys.argv[1])", tmp_path)
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_pages_of_days_that_were_read_are_given_back(tmp_path):
    """A year passes by in the memory of a day."""
    write(tmp_path, frames=[interactions(50)])
    snapshot = open_snapshot(tmp_path, "s")
    told = []
    for one in snapshot.files_of("interactions"):
        one.let_go = lambda one=one: told.append(one)
    list(snapshot.arrays().batches())
    assert told == snapshot.files_of("interactions")


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.EMFILE, "raise the limit (ulimit -n)"), (errno.ENFILE, "ulimit -n"), (errno.ENOMEM, "vm.max_map_count")],
)
def test_what_the_machine_has_no_more_of_is_no_fault_of_the_snapshot(tmp_path, monkeypatch, caplog, number, says):
    """The files are sound, so nobody is sent to import them again."""

    def refuse(*args):
        raise OSError(number, os.strerror(number))

    write_centre(tmp_path)
    monkeypatch.setattr(pinned, "Mapping", refuse)
    with pytest.raises(LimitReached) as caught:
        open_snapshot(tmp_path, "centre")
    assert says in str(caught.value)
    client = client_of(tmp_path)
    detail = refusal(client.get("/snapshots/centre"), 503)
    assert says in detail
    assert "import" not in detail
    assert str(tmp_path) not in detail
    assert len(caplog.text) < 1000
