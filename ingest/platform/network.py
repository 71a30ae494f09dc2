"""Connections to the platform: bounded in time, certificates checked, through the proxy the user has named."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from engine.errors import InvalidScenario
from ingest.platform.credentials import is_loopback

if TYPE_CHECKING:
    import urllib3

_MOST_CONNECTIONS = 32


@dataclass(frozen=True)
class Timeouts:
    """How long one request may take.

    Parameters
    ----------
    connect_s : float
        Until a connection stands. [s]
    read_s : float
        Of silence while an answer is awaited or read. [s]
    """

    connect_s: float = 5.0
    read_s: float = 120.0

    def __post_init__(self) -> None:
        if not (self.connect_s > 0 and self.read_s > 0):
            raise InvalidScenario(f"{self}: want seconds above 0")


class Network:
    """Connections: bounded in time, never repeated, never redirected, through the proxy that the user has named."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._pools: dict[str, urllib3.PoolManager] = {}
        self.met: set[str] = set()  # hosts that have answered

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> urllib3.BaseHTTPResponse:
        """Send one request and read the whole answer."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        answer = self._pool(parts.scheme, host).request(
            method, url, body=body, headers=headers, redirect=False, retries=False, preload_content=True
        )
        self.met.add(host)
        return answer

    def close(self) -> None:
        """Close all connections; a later request opens new ones."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()
            self._pools.clear()

    def _pool(self, scheme: str, host: str) -> urllib3.PoolManager:
        with self._lock:
            if host not in self._pools:
                # Reading the certificates takes a tenth of a second.
                context = _trusted() if scheme == "https" else None
                self._pools[host] = self._make(_proxy_of(host), context)
            return self._pools[host]

    def _make(self, proxy: str | None, context: ssl.SSLContext | None) -> urllib3.PoolManager:
        import urllib3

        options: dict[str, Any] = {
            "maxsize": _MOST_CONNECTIONS,
            "timeout": urllib3.Timeout(connect=self._timeouts.connect_s, read=self._timeouts.read_s),
            "ssl_context": context,
        }
        if proxy is None:
            return urllib3.PoolManager(**options)
        try:
            parts = urlsplit(proxy)
            if parts.username is not None:
                login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
                options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=login)
            return urllib3.ProxyManager(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", **options)
        except (urllib3.exceptions.HTTPError, ValueError):
            raise InvalidScenario("HTTPS_PROXY: want an address like http://proxy.example.com:3128") from None


def _proxy_of(host: str) -> str | None:
    """The proxy that HTTPS_PROXY and NO_PROXY, or the system's settings, name for a host."""
    from urllib import request

    if is_loopback(host) or request.proxy_bypass(host):
        return None
    named = request.getproxies()
    proxy = named.get("https") or named.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _trusted() -> ssl.SSLContext:
    """Certificates are checked, against the system's store or, where it is empty, the one the SDK brings."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        import certifi

        context.load_verify_locations(certifi.where())
    return context
