"""The priority in force is found in a log: by counting slowly, in made-up logs whose rule is known, in the real one."""

import json
import math
import os
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration import exits
from engine.calibration.credit import CANDIDATES_S, credit
from engine.calibration.head_starts import head_starts
from engine.data.encode import encode
from engine.data.served import STATUS, Status
from engine.data.tables import Tables
from engine.errors import InvalidScenario
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.methods.ladder import NEVER, one_row_each
from engine.replay.loop import replay
from engine.results import plain
from tests.strategies import strangers_allowed, table

MIDNIGHT = datetime(2024, 3, 4, tzinfo=UTC)  # a Monday
DAY_S = 86_400
GRID_S = (0.0, 1.0, 2.0, 4.0, 300.0)


def fitted(tables, *grid, **options):
    with strangers_allowed():
        arrays = encode(tables)
    return credit(arrays.history(), arrays.centre, grid or CANDIDATES_S, **options)


# --- the slow twin -------------------------------------------------------------------------------------------


def random_log(seed):
    """A small log on few seconds, so that everything ties: two queues, two media, skills, languages, odd rows."""
    dice = random.Random(seed)
    agents = [
        {
            "agent_id": name,
            "skills": [{"name": skill, "proficiency": 3.0} for skill in dice.sample(["s", "t"], dice.randint(1, 2))],
            "languages": [{"name": "en", "proficiency": 5.0}] if dice.random() < 0.7 else None,
        }
        for name in ("a", "b", "c")
    ]
    members = [
        {"queue_id": q, "agent_id": a, "joined": dice.random() < 0.8} for q in ("p", "q") for a in ("a", "b", "c")
    ]
    levels = dice.choice([(0.0, 1.5), (0.0, 1.5), (0.0, 1.0, 2.0), (-1.0, 0.5, 5.0), (2.0,)])
    interactions = [
        {
            "interaction_id": f"i{number}",
            "queue_id": dice.choice("ppppq"),
            "arrived_at": MIDNIGHT + timedelta(days=dice.randint(0, 1), seconds=dice.randint(-6, 6)),
            "media": dice.choice(["voice"] * 5 + ["chat"]),
            "skills": dice.choice([None, None, ["s"], ["t"], ["s", "t"]]),
            "language": dice.choice([None, None, "en"]),
            "priority": dice.choice(levels),
            "outcome": dice.choice(["answered"] * 4 + ["abandoned", "flowed_out", "unknown"]),
            "agent_id": dice.choice([*"aaabbbccc", None, "gone"]),
            "wait_s": dice.choice([None, 0.0, *map(float, range(1, 9))]),
            "alert_s": dice.choice([None, None, None, 1.0, 3.0]),
        }
        for number in range(dice.choice([1, 20, 60, 60]))
    ]
    return agents, members, interactions


def could_take(agent, joined, row):
    held = {skill["name"] for skill in agent["skills"]}
    spoken = {language["name"] for language in agent["languages"] or []}
    needs = set(row["skills"] or [])
    in_queue = (row["queue_id"], agent["agent_id"]) in joined
    return in_queue and needs <= held and (row["language"] is None or row["language"] in spoken)


def counted(agents, members, interactions, zone, grid_s):
    """Exits compared and agreeing by local day, each exit on its own against everybody."""
    joined = {(row["queue_id"], row["agent_id"]) for row in members if row["joined"]}
    known = {agent["agent_id"]: agent for agent in agents}
    waits = []
    for row in interactions:
        if row["wait_s"] is None:
            continue
        alert_s = (row["alert_s"] or 0.0) if row["outcome"] == "answered" else 0.0
        left = row["arrived_at"] + timedelta(seconds=max(0.0, row["wait_s"] - alert_s))
        if left > row["arrived_at"]:
            waits.append((row, left))
    levels = sorted({row["priority"] for row, _ in waits})
    step = min((b - a for a, b in pairwise(levels)), default=1.0)
    days = {}
    for row, now in waits:
        if row["outcome"] != "answered" or row["agent_id"] not in known:
            continue
        others = [
            other
            for other, left in waits
            if other["arrived_at"] < now < left
            and (other["queue_id"], other["media"]) == (row["queue_id"], row["media"])
            and could_take(known[row["agent_id"]], joined, other)
        ]
        if len({other["priority"] for other in [row, *others]}) < 2:
            continue
        agrees = []
        for credit_s in grid_s:

            def key(call, now=now, credit_s=credit_s):
                return (now - call["arrived_at"]).total_seconds() + credit_s * call["priority"] / step

            agrees.append(all(key(row) >= key(other) - 1e-9 for other in others))
        day = now.astimezone(ZoneInfo(zone)).date()
        compared, agreed = days.setdefault(day, [0, [0] * len(grid_s)])
        days[day] = [compared + 1, [a + b for a, b in zip(agreed, agrees, strict=True)]]
    return days


@given(st.integers(0, 2**32), st.sampled_from(["UTC", "America/New_York"]), st.sampled_from([1, 3, exits.N_STEPS]))
def test_shares_equal_counting_exit_by_exit(seed, zone, n_steps):
    """Also where the pass is cut after every call, or after a few."""
    agents, members, interactions = random_log(seed)
    rows = {"agents": agents, "members": members, "interactions": interactions}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exits, "N_STEPS", n_steps)
        fit = fitted(Tables.of({name: table(name, of) for name, of in rows.items()}, zone), *GRID_S, by="day")
    days = counted(agents, members, interactions, zone, GRID_S)
    assert {p.since: [p.n_exits, p.agreed.tolist()] for p in fit.periods} == days
    assert fit.whole.n_exits == sum(n for n, _ in days.values()) == fit.counts["compared"]
    assert fit.whole.agreed.tolist() == [
        sum(column) for column in zip([0] * 5, *(a for _, a in days.values()), strict=True)
    ]
    assert fit.counts["answered"] == sum(row["outcome"] == "answered" for row in interactions)
    parts = [n for label, n in fit.counts.items() if label != "answered" and not label.startswith("not answered")]
    assert sum(parts) == fit.counts["answered"]
    json.dumps(plain(fit.shown()), allow_nan=False)


@given(st.integers(0, 2**32))
def test_two_priorities_alone_are_a_log_without_the_others(seed):
    agents, members, interactions = random_log(seed)
    frames = {"agents": table("agents", agents), "members": table("members", members)}
    fit = fitted(Tables.of(frames | {"interactions": table("interactions", interactions)}), *GRID_S)
    for step in fit.steps:
        pair = [row for row in interactions if row["priority"] in step.priorities]
        alone = fitted(Tables.of(frames | {"interactions": table("interactions", pair)}), *GRID_S)
        assert step.whole.agreed.tolist() == alone.whole.agreed.tolist()
        assert step.whole.n_exits == alone.whole.n_exits


# --- made-up logs whose rule is known --------------------------------------------------------------------------


@cache
def busy_days(lead_s, priority, n_days=8, seed=1):
    """What a replay of overloaded days makes of kinds with these head starts; recorded are their priorities.

    Of four agents two lack the skill of every second call, so that whom they pass over says nothing.
    """
    rng = np.random.default_rng(seed)
    n_kinds, n = len(lead_s), 500
    arrived_s = np.sort(
        rng.uniform(9 * 3600, 12 * 3600, (n_days, n)) + DAY_S * np.arange(n_days)[:, None], axis=1
    ).ravel()
    group, rare = rng.integers(0, n_kinds, n * n_days), rng.random(n * n_days) < 0.5
    eligible = np.ones((2 * n_kinds, 4), bool)
    eligible[n_kinds:, 2:] = False
    kinds = Kinds.plain(eligible, np.tile(lead_s, 2))
    patience_s = np.rint(rng.exponential(400, arrived_s.size))
    demand = Demand.of(arrived_s, rng.exponential(100, arrived_s.size), kinds, group + n_kinds * rare, patience_s)
    days = np.arange(n_days)
    spells = [
        np.repeat(np.arange(4), n_days),
        np.tile(DAY_S * days + 9 * 3600, 4),
        np.tile(DAY_S * days + 13 * 3600, 4),
    ]
    served = replay(demand, Roster.of(4, *spells), one_row_each(np.where(eligible, 0.0, NEVER)))
    answered = served.status == Status.ANSWERED
    skills = [{"name": "common", "proficiency": 3.0}, {"name": "rare", "proficiency": 3.0}]
    agents = [{"agent_id": f"a{place}", "skills": skills[: 1 + (place < 2)]} for place in range(4)]
    rows = [
        {
            "interaction_id": f"{number:06}",
            "queue_id": "q",
            "arrived_at": MIDNIGHT + timedelta(microseconds=int(demand.arrived_us[number])),
            "skills": ["rare" if rare[number] else "common"],
            "priority": float(priority[group[number]]),
            "outcome": STATUS[served.status[number]],
            "agent_id": f"a{served.agent[number]}" if answered[number] else None,
            "wait_s": int(served.left_us[number] - demand.arrived_us[number]) / 1e6,
        }
        for number in range(arrived_s.size)
        if STATUS[served.status[number]] != "unserved"
    ]
    return Tables(table("agents", agents), table("interactions", rows))


@pytest.mark.parametrize("lead_s", [0.0, 60.0, 90.0])
def test_the_credit_in_force_is_found(lead_s):
    """A replay credits what it was told, so the true candidate explains every exit."""
    fit = fitted(busy_days((0.0, lead_s), (0.0, 1.5)))
    assert fit.best_s == lead_s
    assert fit.point_s == lead_s / 1.5
    assert fit.whole.agreed.max() == fit.whole.n_exits > 1000
    assert fit.verdict.startswith(f"{lead_s:g} s stands out: 100.0 % of")
    assert all(period.stands_out for period in fit.periods)
    assert "peak" not in fit.verdict
    assert "In the month" not in fit.verdict


def test_the_credit_is_found_to_the_second():
    """On 16 days; on eight, the second before differs in ten of 1,453 exits, and other days might differ in none."""
    grid_s = range(80, 101)
    assert fitted(busy_days((0.0, 90.0), (0.0, 1.5), 16), *grid_s).best_s == 90
    assert "not clearly more than with 89 s" in fitted(busy_days((0.0, 90.0), (0.0, 1.5)), *grid_s).verdict


def test_without_skills_the_rule_is_blurred():
    """Agents who cannot take a call say nothing by leaving it; counting them as choosing makes the rule look broken."""
    tables = busy_days((0.0, 90.0), (0.0, 1.5))
    blind = tables.interactions.with_columns(skills=pl.lit([], dtype=pl.List(pl.String)))
    fit = fitted(Tables(tables.agents, blind))
    assert fit.whole.agreed.max() < 0.9 * fit.whole.n_exits


def test_three_priorities_share_one_rule():
    fit = fitted(busy_days((0.0, 60.0, 120.0), (0.0, 1.0, 2.0)))
    assert (fit.best_s, fit.point_s) == (60, 60)
    assert [step.best_s for step in fit.steps] == [60, 60]
    assert fit.whole.agreed.max() == fit.whole.n_exits
    assert "60 s for every 1 points" in fit.verdict
    assert "alone" not in fit.verdict


def test_uneven_steps_are_told():
    """Priorities 0, 1, 2 with 30 s and then 120 s: no credit per point explains both."""
    fit = fitted(busy_days((0.0, 30.0, 150.0), (0.0, 1.0, 2.0)))
    assert [step.best_s for step in fit.steps] == [30, 120]
    assert "Between priorities 1 and 2 alone, 120 s stands out" in fit.verdict or (
        "Between priorities 0 and 1 alone, 30 s stands out" in fit.verdict
    )


def test_a_rule_that_the_priorities_hide_makes_a_second_peak():
    """Recorded as one priority, two groups of customers with 0 s and 90 s: the top one leads by 180 s and by 90 s."""
    of_five = (0.0, 90.0, 90.0, 180.0, 180.0), (0.0, 0.0, 0.0, 1.5, 1.5)
    fit = fitted(busy_days(*of_five, 40), *range(0, 271, 30))
    assert {fit.candidates_s[place] for place in (fit.whole.best, *fit.whole.peaks)} == {90, 180}
    assert "A second peak at" in fit.verdict


def test_strict_priority_is_not_mistaken_for_the_largest_candidate():
    fit = fitted(busy_days((0.0, 1e6), (0.0, 1.0)))
    assert fit.best_s is None
    assert "180 s, the largest candidate; try larger ones" in fit.verdict


def test_two_rules_in_equal_parts_are_not_one():
    """Four days of one rule and four of another: whichever agrees better, other days might say otherwise."""
    before, after = busy_days((0.0, 0.0), (0.0, 1.5), 4), busy_days((0.0, 90.0), (0.0, 1.5), 4, 2)
    moved = after.interactions.with_columns(
        pl.col("arrived_at") + pl.duration(days=4), interaction_id=pl.format("x{}", "interaction_id")
    )
    fit = fitted(Tables(before.agents, pl.concat([before.interactions, moved])))
    assert fit.best_s is None
    assert "not clearly more than with" in fit.verdict


def test_a_change_of_rule_is_told_by_period():
    """Two weeks first come, first served, then three weeks of 90 s: the second half decides, the first is named."""
    before, after = busy_days((0.0, 0.0), (0.0, 1.5), 14), busy_days((0.0, 90.0), (0.0, 1.5), 21, 2)
    moved = after.interactions.with_columns(
        pl.col("arrived_at") + pl.duration(days=14), interaction_id=pl.format("x{}", "interaction_id")
    )
    fit = fitted(Tables(before.agents, pl.concat([before.interactions, moved])), by="week")
    best = [fit.candidates_s[period.best] for period in fit.periods]
    assert best == [0, 0, 90, 90, 90]
    assert all(period.stands_out for period in fit.periods)
    other = "0" if fit.candidates_s[fit.whole.best] else "90"
    assert f"In the week from 2024-03-04, {other} s is clearly ahead" in fit.verdict


def test_customers_taken_by_lot_speak_for_no_credit():
    """Whoever is taken at random has not waited longer for being of a higher priority."""
    tables = busy_days((0.0, 90.0), (0.0, 1.5))
    lot = np.random.default_rng(3).choice([0.0, 1.5], tables.interactions.height)
    fit = fitted(Tables(tables.agents, tables.interactions.with_columns(priority=pl.Series(lot))))
    assert fit.best_s in {None, 0.0}


def test_days_that_are_alike_leave_no_doubt():
    """The interval comes from how days differ: equal days give its middle, one day gives none."""
    day = busy_days((0.0, 60.0), (0.0, 1.0), 1)
    copies = [
        day.interactions.with_columns(
            pl.col("arrived_at") + pl.duration(days=n), interaction_id=pl.format("{}-{}", pl.lit(n), "interaction_id")
        )
        for n in range(8)
    ]
    fit = fitted(Tables(day.agents, pl.concat(copies)))
    share = fit.whole.share
    np.testing.assert_allclose(fit.whole.low, share.max() - share, atol=1e-12)
    np.testing.assert_allclose(fit.whole.high, fit.whole.low, atol=1e-12)
    alone = fitted(day)
    assert alone.best_s is None
    assert alone.verdict.startswith("not determined")
    assert "on 1 days could be compared; it takes 100 on 7 days" in alone.verdict
    assert alone.shown().whole.lead_low is None


def test_the_interval_covers_what_days_do():
    """Its width is that of a mean over days: about twice Student's 2.02 standard errors of the lead on 40 days."""
    fit = fitted(busy_days((0.0, 90.0), (0.0, 1.5), 40), by="day")
    n = np.array([period.n_exits for period in fit.periods])
    agreed = np.array([period.agreed for period in fit.periods])
    best, second = fit.whole.best, fit.whole.runner_up
    gain = agreed[:, best] - agreed[:, second]
    residual = gain - n * gain.sum() / n.sum()
    error = math.sqrt((residual**2).sum()) / n.sum()
    width = fit.whole.high[second] - fit.whole.low[second]
    assert width == pytest.approx(2 * 2.02 * error, rel=0.1)
    assert fit.whole.low[second] < gain.sum() / n.sum() < fit.whole.high[second]


def test_the_table_says_what_the_fit_says():
    fit = fitted(busy_days((0.0, 60.0), (0.0, 1.5)))
    frame = fit.to_frame()
    whole = frame.filter(pl.col("since").is_null())
    assert whole["credit_s"].to_list() == list(CANDIDATES_S)
    assert whole["point_s"].to_list() == [s / 1.5 for s in CANDIDATES_S]
    assert whole["agreement"].to_list() == fit.whole.share.tolist()
    assert whole.row(2, named=True)["lead"] == 0
    assert frame.height == len(CANDIDATES_S) * (1 + len(fit.periods))
    record = plain(fit.shown())
    assert json.loads(json.dumps(record, allow_nan=False))["best_s"] == 60
    assert record["whole"]["stands_out"]


def test_a_log_without_anybody_to_compare():
    agents = table("agents", [{"agent_id": "a"}])
    for rows in ([], [{"interaction_id": "1", "queue_id": "q", "arrived_at": MIDNIGHT, "wait_s": 5.0}]):
        fit = fitted(Tables(agents, table("interactions", rows)))
        assert (fit.best_s, fit.point_s, fit.whole.share) == (None, None, None)
        assert fit.verdict == "not determined: all who waited have the same priority"
        assert fit.to_frame().is_empty()
        assert fit.shown().whole.agreement is None


@pytest.mark.parametrize("grid", [(90,), (30, 30), (-30, 0), (0, math.nan), (0, math.inf)])
def test_candidates_must_be_different_seconds(grid):
    with pytest.raises(InvalidScenario, match="two or more different numbers of seconds"):
        fitted(busy_days((0.0, 90.0), (0.0, 1.5)), *grid)


def test_a_period_must_be_known():
    with pytest.raises(InvalidScenario, match="'year' is no period; give one of day, week, month"):
        fitted(busy_days((0.0, 90.0), (0.0, 1.5)), by="year")


# --- the real log ----------------------------------------------------------------------------------------------


def test_ninety_seconds_stand_out_in_the_real_log(tmp_path):
    """The bank's documented credit, January to July 1999; before 13 January customers were taken as they came."""
    place = os.environ.get("ROUTELAB_BANK_LOG")
    if not place:
        pytest.skip("ROUTELAB_BANK_LOG is not set: the published log of the bank is not here")
    from ingest.bank import import_bank
    from ingest.snapshot.reading import open_snapshot

    path = Path(place)
    log = sorted(path.glob("*.parquet"))[0] if path.is_dir() else path
    if import_bank([log], tmp_path, "bank").repairs["rows in the log"] != 252_290:
        pytest.skip("ROUTELAB_BANK_LOG is not the extract of January to July 1999, whose rule is known")
    arrays = open_snapshot(tmp_path, "bank").arrays()
    fit = credit(arrays.history(), arrays.centre)
    assert fit.best_s == 90
    assert fit.point_s == 60
    assert fit.whole.n_exits > 60_000
    # The log's three classes, each 90 s ahead of the one below; two of them alone agree with 65.5 %.
    assert fit.priorities == (-1.5, 0.0, 1.5)
    assert fit.whole.share.max() > 0.72
    assert [step.best_s for step in fit.steps] == [90, 90]
    by_class = head_starts(arrays.history(), arrays.centre, fit)
    assert by_class.steps_s.tolist() == [90, 90]
    assert by_class.stands_out
    assert credit(arrays.history(), arrays.centre, range(0, 211, 15)).best_s == 90
    weeks = credit(arrays.history(), arrays.centre, by="week").periods
    first = next(week for week in weeks if week.since.isoformat() == "1999-01-04")
    assert first.stands_out
    assert first.best == 0
