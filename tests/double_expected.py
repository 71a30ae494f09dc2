"""What a right reader must know about an organisation in the end, told from its facts and not from payloads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from engine.data.tables import TABLES, TIME
from ingest.double.centre.facts import DELETED_SKILL
from ingest.double.centre.oddities import NOT_RESPONDING_MS
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.statuses import shifts_of

_SPELL = {"conversation_id": pl.String, "agent_id": pl.String, "start_at": pl.Int64, "end_at": pl.Int64}


@dataclass(frozen=True)
class Expected:
    """What a right reader ends up with.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns of table interactions and `visit`, `over`, `skill_ids`, `language_id`; the interaction id is
        ``conversation#visit``. What the platform cannot say is null, and priority 0.
    surveys : polars.DataFrame
        Finished ones with a score: columns of table surveys, and `conversation_id`, `visit`.
    agents, members, queues : polars.DataFrame
        Tables: active skills only, each member once.
    staffing : polars.DataFrame
        Spells on queue but those not responding, touching ones joined; end_at is null where the agent is still so.
    busy : polars.DataFrame
        Work that came through no queue: agent_id, start_at, end_at, why, conversation_id.
    missed : polars.DataFrame
        Ringing in vain: conversation_id, visit, agent_id, start_at, end_at (of ringing), and done_at, which lies
        later where the platform shows after-call work nevertheless.
    not_responding : polars.DataFrame
        Spells in which the platform calls an agent NOT_RESPONDING: agent_id, start_at, end_at.
    open_conversations : tuple of str
        Conversations that are not over.
    counts : dict
        How many oddities of each kind there are.
    """

    visits: pl.DataFrame
    surveys: pl.DataFrame
    agents: pl.DataFrame
    members: pl.DataFrame
    queues: pl.DataFrame
    staffing: pl.DataFrame
    busy: pl.DataFrame
    missed: pl.DataFrame
    not_responding: pl.DataFrame
    open_conversations: tuple[str, ...]
    counts: dict[str, int]


def expected_of(organisation: Organisation) -> Expected:
    """Work out what a right reader must know.

    Parameters
    ----------
    organisation : Organisation
        Tables and facts.

    Returns
    -------
    Expected
        Frames in a fixed order: by conversation and visit, by agent and time.
    """
    tables, facts = organisation.tables, organisation.facts
    visits = _visits(organisation)
    return Expected(
        visits=visits,
        surveys=_surveys(tables.surveys, tables.interactions, visits),
        agents=tables.agents,
        members=tables.members.sort("queue_id", "agent_id"),
        queues=tables.queues,
        staffing=_staffing(organisation),
        busy=_busy(organisation),
        missed=_missed(organisation),
        not_responding=_not_responding(organisation),
        open_conversations=tuple(sorted(facts.going_on)),
        counts={name: len(value) for name, value in vars(facts).items()},
    )


def _visits(organisation: Organisation) -> pl.DataFrame:
    own = pl.col("conversation_id"), pl.col("visit")
    skill_id = {name: key for key, name in organisation.skills.items()} | {DELETED_SKILL: DELETED_SKILL}
    skill_ids = pl.col("skills").list.eval(pl.element().replace_strict(skill_id, default=None)).list.sort()
    language_id = {name: key for key, name in organisation.languages.items()}
    return (
        organisation.visits.with_columns(
            interaction_id=pl.format("{}#{}", *own),
            skill_ids=skill_ids,
            language_id=pl.col("language").replace_strict(language_id, default=None, return_dtype=pl.String),
            skills=pl.col("skills").list.sort(),
            priority=pl.lit(0.0),
            patience_s=pl.lit(None, pl.Float64),
            csat=pl.lit(None, pl.Float64),
        )
        .select(*TABLES["interactions"].names, "visit", "over", "skill_ids", "language_id")
        .sort("conversation_id", "visit")
    )


def _surveys(surveys: pl.DataFrame, interactions: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """The visit of a survey is the last of its queue and agent, else of its agent, else of its queue."""
    conversations = interactions.select("interaction_id", "conversation_id")
    rows = surveys.join(conversations, on="interaction_id").drop("interaction_id")
    candidates = rows.join(
        visits.select("conversation_id", "visit", "interaction_id", "queue_id", "agent_id"), on="conversation_id",
        suffix="_visited",
    ).with_columns(
        fit=2 * (pl.col("agent_id") == pl.col("agent_id_visited")).fill_null(False).cast(pl.Int8)
        + (pl.col("queue_id") == pl.col("queue_id_visited")).fill_null(False).cast(pl.Int8)
    )  # fmt: skip
    best = candidates.sort("survey_id", "fit", "visit").group_by("survey_id", maintain_order=True).last()
    return best.select(*TABLES["surveys"].names, "conversation_id", "visit").sort("survey_id")


def _staffing(organisation: Organisation) -> pl.DataFrame:
    """Shifts, cut where their agent did not respond."""
    silent: dict[str, list[tuple[datetime, datetime]]] = {}
    for agent, start, end in _not_responding(organisation).iter_rows():
        silent.setdefault(agent, []).append((start, end))
    rows = []
    for agent, start, end in shifts_of(organisation).iter_rows():
        at = start
        for begun, done in silent.get(agent, []):
            if begun >= at and (end is None or done <= end):
                rows.append((agent, at, begun))
                at = done
        rows.append((agent, at, end))
    return pl.DataFrame(rows, schema=TABLES["staffing"].schema(), orient="row")


def _busy(organisation: Organisation) -> pl.DataFrame:
    rows = [
        (call.conversation_id, agent, call.start_ms, call.end_ms, "internal" if call.other_agent_id else "outbound")
        for call in organisation.facts.calls
        for agent in (call.agent_id, call.other_agent_id)
        if agent is not None
    ]
    frame = pl.DataFrame(rows, schema=_SPELL | {"why": pl.String}, orient="row")
    return _timed(frame).select("agent_id", "start_at", "end_at", "why", "conversation_id").sort("agent_id", "start_at")


def _missed(organisation: Organisation) -> pl.DataFrame:
    rows = [
        (m.conversation_id, m.agent_id, m.start_ms, m.end_ms, m.end_ms + m.acw_ms, m.visit)
        for m in organisation.facts.missed
    ]
    frame = pl.DataFrame(rows, schema=_SPELL | {"done_at": pl.Int64, "visit": pl.Int32}, orient="row")
    return _timed(frame).sort("conversation_id")


def _not_responding(organisation: Organisation) -> pl.DataFrame:
    rows = [("", m.agent_id, m.end_ms, m.end_ms + NOT_RESPONDING_MS) for m in organisation.facts.missed]
    return _timed(pl.DataFrame(rows, schema=_SPELL, orient="row")).drop("conversation_id").sort("agent_id", "start_at")


def _timed(frame: pl.DataFrame) -> pl.DataFrame:
    columns = [name for name in frame.columns if name.endswith("_at")]
    return frame.with_columns(pl.col(columns).cast(pl.Datetime("ms", "UTC")).cast(TIME))
