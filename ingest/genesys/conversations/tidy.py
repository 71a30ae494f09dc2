"""A conversation brought to the documented shape: only allowed fields, of the right types, nothing else.

`SHAPE` is the list of everything that is read of a conversation. Names, addresses, numbers and attributes of
customers are not on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.typing import Record
from ingest.genesys.objects.values import instant, number, text

# Longest duration of one metric, three years. [ms]
MOST_MS = 1e11
MOST_COUNT = 2**31 - 1
BEST_SCORE = 100.0
# Scales of surveys are a setting of the organisation.
MOST_SCORE = 1e9


@dataclass(frozen=True)
class Limits:
    """A number between two bounds."""

    # Smallest and largest allowed
    low: float
    high: float
    whole: bool = False  # Whether it counts something


TEXT, TIME = "text", "time"
METRIC = {"name": TEXT, "value": Limits(0, MOST_MS), "emitDate": TIME}
SEGMENT = {
    "segmentType": TEXT,
    "segmentStart": TIME,
    "segmentEnd": TIME,
    "queueId": TEXT,
    "requestedRoutingSkillIds": [TEXT],
    "requestedLanguageId": TEXT,
    "scoredAgents": [{"scoredAgentId": TEXT, "agentScore": Limits(0, BEST_SCORE)}],
}
SESSION = {
    "sessionId": TEXT,
    "peerId": TEXT,
    "mediaType": TEXT,
    "direction": TEXT,
    "usedRouting": TEXT,
    "eligibleAgentCounts": [Limits(0, MOST_COUNT, whole=True)],
    "metrics": [METRIC],
    "segments": [SEGMENT],
}
SURVEY = {
    "surveyId": TEXT,
    "surveyStatus": TEXT,
    "userId": TEXT,
    "queueId": TEXT,
    "oSurveyTotalScore": Limits(-MOST_SCORE, MOST_SCORE),
    "surveyCompletedDate": TIME,
    "eventTime": TIME,
}
SHAPE: Record = {
    "conversationId": TEXT,
    "conversationStart": TIME,
    "conversationEnd": TIME,
    "participants": [{"purpose": TEXT, "userId": TEXT, "sessions": [SESSION]}],
    "surveys": [SURVEY],
}


def tidy(conversation: Record) -> tuple[Record, list[str]]:
    """Copy what is allowed and readable, times in one spelling; reasons name the fields left out, never their values.

    Examples
    --------
    >>> tidy({"conversationId": "c1", "conversationEnd": "soon", "externalTag": "x"})
    ({'conversationId': 'c1'}, ['conversationEnd is not a time'])
    """
    reasons: list[str] = []
    found = _record(conversation, SHAPE, "conversation", reasons)
    return found or {}, reasons


def _tidied(value: Any, shape: Any, name: str, reasons: list[str]) -> Any:
    """The value in its shape, or None."""
    if isinstance(shape, dict):
        return _record(value, shape, name, reasons)
    if isinstance(shape, list):
        return _list(value, shape[0], name, reasons)
    if shape == TEXT:
        found: Any = text(value)
    elif shape == TIME:
        at = instant(value)
        found = at and at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    else:
        found = number(value, shape.low, shape.high)
        if shape.whole:
            found = int(found) if found is not None and found == int(found) else None
    if found is None and value != "":
        reasons.append(f"{name} is not a {_kind(shape)}")
    return found


def _kind(shape: Any) -> str:
    if isinstance(shape, Limits):
        return f"{'count' if shape.whole else 'number'} from {shape.low:g} to {shape.high:g}"
    return str(shape)


def _record(value: Any, shape: Record, name: str, reasons: list[str]) -> Record | None:
    if not isinstance(value, dict):
        reasons.append(f"{name} is not an object")
        return None
    found = {}
    for field, inner in shape.items():
        given = value.get(field)
        if given is None:
            # A null says what a missing field says, but for measures: these are there to be read.
            if field in value and isinstance(inner, Limits):
                reasons.append(f"{field} is null")
            continue
        kept = _tidied(given, inner, field, reasons)
        if kept is not None:
            found[field] = kept
    return found


def _list(value: Any, shape: Any, name: str, reasons: list[str]) -> list[Any] | None:
    if not isinstance(value, list):
        reasons.append(f"{name} is not a list")
        return None
    kept = [_tidied(item, shape, f"an entry of {name}", reasons) for item in value]
    return [item for item in kept if item is not None]
