"""From tables to outcomes by two ways: the engine's arrays, and plain rows read with the page of meanings in hand.

The plain way makes every interaction a kind of its own and hands what it read to the slow twin of the event
loop, so it knows nothing of call types, kinds, blocks of scores or compiled code.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

from engine import prepare
from engine.arrays import encode
from engine.assumptions import Assumptions, Switches
from engine.errors import InvalidTable, MissingInput
from engine.prepare import Recorded, demand_of, eligibility, kinds_of, sort_kinds, terms_for
from engine.replay import STATUS
from engine.run import run
from engine.scenario import Scenario
from engine.tables import CAPACITY, MEDIA, TABLES, Tables
from engine.weights import RoutingWeights
from tests import oracle, oracle_replay
from tests.strategies import EPOCH, LANGUAGES, MIDNIGHT, SKILLS, TICK, UNKNOWN_AGENT, Dice, table
from tests.test_streams import draw

# 100 by default, forty times as many at night.
N_CENTRES = 4 * settings.default.max_examples
DAY = timedelta(days=1)
DAY_US = 86_400_000_000
NEVER_US = 2**63 - 1
PREFERRED_S = 6
# In every queue, where the method looks at it.
RULES = f'[{{"operator": "ANY", "waitSeconds": {PREFERRED_S}}}]'
PLATFORM = ("genesys", "preferred_agent")
PICK, NO_ANSWER = 3, 2
COLUMNS = ("interaction_id", "status", "selected_agent_id", "wait_s", "start_at", "end_at", "composite_score")


# --- random centres: a few calls around each of two midnights, on whole seconds, so that much coincides ---------


def centre(seed: int) -> Tables:
    """Agents, queues and calls around two midnights, between which satisfaction changes; one call on the last day."""
    dice = Dice(random.Random(seed))
    alike = dice.one(True, False)  # so many who can take the same that queues form
    names = dice.random.sample(("a1", "a10", "a2", "B", "Ä", "x;y"), dice.random.randint(1, 5))
    return Tables(
        agents=table("agents", [_agent(dice, name, alike) for name in names]),
        interactions=table("interactions", _calls(dice, dice.random.randint(1, 24), names)),
        members=table("members", dice.one([], _members(dice, names), _members(dice, names))),
        queues=table("queues", [_queue(dice, queue) for queue in ("q1", "q2")]),
        surveys=table("surveys", [_survey(dice, n, names) for n in range(dice.one(0, 4, 12))]),
        staffing=table("staffing", dice.one([], *[_spells(dice, [*names, *names], 45)] * 3)),
        busy=table("busy", dice.one([], _spells(dice, names, 8))),
    )


def _agent(dice: Dice, name: str, alike: bool) -> dict[str, Any]:
    levels = [
        [{"name": name, "proficiency": dice.one(0.0, 2.0, 3.0, 5.0)} for name in dice.some(*two)]
        for two in (SKILLS[:2], LANGUAGES[:2])
    ]
    capacity = [{"media": media, "count": dice.one(0, 1, 2)} for media in dice.some("voice", "chat", "email")]
    return {
        "agent_id": name,
        "agent_name": dice.maybe("Somebody"),
        "skills": [{"name": name, "proficiency": dice.one(3.0, 5.0)} for name in SKILLS[:2]] if alike else levels[0],
        "languages": [{"name": name, "proficiency": 5.0} for name in LANGUAGES[:2]] if alike else levels[1],
        "idle_since": dice.maybe(*(_moment(dice, 40) for _ in range(2))),
        "capacity": dice.one(None, None, capacity),
    }


def _moment(dice: Dice, within_s: int) -> datetime:
    """A second near one of two midnights."""
    return MIDNIGHT + dice.one(1, 2) * DAY + timedelta(seconds=dice.random.randint(-within_s, within_s))


def _calls(dice: Dice, n: int, names: list[str]) -> list[dict[str, Any]]:
    """Half of the logs record everything; in the others one handling time fits all, and nobody gives up."""
    whole, several = dice.one(True, False), dice.one(True, False)
    rows = [_call(dice, number, names, whole, several) for number in dice.random.sample(range(n), n)]
    # Somebody has worked, so that staffing can be inferred and handling times drawn.
    worked = {"outcome": "answered", "agent_id": names[0], "handle_s": 7.0}
    rows[0] |= worked | ({"patience_s": 10.0} if whole else {})
    # A call when nobody is there any more: to the end, the score is the one of the day.
    last = {"interaction_id": "~last", "arrived_at": MIDNIGHT + 3 * DAY + DAY / 2, "patience_s": 1.0}
    return [*rows, _call(dice, 0, names, whole, False) | last | {"outcome": "unknown", "agent_id": None}]


def _call(dice: Dice, number: int, names: list[str], whole: bool, several: bool) -> dict[str, Any]:
    outcome = dice.one("answered", "answered", "abandoned", "flowed_out", "unknown") if whole else "answered"
    gives_up = outcome == "abandoned" and dice.one(True, False)
    return {
        "interaction_id": f"i{number}",
        "queue_id": dice.one("q1", "q1", "q2"),
        "arrived_at": _moment(dice, 15),
        "media": dice.one("voice", "chat", "email", "callback") if several else "voice",
        "skills": dice.maybe([], *([name] for name in SKILLS[:2]), list(SKILLS[1::-1])),
        "language": dice.maybe(*LANGUAGES[:2]),
        "priority": dice.one(0.0, 0.0, 0.0, 0.1, 0.25, -0.1, 2.0),
        "outcome": outcome,
        "agent_id": dice.maybe(*names, UNKNOWN_AGENT),
        "wait_s": float(dice.random.randint(0, 12)) if gives_up or dice.one(True, True, False) else None,
        "alert_s": dice.one(None, None, 0.0, 1.0, 3.5),
        "handle_s": dice.one(0.0, 1.0, 5.0, 9.0, 12.5, 30.0) if whole else dice.maybe(7.0),
        "acw_s": dice.one(None, 2.0) if whole else 0.0,
        "patience_s": None if gives_up or not whole else dice.one(0.0, 3.0, 10.0, 40.0, 400.0),
        "preferred": dice.maybe(
            *[[{"agent_id": a, "score": dice.one(0.0, 50.0, 99.5)} for a in dice.some(*names, *names, UNKNOWN_AGENT)]]
            * 2
        ),
    }


def _members(dice: Dice, names: list[str]) -> list[dict[str, Any]]:
    return [
        {"queue_id": queue, "agent_id": name, "joined": dice.one(True, True, True, False)}
        for queue in ("q1", "q2")
        for name in [*dice.some(*names), UNKNOWN_AGENT]
    ]


def _queue(dice: Dice, queue: str) -> dict[str, Any]:
    return {
        "queue_id": queue,
        "evaluation_method": dice.one("ALL", "ALL", "BEST", "NONE"),
        "scoring_method": dice.one("TimestampAndPriority", "TimestampAndPriority", "PriorityOnly"),
        "service_level_s": dice.one(5.0, 20.0),
        "routing_rules": RULES,
        "alerting_timeout_s": dice.maybe(1.0, 3.0),
    }


def _survey(dice: Dice, number: int, names: list[str]) -> dict[str, Any]:
    """Completed around the midnights, mostly before the second."""
    return {
        "survey_id": f"s{number}",
        "agent_id": dice.one(*names, UNKNOWN_AGENT),
        "queue_id": dice.maybe("q1", "q2"),
        "completed_at": MIDNIGHT + dice.one(1, 1, 2) * DAY + dice.one(-TICK, timedelta(0), -DAY / 2, DAY / 2),
        "score": dice.one(0.0, 0.5, 1.0, 1.0),
        "scale_min": 0.0,
        "scale_max": 1.0,
    }


def _spells(dice: Dice, names: list[str], longest_s: int) -> list[dict[str, Any]]:
    """Around the midnights, overlapping or touching, an unknown agent's among them."""
    rows = []
    for name in [*names, *names, UNKNOWN_AGENT]:
        start = _moment(dice, 25)
        end = start + timedelta(seconds=dice.random.randint(1, longest_s))
        rows.append({"agent_id": name, "start_at": start, "end_at": end})
    return rows


def scenario(seed: int, method: str) -> Scenario:
    """Assumptions of a few seconds, switches either way, coarse weights."""
    dice = Dice(random.Random(seed + 10**6))
    assumptions = Assumptions(
        join_gap_s=dice.one(900.0, 5.0), lead_s=dice.one(0.0, 2.0), tail_s=dice.one(0.0, 3.0),
        acw_s=dice.one(0.0, 1.5), patience=dice.one("estimated", "estimated", "never"),
        flow_out=dice.one("recorded", "never", 4.0), point_s=dice.one(60.0, 5.0, 0.0),
        no_answer=dice.one(0.0, 0.0, 0.4), timeout_s=dice.one(2.0, 0.5), away_s=dice.one(6.0, 0.0),
    )  # fmt: skip
    switches = Switches(
        language_in_mean=dice.one(True, False), alert_resets_idle=dice.one(True, False),
        resets_on_queue=dice.one(True, False, False), new_agents_last=dice.one(True, False),
        lookback_days=dice.one(7.0, 20 / 86_400, 0.0), longest_idle=dice.one(100, 1, 2, 0),
    )  # fmt: skip
    return Scenario(
        mode="replay", method=method, assumptions=assumptions, switches=switches, seed=dice.one(0, 5),
        weights=RoutingWeights(dice.one(0.0, 0.3), 0.2, dice.one(0.0, 0.5, 1.0), dice.one(0.0, 0.0, 0.4, 0.7)),
        required=dice.one((), (), ("skills",), ("language",)), csat=dice.one("asof", "asof", "asof", "all"),
        csat_missing=dice.one(0.5, 0.0, "queue-mean"), language=dice.one("binary", "proficiency"),
    )  # fmt: skip


# --- the plain way ------------------------------------------------------------------------------------------------


class Loop(oracle_replay.Twin):
    """The slow twin of the loop, where an alert lasts as long as its queue says."""

    def assign(self, i: int, a: int) -> None:
        self.clock.timeout_s = self.demand.timeout_s[i]
        super().assign(i, a)

    def through(self, ladders: list[tuple[SimpleNamespace, int]]) -> list[oracle_replay.Outcome]:
        """What comes of every interaction under ladders that each hold up to an instant, the last to the end."""
        for ladder, until_us in ladders:
            self.play(ladder, until_us)
        for outcome in self.outcomes:
            outcome.left_us = self.now_us if outcome.status == "unserved" else outcome.left_us
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
        least = used.weights.min_score_threshold
        return [t.key if oracle.is_eligible_by_key(t, least) else -math.inf for t in terms]

    def _preferred(self, i: int, a: int) -> float:
        if self.scenario.method != "preferred_agent":
            return -math.inf
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
    wanted = [*scenario.required, *(["language"] if scenario.method in PLATFORM else [])]
    eligible = [
        [
            agent["agent_id"] in oracle.members_of(call["queue_id"], agents, rows["members"])
            and oracle.passes_filter(agent, call, wanted)
            for agent in agents
        ]
        for call in calls
    ]
    read = Plain(scenario, rows, agents, calls, eligible, *[SimpleNamespace()] * 3)
    read.demand, read.roster, read.clock = _demand(read), _roster(read), _clock(read)
    return read


def _demand(read: Plain) -> SimpleNamespace:
    calls, assumed = read.calls, read.scenario.assumptions
    arrived_us = [us(call["arrived_at"]) for call in calls]
    leaves = [_leaves_s(call, assumed) for call in calls]
    kinds = SimpleNamespace(
        media=[MEDIA.index(call["media"]) for call in calls],
        tier=[int(read.queue(call)["scoring_method"] != "PriorityOnly") for call in calls],
        lead_us=[_lead_us(read, call) for call in calls],
        eligible=read.eligible,
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
        timeout_s=[_timeout_s(read.queue(call), assumed) for call in calls],
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
    if call["media"] == "callback":
        return math.inf, False
    patience_s = math.inf
    if assumed.patience == "estimated":
        if call["patience_s"] is not None:
            patience_s = call["patience_s"]
        elif call["outcome"] == "abandoned":
            patience_s = call["wait_s"]
    if call["outcome"] != "flowed_out" or (call["wait_s"] is None and assumed.flow_out == "recorded"):
        return patience_s, False
    flow_s = {"recorded": call["wait_s"], "never": math.inf}.get(assumed.flow_out, assumed.flow_out)
    return min(patience_s, flow_s), flow_s <= patience_s and flow_s < math.inf


def _timeout_s(queue: dict[str, Any], assumed: Assumptions) -> float:
    return assumed.timeout_s if queue["alerting_timeout_s"] is None else queue["alerting_timeout_s"]


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
    busy = [
        (place[row["agent_id"]], us(row["start_at"]), us(row["end_at"]))
        for row in read.rows["busy"]
        if row["agent_id"] in place
    ]
    spells = [(a, *spell) for a in place.values() for spell in _runs(of(blocks, a), of(busy, a))]
    agent, start_us, end_us = ([spell[side] for spell in spells] for side in range(3))
    capacities = [
        dict(zip(MEDIA, CAPACITY, strict=True)) | {entry["media"]: entry["count"] for entry in agent_["capacity"] or []}
        for agent_ in read.agents
    ]
    return SimpleNamespace(
        agent=agent, start_us=start_us, end_us=end_us,
        idle_us=[_idle_us(read, a, of(blocks, a), of(spells, a)) for a in place.values()],
        capacity=[[capacity[media] for media in MEDIA] for capacity in capacities],
        interrupts=[[media == "email"] * len(MEDIA) for media in MEDIA],
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
    if read.scenario.method in PLATFORM and read.scenario.switches.new_agents_last:
        return NEVER_US
    return min((start for start, end in _runs(blocks) if end > first_us), default=NEVER_US)


def _clock(read: Plain) -> SimpleNamespace:
    assumed, switches, platform = read.scenario.assumptions, read.scenario.switches, read.scenario.method in PLATFORM
    return SimpleNamespace(
        lookback_s=86_400 * switches.lookback_days if platform and switches.new_agents_last else 0,
        resets_on_queue=platform and switches.resets_on_queue,
        alert_resets=platform and switches.alert_resets_idle,
        timeout_s=assumed.timeout_s, away_s=assumed.away_s,
    )  # fmt: skip


def engine_outcomes(scenario: Scenario, tables: Any) -> tuple[list[tuple[Any, ...]], Any]:
    """Rows of the outcomes file, and the report."""
    kept: list[Any] = []
    report = run(scenario, tables, kept.append)
    return list(kept[0].to_frame().select(COLUMNS).iter_rows()), report


# --- both ways ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("methods", [
    ("weighted",), ("genesys",), ("preferred_agent", "longest_idle", "fixed_order", "random"),
])  # fmt: skip
def test_tables_come_out_as_by_hand(methods: tuple[str, ...]) -> None:
    """Outcome by outcome; with all sorts of outcomes, or the comparison would say little."""
    statuses: Counter[str] = Counter()
    n_refused = 0
    for seed in range(N_CENTRES):
        tables, chosen = centre(seed), scenario(seed, methods[seed % len(methods)])
        try:
            by_hand = plain(chosen, tables).outcomes()
        except MissingInput:
            n_refused += 1
            with pytest.raises(MissingInput, match="staffing cannot be inferred"):
                run(chosen, tables)
            continue
        rows, report = engine_outcomes(chosen, tables)
        assert rows == [row[:-1] for row in by_hand], f"centre({seed}), {methods}"
        assert report.service_level["choice_share"] == sum(row[-1] == 2 for row in by_hand) / len(by_hand)
        statuses.update(row[1] for row in rows)
    assert min(statuses[name] for name in STATUS) > 0.02 * statuses.total()
    assert statuses["answered"] > 0.3 * statuses.total()
    assert n_refused < N_CENTRES / 10


def test_the_log_says_when_agents_were_there_or_nothing_does():
    """Without a staffing table, and with nobody named: refused with the way out."""
    tables = replace(centre(1), staffing=TABLES["staffing"].empty())
    nobody = tables.interactions.with_columns(agent_id=pl.lit(UNKNOWN_AGENT))
    with pytest.raises(MissingInput, match="give a staffing table"):
        run(Scenario(mode="replay"), replace(tables, interactions=nobody))


# --- kinds --------------------------------------------------------------------------------------------------------


def test_a_kind_is_a_call_type_a_media_and_whom_the_flow_prefers():
    """Every row finds its own values in its kind, two kinds never have the same; agents nobody knows are dropped."""
    n_merged = 0
    for seed in range(N_CENTRES // 4):
        arrays = encode(centre(seed))
        history, names = arrays.history(), arrays.centre.agent_ids
        for with_preferred in (False, True):
            found = sort_kinds(history, arrays.centre, with_preferred=with_preferred)
            lists = found.preferred or [None] * found.call_type.size
            kinds = list(zip(found.call_type.tolist(), found.media.tolist(), lists, strict=True))
            attached = [None] * history.n if history.preferred is None else history.preferred.to_list()
            for row, kind in enumerate(found.kind):
                known = [
                    (names.index(e["agent_id"]), e["score"]) for e in attached[row] or () if e["agent_id"] in names
                ]
                expected = tuple(known) or None if with_preferred else None
                assert kinds[kind] == (history.call_type[row], history.media[row], expected)
            assert len(set(kinds)) == len(kinds) == len(set(found.kind.tolist()))
            assert (found.preferred is not None) == with_preferred
            n_merged += len(kinds) < history.n
    assert n_merged > N_CENTRES // 8


def test_priority_is_a_head_start_or_goes_before_everything():
    """1.5 points: 90 s of waiting at a minute a point; where priority is all, before all that have none of it."""
    rows = [call(n, queue_id=queue, priority=points) for n, (queue, points) in enumerate(
        [("timed", 1.5), ("timed", -2.0), ("only", 1.5), ("only", 0.0)]
    )]  # fmt: skip
    queues = [{"queue_id": "timed"}, {"queue_id": "only", "scoring_method": "PriorityOnly"}]
    recorded = Recorded(encode(tables_of(interactions=rows, queues=queues)), Scenario(mode="replay"))
    terms = terms_for(Scenario(mode="replay"), recorded.arrays)
    for point_s in (60.0, 7.0):
        kinds = kinds_of(recorded.by_type, recorded.centre, terms, point_s)
        of_call = recorded.by_type.kind
        assert kinds.tier[of_call].tolist() == [1, 1, 0, 0]
        assert kinds.lead_us[of_call].tolist() == [1_500_000 * point_s, -2_000_000 * point_s, 1_500_000, 0]


@pytest.mark.parametrize(("method", "required", "eligible"), [
    ("weighted", (), ("ann", "bob", "cid")),
    ("weighted", ("skills",), ("ann", "bob")),
    ("weighted", ("language",), ("ann", "cid")),
    ("genesys", (), ("ann", "cid")),
    ("genesys", ("skills",), ("ann",)),
    ("bullseye", ("language",), ("ann", "cid")),
    ("preferred_agent", (), ("ann", "cid")),
    ("longest_idle", (), ("ann", "bob", "cid")),
])  # fmt: skip
def test_eligible_are_members_who_meet_what_the_run_requires(
    method: str, required: tuple[str, ...], eligible: tuple[str, ...]
) -> None:
    """And language under the platform's methods; never the threshold, which nobody reaches here."""
    arrays = encode(tables_of(interactions=[call(0, skills=["tech"], language="en")]))
    chosen = Scenario(mode="replay", method=method, required=required, weights=RoutingWeights(1, 1, 1, 9.0))
    assert set(eligibility(chosen)) == {
        *required,
        *(["language"] if method not in {"weighted", "longest_idle"} else []),
    }
    terms = terms_for(chosen, arrays)
    kinds = kinds_of(Recorded(arrays, chosen).by_type, arrays.centre, terms, 60.0)
    assert [arrays.centre.agent_ids[a] for a in np.flatnonzero(kinds.eligible[0])] == list(eligible)


def test_more_kinds_and_agents_than_fit_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "MOST_CELLS", 7)
    tables = tables_of(interactions=[call(n, priority=float(n)) for n in range(3)])
    with pytest.raises(InvalidTable, match=r"3 different kinds.*4 agents.*replay fewer days, or merge skills"):
        run(Scenario(mode="replay"), tables)
    assert run(Scenario(mode="replay"), tables_of(interactions=[call(0)])).routed == 1


# --- what is drawn ------------------------------------------------------------------------------------------------


def test_draws_of_an_interaction_do_not_depend_on_the_others():
    """Whoever else is there, and in whatever order the rows were read: pick, misses, and what is recorded."""
    for seed in range(N_CENTRES // 8):
        tables = centre(seed)
        chosen = replace(scenario(seed, "genesys"), assumptions=Assumptions(no_answer=0.6))
        some = tables.interactions.sample(fraction=0.6, shuffle=True, seed=seed)
        if not (some["agent_id"].is_in(tables.agents["agent_id"].implode()) & (some["handle_s"] > 0)).any():
            continue
        whole, part = (_drawn(chosen, replace(tables, interactions=rows)) for rows in (tables.interactions, some))
        assert part == {name: whole[name] for name in part}
        assert len(part) == some.height


def _drawn(chosen: Scenario, tables: Tables) -> dict[str, tuple[Any, ...]]:
    recorded = Recorded(encode(tables), chosen)
    kinds = kinds_of(recorded.by_type, recorded.centre, terms_for(chosen, recorded.arrays), 60.0)
    demand = demand_of(recorded, kinds, recorded.by_type.kind, 0)
    columns = (demand.pick, demand.misses, demand.alert_us, demand.arrived_us)
    ids = recorded.history.interaction_id.to_list()
    return dict(zip(ids, zip(*(column.tolist() for column in columns), strict=True), strict=True))


def test_replications_draw_again_what_is_not_recorded_and_nothing_else():
    """A hundred calls; every fourth has neither handling time nor patience."""
    rows = [
        call(n, outcome="answered", agent_id="ann", wait_s=1.0 * n, handle_s=None if n % 4 == 0 else 10.0 + n,
             patience_s=None if n % 4 == 0 else 500.0)
        for n in range(80)
    ]  # fmt: skip
    rows += [call(100 + n, outcome="abandoned", wait_s=100.0 + n) for n in range(20)]
    chosen = Scenario(mode="replay", assumptions=Assumptions(no_answer=0.3))
    recorded = Recorded(encode(tables_of(interactions=rows)), chosen)
    kinds = kinds_of(recorded.by_type, recorded.centre, terms_for(chosen, recorded.arrays), 60.0)
    first, again, other = (demand_of(recorded, kinds, recorded.by_type.kind, number) for number in (0, 0, 1))
    open_ = np.arange(100) % 4 == 0
    open_[80:] = False
    for name in ("handle_us", "leave_us", "misses", "pick"):
        one, same, new = (getattr(demand, name) for demand in (first, again, other))
        assert one.tobytes() == same.tobytes()
        assert (one != new).any()
        if name == "handle_us":
            assert (one == new)[:80][~open_[:80]].all()
        if name == "leave_us":
            assert (one == new)[~open_].all()
    assert set(recorded.estimates) == {"handling", "patience"}
    assert recorded.estimates["handling"]["drawn"] == 20
    assert recorded.estimates["patience"]["counts"]["drawn"] == 20


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_alerts_in_a_row_that_nobody_answers_are_geometric(share: float) -> None:
    """n or more with a chance of share ** n, within four standard errors; nobody is asked for ever."""
    ids = pl.Series([f"i{n}" for n in range(20_000)])
    misses = prepare._misses(ids, share, 0, 0)
    for n in (1, 2, 5, 20):
        chance = share**n
        assert (misses >= n).mean() == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / ids.len()))
    assert misses.max() <= prepare.MOST_MISSES
    assert prepare._misses(ids, 0.0, 0, 0).sum() == 0


def test_without_interactions_there_is_nothing_to_prepare():
    recorded = Recorded(encode(tables_of(interactions=[])), Scenario(mode="replay"))
    assert (recorded.first_us, recorded.history.n) == (0, 0)
    kinds = kinds_of(recorded.by_type, recorded.centre, terms_for(Scenario(mode="replay"), recorded.arrays), 60.0)
    assert demand_of(recorded, kinds, recorded.by_type.kind, 0).arrived_us.size == 0


# --- plain tables ------------------------------------------------------------------------------------------------


def call(number: int, at_s: float | None = None, **more: Any) -> dict[str, Any]:
    """A call at nine, a second after the one before unless said otherwise, of ten seconds."""
    arrived_at = MIDNIGHT + timedelta(hours=9, seconds=number if at_s is None else at_s)
    return {"interaction_id": f"i{number:03}", "queue_id": "q", "arrived_at": arrived_at, "handle_s": 10.0} | more


def tables_of(**rows: list[dict[str, Any]]) -> Tables:
    """A centre of four: ann with tech and English, bob with tech, cid with English, dot in no queue; there all day."""
    held = {"ann": (["tech"], ["en"]), "bob": (["tech"], []), "cid": ([], ["en"]), "dot": (["tech"], ["en"])}
    agents = [
        {"agent_id": name, "skills": rated(skills), "languages": rated(languages)}
        for name, (skills, languages) in held.items()
    ]
    queues = {row["queue_id"] for row in [*rows.get("interactions", []), {"queue_id": "q"}]}
    defaults = {
        "agents": agents,
        "members": [{"queue_id": queue, "agent_id": name} for queue in queues for name in ("ann", "bob", "cid")],
        "staffing": [{"agent_id": name, "start_at": MIDNIGHT, "end_at": MIDNIGHT + DAY} for name in held],
    }
    return Tables.of({name: table(name, some) for name, some in (defaults | rows).items()})


def rated(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": name, "proficiency": 5.0} for name in names]
