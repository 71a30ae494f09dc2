"""`routelab bench`: how fast the engine is, as ratios."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from api.printing import say_json, tell
from api.terminal import options

DONE, FAILED = 0, 1


@options.command()
@click.option("--workload", multiple=True, help="Workloads to run: team, site, simple-msk, pool.  [default: all]")
@click.option("--size", multiple=True, help="Sizes: 10k, 1m, 10m.  [default: 10k and 1m, or a replay's own]")
@click.option("--phase", multiple=True, help="Phases to run: choose, write, replay, parse, import.  [default: all]")
@click.option("--short", is_flag=True, help="A set that ends within a minute.")
@click.option("--check", is_flag=True, help="Fail when a ratio is worse than the stated floor.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False),
    help="Draw a replay's cost against agents into this SVG file.",
)  # fmt: skip
@options.as_json
def bench(
    workload: tuple[str, ...], size: tuple[str, ...], phase: tuple[str, ...], short: bool, check: bool,
    plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure the engine against plain copying and other ways to do the same, in one run.

    \b
    Example:
      routelab bench --workload enterprise --size 1m
      routelab bench --phase replay --plot growth.svg
    """
    from api.output.results import simulate_to
    from api.terminal.shown.page import doing
    from benchmarks.inputs import Disagreement
    from benchmarks.run import everything, judged, run

    try:
        with doing("benchmarks") as say_more:
            results = run(workload, size, phase, simulate=simulate_to, short=short, say=say_more)
    except Disagreement as error:
        tell(f"error: {error}")
        sys.exit(FAILED)
    failures = judged(results, check, plot)
    if as_json:
        say_json(everything(results, failures))
    else:
        from api.terminal.shown.bench import show_results

        show_results(results, failures)
    sys.exit(FAILED if failures else DONE)
