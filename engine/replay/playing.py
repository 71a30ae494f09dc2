"""Plays a scenario over a data set: ladders made anew when what they read changes, goals in motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.data.arrays import Arrays
from engine.data.centre import Centre
from engine.data.served import Served, Status, Vain
from engine.data.wall_time import DAY_US
from engine.errors import InvalidScenario
from engine.estimates.completed import Completed
from engine.estimates.demand import NEVER_US, Demand, Kinds
from engine.estimates.staffing import Roster
from engine.levers import changed
from engine.methods import METHODS
from engine.methods.ladder import Ladder
from engine.methods.method import Method, View
from engine.methods.today import in_force
from engine.replay.bundles import Clock
from engine.replay.loop import Replay
from engine.replay.performance import achieved
from engine.replay.prepare import Recorded, demand_of, kinds_of, terms_for
from engine.results import about, or_null
from engine.scoring.csat import CsatTable
from engine.scoring.scores import SCALE, Terms
from engine.scoring.weights import RoutingWeights, ServiceLevelGoal, moved
from engine.spec import TODAY, Scenario, csat_of
from engine.stopping import check
from engine.typing import BoolArray, FloatArray, Int32Array

# Times to plan anew in one replay; each looks at every queue.
MOST_PLANS = 500_000


@dataclass(frozen=True)
class Move:
    """A change of the weights of one queue under a rolling goal."""

    at_us: int = about("Microseconds since 1970, UTC.")
    queue_id: str = about("Id of the queue.")
    performance: float | None = about("Share achieved; null where nothing happened.")
    moved: bool = about("Whether a rule of the goal applies; if not, the weights are as given.")
    weights: list[float] = about("proficiency, language_match, historical_csat.")


@dataclass(frozen=True)
class Played:
    """One replay of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What was played.
    completed : Completed
        The data set, with one draw of what is not recorded and what levers made of it.
    demand : Demand
        Its interactions as the loop took them.
    roster : Roster
        When agents could be asked.
    served : Served
        Outcome of each.
    score : (n,) array of float
        The winner's score, NaN where nobody was chosen or the method has none.
    moves : list of Move
        Rolling goals: when which queue's weights changed, and at which performance.
    ladder_at : callable
        Gives the ladder that held at an instant. [us]
    ladders : callable
        Gives all ladders in order of time, each with the instant from which it held [us]; the first held before too.
    baseline : (n_kinds, n_agents) array of bool
        Whom the rule in force would ask for each kind in the end, among the members of this data set.
    vain : Vain
        Alerts that came to nothing.
    """

    scenario: Scenario
    completed: Completed
    demand: Demand
    roster: Roster
    served: Served
    score: FloatArray
    moves: list[Move]
    ladder_at: Callable[[int], Ladder]
    ladders: Callable[[], Iterator[tuple[int, Ladder]]]
    baseline: BoolArray
    vain: Vain


def play(scenario: Scenario, recorded: Recorded, replication: int = 0, *, still: bool = False) -> Played:
    """Replay one scenario.

    Parameters
    ----------
    scenario : Scenario
        In mode replay.
    recorded : Recorded
        The data set, under the same assumptions and seed.
    replication : int
        Which draw of what is not recorded.
    still : bool
        Whether the weights stay as given, whatever the goal.

    Returns
    -------
    Played
        Every interaction settled.
    """
    return _Player(scenario, recorded, replication, still=still).play()


def goal_s(scenario: Scenario, centre: Centre) -> FloatArray:
    """Longest wait within the goal of each queue: the scenario's, else the queue's own.

    Parameters
    ----------
    scenario : Scenario
        Perhaps with a goal.
    centre : Centre
        Queues with theirs.

    Returns
    -------
    (n_queues,) array of float
        By queue. [s]
    """
    if scenario.goal is not None:
        return np.full(len(centre.queue_ids), ServiceLevelGoal.parse(scenario.goal).seconds)
    return centre.queues["service_level_s"].to_numpy()


def goal_share(scenario: Scenario, centre: Centre) -> FloatArray:
    """Share that each queue's goal wants in time: the scenario's, else the queue's own.

    Parameters
    ----------
    scenario : Scenario
        Perhaps with a goal.
    centre : Centre
        Queues with theirs.

    Returns
    -------
    (n_queues,) array of float
        By queue. [0-1]
    """
    if scenario.goal is not None:
        return np.full(len(centre.queue_ids), ServiceLevelGoal.parse(scenario.goal).share)
    return centre.queues["service_level_share"].to_numpy()


class _Player:
    """A replay under way."""

    def __init__(self, scenario: Scenario, recorded: Recorded, replication: int, *, still: bool) -> None:
        self.scenario, self.recorded = scenario, recorded
        self.is_rolling = scenario.is_rolling and not still
        self.weights = scenario.weights if still else scenario.weights_used()
        self.method: Method = METHODS[scenario.method]
        self.completed = changed(recorded.completed(replication), scenario.levers)
        self.centre = self.completed.centre
        arrays = replace(recorded.arrays, centre=self.centre)
        self.csat: CsatTable = csat_of(scenario, arrays)
        self.terms = terms_for(scenario, arrays, self.csat)
        self.kinds, self.baseline, kind = self._told_apart(arrays)
        self.demand = demand_of(self.completed.interactions, self.kinds, kind)
        self.roster = self.completed.roster(new_agents_last=scenario.switches.new_agents_last)
        self.score = np.full(self.demand.arrived_us.size, np.nan)
        self.moves: list[Move] = []
        # What ladders were made from, so that a past one can be made again; all ladders of a month would be too large.
        self._states: list[tuple[int, int, tuple[RoutingWeights, ...]]] = []
        self._low = self._noted = 0

    def _told_apart(self, arrays: Arrays) -> tuple[Kinds, BoolArray, Int32Array]:
        """Kinds with those who pass the filters and those who are able, whom the rule in force asks; kind of each."""
        assumed, recorded = self.scenario.assumptions, self.recorded
        today = METHODS[in_force(recorded.centre.queues)]
        with_preferred = "preferred" in (*self.method.reads, *today.reads)
        by = recorded.by_kind(self.completed.interactions, self.centre, with_preferred=with_preferred)
        kinds = kinds_of(by, self.centre, self.terms, assumed.point_s, assumed.timeout_s)
        # What the queues' settings were, whatever a lever plans; members, skills and languages are those of the column.
        was = replace(arrays, centre=replace(self.centre, queues=recorded.centre.queues))
        baseline = self._able(today, terms_for(self.scenario, was, self.csat), kinds)
        if TODAY in self.scenario.required:
            kinds = replace(kinds, eligible=baseline)
        as_was = self.method is today and self.centre.queues is recorded.centre.queues
        able = baseline if as_was else self._able(self.method, self.terms, kinds)
        return replace(kinds, able=able), baseline, by.kind

    def _able(self, method: Method, terms: Terms, kinds: Kinds) -> BoolArray:
        """Whom a method would ask in the end, were there no threshold; scores do not matter."""
        view = self._view(0, (self.weights,) * len(self.centre.queue_ids), kinds)
        return method.ladder(replace(view, terms=terms, threshold=0.0)).able

    def play(self) -> Played:
        """From the first event to the last."""
        # One clock for every method: a yardstick on another would show the switch's difference as the rule's.
        replay = Replay(self.demand, self.roster, Clock.of(self.scenario.assumptions, self.scenario.switches))
        weights = [self.weights] * len(self.centre.queue_ids)
        ladder, made_for = None, None
        start_us = self.completed.start_us
        for until_us in [*self._stops(), NEVER_US]:
            if self.is_rolling:
                weights = self._moved(replay, start_us, weights)
            state = (self.csat.row_of(start_us // DAY_US) if self._reads_csat else 0, tuple(weights))
            if ladder is None or state != made_for:
                if ladder is not None:
                    self._note_scores(replay, ladder, start_us)
                ladder, made_for = self.method.ladder(self._view(*state)), state
                self._states.append((start_us, *state))
            # The last stretch is left to the end, which also settles whoever still waits.
            if until_us < NEVER_US:
                replay.run_until(ladder, until_us)
            start_us = until_us
        assert ladder is not None
        served = replay.finish(ladder)
        self._note_scores(replay, ladder)
        return Played(
            self.scenario, self.completed, self.demand, self.roster, served, score=self.score, moves=self.moves,
            ladder_at=self.ladder_at, ladders=self.ladders, baseline=self.baseline, vain=replay.vain(),
        )  # fmt: skip

    def ladder_at(self, at_us: int) -> Ladder:
        """The ladder that held at an instant, made again."""
        state = next((s for s in reversed(self._states) if s[0] <= at_us), self._states[0])
        return self.method.ladder(self._view(*state[1:]))

    def ladders(self) -> Iterator[tuple[int, Ladder]]:
        """Ladders that differ in whom they rank at all, made again, each with the instant from which it held."""
        # Weights and satisfaction move ranks; only a threshold makes them a matter of who is ranked.
        moving = self.scenario.weights.threshold > 0 and "weights" in self.method.reads
        for start_us, csat_row, weights in self._states if moving else self._states[:1]:
            yield start_us, self.method.ladder(self._view(csat_row, weights))

    @property
    def _reads_csat(self) -> bool:
        return "csat" in self.method.reads and (self.is_rolling or self.weights.historical_csat > 0)

    def _stops(self) -> list[int]:
        """Where the ladder may change: days with new surveys, and the re-planning of rolling goals."""
        first_us, arrived_us = self.completed.start_us, self.demand.arrived_us
        if not arrived_us.size:
            return []
        # Whoever waits is answered until the last spell on queue ends.
        last_us = max(int(arrived_us[-1]), int(self.roster.end_us.max(initial=0)))
        stops = set()
        if self._reads_csat:
            days = range(first_us // DAY_US, last_us // DAY_US + 1)
            rows = [self.csat.row_of(day) for day in days]
            stops |= {day * DAY_US for day, before, row in zip(days[1:], rows, rows[1:], strict=False) if row != before}
        if self.is_rolling:
            step_us = round(1e6 * self.scenario.replan_s)
            if (int(arrived_us[-1]) - first_us) // step_us > MOST_PLANS:
                raise InvalidScenario(
                    f"rolling: from the first arrival to the last there are over {MOST_PLANS:,} times to plan anew; "
                    "choose days, or plan less often"
                )
            # From midnight UTC, so that a replay of one day plans anew at the same instants as one of the month.
            stops |= set(range(first_us // DAY_US * DAY_US + step_us, int(arrived_us[-1]) + 1, step_us))
        return sorted(stop for stop in stops if stop > first_us)

    def _view(self, csat_row: int, weights: tuple[RoutingWeights, ...], kinds: Kinds | None = None) -> View:
        kinds = kinds or self.kinds
        factor: FloatArray = np.broadcast_to(1.0, kinds.eligible.shape)
        if "factors" in self.method.reads:
            fitted = self.recorded.factors
            factor = fitted.factor[fitted.handling_of_call_type[kinds.call_type]]
        return View(
            terms=self.terms, csat_row=csat_row, kinds=kinds,
            weights=np.array([w.terms for w in weights]), threshold=self.scenario.weights.threshold,
            switches=self.scenario.switches, factor=factor,
        )  # fmt: skip

    def _moved(self, replay: Replay, now_us: int, before: list[RoutingWeights]) -> list[RoutingWeights]:
        """Weights of each queue by what it achieved over the window that ends now."""
        check()
        window_us, high = round(1e6 * self.scenario.window_s), int(np.searchsorted(self.demand.arrived_us, now_us))
        part = replay.so_far(slice(self._low, high))
        within_s = goal_s(self.scenario, self.centre)
        share = achieved(part, len(before), now_us - window_us, now_us, within_s)
        # Whoever left before the window cannot count again, so each look starts at the first who still may.
        open_ = (part.status == Status.UNSERVED) | (part.left_us > now_us - window_us)
        self._low += int(open_.argmax()) if open_.any() else open_.size
        assert self.scenario.goal is not None
        goal = ServiceLevelGoal.parse(self.scenario.goal)
        # Where nothing happened there is no performance, and the weights stay as they were given.
        after = [self.scenario.weights if np.isnan(s) else moved(self.scenario.weights, goal, float(s)) for s in share]
        for queue in range(len(after)):
            if after[queue] != before[queue]:
                self.moves.append(self._move(now_us, queue, share[queue], after[queue]))
        return after

    def _move(self, now_us: int, queue: int, share: float, weights: RoutingWeights) -> Move:
        return Move(
            at_us=now_us, queue_id=self.centre.queue_ids[queue],
            performance=or_null(share),
            moved=weights != self.scenario.weights, weights=list(weights.terms),
        )  # fmt: skip

    def _note_scores(self, replay: Replay, ladder: Ladder, until_us: int = NEVER_US) -> None:
        """Scores of those chosen since the ladder last changed; the earliest undecided one tells where to look."""
        check()
        if self.method.planner is None:
            return
        rows = slice(self._noted, int(np.searchsorted(self.demand.arrived_us, until_us)))
        served = replay.so_far(rows)
        fresh = np.flatnonzero(np.isnan(self.score[rows]) & (served.agent >= 0) & (served.status == Status.ANSWERED))
        # Only methods with scores get here, and their ladders have one row for each kind.
        row = ladder.first_row[self.demand.kind[rows][fresh]]
        self.score[rows][fresh] = ladder.rank[row, served.agent[fresh]] / SCALE
        undecided = served.status == Status.UNSERVED
        self._noted += int(undecided.argmax()) if undecided.any() else undecided.size
