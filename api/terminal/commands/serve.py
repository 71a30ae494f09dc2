"""`routelab serve`: the HTTP service."""

from __future__ import annotations

from pathlib import Path

import click

from api.terminal import options


@options.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1, this machine only]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port.  [default: 8000]")
@click.option("--settings", "settings_file", type=click.Path(path_type=Path), help="TOML file of settings.")
@click.option("--store", type=click.Path(path_type=Path), help="Folder of snapshots.  [default: data/snapshots]")
def serve(host: str | None, port: int | None, settings_file: Path | None, store: Path | None) -> None:
    """Answer /simulate/routing and /simulate/batch over HTTP; see /docs.

    \b
    Example:
      routelab serve --port 8000
    """
    from api.http.app import serve as run
    from api.settings import load_settings

    given = {"host": host, "port": port, "store": store}
    run(load_settings(settings_file, {key: value for key, value in given.items() if value is not None}))
