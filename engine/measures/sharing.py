"""Who could have got the work of a replay: eligible counts and even splits by agent, for fairness.

Eligible for an interaction are agents who may take it (members who pass the hard filters of today's rule) and are on
queue, [start, end), when it arrives. Where nobody is, as at night, the interaction counts for those who may take
it and are on queue at the first instant at which anybody is, if it still waits then. Neither threshold, weights,
rings nor a scenario's own filters play a part, so the yardstick does not move with the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.data.centre import Blocks, Centre
from engine.errors import InvalidTable
from engine.estimates.completed import Completed
from engine.estimates.staffing import Roster
from engine.measures.eligibility import Eligibility
from engine.measures.timeline import Edges
from engine.replay.prepare import Recorded
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Sharing:
    """What each agent could have got.

    Parameters
    ----------
    eligible_count : (n_agents,) array of float
        Interactions that each agent was eligible for, routed or not.
    expected : (n_agents,) array of float
        Every routed interaction split evenly over those eligible for it; their sum is all routed interactions
        less those `unplaced`.
    deferred : int
        Interactions that counted when somebody came on queue, as nobody was when they arrived.
    unplaced : int
        Routed interactions for which nobody eligible was on queue from their arrival on: a rule with wider filters than
        today's may find somebody; logs have them where an agent answered who should not or was not on queue.
    """

    eligible_count: FloatArray
    expected: FloatArray
    deferred: int
    unplaced: int


def sharing(
    arrived_us: IntArray, left_us: IntArray, routed: BoolArray, may: Eligibility, spells: Blocks | Roster
) -> Sharing:
    """Eligible counts and even splits by agent.

    Parameters
    ----------
    arrived_us, left_us : (n,) array of int64
        Arrivals and ends of waiting; the latter are not looked at where routed. [us]
    routed : (n,) array of bool
        Whether somebody answered.
    may : Eligibility
        Who may take each interaction.
    spells : Blocks or Roster
        When agents were on queue; those of one agent do not overlap.

    Returns
    -------
    Sharing
        By agent.

    Raises
    ------
    InvalidTable
        If a spell belongs to no agent of `may`.

    Examples
    --------
    >>> spells = Blocks(np.array([0, 1]), np.array([0, 10]), np.array([20, 30]))
    >>> arrived, routed = np.array([5, 15, 15, 25]), np.array([True, True, False, True])
    >>> found = sharing(arrived, arrived, routed, Eligibility(np.ones((1, 2), bool), np.zeros(4, int)), spells)
    >>> found.eligible_count.tolist(), found.expected.tolist()
    ([3.0, 3.0], [1.5, 1.5])
    """
    check()
    n_agents = may.n_agents
    if spells.agent.max(initial=-1) >= n_agents:
        raise InvalidTable(
            f"spells name agent {spells.agent.max()}, eligible has {n_agents}; encode both from one snapshot"
        )
    edges = Edges(spells)
    count, expected = np.zeros(n_agents), np.zeros(n_agents)
    deferred = unplaced = 0
    every = np.arange(arrived_us.size)
    for able, rows in may.each(np.lexsort((arrived_us, may.group)), every):
        placed = _placed(edges.stretches(able), edges.ends(able), arrived_us[rows], left_us[rows], routed[rows])
        count += np.bincount(placed.agent, placed.times, n_agents)
        expected += np.bincount(placed.agent, placed.expected, n_agents)
        deferred, unplaced = deferred + placed.deferred, unplaced + placed.unplaced
    return Sharing(count, expected, deferred, unplaced)


class _Placed(NamedTuple):
    """By spell its agent, the interactions that counted and what was expected; how many were deferred, unplaced."""

    agent: IntArray
    times: IntArray
    expected: FloatArray
    deferred: int
    unplaced: int


def _placed(spells: Blocks, ended_us: IntArray, arrived_us: IntArray, left_us: IntArray, routed: BoolArray) -> _Placed:
    """Interactions in order of arrival that the same agents may take, over spells in order of their starts."""
    # Whoever has started less whoever has ended is on queue: two look-ups serve any number of agents.
    started = np.searchsorted(spells.start_us, arrived_us, "right")
    nobody = started == np.searchsorted(ended_us, arrived_us, "right")
    never = nobody & (started == spells.start_us.size)
    later = nobody & ~never
    # With nobody on queue, all spells that have started have ended, and the next is still to start.
    at_us = arrived_us.copy()
    at_us[later] = spells.start_us[started[later]]
    # An interaction that left before anybody came could have been nobody's; one that was routed was somebody's.
    kept = ~never & (~later | routed | (left_us >= at_us))
    at_us = at_us[kept]
    here = np.searchsorted(spells.start_us, at_us, "right") - np.searchsorted(ended_us, at_us, "right")
    # Every spell gets the difference of two running sums, where splitting each interaction over its agents would be a
    # matrix of interactions by agents.
    share = np.append(0.0, np.cumsum(routed[kept] / here))
    low, high = (np.searchsorted(at_us, side_us, "left") for side_us in (spells.start_us, spells.end_us))
    return _Placed(
        spells.agent, high - low, share[high] - share[low], int(np.count_nonzero(later[kept])),
        int(np.count_nonzero(never & routed)),
    )  # fmt: skip


def other_yardstick(completed: Completed, recorded: Recorded) -> list[str]:
    """What levers changed of that by which sharing is judged.

    Parameters
    ----------
    completed : Completed
        After levers.
    recorded : Recorded
        The data set as it was.

    Returns
    -------
    list of str
        In words; empty where eligible counts mean the same as under the rule in force.
    """
    centre, was = completed.centre, recorded.centre
    if centre is was and completed.staffed is recorded.blocks:
        return []
    sides: tuple[tuple[str, Any, Any, tuple[str, ...]], ...] = (
        ("who is a member of which queue", centre, was, ("member",)),
        ("who has which skill or language", centre, was, ("proficiency", "language_level")),
        ("who is on queue when", completed.spells, recorded.spells, ("agent", "start_us", "end_us")),
    )
    return [
        what
        for what, now, before, columns in sides
        if not all(np.array_equal(*(np.nan_to_num(getattr(s, c), nan=-1) for s in (now, before))) for c in columns)
    ]


def lacks(centre: Centre, requirement: IntArray, agent: IntArray) -> BoolArray:
    """Whether each agent lacks a skill or the language that goes with it.

    Parameters
    ----------
    centre : Centre
        Queues, skills and call types.
    requirement, agent : (n,) array of int
        Pairs.

    Returns
    -------
    (n,) array of bool
        A skill held at proficiency 0 is held.
    """
    language = centre.language[requirement]
    lacking = language >= 0
    lacking[lacking] = np.isnan(centre.language_level[agent[lacking], language[lacking]])
    first, n_skills = centre.skill_start[requirement], np.diff(centre.skill_start)[requirement]
    pair = np.repeat(np.arange(requirement.size), n_skills)
    # All required skills of all pairs end to end, so that no loop goes over pairs.
    place = np.arange(pair.size) - np.repeat(np.cumsum(n_skills) - n_skills, n_skills) + np.repeat(first, n_skills)
    lacking[pair[np.isnan(centre.proficiency[agent[pair], centre.skill[place]])]] = True
    return lacking
