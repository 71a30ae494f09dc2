"""A centre whose every name attacks whoever prints it goes through every command, and through the service."""

from __future__ import annotations

import html
import io
import json
import re
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from rich.cells import cell_len

import routelab
from api.terminal.cli import run
from api.terminal.commands.demo import _decisions
from api.terminal.shown import page
from engine.texts import short, visible
from ingest.double import Double
from ingest.snapshot.reading import open_snapshot
from tests.hostile_centre import ANY, Names, write
from tests.small_platform import small
from tests.small_service import client_of

STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The hostile centre in a store with a hostile name; what is needed of it by the tests, which change nothing."""
    folder = tmp_path_factory.mktemp("hostile")
    paths, names = write(folder)
    store = folder / "store [/old] \x1b[2J \u202e"
    out, err = io.StringIO(), io.StringIO()
    given = [word for table, path in paths.items() for word in (f"--{table}", str(path))]
    with redirect_stdout(out), redirect_stderr(err):
        assert run(["snapshot", "files", "--name", "h", *given, "--keep-names", "--store", str(store)]) == 0
    return SimpleNamespace(folder=folder, paths=paths, names=names, store=store, said=out.getvalue())


def hidden(text: str) -> list[str]:
    """Characters that a terminal obeys, or that nobody sees, but the ends of lines."""
    return [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c != "\n"]


def aligned(text: str) -> bool:
    """Whether all rows of each table are equally wide."""
    tables = "\n".join(line if line[:1] in set("┏┃┡│└") else "" for line in text.split("\n")).split("\n\n")
    return all(len({cell_len(row) for row in table.split("\n") if row}) <= 1 for table in tables)


def agents(names: Names) -> list[str]:
    """How agents stand in tables."""
    both = zip(names.all("called"), names.all("agent"), strict=True)
    return [f"{short(called)} ({short(code)})" for called, code in both]


COMMANDS = {
    "show": ("snapshot show h", lambda names: []),
    "list": ("snapshot list", lambda names: []),
    "verify": ("snapshot verify h", lambda names: []),
    "score": ("simulate --snapshot h --mode score", lambda names: agents(names)[2:4]),
    "replay": ("simulate --snapshot h", lambda names: [*map(short, names.all("line")), agents(names)[2]]),
    "compare": ("compare --snapshot h --methods genesys,random", lambda names: []),
    "explain": ("explain --snapshot h --top 99", agents),
    "explain replay": ("explain --snapshot h --mode replay --top 99 --threshold 0", lambda names: agents(names)[2:3]),
    "calibrate": ("calibrate --snapshot h --replications 2", lambda names: []),
}


def words(command: str, centre: Any, out: Path) -> list[str]:
    """A command as it is typed, writing into a folder with a hostile name."""
    out = out / "[old] \x1b[2J"
    first = command.split(maxsplit=1)[0]
    more = {"simulate": ["--out", str(out)], "compare": ["--out", str(out)],
            "calibrate": ["--out", str(out / "c.json"), "--chart", str(out / "c.svg")],
            "explain": ["--interaction", centre.names.all("interaction")[0]]}.get(first, [])  # fmt: skip
    return [*command.split(), *more, "--store", str(centre.store)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_name_is_seen_and_none_is_obeyed(command, centre, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(page, "PIPED_COLUMNS", 4000)
    typed, names_of = COMMANDS[command]
    assert run(words(typed, centre, tmp_path)) == 0
    said = capsys.readouterr()
    assert not hidden(said.out + said.err)
    assert aligned(said.out)
    for name in names_of(centre.names):
        assert name in said.out, name


@pytest.mark.parametrize("columns", ["20", "63", "120"])
def test_a_terminal_of_any_width_gets_our_own_styles_and_nothing_else(centre, tmp_path, monkeypatch, columns):
    for name, value in (("COLUMNS", columns), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    with redirect_stdout(Terminal()) as out:
        assert run(words(COMMANDS["explain"][0], centre, tmp_path)) == 0
    said = out.getvalue()
    assert STYLE.search(said)
    assert not hidden(STYLE.sub("", said))
    assert aligned(STYLE.sub("", said))


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "verify"])
def test_json_is_exact_and_hides_nothing(command, centre, tmp_path, capsys):
    assert run([*words(COMMANDS[command][0], centre, tmp_path), "--json"]) == 0
    said = capsys.readouterr().out
    assert not hidden(said)
    content = json.loads(said)
    agents = content.get("agents") if isinstance(content, dict) else None
    if agents:
        assert {one["agent_id"] for one in agents} <= set(centre.names.all("agent"))
        assert {one["agent_name"] for one in agents} <= set(centre.names.all("called"))


def test_files_hold_names_exactly(centre, tmp_path):
    assert run(words("simulate --snapshot h --mode score", centre, tmp_path)) == 0
    (out,) = tmp_path.iterdir()
    rows = pl.read_ipc((out / "outcomes.arrow").read_bytes())
    assert rows["interaction_id"].to_list() == centre.names.all("interaction")
    assert set(rows["selected_agent_id"].drop_nulls().cast(pl.String)) <= set(centre.names.all("agent"))
    # The demo reads them back; a path is no pattern either.
    assert _decisions(out) == rows["interaction_id"][0]
    report = json.loads((out / "report.json").read_bytes())
    assert {one["agent_name"] for one in report["agents"]} == set(centre.names.all("called"))


def test_the_import_tells_its_files_and_the_next_command_can_be_typed(centre):
    assert not hidden(centre.said)
    told = " ".join(centre.said.split())
    assert all(visible(path.name) in told for path in centre.paths.values())
    assert f"--store '{visible(str(centre.store))}'" in told


BAD = "[/old]\x9b\n\x1b[2J\u202e"


@pytest.mark.parametrize("arguments", [
    [BAD], ["snapshot", BAD], ["snapshot", "list", f"--{BAD}"], ["snapshot", "show", BAD], ["snapshot", "delete", BAD],
    ["snapshot", "verify", f"./{BAD}"], ["snapshot", "list", "--store", BAD],
    ["snapshot", "synthetic", "--name", BAD], ["snapshot", "files", "--name", "x", "--agents", BAD,
    "--interactions", BAD], ["snapshot", "files", "--name", "x", "--agents", "{0}", "--interactions", "{1}",
    "--time-zone", BAD], ["simulate", "--snapshot", BAD], ["simulate", "--snapshot", "h", "--method", BAD],
    ["simulate", "--snapshot", "h", "--weights", BAD], ["simulate", "--snapshot", "h", "--from", BAD],
    ["simulate", "--snapshot", "h", "--switch", f"{BAD}=1"], ["simulate", "--snapshot", "h", "--handle", BAD],
    ["simulate", "--snapshot", "h", "--handle", json.dumps({"factor": 1, "queue": BAD})],
    ["simulate", "--snapshot", "h", "--calibration", BAD], ["compare", BAD], ["compare", "--snapshot", "h",
    "--methods", f"genesys,{BAD}"], ["explain", "--snapshot", "h", "--interaction", BAD], ["bench", "--workload", BAD],
    ["validate", "--case", BAD], ["serve", "--host", BAD], ["serve", "--settings", BAD], ["genesys", BAD],
    ["calibrate", "--snapshot", "h", "--method", BAD], ["snapshot", "synthetic", "--name", "x", "--like", BAD],
], ids=lambda arguments: " ".join(arguments).replace(BAD, "BAD")[:40])  # fmt: skip
def test_what_is_typed_is_refused_in_lines_that_can_be_read(arguments, centre, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    at = ["--store", str(centre.store)] if arguments[0] in {"simulate", "compare", "explain", "calibrate"} else []
    at += ["--out", str(centre.folder / "out")] if arguments[0] == "simulate" else []
    files = [str(centre.paths[name]) for name in ("agents", "interactions")]
    assert run([*(word.format(*files) if len(word) == 3 else word for word in arguments), *at]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert not hidden(said.err)
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["[/old] [bold]x[/]", "{0} %s", "漢字", "שלום", "o" + 40 * "\u0301", "l" * 300])
def test_scenarios_may_be_called_anything_that_is_one_line(name, centre, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(page, "PIPED_COLUMNS", 4000)
    study = tmp_path / "study.toml"
    study.write_text(f'snapshot = "h"\n[[scenario]]\nname = {json.dumps(name)}\nmethod = "random"\n', encoding="utf-8")
    assert run(["compare", str(study), "--store", str(centre.store), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert visible(name)[:60] in said
    assert not hidden(said)
    assert aligned(said)
    sides = json.loads((tmp_path / "out" / "study.json").read_bytes())["sides"]
    assert {side["columns"][-1]["name"] for side in sides} == {name}


def test_progress_shows_labels_as_they_are(monkeypatch):
    with redirect_stderr(Terminal()) as err, page.progress() as watch:
        assert watch is not None
        for name in ANY:
            watch(f"{name}", 1, 2)
    assert not re.search(r"\x1b\](52|8)|\x9b|\u202e|\x07", err.getvalue())
    assert r"\x1b]52;c;QQ==\x07clip" in err.getvalue()
    assert "[/old]" in err.getvalue()


def test_notebooks_show_names_as_text(centre):
    read = routelab.read("h", store=centre.store)
    runs = [
        routelab.score(read),
        routelab.compare(read, [{"method": "genesys"}, {"name": "<b>[/old]", "method": "random"}]),
    ]
    for one in (read, *runs):
        assert not hidden(repr(one))
        assert not hidden(one._repr_html_())
        assert "<b>" not in one._repr_html_()
    assert short(runs[0].report.preference.busiest_agent_id) in repr(runs[0])


# --- over HTTP ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(centre: Any) -> Any:
    return client_of(centre.store)


@pytest.mark.parametrize("path", ["/docs", "/metrics", "/openapi.json", "/readyz"])
def test_pages_hide_nothing(path, client):
    found = client.get(path)
    assert found.status_code == 200
    assert not hidden(found.text)


def test_examples_on_the_page_are_exact(client, centre):
    bodies = re.findall(r'data-body="([^"]*)"', client.get("/docs").text)
    queues = {json.loads(html.unescape(body)).get("queue_id") for body in bodies} - {None}
    assert queues & set(centre.names.all("queue"))


def test_data_is_exact_over_http(client, centre):
    found = client.get("/snapshots/h").json()
    assert {queue["queue_id"] for queue in found["queues"]} == set(centre.names.all("queue"))
    assert {queue["queue_name"] for queue in found["queues"]} == set(centre.names.all("line"))
    assert set(found["skills"]) == set(centre.names.all("skill"))


@pytest.mark.parametrize("body", [
    {"queue_id": "right\u202eleft\x9b2J"}, {"queue_id": "[/old]", "\x1b[2J\u202e": 1},
    {"queue_id": "\x1b]52;c;QQ==\x07"}, {"queue_id": 1, "required_skill": "\x9b\u2028"},
    {"queue_id": "q", "sla_target": "\x9b\u202e\x1b"},
])  # fmt: skip
def test_problems_hide_nothing(client, body):
    found = client.post("/simulate/routing", json=body)
    assert found.status_code in {404, 422}
    assert found.headers["content-type"] == "application/problem+json"
    assert not hidden(found.text)
    assert not hidden(found.json()["detail"])


@pytest.mark.parametrize(
    "path", ["/%1b%5b2J", "/a%0d%0aERROR forged", "/%e2%80%ae", "/snapshots/%9b", "/snapshots/%1b%5d52"]
)
def test_paths_come_back_as_they_are_written_in_an_address(client, path, caplog):
    found = client.get(path)
    assert found.status_code in {404, 422}
    assert not hidden(found.text)
    assert not hidden(found.json()["instance"])
    assert not any(hidden(record.getMessage()) for record in caplog.records)


def test_the_snapshot_is_what_was_imported(centre):
    """All that was shown above is the centre under its hostile names, not one that the import has tidied."""
    found = open_snapshot(centre.store, "h")
    for table, column, kind in (("agents", "agent_id", "agent"), ("queues", "queue_name", "line")):
        assert set(found.table(table)[column]) == set(centre.names.all(kind))


# --- from a platform ------------------------------------------------------------------------------------------


def test_a_platform_whose_names_attack_is_looked_at_and_read(tmp_path, monkeypatch, capsys):
    """Queues and agents of Genesys Cloud may be called anything, too."""
    some = iter([f"{n} {name}" for n, name in enumerate(ANY)])
    known = small()
    tables = replace(
        known.tables,
        queues=known.tables.queues.with_columns(
            queue_name=pl.Series([next(some) for _ in range(known.tables.queues.height)])
        ),
        agents=known.tables.agents.with_columns(
            agent_name=pl.Series([next(some) for _ in range(known.tables.agents.height)])
        ),
    )
    with Double(replace(known, tables=tables), polls=0) as double:
        for name, value in (("BASE_URL", double.url), ("CLIENT_ID", "demo"), ("CLIENT_SECRET", "demo")):
            monkeypatch.setenv(f"GENESYS_{name}", value)
        monkeypatch.setenv("ROUTELAB_SETTINGS", "/dev/null")
        monkeypatch.setattr(page, "PIPED_COLUMNS", 4000)
        assert run(["genesys", "check"]) == 0
        said = capsys.readouterr()
        assert not hidden(said.out + said.err)
        for name in tables.queues["queue_name"]:
            assert short(name) in said.out
        assert run(["genesys", "check", "--queue", BAD]) == 2
        said = capsys.readouterr()
        assert not hidden(said.out + said.err)
