"""A routing method as data: what selection reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.scoring.scores import SCALE, mean_level
from engine.typing import FloatArray, Int32Array, IntArray

# Cells of one block of keys: small enough to stay in a core's cache between the passes over it.
BLOCK_CELLS = 1 << 15


@dataclass(frozen=True)
class Plan:
    """Weighted sums of three terms for some requirements and all agents, under a stack of scenarios.

    ``key = rint(1e9 * ((w[0] * p + w[1] * language) + w[2] * csat))`` where p is the mean of `skill` over
    the required skills, or 1 where none is required. A term of -inf means never, whatever its weight.

    Parameters
    ----------
    requirement : (n,) array of int
        The rows planned, those with more skills first.
    skill : (n_skills, n_agents) array of float
        Proficiency term of each single skill.
    language : (n_languages + 1, n_agents) array of float
        Language term; the last row serves requirements without a language.
    csat : (n_queues, n_agents) array of float
        Satisfaction term for members of each queue.
    skill_start, skill_row, language_row, queue_row : arrays of int32
        By requirement of the data set: bounds within skill_row, and rows of the tables above.
    weights : (n_scenarios, 3) array of float
        Proficiency, language, satisfaction.
    least : (n_scenarios,) array of float
        Smallest key that can be chosen.
    agent : (n_agents,) array of int32
        The agent of each column; among equal keys the earlier column wins.
    """

    requirement: IntArray
    skill: FloatArray
    language: FloatArray
    csat: FloatArray
    skill_start: Int32Array
    skill_row: Int32Array
    language_row: Int32Array
    queue_row: Int32Array
    weights: FloatArray
    least: FloatArray
    agent: Int32Array

    @property
    def n_pairs(self) -> int:
        """Keys that the plan stands for."""
        return len(self.weights) * self.requirement.size * self.agent.size

    def blocks(self) -> Iterator[tuple[int, slice, FloatArray]]:
        """Keys, a block at a time.

        Yields
        ------
        scenario : int
            Of the stack.
        rows : slice
            Which of the planned rows the block covers.
        key : (n, n_agents) array of float
            Larger is better, -inf never; overwritten by the next block.
        """
        step = max(1, BLOCK_CELLS // max(1, self.agent.size))
        key, part = np.empty((2, min(step, self.requirement.size), self.agent.size))
        for start in range(0, self.requirement.size, step):
            rows = slice(start, min(start + step, self.requirement.size))
            some, n = self.requirement[rows], rows.stop - start
            terms = (
                mean_level(self.skill, self.skill_start, self.skill_row, some),
                self.language.take(self.language_row[some], axis=0, mode="wrap"),
                self.csat.take(self.queue_row[some], axis=0),
            )
            for scenario, weights in enumerate(self.weights):
                _times(weights[0], terms[0], key[:n])
                for weight, term in zip(weights[1:], terms[1:], strict=True):
                    key[:n] += _times(weight, term, part[:n])
                key[:n] *= SCALE
                yield scenario, rows, np.rint(key[:n], out=key[:n])


def _times(weight: float, term: FloatArray, out: FloatArray) -> FloatArray:
    """Product that keeps -inf at weight 0."""
    return np.multiply(term, weight, out=out) if weight > 0 else np.minimum(term, 0.0, out=out)
