"""`routelab demo`: seven made-up months, routed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.commands import options

if TYPE_CHECKING:
    from api.progress import Report
    from ingest.snapshot import Snapshot

NAME = "demo"


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True,
    help="Folder for outcomes.arrow and report.json.",
)  # fmt: skip
@options.store
@options.as_json
def demo(out: Path, store: Path, as_json: bool) -> None:
    """Make seven months of calls shaped like a real bank's, and route them by the weighted score.

    \b
    Example:
      routelab demo
    """
    import time

    from api.progress import progress
    from api.run_files import simulate_to, to_json
    from engine.scenario import Scenario

    started = time.perf_counter()
    with progress(not as_json) as watch:
        snapshot, made = _snapshot(store, watch)
        arrays = snapshot.arrays()
        load_s = time.perf_counter() - started
        report = simulate_to(Scenario(), arrays, out, load_s=load_s, progress=watch)
    if as_json:
        click.echo(to_json(report))
        return
    from api.show import show_report

    how = "made from a seed" if made else "found from an earlier run"
    click.echo(f"Snapshot {NAME!r} in {store / NAME}: a made-up centre shaped like a real bank's, {how}.")
    show_report(report)
    _decisions(out)
    click.echo(f"\nfiles: {out / 'outcomes.arrow'} (one row per interaction), {out / 'report.json'}, {store / NAME}")
    click.echo(f"next:  routelab simulate --snapshot {NAME} --weights 0.6,0.3,0.1   other weights")
    click.echo(f"       routelab explain --snapshot {NAME} --interaction ID         why an agent was chosen")


def _snapshot(store: Path, watch: Report | None) -> tuple[Snapshot, bool]:
    """The demo's snapshot, made unless one with the same making is there."""
    from engine.errors import CorruptSnapshot
    from ingest.snapshot import open_snapshot
    from ingest.store import names
    from ingest.synthetic import make, source_of

    wanted = source_of(like="bank", seed=0)
    if NAME in names(store):
        try:
            found = open_snapshot(store, NAME)
            if found.manifest.source == wanted:
                return found, False
        except CorruptSnapshot as error:
            click.echo(f"{error}; making it again", err=True)
    make(store, NAME, like="bank", seed=0, replace=True, progress=watch)
    return open_snapshot(store, NAME), True


def _decisions(out: Path) -> None:
    """The first choices, so that one sees what the file holds."""
    import polars as pl

    from api.show import console, grid

    first = pl.scan_ipc(out / "outcomes.arrow").head(5).collect()
    rows = [["-" if value is None else str(value) for value in row] for row in first.cast(pl.String).rows()]
    console().print(grid("First rows of outcomes.arrow", [(n, "left") for n in first.columns], rows))
