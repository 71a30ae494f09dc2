"""Preferred-agent routing: scored agents first, rule by rule; then the queue's own method with all its agents.

Skills are ignored for preferred agents; they must be members and have the language. An agent once admitted
stays so: when the rules are exhausted the queue's own method ranks everybody, and admitted agents whom it
would not ask (they lack the skills) come last. In a queue with rings those open after the rules, and an
admitted agent takes the place of the own ring. Time-outs count for a single preferred agent as for several; a
rule of 0 s never holds by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.methods.bullseye import own_stages
from engine.methods.genesys import Stage
from engine.methods.ladder import NEVER, Ladder, Row, effective, stacked
from engine.methods.method import Method, View
from engine.methods.settings import Rule, rules_of
from engine.scoring.scores import SCALE
from engine.typing import BoolArray, FloatArray

# Below every rank of any method.
LAST = -1e12


def ladder(view: View) -> Ladder:
    """Rules that admit scored agents, then the rings or the standard row of the queue.

    Interactions without a preferred agent who is a member and has the language, and queues without rules, have
    the queue's own method from the start.
    """
    own, rules = own_stages(view), rules_of(view.centre)
    own_rows = {place: effective(stage.row() for stage in some) for place, some in own.items()}
    attached = view.kinds.preferred or [None] * view.queue.size
    ladders = []
    for preferred, requirement, queue in zip(attached, view.requirement.tolist(), view.queue.tolist(), strict=True):
        rows, stages = own_rows[requirement], own[requirement]
        # The last stage asks every member who has the language.
        score = _scores(preferred or (), stages[-1].pool)
        if rules[queue] and (score > NEVER).any():
            rows = effective(_rows(score, rules[queue], stages))
        ladders.append(rows)
    return stacked(ladders, view.centre.n_agents)


def _scores(preferred: Sequence[tuple[int, float]], members: BoolArray) -> FloatArray:
    """Score of each preferred agent in whole numbers of 1e-9; -inf for all who are not one."""
    score = np.full(members.size, NEVER)
    for agent, points in preferred:
        score[agent] = max(score[agent], np.rint(SCALE * points))
    return np.where(members, score, NEVER)


def _rows(score: FloatArray, rules: Sequence[Rule], own: Sequence[Stage]) -> Iterator[Row]:
    after_s, admitted = 0.0, np.zeros(score.size, bool)
    for rule in rules:
        admitted = admitted | (score > NEVER if rule.least is None else score >= np.rint(SCALE * rule.least))
        yield Row(after_s, np.where(admitted, score, NEVER), prefers=True)
        after_s += rule.wait_s
    for stage in own:
        yield _joined(stage, after_s, admitted).row()


def _joined(stage: Stage, after_s: float, admitted: BoolArray) -> Stage:
    """A stage of the queue's own method, later and with the admitted agents in it."""
    # Never taken away again: a waiting interaction must not lose an agent whom it could already ask.
    rank = np.where(admitted & (stage.rank == NEVER), LAST, stage.rank)
    return Stage(after_s + stage.after_s, rank, stage.pool | admitted, stage.limit)


METHOD = Method(
    "Genesys preferred agents by each queue's rules, then its rings or standard routing", ladder,
    reads=("preferred", "rings"), is_platform=True,
)  # fmt: skip
