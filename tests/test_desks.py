"""Who belongs to a desk, who helps out and who does neither is found in logs whose desks are known."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration import calibrate, choices
from engine.calibration.choices import answered_at_once, turns
from engine.calibration.desks import INCIDENTAL, MEMBER, OVERFLOW, desks, passed_over
from engine.calibration.exits import able
from engine.calibration.in_force import Desk, InForce
from engine.calibration.rings import LAPSES, LONGEST, Choices, rings
from engine.data.arrays import Arrays
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.served import STATUS
from engine.data.tables import Tables
from engine.estimates.assumptions import Assumptions
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import NEVER, one_row_each
from engine.replay.loop import replay
from engine.replay.playing import play
from engine.replay.prepare import Recorded
from engine.reports.columns import today_of
from engine.results import plain
from engine.spec import Scenario
from tests.strategies import table
from tests.test_credit import could_take, random_log

MIDNIGHT, DAY_S, N_AGENTS = datetime(2024, 3, 4, tzinfo=UTC), 86_400, 8
# Of calls that need the special skill agents 0 and 1 are the desk, 2 and 3 help out, 4 and 5 are there in its absence,
# and 6 and 7 never had such a call.
DESK = np.array([2.0, 2.0, 1.0, 1.0, NEVER, NEVER, NEVER, NEVER])
ABSENT = np.array([NEVER, NEVER, NEVER, NEVER, 2.0, 2.0, NEVER, NEVER])
ALIKE = np.where(DESK > NEVER, 0.0, NEVER)


def days(first: int, n_days: int, special: np.ndarray, seed: int, calls: int = 900) -> pl.DataFrame:
    """Days of a centre, two of five calls for the desk; whoever of it is ranked nowhere is away on these days."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(first, first + n_days), calls)
    arrived_s = np.sort(DAY_S * day + rng.uniform(8 * 3600, 16 * 3600, day.size))
    kind = (rng.random(day.size) < 0.4).astype(int)
    talk_s = np.round(rng.exponential(180.0, day.size), 3) + 1
    rank = np.stack([np.zeros(N_AGENTS), special])
    demand = Demand.of(arrived_s, talk_s, Kinds.plain(rank > NEVER), kind, rng.exponential(300.0, day.size))
    here = [a for a in range(N_AGENTS) if a > 3 or special[0] > NEVER]
    shifts = [(a, DAY_S * d + 8 * 3600.0, DAY_S * d + 16 * 3600.0) for d in range(first, first + n_days) for a in here]
    roster = Roster.of(N_AGENTS, *(np.array(side) for side in zip(*shifts, strict=True)))
    served = replay(demand, roster, one_row_each(rank))
    base_us = int(1e6 * MIDNIGHT.timestamp())
    return pl.DataFrame({
        "interaction_id": [f"{seed}-{first}-{number:06d}" for number in range(day.size)], "queue_id": "q",
        "arrived_at": pl.Series(demand.arrived_us + base_us).cast(pl.Datetime("us", "UTC")),
        "skills": [["special"] if one else ["common"] for one in kind],
        "outcome": [STATUS[place] for place in served.status], "wait_s": (served.left_us - demand.arrived_us) / 1e6,
        "agent_id": [f"a{agent}" if agent >= 0 else None for agent in served.agent],
        "handle_s": pl.Series(np.where(served.agent >= 0, talk_s, np.nan)).fill_nan(None),
    }).filter(pl.col("outcome") != "unserved")  # fmt: skip


def log(*parts: pl.DataFrame) -> Arrays:
    """What an import makes of it: everybody who ever answered a special call has the skill."""
    rows = pl.concat(parts)
    did = set(rows.filter(pl.col("skills").list.contains("special"))["agent_id"].drop_nulls())
    names = [f"a{agent}" for agent in range(N_AGENTS)]
    agents = [
        {"agent_id": name, "skills": [{"name": skill, "proficiency": 3.0} for skill in ("common", "special")
                                      if skill == "common" or name in did]}
        for name in names
    ]  # fmt: skip
    return encode(Tables(table("agents", agents), check("interactions", rows)))


def fitted(arrays: Arrays):
    centre, history = arrays.centre, arrays.history()
    recorded = Recorded(arrays, Scenario(mode="replay"))
    found, rules = desks(history, centre, recorded.spells, 0.0, np.zeros(centre.call_types.height))
    return {fit.skills[0]: fit for fit in found}, rules


def roles(fit) -> dict[str, str]:
    return {one.agent_id: one.role for one in fit.agents}


@pytest.fixture(scope="module")
def special() -> Arrays:
    return log(days(0, 20, DESK, 1), days(20, 2, ABSENT, 2, calls=150))


def test_members_overflow_and_whoever_was_there_in_their_absence_are_told_apart(special):
    """Agents 4 and 5 took more than 20 special calls on the days on which the desk was away, and none else."""
    found, rules = fitted(special)
    of_special = found["special"]
    assert roles(of_special) == {
        "a0": MEMBER, "a1": MEMBER, "a2": OVERFLOW, "a3": OVERFLOW, "a4": INCIDENTAL, "a5": INCIDENTAL
    }  # fmt: skip
    took = {one.agent_id: one for one in of_special.agents}
    assert min(took["a4"].answered, took["a5"].answered) > 20
    assert took["a4"].taken < took["a4"].turns / 3
    # Beside a free member an equal would have had hundreds of them.
    assert took["a2"].took_beside < 0.1 * took["a2"].expected
    assert set(roles(found["common"]).values()) == {MEMBER}
    assert rules == [Desk("q", ["special"], None, "q: special", ["a2", "a3"], ["a4", "a5"])] or (
        sorted(rules[0].overflow), sorted(rules[0].incidental)
    ) == (["a2", "a3"], ["a4", "a5"])  # fmt: skip
    json.dumps(plain(of_special), allow_nan=False)


@pytest.mark.parametrize("seed", range(8))
def test_equals_are_not_told_apart(seed):
    found, rules = fitted(log(days(0, 12, ALIKE, 10 + seed)))
    assert rules == []
    assert {role for fit in found.values() for role in roles(fit).values()} == {MEMBER}


def test_a_log_of_few_choices_tells_nobody_apart():
    assert fitted(log(days(0, 1, DESK, 3, calls=60)))[1] == []


def test_who_passes_calls_over_is_told_by_chance_below_a_thousandth():
    """All take 70 %; 20 of 40 may be one who takes half as often, 3 of 40 hardly (1 in 10,000), 0 of 9 are too few."""
    n = np.array([100, 100, 40, 40, 9])
    taken = np.array([90, 90, 20, 3, 0])
    assert passed_over(n, taken).tolist() == [False, False, False, True, False]
    assert not passed_over(np.array([20, 20]), np.array([19, 0])).any(), "too few turns of the kind in all"


def test_rings_follow_the_likelihood():
    """Two of three are always free; the third gets what is left. 100 choices of the first against the third decide."""
    free = np.array([[True, False, True]] * 100 + [[True, True, False]] * 100)
    agent, idle_us = np.array([0] * 99 + [2] + [0, 1] * 50), np.zeros(free.shape, np.int64)
    assert rings(Choices(agent, free, idle_us)).tolist() == [1, 1, 2]
    assert rings(Choices(np.array([0, 2] * 50 + [0, 1] * 50), free, idle_us)).tolist() == [1, 1, 1]
    assert rings(Choices(agent[:20], free[:20], idle_us[:20])).tolist() == [1, 1, 1]
    # The same choices, where the third had always just finished a call: it is an equal, for the longest idle is taken.
    idle_us[:100, 2], idle_us[100::2, 1], idle_us[101::2, 0] = 9, 9, 9
    agent[99] = 0
    assert rings(Choices(agent, free, idle_us)).tolist() == [1, 1, 1]


def test_the_likelihood_is_that_of_its_own_words():
    """Three choices by hand at the best of the tried shares: counted in groups or one by one it is the same."""
    free = np.array([[True, True, True], [True, False, True], [False, True, True]])
    agent, idle_us = np.array([0, 2, 1]), np.array([[1, 2, 3], [4, 0, 2], [0, 5, 5]])
    choices, ring = Choices(agent, free, idle_us), np.array([1, 1, 2])
    best = -np.inf
    for lapse in LAPSES:
        for longest in LONGEST:
            # Ring 1 of the first: 0 and 1, 0 idle for longer. Of the second: 0 alone, and 2 took it. Of the third: 1.
            chances = [
                (1 - lapse) * (longest + (1 - longest) / 2) + lapse / 3,
                lapse / 2,
                (1 - lapse) * (longest + (1 - longest)) + lapse / 2,
            ]
            best = max(best, float(np.log(chances).sum()))
    assert choices.fit(ring)[0] == pytest.approx(best)


# --- a replay with desks -----------------------------------------------------------------------------------------


def test_a_desk_is_read_into_the_data_set(special):
    """Special calls get a queue of their own: two rings at once, and without the incidental."""
    rule = InForce([], [Desk("q", ["special"], None, "q: special", ["a2", "a3", "gone"], ["a4", "a5"])])
    read = rule.applied(special)
    centre = read.centre
    assert centre.queue_ids == ["q", "q: special"]
    assert centre.ring.tolist() == [[1] * 8, [1, 1, 2, 2, 0, 0, 1, 1]]
    assert centre.queues["rings"].is_null().to_list() == [True, False]
    assert today_of(Scenario(mode="replay"), read).method == "bullseye"
    assert special.centre.queue_ids == ["q"]
    said = "Desk as calibrated, q, special: a4, a5 do not take them; a2, a3, gone take them when no member is free"
    assert read.snapshot.assumptions[-1] == said
    unknown = InForce([], [Desk("q", ["other"], None, "q: other", ["a0"], [])]).applied(special)
    assert unknown.centre.queue_ids == ["q"]


def test_a_queue_of_one_kind_keeps_its_name():
    """Where the desk has its own queue already, its members get rings there; 6 and 7 are members and take nothing."""
    rows = special_rows()
    members = [{"queue_id": queue, "agent_id": f"a{agent}"} for queue in ("q", "desk") for agent in range(N_AGENTS)]
    agents = [{"agent_id": f"a{agent}"} for agent in range(N_AGENTS)]
    frames = {"agents": table("agents", agents), "members": table("members", members), "interactions": rows}
    arrays = encode(Tables.of(frames))
    centre, recorded = arrays.centre, Recorded(arrays, Scenario(mode="replay"))
    found, rules = desks(arrays.history(), centre, recorded.spells, 0.0, np.zeros(centre.call_types.height))
    assert sorted(fit.queue_id for fit in found) == ["desk", "q"]
    (rule,) = rules
    assert (rule.desk_id, sorted(rule.overflow)) == ("desk", ["a2", "a3"])
    assert sorted(rule.incidental) == ["a4", "a5", "a6", "a7"]
    read = InForce([], rules).applied(arrays).centre
    assert read.queue_ids == centre.queue_ids
    assert read.ring[read.queue_ids.index("desk")].tolist() == [1, 1, 2, 2, 0, 0, 0, 0]
    assert read.ring[read.queue_ids.index("q")].tolist() == [1] * N_AGENTS


def special_rows() -> pl.DataFrame:
    """The log with a queue for each kind in place of skills."""
    parts = pl.concat([days(0, 20, DESK, 1), days(20, 2, ABSENT, 2, calls=150)])
    is_special = pl.col("skills").list.contains("special")
    queue = pl.when(is_special).then(pl.lit("desk")).otherwise(pl.lit("q"))
    return check("interactions", parts.with_columns(queue_id=queue).drop("skills"))


def test_overflow_is_asked_only_when_no_member_is_free(special):
    """In a replay nobody of the second ring takes a special call while a member is free, nor an incidental any."""
    rule = InForce([], [Desk("q", ["special"], None, "q: special", ["a2", "a3"], ["a4", "a5"])])
    arrays = rule.applied(special.days(date(2024, 3, 4), date(2024, 3, 8)))
    scenario = today_of(Scenario(mode="replay"), arrays)
    played = play(scenario, Recorded(arrays, scenario))
    served = played.served
    is_special = np.isin(played.completed.interactions.call_type, special_types(arrays))
    assert not np.isin(served.agent[is_special], [4, 5, 6, 7]).any()
    outer = np.flatnonzero(is_special & np.isin(served.agent, [2, 3]))
    assert outer.size > 50
    start_us = served.services.start_us if hasattr(served.services, "start_us") else None
    assert start_us is not None
    for row in outer.tolist():
        for member in (0, 1):
            assert not is_free(played, member, int(served.left_us[row]), row)


def special_types(arrays: Arrays) -> list[int]:
    return [place for place, row in enumerate(arrays.centre.call_types.to_dicts()) if row["skills"] == ["special"]]


def is_free(played, agent: int, at_us: int, row: int) -> bool:
    """On queue and not at work, a moment before the choice."""
    spells, served = played.completed.spells, played.served
    mine = spells.agent == agent
    on_queue = ((spells.start_us[mine] < at_us) & (at_us < spells.end_us[mine])).any()
    work = served.services
    of_agent = work.agent == agent
    return bool(on_queue and not ((work.start_us[of_agent] <= at_us) & (at_us <= work.end_us[of_agent])).any())


def test_a_calibration_uses_a_desk_where_the_days_held_out_are_nearer_with_it():
    arrays = log(days(0, 20, DESK, 1), days(20, 2, ABSENT, 2, calls=150), days(22, 12, DESK, 3))
    fit, test = (date(2024, 3, 4), date(2024, 3, 25)), (date(2024, 3, 26), date(2024, 4, 6))
    scenario = Scenario(assumptions=Assumptions(join_gap_s=600.0))
    found = calibrate(arrays, scenario, fit, test, draws=3)
    tested = found.evidence.desks.tests
    assert [(one.desk_id, one.adopted) for one in tested] == [("q: special", True)]
    assert tested[0].off_after < 0.7 * tested[0].off_before
    off = [abs(side.service_level - tested[0].recorded.service_level) for side in (tested[0].before, tested[0].after)]
    assert off[1] < off[0]
    assert [desk.desk_id for desk in found.in_force.desks] == ["q: special"]
    assert found.evidence.rule.startswith("bullseye")
    assert "2 members, 2 overflow, 2 incidental" in found.evidence.desks.verdict
    assert InForce.of(json.loads(json.dumps(plain(found.in_force)))) == found.in_force
    # Kinds are called as they are recorded, whatever queue a replay has them in.
    assert {row.queue_id for row in found.evidence.agreement["test"].types} == {"q"}


def test_a_desk_that_is_no_longer_one_is_not_used():
    """On the days held out all are alike, so the desk of the days fitted makes its calls come out worse."""
    arrays = log(days(0, 20, DESK, 1), days(20, 12, ALIKE, 4))
    fit, test = (date(2024, 3, 4), date(2024, 3, 23)), (date(2024, 3, 24), date(2024, 4, 4))
    found = calibrate(arrays, Scenario(assumptions=Assumptions(join_gap_s=600.0)), fit, test, draws=3)
    assert [one.adopted for one in found.evidence.desks.tests] == [False]
    assert found.in_force.desks == []
    assert "not used" in found.evidence.desks.verdict
    assert found.evidence.rule.startswith("genesys")


def test_a_rule_that_is_given_is_not_looked_for(special):
    fit, test = (date(2024, 3, 4), date(2024, 3, 15)), (date(2024, 3, 16), date(2024, 3, 25))
    found = calibrate(special, Scenario(), fit, test, method="longest_idle", draws=2)
    assert found.in_force.desks == []
    assert found.evidence.desks.verdict == "desks are not looked for, since the rule was given"


# --- slow twins --------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.sampled_from([1, 3, choices.N_STEPS]))
def test_what_comes_first_equals_looking_at_everybody(seed, n_steps):
    """Each exit on its own against everybody waiting; who left at the same instant is not compared; cut or not."""
    agents, members, interactions = random_log(seed)
    gone = {"agent_id": None}
    interactions = [row | {"media": "voice"} | (gone if row["agent_id"] == "gone" else {}) for row in interactions]
    rows = {"agents": agents, "members": members, "interactions": interactions}
    arrays = encode(Tables.of({name: table(name, of) for name, of in rows.items()}))
    centre, history = arrays.centre, arrays.history()
    lead_s = 2.0 * centre.call_types["priority"].to_numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choices, "N_STEPS", n_steps)
        seen = turns(history, centre, able(centre), lead_s)
    place = {row["interaction_id"]: row for row in interactions}
    wanted = []
    for number, name in enumerate(history.interaction_id):
        wanted += turn(place[name], interactions, agents, members, int(history.call_type[number]), arrays)
    got = sorted(zip(seen.first.tolist(), seen.taken.tolist(), seen.agent.tolist(), strict=True))
    assert got == sorted(wanted)


def turn(row, interactions, agents, members, call_type, arrays):
    """What came first when this call left its queue, what it required, and who took it; nothing where it is no exit."""
    known = {agent["agent_id"]: agent for agent in agents}
    joined = {(one["queue_id"], one["agent_id"]) for one in members if one["joined"]}
    if row["outcome"] != "answered" or row["agent_id"] not in known or row["wait_s"] is None:
        return []
    now = left(row)
    if (now - row["arrived_at"]).total_seconds() <= 2.0:
        return []
    centre = arrays.centre
    types = {
        name: int(kind) for name, kind in zip(arrays.history().interaction_id, arrays.history().call_type, strict=True)
    }
    best, at = row, key(row)
    for other in sorted(interactions, key=lambda one: types[one["interaction_id"]]):
        if other is row or other["wait_s"] is None or not other["arrived_at"] < now < left(other):
            continue
        if could_take(known[row["agent_id"]], joined, other) and key(other) < at:
            best, at = other, key(other)
    kinds = [int(centre.requirement[types[one["interaction_id"]]]) for one in (best, row)]
    return [(*kinds, centre.agent_ids.index(row["agent_id"]))]


def left(row):
    alert_s = (row["alert_s"] or 0.0) if row["outcome"] == "answered" else 0.0
    return row["arrived_at"] + timedelta(seconds=max(0.0, row["wait_s"] - alert_s))


def key(row):
    return row["arrived_at"] - timedelta(seconds=2.0 * row["priority"])


@given(st.integers(0, 2**32))
def test_who_is_free_equals_looking_at_every_service(seed):
    dice = random.Random(seed)
    rows = [
        {"interaction_id": f"i{number}", "queue_id": "q",
         "arrived_at": MIDNIGHT + timedelta(seconds=dice.randint(0, 60)), "agent_id": dice.choice("abc"),
         "outcome": dice.choice(["answered", "answered", "abandoned"]),
         "wait_s": float(dice.choice([0, 0, 1, 3])), "handle_s": float(dice.randint(0, 20))}
        for number in range(25)
    ]  # fmt: skip
    rows = [row if row["outcome"] == "answered" else row | {"agent_id": None, "handle_s": None} for row in rows]
    staffing = [
        {"agent_id": name, "start_at": MIDNIGHT + timedelta(seconds=start),
         "end_at": MIDNIGHT + timedelta(seconds=start + dice.randint(5, 40))}
        for name in "abc" for start in (0, 45)
    ]  # fmt: skip
    # A chat elsewhere bars calls, an email does not.
    busy = [
        {"agent_id": dice.choice("abc"), "start_at": MIDNIGHT + timedelta(seconds=start), "media": media,
         "end_at": MIDNIGHT + timedelta(seconds=start + dice.randint(1, 20))}
        for media in ("chat", "email") for start in (dice.randint(0, 50), dice.randint(0, 50))
    ]  # fmt: skip
    frames = {
        "agents": [{"agent_id": name} for name in "abc"],
        "interactions": rows,
        "staffing": staffing,
        "busy": busy,
    }
    arrays = encode(Tables.of({name: table(name, of) for name, of in frames.items()}))
    recorded = Recorded(arrays, Scenario(mode="replay"))
    found = answered_at_once(arrays.history(), arrays.centre, recorded.spells, 2.0)
    ordered = sorted(rows, key=lambda row: (row["arrived_at"], row["interaction_id"]))
    at_once = [row for row in ordered if row["outcome"] == "answered" and row["wait_s"] <= 2.0]
    assert found.agent.tolist() == ["abc".index(row["agent_id"]) for row in at_once]
    for place, row in enumerate(at_once):
        now = row["arrived_at"] + timedelta(seconds=row["wait_s"])
        for number, name in enumerate("abc"):
            spells = [*staffing, *(one for one in busy if one["media"] == "chat")]
            here = [one for one in spells if one["agent_id"] == name and one["start_at"] <= now < one["end_at"]]
            on_queue = bool(here) and all("media" not in one for one in here)
            at_work = any(
                one["agent_id"] == name and begin < now < begin + timedelta(seconds=one["handle_s"] + 2.0)
                for one in rows
                if one["outcome"] == "answered"
                for begin in [one["arrived_at"] + timedelta(seconds=one["wait_s"])]
            )
            assert found.free[place, number] == ((on_queue and not at_work) or name == row["agent_id"])
