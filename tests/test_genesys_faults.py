"""Whatever goes wrong on the way: the same bytes in the end, or a clean failure and the old snapshot as it was."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.double import FAULTS, Double, Faults, organisation, script
from ingest.double.faults import POSSIBLE
from ingest.genesys import import_genesys
from ingest.platform.errors import PlatformError
from ingest.snapshot import store as stores
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.verifying import verify
from tests.small_platform import content, means_for, wanted_for

# `ROUTELAB_FAULT_SCRIPTS=1000 python3 run.py test tests/test_genesys_faults.py` plays so many.
SCRIPTS = int(os.environ.get("ROUTELAB_FAULT_SCRIPTS", "8"))
# What the import asks for; the rest of the double's paths cannot be hit.
ASKED = {
    "token", "queues", "members", "skills", "languages", "users", "utilization", "user_utilization", "job_submit",
    "organization", "settings", "job_poll", "job_results", "job_delete", "availability", "details", "user_details",
    "aggregates", "surveys",
}  # fmt: skip


@cache
def tiny():
    return organisation(agents=6, days=2, seed=1, interactions=60, queues=2)


def read(store: Path, double: Double, *queues: str, threads: int = 1):
    return import_genesys(store, "n", wanted_for(tiny(), *queues), means_for(double, threads=threads))


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """A store with the snapshot of one queue, read without faults; to be copied, never changed."""
    store = tmp_path_factory.mktemp("begun")
    with Double(tiny()) as double:
        read(store, double, "Queue 1")
    return store


@pytest.fixture(scope="module")
def both(begun, tmp_path_factory) -> dict[str, bytes]:
    """The snapshot of both queues, read without faults."""
    store = copytree(begun, tmp_path_factory.mktemp("both") / "store")
    with Double(tiny()) as double:
        read(store, double)
    verify(store / "n")
    return content(store / "n")


POSSIBLE_HERE = [pair for pair in POSSIBLE if pair[0] in ASKED]


def faults():
    return st.lists(st.tuples(st.sampled_from(POSSIBLE_HERE), st.integers(1, 6)), min_size=1, max_size=24).map(
        lambda drawn: [(kind, number, name) for (kind, name), number in drawn]
    )


@settings(max_examples=SCRIPTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(listed=faults(), threads=st.sampled_from([1, 3]))
def test_any_script_of_faults_gives_the_same_bytes_or_leaves_the_old_snapshot(begun, both, listed, threads):
    with TemporaryDirectory() as folder:
        store = copytree(begun, Path(folder) / "store")
        with Double(tiny(), faults=Faults(listed)) as double:
            try:
                read(store, double, threads=threads)
            except PlatformError as error:
                goes_on_from_the_old_one(store, error, begun)
        assert content(store / "n") == both
        assert stores.names(store) == ["n"]


def goes_on_from_the_old_one(store: Path, error: PlatformError, begun: Path) -> None:
    """Nothing has changed, and the next run, without faults, ends what this one began."""
    assert "goes on from there" in error.__notes__[0]
    assert content(store / "n") == content(begun / "n")
    with Double(tiny()) as double:
        read(store, double)


def test_a_run_that_fails_leaves_the_old_snapshot_and_goes_on_from_there(begun, both, tmp_path):
    store = copytree(begun, tmp_path / "store")
    failing = Faults([("job_submit", number, "job_failed") for number in range(1, 30)])
    with Double(tiny(), faults=failing) as double, pytest.raises(PlatformError) as caught:
        read(store, double)
    goes_on_from_the_old_one(store, caught.value, begun)
    assert content(store / "n") == both


def test_every_fault_at_the_first_request_that_it_can_befall_gives_the_same_bytes(both, tmp_path):
    """As many runs as a kind of request has faults, in each of them another of every kind."""
    of_kind = {kind: [name for asked, name in POSSIBLE_HERE if asked == kind] for kind in sorted(ASKED)}
    fired = set()
    for turn in range(max(map(len, of_kind.values()))):
        # Not the same of all kinds at once: a token that is always invalid is rightly given up.
        listed = [(kind, 1, names[(turn + place) % len(names)]) for place, (kind, names) in enumerate(of_kind.items())]
        with Double(tiny(), faults=Faults(listed)) as double:
            read(tmp_path / str(turn), double)
            fired |= {(kind, name) for kind, _, name in double.faults.fired}
        assert content(tmp_path / str(turn) / "n") == both, listed
    assert fired == set(POSSIBLE_HERE)


@pytest.mark.parametrize("seed", range(4))
def test_a_patient_client_gets_through_any_seeded_script(tmp_path, both, seed):
    with Double(tiny(), faults=script(seed, share=0.3)) as double:
        read(tmp_path, double, threads=3)
        assert len(double.faults.fired) > 5
    assert content(tmp_path / "n") == both


def test_a_store_knows_no_snapshot_until_the_first_stands_whole(tmp_path):
    failing = Faults([("job_submit", number, "job_failed") for number in range(1, 30)])
    with Double(tiny(), faults=failing) as double, pytest.raises(PlatformError):
        read(tmp_path, double)
    assert stores.names(tmp_path) == []
    with Double(tiny()) as double:
        read(tmp_path, double)
    assert read_manifest(tmp_path / "n").rows["interactions"] > 0


def test_every_fault_is_possible_somewhere():
    assert {name for _, name in POSSIBLE} == set(FAULTS)
