"""Sheets that a profile knows already: one kept from another month, or one that comes with the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InvalidTable
from engine.near import nearest
from engine.texts import short
from ingest.exports.inspection.built.draft import Draft
from ingest.exports.profile.builtin import builtin_profiles
from ingest.exports.profile.columns import columns_of
from ingest.exports.profile.patterns import taken
from ingest.exports.profile.profile import Part, Profile
from ingest.sheets.sheet import Sheet

# So many of the columns of a sheet must be those of a published export.
_PUBLISHED = 0.75
_LEAST = 4


@dataclass(frozen=True)
class Kept:
    """What is known of a sheet beforehand."""

    part: Part
    why: str
    is_published: bool = False  # One of the product, and none that somebody keeps

    def lay_over(self, draft: Draft) -> None:
        """Say of columns what is published of them, where inspection found out the rest."""
        draft.why = self.why
        for ours, source in self.part.columns.items():
            if ours not in {"interaction_id", "conversation_id"} and draft.sources.get(ours) != source:
                draft.take(ours, source, self.why)
        same = {ours for ours, source in self.part.columns.items() if draft.sources.get(ours) == source}
        for column in {column for ours in same for column in columns_of(draft.sources[ours])}:
            draft.whys[column] = (draft.whys.get(column, (None, ""))[0], self.why)
        draft.values = {ours: dict(values) for ours, values in self.part.values.items() if ours in same}
        draft.units |= {ours: unit for ours, unit in self.part.units.items() if ours in draft.sources}
        self._leave(draft)

    def fill(self, draft: Draft) -> None:
        """Take over what the part says."""
        draft.why = self.why
        for ours, source in self.part.columns.items():
            draft.take(ours, source, self.why)
        draft.values = {ours: dict(values) for ours, values in self.part.values.items()}
        draft.units, draft.only = dict(self.part.units), dict(self.part.only)
        draft.rows, draft.dates = self.part.rows, self.part.dates
        for name in self.part.only:
            draft.whys.setdefault(name, (None, "tells which rows are read"))
        self._leave(draft)

    def _leave(self, draft: Draft) -> None:
        columns = draft.seen.sheet.frame.columns
        for name in self.part.personal:
            if name in columns:
                draft.leave(name, self.why, True)
        for name in self.part.unused:
            if name in columns:
                draft.leave(name, self.why)


def kept_parts(profile: Profile, sheets: Sequence[Sheet]) -> list[Kept | None]:
    """For each sheet the part that knows it: of the profile by its name, of the product by its columns."""
    found = [_of_profile(profile, sheet) or _of_product(sheet) for sheet in sheets]
    problems = [
        problem
        for sheet, kept in zip(sheets, found, strict=True)
        if kept is not None
        for problem in _missing(sheet, kept.part)
    ]
    if problems:
        raise InvalidTable(*problems)
    return found


def _of_profile(profile: Profile, sheet: Sheet) -> Kept | None:
    parts = [part for part in profile.parts if taken(part, [sheet])]
    # Of several patterns that fit, the one whose columns are there.
    best = min(parts, key=lambda part: len(list(_missing(sheet, part))), default=None)
    return None if best is None else Kept(best, "as the profile says")


def _of_product(sheet: Sheet) -> Kept | None:
    """A published export whose columns these are."""
    names = {name.casefold(): name for name in sheet.frame.columns}
    best: tuple[float, Kept] | None = None
    for profile in builtin_profiles():
        for part in profile.parts:
            known = {column.casefold() for source in part.columns.values() for column in columns_of(source)}
            all_known = known | {each.casefold() for each in (*part.unused, *part.personal, *part.only)}
            share = len(names.keys() & all_known) / max(1, len(names))
            if share >= _PUBLISHED and _is_enough(part, names) and (best is None or share > best[0]):
                what = profile.source.partition(":")[0]
                words = "known, and no table of ours" if part.table == "none" else "by the names of its columns"
                best = (share, Kept(_here(part, names), f"{what}, {words}", True))
    return None if best is None else best[1]


def _is_enough(part: Part, names: dict[str, str]) -> bool:
    """Whether the first columns of the part, which it cannot do without, are there."""
    there = [all(column.casefold() in names for column in columns_of(source)) for source in part.columns.values()]
    return all(there[:2]) and sum(there) >= min(4, len(there)) and len(names) >= _LEAST


def _here(part: Part, names: dict[str, str]) -> Part:
    """A published part with the columns that this sheet has."""
    columns = {
        ours: source
        for ours, source in part.columns.items()
        if all(column.casefold() in names for column in columns_of(source))
    }
    return Part(
        part.table, part.files, columns, values=part.values, dates=part.dates, units=part.units, rows=part.rows,
        only={name: kept for name, kept in part.only.items() if name.casefold() in names},
        unused=tuple(name for name in part.unused if name.casefold() in names),
        personal=tuple(name for name in part.personal if name.casefold() in names),
    )  # fmt: skip


def _missing(sheet: Sheet, part: Part) -> list[str]:
    """What a part names and a sheet does not have, with what may be meant."""
    columns = sheet.frame.columns
    needed = {column: ours for ours, source in part.columns.items() for column in columns_of(source)}
    needed |= dict.fromkeys(part.only, "only")
    found = []
    for column, ours in needed.items():
        if column not in columns:
            near = nearest(column, columns)
            way = f"did you mean {short(near)!r}?" if near else f"it has {', '.join(map(short, columns[:8]))}"
            found.append(
                f"{sheet.name}: has no column {short(column)!r}, which the profile reads as {ours}; {way} "
                f"Change it in the part of the profile whose table is {part.table}"
            )
    return found
