"""Questions that only a person can settle: answered by options, asked on a terminal, else listed."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.printing import prompt, say_json, tell
from api.terminal.shown.inspected import listed, open_text
from engine.errors import InvalidTable, RoutingError
from engine.stopping import LOOK_S, check

if TYPE_CHECKING:
    from api.terminal.files.understanding import Understanding
    from ingest.exports.inspection.found import Found, Question

# Answers that only bring up new questions, so many times, are going in circles.
MOST_ROUNDS = 50


def settled(
    files: Understanding, answers: Mapping[str, str], keep: Path | None, *, as_json: bool
) -> tuple[Found, Path | None]:
    """What files are taken for once nothing is open, and where that is to be kept.

    Parameters
    ----------
    files : Understanding
        What was read.
    answers : mapping
        Given by options, by key.
    keep : Path or None
        Where the profile goes, as an option says.
    as_json : bool
        Whether a machine reads.

    Returns
    -------
    found : Found
        Without questions.
    keep : Path or None
        Also where somebody said so when asked.

    Raises
    ------
    InvalidTable
        With the questions and how each is answered, where nobody can be asked.
    """
    found = files.found(answers)
    for key in found.needless:
        # A script may answer each month what only some months ask.
        tell(f"note: --answer {key}: nothing asks for that")
    if not found.questions:
        return found, keep
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        if as_json:
            from api.output.inspected import questions

            say_json({"questions": questions(found)})
        raise InvalidTable(*listed(found.questions))
    found = _asked(files, found, answers)
    return found, keep or _kept()


def _asked(files: Understanding, found: Found, answers: Mapping[str, str]) -> Found:
    """Ask until nothing is open; what an answer opens is asked next."""
    known = dict(answers)
    for _ in range(MOST_ROUNDS):
        n = len(found.questions)
        tell(f"{open_text(n)}. Enter takes what stands in brackets; Ctrl-C leaves nothing.")
        given = {question.key: _answer(number, n, question) for number, question in enumerate(found.questions, 1)}
        try:
            found = files.found(known | given)
        except RoutingError as error:
            # An answer may be no zone or no time; whoever mistyped it is asked once more.
            tell(f"that does not do: {error}")
            continue
        known |= given
        if not found.questions:
            return found
    raise InvalidTable(*listed(found.questions))


def _answer(number: int, of: int, question: Question) -> str:
    tell("", f"{number} of {of}: {question.text}")
    if question.choices:
        tell(*(f"  {place}  {choice}" for place, choice in enumerate(question.choices, 1)))
    while True:
        typed = _typed(question.likely)
        answer = _chosen(typed, question.choices) if question.choices else typed
        if answer:
            return answer
        tell(f"type a number from 1 to {len(question.choices)}" if question.choices else "type an answer")


def _chosen(typed: str, choices: tuple[str, ...]) -> str | None:
    """A choice by its number or by its words; a number that is a choice itself is that."""
    if typed in choices:
        return typed
    if typed.isdecimal() and 1 <= int(typed) <= len(choices):
        return choices[int(typed) - 1]
    alike = [choice for choice in choices if choice.casefold() == typed.casefold()]
    return alike[0] if len(alike) == 1 else None


def _typed(default: str | None) -> str:
    prompt("answer: " if default is None else f"answer [{default}]: ")
    line = _line()
    if not line:
        # The terminal was closed, or Ctrl-D: as good as Ctrl-C.
        tell("")
        raise click.Abort
    return line.strip() or default or ""


def _line() -> str:
    """The next line that is typed; empty where the terminal is closed."""
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):
        return sys.stdin.readline()
    # Libraries may have Ctrl-C taken over such that a read goes on after it, so nothing is read until a line is there.
    while not select.select([number], [], [], LOOK_S)[0]:
        check()
    return os.read(number, 65_536).decode(sys.stdin.encoding, "replace")


def _kept() -> Path | None:
    """Where the answers are to be kept for next month, if anywhere."""
    from api.terminal.files.profiles import refuse_existing

    tell("", "Keep these answers as a profile for next month? A file such as profile.toml, or Enter for no.")
    while name := _typed(None):
        try:
            refuse_existing(Path(name), is_replaced=False)
        except RoutingError as error:
            tell(str(error))
            continue
        return Path(name)
    return None
