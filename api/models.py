"""What requests hold: strict models, one field per line, which also write the documentation."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.checks import shown, told
from api.inline.rows import row_schema
from engine.csat import QUEUE_MEAN
from engine.errors import InvalidScenario
from engine.goals import ServiceLevelGoal
from engine.scenario import Scenario
from engine.weights import LARGEST_WEIGHT, RoutingWeights

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2199, 12, 30)
NAME_CHARS = 300
MOST_SKILLS = 50
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NOT_LIVE = "no connection to a platform is configured; leave live out and name a snapshot"


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


def _not_live(value: object) -> object:
    if value is True:
        raise told("found true", NOT_LIVE)
    return value


def _mode(value: object) -> object:
    if value == "replay":
        raise told('found "replay"', 'replay (busy agents and queues) is not part of this version; use "score"')
    return value


def _no_deadline(value: object) -> object:
    if value is not None:
        raise told(
            f"found {shown(value)}",
            "a deadline cannot be kept yet, batches are always answered directly; leave it out",
        )
    return value


def _csat_missing(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (value == QUEUE_MEAN or (number and 0 <= value <= 1)):  # type: ignore[operator]
        raise told(f"found {shown(value)}", f'write a number from 0 to 1, or "{QUEUE_MEAN}"')
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Goal = Annotated[str, StringConstraints(max_length=40), AfterValidator(_goal)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=LARGEST_WEIGHT)]
Required = Annotated[list[Literal["skills", "language"]], Field(max_length=2)]
CsatMissing = Annotated[
    float | str,
    BeforeValidator(_csat_missing),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"const": QUEUE_MEAN}]}),
]
Rows = Annotated[
    list[Any] | None,
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1, "items": row_schema()}, {"type": "null"}]}),
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
    live: Annotated[bool, BeforeValidator(_not_live)] = Field(
        default=False, description="Ask the platform instead of a snapshot; refused while no connection is configured."
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
    mode: Annotated[Literal["score"], BeforeValidator(_mode)] = Field(
        default="score", description="Nobody is ever busy."
    )
    method: Literal["weighted"] = Field(default="weighted", description="Routing method.")
    weights: Weights = Field(default=Weights(), description="Weights before the goal moves them.")
    sla_target: Goal | None = Field(
        default=None, description="Service-level goal, SHARE/SECONDS; may move the weights."
    )
    current_performance: Share = Field(default=0.80, description="Share now achieved within the goal, 0 to 1.")
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
        default=0, description="For methods that draw; kept in the report."
    )
    start_date: Day | None = Field(
        default=None, description="First day, in the time zone of the snapshot; null for all."
    )
    end_date: Day | None = Field(default=None, description="Last day, its whole day included; null for all.")
    outcomes: bool = Field(default=False, description="Add one row per interaction; only for interactions given here.")
    answer_within_s: Annotated[None, BeforeValidator(_no_deadline)] = Field(
        default=None, description="Reserved; batches are answered directly, however long they take."
    )

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
        )
