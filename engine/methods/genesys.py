"""Genesys Cloud's standard routing: evaluation methods ALL, BEST and NONE, language always a filter.

Sources and open points stand in the help centre's "Evaluation and routing methods"; where they differ,
`engine.estimates.assumptions.Switches` decides. Ties go to the longest idle, the last one to the smaller id.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from engine.data.centre import Centre
from engine.data.tables import EVALUATION_METHODS
from engine.estimates.assumptions import Switches
from engine.methods.ladder import NEVER, Ladder, Row, stacked
from engine.methods.method import Method, View
from engine.scoring.scores import SCALE, mean_level
from engine.typing import BoolArray, FloatArray, Int32Array, IntArray

ALL, BEST, NONE = range(len(EVALUATION_METHODS))


@dataclass(frozen=True)
class Stage:
    """Whom a queue's own method asks from some wait on, for one requirement.

    Parameters
    ----------
    after_s : float
        Wait from which it holds. [s]
    rank : (n_agents,) array of float
        Larger is asked first, -inf for who does not have the skills; members who are not in the pool count too.
    pool : (n_agents,) array of bool
        Members with the language who can be asked by now.
    limit : int
        Only so many of the longest idle of the pool are looked at; 0 for all.
    """

    after_s: float
    rank: FloatArray
    pool: BoolArray
    limit: int

    def row(self) -> Row:
        """The row of a ladder; a limit that cannot bind is left out."""
        rank = np.where(self.pool, self.rank, NEVER)
        binds = 0 < self.limit < np.count_nonzero(self.pool)
        return Row(self.after_s, rank, self.limit, self.pool) if binds else Row(self.after_s, rank)


class Standard:
    """Standard routing of a centre's queues, for any of its requirements.

    Parameters
    ----------
    centre : Centre
        Agents, requirements, and the queues' evaluation methods.
    switches : Switches
        Where sources differ.
    """

    def __init__(self, centre: Centre, switches: Switches) -> None:
        self._centre, self._switches = centre, switches
        # Languages stand behind the skills, so that a mean may count one in.
        level = np.vstack([centre.proficiency.T, centre.language_level.T])
        self._level = np.where(np.isnan(level), NEVER, level)
        everyone = np.ones((1, centre.n_agents), bool)
        self._speaks = np.vstack([~np.isnan(centre.language_level.T), everyone])
        methods = centre.queues["evaluation_method"].to_list()
        self._evaluation = np.array([EVALUATION_METHODS.index(method) for method in methods], int)

    def members(self, requirement: IntArray) -> BoolArray:
        """Members of the queue who have the language, (n, n_agents); skills are not looked at."""
        centre = self._centre
        return centre.member[centre.queue[requirement]] & self._speaks[centre.language[requirement]]

    def rank(self, requirement: IntArray, removed: Collection[int] = ()) -> tuple[FloatArray, IntArray]:
        """Rank of every agent by skills alone, and how many of the longest idle are looked at (0 for all).

        BEST ranks by mean proficiency over the skills asked for, in whole numbers of 1e-9; else, and where none is
        asked for, all ranks are 0; -inf without the skills.
        """
        start, skill, n_skills = self._needs(removed)
        mean = mean_level(self._level, start, skill, requirement)
        method = self._evaluation[self._centre.queue[requirement]]
        by_level = (method == BEST) & (n_skills[requirement] > 0)
        rank = np.where(by_level[:, None], np.rint(SCALE * mean), np.where(mean > NEVER, 0.0, NEVER))
        rank[method == NONE] = 0.0
        return rank, np.where(by_level, self._switches.longest_idle, 0)

    def _needs(self, removed: Collection[int]) -> tuple[Int32Array, Int32Array, IntArray]:
        """What each requirement of the centre asks for: bounds, rows of the levels, and number of skills."""
        centre = self._centre
        kept = ~np.isin(centre.skill, list(removed))
        start = _running(kept)[centre.skill_start]
        skill, n_skills = centre.skill[kept], np.diff(start)
        if not self._switches.language_in_mean:
            return start, skill, n_skills
        # Without a skill there is no mean that a language could count in: longest idle, as under any method.
        counts_in = (centre.language >= 0) & (n_skills > 0)
        language = len(centre.skills) + centre.language[counts_in]
        return start + _running(counts_in), np.insert(skill, start[1:][counts_in], language), n_skills


def _running(mask: BoolArray) -> Int32Array:
    """How many are true before each place, and in all."""
    return np.concatenate([[0], np.cumsum(mask)]).astype(np.int32)


def ladder(view: View) -> Ladder:
    """Each queue's standard routing, whatever rings or rules it has."""
    requirement, place = np.unique(view.requirement, return_inverse=True)
    rows = [stage.row() for stage in standard_stages(Standard(view.centre, view.switches), requirement)]
    return stacked([[rows[i]] for i in place], view.centre.n_agents)


def standard_stages(standard: Standard, requirement: IntArray) -> list[Stage]:
    """The only stage of standard routing, from arrival on."""
    pool = standard.members(requirement)
    rank, limit = standard.rank(requirement)
    return [Stage(0.0, *of_one) for of_one in zip(rank, pool, limit.tolist(), strict=True)]


METHOD = Method("Genesys standard routing: each queue's evaluation method, ALL, BEST or NONE", ladder, is_platform=True)
