"""Work of an agent counts once: as the answer of a visit to a queue, or as work elsewhere."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.genesys.collecting.reported import reported
from ingest.genesys.collecting.wanted import Span
from ingest.genesys.conversations import parse_conversations
from tests.payloads import (
    START,
    conversation,
    customer,
    handled,
    metrics,
    participant,
    queued,
    rung_out,
    segment,
    session,
    when,
)

Json = dict[str, Any]
DAY = Span(START.date(), START.date())
QUEUES = ("q1", "q2", "q3")
MEDIA = ("voice", "chat", "email", "message", "callback")


def busy_of(parsed: Any, queues: Any = QUEUES) -> pl.DataFrame:
    frames = {name: getattr(parsed, name) for name in ("lives", "visits", "work", "surveys", "left_out")}
    return reported(frames, list(queues), DAY).busy


def without(given_: Json, *names: str) -> Json:
    return given_ | {"metrics": [each for each in given_["metrics"] if each["name"] not in names]}


def dialled(start_s: int, talk_s: int, acw_s: int = 0, queue: str | None = None, **more: Any) -> Json:
    """A call that an agent makes; all of it is told as handling."""
    end_s = start_s + talk_s + acw_s
    parts = [segment("dialing", start_s, start_s + 2, queue), segment("interact", start_s + 2, start_s + talk_s, queue)]
    measured = metrics(end_s, tTalkComplete=1000 * (talk_s - 2), tDialing=2000, tHandle=1000 * (talk_s + acw_s))
    if acw_s:
        parts.append(segment("wrapup", start_s + talk_s, end_s, queue))
        measured += metrics(end_s, tAcw=1000 * acw_s)
    return session("leg", parts, measured, direction="outbound", **more)


# --- callbacks by hand ------------------------------------------------------------------------------------------------

ASKED = participant("acd", queued(media="callback"))
LOOKS = session(
    "look", [segment("alert", 45, 50, "q1"), segment("interact", 50, 60, "q1")],
    metrics(50, tAlert=5000, tAnswered=20_000), "k0", "callback",
)  # fmt: skip
WRAPS = LOOKS | {"segments": [*LOOKS["segments"], segment("wrapup", 260, 290, "q1")],
                 "metrics": LOOKS["metrics"] + metrics(290, tAcw=30_000, tHandle=30_000)}  # fmt: skip
WHOLE = handled(media="callback")


@pytest.mark.parametrize(
    ("sessions", "handle_s", "acw_s"),
    [
        # The callback's session says all: 210 s of talk and 30 s after it.
        ([WHOLE], 240.0, 30.0),
        ([without(WHOLE, "tAnswered")], 240.0, 30.0),
        ([handled(media="callback", peer=None)], 240.0, 30.0),
        ([handled(media="callback", queue=None, peer=None)], 240.0, 30.0),
        # So does the call beside it, which is the same work.
        ([WHOLE, dialled(60, 200)], 240.0, 30.0),
        # The call alone carries the handling: 200 s of it, 10 s after it.
        ([LOOKS, dialled(60, 200, 10)], 210.0, 10.0),
        ([without(LOOKS, "tAnswered"), dialled(60, 200, 10)], 210.0, 10.0),
        ([dialled(60, 200, 10)], 210.0, 10.0),
        ([dialled(60, 200, 10, "q1")], 210.0, 10.0),
        # The call has the talk, the callback the work after it.
        ([WRAPS, dialled(60, 200)], 230.0, 30.0),
    ],
)
def test_a_callback_is_answered_by_the_agent_whose_session_carries_the_handling(
    sessions: list[Json], handle_s: float, acw_s: float
) -> None:
    parsed = parse_conversations([conversation(customer(), ASKED, participant("agent", *sessions, user="u1"))])
    (visit,) = parsed.visits.to_dicts()
    assert (visit["outcome"], visit["agent_id"], visit["handle_s"], visit["acw_s"]) == (
        "answered",
        "u1",
        handle_s,
        acw_s,
    )
    assert busy_of(parsed).is_empty()


def test_a_callback_that_nobody_takes_is_no_one_s_work_and_ends_when_it_did() -> None:
    ring = rung_out() | {"mediaType": "callback"}
    parsed = parse_conversations([conversation(customer(), ASKED, participant("agent", ring, user="u9"))])
    (visit,) = parsed.visits.to_dicts()
    assert (visit["outcome"], visit["agent_id"], visit["wait_s"]) == ("unknown", None, 20.0)
    assert busy_of(parsed).is_empty()


# --- conversations of all sorts, of which it is known who did what ----------------------------------------------------


@dataclass
class Told:
    """A made-up conversation, and the truth about it."""

    draw: random.Random
    name: str
    media: str
    clock_s: int = 0
    participants: list[Json] = field(default_factory=list)
    answers: list[tuple[str, str, str | None]] = field(default_factory=list)  # media, queue and who answered, by visit
    others: list[str] = field(default_factory=list)  # Who did other work, through no visit of theirs
    n: int = 0

    def new(self, letter: str) -> str:
        self.n += 1
        return f"{letter}{self.name}-{self.n}"

    def queue(self) -> str:
        return self.draw.choice(QUEUES)

    def add(self, purpose: str, *sessions: Json, user: str | None = None) -> None:
        self.participants.append(participant(purpose, *sessions, user=user))

    def visit(self, how: str, queue: str | None = None) -> None:
        """One visit of any outcome, rung out before or not."""
        queue = queue or self.queue()
        wait_s = self.draw.randint(5, 50)
        end_s = self.clock_s + wait_s
        extra = metrics(end_s, **{how: 1000 * wait_s}) if how in ("tAbandon", "tFlowOut") else []
        waiting = queued(self.new("a"), queue, self.clock_s, end_s, "k0", extra, media=self.media)
        if how == "open":
            del waiting["segments"][0]["segmentEnd"]
            waiting = without(waiting, "tAcd")
        if how == "moved":
            # It goes on in another queue within the same session, and is answered there.
            waiting["segments"].append(segment("interact", end_s - 2, end_s, f"{queue}x"))
        self.add("acd", waiting)
        if self.draw.random() < 0.3:
            ring = rung_out(self.new("r"), queue, self.clock_s, self.clock_s + 3) | {"mediaType": self.media}
            self.add("agent", ring, user=self.new("u"))
        self.clock_s = end_s
        user = self.new("u") if how in ("answered", "moved") else None
        self.answers.append((self.media, queue, user))
        if user is not None:
            self.answer(queue if how == "answered" else f"{queue}x", user)

    def answer(self, queue: str, user: str) -> None:
        """The session of whoever answers, in any of the shapes that are met."""
        talk_s, acw_s, start_s = self.draw.randint(20, 200), self.draw.randint(0, 30), self.clock_s
        plain = handled(self.new("h"), queue, start_s, talk_s, acw_s, 3, media=self.media)
        shape = self.draw.choice(("plain", "plain", "unsaid", "unmeasured", "no line", "no queue"))
        if shape == "unsaid":
            plain = without(plain, "tAnswered")
        if shape == "unmeasured":
            plain = without(plain, "tAnswered", "tTalk", "tTalkComplete", "tAcw", "tHandle", "tAlert")
        if shape == "no line":
            plain.pop("peerId")
        if shape == "no queue":
            for part in plain["segments"]:
                part.pop("queueId")
        sessions = [plain]
        if self.media == "callback":
            call = dialled(start_s + 1, talk_s - 5) | {"sessionId": self.new("h")}
            sessions = self.draw.choice(([plain], [plain, call], [call, plain], [call]))
        self.add("agent", *sessions, user=user)
        self.clock_s += talk_s + acw_s + 1

    def consult(self) -> None:
        """A colleague called by name, without a queue, while the agent talks."""
        start_s = max(0, self.clock_s - self.draw.randint(5, 20))
        parts = [segment("alert", start_s, start_s + 2), segment("interact", start_s + 2, start_s + 9)]
        asked = session(self.new("c"), parts, metrics(start_s + 9, tTalk=7000, tTalkComplete=7000), self.new("k"))
        self.others.append(self.new("u"))
        self.add("user", asked, user=self.others[-1])

    def conference(self) -> None:
        """Another agent joins on the same line and queue as the last answer, which says whose it is."""
        media, queue, user = self.answers[-1] if self.answers else (self.media, "", None)
        if user is None or media == "callback":
            return
        start_s = self.clock_s + 120
        joined = session(self.new("j"), [segment("interact", start_s, start_s + 40, queue)],
                         metrics(start_s + 40, tTalk=40_000), "k0", media)  # fmt: skip
        self.others.append(self.new("u"))
        self.add("agent", joined, user=self.others[-1])
        self.clock_s = start_s + 41

    def outbound(self) -> None:
        """A call out, on behalf of a queue or not, of a conversation of its own."""
        queue = self.draw.choice((None, self.queue()))
        call = dialled(self.clock_s + 200, 60, 5, queue) | {"sessionId": self.new("o")}
        self.others.append(self.new("u"))
        self.add("agent" if queue else "user", call, user=self.others[-1])
        self.clock_s += 300


def told(seed: int) -> tuple[Json, Told]:
    draw = random.Random(seed)
    made = Told(draw, f"c{seed}", draw.choice(MEDIA))
    made.participants.append(customer(5000))
    if draw.random() < 0.2:
        made.add("ivr", session(made.new("f"), [segment("ivr", 0, 5)]))
        made.clock_s = 5
    for _ in range(draw.randint(0, 3)):
        how = draw.choice(("answered", "answered", "moved", "tAbandon", "tFlowOut", "left", "open"))
        made.visit(how)
        if how == "answered" and draw.random() < 0.3:
            made.consult()
        # Well apart: whoever comes within a minute of a visit without a mark might have answered it.
        made.clock_s += draw.choice((70, 200))
    if draw.random() < 0.2 and made.media != "callback":
        made.outbound()
    if draw.random() < 0.2 and all(user for _, _, user in made.answers):
        made.conference()
    return conversation(*made.participants, name=made.name, end_s=made.clock_s + 400), made


@given(st.integers(0, 2**32))
def test_every_session_counts_as_a_visit_or_as_work_elsewhere_and_never_as_both(seed: int) -> None:
    """In whatever queues are chosen: those not chosen give work elsewhere to whoever answered there."""
    given_ = [told(seed + n) for n in range(15)]
    parsed = parse_conversations([each for each, _ in given_])
    chosen = random.Random(seed).sample(QUEUES, 2)
    busy = busy_of(parsed, chosen)
    spells = Counter(busy["agent_id"])
    visits = {(row["conversation_id"], row["visit"]): row for row in parsed.visits.to_dicts()}
    n_visits = 0
    for each, truth in given_:
        for number, (_, queue, user) in enumerate(truth.answers, 1):
            row = visits[each["conversationId"], number]
            n_visits += 1
            assert (row["agent_id"], row["queue_id"]) == (user, queue), (seed, number)
            # Whoever was not answered left at some time, told or not.
            assert row["wait_s"] is not None or user is not None
            if user is not None:
                assert bool(spells[user]) == (queue not in chosen), (seed, user)
        assert all(spells[user] == 1 for user in truth.others), seed
    assert n_visits == len(visits)
    # Nobody else has work elsewhere, those who let it ring among them.
    known = {user for _, truth in given_ for *_, user in truth.answers} | {u for _, t in given_ for u in t.others}
    assert set(spells) <= known


@given(st.integers(0, 2**32))
def test_no_second_of_an_agent_s_work_counts_twice(seed: int) -> None:
    """Handling of a visit and work elsewhere together are no more than the time of the agent's sessions."""
    for each, _ in (told(seed + n) for n in range(8)):
        parsed = parse_conversations([each])
        worked: dict[str, list[tuple[Any, Any]]] = {}
        for agent, start, end in parsed.work.select("agent_id", "start_at", "end_at").iter_rows():
            worked.setdefault(agent, []).append((start, end))
        counted = Counter[str]()
        for agent, handle_s in parsed.visits.select("agent_id", "handle_s").drop_nulls().iter_rows():
            counted[agent] += handle_s
        for agent, start, end in busy_of(parsed).select("agent_id", "start_at", "end_at").iter_rows():
            counted[agent] += (end - start).total_seconds()
        for agent, seconds in counted.items():
            assert seconds <= union_s(worked[agent]) + 1e-6, (seed, agent)


def union_s(spells: list[tuple[Any, Any]]) -> float:
    total, reached = timedelta(0), when(-1)
    for start, end in sorted(spells):
        total += max(timedelta(0), end - max(start, reached))
        reached = max(reached, end)
    return total.total_seconds()
