"""Health, told by the connection itself: with no task and no thread, so that it is told however busy the rest is."""

from __future__ import annotations

from collections.abc import Iterable

from api.http.connections.head import Head
from api.http.connections.refusal import STATUS_LINES
from api.http.messages.problems import HEADERS

PATH, BODY = "/healthz", b'{"status":"up"}'
_FIELDS = (*HEADERS, (b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode()))
_LINES = b"".join(b"%b: %b\r\n" % field for field in _FIELDS)


def is_asked(head: Head) -> bool:
    """Whether a request asks for health, and for nothing else."""
    return head.path == PATH and head.n_body_bytes == 0 and head.method in {"GET", "HEAD"}


def answer(head: Head, fields: Iterable[tuple[bytes, bytes]], *, last: bool) -> bytes:
    """The whole answer, the same as the application gives."""
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    end = b"connection: close\r\n\r\n" if last else b"\r\n"
    return STATUS_LINES[200] + lines + _LINES + end + (b"" if head.method == "HEAD" else BODY)
