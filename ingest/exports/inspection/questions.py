"""What only a person can settle across all files: the time zone, scales, who is meant by a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import polars as pl

from engine.texts import short
from ingest.exports.inspection.built.centre import same_in_all_rows
from ingest.exports.inspection.built.draft import Asked, Draft
from ingest.exports.inspection.seen.facts import as_text
from ingest.exports.profile.columns import TIME, columns_of, kinds_of
from ingest.exports.profile.profile import Copied, Named, Profile, Same
from ingest.exports.shaping.people import match
from ingest.values.numbers import read_numbers
from ingest.values.rated import read_names
from ingest.values.times import read_times

_SCALES = ("1-5", "0-10", "1-10", "0-100", "0-5", "1-6", "1-4", "1-3", "0-1", "1-7")
_LEVELS = ("0-5", "0-10", "0-100", "A-E")
TABLES = ("none", "interactions", "agents", "queues", "members", "staffing", "shifts", "surveys", "busy", "volumes")
_NOBODY = "nobody of them"
_MOST_PEOPLE = 12
_COPIES = 0.5
_A_DAY = timedelta(days=1)


def ask_all(
    drafts: list[Draft], base: Profile, time_zone: str | None, asked: Asked
) -> tuple[Mapping[str, str], str | None]:
    """Ask what is open; gives who is meant by a name, and the zone."""
    _which_interactions(drafts, asked)
    _queue(drafts, asked)
    _other_days(drafts, asked)
    for draft in drafts:
        _scale(draft, asked)
        _levels(draft, asked)
    return _people(drafts, base, asked), _zone(drafts, time_zone or base.time_zone, asked)


def ask_what_it_is(name: str, columns: list[str], asked: Asked) -> None:
    """A file that is nothing we know."""
    listed = ", ".join(short(column, 30) for column in columns[:6])
    text = f"{name}: what is it? No table of ours has columns such as {listed}"
    asked.ask(f"files.{name}", text, TABLES, "leave the file out, or --profile", "none")


def _zone(drafts: list[Draft], known: str | None, asked: Asked) -> str | None:
    if known is not None:
        return known
    for draft in drafts:
        if draft.table == "shifts" or any(True for _ in _wall_times(draft)):
            text = f"{draft.name}: in which time zone are its times? An IANA name, such as Europe/Berlin"
            return asked.ask("time_zone", text, option="--time-zone")
    return None


def _wall_times(draft: Draft) -> Iterator[str]:
    """Columns of times that name no zone."""
    for ours, source in draft.sources.items():
        if kinds_of(draft.table).get(ours) == TIME and (columns := columns_of(source)):
            some = draft.seen[columns[0]].cells.drop_nulls().head(1000)
            values = read_times(some, draft.dates).values
            if not isinstance(values.dtype, pl.Datetime) or values.dtype.time_zone is None:
                yield columns[0]


def _which_interactions(drafts: list[Draft], asked: Asked) -> None:
    """Two sheets that hold the same conversations are two views of them: which one counts?"""
    found = [draft for draft in drafts if draft.table == "interactions"]
    for n, one in enumerate(found):
        for other in found[n + 1 :]:
            ids = [_ids(each) for each in (one, other)]
            if ids[0] and ids[1] and len(ids[0] & ids[1]) >= _COPIES * min(map(len, ids)):
                text = f"{one.name} and {other.name} hold the same interactions; is {other.name} to be read as well?"
                key = f"files.{other.name}"
                asked.ask(key, text, ("none", "interactions"), likely="none")


def without_copies(drafts: list[Draft | None]) -> list[Draft | None]:
    """Drafts without those that hold the very interactions of one before: the same export saved twice."""
    n_logs = sum(draft is not None and draft.table == "interactions" for draft in drafts)
    kept: list[Draft | None] = []
    seen: list[tuple[Draft, set[str]]] = []
    for draft in drafts:
        ids = _ids(draft) if n_logs > 1 and draft is not None and draft.table == "interactions" else set()
        first = next((other for other, others in seen if ids and ids == others), None)
        if draft is not None and first is not None:
            first.assumptions.append(f"{draft.name} holds the same interactions and is left out")
            kept.append(None)
            continue
        if draft is not None and ids:
            seen.append((draft, ids))
        kept.append(draft)
    return kept


def _other_days(drafts: list[Draft], asked: Asked) -> None:
    """A plan of other weeks than those of the interactions."""
    logs = [days for draft in drafts if draft.table == "interactions" and (days := _days(draft)) is not None]
    if not logs:
        return
    first, last = min(days[0] for days in logs), max(days[1] for days in logs)
    for draft in drafts:
        days = _days(draft) if draft.table in {"shifts", "staffing", "busy"} else None
        if days is not None and (days[1] < first - _A_DAY or days[0] > last + _A_DAY):
            text = (
                f"{draft.name}: its days, {days[0]} to {days[1]}, are none of the interactions' ({first} to {last}); "
                "is it to be read all the same?"
            )
            asked.ask(f"files.{draft.name}", text, ("none", draft.table), "leave the file out", "none")


def _days(draft: Draft) -> tuple[date, date] | None:
    """The first and the last day of a sheet; None where they have no year, or cannot be read."""
    if draft.seen.days and not draft.seen.is_down:
        times = read_times(pl.Series(draft.seen.days), draft.dates).values
    else:
        source = draft.sources.get("arrived_at") or draft.sources.get("start_at") or draft.sources.get("date")
        columns = columns_of(source) if source is not None else ()
        if not columns or draft.seen[columns[0]].kind.name not in {"time", "date"}:
            return None
        times = draft.times(columns[0])
    given = times.drop_nulls().dt.date()
    first, last = given.min(), given.max()
    return (first, last) if isinstance(first, date) and isinstance(last, date) and first.year > 1970 else None


def _ids(draft: Draft) -> set[str]:
    source = draft.sources.get("interaction_id") or draft.sources.get("conversation_id")
    if not isinstance(source, Copied):
        return set()
    return set(as_text(draft.seen[source.column].cells).drop_nulls().to_list())


def _queue(drafts: list[Draft], asked: Asked) -> None:
    """Files of one queue do not name it."""
    listed = [name for draft in drafts if draft.table == "queues" for name in _names(draft, "queue_id")]
    for draft in drafts:
        if draft.table == "interactions" and "queue_id" not in draft.sources:
            if len(listed) == 1:
                same_in_all_rows(draft, "queue_id", listed[0], f"no column tells the queue; all rows are {listed[0]}")
                continue
            text = f"{draft.name}: no column tells the queue; of which queue are its rows?"
            answer = asked.ask(f"{draft.table}.columns.queue_id", text, tuple(listed))
            draft.sources["queue_id"] = Same(answer or "all")


def _names(draft: Draft, ours: str) -> list[str]:
    source = draft.sources.get(ours)
    if not isinstance(source, Copied):
        return []
    return as_text(draft.seen[source.column].cells).drop_nulls().unique(maintain_order=True).to_list()


def _scale(draft: Draft, asked: Asked) -> None:
    """Scores say nothing without their scale."""
    ours, low, high = (
        ("score", "scale_min", "scale_max") if draft.table == "surveys" else ("csat", "csat_min", "csat_max")
    )
    source = draft.sources.get(ours)
    if not isinstance(source, Copied) or {low, high} <= draft.sources.keys():
        return
    numbers = read_numbers(draft.seen[source.column].cells).values.drop_nulls()
    if not numbers.len():
        del draft.sources[ours]
        return
    least, most = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    text = f"{draft.name}: on which scale are the scores of {source.column}, which run from {least:g} to {most:g}?"
    able = tuple(each for each in _SCALES if float(each.split("-")[0]) <= least and most <= float(each.split("-")[1]))
    likely = next((each for each in able if float(each.split("-")[1]) == most), able[0] if able else None)
    answer = asked.ask(f"{draft.table}.csat_scale", text, (), "--csat-scale", likely)
    ends = (answer or "").replace("–", "-").split("-")
    if len(ends) == 2:
        draft.sources |= {low: Same(ends[0].strip()), high: Same(ends[1].strip())}


def _levels(draft: Draft, asked: Asked) -> None:
    """Levels of another scale than 0 to 5."""
    for ours in ("skills", "languages"):
        source = draft.sources.get(ours)
        if draft.table != "agents" or not isinstance(source, Copied):
            continue
        scale = read_names(draft.seen[source.column].cells).scale
        if scale:
            sample = short(draft.seen[source.column].kind.samples[0])
            text = f"{draft.name}: on which scale are the levels in {source.column}, such as {sample!r}?"
            answer = asked.ask(f"agents.units.{ours}", text, _LEVELS, likely=scale)
            draft.units[ours] = answer or scale


def _people(drafts: list[Draft], base: Profile, asked: Asked) -> Mapping[str, str]:
    """Names that are much like an agent's: whether he is meant."""
    lists = [draft for draft in drafts if draft.table == "agents"]
    people = dict(base.people)
    if not lists:
        return people
    agents = _agents(lists)
    names = dict(zip(agents["agent_id"], agents["agent_name"], strict=True))
    for draft in drafts:
        source = draft.sources.get("agent_id")
        if draft.table == "agents" or not isinstance(source, Copied):
            continue
        given = [name for name in _names(draft, "agent_id") if f"people.{name}" not in people]
        found = match(given, agents, people)
        for name, near in [*found.near.items(), *found.several.items()][:_MOST_PEOPLE]:
            people |= _meant(draft, name, near, names, asked)
        _strangers(draft, source.column, found.unknown)
    return people


def _meant(
    draft: Draft, name: str, ids: tuple[str, ...], names: Mapping[str, str | None], asked: Asked
) -> dict[str, str]:
    shown = {names.get(each) or each: each for each in ids}
    # Two agents of one name are told apart by their ids.
    shown = shown if len(shown) == len(ids) else {f"{names.get(each)} ({each})": each for each in ids}
    comes = "comes" if len(shown) == 1 else "come"
    text = f"{draft.name}: who is {short(name)!r}? Of the agents, {' and '.join(map(short, shown))} {comes} near"
    answer = asked.ask(
        f"people.{name}",
        text,
        (*shown, _NOBODY),
        "[people] of the profile",
        next(iter(shown)) if len(shown) == 1 else None,
    )
    return {name: shown[answer]} if answer in shown else {}


def _strangers(draft: Draft, column: str, unknown: tuple[str, ...]) -> None:
    if unknown:
        cells = as_text(draft.seen[column].cells)
        n = int(cells.is_in(pl.Series(list(unknown), dtype=pl.String).implode()).sum())
        draft.tell("rows that name an agent whom no list has", n)


def _agents(lists: list[Draft]) -> pl.DataFrame:
    frames = []
    for draft in lists:
        columns = {ours: _texts(draft, ours) for ours in ("agent_id", "agent_name", "email")}
        frame = pl.DataFrame({name: cells for name, cells in columns.items() if cells is not None})
        missing = [pl.lit(None, pl.String).alias(name) for name in columns if name not in frame.columns]
        frames.append(frame.with_columns(missing).select(list(columns)))
    return pl.concat(frames).filter(pl.col("agent_id").is_not_null()).unique("agent_id", maintain_order=True)


def _texts(draft: Draft, ours: str) -> pl.Series | None:
    source = draft.sources.get(ours)
    if isinstance(source, Copied):
        return as_text(draft.seen[source.column].cells)
    if isinstance(source, Named):
        frame = draft.seen.sheet.frame.select(pl.col(source.columns).cast(pl.String))
        return frame.select(pl.concat_str(pl.all(), separator=" ", ignore_nulls=True)).to_series()
    return None
