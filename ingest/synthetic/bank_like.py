"""A made-up centre with the shape of a real bank's."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from engine.typing import FloatArray, IntArray
from ingest.bank.agents import ENGLISH_SKILL, ENGLISH_TYPE, QUEUES, agents_of
from ingest.synthetic import bank_shape as shape
from ingest.synthetic.centre import SLOTS, Callers, Centre, Size, pick_table, quantile_law

ZONE = "Asia/Jerusalem"
CREDIT_POINTS = 1.5
FRIDAY, SATURDAY = 4, 5
# Share of the agents seen at work who are on duty: seen at work in a half hour are also those who came or went in
# it. At this share waits and abandonment, played, are near the bank's.
ON_DUTY = 0.79


def bank_centre(size: Size, rng: np.random.Generator) -> Centre:
    """Build a centre of the bank's structure, with as many agents on duty as the interactions need.

    Shifts grow with the interactions, up to everybody.

    Examples
    --------
    >>> from datetime import date
    >>> centre = bank_centre(Size(1000, 32, 1, 5, 2, 7, date(2026, 1, 1)), np.random.default_rng(0))
    >>> centre.agents.height, centre.arrivals[0, FRIDAY, 28:].any().item()
    (32, False)
    """
    agents = _agents()
    # Presence follows the days worked; those present share the work by how much they did on such a day.
    a_day = np.rint(100 * np.array(shape.ANSWERED) / np.array(shape.WORKED_DAYS)[:, None]).astype(np.int64).T
    weekday = np.array([(size.start + timedelta(days=day)).weekday() for day in range(size.days)])
    load = size.interactions / np.array(shape.PER_DAY)[weekday].sum()
    start_slot, end_slot = _duty(weekday, load, rng)
    return Centre(
        time_zone=ZONE,
        agents=agents,
        queues=pl.DataFrame({"queue_id": ["regular"], "queue_name": [QUEUES["regular"]]}),
        members=agents.select(pl.lit("regular").alias("queue_id"), "agent_id"),
        arrivals=_arrivals(),
        callers=_callers(),
        # Where nobody on duty has done a type, anybody takes it.
        able=(a_day, np.broadcast_to(a_day.sum(axis=0), a_day.shape)),
        start_slot=start_slot,
        end_slot=end_slot,
        notes=(
            "The centre is made up; its mix of types, daily and weekly shape, handling times, patience, waits and "
            "agents' shares follow rounded figures measured on the Anonymous Bank data of the Technion (I. Guedj and "
            "A. Mandelbaum, 2000), January to July 1999.",
            "The bank is closed from Friday 14:00 to Saturday 20:00; holidays and growth over the months are left out.",
            f"Shifts are made up with {100 * ON_DUTY:.0f} % of the agents seen at work, so that waits are near the "
            "bank's; who works is drawn by days worked.",
        ),
    )


def _agents() -> pl.DataFrame:
    ids = [f"A{number:02d}" for number in range(1, len(shape.ANSWERED) + 1)]
    return agents_of(
        pl.DataFrame(
            {
                "agent_id": np.repeat(ids, len(shape.TYPES)),
                "type": list(shape.TYPES) * len(ids),
                "calls": np.ravel(shape.ANSWERED),
            }
        )
    )


def _arrivals() -> FloatArray:
    day = np.zeros((7, SLOTS))
    day[:, shape.OPENS_SLOT :] = shape.WORKDAY
    for weekday, first, figures in (
        (FRIDAY, shape.FRIDAY_SLOT, shape.FRIDAY),
        (SATURDAY, shape.SATURDAY_SLOT, shape.SATURDAY),
    ):
        day[weekday] = 0
        day[weekday, first : first + len(figures)] = figures
    week: FloatArray = day / day.sum(axis=1, keepdims=True) * np.array(shape.PER_DAY)[:, None]
    return week[None]


def _callers() -> Callers:
    """Kinds are types without and with the credit of priority customers."""
    n_types = len(shape.TYPES)
    credited = np.array(shape.CREDITED)
    share = np.array(shape.MIX, dtype=float)
    queued = np.repeat(shape.QUEUED_PERCENT, 2)[:, None] / 100 * np.array(shape.QUEUED_RELATIVE)
    skill = [ENGLISH_SKILL if name == ENGLISH_TYPE else name for name in shape.TYPES]
    language = ["English" if name == ENGLISH_TYPE else "Hebrew" for name in shape.TYPES]
    laws = [
        np.array([quantile_law(p, row) for row in rows])
        for p, rows in (
            (shape.HANDLE_P, shape.HANDLE_S),
            (shape.WAIT_P, shape.PATIENCE_S),
            (shape.WAIT_P, shape.OFFERED_WAIT_S),
        )
    ]
    both = np.tile(np.arange(n_types), 2)
    return Callers(
        pick=pick_table(np.hstack([share * (1 - credited), share * credited])),
        skills=pl.Series([[name] for name in skill] * 2),
        language=pl.Series(language * 2),
        priority=np.repeat([0.0, CREDIT_POINTS], n_types),
        work=both,
        law=both,
        handle_s=laws[0],
        patience_s=laws[1],
        offered_wait_s=laws[2],
        queued=np.minimum(np.hstack([queued, queued]), 0.95),
    )


def _duty(weekday: IntArray, load: float, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Who works when: those who worked more days more often, nobody twice a day."""
    n_agents = len(shape.WORKED_DAYS)
    start_slot = np.zeros((weekday.size, n_agents), np.int64)
    end_slot = np.zeros_like(start_slot)
    # The first n of weights plus Gumbel noise are a draw of n by weight, each once.
    noise = rng.gumbel(size=(weekday.size, n_agents))
    order = np.argsort(-(np.log(shape.WORKED_DAYS) + noise), axis=1)
    for day, kind in enumerate(weekday):
        shifts = {FRIDAY: shape.FRIDAY_SHIFTS, SATURDAY: shape.SATURDAY_SHIFTS}.get(kind, shape.WORKDAY_SHIFTS)
        wanted = np.array([max(1, round(agents * load * ON_DUTY)) for *_, agents in shifts])
        if wanted.sum() > n_agents:
            wanted = np.maximum(1, wanted * n_agents // wanted.sum())
        lasts = np.cumsum(wanted)
        for (first, end, _), stop, count in zip(shifts, lasts, wanted, strict=True):
            chosen = order[day, stop - count : stop]
            start_slot[day, chosen], end_slot[day, chosen] = first, end
    return start_slot, end_slot
