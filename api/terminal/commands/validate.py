"""`routelab validate`: the replay beside theory and published simulations."""

from __future__ import annotations

import sys
import time

import click

from api.printing import say_json
from api.terminal import options

DONE, FAILED = 0, 1


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
    from api.terminal.shown.page import doing
    from benchmarks.validation.run import run

    started = time.perf_counter()
    with doing("validation") as say_more:
        compared = run(case, quick=quick, seed=seed, say=say_more)
    took_s = time.perf_counter() - started
    n_differ = sum(not one.agrees for one in compared)
    if as_json:
        say_json({"cells": [one.to_dict() for one in compared], "differ": n_differ, "took_s": took_s})
    else:
        from api.terminal.shown.validation import show_compared

        show_compared(compared, took_s)
    sys.exit(FAILED if n_differ else DONE)
