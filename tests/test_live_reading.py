"""Members of a queue as the platform lists them now: all pages, one read for all, and who is available."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.answering.staff import staff_of
from engine.errors import UnknownName
from ingest.genesys.live import MOST_PAGES, live_queue
from ingest.platform.errors import PlatformUnavailable
from tests.live_platform import DOWN, NOW, SALES, Clock, Platform, member, queues_of, wait_until

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

STATUSES = ["IDLE", "INTERACTING", "COMMUNICATING", "NOT_RESPONDING", "OFF_QUEUE"]
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
