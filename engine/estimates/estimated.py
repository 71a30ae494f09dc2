"""What a report says of estimates: what was recorded, what was filled in, from what, and how much."""

from __future__ import annotations

from dataclasses import dataclass

from engine.results import about


@dataclass(frozen=True)
class Range:
    """Lowest, middle and highest of several values; null for infinite."""

    low: float | None = about("Lowest.")
    middle: float | None = about("Middle, of two the lower.")
    high: float | None = about("Highest.")


@dataclass(frozen=True, kw_only=True)
class StaffingEstimate:
    """Where the blocks on queue come from, and how many hours they are."""

    source: str = about("recorded or inferred.")
    how: str = about("The same in words.")
    join_gap_s: float | None = about("Gaps between services up to this are joined. [s]", optional=True)
    lead_s: float | None = about("On queue before the first service of a block. [s]", optional=True)
    tail_s: float | None = about("On queue after the last. [s]", optional=True)
    acw_s: float | None = about("After-call work assumed where none is recorded. [s]", optional=True)
    services: int | None = about("Services that blocks are inferred from. [count]", optional=True)
    services_without_handle_s: int | None = about("Left out, as they have no handling time. [count]", optional=True)
    overlapping_services: int | None = about("Services that begin before the last has ended. [count]", optional=True)
    answered_by_nobody_named: int = about("Answered interactions that name no agent. [count]")
    answered_by_unknown_agents: int = about("Answered interactions whose agent is not in agents. [count]")
    blocks: int = about("Blocks on queue. [count]")
    agents: int = about("Agents with any block. [count]")
    hours: float = about("On queue, all agents together. [h]")
    hours_not_counted: float = about(
        "Of them on days on which nothing arrived; occupancy and staffed time leave them out. [h]"
    )


@dataclass(frozen=True, kw_only=True)
class FactorsEstimate:
    """Handling time of agents relative to others: given with the data, or estimated."""

    source: str = about("given or estimated.")
    rows: int | None = about("Factors given. [count]", optional=True)
    agents: int | None = about("Agents with an estimate. [count]", optional=True)
    interactions: int | None = about("Interactions that it rests on. [count]", optional=True)
    factor: Range = about("Factors over agents.")
    factor_by_skills: Range | None = about("Factors over agents and sets of skills.", optional=True)
    interactions_by_agent: Range | None = about("Interactions over agents. [count]", optional=True)
    weight_of_own_data: Range | None = about("How far an agent's own times count, over agents. [0-1]", optional=True)
    agent_sd: float | None = about("Standard deviation of true factors between agents.", optional=True)
    skill_sd: float | None = about("The same within an agent, between sets of skills.", optional=True)
    noise_cv: float | None = about("Coefficient of variation of single handling times.", optional=True)


@dataclass(frozen=True, kw_only=True)
class HandlingEstimate:
    """Handling times: what was recorded, drawn and estimated."""

    handling: str = about("recorded: times hold for every agent; agent: they change with the agent.")
    interactions: int = about("Of the replay. [count]")
    recorded: int = about("With a handling time. [count]")
    drawn: int = about("Without one, so drawn from others. [count]")
    share_drawn: float | None = about("The same over all. [0-1]")
    acw_s: float = about("After-call work added where none is recorded. [s]")
    acw_added: int = about("Interactions to which it was added. [count]")
    drawn_from: dict[str, int] = about("Drawn by what they were drawn from: call type, queue, media, all. [count]")
    how: str = about("Where the times come from, in words.")
    factors: FactorsEstimate | None = about("Relative to other agents; null where times hold for every agent.")


@dataclass(frozen=True, kw_only=True)
class PatienceCounts:
    """Interactions by what is known of their patience."""

    interactions: int = about("Of the replay. [count]")
    patience_recorded: int = about("With patience_s. [count]")
    abandoned_with_wait: int = about("Abandoned after a recorded wait. [count]")
    abandoned_without_wait: int = about("Abandoned after nobody knows how long. [count]")
    abandoned_from_other_media: int = about("Of them drawn from other media, since none of theirs has a wait. [count]")
    drawn: int = about("Of unknown patience, so drawn, beyond their wait where they have one. [count]")
    callbacks: int = about("Callbacks, which are never given up. [count]")
    flow_outs: int = about("Left by an exit of the flow, or ended without an answer. [count]")
    flow_outs_without_wait: int = about("Of them without a recorded wait. [count]")
    ended_unanswered: int = about("Of them with neither an agent nor a mark of abandonment. [count]")
    never_leave: int = about("Whoever waits for ever. [count]")


@dataclass(frozen=True, kw_only=True)
class PatienceLevel:
    """Curves of patience of one level; of several curves the lowest, middle and highest value."""

    level: str = about("call_type, queue, all of the media, or all_media.")
    curves: int = about("How many. [count]")
    abandoned: int = about("Abandonments that they rest on. [count]")
    censored: int = about("Interactions answered before they lost patience. [count]")
    drawn: int = about("Interactions drawn from them. [count]")
    median_s: Range = about("Median patience. [s]")
    restricted_mean_s: Range = about("Mean patience up to the last abandonment. [s]")
    restricted_to_s: Range = about("The last abandonment. [s]")
    tail_per_s: Range = about("Rate of leaving beyond it. [1/s]")


@dataclass(frozen=True, kw_only=True)
class PatienceEstimate:
    """When customers leave: what was recorded, what was drawn, and the curves."""

    patience: str = about("estimated or infinite.")
    flow_out: float | str = about("recorded, or after how long exits of the flow happen. [s]")
    how: str = about("The same in words.")
    counts: PatienceCounts = about("Interactions by what is known of them.")
    replays_abandonment: bool = about("Whether abandonment can be replayed: false where no abandoned wait is known.")
    share_recorded: float | None = about("Recorded over all. [0-1]")
    share_drawn: float | None = about("Drawn beyond the recorded wait over all. [0-1]")
    share_from_tail: float | None = about("Drawn from the tail of a curve over all. [0-1]")
    levels: list[PatienceLevel] = about("Curves by level.")


@dataclass(frozen=True)
class Estimates:
    """How staffing, handling times and patience were filled in, and how much."""

    staffing: StaffingEstimate = about("When agents were on queue.")
    handling: HandlingEstimate = about("How long interactions take.")
    patience: PatienceEstimate = about("When customers leave.")
