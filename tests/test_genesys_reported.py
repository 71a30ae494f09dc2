"""What belongs to the chosen queues and days, and what is work elsewhere: by hand, and in sum."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.genesys.collecting import reported as module
from ingest.genesys.collecting.reported import reported
from ingest.genesys.collecting.wanted import Span

TIME = pl.Datetime("us", "UTC")
SPAN = Span(date(2026, 3, 2), date(2026, 3, 2))
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
YESTERDAY = SPAN.start - timedelta(hours=1)
VISITS = {
    "conversation_id": pl.String,
    "visit": pl.Int32,
    "queue_id": pl.String,
    "arrived_at": TIME,
    "agent_id": pl.String,
}
WORK = {
    "conversation_id": pl.String, "agent_id": pl.String, "start_at": TIME, "end_at": TIME, "media": pl.String,
    "direction": pl.String, "queue_id": pl.String, "visit": pl.Int32, "kind": pl.String,
}  # fmt: skip
SURVEYS = {
    "conversation_id": pl.String, "visit": pl.Int32, "survey_id": pl.String, "agent_id": pl.String,
    "queue_id": pl.String, "completed_at": TIME, "score": pl.Float64,
}  # fmt: skip


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def frames(visits=(), work=(), surveys=(), left_out=()):
    return {
        "visits": pl.DataFrame(list(visits), VISITS, orient="row"),
        "work": pl.DataFrame(list(work), WORK, orient="row"),
        "surveys": pl.DataFrame(list(surveys), SURVEYS, orient="row"),
        "lives": pl.DataFrame(
            [(name, YESTERDAY if name == "old" else NINE) for name in sorted({row[0] for row in surveys})],
            {"conversation_id": pl.String, "started_at": TIME},
            orient="row",
        ),
        "left_out": pl.DataFrame(list(left_out), {"conversation_id": pl.String, "reason": pl.String}, orient="row"),
    }


def work(conversation="c", agent="a", start=0.0, end=5.0, queue=None, visit=None, kind="other", media="voice"):
    ends = None if end is None else at(end)
    return (conversation, agent, at(start), ends, media, "inbound", queue, visit, kind)


class TestVisits:
    def test_only_chosen_queues_and_days_are_reported_and_the_rest_is_counted(self):
        rows = [("c", 1, "q", at(0), "a"), ("c", 2, "other", at(1), "a"), ("d", 1, "q", at(-600), "a")]
        done = reported(frames(rows), ["q"], SPAN)
        assert done.visits.rows() == [rows[0]]
        assert done.counts[module.OTHER_QUEUES] == 1
        assert done.counts[module.OUTSIDE] == 1

    def test_days_begin_with_their_first_moment_and_end_before_the_next(self):
        moments = [SPAN.start - timedelta(microseconds=1), SPAN.start, SPAN.end - timedelta(microseconds=1), SPAN.end]
        rows = [(f"c{n}", 1, "q", moment, None) for n, moment in enumerate(moments)]
        done = reported(frames(rows), ["q"], SPAN)
        assert done.visits["arrived_at"].to_list() == moments[1:3]
        assert done.counts[module.OUTSIDE] == 2

    def test_reasons_of_the_parser_are_counted(self):
        done = reported(frames(left_out=[("c", "x"), (None, "x"), ("d", "y")]), ["q"], SPAN)
        assert (done.counts["left out: x"], done.counts["left out: y"]) == (2, 1)


class TestBusy:
    def busy(self, work_rows, visits=(("c", 1, "q", NINE, "a"),)):
        return reported(frames(visits, work_rows), ["q"], SPAN)

    def test_the_session_that_answered_a_reported_visit_is_no_work_elsewhere(self):
        assert self.busy([work(visit=1, kind="answered", queue="q")]).busy.is_empty()

    def test_answering_another_queue_or_day_is(self):
        rows = [
            work("d", queue="other", visit=1, kind="answered"),
            work("c", start=9, end=12, queue="x", visit=2, kind="answered"),
        ]
        done = self.busy(rows)
        assert sorted(done.busy.rows()) == [
            ("a", at(0), at(5), "voice, another session of a queue", "voice", True),
            ("a", at(9), at(12), "voice, another session of a queue", "voice", True),
        ]

    def test_answering_a_visit_of_the_day_before_is_work_within_these_days(self):
        """The visit is not reported, so its agent is busy, not handling it."""
        before = ("c", 1, "q", SPAN.start - timedelta(minutes=5), "a")
        rows = [("c", "a", SPAN.start - timedelta(minutes=4), at(0), "voice", "inbound", "q", 1, "answered")]
        done = self.busy(rows, visits=[before])
        assert done.visits.is_empty()
        assert done.busy.rows() == [("a", SPAN.start, at(0), "voice, another session of a queue", "voice", True)]

    def test_only_who_answered_is_not_busy_with_the_visit(self):
        """Another agent's session with the same number is work elsewhere, one of another conversation too."""
        rows = [
            work(visit=1, kind="answered", queue="q"),
            work(agent="b", visit=1, kind="other", queue="q"),
            work("d", visit=1, kind="answered", queue="q"),
        ]
        done = self.busy(rows)
        assert sorted(done.busy["agent_id"].to_list()) == ["a", "b"]
        assert done.counts[module.OWN_CALL] == 0

    def test_work_that_took_no_time_blocks_nobody(self):
        assert self.busy([work("d", start=3, end=3)]).busy.is_empty()

    def test_work_that_ends_before_the_days_or_begins_after_them_blocks_nobody(self):
        rows = [work("d", start=-800, end=-541), work("e", start=15 * 60, end=16 * 60)]
        assert self.busy(rows).busy.is_empty()

    def test_a_direction_that_is_not_told_is_other(self):
        row = ("d", "a", at(0), at(5), "voice", None, None, None, "other")
        assert self.busy([row]).busy["why"].to_list() == ["other voice, no queue"]

    @pytest.mark.parametrize("media", ["voice", "chat", "email", "message", "callback"])
    def test_work_of_every_media_keeps_its_media(self, media):
        assert self.busy([work("d", media=media)]).busy["media"].to_list() == [media]

    def test_outbound_work_says_so(self):
        row = ("d", "a", at(0), at(5), "voice", "outbound", None, None, "other")
        assert self.busy([row]).busy.rows() == [("a", at(0), at(5), "outbound voice, no queue", "voice", False)]

    def test_alerts_that_ring_out_block_nobody_and_are_counted(self):
        done = self.busy([work(kind="unanswered", queue="q")])
        assert done.busy.is_empty()
        assert done.counts[module.LET_RING] == 1

    def test_calls_of_a_callback_belong_to_its_visit(self):
        """Also what of them lies outside the session that answered; for another queue's callback that is work."""
        rows = [
            work(visit=1, kind="answered", queue="q", media="callback"),
            work(start=4, end=9, visit=1, kind="part"),
        ]
        assert self.busy(rows).busy.is_empty()
        done = self.busy(rows, visits=[("c", 1, "other", NINE, "a")])
        assert done.busy.rows() == [
            ("a", at(0), at(5), "callback, another session of a queue", "callback", True),
            ("a", at(5), at(9), "inbound voice, no queue", "voice", True),
        ]

    def test_a_consultation_during_a_call_of_another_queue_is_not_told_twice(self):
        rows = [work(visit=1, kind="answered", queue="x"), work(start=1, end=7)]
        done = self.busy(rows, visits=[("c", 1, "x", NINE, "a")])
        assert done.busy.select("start_at", "end_at").rows() == [(at(0), at(5)), (at(5), at(7))]

    def test_sessions_of_one_conversation_that_overlap_count_once(self):
        done = self.busy([work("d"), work("d", start=3, end=8), work("d", start=4, end=6), work("e", start=3, end=8)])
        assert sorted(done.busy.select("start_at", "end_at").rows()) == [(at(0), at(5)), (at(3), at(8)), (at(5), at(8))]

    @pytest.mark.parametrize(
        ("start", "end", "left"),
        [(1, 4, []), (0, 5, []), (5, 8, [(5, 8)]), (4, 8, [(5, 8)]), (-2, 3, [(-2, 0)]), (-2, 8, [(-2, 0), (5, 8)])],
    )
    def test_a_consultation_is_part_of_the_own_call_and_what_goes_on_after_it_is_not(self, start, end, left):
        rows = [work(visit=1, kind="answered", queue="q"), work(start=start, end=end)]
        done = self.busy(rows)
        assert done.counts[module.OWN_CALL] == int(not left)
        assert done.busy.select("start_at", "end_at").rows() == [(at(a), at(b)) for a, b in left]

    def test_between_two_own_calls_the_agent_is_at_work(self):
        visits = (("c", 1, "q", NINE, "a"), ("c", 2, "q", at(10), "a"))
        rows = [
            work(visit=1, kind="answered", queue="q"), work(start=10, end=12, visit=2, kind="answered", queue="q"),
            work(start=3, end=15),
        ]  # fmt: skip
        done = self.busy(rows, visits)
        assert done.busy.select("start_at", "end_at").rows() == [(at(5), at(10)), (at(12), at(15))]

    def test_the_consultation_keeps_the_other_agent_busy(self):
        rows = [work(visit=1, kind="answered", queue="q"), work(agent="b", start=2, end=3)]
        assert self.busy(rows).busy.rows() == [("b", at(2), at(3), "inbound voice, no queue", "voice", False)]

    def test_work_without_an_end_lasts_to_the_end_of_its_day_and_is_counted(self):
        done = self.busy([work("d", end=None), work("e", start=-24 * 60, end=None)])
        assert done.busy["end_at"].to_list() == [SPAN.end]
        assert done.counts[module.NO_END] == 2

    def test_work_is_clipped_to_the_days(self):
        done = self.busy([work("d", start=-700, end=-500), work("e", start=-800, end=-600)])
        assert done.busy.rows() == [("a", SPAN.start, at(-500), "inbound voice, no queue", "voice", False)]

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["answered", "unanswered", "other"]),
                              st.sampled_from(["voice", "email"]), st.integers(0, 30)), max_size=8))  # fmt: skip
    def test_every_session_is_reported_or_busy_or_counted(self, drawn):
        rows = [
            work(
                f"c{n}", agent, start, start + 3, "q" if n % 2 else "x", 1 if kind == "answered" else None, kind, media
            )
            for n, (agent, kind, media, start) in enumerate(drawn)
        ]
        visits = [
            (f"c{n}", 1, "q" if n % 2 else "x", at(start), agent)
            for n, (agent, kind, _, start) in enumerate(drawn) if kind == "answered"
        ]  # fmt: skip
        done = reported(frames(visits, rows), ["q"], SPAN)
        counted = sum(done.counts[label] for label in (module.LET_RING, module.OWN_CALL))
        assert done.visits.height + done.busy.height + counted == len(drawn)


class TestSurveys:
    VISITS = (("c", 1, "q", NINE, "a"), ("d", 1, "other", NINE, "a"))

    def test_a_survey_of_a_reported_visit_names_its_interaction(self):
        done = reported(frames(self.VISITS, surveys=[("c", 1, "s", "a", "q", NINE, 87.5)]), ["q"], SPAN)
        assert done.surveys.rows() == [("s", "c#1", "a", "q", NINE, 87.5)]

    def test_a_survey_of_a_chosen_queue_without_visit_counts_by_agent(self):
        done = reported(frames(self.VISITS, surveys=[("e", None, "s", "a", "q", NINE, 80.0)]), ["q"], SPAN)
        assert done.surveys.rows() == [("s", None, "a", "q", NINE, 80.0)]

    def test_a_survey_of_a_visit_that_is_not_reported_does_not_count_by_agent(self):
        """Neither one of a visit that arrived on another day, though it names a chosen queue."""
        visits = (*self.VISITS, ("f", 1, "q", at(-600), "a"))
        done = reported(frames(visits, surveys=[("f", 1, "s", "a", "q", NINE, 80.0)]), ["q"], SPAN)
        assert done.surveys.is_empty()
        assert done.counts[module.FOREIGN] == 1

    def test_a_survey_of_a_reported_visit_counts_whatever_queue_it_names(self):
        done = reported(frames(self.VISITS, surveys=[("c", 1, "s", "a", "other", NINE, 80.0)]), ["q"], SPAN)
        assert done.surveys["interaction_id"].to_list() == ["c#1"]

    def test_others_are_counted(self):
        rows = [
            ("d", 1, "s", "a", "other", NINE, 80.0),
            ("e", None, "t", "a", "x", NINE, 80.0),
            ("old", None, "v", "a", "q", NINE, 80.0),
            ("c", 1, "u", None, "q", NINE, 80.0),
        ]
        done = reported(frames(self.VISITS, surveys=rows), ["q"], SPAN)
        assert done.surveys.is_empty()
        assert (done.counts[module.FOREIGN], done.counts[module.NO_AGENT]) == (3, 1)
