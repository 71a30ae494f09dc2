"""`routelab genesys ...`: look at an organisation before reading it, or start a stand-in for one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from api.printing import announce, say_json, tell
from api.terminal import options
from api.terminal.commands import platform

EPOCH, DAY_MS = date(1970, 1, 1).toordinal(), 86_400_000


@click.group()
def genesys() -> None:
    """Check what can be read from Genesys Cloud, or start a stand-in for it on this machine.

    \b
    Credentials come from GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, the address from GENESYS_BASE_URL
    or GENESYS_REGION, or all of them from the settings file.

    \b
    Examples:
      routelab genesys check
      routelab genesys double --port 8010
    """


@genesys.command(cls=options.Once)
@click.option(
    "--queue", "queues", multiple=True, metavar="NAME", help="Queue by name or id; may be given again.  [default: all]"
)
@options.window
@click.option("--time-zone", default="UTC", show_default=True, help="IANA zone of the days, for example Europe/Berlin.")
@platform.settings_file
@platform.patience
@options.as_json
def check(
    queues: tuple[str, ...], first_day: date | None, last_day: date | None, time_zone: str,
    settings_file: Path | None, patience_s: float, as_json: bool,
) -> None:  # fmt: skip
    """Probe every permission, show limits and days with data, and estimate requests and minutes. Reads nothing else.

    \b
    Example:
      routelab genesys check --queue Billing --from 2026-01-05 --to 2026-03-29
    """
    import time

    credentials = platform.credentials_of(settings_file)
    from ingest.files.cells.time_cells import check_time_zone
    from ingest.genesys import check_platform

    check_time_zone(time_zone)
    with platform.opened(credentials, patience_s) as (make, _):
        found = check_platform(make(time.sleep), credentials.base_url, queues, first_day, last_day, time_zone)
    if as_json:
        say_json(found.record())
    else:
        from api.terminal.shown.genesys import show_check

        show_check(found)
    if found.missing:
        from engine.errors import MissingInput

        names = ", ".join(permission.name for permission in found.missing)
        raise MissingInput(f"the client's role lacks {names}; add it in all divisions that are to be read")


@genesys.command(cls=options.Once)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8010, show_default=True, help="Port; 0 takes any free one."
)
@click.option("--agents", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Number of agents.")
@click.option("--days", type=click.IntRange(1, 3_660), default=7, show_default=True, help="Days of history.")
@click.option(
    "--interactions",
    type=click.IntRange(1, 100_000_000),
    help="Number of interactions.  [default: as many as the agents can take]",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed gives the same organisation."
)
@click.option("--faults", type=click.IntRange(0), metavar="SEED", help="Misbehave by a script drawn from this seed.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1),
    metavar="N",
    help="Refuse more than this, as the platform does at 300.",
)
def double(
    port: int, agents: int, days: int, interactions: int | None, seed: int, faults: int | None,
    requests_per_minute: int | None,
) -> None:  # fmt: skip
    """Stand in for Genesys Cloud on this machine, with a made-up organisation; client id and secret are demo, demo.

    \b
    Example:
      routelab genesys double --port 8010 --agents 50 --days 7
      GENESYS_BASE_URL=http://127.0.0.1:8010 GENESYS_CLIENT_ID=demo GENESYS_CLIENT_SECRET=demo routelab genesys check
    """
    from engine.errors import InvalidScenario
    from ingest.double import Double, organisation, script, serve_forever

    tell("making up the organisation ...")
    made = organisation(agents=agents, days=days, seed=seed, interactions=interactions)
    faulty = None if faults is None else script(faults)
    try:
        running = Double(made, port=port, faults=faulty, requests_per_minute=requests_per_minute)
    except OSError as error:
        raise InvalidScenario(f"port {port} cannot be used ({error.strerror}); choose another --port") from error
    first, last = (date.fromordinal(EPOCH + ms // DAY_MS) for ms in (made.start_ms, made.end_ms - 1))
    announce(
        f"Genesys Cloud's double answers at {running.url}: {made.tables.agents.height} agents, "
        f"{made.tables.interactions.height} interactions from {first} to {last} (UTC); client id demo, secret demo; "
        "Ctrl-C stops it"
    )
    serve_forever(running)
