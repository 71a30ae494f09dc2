"""What history does not say and a replay must assume: every assumption named, with its default."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from engine.errors import InvalidScenario
from engine.setting import check_all, setting

HANDLING = ("recorded", "agent")
LONGEST_S = 1e9


@dataclass(frozen=True)
class Assumptions:
    """How staffing, handling, patience and priority are read from a log.

    Raises
    ------
    InvalidScenario
        If a value is out of range.
    """

    join_gap_s: float = setting(
        900.0, "Without staffing: services of an agent with no longer a gap are one block.", unit="s", high=LONGEST_S,
        applies="replay",
    )  # fmt: skip
    lead_s: float = setting(0.0, "Time on queue added before such a block.", unit="s", high=LONGEST_S, applies="replay")
    tail_s: float = setting(0.0, "Time on queue added after such a block.", unit="s", high=LONGEST_S, applies="replay")
    acw_s: float = setting(
        0.0, "After-call work added where an interaction records none.", unit="s", high=LONGEST_S, applies="replay"
    )
    handling: str = setting(
        "recorded", "Whether recorded handling times hold for everybody or change with the agent.", kind="word",
        words=HANDLING, applies="replay",
    )  # fmt: skip
    patience: str = setting(
        "estimated", "Whether customers leave after a recorded or estimated time, or never.", kind="word",
        words=("estimated", "never"), applies="replay",
    )  # fmt: skip
    flow_out: str | float = setting(
        "recorded", "When interactions that flowed out leave if still unanswered.", unit="s", high=LONGEST_S,
        words=("recorded", "never"), applies="replay",
    )  # fmt: skip
    # Genesys gives a minute (help centre, "ACD processing"). With the largest priority there is (25 million
    # points) the largest head start still fits into microseconds of 64 bits.
    point_s: float = setting(
        60.0, "Head start in waiting of one point of priority.", unit="s", high=1e5, applies="replay"
    )
    no_answer: float = setting(0.0, "Share of alerts that agents do not answer.", high=0.95, applies="replay")
    timeout_s: float = setting(
        15.0, "Length of such an alert; a queue's own alerting time-out beats it.", unit="s", high=LONGEST_S,
        option="alert-timeout", applies="replay",
    )  # fmt: skip
    away_s: float = setting(
        60.0, "How long an agent who did not answer gets nothing.", unit="s", high=LONGEST_S, applies="replay"
    )

    def __post_init__(self) -> None:
        check_all(self)

    @classmethod
    def of(cls, given: dict[str, Any]) -> Assumptions:
        """Assumptions from plain values, as a calibration file holds them.

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

    A log does not say what came before it, so at its start nobody has handled anything: with `new_agents_last`
    whoever works first would stay ahead. By default a new agent is idle since the first block, without a look-back.
    """

    language_in_mean: bool = setting(
        False, "Whether the language's level counts in the mean proficiency of BEST.", kind="flag", applies="replay"
    )
    alert_resets_idle: bool = setting(
        False, "Whether a missed alert puts the agent at the back.", kind="flag", applies="replay"
    )
    # The platform's "reset agent score on presence change".
    resets_on_queue: bool = setting(
        False, "Whether coming on queue puts the agent at the back.", kind="flag", applies="replay"
    )
    new_agents_last: bool = setting(
        False, "Whether agents who have handled nothing yet come after all others.", kind="flag", applies="replay"
    )
    lookback_days: float = setting(
        7.0, "With new_agents_last: how far back handled interactions count for idle time; 0 for ever.", unit="days",
        high=36_500, applies="replay",
    )  # fmt: skip
    longest_idle: int = setting(
        100, "How many of the longest idle BEST looks at; 0 for all.", kind="whole", high=1_000_000, applies="replay"
    )

    def __post_init__(self) -> None:
        check_all(self)

    @property
    def moved(self) -> tuple[str, ...]:
        """Names of those that are not at their default."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) != each.default)
