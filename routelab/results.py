"""What runs give: the engine's results, to be looked at in a notebook or taken on as frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.data.arrays import Arrays
from engine.errors import UnknownName
from engine.replay.explain import explain_replay
from engine.reports.compare import Comparison
from engine.reports.outcomes import Outcomes
from engine.reports.replay import MEASURES, WORDS
from engine.reports.report import Report
from engine.results import plain
from engine.run import choose
from engine.selection.explain import explain
from engine.setting import shown
from engine.spec import Scenario
from routelab.showing import formatted, html_table, notes

if TYPE_CHECKING:
    import polars as pl


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
        return choose(self.scenario, self.arrays) if self.kept is None else self.kept

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
        found = why(self.scenario, self.arrays, interaction_id)
        return pl.DataFrame(plain(found.agents), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """The content of `report.json`."""
        return self.report.to_dict()

    def __repr__(self) -> str:
        return "\n  ".join(self._lines())

    def _repr_html_(self) -> str:
        title, *lines = self._lines()
        columns = (self.to_dict()["replay"] or {}).get("columns")
        if columns is None:
            return notes([title, *lines])
        rows = [[column["name"], f"{column['offered']:,.0f}", *_measures(column)] for column in columns]
        return html_table(["", "offered", *map(WORDS.__getitem__, MEASURES)], rows, title) + notes(lines[-1:])

    def _lines(self) -> list[str]:
        content = self.to_dict()
        scenario, replay = content["scenario"], content["replay"]
        if replay is None:
            busiest = content["preference"]["busiest_agent_id"]
            return [
                f"Score of {scenario['method']!r}: {content['routed']:,} routed, "
                f"{content['unrouted']['total']:,} unrouted",
                f"preferred most often: {busiest or 'nobody'}, {content['preference']['busiest_handled']:,} times",
                f"{len(content['warnings'])} warnings; see report.warnings",
            ]
        column, light = replay["columns"][-1], replay["light"]
        told = ", ".join(f"{WORDS[name]} {formatted(name, column[name])}" for name in MEASURES[:5])
        return [
            f"Replay of {scenario['method']!r}: {column['offered']:,.0f} offered",
            told,
            f"light: {light['color']} ({light['why']})",
        ]


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
        content: dict[str, Any] = plain(self.comparison.to_dict())
        return content

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
        for side in self.to_dict()["sides"]:
            differences = {row["rule"]: row for row in side["differences"]}
            for column in side["columns"]:
                for name in MEASURES:
                    bounds, other = column["intervals"][name] or {}, differences.get(column["name"], {}).get(name, {})
                    difference = [other.get(key) for key in ("value", "low", "high", "says")]
                    value = (column[name], bounds.get("low"), bounds.get("high"))
                    yield side["handling"], column["name"], name, *value, *difference

    def __repr__(self) -> str:
        content = self.to_dict()
        side = content["sides"][0]
        width = max(len(column["name"]) for column in side["columns"])
        lines = [f"{column['name']:<{width}}  {', '.join(_told(column))}" for column in side["columns"]]
        return "\n  ".join(
            [f"Comparison of {len(content['scenarios'])} scenarios", *lines, *_verdicts(content), _light(side)]
        )

    def _repr_html_(self) -> str:
        content = self.to_dict()
        side = content["sides"][0]
        rows = [[column["name"], *_measures(column)] for column in side["columns"]]
        table = html_table(["", *map(WORDS.__getitem__, MEASURES)], rows, "Scenarios on the same customers")
        return table + notes([*_verdicts(content), _light(side)])


def _measures(column: dict[str, Any]) -> list[str]:
    return [formatted(name, column[name]) for name in MEASURES]


def _told(column: dict[str, Any]) -> Iterator[str]:
    return (f"{WORDS[name]} {formatted(name, column[name])}" for name in MEASURES[:5])


def _verdicts(content: dict[str, Any]) -> Iterator[str]:
    for verdict in content["verdicts"]:
        said = verdict.get("withheld") or ", ".join(f"{WORDS[name]} {verdict[name]}" for name in MEASURES)
        yield f"{verdict['rule']}: {said}"


def _light(side: dict[str, Any]) -> str:
    return f"light: {side['light']['color']} ({side['light']['why']})"
