"""The literature's yardsticks: rules that need nothing but who may take what."""

from __future__ import annotations

import numpy as np

from engine.methods.ladder import NEVER, Ladder, one_row_each
from engine.methods.method import Method, View


def longest_idle(view: View) -> Ladder:
    """Among the eligible the one idle for longest."""
    return one_row_each(np.where(view.kinds.eligible, 0.0, NEVER))


def fastest_first(view: View) -> Ladder:
    """Among the eligible the one with the shortest handling time for this kind."""
    factor = view.factor
    return one_row_each(np.where(view.kinds.eligible, -factor, NEVER))


def fixed_order(view: View) -> Ladder:
    """Among the eligible the first in the order of agent ids, however long idle."""
    order = -np.arange(view.centre.n_agents, dtype=float)
    return one_row_each(np.where(view.kinds.eligible, order, NEVER))


def random(view: View) -> Ladder:
    """Among the eligible any one, each with the same chance."""
    return one_row_each(np.where(view.kinds.eligible, 0.0, NEVER), by_draw=True)


LONGEST_IDLE = Method("longest idle among the eligible", longest_idle)
FASTEST_FIRST = Method("shortest handling time among the eligible", fastest_first, reads=("factors",))
FIXED_ORDER = Method("smallest agent id among the eligible", fixed_order, asks_idle=False)
RANDOM = Method("drawn among the eligible, each with the same chance", random, asks_idle=False)
