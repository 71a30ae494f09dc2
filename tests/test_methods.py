"""Routing methods against a plain restatement of their rules, choice by choice, and a few laws of all of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.centre import Centre
from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions, Switches
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods import METHODS
from engine.methods.ladder import NEVER, Ladder, Row, effective, stacked
from engine.methods.method import View
from engine.replay.bundles import Clock
from engine.replay.loop import replay
from engine.scoring.csat import csat_table
from engine.scoring.scores import Terms
from tests.small_centres import rings_json, rules_json
from tests.strategies import AGENT_IDS, HARDER, LANGUAGES, MIDNIGHT, PROFICIENCIES, QUEUE_IDS, SKILLS, Dice, table

PLATFORM = ("genesys", "bullseye", "preferred_agent")
WAITS_S = (0.0, 0.5, 5.0, 10.0, 12.5)


@dataclass
class Problem:
    """A centre in plain values: what the tables say, and what their JSON means."""

    tables: Tables
    rings: dict[str, list[tuple[float | None, list[str]]]] = field(default_factory=dict)
    rules: dict[str, list[tuple[float | None, float]]] = field(default_factory=dict)
    preferred: list[list[tuple[str, float]]] | None = None
    switches: Switches = field(default_factory=Switches)

    @cached_property
    def centre(self) -> Centre:
        return encode(self.tables).centre

    def view(self) -> View:
        """What a method sees: a kind for each call type."""
        centre = self.centre
        n, n_agents = centre.call_types.height, centre.n_agents
        queue, language = centre.queue[centre.requirement], centre.language[centre.requirement]
        speaks = np.vstack([~np.isnan(centre.language_level.T), np.ones((1, n_agents), bool)])
        lists = None
        if self.preferred is not None:
            lists = [tuple((centre.agent_ids.index(a), s) for a, s in some) or None for some in self.preferred]
        kinds = replace(
            Kinds.plain(centre.member[queue] & speaks[language]),
            call_type=np.arange(n, dtype=np.int32),
            preferred=lists,
        )
        surveys = csat_table(centre.surveys, n_agents, len(centre.queue_ids))
        factor = np.random.default_rng(0).choice([0.5, 1.0, 1.0, 2.0], (n, n_agents))
        terms = Terms(centre, surveys, order=np.arange(n_agents, dtype=np.int32))
        weights = np.tile([0.4, 0.3, 0.3], (len(centre.queue_ids), 1))
        return View(terms, 0, kinds, weights, 0.5, self.switches, factor)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A centre with rings, rules and preferred agents in some of its queues."""
    dice = Dice(random.Random(draw(st.integers(0, 2**32))))
    staff = dice.agents(draw(st.integers(1, len(AGENT_IDS))))
    if dice.one(True, False):  # many who can take the same, so that levels decide
        staff = [a | {"skills": _all_rated(dice, SKILLS), "languages": _all_rated(dice, LANGUAGES)} for a in staff]
    names = [agent["agent_id"] for agent in staff]
    rings = {queue: _some_rings(dice) for queue in QUEUE_IDS}
    rules = {queue: _some_rules(dice) for queue in QUEUE_IDS}
    tables = Tables(
        agents=table("agents", staff),
        interactions=table("interactions", dice.interactions(draw(st.integers(1, 12)), names)),
        members=table("members", _members(dice, names)),
        queues=table("queues", [_queue(dice, queue, rings[queue], rules[queue]) for queue in QUEUE_IDS]),
    )
    lists = [[(a, dice.one(0, 20.0, 80, 80, 99.5, 100.0)) for a in dice.some(*names, *names)] for _ in range(12)]
    switches = Switches(language_in_mean=dice.one(True, False), longest_idle=dice.one(0, 1, 2, 3, 100))
    problem = Problem(tables, rings, rules, switches=switches)
    problem.preferred = [dice.one([], *lists) for _ in range(problem.centre.call_types.height)]
    return problem


def _all_rated(dice: Dice, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"name": name, "proficiency": dice.one(*PROFICIENCIES)} for name in names]


def _some_rings(dice: Dice) -> list[tuple[float | None, list[str]]]:
    rings = [(dice.one(*WAITS_S), dice.some(*SKILLS)) for _ in range(dice.random.randint(0, 4))]
    if rings and dice.one(True, False):
        rings[-1] = (None, rings[-1][1])
    return rings


def _some_rules(dice: Dice) -> list[tuple[float | None, float]]:
    return [(dice.one(None, 0, 50, 80.0, 100), dice.one(*WAITS_S)) for _ in range(dice.random.randint(0, 3))]


def _members(dice: Dice, names: list[str]) -> list[dict[str, Any]]:
    return [
        {"queue_id": queue, "agent_id": name, "ring": dice.one(1, 1, 2, 3, 6), "joined": dice.one(True, True, False)}
        for queue in QUEUE_IDS
        for name in [*names[:1], *dice.some(*names[1:])]
    ]


def _queue(dice: Dice, queue: str, rings: Any, rules: Any) -> dict[str, Any]:
    return {
        "queue_id": queue,
        "evaluation_method": dice.one("ALL", "BEST", "BEST", "NONE"),
        "rings": rings_json(rings) if rings or dice.one(True, False) else None,
        "routing_rules": rules_json(rules) if rules or dice.one(True, False) else None,
    }


# --- The rules, plainly --------------------------------------------------------------------------------------


class Twin:
    """Whom each method asks, from the tables and loops over names."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        tables, self.switches = problem.tables, problem.switches
        self.skills = {a["agent_id"]: _levels(a["skills"]) for a in tables.agents.to_dicts()}
        self.languages = {a["agent_id"]: _levels(a["languages"]) for a in tables.agents.to_dicts()}
        self.ring = {(m["queue_id"], m["agent_id"]): m["ring"] for m in tables.members.to_dicts() if m["joined"]}
        self.evaluation = {q["queue_id"]: q["evaluation_method"] for q in tables.queues.to_dicts()}

    def genesys(self, call: dict[str, Any], waited_s: float, free: list[str], rings: Any = ()) -> str | None:
        """Standard routing: language, longest idle, skills, mean proficiency; inner rings first."""
        return self._own(call, waited_s, free, rings, admitted=[])

    def bullseye(self, call: dict[str, Any], waited_s: float, free: list[str]) -> str | None:
        """Rings open one after the other."""
        return self._own(call, waited_s, free, self.problem.rings.get(call["queue_id"], []), admitted=[])

    def preferred_agent(self, call: dict[str, Any], waited_s: float, free: list[str]) -> str | None:
        """Admitted agents by score; after the rules the queue's own way, those without the skills last."""
        queue, scored = call["queue_id"], {}
        for agent, score in call["preferred"]:
            if self._serves(agent, call):
                scored[agent] = max(score, scored.get(agent, 0))
        rules = self.problem.rules.get(queue, [])
        if not scored or not rules:
            return self.bullseye(call, waited_s, free)
        admitted: list[str] = []
        for least, wait_s in rules:
            admitted += [agent for agent in scored if least is None or scored[agent] >= least]
            if waited_s < wait_s:
                return max((a for a in free if a in admitted), key=lambda a: scored[a], default=None)
            waited_s -= wait_s
        return self._own(call, waited_s, free, self.problem.rings.get(queue, []), admitted)

    def _serves(self, agent: str, call: dict[str, Any]) -> bool:
        language = call["language"]
        return (call["queue_id"], agent) in self.ring and (language is None or language in self.languages[agent])

    def _own(
        self, call: dict[str, Any], waited_s: float, free: list[str], rings: Any, admitted: list[str]
    ) -> str | None:
        queue, opened, skills = call["queue_id"], 1, list(call["skills"])
        to_come = [(timeout_s, dropped) for timeout_s, dropped in rings if timeout_s is not None]
        while to_come and waited_s >= to_come[0][0]:
            timeout_s, dropped = to_come.pop(0)
            waited_s, opened, skills = waited_s - timeout_s, opened + 1, [s for s in skills if s not in dropped]
        everybody = not to_come
        pool = [a for a in free if self._serves(a, call)]
        pool = [a for a in pool if everybody or self.ring[queue, a] <= opened or a in admitted]
        # A queue that no table names has the default.
        method = self.evaluation.get(queue, "ALL")
        best = method == "BEST" and len(skills) > 0
        if best and self.switches.longest_idle:
            pool = pool[: self.switches.longest_idle]
        able = [a for a in pool if method == "NONE" or set(skills) <= set(self.skills[a])]
        if not able:
            return next((a for a in pool if a in admitted), None)
        inner = min(self.ring[queue, a] for a in able)
        if rings:
            able = [a for a in able if self.ring[queue, a] == inner]
        return max(able, key=lambda a: self._mean(a, skills, call["language"])) if best else able[0]

    def _mean(self, agent: str, skills: list[str], language: str | None) -> int:
        levels = [self.skills[agent][skill] for skill in skills]
        if self.switches.language_in_mean and language is not None:
            levels.append(self.languages[agent][language])
        return round(1e9 * sum(levels) / len(levels))


def _levels(rated: list[dict[str, Any]] | None) -> dict[str, float]:
    return {entry["name"]: entry["proficiency"] for entry in rated or []}


def asked(ladder: Ladder, kind: int, waited_s: float, free: list[int]) -> int | None:
    """Whom a ladder asks, the free given from the longest idle on."""
    rows = range(ladder.first_row[kind], ladder.first_row[kind + 1])
    row = max(row for row in rows if ladder.after_us[row] <= 1e6 * waited_s)
    if ladder.limit is not None and ladder.limit[row]:
        free = [a for a in free if ladder.pool[row, a]][: ladder.limit[row]]
    able = [a for a in free if ladder.rank[row, a] > NEVER]
    return max(able, key=lambda a: ladder.rank[row, a], default=None)


@HARDER
@given(problems(), st.integers(0, 2**32))
def test_platform_methods_ask_whom_their_rules_say(problem: Problem, seed: int) -> None:
    """At any wait, whoever is free: the same agent as in the plain restatement."""
    view = problem.view()
    for method in PLATFORM:
        asks_whom_its_rules_say(method, problem, view, random.Random(seed))


def asks_whom_its_rules_say(method: str, problem: Problem, view: View, shuffle: random.Random) -> None:
    twin = Twin(problem)
    names, ladder = view.centre.agent_ids, METHODS[method].ladder(view)
    for kind, call in enumerate(view.centre.call_types.to_dicts()):
        call["preferred"] = problem.preferred[kind]
        for waited_s in _waits(ladder, kind):
            some = shuffle.sample(range(len(names)), shuffle.randint(1, len(names)))
            for free in (some, shuffle.sample(range(len(names)), len(names)), [shuffle.choice(some)]):
                plain = getattr(twin, method)(call, waited_s, [names[a] for a in free])
                found = asked(ladder, kind, waited_s, free)
                assert (None if found is None else names[found]) == plain, (method, call, waited_s, free)


def _waits(ladder: Ladder, kind: int) -> list[float]:
    """Just before and at each time-out, and long after."""
    opens = ladder.after_us[ladder.first_row[kind] : ladder.first_row[kind + 1]] / 1e6
    return [*opens, *(opens[opens > 0] - 1e-6), 2.5, 1e5]


@given(problems())
def test_ladders_only_grow_rank_members_only_and_are_the_same_again(problem: Problem) -> None:
    view, same = problem.view(), problem.view()
    for method in METHODS:
        grows_and_ranks_members_only(method, view, METHODS[method].ladder(view), METHODS[method].ladder(same))


def grows_and_ranks_members_only(method: str, view: View, ladder: Ladder, again: Ladder) -> None:
    np.testing.assert_array_equal(ladder.rank, again.rank)
    np.testing.assert_array_equal(ladder.after_us, again.after_us)
    assert not np.isnan(ladder.rank).any()
    assert not (ladder.rank == np.inf).any()
    for kind, queue in enumerate(view.queue):
        able = ladder.rank[ladder.first_row[kind] : ladder.first_row[kind + 1]] > NEVER
        assert (able[:-1] <= able[1:]).all()
        assert (able <= view.centre.member[queue]).all()
        if METHODS[method].is_platform:
            language = view.centre.language[view.requirement[kind]]
            assert language < 0 or (able <= ~np.isnan(view.centre.language_level[:, language])).all()
        if ladder.limit is not None:
            rows = slice(ladder.first_row[kind], ladder.first_row[kind + 1])
            assert (able <= ladder.pool[rows])[ladder.limit[rows] > 0].all()


@pytest.mark.parametrize(("method", "without", "other"), [
    ("bullseye", "rings", "genesys"), ("preferred_agent", "routing_rules", "bullseye"),
])  # fmt: skip
@given(problem=problems())
def test_without_its_settings_a_method_is_the_plainer_one(
    method: str, without: str, other: str, problem: Problem
) -> None:
    bare = problem.tables.queues.with_columns(pl.lit(None, pl.String).alias(without))
    view = replace(problem, tables=replace(problem.tables, queues=bare)).view()
    ladder, plainer = METHODS[method].ladder(view), METHODS[other].ladder(view)
    np.testing.assert_array_equal(ladder.rank, plainer.rank)
    np.testing.assert_array_equal(ladder.after_us, plainer.after_us)


@pytest.mark.parametrize("method", METHODS)
def test_no_interactions_give_an_empty_ladder(method: str) -> None:
    problem = Problem(
        Tables(table("agents", [{"agent_id": "a"}, {"agent_id": "b"}]), table("interactions", [])), preferred=[]
    )
    assert METHODS[method].ladder(problem.view()).rank.shape == (0, 2)


# --- Examples ------------------------------------------------------------------------------------------------


def centre_of(
    evaluation: str, skills: list[str], *, rings: Any = None, rules: Any = None, preferred: Any = None, **switches: Any
) -> Problem:
    """Five agents of queue q, one interaction that asks for some skills in English.

    ann: tech 5, billing 1 (ring 1); bob: tech 2, billing 3 (ring 2); cid: tech 0 (ring 2); dot: no skill (ring 3);
    eva: tech 5, billing 5, but no English (ring 1); fay: everything, but no member.
    """
    held = {
        "ann": {"tech": 5.0, "billing": 1.0}, "bob": {"tech": 2.0, "billing": 3.0}, "cid": {"tech": 0.0}, "dot": {},
        "eva": {"tech": 5.0, "billing": 5.0}, "fay": {"tech": 5.0, "billing": 5.0},
    }  # fmt: skip
    level = {"ann": 1.0, "bob": 5.0, "cid": 3.0, "dot": 3.0, "fay": 5.0}
    agents = [
        {
            "agent_id": name,
            "skills": [{"name": skill, "proficiency": value} for skill, value in some.items()],
            "languages": [{"name": "en", "proficiency": level[name]}] if name in level else [],
        }
        for name, some in held.items()
    ]
    ring = {"ann": 1, "bob": 2, "cid": 2, "dot": 3, "eva": 1}
    settings = {
        "queue_id": "q",
        "evaluation_method": evaluation,
        "rings": None if rings is None else rings_json(rings),
        "routing_rules": None if rules is None else rules_json(rules),
    }
    call = {"interaction_id": "i", "queue_id": "q", "arrived_at": MIDNIGHT, "skills": skills, "language": "en"}
    tables = Tables(
        table("agents", agents),
        table("interactions", [call]),
        members=table("members", [{"queue_id": "q", "agent_id": a, "ring": ring[a]} for a in ring]),
        queues=table("queues", [settings]),
    )
    return Problem(tables, preferred=[preferred or []], switches=Switches(**switches))


def order_of(problem: Problem, method: str, waited_s: float = 0.0, idle: str = "fay eva dot cid bob ann") -> str:
    """Agents in the order in which they are asked, when all are free; `idle` from the longest idle on."""
    view = problem.view()
    ladder, names = METHODS[method].ladder(view), view.centre.agent_ids
    free, found = [names.index(name) for name in idle.split()], []
    while (agent := asked(ladder, 0, waited_s, free)) is not None:
        found.append(names[agent])
        free.remove(agent)
    return " ".join(found)


def test_all_takes_the_longest_idle_who_has_every_skill() -> None:
    """A skill at 0 counts as held; eva speaks no English, fay is no member."""
    assert order_of(centre_of("ALL", ["tech"]), "genesys") == "cid bob ann"
    assert order_of(centre_of("ALL", ["billing", "tech"]), "genesys") == "bob ann"


def test_best_takes_the_highest_mean_of_those_who_have_every_skill() -> None:
    assert order_of(centre_of("BEST", ["tech"]), "genesys") == "ann bob cid"
    assert order_of(centre_of("BEST", ["tech", "billing"]), "genesys") == "ann bob"  # means 3 and 2.5


def test_best_counts_the_language_in_where_the_switch_says_so() -> None:
    """tech, billing and English: ann (5 + 1 + 1) / 3, bob (2 + 3 + 5) / 3; without a skill there is no mean."""
    assert order_of(centre_of("BEST", ["tech", "billing"], language_in_mean=True), "genesys") == "bob ann"
    assert order_of(centre_of("BEST", ["tech"], language_in_mean=True), "genesys") == "bob ann cid"
    assert order_of(centre_of("BEST", [], language_in_mean=True), "genesys") == "dot cid bob ann"


def test_best_looks_at_so_many_of_the_longest_idle_before_it_looks_at_skills() -> None:
    """The two longest idle of the pool are dot and cid: ann, the best, is not looked at until they are gone."""
    problem = centre_of("BEST", ["tech"], longest_idle=2)
    ladder = METHODS["genesys"].ladder(problem.view())
    names = problem.view().centre.agent_ids
    assert asked(ladder, 0, 0.0, [names.index(a) for a in ("eva", "dot", "cid", "bob", "ann")]) == names.index("cid")
    assert asked(ladder, 0, 0.0, [names.index(a) for a in ("dot", "fay", "ann", "bob")]) == names.index("ann")
    everybody = centre_of("BEST", ["tech"], longest_idle=0)
    assert METHODS["genesys"].ladder(everybody.view()).limit is None


def test_none_disregards_skills_but_not_language() -> None:
    assert order_of(centre_of("NONE", ["tech"]), "genesys") == "dot cid bob ann"


@pytest.mark.parametrize("evaluation", ["ALL", "BEST", "NONE"])
def test_without_required_skills_all_three_are_longest_idle(evaluation: str) -> None:
    assert order_of(centre_of(evaluation, []), "genesys") == "dot cid bob ann"


def test_rings_open_one_after_the_other_and_inner_ones_stay_first() -> None:
    problem = centre_of("NONE", ["tech"], rings=[(10.0, []), (20.0, []), (5.0, [])])
    assert order_of(problem, "bullseye", 9.999999) == "ann"
    assert order_of(problem, "bullseye", 10.0) == "ann cid bob"
    assert order_of(problem, "bullseye", 29.999999) == "ann cid bob"
    assert order_of(problem, "bullseye", 30.0) == "ann cid bob dot"
    # The last time-out changes nothing here, so it has no row.
    assert METHODS["bullseye"].ladder(problem.view()).after_us.tolist() == [0, 10_000_000, 30_000_000]


def test_skills_of_a_ring_are_dropped_when_its_time_out_passes() -> None:
    """Ring 1 drops billing for ring 2, which drops tech for ring 3."""
    problem = centre_of("BEST", ["tech", "billing"], rings=[(10.0, ["billing"]), (10.0, ["tech"])])
    assert order_of(problem, "bullseye", 0.0) == "ann"
    assert order_of(problem, "bullseye", 10.0) == "ann bob cid"
    assert order_of(problem, "bullseye", 20.0) == "ann cid bob dot"


def test_whoever_is_in_a_ring_beyond_the_last_comes_in_with_it() -> None:
    one_without_end = centre_of("NONE", [], rings=[(None, [])])
    assert order_of(one_without_end, "bullseye") == "ann cid bob dot"
    one = centre_of("NONE", [], rings=[(10.0, [])])
    assert order_of(one, "bullseye", 9.0) == "ann"
    assert order_of(one, "bullseye", 10.0) == "ann cid bob dot"


def test_preferred_agents_come_by_score_rule_by_rule() -> None:
    """dot lacks the skill and is asked all the same; eva lacks the language, fay is no member: never."""
    scores = [("dot", 80), ("ann", 70), ("cid", 90), ("eva", 100), ("fay", 100)]
    problem = centre_of("ALL", ["billing"], rules=[(80, 10.0), (None, 20.0)], preferred=scores)
    assert order_of(problem, "preferred_agent", 0.0) == "cid dot"
    assert order_of(problem, "preferred_agent", 10.0) == "cid dot ann"
    # Rules exhausted: bob and ann have the skill and come by the queue's method, those admitted without it last.
    assert order_of(problem, "preferred_agent", 30.0) == "bob ann dot cid"
    assert order_of(problem, "bullseye", 0.0) == "bob ann"


def test_rings_open_after_the_rules_and_admitted_agents_take_their_place() -> None:
    """dot of ring 3 stays in while ring 1 opens at 10 s and ring 2 at 15 s."""
    problem = centre_of(
        "NONE", [], rings=[(5.0, []), (5.0, [])], rules=[(50, 10.0)], preferred=[("dot", 60), ("bob", 40)]
    )
    assert order_of(problem, "preferred_agent", 0.0) == "dot"
    assert order_of(problem, "preferred_agent", 10.0) == "ann dot"
    assert order_of(problem, "preferred_agent", 15.0) == "ann cid bob dot"


def test_without_a_usable_preferred_agent_the_own_method_holds_from_the_start() -> None:
    problem = centre_of("ALL", ["billing"], rules=[(None, 10.0)], preferred=[("eva", 90), ("fay", 90)])
    assert order_of(problem, "preferred_agent") == "bob ann"


def test_preferred_agents_below_every_threshold_make_the_interaction_wait() -> None:
    problem = centre_of("ALL", ["billing"], rules=[(80, 10.0)], preferred=[("bob", 79.5)])
    assert order_of(problem, "preferred_agent", 9.0) == ""
    assert order_of(problem, "preferred_agent", 10.0) == "bob ann"


def test_yardsticks_order_the_eligible() -> None:
    """dot first by idle time; by id ann first; by handling time bob, who is fastest, then by idle time."""
    problem = centre_of("ALL", [])
    assert order_of(problem, "longest_idle") == "dot cid bob ann"
    assert order_of(problem, "fixed_order") == "ann bob cid dot"
    view = problem.view()
    names = view.centre.agent_ids
    factor = np.array([[2.0 if name == "dot" else 0.5 if name == "bob" else 1.0 for name in names]])
    ladder = METHODS["fastest_first"].ladder(replace(view, factor=factor))
    free = [names.index(name) for name in ("dot", "cid", "bob", "ann")]
    assert names[asked(ladder, 0, 0.0, free)] == "bob"
    free.remove(names.index("bob"))
    assert names[asked(ladder, 0, 0.0, free)] == "cid"


def test_random_draws_among_the_eligible() -> None:
    view = centre_of("ALL", ["tech"]).view()
    demand = replace(Demand.of([0.0, 1.0, 2.0], 0.0, view.kinds), pick=np.array([0.0, 0.5, 0.99]))
    served = replay(demand, everybody(view), METHODS["random"].ladder(view))
    assert [view.centre.agent_ids[a] for a in served.agent] == ["ann", "cid", "dot"]


# --- In a replay ---------------------------------------------------------------------------------------------


def everybody(view: View) -> Roster:
    """All agents on queue for an hour."""
    n = view.centre.n_agents
    return Roster.of(n, np.arange(n), np.zeros(n), np.full(n, 3600.0))


def test_ring_two_gets_the_call_only_after_the_time_out() -> None:
    """ann takes the first call and is busy; the second waits 10 s for bob, the third finds cid at once after 10 s."""
    view = centre_of("ALL", ["tech"], rings=[(10.0, []), (5.0, [])]).view()
    demand = Demand.of([0.0, 1.0, 5.0], [100.0, 100.0, 100.0], view.kinds)
    served = replay(demand, everybody(view), METHODS["bullseye"].ladder(view))
    assert (served.start_us / 1e6).tolist() == [0.0, 11.0, 15.0]
    assert [view.centre.agent_ids[a] for a in served.agent] == ["ann", "bob", "cid"]


def test_an_inner_agent_who_is_freed_takes_the_call_before_the_next_ring_opens() -> None:
    view = centre_of("ALL", ["tech"], rings=[(10.0, [])]).view()
    served = replay(Demand.of([0.0, 1.0], [5.0, 5.0], view.kinds), everybody(view), METHODS["bullseye"].ladder(view))
    assert (served.start_us / 1e6).tolist() == [0.0, 5.0]
    assert [view.centre.agent_ids[a] for a in served.agent] == ["ann", "ann"]


def test_a_call_waits_for_its_preferred_agent_until_the_rules_are_exhausted() -> None:
    """dot takes the first; the second waits 30 s for dot in vain and goes to the longest idle who has the skill."""
    view = centre_of("ALL", ["billing"], rules=[(80, 10.0), (None, 20.0)], preferred=[("dot", 90)]).view()
    ladder = METHODS["preferred_agent"].ladder(view)
    served = replay(Demand.of([0.0, 1.0], [100.0, 100.0], view.kinds), everybody(view), ladder)
    assert (served.start_us / 1e6).tolist() == [0.0, 31.0]
    assert [view.centre.agent_ids[a] for a in served.agent] == ["dot", "ann"]


# --- Parts ---------------------------------------------------------------------------------------------------


def test_rows_that_never_hold_or_change_nothing_are_left_out() -> None:
    none, one = np.array([NEVER, NEVER]), np.array([0.0, NEVER])
    kept = effective([Row(0.0, none), Row(5.0, one), Row(5.0, none), Row(9.0, one), Row(9.5, one)])
    assert [row.after_s for row in kept] == [0.0, 9.0]
    limited = [Row(0.0, one, 1, np.array([True, False])), Row(1.0, one, 1, np.array([True, True])), Row(2.0, one)]
    assert [row.after_s for row in effective(limited)] == [0.0, 1.0, 2.0]


def test_stacked_rows_carry_limit_and_pool() -> None:
    one, pool = np.array([0.0, NEVER]), np.array([True, True])
    ladder = stacked([[Row(0.0, one)], [Row(0.0, one, 1, pool)]])
    assert ladder.limit.tolist() == [0, 1]
    assert ladder.pool.tolist() == [[True, False], [True, True]]


def test_a_ladder_that_takes_an_agent_away_is_refused() -> None:
    one, other = np.array([0.0, NEVER]), np.array([NEVER, 0.0])
    with pytest.raises(InvalidScenario, match="ranked in all later ones"):
        stacked([[Row(0.0, one), Row(1.0, other)]])
    stacked([[Row(0.0, one)], [Row(0.0, other)]])  # other kinds may rank others


def test_clocks_of_platform_methods_follow_the_switches() -> None:
    assert Clock.of(Assumptions(), Switches()) == Clock()
    assert Clock.of(Assumptions(), Switches(new_agents_last=True)) == Clock(lookback_s=7 * 86_400.0)
    all_on = Switches(new_agents_last=True, alert_resets_idle=True, resets_on_queue=True, lookback_days=1.0)
    assert Clock.of(Assumptions(), all_on) == Clock(86_400.0, resets_on_queue=True, alert_resets=True)
    assert Clock.of(Assumptions(), Switches(new_agents_last=False)).lookback_s == 0
