"""`routelab calibrate`: fit what history does not say, and try it on other days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from api.terminal import options

# Draws that make the noise band.
DRAWS = 20


@options.scenario_command(
    only=("sla", "service_level", "short_abandon_s", "replications", "seed"), defaults={"replications": DRAWS}
)
@options.snapshot
@click.option("--fit-from", type=options.DAY, help="First day to fit, local.  [default: the first]")
@click.option("--fit-to", type=options.DAY, help="Last day to fit.  [default: after 60 % of the days]")
@click.option("--test-from", type=options.DAY, help="First day to test.  [default: the next]")
@click.option("--test-to", type=options.DAY, help="Last day to test.  [default: the last]")
@click.option(
    "--method", cls=options.NamesMethods, metavar="NAME",
    help="The rule in force.  [default: what the queues' settings record]",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("calibration.json"), show_default=True,
    help="File for simulate --calibration.",
)  # fmt: skip
@click.option("--chart", type=click.Path(path_type=Path), help="SVG file, or a folder for calibration.svg.")
@options.store
@options.as_json
def calibrate(
    snapshot_name: str, fit_from: date | None, fit_to: date | None, test_from: date | None,
    test_to: date | None, method: str | None, out: Path, chart: Path | None, store: Path, as_json: bool,
    **measured: Any,
) -> None:  # fmt: skip
    """Fit join gap, after-call work and the credit of priority on some days; show how they do on others.

    What a snapshot records is not fitted. The file that comes out holds the fitted values and all that speaks for
    and against them.

    \b
    Examples:
      routelab calibrate --snapshot demo --out calibration.json --chart calibration.svg
      routelab simulate --snapshot demo --calibration calibration.json
    """
    from engine.calibration import calibrate as fitted_on
    from engine.calibration import default_days
    from engine.spec import scenario_of

    scenario = scenario_of(
        {"replications": DRAWS} | options.read(measured) | {"mode": "replay", "method": method or "genesys"}
    )
    picture = _picture(chart)
    for path in filter(None, (out, picture)):
        _check(path)

    from api.output.calibration_file import write_calibration
    from api.terminal.progress import progress
    from engine.memory import of_calibration
    from ingest.snapshot.reading import open_snapshot
    from ingest.workers import MEMORY

    arrays = open_snapshot(store, snapshot_name).arrays()
    fit, test = default_days(arrays, (fit_from, fit_to), (test_from, test_to))
    need = of_calibration(scenario, arrays.days(min(fit[0], test[0]), max(fit[1], test[1])), scenario.replications)
    with MEMORY.held(need), progress(not as_json) as watch:
        found = fitted_on(arrays, scenario, fit, test, method=method, draws=scenario.replications, progress=watch)
    write_calibration(out, found)
    if picture is not None:
        from api.output.calibration_chart import chart as drawn

        _write(picture, drawn(found.evidence))
    if as_json:
        import orjson

        from engine.results import plain

        click.echo(orjson.dumps(plain(found), option=orjson.OPT_INDENT_2))
        return
    from api.terminal.shown.calibration import show_calibration

    show_calibration(found)
    use = f"routelab simulate --calibration {out}"
    click.echo(f"\nwritten: {out}{f', {picture}' if picture else ''}; use it with '{use}'")


def _picture(chart: Path | None) -> Path | None:
    """The file of the picture: as given, or inside the folder that was given."""
    return chart if chart is None or chart.suffix.lower() == ".svg" else chart / "calibration.svg"


def _check(path: Path) -> None:
    """Refuse at once what could not be written after all the work."""
    from engine.errors import NotWritable
    from ingest.snapshot.store import make_folder

    make_folder(path.parent)
    if path.is_dir():
        raise NotWritable(f"{path}: is a folder; name a file")


def _write(path: Path, text: str) -> None:
    from engine.errors import NotWritable

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error
