"""What to simulate, exactly enough to run it again: scenarios, and every setting of a run in one list.

Each setting is declared once, as a field of `Scenario`, `RoutingWeights`, `Assumptions` or `Switches`. `SETTINGS`
holds them all; the command line, the HTTP models, scenario files, the Python door and the pages are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from engine.data.arrays import Arrays
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions, Switches
from engine.levers import LEVERS, Lever, in_order, levers_of
from engine.levers import plain as plain_levers
from engine.methods import METHODS, MISTAKEN
from engine.scoring.csat import NEUTRAL, QUEUE_MEAN, CsatTable, csat_table
from engine.scoring.scores import LANGUAGE, REQUIRED, Terms
from engine.scoring.weights import RoutingWeights, ServiceLevelGoal, moved
from engine.setting import Setting, as_name, check_all, declared, left_open, plain, setting, shown
from engine.typing import Int32Array

ROLLING, TODAY = "rolling", "today"
FILTERS = (*REQUIRED, TODAY)
DEFINITIONS = ("genesys", "offered", "answered")
INTERVALS_MIN = (15, 30, 60)
# The three weights, in the order in which they are written.
TERMS = ("proficiency", "language_match", "historical_csat")


@dataclass(frozen=True)
class Scenario:
    """How to route.

    Raises
    ------
    InvalidScenario
        If a value is not one of those declared, or values do not go together.
    """

    mode: str = setting(
        "score", "score: nobody is ever busy. replay: agents are busy, customers wait and leave.", kind="word",
        words=("score", "replay"),
    )  # fmt: skip
    method: str = setting(
        "weighted",
        "Routing method; without scores it needs a replay.",
        kind="word",
        words=METHODS.keys(),
        mistaken=MISTAKEN,
    )
    weights: RoutingWeights = setting(
        RoutingWeights(), "Weights of proficiency, language and satisfaction, before a goal moves them.", kind="terms"
    )
    goal: str | None = setting(
        None, "Service-level goal, SHARE/SECONDS, for example 80/20; may move the weights, and says what a replay "
        "measures; else each queue's own.", kind="goal", name="sla", http="sla_target",
    )  # fmt: skip
    performance: float | str = setting(
        0.80, "Share now achieved within the goal, 0 to 1; rolling: measured by queue while a replay goes on.",
        high=1.0, words=(ROLLING,), http="current_performance",
    )  # fmt: skip
    required: tuple[str, ...] = setting(
        (), "Hard filters: skills, language, both or none; what is no filter only moves the score. today: what the "
        "rule in force filters on, queue by queue; a replay only.", kind="filters", words=FILTERS, replay=(TODAY,),
    )  # fmt: skip
    expected: str = setting(
        "eligible", "What fairness compares with.", kind="word", words=("eligible", "uniform", "staffed")
    )
    csat: str = setting(
        "asof", "Surveys completed before the UTC day of each interaction, or all of them.", kind="word",
        words=("asof", "all"),
    )  # fmt: skip
    csat_missing: float | str = setting(
        NEUTRAL, "Satisfaction term of agents without surveys.", high=1.0, words=(QUEUE_MEAN,)
    )
    csat_shrinkage: float = setting(0.0, "Surveys' worth of pull toward the mean in the score.", high=1e6)
    language: str = setting(
        "binary", "1 for having the language, or its level / 5.", kind="word", words=LANGUAGE, name="language_term"
    )
    seed: int = setting(
        0, "Of everything drawn: patience, handling times not recorded, methods that draw.", kind="whole",
        high=2**63 - 1,
    )  # fmt: skip
    window_s: float = setting(1800.0, "How far performance looks back.", unit="s", low=1, high=1e6, applies="rolling")
    replan_s: float = setting(900.0, "How often weights are moved.", unit="s", low=1, high=1e6, applies="rolling")
    service_level: str = setting(
        "genesys", "What the service level is a share of. genesys: (answered - over) / (answered + abandoned - short); "
        "offered: answered within / offered; answered: answered within / answered.", kind="word", words=DEFINITIONS,
        applies="replay",
    )  # fmt: skip
    short_abandon_s: float = setting(
        0.0, "Abandonments up to this wait do not count against it; 0: all count.", unit="s", high=1e6, applies="replay"
    )
    interval_min: int = setting(
        30, "Length of the intervals reported.", kind="word", unit="min", words=INTERVALS_MIN, applies="replay"
    )
    replications: int = setting(
        1, "How often what is not recorded is drawn.", kind="whole", low=1, high=1000, applies="replay"
    )
    assumptions: Assumptions = field(default_factory=Assumptions)
    switches: Switches = field(default_factory=Switches)
    levers: tuple[Lever, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "levers", in_order(self.levers))
        for name, value in left_open(self, self.mode).items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "weights", replace(self.weights, **left_open(self.weights, self.mode)))
        object.__setattr__(self, "required", _only(self.required))
        check_all(self)
        self._check_together()
        self.weights_used()

    def _check_together(self) -> None:
        if self.performance == ROLLING and (self.mode != "replay" or self.goal is None):
            raise InvalidScenario(
                "performance 'rolling' is measured while a replay goes on, against a goal; use mode replay and give a "
                "goal such as 80/20, or give a share from 0 to 1"
            )
        if TODAY in self.required and self.mode != "replay":
            raise InvalidScenario(
                "required 'today' is what the rule in force filters on, in a replay; in score mode use skills, language"
            )
        if self.levers and self.mode != "replay":
            raise InvalidScenario("levers change what a replay plays; use mode replay, or leave them out")
        if self.switches.moved and self.mode != "replay":
            raise InvalidScenario(
                f"switch {self.switches.moved[0]} changes what a replay plays, and scores read none; use mode replay, "
                "or leave it out"
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

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        levers = {"levers": plain_levers(self.levers)} if self.levers else {}
        found = asdict(replace(self, levers=())) | {"required": list(self.required)}
        return {name: value for name, value in found.items() if name != "levers"} | levers

    def shared(self) -> tuple[object, ...]:
        """What scenarios of one stack must have in common; weights and goal may differ."""
        return (self.method, self.required, self.csat, self.csat_missing, self.csat_shrinkage, self.language)


@cache
def settings() -> tuple[Setting, ...]:
    """Every setting of a run, in the order of the pages.

    Returns
    -------
    tuple of Setting
        Those of `Scenario`, the threshold after the weights, then assumptions and switches.

    Examples
    --------
    >>> next(each for each in settings() if each.name == "join_gap_s").option
    'join-gap'
    """
    found: list[Setting] = []
    for each in declared(Scenario):
        found.append(each)
        if each.name == "weights":
            found += [one for one in declared(RoutingWeights, "weights") if one.name not in TERMS]
    return (*found, *declared(Assumptions, "assumptions"), *declared(Switches, "switches"))


def scenario_of(given: Mapping[str, Any], base: Scenario | None = None) -> Scenario:
    """The scenario that settings by their declared names make.

    Parameters
    ----------
    given : mapping
        Values by name of `settings()`, as scenario files, options and notebooks hold them: weights are three numbers,
        required is a list of filters or words with commas between them.
    base : Scenario, optional
        What holds where nothing is given; by default the defaults.

    Returns
    -------
    Scenario
        Checked.

    Raises
    ------
    InvalidScenario
        If a name is unknown, the nearest is named, or a value is not allowed.

    Examples
    --------
    >>> chosen = scenario_of({"mode": "replay", "method": "genesys", "sla": "80/20", "join_gap_s": 300})
    >>> chosen.goal, chosen.assumptions.join_gap_s
    ('80/20', 300)
    """
    known = {each.name: each for each in settings()}
    base = base or Scenario()
    parts: dict[str, dict[str, Any]] = {
        "": {name: getattr(base, name) for name in Scenario.__dataclass_fields__},
        **{name: asdict(getattr(base, name)) for name in ("weights", "assumptions", "switches")},
    }
    mode = given.get("mode")
    if isinstance(mode, str) and mode != base.mode:
        _reopen(parts, base.mode)
    levers = {name: value for name, value in given.items() if isinstance(name, str) and name in LEVERS}
    if levers:
        parts[""]["levers"] = levers_of(plain_levers(base.levers) | levers)
    for name, value in given.items():
        if name in levers:
            continue
        if not (isinstance(name, str) and name in known):
            raise InvalidScenario(unknown_setting(name))
        *room, last = known[name].path
        if value is None and known[name].by_mode:
            known[name].check(value)
        if known[name].kind == "terms":
            parts["weights"] |= _terms(value)
        else:
            parts[room[0] if room else ""][last] = _filters(value) if known[name].kind == "filters" else value
    nested = {"weights": RoutingWeights(**parts["weights"]), "assumptions": Assumptions(**parts["assumptions"])}
    return Scenario(**parts[""] | nested | {"switches": Switches(**parts["switches"])})


def _reopen(parts: Mapping[str, dict[str, Any]], mode: str) -> None:
    """Forget the defaults of a mode, so that those of another may hold."""
    for each in settings():
        room, last = each.path[0] if len(each.path) > 1 else "", each.path[-1]
        if each.by_mode and parts[room][last] == each.default_in(mode):
            parts[room][last] = None


def unknown_setting(name: object, also: Sequence[str] = ()) -> str:
    """A refusal of a name that nothing declares; `also` are names that stand beside settings."""
    names = [*also, *(each.name for each in settings()), *LEVERS]
    near = get_close_matches(name[:80], names, n=1) if isinstance(name, str) else []
    remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(names)}"
    return f"{as_name(name)} is not a setting; {remedy}"


def _terms(value: object) -> dict[str, float]:
    """Three weights by name."""
    value = plain(value)
    if isinstance(value, RoutingWeights):
        return {name: getattr(value, name) for name in TERMS}
    if isinstance(value, Mapping) and all(name in TERMS for name in value):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes) and len(value) == len(TERMS):
        return dict(zip(TERMS, value, strict=True))
    raise InvalidScenario(
        f"weights is {shown(value)}: give three numbers, proficiency,language,satisfaction, for example 0.4,0.3,0.3"
    )


def _filters(value: object) -> tuple[Any, ...]:
    """Hard filters from a list, or from words with commas between them."""
    value = plain(value)
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or isinstance(parts, bytes):
        raise InvalidScenario(f"required is {shown(value)}; use a list of {', '.join(FILTERS)}")
    words = [part.strip() if isinstance(part, str) else part for part in parts]
    return tuple(word for word in words if not isinstance(word, str) or word not in ("", "none"))


def _only(required: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in required if not (isinstance(name, str) and name in FILTERS)]
    if unknown:
        raise InvalidScenario(f"required names {shown(unknown[0])}; use {', '.join(REQUIRED)}, or {TODAY} or none")
    if TODAY in required and len(set(required)) > 1:
        raise InvalidScenario(f"required names {TODAY} and more; {TODAY} says it all, so leave the rest out")
    return tuple(name for name in FILTERS if name in required)


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
