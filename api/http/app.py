"""The HTTP service: an application made from settings, and running it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.errors import InvalidSettings
from api.http.connections.hosts import Hosts
from api.http.connections.limits import Limits, connections_of, descriptors
from api.http.connections.server import Server, serve_until_stopped
from api.http.messages.problems import install
from api.http.routes import STATIC, router
from api.http.service import Service
from api.http.serving.metrics import Meter
from api.printing import announce, tell
from api.settings import Settings

# Connections that wait to be taken, as many as the system lets wait. [count]
BACKLOG = 4096
# Bodies on their way, all together, in full ones.
BODIES = 4


def create_app(settings: Settings) -> FastAPI:
    """An application of its own; several can live side by side."""
    app = FastAPI(
        title="routelab", version=_version(), docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False, lifespan=_lifespan,
    )  # fmt: skip
    app.state.service = service = Service(settings, app)
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    install(app)
    app.add_middleware(Meter, metrics=service.metrics)
    return app


def serve(settings: Settings) -> None:
    """Answer requests until stopped.

    Parameters
    ----------
    settings : Settings
        Where to listen, and everything else.

    Raises
    ------
    InvalidSettings
        If the address cannot be listened on.
    """
    # Said before an address is taken that nobody could then be served under.
    hosts = hosts_of(settings)
    limits = Limits(connections=connections_of(descriptors()), bodies_bytes=BODIES * settings.max_body_bytes)
    server = server_of(create_app(settings), hosts, limits)
    # Whoever reads the address may stop the service from then on.
    with _listen(settings) as listening, server.capture_signals():
        _announce(settings, listening)
        serve_until_stopped(server, listening)


def _announce(settings: Settings, listening: socket.socket) -> None:
    address = _address(listening)
    announce(f"routelab serves {settings.store} at {address} (documentation: {address}/docs; stop with Ctrl+C)")
    # A service may well stand before its first snapshot; a slip of the pen looks just the same.
    if not settings.store.is_dir():
        tell(f"warning: {settings.store} is not there yet, so there is no snapshot to answer from")
    if not _is_loopback(listening):
        tell("warning: others on the network can reach this address, and nobody is asked for a key")


def server_of(app: FastAPI, hosts: Hosts, limits: Limits) -> Server:
    """A server that tells of health itself, and counts what it refuses beside what the application answers."""
    return Server(app, hosts, limits, app.state.service.metrics.requested)


def hosts_of(settings: Settings) -> Hosts:
    """The names under which clients may address a service."""
    return Hosts([settings.host, *filter(None, map(str.strip, settings.allowed_hosts.split(",")))])


def _listen(settings: Settings) -> socket.socket:
    where = f"{settings.host}, port {settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # The protocol must be named: asyncio sends small answers at once only on sockets it knows to be TCP.
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise InvalidSettings(f"cannot listen on {where} ({error}); choose another --host") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # From here on connections wait instead of being refused, so the address can be told already.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise InvalidSettings(f"cannot listen on {where} ({error}); choose another --host or --port") from error
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(listening: socket.socket) -> bool:
    return ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    warming = asyncio.create_task(app.state.service.warm())
    yield
    warming.cancel()
    app.state.service.close()


def _version() -> str:
    try:
        return version("routelab")
    except PackageNotFoundError:
        return "not installed"
