"""The answer to a live request: who can take it now, or what stands in while the platform cannot be asked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import orjson

from api.errors import NoAnswer, NotReady
from api.http.answering.listing import used as used_snapshot
from api.http.answering.routing import Routing, about_surveys, about_window, nobody, shown_agents
from api.http.answering.staff import Staff, csat_of_staff, staff_of
from api.http.messages.answers import Degraded, LiveRead, RoutingAnswer, ScoredAgent
from api.http.messages.models import RoutingRequest
from api.http.serving.connection import Connection
from api.http.serving.once import Once
from api.http.serving.open_snapshots import OpenSnapshot, OpenSnapshots, check_window
from engine.data.arrays import Arrays
from engine.data.centre import Centre
from engine.data.provenance import Provenance
from engine.errors import CorruptSnapshot, InvalidScenario, NobodyEligible, UnknownName
from engine.measures.fairness import Fairness
from engine.near import nearest
from engine.results import plain
from engine.scoring.csat import CsatTable
from engine.scoring.scores import Terms
from engine.selection.explain import AgentTerms, rank
from engine.selection.request import Ranked, narrowed, rank_request, request_terms
from engine.spec import Scenario
from engine.typing import BoolArray
from ingest.genesys.live import LiveQueue, LiveQueues
from ingest.platform.errors import PlatformError

KEPT_STAFF, KEPT_TURNS = 64, 1000
LIVE = (
    "preference among those who were available when the platform was read: nobody is reserved, and Genesys Cloud "
    "itself routes by its own rules"
)
FALLBACK = (
    "no preference: the platform cannot be asked and no snapshot has this queue, so its members last read take turns, "
    "whether or not they are on queue now"
)
STATUS_NOT_IDLE = (
    "agents with equal scores stand by the start of their routing status, which is not the ACD idle clock: the "
    "platform does not tell that"
)


@dataclass(frozen=True)
class Basis:
    """The snapshot beside a live request."""

    data: OpenSnapshot | None  # None where there is none to read
    why_not: str = ""  # Why there is none

    def of(self, queue_id: str) -> OpenSnapshot | None:
        """The snapshot, if it has agents of a queue."""
        data = self.data
        if data is None or queue_id not in data.queues:
            return None
        return data if data.arrays.centre.member[data.queues[queue_id]].any() else None

    def missing(self, queue_id: str) -> str:
        """Why it does not have them."""
        if self.data is None:
            return self.why_not
        return f"snapshot {self.data.manifest.name!r} has no agents of queue {queue_id!r}"


@dataclass(frozen=True)
class Scored:
    """A request ranked over some of a queue's agents."""

    centre: Centre
    csat: CsatTable
    terms: Terms
    ranked: Ranked


class Turns:
    """Counts up by queue, so that those who take turns begin with another each time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: OrderedDict[str, int] = OrderedDict()

    def take(self, queue_id: str) -> int:
        """0, 1, 2, ... for each queue; a queue long not asked for begins anew."""
        with self._lock:
            turn = self._next.pop(queue_id, 0)
            self._next[queue_id] = turn + 1
            if len(self._next) > KEPT_TURNS:
                self._next.popitem(last=False)
        return turn


class LiveRouting:
    """Answers live requests; what the platform told is kept for when it cannot be asked.

    `statuses` are the routing statuses of those who are available, with commas between.
    """

    def __init__(self, snapshots: OpenSnapshots, routing: Routing, connection: Connection, statuses: str) -> None:
        self._snapshots, self._routing, self._connection = snapshots, routing, connection
        self._statuses = frozenset(statuses.split(","))
        self._staff: Once[Staff] = Once(KEPT_STAFF)
        self._turns = Turns()

    def answer(self, request: RoutingRequest) -> tuple[bytes, str]:
        """The JSON that answers a request, and its source.

        Parameters
        ----------
        request : RoutingRequest
            Checked.

        Returns
        -------
        content : bytes
            A `RoutingAnswer`.
        source : str
            live, snapshot or fallback.

        Raises
        ------
        MissingInput
            If the service is not connected to a platform.
        UnknownName
            If the platform does not have the queue, or a snapshot that was named is not there.
        InvalidScenario
            If skill, language, weights or dates cannot be used.
        NobodyEligible
            If nobody is available, or nobody of them reaches the threshold.
        NoAnswer
            If the platform cannot be asked, and nothing can stand in.
        """
        check_window(request.start_date, request.end_date)
        queues = self._connection.queues()
        basis = self._basis(request.snapshot)
        try:
            read = queues.members(request.queue_id)
        except UnknownName as error:
            raise UnknownName(f"{error}; {_near(request.queue_id, basis.data)}") from error
        except PlatformError as error:
            content = self._stand_in(request, basis, queues, error)
        else:
            content = self._live(request, basis, read)
        return orjson.dumps(plain(content)), content.source

    def _basis(self, name: str | None) -> Basis:
        if name is not None:
            # Whoever names a snapshot is told what is wrong with it.
            return Basis(self._snapshots.get(name))
        try:
            return Basis(self._snapshots.get())
        except (NotReady, CorruptSnapshot, UnknownName) as error:
            return Basis(None, str(error))

    def _live(self, request: RoutingRequest, basis: Basis, read: LiveQueue) -> RoutingAnswer:
        staff = self._staff_of(read)
        if not staff.available.any():
            raise NobodyEligible(
                f"nobody of queue {request.queue_id!r} is available now: {staff.counted()}; ask again in a moment, or "
                "leave live out and a snapshot answers"
            )
        scenario = request.scenario()
        used = scenario.weights_used()
        scored = _scored(request, scenario, staff, staff.available, basis.data)
        if not scored.ranked.agent.size:
            raise nobody(scored.ranked, used, request, "available agent")
        fairness, about_fairness = self._fairness(request, scenario, basis)
        agents = shown_agents(scored.centre, scored.ranked, request.top)
        return RoutingAnswer(
            headline=LIVE,
            top_agent=agents[0],
            ranked_agents=agents,
            weights_used=used,
            fairness_metrics=fairness,
            source="live",
            snapshot=None if basis.data is None else used_snapshot(basis.data),
            live=_about_read(staff),
            warnings=[*_about_scores(staff, scored, scenario, basis), *about_fairness],
            explanation=_explanation(staff, scenario, scored) if request.explain else None,
        )

    def _staff_of(self, read: LiveQueue) -> Staff:
        return self._staff.get((read.queue_id, read.read_at), lambda: staff_of(read, self._statuses))

    def _fairness(self, request: RoutingRequest, scenario: Scenario, basis: Basis) -> tuple[Fairness | None, list[str]]:
        """Fairness as a snapshot has it, and what must be known of it."""
        data = basis.of(request.queue_id)
        if data is None:
            return None, [f"fairness_metrics is null: {basis.missing(request.queue_id)}"]
        window = data.window_us(request.start_date, request.end_date)
        fairness, n = self._routing.fairness_of(data, scenario, data.queues[request.queue_id], *window)
        return fairness, list(about_window(data, n, request))

    def _stand_in(
        self, request: RoutingRequest, basis: Basis, queues: LiveQueues, error: PlatformError
    ) -> RoutingAnswer:
        """The answer of a snapshot that has the queue, or members known from before in turn."""
        degraded = Degraded(str(error), queues.failing_since)
        data = basis.of(request.queue_id)
        if data is not None:
            return replace(self._from_snapshot(request, data, error), degraded=degraded)
        known = queues.known(request.queue_id)
        if known is None or known.agents.is_empty():
            raise NoAnswer(
                f"the platform cannot be asked ({error}), {basis.missing(request.queue_id)}, and who its members are "
                "has never been read; try again later, or import a snapshot that has the queue"
            ) from error
        return replace(self._in_turn(request, basis, self._staff_of(known)), degraded=degraded)

    def _from_snapshot(self, request: RoutingRequest, data: OpenSnapshot, error: PlatformError) -> RoutingAnswer:
        try:
            return self._routing.content(request, data)
        except (InvalidScenario, NobodyEligible) as refused:
            told = (
                f"{refused} (asked of snapshot {data.manifest.name!r}, because the platform cannot be asked: {error})"
            )
            raise type(refused)(told) from refused

    def _in_turn(self, request: RoutingRequest, basis: Basis, staff: Staff) -> RoutingAnswer:
        """Known members, each request beginning with the next; hard filters hold, scores are not given."""
        scenario = request.scenario()
        everybody = np.ones(staff.centre.n_agents, bool)
        scored = _scored(request, scenario, staff, everybody, None)
        able = np.flatnonzero(scored.ranked.eligible)
        if not able.size:
            raise nobody(replace(scored.ranked, best_below=None), scenario.weights_used(), request, "known member")
        able = np.roll(able, -(self._turns.take(request.queue_id) % able.size))
        centre = staff.centre
        some = able[: request.top].tolist()
        agents = [ScoredAgent(centre.agent_ids[a], centre.agent_names[a], None) for a in some]
        said = [f"fairness_metrics is null: {basis.missing(request.queue_id)}"]
        if request.explain:
            said.append("explain has nothing to tell: nothing was scored")
        return RoutingAnswer(
            headline=FALLBACK,
            top_agent=agents[0],
            ranked_agents=agents,
            weights_used=None,
            fairness_metrics=None,
            source="fallback",
            snapshot=None,
            live=_about_read(staff),
            warnings=said,
        )


def _scored(
    request: RoutingRequest, scenario: Scenario, staff: Staff, candidates: BoolArray, data: OpenSnapshot | None
) -> Scored:
    """The request ranked over some of the staff, with the satisfaction that a snapshot recorded."""
    whole = replace(staff.centre, member=candidates[np.newaxis, :])
    where = f"queue {request.queue_id!r} on the platform"
    centre = narrowed(whole, 0, request.skills(), request.required_language, where=where)
    end_us = 0 if data is None else data.window_us(request.start_date, request.end_date)[1]
    csat = csat_of_staff(centre.agent_ids, data, end_us)
    terms = request_terms(scenario, centre, csat, 0)
    return Scored(centre, csat, terms, rank_request(scenario, terms))


def _near(queue_id: str, data: OpenSnapshot | None) -> str:
    """A hint at a queue of the snapshot, by its id or its name."""
    if data is None:
        return "an administrator finds the ids of queues under Admin > Queues"
    ids = {queue: queue for queue in data.queues}
    named = {name: queue for queue, name in data.static.queues.select("queue_id", "queue_name").iter_rows() if name}
    known = named | ids
    near = nearest(queue_id, known)
    if not near:
        return f"none of snapshot {data.manifest.name!r} is like it; GET /snapshots/{data.manifest.name} lists them"
    name = "" if near in ids else f" ({near})"
    return f"did you mean {known[near]!r}{name} of snapshot {data.manifest.name!r}?"


def _about_read(staff: Staff) -> LiveRead:
    return LiveRead(
        read_at=staff.read.read_at,
        age_s=max(0.0, (datetime.now(UTC) - staff.read.read_at).total_seconds()),
        members=staff.n_members,
        available=int(staff.available.sum()),
        by_status=staff.by_status,
    )


def _about_scores(staff: Staff, scored: Scored, scenario: Scenario, basis: Basis) -> Iterator[str]:
    used = scenario.weights_used()
    if basis.data is not None:
        yield from about_surveys(basis.data, used, scored.csat, scored.ranked)
    elif used.historical_csat:
        yield f"no snapshot tells of satisfaction, so its term is 0.5 for everybody: {basis.why_not}"
    if np.any(scored.ranked.score[1:] == scored.ranked.score[:-1]):
        yield STATUS_NOT_IDLE
    if staff.read.left_out:
        yield f"read from the platform, {', '.join(f'{reason}: {n}' for reason, n in staff.read.left_out.items())}"


def _explanation(staff: Staff, scenario: Scenario, scored: Scored) -> list[AgentTerms]:
    """Every member with its terms; those who are not available lost by that."""
    nothing = Arrays(scored.centre, lambda: iter(()), Provenance(counts={}, assumptions=[]))
    rows = rank(scenario, nothing, scored.terms, np.zeros(1, np.int64), -1)
    return [_present(staff, row) for row in rows]


def _present(staff: Staff, row: AgentTerms) -> AgentTerms:
    agent = staff.place[row.agent_id]
    return row if staff.available[agent] else replace(row, reason=f"not available: {staff.status[agent]}")
