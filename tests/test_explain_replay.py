"""Explanations of a replay agree with its outcomes, and say of every other agent what the outcomes themselves show."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from engine.data.encode import encode
from engine.data.tables import Tables
from engine.errors import UnknownName
from engine.estimates.assumptions import Assumptions, Switches
from engine.methods import METHODS
from engine.replay import explain as explain_replay_module
from engine.replay.explain import MOST_WAITING, ReplayExplanation, explain_replay
from engine.replay.playing import play
from engine.replay.prepare import Recorded
from engine.run import choose
from engine.scoring.weights import RoutingWeights
from engine.spec import Scenario
from tests.oracle_centre import DAY_US, Plain, plain, us
from tests.small_centres import DAY, busy_centre, call, rated, rings_json, rolling, tables_of, untied
from tests.strategies import MIDNIGHT

NINE = MIDNIGHT + timedelta(hours=9)
SEEDS = range(3)


def outcomes(chosen: Scenario, tables: Tables) -> dict[str, dict[str, Any]]:
    """By interaction, with times in whole microseconds and when the agent was first alerted."""
    alert_s = dict(tables.interactions.select("interaction_id", "alert_s").iter_rows())
    found = {}
    for row in choose(chosen, tables).to_frame().to_dicts():
        start_us, end_us = (None if row[name] is None else us(row[name]) for name in ("start_at", "end_at"))
        alert_us = round(1e6 * (alert_s[row["interaction_id"]] or 0))
        asked_us = None if start_us is None else start_us - alert_us
        found[row["interaction_id"]] = row | {"asked_us": asked_us, "end_us": end_us}
    return found


# --- every interaction of small centres in which nothing happens at the same time -----------------------------------


def centre(seed: int) -> Tables:
    """Two agents with two spells each, the others with one; voice only, one call at a time, long calls."""
    tables = untied(busy_centre(seed), seed)
    names = tables.agents["agent_id"].to_list()
    spells = [(name, hour, hour + 3) for hour, name in enumerate(names, 20)] + [(name, 24.5, 30) for name in names[:2]]
    rows = [
        {"agent_id": name, "start_at": MIDNIGHT + timedelta(hours=start, seconds=17 + n),
         "end_at": MIDNIGHT + timedelta(hours=end, seconds=17 + n)}
        for n, (name, start, end) in enumerate(spells)
    ]  # fmt: skip
    longer = tables.interactions.with_columns(handle_s=2 * pl.col("handle_s"), patience_s=4 * pl.col("patience_s"))
    return replace(tables, interactions=longer, staffing=tables_of(staffing=rows).staffing)


def explained(chosen: Scenario, tables: Tables) -> list[tuple[ReplayExplanation, dict[str, Any]]]:
    """Of every interaction, beside its outcome; replayed once for all."""
    arrays = encode(tables)
    recorded = Recorded(arrays, chosen)
    played = play(chosen, recorded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain_replay_module, "Recorded", lambda *_: recorded)
        patch.setattr(explain_replay_module, "play", lambda *_: played)
        return [(explain_replay(chosen, arrays, name), row) for name, row in outcomes(chosen, tables).items()]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", SEEDS)
def test_who_was_chosen_and_how_it_ended_is_what_the_outcomes_say(method: str, seed: int) -> None:
    tables = centre(seed)
    chosen = replace(rolling(seed), method=method)
    recorded = {row["interaction_id"]: row for row in tables.interactions.to_dicts()}
    names = set(tables.agents["agent_id"])
    for found, row in explained(chosen, tables):
        about, given = found.interaction, recorded[row["interaction_id"]]
        assert (about.interaction_id, about.status, about.wait_s) == (
            row["interaction_id"], row["status"], row["wait_s"],
        )  # fmt: skip
        assert (about.agent_id, about.arrived_us) == (row["selected_agent_id"], us(given["arrived_at"]))
        assert (about.recorded_agent_id, about.recorded_wait_s) == (given["agent_id"], given["wait_s"])
        assert {about.queue_id, about.language, about.priority} == {
            given["queue_id"], given["language"], given["priority"],
        }  # fmt: skip
        first, *others = found.agents
        assert {agent.agent_id for agent in found.agents} == names
        assert len(found.agents) == len(names)
        assert not any(agent.reason == "chosen" for agent in others)
        if row["status"] == "answered":
            assert (first.agent_id, first.reason, first.place) == (row["selected_agent_id"], "chosen", 1)
            assert found.decision.at_us == row["asked_us"]
            assert first.score == row["composite_score"]
        else:
            assert first.reason != "chosen"
            assert found.decision.how.startswith("nobody answered")
            assert found.decision.at_us == us(given["arrived_at"])
        assert found.decision.waited_s == (found.decision.at_us - us(given["arrived_at"])) / 1e6
        json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("method", ["weighted", "genesys", "fixed_order"])
def test_every_agent_s_reason_is_what_the_outcomes_show(method: str) -> None:
    """On queue by the plain spells, busy by the other outcomes, able by the plain scores."""
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        tables = centre(seed)
        # Who has all that is required reaches every threshold here, so nothing is required.
        chosen = replace(rolling(seed), method=method, goal=None, performance=0.8, required=())
        read, rows = plain(chosen, tables), outcomes(chosen, tables)
        for found, row in explained(chosen, tables):
            i = [each["interaction_id"] for each in read.calls].index(row["interaction_id"])
            ladder = read.ladder(found.decision.at_us // DAY_US)
            for agent in found.agents:
                a = [each["agent_id"] for each in read.agents].index(agent.agent_id)
                told = reason(read, rows, found, row, i, a, ladder.rank[i])
                assert agent.reason == told or (told == "free" and agent.reason.startswith("free")), (seed, row)
                seen[agent.reason.split(" ")[0]] += 1
    # Each kind of reason is met often.
    assert min(seen[word] for word in ("chosen", "busy", "free,", "not")) > 10
    # Only a threshold keeps an able agent out for ever.
    assert method != "weighted" or seen["no"] > 10


def reason(
    read: Plain, rows: dict[str, Any], found: ReplayExplanation, row: dict[str, Any], i: int, a: int, rank: list[float]
) -> str:
    name, at_us = read.agents[a]["agent_id"], found.decision.at_us
    if name == row["selected_agent_id"]:
        return "chosen"
    spells = zip(read.roster.agent, read.roster.start_us, read.roster.end_us, strict=True)
    if not any(agent == a and start <= at_us < end for agent, start, end in spells):
        return "not on queue"
    if rank[a] == -math.inf:
        return (
            "no candidate: below the threshold" if read.is_able(i, a)
            else "not eligible: no member of the queue, or lacks what is required"
        )  # fmt: skip
    for other in rows.values():
        if other is not row and other["selected_agent_id"] == name and other["asked_us"] <= at_us < other["end_us"]:
            return f"busy for another {(other['end_us'] - at_us) / 1e6:,.0f} s"
    return "free"


@pytest.mark.parametrize("method", ["weighted", "genesys", "longest_idle"])
def test_agents_stand_in_the_order_in_which_they_would_be_asked(method: str) -> None:
    """By score, then by who is idle for longest; idle since the last work ended, as the outcomes show."""
    n_choices = 0
    for seed in SEEDS:
        tables, chosen = centre(seed), replace(rolling(seed), method=method)
        rows = outcomes(chosen, tables)
        for found, row in explained(chosen, tables):
            free = [agent for agent in found.agents if agent.place is not None]
            assert [agent.place for agent in free] == list(range(1, len(free) + 1))
            assert free == found.agents[: len(free)]
            for agent in free:
                ends = [each["end_us"] for each in rows.values() if each["selected_agent_id"] == agent.agent_id
                        and each is not row and each["end_us"] <= found.decision.at_us]  # fmt: skip
                if ends:
                    assert agent.idle_s == (found.decision.at_us - max(ends)) / 1e6
                assert agent.busy_until_us is None
            if row["status"] == "answered" and found.decision.waited_s == 0:
                keys = [(-(agent.score or 0), -agent.idle_s) for agent in free]
                assert keys == sorted(keys)
                n_choices += len(keys) > 1
    assert n_choices > 10


@pytest.mark.parametrize("method", ["weighted", "genesys"])
def test_a_freed_agent_had_a_list_of_those_it_could_take_and_this_one_was_first(method: str) -> None:
    """Who waited at that instant, whom the agent may take, by waiting and credit: as the outcomes show."""
    n_lists = n_several = 0
    for seed in SEEDS:
        tables = centre(seed)
        priority = tables.interactions["arrived_at"].dt.second() % 3
        # Whoever leaves while alerting an agent is told from those who wait by nothing in the outcomes.
        calls = tables.interactions.with_columns(priority=priority.cast(float), alert_s=pl.lit(None, pl.Float64))
        tables = replace(tables, interactions=calls)
        chosen = replace(rolling(seed), method=method, goal=None, performance=0.8)
        read, rows = plain(chosen, tables), outcomes(chosen, tables)
        for found, row in explained(chosen, tables):
            if row["status"] != "answered" or found.decision.waited_s == 0:
                assert found.waiting == []
                continue
            told = [each.interaction_id for each in found.waiting]
            assert told == waiting(read, rows, row)[:MOST_WAITING]
            assert found.waiting[0].is_this
            assert sum(each.is_this for each in found.waiting) == 1
            for each in found.waiting:
                one = read.calls[[c["interaction_id"] for c in read.calls].index(each.interaction_id)]
                assert each.waited_s == (found.decision.at_us - us(one["arrived_at"])) / 1e6
                assert each.credit_s == 60 * one["priority"]
                assert not each.priority_only
                if one["outcome"] == "answered":
                    assert each.leaves_in_s == pytest.approx(one["patience_s"] - each.waited_s, abs=1e-6)
            n_lists += 1
            n_several += len(told) > 1
    assert n_lists > 20
    assert n_several > 5


def waiting(read: Plain, rows: dict[str, Any], row: dict[str, Any]) -> list[str]:
    at_us, agent = row["asked_us"], [a["agent_id"] for a in read.agents].index(row["selected_agent_id"])
    ladder, here = read.ladder(at_us // DAY_US), []
    for i, one in enumerate(read.calls):
        other, arrived_us = rows[one["interaction_id"]], us(one["arrived_at"])
        left_us = arrived_us + round(1e6 * other["wait_s"]) if other["asked_us"] is None else other["asked_us"]
        if arrived_us <= at_us <= left_us and ladder.rank[i][agent] > -math.inf:
            here.append((arrived_us - 60_000_000 * one["priority"], i, one["interaction_id"]))
    return [name for _, _, name in sorted(here)]


def test_scores_are_those_of_the_ladder_that_held_at_that_instant():
    """Rolling goals and days of satisfaction: the score shown is the one of the outcomes file."""
    for seed in SEEDS:
        tables, chosen = centre(seed), replace(rolling(seed), csat="asof", method="weighted", goal="80/20")
        for found, row in explained(chosen, tables):
            assert found.agents[0].reason != "chosen" or found.agents[0].score == row["composite_score"]


# --- cases for the pencil -------------------------------------------------------------------------------------------


def why(chosen: Scenario, name: str, **rows: list[dict[str, Any]]) -> ReplayExplanation:
    return explain_replay(chosen, encode(tables_of(**rows)), name)


def reasons(found: ReplayExplanation) -> dict[str, str]:
    return {agent.agent_id: agent.reason for agent in found.agents}


RINGED: dict[str, Any] = {
    "queues": [{"queue_id": "q", "rings": rings_json([(30.0, []), (30.0, []), (None, [])])}, {"queue_id": "p"}],
    "members": [
        {"queue_id": "q", "agent_id": "ann", "ring": 1}, {"queue_id": "q", "agent_id": "bob", "ring": 2},
        {"queue_id": "q", "agent_id": "cid", "ring": 3}, {"queue_id": "p", "agent_id": "bob"},
    ],
}  # fmt: skip


def test_agents_outside_the_ring_are_told_when_it_opens():
    """ann is busy; bob may be asked after 30 s, cid after 60 s, dot is no member."""
    rows = [call(0, 0.0, handle_s=500.0), call(1, 5.0)]
    chosen = Scenario(mode="replay", method="bullseye")
    found = why(chosen, "i001", interactions=rows, **RINGED)
    assert (found.interaction.agent_id, found.interaction.wait_s) == ("bob", 30.0)
    assert (found.decision.stage, found.decision.stages, found.decision.waited_s) == (2, 3, 30.0)
    assert found.decision.how.startswith("an agent became free, or might be asked from now on")
    assert reasons(found) == {
        "bob": "chosen", "ann": "busy for another 465 s", "cid": "outside the ring: asked only after 60 s of waiting",
        "dot": "not eligible: no member of the queue, or lacks what is required",
    }  # fmt: skip
    assert why(chosen, "i000", interactions=rows, **RINGED).decision.stage == 1


def test_whoever_waits_in_a_ring_that_is_not_open_was_not_passed_over():
    """bob is freed after 40 s: the earlier call may ask him only from 60 s of waiting on."""
    rows = [
        call(0, 0.0, handle_s=500.0), call(1, 1.0, queue_id="p", handle_s=39.0), call(2, 11.0, patience_s=1e6),
        call(3, 20.0, queue_id="p"),
    ]  # fmt: skip
    found = why(Scenario(mode="replay", method="bullseye"), "i003", interactions=rows, **RINGED)
    assert found.interaction.agent_id == "bob"
    assert [each.interaction_id for each in found.waiting] == ["i003"]
    # Ten seconds more, and the earlier call's ring is open.
    late = [*rows[:1], rows[1] | {"handle_s": 49.0}, *rows[2:]]
    found = why(Scenario(mode="replay", method="bullseye"), "i002", interactions=late, **RINGED)
    assert [(each.interaction_id, each.is_this) for each in found.waiting] == [("i002", True), ("i003", False)]


def test_of_one_that_nobody_answered_it_says_who_there_was_when_it_arrived():
    rows = [call(0, 0.0, handle_s=100.0), call(1, 10.0, patience_s=4.0)]
    there = [{"agent_id": name, "start_at": NINE, "end_at": NINE + timedelta(hours=1)} for name in ("ann", "dot")]
    found = why(Scenario(mode="replay", method="genesys"), "i001", interactions=rows, staffing=there)
    assert (found.interaction.status, found.interaction.agent_id) == ("abandoned", None)
    assert reasons(found) == {
        "ann": "busy for another 90 s", "bob": "not on queue", "cid": "not on queue",
        "dot": "not eligible: no member of the queue, or lacks what is required",
    }  # fmt: skip
    assert found.agents[0].agent_id == "ann"
    assert found.waiting == []
    assert all(agent.place is None for agent in found.agents)


def test_an_agent_is_gone_at_the_very_end_of_the_block_and_there_at_its_start():
    there = [
        {"agent_id": "ann", "start_at": NINE, "end_at": NINE + timedelta(seconds=10)},
        {"agent_id": "bob", "start_at": NINE + timedelta(seconds=10), "end_at": NINE + timedelta(seconds=20)},
    ]
    rows = [call(0, 0.0, handle_s=1.0), call(1, 10.0)]
    found = why(WEIGHTED, "i001", interactions=rows, staffing=there)
    assert reasons(found) == {"bob": "chosen", "ann": "not on queue", "cid": "not on queue", "dot": "not on queue"}


WEIGHTED = Scenario(mode="replay", weights=RoutingWeights(1, 0, 0, 0.5), required=())


@pytest.mark.parametrize(("chosen", "told"), [
    (WEIGHTED, {"ann": "chosen", "bob": "free, but idle for less long",
                "cid": "no candidate: below the threshold"}),
    (replace(WEIGHTED, weights=RoutingWeights(1, 0.5, 0, 0)),
     {"ann": "chosen", "bob": "free, but ranked lower", "cid": "free, but ranked lower"}),
    (replace(WEIGHTED, method="fixed_order"), {"ann": "chosen", "bob": "free, but ranked lower"}),
    (replace(WEIGHTED, required=("language",)),
     {"ann": "chosen", "bob": "not eligible: no member of the queue, or lacks what is required"}),
    (replace(WEIGHTED, method="random", required=("skills",)), {"ann": "free; another was drawn", "bob": "chosen"}),
])  # fmt: skip
def test_why_others_who_were_there_lost(chosen: Scenario, told: dict[str, str]) -> None:
    """ann and bob have tech, ann and cid English; ann is idle since a minute before the others."""
    hour = timedelta(hours=1)
    there = [
        {"agent_id": name, "start_at": NINE - hour - (name == "ann") * hour / 60, "end_at": NINE + hour}
        for name in ("ann", "bob", "cid", "dot")
    ]
    found = why(chosen, "i000", interactions=[call(0, skills=["tech"], language="en")], staffing=there)
    assert {name: text for name, text in reasons(found).items() if name in told} == told


def test_of_equally_idle_agents_the_smaller_id_is_said_to_decide() -> None:
    """All on queue from one instant on and nobody has worked: nothing but the id tells them apart."""
    chosen = Scenario(mode="replay", method="longest_idle")
    found = why(chosen, "i000", interactions=[call(0)])
    equal = "free and idle for just as long; the smaller agent id goes first"
    assert reasons(found) == {
        "ann": "chosen", "bob": equal, "cid": equal, "dot": "not eligible: no member of the queue, or lacks what is "
        "required",
    }  # fmt: skip
    assert len({agent.idle_s for agent in found.agents if agent.place}) == 1


def test_the_idle_clock_of_an_explanation_is_that_of_the_switches() -> None:
    """ann is back at 8:59 from a break, bob there since 8:50: with the reset bob is idle for longer, else ann is."""
    there = [
        {"agent_id": name, "start_at": NINE - timedelta(minutes=start), "end_at": NINE + timedelta(minutes=end)}
        for name, start, end in (("ann", 60, -30), ("ann", 1, 60), ("bob", 10, 60))
    ]
    plain = Scenario(mode="replay", method="longest_idle")
    reset = replace(plain, switches=Switches(resets_on_queue=True))
    rows = [call(0, -3600.0, handle_s=60.0), call(1, 0.0)]
    assert reasons(why(plain, "i001", interactions=rows, staffing=there))["bob"] == "free, but idle for less long"
    found = why(reset, "i001", interactions=rows, staffing=there)
    assert (reasons(found)["bob"], reasons(found)["ann"]) == ("chosen", "free, but idle for less long")
    assert [agent.idle_s for agent in found.agents[:2]] == [600.0, 60.0]


def test_whoever_comes_last_for_want_of_recent_work_has_no_idle_time() -> None:
    """bob has not worked within the look-back of an hour when coming on queue; ann has, half an hour ago."""
    there = [
        {"agent_id": name, "start_at": NINE - timedelta(minutes=start), "end_at": NINE + timedelta(minutes=end)}
        for name, start, end in (("ann", 60, 60), ("bob", 300, -240), ("bob", 5, 60))
    ]
    chosen = Scenario(
        mode="replay", method="longest_idle", switches=Switches(new_agents_last=True, lookback_days=1 / 24)
    )
    rows = [call(0, -18_000.0, handle_s=60.0), call(1, -1800.0, handle_s=60.0), call(2, 0.0)]
    found = why(chosen, "i002", interactions=rows, staffing=there)
    assert reasons(found)["ann"] == "chosen"
    assert [(a.agent_id, a.idle_s) for a in found.agents[:2]] == [("ann", 1740.0), ("bob", None)]


def test_of_the_best_only_the_longest_idle_are_looked_at():
    """bob is better, but not among the one who is looked at; nobody is, where that one lacks the skill."""
    hour = timedelta(hours=1)
    agents = [
        {"agent_id": "ann", "skills": [{"name": "tech", "proficiency": 1.0}], "idle_since": NINE - hour},
        {"agent_id": "bob", "skills": rated(["tech"]), "idle_since": NINE - hour / 2},
    ]
    chosen = Scenario(mode="replay", method="genesys", switches=Switches(longest_idle=1))
    rows = {"agents": agents, "members": [], "queues": [{"queue_id": "q", "evaluation_method": "BEST"}]}
    there = [{"agent_id": name, "start_at": NINE - hour, "end_at": NINE + hour} for name in ("ann", "bob")]
    found = why(chosen, "i000", interactions=[call(0, skills=["tech"])], staffing=there, **rows)
    assert reasons(found)["bob"].startswith("free and ranked higher, but not among the longest idle")
    agents[0]["skills"] = None
    found = why(chosen, "i000", interactions=[call(0, skills=["tech"], patience_s=1.0)], staffing=there, **rows)
    assert reasons(found)["bob"] == "free and able, but not asked: only the longest idle are looked at"


@pytest.mark.parametrize(("point_s", "points"), [(60.0, 30.0), (1e5, 2e4)])
def test_calls_of_queues_that_go_by_priority_only_come_first(point_s: float, points: float) -> None:
    """Whatever head start others have, be it longer than time itself."""
    rows = [call(0, 0.0, handle_s=60.0), call(1, 1.0, priority=points), call(2, 2.0, queue_id="first"),
            call(3, 3.0, queue_id="first", priority=1.0)]  # fmt: skip
    queues = [{"queue_id": "q"}, {"queue_id": "first", "scoring_method": "PriorityOnly"}]
    there = [{"agent_id": "ann", "start_at": NINE, "end_at": NINE + DAY}]
    chosen = replace(WEIGHTED, assumptions=Assumptions(point_s=point_s))
    found = why(chosen, "i003", interactions=rows, queues=queues, staffing=there)
    listed = [(each.interaction_id, each.credit_s, each.priority_only) for each in found.waiting]
    assert listed == [("i003", 1.0, True), ("i002", 0.0, True), ("i001", point_s * points, False)]
    assert [each.leaves_in_s for each in found.waiting] == [None] * 3


def test_at_most_twenty_who_wait_are_listed():
    rows = [call(0, 0.0, handle_s=100.0), *(call(n, float(n)) for n in range(1, 40))]
    there = [{"agent_id": "ann", "start_at": NINE, "end_at": NINE + DAY}]
    found = why(WEIGHTED, "i001", interactions=rows, staffing=there)
    assert [each.interaction_id for each in found.waiting] == [f"i{n:03}" for n in range(1, 21)]


def test_an_unknown_interaction_is_refused_with_what_ids_look_like():
    with pytest.raises(UnknownName, match="interaction 'i9' is not in this data; ids look like 'i000'"):
        why(WEIGHTED, "i9", interactions=[call(0)])
    with pytest.raises(UnknownName, match="there are no interactions in this data"):
        why(WEIGHTED, "i9", interactions=[])


def test_the_rule_is_named_in_words():
    assert why(WEIGHTED, "i000", interactions=[call(0)]).rule == f"weighted: {METHODS['weighted'].about}"
