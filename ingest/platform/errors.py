"""What can go wrong between us and the platform, told in one line each.

Few classes, by what the caller can do: wait (``PlatformUnavailable``), ask an administrator (``AccessRefused``),
ask differently (``RequestRefused``), ask again (``JobFailed``). A message holds the status, the path as a template
and the platform's correlation id; never a secret, a token, a header or what was asked for.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from engine.errors import RoutingError

#: The request that credentials are exchanged for a token with.
LOGIN = "POST /oauth/token"
#: Answers after which the same request may succeed a little later.
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

_CORRELATION = "ININ-Correlation-Id"
_LONGEST_TEXT = 200
_PERMISSION = re.compile(r"\b[A-Za-z]\w*:(?:\w+|\*):(?:\w+|\*)")


class PlatformError(RoutingError):
    """Genesys Cloud did not give what was asked for.

    Parameters
    ----------
    message : str
        One line: what was asked, what came back, the way out.
    status : int, optional
        The HTTP status, if there was an answer.
    correlation_id : str, optional
        The platform's name for this request; its support asks for it.
    """

    def __init__(self, message: str, *, status: int | None = None, correlation_id: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.correlation_id = correlation_id


class PlatformUnavailable(PlatformError):
    """No usable answer: network, rate limit, a failure over there, or an answer that cannot be read.

    Parameters
    ----------
    message : str
        One line: what was asked, what came back, the way out.
    status : int, optional
        The HTTP status, if there was an answer.
    correlation_id : str, optional
        The platform's name for this request.
    retry_after_s : float, optional
        How long the platform asks us to wait. [s]
    sent : bool
        Whether the platform may have received the request and acted on it.
    hopeless : bool
        Whether asking again is pointless, as with a certificate that is not trusted.
    lost_submit : bool
        Whether a job may have been created whose id we never learned.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        correlation_id: str | None = None,
        retry_after_s: float | None = None,
        sent: bool = True,
        hopeless: bool = False,
        lost_submit: bool = False,
    ) -> None:
        super().__init__(message, status=status, correlation_id=correlation_id)
        self.retry_after_s = retry_after_s
        self.sent = sent
        self.hopeless = hopeless
        self.lost_submit = lost_submit


class AccessRefused(PlatformError):
    """The credentials are not accepted, or their role lacks a permission.

    Parameters
    ----------
    message : str
        One line: what was asked, what came back, the way out.
    status : int, optional
        The HTTP status.
    correlation_id : str, optional
        The platform's name for this request.
    permission : str, optional
        The missing permission, or several joined by ``" or "`` or ``" and "``.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        correlation_id: str | None = None,
        permission: str | None = None,
    ) -> None:
        super().__init__(message, status=status, correlation_id=correlation_id)
        self.permission = permission


class RequestRefused(PlatformError):
    """The platform understood the request and will not do it, now or later."""


class JobFailed(PlatformError):
    """An asynchronous job did not come to a readable end, however often it was submitted."""


def refusal(
    status: int, asked: str, headers: Mapping[str, str], body: bytes | str, *, hidden: Collection[str] = ()
) -> PlatformError:
    """Make the error for an answer other than success; what is hidden is not shown should the answer repeat it.

    Examples
    --------
    >>> error = refusal(404, "GET /api/v2/users/{userId}", {}, '{"code": "not.found"}')
    >>> type(error).__name__, error.status
    ('RequestRefused', 404)
    """
    said = _read(body, hidden)
    correlation_id = one_line(headers.get(_CORRELATION) or said.get("contextId"), 64) or None
    found = f"{asked}: Genesys Cloud answered {_told(status, said, correlation_id)}"
    about: dict[str, Any] = {"status": status, "correlation_id": correlation_id}
    if status == 401 or (asked == LOGIN and status in (400, 403)):
        return AccessRefused(f"{found}; {CHECK_CREDENTIALS}", **about)
    if status == 403:
        permission = _permission(said)
        return AccessRefused(f"{found}; {_grant(permission)}", permission=permission, **about)
    if status == 429:
        return PlatformUnavailable(f"{found}; the limit on requests a minute is used up, wait and run again", **about)
    if status in TRANSIENT or status >= 500:
        text = f"{found}; wait and run again, and see the platform's status page if it lasts"
        return PlatformUnavailable(text, hopeless=status not in TRANSIENT, **about)
    return RequestRefused(f"{found}; {_remedy(status)}", **about)


def unreachable(asked: str, host: str, error: Exception, *, met: bool) -> PlatformUnavailable:
    """Make the error that stands for a request without an answer.

    Only the kind of `error` is told, as its text quotes addresses and values. A host never met is a slip of the
    pen, not a bad moment, so asking again makes no sense.
    """
    kind, finding, remedy = _trouble(error)
    return PlatformUnavailable(
        f"{asked}: {finding.format(host=host)}; {remedy}",
        sent=kind == "answer",
        hopeless=kind == "trust" or (kind == "name" and not met),
    )


def _trouble(error: Exception) -> tuple[str, str, str]:
    """Kind, finding and remedy of a failed exchange; kind ``answer`` means that the request was on its way."""
    from urllib3 import exceptions as u

    causes = list(_causes(error))
    if any(isinstance(c, ssl.SSLCertVerificationError) for c in causes):
        return "trust", "the certificate of {host} is not trusted", _TRUST
    if any(isinstance(c, u.ProxyError) or "Tunnel connection failed" in str(c) for c in causes):
        return "proxy", "the proxy does not let us through to {host}", "check HTTPS_PROXY and NO_PROXY"
    if isinstance(error, u.SSLError):
        return "answer", "no secure connection with {host}", "check GENESYS_BASE_URL, HTTPS_PROXY and firewalls"
    if isinstance(error, u.NameResolutionError):
        return "name", "the host {host} is not known", "check GENESYS_REGION or GENESYS_BASE_URL, DNS and HTTPS_PROXY"
    if isinstance(error, u.NewConnectionError | u.ConnectTimeoutError):
        return "connection", "no connection to {host}", "check the address, the network, HTTPS_PROXY and firewalls"
    if isinstance(error, u.ReadTimeoutError):
        return "answer", "{host} did not answer in time", "run again; if it lasts, allow more time or ask for less"
    return "answer", "the connection to {host} broke off", "run again; if it lasts, look at proxies and firewalls"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those it was made of, as ``urllib3`` wraps them as arguments or as causes."""
    for _ in range(8):
        if error is None:
            return
        yield error
        inner = [a for a in error.args if isinstance(a, BaseException)]
        error = inner[0] if inner else error.__cause__ or error.__context__


_TRUST = "if a proxy of your company inspects traffic, name its certificate in SSL_CERT_FILE"

#: The way out of a refused login.
CHECK_CREDENTIALS = (
    "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, and that GENESYS_REGION or GENESYS_BASE_URL is the "
    "organisation's own region"
)


def one_line(text: object, longest: int = _LONGEST_TEXT) -> str:
    """Make foreign text fit to be shown: printable, on one line, short; anything but a string or a number is nothing.

    Examples
    --------
    >>> one_line("no\\x1b[31m such\\nqueue")
    'no [31m such queue'
    """
    if not isinstance(text, str | int | float):
        return ""
    # Cut before cleaning: a body may be megabytes long.
    shown = str(text)[: 4 * longest]
    clean = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return clean if len(clean) <= longest else clean[: longest - 3] + "..."


def _read(body: bytes | str, hidden: Collection[str]) -> dict[str, Any]:
    """The fields of an error body; none if it is not JSON, as from a proxy on the way."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {key: _without(text, hidden) for key, text in said.items()} if isinstance(said, dict) else {}


def _without(text: Any, hidden: Collection[str]) -> Any:
    if isinstance(text, str):
        for secret in list(hidden):
            text = text.replace(secret, "***")
    return text


def _told(status: int, said: Mapping[str, Any], correlation_id: str | None) -> str:
    code = one_line(said.get("code") or said.get("error"), 80)
    message = one_line(said.get("message") or said.get("error_description") or said.get("description"))
    words = " ".join(filter(None, (str(status), code)))
    told = f"{words} ({message})" if message else words
    return f"{told}, correlation id {correlation_id}" if correlation_id else told


def _permission(said: Mapping[str, Any]) -> str | None:
    """The permissions named in the body, where the platform puts them first."""
    for text in (said.get("messageParams"), said.get("message"), said.get("details")):
        names = list(dict.fromkeys(_PERMISSION.findall(json.dumps(text)[:4000])))
        if names:
            return (" or " if said.get("code") == "missing.any.permissions" else " and ").join(names[:10])
    return None


def _grant(permission: str | None) -> str:
    role = "the role of the OAuth client, in all divisions to be read"
    return f"add {permission} to {role}" if permission else f"a permission is missing: look at {role}"


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "redirections are not followed; check GENESYS_BASE_URL and proxies on the way"
    return {
        400: "the request does not suit the platform; check interval, ids and settings",
        404: "it does not exist or is in a division that the OAuth client cannot see; check the id and the role",
        410: "it was there and is gone; ask for it anew",
        413: "the request is too large; use shorter intervals or fewer ids at a time",
    }.get(status, "check interval, ids and settings of this request")
