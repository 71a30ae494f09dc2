"""What a first look says."""

from __future__ import annotations

from dataclasses import dataclass

from engine.data.provenance import Extent, Window
from engine.measures.light import Light
from engine.results import Result, about


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is recorded of some interactions; null where undefined."""

    offered: int = about("answered + abandoned + flowed_out + unserved. [count]")
    answered: int = about("Answered by an agent. [count]")
    abandoned: int = about("Left by the customer's choice. [count]")
    flowed_out: int = about("Left by an exit of the flow. [count]")
    unserved: int = about("Neither answered nor gone, as far as is recorded. [count]")
    abandonment: float | None = about("abandoned / offered.")
    service_level: float | None = about("Share within the goal. [0-1]")
    asa_s: float | None = about("Mean wait of those answered. [s]")
    handle_s: float | None = about("Mean handling time of those answered, as recorded. [s]")


@dataclass(frozen=True, kw_only=True)
class QueueFigures(Figures):
    """One queue."""

    queue_id: str = about("Id of the queue.")
    queue_name: str | None = about("Null where none is known.")
    goal_s: float = about("Longest wait within its goal. [s]")
    goal_share: float | None = about("Share that its goal wants within goal_s. [0-1]")
    members: int = about("Agents joined to it. [count]")
    answering: int = about("Agents who answered in it. [count]")


@dataclass(frozen=True, kw_only=True)
class DaysFigures(Figures):
    """A local day, or a week of them, days without any arrival left out."""

    first: str = about("First day, YYYY-MM-DD.")
    last: str = about("Last day.")
    days: int = about("Days on which anything arrived. [count]")
    agents: int | None = about("Agents with any time on queue; null where that is not known. [count]")
    staffed_h: float | None = about("Time on queue, all agents together. [h]")


@dataclass(frozen=True, kw_only=True)
class HalfHourFigures(Figures):
    """A half hour of the local day, over all days on which anything arrived."""

    start: str = about("HH:MM.")
    offered_a_day: float = about("Offered over days on which anything arrived.")
    on_queue: float | None = about("Agents on queue, on average over these days; null where that is not known.")


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong, or that a reader must know."""

    kind: str = about("What it is about, in a word.")
    n: int = about("How many. [count]")
    says: str = about("The same in words, with the first of them and the way out.")


@dataclass(frozen=True, kw_only=True)
class Level:
    """What the light looks at; null where undefined."""

    service_level: float | None = about("Share within the goal. [0-1]")
    asa_s: float | None = about("Mean wait of those answered. [s]")
    abandonment: float | None = about("abandoned / offered.")


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Some interactions as recorded, and under today's rule replayed."""

    offered: int = about("Interactions. [count]")
    recorded: Level = about("As recorded.")
    replayed: Level = about("Today's rule, replayed.")
    color: str = about("green, red, or unknown where there are too few to tell or nothing is recorded.")
    off: list[str] = about("Measures that miss the record by more than the light allows.")


@dataclass(frozen=True, kw_only=True)
class QueueBeside(Beside):
    """One queue."""

    queue_id: str = about("Id of the queue.")
    queue_name: str | None = about("Null where none is known.")


@dataclass(frozen=True, kw_only=True)
class HalfHourBeside(Beside):
    """A half hour of the local day."""

    start: str = about("HH:MM.")


@dataclass(frozen=True, kw_only=True)
class Lit:
    """The light, and where it fails."""

    light: Light = about("Whether today's rule, replayed, reproduces the record.")
    rule: str = about("Today's rule in words.")
    staffing: str = about("recorded or inferred.")
    window: Window | None = about("The days replayed, where not all are.")
    n: int = about("Interactions replayed. [count]")
    days: int = about("Days replayed. [count]")
    whole: Beside = about("All of them.")
    by_queue: list[QueueBeside] = about("By queue, the busiest first.")
    by_half_hour: list[HalfHourBeside] = about("By half hour of arrival.")
    notes: list[str] = about("What its colour does not say: a record that is made up, few days.")
    advice: list[str] = about("What would improve it, in words.")


@dataclass(frozen=True, kw_only=True)
class FirstLook(Result):
    """What a planner checks first."""

    interval: Extent | None = about("From the first to the last arrival.")
    window: Window | None = about("The days looked at, where not all are.")
    time_zone: str = about("IANA zone of days and half hours.")
    service_level: str = about("What the service level is a share of: genesys.")
    agents: int = about("In the agents table. [count]")
    staffing: str | None = about("recorded or inferred; null where nothing says who was on queue.")
    whole: Figures = about("All interactions.")
    by_queue: list[QueueFigures] = about("Every queue, the busiest first.")
    by_day: list[DaysFigures] = about("Every local day on which anything arrived.")
    by_week: list[DaysFigures] = about("The same by week, from Monday.")
    by_half_hour: list[HalfHourFigures] = about("From the first half hour with anything to the last.")
    findings: list[Finding] = about("What looks wrong, most first.")
    lit: Lit | None = about("Null where nothing was replayed.")
    why_not_lit: str | None = about("Why nothing was replayed, and the way out; null where something was.")
