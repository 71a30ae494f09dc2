"""What requests hold: strict models whose settings are made from the engine's declaration."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from api.checks import shown, told
from api.http.inline.rows import ROW, InlineRows
from api.http.messages.fields import Day, Goal, Name, Strict, about, field_of, lever_field, made
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions, Switches
from engine.levers import LEVERS
from engine.scoring.scores import REQUIRED
from engine.scoring.weights import RoutingWeights
from engine.setting import declared
from engine.spec import TERMS, Scenario, scenario_of, settings
from engine.study import FIXED, Comparing, comparing

MOST_SKILLS = 50
KEPT_SCENARIOS = 256
SETTINGS = {one.name: one for one in settings()}


def _no_deadline(value: object) -> object:
    if value is not None:
        raise told(
            f"found {shown(value)}",
            "a deadline cannot be kept yet, batches are always answered directly; leave it out",
        )
    return value


def _tried(given: ValidationInfo, before: tuple[str, ...], name: str, value: Any) -> Any:
    """The value, if the engine takes it together with fields that stand before it; its refusal belongs to the value."""
    if not all(field in given.data for field in before):
        return value  # one of them is refused already
    names = {one.http: one.path[-1] for one in declared(Scenario)}
    fields = {names[field]: given.data[field] for field in before}
    try:
        Scenario(**fields, **{name: value})
    except InvalidScenario as error:
        what, _, remedy = str(error).partition("; ")
        raise told(what, remedy) from error
    return value


def _rows(value: object) -> object:
    """A list of rows was taken from the body as it was read; anything else that stands in its place is wrong."""
    if not (value is None or isinstance(value, InlineRows)):
        raise told(f"found {shown(value)}", "write a list in square brackets")
    return value


Share = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[
    Any,
    BeforeValidator(_rows),
    WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1, "items": ROW.json_schema()}, {"type": "null"}]}),
]
_LEVERS = {name: lever_field(name) for name in LEVERS}
if TYPE_CHECKING:
    # Made when the program runs, which a type checker cannot follow.
    Weights: TypeAlias = Any
    ReplayAssumptions: TypeAlias = Any
    RoutingSwitches: TypeAlias = Any
    StudyScenario: TypeAlias = Any
    Required: TypeAlias = Any
else:
    Weights = made(
        "Weights",
        "Weights of the three terms of a score, and the least score that counts; at least one of the three above 0.",
        declared(RoutingWeights),
    )
    ReplayAssumptions = made(
        "ReplayAssumptions", "What history does not say, and a replay must assume.", declared(Assumptions)
    )
    RoutingSwitches = made(
        "RoutingSwitches",
        "Where sources on the platform's routing differ; the defaults are the better attested.",
        declared(Switches),
    )
    # Settings and levers by their declared names, as scenario files hold them; what is left out is as in the baseline.
    StudyScenario = made(
        "StudyScenario", "A scenario of a study, or its baseline: a name, and what it changes.", (),
        **{"name": (Name | None, Field(default=None, description="Of its own; the baseline may do without."))},
        **{name: field_of(one, default=None) for name, one in SETTINGS.items() if name not in FIXED}, **_LEVERS,
    )  # fmt: skip
    # A request has no replay, so nothing stands for what the rule in force filters on.
    Required = Annotated[list[Literal[REQUIRED]], Field(max_length=len(REQUIRED))]


# Most clients send the same settings with every request, and checking them takes as long as ranking a thousand agents.
@lru_cache(maxsize=KEPT_SCENARIOS)
def _ranking(
    weights: tuple[tuple[str, float], ...], goal: str | None, performance: float, required: tuple[str, ...]
) -> Scenario:
    return Scenario(
        weights=RoutingWeights(**dict(weights)), goal=goal, performance=performance, required=required, csat="all"
    )


class RoutingRequest(Strict):
    """One request to be routed: who would be chosen, and how fair the same weights are for its queue."""

    queue_id: Name = Field(description="Queue whose members are candidates.")
    required_skill: Name | None = Field(default=None, description="Skill required; null for none.")
    required_language: Name | None = Field(default=None, description="Language required; null for none.")
    sla_target: Goal | None = Field(
        default="80/20", description="Service-level goal, SHARE/SECONDS; may move the weights."
    )
    current_performance: Share = Field(
        default=SETTINGS["performance"].default, description="Share now achieved within the goal, 0 to 1."
    )
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
        weights = tuple(self.weights.model_dump().items())
        return _ranking(weights, self.sla_target, self.current_performance, tuple(self.required))

    def skills(self) -> list[str]:
        """All required skills."""
        return [*([] if self.required_skill is None else [self.required_skill]), *self.required_skills]


class _Data(Strict):
    """What a batch runs over."""

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


def _scenario_fields() -> dict[str, Any]:
    """Fields of a scenario where requests say more than the declaration, or nest."""
    mode, csat = SETTINGS["mode"], SETTINGS["csat"]
    replays = (
        "A replay needs handling times, and staffing or who answered what. The first replay after a start loads "
        "compiled code: half a second, or some seconds where this machine has none yet."
    )
    untimed = "Null for asof, or all where interactions have no arrived_at."
    return {
        "mode": field_of(mode, description=f"{about(mode)} {replays}"),
        "csat": field_of(csat, default=None, description=f"{about(csat)} {untimed}"),
        "weights": (Weights, Field(default=Weights(), description="Weights before the goal moves them.")),
        "assumptions": (
            ReplayAssumptions,
            Field(default=ReplayAssumptions(), description="Replay: what history does not say and is assumed."),
        ),
        "switches": (
            RoutingSwitches,
            Field(default=RoutingSwitches(), description="Replay: where sources on the platform's routing differ."),
        ),
    }


_Scenario: Any = made("_Scenario", "A scenario.", declared(Scenario), _Data, **_scenario_fields(), **_LEVERS)


class BatchRequest(_Scenario):  # type: ignore[misc]
    """A scenario to be run over a snapshot, or over interactions given here; or a study of several scenarios."""

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
    from_: Day | None = Field(default=None, alias="from", description="Study: first day; the same as start_date.")
    to: Day | None = Field(default=None, description="Study: last day; the same as end_date.")
    baseline: StudyScenario | None = Field(
        default=None, description="Study: settings that hold for all; without a method today's rule."
    )
    scenario: Annotated[list[StudyScenario], Field(min_length=1, max_length=100)] | None = Field(
        default=None,
        description=(
            "A study, as a scenario file holds it: each is replayed on the same customers and compared with the "
            "baseline. The answer is then that of a comparison."
        ),
    )

    @field_validator("method")
    @classmethod
    def _method_fits(cls, method: str, given: ValidationInfo) -> str:
        return _tried(given, ("mode",), "method", method)

    @field_validator("current_performance")
    @classmethod
    def _performance_fits(cls, performance: float | str, given: ValidationInfo) -> float | str:
        return _tried(given, ("mode", "sla_target"), "performance", performance)

    def scenario_to_run(self, timed: bool) -> Scenario:
        """The scenario to run; where interactions have no times all surveys count."""
        return scenario_of(_chosen(self) | {"csat": self.csat or ("asof" if timed else "all")})

    def study(self) -> Comparing:
        """The study to run, of a request with scenarios."""
        content = {
            "snapshot": self.snapshot, "from": self.from_ or self.start_date, "to": self.to or self.end_date,
            "baseline": _given(self.baseline), "scenario": [_given(entry) for entry in self.scenario or ()],
        }  # fmt: skip
        own = {"replications": self.replications} if "replications" in self.model_fields_set else {}
        return comparing(content | own)


def _given(some: Any) -> dict[str, Any]:
    """What a part of a request says, by declared name; null is as left out, but for a setting that may be none."""
    said = {} if some is None else some.model_dump(exclude_unset=True)
    none = {name for name, one in SETTINGS.items() if one.kind == "goal"}
    return {name: value for name, value in said.items() if value is not None or name in none}


def _chosen(request: Any) -> dict[str, Any]:
    """Settings by their declared names, from a request that nests them."""
    weights = request.weights.model_dump()
    flat = {one.name: getattr(request, one.http) for one in declared(Scenario) if one.name != "weights"}
    flat |= {"weights": [weights[term] for term in TERMS], "threshold": weights["min_score_threshold"]}
    flat = {name: value for name, value in flat.items() if value is not None or not SETTINGS[name].by_mode}
    flat |= {name: getattr(request, name) for name in LEVERS if getattr(request, name) is not None}
    return flat | request.assumptions.model_dump() | request.switches.model_dump()
