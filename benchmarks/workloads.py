"""Named workloads: made-up centres of three sizes, the same from the same seed.

Interactions are drawn in blocks and laid out as the engine's arrays straight away, so that ten million of
them are there in seconds, and the same ones can be written to files without holding them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.centres import MOST_SURVEYS, SURVEY_SHARE, Size, call_types, static_tables
from engine.data.arrays import Arrays, Batch
from engine.data.encode import encode_centre
from engine.data.provenance import Provenance
from engine.data.tables import Tables
from engine.data.wall_time import DAY_US
from engine.spec import Scenario
from engine.typing import FloatArray, Int32Array, IntArray

FIRST_DAY = 20_454  # 1 January 2026
A_DAYS_WORK = 60  # interactions of one agent and day
MOST_DAYS = 365
BLOCK = 1_000_000
ID_DIGITS = 10
ABANDONED_SHARE, MEAN_HANDLE_S = 0.05, 240.0
SEED = 7

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1M": 1_000_000, "10M": 10_000_000, "100M": 100_000_000}


@dataclass(frozen=True)
class Workload:
    """A made-up centre and how it is scored."""

    name: str  # What the table of results calls it
    size: Size  # How large the centre is
    csat: str = "all"  # Satisfaction over all surveys, or as known on each day (then nothing is shared between days)
    shared: bool = True  # False: every interaction is a call type of its own, so that no work at all is shared

    @property
    def scenario(self) -> Scenario:
        """Default weights and threshold, satisfaction as this workload reads it."""
        return Scenario(csat=self.csat)

    def build(self, n_interactions: int) -> Case:
        """Draw the centre and say where its interactions come from."""
        rng = np.random.default_rng([SEED, n_interactions, self.size.n_agents])
        n_days = min(max(1, round(n_interactions / self.size.n_agents / A_DAYS_WORK)), MOST_DAYS)
        n_surveys = min(round(n_interactions * SURVEY_SHARE), MOST_SURVEYS)
        tables = static_tables(self.size, n_surveys, FIRST_DAY, n_days, rng)
        wanted = call_types(self.size, self.size.n_call_types if self.shared else n_interactions, rng)
        return Case(self, n_interactions, n_days, tables, wanted)


@dataclass(frozen=True)
class Block:
    """Consecutive interactions as columns, in order of arrival."""

    first: int  # Number of the first one; numbers name interactions
    # Row of the call types; recorded agent, -1 where abandoned
    call_type: Int32Array
    agent: Int32Array
    arrived_us: IntArray  # Arrival. [us since 1970, UTC]
    handle_s: FloatArray  # Recorded handling time, NaN where abandoned. [s]

    def ids(self) -> pa.Array:
        """Their numbers as text, with leading zeros."""
        n = self.call_type.size
        digits = np.empty((n, ID_DIGITS), np.uint8)
        left = np.arange(self.first, self.first + n)
        for place in reversed(range(ID_DIGITS)):
            left, digit = np.divmod(left, 10)
            digits[:, place] = digit + ord("0")
        offsets = np.arange(0, (n + 1) * ID_DIGITS, ID_DIGITS, dtype=np.int64)
        return pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digits))


@dataclass(frozen=True)
class Columns:
    """All interactions of a case in memory."""

    interaction_id: pa.Array  # Their numbers as text
    # As in `Block`
    call_type: Int32Array
    agent: Int32Array
    arrived_us: IntArray
    handle_s: FloatArray

    def batch(self, day: int, rows: slice) -> Batch:
        """Some rows as the engine takes them, nothing copied."""
        return Batch(
            day, self.interaction_id[rows], self.call_type[rows], self.arrived_us[rows], self.agent[rows],
            self.handle_s[rows],
        )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A workload of a certain size, ready to be laid out in memory or in files."""

    workload: Workload  # What it is a case of
    # How many interactions, spread evenly over how many days
    n_interactions: int
    n_days: int
    tables: Tables  # Every table but the interactions
    call_types: pl.DataFrame  # What interactions ask for

    def blocks(self) -> Iterator[Block]:
        """Draw the interactions, a million at a time."""
        for first in range(0, self.n_interactions, BLOCK):
            yield self._block(first, min(BLOCK, self.n_interactions - first))

    def columns(self) -> Columns:
        """All interactions, end to end."""
        blocks = list(self.blocks())
        ids = pa.concat_arrays([block.ids() for block in blocks])
        names = ("call_type", "agent", "arrived_us", "handle_s")
        return Columns(ids, *(np.concatenate([getattr(block, name) for block in blocks]) for name in names))

    def arrays(self, columns: Columns) -> Arrays:
        """Everything in memory, as the engine reads it."""
        days = np.arange(FIRST_DAY, FIRST_DAY + self.n_days + 1)
        bounds = np.searchsorted(columns.arrived_us, days * DAY_US).tolist()

        def batches() -> Iterator[Batch]:
            for day, start, end in zip(days.tolist(), bounds[:-1], bounds[1:], strict=False):
                if end > start:
                    yield columns.batch(day, slice(start, end))

        counts = {"agents": self.workload.size.n_agents, "interactions": self.n_interactions}
        origin = Provenance(id=self.workload.name, counts=counts, made_up=["surveys"], assumptions=[])
        return Arrays(encode_centre(self.tables, self.call_types), batches, origin)

    def _block(self, first: int, n: int) -> Block:
        rng = np.random.default_rng([SEED, self.n_interactions, first])
        space_us = self.n_days * DAY_US // self.n_interactions
        place = np.arange(first, first + n)
        arrived_us = FIRST_DAY * DAY_US + place * space_us + rng.integers(0, space_us, n)
        if self.workload.shared:
            # Squares make early call types common and late ones rare.
            call_type = (self.call_types.height * rng.random(n) ** 2).astype(np.int32)
        else:
            call_type = (place % self.call_types.height).astype(np.int32)
        agent = rng.integers(0, self.workload.size.n_agents, n, dtype=np.int32)
        handle_s = np.rint(rng.standard_exponential(n) * MEAN_HANDLE_S)
        left = rng.random(n) < ABANDONED_SHARE
        agent[left], handle_s[left] = -1, np.nan
        return Block(first, call_type, agent, arrived_us, handle_s)


def _named(name: str, size: Size) -> list[Workload]:
    return [Workload(name, size), Workload(f"{name}-asof", size, csat="asof")]


TEAM = Size(n_agents=50, n_queues=5, n_skills=10, n_languages=3, n_call_types=100, queues_per_agent=3)
SITE = Size(n_agents=300, n_queues=20, n_skills=30, n_languages=5, n_call_types=1_000, queues_per_agent=8)
# Everybody is a member of every queue here, so that every pair of interaction and agent is a real one.
ENTERPRISE = Size(n_agents=1_000, n_queues=40, n_skills=60, n_languages=10, n_call_types=4_000)

WORKLOADS = {
    workload.name: workload
    for workload in (
        *_named("team", TEAM),
        *_named("site", SITE),
        *_named("enterprise", ENTERPRISE),
        Workload("unshared", ENTERPRISE, shared=False),
    )
}
