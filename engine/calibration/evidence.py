"""What a calibration says: what was fitted and tried, and how it stands beside the record on the days tested."""

from __future__ import annotations

from dataclasses import dataclass

from engine.calibration.desks import DeskFit
from engine.calibration.drift import Drift
from engine.measures.light import Light
from engine.results import about


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Measures of some interactions; null where undefined."""

    asa_s: float | None = about("Mean wait of those answered. [s]")
    abandonment: float | None = about("abandoned / offered.")
    service_level: float | None = about("Share within the goal. [0-1]")
    mean_wait_s: float | None = about("Mean wait of all. [s]")


@dataclass(frozen=True, kw_only=True)
class Recorded(Measured):
    """Measures of some interactions as recorded; null where undefined."""

    offered: float = about("Interactions. [count]")


@dataclass(frozen=True, kw_only=True)
class RecordedWhole(Recorded):
    """Measures of all interactions of a span as recorded; null where undefined."""

    occupancy: float | None = about("Busy over staffed seconds.")


@dataclass(frozen=True, kw_only=True)
class MeasuredWhole(Measured):
    """Measures of all interactions of a span; null where undefined."""

    occupancy: float | None = about("Busy over staffed seconds.")


@dataclass(frozen=True)
class Limits:
    """Where 95 % of the draws lie; null where undefined."""

    low: float | None = about("Lower end.")
    high: float | None = about("Upper end.")


@dataclass(frozen=True, kw_only=True)
class Band:
    """Where 95 % of the draws lie, by measure."""

    asa_s: Limits = about("Of the mean wait of those answered. [s]")
    abandonment: Limits = about("Of abandoned / offered.")
    service_level: Limits = about("Of the share within the goal. [0-1]")
    mean_wait_s: Limits = about("Of the mean wait of all. [s]")


@dataclass(frozen=True, kw_only=True)
class BandWhole(Band):
    """The same of all interactions of a span."""

    occupancy: Limits = about("Of busy over staffed seconds.")


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Some interactions as recorded, and as replayed calibrated."""

    recorded: Recorded = about("As recorded.")
    calibrated: Measured = about("As replayed, the mean over draws.")
    band: Band = about("Where the draws lie.")


@dataclass(frozen=True, kw_only=True)
class MonthBeside(Beside):
    """A calendar month of a span."""

    span: str = about("fit or test.")
    month: str = about("YYYY-MM.")
    light: Light = about("Whether the replay reproduces the record of the month.")


@dataclass(frozen=True, kw_only=True)
class WeekdayBeside(Beside):
    """A day of the week."""

    weekday: int = about("0 is Monday.")
    days: int = about("Days on which something arrived. [count]")


@dataclass(frozen=True, kw_only=True)
class TimeBeside(Beside):
    """A half hour of the day."""

    start: str = about("HH:MM, local.")


@dataclass(frozen=True, kw_only=True)
class TypeBeside(Beside):
    """A call type."""

    queue_id: str = about("Id of the queue.")
    skills: list[str] | None = about("Required skills.")
    language: str | None = about("Required language; null where any will do.")
    priority: float = about("Priority. [points]")


@dataclass(frozen=True, kw_only=True)
class DayBeside(Beside):
    """A local day."""

    day: str = about("YYYY-MM-DD.")
    agents: int = about("Agents on queue. [count]")


@dataclass(frozen=True, kw_only=True)
class Closeness:
    """Errors of single replays over days or half hours, weighted by interactions; null where undefined."""

    spread: float | None = about("Standard deviation of the recorded values.")
    rmse_defaults: float | None = about("Root mean square error before calibration.")
    correlation_defaults: float | None = about("Correlation with the record before calibration.")
    rmse: float | None = about("Root mean square error, the mean over draws.")
    correlation: float | None = about("Correlation with the record, the mean over draws.")
    rmse_between_draws: float | None = about("Root mean square difference between draws.")


@dataclass(frozen=True, kw_only=True)
class SpanAgreement:
    """A span as recorded, as replayed before calibration and as replayed calibrated."""

    recorded: RecordedWhole = about("As recorded.")
    defaults: MeasuredWhole = about("As replayed before calibration.")
    calibrated: MeasuredWhole = about("As replayed calibrated, the mean over draws.")
    band: BandWhole = about("Where the draws lie.")
    light_defaults: Light = about("Whether the replay reproduced the record before calibration.")
    light: Light = about("Whether it does now.")
    closeness: dict[str, dict[str, Closeness]] = about("By day and half_hour, then by measure.")
    outside_blocks: float | None = about("Share of replayed work after blocks have ended. [0-1]")
    weekdays: list[WeekdayBeside] = about("By day of the week.")
    times: list[TimeBeside] = about("By half hour of the day.")
    types: list[TypeBeside] = about("By call type.")
    hours: dict[str, Beside] = about("first: the hour after opening; last: the one before closing; between.")
    days: list[DayBeside] = about("By day.")


@dataclass(frozen=True)
class Tried:
    """A pair of assumptions that was tried."""

    join_gap_s: float = about("Gaps between services up to this are joined. [s]")
    acw_s: float = about("After-call work. [s]")
    loss: float = about("Distance from the record, the mean over draws.")
    draws: int = about("Draws. [count]")
    distances: dict[str, dict[str, float | None]] = about("By grain and measure, of the first draw.")


@dataclass(frozen=True)
class Changeable:
    """Assumptions that a calibration may change, or that go with those."""

    join_gap_s: float = about("Gaps between services up to this are joined. [s]")
    acw_s: float = about("After-call work where none is recorded. [s]")
    lead_s: float = about("On queue before the first service of a block. [s]")
    tail_s: float = about("On queue after the last. [s]")
    point_s: float = about("Head start of a point of priority. [s]")


@dataclass(frozen=True)
class SpanDays:
    """Days of a span and what is recorded on them."""

    first: str = about("First day.")
    last: str = about("Last day, included.")
    days: int = about("Days on which something arrived. [count]")
    interactions: int = about("Of these days. [count]")
    answered: int = about("Of them answered. [count]")
    answered_by_nobody_named: int = about("Of these without a known agent. [count]")


@dataclass(frozen=True)
class Pauses:
    """Time from a service to its agent's next while somebody was waiting; null where nothing was seen."""

    n: int = about("Pauses that began while somebody waited. [count]")
    join_gap_s: float = about("Longer ones are taken for time off queue. [s]")
    median_s: float | None = about("Median. [s]")
    mean_s: float | None = about("Mean of those up to the gap. [s]")


@dataclass(frozen=True)
class CreditShares:
    """How often each candidate for the head start of priority agrees with whom freed agents took."""

    since: str | None = about("First day; null where nothing was compared.")
    n_exits: int = about("Exits from the queue that were compared. [count]")
    n_days: int = about("Days on which they happened. [count]")
    agreement: list[float] | None = about("Share of the exits by candidate.")
    best_s: float | None = about("Candidate with the largest share. [s]")
    stands_out: bool = about("Whether it is clearly ahead of all others.")
    lead_low: list[float] | None = about("Lower ends of how far the best is ahead, by candidate.")
    lead_high: list[float] | None = about("Upper ends of the same.")
    other_peaks_s: list[float] = about("Other candidates clearly above their neighbours. [s]")


@dataclass(frozen=True)
class Credit:
    """Which head start of priority the log speaks for."""

    verdict: str = about("In words.")
    best_s: float | None = about("Head start of a step that stands out; null where none does. [s]")
    point_s: float | None = about("The same of one point. [s]")
    priorities: list[float] = about("Priorities that occur, rising. [points]")
    candidates_s: list[float] = about("Head starts that were tried. [s]")
    by: str = about("What a period is: day, week or month.")
    counts: dict[str, int] = about("Answered interactions, by whether their order can be compared. [count]")
    whole: CreditShares = about("Over all exits.")
    periods: list[CreditShares] = about("By period.")
    steps: list[Credit] = about("The same of each two neighbouring priorities.")


@dataclass(frozen=True)
class ClassPeriod:
    """The step of a class in a month."""

    since: str = about("First day.")
    n_exits: int = about("Exits that were compared. [count]")
    best_s: float = about("Candidate with the largest share. [s]")
    ties_s: list[float] = about("Others that are not clearly behind it. [s]")


@dataclass(frozen=True, kw_only=True)
class HeadStart:
    """A class of priority over the one below."""

    priority: float = about("Priority of the class. [points]")
    over: float = about("Priority of the class below. [points]")
    step_s: float = about("Head start over the class below that agrees best, other classes at their best. [s]")
    head_start_s: float = about("Head start over the lowest class. [s]")
    stands_out: bool = about("Whether the step is clearly ahead of all others that were tried.")
    agreement: list[float] = about("Share of the exits by candidate.")
    ties_s: list[float] = about("Other steps that are not clearly behind. [s]")
    periods: list[ClassPeriod] = about("By month.")


@dataclass(frozen=True)
class HeadStartTest:
    """Head starts by class on the days held out; null where nothing could be compared."""

    n_exits: int = about("Exits that were compared. [count]")
    before: float | None = about("Share that agrees with what was assumed before.")
    fitted: float | None = about("Share that agrees with the fitted head starts.")

    @property
    def is_worse(self) -> bool:
        """Whether what was assumed before agrees better on days that were not fitted."""
        return self.fitted is not None and self.before is not None and self.fitted < self.before


@dataclass(frozen=True, kw_only=True)
class HeadStarts:
    """Head start by class of priority."""

    verdict: str = about("In words.")
    candidates_s: list[float] = about("Steps that were tried. [s]")
    n_exits: int = about("Exits of the days fitted that were compared. [count]")
    agreement: float | None = about("Share of them that agrees with the fitted head starts of all classes.")
    classes: list[HeadStart] = about("By class but the lowest.")
    test: HeadStartTest | None = about("The same head starts on the days held out.")


@dataclass(frozen=True, kw_only=True)
class DeskTest:
    """A desk on the days held out: its kind of call as recorded, and replayed without and with the desk."""

    desk_id: str = about("Queue in which a replay has the calls.")
    recorded: Recorded = about("As recorded.")
    before: Measured = about("Replayed with everybody an equal member who ever took such calls.")
    after: Measured = about("Replayed with the desk, and no other.")
    off_before: float = about("Root mean square of ASA, abandonment and service level off, in limits of the light.")
    off_after: float = about("The same with the desk.")
    adopted: bool = about("Whether it is used.")


@dataclass(frozen=True, kw_only=True)
class Desks:
    """Who belongs to which desk, and whether that makes replays better."""

    verdict: str = about("In words.")
    desks: list[DeskFit] = about("By kind of call, as fitted on the days to fit.")
    tests: list[DeskTest] = about("Those that are not everybody alike, on the days held out.")


@dataclass(frozen=True)
class Origin:
    """The snapshot that a calibration was fitted on."""

    id: str | None = about("Name of the snapshot.")
    sha256: str | None = about("Hash of its content.")


@dataclass(frozen=True, kw_only=True)
class SearchSaid:
    """What was fitted, and what was tried."""

    fitted: list[str] = about("Assumptions that were searched.")
    not_fitted: dict[str, str] = about("Assumptions that the data say already, and why.")
    candidates: list[Tried] = about("All that were tried.")
    best_loss: float | None = about("Of the best.", optional=True)
    noise: float | None = about("Standard deviation of the loss between draws of one candidate.")
    as_good: dict[str, list[float]] = about("Lowest and highest value that one draw does not tell from the best.")
    at_edge: list[str] = about("Assumptions whose best value is the largest tried.")


@dataclass(frozen=True, kw_only=True)
class Evidence(SearchSaid):
    """All that speaks for a calibration, and against it."""

    snapshot: Origin = about("What it was fitted on.")
    rule: str = about("Today's rule.")
    goal: str = about("SHARE/SECONDS, or each queue's own.")
    seed: int = about("Of everything drawn.")
    draws: int = about("Replays of each span.")
    loss: str = about("What the loss is.")
    credit: Credit = about("Which head start of priority the log speaks for, the same for every step.")
    head_starts: HeadStarts | None = about("Head start by class; null with one class of priority, or very many.")
    desks: Desks = about("Who belongs to which desk.")
    spans: dict[str, SpanDays] = about("The days to fit and to test.")
    staffing: str = about("recorded or inferred.")
    assumptions: Changeable = about("As fitted.")
    defaults: Changeable = about("As before.")
    agreement: dict[str, SpanAgreement] = about("How close replays come on the days to fit and to test.")
    months: list[MonthBeside] = about("By calendar month.")
    drift: Drift = about("Whether what was fitted holds in every month, and from when not.")
    pauses: Pauses = about("What after-call work looks like from outside.")
    findings: list[str] = about("Where it fails, and why, one sentence or two each.")
