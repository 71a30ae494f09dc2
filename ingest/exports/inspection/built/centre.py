"""How lists of agents, queues and members, surveys, shifts and volumes become tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ingest.exports.inspection.built.draft import Draft
from ingest.exports.inspection.known.vocabulary import fold, meant
from ingest.exports.inspection.seen.facts import Facts
from ingest.exports.inspection.seen.others import Others
from ingest.exports.inspection.seen.recognising import Recognised
from ingest.exports.profile.profile import Between, Copied, From, Joined, Named, Same, Shifted, Spread
from ingest.values.durations import read_durations
from ingest.values.marks import read_marks
from ingest.values.numbers import read_numbers

# Column of ours by meaning, for tables whose columns stand as they are.
_PLAIN: Mapping[str, Mapping[str, str]] = {
    "queues": {
        "queue": "queue_id", "goal": "service_level", "goal_share": "service_level_share", "goal_s": "service_level_s",
        "method": "evaluation_method", "scoring": "scoring_method", "media": "media", "opening_hours": "opening_hours",
        "alerting_timeout": "alerting_timeout_s",
    },
    "members": {"queue": "queue_id", "ring_no": "ring", "joined": "joined"},
    "surveys": {
        "survey_id": "survey_id", "interaction_id": "interaction_id", "conversation_id": "interaction_id",
        "queue": "queue_id", "completed_at": "completed_at", "score": "score", "scale_min": "scale_min",
        "scale_max": "scale_max",
    },
    "volumes": {
        "queue": "queue_id", "media": "media", "offered": "offered", "answered_n": "answered",
        "abandoned_n": "abandoned", "aht": "handle_s", "asa": "wait_s", "wait": "wait_s",
    },
    "agents": {"skills": "skills", "language": "languages", "queues": "queues", "team": "group", "email": "email"},
    "staffing": {"breaks": "breaks", "activity": "activity"},
}  # fmt: skip
_HIGHEST_LEVEL = 5
_WHO = ("agent_id", "agent")
_SOME_MARKS = 2
_LONGEST_GOAL_S = 3600


def build(draft: Draft, found: Recognised, others: Others) -> None:
    """All that a file of another table than interactions says."""
    for meaning, ours in _PLAIN.get(draft.table, {}).items():
        column = found.column(meaning)
        if column and ours not in draft.sources:
            draft.take(ours, Copied(column), found.guesses[column].why)
    _BUILDERS.get(draft.table, _nothing)(draft, found)
    if draft.table == "agents":
        _spread(draft, others)


def person(found: Recognised) -> From | None:
    """Whoever a row is about, in the way other files most likely call them."""
    if name := found.column("agent_name"):
        return Copied(name)
    if {"first_name", "last_name"} <= found.roles.keys():
        return Named((found.roles["first_name"][0], found.roles["last_name"][0]))
    column = found.column("agent", "email", "agent_id", "last_name")
    return None if column is None else Copied(column)


def _agents(draft: Draft, found: Recognised) -> None:
    who = person(found)
    number = found.column("agent_id") or _numbered(found)
    if who == Copied(number or ""):
        who = None
    if number is None and (number := found.column("email")) is None and who is not None:
        draft.take("agent_id", who, "agents are told by their names; no column has a number of their own")
        draft.assumptions.append(f"{draft.name}: no column has an id of the agents; their names are taken as ids")
        return
    if number is not None:
        draft.take("agent_id", Copied(number), found.guesses[number].why)
    if who is not None and who != Copied(number or ""):
        draft.take("agent_name", who, _why(found, who))
    if "email" not in draft.sources and (second := _second_id(draft, found)) is not None:
        draft.take("email", Copied(second), "a second id, to match with other files, never stored")


def _second_id(draft: Draft, found: Recognised) -> str | None:
    """Another column that other files may name agents by: a login beside the number of the staff."""
    able = (name for side in (found.roles, found.others) for meaning in _WHO for name in side.get(meaning, ()))
    return next((name for name in able if name not in draft.whys and found.seen[name].is_unique), None)


def _numbered(found: Recognised) -> str | None:
    """The column that numbers the agents, whatever it is called: each of its cells is another code or number."""
    taken = {name for meaning, names in found.roles.items() if meaning != "agent" for name in names}
    able = (facts for facts in found.seen.columns if facts.name not in taken and facts.is_unique)
    return next((facts.name for facts in able if facts.kind.name in {"code", "whole number"}), None)


def _one_person(draft: Draft, found: Recognised) -> None:
    """The agent of a row: by the column that has the names of the list of agents, or else by name."""
    columns = [
        facts for meaning in ("agent", "agent_id", "agent_name", "email") if (facts := found.facts(meaning)) is not None
    ]
    known = [facts for facts in columns if "agents" in facts.has_others_names]
    who = Copied(known[0].name) if known else person(found)
    if known and (number := found.facts("agent_id")) is not None and number in known:
        who = Copied(number.name)
    if who is not None:
        draft.take("agent_id", who, _why(found, who))
    for facts in columns:
        if facts.name not in draft.whys:
            draft.leave(facts.name, "agents are told by another column")


def _why(found: Recognised, who: From) -> str:
    return found.guesses[who.column].why if isinstance(who, Copied) else "first name and surname"


def _surveys(draft: Draft, found: Recognised) -> None:
    _one_person(draft, found)


def _staffing(draft: Draft, found: Recognised) -> None:
    _one_person(draft, found)
    date = found.column("date")
    start, end = found.facts("start", "clock"), found.facts("end", "end_clock")
    if start is not None and end is not None:
        _side(draft, found, "start_at", start, date)
        _side(draft, found, "end_at", end, date or start.name if start.kind.name == "date" else date)
    elif date and (span := found.column("span")):
        draft.take("date", Copied(date), found.guesses[date].why)
        draft.take("span", Copied(span), found.guesses[span].why)
    elif start is not None and (duration := found.column("duration")):
        _side(draft, found, "start_at", start, date)
        draft.take("end_at", Shifted(start.name, plus=(duration,)), "the start and the duration")
    if {"break_start", "break_end"} <= found.roles.keys():
        sides = found.roles["break_start"][0], found.roles["break_end"][0]
        draft.take("breaks", Between(*sides), "from start to end of the break")
    if (
        "activity" not in draft.sources
        and (reason := found.facts("reason")) is not None
        and reason.share_meant("activity") >= 0.5
    ):
        draft.take("activity", Copied(reason.name), found.guesses[reason.name].why)


def _side(draft: Draft, found: Recognised, ours: str, facts: Facts, date: str | None) -> None:
    if facts.kind.name in {"clock", "duration"} and date and date != facts.name:
        draft.take(ours, Joined(date, facts.name), "a date, with the clock time of another column")
    else:
        draft.take(ours, Copied(facts.name), found.guesses[facts.name].why)


def _busy(draft: Draft, found: Recognised) -> None:
    _staffing(draft, found)
    draft.sources.pop("activity", None)
    if reason := found.column("activity", "reason"):
        draft.sources["why"] = Copied(reason)
        draft.whys[reason] = ("why", found.guesses[reason].why)


def _shifts(draft: Draft, found: Recognised) -> None:
    if draft.seen.is_down and (date := found.column("date")):
        draft.take("date", Copied(date), found.guesses[date].why)
    else:
        _one_person(draft, found)


def _volumes(draft: Draft, found: Recognised) -> None:
    interval, date, clock = found.facts("interval"), found.facts("date"), found.column("clock")
    if interval is not None and interval.kind.name == "time":
        draft.take("start_at", Copied(interval.name), found.guesses[interval.name].why)
        return
    day = date.name if date is not None else None
    hour = clock or (interval.name if interval is not None and interval.name != day else None)
    if day and hour:
        draft.take("start_at", Joined(day, hour), "a date, with the interval of another column")
    elif column := found.column("interval", "date"):
        draft.take("start_at", Copied(column), found.guesses[column].why)


def _queues(draft: Draft, found: Recognised) -> None:
    name = draft.sources.get("queue_id")
    number = found.column("interaction_id")
    if number and isinstance(name, Copied):
        # The name is what other files call it.
        draft.leave(number, f"queues are told by {name.column}")
    _seconds_of_goals(draft)


def _seconds_of_goals(draft: Draft) -> None:
    """The seconds of a goal beside its share, whatever their column is called, if only one can be meant."""
    if "service_level_share" not in draft.sources or {"service_level", "service_level_s"} & draft.sources.keys():
        return
    taken = {source.column for source in draft.sources.values() if isinstance(source, Copied)}
    likely = []
    for facts in draft.seen.columns:
        seconds = read_durations(facts.cells)
        if (
            facts.name not in taken
            and not seconds.refused.any()
            and seconds.values.is_between(1, _LONGEST_GOAL_S).all()
        ):
            likely.append(facts.name)
    if len(likely) == 1 and draft.seen[likely[0]].is_filled:
        draft.take("service_level_s", Copied(likely[0]), "seconds beside the share of a goal")


def _nothing(draft: Draft, found: Recognised) -> None:
    """Nothing more than the columns that stand as they are."""


_BUILDERS: Mapping[str, Callable[[Draft, Recognised], None]] = {
    "agents": _agents, "members": _one_person, "surveys": _surveys, "staffing": _staffing, "busy": _busy,
    "shifts": _shifts, "volumes": _volumes, "queues": _queues,
}  # fmt: skip


def _spread(draft: Draft, others: Others) -> None:
    """Columns of a list of agents that are skills, languages or queues, with a mark or a level in the cell."""
    marked = [facts for facts in draft.seen.columns if facts.name not in draft.whys and _is_mark_or_level(facts)]
    named = [facts for facts in marked if fold(facts.name) in others.queues | others.skills]
    if len(marked) < _SOME_MARKS and not named:
        return
    languages = [facts.name for facts in marked if meant("spoken", facts.name)]
    rest = [facts for facts in marked if facts.name not in languages]
    # A mark under the name of a queue is a membership, unless calls need a skill of that name.
    of_queues = [
        facts.name
        for facts in rest
        if fold(facts.name) in others.queues - others.skills and facts.kind.name in {"yes or no", "blank"}
    ]
    skills = [facts.name for facts in rest if facts.name not in of_queues]
    for ours, names in {"languages": languages, "queues": of_queues, "skills": skills}.items():
        if names and ours not in draft.sources:
            draft.take(ours, Spread(tuple(names)), "a column each, with a mark or a level in the cell")


def _is_mark_or_level(facts: Facts) -> bool:
    if not facts.counts:
        return not facts.is_filled
    if not read_marks(facts.cells).refused.any():
        return True
    found = read_numbers(facts.cells)
    marks = [cell for cell in facts.counts if meant("flag", cell) or cell in {"-", "–"}]
    numbers = found.values.drop_nulls()
    is_read = not found.refused.any() or bool(marks)
    return is_read and numbers.len() > 0 and bool(numbers.is_between(0, _HIGHEST_LEVEL).all())


def same_in_all_rows(draft: Draft, ours: str, value: str, why: str) -> None:
    """A column of ours that the file does not have, and that is the same in all rows."""
    draft.sources[ours] = Same(value)
    draft.assumptions.append(f"{draft.name}: {why}")
