"""The light: whether a replay of today's rule reproduces the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.results import about

# A replay of today's rule that misses the record by more than this does not carry a verdict.
ASA_OFF, SERVICE_LEVEL_OFF = 0.20, 0.05


class Level(Protocol):
    """What the light looks at."""

    @property
    def asa_s(self) -> float | None:
        """Mean wait of those answered. [s]"""

    @property
    def service_level(self) -> float | None:
        """Share within the goal. [0-1]"""


@dataclass(frozen=True)
class Light:
    """Whether today's rule, replayed, reproduces the record well enough to carry a verdict."""

    color: str = about("green, red, or unknown where waits are not recorded.")
    asa_off: float | None = about("ASA against the recorded one, as a share.")
    service_level_off: float | None = about("Service level less the recorded one.")
    why: str = about("The same in words.")


def light(past: Level, today: Level, *, is_answered: bool = True) -> Light:
    """Whether the replay of today's rule reproduces the record well enough to carry a verdict.

    Parameters
    ----------
    past, today : Level
        The record, and today's rule replayed.
    is_answered : bool
        Whether anything is recorded as answered.

    Returns
    -------
    Light
        With how far off ASA and service level are.
    """
    if not is_answered:
        return _unjudged("unknown", "nothing is recorded as answered, so nothing says how true this replay is")
    if past.asa_s is None or past.service_level is None:
        return _unjudged("unknown", "waits are not recorded, so nothing says how true this replay is")
    if today.asa_s is None or today.service_level is None:
        why = "today's rule replayed answers nobody, the record does: look at staffing, members and skills"
        return _unjudged("red", why)
    level_off = today.service_level - past.service_level
    # Where nobody waited at all, any wait is as far off as can be.
    asa_off = today.asa_s / past.asa_s - 1 if past.asa_s else float(today.asa_s > 1)
    is_red = abs(asa_off) > ASA_OFF or abs(level_off) > SERVICE_LEVEL_OFF
    off = [_off(100 * asa_off, 0, "%"), _off(100 * level_off, 1, "points")]
    why = (
        f"today's rule replayed has an ASA {off[0]} the recorded one and a service level {off[1]} it "
        f"(limits {100 * ASA_OFF:.0f} % and {100 * SERVICE_LEVEL_OFF:.0f} points)"
    )
    return Light("red" if is_red else "green", asa_off, level_off, why)


def _unjudged(color: str, why: str) -> Light:
    return Light(color, None, None, why)


def _off(value: float, digits: int, unit: str) -> str:
    """How far off, and on which side."""
    if round(value, digits) == 0:
        return "equal to"
    return f"{abs(value):,.{digits}f} {unit} {'above' if value > 0 else 'below'}"
