"""The answer to one routing request: the ranked agents, and how fair the same weights are for their queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import cast

import numpy as np
import orjson

from api.http.answering.listing import used as used_snapshot
from api.http.messages.answers import RoutingAnswer, ScoredAgent
from api.http.messages.models import KEPT_SCENARIOS, RoutingRequest
from api.http.serving.at_hand import may_wait
from api.http.serving.once import Once
from api.http.serving.open_snapshots import OpenSnapshot, OpenSnapshots
from engine.data.centre import Centre
from engine.errors import NobodyEligible
from engine.measures.fairness import Fairness
from engine.reports.report import PREFERENCE
from engine.results import plain
from engine.run import run
from engine.scoring.csat import MADE_UP, CsatTable
from engine.scoring.weights import RoutingWeights
from engine.selection.explain import rank
from engine.selection.request import Ranked, narrowed, rank_request, request_terms
from engine.spec import Scenario

# Scored in about a millisecond. [count]
FEW_AGENTS = 4_000


@lru_cache(maxsize=KEPT_SCENARIOS)
def _bare(used: RoutingWeights, required: tuple[str, ...]) -> Scenario:
    """What fairness depends on: the moved weights decide alone, so goals that move nothing share one result."""
    return Scenario(weights=used, required=required, csat="all")


class Routing:
    """Answers routing requests; results on fairness are kept."""

    def __init__(self, snapshots: OpenSnapshots, kept_fairness: int) -> None:
        self._snapshots = snapshots
        self._fairness: Once[tuple[Fairness, int]] = Once(kept_fairness)

    def answer(self, request: RoutingRequest) -> bytes:
        """The JSON that answers a request.

        Parameters
        ----------
        request : RoutingRequest
            Checked.

        Returns
        -------
        bytes
            A `RoutingAnswer`.

        Raises
        ------
        UnknownName
            If the snapshot or the queue does not exist, or the queue has no agents.
        InvalidScenario
            If skill, language, weights or dates cannot be used.
        NobodyEligible
            If nobody reaches the threshold, with the best score reached.
        """
        return orjson.dumps(plain(self.content(request, self._snapshots.get(request.snapshot))))

    def content(self, request: RoutingRequest, data: OpenSnapshot) -> RoutingAnswer:
        """The same before it is written, from one snapshot."""
        if request.explain or data.arrays.centre.n_agents > FEW_AGENTS:
            may_wait()
        scenario = request.scenario()
        queue = data.queue(request.queue_id)
        start_us, end_us = data.window_us(request.start_date, request.end_date)
        centre = narrowed(data.arrays.centre, queue, request.skills(), request.required_language)
        csat = data.csat(end_us)
        terms = request_terms(scenario, centre, csat, queue)
        ranked = rank_request(scenario, terms)
        used = scenario.weights_used()
        if not ranked.agent.size:
            raise nobody(ranked, used, request)
        fairness, n_interactions = self.fairness_of(data, scenario, queue, start_us, end_us)
        agents = shown_agents(centre, ranked, request.top)
        asked = replace(data.arrays, centre=centre)
        return RoutingAnswer(
            headline=PREFERENCE,
            top_agent=agents[0],
            ranked_agents=agents,
            weights_used=used,
            fairness_metrics=fairness,
            source="snapshot",
            snapshot=used_snapshot(data),
            warnings=[*about_surveys(data, used, csat, ranked), *about_window(data, n_interactions, request)],
            explanation=rank(scenario, asked, terms, np.zeros(1, np.int64), -1) if request.explain else None,
        )

    def fairness_of(
        self, data: OpenSnapshot, scenario: Scenario, queue: int, start_us: int, end_us: int
    ) -> tuple[Fairness, int]:
        """Fairness of a queue's interactions in a window, and how many they are.

        The scenario's weights, moved by its goal, and its hard filters count.
        """
        bare = _bare(scenario.weights_used(), scenario.required)

        def measure() -> tuple[Fairness, int]:
            report = run(bare, data.arrays.window(start_us, end_us, queue))
            # Kept as it is written, since requests only write it again.
            written = orjson.Fragment(orjson.dumps(report.fairness))
            return cast(Fairness, written), report.n_interactions

        return self._fairness.get((data.manifest.id, queue, start_us, end_us, bare), measure)


def shown_agents(centre: Centre, ranked: Ranked, top: int) -> list[ScoredAgent]:
    """The best agents as answers show them."""
    rows = zip(ranked.agent[:top].tolist(), ranked.score[:top].tolist(), strict=True)
    return [ScoredAgent(centre.agent_ids[a], centre.agent_names[a], score) for a, score in rows]


def nobody(ranked: Ranked, used: RoutingWeights, request: RoutingRequest, who: str = "agent") -> NobodyEligible:
    """That no candidate can be chosen, and why."""
    threshold = f"the threshold {used.threshold:g}"
    if ranked.best_below is None:
        filters = " and ".join(request.required)
        return NobodyEligible(
            f"no {who} of queue {request.queue_id!r} passes the hard filter on {filters}; "
            "ask for other skills or another language, or leave out required"
        )
    return NobodyEligible(
        f"no {who} of queue {request.queue_id!r} reached {threshold}; the best score is {ranked.best_below:.9g}; "
        "lower min_score_threshold or ask for less"
    )


def about_surveys(data: OpenSnapshot, used: RoutingWeights, csat: CsatTable, ranked: Ranked) -> Iterator[str]:
    """What must be known of the satisfaction term before a ranking is trusted."""
    if "surveys" in data.manifest.made_up and used.historical_csat:
        yield MADE_UP
    without = int((csat.n_surveys[-1][ranked.eligible] == 0).sum())
    if without and used.historical_csat:
        yield (
            f"{without} of {int(ranked.eligible.sum())} candidates have no survey up to the end of the window; "
            "their satisfaction term is 0.5"
        )


def about_window(data: OpenSnapshot, n_interactions: int, request: RoutingRequest) -> Iterator[str]:
    """That fairness says nothing, where the window holds no interaction of the queue."""
    if n_interactions == 0:
        interval = data.manifest.interval
        yield (
            f"the queue has no interaction from {request.start_date} to {request.end_date}, so fairness_metrics says "
            f"nothing; the snapshot covers {interval['start']} to {interval['end']}"
        )
