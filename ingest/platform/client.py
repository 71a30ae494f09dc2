"""The platform's own SDK behind four methods: the one place that sends anything to Genesys Cloud.

What the SDK lacks is here: a retry policy, one token for all threads and its renewal, one allowance and one breaker,
and silence about secrets. An answer is the JSON object as it came.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ingest.platform.breaker import Breaker
from ingest.platform.credentials import Credentials, Secrets
from ingest.platform.errors import LOGIN, AccessRefused, PlatformUnavailable, RequestRefused
from ingest.platform.limiter import Limiter
from ingest.platform.network import Network, Timeouts
from ingest.platform.retry import Patience, patiently
from ingest.platform.sdk import Wire, api_of, check_installed


@dataclass(frozen=True)
class Counts:
    """What reading has cost so far.

    Parameters
    ----------
    requests : int
        Requests sent, those for tokens and repeated ones included. [count]
    retries : int
        Waits after a setback. [count]
    limited_s : float
        Waited for the allowance of requests a minute, summed over threads. [s]
    token_renewals : int
        Tokens fetched after one was refused. [count]
    lost_submits : int
        Submits that may have made a job whose id was never learnt. [count]
    """

    requests: int = 0
    retries: int = 0
    limited_s: float = 0.0
    token_renewals: int = 0
    lost_submits: int = 0


class Counters:
    """The counts of a client, kept by all its threads.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.add(requests=2)
    >>> counters.counted().requests
    2
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()

    def add(self, **by: float) -> None:
        """Count something."""
        with self._lock:
            before = vars(self._counts)
            self._counts = Counts(**{**before, **{name: before[name] + more for name, more in by.items()}})

    def counted(self) -> Counts:
        """The counts of this moment; they do not change any more."""
        return self._counts


T = TypeVar("T")

log = logging.getLogger("routelab.ingest")

_TIMEOUTS = Timeouts()
_PATIENCE = Patience()


class Client:
    """Reads the platform for any number of threads, with one token, one allowance and one breaker.

    Parameters
    ----------
    credentials : Credentials
        Who we are, and where.
    timeouts : Timeouts, optional
        Limits of one request.
    patience : Patience, optional
        How often and how long to ask again.
    limiter : Limiter, optional
        Requests a minute; clients of the same OAuth client should share one.
    breaker : Breaker, optional
        When to leave the platform alone.
    clock : callable, optional
        Seconds that only grow. [s]
    sleep : callable, optional
        Waits so many seconds.
    rng : random.Random, optional
        Draws the waits between attempts.

    Raises
    ------
    MissingInput
        If the packages for reading the platform are not installed.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        timeouts: Timeouts = _TIMEOUTS,
        patience: Patience = _PATIENCE,
        limiter: Limiter | None = None,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        check_installed()
        self.counters = Counters()
        self.limiter = limiter or Limiter(clock=clock, sleep=sleep)
        self.breaker = breaker or Breaker(clock=clock)
        self._credentials = credentials
        self._course: dict[str, Any] = {
            "patience": patience,
            "clock": clock,
            "sleep": sleep,
            "rng": rng or random.Random(),
            "on_wait": self._note_wait,
        }
        self._network = Network(timeouts)
        self._token = _Token()
        self._hidden = Secrets.of(credentials)
        # The SDK's client keeps the token and the last answer to itself, so every thread has one of its own.
        self._mine = threading.local()

    def __repr__(self) -> str:
        return f"Client({self._credentials!r})"

    def get(self, path: str, query: dict[str, Any] | None = None, **path_params: str) -> Any:
        """Read one answer; see `Reader.get`."""
        return self._ask(_Question("GET", path, path_params, query or {}), repeatable=True)

    def query(self, path: str, body: dict[str, Any]) -> Any:
        """Ask with a body; nothing changes over there, so it may be repeated."""
        return self._ask(_Question("POST", path, body=body), repeatable=True)

    def submit(self, path: str, body: dict[str, Any]) -> Any:
        """Have something made over there, at most once; an error has ``lost_submit`` set if it may have been made."""
        try:
            return self._ask(_Question("POST", path, body=body), repeatable=False)
        except PlatformUnavailable as error:
            # After 429 nothing was made; after any other silence the job may exist under an id we never learnt.
            if error.sent and error.status != 429:
                self.counters.add(lost_submits=1)
                error.lost_submit = True
                error.args = (f"{error}; it is not known whether the job was made",)
            raise

    def delete(self, path: str, **path_params: str) -> None:
        """Clean up what was made; what is gone already counts as cleaned up."""
        try:
            self._ask(_Question("DELETE", path, path_params, wants_answer=False), repeatable=True)
        except RequestRefused as error:
            # The platform forgets what is old by itself.
            if error.status not in (404, 410):
                raise

    def counted(self) -> Counts:
        """The counts of this moment; they do not change any more."""
        return self.counters.counted()

    def close(self) -> None:
        """Close all connections and forget the token; a later call opens new ones."""
        self._network.close()
        self._token = _Token()

    def _ask(self, question: _Question, *, repeatable: bool) -> Any:
        question.check()
        return patiently(lambda: self._once(question), repeatable=repeatable, **self._course)

    def _once(self, question: _Question) -> Any:
        """One attempt: the token is renewed once if it is not accepted any more."""
        token = self._token.current(self._login)
        try:
            return self._counted(lambda: self._exchange(question, token))
        except AccessRefused as error:
            if error.status != 401:
                raise
        token = self._token.renewed(token, self._renew)
        return self._counted(lambda: self._exchange(question, token))

    def _counted(self, request: Callable[[], T]) -> T:
        def place() -> None:
            self.counters.add(limited_s=self.limiter.take())

        def sent() -> T:
            self.counters.add(requests=1)
            return request()

        # A place is taken only once the breaker lets us through; who is refused must not use up the allowance.
        return self.breaker.call(sent, first=place)

    def _exchange(self, question: _Question, token: str) -> Any:
        api, wire = self._line()
        api.access_token = token
        wire.about(question.asked)
        api.call_api(
            question.path,
            question.method,
            question.path_params,
            question.plain_query(),
            {"Accept": "application/json", "Accept-Encoding": "gzip", "Content-Type": "application/json"},
            body=question.body,
            response_type=None,  # the SDK's own reading is slow; the bytes are read below
            auth_settings=["PureCloud OAuth"],
        )
        raw = wire.take()
        return _object(raw, question.asked) if question.wants_answer else None

    def _login(self) -> str:
        return self._counted(self._fetch_token)

    def _renew(self) -> str:
        self.counters.add(token_renewals=1)
        return self._login()

    def _fetch_token(self) -> str:
        api, wire = self._line()
        who = self._credentials
        wire.about(LOGIN)
        api.access_token = ""
        try:
            api.get_client_credentials_token(who.client_id, who.client_secret)
        except PlatformUnavailable as error:
            error.sent = False  # what was to be asked with the token has not been sent
            raise
        except (ValueError, KeyError, TypeError, IndexError):
            # Raised below, outside: these errors carry the answer, and with it perhaps a token.
            pass
        token, api.access_token = api.access_token, ""
        # The token becomes a header; a line break in it would begin another one.
        if not isinstance(token, str) or not token or not all("!" <= c <= "~" for c in token):
            raise PlatformUnavailable(f"{LOGIN}: the answer holds no token; {_SOMEBODY_ELSE}", sent=False)
        self._hidden.add(token)
        return token

    def _line(self) -> tuple[Any, Wire]:
        """This thread's own SDK client and what it sends through."""
        if not hasattr(self._mine, "line"):
            wire = Wire(self._network, self.limiter, self._hidden)
            self._mine.line = api_of(self._credentials.base_url, wire), wire
        line: tuple[Any, Wire] = self._mine.line
        return line

    def _note_wait(self, seconds: float, why: PlatformUnavailable) -> None:
        self.counters.add(retries=1)
        if why.status == 429 and why.retry_after_s:
            # All threads share the allowance; let the others not run into the same refusal.
            self.limiter.pause(seconds)
        log.info("waiting %.1f s: %s", seconds, why)


@dataclass(frozen=True)
class _Question:
    method: str
    path: str
    path_params: dict[str, str] = field(default_factory=dict, repr=False)
    query: dict[str, Any] = field(default_factory=dict, repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)
    wants_answer: bool = True

    @property
    def asked(self) -> str:
        return f"{self.method} {self.path}"

    def check(self) -> None:
        """Refuse values that would lead to another path; the SDK leaves slashes as they are."""
        for name, value in self.path_params.items():
            if not isinstance(value, str) or value in ("", ".", "..") or "/" in value or "\\" in value:
                raise RequestRefused(f"{self.asked}: {name} is not an id; take it from an answer of the platform")
            if f"{{{name}}}" not in self.path:
                raise RequestRefused(f"{self.asked}: there is no {name} in this path")
        if missing := [part for part in self.path.split("/") if part[:1] == "{" and part[1:-1] not in self.path_params]:
            raise RequestRefused(f"{self.asked}: no value for {', '.join(missing)}")

    def plain_query(self) -> dict[str, Any]:
        """The SDK joins lists of text only."""
        return {k: [str(i) for i in v] if isinstance(v, list | tuple) else v for k, v in self.query.items()}


class _Token:
    """One token for all threads; who finds it refused brings it along, so that it is renewed once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: str | None = None

    def current(self, fetch: Callable[[], str]) -> str:
        with self._lock:
            if self._value is None:
                self._value = fetch()
            return self._value

    def renewed(self, refused: str, fetch: Callable[[], str]) -> str:
        with self._lock:
            if self._value is None or self._value == refused:
                self._value = None
                self._value = fetch()
            return self._value


def _object(raw: bytes, asked: str) -> dict[str, Any]:
    import orjson

    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise PlatformUnavailable(f"{asked}: the answer is not a JSON object; {_SOMEBODY_ELSE}")
    return answer


_SOMEBODY_ELSE = "run again, and if it lasts look for a proxy or a login page that answers in the platform's place"
