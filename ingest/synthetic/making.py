"""Make up a centre of any size from a seed and write it as a snapshot, batch by batch in time order.

How many interactions arrive in each half hour is drawn first; then half hour after half hour is filled, a
few at a time. A centre that fits in memory is then played, so that its waits are those of a queue; a larger
one takes longer but no more memory.
"""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from engine.data.tables import TIME
from engine.data.wall_time import day_of
from engine.errors import InvalidScenario
from engine.setting import shown
from engine.typing import IntArray, Progress
from ingest.snapshot import made_up
from ingest.snapshot.manifest import Manifest
from ingest.snapshot.writing import SnapshotWriter
from ingest.synthetic import playing
from ingest.synthetic.bank_like import bank_centre
from ingest.synthetic.bank_shape import ANSWERED, DAYS, ROWS
from ingest.synthetic.centre import SLOTS, Centre, Size
from ingest.synthetic.draws import draw_arrivals, draw_batches, utc_us
from ingest.synthetic.typical import typical_centre

TYPICAL = Size(100_000, agents=50, queues=4, skills=8, languages=2, days=28, start=date(2026, 1, 5))
BANK = Size(ROWS, agents=len(ANSWERED), queues=1, skills=5, languages=2, days=DAYS, start=date(2026, 1, 1))
FIXED_BY_BANK = ("agents", "queues", "skills", "languages")


def make(
    store: Path, name: str, *, interactions: int | None = None, agents: int | None = None,
    queues: int | None = None, skills: int | None = None, languages: int | None = None, days: int | None = None,
    start: str | None = None, seed: int = 0, like: Literal["bank"] | None = None, replace: bool = False,
    progress: Progress | None = None,
) -> Manifest:  # fmt: skip
    """Make up a centre and write it as a snapshot.

    Parameters
    ----------
    store : Path
        Folder of snapshots.
    name : str
        Name of the new snapshot.
    interactions : int, optional
        Number of interactions (100,000; like the bank 252,290).
    agents, queues, skills, languages : int, optional
        Numbers of each (50, 4, 8, 2); fixed when like the bank.
    days : int, optional
        Number of days (28; like the bank 212).
    start : str, optional
        First day as YYYY-MM-DD (2026-01-05, a Monday; like the bank 2026-01-01).
    seed : int
        Equal seeds and sizes give identical files.
    like : {None, "bank"}
        "bank" takes structure, shapes, times and shares from figures measured on a real bank's log.
    replace : bool
        Whether an existing snapshot of this name may be replaced.
    progress : callable, optional
        Called with ("write", interactions done, interactions in all).

    Returns
    -------
    Manifest
        Of the snapshot.

    Raises
    ------
    InvalidScenario
        If a number is not usable, or one that the bank fixes is given.
    SnapshotExists
        If the name is taken and `replace` is false.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as store:
    ...     make(Path(store), "small", interactions=100, days=2).rows["interactions"]
    100
    """
    given = {"interactions": interactions, "agents": agents, "queues": queues, "skills": skills,
             "languages": languages, "days": days}  # fmt: skip
    size = _size(like, given, start)
    made_up.check_seed(seed)
    build = bank_centre if like == "bank" else typical_centre
    centre = build(size, np.random.default_rng([seed, 0]))
    source = {"kind": "synthetic", "like": like, "seed": seed, **_written(size)}
    with SnapshotWriter(store, name, source=source, time_zone=centre.time_zone, replace=replace) as writer:
        _add_static(writer, centre, size)
        surveys = _write_interactions(writer, centre, size, seed, progress)
        writer.add("surveys", surveys)
        return writer.commit()


def _size(like: str | None, given: dict[str, int | None], start: str | None) -> Size:
    if like not in {None, "bank"}:
        raise InvalidScenario(f"like {shown(like)}: only 'bank' is known; leave it out for a typical centre")
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        if like == "bank" and name in FIXED_BY_BANK:
            raise InvalidScenario(f"{name} {shown(value)}: fixed by the bank's structure; leave it out or drop like")
        if not isinstance(value, int) or value < 1:
            raise InvalidScenario(f"{name} {shown(value)}: must be a whole number, 1 or more")
    if start is not None:
        chosen["start"] = day_of("start", start)
    return changed(BANK if like == "bank" else TYPICAL, **chosen)


def _written(size: Size) -> dict[str, object]:
    return {**vars(size), "start": size.start.isoformat()}


def _add_static(writer: SnapshotWriter, centre: Centre, size: Size) -> None:
    for name in ("agents", "queues", "members"):
        writer.add(name, getattr(centre, name))
    writer.add("staffing", _staffing(centre, size))
    for table in ("agents", "queues", "members", "staffing", "interactions", "surveys"):
        writer.made_up(table)
    for note in centre.notes:
        writer.assume(note)


def _staffing(centre: Centre, size: Size) -> pl.DataFrame:
    day, agent = np.nonzero(centre.end_slot > centre.start_slot)
    sides = {
        name: pl.Series(_clock_us(size, centre.time_zone, day, slots[day, agent])).cast(TIME)
        for name, slots in (("start_at", centre.start_slot), ("end_at", centre.end_slot))
    }
    return pl.DataFrame({"agent_id": centre.agents["agent_id"].gather(agent), **sides})


def _clock_us(size: Size, time_zone: str, day: IntArray, slot: IntArray) -> IntArray:
    # A shift may end at midnight: half hour 0 of the day after.
    return utc_us(size, time_zone, day + slot // SLOTS, slot % SLOTS)


def _write_interactions(
    writer: SnapshotWriter, centre: Centre, size: Size, seed: int, progress: Progress | None
) -> pl.DataFrame:
    """Make and write everything; of a large centre one batch is in memory at a time, and the surveys."""
    slots = draw_arrivals(centre, size, np.random.default_rng([seed, 1]))
    rng, survey_rng = np.random.default_rng([seed, 2]), np.random.default_rng([seed, 3])
    quality = made_up.agent_quality(centre.agents.height, survey_rng)
    share = min(made_up.SHARE, made_up.MOST_SURVEYS / size.interactions)
    writer.assume(made_up.assumption(seed, share))
    batches = draw_batches(centre, slots, size.interactions, rng)
    is_played = size.interactions <= playing.MOST_PLAYED
    writer.assume(playing.PLAYED if is_played else playing.DRAWN)
    if is_played:
        batches = playing.played(centre, _staffing(centre, size), batches, seed)
    surveys, done = [], 0
    for drawn, agent in batches:
        frame = playing.settled(centre, drawn, agent)
        writer.add_interactions(frame)
        surveys.append(made_up.draw_surveys(_answered(frame, agent), quality, share, survey_rng))
        done += frame.height
        if progress is not None:
            progress("write", done, size.interactions)
    return pl.concat(surveys)


def _answered(frame: pl.DataFrame, agent: IntArray) -> pl.DataFrame:
    spent_us = (1e6 * (pl.col("wait_s") + pl.col("handle_s"))).cast(pl.Duration("us"))
    return frame.select(
        "interaction_id", "agent_id", "queue_id", ended_at=pl.col("arrived_at") + spent_us, agent=pl.Series(agent)
    ).filter(pl.col("agent") >= 0)
