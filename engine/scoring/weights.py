"""Weights of the score, service-level goals such as 80/20, and how a goal moves the weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from engine.errors import InvalidScenario
from engine.setting import check_all, setting, shown

# Score keys are whole numbers of 1e-9. Up to this weight they stay below 2**53, where float64 is exact.
LARGEST_WEIGHT = 1e6
# Default of score mode; a replay has 0: a rule that leaves able agents idle must be asked for.
SCORE_THRESHOLD = 0.5
_GOAL = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*/\s*(\d{1,6}(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class ServiceLevelGoal:
    """A share of interactions to be answered within some seconds.

    Parameters
    ----------
    share : float
        0-1.
    seconds : float
        Longest wait that counts as within the goal. [s]

    Examples
    --------
    >>> ServiceLevelGoal.parse("80/20")
    ServiceLevelGoal(share=0.8, seconds=20.0)
    >>> str(ServiceLevelGoal(0.95, 30.0))
    '95/30'
    """

    share: float
    seconds: float

    def __str__(self) -> str:
        return f"{round(self.share * 100, 6):g}/{self.seconds:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read SHARE/SECONDS.

        Parameters
        ----------
        text : str
            Percent, slash, seconds.

        Returns
        -------
        ServiceLevelGoal
            The goal.

        Raises
        ------
        InvalidScenario
            If the text is no goal or the share is not within 1-100.
        """
        match = _GOAL.fullmatch(text) if isinstance(text, str) else None
        if not match or not 1 <= float(match[1]) <= 100:
            raise InvalidScenario(
                f"goal {shown(text)}: write SHARE/SECONDS, for example 80/20 for 80 % answered within 20 s"
            )
        return cls(float(match[1]) / 100, float(match[2]))


@dataclass(frozen=True)
class RoutingWeights:
    """Weights of the three terms of a score, and the least score that counts.

    The three weights are not all 0 and used as given; a score equal to the threshold still counts. Without a threshold
    that of the mode holds, which a scenario fills in.

    Raises
    ------
    InvalidScenario
        If a value is negative, not finite or too large, or all three weights are 0.

    Examples
    --------
    >>> RoutingWeights(0.5, 0.5, 0.0).terms
    (0.5, 0.5, 0.0)
    """

    proficiency: float = setting(0.4, "Weight of the skill term.", high=LARGEST_WEIGHT)
    language_match: float = setting(0.3, "Weight of the language term.", high=LARGEST_WEIGHT)
    historical_csat: float = setting(0.3, "Weight of the satisfaction term.", high=LARGEST_WEIGHT)
    min_score_threshold: float | None = setting(
        SCORE_THRESHOLD, "Scores below it do not count.", high=LARGEST_WEIGHT, name="threshold",
        http="min_score_threshold", replay=0.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_all(self, "weights: ")
        if not any(self.terms):
            raise InvalidScenario("weights: all three are 0; at least one must be greater than 0")

    @property
    def terms(self) -> tuple[float, float, float]:
        """The three weights in order: proficiency, language, satisfaction."""
        return (self.proficiency, self.language_match, self.historical_csat)

    @property
    def threshold(self) -> float:
        """The least score that counts; where none is given, that of score mode."""
        return SCORE_THRESHOLD if self.min_score_threshold is None else self.min_score_threshold


@dataclass(frozen=True)
class Rule:
    """When a goal is met or missed, move the weights.

    Parameters
    ----------
    goal : ServiceLevelGoal
        The goal the rule is for.
    when : {"below", "at_least"}
        Which side of `level` the performance must be on.
    level : float
        Share achieved within the goal, 0-1.
    move : tuple of float
        Added to proficiency, language and satisfaction.
    """

    goal: ServiceLevelGoal
    when: Literal["below", "at_least"]
    level: float
    move: tuple[float, float, float]

    def applies(self, goal: ServiceLevelGoal, performance: float) -> bool:
        """Whether this rule speaks about the goal at this performance."""
        reached = performance >= self.level
        return self.goal == goal and reached == (self.when == "at_least")


RULES: tuple[Rule, ...] = (
    Rule(ServiceLevelGoal(0.80, 20.0), "below", 0.75, (-0.075, 0.15, -0.075)),
    Rule(ServiceLevelGoal(0.95, 30.0), "at_least", 0.90, (-0.05, -0.05, 0.10)),
)


def moved(
    weights: RoutingWeights,
    goal: ServiceLevelGoal | None,
    performance: float = 0.80,
    rules: Sequence[Rule] = RULES,
) -> RoutingWeights:
    """Weights under a goal: the first rule that applies moves them, else they stay exactly as given.

    Parameters
    ----------
    weights : RoutingWeights
        The caller's.
    goal : ServiceLevelGoal, optional
        Without one nothing moves.
    performance : float
        Share achieved within the goal, 0-1.
    rules : sequence of Rule
        In order of precedence.

    Returns
    -------
    RoutingWeights
        Negatives set to 0, then divided by their sum; the threshold is the caller's.

    Raises
    ------
    InvalidScenario
        If the performance is not within 0-1.

    Examples
    --------
    >>> [round(w, 3) for w in moved(RoutingWeights(), ServiceLevelGoal.parse("80/20"), 0.70).terms]
    [0.325, 0.45, 0.225]
    """
    if not 0 <= performance <= 1:
        raise InvalidScenario(f"performance is {shown(performance)}; give the share within the goal, 0 to 1")
    # One rule at most: what two moves together would do, nobody has decided.
    rule = next((r for r in rules if goal is not None and r.applies(goal, performance)), None)
    if rule is None:
        return weights
    terms = [max(0.0, weight + by) for weight, by in zip(weights.terms, rule.move, strict=True)]
    # Added in this order, as in the score: a last digit more or less could tip a key that ends in a half.
    total = terms[0] + terms[1] + terms[2]
    if total == 0:
        raise InvalidScenario(f"weights: the rule for {goal} moves all three to 0; give larger weights")
    proficiency, language_match, historical_csat = (term / total for term in terms)
    return replace(weights, proficiency=proficiency, language_match=language_match, historical_csat=historical_csat)
