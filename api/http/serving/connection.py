"""The one connection of a service to the platform: made when first needed, on the thread that needs it."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.settings import Settings
from engine.errors import MissingInput, RoutingError

if TYPE_CHECKING:
    from ingest.genesys.live import LiveQueues
    from ingest.platform.client import Client

log = logging.getLogger("routelab.api")
NO_PLATFORM = (
    "live: this service is connected to no platform; set GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET and GENESYS_REGION "
    "where it is started, or leave live out and a snapshot answers"
)


@dataclass(frozen=True)
class Asked:
    """What has been asked of the platform so far."""

    # Requests sent, and those of them that repeat one. [count]
    requests: int = 0
    retries: int = 0
    breaker: str = "closed"  # closed, half-open or open


class Connection:
    """A client with short time-outs and the queues read through it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._queues: LiveQueues | None = None

    def queues(self) -> LiveQueues:
        """Members of queues as they are now; `MissingInput` without credentials or the platform's packages."""
        with self._lock:
            if self._queues is None:
                self._queues = self._connected()
            return self._queues

    def warm(self) -> None:
        """Load what asking takes, so that the first request need not wait for it; nothing is asked yet."""
        try:
            self.queues()
            from ingest.platform.sdk import load_sdk

            load_sdk()
        except RoutingError as error:
            log.warning("live requests will be refused: %s", error)

    def asked(self) -> Asked:
        """Counts for the metrics; zeros until the first live request."""
        client = self._client
        if client is None:
            return Asked()
        counts = client.counted()
        return Asked(counts.requests, counts.retries, client.breaker.state)

    def close(self) -> None:
        """Let go of the connection; a later request makes a new one."""
        with self._lock:
            client, self._client, self._queues = self._client, None, None
        if client is not None:
            client.close()

    def _connected(self) -> LiveQueues:
        if not self._settings.has_platform:
            raise MissingInput(NO_PLATFORM)
        credentials = self._settings.credentials()
        from ingest.genesys.live import LiveQueues, live_client

        self._client = live_client(credentials, self._settings.live_open_s)
        return LiveQueues(self._client, cache_s=self._settings.live_cache_s)
