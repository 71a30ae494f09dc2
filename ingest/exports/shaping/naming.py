"""Agents and queues of every table under the ids of their own tables, whatever a file calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from engine.data.strangers import MOST_STRANGERS
from engine.errors import InvalidTable
from engine.texts import short
from ingest.exports.shaping.cells import fold
from ingest.exports.shaping.people import match, words
from ingest.exports.shaping.rows import Rows

BY_INITIAL = "{table}: {n} agents were told by surname and initial"
SEVERAL_IN_ONE = "{table}: cells that name several agents, the first of them taken"
_BETWEEN = re.compile(r"\s*[;|\n]\s*")


@dataclass
class Notes:
    """What a reader of the tables must know of their making."""

    assumptions: list[str] = field(default_factory=list)  # In sentences
    repairs: dict[str, int] = field(default_factory=dict)  # What was put right, and how often

    def count(self, label: str, n: int) -> None:
        """Count what was put right, if anything was."""
        if n:
            self.repairs[label] = self.repairs.get(label, 0) + int(n)


def name_agents(rows: Rows, column: str, agents: pl.DataFrame, people: Mapping[str, str], notes: Notes) -> None:
    """Ids in place of the names of agents; what is only like a name, or that of several, is refused as a question."""
    names = rows.texts(column)
    found = match(names, agents, people)
    if names and not (found.ids or found.near or found.several) and agents.height:
        listed = ", ".join(short(name, 40) for name in names[:3]) + (", ..." if len(names) > 3 else "")
        raise InvalidTable(
            f"{rows.called(column)}: none of its {len(names)} names ({listed}) is in the list of agents; is that of "
            "this centre? Give the list that has them, or leave it out"
        )
    meant = dict(found.ids)
    several = {name: agent for name in found.unknown if (agent := _first_of(name, agents, people)) is not None}
    rows.frame = rows.frame.with_columns(pl.col(column).alias("_said"))
    for name, ids in (*found.near.items(), *found.several.items()):
        rows.refuse(column, _asked(name, ids, agents, name in found.several), pl.Series(rows.frame["_said"] == name))
    strangers = {name: _called(name) for name in found.unknown if name not in several}
    rows.rewritten(column, meant | several | strangers)
    n_several = int(rows.frame["_said"].is_in(list(several)).sum()) if several else 0
    notes.count(SEVERAL_IN_ONE.format(table=rows.table), n_several)
    rows.frame = rows.frame.drop("_said")
    if found.by_initial:
        notes.assumptions.append(BY_INITIAL.format(table=rows.table, n=found.by_initial))


def refuse_strangers(interactions: Rows, agents: Rows) -> None:
    """Refuse contacts of which a noticeable share was answered by people whom the list of agents lacks."""
    if "agent_id" not in interactions:
        return
    named = interactions.frame["agent_id"].is_not_null()
    answered = (interactions.frame["outcome"] == "answered").fill_null(False) if "outcome" in interactions else named
    by_agent = interactions.frame.filter(answered & named).group_by("agent_id").agg(n=pl.len())
    strange = by_agent.filter(~pl.col("agent_id").is_in(agents.frame["agent_id"].drop_nulls().implode()))
    n, n_answered = int(strange["n"].sum()), int(answered.sum())
    if n > MOST_STRANGERS * n_answered:
        people = strange.sort("n", "agent_id", descending=[True, False])["agent_id"].to_list()
        listed = ", ".join(short(name, 40) for name in people[:5]) + (", ..." if len(people) > 5 else "")
        files = ", ".join(map(short, agents.origin.sources))
        raise InvalidTable(
            f"{interactions.called('agent_id')}: {n:,} of {n_answered:,} answered contacts "
            f"({100 * n / n_answered:.1f} %) name agents who are not in {files}: {listed}; add them there, or leave "
            "that file out: agents are then made from the names in the log"
        )


def _first_of(cell: str, agents: pl.DataFrame, people: Mapping[str, str]) -> str | None:
    """The first agent of a cell that names several."""
    parts = [part for part in _BETWEEN.split(cell) if part]
    if len(parts) < 2:
        return None
    found = match(parts, agents, people).ids
    return next((found[part] for part in parts if part in found), None)


def _asked(name: str, ids: Sequence[str], agents: pl.DataFrame, fits_all: bool) -> str:
    known = dict(agents.select("agent_id", agents_name(agents)).iter_rows())
    listed = " or ".join(f"{short(str(known[agent]), 40)} ({short(agent, 30)})" for agent in ids[:3])
    what = "is the name of several agents" if fits_all else "is nobody of the agents"
    return (
        f'{what}; is {listed} meant? Say so in the profile under [people], "{short(name, 40)}" = "{short(ids[0], 30)}"'
    )


def agents_name(agents: pl.DataFrame) -> pl.Expr:
    """What agents are called: the name, else the id."""
    name = pl.col("agent_name") if "agent_name" in agents.columns else pl.lit(None, pl.String)
    return pl.coalesce(name, "agent_id").alias("agent_name")


def with_ids(agents: Rows) -> None:
    """Agents under their names where no column has their ids; where only addresses are, under the name in those."""
    if any(_is_address(text) for text in agents.texts("agent_id")):
        # Addresses tell who is meant, and are not kept.
        agents.frame = agents.frame.rename({"agent_id": "email"} | ({"email": "_email"} if "email" in agents else {}))
    if "agent_id" not in agents:
        name = next((column for column in ("agent_name", "email") if column in agents), None)
        if name is not None:
            called = {text: _called(text) for text in agents.texts(name)}
            agents.frame = agents.frame.with_columns(agent_id=pl.col(name).replace(called))


def _called(name: str) -> str:
    """A name as it is; of an address the name in it, as addresses are not kept."""
    if not _is_address(name):
        return name
    return " ".join(part.capitalize() for part in re.split(r"[._]", name.split("@", maxsplit=1)[0]))


def _is_address(text: str) -> bool:
    return re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None


def made_agents(names: Sequence[str]) -> pl.DataFrame:
    """Agents out of the names in other tables: spellings of one name are one agent, called as the first of them."""
    first: dict[str, str] = {}
    for name in names:
        key = " ".join(sorted(words(name))) or fold(name)
        first.setdefault(key, _called(name))
    listed = list(first.values())
    return pl.DataFrame(
        {"agent_id": listed, "agent_name": listed}, schema={"agent_id": pl.String, "agent_name": pl.String}
    )


def name_queues(rows: Rows, column: str, queues: pl.DataFrame) -> None:
    """Ids in place of the names of queues; what no table of queues knows stays as it is."""
    known = queue_ids(queues)
    if rows.frame[column].dtype == pl.String:
        rows.rewritten(column, {name: known[fold(name)] for name in rows.texts(column) if fold(name) in known})
    else:
        named = pl.element().str.strip_chars()
        folded = named.str.to_lowercase().replace_strict(known, default=named, return_dtype=pl.String)
        rows.frame = rows.frame.with_columns(pl.col(column).list.eval(folded))


def queue_ids(queues: pl.DataFrame) -> dict[str, str]:
    """Ids of queues by id and by name, where a name is of one queue only."""
    if "queue_name" not in queues.columns:
        return {fold(queue): queue for queue in queues["queue_id"].drop_nulls()}
    named = queues.select("queue_id", "queue_name").drop_nulls()
    folded = named.with_columns(pl.col("queue_name").map_elements(fold, return_dtype=pl.String))
    single = folded.filter(pl.col("queue_name").is_unique())
    by_name = dict(zip(single["queue_name"], single["queue_id"], strict=True))
    return by_name | {fold(queue): queue for queue in queues["queue_id"].drop_nulls()}
