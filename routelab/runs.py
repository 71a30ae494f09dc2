"""What is done with a contact centre: score it, replay it, compare ways to route it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine.data.arrays import Arrays
from engine.data.wall_time import day_of
from engine.errors import InvalidScenario, MissingInput
from engine.levers import LEVERS
from engine.memory import of_comparison, of_run
from engine.reports.compare import compare as compare_scenarios
from engine.reports.outcomes import Outcomes
from engine.run import run
from engine.setting import shown
from engine.spec import Scenario, scenario_of
from engine.study import comparing
from engine.typing import Progress
from ingest.workers import MEMORY, runs_in
from routelab.centre import Centre
from routelab.results import Compared, Run

Days = tuple[date | str | None, date | str | None]


def score(centre: Centre, *, days: Days | None = None, **settings: Any) -> Run:
    """Who is preferred for each interaction when nobody is ever busy.

    Parameters
    ----------
    centre : Centre
        From `routelab.read`.
    days : tuple of date or str, optional
        First and last local day, both included; None on a side for no bound.
    **settings
        By their names in the table of settings, for example weights=(0.4, 0.3, 0.3), required=["skills"].

    Returns
    -------
    Run
        Report and outcomes.

    Raises
    ------
    InvalidScenario
        If a setting is unknown, the nearest is named, or its value is not allowed.
    """
    arrays, scenario = _chosen(centre, days), _scenario("score", settings)
    with MEMORY.held(of_run(scenario, arrays)):
        return Run(run(scenario, arrays), scenario, arrays)


def replay(
    centre: Centre, *, days: Days | None = None, force: bool = False, progress: Progress | None = None, **settings: Any
) -> Run:
    """The same customers under a routing method: agents are busy, queues form, the impatient leave.

    Parameters
    ----------
    centre : Centre
        From `routelab.read`; without staffing it is inferred from who answered what.
    days : tuple of date or str, optional
        First and last local day, both included; None on a side for no bound.
    force : bool
        Give a verdict even where today's rule, replayed, does not reproduce the record.
    progress : callable, optional
        Told label, replays done and replays in all.
    **settings
        By their names in the table of settings, for example method="genesys", sla="80/20", replications=5.

    Returns
    -------
    Run
        Report and outcomes.

    Raises
    ------
    InvalidScenario
        If a setting is unknown, the nearest is named, or its value is not allowed.
    MissingInput
        If the data lacks what a replay needs.
    NotEnoughMemory
        If it needs more memory than there is.
    """
    arrays, scenario, kept = _chosen(centre, days), _scenario("replay", settings), list[Outcomes]()
    with MEMORY.held(of_run(scenario, arrays)):
        report = run(scenario, arrays, kept.append, force=force, progress=progress)
    # A replay hands its outcomes over in one piece, of the first replication.
    return Run(report, scenario, arrays, kept[0])


def compare(
    centre: Centre, scenarios: Sequence[Mapping[str, Any]], *, days: Days | None = None, force: bool = False,
    progress: Progress | None = None, **settings: Any,
) -> Compared:  # fmt: skip
    """Scenarios replayed on the same customers, each against the first.

    Parameters
    ----------
    centre : Centre
        From `routelab.read`.
    scenarios : sequence of mapping
        Settings, and a name where the method is not name enough. As in a study file the others are changes of the
        first; a first one without a method is today's rule, called baseline.
    days : tuple of date or str, optional
        First and last local day, both included; None on a side for no bound.
    force : bool
        Give verdicts even where the replay does not reproduce the record.
    progress : callable, optional
        Told label, replays done and replays in all.
    **settings
        What holds for all.

    Returns
    -------
    Compared
        Every scenario under recorded handling times, and under times that change with the agent.

    Raises
    ------
    InvalidScenario
        If there are fewer than two, two of one name, or a setting is not allowed.
    MissingInput
        If the data lacks what a replay needs.
    NotEnoughMemory
        If it needs more memory than there is.
    """
    if not isinstance(scenarios, list | tuple) or len(scenarios) < 2:
        raise InvalidScenario('compare: give two scenarios or more, for example [{"method": "genesys"}, {}]')
    arrays = _chosen(centre, days)
    first, *others = map(_called, scenarios)
    # Levers of a baseline move it alone; those given here hold for all.
    levers = {name: value for name, value in settings.items() if name in LEVERS}
    wanted = comparing({"baseline": settings | first, "scenario": [levers | other for other in others]})
    played = wanted.scenarios_on(arrays)
    with MEMORY.held(of_comparison(played, arrays)):
        found = compare_scenarios(
            played, arrays, names=wanted.names, force=force, progress=progress, map_runs=runs_in()
        )
    return Compared(found)


def _scenario(mode: str, settings: Mapping[str, Any]) -> Scenario:
    if "mode" in settings:
        raise InvalidScenario("mode is said by the function: routelab.score or routelab.replay; leave it out")
    return scenario_of({"mode": mode, **settings})


def _called(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario; one without a name of its own is called by its method."""
    if not isinstance(entry, Mapping):
        raise InvalidScenario(
            f'compare: {shown(entry)} is no scenario; give its settings, for example {{"method": "genesys"}}'
        )
    return ({"name": entry["method"]} if isinstance(entry.get("method"), str) else {}) | dict(entry)


def _chosen(centre: Centre, days: Days | None) -> Arrays:
    if not isinstance(centre, Centre):
        raise MissingInput(f"{shown(centre)} is no contact centre; give what routelab.read returns")
    if days is None:
        return centre.arrays
    if not isinstance(days, list | tuple) or len(days) != 2:
        raise InvalidScenario(f'days is {shown(days)}; give the first and the last, ("2024-03-04", "2024-03-08")')
    return centre.arrays.days(day_of("days", days[0]), day_of("days", days[1]))
