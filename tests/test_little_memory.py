"""Commands in a shell that limits the address space: they start, or say in one line what they would need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.small_service import STAFFING, write_centre

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a limit of addresses works there")
LIMITED = (
    "import resource, runpy, sys; mib = int(sys.argv.pop(1)) << 20;"
    "resource.setrlimit(resource.RLIMIT_AS, (mib, mib)); sys.argv[0] = 'routelab';"
    "runpy.run_module('api', run_name='__main__')"
)


def limited(mib, *command):
    arguments = [sys.executable, "-c", LIMITED, str(mib), *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    write_centre(folder, staffing=STAFFING)
    return folder


@pytest.mark.parametrize(
    ("mib", "needed", "command"),
    [
        (120, 150, ["--help"]),
        (200, 300, ["snapshot", "list"]),
        (200, "1,100", ["simulate", "--snapshot", "centre"]),
        (800, "1,100", ["compare", "--snapshot", "centre"]),
        (1900, "2,000", ["serve", "--port", "0"]),
    ],
)
def test_too_little_to_start_is_one_line_that_says_how_much_is_needed(mib, needed, command):
    done = limited(mib, *command)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"failed: not enough memory to start: {needed} MiB are needed, and the limit of this shell")
    assert f"(ulimit -v) is {mib:,} MiB; raise it, for example with 'ulimit -v " in line


def test_what_is_said_to_be_enough_is_enough(store, tmp_path):
    """Threads that reserve addresses are left out; a replay so runs where the usual way takes 2.7 GiB of them."""
    done = limited(150, "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage")
    done = limited(300, "snapshot", "list", "--store", store)
    assert done.returncode == 0 and "centre" in done.stdout
    done = limited(1100, "simulate", "--snapshot", "centre", "--store", store, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.json").exists()
