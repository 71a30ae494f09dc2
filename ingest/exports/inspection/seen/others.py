"""What sheets say of each other: agents, queues and legends that other files name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from ingest.exports.inspection.known.vocabulary import fold
from ingest.exports.inspection.seen.facts import Facts, Seen, as_text, spread
from ingest.exports.inspection.seen.recognising import Recognised
from ingest.values.rated import read_names

# So much of the distinct cells must be names of the other sheet.
_OVERLAP = 0.6
_STRANGE = 0.2
_MOSTLY = 0.9
_MOST_NAMES = 20_000
_MOST_QUEUES = 500


@dataclass(frozen=True)
class Others:
    """Names that some sheet lists."""

    agents: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    queue_headers: frozenset[str] = frozenset()  # What lists of queues call their names
    skills: frozenset[str] = frozenset()  # That interactions need
    legend: Mapping[str, str] = field(default_factory=dict)  # Span by code, as the legend writes it


def learn(found: Sequence[Recognised]) -> Others:
    """What the sheets that list agents, queues and codes tell of the others."""
    agents: set[str] = set()
    queues: set[str] = set()
    headers: set[str] = set()
    skills: set[str] = set()
    legend: dict[str, str] = {}
    for each in found:
        if each.table == "agents":
            columns = [
                facts for meaning in ("agent_id", "agent_name", "agent", "email") if (facts := each.facts(meaning))
            ]
            agents |= {key_of(cell) for facts in columns for cell in facts.distinct}
            agents |= _whole_names(each)
        if each.table == "queues" and (facts := each.facts("queue")):
            queues |= {fold(cell) for cell in facts.distinct}
            headers.add(fold(facts.name))
        if each.table == "interactions" and (facts := each.facts("queue")):
            queues |= {fold(cell) for cell in facts.distinct} if len(facts.distinct) <= _MOST_QUEUES else set()
        if each.table == "interactions" and (facts := each.facts("skills")):
            skills |= {fold(cell) for cell in facts.distinct}
        if each.table == "legend":
            legend |= _legend(each)
    return Others(frozenset(agents), frozenset(queues), frozenset(headers), frozenset(skills), legend)


def tell(seen: Seen, others: Others, is_log: bool = False) -> Seen:
    """A sheet whose columns know whether their cells are names of another sheet.

    A log tells its own queues; of a list its headers tell more, as skills may be called as queues are.
    """
    if is_log:
        return Seen(seen.sheet, tuple(_of_a_log(_told(facts, others), others) for facts in seen.columns))
    return Seen(seen.sheet, tuple(_told(facts, others) for facts in seen.columns), seen.days, seen.is_down)


def _of_a_log(facts: Facts, others: Others) -> Facts:
    names = facts.has_others_names - {"queues"}
    return replace(facts, has_others_names=names | ({"queues"} if fold(facts.name) in others.queue_headers else set()))


def _told(facts: Facts, others: Others) -> Facts:
    if (
        facts.kind.name in {"time", "date", "duration", "number", "clock", "span", "blank", "phone"}
        or not facts.is_filled
    ):
        return facts
    cells = list(facts.distinct)[:_MOST_NAMES]
    told = set()
    if others.agents:
        share = _share((key_of(cell) for cell in cells), others.agents)
        told |= {"agents"} if share >= _OVERLAP else {"strangers"} if share < _STRANGE else set()
    if others.queues and _share((fold(cell) for cell in cells), others.queues) >= _OVERLAP:
        told.add("queues")
    if facts.kind.name == "names" and others.queues and _are_lists_of(facts, others.queues):
        told.add("lists of queues")
    return replace(facts, has_others_names=frozenset(told))


def _are_lists_of(facts: Facts, names: frozenset[str]) -> bool:
    """Whether cells are lists, each of whose names is one of these."""
    entries = read_names(spread(facts.cells)).values.drop_nulls().explode().struct.field("name").drop_nulls().unique()
    return _share((fold(name) for name in entries), names) >= _MOSTLY


def _share(cells: Iterable[str], known: frozenset[str]) -> float:
    given = list(cells)
    return sum(cell in known for cell in given) / len(given) if given else 0.0


def key_of(cell: str) -> str:
    """A name whatever the order of its words: `Lang, Peter` is `Peter Lang`; of an address what stands before the @."""
    return " ".join(sorted(fold(cell.partition("@")[0]).split()))


def _whole_names(found: Recognised) -> set[str]:
    if not {"first_name", "last_name"} <= found.roles.keys():
        return set()
    first, last = (found.seen[found.roles[meaning][0]].cells.cast(pl.String) for meaning in ("first_name", "last_name"))
    return {key_of(f"{a} {b}") for a, b in zip(first, last, strict=True) if a and b}


def _legend(found: Recognised) -> dict[str, str]:
    code, span = found.facts("code"), found.facts("span")
    start, end = found.facts("start", "clock"), found.facts("end", "end_clock")
    if code is None:
        return {}
    texts = as_text(code.cells)
    if span is not None:
        spans = as_text(span.cells).to_list()
    elif start is not None and end is not None:
        sides = (as_text(start.cells), as_text(end.cells))
        spans = [f"{_minute(a)}-{_minute(b)}" if a and b else None for a, b in zip(*sides, strict=True)]
    else:
        return {}
    return {cell: span or "" for cell, span in zip(texts, spans, strict=True) if cell}


def _minute(clock: str) -> str:
    """`06:00:00` without its seconds."""
    parts = clock.split(":")
    return ":".join(parts[:2]) if len(parts) == 3 else clock
