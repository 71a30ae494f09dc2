"""`routelab calibrate`: fit what history does not say, and try it on other days."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.printing import say, say_json
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
@options.replace_results
@options.store
@options.as_json
def calibrate(
    snapshot_name: str, fit_from: date | None, fit_to: date | None, test_from: date | None,
    test_to: date | None, method: str | None, out: Path, chart: Path | None, replace: bool, store: Path,
    as_json: bool, **measured: Any,
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

    from api.output.calibration_chart import chart as drawn
    from api.output.calibration_file import content_of
    from api.output.result_files import ResultFiles
    from api.terminal.shown.page import progress
    from engine.memory import of_calibration, of_reading
    from ingest.snapshot.reading import open_snapshot
    from ingest.workers import MEMORY

    with ResultFiles(out, *filter(None, [picture]), replace=replace) as files:
        arrays = open_snapshot(store, snapshot_name).arrays()
        with MEMORY.held(of_reading(arrays)):
            fit, test = default_days(arrays, (fit_from, fit_to), (test_from, test_to))
        days = min(fit[0], test[0]), max(fit[1], test[1])
        need = of_calibration(scenario, arrays, days, scenario.replications)
        with MEMORY.held(need), progress(not as_json) as watch:
            found = fitted_on(arrays, scenario, fit, test, method=method, draws=scenario.replications, progress=watch)
        pictures = [drawn(found.evidence).encode()] if picture else []
        files.write(content_of(found), *pictures)
    if as_json:
        from engine.results import plain

        say_json(plain(found))
        return
    from api.terminal.shown.calibration import show_calibration

    show_calibration(found)
    use = shlex.join(["routelab", "simulate", "--calibration", str(out)])
    say()
    say(f"written: {out}{f', {picture}' if picture else ''}; use it with {use}")


def _picture(chart: Path | None) -> Path | None:
    """The file of the picture: as given, or inside the folder that was given."""
    return chart if chart is None or chart.suffix.lower() == ".svg" else chart / "calibration.svg"
