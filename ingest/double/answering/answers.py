"""A question to the platform, its answer, and its way to refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One request, taken apart."""

    path: str  # Without the query
    # Lists of values by name; commas divide values as repetition does
    query: dict[str, list[str]] = field(default_factory=dict)
    body: Any = None  # Parsed JSON, None without one
    names: dict[str, str] = field(default_factory=dict)  # Parts of the path: queueId, userId, jobId
    fault: str | None = None  # What is to be wrong with the content, if anything

    def expand(self) -> frozenset[str]:
        """Expansions asked for."""
        return frozenset(self.query.get("expand", ()))

    def number(self, name: str, default: int, most: int) -> int:
        """A number of the query, brought down to `most` without a word as the platform does."""
        text = self.query.get(name, [str(default)])[0]
        if not text.isdecimal() or int(text) < 1:
            raise bad_request(f"{name} {text!r}: want a number of 1 or more")
        return min(int(text), most)


@dataclass(frozen=True)
class Answer:
    """What comes back."""

    body: Any  # Anything JSON can say; None for no body at all
    status: int = 200  # HTTP status
    headers: dict[str, str] = field(default_factory=dict)  # Besides those that every answer has


class Refused(Exception):
    """The platform says no, in its own words."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self, correlation_id: str) -> Answer:
        """The error in the shape that all errors have."""
        body = {"message": str(self), "code": self.code, "status": self.status, "contextId": correlation_id,
                "details": [], "errors": []}  # fmt: skip
        return Answer(body, self.status, self.headers)


def bad_request(message: str) -> Refused:
    """A refusal of a question that makes no sense."""
    return Refused(400, "bad.request", message)


def not_found(what: str) -> Refused:
    """A refusal as there is no such thing."""
    return Refused(404, "not.found", f"The requested resource was not found: {what}")
