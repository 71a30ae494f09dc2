"""What history does not say and a replay must assume: every assumption named, with its default."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from engine.errors import InvalidScenario

HANDLING = ("recorded", "agent")
FLOW_OUT = ("recorded", "never")
PATIENCE = ("estimated", "never")
LONGEST_S = 1e9
# With the largest priority there is (25 million points) a head start still fits into microseconds of 64 bits.
LARGEST_POINT_S = 1e5


@dataclass(frozen=True)
class Assumptions:
    """How staffing, handling, patience and priority are read from a log.

    Parameters
    ----------
    join_gap_s : float
        Without a staffing table: services of one agent with no longer a gap lie in one block. [s]
    lead_s, tail_s : float
        Time on queue added before and after such a block. [s]
    acw_s : float
        After-call work added to handling times of interactions that record none of their own. [s]
    handling : {"recorded", "agent"}
        Recorded times hold for everybody, or change with the agent's factor.
    patience : {"estimated", "never"}
        Customers leave after a recorded or estimated time, or never do.
    flow_out : "recorded", "never" or float
        When interactions that flowed out leave if still unanswered. [s]
    point_s : float
        Head start of one point of priority among those waiting; Genesys gives a minute (help centre, "ACD
        processing"). [s]
    no_answer : float
        Share of alerts that agents do not answer, 0-1.
    timeout_s : float
        How long such an alert lasts; a queue's own alerting time-out beats it. [s]
    away_s : float
        How long an agent who did not answer gets nothing. [s]

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """

    join_gap_s: float = 900.0
    lead_s: float = 0.0
    tail_s: float = 0.0
    acw_s: float = 0.0
    handling: str = "recorded"
    patience: str = "estimated"
    flow_out: str | float = "recorded"
    point_s: float = 60.0
    no_answer: float = 0.0
    timeout_s: float = 15.0
    away_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("join_gap_s", "lead_s", "tail_s", "acw_s", "timeout_s", "away_s"):
            _within(name, getattr(self, name), LONGEST_S)
        _within("point_s", self.point_s, LARGEST_POINT_S)
        _within("no_answer", self.no_answer, 0.95)
        if not (isinstance(self.flow_out, str) and self.flow_out in FLOW_OUT):
            _within("flow_out", self.flow_out, LONGEST_S, f"{', '.join(FLOW_OUT)} or ")
        for name, allowed in (("handling", HANDLING), ("patience", PATIENCE)):
            if getattr(self, name) not in allowed:
                raise InvalidScenario(f"{name} is {getattr(self, name)!r}; use {' or '.join(allowed)}")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Assumptions:
        """Assumptions from plain values, as a calibration file or a request holds them.

        Parameters
        ----------
        given : dict
            Any of the fields.

        Raises
        ------
        InvalidScenario
            If a name is unknown or a value out of range.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise InvalidScenario(f"assumptions: {unknown[0]!r} is not one of {', '.join(known)}")
        return cls(**given)


@dataclass(frozen=True)
class Switches:
    """Points of Genesys' routing on which sources differ or are silent; the defaults are the better attested.

    Parameters
    ----------
    language_in_mean : bool
        BEST: whether the language's level counts in the mean proficiency.
    alert_resets_idle : bool
        Whether a missed alert puts the agent at the back.
    resets_on_queue : bool
        Whether coming on queue puts the agent at the back ("reset agent score on presence change").
    new_agents_last : bool
        Whether agents who have handled nothing in the look-back come after all others. A log does not say what
        came before it, so at its start that is everybody, and whoever works first would stay ahead: by default a
        new agent is idle since the first block, and there is no look-back.
    lookback_days : float
        With `new_agents_last`: how far back handled interactions count; 0 for ever. [days]
    longest_idle : int
        BEST: how many of the longest idle are looked at; 0 for all. [count]
    """

    language_in_mean: bool = False
    alert_resets_idle: bool = False
    resets_on_queue: bool = False
    new_agents_last: bool = False
    lookback_days: float = 7.0
    longest_idle: int = 100

    def __post_init__(self) -> None:
        _within("lookback_days", self.lookback_days, 36_500)
        _within("longest_idle", self.longest_idle, 1e6)
        if self.longest_idle != int(self.longest_idle):
            raise InvalidScenario(f"longest_idle is {self.longest_idle!r}; use a whole number, 0 for all")


def _within(name: str, value: object, high: float, also: str = "") -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not (number and 0 <= value <= high):  # type: ignore[operator]
        raise InvalidScenario(f"{name} is {value!r}; use {also}a number from 0 to {high:g}")
