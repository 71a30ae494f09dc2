"""What the cells of the columns that were found mean: values, units, orders of dates, codes of shifts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from engine.data.tables import MEDIA, OUTCOMES
from engine.texts import short
from ingest.exports.inspection.built.draft import Draft, share, unit_of
from ingest.exports.inspection.known.vocabulary import fold, meant
from ingest.exports.inspection.seen.facts import Facts, as_text, spread
from ingest.exports.profile.columns import SECONDS, TIME, columns_of, kinds_of
from ingest.exports.profile.profile import Copied, Shifted, Summed
from ingest.values.durations import read_durations
from ingest.values.shifts import read_spans
from ingest.values.times import read_times

# Fewer rows than this share, and an unknown word is not worth a question.
_WEIGHT = 0.005
_FEW = 3
_ANSWERED = 0.8
_ABANDONED = 0.2
_KINDS = {"media": "media", "outcome": "outcome", "evaluation_method": "evaluation_method", "activity": "activity"}
_CHOICES = {
    "media": MEDIA,
    "outcome": OUTCOMES,
    "evaluation_method": ("ALL", "BEST", "NONE"),
    "activity": ("on_queue", "break", "away"),
}
_UNKNOWN = {"outcome": "unknown", "activity": "away", "evaluation_method": "ALL", "media": ""}
_MOST_CODES = 60
_DOTTED = re.compile(r"\D*\d{1,2}\.\s?\d{1,2}\.")


def settle(draft: Draft, legend: Mapping[str, str]) -> None:
    """All that the cells of a draft's columns mean; `legend` is what a legend says of codes."""
    for ours, source in draft.sources.items():
        if isinstance(source, Copied) and ours in _KINDS:
            _map(draft, ours, draft.seen[source.column])
    _units(draft)
    if draft.table == "shifts":
        _codes(draft, [draft.seen.sheet.frame[name] for name in draft.seen.days], legend)
    elif isinstance(span := draft.sources.get("span"), Copied):
        _codes(draft, [draft.seen[span.column].cells], legend)


def _map(draft: Draft, ours: str, facts: Facts) -> None:
    """What each of the values means; one with weight that nobody knows is asked about."""
    meaning = _meaning(draft, ours, facts)
    total = sum(facts.counts.values())
    found: dict[str, str] = {}
    for cell, n in facts.counts.items():
        value = meaning(cell)
        if value is None:
            value = _asked(draft, ours, facts, cell, n, total)
        found[cell] = value
    draft.values[ours] = draft.values.get(ours, {}) | found


def _meaning(draft: Draft, ours: str, facts: Facts) -> Callable[[str], str | None]:
    """Our value of each cell, as far as it is known."""
    kept = draft.values.get(ours, {})
    flag = draft.whys.get(facts.name, (None, ""))[1] if ours == "outcome" else ""
    flags = {
        "whether the customer hung up": ("abandoned", "answered"),
        "whether it was answered": ("answered", "abandoned"),
    }

    def meaning(cell: str) -> str | None:
        key = f"{draft.table}.values.{ours}.{cell}"
        if key in draft.asked.answers:
            return draft.asked.ask(key, "", _CHOICES[ours])
        if cell in kept:
            return kept[cell]
        if flag in flags and (said := meant("flag", cell)):
            return flags[flag][said == "no"]
        value = meant(_KINDS[ours], cell)
        if (
            value == "flowed_out"
            and (answered := _share_with_agent(draft, facts, cell)) is not None
            and answered >= _ANSWERED
        ):
            # Transferred by the agent who took it.
            return "answered"
        return value

    return meaning


def _asked(draft: Draft, ours: str, facts: Facts, cell: str, n: int, total: int) -> str:
    fallback = _UNKNOWN[ours]
    if n < max(_FEW, _WEIGHT * total) and total > _FEW:
        draft.tell(f"rows whose {facts.name} is an unknown word such as {short(cell)!r}", n)
        return fallback
    likely, words = None, ""
    if ours == "outcome" and (answered := _share_with_agent(draft, facts, cell)) is not None:
        likely = "answered" if answered >= _ANSWERED else "abandoned" if answered <= _ABANDONED else None
        words = f", {answered:.0%} of which name an agent"
    elif ours == "activity":
        likely = "away"
    text = f"{draft.name}: what does {short(cell)!r} in {facts.name} mean ({n:,} of {total:,} rows{words})?"
    return draft.asked.ask(f"{draft.table}.values.{ours}.{cell}", text, _CHOICES[ours], likely=likely) or fallback


def _share_with_agent(draft: Draft, facts: Facts, cell: str) -> float | None:
    """Share of the rows with a cell that name an agent."""
    agent = draft.sources.get("agent_id")
    if draft.table != "interactions" or not isinstance(agent, Copied):
        return None
    rows = as_text(facts.cells) == cell
    return share(draft.seen[agent.column].cells.is_not_null().filter(rows.fill_null(False)))


def _units(draft: Draft) -> None:
    kinds = kinds_of(draft.table)
    for ours, source in draft.sources.items():
        durations = (
            source.less + source.plus
            if isinstance(source, Shifted)
            else columns_of(source)
            if kinds.get(ours) == SECONDS and isinstance(source, Copied | Summed)
            else ()
        )
        for column in durations:
            unit = _unit(draft, ours, draft.seen[column])
            if unit and unit != "s":
                draft.units.setdefault(ours, unit)


def _unit(draft: Draft, ours: str, facts: Facts) -> str | None:
    """What plain numbers of a column count; asked where two are possible."""
    named = unit_of(facts)
    if named:
        return named
    found = read_durations(spread(facts.cells))
    if found.is_open and "min" in found.choices and draft.table in {"interactions", "volumes"}:
        # Nobody writes how long a call waits or takes in hours and minutes.
        draft.assumptions.append(f"{draft.name}: {facts.name} is read as minutes and seconds, such as {_some(facts)}")
        return "min"
    if found.is_open:
        text = (
            f"{draft.name}: what do the cells of {facts.name} count, such as {_some(facts)}? "
            f"They are {' or '.join(found.choices)}"
        )
        return draft.asked.ask(f"{draft.table}.units.{ours}", text, found.choices, likely=found.likely)
    if found.words.startswith("fractions of a day"):
        return "days"
    return None


def _some(facts: Facts) -> str:
    return ", ".join(facts.kind.samples[:3])


def order_of(draft: Draft, names: tuple[str, ...] = ()) -> tuple[str | None, bool, str | None]:
    """Order of day, month and year that the dates of a sheet settle; whether they leave it open; the likely one."""
    columns = [
        draft.seen[column].cells
        for ours, source in draft.sources.items()
        if kinds_of(draft.table).get(ours) == TIME
        for column in columns_of(source)[:1]
        if draft.seen[column].cells.dtype == pl.String
    ]
    if names:
        columns.append(pl.Series("days", names))
    is_open, likely = False, None
    for cells in columns:
        found = read_times(spread(cells))
        if found.is_open and cells.len() > spread(cells).len():
            found = read_times(cells)
        if found.order and not found.is_open:
            return found.order, False, None
        if found.is_open and (_DOTTED.match(str(cells.drop_nulls().first())) is not None):
            # Between dots nobody writes the month first.
            return "dmy", False, None
        is_open, likely = is_open or found.is_open, likely or found.likely
    return None, is_open, likely


def _codes(draft: Draft, columns: list[pl.Series], legend: Mapping[str, str]) -> None:
    """What codes of a shift plan mean: as a legend says, or else it is asked."""
    counts: dict[str, int] = {}
    for cells in columns:
        texts = as_text(cells).drop_nulls().alias("cell")
        for cell, n in texts.value_counts().iter_rows():
            counts[cell] = counts.get(cell, 0) + n
    distinct = pl.Series(list(counts), dtype=pl.String)
    found = read_spans(distinct)
    unread = {
        cell for cell, span, off, refused in zip(distinct, found.has_span, found.is_off, found.refused, strict=True)
        if not span and not off and not refused
    }  # fmt: skip
    kept = draft.values.get("cells", {})
    said = {fold(code): span for code, span in legend.items()}
    meanings = dict(kept)
    for cell in sorted(unread, key=lambda each: -counts[each])[:_MOST_CODES]:
        key = f"{draft.table}.values.cells.{cell}"
        if key in draft.asked.answers:
            meanings[cell] = draft.asked.answers[key]
        elif cell not in kept:
            meanings[cell] = said[fold(cell)] if fold(cell) in said else _code(draft, key, cell, counts[cell])
    draft.tell(
        "cells of the plan that are no span and no word",
        sum(counts[cell] for cell, bad in zip(distinct, found.refused, strict=True) if bad),
    )
    if meanings:
        draft.values["cells"] = meanings


def _code(draft: Draft, key: str, cell: str, n: int) -> str:
    if meant("activity", cell) in {"away", "break"}:
        return ""
    text = f"{draft.name}: which hours does {short(cell)!r} stand for ({n:,} cells)? A span, 06:00-14:00, or nothing"
    return draft.asked.ask(key, text) or ""
