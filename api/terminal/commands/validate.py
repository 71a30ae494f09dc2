"""`routelab validate`: the replay beside theory and published simulations."""

from __future__ import annotations

import sys

import click

from api.terminal import options


@options.command()
@click.option("--case", "case", multiple=True, help="Cases to run: V1, V4, V6, V14, V15, V16.  [default: all]")
@click.option("--quick", is_flag=True, help="A tenth of the simulated days.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all draws.")
@options.as_json
def validate(case: tuple[str, ...], quick: bool, seed: int, as_json: bool) -> None:
    """Compare simulated waits with exact formulas and published simulations.

    \b
    Example:
      routelab validate --case V6 --quick
    """
    from benchmarks.validation.run import main

    sys.exit(main(case, quick, seed, as_json))
