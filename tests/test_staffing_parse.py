"""On queue is where presence and routing status both say so, as blocks that neither touch nor overlap."""

import random
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.checks import check
from engine.data.tables import TABLES
from engine.errors import InvalidScenario
from ingest.genesys.objects.staffing import fetch_status, merge_blocks, parse_status
from tests.payloads import START, Answers, at, damaged, when

END_S = 600
PRESENCES = ("ON_QUEUE", "On Queue", "OnQueue", "AVAILABLE", "OFFLINE", "Meal")
STATUSES = ("IDLE", "INTERACTING", "COMMUNICATING", "NOT_RESPONDING", "OFF_QUEUE")


def entry(name, status, start_s, end_s=None):
    return {name: status, "startTime": at(start_s)} | ({} if end_s is None else {"endTime": at(end_s)})


def presence(status, *span):
    return entry("systemPresence", status, *span)


def routing(status, *span):
    return entry("routingStatus", status, *span)


def detail(presences=None, routings=None, user="u1"):
    found = {"userId": user}
    found |= {} if presences is None else {"primaryPresence": presences}
    return found | ({} if routings is None else {"routingStatus": routings})


def blocks(*details):
    """Blocks of u1 in seconds."""
    frame, counts = parse_status(list(details), START, when(END_S))
    assert dict(frame.schema) == TABLES["staffing"].schema()
    check("staffing", frame)
    seconds = [((a - START).total_seconds(), (b - START).total_seconds()) for who, a, b in frame.rows() if who == "u1"]
    return seconds, counts


def test_both_lists_must_say_so():
    presences = [presence("ON_QUEUE", 0, 300), presence("MEAL", 300, 400), presence("On Queue", 400)]
    routings = [routing("IDLE", 10, 50), routing("INTERACTING", 50, 100), routing("NOT_RESPONDING", 100, 150),
                routing("COMMUNICATING", 150, 500), routing("OFF_QUEUE", 500)]  # fmt: skip
    assert blocks(detail(presences, routings)) == ([(10, 100), (150, 300), (400, 500)], {})


@pytest.mark.parametrize("missing", [None, []])
def test_one_list_alone_decides(missing):
    assert blocks(detail([presence("OnQueue", 10, 20)], missing))[0] == [(10, 20)]
    assert blocks(detail(missing, [routing("IDLE", 30)]))[0] == [(30, END_S)]
    assert blocks(detail(missing, missing))[0] == []


def test_blocks_are_cut_to_the_interval():
    assert blocks(detail([presence("ON_QUEUE", -500)]))[0] == [(0, END_S)]
    assert blocks(detail([presence("ON_QUEUE", 500, 9000), presence("ON_QUEUE", -90, 0)]))[0] == [(500, END_S)]


def test_what_is_wrong_with_an_entry_costs_only_the_entry():
    odd = [presence(None, 0, 5), presence("ON_QUEUE", 10, 20), {**presence("ON_QUEUE", 30), "endTime": "later"}, None]
    found, counts = blocks(detail(odd), None, {"userId": 7}, detail("always"))
    assert found == [(10, 20)]
    assert counts == {
        "left out: entries of systemPresence without a status or a readable time": 3,
        "left out: statuses of users without id": 2,
        "left out: primaryPresence of users that is no list": 1,
    }


@given(st.integers(0, 2**32))
def test_every_second_is_as_the_lists_say(seed):
    """The slow way: look at each second on its own, whatever the order and the pages."""
    draw = random.Random(seed)

    def entries(make, names):
        spans = [(draw.randrange(-50, 700), draw.randrange(1, 200)) for _ in range(draw.randrange(1, 8))]
        return [(make(name := draw.choice(names), first, first + length), name, first, first + length)
                for first, length in spans]  # fmt: skip

    presences, routings = entries(presence, PRESENCES), entries(routing, STATUSES)
    pages = [detail([each], []) for each, *_ in presences] + [detail([], [each]) for each, *_ in routings]
    draw.shuffle(pages)
    found, _ = blocks(*pages)
    inside = {second for first, last in found for second in range(int(first), int(last))}
    for second in range(END_S):
        here = any(name in PRESENCES[:3] and a <= second < b for _, name, a, b in presences)
        works = any(name in STATUSES[:3] and a <= second < b for _, name, a, b in routings)
        assert (second in inside) == (here and works)
    assert all(one[1] < two[0] for one, two in pairwise(found))


@given(st.integers(0, 2**32), st.integers(1, 10))
def test_damage_never_stops(seed, times):
    good = detail([presence("ON_QUEUE", 0, 300)], [routing("IDLE", 0, 300)], "good")
    bad = damaged(detail([presence("ON_QUEUE", 0, 300)], [routing("IDLE", 0)]), seed, times)
    frame, _ = parse_status([good, bad], START, when(END_S))
    check("staffing", frame)
    assert frame.filter(pl.col("agent_id") == "good").height == 1


@given(st.integers(0, 2**32))
def test_merging_days_is_parsing_them_together(seed):
    draw = random.Random(seed)
    entries = [presence("ON_QUEUE", first := draw.randrange(END_S), first + draw.randrange(1, 200)) for _ in range(6)]
    whole, _ = parse_status([detail(entries), detail(entries[:2], user="u2")], START, when(END_S))
    cuts = [0, *sorted(draw.randrange(1, END_S) for _ in range(3)), END_S]
    spans = [(when(a), when(b)) for a, b in pairwise(cuts) if a < b]
    days = [parse_status([detail(entries), detail(entries[:2], user="u2")], *span)[0] for span in spans]
    draw.shuffle(days)
    assert merge_blocks(pl.concat(days)).equals(whole)
    assert merge_blocks(whole).equals(whole)
    assert merge_blocks(whole.clear()).is_empty()


def test_users_are_asked_for_in_batches_until_a_page_is_empty():
    def query(_path, body):
        users = [each["value"] for each in body["userFilters"][0]["predicates"]]
        first = 60 * (body["paging"]["pageNumber"] - 1)
        found = [{"userId": user} for user in users[first : first + 60]]
        return {"userDetails": found} if found else {}

    reader = Answers(query=query)
    users = [f"u{number:03}" for number in range(150)]
    assert [each["userId"] for each in fetch_status(reader, users, START, when(60))] == users
    bodies = [body for _, body in reader.asked]
    assert {body["interval"] for body in bodies} == {"2025-03-01T10:00:00.000Z/2025-03-01T10:01:00.000Z"}
    assert max(len(body["userFilters"][0]["predicates"]) for body in bodies) == 100
    assert all(body["userFilters"][0]["type"] == "or" for body in bodies)
    with pytest.raises(InvalidScenario, match="not before"):
        fetch_status(reader, users, START, START)
