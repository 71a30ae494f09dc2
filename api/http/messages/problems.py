"""How errors leave the service: always as problem+json, never as a traceback."""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.checks import pointer, shown
from api.errors import (
    PROBLEM_JSON,
    UNEXPECTED,
    Busy,
    InvalidBody,
    NoAnswer,
    NotReady,
    Problem,
    Stopping,
    problem,
    problem_of,
)
from engine.errors import RoutingError
from engine.texts import safe_json, visible

log = logging.getLogger("routelab.api")
# Answers belong to whoever asked, and are what their Content-Type says.
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)


def install(app: FastAPI) -> None:
    """Let every error of an application leave as problem+json."""
    app.add_exception_handler(RoutingError, _known)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(RequestValidationError, _parameter)
    app.add_middleware(Guard)


class Guard:
    """The outermost layer: adds headers, and catches what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, bare = False, scope["method"] == "HEAD"
        if bare:
            # Answered as GET is, up to the body. Changed in place: the layers share what they learn of a request.
            scope["method"] = "GET"

        async def send_on(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message["headers"], *HEADERS]
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            # Nobody is there to be answered; what it asked for is stopped.
            log.warning("%s: the client left before it was answered", instance(scope["path"]))
        except Exception:
            number = uuid.uuid4().hex
            log.exception("%s: unexpected error %s", instance(scope["path"]), number)
            if begun:
                raise
            await _unexpected(scope, number)(scope, receive, send_on)


def _unexpected(scope: Scope, number: str) -> Response:
    status, title = UNEXPECTED
    detail = f"something went wrong inside the service; its log tells more under id {number}"
    return _response(problem(status, title, detail, instance(scope["path"]), id=number))


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, RoutingError)
    content = problem_of(error, instance(request.scope["path"]))
    if content["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s: %s", content["instance"], content["detail"])
    service = getattr(request.app.state, "service", None)
    told = content if service is None else _without_places(content, service.snapshots.store)
    return _response(told, retry_after(error))


def _without_places(content: dict[str, Any], store: Path) -> dict[str, Any]:
    """A problem that does not tell where on this machine the store lies; the log does."""
    for folder in (str(store), str(store.resolve())):
        content["detail"] = _without(content["detail"], folder)
        for found in content.get("problems", ()):
            found.update({name: _without(text, folder) for name, text in found.items()})
    return content


def _without(text: str, folder: str) -> str:
    return text.replace(f"{folder}/", "").replace(folder, "the store")


async def _plain(request: Request, error: Exception) -> Response:
    """What the framework refuses: paths and methods that are not there."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Files say nothing of theirs: they are read.
        allowed = headers.get("Allow", "GET")
        headers["Allow"] = "GET, HEAD" if allowed == "GET" else allowed
        if request.method == "OPTIONS":
            headers["Allow"] += ", OPTIONS"
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    detail = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = "there is nothing at this path; /docs lists what there is"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{visible(request.method)} is not offered here; use {headers['Allow']}"
    title = HTTPStatus(error.status_code).phrase
    content = problem(error.status_code, title, detail, instance(request.scope["path"]), kind="about:blank")
    return _response(content, headers)


async def _parameter(request: Request, error: Exception) -> Response:
    """Parameters of the path that the framework itself checks."""
    assert isinstance(error, RequestValidationError)
    found = [Problem(pointer(*e["loc"]), f"found {shown(e['input'])}", e["msg"]) for e in error.errors()]
    return await _known(request, InvalidBody(*found))


def instance(path: str) -> str:
    """The path of a request as a problem names it."""
    return quote(path[:200], safe="/:@!$&'()*+,;=-._~", errors="replace")


def retry_after(error: RoutingError) -> dict[str, str]:
    """When to ask again, where that may help."""
    return {"Retry-After": "1"} if isinstance(error, Busy | NotReady | NoAnswer | Stopping) else {}


def _response(content: dict[str, object], headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(content), status_code=int(str(content["status"])), media_type=PROBLEM_JSON, headers=headers)


def encoded(content: dict[str, object]) -> bytes:
    """A problem as JSON; what is wrong may well be a character that a terminal would obey."""
    return safe_json(orjson.dumps(content).decode()).encode()
