"""Live requests: who can take it now; and what stands in, said to be so, while the platform cannot be asked."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.live import STATUS_NOT_IDLE, Turns
from api.http.staff import staff_of
from engine.errors import UnknownName
from ingest.genesys.live import MOST_PAGES, LiveQueues, live_client, live_queue
from ingest.platform.credentials import Credentials
from ingest.platform.errors import AccessRefused, PlatformUnavailable, RequestRefused
from tests.small_service import BODY, answered, app_of, client_of, post, refusal, write_centre

NOW = datetime(2025, 3, 1, 10, tzinfo=UTC)
SECRET = "hush-hush-never-shown"
QUEUES = "/api/v2/routing/queues"
PLATFORM = {
    "genesys_client_id": "an-id", "genesys_client_secret": SECRET, "genesys_base_url": "http://127.0.0.1:9"
}  # fmt: skip
STATUSES = ["IDLE", "INTERACTING", "COMMUNICATING", "NOT_RESPONDING", "OFF_QUEUE"]


def member(name, status="IDLE", presence="On Queue", *, since="2025-03-01T09:58:00.000Z", **more):
    """A member as the platform lists one; skills and languages as name=level."""
    rated = {
        kind: [{"id": f"{kind}-{n}", "name": n, "proficiency": float(level), "state": "active"} for n, level in held]
        for kind, held in (
            ("skills", more.get("skills", {"billing": 4}).items()),
            ("languages", more.get("languages", {"en": 5}).items()),
        )
    }  # fmt: skip
    seen = None if presence is None else {"presenceDefinition": {"id": "p", "systemPresence": presence}}
    return {
        "id": name, "name": name.title(), "joined": more.get("joined", True), "memberBy": "user",
        "routingStatus": None if status is None else {"userId": name, "status": status, "startTime": since},
        "user": {"id": name, "name": name.title(), "state": "active", "presence": seen, **rated},
    }  # fmt: skip


SALES = [
    member("ada", skills={"billing": 5, "tech": 3}, languages={"en": 5, "fr": 3}),
    member("bob", "INTERACTING"),
    member("cid", languages={"en": 2}),
    member("dan", "OFF_QUEUE", "Meal", skills={"tech": 2}),
    member("eve", "NOT_RESPONDING"),
    member("gil", joined=False),
]


class Platform:
    """Members by queue; may fail or hang; counts what it is asked."""

    def __init__(self, **queues):
        self.queues, self.error, self.n_asked, self.page_size = queues or {"sales": SALES}, None, 0, 100
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()
        self.breaker = SimpleNamespace(state="closed")

    def get(self, path, query=None, **path_params):
        assert path == "/api/v2/routing/queues/{queueId}/members"
        assert {"skills", "languages", "routingStatus", "presence"} <= set(query["expand"])
        self.n_asked += 1
        self.begun.set()
        assert self.go.wait(30)
        if self.error is not None:
            raise self.error
        if path_params["queueId"] not in self.queues:
            raise RequestRefused("GET ...: Genesys Cloud answered 404 not.found", status=404)
        members, first = self.queues[path_params["queueId"]], (query["pageNumber"] - 1) * self.page_size
        more = {"nextUri": "/next"} if first + self.page_size < len(members) else {}
        return {"entities": members[first : first + self.page_size], **more}

    def counted(self):
        return SimpleNamespace(requests=self.n_asked, retries=2)

    def close(self):
        pass


DOWN = PlatformUnavailable("GET /api/v2/...: no answer; wait and run again")


class Clock:
    """Seconds and time of day that go on when told to."""

    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s

    def now(self):
        return NOW + timedelta(seconds=self.s)


def queues_of(platform, **more):
    clock = more.pop("clock", None) or Clock()
    return LiveQueues(platform, clock=clock, now=clock.now, **more)


# --- reading members --------------------------------------------------------------------------------------------


def test_joined_members_come_with_their_names_levels_and_status():
    found = queues_of(Platform()).members("sales")
    assert found.members["agent_id"].to_list() == ["ada", "bob", "cid", "dan", "eve"]
    assert sorted(found.agents["agent_id"]) == found.members["agent_id"].to_list()
    ada = found.agents.sort("agent_id").to_dicts()[0]
    assert ada["skills"] == [{"name": "billing", "proficiency": 5.0}, {"name": "tech", "proficiency": 3.0}]
    assert [one["name"] for one in ada["languages"]] == ["en", "fr"]
    assert ada["idle_since"] == datetime(2025, 3, 1, 9, 58, tzinfo=UTC)
    assert (found.queue_id, found.read_at) == ("sales", NOW)


def test_all_pages_are_read_until_none_follows():
    platform = Platform(sales=[member(f"a{n:03}") for n in range(250)])
    assert queues_of(platform).members("sales").agents.height == 250
    assert platform.n_asked == 3


def test_a_read_holds_for_its_time_and_no_longer():
    platform, clock = Platform(), Clock()
    queues = queues_of(platform, clock=clock, cache_s=5)
    first = queues.members("sales")
    clock.s = 4.9
    assert queues.members("sales") is first
    clock.s = 5.0
    assert queues.members("sales").read_at == NOW + timedelta(seconds=5)
    assert platform.n_asked == 2


def test_those_who_ask_at_the_same_time_share_one_read_and_its_failure():
    for error in (None, DOWN):
        platform = Platform()
        platform.error = error
        platform.go.clear()
        queues = queues_of(platform, cache_s=0)
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(queues.members, "sales") for _ in range(6)]
            assert platform.begun.wait(10)
            wait_until(lambda pool=pool: pool._work_queue.qsize() == 0)
            time.sleep(0.05)  # for all to have reached the wait; fewer would be no failure
            platform.go.set()
            results = [one.exception(10) or one.result() for one in asked]
        assert platform.n_asked == 1
        assert len(set(map(id, results))) == 1


def wait_until(condition):
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.002)


def test_queues_do_not_wait_for_one_another():
    platform = Platform(sales=SALES, help=SALES)
    slow, get = threading.Event(), platform.get

    def one_hangs(path, query=None, **path_params):
        if path_params["queueId"] == "sales":
            assert slow.wait(30)
        return get(path, query, **path_params)

    platform.get = one_hangs
    queues = queues_of(platform)
    with ThreadPoolExecutor(2) as pool:
        hanging = pool.submit(queues.members, "sales")
        assert queues.members("help").agents.height == 5
        assert not hanging.done()
        slow.set()
        assert hanging.result(10).queue_id == "sales"


def test_the_last_good_read_is_known_after_a_failure_and_only_so_many_are():
    platform, clock = Platform(a=SALES, b=SALES, c=SALES), Clock()
    queues = queues_of(platform, clock=clock, cache_s=0, most_kept=2)
    for name in ("a", "b"):
        queues.members(name)
    platform.error, clock.s = DOWN, 60
    assert queues.failing_since is None
    with pytest.raises(PlatformUnavailable):
        queues.members("b")
    clock.s = 90
    with pytest.raises(PlatformUnavailable):
        queues.members("a")
    assert queues.failing_since == NOW + timedelta(seconds=60)
    assert queues.known("b").read_at == NOW
    platform.error = None
    queues.members("c")
    assert queues.failing_since is None
    assert (queues.known("a"), queues.known("b").queue_id, queues.known("c").queue_id) == (None, "b", "c")


def test_a_queue_that_the_platform_does_not_have_is_not_a_failure_and_is_forgotten():
    platform = Platform()
    queues = queues_of(platform, cache_s=0)
    queues.members("sales")
    platform.queues = {}
    with pytest.raises(UnknownName, match="queue 'sales' is not on the platform"):
        queues.members("sales")
    assert queues.known("sales") is None
    assert queues.failing_since is None


@pytest.mark.parametrize("name", ["../users", "a/b", "a?b", "", "ä", "a b", "-a", "a" * 101])
def test_what_cannot_be_an_id_is_never_asked(name):
    platform = Platform()
    with pytest.raises(UnknownName, match="letters, digits and hyphens"):
        queues_of(platform).members(name)
    assert platform.n_asked == 0


def test_endless_and_slow_listings_are_given_up():
    platform, clock = Platform(sales=[member(f"a{n}") for n in range(MOST_PAGES + 5)]), Clock()
    platform.page_size = 1
    with pytest.raises(PlatformUnavailable, match="more than 60 pages"):
        queues_of(platform).members("sales")
    assert platform.n_asked == MOST_PAGES + 1
    get = platform.get

    def slow(*given, **named):
        clock.s += 4
        return get(*given, **named)

    platform.get, platform.n_asked = slow, 0
    with pytest.raises(PlatformUnavailable, match=r"took 12\.0 s, longer than 10 s"):
        queues_of(platform, clock=clock).members("sales")
    assert platform.n_asked == 3


# --- who is available -------------------------------------------------------------------------------------------

presences = st.sampled_from(["On Queue", "OnQueue", "ON_QUEUE", "Available", "Meal", "Offline", None])


@given(st.lists(st.tuples(st.sampled_from([*STATUSES, None]), presences, st.booleans()), max_size=12), st.booleans())
def test_available_are_joined_on_queue_and_of_a_chosen_status_and_all_are_counted(rows, is_wide):
    statuses = {"idle", "interacting", "communicating"} if is_wide else {"idle"}
    entities = [member(f"a{n}", *row[:2], joined=row[2]) for n, row in enumerate(rows)]
    staff = staff_of(live_queue("q", NOW, entities), statuses)
    found = {agent for agent, place in staff.place.items() if staff.available[place]}
    on_queue = {"On Queue", "OnQueue", "ON_QUEUE"}
    wanted = {
        f"a{n}" for n, (status, presence, joined) in enumerate(rows)
        if joined and presence in on_queue and status and status.lower() in statuses
    }  # fmt: skip
    assert found == wanted
    joined = [row for row in rows if row[2]]
    assert sum(staff.by_status.values()) == staff.n_members == len(joined)
    assert staff.by_status.get("unknown", 0) == sum(None in row[:2] for row in joined)
    assert staff.by_status.get("idle", 0) == sum(row[0] == "IDLE" and row[1] in on_queue for row in joined)


# --- answers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def platform(monkeypatch):
    found = Platform()
    monkeypatch.setattr("ingest.genesys.live.live_client", lambda credentials, open_s: found)
    return found


@pytest.fixture
def client(tmp_path, platform):
    write_centre(tmp_path)
    return client_of(tmp_path, live_cache_s=0.0, **PLATFORM)


def live(client, **changed):
    return answered(client, live=True, **changed)


def ids(content):
    return [agent["id"] for agent in content["ranked_agents"]]


def test_a_live_answer_ranks_who_is_available_now(client, platform):
    content = live(client)
    assert content["source"] == "live"
    assert ids(content) == ["ada", "cid"]
    # ada: (5 / 5) x 0.4 + 0.3 + 0.75 x 0.3 from the snapshot's surveys; cid: 0.8 x 0.4 + 0.3 + 0.5 x 0.3.
    assert [agent["score"] for agent in content["ranked_agents"]] == [0.925, 0.77]
    assert content["top_agent"] == {"id": "ada", "name": "Ada", "score": 0.925}
    assert content["live"].keys() == {"read_at", "age_s", "members", "available", "by_status"}
    assert (content["live"]["members"], content["live"]["available"]) == (5, 2)
    assert content["live"]["by_status"] == {"idle": 2, "interacting": 1, "not_responding": 1, "off_queue": 1}
    assert 0 <= content["live"]["age_s"] < 60
    assert "degraded" not in content
    assert any("1 of 2 candidates have no survey" in text for text in content["warnings"])
    # Fairness and the snapshot are those of the plain answer.
    plain = answered(client)
    assert plain["source"] == "snapshot"
    assert content["fairness_metrics"] == plain["fairness_metrics"]
    assert content["snapshot"]["sha256"] == plain["snapshot"]["sha256"]
    assert content["weights_used"] == plain["weights_used"]


def test_the_scores_are_those_of_a_snapshot_with_the_same_agents(client, tmp_path, platform):
    """Everybody idle, skills as recorded: the platform changes who is asked for, never what a score is."""
    platform.queues["sales"] = [
        member("ada", skills={"billing": 5, "tech": 3}, languages={"en": 5, "fr": 3}),
        member("bob", skills={"billing": 4}, languages={"en": 5}),
        member("cid", skills={"billing": 4}, languages={"en": 2}),
        member("dan", skills={"tech": 2}, languages={"fr": 4}),
    ]
    for one in ({}, {"required_language": "fr"}, {"required": ["skills"]}, {"current_performance": 0.5}):
        changed = {"weights": {"min_score_threshold": 0.2}, **one}
        plain, now = answered(client, **changed), live(client, **changed)
        assert {a["id"]: a["score"] for a in now["ranked_agents"]} == {
            a["id"]: a["score"] for a in plain["ranked_agents"]
        }
        assert now["weights_used"] == plain["weights_used"]


def test_busy_agents_count_where_the_setting_says_so(tmp_path, platform):
    write_centre(tmp_path)
    client = client_of(tmp_path, live_statuses="idle,interacting,communicating", **PLATFORM)
    assert ids(live(client)) == ["ada", "cid", "bob"]


def test_equal_scores_go_to_the_older_status_which_is_said_not_to_be_the_idle_clock(client, platform):
    platform.queues["sales"] = [
        member("bob", since="2025-03-01T09:59:00.000Z"), member("cid", since="2025-03-01T09:00:00.000Z")
    ]  # fmt: skip
    content = live(client)
    assert ids(content) == ["cid", "bob"]
    assert STATUS_NOT_IDLE in content["warnings"]
    platform.queues["sales"] = SALES
    assert STATUS_NOT_IDLE not in live(client)["warnings"]


def test_explain_says_of_everybody_who_is_not_ranked_what_they_do(client):
    rows = {row["agent_id"]: row for row in live(client, explain=True)["explanation"]}
    assert rows.keys() == {"ada", "bob", "cid", "dan", "eve"}
    assert rows["ada"]["reason"] == "chosen"
    assert rows["bob"]["reason"] == "not available: interacting"
    assert rows["dan"]["reason"] == "not available: off_queue"
    assert rows["dan"]["place"] is None


def test_nobody_available_is_refused_with_counts(client, platform):
    platform.queues = {"sales": [member("bob", "INTERACTING"), member("dan", "OFF_QUEUE", "Meal")], "empty": []}
    detail = refusal(post(client, live=True), 422)
    assert "nobody of queue 'sales' is available now: of 2 members 1 interacting, 1 off_queue" in detail
    assert "nobody is joined to it" in refusal(post(client, live=True, queue_id="empty"), 422)


def test_what_cannot_be_answered_is_refused_as_it_is_from_a_snapshot(client):
    found = post(client, live=True, required_skill="biling")
    assert "no agent of queue 'sales' on the platform has the skill 'biling'; did you mean" in refusal(found, 422)
    assert found.json()["title"] == "Unknown skill"
    assert "has the language 'de'" in refusal(post(client, live=True, required_language="de"), 422)
    far = post(client, live=True, weights={"min_score_threshold": 3})
    assert "no available agent of queue 'sales' reached the threshold 3" in refusal(far, 422)
    hard = post(client, live=True, required_skill="billing", required_language="fr", required=["language", "skills"])
    assert hard.json()["top_agent"]["id"] == "ada"
    assert "lies before" in refusal(post(client, live=True, end_date="2024-03-01"), 422)
    assert "did you mean 'centre'" in refusal(post(client, live=True, snapshot="center"), 404)


def test_a_queue_that_the_platform_does_not_know_is_named_with_the_nearest(client, platform):
    detail = refusal(post(client, live=True, queue_id="salles"), 404)
    assert "queue 'salles' is not on the platform" in detail
    assert "did you mean 'sales' (Sales) of snapshot 'centre'?" in detail.replace("'sales' of", "'sales' (Sales) of")
    platform.queues = {}
    assert "did you mean 'help' (Help)" in refusal(post(client, live=True, queue_id="Help"), 404)


def test_without_a_snapshot_it_still_answers_and_says_what_is_missing(tmp_path, platform):
    client = client_of(tmp_path, **PLATFORM)
    content = live(client)
    assert (content["snapshot"], content["fairness_metrics"]) == (None, None)
    assert content["ranked_agents"][0]["score"] == 0.4 + 0.3 + 0.3 * 0.5
    said = " ".join(content["warnings"])
    assert "no snapshot tells of satisfaction, so its term is 0.5 for everybody" in said
    assert "fairness_metrics is null: there is no snapshot to read" in said


def test_a_queue_that_the_snapshot_does_not_have_gets_no_fairness(client, platform):
    platform.queues["new"] = SALES
    content = live(client, queue_id="new")
    assert content["fairness_metrics"] is None
    assert "fairness_metrics is null: snapshot 'centre' has no agents of queue 'new'" in content["warnings"]
    assert content["top_agent"]["score"] == 0.925  # surveys count all the same


def test_made_up_surveys_are_said_to_be_so(tmp_path, platform):
    write_centre(tmp_path, made_up=True)
    assert any("made up" in text for text in live(client_of(tmp_path, **PLATFORM))["warnings"])


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["IDLE", "On Queue", "a1", 7, 9.5]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "name", "joined", "routingStatus", "status", "startTime", "user", "presence", "presenceDefinition",
             "systemPresence", "skills", "languages", "proficiency", "state", "ringNumber"]
        ),
        inner, max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(entities=st.lists(JUNK, max_size=4))
def test_whatever_the_platform_lists_the_service_answers_as_it_says(tmp_path_factory, entities):
    platform = Platform(sales=[*entities, member("ada")])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ingest.genesys.live.live_client", lambda credentials, open_s: platform)
        content = live(client_of(tmp_path_factory.mktemp("store"), **PLATFORM), required_skill="billing")
    assert content["source"] == "live"
    assert "ada" in ids(content)
    assert sum(content["live"]["by_status"].values()) == content["live"]["members"]


# --- standing in ------------------------------------------------------------------------------------------------

FAILURES = [DOWN, AccessRefused("401", status=401), RequestRefused("GET ...: 405", status=405)]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_while_the_platform_fails_the_snapshot_answers_and_says_so(client, platform, error):
    live(client)
    platform.error = error
    content, plain = live(client), answered(client)
    assert content["source"] == "snapshot"
    assert content["degraded"]["reason"] == str(error)
    assert datetime.fromisoformat(content["degraded"]["since"]) <= datetime.now(UTC)
    assert content["snapshot"]["age_s"] >= 0
    for name in ("top_agent", "ranked_agents", "fairness_metrics", "weights_used", "warnings", "headline"):
        assert content[name] == plain[name]
    assert "degraded" not in plain
    platform.error = None
    assert "degraded" not in live(client)


def test_a_refusal_of_the_snapshot_says_why_it_was_asked(client, platform):
    platform.error = DOWN
    detail = refusal(post(client, live=True, required_skill="biling"), 422)
    assert "did you mean 'billing'? (asked of snapshot 'centre', because the platform cannot be asked: GET" in detail


def test_without_a_snapshot_the_members_last_read_take_turns(client, platform, tmp_path):
    live(client)
    platform.error = DOWN
    shutil.rmtree(tmp_path / "centre")
    firsts = []
    for _ in range(7):
        content = live(client, top=3)
        assert content["source"] == "fallback"
        assert content["degraded"]["reason"] == str(DOWN)
        assert (content["snapshot"], content["fairness_metrics"], content["weights_used"]) == (None, None, None)
        assert content["live"]["members"] == 5
        assert [agent["score"] for agent in content["ranked_agents"]] == [None] * 3
        assert content["ranked_agents"][0] == content["top_agent"]
        firsts.append(content["top_agent"]["id"])
    assert firsts == ["ada", "bob", "cid", "dan", "eve", "ada", "bob"]
    # Hard filters hold; names that nobody has are refused; other queues have turns of their own.
    assert {live(client, required_skill="tech", required=["skills"])["top_agent"]["id"] for _ in range(4)} == {
        "ada",
        "dan",
    }
    assert "has the skill 'x'" in refusal(post(client, live=True, required_skill="x"), 422)
    both = {"required_skill": "tech", "required_language": "fr", "weights": {"min_score_threshold": 0.0}}
    platform.error = None
    platform.queues["sales"] = [member("ada", skills={"tech": 3}), member("dan", languages={"fr": 3})]
    assert live(client, **both)["source"] == "live"
    platform.error = DOWN
    found = post(client, live=True, **both, required=["skills", "language"])
    assert "no known member of queue 'sales' passes the hard filter" in refusal(found, 422)


def test_a_snapshot_without_the_queue_does_not_answer_for_it(client, platform):
    platform.queues["new"] = SALES
    live(client, queue_id="new")
    platform.error = DOWN
    content = live(client, queue_id="new", explain=True)
    assert content["source"] == "fallback"
    assert "snapshot 'centre' has no agents of queue 'new'" in " ".join(content["warnings"])
    assert "explain has nothing to tell" in " ".join(content["warnings"])


def test_with_nothing_known_at_all_it_is_said_that_there_is_no_answer(tmp_path, platform):
    platform.error = DOWN
    client = client_of(tmp_path, **PLATFORM)
    found = post(client, live=True)
    detail = refusal(found, 503)
    assert found.json()["title"] == "Platform cannot be asked"
    assert found.headers["retry-after"]
    for part in (str(DOWN), "there is no snapshot to read", "has never been read", "try again later"):
        assert part in detail


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_each_queue_has_turns_of_its_own(asked):
    turns = Turns()
    found = [(queue, turns.take(queue)) for queue in asked]
    for queue in set(asked):
        mine = [turn for name, turn in found if name == queue]
        assert mine == list(range(len(mine)))


# --- who may be asked -------------------------------------------------------------------------------------------


def test_without_credentials_live_is_refused_with_the_way_out(tmp_path):
    write_centre(tmp_path)
    found = post(client_of(tmp_path), live=True)
    detail = refusal(found, 422)
    assert found.json()["title"] == "Missing input"
    assert "set GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET and GENESYS_REGION" in detail
    assert "leave live out" in detail


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"genesys_client_id": None}, "GENESYS_CLIENT_ID"),
        ({"genesys_client_secret": None}, "GENESYS_CLIENT_SECRET"),
        ({"genesys_base_url": None}, "GENESYS_REGION"),
        ({"genesys_base_url": None, "genesys_region": "eu_wset_1"}, "did you mean eu_west_1"),
    ],
)
def test_half_a_set_of_credentials_is_refused_by_name_and_plain_requests_go_on(tmp_path, changed, wanted):
    write_centre(tmp_path)
    client = client_of(tmp_path, **{**PLATFORM, **changed})
    found = post(client, live=True)
    assert wanted in refusal(found, 422)
    assert SECRET not in found.text
    assert answered(client)["source"] == "snapshot"


def test_packages_that_are_not_installed_are_named(tmp_path, monkeypatch):
    write_centre(tmp_path)
    monkeypatch.setattr("ingest.platform.sdk._NEEDED", ("no_such_package",))
    detail = refusal(post(client_of(tmp_path, **PLATFORM), live=True), 422)
    assert "pip install 'routelab[genesys]'" in detail


def test_a_platform_that_hangs_keeps_nobody_else_waiting(tmp_path, platform):
    write_centre(tmp_path)
    platform.go.clear()
    app = app_of(tmp_path, live_threads=2, routing_threads=1, **PLATFORM)

    async def scenario():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
            hanging = [
                asyncio.create_task(client.post("/simulate/routing", json=BODY | {"live": True})) for _ in "1234"
            ]
            await asyncio.to_thread(platform.begun.wait, 30)
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await client.get(path)).status_code == 200
            for _ in range(3):
                plain = await client.post("/simulate/routing", json=BODY)
                assert plain.json()["source"] == "snapshot"
            assert not any(one.done() for one in hanging)
            platform.go.set()
            return [(await one).json()["source"] for one in hanging]

    assert asyncio.run(scenario()) == ["live"] * 4


def test_the_page_shows_a_live_request_that_is_answered_where_a_platform_is_set(client, tmp_path):
    assert 'id="live"' in client.get("/docs").text
    for asks, status in ((client, 200), (client_of(tmp_path), 422)):
        worked = {example.name: example for example in asks.app.state.service._examples()}
        assert worked["live"].status == status
        assert asks.post("/simulate/routing", json=worked["live"].body).status_code == status
        assert ("live" in shown_examples(asks)) == (status == 200)
        for name in ("source", "degraded", "503"):
            assert name in worked["live"].about


def shown_examples(client):
    taken = client.get("/openapi.json").json()["paths"]["/simulate/routing"]["post"]["requestBody"]
    return taken["content"]["application/json"]["examples"]


def test_starting_up_loads_what_live_requests_take_and_says_what_is_wrong(tmp_path, monkeypatch, caplog):
    loaded = threading.Event()
    monkeypatch.setattr("ingest.platform.sdk.load_sdk", loaded.set)
    with client_of(tmp_path, **PLATFORM) as client:
        assert loaded.wait(10)
        assert client.get("/healthz").status_code == 200
    with caplog.at_level("WARNING"), client_of(tmp_path, **{**PLATFORM, "genesys_client_secret": None}):
        wait_until(lambda: "live requests will be refused" in caplog.text)
    assert "GENESYS_CLIENT_SECRET" in caplog.text


# --- through a real connection ----------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Gives tokens and members, or 500 for everything; counts requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.is_down, self.asked = False, []


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "t1", "token_type": "bearer", "expires_in": 86399})

    def do_GET(self):
        self._answer({"entities": SALES, "pageSize": 100, "pageNumber": 1})

    def _answer(self, content):
        self.server.asked.append(self.path)
        body = json.dumps({"code": "internal"} if self.server.is_down else content).encode()
        self.send_response(500 if self.server.is_down else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given):
        pass


@contextmanager
def serving():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def fastest(client):
    """Answer and time of the fastest of some requests; others use this machine too. [s]"""
    found = []
    for _ in range(5):
        started = time.perf_counter()
        content = live(client)
        found.append((time.perf_counter() - started, content))
    spent_s, content = min(found, key=lambda one: one[0])
    return content, spent_s


def test_a_platform_that_is_down_is_left_alone_and_found_again(tmp_path):
    """Live; then degraded after some failures; then at once and unasked; then one probe; then live again."""
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    write_centre(tmp_path)
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        client = client_of(tmp_path, live_cache_s=0.0, live_open_s=30.0, **PLATFORM | {"genesys_base_url": url})
        content = live(client)
        assert (content["source"], ids(content)) == ("live", ["ada", "cid"])
        assert "/oauth/token" in server.asked
        assert any(path.startswith("/api/v2/routing/queues/sales/members?") for path in server.asked)
        clock, breaker = Clock(), client.app.state.service.connection._client.breaker
        breaker._clock = clock

        server.is_down = True
        while breaker.state == "closed":
            content = live(client)
            assert content["source"] == "snapshot"
            assert "500" in content["degraded"]["reason"]
        n_asked = len(server.asked)
        # Until the very end of its time nobody waits for it, and nobody asks.
        for clock.s in (0.0, 29.9):
            content, spent_s = fastest(client)
            assert (content["source"], len(server.asked)) == ("snapshot", n_asked)
            assert "not asked" in content["degraded"]["reason"]
            assert spent_s < 0.05
        text = client.get("/metrics").text
        assert 'routelab_platform_breaker{state="open"} 1.0' in text
        assert 'routelab_routing_answers_total{asked="live",source="live"} 1.0' in text
        assert f"routelab_platform_requests_total {float(n_asked)}" in text

        # After its time one request tries, and its failure closes the door for the others again.
        clock.s = 30.0
        fastest(client)
        assert len(server.asked) == n_asked + 1
        server.is_down, clock.s = False, 60.0
        assert live(client)["source"] == "live"
        assert SECRET not in text


def test_an_allowance_that_is_used_up_is_not_waited_for():
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        client = live_client(Credentials.of("an-id", SECRET, url), 30.0)
        client.limiter.pause(3.0)
        with pytest.raises(PlatformUnavailable, match="limit on requests a minute is used up"):
            LiveQueues(client).members("sales")
        assert (server.asked, client.breaker.state) == ([], "closed")


def test_a_platform_that_is_gone_is_named_in_words(tmp_path):
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    write_centre(tmp_path)
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
    content = live(client_of(tmp_path, **PLATFORM | {"genesys_base_url": url}))
    assert content["source"] == "snapshot"
    assert "127.0.0.1" in content["degraded"]["reason"]
    assert SECRET not in json.dumps(content)


def test_the_double_of_the_platform_is_ranked_live_and_its_members_take_turns_when_it_stops(tmp_path):
    pytest.importorskip("PureCloudPlatformClientV2", reason="the Genesys packages are not installed")
    from ingest.double import Double, Faults, organisation

    # Short pages, a status of null and one that nobody knows: the listing is read to its end all the same.
    odd = [("members", number, fault) for number, fault in enumerate(("short_page", "null_enum", "unknown_enum"), 1)]
    with Double(organisation(agents=30, days=1, queues=2, interactions=100), faults=Faults(odd)) as double:
        settings = {"genesys_client_id": "demo", "genesys_client_secret": "demo", "genesys_base_url": double.url}
        client = client_of(tmp_path, live_cache_s=0.0, **settings)
        queue_id = next(iter(client.app.state.service.connection.queues()._reader.get(QUEUES)["entities"]))["id"]
        asked = {"queue_id": queue_id, "required_skill": None, "required_language": None, "top": 100}
        read = [live(client, **asked) for _ in range(4)]
        assert {content["source"] for content in read} == {"live"}
        assert len({content["live"]["members"] for content in read}) == 1
        whole = read[-1]
        assert whole["live"]["available"] == len(whole["ranked_agents"]) == whole["live"]["by_status"]["idle"]
        assert sum(whole["live"]["by_status"].values()) == whole["live"]["members"]
    firsts = [live(client, **asked) for _ in range(whole["live"]["members"])]
    assert {content["source"] for content in firsts} == {"fallback"}
    assert len({content["top_agent"]["id"] for content in firsts}) == whole["live"]["members"]
    assert {agent["id"] for agent in whole["ranked_agents"]} <= {content["top_agent"]["id"] for content in firsts}
