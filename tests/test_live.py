"""Live requests: who can take it now; and what stands in, said to be so, while the platform cannot be asked."""

from __future__ import annotations

import asyncio
import shutil
import threading
from datetime import UTC, datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.answering.live import STATUS_NOT_IDLE, Turns
from ingest.platform.errors import AccessRefused, RequestRefused
from tests.live_platform import DOWN, PLATFORM, SALES, SECRET, Platform, ids, live, member, wait_until
from tests.small_service import BODY, answered, app_of, client_of, post, refusal, worked_of, write_centre

# --- answers ----------------------------------------------------------------------------------------------------


@pytest.fixture
def platform(monkeypatch):
    found = Platform()
    monkeypatch.setattr("ingest.genesys.live.live_client", lambda credentials, open_s: found)
    return found


@pytest.fixture
def client(tmp_path, platform):
    write_centre(tmp_path)
    return client_of(tmp_path, live_cache_s=0.0, **PLATFORM)


def test_a_live_answer_ranks_who_is_available_now(client, platform):
    content = live(client)
    assert content["source"] == "live"
    assert ids(content) == ["ada", "cid"]
    # ada: (5 / 5) x 0.4 + 0.3 + 0.75 x 0.3 from the snapshot's surveys; cid: 0.8 x 0.4 + 0.3 + 0.5 x 0.3.
    assert [agent["score"] for agent in content["ranked_agents"]] == [0.925, 0.77]
    assert content["top_agent"] == {"id": "ada", "name": "Ada", "score": 0.925}
    assert content["live"].keys() == {"read_at", "age_s", "members", "available", "by_status"}
    assert (content["live"]["members"], content["live"]["available"]) == (5, 2)
    assert content["live"]["by_status"] == {"idle": 2, "interacting": 1, "not_responding": 1, "off_queue": 1}
    assert 0 <= content["live"]["age_s"] < 60
    assert "degraded" not in content
    assert any("1 of 2 candidates have no survey" in text for text in content["warnings"])
    # Fairness and the snapshot are those of the plain answer.
    plain = answered(client)
    assert plain["source"] == "snapshot"
    assert content["fairness_metrics"] == plain["fairness_metrics"]
    assert content["snapshot"]["sha256"] == plain["snapshot"]["sha256"]
    assert content["weights_used"] == plain["weights_used"]


def test_the_scores_are_those_of_a_snapshot_with_the_same_agents(client, tmp_path, platform):
    """Everybody idle, skills as recorded: the platform changes who is asked for, never what a score is."""
    platform.queues["sales"] = [
        member("ada", skills={"billing": 5, "tech": 3}, languages={"en": 5, "fr": 3}),
        member("bob", skills={"billing": 4}, languages={"en": 5}),
        member("cid", skills={"billing": 4}, languages={"en": 2}),
        member("dan", skills={"tech": 2}, languages={"fr": 4}),
    ]
    for one in ({}, {"required_language": "fr"}, {"required": ["skills"]}, {"current_performance": 0.5}):
        changed = {"weights": {"min_score_threshold": 0.2}, **one}
        plain, now = answered(client, **changed), live(client, **changed)
        assert {a["id"]: a["score"] for a in now["ranked_agents"]} == {
            a["id"]: a["score"] for a in plain["ranked_agents"]
        }
        assert now["weights_used"] == plain["weights_used"]


def test_busy_agents_count_where_the_setting_says_so(tmp_path, platform):
    write_centre(tmp_path)
    client = client_of(tmp_path, live_statuses="idle,interacting,communicating", **PLATFORM)
    assert ids(live(client)) == ["ada", "cid", "bob"]


def test_equal_scores_go_to_the_older_status_which_is_said_not_to_be_the_idle_clock(client, platform):
    platform.queues["sales"] = [
        member("bob", since="2025-03-01T09:59:00.000Z"), member("cid", since="2025-03-01T09:00:00.000Z")
    ]  # fmt: skip
    content = live(client)
    assert ids(content) == ["cid", "bob"]
    assert STATUS_NOT_IDLE in content["warnings"]
    platform.queues["sales"] = SALES
    assert STATUS_NOT_IDLE not in live(client)["warnings"]


def test_explain_says_of_everybody_who_is_not_ranked_what_they_do(client):
    rows = {row["agent_id"]: row for row in live(client, explain=True)["explanation"]}
    assert rows.keys() == {"ada", "bob", "cid", "dan", "eve"}
    assert rows["ada"]["reason"] == "chosen"
    assert rows["bob"]["reason"] == "not available: interacting"
    assert rows["dan"]["reason"] == "not available: off_queue"
    assert rows["dan"]["place"] is None


def test_nobody_available_is_refused_with_counts(client, platform):
    platform.queues = {"sales": [member("bob", "INTERACTING"), member("dan", "OFF_QUEUE", "Meal")], "empty": []}
    detail = refusal(post(client, live=True), 422)
    assert "nobody of queue 'sales' is available now: of 2 members 1 interacting, 1 off_queue" in detail
    assert "nobody is joined to it" in refusal(post(client, live=True, queue_id="empty"), 422)


def test_what_cannot_be_answered_is_refused_as_it_is_from_a_snapshot(client):
    found = post(client, live=True, required_skill="biling")
    assert "no agent of queue 'sales' on the platform has the skill 'biling'; did you mean" in refusal(found, 422)
    assert found.json()["title"] == "Unknown skill"
    assert "has the language 'de'" in refusal(post(client, live=True, required_language="de"), 422)
    far = post(client, live=True, weights={"min_score_threshold": 3})
    assert "no available agent of queue 'sales' reached the threshold 3" in refusal(far, 422)
    hard = post(client, live=True, required_skill="billing", required_language="fr", required=["language", "skills"])
    assert hard.json()["top_agent"]["id"] == "ada"
    assert "lies before" in refusal(post(client, live=True, end_date="2024-03-01"), 422)
    assert "did you mean 'centre'" in refusal(post(client, live=True, snapshot="center"), 404)


def test_a_queue_that_the_platform_does_not_know_is_named_with_the_nearest(client, platform):
    detail = refusal(post(client, live=True, queue_id="salles"), 404)
    assert "queue 'salles' is not on the platform" in detail
    assert "did you mean 'sales' (Sales) of snapshot 'centre'?" in detail.replace("'sales' of", "'sales' (Sales) of")
    platform.queues = {}
    assert "did you mean 'help' (Help)" in refusal(post(client, live=True, queue_id="Help"), 404)


def test_without_a_snapshot_it_still_answers_and_says_what_is_missing(tmp_path, platform):
    client = client_of(tmp_path, **PLATFORM)
    content = live(client)
    assert (content["snapshot"], content["fairness_metrics"]) == (None, None)
    assert content["ranked_agents"][0]["score"] == 0.4 + 0.3 + 0.3 * 0.5
    said = " ".join(content["warnings"])
    assert "no snapshot tells of satisfaction, so its term is 0.5 for everybody" in said
    assert "fairness_metrics is null: there is no snapshot to read" in said


def test_a_queue_that_the_snapshot_does_not_have_gets_no_fairness(client, platform):
    platform.queues["new"] = SALES
    content = live(client, queue_id="new")
    assert content["fairness_metrics"] is None
    assert "fairness_metrics is null: snapshot 'centre' has no agents of queue 'new'" in content["warnings"]
    assert content["top_agent"]["score"] == 0.925  # surveys count all the same


def test_made_up_surveys_are_said_to_be_so(tmp_path, platform):
    write_centre(tmp_path, made_up=True)
    assert any("made up" in text for text in live(client_of(tmp_path, **PLATFORM))["warnings"])


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["IDLE", "On Queue", "a1", 7, 9.5]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "name", "joined", "routingStatus", "status", "startTime", "user", "presence", "presenceDefinition",
             "systemPresence", "skills", "languages", "proficiency", "state", "ringNumber"]
        ),
        inner, max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(entities=st.lists(JUNK, max_size=4))
def test_whatever_the_platform_lists_the_service_answers_as_it_says(tmp_path_factory, entities):
    platform = Platform(sales=[*entities, member("ada")])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ingest.genesys.live.live_client", lambda credentials, open_s: platform)
        content = live(client_of(tmp_path_factory.mktemp("store"), **PLATFORM), required_skill="billing")
    assert content["source"] == "live"
    assert "ada" in ids(content)
    assert sum(content["live"]["by_status"].values()) == content["live"]["members"]


# --- standing in ------------------------------------------------------------------------------------------------

FAILURES = [DOWN, AccessRefused("401", status=401), RequestRefused("GET ...: 405", status=405)]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_while_the_platform_fails_the_snapshot_answers_and_says_so(client, platform, error):
    live(client)
    platform.error = error
    content, plain = live(client), answered(client)
    assert content["source"] == "snapshot"
    assert content["degraded"]["reason"] == str(error)
    assert datetime.fromisoformat(content["degraded"]["since"]) <= datetime.now(UTC)
    assert content["snapshot"]["age_s"] >= 0
    for name in ("top_agent", "ranked_agents", "fairness_metrics", "weights_used", "warnings", "headline"):
        assert content[name] == plain[name]
    assert "degraded" not in plain
    platform.error = None
    assert "degraded" not in live(client)


def test_a_refusal_of_the_snapshot_says_why_it_was_asked(client, platform):
    platform.error = DOWN
    detail = refusal(post(client, live=True, required_skill="biling"), 422)
    assert "did you mean 'billing'? (asked of snapshot 'centre', because the platform cannot be asked: GET" in detail


def test_without_a_snapshot_the_members_last_read_take_turns(client, platform, tmp_path):
    live(client)
    platform.error = DOWN
    shutil.rmtree(tmp_path / "centre")
    firsts = []
    for _ in range(7):
        content = live(client, top=3)
        assert content["source"] == "fallback"
        assert content["degraded"]["reason"] == str(DOWN)
        assert (content["snapshot"], content["fairness_metrics"], content["weights_used"]) == (None, None, None)
        assert content["live"]["members"] == 5
        assert [agent["score"] for agent in content["ranked_agents"]] == [None] * 3
        assert content["ranked_agents"][0] == content["top_agent"]
        firsts.append(content["top_agent"]["id"])
    assert firsts == ["ada", "bob", "cid", "dan", "eve", "ada", "bob"]
    # Hard filters hold; names that nobody has are refused; other queues have turns of their own.
    assert {live(client, required_skill="tech", required=["skills"])["top_agent"]["id"] for _ in range(4)} == {
        "ada",
        "dan",
    }
    assert "has the skill 'x'" in refusal(post(client, live=True, required_skill="x"), 422)
    both = {"required_skill": "tech", "required_language": "fr", "weights": {"min_score_threshold": 0.0}}
    platform.error = None
    platform.queues["sales"] = [member("ada", skills={"tech": 3}), member("dan", languages={"fr": 3})]
    assert live(client, **both)["source"] == "live"
    platform.error = DOWN
    found = post(client, live=True, **both, required=["skills", "language"])
    assert "no known member of queue 'sales' passes the hard filter" in refusal(found, 422)


def test_a_snapshot_without_the_queue_does_not_answer_for_it(client, platform):
    platform.queues["new"] = SALES
    live(client, queue_id="new")
    platform.error = DOWN
    content = live(client, queue_id="new", explain=True)
    assert content["source"] == "fallback"
    assert "snapshot 'centre' has no agents of queue 'new'" in " ".join(content["warnings"])
    assert "explain has nothing to tell" in " ".join(content["warnings"])


def test_with_nothing_known_at_all_it_is_said_that_there_is_no_answer(tmp_path, platform):
    platform.error = DOWN
    client = client_of(tmp_path, **PLATFORM)
    found = post(client, live=True)
    detail = refusal(found, 503)
    assert found.json()["title"] == "Platform cannot be asked"
    assert found.headers["retry-after"]
    for part in (str(DOWN), "there is no snapshot to read", "has never been read", "try again later"):
        assert part in detail


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_each_queue_has_turns_of_its_own(asked):
    turns = Turns()
    found = [(queue, turns.take(queue)) for queue in asked]
    for queue in set(asked):
        mine = [turn for name, turn in found if name == queue]
        assert mine == list(range(len(mine)))


# --- who may be asked -------------------------------------------------------------------------------------------


def test_without_credentials_live_is_refused_with_the_way_out(tmp_path):
    write_centre(tmp_path)
    found = post(client_of(tmp_path), live=True)
    detail = refusal(found, 422)
    assert found.json()["title"] == "Missing input"
    assert "set GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET and GENESYS_REGION" in detail
    assert "leave live out" in detail


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"genesys_client_id": None}, "GENESYS_CLIENT_ID"),
        ({"genesys_client_secret": None}, "GENESYS_CLIENT_SECRET"),
        ({"genesys_base_url": None}, "GENESYS_REGION"),
        ({"genesys_base_url": None, "genesys_region": "eu_wset_1"}, "did you mean eu_west_1"),
    ],
)
def test_half_a_set_of_credentials_is_refused_by_name_and_plain_requests_go_on(tmp_path, changed, wanted):
    write_centre(tmp_path)
    client = client_of(tmp_path, **{**PLATFORM, **changed})
    found = post(client, live=True)
    assert wanted in refusal(found, 422)
    assert SECRET not in found.text
    assert answered(client)["source"] == "snapshot"


def test_packages_that_are_not_installed_are_named(tmp_path, monkeypatch):
    write_centre(tmp_path)
    monkeypatch.setattr("ingest.platform.sdk._NEEDED", ("no_such_package",))
    detail = refusal(post(client_of(tmp_path, **PLATFORM), live=True), 422)
    assert "pip install 'routelab[genesys]'" in detail


def test_a_platform_that_hangs_keeps_nobody_else_waiting(tmp_path, platform):
    write_centre(tmp_path)
    platform.go.clear()
    app = app_of(tmp_path, live_threads=2, routing_threads=1, **PLATFORM)

    async def scenario():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
            hanging = [
                asyncio.create_task(client.post("/simulate/routing", json=BODY | {"live": True})) for _ in "1234"
            ]
            await asyncio.to_thread(platform.begun.wait, 30)
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await client.get(path)).status_code == 200
            for _ in range(3):
                plain = await client.post("/simulate/routing", json=BODY)
                assert plain.json()["source"] == "snapshot"
            assert not any(one.done() for one in hanging)
            platform.go.set()
            return [(await one).json()["source"] for one in hanging]

    assert asyncio.run(scenario()) == ["live"] * 4


def test_the_page_shows_a_live_request_that_is_answered_where_a_platform_is_set(client, tmp_path):
    assert 'id="live"' in client.get("/docs").text
    for asks, status in ((client, 200), (client_of(tmp_path), 422)):
        worked = {example.name: example for example in worked_of(asks.app.state.service)}
        assert worked["live"].status == status
        assert asks.post("/simulate/routing", json=worked["live"].body).status_code == status
        assert ("live" in shown_examples(asks)) == (status == 200)
        for name in ("source", "degraded", "503"):
            assert name in worked["live"].about


def shown_examples(client):
    taken = client.get("/openapi.json").json()["paths"]["/simulate/routing"]["post"]["requestBody"]
    return taken["content"]["application/json"]["examples"]


def test_starting_up_loads_what_live_requests_take_and_says_what_is_wrong(tmp_path, monkeypatch, caplog):
    loaded = threading.Event()
    monkeypatch.setattr("ingest.platform.sdk.load_sdk", loaded.set)
    with client_of(tmp_path, **PLATFORM) as client:
        assert loaded.wait(10)
        assert client.get("/healthz").status_code == 200
    with caplog.at_level("WARNING"), client_of(tmp_path, **{**PLATFORM, "genesys_client_secret": None}):
        wait_until(lambda: "live requests will be refused" in caplog.text)
    assert "GENESYS_CLIENT_SECRET" in caplog.text
