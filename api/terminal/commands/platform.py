"""How commands reach Genesys Cloud: credentials from settings, patience from options."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.printing import tell

if TYPE_CHECKING:
    from ingest.platform.client import Client
    from ingest.platform.credentials import Credentials

# A platform that takes the request and then says nothing is given up so soon, and asked again.
READ_S = 60.0

settings_file = click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path), help="TOML file of settings, with credentials."
)
patience = click.option(
    "--patience", "patience_s", type=click.FloatRange(1, 86_400), default=120.0, show_default=True, metavar="SECONDS",
    help="How long one request is tried while the platform is down or refuses more requests.",
)  # fmt: skip


def credentials_of(settings: Path | None) -> Credentials:
    """Credentials from the environment or the settings file."""
    from api.settings import load_settings

    return load_settings(settings).credentials()


class _Told(logging.Handler):
    """Says on standard error why nothing seems to happen."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(record.getMessage())


@contextmanager
def _waits_told() -> Iterator[None]:
    log, told = logging.getLogger("routelab.ingest"), _Told(logging.INFO)
    log.addHandler(told)
    before = log.level
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(told)
        log.setLevel(before)


@contextmanager
def opened(
    credentials: Credentials, patience_s: float
) -> Iterator[tuple[Callable[[Callable[[float], None]], Client], list[Client]]]:
    """A maker of clients that wait as they are told, and the clients made, closed at the end."""
    from ingest.platform.client import Client
    from ingest.platform.limiter import Limiter
    from ingest.platform.network import Timeouts
    from ingest.platform.retry import Patience

    made: list[Client] = []

    def make(sleep: Callable[[float], None]) -> Client:
        # Waits grow to half a minute on average: so many attempts fill the time and no more.
        patience = Patience(attempts=12 + int(patience_s // 15), total_s=patience_s)
        client = Client(
            credentials, timeouts=Timeouts(connect_s=5.0, read_s=READ_S), patience=patience,
            limiter=Limiter(sleep=sleep), sleep=sleep,
        )  # fmt: skip
        made.append(client)
        return client

    try:
        with _waits_told():
            yield make, made
    finally:
        for client in made:
            client.close()
