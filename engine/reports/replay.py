"""What a replay says besides: rules side by side on the same customers, and whether that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from engine.estimates.estimated import Estimates
from engine.measures.intervals import Interval, Paired
from engine.measures.light import Light
from engine.measures.satisfaction import SatisfactionAgainst
from engine.measures.waits import IdleCauses
from engine.replay.playing import Move
from engine.reports.factors import FactorsUsed
from engine.results import about

MEASURES = ("service_level", "asa_s", "mean_wait_s", "abandonment", "occupancy", "gini")
# Of a measure that no replay of this record can tell.
NOT_RECORDED = "not recorded"
# Whether more is better; None where it depends.
BETTER = {"service_level": 1, "asa_s": -1, "mean_wait_s": -1, "abandonment": -1, "occupancy": None, "gini": -1}
WORDS = {
    "service_level": "service level", "asa_s": "ASA", "mean_wait_s": "mean wait", "abandonment": "abandonment",
    "occupancy": "occupancy", "gini": "Gini of interactions",
}  # fmt: skip


@dataclass(frozen=True)
class Intervals:
    """By measure; null where there are fewer than seven days."""

    service_level: Interval | None = about("Of the share within the goal.")
    asa_s: Interval | None = about("Of the mean wait of those answered. [s]")
    mean_wait_s: Interval | None = about("Of the mean wait of all. [s]")
    abandonment: Interval | None = about("Of abandoned / offered.")
    occupancy: Interval | None = about("Of busy over staffed seconds.")
    gini: Interval | None = about("Of the Gini of interactions.")


@dataclass(frozen=True)
class ReplayColumn:
    """One rule over the same customers; counts and measures are means over draws."""

    name: str = about("recorded; today: the rule in force, replayed; scenario; without: weights not moved.")
    rule: str = about("The rule in words.")
    offered: float = about("answered + abandoned + flowed_out + unserved.")
    answered: float = about("Answered by an agent. [count]")
    abandoned: float = about("Left by the customer's choice. [count]")
    flowed_out: float = about("Left by an exit of the flow. [count]")
    unserved: float = about("Neither answered nor gone when the replay ended. [count]")
    service_level: float | None = about("Share within the goal. [0-1]")
    asa_s: float | None = about("Mean wait of those answered. [s]")
    mean_wait_s: float | None = about("Mean wait of all. [s]")
    abandonment: float | None = about("abandoned / offered.")
    occupancy: float | None = about("Busy over staffed seconds.")
    gini: float | None = about(
        "Gini of interactions in the long run of such days; of the counts as they are under seven days."
    )
    choice_share: float | None = about("Interactions that found two or more able agents free; null of the record.")
    idle_while_waiting_s: float | None = about("Waiting beside a free able agent; null of the record. [s]")
    idle_while_waiting_share: float | None = about("The same over all waiting.")
    idle_causes: IdleCauses | None = about("What it comes from; adds up to it. Null of the record.")
    intervals: Intervals = about("95 % intervals of the measures.")
    factors: FactorsUsed | None = about(
        "What factors of agents did; left out where recorded times hold.", optional=True
    )


@dataclass(frozen=True)
class Difference(Paired):
    """A paired difference with its 95 % interval; null where undefined."""

    says: str = about("better, worse, more, less, no clear difference, undefined, or not recorded.")

    @classmethod
    def of(cls, measure: str, paired: Paired) -> Difference:
        """A difference and what it says of one measure."""
        return cls(paired.value, paired.low, paired.high, _says(BETTER[measure], paired))


def _says(better: int | None, paired: Paired) -> str:
    if paired.value is None or paired.low is None or paired.high is None:
        return "undefined"
    if paired.low <= 0 <= paired.high:
        return "no clear difference"
    if better is None:
        return "more" if paired.low > 0 else "less"
    return "better" if (paired.low > 0) == (better > 0) else "worse"


@dataclass(frozen=True)
class Differences:
    """By measure."""

    service_level: Difference = about("Of the share within the goal.")
    asa_s: Difference = about("Of the mean wait of those answered. [s]")
    mean_wait_s: Difference = about("Of the mean wait of all. [s]")
    abandonment: Difference = about("Of abandoned / offered.")
    occupancy: Difference = about("Of busy over staffed seconds.")
    gini: Difference = about("Of the Gini of interactions.")

    @property
    def is_nothing(self) -> bool:
        """Whether no measure that is defined differs at all, however days are drawn."""
        known = [each for each in (getattr(self, name) for name in MEASURES) if each.value is not None]
        return bool(known) and all(each.value == each.low == each.high == 0 for each in known)


@dataclass(frozen=True)
class VerdictLight(Light):
    """Whether today's rule, replayed, reproduces the record well enough to carry a verdict."""

    forced: bool = about("Whether force gave a verdict although it is red.")


@dataclass(frozen=True)
class GoalEffect:
    """What moving the weights did."""

    goal: str = about("SHARE/SECONDS.")
    performance: float | str = about("Share achieved within the goal, or rolling.")
    without: ReplayColumn = about("The same scenario with the weights as given.")
    difference: Differences = about("The scenario less the one without.")
    n_moves: int = about("Times that weights of a queue changed. [count]")
    moves: list[Move] = about("The first 2,000, of the first draw.")
    note: str = about("What moving weights cannot do.")


@dataclass(frozen=True)
class Replay:
    """What a replay says besides: three rules on the same customers, and whether that can be trusted."""

    headline: str = about("What the numbers are, and are not.")
    columns: list[ReplayColumn] = about("recorded, today and scenario, in this order; no scenario where that is today.")
    light: VerdictLight = about("Whether today's rule, replayed with recorded handling times, reproduces the record.")
    differences: Differences | None = about("Scenario less today; null where it is today, or the light is red.")
    verdict: str = about("The differences in words, or why there are none.")
    satisfaction_against_today: SatisfactionAgainst | None = about("Satisfaction expected, beside that under today.")
    goal: GoalEffect | None = about("Null where the goal moved nothing.")
    estimates: Estimates = about("How handling, patience and staffing were filled in, and how much.")
    replications: int = about("How often what is not recorded was drawn.")
    intervals: str = about("What the intervals mean.")
