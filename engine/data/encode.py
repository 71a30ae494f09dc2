"""Tables as dense arrays: agents, queues, skills and languages numbered, their relations laid out as matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from engine.data.arrays import Arrays, Batch, Counted
from engine.data.call_types import CallTypeIndex, requirements
from engine.data.carried import with_carried
from engine.data.centre import Blocks, Centre, Holds, Surveys
from engine.data.checks import complete
from engine.data.history import history_of
from engine.data.oddities import Oddities
from engine.data.provenance import Provenance
from engine.data.tables import MEDIA, OUTCOMES, Tables
from engine.data.utilization import capacities, fills, interruptions
from engine.data.wall_time import DAY_US
from engine.errors import InvalidTable
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int8Array, Int32Array

NO_QUEUE_TIME_S = 9999.0
# So few texts are looked up, and put in order, before a join or a sort of columns has begun.
FEW = 1_000
_NEVER_US = np.iinfo(np.int64).max


def encode(tables: Tables) -> Arrays:
    """Dense arrays of tables in memory.

    Parameters
    ----------
    tables : Tables
        Checked tables; implied queues, members and surveys are added.

    Returns
    -------
    Arrays
        With interactions in order of arrival, then id.

    Raises
    ------
    InvalidTable
        If there are no agents, or more than 1 % of the answered interactions name others.
    """
    check()
    tables, carried = with_carried(tables)
    tables, said = complete(tables)
    odd = Oddities()
    odd.add(tables.interactions)
    said += odd.said(tables)
    interactions = tables.interactions.sort("arrived_at", "interaction_id")
    index = CallTypeIndex()
    call_type = index.codes(interactions)
    day = (interactions["arrived_at"].dt.epoch("us") // DAY_US).cast(pl.Int32).alias("day")
    known = interactions.select("interaction_id", day, call_type=pl.Series(call_type, dtype=pl.Int32))
    surveys = tables.surveys.join(known, on="interaction_id", how="left", maintain_order="left")
    centre = encode_centre(replace(tables, surveys=surveys), index.frame())
    agent = places(interactions["agent_id"], centre.agent_ids)
    ids = interactions["interaction_id"].to_arrow()
    arrived_us = interactions["arrived_at"].dt.epoch("us").to_numpy()
    handle_s = interactions["handle_s"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    media = np.maximum(places(interactions["media"], list(MEDIA)), 0).astype(np.int8)
    days = day.to_numpy()
    # By UTC day, as satisfaction changes at midnight UTC and snapshots hold a file for each day.
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1)) if days.size else np.empty(0, np.int64)
    ends = [*starts[1:], days.size]

    def batches() -> Iterator[Batch]:
        for start, end in zip(starts, ends, strict=bool(starts.size)):
            part = slice(start, end)
            columns: tuple[Any, ...] = tuple(
                side[part] for side in (ids, call_type, arrived_us, agent, handle_s, media)
            )
            yield Batch(int(days[start]), *columns)

    counts = {name: frame.height for name, frame in tables}
    media, outcome = (
        places(interactions[name], [*names]).astype(np.int8)
        for name, names in (("media", MEDIA), ("outcome", OUTCOMES))
    )
    named = interactions["agent_id"].is_not_null().to_numpy()
    recorded = partial(history_of, interactions, call_type, media, outcome, agent, named)
    held = Counted(days[starts], np.diff([*starts, days.size]), max(1, np.unique(media).size))
    return Arrays(centre, batches, Provenance(counts=counts, assumptions=[*carried, *said]), recorded, held)


def encode_centre(tables: Tables, call_types: pl.DataFrame) -> Centre:
    """Number agents, queues, skills and languages, and lay their relations out as matrices.

    Parameters
    ----------
    tables : Tables
        With every queue and member present; surveys may carry the columns call_type and day.
    call_types : polars.DataFrame
        As `CallTypeIndex.frame` gives them.

    Returns
    -------
    Centre
        Dense and read-only by convention.
    """
    check()
    # In order of ids, so that the smaller place wins wherever the smaller id does.
    agents = tables.agents.sort("agent_id")
    agent_ids = agents["agent_id"].to_list()
    queue_ids = tables.queues["queue_id"].to_list()
    needed, requirement = requirements(call_types)
    skills = named(agents["skills"], needed["skills"].explode())
    languages = named(agents["languages"], needed["language"])
    queue_time_s = agents["queue_time_s"].fill_null(NO_QUEUE_TIME_S).to_numpy()
    idle_since_us = agents["idle_since"].dt.epoch("us").fill_null(_NEVER_US).to_numpy()
    lengths = needed["skills"].list.len().to_numpy()
    ring = _rings(tables.members, queue_ids, agent_ids)
    capacity, interrupts = capacities(agents["capacity"]), interruptions(agents["interrupted_by"])
    busy, held = _elsewhere(tables.busy, agent_ids, fills(capacity, interrupts))
    return Centre(
        agent_ids=agent_ids,
        agent_names=agents["agent_name"].to_list(),
        groups=agents["group"].to_list(),
        queue_ids=queue_ids,
        skills=skills,
        languages=languages,
        proficiency=_levels(agents["skills"], skills),
        language_level=_levels(agents["languages"], languages),
        member=ring > 0,
        tie_order=np.lexsort((np.arange(agents.height), idle_since_us, queue_time_s)).astype(np.int32),
        queue_time_s=queue_time_s,
        idle_since_us=idle_since_us,
        call_types=call_types,
        requirement=requirement,
        queue=places(needed["queue_id"], queue_ids),
        language=places(needed["language"], languages),
        skill_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        skill=places(needed["skills"].explode().drop_nulls(), skills),
        surveys=_surveys(tables.surveys, agent_ids, queue_ids, call_types),
        staffing=_blocks(tables.staffing, agent_ids),
        busy=busy,
        held=held,
        handle_factors=tables.handle_factors.filter(pl.col("agent_id").is_in(agent_ids)),
        queues=tables.queues,
        ring=ring,
        capacity=capacity,
        interrupts=interrupts,
        time_zone=tables.time_zone,
        elsewhere=_spells(tables.busy, agent_ids)
        .with_columns(tables.busy["why"])
        .filter(pl.col("agent") >= 0, pl.col("why").is_not_null()),
    )


def places(texts: pl.Series, names: list[str]) -> Int32Array:
    """Place of each text in a list of names, -1 where it is null or not there."""
    check()
    if texts.len() < FEW:
        place = {name: number for number, name in enumerate(names)}
        return np.array([place.get(text, -1) for text in texts.to_list()], np.int32)
    numbers = np.arange(len(names), dtype=np.int32)
    known = pl.DataFrame({"text": names, "place": numbers}, {"text": pl.String, "place": pl.Int32})
    # A join rather than a dictionary: texts of millions of rows stay in columns.
    joined = texts.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left")
    return joined["place"].fill_null(-1).to_numpy()


def distinct(texts: pl.Series) -> list[str]:
    """Each text once, in order of code points."""
    if texts.len() < FEW:
        return sorted({text for text in texts.to_list() if text is not None})
    return texts.drop_nulls().unique().sort().to_list()


def named(rated: pl.Series, asked: pl.Series) -> list[str]:
    """Names of skills or languages that agents have or interactions ask for, each once, in order."""
    held = rated.explode().struct.field("name")
    return distinct(pl.concat([held.alias("name"), asked.alias("name")]))


def _levels(rated: pl.Series, names: list[str]) -> FloatArray:
    """Level of each agent in each name, NaN where not held."""
    level = np.full((rated.len(), len(names)), np.nan)
    rows = rated.alias("rated").to_frame().with_row_index("agent").explode("rated").drop_nulls("rated")
    if rows.height:
        entry = rows["rated"].struct
        level[rows["agent"].to_numpy(), places(entry.field("name"), names)] = entry.field("proficiency").to_numpy()
    return level


def _rings(members: pl.DataFrame, queue_ids: list[str], agent_ids: list[str]) -> Int8Array:
    ring = np.zeros((len(queue_ids), len(agent_ids)), np.int8)
    joined = members.filter("joined")
    queue, agent = places(joined["queue_id"], queue_ids), places(joined["agent_id"], agent_ids)
    known = (queue >= 0) & (agent >= 0)
    ring[queue[known], agent[known]] = joined["ring"].to_numpy()[known]
    return ring


def _surveys(frame: pl.DataFrame, agent_ids: list[str], queue_ids: list[str], call_types: pl.DataFrame) -> Surveys:
    frame = frame.sort("completed_at", "survey_id")
    agent = places(frame["agent_id"], agent_ids)
    known = agent >= 0
    low, high = frame["scale_min"].to_numpy(), frame["scale_max"].to_numpy()
    if not (high > low).all():
        raise InvalidTable("surveys: scale_max must be greater than scale_min in every row")
    extra = {n: frame[n] if n in frame.columns else pl.Series(n, [None] * frame.height) for n in ("call_type", "day")}
    call_type = extra["call_type"].cast(pl.Int32).fill_null(-1).to_numpy()
    # Where a survey names no queue, its interaction does.
    of_type = np.append(places(call_types["queue_id"], queue_ids), np.int32(-1))[call_type]
    queue = np.where(frame["queue_id"].is_null().to_numpy(), of_type, places(frame["queue_id"], queue_ids))
    return Surveys(
        agent=agent[known],
        queue=queue[known],
        completed_us=frame["completed_at"].dt.epoch("us").to_numpy()[known],
        value=((frame["score"].to_numpy() - low) / (high - low))[known],
        call_type=call_type[known],
        day=extra["day"].cast(pl.Int32).fill_null(-1).to_numpy()[known],
        first=(frame["interaction_id"].is_first_distinct().to_numpy() & (call_type >= 0))[known],
    )


def _blocks(frame: pl.DataFrame, agent_ids: list[str]) -> Blocks:
    """Blocks of known agents, what overlaps counted once."""
    return _merged(_spells(frame, agent_ids))


def _elsewhere(frame: pl.DataFrame, agent_ids: list[str], fills: BoolArray) -> tuple[Blocks, Holds]:
    """Work elsewhere that blocks its agent wholly, and work that leaves room for something."""
    rows = _spells(frame, agent_ids)
    media = places(frame["media"], list(MEDIA))
    rows = rows.with_columns(media=pl.Series(media, dtype=pl.Int8)).filter(pl.col("agent") >= 0)
    agent, media = rows["agent"].to_numpy(), rows["media"].to_numpy()
    # What leaves room for nothing takes its agent off queue, whatever it is: time on queue and occupancy stay those of
    # somebody who could be asked.
    whole = pl.Series((media < 0) | fills[agent, media])
    held = rows.filter(~whole).sort("agent", "start_us", "end_us", "media")
    return _merged(rows.filter(whole)), Holds(
        *(held[name].to_numpy() for name in ("agent", "start_us", "end_us", "media"))
    )


def _spells(frame: pl.DataFrame, agent_ids: list[str]) -> pl.DataFrame:
    """Spells with places of agents, -1 for those who are not known."""
    return frame.select(
        agent=pl.Series(places(frame["agent_id"], agent_ids), dtype=pl.Int32),
        start_us=pl.col("start_at").dt.epoch("us"),
        end_us=pl.col("end_at").dt.epoch("us"),
    )


def _merged(rows: pl.DataFrame) -> Blocks:
    rows = rows.filter(pl.col("agent") >= 0).sort("agent", "start_us")
    # Each block starts where the earlier ones have reached; what lies wholly inside is left with no length and dropped.
    reached_us = pl.col("end_us").cum_max().shift().over("agent")
    rows = rows.with_columns(start_us=pl.max_horizontal("start_us", reached_us))
    rows = rows.filter(pl.col("start_us") < pl.col("end_us"))
    return Blocks(*(rows[name].to_numpy() for name in ("agent", "start_us", "end_us")))
