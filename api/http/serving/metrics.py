"""Counts and times of one service, as Prometheus reads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.serving.connection import Asked

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From an answer out of memory to a replay of months. [s]
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STATES = ("closed", "half-open", "open")
# Paths that lead nowhere share one label: anybody can make up more of them than a metric may have.
NOWHERE = "unknown"
# No answer has begun: the client had left, as most log it.
NOT_ANSWERED = "499"


class Metrics:
    """What one service counts; several can live side by side."""

    def __init__(self, snapshot_age_s: Callable[[], float | None], asked: Callable[[], Asked]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

        # Times of creation would double every series, and nobody asks for them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._snapshot_age_s, self._asked = snapshot_age_s, asked
        self._registry = own = CollectorRegistry()
        self._requests = Counter("routelab_requests", "Requests answered.", ["path", "status"], registry=own)
        self._seconds = Histogram(
            "routelab_request_seconds", "Time from request to answer.", ["path"], buckets=BUCKETS, registry=own
        )
        self._answers = Counter(
            "routelab_routing_answers", "Routing answers by where they came from.", ["source", "asked"], registry=own
        )
        self._interactions = Counter("routelab_batch_interactions", "Interactions routed in batches.", registry=own)
        own.register(self)

    def requested(self, path: str, status: str, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def routed(self, source: str, asked: str) -> None:
        """Count a routing answer: where it came from, and what was asked for (live or snapshot)."""
        self._answers.labels(source, asked).inc()

    def batch(self, n_interactions: int) -> None:
        """Count the interactions of a batch."""
        self._interactions.inc(n_interactions)

    def text(self) -> bytes:
        """Everything counted so far, in the text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: what is read at the moment of asking must not be read when this registers."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What is read at the moment of asking."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        asked = self._asked()
        yield CounterMetricFamily("routelab_platform_requests", "Requests sent to the platform.", asked.requests)
        yield CounterMetricFamily("routelab_platform_retries", "Those of them that repeat one.", asked.retries)
        breaker = GaugeMetricFamily(
            "routelab_platform_breaker", "1 for the state of the breaker before the platform.", labels=["state"]
        )
        for state in STATES:
            breaker.add_metric([state], state == asked.breaker)
        yield breaker
        age_s = self._snapshot_age_s()
        if age_s is not None:
            yield GaugeMetricFamily("routelab_snapshot_age_seconds", "Age of the newest snapshot.", age_s)


class Meter:
    """The outermost layer: counts every request by the route it took."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, root = NOT_ANSWERED, scope.get("root_path", "")
        started = time.perf_counter()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            self._metrics.requested(_template(scope, root), status, time.perf_counter() - started)


def _template(scope: Scope, root: str) -> str:
    """The path of the route that was taken, with its parameters' names in braces; of files the folder alone."""
    route = scope.get("route")
    folder = scope.get("root_path", "").removeprefix(root)
    return str(getattr(route, "path", None) or folder or NOWHERE)
