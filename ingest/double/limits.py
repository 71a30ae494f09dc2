"""How many requests a token may send in a minute, and the tokens themselves."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from threading import Lock

from ingest.double.answering.answers import Answer, Refused

WINDOW_S = 60.0
# Announced where nothing is enforced.
PLENTY = 100_000


class Doorkeeper:
    """Gives tokens, checks them, and counts what they send."""

    def __init__(
        self, client_id: str, client_secret: str, requests_per_minute: int | None, clock: Callable[[], float]
    ) -> None:
        self._pair = f"{client_id}:{client_secret}"
        self._most = requests_per_minute
        self._clock = clock
        self._lock = Lock()
        self._issued = 0
        # Start of the minute and requests in it, by token.
        self._spent: dict[str, tuple[float, int]] = {}

    def issue(self, authorization: str, form: dict[str, list[str]]) -> Answer:
        """A new token for the right pair."""
        kind, _, encoded = authorization.partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True).decode() if kind == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        if pair != self._pair:
            return Answer({"error": "invalid_client", "error_description": "client not found or secret wrong"}, 401)
        if form.get("grant_type") != ["client_credentials"]:
            return Answer({"error": "unsupported_grant_type", "error_description": "want client_credentials"}, 400)
        with self._lock:
            self._issued += 1
            token = f"token-{self._issued}"
            self._spent[token] = (self._clock(), 0)
        return Answer({"access_token": token, "token_type": "bearer", "expires_in": 86399})

    def forget(self) -> None:
        """Let no token given so far be good any more."""
        with self._lock:
            self._spent.clear()

    def admit(self, authorization: str) -> dict[str, str]:
        """Let a request in and count it."""
        token = authorization.removeprefix("Bearer ")
        with self._lock:
            if token not in self._spent or token == authorization:
                raise Refused(401, "bad.credentials", "Invalid login credentials.")
            begun, count = self._spent[token]
            if self._clock() - begun >= WINDOW_S:
                begun, count = self._clock(), 0
            self._spent[token] = (begun, count + 1)
            left_s = max(1, math.ceil(begun + WINDOW_S - self._clock()))
        if self._most is not None and count >= self._most:
            raise too_many(left_s, **self._headers(self._most, left_s))
        return {name.replace("_", "-"): value for name, value in self._headers(count + 1, left_s).items()}

    def _headers(self, count: int, left_s: int) -> dict[str, str]:
        allowed = PLENTY if self._most is None else self._most
        return {
            "inin_ratelimit_count": str(count), "inin_ratelimit_allowed": str(allowed),
            "inin_ratelimit_reset": str(left_s),
        }  # fmt: skip


def too_many(retry_after_s: int | None, **headers: str) -> Refused:
    """The refusal of one request too many."""
    when = {} if retry_after_s is None else {"Retry_After": str(retry_after_s)}
    message = f"Rate limit exceeded the maximum. Retry the request in [{retry_after_s or 1}] seconds"
    return Refused(429, "too.many.requests.retry.after", message, **when, **headers)
