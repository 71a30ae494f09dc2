"""One day of the platform becomes parts: what is missing is asked for, once, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from ingest.genesys.collecting import reading
from ingest.genesys.collecting.parts import AGGREGATES, QUEUES, STATUS, USERS, Freshness, Part, PartStore
from ingest.genesys.collecting.reading import JOBS, QUERY, DayReader, Refused
from ingest.genesys.objects import aggregates, staffing
from ingest.platform.errors import AccessRefused, JobFailed, RequestRefused
from tests.payloads import START, answered, conversation, customer, handled, participant, queued

DAY = START.date()
DAY_END = datetime(2025, 3, 2, tzinfo=UTC)
NOW = datetime(2025, 4, 1, tzinfo=UTC)
# No clock went wrong.
LATER = NOW + timedelta(days=9)
FORBIDDEN = AccessRefused("no", status=403, permission="some:thing:view")


class Platform:
    """Answers every question with the same conversations, spread over pages; each question takes a second."""

    def __init__(self, *conversations: Any, pages: int = 1, refusals: dict[str, Exception] | None = None) -> None:
        self.conversations, self.n_pages, self.refusals = list(conversations), pages, refusals or {}
        self.state = "FULFILLED"
        self.seconds = 0.0
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def submit(self, path: str, body: dict[str, Any]) -> Any:
        self._note(path, body)
        return {"jobId": f"job{len(self.asked)}"}

    def get(self, path: str, query: dict[str, Any] | None = None, **path_params: str) -> Any:
        if not path.endswith("/results"):
            return {"state": self.state}
        number = int((query or {}).get("cursor") or 1)
        more = {"cursor": str(number + 1)} if number < self.n_pages else {}
        return {"conversations": self._page(number)} | more

    def delete(self, path: str, **path_params: str) -> None:
        """Jobs go as they came."""

    def query(self, path: str, body: dict[str, Any]) -> Any:
        self._note(path, body)
        if path == QUERY and body["paging"]["pageNumber"] <= self.n_pages:
            return {"conversations": self._page(body["paging"]["pageNumber"])}
        return {}

    def _page(self, number: int) -> list[Any]:
        return self.conversations[number - 1 :: self.n_pages]

    def _note(self, path: str, body: dict[str, Any]) -> None:
        self.seconds += 1
        self.asked.append((path, body))
        if path in self.refusals:
            raise self.refusals[path]

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def about(self, path: str) -> list[str]:
        """Values of all predicates of the questions to a path."""
        text = [orjson.dumps(body) for asked, body in self.asked if asked == path]
        return sorted(predicate["value"] for one in text for predicate in predicates(orjson.loads(one)))


def predicates(value: Any) -> list[dict[str, Any]]:
    """All predicates anywhere in a body."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, dict) and "dimension" in value else []
    return own + [found for each in inner for found in predicates(each)]


@pytest.fixture
def store(tmp_path):
    return PartStore(tmp_path / "parts")


@dataclass
class Run:
    """As one run reads a day: the queues, then the agents that are known by then."""

    days: DayReader
    agents: Sequence[str]

    def read(self, day: date, parts: Sequence[Part]) -> int:
        n_read = self.days.read_queues(day, parts)
        have = [part for part in self.days.store.parts() if part.day == day]
        people = sorted({*self.agents, *reading.answered(have, self.days.queue_ids)})
        return n_read + self.days.read_agents(day, have, people)


def reader(
    platform, store, *, queues=("q1",), agents=("u1",), available=NOW, refused=None, deadline_s=60.0, fresh=None
) -> Run:
    fresh = fresh or Freshness(LATER, NOW - timedelta(days=1), 3, available)
    days = DayReader(
        platform, store, fresh, queues, refused or Refused(), platform.now, platform.sleep,
        lambda: platform.seconds, deadline_s,
    )  # fmt: skip
    return Run(days, agents)


def kinds(store):
    return sorted(part.kind for part in store.parts())


def test_a_day_is_four_parts_and_the_second_time_none(store):
    platform = Platform(answered())
    assert reader(platform, store).read(DAY, []) == 4
    assert kinds(store) == sorted([QUEUES, USERS, STATUS, AGGREGATES])
    asked = len(platform.asked)
    assert reader(platform, store).read(DAY, store.parts()) == 0
    assert len(platform.asked) == asked


def test_questions_are_about_the_day_the_queues_and_the_agents(store):
    platform = Platform()
    reader(platform, store, queues=("q1", "q2"), agents=("u1", "u2", "u3")).read(DAY, [])
    assert {body["interval"] for _, body in platform.asked} == {"2025-03-01T00:00:00.000Z/2025-03-02T00:00:00.000Z"}
    assert platform.about(JOBS) == ["q1", "q2", "u1", "u2", "u3"]
    dimensions = [{one["dimension"] for one in predicates(body)} for path, body in platform.asked if path == JOBS]
    assert ["queueId" in named for named in dimensions] == [True, False]
    assert platform.about(staffing.PATH) == ["u1", "u2", "u3"]
    assert platform.about(aggregates.CONVERSATIONS) == platform.about(aggregates.SURVEYS) == ["q1", "q2"]


@pytest.mark.parametrize(("short_s", "path"), [(0, JOBS), (1, QUERY)])
def test_a_day_is_read_by_jobs_once_they_cover_all_of_it(store, short_s, path):
    platform = Platform(answered())
    reader(platform, store, available=DAY_END - timedelta(seconds=short_s)).read(DAY, [])
    asked = {(where, body["interval"]) for where, body in platform.asked if where in (JOBS, QUERY)}
    # The query gives what began on a day, so what went on from the day before is asked for besides.
    first = {JOBS: "2025-03-01", QUERY: "2025-02-28"}[path]
    assert asked == {(path, f"{first}T00:00:00.000Z/2025-03-02T00:00:00.000Z")}
    parts = [part for part in store.parts() if part.kind in (QUEUES, USERS)]
    assert [part.is_provisional for part in parts] == [path == QUERY] * 2
    assert [part.frame("visits").height for part in parts] == [1, 1]


@pytest.mark.parametrize("available", [NOW, START])
def test_all_pages_are_kept_and_each_conversation_once(store, available):
    names = ["c1", "c2", "c3", "c1", "c4"]
    platform = Platform(*(answered(name=name) for name in names), pages=3)
    reader(platform, store, available=available).read(DAY, [])
    for part in store.parts():
        if part.kind in (QUEUES, USERS):
            assert sorted(part.frame("lives")["conversation_id"].to_list()) == sorted(set(names))
            assert part.frame("visits").height == 4


def test_more_ids_than_one_question_takes_are_asked_in_several(store):
    many = [f"u{number:04d}" for number in range(501)]
    platform = Platform()
    reader(platform, store, agents=many).read(DAY, [])
    assert platform.paths().count(JOBS) == 3
    assert platform.about(JOBS) == sorted(["q1", *many])
    (users,) = [part for part in store.parts() if part.kind == USERS]
    assert users.ids == set(many)


class TestPeople:
    def elsewhere(self):
        parts = (participant("acd", queued(queue="q9")), participant("agent", handled(queue="q9"), user="u9"))
        return conversation(customer(), *parts, name="c9")

    def lost(self):
        return conversation(customer(), participant("acd", queued()), name="c8")

    def test_members_and_whoever_answered_these_queues_are_asked_about(self, store):
        platform = Platform(answered(), self.elsewhere(), self.lost())
        reader(platform, store, agents=("u7",)).read(DAY, [])
        (users,) = [part for part in store.parts() if part.kind == USERS]
        (status,) = [part for part in store.parts() if part.kind == STATUS]
        assert users.ids == status.ids == {"u1", "u7"}

    def test_those_whom_an_earlier_part_names_too(self, store):
        reader(Platform(answered()), store, agents=()).read(DAY, [])
        before = [part.folder for part in store.parts()]
        platform = Platform()
        assert reader(platform, store, queues=("q1", "q2"), agents=("u7",)).read(DAY, store.parts()) == 4
        assert platform.about(JOBS) == ["q2", "u7"]
        assert platform.about(staffing.PATH) == ["u7"]
        # Counts are of all queues together.
        assert platform.about(aggregates.CONVERSATIONS) == ["q1", "q2"]
        kept = {part.folder for part in store.parts()}
        assert [folder in kept for folder in before].count(False) == 1

    def test_what_a_new_part_replaces_is_not_looked_into(self, store):
        """The earlier part is gone from the store by then, and with it whoever answered by its word only."""
        reader(Platform(answered()), store, agents=("u7",)).read(DAY, [])
        again = Freshness(LATER, NOW + timedelta(days=1), 99, NOW)
        platform = Platform()
        assert reader(platform, store, agents=("u7",), fresh=again).read(DAY, store.parts()) == 4
        (users,) = [part for part in store.parts() if part.kind == USERS and part.ids == {"u7"}]
        assert users.read_at >= NOW


class TestRefusals:
    def test_what_may_not_be_read_is_asked_for_once_and_left_out(self, store):
        platform = Platform(answered(), refusals={staffing.PATH: FORBIDDEN, aggregates.CONVERSATIONS: FORBIDDEN})
        refused = Refused()
        for day in (DAY, DAY + timedelta(days=1)):
            assert reader(platform, store, refused=refused).read(day, []) == 2
        assert platform.paths().count(staffing.PATH) == platform.paths().count(aggregates.CONVERSATIONS) == 1
        assert refused.kinds == {STATUS, AGGREGATES}

    @pytest.mark.parametrize("path", [staffing.PATH, aggregates.CONVERSATIONS])
    def test_credentials_that_are_refused_are_no_missing_permission(self, store, path):
        refused = Refused()
        platform = Platform(refusals={path: AccessRefused("no", status=401)})
        with pytest.raises(AccessRefused):
            reader(platform, store, refused=refused).read(DAY, [])
        assert not refused.kinds

    def test_conversations_are_needed(self, store):
        with pytest.raises(AccessRefused):
            reader(Platform(refusals={JOBS: FORBIDDEN}), store).read(DAY, [])
        assert store.parts() == []

    def test_what_was_read_before_a_failure_is_kept(self, store):
        platform = Platform(answered(), refusals={staffing.PATH: RequestRefused("no", status=400)})
        with pytest.raises(RequestRefused):
            reader(platform, store).read(DAY, [])
        assert kinds(store) == sorted([QUEUES, AGGREGATES, USERS])


class TestLimits:
    @pytest.mark.parametrize(("most", "fits"), [(7, True), (6, False)])
    def test_more_than_the_query_gives_is_refused_rather_than_cut(self, store, monkeypatch, most, fits):
        monkeypatch.setattr(reading, "MOST_QUERIED", most)
        platform = Platform(*(answered(name=f"c{n}") for n in range(6)), pages=3)
        today = reader(platform, store, available=START)
        if fits:
            assert today.read(DAY, []) == 4
            return
        with pytest.raises(RequestRefused, match=r"2025-03-01.*earlier day"):
            today.read(DAY, [])
        assert store.parts() == []

    def test_jobs_are_not_bounded_so(self, store, monkeypatch):
        monkeypatch.setattr(reading, "MOST_QUERIED", 1)
        assert reader(Platform(answered(), answered(name="c2")), store).read(DAY, []) == 4

    def test_a_job_that_is_never_done_is_given_up_in_time(self, store):
        platform = Platform()
        platform.state = "PENDING"
        with pytest.raises(JobFailed):
            reader(platform, store, deadline_s=10.0).read(DAY, [])
        assert platform.seconds < 60


def test_a_part_was_read_when_its_first_question_was_asked(store):
    """What changes over there while an answer is on its way is not known to have been read."""
    platform = Platform(answered())
    reader(platform, store).read(DAY, [])
    seconds = {part.kind: (part.read_at - NOW).total_seconds() for part in store.parts()}
    # Counts take two questions, one of them about surveys.
    assert seconds == {QUEUES: 0, AGGREGATES: 1, USERS: 3, STATUS: 4}


def test_the_platforms_status_counts_are_kept_beside_the_blocks(store):
    reader(Platform(answered()), store).read(DAY, [])
    (status,) = [part for part in store.parts() if part.kind == STATUS]
    assert status.frame("staffing").is_empty()
    assert set(status.frame("counts").columns) == {"reason", "n"}
