"""Who answered a visit to a queue: sessions of queues matched with sessions of agents.

A visit was answered by the agent's session that has the same peer and queue and says tAnswered: not by one who let it
ring, who may show wrap-up and handling all the same. Where nothing says how a visit ended, a session of an agent that
shows work for it answered it too, though its peer, its queue or tAnswered is missing: it must not be a visit that
nobody answered, and work elsewhere besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engine.typing import Record
from ingest.genesys.conversations.sessions import (
    ABANDONED,
    ACW,
    ALL_HELD,
    ALL_TALK,
    ANSWERED,
    CONTACTING,
    DIALING,
    FLOWED_OUT,
    HANDLE,
    HELD,
    NEVER,
    RANG_OUT,
    TALK,
    Request,
    Session,
)

VOICE, CALLBACK = "voice", "callback"
RINGING = frozenset(("alert", "system"))
SPOKEN = frozenset((TALK, ALL_TALK))
WORKED = SPOKEN | {ANSWERED, HELD, ALL_HELD, ACW, HANDLE, DIALING, CONTACTING}
ENDED = frozenset((ABANDONED, FLOWED_OUT))
# Where nothing says how far apart two events are, they are further apart than all others. [s]
UNKNOWN_S = float("inf")
# So long after a visit has left its queue a session may begin that answered it. [s]
LATEST_S = 60.0


class Visit:
    """One session in a queue, with its outcome."""

    __slots__ = ("answer", "arrived", "legs", "number", "outcome", "request", "session")

    def __init__(self, given: Record, width: int) -> None:
        self.session = Session(given, None, width)
        self.request = Request(given)
        # Where the queue did not say when it offered the visit, its first segment stands in.
        self.arrived = self.session.offered_at or self.session.start
        self.number = 0
        self.answer: Session | None = None
        # Of a callback: calls of the agent who took it, which are part of handling it.
        self.legs: list[Session] = []
        self.outcome = "unknown"

    def order(self) -> tuple[Any, ...]:
        """By arrival, then session id; the rest matters only where ids are missing."""
        session = self.session
        metrics = sorted((name, value or 0) for name, value in session.metrics.items())
        return (
            self.arrived or NEVER, session.session_id, session.queue or "", session.peer, session.end or "", metrics,
            self.request.skills, self.request.language or "",
        )  # fmt: skip


def is_work(session: Session) -> bool:
    """Whether an agent did more than let it ring."""
    metrics = session.metrics.keys()
    # After-call work is shown of those who let it ring too.
    if RANG_OUT in metrics:
        return not SPOKEN.isdisjoint(metrics)
    return not (session.kinds <= RINGING and WORKED.isdisjoint(metrics))


def match(visits: Sequence[Visit], staff: Sequence[Session]) -> None:
    """Give each visit the session that answered it; nobody answers two. Visits come in order of arrival."""
    # Objects, not ids: two sessions without an id are still two.
    taken = _direct(visits, staff)
    undecided = [
        n for n, visit in enumerate(visits) if visit.answer is None and ENDED.isdisjoint(visit.session.metrics)
    ]
    if undecided:
        _likely(visits, undecided, staff, taken)
    callbacks = [visit for visit in visits if visit.session.media == CALLBACK]
    if callbacks:
        _take_legs(callbacks, staff, taken)
        # A call alone is taken for the answer of a callback only if it is not part of another.
        _likely(visits, [n for n in undecided if visits[n] in callbacks], staff, taken, by_call=True)
        _take_legs(callbacks, staff, taken)


def _direct(visits: Sequence[Visit], staff: Sequence[Session]) -> set[int]:
    """The answer nearest the end of each visit, of those that say to be answers of its line and queue."""
    by_line = defaultdict(list)
    for session in staff:
        answers = session.is_agent and ANSWERED in session.metrics and RANG_OUT not in session.metrics
        if answers and session.peer and session.queue:
            by_line[session.peer, session.queue].append(session)
    pairs = [
        (visit, session)
        for visit in visits
        for session in by_line.get((visit.session.peer, visit.session.queue or ""), ())
    ]
    # Whoever comes back to a queue over the same line leaves several answers to choose from.
    if len(pairs) > 1:
        pairs.sort(key=_nearness)
    taken: set[int] = set()
    _give(pairs, taken)
    return taken


def _give(pairs: Sequence[tuple[Visit, Session]], taken: set[int]) -> None:
    for visit, session in pairs:
        if visit.answer is None and id(session) not in taken:
            visit.answer = session
            taken.add(id(session))


def _take_legs(visits: Sequence[Visit], staff: Sequence[Session], taken: set[int]) -> None:
    """Calls of whoever answered a callback, which are part of it."""
    for visit in visits:
        if visit.answer is not None and not visit.legs:
            visit.legs = [leg for leg in staff if id(leg) not in taken and _is_leg(leg, visit, visit.answer)]
            taken.update(map(id, visit.legs))


def _nearness(pair: tuple[Visit, Session]) -> tuple[Any, ...]:
    visit, session = pair
    end = visit.session.end
    gaps = [abs(between_s(end, at)) for at in session.answered_at] if end else []
    return min(gaps, default=UNKNOWN_S), visit.number, session.session_id, session.user_id, session.start or NEVER


def _likely(
    visits: Sequence[Visit], undecided: Sequence[int], staff: Sequence[Session], taken: set[int], by_call: bool = False
) -> None:
    """The likeliest of the sessions that show work for a visit of which nothing says how it ended."""
    working = [session for session in staff if id(session) not in taken and is_work(session)]
    pairs = []
    for n in undecided:
        if visits[n].answer is not None:
            continue
        visit, media = visits[n], VOICE if by_call else visits[n].session.media
        following = visits[n + 1].arrived if n + 1 < len(visits) else None
        pairs += [
            (visit, session)
            for session in working
            if session.media == media and _may_answer(session, visit) and _is_in_time(session, visit, following)
        ]
    _give(sorted(pairs, key=_likelihood), taken)


def _may_answer(session: Session, visit: Visit) -> bool:
    waiting = visit.session
    same_line, same_queue = _same(waiting, session)
    if session.queues and not same_queue:
        return False
    # Whoever was called by name, or calls out, needs more to be taken for the one who answered.
    if not session.is_agent:
        return same_line and same_queue
    is_callback = waiting.media == CALLBACK
    return same_line or is_callback or (same_queue and session.direction == waiting.direction)


def _is_in_time(session: Session, visit: Visit, following: str | None) -> bool:
    """Whether a session begins while the visit waits, or as it leaves."""
    end = None if visit.session.is_open else visit.session.end
    if visit.arrived and session.end and session.end < visit.arrived:
        return False
    if session.start is None:
        return True
    # An agent may look at a callback for as long as it pleases before making the call.
    if end is None or visit.session.media == CALLBACK:
        return following is None or session.start <= following
    return session.start <= end or between_s(end, session.start) <= LATEST_S


def _likelihood(pair: tuple[Visit, Session]) -> tuple[Any, ...]:
    visit, session = pair
    waiting = visit.session
    same_line, same_queue = _same(waiting, session)
    gap_s = abs(between_s(waiting.end, session.start)) if waiting.end and session.start else UNKNOWN_S
    return (
        not same_line, not same_queue, ANSWERED not in session.metrics, not session.is_agent, gap_s, visit.number,
        session.session_id, session.user_id, session.start or NEVER,
    )  # fmt: skip


def _same(waiting: Session, session: Session) -> tuple[bool, bool]:
    """Whether two sessions share the line, and a queue."""
    return bool(waiting.peer) and session.peer == waiting.peer, not waiting.queues.isdisjoint(session.queues)


def _is_leg(leg: Session, visit: Visit, answer: Session) -> bool:
    """Whether a call of the agent who took a callback belongs to it."""
    # A callback whose handling is told is over when its session is.
    until = (answer.end or NEVER) if HANDLE in answer.metrics else NEVER
    return (
        leg.media == VOICE
        and leg.user_id == answer.user_id != ""
        and is_work(leg)
        and (not leg.queues or _same(visit.session, leg)[1])
        and (leg.end or NEVER) >= (answer.start or "")
        and (leg.start or "") <= until
    )


def between_s(start: str, end: str) -> float:
    """Seconds from one time of the platform to another; `ValueError` if one cannot be read.

    Examples
    --------
    >>> between_s("2025-03-01T10:00:30.000Z", "2025-03-01T10:00:50.500Z")
    20.5
    """
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
