"""Studies: several scenarios in one file or one request, each compared with the baseline on the same customers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import routelab
from api.terminal.cli import run
from engine.errors import InvalidScenario
from engine.setting import Setting
from engine.spec import Scenario, scenario_of, settings
from engine.study import comparing
from ingest.synthetic import make
from tests.small_service import client_of, refusal

STUDY = """
snapshot = "made"
from = "2026-01-05"
to = 2026-01-11
replications = 2

[baseline]
service_level = "offered"
sla = "80/20"

[[scenario]]
name = "ours"
method = "weighted"

[[scenario]]
name = "more language"
method = "weighted"
weights = [0.2, 0.6, 0.2]

[[scenario]]
name = "longer Mondays"
handle = {factor = 1.2, when = {weekdays = ["mon"]}}
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    make(folder, "made", interactions=700, agents=5, days=6, queues=2, skills=2, languages=2)
    return folder


def compare(store: Path, out: Path, *options: str) -> int:
    return run(["compare", *options, "--store", str(store), "--out", str(out)])


def written(text: str, folder: Path) -> str:
    path = folder / "study.toml"
    path.write_text(text)
    return str(path)


@pytest.fixture(scope="module")
def answered(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a study file gives."""
    folder = tmp_path_factory.mktemp("study")
    assert compare(store, folder / "out", written(STUDY, folder)) == 0
    return json.loads((folder / "out" / "study.json").read_text())


def test_a_study_file_compares_its_scenarios_with_the_baseline(answered):
    assert [scenario["method"] for scenario in answered["scenarios"]] == ["genesys", "weighted", "weighted", "genesys"]
    assert [verdict["rule"] for verdict in answered["verdicts"]] == ["ours", "more language", "longer Mondays"]
    for side in answered["sides"]:
        assert [one["against"] for one in side["differences"]] == ["baseline"] * 3
        assert side["differences"][2]["occupancy"]["value"] > 0
    weights = [scenario["weights"] for scenario in answered["scenarios"]]
    assert weights[1] == weights[0] != weights[2]
    assert {scenario["service_level"] for scenario in answered["scenarios"]} == {"offered"}
    assert {scenario["replications"] for scenario in answered["scenarios"]} == {2}


def test_a_study_of_methods_is_the_comparison_that_the_options_ask_for(store, tmp_path, answered):
    """Names differ; numbers do not."""
    options = ["--snapshot", "made", "--from", "2026-01-05", "--to", "2026-01-11", "--replications", "2"]
    options += ["--service-level", "offered", "--sla", "80/20", "--methods", "genesys,weighted"]
    assert compare(store, tmp_path, *options) == 0
    by_options = json.loads((tmp_path / "study.json").read_text())
    for mine, theirs in zip(answered["sides"], by_options["sides"], strict=True):
        assert mine["differences"][0] | {"rule": "", "against": ""} == theirs["differences"][0] | {
            "rule": "", "against": "",
        }  # fmt: skip


def test_the_same_content_is_a_request(store, answered):
    client = client_of(store)
    body = {
        "snapshot": "made", "from": "2026-01-05", "to": "2026-01-11", "replications": 2,
        "baseline": {"service_level": "offered", "sla": "80/20"},
        "scenario": [
            {"name": "ours", "method": "weighted"},
            {"name": "more language", "method": "weighted", "weights": [0.2, 0.6, 0.2]},
            {"name": "longer Mondays", "handle": {"factor": 1.2, "when": {"weekdays": ["mon"]}}},
        ],
    }  # fmt: skip
    found = client.post("/simulate/batch", json=body)
    assert found.status_code == 200, found.text
    assert found.json() == answered


def test_of_many_scenarios_each_is_a_row(store, tmp_path, capsys):
    """A page is longer than wide: what stands side by side for a few stands one under the other for many."""
    rows = "".join(f'[[scenario]]\nname = "set {n}"\nweights = [{n}, 1, 1]\nmethod = "weighted"\n' for n in range(9))
    assert compare(store, tmp_path, written('snapshot = "made"\n' + rows, tmp_path)) == 0
    printed = capsys.readouterr().out.splitlines()
    for n in range(9):
        # Under each way of handling once among the columns, once among the differences.
        assert sum(line.startswith(f"│set {n} ") for line in printed) == 4


@pytest.mark.parametrize(("body", "says"), [
    ({"csat": "all"}, "/csat: does not go with scenario; write it under baseline"),
    ({"outcomes": True}, "/outcomes: does not go with scenario; leave it out"),
    ({"handle": 0.9}, "/handle: does not go with scenario; write it in each scenario that it is to change"),
    ({"from": "2026-01-05", "start_date": "2026-01-05"}, "/start_date: says the same as from; give one of them"),
    ({"scenario": [{"name": "a", "metod": "genesys"}]}, "/scenario/0/metod"),
    ({"scenario": [{"name": "a", "away_s": -1}]}, "/scenario/0/away_s: found -1; use 0 or more"),
    ({"scenario": [{"name": "a", "handle": 0}]}, "/scenario/0/handle: handle: factor is 0; use a number from 0.01"),
    ({"scenario": [{"name": "a", "handle": {"factor": 2, "sklil": "x"}}]}, "handle: sklil is not one of factor"),
    ({"scenario": [{"name": "a"}, {"name": "a"}]}, "the name 'a' is taken"),
    ({"scenario": [{"name": "a", "seed": 1}]}, "seed must be the same for all rules"),
    ({"scenario": []}, "/scenario"),
    ({"scenario": [{"method": "genesys"}]}, "scenario 1 has no name; give it one"),
])  # fmt: skip
def test_a_request_that_is_no_study_is_refused(store, body, says):
    asked = {"snapshot": "made", "scenario": [{"name": "a"}]} | body
    assert says in refusal(client_of(store).post("/simulate/batch", json=asked), 422)


@pytest.mark.parametrize(("content", "says"), [
    ({}, r"a study needs scenarios; write \[\[scenario\]\] with a name"),
    ({"scenarios": [{"name": "a"}]}, "scenarios is not a key of a study; did you mean scenario?"),
    ({"sla": "80/20", "scenario": [{"name": "a"}]}, r"sla is not a key of a study; .* under \[baseline\]"),
    ({"scenario": [{}]}, "scenario 1 has no name"),
    ({"scenario": [{"name": "a"}, {"name": "baseline"}]}, "the name 'baseline' is taken"),
    ({"scenario": [{"name": "today"}]}, "the name 'today' is taken"),
    ({"scenario": [{"name": "a", "wieghts": [1, 0, 0]}]}, "'a': wieghts is not a setting; did you mean weights?"),
    ({"scenario": [{"name": "a", "weights": [1, 0]}]}, "scenario 'a': weights is .*three numbers"),
    ({"scenario": [{"name": "a", "mode": "score"}]}, "scenario 'a': mode is not for a study to say"),
    ({"scenario": [{"name": "a"}], "baseline": {"handling": "agent"}}, "handling is not for a study to say"),
    ({"scenario": [{"name": "a"}], "baseline": {"interval_min": 20}}, "'baseline': interval_min is 20; use one of 15"),
    ({"scenario": [{"name": "a"}], "from": "05.01.2026"}, "from is '05.01.2026'; write 2026-01-05"),
])  # fmt: skip
def test_what_is_no_study_is_refused_with_the_place(content, says):
    with pytest.raises(InvalidScenario, match=says):
        comparing(content)


@pytest.mark.parametrize(("text", "options", "says"), [
    (STUDY, ["--seed", "3"], "holds the settings; write seed there, under [baseline]"),
    (STUDY, ["--snapshot", "made"], "says snapshot, days and scenarios"),
    (STUDY.replace('"made"', '"gone"'), [], "'gone'"),
    (STUDY.replace('snapshot = "made"', ""), [], 'snapshot is missing; write snapshot = "NAME"'),
    ("snapshot = ", [], "not a readable TOML file"),
    (STUDY.replace("2026-01-05", "2027-01-05").replace("2026-01-11", "2027-02-01"), [], "there are no interactions"),
])  # fmt: skip
def test_a_bad_study_file_is_one_clear_line(store, tmp_path, capsys, text, options, says):
    assert compare(store, tmp_path / "out", written(text, tmp_path), *options) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_neither_a_study_nor_a_snapshot_is_refused(store, tmp_path, capsys):
    assert compare(store, tmp_path / "out") == 2
    assert "name a study file, or a snapshot" in capsys.readouterr().err
    assert compare(store, tmp_path / "out", str(tmp_path / "none.toml")) == 2
    assert "there is no such file" in capsys.readouterr().err


# --- settings by name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", settings(), ids=lambda one: one.name)
def test_every_setting_can_be_given_by_its_name_and_nothing_else_changes(one):
    """The default by name is the default; any other allowed value lands in its place alone."""
    plain = scenario_of({})
    assert plain == Scenario()
    other = {
        "terms": (0.5, 0.25, 0.25), "goal": "90/30", "filters": ["language"], "flag": True,
    }.get(one.kind) or next(word for word in [*one.words, 0.5, 1, 2] if is_another(one, word))  # fmt: skip
    base = Scenario(mode="replay") if one.name == "method" or one.path[0] == "switches" else plain
    found = scenario_of({one.name: other}, base)
    changed = [each.name for each in settings() if value(found, each.path) != value(base, each.path)]
    assert one.name in changed
    # The threshold stands inside the weights; a replay has defaults of its own.
    of_replay = {"threshold", "required"} if one.name == "mode" else set()
    assert set(changed) <= {one.name, "weights"} | of_replay


def is_another(one: Setting, value: object) -> bool:
    """Whether a setting may have a value that is not its default and goes with any other."""
    try:
        one.check(value)
    except InvalidScenario:
        return False
    return value not in (one.default, "rolling")


def value(scenario: Scenario, path: tuple[str, ...]) -> object:
    for step in path:
        scenario = getattr(scenario, step)
    return scenario


@pytest.mark.parametrize(("command", "twice"), [
    ("simulate", ["--seed", "1", "--seed", "2"]), ("simulate", ["--method", "genesys", "--method=weighted"]),
    ("compare", ["--methods", "genesys,weighted", "--methods", "random"]), ("calibrate", ["--sla", "80/20"] * 2),
    ("explain", ["--interaction", "a", "--interaction", "b"]), ("simulate", ["--switch", "longest_idle=1"] * 2),
])  # fmt: skip
def test_an_option_given_twice_where_one_is_meant_is_refused(store, capsys, command, twice):
    assert run([command, "--snapshot", "made", "--store", str(store), *twice]) == 2
    assert "more than once; give it once" in capsys.readouterr().err


@pytest.mark.parametrize("lever", ["0.5", '[{"factor": 0.5}, {"factor": 0.6, "when": {"weekdays": ["mon"]}}]'])
def test_a_lever_on_the_command_line_holds_for_every_rule_compared(store, tmp_path, lever):
    """And is what a study with it in every scenario says."""
    options = ["--snapshot", "made", "--methods", "genesys,weighted", "--handle", lever]
    assert compare(store, tmp_path / "options", *options) == 0
    handle = json.loads(lever)
    handle = handle if isinstance(handle, list) else [{"factor": handle}]
    found = json.loads((tmp_path / "options" / "study.json").read_text())
    assert [scenario["levers"]["handle"][0] for scenario in found["scenarios"]] == [handle[0]] * 2
    centre = routelab.read("made", store=store)
    wanted = routelab.compare(centre, [{"method": "genesys"}, {"method": "weighted"}], handle=handle).to_dict()
    assert found["sides"] == wanted["sides"]


def test_a_lever_that_cannot_be_read_is_refused(store, tmp_path, capsys):
    for text, says in (
        ("soon", "--handle 'soon': write a number, or entries"),
        ("0", "factor is 0; use a number from"),
    ):
        options = ["--snapshot", "made", "--store", str(store), "--mode", "replay", "--handle", text]
        assert run(["simulate", *options, "--out", str(tmp_path / "out")]) == 2
        assert says in capsys.readouterr().err
