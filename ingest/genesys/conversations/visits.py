"""Visits to queues and the work of agents, out of the sessions of one conversation.

A visit is one session of a participant with purpose acd. It was answered by the agent's session that has the same
peer and queue and says tAnswered: not by one who let it ring, who may show wrap-up and handling all the same.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from engine.data.tables import MEDIA
from engine.typing import Record
from ingest.genesys.conversations.sessions import (
    ABANDONED,
    ACW,
    ALERT,
    ALL_HELD,
    ALL_TALK,
    ANSWERED,
    CONTACTING,
    DIALING,
    FLOWED_OUT,
    HANDLE,
    HELD,
    IN_QUEUE,
    NEVER,
    RANG_OUT,
    TALK,
    Request,
    Session,
)

QUEUE, AGENT, USER = "acd", "agent", "user"
STAFF = (AGENT, USER)
RINGING = frozenset(("alert", "system"))
TALKED = frozenset((TALK, ALL_TALK, ANSWERED))
MS = 1000.0
# Where nothing says how far apart two events are, they are further apart than all others. [s]
UNKNOWN_S = float("inf")


class Visit:
    """One session in a queue, with its outcome."""

    __slots__ = ("answer", "arrived", "number", "outcome", "request", "session")

    def __init__(self, given: Record, width: int) -> None:
        self.session = Session(given, None, width)
        self.request = Request(given)
        # Where the queue did not say when it offered the visit, its first segment stands in.
        self.arrived = self.session.offered_at or self.session.start
        self.number = 0
        self.answer: Session | None = None
        self.outcome = "unknown"

    def order(self) -> tuple[Any, ...]:
        """By arrival, then session id; the rest matters only where ids are missing."""
        session = self.session
        metrics = sorted((name, value or 0) for name, value in session.metrics.items())
        return (
            self.arrived or NEVER, session.session_id, session.queue or "", session.peer, session.end or "", metrics,
            self.request.skills, self.request.language or "",
        )  # fmt: skip


class Sessions:
    """The sessions of one conversation, visits numbered and matched with who answered them."""

    def __init__(self, conversation: Record, width: int) -> None:
        self.visits: list[Visit] = []
        self.answering: list[Session] = []
        self.staff: list[Session] = []
        self.abandoned_elsewhere: set[str | None] = set()
        for participant in conversation.get("participants") or ():
            self._add(participant, width)
        if len(self.visits) > 1:
            self.visits.sort(key=Visit.order)
        for number, visit in enumerate(self.visits, 1):
            visit.number = number
        if self.visits:
            self._match()
            self._settle()
        # Those that can be rows.
        self.usable = [visit for visit in self.visits if unusable_visit(visit) is None]

    def _add(self, participant: Record, width: int) -> None:
        purpose, user = participant.get("purpose"), participant.get("userId")
        sessions = participant.get("sessions") or ()
        if purpose == QUEUE:
            self.visits.extend([Visit(session, width) for session in sessions])
        elif purpose in STAFF:
            added = [Session(session, user, width) for session in sessions]
            self.staff += added
            if purpose == AGENT:
                self.answering += [each for each in added if ANSWERED in each.metrics and RANG_OUT not in each.metrics]
        else:
            for session in sessions:
                if any(metric.get("name") == ABANDONED for metric in session.get("metrics") or ()):
                    self.abandoned_elsewhere.add(Session(session, None, width).queue)

    def _match(self) -> None:
        """Give each visit the answer nearest its end; nobody answers two."""
        by_line = defaultdict(list)
        for session in self.answering:
            if session.peer and session.queue:
                by_line[session.peer, session.queue].append(session)
        pairs = [
            (visit, session)
            for visit in self.visits
            for session in by_line.get((visit.session.peer, visit.session.queue or ""), ())
        ]
        # Whoever comes back to a queue over the same line leaves several answers to choose from.
        if len(pairs) > 1:
            pairs.sort(key=_nearness)
        # Objects, not ids: two sessions without an id are still two.
        taken = set()
        for visit, session in pairs:
            if visit.answer is None and id(session) not in taken:
                visit.answer = session
                taken.add(id(session))

    def _settle(self) -> None:
        for visit in self.visits:
            metrics = visit.session.metrics
            if visit.answer is not None:
                visit.outcome = "answered"
            elif ABANDONED in metrics:
                visit.outcome = "abandoned"
            elif FLOWED_OUT in metrics:
                visit.outcome = "flowed_out"
        # The customer, not the queue, may say that the wait was abandoned; then the last undecided visit is meant.
        for queue in self.abandoned_elsewhere - {None}:
            inside = [visit for visit in self.visits if visit.session.queue == queue]
            undecided = [visit for visit in inside if visit.outcome == "unknown"]
            if undecided and not any(ABANDONED in visit.session.metrics for visit in inside):
                undecided[-1].outcome = "abandoned"


def _nearness(pair: tuple[Visit, Session]) -> tuple[Any, ...]:
    visit, session = pair
    end = visit.session.end
    gaps = [abs(between_s(end, at)) for at in session.answered_at] if end else []
    return min(gaps, default=UNKNOWN_S), visit.number, session.session_id, session.user_id, session.start or NEVER


def between_s(start: str, end: str) -> float:
    """Seconds from one time of the platform to another; `ValueError` if one cannot be read.

    Examples
    --------
    >>> between_s("2025-03-01T10:00:30.000Z", "2025-03-01T10:00:50.500Z")
    20.5
    """
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def wait_s(session: Session, arrived: str | None) -> float | None:
    """How long a visit lasted: tAcd, else until its session ended, if it did.

    It includes the alerting of the agent who answered. Where tAcd is missing the session's end stands in for it;
    nothing marks such rows. Negative where times contradict each other.
    """
    measured_ms = session.metrics.get(IN_QUEUE)
    if measured_ms is not None:
        return measured_ms / MS
    return None if session.is_open or not (arrived and session.end) else between_s(arrived, session.end)


def handle_s(session: Session, is_over: bool) -> float | None:
    """How long an agent was bound: tHandle, else the sum of its parts once all is over.

    Parts are talk, hold and after-call work, and of outgoing contacts dialling and contacting. tTalk and tHeld come
    in pieces; they stand in for tTalkComplete and tHeldComplete. Until the conversation is over, and while a
    segment is open, parts may still be to come.
    """
    get = session.metrics.get
    whole_ms = get(HANDLE)
    if whole_ms is not None:
        return whole_ms / MS
    talk_ms, held_ms = get(ALL_TALK, get(TALK)), get(ALL_HELD, get(HELD))
    given = [part for part in (talk_ms, held_ms, get(ACW), get(DIALING), get(CONTACTING)) if part is not None]
    return sum(given) / MS if given and is_over and not session.is_open else None


def acw_s(session: Session, handled_s: float | None) -> float | None:
    """After-call work: tAcw, else 0 where the session was handled to its end without any."""
    if ACW in session.metrics:
        measured_ms = session.metrics[ACW]
        return measured_ms / MS if measured_ms is not None else None
    # Null would read as not known yet.
    return 0.0 if handled_s is not None and not session.is_open else None


def visit_row(conversation_id: str, visit: Visit, is_over: bool) -> tuple[Any, ...]:
    """One row of frame visits."""
    session, request, answer = visit.session, visit.request, visit.answer
    agent = alert = handled = after = None
    routing = session.used_routing
    if answer is not None:
        agent = answer.user_id or None
        alert_ms = answer.metrics.get(ALERT)
        alert = alert_ms / MS if alert_ms is not None else None
        handled = handle_s(answer, is_over)
        after = acw_s(answer, handled)
        routing = routing or answer.used_routing
    return (
        conversation_id, visit.number, session.queue, visit.arrived, session.media, request.skills, request.language,
        visit.outcome, agent, wait_s(session, visit.arrived), alert, handled, after, routing or None, request.eligible,
        request.preferred(),
    )  # fmt: skip


def work_row(conversation_id: str, session: Session, visit: int | None, end: str | None) -> tuple[Any, ...]:
    """One row of frame work."""
    kind = "other"
    if visit is not None:
        kind = "answered"
    # Who only let it ring did no work; the row is told apart so that it is counted as such.
    elif session.kinds <= RINGING and not TALKED & session.metrics.keys():
        kind = "unanswered"
    return (
        conversation_id, session.user_id, session.start, end, session.media, session.direction or None, session.queue,
        visit, kind,
    )  # fmt: skip


def unusable_visit(visit: Visit) -> str | None:
    """Why a visit cannot be a row."""
    if not visit.session.queue:
        return "visit without queue"
    if visit.session.media not in MEDIA:
        return f"visit of {_shown(visit.session.media)}"
    return None if visit.arrived else "visit without arrival"


def unusable_work(session: Session, end: str | None) -> str | None:
    """Why a session of an agent cannot be a row."""
    if not session.user_id:
        return "work without agent"
    if session.media not in MEDIA:
        return f"work of {_shown(session.media)}"
    if session.start is None:
        return "work without start"
    return "work that ends before it starts" if end is not None and end < session.start else None


# The media a session may have that no table knows; others are not shown, a reason must not carry odd content.
OTHER_MEDIA = frozenset(("cobrowse", "screenshare", "video", "monitoring", "internalmessage", "unknown"))


def _shown(media: str) -> str:
    return f"media {media}" if media in OTHER_MEDIA else "unknown media" if media else "no media"
