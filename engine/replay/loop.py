"""Replays: interactions, agents on queue and a ladder of ranks, played in order of time.

The loop itself is compiled (`engine.kernels.replay`). A replay can be stopped at any instant, be given
another ladder, and go on; without another ladder the result is the same to the last bit.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from engine.data.served import Served, Status, Vain
from engine.errors import InvalidScenario
from engine.estimates.demand import NEVER_US, Demand
from engine.estimates.staffing import Roster
from engine.methods.ladder import Ladder
from engine.replay import bundles
from engine.replay.bundles import Clock
from engine.stopping import in_slices

ALL = slice(None)
# Steps between two questions whether to stop. A step takes 0.05 us in a small centre, and some 0.0005 us for each agent
# where all are looked at for each interaction; a slice so ends within 0.1 s, and costs 15 us.
MOST_STEPS, FEWEST_STEPS, MANY_AGENTS = 50_000, 2_000, 4_000
_NO_AGENT, _NEVER = np.empty(0, np.int32), np.empty(0, np.int64)
NO_VAIN = Vain(_NO_AGENT, _NEVER, _NEVER, _NO_AGENT, _NEVER)


class Replay:
    """A replay that can be stopped and go on.

    Parameters
    ----------
    demand : Demand
        The interactions.
    roster : Roster
        When agents are on queue; of agents by the same places as the kinds', be they more or fewer.
    clock : Clock
        Idle time and missed alerts.
    n_steps : int, optional
        Events and looks at kinds between two questions whether to stop; by default some ms to 0.2 s of them.

    Examples
    --------
    >>> from engine.estimates.demand import Kinds
    >>> from engine.methods.ladder import one_row_each
    >>> demand = Demand.of([0.0, 1.0], [10.0, 10.0], Kinds.plain(np.ones((1, 1), bool)))
    >>> served = replay(demand, Roster.of(1, [0], [0], [60]), one_row_each(np.zeros((1, 1))))
    >>> (served.start_us / 1e6).tolist()
    [0.0, 10.0]
    """

    def __init__(
        self, demand: Demand, roster: Roster, clock: Clock | None = None, *, n_steps: int | None = None
    ) -> None:
        # Here, not above: loading compiled code takes a second, and score mode never needs it.
        from engine.kernels import replay as kernel

        # Agents whom no kind knows can be asked for nothing, those without a spell are never there.
        roster = roster.of_agents(demand.kinds.eligible.shape[1])
        self._kernel, self._demand, self._n_agents = kernel, demand, roster.n_agents
        self._calls = bundles.calls(kernel, demand)
        self._kinds = bundles.kinds(kernel, demand, clock or Clock())
        self._agents = bundles.agents(kernel, demand, roster, clock or Clock())
        self._roster, self._alerts = roster, bool(demand.alert_us.any())
        self._n_steps = n_steps or max(FEWEST_STEPS, MOST_STEPS * MANY_AGENTS // max(roster.n_agents, MANY_AGENTS))
        self._state: Any = None
        self._served = bundles.served(kernel, demand.arrived_us.size)
        self._ladder: Ladder | None = None
        self._plan: Any = None

    def run_until(self, ladder: Ladder, until_us: int = NEVER_US) -> None:
        """Play all events before an instant [us]; ladders of later calls differ from the first in ranks only."""
        # Packing ranks into words costs more than a short stretch of events; callers go on with the ladder they have.
        if ladder is not self._ladder:
            self._check(ladder)
            self._plan, self._ladder = bundles.plan(self._kernel, ladder), ladder
        if self._state is None:
            self._state = bundles.state(self._kernel, self._demand, self._roster, ladder)
        given = (self._calls, self._kinds, self._plan, self._agents, self._state, self._served)
        # Stopped in between it could still go on, with the same result to the last bit.
        in_slices(self._kernel.replay_until, self._n_steps, np.int64(until_us), *given)

    def copy(self) -> Replay:
        """The same replay at the same instant: both go on, and neither knows of the other."""
        # Only what changes is copied; interactions, kinds and agents are shared and never written to.
        twin = copy(self)
        if self._state is not None:
            twin._state = type(self._state)(*(side.copy() for side in self._state))
        twin._served = type(self._served)(*(side.copy() for side in self._served))
        return twin

    def _check(self, ladder: Ladder) -> None:
        n_kinds = self._demand.kinds.media.size
        if (ladder.n_agents, ladder.n_kinds) != (self._n_agents, n_kinds):
            raise InvalidScenario(
                f"the ladder ranks {ladder.n_agents} agents for {ladder.n_kinds} kinds of interaction, the replay has "
                f"{self._n_agents} and {n_kinds}; make both from the same data"
            )
        before = self._ladder
        # Stages that wait to open were entered with the instants of the ladder before.
        if before is not None and not ladder.has_stages_of(before):
            raise InvalidScenario("the ladder has other stages of waiting than the one before; only ranks may change")

    def so_far(self, rows: slice = ALL) -> Served:
        """What is known now, of some interactions.

        Those waiting, or still to come, or whose alert will come to nothing, read as unserved, seen to wait until the
        last event; those who will answer an alert, as answered already. Columns change as the replay goes on.
        """
        return self._read(rows, 0 if self._state is None else int(self._state.at[self._kernel.LAST_US]))

    def finish(self, ladder: Ladder) -> Served:
        """Play to the end; those whom nobody ever answered are unserved."""
        self.run_until(ladder)
        last_us = int(self._state.at[self._kernel.LAST_US])
        # An answer may lie behind the last event, at the end of its alert; the unserved were seen to wait until then.
        return self._read(ALL, max(last_us, int(self._served.left_us.max(initial=last_us))))

    def vain(self) -> Vain:
        """Alerts that have come to nothing, or will, in the order in which they began."""
        state = self._state
        n = 0 if state is None else int(state.at[self._kernel.N_VAIN])
        if n == 0:
            return NO_VAIN
        columns = (state.vain_agent, state.vain_us, state.vain_end_us, state.vain_call, state.vain_until_us)
        return Vain(*(column[:n].copy() for column in columns))

    def _read(self, rows: slice, last_us: int) -> Served:
        kernel, demand = self._kernel, self._demand
        now, arrived_us = kernel.Served(*(column[rows] for column in self._served)), demand.arrived_us[rows]
        status = np.maximum(now.status, kernel.ANSWERED) - np.int8(kernel.ANSWERED)
        agent, left_us, open_ = now.agent, now.left_us, now.status < kernel.ANSWERED
        # Nearly always everything is settled in the end; columns are then handed on as they are.
        if open_.any():
            status[open_] = Status.UNSERVED
            agent, left_us = np.where(open_, -1, agent), np.where(open_, np.maximum(arrived_us, last_us), left_us)
        offered_us = now.start_us
        if self._alerts:
            # Times of those not answered stay 0, as they are in the record.
            offered_us = (now.start_us - demand.alert_us[rows]) * (status == 0)
        kind = demand.kind[rows]
        # Without queues of its own a demand is one queue; a view of one number takes no memory.
        queue = np.broadcast_to(np.int32(0), kind.shape) if demand.kinds.queue is None else demand.kinds.queue[kind]
        return Served(
            arrived_us, queue, status, (left_us - arrived_us) / 1e6, agent, offered_us=offered_us,
            start_us=now.start_us, end_us=now.end_us, found=now.found, kind=kind,
        )  # fmt: skip


def replay(demand: Demand, roster: Roster, ladder: Ladder, clock: Clock | None = None) -> Served:
    """Play interactions from the first to the last under one ladder.

    Parameters
    ----------
    demand : Demand
        The interactions.
    roster : Roster
        When agents are on queue.
    ladder : Ladder
        Who is asked first.
    clock : Clock, optional
        Idle time and missed alerts.

    Returns
    -------
    Served
        Outcome of each interaction.
    """
    return Replay(demand, roster, clock).finish(ladder)
