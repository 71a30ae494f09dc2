"""`run.py` sets up from bare Python, says what is missing, and starts at once the second time."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, working on a folder of its own."""
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return module


def hide(monkeypatch: pytest.MonkeyPatch, module: ModuleType, *names: str) -> None:
    """Make modules and programs look absent."""
    real = importlib.util.find_spec
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None if name in names else real(name))
    monkeypatch.setattr(module.shutil, "which", lambda name: None if name in names else f"/bin/{name}")


def test_no_command_prints_usage_and_exits_2(script, capsys):
    assert script.main([]) == 2
    assert "python3 run.py COMMAND" in capsys.readouterr().err
    assert script.main(["nonsense"]) == 2
    assert script.main(["--help"]) == 0


def test_an_old_python_is_refused_in_one_line(script, capsys, monkeypatch):
    monkeypatch.setattr(script, "OLDEST", (99, 0))
    assert script.main(["demo"]) == 2
    assert "needs 3.11 or newer" in capsys.readouterr().err


def test_without_any_installer_it_says_what_to_install(script, capsys, monkeypatch):
    hide(monkeypatch, script, "uv", "ensurepip", "pip")
    assert script.main(["demo"]) == 2
    assert "apt install python3-venv" in capsys.readouterr().err


def test_where_venv_lacks_pip_this_pythons_pip_fills_it(script, monkeypatch):
    hide(monkeypatch, script, "uv", "ensurepip")
    script.make_environment()
    command = script.find_installer()
    assert command[:5] == [sys.executable, "-m", "pip", "--python", str(script.PYTHON)]


def test_a_failed_install_shows_why_and_is_tried_again_next_time(script, capsys, monkeypatch):
    monkeypatch.setattr(
        script, "find_installer", lambda: [sys.executable, "-c", "raise SystemExit('no route to index')"]
    )
    assert script.main(["install"]) == 2
    assert "no route to index" in capsys.readouterr().err
    assert not list(script.VENV.glob(".installed-*"))


@pytest.fixture
def early(monkeypatch) -> list[subprocess.Popen]:
    """Processes that have been started, each of them overtaken by a SIGTERM to this process."""
    children = []

    class Overtaken(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            children.append(self)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Overtaken)
    return children


SLEEP = ["-c", "import time; time.sleep(60)"]


def test_a_signal_that_comes_while_a_step_starts_ends_the_step(script, early):
    with pytest.raises(KeyboardInterrupt), script.ended_as_interrupted():
        script.outcome_of([sys.executable, *SLEEP])
    assert [child.returncode for child in early] == [-signal.SIGKILL]


def test_a_signal_that_comes_while_a_command_starts_reaches_it(script, early, monkeypatch):
    monkeypatch.setattr(script, "PYTHON", sys.executable)
    assert script.call(SLEEP) == -signal.SIGTERM


def test_a_second_start_installs_nothing(script, monkeypatch, capsys):
    steps: list[str] = []
    monkeypatch.setattr(script, "run", lambda command, what: steps.append(what))
    monkeypatch.setattr(script, "find_installer", lambda: ["installer"])
    script.install("run")
    assert len(steps) == 2
    script.install("run")
    assert len(steps) == 2
    (script.HERE / "requirements" / "run.lock").write_text("changed")
    script.install("run")
    assert len(steps) == 4


def test_a_broken_environment_is_made_anew(script):
    script.make_environment()
    script.PYTHON.unlink()
    script.PYTHON.write_text("not a program")
    script.make_environment()
    assert subprocess.run([script.PYTHON, "-c", ""], check=False).returncode == 0


def started(script, monkeypatch) -> list[list[str]]:
    """What is run in place of the environment's Python, from here on."""
    calls: list[list[str]] = []
    monkeypatch.setattr(script, "install", lambda layer: None)
    monkeypatch.setattr(script, "call", lambda arguments: calls.append(arguments) or 0)
    return calls


@pytest.mark.parametrize("named", ["tests/test_rooms.py", "tests/test_rooms.py::test_that", "engine"])
def test_the_whole_suite_runs_on_every_core_and_what_is_named_in_one_process(script, monkeypatch, named):
    monkeypatch.setattr(script, "HERE", ROOT)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    calls = started(script, monkeypatch)
    for rest in ([], ["-x", "-k", "waits"], ["-x", named]):
        assert script.main(["test", *rest]) == 0
    assert calls[0] == ["-m", "pytest", "--numprocesses", "auto", "--dist", "worksteal"]
    assert calls[1] == [*calls[0], "-x", "-k", "waits"]
    assert calls[2] == ["-m", "pytest", "-x", named]
    # What was compiled of the program is kept for the next process.
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_every_check_is_run_and_heard_whatever_the_others_say(script, monkeypatch, capfdbinary):
    checks = [["-c", f"import sys; print('said {n}'); print('and {n}', file=sys.stderr); sys.exit({n})"] for n in "020"]
    started(script, monkeypatch)
    monkeypatch.setattr(script, "CHECKS", checks)
    monkeypatch.setattr(script, "PYTHON", sys.executable)
    assert script.main(["check"]) == 2
    heard = capfdbinary.readouterr().out.decode()
    assert [heard.count(f"{word} {n}") for word in ("said", "and") for n in "02"] == [2, 1, 2, 1]
