"""What is being found out of a sheet, and the questions that come up meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from engine.errors import InvalidScenario
from engine.near import nearest
from ingest.exports.inspection.found import Question
from ingest.exports.inspection.seen.facts import Facts, Seen
from ingest.exports.profile.columns import columns_of
from ingest.exports.profile.profile import From
from ingest.values.durations import read_durations
from ingest.values.times import read_times


@dataclass
class Asked:
    """Questions so far, and the answers that were given to those of before."""

    answers: Mapping[str, str] = field(default_factory=dict)
    dates: str | None = None
    questions: dict[str, Question] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)  # Orders of dates that some column settles
    taken: set[str] = field(default_factory=set)  # Keys of answers that something asked for

    def ask(
        self, key: str, text: str, choices: tuple[str, ...] = (), option: str = "", likely: str | None = None
    ) -> str | None:
        """The answer that was given, or else the likely one for now; it is then a question."""
        if key not in self.answers:
            self.questions.setdefault(key, Question(key, text, choices, option or _in_profile(key), likely))
            return likely
        answer = self.answers[key]
        self.taken.add(key)
        if choices and answer not in choices:
            folded = {each.casefold(): each for each in choices}
            if answer.casefold() in folded:
                return folded[answer.casefold()]
            near = nearest(answer, choices)
            way = f"did you mean {near!r}?" if near else f"use one of {', '.join(choices)}"
            raise InvalidScenario(f"{key}: is {answer!r}; {way}")
        return answer


def _in_profile(key: str) -> str:
    table, _, rest = key.partition(".")
    return f"[file.{rest.rpartition('.')[0] or rest}] of the {table} part" if rest else key


@dataclass(eq=False)
class Draft:
    """What one sheet is going to be."""

    seen: Seen
    table: str
    why: str
    asked: Asked
    sources: dict[str, From] = field(default_factory=dict)
    whys: dict[str, tuple[str | None, str]] = field(default_factory=dict)  # By column of the file: ours, why
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rows: str = "visit"
    dates: str | None = None
    unused: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    problems: dict[str, int] = field(default_factory=dict)
    _seconds: dict[str, pl.Series] = field(default_factory=dict)
    _times: dict[str, pl.Series] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What its reader calls the sheet."""
        return self.seen.sheet.name

    def take(self, ours: str, source: From, why: str) -> None:
        """A column of ours comes from there."""
        self.sources[ours] = source
        for column in columns_of(source):
            self.whys.setdefault(column, (ours, why))

    def leave(self, column: str, why: str, is_personal: bool = False) -> None:
        """A column of the file that is not read."""
        if column in self.whys:
            return
        self.whys[column] = (None, why)
        (self.personal if is_personal else self.unused).append(column)

    def tell(self, problem: str, n: int) -> None:
        """Something that looks wrong in some rows."""
        if n:
            self.problems[problem] = self.problems.get(problem, 0) + int(n)

    def seconds(self, column: str) -> pl.Series:
        """A column as seconds, as far as it is known in what."""
        if column not in self._seconds:
            facts = self.seen[column]
            self._seconds[column] = read_durations(facts.cells, unit_of(facts)).values
        return self._seconds[column]

    def times(self, column: str) -> pl.Series:
        """A column as times, in the order of its dates that is known so far."""
        if column not in self._times:
            facts = self.seen[column]
            values = read_times(facts.cells, self.dates).values
            self._times[column] = values.dt.replace_time_zone(None)
        return self._times[column]


def unit_of(facts: Facts) -> str | None:
    """Unit of plain numbers that a header names; cells that say it themselves need none."""
    return facts.unit if facts.kind.name in {"number", "whole number", "yes or no"} else None


def share(mask: pl.Series) -> float:
    """Share of the rows that are true, null ones aside; 0 for no row."""
    found = mask.mean()
    return float(found) if isinstance(found, int | float) else 0.0
