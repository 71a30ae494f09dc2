"""`routelab simulate`: run a scenario over a snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.commands import options


@click.command()
@options.snapshot
@options.scenario_options
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True,
    help="Folder for outcomes.arrow and report.json.",
)  # fmt: skip
@options.store
@options.as_json
def simulate(snapshot_name: str, out: Path, store: Path, as_json: bool, **scenario: Any) -> None:
    """Route every interaction of a snapshot and say how the work would be shared.

    \b
    Example:
      routelab simulate --snapshot demo --weights 0.2,0.3,0.5 --sla 80/20 --performance 0.7 --out out
    """
    chosen = options.scenario_of(**scenario)
    import time

    from api.progress import progress
    from ingest.results import simulate_to, to_json
    from ingest.snapshot import open_snapshot

    started = time.perf_counter()
    arrays = open_snapshot(store, snapshot_name).arrays()
    load_s = time.perf_counter() - started
    with progress(not as_json) as watch:
        report = simulate_to(chosen, arrays, out, load_s=load_s, progress=watch)
    if as_json:
        click.echo(to_json(report))
        return
    from api.show import show_report

    show_report(report)
    click.echo(f"\nwritten: {out / 'outcomes.arrow'} (one row per interaction), {out / 'report.json'}")
