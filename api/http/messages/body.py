"""The body of a request, read within a limit of size and time."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request

from api.errors import BodyTooLarge, TooSlow, WrongMediaType

_KIB, _MIB = 1024, 1024 * 1024
_UNITS = ((_MIB, "MiB"), (_KIB, "KiB"))
# Even a full body of 64 MiB arrives sooner over 20 Mbit/s.
LONGEST_S = 30.0
# Seven plain fields and some lists of names, every character written as an escape.
MOST_ROUTING_BYTES = 512 * _KIB
FEWER_ROWS = (
    "send fewer interactions at a time, or import them as a snapshot with 'routelab snapshot files' and name it "
    "(setting max_body_bytes)"
)
FEWER_FIELDS = "a routing request has a few plain fields, see /docs"


async def read_body(
    request: Request, most_bytes: int, longest_s: float = LONGEST_S, remedy: str = FEWER_ROWS
) -> bytearray:
    """The whole body of a request, counted as it arrives; refused where too large or slow, or no JSON in UTF-8."""
    _check_media_type(request)
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most_bytes:
        raise _too_large(most_bytes, remedy)
    try:
        async with asyncio.timeout(longest_s):
            return await _take(request, most_bytes, remedy)
    except TimeoutError as error:
        raise TooSlow(
            f"the body did not arrive within {longest_s:g} s; send it faster, or fewer interactions at a time"
        ) from error


async def _take(request: Request, most_bytes: int, remedy: str) -> bytearray:
    # One buffer that grows: chunks may be a byte each, and joining them would need the memory twice.
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > most_bytes:
            raise _too_large(most_bytes, remedy)
        body += chunk
    return body


def _check_media_type(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json":
        raise WrongMediaType(
            f"the header Content-Type is {kind.strip()[:60] or 'missing'!r}; send -H 'Content-Type: application/json'"
        )
    charset = re.search(r'charset\s*=\s*"?([^";\s]*)', parameters)
    if charset and charset[1] not in {"utf-8", "utf8", "us-ascii"}:
        raise WrongMediaType(f"the body is declared as {charset[1][:40]!r}; JSON is sent in UTF-8")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise WrongMediaType(f"the header Content-Encoding is {coding[:40]!r}; send the body as it is")


def _too_large(most_bytes: int, remedy: str) -> BodyTooLarge:
    size = next(
        (f"{most_bytes // unit} {name}" for unit, name in _UNITS if most_bytes % unit == 0), f"{most_bytes} bytes"
    )
    return BodyTooLarge(f"the body has more than {size}; {remedy}")
