"""Killed at any moment, a run goes on where it was and ends with the same bytes; the old snapshot stays readable."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api.terminal.cli import run
from ingest.double import Double
from ingest.snapshot import store as stores
from ingest.snapshot.verifying import verify
from tests.small_platform import content, small

LONGEST_S = 60
# Soon enough to kill between any two steps; who looks without a pause takes the time of the double, a thread of ours.
LOOK_S = 0.001
SECRET = "a-secret-that-nobody-may-see"


def command(store: Path, *queues: str) -> list[str]:
    chosen = [part for queue in queues for part in ("--queue", queue)]
    days = ["--from", "2026-01-05", "--to", "2026-01-06"]
    return [sys.executable, "-m", "api", "snapshot", "genesys", "--name", "n", *chosen, *days, "--store", str(store)]


def parts(store: Path) -> set[str]:
    return {path.parent.name for path in store.glob(".n.parts/*/part.json")}


def given(double: Double) -> dict[str, str]:
    access = {"GENESYS_BASE_URL": double.url, "GENESYS_CLIENT_ID": "demo", "GENESYS_CLIENT_SECRET": SECRET}
    return access | {"ROUTELAB_SETTINGS": os.devnull}


def environment(double: Double) -> dict[str, str]:
    return os.environ | given(double)


def finished(store: Path, double: Double, *queues: str) -> None:
    """Let the command run to its end, here; only who is killed needs a process of its own."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in given(double).items():
            patched.setenv(name, value)
        assert run(command(store, *queues)[3:]) == 0


def killed(store: Path, double: Double, *queues: str, when: Callable[[], bool]) -> None:
    """Start a run and kill it as soon as something holds, unless it was faster."""
    running = subprocess.Popen(
        command(store, *queues), env=environment(double), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while running.poll() is None and not when():
        time.sleep(LOOK_S)
    running.kill()
    running.wait(LONGEST_S)


@pytest.fixture(scope="module")
def double():
    with Double(small(), client_secret=SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def whole(double, tmp_path_factory):
    """Both queues read at once, and the requests that it takes."""
    store = tmp_path_factory.mktemp("whole")
    before = len(double.requests)
    finished(store, double, "Queue 1", "Queue 2")
    return content(store / "n"), len(double.requests) - before


def test_killed_between_requests_it_goes_on_to_the_same_bytes(tmp_path, double, whole):
    expected, n_requests = whole
    rng = random.Random()
    marks = sorted(rng.sample(range(1, n_requests), 2))
    for mark in marks:
        start = len(double.requests)
        killed(
            tmp_path,
            double,
            "Queue 1",
            "Queue 2",
            when=lambda start=start, mark=mark: len(double.requests) - start >= mark,
        )
        assert stores.names(tmp_path) in ([], ["n"])
    finished(tmp_path, double, "Queue 1", "Queue 2")
    assert content(tmp_path / "n") == expected, marks


def test_killed_while_writing_it_leaves_the_old_snapshot_readable(tmp_path, double, whole):
    finished(tmp_path, double, "Queue 1")
    before = content(tmp_path / "n")
    dies = (
        "import os, signal; from ingest.snapshot.writing import SnapshotWriter; from api.terminal.cli import main; "
        "SnapshotWriter.add_interactions = lambda *_: os.kill(os.getpid(), signal.SIGKILL); main()"
    )
    words = [sys.executable, "-c", dies, *command(tmp_path, "Queue 1", "Queue 2")[3:]]
    done = subprocess.run(words, env=environment(double), capture_output=True, timeout=LONGEST_S, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert any(tmp_path.glob(".n.*.partial"))
    stores.tidy(tmp_path)
    assert content(tmp_path / "n") in (before, whole[0])
    verify(tmp_path / "n")
    finished(tmp_path, double, "Queue 1", "Queue 2")
    assert content(tmp_path / "n") == whole[0]
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"n", ".n.parts"}] == []


def test_finished_days_are_not_read_again_after_a_kill(tmp_path, double, whole):
    killed(tmp_path, double, "Queue 1", "Queue 2", when=lambda: any(".users." in name for name in parts(tmp_path)))
    kept = {name for name in parts(tmp_path) if not name.endswith(".unfinished")}
    assert kept
    finished(tmp_path, double, "Queue 1", "Queue 2")
    assert kept <= parts(tmp_path)


def test_the_secret_is_in_no_file_and_in_nothing_printed(tmp_path, double, capfd):
    finished(tmp_path, double, "Queue 1")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (given(double) | {"GENESYS_CLIENT_SECRET": SECRET + "x"}).items():
            patched.setenv(name, value)
        assert run(command(tmp_path, "Queue 1")[3:]) == 2
    said = capfd.readouterr()
    assert "GENESYS_CLIENT_SECRET" in said.err
    for text in said:
        assert SECRET not in text
        assert "Bearer" not in text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_ctrl_c_ends_a_run_that_waits_for_a_job(tmp_path):
    with Double(small(), client_secret=SECRET, polls=10**9) as patient:
        # A shell that starts tests in the background has Ctrl-C ignored by all that they start.
        listens = (
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from api.terminal.cli import main; main()"
        )
        running = subprocess.Popen(
            [sys.executable, "-c", listens, *command(tmp_path, "Queue 1")[3:]], env=environment(patient),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        polled = re.compile(r"details/jobs/(?!availability)")
        # By the fourth look at the job the main thread waits for the others, and for nothing else.
        while running.poll() is None and sum(m == "GET" and bool(polled.search(p)) for m, p in patient.requests) < 4:
            time.sleep(LOOK_S)
        running.send_signal(signal.SIGINT)
        try:
            _, said = running.communicate(timeout=LONGEST_S)
        finally:
            running.kill()
    assert running.returncode == 1
    assert "the same command goes on from there" in said
    assert stores.names(tmp_path) == []
