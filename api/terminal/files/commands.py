"""The commands: what files hold as we understand it, and their import."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from api.printing import say, say_json, tell
from api.terminal import options
from api.terminal.looking import show_made

if TYPE_CHECKING:
    from ingest.snapshot.manifest import Manifest

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)
_PROFILE = click.Path(path_type=Path, dir_okay=False)
# Given by name, a file is what the option says, in our own columns.
NAMED = {
    "agents": "File of agents; a sheet of a workbook is book.xlsx#Agents.", "interactions": "File of interactions.",
    "members": "Who serves which queue; without it everybody serves all.", "queues": "Queues and their settings.",
    "surveys": "Survey scores.", "staffing": "When agents were on queue.", "busy": "Work outside these queues.",
    "handle_factors": "Handling time of agents relative to the recorded one.",
}  # fmt: skip
NEEDED = ("agents", "interactions")
# What files told by their content have no need of, by what says the same of them.
_NAMED_ONLY = {"skills_separator": "--skills-separator", "made_up": "--made-up"}
_TOLD_ONLY = {"profile": "--profile", "dates": "--dates", "answers": "--answer", "keep_profile": "--keep-profile"}


def _understanding(command: Command) -> Command:
    """The options that say how files told by their content are understood."""
    found = (
        click.option("--time-zone", help="IANA zone of times without one, for example Europe/Berlin."),
        click.option(
            "--dates",
            type=click.Choice(["dmy", "mdy", "ymd"]),
            help="Order of day, month and year where nothing in the files settles it.",
        ),
        click.option("--profile", type=_PROFILE, help="How these files are understood: what 'inspect' wrote."),
        click.option(
            "--answer",
            "answers",
            multiple=True,
            metavar="KEY=VALUE",
            help="Answer to an open question, by the key it is listed with; may be given again.",
        ),
    )
    for option in reversed(found):
        command = option(command)
    return command


@options.command()
@click.argument("given", metavar="FILE...", nargs=-1, required=True)
@_understanding
@click.option("--out", type=_PROFILE, help="Where the profile goes.  [default: profile.toml beside the first file]")
@click.option("--replace", is_flag=True, help="Replace a profile that is there already.")
@options.as_json
def inspect(
    given: tuple[str, ...], time_zone: str | None, dates: str | None, profile: Path | None, answers: tuple[str, ...],
    out: Path | None, replace: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show what files are taken for and why, column by column, and write that as a profile to look over and keep.

    Files may be workbooks, text of any delimiter and encoding, Parquet, Arrow or JSON lines; folders and patterns of
    monthly files; FILE#SHEET for one sheet. Nothing is imported.

    \b
    Examples:
      routelab snapshot inspect export.csv agents.xlsx plan.xlsx
      routelab snapshot inspect exports/ --time-zone Europe/Berlin --dates dmy --out centre.toml
    """
    from api.output.inspected import plainly
    from api.terminal.files.profiles import beside, refuse_existing
    from api.terminal.files.understanding import Understanding, answers_of
    from api.terminal.shown.inspected import show_found
    from api.terminal.shown.page import progress
    from ingest.exports.profile.writing import write_profile

    # A profile that was given is not written again unless somebody says where.
    target = out or (None if profile else beside(given))
    if target is not None:
        refuse_existing(target, replace)
    with progress(not as_json) as watch:
        files_ = Understanding.of(given, time_zone, dates, profile, watch)
    found = files_.found(answers_of(answers))
    for key in found.needless:
        tell(f"note: --answer {key}: nothing asks for that")
    if not as_json:
        show_found(found)
        say()
    if target is not None:
        write_profile(found.profile, target)
    if as_json:
        say_json(plainly(found, target))
        return
    if target is not None:
        say(f"written: {target} (look it over, correct it, keep it for next month)")
    words = ["--name", "NAME", "--profile", str(target or profile), *given]
    say(f"next: routelab snapshot files {shlex.join(words)}")


@options.command()
@click.argument("given", metavar="[FILE]...", nargs=-1)
@options.name
@click.option("--agents", type=_FILE, help=NAMED["agents"])
@click.option("--interactions", type=_FILE, help=NAMED["interactions"])
@click.option("--members", type=_FILE, help=NAMED["members"])
@click.option("--queues", type=_FILE, help=NAMED["queues"])
@click.option("--surveys", type=_FILE, help=NAMED["surveys"])
@click.option("--staffing", type=_FILE, help=NAMED["staffing"])
@click.option("--busy", type=_FILE, help=NAMED["busy"])
@click.option("--handle-factors", type=_FILE, help=NAMED["handle_factors"])
@_understanding
@click.option("--keep-profile", type=_PROFILE, help="Keep how the files were understood, answers included, there.")
@click.option("--csat-scale", metavar="LOW-HIGH", help="Scale of csat of interactions where no columns tell it, 1-5.")
@click.option(
    "--skills-separator", metavar="CHARACTERS",
    help="What stands between skills, languages or queues of one cell; each character of it.  [default: ;]",
)  # fmt: skip
@click.option("--same-names", is_flag=True, help="Names that differ in case or spaces only are one.")
@click.option("--keep-names", is_flag=True, help="Names stay as they are, also those that look like several in one.")
@click.option("--pseudonymise", is_flag=True, help="Replace agent ids and names by codes.")
@click.option(
    "--made-up", multiple=True, type=click.Choice(["surveys", "interactions", "agents", "staffing"]),
    help="Say that nobody recorded this table; may be given again.",
)  # fmt: skip
@options.replace
@options.store
@options.no_light
@options.as_json
def files(given: tuple[str, ...], store: Path, no_light: bool, as_json: bool, **more: Any) -> None:
    """Import files as people have them; what is what is told by their content, and asked where that leaves it open.

    Files may be workbooks, text of any delimiter and encoding, Parquet, Arrow or JSON lines, in any order; folders and
    patterns too. With --profile alone the files beside it are read. Given by name (--agents, --interactions and so on)
    a file is that table, with our own columns. A bad file is refused whole.

    \b
    Examples:
      routelab snapshot files --name march export.csv agents.xlsx plan.xlsx --time-zone Europe/Berlin
      routelab snapshot files --name april --profile centre.toml exports/2026-04/
      routelab snapshot files --name sample --agents data/sample/agents.csv \\
        --interactions data/sample/interactions.csv --surveys data/sample/surveys.csv --made-up surveys
    """
    named = {name: more.pop(name) for name in NAMED}
    _check_ways(given, named, more)
    if given or more["profile"]:
        manifest = _told_by_content(given, store, as_json, more)
    else:
        manifest = _told_by_name(named, store, as_json, more)
    show_made(manifest, store, as_json, no_light)


def _check_ways(given: tuple[str, ...], named: dict[str, Path | None], more: dict[str, Any]) -> None:
    """Refuse two ways in one: which columns are ours and which are to be understood could not be told apart."""
    by_name = [f"--{name.replace('_', '-')}" for name, path in named.items() if path is not None]
    if given or more["profile"]:
        by_name += [option for name, option in _NAMED_ONLY.items() if more[name]]
        if by_name:
            raise click.UsageError(
                f"{by_name[0]} goes with files that are given by name and have our own columns, and "
                f"{given[0] if given else '--profile'} is to be told by its content; give all files by name, or none"
            )
        return
    for name, option in _TOLD_ONLY.items():
        if more[name]:
            raise click.UsageError(f"{option} goes with files that are told by their content; give them without a name")
    if not by_name:
        raise click.UsageError(
            "no files are given; give them in any order, or by name: --agents FILE --interactions FILE"
        )
    for name in NEEDED:
        if named[name] is None:
            raise click.UsageError(f"Missing option '--{name}'.")


def _told_by_name(named: dict[str, Path | None], store: Path, as_json: bool, more: dict[str, Any]) -> Manifest:
    from api.terminal.shown.page import progress
    from ingest.files import import_files

    kept: dict[str, Any] = named | {name: value for name, value in more.items() if name not in _TOLD_ONLY}
    with progress(not as_json) as watch:
        return import_files(store, progress=watch, **kept)


def _told_by_content(given: tuple[str, ...], store: Path, as_json: bool, more: dict[str, Any]) -> Manifest:
    from api.terminal.files.asking import settled
    from api.terminal.files.profiles import refuse_existing
    from api.terminal.files.understanding import Understanding, answers_of
    from api.terminal.shown.page import progress
    from ingest.exports.importing import import_exports
    from ingest.exports.profile.writing import write_profile
    from ingest.snapshot import store as stores

    answers = answers_of(more["answers"])
    # What would be refused in the end is refused before anybody is asked.
    stores.refuse_existing(store, stores.check_name(more["name"]), more["replace"])
    keep: Path | None = more["keep_profile"]
    if keep is not None:
        refuse_existing(keep, is_replaced=False)
    with progress(not as_json) as watch:
        files_ = Understanding.of(given, more["time_zone"], more["dates"], more["profile"], watch)
    found, keep = settled(files_, answers, keep, as_json=as_json)
    kept = {name: more[name] for name in ("csat_scale", "same_names", "keep_names", "pseudonymise", "replace")}
    with progress(not as_json) as watch:
        manifest = import_exports(
            store, more["name"], found.profile, files_.sheets, time_zone=more["time_zone"], progress=watch, **kept
        )
    if keep is not None:
        write_profile(found.profile, keep)
    return manifest
