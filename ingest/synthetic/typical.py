"""A made-up centre of any size: queues with skills, agents with levels, shifts, daily and weekly shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import polars as pl

from engine.data.tables import TIME
from engine.typing import BoolArray, FloatArray, IntArray
from ingest.synthetic.centre import (
    SLOT_S,
    SLOTS,
    Callers,
    Centre,
    Size,
    exponential_law,
    lognormal_law,
    pick_table,
    rated,
)

SKILLS = ("billing", "technical", "sales", "orders", "returns", "accounts", "cards", "loans")
LANGUAGES = ("English", "French", "German", "Spanish", "Italian", "Dutch")
SITES = ("north", "south")
# Share of callers with a priority of 0, 1 and 2 points, and of those who need a second skill.
PRIORITY_SHARE = (0.85, 0.1, 0.05)
SECOND_SKILL_SHARE = 0.12
WEEKDAYS = (1.2, 1.08, 1.0, 0.98, 1.0, 0.45, 0.3)
OPEN_SLOT, CLOSE_SLOT = 14, 44
SHIFTS = ((14, 31), (18, 35), (27, 44))
# A smaller centre has everybody there whenever it is open, or calls would find nobody.
SMALL = 14
BUSY_SHARE, ANSWERED_SHARE = 0.75, 0.95
LEAST_HANDLE_S, MOST_HANDLE_S, HANDLE_SIGMA = 60.0, 600.0, 0.8
PATIENCE_S, OFFERED_WAIT_S = 240.0, 40.0


@dataclass(frozen=True)
class _People:
    """Levels of all agents: skill[agent, skill], language[agent, language], member[agent, queue]."""

    skill: FloatArray
    language: FloatArray
    member: BoolArray


def typical_centre(size: Size, rng: np.random.Generator) -> Centre:
    """Build a centre of the given size, in UTC, open from 07:00 to 22:00.

    Examples
    --------
    >>> from datetime import date
    >>> size = Size(1000, 20, 2, 3, 1, 7, date(2026, 1, 5))
    >>> typical_centre(size, np.random.default_rng(0)).agents.height
    20
    """
    pairs = [(n % size.queues, n % size.skills) for n in range(max(size.queues, size.skills))]
    language_share: FloatArray = np.power(0.5, np.arange(size.languages))
    people = _people(size, pairs, language_share, rng)
    start_slot, end_slot = _duty(size)
    staffed_s = float((end_slot - start_slot).sum() * SLOT_S)
    calls = size.interactions * ANSWERED_SHARE
    handle_s = float(np.clip(BUSY_SHARE * staffed_s / calls, LEAST_HANDLE_S, MOST_HANDLE_S))
    arrivals = _arrivals(size, rng)
    return Centre(
        time_zone="UTC",
        agents=_agents(size, people, rng),
        queues=_queues(size),
        members=_members(people),
        arrivals=arrivals,
        callers=_callers(size, pairs, language_share, arrivals, handle_s, rng),
        able=_able(pairs, people, size.languages, rng),
        start_slot=start_slot,
        end_slot=end_slot,
        notes=(
            "The centre is made up: daily and weekly shape, mix of calls, lognormal handling times, exponential "
            "patience and waits, shifts, skills and levels.",
            f"Handling times average {handle_s:.0f} s, which is {100 * calls * handle_s / staffed_s:.0f} % of the "
            "time on shift.",
        ),
    )


def _names(known: Sequence[str], number: int, word: str) -> list[str]:
    return [known[n] if n < len(known) else f"{word}{n + 1}" for n in range(number)]


def _numbered(letter: str, number: int) -> list[str]:
    width = len(str(number))
    return [f"{letter}{n:0{width}d}" for n in range(1, number + 1)]


def _people(size: Size, pairs: list[tuple[int, int]], language_share: FloatArray, rng: np.random.Generator) -> _People:
    agent = np.arange(size.agents)
    # Skills and languages go round first, so that each has somebody.
    order = rng.random((size.agents, size.skills))
    order[agent, agent % size.skills] = -1
    rank = order.argsort(axis=1).argsort(axis=1)
    held = rank < rng.integers(2, 5, size.agents)[:, None]
    skill = np.where(held, rng.integers(2, 11, held.shape) / 2, 0.0)
    first = rng.choice(size.languages, size.agents, p=language_share / language_share.sum())
    first[: size.languages] = agent[: size.languages] % size.languages
    second = rng.random((size.agents, size.languages)) < 0.3 / size.languages
    language = np.where(second, rng.integers(4, 10, second.shape) / 2, 0.0)
    language[agent, first] = 5.0
    member = np.zeros((size.agents, size.queues), bool)
    for queue, needed in pairs:
        member[:, queue] |= held[:, needed]
    # With fewer agents than skills, a queue that nobody was trained for is everybody's.
    member[:, ~member.any(axis=0)] = True
    return _People(skill, language, member)


def _agents(size: Size, people: _People, rng: np.random.Generator) -> pl.DataFrame:
    ids = _numbered("a", size.agents)
    skills, languages = _names(SKILLS, size.skills, "skill"), _names(LANGUAGES, size.languages, "language")
    begin = datetime(size.start.year, size.start.month, size.start.day, tzinfo=UTC)
    idle_s, queue_s = rng.integers(0, 3600, (2, size.agents))
    return pl.DataFrame(
        {
            "agent_id": ids,
            "agent_name": [f"Agent {name[1:]}" for name in ids],
            "skills": [rated(skills, level) for level in people.skill],
            "languages": [rated(languages, level) for level in people.language],
            "group": [SITES[n % len(SITES)] for n in range(size.agents)],
            "idle_since": pl.Series([begin - timedelta(seconds=int(s)) for s in idle_s], dtype=TIME),
            # Every tenth agent's time in queue is not known.
            "queue_time_s": [None if n % 10 == 9 else float(s) for n, s in enumerate(queue_s)],
        }
    )


def _queues(size: Size) -> pl.DataFrame:
    ids = _numbered("q", size.queues)
    return pl.DataFrame({"queue_id": ids, "queue_name": [f"Queue {name[1:]}" for name in ids]})


def _members(people: _People) -> pl.DataFrame:
    queue, agent = np.nonzero(people.member.T)
    queues, agents = (_numbered(letter, n) for letter, n in zip("qa", people.member.T.shape, strict=True))
    return pl.DataFrame({"queue_id": np.array(queues)[queue], "agent_id": np.array(agents)[agent]})


def _arrivals(size: Size, rng: np.random.Generator) -> FloatArray:
    """Two humps a day and a weekly slope, a little different in every queue."""
    hour = (np.arange(SLOTS) + 0.5) / 2
    peak = rng.uniform(9.5, 11.5, size.queues)[:, None]
    day = np.exp(-(((hour - peak) / 2) ** 2) / 2) + 0.8 * np.exp(-(((hour - peak - 5) / 2.5) ** 2) / 2) + 0.1
    day[:, :OPEN_SLOT] = day[:, CLOSE_SLOT:] = 0
    week = np.array(WEEKDAYS) * rng.uniform(0.85, 1.15, (size.queues, 7))
    volume = rng.uniform(0.5, 1.5, size.queues)
    weight: FloatArray = volume[:, None, None] * week[:, :, None] * (day / day.sum(axis=1, keepdims=True))[:, None, :]
    return weight


@dataclass(frozen=True)
class _Kind:
    """Calls that need the same: numbers of pair, queue, skills and language, priority, and their share."""

    pair: int
    queue: int
    skills: tuple[int, ...]
    language: int
    priority: float
    share: float


def _kinds(pairs: list[tuple[int, int]], pair_share: FloatArray, language_share: FloatArray) -> Iterator[_Kind]:
    for pair, (queue, skill) in enumerate(pairs):
        others = [other for where, other in pairs if where == queue and other != skill]
        sets: dict[tuple[int, ...], float] = {(skill,): 1.0}
        if others:
            sets = {(skill,): 1 - SECOND_SKILL_SHARE, (skill, others[pair % len(others)]): SECOND_SKILL_SHARE}
        for needed, language, priority in product(sets, range(language_share.size), range(len(PRIORITY_SHARE))):
            share = pair_share[pair] * sets[needed] * language_share[language] * PRIORITY_SHARE[priority]
            yield _Kind(pair, queue, needed, language, float(priority), share)


def _callers(
    size: Size, pairs: list[tuple[int, int]], language_share: FloatArray, arrivals: FloatArray,
    handle_s: float, rng: np.random.Generator,
) -> Callers:  # fmt: skip
    skills, languages = _names(SKILLS, size.skills, "skill"), _names(LANGUAGES, size.languages, "language")
    kinds = list(_kinds(pairs, rng.uniform(1, 3, len(pairs)), language_share))
    queue, pair, language = (np.array([getattr(k, name) for k in kinds]) for name in ("queue", "pair", "language"))
    share = np.zeros((size.queues, len(kinds)))
    share[queue, np.arange(len(kinds))] = [kind.share for kind in kinds]
    day = arrivals.sum(axis=1)
    busy = day / day.max(axis=1, keepdims=True)
    return Callers(
        pick=pick_table(share),
        skills=pl.Series([[skills[n] for n in kind.skills] for kind in kinds]),
        language=pl.Series([languages[n] for n in language]),
        priority=np.array([kind.priority for kind in kinds]),
        work=pair * size.languages + language,
        law=pair,
        handle_s=np.array([lognormal_law(handle_s * x, HANDLE_SIGMA) for x in _around_one(len(pairs), rng)]),
        patience_s=np.array([exponential_law(PATIENCE_S * x) for x in _around_one(len(pairs), rng)]),
        offered_wait_s=np.array([exponential_law(OFFERED_WAIT_S * x) for x in _around_one(len(pairs), rng)]),
        queued=(0.1 + 0.6 * busy[queue]).T,
    )


def _around_one(number: int, rng: np.random.Generator) -> FloatArray:
    factor: FloatArray = rng.uniform(0.75, 1.25, number)
    factor /= factor.mean()
    return factor


def _able(
    pairs: list[tuple[int, int]], people: _People, languages: int, rng: np.random.Generator
) -> tuple[IntArray, ...]:
    """Integer weights: skill and language, else skill, else a member, else anybody on duty."""
    n_agents = people.skill.shape[0]
    ready = rng.integers(5, 11, n_agents)
    queue, skill = (np.repeat(side, languages) for side in np.array(pairs).T)
    speaks = np.tile(people.language.T > 0, (len(pairs), 1))
    skilled = people.skill.T[skill] > 0
    member = people.member.T[queue]
    anybody = np.broadcast_to(ready, speaks.shape)
    return ready * (skilled & speaks), ready * skilled, ready * member, anybody


def _duty(size: Size) -> tuple[IntArray, IntArray]:
    agent = np.arange(size.agents)
    weekday = (np.arange(size.days)[:, None] + size.start.weekday()) % 7
    shift = np.array(SHIFTS)[agent % len(SHIFTS)]
    off = ((weekday - agent) % 7) < 2
    if size.agents < SMALL:
        shift, off = np.broadcast_to((OPEN_SLOT, CLOSE_SLOT), (size.agents, 2)), np.zeros_like(off)
    return np.where(off, 0, shift[:, 0]), np.where(off, 0, shift[:, 1])
