"""The paths of the service. Nothing here calculates: bodies are read, and threads do the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.errors import BodyTooLarge, InvalidBody, NoAnswer, NotReady, TooSlow, UnreadableBody, WrongMediaType
from api.http.connections.health import BODY as HEALTH
from api.http.docs.description import described
from api.http.messages.answers import BatchAnswer, Health, Readiness, RoutingAnswer, SnapshotAnswer, SnapshotList
from api.http.messages.body import FEWER_FIELDS, MOST_ROUTING_BYTES, read_body
from api.http.messages.models import BatchRequest, RoutingRequest
from api.http.service import Service
from api.http.serving.at_hand import NotAtHand
from api.http.serving.metrics import CONTENT_TYPE
from engine.errors import InvalidScenario, InvalidTable, MissingInput, NobodyEligible, UnknownName, UnknownSkill
from engine.reports.compare import Comparison

STATIC = Path(__file__).with_name("static")
# Nothing from other hosts, nothing inline.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
BODY_ERRORS = (
    UnreadableBody, WrongMediaType, TooSlow, BodyTooLarge, InvalidBody, InvalidScenario, UnknownName, NotReady,
)  # fmt: skip

# The store checks the name; the pattern is for readers.
SnapshotName = Annotated[
    str,
    InPath(description="Name of the snapshot.", json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}),
]

router = APIRouter()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


@router.post(
    "/simulate/routing",
    **described(
        "Rank the agents of a queue for one request",
        RoutingAnswer,
        takes=RoutingRequest,
        errors=(*BODY_ERRORS, UnknownSkill, NobodyEligible, MissingInput, NoAnswer),
    ),
)
async def simulate_routing(request: Request) -> Response:
    """Scores every member of the queue, live those who are available, and answers the best, with fairness."""
    service = _service(request)
    most_bytes = min(MOST_ROUTING_BYTES, service.settings.max_body_bytes)
    body = await read_body(request, most_bytes, remedy=FEWER_FIELDS)
    try:
        found = await service.at_hand.answer(service.route, body)
    except NotAtHand:
        found = await service.quick.run(request.receive, service.route, body)
    if isinstance(found, RoutingRequest):
        found = await service.live.run(request.receive, service.route_live, found)
    return _json(found)


@router.post(
    "/simulate/batch",
    **described(
        "Route a whole data set and report what came of it",
        BatchAnswer,
        Comparison,
        takes=BatchRequest,
        errors=(*BODY_ERRORS, InvalidTable, MissingInput),
    ),
)
async def simulate_batch(request: Request) -> Response:
    """Routes a snapshot or the interactions given, or replays a study; answers as report.json, or study.json."""
    service = _service(request)
    body = await read_body(request, service.settings.max_body_bytes)
    return _json(await service.heavy.run(request.receive, service.batch, body))


@router.get("/snapshots", **described("List the snapshots", SnapshotList))
async def snapshots(request: Request) -> Response:
    """All snapshots of the store, newest first; unreadable ones with the reason."""
    service = _service(request)
    return _json(await service.quick.run(request.receive, service.list_snapshots))


@router.get(
    "/snapshots/{name}",
    **described("Show a snapshot", SnapshotAnswer, errors=(UnknownName, InvalidScenario)),
)
async def snapshot(request: Request, name: SnapshotName) -> Response:
    """One snapshot, and the queues, skills and languages that requests may name."""
    service = _service(request)
    return _json(await service.quick.run(request.receive, service.show_snapshot, name))


@router.get("/healthz", **described("Whether the service is up", Health))
async def healthz() -> Response:
    """Always answers at once, however busy the engine is."""
    return _json(HEALTH)


@router.get("/readyz", **described("Whether the service can answer", Readiness, errors=(NotReady,)))
async def readyz(request: Request) -> Response:
    """Opens the newest snapshot; 503 says why it cannot."""
    service = _service(request)
    return _json(await service.quick.run(request.receive, service.ready))


@router.get("/metrics", **described("Counts and times for Prometheus", text=True))
async def metrics(request: Request) -> Response:
    """Requests by route and status with their times, sources of answers, the platform, and age of the snapshot."""
    service = _service(request)
    return Response(
        await service.quick.run(request.receive, service.metrics.text), headers={"Content-Type": CONTENT_TYPE}
    )


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The description of all routes."""
    service = _service(request)
    return _json(await service.quick.run(request.receive, service.describe))


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The page of documentation, with examples that run against the newest snapshot."""
    service = _service(request)
    page = await service.quick.run(request.receive, service.docs, str(request.base_url).rstrip("/"))
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": CONTENT_POLICY})


@router.get("/", include_in_schema=False)
async def start() -> Response:
    """To the documentation."""
    return RedirectResponse("/docs")
