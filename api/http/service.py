"""One running service: its settings, its snapshots and its threads; requests in, bytes out."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import orjson
from fastapi import FastAPI

from api.checks import check_body
from api.errors import NotReady
from api.http.answering.batch import answer_batch
from api.http.answering.limits import Limits
from api.http.answering.listing import about, listing, used
from api.http.answering.live import LiveRouting
from api.http.answering.routing import Routing
from api.http.docs.description import base_description, with_examples
from api.http.docs.examples import SAMPLE, Example, Names, examples, names_of
from api.http.docs.page import docs_page
from api.http.inline.rows import InlineRows
from api.http.messages.answers import Readiness
from api.http.messages.models import BatchRequest, RoutingRequest
from api.http.messages.parsing import parse_json
from api.http.serving.at_hand import AtHand, may_wait
from api.http.serving.connection import Connection
from api.http.serving.loading import load_engine
from api.http.serving.metrics import Metrics
from api.http.serving.once import Once
from api.http.serving.open_snapshots import OpenSnapshots, age_s
from api.http.serving.threads import Threads
from api.settings import MIB, Settings
from engine.errors import RoutingError
from engine.results import plain
from ingest.workers.memory import RESERVED_BY_THREADS, Memory, available

# The seven plain fields of a routing request take some 300. [byte]
FEW_BYTES = 8 * 1024

# Pages of documentation, of some snapshots under some addresses. [count]
KEPT_DOCS = 8


class Service:
    """What the routes of one application share."""

    def __init__(self, settings: Settings, app: FastAPI) -> None:
        self.settings, self._app = settings, app
        self.snapshots = OpenSnapshots(settings.store, settings.open_snapshots)
        self.at_hand = AtHand()
        # Batches take long: they have threads of their own, so that single requests need not wait for them.
        self.quick = Threads("routing", settings.routing_threads, settings.max_waiting)
        self.heavy = Threads("batch", settings.batch_threads, settings.max_waiting)
        # A platform that hangs holds up those who ask it, and nobody else.
        self.live = Threads("live", settings.live_threads, settings.max_waiting)
        self._loading = Threads("loading", 1, 1)
        self.connection = Connection(settings)
        self.metrics = Metrics(self._newest_age_s, self.connection.asked)
        self._routing = Routing(self.snapshots, settings.kept_fairness)
        self._live = LiveRouting(self.snapshots, self._routing, self.connection, settings.live_statuses)
        self._limits = Limits(settings.max_interactions, settings.max_outcomes, self._memory(settings))
        self._names: Once[Names] = Once(settings.open_snapshots)
        self._written: Once[bytes] = Once(KEPT_DOCS)

    def route(self, body: bytearray) -> bytes | RoutingRequest:
        """The answer to a routing request; a live one is only read, to be answered on a thread for it."""
        if len(body) > FEW_BYTES:
            may_wait()
        request = check_body(RoutingRequest, parse_json(body))
        if request.live:
            return request
        content = self._routing.answer(request)
        self.metrics.routed("snapshot", asked="snapshot")
        return content

    def route_live(self, request: RoutingRequest) -> bytes:
        """The answer to a live request."""
        content, source = self._live.answer(request)
        self.metrics.routed(source, asked="live")
        return content

    def batch(self, body: bytearray) -> bytes:
        """The answer to a batch."""
        rows = InlineRows(self._limits.interactions)
        content = parse_json(body, {"interactions": rows})
        body.clear()  # What it held is there in another form; a batch may take long.
        request = check_body(BatchRequest, content)
        return answer_batch(self.snapshots, request, self._limits, self.metrics.batch)

    def list_snapshots(self) -> bytes:
        """All snapshots."""
        return orjson.dumps(plain(listing(self.snapshots)))

    def show_snapshot(self, name: str) -> bytes:
        """One snapshot."""
        return orjson.dumps(about(self.snapshots.get(name)))

    def ready(self) -> bytes:
        """That the newest snapshot can be read; opening it now saves the first request the wait."""
        return orjson.dumps(plain(Readiness("ready", used(self.snapshots.get()))))

    def describe(self) -> bytes:
        """The OpenAPI description."""
        names = self._names_shown()
        return self._written.get(names, lambda: orjson.dumps(with_examples(self._description, self._examples(names))))

    def docs(self, base_url: str) -> bytes:
        """The page of documentation."""
        names = self._names_shown()
        return self._written.get(
            (names, base_url), lambda: docs_page(self._description, self._examples(names), base_url).encode()
        )

    async def warm(self) -> None:
        """Load what the first requests would wait for, while others are answered already."""
        await self._loading.run(None, load_engine)
        if self.settings.has_platform:
            await self.live.run(None, self.connection.warm)

    def close(self) -> None:
        """Stop what is under way; what waits never begins."""
        self.quick.close()
        self.heavy.close()
        self.live.close()
        self._loading.close()
        self.connection.close()

    @staticmethod
    def _memory(settings: Settings) -> Memory:
        most = None if settings.most_memory_mib is None else settings.most_memory_mib * MIB
        return Memory(most, partial(available, RESERVED_BY_THREADS))

    @cached_property
    def _description(self) -> dict[str, Any]:
        return base_description(self._app)

    def _examples(self, names: Names) -> list[Example]:
        return examples(names, asks_platform=self.settings.has_platform)

    def _names_shown(self) -> Names:
        try:
            data = self.snapshots.get()
            return self._names.get(data.manifest.id, lambda: names_of(data))
        except RoutingError:
            # Without a readable snapshot the examples show their shape at least.
            return SAMPLE

    def _newest_age_s(self) -> float | None:
        try:
            return age_s(self.snapshots.newest())
        except NotReady:
            return None
