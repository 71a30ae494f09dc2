"""Jobs are submitted, waited for, read to the end and cleaned up, whatever goes wrong on the way."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from ingest.platform.errors import AccessRefused, JobFailed, PlatformUnavailable, RequestRefused
from ingest.platform.jobs import JobCounts, availability, run_job

PATH = "/api/v2/analytics/conversations/details/jobs"
BODY = {"interval": "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z"}
LOST = PlatformUnavailable("the connection broke off", lost_submit=True)


class Time:
    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Jobs:
    """Jobs that follow a script each: states in turn, then pages; an exception in a script is raised."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.states, self.results, self.deleted, self.submitted, self.asked = {}, {}, [], [], []
        self.delete_error = None

    def submit(self, path, body):
        assert (path, body) == (PATH, BODY)
        self.submitted.append(body)
        script = self.scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        if isinstance(script, dict):
            return script
        job = f"j{len(self.submitted)}"
        self.states[job], self.results[job] = list(script[0]), script[1]
        return {"jobId": job}

    def get(self, path, query=None, **path_params):
        job = path_params["jobId"]
        self.asked.append((path, query, path_params))
        assert job not in self.deleted
        if path == f"{PATH}/{{jobId}}":
            state = self.states[job].pop(0) if len(self.states[job]) > 1 else self.states[job][0]
            return self.give({"state": state} if isinstance(state, str) else state)
        assert path == f"{PATH}/{{jobId}}/results" and query["pageSize"] == 1000
        return self.give(self.results[job][query["cursor"] or ""])

    @staticmethod
    def give(answer):
        if isinstance(answer, Exception):
            raise answer
        return answer

    def delete(self, path, **path_params):
        assert path == f"{PATH}/{{jobId}}"
        self.deleted.append(path_params["jobId"])
        if self.delete_error:
            raise self.delete_error


def pages(*sizes, job="a"):
    """Results by cursor: so many conversations each, the last without a cursor."""
    last = len(sizes) - 1
    return {
        f"c{n}" if n else "": {
            "conversations": [{"conversationId": f"{job}{n}.{i}"} for i in range(size)],
            **({"cursor": f"c{n + 1}"} if n < last else {}),
        }
        for n, size in enumerate(sizes)
    }


GOOD = (["QUEUED", "PENDING", "FULFILLED"], pages(2, 1))


def run(reader, time=None, **options):
    time = time or Time()
    return run_job(reader, PATH, BODY, clock=time, sleep=time.sleep, **options)


def ids(read):
    return [c["conversationId"] for page in read for c in page]


def test_a_job_is_read_once_and_deleted():
    reader, counts = Jobs(GOOD), JobCounts()
    assert ids(run(reader, counts=counts)) == ["a0.0", "a0.1", "a1.0"]
    assert (reader.deleted, len(reader.submitted)) == (["j1"], 1)
    assert counts == JobCounts(submitted=1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_the_cursor_is_followed_over_empty_pages_to_the_end(sizes):
    read = list(run(Jobs((["FULFILLED"], pages(*sizes)))))
    assert [len(page) for page in read] == [size for size in sizes if size]


@pytest.mark.parametrize("page", [{}, {"conversations": None}, {"conversations": [], "cursor": ""}])
def test_an_interval_without_conversations_is_fine(page):
    assert list(run(Jobs((["FULFILLED"], {"": page})))) == []


def test_first_looks_follow_fast_then_evenly():
    time = Time()
    list(run(Jobs((["QUEUED"] * 8 + ["FULFILLED"], pages(1))), time))
    assert time.slept == pytest.approx([0.3, 0.6, 1.2, 2.4, 3, 3, 3, 3])


@pytest.mark.parametrize(
    "bad",
    [
        (["FAILED"], {}), (["PENDING", "EXPIRED"], {}), (["CANCELLED"], {}), (["QUEUED"], {}), (["SLEEPING"], {}),
        ([{}], {}), LOST, {}, {"jobId": ""}, {"jobId": 7},
        ([RequestRefused("gone", status=404)], {}),
        (["FULFILLED"], {"": RequestRefused("gone", status=410)}),
        (["FULFILLED"], {"": RequestRefused("gone", status=404)}),
        (["FULFILLED"], {"": {"conversations": "many"}}),
        (["FULFILLED"], {"": {"cursor": 7}}),
    ],
)  # fmt: skip
def test_a_lost_attempt_is_submitted_again_and_counted(bad):
    lost, counts = [], JobCounts()
    reader = Jobs(bad, bad, GOOD)
    assert ids(run(reader, on_lost=lost.append, counts=counts)) == ["a0.0", "a0.1", "a1.0"]
    assert len(lost) == 2 and all(lost)
    assert counts == JobCounts(submitted=3, lost=2)
    assert "j3" in reader.deleted and len(reader.deleted) == len(reader.states)


def test_results_that_expire_half_way_are_read_anew():
    """The pages read before come again; callers keep one per conversation."""
    half = pages(1, 1)
    half["c1"] = RequestRefused("gone", status=404)
    reader = Jobs((["FULFILLED"], half), (["FULFILLED"], pages(1, 1)))
    assert ids(run(reader)) == ["a0.0", "a0.0", "a1.0"]


@pytest.mark.parametrize("attempts", [1, 3])
def test_after_so_many_attempts_it_has_failed_with_the_reason(attempts):
    reader = Jobs(*[([{"state": "FAILED", "errorMessage": "too\nlarge"}], {})] * 5)
    with pytest.raises(JobFailed, match=rf"{attempts} jobs? submitted.*FAILED too large"):
        list(run(reader, attempts=attempts))
    assert len(reader.submitted) == len(reader.deleted) == attempts


def test_a_job_that_is_never_done_is_left_at_the_deadline():
    time = Time()
    with pytest.raises(JobFailed, match="QUEUED after 100 s"):
        list(run(Jobs((["QUEUED"], {})), time, deadline_s=100.0, attempts=1))
    assert time.now == pytest.approx(100.0)


@pytest.mark.parametrize("circle", [{"c1": "c1"}, {"c1": "c2", "c2": "c1"}])
def test_a_cursor_that_leads_in_a_circle_is_an_error(circle):
    results = {"": {"conversations": [], "cursor": "c1"}, **{at: {"cursor": to} for at, to in circle.items()}}
    with pytest.raises(JobFailed, match="circle"):
        list(run(Jobs(*[(["FULFILLED"], results)] * 3)))


@pytest.mark.parametrize(
    "error", [PlatformUnavailable("down"), AccessRefused("no"), RequestRefused("what", status=400)]
)
def test_a_submit_that_was_refused_is_not_tried_again(error):
    reader = Jobs(error)
    with pytest.raises(type(error)) as caught:
        list(run(reader))
    assert caught.value is error and len(reader.submitted) == 1


@pytest.mark.parametrize(
    ("error", "deleted", "undeleted"),
    [(AccessRefused("no", status=403), ["j1"], 0), (PlatformUnavailable("down"), [], 1)],
)
def test_a_platform_that_cannot_be_asked_ends_it(error, deleted, undeleted):
    """Silence is not answered by another request that would wait as long."""
    counts = JobCounts()
    reader = Jobs((["FULFILLED"], {"": error}))
    with pytest.raises(type(error)):
        list(run(reader, counts=counts))
    assert (reader.deleted, counts.undeleted) == (deleted, undeleted)


@pytest.mark.parametrize("error", [PlatformUnavailable("down"), AccessRefused("no"), RequestRefused("no", status=400)])
def test_a_job_that_cannot_be_deleted_does_no_harm(error):
    reader, counts = Jobs(GOOD), JobCounts()
    reader.delete_error = error
    assert len(ids(run(reader, counts=counts))) == 3
    assert counts.undeleted == 1


def test_whoever_stops_reading_leaves_no_job_behind():
    reader = Jobs(GOOD)
    read = run(reader)
    next(read)
    read.close()
    assert reader.deleted == ["j1"]


def test_impossible_settings_are_refused():
    for wrong in ({"attempts": 0}, {"deadline_s": 0.0}, {"poll_s": -1.0}, {"page_size": 0}):
        with pytest.raises(InvalidScenario):
            list(run(Jobs(GOOD), **wrong))


class Availability:
    def __init__(self, said):
        self.said = said

    def get(self, path, query=None, **path_params):
        assert path == f"{PATH}/availability"
        return {"dataAvailabilityDate": self.said}


@pytest.mark.parametrize("said", ["2026-03-01T10:00:00.000Z", "2026-03-01T12:00:00+02:00"])
def test_availability_is_a_time_in_utc(said):
    at = availability(Availability(said), PATH)
    assert at == datetime(2026, 3, 1, 10, tzinfo=UTC) and at.tzinfo is UTC


@pytest.mark.parametrize("said", [None, "", "soon", 7, "2026-03-01T10:00:00"])
def test_availability_without_a_time_is_an_error(said):
    with pytest.raises(PlatformUnavailable, match="dataAvailabilityDate"):
        availability(Availability(said), PATH)
