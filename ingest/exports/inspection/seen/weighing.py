"""How well the cells of a column go with a meaning: what a name says counts as far as the cells bear it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ingest.exports.inspection.known.vocabulary import Guess
from ingest.exports.inspection.seen.facts import MOSTLY, Facts

_TIME = {"time": 1.0, "date": 0.6, "clock": 0.3}
_SECONDS = {"duration": 1.0, "whole number": 1.0, "number": 1.0, "clock": 0.8, "yes or no": 0.6, "blank": 0.4}
_COUNT = {"whole number": 1.0, "number": 1.0, "yes or no": 0.6}
_NAMED = {
    "words": 1.0,
    "text": 0.8,
    "code": 0.8,
    "person": 0.8,
    "names": 0.7,
    "whole number": 0.5,
    "yes or no": 0.2,
    "email": 0.3,
}
_WHO = {
    "person": 1.0,
    "words": 0.9,
    "code": 0.9,
    "email": 0.9,
    "text": 0.8,
    "names": 0.7,
    "whole number": 0.7,
    "number": 0.3,
}
_ID = {
    "code": 1.0,
    "whole number": 1.0,
    "words": 0.6,
    "text": 0.8,
    "email": 0.7,
    "number": 0.6,
    "person": 0.2,
    "phone": 0.6,
    "time": 0.3,
    "date": 0.3,
    "yes or no": 0.6,
    "duration": 0.3,
}
_LIST = {"names": 1.0, "words": 1.0, "text": 0.8, "code": 0.7, "person": 0.5, "blank": 0.5}
_ANY: Mapping[str, float] = {}
_PART_OF_A_NAME = {"person": 0.9, "words": 1.0, "text": 1.0, "names": 0.5}
_FLAG = {"yes or no": 1.0}
# By meaning, how well a kind of cells goes with it; kinds that are not there do not go with it at all.
_GOES_WITH: Mapping[str, Mapping[str, float]] = {
    **dict.fromkeys(("arrived", "answered_at", "ended_at", "abandoned_at", "completed_at", "start", "end"), _TIME),
    "interval": {"time": 1.0, "date": 0.4, "clock": 0.5, "span": 0.7},
    "date": {"date": 1.0, "time": 0.4},
    "clock": {"clock": 1.0, "duration": 0.8, "span": 0.6, "time": 0.2},
    "end_clock": {"clock": 1.0, "duration": 0.8},
    **dict.fromkeys(("wait", "abandon_wait", "talk", "hold", "acw", "handle", "duration", "alert"), _SECONDS),
    **dict.fromkeys(("goal_s", "alerting_timeout", "aht", "asa"), _SECONDS),
    **dict.fromkeys(("offered", "answered_n", "abandoned_n", "priority", "score"), _COUNT),
    **dict.fromkeys(("scale_min", "scale_max", "ring_no"), _COUNT),
    "goal_share": {**_COUNT, "text": 0.8, "words": 0.8, "goal": 0.6},
    "goal": {"goal": 1.0},
    "break_start": {"clock": 1.0, "duration": 0.8, "time": 1.0},
    "break_end": {"clock": 1.0, "duration": 0.8, "time": 1.0},
    **dict.fromkeys(("queue", "team", "method", "scoring", "activity", "reason"), _NAMED),
    "agent": _WHO, "agent_name": {**_WHO, "whole number": 0.1, "code": 0.3, "email": 0.3},
    **dict.fromkeys(("first_name", "last_name"), _PART_OF_A_NAME),
    **dict.fromkeys(("agent_id", "survey_id", "interaction_id", "conversation_id"), _ID),
    "email": {"email": 1.0},
    **dict.fromkeys(("skills", "language", "queues"), _LIST),
    **dict.fromkeys(("abandoned_flag", "answered_flag", "joined"), _FLAG),
    "opening_hours": {"span": 1.0, "words": 1.0, "text": 1.0},
    "span": {"span": 1.0, "words": 0.5, "code": 0.5, "text": 0.4},
    "breaks": {"duration": 1.0, "number": 1.0, "whole number": 1.0, "span": 1.0, "clock": 0.8, "yes or no": 0.4},
    "code": {"words": 1.0, "code": 1.0, "text": 1.0, "yes or no": 0.5},
}  # fmt: skip
# Meanings that their cells tell, whatever the name: kind of list, meaning.
_TOLD_BY_CELLS = {"media": "media", "outcome": "outcome", "direction": "direction"}
_PERCENT = re.compile(r"\d+(?:[.,]\d+)?\s*%?")
PERSONAL = ("phone", "customer", "notes")
_SICK = 0.4
# Media, outcomes and the like are few.
_FEW = 20
_LONGEST_CODE = 4
_SAID_BY_NAME = frozenset({"arrived", "wait", "handle"})
_BY_NAME_ALONE = (*PERSONAL, "unused")


def weighed(facts: Facts) -> dict[str, Guess]:
    """What a column may mean, by its name and its cells."""
    found = {
        meaning: guess for meaning, named in facts.meanings.items() if (guess := _borne_out(meaning, named, facts))
    }
    for meaning, guess in _by_cells(facts).items():
        if meaning not in found or found[meaning].score < guess.score:
            found[meaning] = guess
    return found


def _borne_out(meaning: str, named: Guess, facts: Facts) -> Guess | None:
    if meaning in _BY_NAME_ALONE:
        # A part of a name says nothing so sure as that nobody may look at it.
        return named if named.score == 1.0 or meaning == "unused" else Guess(named.score * 0.8, named.why)
    if meaning in _TOLD_BY_CELLS or meaning == "evaluation_method":
        share = facts.share_meant(_TOLD_BY_CELLS.get(meaning, meaning))
        score = named.score * max(share, 0.3 if facts.kind.name in {"words", "text", "code", "blank"} else 0.0)
        return Guess(score, named.why) if score else None
    fit = _fits(meaning, facts)
    if not fit and named.score == 1.0 and meaning in _SAID_BY_NAME and facts.kind.name in {"text", "words", "names"}:
        # The name is sure and the cells are sick: they are refused with their rows, not left out in silence.
        return Guess(_SICK, f"{named.why}, but its cells are not read")
    return Guess(named.score * fit, named.why) if fit else None


def _fits(meaning: str, facts: Facts) -> float:
    kind = facts.kind.name
    goes = _GOES_WITH.get(meaning, _ANY).get(kind, 0.0)
    if not facts.is_filled:
        return 0.3
    if meaning in {"interaction_id", "survey_id"} and not facts.is_unique:
        goes *= 0.5
    if meaning in {"agent", "agent_id", "agent_name"} and "agents" in facts.has_others_names:
        return 1.2
    if meaning == "queue" and "queues" in facts.has_others_names:
        return 1.4
    if meaning == "priority" and kind == "yes or no":
        return 0.5
    return goes


def _by_cells(facts: Facts) -> dict[str, Guess]:
    found: dict[str, Guess] = {}
    for tell in _TELLING:
        found |= {meaning: guess for meaning, guess in tell(facts).items() if meaning not in found}
    return found


def _share_of_a_goal(facts: Facts) -> dict[str, Guess]:
    """A goal whose seconds stand in another column."""
    named = facts.meanings.get("goal")
    if named is None or not facts.counts:
        return {}
    percents = [cell for cell in facts.counts if _PERCENT.fullmatch(cell)]
    return {"goal_share": Guess(0.98 * named.score, named.why)} if len(percents) == len(facts.counts) else {}


def _values(facts: Facts) -> dict[str, Guess]:
    if facts.is_unique or len(facts.counts) > _FEW:
        return {}
    kinds = ((kind, meaning) for kind, meaning in _TOLD_BY_CELLS.items() if facts.share_meant(kind) >= MOSTLY)
    found = {meaning: Guess(0.8, f"its cells say {_some(facts)}") for kind, meaning in kinds if len(facts.counts) > 1}
    if facts.kind.name != "span" and facts.share_meant("activity") >= MOSTLY and len(facts.counts) > 1:
        found["activity"] = Guess(0.7, f"its cells say {_some(facts)}")
    return found


def _names(facts: Facts) -> dict[str, Guess]:
    found = {}
    if "agents" in facts.has_others_names:
        found["agent"] = Guess(0.9, "its cells are agents of another file")
    if "lists of queues" in facts.has_others_names:
        found["queues"] = Guess(0.9, "its cells are lists of queues")
    if "queues" in facts.has_others_names:
        found["queue"] = Guess(0.85, "its cells are queues of another file")
    return found


def _looks(facts: Facts) -> dict[str, Guess]:
    kind = facts.kind
    by_kind: Mapping[str, tuple[str, float, str]] = {
        "phone": ("phone", 0.9, "its cells are phone numbers"),
        "goal": ("goal", 0.9, f"its cells are goals such as {_some(facts)}"),
        "email": ("customer", 0.6, "its cells are e-mail addresses"),
        "time": ("arrived", 0.36, f"its cells are times such as {_some(facts)}"),
        "date": ("date", 0.35, f"its cells are dates such as {_some(facts)}"),
        "clock": ("clock", 0.36, f"its cells are clock times such as {_some(facts)}"),
        "span": ("span", 0.75, f"its cells are spans such as {_some(facts)}"),
    }
    found = {}
    if kind.name in by_kind:
        meaning, score, why = by_kind[kind.name]
        found[meaning] = Guess(score, why)
    if kind.name == "person":
        found["agent"] = Guess(0.45, "its cells are names of people")
        found["agent_name"] = Guess(0.45, "its cells are names of people")
        found["customer"] = Guess(0.4, "its cells are names of people")
    if kind.name == "clock":
        found["end_clock"] = Guess(0.35, f"its cells are clock times such as {_some(facts)}")
    if facts.is_unique and kind.n_seen and max(map(len, facts.distinct), default=0) <= _LONGEST_CODE:
        found["code"] = Guess(0.45, "each of its cells is another short code")
    if kind.name == "code" and facts.is_unique:
        found["interaction_id"] = Guess(0.4, "each of its cells is another")
    if kind.name in {"email", "code", "whole number"} and facts.is_unique:
        found["agent_id"] = Guess(0.3, "each of its cells is another")
    if kind.name == "text" and kind.n_seen and _mean_chars(facts) > 40:
        found["notes"] = Guess(0.6, "its cells are free text")
    return found


_TELLING: tuple[Callable[[Facts], dict[str, Guess]], ...] = (_values, _names, _share_of_a_goal, _looks)


def _mean_chars(facts: Facts) -> float:
    return sum(map(len, facts.distinct)) / max(1, len(facts.distinct))


def _some(facts: Facts) -> str:
    shown = list(facts.counts)[:2] or list(facts.kind.samples[:1])
    return ", ".join(shown)
