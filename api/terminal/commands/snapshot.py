"""`routelab snapshot ...`: make, list, show, verify and delete snapshots."""

from __future__ import annotations

import gc
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.printing import say, say_json, tell
from api.terminal import options
from api.terminal.commands import platform
from api.terminal.files.commands import files, inspect
from api.terminal.looking import looked_plainly, show_look, show_made, tell_of_others

if TYPE_CHECKING:
    import polars as pl

    from ingest.snapshot.manifest import Manifest

_FILE = click.Path(path_type=Path)


@click.group()
def snapshot() -> None:
    """Make, list, show, verify and delete snapshots.

    \b
    Examples:
      routelab snapshot synthetic --name small --interactions 10000
      routelab snapshot list
    """


snapshot.add_command(inspect)
snapshot.add_command(files)


@snapshot.command(cls=options.Once)
@options.name
@click.option("--log", type=_FILE, multiple=True, required=True, help="A file of the log; may be given again.")
@click.option("--seed", type=int, default=0, show_default=True, help="For the made-up surveys.")
@options.replace
@options.store
@options.no_light
@options.as_json
def bank(
    name: str, log: tuple[Path, ...], seed: int, replace: bool, store: Path, no_light: bool, as_json: bool
) -> None:
    """Import the published call log of the "Anonymous Bank".

    \b
    Example:
      routelab snapshot bank --name bank --log january.txt --log february.txt
    """
    from api.terminal.shown.page import progress
    from ingest.bank import import_bank

    with progress(not as_json) as watch:
        manifest = import_bank(log, store, name, seed=seed, replace=replace, progress=watch)
    show_made(manifest, store, as_json, no_light)


@snapshot.command(cls=options.Once)
@options.name
@click.option(
    "--interactions",
    type=click.IntRange(1, 1_000_000_000),
    help="Number of interactions.  [default: 100000, or the bank's 252290]",
)
@click.option("--agents", type=click.IntRange(1, 100_000), help="Number of agents.  [default: 50, or the bank's]")
@click.option("--queues", type=click.IntRange(1, 10_000), help="Number of queues.  [default: 4]")
@click.option("--skills", type=click.IntRange(1, 10_000), help="Number of skills.  [default: 8]")
@click.option("--languages", type=click.IntRange(1, 1_000), help="Number of languages.  [default: 2]")
@click.option("--days", type=click.IntRange(1, 3_660), help="Number of days.  [default: 28, or the bank's 212]")
@click.option("--start", help="First day, YYYY-MM-DD.")
@click.option("--like", type=click.Choice(["bank"]), help="Shaped like a real bank's seven months.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same centre.")
@options.replace
@options.store
@options.no_light
@options.as_json
def synthetic(name: str, store: Path, replace: bool, no_light: bool, as_json: bool, **given: Any) -> None:
    """Make up a centre of any size from a seed.

    \b
    Example:
      routelab snapshot synthetic --name big --interactions 1000000 --agents 300 --queues 20
    """
    from api.terminal.shown.page import progress
    from ingest.synthetic import make

    wanted = {key: value for key, value in given.items() if value is not None}
    with progress(not as_json) as watch:
        manifest = make(store, name, **wanted, replace=replace, progress=watch)
    show_made(manifest, store, as_json, no_light)


@snapshot.command(cls=options.Once)
@options.name
@click.option(
    "--queue", "queues", multiple=True, metavar="NAME", required=True, help="Queue by name or id; may be given again."
)
@click.option("--from", "first_day", type=options.DAY, required=True, help="First day.")
@click.option("--to", "last_day", type=options.DAY, required=True, help="Last day, included.")
@click.option(
    "--time-zone", default="UTC", show_default=True, help="IANA zone of these days, for example Europe/Berlin."
)
@click.option(
    "--refresh-days", type=click.IntRange(0, 60), default=3, show_default=True,
    help="Read days again until so many days after their end, for late surveys.",
)  # fmt: skip
@click.option("--survey-scale", metavar="MIN,MAX", help="Scale of survey scores.  [default: 0,100]")
@click.option("--pseudonymise", is_flag=True, help="Replace agent ids and names by codes.")
@platform.settings_file
@platform.patience
@options.replace
@options.store
@options.no_light
@options.as_json
def genesys(
    name: str, queues: tuple[str, ...], first_day: date, last_day: date, time_zone: str, refresh_days: int,
    survey_scale: str | None, pseudonymise: bool, settings_file: Path | None, patience_s: float, replace: bool,
    store: Path, no_light: bool, as_json: bool,
) -> None:  # fmt: skip
    """Read queues and days from Genesys Cloud; goes on where an earlier run stopped, and reads the last days again.

    A snapshot of this name that was read before grows by new queues and days; --replace lets it lose some.

    \b
    Example:
      routelab snapshot genesys --name billing --queue Billing --queue Cards --from 2026-01-05 --to 2026-03-29
    """
    credentials = platform.credentials_of(settings_file)
    from api.terminal.shown.genesys import told
    from api.terminal.shown.page import progress
    from ingest.genesys import RARELY, Means, Scale, Span, Wanted, import_genesys

    gc.set_threshold(*RARELY)
    span = Span(first_day, last_day, time_zone)
    wanted = Wanted(queues, span, refresh_days, Scale.of(survey_scale), pseudonymise)
    with platform.opened(credentials, patience_s) as (make, made), progress(not as_json) as watch:
        means = Means(make, credentials.base_url)
        try:
            done = import_genesys(store, name, wanted, means, replace=replace, progress=watch)
        except KeyboardInterrupt:
            tell("days that were read are kept; the same command goes on from there")
            raise
        finally:
            for client in made:
                tell(told(client.counted()))
    if not (done.changed or as_json):
        say(f"nothing has changed since {done.manifest.created}; snapshot {name} was left as it is")
    if as_json:
        say_json(done.manifest.summary().to_dict() | {"changed": done.changed})
        return
    show_made(done.manifest, store, as_json, no_light)


@snapshot.command("list", cls=options.Once)
@options.store
@options.as_json
def list_(store: Path, as_json: bool) -> None:
    """List snapshots, newest first.

    \b
    Example:
      routelab snapshot list
    """
    from ingest.snapshot.store import check_there, manifests

    check_there(store)
    found, unreadable = manifests(store)
    if as_json:
        say_json([manifest.summary().to_dict() for manifest in found])
    else:
        from api.terminal.shown.pieces import show_snapshots

        show_snapshots(found, store)
    for error in unreadable:
        tell(f"unreadable: {error}")
    tell_of_others(store)


@snapshot.command(cls=options.Once)
@click.argument("name")
@options.no_light
@click.option("--all", "everything", is_flag=True, help="Every queue, day and half hour in numbers.")
@options.store
@options.as_json
def show(name: str, no_light: bool, everything: bool, store: Path, as_json: bool) -> None:
    """Show what a snapshot holds, and the first look at it: figures, what looks wrong, and whether a replay meets it.

    \b
    Examples:
      routelab snapshot show demo
      routelab snapshot show demo --all --no-light
    """
    from ingest.snapshot.manifest_reading import read_manifest
    from ingest.snapshot.store import folder_of

    manifest = read_manifest(folder_of(store, name))
    beside = _beside_platform(manifest, store)
    if as_json:
        more = {} if beside is None else {"beside_platform": beside.to_dicts()}
        say_json(
            manifest.summary().to_dict()
            | more
            | {"first_look": looked_plainly(manifest, store, with_light=not no_light)}
        )
        return
    from api.terminal.shown.pieces import show_beside_platform, show_manifest

    show_manifest(manifest)
    if beside is not None:
        show_beside_platform(beside)
    show_look(manifest, store, with_light=not no_light, everything=everything)


@snapshot.command(cls=options.Once)
@click.argument("name")
@options.store
@options.as_json
def verify(name: str, store: Path, as_json: bool) -> None:
    """Compare every file of a snapshot with the manifest's hashes.

    \b
    Example:
      routelab snapshot verify demo
    """
    from api.terminal.shown.page import progress
    from ingest.snapshot.store import folder_of
    from ingest.snapshot.verifying import verify as verified

    with progress(not as_json) as watch:
        manifest = verified(folder_of(store, name), watch)
    if as_json:
        say_json({"name": manifest.name, "sha256": manifest.id, "files": len(manifest.files), "verified": True})
    else:
        say(f"{manifest.name}: {len(manifest.files)} files match, sha256 {manifest.id}")


@snapshot.command(cls=options.Once)
@click.argument("name")
@options.store
def delete(name: str, store: Path) -> None:
    """Delete a snapshot.

    \b
    Example:
      routelab snapshot delete demo
    """
    from ingest.snapshot.store import delete as deleted

    deleted(store, name)
    say(f"deleted {name}")


def _beside_platform(manifest: Manifest, store: Path) -> pl.DataFrame | None:
    """The platform's own counts beside the snapshot's, where it has any."""
    if not manifest.rows.get("aggregates"):
        return None
    from ingest.snapshot.counted import beside_platform
    from ingest.snapshot.reading import open_snapshot

    opened = open_snapshot(store, manifest.name)
    return beside_platform(*map(opened.table, ("aggregates", "interactions", "queues")))
