"""What a conversation says is read as documented, and what is wrong with it costs only itself."""

import json
import os
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.checks import check
from ingest.genesys.conversations import COLUMNS, Conversations, parse_conversations
from tests.payloads import (
    PERSONAL,
    answered,
    at,
    conversation,
    customer,
    damaged,
    handled,
    metrics,
    participant,
    queued,
    random_conversation,
    rung_out,
    segment,
    session,
    shuffled,
    survey,
    when,
    with_personal_data,
)
from tests.visits_oracle import visits_of

FRAMES = tuple(COLUMNS)
SEEDS = st.integers(0, 2**32)


def rows(parsed, name):
    return getattr(parsed, name).to_dicts()


def one(*given):
    """The only visit of one conversation."""
    (found,) = rows(parse_conversations(list(given)), "visits")
    return found


def reasons(*given):
    return parse_conversations(list(given)).left_out["reason"].to_list()


def frames(parsed):
    return {name: getattr(parsed, name) for name in FRAMES}


def many(seed, n=40):
    return [random_conversation(f"{seed}-{number}", f"c{number:03}") for number in range(n)]


def agent(*sessions, user="u1", purpose="agent"):
    return participant(purpose, *sessions, user=user)


def test_the_documented_answer():
    """Section 11 of the reference: one agent, one answered call, one survey."""
    parsed = parse_conversations([answered(surveys=[survey()])])
    visit = {
        "conversation_id": "c1", "visit": 1, "queue_id": "q1", "arrived_at": when(30), "media": "voice",
        "skill_ids": ["s1"], "language_id": "l1", "outcome": "answered", "agent_id": "u1", "wait_s": 20.0,
        "alert_s": 5.0, "handle_s": 240.0, "acw_s": 30.0, "used_routing": None, "eligible_count": None,
        "preferred": None,
    }  # fmt: skip
    work = {
        "conversation_id": "c1", "agent_id": "u1", "start_at": when(45), "end_at": when(290), "media": "voice",
        "direction": "inbound", "queue_id": "q1", "visit": 1, "kind": "answered",
    }  # fmt: skip
    asked = {
        "conversation_id": "c1", "visit": 1, "survey_id": "v1", "agent_id": "u1", "queue_id": "q1",
        "completed_at": when(7200), "score": 87.5, "status": "Finished",
    }  # fmt: skip
    assert rows(parsed, "lives") == [{"conversation_id": "c1", "started_at": when(0), "ended_at": when(290)}]
    assert rows(parsed, "visits") == [visit]
    assert rows(parsed, "work") == [work]
    assert rows(parsed, "surveys") == [asked]
    assert parsed.left_out.is_empty()


@given(SEEDS)
def test_visits_equal_the_rules_written_plainly(seed):
    conversations = many(seed)
    expected = [row for each in conversations for row in visits_of(each)]
    assert rows(parse_conversations(conversations), "visits") == expected


@given(SEEDS)
def test_every_visit_ends_one_way_and_nobody_answers_two(seed):
    conversations = many(seed)
    parsed = parse_conversations(conversations)
    counted = dict(parsed.visits["outcome"].value_counts().iter_rows())
    n_sessions = sum(len(who["sessions"]) for each in conversations for who in each["participants"]
                     if who["purpose"] == "acd")  # fmt: skip
    n_left = parsed.left_out["reason"].str.starts_with("visit ").sum()
    assert sum(counted.values()) + n_left == n_sessions
    assert set(counted) <= {"answered", "abandoned", "flowed_out", "unknown"}
    linked = parsed.work.filter(pl.col("kind") == "answered")
    assert linked.select("conversation_id", "visit").is_duplicated().sum() == 0
    assert linked.height == counted.get("answered", 0)
    assert linked["visit"].null_count() == 0 == parsed.work.filter(pl.col("kind") != "answered")["visit"].count()


@given(SEEDS)
def test_handling_is_the_sum_of_its_parts(seed):
    """Talk, hold and after-call work make up handling, whichever of the metrics is there."""
    draw = random.Random(seed)
    talk, held = [draw.randrange(9999) for _ in range(3)], [draw.randrange(9999) for _ in range(2)]
    parts = {"tTalk": talk, "tTalkComplete": sum(talk), "tHeld": held, "tHeldComplete": sum(held), "tAcw": 1500}
    whole_ms = sum(talk) + sum(held) + 1500
    gone = draw.choice([(), ("tHandle",), ("tHandle", "tTalkComplete"), ("tHandle", "tTalkComplete", "tHeldComplete")])
    measured = {name: value for name, value in {**parts, "tHandle": whole_ms}.items() if name not in gone}
    call = handled() | {"metrics": metrics(50, tAnswered=20_000, **measured)}
    visit = one(conversation(participant("acd", queued()), agent(call)))
    assert visit["handle_s"] == pytest.approx(whole_ms / 1000)
    assert visit["acw_s"] == 1.5


@given(SEEDS)
def test_the_order_of_lists_does_not_matter(seed):
    for conversation_ in many(seed, 10):
        plain, mixed = parse_conversations([conversation_]), parse_conversations([shuffled(conversation_, seed)])
        for name, frame in frames(plain).items():
            assert sorted(map(repr, frame.rows())) == sorted(map(repr, getattr(mixed, name).rows())), name
        assert plain.visits.equals(mixed.visits)


@given(SEEDS, st.integers(1, 12))
def test_pages_put_end_to_end_are_the_whole(seed, size):
    conversations = [damaged(each, f"{seed}{place}", place % 3) for place, each in enumerate(many(seed, 12))]
    for number, each in enumerate(conversations):
        each["conversationId"] = f"c{number}"
    whole = frames(parse_conversations(conversations))
    parts = [frames(parse_conversations(conversations[first : first + size])) for first in range(0, 12, size)]
    for name, frame in whole.items():
        assert pl.concat([part[name] for part in parts]).equals(frame), name


@given(SEEDS, st.integers(1, 30))
def test_damage_costs_only_the_damaged_conversation(seed, times):
    """Whatever is missing, null or of another type: no exception, documented columns, neighbours untouched."""
    good = random_conversation(f"good {seed}", "good")
    bad = damaged(random_conversation(seed, "bad"), seed, times)
    parsed = parse_conversations([good, bad, None, 7, [], {}])
    assert isinstance(parsed, Conversations)
    alone = frames(parse_conversations([good]))
    for name, frame in frames(parsed).items():
        assert dict(frame.schema) == COLUMNS[name]
        assert frame.filter(pl.col("conversation_id") == "good").equals(alone[name])
    assert not parsed.left_out["reason"].str.contains("broken").any()
    assert (parsed.left_out["reason"] == "conversation without id").sum() >= 4
    assert parsed.visits.select("conversation_id", "visit").is_duplicated().sum() == 0


@given(SEEDS, st.integers(1, 8))
def test_what_is_read_of_damaged_payloads_fits_the_tables(seed, times):
    conversations = [damaged(random_conversation(f"{seed}-{n}", f"c{n}"), f"{seed}-{n}", times) for n in range(10)]
    parsed = parse_conversations(conversations)
    named = parsed.visits.with_columns(interaction_id=pl.format("{}#{}", "conversation_id", "visit"))
    check("interactions", named.rename({"skill_ids": "skills", "language_id": "language"}).drop("visit"))
    blocks = parsed.work.filter(pl.col("end_at") > pl.col("start_at"))
    check("busy", blocks.select("agent_id", "start_at", "end_at", why="kind"))


@given(SEEDS)
def test_nothing_personal_comes_out(seed):
    """Also of conversations that are damaged and read the careful way."""
    planted = [with_personal_data(each) for each in many(seed, 10)]
    hurt = [{**each, "conversationId": f"d{n}", "conversationEnd": "soon"} for n, each in enumerate(planted)]
    shown = str({name: frame.rows() for name, frame in frames(parse_conversations(planted + hurt)).items()})
    assert not any(part in shown for part in (PERSONAL, *PERSONAL.split()))
    assert len(shown) > 100


@given(SEEDS)
def test_personal_data_changes_nothing(seed):
    conversations = many(seed, 10)
    planted = [with_personal_data(each) for each in conversations]
    assert all(a.equals(b) for a, b in zip(*(frames(parse_conversations(c)).values() for c in (conversations, planted)),
                                           strict=True))  # fmt: skip


def test_a_conversation_given_twice_counts_as_it_came_last():
    early = answered(end_s=None, surveys=[survey("old")])
    late = conversation(customer(), participant("acd", queued(extra=metrics(50, tAbandon=20_000))))
    parsed = parse_conversations([early, answered(name="c2"), late])
    assert parsed.lives["conversation_id"].to_list() == ["c1", "c2"]
    assert parsed.visits["outcome"].to_list() == ["abandoned", "answered"]
    assert parsed.surveys.is_empty()
    assert parsed.work["conversation_id"].to_list() == ["c2"]


def test_arrival_is_when_it_was_offered_else_when_its_session_began():
    waiting = queued()
    waiting["metrics"][0]["emitDate"] = at(31.5)
    assert one(conversation(participant("acd", waiting)))["arrived_at"] == when(31.5)
    del waiting["metrics"][0]
    assert one(conversation(participant("acd", waiting)))["arrived_at"] == when(30)


def test_a_wait_without_its_metric_lasts_until_the_session_ends():
    waiting = queued() | {"metrics": metrics(30, nOffered=1)}
    assert one(conversation(participant("acd", waiting)))["wait_s"] == 20.0
    del waiting["segments"][0]["segmentEnd"]
    # Its conversation ended at 290 s, and whoever nobody answered has left by then; while it goes on, nothing is known.
    visit = one(conversation(participant("acd", waiting)))
    assert (visit["wait_s"], visit["outcome"]) == (260.0, "unknown")
    assert one(conversation(participant("acd", waiting), end_s=None))["wait_s"] is None
    assert one(conversation(participant("acd", waiting), agent(handled())))["wait_s"] is None
    odd = queued(start_s=50, end_s=40) | {"metrics": metrics(50, nOffered=1)}
    assert one(conversation(participant("acd", odd)))["wait_s"] is None
    assert reasons(conversation(participant("acd", odd))) == ["wait of a visit that ends before it starts"]


def test_fractions_of_milliseconds_stay():
    waiting = queued() | {"metrics": metrics(30, nOffered=1, tAcd=12411.9)}
    assert one(conversation(participant("acd", waiting)))["wait_s"] == pytest.approx(12.4119, abs=1e-12)


def test_who_lets_it_ring_answers_nothing_whatever_else_is_said():
    ring = rung_out(start_s=30, end_s=40)
    visit = one(conversation(customer(), participant("acd", queued()), agent(ring, user="u9"), agent(handled())))
    assert (visit["agent_id"], visit["handle_s"]) == ("u1", 240.0)
    wrapped = ring | {"segments": [*ring["segments"], segment("wrapup", 45, 46, "q1")]}
    alone = parse_conversations([conversation(participant("acd", queued()), agent(wrapped, user="u9"))])
    assert (alone.visits["outcome"][0], alone.visits["agent_id"][0]) == ("unknown", None)
    said = ring | {"metrics": ring["metrics"] + metrics(40, tAnswered=1000)}
    assert one(conversation(participant("acd", queued()), agent(said)))["outcome"] == "unknown"


def without(given, *names):
    return given | {"metrics": [each for each in given["metrics"] if each["name"] not in names]}


@pytest.mark.parametrize(
    ("worker", "is_answer"),
    [
        (agent(handled(peer="kx")), True),
        (agent(handled(peer=None)), True),
        (agent(handled(queue=None)), True),
        (agent(without(handled(), "tAnswered")), True),
        (agent(without(handled(), "tAnswered", "tAlert", "tTalk", "tTalkComplete", "tAcw", "tHandle")), True),
        # Whoever was called by name, but shows the line and the queue.
        (agent(handled(), purpose="user"), True),
        (agent(handled(peer="kx"), purpose="user"), False),
        (agent(handled(queue=None), purpose="user"), False),
        (agent(handled(queue=None, peer="kx")), False),
        (agent(handled(queue="q2")), False),
        (agent(without(handled(media="chat"), "tAnswered")), False),
        # A call out on another line, or long after the visit ended at 50 s, or over before it came.
        (agent(handled(peer="kx", direction="outbound")), False),
        (agent(handled(start_s=50 + 60 + 5)), True),
        (agent(without(handled(start_s=50 + 60 + 6), "tAnswered")), False),
        (agent(without(handled(start_s=6, talk_s=10, acw_s=10), "tAnswered")), False),
        (agent(rung_out(start_s=30, end_s=40)), False),
    ],
)
def test_one_session_is_the_answer_of_a_visit_or_work_of_its_own(worker, is_answer):
    """Where nothing says how the visit ended, work that shows for it is its answer, and never work elsewhere too."""
    parsed = parse_conversations([conversation(participant("acd", queued()), worker)])
    assert parsed.visits["outcome"].to_list() == ["answered" if is_answer else "unknown"]
    assert parsed.visits["agent_id"].to_list() == ["u1" if is_answer else None]
    (kind,) = parsed.work["kind"]
    assert (kind == "answered") == is_answer


@pytest.mark.parametrize(("mark", "outcome"), [("tAbandon", "abandoned"), ("tFlowOut", "flowed_out")])
def test_a_visit_that_says_how_it_ended_is_answered_by_nobody_who_only_shows_work(mark, outcome):
    ended = queued(extra=metrics(50, **{mark: 20_000}))
    parsed = parse_conversations([conversation(participant("acd", ended), agent(without(handled(), "tAnswered")))])
    assert parsed.visits["outcome"].to_list() == [outcome]
    assert parsed.work["kind"].to_list() == ["other"]


def test_two_visits_to_one_queue_are_answered_by_the_nearest_each():
    visits = participant("acd", queued("a1"), queued("a2", start_s=300, end_s=320))
    both = [agent(handled("h1", start_s=50), user="u1"), agent(handled("h2", start_s=321), user="u2")]
    parsed = parse_conversations([conversation(visits, *both)])
    assert parsed.visits["agent_id"].to_list() == ["u1", "u2"]
    parsed = parse_conversations([conversation(visits, both[0])])
    assert parsed.visits["outcome"].to_list() == ["answered", "unknown"]


def test_visits_are_numbered_over_all_queues_by_arrival_then_session():
    visits = [queued("b", "q2", 90, 95), queued("c", "q1", 30, 40), queued("a", "q3", 90, 95)]
    parsed = parse_conversations([conversation(participant("acd", *visits))])
    assert parsed.visits.select("visit", "queue_id").rows() == [(1, "q1"), (2, "q3"), (3, "q2")]


def test_numbers_stay_where_a_visit_is_left_out():
    odd = queued("a", start_s=10, end_s=20, media="cobrowse")
    parsed = parse_conversations([conversation(participant("acd", odd, queued("b")))])
    assert parsed.visits["visit"].to_list() == [2]
    assert parsed.left_out["reason"].to_list() == ["visit of media cobrowse"]


def test_giving_up_may_be_said_by_another_session():
    waiting = participant("acd", queued("a1"), queued("a2", start_s=300, end_s=320), queued("a3", "q2", 400, 420))
    caller = session("k0", [segment("interact", 0, 320, "q1")], metrics(320, tAbandon=20_000))
    parsed = parse_conversations([conversation(participant("customer", caller), waiting)])
    assert parsed.visits["outcome"].to_list() == ["unknown", "abandoned", "unknown"]


def test_flowing_out_and_giving_up():
    for metric, outcome in (("tAbandon", "abandoned"), ("tFlowOut", "flowed_out"), ("tShortAbandon", "unknown")):
        waiting = queued(extra=metrics(50, **{metric: 20_000}))
        assert one(conversation(participant("acd", waiting)))["outcome"] == outcome


def test_handling_of_a_live_conversation_is_not_known_from_its_parts():
    call = handled()
    call["metrics"] = [each for each in call["metrics"] if each["name"] != "tHandle"]
    live = one(conversation(participant("acd", queued()), agent(call), end_s=None))
    assert (live["outcome"], live["handle_s"], live["acw_s"]) == ("answered", None, 30.0)
    # After-call work goes on when everybody else has gone.
    del call["segments"][2]["segmentEnd"]
    assert one(conversation(participant("acd", queued()), agent(call)))["handle_s"] is None


def test_no_after_call_work_is_none_done_once_the_session_is_over():
    call = handled()
    call["metrics"] = [each for each in call["metrics"] if each["name"] != "tAcw"]
    assert one(conversation(participant("acd", queued()), agent(call)))["acw_s"] == 0.0
    del call["segments"][2]["segmentEnd"]
    assert one(conversation(participant("acd", queued()), agent(call), end_s=None))["acw_s"] is None


def test_callbacks_count_dialling_and_contacting():
    call = handled(media="callback") | {
        "metrics": metrics(50, tAnswered=1, tTalkComplete=1000, tAcw=200, tDialing=30, tContacting=4)
    }
    visit = one(conversation(participant("acd", queued(media="callback")), agent(call)))
    assert (visit["media"], visit["handle_s"]) == ("callback", pytest.approx(1.234))


def test_work_lasts_from_the_first_to_the_last_segment():
    calling = session("o", [segment("dialing", 10, 20), segment("interact", 20, 50)], direction="outbound")
    parsed = parse_conversations(
        [conversation(agent(calling, rung_out(), user="u1"), agent(handled(), purpose="user"))]
    )
    found = parsed.work.select("start_at", "end_at", "direction", "queue_id", "visit", "kind").rows()
    assert found == [
        (when(10), when(50), "outbound", None, None, "other"),
        (when(35), when(45), "inbound", "q1", None, "unanswered"),
        (when(45), when(290), "inbound", "q1", None, "other"),
    ]


def test_open_work_ends_with_its_conversation():
    calling = session("o", [segment("alert", 10, 20), segment("interact", 20)])
    for end_s, expected in ((None, None), (400, when(400))):
        assert parse_conversations([conversation(agent(calling), end_s=end_s)]).work["end_at"][0] == expected


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        (conversation(participant("acd", session("a", [segment("interact", 1, 2)]))), "visit without queue"),
        (conversation(participant("acd", queued(media="video"))), "visit of media video"),
        (conversation(participant("acd", queued(media="Jane Roe"))), "visit of unknown media"),
        (conversation(participant("acd", queued(media=None))), "visit of no media"),
        (conversation(participant("agent", handled())), "work without agent"),
        (conversation(agent(handled(media="screenshare"))), "work of media screenshare"),
        (conversation(agent(session("a"))), "work without start"),
        (conversation(agent(session("a", [segment("interact", 9, 4)]))), "work that ends before it starts"),
        (conversation(surveys=[survey(status="Pending")]), "survey not finished"),
        (conversation(surveys=[survey(status=None)]), "survey not finished"),
        (conversation(surveys=[{**survey(), "surveyId": None}]), "survey without id"),
        (conversation(surveys=[{**survey(), "surveyCompletedDate": None}]), "survey without a time of completion"),
        ({"conversationId": "c1", "participants": None}, "conversation without start"),
        ({"conversationId": ["c1"]}, "conversation without id"),
        ({**conversation(), "conversationEnd": "soon"}, "conversationEnd is not a time"),
        ({**conversation(), "participants": "nobody"}, "participants is not a list"),
        (conversation(None), "an entry of participants is not an object"),
    ],
)
def test_what_is_left_out_says_why(given_, reason):
    parsed = parse_conversations([given_])
    assert parsed.left_out["reason"].to_list() == [reason]
    assert parsed.visits.is_empty() and parsed.work.is_empty() and parsed.surveys.is_empty()


def test_one_bad_value_costs_only_itself():
    waiting = queued()
    waiting["metrics"] += [{"name": "tAbandon", "value": "20000", "emitDate": at(50)}, None]
    waiting["usedRouting"], waiting["peerId"] = 7, "k0"
    visit = one(conversation(participant("acd", waiting)))
    assert (visit["outcome"], visit["wait_s"], visit["used_routing"]) == ("abandoned", 20.0, None)
    assert sorted(reasons(conversation(participant("acd", waiting)))) == [
        "an entry of metrics is not an object", "usedRouting is not a text", "value is not a number from 0 to 1e+11"
    ]  # fmt: skip


def test_a_null_is_as_good_as_nothing():
    nothing = answered()
    nulled = answered(externalTag=None, surveys=None)
    for who in nulled["participants"]:
        who["sessions"][0] |= {"usedRouting": None, "eligibleAgentCounts": None, "flow": None}
        for part in who["sessions"][0]["segments"]:
            part |= {"disconnectType": None, "scoredAgents": None}
    assert frames(parse_conversations([nulled]))["visits"].equals(parse_conversations([nothing]).visits)
    assert reasons(nulled) == []


def test_an_unknown_word_is_kept_and_stops_nothing():
    visit = one(conversation(customer(), participant("acd", queued(usedRouting="Telepathic")), participant("robot")))
    assert visit["used_routing"] == "Telepathic"


def test_requests_are_the_union_over_the_session():
    waiting = queued(eligibleAgentCounts=[9, 4])
    scored = [{"scoredAgentId": "u2", "agentScore": 10}, {"scoredAgentId": "u1", "agentScore": 90.5}]
    waiting["segments"].append(
        segment("interact", 40, 50, "q1", requestedRoutingSkillIds=["s3", "s1", "s0"], scoredAgents=scored)
    )
    visit = one(conversation(participant("acd", waiting)))
    assert (visit["skill_ids"], visit["language_id"], visit["eligible_count"]) == (["s0", "s1", "s3"], "l1", 4)
    assert visit["preferred"] == [{"agent_id": "u1", "score": 90.5}, {"agent_id": "u2", "score": 10.0}]


def test_where_segments_differ_the_earliest_names_the_queue():
    waiting = queued()
    waiting["segments"].insert(0, segment("interact", 40, 50, "q0", requestedLanguageId="l0"))
    visit = one(conversation(participant("acd", waiting)))
    assert (visit["queue_id"], visit["language_id"]) == ("q1", "l1")


def test_a_measure_that_is_null_is_missed():
    waiting = queued(extra=[{"name": "tAbandon", "value": None, "emitDate": at(50)}])
    assert one(conversation(participant("acd", waiting)))["outcome"] == "abandoned"
    assert reasons(conversation(participant("acd", waiting))) == ["value is null"]


def test_times_in_other_spellings_are_the_same_moment():
    plain = answered()
    spelled = json.loads(json.dumps(plain).replace("2025-03-01T10", "2025-03-1T10"))
    offset = json.loads(json.dumps(plain).replace("2025-03-01T10", "2025-03-01T12").replace('000Z"', '000+02:00"'))
    short = json.loads(json.dumps(plain).replace('.000Z"', 'Z"'))
    for other in (spelled, offset, short):
        assert all(a.equals(b) for a, b in zip(*(frames(parse_conversations([c])).values() for c in (plain, other)),
                                               strict=True))  # fmt: skip


def test_a_survey_belongs_to_the_last_visit_of_its_queue_and_agent():
    visits = participant("acd", queued("a1"), queued("a2", "q2", 300, 320), queued("a3", "q1", 600, 620))
    talks = [agent(handled("h1"), user="u1"), agent(handled("h2", "q2", 320), user="u1"),
             agent(handled("h3", "q1", 620), user="u2")]  # fmt: skip
    asked = [survey("both", agent="u1", queue="q1"), survey("agent", agent="u1", queue="q9"),
             survey("queue", agent="u9", queue="q1"), survey("none", agent="u9", queue="q9")]  # fmt: skip
    parsed = parse_conversations([conversation(visits, *talks, surveys=asked)])
    assert parsed.surveys.select("survey_id", "visit").rows() == [
        ("both", 1),
        ("agent", 2),
        ("queue", 3),
        ("none", None),
    ]


def test_no_conversations_are_empty_frames():
    for name, frame in frames(parse_conversations([])).items():
        assert frame.is_empty() and dict(frame.schema) == COLUMNS[name]


@pytest.fixture
def published():
    folder = os.environ.get("ROUTELAB_PAYLOADS")
    if not folder:
        pytest.skip("ROUTELAB_PAYLOADS is not set; it names the folder of published payloads")
    return [json.loads(Path(folder, f"conversation_details_{number}_mit.json").read_text()) for number in (1, 2)]


def test_published_chats(published):
    """One handled and held to its end; one without an end, its days written with one digit."""
    parsed = parse_conversations(published)
    columns = ("wait_s", "alert_s", "handle_s", "acw_s", "outcome", "media", "used_routing")
    assert parsed.visits.select(columns).rows() == [
        (11.179, 11.05, 918.737, 0.0, "answered", "chat", "Standard"),
        (6.384, 6.232, None, None, "answered", "chat", "Standard"),
    ]
    assert parsed.visits["agent_id"].str.slice(0, 4).to_list() == ["50fc", "9f3b"]
    assert parsed.visits["arrived_at"].dt.strftime("%d %T%.3f").to_list() == ["01 12:27:53.388", "02 15:30:51.422"]
    assert parsed.lives["ended_at"].is_null().to_list() == [False, True]
    assert parsed.work["end_at"].dt.strftime("%T%.3f").to_list() == ["12:43:23.306", "15:46:21.293"]
    assert parsed.left_out.is_empty() and parsed.surveys.is_empty()
    assert "Doe" not in str([frame.rows() for frame in frames(parsed).values()])
