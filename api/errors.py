"""What each error means over HTTP: one table from class to status, and the one shape of all answers that fail.

Nothing here needs the web framework, so that every door can read the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from engine.errors import (
    CorruptSnapshot,
    InvalidScenario,
    InvalidTable,
    LimitReached,
    MissingInput,
    NobodyEligible,
    NotEnoughMemory,
    NotWritable,
    RoutingError,
    SnapshotExists,
    UnknownName,
    UnknownSkill,
)
from engine.texts import visible

PROBLEM_JSON = "application/problem+json"
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request.

    Parameters
    ----------
    where : str
        JSON pointer into the body, empty for the whole of it; or a part of the request such as a header.
    what : str
        What was found there.
    remedy : str
        What to do about it.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where or 'the body'}: {self.what}; {self.remedy}"


class InvalidSettings(RoutingError):
    """The settings of the service cannot be used as given."""


class UnreadableBody(RoutingError):
    """The body of a request is not JSON as RFC 8259 has it."""


class WrongMediaType(RoutingError):
    """The body of a request is not declared as JSON."""


class BodyTooLarge(RoutingError):
    """The body of a request has more bytes or rows than the service takes."""


class InvalidBody(RoutingError):
    """A request is JSON, but not one that this service understands.

    Parameters
    ----------
    *problems : Problem
        At least one; only the first 20 are told.
    n : int, optional
        How many there are, where not all are given.
    """

    def __init__(self, *problems: Problem, n: int | None = None) -> None:
        more = (len(problems) if n is None else n) - 1
        super().__init__(f"{problems[0]}" + (f" (and {more} more, see problems)" if more else ""))
        self.found = problems[:MOST_PROBLEMS]


class NotReady(RoutingError):
    """The service has no snapshot that it can read."""


class NoAnswer(RoutingError):
    """The platform cannot be asked, and neither a snapshot nor an earlier read of it can stand in."""


class Busy(RoutingError):
    """Too many requests are waiting."""


class Stopping(RoutingError):
    """The service is being stopped, and what it worked on with it."""


class MalformedRequest(RoutingError):
    """What was sent is not a request of HTTP/1.1, or could be read in two ways."""


class WrongHost(RoutingError):
    """The header Host names somebody else, as a page of another site would that has been pointed here."""


class TooSlow(RoutingError):
    """A request did not arrive in time."""


class AddressTooLong(RoutingError):
    """The address of a request is longer than any of this service."""


class HeadTooLarge(RoutingError):
    """The head of a request has more bytes or fields than the service reads."""


class ExpectationFailed(RoutingError):
    """A request expects something other than 100-continue."""


class UnknownMethod(RoutingError):
    """A request has a method or a coding that this service does not know."""


class WrongVersion(RoutingError):
    """A request speaks another version of HTTP than 1.0 or 1.1."""


# Looked up along the bases of a class, so a new child of a known error has a status already.
STATUS: dict[type[BaseException], tuple[int, str]] = {
    RoutingError: (400, "Request cannot be answered"),
    UnreadableBody: (400, "Body is not JSON"),
    MalformedRequest: (400, "Malformed request"),
    UnknownName: (404, "Unknown name"),
    SnapshotExists: (409, "Snapshot exists"),
    TooSlow: (408, "Request too slow"),
    BodyTooLarge: (413, "Body too large"),
    AddressTooLong: (414, "Address too long"),
    WrongMediaType: (415, "Wrong media type"),
    ExpectationFailed: (417, "Expectation failed"),
    WrongHost: (421, "Wrong host"),
    InvalidBody: (422, "Invalid request"),
    InvalidTable: (422, "Invalid table"),
    InvalidScenario: (422, "Invalid scenario"),
    UnknownSkill: (422, "Unknown skill"),
    NobodyEligible: (422, "Nobody can be chosen"),
    MissingInput: (422, "Missing input"),
    HeadTooLarge: (431, "Head too large"),
    InvalidSettings: (500, "Invalid settings"),
    CorruptSnapshot: (500, "Snapshot cannot be read"),
    NotWritable: (500, "Folder cannot be written"),
    UnknownMethod: (501, "Unknown method"),
    NotReady: (503, "Not ready"),
    LimitReached: (503, "Limit of the machine reached"),
    NoAnswer: (503, "Platform cannot be asked"),
    Busy: (503, "Too busy"),
    Stopping: (503, "Stopping"),
    WrongVersion: (505, "HTTP version not supported"),
    NotEnoughMemory: (507, "Not enough memory"),
}
UNEXPECTED = (500, "Internal error")


def status_of(error: BaseException) -> tuple[int, str]:
    """HTTP status and title of an error, by the nearest class in the table.

    Examples
    --------
    >>> status_of(UnknownSkill("no agent has it"))
    (422, 'Unknown skill')
    """
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), UNEXPECTED)


def problem(
    status: int, title: str, detail: str, instance: str, *, kind: str | None = None, **more: object
) -> dict[str, Any]:
    """The content of an answer that fails (RFC 9457).

    Parameters
    ----------
    status : int
        HTTP status.
    title : str
        The same for all problems of the kind.
    detail : str
        What happened here, and the way out.
    instance : str
        Path of the request.
    kind : str, optional
        URI of the kind; by default the place of its title on the page of documentation.
    **more : object
        Further members.

    Returns
    -------
    dict
        type, title, status, detail, instance and the further members.
    """
    return {
        "type": kind or f"/docs#{anchor(title)}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        **more,
    }


def problem_of(error: RoutingError, instance: str) -> dict[str, Any]:
    """The content of the answer to a request that failed with a known error.

    Parameters
    ----------
    error : RoutingError
        What went wrong.
    instance : str
        Path of the request.

    Returns
    -------
    dict
        See `problem`; `problems` lists the findings where there are several to tell.
    """
    status, title = status_of(error)
    more: dict[str, Any] = {}
    if isinstance(error, InvalidBody):
        more["problems"] = [
            {"where": found.where, "what": visible(found.what), "remedy": visible(found.remedy)}
            for found in error.found
        ]  # fmt: skip
    elif isinstance(error, InvalidTable) and len(error.problems) > 1:
        remedy = "put the table right"
        more["problems"] = [{"where": "", "what": text, "remedy": remedy} for text in error.problems]
    return problem(status, title, str(error), instance, **more)


def anchor(title: str) -> str:
    """Where the page of documentation tells about a kind of error.

    Examples
    --------
    >>> anchor("Body is not JSON")
    'body-is-not-json'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
