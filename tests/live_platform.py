"""A platform of two lines for live requests: members by queue, and what is asked of them."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from ingest.genesys.live import LiveQueues
from ingest.platform.errors import PlatformUnavailable, RequestRefused
from tests.small_service import answered

NOW = datetime(2025, 3, 1, 10, tzinfo=UTC)
SECRET = "hush-hush-never-shown"
QUEUES = "/api/v2/routing/queues"
PLATFORM = {
    "genesys_client_id": "an-id", "genesys_client_secret": SECRET, "genesys_base_url": "http://127.0.0.1:9"
}  # fmt: skip


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


def wait_until(condition):
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.002)


def live(client, **changed):
    return answered(client, live=True, **changed)


def ids(content):
    return [agent["id"] for agent in content["ranked_agents"]]
