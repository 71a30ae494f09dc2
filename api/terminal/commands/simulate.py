"""`routelab simulate`: run a scenario over a snapshot."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from api.printing import say, say_json
from api.terminal import options


@options.scenario_command(defaults={"mode": "replay"})
@options.snapshot
@options.window
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True,
    help="Folder for outcomes.arrow and report.json.",
)  # fmt: skip
@options.replace_results
@click.option("--force", is_flag=True, help="Replay: give a verdict even where it does not reproduce the record.")
@options.store
@options.as_json
def simulate(
    snapshot_name: str, first_day: date | None, last_day: date | None, out: Path, replace: bool, force: bool,
    store: Path, as_json: bool, **scenario: Any,
) -> None:  # fmt: skip
    """Replay the interactions of a snapshot: who would have answered, and when; or score who would be chosen.

    \b
    Examples:
      routelab simulate --snapshot demo --method genesys
      routelab simulate --snapshot demo --sla 80/20 --performance rolling --replications 10
      routelab simulate --snapshot demo --mode score --weights 0.2,0.3,0.5 --sla 80/20 --performance 0.7 --out out
    """
    chosen = options.scenario_of(scenario, mode="replay")
    import time

    from api.output.result_folder import ResultFolder
    from api.output.results import simulate_into, to_json
    from api.terminal.shown.page import progress
    from engine.errors import MissingInput
    from ingest.snapshot.reading import open_snapshot

    with ResultFolder(out, replace=replace) as folder:
        started = time.perf_counter()
        arrays = open_snapshot(store, snapshot_name).arrays().days(first_day, last_day)
        load_s = time.perf_counter() - started
        arrays = options.as_calibrated(scenario["calibration"], arrays)
        with progress(not as_json) as watch:
            try:
                report = simulate_into(folder, chosen, arrays, load_s=load_s, force=force, progress=watch)
            except MissingInput as error:
                if chosen.mode == "score":
                    raise
                # Whoever did not ask for a replay must learn that there is something else.
                why = f"{error}; or --mode score: whom the weighted score prefers, without a replay"
                raise MissingInput(why) from error
    if as_json:
        say_json(to_json(report))
        return
    from api.terminal.shown.replay import show

    show(report)
    say()
    say(f"written: {out / 'outcomes.arrow'} (one row per interaction), {out / 'report.json'}")
