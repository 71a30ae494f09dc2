"""What the pages say holds: commands run, files import, links lead somewhere, nothing a user can name is missing."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import click
import polars as pl
import pytest
from starlette.testclient import TestClient

from api.http.app import create_app
from api.settings import load_settings
from api.terminal.cli import cli, run
from engine.data.checks import check
from engine.data.tables import TABLES
from engine.levers import LEVERS
from engine.methods import METHODS
from ingest.double import Double, organisation
from ingest.files.importing import read_table
from tests.pages import LINK, PAGES, ROOT, Block, anchors, blocks, made_anew, needs, prose, routelab, text_of

BLOCKS = [block for page in PAGES for block in blocks(page)]
HOUSE = ROOT / "CONTRIBUTING.md"
LONGEST_README = 150
# What a page's commands print at least.
PICTURE = ROOT / "docs" / "picture.py"
SAYS = {
    "README.md": ("the surveys are made up, so no satisfaction is reported", "(moved by goal 80/20"),
    "first-hour.md": ("Nothing is open", "3,746", "86.5 %", "Nothing looks wrong.", "GREEN today's rule replayed"),
    "tables.md": ("replays leave conditional groups out", "Chloe Lindqvist"),
}
# Read for itself: what stands in it would hold for all commands of its page.
SETTINGS_FILE = "routelab.toml"
SAMPLE = ("agents", "interactions", "members", "queues", "surveys", "staffing")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The snapshots that pages build on: the sample, and a few days in place of the demo's months."""
    store = tmp_path_factory.mktemp("made")
    files = [f"--{table}={ROOT / 'data' / 'sample' / table}.csv" for table in SAMPLE]
    assert run(["snapshot", "files", "--name", "sample", *files, "--made-up", "surveys", "--store", str(store)]) == 0
    small = ["--like", "bank", "--interactions", "4000", "--days", "14"]
    assert run(["snapshot", "synthetic", "--name", "demo", *small, "--store", str(store)]) == 0
    return store


@pytest.fixture
def scratch(tmp_path, monkeypatch, made):
    """A folder that looks like a clone to whoever types commands in it."""
    settings = [f"GENESYS_{name}" for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET")]
    for name in [*settings, *(name for name in os.environ if name.startswith(("ROUTELAB_", "GENESYS_")))]:
        # Set first, so that what a page sets is taken back as well.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "data" / "sample")
    monkeypatch.chdir(tmp_path)

    def prepared(page: Path) -> Path:
        for name in needs(page):
            shutil.copytree(made / name, tmp_path / "data" / "snapshots" / name)
        return tmp_path

    return prepared


def run_shell(block: Block, running: ExitStack) -> None:
    for words in block.commands():
        arguments = routelab(words)
        if "&" in words:
            start(arguments or [], running)
        elif words[0] == "curl":
            ask(words)
        elif words[0] == "python3" and arguments is None:
            assert (ROOT / words[1]).is_file()
        elif arguments is not None:
            assert run(arguments) == 0, shlex.join(words)


def start(arguments: list[str], running: ExitStack) -> None:
    """What a page leaves running: the stand-in for the platform on a free port; the service is asked without one."""
    if arguments[:2] != ["genesys", "double"]:
        assert arguments[:1] == ["serve"]
        return
    given = dict(zip(arguments[2::2], arguments[3::2], strict=True))
    # A tenth of the agents answers in a fifth of the time.
    made = organisation(agents=int(given["--agents"]) // 10, days=int(given["--days"]), seed=0)
    double = running.enter_context(Double(made, polls=0))
    for name, value in (("BASE_URL", double.url), ("CLIENT_ID", "demo"), ("CLIENT_SECRET", "demo")):
        os.environ[f"GENESYS_{name}"] = value


def ask(words: list[str]) -> None:
    """Answer a curl of the page by the service itself."""
    body = words[words.index("-d") + 1] if "-d" in words else None
    path = next(word for word in words if word.startswith("localhost:8000")).removeprefix("localhost:8000")
    headers = {"content-type": "application/json"}
    with TestClient(create_app(load_settings()), base_url="http://localhost") as client:
        answer = client.get(path) if body is None else client.post(path, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert '"source":"live"' in answer.text or "live" not in (body or "")


@pytest.mark.parametrize("page", [page for page in PAGES if page != HOUSE], ids=lambda page: page.name)
def test_a_page_works_from_top_to_bottom(page, scratch, capsys):
    """Files are written, commands run and Python is executed, in the order in which the page shows them."""
    folder = scratch(page)
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks(page):
        if block.file and block.file != SETTINGS_FILE:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    with ExitStack() as running:
        for block in blocks(page):
            if block.language == "toml":
                tomllib.loads(block.text)
            elif block.language == "sh" and not block.not_run:
                run_shell(block, running)
            elif block.language == "python":
                exec(compile(block.text, block.name, "exec"), names)
    said = " ".join(capsys.readouterr().out.split())
    assert [words for words in SAYS.get(page.name, ()) if words not in said] == []


def test_the_picture_can_be_made_again(scratch, tmp_path):
    scratch(ROOT / "docs" / "levers.md")
    script = runpy.run_path(str(PICTURE))
    script["main"].__globals__["FEWEST"] = 1
    script["main"](tmp_path / "made.svg")
    lines = [
        ElementTree.parse(path).getroot() for path in (tmp_path / "made.svg", PICTURE.with_name("service-level.svg"))
    ]
    # Two replays as lines, the record as dots; the same axes and words in the committed one.
    shapes = [{shape: len(root.findall(f"{{*}}{shape}")) for shape in ("polyline", "rect")} for root in lines]
    assert shapes[0] == shapes[1] == {"polyline": 2, "rect": 3}


def changed(block: Block, root: Path) -> None:
    """Write a file of the page, or make the change that it shows at the first place where it fits."""
    path = root / block.file
    if block.language != "diff":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return
    lines = block.text.splitlines(keepends=True)
    before, after = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
    text = path.read_text(encoding="utf-8")
    assert before in text, block.name
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_whoever_follows_contributing_has_a_method_a_lever_a_source_and_an_output(tmp_path, made):
    """In a copy of the program: the files and changes of the page are made, then its commands and snippets run."""
    for room in ("engine", "ingest", "api", "benchmarks", "routelab"):
        # Compiled code under its last name only: others vanish while another process writes them.
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("*.pyc.*"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in needs(HOUSE):
        shutil.copytree(made / name, tmp_path / "data" / "snapshots" / name)
    python = shlex.quote(sys.executable)
    commands = ["set -e", f'routelab() {{ {python} -m api "$@"; }}']
    for block in blocks(HOUSE):
        if block.file:
            changed(block, tmp_path)
        elif block.language == "python":
            commands.append(f"{python} -c {shlex.quote(block.text)}")
        elif block.language == "sh" and not block.not_run:
            commands.append(block.text)
    commands.append(f"{python} -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'")
    # The copy has no compiled code of its own, and 300 interactions need none.
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    command = ["bash", "-c", "\n".join(commands)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def parses(arguments: list[str]) -> None:
    """As far as a command can be read without doing it."""
    command: click.Command = cli
    context = None
    while isinstance(command, click.Group):
        name, *arguments = arguments
        assert name in command.commands, f"no command {name}"
        context = click.Context(command, parent=context, info_name=name)
        command = command.commands[name]
    command.make_context(command.name, arguments, parent=context)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=lambda block: block.name)
def test_every_command_is_one_that_the_command_line_understands(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in block.commands():
        arguments = routelab(words)
        if block.page == HOUSE and arguments:
            continue  # of commands that the page itself adds
        if arguments is not None and not {"--help", "--version"} & set(arguments):
            parses(arguments)


def test_shells_are_written_as_sh_and_what_is_not_run_says_why():
    assert {block.language for block in BLOCKS} <= {
        "sh",
        "python",
        "toml",
        "csv",
        "json",
        "ini",
        "cron",
        "text",
        "diff",
    }
    assert all(len(block.not_run) > 10 for block in BLOCKS if "<!-- not run" in text_of(block.page) and block.not_run)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_a_file_and_its_heading(page):
    for target in LINK.findall(prose(page)):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_is_linked_from_the_readme():
    readme = text_of(ROOT / "README.md")
    assert [page.name for page in PAGES[1:] if f"({page.relative_to(ROOT)})" not in readme] == []
    assert len(readme.splitlines()) <= LONGEST_README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_made_from_declarations_are_up_to_date(page):
    """`python -m tests.pages` writes them."""
    assert made_anew(text_of(page)) == text_of(page)


def section(page: Path, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text_of(page), re.M | re.S)
    assert found, f"{page.name} has no section {heading}"
    return found[1]


@pytest.mark.parametrize("table", list(TABLES))
def test_every_column_is_described_and_has_an_example(table, tmp_path):
    """Of each table: a line for each column, and a value of each in the examples, read as an import reads them."""
    page = ROOT / "docs" / "tables.md"
    text = section(page, table)
    described = re.findall(r"^\| `(\w+)`", text, re.M)
    assert tuple(described) == TABLES[table].names
    given: set[str] = set()
    for block in blocks(page):
        if block.language == "csv" and Path(block.file).stem == table:
            path = tmp_path / f"{table}.csv"
            path.write_text(block.text, encoding="utf-8")
            frame = read_table(table, path)
            check(table, frame)
            given |= {name for name in frame.columns if frame[name].null_count() < frame.height}
            header = block.text.partition("\n")[0].split(",")
            given -= {name for name in TABLES[table].names if name not in header}
    assert given == set(TABLES[table].names)


def test_every_default_and_choice_of_a_column_is_told():
    page = ROOT / "docs" / "tables.md"
    for table in TABLES.values():
        for column in table.columns:
            line = re.search(rf"^\| `{column.name}`.*$", section(page, table.name), re.M)[0]
            assert all(f"`{choice}`" in line for choice in column.one_of), column.name
            if column.default is not None and table.name != "aggregates":
                shown = str(column.default).lower() if isinstance(column.default, bool) else f"{column.default}"
                assert shown.removesuffix(".0") in line, f"{column.name}: {column.default}"


def test_every_method_is_described():
    text = text_of(ROOT / "docs" / "methods.md")
    assert [name for name in METHODS if not re.search(rf"^\| `{name}`", text, re.M)] == []


def test_every_lever_is_described():
    text = text_of(ROOT / "docs" / "levers.md")
    assert [name for name in LEVERS if f"| `{name}` |" not in text or f"## {name}\n" not in text] == []


def paths_of(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [
        path
        for name, command in group.commands.items()
        for path in (paths_of(command, (*before, name)) if isinstance(command, click.Group) else [(*before, name)])
    ]


def test_every_command_is_described():
    text = text_of(ROOT / "docs" / "commands.md")
    assert [path for path in paths_of(cli) if f"| `routelab {' '.join(path)}" not in text] == []
    assert [path for path in paths_of(cli) if not any(_runs(path, block) for block in BLOCKS)] == []


def _runs(path: tuple[str, ...], block: Block) -> bool:
    called = [routelab(words) or [] for words in block.commands()] if block.language == "sh" else []
    return any(tuple(arguments[: len(path)]) == path for arguments in called)


def test_the_sample_of_the_sources_is_what_the_pages_import(made):
    assert pl.read_ipc(made / "sample" / "agents.arrow").height == 12


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.file == SETTINGS_FILE], ids=lambda block: block.name)
def test_settings_files_are_read(block, tmp_path):
    path = tmp_path / SETTINGS_FILE
    path.write_text(block.text, encoding="utf-8")
    load_settings(path, environment={})


# Keyed by what the data hold, so nothing that a page could list.
OPEN = ("scenario", "scenarios", "source", "counts", "agent_distribution", "reasons", "rates", "repairs", "drawn_from")


def names_in(value: object) -> set[str]:
    """Names of all fields of a file, but for those of settings and data."""
    if isinstance(value, list):
        return {name for each in value for name in names_in(each)}
    if not isinstance(value, dict):
        return set()
    below = (names_in(each) for name, each in value.items() if name not in OPEN)
    return set(value).union(*below)


def test_every_field_of_a_report_is_described(made, tmp_path):
    at = ["--store", str(made), "--out", str(tmp_path), "--replace"]
    rolling = ["--sla", "80/20", "--performance", "rolling"]
    runs = (
        ["simulate", "--snapshot", "sample", "--mode", "score"],
        ["simulate", "--snapshot", "demo", "--mode", "replay", *rolling],
    )
    found: set[str] = set()
    for each in runs:
        assert run([*each, *at]) == 0
        found |= names_in(json.loads((tmp_path / "report.json").read_text()))
    told = set(re.findall(r"`(\w+)`", text_of(ROOT / "docs" / "reports.md")))
    assert found - told == set()
    columns = pl.read_ipc(tmp_path / "outcomes.arrow").columns
    assert [name for name in columns if name not in told] == []


def test_every_field_of_a_comparison_is_described(made, tmp_path):
    assert run(["compare", "--snapshot", "demo", "--store", str(made), "--out", str(tmp_path)]) == 0
    found = names_in(json.loads(next(tmp_path.glob("*.json")).read_text()))
    pages = ("studies.md", "reports.md")
    told = {name for page in pages for name in re.findall(r"`(\w+)`", text_of(ROOT / "docs" / page))}
    assert found - told == set()
