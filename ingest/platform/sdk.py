"""The SDK of the platform: loaded quietly, and given a wire of ours to send through.

It makes addresses, headers and the token request. Its models are not used, as they lose data.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from engine.errors import MissingInput
from ingest.platform.credentials import Secrets
from ingest.platform.errors import LOGIN, PlatformUnavailable, refusal, unreachable
from ingest.platform.limiter import Limiter
from ingest.platform.network import Network
from ingest.platform.retry import asked_wait_s

if TYPE_CHECKING:
    import urllib3

_SDK = "PureCloudPlatformClientV2"
_NEEDED = (_SDK, "tenacity", "urllib3")
_LOADING = threading.Lock()


@dataclass
class Answer:
    """What the SDK looks at in an answer; the bytes go another way."""

    status: int  # The HTTP status
    headers: Mapping[str, str] = field(repr=False)  # Headers, in a mapping that ignores case
    data: str = field(default="", repr=False)  # The body of an answer to a login, which the SDK reads itself

    def getheaders(self) -> Mapping[str, str]:
        """Give the headers, under the name the SDK asks by."""
        return self.headers


class Wire:
    """What the SDK client of one thread sends through; stands in for its AbstractHttpClient."""

    def __init__(self, network: Network, limiter: Limiter, hidden: Secrets) -> None:
        self._network = network
        self._limiter = limiter
        self._hidden = hidden
        self._asked = ""
        self._raw = b""

    def about(self, asked: str) -> None:
        """Name what is going to be asked, for messages."""
        self._asked, self._raw = asked, b""

    def take(self) -> bytes:
        """Give the bytes of the last answer, once."""
        raw, self._raw = self._raw, b""
        return raw

    def request(self, options: Any) -> Answer:
        """Send one request; called by the SDK."""
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


class _Silent:
    """In the place of the SDK's logger, which may be told to write down bodies."""

    def trace(self, *_: object) -> None:
        """Say nothing."""

    debug = error = trace


def check_installed() -> None:
    """Refuse with the command that installs what is missing (`MissingInput`)."""
    missing = [name for name in _NEEDED if name not in sys.modules and importlib.util.find_spec(name) is None]
    if missing:
        raise MissingInput(
            f"reading Genesys Cloud needs {', '.join(missing)}, not installed: pip install 'routelab[genesys]', or "
            "python3 run.py cli ..., which installs it"
        )


@dataclass(frozen=True)
class Sdk:
    """What we use of the SDK."""

    client: Any  # Class of clients
    configuration: Any  # The one configuration of all clients
    http_client: Any  # What a client must be given to send through


def load_sdk() -> Sdk:
    """Load the SDK and make it quiet; the first request does so, unless somebody did before.

    Returns
    -------
    Sdk
        Always the same.
    """
    with _LOADING:
        with _loggers_kept("urllib3", "watchdog"):
            sdk = _theirs() if _SDK in sys.modules else _ours()
        sdk.configuration.logger.log_to_console = False
        sdk.configuration.logger = _Silent()
        return sdk


def api_of(base_url: str, wire: Wire) -> Any:
    """The SDK's client for one thread, sending through our wire to this host and no other."""
    sdk = load_sdk()
    api = sdk.client(host=base_url)
    # A gateway, should the SDK have learnt of one, would beat the host.
    api.gateway_configuration = None
    sdk.http_client.register(Wire)
    api.set_http_client(wire)
    return api


def _theirs() -> Sdk:
    """The SDK that somebody else has loaded already."""
    import PureCloudPlatformClientV2 as sdk  # noqa: N813 - a package, whatever its name looks like

    return Sdk(sdk.ApiClient, sdk.configuration, sys.modules[f"{_SDK}.abstract_http_client"].AbstractHttpClient)


@cache
def _ours() -> Sdk:
    """The SDK without its thousands of models, whose import takes two seconds and which we do not use.

    Nobody else would find the whole of it so, and it is taken out of the list of modules again.
    """
    spec = importlib.util.find_spec(_SDK)
    assert spec is not None  # looked for when the client was made
    package = sys.modules[_SDK] = importlib.util.module_from_spec(spec)
    vars(package)["models"] = sys.modules[f"{_SDK}.models"] = ModuleType(f"{_SDK}.models")
    try:
        with tempfile.TemporaryDirectory() as home:
            _configured(home)
            used = importlib.import_module(f"{_SDK}.api_client")
            return Sdk(used.ApiClient, used.Configuration(), used.AbstractHttpClient)
    finally:
        for name in [name for name in sys.modules if name == _SDK or name.startswith(f"{_SDK}.")]:
            del sys.modules[name]


def _configured(home: str) -> None:
    """Let the SDK find our configuration file instead of the user's, which could redirect it.

    It looks in the home folder while it is imported, and watches the file with threads of its own unless the file
    says otherwise. Loading its one module early lets us answer where home is, without touching the environment.
    """
    file = Path(home) / ".genesyscloudpython" / "config"
    file.parent.mkdir()
    file.write_text("[general]\nlive_reload_config = false\n", encoding="utf-8")
    vars(importlib.import_module(f"{_SDK}.configuration"))["expanduser"] = lambda _path: home


@contextmanager
def _loggers_kept(*names: str) -> Iterator[None]:
    """Undo what an import does to the loggers of others."""
    loggers = [logging.getLogger(name) for name in names]
    before = [(each.level, each.propagate) for each in loggers]
    try:
        yield
    finally:
        for each, (level, propagate) in zip(loggers, before, strict=True):
            each.setLevel(level)
            each.propagate = propagate
