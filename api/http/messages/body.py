"""The body of a request: read within a limit, and taken as JSON with nothing left to guess."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NoReturn

from starlette.requests import Request

from api.errors import BodyTooLarge, TooSlow, UnreadableBody, WrongMediaType

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MIB = 1024 * 1024
# Even a full body of 64 MiB arrives sooner over 20 Mbit/s.
LONGEST_S = 30.0


async def read_body(request: Request, most_bytes: int, longest_s: float = LONGEST_S) -> bytes:
    """The whole body of a request, counted as it arrives; refused where too large or slow, or no JSON in UTF-8."""
    _check_media_type(request)
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most_bytes:
        raise _too_large(most_bytes)
    try:
        async with asyncio.timeout(longest_s):
            return await _take(request, most_bytes)
    except TimeoutError as error:
        raise TooSlow(
            f"the body did not arrive within {longest_s:g} s; send it faster, or fewer interactions at a time"
        ) from error


async def _take(request: Request, most_bytes: int) -> bytes:
    chunks, n_bytes = [], 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


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


def _too_large(most_bytes: int) -> BodyTooLarge:
    size = f"{most_bytes / _MIB:g} MiB" if most_bytes >= _MIB else f"{most_bytes} bytes"
    return BodyTooLarge(
        f"the body has more than {size}; send fewer interactions at a time, or import them as a snapshot "
        "with 'routelab snapshot files' and name it (setting max_body_bytes)"
    )


def parse_json(body: bytes) -> Any:
    """Read JSON strictly: no NaN, no infinity, no repeated name, no broken character.

    Examples
    --------
    >>> parse_json(b'{"top": 3}')
    {'top': 3}
    """
    if not body.strip():
        raise UnreadableBody("the body is empty; send a JSON object, see /docs for examples")
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
        if _SURROGATE.search(text):
            # Half a character, as \ud800 alone, can be neither written nor compared.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableBody(f"byte {error.start} of the body is not UTF-8; save or send it as UTF-8") from error
    except UnicodeEncodeError as error:
        raise UnreadableBody("a text holds half of a surrogate pair; write the whole character") from error
    except RecursionError as error:
        raise UnreadableBody("the body is nested too deeply; see /docs for its shape") from error
    except json.JSONDecodeError as error:
        raise UnreadableBody(f"{error.msg} at line {error.lineno}, column {error.colno}; put the JSON right") from error
    except ValueError as error:
        # A whole number of thousands of digits is the only other value Python refuses to read.
        raise UnreadableBody("a number has thousands of digits; write a plain number") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableBody(f"{twice[:60]!r} stands twice in one object; keep one")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableBody(f"{name} is not JSON; write a plain number, or null")
