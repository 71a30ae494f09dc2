"""What looks wrong in the rows of a sheet, counted before anything is imported."""

from __future__ import annotations

import polars as pl

from ingest.exports.inspection.built.draft import Draft
from ingest.exports.inspection.seen.facts import as_text
from ingest.exports.profile.columns import ARRIVAL, SECONDS, TIME, kinds_of
from ingest.exports.profile.profile import Between, Copied
from ingest.values.durations import read_durations
from ingest.values.times import read_times

_MOST_ROWS = 200_000


def check(draft: Draft) -> None:
    """Count rows without a queue, cells that are no time, answers without an agent, and the like."""
    _unreadable(draft)
    if draft.table == "interactions":
        _interactions(draft)
    frame = draft.seen.sheet.frame
    if frame.height > _MOST_ROWS:
        return
    # Duplicates are asked of texts; nested cells have no order.
    if not any(dtype.is_nested() for dtype in frame.dtypes):
        draft.tell("rows that stand there twice, alike in every column", frame.height - frame.n_unique())


def _unreadable(draft: Draft) -> None:
    if draft.seen.n_rows > _MOST_ROWS:
        # Whoever shapes them refuses them with their rows; to read millions twice takes as long again.
        return
    kinds = kinds_of(draft.table)
    for ours, source in draft.sources.items():
        if not isinstance(source, Copied):
            continue
        facts = draft.seen[source.column]
        if kinds.get(ours) == TIME:
            found = read_times(facts.cells, draft.dates)
            draft.tell(f"cells of {facts.name} that are no time", int(found.refused.sum()))
            if draft.table == "interactions" and ours == "arrived_at":
                draft.tell(f"rows without {facts.name}", facts.cells.null_count())
                if found.without_clock is not None:
                    draft.tell(f"cells of {facts.name} that have no clock time", int(found.without_clock.sum() or 0))
        elif kinds.get(ours) == SECONDS and not facts.cells.dtype.is_nested():
            refused = read_durations(facts.cells, draft.units.get(ours)).refused
            draft.tell(f"cells of {facts.name} that are no duration", int(refused.sum()))


def _interactions(draft: Draft) -> None:
    queue, agent, outcome = (_cells(draft, ours) for ours in ("queue_id", "agent_id", "outcome"))
    if queue is not None:
        draft.tell("rows without a queue", queue.null_count())
    if outcome is not None and agent is not None:
        values = draft.values.get("outcome", {})
        answered = pl.Series([cell for cell, value in values.items() if value == "answered"], dtype=pl.String)
        abandoned = pl.Series([cell for cell, value in values.items() if value == "abandoned"], dtype=pl.String)
        draft.tell("answered rows without an agent", int((outcome.is_in(answered.implode()) & agent.is_null()).sum()))
        draft.tell(
            "abandoned rows with an agent", int((outcome.is_in(abandoned.implode()) & agent.is_not_null()).sum())
        )
    for ours, words in {
        "wait_s": "rows answered before they arrived",
        "handle_s": "rows that end before they are answered",
    }.items():
        source = draft.sources.get(ours)
        if isinstance(source, Between) and source.start != ARRIVAL:
            start, end = draft.times(source.start), draft.times(source.end)
            draft.tell(words, int((end < start).sum() or 0))
    numbers = _cells(draft, "interaction_id")
    if numbers is not None:
        draft.tell("rows without an id", numbers.null_count())


def _cells(draft: Draft, ours: str) -> pl.Series | None:
    source = draft.sources.get(ours)
    if not isinstance(source, Copied) or draft.seen[source.column].cells.dtype.is_nested():
        return None
    return as_text(draft.seen[source.column].cells)
