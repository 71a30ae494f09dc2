"""Agents, queues and skills of the bank, inferred from the calls that its agents answered."""

from __future__ import annotations

import polars as pl

from engine.data.tables import TABLES
from ingest.snapshot.writing import SnapshotWriter

# PE is regular activity (PS) in English: a language, not a skill.
ENGLISH_TYPE, ENGLISH_SKILL = "PE", "PS"
# Fewer calls of a type than this say nothing about what an agent can do.
FEWEST_CALLS = 20
QUEUES = {"internet": "Internet desk", "regular": "Regular desk"}

_SKILL = pl.col("type").replace(ENGLISH_TYPE, ENGLISH_SKILL)
_HAS_AGENT = pl.col("agent_id").is_not_null()


def queue_of(calls: pl.DataFrame) -> pl.Series:
    """The queue in which each call waited.

    January to July 1999 know no internet desk: agents who answered internet calls gave them 6 % of those
    days' calls, and a waiting internet call is overtaken by later calls (35 % of them) much like a
    prospect's (24 %) or an English one (20 %). That is one line of customers who need skills, not two lines.
    """
    internet = (pl.col("type") == "IN") & pl.col("agent_id").str.ends_with("I").any()
    return calls.select(pl.when(internet).then(pl.lit("internet")).otherwise(pl.lit("regular"))).to_series()


def add_agents(writer: SnapshotWriter, calls: pl.DataFrame) -> None:
    """Write the tables agents, queues and members, and the assumptions behind them."""
    queues = sorted(set(calls["queue_id"]) | {"regular"})
    writer.add("queues", pl.DataFrame({"queue_id": queues, "queue_name": [QUEUES[name] for name in queues]}))
    answered = calls.filter(_HAS_AGENT)
    agents = agents_of(answered.group_by("agent_id", "type").agg(calls=pl.len()))
    writer.add("agents", agents)
    unskilled = agents.filter(pl.col("skills").list.len() == 0).height
    writer.count(f"kept: agents with under {FEWEST_CALLS} calls of every type; they have no skill", unskilled)
    own = agents.select(queue_id="group", agent_id="agent_id")
    other = answered.group_by("queue_id", "agent_id").len().filter(pl.col("len") >= FEWEST_CALLS).drop("len")
    writer.add("members", pl.concat([own, other]).unique().sort("queue_id", "agent_id"))
    if len(queues) == 1:
        writer.assume(
            "There is one queue, the regular desk: no agent of the internet desk (code ending in I) answered in this "
            "log, and internet calls were answered by regular agents from the same line."
        )
    else:
        writer.assume(
            "There are two queues: internet calls wait at the internet desk, all others at the regular desk. Agents "
            "belong to their own desk (code ending in I: internet), and to the other when they answered at least "
            f"{FEWEST_CALLS} of its calls."
        )


def agents_of(done: pl.DataFrame) -> pl.DataFrame:
    """Everybody who answered, with what they did often enough to be called a skill.

    Parameters
    ----------
    done : polars.DataFrame
        Columns agent_id, type and calls: how many calls of each type each agent answered.

    Returns
    -------
    polars.DataFrame
        Rows of table agents, in the order of agent_id; proficiency is the fifth of a skill's agents, by
        number of calls, into which the agent falls, 5 for those with the most.

    Examples
    --------
    >>> done = pl.DataFrame({"agent_id": ["A01", "A02"], "type": ["PS", "PS"], "calls": [40, 20]})
    >>> agents_of(done)["skills"].list.first().struct.field("proficiency").to_list()
    [5.0, 3.0]
    """
    calls = pl.col("calls")
    often = done.group_by("agent_id", name=_SKILL).agg(calls.sum()).filter(calls >= FEWEST_CALLS)
    fifth = (5 * calls.rank("max").over("name") / pl.len().over("name")).ceil()
    rated = often.with_columns(proficiency=fifth.cast(pl.Float64)).sort("name")
    skills = rated.group_by("agent_id", maintain_order=True).agg(skills=pl.struct("name", "proficiency"))
    english = calls.filter(pl.col("type") == ENGLISH_TYPE).sum() >= FEWEST_CALLS
    agents = done.group_by("agent_id").agg(english=english).join(skills, on="agent_id", how="left")
    agents = agents.sort("agent_id")
    desk = pl.when(pl.col("agent_id").str.ends_with("I")).then(pl.lit("internet")).otherwise(pl.lit("regular"))
    return agents.select(
        "agent_id",
        agent_name="agent_id",
        skills=pl.coalesce("skills", pl.lit([], dtype=TABLES["agents"]["skills"].dtype)),
        languages=pl.Series([_spoken(english) for english in agents["english"]]),
        group=desk,
    )


def _spoken(english: bool) -> list[dict[str, object]]:
    return [{"name": name, "proficiency": 5.0} for name in (("English", "Hebrew") if english else ("Hebrew",))]
