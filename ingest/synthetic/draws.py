"""Draw interactions of a made-up centre: arrivals by half hour, then everything about each call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from engine.data.tables import TIME
from engine.typing import BoolArray, IntArray
from ingest.synthetic.centre import ENTRIES, SLOT_S, SLOTS, Centre, Size

BATCH_ROWS = 200_000
# A half hour in which more arrive is filled in parts, so that no batch holds many more rows.
PART_ROWS = 150_000
# Weights held at once to choose among agents: days x times of day x works x agents.
CHOICE_CELLS = 4_000_000
TIMES_OF_DAY = 8
SECOND_US = 1_000_000

# Interactions in order of arrival, and the row of each one's agent, -1 where it was abandoned.
Batch = tuple[pl.DataFrame, IntArray]


@dataclass(frozen=True)
class Slots:
    """The stretches of time that are filled one after the other."""

    start_us: IntArray  # Start in UTC. [us since 1970]
    length_us: int  # Length of each. [us]
    # Day from the first, and half hour of the day
    day: IntArray
    slot: IntArray
    arrivals: IntArray  # How many arrive


def draw_arrivals(centre: Centre, size: Size, rng: np.random.Generator) -> Slots:
    """Draw how many interactions arrive in every half hour and queue; half hours that summer time skips have none."""
    day, slot = (axis.ravel() for axis in np.indices((size.days, SLOTS)))
    start_us = utc_us(size, centre.time_zone, day, slot)
    exists = start_us >= 0
    day, slot, start_us = day[exists], slot[exists], start_us[exists]
    share = centre.arrivals[:, (day + size.start.weekday()) % 7, slot].T
    share = share / share.sum()
    parts = max(1, int(np.ceil(size.interactions * share.sum(axis=1).max() / PART_ROWS)))
    length_us = SLOT_S * SECOND_US // parts
    start_us = (start_us[:, None] + np.arange(parts) * length_us).ravel()
    day, slot, share = (np.repeat(values, parts, axis=0) for values in (day, slot, share))
    drawn = rng.multinomial(size.interactions, (share / share.sum()).ravel())
    return Slots(start_us, length_us, day, slot, drawn.reshape(share.shape))


def utc_us(size: Size, time_zone: str, day: IntArray, slot: IntArray) -> IntArray:
    """UTC of local half hours, -1 where the clock skips them. [us since 1970]"""
    begin = np.datetime64(datetime(size.start.year, size.start.month, size.start.day), "us")
    local = pl.Series(begin + (day * SLOTS + slot) * np.timedelta64(SLOT_S * SECOND_US, "us"))
    utc = local.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return utc.dt.epoch("us").fill_null(-1).to_numpy()


def draw_batches(centre: Centre, slots: Slots, interactions: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Draw all interactions, about `BATCH_ROWS` at a time."""
    first_number, width = 1, len(str(interactions))
    for part in _parts(slots, centre):
        frame, agent = _draw(centre, slots, part, rng)
        number = pl.int_range(first_number, first_number + frame.height, eager=True)
        frame.insert_column(0, ("i" + number.cast(pl.String).str.zfill(width)).alias("interaction_id"))
        first_number += frame.height
        yield frame, agent


def _parts(slots: Slots, centre: Centre) -> Iterator[slice]:
    """Runs of slots with about `BATCH_ROWS` arrivals, shorter where there are many agents and works."""
    done = np.concatenate([[0], np.cumsum(slots.arrivals.sum(axis=1))])
    most_days = max(1, CHOICE_CELLS // (TIMES_OF_DAY * centre.able[0].size))
    first = 0
    while first < slots.day.size:
        last = int(np.searchsorted(done, done[first] + BATCH_ROWS, "right")) - 1
        last = min(last, int(np.searchsorted(slots.day, slots.day[first] + most_days)))
        last = max(last, first + 1)
        if done[last] > done[first]:
            yield slice(first, last)
        first = last


def _draw(centre: Centre, slots: Slots, part: slice, rng: np.random.Generator) -> Batch:
    where, queue, arrived_us = _times(slots, part, rng)
    slot = slots.slot[where]
    callers, n = centre.callers, where.size
    n_parts = callers.pick.shape[0] // centre.queues.height
    kind = callers.pick[queue * n_parts + slot * n_parts // SLOTS, _entry(n, rng)]
    law = callers.law[kind]
    handle_s = callers.handle_s[law, _entry(n, rng)]
    patience_s = callers.patience_s[law, _entry(n, rng)]
    waits = rng.random(n, np.float32) < callers.queued[slot, kind]
    offered_s = callers.offered_wait_s[law, _entry(n, rng)] * waits
    agent = _choose(centre, slots.day[where], slot, callers.work[kind], rng)
    abandoned = (patience_s < offered_s) | (agent < 0)
    wait_s = np.where(agent < 0, patience_s, np.minimum(patience_s, offered_s))
    agent = np.where(abandoned, -1, agent)
    return pl.DataFrame(
        {
            "queue_id": centre.queues["queue_id"].gather(queue),
            "arrived_at": pl.Series(arrived_us).cast(TIME),
            "skills": callers.skills.gather(kind),
            "language": callers.language.gather(kind),
            "priority": callers.priority[kind],
            "wait_s": wait_s,
            # What the call would take, of those who gave up too.
            "handle_s": handle_s,
            "patience_s": patience_s,
        }
    ), agent


def _entry(n: int, rng: np.random.Generator) -> IntArray:
    return rng.integers(0, ENTRIES, n, np.uint16)


def _times(slots: Slots, part: slice, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """Slot, queue and time of every arrival, in order of time."""
    arrivals = slots.arrivals[part]
    n_queues = arrivals.shape[1]
    first_us = slots.start_us[part][0]
    queue = np.repeat(np.tile(np.arange(n_queues), arrivals.shape[0]), arrivals.ravel())
    where = np.repeat(np.arange(part.start, part.stop), arrivals.sum(axis=1))
    after_us = slots.start_us[where] - first_us + rng.integers(0, slots.length_us, where.size)
    # Time and queue sort as one number; slots do not overlap, so `where` is in order already.
    both = np.sort(after_us * n_queues + queue)
    return where, both % n_queues, first_us + both // n_queues


def _choose(centre: Centre, day: IntArray, slot: IntArray, work: IntArray, rng: np.random.Generator) -> IntArray:
    """An agent on duty for every row by weight, -1 where nobody is."""
    first, last = int(day[0]), int(day[-1])
    weights, rows = [], np.empty((last - first + 1, SLOTS), np.int64)
    n_rows = 0
    for number, (start, end) in enumerate(
        zip(centre.start_slot[first : last + 1], centre.end_slot[first : last + 1], strict=True)
    ):
        edges = np.unique(np.concatenate([[0], start, end]))
        edges = edges[edges < SLOTS]
        rows[number] = n_rows + np.searchsorted(edges, np.arange(SLOTS), "right") - 1
        weights.append(_on_duty(centre, (start <= edges[:, None]) & (edges[:, None] < end)))
        n_rows += edges.size
    weight = np.concatenate(weights)
    n_works, n_agents = weight.shape[1:]
    upto = np.cumsum(weight.ravel())
    row = rows[day - first, slot] * n_works + work
    total = weight.sum(axis=2).ravel()[row]
    before = upto[row * n_agents] - weight.reshape(-1, n_agents)[row, 0]
    aim = before + (rng.random(row.size) * total).astype(np.int64)
    return np.where(total > 0, np.searchsorted(upto, aim, "right") - row * n_agents, -1)


def _on_duty(centre: Centre, present: BoolArray) -> IntArray:
    """weight[time, work, agent] of those present, from the first list in which somebody is."""
    weight: IntArray = present[:, None, :] * centre.able[0]
    for able in centre.able[1:]:
        nobody = weight.sum(axis=2, keepdims=True) == 0
        if not nobody.any():
            break
        weight = np.where(nobody, present[:, None, :] * able, weight)
    return weight
