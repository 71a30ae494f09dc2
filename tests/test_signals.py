"""Commands that are told to end: at once, in one line, with nothing half written, whatever they are doing."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from api.terminal.cli import cli, run
from engine.stopping import check

ROOT = Path(__file__).parents[1]
SAID = "stopped; what was half written is removed, by the next command at the latest"
# Minutes where nothing stops it.
LONGEST_S = 60.0


@pytest.fixture
def command(monkeypatch):
    """Let `routelab work` do something."""

    def added(work):
        monkeypatch.setitem(cli.commands, "work", click.Command("work", callback=work))

    return added


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_command_as_ctrl_c_does(number, command, capsys, tmp_path):
    """What is open is closed on the way out, so what is half written can be removed."""
    half = tmp_path / "half"

    def work():
        half.touch()
        try:
            signal.raise_signal(number)
            raise AssertionError
        finally:
            half.unlink()

    before = signal.getsignal(number)
    # A shell that starts tests in the background has Ctrl-C ignored by all that they start.
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    signal.signal(number, usual)
    try:
        command(work)
        assert run(["work"]) == 1
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)
    assert capsys.readouterr().err.split("\n") == ["", SAID, ""]
    assert not half.exists()


def test_a_signal_that_is_ignored_stays_ignored(command):
    """As by nohup, which lets a command outlive its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command(lambda: signal.raise_signal(signal.SIGHUP))
        assert run(["work"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_interrupt_that_is_lost_ends_the_work_at_its_next_check(command, capsys, monkeypatch):
    """Python drops what is raised while memory is let go."""

    class Last:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    def work():
        last = Last()
        del last
        gc.collect()
        for _ in range(3):
            check()
        raise AssertionError

    lost = []
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        command(work)
        monkeypatch.setattr(sys, "unraisablehook", lost.append)
        assert run(["work"]) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err.strip() == SAID
    assert [one.exc_type for one in lost] == [KeyboardInterrupt]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("start", "module", "said"),
    [
        ("runpy.run_module('api', run_name='__main__', alter_sys=True)", "click", SAID),
        ("runpy.run_module('api', run_name='__main__', alter_sys=True)", "api.terminal.signals", SAID),
        ("from api.__main__ import main; main()", "api.terminal.little_memory", SAID),
        ("runpy.run_path('run.py', run_name='__main__')", "tempfile", "run.py: stopped"),
    ],
)
def test_a_signal_while_a_command_is_still_being_read_ends_it_in_one_line(number, start, module, said):
    """Here whatever is imported catches all that is raised, as libraries do with parts that they can go on without."""
    if said != SAID and number != signal.SIGINT:
        pytest.skip("run.py leaves other signals to the system, which ends it without a word")
    code = textwrap.dedent(f"""
        import contextlib, runpy, signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)
        class Told:
            def find_spec(self, name, path=None, target=None):
                if name == {module!r}:
                    with contextlib.suppress(BaseException):
                        signal.raise_signal({int(number)})
        sys.meta_path.insert(0, Told())
        sys.argv = ["routelab", "--help"]
        {start}
    """)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_S,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("", said + "\n", 1)


def test_ctrl_c_ends_a_compiled_loop():
    """2,000 kinds wait and each call answered looks at all of them: 8 s of processor time where nothing stops it.

    Processor time, since that does not depend on what else the machine is doing.
    """
    code = textwrap.dedent("""
        import signal, time, click, numpy as np
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from api.terminal.cli import cli, main
        from engine.estimates.demand import Demand, Kinds
        from engine.estimates.staffing import Roster
        from engine.methods.ladder import one_row_each
        from engine.replay.loop import Replay
        n, n_kinds, n_agents = 60_000, 2_000, 200
        def work():
            kinds = Kinds.plain(np.ones((n_kinds, n_agents), bool))
            demand = Demand.of(np.zeros(n), np.linspace(100, 200, n), kinds, np.arange(n) % n_kinds)
            run = Replay(demand, Roster.of(n_agents, np.arange(n_agents), np.zeros(n_agents), np.full(n_agents, 1e6)))
            ladder = one_row_each(np.zeros((n_kinds, n_agents)))
            run.run_until(ladder, -1)
            print(time.process_time(), flush=True)
            run.finish(ladder)
        cli.add_command(click.Command("work", callback=work))
        main(["work"])
    """)
    before_s = processor_s()
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        begun_s = float(running.stdout.readline())
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=LONGEST_S)
    finally:
        running.kill()
    assert (out, err.strip(), running.returncode) == ("", SAID, 1)
    assert processor_s() - before_s - begun_s < 2.0


def processor_s():
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
