"""One running service: its settings, its snapshots and its threads; requests in, bytes out."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import orjson
from fastapi import FastAPI

from api.batch import Limits, answer_batch
from api.body import parse_json
from api.checks import check_body
from api.docs.description import base_description, with_examples
from api.docs.examples import SAMPLE, Example, Names, examples, names_of
from api.docs.page import docs_page
from api.listing import about, listing, used
from api.models import BatchRequest, RoutingRequest
from api.once import Once
from api.open_snapshots import OpenSnapshots
from api.routing import Routing
from api.settings import Settings
from api.threads import Threads
from engine.errors import RoutingError


class Service:
    """What the routes of one application share.

    Parameters
    ----------
    settings : Settings
        Of this service.
    app : FastAPI
        The application, for its description.
    """

    def __init__(self, settings: Settings, app: FastAPI) -> None:
        self.settings, self._app = settings, app
        self.snapshots = OpenSnapshots(settings.store, settings.open_snapshots)
        # Batches take long: they have threads of their own, so that single requests need not wait for them.
        self.quick = Threads("routing", settings.routing_threads, settings.max_waiting)
        self.heavy = Threads("batch", settings.batch_threads, settings.max_waiting)
        self._routing = Routing(self.snapshots, settings.kept_fairness)
        self._limits = Limits(settings.max_interactions, settings.max_outcomes)
        self._names: Once[Names] = Once(settings.open_snapshots)

    def route(self, body: bytes) -> bytes:
        """The answer to a routing request."""
        return self._routing.answer(check_body(RoutingRequest, parse_json(body)))

    def batch(self, body: bytes) -> bytes:
        """The answer to a batch."""
        return answer_batch(self.snapshots, check_body(BatchRequest, parse_json(body)), self._limits)

    def list_snapshots(self) -> bytes:
        """All snapshots."""
        return orjson.dumps(listing(self.snapshots))

    def show_snapshot(self, name: str) -> bytes:
        """One snapshot."""
        return orjson.dumps(about(self.snapshots.get(name)))

    def ready(self) -> bytes:
        """That the newest snapshot can be read; opening it now saves the first request the wait."""
        return orjson.dumps({"status": "ready", "snapshot": used(self.snapshots.get())})

    def describe(self) -> bytes:
        """The OpenAPI description."""
        return orjson.dumps(with_examples(self._description, self._examples()))

    def docs(self, base_url: str) -> bytes:
        """The page of documentation."""
        return docs_page(self._description, self._examples(), base_url).encode()

    def close(self) -> None:
        """Take nothing more."""
        self.quick.close()
        self.heavy.close()

    @cached_property
    def _description(self) -> dict[str, Any]:
        return base_description(self._app)

    def _examples(self) -> list[Example]:
        try:
            data = self.snapshots.get()
            return examples(self._names.get(data.manifest.id, lambda: names_of(data)))
        except RoutingError:
            # Without a readable snapshot the examples show their shape at least.
            return examples(SAMPLE)
