"""The answer to one routing request: the ranked agents, and how fair the same weights are for their queue."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date

import numpy as np
import orjson

from api.listing import used as used_snapshot
from api.models import RoutingRequest
from api.once import Once
from api.open_snapshots import OpenSnapshot, OpenSnapshots
from engine.arrays import Centre
from engine.csat import CsatTable
from engine.errors import NobodyEligible
from engine.explain import rank
from engine.notes import MADE_UP
from engine.report import PREFERENCE
from engine.request import Ranked, narrowed, rank_request, request_terms
from engine.run import run
from engine.scenario import Scenario
from engine.typing import Record
from engine.weights import RoutingWeights


class Routing:
    """Answers routing requests; results on fairness are kept.

    Parameters
    ----------
    snapshots : OpenSnapshots
        Where the data comes from.
    kept_fairness : int
        Results kept. [count]
    """

    def __init__(self, snapshots: OpenSnapshots, kept_fairness: int) -> None:
        self._snapshots = snapshots
        self._fairness: Once[tuple[bytes, int]] = Once(kept_fairness)

    def answer(self, request: RoutingRequest) -> bytes:
        """The JSON that answers a request.

        Parameters
        ----------
        request : RoutingRequest
            Checked.

        Returns
        -------
        bytes
            See `api.answers.RoutingAnswer`.

        Raises
        ------
        UnknownName
            If the snapshot or the queue does not exist, or the queue has no agents.
        InvalidScenario
            If skill, language, weights or dates cannot be used.
        NobodyEligible
            If nobody reaches the threshold, with the best score reached.
        """
        data = self._snapshots.get(request.snapshot)
        scenario = request.scenario()
        queue = data.queue(request.queue_id)
        start_us, end_us = data.window_us(request.start_date, request.end_date)
        centre = narrowed(data.arrays.centre, queue, request.skills(), request.required_language)
        csat = data.csat(end_us)
        terms = request_terms(scenario, centre, csat, queue)
        ranked = rank_request(scenario, terms)
        used = scenario.weights_used()
        if not ranked.agent.size:
            raise _nobody(ranked, used, request)
        fairness, n_interactions = self._fairness_of(data, scenario, queue, start_us, end_us)
        agents = _agents(centre, ranked, request.top)
        content: Record = {
            "headline": PREFERENCE,
            "top_agent": agents[0],
            "ranked_agents": agents,
            "weights_used": asdict(used),
            "fairness_metrics": orjson.Fragment(fairness),
            "source": "snapshot",
            "snapshot": used_snapshot(data),
            "warnings": _warnings(data, used, csat, ranked, n_interactions, (request.start_date, request.end_date)),
        }
        if request.explain:
            asked = replace(data.arrays, centre=centre)
            content["explanation"] = rank(scenario, asked, terms, np.zeros(1, np.int64), -1)
        return orjson.dumps(content)

    def _fairness_of(
        self, data: OpenSnapshot, scenario: Scenario, queue: int, start_us: int, end_us: int
    ) -> tuple[bytes, int]:
        """Fairness of the queue's interactions in the window as JSON, and how many they are."""
        # The moved weights decide alone, so goals that move nothing share one result.
        plain = Scenario(weights=scenario.weights_used(), required=scenario.required, csat="all")

        def measure() -> tuple[bytes, int]:
            report = run(plain, data.arrays.window(start_us, end_us, queue))
            return orjson.dumps(report.fairness), report.routed + report.unrouted["total"]

        return self._fairness.get((data.manifest.id, queue, start_us, end_us, plain), measure)


def _agents(centre: Centre, ranked: Ranked, top: int) -> list[Record]:
    rows = zip(ranked.agent[:top].tolist(), ranked.score[:top].tolist(), strict=True)
    return [{"id": centre.agent_ids[a], "name": centre.agent_names[a], "score": score} for a, score in rows]


def _nobody(ranked: Ranked, used: RoutingWeights, request: RoutingRequest) -> NobodyEligible:
    threshold = f"the threshold {used.min_score_threshold:g}"
    if ranked.best_below is None:
        filters = " and ".join(request.required)
        return NobodyEligible(
            f"no agent of queue {request.queue_id!r} passes the hard filter on {filters}; "
            "ask for other skills or another language, or leave out required"
        )
    return NobodyEligible(
        f"no agent of queue {request.queue_id!r} reached {threshold}; the best score is {ranked.best_below:.9g}; "
        "lower min_score_threshold or ask for less"
    )


def _warnings(
    data: OpenSnapshot,
    used: RoutingWeights,
    csat: CsatTable,
    ranked: Ranked,
    n_interactions: int,
    days: tuple[date, date],
) -> list[str]:
    said = []
    if "surveys" in data.manifest.made_up and used.historical_csat:
        said.append(MADE_UP)
    without = int((csat.n_surveys[-1][ranked.eligible] == 0).sum())
    if without and used.historical_csat:
        said.append(
            f"{without} of {int(ranked.eligible.sum())} candidates have no survey up to the end of the window; "
            "their satisfaction term is 0.5"
        )
    if n_interactions == 0:
        interval = data.manifest.interval
        said.append(
            f"the queue has no interaction from {days[0]} to {days[1]}, so fairness_metrics says nothing; the snapshot "
            f"covers {interval['start']} to {interval['end']}"
        )
    return said
