"""The cases as data: what is simulated, how often, and what must come of it.

Exact values are calculated here by the formulas of `erlang` and `day`; published ones stand with their source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from benchmarks.validation import coverage, pools, simple_msk
from benchmarks.validation.day import Day
from benchmarks.validation.erlang import Steady
from benchmarks.validation.patience import constant, exponential, uniform
from benchmarks.validation.pools import Pool
from benchmarks.validation.swing import Swing
from engine.measures.intervals import RATIOS
from engine.typing import FloatArray

MINUTE_S = 60.0
# Calls in one replay.
AT_ONCE = 1_000_000
LIBRARY = "ContactCenters simulation library, https://github.com/umontreal-simul/contactcenters, doc/examples"
EICK = "Eick, Massey and Whitt 1993, doi:10.1287/mnsc.39.2.241"
ZELTYN = "Zeltyn and Mandelbaum 2005, doi:10.1007/s11134-005-3699-8"
Sums = dict[str, FloatArray]


@dataclass(frozen=True)
class Published:
    """What somebody else's simulation gave."""

    # Mean and 95 % interval
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Cell:
    """One number: a ratio of sums over all days."""

    name: str  # What it is, with its unit
    # Sums by day of which it is the ratio; over `days` it is a mean of days
    over: str
    under: str = "days"
    unit: float = 1.0  # Divides the ratio
    exact: float | None = None  # What it is in theory
    published: Published | None = None  # What a published simulation gave
    bounds: tuple[float, float] | None = None  # Between which a share of days must lie


@dataclass(frozen=True)
class Part:
    """One model of a case."""

    # Name of the case, the model in words, and where the numbers are from
    case: str
    model: str
    source: str
    simulate: Callable[[int, np.random.Generator], Sums]  # Plays so many independent days; gives sums by day
    # How many independent days, and how many of them in one replay
    n_days: int
    at_once: int
    cells: tuple[Cell, ...]  # What is compared


def v1() -> list[Part]:
    """One pool over one day that starts empty."""
    pool = Pool(rate_per_s=4.2 / MINUTE_S, handle_s=120.0, n_agents=12, length_s=480 * MINUTE_S)
    impatient = replace(pool, patience=exponential(60.0))
    model = "4.2 calls/min, 2 min, 12 agents, 480 min from empty"
    patient_cells = _day_cells(pool, Day(pool.rate_per_s, pool.handle_s, pool.n_agents, pool.length_s), _V1)
    day = Day(pool.rate_per_s, pool.handle_s, pool.n_agents, pool.length_s, 60.0)
    impatient_cells = _day_cells(impatient, day, _V1_IMPATIENT)
    late = day.abandoned_after(pool.within_s)
    more = (
        Cell("abandoned", "abandoned", exact=day.offered - day.answered, published=Published(58.609, 57.660, 59.558)),
        Cell(
            "in target, of answered or abandoned after 20 s", "in target", "answered or abandoned late",
            exact=day.within(pool.within_s) / (day.answered + late), published=Published(0.968, 0.968, 0.969),
        ),
    )  # fmt: skip
    return [
        Part("V1", model, f"{LIBRARY}/MMC.res", _days(pool), 4_000, 500, patient_cells),
        Part(
            "V1",
            f"{model}, patience 1 min",
            f"{LIBRARY}/MMCAb.res",
            _days(impatient),
            4_000,
            500,
            impatient_cells + more,
        ),
    ]


_V1 = (
    Published(1816.158, 1812.618, 1819.698), Published(0.902, 0.900, 0.904), Published(0.099, 0.097, 0.102),
    Published(0.695, 0.694, 0.697),
)  # fmt: skip
_V1_IMPATIENT = (
    Published(1906.008, 1903.785, 1908.231), Published(0.975, 0.974, 0.975), Published(0.024, 0.023, 0.024),
    Published(0.675, 0.674, 0.677),
)  # fmt: skip


def _day_cells(pool: Pool, day: Day, published: tuple[Published, ...]) -> tuple[Cell, ...]:
    within = day.within(pool.within_s)
    return (
        Cell("answered within 20 s", "in target", exact=within, published=published[0]),
        Cell("in target, of answered", "in target", "answered", exact=within / day.answered, published=published[1]),
        Cell(
            "mean wait of answered, min", "wait s of answered", "answered", MINUTE_S, day.mean_wait_s / MINUTE_S,
            published[2],
        ),
        Cell("occupancy", "busy s", "agent s", exact=day.occupancy, published=published[3]),
    )  # fmt: skip


def v4() -> list[Part]:
    """Three call types, two groups, three periods."""
    cells = _msk_cells(
        (4297.305, 4270.150, 4324.460), (910.335, 876.133, 944.537), (0.501, 0.494, 0.509), (0.881, 0.877, 0.884),
        (170.154, 164.338, 175.970), (599.334, 594.159, 604.509), (15.490, 13.782, 17.198),
        (262.936, 254.597, 271.275), (511.648, 506.276, 517.020), (34.697, 31.270, 38.124),
        (259.806, 250.178, 269.434), (613.732, 607.586, 619.878), (24.888, 22.137, 27.639),
    )  # fmt: skip
    model = "SimpleMSK: 3 types, 2 groups, 3 periods, busy and quiet days"
    return [Part("V4", model, f"{LIBRARY}/SimpleMSK.res", simple_msk.simulate, 4_000, 200, cells)]


def v14() -> list[Part]:
    """As V4, and one call type reaches a second group only after a wait."""
    cells = _msk_cells(
        (4274.426, 4247.504, 4301.348), (933.214, 898.830, 967.598), (0.579, 0.572, 0.587), (0.884, 0.880, 0.887),
        (298.745, 296.876, 300.614), (595.270, 590.151, 600.389), (106.823, 104.992, 108.654),
        (383.203, 380.066, 386.340), (504.090, 498.975, 509.205), (121.441, 117.638, 125.244),
        (239.008, 229.176, 248.840), (611.550, 605.491, 617.609), (22.298, 19.669, 24.927),
    )  # fmt: skip
    model = "SimpleMSKWithRerouting: type 1 reaches group 1 after 12 s"
    rerouted = partial(simple_msk.simulate, is_rerouted=True)
    return [Part("V14", model, f"{LIBRARY}/SimpleMSKWithRerouting.res", rerouted, 2_000, 200, cells)]


def _msk_cells(*published: tuple[float, float, float]) -> tuple[Cell, ...]:
    """Mean and interval of each: four of the whole, then by type and period."""
    answered, abandoned, level, occupancy, *others = (Published(*one) for one in published)
    return (
        Cell("answered", "answered", published=answered),
        Cell("abandoned", "abandoned", published=abandoned),
        Cell(
            "in target, of answered or abandoned after 20 s", "in target", "answered or abandoned late", published=level
        ),
        Cell("occupancy of group 0, whole run", "busy s", "present s", published=occupancy),
        *(
            Cell(f"in target, type {kind}, period {period}", f"in target {kind} {period}", published=one)
            for (kind, period), one in zip(product(range(3), range(3)), others, strict=True)
        ),
    )  # fmt: skip


def v6() -> list[Part]:
    """One pool in the long run."""
    # Warm-ups of ten relaxation times, 1 / (sqrt(agents * served) - sqrt(calls))^2, or more.
    large = Pool(rate_per_s=48 / MINUTE_S, handle_s=60.0, n_agents=50, length_s=5_500 * MINUTE_S, warm_s=500 * MINUTE_S)
    small = Pool(
        rate_per_s=100 / 1800, handle_s=180.0, n_agents=11, length_s=31_500 * MINUTE_S, warm_s=1_500 * MINUTE_S
    )
    large_model, small_model = "48 calls/min, 1 min, 50 agents", "100 calls per 30 min, 3 min"
    return [
        _steady(large_model, "Erlang C", large, 220, ("wait", "queue", "waiting", 58.14)),
        _steady(
            f"{large_model}, patience 2 min", "Erlang A", replace(large, patience=exponential(120.0)), 60,
            ("abandoned", "wait", "occupancy", "waiting", 12.5),
        ),
        *(
            _steady(f"{small_model}, {n} agents", "Erlang C", replace(small, n_agents=n), n_runs, ("in target",))
            for n, n_runs in ((11, 120), (12, 60), (13, 40), (14, 40), (15, 40))
        ),
        _steady(
            f"{small_model}, 14 agents, patience 5 min", "Erlang A",
            replace(small, n_agents=14, patience=exponential(300.0)), 80, ("waiting", "abandoned", "wait", "in target"),
        ),
        _steady(
            f"{large_model}, patience 2 min for all", ZELTYN, replace(large, patience=constant(120.0)), 160,
            ("waiting", "abandoned"),
        ),
        _steady(
            f"{large_model}, patience uniform on 0 to 4 min", ZELTYN, replace(large, patience=uniform(240.0)), 60,
            ("waiting", "abandoned"),
        ),
    ]  # fmt: skip


def _steady(model: str, source: str, pool: Pool, n_runs: int, wanted: tuple[str | float, ...]) -> Part:
    longer_s = next((what for what in wanted if isinstance(what, float)), pool.within_s)
    theory = Steady(pool.rate_per_s, pool.handle_s, pool.n_agents, pool.patience)
    cells = {
        "waiting": Cell("waits at all", "waiting", "offered", exact=theory.waiting),
        "abandoned": Cell("abandoned", "abandoned", "offered", exact=theory.abandoned),
        "wait": Cell("mean wait, s", "wait s", "offered", exact=theory.mean_wait_s),
        "queue": Cell("mean queue", "queue s", "s", exact=theory.mean_queue),
        "occupancy": Cell("occupancy", "busy s", "agent s", exact=theory.occupancy),
        "in target": Cell("answered within 20 s", "in target", "offered", exact=theory.service_level(20.0)),
        longer_s: Cell(f"waits longer than {longer_s:g} s", "longer", "offered", exact=theory.longer(longer_s)),
    }
    counted = replace(pool, within_s=longer_s)
    return Part(
        "V6",
        model,
        source,
        _days(counted),
        n_runs,
        max(1, round(AT_ONCE / pool.n_calls)),
        tuple(cells[what] for what in wanted),
    )


def _days(pool: Pool) -> Callable[[int, np.random.Generator], Sums]:
    return partial(pools.simulate, pool)


def v15() -> list[Part]:
    """One pool whose calls swing, where customers give up as fast as they are served."""
    cycle_s = 2 * np.pi * MINUTE_S
    # Three cycles from empty leave e^-19 of the start.
    pool = Pool(
        rate_per_s=100 / MINUTE_S, handle_s=MINUTE_S, n_agents=100, length_s=63 * cycle_s, warm_s=3 * cycle_s,
        patience=exponential(MINUTE_S), swing=0.2, cycle_s=cycle_s,
    )  # fmt: skip
    return [_swinging(replace(pool, n_agents=n), n_runs) for n, n_runs in ((100, 60), (110, 60), (120, 120))]


def _swinging(pool: Pool, n_runs: int) -> Part:
    theory = Swing(pool.rate_per_s, pool.handle_s, pool.n_agents, pool.swing, pool.cycle_s)
    cells = (
        Cell("waits at all", "waiting", "offered", exact=theory.waiting),
        Cell("abandoned", "abandoned", "offered", exact=theory.abandoned),
        Cell("mean queue", "queue s", "s", exact=theory.mean_queue),
    )
    model = f"100 + 20 sin t calls, handling and patience of mean 1, {pool.n_agents} agents"
    return Part("V15", model, EICK, _days(pool), n_runs, max(1, round(AT_ONCE / pool.n_calls)), cells)


def v16() -> list[Part]:
    """How often nominal 95 % intervals cover the truth."""
    cells = tuple(
        Cell(name, name, "runs", bounds=(0.93, 0.97))
        for length in coverage.LENGTHS
        for rule in (*coverage.RULES, None)
        for measure in (*RATIOS, "gini")
        for name in [coverage.cell(rule, measure, length)]
    )
    model = "share of intervals that cover the truth: 8 agents of two speeds, busy and quiet days, two rules"
    n_runs = 2_000
    return [
        Part("V16", model, "meanings of intervals", partial(coverage.covered, coverage.World()), n_runs, n_runs, cells)
    ]


CASES: dict[str, Callable[[], list[Part]]] = {"V1": v1, "V4": v4, "V6": v6, "V14": v14, "V15": v15, "V16": v16}
