"""What answers hold, for the documentation and for tests; the answers themselves are written as bytes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class ScoredAgent(Answer):
    """An agent who reaches the threshold."""

    id: str
    name: str | None = Field(description="Null where the snapshot has no name.")
    score: float


class WeightsUsed(Answer):
    """The weights after the goal moved them."""

    proficiency: float
    language_match: float
    historical_csat: float
    min_score_threshold: float


class EffectSize(Answer):
    """Cohen's w with a 95 % interval."""

    name: str
    value: float
    low: float
    high: float


class Fairness(Answer):
    """How evenly interactions are shared over all eligible agents; null where a measure is undefined."""

    total_interactions: int = Field(description="Routed interactions.")
    agent_distribution: dict[str, int] = Field(description="Interactions by agent, zeros included.")
    gini_coefficient: float | None
    gini_seconds: float | None
    gini_occupancy: float | None = Field(description="Null in score mode: nobody is ever busy.")
    chi2_statistic: float | None
    degrees_of_freedom: int | None
    p_value: float | None
    effect_size: EffectSize | None
    expected: str
    groups: dict[str, Any] | None
    is_fair: bool | None = Field(description="The simple rule: p > 0.05 and Gini < 0.3. Read the verdict instead.")
    verdict: str
    warnings: list[str]


class SnapshotUsed(Answer):
    """Where the data came from."""

    id: str = Field(description="Name of the snapshot.")
    sha256: str = Field(description="Hash of its content.")
    age_s: float = Field(description="Seconds since it was written.")


class AgentTerms(Answer):
    """One agent before the request."""

    place: int | None = Field(description="1 is the best; null for whoever cannot be chosen.")
    agent_id: str
    agent_name: str | None
    proficiency: float = Field(description="Skill term, 0 to 1.")
    language: float = Field(description="Language term, 0 to 1.")
    csat: float = Field(description="Satisfaction term, 0 to 1.")
    n_surveys: int = Field(description="Surveys behind it; 0 where it is filled in.")
    raw_score: float = Field(description="Before threshold and filters.")
    score: float
    reason: str


class RoutingAnswer(Answer):
    """Who would be chosen, who comes next, and how fair these weights are for the queue."""

    headline: str = Field(description="What the numbers are, and are not.")
    top_agent: ScoredAgent
    ranked_agents: list[ScoredAgent] = Field(description="Best first, by the one total order.")
    weights_used: WeightsUsed
    fairness_metrics: Fairness = Field(description="The queue's interactions in the window, not the one request.")
    source: str = Field(description="snapshot: the answer comes from files, not from the platform.")
    snapshot: SnapshotUsed
    warnings: list[str]
    explanation: list[AgentTerms] | None = Field(default=None, description="All agents, where explain was set.")


class Unrouted(Answer):
    """Interactions without a chosen agent."""

    total: int
    reasons: dict[str, int]


class AgentShare(Answer):
    """What one agent got."""

    agent_id: str
    agent_name: str | None
    handled: int
    handled_s: float | None
    eligible: int
    occupancy: float | None


class Timing(Answer):
    """How long it took; null for what was not done."""

    load_s: float
    simulate_s: float
    write_s: float | None
    interactions_per_s: float | None


class Outcome(Answer):
    """The choice for one interaction."""

    id: str
    required_skill: str | None = Field(description="Several are joined by a semicolon.")
    required_language: str | None
    selected_agent_id: str | None
    selected_agent_name: str | None
    composite_score: float | None
    status: str = Field(description="routed or unrouted.")


class BatchAnswer(Answer):
    """The content of report.json, and outcomes where asked for."""

    mode: str
    headline: str
    scenario: dict[str, Any]
    weights_used: WeightsUsed
    snapshot: dict[str, Any] = Field(description="Name, hash, counts, repairs and assumptions of the data.")
    routed: int
    unrouted: Unrouted
    preference: dict[str, Any] = Field(description="The busiest agent and the implied peak.")
    fairness: Fairness
    agents: list[AgentShare]
    csat: dict[str, Any]
    service_level: dict[str, Any] | None = Field(description="Null in score mode.")
    warnings: list[str]
    timing: Timing
    outcomes: list[Outcome] | None = None


class SnapshotSummary(Answer):
    """A snapshot in the list."""

    id: str
    sha256: str
    created: str
    age_s: float
    source: dict[str, Any]
    time_zone: str
    interval: dict[str, str | None]
    counts: dict[str, int]
    made_up: list[str]


class Unreadable(Answer):
    """A folder in the store that cannot be read."""

    id: str
    problem: str


class SnapshotList(Answer):
    """All snapshots, newest first."""

    snapshots: list[SnapshotSummary]
    unreadable: list[Unreadable]


class QueueInfo(Answer):
    """A queue and how many agents serve it."""

    queue_id: str
    queue_name: str | None
    agents: int


class SnapshotAnswer(SnapshotSummary):
    """A snapshot, and the names that requests may use."""

    repairs: dict[str, int]
    assumptions: list[str]
    queues: list[QueueInfo]
    skills: list[str] = Field(description="Held by at least one agent.")
    languages: list[str] = Field(description="Spoken by at least one agent.")


class Health(Answer):
    """The service is up."""

    status: str


class Readiness(Answer):
    """The service has a snapshot to read."""

    status: str
    snapshot: SnapshotUsed


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
