"""Three call types, two groups of agents, three periods: the examples SimpleMSK of ContactCenters, through the replay.

Source: E. Buist, ContactCenters simulation library, doc/examples: SimpleMSK.java, SimpleMSK.res, simplemsk.tex,
SimpleMSKWithRerouting.java and .res (https://github.com/umontreal-simul/contactcenters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.validation.arrivals import at_random
from engine.data.served import Served, Status
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import NEVER, Ladder, one_row_each, stacked
from engine.replay.bundles import Clock
from engine.replay.loop import replay
from engine.typing import BoolArray, FloatArray, IntArray

MINUTE_S = 60.0
PERIOD_S, N_PERIODS, DAY_S = 120 * MINUTE_S, 3, 1440 * MINUTE_S
DAY_US = round(1e6 * DAY_S)
# The last period begins, with fewer agents.
DROP_S = (N_PERIODS - 1) * PERIOD_S
# Everybody goes home; the last call has ended long before.
HOME_S = DAY_S / 2
# By call type and period. [1/min]
CALLS = np.array([[4.2, 5.3, 3.2], [5.1, 4.3, 4.8], [6.3, 5.2, 4.8]])
BUSYNESS = 28.7
# By period of arrival. [1/min]
SERVED, GIVING_UP = np.array([0.5, 0.6, 0.4]), np.array([0.3, 0.4, 0.2])
# By group and period; the last holds until the last call has ended.
STAFF = np.array([[12, 18, 9], [15, 20, 11]])
# By call type and group: larger is asked first.
RANK = np.array([[0, NEVER], [1, 0], [NEVER, 0]])
# With rerouting, group 1 is asked for calls of type 1 only after so long a wait.
REROUTED, REROUTED_AFTER_S = 1, 0.2 * MINUTE_S
# The source means a freed agent to take the longest waiting, and never writes down the best time found: so the last
# queue of the agent's list that has a call wins, which is type 0 before 1 for group 0, and 1 before 2 for group 1.
LAST_QUEUE_FIRST_S = np.array([2e6, 1e6, 0.0])
THRESHOLD_S = 20.0

GROUP = np.repeat([0, 1], STAFF.max(axis=1))
N_AGENTS = GROUP.size
# Number within the group.
NUMBER = np.concatenate([np.arange(most) for most in STAFF.max(axis=1)])
# Days are independent: who is asked first on one does not depend on the day before.
CLOCK = Clock(resets_on_queue=True)


@dataclass(frozen=True)
class Days:
    """Drawn days, each of 24 hours, of which the first six have calls."""

    demand: Demand  # All calls; a kind is a call type
    roster: Roster  # Who is there when
    ladder: Ladder  # Groups in order of preference; within a group the longest idle
    # When each call came
    day: IntArray
    period: IntArray

    @property
    def n_days(self) -> int:
        """Number of days."""
        return self.roster.start_us.size // N_AGENTS

    def since_s(self, times_us: IntArray) -> FloatArray:
        """Times since the start of each call's day. [us to s]"""
        return np.asarray((times_us - self.day * DAY_US) / 1e6)

    def played(self, roster: Roster) -> Served:
        """Play the calls with a roster of one's own."""
        return replay(self.demand, roster, self.ladder, CLOCK)

    def total(self, of: FloatArray | BoolArray) -> FloatArray:
        """Sums by day of something known of each call."""
        return np.asarray(np.bincount(self.day, of, self.n_days), float)


def draw(n_days: int, rng: np.random.Generator, *, is_rerouted: bool = False, lead_s: Any = 0.0) -> Days:
    """Draw days whose roster is that of `planned`.

    Parameters
    ----------
    n_days : int
        How many.
    rng : numpy.random.Generator
        Source of the draws.
    is_rerouted : bool
        Whether group 1 is asked for calls of type 1 only after a while.
    lead_s : float or (3,) array
        Head start of each type where a freed agent chooses. [s]

    Returns
    -------
    Days
        Ready to be played.
    """
    busyness = rng.gamma(BUSYNESS, 1 / BUSYNESS, n_days)
    n_expected = busyness[:, None] * CALLS.sum(axis=0) / MINUTE_S * PERIOD_S
    span, place = at_random(n_expected.ravel(), rng)
    day, period = np.divmod(span, N_PERIODS)
    up_to = np.cumsum(CALLS, axis=0) / CALLS.sum(axis=0)
    call_type = (rng.random(span.size) > up_to[:-1, period]).sum(axis=0)
    handle_s, patience_s = (
        MINUTE_S / rate[period] * rng.standard_exponential(span.size) for rate in (SERVED, GIVING_UP)
    )
    rank = RANK[:, GROUP]
    arrived_s = day * DAY_S + (period + place) * PERIOD_S
    demand = Demand.of(arrived_s, handle_s, Kinds.plain(rank > NEVER, lead_s), call_type, patience_s)
    return Days(demand, roster(planned(n_days)), _rerouted(rank) if is_rerouted else one_row_each(rank), day, period)


def _rerouted(rank: FloatArray) -> Ladder:
    """As a bullseye: type 1 begins with group 0 and opens to group 1."""
    rows = [[(0.0, row)] for row in rank]
    first = np.where(GROUP == 0, rank[REROUTED], NEVER)
    rows[REROUTED] = [(0.0, first), (REROUTED_AFTER_S, rank[REROUTED])]
    return stacked(rows)


def planned(n_days: int) -> BoolArray:
    """Who leaves when the last period begins if names decide: those with the large numbers."""
    return np.tile(STAFF[GROUP, -1] <= NUMBER, (n_days, 1))


def first_free(days: Days) -> BoolArray:
    """Who leaves when the last period begins if agents have no names: whoever is idle, then whoever is free first.

    That is the rule of the source, which counts agents and does not name them. What happens before the last
    period does not depend on who leaves then, so a replay with any choice tells who is busy, and for how long.
    """
    served = days.played(days.roster)
    end_s = days.since_s(served.end_us)
    in_hand = (served.agent >= 0) & (days.since_s(served.start_us) < DROP_S) & (end_s > DROP_S)
    free_s = np.zeros((days.n_days, N_AGENTS))
    free_s[days.day[in_hand], served.agent[in_hand]] = end_s[in_hand]
    leaves = np.zeros(free_s.shape, bool)
    for group, staff in enumerate(STAFF):
        mine = np.flatnonzero(group == GROUP)
        order = mine[np.argsort(free_s[:, mine], axis=1)]
        np.put_along_axis(leaves, order[:, : mine.size - staff[-1]], True, axis=1)
    return leaves


def roster(leaves: BoolArray) -> Roster:
    """Who is there when: those who leave go after their call as the last period begins, others after the last call."""
    day_s = np.arange(len(leaves))[:, None] * DAY_S
    start_s: Any = day_s + (STAFF[GROUP, 0] <= NUMBER) * PERIOD_S
    end_s: Any = day_s + np.where(leaves, DROP_S, HOME_S)
    return Roster.of(N_AGENTS, np.tile(np.arange(N_AGENTS), len(leaves)), start_s.ravel(), end_s.ravel())


def simulate(n_days: int, rng: np.random.Generator, *, is_rerouted: bool = False) -> dict[str, FloatArray]:
    """Play days as the source does: numbers of calls by day, and seconds of the agents of group 0."""
    days = draw(n_days, rng, is_rerouted=is_rerouted, lead_s=LAST_QUEUE_FIRST_S if is_rerouted else 0.0)
    leaves = first_free(days)
    served = days.played(roster(leaves))
    over_s = np.full(n_days, N_PERIODS * PERIOD_S)
    np.maximum.at(over_s, days.day, days.since_s(np.maximum(served.end_us, served.left_us)))
    if over_s.max() >= HOME_S:
        raise RuntimeError("a call is waiting or in hand when everybody goes home; raise HOME_S")
    return _calls(days, served) | _group_0(days, served, leaves, over_s)


def _calls(days: Days, served: Served) -> dict[str, FloatArray]:
    wait_s = served.wait_s
    answered = served.status == Status.ANSWERED
    abandoned = served.status == Status.ABANDONED
    in_target = answered & (wait_s < THRESHOLD_S)
    sums = {
        "days": np.ones(days.n_days),
        "answered": days.total(answered),
        "abandoned": days.total(abandoned),
        "in target": days.total(in_target),
        "answered or abandoned late": days.total(answered | (abandoned & (wait_s >= THRESHOLD_S))),
    }
    for call_type in range(len(CALLS)):
        for period in range(N_PERIODS):
            here = (days.demand.kind == call_type) & (days.period == period)
            sums[f"in target {call_type} {period}"] = days.total(in_target & here)
    return sums


def _group_0(days: Days, served: Served, leaves: BoolArray, over_s: FloatArray) -> dict[str, FloatArray]:
    """Busy and present time of group 0, from the start of the day to the end of the last call.

    Present are those planned, and those who finish a call after they were to leave: so the source defines it.
    """
    start_s, end_s = (days.since_s(times_us) for times_us in (served.start_us, served.end_us))
    mine = (served.agent >= 0) & (GROUP[served.agent] == 0)
    longer_s = np.maximum(end_s - DROP_S, 0.0) * leaves[days.day, served.agent]
    staff = STAFF[0]
    planned_s = staff.sum() * PERIOD_S + staff[-1] * (over_s - N_PERIODS * PERIOD_S)
    return {
        "busy s": days.total(mine * (end_s - start_s)),
        "present s": planned_s + days.total(mine * longer_s),
    }
