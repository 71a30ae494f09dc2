"""Single pools through the public replay, many separate days in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.validation.arrivals import at_random
from benchmarks.validation.patience import ENDLESS, Patience
from engine.data.served import Served, Status
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import one_row_each
from engine.replay.loop import replay
from engine.typing import BoolArray, FloatArray, IntArray

# Between two days, in mean handling times: nobody is left when the next one starts.
GAP = 200.0


@dataclass(frozen=True)
class Pool:
    """Agents who all serve the same calls, over days that start empty and end when the last call has ended."""

    rate_per_s: float  # Calls while a day lasts, in the mean. [1/s]
    handle_s: float  # Mean handling time, exponential. [s]
    n_agents: int  # Agents
    length_s: float  # Length of a day. [s]
    patience: Patience = ENDLESS  # Its law
    within_s: float = 20.0  # Threshold of the service level. [s]
    warm_s: float = 0.0  # What comes earlier in a day is not counted. [s]
    swing: float = 0.0  # Share by which the rate of calls swings around its mean, as a sine
    cycle_s: float = 1.0  # How long a swing lasts. [s]

    @property
    def n_calls(self) -> float:
        """Calls expected in a day."""
        return self.rate_per_s * self.length_s


def simulate(pool: Pool, n_days: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Play days: by day, calls that came, were answered and so on, and seconds of waiting and of busy agents."""
    day, place = _arrivals(pool, n_days, rng)
    handle_s = pool.handle_s * rng.standard_exponential(day.size)
    patience_s = pool.patience.draw(rng, day.size)
    starts_s = np.arange(n_days + 1) * (pool.length_s + GAP * pool.handle_s)
    agents = np.arange(pool.n_agents)
    demand = Demand.of(
        starts_s[day] + pool.length_s * place, handle_s, Kinds.plain(np.ones((1, pool.n_agents), bool)),
        patience_s=patience_s,
    )  # fmt: skip
    end_s: Any = np.full(pool.n_agents, starts_s[-1])
    on_queue = Roster.of(pool.n_agents, agents, np.zeros_like(agents), end_s)
    served = replay(demand, on_queue, one_row_each(np.zeros((1, pool.n_agents))))
    starts_us = np.rint(1e6 * starts_s).astype(np.int64)
    if (np.maximum(served.end_us, served.left_us) >= starts_us[day + 1]).any():
        raise RuntimeError("a day reaches into the next; raise GAP")
    return _sums(pool, demand.arrived_us, served, day, starts_us)


def _arrivals(pool: Pool, n_days: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """Day of each call, and where in it."""
    day, place = at_random(np.full(n_days, pool.n_calls * (1 + pool.swing)), rng)
    if not pool.swing:
        return day, place
    # As many as at the highest rate, thinned to the rate of the moment (Lewis and Shedler 1979).
    rate = 1 + pool.swing * np.sin(2 * np.pi * pool.length_s / pool.cycle_s * place)
    kept = rng.random(day.size) * (1 + pool.swing) < rate
    return day[kept], place[kept]


def _sums(
    pool: Pool, arrived_us: IntArray, served: Served, day: IntArray, starts_us: IntArray
) -> dict[str, FloatArray]:
    n_days = starts_us.size - 1
    from_us, until_us = (starts_us[day] + round(1e6 * edge_s) for edge_s in (pool.warm_s, pool.length_s))
    counts = arrived_us >= from_us
    wait_s = served.wait_s
    answered = counts & (served.status == Status.ANSWERED)
    abandoned = counts & (served.status == Status.ABANDONED)

    def total(what: FloatArray | BoolArray) -> FloatArray:
        return np.asarray(np.bincount(day, what, n_days), float)

    def within(start_us: IntArray, end_us: IntArray) -> FloatArray:
        """Seconds of a span that fall into the part of the day that counts."""
        spent_us = np.minimum(end_us, until_us) - np.maximum(start_us, from_us)
        return np.maximum(spent_us, 0) / 1e6

    return {
        "days": np.ones(n_days),
        "agent s": np.full(n_days, pool.n_agents * (pool.length_s - pool.warm_s)),
        "s": np.full(n_days, pool.length_s - pool.warm_s),
        "offered": total(counts),
        "answered": total(answered),
        "abandoned": total(abandoned),
        "answered or abandoned late": total(answered | (abandoned & (wait_s >= pool.within_s))),
        "waiting": total(counts & (wait_s > 0)),
        "longer": total(counts & (wait_s > pool.within_s)),
        "in target": total(answered & (wait_s < pool.within_s)),
        "wait s": total(counts * wait_s),
        "wait s of answered": total(answered * wait_s),
        "queue s": total(within(arrived_us, served.left_us)),
        "busy s": total(within(served.start_us, served.end_us)),
    }
