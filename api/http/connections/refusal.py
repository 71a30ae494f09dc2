"""Answers that the application never sees the request of, in the one shape of all that fail."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from api.errors import PROBLEM_JSON, problem_of
from api.http.messages.problems import HEADERS, encoded, instance, retry_after
from engine.errors import RoutingError

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


def refusal(
    error: RoutingError, path: str = "", *, fields: Iterable[tuple[bytes, bytes]] = (), bare: bool = False
) -> bytes:
    """A whole answer, the last of its connection; bare for HEAD, to which only the head is sent."""
    content = problem_of(error, instance(path))
    body = encoded(content)
    every = [
        *fields,
        *HEADERS,
        *((name.lower().encode(), value.encode()) for name, value in retry_after(error).items()),
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    head = STATUS_LINES[content["status"]] + b"".join(b"%b: %b\r\n" % field for field in every) + b"\r\n"
    return head if bare else head + body
