"""`routelab compare`: rules side by side on the same customers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from api.terminal import options


@click.command()
@options.snapshot
@options.window
@click.option(
    "--methods", default="genesys,weighted", show_default=True, metavar="NAME,NAME",
    help="Rules to compare; the first is what the others are compared with.",
)  # fmt: skip
@options.scenario_options
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True,
    help="Folder for comparison.json.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Give verdicts even where the replay does not reproduce the record.")
@options.store
@options.as_json
def compare(
    snapshot_name: str, first_day: datetime | None, last_day: datetime | None, methods: str, out: Path, force: bool,
    store: Path, as_json: bool, **scenario: Any,
) -> None:  # fmt: skip
    """Replay two rules or more over the same customers: waits, abandonment, occupancy, fairness, with intervals.

    Every rule is played twice, with recorded handling times and with times that change with the agent; where the
    two disagree, the answer is "not determined". Options of --mode, --method and --handling are set by the command.

    \b
    Examples:
      routelab compare --snapshot demo --methods genesys,weighted
      routelab compare --snapshot bank --from 1999-05-01 --to 1999-05-31 --calibration bank.json --replications 5
    """
    from dataclasses import replace

    scenario |= {"mode": "replay", "method": "weighted", "handling": "recorded"}
    base = options.scenario_of(**scenario)
    rules = [replace(base, method=name.strip()) for name in methods.split(",") if name.strip()]

    from api.output.results import write_comparison
    from api.terminal.progress import progress
    from engine.reports.compare import compare as compared
    from ingest.snapshot.reading import open_snapshot

    arrays = options.days_of(open_snapshot(store, snapshot_name).arrays(), first_day, last_day)
    options.check_calibration(scenario["calibration"], arrays)
    with progress(not as_json) as watch:
        comparison = compared(rules, arrays, force=force, progress=watch)
    content = write_comparison(comparison, out)
    if as_json:
        click.echo(content)
        return
    from api.terminal.show_comparison import show_comparison

    show_comparison(comparison)
    click.echo(f"\nwritten: {out / 'comparison.json'}")
