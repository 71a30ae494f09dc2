"""How hard property tests search, and what several test files start from.

Property tests are quick by default. The night's run searches far longer, with the same laws and tolerances:
`HYPOTHESIS_PROFILE=thorough python3 run.py test`.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# The first example compiles or imports something heavy; time limits per example would only make noise.
QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("quick", max_examples=20, **QUIET)
settings.register_profile("thorough", max_examples=1000, **QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Files with tests of several seconds; they begin first, so that nobody is left with one when all else is done.
LONG = {f"test_{name}.py" for name in ("docs", "drift", "genesys_faults", "genesys_kill", "memory", "satisfaction")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


# Packages are imported inside the fixtures: whoever runs one test file does not wait for the others' imports.


@pytest.fixture(scope="session", autouse=True)
def unsynced():
    """Nothing waits for the disk: syncing saves what a power cut would lose, takes milliseconds for each of thousands
    of files, and that it is done before a name is given has tests of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session")
def org():
    """An organisation with each oddity; nobody may change it."""
    from ingest.double import organisation

    return organisation(agents=14, days=3, seed=1, interactions=900, queues=2)


@pytest.fixture
def double(org):
    from ingest.double import Double

    with Double(org) as running:
        yield running


@pytest.fixture(scope="session")
def told(org):
    """All conversations of `org` as its double tells them."""
    from ingest.double import Double
    from tests.double_reader import Reader, everything

    with Double(org) as running:
        return everything(Reader(running), org)


@pytest.fixture(scope="session")
def tiny():
    """An organisation that is read whole in no time; nobody may change it."""
    from ingest.double import organisation

    return organisation(agents=5, days=2, seed=3, interactions=90, queues=1)


@pytest.fixture(scope="session")
def truth(tiny):
    """All that a patient reader can finally know of `tiny`."""
    from ingest.double import Double
    from tests.double_reader import Reader, known

    with Double(tiny) as running:
        return known(Reader(running), tiny)


@pytest.fixture
def client(tmp_path):
    """A client of a service over the small centre, whose store is `tmp_path`."""
    from tests.small_service import client_of, write_centre

    write_centre(tmp_path)
    return client_of(tmp_path)
