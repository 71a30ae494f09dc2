"""Desks: who belongs to the desk that serves a kind of call, who helps out when nobody of it is free, who does neither.

An import can only tell who ever took calls of a kind. Of them, who passes such calls over when they come first is no
member (incidental); of those left, who takes them beside free members much less often than an equal would helps out
(overflow: ring 2, asked when nobody of ring 1 is free).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.calibration.choices import Turns, answered_at_once, turns
from engine.calibration.exits import able
from engine.calibration.in_force import Desk
from engine.calibration.rings import FEWEST_OF_AGENT, FEWEST_OF_KIND, Choices, rings
from engine.data.centre import Blocks, Centre
from engine.data.history import History
from engine.results import about
from engine.typing import BoolArray, FloatArray, IntArray

MEMBER, OVERFLOW, INCIDENTAL = "member", "overflow", "incidental"
# Chance below which an agent is not taken for one who takes half as often as a member.
RARE = 0.001
ROUNDS = 5
MOST_KINDS = 300


@dataclass(frozen=True)
class DeskAgent:
    """An agent who may take a kind of call, and what speaks for the role."""

    agent_id: str = about("Id of the agent.")
    role: str = about("member, overflow (only when no member is free) or incidental (not at all).")
    answered: int = about("Calls of the kind. [count]")
    turns: int = about("Times such a call came first when the agent took one from the queue. [count]")
    taken: int = about("Times the agent then took one of the kind. [count]")
    beside: int = about("Calls answered at once while the agent and a member were free. [count]")
    expected: float = about("Of them the agent's share, were all who were free equals. [count]")
    took_beside: int = about("Of them those the agent took. [count]")


@dataclass(frozen=True)
class DeskFit:
    """The desk of a kind of call."""

    queue_id: str = about("Id of the queue.")
    skills: list[str] = about("Required skills.")
    language: str | None = about("Required language; null where any will do.")
    turns: int = about("Times such a call came first when an agent took one from the queue. [count]")
    rate: float | None = about("Share of these turns in which one was taken, by members and overflow.")
    agents: list[DeskAgent] = about("Agents who answered such calls, or should and do not; most calls first.")

    @property
    def is_special(self) -> bool:
        """Whether anybody is no equal member."""
        return any(one.role != MEMBER for one in self.agents)


def desks(
    history: History, centre: Centre, spells: Blocks, acw_s: float, lead_s: FloatArray
) -> tuple[list[DeskFit], list[Desk]]:  # fmt: skip
    """Desks of all kinds with choices enough, and as a replay reads those that are special.

    `lead_s` is the head start of each call type in force.
    """
    if centre.call_types.height > MOST_KINDS:
        return [], []
    kinds = _fittable(centre)
    recorded = able(centre)
    can, seen = _served(history, centre, recorded, kinds, lead_s)
    at_once = answered_at_once(history, centre, spells, acw_s)
    answered = _answered(history, centre)
    found, rules = [], []
    for kind in kinds:
        choices = Choices.of(at_once, kind, can[kind])
        role = _roles(answered[kind], recorded[kind], can[kind], rings(choices))
        row = _fit(centre, kind, answered[kind], role, seen, choices)
        if row.agents:
            found.append(row)
            if row.is_special:
                rules.append(_rule(row, len(kinds_in_queue(centre, kind)) > 1))
    return found, rules


def _fittable(centre: Centre) -> list[int]:
    """Requirements whose queue leaves the choice among the able to whoever is idle for longest."""
    queues = centre.queues
    plain = (queues["evaluation_method"] == "ALL") & (queues["scoring_method"] == "TimestampAndPriority")
    plain &= queues["rings"].is_null() & queues["routing_rules"].is_null()
    return np.flatnonzero(plain.to_numpy()[centre.queue]).tolist()


def kinds_in_queue(centre: Centre, kind: int) -> IntArray:
    """Requirements that wait in the queue of one."""
    return np.flatnonzero(centre.queue == centre.queue[kind])


def _answered(history: History, centre: Centre) -> IntArray:
    """Calls answered by requirement and agent."""
    rows = history.outcome_is("answered") & (history.agent >= 0)
    code = centre.requirement[history.call_type[rows]].astype(np.int64) * centre.n_agents + history.agent[rows]
    size = centre.n_requirements * centre.n_agents
    return np.bincount(code, minlength=size).reshape(centre.n_requirements, centre.n_agents)


def _served(
    history: History, centre: Centre, recorded: BoolArray, kinds: Sequence[int], lead_s: FloatArray
) -> tuple[BoolArray, Turns]:  # fmt: skip
    """Who serves what, less those who pass it over, and turns of all that are recorded to serve it."""
    can, before = recorded.copy(), recorded
    whole = turns(history, centre, recorded, lead_s)
    seen = whole
    for _ in range(ROUNDS):
        for kind in kinds:
            n, taken = counted(seen, kind, centre.n_agents)
            can[kind] &= ~passed_over(n, taken)
        if np.array_equal(can, before):
            break
        # Who does not serve a kind may take the next without passing anything over, so turns are counted anew.
        before, seen = can.copy(), turns(history, centre, can, lead_s)
    return can, whole


def counted(seen: Turns, kind: int, n_agents: int) -> tuple[IntArray, IntArray]:
    """Turns of a kind by agent, and those in which one of the kind was taken."""
    mine = seen.first == kind
    agent, took = seen.agent[mine], seen.taken[mine] == kind
    return np.bincount(agent, minlength=n_agents), np.bincount(agent[took], minlength=n_agents)


def passed_over(n: IntArray, taken: IntArray) -> BoolArray:
    """Who takes a kind, when it comes first, clearly less than half as often as all together."""
    from scipy.special import betainc

    if n.sum() < FEWEST_OF_KIND or not taken.sum():
        return np.zeros(n.size, bool)
    half = taken.sum() / n.sum() / 2
    # The binomial distribution up to `taken`, by the incomplete beta function; all of it where nothing was passed over.
    chance: FloatArray = np.where(taken < n, betainc(np.maximum(n - taken, 1), taken + 1, 1 - half), 1.0)
    rare: BoolArray = (n >= FEWEST_OF_AGENT) & (chance < RARE) & (taken < half * n)
    return rare


def _roles(answered: IntArray, recorded: BoolArray, can: BoolArray, ring: IntArray) -> dict[int, str]:
    """Role of each agent who answered calls of a kind, or is recorded for them and does not; most calls first."""
    order = np.lexsort((np.arange(answered.size), -answered)).tolist()
    return {
        a: INCIDENTAL if not can[a] else OVERFLOW if ring[a] == 2 else MEMBER
        for a in order
        if recorded[a] and (answered[a] or not can[a] or ring[a] == 2)
    }


def _fit(
    centre: Centre, kind: int, answered: IntArray, role: dict[int, str], seen: Turns, choices: Choices
) -> DeskFit:  # fmt: skip
    """A desk with what speaks for the roles."""
    n, taken = counted(seen, kind, centre.n_agents)
    own = np.isin(np.arange(centre.n_agents), [a for a, name in role.items() if name == MEMBER])
    longest = choices.fit(np.where(own, 1, 2))[1] if choices.agent.size else 0.0
    expected, members = choices.expected(longest), (choices.free & own).sum(axis=1)
    agents = []
    for a, name in role.items():
        # Beside another member; who is one is not beside itself.
        beside = choices.free[:, a] & (members - own[a] > 0)
        agents.append(
            DeskAgent(
                centre.agent_ids[a], name, int(answered[a]), int(n[a]), int(taken[a]), int(beside.sum()),
                float(expected[beside, a].sum()), int((choices.agent[beside] == a).sum()),
            )
        )  # fmt: skip
    turned = sum(one.turns for one in agents if one.role != INCIDENTAL)
    kept = sum(one.taken for one in agents if one.role != INCIDENTAL)
    needed = centre.skill[centre.skill_start[kind] : centre.skill_start[kind + 1]]
    language = centre.language[kind]
    return DeskFit(
        queue_id=centre.queue_ids[centre.queue[kind]], skills=[centre.skills[place] for place in needed],
        language=None if language < 0 else centre.languages[language], turns=turned,
        rate=kept / turned if turned else None, agents=agents,
    )  # fmt: skip


def _rule(fit: DeskFit, is_split: bool) -> Desk:
    """A desk as a replay reads it; kinds that share a queue get one of their own."""
    needs = ", ".join([*fit.skills, *filter(None, [fit.language])])
    return Desk(
        queue_id=fit.queue_id, skills=fit.skills, language=fit.language,
        desk_id=f"{fit.queue_id}: {needs}" if is_split else fit.queue_id,
        overflow=[one.agent_id for one in fit.agents if one.role == OVERFLOW],
        incidental=[one.agent_id for one in fit.agents if one.role == INCIDENTAL],
    )  # fmt: skip
