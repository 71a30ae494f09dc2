"""Moments as the platform writes them: text with milliseconds, and whole milliseconds since 1970 to reckon with."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from engine.errors import InvalidScenario

DAY_MS = 86_400_000
MINUTE_MS = 60_000
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
# Ends of all texts within a minute: a conversation has twenty moments, and formatting them would be half of its cost.
_ENDS = tuple(f"{at // 1000:02d}.{at % 1000:03d}Z" for at in range(MINUTE_MS))
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")


@lru_cache(maxsize=16384)
def _minute(minute: int) -> str:
    return (_BEGIN + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:")


def text(moment_ms: int) -> str:
    """A moment as the platform writes it: UTC with three decimals.

    Examples
    --------
    >>> text(86_400_123)
    '1970-01-02T00:00:00.123Z'
    """
    minute, rest = divmod(moment_ms, MINUTE_MS)
    return _minute(minute) + _ENDS[rest]


def moment(written: str) -> int:
    """A moment from RFC 3339 text with a zone. [ms since 1970]

    Examples
    --------
    >>> moment("1970-01-02T00:00:00.123Z")
    86400123
    """
    if not _STAMP.fullmatch(written):
        raise InvalidScenario(f"time {written!r}: want one like 2025-03-01T00:00:00.000Z")
    try:
        return (datetime.fromisoformat(written) - _BEGIN) // timedelta(milliseconds=1)
    except ValueError as error:
        raise InvalidScenario(f"time {written!r}: {error}; want one like 2025-03-01T00:00:00.000Z") from error


def interval(written: object) -> tuple[int, int]:
    """Start and end of an interval, two moments with a slash between them. [ms since 1970]

    Examples
    --------
    >>> interval("1970-01-01T00:00:00Z/1970-01-01T00:00:01Z")
    (0, 1000)
    """
    parts = written.split("/") if isinstance(written, str) else []
    if len(parts) != 2:
        raise InvalidScenario(f"interval {written!r}: want START/END")
    start, end = (moment(part) for part in parts)
    if end <= start:
        raise InvalidScenario(f"interval {written!r}: ends before it starts")
    return start, end
