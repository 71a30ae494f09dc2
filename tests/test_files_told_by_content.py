"""Files told by their content: shown, asked about, answered by options or on a terminal, refused with the way out."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
import time
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
from engine.errors import InvalidScenario, InvalidTable, MissingInput
from ingest.exports.inspection.found import ColumnFound, Found, Question, SheetFound
from ingest.exports.profile.profile import Copied, Part, Profile
from ingest.exports.profile.reading import read_profile
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
        "is 03/04/2026 the 3rd of April", "answer: --dates dmy (likely), or mdy",
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
    assert answer_text(OUTCOME) == "--answer interactions.values.outcome.umgeleitet=flowed_out, or answered"
    assert answer_text(ZONE) == "--time-zone ..."
    many = Question("people.Ady Lund", "Who?", tuple(f"a{n}" for n in range(15)), "[people]", "a3")
    assert answer_text(many) == (
        "--answer 'people.Ady Lund=a3' (likely), or a0, a1, a2, a4, a5, a6, a7, a8, a9, a10, a11, a12 and 2 more"
    )


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


# --- from files to a snapshot -----------------------------------------------------------------------------------------

# Days and months that may each be the other, times without a zone: two questions, and no third.
DAYS = ("03/04/2026", "06/04/2026", "07/04/2026")


@pytest.fixture
def centre(tmp_path, monkeypatch) -> Path:
    """Calls of two agents on three days, 27 in all; each ninth was given up."""
    rows = ["Start;Queue;Agent;Result;Wait;Handle;Caller"]
    for place, (day, time_) in enumerate((d, f"{h:02}:{m:02}") for d in DAYS for h in (9, 10, 11) for m in (5, 25, 45)):
        agent = "" if place % 9 == 8 else ("Ada Lund", "Bo Reyes")[place % 2]
        told = f"{'answered' if agent else 'abandoned'};{place % 4 * 10};{180 + place if agent else 0}"
        rows.append(f"{day} {time_}:00;{'Sales' if place % 3 else 'Help'};{agent};{told};+4930{place:07}")
    (tmp_path / "calls.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "agents.csv").write_text("Staff no;Name\n17;Ada Lund\n18;Bo Reyes\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ASKED = ["--time-zone", "Europe/Berlin", "--dates", "dmy"]


def imported(*more: str) -> int:
    return run(["snapshot", "files", "--name", "mine", "calls.csv", "agents.csv", "--no-light", *more])


def arrivals() -> list[str]:
    from ingest.snapshot.reading import open_snapshot

    days = open_snapshot(Path("data/snapshots"), "mine").table("interactions")["arrived_at"].dt.date().unique().sort()
    return [str(day) for day in days]


def test_open_questions_are_listed_with_their_answers_and_nothing_is_imported(centre, capsys):
    assert imported() == 2
    told = capsys.readouterr().err
    assert "2 questions are open, so nothing was imported" in told
    assert "--dates dmy (likely), or mdy" in told and "--time-zone ..." in told
    assert not Path("data").exists()
    assert imported("--json") == 2
    questions = json.loads(capsys.readouterr().out)["questions"]
    assert [question["key"] for question in questions] == ["dates", "time_zone"]
    # One answer leaves the other.
    assert imported("--answer", "dates=dmy", "--answer", "nonsense=1") == 2
    told = capsys.readouterr().err
    assert "1 question is open" in told and "note: --answer nonsense: nothing asks for that" in told
    assert imported("--answer", "dates=ymd") == 2
    assert "dates: is 'ymd'; did you mean" in capsys.readouterr().err


def test_answers_by_options_import_and_a_kept_profile_does_without_them(centre, capsys):
    assert imported("--answer", "dates=mdy", "--answer", "time_zone=Europe/Berlin", "--json") == 0
    assert json.loads(capsys.readouterr().out)["counts"]["interactions"] == 27
    assert arrivals() == ["2026-03-04", "2026-06-04", "2026-07-04"]
    assert imported(*ASKED, "--replace", "--keep-profile", "kept.toml") == 0
    assert arrivals() == ["2026-04-03", "2026-04-06", "2026-04-07"]
    assert "27" in capsys.readouterr().out
    profile = read_profile(Path("kept.toml"))
    assert profile.time_zone == "Europe/Berlin"
    assert "Caller" in next(part for part in profile.parts if part.table == "interactions").personal
    # The profile alone, which reads the files beside it.
    assert run(["snapshot", "files", "--name", "again", "--profile", "kept.toml", "--no-light"]) == 0
    assert "agents 2" in capsys.readouterr().out


def test_inspect_writes_a_profile_once_and_shows_all_of_it_as_json(centre, capsys):
    command = ["snapshot", "inspect", "calls.csv", "agents.csv", *ASKED]
    assert run(command) == 0
    text = capsys.readouterr().out
    assert "written: profile.toml" in text and "--profile profile.toml calls.csv agents.csv" in text
    before = Path("profile.toml").read_text(encoding="utf-8")
    assert "4930" not in before and "Lund" not in before
    assert run(command) == 2
    assert "profile.toml is there already" in capsys.readouterr().err
    assert run([*command, "--replace", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [file["table"] for file in told["files"]] == ["interactions", "agents"]
    assert (told["questions"], told["written"], told["profile"]) == ([], "profile.toml", before)
    # With a profile nothing is written unless somebody says where.
    Path("profile.toml").rename("mine.toml")
    assert run([*command, "--profile", "mine.toml"]) == 0
    assert not Path("profile.toml").exists() and "written" not in capsys.readouterr().out


class Terminal:
    """A terminal on which somebody has typed already."""

    def __init__(self, typed: str) -> None:
        self._lines = typed.splitlines(keepends=True)

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._lines.pop(0) if self._lines else ""

    def fileno(self) -> int:
        raise OSError


@pytest.fixture
def typing(monkeypatch):
    """Somebody at a terminal."""

    def type_(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal(text))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    return type_


def test_a_terminal_is_asked_until_nothing_is_open(centre, capsys, typing):
    """A number out of range and a zone that there is not are asked again; Enter takes the likely order of dates."""
    typing("7\n\nNowhere/Else\n1\nEurope/Berlin\nagents.csv\nkept.toml\n")
    assert imported() == 0
    told = capsys.readouterr().err
    assert "type a number from 1 to 2" in told and "that does not do: " in told and "Nowhere/Else" in told
    assert "agents.csv is there already" in told
    assert arrivals() == ["2026-04-03", "2026-04-06", "2026-04-07"]
    assert read_profile(Path("kept.toml")).time_zone == "Europe/Berlin"


@pytest.mark.parametrize("typed", ["", "dmy\n", "dmy\nEurope/Berlin\n"])
def test_who_closes_the_terminal_leaves_nothing(centre, capsys, typing, typed):
    typing(typed)
    assert imported() == 1
    assert "stopped" in capsys.readouterr().err
    assert not Path("data").exists()


def test_a_real_terminal_asks_shows_and_is_left_by_ctrl_c(centre):
    """Through a pseudo-terminal: the questions, one answer, then Ctrl-C."""
    pid, terminal = pty.fork()
    if pid == 0:
        # Whoever runs the tests in the background ignores it, and children inherit that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(sys.executable, [
            sys.executable, "-m", "api", "snapshot", "files", "--name", "mine", "calls.csv", "agents.csv"
        ])  # fmt: skip
    try:
        assert "answer [dmy]:" in read_until(terminal, "answer [dmy]:")
        os.write(terminal, b"2\n")
        assert "time zone" in read_until(terminal, "answer:")
        os.write(terminal, b"\x03")
        # To its end: a terminal that is closed before would end the command in another way.
        assert "stopped; what was half written" in read_until(terminal, "\0")
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert not Path("data").exists()


def read_until(terminal: int, what: str, within_s: float = 60.0) -> str:
    """What a terminal shows until it shows this."""
    seen, until = "", time.monotonic() + within_s
    while what not in seen and time.monotonic() < until:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                seen += os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                break
    return seen


# --- from Python ------------------------------------------------------------------------------------------------------


def test_python_inspects_answers_and_reads_without_a_store(centre):
    import routelab

    open_ = routelab.inspect("calls.csv", "agents.csv")
    assert [question.key for question in open_.questions] == ["dates", "time_zone"]
    with pytest.raises(InvalidTable, match=r"answers=\{'dates': ...\}"):
        open_.read()
    settled = routelab.inspect("calls.csv", "agents.csv", time_zone="Europe/Berlin", answers={"dates": "dmy"})
    frame = settled.to_frame().filter(pl.col("file") == "calls.csv")
    assert dict(frame.select("column", "ours").iter_rows())["Wait"] == "wait_s"
    assert repr(settled) == "Inspection of calls.csv: interactions, agents.csv: agents; 0 questions open"
    found = settled.read()
    assert found.counts["interactions"] == 27
    assert str(found.table("interactions")["arrived_at"].min())[:10] == "2026-04-03"
    Path("kept.toml").write_text(settled.profile, encoding="utf-8")
    assert not routelab.inspect("calls.csv", "agents.csv", profile="kept.toml").questions
    with pytest.raises(MissingInput, match="nothing is no file to inspect"):
        routelab.inspect()
