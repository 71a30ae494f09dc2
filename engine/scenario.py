"""Scenarios: what to simulate, and running one or a stack of them over a data set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from engine.arrays import Arrays, encode
from engine.csat import QUEUE_MEAN, CsatTable, csat_table
from engine.errors import InvalidScenario
from engine.goals import ServiceLevelGoal
from engine.methods import METHODS
from engine.outcomes import Collector, Outcomes, Texts, outcomes_of
from engine.report import Report, build
from engine.scores import LANGUAGE, REQUIRED, Terms
from engine.selection import Decided, decide
from engine.tables import Tables
from engine.tally import Tally
from engine.typing import Record
from engine.weights import RoutingWeights, moved

MODES = ("score",)
LATER = ("replay", "genesys", "bullseye", "preferred")
EXPECTED = ("eligible", "uniform", "staffed")
CSAT = ("asof", "all")


@dataclass(frozen=True)
class Scenario:
    """How to route, exactly enough to run it again.

    Parameters
    ----------
    mode : {"score"}
        Score mode: nobody is ever busy.
    method : str
        Key of `engine.methods.METHODS`.
    weights : RoutingWeights
        Before a goal moves them.
    goal : str, optional
        Service-level goal, SHARE/SECONDS.
    performance : float
        Share achieved within the goal, 0-1.
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
        Kept for methods that draw; the weighted score draws nothing.

    Raises
    ------
    InvalidScenario
        If a value is not one of these.
    """

    mode: str = "score"
    method: str = "weighted"
    weights: RoutingWeights = field(default_factory=RoutingWeights)
    goal: str | None = None
    performance: float = 0.80
    required: tuple[str, ...] = ()
    expected: str = "eligible"
    csat: str = "asof"
    csat_missing: float | str = 0.5
    csat_shrinkage: float = 0.0
    language: str = "binary"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", _only(self.required))
        for name, allowed in (
            ("mode", MODES), ("method", tuple(METHODS)), ("expected", EXPECTED), ("csat", CSAT), ("language", LANGUAGE)
        ):  # fmt: skip
            if getattr(self, name) not in allowed:
                raise InvalidScenario(_refusal(name, getattr(self, name), allowed))
        if self.csat_missing != QUEUE_MEAN and not _within(self.csat_missing, 0, 1):
            raise InvalidScenario(f"csat_missing is {self.csat_missing!r}; use a number from 0 to 1, or {QUEUE_MEAN}")
        if not _within(self.csat_shrinkage, 0, 1e6):
            raise InvalidScenario(f"csat_shrinkage is {self.csat_shrinkage!r}; use a number from 0 to 1000000")
        if not (isinstance(self.seed, int) and 0 <= self.seed < 2**63):
            raise InvalidScenario(f"seed is {self.seed!r}; use a whole number from 0 to 9223372036854775807")
        self.weights_used()

    def weights_used(self) -> RoutingWeights:
        """The weights after the goal moved them."""
        goal = None if self.goal is None else ServiceLevelGoal.parse(self.goal)
        return moved(self.weights, goal, self.performance)

    def to_dict(self) -> Record:
        """All fields as plain values."""
        return asdict(self) | {"required": list(self.required)}

    def _shared(self) -> tuple[object, ...]:
        """What scenarios of one stack must have in common; weights and goal may differ."""
        return (self.method, self.required, self.csat, self.csat_missing, self.csat_shrinkage, self.language)


def _refusal(name: str, value: object, allowed: Sequence[str]) -> str:
    what = f"{name} is {value!r}"
    if value in LATER:
        what = f"{name} {value!r} is not part of this version, in which nobody is ever busy"
    return f"{what}; use {' or '.join(allowed) if len(allowed) < 3 else 'one of ' + ', '.join(allowed)}"


def _only(required: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in required if name not in REQUIRED]
    if unknown:
        raise InvalidScenario(f"required names {unknown[0]!r}; use {' or '.join(REQUIRED)}")
    return tuple(name for name in REQUIRED if name in required)


def _within(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and low <= value <= high


def run(scenario: Scenario, data: Tables | Arrays, keep: Callable[[Outcomes], None] | None = None) -> Report:
    """Run one scenario over a data set.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    data : Tables or Arrays
        Tables in memory, or a snapshot's arrays.
    keep : callable, optional
        Called with the outcomes of each batch in time order.

    Returns
    -------
    Report
        Without timing.

    Raises
    ------
    InvalidTable
        If there are no agents.
    MissingInput
        If the scenario needs a table that is not there.
    """
    return _run([scenario], _arrays(data), keep)[0]


def run_all(scenarios: Sequence[Scenario], data: Tables | Arrays) -> list[Report]:
    """Run many scenarios over one data set; those that differ only in weights share one pass.

    Parameters
    ----------
    scenarios : sequence of Scenario
        In any mixture.
    data : Tables or Arrays
        The data set.

    Returns
    -------
    list of Report
        In the order of the scenarios, equal to running them one by one.
    """
    arrays = _arrays(data)
    stacks: dict[object, list[int]] = {}
    for place, scenario in enumerate(scenarios):
        stacks.setdefault(scenario._shared(), []).append(place)
    reports: dict[int, Report] = {}
    for places in stacks.values():
        reports |= zip(places, _run([scenarios[p] for p in places], arrays, None), strict=True)
    return [reports[place] for place in range(len(scenarios))]


def choose(scenario: Scenario, data: Tables | Arrays) -> Outcomes:
    """All outcomes of a scenario in memory.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    data : Tables or Arrays
        The data set.

    Returns
    -------
    Outcomes
        One row per interaction, in order of arrival, then id.
    """
    arrays = _arrays(data)
    collector = Collector(Texts(arrays.centre), arrays.snapshot["counts"].get("interactions", 0))
    for decided in _Stack([scenario], arrays).decide():
        collector.add(decided)
    return collector.outcomes()


def csat_of(scenario: Scenario, arrays: Arrays) -> CsatTable:
    """Satisfaction by day as a scenario reads it."""
    centre = arrays.centre
    return csat_table(
        centre.surveys, centre.n_agents, len(centre.queue_ids), as_of=scenario.csat == "asof",
        missing=scenario.csat_missing, shrinkage=scenario.csat_shrinkage,
    )  # fmt: skip


def terms_of(scenario: Scenario, arrays: Arrays, csat: CsatTable) -> Terms:
    """Terms of the scores as a scenario reads them."""
    return Terms(arrays.centre, csat, required=scenario.required, graded_language=scenario.language == "proficiency")


def _arrays(data: Tables | Arrays) -> Arrays:
    return encode(data) if isinstance(data, Tables) else data


class _Stack:
    """Scenarios that share everything but weights, goal and expectation, over one data set."""

    def __init__(self, scenarios: Sequence[Scenario], arrays: Arrays) -> None:
        self.scenarios, self.arrays = scenarios, arrays
        self.csat = csat_of(scenarios[0], arrays)
        self.terms = terms_of(scenarios[0], arrays, self.csat)
        self.used = [scenario.weights_used() for scenario in scenarios]

    def decide(self) -> Iterator[Decided]:
        weights = np.array([w.terms for w in self.used])
        threshold = np.array([w.min_score_threshold for w in self.used])
        return decide(self.arrays, self.terms, self.csat, self.scenarios[0].method, weights, threshold)


def _run(scenarios: Sequence[Scenario], arrays: Arrays, keep: Callable[[Outcomes], None] | None) -> list[Report]:
    stack = _Stack(scenarios, arrays)
    tally = Tally(arrays, stack.terms, len(scenarios))
    texts = Texts(arrays.centre)
    for decided in stack.decide():
        tally.add(decided)
        if keep is not None:
            keep(outcomes_of(decided, texts))
    tally.close()
    rows = [stack.csat.row_of(day) for day in tally.days or [0]]
    unsurveyed = (stack.csat.n_surveys == 0).sum(axis=1)
    filled = (int(unsurveyed[rows[0]]), int(unsurveyed[rows[-1]]))
    return [
        build(tally, place, scenario.to_dict(), asdict(w), filled)
        for place, (scenario, w) in enumerate(zip(scenarios, stack.used, strict=True))
    ]
