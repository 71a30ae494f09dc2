"""The head of a request: read strictly, since what can be read in two ways lets one request hide in another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from api.errors import AddressTooLong, ExpectationFailed, HeadTooLarge, MalformedRequest, UnknownMethod, WrongVersion

END = b"\r\n\r\n"
MOST_HEAD_BYTES = 32 * 1024
MOST_TARGET_BYTES = 8 * 1024
MOST_FIELDS = 100

METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE"}
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb"{1,40}) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
# Values are trimmed afterwards: a pattern that did so would go over a long run of spaces again and again.
_FIELD = re.compile(rb"(" + _TOKEN + rb"+):([^\x00-\x08\x0a-\x1f\x7f]*)")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(/?[^#]*)", re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_METHOD_SO_FAR = re.compile(rb"" + _TOKEN + rb"{0,40}(?: |$)")


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a request says."""

    method: str
    version: str
    path: str  # Percent-decoded
    raw_path: bytes
    query: bytes
    host: bytes
    headers: list[tuple[bytes, bytes]]  # Names in lower case, as they came
    n_body_bytes: int | None  # None for a chunked body
    keep_alive: bool
    expects_continue: bool


def read_head(raw: bytes) -> Head:
    """The head whose bytes end before the empty line; errors say what was wrong."""
    first, *lines = raw.split(b"\r\n")
    method, target, version = _request_line(first)
    if len(lines) > MOST_FIELDS:
        raise HeadTooLarge(f"the head has {len(lines)} fields; send at most {MOST_FIELDS}")
    headers = [_field(line) for line in lines]
    found: dict[bytes, bytes] = dict(headers)
    if len(found) < len(headers):
        _check_repeated([name for name, _ in headers])
    host, path = _target(method, target, found)
    raw_path, _, query = path.partition(b"?")
    n_body_bytes = _framing(found, version)
    connection = found.get(b"connection", b"").lower()
    return Head(
        method.decode(), version, unquote(raw_path.decode()), raw_path, query, host, headers, n_body_bytes,
        version == "1.1" and b"close" not in connection, _expects_continue(found, version),
    )  # fmt: skip


def check_unfinished(raw: bytes | bytearray, checked: int) -> None:
    """Refuse a head early that cannot become one, or grew too large; bytes before `checked` were looked at before."""
    if not _METHOD_SO_FAR.match(raw):
        raise MalformedRequest("the first line is no request line; send HTTP/1.1 in plain text, not TLS, to this port")
    if _BARE_LF.search(raw, max(0, checked - 1)):
        raise MalformedRequest("a line of the head ends without a carriage return; end lines with CR LF")
    if len(raw) > MOST_HEAD_BYTES:
        raise _too_long() if raw.find(b"\r\n") < 0 else HeadTooLarge(
            f"the head has more than {MOST_HEAD_BYTES} bytes; leave out fields, cookies for example"
        )  # fmt: skip


def _too_long() -> AddressTooLong:
    return AddressTooLong(f"the address has more than {MOST_TARGET_BYTES} bytes; /docs lists what there is")


def _request_line(line: bytes) -> tuple[bytes, bytes, str]:
    found = _REQUEST_LINE.fullmatch(line)
    if not found:
        raise MalformedRequest(f"the first line is {_shown(line)}; it must read as 'GET /healthz HTTP/1.1'")
    method, target, major, minor = found.groups()
    if major != b"1" or minor not in b"01":
        raise WrongVersion(f"the request speaks HTTP/{major.decode()}.{minor.decode()}; use HTTP/1.1")
    if method not in METHODS:
        raise UnknownMethod(f"the method is {_shown(method)}; /docs lists paths with their methods")
    if len(target) > MOST_TARGET_BYTES:
        raise _too_long()
    return method, target, f"1.{minor.decode()}"


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if not found:
        raise MalformedRequest(f"a field of the head is {_shown(line)}; write 'Name: value' on one line")
    return found[1].lower(), found[2].strip(b" \t")


def _check_repeated(names: list[bytes]) -> None:
    for name in (b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"expect"):
        if names.count(name) > 1:
            raise MalformedRequest(f"the field {name.decode()} stands more than once in the head; send one")


def _target(method: bytes, target: bytes, found: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """Host and path; the address may be whole, as proxies are asked."""
    host = found.get(b"host")
    if host is None:
        raise MalformedRequest("the field Host is missing; send the name and port under which the service is reached")
    if target.startswith(b"/") or (method, target) == (b"OPTIONS", b"*"):
        return host, target
    whole = _ABSOLUTE.fullmatch(target)
    if not whole:
        raise MalformedRequest(f"the address is {_shown(target)}; it must begin with a slash")
    if whole[1].lower() != host.lower():
        raise MalformedRequest("the address and the field Host name two different hosts; send the same in both")
    return host, whole[2] if whole[2].startswith(b"/") else b"/" + whole[2]


def _framing(found: dict[bytes, bytes], version: str) -> int | None:
    """Bytes of the body, or None where it is chunked."""
    coding, length = found.get(b"transfer-encoding"), found.get(b"content-length")
    if coding is None:
        return 0 if length is None else _length(length)
    if length is not None:
        raise MalformedRequest("the head has both Content-Length and Transfer-Encoding; send one of them")
    if version == "1.0":
        raise MalformedRequest("HTTP/1.0 has no Transfer-Encoding; send Content-Length, or use HTTP/1.1")
    if coding.lower() != b"chunked":
        raise UnknownMethod(f"the field Transfer-Encoding is {_shown(coding)}; use chunked, or Content-Length")
    return None


def _length(text: bytes) -> int:
    if not (text.isdigit() and len(text) <= 19):
        raise MalformedRequest(f"the field Content-Length is {_shown(text)}; write the number of bytes of the body")
    return int(text)


def _expects_continue(found: dict[bytes, bytes], version: str) -> bool:
    expected = found.get(b"expect")
    if expected is None or version == "1.0":
        return False
    if expected.lower() != b"100-continue":
        raise ExpectationFailed(f"the field Expect is {_shown(expected)}; leave it out, or use 100-continue")
    return True


def _shown(text: bytes) -> str:
    """A few bytes of a stranger in plain characters."""
    return ascii(text[:60].decode("latin-1")) + ("..." if len(text) > 60 else "")
