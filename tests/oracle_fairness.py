"""The slow twin of the fairness measures: section 4 of the page of meanings, one sum at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scipy.optimize import brentq
from scipy.special import chdtrc
from scipy.stats import chi2, ncx2

from tests.oracle import Choice, Row, as_rows, members_of, passes_filter


@dataclass(frozen=True)
class Eligible:
    """Who could have been asked: for every interaction the agents, and for every agent how often."""

    by_interaction: dict[str, list[str]]
    times: dict[str, int]


def eligible(scenario: Any, tables: Any) -> Eligible:
    """Members who meet what the run requires; threshold and weights play no part."""
    rows = as_rows(tables)
    by_interaction = {}
    times = {agent["agent_id"]: 0 for agent in rows["agents"]}
    for interaction in rows["interactions"]:
        inside = members_of(interaction["queue_id"], rows["agents"], rows["members"])
        able = [
            agent["agent_id"]
            for agent in rows["agents"]
            if agent["agent_id"] in inside and passes_filter(agent, interaction, scenario.required)
        ]
        by_interaction[interaction["interaction_id"]] = able
        for name in able:
            times[name] += 1
    return Eligible(by_interaction, times)


def handled(tables: Any, chosen: dict[str, Choice], names: list[str]) -> tuple[dict[str, int], dict[str, float]]:
    """Interactions and handled seconds of each agent, zeros included."""
    counts, seconds = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    for row in tables.interactions.to_dicts():
        name = chosen[row["interaction_id"]].agent_id
        if name is not None:
            counts[name] += 1
            seconds[name] += row["handle_s"] or 0.0
    return counts, seconds


def gini(values: list[float]) -> float | None:
    """Mean absolute difference over twice the mean; nothing to share: none."""
    total = sum(values)
    if not values or total == 0:
        return None
    return sum(abs(x - y) for x in values for y in values) / (2 * len(values) * total)


def expected(scenario: Any, tables: Any, chosen: dict[str, Choice], able: Eligible) -> dict[str, float]:
    """What each agent would have got under the yardstick of the scenario."""
    ever = [name for name, times in able.times.items() if times]
    routed = [key for key, choice in chosen.items() if choice.agent_id is not None]
    share = dict.fromkeys(ever, 0.0)
    if scenario.expected == "eligible":
        for interaction_id in routed:
            asked = able.by_interaction[interaction_id]
            for name in asked:
                share[name] += 1 / len(asked)
    elif scenario.expected == "uniform":
        for name in ever:
            share[name] = len(routed) / len(ever)
    else:
        days, zone = days_with_arrivals(tables), ZoneInfo(tables.time_zone)
        on_queue_s = {name: merged_s(tables.staffing.to_dicts(), name, days, zone) for name in ever}
        counted = sum(1 for c in chosen.values() if c.agent_id is not None and on_queue_s[c.agent_id] > 0)
        total_s = sum(on_queue_s.values())
        for name in ever:
            share[name] = counted * on_queue_s[name] / total_s if total_s else 0.0
    return share


def days_with_arrivals(tables: Any) -> set[date]:
    """Local days on which anything arrived."""
    zone = ZoneInfo(tables.time_zone)
    return {row["arrived_at"].astimezone(zone).date() for row in tables.interactions.to_dicts()}


def merged_s(staffing: list[Row], name: str, days: set[date], zone: ZoneInfo) -> float:
    """Seconds on queue of one agent on some days, overlapping blocks counted once."""
    blocks = sorted((row["start_at"], row["end_at"]) for row in staffing if row["agent_id"] == name)
    total_s, reached = 0.0, None
    for start, end in blocks:
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total_s += sum(overlap_s(begin, end, day, zone) for day in days)
            reached = end
    return total_s


def overlap_s(start: datetime, end: datetime, day: date, zone: ZoneInfo) -> float:
    """How much of a block lies on a local day."""
    midnights = [datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1))]
    return max(0.0, (min(end, midnights[1]) - max(start, midnights[0])).total_seconds())


@dataclass(frozen=True)
class ChiSquare:
    """Statistic, degrees of freedom, chance of more by luck; Cohen's w with its interval, and that of the counts."""

    statistic: float
    dof: int
    p_value: float
    w: float
    low: float
    high: float
    raw: float


def chi_square(counts: list[float], wanted: list[float]) -> ChiSquare | None:
    """Agents expecting nothing are left out; fewer than two, or nothing routed: none."""
    kept = [(count, want) for count, want in zip(counts, wanted, strict=True) if want > 0]
    total = sum(count for count, _ in kept)
    if len(kept) < 2 or total == 0:
        return None
    statistic = sum((count - want) ** 2 / want for count, want in kept)
    dof = len(kept) - 1
    low, high = (math.sqrt(shift / total) for shift in shifts(statistic, dof))
    w = math.sqrt((statistic - dof) / total) if statistic > dof else 0.0
    return ChiSquare(statistic, dof, float(chdtrc(dof, statistic)), w, low, high, math.sqrt(statistic / total))


def shifts(statistic: float, dof: int) -> tuple[float, float]:
    """Noncentralities under which the statistic is the 97.5 % and the 2.5 % point; 0 where there is none."""
    return shift(statistic, dof, 0.975), shift(statistic, dof, 0.025)


def shift(statistic: float, dof: int, share: float) -> float:
    if chi2.cdf(statistic, dof) <= share:
        return 0.0
    top = statistic + 10.0
    while ncx2.cdf(statistic, dof, top) > share:
        top *= 2
    return float(brentq(lambda nc: ncx2.cdf(statistic, dof, nc) - share, 1e-12, top, xtol=1e-10, rtol=1e-13))


def group_ratio(tables: Any, counts: dict[str, int], able: Eligible) -> float | None:
    """Lowest over highest rate of chosen per eligible, over the groups that are named."""
    chosen, times = {}, {}
    for agent in tables.agents.to_dicts():
        name, group = agent["agent_id"], agent["group"]
        if group is not None and able.times[name]:
            chosen[group] = chosen.get(group, 0) + counts[name]
            times[group] = times.get(group, 0) + able.times[name]
    rates = [chosen[group] / times[group] for group in times]
    if len(rates) < 2 or max(rates) == 0:
        return None
    return min(rates) / max(rates)
