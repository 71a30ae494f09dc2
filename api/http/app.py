"""The HTTP service: an application made from settings, and running it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version

import click
import uvicorn
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api.errors import InvalidSettings
from api.http.messages.problems import install
from api.http.routes import STATIC, router
from api.http.service import Service
from api.http.serving.metrics import Meter
from api.settings import Settings

MOST_CONNECTIONS = 256


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
    listening = _listen(settings)
    address = _address(listening)
    click.echo(f"routelab serves {settings.store} at {address} (documentation: {address}/docs; stop with Ctrl+C)")
    # A service may well stand before its first snapshot; a slip of the pen looks just the same.
    if not settings.store.is_dir():
        click.echo(f"warning: {settings.store} is not there yet, so there is no snapshot to answer from", err=True)
    if not _is_loopback(listening):
        click.echo("warning: others on the network can reach this address, and nobody is asked for a key", err=True)
    # Connections beyond the limit are answered 503 at once, so that half-sent bodies cannot pile up.
    config = uvicorn.Config(
        create_app(settings), log_level="warning", server_header=False, limit_concurrency=MOST_CONNECTIONS
    )
    # Ctrl+C is how it is meant to end.
    with listening, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


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
        listening.listen()
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
