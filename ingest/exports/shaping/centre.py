"""Queues with their goals, who serves them, and how much at once, by the best evidence of the files."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.data.tables import CAPACITY, MEDIA, RATED
from engine.texts import short
from ingest.exports.shaping.cells import FULL_LEVEL, fold
from ingest.exports.shaping.naming import Notes
from ingest.exports.shaping.rows import Rows
from ingest.values.goals import read_goals

GOAL = "must be a goal such as 80/20"
BY_SKILL = "who serves which queue: agents with the skill of the same name, as no file says it"
BY_ANSWERS = "who serves which queue: agents who answered in it, as no file says it"
BY_BOTH = "; in queues without such a skill, agents who answered there"
BESIDES = "; {n} agents besides who answered a twentieth or more of the contacts of a queue"
ANSWERED = "{held} that no list of agents has ({names}): agents who answered such contacts have them in full"
MOST_SHOWN = 5
# Share of the answered contacts of a queue that makes a member of an agent without the skill.
NOTICEABLE = 0.05
AT_ONCE = "agents hold {said} at once, the most that the log shows"
# Of the time in which contacts of a media are handled; less is rounding, or a contact closed late.
LEAST_SHARE = 0.01
MOST_AT_ONCE = 25
ONE_AT_A_TIME = ("voice", "callback")


def with_goals(queues: Rows) -> None:
    """Goals as share and seconds; queues under their names where no column has their ids."""
    if "queue_id" not in queues and "queue_name" in queues:
        queues.frame = queues.frame.with_columns(queue_id="queue_name")
    if "service_level_share" in queues:
        # 70 % is 0.7, not what a product of floats makes of it; 80 is a share in percent, as nothing is above all.
        share = pl.col("service_level_share")
        share = pl.when(share > 1).then(share / 100).otherwise(share)
        queues.frame = queues.frame.with_columns(share.round(6))
    if "service_level" in queues:
        found = read_goals(queues.frame["service_level"])
        queues.refuse("service_level", GOAL, found.refused)
        queues.frame = queues.frame.with_columns(
            service_level_share=found.share.round(6), service_level_s=found.seconds
        )


def fill_media(interactions: Rows, queues: pl.DataFrame) -> None:
    """The medium of the queue, where an interaction has none."""
    if "media" not in queues.columns:
        return
    of_queue = dict(queues.select("queue_id", "media").drop_nulls().iter_rows())
    media = pl.col("queue_id").replace_strict(of_queue, default=None, return_dtype=pl.String)
    given = pl.coalesce("media", media) if "media" in interactions else media
    interactions.frame = interactions.frame.with_columns(media=given)


def with_answered(agents: pl.DataFrame, interactions: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Agents with the skills and languages besides that contacts need, nobody is said to have, and they answered."""
    if "agent_id" not in interactions.columns:
        return agents
    for held, needed in (("skills", "skills"), ("languages", "language")):
        if needed not in interactions.columns:
            continue
        known = _names(agents[held]) if held in agents.columns else set()
        cells = interactions[needed]
        asked = cells.explode() if needed == "skills" else cells
        names = [name for name in asked.drop_nulls().unique().to_list() if name not in known]
        pairs = _served(interactions, needed, names) if names else pl.DataFrame()
        if pairs.height:
            agents = _with_entries(agents, held, pairs)
            listed = [short(name, 40) for name in sorted(names)]
            said = ", ".join(listed[:MOST_SHOWN]) + (", ..." if len(listed) > MOST_SHOWN else "")
            notes.assumptions.append(ANSWERED.format(held=held, names=said))
    return agents


def _served(interactions: pl.DataFrame, needed: str, names: Sequence[str]) -> pl.DataFrame:
    """Agents with which of these names the contacts that they answered need, each once."""
    asked = interactions.lazy().select("agent_id", name=needed).drop_nulls()
    asked = asked.explode("name") if needed == "skills" else asked
    return asked.filter(pl.col("name").is_in(names)).unique().sort("agent_id", "name").collect()


def _names(lists: pl.Series) -> set[str]:
    return set(lists.explode().struct.field("name").drop_nulls().to_list())


def _with_entries(agents: pl.DataFrame, column: str, pairs: pl.DataFrame) -> pl.DataFrame:
    entry = pl.struct(name="name", proficiency=pl.lit(FULL_LEVEL))
    more = pairs.group_by("agent_id").agg(_more=entry)
    agents = agents if column in agents.columns else agents.with_columns(pl.lit(None, RATED).alias(column))
    both = pl.concat_list(pl.col(column).fill_null([]), pl.col("_more").fill_null([])).cast(RATED)
    joined = agents.join(more, on="agent_id", how="left", maintain_order="left")
    return joined.with_columns(both.alias(column)).drop("_more")


def members(
    agents: pl.DataFrame, interactions: pl.DataFrame, queues: Sequence[str], notes: Notes
) -> pl.DataFrame | None:
    """Who serves which queue, by skills and by who answered; None where neither tells."""
    answered = _answered(interactions)
    by_skill = _by_skill(agents, queues)
    if not by_skill.height and not answered.height:
        return None
    skilled = by_skill["queue_id"].unique().implode()
    elsewhere = answered.filter(~pl.col("queue_id").is_in(skilled))
    besides = answered.filter(pl.col("queue_id").is_in(skilled) & (pl.col("share") >= NOTICEABLE))
    besides = besides.join(by_skill, on=["queue_id", "agent_id"], how="anti")
    said = BY_SKILL if by_skill.height else BY_ANSWERS
    said += BY_BOTH if by_skill.height and elsewhere.height else ""
    notes.assumptions.append(said + (BESIDES.format(n=besides.height) if besides.height else ""))
    columns = ["queue_id", "agent_id"]
    return pl.concat([by_skill.select(columns), elsewhere.select(columns), besides.select(columns)]).unique(
        maintain_order=True
    )


def _answered(interactions: pl.DataFrame) -> pl.DataFrame:
    """Agents by queue, with their share of its answered contacts."""
    if "agent_id" not in interactions.columns:
        return pl.DataFrame(schema={"queue_id": pl.String, "agent_id": pl.String, "share": pl.Float64})
    # Few of both are distinct: by their numbers they are counted in half the time.
    numbered = interactions.select(pl.col("queue_id", "agent_id").cast(pl.Categorical(pl.Categories.random())))
    counted = numbered.group_by("queue_id", "agent_id").agg(n=pl.len()).drop_nulls()
    counted = counted.with_columns(pl.col("queue_id", "agent_id").cast(pl.String))
    counted = counted.sort("queue_id", "n", "agent_id", descending=[False, True, False])
    return counted.with_columns(share=pl.col("n") / pl.col("n").sum().over("queue_id"))


def _by_skill(agents: pl.DataFrame, queues: Sequence[str]) -> pl.DataFrame:
    if "skills" not in agents.columns:
        return pl.DataFrame(schema={"queue_id": pl.String, "agent_id": pl.String})
    known = {fold(queue): queue for queue in queues}
    held = agents.select("agent_id", skill="skills").explode("skill").drop_nulls("skill")
    held = held.with_columns(skill=pl.col("skill").struct.field("name"))
    named = {skill: known[fold(skill)] for skill in held["skill"].drop_nulls().unique() if fold(skill) in known}
    queue = pl.col("skill").replace_strict(named, default=None, return_dtype=pl.String)
    return held.select(queue_id=queue, agent_id="agent_id").drop_nulls()


def several_at_once(interactions: pl.DataFrame) -> bool:
    """Whether there are contacts of which an agent may hold several."""
    return "media" in interactions.columns and bool((~interactions["media"].is_in(ONE_AT_A_TIME)).any())


def capacity(services: pl.DataFrame, notes: Notes) -> list[dict[str, object]] | None:
    """How many contacts of each media an agent holds at once, where the log shows another number than is usual.

    `services` have `agent_id`, `media`, `start_at` and `end_at`. Calls are taken one at a time whatever the log says.
    """
    if not services.height:
        return None
    usual = dict(zip(MEDIA, CAPACITY, strict=True))
    found = {
        media: n
        for media in MEDIA
        if media not in ONE_AT_A_TIME and (n := _at_once(services.filter(pl.col("media") == media)))
    }
    changed = {media: n for media, n in found.items() if n != usual[media]}
    if not changed:
        return None
    said = ", ".join(f"{n} contact{'s' * (n > 1)} of {media}" for media, n in changed.items())
    notes.assumptions.append(AT_ONCE.format(said=said))
    return [{"media": media, "count": n} for media, n in (usual | found).items()]


def _at_once(services: pl.DataFrame) -> int | None:
    """The most contacts at once that last for a noticeable share of the time."""
    if not services.height:
        return None
    steps = pl.concat([
        services.select("agent_id", at="start_at", step=pl.lit(1)),
        services.select("agent_id", at="end_at", step=pl.lit(-1)),
    ]).sort("agent_id", "at", "step")  # fmt: skip
    held = steps.with_columns(
        n=pl.col("step").cum_sum().over("agent_id"),
        length=(pl.col("at").shift(-1).over("agent_id") - pl.col("at")).dt.total_microseconds(),
    )
    by_n = held.filter(pl.col("n") > 0).group_by("n").agg(pl.col("length").sum()).sort("n", descending=True)
    share = by_n["length"].cum_sum() / max(int(by_n["length"].sum()), 1)
    seen = by_n["n"].filter(share >= LEAST_SHARE)
    return None if not seen.len() else min(int(seen[0]), MOST_AT_ONCE)
