"""The days of a snapshot: whole days of the centre, read from the platform by UTC days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from engine.data.wall_time import span_of_days
from engine.errors import InvalidScenario

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """Whole days of a centre.

    Parameters
    ----------
    first, last : date
        Local days, both included.
    time_zone : str
        IANA zone of the centre.
    """

    first: date
    last: date
    time_zone: str = "UTC"

    @property
    def start(self) -> datetime:
        """First instant."""
        return self._sides()[0]

    @property
    def end(self) -> datetime:
        """First instant after it."""
        return self._sides()[1]

    def utc_days(self) -> list[date]:
        """UTC days that it touches, in order.

        Examples
        --------
        >>> span = Span(date(2026, 1, 5), date(2026, 1, 5), "Europe/Berlin")
        >>> [day.isoformat() for day in span.utc_days()]
        ['2026-01-04', '2026-01-05']
        """
        first, last = self.start.date(), (self.end - timedelta(microseconds=1)).date()
        return [first + n * DAY for n in range((last - first).days + 1)]

    def _sides(self) -> tuple[datetime, datetime]:
        start_us, end_us = span_of_days(self.first, self.last, self.time_zone)
        return EPOCH + timedelta(microseconds=start_us), EPOCH + timedelta(microseconds=end_us)


def check_span(span: Span, now: datetime) -> Span:
    """Refuse days that cannot be read as a whole.

    Parameters
    ----------
    span : Span
        As asked for.
    now : datetime
        With a zone.

    Returns
    -------
    Span
        The same.

    Raises
    ------
    InvalidScenario
        If the last day lies before the first, or is not over yet.
    """
    if span.last < span.first:
        raise InvalidScenario(f"--to {span.last} lies before --from {span.first}; swap them")
    if span.end > now:
        raise InvalidScenario(
            f"--to {span.last}: this day is not over yet in {span.time_zone}; end with a day that is past"
        )
    return span


def midnight(day: date) -> datetime:
    """Start of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
