"""A setting and a method are declared once and then found behind every door, without another line changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "ingest", "api", "benchmarks", "routelab")
SETTING = 'throw_away_s: float = setting(7.0, "Said once.", unit="s", low=1, high=60.0, applies="replay")'
BY_MODE = 'throw_back_s: float = setting(3.0, "Said by mode.", unit="s", high=60.0, replay=5.0)'
METHOD = """
import numpy as np

from engine.methods.ladder import NEVER, one_row_each
from engine.methods.method import Method


def ladder(view):
    return one_row_each(np.where(view.kinds.eligible, 0.0, NEVER))


METHOD = Method("thrown away", ladder)
"""
# What each door says of them, asked in one process of its own.
ASKING = """
import json, sys
import routelab
from click.testing import CliRunner
from api.http.app import create_app
from api.http.docs.description import base_description
from api.output import settings_table
from api.settings import Settings
from api.terminal.cli import cli
from engine.errors import InvalidScenario
from engine.study import comparing

assert __import__("engine").__file__.startswith(sys.argv[1])

def help_of(command):
    return CliRunner().invoke(cli, [command, "--help"], terminal_width=500, max_content_width=500).output

def study(**entry):
    try:
        baseline, changed = comparing({"scenario": [{"name": "mine", **entry}]}).scenarios("genesys")
        return [baseline.throw_away_s, changed.throw_away_s, changed.method, changed.throw_back_s]
    except InvalidScenario as error:
        return str(error)

def python(**given):
    sample = {name: f"{sys.argv[2]}/{name}.csv" for name in ("agents", "interactions", "staffing")}
    try:
        return routelab.replay(routelab.read(**sample), **given).to_dict()["scenario"]
    except routelab.RoutingError as error:
        return str(error)

fields = base_description(create_app(Settings()))["components"]["schemas"]
print(json.dumps({
    "simulate": help_of("simulate"), "compare": help_of("compare"), "explain": help_of("explain"),
    "calibrate": help_of("calibrate"),
    "http": fields["BatchRequest"]["properties"], "study_http": fields["StudyScenario"]["properties"],
    "study": study(throw_away_s=9.0, method="thrown"), "refused": study(throw_away_s=0.5),
    "python": python(throw_away_s=9.0, method="thrown"), "python_refused": python(throw_away_s=61),
    "settings": settings_table.table(), "methods": settings_table.methods(),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, str]:
    """The doors' own words, of a copy of the program with a setting and a method more."""
    copy = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        if (ROOT / room).is_dir():
            # Compiled code under its last name only: others vanish while another process writes them.
            shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("*.pyc.*"))
    declare(copy / "engine" / "spec.py", "    assumptions: Assumptions = field", f"    {SETTING}\n    {BY_MODE}\n")
    (copy / "engine" / "methods" / "thrown.py").write_text(METHOD)
    table = copy / "engine" / "methods" / "__init__.py"
    declare(table, '    "random"', '    "thrown": thrown.METHOD,\n')
    declare(table, "from engine.methods import", "from engine.methods import thrown\n")
    # The loops of a copy would be compiled anew, which takes longer than all the rest.
    environment = os.environ | {"PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", ASKING, str(copy), str(ROOT / "data" / "sample")]
    found = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def declare(path: Path, before: str, line: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, line + before))


@pytest.mark.parametrize("command", ["simulate", "compare", "explain"])
def test_the_command_line_takes_the_setting(said, command):
    assert "--throw-away SECONDS" in said[command]
    assert "Replay: Said once. [s] [default: 7]" in " ".join(said[command].split())


def test_a_default_of_its_own_in_a_replay_shows_behind_every_door(said):
    assert "Said by mode. [s] [default: 3, in a replay 5]" in " ".join(said["simulate"].split())
    setting = said["http"]["throw_back_s"]
    assert (setting["default"], setting["description"]) == (None, "Said by mode. [s] Null: 3, in a replay 5.")
    assert "| `throw_back_s` | seconds from 0 to 60 | 3, in a replay 5 | Said by mode. [s] |" in said["settings"]


def test_the_command_line_names_the_method(said):
    assert "|thrown|random" in said["simulate"]
    assert all("thrown, random." in " ".join(said[command].split()) for command in ("compare", "calibrate"))


def test_requests_take_setting_and_method_and_describe_them(said):
    setting = said["http"]["throw_away_s"]
    assert (setting["minimum"], setting["maximum"], setting["default"]) == (1, 60, 7)
    assert setting["description"] == "Replay: Said once. [s]"
    assert "thrown" in said["http"]["method"]["enum"]
    assert "thrown: thrown away" in said["http"]["method"]["description"]
    assert "throw_away_s" in said["study_http"]


def test_scenario_files_take_both_within_their_bounds(said):
    assert said["study"] == [7.0, 9.0, "thrown", 5.0]
    assert said["refused"] == "scenario 'mine': throw_away_s is 0.5; use seconds from 1 to 60"


def test_the_python_door_takes_both_within_their_bounds(said):
    assert (said["python"]["throw_away_s"], said["python"]["method"]) == (9.0, "thrown")
    assert said["python"]["throw_back_s"] == 5.0
    assert said["python_refused"] == "throw_away_s is 61; use seconds from 1 to 60"


def test_the_pages_have_both(said):
    assert (
        "| throw_away_s | `--throw-away` | `throw_away_s` | seconds from 1 to 60 | 7 | Replay: Said once. [s] |"
        in (said["settings"])
    )
    assert "| `thrown` | thrown away |" in said["methods"]
