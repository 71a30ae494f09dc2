"""How evenly work is shared: Gini, chi-square against an expectation, effect size, rates by group.

All measures take one vector of counts by agent or a stack of them (scenarios x agents).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import InvalidTable
from engine.results import about
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, IntArray

# Cohen's conventional sizes of w (J. Cohen, Statistical Power Analysis, 2nd ed. 1988, section 7.2).
SMALL, MEDIUM, LARGE = 0.1, 0.3, 0.5
SIMPLE_RULE_P, SIMPLE_RULE_GINI = 0.05, 0.3
# Above this the noncentral chi-square is normal to better than the digits anyone prints.
_NORMAL_FROM = 1e9


def gini(handled: ArrayLike) -> Any:
    """Gini coefficient of how work is spread over agents.

    Parameters
    ----------
    handled : (..., n_agents) array of int or float, >= 0
        Interactions or seconds per agent, idle agents included. [count or s]

    Returns
    -------
    float or (...) array of float
        0 if all agents get the same, (n_agents - 1) / n_agents if one gets all.

    Raises
    ------
    InvalidTable
        If there is no agent, a value is negative or not finite, or nothing was handled
        (a report shows null there).

    References
    ----------
    .. [1] C. Damgaard and J. Weiner, "Describing inequality in plant size or
       fecundity", Ecology 81(4), 2000. doi:10.2307/177185

    Examples
    --------
    >>> gini([1, 2, 3, 4])
    0.25
    """
    check()
    work = np.sort(np.asarray(handled, dtype=float), axis=-1)
    if work.size == 0 or not np.isfinite(work).all() or work.min() < 0 or (work.sum(axis=-1) == 0).any():
        raise InvalidTable("handled: the Gini coefficient needs finite values >= 0 with a sum above 0")
    n = work.shape[-1]
    rank = 2.0 * np.arange(1, n + 1) - n - 1
    # Over sorted values the pairwise differences of the definition are one weighted sum, n log n in place of n squared.
    value = (work @ rank) / (n * work.sum(axis=-1))
    return float(value) if value.ndim == 0 else value


@dataclass(frozen=True)
class ChiSquare:
    """Distance of counts from an expectation.

    Parameters
    ----------
    statistic : float
        Sum of (observed - expected)^2 / expected.
    degrees : int
        Agents compared, less one.
    p_value : float
        Chance of at least this distance if work were drawn by the expectation.
    n : float
        Interactions counted.
    left_out : int
        Agents who expect nothing.
    """

    statistic: float
    degrees: int
    p_value: float
    n: float
    left_out: int


def chi_square(counts: ArrayLike, expected: ArrayLike) -> ChiSquare | None:
    """Chi-square of counts by agent against expected ones.

    None where fewer than two agents expect anything, or nothing was counted.

    Examples
    --------
    >>> chi_square([10, 20, 30], [20, 20, 20]).statistic
    10.0
    """
    check()
    from scipy.special import chdtrc

    observed, mean = np.asarray(counts, float), np.asarray(expected, float)
    some = mean > 0
    n = float(observed[some].sum())
    if some.sum() < 2 or n == 0:
        return None
    # Agents who expect nothing would divide by 0; they are left out here and counted in a warning.
    statistic = float((np.square(observed[some] - mean[some]) / mean[some]).sum())
    degrees = int(some.sum()) - 1
    return ChiSquare(statistic, degrees, float(chdtrc(degrees, statistic)), n, int((~some).sum()))


@dataclass(frozen=True)
class EffectSize:
    """Cohen's w behind the counts, with a 95 % interval."""

    name: str = about("Which effect size: cohen_w.")
    value: float = about("Without what chance adds to the counts; 0.1 is small, 0.3 medium, 0.5 large.")
    low: float = about("Lower end of its 95 % interval.")
    high: float = about("Upper end of its 95 % interval.")
    raw: float = about("Of the counts as they are, chance included: sqrt(chi2 / N); it may lie above the interval.")


@dataclass(frozen=True)
class GroupRates:
    """How often each group was chosen, of the times its agents could have been."""

    rates: dict[str, float] = about("Chosen per eligible, by group.")
    lowest_over_highest: float | None = about("The lowest rate over the highest; null where nobody was chosen.")


@dataclass(frozen=True)
class Fairness:
    """How evenly interactions are shared over all eligible agents; null where a measure is undefined."""

    total_interactions: int = about("Routed interactions; in a replay those answered.")
    agent_distribution: dict[str, int] = about("Interactions by agent, zeros included.")
    gini_coefficient: float | None = about("Gini of interactions: 0 if all get the same.")
    gini_seconds: float | None = about("Gini of handled seconds.")
    gini_occupancy: float | None = about("Of busy over staffed time; null in score mode.")
    chi2_statistic: float | None = about("Distance of the counts from those expected.")
    degrees_of_freedom: int | None = about("Agents compared, less one.")
    p_value: float | None = about("Chance of at least this distance if work were drawn by the expectation.")
    effect_size: EffectSize | None = about("How far the shares are from those expected.")
    expected: str = about("What the counts are compared with: eligible, uniform or staffed.")
    groups: GroupRates | None = about("Rates by group of agents; null where fewer than two groups were eligible.")
    is_fair: bool | None = about("The simple rule: p > 0.05 and Gini < 0.3. Read the verdict instead.")
    verdict: str = about("The effect size in words.")
    warnings: list[str] = about("What to know before trusting a number, one sentence each.")


def effect_size(test: ChiSquare) -> EffectSize:
    """Cohen's w behind the counts with a 95 % interval, its bounds by inverting the noncentral chi-square.

    Chance alone adds the degrees of freedom to chi2, so the value is ``sqrt(max(0, chi2 - df) / N)``; that of the
    counts themselves, ``sqrt(chi2 / N)``, may lie above the interval. From a statistic of 1e9 on, the noncentral
    chi-square is taken as normal: for k degrees of freedom and noncentrality d with mean k + d and variance 2 k + 4 d.
    Where no noncentrality fits, a bound is 0.

    Examples
    --------
    >>> size = effect_size(chi_square([6, 4, 1, 2, 2], [5.1, 5.1, 1.6, 1.6, 1.6]))
    >>> [round(each, 3) for each in (size.low, size.value, size.high, size.raw)]
    [0.0, 0.0, 0.381, 0.234]
    """
    low, high = (_noncentrality(test, share) for share in (0.975, 0.025))
    value = max(0.0, test.statistic - test.degrees)
    # Bounds are found by search, so of huge counts they are a last digit off.
    ends = (value, min(low, value), max(high, value), test.statistic)
    value, low, high, raw = (math.sqrt(each / test.n) for each in ends)
    return EffectSize("cohen_w", value, low, high, raw)


def _noncentrality(test: ChiSquare, share: float) -> float:
    """The noncentrality under which the statistic is this quantile, 0 where none is."""
    from scipy.special import chdtr, chndtrinc, ndtri

    x, k = test.statistic, test.degrees
    if x >= _NORMAL_FROM:
        z = float(ndtri(share))
        # (x - k - d)^2 = z^2 (2 k + 4 d), solved for d on the side of z.
        half = (x - k) + 2 * z * z
        root = math.sqrt(max(0.0, half * half - (x - k) ** 2 + 2 * k * z * z))
        return max(0.0, half - math.copysign(root, z))
    # Without any effect this quantile lies at or above the statistic already, so no noncentrality fits.
    if chdtr(k, x) <= share:
        return 0.0
    return float(chndtrinc(x, k, share))


def fair_lottery_gini(n_agents: int, n: float) -> float:
    """Mean Gini of N interactions drawn evenly among agents, about sqrt((1 - 1/n) n / (pi N))."""
    return math.sqrt((1 - 1 / n_agents) * n_agents / (math.pi * n)) if n_agents and n else 0.0


def group_rates(counts: FloatArray, eligible: FloatArray, groups: list[str | None]) -> GroupRates | None:
    """Times chosen per time eligible by group (division, site); None where fewer than two were ever eligible."""
    # Groups none of whose agents could be chosen have no rate.
    names = sorted({g for g, e in zip(groups, eligible, strict=True) if g is not None and e > 0})
    if len(names) < 2:
        return None
    member = np.array([[g == name for g in groups] for name in names])
    rates = (member @ counts) / (member @ eligible)
    # Lowest over highest, as in the four-fifths rule of selection rates (US Uniform Guidelines, 1978).
    top = float(rates.max())
    by_group = {name: float(rate) for name, rate in zip(names, rates, strict=True)}
    return GroupRates(by_group, float(rates.min()) / top if top > 0 else None)


@dataclass(frozen=True)
class Shares:
    """What fairness is measured on, for one scenario.

    Parameters
    ----------
    counts, handled_s : (n_agents,) array of float
        Interactions and seconds that each agent got; seconds None where none were recorded.
    eligible : (n_agents,) array of float
        Interactions that each agent could have got.
    expected : (n_agents,) array of float
        Interactions that each would get under the expectation.
    expectation : str
        Its name.
    agent_ids, groups : list
        Of all agents.
    """

    counts: FloatArray
    handled_s: FloatArray | None
    eligible: FloatArray
    expected: FloatArray
    expectation: str
    agent_ids: list[str]
    groups: list[str | None]


def expectation(
    name: str,
    counts: FloatArray,
    eligible: FloatArray,
    even_split: Callable[[], FloatArray],
    staffed: FloatArray | IntArray,
) -> FloatArray:
    """Interactions that each agent would get if they were shared as expected.

    Parameters
    ----------
    name : {"eligible", "uniform", "staffed"}
        Every interaction split evenly over those eligible for it, all of them evenly over agents ever eligible, or
        by time on queue.
    counts, eligible : (n_agents,) array of float
        Interactions that each agent got and could have got.
    even_split : callable
        Gives what `eligible` expects, by agent.
    staffed : (n_agents,) array
        Time on queue, in any unit.

    Returns
    -------
    (n_agents,) array of float
        Adds up to what the agents got who expect anything.

    Examples
    --------
    >>> counts, eligible, none = np.array([4.0, 0.0, 2.0]), np.array([6, 6, 6]), np.zeros(3)
    >>> expectation("uniform", counts, eligible, lambda: none, none).tolist()
    [2.0, 2.0, 2.0]
    """
    if name == "eligible":
        return even_split()
    weight = np.where(eligible > 0, 1.0 if name == "uniform" else staffed, 0.0)
    # Agents without time on queue are left out, so what they got is not expected of the others.
    return np.asarray(weight * (counts[weight > 0].sum() / weight.sum())) if weight.sum() else weight


def fairness(shares: Shares) -> Fairness:
    """Everything a report says about fairness.

    Parameters
    ----------
    shares : Shares
        Counts over all agents; those never eligible are left out here.

    Returns
    -------
    Fairness
        None where a measure is undefined, `warnings` says why.
    """
    check()
    some: BoolArray = shares.eligible > 0
    counts = shares.counts[some]
    total = float(counts.sum())
    test = chi_square(counts, shares.expected[some]) if some.any() else None
    size = effect_size(test) if test else None
    coefficient = gini(counts) if total else None
    seconds = shares.handled_s[some] if shares.handled_s is not None else None
    ids = [agent for agent, kept in zip(shares.agent_ids, some, strict=True) if kept]
    return Fairness(
        total_interactions=int(total),
        agent_distribution={a: int(c) for a, c in zip(ids, counts, strict=True)},
        gini_coefficient=coefficient,
        gini_seconds=gini(seconds) if seconds is not None and seconds.sum() > 0 else None,
        gini_occupancy=None,
        chi2_statistic=test.statistic if test else None,
        degrees_of_freedom=test.degrees if test else None,
        p_value=test.p_value if test else None,
        effect_size=size,
        expected=shares.expectation,
        groups=group_rates(shares.counts, shares.eligible, shares.groups),
        is_fair=_simple_rule(test, coefficient),
        verdict=verdict(size),
        warnings=_warnings(test, coefficient, shares.expected[some], total),
    )


def _simple_rule(test: ChiSquare | None, coefficient: float | None) -> bool | None:
    if test is None or coefficient is None:
        return None
    return test.p_value > SIMPLE_RULE_P and coefficient < SIMPLE_RULE_GINI


def verdict(size: EffectSize | None) -> str:
    """One sentence on an effect size, judged by the lower end of its interval."""
    if size is None:
        return "undefined: fewer than two agents could be compared, or nothing was routed"
    w, low = size.value, size.low
    if low == 0:
        return f"no evidence of uneven sharing (Cohen's w {w:.3f}, its interval reaches 0)"
    sizes = ((LARGE, "very uneven"), (MEDIUM, "uneven"), (SMALL, "slightly uneven"))
    degree = next((word for bound, word in sizes if low >= bound), "practically even")
    return f"{degree} (Cohen's w {w:.3f}, 95 % interval {low:.3f} to {size.high:.3f})"


def _warnings(test: ChiSquare | None, coefficient: float | None, expected: FloatArray, total: float) -> list[str]:
    if test is None:
        why = "fewer than two agents expect anything, or nothing was routed"
        return [f"chi-square, p value and effect size are undefined: {why}"]
    said = []
    if test.left_out:
        said.append(f"{test.left_out} agents expect no interaction and are left out of chi-square")
    # At a month of calls every real difference is significant, however small.
    if test.p_value <= SIMPLE_RULE_P and total >= 100 * expected.size:
        said.append(
            f"with {total:,.0f} interactions the p value is small for any real difference; "
            "read the effect size, not the simple rule"
        )
    # Who could be chosen more often gets more of an even split too; chance comes on top.
    lottery = max(fair_lottery_gini(expected.size, total), gini(expected))
    if coefficient is not None and lottery < 0.1 <= coefficient < SIMPLE_RULE_GINI:
        said.append(
            f"Gini {coefficient:.2f} passes the simple rule's 0.3, but the split expected would give about "
            f"{lottery:.3f}"
        )
    elif coefficient is not None and lottery >= 0.1:
        said.append(
            f"Gini {coefficient:.2f} says little about the rule: the split expected has {lottery:.2f}, since agents "
            "could not be chosen equally often"
        )
    return said
