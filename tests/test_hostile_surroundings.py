"""Closed and full streams, a home that is none, odd locales: one clear line and the right exit code, or it works."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api.terminal.cli import run
from tests.small_snapshot import write

ROOT = Path(__file__).parents[1]
FULL = "failed: standard output: No space left on device"
CLOSED = "failed: standard output: Bad file descriptor"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    write(folder)
    return folder


def typed(shell: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell makes of a command line; `routelab` in it is the command."""
    command = f'routelab() {{ "{sys.executable}" -m api "$@"; }}; {shell}'
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(["bash", "-c", command], env=surroundings, capture_output=True, check=False, timeout=300)


@pytest.mark.parametrize(("streams", "code", "out", "err"), [
    (">&-", 1, False, CLOSED), (">/dev/full", 1, False, FULL), ("2>&- <&-", 0, True, ""), ("2>/dev/full", 0, True, ""),
    (">&- 2>&- <&-", 1, False, ""), (">/dev/full 2>&1", 1, False, ""), ("| true; exit ${PIPESTATUS[0]}", 1, False, ""),
])  # fmt: skip
def test_streams_may_be_closed_full_or_left(store, streams, code, out, err):
    found = typed(f"routelab snapshot show s --store '{store}' {streams}")
    assert (found.returncode, bool(found.stdout)) == (code, out)
    assert found.stderr.decode().rstrip("\n") == err


def test_a_refusal_keeps_its_code_where_nobody_hears_it(store):
    assert typed(f"routelab snapshot show nope --store '{store}' >&- 2>&-").returncode == 2


def test_files_never_take_the_number_of_a_closed_stream(store, tmp_path):
    """What is written to standard output by mistake would otherwise stand in the file that was opened next."""
    out = tmp_path / "out"
    found = typed(f"routelab simulate --snapshot s --mode score --store '{store}' --out '{out}' --json >&- 2>&- <&-")
    assert found.returncode == 1
    assert (
        run(["simulate", "--snapshot", "s", "--mode", "score", "--store", str(store), "--out", str(tmp_path / "b")])
        == 0
    )
    assert (out / "outcomes.arrow").read_bytes() == (tmp_path / "b" / "outcomes.arrow").read_bytes()


def test_letters_that_a_terminal_lacks_are_escapes(tmp_path):
    write(tmp_path / "Zürich 東京")
    plain = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "TERM": "dumb", "COLUMNS": "20", "NO_COLOR": "1"}
    found = typed(f"routelab snapshot show nope --store '{tmp_path}/Zürich 東京'; routelab snapshot list --store "
                  f"'{tmp_path}/Zürich 東京'", **plain)  # fmt: skip
    assert found.returncode == 0
    assert rb"Z\xfcrich \u6771\u4eac; known: s" in found.stderr
    assert found.stdout.isascii()


def test_a_home_that_is_none_and_no_folder_for_temporary_files(store, tmp_path):
    nowhere = dict.fromkeys(("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "TMPDIR"), "/etc/passwd")
    found = typed(f"ulimit -n 24; routelab simulate --snapshot s --mode score --store '{store}' --out '{tmp_path}/o'",
                  **nowhere)  # fmt: skip
    assert (found.returncode, found.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["calibrate --snapshot s --store {store}", "serve --port 0"])
def test_a_current_folder_that_is_gone_is_said_to_be_so(store, tmp_path, monkeypatch, capsys, command):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code = run(command.format(store=store).split())
    assert code in (1, 2)
    said = capsys.readouterr().err.splitlines()[-1]
    assert "the current folder is gone" in said or "cannot be written" in said


def as_nobody(work) -> int:
    """The exit code of work done by a user without rights, which may calculate nothing: threads are not forked."""
    child = os.fork()
    if not child:
        code = 70
        signal.alarm(60)
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_somebody_without_rights_reads_a_store_and_is_told_what_cannot_be_written(store, tmp_path, capfd):
    for folder in [store, *store.rglob("*")]:
        folder.chmod(0o755)
    for folder in [store, *store.parents]:
        folder.chmod(folder.stat().st_mode | 0o055)
    at = ["--store", str(store)]
    # Whoever has no rights may be unable to read what has not been imported yet.
    assert run(["snapshot", "list", *at]) == 0
    assert as_nobody(lambda: run(["snapshot", "list", *at])) == 0
    assert as_nobody(lambda: run(["snapshot", "synthetic", "--name", "x", *at])) == 2
    assert as_nobody(lambda: run(["snapshot", "delete", "s", *at])) in (1, 2)
    said = capfd.readouterr().err
    assert "cannot be written" in said
    assert "Traceback" not in said
    assert sorted(path.name for path in store.iterdir()) == ["s"]


# --- run.py ---------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what `run.py` needs to begin."""
    folder = tmp_path / "check [red] \x1b[31mout"
    folder.mkdir()
    shutil.copy(ROOT / "run.py", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    return folder


def script(checkout: Path, shell: str) -> subprocess.CompletedProcess[bytes]:
    return typed(f"script() {{ '{sys.executable}' '{checkout}/run.py' \"$@\"; }}; {shell}")


def test_a_checkout_that_cannot_be_written_is_said_to_be_so(checkout):
    # Nobody makes a folder where a file stands, root neither, whom no rights keep from a read-only one.
    (checkout / ".venv").write_text("")
    found = script(checkout, "script install")
    assert found.returncode == 2
    first, last = found.stderr.decode().splitlines()
    assert first.startswith("run.py: setting up")
    assert last.startswith("run.py: ") and "cannot be set up" in last and "folder that you may write to" in last
    assert "\x1b" not in last and r"\x1b[31m" in last


@pytest.mark.parametrize(("streams", "code"), [(">&- 2>&-", 2), ("2>/dev/full", 2), ("2>&-", 2)])
def test_the_script_stands_closed_streams(checkout, streams, code):
    found = script(checkout, f"script nonsense {streams}")
    assert (found.returncode, found.stdout, found.stderr) == (code, b"", b"")


def test_help_to_a_full_device_fails_in_one_line(checkout):
    found = script(checkout, "script --help >/dev/full")
    assert (found.returncode, found.stderr) == (1, b"run.py: failed: No space left on device\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_set_up_ends_when_asked_to_and_takes_the_installer_along(checkout, tmp_path, number):
    uv, begun = tmp_path / "bin" / "uv", tmp_path / "begun"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\necho $$ > "{begun}.part"; mv "{begun}.part" "{begun}"; exec sleep 50\n')
    uv.chmod(0o755)
    surroundings = os.environ | {"PATH": f"{uv.parent}:{os.environ['PATH']}"}
    # A shell that starts tests in the background has Ctrl-C ignored by all that they start.
    listens = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    command = [sys.executable, "-c", listens, checkout / "run.py", "install"]
    child = subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE)
    while not begun.exists():
        assert child.poll() is None
    child.send_signal(number)
    said = child.communicate(timeout=30)[1].decode()
    assert child.returncode == 1
    assert said.splitlines()[-1] == "run.py: stopped while setting up; the next start goes on from here"
    assert "Traceback" not in said
    # The script has waited for its end.
    assert not Path(f"/proc/{begun.read_text().strip()}").exists()
