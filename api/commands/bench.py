"""`routelab bench`: how fast the engine is, as ratios."""

from __future__ import annotations

import sys

import click

from api.commands import options


@click.command()
@click.option("--workload", multiple=True, help="Workloads to run: team, site, enterprise.  [default: all]")
@click.option("--size", multiple=True, help="Sizes: 10k, 1m, 10m.  [default: 10k and 1m]")
@click.option("--phase", multiple=True, help="Phases to run.  [default: all]")
@click.option("--short", is_flag=True, help="A set that ends within a minute.")
@click.option("--check", is_flag=True, help="Fail when a ratio is worse than the stated floor.")
@options.as_json
def bench(
    workload: tuple[str, ...], size: tuple[str, ...], phase: tuple[str, ...], short: bool, check: bool, as_json: bool
) -> None:
    """Measure the engine against plain copying and the row-by-row baseline, in one run.

    \b
    Example:
      routelab bench --workload enterprise --size 1m
    """
    from benchmarks.run import main

    sys.exit(main(list(workload), list(size), list(phase), short=short, check=check, as_json=as_json))
