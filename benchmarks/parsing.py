"""How fast conversations are read, from the bytes of an answer to frames, on one core."""

from __future__ import annotations

import gc
from collections.abc import Callable
from random import Random
from typing import Any

import orjson

from benchmarks.measure import processor_s
from benchmarks.phases import Job
from ingest.genesys.conversations import parse_conversations
from ingest.genesys.importing import RARELY

Json = dict[str, Any]
# Conversations to a page of a job's results.
PAGE = 1000
N_QUEUES, N_AGENTS, N_SKILLS = 20, 300, 40
# The real conversations of `tests/test_conversations.py` have 8 to 11 metrics and 4 or 5 segments.
SEGMENTS = {"customer": 1, "acd": 1, "agent": 3}
PHASE = "parse"
WORKLOADS = {"conversations": False, "large-conversations": True}
# Of a large one: metrics and segments of every participant, some of them of no use to anybody.
N_METRICS, N_SEGMENTS = 8, 5
FILLERS = ("nConnected", "nTransferred", "tIvr", "nOutbound", "tConnected", "nError", "tVoicemail", "nConsult")


def parse(n: int, is_large: bool = False) -> Job:
    """Bytes of answers to frames, JSON included, beside parsing JSON alone."""
    pages = [orjson.dumps({"conversations": page}) for page in made_up(n, is_large)]
    return Job(
        lambda: _timed(lambda: _read(pages)),
        lambda: _timed(lambda: sum(len(orjson.loads(page)) for page in pages)),
        "JSON alone",
        is_replay=True,
    )


def _timed(work: Callable[[], object]) -> float:
    """Processor time with the garbage collector as rare as the command has it. [s]"""
    usual = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        return processor_s(work)
    finally:
        gc.set_threshold(*usual)


def _read(pages: list[bytes]) -> int:
    return sum(parse_conversations(orjson.loads(page)["conversations"]).visits.height for page in pages)


def made_up(n: int, is_large: bool = False, seed: int = 0) -> list[list[Json]]:
    """Answered voice conversations, in pages."""
    random = Random(seed)
    conversations = [_conversation(number, random, is_large) for number in range(n)]
    return [conversations[first : first + PAGE] for first in range(0, n, PAGE)]


def _conversation(number: int, random: Random, is_large: bool) -> Json:
    queue, agent, skill = (_id(random.randrange(most)) for most in (N_QUEUES, N_AGENTS, N_SKILLS))
    customer, waiting, talking = (_id(3 * number + place) for place in range(3))
    wait_ms, talk_ms = random.randrange(90_000), random.randrange(10_000, 600_000)
    queued = {"nOffered": 1, "tAcd": wait_ms}
    handled = {"tAlert": 4000, "tAnswered": wait_ms, "tTalk": talk_ms, "tTalkComplete": talk_ms, "tAcw": 9000,
               "tHandle": talk_ms + 9000, "tHeld": 0, "tHeldComplete": 0}  # fmt: skip
    asked = {"queueId": queue, "requestedRoutingSkillIds": [skill], "requestedLanguageId": _id(1)}
    participants = [
        _participant("customer", {"participantName": "Somebody"}, (customer, None), {"nConnected": 1}, {}, is_large),
        _participant("acd", {}, (waiting, customer), queued, asked, is_large),
        _participant("agent", {"userId": agent}, (talking, customer), handled, {"queueId": queue}, is_large),
    ]
    return {
        "conversationId": _id(number),
        "conversationStart": _time(0),
        "conversationEnd": _time(N_SEGMENTS),
        "originatingDirection": "inbound",
        "divisionIds": [_id(7)],
        "participants": participants,
    }


def _participant(
    purpose: str, who: Json, ids: tuple[str, str | None], metrics: Json, asked: Json, is_large: bool
) -> Json:
    session, peer = ids
    filled = metrics | dict.fromkeys(FILLERS[: N_METRICS - len(metrics)] if is_large else (), 1)
    given = {
        "sessionId": session, "mediaType": "voice", "direction": "inbound", "ani": "tel:+15550100", "provider": "Edge",
        "usedRouting": "Standard", "requestedRoutings": ["Standard"],
        "metrics": [{"name": name, "value": value, "emitDate": _time(1)} for name, value in filled.items()],
        "segments": [
            {"segmentType": "interact", "segmentStart": _time(place), "segmentEnd": _time(place + 1),
             "conference": False, "disconnectType": "peer", **asked}
            for place in range(N_SEGMENTS if is_large else SEGMENTS[purpose])
        ],
    }  # fmt: skip
    return {
        "participantId": session,
        "purpose": purpose,
        **who,
        "sessions": [given | ({"peerId": peer} if peer else {})],
    }


def _id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def _time(minute: int) -> str:
    return f"2025-03-01T10:{minute:02}:00.000Z"
