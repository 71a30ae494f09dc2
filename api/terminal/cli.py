"""The command line: `routelab COMMAND`."""

from __future__ import annotations

import os
import sys

import click

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
from engine.errors import NotEnoughMemory, RoutingError

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


def _reason(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})"
    from ingest.snapshot.private import FULL

    said = error.strerror or str(error)
    if error.errno in FULL:
        said += "; make room there and run it again: what was there before is as it was, nothing is half written"
    return f"{error.filename}: {said}" if error.filename else said


def main(arguments: list[str] | None = None) -> None:
    """Run a command (by default that of the process) and exit: 0 done, 2 bad usage or input, 1 failed."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run a command and give its exit code: 0 done, 2 bad usage or input, 1 failed."""
    try:
        cli.main(arguments, prog_name="routelab", standalone_mode=False)
    except RoutingError as error:
        from ingest.platform.errors import JobFailed, PlatformUnavailable

        has_failed = isinstance(error, PlatformUnavailable | JobFailed | NotEnoughMemory)
        click.echo(f"{'failed' if has_failed else 'error'}: {error}", err=True)
        for note in getattr(error, "__notes__", ()):
            click.echo(note, err=True)
        return FAILED if has_failed else BAD_INPUT
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "routelab"
        click.echo(f"error: {error.format_message()} (see {where} --help)", err=True)
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was half written is removed, by the next command at the latest", err=True)
        return FAILED
    except BrokenPipeError:
        # The reader of a pipe has left; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OSError, MemoryError) as error:
        click.echo(f"failed: {_reason(error)}", err=True)
        return FAILED
    except UnicodeEncodeError as error:
        # Bytes of a path that are no UTF-8: Python passes them on, the libraries that write files do not.
        click.echo(f"error: {error.object!a} is no text; use a name in UTF-8", err=True)
        return BAD_INPUT
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    return DONE
