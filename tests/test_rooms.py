"""The layout: our plain package names belong to us, start-up stays light, commands are documented."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest

from api.terminal.cli import cli
from tests.imports import HEAVY, imported

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("room", ["routelab", "engine", "ingest", "api", "benchmarks"])
def test_rooms_belong_to_routelab_alone(room):
    assert set(packages_distributions().get(room, ())) == {"routelab"}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
        else:
            found.append(((*path, name), command))
    return found


@pytest.mark.parametrize(("path", "command"), commands(cli), ids=lambda p: " ".join(p) if isinstance(p, tuple) else "")
def test_every_command_has_help_with_an_example(path, command):
    assert re.search("Examples?:", command.help or "")


@pytest.mark.parametrize("code", ["import api.terminal.cli", "import engine.run", "import ingest.snapshot.reading"])
def test_starting_up_imports_nothing_heavy(code):
    assert not imported(code) & set(HEAVY)


def test_help_reads_no_data_packages():
    """The fastest answer of all: --help must not wait for numpy, polars or Arrow."""
    assert not imported("import api.terminal.cli") & {"numpy", "polars", "pyarrow", "rich"}


def test_a_run_in_score_mode_needs_neither_numba_nor_a_web_framework(tmp_path):
    code = f"""
from pathlib import Path
from tests.small_snapshot import write
from api.terminal.cli import run
write(Path({str(tmp_path)!r}))
where = ["--store", {str(tmp_path)!r}, "--out", {str(tmp_path / "out")!r}]
assert run(["simulate", "--mode", "score", "--snapshot", "s", *where]) == 0
"""
    assert not imported(code) & {"numba", "fastapi", "uvicorn", "scipy.stats"}


def test_locks_hold_names_versions_and_hashes_only():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
