"""Report: everything a run says, with what went into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.calendar import Calendar
from engine.data.centre import Centre
from engine.data.provenance import Provenance
from engine.errors import MissingInput
from engine.measures.fairness import Fairness, Shares, expectation, fairness
from engine.measures.satisfaction import Satisfaction, coverage, satisfaction
from engine.measures.tally import Tally
from engine.measures.waits import ServiceLevel
from engine.reports.notes import notes
from engine.reports.replay import Replay
from engine.results import Result, about
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from engine.typing import FloatArray

PREFERENCE = (
    "preference, not workload: nobody is ever busy here, so this shows who the score prefers, "
    "not who would have had the time"
)


@dataclass(frozen=True)
class Unrouted:
    """Interactions without a chosen agent."""

    total: int = about("Interactions. [count]")
    reasons: dict[str, int] = about("By reason; in a replay by outcome. [count]")


@dataclass(frozen=True)
class Preference:
    """Whom the score prefers: the agent chosen most often."""

    headline: str = about("What the numbers are, and are not.")
    busiest_agent_id: str | None = about("Null where nobody was chosen.")
    busiest_agent_name: str | None = about("Null where none is known.")
    busiest_handled: int = about("Interactions given to the agent. [count]")
    implied_peak: int | None = about("Most of them at once by recorded times; null where none are recorded. [count]")
    busiest_without_handling_time: int | None = about("Of them left out of the peak. [count]", optional=True)


@dataclass(frozen=True)
class AgentShare:
    """What one agent got."""

    agent_id: str = about("Id of the agent.")
    agent_name: str | None = about("Null where none is known.")
    handled: int = about("Interactions given to the agent. [count]")
    handled_s: float | None = about("Their handling times; null where none are recorded. [s]")
    eligible: int = about("Interactions that the agent could have got. [count]")
    occupancy: float | None = about("Busy over staffed time; null in score mode.")


@dataclass(frozen=True)
class Timing:
    """How long it took; null for what was not done."""

    load_s: float | None = about("Opening the data. [s]", default=None)
    simulate_s: float | None = about("Routing and measuring. [s]", default=None)
    write_s: float | None = about("Writing outcomes. [s]", default=None)
    interactions_per_s: float | None = about("Interactions over the time of routing and measuring.", default=None)


# Written as it stands to `report.json`: a field renamed here is renamed in files that people keep.
@dataclass(frozen=True)
class Report(Result):
    """Everything a run says, with what went into it."""

    mode: str = about("score or replay.")
    headline: str = about("What the numbers are, and are not.")
    scenario: Scenario = about("All that is needed to run it again.")
    weights_used: RoutingWeights = about("The weights after the goal moved them.")
    snapshot: Provenance = about("Name, hash, counts, repairs and assumptions of the data.")
    routed: int = about("Interactions with a chosen agent; in a replay those answered.")
    unrouted: Unrouted = about("Interactions without a chosen agent.")
    preference: Preference | None = about("Score mode: the busiest agent and the implied peak. Null in a replay.")
    fairness: Fairness = about("How evenly the interactions are shared.")
    agents: list[AgentShare] = about("What each agent got.")
    csat: Satisfaction = about("What satisfaction is expected, beside the recorded one.")
    service_level: ServiceLevel | None = about("Waits, abandonment and occupancy. Null in score mode.")
    replay: Replay | None = about("Three rules on the same customers. Null in score mode.")
    warnings: list[str] = about("What a reader must know before trusting a number.")
    timing: Timing = about("How long it took.", default=Timing())

    @property
    def n_interactions(self) -> int:
        """Interactions with or without a chosen agent."""
        return self.routed + self.unrouted.total


def build(
    tally: Tally, place: int, scenario: Scenario, weights_used: RoutingWeights, filled: tuple[int, int]
) -> Report:
    """Report of one scenario of a finished tally.

    Parameters
    ----------
    tally : Tally
        All batches counted and closed.
    place : int
        Which scenario of the stack.
    scenario : Scenario
        What was asked for.
    weights_used : RoutingWeights
        After the goal moved them.
    filled : tuple of int
        Agents without any survey by the first and by the last day.

    Returns
    -------
    Report
        Without timing.
    """
    arrays = tally.arrays
    centre, counts = arrays.centre, tally.counts[place]
    eligible = tally.eligible
    expected = _expected(tally, place, scenario.expected, eligible)
    handled_s = tally.handled_s[place] if tally.timed else None
    shares = Shares(counts, handled_s, eligible, expected, scenario.expected, centre.agent_ids, centre.groups)
    covered = coverage(centre.surveys, tally.days, tally.n_answered)
    unrouted = tally.unrouted(place)
    return Report(
        mode=scenario.mode,
        headline=PREFERENCE,
        scenario=scenario,
        snapshot=arrays.snapshot,
        weights_used=weights_used,
        routed=int(counts.sum()),
        unrouted=Unrouted(sum(unrouted.values()), unrouted),
        preference=_preference(tally, place),
        fairness=fairness(shares),
        csat=satisfaction(tally.effects, tally.mixes(place), covered),
        agents=_agents(centre, counts, handled_s, eligible),
        service_level=None,
        replay=None,
        warnings=notes(tally, scenario, weights_used, filled),
    )


def _expected(tally: Tally, place: int, name: str, eligible: FloatArray) -> FloatArray:
    centre = tally.arrays.centre
    staffing = centre.staffing
    if name == "staffed" and staffing.agent.size == 0:
        raise MissingInput(
            "--expected staffed needs a staffing table, and this snapshot has none; "
            "import one with --staffing, or use --expected eligible"
        )
    counted = Calendar(np.array(sorted(tally.local_days), np.int64), centre.time_zone).within(staffing)
    on_queue = np.bincount(counted.agent, counted.end_us - counted.start_us, centre.n_agents)
    return expectation(name, tally.counts[place], eligible, lambda: tally.even_split[place], on_queue)


def _preference(tally: Tally, place: int) -> Preference:
    centre, counts = tally.arrays.centre, tally.counts[place]
    if not counts.any():
        return Preference(PREFERENCE, None, None, 0, None)
    # Equal counts go to the smaller id, as everywhere.
    busiest = int(counts.argmax())
    peak = tally.peak(place, busiest)
    return Preference(
        headline=PREFERENCE,
        busiest_agent_id=centre.agent_ids[busiest],
        busiest_agent_name=centre.agent_names[busiest],
        busiest_handled=int(counts[busiest]),
        implied_peak=peak.value if peak.n_timed else None,
        busiest_without_handling_time=peak.n_untimed,
    )


def _agents(centre: Centre, counts: FloatArray, handled_s: FloatArray | None, eligible: FloatArray) -> list[AgentShare]:
    seconds = [None] * centre.n_agents if handled_s is None else handled_s.tolist()
    rows = zip(centre.agent_ids, centre.agent_names, counts.tolist(), seconds, eligible.tolist(), strict=True)
    return [AgentShare(agent, name, int(n), s, int(e), None) for agent, name, n, s, e in rows]
