"""Visits to queues and the work of agents, out of the sessions of one conversation.

A visit is one session of a participant with purpose acd; who answered it is said in `answers`.
"""

from __future__ import annotations

from typing import Any

from engine.data.tables import MEDIA
from engine.typing import Record
from ingest.genesys.conversations.answers import Visit, between_s, is_work, match
from ingest.genesys.conversations.sessions import (
    ABANDONED,
    ACW,
    ALERT,
    ALL_HELD,
    ALL_TALK,
    CONTACTING,
    DIALING,
    FLOWED_OUT,
    HANDLE,
    HELD,
    IN_QUEUE,
    TALK,
    Session,
)

QUEUE, AGENT, USER = "acd", "agent", "user"
STAFF = (AGENT, USER)
MS = 1000.0


class Sessions:
    """The sessions of one conversation, visits numbered and matched with who answered them."""

    def __init__(self, conversation: Record, width: int) -> None:
        self.visits: list[Visit] = []
        self.staff: list[Session] = []
        self.abandoned_elsewhere: set[str | None] = set()
        for participant in conversation.get("participants") or ():
            self._add(participant, width)
        if len(self.visits) > 1:
            self.visits.sort(key=Visit.order)
        for number, visit in enumerate(self.visits, 1):
            visit.number = number
        if self.visits:
            match(self.visits, self.staff)
            self._settle()
        # Those that can be rows.
        self.usable = [visit for visit in self.visits if unusable_visit(visit) is None]

    def _add(self, participant: Record, width: int) -> None:
        purpose, user = participant.get("purpose"), participant.get("userId")
        sessions = participant.get("sessions") or ()
        if purpose == QUEUE:
            self.visits.extend([Visit(session, width) for session in sessions])
        elif purpose in STAFF:
            self.staff += [Session(session, user, width, purpose == AGENT) for session in sessions]
        else:
            for session in sessions:
                if any(metric.get("name") == ABANDONED for metric in session.get("metrics") or ()):
                    self.abandoned_elsewhere.add(Session(session, None, width).queue)

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


def wait_s(visit: Visit, ended: str | None) -> float | None:
    """How long a visit lasted: tAcd, else until its session ended, else until its conversation did.

    It includes the alerting of the agent who answered. Where tAcd is missing the session's end stands in for it;
    nothing marks such rows. Negative where times contradict each other. Whoever was not answered left when the
    conversation ended at the latest, whatever was not written down.
    """
    session, arrived = visit.session, visit.arrived
    measured_ms = session.metrics.get(IN_QUEUE)
    if measured_ms is not None:
        return measured_ms / MS
    end = None if session.is_open else session.end
    if end is None and visit.answer is None:
        end = ended
    return between_s(arrived, end) if arrived and end else None


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


def handled_s(visit: Visit, answer: Session, is_over: bool) -> float | None:
    """How long the agent was bound by a visit: of a callback the calls that belong to it count too, once."""
    own_s = handle_s(answer, is_over)
    if not visit.legs:
        return own_s
    calls_s = sum(handle_s(leg, is_over) or 0.0 for leg in visit.legs)
    after_s = (answer.metrics.get(ACW) or 0.0) / MS
    if after_s:
        calls_s -= sum((leg.metrics.get(ACW) or 0.0) / MS for leg in visit.legs)
    # Handling of the callback may hold its calls, or they may be told apart from it; after-call work comes on top.
    return (max(own_s - after_s, calls_s) if own_s is not None else calls_s) + after_s or own_s


def acw_s(session: Session, handled_s: float | None) -> float | None:
    """After-call work: tAcw, else 0 where the session was handled to its end without any."""
    if ACW in session.metrics:
        measured_ms = session.metrics[ACW]
        return measured_ms / MS if measured_ms is not None else None
    # Null would read as not known yet.
    return 0.0 if handled_s is not None and not session.is_open else None


def visit_row(conversation_id: str, visit: Visit, ended: str | None) -> tuple[Any, ...]:
    """One row of frame visits."""
    session, request, answer = visit.session, visit.request, visit.answer
    agent = alert = handled = after = None
    routing = session.used_routing
    if answer is not None:
        agent = answer.user_id or None
        alert_ms = answer.metrics.get(ALERT)
        alert = alert_ms / MS if alert_ms is not None else None
        handled = handled_s(visit, answer, ended is not None)
        after = acw_s(answer, handled) if ACW in answer.metrics or not visit.legs else acw_s(visit.legs[-1], handled)
        routing = routing or answer.used_routing
    return (
        conversation_id, visit.number, session.queue, visit.arrived, session.media, request.skills, request.language,
        visit.outcome, agent, wait_s(visit, ended), alert, handled, after, routing or None, request.eligible,
        request.preferred(),
    )  # fmt: skip


def work_row(conversation_id: str, session: Session, visit: Visit | None, end: str | None) -> tuple[Any, ...]:
    """One row of frame work."""
    kind = "other"
    if visit is not None:
        kind = "answered" if session is visit.answer else "part"
    # Who only let it ring did no work; the row is told apart so that it is counted as such.
    elif not is_work(session):
        kind = "unanswered"
    return (
        conversation_id, session.user_id, session.start, end, session.media, session.direction or None, session.queue,
        None if visit is None else visit.number, kind,
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
