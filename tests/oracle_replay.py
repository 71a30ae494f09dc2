"""The slow twin of the replay: a list of events of which the first is taken each time, plain lists and loops.

Nothing here is shared with the engine: demand, roster, ladder and clock are read by their attribute names
only. Times are whole microseconds. Whoever doubts a choice can print the events and follow them with a pencil.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NEVER_US = 2**63 - 1
# Events at one instant happen in this order; those of one sort by interaction, then agent.
TAKEN, END, SPELL_ENDS, GIVEN_BACK, SPELL_STARTS, STAGE_OPENS, ARRIVAL, PATIENCE_ENDS = range(8)


@dataclass
class Outcome:
    """What came of one interaction."""

    status: str = "unserved"
    agent: int = -1
    start_us: int = 0
    end_us: int = 0
    left_us: int = 0
    found: int = 0


def played(demand: Any, roster: Any, ladders: list[tuple[Any, int]], clock: Any) -> list[Outcome]:
    """What comes of every interaction under ladders that each hold up to an instant, the last one to the end."""
    twin = Twin(demand, roster, clock)
    for ladder, until_us in ladders[:-1]:
        twin.play(ladder, until_us)
    twin.play(ladders[-1][0], NEVER_US)
    for outcome in twin.outcomes:
        if outcome.status == "unserved":
            outcome.left_us = twin.seen_until_us
    return twin.outcomes


class Twin:
    """A replay: who is on queue, what each agent has in hand, who waits, and what is to happen."""

    def __init__(self, demand: Any, roster: Any, clock: Any) -> None:
        self.demand, self.kinds, self.roster, self.clock = demand, demand.kinds, roster, clock
        # Who counts for a choice: whom the rule would ask in the end.
        self.able = self.kinds.eligible if getattr(self.kinds, "able", None) is None else self.kinds.able
        self.agents, self.media = range(len(roster.idle_us)), range(len(roster.interrupts[0]))
        self.now_us = self.seen_until_us = 0
        self.waiting: list[int] = []
        self.in_hand: dict[int, list[int]] = {a: [] for a in self.agents}  # alerting or being handled
        self.elsewhere: dict[int, list[int]] = {a: [] for a in self.agents}  # media of other work in hand
        self.on_queue_until_us: dict[int, int] = {}  # agents on queue only
        self.absences = dict.fromkeys(self.agents, 0)  # alerts not answered that still keep the agent away
        self.idle_us = {a: int(roster.idle_us[a]) for a in self.agents}
        self.outcomes = [Outcome() for _ in demand.arrived_us]
        self.misses = [int(misses) for misses in demand.misses]  # alerts that will yet go unanswered
        # Alerts that come to nothing: agent, from, to, interaction, and when the agent can be asked again.
        self.in_vain: list[tuple[int, int, int, int, int]] = []
        # Each event: instant, sort, two numbers that order events of one sort, and what a sort leaves open.
        self.events: list[tuple[int, int, int, int, Any]] = []
        for i, at_us in enumerate(demand.arrived_us):
            self.expect(at_us, ARRIVAL, i)
            self.expect(demand.leave_us[i], PATIENCE_ENDS, i)
        for a, start_us, end_us in zip(roster.agent, roster.start_us, roster.end_us, strict=True):
            self.expect(start_us, SPELL_STARTS, a, more=int(end_us))
            self.expect(end_us, SPELL_ENDS, a)
        held = roster.held
        for a, start_us, end_us, media in zip(held.agent, held.start_us, held.end_us, held.media, strict=True):
            # What bars its agent from nothing that ever comes is no event: nobody looks again when it ends.
            if any(new == media or not roster.interrupts[a][media][new] for new in {*map(int, self.kinds.media)}):
                self.expect(start_us, TAKEN, a, int(media))
                self.expect(end_us, GIVEN_BACK, a, int(media))

    def expect(self, at_us: int, sort: int, first: int, second: int = 0, more: Any = "") -> None:
        self.events.append((int(at_us), sort, int(first), int(second), more))

    # --- events -------------------------------------------------------------------------------------------

    def play(self, ladder: Any, until_us: int) -> None:
        """All events before an instant."""
        self.ladder = ladder
        while self.events and min(self.events)[0] < until_us:
            event = min(self.events)
            self.events.remove(event)
            at_us, sort, first, second, more = event
            if sort in {STAGE_OPENS, PATIENCE_ENDS} and first not in self.waiting:
                continue  # it is with an agent or gone
            self.now_us = at_us
            if sort == TAKEN:
                self.elsewhere[first].append(second)
                continue
            if sort == GIVEN_BACK:
                self.elsewhere[first].remove(second)
                self.look_for_interactions(first)
                continue
            self.seen_until_us = at_us
            if sort == END:
                self.end(first, second, more)
            elif sort == SPELL_ENDS:
                del self.on_queue_until_us[first]
            elif sort == SPELL_STARTS:
                self.come_on_queue(first, more)
            elif sort == STAGE_OPENS:
                self.look_for_an_agent(first)
            elif sort == ARRIVAL:
                self.arrive(first)
            else:
                self.waiting.remove(first)
                self.leave(first)

    def arrive(self, i: int) -> None:
        for row in self.rows(i)[1:]:
            self.expect(self.now_us + int(self.ladder.after_us[row]), STAGE_OPENS, i)
        self.waiting.append(i)
        self.look_for_an_agent(i)

    def come_on_queue(self, a: int, until_us: int) -> None:
        self.on_queue_until_us[a] = until_us
        lookback_us = round(1e6 * self.clock.lookback_s)
        if self.clock.resets_on_queue:
            self.idle_us[a] = self.now_us
        elif lookback_us > 0 and self.now_us - self.idle_us[a] > lookback_us:
            self.idle_us[a] = NEVER_US
        self.look_for_interactions(a)

    def end(self, i: int, a: int, why: str) -> None:
        if why == "back":
            a -= len(self.agents)
            self.absences[a] -= 1
            self.look_for_interactions(a)
            return
        self.in_hand[a].remove(i)
        if why == "handled" or self.clock.alert_resets:
            self.idle_us[a] = self.now_us
        if why == "missed":
            self.miss(i, a)
            return
        if why == "left":
            self.leave(i)
        self.look_for_interactions(a)

    def miss(self, i: int, a: int) -> None:
        """The agent is away for a while; the interaction asks the next one, or waits at its old place."""
        self.misses[i] -= 1
        self.absences[a] += 1
        self.expect(self.now_us + round(1e6 * self.clock.away_s), END, i, a + len(self.agents), "back")
        self.waiting.append(i)
        self.look_for_an_agent(i)

    def leave(self, i: int) -> None:
        self.outcomes[i].status = "flowed_out" if self.demand.flows_out[i] else "abandoned"
        self.outcomes[i].left_us = self.now_us

    # --- who could take what --------------------------------------------------------------------------------

    def rows(self, i: int) -> list[int]:
        kind = self.demand.kind[i]
        return list(range(self.ladder.first_row[kind], self.ladder.first_row[kind + 1]))

    def row(self, i: int) -> int:
        """The stage of waiting it has reached."""
        waited_us = self.now_us - self.demand.arrived_us[i]
        return max(row for row in self.rows(i) if self.ladder.after_us[row] <= waited_us)

    def is_free(self, a: int, i: int) -> bool:
        """On queue, not away, with room for the media."""
        if a not in self.on_queue_until_us or self.now_us >= self.on_queue_until_us[a] or self.absences[a]:
            return False
        new = self.media_of(i)
        held = [self.media_of(other) for other in self.in_hand[a]] + self.elsewhere[a]
        if held.count(new) >= self.roster.capacity[a][new]:
            return False
        return all(other == new or self.roster.interrupts[a][other][new] for other in held)

    def media_of(self, i: int) -> int:
        return int(self.kinds.media[self.demand.kind[i]])

    def is_ranked(self, a: int, i: int) -> bool:
        return bool(self.ladder.rank[self.row(i)][a] > float("-inf"))

    # --- choices --------------------------------------------------------------------------------------------

    def look_for_an_agent(self, i: int) -> None:
        free = [a for a in self.agents if self.is_free(a, i)]
        able = [a for a in free if self.able[self.demand.kind[i]][a]]
        self.outcomes[i].found = max(self.outcomes[i].found, min(2, len(able)))
        a = self.agent_for(i, free)
        if a is not None:
            self.assign(i, a)

    def agent_for(self, i: int, free: list[int]) -> int | None:
        ladder, row = self.ladder, self.row(i)
        looked_at = free
        if ladder.limit is not None and ladder.limit[row] > 0 and not ladder.by_draw:
            pool = [a for a in free if (self.is_ranked(a, i) if ladder.pool is None else ladder.pool[row][a])]
            looked_at = sorted(pool, key=lambda a: (self.idle_us[a], a))[: ladder.limit[row]]
        ranked = [a for a in looked_at if self.is_ranked(a, i)]
        if not ranked:
            return None
        if ladder.by_draw:
            return ranked[min(int(self.demand.pick[i] * len(ranked)), len(ranked) - 1)]
        return min(ranked, key=lambda a: (-ladder.rank[row][a], self.idle_us[a], a))

    def look_for_interactions(self, a: int) -> None:
        """All waiting are looked at; as ranks are only ever added, the oldest of each kind would be enough."""
        while fits := [i for i in self.waiting if self.is_free(a, i) and self.is_ranked(a, i)]:
            self.assign(min(fits, key=self.turn), a)

    def turn(self, i: int) -> tuple[int, int, int]:
        kind = self.demand.kind[i]
        tier, lead_us = int(self.kinds.tier[kind]), int(self.kinds.lead_us[kind])
        return tier, (int(self.demand.arrived_us[i]) if tier > 0 else 0) - lead_us, i

    def assign(self, i: int, a: int) -> None:
        """How an alert comes out is known beforehand."""
        self.waiting.remove(i)
        self.in_hand[a].append(i)
        misses, leave_us = self.misses[i] > 0, self.demand.leave_us[i]
        ready_us = self.now_us + (self._timeout_us(i) if misses else int(self.demand.alert_us[i]))
        end_us = int(min(leave_us, ready_us))
        if misses or leave_us < ready_us:
            away_us = round(1e6 * self.clock.away_s) if leave_us >= ready_us else 0
            self.in_vain.append((a, self.now_us, end_us, i, end_us + away_us))
        if leave_us < ready_us:
            self.expect(leave_us, END, i, a, "left")
        elif misses:
            self.expect(ready_us, END, i, a, "missed")
        else:
            self.idle_us[a] = self.now_us
            end_us = ready_us + self.handle_us(i, a)
            self.expect(end_us, END, i, a, "handled")
            outcome = self.outcomes[i]
            outcome.status, outcome.agent = "answered", a
            outcome.start_us, outcome.end_us, outcome.left_us = ready_us, end_us, ready_us

    def _timeout_us(self, i: int) -> int:
        """How long an unanswered alert lasts: as its kind says, else as the clock."""
        own = self.demand.kinds.timeout_us
        return round(1e6 * self.clock.timeout_s) if own is None else int(own[self.demand.kind[i]])

    def handle_us(self, i: int, a: int) -> int:
        if self.demand.factor is None:
            return int(self.demand.handle_us[i])
        factor = self.demand.factor[self.demand.handling[i]][a]
        return round(float(self.demand.base_us[i]) * float(factor))
