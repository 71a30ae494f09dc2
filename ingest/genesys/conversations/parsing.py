"""Conversations of the platform as frames: their lives, visits to queues, work of agents, and surveys.

Each conversation is read once on the assumption that it has the documented shape, which is fast. One that turns out
odd is tidied and read again, alone, so that it costs only what is wrong with it. Nothing depends on which other
conversations came with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from engine.data.tables import PREFERRED, TEXTS, TIME
from engine.typing import Record
from ingest.genesys.conversations.sessions import PLAIN_WIDTH, TIDY_WIDTH, OddShape, check_time
from ingest.genesys.conversations.survey_rows import survey_rows
from ingest.genesys.conversations.tidy import tidy
from ingest.genesys.conversations.visits import Sessions, unusable_visit, unusable_work, visit_row, work_row
from ingest.genesys.objects.values import text

_TEXT, _NUMBER = pl.String(), pl.Float64()
COLUMNS: dict[str, dict[str, pl.DataType]] = {
    "lives": {"conversation_id": _TEXT, "started_at": TIME, "ended_at": TIME},
    "visits": {
        "conversation_id": _TEXT,
        "visit": pl.Int32(),
        "queue_id": _TEXT,
        "arrived_at": TIME,
        "media": _TEXT,
        "skill_ids": TEXTS,
        "language_id": _TEXT,
        "outcome": _TEXT,
        "agent_id": _TEXT,
        "wait_s": _NUMBER,
        "alert_s": _NUMBER,
        "handle_s": _NUMBER,
        "acw_s": _NUMBER,
        "used_routing": _TEXT,
        "eligible_count": pl.Int32(),
        "preferred": PREFERRED,
    },
    "work": {
        "conversation_id": _TEXT,
        "agent_id": _TEXT,
        "start_at": TIME,
        "end_at": TIME,
        "media": _TEXT,
        "direction": _TEXT,
        "queue_id": _TEXT,
        "visit": pl.Int32(),
        "kind": _TEXT,
    },
    "surveys": {
        "conversation_id": _TEXT,
        "visit": pl.Int32(),
        "survey_id": _TEXT,
        "agent_id": _TEXT,
        "queue_id": _TEXT,
        "completed_at": TIME,
        "score": _NUMBER,
        "status": _TEXT,
    },
    "left_out": {"conversation_id": _TEXT, "reason": _TEXT},
}
# What reading an object of another shape than the documented one raises.
_ODD = (OddShape, TypeError, AttributeError, KeyError, ValueError, OverflowError)
_PLAIN_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{3}|\d{6})Z$"
_UNFIT_TEXT = r"[\x00-\x1f\x7f]"


@dataclass(frozen=True)
class Conversations:
    """What was read of some conversations, in their order; columns as in `COLUMNS`."""

    lives: pl.DataFrame  # One row per conversation; ended_at is null while it goes on
    visits: pl.DataFrame  # One row per session in a queue, numbered from 1 by arrival within its conversation
    work: pl.DataFrame  # One row per session of an agent or user; end_at is null while it goes on
    surveys: pl.DataFrame  # Finished ones with a score
    # One row per thing that is missing above, and why; conversation_id is null where there is none
    left_out: pl.DataFrame


@dataclass
class _Rows:
    """Rows of frames."""

    lives: list[tuple[Any, ...]] = field(default_factory=list)
    visits: list[tuple[Any, ...]] = field(default_factory=list)
    work: list[tuple[Any, ...]] = field(default_factory=list)
    surveys: list[tuple[Any, ...]] = field(default_factory=list)
    left_out: list[tuple[Any, ...]] = field(default_factory=list)


def parse_conversations(conversations: Sequence[Any]) -> Conversations:
    """Read conversation details.

    Only the fields of `tidy.SHAPE` are looked at. Of a conversation given twice the last one
    counts, wholly.

    Parameters
    ----------
    conversations : list of dict
        As details queries and jobs give them.

    Returns
    -------
    Conversations
        All ids, no names; times in UTC, durations in seconds.

    Examples
    --------
    >>> parse_conversations([{"conversationId": "c1"}, None]).left_out["reason"].to_list()
    ['conversation without id', 'conversation without start']
    """
    unnamed, given = _by_id(conversations)
    odd: frozenset[str] = frozenset()
    while True:
        rows = _rows(unnamed, given, odd)
        try:
            frames, unreadable = _frames(rows)
        except UnicodeEncodeError:
            frames, unreadable = {}, _unwritable(rows)
        # Tidied conversations hold nothing of the kind, so this ends.
        if not unreadable:
            return Conversations(**frames)
        odd |= unreadable


def _by_id(conversations: Sequence[Any]) -> tuple[int, dict[str, Record]]:
    """How many have no id, and the last of each id."""
    unnamed = 0
    given: dict[str, Record] = {}
    for conversation in conversations:
        name = text(conversation.get("conversationId")) if isinstance(conversation, dict) else None
        if name is None:
            unnamed += 1
        else:
            given[name] = conversation
    return unnamed, given


def _rows(unnamed: int, given: dict[str, Record], odd: frozenset[str]) -> _Rows:
    """Rows of all conversations, those known to be odd tidied first."""
    rows = _Rows(left_out=[(None, "conversation without id")] * unnamed)
    for name, conversation in given.items():
        if name in odd:
            _add_tidied(rows, conversation)
            continue
        try:
            _add(rows, conversation, PLAIN_WIDTH)
        except _ODD:
            _add_tidied(rows, conversation)
    return rows


def _add_tidied(rows: _Rows, conversation: Record) -> None:
    name = conversation["conversationId"]
    kept, reasons = tidy(conversation)
    try:
        _add(rows, kept, TIDY_WIDTH)
    except _ODD as error:  # a shape that nobody thought of costs its conversation, not the page
        reasons.append(f"broken conversation: {type(error).__name__}")
    rows.left_out += [(name, reason) for reason in reasons]


def _add(rows: _Rows, conversation: Record, width: int) -> None:
    """Add the rows of one conversation, or raise and add none."""
    name = conversation["conversationId"]
    started, ended = conversation.get("conversationStart"), conversation.get("conversationEnd")
    for at in (started, ended):
        if at is not None:
            check_time(at, width)
    sessions = Sessions(conversation, width)
    reasons = [] if started else ["conversation without start"]
    visits = _visits(name, sessions, ended, reasons)
    work = _work(name, sessions, ended, reasons)
    if conversation.get("surveys"):
        surveys, why = survey_rows(conversation, sessions.usable, width)
        rows.surveys += surveys
        reasons += why
    rows.lives.append((name, started, ended))
    rows.visits += visits
    rows.work += work
    if reasons:
        rows.left_out += [(name, reason) for reason in reasons]


def _visits(name: str, sessions: Sessions, ended: str | None, reasons: list[str]) -> list[tuple[Any, ...]]:
    rows = []
    for visit in sessions.usable:
        row = visit_row(name, visit, ended)
        if row[_WAIT] is not None and row[_WAIT] < 0:
            reasons.append("wait of a visit that ends before it starts")
            row = (*row[:_WAIT], None, *row[_WAIT + 1 :])
        rows.append(row)
    if len(rows) < len(sessions.visits):
        reasons += filter(None, map(unusable_visit, sessions.visits))
    return rows


_WAIT = list(COLUMNS["visits"]).index("wait_s")


def _work(name: str, sessions: Sessions, ended: str | None, reasons: list[str]) -> list[tuple[Any, ...]]:
    answered = {id(visit.answer): visit for visit in sessions.usable}
    answered |= {id(leg): visit for visit in sessions.usable if visit.legs for leg in visit.legs}
    rows = []
    for session in sessions.staff:
        end = session.end
        if session.is_open:
            # In a conversation that has ended nothing is open for long; its end is the latest time known.
            end = max(ended, end or "") if ended else None
        why = unusable_work(session, end)
        if why:
            reasons.append(why)
        else:
            rows.append(work_row(name, session, answered.get(id(session)), end))
    return rows


def _unwritable(rows: _Rows) -> frozenset[str]:
    """Conversations with a text that holds half of a pair, which JSON can write and UTF-8 cannot."""
    every = chain.from_iterable(getattr(rows, name) for name in COLUMNS)
    return frozenset(row[0] for row in every if any(isinstance(cell, str) and text(cell) is None for cell in row))


def _frames(rows: _Rows) -> tuple[dict[str, pl.DataFrame], frozenset[str]]:
    """Frames by name, and the conversations that have a time or text in them that cannot be used."""
    frames = {}
    unreadable: set[str] = set()
    for name, schema in COLUMNS.items():
        frames[name], bad = _frame(getattr(rows, name), schema)
        unreadable |= bad
    return frames, frozenset(unreadable)


def _column(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == TIME:
        return pl.Series(name, values, pl.String(), strict=True)
    if dtype == TEXTS:
        # Handing over one list for each row takes ten times as long.
        flat = pl.Series(list(chain.from_iterable(values)), dtype=pl.String(), strict=True)
        ends = np.cumsum([0, *map(len, values)], dtype=np.int64)
        return pl.Series(name, pa.LargeListArray.from_arrays(pa.array(ends), flat.to_arrow()), dtype)
    return pl.Series(name, values, dtype, strict=True)


def _frame(rows: list[tuple[Any, ...]], schema: dict[str, pl.DataType]) -> tuple[pl.DataFrame, set[str]]:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    raw = pl.DataFrame(
        [_column(name, values, dtype) for (name, dtype), values in zip(schema.items(), columns, strict=True)]
    )
    times = [name for name, dtype in schema.items() if dtype == TIME]
    texts = [name for name, dtype in schema.items() if dtype == pl.String()]
    read = pl.col(times).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)
    frame = raw.with_columns(read.dt.replace_time_zone("UTC"), *(pl.col(name).alias(f"raw {name}") for name in times))
    bad = [~pl.col(f"raw {name}").str.contains(_PLAIN_TIME) for name in times]
    bad += [pl.col(name).is_null() & pl.col(f"raw {name}").is_not_null() for name in times]
    bad += [pl.col(name).str.contains(_UNFIT_TEXT) for name in texts]
    is_bad = pl.any_horizontal(bad).fill_null(False)
    found = frame.select(pl.col("conversation_id").filter(is_bad)).to_series()
    return frame.select(list(schema)), set(found.drop_nulls())
