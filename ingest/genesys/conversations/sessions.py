"""One session of a participant: its metrics added up, its segments summed up.

This is the innermost loop of reading conversations, so it expects the documented shape and raises where it meets
another; the caller then brings that conversation into shape and reads it again.
"""

from __future__ import annotations

from typing import Any

from engine.typing import Record
from ingest.genesys.conversations.tidy import BEST_SCORE, MOST_COUNT, MOST_MS
from ingest.genesys.objects.values import text

OFFERED, ANSWERED, ABANDONED, FLOWED_OUT = "nOffered", "tAnswered", "tAbandon", "tFlowOut"
RANG_OUT = "tNotResponding"
IN_QUEUE, ALERT, HANDLE = "tAcd", "tAlert", "tHandle"
TALK, ALL_TALK, HELD, ALL_HELD, ACW = "tTalk", "tTalkComplete", "tHeld", "tHeldComplete", "tAcw"
# Parts of handling an outgoing contact, callbacks among them.
DIALING, CONTACTING = "tDialing", "tContacting"
TIMED = frozenset((OFFERED, ANSWERED))
READ = TIMED | {
    ABANDONED, FLOWED_OUT, RANG_OUT, IN_QUEUE, ALERT, HANDLE, TALK, ALL_TALK, HELD, ALL_HELD, ACW, DIALING, CONTACTING,
}  # fmt: skip

# Times are compared as texts of one width: `2025-03-01T10:00:00.000Z`, or with microseconds once tidied.
PLAIN_WIDTH, TIDY_WIDTH = 24, 27
# Sorts after every time.
NEVER = "~"
_NUMBERS = frozenset((int, float))


class OddShape(ValueError):
    """A value is not of the documented type or range."""


class Session:
    """What one session says. OddShape, TypeError or AttributeError tell that a value is not of the documented type."""

    __slots__ = (
        "answered_at", "direction", "end", "is_agent", "is_open", "kinds", "media", "metrics", "offered_at", "peer",
        "queue", "queues", "session_id", "start", "used_routing", "user_id",
    )  # fmt: skip
    # Sums by name; None where a metric came without a value.
    metrics: dict[str, float | None]
    offered_at: str | None
    answered_at: list[str]
    # Of its segments: first start, last end, whether one has no end, types, the queue, and all queues.
    start: str | None
    end: str | None
    is_open: bool
    kinds: set[str | None]
    queue: str | None
    queues: set[str]

    def __init__(self, given: Record, user_id: str | None, width: int, is_agent: bool = False) -> None:
        get = given.get
        # Whether it is of somebody who answers queues, not of somebody who was called by name.
        self.is_agent = is_agent
        self.session_id: str = get("sessionId") or ""
        self.peer: str = get("peerId") or ""
        self.media: str = get("mediaType") or ""
        self.direction: str = get("direction") or ""
        self.used_routing: str = get("usedRouting") or ""
        self.user_id: str = user_id or ""
        # Joining refuses whatever is no text.
        "".join((self.session_id, self.peer, self.media, self.direction, self.used_routing, self.user_id))
        self._read_metrics(get("metrics") or (), width)
        self._read_segments(get("segments") or (), width)

    def _read_metrics(self, metrics: Any, width: int) -> None:
        self.offered_at, self.answered_at = None, []
        sums: dict[str, float | None] = {}
        self.metrics = sums
        for metric in metrics:
            name = metric.get("name")
            if name not in READ:
                continue
            if "value" in metric:
                value = metric["value"]
                if type(value) not in _NUMBERS or not 0 <= value <= MOST_MS:
                    raise OddShape(name)
                sums[name] = (sums.get(name) or 0) + value
            else:
                # That a metric is there says something, even without its value.
                sums.setdefault(name, None)
            if name in TIMED and metric.get("emitDate") is not None:
                self._time(name, metric["emitDate"], width)

    def _time(self, name: str, at: Any, width: int) -> None:
        check_time(at, width)
        if name == ANSWERED:
            self.answered_at.append(at)
        else:
            self.offered_at = min(at, self.offered_at or NEVER)

    def _read_segments(self, segments: Any, width: int) -> None:
        first, last = NEVER, ""
        self.is_open = False
        self.kinds, queues = set(), set()
        for segment in segments:
            get = segment.get
            self.kinds.add(get("segmentType"))
            queues.add(get("queueId"))
            start, end = get("segmentStart"), get("segmentEnd")
            if start is not None:
                # Written out instead of calling `check_time`: this line runs for every segment of months.
                if len(start) != width or start[19] != ".":
                    raise OddShape("segmentStart")
                if start < first:  # noqa: PLR1730  calling min() takes three times as long
                    first = start
            if end is None:
                self.is_open = True
            elif len(end) != width or end[19] != ".":
                raise OddShape("segmentEnd")
            elif end > last:
                last = end
        self.start = first if first != NEVER else None
        self.end = last or None
        self.queue = only(queues, segments, "queueId")
        self.queues = queues


def check_time(at: str, width: int) -> None:
    """Refuse (`OddShape`) what cannot be compared with other times as a text: no text, or of another width.

    Examples
    --------
    >>> check_time("2025-03-01T10:00:00.000Z", PLAIN_WIDTH)
    """
    if type(at) is not str or len(at) != width or at[19] != ".":
        raise OddShape("a time")


def only(values: set[Any], segments: Any, field: str) -> str | None:
    """The value that segments agree on, else that of the earliest; only values stay in the set.

    Examples
    --------
    >>> late, early = {"queueId": "q1", "segmentStart": "2"}, {"queueId": "q2", "segmentStart": "1"}
    >>> only({"q1", "q2", None}, [late, early], "queueId")
    'q2'
    """
    values -= {None, ""}
    if not values:
        return None
    if len(values) > 1:
        given = [(each.get("segmentStart") or NEVER, each[field]) for each in segments if each.get(field)]
        value = min(given)[1]
    else:
        (value,) = values
    if type(value) is not str:
        raise OddShape(field)
    return value


class Request:
    """What an interaction asks of the one who takes it: union over the segments of a queue's session."""

    __slots__ = ("eligible", "language", "scores", "skills")

    def __init__(self, session: Record) -> None:
        segments = session.get("segments") or ()
        languages: set[Any] = set()
        skills: set[str] = set()
        self.scores: dict[str, float] = {}
        for segment in segments:
            get = segment.get
            languages.add(get("requestedLanguageId"))
            asked, scored = get("requestedRoutingSkillIds"), get("scoredAgents")
            if asked is not None:
                skills.update(_list(asked))
            if scored is not None:
                for each in _list(scored):
                    self._score(each)
        if skills and text("".join(skills) or "-") is None:
            raise OddShape("requestedRoutingSkillIds")
        self.skills = sorted(skills - {""})
        self.language = only(languages, segments, "requestedLanguageId")
        counts = session.get("eligibleAgentCounts")
        self.eligible = None if counts is None else _last_count(_list(counts))

    def _score(self, scored: Record) -> None:
        agent, score = scored.get("scoredAgentId"), scored.get("agentScore")
        if agent is None or score is None:
            return
        if text(agent) is None or type(score) not in _NUMBERS or not 0 <= score <= BEST_SCORE:
            raise OddShape("scoredAgents")
        self.scores[agent] = max(float(score), self.scores.get(agent, 0.0))

    def preferred(self) -> list[Record] | None:
        """Agents with scores, best first; None where there are none."""
        if not self.scores:
            return None
        ranked = sorted(self.scores.items(), key=lambda pair: (-pair[1], pair[0]))
        return [{"agent_id": agent, "score": score} for agent, score in ranked]


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise OddShape("a list")
    return value


def _last_count(counts: list[Any]) -> int | None:
    if not counts:
        return None
    if not all(type(count) is int and 0 <= count <= MOST_COUNT for count in counts):
        raise OddShape("eligibleAgentCounts")
    return int(counts[-1])
