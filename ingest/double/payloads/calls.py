"""Calls that came through no queue, as the platform writes them."""

from __future__ import annotations

from typing import Any

from ingest.double.centre.facts import ANI, DNIS, PERSON, Call
from ingest.double.centre.stamps import text
from ingest.double.payloads.people import HOME
from ingest.double.payloads.sessions import WRAP_UPS, metric, segment

Json = dict[str, Any]


def call_payload(call: Call) -> Json:
    """A conversation that an agent began."""
    other = _colleague(call) if call.other_agent_id is not None else _customer(call)
    return {
        "conversationId": call.conversation_id, "conversationStart": text(call.start_ms),
        "conversationEnd": text(call.end_ms), "originatingDirection": "outbound", "divisionIds": [HOME["id"]],
        "conversationInitiator": "agent", "participants": [_caller(call), other],
    }  # fmt: skip


def _caller(call: Call) -> Json:
    talk_from_ms, talk_to_ms = call.start_ms + call.dial_ms, call.end_ms - call.acw_ms
    segments = [
        segment("dialing", call.start_ms, talk_from_ms, call.queue_id),
        segment("interact", talk_from_ms, talk_to_ms, call.queue_id, disconnectType="peer"),
    ]
    metrics = [metric("nOutbound", 1, call.start_ms), *_talk(talk_from_ms, talk_to_ms)]
    if call.acw_ms:
        segments.append(segment("wrapup", talk_to_ms, call.end_ms, call.queue_id, wrapUpCode=WRAP_UPS[0]))
        metrics.append(metric("tAcw", call.acw_ms, call.end_ms))
    metrics.append(metric("tHandle", call.end_ms - talk_from_ms, call.end_ms))
    purpose = "user" if call.queue_id is None else "agent"
    session = _session(call, "caller", "outbound", segments, metrics)
    return {"participantId": f"{call.conversation_id}:caller", "purpose": purpose, "userId": call.agent_id,
            "sessions": [session]}  # fmt: skip


def _colleague(call: Call) -> Json:
    talk_from_ms = call.start_ms + call.dial_ms
    segments = [
        segment("alert", call.start_ms, talk_from_ms, None),
        segment("interact", talk_from_ms, call.end_ms, None, disconnectType="peer"),
    ]
    session = _session(call, "called", "inbound", segments, _talk(talk_from_ms, call.end_ms))
    return {"participantId": f"{call.conversation_id}:called", "purpose": "user", "userId": call.other_agent_id,
            "sessions": [session]}  # fmt: skip


def _customer(call: Call) -> Json:
    start_ms = call.start_ms + call.dial_ms
    spoken = segment("interact", start_ms, call.end_ms - call.acw_ms, call.queue_id, disconnectType="peer")
    session = _session(call, "customer", "outbound", [spoken], [metric("nConnected", 1, start_ms)])
    return {"participantId": f"{call.conversation_id}:customer", "purpose": "customer", "participantName": PERSON,
            "sessions": [session | {"ani": DNIS, "dnis": ANI, "remote": PERSON}]}  # fmt: skip


def _session(call: Call, name: str, direction: str, segments: list[Json], metrics: list[Json]) -> Json:
    peer = "customer" if name == "caller" else "caller"
    return {
        "sessionId": f"{call.conversation_id}:{name}", "peerId": f"{call.conversation_id}:{peer}", "mediaType": "voice",
        "direction": direction, "provider": "Edge", "segments": segments, "metrics": metrics,
    }  # fmt: skip


def _talk(from_ms: int, to_ms: int) -> list[Json]:
    return [metric("tTalk", to_ms - from_ms, to_ms), metric("tTalkComplete", to_ms - from_ms, to_ms)]
