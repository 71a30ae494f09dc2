"""Random whole centres for property tests: small, coarse (so that ties happen) and full of odd cases.

Hypothesis draws the sizes, which it can shrink, and a seed; the cells come from the seed. Drawing every cell
through Hypothesis is slow and ends in tables so small that nothing competes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from engine.data import strangers
from engine.data.tables import TABLES, Tables
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests import oracle

MIDNIGHT = datetime(2024, 2, 28, tzinfo=UTC)  # the next days are the 29th and the 1st of March
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOURS_OF_DAY = (timedelta(0), TICK, timedelta(hours=9), timedelta(hours=24) - TICK)

# Code points, UTF-16 units and alphabets of people order these differently.
AGENT_IDS = ("a1", "a10", "a2", "B", "b", "Ä", "é", "\uffee", "😀", "x;y", "null", "0")
QUEUE_IDS = ("q1", "q2", "очередь")
EMPTY_QUEUE = "nobody's"
SKILLS = ("billing", "tech", "größe", "billing ")
UNKNOWN_SKILL = "held by nobody"
LANGUAGES = ("en", "fr", "日本語")
UNKNOWN_LANGUAGE = "never spoken"
UNKNOWN_AGENT = "gone"


def strangers_allowed() -> Any:
    """While it holds, answered rows may name unknown agents, for what a few among many rows are told by."""
    return mock.patch.object(strangers, "MOST_STRANGERS", 1.0)


PROFICIENCIES = (0.0, 0.25, 1.0, 2.5, 3.0, 4.0, 5.0)
SCALES = ((1.0, 5.0), (0.0, 1.0), (-2.0, 2.0), (0.0, 100.0), (0.0, 10.0))
SHARES_OF_SCALE = (0.0, 0.25, 0.5, 0.75, 1.0)
WEIGHTS = (0.0, 0.1, 0.3, 0.3, 0.4, 1.0)

# For the comparisons with the slow twin, which find most.
HARDER = settings(max_examples=4 * settings.default.max_examples)


@dataclass(frozen=True)
class Dice:
    """Cells of tables from one seed."""

    random: random.Random

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def maybe(self, *values: Any) -> Any:
        """Null once in four times."""
        return None if self.random.random() < 0.25 else self.random.choice(values)

    def some(self, *values: Any) -> list[Any]:
        """Some of the values in any order."""
        return self.random.sample(values, self.random.randint(0, len(values)))

    def moment(self, first_day: int, last_day: int) -> datetime:
        """Few days, mostly at their edges."""
        day = self.random.randint(first_day, last_day)
        return MIDNIGHT + timedelta(days=day) + self.one(*HOURS_OF_DAY)

    def rated(self, names: tuple[str, ...]) -> list[dict[str, Any]] | None:
        """Skills or languages with proficiencies, an empty list or none."""
        held = [{"name": name, "proficiency": self.one(*PROFICIENCIES)} for name in self.some(*names)]
        return self.maybe(held)

    def agents(self, n: int) -> list[dict[str, Any]]:
        """Agents with odd names, in any order."""
        alike = self.one(True, False)  # equal queue and idle times leave the id to decide
        return [
            {
                "agent_id": name,
                "skills": self.rated(SKILLS),
                "languages": self.rated(LANGUAGES),
                "group": self.maybe("north", "south"),
                "queue_time_s": None if alike else self.maybe(0.0, 30.0, 9999.0, 20000.0),
                "idle_since": None if alike else self.maybe(MIDNIGHT, MIDNIGHT + TICK, self.moment(-1, 1)),
            }
            for name in self.random.sample(AGENT_IDS, n)
        ]

    def members(self, names: list[str]) -> list[dict[str, Any]]:
        """Any agents of each queue, unknown ones among them; often no table at all."""
        if self.one(True, False, False):
            return []
        return [
            {
                "queue_id": queue,
                "agent_id": name,
                "ring": self.one(1, 2),
                "joined": self.one(True, True, True, False),
            }
            for queue in self.one(QUEUE_IDS, QUEUE_IDS[:1])
            for name in self.one([*names, UNKNOWN_AGENT], self.some(*names))
        ]

    def interactions(self, n: int, names: list[str]) -> list[dict[str, Any]]:
        """Rows in no order, ids that do not follow time, skills named twice."""
        return [
            {
                "interaction_id": f"i{number}",
                "queue_id": self.one(*QUEUE_IDS, *QUEUE_IDS, EMPTY_QUEUE),
                "arrived_at": self.moment(0, 2),
                "skills": self.maybe([], *([name] for name in SKILLS), self.random.choices(SKILLS, k=3))
                if self.one(*[True] * 9, False)
                else [UNKNOWN_SKILL],
                "language": self.maybe(*LANGUAGES, *LANGUAGES, UNKNOWN_LANGUAGE),
                "priority": self.one(0.0, 0.0, 0.5, -3.25),
                "agent_id": self.maybe(*names),
                "handle_s": self.maybe(0.0, 0.5, 32_400.0, 86_400.0, 100_000.0),
            }
            for number in self.random.sample(range(n), n)
        ]

    def surveys(self, n: int, names: list[str]) -> list[dict[str, Any]]:
        """Several scales, often completed right at midnight; only some agents have any."""
        few = (*names[: 1 + len(names) // 2], UNKNOWN_AGENT)
        rows = []
        for number in range(n):
            low, high = self.one(*SCALES)
            rows.append(
                {
                    "survey_id": f"s{number}",
                    "interaction_id": self.maybe(*(f"i{i}" for i in range(4)), "nowhere"),
                    "agent_id": self.one(*few),
                    "queue_id": self.maybe(*QUEUE_IDS),
                    "completed_at": self.moment(-1, 1),
                    "score": low + self.one(*SHARES_OF_SCALE) * (high - low),
                    "scale_min": low,
                    "scale_max": high,
                }
            )
        return rows

    def staffing(self, n: int, names: list[str]) -> list[dict[str, Any]]:
        """Blocks on queue, overlapping, for some agents only."""
        starts = [MIDNIGHT + timedelta(hours=self.random.randint(0, 20)) for _ in range(n)]
        few = (*names[: 1 + len(names) // 2], UNKNOWN_AGENT)
        return [
            {
                "agent_id": self.one(*few) if place else names[0],
                "start_at": start,
                "end_at": start + timedelta(hours=self.random.randint(1, 12)),
            }
            for place, start in enumerate(starts)
        ]


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """A whole centre: agents, queues, interactions over three days, surveys, staffing."""
    n_agents, n_interactions = draw(st.integers(1, len(AGENT_IDS))), draw(st.integers(1, 25))
    n_surveys, n_blocks = draw(st.integers(0, 20)), draw(st.integers(1, 8))
    dice = Dice(random.Random(draw(st.integers(0, 2**32))))
    staff = dice.agents(n_agents)
    names = [agent["agent_id"] for agent in staff]
    return Tables(
        agents=table("agents", staff),
        interactions=table("interactions", dice.interactions(n_interactions, names)),
        members=table("members", dice.members(names)),
        surveys=table("surveys", dice.surveys(n_surveys, names)),
        staffing=table("staffing", dice.staffing(n_blocks, names)),
    )


def weights() -> st.SearchStrategy[RoutingWeights]:
    """Three coarse weights, not all zero."""
    terms = st.tuples(*[st.sampled_from(WEIGHTS)] * 3).filter(any)
    thresholds = st.sampled_from((0.0, 0.0, 0.2, 0.5, 0.7))
    return st.builds(lambda three, threshold: RoutingWeights(*three, threshold), terms, thresholds)


def scenarios(**fixed: Any) -> st.SearchStrategy[Scenario]:
    """Score scenarios with every option; `fixed` pins some of them."""
    options: dict[str, st.SearchStrategy[Any]] = {
        "weights": weights(),
        "goal": st.sampled_from((None, "80/20", "95/30", "90/10")),
        "performance": st.sampled_from((0.5, 0.7499, 0.75, 0.8, 0.9, 1.0)),
        "required": st.sampled_from(((), (), (), ("skills",), ("language",), ("skills", "language"))),
        "expected": st.sampled_from(("eligible", "uniform", "staffed")),
        "csat": st.sampled_from(("asof", "all")),
        "csat_missing": st.sampled_from((0.5, 0.0, 0.9, "queue-mean", "queue-mean")),
        "csat_shrinkage": st.sampled_from((0.0, 0.0, 1.0, 5.0)),
        "language": st.sampled_from(("binary", "proficiency")),
    }
    return st.builds(Scenario, **(options | {name: st.just(value) for name, value in fixed.items()}))


@st.composite
def problems(draw: st.DrawFn, **fixed: Any) -> tuple[Scenario, Tables]:
    """A scenario and a centre; often somebody's score is the threshold itself."""
    centre, scenario = draw(tables()), draw(scenarios(**fixed))
    if draw(st.booleans()):
        open_door = replace(scenario, weights=replace(scenario.weights, min_score_threshold=0.0))
        reached = sorted({score for row in oracle.matrix(open_door, centre) for score in row if score > 0})
        if reached:
            hit = replace(scenario.weights, min_score_threshold=draw(st.sampled_from(reached)))
            scenario = replace(scenario, weights=hit)
    return scenario, centre


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of the table; columns that no row names get their defaults."""
    defaults = {column.name: column.default for column in TABLES[name].columns}
    return pl.DataFrame([defaults | row for row in rows], schema=TABLES[name].schema())
