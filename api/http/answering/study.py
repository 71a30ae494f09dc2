"""The answer to a study: scenarios side by side over a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from api.errors import InvalidBody, Problem
from api.http.answering.limits import Limits
from api.http.messages.models import BatchRequest
from api.http.serving.open_snapshots import OpenSnapshots
from engine.data.arrays import Arrays
from engine.levers import LEVERS
from engine.memory import of_comparison
from engine.reports.compare import compare
from engine.spec import Scenario, settings
from engine.study import FIXED, Comparing
from ingest.workers import runs_in

# What a request may say beside its scenarios.
BESIDE = {"snapshot", "scenario", "baseline", "from_", "to", "start_date", "end_date", "replications", "force"}


def answer_study(
    snapshots: OpenSnapshots, request: BatchRequest, limits: Limits, count: Callable[[int], object]
) -> bytes:
    """The content of study.json."""
    _check(request)
    wanted = request.study()
    data = snapshots.get(wanted.snapshot)
    arrays = data.arrays.days(wanted.first, wanted.last)
    scenarios = wanted.scenarios_on(arrays)
    with limits.held(of_comparison(scenarios, arrays), replan_s=_replan_s(request)):
        # All in a function of its own, so that nothing of it is left when memory is handed back.
        return _compared(request, wanted, scenarios, arrays, count)


def _compared(
    request: BatchRequest, wanted: Comparing, scenarios: Sequence[Scenario], arrays: Arrays,
    count: Callable[[int], object],
) -> bytes:  # fmt: skip
    # Read once for both ways of handling.
    arrays = arrays.holding(arrays.history())
    count(arrays.history().n * len(scenarios))
    found = compare(scenarios, arrays, names=wanted.names, force=request.force, map_runs=runs_in())
    return orjson.dumps(found.to_dict())


def _replan_s(request: BatchRequest) -> str:
    """Where the shortest time between two changes of the weights stands, of several the first."""
    parts = {"/baseline": request.baseline} | {f"/scenario/{i}": each for i, each in enumerate(request.scenario or ())}
    said = {where: found for where, part in parts.items() if (found := getattr(part, "replan_s", None)) is not None}
    return f"{min(said, key=lambda where: said[where], default='/baseline')}/replan_s"


def _check(request: BatchRequest) -> None:
    beside = sorted(request.model_fields_set - BESIDE)
    if beside:
        known = {one.http for one in settings() if one.name not in FIXED} | {"assumptions", "switches"}
        remedy = "leave it out"
        if beside[0] in known:
            remedy = "write it under baseline, by the name a scenario file has for it"
        elif beside[0] in LEVERS:
            remedy = "write it in each scenario that it is to change"
        raise InvalidBody(Problem(f"/{beside[0]}", "does not go with scenario", remedy))
    for old, new in (("start_date", "from_"), ("end_date", "to")):
        if getattr(request, old) is not None and getattr(request, new) is not None:
            raise InvalidBody(Problem(f"/{old}", f"says the same as {new.strip('_')}", "give one of them"))
