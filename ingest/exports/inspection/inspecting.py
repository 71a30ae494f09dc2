"""Files as people have them, looked over: what each is, what its columns mean, and what only a person can settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.exports.inspection.built import centre, interactions
from ingest.exports.inspection.built.cells import order_of, settle
from ingest.exports.inspection.built.draft import Asked, Draft
from ingest.exports.inspection.checks import check
from ingest.exports.inspection.found import Found, SheetFound
from ingest.exports.inspection.kept import Kept, kept_parts
from ingest.exports.inspection.questions import TABLES, ask_all, ask_what_it_is, without_copies
from ingest.exports.inspection.seen.days import days_of, turned
from ingest.exports.inspection.seen.facts import Seen, look
from ingest.exports.inspection.seen.others import Others, learn, tell
from ingest.exports.inspection.seen.recognising import Recognised, recognise
from ingest.exports.inspection.shown import columns_found
from ingest.exports.profile.columns import kinds_of
from ingest.exports.profile.patterns import fits, pattern_of, taken
from ingest.exports.profile.profile import Copied, Part, Profile
from ingest.sheets.sheet import Sheet

_LEFT_OUT = "none"


def inspect(
    sheets: Sequence[Sheet], *, time_zone: str | None = None, dates: str | None = None, profile: Profile | None = None,
    answers: Mapping[str, str] | None = None,
) -> Found:  # fmt: skip
    """What files hold as we understand it, why, and the questions that nothing in them settles.

    Parameters
    ----------
    sheets : sequence of Sheet
        Tables of the files, in any order.
    time_zone : str, optional
        IANA zone of times that name none; never guessed.
    dates : str, optional
        `dmy`, `mdy` or `ymd` for dates whose order nothing settles.
    profile : Profile, optional
        Kept from another month: files that its parts fit are read as they say; what is new in them is found out.
    answers : mapping, optional
        Answers to questions of an earlier inspection, by their keys.

    Returns
    -------
    Found
        Sheets with what their columns mean, a profile that says so, and questions. With a question left the profile
        has the likely answer in its place.

    Raises
    ------
    InvalidScenario
        If an answer is none of the choices.
    InvalidTable
        If a file lacks a column that its part of the profile names.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> frame = pl.DataFrame({"Warteschlange": ["Technik", "Chat"], "Ziel": ["80/20", "80/60"]})
    >>> found = inspect([Sheet("queues.xlsx", (), frame, np.array([2, 3]), "Excel")])
    >>> found.sheets[0].table, found.profile.parts[0].columns["service_level"]
    ('queues', Copied(column='Ziel'))
    """
    asked = Asked(dict(answers or {}), dates)
    base = profile or Profile()
    seen = [turned(look(sheet, days_of(sheet)), Others()) for sheet in sheets]
    kept = kept_parts(base, sheets)
    others, found = _recognised(seen, asked, kept)
    drafts = without_copies([_draft(each, part, asked, others) for each, part in zip(found, kept, strict=True)])
    made = [draft for draft in drafts if draft is not None]
    for each in found:
        if each.table is None and "#" not in each.seen.sheet.name:
            ask_what_it_is(each.seen.sheet.name, each.seen.sheet.frame.columns, asked)
    _settle_dates(made, asked)
    for draft in made:
        settle(draft, others.legend)
    people, zone = ask_all(made, base, time_zone, asked)
    for draft in made:
        check(draft)
    unread = [each.seen.sheet for each in found if _is_left_out(each, asked)]
    profile = _profile(drafts, unread, sheets, replace(base, people=people, time_zone=zone))
    shown = tuple(_shown(*each) for each in zip(found, drafts, kept, strict=True))
    needless = set(asked.answers) - asked.taken - {f"files.{sheet.name}" for sheet in sheets}
    return Found(shown, profile, tuple(asked.questions.values()), tuple(sorted(needless)))


def _recognised(seen: list[Seen], asked: Asked, kept: list[Kept | None]) -> tuple[Others, list[Recognised]]:
    """What the sheets are, first each alone, then knowing what the others list."""
    said = [_said(each.sheet, part, asked) for each, part in zip(seen, kept, strict=True)]
    alone = [recognise(each, table) for each, table in zip(seen, said, strict=True)]
    others = learn(alone)
    if not (others.agents or others.queues):
        return others, alone
    logs = [each.table == "interactions" for each in alone]
    told = [tell(each, others, is_log) for each, is_log in zip(seen, logs, strict=True)]
    found = [recognise(turned(each, others), table) for each, table in zip(told, said, strict=True)]
    return learn(found), found


def _said(sheet: Sheet, part: Kept | None, asked: Asked) -> str | None:
    if part is not None:
        return part.part.table
    if f"files.{sheet.name}" not in asked.answers:
        return None
    said = asked.ask(f"files.{sheet.name}", "", TABLES)
    return None if said == _LEFT_OUT else said


def _draft(found: Recognised, kept: Kept | None, asked: Asked, others: Others) -> Draft | None:
    """The rows of a sheet as one table; None for what is none, a legend among them."""
    if found.table in {None, "none", "legend"} or asked.answers.get(f"files.{found.seen.sheet.name}") == _LEFT_OUT:
        return None
    draft = Draft(found.seen, str(found.table), found.why, asked)
    if kept is not None and not kept.is_published:
        kept.fill(draft)
    elif found.table == "interactions":
        interactions.build(draft, found)
    else:
        centre.build(draft, found, others)
    if kept is not None and kept.is_published:
        kept.lay_over(draft)
    _leave_rest(draft, found)
    return draft


def _leave_rest(draft: Draft, found: Recognised) -> None:
    """Columns that nothing reads: those of customers are never stored, the others are not needed."""
    for facts in found.seen.columns:
        if facts.name in draft.whys:
            continue
        if facts.name in kinds_of(draft.table) and facts.name not in draft.sources and facts.is_filled:
            draft.take(facts.name, Copied(facts.name), "named as ours")
            continue
        if draft.table == "agents" and found.possible.get(facts.name, {}).keys() & {"skills", "language"}:
            draft.assumptions.append(f"{draft.name}: {facts.name} is not read, as another column has the same")
        guess = found.guesses.get(facts.name)
        roles = [meaning for meaning, names in found.roles.items() if facts.name in names]
        is_personal = bool({"phone", "customer", "notes", "email"} & set(roles)) or facts.kind.name in {
            "phone",
            "email",
        }
        is_personal |= facts.kind.name == "person" and "agents" not in facts.has_others_names
        why = guess.why if guess and roles else "its cells look personal" if is_personal else "not needed"
        draft.leave(facts.name, why, is_personal)


def _settle_dates(drafts: list[Draft], asked: Asked) -> None:
    """The order of day, month and year of each sheet; one that it leaves open is that of the others, or asked."""
    found = {
        draft: order_of(draft, () if draft.seen.is_down else draft.seen.days) for draft in drafts if draft.dates is None
    }
    settled = {order for order, _, _ in found.values() if order} | {draft.dates for draft in drafts if draft.dates}
    for draft, (order, is_open, likely) in found.items():
        if order is not None:
            draft.dates = order if order != "ymd" else None
        elif is_open and asked.dates:
            draft.dates = asked.dates
        elif is_open and len(settled) == 1:
            draft.dates = next(iter(settled))
            draft.assumptions.append(f"{draft.name}: dates are read as {draft.dates}, as in the other files")
        elif is_open:
            draft.dates = asked.ask("dates", _which_order(draft), ("dmy", "mdy"), "--dates", likely) or "dmy"


def _which_order(draft: Draft) -> str:
    names = (
        *(() if draft.seen.is_down else draft.seen.days),
        *(cell for ours in draft.sources for cell in _dated(draft, ours)),
    )
    return f"{draft.name}: are dates such as {', '.join(names[:2])} day first (dmy) or month first (mdy)?"


def _dated(draft: Draft, ours: str) -> tuple[str, ...]:
    columns = [name for name, (of, _) in draft.whys.items() if of == ours]
    facts = [draft.seen[name] for name in columns]
    return tuple(cell for each in facts if each.kind.name in {"time", "date"} for cell in each.kind.samples[:2])


def _is_left_out(found: Recognised, asked: Asked) -> bool:
    """Whether a sheet is known and not read, this month and the next."""
    return found.table == "none" or asked.answers.get(f"files.{found.seen.sheet.name}") == _LEFT_OUT


def _profile(drafts: Sequence[Draft | None], unread: list[Sheet], sheets: Sequence[Sheet], head: Profile) -> Profile:
    """A part for each sheet, and those of the profile so far that no sheet of this month met."""
    parts = _distinct([_part(draft, sheets) for draft in drafts if draft is not None])
    parts += _distinct([Part("none", _files(sheet, sheets)) for sheet in unread])
    unmet = [part for part in head.parts if not taken(part, sheets)]
    return replace(head, parts=(*parts, *unmet))


def _distinct(parts: list[Part]) -> list[Part]:
    found: list[Part] = []
    for part in parts:
        if part not in found:
            found.append(part)
    return found


def _part(draft: Draft, sheets: Sequence[Sheet]) -> Part:
    return Part(
        table=draft.table,
        files=_files(draft.seen.sheet, sheets),
        columns={ours: draft.sources[ours] for ours in kinds_of(draft.table) if ours in draft.sources},
        values=draft.values,
        dates=draft.dates,
        units=draft.units,
        rows=draft.rows,
        only=draft.only,
        unused=tuple(draft.unused),
        personal=tuple(draft.personal),
    )


def _files(sheet: Sheet, sheets: Sequence[Sheet]) -> tuple[str, ...]:
    """Patterns that next month's files fit too, or the name itself where the pattern would take in another sheet."""
    _, mark, title = sheet.name.partition("#")
    names = sorted({path.name for path in sheet.paths}) or [sheet.name.partition("#")[0]]
    exact = tuple(name + mark + title for name in names)
    patterns = tuple(dict.fromkeys(pattern_of(name) for name in exact))
    others = [each for each in sheets if each is not sheet]
    return exact if any(fits(pattern, each) for pattern in patterns for each in others) else patterns


def _shown(found: Recognised, draft: Draft | None, kept: Kept | None) -> SheetFound:
    table = found.table if draft is not None or found.table == "legend" else None
    why = draft.why if draft is not None else kept.why if kept is not None and found.table == "none" else found.why
    if draft is None and found.table not in {None, "none", "legend"}:
        why = "left out"
    return SheetFound(
        found.seen.sheet,
        table,
        why,
        columns_found(found, draft),
        draft.problems if draft is not None else {},
        tuple(draft.assumptions) if draft is not None else (),
    )
