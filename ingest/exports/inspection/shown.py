"""Columns of a sheet as they are shown: what is taken for what, with samples that tell nothing of customers."""

from __future__ import annotations

import re

from ingest.exports.inspection.built.draft import Draft
from ingest.exports.inspection.found import ColumnFound
from ingest.exports.inspection.seen.facts import Facts
from ingest.exports.inspection.seen.recognising import Recognised
from ingest.exports.profile.columns import columns_of

_SAMPLES = 3
_MOST_CHARS = 40
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


def columns_found(found: Recognised, draft: Draft | None) -> tuple[ColumnFound, ...]:
    """All columns of a sheet in their order; days of a plan are cells, not columns."""
    return tuple(_column(facts, found, draft) for facts in found.seen.columns)


def _column(facts: Facts, found: Recognised, draft: Draft | None) -> ColumnFound:
    if draft is None:
        return ColumnFound(facts.name, None, "", _samples(facts, True), False)
    ours, why = draft.whys.get(facts.name, (None, "not needed"))
    is_personal = facts.name in draft.personal
    # A column may serve several of ours.
    used = [name for name, source in draft.sources.items() if facts.name in columns_of(source)]
    values = draft.values.get(used[0]) if len(used) == 1 else None
    return ColumnFound(facts.name, ", ".join(used) or ours, why, _samples(facts, is_personal), is_personal, values)


def _samples(facts: Facts, is_personal: bool) -> tuple[str, ...]:
    some = [*facts.counts][:_SAMPLES] or list(facts.kind.samples[:_SAMPLES])
    return tuple(masked(each) if is_personal else each[:_MOST_CHARS] for each in some)


def masked(text: str) -> str:
    """The shape of a text without what it says: `+49 170 1234567` is `+99 999 9999999`."""
    return _DIGIT.sub("9", _LETTER.sub("x", text[:_MOST_CHARS]))
