"""Running one scenario or a stack of them over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from engine.data.arrays import Arrays
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.measures.tally import Tally
from engine.replay.playing import Played, play
from engine.replay.prepare import Recorded
from engine.reports.columns import Study
from engine.reports.outcomes import Collector, Outcomes, Texts, outcomes_of
from engine.reports.replayed import report_of
from engine.reports.report import Report, build
from engine.selection.decisions import Decided, decide
from engine.spec import Scenario, csat_of, terms_of
from engine.typing import Map, Progress


def run(
    scenario: Scenario,
    data: Tables | Arrays,
    keep: Callable[[Outcomes], None] | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run one scenario over a data set.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    data : Tables or Arrays
        Tables in memory, or a snapshot's arrays.
    keep : callable, optional
        Called with the outcomes of each batch in time order.
    force : bool
        A replay gives its verdict even where it does not reproduce the record.
    progress : callable, optional
        Called in a replay with label, replays done and replays in all.

    Returns
    -------
    Report
        Without timing.

    Raises
    ------
    InvalidTable
        If there are no agents.
    MissingInput
        If the scenario needs a table that is not there.
    """
    arrays = _arrays(data)
    if scenario.mode == "replay":
        return _replay(scenario, arrays, keep, force, progress)
    return _run([scenario], arrays, keep)[0]


def run_all(scenarios: Sequence[Scenario], data: Tables | Arrays, map_runs: Map = map) -> list[Report]:
    """Run many scenarios over one data set; those that differ only in weights share one pass.

    Parameters
    ----------
    scenarios : sequence of Scenario
        In any mixture.
    data : Tables or Arrays
        The data set.
    map_runs : callable
        Does runs that do not depend on one another, here the replays.

    Returns
    -------
    list of Report
        In the order of the scenarios, equal to running them one by one.
    """
    arrays = _arrays(data)
    # Scores differ between such scenarios only by weights, so one pass over the data decides for all of them.
    stacks: dict[object, list[int]] = {}
    replayed = [place for place, scenario in enumerate(scenarios) if scenario.mode == "replay"]
    for place, scenario in enumerate(scenarios):
        if scenario.mode != "replay":
            stacks.setdefault(scenario.shared(), []).append(place)
    replays = map_runs(partial(run, data=arrays), [scenarios[place] for place in replayed])
    reports: dict[int, Report] = dict(zip(replayed, replays, strict=True))
    for places in stacks.values():
        reports |= zip(places, _run([scenarios[p] for p in places], arrays, None), strict=True)
    return [reports[place] for place in range(len(scenarios))]


def choose(scenario: Scenario, data: Tables | Arrays) -> Outcomes:
    """All outcomes of a scenario in memory.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    data : Tables or Arrays
        The data set.

    Returns
    -------
    Outcomes
        One row per interaction, in order of arrival, then id.
    """
    arrays = _arrays(data)
    if scenario.mode == "replay":
        return _outcomes(play(scenario, Recorded(arrays, scenario)))
    collector = Collector(Texts(arrays.centre), arrays.snapshot.n_interactions)
    for decided in _Stack([scenario], arrays).decide():
        collector.add(decided)
    return collector.outcomes()


def _replay(
    scenario: Scenario, arrays: Arrays, keep: Callable[[Outcomes], None] | None, force: bool, progress: Progress | None
) -> Report:
    study = Study(arrays, scenario, progress)
    report, played = report_of(study, scenario, force=force)
    if keep is not None:
        keep(_outcomes(played))
    return report


def _outcomes(played: Played) -> Outcomes:
    given, served = played.completed.interactions, played.served
    texts = Texts(played.completed.centre)
    return Outcomes(
        interaction_id=given.interaction_id.to_arrow(), call_type=given.call_type, arrived_us=served.arrived_us,
        media=given.media, agent=served.agent, score=played.score, texts=texts, served=served,
    )  # fmt: skip


def _arrays(data: Tables | Arrays) -> Arrays:
    return encode(data) if isinstance(data, Tables) else data


class _Stack:
    """Scenarios that share everything but weights, goal and expectation, over one data set."""

    def __init__(self, scenarios: Sequence[Scenario], arrays: Arrays) -> None:
        self.scenarios, self.arrays = scenarios, arrays
        self.csat = csat_of(scenarios[0], arrays)
        self.terms = terms_of(scenarios[0], arrays, self.csat)
        self.used = [scenario.weights_used() for scenario in scenarios]

    def decide(self) -> Iterator[Decided]:
        weights = np.array([w.terms for w in self.used])
        threshold = np.array([w.threshold for w in self.used])
        return decide(self.arrays, self.terms, self.csat, self.scenarios[0].method, weights, threshold)


def _run(scenarios: Sequence[Scenario], arrays: Arrays, keep: Callable[[Outcomes], None] | None) -> list[Report]:
    stack = _Stack(scenarios, arrays)
    tally = Tally(arrays, stack.terms, len(scenarios))
    texts = Texts(arrays.centre)
    for decided in stack.decide():
        tally.add(decided)
        if keep is not None:
            keep(outcomes_of(decided, texts))
    tally.close()
    rows = [stack.csat.row_of(day) for day in tally.days or [0]]
    # Surveys come in as days pass, so a note needs both ends: who has none on the first day, and on the last.
    unsurveyed = (stack.csat.n_surveys == 0).sum(axis=1)
    filled = (int(unsurveyed[rows[0]]), int(unsurveyed[rows[-1]]))
    return [
        build(tally, place, scenario, w, filled)
        for place, (scenario, w) in enumerate(zip(scenarios, stack.used, strict=True))
    ]
