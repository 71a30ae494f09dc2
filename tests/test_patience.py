"""Patience: published Kaplan-Meier estimates, a slow twin, theory, and who never leaves."""

import json
import math
import random
from datetime import UTC, datetime, timedelta
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.estimates.patience as module
from engine.data.encode import encode
from engine.data.tables import MEDIA, OUTCOMES, Tables
from engine.estimates.assumptions import Assumptions
from engine.estimates.estimated import Range
from engine.estimates.patience import curves, patience
from engine.estimates.streams import PATIENCE, uniform
from engine.estimates.survival import KaplanMeier, late_hazard
from engine.results import plain
from tests.strategies import strangers_allowed, table

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
NAN = math.nan
# Remission of 21 patients given 6-MP, in weeks (Freireich et al. 1963, table in Cox and Oakes 1984, example 1.1).
REMISSION = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def recorded(rows):
    """Centre's queues of call types, and history, of rows of the interactions table."""
    places = [{"interaction_id": f"i{n:04}", "queue_id": "q", "arrived_at": NOON + timedelta(seconds=n)} | row
              for n, row in enumerate(rows)]  # fmt: skip
    with strangers_allowed():
        arrays = encode(Tables(agents=table("agents", [{"agent_id": "a"}]), interactions=table("interactions", places)))
    return arrays.history(), arrays.centre.queue[arrays.centre.requirement]


def waits_of(rows, seed=0, **assumed):
    history, queue = recorded(rows)
    return patience(history, queue, Assumptions(**assumed), seed)


def test_published_remission_times():
    """Cox and Oakes print 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448; of equal times relapses come first."""
    curve = KaplanMeier.fit(REMISSION, np.array(RELAPSED, bool))
    assert curve.at_s.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.survival.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve.median_s == 23
    # 6 + 0.857 + 3 * 0.807 + 3 * 0.753 + 3 * 0.690 + 6 * 0.627 + 0.538, by hand with the fractions.
    steps = np.cumprod([18 / 21, 16 / 17, 14 / 15, 11 / 12, 10 / 11, 6 / 7])
    assert curve.restricted_mean_s == pytest.approx(6 + steps @ [1, 3, 3, 3, 6, 1], rel=1e-14)


def test_published_survival_to_the_end():
    """Bewick, Cheek and Ball 2004 (doi:10.1186/cc2955), table 2: the last of all dies, so no tail is left."""
    curve = KaplanMeier.fit([1, 1, 4, 5, 6, 9, 9, 22], np.array([1, 1, 1, 1, 0, 1, 0, 1], bool))
    assert curve.survival.round(3).tolist() == [0.75, 0.625, 0.5, 0.333, 0.0]
    assert curve.draw([NAN, 9.0, 21.9], [0.0, 0.0, 0.0]).tolist() == [22, 22, 22]


def test_the_late_hazard_by_hand():
    """Eight give up at 1, 2, ... 8, two wait to 20: after 6 come 2 of 8, in 1 + 2 + 2 * 14 s."""
    wait_s, left = np.array([*range(1, 9), 20, 20], float), np.array([True] * 8 + [False] * 2)
    assert late_hazard(wait_s, left) == pytest.approx(2 / 31)
    assert late_hazard(np.array([5.0, 5.0, 9.0]), np.array([True, True, False])) == pytest.approx(2 / 19)
    assert late_hazard(np.array([5.0]), np.array([False])) == 0
    assert late_hazard(np.array([0.0, 9.0]), np.array([True, False])) == 0


def slow_curve(seen):
    """Steps (time, share) of a list of (wait, left, how many it stands for), time by time."""
    steps, share = [], 1.0
    for time in sorted({wait for wait, left, _ in seen if left}):
        n_left = sum(many for wait, left, many in seen if left and wait == time)
        share *= max(1 - n_left / sum(many for wait, _, many in seen if wait >= time), 0.0)
        steps.append((time, share))
    return steps


def slow_hazard(seen):
    events = sorted(wait for wait, left, _ in seen if left)
    starts = [0.0, *(t for t in events if 4 * sum(1 for e in events if e > t) >= len(events))]
    late = sum(many for wait, left, many in seen if left and wait > max(starts))
    return late / sum(many * max(wait - max(starts), 0) for wait, _, many in seen) if late else 0.0


def slow_draw_left(seen, u):
    """The first wait at which the share u of the abandonments has been passed."""
    events = sorted((wait, many) for wait, left, many in seen if left)
    target, passed = u * sum(many for _, many in events), 0.0
    for wait, many in events:
        passed += many
        if passed > target:
            return wait
    return events[-1][0]


def slow_draw(steps, hazard, wait, u):
    """Walk along the steps beyond the wait until S <= u * S(wait); then the tail."""
    here = 1.0
    for time, share in steps:
        if wait is not None and time <= wait:
            here = share
    target = u * here
    for time, share in steps:
        if (wait is None or time > wait) and share <= target:
            return time
    last, rest = steps[-1] if steps else (0.0, 1.0)
    if hazard == 0:
        return math.inf
    if wait is not None and wait >= last:
        return wait - math.log(u) / hazard
    return last + math.log(rest / target) / hazard


OBSERVED = st.lists(st.tuples(st.integers(0, 12).map(lambda k: k / 2), st.booleans()), max_size=30)


@given(OBSERVED, st.one_of(st.none(), st.integers(0, 20).map(lambda k: k / 2)), st.floats(1e-9, 0.999999))
def test_draws_equal_the_slow_twin(seen, wait, u):
    wait_s = np.array([w for w, _ in seen])
    curve = KaplanMeier.fit(wait_s, np.array([left for _, left in seen], bool))
    plain = [(*each, 1) for each in seen]
    steps, hazard = slow_curve(plain), slow_hazard(plain)
    np.testing.assert_allclose(curve.at_s, [time for time, _ in steps])
    np.testing.assert_allclose(curve.survival, [share for _, share in steps], rtol=1e-12)
    assert curve.tail_per_s == pytest.approx(hazard)
    drawn = curve.draw([NAN if wait is None else wait], [u])[0]
    assert drawn == pytest.approx(slow_draw(steps, hazard, wait, u))
    assert wait is None or drawn > wait


def test_draws_at_the_edges_of_the_unit_interval_are_longer_than_the_wait():
    curve = KaplanMeier.fit(REMISSION, np.array(RELAPSED, bool))
    wait_s = np.repeat(np.linspace(0, 40, 81), 2)
    drawn = curve.draw(wait_s, np.tile([0.0, 1 - 2.0**-53], 81))
    assert (drawn > wait_s).all()
    assert np.isfinite(drawn).all()


def random_rows(n, dice):
    """Few queues, skills and media; waits with many ties, sometimes missing."""
    return [
        {
            "queue_id": dice.choice(["q", "r", "s"]),
            "skills": dice.choice([[], ["x"], ["y", "x"], ["x", "y"]]),
            "media": dice.choice([*MEDIA, *["voice"] * 8]),
            "outcome": dice.choice([*OUTCOMES, "abandoned", "answered"]),
            "wait_s": dice.choice([None, *(float(dice.randint(0, 30)) for _ in range(9))]),
            "patience_s": dice.choice([*[None] * 9, float(dice.randint(0, 60))]),
            "agent_id": dice.choice([None, None, "a", "stranger"]),
            "handle_s": dice.choice([None, None, 0.0, 5.0]),
        }
        for _ in range(n)
    ]


def slow_patience(rows, u, least, flow_out="recorded", estimated=True):
    """Patience and flow-outs of rows of the interactions table, row by row."""
    rows = [dict(row, held=row["wait_s"]) for row in rows]
    for row in rows:
        took = row["agent_id"] is not None or (row["handle_s"] or 0) > 0
        row["ended"] = row["outcome"] == "unknown" and not took and row["wait_s"] is not None
        row["left"] = row["outcome"] == "abandoned"
        row["answered"] = row["outcome"] == "answered" or (row["outcome"] == "unknown" and took)
        if row["left"] and row["held"] is None:
            row["held"] = row["patience_s"]
    holding = [row for row in rows if row["media"] != "callback"]

    def key(row, level):
        names = [(row["queue_id"], tuple(sorted(row["skills"]))), row["queue_id"], None]
        return (names[level], row["media"]) if level < 3 else None

    def like(row, level, kind, known):
        """Others of the same outcome, with a wait or without."""
        mates = [r for r in holding if key(r, level) == key(row, level)]
        return [r for r in mates if r[kind] and (r["held"] is not None) == known]

    def level_of(row):
        if row["left"] and row["held"] is None and not like(row, 2, "left", True):
            return 3
        return next(k for k in (0, 1, 2) if k == 2 or len(like(row, k, "left", True)) >= least)

    def stands_at(row, level, kind):
        """Where those with a wait stand for one without, None for nowhere up to this level."""
        return next((k for k in range(level_of(row), level + 1) if like(row, k, kind, True)), None)

    def of(row, level):
        """Everything that counts in a curve: wait, whether it left, how many it stands for."""
        found = []
        for mate in (r for r in holding if key(r, level) == key(row, level)):
            many = 1.0
            for kind in ("left", "answered"):
                if mate[kind] and mate["held"] is not None:
                    for other in holding:
                        if other[kind] and other["held"] is None:
                            at = stands_at(other, level, kind)
                            if at is not None and key(other, at) == key(mate, at):
                                many += 1 / len(like(other, at, kind, True))
            if mate["held"] is not None:
                found.append((mate["held"], mate["left"], many))
            elif mate["answered"] and stands_at(mate, level, "answered") is None:
                found.append((math.inf, False, 1.0))
        return found

    for row, draw in zip(rows, u, strict=True):
        longest = math.inf
        if row["media"] == "callback" or not estimated:
            pass
        elif row["patience_s"] is not None:
            longest = row["patience_s"]
        elif row["left"] and row["wait_s"] is not None:
            longest = row["wait_s"]
        else:
            seen = of(row, level_of(row))
            if not row["left"]:
                longest = slow_draw(slow_curve(seen), slow_hazard(of(row, 2)), row["wait_s"], draw)
            elif any(left for _, left, _ in seen):
                longest = slow_draw_left(seen, draw)
        leaves = math.inf
        if (row["outcome"] == "flowed_out" or row["ended"]) and flow_out != "never":
            leaves = row["wait_s"] if flow_out == "recorded" else flow_out
            leaves = math.inf if leaves is None else leaves
        yield min(longest, leaves), leaves <= longest and leaves < math.inf


@given(
    st.integers(0, 60), st.integers(0, 2**32), st.sampled_from(["recorded", "never", 7.0]),
    st.sampled_from(["estimated", "estimated", "never"]),
)  # fmt: skip
def test_patience_equals_the_slow_twin(n, seed, flow_out, how):
    rows = random_rows(n, random.Random(seed))
    history, queue = recorded(rows)
    u = uniform(history.interaction_id, 5, PATIENCE, 2)
    with mock.patch.object(module, "LEAST_ABANDONMENTS", 4):
        waits, estimate = patience(history, queue, Assumptions(flow_out=flow_out, patience=how), 5, 2)
    expected = list(slow_patience(rows, u, 4, flow_out, how == "estimated"))
    np.testing.assert_allclose(waits.leave_s, [longest for longest, _ in expected])
    assert waits.flows_out.tolist() == [flows for _, flows in expected]
    json.dumps(plain(estimate), allow_nan=False)
    counts = estimate.counts
    # Every interaction that is not a callback has its patience from one source.
    sources = counts.patience_recorded + counts.abandoned_with_wait + counts.callbacks
    assert counts.ended_unanswered <= counts.flow_outs
    assert how == "never" or sources + counts.drawn == n == counts.interactions


def test_fifty_abandonments_make_a_curve_of_their_own():
    few = [{"skills": ["few"], "wait_s": 9.0, "outcome": "abandoned"}] * 49 + [{"skills": ["few"], "wait_s": 1.0}]
    many = [{"skills": ["many"], "wait_s": 3.0, "outcome": "abandoned"}] * 50 + [{"skills": ["many"], "wait_s": 1.0}]
    other = [{"queue_id": "r", "wait_s": 5.0, "outcome": "abandoned"}] * 49 + [{"queue_id": "r", "wait_s": 1.0}]
    history, queue = recorded(few + many + other)
    found = {curve.level: curve for curve in curves(history, queue)}
    assert [found[level].n_left for level in ("call_type", "queue", "all")] == [50, 99, 148]
    assert [found[level].rows.tolist() for level in ("call_type", "queue", "all")] == [[100], [49], [150]]
    levels = {level.level: plain(level) for level in patience(history, queue, Assumptions(), 0)[1].levels}
    assert [levels[level]["censored"] for level in ("call_type", "queue", "all")] == [1, 2, 3]


def test_media_are_never_mixed():
    """Nobody gives up an email because callers hang up."""
    calls = [{"wait_s": 3.0, "outcome": "abandoned"}] * 60
    waits, _ = waits_of([*calls, {"media": "email", "wait_s": 1.0, "outcome": "answered"},
                         {"wait_s": 1.0, "outcome": "answered"}])  # fmt: skip
    assert waits.leave_s[-2:].tolist() == [math.inf, 3.0]


def test_callbacks_keep_their_place_unless_the_flow_ends_them():
    """Nobody gives up a callback; an exit, or an end without anybody, is none of the customer's doing."""
    rows = [{"wait_s": 3.0, "outcome": "abandoned"}] * 60
    rows += [{"media": "callback", "wait_s": 1.0, "outcome": outcome, "patience_s": 5.0} for outcome in OUTCOMES]
    waits, estimate = waits_of(rows)
    assert dict(zip(OUTCOMES, waits.leave_s[60:].tolist(), strict=True)) == {
        "answered": math.inf, "abandoned": math.inf, "flowed_out": 1.0, "unknown": 1.0
    }  # fmt: skip
    assert waits.flows_out[60:].tolist() == [outcome in ("flowed_out", "unknown") for outcome in OUTCOMES]
    assert (estimate.counts.callbacks, estimate.counts.never_leave) == (4, 4)


def test_nobody_gives_up_without_an_abandonment():
    waits, estimate = waits_of([{"wait_s": 5.0, "outcome": "answered"}, {"outcome": "unknown"}])
    assert np.isinf(waits.leave_s).all()
    assert estimate.levels[0].median_s == Range(None, None, None)


def test_flow_outs_leave_at_their_time_unless_the_customer_goes_first():
    """At the same instant the recorded exit counts."""
    flow = {"outcome": "flowed_out", "wait_s": 10.0}
    rows = [flow, {**flow, "patience_s": 10.0}, {**flow, "patience_s": 9.0}, {"outcome": "flowed_out"}]
    waits, estimate = waits_of(rows)
    assert waits.leave_s.tolist() == [10, 10, 9, math.inf]
    assert waits.flows_out.tolist() == [True, True, False, False]
    assert estimate.counts.flow_outs_without_wait == 1
    assert waits_of(rows, flow_out=4)[0].leave_s.tolist() == [4, 4, 4, 4]
    assert waits_of(rows, flow_out="never")[0].leave_s.tolist() == [math.inf, 10, 9, math.inf]
    assert waits_of(rows, patience="never")[0].leave_s.tolist() == [10, 10, 10, math.inf]


def test_an_empty_history_has_no_patience():
    waits, estimate = waits_of([])
    assert waits.leave_s.size == waits.flows_out.size == 0
    assert estimate.share_from_tail is None


def test_draws_belong_to_interactions_not_to_their_place():
    """The same customer has the same patience whatever rows stand beside, and another in another replication."""
    rows = random_rows(200, random.Random(3))
    history, queue = recorded(rows)
    known = curves(history, queue)
    first, again = (patience(history, queue, Assumptions(), 1, 0, k)[0].leave_s for k in (None, known))
    np.testing.assert_array_equal(first, again)
    other = patience(history, queue, Assumptions(), 1, 1)[0].leave_s
    drawn = np.concatenate([curve.rows for curve in known])
    assert (first[drawn] != other[drawn]).mean() > 0.5
    kept = np.setdiff1d(np.arange(history.n), drawn)
    np.testing.assert_array_equal(first[kept], other[kept])


def replicated(law, offered, n, times):
    """Completed patience of several made-up months: (times, n)."""
    rng = np.random.default_rng(11)
    months = []
    for _ in range(times):
        patience_s, offered_s = law(rng, n), offered(rng, n)
        left = patience_s < offered_s
        curve = KaplanMeier.fit(np.minimum(patience_s, offered_s), left)
        drawn = curve.draw(offered_s[~left], rng.random(int((~left).sum())))
        months.append(np.concatenate([patience_s[left], drawn]))
    return np.array(months)


def within(values, expected):
    """Mean of replications within four of its standard errors."""
    error = values.std(ddof=1) / math.sqrt(values.size)
    assert values.mean() == pytest.approx(expected, abs=4 * error)
    assert error < 0.03 * expected


def test_exponential_patience_is_recovered_beyond_what_was_seen():
    """Nobody is offered more than 60 s, so most of a patience of mean 60 s lies in the tail."""
    months = replicated(lambda r, n: r.exponential(60, n), lambda r, n: r.uniform(0, 60, n), 4000, 60)
    within(months.mean(axis=1), 60)
    for time in (10, 45, 90, 180):
        within((months > time).mean(axis=1), math.exp(-time / 60))


def test_any_law_is_recovered_where_waits_reach():
    """A Weibull law with a falling hazard: what lies before the longest waits needs no tail."""
    months = replicated(lambda r, n: 50 * r.weibull(0.7, n), lambda r, n: r.exponential(80, n), 4000, 60)
    for time in (5, 20, 60, 120):
        within((months > time).mean(axis=1), math.exp(-((time / 50) ** 0.7)))


def test_answers_that_came_at_once_say_nothing():
    """Censoring at 0 s leaves the law of the others as it is."""
    seen = np.array([3.0, 5.0, 8.0]), np.array([True, True, False])
    more = np.append(seen[0], np.zeros(9)), np.append(seen[1], np.zeros(9, bool))
    plain, diluted = KaplanMeier.fit(*seen), KaplanMeier.fit(*more)
    np.testing.assert_array_equal(plain.survival, diluted.survival)
    assert plain.tail_per_s == diluted.tail_per_s


def test_a_wait_longer_than_any_table_holds_is_never():
    rows = [{"wait_s": 1e9, "outcome": "answered"}] * 50 + [{"wait_s": 1.0, "outcome": "abandoned"}]
    waits, _ = waits_of(rows)
    assert np.isinf(waits.leave_s[:50]).all()
    assert waits.leave_s[50] == 1.0


# --- abandoned interactions without a wait ---------------------------------------------------------------------------

LEFT, LOST = {"outcome": "abandoned"}, {"outcome": "abandoned", "wait_s": None}
TOOK = {"outcome": "answered", "handle_s": 60.0}


def test_those_without_a_wait_are_stood_for_by_those_with_one():
    """By hand: at 10 s two of 4 + 2 leave (weight 2), at 20 s two of 4; without the weight 1/4 and 1/3 would."""
    rows = [LEFT | {"wait_s": 10.0}, LEFT | {"wait_s": 20.0}, LOST, LOST]
    rows += [TOOK | {"wait_s": 30.0}] * 2
    history, queue = recorded(rows)
    (curve,) = curves(history, queue)
    assert curve.estimate.at_s.tolist() == [10, 20]
    assert curve.estimate.survival.tolist() == pytest.approx([1 - 2 / 6, (1 - 2 / 6) * (1 - 2 / 4)])
    # Those who gave up do so at one of the two waits; those answered after 30 s go on beyond it.
    waits, estimate = waits_of(rows)
    assert set(waits.leave_s[2:4]) <= {10.0, 20.0}
    assert (waits.leave_s[4:] > 30).all()
    assert (estimate.counts.abandoned_with_wait, estimate.counts.abandoned_without_wait) == (2, 2)
    assert estimate.replays_abandonment


def test_a_curve_is_that_of_the_whole_log_where_waits_are_missing_by_chance():
    """Of 20,000 exponential patiences of mean 120 s, half of the abandoned lost their wait: shares at 60 s agree."""
    rng = np.random.default_rng(4)
    patience_s, offered_s = rng.exponential(120, 20_000), rng.exponential(40, 20_000)
    left, wait_s = patience_s < offered_s, np.minimum(patience_s, offered_s)
    is_lost = left & (rng.random(left.size) < 0.5)
    rows = [
        {"outcome": "abandoned" if gone else "answered", "wait_s": None if lost else float(wait)}
        for gone, lost, wait in zip(left, is_lost, wait_s, strict=True)
    ]
    history, queue = recorded(rows)
    (curve,) = curves(history, queue)
    share = curve.estimate.survival[np.searchsorted(curve.estimate.at_s, 60, "right") - 1]
    # Greenwood's error is about 0.006 here; without the weights the share would be near exp(-0.25) = 0.78.
    assert share == pytest.approx(math.exp(-60 / 120), abs=0.02)
    drawn = patience(history, queue, Assumptions(), 0)[0].leave_s[is_lost]
    # Who gave up did so after 30 s in the mean: the smaller of the two times has rate 1/120 + 1/40.
    assert drawn.mean() == pytest.approx(30, abs=1.5)


def test_a_queue_without_any_wait_draws_from_all():
    rows = [LEFT | {"wait_s": 9.0}] * 60 + [LOST | {"queue_id": "r"}] * 30
    waits, estimate = waits_of(rows)
    assert set(waits.leave_s) == {9.0}
    assert [(level.level, level.drawn) for level in estimate.levels] == [("all", 30)]
    assert estimate.counts.abandoned_from_other_media == 0


def test_a_media_without_any_wait_borrows_those_of_the_abandoned_only():
    """Chats that were abandoned leave; those answered are held by nothing that is known of chats."""
    chat = {"media": "chat"}
    waits, estimate = waits_of([LEFT | {"wait_s": 9.0}] * 60 + [LOST | chat, TOOK | chat | {"wait_s": 5.0}])
    assert waits.leave_s[-2:].tolist() == [9.0, math.inf]
    assert (estimate.counts.abandoned_from_other_media, estimate.replays_abandonment) == (1, True)


def test_without_any_wait_nobody_leaves_and_it_is_said():
    waits, estimate = waits_of([LOST] * 40 + [TOOK | {"wait_s": 5.0}] * 60)
    assert np.isinf(waits.leave_s).all()
    assert not estimate.replays_abandonment
    assert estimate.how == module.NO_WAIT_KNOWN
    # What nobody recorded cannot be missed, and patience of their own is as good as a wait.
    assert waits_of([TOOK | {"wait_s": 5.0}])[1].replays_abandonment
    assert waits_of([LOST | {"patience_s": 8.0}])[1].replays_abandonment
    assert waits_of([LOST], patience="never")[1].replays_abandonment


def test_answers_without_a_wait_do_not_make_others_impatient():
    """One of ten gave up: where no answered wait is known, nine still waited when it did."""
    waits, _ = waits_of([LEFT | {"wait_s": 10.0}] + [TOOK] * 9)
    history, queue = recorded([LEFT | {"wait_s": 10.0}] + [TOOK] * 9)
    assert curves(history, queue)[0].estimate.survival.tolist() == pytest.approx([0.9])
    assert (waits.leave_s[1:] >= 10).all()
    # Where some are known they stand for the others: one leaves of 1 + 8 at 10 s, the rest had been answered.
    known = [TOOK | {"wait_s": 20.0}] * 4 + [TOOK | {"wait_s": 5.0}] * 4
    history, queue = recorded([LEFT | {"wait_s": 10.0}, *known, *[TOOK] * 8])
    assert curves(history, queue)[0].estimate.survival.tolist() == pytest.approx([1 - 1 / 9])


# --- ended without an answer and without a mark of abandonment -------------------------------------------------------


@pytest.mark.parametrize("media", MEDIA)
def test_who_ended_unanswered_leaves_at_that_wait(media):
    """Nobody named, nothing handled, no outcome, but an end: an exit like those of the flow."""
    end = {"media": media, "wait_s": 7.0, "outcome": "unknown"}
    rows = [end, end | {"handle_s": 0.0}, end | {"handle_s": 5.0}, end | {"agent_id": "a"},
            end | {"agent_id": "stranger"}, end | {"wait_s": None}]  # fmt: skip
    waits, estimate = waits_of(rows)
    assert waits.leave_s.tolist() == [7, 7, *[math.inf] * 4]
    assert waits.flows_out.tolist() == [True, True, *[False] * 4]
    assert (estimate.counts.ended_unanswered, estimate.counts.flow_outs) == (2, 2)
    assert waits_of(rows, flow_out=3)[0].leave_s[:2].tolist() == [3, 3]
