"""Files told by their content: shown, asked about, answered by options or on a terminal, refused with the way out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.cells import cell_len

from api.output.inspected import plainly
from api.terminal.cli import run
from api.terminal.files.profiles import beside
from api.terminal.files.understanding import Understanding, answers_of
from api.terminal.shown import page
from api.terminal.shown.inspected import answer_text, show_found
from engine.errors import InvalidScenario, MissingInput
from ingest.exports.inspection.found import ColumnFound, Found, Question, SheetFound
from ingest.exports.profile.profile import Copied, Part, Profile
from ingest.exports.profile.writing import write_profile
from ingest.sheets.sheet import Sheet

ZONE = Question("time_zone", "calls.csv: in which time zone are its times?", option="--time-zone ZONE")
DATES = Question(
    "interactions.dates", "calls.csv: is 03/04/2026 the 3rd of April or the 4th of March?", ("dmy", "mdy"),
    "--dates dmy", "dmy",
)  # fmt: skip
OUTCOME = Question(
    "interactions.values.outcome.umgeleitet", "calls.csv: what is umgeleitet?", ("flowed_out", "answered")
)


def sheet(name: str = "calls.csv", height: int = 3) -> Sheet:
    frame = pl.DataFrame({"Zeit": [f"0{n}.03.2026" for n in range(1, height + 1)]})
    return Sheet(name, (Path(name),), frame, np.arange(2, height + 2), "CSV with semicolons, UTF-8")


def columns(name: str) -> tuple[ColumnFound, ...]:
    return (
        ColumnFound("Zeit", "arrived_at", "by name; times like 02.03.2026 08:00", ("01.03.2026", "02.03.2026")),
        ColumnFound(name, "outcome", "3 values", ("ok", "auf"), values={"ok": "answered", "auf": "abandoned", "-": ""}),
        ColumnFound("Tel", None, "telephone numbers", ("+49 170 1234567",), is_personal=True),
        ColumnFound("Bemerkung", None, "texts", ("a", "b")),
    )


def found(questions: Sequence[Question] = (), name: str = "Ergebnis") -> Found:
    part = Part("interactions", ("calls*.csv",), {"arrived_at": Copied("Zeit")}, {"outcome": {"ok": "answered"}})
    sheets = (
        SheetFound(sheet(), "interactions", "7 of its columns", columns(name), {"cells that are no time (soon)": 2}),
        SheetFound(sheet("notes.csv"), None, "no column tells what it is", (), {}),
    )
    return Found(sheets, Profile("Europe/Berlin", (part,)), tuple(questions))


# --- what is shown ----------------------------------------------------------------------------------------------------


def shown(what: Found, capsys, monkeypatch, width: int = 80) -> str:
    monkeypatch.setattr(page, "PIPED_COLUMNS", width)
    show_found(what)
    return capsys.readouterr().out


def test_what_is_found_is_shown_column_by_column_and_nothing_personal(capsys, monkeypatch):
    text = shown(found([DATES]), capsys, monkeypatch)
    for part in (
        "calls.csv  CSV with semicolons, UTF-8, 3 rows", "interactions: 7 of its columns", "arrived_at",
        "ok = answered, auf = abandoned, - = nothing", "personal, never", "not used",
        "note cells that are no time (soon): 2 rows", "notes.csv", "1 question is open:",
        "is 03/04/2026 the 3rd of April", "--dates dmy; one of dmy, mdy; likely dmy",
    ):  # fmt: skip
        assert part in text, part
    assert "1234567" not in text
    assert "1234567" not in json.dumps(plainly(found(), None))
    assert "Nothing is open" in shown(found(), capsys, monkeypatch)


@pytest.mark.parametrize("width", [50, 80, 120])
def test_any_name_fits_and_is_not_obeyed(capsys, monkeypatch, width):
    for name in ("[/old] \x1b[2J\u202e", "x" * 400, "מוקד שירות", "東京コール"):
        text = shown(found([OUTCOME], name), capsys, monkeypatch, width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert "\x1b" not in text and "\u202e" not in text


def test_how_a_question_is_answered_is_said_where_no_option_does():
    assert answer_text(OUTCOME) == (
        "--answer 'interactions.values.outcome.umgeleitet=...'; one of flowed_out, answered"
    )
    assert answer_text(ZONE) == "--time-zone ZONE"


# --- options ----------------------------------------------------------------------------------------------------------


def test_answers_come_by_key():
    assert answers_of(["a.b=c", "x==y"]) == {"a.b": "c", "x=": "y"}
    for bad in (["a"], ["=b"], ["a=b", "a=c"]):
        with pytest.raises(InvalidScenario, match="--answer"):
            answers_of(bad)


def test_a_profile_goes_beside_the_first_file(tmp_path):
    assert beside([str(tmp_path)]) == tmp_path / "profile.toml"
    assert beside(["exports/*/2026-*.csv", "b.csv"]) == Path("exports/profile.toml")
    assert beside(["b.xlsx#Calls"]) == Path("profile.toml")


def test_a_profile_alone_reads_the_files_beside_it(tmp_path):
    (tmp_path / "calls-2026-04.csv").write_text("Zeit;Wer\n01.04.2026;Ada\n", encoding="utf-8")
    (tmp_path / "agents.csv").write_text("Nr;Name\n1;Ada\n", encoding="utf-8")
    path = tmp_path / "profile.toml"
    write_profile(found().profile, path)
    (only,) = Understanding.of([], None, None, path, None).sheets
    assert only.name == "calls-2026-04.csv"
    (tmp_path / "calls-2026-04.csv").unlink()
    with pytest.raises(MissingInput, match=r"profile.toml: beside it is none of its files \(calls\*.csv\)"):
        Understanding.of([], None, None, path, None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "no files are given; give them in any order, or by name"),
        (["--agents", "a.csv"], "Missing option '--interactions'"),
        (["--interactions", "a.csv"], "Missing option '--agents'"),
        (["--agents", "a.csv", "b.csv"], "--agents goes with files that are given by name"),
        (["b.csv", "--made-up", "surveys"], "--made-up goes with files that are given by name"),
        (["--profile", "p.toml", "--queues", "q.csv"], "--profile is to be told by its content"),
        (["--agents", "a", "--interactions", "b", "--dates", "dmy"], "--dates goes with files that are told by their"),
        (["b.csv", "--answer", "x"], "--answer"),
        (["nope.csv"], "nope.csv"),
        (["--profile", "nope.toml"], "nope.toml"),
        (["b.csv", "--keep-profile", "there.toml"], "there.toml is there already"),
        (["b.csv", "--dates", "soon"], "soon"),
    ],
)
def test_bad_usage_is_one_clear_line(tmp_path, monkeypatch, capsys, options, says):
    monkeypatch.chdir(tmp_path)
    Path("there.toml").touch()
    Path("b.csv").write_text("Zeit;Wer\n01.04.2026;Ada\n", encoding="utf-8")
    assert run(["snapshot", "files", "--name", "n", *options]) == 2
    error = capsys.readouterr().err
    assert says in error and "Traceback" not in error
    assert not Path("data").exists()
