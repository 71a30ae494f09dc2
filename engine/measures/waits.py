"""What is said of waits: counts, service level and waits of interactions, by queue and by interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.results import about


@dataclass(frozen=True)
class Percentiles:
    """Waits that so many percent do not exceed; null where nobody is counted."""

    p50: float | None = about("50 %. [s]")
    p90: float | None = about("90 %. [s]")
    p95: float | None = about("95 %. [s]")
    p99: float | None = about("99 %. [s]")


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Counts and waits of interactions; null where a measure is undefined."""

    offered: int = about("answered + abandoned + flowed_out + unserved.")
    answered: int = about("Answered by an agent. [count]")
    abandoned: int = about("Left by the customer's choice. [count]")
    flowed_out: int = about("Left by an exit of the flow, not by the customer's choice.")
    unserved: int = about("Neither answered nor gone when the replay ended.")
    short_abandoned: int = about("Abandoned within short_abandon_s.")
    unknown_wait: int = about("Interactions without a known wait; none in a replay.")
    service_level: float | None = about("By the definition asked for.")
    abandonment_share: float | None = about("abandoned / offered.")
    asa_s: float | None = about("Mean wait of those answered. [s]")
    mean_wait_s: float | None = about("Mean wait of all. [s]")
    wait_s: Percentiles = about("Waits of all. [s]")
    answered_wait_s: Percentiles = about("Waits of those answered. [s]")
    max_wait_s: float | None = about("Longest wait. [s]")
    mean_queue_length: float | None = about("Waiting at once, on average over the span of the replay.")
    longest_queue: int = about("Most who waited at once.")


@dataclass(frozen=True, kw_only=True)
class QueueWaits(Waits):
    """One queue."""

    queue_id: str = about("Id of the queue.")
    queue_name: str | None = about("Null where none is known.")
    goal_s: float = about("Longest wait within its goal. [s]")
    goal_share: float | None = about("Share that its goal wants within goal_s. [0-1]")


@dataclass(frozen=True, kw_only=True)
class IntervalWaits:
    """One interval of the day, interactions counted where they arrived."""

    start: datetime = about("When it starts, in the centre's time zone.")
    offered: int = about("answered + abandoned + flowed_out + unserved.")
    answered: int = about("Answered by an agent. [count]")
    abandoned: int = about("Left by the customer's choice. [count]")
    flowed_out: int = about("Left by an exit of the flow. [count]")
    unserved: int = about("Neither answered nor gone when the replay ended. [count]")
    service_level: float | None = about("By the definition asked for.")
    asa_s: float | None = about("Mean wait of those answered. [s]")
    mean_wait_s: float | None = about("Mean wait of all. [s]")
    queue_length: float = about("Waiting at once, on average.")


@dataclass(frozen=True)
class IdleCauses:
    """What waiting beside free able agents comes from; each second goes to the cause that takes the last of them."""

    alert_s: float = about("An alert that came to nothing: of the customer, or of the agent, who is away after it. [s]")
    capacity_s: float = about("A capacity of 0 for the media. [s]")
    threshold_s: float = about("A score below the threshold. [s]")
    ring_s: float = about("A ring that had not opened yet. [s]")
    preference_s: float = about("A rule that held the interaction back for preferred agents. [s]")
    limit_s: float = about("BEST's limit to the longest idle. [s]")


# The same in the middle of a sentence.
CAUSES = {
    "alert_s": "alerts in vain", "capacity_s": "a capacity of 0", "threshold_s": "the threshold",
    "ring_s": "a ring not open yet", "preference_s": "a rule for preferred agents",
    "limit_s": "BEST's limit to the longest idle",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ServiceLevel(Waits):
    """Waits, abandonment and occupancy of the scenario; the first draw where there are several."""

    definition: str = about("Of the service level: genesys, offered or answered.")
    short_abandon_s: float = about("Abandonments up to this wait do not count against it; 0 for none. [s]")
    goal: str = about("SHARE/SECONDS, or each queue's own.")
    occupancy: float | None = about("Busy seconds inside blocks over staffed seconds.")
    overrun_s: float = about("Worked after the end of a block. [s]")
    choice_share: float | None = about(
        "Interactions that found two or more able agents free, 0 to 1; able is whom the rule would ask in the end."
    )
    idle_while_waiting_s: float = about("Waiting beside a free able agent. [s]")
    idle_while_waiting_share: float | None = about("The same over all waiting.")
    idle_causes: IdleCauses = about("What it comes from; adds up to it.")
    by_queue: list[QueueWaits] = about("Every queue, those without interactions too.")
    by_interval: list[IntervalWaits] = about("In order; where nobody arrived or waited there is none.")
