"""Texts from data are data where they are printed: seen as they are, obeyed by nothing, whole in JSON."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import api
from api import printing
from api.terminal.shown import page
from engine.errors import InvalidTable
from engine.setting import shown
from engine.texts import MOST_MARKS, safe_json, short, visible
from tests.hostile_centre import ANY

ROOT = Path(api.__file__).parents[1]
texts = st.text(st.characters(codec=None))


def hidden(text: str) -> list[str]:
    """Characters that a terminal obeys, or that nobody sees; ends of lines too."""
    return [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"}]


@given(texts)
@example("\x9b2J")
@example("\u202e")
@example("\ud800")
def test_every_character_is_seen_and_what_was_seen_before_stays(text):
    seen = visible(text)
    assert not hidden(seen)
    assert visible(seen) == seen
    seen.encode()  # also in UTF-8
    if text.isascii() and text.isprintable():
        assert seen == text


@pytest.mark.parametrize(("text", "seen"), [
    ("[/old] [de] :smiley:", "[/old] [de] :smiley:"), ("Zoë 東京 שלום", "Zoë 東京 שלום"),
    ("\x1b]52;c;QQ==\x07", r"\x1b]52;c;QQ==\x07"), ("a\rb\bc\td\ne", r"a\rb\x08c\td\ne"), ("\x9b\x7f", r"\x9b\x7f"),
    ("\u202ea\u2066b\u200bc\u2028d\ufeff", r"\u202ea\u2066b\u200bc\u2028d\ufeff"), ("\u3164\u2800", r"\u3164\u2800"),
    ("👩\u200d💻", r"👩\u200d💻"), ("山田\u3000太郎", "山田\u3000太郎"), ("\U000e0041", r"\U000e0041"),
    # Four marks on a letter are letters; a fifth, and one without a letter, would draw over what is above or before.
    ("o" + 5 * "\u0301", "o" + 4 * "\u0301" + r"\u0301"), ("\u0301a", r"\u0301a"), ("a\ud800", r"a\ud800"),
])  # fmt: skip
def test_what_is_seen(text, seen):
    assert visible(text) == seen
    assert short(text) == seen


def test_a_flood_of_marks_is_as_wide_as_it_looks():
    assert sum(unicodedata.category(c) == "Mn" for c in visible("o" + 1000 * "\u0301")) == MOST_MARKS


@given(texts, st.booleans())
@example("\x9b\u202e\u2028\x7f\U000e0041", False)
@example("Zoë 東京 👩", True)
def test_json_says_the_same_and_hides_nothing(text, in_ascii):
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # No JSON in UTF-8 can hold half a character.
    said = safe_json(json.dumps({text: [text]}, ensure_ascii=False), in_ascii)
    assert json.loads(said) == {text: [text]}
    assert not hidden(said)
    assert said.isascii() or not in_ascii


@pytest.mark.parametrize("name", ANY)
def test_errors_and_values_in_them_are_one_line_each(name):
    error = InvalidTable(f"agents.csv: {name}", f"{shown({name: name})}, {shown(Path(name))}; mend it")
    assert len(str(error).split("\n")) == 2
    assert not hidden(str(error).replace("\n", ""))


# --- printing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16-le", "cp437"])
def test_a_letter_that_a_stream_lacks_is_printed_as_its_escape(monkeypatch, encoding):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    printing.say("Zoë 東京")
    printing.say_json({"name": "Zoë 東京"})
    out = page.Page()
    out.print(page.grid("Zoë 東京", [("ë", "left"), ("n", "right")], [["東京", "1"], ["Zoë", "22"]]))
    printing.end_printing()
    said = sys.stdout.buffer.getvalue().decode(encoding)
    line, json_line, *rows = said.splitlines()
    assert line == "Zoë 東京".encode(encoding, "backslashreplace").decode(encoding)
    assert json.loads("".join([json_line, *rows[:2]])) == {"name": "Zoë 東京"}
    table = [row for row in rows if row.strip().endswith(("1|", "22|", "1│", "22│"))]
    assert len(table) == 2
    from rich.cells import cell_len

    assert len({cell_len(row) for row in table}) == 1, "what is shown in place of a letter counts"


def test_every_line_is_on_its_own_line(capsys):
    printing.say("a\nb")
    printing.tell("a\nb\x1b[2J", "c")
    out = page.Page()
    out.print("a\nb[/x]")
    out.print(page.note("n\x1b[2J[/old]"))
    out.print(page.facts("", [("[de]", "x\ny\u202e")]))
    said = capsys.readouterr()
    assert said.err == "a\\nb\\x1b[2J\nc\n"
    assert [line.rstrip() for line in said.out.splitlines()] == [
        r"a\nb", r"a\nb[/x]", r"note n\x1b[2J[/old]", r"[de]  x\ny\u202e",
    ]  # fmt: skip


def test_a_log_entry_is_one_line_and_the_error_is_indented(capsys):
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(printing.LogLines())
    log = logging.Logger("log")
    log.addHandler(handler)
    log.warning("%s: asked", "/a\r\n2026-01-01 ERROR forged\x1b[2J")
    try:
        raise ValueError("a\n2026-01-01 ERROR forged\x9b")
    except ValueError:
        log.exception("failed")
    first, second, *more = handler.stream.getvalue().splitlines()
    assert first.endswith(r"WARNING /a\r\n2026-01-01 ERROR forged\x1b[2J: asked")
    assert second.endswith("ERROR failed")
    assert more and all(line.startswith("  | ") for line in more)
    assert not hidden("".join(more))


# --- nobody prints in another way -----------------------------------------------------------------------------

# The two places that print, by the doors that they serve.
PLACES = {"api/printing.py", "api/terminal/shown/page.py"}
# Lines of their own for whoever makes the pages or draws a table: no name from data is among them.
OWN_LINES = {"api/output/report_table.py", "api/output/settings_table.py", "benchmarks/validation/satisfaction.py"}


def printed(path: Path) -> list[str]:
    """Calls of a file that print, and imports of what lays out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in {"print", "click.echo", "click.secho", "click.prompt", "click.confirm"} or name.endswith(
                ("stdout.write", "stderr.write", "stdout.buffer.write", "stderr.buffer.write")
            ):
                found.append(f"{name}, line {node.lineno}")
        elif isinstance(node, ast.ImportFrom | ast.Import):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            found += [f"{name}, line {node.lineno}" for name in modules if name.split(".")[0] == "rich"]
    return found


def test_texts_are_printed_in_two_places_only():
    rooms = ("api", "routelab", "engine", "ingest", "benchmarks")
    files = {path.relative_to(ROOT).as_posix(): path for room in rooms for path in (ROOT / room).rglob("*.py")}
    others = {name: found for name, path in files.items() if (found := printed(path)) and name not in PLACES}
    assert set(others) == OWN_LINES, others
    assert all("print" in call for name in OWN_LINES for call in others[name])
    assert set(files) >= PLACES


@pytest.mark.parametrize("code", [
    "print(name)", "click.echo(name)", "import rich", "from rich.text import Text", "sys.stderr.write(name)",
])  # fmt: skip
def test_whoever_prints_in_another_way_is_found(tmp_path, code):
    (tmp_path / "other.py").write_text(code)
    assert printed(tmp_path / "other.py")
