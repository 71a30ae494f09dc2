"""The answer to a batch: a scenario over a snapshot, or over the interactions of the request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import orjson
import polars as pl

from api.errors import BodyTooLarge, InvalidBody, Problem
from api.http.answering.limits import Limits
from api.http.answering.study import answer_study
from api.http.inline.arrays import Inline, inline
from api.http.messages.models import BatchRequest
from api.http.serving.open_snapshots import OpenSnapshots, check_window
from engine.data.arrays import Arrays
from engine.data.wall_time import FIRST_DAY, LAST_DAY
from engine.memory import of_run
from engine.reports.outcomes import Outcomes, join
from engine.reports.report import Report, Timing
from engine.run import run
from engine.spec import Scenario
from engine.stopping import checked

# Of outcomes, written in some milliseconds.
ROWS_AT_ONCE = 2_000

# An outcome as a row of a table and as text.
OUTCOME_BYTES = 700


def answer_batch(
    snapshots: OpenSnapshots, request: BatchRequest, limits: Limits, count: Callable[[int], object] = lambda _n: None
) -> bytes:
    """The content of report.json, with `outcomes` where asked for; of a study the content of study.json."""
    started = time.perf_counter()
    if request.scenario is not None:
        return answer_study(snapshots, request, limits, count)
    _check_fit(request, limits)
    data = snapshots.get(request.snapshot)
    replayed = request.mode == "replay"
    own = None
    if request.interactions is not None:
        own = inline(data, request.interactions, replayed=replayed)
    _check_times(request, own)
    scenario = request.scenario_to_run(own is None or own.timed)
    arrays = _windowed(data.arrays if own is None else own.arrays, request)
    loaded = time.perf_counter()
    with limits.held(of_run(scenario, arrays, kept=OUTCOME_BYTES if request.outcomes else 0)):
        # All in a function of its own, so that nothing of it is left when memory is handed back.
        return _answer(request, scenario, arrays, own, count, loaded - started)


def _answer(
    request: BatchRequest, scenario: Scenario, arrays: Arrays, own: Inline | None, count: Callable[[int], object],
    load_s: float,
) -> bytes:  # fmt: skip
    parts: list[Outcomes] = []
    began = time.perf_counter()
    report = run(scenario, arrays, parts.append if request.outcomes else None, force=request.force)
    simulated = time.perf_counter()
    count(report.n_interactions)
    report = replace(report, timing=_timing(report, load_s, simulated - began))
    content = (report if own is None else _amended(report, own)).to_dict()
    if own is not None and request.outcomes:
        content["outcomes"] = _outcomes(parts, own)
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def _check_fit(request: BatchRequest, limits: Limits) -> None:
    for name in ("baseline", "from_", "to"):
        if getattr(request, name) is not None:
            remedy = "give scenario with it, or leave it out"
            raise InvalidBody(Problem(f"/{name.strip('_')}", "belongs to a study, and there is no scenario", remedy))
    if not request.outcomes:
        return
    if request.interactions is None:
        raise InvalidBody(
            Problem(
                "/outcomes",
                "outcomes of a whole snapshot do not go into one answer",
                "leave it out and run 'routelab simulate --out DIR', or give interactions here",
            )
        )
    if request.interactions.n > limits.outcomes:
        raise BodyTooLarge(
            f"outcomes of {request.interactions.n:,} interactions were asked for, this service gives "
            f"{limits.outcomes:,} at a time; send fewer, or leave outcomes out (setting max_outcomes)"
        )


def _check_times(request: BatchRequest, own: Inline | None) -> None:
    if own is None or own.timed:
        return
    if request.mode == "replay":
        remedy = "a replay needs to know when each interaction arrived: give it in all of them"
        raise InvalidBody(Problem("/interactions/0/arrived_at", "is missing", remedy))
    remedy = "give arrived_at with every interaction, or leave this out"
    for name in ("start_date", "end_date"):
        if getattr(request, name) is not None:
            raise InvalidBody(Problem(f"/{name}", "the interactions have no times of arrival", remedy))
    if request.csat == "asof":
        raise InvalidBody(Problem("/csat", 'found "asof", but the interactions have no times of arrival', remedy))


def _windowed(arrays: Arrays, request: BatchRequest) -> Arrays:
    if request.start_date is None and request.end_date is None:
        return arrays
    check_window(request.start_date or FIRST_DAY, request.end_date or LAST_DAY)
    return arrays.days(request.start_date, request.end_date)


def _timing(report: Report, load_s: float, simulate_s: float) -> Timing:
    n = report.n_interactions
    return Timing(load_s, simulate_s, interactions_per_s=n / simulate_s if n else None)


def _amended(report: Report, own: Inline) -> Report:
    preference = report.preference
    if not own.timed and preference is not None:
        # All at one instant is a stand-in, not a peak.
        preference = replace(preference, implied_peak=None)
    return replace(report, preference=preference, warnings=[*own.warnings, *report.warnings])


def _outcomes(parts: list[Outcomes], own: Inline) -> orjson.Fragment:
    """One row per interaction in the order of the request; those outside the window have none."""
    if not parts:
        return orjson.Fragment(b"[]")
    chosen = join(parts).to_frame().with_columns(pl.lit(None).alias(name) for name in sorted(own.absent))
    asked = own.ids.to_frame().join(chosen, on="interaction_id", how="inner", maintain_order="left")
    asked = asked.rename({"interaction_id": "id"})
    # Written without a Python object per row and some rows at a time: other requests go on meanwhile.
    slices = (some.write_json().encode()[1:-1] for some in checked(asked.iter_slices(ROWS_AT_ONCE)))
    return orjson.Fragment(b"[" + b",".join(slices) + b"]")
