"""The slow twin of all that leads to a replay: rows of tables, read with the page of meanings in hand.

Every interaction is a kind of its own, and what was read goes to the slow twin of the event loop. So nothing here
knows of call types, kinds, blocks of scores or compiled code. A scenario is read by its attribute names only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from engine.data.tables import CAPACITY, MEDIA, TABLES, Tables
from engine.errors import MissingInput
from engine.estimates.assumptions import Assumptions
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests import oracle, oracle_replay
from tests.oracle_streams import draw
from tests.small_centres import DAY, PREFERRED_S
from tests.strategies import EPOCH, TICK

DAY_US = 86_400_000_000
NEVER_US = 2**63 - 1
PLATFORM = ("genesys", "preferred_agent")
PICK, NO_ANSWER = 3, 2


class Loop(oracle_replay.Twin):
    """The slow twin of the loop, to be stopped and given other ladders."""

    def through(self, ladders: list[tuple[SimpleNamespace, int]]) -> list[oracle_replay.Outcome]:
        """What comes of every interaction under ladders that each hold up to an instant, the last to the end."""
        for ladder, until_us in ladders:
            self.play(ladder, until_us)
        for outcome in self.outcomes:
            outcome.left_us = self.seen_until_us if outcome.status == "unserved" else outcome.left_us
        return self.outcomes


@dataclass
class Plain:
    """What the slow twin of the loop is given, and the ladder of any day."""

    scenario: Scenario
    rows: oracle.Rows
    agents: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    eligible: list[list[bool]]
    demand: SimpleNamespace
    roster: SimpleNamespace
    clock: SimpleNamespace

    def ladder(self, day: int, weights: dict[str, RoutingWeights] | None = None) -> SimpleNamespace:
        """Who ranks how on a day since 1970, perhaps under weights of each queue."""
        stages = [self._stages(i, day, weights) for i in range(len(self.calls))]
        after_us, rank, pool, limit = zip(*(row for rows in stages for row in rows), strict=True)
        first_row = [sum(map(len, stages[:i])) for i in range(len(stages) + 1)]
        by_draw = self.scenario.method == "random"
        return SimpleNamespace(
            first_row=first_row, after_us=after_us, rank=rank, pool=pool, limit=limit, by_draw=by_draw
        )

    def _stages(self, i: int, day: int, weights: dict[str, RoutingWeights] | None) -> list[tuple[Any, ...]]:
        """Wait after which a stage holds, ranks, and among how many of whom an agent is looked for."""
        method, everybody = self.scenario.method, range(len(self.agents))
        if method == "weighted":
            return [(0, self._keys(i, day, weights), None, 0)]
        if method == "fixed_order":
            return [(0, [-a if self.eligible[i][a] else -math.inf for a in everybody], None, 0)]
        if method not in PLATFORM:
            return [(0, [0 if self.eligible[i][a] else -math.inf for a in everybody], None, 0)]
        pool, limit = self._pool(i), self._limit(self.calls[i])
        standard = [self._standard(i, a) for a in everybody]
        scores = [self._preferred(i, a) if pool[a] else -math.inf for a in everybody]
        if max(scores) == -math.inf:
            return [(0, standard, pool, limit)]
        # Whoever was preferred stays admitted, behind all others.
        joined = [-1e12 if rank == -math.inf < score else rank for rank, score in zip(standard, scores, strict=True)]
        return [(0, scores, pool, 0), (PREFERRED_S * 1_000_000, joined, pool, limit)]

    def _keys(self, i: int, day: int, weights: dict[str, RoutingWeights] | None) -> list[float]:
        """Keys of the scores as they are on a day."""
        call, used = self.calls[i], self.scenario
        if weights is not None:
            used = replace(used, weights=weights[call["queue_id"]], goal=None, performance=0.8)
        # Twins write agents in the order of their table.
        of_agent = {t.agent_id: t for t in oracle.terms(used, self.rows, call | {"arrived_at": EPOCH + day * DAY})}
        terms = [of_agent[agent["agent_id"]] for agent in self.agents]
        least = round(1e9 * used.weights.min_score_threshold)
        # Without a threshold a key of 0 ranks last.
        return [t.key if own and t.key >= least else -math.inf for t, own in zip(terms, self.eligible[i], strict=True)]

    def is_able(self, i: int, a: int) -> bool:
        """Whether the rule of the scenario would ask an agent in the end, were there no threshold."""
        if self.scenario.method == "genesys":
            return self._standard(i, a) > -math.inf
        return self.is_in_force(i, a) if self.scenario.method in PLATFORM else self.eligible[i][a]

    def is_in_force(self, i: int, a: int) -> bool:
        """Whether the rule in force would: members with the language, and the skills unless they do not matter."""
        call, pool = self.calls[i], self._pool(i)[a]
        if pool and self.queue(call)["routing_rules"] and self._score(i, a) > -math.inf:
            return True
        return self._standard(i, a) > -math.inf

    def _preferred(self, i: int, a: int) -> float:
        return self._score(i, a) if self.scenario.method == "preferred_agent" else -math.inf

    def _score(self, i: int, a: int) -> float:
        attached = self.calls[i]["preferred"] or []
        scores = [round(1e9 * e["score"]) for e in attached if e["agent_id"] == self.agents[a]["agent_id"]]
        return max(scores, default=-math.inf)

    def _standard(self, i: int, a: int) -> float:
        """Evaluation methods: skills beyond membership and language."""
        call, agent = self.calls[i], self.agents[a]
        if not self._pool(i)[a]:
            return -math.inf
        wanted, held = oracle.required_skills(call), oracle.levels(agent["skills"])
        how = self.queue(call)["evaluation_method"]
        if how == "NONE":
            return 0.0
        if any(name not in held for name in wanted):
            return -math.inf
        if how == "ALL" or not wanted:
            return 0.0
        levels = [held[name] for name in wanted]
        if self.scenario.switches.language_in_mean and call["language"] is not None:
            levels.append(oracle.levels(agent["languages"])[call["language"]])
        return round(1e9 * (sum(levels) / len(levels)))

    def _pool(self, i: int) -> list[bool]:
        """Members with the language."""
        call = self.calls[i]
        members = oracle.members_of(call["queue_id"], self.rows["agents"], self.rows["members"])
        return [a["agent_id"] in members and oracle.passes_filter(a, call, ["language"]) for a in self.agents]

    def _limit(self, call: dict[str, Any]) -> int:
        best = self.queue(call)["evaluation_method"] == "BEST" and oracle.required_skills(call)
        return self.scenario.switches.longest_idle if best else 0

    def queue(self, call: dict[str, Any]) -> dict[str, Any]:
        defaults = {column.name: column.default for column in TABLES["queues"].columns}
        return next((q for q in self.rows["queues"] if q["queue_id"] == call["queue_id"]), defaults)

    def ladders(self) -> list[tuple[SimpleNamespace, int]]:
        """One for each UTC day on which anything arrives or the next day does."""
        days = range(us(self.calls[0]["arrived_at"]) // DAY_US, us(self.calls[-1]["arrived_at"]) // DAY_US + 1)
        if self.scenario.method != "weighted":
            return [(self.ladder(0), NEVER_US)]
        return [(self.ladder(day), (day + 1) * DAY_US if day < days[-1] else NEVER_US) for day in days]

    def loop(self) -> Loop:
        """Before the first event."""
        return Loop(self.demand, self.roster, self.clock)

    def outcomes(self) -> list[tuple[Any, ...]]:
        """What comes of every interaction, in the columns of the outcomes file; and how many had a choice."""
        ladders = self.ladders()
        return [self.row(i, outcome, ladders) for i, outcome in enumerate(self.loop().through(ladders))]

    def row(self, i: int, outcome: Any, ladders: list[tuple[SimpleNamespace, int]]) -> tuple[Any, ...]:
        wait_s = (outcome.left_us - self.demand.arrived_us[i]) / 1e6
        if outcome.agent < 0:
            return self.calls[i]["interaction_id"], outcome.status, None, wait_s, None, None, None, outcome.found
        asked_us = outcome.start_us - self.demand.alert_us[i]
        ladder = next(ladder for ladder, until_us in ladders if asked_us < until_us)
        rank = ladder.rank[ladder.first_row[i]][outcome.agent]
        return (
            self.calls[i]["interaction_id"], outcome.status, self.agents[outcome.agent]["agent_id"], wait_s,
            when(outcome.start_us), when(outcome.end_us), rank / 1e9 if self.scenario.method == "weighted" else None,
            outcome.found,
        )  # fmt: skip


def us(moment: datetime) -> int:
    return (moment - EPOCH) // TICK


def when(at_us: int) -> datetime:
    return EPOCH + at_us * TICK


def plain(scenario: Scenario, tables: Tables) -> Plain:
    """The tables as the page of meanings reads them."""
    rows = oracle.as_rows(tables)
    agents = sorted(rows["agents"], key=lambda agent: agent["agent_id"])
    calls = oracle.in_time_order(rows["interactions"])
    read = Plain(scenario, rows, agents, calls, [], *[SimpleNamespace()] * 3)
    read.eligible = [[_is_eligible(read, i, a) for a in range(len(agents))] for i in range(len(calls))]
    read.demand, read.roster, read.clock = _demand(read), _roster(read), _clock(read)
    return read


def _is_eligible(read: Plain, i: int, a: int) -> bool:
    """Whether an agent passes the hard filters of the scenario."""
    if "today" in read.scenario.required:
        return read.is_in_force(i, a)
    agent, call = read.agents[a], read.calls[i]
    is_member = agent["agent_id"] in oracle.members_of(call["queue_id"], read.agents, read.rows["members"])
    return is_member and oracle.passes_filter(agent, call, read.scenario.required)


def _demand(read: Plain) -> SimpleNamespace:
    calls, assumed = read.calls, read.scenario.assumptions
    arrived_us = [us(call["arrived_at"]) for call in calls]
    leaves = [_leaves_s(call, assumed) for call in calls]
    kinds = SimpleNamespace(
        media=[MEDIA.index(call["media"]) for call in calls],
        tier=[int(read.queue(call)["scoring_method"] != "PriorityOnly") for call in calls],
        lead_us=[_lead_us(read, call) for call in calls],
        able=[[read.is_able(i, a) for a in range(len(read.agents))] for i in range(len(calls))],
        eligible=read.eligible,
        timeout_us=[_timeout_us(read.queue(call), assumed) for call in calls],
    )
    return SimpleNamespace(
        kinds=kinds, kind=range(len(calls)), arrived_us=arrived_us, factor=None,
        handle_us=[_handle_us(call, assumed) for call in calls],
        leave_us=[
            NEVER_US if wait_s == math.inf else at_us + round(1e6 * wait_s)
            for at_us, (wait_s, _) in zip(arrived_us, leaves, strict=True)
        ],
        flows_out=[flows_out for _, flows_out in leaves],
        alert_us=[round(1e6 * (call["alert_s"] or 0)) for call in calls],
        misses=[_misses(call["interaction_id"], read.scenario) for call in calls],
        pick=[draw(call["interaction_id"], read.scenario.seed, PICK) for call in calls],
    )  # fmt: skip


def _lead_us(read: Plain, call: dict[str, Any]) -> int:
    """Waiting worth a point; where priority goes before everything, only its order matters."""
    if read.queue(call)["scoring_method"] == "PriorityOnly":
        return round(1e6 * call["priority"])
    return round(1e6 * (read.scenario.assumptions.point_s * call["priority"]))


def _handle_us(call: dict[str, Any], assumed: Assumptions) -> int:
    """One handling time fits all where any is missing."""
    if call["handle_s"] is None:
        return 7_000_000
    return round(1e6 * (call["handle_s"] + (assumed.acw_s if call["acw_s"] is None else 0)))


def _leaves_s(call: dict[str, Any], assumed: Assumptions) -> tuple[float, bool]:
    """Longest wait, and whether it ends in an exit of the flow."""
    patience_s = math.inf
    # Nobody gives up a callback, but the flow may end it.
    if assumed.patience == "estimated" and call["media"] != "callback":
        if call["patience_s"] is not None:
            patience_s = call["patience_s"]
        elif call["outcome"] == "abandoned":
            patience_s = call["wait_s"]
    took = call["agent_id"] is not None or (call["handle_s"] or 0) > 0
    ended = call["outcome"] == "unknown" and not took and call["wait_s"] is not None
    if not (call["outcome"] == "flowed_out" or ended) or (call["wait_s"] is None and assumed.flow_out == "recorded"):
        return patience_s, False
    flow_s = {"recorded": call["wait_s"], "never": math.inf}.get(assumed.flow_out, assumed.flow_out)
    return min(patience_s, flow_s), flow_s <= patience_s and flow_s < math.inf


def _timeout_us(queue: dict[str, Any], assumed: Assumptions) -> int:
    """How long an alert that nobody answers lasts: as its queue says, else as assumed."""
    own = queue["alerting_timeout_s"]
    return round(1e6 * (assumed.timeout_s if own is None else own))


def _misses(name: str, scenario: Scenario) -> int:
    """Alerts in a row that nobody answers: n or more with a chance of share ** n."""
    share, u = scenario.assumptions.no_answer, draw(name, scenario.seed, NO_ANSWER)
    return 0 if share == 0 else next(n for n in range(1000) if 1 - u > share ** (n + 1))


def _roster(read: Plain) -> SimpleNamespace:
    place = {agent["agent_id"]: number for number, agent in enumerate(read.agents)}
    blocks = [
        (place[row["agent_id"]], us(row["start_at"]), us(row["end_at"]))
        for row in read.rows["staffing"]
        if row["agent_id"] in place
    ] or _inferred(read, place)
    capacities = [
        dict(zip(MEDIA, CAPACITY, strict=True)) | {entry["media"]: entry["count"] for entry in agent_["capacity"] or []}
        for agent_ in read.agents
    ]
    rules = [
        {"email": [*MEDIA]} | {entry["media"]: entry["by"] for entry in agent_["interrupted_by"] or []}
        for agent_ in read.agents
    ]
    busy, held = [], []
    for row in read.rows["busy"]:
        if row["agent_id"] in place:
            a, media = place[row["agent_id"]], row["media"]
            spell = (a, us(row["start_at"]), us(row["end_at"]))
            room = media is not None and any(
                capacities[a][new] > 1 if new == media else capacities[a][new] > 0 and new in rules[a].get(media, [])
                for new in MEDIA
            )
            # Work that leaves room for nothing takes its agent off queue.
            if room:
                held.append((*spell, MEDIA.index(media)))
            else:
                busy.append(spell)
    spells = [(a, *spell) for a in place.values() for spell in _runs(of(blocks, a), of(busy, a))]
    agent, start_us, end_us = ([spell[side] for spell in spells] for side in range(3))
    elsewhere = (
        dict(zip(("agent", "start_us", "end_us", "media"), zip(*held, strict=True), strict=True)) if held else {}
    )
    return SimpleNamespace(
        agent=agent, start_us=start_us, end_us=end_us,
        idle_us=[_idle_us(read, a, of(blocks, a), of(spells, a)) for a in place.values()],
        capacity=[[capacity[media] for media in MEDIA] for capacity in capacities],
        interrupts=[[[new in rule.get(old, []) for new in MEDIA] for old in MEDIA] for rule in rules],
        held=SimpleNamespace(**{name: elsewhere.get(name, ()) for name in ("agent", "start_us", "end_us", "media")}),
    )  # fmt: skip


def of(spells: list[tuple[int, int, int]], a: int) -> list[tuple[int, int]]:
    """Those of one agent."""
    return [(start, end) for agent, start, end in spells if agent == a]


def _runs(on: list[tuple[int, int]], off: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """What is covered by the one and not by the other, in pieces as long as possible."""
    edges = sorted({edge for spell in [*on, *off] for edge in spell})
    runs: list[tuple[int, int]] = []
    for start, end in pairwise(edges):
        covered = any(low <= start < high for low, high in on) and not any(low <= start < high for low, high in off)
        if covered and runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end)
        elif covered:
            runs.append((start, end))
    return runs


def _inferred(read: Plain, place: dict[str, int]) -> list[tuple[int, int, int]]:
    """Each agent's services, joined across gaps that are not too long, then made longer."""
    assumed, blocks = read.scenario.assumptions, []
    for name, a in place.items():
        services = []
        for call in read.calls:
            if call["agent_id"] == name and (call["handle_s"] is not None or call["outcome"] == "answered"):
                start = us(call["arrived_at"]) + round(1e6 * (call["wait_s"] or 0))
                added_s = assumed.acw_s if call["acw_s"] is None else 0
                services.append((start, start + round(1e6 * ((call["handle_s"] or 0) + added_s))))
        joined: list[list[int]] = []
        for start, end in sorted(services):
            if joined and start - joined[-1][1] <= 1e6 * assumed.join_gap_s:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        longer = [(low - round(1e6 * assumed.lead_s), high + round(1e6 * assumed.tail_s)) for low, high in joined]
        blocks += [(a, low, high) for low, high in longer if low < high]
    if not blocks:
        raise MissingInput("staffing cannot be inferred")
    return blocks


def _idle_us(read: Plain, a: int, blocks: list[tuple[int, int]], spells: list[tuple[int, int]]) -> int:
    """Since when an agent is idle who has handled nothing; blocks over before the first arrival play no part."""
    first_us = us(read.calls[0]["arrived_at"])
    to_come = [start for start, end in spells if end > first_us]
    asked_us = max(min(to_come, default=NEVER_US), first_us)
    known = read.agents[a]["idle_since"]
    if known is not None and us(known) <= asked_us:
        return us(known)
    if read.scenario.switches.new_agents_last:
        return NEVER_US
    return min((start for start, end in _runs(blocks) if end > first_us), default=NEVER_US)


def _clock(read: Plain) -> SimpleNamespace:
    assumed, switches = read.scenario.assumptions, read.scenario.switches
    return SimpleNamespace(
        lookback_s=86_400 * switches.lookback_days if switches.new_agents_last else 0,
        resets_on_queue=switches.resets_on_queue,
        alert_resets=switches.alert_resets_idle,
        away_s=assumed.away_s,
    )  # fmt: skip
