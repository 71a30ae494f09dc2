"""What is still to be read: pure bookkeeping over finished parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingest.genesys.parts import Part
from ingest.genesys.span import DAY, midnight


@dataclass(frozen=True)
class Freshness:
    """When a part may be kept as it is.

    Late surveys and after-call work change conversations that are over, so the last days are read again by
    every run, but only once by a run that was cut off and goes on.

    Parameters
    ----------
    now : datetime
        What was read later was read by a clock that went wrong, and does not count.
    run_started : datetime
        Start of the run that goes on.
    refresh_days : int
        Days after a day's end in which its conversations may still change.
    available : datetime
        Up to when jobs cover conversations.
    """

    now: datetime
    run_started: datetime
    refresh_days: int
    available: datetime

    def keeps(self, part: Part) -> bool:
        """Whether a part need not be read again."""
        if part.read_at > self.now:
            return False
        if part.read_at >= self.run_started:
            return True
        day_end = midnight(part.day) + DAY
        if part.is_provisional and day_end <= self.available:
            return False
        return part.read_at >= day_end + timedelta(days=self.refresh_days)


def missing(parts: Iterable[Part], fresh: Freshness, day: date, kind: str, wanted: Iterable[str]) -> list[str]:
    """Ids that no finished part answers for.

    Parameters
    ----------
    parts : iterable of Part
        All that there are.
    fresh : Freshness
        Which of them count.
    day : date
        UTC day.
    kind : str
        See `Part`.
    wanted : iterable of str
        Queues or agents.

    Returns
    -------
    list of str
        In order.
    """
    of_kind = (part for part in parts if part.day == day and part.kind == kind)
    answered = [part.ids for part in of_kind if fresh.keeps(part)]
    return sorted(set(wanted).difference(*answered))
