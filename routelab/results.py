"""What runs give: the engine's results, to be looked at in a notebook or taken on as frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.data.arrays import Arrays
from engine.errors import UnknownName
from engine.measures.light import Light
from engine.memory import of_explanation, of_run
from engine.replay.explain import explain_replay
from engine.reports.compare import Comparison
from engine.reports.outcomes import Outcomes
from engine.reports.replay import MEASURES, WORDS, ReplayColumn
from engine.reports.report import Report
from engine.results import plain
from engine.run import choose
from engine.selection.explain import explain
from engine.setting import shown
from engine.spec import Scenario
from engine.texts import short, visible
from ingest.workers import MEMORY
from routelab.showing import formatted, html_table, notes

if TYPE_CHECKING:
    import polars as pl

# An outcome of score mode in memory.
OUTCOME_BYTES = 40


@dataclass(frozen=True, repr=False)
class Run:
    """One scenario over a contact centre.

    Parameters
    ----------
    report : Report
        What it says, in the shape of `report.json`.
    scenario : Scenario
        What was asked.
    arrays : Arrays
        The data set, or the days of it.
    kept : Outcomes, optional
        Outcome of each interaction; found when asked for where it was not kept.
    """

    report: Report
    scenario: Scenario
    arrays: Arrays
    kept: Outcomes | None = None

    @cached_property
    def outcomes(self) -> Outcomes:
        """Outcomes of all interactions, as arrays; of the first replication."""
        if self.kept is not None:
            return self.kept
        with MEMORY.held(of_run(self.scenario, self.arrays, kept=OUTCOME_BYTES)):
            return choose(self.scenario, self.arrays)

    def to_frame(self) -> pl.DataFrame:
        """One row per interaction in order of arrival, as in `outcomes.arrow`."""
        return self.outcomes.to_frame()

    def explain(self, interaction_id: str) -> pl.DataFrame:
        """Why an agent was chosen for an interaction: one row per agent, best first.

        Parameters
        ----------
        interaction_id : str
            One of those in `to_frame`.

        Returns
        -------
        polars.DataFrame
            Terms, score, and the reason each agent was chosen or lost; of a replay also who was free, and since when.

        Raises
        ------
        UnknownName
            If there is no such interaction.
        """
        import polars as pl

        if not isinstance(interaction_id, str):
            raise UnknownName(f"interaction {shown(interaction_id)} is no text; give one of the ids in to_frame()")
        why = explain_replay if self.scenario.mode == "replay" else explain
        with MEMORY.held(of_explanation(self.scenario, self.arrays)):
            found = why(self.scenario, self.arrays, interaction_id)
        # Null in the first rows says nothing of the type, so all rows are looked at.
        return pl.DataFrame(plain(found.agents), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """The content of `report.json`."""
        return self.report.to_dict()

    def __repr__(self) -> str:
        return "\n  ".join(map(visible, self._lines()))

    def _repr_html_(self) -> str:
        title, *lines = self._lines()
        replay = self.report.replay
        if replay is None:
            return notes([title, *lines])
        rows = [[column.name, f"{column.offered:,.0f}", *_measures(column)] for column in replay.columns]
        return html_table(["", "offered", *map(WORDS.__getitem__, MEASURES)], rows, title) + notes(lines[-1:])

    def _lines(self) -> list[str]:
        report, method = self.report, self.report.scenario.method
        lines = []
        if report.preference is not None:
            first = report.preference
            lines += [
                f"Score of {method!r}: {report.routed:,} routed, {report.unrouted.total:,} unrouted",
                f"preferred most often: {first.busiest_agent_id or 'nobody'}, {first.busiest_handled:,} times",
                f"{len(report.warnings)} warnings; see report.warnings",
            ]
        if report.replay is not None:
            column, lit = report.replay.columns[-1], report.replay.light
            lines += [f"Replay of {method!r}: {column.offered:,.0f} offered", _told(column), _light(lit)]
        return lines


@dataclass(frozen=True, repr=False)
class Compared:
    """Scenarios on the same customers.

    Parameters
    ----------
    comparison : Comparison
        What it says, in the shape of the file that `routelab compare` writes.
    """

    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """The content of the file that `routelab compare` writes."""
        return self.comparison.to_dict()

    def to_frame(self) -> pl.DataFrame:
        """One row per way of handling, column and measure: value with its interval, difference to the first scenario.

        Returns
        -------
        polars.DataFrame
            handling, scenario, measure, value, low, high, difference, difference_low, difference_high, says; the
            recorded past and today's rule are columns too. Differences are null where there are none.
        """
        import polars as pl

        texts, numbers = ("handling", "scenario", "measure"), ("value", "low", "high")
        differences = ("difference", "difference_low", "difference_high")
        schema: dict[str, Any] = dict.fromkeys(texts, pl.String) | dict.fromkeys(numbers + differences, pl.Float64)
        return pl.DataFrame(list(self._rows()), schema=schema | {"says": pl.String}, orient="row")

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for side in self.comparison.sides:
            differences = {row.rule: row for row in side.differences}
            for column in side.columns:
                for name in MEASURES:
                    bounds, other = getattr(column.intervals, name), getattr(differences.get(column.name), name, None)
                    value = (getattr(column, name), *_fields(bounds, "low", "high"))
                    yield side.handling, column.name, name, *value, *_fields(other, "value", "low", "high", "says")

    def __repr__(self) -> str:
        columns = self.comparison.sides[0].columns
        names = [short(column.name) for column in columns]
        width = max(map(len, names))
        lines = [f"{name:<{width}}  {_told(column)}" for name, column in zip(names, columns, strict=True)]
        judged = map(visible, self._judged())
        return "\n  ".join([f"Comparison of {len(self.comparison.scenarios)} scenarios", *lines, *judged])

    def _repr_html_(self) -> str:
        rows = [[column.name, *_measures(column)] for column in self.comparison.sides[0].columns]
        table = html_table(["", *map(WORDS.__getitem__, MEASURES)], rows, "Scenarios on the same customers")
        return table + notes(self._judged())

    def _judged(self) -> Iterator[str]:
        """Verdicts, and the light that they stand under."""
        for verdict in self.comparison.verdicts:
            said = (
                verdict.nothing
                or verdict.withheld
                or ", ".join(f"{WORDS[name]} {getattr(verdict, name)}" for name in MEASURES)
            )
            yield f"{verdict.rule}: {said}"
        yield _light(self.comparison.light)


def _measures(column: ReplayColumn) -> list[str]:
    return [formatted(name, getattr(column, name)) for name in MEASURES]


def _told(column: ReplayColumn) -> str:
    return ", ".join(f"{WORDS[name]} {formatted(name, getattr(column, name))}" for name in MEASURES[:5])


def _light(found: Light) -> str:
    remedy = "" if found.remedy is None else f"; {found.remedy}"
    return f"light: {found.color} ({found.why}{remedy})"


def _fields(value: object, *names: str) -> list[object]:
    """Some fields of a result, null of one that is not there."""
    return [getattr(value, name, None) for name in names]
