"""The OpenAPI description: routes say what they take and give, examples come from the snapshot served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import PlainTextResponse

from api.errors import PROBLEM_JSON, STATUS, Busy, Stopping
from api.http.docs.examples import Example
from api.http.messages.answers import (
    BatchAnswer,
    Health,
    ProblemAnswer,
    Readiness,
    RoutingAnswer,
    SnapshotAnswer,
    SnapshotList,
)
from api.http.messages.models import BatchRequest, RoutingRequest
from api.http.messages.shapes import model_of
from engine.errors import RoutingError
from engine.reports.compare import Comparison

REF = "#/components/schemas/{model}"
TAKEN = (RoutingRequest, BatchRequest)
GIVEN = (
    *map(model_of, (RoutingAnswer, BatchAnswer, Comparison, SnapshotList, SnapshotAnswer, Health, Readiness)),
    ProblemAnswer,
)
ABOUT = """Routes recorded interactions by a weighted score of skill, language and satisfaction, and measures how
fairly the work would be shared. In score mode nobody is ever busy: answers show preference, not workload. A replay
keeps agents busy and lets customers wait and leave: the same customers under today's rule and under another. A live
request ranks who is available now on Genesys Cloud; source and degraded say where its answer comes from."""


def described(
    summary: str,
    *answers: type,
    takes: type[BaseModel] | None = None,
    errors: Sequence[type[RoutingError]] = (),
    text: bool = False,
) -> dict[str, Any]:
    """What a route says of itself, as arguments of its decorator."""
    responses: dict[int | str, dict[str, Any]] = {}
    if answers:
        shown = [_schema(model_of(answer)) for answer in answers]
        schema = shown[0] if len(shown) == 1 else {"anyOf": shown}
        responses[200] = {"description": "The answer", "content": {"application/json": {"schema": schema}}}
    if text:
        responses[200] = {"description": "The answer"}
    for status, titles in _by_status([*errors, Busy, Stopping]).items():
        content = {PROBLEM_JSON: {"schema": _schema(ProblemAnswer)}}
        responses[status] = {"description": ", or ".join(titles), "content": content}
    body = {} if takes is None else {"application/json": {"schema": _schema(takes)}}
    extra = {"requestBody": {"required": True, "content": body}} if body else {}
    about = {"summary": summary, "responses": responses, "openapi_extra": extra, "response_model": None}
    return about | ({"response_class": PlainTextResponse} if text else {})


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REF.format(model=model.__name__)}


def _by_status(kinds: Iterable[type[RoutingError]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for kind in kinds:
        status, title = STATUS[kind]
        found.setdefault(status, []).append(title)
    return dict(sorted(found.items()))


def base_description(app: FastAPI) -> dict[str, Any]:
    """The description of all routes, without examples."""
    whole = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    models = [*((model, "validation") for model in TAKEN), *((model, "serialization") for model in GIVEN)]
    _, schemas = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]
    whole["components"] = {"schemas": schemas["$defs"]}
    return whole


def with_examples(base: dict[str, Any], worked: Sequence[Example]) -> dict[str, Any]:
    """The description with those examples that are answered."""
    whole = deepcopy(base)
    for example in worked:
        if example.status == 200:
            content = whole["paths"][example.path]["post"]["requestBody"]["content"]["application/json"]
            shown = {"summary": example.summary, "value": example.body}
            if example.about:
                shown["description"] = example.about
            content.setdefault("examples", {})[example.name] = shown
    return whole
