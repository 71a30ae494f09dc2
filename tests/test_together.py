"""Threads that come together on a fresh service get what each would get alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl

from ingest.snapshot.reading import open_snapshot
from tests.small_service import BODY, STAFFING, app_of, write_centre
from tests.small_snapshot import interactions, write

N_THREADS = 20
REPLAY = json.dumps({"mode": "replay", "snapshot": "centre"}).encode()
ASKED = {
    "routing": lambda service: service.route(bytearray(json.dumps(BODY).encode())),
    "scores": lambda service: service.batch(bytearray(b'{"snapshot": "centre"}')),
    "replay": lambda service: service.batch(bytearray(REPLAY)),
    "list": lambda service: service.list_snapshots(),
    "show": lambda service: service.show_snapshot("centre"),
    "ready": lambda service: service.ready(),
    "describe": lambda service: service.describe(),
    "docs": lambda service: service.docs("http://localhost"),
    "metrics": lambda service: b"yes" * (b"routelab_requests" in service.metrics.text()),
}
# What differs from call to call.
PASSING = re.compile(rb'"(age_s|seconds|[a-z_]+_per_s|[a-z]+_s)":[-+.e0-9]+')


def together(*work):
    """What each piece of work gives on a thread of its own, all begun at the same instant; errors are results."""
    barrier, found = threading.Barrier(len(work)), [None] * len(work)

    def run(place):
        barrier.wait()
        try:
            found[place] = work[place]()
        except Exception as error:  # noqa: BLE001
            found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def lasting(answer):
    return PASSING.sub(b"", answer) if isinstance(answer, bytes) else repr(answer)


def fresh_service(store):
    """Run in a process of its own, where nothing is imported, compiled or opened yet."""
    service = app_of(Path(store)).state.service
    names = [[*ASKED][n % len(ASKED)] for n in range(N_THREADS)]
    answers = together(*[lambda name=name: ASKED[name](service) for name in names])
    alone = {name: lasting(ask(service)) for name, ask in ASKED.items()}
    for name, answer in zip(names, answers, strict=True):
        assert isinstance(answer, bytes), (name, answer)
        assert lasting(answer) == alone[name], name


def test_the_first_requests_of_a_service_may_come_together(tmp_path):
    """Readers of Arrow files, the engine's compiled loops, packages loaded when first needed: all shared by threads."""
    write_centre(tmp_path, staffing=STAFFING)
    script = "import sys; from tests.test_together import fresh_service; fresh_service(sys.argv[1])"
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_threads_that_read_one_snapshot_at_once_read_the_same(tmp_path):
    """A reader of Arrow files loads dictionaries as it goes and serves one thread; long ones make it take its time."""
    rows = interactions(6_000).with_columns(language="l" + pl.int_range(6_000).cast(pl.String))
    write(tmp_path, frames=[rows])
    for _ in range(2):
        snapshot = open_snapshot(tmp_path, "s")
        found = together(*[lambda one=snapshot: one.table("interactions") for _ in range(N_THREADS)])
        assert all(not isinstance(frame, Exception) for frame in found), found
        assert all(frame["language"].equals(rows["language"]) for frame in found)
