"""Visits once more, written from the documented rules alone: slow, plain, and sharing nothing with ingest."""

from __future__ import annotations

from datetime import datetime
from itertools import product


def time(text):
    return None if text is None else datetime.fromisoformat(text)


def all_sessions(conversation, purposes):
    for participant in conversation["participants"]:
        if participant["purpose"] in purposes:
            for session in participant["sessions"]:
                yield participant.get("userId"), session


def total_s(session, *names):
    values = [metric["value"] for metric in session["metrics"] if metric["name"] in names]
    return sum(values) / 1000 if values else None


def has(session, name):
    return any(metric["name"] == name for metric in session["metrics"])


def queue_of(session):
    return next((segment["queueId"] for segment in session["segments"] if "queueId" in segment), None)


def first_start(session):
    return min((time(segment["segmentStart"]) for segment in session["segments"]), default=None)


def last_end(session):
    return max((time(segment["segmentEnd"]) for segment in session["segments"]), default=None)


def emitted(session, name):
    return [time(metric["emitDate"]) for metric in session["metrics"] if metric["name"] == name]


def arrival(session):
    return min(emitted(session, "nOffered"), default=first_start(session))


def answers(conversation, visits):
    """Agent's session by place of the visit; the nearest pair first, nobody twice."""
    agents = [
        (user, session)
        for user, session in all_sessions(conversation, ["agent"])
        if has(session, "tAnswered") and not has(session, "tNotResponding")
    ]
    candidates = []
    for (place, visit), (user, session) in product(enumerate(visits), agents):
        same = visit.get("peerId") == session.get("peerId") and queue_of(visit) == queue_of(session)
        if same:
            gap = min(abs((moment - last_end(visit)).total_seconds()) for moment in emitted(session, "tAnswered"))
            candidates.append((gap, place, session["sessionId"], user, session))
    found = {}
    for _, place, name, user, session in sorted(candidates, key=lambda each: each[:3]):
        if place not in found and name not in {each["sessionId"] for _, each in found.values()}:
            found[place] = user, session
    return likely(conversation, visits, found)


def worked(session):
    """Did more than ring."""
    if has(session, "tNotResponding"):
        return has(session, "tTalk") or has(session, "tTalkComplete")
    return any(segment["segmentType"] not in ("alert", "system") for segment in session["segments"])


def likely(conversation, visits, found):
    """Of visits that nothing says the end of: whoever worked for it while it waited, or within a minute after."""
    taken = [session["sessionId"] for _, session in found.values()]
    candidates = []
    for place, visit in enumerate(visits):
        if place in found or has(visit, "tAbandon") or has(visit, "tFlowOut"):
            continue
        for purpose in ("agent", "user"):
            for user, session in all_sessions(conversation, [purpose]):
                line, queue = visit.get("peerId") == session.get("peerId"), queue_of(visit) == queue_of(session)
                callback, same = visit["mediaType"] == "callback", visit["mediaType"] == session["mediaType"]
                late_s = (first_start(session) - last_end(visit)).total_seconds()
                fits = (
                    queue and (line or purpose == "agent") and (same or (callback and session["mediaType"] == "voice"))
                )
                in_time = last_end(session) >= arrival(visit) and (callback or late_s <= 60)
                if worked(session) and fits and in_time and session["sessionId"] not in taken:
                    order = (not line, not same, not has(session, "tAnswered"), purpose, abs(late_s), place)
                    candidates.append((order, session["sessionId"], user, session))
    for order, name, user, session in sorted(candidates, key=lambda each: each[:2]):
        if order[-1] not in found and name not in taken:
            found[order[-1]] = user, session
            taken.append(name)
    return found


def calls_of(conversation, visits, answered):
    """By place of a callback: calls in it of the agent who took it, each once."""
    taken = [session["sessionId"] for _, session in answered.values()]
    found = {}
    for place, visit in enumerate(visits):
        if place in answered and visit["mediaType"] == "callback":
            user, own = answered[place]
            found[place] = [
                session
                for other, session in all_sessions(conversation, ["agent", "user"])
                if other == user and session["mediaType"] == "voice" and queue_of(session) == queue_of(visit)
                and session["sessionId"] not in taken and worked(session) and last_end(session) >= first_start(own)
                and (not has(own, "tHandle") or first_start(session) <= last_end(own))
            ]  # fmt: skip
            taken += [session["sessionId"] for session in found[place]]
    return found


def outcomes(conversation, visits, answered):
    found = []
    for place, visit in enumerate(visits):
        if place in answered:
            found.append("answered")
        elif has(visit, "tAbandon"):
            found.append("abandoned")
        else:
            found.append("flowed_out" if has(visit, "tFlowOut") else "unknown")
    elsewhere = {queue_of(s) for _, s in all_sessions(conversation, ["customer", "external"]) if has(s, "tAbandon")}
    for queue in elsewhere:
        places = [place for place, visit in enumerate(visits) if queue_of(visit) == queue]
        if not any(has(visits[place], "tAbandon") for place in places):
            for place in [place for place in places if found[place] == "unknown"][-1:]:
                found[place] = "abandoned"
    return found


def handling_s(conversation, session):
    if has(session, "tHandle"):
        return total_s(session, "tHandle")
    if "conversationEnd" not in conversation:
        return None
    talk = "tTalkComplete" if has(session, "tTalkComplete") else "tTalk"
    held = "tHeldComplete" if has(session, "tHeldComplete") else "tHeld"
    return total_s(session, talk, held, "tAcw")


def visits_of(conversation):
    """Rows of a conversation's visits as dictionaries, those of media without a table left out."""
    sessions = [session for _, session in all_sessions(conversation, ["acd"])]
    sessions.sort(key=lambda session: (arrival(session), session["sessionId"]))
    answered = answers(conversation, sessions)
    ends = outcomes(conversation, sessions, answered)
    calls = calls_of(conversation, sessions, answered)
    rows = []
    for place, (session, outcome) in enumerate(zip(sessions, ends, strict=True)):
        user, taken = answered.get(place, (None, None))
        handle_s = handling_s(conversation, taken) if taken else None
        acw_s = total_s(taken, "tAcw") if taken else None
        if calls.get(place):
            after_s, last = acw_s or 0.0, calls[place][-1]
            spoken_s = sum(handling_s(conversation, each) or 0.0 for each in calls[place])
            spoken_s -= sum(total_s(each, "tAcw") or 0.0 for each in calls[place]) if after_s else 0.0
            handle_s = max((handle_s or 0.0) - after_s, spoken_s) + after_s
            acw_s = total_s(last, "tAcw") if acw_s is None else acw_s
        wait_s = total_s(session, "tAcd")
        asked = [segment for segment in session["segments"] if "requestedRoutingSkillIds" in segment]
        scored = {s["scoredAgentId"]: float(s["agentScore"]) for each in asked for s in each.get("scoredAgents", ())}
        row = {
            "conversation_id": conversation["conversationId"],
            "visit": place + 1,
            "queue_id": queue_of(session),
            "arrived_at": arrival(session),
            "media": session["mediaType"],
            "skill_ids": sorted({skill for each in asked for skill in each["requestedRoutingSkillIds"]}),
            "language_id": asked[0]["requestedLanguageId"] if asked else None,
            "outcome": outcome,
            "agent_id": user,
            "wait_s": (last_end(session) - arrival(session)).total_seconds() if wait_s is None else wait_s,
            "alert_s": total_s(taken, "tAlert") if taken else None,
            "handle_s": handle_s,
            "acw_s": 0.0 if acw_s is None and handle_s is not None else acw_s,
            "used_routing": session.get("usedRouting") or (taken or {}).get("usedRouting"),
            "eligible_count": session.get("eligibleAgentCounts", [None])[-1],
            "preferred": [
                {"agent_id": agent, "score": scored[agent]} for agent in sorted(scored, key=lambda a: (-scored[a], a))
            ] or None,
        }  # fmt: skip
        if row["media"] in ("voice", "chat", "email", "message", "callback"):
            rows.append(row)
    return rows
