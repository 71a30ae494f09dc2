"""A run that does not fit into memory is refused from its size, and one that runs out of it leaves nothing behind."""

from __future__ import annotations

import errno
import json
import resource
import subprocess
import sys
import threading
import weakref

import numpy as np
import pyarrow as pa
import pytest

import routelab
from api.terminal.cli import run as run_command
from engine import memory as needs
from engine.errors import NotEnoughMemory
from engine.memory import MIB, Need
from engine.spec import Scenario
from engine.stopping import Stopped, stoppable
from ingest.snapshot.reading import open_snapshot
from ingest.synthetic import make
from ingest.workers import memory
from ingest.workers.memory import Memory, is_memory, said_plainly
from tests.small_service import STAFFING, batch, client_of, refusal, write_centre

REPLAY = Scenario(mode="replay")
# Peak of one run in a process of its own, beside what was there before it: code, threads, and the data set as opened.
PEAK = """
import sys, threading
from pathlib import Path
from engine.run import run
from engine.reports.compare import compare
from engine.spec import Scenario
from ingest.snapshot.reading import open_snapshot

def anonymous():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon")) * 1024

store, small, name, what = sys.argv[1:]
work = {"replay": lambda arrays: run(Scenario(mode="replay"), arrays),
        "compare": lambda arrays: compare([Scenario(mode="replay", method=m) for m in ("genesys", "weighted")], arrays)}
work[what](open_snapshot(Path(store), small).arrays())
arrays = open_snapshot(Path(store), name).arrays()
before, peak, done = anonymous(), 0, threading.Event()

def watch():
    global peak
    while not done.wait(0.002):
        peak = max(peak, anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
work[what](arrays)
done.set(); watcher.join()
print(peak - before)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    write_centre(folder, staffing=STAFFING)
    # Many interactions of few kinds, and few of many kinds for many agents: two sizes that differ in what they need.
    make(folder, "long", interactions=100_000, agents=60, queues=5, days=20)
    make(folder, "wide", interactions=10_000, agents=2_000, queues=100, skills=40, languages=4, days=2)
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("name", "what"), [("long", "replay"), ("wide", "replay"), ("long", "compare")])
def test_an_estimate_is_never_below_the_peak_and_seldom_far_above(store, name, what):
    """Measured as resident memory of another process; both sizes are far above what every run takes."""
    arrays = open_snapshot(store, name).arrays()
    today = Scenario(mode="replay", method="genesys")
    need = needs.of_run(REPLAY, arrays) if what == "replay" else needs.of_comparison([today, REPLAY], arrays)
    command = [sys.executable, "-c", PEAK, str(store), "centre", name, what]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout)
    assert 1.0 <= need.bytes / peak <= 1.6, (need.bytes / MIB, peak / MIB)


def test_nothing_is_read_for_an_estimate(store):
    arrays = open_snapshot(store, "long").arrays()

    def never(*_: object) -> None:
        raise AssertionError("read")

    unread = arrays.__class__(arrays.centre, never, arrays.snapshot, never, arrays.counts, never)
    assert needs.of_run(REPLAY, unread) == needs.of_run(REPLAY, arrays)


def test_fewer_days_draws_and_rules_need_less(store):
    arrays = open_snapshot(store, "long").arrays()
    days = [each.date() for each in arrays_days(arrays)]
    whole = needs.of_run(Scenario(mode="replay", replications=5), arrays).bytes
    assert needs.of_run(REPLAY, arrays).bytes < whole
    week = arrays.days(days[0], days[6])
    assert needs.of_run(Scenario(mode="replay", replications=5), week).bytes < 0.5 * whole
    three = needs.of_comparison([REPLAY] * 3, arrays).bytes
    assert needs.of_comparison([REPLAY] * 2, arrays).bytes < three
    assert needs.of_run(Scenario(), arrays).bytes < needs.of_explanation(REPLAY, arrays).bytes < whole


def arrays_days(arrays):
    return np.array(arrays.counted.day, "datetime64[D]").astype("datetime64[s]").tolist()


def test_days_of_a_snapshot_are_read_alone(store):
    """What a window needs is a matter of its days, so the others must not be read for it."""
    arrays = open_snapshot(store, "long").arrays()
    days = [each.date() for each in arrays_days(arrays)]
    some = arrays.days(days[3], days[5])
    held = arrays.holding(arrays.history()).days(days[3], days[5]).history()
    alone = some.history()
    assert alone.interaction_id.equals(held.interaction_id) and 0 < alone.n < some.snapshot.n_interactions
    np.testing.assert_array_equal(alone.wait_s, held.wait_s)
    assert some.counted.n == alone.n  # The days of this zone are those of UTC
    assert max(len(chunk) for chunk in [alone.arrived_us]) == alone.n


# --- who may take how much ------------------------------------------------------------------------------------------


def need(mib):
    return Need(mib * MIB, "this", "take less")


def test_a_run_too_large_is_refused_with_both_numbers_and_the_way_out():
    said = r"^this needs about 101 MiB of memory, and 100 MiB are available; take less$"
    with pytest.raises(NotEnoughMemory, match=said), Memory(left=lambda: 100 * MIB).held(need(101)):
        raise AssertionError("begun")
    with pytest.raises(NotEnoughMemory, match="and 64 MiB are available"), Memory(64 * MIB).held(need(65)):
        raise AssertionError("begun")


def test_two_that_fit_alone_but_not_together_go_one_after_the_other():
    shared, first, order = Memory(left=lambda: 100 * MIB), threading.Event(), []

    def second():
        first.wait(10)
        with shared.held(need(60)):
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with shared.held(need(60)):
        first.set()
        other.join(0.3)  # Long enough to look twice
        order.append("first")
        with pytest.raises(NotEnoughMemory), shared.held(need(101)):
            pass  # What never fits need not wait to hear so
    other.join(10)
    assert order == ["first", "second"]


def test_what_fits_beside_others_does_not_wait():
    shared = Memory(left=lambda: 100 * MIB)
    with shared.held(need(60)), shared.held(need(40)):
        pass


def test_whoever_waits_for_memory_can_be_stopped():
    shared = Memory(left=lambda: 100 * MIB)
    with shared.held(need(60)), pytest.raises(Stopped), stoppable(lambda: True), shared.held(need(60)):
        raise AssertionError("begun")
    with shared.held(need(100)):
        pass  # Nothing is left behind


def test_control_groups_of_both_versions_say_what_is_left(tmp_path, monkeypatch):
    """Limit 1000, of which 600 are used and 250 of those are files read lately: 650 are left; the parent leaves 90."""
    for version, names in {
        "0::/a/b": ("memory.max", "memory.current", "inactive_file"),
        "4:memory:/a/b": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    }.items():
        root = tmp_path / names[0]
        monkeypatch.setattr(memory, "CGROUP", root)
        base = root if version.startswith("0") else root / "memory"
        for folder, numbers in {"a/b": (1000, 600, 250), "a": (2000, 1910, 0)}.items():
            (base / folder).mkdir(parents=True, exist_ok=True)
            for name, number in zip(names[:2], numbers[:2], strict=True):
                (base / folder / name).write_text(f"{number}\n")
            (base / folder / "memory.stat").write_text(f"cache 7\n{names[2]} {numbers[2]}\n")
        (base / names[0]).write_text("max\n")
        listed = tmp_path / "listed"
        listed.write_text(f"3:cpu:/x\n{version}\n")
        assert sorted(memory._groups(listed)) == [90, 650]


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of addresses works there")
def test_the_limit_of_a_shell_counts():
    """`ulimit -v` leaves what is not mapped yet, less what threads reserve and never fill."""
    before = memory._addresses()
    used = memory._numbers(memory.PROC / "self/status")["VmSize"] * 1024
    code = (
        "import resource; from ingest.workers import memory;"
        f"resource.setrlimit(resource.RLIMIT_AS, ({4 << 30}, {4 << 30})); print(memory.available())"
    )
    found = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout)
    assert before is None or before < resource.getrlimit(resource.RLIMIT_AS)[0] - used + memory.RESERVED
    assert 0 < found < (4 << 30) - memory.RESERVED


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_a_batch_too_large_is_refused_over_http_and_smaller_ones_go_on(store):
    client = client_of(store, most_memory_mib=64)
    found = client.post("/simulate/batch", json={"mode": "replay", "snapshot": "long"})
    detail = refusal(found, 507)
    assert detail.startswith("a replay of 100,000 interactions needs about ")
    assert detail.endswith("and 64 MiB are available; choose fewer days, or use mode score, which needs little")
    days = {"start_date": "2024-03-04", "end_date": "2024-03-04"}
    study = {"snapshot": "long", "scenario": [{"name": "w", "method": "weighted"}]}
    assert refusal(client.post("/simulate/batch", json=study), 507).startswith("a comparison of 2 scenarios over 100,0")
    assert batch(client, mode="score", snapshot="long")["routed"]
    assert batch(client, mode="replay", snapshot="centre", **days)


FAILURES = [
    MemoryError(), np._core._exceptions._ArrayMemoryError((10**12,), np.dtype(float)),
    pa.ArrowMemoryError("malloc of size 64 failed"), OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError("can't start new thread"),
]  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES, ids=lambda error: type(error).__name__)
def test_memory_that_runs_out_is_a_problem_with_a_way_out_and_comes_back(store, monkeypatch, failure):
    left = []

    def fails(*_args, **_more):
        held = np.zeros(1_000_000)
        left.append(weakref.ref(held))
        raise failure

    client = client_of(store)
    with monkeypatch.context() as patched:
        patched.setattr("api.http.answering.batch.run", fails)
        detail = refusal(client.post("/simulate/batch", json={"snapshot": "centre"}), 507)
    assert detail.startswith("there is not enough memory for this (")
    assert detail.endswith("; choose fewer days")
    assert left[0]() is None, "an error holds what had been made"
    assert batch(client, snapshot="centre")


def test_memory_comes_back_from_whoever_was_stopped_before_the_system_is_given_it(store, monkeypatch):
    """What was made lives in frames of the error on its way; it must be gone when free memory is handed back."""
    left, alive = [], []

    def fails(*_args, **_more):
        held = np.zeros(1_000_000)
        left.append(weakref.ref(held))
        raise Stopped

    shared = Memory(left=lambda: 1_000 * MIB)
    monkeypatch.setattr(memory, "give_back", lambda: alive.append(left[-1]()))
    with pytest.raises(Stopped), shared.held(need(100)):
        fails()
    for name, body in (("batch.run", {"mode": "replay"}), ("study.compare", {"scenario": [{"name": "a"}]})):
        with monkeypatch.context() as patched:
            patched.setattr(f"api.http.answering.{name}", fails)
            client_of(store).post("/simulate/batch", json={"snapshot": "long"} | body)
    assert alive == [None] * 3


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    for error in (RuntimeError("out of ideas"), OSError(errno.ENOSPC, "No space"), ValueError("out of memory")):
        assert not is_memory(error)
        with pytest.raises(type(error)), said_plainly():
            raise error


@pytest.mark.parametrize("command", ["simulate", "compare", "calibrate", "explain --mode replay --interaction i0"])
def test_the_command_line_says_both_numbers_in_one_line(store, monkeypatch, capsys, tmp_path, command):
    monkeypatch.setattr(memory.MEMORY, "_most", 32 * MIB)
    monkeypatch.chdir(tmp_path)
    assert run_command([*command.split(), "--snapshot", "long", "--store", str(store)]) == 1
    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert not said.out and not [*tmp_path.iterdir()]
    assert line.startswith("failed: ") and " MiB of memory, and 32 MiB are available; choose fewer days" in line


def test_the_python_door_says_the_same(store, monkeypatch):
    monkeypatch.setattr(memory.MEMORY, "_most", 32 * MIB)
    centre = routelab.read("long", store=store)
    for asked in (
        routelab.replay,
        lambda centre: routelab.compare(centre, [{"method": "genesys"}, {"method": "weighted"}]),
    ):
        with pytest.raises(NotEnoughMemory, match="and 32 MiB are available; choose fewer days"):
            asked(centre)


def test_the_answers_of_score_mode_need_little(store):
    arrays = open_snapshot(store, "long").arrays()
    assert needs.of_run(Scenario(), arrays).bytes < 32 * MIB
    assert json.dumps(needs.of_run(Scenario(), arrays).what) == '"scoring 100,000 interactions"'
