"""What the first requests would wait for, and what would hold up all others meanwhile: compiled code and packages."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from engine.data.arrays import Arrays
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.methods.plan import Plan
from engine.methods.weighted import Weighted
from engine.reports.compare import compare
from engine.run import run
from engine.selection.decisions import best
from engine.spec import Scenario, csat_of, terms_of

_START = datetime(2024, 3, 4, 9, tzinfo=UTC)
_N_CALLS, _N_DAYS = 4, 8


@cache
def load_engine() -> None:
    """Route a few calls in every mode, so that all that takes is in memory; once in a process.

    Where no machine code is kept yet, compiling takes some ten seconds. Collecting garbage in between would go through
    all that compilers keep, with the interpreter lock held, again and again; of what is loaded here nothing ever ends.
    """
    gc.disable()
    try:
        arrays = encode(_tables())
        run(Scenario(), arrays)
        best(_plan(Scenario(), arrays), compiled=True)
        compare([Scenario(mode="replay", method=method) for method in ("genesys", "weighted")], arrays)
    finally:
        gc.freeze()
        gc.enable()


def _plan(scenario: Scenario, arrays: Arrays) -> Plan:
    csat = csat_of(scenario, arrays)
    weighted = Weighted(terms_of(scenario, arrays, csat), np.ones((1, 3)), np.zeros(1))
    return weighted.plan(np.arange(arrays.centre.n_requirements), 0)


def _tables() -> Tables:
    """Some days of a centre with two agents."""
    agents = ["ada", "bob"]
    starts = [_START + timedelta(days=day, minutes=call) for day in range(_N_DAYS) for call in range(_N_CALLS)]
    calls = pl.DataFrame({"arrived_at": starts}).with_columns(
        interaction_id=pl.int_range(pl.len()).cast(pl.String), queue_id=pl.lit("calls"), outcome=pl.lit("answered"),
        agent_id=pl.lit(agents[0]), wait_s=pl.lit(1.0), handle_s=pl.lit(120.0),
    )  # fmt: skip
    return Tables(
        agents=check("agents", pl.DataFrame({"agent_id": agents})),
        interactions=check("interactions", calls),
        members=check("members", pl.DataFrame({"agent_id": agents, "queue_id": ["calls"] * len(agents)})),
        queues=check("queues", pl.DataFrame({"queue_id": ["calls"]})),
    )
