"""Service level, waits and queue lengths: definitions by hand, slow twins, and clocks that are put back."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.data.served import STATUS, Served
from engine.errors import InvalidScenario, InvalidTable
from engine.estimates.demand import Demand, Kinds
from engine.estimates.staffing import Roster
from engine.measures.service_level import Goal, by_interval, by_queue, choice_share, measure
from engine.measures.waits import Percentiles
from engine.methods.ladder import one_row_each
from engine.replay.loop import replay
from engine.replay.performance import achieved
from engine.results import plain
from engine.spec import DEFINITIONS

N_QUEUES = 3
GOAL_S = np.array([20.0, 0.0, 35.0])
SECOND = 1_000_000
# Zones whose offset is odd, moves by half an hour, moved within an hour's first minute, or jumped over a day.
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia")
CHANGES = {
    "Europe/Berlin": (2024, 10, 27), "Australia/Lord_Howe": (2024, 10, 5), "America/St_Johns": (2010, 11, 7),
    "Pacific/Apia": (2011, 12, 30),
}  # fmt: skip


def us(*when: int) -> int:
    """Microseconds since 1970 of a moment in UTC."""
    return int((datetime(*when, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))  # type: ignore[misc, arg-type]


def visits_of(rows) -> Served:
    """Outcomes from rows of arrival in seconds, queue, status by name, wait in seconds or None."""
    arrived, queue, status, wait = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Served.seen(
        np.array([round(a * SECOND) for a in arrived], np.int64), np.array(queue, np.int64),
        np.array([STATUS.index(s) for s in status], np.int8),
        np.array([math.nan if w is None else w for w in wait], float),
    )  # fmt: skip


# Few different times, so that waits meet goals, each other and the short abandonment exactly.
ROWS = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(0, N_QUEUES - 1), st.sampled_from(STATUS),
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 5.0, 20.0, 20.000001, 35.0, 90.0])),
    ),
    max_size=30,
)  # fmt: skip
OPTIONS = st.tuples(st.sampled_from(DEFINITIONS), st.sampled_from([0.0, 5.0, 20.0]))


def known_share(rows, queue):
    """Of the answers of a queue, the share with a wait: for so much others count beside them."""
    answered = [r[3] is not None for r in rows if r[1] == queue and r[2] == "answered"]
    return sum(answered) / len(answered) if answered else 1.0


def slow(rows, definition, short_s, span_us=None, whole=None):
    """The page of meanings, one interaction at a time; what is known of waits is told from the whole."""
    of = {name: [r for r in rows if r[2] == name] for name in STATUS}
    timed = [r for r in of["answered"] if r[3] is not None]
    over = [r for r in timed if r[3] > GOAL_S[r[1]]]
    short = [r for r in of["abandoned"] if short_s > 0 and r[3] is not None and r[3] <= short_s]
    within = len(timed) - len(over)
    others = {
        "genesys": [r for r in of["abandoned"] if r not in short], "answered": [],
        "offered": [r for r in rows if r[2] != "answered"],
    }[definition]  # fmt: skip
    below = len(timed) + sum(known_share(whole or rows, r[1]) for r in others)
    waits, answered = ([r[3] for r in some if r[3] is not None] for some in (rows, timed))
    moments = sorted({r[0] for r in rows})
    return {
        "offered": len(rows),
        **{name: len(some) for name, some in of.items()},
        "short_abandoned": len(short), "unknown_wait": sum(r[3] is None for r in rows),
        "service_level": within / below if below else None,
        "abandonment_share": len(of["abandoned"]) / len(rows) if rows else None,
        "asa_s": sum(answered) / len(answered) if answered else None,
        "mean_wait_s": sum(waits) / len(waits) if waits else None,
        "wait_s": {f"p{p}": rank(waits, p) for p in (50, 90, 95, 99)},
        "answered_wait_s": {f"p{p}": rank(answered, p) for p in (50, 90, 95, 99)},
        "max_wait_s": max(waits, default=None),
        "mean_queue_length": overlap(rows, *span_us) / (span_us[1] - span_us[0]) if span_us else None,
        "longest_queue": max((sum(r[0] <= t < r[0] + (r[3] or 0) for r in rows) for t in moments), default=0),
    }  # fmt: skip


def rank(waits, p):
    """The smallest wait that at least p % do not exceed."""
    for wait in sorted(waits):
        if Fraction(sum(w <= wait for w in waits), len(waits)) >= Fraction(p, 100):
            return wait
    return None


def overlap(rows, from_us, to_us):
    """Waiting inside a span, in microseconds."""
    total = 0
    for arrived, _, _, wait in rows:
        start = round(arrived * SECOND)
        end = start + round((wait or 0) * SECOND)
        total += max(0, min(end, to_us) - max(start, from_us))
    return total


def alike(found, wanted):
    """Equal but for rounding, whatever is nested in it."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name in wanted:
            alike(found[name], wanted[name])
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    else:
        assert found == wanted
        assert type(found) is type(wanted)


@given(ROWS, OPTIONS, st.sampled_from([None, (0, 60 * SECOND), (10 * SECOND, 11 * SECOND)]))
@example([], ("genesys", 0.0), None)
@example([(0, 0, "answered", None), (0, 0, "abandoned", None)], ("genesys", 5.0), None)
def test_measures_are_those_of_the_slow_twin(rows, options, span_us):
    alike(plain(measure(visits_of(rows), Goal(GOAL_S, *options), span_us)), slow(rows, *options, span_us))


@given(ROWS, OPTIONS)
def test_a_queue_is_measured_as_if_it_were_alone(rows, options):
    found = by_queue(visits_of(rows), Goal(GOAL_S, *options), ["a", "b", "c"], ["A", None, "C"])
    assert [(r.queue_id, r.queue_name, r.goal_s) for r in found] == [
        ("a", "A", 20),
        ("b", None, 0),
        ("c", "C", 35),
    ]
    for place, row in enumerate(found):
        alone = slow([r for r in rows if r[1] == place], *options)
        of_queue = {"queue_id", "queue_name", "goal_s", "goal_share"}
        alike({name: value for name, value in plain(row).items() if name not in of_queue}, alone)


def test_the_three_definitions_by_hand():
    """Ten offered: five answered, two of them late; three abandoned, one at once, one in 4 s; one each of the rest."""
    rows = [(0, 0, "answered", w) for w in (0.0, 10.0, 20.0, 20.5, 60.0)]
    rows += [(0, 0, "abandoned", w) for w in (0.0, 4.0, 50.0)] + [(0, 0, "flowed_out", 5.0), (0, 0, "unserved", 99.0)]
    found = {d: [measure(visits_of(rows), Goal(GOAL_S, d, s)).service_level for s in (0.0, 4.0)] for d in DEFINITIONS}
    assert found == {"genesys": [3 / 8, 3 / 6], "answered": [3 / 5, 3 / 5], "offered": [3 / 10, 3 / 10]}


def test_answers_without_a_wait_are_stood_for_by_those_with_one():
    """Of 80 answered 70 within, and 20 gave up: 70 %, also where every other wait is lost; where all are, nothing."""
    waits = [5.0] * 70 + [60.0] * 10
    gave_up = [(0, 0, "abandoned", 30.0)] * 20
    lost = [(0, 0, "answered", wait if n % 2 else None) for n, wait in enumerate(waits)]
    for definition, level in (("genesys", 0.7), ("offered", 0.7), ("answered", 70 / 80)):
        goal = Goal(GOAL_S, definition)
        whole = [(0, 0, "answered", wait) for wait in waits]
        assert [measure(visits_of(rows + gave_up), goal).service_level for rows in (whole, lost)] == [
            pytest.approx(level)
        ] * 2
        none = measure(visits_of([(0, 0, "answered", None)] * 80 + gave_up), goal)
        assert (none.service_level, none.asa_s, none.abandonment_share) == (None, None, 0.2)


def test_percentiles_are_waits_that_occurred():
    waits = [(0, 0, "answered", float(w)) for w in range(1, 101)]
    assert measure(visits_of(waits), Goal(GOAL_S)).wait_s == Percentiles(50.0, 90.0, 95.0, 99.0)
    assert measure(visits_of(waits[:10]), Goal(GOAL_S)).wait_s == Percentiles(5.0, 9.0, 10.0, 10.0)
    assert measure(visits_of(waits[:1]), Goal(GOAL_S)).wait_s == Percentiles(1.0, 1.0, 1.0, 1.0)


def test_the_order_of_visits_does_not_matter():
    rng = np.random.default_rng(4)
    n = 500
    arrived_us = np.sort(rng.integers(0, 10**11, n))
    columns = arrived_us, rng.integers(0, 3, n), rng.integers(0, 4, n).astype(np.int8), rng.exponential(30, n).round(1)
    shuffle = rng.permutation(n)
    sorted_, mixed = (Served.seen(*(c[rows] for c in columns)) for rows in (np.arange(n), shuffle))
    alike(plain(measure(mixed, Goal(GOAL_S))), plain(measure(sorted_, Goal(GOAL_S))))
    pairs = zip(by_interval(mixed, Goal(GOAL_S), 15, "UTC"), by_interval(sorted_, Goal(GOAL_S), 15, "UTC"), strict=True)
    for one, other in pairs:
        alike(plain(one), plain(other))


def slow_start(at_us: int, minutes: int, zone: ZoneInfo) -> int:
    """Back minute by minute to the quarter, half or full hour of the wall clock, or to where the clock was changed."""
    minute = at_us // (60 * SECOND)

    def wall(m: int) -> datetime:
        return datetime.fromtimestamp(m * 60, zone)

    while wall(minute).minute % minutes and wall(minute).utcoffset() == wall(minute - 1).utcoffset():
        minute -= 1
    return minute * 60 * SECOND


@st.composite
def days_of_change(draw):
    """A zone, and visits around one of its changes; waits up to hours."""
    zone = draw(st.sampled_from(ZONES))
    start_s = us(*CHANGES.get(zone, (2024, 3, 1))) // SECOND - 12 * 3600
    row = st.tuples(
        st.one_of(st.integers(0, 36 * 3600), st.integers(0, 144).map(lambda q: q * 900)).map(lambda s: start_s + s),
        st.integers(0, 2), st.sampled_from(STATUS), st.sampled_from([None, 0.0, 20.0, 900.0, 5000.5, 40_000.0]),
    )  # fmt: skip
    return zone, draw(st.lists(row, min_size=1, max_size=12)), draw(st.sampled_from([15, 30, 60])), draw(OPTIONS)


@given(days_of_change())
def test_intervals_are_those_of_the_slow_twin(case):
    zone_name, rows, minutes, options = case
    zone, found = ZoneInfo(zone_name), by_interval(visits_of(rows), Goal(GOAL_S, *options), minutes, zone_name)
    starts = [us(*row.start.astimezone(UTC).timetuple()[:6]) for row in found]
    assert starts == sorted(set(starts))
    assert {slow_start(r[0] * SECOND, minutes, zone) for r in rows} <= set(starts)
    for start, row in zip(starts, found, strict=True):
        assert row.start.isoformat() == datetime.fromtimestamp(start // SECOND, zone).isoformat()
        assert slow_start(start, minutes, zone) == start
        end = start + 60 * SECOND
        while slow_start(end, minutes, zone) != end:
            end += 60 * SECOND
        inside = [r for r in rows if start <= r[0] * SECOND < end]
        waited_us = overlap(rows, start, end)
        assert inside or waited_us
        whole = slow(inside, *options, whole=rows)
        names = ("offered", *STATUS, "service_level", "asa_s", "mean_wait_s")
        wanted = {name: whole[name] for name in names} | {"queue_length": waited_us / (end - start)}
        alike({name: value for name, value in plain(row).items() if name != "start"}, wanted)


@given(ROWS, st.sampled_from(ZONES))
def test_no_interaction_is_lost_between_intervals(rows, zone):
    found = by_interval(visits_of(rows), Goal(GOAL_S), 15, zone)
    assert sum(row.offered for row in found) == len(rows)
    assert all(row.offered == sum(getattr(row, name) for name in STATUS) for row in found)


def test_the_repeated_hour_is_two_hours():
    """In Berlin 2:30 came twice on 27 October 2024; on Lord Howe only 1:30 to 2:00 was repeated, on 7 April."""
    berlin = visits_of([(us(2024, 10, 27, h, 30) / 1e6, 0, "answered", 9.0) for h in (0, 1)])
    starts = [row.start.isoformat() for row in by_interval(berlin, Goal(GOAL_S), 30, "Europe/Berlin")]
    assert starts == ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"]
    howe = visits_of([(us(2024, 4, 6, h, m) / 1e6, 0, "answered", 9.0) for h, m in ((14, 40), (15, 10), (15, 40))])
    found = by_interval(howe, Goal(GOAL_S), 60, "Australia/Lord_Howe")
    assert [(row.start.isoformat(), row.offered) for row in found] == [
        ("2024-04-07T01:00:00+11:00", 1), ("2024-04-07T01:30:00+10:30", 1), ("2024-04-07T02:00:00+10:30", 1)
    ]  # fmt: skip
    # Half an hour long, so 9 s of waiting are 9 / 1800 of a customer.
    assert [row.queue_length for row in found] == [9 / 3600, 9 / 1800, 9 / 3600]


def test_intervals_stand_on_the_wall_clock():
    """Nepal is 5:45 ahead of UTC: the full hour there is a quarter past here."""
    visits = visits_of([(us(2024, 5, 1, 6, 20) / 1e6, 0, "answered", 0.0)])
    assert by_interval(visits, Goal(GOAL_S), 60, "Asia/Kathmandu")[0].start.isoformat() == "2024-05-01T12:00:00+05:45"


def test_nobody_arriving_is_shown_where_somebody_waits():
    """One waits from 0:10 to 0:50, another arrives at 2:05: nothing is known of 1:00 to 2:00."""
    visits = visits_of([(600, 0, "answered", 2400.0), (7500, 0, "abandoned", 5.0)])
    found = by_interval(visits, Goal(GOAL_S), 30, "UTC")
    assert [(f"{row.start:%H:%M}", row.offered) for row in found] == [("00:00", 1), ("00:30", 0), ("02:00", 1)]
    assert [row.queue_length for row in found] == [1200 / 1800, 1200 / 1800, 5 / 1800]
    assert found[1].service_level is None
    assert found[1].asa_s is None


WINDOW = st.tuples(st.integers(-5, 60), st.integers(-5, 60))


@given(ROWS, WINDOW)
def test_achieved_is_that_of_the_slow_twin(rows, window):
    rows = [(a, q, s, w or 0.0) for a, q, s, w in rows]
    visits = visits_of(rows)
    low, high = (side * SECOND for side in window)
    found = achieved(visits, N_QUEUES, low, high, GOAL_S)
    for queue in range(N_QUEUES):
        ended = [r for r in rows if r[1] == queue and low < round((r[0] + r[3]) * SECOND) <= high]
        of = [r for r in ended if r[2] in ("answered", "abandoned")]
        within = [r for r in of if r[2] == "answered" and r[3] <= GOAL_S[queue]]
        assert found[queue] == pytest.approx(len(within) / len(of) if of else math.nan, nan_ok=True)


def test_the_window_is_open_at_its_start_and_closed_at_its_end():
    """Waiting that ended at 10, 10.000001, 20 and 20.000001 s, all after 10 s, against (10, 20] and 10 s."""
    left_us = (np.array([10, 10.000001, 20, 20.000001]) * 1e6).astype(np.int64)
    seen = Served.seen(left_us - 10 * SECOND, np.zeros(4, int), np.array([1, 1, 0, 0], np.int8), np.full(4, 10.0))
    assert achieved(seen, 1, 10 * SECOND, 20 * SECOND, 10.0).tolist() == [0.5]


def test_who_is_served_makes_room_before_another_arrives():
    visits = visits_of([(0, 0, "answered", 10.0), (10, 0, "answered", 10.0), (19, 0, "abandoned", 2.0)])
    assert measure(visits, Goal(GOAL_S)).longest_queue == 2


def test_a_replay_is_measured():
    """One agent, calls of 10 s at 0, 5, 6, 30 s; the third gives up after 5 s, the last finds the agent gone."""
    demand = Demand.of([0, 5, 6, 30], 10, Kinds.plain(np.ones((1, 1), bool)), patience_s=[99, 99, 5, np.inf])
    served = replay(demand, Roster.of(1, [0], [0], [25]), one_row_each(np.zeros((1, 1))))
    found = measure(served, Goal(np.array([5.0])), span_us=(0, 10 * SECOND))
    assert [getattr(found, name) for name in STATUS] == [2, 1, 0, 1]
    assert found.service_level == 2 / 3
    assert found.asa_s == 2.5
    # The second waits from 5 to 10, the third from 6 to 11.
    assert (found.mean_queue_length, found.longest_queue) == (0.9, 2)


def test_choice_is_of_two_or_more():
    assert choice_share(np.array([0, 1, 1, 2], np.int8)) == 0.25
    assert choice_share(np.empty(0, np.int8)) is None


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"definition": "best"}, "genesys, offered, answered"), ({"short_abandon_s": -1.0}, "from 0 on"),
        ({"short_abandon_s": math.nan}, "from 0 on"), ({"minutes": 20}, "15, 30, 60"),
        ({"time_zone": "Mars/Olympus"}, "Europe/Berlin"), ({"time_zone": "../etc"}, "Europe/Berlin"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rows", [[], [(0, 0, "answered", 1.0)]])
def test_what_cannot_be_used_is_refused(options, word, rows):
    with pytest.raises(InvalidScenario, match=word):
        chosen = {"minutes": 15, "time_zone": "UTC"} | options
        where = {name: chosen.pop(name) for name in ("minutes", "time_zone")}
        by_interval(visits_of(rows), Goal(GOAL_S, **chosen), **where)


@pytest.mark.parametrize(
    "row", [(0, -1, 0, 1.0), (0, 0, 4, 1.0), (0, 0, -1, 1.0), (0, 0, 0, -1.0), (0, 0, 0, math.inf)]
)
def test_visits_that_cannot_be_are_refused(row):
    with pytest.raises(InvalidTable, match="served"):
        Served.seen(*(np.array([value]) for value in row))


def test_visits_of_different_runs_are_refused():
    with pytest.raises(InvalidTable, match="as many"):
        Served.seen(np.zeros(2, int), np.zeros(2, int), np.zeros(2, np.int8), np.zeros(3))


def test_a_queue_without_a_goal_is_refused():
    with pytest.raises(InvalidTable, match="goal"):
        measure(visits_of([(0, 3, "answered", 1.0)]), Goal(GOAL_S))
