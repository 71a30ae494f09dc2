"""What answers hold, beside what the engine says; their models are made from these fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.http.messages.shapes import Answer
from engine.data.provenance import Extent
from engine.measures.fairness import Fairness
from engine.reports import report
from engine.results import about
from engine.scoring.weights import RoutingWeights
from engine.selection.explain import AgentTerms


@dataclass(frozen=True)
class ScoredAgent:
    """An agent who reaches the threshold."""

    id: str = about("Id of the agent.")
    name: str | None = about("Null where none is known.")
    score: float | None = about("Null where source is fallback: nothing is scored then.")


@dataclass(frozen=True)
class SnapshotUsed:
    """Where the data came from."""

    id: str = about("Name of the snapshot.")
    sha256: str = about("Hash of its content.")
    age_s: float = about("Seconds since it was written.")


@dataclass(frozen=True)
class LiveRead:
    """Members of the queue as the platform told them; where source is fallback, when it last did."""

    read_at: datetime = about("When they were read. [UTC]")
    age_s: float = about("Seconds since then; answers within the time of live_cache_s share one read.")
    members: int = about("Agents joined to the queue.")
    available: int = about(
        "Of these on queue, with a routing status of live_statuses: the candidates. Equal scores go to whoever has "
        "this status longest, which is not the ACD idle clock: the platform does not tell that."
    )
    by_status: dict[str, int] = about(
        "Members by routing status; off_queue also for any presence but On Queue, unknown where presence or status "
        "are not told."
    )


@dataclass(frozen=True)
class Degraded:
    """Why an answer that was to be live is not."""

    reason: str = about("What kept the platform from being asked, and the way out.")
    since: datetime | None = about("First failure after the last success; null where not known. [UTC]")


@dataclass(frozen=True, kw_only=True)
class RoutingAnswer:
    """Who would be chosen, who comes next, and how fair these weights are for the queue."""

    headline: str = about("What the numbers are, and are not.")
    top_agent: ScoredAgent = about("The best.")
    ranked_agents: list[ScoredAgent] = about("Best first, by the one total order.")
    weights_used: RoutingWeights | None = about("Null where source is fallback.")
    fairness_metrics: Fairness | None = about(
        "The queue's interactions in the window, not the one request; null where no snapshot has the queue, then "
        "warnings say so."
    )
    source: Literal["live", "snapshot", "fallback"] = about(
        "live: who is on queue now, from the platform. snapshot: from files; with degraded where live was asked "
        "for. fallback: neither can answer, so the members last read take turns, unscored."
    )
    snapshot: SnapshotUsed | None = about("Null where live or fallback found no snapshot to read.")
    live: LiveRead | None = about("Where source is live or fallback.", optional=True)
    degraded: Degraded | None = about("Where live was asked for and the platform failed.", optional=True)
    warnings: list[str] = about("What to know before trusting it.")
    explanation: list[AgentTerms] | None = about("All agents, where explain was set.", optional=True)


@dataclass(frozen=True)
class Outcome:
    """The choice for one interaction, and in a replay its outcome."""

    id: str = about("Id of the interaction.")
    queue_id: str | None = about("Null where the request names no queue.")
    media: str = about("voice, chat, email, message or callback.")
    arrived_at: datetime | None = about("Null where the request has no times.")
    required_skill: str | None = about("Several are joined by a semicolon.")
    required_language: str | None = about("Null where any will do.")
    selected_agent_id: str | None = about("Null where nobody was chosen.")
    selected_agent_name: str | None = about("Null where none is known.")
    composite_score: float | None = about("Null where nobody was chosen or the method has no score.")
    status: str = about("routed or unrouted; in a replay answered, abandoned, flowed_out or unserved.")
    wait_s: float | None = about("In a replay, of everybody. [s]", optional=True)
    start_at: datetime | None = about("In a replay: when an agent answered.", optional=True)
    end_at: datetime | None = about("In a replay: when the agent was free of it.", optional=True)


@dataclass(frozen=True)
class Timing(report.Timing):
    """How long it took; null for what was not done."""

    load_s: float = about("Opening the data. [s]")
    simulate_s: float = about("Routing and measuring. [s]")


@dataclass(frozen=True)
class BatchAnswer(report.Report):
    """The content of report.json, and outcomes where asked for."""

    timing: Timing = about("How long it took.")
    outcomes: list[Outcome] | None = about("One per interaction, in the order of the request.", optional=True)


@dataclass(frozen=True, kw_only=True)
class SnapshotSummary:
    """A snapshot in the list."""

    id: str = about("Name of the snapshot.")
    sha256: str = about("Hash of its content.")
    created: str = about("When it was written. [UTC]")
    age_s: float = about("Seconds since then.")
    source: dict[str, Any] = about("Kind of source and how to read it again.")
    time_zone: str = about("IANA zone of the centre.")
    interval: Extent = about("From the first to the last arrival.")
    counts: dict[str, int] = about("Rows by table.")
    made_up: list[str] = about("Tables drawn from a seed rather than recorded.")


@dataclass(frozen=True)
class Unreadable:
    """A folder in the store that cannot be read."""

    id: str = about("Name of the folder.")
    problem: str = about("What is wrong with it, and the way out.")


@dataclass(frozen=True)
class SnapshotList:
    """All snapshots, newest first."""

    snapshots: list[SnapshotSummary] = about("Those that can be read.")
    unreadable: list[Unreadable] = about("Those that cannot.")


@dataclass(frozen=True)
class QueueInfo:
    """A queue and how many agents serve it."""

    queue_id: str = about("Id of the queue.")
    queue_name: str | None = about("Null where none is known.")
    agents: int = about("Agents who serve it.")


@dataclass(frozen=True, kw_only=True)
class SnapshotAnswer(SnapshotSummary):
    """A snapshot, and the names that requests may use."""

    repairs: dict[str, int] = about("Rows repaired or left out, by what was done.")
    assumptions: list[str] = about("Every assumption made, in words.")
    queues: list[QueueInfo] = about("Queues and who serves them.")
    skills: list[str] = about("Held by at least one agent.")
    languages: list[str] = about("Spoken by at least one agent.")


@dataclass(frozen=True)
class Health:
    """The service is up."""

    status: str = about("ok.")


@dataclass(frozen=True)
class Readiness:
    """The service has a snapshot to read."""

    status: str = about("ready.")
    snapshot: SnapshotUsed = about("The newest.")


class ProblemItem(Answer):
    """One of several things that are wrong."""

    where: str = Field(description="JSON pointer into the body; empty for the whole of it.")
    what: str
    remedy: str


class ProblemAnswer(BaseModel):
    """Every answer that fails (RFC 9457)."""

    type: str = Field(description="Where this kind of problem is told about.")
    title: str
    status: int
    detail: str = Field(description="What was found, and the way out.")
    instance: str = Field(description="Path of the request.")
    problems: list[ProblemItem] | None = Field(default=None, description="Where there are several to tell.")
    id: str | None = Field(default=None, description="Of an unexpected error, to be found in the log.")
