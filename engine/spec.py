"""Scenarios: what to simulate, exactly enough to run it again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from engine.data.arrays import Arrays
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions, Switches
from engine.methods import METHODS
from engine.scoring.csat import QUEUE_MEAN, CsatTable, csat_table
from engine.scoring.goals import ServiceLevelGoal
from engine.scoring.scores import LANGUAGE, REQUIRED, Terms
from engine.scoring.weights import RoutingWeights, moved
from engine.typing import Int32Array, Record

MODES = ("score", "replay")
ROLLING = "rolling"
EXPECTED = ("eligible", "uniform", "staffed")
CSAT = ("asof", "all")
DEFINITIONS = ("genesys", "offered", "answered")
INTERVALS_MIN = (15, 30, 60)
MOST_REPLICATIONS = 1000


@dataclass(frozen=True)
class Scenario:
    """How to route, exactly enough to run it again.

    Parameters
    ----------
    mode : {"score", "replay"}
        Score mode: nobody is ever busy. Replay: agents are busy, customers wait and leave.
    method : str
        Key of `engine.methods.METHODS`.
    weights : RoutingWeights
        Before a goal moves them.
    goal : str, optional
        Service-level goal, SHARE/SECONDS.
    performance : float or "rolling"
        Share achieved within the goal, 0-1; in a replay also measured as it goes, by queue.
    required : tuple of {"skills", "language"}
        Hard filters; by default both only move the score.
    expected : {"eligible", "uniform", "staffed"}
        What fairness compares with.
    csat : {"asof", "all"}
        Surveys completed before each interaction's UTC day, or all of them.
    csat_missing : float or "queue-mean"
        Satisfaction term of agents without surveys, 0-1.
    csat_shrinkage : float
        Surveys' worth of pull toward the mean. [count]
    language : {"binary", "proficiency"}
        Language term: 1 for having it, or level / 5.
    seed : int
        Of everything drawn: patience, handling times that are not recorded, methods that draw.
    window_s, replan_s : float
        Rolling performance: stretch of time looked back on, and how often. [s]
    service_level : {"genesys", "offered", "answered"}
        Definition of the service level.
    short_abandon_s : float
        Abandonments up to this wait do not count against it; 0 for none. [s]
    interval_min : {15, 30, 60}
        Length of the intervals reported. [min]
    replications : int
        How often what is not recorded is drawn.
    assumptions : Assumptions
        What history does not say.
    switches : Switches
        Where sources on Genesys' routing differ.

    Raises
    ------
    InvalidScenario
        If a value is not one of these.
    """

    mode: str = "score"
    method: str = "weighted"
    weights: RoutingWeights = field(default_factory=RoutingWeights)
    goal: str | None = None
    performance: float | str = 0.80
    required: tuple[str, ...] = ()
    expected: str = "eligible"
    csat: str = "asof"
    csat_missing: float | str = 0.5
    csat_shrinkage: float = 0.0
    language: str = "binary"
    seed: int = 0
    window_s: float = 1800.0
    replan_s: float = 900.0
    service_level: str = "genesys"
    short_abandon_s: float = 0.0
    interval_min: int = 30
    replications: int = 1
    assumptions: Assumptions = field(default_factory=Assumptions)
    switches: Switches = field(default_factory=Switches)

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", _only(self.required))
        for name, allowed in (
            ("mode", MODES), ("method", tuple(METHODS)), ("expected", EXPECTED), ("csat", CSAT),
            ("language", LANGUAGE), ("service_level", DEFINITIONS), ("interval_min", INTERVALS_MIN),
        ):  # fmt: skip
            if getattr(self, name) not in allowed:
                raise InvalidScenario(_refusal(name, getattr(self, name), allowed))
        if self.csat_missing != QUEUE_MEAN and not _within(self.csat_missing, 0, 1):
            raise InvalidScenario(f"csat_missing is {self.csat_missing!r}; use a number from 0 to 1, or {QUEUE_MEAN}")
        if not _within(self.csat_shrinkage, 0, 1e6):
            raise InvalidScenario(f"csat_shrinkage is {self.csat_shrinkage!r}; use a number from 0 to 1000000")
        if not (isinstance(self.seed, int) and 0 <= self.seed < 2**63):
            raise InvalidScenario(f"seed is {self.seed!r}; use a whole number from 0 to 9223372036854775807")
        self._check_replay()
        self.weights_used()

    def _check_replay(self) -> None:
        for name, low in (("window_s", 1.0), ("replan_s", 1.0), ("short_abandon_s", 0.0)):
            if not _within(getattr(self, name), low, 1e6):
                raise InvalidScenario(f"{name} is {getattr(self, name)!r}; use seconds from {low:g} to 1000000")
        if not (isinstance(self.replications, int) and 1 <= self.replications <= MOST_REPLICATIONS):
            raise InvalidScenario(
                f"replications is {self.replications!r}; use a whole number, 1 to {MOST_REPLICATIONS}"
            )
        if isinstance(self.performance, str) and self.performance != ROLLING:
            raise InvalidScenario(f"performance is {self.performance!r}; give a share from 0 to 1, or {ROLLING}")
        if self.performance == ROLLING and (self.mode != "replay" or self.goal is None):
            raise InvalidScenario(
                "performance 'rolling' is measured while a replay goes on, against a goal; use mode replay and give a "
                "goal such as 80/20, or give a share from 0 to 1"
            )
        if self.mode == "score" and METHODS[self.method].planner is None:
            raise InvalidScenario(
                f"method {self.method!r} asks who is idle, and in score mode nobody is ever busy; use mode replay, or "
                "the method weighted"
            )

    @property
    def is_rolling(self) -> bool:
        """Whether performance is measured as the replay goes on."""
        return self.performance == ROLLING

    def weights_used(self) -> RoutingWeights:
        """The weights after the goal moved them; as given where performance is rolling."""
        goal = None if self.goal is None else ServiceLevelGoal.parse(self.goal)
        return self.weights if self.is_rolling else moved(self.weights, goal, float(self.performance))

    def to_dict(self) -> Record:
        """All fields as plain values."""
        return asdict(self) | {"required": list(self.required)}

    def _shared(self) -> tuple[object, ...]:
        """What scenarios of one stack must have in common; weights and goal may differ."""
        return (self.method, self.required, self.csat, self.csat_missing, self.csat_shrinkage, self.language)


def _refusal(name: str, value: object, allowed: Sequence[object]) -> str:
    names = [str(one) for one in allowed]
    return f"{name} is {value!r}; use {' or '.join(names) if len(names) < 3 else 'one of ' + ', '.join(names)}"


def _only(required: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in required if name not in REQUIRED]
    if unknown:
        raise InvalidScenario(f"required names {unknown[0]!r}; use {' or '.join(REQUIRED)}")
    return tuple(name for name in REQUIRED if name in required)


def _within(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and low <= value <= high


def csat_of(scenario: Scenario, arrays: Arrays) -> CsatTable:
    """Satisfaction by day as a scenario reads it."""
    centre = arrays.centre
    return csat_table(
        centre.surveys, centre.n_agents, len(centre.queue_ids), as_of=scenario.csat == "asof",
        missing=scenario.csat_missing, shrinkage=scenario.csat_shrinkage,
    )  # fmt: skip


def terms_of(scenario: Scenario, arrays: Arrays, csat: CsatTable, order: Int32Array | None = None) -> Terms:
    """Terms of the scores as a scenario reads them; columns in tie order, or in an order given."""
    graded = scenario.language == "proficiency"
    return Terms(arrays.centre, csat, required=scenario.required, graded_language=graded, order=order)
