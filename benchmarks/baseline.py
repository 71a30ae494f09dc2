"""The row-by-row baseline: a plain loop over interactions and agents, with dicts, floats and a sort per row.

This is how such a simulation is written at first. It chooses exactly what the engine chooses, which every
benchmark requires, and it is given what it needs in the form that suits it best: agents as dicts by queue,
and one dict of satisfaction means per day, all made outside the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from engine.data.arrays import Arrays
from engine.reports.outcomes import Outcomes
from engine.spec import Scenario, csat_of
from engine.typing import FloatArray, IntArray, Record

SCALE = 1e9
NEUTRAL_CSAT = 0.5


@dataclass(frozen=True)
class Sample:
    """Some rows of a data set as plain Python objects."""

    # Members by queue; each a dict of agent_id, skills and languages with proficiency, queue_time_s, idle_since_us
    agents: dict[str, list[Record]]
    rows: list[Record]  # queue_id, skills, language, and csat: the means known on its day, by agent
    place: IntArray  # Where the rows stand in the data set

    @property
    def n_pairs(self) -> int:
        """Pairs of interaction and member of its queue."""
        return sum(len(self.agents[row["queue_id"]]) for row in self.rows)


def sample(arrays: Arrays, scenario: Scenario, n_rows: int) -> Sample:
    """Take rows evenly over a data set."""
    centre, csat = arrays.centre, csat_of(scenario, arrays)
    kinds = centre.call_types.to_dicts()
    total = sum(batch.call_type.size for batch in arrays.batches())
    place = np.unique(np.linspace(0, total - 1, min(n_rows, total)).astype(np.int64))
    rows: list[Record] = []
    start = 0
    for batch in arrays.batches():
        end = start + batch.call_type.size
        here = place[(place >= start) & (place < end)] - start
        if here.size:
            known = _held(centre.agent_ids, csat.mean[csat.row_of(batch.day)])
            rows += [{**kinds[kind], "csat": known} for kind in batch.call_type[here].tolist()]
        start = end
    return Sample(_members(arrays), rows, place)


def _members(arrays: Arrays) -> dict[str, list[Record]]:
    centre = arrays.centre
    agents = [
        {
            "agent_id": agent_id,
            "skills": _held(centre.skills, centre.proficiency[place]),
            "languages": _held(centre.languages, centre.language_level[place]),
            "queue_time_s": float(centre.queue_time_s[place]),
            "idle_since_us": int(centre.idle_since_us[place]),
        }
        for place, agent_id in enumerate(centre.agent_ids)
    ]
    return {
        queue_id: [agents[place] for place in np.flatnonzero(member)]
        for queue_id, member in zip(centre.queue_ids, centre.member, strict=True)
    }


def _held(names: Sequence[str], level: FloatArray) -> dict[str, float]:
    """What is known, by name."""
    return {name: value for name, value in zip(names, level.tolist(), strict=True) if not isnan(value)}


def score_key(agent: Record, row: Record, weights: Sequence[float]) -> float:
    """Score of one agent for one row, in whole billionths."""
    proficiency = 1.0
    if row["skills"]:
        proficiency = 0.0
        for skill in row["skills"]:
            proficiency += min(agent["skills"].get(skill, 0.0) / 5, 1.0)
        proficiency /= len(row["skills"])
    language = 1.0 if row["language"] is None or row["language"] in agent["languages"] else 0.0
    csat = row["csat"].get(agent["agent_id"], NEUTRAL_CSAT)
    # Python's round takes halves to the even neighbour, as the definition asks.
    return float(round(SCALE * ((weights[0] * proficiency + weights[1] * language) + weights[2] * csat)))


def choose(sample: Sample, scenario: Scenario) -> list[tuple[str | None, float]]:
    """Agent id and score for every row of a sample; None and 0 where nobody can be chosen."""
    used = scenario.weights_used()
    least = max(1.0, float(round(SCALE * used.threshold)))
    chosen: list[tuple[str | None, float]] = []
    for row in sample.rows:
        scored = [(agent, score_key(agent, row, used.terms)) for agent in sample.agents[row["queue_id"]]]
        scored = [(agent, key) for agent, key in scored if key >= least]
        if not scored:
            chosen.append((None, 0.0))
            continue
        scored.sort(key=lambda s: (-s[1], s[0]["queue_time_s"], s[0]["idle_since_us"], s[0]["agent_id"]))
        agent, key = scored[0]
        chosen.append((agent["agent_id"], key / SCALE))
    return chosen


def differences(
    sample: Sample, chosen: Sequence[tuple[str | None, float]], outcomes: Outcomes, agent_ids: Sequence[str]
) -> list[str]:
    """One sentence per row where the engine chose otherwise than the baseline."""
    said = []
    for place, (agent_id, score) in zip(sample.place.tolist(), chosen, strict=True):
        agent = int(outcomes.agent[place])
        found = (agent_ids[agent] if agent >= 0 else None, float(outcomes.score[place]))
        if found != (agent_id, score):
            said.append(f"row {place}: the engine chose {found}, the baseline {(agent_id, score)}")
    return said
