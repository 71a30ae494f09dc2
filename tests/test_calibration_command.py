"""`routelab calibrate` on the command line, and what simulate makes of its file."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from api.output.calibration_file import read_calibration
from api.terminal.cli import run
from engine.errors import InvalidScenario
from ingest.files import import_files
from tests.small_files import SAMPLE


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("store")
    import_files(place, "sample", **SAMPLE)
    return place


def calibrated(store: Path, *more: str) -> int:
    few = () if "--replications" in more else ("--replications", "3")
    return run(["calibrate", "--snapshot", "sample", "--store", str(store), *few, *more])


def test_the_command_writes_a_file_that_simulate_takes(store, tmp_path, capsys):
    out, picture = tmp_path / "c.json", tmp_path / "pictures"
    assert calibrated(store, "--out", str(out), "--chart", str(picture)) == 0
    said = capsys.readouterr().out
    assert "join_gap_s is not fitted" in said
    assert " ".join(said.split()).count("not tested whether it holds") == 2, "in short above, and with the findings"
    assert "acw_s is not fitted" in said
    assert "Tested: 2024-03-06 to 2024-03-06, 1 day, 100 interactions" in said
    ElementTree.parse(picture / "calibration.svg")
    again = ["simulate", "--snapshot", "sample", "--store", str(store), "--mode", "replay", "--method", "genesys"]
    assert run([*again, "--calibration", str(out), "--out", str(tmp_path / "out")]) == 0


def test_json_says_what_the_file_says(store, tmp_path, capsys):
    out = tmp_path / "c.json"
    assert calibrated(store, "--out", str(out), "--json", "--sla", "80/60") == 0
    said, written = json.loads(capsys.readouterr().out), json.loads(out.read_text())
    assert said == {name: written[name] for name in ("assumptions", "in_force", "evidence")}
    assert said["evidence"]["goal"] == "80/60"
    assert said["evidence"]["snapshot"]["id"] == "sample"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--fit-to", "2024-03-05", "--test-from", "2024-03-05"], "overlap"),
        (["--method", "fifo"], "method is 'fifo'"),
        (["--replications", "0"], "replications is 0"),
        (["--out", "."], "is a folder"),
        (["--fit-from", "2024-03-04", "--fit-to", "2024-03-06", "--test-from", "2024-04-01", "--test-to", "2024-04-02"],
         "there are no interactions in these days"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_in_one_line(store, tmp_path, monkeypatch, capsys, options, reason):
    monkeypatch.chdir(tmp_path)
    assert calibrated(store, *options) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert reason in said
    assert not list(tmp_path.glob("*.json"))


SHORT = "holds to March 2024; from April 2024 on it no longer holds"


def file_of(place: Path, **evidence: object) -> Path:
    """A calibration file with a desk for one kind of the sample's calls."""
    desk = {
        "queue_id": "support", "skills": ["tech"], "language": "en", "desk_id": "support: tech, en",
        "overflow": ["a05"], "incidental": [],
    }  # fmt: skip
    content = {"kind": "routelab calibration", "assumptions": {"point_s": 30.0}, "evidence": evidence}
    path = place / "c.json"
    path.write_text(json.dumps(content | {"in_force": {"priorities": [], "desks": [desk]}}))
    return path


@pytest.mark.parametrize(
    ("in_force", "reason"),
    [
        ("x", "in_force is 'x', not an object"),
        ({"desks": []}, "in_force has no priorities"),
        ({"priorities": [], "desks": "x"}, "in_force.desks is 'x', not a list"),
        ({"priorities": [[]], "desks": []}, "in_force.priorities[0] is an empty list, not an object"),
        ({"priorities": [{"priority": 1, "points": True}], "desks": []}, "priorities[0].points is true, not a number"),
        ({"priorities": [{"priority": 1, "points": 1}] * 2, "desks": []}, "in_force.priorities does not rise"),
        ({"priorities": [], "desks": [{"queue_id": "q"}]}, "in_force.desks[0] has no skills"),
        ({"priorities": [], "desks": [{"queue_id": 5, "skills": [], "language": None, "desk_id": "d", "overflow": [],
          "incidental": []}]}, "in_force.desks[0].queue_id is 5, not a text"),
        ({"priorities": [], "desks": [{"queue_id": "q", "skills": [3], "language": None, "desk_id": "d", "overflow": [],
          "incidental": []}]}, "in_force.desks[0].skills is a list of 3, not a list of texts"),
    ],
)  # fmt: skip
def test_a_rule_of_another_shape_is_refused_by_its_field(tmp_path, in_force, reason):
    path = file_of(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"in_force": in_force}))
    with pytest.raises(InvalidScenario) as refused:
        read_calibration(path)
    assert reason in str(refused.value)
    assert str(refused.value).endswith("; make it again with 'routelab calibrate'")


@pytest.mark.parametrize("command", ["simulate", "explain"])
def test_what_a_file_says_of_the_rule_is_used_and_told(store, tmp_path, capsys, command):
    path = file_of(tmp_path, drift={"since": "2024-04", "short": SHORT})
    given = [command, "--snapshot", "sample", "--store", str(store), "--calibration", str(path), "--mode", "replay"]
    more = ["--out", str(tmp_path / "out")] if command == "simulate" else ["--interaction", "i0001"]
    assert run([*given, "--method", "bullseye", *more, "--json"]) == 0
    captured = capsys.readouterr()
    assert f"note: {path} {SHORT}; fit it again on later days" in captured.err
    if command == "simulate":
        said = json.loads(captured.out)["snapshot"]["assumptions"]
        assert "Desk as calibrated, support, tech, en: a05 take them when no member is free" in said


def test_a_file_that_holds_says_nothing(store, tmp_path, capsys):
    path = file_of(tmp_path, drift={"since": None, "short": "holds on the days held out"})
    given = ["simulate", "--snapshot", "sample", "--store", str(store), "--calibration", str(path), "--mode", "replay"]
    assert run([*given, "--method", "genesys", "--out", str(tmp_path / "out"), "--json"]) == 0
    captured = capsys.readouterr()
    assert "hold" not in captured.err
