"""Bullseye routing: the pool of a queue widens ring by ring, and skills are dropped as it does.

Ring k's time-out passes, its skills are dropped and ring k + 1 opens; those of inner rings are asked first
even then. The last time-out lets in whoever is in a ring beyond, so that no member is out for ever. A time-out
counts from the arrival in the queue, or from the end of preferred-agent routing before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.data.centre import Centre
from engine.methods.genesys import Stage, Standard, standard_stages
from engine.methods.ladder import Ladder, effective, stacked
from engine.methods.method import Method, View
from engine.methods.settings import Ring, rings_of
from engine.typing import IntArray

# Ranks of one ring lie below those of the next inner one; a mean proficiency is 5e9 at most.
RING = 1e10


def ladder(view: View) -> Ladder:
    """Rings that open with waiting; a queue without rings has its standard row."""
    rows = {place: effective(stage.row() for stage in some) for place, some in own_stages(view).items()}
    return stacked([rows[place] for place in view.requirement.tolist()], view.centre.n_agents)


def own_stages(view: View) -> dict[int, list[Stage]]:
    """Stages of each requirement's queue: its rings, or the one of standard routing."""
    centre, standard, rings = view.centre, Standard(view.centre, view.switches), rings_of(view.centre)
    asked = np.unique(view.requirement)
    with_rings = np.array([len(of_queue) > 0 for of_queue in rings], bool)[centre.queue[asked]]
    plain = asked[~with_rings]
    stages = {place: [stage] for place, stage in zip(plain.tolist(), standard_stages(standard, plain), strict=True)}
    ringed = asked[with_rings]
    for queue in np.unique(centre.queue[ringed]).tolist():
        of_queue = ringed[centre.queue[ringed] == queue]
        widening = zip(*_widening(centre, standard, of_queue, queue, rings[queue]), strict=True)
        stages |= dict(zip(of_queue.tolist(), map(list, widening), strict=True))
    return stages


def _widening(
    centre: Centre, standard: Standard, requirement: IntArray, queue: int, rings: Sequence[Ring]
) -> Iterator[list[Stage]]:
    """Stage after stage of one queue, each for all its requirements."""
    ring, members, steps = centre.ring[queue], standard.members(requirement), _steps(centre, rings)
    for number, (after_s, removed) in enumerate(steps, 1):
        rank, limit = standard.rank(requirement, removed)
        pool = members & ((ring <= number) | (number == len(steps)))
        # Members of an inner ring go first, however skilled those of outer ones are.
        rank -= RING * ring
        yield [Stage(after_s, *of_one) for of_one in zip(rank, pool, limit.tolist(), strict=True)]


def _steps(centre: Centre, rings: Sequence[Ring]) -> list[tuple[float, frozenset[int]]]:
    """When each ring opens, and which skills have been dropped by then."""
    place = {name: number for number, name in enumerate(centre.skills)}
    steps = [(0.0, frozenset[int]())]
    for ring in rings:
        if ring.timeout_s is not None:
            # Time-outs add up, and a skill once dropped stays dropped.
            after_s, removed = steps[-1]
            dropped = {place[name] for name in ring.removed if name in place}
            steps.append((after_s + ring.timeout_s, removed | dropped))
    return steps


METHOD = Method(
    "Genesys bullseye: rings that open with waiting; queues without rings as genesys", ladder, reads=("rings",),
    is_platform=True,
)  # fmt: skip
