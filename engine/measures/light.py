"""The light: whether a replay of today's rule reproduces the record.

It judges the rule in force with settings, staffing and load as recorded, never a scenario, so it is the same whatever
is compared. What is off is told from what would mend it by `engine.measures.record`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from engine.measures.record import Misses, Record
from engine.results import about

# A replay of today's rule that misses the record by more than this does not carry a verdict. Of the ASA the larger of
# the two counts: a share of a second or two is no miss.
ASA_OFF, ASA_OFF_S, SERVICE_LEVEL_OFF, ABANDONMENT_OFF = 0.20, 3.0, 0.05, 0.03
# Share of the offered above which rows that cannot be replayed leave no light to give.
MOST_UNPLAYABLE = 0.05
# Differences of shares and seconds land a hair beside the limit that they are on.
_HAIR = 1e-9


class Level(Protocol):
    """What the light looks at."""

    @property
    def asa_s(self) -> float | None:
        """Mean wait of those answered. [s]"""

    @property
    def service_level(self) -> float | None:
        """Share within the goal. [0-1]"""

    @property
    def abandonment(self) -> float | None:
        """Abandoned over offered. [0-1]"""


@dataclass(frozen=True)
class Light:
    """Whether today's rule, replayed, reproduces the record well enough to carry a verdict."""

    color: str = about("green, red, or unknown where the record does not tell or too much of it cannot be replayed.")
    asa_off_s: float | None = about("ASA less the recorded one. [s]")
    asa_off: float | None = about("The same over the recorded one; null where that is 0.")
    service_level_off: float | None = about("Service level less the recorded one.")
    abandonment_off: float | None = about("Abandoned over offered less the recorded one; null where it is not judged.")
    unplayable: int = about("Interactions that cannot be replayed as they were. [count]")
    why: str = about("The same in words.")
    remedy: str | None = about("What is likely to help; null where nothing is off.")


def light(past: Level, today: Level, record: Record | None = None) -> Light:
    """Whether the replay of today's rule reproduces the record well enough to carry a verdict.

    Parameters
    ----------
    past, today : Level
        The record, and today's rule replayed, means over all draws.
    record : Record, optional
        What the record tells of itself; by default that all of it can be replayed.

    Returns
    -------
    Light
        With how far off ASA, service level and abandonment are.

    Examples
    --------
    >>> from collections import namedtuple
    >>> Seen = namedtuple("Seen", "asa_s service_level abandonment")
    >>> [light(Seen(2.0, 1.0, 0.0), Seen(asa_s, 1.0, 0.0)).color for asa_s in (3.0, 5.0, 5.1)]
    ['green', 'green', 'red']
    """
    record = record or Record()
    misses = _misses(past, today, record)
    unplayable, said = record.n_unplayable, _unplayable(record)
    if not record.is_answered:
        return _unjudged("unknown", "nothing is recorded as answered, so nothing says how true this replay is", record)
    if past.asa_s is None or past.service_level is None:
        return _unjudged("unknown", "waits are not recorded, so nothing says how true this replay is", record)
    if misses.asa_s is None or misses.service_level is None:
        why = "today's rule replayed answers nobody, the record does: look at staffing, members and skills"
        return _unjudged("red", why, record)
    is_red, is_lost = any(_is_off(past, misses)), unplayable > MOST_UNPLAYABLE * record.offered
    why = "; ".join(
        [*(said if is_lost else []), _told(past, misses), *([] if is_lost else said), *_silent(misses, record)]
    )
    return Light(
        color="red" if is_red else "unknown" if is_lost else "green",
        asa_off_s=misses.asa_s, asa_off=misses.asa_s / past.asa_s if past.asa_s else None,
        service_level_off=misses.service_level, abandonment_off=misses.abandonment,
        unplayable=unplayable, why=why, remedy=record.remedy(misses.beyond(*_is_off(past, misses)), is_lost=is_lost),
    )  # fmt: skip


def off(past: Level, today: Level, *, judges_abandonment: bool = True) -> tuple[str, ...]:
    """Which measures of a part of the interactions miss the record by more than the light allows.

    Parameters
    ----------
    past, today : Level
        The record, and today's rule replayed, of a queue or a half hour, say.
    judges_abandonment : bool
        Whether abandonment can be replayed at all.

    Returns
    -------
    tuple of str
        Of asa_s, service_level and abandonment; what is undefined on either side is not among them.

    Examples
    --------
    >>> from collections import namedtuple
    >>> Seen = namedtuple("Seen", "asa_s service_level abandonment")
    >>> off(Seen(20.0, 0.80, 0.05), Seen(23.0, 0.74, None))
    ('service_level',)
    """
    misses = _misses(past, today, Record(replays_abandonment=judges_abandonment))
    return tuple(name for name, is_off in zip(vars(misses), _is_off(past, misses), strict=True) if is_off)


def _misses(past: Level, today: Level, record: Record) -> Misses:
    abandonment = _less(today.abandonment, past.abandonment) if record.replays_abandonment else None
    return Misses(_less(today.asa_s, past.asa_s), _less(today.service_level, past.service_level), abandonment)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _is_off(past: Level, misses: Misses) -> tuple[bool, bool, bool]:
    """Whether ASA, service level and abandonment miss the record by more than they may."""
    limits = (max(ASA_OFF_S, ASA_OFF * (past.asa_s or 0.0)), SERVICE_LEVEL_OFF, ABANDONMENT_OFF)
    values = (misses.asa_s, misses.service_level, misses.abandonment)
    asa, level, abandoned = (abs(v or 0.0) > limit + _HAIR for v, limit in zip(values, limits, strict=True))
    return asa, level, abandoned


def _told(past: Level, misses: Misses) -> str:
    """How far off, in words, with the limits."""
    asa_s, level = misses.asa_s or 0.0, misses.service_level or 0.0
    # A share says something only of waits of which a share is more than a moment.
    share = f" ({abs(100 * asa_s / past.asa_s):.0f} %)" if past.asa_s and ASA_OFF * past.asa_s > ASA_OFF_S else ""
    said = [f"an ASA {_off(asa_s, 's', share)} the recorded one", f"a service level {_off(100 * level, 'points')} it"]
    limits = [f"{100 * ASA_OFF:.0f} % or {ASA_OFF_S:.0f} s", f"{100 * SERVICE_LEVEL_OFF:.0f} points"]
    if misses.abandonment is not None:
        said.append(f"abandonment {_off(100 * misses.abandonment, 'points')} it")
        limits.append(f"{100 * ABANDONMENT_OFF:.0f} points")
    whole = f"{', '.join(said[:-1])} and {said[-1]}"
    return f"today's rule replayed has {whole} (limits: {', '.join(limits)})"


def _off(value: float, unit: str, more: str = "") -> str:
    """How far off, and on which side."""
    if round(value, 1) == 0:
        return "equal to"
    return f"{abs(value):,.1f} {unit}{more} {'above' if value > 0 else 'below'}"


def _unplayable(record: Record) -> list[str]:
    """How many rows cannot be replayed, and why."""
    n = record.n_unplayable
    if not n:
        return []
    each = ", ".join(f"{count:,} {reason}" for reason, count in record.unplayable.items() if count)
    share = f"{100 * n / record.offered:.1f} %" if record.offered else "all"
    return [f"{n:,} of {record.offered:,} offered ({share}) cannot be replayed as they were: {each}"]


def _silent(misses: Misses, record: Record) -> Iterator[str]:
    """What the record does not say, and how it may be read."""
    if misses.waits < -0.05 and record.looks_like_ringing:
        yield f"waits up to {record.longest_s:.0f} s look like ringing, of which a replay knows only what alert_s says"
    if record.without_wait > MOST_UNPLAYABLE * record.offered:
        yield f"{record.without_wait:,} answered interactions have no wait, so waits are judged by the others"
    if not record.replays_abandonment:
        yield "abandonment is not judged: no abandoned interaction has a wait, so nothing says how long customers wait"


def _unjudged(color: str, why: str, record: Record) -> Light:
    remedy = record.remedy(Misses(None, None, None), is_lost=False)
    return Light(color, None, None, None, None, record.n_unplayable, why, remedy)
