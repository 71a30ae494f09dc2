"""Whatever stands where a setting, a study or a lever is meant is taken or refused in words; nothing else leaves."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import polars as pl
import pytest

import routelab
from api.terminal.cli import cli, run
from engine.errors import InvalidScenario, RoutingError
from engine.scoring.weights import RoutingWeights, ServiceLevelGoal
from engine.setting import shown
from engine.spec import Scenario, scenario_of, settings
from engine.study import MOST_NAME_CHARS, comparing
from ingest.synthetic import make
from tests.small_files import SAMPLE
from tests.small_service import client_of, refusal

REPLAY = Scenario(mode="replay")
LONGEST_REFUSAL = 700


class Rude:
    """Neither to be compared, hashed nor written."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


ODD = [
    None, True, False, 0, -1, 0.5, 1e300, 10**400, 10**5000, float("nan"), float("inf"), "", "x", "nan", "x" * 100_000,
    "\x00\x1b[31m", "\ud800", b"x", bytearray(b"x"), [], [1], [[1], [2], [3]], [True, True, True], [None, 1, 2],
    ["a", "b", "c"], ["skills", ["language"]], (1, 2), {}, {"a": 1}, {1: 2}, {"proficiency": "x"}, {1, 2, 3}, range(3),
    (n for n in range(3)), np.int64(3), np.float32(0.5), np.bool_(True), np.array([0.4, 0.3, 0.3]), np.array(0.5),
    np.datetime64("2024-01-01"), pd.NA, pd.NaT, pd.Series([0.4, 0.3, 0.3]), pl.Series(["skills"]), date(2024, 1, 1),
    datetime(2024, 1, 1), time(8), timedelta(1), Decimal("0.5"), 1 + 2j, object(), Ellipsis, type, Rude(), [Rude()],
]  # fmt: skip


def refused(given: Any) -> str:
    """The refusal in lines that can be printed, or nothing where it is taken; any other error fails the test."""
    try:
        given()
    except RoutingError as error:
        said = str(error)
        assert len(said) < LONGEST_REFUSAL
        assert said.replace("\n", "").isprintable()
        return said
    return ""


# --- settings by name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", settings(), ids=lambda one: one.name)
def test_a_value_of_any_type_is_taken_or_refused_by_name(one):
    called = {"weights": "weights", "sla": "goal"}.get(one.name, one.name)
    for value in ODD:
        said = refused(lambda value=value: scenario_of({one.name: value}, REPLAY))
        assert not said or called in said


def test_numbers_of_numpy_are_numbers_and_kept_as_those_of_python():
    given = {
        "seed": np.int64(3), "away_s": np.float64(5), "threshold": np.float32(0.5), "longest_idle": np.uint8(7),
        "weights": np.array([0.5, 0.25, 0.25]), "required": np.array(["skills"]), "method": np.str_("genesys"),
        "resets_on_queue": np.bool_(True), "replications": np.int32(2),
    }  # fmt: skip
    found = scenario_of(given, REPLAY)
    plain = {
        "seed": 3, "away_s": 5.0, "threshold": 0.5, "longest_idle": 7, "weights": [0.5, 0.25, 0.25],
        "required": ["skills"], "method": "genesys", "resets_on_queue": True, "replications": 2,
    }  # fmt: skip
    assert found == scenario_of(plain, REPLAY)
    assert json.loads(json.dumps(found.to_dict())) == scenario_of(plain, REPLAY).to_dict()


@pytest.mark.parametrize(("given", "says"), [
    ({"weights": [True, 0, 0]}, "weights: proficiency is true; use a number from 0 to 1,000,000"),
    ({"weights": {"historical_csat": "x"}}, "weights: historical_csat is 'x'"),
    ({"weights": "0.4,0.3,0.3"}, "weights is '0.4,0.3,0.3': give three numbers"),
    ({"threshold": None}, "threshold is nothing; use a number"),
    ({"sla": 80}, "goal 80: write SHARE/SECONDS"),
    ({"method": ["genesys"]}, r"method is a list of 'genesys'; use one of weighted"),
    ({"seed": 1.0}, "seed is 1.0; use a whole number"), ({"seed": 2**64}, "seed is 18446744073709551616; use a whole"),
    ({"required": {"skills"}}, r"required is a list of 'skills'; use a list of skills, language, today"),
    ({"required": [None]}, "required names nothing; use skills, language, or today"),
    ({5: 1}, "5 is not a setting; use one of"),
    ({"a\x1b[2J": 1}, r"'a\\x1b\[2J' is not a setting"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_what_may_stand_there(given, says):
    with pytest.raises(InvalidScenario, match=says):
        scenario_of(given)


def test_weights_that_are_not_named_stay_as_they_are():
    found = scenario_of({"weights": {"proficiency": 0.7}}).weights
    assert found == RoutingWeights(proficiency=0.7, min_score_threshold=0.5)


def test_a_goal_is_a_text():
    for value in ODD:
        assert "SHARE/SECONDS" in refused(lambda value=value: ServiceLevelGoal.parse(value))


@pytest.mark.parametrize(("value", "said"), [
    (np.arange(2), "a list of 0, 1"), (pd.Series([1]), "something of type Series"),
    (datetime(2024, 3, 4), "2024-03-04 00:00:00"),
    (10**5000, "a number of thousands of digits"),
], ids=["array", "series", "moment", "number"])  # fmt: skip
def test_a_value_is_shown_in_one_short_line(value, said):
    assert shown(value) == said


# --- studies ---------------------------------------------------------------------------------------------------------

STUDY = {"scenario": [{"name": "a"}]}


@pytest.mark.parametrize("key", ["snapshot", "from", "to", "replications", "baseline", "scenario", "x"])
def test_anything_under_a_key_of_a_study_is_taken_or_refused(key):
    for value in ODD:
        refused(lambda value=value: comparing(STUDY | {key: value}))


@pytest.mark.parametrize("made", [
    lambda value: value, lambda value: {"scenario": [value]}, lambda value: {"scenario": [{"name": value}]},
    lambda value: STUDY | {"baseline": {"name": value}}, lambda value: {"scenario": [{"name": "a", "handle": value}]},
    lambda value: {"scenario": [{"name": "a", "handle": [{"factor": value}]}]},
    lambda value: {"scenario": [{"name": "a", "handle": {"factor": 1, "queue": value}}]},
    lambda value: {"scenario": [{"name": "a", "handle": {"factor": 1, "when": {"weekdays": [value]}}}]},
    lambda value: {"scenario": [{"name": "a", "handle": {"factor": 1, "when": {"from": value}}}]},
], ids=["study", "entry", "name", "baseline", "lever", "factor", "queue", "weekdays", "time"])  # fmt: skip
def test_anything_within_a_study_is_taken_or_refused(made):
    for value in ODD:
        refused(lambda value=value: comparing(made(value)))


@pytest.mark.parametrize("place", ["study", "baseline", "scenario"])
def test_names_that_are_no_texts_are_refused(place):
    for name in (5, None, True, 0.5, date(2024, 1, 1), np.int64(5), (1, 2), "a" * 1000, "\ud800", "\x1b[2J", ""):
        content = {"study": {name: 1} | STUDY, "baseline": STUDY | {"baseline": {name: 1}},
                   "scenario": {"scenario": [{"name": "a", name: 1}]}}[place]  # fmt: skip
        assert "is not a" in refused(lambda content=content: comparing(content))


@pytest.mark.parametrize(("content", "says"), [
    ({"snapshot": 5}, "snapshot is 5; write the name of a snapshot, or its folder, in quotes"),
    ({"replications": 2, "baseline": {"replications": 3}}, "replications stands beside .baseline. and under it"),
    ({"scenario": [{"name": 5}]}, "scenario 1 has the name 5; use a text"),
    ({"scenario": [{"name": "a\nb"}]}, "without control characters"),
    ({"scenario": [{"name": "x" * (MOST_NAME_CHARS + 1)}]}, f"at most {MOST_NAME_CHARS} characters"),
    ({"baseline": {"name": "today"}}, "the name 'today' is taken"), ({"baseline": {"name": "a"}}, "'a' is taken"),
    ({"from": datetime(2024, 3, 4)}, "from is 2024-03-04 00:00:00; write 2024-03-04"),
    ({"from": "20240304"}, "from is '20240304'; write 2024-03-04"),
    ({"to": date(1, 1, 1)}, "to is 0001-01-01; use a day from 1970-01-02"),
    ({"baseline": {"handle": 1e9}}, "factor is 1000000000.0; use a number from 0.01 to 100"),
    ("x", "a study is 'x'; write a table with snapshot"),
])  # fmt: skip
def test_a_study_that_cannot_be_is_refused_with_the_place(content, says):
    with pytest.raises(InvalidScenario, match=says):
        comparing(STUDY | content if isinstance(content, dict) else content)


def test_a_baseline_may_have_a_name_of_its_own():
    assert comparing(STUDY | {"baseline": {"name": "as it is", "seed": 3}}).names == ["as it is", "a"]


def test_ten_thousand_scenarios_are_read_with_each_its_name():
    rows = [{"name": f"scenario {n}", "weights": [1, 0, n]} for n in range(10_000)]
    assert len(comparing({"scenario": rows}).names) == 10_001
    with pytest.raises(InvalidScenario, match="'scenario 7' is taken"):
        comparing({"scenario": [*rows, rows[7]]})


# --- in Python -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def centre():
    return routelab.read(agents=SAMPLE["agents"], interactions=SAMPLE["interactions"])


@pytest.mark.parametrize("call", [
    lambda centre, value: routelab.score(value), lambda centre, value: routelab.score(centre, days=value),
    lambda centre, value: routelab.score(centre, days=(value, None)), routelab.compare,
    lambda centre, value: routelab.compare(centre, [value, {"name": "b"}]),
    lambda centre, value: routelab.compare(centre, [{"name": value}, {"name": "b", "seed": 1}]),
    lambda centre, value: routelab.compare(centre, [{"method": value}, {"name": "b", "seed": 1}]),
    lambda centre, value: centre.table(value), lambda centre, value: routelab.read(value),
    lambda centre, value: routelab.read("x", store=value),
    lambda centre, value: routelab.read(agents=value, interactions=value),
    lambda centre, value: routelab.read(agents=[], interactions=[], time_zone=value),
    lambda centre, value: routelab.score(centre).explain(value),
], ids=[
    "centre", "days", "day", "scenarios", "scenario", "name", "method", "table", "snapshot", "store", "frame", "zone",
    "interaction",
])  # fmt: skip
def test_anything_given_to_the_python_door_is_taken_or_refused(call, centre):
    for value in ODD:
        if not (isinstance(value, str) and (len(value) > 100 or not value.isprintable())):
            refused(lambda value=value: call(centre, value))


def test_what_is_no_centre_is_told_what_one_is(centre):
    with pytest.raises(RoutingError, match="'demo' is no contact centre; give what"):
        routelab.replay("demo")
    with pytest.raises(
        RoutingError, match="is no snapshot or folder of snapshots; give a name or path as text, and tables"
    ):
        routelab.read(pd.DataFrame())
    with pytest.raises(RoutingError, match="the name 'recorded' is taken"):
        routelab.compare(centre, [{"name": "recorded"}, {"name": "b"}])


def test_levers_given_for_all_move_all(centre):
    found = routelab.compare(centre, [{"method": "genesys"}, {"method": "weighted"}], handle=1.5)
    assert [one["levers"] for one in found.to_dict()["scenarios"]] == [{"handle": [{"factor": 1.5}]}] * 2


# --- frames ----------------------------------------------------------------------------------------------------------

AGENTS, INTERACTIONS = (pl.read_csv(SAMPLE[name], try_parse_dates=True) for name in ("agents", "interactions"))
PANDAS = pd.read_csv(SAMPLE["interactions"], parse_dates=["arrived_at"])
SAME = {
    "categories": INTERACTIONS.with_columns(pl.col("queue_id", "agent_id", "media").cast(pl.Categorical)),
    "pandas categories": PANDAS.astype({"queue_id": "category", "agent_id": "category"}),
    "objects": PANDAS.astype(object), "nullable": PANDAS.convert_dtypes(), "lazy": INTERACTIONS.lazy(),
    "another zone": PANDAS.assign(arrived_at=PANDAS["arrived_at"].dt.tz_convert("America/New_York")),
    "durations": PANDAS.assign(handle_s=pd.to_timedelta(PANDAS["handle_s"], unit="s")),
    "decimals": INTERACTIONS.with_columns(pl.col("handle_s").cast(pl.Decimal(10, 2))),
    "small numbers": INTERACTIONS.with_columns(pl.col("priority").cast(pl.UInt8)),
}  # fmt: skip


@pytest.mark.parametrize("frame", SAME.values(), ids=SAME)
def test_types_that_say_the_same_give_the_same_table(frame, centre):
    found = routelab.read(agents=AGENTS, interactions=frame).table("interactions")
    assert found.equals(centre.table("interactions"))


ODD_FRAMES = {
    "twice": ({"interactions": pd.concat([PANDAS, PANDAS[["language"]]], axis=1)}, "columns have names of their own"),
    "series": ({"agents": AGENTS["agent_id"]}, "agents: cannot be read as a frame"),
    "no column": ({"agents": pl.DataFrame()}, "column agent_id is missing; found no column; add it"),
    "no row": ({"agents": AGENTS.clear()}, "agents: there is a header but no row"),
    "not finite": ({"interactions": INTERACTIONS.with_columns(handle_s=pl.lit(float("inf")))}, "a finite number"),
    "naive": (
        {"interactions": PANDAS.assign(arrived_at=PANDAS["arrived_at"].dt.tz_localize(None))}, "has no time zone"
    ),
    "level of another name": (
        {"agents": AGENTS.with_columns(skills=pl.Series([[{"name": "billing", "level": 3}]] * AGENTS.height))},
        "must be entries of name and proficiency",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "says"), ODD_FRAMES.values(), ids=ODD_FRAMES)
def test_frames_that_say_something_else_are_refused_once(changed, says):
    with pytest.raises(RoutingError) as caught:
        routelab.read(**{"agents": AGENTS, "interactions": INTERACTIONS} | changed)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


# --- at the terminal -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    make(folder, "made", interactions=300, agents=5, days=6, queues=2, skills=2, languages=2)
    return folder


def said_of(store: Path, content: str | bytes, *options: str) -> tuple[int, str, str]:
    """Exit code and what is printed about a study file."""
    path = store.parent / "study.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        into = ["--store", str(store), "--out", str(store.parent / "out"), "--replace"]
        code = run(["compare", str(path), *into, *options])
    return code, out.getvalue(), err.getvalue()


HEAD = 'snapshot = "made"\n'
ROW = '[[scenario]]\nname = "a"\nmethod = "weighted"\n'


@pytest.mark.parametrize(("content", "says"), [
    (HEAD + "replications = " + "9" * 5000 + "\n" + ROW, "not a readable TOML file (Exceeds the limit"),
    (HEAD + "x = " + "[" * 5000 + "]" * 5000 + "\n" + ROW, "not a readable TOML file (maximum recursion depth"),
    ((HEAD + '[[scenario]]\nname = "Ü"').encode("latin-1"), "not a readable TOML file"),
    ((HEAD + ROW).encode("utf-16"), "save it as UTF-8"), (HEAD.replace("made", "x" * 5000) + ROW, "is not in"),
    (HEAD + ROW + "away_s = 3\n", "must be the same for all rules; say it once for all, as under [baseline]"),
])  # fmt: skip
def test_a_file_that_is_no_study_is_one_line(store, content, says):
    code, out, err = said_of(store, content)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_study_may_begin_with_a_byte_order_mark(store):
    assert said_of(store, "\ufeff" + HEAD + ROW)[0] == 0


def test_names_in_brackets_are_printed_as_they_are(store):
    """Styles are never read out of names: neither of scenarios, nor of anything else."""
    row = '[[scenario]]\nname = "[red]x[/red] [/] :smile:"\nmethod = "weighted"\n'
    code, out, _ = said_of(store, HEAD + '[baseline]\nname = "as [it] is"\n' + row)
    assert code == 0
    assert "[red]x[/red] [/] :smile: against as [it] is: " in out


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    for name, command in group.commands.items():
        inner = isinstance(command, click.Group)
        found += leaves(command, (*path, name)) if inner else [((*path, name), command)]
    return found


LEAVES = leaves(cli)


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_every_option_of_every_command_may_be_given_once(path, command, capsys):
    for each in command.get_params(click.Context(command, help_option_names=["-h", "--help"])):
        if not isinstance(each, click.Option) or each.is_flag or each.multiple:
            continue
        (name,) = each.opts
        for twice in ([name, "v", name, "w"], [f"{name}=v", f"{name}=v"], [name, "v", f"{name}=v"]):
            assert run([*path, *twice]) == 2
            assert f"{name} is given more than once; give it once" in capsys.readouterr().err


def test_help_comes_first_and_flags_may_be_repeated(store, capsys):
    assert run(["simulate", "--seed", "1", "-h", "--seed", "2"]) == 0
    assert "Usage: routelab simulate" in capsys.readouterr().out
    assert run(["snapshot", "list", "--store", str(store), "--json", "--json"]) == 0


# --- over HTTP -------------------------------------------------------------------------------------------------------

PLAIN = [None, True, 0, -1, 0.5, 1e308, 10**30, "", "x", "a\x00b", [], [1], ["a"], [[]], {}, {"a": 1}, [{}], "80/20"]


@pytest.mark.parametrize("place", ["study", "baseline", "scenario"])
def test_any_json_in_a_study_is_answered_or_a_problem(store, place):
    client = client_of(store)
    keys = [one.name for one in settings()] + ["name", "handle", "metod"]
    keys = ["from", "to", "replications", "baseline", "scenario", "force", "snapshot"] if place == "study" else keys
    for key in keys:
        # Refused before anything is replayed, since no snapshot has this name.
        asked: dict[str, Any] = {"snapshot": "gone", "scenario": [{"name": "b"}]}
        for value in PLAIN:
            inner = {key: value} if place != "scenario" else {"name": "b", key: value}
            body = asked | {"study": inner, "baseline": {"baseline": inner}, "scenario": {"scenario": [inner]}}[place]
            answer = client.post("/simulate/batch", json=body)
            assert answer.status_code in (200, 404, 422), (key, value, answer.text)
            assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("body", "says"), [
    ({"scenario": None, "baseline": {"seed": 1}}, "/baseline: belongs to a study, and there is no scenario"),
    ({"scenario": None, "from": "2026-01-05"}, "/from: belongs to a study"),
    ({"from": "2020-01-01", "to": "2020-01-02"}, "there are no interactions in these days"),
    ({"replications": 2, "baseline": {"replications": 3}}, "replications stands beside"),
    ({"mode": "replay"}, "/mode: does not go with scenario; leave it out"),
    ({"scenario": [{"name": "a", "away": 1}]}, "this request; did you mean away_s?"),
    ({"scenario": [{"name": "a", "handle": "x"}]}, "handle: factor is 'x'"),
    ({"baseline": {"seed": 2**53 + 1}}, "use 9,007,199,254,740,992 or less"),
])  # fmt: skip
def test_a_study_that_contradicts_itself_is_refused_with_the_place(store, body, says):
    asked = {"snapshot": "made", "scenario": [{"name": "a"}]} | body
    assert says in refusal(client_of(store).post("/simulate/batch", json=asked), 422)


def test_null_in_a_study_is_as_left_out(store):
    client = client_of(store)
    asked = {"snapshot": "made", "scenario": [{"name": "a", "method": "weighted"}]}
    nulls = asked | {"baseline": {"seed": None, "method": None, "name": None, "handle": None, "sla": None}}
    plain = client.post("/simulate/batch", json=asked)
    assert plain.status_code == 200
    assert client.post("/simulate/batch", json=nulls).json() == plain.json()
