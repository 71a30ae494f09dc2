"""Who works in a made-up centre and what its customers ask for: the small tables of a workload."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from engine.data.checks import check
from engine.data.tables import TABLES, Tables
from engine.data.wall_time import DAY_US
from engine.typing import Int32Array, IntArray

MOST_SKILLS = 3
SHARE_WITH_SKILL, SHARE_WITH_LANGUAGE, SHARE_WITHOUT_LANGUAGE = 0.5, 0.4, 0.1
SURVEY_SHARE, MOST_SURVEYS = 0.05, 200_000


@dataclass(frozen=True)
class Size:
    """How large a made-up centre is."""

    # Numbers, each at least 1
    n_agents: int
    n_queues: int
    n_skills: int
    n_languages: int
    n_call_types: int
    queues_per_agent: int = 0  # Queues that each agent is a member of; 0 for all


def static_tables(size: Size, n_surveys: int, first_day: int, n_days: int, rng: np.random.Generator) -> Tables:
    """Draw every table but the interactions."""
    queues = pl.DataFrame({"queue_id": names("queue", size.n_queues)})
    return Tables(
        agents=_agents(size, rng),
        interactions=TABLES["interactions"].empty(),
        members=_members(size, rng),
        queues=check("queues", queues),
        surveys=_surveys(size, n_surveys, first_day, n_days, rng),
    )


def names(kind: str, n: int) -> list[str]:
    """Names with leading zeros, so that they sort like their numbers."""
    return [f"{kind}-{place:0{len(str(n))}d}" for place in range(n)]


def _agents(size: Size, rng: np.random.Generator) -> pl.DataFrame:
    n = size.n_agents
    frame = pl.DataFrame(
        {
            "agent_id": names("agent", n),
            "agent_name": names("Agent", n),
            "skills": _rated(names("skill", size.n_skills), n, SHARE_WITH_SKILL, rng),
            "languages": _rated(names("language", size.n_languages), n, SHARE_WITH_LANGUAGE, rng),
            # Few distinct values, so that ties do go to the later rules.
            "queue_time_s": rng.integers(0, 5, n) * 60.0,
            "idle_since": pl.Series(DAY_US + rng.integers(0, 5, n) * 60_000_000).cast(pl.Datetime("us", "UTC")),
        }
    )
    return check("agents", frame)


def _rated(held: list[str], n: int, share: float, rng: np.random.Generator) -> list[list[dict[str, object]]]:
    """For each of n agents the names held, in levels of half a point."""
    has = rng.random((n, len(held))) < share
    level = rng.integers(2, 11, (n, len(held))) / 2
    return [
        [{"name": held[place], "proficiency": level[agent, place]} for place in np.flatnonzero(has[agent])]
        for agent in range(n)
    ]


def _members(size: Size, rng: np.random.Generator) -> pl.DataFrame:
    joined = np.ones((size.n_queues, size.n_agents), bool)
    if size.queues_per_agent:
        rank = rng.random(joined.shape).argsort(axis=0).argsort(axis=0)
        joined = rank < size.queues_per_agent
    queue, agent = np.nonzero(joined)
    frame = {
        "queue_id": pl.Series(names("queue", size.n_queues)).gather(queue),
        "agent_id": pl.Series(names("agent", size.n_agents)).gather(agent),
    }
    return check("members", pl.DataFrame(frame))


def _surveys(size: Size, n: int, first_day: int, n_days: int, rng: np.random.Generator) -> pl.DataFrame:
    completed_us = np.sort(rng.integers(first_day * DAY_US, (first_day + n_days) * DAY_US, n))
    frame = pl.DataFrame(
        {
            "survey_id": names("survey", n),
            "agent_id": pl.Series(names("agent", size.n_agents)).gather(rng.integers(0, size.n_agents, n)),
            "queue_id": pl.Series(names("queue", size.n_queues)).gather(rng.integers(0, size.n_queues, n)),
            "completed_at": pl.Series(completed_us).cast(pl.Datetime("us", "UTC")),
            "score": rng.integers(1, 6, n).astype(float),
            "scale_min": pl.Series([1.0]).new_from_index(0, n),
            "scale_max": pl.Series([5.0]).new_from_index(0, n),
        }
    )
    return check("surveys", frame)


def call_types(size: Size, n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Draw distinct call types: a queue, one to three skills, and mostly a language.

    Fewer than wanted come back where the centre is too small for so many.
    """
    queue, language, skill = _distinct(size, n, rng)
    required = skill < size.n_skills
    offsets = np.concatenate([[0], np.cumsum(required.sum(axis=1))]).astype(np.int32)
    texts = pa.array(names("skill", size.n_skills), pa.large_string()).take(pa.array(skill[required]))
    spoken = pl.Series([*names("language", size.n_languages), None], dtype=pl.String)
    return pl.DataFrame(
        {
            "queue_id": pl.Series(names("queue", size.n_queues)).gather(queue),
            "skills": pl.Series(pa.ListArray.from_arrays(pa.array(offsets), texts)),
            "language": spoken.gather(language),
            "priority": np.zeros(queue.size),
        }
    )


def _distinct(size: Size, n: int, rng: np.random.Generator) -> tuple[IntArray, IntArray, Int32Array]:
    drawn = 2 * n + 100
    skill = np.sort(rng.integers(0, size.n_skills, (drawn, MOST_SKILLS)), axis=1)
    # The number behind the last skill stands for none.
    repeated = np.diff(skill, prepend=-1, axis=1) == 0
    skill[repeated | (np.arange(MOST_SKILLS) >= rng.integers(1, MOST_SKILLS + 1, (drawn, 1)))] = size.n_skills
    skill.sort(axis=1)
    queue = rng.integers(0, size.n_queues, drawn)
    language = rng.integers(0, size.n_languages, drawn)
    language[rng.random(drawn) < SHARE_WITHOUT_LANGUAGE] = size.n_languages
    code = queue * (size.n_languages + 1) + language
    for place in range(MOST_SKILLS):
        code = code * (size.n_skills + 1) + skill[:, place]
    first = np.sort(np.unique(code, return_index=True)[1])[:n]
    return queue[first], language[first], skill[first].astype(np.int32)
