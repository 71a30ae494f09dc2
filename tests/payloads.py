"""Payloads in the platform's documented shapes, made anew, and a reader that answers from a table."""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime, timedelta

START = datetime(2025, 3, 1, 10, tzinfo=UTC)
QUEUES, AGENTS, SKILLS = ("q1", "q2"), ("u1", "u2", "u3"), ("s1", "s2", "s3")
# What must never come out again. Fields of these names hold it wherever the platform has them.
PERSONAL = "Jane Roe +15550100 jane@example.org"
PERSONAL_OF = {
    "conversation": ("externalTag",),
    "participant": ("participantName", "externalContactId", "attributes"),
    "session": ("ani", "dnis", "remote", "addressFrom", "addressTo", "remoteNameDisplayable"),
    "segment": ("wrapUpNote", "subject"),
    "survey": ("surveyFormName",),
}


def at(seconds):
    """A time as the platform writes it, some seconds after ten o'clock."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(seconds):
    return START + timedelta(seconds=seconds)


def metrics(at_s, **values):
    """Metrics by name; a value may be a list, for one that comes in pieces."""
    pieces = [
        (name, each) for name, value in values.items() for each in (value if isinstance(value, list) else [value])
    ]
    return [{"name": name, "value": value, "emitDate": at(at_s)} for name, value in pieces]


def segment(kind, start_s, end_s=None, queue=None, **more):
    found = {"segmentType": kind, "segmentStart": at(start_s), "conference": False, **more}
    return found | ({} if end_s is None else {"segmentEnd": at(end_s)}) | ({} if queue is None else {"queueId": queue})


def session(name, segments=(), measured=(), peer=None, media="voice", **more):
    found = {"sessionId": name, "mediaType": media, "direction": "inbound", "segments": list(segments), **more}
    return found | {"metrics": list(measured)} | ({"peerId": peer} if peer else {})


def participant(purpose, *sessions, user=None, **more):
    found = {"participantId": f"p-{purpose}", "purpose": purpose, "sessions": list(sessions), **more}
    return found | ({"userId": user} if user else {})


def queued(name="k1", queue="q1", start_s=30, end_s=50, peer="k0", extra=(), **more):
    """A session in a queue; `extra` metrics say how it ended."""
    measured = metrics(start_s, nOffered=1) + metrics(end_s, tAcd=1000 * (end_s - start_s)) + list(extra)
    asked = {"requestedRoutingSkillIds": ["s1"], "requestedLanguageId": "l1"}
    return session(name, [segment("interact", start_s, end_s, queue, **asked)], measured, peer, **more)


def handled(name="k2", queue="q1", start_s=50, talk_s=210, acw_s=30, alert_s=5, peer="k0", **more):
    """A session of an agent who answers, talks and wraps up."""
    talked_s, end_s = start_s + talk_s, start_s + talk_s + acw_s
    measured = metrics(start_s, tAlert=1000 * alert_s, tAnswered=20_000)
    measured += metrics(talked_s, tTalk=1000 * talk_s, tTalkComplete=1000 * talk_s)
    measured += metrics(end_s, tAcw=1000 * acw_s, tHandle=1000 * (talk_s + acw_s))
    parts = [
        segment("alert", start_s - alert_s, start_s, queue),
        segment("interact", start_s, talked_s, queue),
        segment("wrapup", talked_s, end_s, queue, wrapUpCode="ININ-WRAP-UP-TIMEOUT"),
    ]
    return session(name, parts, measured, peer, **more)


def rung_out(name="k9", queue="q1", start_s=35, end_s=45, peer="k0"):
    """A session of an agent who let it ring, and shows work all the same."""
    measured = metrics(end_s, tAlert=10_000, tNotResponding=10_000, tAcw=1000, tHandle=1000)
    return session(name, [segment("alert", start_s, end_s, queue)], measured, peer)


def conversation(*participants, name="c1", end_s=290, **more):
    found = {"conversationId": name, "conversationStart": at(0), "participants": list(participants), **more}
    return found | ({} if end_s is None else {"conversationEnd": at(end_s)})


def customer(end_s=260, **more):
    return participant("customer", session("k0", [segment("interact", 0, end_s)]), **more)


def answered(**more):
    """One visit, answered by u1: arrived at 30 s, waited 20 s, handled for 240 s, 30 s of it after the call."""
    return conversation(customer(), participant("acd", queued()), participant("agent", handled(), user="u1"), **more)


def survey(name="v1", score=87.5, status="Finished", agent="u1", queue="q1", at_s=7200):
    found = {"surveyId": name, "surveyStatus": status, "surveyType": "Web", "userId": agent, "queueId": queue}
    return found | {"oSurveyTotalScore": score, "surveyCompletedDate": at(at_s)}


def random_conversation(seed, name="c1"):
    """A conversation with up to four visits: answered, rung out, given up, flowed out or going on."""
    draw = random.Random(seed)
    participants, clock_s = [customer(5000)], draw.randrange(60)
    for number in range(draw.randrange(5)):
        queue, line = draw.choice(QUEUES), draw.choice(("k0", "k0", "kx"))
        wait_s = draw.randrange(1, 90)
        how = draw.choice(("answered", "answered", "tAbandon", "tFlowOut", "elsewhere", "nothing"))
        extra = metrics(clock_s + wait_s, **{how: 1000 * wait_s}) if how in ("tAbandon", "tFlowOut") else []
        media = draw.choice(("voice", "voice", "chat", "callback", "cobrowse"))
        more = {"usedRouting": "Standard"} if draw.random() < 0.5 else {}
        waiting = queued(f"a{number}", queue, clock_s, clock_s + wait_s, line, extra, media=media, **more)
        if draw.random() < 0.3:
            waiting["metrics"] = [
                each for each in waiting["metrics"] if each["name"] != draw.choice(("tAcd", "nOffered"))
            ]
        if draw.random() < 0.2:
            waiting["eligibleAgentCounts"] = [draw.randrange(9) for _ in range(3)]
        if draw.random() < 0.2:
            scored = [{"scoredAgentId": agent, "agentScore": draw.randrange(101)} for agent in AGENTS]
            waiting["segments"][0]["scoredAgents"] = scored
        participants.append(participant("acd", waiting))
        if draw.random() < 0.3:
            participants.append(
                participant("agent", rung_out(f"r{number}", queue, clock_s, clock_s + 1, line), user="u3")
            )
        if how == "elsewhere":
            given_up = session(f"e{number}", [segment("interact", clock_s, clock_s + wait_s, queue)])
            participants.append(participant("external", given_up | {"metrics": metrics(clock_s, tAbandon=1000)}))
        clock_s += wait_s
        if how == "answered":
            talk_s, acw_s = draw.randrange(1, 400), draw.randrange(60)
            one = handled(f"h{number}", queue, clock_s + draw.randrange(2), talk_s, acw_s, 3, line, media=media)
            gone = draw.choice(((), (), ("tHandle",), ("tHandle", "tAcw"), ("tAlert", "tHandle", "tTalkComplete")))
            one["metrics"] = [each for each in one["metrics"] if each["name"] not in gone]
            purpose = draw.choice(("agent", "agent", "agent", "user"))
            participants.append(participant(purpose, one, user=draw.choice(AGENTS)))
            clock_s += talk_s + acw_s
    surveys = [survey(f"v-{name}", draw.randrange(101), agent=draw.choice(AGENTS), queue=draw.choice(QUEUES))]
    more = {"surveys": surveys} if draw.random() < 0.4 else {}
    end_s = None if draw.random() < 0.2 else clock_s + 100
    return conversation(*participants, name=name, end_s=end_s, **more)


def shuffled(given, seed):
    """The same conversation with participants, sessions, metrics and segments in another order."""
    draw, found = random.Random(seed), copy.deepcopy(given)
    draw.shuffle(found["participants"])
    for who in found["participants"]:
        draw.shuffle(who["sessions"])
        for each in who["sessions"]:
            draw.shuffle(each["metrics"])
            draw.shuffle(each["segments"])
    return found


def with_personal_data(given):
    """The same conversation with a customer's particulars wherever the platform puts them."""
    found = copy.deepcopy(given)
    plant(found, "conversation")
    for each in found.get("surveys", ()):
        plant(each, "survey")
    for who in found["participants"]:
        plant(who, "participant")
        for one in who["sessions"]:
            plant(one, "session")
            for part in one["segments"]:
                plant(part, "segment")
    return found


def plant(given, kind):
    given.update(dict.fromkeys(PERSONAL_OF[kind], PERSONAL))
    if "attributes" in given:
        given["attributes"] = {"email": PERSONAL, PERSONAL: "1"}


RUBBISH = (
    None, 7, -3.5, True, "text", "", [], {}, [None], [[]], {"a": 1}, ["x"], "12411", 1e300, -1, 10**30,
    "2025-13-45T99:00:00.000Z", "2025-W09-6T10:00:00.000Z", "x" * 19 + ".yyyZ", "\ud800", "a\x00b", ["."] * 24,
)  # fmt: skip


def damaged(given, seed, times=3):
    """A payload with nodes removed, nulled, or replaced by something of another type."""
    draw, found = random.Random(seed), copy.deepcopy(given)
    for _ in range(times):
        places = list(nodes(found))
        if not places:
            return found
        holder, key = draw.choice(places)
        if isinstance(holder, dict) and draw.random() < 0.3:
            holder.pop(key, None)
        else:
            holder[key] = copy.deepcopy(draw.choice(RUBBISH))
    return found


def nodes(value):
    """Every place in a payload: what holds it, and where."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from nodes(inner)


class Answers:
    """A reader that answers from functions by path, and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def get(self, path, query=None, **path_params):
        self.asked.append((path, query, path_params))
        return self.answers["get"](path, query or {}, **path_params)

    def query(self, path, body):
        self.asked.append((path, body))
        return self.answers["query"](path, body)

    def submit(self, path, body):
        raise AssertionError("nothing is to be made")

    def delete(self, path, **path_params):
        raise AssertionError("nothing is to be deleted")


def paged(entities, size=2):
    """Answers of a listing in short pages."""

    def get(_path, query, **_params):
        first = size * (query["pageNumber"] - 1)
        more = {"nextUri": "/next"} if first + size < len(entities) else {}
        return {"entities": entities[first : first + size], **more}

    return get
