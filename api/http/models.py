"""What requests hold: strict models, one field per line, which also write the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from api.checks import shown, told
from api.http.inline.rows import ROW
from engine.errors import InvalidScenario
from engine.estimates.assumptions import FLOW_OUT, LONGEST_S, Assumptions, Switches
from engine.methods import METHODS
from engine.scoring.csat import QUEUE_MEAN
from engine.scoring.goals import ServiceLevelGoal
from engine.scoring.weights import LARGEST_WEIGHT, RoutingWeights
from engine.spec import ROLLING, Scenario

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2199, 12, 30)
NAME_CHARS = 300
MOST_SKILLS = 50
MOST_REPLICATIONS = 100
LONGEST_WINDOW_S = 1e6
# Times the largest priority of the table this still is a head start that 64 bits of microseconds hold.
LARGEST_POINT_S = 100_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: object) -> object:
    if not isinstance(value, str):
        raise told(f"found {shown(value)}", "write a day as text, for example 2024-03-01")
    try:
        day = date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError as error:
        raise told(f"found {shown(value)}", "write an existing day as YYYY-MM-DD, for example 2024-03-01") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise told(f"found {shown(value)}", f"use a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def _goal(value: str) -> str:
    try:
        ServiceLevelGoal.parse(value)
    except InvalidScenario as error:
        raise told(
            f"found {shown(value)}", "write SHARE/SECONDS, for example 80/20 for 80 % answered within 20 s"
        ) from error
    return value


def _no_deadline(value: object) -> object:
    if value is not None:
        raise told(
            f"found {shown(value)}",
            "a deadline cannot be kept yet, batches are always answered directly; leave it out",
        )
    return value


def _number_or(high: float, *words: str) -> Callable[[object], object]:
    """A check for a number from 0 on, or one of some words."""
    remedy = f"write a number from 0 to {high:,.12g}, or {' or '.join(map(shown, words))}"

    def check(value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (value in words or (number and 0 <= value <= high)):  # type: ignore[operator]
            raise told(f"found {shown(value)}", remedy)
        return value

    return check


def _number_or_schema(high: float, *words: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": high}, {"enum": [*words]}]})


def _about_methods() -> str:
    planned = [name for name, method in METHODS.items() if method.planner is not None]
    others = "; ".join(f"{name}: {method.about}" for name, method in METHODS.items() if name not in planned)
    return f"Routing method: {' or '.join(planned)}, by the score; in a replay also {others}."


def _tried(given: ValidationInfo, before: tuple[str, ...], name: str, value: Any) -> Any:
    """The value, if the engine takes it together with fields that stand before it; its refusal belongs to the value."""
    if not all(field in given.data for field in before):
        return value  # one of them is refused already
    fields = {{"sla_target": "goal"}.get(field, field): given.data[field] for field in before}
    try:
        Scenario(**fields, **{name: value})
    except InvalidScenario as error:
        what, _, remedy = str(error).partition("; ")
        raise told(what, remedy) from error
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Goal = Annotated[str, StringConstraints(max_length=40), AfterValidator(_goal)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=LARGEST_WEIGHT)]
Required = Annotated[list[Literal["skills", "language"]], Field(max_length=2)]
CsatMissing = Annotated[float | str, BeforeValidator(_number_or(1, QUEUE_MEAN)), _number_or_schema(1, QUEUE_MEAN)]
Performance = Annotated[float | str, BeforeValidator(_number_or(1, ROLLING)), _number_or_schema(1, ROLLING)]
FlowOut = Annotated[
    float | str, BeforeValidator(_number_or(LONGEST_S, *FLOW_OUT)), _number_or_schema(LONGEST_S, *FLOW_OUT)
]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_S)]
Window = Annotated[float, Field(ge=1, le=LONGEST_WINDOW_S)]
MethodName = Literal[
    "weighted", "genesys", "bullseye", "preferred_agent", "longest_idle", "fastest_first", "fixed_order", "random"
]
Rows = Annotated[
    list[Any] | None,
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1, "items": ROW.json_schema()}, {"type": "null"}]}),
]


class Strict(BaseModel):
    """No unknown field, no other type, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Weights(Strict):
    """Weights of the three terms of a score, and the least score that counts; at least one of the three above 0."""

    proficiency: Weight = Field(default=0.4, description="Weight of the skill term.")
    language_match: Weight = Field(default=0.3, description="Weight of the language term.")
    historical_csat: Weight = Field(default=0.3, description="Weight of the satisfaction term.")
    min_score_threshold: Weight = Field(default=0.5, description="Scores below it do not count.")

    def plain(self) -> RoutingWeights:
        """As the engine reads them."""
        return RoutingWeights(**self.model_dump())


class RoutingRequest(Strict):
    """One request to be routed: who would be chosen, and how fair the same weights are for its queue."""

    queue_id: Name = Field(description="Queue whose members are candidates.")
    required_skill: Name | None = Field(default=None, description="Skill required; null for none.")
    required_language: Name | None = Field(default=None, description="Language required; null for none.")
    sla_target: Goal | None = Field(
        default="80/20", description="Service-level goal, SHARE/SECONDS; may move the weights."
    )
    current_performance: Share = Field(default=0.80, description="Share now achieved within the goal, 0 to 1.")
    start_date: Day = Field(description="First day of the window, YYYY-MM-DD in the time zone of the snapshot.")
    end_date: Day = Field(description="Last day of the window, its whole day included; surveys up to its end count.")
    snapshot: Name | None = Field(default=None, description="Name of a snapshot; null for the newest.")
    required_skills: Annotated[list[Name], Field(max_length=MOST_SKILLS)] = Field(
        default=[], description="Further required skills."
    )
    weights: Weights = Field(default=Weights(), description="Weights before the goal moves them.")
    top: Annotated[int, Field(ge=1, le=10_000)] = Field(default=5, description="How many ranked agents to list.")
    required: Required = Field(default=[], description="Hard filters: skills, language, both or none.")
    explain: bool = Field(default=False, description="Add every agent with its terms and the reason it lost.")
    live: bool = Field(
        default=False,
        description=(
            "Ask the platform who is on queue now and rank those who can take the request; satisfaction and fairness "
            "come from the snapshot. While the platform cannot be asked the snapshot answers, see source and degraded; "
            "refused where no credentials are set."
        ),
    )

    def scenario(self) -> Scenario:
        """The scenario that ranks the request; surveys of the whole window count."""
        return Scenario(
            weights=self.weights.plain(),
            goal=self.sla_target,
            performance=self.current_performance,
            required=tuple(self.required),
            csat="all",
        )

    def skills(self) -> list[str]:
        """All required skills."""
        return [*([] if self.required_skill is None else [self.required_skill]), *self.required_skills]


class ReplayAssumptions(Strict):
    """What history does not say, and a replay must assume."""

    join_gap_s: Seconds = Field(
        default=900.0, description="Without staffing: services of an agent with no longer a gap are one block. [s]"
    )
    lead_s: Seconds = Field(default=0.0, description="Time on queue added before such a block. [s]")
    tail_s: Seconds = Field(default=0.0, description="Time on queue added after such a block. [s]")
    acw_s: Seconds = Field(default=0.0, description="After-call work added where an interaction records none. [s]")
    handling: Literal["recorded", "agent"] = Field(
        default="recorded", description="Whether recorded handling times hold for everybody or change with the agent."
    )
    patience: Literal["estimated", "never"] = Field(
        default="estimated", description="Whether customers leave after a recorded or estimated time, or never."
    )
    flow_out: FlowOut = Field(
        default="recorded", description="When interactions that flowed out leave if still unanswered. [s]"
    )
    point_s: Annotated[float, Field(ge=0, le=LARGEST_POINT_S)] = Field(
        default=60.0, description="Head start in waiting of one point of priority. [s]"
    )
    no_answer: Annotated[float, Field(ge=0, le=0.95)] = Field(
        default=0.0, description="Share of alerts that agents do not answer."
    )
    timeout_s: Seconds = Field(
        default=15.0, description="Length of such an alert; a queue's own alerting time-out beats it. [s]"
    )
    away_s: Seconds = Field(default=60.0, description="How long an agent who did not answer gets nothing. [s]")

    def plain(self) -> Assumptions:
        """As the engine reads them."""
        return Assumptions(**self.model_dump())


class RoutingSwitches(Strict):
    """Where sources on the platform's routing differ; the defaults are the better attested."""

    language_in_mean: bool = Field(
        default=False, description="Whether the language's level counts in the mean proficiency of BEST."
    )
    alert_resets_idle: bool = Field(default=False, description="Whether a missed alert puts the agent at the back.")
    resets_on_queue: bool = Field(default=False, description="Whether coming on queue puts the agent at the back.")
    new_agents_last: bool = Field(
        default=False, description="Whether agents who have handled nothing yet come after all others."
    )
    lookback_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        default=7.0, description="How far back handled interactions count for idle time; 0 for ever. [days]"
    )
    longest_idle: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=100, description="How many of the longest idle BEST looks at; 0 for all."
    )

    def plain(self) -> Switches:
        """As the engine reads them."""
        return Switches(**self.model_dump())


class BatchRequest(Strict):
    """A scenario to be run over a snapshot, or over interactions given here."""

    snapshot: Name | None = Field(
        default=None, description="Name of a snapshot, null for the newest; its agents also serve inline interactions."
    )
    interactions: Rows = Field(
        default=None,
        description=(
            "Interactions to route in place of those of the snapshot. arrived_at in all or in none: without it "
            "every survey counts. queue_id in all or in none: without it every agent is a candidate."
        ),
    )
    mode: Literal["score", "replay"] = Field(
        default="score",
        description=(
            "score: nobody is ever busy. replay: agents are busy, customers wait and leave; it needs handling times, "
            "and staffing or who answered what. The first replay after a start loads compiled code: half a second, "
            "or some seconds where this machine has none yet."
        ),
    )
    method: MethodName = Field(default="weighted", description=_about_methods())
    weights: Weights = Field(default=Weights(), description="Weights before the goal moves them.")
    sla_target: Goal | None = Field(
        default=None,
        description=(
            "Service-level goal, SHARE/SECONDS; may move the weights. A replay measures its seconds, or each queue's "
            "own where it is null."
        ),
    )
    current_performance: Performance = Field(
        default=0.80,
        description="Share now achieved within the goal, 0 to 1; rolling: measured by queue while a replay goes on.",
    )
    required: Required = Field(default=[], description="Hard filters: skills, language, both or none.")
    expected: Literal["eligible", "uniform", "staffed"] = Field(
        default="eligible", description="What fairness compares with."
    )
    csat: Literal["asof", "all"] | None = Field(
        default=None,
        description=(
            "Surveys completed before the UTC day of each interaction, or all of them; null for asof, or all "
            "where interactions have no arrived_at."
        ),
    )
    csat_missing: CsatMissing = Field(default=0.5, description="Satisfaction term of agents without surveys.")
    csat_shrinkage: Annotated[float, Field(ge=0, le=1e6)] = Field(
        default=0.0, description="Surveys' worth of pull toward the mean in the score."
    )
    language_term: Literal["binary", "proficiency"] = Field(
        default="binary", description="1 for having the language, or its level / 5."
    )
    seed: Annotated[int, Field(ge=0, le=2**53)] = Field(
        default=0, description="Of everything drawn: patience, handling times not recorded, methods that draw."
    )
    window_s: Window = Field(default=1800.0, description="Rolling performance: how far it looks back. [s]")
    replan_s: Window = Field(default=900.0, description="Rolling performance: how often weights are moved. [s]")
    service_level: Literal["genesys", "offered", "answered"] = Field(
        default="genesys",
        description=(
            "Replay, what the service level is a share of: genesys: (answered - over) / (answered + abandoned - "
            "short); offered: answered within / offered; answered: answered within / answered."
        ),
    )
    short_abandon_s: Annotated[float, Field(ge=0, le=LONGEST_WINDOW_S)] = Field(
        default=0.0, description="Replay: abandonments up to this wait do not count against it; 0: all count. [s]"
    )
    interval_min: Literal[15, 30, 60] = Field(default=30, description="Replay: length of the intervals reported. [min]")
    replications: Annotated[int, Field(ge=1, le=MOST_REPLICATIONS)] = Field(
        default=1, description="Replay: how often what is not recorded is drawn."
    )
    assumptions: ReplayAssumptions = Field(
        default=ReplayAssumptions(), description="Replay: what history does not say and is assumed."
    )
    switches: RoutingSwitches = Field(
        default=RoutingSwitches(), description="Replay: where sources on the platform's routing differ."
    )
    force: bool = Field(
        default=False,
        description="Replay: give a verdict even where today's rule, replayed, does not reproduce the record.",
    )
    start_date: Day | None = Field(
        default=None, description="First day, in the time zone of the snapshot; null for all."
    )
    end_date: Day | None = Field(default=None, description="Last day, its whole day included; null for all.")
    outcomes: bool = Field(default=False, description="Add one row per interaction; only for interactions given here.")
    answer_within_s: Annotated[None, BeforeValidator(_no_deadline)] = Field(
        default=None, description="Reserved; batches are answered directly, however long they take."
    )

    @field_validator("method")
    @classmethod
    def _method_fits(cls, method: str, given: ValidationInfo) -> str:
        return _tried(given, ("mode",), "method", method)

    @field_validator("current_performance")
    @classmethod
    def _performance_fits(cls, performance: float | str, given: ValidationInfo) -> float | str:
        return _tried(given, ("mode", "sla_target"), "performance", performance)

    def scenario(self, timed: bool) -> Scenario:
        """The scenario to run.

        Parameters
        ----------
        timed : bool
            Whether the interactions have times; without them all surveys count.
        """
        return Scenario(
            mode=self.mode,
            method=self.method,
            weights=self.weights.plain(),
            goal=self.sla_target,
            performance=self.current_performance,
            required=tuple(self.required),
            expected=self.expected,
            csat=self.csat or ("asof" if timed else "all"),
            csat_missing=self.csat_missing,
            csat_shrinkage=self.csat_shrinkage,
            language=self.language_term,
            seed=self.seed,
            window_s=self.window_s,
            replan_s=self.replan_s,
            service_level=self.service_level,
            short_abandon_s=self.short_abandon_s,
            interval_min=self.interval_min,
            replications=self.replications,
            assumptions=self.assumptions.plain(),
            switches=self.switches.plain(),
        )
