"""Single values of JSON that others wrote: what they are, or None.

Answers of the platform are not trusted to have the documented types. Nothing here raises on any value.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from engine.typing import Record

# Ids and names are joined by control characters elsewhere, and halves of UTF-16 pairs cannot be written.
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# Published payloads hold days of one digit. A time without a zone is UTC, as all times of the platform are.
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):?(\d{2}))?",
    re.ASCII,
)


def text(value: Any) -> str | None:
    """A text that can be an id or a name; None where it is no text, empty, or holds control characters.

    Examples
    --------
    >>> text("q1"), text(""), text(7), text(None)
    ('q1', None, None, None)
    """
    return value if type(value) is str and value and not _UNFIT.search(value) else None


def number(value: Any, low: float, high: float) -> float | None:
    """A number within limits, its fraction kept; None for anything else, texts and booleans included.

    Examples
    --------
    >>> number(87.5, 0, 100), number("87", 0, 100), number(True, 0, 100), number(-1, 0, 100)
    (87.5, None, None, None)
    """
    return float(value) if type(value) in (int, float) and low <= value <= high else None


def record(value: Any) -> Record:
    """An object of JSON, empty where it is none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A list of JSON, empty where it is none."""
    return value if isinstance(value, list) else []


def records(value: Any) -> list[Record]:
    """The objects of a list; what is no object is left out.

    Examples
    --------
    >>> records([{"id": "a"}, None, 3]), records("none")
    ([{'id': 'a'}], [])
    """
    return [item for item in items(value) if isinstance(item, dict)]


def instant(value: Any) -> datetime | None:
    """A time as the platform writes it, in UTC, cut to microseconds; None where it is no time.

    Examples
    --------
    >>> instant("2021-04-2T15:30:51.418Z").isoformat()
    '2021-04-02T15:30:51.418000+00:00'
    >>> instant("yesterday"), instant(1617377451)
    (None, None)
    """
    found = _TIME.fullmatch(value) if type(value) is str else None
    if not found:
        return None
    fraction, sign, hours, minutes = found.group(7, 8, 9, 10)
    try:
        zone = timezone(int(sign + "1") * timedelta(hours=int(hours), minutes=int(minutes))) if sign else UTC
        parts = [int(part) for part in found.group(1, 2, 3, 4, 5, 6)]
        at = datetime(*parts, int((fraction or "0")[:6].ljust(6, "0")), tzinfo=zone)  # type: ignore[arg-type,misc]
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
