"""What files are taken for, for a planner: file by file, column by column, and what is open."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from api.terminal.shown.page import Grid, Line, Page, facts, grid, styled
from api.terminal.shown.pieces import number
from engine.texts import short
from ingest.exports.inspection.found import ColumnFound, Found, Question, SheetFound

# What a planner calls the tables.
TABLES = {
    "interactions": "interactions", "agents": "agents", "members": "members of queues", "queues": "queues",
    "surveys": "survey scores", "staffing": "staffing: when agents were on queue", "busy": "work elsewhere",
    "handle_factors": "handling times of agents", "shifts": "a shift plan with days across",
    "legend": "what the codes of a plan mean", "volumes": "contacts by interval",
    "aggregates": "the platform's own counts",
}  # fmt: skip
NAME_CHARS, SAMPLE_CHARS, MOST_SAMPLES, MOST_VALUES, MOST_CHOICES = 32, 40, 3, 24, 12


def show_found(found: Found) -> None:
    """What a planner looks over after an inspection."""
    out = Page()
    for sheet in found.sheets:
        out.print()
        _show_sheet(out, sheet)
    out.print()
    if zone := found.profile.time_zone:
        out.print(f"Times are those of {zone}, unless they say otherwise.")
    if not found.questions:
        out.print(styled("bold green", "Nothing is open", ": these files can be imported as they are."))
        return
    out.print(styled("bold yellow", open_text(len(found.questions)), ":"))
    for place, question in enumerate(found.questions, 1):
        out.print(facts("", [*_question(place, question)]))


def _show_sheet(out: Page, found: SheetFound) -> None:
    out.print(styled("bold", found.sheet.name, f"  {found.sheet.format}, {number(found.sheet.frame.height)} rows"))
    if found.table is None:
        out.print(styled("yellow", "not used", f": {found.why}"))
    else:
        out.print(styled("green", TABLES.get(found.table, found.table), f": {found.why}"))
    if found.columns:
        out.print(_columns(found.columns))
    # Their own line each: a value may be a sentence.
    if meanings := [*_meanings(found.columns)]:
        out.print(facts("", meanings))
    if found.assumptions:
        out.print(facts("", [("assumed", said) for said in found.assumptions]))
    for problem, n in found.problems.items():
        out.print(styled("yellow", "note", f" {problem}: {number(n)} row{'' if n == 1 else 's'}"))


def _columns(columns: tuple[ColumnFound, ...]) -> Grid:
    rows: list[list[str | Line]] = [
        [short(column.name, NAME_CHARS), _ours(column), column.why, _samples(column)] for column in columns
    ]
    heads = ("column", "taken for", "why", "for example")
    return grid("", [(head, "left") for head in heads], rows, framed=False)


def _ours(column: ColumnFound) -> str | Line:
    if column.is_personal:
        return styled("yellow", "personal", ", never stored")
    return column.ours if column.ours is not None else styled("dim", "not used")


def _samples(column: ColumnFound) -> str:
    # What belongs to customers is not shown either.
    some = () if column.is_personal else dict.fromkeys(column.samples[:MOST_SAMPLES])
    return " | ".join(short(sample, SAMPLE_CHARS) for sample in some)


def _meanings(columns: tuple[ColumnFound, ...]) -> Iterator[tuple[str, str]]:
    """What the cells of a column mean."""
    for column in columns:
        if not column.values:
            continue
        said = [
            f"{short(theirs, NAME_CHARS)} = {ours or 'nothing'}"
            for theirs, ours in list(column.values.items())[:MOST_VALUES]
        ]
        more = f", and {number(len(column.values) - MOST_VALUES)} more" if len(column.values) > MOST_VALUES else ""
        yield short(column.name, NAME_CHARS), ", ".join(said) + more


def _question(place: int, question: Question) -> Iterator[tuple[str, str]]:
    yield f"{place}.", question.text
    yield "", f"answer: {answer_text(question)}"


def listed(questions: tuple[Question, ...]) -> Iterator[str]:
    """A line that says how many questions are open, then each with its answers."""
    them = "it" if len(questions) == 1 else "them"
    yield (
        f"{open_text(len(questions))}, so nothing was imported; answer {them} by options, or in a profile ('routelab "
        "snapshot inspect' writes one)"
    )
    for place, question in enumerate(questions, 1):
        yield f"{place}. {question.text}"
        yield f"   answer: {answer_text(question)}"


def open_text(n: int) -> str:
    """How many questions are open."""
    return f"{n} question{' is' if n == 1 else 's are'} open"


def answer_text(question: Question) -> str:
    """How a question is answered, the likely answer first.

    Examples
    --------
    >>> from ingest.exports.inspection.found import Question
    >>> answer_text(Question("dates", "Which?", ("mdy", "dmy"), "--dates", likely="dmy"))
    '--dates dmy (likely), or mdy'
    >>> answer_text(Question("queues.media", "What?", ("voice", "chat")))
    '--answer queues.media=voice, or chat'
    """
    # Some are known better by an option of their own.
    has_option = question.option.startswith("--")
    first = question.likely if question.likely is not None else (*question.choices, "...")[0]
    others = [choice for choice in question.choices if choice != first]
    typed = (
        f"{question.option.split()[0]} {first}" if has_option else f"--answer {shlex.quote(f'{question.key}={first}')}"
    )
    shown = ", ".join(others[:MOST_CHOICES]) + (
        f" and {len(others) - MOST_CHOICES} more" if others[MOST_CHOICES:] else ""
    )
    return typed + (" (likely)" if question.likely is not None else "") + (f", or {shown}" if shown else "")
