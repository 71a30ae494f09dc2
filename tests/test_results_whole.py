"""Results and snapshots are written whole or not at all, and are their owner's alone."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.output.result_files import ResultFiles
from api.output.result_folder import ResultFolder
from api.terminal.cli import run
from engine.errors import NotWritable
from ingest.genesys.collecting.parts import PartStore
from ingest.snapshot import private
from ingest.snapshot.store import open_to_others
from tests.small_snapshot import agents, interactions, write

PAIR = ["outcomes.arrow", "report.json"]
# What Python tells before it changes names or opens a file.
CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "store"
    write(folder)
    return folder


def simulate(store: Path, out: Path, *more: str) -> int:
    return run(["simulate", "--snapshot", "s", "--mode", "score", "--store", str(store), "--out", str(out), *more])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fill(folder: Path, text: bytes, *files: str) -> None:
    with ResultFolder(folder, replace=True) as place:
        for name in files or PAIR:
            private.write(place.side / name, text)
        place.publish()


def killed_before(change: int, work: Callable[[], object]) -> bool:
    """Do some work in a process of its own that is killed before its n-th change of files; whether it came so far."""
    child = os.fork()
    if child == 0:
        left = iter(range(change, -1, -1))

        def hook(event: str, arguments: object) -> None:
            if event in CHANGES and next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


@contextmanager
def small_disk(n_bytes: int) -> Iterator[None]:
    """No file of this process may grow larger; beyond it writing fails as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def modes(folder: Path) -> set[tuple[str, int]]:
    """Kind and mode of a folder and all in it."""
    found = (path.lstat().st_mode for path in (folder, *folder.rglob("*")))
    return {("folder" if stat.S_ISDIR(mode) else "file", stat.S_IMODE(mode)) for mode in found}


# --- killed at any instant -------------------------------------------------------------------------------------------


def test_a_run_killed_at_any_instant_leaves_one_whole_pair(tmp_path):
    """At every change of files: no report beside outcomes of another run, and one of the two runs is there in full
    once the next has begun."""
    found = set()
    for change in range(100):
        out = tmp_path / str(change)
        fill(out, b"1")
        was_killed = killed_before(change, lambda out=out: fill(out, b"2"))
        if (out / "report.json").exists():
            assert (out / "report.json").read_bytes() == (out / "outcomes.arrow").read_bytes()
        with ResultFolder(out, replace=True):
            pass
        assert names(out) == PAIR
        left = contents(out)
        assert left["report.json"] == left["outcomes.arrow"]
        found.add((was_killed, left["report.json"]))
        if not was_killed:
            break
    assert found == {(True, b"1"), (True, b"2"), (False, b"2")}
    assert change >= 8


def test_the_first_run_killed_at_any_instant_leaves_a_whole_pair_or_nothing(tmp_path):
    for change in range(100):
        out = tmp_path / str(change)
        was_killed = killed_before(change, lambda out=out: fill(out, b"1"))
        fill(tmp_path / "other", b"3")
        if out.exists():
            with ResultFolder(out, replace=True):
                pass
            assert names(out) in ([], PAIR)
        if not was_killed:
            return
    raise AssertionError


def test_a_finishing_run_that_is_killed_again_is_finished_by_the_next(tmp_path):
    """A run was killed right after its decision; the next is killed at any instant while it finishes that."""

    def look(out: Path) -> None:
        with ResultFolder(out, replace=True):
            pass

    for change in range(100):
        out = tmp_path / str(change)
        fill(out, b"1")
        (out / ".results.7-0123abcd.pair").mkdir()
        for name in PAIR:
            (out / ".results.7-0123abcd.pair" / name).write_bytes(b"2")
        was_killed = killed_before(change, lambda out=out: look(out))
        look(out)
        assert contents(out) == dict.fromkeys(PAIR, b"2")
        if not was_killed:
            break
    assert change >= 8


@pytest.mark.parametrize("earlier", [["study.json"], PAIR], ids=["study", "pair"])
def test_a_study_killed_at_any_instant_is_never_gone(tmp_path, earlier):
    """One file takes the place of the old one at once; what of another command stood there leaves when it stands."""
    for change in range(100):
        out = tmp_path / str(change)
        fill(out, b"1", *earlier)
        was_killed = killed_before(change, lambda out=out: fill(out, b"2", "study.json"))
        left = contents(out) if all(path.is_file() for path in out.iterdir()) else {}
        there = {name for name in ("study.json", *PAIR) if (out / name).exists()}
        assert "study.json" in there or there == set(PAIR)
        with ResultFolder(out, replace=True):
            pass
        assert names(out) in (earlier, ["study.json"])
        if not was_killed:
            assert left == {"study.json": b"2"}
            return
    raise AssertionError


def test_a_calibration_killed_at_any_instant_is_whole_and_no_chart_of_another_lies_beside_it(tmp_path):
    def fitted(folder: Path, text: bytes) -> None:
        with ResultFiles(folder / "c.json", folder / "c.svg", replace=True) as files:
            files.write(text, text)

    for change in range(100):
        folder = tmp_path / str(change)
        fitted(folder, b"1")
        was_killed = killed_before(change, lambda folder=folder: fitted(folder, b"2"))
        left = contents(folder)
        assert left["c.json"] in (b"1", b"2")
        assert left.get("c.svg") in (left["c.json"], None)
        fitted(folder, b"3")
        assert contents(folder) == {"c.json": b"3", "c.svg": b"3"}
        if not was_killed:
            return
    raise AssertionError


def test_leftovers_of_killed_runs_go_and_files_of_others_stay(tmp_path, store):
    """Also of a process of the same number, as every run has it that starts in a container of its own."""
    out = tmp_path / "out"
    for number in (os.getpid(), 4_000_000_000):
        (out / f".results.{number}-0123abcd.partial").mkdir(parents=True)
        (out / f".results.{number}-0123abcd.partial" / "outcomes.arrow").touch()
    (out / "notes.txt").write_text("mine")
    (out / ".results.mine").touch()
    (out / "older").mkdir()
    assert simulate(store, out) == 0
    assert names(out) == [".results.mine", "notes.txt", "older", *PAIR]


def test_what_an_earlier_process_of_the_same_number_left_is_gone_after_the_next_import_or_calibration(tmp_path):
    mark = f"{os.getpid()}-0123abcd"
    (tmp_path / f".s.{mark}.partial").mkdir()
    write(tmp_path)
    assert names(tmp_path) == ["s"]
    (tmp_path / "s").rename(tmp_path / f".s.{mark}.old")
    write(tmp_path, "t")
    (tmp_path / f".c.json.{mark}.partial").touch()
    with ResultFiles(tmp_path / "c.json"):
        pass
    assert names(tmp_path) == ["s", "t"]


@pytest.mark.parametrize("what", ["results", "snapshot", "calibration"])
def test_all_files_are_on_the_disk_before_they_have_their_name(tmp_path, store, monkeypatch, what):
    synced: set[int] = set()
    unsynced: list[set[int]] = []
    rename, replace = Path.rename, Path.replace

    def named(move: Callable[[Path, Path], Path], path: Path, target: Path) -> Path:
        held = [path, *path.rglob("*")] if path.is_dir() else [path]
        unsynced.append({each.stat().st_ino for each in held} - synced)
        return move(path, target)

    monkeypatch.setattr(os, "fsync", lambda number: synced.add(os.fstat(number).st_ino))
    monkeypatch.setattr(Path, "rename", lambda path, target: named(rename, path, target))
    monkeypatch.setattr(Path, "replace", lambda path, target: named(replace, path, target))
    if what == "results":
        assert simulate(store, tmp_path / "out") == 0
    elif what == "snapshot":
        write(tmp_path)
    else:
        with ResultFiles(tmp_path / "c.json", tmp_path / "c.svg") as files:
            files.write(b"1", b"2")
    assert unsynced and not set().union(*unsynced)


# --- refused first ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["simulate", "compare"])
def test_a_folder_with_results_needs_replace_and_is_refused_before_anything_runs(tmp_path, store, capsys, command):
    """Results of any command count; the snapshot does not even have to be there to be refused."""
    for file in (*PAIR, "study.json"):
        out = tmp_path / file.partition(".")[0]
        out.mkdir()
        (out / file).write_text("earlier")
        assert run([command, "--snapshot", "nope", "--store", str(store), "--out", str(out)]) == 2
        said = f"error: {out}: holds results already ({file}); choose another --out, or add --replace\n"
        assert capsys.readouterr().err == said
        assert contents(out) == {file: b"earlier"}


def test_with_replace_all_of_the_earlier_results_make_way_and_nothing_else(tmp_path, store):
    out = tmp_path / "out"
    fill(out, b"1", "study.json")
    (out / "notes.txt").write_text("mine")
    assert simulate(store, out, "--replace") == 0
    assert names(out) == ["notes.txt", *PAIR]
    fill(out, b"2", "study.json")
    assert names(out) == ["notes.txt", "study.json"]


def test_what_cannot_hold_results_is_refused_first(tmp_path, store, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for out, says in (
        ("file", "is a file"), ("file/out", "cannot be written (Not a directory); choose another folder"),
        ("link", "is a link; name the folder that it points to"), ("nowhere", "is a link"), ("n" * 300, "too long"),
    ):  # fmt: skip
        assert run(["simulate", "--snapshot", "nope", "--store", str(store), "--out", str(tmp_path / out)]) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1
    assert simulate(store, Path("/proc/out")) == 2
    assert "/proc/out: cannot be written" in capsys.readouterr().err
    assert names(tmp_path) == ["file", "folder", "link", "nowhere"]
    assert names(tmp_path / "folder") == []


def test_of_two_runs_into_one_folder_the_second_is_refused(tmp_path, store, capsys):
    out = tmp_path / "out"
    with ResultFolder(out) as first:
        assert simulate(store, out, "--replace") == 2
        assert f"{out}: another run is writing here; wait for it" in capsys.readouterr().err
        for name in PAIR:
            private.write(first.side / name, b"1")
        first.publish()
    assert contents(out) == dict.fromkeys(PAIR, b"1")


def test_a_run_that_fails_takes_back_the_folders_that_it_made(tmp_path, store):
    out = tmp_path / "a" / "b"
    assert simulate(store, out, "--snapshot", "nope") == 2
    assert names(tmp_path) == []


def test_calibrations_are_replaced_only_if_told(tmp_path, store, capsys):
    (tmp_path / "c.json").write_text("earlier")
    (tmp_path / "c.svg").write_text("earlier")
    (tmp_path / "l.json").symlink_to(tmp_path / "c.json")
    for words, says in (
        (["--out", "c.json"], "c.json: is there already; name another file, or add --replace"),
        (["--out", "new.json", "--chart", "c.svg"], "c.svg: is there already"),
        (["--out", "l.json", "--replace"], "l.json: is a link; name the file that it points to"),
        (["--out", "c.svg", "--chart", "c.svg", "--replace"], "c.svg: is named for two files"),
    ):
        given = [str(tmp_path / word) if "." in word else word for word in words]
        assert run(["calibrate", "--snapshot", "nope", "--store", str(store), *given]) == 2
        assert says in capsys.readouterr().err
    with pytest.raises(NotWritable, match="is no plain file"), ResultFiles(Path("/dev/null"), replace=True):
        pass
    assert names(tmp_path) == ["c.json", "c.svg", "l.json"]
    assert (tmp_path / "c.json").read_text() == "earlier"


# --- a full disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bytes", [0, 600, 6_000])
def test_a_full_disk_leaves_nothing_of_the_run_and_all_of_the_earlier_one(tmp_path, store, capsys, n_bytes):
    """It is full at the first byte, in the outcomes, or only in the report: one line, exit code 1."""
    out = tmp_path / "out"
    with small_disk(n_bytes):
        code = simulate(store, out)
    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith(f"failed: {out}: File too large; make room there and run it again") and said.count("\n") == 1
    assert not out.exists()
    fill(out, b"1")
    with small_disk(n_bytes):
        assert simulate(store, out, "--replace") == 1
    assert contents(out) == dict.fromkeys(PAIR, b"1")


@pytest.mark.parametrize("n_bytes", [0, 1_200, 4_000])
def test_a_full_disk_leaves_nothing_of_an_import_and_the_earlier_snapshot(tmp_path, n_bytes):
    """Also where the day that is open cannot be closed any more."""
    store = tmp_path / "store"
    with small_disk(n_bytes), pytest.raises(OSError, match="File too large"):
        write(store)
    assert names(tmp_path) == []
    before = write(store)
    with small_disk(n_bytes), pytest.raises(OSError, match=r"File too large.*/store/s'") as told:
        write(store, frames=[interactions(90)], replace=True)
    assert told.value.errno == errno.EFBIG
    assert names(store) == ["s"]
    assert write(store, replace=True) == before


def test_a_full_disk_leaves_no_part_and_what_was_remembered(tmp_path):
    from datetime import UTC, datetime

    parts = PartStore(tmp_path / "parts")
    parts.remember(a=1)
    day = datetime(2026, 1, 5, tzinfo=UTC)
    with small_disk(100):
        with pytest.raises(OSError, match="File too large"):
            parts.write(day.date(), "users", ["a"], day, {"lives": agents()})
        with pytest.raises(OSError, match="File too large"):
            parts.remember(b="b" * 200)
    assert parts.parts() == [] and parts.state() == {"a": 1}
    assert names(parts.folder) == ["job.json"]


def test_a_snapshot_whose_new_one_finds_no_room_for_its_name_stays(tmp_path, monkeypatch):
    before, rename = write(tmp_path), Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.suffix == ".partial":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, frames=[interactions(90)], replace=True)
    monkeypatch.undo()
    assert names(tmp_path) == ["s"]
    assert write(tmp_path, replace=True) == before


# --- private ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0, 0o277], ids=oct)
def test_all_that_is_written_is_its_owners_alone_whatever_the_umask(tmp_path, umask):
    """Snapshots with days that are written twice, parts, results, calibrations."""
    from datetime import UTC, datetime

    now, before = datetime(2026, 1, 5, tzinfo=UTC), os.umask(umask)
    try:
        write(tmp_path / "a" / "store", frames=[interactions(5), interactions(90)[5:]])
        parts = PartStore(tmp_path / "a" / "parts")
        with parts.locked():
            parts.write(now.date(), "users", ["a"], now, {"lives": agents()})
            parts.remember(a=1)
        assert simulate(tmp_path / "a" / "store", tmp_path / "a" / "out") == 0
        with ResultFiles(tmp_path / "a" / "new" / "c.json") as files:
            files.write(b"1")
    finally:
        os.umask(before)
    assert modes(tmp_path / "a") == {("folder", 0o700), ("file", 0o600)}


def test_snapshots_of_earlier_versions_that_others_can_read_are_named_and_left(tmp_path, capsys, monkeypatch):
    """Only where every folder on the way lets others pass."""
    write(tmp_path, "new")
    write(tmp_path, "old")
    (tmp_path / "old").chmod(0o755)
    passes = {path: path.stat().st_mode | 0o055 for path in (tmp_path, *tmp_path.parents)}
    before = Path.stat

    def stat_of(path: Path, **how: bool) -> object:
        return Mode(passes[path]) if path in passes else before(path, **how)

    Mode = namedtuple("Mode", "st_mode")
    monkeypatch.setattr(Path, "stat", stat_of)
    said = f"note: other users of this machine can read old in {tmp_path}, with names of agents; "
    assert open_to_others(tmp_path) == ["old"]
    passes[tmp_path] = stat.S_IFDIR | 0o700
    assert open_to_others(tmp_path) == []
    monkeypatch.undo()
    monkeypatch.setattr("ingest.snapshot.store.open_to_others", lambda store: ["old"])
    assert run(["snapshot", "list", "--store", str(tmp_path)]) == 0
    assert capsys.readouterr().err.startswith(said)
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o755


def test_a_file_is_private_before_its_first_byte(tmp_path):
    before = os.umask(0)
    try:
        with private.create(tmp_path / "file"):
            assert modes(tmp_path) - {("folder", stat.S_IMODE(tmp_path.stat().st_mode))} == {("file", 0o600)}
    finally:
        os.umask(before)


def test_no_planted_link_is_followed(tmp_path, store):
    """Neither where a side file would stand nor in place of the results."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(FileExistsError):
        private.write(tmp_path / "link", b"1")
    out = tmp_path / "out"
    out.mkdir()
    for name in PAIR:
        (out / name).symlink_to(victim)
    assert simulate(store, out) == 2
    assert simulate(store, out, "--replace") == 0
    assert victim.read_text() == "precious"
    assert not any((out / name).is_symlink() for name in PAIR)
