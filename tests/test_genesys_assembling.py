"""Finished parts seen as one data set: each conversation once as it was read last, in order, day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from engine.data.tables import TABLES
from ingest.genesys.collecting import crosscheck, reading, writing
from ingest.genesys.collecting.assembling import KEPT_PARTS, Assembly
from ingest.genesys.collecting.parts import AGGREGATES, QUEUES, STATUS, USERS, PartStore
from ingest.genesys.collecting.today import Today
from ingest.genesys.collecting.wanted import Span, Wanted
from ingest.genesys.objects.aggregates import SCHEMA
from tests.payloads import (
    START,
    conversation,
    customer,
    handled,
    metrics,
    participant,
    queued,
    segment,
    session,
    survey,
)

DAY = START.date()
NEXT = DAY + timedelta(days=1)
# Payloads count seconds from ten o'clock.
MIDNIGHT_S = 14 * 3600
SPAN = Span(DAY, NEXT)
READ = datetime(2025, 4, 1, tzinfo=UTC)
TODAY = Today("org", pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), {"s1": "Billing"}, {"l1": "English"})


def quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def visit(name: str, start_s: float, queue: str = "q1", user: str = "u1", talk_s: float = 210, **more):
    waiting = queued("k1", queue, start_s, start_s + 20)
    answering = handled("k2", queue, start_s + 20, talk_s)
    parts = (customer(start_s + 20 + talk_s), participant("acd", waiting), participant("agent", answering, user=user))
    return conversation(*parts, name=name, end_s=start_s + 50 + talk_s, **more)


@pytest.fixture
def store(tmp_path):
    return PartStore(tmp_path / "parts")


def write(store, day, kind, *conversations, minute=0, ids=("q1",)):
    store.write(day, kind, ids, READ + timedelta(minutes=minute), reading._frames(list(conversations)))


def assembly(store, queues=("q1",), span=SPAN):
    return Assembly(store.parts(), queues, span)


def written(store, **more):
    """Ids of interactions as they would be written, a list for each day."""
    whole = assembly(store, **more)
    return [frame["interaction_id"].to_list() for frame in whole.interactions(whole.collect(quiet), TODAY)]


class TestInteractions:
    def test_they_come_day_by_day_in_order_whatever_part_they_were_read_in(self, store):
        over_midnight = visit("b", MIDNIGHT_S - 60)
        write(store, DAY, QUEUES, visit("a", 100), over_midnight)
        write(store, NEXT, QUEUES, visit("d", MIDNIGHT_S + 900), over_midnight, visit("c", MIDNIGHT_S + 5), minute=1)
        write(store, DAY, USERS, visit("z", 50), minute=2)
        assert written(store) == [["z#1", "a#1", "b#1"], ["c#1", "d#1"]]

    def test_those_of_one_moment_come_in_order_of_their_ids(self, store):
        write(store, DAY, QUEUES, visit("b", 100), visit("d", 100))
        write(store, DAY, USERS, visit("c", 100), visit("a", 100), minute=1)
        assert written(store) == [["a#1", "b#1", "c#1", "d#1"]]

    def test_one_at_midnight_belongs_to_the_day_that_begins(self, store):
        write(store, DAY, QUEUES, visit("a", MIDNIGHT_S - 1), visit("b", MIDNIGHT_S))
        write(store, NEXT, QUEUES, minute=1)
        assert written(store) == [["a#1"], ["b#1"]]

    def test_days_without_any_are_passed_over(self, store):
        write(store, DAY, QUEUES)
        write(store, NEXT, QUEUES, visit("a", MIDNIGHT_S))
        assert written(store) == [["a#1"]]
        assert written(store, queues=["q2"]) == []

    def test_a_conversation_counts_once_as_it_was_read_last(self, store):
        """It went on when the first day was read; the second reading knows how it ended, and that another answered."""
        write(store, DAY, QUEUES, visit("a", MIDNIGHT_S - 60, user="u1", talk_s=100))
        write(store, NEXT, QUEUES, visit("a", MIDNIGHT_S - 60, user="u2", talk_s=300), minute=1)
        whole = assembly(store)
        found = whole.collect(quiet)
        (frame,) = whole.interactions(found, TODAY)
        assert frame.select("interaction_id", "agent_id", "handle_s").rows() == [("a#1", "u2", 330.0)]
        assert found.answered.rows() == [("q1", "u2")]
        assert sum(one["visits"].sum() for one in found.offered) == 1

    def test_the_order_of_reading_counts_and_not_that_of_days(self, store):
        write(store, NEXT, QUEUES, visit("a", MIDNIGHT_S - 60, user="u2"))
        write(store, DAY, QUEUES, visit("a", MIDNIGHT_S - 60, user="u1"), minute=1)
        assert assembly(store).collect(quiet).answered["agent_id"].to_list() == ["u1"]

    def test_ids_of_skills_and_languages_become_names_where_they_have_one(self, store):
        strange = visit("b", 200)
        asked = strange["participants"][1]["sessions"][0]["segments"][0]
        asked |= {"requestedRoutingSkillIds": ["s1", "gone"], "requestedLanguageId": "gone"}
        write(store, DAY, QUEUES, visit("a", 100), strange)
        whole = assembly(store)
        (frame,) = whole.interactions(whole.collect(quiet), TODAY)
        assert frame["language"].to_list() == ["English", "gone"]
        assert [sorted(skills) for skills in frame["skills"].to_list()] == [["Billing"], ["Billing", "gone"]]

    def test_more_parts_than_are_kept_in_memory_come_out_alike(self, store):
        for n in range(2 * KEPT_PARTS):
            write(store, DAY, USERS, visit(f"c{n:02d}", 100 + n), minute=n, ids=[f"u{n}"])
        assert written(store) == [[f"c{n:02d}#1" for n in range(2 * KEPT_PARTS)]]


class TestSmallTables:
    def test_who_answered_is_named_once_and_nobody_for_what_was_given_up(self, store):
        given_up = conversation(customer(), participant("acd", queued(extra=metrics(50, tAbandon=20_000))), name="x")
        write(store, DAY, QUEUES, visit("a", 100), visit("b", 500), given_up)
        write(store, NEXT, QUEUES, visit("c", MIDNIGHT_S), visit("d", MIDNIGHT_S, user="u0"), minute=1)
        assert assembly(store).collect(quiet).answered.rows() == [("q1", "u0"), ("q1", "u1")]

    def test_a_survey_that_two_conversations_show_counts_once_as_it_was_read_last(self, store):
        write(store, DAY, QUEUES, visit("a", 100, surveys=[survey("v1", 60.0)]))
        write(store, NEXT, QUEUES, visit("b", MIDNIGHT_S, surveys=[survey("v1", 90.0), survey("v0", 70.0)]), minute=1)
        members = pl.DataFrame({"queue_id": ["q1"], "agent_id": ["u1"]})
        today = replace(TODAY, members=members, agents=members.select("agent_id"))
        whole = assembly(store)
        surveys = writing._tables(whole, whole.collect(quiet), today, Wanted(("q1",), SPAN))["surveys"]
        assert surveys.select("survey_id", "interaction_id", "score").rows() == [
            ("v0", "b#1", 70.0),
            ("v1", "b#1", 90.0),
        ]

    def test_what_is_left_out_adds_up_over_parts(self, store):
        write(store, DAY, QUEUES, visit("a", 100, surveys=[survey("v1", status="Sent")]))
        write(store, NEXT, QUEUES, visit("b", MIDNIGHT_S, surveys=[survey("v2", status="Sent")]), minute=1)
        write(store, DAY, USERS, visit("c", 300, queue="q2"), visit("d", 300, queue="q2"), minute=2)
        write(store, NEXT, USERS, visit("e", MIDNIGHT_S + 9, queue="q2"), minute=3)
        counts = assembly(store).collect(quiet).counts
        assert {label: n for label, n in counts.items() if n} == {
            "left out: survey not finished": 2,
            "left out: visits to queues that were not chosen; their agents' work is in busy": 3,
        }

    def test_visits_and_half_hours_are_counted_of_all_parts(self, store):
        write(store, DAY, QUEUES, visit("a", 0), visit("b", 1799))
        write(store, DAY, USERS, visit("c", 1800), minute=1)
        offered = pl.concat(assembly(store).collect(quiet).offered).sort("start_at")
        assert offered.rows() == [("q1", START, 2), ("q1", START + timedelta(minutes=30), 1)]

    def test_work_elsewhere_comes_from_parts_of_either_kind(self, store):
        called = session(
            "k5", [segment("interact", 400, 500)], metrics(500, tTalkComplete=100_000), direction="outbound"
        )
        write(store, DAY, USERS, conversation(participant("user", called, user="u1"), name="out", end_s=500))
        busy = pl.concat(assembly(store).collect(quiet).busy)
        assert busy["agent_id"].to_list() == ["u1"]

    @pytest.mark.parametrize("is_scored", [True, False])
    def test_codes_cover_whoever_was_preferred_though_nobody_knows_them_otherwise(self, store, is_scored):
        preferring = visit("a", 100)
        if is_scored:
            scored = [{"scoredAgentId": "stranger", "agentScore": 80}]
            preferring["participants"][1]["sessions"][0]["segments"][0]["scoredAgents"] = scored
        write(store, DAY, QUEUES, preferring)
        whole = assembly(store)
        found = whole.collect(quiet)
        assert found.preferred == ({"stranger"} if is_scored else set())
        coded = writing._coding({"agents": pl.DataFrame({"agent_id": ["u1"]})}, found, b"key")
        (frame,) = [coded("interactions", frame) for frame in whole.interactions(found, TODAY)]
        codes = [agent["agent_id"] for agent in frame["preferred"].to_list()[0] or ()]
        assert [code[:1] for code in codes] == (["A"] if is_scored else [])

    def test_parts_of_other_days_say_nothing(self, store):
        """Neither a call that went on when they were read, nor a survey of no visit, nor what was left out of them."""
        calling = session("k5", [segment("interact", 400)], direction="outbound")
        asked = [survey("v1", 80.0), survey("v2", status="Sent")]
        write(store, DAY, USERS, conversation(participant("user", calling, user="u1"), name="out", end_s=None))
        write(store, DAY, QUEUES, conversation(customer(), name="quiet", surveys=asked), minute=1)
        weeks_later = DAY + timedelta(days=30)
        for span, n_rows in ((SPAN, 1), (Span(weeks_later, weeks_later), 0)):
            found = assembly(store, span=span).collect(quiet)
            assert sum(frame.height for frame in found.busy) == n_rows
            assert sum(frame.height for frame in found.surveys) == n_rows
            assert found.counts.get("left out: survey not finished", 0) == n_rows

    def test_progress_is_told_for_every_part(self, store):
        write(store, DAY, QUEUES)
        write(store, NEXT, QUEUES, minute=1)
        told = []
        assembly(store).collect(lambda *what: told.append(what))
        assert told == [("sort out", 1, 2), ("sort out", 2, 2)]


class TestStaffing:
    def write(self, store, day, ids, *blocks, minute=0):
        rows = [(agent, self.at(start), self.at(end)) for agent, start, end in blocks]
        schema = {"agent_id": pl.String, "start_at": pl.Datetime("us", "UTC"), "end_at": pl.Datetime("us", "UTC")}
        frames = {"staffing": pl.DataFrame(rows, schema, orient="row")}
        store.write(day, STATUS, ids, READ + timedelta(minutes=minute), frames)

    def at(self, hours: float) -> datetime:
        return datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(hours=hours)

    def rows(self, store, **more):
        staffing = assembly(store, **more).staffing().select("agent_id", "start_at", "end_at")
        return [(agent, *((at - self.at(0)) / timedelta(hours=1) for at in times)) for agent, *times in staffing.rows()]

    def test_blocks_that_touch_at_midnight_are_one(self, store):
        self.write(store, DAY, "ab", ("a", 20, 24), ("b", 8, 9))
        self.write(store, NEXT, "ab", ("a", 24, 30), minute=1)
        assert self.rows(store) == [("a", 20, 30), ("b", 8, 9)]

    def test_what_was_read_last_of_an_agent_and_day_counts(self, store):
        """The first reading saw an agent on queue whom the second did not, and says more of one than the second."""
        self.write(store, DAY, "abc", ("a", 8, 12), ("b", 8, 12), ("c", 8, 12))
        self.write(store, NEXT, "abc", ("a", 30, 31), minute=1)
        self.write(store, DAY, "abd", ("b", 9, 10), minute=2)
        assert self.rows(store) == [("a", 30, 31), ("b", 9, 10), ("c", 8, 12)]

    def test_it_is_clipped_to_the_days(self, store):
        self.write(store, DAY - timedelta(days=1), "ab", ("a", -2, 0), ("b", -5, -4))
        self.write(store, DAY, "a", ("a", 0, 2), minute=1)
        self.write(store, NEXT, "a", ("a", 47, 50), minute=2)
        assert self.rows(store) == [("a", 0, 2), ("a", 47, 48)]
        assert self.rows(store, span=Span(NEXT, NEXT)) == [("a", 47, 48)]

    def test_without_any_it_is_empty(self, store):
        self.write(store, DAY, "a")
        assert assembly(store).staffing().schema == TABLES["staffing"].empty().schema


class TestPlatformsCounts:
    def write(self, store, day, ids, offered, minute=0):
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        rows = [{"queue_id": queue, "media": "voice", "start_at": at, "offered": offered} for queue in ids]
        frames = {"aggregates": pl.DataFrame(rows, SCHEMA)}
        store.write(day, AGGREGATES, ids, READ + timedelta(minutes=minute), frames)

    def test_they_are_those_read_last_for_all_chosen_queues(self, store):
        self.write(store, DAY, ["q1", "q2"], 5)
        self.write(store, NEXT, ["q1", "q2"], 1, minute=1)
        self.write(store, DAY, ["q1", "q3"], 7, minute=2)
        both = assembly(store, queues=["q1", "q2"]).counted_by_platform("aggregates").sort("start_at", "queue_id")
        assert both.select("queue_id", "offered").rows() == [("q1", 5), ("q2", 5), ("q1", 1), ("q2", 1)]
        one = assembly(store, queues=["q1"]).counted_by_platform("aggregates").sort("start_at")
        assert one.select("queue_id", "offered").rows() == [("q1", 7), ("q1", 1)]

    def test_there_are_none_where_none_were_read_for_all(self, store):
        self.write(store, DAY, ["q1"], 5)
        assert assembly(store, queues=["q1", "q2"]).counted_by_platform("aggregates") is None


class TestComparing:
    def counted(self, *rows):
        return pl.DataFrame(
            [(queue, media, START + timedelta(minutes=30 * half_hour), n) for queue, media, half_hour, n in rows],
            {"queue_id": pl.String, "media": pl.String, "start_at": pl.Datetime("us", "UTC"), "offered": pl.Int64},
            orient="row",
        )

    def own(self, *rows):
        visits = [(queue, START + timedelta(minutes=30 * half_hour, seconds=n)) for queue, half_hour, n in rows]
        schema = {"queue_id": pl.String, "arrived_at": pl.Datetime("us", "UTC")}
        return crosscheck.half_hours(pl.DataFrame(visits, schema, orient="row"))

    def test_media_and_parts_are_added_up_before_half_hours_are_compared(self):
        theirs = self.counted(("q1", "voice", 0, 1), ("q1", "chat", 0, 2), ("q2", "voice", 1, 1))
        ours = [self.own(("q1", 0, 0), ("q1", 0, 1799)), self.own(("q1", 0, 5), ("q2", 1, 0))]
        said = crosscheck.compare_offered(theirs, ours, SPAN)
        assert "counts 4 offered in these days and queues, this snapshot 4; all half hours agree." in said

    def test_half_hours_that_only_one_side_has_differ(self):
        theirs = self.counted(("q1", "voice", 0, 3), ("q1", "voice", 4, 1))
        ours = [self.own(("q1", 0, 0), ("q1", 0, 1), ("q1", 0, 2), ("q1", 1, 0), ("q1", 1, 1), ("q2", 0, 0))]
        said = crosscheck.compare_offered(theirs, ours, SPAN)
        assert "counts 4 offered in these days and queues, this snapshot 6; 3 half hours differ, by 2 at most." in said

    def test_it_does_not_matter_who_counts_more(self):
        more = crosscheck.compare_offered(self.counted(("q1", "voice", 0, 3)), [self.own(("q1", 0, 0))], SPAN)
        assert "1 half hours differ, by 2 at most" in more

    def test_nothing_agrees_with_nothing(self):
        assert "counts 0" in crosscheck.compare_offered(self.counted(), [], SPAN)
        assert "1 half hours differ, by 1" in crosscheck.compare_offered(self.counted(), [self.own(("q1", 0, 0))], SPAN)

    def test_surveys_are_counted_by_their_responses(self):
        counted = pl.DataFrame({"responses": [2, 3], "score_sum": [100.0, 200.0]})
        assert "counts 5 survey responses" in crosscheck.compare_surveys(counted, 4)
        assert "holds 4 surveys" in crosscheck.compare_surveys(counted, 4)
        assert "counts 0 survey responses" in crosscheck.compare_surveys(counted.clear(), 0)


def test_what_is_left_out_of_statuses_adds_up(tmp_path):
    store = PartStore(tmp_path / "parts")
    counts = pl.DataFrame({"reason": ["left out: entries"], "n": [3]})
    for day in (DAY, NEXT):
        store.write(
            day,
            STATUS,
            ["a"],
            datetime(2026, 2, 1, tzinfo=UTC),
            {"staffing": TABLES["staffing"].empty(), "counts": counts},
        )
    assert assembly(store).status_counts() == {"left out: entries": 6}
