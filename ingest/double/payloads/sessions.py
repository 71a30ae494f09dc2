"""Sessions of a conversation as the platform writes them: one queue, one agent, one menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.double.centre.facts import NOTE, PERSON, Missed, platform_id
from ingest.double.centre.stamps import text

Json = dict[str, Any]

WRAP_UPS = tuple(platform_id("wrapup", name) for name in ("done", "call again", "order", "complaint", "other"))
TIMED_OUT = "ININ-WRAP-UP-TIMEOUT"
# Who gives up sooner counts as a short abandon besides.
SHORT_ABANDON_MS = 5_000


def metric(name: str, value: int, moment_ms: int) -> Json:
    """One metric of a session."""
    return {"name": name, "value": value, "emitDate": text(moment_ms)}


def segment(kind: str, start_ms: int, end_ms: int | None, queue: str | None, **more: object) -> Json:
    """One segment of a session."""
    found: Json = {"segmentType": kind, "segmentStart": text(start_ms), "conference": False}
    if end_ms is not None:
        found["segmentEnd"] = text(end_ms)
    if queue is not None:
        found["queueId"] = queue
    return found | more


def queue_session(visit: Json, common: Json, over_sla_ms: int, asked: Json) -> Json:
    """The session in which a conversation waits in a queue."""
    queue, arrived_ms, wait_ms = visit["queue_id"], visit["arrived_ms"], visit["wait_ms"]
    left_ms = None if wait_ms is None and not visit["over"] else arrived_ms + (wait_ms or 0)
    metrics = [metric("nOffered", 1, arrived_ms)]
    if left_ms is not None and wait_ms is not None:
        metrics += _left(visit["outcome"], wait_ms, left_ms, over_sla_ms)
    ends = {"answered": "transfer", "abandoned": "peer", "flowed_out": "transfer"}
    how = {"disconnectType": ends[visit["outcome"]]} if visit["outcome"] in ends else {}
    found = common | {
        "sessionId": f"{visit['conversation_id']}:acd{visit['visit']:02d}",
        "direction": "inbound",
        "requestedRoutings": ["Standard"],
        "segments": [segment("interact", arrived_ms, left_ms, queue, **asked, **how)],
        "metrics": metrics,
    }
    if visit["used_routing"] is not None:
        found["usedRouting"] = visit["used_routing"]
    if visit["eligible_count"] is not None:
        found["eligibleAgentCounts"] = [visit["eligible_count"]]
    return found


def _left(outcome: str, wait_ms: int, left_ms: int, over_sla_ms: int) -> list[Json]:
    """Metrics at the end of waiting."""
    found = [metric("tAcd", wait_ms, left_ms)]
    if outcome == "abandoned":
        found.append(metric("tAbandon", wait_ms, left_ms))
        if wait_ms < SHORT_ABANDON_MS:
            found.append(metric("tShortAbandon", wait_ms, left_ms))
    if outcome == "flowed_out":
        found.append(metric("tFlowOut", wait_ms, left_ms))
    if outcome in {"answered", "abandoned"} and wait_ms > over_sla_ms:
        found.append(metric("nOverSla", 1, left_ms))
    return found


def agent_session(visit: Json, common: Json, is_timed_out: bool) -> Json:
    """The session of the agent who answered a visit."""
    queue, answered_ms = visit["queue_id"], visit["arrived_ms"] + visit["wait_ms"]
    segments, metrics = [], []
    if visit["alert_ms"] is not None:
        segments.append(segment("alert", answered_ms - visit["alert_ms"], answered_ms, queue))
        metrics.append(metric("tAlert", visit["alert_ms"], answered_ms))
    metrics.append(metric("tAnswered", visit["wait_ms"], answered_ms))
    if visit["over"]:
        for more_segments, more_metrics in (_spoken(visit, answered_ms), _wrapped(visit, answered_ms, is_timed_out)):
            segments += more_segments
            metrics += more_metrics
        metrics.append(metric("tHandle", visit["handle_ms"], answered_ms + visit["handle_ms"]))
    else:
        segments.append(segment("interact", answered_ms, None, queue))
    found = common | {
        "sessionId": f"{visit['conversation_id']}:agent{visit['visit']:02d}",
        "direction": "inbound",
        "remote": PERSON,
        "requestedRoutings": ["Standard"],
        "segments": segments,
        "metrics": metrics,
    }
    if visit["used_routing"] is not None:
        found["usedRouting"] = visit["used_routing"]
    return found


def _spoken(visit: Json, answered_ms: int) -> tuple[list[Json], list[Json]]:
    """Talk, and hold in the middle of it: tTalk and tHeld come once for every part."""
    queue, talk_ms, hold_ms = visit["queue_id"], visit["talk_ms"], visit["hold_ms"]
    end_ms = answered_ms + talk_ms + hold_ms
    if not hold_ms:
        only = segment("interact", answered_ms, end_ms, queue, disconnectType="peer")
        return [only], [metric("tTalk", talk_ms, end_ms), metric("tTalkComplete", talk_ms, end_ms)]
    held_ms = answered_ms + talk_ms // 2
    back_ms = held_ms + hold_ms
    parts = [
        segment("interact", answered_ms, held_ms, queue),
        segment("hold", held_ms, back_ms, queue),
        segment("interact", back_ms, end_ms, queue, disconnectType="peer"),
    ]
    metrics = [
        metric("tTalk", held_ms - answered_ms, held_ms), metric("tHeld", hold_ms, back_ms),
        metric("tTalk", end_ms - back_ms, end_ms), metric("tTalkComplete", talk_ms, end_ms),
        metric("tHeldComplete", hold_ms, end_ms),
    ]  # fmt: skip
    return parts, metrics


def _wrapped(visit: Json, answered_ms: int, is_timed_out: bool) -> tuple[list[Json], list[Json]]:
    acw_ms = visit["acw_ms"]
    if acw_ms is None:
        return [], []
    end_ms = answered_ms + visit["handle_ms"]
    code = TIMED_OUT if is_timed_out else WRAP_UPS[visit["arrived_ms"] % len(WRAP_UPS)]
    wrap_up = segment("wrapup", end_ms - acw_ms, end_ms, visit["queue_id"], wrapUpCode=code, wrapUpNote=NOTE)
    return [wrap_up], [metric("tAcw", acw_ms, end_ms)]


def missed_session(missed: Missed, visit: Json, common: Json) -> Json:
    """The session of an agent who let it ring; the platform may show after-call work nevertheless."""
    queue, end_ms = visit["queue_id"], missed.end_ms
    rang_ms = end_ms - missed.start_ms
    segments = [segment("alert", missed.start_ms, end_ms, queue, disconnectType="system")]
    metrics = [metric("tAlert", rang_ms, end_ms), metric("tNotResponding", rang_ms, end_ms)]
    if missed.acw_ms:
        done_ms = end_ms + missed.acw_ms
        segments.append(segment("wrapup", end_ms, done_ms, queue, wrapUpCode=TIMED_OUT))
        metrics += [metric("tAcw", missed.acw_ms, done_ms), metric("tHandle", missed.acw_ms, done_ms)]
    session_id = f"{missed.conversation_id}:missed{missed.visit:02d}"
    return common | {"sessionId": session_id, "direction": "inbound", "segments": segments, "metrics": metrics}


def agent_sessions(visit: Json, common: Json, is_timed_out: bool, shares_screen: bool) -> Iterator[Json]:
    """All sessions of the agent who answered: one, and perhaps one of a media that routing does not know."""
    yield agent_session(visit, common, is_timed_out)
    if shares_screen and visit["over"]:
        start_ms = visit["arrived_ms"] + visit["wait_ms"]
        shown = segment("interact", start_ms, start_ms + visit["talk_ms"], None, disconnectType="endpoint")
        own = {"sessionId": f"{visit['conversation_id']}:screen", "mediaType": "cobrowse", "direction": "inbound"}
        yield own | {"segments": [shown], "metrics": [metric("nConnected", 1, start_ms)]}
