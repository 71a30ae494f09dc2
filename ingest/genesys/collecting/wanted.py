"""What a snapshot of the platform should hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from engine.data.wall_time import span_of_days
from engine.errors import InvalidScenario
from ingest.genesys.collecting.scale import Scale
from ingest.snapshot.manifest import Manifest

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
    """Refuse days that cannot be read as a whole: the last before the first, or not over yet."""
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


@dataclass(frozen=True)
class Wanted:
    """What a snapshot should hold.

    Parameters
    ----------
    queues : tuple of str
        Names or ids of queues.
    span : Span
        Days.
    refresh_days : int
        Days that every run reads again after they end, for late surveys.
    scale : Scale
        Of survey scores.
    pseudonymise : bool
        Replace agent ids and names by codes.
    """

    queues: tuple[str, ...]
    span: Span
    refresh_days: int = 3
    scale: Scale = field(default_factory=Scale)
    pseudonymise: bool = False


def less_than(before: Manifest, wanted: Wanted) -> str:
    """What a snapshot holds that another writing of it would not.

    Queues may be added and days at either end; nightly runs must not lose any of either by a slip of the pen. Empty
    where nothing would be lost.
    """
    source, span = before.source, wanted.span
    named = {*wanted.queues}
    lost = [f"queue {queue['name']!r}" for queue in source["queues"] if not {queue["id"], queue["name"]} & named]
    first, last = (date.fromisoformat(source[side]) for side in ("from", "to"))
    if first < span.first:
        lost.append(f"days from {first}")
    if last > span.last:
        lost.append(f"days to {last}")
    if before.time_zone != span.time_zone:
        lost.append(f"days of {before.time_zone}")
    if source["pseudonymised"] and not wanted.pseudonymise:
        lost.append("codes in place of agents (--pseudonymise)")
    if source["survey_scale"] != [wanted.scale.low, wanted.scale.high]:
        lost.append("survey scores from {} to {}".format(*source["survey_scale"]))
    return ", ".join(lost)
