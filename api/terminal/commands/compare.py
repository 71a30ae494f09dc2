"""`routelab compare`: rules side by side on the same customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.printing import say, say_json
from api.terminal import options

if TYPE_CHECKING:
    from engine.study import Comparing

# A file that people write by hand; a larger one is another file.
MOST_BYTES = 4 << 20


@options.scenario_command(decided=("mode", "method", "handling"))
@click.argument("study", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--snapshot", "snapshot_name", help="Name of a snapshot, or its folder; without STUDY.")
@options.window
@click.option(
    "--methods", cls=options.NamesMethods, metavar="NAME,NAME",
    help="Rules to compare; the first is what the others are compared with.  [default: genesys,weighted]",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True,
    help="Folder for study.json.",
)  # fmt: skip
@options.replace_results
@click.option("--force", is_flag=True, help="Give verdicts even where the replay does not reproduce the record.")
@options.store
@options.as_json
def compare(
    study: Path | None, snapshot_name: str | None, first_day: date | None, last_day: date | None,
    methods: str | None, out: Path, replace: bool, force: bool, store: Path, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Replay scenarios over the same customers: waits, abandonment, occupancy, fairness, with intervals.

    STUDY is a TOML file with a snapshot, from and to, a [baseline] of settings that hold for all, and [[scenario]]
    tables, each with a name and the settings it changes. Without one, --methods names the rules. Every scenario is
    played twice, with recorded handling times and with times that change with the agent; where the two disagree, the
    answer is "not determined".

    \b
    A study file:
      snapshot = "demo"
      [baseline]
      sla = "80/20"
      [[scenario]]
      name = "more language"
      method = "weighted"
      weights = [0.2, 0.6, 0.2]

    \b
    Examples:
      routelab compare weights.toml --out out
      routelab compare --snapshot demo --methods genesys,weighted
      routelab compare --snapshot bank --from 1999-05-01 --to 1999-05-31 --calibration bank.json --replications 5
    """
    wanted = _methods(snapshot_name, first_day, last_day, methods, given) if study is None else _study(study, given)
    if study is not None and (snapshot_name or first_day or last_day or methods):
        raise click.UsageError(f"{study} says snapshot, days and scenarios; leave out the options that say them")

    # Here, as in every command: --help must not wait for the engine.
    from api.output.result_folder import ResultFolder
    from api.output.results import write_comparison
    from api.terminal.shown.page import progress
    from engine.memory import of_comparison
    from engine.reports.compare import compare as compared
    from ingest.snapshot.reading import open_snapshot
    from ingest.workers import MEMORY, runs_in

    with ResultFolder(out, replace=replace) as folder:
        arrays = open_snapshot(store, wanted.snapshot or "").arrays().days(wanted.first, wanted.last)
        arrays = options.as_calibrated(given["calibration"], arrays)
        scenarios = wanted.scenarios_on(arrays, options.calibrated(given["calibration"]))
        with MEMORY.held(of_comparison(scenarios, arrays)), progress(not as_json) as watch:
            comparison = compared(
                scenarios, arrays, names=wanted.names, force=force, progress=watch, map_runs=runs_in()
            )
        content = write_comparison(comparison, folder)
    if as_json:
        say_json(content)
        return
    from api.terminal.shown.comparison import show_comparison

    show_comparison(comparison)
    say()
    say(f"written: {out / 'study.json'}")


def _methods(
    snapshot: str | None, first_day: date | None, last_day: date | None, methods: str | None,
    given: Mapping[str, Any],
) -> Comparing:  # fmt: skip
    """One scenario for each method that the options name; what else they say holds for all."""
    from engine.errors import InvalidScenario
    from engine.reports.compare import numbered
    from engine.study import Comparing

    if snapshot is None:
        raise click.UsageError("name a study file, or a snapshot: routelab compare --snapshot N --methods A,B")
    rules = [name.strip() for name in ("genesys,weighted" if methods is None else methods).split(",") if name.strip()]
    if len(rules) < 2:
        raise InvalidScenario("compare: give two rules or more, for example genesys,weighted")
    # Levers of a baseline move it alone; those of the options hold for all.
    levers = options.levers(given)
    entries = tuple((name, levers | {"method": rule}) for name, rule in zip(numbered(rules), rules, strict=True))
    return Comparing(snapshot, first_day, last_day, options.chosen(given) | entries[0][1], entries[1:], entries[0][0])


def _study(path: Path, given: Mapping[str, Any]) -> Comparing:
    """The content of a study file."""
    import tomllib

    from engine.errors import InvalidScenario, MissingInput
    from engine.study import comparing

    named = [name for name, value in options.chosen(given).items() if value is not None]
    if named:
        raise click.UsageError(f"{path} holds the settings; write {named[0]} there, under [baseline]")
    try:
        # Windows' editors may put a mark before the text.
        if path.stat().st_size > MOST_BYTES:
            raise InvalidScenario(f"{path}: over {MOST_BYTES:,} bytes, which no study has; name another file")
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise MissingInput(f"{path}: there is no such file; docs/studies.md says what it holds") from error
    except (OSError, ValueError, RecursionError) as error:
        remedy = "save it as UTF-8" if isinstance(error, UnicodeError) else "mend it"
        raise InvalidScenario(f"{path}: not a readable TOML file ({error}); {remedy}") from error
    try:
        wanted = comparing(content)
        if wanted.snapshot is None:
            raise InvalidScenario('snapshot is missing; write snapshot = "NAME", a name or a folder')
    except InvalidScenario as error:
        raise InvalidScenario(f"{path}: {error}") from error
    return wanted
