"""The Python door: the numbers of the engine, the words of the import, frames that stay as they are."""

from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

import routelab
from api.terminal.cli import run as command
from engine.errors import InvalidScenario, InvalidTable, MissingInput, UnknownName
from engine.run import choose, run
from engine.spec import Scenario
from ingest.files import import_files
from ingest.snapshot.reading import open_snapshot
from tests.imports import HEAVY, imported
from tests.small_files import AGENTS, GOOD, INTERACTIONS, SAMPLE, write

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    import_files(folder, "sample", **SAMPLE)
    return folder


@pytest.fixture(scope="module")
def centre(store):
    return routelab.read("sample", store=store)


def polars_frames():
    return {name: pl.read_csv(path, try_parse_dates=True) for name, path in SAMPLE.items()}


def pandas_frames():
    times = {"interactions": ["arrived_at"], "surveys": ["completed_at"], "staffing": ["start_at", "end_at"]}
    return {name: pd.read_csv(path, parse_dates=times.get(name, [])) for name, path in SAMPLE.items()}


def arrow_frames():
    return {name: frame.to_arrow() for name, frame in polars_frames().items()}


def rows_of():
    return {name: frame.to_dicts() for name, frame in polars_frames().items()}


def files():
    return {name: str(path) for name, path in SAMPLE.items()}


KINDS = [polars_frames, pandas_frames, arrow_frames, rows_of, files]


def numbers(found):
    """A report without what says where the data came from and how long it took."""
    return {name: part for name, part in found.to_dict().items() if name not in {"snapshot", "timing"}}


# --- equal numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_every_kind_give_the_numbers_of_the_imported_snapshot(kind, centre):
    own = routelab.read(**kind())
    settings = {"method": "genesys", "sla": "80/20", "seed": 3}
    mine, wanted = routelab.replay(own, **settings), routelab.replay(centre, **settings)
    assert numbers(mine) == numbers(wanted)
    assert_frame_equal(mine.to_frame(), wanted.to_frame())
    assert numbers(routelab.score(own)) == numbers(routelab.score(centre))


def test_runs_are_those_of_the_engine(store, centre):
    arrays = open_snapshot(store, "sample").arrays()
    scored, scenario = routelab.score(centre, weights=(0.2, 0.3, 0.5), required="skills"), Scenario(
        weights=Scenario().weights.__class__(0.2, 0.3, 0.5), required=("skills",)
    )  # fmt: skip
    assert scored.to_dict() == run(scenario, arrays).to_dict()
    assert_frame_equal(scored.to_frame(), choose(scenario, arrays).to_frame())
    replayed = Scenario(mode="replay", method="bullseye", goal="90/30", replications=2)
    found = routelab.replay(centre, method="bullseye", sla="90/30", replications=2)
    assert found.to_dict() == run(replayed, arrays).to_dict()
    assert_frame_equal(found.to_frame(), choose(replayed, arrays).to_frame())


def test_a_replay_is_what_the_command_line_writes(store, centre, tmp_path):
    asked = ["--snapshot", "sample", "--store", str(store), "--mode", "replay", "--method", "genesys"]
    assert command(["simulate", *asked, "--from", "2024-03-04", "--to", "2024-03-05", "--out", str(tmp_path)]) == 0
    found = routelab.replay(centre, method="genesys", days=("2024-03-04", "2024-03-05"))
    written = json.loads((tmp_path / "report.json").read_text())
    assert json.loads(json.dumps(found.to_dict() | {"timing": written["timing"]})) == written
    outcomes = pl.read_ipc(tmp_path / "outcomes.arrow").with_columns(cs.categorical().cast(pl.String))
    columns = outcomes.columns
    assert_frame_equal(found.to_frame().select(columns), outcomes, check_dtypes=False)


def test_a_comparison_is_what_the_command_line_writes(store, centre, tmp_path):
    asked = ["--snapshot", "sample", "--store", str(store), "--methods", "genesys,weighted", "--sla", "80/20"]
    assert command(["compare", *asked, "--out", str(tmp_path)]) == 0
    found = routelab.compare(centre, [{"method": "genesys"}, {"method": "weighted"}], sla="80/20")
    (written,) = tmp_path.iterdir()
    assert json.loads(json.dumps(found.to_dict())) == json.loads(written.read_text())


def test_a_comparison_is_a_frame_of_scenarios_and_measures(centre):
    found = routelab.compare(
        centre,
        [{"method": "genesys"}, {"name": "ours", "method": "weighted"}, {"name": "strict", "required": ["skills"]}],
        replications=2,
    )
    frame = found.to_frame()
    side = found.to_dict()["sides"][1]
    assert frame.columns == [
        "handling", "scenario", "measure", "value", "low", "high", "difference", "difference_low", "difference_high",
        "says",
    ]  # fmt: skip
    assert frame.height == 2 * len(side["columns"]) * 6
    for column in side["columns"]:
        mine = frame.filter(handling="agent", scenario=column["name"])
        assert dict(mine.select("measure", "value").iter_rows()) == {name: column[name] for name in mine["measure"]}
    (difference,) = (row for row in side["differences"] if row["rule"] == "ours")
    row = frame.row(by_predicate=(pl.col("handling") == "agent") & (pl.col("scenario") == "ours")
                    & (pl.col("measure") == "asa_s"), named=True)  # fmt: skip
    assert (row["difference"], row["says"]) == (difference["asa_s"]["value"], difference["asa_s"]["says"])
    assert frame.filter(scenario="genesys")["difference"].null_count() == 12


def test_without_staffing_who_answered_says_who_was_at_work():
    frames = polars_frames()
    del frames["staffing"]
    found = routelab.replay(routelab.read(**frames), method="longest_idle").to_dict()
    assert found["replay"]["estimates"]["staffing"]["source"] == "inferred"


def test_days_are_those_of_the_time_zone_given():
    rows = [
        {"interaction_id": "a", "queue_id": "q", "arrived_at": "2024-03-04T23:30:00"},
        {"interaction_id": "b", "queue_id": "q", "arrived_at": "2024-03-05T00:30:00"},
    ]
    centre = routelab.read(agents=[{"agent_id": "x"}], interactions=rows, time_zone="America/New_York")
    found = routelab.score(centre, days=("2024-03-04", "2024-03-04")).to_frame()
    assert found["interaction_id"].to_list() == ["a"]
    assert centre.table("interactions")["arrived_at"].dt.strftime("%H:%M").to_list() == ["04:30", "05:30"]


# --- frames are checked like files, and stay as they are ------------------------------------------------------------

BAD = {
    "missing column": {"interactions": "interaction_id,queue_id\ni1,q1\n"},
    "near miss": {"interactions": "interaction_id,queue_id,arived_at\ni1,q1,2024-03-04T09:00:00Z\n"},
    "no header kept": {"agents": "name\nAda\n"},
    "column twice": {"agents": "agent_id,Agent_ID\na,b\n"},
    "two names of one": {"interactions": "id,interaction_id,queue_id,arrived_at\n1,1,q,2024-03-04T09:00:00Z\n"},
    "no zone": {"interactions": INTERACTIONS.replace("09:00:05Z", "09:00:05")},
    "no time": {"interactions": INTERACTIONS.replace("2024-03-04T09:00:05Z", "soon")},
    "far away": {"interactions": INTERACTIONS.replace("2024-03-04T09:00:05Z", "1066-10-14T09:00:00Z")},
    "negative": {"interactions": INTERACTIONS.replace(",150", ",-150")},
    "no number": {"interactions": INTERACTIONS.replace(",150", ",long").replace(",200", ",short")},
    "id again": {"interactions": INTERACTIONS.replace("i2", "i1")},
    "id empty": {"interactions": INTERACTIONS.replace("i2", "")},
    "proficiency": {"agents": AGENTS.replace("billing:5", "billing:6")},
    "level no number": {"agents": AGENTS.replace("billing:5", "billing:high")},
    "skill twice": {"agents": AGENTS.replace("tech:3.5", "billing:3")},
    "ring": {"members": "queue_id,agent_id,ring\nq1,a1,9\n"},
    "truth": {"members": "queue_id,agent_id,joined\nq1,a1,perhaps\n"},
    "member twice": {"members": "queue_id,agent_id\nq1,a1\nq1,a1\n"},
    "method": {"queues": "queue_id,evaluation_method\nq1,SOME\n"},
    "scale": {"surveys": GOOD["surveys"].replace("4,1,5", "6,1,5")},
    "end before start": {"staffing": GOOD["staffing"].replace("16:00", "06:00")},
    "factor": {"handle_factors": "agent_id,skill,factor\na1,tech,0\n"},
    "several tables": {"agents": AGENTS.replace("a2", "a1"), "interactions": INTERACTIONS.replace(",150", ",x")},
    "members twice": {"agents": "agent_id,queues\na1,q1\n"},
}


def said(tables):
    with pytest.raises(InvalidTable) as caught:
        routelab.read(**tables)
    return [*caught.value.problems]


def as_texts(content):
    """The rows of a CSV file as a frame of texts."""
    names = content.splitlines()[0].split(",")
    schema = {str(n): pl.String for n in range(len(names))}
    table = pl.read_csv(content.encode(), has_header=False, skip_rows=1, infer_schema=False, schema=schema)
    return pa.table(table.to_arrow().columns, names=names)


def in_place(problem, shift):
    """The problem with the source of a frame, rows counted from 0."""
    problem = re.sub(r"^(\w+)\.(csv|parquet)", r"\1", problem)
    problem = re.sub(r", row (\d+)", lambda m: f", row {int(m[1]) - shift}", problem)
    return re.sub(r"also (\d+)", lambda m: f"also {int(m[1]) - shift}", problem)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_frame_is_refused_in_the_words_of_a_bad_file(bad, tmp_path):
    content = GOOD | bad
    frames = {name: as_texts(text) for name, text in content.items()}
    found = said(frames)
    assert found == [in_place(line, 2) for line in said(write(tmp_path, **content))]
    if bad.keys() != {"agents"} or "Agent_ID" not in bad["agents"]:
        assert said({name: pl.from_arrow(table) for name, table in frames.items()}) == found
    paths = {}
    for name, table in frames.items():
        paths[name] = tmp_path / f"{name}.parquet"
        pq.write_table(table, paths[name])
    assert found == [in_place(line, 0) for line in said(paths)]


def test_forms_that_a_whole_column_settles_are_taken_from_frames_and_from_files(tmp_path):
    """A decimal comma, which was refused: of handling times of 200 and 1.5 seconds."""
    content = GOOD | {"interactions": INTERACTIONS.replace(",150", ',"1,5"')}
    frames = {name: as_texts(text) for name, text in content.items()}
    pq.write_table(frames["interactions"], tmp_path / "interactions.parquet")
    for given in (frames, write(tmp_path, **content), frames | {"interactions": tmp_path / "interactions.parquet"}):
        assert 1.5 in routelab.read(**given).table("interactions")["handle_s"].to_list()


TYPED = {
    "number": {"interaction_id": [1.5, 2.5]},
    "nan": {"handle_s": [float("nan"), 1.0]},
    "naive": {"arrived_at": [pd.Timestamp("2024-03-04T09:00"), pd.Timestamp("2024-03-04T10:00")]},
    "flag": {"arrived_at": [True, False]},
    "nested": {"language": [["en"], ["fr"]]},
}


@pytest.mark.parametrize("changed", TYPED.values(), ids=TYPED)
def test_columns_of_another_type_are_refused_as_in_a_parquet_file(changed, tmp_path):
    frame = pl.read_csv(INTERACTIONS.encode()).with_columns(pl.Series(name, values) for name, values in changed.items())
    frame.write_parquet(tmp_path / "interactions.parquet")
    agents = pl.read_csv(AGENTS.encode())
    found = said({"agents": agents, "interactions": frame})
    assert found == [
        in_place(line, 0) for line in said({"agents": agents, "interactions": tmp_path / "interactions.parquet"})
    ]


def test_what_is_no_table_is_refused_with_what_is_taken():
    good = {"interactions": pl.read_csv(INTERACTIONS.encode())}
    assert said(good | {"agents": 5})[0].startswith("agents: int is no table; give a polars, pandas or Arrow frame")
    mixed = [{"agent_id": "a"}, {"agent_id": ["b"]}]
    assert "agents: cannot be read as a frame" in said(good | {"agents": mixed})[0]
    objects = pl.DataFrame({"agent_id": [object()]})
    assert said(good | {"agents": objects}) == [
        "agents: cannot be read as a frame (column agent_id holds Python objects); give a frame whose columns have "
        "names of their own and one type each, or values as text"
    ]
    with pytest.raises(MissingInput, match="interactions are missing; give agents= and interactions="):
        routelab.read(agents=pl.DataFrame())
    with pytest.raises(MissingInput, match="there is no such file"):
        routelab.read(agents="nowhere.csv", **good)
    with pytest.raises(MissingInput, match="leave out agents"):
        routelab.read("sample", agents=pl.DataFrame())
    with pytest.raises(UnknownName, match="time zone 'Berlin' is not known"):
        routelab.read(agents=pl.read_csv(AGENTS.encode()), **good, time_zone="Berlin")


def test_a_missing_zone_is_mended_with_the_name_it_has_here():
    bad = INTERACTIONS.replace("09:00:05Z", "09:00:05")
    (line,) = said({"agents": pl.read_csv(AGENTS.encode()), "interactions": pl.read_csv(bad.encode())})
    assert line.endswith('write it as in 2024-03-01T09:30:00Z, or give time_zone="Europe/Berlin", say')


@pytest.mark.parametrize("kind", [polars_frames, pandas_frames, arrow_frames, rows_of])
def test_nothing_that_is_given_is_changed(kind):
    frames, untouched = kind(), kind()
    centre = routelab.read(**frames)
    routelab.replay(centre, method="weighted")
    for name, frame in frames.items():
        same = frame.equals(untouched[name]) if hasattr(frame, "equals") else frame == untouched[name]
        assert same, name


def test_unnamed_row_labels_of_pandas_are_no_column_and_named_ones_are():
    frames = pandas_frames()
    shuffled = frames["interactions"].sample(frac=1, random_state=1)
    centre = routelab.read(agents=frames["agents"].set_index("agent_id"), interactions=shuffled)
    assert not any("__index" in text for text in centre.assumptions)
    assert centre.table("agents")["agent_id"].to_list() == frames["agents"]["agent_id"].to_list()
    assert centre.table("interactions")["arrived_at"].is_sorted()


def test_what_is_left_out_of_a_frame_is_told():
    agents = pl.read_csv(AGENTS.encode()).with_columns(phone=pl.lit("1"))
    centre = routelab.read(agents=agents, interactions=pl.read_csv(INTERACTIONS.encode()))
    assert centre.assumptions[0] == "agents: columns outside table agents were not stored: phone"
    assert routelab.score(centre).to_dict()["snapshot"]["assumptions"] == centre.assumptions


# --- settings -------------------------------------------------------------------------------------------------------


def test_an_unknown_setting_is_refused_and_the_nearest_named(centre):
    with pytest.raises(InvalidScenario, match="metod is not a setting; did you mean method"):
        routelab.replay(centre, metod="genesys")
    with pytest.raises(InvalidScenario, match="join_gap is not a setting; did you mean join_gap_s"):
        routelab.score(centre, join_gap=60)
    with pytest.raises(InvalidScenario, match="scenario 'ours': wieghts is not a setting; did you mean weights"):
        routelab.compare(centre, [{"method": "genesys"}, {"name": "ours", "wieghts": (1, 0, 0)}])
    with pytest.raises(InvalidScenario, match="mode is said by the function"):
        routelab.replay(centre, mode="score")


def test_comparisons_that_name_nothing_to_compare_are_refused(centre):
    refusals = {
        "give two scenarios or more": [{"method": "genesys"}],
        "the name 'genesys' is taken": [{"method": "genesys"}, {"method": "genesys"}],
        "the name 'a' is taken": [{}, {"name": "a"}, {"name": "a"}],
        "scenario 1 has no name": [{}, {}],
        "'weighted' is no scenario": [{}, "weighted"],
        "handling is not for a study to say": [{}, {"name": "a", "handling": "agent"}],
    }
    for wanted, scenarios in refusals.items():
        with pytest.raises(InvalidScenario, match=wanted):
            routelab.compare(centre, scenarios)


def test_the_first_scenario_is_todays_rule_unless_it_says_another(centre):
    found = routelab.compare(centre, [{}, {"name": "ours", "method": "weighted"}])
    assert [one["method"] for one in found.to_dict()["scenarios"]] == ["genesys", "weighted"]
    assert "baseline" in found.to_frame()["scenario"].to_list()


def test_days_that_are_none_are_refused(centre):
    for days, wanted in [
        (("2024-03-32", None), "days is '2024-03-32'; write an existing day"),
        ("2024-03-04", "give the first and the last"),
        (("2030-01-01", None), "there are no interactions in these days"),
    ]:
        with pytest.raises(InvalidScenario, match=wanted):
            routelab.score(centre, days=days)


def test_a_replay_tells_its_progress_to_who_asks_and_prints_nothing(centre, capsys):
    told = []
    routelab.replay(centre, method="genesys", replications=2, progress=lambda *step: told.append(step))
    assert told[:2] == [("replaying genesys", 0, 2), ("replaying genesys", 1, 2)]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mode", [routelab.score, routelab.replay])
def test_why_an_agent_was_chosen_is_a_frame_with_the_chosen_first(centre, mode):
    found = mode(centre, method="weighted")
    row = found.to_frame().filter(pl.col("selected_agent_id").is_not_null()).row(0, named=True)
    why = found.explain(row["interaction_id"])
    assert why.height == 12
    assert why["agent_id"][0] == row["selected_agent_id"]
    assert why["reason"].null_count() == 0
    with pytest.raises(UnknownName, match="interaction 'nobody' is not"):
        found.explain("nobody")


# --- what a notebook shows ------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Tags that are opened, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_replay_is_shown_in_three_lines_and_a_small_table(centre):
    found = routelab.replay(centre, method="genesys", sla="80/20")
    first, measures, light = repr(found).splitlines()
    assert first == "Replay of 'genesys': 300 offered"
    waits = found.to_dict()["service_level"]
    assert f"service level {100 * waits['service_level']:.1f} %, ASA {waits['asa_s']:.1f} s" in measures
    assert f"abandonment {100 * waits['abandonment_share']:.1f} %" in measures
    assert light.strip().startswith("light: green (today's rule replayed has an ASA equal to")
    shown = Tags(found._repr_html_())
    assert {"recorded", "today"} <= {*shown.texts} and "scenario" not in shown.texts
    assert {*shown.tags} == {"table", "caption", "tr", "th", "td", "p"}


def test_a_score_and_a_centre_are_shown_in_a_few_lines(centre):
    assert repr(routelab.score(centre)).splitlines()[:2] == [
        "Score of 'weighted': 300 routed, 0 unrouted", "  preferred most often: a03, 82 times"
    ]  # fmt: skip
    assert {*Tags(routelab.score(centre)._repr_html_()).tags} == {"p"}
    assert repr(centre) == (
        "Centre 'sample': 12 agents, 20 members, 3 queues, 300 interactions, 90 surveys, 54 staffing\n"
        "  interactions from 2024-03-04 to 2024-03-06, UTC"
    )
    assert "300" in Tags(centre._repr_html_()).texts


def test_names_in_what_is_shown_are_escaped(centre):
    evil = "<script>alert(1)</script>"
    found = routelab.compare(centre, [{"method": "genesys"}, {"name": evil, "method": "weighted"}])
    shown = Tags(found._repr_html_())
    assert evil in shown.texts
    assert "script" not in shown.tags
    assert len(repr(found).splitlines()) == 6


def test_results_cannot_be_changed(centre):
    found = routelab.score(centre)
    with pytest.raises(FrozenInstanceError):
        found.report = None
    with pytest.raises(FrozenInstanceError):
        centre.name = "other"
    with pytest.raises(UnknownName, match="table 'agnets' is not known"):
        centre.table("agnets")


# --- the package ----------------------------------------------------------------------------------------------------


def test_the_snippet_of_the_page_goes_from_frames_to_a_comparison_in_ten_lines(monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = [line for line in SNIPPETS[0].splitlines() if line.strip()]
    assert len(lines) <= 10
    assert sum(" = pl.read_csv" in line for line in lines) >= 2
    scope = {}
    exec(SNIPPETS[0], scope)
    assert scope["table"]["scenario"].to_list()[-2:] == ["genesys", "ours"]


@pytest.mark.parametrize(("snippet", "says"), [*zip(SNIPPETS[1:], ("billing:six", "3,746 offered"), strict=True)])
def test_every_snippet_of_the_page_runs(snippet, says, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(snippet, {})
    assert says in capsys.readouterr().out


def test_importing_the_door_imports_nothing_heavy():
    assert not imported("import routelab") & {*HEAVY, "numpy", "polars", "pyarrow", "pandas", "pydantic"}
    assert not imported("import routelab; routelab.replay; routelab.read") & {*HEAVY, "pandas", "click"}


def test_every_name_of_the_door_is_there_and_no_other():
    assert all(getattr(routelab, name) for name in routelab.__all__)
    assert {*dir(routelab)} == {*routelab.__all__}
    with pytest.raises(AttributeError, match="it has Centre, Compared"):
        routelab.simulate  # noqa: B018


def test_the_built_package_says_that_it_is_typed():
    package = Distribution()
    apply_configuration(package, ROOT / "pyproject.toml")
    build = package.get_command_obj("build_py")
    build.ensure_finalized()
    build.manifest_files = {}
    assert "routelab" in package.packages
    assert [Path(file).name for file in build.find_data_files("routelab", str(ROOT / "routelab"))] == ["py.typed"]
