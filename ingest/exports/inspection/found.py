"""What inspecting files gives: guesses with reasons, problems, questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.exports.profile.profile import Profile
from ingest.sheets.sheet import Sheet


@dataclass(frozen=True)
class ColumnFound:
    """What one column of a file is taken for."""

    name: str  # In the file
    ours: str | None  # Column of the table that it fills; None for unused
    why: str  # `by name`, `times like 02.03.2026 08:00:26`, `8 names that agents.xlsx has too`
    samples: tuple[str, ...]
    is_personal: bool = False
    values: Mapping[str, str] | None = None  # What its cells mean


@dataclass(frozen=True)
class Question:
    """Something that only a person can settle."""

    key: str  # Where its answer goes in the profile: `time_zone`, `interactions.values.outcome.umgeleitet`
    text: str  # With what was found: "export.csv: is 03/04/2026 the 3rd of April or the 4th of March?"
    choices: tuple[str, ...] = ()  # Possible answers; empty for any text
    option: str = ""  # How it is answered on the command line, or else in the profile
    likely: str | None = None  # The answer that the rest of the data speaks for; a person confirms it


@dataclass(frozen=True)
class SheetFound:
    """What one sheet is taken for."""

    sheet: Sheet
    table: str | None  # As `Part.table`, or `legend` of a plan's codes; None where nothing is recognised
    why: str
    columns: tuple[ColumnFound, ...]
    problems: Mapping[str, int]  # In words, with how many rows
    assumptions: tuple[str, ...] = ()  # In sentences


@dataclass(frozen=True)
class Found:
    """What all files together are taken for."""

    sheets: tuple[SheetFound, ...]
    profile: Profile
    questions: tuple[Question, ...]
    needless: tuple[str, ...] = ()  # Keys of answers that nothing asked for
