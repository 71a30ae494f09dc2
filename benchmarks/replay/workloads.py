"""Named centres to replay, the same from the same seed.

`simple-msk` is the example of `benchmarks.validation.simple_msk`. `pool` is one pool, which other simulators
can play as well. The families `idle` and `ranked` are centres of 100 to 10,000 agents with 200 call types, of
which each agent takes 10 to 30, busy 95 % of the time; in `idle` calls go to the longest idle, in `ranked`
every agent has an own rank for every call type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.validation import simple_msk
from engine.data.served import Served
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import NEVER, Ladder, one_row_each
from engine.replay.bundles import Clock
from engine.replay.loop import replay
from engine.typing import BoolArray

SEED = 7
MEAN_HANDLE_S, MEAN_PATIENCE_S = 240.0, 300.0
N_CALL_TYPES, FEWEST_TYPES, MOST_TYPES = 200, 10, 30
# Calls in hand per agent if nobody gave up, by number of agents: so much keeps them busy for about 95 % of the time.
LOAD = {100: 1.08, 300: 0.965, 1_000: 0.95, 3_000: 0.95, 10_000: 0.95}
POOL_AGENTS, POOL_LOAD = 50, 0.97
CALLS_A_DAY = float(simple_msk.CALLS.sum() * simple_msk.PERIOD_S / simple_msk.MINUTE_S)


@dataclass(frozen=True)
class Case:
    """A centre and its calls, ready to be played."""

    demand: Demand  # The calls
    roster: Roster  # The agents
    ladder: Ladder  # Who is asked first
    clock: Clock | None = None  # What idle time means

    @property
    def n_interactions(self) -> int:
        """Number of calls."""
        return int(self.demand.arrived_us.size)

    def play(self) -> Served:
        """Play the calls."""
        return replay(self.demand, self.roster, self.ladder, self.clock)


@dataclass(frozen=True)
class Played:
    """A named centre."""

    name: str  # What the table of results calls it
    make: Callable[[int], Case]  # A case with about so many calls
    usual: str = "1M"  # Size that is run unless another is asked for
    family: str = ""  # Centres of one family differ in the number of agents only; empty for those of no family
    n_agents: int = 0  # Number of agents

    def build(self, n_interactions: int) -> Case:
        """Draw a case."""
        return self.make(n_interactions)


def _simple_msk(n_calls: int) -> Case:
    days = simple_msk.draw(max(1, round(n_calls / CALLS_A_DAY)), np.random.default_rng([SEED, n_calls]))
    return Case(days.demand, days.roster, days.ladder, simple_msk.CLOCK)


def _pool(n_calls: int) -> Case:
    rng = np.random.default_rng([SEED, n_calls, POOL_AGENTS])
    able = np.ones((1, POOL_AGENTS), bool)
    demand = _demand(n_calls, able, POOL_AGENTS * POOL_LOAD, rng)
    return Case(demand, _all_along(POOL_AGENTS, demand), one_row_each(np.zeros(able.shape)))


def _many_types(n_agents: int, ranked: bool, n_calls: int) -> Case:
    rng = np.random.default_rng([SEED, n_calls, n_agents])
    drawn = rng.random((N_CALL_TYPES, n_agents))
    able = drawn.argsort(axis=0).argsort(axis=0) < rng.integers(FEWEST_TYPES, MOST_TYPES + 1, n_agents)
    demand = _demand(n_calls, able, n_agents * LOAD[n_agents], rng)
    rank = rng.random(able.shape) if ranked else np.zeros(able.shape)
    return Case(demand, _all_along(n_agents, demand), one_row_each(np.where(able, rank, NEVER)))


def _demand(n_calls: int, able: BoolArray, load: float, rng: np.random.Generator) -> Demand:
    """Calls at random, each of one of the types, so many that `load` would be in hand if nobody gave up."""
    arrived_s = np.cumsum(rng.standard_exponential(n_calls)) * MEAN_HANDLE_S / load
    handle_s, patience_s = (mean_s * rng.standard_exponential(n_calls) for mean_s in (MEAN_HANDLE_S, MEAN_PATIENCE_S))
    return Demand.of(arrived_s, handle_s, Kinds.plain(able), rng.integers(0, len(able), n_calls), patience_s)


def _all_along(n_agents: int, demand: Demand) -> Roster:
    # Long enough for whoever waits at the end.
    end_s: Any = np.full(n_agents, demand.arrived_us[-1] / 1e6 + 100 * MEAN_HANDLE_S)
    return Roster.of(n_agents, np.arange(n_agents), np.zeros(n_agents, int), end_s)


def _family(name: str, ranked: bool) -> list[Played]:
    return [
        Played(f"{name}-{n_agents}", partial(_many_types, n_agents, ranked), family=name, n_agents=n_agents)
        for n_agents in LOAD
    ]


REPLAYS = {
    played.name: played
    for played in (
        Played("simple-msk", _simple_msk),
        Played("pool", _pool, usual="100k"),
        *_family("idle", ranked=False),
        *_family("ranked", ranked=True),
    )
}
