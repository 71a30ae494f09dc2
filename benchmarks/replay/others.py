"""The pool as other simulators play it: SimPy and Ciw, on the same draws, times in whole microseconds."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any

from benchmarks.measure import NotMeasured
from benchmarks.replay.workloads import Case
from engine.data.served import Served, Status

# Answered and abandoned.
Counts = tuple[int, int]
LATE_US = 2.0**62


def package(name: str) -> ModuleType:
    """A simulator that only benchmarks need; `NotMeasured` if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotMeasured(f"{name} is not installed; it comes with routelab[dev]") from error


def counts(served: Served) -> Counts:
    """How many were answered and how many gave up."""
    n = served.counts
    return int(n[Status.ANSWERED]), int(n[Status.ABANDONED])


def with_simpy(case: Case) -> Counts:
    """Play a pool with SimPy, written like its documentation's own example of customers who give up.

    It could be a fifth faster if a process first looked whether an agent is free, and only then waited for one.

    References
    ----------
    .. [1] SimPy documentation, examples, "Bank Renege".
    """
    simpy = package("simpy")
    arrived_us, handle_us, patience_us = _columns(case)
    env = simpy.Environment()
    agents = simpy.Resource(env, case.roster.n_agents)
    done = [0, 0]

    def call(i: int) -> Generator[Any, Any, None]:
        with agents.request() as asked:
            happened = yield asked | env.timeout(patience_us[i])
            if asked in happened:
                done[0] += 1
                yield env.timeout(handle_us[i])
            else:
                done[1] += 1

    def calls() -> Generator[Any, Any, None]:
        for i, at_us in enumerate(arrived_us):
            yield env.timeout(at_us - env.now)
            env.process(call(i))

    env.process(calls())
    env.run()
    return done[0], done[1]


def with_ciw(case: Case) -> Counts:
    """Play a pool with Ciw, one node whose customers renege: how many were answered and abandoned."""
    ciw = package("ciw")
    arrived_us, handle_us, patience_us = _columns(case)
    later_us = iter([*(b - a for a, b in zip([0, *arrived_us[:-1]], arrived_us, strict=True)), float("inf")])
    network = ciw.create_network(
        arrival_distributions=[_drawn(ciw, lambda _: next(later_us))],
        service_distributions=[_drawn(ciw, lambda customer: handle_us[customer.id_number - 1])],
        reneging_time_distributions=[_drawn(ciw, lambda customer: patience_us[customer.id_number - 1])],
        number_of_servers=[case.roster.n_agents],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(LATE_US)
    gone = Counter(customer.data_records[-1].record_type for customer in simulation.nodes[-1].all_individuals)
    return gone["service"], gone["renege"]


def _drawn(ciw: Any, of: Any) -> Any:
    """A law of Ciw that gives what was drawn before."""

    class Drawn(ciw.dists.Distribution):  # type: ignore[misc]
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            return float(of(ind))

    return Drawn()


def _columns(case: Case) -> Iterator[list[int]]:
    demand = case.demand
    columns = (demand.arrived_us, demand.handle_us, demand.leave_us - demand.arrived_us)
    return (column.tolist() for column in columns)
