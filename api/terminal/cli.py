"""The command line: `routelab COMMAND`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from api.printing import OUTPUT, end_printing, let_go, open_streams, tell
from api.terminal.commands.bench import bench
from api.terminal.commands.calibrate import calibrate
from api.terminal.commands.compare import compare
from api.terminal.commands.demo import demo
from api.terminal.commands.explain import explain
from api.terminal.commands.genesys import genesys
from api.terminal.commands.serve import serve
from api.terminal.commands.simulate import simulate
from api.terminal.commands.snapshot import snapshot
from api.terminal.commands.validate import validate
from api.terminal.little_memory import refused
from api.terminal.signals import stopped_by_signals
from api.terminal.starting import STOPPED
from engine.errors import NotEnoughMemory, RoutingError
from engine.stopping import Stopped
from ingest.workers.memory import GaveUp, said_plainly

DONE, FAILED, BAD_INPUT = 0, 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="routelab", prog_name="routelab")
def cli() -> None:
    """Know what a routing change will do before you make it.

    \b
    Start with:
      routelab demo
    """


for command in (demo, snapshot, simulate, calibrate, compare, explain, genesys, serve, bench, validate):
    cli.add_command(command)


def _reason(error: OSError) -> str:
    from ingest.snapshot.private import FULL

    said = error.strerror or str(error)
    if error.errno in FULL and error.filename != OUTPUT:
        said += "; make room there and run it again: what was there before is as it was, nothing is half written"
    if isinstance(error, FileNotFoundError) and not error.filename and not _is_anywhere():
        return "the current folder is gone; change to one that is there"
    return f"{error.filename}: {said}" if error.filename else said


def _is_anywhere() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def main(arguments: list[str] | None = None) -> None:
    """Run a command (by default that of the process) and exit: 0 done, 2 bad usage or input, 1 failed."""
    open_streams()
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run a command and give its exit code: 0 done, 2 bad usage or input, 1 failed."""
    if why := refused(sys.argv[1:] if arguments is None else arguments):
        tell(f"failed: {why}")
        return FAILED
    code = _told(lambda: _interruptible(arguments))
    # What was printed may still wait to be sent, and only then a full disk is found out.
    return code or _told(end_printing)


def _interruptible(arguments: list[str] | None) -> None:
    with stopped_by_signals():
        cli.main(arguments, prog_name="routelab", standalone_mode=False)


def _told(work: Callable[[], object]) -> int:
    """The exit code of some work, with one line about what went wrong."""
    try:
        with said_plainly():
            work()
    except RoutingError as error:
        from ingest.platform.errors import JobFailed, PlatformUnavailable

        has_failed = isinstance(error, PlatformUnavailable | JobFailed | NotEnoughMemory)
        first, *more = error.problems
        tell(f"{'failed' if has_failed else 'error'}: {first}", *more, *getattr(error, "__notes__", ()))
        return FAILED if has_failed else BAD_INPUT
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "routelab"
        tell(f"error: {' '.join(error.format_message().splitlines())} (see {where} --help)")
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt, Stopped):
        tell(STOPPED)
        return FAILED
    except BrokenPipeError:
        # The reader of a pipe has left, and wants to hear no more.
        let_go()
        return FAILED
    except OSError as error:
        if error.filename == OUTPUT:
            let_go()
        tell(f"failed: {_reason(error)}")
        return FAILED
    except UnicodeEncodeError as error:
        # Bytes of a path that are no UTF-8: Python passes them on, the libraries that write files do not.
        tell(f"error: {error.object!a} is no text; use a name in UTF-8")
        return BAD_INPUT
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except GaveUp as error:
        tell(f"failed: {error}")
        return FAILED
    return DONE
