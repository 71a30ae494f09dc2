"""One request as the SDK hands it over, one answer as the SDK expects it, and our errors in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from ingest.platform.credentials import Secrets
from ingest.platform.errors import LOGIN, PlatformUnavailable, refusal, unreachable
from ingest.platform.limiter import Limiter
from ingest.platform.network import Network
from ingest.platform.retry import asked_wait_s

if TYPE_CHECKING:
    import urllib3


@dataclass
class Answer:
    """What the SDK looks at in an answer; the bytes go another way.

    Parameters
    ----------
    status : int
        The HTTP status.
    headers : Mapping[str, str]
        Headers, in a mapping that ignores case.
    data : str
        The body of an answer to a login, which the SDK reads itself.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: str = field(default="", repr=False)

    def getheaders(self) -> Mapping[str, str]:
        """Give the headers, under the name the SDK asks by.

        Returns
        -------
        Mapping[str, str]
            Headers of the answer.
        """
        return self.headers


class Wire:
    """What the SDK client of one thread sends through; stands in for its AbstractHttpClient.

    Parameters
    ----------
    network : Network
        The connections, shared by all threads.
    limiter : Limiter
        Is told what answers say about the allowance.
    hidden : Secrets
        Should an answer repeat one, messages do not.
    """

    def __init__(self, network: Network, limiter: Limiter, hidden: Secrets) -> None:
        self._network = network
        self._limiter = limiter
        self._hidden = hidden
        self._asked = ""
        self._raw = b""

    def about(self, asked: str) -> None:
        """Name what is going to be asked, for messages.

        Parameters
        ----------
        asked : str
            Method and path template.
        """
        self._asked, self._raw = asked, b""

    def take(self) -> bytes:
        """Give the bytes of the last answer, once.

        Returns
        -------
        bytes
            The body; empty if there was none.
        """
        raw, self._raw = self._raw, b""
        return raw

    def request(self, options: Any) -> Answer:
        """Send one request; called by the SDK.

        Parameters
        ----------
        options : HttpRequestOptions
            Method, address, headers and body.

        Returns
        -------
        Answer
            If it is a success.

        Raises
        ------
        PlatformError
            Whatever else comes of it.
        """
        login = self._asked == LOGIN
        body = urlencode(options.post_params).encode() if login else _encoded(options.body)
        url = f"{options.url}?{urlencode(options.query_params)}" if options.query_params else options.url
        answer = self._send(options.method, url, dict(options.headers), body)
        self._limiter.learn(answer.headers)
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        if login:
            return Answer(answer.status, answer.headers, answer.data.decode("utf-8", "replace"))
        self._raw = answer.data
        return Answer(answer.status, answer.headers)

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            return self._network.send(method, url, headers, body)
        except urllib3.exceptions.HTTPError as error:
            host = urlsplit(url).hostname or ""
            trouble = unreachable(self._asked, host, error, met=host in self._network.met)
        # Outside the except clause: the cause quotes addresses, and tracebacks would show it.
        raise trouble

    def _refusal(self, answer: urllib3.BaseHTTPResponse) -> Exception:
        error = refusal(answer.status, self._asked, answer.headers, answer.data, hidden=self._hidden)
        if isinstance(error, PlatformUnavailable):
            error.retry_after_s = asked_wait_s(answer.status, answer.headers)
        return error


def _encoded(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body, allow_nan=False).encode()
