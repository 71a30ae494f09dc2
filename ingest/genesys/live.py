"""Members of a queue as the platform has them now: read once for all who ask, kept for some seconds, remembered."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from engine.errors import UnknownName
from engine.stopping import awaited, checked, was_stopped
from ingest.genesys.objects.people import EXPAND, parse_agents, parse_members
from ingest.genesys.objects.values import record, text
from ingest.platform.breaker import Breaker
from ingest.platform.errors import PlatformError, PlatformUnavailable, RequestRefused
from ingest.platform.limiter import Limiter
from ingest.platform.pages import Reader, pages

if TYPE_CHECKING:
    from ingest.platform.client import Client
    from ingest.platform.credentials import Credentials

PATH = "/api/v2/routing/queues/{queueId}/members"
# A queue has 5,000 members at most (help centre), which are 50 full pages.
MOST_PAGES = 60
LONGEST_S = 10.0
MOST_KEPT = 500
CONNECT_S, READ_S = 2.0, 4.0
ATTEMPTS, PATIENCE_S, WAIT_S = 2, 1.0, 0.25
# Both attempts of one request, and the first of the next.
FAILURES = 3
# For a place of the allowance; eight who ask without a pause wait 1.6 s each.
PLACE_S = 2.0
# The id becomes a part of an address. The platform's ids are UUIDs; others are not asked for.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NOT_THERE = (400, 404)


def live_client(credentials: Credentials, open_s: float) -> Client:
    """A client for those who wait for an answer: short time-outs, little patience, and a breaker.

    Parameters
    ----------
    credentials : Credentials
        Who we are, and where.
    open_s : float
        How long a platform that failed is left alone. [s]

    Returns
    -------
    Client
        Nothing is sent yet.

    Raises
    ------
    MissingInput
        If the platform's packages are not installed.
    """
    from ingest.platform.client import Client
    from ingest.platform.network import Timeouts
    from ingest.platform.retry import Patience

    return Client(
        credentials,
        timeouts=Timeouts(connect_s=CONNECT_S, read_s=READ_S),
        patience=Patience(attempts=ATTEMPTS, total_s=PATIENCE_S, cap_s=PATIENCE_S, base_s=WAIT_S),
        limiter=Limiter(longest_s=PLACE_S),
        breaker=Breaker(FAILURES, open_s, is_final=True),
    )


@dataclass(frozen=True)
class LiveQueue:
    """Who is joined to a queue, as the platform told.

    Parameters
    ----------
    queue_id : str
        Id of the queue.
    read_at : datetime.datetime
        When the reading began. [UTC]
    agents : polars.DataFrame
        The table of that name; `idle_since` is the start of the routing status, which is not the ACD idle
        clock: the platform does not tell that.
    members : polars.DataFrame
        The table of that name, joined members only.
    left_out : dict
        What was left out or repaired, counted by reason.
    """

    queue_id: str
    read_at: datetime
    agents: pl.DataFrame
    members: pl.DataFrame
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """A good read and the reading of the clock when it began. [s]"""

    queue: LiveQueue
    began_s: float


class LiveQueues:
    """Reads members of queues; those who ask for the same queue at the same time share one read.

    Parameters
    ----------
    reader : Reader
        A connection with short time-outs: whoever asks waits.
    cache_s : float
        How long a read holds. [s]
    longest_s : float
        A read that is not done by then is given up at its next page. [s]
    most_kept : int
        Queues whose last good read is remembered; the one not asked for longest leaves first. [count]
    clock : callable
        Seconds that never go back.
    now : callable
        The time of day. [UTC]
    """

    def __init__(
        self,
        reader: Reader,
        *,
        cache_s: float = 5.0,
        longest_s: float = LONGEST_S,
        most_kept: int = MOST_KEPT,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._reader, self._cache_s, self._longest_s, self._most = reader, cache_s, longest_s, most_kept
        self._clock, self._now = clock, now
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._under_way: dict[str, Future[LiveQueue]] = {}
        self._failing_since: datetime | None = None

    @property
    def failing_since(self) -> datetime | None:
        """First failure since the platform last answered; None while it answers."""
        return self._failing_since

    def members(self, queue_id: str) -> LiveQueue:
        """Who is joined to a queue, not older than the time for which reads hold.

        Parameters
        ----------
        queue_id : str
            Id of the queue.

        Returns
        -------
        LiveQueue
            The same object for all who share a read.

        Raises
        ------
        UnknownName
            If the platform has no such queue.
        PlatformError
            If the platform cannot be asked, or not in time.
        """
        if not _ID.fullmatch(queue_id):
            raise UnknownName(f"queue {queue_id!r} is not on the platform: its ids are letters, digits and hyphens")
        while True:
            with self._lock:
                kept = self._kept.get(queue_id)
                if kept is not None and self._clock() - kept.began_s < self._cache_s:
                    self._kept.move_to_end(queue_id)
                    return kept.queue
                under_way = self._under_way.get(queue_id)
                is_first = under_way is None
                if under_way is None:
                    under_way = self._under_way[queue_id] = Future()
            if is_first:
                self._share(queue_id, under_way)
                return under_way.result()
            # Where the first is stopped, one of the others reads: they want it still.
            if not was_stopped(awaited(under_way)):
                return under_way.result()

    def known(self, queue_id: str) -> LiveQueue | None:
        """The last good read of a queue, however old.

        Parameters
        ----------
        queue_id : str
            Id of the queue.

        Returns
        -------
        LiveQueue or None
            None where there never was one, or it is forgotten.
        """
        with self._lock:
            kept = self._kept.get(queue_id)
            return None if kept is None else kept.queue

    def _share(self, queue_id: str, under_way: Future[LiveQueue]) -> None:
        """Read, and tell all who wait, whatever comes of it."""
        try:
            found = self._remembered(queue_id, self._asked(queue_id))
        # Those who wait must not wait for ever.
        except BaseException as error:  # noqa: BLE001
            self._forget(queue_id)
            under_way.set_exception(error)
        else:
            self._forget(queue_id)
            under_way.set_result(found)

    def _forget(self, queue_id: str) -> None:
        # Before they are told, so that whoever begins anew does not find this one again.
        with self._lock:
            del self._under_way[queue_id]

    def _remembered(self, queue_id: str, found: _Kept) -> LiveQueue:
        with self._lock:
            self._failing_since = None
            self._kept[queue_id] = found
            self._kept.move_to_end(queue_id)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found.queue

    def _asked(self, queue_id: str) -> _Kept:
        began_s, read_at = self._clock(), self._now()
        try:
            entities = [entity for page in self._pages(queue_id, began_s) for entity in page]
        except PlatformError as error:
            with self._lock:
                if not (isinstance(error, RequestRefused) and error.status in _NOT_THERE):
                    self._failing_since = self._failing_since or read_at
                    raise
                self._kept.pop(queue_id, None)
            raise UnknownName(f"queue {queue_id!r} is not on the platform ({error})") from error
        return _Kept(live_queue(queue_id, read_at, entities), began_s)

    def _pages(self, queue_id: str, began_s: float) -> Iterator[list[dict[str, Any]]]:
        """Pages of members; too many of them, or too slow ones, are given up."""
        read = checked(pages(self._reader, PATH, {"expand": EXPAND}, queueId=queue_id))
        for number, page in enumerate(read, start=1):
            spent_s = self._clock() - began_s
            if number > MOST_PAGES:
                raise PlatformUnavailable(
                    f"queue {queue_id!r} has more than {MOST_PAGES} pages of members, more than the platform allows a "
                    "queue; ask again later"
                )
            if spent_s > self._longest_s:
                raise PlatformUnavailable(
                    f"reading {number} pages of members of queue {queue_id!r} took {spent_s:.1f} s, longer than "
                    f"{self._longest_s:g} s; ask again later"
                )
            yield page


def live_queue(queue_id: str, read_at: datetime, entities: list[dict[str, Any]]) -> LiveQueue:
    """Members of a queue out of the entities of its member listing."""
    members, counts = parse_members(queue_id, entities)
    joined = members.filter("joined")
    users = _users(entities)
    # Names of skills and languages stand beside their ids.
    agents, more = parse_agents([users[agent] for agent in joined["agent_id"] if agent in users], {}, {}, {})
    return LiveQueue(queue_id, read_at, agents, joined, {**counts, **more})


def _users(entities: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Users by id; what the listing expands stands in the member or in its user."""
    found: dict[str, dict[str, Any]] = {}
    for member in map(record, entities):
        user = record(member.get("user"))
        agent = text(member.get("id")) or text(user.get("id"))
        if agent is not None:
            expanded = {name: member.get(name) for name in ("name", *EXPAND) if user.get(name) is None}
            found[agent] = {**user, **expanded, "id": agent}
    return found
