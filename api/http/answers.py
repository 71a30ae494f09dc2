"""What answers hold, for the documentation and for tests; the answers themselves are written as bytes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class ScoredAgent(Answer):
    """An agent who reaches the threshold."""

    id: str
    name: str | None = Field(description="Null where none is known.")
    score: float | None = Field(description="Null where source is fallback: nothing is scored then.")


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

    total_interactions: int = Field(description="Routed interactions; in a replay those answered.")
    agent_distribution: dict[str, int] = Field(description="Interactions by agent, zeros included.")
    gini_coefficient: float | None
    gini_seconds: float | None
    gini_occupancy: float | None = Field(description="Of busy over staffed time; null in score mode.")
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


class LiveRead(Answer):
    """Members of the queue as the platform told them; where source is fallback, when it last did."""

    read_at: datetime = Field(description="When they were read. [UTC]")
    age_s: float = Field(description="Seconds since then; answers within the time of live_cache_s share one read.")
    members: int = Field(description="Agents joined to the queue.")
    available: int = Field(
        description=(
            "Of these on queue, with a routing status of live_statuses: the candidates. Equal scores go to whoever has "
            "this status longest, which is not the ACD idle clock: the platform does not tell that."
        )
    )
    by_status: dict[str, int] = Field(
        description=(
            "Members by routing status; off_queue also for any presence but On Queue, unknown where presence or status "
            "are not told."
        )
    )


class Degraded(Answer):
    """Why an answer that was to be live is not."""

    reason: str = Field(description="What kept the platform from being asked, and the way out.")
    since: datetime | None = Field(description="First failure after the last success; null where not known. [UTC]")


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
    weights_used: WeightsUsed | None = Field(description="Null where source is fallback.")
    fairness_metrics: Fairness | None = Field(
        description=(
            "The queue's interactions in the window, not the one request; null where no snapshot has the queue, then "
            "warnings say so."
        )
    )
    source: Literal["live", "snapshot", "fallback"] = Field(
        description=(
            "live: who is on queue now, from the platform. snapshot: from files; with degraded where live was asked "
            "for. fallback: neither can answer, so the members last read take turns, unscored."
        )
    )
    snapshot: SnapshotUsed | None = Field(description="Null where live or fallback found no snapshot to read.")
    live: LiveRead | None = Field(default=None, description="Where source is live or fallback.")
    degraded: Degraded | None = Field(default=None, description="Where live was asked for and the platform failed.")
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
    occupancy: float | None = Field(description="Busy over staffed time; null in score mode.")


class Timing(Answer):
    """How long it took; null for what was not done."""

    load_s: float
    simulate_s: float
    write_s: float | None
    interactions_per_s: float | None


class Outcome(Answer):
    """The choice for one interaction, and in a replay what became of it."""

    id: str
    required_skill: str | None = Field(description="Several are joined by a semicolon.")
    required_language: str | None
    selected_agent_id: str | None
    selected_agent_name: str | None
    composite_score: float | None = Field(description="Null where nobody was chosen or the method has no score.")
    status: str = Field(description="routed or unrouted; in a replay answered, abandoned, flowed_out or unserved.")
    wait_s: float | None = Field(default=None, description="In a replay, of everybody. [s]")
    start_at: datetime | None = Field(default=None, description="In a replay: when an agent answered.")
    end_at: datetime | None = Field(default=None, description="In a replay: when the agent was free of it.")


class Percentiles(Answer):
    """Waits that so many percent do not exceed; null where nobody is counted."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Waits(Answer):
    """Counts and waits of interactions; null where a measure is undefined."""

    offered: int = Field(description="answered + abandoned + flowed_out + unserved.")
    answered: int
    abandoned: int
    flowed_out: int = Field(description="Left by an exit of the flow, not by the customer's choice.")
    unserved: int = Field(description="Neither answered nor gone when the replay ended.")
    short_abandoned: int = Field(description="Abandoned within short_abandon_s.")
    unknown_wait: int = Field(description="Interactions without a known wait; none in a replay.")
    service_level: float | None = Field(description="By the definition asked for.")
    abandonment_share: float | None = Field(description="abandoned / offered.")
    asa_s: float | None = Field(description="Mean wait of those answered. [s]")
    mean_wait_s: float | None = Field(description="Mean wait of all. [s]")
    wait_s: Percentiles = Field(description="Waits of all. [s]")
    answered_wait_s: Percentiles = Field(description="Waits of those answered. [s]")
    max_wait_s: float | None
    mean_queue_length: float | None = Field(description="Waiting at once, on average over the span of the replay.")
    longest_queue: int = Field(description="Most who waited at once.")


class QueueWaits(Waits):
    """One queue."""

    queue_id: str
    queue_name: str | None
    goal_s: float = Field(description="Longest wait within its goal. [s]")


class IntervalWaits(Answer):
    """One interval of the day, interactions counted where they arrived."""

    start: datetime
    offered: int
    answered: int
    abandoned: int
    flowed_out: int
    unserved: int
    service_level: float | None
    asa_s: float | None
    mean_wait_s: float | None
    queue_length: float = Field(description="Waiting at once, on average.")


class ServiceLevel(Waits):
    """Waits, abandonment and occupancy of the scenario; the first draw where there are several."""

    definition: str
    short_abandon_s: float
    goal: str = Field(description="SHARE/SECONDS, or each queue's own.")
    occupancy: float | None = Field(description="Busy seconds inside blocks over staffed seconds.")
    overrun_s: float = Field(description="Worked after the end of a block. [s]")
    choice_share: float | None = Field(description="Interactions that found two or more eligible free agents, 0 to 1.")
    idle_while_waiting_s: float = Field(
        description="Waiting while a qualified agent sat free, because of the threshold, a ring or a rule. [s]"
    )
    idle_while_waiting_share: float | None = Field(description="The same over all waiting.")
    by_queue: list[QueueWaits]
    by_interval: list[IntervalWaits] = Field(description="In order; where nobody arrived or waited there is none.")


class Interval(Answer):
    """A 95 % interval."""

    low: float
    high: float


class Intervals(Answer):
    """By measure; null where there are fewer than five days."""

    service_level: Interval | None
    asa_s: Interval | None
    mean_wait_s: Interval | None
    abandonment: Interval | None
    occupancy: Interval | None
    gini: Interval | None


class ReplayColumn(Answer):
    """One rule over the same customers; counts and measures are means over draws."""

    name: str = Field(description="recorded; today: the rule in force, replayed; scenario; without: weights not moved.")
    rule: str
    offered: float
    answered: float
    abandoned: float
    flowed_out: float
    unserved: float
    service_level: float | None
    asa_s: float | None
    mean_wait_s: float | None
    abandonment: float | None
    occupancy: float | None
    gini: float | None
    intervals: Intervals


class Light(Answer):
    """Whether today's rule, replayed, reproduces the record well enough to carry a verdict."""

    color: str = Field(description="green, red, or unknown where waits are not recorded.")
    asa_off: float | None = Field(description="ASA against the recorded one, as a share.")
    service_level_off: float | None = Field(description="Service level less the recorded one.")
    why: str
    forced: bool = Field(description="Whether force gave a verdict although it is red.")


class Difference(Answer):
    """A paired difference with its 95 % interval; null where undefined."""

    value: float | None
    low: float | None
    high: float | None
    says: str = Field(description="better, worse, more, less, no clear difference, or undefined.")


class Differences(Answer):
    """By measure."""

    service_level: Difference
    asa_s: Difference
    mean_wait_s: Difference
    abandonment: Difference
    occupancy: Difference
    gini: Difference


class Move(Answer):
    """A change of the weights of one queue under a rolling goal."""

    at_us: int = Field(description="Microseconds since 1970, UTC.")
    queue_id: str
    performance: float | None = Field(description="Share achieved; null where nothing happened.")
    moved: bool = Field(description="Whether a rule of the goal applies; if not, the weights are as given.")
    weights: list[float] = Field(description="proficiency, language_match, historical_csat.")


class GoalEffect(Answer):
    """What moving the weights did."""

    goal: str
    performance: float | str
    without: ReplayColumn = Field(description="The same scenario with the weights as given.")
    difference: Differences = Field(description="The scenario less the one without.")
    n_moves: int
    moves: list[Move] = Field(description="The first 2,000, of the first draw.")
    note: str


class Replay(Answer):
    """What a replay says besides: three rules on the same customers, and whether that can be trusted."""

    headline: str
    columns: list[ReplayColumn] = Field(description="recorded, today and scenario, in this order.")
    light: Light
    differences: Differences | None = Field(description="Scenario less today; null where the light is red.")
    verdict: str
    satisfaction_against_today: dict[str, Any] | None
    goal: GoalEffect | None = Field(description="Null where the goal moved nothing.")
    estimates: dict[str, Any] = Field(description="How handling, patience and staffing were filled in, and how much.")
    replications: int
    intervals: str = Field(description="What the intervals mean.")


class BatchAnswer(Answer):
    """The content of report.json, and outcomes where asked for."""

    mode: str
    headline: str = Field(description="What the numbers are, and are not.")
    scenario: dict[str, Any] = Field(description="All that is needed to run it again.")
    weights_used: WeightsUsed
    snapshot: dict[str, Any] = Field(description="Name, hash, counts, repairs and assumptions of the data.")
    routed: int = Field(description="Interactions with a chosen agent; in a replay those answered.")
    unrouted: Unrouted
    preference: dict[str, Any] | None = Field(
        description="Score mode: the busiest agent and the implied peak. Null in a replay."
    )
    fairness: Fairness
    agents: list[AgentShare]
    csat: dict[str, Any]
    service_level: ServiceLevel | None = Field(description="Null in score mode.")
    replay: Replay | None = Field(description="Null in score mode.")
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
