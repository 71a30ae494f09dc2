"""A look before reading: it finds what is there, names what is not allowed, and foretells what reading checking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.tables import Tables
from engine.errors import InvalidScenario, MissingInput, UnknownName
from ingest.double import Double, Organisation, organisation
from ingest.genesys import Check, Means, Span, Wanted, check_platform, checking, import_genesys
from ingest.genesys.checking import estimate
from ingest.genesys.probes import GRANTED, LIMITS, MISSING, UNCLEAR, limits, permissions
from ingest.platform.client import Client
from ingest.platform.credentials import Credentials
from ingest.platform.errors import AccessRefused, PlatformUnavailable, RequestRefused
from ingest.platform.limiter import Limiter
from ingest.platform.network import Timeouts
from tests.payloads import RUBBISH
from tests.small_platform import Clock, client_for, day_of, means_for, small, wanted_for

NEEDED = ("routing:queue:view", "routing:skill:view", "directory:user:view", "analytics:conversationDetail:view")
OPTIONAL = (
    "analytics:userDetail:view", "analytics:conversationAggregate:view", "analytics:surveyAggregate:view",
    "routing:utilization:view",
)  # fmt: skip
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def look(double: Double, *asked: Any, **more: Any) -> Check:
    client = client_for(double, Clock())
    try:
        return check_platform(client, "double", *asked, **more)
    finally:
        client.close()


@pytest.fixture(scope="module")
def double():
    with Double(small()) as running:
        yield running


@pytest.fixture(scope="module")
def found(double):
    return look(double)


def patient(double: Double) -> Means:
    """Means whose client gives a busy machine time to answer, so that nothing is asked twice."""
    clock = Clock()

    def make(sleep: Callable[[float], None]) -> Client:
        limiter = Limiter(clock=clock.time, sleep=clock.sleep)
        return Client(
            Credentials.of("demo", "demo", double.url), timeouts=Timeouts(5.0, 60.0), limiter=limiter,
            clock=clock.time, sleep=sleep,
        )  # fmt: skip

    return replace(means_for(double), reader=make)


def called(days: list[date], queue: str = "q1", hour: int = 9) -> Organisation:
    """An organisation with one call on each of some days, and nothing odd."""
    at = [datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for day in days]
    rows = pl.DataFrame({"arrived_at": at}, {"arrived_at": pl.Datetime("us", "UTC")}).with_columns(
        pl.int_range(pl.len()).cast(pl.String).alias("interaction_id"), queue_id=pl.lit(queue),
        outcome=pl.lit("abandoned"), wait_s=pl.lit(1.5),
    )  # fmt: skip
    people = pl.DataFrame({"agent_id": ["a1"]})
    return Organisation.of_tables(Tables(people, rows, queues=pl.DataFrame({"queue_id": [queue]})))


class TestDays:
    def test_they_are_those_of_the_organisation(self, found):
        made = small()
        assert found.data_from == day_of(made.start_ms // 86_400_000)
        assert found.data_to == day_of(made.end_ms // 86_400_000 - 1)
        assert found.span == (found.data_from, found.data_to)
        assert found.available == datetime(2026, 1, 6, 12, tzinfo=UTC)

    def test_they_are_those_of_the_chosen_queue(self):
        tables = small().tables
        first = tables.interactions["arrived_at"].dt.date().min()
        is_left = (pl.col("queue_id") != "q2") | (pl.col("arrived_at").dt.date() == first)
        lost = tables.interactions.filter(is_left, pl.col("outcome") == "abandoned")
        fewer = Organisation.of_tables(replace(tables, interactions=lost, surveys=tables.surveys.clear()))
        with Double(fewer) as double:
            assert (look(double, ["Queue 2"]).data_from, look(double, ["Queue 2"]).data_to) == (first, first)
            assert look(double, ["Queue 1"]).data_to == first + timedelta(days=1)

    def test_every_day_of_two_years_counts_once_wherever_months_are_cut(self):
        last = date(2026, 3, 1)
        days = [last - timedelta(days=n) for n in range(700)]
        with Double(called(days)) as double:
            found = look(double)
        assert (found.data_from, found.data_to) == (days[-1], last)
        assert found.estimate.conversations == found.estimate.days == len(days)

    def test_what_is_older_is_not_looked_for(self):
        last = date(2026, 3, 1)
        with Double(called([last, last - timedelta(days=800)])) as double:
            assert look(double).data_from == last

    def test_interactions_that_jobs_do_not_cover_yet_are_seen(self):
        days = [date(2026, 3, 1), date(2026, 3, 2)]
        with Double(called(days), availability=datetime(2026, 3, 1, 3, tzinfo=UTC)) as double:
            found = look(double)
        assert found.data_to == days[-1]
        assert found.available == datetime(2026, 3, 1, 3, tzinfo=UTC)

    def test_chosen_days_go_before_those_with_data(self, double):
        day = date(2026, 1, 6)
        assert look(double, (), day).span == (day, day)
        assert look(double, (), None, date(2026, 1, 5)).span == (date(2026, 1, 5), date(2026, 1, 5))
        quiet = look(double, (), date(2025, 1, 1), date(2025, 1, 10))
        assert (quiet.estimate.days, quiet.estimate.conversations) == (10, 0)

    def test_days_that_end_before_they_begin_are_refused(self, double):
        with pytest.raises(InvalidScenario, match="before"):
            look(double, (), date(2026, 1, 6), date(2026, 1, 5))

    def test_local_days_touch_more_days_of_the_platform(self, double):
        assert look(double, (), date(2026, 1, 5), date(2026, 1, 5)).estimate.days == 1
        assert look(double, (), date(2026, 1, 5), date(2026, 1, 5), "Europe/Berlin").estimate.days == 2


class TestQueues:
    def test_all_are_listed_and_the_chosen_ones_besides(self, double, found):
        both = [{"id": "q1", "name": "Queue 1"}, {"id": "q2", "name": "Queue 2"}]
        assert found.queues == found.chosen == both
        one = look(double, ["Queue 2"])
        assert (one.queues, one.chosen) == (both, both[1:])
        assert look(double, ["q2"]).chosen == both[1:]

    def test_what_is_counted_is_that_of_the_chosen_ones(self, double):
        tables = small().tables
        one = look(double, ["Queue 2"]).estimate
        assert one.conversations == tables.interactions.filter(queue_id="q2").height
        assert one.agents == tables.members.filter(queue_id="q2")["agent_id"].n_unique()
        both = look(double).estimate
        assert both.conversations == tables.interactions.height
        # An agent of both queues is one agent.
        assert both.agents == tables.members["agent_id"].n_unique() < tables.members.height

    def test_members_of_many_queues_are_bounded_from_above_without_asking(self, double, monkeypatch):
        monkeypatch.setattr(checking, "MOST_COUNTED", 1)
        asked = len(double.requests)
        bound = look(double).estimate.agents
        listed = [path for _, path in double.requests[asked:] if path.endswith("/members")]
        # One request is the probe of the permission.
        assert len(listed) == 1
        assert bound == small().tables.members.height

    def test_an_unknown_one_is_refused_with_the_nearest(self, double):
        with pytest.raises(UnknownName, match="Queue 1"):
            look(double, ["Qeue 1"])

    def test_a_client_that_sees_none_is_told_so(self):
        people, nobody = pl.DataFrame({"agent_id": ["a1"]}), called([]).tables.interactions
        with (
            Double(Organisation.of_tables(Tables(people, nobody))) as double,
            pytest.raises(MissingInput, match="role"),
        ):
            look(double)

    def test_a_queue_that_nobody_called_has_no_days_and_no_span(self):
        with Double(called([]), availability=NOON) as double:
            found = look(double)
        assert (found.data_from, found.data_to, found.span) == (None, None, None)
        assert (found.estimate.days, found.estimate.conversations, found.estimate.agents) == (0, 0, 1)
        assert {permission.state for permission in found.permissions} == {GRANTED}


class TestPermissions:
    def test_a_client_that_may_read_all_lacks_nothing(self, found):
        assert [permission.name for permission in found.permissions] == [*NEEDED, *OPTIONAL]
        assert {permission.state for permission in found.permissions} == {GRANTED}
        assert not any(permission.remark for permission in found.permissions)
        assert [permission.name for permission in found.permissions if permission.is_needed] == list(NEEDED)
        assert found.missing == []

    @pytest.mark.parametrize("name", [*NEEDED, *OPTIONAL])
    def test_one_that_is_missing_is_named_and_no_other(self, name):
        with Double(small(), missing_permissions=(name,)) as double:
            try:
                found = look(double)
            except AccessRefused as error:
                # Without queues or the platform's word on jobs there is nothing to look at.
                assert name in NEEDED
                assert (error.status, error.permission) == (403, name)
                return
        states = {permission.name: permission.state for permission in found.permissions}
        assert states == dict.fromkeys([*NEEDED, *OPTIONAL], GRANTED) | {name: MISSING}
        assert [permission.name for permission in found.missing] == ([name] if name in NEEDED else [])
        assert name in next(permission.remark for permission in found.permissions if permission.name == name)

    def test_without_counts_the_days_are_unknown_and_the_rest_is_told(self):
        with Double(small(), missing_permissions=("analytics:conversationAggregate:view",)) as double:
            found = look(double)
            asked = [path for _, path in double.requests if path.endswith("conversations/aggregates/query")]
        assert (found.data_from, found.data_to, found.span) == (None, None, None)
        assert found.estimate.agents == 12
        # Once by the probe, once for the days, and not again for every month.
        assert len(asked) == 2

    def test_credentials_that_are_refused_are_an_error_and_no_permission(self):
        with Double(small(), client_secret="another") as double, pytest.raises(AccessRefused) as refused:
            look(double)
        assert refused.value.status == 401


class Reader:
    """Answers that are given, or refusals."""

    def __init__(self, answer: Any = None, error: Exception | None = None, at: str = "") -> None:
        self.answer, self.error, self.at, self.asked = answer, error, at, []

    def _said(self, path: str) -> Any:
        self.asked.append(path)
        if self.error is not None and self.at in path:
            raise self.error
        return self.answer

    def get(self, path: str, query: Any = None, **path_params: str) -> Any:
        return self._said(path)

    def query(self, path: str, body: Any) -> Any:
        self.body = body
        return self._said(path)

    def submit(self, path: str, body: Any) -> Any:
        raise AssertionError("a look makes nothing")

    def delete(self, path: str, **path_params: str) -> None:
        raise AssertionError("a look deletes nothing")


class TestProbes:
    def test_each_asks_the_platform_for_something_else(self):
        reader = Reader({})
        tried = permissions(reader, "q1", NOON)
        assert len(set(reader.asked)) == len(tried) == 8

    def test_what_the_platform_will_not_do_is_unclear_and_says_why(self):
        refused = RequestRefused("no such path", status=404)
        tried = permissions(Reader({}, refused, "/users/details"), "q1", NOON)
        assert [(one.name, one.state, one.remark) for one in tried if one.state != GRANTED] == [
            ("analytics:userDetail:view", UNCLEAR, "no such path")
        ]

    @pytest.mark.parametrize("named", [None, "analytics:user:view or another"])
    def test_the_platforms_own_name_of_a_permission_is_told(self, named):
        refused = AccessRefused("no", status=403, permission=named)
        (missing,) = [one for one in permissions(Reader({}, refused, "/users/details"), "q1", NOON) if one.remark]
        assert missing.state == MISSING
        assert (named or "analytics:userDetail:view") in missing.remark

    @pytest.mark.parametrize("error", [AccessRefused("no", status=401), PlatformUnavailable("down")])
    def test_a_client_that_is_not_let_in_or_a_platform_that_is_down_ends_the_look(self, error):
        with pytest.raises(type(error)):
            permissions(Reader({}, error, "/skills"), "q1", NOON)
        with pytest.raises(type(error)):
            limits(Reader({}, error))

    def test_days_are_not_unknown_to_a_client_that_is_not_let_in(self):
        with pytest.raises(AccessRefused):
            checking._offered(Reader({}, AccessRefused("no", status=401)), ["q1"], NOON)
        assert checking._offered(Reader({}, AccessRefused("no", status=403)), ["q1"], NOON).is_empty()

    @pytest.mark.parametrize("error", [AccessRefused("no", status=403), RequestRefused("no", status=404)])
    def test_limits_that_are_not_told_are_none(self, error):
        assert limits(Reader({}, error)) == {namespace: {} for namespace in LIMITS}

    @pytest.mark.parametrize("answer", [None, {}, [], {"entities": None}, {"entities": [None, 7, {}, {"key": "a"}]}])
    def test_limits_that_say_nothing_are_none(self, answer):
        assert limits(Reader(answer)) == {namespace: {} for namespace in LIMITS}

    def test_limits_are_told_by_key(self):
        entities = [{"key": "a", "value": 5}, {"key": "b", "value": 2.5}, {"key": "c", "value": "many"}]
        assert limits(Reader({"entities": entities})) == {namespace: {"a": 5, "b": 2.5} for namespace in LIMITS}

    @given(st.sampled_from(RUBBISH), st.sampled_from(["key", "value"]))
    def test_odd_limits_break_nothing(self, rubbish, where):
        entry = {"key": "a", "value": 5} | {where: rubbish}
        assert set(limits(Reader({"entities": [entry, rubbish]}))) == set(LIMITS)


class TestCost:
    def test_a_look_is_cheap_and_reads_nothing(self, double):
        before = len(double.requests)
        look(double)
        asked = double.requests[before:]
        assert len(asked) < 60
        assert not [path for method, path in asked if method == "DELETE" or path.endswith("/details/jobs")]

    @pytest.mark.parametrize(
        ("sizes", "queues", "days"),
        [
            ({"agents": 12, "days": 2, "interactions": 240, "queues": 2}, ("Queue 1", "Queue 2"), None),
            ({"agents": 12, "days": 2, "interactions": 240, "queues": 2}, ("Queue 2",), 1),
            ({"agents": 5, "days": 1, "interactions": 40, "queues": 1}, ("Queue 1",), None),
            ({"agents": 130, "days": 2, "interactions": 1500, "queues": 3}, ("Queue 1", "Queue 2", "Queue 3"), None),
            ({"agents": 5, "days": 9, "interactions": 90, "queues": 1}, ("Queue 1",), None),
        ],
    )
    def test_requests_are_foretold_within_a_factor_of_two(self, tmp_path, sizes, queues, days):
        made = organisation(seed=3, **sizes)
        wanted = wanted_for(made, *queues)
        if days is not None:
            wanted = Wanted(queues, Span(wanted.span.first, wanted.span.first + timedelta(days=days - 1)))
        with Double(made) as double:
            foretold = look(double, queues, wanted.span.first, wanted.span.last).estimate.requests
            before = len(double.requests)
            import_genesys(tmp_path, "n", wanted, patient(double))
            sent = len(double.requests) - before
        assert sent / 2 <= foretold <= 2 * sent

    def test_the_organisations_own_limit_sets_the_minutes(self, double):
        client = client_for(double, Clock())

        class Slow(Reader):
            """A platform that allows little."""

            def get(self, path: str, query: Any = None, **path_params: str) -> Any:
                if path_params.get("namespaceName") == "platform.api":
                    return {"entities": [{"key": key, "value": value} for key, value in self.answer.items()]}
                return client.get(path, query, **path_params)

            def query(self, path: str, body: Any) -> Any:
                return client.query(path, body)

        def minutes(**allowed: float) -> float:
            values = {f"{key.replace('_', '.')}.rate.per.minute": value for key, value in allowed.items()}
            return check_platform(Slow(values), "double").estimate.minutes

        requests = look(double).estimate.requests
        try:
            assert minutes(client_credentials_token=10) == pytest.approx(requests / 10, abs=0.1)
            assert minutes(token=20, org_app_user=10) == pytest.approx(requests / 20, abs=0.1)
            assert minutes(client_credentials_token=0, org_app_user=10) == pytest.approx(requests / 10, abs=0.1)
            assert minutes() == pytest.approx(requests / 300, abs=0.1)
        finally:
            client.close()

    def test_a_day_more_costs_the_same_every_time(self):
        """Without conversations, requests grow by a fixed number a day: jobs, statuses, counts and two pages."""
        upto = [estimate(days, 0, 100, 3).requests for days in range(5)]
        assert {after - before for before, after in pairwise(upto)} == {2 * 5 + 2 + 2 + 2}

    def test_many_agents_and_queues_take_more_jobs(self):
        def a_day(agents: int, queues: int) -> int:
            return estimate(2, 0, agents, queues).requests - estimate(1, 0, agents, queues).requests

        assert a_day(501, 1) - a_day(500, 1) == 5 + 2
        assert a_day(100, 501) - a_day(100, 500) == 5
        assert a_day(101, 1) - a_day(100, 1) == 2

    def test_jobs_take_their_time_where_requests_do_not(self):
        assert estimate(90, 0, 10, 1, per_minute=1e9).minutes == 3.0

    def test_conversations_come_in_pages_twice(self):
        assert estimate(1, 9001, 10, 1).requests - estimate(1, 1000, 10, 1).requests == 2 * 9


def test_a_look_can_be_written_down(found):
    record = orjson.loads(orjson.dumps(found.record()))
    assert record["host"] == "double"
    assert (record["data_from"], record["data_to"]) == ("2026-01-05", "2026-01-06")
    assert record["jobs_cover_until"] == "2026-01-06T12:00:00+00:00"
    assert [one["name"] for one in record["permissions"]] == [*NEEDED, *OPTIONAL]
    assert record["limits"]["platform.api"]["client.credentials.token.rate.per.minute"] == 300
    assert record["estimate"] == {
        "from": "2026-01-05", "to": "2026-01-06", "days": 2, "conversations": small().tables.interactions.height,
        "agents": 12, "requests": found.estimate.requests, "minutes": found.estimate.minutes,
    }  # fmt: skip
